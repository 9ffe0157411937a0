"""The queue on a real Valkey: only listed jobs run, an outage loses nothing but time, a slot runs once."""

import os
import pickle
import signal
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from rq import Queue as RqQueue
from rq.job import Job
from rq.serializers import JSONSerializer
from rq.utils import import_attribute

from cms import queue
from cms.health import health
from cms.jobs import tick
from cms.settings import Settings
from tests.queue_server import QueueServer

ROOT = Path(__file__).parents[1]


@pytest.fixture
def server() -> Iterator[QueueServer]:
    with QueueServer() as running:
        yield running


@pytest.fixture
def settings(server: QueueServer, tmp_path: Path) -> Settings:
    (tmp_path / "cms.sqlite3").touch()
    return Settings(data_dir=tmp_path, secret_key="k" * 32, redis_url=server.url)


class RunningWorker:
    def __init__(self, url: str, folder: Path) -> None:
        self.file, self.log = folder / "done.txt", folder / "log.txt"
        command = [sys.executable, str(ROOT / "tests" / "a_worker.py"), url, str(self.file)]
        with self.log.open("w") as log:
            self.process = subprocess.Popen(command, stderr=log, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)})

    @property
    def done(self) -> list[str]:
        return self.file.read_text().splitlines() if self.file.exists() else []


@pytest.fixture
def worker(server: QueueServer, tmp_path: Path) -> Iterator[RunningWorker]:
    running = RunningWorker(server.url, tmp_path)
    wait_for(lambda: server.connection().exists("cms:alive:worker"))
    yield running
    running.process.kill()
    running.process.wait()


def wait_for(what: Callable[[], Any], seconds: float = 15) -> None:
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


def status(server: QueueServer, job_id: str) -> str:
    return Job.fetch(job_id, connection=server.connection(), serializer=JSONSerializer).get_status().value


def plant(conn: Redis, job_id: str, data: bytes, **fields: str) -> None:
    """What somebody who can write to Redis would put there."""
    job = {"data": zlib.compress(data), "origin": "default", "status": "queued", "created_at": "2026-11-24T00:00:00Z"}
    conn.hset(f"rq:job:{job_id}", mapping={**job, **fields})
    conn.rpush("rq:queue:default", job_id)


# Hints


def test_a_hint_waits_in_the_queue_as_json(server: QueueServer, settings: Settings) -> None:
    assert queue.hint(settings, "render", 7, job_id="render-7")
    job = RqQueue("render", connection=server.connection(), serializer=JSONSerializer).jobs[0]
    assert (job.func_name, job.args, job.timeout) == ("cms.jobs.sweeps.render", [7], 30)


def test_a_hint_given_twice_waits_once(server: QueueServer) -> None:
    hints = queue.Queue(server.connection())
    assert hints.hint("deliver", 1, job_id="deliver/1")
    assert hints.hint("deliver", 1, job_id="deliver/1")
    assert RqQueue("default", connection=server.connection(), serializer=JSONSerializer).job_ids == ["deliver-1"]


def test_a_warm_process_takes_further_hints_until_one_is_not_its_own(server: QueueServer, settings: Settings) -> None:
    for document_id in (7, 8):
        queue.hint(settings, "render", document_id, job_id=f"document-{document_id}")
    assert list(queue.more(settings, "render")) == [[7], [8]]
    assert list(queue.more(settings, "render")) == []
    for job_id, data in (("pickle", pickle.dumps(1)), ("other", b'["os.system", null, ["id"], {}]')):
        plant(server.connection(), job_id, data)
        server.connection().lmove("rq:queue:default", "rq:queue:render")
        queue.hint(settings, "render", 9)
        assert list(queue.more(settings, "render")) == []
        waiting = RqQueue("render", connection=server.connection(), serializer=JSONSerializer)
        assert waiting.pop_job_id() == job_id
        assert list(queue.more(settings, "render")) == [[9]]


def test_only_names_on_the_list_can_be_hinted(settings: Settings) -> None:
    with pytest.raises(KeyError):
        queue.hint(settings, "os.system", "true")


