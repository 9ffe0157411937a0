"""Make a fresh machine ready: Python packages, native libraries, fonts. Standard library only.

Root runs the one apt line it needs. An ordinary user gets the same Debian packages unpacked into the
data folder. Where neither can work, the apt line is printed and the start stops.
"""

import contextlib
import ctypes
import fcntl
import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent
RUNTIME_LOCK, TEST_LOCK, UV_LOCK = "requirements.txt", "requirements-test.txt", "requirements-uv.txt"
FIRST_SYNC_BYTES = 900 * 2**20
FREE_BYTES = 50 * 2**20

LIBRARIES = {
    "libpango-1.0.so.0": "libpango-1.0-0",
    "libpangoft2-1.0.so.0": "libpangoft2-1.0-0",
    "libharfbuzz-subset.so.0": "libharfbuzz-subset0",
}
TEST_PROGRAMS = {"chromium": "chromium", "pdftoppm": "poppler-utils"}
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")


class Stop(Exception):
    """The start ends here; the message is what the operator reads."""


def say(text: str) -> None:
    print(text, flush=True)


def data_folder() -> Path:
    folder = Path(os.environ.get("CMS_DATA") or ROOT / "var").absolute()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise Stop(f"The data folder {folder} cannot be made: {error.strerror}. Set CMS_DATA to another.") from None
    if not os.access(folder, os.W_OK | os.X_OK):
        raise Stop(f"The data folder {folder} cannot be written. Give this user the right, or set CMS_DATA.")
    return folder


