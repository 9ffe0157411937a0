"""Real faults while 500 reminders go out: every planned one is there once, none twice."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import world
from conftest import SECRET, fill, settings_for
from sqlalchemy import create_engine, func, select

from cms import create_app
from cms.i18n import ist_day
from cms.models import Mode, Outbox, Reminder, SendState, db
from cms.services import complaints
from cms.unit_of_work import unit_of_work, utcnow
from tests.queue_server import QueueServer

ROOT = Path(__file__).parents[1]
PLANNED = 500
TICK = """
import sys
from cms.jobs import tick
tick.SECONDS.update({name: 2 for name in tick.SECONDS})
tick.BEAT_SECONDS = 1
tick.run.__defaults__ = (1,)
tick.main()
"""


class House:
    """Worker and two ticks as processes of their own, on one data folder."""

    def __init__(self, data: Path, redis_url: str) -> None:
        self.env = {**os.environ, "CMS_DATA": str(data), "REDIS_URL": redis_url, "CMS_SECRET_KEY": SECRET,
                    "CMS_PUBLIC_URL": "http://localhost", "CMS_DEMO": "", "PYTHONPATH": str(ROOT)}  # fmt: skip
        self.env.pop("DATABASE_URL", None)
        self.log = (data / "house.log").open("w")
        self.running: list[subprocess.Popen[bytes]] = []
        self.worker = self.start("-m", "cms.jobs.worker")
        self.ticks = [self.start("-c", TICK) for _ in range(2)]

    def start(self, *command: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen([sys.executable, *command], cwd=ROOT, env=self.env, stderr=self.log)
        self.running.append(process)
        return process

    def kill_worker(self) -> None:
        """SIGKILL for the worker and for the child that is at work."""
        children = Path(f"/proc/{self.worker.pid}/task/{self.worker.pid}/children").read_text().split()
        for pid in [self.worker.pid, *map(int, children)]:
            os.kill(pid, signal.SIGKILL)
        self.worker.wait()
        self.worker = self.start("-m", "cms.jobs.worker")

    def stop(self) -> None:
        for process in self.running:
            if process.poll() is None:
                process.kill()
                process.wait()
        self.log.close()


def plan(data: Path) -> None:
    """500 complaints that are due tomorrow, each with an IO who has an e-mail address."""
    app = create_app(settings_for(data))
    with app.app_context():
        received = ist_day(utcnow()) - timedelta(days=14)
        values = [world.new(form_key=f"k{n}", mode_id=world.master(Mode, "DAK").id, received_on=received)
                  for n in range(PLANNED)]  # fmt: skip
        clerk, head, io = world.as_viewer("branch.hsr"), world.as_viewer("sho.hsr"), world.officer("io.hsr").id
        for some in batched(values, 20):  # each flush looks through all that a transaction holds
            with unit_of_work(clerk) as work:
                ids = [complaints.register(work, new).id for new in some]
                work.hints.clear()
            with unit_of_work(head) as work:
                for case_id in ids:
                    complaints.assign(work, case_id, None, io)
            db.session.remove()
        db.session.remove()
        db.engine.dispose()


def batched(values: list[complaints.NewComplaint], size: int) -> Iterator[list[complaints.NewComplaint]]:
    return (values[at : at + size] for at in range(0, len(values), size))


def counts(data: Path) -> tuple[int, int]:
    """(reminders fired, e-mails sent) as the rows have it."""
    engine = create_engine(f"sqlite:///{data}/cms.sqlite3")
    with engine.connect() as connection:
        fired = connection.scalar(select(func.count()).select_from(Reminder)) or 0
        sent = connection.scalar(select(func.count(Outbox.id)).where(Outbox.state == SendState.SENT.name)) or 0
    engine.dispose()
    return fired, sent


def wait(condition, seconds: float) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.1)


@pytest.mark.slow
def test_500_reminders_through_kills_flush_and_outage(tmp_path):
    fill(settings_for(tmp_path))
    plan(tmp_path)
    with QueueServer() as server:
        house = House(tmp_path, server.url)
        try:
            wait(lambda: counts(tmp_path)[0] > 0, 30)
            house.kill_worker()
            wait(lambda: counts(tmp_path)[1] > 40, 60)
            house.kill_worker()
            server.connection().flushall()
            wait(lambda: counts(tmp_path)[1] > 150, 60)
            server.stop(signal.SIGKILL)
            time.sleep(3)
            server.start()
            wait(lambda: counts(tmp_path)[1] > 250, 90)
            house.kill_worker()
            server.connection().flushall()
            wait(lambda: counts(tmp_path) == (PLANNED, PLANNED), 120)
        finally:
            house.stop()
    mails = list((tmp_path / "mail").glob("*.eml"))
    assert len(mails) == PLANNED
    assert len({m.read_text().split("Message-ID: ")[1].split("\n")[0] for m in mails}) == PLANNED
