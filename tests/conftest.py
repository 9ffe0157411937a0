"""One migrated database per kind and run, copied for each test; real servers where they matter."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, g
from flask.testing import FlaskClient
from itsdangerous import URLSafeTimedSerializer
from sqlalchemy import create_engine, select
from werkzeug.routing import Rule

sys.path.insert(0, str(Path(__file__).parent))

import world

from cms import create_app
from cms.models import User, WebSession, db
from cms.rules import SYSTEM
from cms.services import upkeep
from cms.settings import Settings
from cms.unit_of_work import unit_of_work, utcnow
from cms.vault import fingerprint, new_token

SECRET = "test-" + "k" * 40
CI = os.environ.get("CI") == "true"
PG_BIN = Path("/usr/lib/postgresql/15/bin")


LONGEST = ("renderer", "browser", "faults", "malformed", "import", "life_machine", "demo_replay", "setup", "profiles", "queue",
           "matrix", "demo", "demo_shapes", "pdf")  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The files that take longest begin first, so that no worker is left alone with one at the end."""
    place = {f"test_{name}": number for number, name in enumerate(LONGEST)}
    items.sort(key=lambda item: place.get(item.path.stem, len(place)))


CHROMIUM = next((path for path in map(shutil.which, ("chromium", "chromium-browser", "google-chrome")) if path), None)
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage"]  # fmt: skip


def start_chromium(driver: Any) -> Any:
    """A headless Chromium with the machine's own fonts and libraries.

    With the renderer's fonts.conf, which names four fonts only, Chromium dies at a fallback glyph.
    """
    if CHROMIUM is None:
        absent("Chromium")
    env = {name: value for name, value in os.environ.items() if name not in ("FONTCONFIG_FILE", "LD_LIBRARY_PATH")}
    return driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS, env=env)


def absent(what: str) -> None:
    """Skip with a notice; in CI a missing server is a failure."""
    if CI:
        pytest.fail(f"{what} is missing; in CI it must be there")
    pytest.skip(f"{what} is not installed")


def settings_for(data: Path, url: str = "", **changes: Any) -> Settings:
    """Settings of a test."""
    said = {"data_dir": data, "secret_key": SECRET, "public_url": "http://localhost",
            "database_url": url, "demo": True}  # fmt: skip
    return Settings(**(said | changes))


def fill(settings: Settings, with_world: bool = True) -> None:
    """Migrate a database and put the small range into it."""
    app = create_app(settings)
    with app.app_context():
        upkeep.upgrade(db.engine)
        if with_world:
            world.build()
        close(app)


def close(app: Flask) -> None:
    """Give every connection back, so that files and databases can go."""
    db.session.remove()
    db.engine.dispose()
    app.extensions["cms_reads"].dispose()


