"""What the operator decides. `Settings.from_env()` is the only reader of the environment in cms/."""

import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

__version__ = "0.1.0"

LOOPBACK = ("127.0.0.1", "localhost", "::1")
YES = ("1", "true", "yes", "on")


class SettingsError(Exception):
    """A start is refused; the message is a sentence the operator can act on."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    data_dir: Path
    secret_key: str
    public_url: str = "http://127.0.0.1:8000"
    host: str = "127.0.0.1"
    port: int = 8000
    database_url: str = ""
    redis_url: str = ""
    demo: bool = False
    smtp_url: str | None = None
    mail_from: str = "complaints@localhost"
    session_hours: int = 12
    proxies: int = 0
    version: str = __version__

    def __post_init__(self) -> None:
        fill = object.__setattr__
        fill(self, "public_url", self.public_url.rstrip("/"))
        fill(self, "database_url", self.database_url or f"sqlite:///{self.data_dir}/cms.sqlite3")
        fill(self, "redis_url", self.redis_url or f"unix://{self.data_dir}/redis.sock")

    @property
    def trusted_hosts(self) -> tuple[str, ...]:
        public = urlsplit(self.public_url).hostname
        return tuple(dict.fromkeys([*([public] if public else []), "127.0.0.1", "localhost", "[::1]"]))

    @property
    def limiter_url(self) -> str:
        """The same server in the spelling of Flask-Limiter."""
        return re.sub(r"^unix:", "redis+unix:", self.redis_url)

    @property
    def sqlite_path(self) -> Path | None:
        prefix = "sqlite:///"
        return Path(self.database_url.removeprefix(prefix)) if self.database_url.startswith(prefix) else None

    @classmethod
    def from_env(cls, env: Mapping[str, str] | None = None) -> "Settings":
        env = os.environ if env is None else env
        demo = env.get("CMS_DEMO", "").lower() in YES
        data_dir = Path(env.get("CMS_DATA") or "var").absolute()
        host, port = env.get("CMS_HOST") or LOOPBACK[0], _port(env.get("CMS_PORT") or "8000")
        if demo:
            _only_loopback(host)
        else:
            _nothing_missing(env)
        return cls(
            data_dir=data_dir,
            secret_key=env.get("CMS_SECRET_KEY") or demo_key(data_dir),
            public_url=env.get("CMS_PUBLIC_URL") or f"http://{host}:{port}",
            host=host,
            port=port,
            database_url=_database_url(env.get("DATABASE_URL", "")),
            redis_url=env.get("REDIS_URL", ""),
            demo=demo,
            smtp_url=env.get("CMS_SMTP_URL") or None,
            proxies=_count(env.get("CMS_PROXIES", "")),
            mail_from=env.get("CMS_MAIL_FROM") or "complaints@localhost",
        )


def demo_key(data_dir: Path) -> str:
    """A random key of this data folder, so that demo sessions outlive a restart."""
    data_dir.mkdir(parents=True, exist_ok=True)
    path = data_dir / "demo.key"
    try:
        with open(path, "x", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
            file.write(secrets.token_hex(32))
    except FileExistsError:
        pass
    return path.read_text()


def _nothing_missing(env: Mapping[str, str]) -> None:
    needed = ("CMS_SECRET_KEY", "CMS_PUBLIC_URL")
    missing = [name for name in needed if not env.get(name)]
    if missing:
        raise SettingsError(f"Set {' and '.join(missing)} before the start, or CMS_DEMO=1 to try the system.")
    if len(env["CMS_SECRET_KEY"]) < 32:
        raise SettingsError("CMS_SECRET_KEY is too short: give it at least 32 random characters.")


def _only_loopback(host: str) -> None:
    if host not in LOOPBACK:
        raise SettingsError(
            f"The demo has known passwords, so it listens on this computer only: CMS_HOST is {host}, must be 127.0.0.1."
        )


def _count(text: str) -> int:
    """How many of our own proxies stand before the web, whose X-Forwarded headers are true."""
    if text and not text.isdigit():
        raise SettingsError(f"CMS_PROXIES must be a number, not {text!r}.")
    return int(text or 0)


def _port(text: str) -> int:
    if text.isdigit() and 0 < int(text) < 65536:
        return int(text)
    raise SettingsError(f"CMS_PORT is {text!r}; it must be a number from 1 to 65535.")


def _database_url(url: str) -> str:
    if not url or url.startswith(("sqlite:///", "postgresql+psycopg://")):
        return url
    if url.startswith(("postgresql://", "postgres://")):
        return "postgresql+psycopg://" + url.split("://", 1)[1]
    raise SettingsError("DATABASE_URL must start with sqlite:/// or postgresql+psycopg://.")
