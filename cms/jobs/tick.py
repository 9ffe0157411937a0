"""The clock: each slot of each sweep is enqueued once, however many ticks run on however many hosts.

A missed slot heals in the next one, since sweeps read from the database what is due.
Start: python -m cms.jobs.tick
"""

import logging
import signal
import threading
import time

import redis
from redis import Redis

from cms.jobs.worker import log_to_stderr
from cms.queue import TICK, connect, sweep
from cms.settings import Settings

log = logging.getLogger(__name__)

SECONDS = {
    "sweep_reminders": 60, "sweep_outbox": 30, "sweep_documents": 30, "sweep_life": 300,
    "seal_history": 300,
}  # fmt: skip
BEAT_SECONDS = 30
ALIVE_SECONDS = 90


def beat(conn: Redis, now: float) -> int:
    """Enqueue what nobody has enqueued in this slot; how many were ours."""
    conn.set(TICK, str(int(now)), ex=ALIVE_SECONDS)
    return sum(sweep(conn, name, int(now // seconds), seconds) for name, seconds in SECONDS.items())


def run(conn: Redis, stop: threading.Event, seconds: float = BEAT_SECONDS) -> None:
    away = False
    while not stop.is_set():
        try:
            beat(conn, time.time())
            if away:
                log.info("queue is back")
            away = False
        except redis.RedisError as error:
            if not away:
                log.warning("queue away: %s", error)
            away = True
        stop.wait(2 if away else seconds)


def main() -> None:
    log_to_stderr("tick")
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    run(connect(Settings.from_env().redis_url, timeout=2), stop)


if __name__ == "__main__":
    main()
