"""What an imported complaint has of the whole life: its round, the desks it lay at, one clock by the rules."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

from flask import Flask
from registers import empty
from sqlalchemy import Connection, func, select
from test_import import FILES, run
from test_import_care import altered, later, one, setting

from cms.i18n import ist_day
from cms.models import (
    Accused,
    Allegation,
    Complaint,
    Consent,
    ConsentKind,
    Deadline,
    DeadlineChange,
    DeadlineKind,
    Decision,
    DecisionKind,
    Direction,
    EnquiryReport,
    Finding,
    History,
    Hold,
    HoldReason,
    Holiday,
    Imported,
    Means,
    Officer,
    Policy,
    Posting,
    ReportFinding,
    Request,
    RequestKind,
    Round,
    RoundReason,
    Stay,
    Unit,
    UnitParent,
    db,
)
from cms.rules import ENDS, SYSTEM, Desk, Post, Span, Status
from cms.services import bulk, clocks, integrity, reference
from cms.services.importing import batches
from cms.unit_of_work import unit_of_work, utcnow

__all__ = ["empty"]


def check_whole(connection: Connection) -> dict[str, list[Any]]:
    """Every complaint has its rounds, its desks without a gap, and a clock that runs while it is open."""
    stays: dict[int, list[Any]] = {}
    for stay in connection.execute(select(Stay.__table__).order_by(Stay.complaint_id, Stay.no)):
        stays.setdefault(stay.complaint_id, []).append(stay)
    for row in connection.execute(select(Complaint.__table__)).mappings():
        mine = stays[row["id"]]
        assert mine[0].from_at == row["registered_at"]
        assert [s.no for s in mine] == list(range(1, len(mine) + 1))
        for before, after in pairwise(mine):
            assert before.to_at == after.from_at or before.round < after.round
        assert (mine[-1].to_at is None) == (row["status"] not in ENDS)
        rounds = connection.execute(
            select(Round.__table__).where(Round.complaint_id == row["id"]).order_by(Round.no)
        ).all()
        assert [r.no for r in rounds] == list(range(1, row["round"] + 1))
        assert rounds[0].opened_at == row["registered_at"]
        assert rounds[-1].io_id == row["io_id"]
        if row["disposed_on"]:
            assert rounds[-1].disposed_at is not None
        clocks_ = connection.execute(
            select(Deadline.__table__).where(Deadline.complaint_id == row["id"]).order_by(Deadline.round)
        ).all()
        assert [(c.kind, c.round) for c in clocks_] == [(DeadlineKind.OVERALL, r.no) for r in rounds]
        assert all(c.first_due_at == c.due_at for c in clocks_)
        assert clocks_[-1].due_at == row["due_at"]
        assert (clocks_[-1].met_at is None and clocks_[-1].dropped_at is None) == row["is_open"]
    assert connection.exec_driver_sql("SELECT count(*) FROM reminder").scalar_one() == 0
    return {row.number: stays[row.id] for row in connection.execute(select(Complaint.id, Complaint.number))}


def test_an_imported_complaint_has_round_desks_and_clock(empty: Flask, tmp_path: Path) -> None:
    run(empty, *FILES)
    with db.engine.connect() as connection:
        stays = check_whole(connection)
        assert {s.desk for found in stays.values() for s in found} <= {Desk.HEAD, Desk.IO}
    run(empty, *later(tmp_path))
    with db.engine.connect() as connection:
        stays = check_whole(connection)
        assert integrity.verify(connection, empty.extensions["cms_vault"]) == []
    assert stays["CHI-9000004"][-1].to_at.date() == date(2021, 8, 8), "midnight of the ninth in India"
    assert "Nothing was changed" in run(empty, *later(tmp_path)).output


def test_a_register_that_opens_a_closed_one_begins_a_round(empty: Flask, tmp_path: Path) -> None:
    run(empty, *FILES)
    number, key, due = one("SELECT number, origin_key, due_at FROM complaint WHERE status = 'CLOSED' AND disposed_on IS NOT NULL")
    run(empty, altered(FILES[0], tmp_path / "open", setting(key, closed_date="")), *FILES[1:])
    with db.engine.connect() as connection:
        stays = check_whole(connection)[number]
        row = connection.execute(select(Complaint.__table__).where(Complaint.number == number)).one()
    assert (row.is_open, row.round, row.disposed_on) == (True, 2, None)
    assert str(row.due_at) != str(due)
    assert row.due_at > utcnow() + timedelta(days=13)
    assert stays[-1].round == 2


def test_what_is_taken_back_is_nobodys(empty: Flask) -> None:
    run(empty, *FILES)
    assert batches.undo(1, "head")["complaint"] == 8
    with db.engine.connect() as connection:
        check_whole(connection)
        assert connection.scalar(select(Stay.id).where(Stay.to_at.is_(None))) is None
        assert connection.scalar(select(Round.id).where(Round.closed_at.is_(None))) is None


def test_the_date_is_that_of_policies_and_holidays(empty: Flask) -> None:
    with unit_of_work(SYSTEM, via="test") as work:
        reference.load(work)
        work.session.add(Policy(kind=DeadlineKind.OVERALL, amount=30, span=Span.DAYS, valid_from=date(2000, 1, 1)))
        work.session.flush()
        days = {date(2018, 1, 1) + timedelta(days=n) for n in range(0, 2_400, 2)}
        known = set(work.session.scalars(select(Holiday.day)))
        work.session.add_all(Holiday(day=d, name_en="Fair", name_hi="मेला") for d in sorted(days - known))
    run(empty, *FILES)
    with db.engine.connect() as connection:
        check_whole(connection)
    with unit_of_work(SYSTEM, via="test") as work:
        rules = clocks.rulebook(work.session)
        rows = work.session.execute(select(Deadline, Complaint).join(Complaint)).all()
        for deadline, complaint in rows:
            due = rules.due(DeadlineKind.OVERALL, clocks.Facts.of(complaint), deadline.started_at)
            assert (deadline.days, deadline.due_at, deadline.rolled) == (due.clock.amount, due.at, due.rolled)
        assert any(d.rolled and d.rolled[0]["en"] == "Fair" for d, _c in rows)


def test_no_map_leads_to_a_status_that_rests_on_rows_of_its_own(empty: Flask, tmp_path: Path) -> None:
    from cms.services.importing.records import STANDS

    assert Status.MERGED not in STANDS
    assert Status.ON_HOLD not in STANDS
    assert Status.WITHDRAWN in STANDS


def test_the_bulk_door_finds_rows_by_their_place(empty: Flask) -> None:
    """Two complaints of one call; rows that point at each other within and across them."""
    from test_import import sample

    from cms.models import Accused, ComplaintLink, LinkKind, Officer, Party

    with unit_of_work(SYSTEM, via="test") as work:
        reference.load(work)
        people = [{"name_en": n, "name_hi": n, "rank_id": 5} for n in "AB"]
        author, judge = bulk.insert_registry(work, Officer, people)
        said, now = sample(), work.now
        first, second = (bulk.Dossier({"number": n, **said[Complaint]}) for n in ("ONE", "TWO"))
        for dossier in (first, second):
            link = dossier.add(Accused, **said[Accused] | {"officer_id": author})
            place = dossier.add(Allegation, accused_id=link, **said[Allegation])
            dossier.add(Party, **said[Party])
            clock = dossier.add(Deadline, kind=DeadlineKind.OVERALL, started_on=now.date(), started_at=now, days=15,
                                first_due_at=now, due_at=now + timedelta(days=3))  # fmt: skip
            reason = work.session.scalar(select(HoldReason.id))
            asked = dossier.add(Request, kind=RequestKind.HOLD, asked_at=now, reasons="x", reason_id=reason)
            dossier.add(Hold, request_id=asked, started_at=now, until=now.date())
            dossier.add(DeadlineChange, deadline_id=clock, request_id=asked, no=1, old_due_at=now,
                        new_due_at=now + timedelta(days=3), at=now)  # fmt: skip
            dossier.add(Direction, deadline_id=clock, at=now, text="x")
            dossier.add(Consent, kind=ConsentKind.APPEAL, means=Means.PAPER, given_on=now.date(), at=now, note="x")
            dossier.add(Round, no=1, why=RoundReason.FIRST, opened_at=now)
            report = dossier.add(EnquiryReport, no=1, officer_id=author, submitted_at=now, disposition_id=1,
                                 reasons="x", fields={})  # fmt: skip
            dossier.add(ReportFinding, report_id=report, allegation_id=place, finding=Finding.PARTLY, reasons="x")
            dossier.add(Decision, report_id=report, no=1, kind=DecisionKind.FORWARDED, officer_id=judge, post=Post.SHO,
                        unit_id=1, at=now)  # fmt: skip
        second.add(ComplaintLink, other_id=first, kind=LinkKind.REPEAT, at=now)
        ids = bulk.insert_complaints(work, [first, second])
    one_, two = (db.session.get_one(Complaint, i) for i in ids)
    for complaint in (one_, two):
        (deadline,) = complaint.deadlines
        (change,) = deadline.changes
        assert change.request.complaint_id == complaint.id
        report_row = db.session.scalars(select(EnquiryReport).where(EnquiryReport.complaint_id == complaint.id)).one()
        assert report_row.findings[0].allegation_id == complaint.allegations[0].id
        assert report_row.decisions[0].author_id == author
        direction = db.session.scalars(select(Direction).where(Direction.complaint_id == complaint.id)).one()
        assert direction.deadline_id == deadline.id
    link_row = db.session.scalars(select(ComplaintLink)).one()
    assert (link_row.complaint_id, link_row.other_id) == (two.id, one_.id)
    db.session.rollback()
    with db.engine.connect() as connection:
        assert integrity.verify(connection, empty.extensions["cms_vault"]) == []


# ---------------------------------------------------------------- who came with an import that is taken back


def in_use() -> dict[str, set[str]]:
    """Keys of the register's officers, and codes of its units, that are in use."""
    ours = {row["code"] for row in reference.fixture("units")}
    with db.engine.connect() as connection:
        officers = connection.scalars(select(Officer.origin_key).where(Officer.active, Officer.origin.is_not(None)))
        units = connection.scalars(select(Unit.code).where(Unit.active))
        return {"officer": set(officers), "unit": set(units) - ours}


