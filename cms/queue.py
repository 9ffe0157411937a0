"""The queue carries hints that a row waits. The row is the truth, so a hint may be lost.

Jobs are named from JOBS and nothing else is ever run; arguments travel as JSON.
"""

import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, cast

import redis
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from rq import Queue as RqQueue
from rq.exceptions import DeserializationError, DuplicateJobError
from rq.job import Job, JobStatus
from rq.serializers import JSONSerializer

from cms.settings import Settings

log = logging.getLogger(__name__)

DEFAULT, RENDER = "default", "render"
JOBS = {
    "sweep_reminders": "cms.jobs.sweeps.reminders",
    "sweep_outbox": "cms.jobs.sweeps.outbox",
    "sweep_documents": "cms.jobs.sweeps.pending_documents",
    "sweep_life": "cms.jobs.sweeps.life",
    "seal_history": "cms.jobs.sweeps.seal",
    "deliver": "cms.jobs.sweeps.deliver",
    "render": "cms.jobs.sweeps.render",
    "render_note": "cms.jobs.sweeps.render_note",
    "render_batch": "cms.jobs.sweeps.render_batch",
}
QUEUE_OF = {"render": RENDER, "render_note": RENDER, "render_batch": RENDER}
TIMEOUT = {DEFAULT: 300, RENDER: 30}

LAST_SWEEP, TICK, ALIVE = "cms:last_sweep", "cms:tick", "cms:alive:"
OVER = {JobStatus.FINISHED, JobStatus.FAILED, JobStatus.STOPPED, JobStatus.CANCELED}


def connect(redis_url: str, *, timeout: float = 0.5) -> Redis:
    """A connection that gives up at once: nobody at a counter waits for the queue."""
    return Redis.from_url(
        redis_url, socket_timeout=timeout, socket_connect_timeout=timeout, retry=Retry(NoBackoff(), 0)
    )


_shared = lru_cache(maxsize=8)(connect)


def hint(where: Settings | Redis, job_name: str, *args: Any, job_id: str | None = None) -> bool:
    """Say that work waits. False when the queue is away; the sweeper finds the row later."""
    path = JOBS[job_name]
    conn = _shared(where.redis_url) if isinstance(where, Settings) else where
    try:
        _put(conn, job_name, path, args, job_id)
    except redis.RedisError as error:
        log.warning("Queue away, %s waits for the sweeper: %s", job_name, error)
        return False
    return True


@dataclass(frozen=True)
class Queue:
    """`hint` bound to one server, to be handed to services."""

    conn: Redis

    def hint(self, job_name: str, *args: Any, job_id: str | None = None) -> bool:
        return hint(self.conn, job_name, *args, job_id=job_id)


def more(where: Settings, job_name: str) -> Iterator[list[Any]]:
    """Take further hints of the same kind off the queue, the arguments of each.

    For a process that is warm: the next fork costs more than some of the work. A hint that is taken
    and not followed is made good by the sweep, like any lost one.
    """
    conn = _shared(where.redis_url)
    waiting = rq_queue(conn, job_name)
    while (first := conn.lpop(waiting.key)) is not None:  # rq's own pop_job_id fails on an empty queue
        job_id = cast("bytes", first).decode()
        job = _fetch(conn, job_id)
        if job is None:
            continue
        if not _is_ours(job, JOBS[job_name]):
            waiting.push_job_id(job_id, at_front=True)  # a stranger's: the worker refuses it
            return
        args = list(job.args)
        job.delete()
        yield args


def sweep(conn: Redis, job_name: str, slot: int, seconds: int) -> bool:
    """Enqueue one sweep for one slot; False when another tick was first."""
    keep = seconds * 3
    try:
        rq_queue(conn, job_name).enqueue_call(
            JOBS[job_name],
            args=(slot,),
            job_id=f"sweep-{job_name}-{slot}",
            unique=True,
            timeout=TIMEOUT[DEFAULT],
            ttl=keep,
            result_ttl=keep,
            failure_ttl=keep,
        )
    except DuplicateJobError:
        return False
    return True


def mark_sweep(conn: Redis) -> None:
    conn.set(LAST_SWEEP, datetime.now(UTC).isoformat(timespec="seconds"))


def rq_queue(conn: Redis, job_name: str) -> RqQueue:
    return RqQueue(QUEUE_OF.get(job_name, DEFAULT), connection=conn, serializer=JSONSerializer)


def _put(conn: Redis, job_name: str, path: str, args: tuple[Any, ...], job_id: str | None) -> None:
    queue = rq_queue(conn, job_name)
    call: dict[str, Any] = {"args": args, "timeout": TIMEOUT[queue.name], "result_ttl": 0, "failure_ttl": 86_400}
    if job_id is None:
        queue.enqueue_call(path, **call)
        return
    job_id = re.sub(r"[^A-Za-z0-9_-]", "-", job_id)
    try:
        queue.enqueue_call(path, job_id=job_id, unique=True, **call)
    except DuplicateJobError:
        # rq keeps a failed job under its id for failure_ttl; it must not shut out the next try.
        old = _fetch(conn, job_id)
        if old is None or old.get_status() in OVER:
            if old is not None:
                old.delete()
            queue.enqueue_call(path, job_id=job_id, **call)


def _is_ours(job: Job, path: str) -> bool:
    try:
        return bool(job.func_name == path)
    except DeserializationError:
        return False


def _fetch(conn: Redis, job_id: str) -> Job | None:
    found: Job | None = next(iter(Job.fetch_many([job_id], connection=conn, serializer=JSONSerializer)), None)
    return found
