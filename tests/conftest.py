"""One migrated database per kind and run, copied for each test under an application that stays; real
servers where they matter."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient
from itsdangerous import URLSafeTimedSerializer
from sqlalchemy import select
from werkzeug.routing import Rule

sys.path.insert(0, str(Path(__file__).parent))

import world
from standing import FILLED, LAID, Ground, Standing, close

from cms import create_app
from cms.i18n import ist_day
from cms.models import User, WebSession, db
from cms.rules import SYSTEM
from cms.services import upkeep
from cms.settings import Settings
from cms.unit_of_work import unit_of_work, utcnow
from cms.vault import fingerprint, new_token


def in_memory(room: int = 2 * 2**30) -> str:
    """A folder in memory if the machine has one with room: each test copies a database there, and on a
    disk waits for it twice as long as it works."""
    shared = "/dev/shm"
    fits = os.access(shared, os.W_OK) and shutil.disk_usage(shared).free > room
    return shared if fits else tempfile.gettempdir()


# What a test writes goes where its databases are, and is not kept once it has passed.
os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", in_memory())

SECRET = "test-" + "k" * 40
CI = os.environ.get("CI") == "true"
PG_BIN = Path("/usr/lib/postgresql/15/bin")


LONGEST = ("renderer", "browser", "faults", "matrix", "import", "attack", "setup", "pdf", "demo_shapes", "malformed", "pdf_text",
           "concurrency", "cli", "profiles", "conflict", "demo_replay", "queue", "life_machine", "demo")  # fmt: skip


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
        """By one connection that stays: every test asks for a database."""
        self.connection.execute(statement)

    def wait_until_left(self, name: str) -> None:
        """Connections end a moment after they are closed; whoever drops or copies a database meanwhile
        sleeps a tenth of a second."""
        for _ in range(50):
            if not self.connection.execute("SELECT 1 FROM pg_stat_activity WHERE datname = %s", (name,)).fetchone():
                return
            time.sleep(0.002)

    @cached_property
    def connection(self) -> psycopg.Connection[Any]:
        return psycopg.connect(f"dbname=postgres user=postgres host={self.folder}", autocommit=True)

    def stop(self) -> None:
        self.connection.close()
        self.run("pg_ctl", "-D", str(self.folder / "data"), "-m", "immediate", "stop")


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
def shared_folder() -> Iterator[Path]:
    """Where the databases of the tests lie; not pytest's folder, which is on the disk."""
    folder = Path(tempfile.mkdtemp(prefix="cms-tests-", dir=in_memory()))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def ground_sqlite(shared_folder: Path) -> Ground:
    for name in (FILLED, LAID):
        (shared_folder / name).mkdir()
    fill(settings_for(shared_folder / FILLED))

    def copy(here: str, there: str) -> None:
        (shared_folder / there).mkdir(exist_ok=True)
        for part in (shared_folder / here).glob("cms.sqlite3*"):
            shutil.copy(part, shared_folder / there / part.name)

    return Ground(settings_for(shared_folder / LAID), copy)


@pytest.fixture(scope="session")
def ground_postgresql(cluster: Cluster, shared_folder: Path) -> Ground:
    cluster.sql(f"CREATE DATABASE {FILLED}")
    fill(settings_for(Path("/nonexistent"), cluster.url(FILLED)))

    def copy(here: str, there: str) -> None:
        cluster.wait_until_left(there)
        cluster.sql(f"DROP DATABASE IF EXISTS {there} WITH (FORCE)")
        cluster.wait_until_left(here)
        cluster.sql(f"CREATE DATABASE {there} TEMPLATE {here} STRATEGY FILE_COPY")

    return Ground(settings_for(shared_folder / "postgresql", cluster.url(LAID)), copy)


@pytest.fixture(scope="session")
def migrated_postgresql(cluster: Cluster) -> str:
    """The name of a migrated database without a single row."""
    cluster.sql("CREATE DATABASE migrated")
    fill(settings_for(Path("/nonexistent"), cluster.url("migrated")), with_world=False)
    return "migrated"


@pytest.fixture(params=["sqlite", "postgresql"])
def backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def ground(backend: str, request: pytest.FixtureRequest) -> Ground:
    """Where the database of the test lies."""
    found: Ground = request.getfixturevalue(f"ground_{backend}")
    return found


@pytest.fixture
def settings(ground: Ground) -> Settings:
    """Settings with a database that holds the small range."""
    return ground.lay()


def build_addresses_later() -> None:
    """An application compiles what makes its addresses when one is asked for: at once it is nine tenths
    of the time that an application for one test takes to be there."""
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


@pytest.fixture(scope="session")
def applications() -> dict[Settings, Standing]:
    """The applications of this run that stay."""
    return {}


@pytest.fixture
def app(settings: Settings, applications: dict[Settings, Standing]) -> Iterator[Flask]:
    """The application, as new, on a fresh copy of the small range, inside an application context."""
    if settings not in applications:
        applications[settings] = Standing(settings)
    yield from inside(applications[settings].as_new())


@pytest.fixture
def own_app(settings: Settings) -> Iterator[Flask]:
    """An application for one test, which may build onto it."""
    yield from inside(Standing(settings).app)


def inside(app: Flask) -> Iterator[Flask]:
    with app.app_context():
        yield app
        close(app)


@pytest.fixture
def prepared(app: Flask, ground: Ground) -> Callable[[Callable[[], object]], None]:
    """``prepared(build)`` brings the database to where ``build()`` leads; built once a day and run, laid
    out from then on. Files are not kept, and a moment of today is that of the first time."""

    def prepare(build: Callable[[], object]) -> None:
        state = f"{build.__module__}_{build.__name__}_{ist_day(utcnow()):%Y%m%d}"
        if state not in ground.kept:
            build()
            close(app)
            ground.keep(state)
        close(app)
        ground.lay(state)

    return prepare


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