def test_who_came_with_an_import_goes_with_it_and_comes_back(empty: Flask) -> None:
    run(empty, *FILES)
    before = in_use()
    assert len(before["officer"]) == 5
    assert "CHI-011" in before["unit"]
    output = empty.test_cli_runner().invoke(args=["cms", "import", "undo", "1", "--by", "clerk"]).output
    assert f"5 officers and {len(before['unit'])} units came with them" in output
    assert in_use() == {"officer": set(), "unit": set()}
    with db.engine.connect() as connection:
        assert connection.scalar(select(func.count(Officer.id))) == 5, "nothing is deleted"
        query = select(History.actor, History.changes).where(History.table_name == "officer", History.kind == "update")
        said = connection.execute(query).all()
        assert {(row.actor, row.changes) for row in said} == {("import 1 taken back by clerk", '{"active": [true, false]}')}
        places = select(UnitParent.valid_to).join(Unit, Unit.id == UnitParent.unit_id).where(~Unit.active)
        assert set(connection.scalars(places)) == {ist_day(utcnow())}
        units = connection.scalar(select(func.count(Unit.id)))
        assert integrity.verify(connection, empty.extensions["cms_vault"]) == []
    listed = empty.test_cli_runner().invoke(args=["cms", "import", "list"]).output
    assert "5 officer ended" in listed
    assert run(empty, *FILES).exit_code == 0
    assert in_use() == before
    with db.engine.connect() as connection:
        assert connection.scalar(select(func.count(Officer.id))) == 5
        assert connection.scalar(select(func.count(Unit.id))) == units
        assert connection.scalar(select(UnitParent.id).where(UnitParent.valid_to.is_not(None))) is None
        assert integrity.verify(connection, empty.extensions["cms_vault"]) == []
    batches.undo(2, "clerk")
    assert in_use() == {"officer": set(), "unit": set()}, "as often as one likes"