@pytest.mark.parametrize("outage", ["stopped", "frozen"])
def test_nobody_waits_for_a_queue_that_is_away(server: QueueServer, settings: Settings, outage: str) -> None:
    assert queue.hint(settings, "deliver", 1)
    if outage == "frozen":
        server.freeze()
    else:
        server.stop(signal.SIGKILL)
    started = time.monotonic()
    assert not queue.hint(settings, "deliver", 2)
    assert time.monotonic() - started < 1


def test_hints_go_on_when_the_queue_is_back(server: QueueServer, settings: Settings) -> None:
    server.stop(signal.SIGKILL)
    assert not queue.hint(settings, "deliver", 1)
    server.start()
    assert queue.hint(settings, "deliver", 1)


def test_every_listed_job_exists() -> None:
    for path in queue.JOBS.values():
        assert callable(import_attribute(path)), path


# The worker


def test_a_listed_job_runs_in_a_fork_with_the_app_loaded(server: QueueServer, worker: RunningWorker) -> None:
    queue.hint(server.connection(), "sweep_outbox", 5)
    wait_for(lambda: worker.done)
    assert worker.done == ["outbox 5 forked=True app=police"]


def test_a_planted_pickle_is_not_run(server: QueueServer, worker: RunningWorker, tmp_path: Path) -> None:
    class Attack:
        def __reduce__(self) -> tuple[Any, ...]:
            return os.system, (f"touch {tmp_path}/hit",)

    plant(server.connection(), "evil", pickle.dumps(("cms.jobs.sweeps.outbox", None, (Attack(),), {})))
    queue.hint(server.connection(), "sweep_outbox", 6)
    wait_for(lambda: worker.done)
    assert status(server, "evil") == "failed"
    assert not (tmp_path / "hit").exists()


@pytest.mark.parametrize(
    "call",
    [
        ["os.system", None, ["touch {}/hit"], {}],
        ["subprocess.getoutput", None, ["touch {}/hit"], {}],
        ["format", "a string as the object", ["touch {}/hit"], {}],
        ["cms.jobs.sweeps.os.system", None, ["touch {}/hit"], {}],
    ],
)
def test_a_job_off_the_list_is_refused(
    server: QueueServer, worker: RunningWorker, tmp_path: Path, call: list[Any]
) -> None:
    data = JSONSerializer.dumps(call).decode().replace("{}/", f"{tmp_path}/").encode()
    plant(server.connection(), "evil", data)
    queue.hint(server.connection(), "sweep_outbox", 6)
    wait_for(lambda: worker.done)
    job = Job.fetch("evil", connection=server.connection(), serializer=JSONSerializer)
    assert job.get_status().value == "failed"
    assert "not on the list" in str(job.latest_result().exc_string)
    assert not (tmp_path / "hit").exists()


def test_callbacks_of_a_planted_job_are_not_called(server: QueueServer, worker: RunningWorker) -> None:
    data = JSONSerializer.dumps(["cms.jobs.sweeps.outbox", None, [8], {}])
    callback = {"success_callback_name": "cms.jobs.sweeps.hit", "failure_callback_name": "cms.jobs.sweeps.hit"}
    plant(server.connection(), "evil", data, **callback)
    wait_for(lambda: worker.done)
    queue.hint(server.connection(), "sweep_outbox", 9)
    wait_for(lambda: len(worker.done) > 1)
    assert worker.done == ["outbox 8 forked=True app=police", "outbox 9 forked=True app=police"]


def test_a_failed_job_does_not_shut_out_the_next_try(server: QueueServer, worker: RunningWorker) -> None:
    conn = server.connection()
    for tries in (1, 2):
        assert queue.hint(conn, "sweep_documents", 1, job_id="documents-1")
        wait_for(lambda tries=tries: len(worker.done) == tries and status(server, "documents-1") == "failed")


def test_a_job_that_eats_the_memory_fails_alone(server: QueueServer, worker: RunningWorker) -> None:
    queue.hint(server.connection(), "seal_history", 1, job_id="seal-1")
    queue.hint(server.connection(), "sweep_outbox", 2)
    wait_for(lambda: worker.done)
    assert worker.done == ["outbox 2 forked=True app=police"]
    assert status(server, "seal-1") == "failed"


