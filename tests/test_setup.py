"""The two commands: what they need, what they refuse in one sentence, and that they keep everything running."""

import ast
import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections import namedtuple
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import bootstrap
import setup_steps
from cms.settings import Settings, SettingsError, demo_key

ROOT = Path(__file__).parents[1]
REAL = {"CMS_SECRET_KEY": "s" * 40, "CMS_PUBLIC_URL": "https://cms.police.example/"}

# Settings


def test_missing_settings_are_named_together() -> None:
    with pytest.raises(SettingsError, match="CMS_SECRET_KEY and CMS_PUBLIC_URL"):
        Settings.from_env({})


def test_settings_of_a_real_start(tmp_path: Path) -> None:
    found = Settings.from_env({**REAL, "CMS_DATA": str(tmp_path), "DATABASE_URL": "postgres://u:p@db/cms"})
    assert not found.demo
    assert found.database_url == "postgresql+psycopg://u:p@db/cms"
    assert found.redis_url == f"unix://{tmp_path}/redis.sock"
    assert found.limiter_url == f"redis+unix://{tmp_path}/redis.sock"
    assert found.public_url == "https://cms.police.example"
    assert found.trusted_hosts == ("cms.police.example", "127.0.0.1", "localhost", "[::1]")


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"CMS_PORT": "web"}, "CMS_PORT"),
        ({"CMS_PORT": "70000"}, "CMS_PORT"),
        ({"DATABASE_URL": "mysql://x"}, "DATABASE_URL"),
        ({"CMS_SECRET_KEY": "short"}, "at least 32"),
        ({"CMS_DEMO": "1", "CMS_HOST": "0.0.0.0"}, "this computer only"),
    ],
)
def test_a_wrong_setting_is_refused_in_a_sentence(tmp_path: Path, wrong: dict[str, str], sentence: str) -> None:
    with pytest.raises(SettingsError, match=sentence):
        Settings.from_env({**REAL, "CMS_DATA": str(tmp_path), **wrong})


def test_the_demo_key_is_random_private_and_stays(tmp_path: Path) -> None:
    key = demo_key(tmp_path)
    assert len(key) == 64
    assert demo_key(tmp_path) == key
    assert demo_key(tmp_path / "other") != key
    assert (tmp_path / "demo.key").stat().st_mode & 0o777 == 0o600


# Locks and the promise to need nothing but Python


def pins(name: str) -> dict[str, str]:
    return dict(re.findall(r"^([\w.-]+)(?:\[\w+\])?==([\w.]+)", (ROOT / name).read_text(), re.M))


def test_every_pin_has_hashes() -> None:
    for name in ("requirements.txt", "requirements-test.txt", "requirements-uv.txt"):
        entries = re.split(r"^(?=[\w-])", (ROOT / name).read_text(), flags=re.M)[1:]
        assert entries
        assert [entry.split()[0] for entry in entries if "--hash=sha256:" not in entry] == []


def test_the_test_lock_contains_the_runtime_lock() -> None:
    tests = pins("requirements-test.txt")
    assert {name: tests.get(name) for name in pins("requirements.txt")} == pins("requirements.txt")


def test_every_dependency_says_why() -> None:
    for name in ("requirements.in", "requirements-test.in"):
        lines = [line for line in (ROOT / name).read_text().splitlines() if line and not line.startswith(("#", "-r"))]
        assert [line for line in lines if "#" not in line] == []


@pytest.mark.parametrize("name", ["bootstrap.py", "setup_steps.py", "cms/settings.py"])
def test_what_runs_before_the_installation_needs_only_python(name: str) -> None:
    allowed = {*sys.stdlib_module_names, "setup_steps"}
    for node in ast.walk(ast.parse((ROOT / name).read_text())):
        if isinstance(node, ast.Import):
            assert {alias.name.split(".")[0] for alias in node.names} <= allowed
        elif isinstance(node, ast.ImportFrom):
            assert (node.module or "").split(".")[0] in allowed


# What a machine lacks


@pytest.fixture
def ordinary_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.delenv("CI", raising=False)