def test_whoever_something_else_uses_stays(empty: Flask, tmp_path: Path) -> None:
    run(empty, altered(FILES[0], tmp_path / "first", lambda rows: [r for r in rows if r["cr_id"] != "9000001"]), *FILES[1:])
    run(empty, *FILES)
    before = in_use()
    with db.engine.connect() as connection:
        mine = select(Imported.complaint_id).where(Imported.batch_id == 2, Imported.is_new)
        (number,) = connection.scalars(select(Complaint.number).where(Complaint.id.in_(mine)))
        assert number == "CHI-9000001"
        named = select(Officer.origin_key).join(Accused, Accused.officer_id == Officer.id)
        others = set(connection.scalars(named.where(Accused.complaint_id.in_(mine))))
    with unit_of_work(SYSTEM, via="form") as work:
        posted = work.session.scalars(select(Officer).where(Officer.origin_key.startswith("inv:")).order_by(Officer.id)).first()
        station = work.session.scalars(select(Unit).where(Unit.code == "CHI-011")).one()
        assert posted is not None
        key, child = posted.origin_key, "CHI-011-A"
        post = Posting(officer_id=posted.id, unit_id=station.id, post=Post.IO, valid_from=utcnow().date())
        work.session.add(post)
    done = batches.undo(2, "clerk")
    assert done == {"complaint": 1, "officer": 0, "unit": 0}
    assert in_use() == before, "they came with the first import, or its complaints name them"
    assert others <= before["officer"]
    with unit_of_work(SYSTEM, via="form") as work:
        by_hand = {"code": child, "name_en": "Post", "name_hi": "चौकी", "kind": "POLICE_POST", "parent": "CHI-012"}
        if work.session.scalar(select(Unit.id).where(Unit.code == "CHI-012")):
            reference.load_units(work, [by_hand], date(2020, 1, 1))
    run(empty, altered(FILES[0], tmp_path / "third", lambda rows: [r for r in rows if r["cr_id"] == "9000001"]), *FILES[1:])
    batches.undo(1, "clerk")
    left = in_use()
    assert others < left["officer"], "the third import has a complaint that names them"
    assert len(left["officer"]) == len(others | {key})
    batches.undo(3, "clerk")
    left = in_use()
    assert left["officer"] == {key}, "he was posted by hand"
    assert {"CHI-011"} <= left["unit"], "somebody is posted there"
    with db.engine.connect() as connection:
        tree = {row.code: row for row in connection.execute(select(Unit.code, Unit.path, Unit.active, Unit.id))}
        for row in tree.values():
            for other in tree.values():
                if row.active and row.path.startswith(other.path):
                    assert other.active, (row.code, other.code)
    assert (child in left["unit"]) == ("CHI-012" in left["unit"])


def test_an_officer_whom_somebody_ended_stays_ended(empty: Flask) -> None:
    run(empty, *FILES)
    batches.undo(1, "clerk")
    with unit_of_work(SYSTEM, via="form") as work:
        row = work.session.scalars(select(Officer).where(Officer.origin_key == "1")).one()
        row.phone = "+919999900001"  # seen to by hand since
    run(empty, *FILES)
    assert "1" not in in_use()["officer"]
    assert len(in_use()["officer"]) == 4