def need_room(folder: Path, needed: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise Stop(f"The disk is full: {free // 2**20} MB free in {folder}, at least {needed // 2**20} MB needed.")


@contextlib.contextmanager
def only_one(folder: Path, name: str, refusal: str | None = None) -> Iterator[None]:
    """Hold a lock on the data folder; wait for it, or refuse at once."""
    with open(folder / f"{name}.lock", "a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | (fcntl.LOCK_NB if refusal else 0))
        except BlockingIOError:
            raise Stop(refusal or "") from None
        yield


def make_ready(folder: Path, *, tests: bool = False) -> None:
    """After this the virtual environment, the libraries and the fonts are there."""
    if sys.version_info < (3, 11):
        raise Stop(f"Python 3.11 or newer is needed; this is {sys.version.split()[0]}.")
    need_room(folder, FREE_BYTES)
    with only_one(folder, "setup"):
        _debian_packages(folder, tests)
        _python_packages(folder, TEST_LOCK if tests else RUNTIME_LOCK)
        _fonts(folder)


def child_environment(folder: Path) -> dict[str, str]:
    env = dict(os.environ)
    env.update(CMS_DATA=str(folder), FONTCONFIG_FILE=str(folder / "fonts.conf"), PYTHONUNBUFFERED="1")
    env["PATH"] = f"{folder / 'venv' / 'bin'}:{env.get('PATH', '/usr/bin:/bin')}"
    native = [str(path) for path in _native_folders(folder)]
    if native:
        env["LD_LIBRARY_PATH"] = ":".join([*native, *filter(None, [env.get("LD_LIBRARY_PATH")])])
    return env


def python(folder: Path) -> str:
    return str(folder / "venv" / "bin" / "python")


# Debian packages


def _debian_packages(folder: Path, tests: bool) -> None:
    libraries = [] if _native_folders(folder) else _missing_libraries()
    base = _missing_base(folder)
    extra = missing_for_tests() if tests else {}
    if os.geteuid() == 0:
        _apt_install([*base, *libraries, *extra.values()])
        return
    if "python3-venv" in base:
        raise Stop(f"python3-venv is missing. Ask an administrator to run:\n  {apt_line([*base, *libraries])}")
    if libraries:
        _unpack(folder, libraries)
    if extra:
        _notice(extra)


def _missing_base(folder: Path) -> list[str]:
    venv = [] if (folder / "venv").exists() or importlib.util.find_spec("ensurepip") else ["python3-venv"]
    return venv + ([] if CERTIFICATES.exists() or os.environ.get("SSL_CERT_FILE") else ["ca-certificates"])


def _missing_libraries() -> list[str]:
    return [package for name, package in LIBRARIES.items() if not _loads(name)]


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def missing_for_tests() -> dict[str, str]:
    """What the tests want and this machine lacks: program or library -> Debian package."""
    missing = {name: package for name, package in TEST_PROGRAMS.items() if not shutil.which(name)}
    if not Path("/usr/lib/postgresql/15/bin/initdb").exists():
        missing["PostgreSQL 15"] = "postgresql-15"
    if not _loads("libatomic.so.1"):
        missing["libatomic.so.1"] = "libatomic1"
    return missing


def _notice(extra: Mapping[str, str]) -> None:
    names, line = ", ".join(extra), apt_line(list(extra.values()))
    if os.environ.get("CI") == "true":
        raise Stop(f"The tests need {names}. Run:\n  {line}")
    say(f"Skipped for want of {names}: the tests that need them. To run these too:\n  {line}")


def apt_line(packages: list[str]) -> str:
    return f"apt-get install -y --no-install-recommends {' '.join(packages)}"


def _apt_install(packages: list[str]) -> None:
    if not packages:
        return
    if not shutil.which("apt-get"):
        raise Stop(f"Missing here, and there is no apt-get to install it: {', '.join(packages)} (Debian's names).")
    say(f"Installing Debian packages: {' '.join(packages)}")
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    # Lists of another day name packages that the mirror no longer has, so refresh before and not after failing.
    _quiet(["apt-get", "update", "-q"], env)
    if error := _quiet(apt_line(packages).split(), env):
        raise Stop(f"Debian packages could not be installed: {error}\nThe line was:\n  {apt_line(packages)}")


def _quiet(command: list[str], env: Mapping[str, str] | None = None, cwd: Path | None = None) -> str:
    """Run it; empty when it went well, else the last line it said."""
    done = subprocess.run(command, env=env, cwd=cwd, capture_output=True, text=True)
    if done.returncode == 0:
        return ""
    said = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
    return said[-1].strip() if said else f"{command[0]} ended with {done.returncode}"


def _native_folders(folder: Path) -> list[Path]:
    native = folder / "native"
    return sorted({path.parent for path in native.glob("**/*.so.*")}) if (native / "complete").exists() else []


def _unpack(folder: Path, packages: list[str]) -> None:
    """The same Debian packages without root, unpacked into the data folder."""
    line = f"The libraries for PDFs are missing. Ask an administrator to run:\n  {apt_line(packages)}"
    if not (shutil.which("apt-get") and shutil.which("dpkg-deb")):
        raise Stop(line)
    say(f"Unpacking native libraries into {folder / 'native'}: {' '.join(packages)}")
    apt = _private_apt(folder)
    _quiet([*apt, "update", "-q"])
    if error := _quiet([*apt, "install", "-q", "-y", "--no-install-recommends", "--download-only", *packages]):
        raise Stop(f"{error}\n{line}")
    shutil.rmtree(folder / "native", ignore_errors=True)
    for package in sorted((folder / "apt" / "cache" / "archives").glob("*.deb")):
        if error := _quiet(["dpkg-deb", "-x", str(package), str(folder / "native")]):
            raise Stop(f"{package.name} could not be unpacked: {error}")
    if not list((folder / "native").glob("**/libpango-1.0.so.0")):
        raise Stop(line)
    (folder / "native" / "complete").touch()
    shutil.rmtree(folder / "apt", ignore_errors=True)


def _private_apt(folder: Path) -> list[str]:
    """apt-get with lists and cache of its own, so that it needs no root and no earlier update."""
    state, cache = folder / "apt" / "state", folder / "apt" / "cache"
    (state / "lists" / "partial").mkdir(parents=True, exist_ok=True)
    (cache / "archives" / "partial").mkdir(parents=True, exist_ok=True)
    options = {
        "Dir::State": state,
        "Dir::State::status": "/var/lib/dpkg/status",
        "Dir::Cache": cache,
        "Debug::NoLocking": "1",
        "APT::Sandbox::User": "",
    }
    return ["apt-get", *(part for name, value in options.items() for part in ("-o", f"{name}={value}"))]


# Python packages


def _python_packages(folder: Path, lock: str) -> None:
    """Bring the environment to the lock, unless it is there; a test environment stays one."""
    stamp = _read_stamp(folder)
    if stamp.get(lock) == _stamp(lock) and Path(python(folder)).exists():
        return
    if TEST_LOCK in stamp:
        lock = TEST_LOCK
    need_room(folder, FIRST_SYNC_BYTES if not stamp else FREE_BYTES)
    started = time.monotonic()
    say(f"Installing Python packages from {lock} ...")
    _fresh_venv(folder, stamp)
    _sync(folder, lock)
    locks = [RUNTIME_LOCK, TEST_LOCK] if lock == TEST_LOCK else [RUNTIME_LOCK]
    _stamp_file(folder).write_text(json.dumps({name: _stamp(name) for name in locks}))
    say(f"Python packages are ready ({time.monotonic() - started:.0f} s).")


def _fresh_venv(folder: Path, stamp: Mapping[str, str]) -> None:
    same_python = any(text.startswith(sys.version.split()[0]) for text in stamp.values())
    if same_python and Path(python(folder)).exists():
        return
    _stamp_file(folder).unlink(missing_ok=True)
    if error := _quiet([sys.executable, "-m", "venv", "--clear", str(folder / "venv")]):
        raise Stop(f"The virtual environment could not be made: {error}")
    install = [python(folder), "-m", "pip", "install", "-q", "--disable-pip-version-check", "--require-hashes"]
    _quiet([*install, "-r", str(ROOT / UV_LOCK)])


def _sync(folder: Path, lock: str) -> None:
    env = dict(os.environ)
    if not os.access(Path.home(), os.W_OK):
        env["UV_CACHE_DIR"] = str(folder / "uv-cache")
    uv = str(folder / "venv" / "bin" / "uv")
    sync = [uv, "pip", "sync", "-q", "--python", python(folder), "--require-hashes", "--compile-bytecode", lock]
    error = _quiet(sync, env, ROOT) if Path(uv).exists() else "no uv"
    if not error:
        return
    # uv does not read pip's settings, such as a mirror inside the office; pip does.
    say(f"uv could not install ({error}); trying pip ...")
    pip = [python(folder), "-m", "pip", "install", "-q", "--disable-pip-version-check", "--require-hashes", "-r", lock]
    if error := _quiet(pip, env, ROOT):
        raise Stop(f"The Python packages could not be installed: {error}")


def _stamp(lock: str) -> str:
    return f"{sys.version.split()[0]} {hashlib.sha256((ROOT / lock).read_bytes()).hexdigest()}"


def _stamp_file(folder: Path) -> Path:
    return folder / "venv" / "cms-stamp.json"


def _read_stamp(folder: Path) -> dict[str, str]:
    try:
        stamp: dict[str, str] = json.loads(_stamp_file(folder).read_text())
    except (OSError, ValueError):
        return {}
    return stamp


# Fonts


def _fonts(folder: Path) -> None:
    """Our fonts and no others, so that a PDF looks the same on every machine (and Pango dies without any)."""
    cache = folder / "font-cache"
    cache.mkdir(exist_ok=True)
    text = (
        '<?xml version="1.0"?>\n<!DOCTYPE fontconfig SYSTEM "fonts.dtd">\n'
        f"<fontconfig>\n  <dir>{ROOT / 'static' / 'fonts'}</dir>\n  <cachedir>{cache}</cachedir>\n</fontconfig>\n"
    )
    (folder / "fonts.conf").write_text(text)
