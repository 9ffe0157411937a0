"""The demo as large as the state, and its two kinds of lateness."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import combinations, islice
from pathlib import Path

import pytest
from conftest import Cluster
from flask import Flask
from registers import application, count, empty
from sqlalchemy import func, select

from cms.cli_data import Lines, rate_words
from cms.models import (
    ApprovalRule,
    Complaint,
    Deadline,
    DeadlineKind,
    Disposition,
    Holiday,
    Kind,
    Officer,
    Policy,
    Posting,
    Unit,
    db,
)
from cms.rules import CLOCKS, SYSTEM, Post
from cms.services import integrity, reference
from cms.services.demo import fill
from cms.services.demo.state import SHAPES, units
from cms.services.demo.world import DISTRICTS
from cms.unit_of_work import unit_of_work, utcnow

__all__ = ["empty"]
AS_OF = date(2026, 11, 20)


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Flask]:
    yield from application(tmp_path)


def filled(count_: int, **how: str) -> None:
    fill.fill(db.engine, count=count_, as_of=AS_OF, seed=1, now=utcnow(), **how)  # type: ignore[arg-type]


def test_the_state_has_22_districts_and_ten_years(empty: Flask) -> None:
    filled(300, shape="state")
    with db.engine.connect() as connection:
        assert count(connection, "complaint") == 300
        assert integrity.verify(connection, empty.extensions["cms_vault"]) == []
        districts = select(Unit.code).where(Unit.kind == Kind.DISTRICT)
        assert len(connection.scalars(districts).all()) == 22
        used = connection.scalars(select(Complaint.district_id).distinct()).all()
        assert len(used) == 22
        first, last = connection.execute(
            select(func.min(Complaint.received_on), func.max(Complaint.received_on))
        ).one()
        assert (last - first).days > 3_500
        late_posting = select(func.max(Posting.valid_from)).where(Posting.valid_to.is_(None), Posting.order_no == "")
        assert connection.scalar(late_posting) < date(2017, 1, 1), "in place before the first complaint"
        assert connection.scalar(select(func.count(Officer.id))) > 1_000


def test_two_processes_write_the_same_as_one(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = []
    for lanes, start in ((1, 10**9), (2, 100)):
        monkeypatch.setattr(fill, "LANES_FROM", start)
        monkeypatch.setattr(fill.bulk, "batch_size", lambda _engine: 60)
        cluster.sql(f"CREATE DATABASE lanes{lanes}")
        for app in application(tmp_path, cluster.url(f"lanes{lanes}")):
            filled(300)
            with db.engine.connect() as connection:
                query = "SELECT number, text, status, due_at, disposal_text FROM complaint ORDER BY number"
                found.append(connection.exec_driver_sql(query).all())
                series = "SELECT district_id, year, last FROM number_series ORDER BY 1, 2"
                found.append(connection.exec_driver_sql(series).all())
                assert integrity.verify(connection, app.extensions["cms_vault"]) == []
                assert count(connection, "stamp WHERE name LIKE 'demo:lane%%'") == (2 if lanes == 2 else 0)
        cluster.sql(f"DROP DATABASE lanes{lanes} WITH (FORCE)")
    assert len(found[0]) == 300
    assert found[:2] == found[2:]


def test_codes_differ_in_two_letters() -> None:
    codes = [*DISTRICTS, *(row["code"] for row in units() if row["kind"] == "DISTRICT")]
    assert len(codes) == 22
    for one, other in combinations(codes, 2):
        assert sum(a != b for a, b in zip(one, other, strict=True)) >= 2, (one, other)


@pytest.mark.parametrize(("shape", "late"), [("pilot", "mild"), ("state", "mild"), ("state", "honest")])
def test_lateness(app: Flask, shape: str, late: str) -> None:
    filled(1_200, shape=shape, late=late)
    now = fill.moment_of(AS_OF, utcnow())
    with db.engine.connect() as connection:
        is_open = count(connection, "complaint WHERE is_open")
        overdue = connection.scalar(select(func.count(Complaint.id)).where(Complaint.overdue(now))) or 0
        closed = select(func.count()).select_from(Deadline).where(
            Deadline.met_at.is_not(None), Deadline.kind == DeadlineKind.OVERALL, Deadline.round == 1
        )
        in_time = connection.scalar(closed.where(Deadline.met_at <= Deadline.due_at)) or 0
    if late == "mild":
        assert 0.06 < is_open / 1_200 < 0.14
        assert overdue > is_open / 2
        assert in_time / 1_200 > 0.7
    else:
        assert 0.25 < in_time / 1_200 < 0.4, "a third in time"
        assert is_open / 1_200 < 0.25


def test_ten_million_moments_need_no_more_memory_than_ten() -> None:
    now = fill.moment_of(AS_OF, utcnow())
    tracemalloc.start()
    found = fill.moments(10_000_000, 1, now, SHAPES["state"])
    before = next(found)
    for moment in islice(found, 20_000):
        assert before <= moment
        before = moment
    assert tracemalloc.get_traced_memory()[1] < 5_000_000
    tracemalloc.stop()
    assert sum(1 for _ in fill.moments(5_000, 1, now, SHAPES["pilot"])) == 5_000


def test_progress_says_how_fast_and_how_long_still(capsys: pytest.CaptureFixture[str]) -> None:
    moments = iter([0.0, 1.0, 5.0, 11.0, 12.0, 31.0])
    lines = Lines(clock=lambda: next(moments))
    for done in (250, 2_250, 5_250, 5_500, 15_250):
        lines.tell("complaints", done, 23_000)
    assert capsys.readouterr().err.splitlines() == [
        "complaints: 5,250 of 23,000, 500 complaints/s, 36 s left",
        "complaints: 15,250 of 23,000, 500 complaints/s, 16 s left",
    ]
    assert rate_words("read accused", 1234.4) == "1,234 rows/s"
    assert rate_words("complaints", None) == ""


def test_a_new_year_gets_its_holidays_and_no_other_row(empty: Flask) -> None:
    with unit_of_work(SYSTEM, now=utcnow()) as work:
        first = reference.load(work)
        year = utcnow().year
    assert first["holiday"] > 80
    with unit_of_work(SYSTEM, now=utcnow() + timedelta(days=366)) as work:
        assert set(reference.load(work)) == {"holiday"}
        days = set(work.session.scalars(select(Holiday.day)))
    assert {day.year for day in days} == set(range(year - 2, year + 3))
    with unit_of_work(SYSTEM) as work:
        independence = work.session.scalars(select(Holiday).where(Holiday.day == date(year, 8, 15))).one()
        assert (independence.name_en.split(";")[0], independence.name_hi.split(";")[0]) == (
            "Independence Day", "स्वतंत्रता दिवस",
        )  # fmt: skip
        assert reference.load(work) == {}
        posts = dict(work.session.execute(select(Disposition.code, ApprovalRule.post).join(Disposition)).all())
        assert posts == dict.fromkeys(("FILED", "UNF", "CIVIL", "SUBJ", "ANON"), Post.DSP) | {
            "FALSE": Post.SP, "OFFR": Post.SP,
        }  # fmt: skip
        assert {p.kind: (p.amount, p.span) for p in work.session.scalars(select(Policy))} == {
            kind: (clock.amount, clock.span) for kind, clock in CLOCKS.items() if kind is not DeadlineKind.PRELIMINARY
        }
