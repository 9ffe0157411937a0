"""Our worker: the app is loaded once, each job runs in a fork, nothing off the allow-list runs.

Start: python -m cms.jobs.worker
"""

import contextlib
import logging
import os
import resource
import socket
import sys
import threading
import time
import uuid
from collections.abc import Callable
from types import FrameType
from typing import TYPE_CHECKING, Any, cast

import redis
from flask import Flask
from redis import Redis
from rq import Worker
from rq.exceptions import StopRequested
from rq.job import Job
from rq.queue import Queue
from rq.serializers import JSONSerializer

from cms.queue import ALIVE, DEFAULT, JOBS, connect
from cms.settings import Settings

if TYPE_CHECKING:
    from redis.client import Pipeline

log = logging.getLogger(__name__)

BEAT_SECONDS = 15
ALIVE_SECONDS = 45
MEMORY_BYTES = 2**30
SPARE_SECONDS = 5
QUIET = {"rq": logging.WARNING, "alembic": logging.WARNING, "weasyprint": logging.ERROR, "fontTools": logging.WARNING}


class Refused(Exception):
    """Somebody put a job into the queue that is not ours."""


class ListedJob(Job):
    """A job from Redis is a stranger's note: only names on the list are followed."""

    def restore(self, raw_data: Any) -> None:
        super().restore(raw_data)
        # rq would import and call these names, and post to these addresses, beside the job itself.
        self._success_callback_name = self._failure_callback_name = self._stopped_callback_name = None
        self.webhooks = []

    @property
    def func(self) -> Callable[..., Any]:
        if self.instance is not None or self.func_name not in JOBS.values():
            raise Refused(f"job {self.id} names {self.func_name!r}, which is not on the list")
        return cast("Callable[..., Any]", super().func)


class ListedWorker(Worker):
    job_class = ListedJob
    max_connection_wait_time = 5.0

    def __init__(self, kind: str, queue: str, app: Flask, connection: Redis, stop: threading.Event) -> None:
        self.kind, self.app, self.stop = kind, app, stop
        super().__init__(
            [queue],
            name=f"{kind}-{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:8]}",
            connection=connection,
            serializer=JSONSerializer,
            worker_ttl=BEAT_SECONDS * 2,
            job_monitoring_interval=BEAT_SECONDS,
            log_job_description=False,
        )

    @property
    def dequeue_timeout(self) -> int:
        return BEAT_SECONDS

    def heartbeat(self, timeout: int | None = None, pipeline: "Pipeline | None" = None) -> None:
        super().heartbeat(timeout, pipeline)
        # rq registers a worker once; a key of our own is there again after a flush of Redis.
        self.connection.set(ALIVE + self.kind, self.name, ex=ALIVE_SECONDS)

    def main_work_horse(self, job: Job, queue: Queue) -> None:
        limit(MEMORY_BYTES, int(job.timeout or 0))
        with self.app.app_context():
            forget_parents_connections(self.app)
            super().main_work_horse(job, queue)

    def request_stop(self, signum: int, frame: FrameType | None) -> None:
        # rq notes it only while a job runs; idle, it merely leaves work(), as it does when Redis goes away.
        self.stop.set()
        super().request_stop(signum, frame)  # type: ignore[no-untyped-call]


def limit(memory: int, seconds: int) -> None:
    """Let this process grow by so much and compute so long; then the kernel ends it, whatever it is stuck in."""
    with open("/proc/self/statm") as file:
        size = int(file.read().split()[0]) * resource.getpagesize()
    _lower(resource.RLIMIT_AS, size + memory)
    if seconds > 0:
        _lower(resource.RLIMIT_CPU, seconds + SPARE_SECONDS)


def _lower(kind: int, ceiling: int) -> None:
    hard = resource.getrlimit(kind)[1]
    resource.setrlimit(kind, (ceiling if hard == resource.RLIM_INFINITY else min(ceiling, hard), hard))


def forget_parents_connections(app: Flask) -> None:
    """A database connection must not be used on both sides of a fork."""
    database, reads = app.extensions.get("sqlalchemy"), app.extensions.get("cms_reads")
    with app.app_context():
        for engine in [*(database.engines.values() if database else ()), *([reads] if reads else ())]:
            engine.dispose(close=False)


def run(kind: str, queue: str, app: Flask, redis_url: str) -> None:
    """Work until told to stop; when Redis goes away, say so in one line and wait for it."""
    stop = threading.Event()
    with contextlib.suppress(StopRequested):
        while not stop.is_set():
            try:
                connection = connect(redis_url, timeout=BEAT_SECONDS + 10)
                ListedWorker(kind, queue, app, connection, stop).work(logging_level="WARNING")
            except redis.RedisError as error:
                log.warning("queue away: %s", error)
            stop.wait(1)


class OneLine(logging.Filter):
    """An outage of Redis is one line a minute in the log, not a page every few seconds."""

    quiet_until = 0.0

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if isinstance(record.exc_info, tuple) else None
        if isinstance(error, redis.RedisError):
            record.msg, record.args, record.exc_info = f"queue away: {error}", (), None
        elif not record.getMessage().startswith("queue away") and "connect to Redis" not in record.getMessage():
            return True
        now = time.monotonic()
        due = now >= self.quiet_until
        self.quiet_until = now + 60 if due else self.quiet_until
        return due


def log_to_stderr(kind: str) -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter(f"%(asctime)s {kind} %(levelname)s %(message)s", "%H:%M:%S"))
    handler.addFilter(OneLine())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    for name, level in QUIET.items():
        logging.getLogger(name).setLevel(level)


def main() -> None:
    from cms import create_app

    log_to_stderr("worker")
    settings = Settings.from_env()
    app = create_app(settings)
    import cms.jobs.sweeps  # noqa: F401  the forks inherit what is loaded here

    run("worker", DEFAULT, app, settings.redis_url)


if __name__ == "__main__":
    main()