def test_the_worker_comes_back_with_the_queue(server: QueueServer, worker: RunningWorker) -> None:
    server.stop(signal.SIGKILL)
    time.sleep(1.5)
    server.start()
    queue.hint(server.connection(), "sweep_outbox", 3)
    wait_for(lambda: worker.done, 20)
    said = worker.log.read_text()
    assert "Traceback" not in said
    assert len(said.splitlines()) == 1, said


def test_the_worker_is_seen_again_after_a_flush(server: QueueServer, worker: RunningWorker) -> None:
    server.connection().flushall()
    wait_for(lambda: server.connection().exists("cms:alive:worker"), 5)


@pytest.mark.parametrize("outage", [False, True])
def test_the_worker_stops_when_told(server: QueueServer, worker: RunningWorker, outage: bool) -> None:
    if outage:
        server.stop(signal.SIGKILL)
        time.sleep(0.5)
    worker.process.terminate()
    assert worker.process.wait(10) == 0
    assert "Traceback" not in worker.log.read_text()


# The tick


def test_a_slot_is_enqueued_once_by_forty_racing_ticks(server: QueueServer) -> None:
    def one(_: int) -> bool:
        return queue.sweep(server.connection(), "sweep_outbox", 77, 30)

    with ThreadPoolExecutor(40) as pool:
        assert sum(pool.map(one, range(200))) == 1


def test_a_slot_stays_taken_after_its_sweep_has_run(server: QueueServer, worker: RunningWorker) -> None:
    conn = server.connection()
    assert queue.sweep(conn, "sweep_outbox", 78, 30)
    wait_for(lambda: worker.done)
    wait_for(lambda: status(server, "sweep-sweep_outbox-78") == "finished")
    assert not queue.sweep(conn, "sweep_outbox", 78, 30)
    assert queue.sweep(conn, "sweep_outbox", 79, 30)


def test_two_ticks_and_two_beats_make_one_job_per_slot(server: QueueServer) -> None:
    conn, noon = server.connection(), 1_800_000_000.0
    assert tick.beat(conn, noon) == len(tick.SECONDS)
    assert tick.beat(conn, noon + 1) == 0
    assert tick.beat(conn, noon + 30) == 2
    assert tick.beat(conn, noon + 60) == 3


def test_the_tick_outlives_an_outage(server: QueueServer) -> None:
    server.stop()
    stop = threading.Event()
    thread = threading.Thread(target=tick.run, args=(server.connection(), stop))
    thread.start()
    try:
        time.sleep(0.3)
        server.start()
        wait_for(lambda: server.connection().exists(queue.TICK), 5)
    finally:
        stop.set()
        thread.join(5)


# Health


def test_health_names_what_is_missing(server: QueueServer, settings: Settings) -> None:
    answer = health(settings)
    assert (answer["status"], answer["degraded"]) == ("degraded", ["worker", "renderer", "tick"])
    conn = server.connection()
    for key in ("cms:alive:worker", "cms:alive:renderer", queue.TICK):
        conn.set(key, "1")
    queue.mark_sweep(conn)
    answer = health(settings)
    assert (answer["status"], answer["degraded"]) == ("ok", [])
    assert answer["last_sweep"].startswith("20")
    assert answer["version"] == settings.version


@pytest.mark.parametrize("outage", ["stopped", "frozen"])
def test_intake_goes_on_without_the_queue_and_health_says_so_at_once(
    server: QueueServer, settings: Settings, outage: str
) -> None:
    if outage == "frozen":
        server.freeze()
    else:
        server.stop()
    started = time.monotonic()
    answer = health(settings)
    assert time.monotonic() - started < 0.1
    assert answer["status"] == "degraded"
    assert "queue" in answer["degraded"]
    assert answer["database"] == answer["disk"] == "ok"


def test_down_only_when_database_or_disk_fails(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = replace(settings, database_url=f"sqlite:///{tmp_path}/gone.sqlite3")
    assert health(gone)["status"] == "down"
    assert not (tmp_path / "gone.sqlite3").exists()
    monkeypatch.setattr("cms.health.FREE_BYTES", 2**60)
    assert health(settings)["degraded"][0] == "disk"
    assert health(settings)["status"] == "down"


def test_health_of_an_unreachable_postgresql(settings: Settings) -> None:
    away = replace(settings, database_url="postgresql+psycopg://nobody@127.0.0.1:1/none")
    assert health(away)["database"] == "failed"