@pytest.fixture
def nothing_runs(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    commands: list[list[str]] = []
    monkeypatch.setattr(setup_steps, "_quiet", lambda command, *_: commands.append(list(command)) or "")
    return commands


def test_root_runs_one_apt_line_for_all_that_is_missing(
    monkeypatch: pytest.MonkeyPatch, nothing_runs: list[list[str]], tmp_path: Path
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(setup_steps, "_loads", lambda library: False)
    monkeypatch.setattr(shutil, "which", lambda name: "/usr/bin/apt-get" if name == "apt-get" else None)
    setup_steps._debian_packages(tmp_path, tests=True)
    update, install = nothing_runs
    assert update[:2] == ["apt-get", "update"]
    assert {"libpango-1.0-0", "libharfbuzz-subset0", "chromium", "poppler-utils", "libatomic1"} <= set(install)


def test_root_with_everything_there_runs_nothing(
    monkeypatch: pytest.MonkeyPatch, nothing_runs: list[list[str]], tmp_path: Path
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(setup_steps, "_loads", lambda library: True)
    monkeypatch.setattr(setup_steps, "_missing_base", lambda folder: [])
    setup_steps._debian_packages(tmp_path, tests=False)
    assert nothing_runs == []


@pytest.mark.usefixtures("ordinary_user")
def test_without_root_and_venv_the_apt_line_is_printed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(setup_steps, "_missing_base", lambda folder: ["python3-venv"])
    monkeypatch.setattr(setup_steps, "_loads", lambda library: False)
    line = "apt-get install -y --no-install-recommends python3-venv libpango-1.0-0 libpangoft2-1.0-0"
    with pytest.raises(setup_steps.Stop, match=line):
        setup_steps._debian_packages(tmp_path, tests=False)


@pytest.mark.usefixtures("ordinary_user")
def test_without_root_what_tests_lack_is_a_notice_and_in_ci_a_failure(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(setup_steps, "_missing_base", lambda folder: [])
    monkeypatch.setattr(setup_steps, "_missing_libraries", list)
    monkeypatch.setattr(setup_steps, "missing_for_tests", lambda: {"chromium": "chromium"})
    setup_steps._debian_packages(tmp_path, tests=True)
    assert "Skipped for want of chromium" in capsys.readouterr().out
    monkeypatch.setenv("CI", "true")
    with pytest.raises(setup_steps.Stop, match="The tests need chromium"):
        setup_steps._debian_packages(tmp_path, tests=True)


def test_a_full_disk_is_one_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(2**30, 2**30, 2**20))
    with pytest.raises(setup_steps.Stop, match="The disk is full: 1 MB free"):
        setup_steps.make_ready(tmp_path)


def test_a_changed_lock_is_synced_and_a_test_environment_stays_one(
    monkeypatch: pytest.MonkeyPatch, nothing_runs: list[list[str]], tmp_path: Path
) -> None:
    (tmp_path / "venv" / "bin").mkdir(parents=True)
    for name in ("python", "uv"):
        (tmp_path / "venv" / "bin" / name).touch()
    stamp = {name: f"{sys.version.split()[0]} old" for name in ("requirements.txt", "requirements-test.txt")}
    (tmp_path / "venv" / "cms-stamp.json").write_text(json.dumps(stamp))
    setup_steps._python_packages(tmp_path, "requirements.txt")
    assert [command[-1] for command in nothing_runs] == ["requirements-test.txt"]
    assert {"sync", "--require-hashes"} <= set(nothing_runs[0])
    setup_steps._python_packages(tmp_path, "requirements.txt")
    assert len(nothing_runs) == 1


# The socket


def test_a_long_data_folder_gets_a_short_private_socket(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(bootstrap.tempfile, "gettempdir", lambda: str(tmp_path))
    assert bootstrap.socket_path(Path("/srv/cms")) == Path("/srv/cms/redis.sock")
    long = Path("/srv") / ("x" * 120)
    sock = bootstrap.socket_path(long)
    assert sock.parent.stat().st_mode & 0o777 == 0o700
    assert bootstrap.socket_path(long) == sock
    sock.parent.chmod(0o777)
    with pytest.raises(setup_steps.Stop, match="not ours alone"):
        bootstrap.socket_path(long)


# The whole command


class Running:
    """python3 app.py in a data folder of its own, over the packages that are installed already."""

    def __init__(self, folder: Path, **changes: str) -> None:
        self.folder, self.port = folder, free_port()
        link_environment(folder)
        self.log = folder / "said.txt"
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, str(ROOT / "app.py")],
                env=environment(folder, CMS_PORT=str(self.port), **changes),
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def health(self) -> dict[str, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", "/healthz")
            return dict(json.loads(connection.getresponse().read()))
        except (OSError, http.client.HTTPException):
            return {"status": "no answer"}
        finally:
            connection.close()

    def until(self, what: Callable[[dict[str, Any]], bool], seconds: float = 30) -> None:
        end = time.monotonic() + seconds
        while not what(self.health()):
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < end, f"{self.health()}\n{self.log.read_text()}"
            time.sleep(0.1)

    def children(self) -> dict[str, int]:
        """Name of the part -> process id, read from the process table."""
        marks = {
            "gunicorn": "web",
            "cms.jobs.worker": "worker",
            "cms.jobs.renderer": "renderer",
            "cms.jobs.tick": "tick",
        }
        found: dict[str, int] = {}
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                parent = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
                line = (entry / "cmdline").read_text()
            except (OSError, IndexError):
                continue
            if parent == self.process.pid:
                found[next((name for mark, name in marks.items() if mark in line), "queue")] = int(entry.name)
        return found


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment(folder: Path, **changes: str) -> dict[str, str]:
    env = {name: value for name, value in os.environ.items() if not name.startswith(bootstrap.OURS)}
    return {**env, "CMS_DATA": str(folder), **changes}


def link_environment(folder: Path) -> None:
    venv = Path(sys.prefix)
    if not (venv / "cms-stamp.json").exists():
        pytest.skip("the tests do not run in the environment of python3 app.py test")
    folder.mkdir(exist_ok=True)
    if not (folder / "venv").exists():
        (folder / "venv").symlink_to(venv)


def refused(folder: Path, **changes: str) -> str:
    link_environment(folder)
    done = subprocess.run(
        [sys.executable, str(ROOT / "app.py")],
        env=environment(folder, **changes),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    return done.stderr.strip()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    started = Running(tmp_path_factory.mktemp("serve"))
    try:
        started.until(lambda health: health["status"] == "ok", 60)
        yield started
    finally:
        started.process.terminate()
        started.process.wait(40)


@pytest.mark.slow
class TestServe:
    def test_it_prints_the_address_and_the_demo_accounts(self, running: Running) -> None:
        running.until(lambda _: "password demo" in running.log.read_text(), 5)
        said = running.log.read_text()
        assert f"http://127.0.0.1:{running.port}" in said
        assert all(name in said for name in bootstrap.ACCOUNTS.split())

    def test_the_queue_listens_on_a_private_socket_only(self, running: Running) -> None:
        assert (running.folder / "redis.sock").stat().st_mode & 0o777 == 0o700
        assert (running.folder / "cms.sqlite3").stat().st_mode & 0o077 == 0

    @pytest.mark.parametrize("name", ["web", "worker", "renderer", "tick", "queue"])
    def test_a_killed_part_comes_back(self, running: Running, name: str) -> None:
        before = running.children()[name]
        os.kill(before, signal.SIGKILL)
        running.until(lambda _: running.children().get(name, before) != before, 20)
        running.until(lambda health: health["status"] == "ok", 40)

    def test_a_second_start_on_the_same_data_is_refused(self, running: Running) -> None:
        assert "already runs with the data folder" in refused(running.folder, CMS_PORT=str(free_port()))

    def test_a_busy_port_is_one_sentence(self, running: Running, tmp_path: Path) -> None:
        said = refused(tmp_path / "other", CMS_PORT=str(running.port))
        assert said.startswith(f"Port {running.port} on 127.0.0.1 cannot be used")
        assert len(said.splitlines()) == 1


@dataclass
class Stopped:
    """A first start that was healthy, and then asked to stop."""

    folder: Path
    children: dict[str, int]
    code: int
    left: list[str]
    said: str


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> Stopped:
    folder = tmp_path_factory.mktemp("stopped") / "data"
    started = Running(folder)
    started.until(lambda health: health["status"] == "ok", 60)
    children = started.children()
    started.process.terminate()
    code = started.process.wait(30)
    left = [name for name, number in children.items() if Path(f"/proc/{number}").exists()]
    return Stopped(folder, children, code, left, started.log.read_text())


@pytest.mark.slow
def test_it_stops_in_order_and_leaves_nothing(stopped: Stopped) -> None:
    assert set(stopped.children) == {"web", "worker", "renderer", "tick", "queue"}
    assert stopped.code == 0
    assert stopped.left == []
    assert "Traceback" not in stopped.said


@pytest.mark.slow
def test_a_later_start_is_healthy_within_ten_seconds(stopped: Stopped) -> None:
    began = time.monotonic()
    second = Running(stopped.folder)
    try:
        second.until(lambda health: health["status"] in ("ok", "degraded"), 10)
        assert time.monotonic() - began < 10
    finally:
        second.process.terminate()
        second.process.wait(30)


def test_missing_secrets_stop_the_start(tmp_path: Path) -> None:
    assert "CMS_SECRET_KEY and CMS_PUBLIC_URL" in refused(tmp_path / "d", CMS_DEMO="0", CMS_PORT=str(free_port()))


def test_the_demo_does_not_listen_to_the_network(tmp_path: Path) -> None:
    assert "this computer only" in refused(tmp_path / "d", CMS_HOST="0.0.0.0")


@pytest.mark.parametrize(
    ("name", "url"), [("REDIS_URL", "redis://127.0.0.1:1/0"), ("DATABASE_URL", "postgresql+psycopg://x@127.0.0.1:1/x")]
)
def test_an_unreachable_server_is_one_sentence(tmp_path: Path, name: str, url: str) -> None:
    said = refused(tmp_path / "d", CMS_PORT=str(free_port()), **{name: url})
    assert "cannot be reached" in said
    assert len(said.splitlines()) == 1


def test_an_unknown_command_shows_the_three_that_exist() -> None:
    done = subprocess.run([sys.executable, str(ROOT / "app.py"), "serv"], capture_output=True, text=True)
    assert done.returncode == 2
    assert "python3 app.py cms" in done.stdout