class Cluster:
    """A PostgreSQL 15 of our own in a temporary folder, on a unix socket only."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.run("initdb", "-D", str(folder / "data"), "-U", "postgres", "--auth=trust", "-E", "UTF8",
                 "--locale=C.UTF-8", "--no-sync")  # fmt: skip
        options = f"-k {folder} -c listen_addresses='' -c fsync=off -c synchronous_commit=off -c max_connections=60"
        self.run("pg_ctl", "-D", str(folder / "data"), "-o", options, "-w", "-l", str(folder / "log"), "start")

    def run(self, tool: str, *args: str) -> None:
        """initdb and pg_ctl refuse root: drop to another user."""
        command = [str(PG_BIN / tool), *args]
        if os.geteuid() == 0:
            command = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", *command]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=self.folder)

    def url(self, name: str) -> str:
        return f"postgresql+psycopg://postgres@/{name}?host={self.folder}"

    def sql(self, statement: str) -> None:
        engine = create_engine(self.url("postgres"), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.exec_driver_sql(statement)
        engine.dispose()

    def stop(self) -> None:
        self.run("pg_ctl", "-D", str(self.folder / "data"), "-m", "immediate", "stop")


def in_memory(room: int = 2 * 2**30) -> str:
    """A folder in memory if the machine has one with room: each test copies a database there, and on a
    disk waits for it twice as long as it works."""
    shared = "/dev/shm"
    fits = os.access(shared, os.W_OK) and shutil.disk_usage(shared).free > room
    return shared if fits else tempfile.gettempdir()


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    if not (PG_BIN / "initdb").exists():
        absent("PostgreSQL 15")
    folder = Path(tempfile.mkdtemp(prefix="cms-pg-", dir=in_memory()))
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres", "postgres")
    made = Cluster(folder)
    yield made
    made.stop()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def filled_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("filled")
    fill(settings_for(folder))
    return folder / "cms.sqlite3"


@pytest.fixture(scope="session")
def filled_postgres(cluster: Cluster) -> str:
    cluster.sql("CREATE DATABASE filled")
    fill(settings_for(Path("/nonexistent"), cluster.url("filled")))
    return "filled"


@pytest.fixture(params=["sqlite", "postgresql"])
def backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def settings(backend: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Settings]:
    """Settings with a database that holds the small range."""
    if backend == "sqlite":
        source: Path = request.getfixturevalue("filled_sqlite")
        for part in source.parent.glob("cms.sqlite3*"):
            shutil.copy(part, tmp_path / part.name)
        yield settings_for(tmp_path)
        return
    servers: Cluster = request.getfixturevalue("cluster")
    template = request.getfixturevalue("filled_postgres")
    name = f"t{secrets.token_hex(6)}"
    servers.sql(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
    yield settings_for(tmp_path, servers.url(name))
    servers.sql(f"DROP DATABASE {name} WITH (FORCE)")


def build_addresses_later() -> None:
    """An application of its own for each test compiles what makes its addresses when one is asked for:
    at once it is nine tenths of the time that the application takes to be there."""
    stock = Rule._compile_builder

    def later(self: Rule, append_unknown: bool = True) -> Callable[..., Any]:
        made: list[Callable[..., Any]] = []

        def build(rule: Rule, **values: Any) -> Any:
            if not made:
                made.append(stock(rule, append_unknown))
            return made[0](rule, **values)

        return build

    Rule._compile_builder = later  # type: ignore[method-assign]


build_addresses_later()


class CleanClient(FlaskClient):
    """Requests share the test's application context: forget who asked before."""

    def open(self, *args: Any, **kwargs: Any) -> Any:
        for name in list(g):
            g.pop(name)
        return super().open(*args, **kwargs)


@pytest.fixture
def app(settings: Settings) -> Iterator[Flask]:
    """The application on a fresh copy of the small range, inside an application context."""
    made = create_app(settings)
    made.testing = True
    made.test_client_class = CleanClient
    with made.app_context():
        yield made
        close(made)


class Browser:
    """A signed-in test client that sends its CSRF token."""

    def __init__(self, client: FlaskClient, token: str) -> None:
        self.client, self.token = client, token
        self.get = client.get

    def post(self, path: str, data: dict[str, Any] | None = None, **kwargs: Any) -> Any:
        return self.client.post(path, data={**(data or {}), "csrf_token": self.token}, **kwargs)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


def start(app: Flask, login: str) -> Browser:
    """A browser with a session of its own."""
    token = new_token()
    user_id = db.session.scalars(select(User.id).where(User.login == login)).one()
    with unit_of_work(SYSTEM, via="test") as work:
        work.session.add(WebSession(token_hash=fingerprint(token), user_id=user_id, created_at=utcnow(),
                                    expires_at=utcnow().replace(year=2099)))  # fmt: skip
    client = app.test_client()
    raw = secrets.token_hex(16)
    with client.session_transaction() as cookie:
        cookie["_user_id"], cookie["csrf_token"] = token, raw
    signed = URLSafeTimedSerializer(SECRET, salt="wtf-csrf-token").dumps(raw)
    return Browser(client, str(signed))


@pytest.fixture
def sign_in(app: Flask) -> Callable[[str], Browser]:
    """``sign_in("sho.hsr")`` gives a browser with a session of its own."""

    return lambda login: start(app, login)
