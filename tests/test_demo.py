"""The demo: the same from the same seed, whole by every constraint, honest in its lateness."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from registers import application, count, empty
from sqlalchemy import Connection, func, select, text

from cms.authz import visible
from cms.i18n import ist_day
from cms.models import (
    Accused,
    Action,
    Allegation,
    Appeal,
    AppealResult,
    Assignment,
    BarredUnit,
    Charge,
    Complaint,
    ComplaintLink,
    Consent,
    Deadline,
    DeadlineChange,
    DeadlineKind,
    Decision,
    DecisionKind,
    Direction,
    Document,
    DocumentState,
    EnquiryReport,
    Feedback,
    Hold,
    Kind,
    NumberSeries,
    Officer,
    Party,
    Posting,
    Reminder,
    ReportFinding,
    Request,
    RequestKind,
    Round,
    Stay,
    Unit,
    User,
    db,
)
from cms.rules import DISPOSED, ENDS, SUPERIORS, Finding, Post, Status, Viewer, is_complaint_number
from cms.services import accounts, clocks, complaints, integrity, numbering, reference, reminders
from cms.services.demo import fill, staff
from cms.services.demo.people import Crowd
from cms.unit_of_work import unit_of_work, utcnow

__all__ = ["empty"]
AS_OF = date(2026, 11, 20)


def demo(app: Flask, *args: Any) -> Any:
    """``cms demo`` with these arguments."""
    result = app.test_cli_runner().invoke(args=["cms", "demo", *map(str, args)])
    assert "Traceback" not in result.output
    return result


@pytest.fixture(scope="module")
def register(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """The demo of the first start: 2,000 complaints."""
    for app in application(tmp_path_factory.mktemp("demo")):
        started = time.monotonic()
        assert demo(app, "--as-of", AS_OF).exit_code == 0
        assert time.monotonic() - started < 20
        yield app


@pytest.fixture
def rows(register: Flask) -> Iterator[Connection]:
    with db.engine.connect() as connection:
        yield connection


PLAIN = (
    "SELECT number, text, status, due_at, registered_at, disposal_text, satisfied FROM complaint ORDER BY id",
    "SELECT name_en, name_hi, belt_no, unit_id FROM officer ORDER BY id",
    "SELECT officer_id, unit_id, post, valid_from, valid_to FROM posting ORDER BY id",
    "SELECT complaint_id, kind, happened_at, note, officer_id FROM action ORDER BY id",
    "SELECT complaint_id, kind, state, issued_at FROM document ORDER BY id",
    "SELECT complaint_id, no, desk, unit_id, officer_id, from_at, to_at FROM stay ORDER BY id",
    "SELECT complaint_id, round, kind, no, due_at, met_at, dropped_at FROM deadline ORDER BY id",
    "SELECT complaint_id, other_id, kind FROM complaint_link ORDER BY id",
)


def written(connection: Connection) -> list[list[tuple[Any, ...]]]:
    """What the generator decides, without keys and codes."""
    return [[tuple(row) for row in connection.exec_driver_sql(query)] for query in PLAIN]


def test_seed_and_day_decide_everything(tmp_path: Path) -> None:
    found = []
    for name, seed in (("a", 4), ("b", 4), ("c", 5)):
        (tmp_path / name).mkdir()
        for app in application(tmp_path / name):
            assert demo(app, "--complaints", 120, "--as-of", AS_OF, "--seed", seed).exit_code == 0
            with db.engine.connect() as connection:
                found.append(written(connection))
    assert found[0] == found[1]
    assert found[0] != found[2]


def test_history_and_constraints_hold_on_both_databases(empty: Flask) -> None:
    assert demo(empty, "--complaints", 150, "--as-of", AS_OF).exit_code == 0
    with db.engine.connect() as connection:
        assert count(connection, "complaint") == 150
        assert integrity.verify(connection, empty.extensions["cms_vault"]) == []


def test_verify_passes(register: Flask, rows: Connection) -> None:
    assert count(rows, "complaint") == 2000
    assert integrity.verify(rows, register.extensions["cms_vault"]) == []


def test_the_texts_do_not_repeat(rows: Connection) -> None:
    first = list(rows.scalars(select(Complaint.text).order_by(Complaint.id)))
    assert len(set(first)) == len(first)
    assert all(text and "{" not in text for text in first)
    bare = {" ".join(w for w in text.split() if not any(c.isdigit() for c in w)) for text in first[:100] if text}
    assert len(bare) == 100, "they differ in more than figures"
    assert set(rows.scalars(select(Complaint.language).distinct())) == {complaints.Language.HI, complaints.Language.EN}
    assert not [n for n in rows.scalars(select(Action.note)) if "{" in n]


def test_every_status_is_there_and_the_lateness_is_honest(rows: Connection) -> None:
    found = Counter(rows.scalars(select(Complaint.status)))
    assert set(found) == set(Status)
    now = fill.moment_of(AS_OF, utcnow())
    is_open = count(rows, "complaint WHERE is_open")
    overdue = rows.scalar(select(func.count()).where(Complaint.overdue(now)).select_from(Complaint))
    assert overdue is not None
    assert 0.5 < overdue / is_open < 0.9
    late = select(func.count()).select_from(Deadline).where(Deadline.met_at > Deadline.due_at)
    late = late.where(Deadline.kind == DeadlineKind.OVERALL)
    assert 0.2 < (rows.scalar(late) or 0) / count(rows, "complaint WHERE NOT is_open") < 0.6


def test_deadlines_are_those_of_the_rules(rows: Connection) -> None:
    with unit_of_work(complaints.Viewer(None, None, "test")) as work:
        rules = clocks.rulebook(work.session)
        found: Counter[DeadlineKind] = Counter()
        query = select(Deadline, Complaint).join(Complaint, Deadline.complaint_id == Complaint.id)
        for deadline, complaint in work.session.execute(query):
            found[deadline.kind] += 1
            if deadline.kind is not DeadlineKind.COMPLY:  # an officer names that day
                due = rules.due(deadline.kind, clocks.Facts.of(complaint), deadline.started_at)
                assert deadline.days == due.clock.amount
                if deadline.kind is DeadlineKind.ACTIVITY:
                    assert (deadline.due_at, deadline.rolled) == (due.at, due.rolled)
                else:
                    assert (deadline.first_due_at, deadline.rolled) == (due.at, due.rolled)
            assert deadline.met_at is None or deadline.dropped_at is None
            assert complaint.received_on <= ist_day(complaint.registered_at)
            assert complaint.incident_on is not None
            assert complaint.incident_on <= complaint.received_on
    assert set(DeadlineKind) - set(found) == {DeadlineKind.PRELIMINARY}, "no category fits BNSS 173(3)"


def test_only_a_change_by_leave_moves_a_due_date(rows: Connection) -> None:
    moved: dict[int, list[Any]] = {}
    for change in rows.execute(select(DeadlineChange.__table__).order_by(DeadlineChange.id)):
        moved.setdefault(change.deadline_id, []).append(change)
    query = select(Deadline.__table__).where(Deadline.kind != DeadlineKind.ACTIVITY)
    for deadline in rows.execute(query):
        changes = moved.pop(deadline.id, [])
        dates = [deadline.first_due_at, *(c.new_due_at for c in changes)]
        assert [c.old_due_at for c in changes] == dates[:-1]
        assert deadline.due_at == dates[-1]
    assert moved == {}
    copies = select(Complaint.due_at, Deadline.due_at).join(Deadline, Deadline.complaint_id == Complaint.id)
    same = copies.where(Deadline.kind == DeadlineKind.OVERALL, Deadline.round == Complaint.round)
    assert all(one == other for one, other in rows.execute(same))


def test_every_second_belongs_to_one_desk(rows: Connection) -> None:
    """The sum of the stays is the time from registration to now or to closing, but for the time a round was closed."""
    now = fill.moment_of(AS_OF, utcnow())
    stays: dict[int, list[Any]] = {}
    for stay in rows.execute(select(Stay.__table__).order_by(Stay.complaint_id, Stay.no)):
        stays.setdefault(stay.complaint_id, []).append(stay)
    closed: dict[int, list[Any]] = {}
    for row in rows.execute(select(Round.__table__).order_by(Round.complaint_id, Round.no)):
        closed.setdefault(row.complaint_id, []).append(row)
    for row in rows.execute(select(Complaint.id, Complaint.status, Complaint.registered_at)):
        mine, rounds = stays[row.id], closed[row.id]
        ended = mine[-1].to_at
        assert mine[0].from_at == row.registered_at
        assert [s.no for s in mine] == list(range(1, len(mine) + 1))
        assert (ended is not None) == (row.status in ENDS)
        gaps = sum((b.from_at - a.to_at for a, b in pairwise(mine)), timedelta())
        assert sum(((s.to_at or now) - s.from_at for s in mine), timedelta()) == (ended or now) - row.registered_at - gaps
        for one, other in pairwise(mine):
            assert one.to_at == other.from_at or one.to_at in {r.closed_at for r in rounds}
        if ended:
            assert ended == rounds[-1].closed_at or row.status is Status.CLOSED  # an appeal may have been dismissed


def test_every_exception_of_the_life_is_there(rows: Connection) -> None:
    def some(model: Any, *where: Any) -> int:
        return rows.scalar(select(func.count()).select_from(model).where(*where)) or 0

    assert some(Complaint, Complaint.transfer_to_id.is_not(None)), "a transfer that waits for an answer"
    for kind in RequestKind:
        for granted in (True, False):
            assert some(Request, Request.kind == kind, Request.granted.is_(granted)), (kind, granted)
    assert some(Request, Request.kind == RequestKind.TRANSFER, Request.decided_at.is_not(None), Request.decided_by_id.is_(None))
    for kind in DecisionKind:
        assert some(Decision, Decision.kind == kind)
    for result in AppealResult:
        assert some(Appeal, Appeal.result == result)
    assert some(Appeal, Appeal.result.is_(None))
    assert some(Hold, Hold.ended_at.is_(None))
    assert some(Direction, Direction.reply.is_(None))
    assert some(Direction, Direction.reply.is_not(None))
    assert some(Action, Action.corrects_id.is_not(None))
    assert some(ComplaintLink)
    assert some(Consent)
    for why in Round.why.type.enum_class:
        assert some(Round, Round.why == why)
    not_reached = select(Complaint.id).where(Complaint.status == Status.CLOSED, Complaint.satisfied.is_(None))
    assert len(rows.execute(not_reached).all()) > 10
    assert some(Action, Action.kind == complaints.ActionKind.HANDED_OVER)


def test_the_rank_that_the_rule_names_approves(rows: Connection) -> None:
    codes = dict(rows.execute(text("SELECT id, code FROM disposition")).all())
    query = select(EnquiryReport.disposition_id, Decision.post, Decision.officer_id, EnquiryReport.officer_id).join(
        EnquiryReport, EnquiryReport.id == Decision.report_id
    )
    for disposition_id, post, decided_by, author in rows.execute(query.where(Decision.kind == DecisionKind.APPROVED)):
        least = {"FALSE": Post.SP, "OFFR": Post.SP}.get(codes[disposition_id], Post.SHO)
        if codes[disposition_id] in ("FILED", "UNF", "CIVIL", "SUBJ", "ANON"):
            least = Post.DSP
        assert SUPERIORS.index(post) >= SUPERIORS.index(least)
        assert decided_by != author
    assert count(rows, "enquiry_report") == count(rows, "report_finding")
    assert rows.scalar(select(func.count(ReportFinding.id)).where(ReportFinding.reasons == "")) == 0


def test_numbers_are_gap_free_and_go_on(register: Flask, rows: Connection) -> None:
    series: dict[str, list[int]] = {}
    for number in rows.scalars(select(Complaint.number)):
        assert is_complaint_number(number)
        code, year, serial, _check = number.split("-")
        series.setdefault(f"{code}-{year}", []).append(int(serial))
    assert len(series) == 6
    assert all(sorted(found) == list(range(1, len(found) + 1)) for found in series.values())
    last = dict(rows.execute(select(Unit.code, NumberSeries.last).join(Unit, Unit.id == NumberSeries.district_id)).all())
    assert last == {name.split("-")[0]: len(found) for name, found in series.items()}
    with unit_of_work(complaints.Viewer(None, None, "test")) as work:
        unit = work.session.scalar(select(Unit).where(Unit.code == "HSR"))
        assert unit is not None
        numbering.lock_series(work, unit)
        assert numbering.next_number(work, unit).startswith(f"HSR-2026-{last['HSR'] + 1:06d}-")
        work.session.rollback()  # the number is given back


def test_every_post_of_the_tree_is_held(rows: Connection) -> None:
    held: set[Any] = set(rows.execute(select(Posting.unit_id, Posting.post).where(Posting.in_force(AS_OF))).all())
    vacant = acting = 0
    for unit_id, kind, code in rows.execute(select(Unit.id, Unit.kind, Unit.code)):
        for post, _ranks in staff.POSTS.get(kind, ()):
            is_vacant = post is Post.SHO and code.endswith(staff.VACANT)
            in_charge = is_vacant and (unit_id, post) in held
            acting += in_charge
            assert ((unit_id, post) in held) != (is_vacant and not in_charge)
            vacant += is_vacant and not in_charge
    assert vacant > 1
    assert acting > 1
    assert count(rows, "posting WHERE charge = 'COVER'") > 3
    assert {post for _unit, post in held} == set(Post)
    present = (
        select(Posting.officer_id, Officer.unit_id, Posting.unit_id)
        .join(Officer)
        .where(Posting.in_force(AS_OF))
        .order_by(Posting.officer_id)
    )
    found = rows.execute(present.where(Posting.charge == Charge.SUBSTANTIVE)).all()
    assert len(found) == len({row[0] for row in found}) == count(rows, "officer")
    assert all(officer_unit == posted for _officer, officer_unit, posted in found)
    assert count(rows, "posting WHERE valid_to IS NOT NULL") > 20


def test_no_post_of_command_has_two_heads(rows: Connection) -> None:
    held: dict[Any, list[Any]] = {}
    query = select(Posting.__table__).where(Posting.charge == Charge.SUBSTANTIVE, Posting.post.in_(SUPERIORS))
    for row in rows.execute(query.order_by(Posting.valid_from)):
        held.setdefault((row.unit_id, row.post), []).append(row)
    for found in held.values():
        for one, other in pairwise(found):
            assert one.valid_to is not None
            assert one.valid_to <= other.valid_from
    assert any(len(found) > 1 for found in held.values())


def viewer_of(login: str) -> Viewer:
    """Who an account is, as the sign-in sees it."""
    with db.engine.connect() as connection:
        post = next(a for a in staff.ACCOUNTS if a[0] == login)
        assert post[2] is not None
        with unit_of_work(complaints.Viewer(None, None, "test")) as work:
            found = staff.muster(work, AS_OF).today.viewer(post[1], post[2])
        assert connection.scalar(select(User.id).where(User.login == login)) == found.user_id
    return found


def test_the_accounts_open_with_demo(register: Flask, rows: Connection) -> None:
    stored = dict(rows.execute(select(User.login, User.password_hash)).all())
    assert set(stored) == {
        "adgp", "sp.hsr", "dsp.hsr", "sho.hsr", "io.hsr", "branch.hsr", "feedback.hsr", "sho.srs", "admin", "audit",
    }  # fmt: skip
    assert accounts.password_right(stored["adgp"], "demo")
    assert len(set(stored.values())) == 1, "hashed once"
    seen = {}
    for login in stored.keys() - {"admin"}:
        query = visible(select(func.count()).select_from(Complaint), Complaint, viewer_of(login))
        seen[login] = rows.scalar(query)
    assert all(seen.values()), seen
    assert seen["adgp"] == 2000
    assert seen["sp.hsr"] > seen["dsp.hsr"] > seen["sho.hsr"] > seen["io.hsr"]


def test_restricted_ones_went_above_the_accused(rows: Connection) -> None:
    paths = dict(rows.execute(select(Unit.id, Unit.path)).all())
    query = select(Complaint.id, Complaint.unit_id, Complaint.io_id, BarredUnit.unit_id, Accused.officer_id).where(
        BarredUnit.complaint_id == Complaint.id, Accused.complaint_id == Complaint.id
    )
    found = rows.execute(query).all()
    assert len(found) == count(rows, "complaint WHERE restricted") > 20
    held = select(Posting.officer_id, Posting.unit_id).where(
        Posting.in_force(AS_OF), Posting.charge == Charge.SUBSTANTIVE
    )
    posts = dict(rows.execute(held).all())
    for _id, unit_id, io_id, barred, accused in found:
        assert not paths[unit_id].startswith(paths[barred])
        assert posts[accused] == barred
        assert io_id is None or not paths[posts[io_id]].startswith(paths[barred])


def test_the_life_of_a_complaint_is_in_order(rows: Connection) -> None:
    now = fill.moment_of(AS_OF, utcnow())
    last: dict[int, Any] = {}
    for complaint_id, at, logged in rows.execute(
        select(Action.complaint_id, Action.happened_at, Action.logged_at).order_by(Action.id)
    ):
        assert last.get(complaint_id, at) <= at <= logged <= now
        last[complaint_id] = at
    io_was_there = select(Complaint.id).where(
        Complaint.io_id.is_not(None),
        ~select(Assignment.id)
        .where(Assignment.complaint_id == Complaint.id, Assignment.officer_id == Complaint.io_id)
        .exists(),
    )
    assert rows.execute(io_was_there).all() == []
    for status, satisfied, finding in rows.execute(
        select(Complaint.status, Complaint.satisfied, Allegation.finding).join(
            Allegation, Allegation.complaint_id == Complaint.id
        )
    ):
        assert satisfied is None or status in (Status.CLOSED, Status.APPEALED)
        assert (finding not in (None, Finding.UNDECIDED)) == (status in DISPOSED)
    assert count(rows, "feedback") == count(rows, "round WHERE satisfied IS NOT NULL")
    refused = select(Feedback.reason).where(Feedback.satisfied.is_(False))
    assert all(rows.scalars(refused))


def test_phones_are_nobodys_and_possible(rows: Connection) -> None:
    phones = set(rows.scalars(select(Party.phone).where(Party.phone.is_not(None))))
    assert all(p and p.startswith("+9199999") and complaints.phone_number(p) == p for p in phones)


def test_old_documents_are_paper_and_the_last_copies_wait(rows: Connection) -> None:
    states = Counter(rows.scalars(select(Document.state)))
    assert states[DocumentState.PENDING] == fill.FRESH
    assert set(states) == {DocumentState.PENDING, DocumentState.PAPER}
    assert count(rows, "complaint WHERE copy_settled_at IS NULL") == fill.FRESH


def test_the_first_sweep_fires_no_old_rung(register: Flask, rows: Connection) -> None:
    now = fill.moment_of(AS_OF, utcnow())
    before = count(rows, "reminder")
    fired = reminders.sweep(now)
    with db.engine.connect() as again:
        new = again.execute(select(Deadline.due_at, Reminder.rung).join(Deadline).where(Reminder.fired_at == now)).all()
        assert count(again, "reminder") == before + fired
    assert 0 < fired == len(new)
    from cms.rules import rung_day

    assert {rung_day(due, rung) for due, rung in new} == {AS_OF}


def test_killed_half_way_it_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = []
    for name in ("whole", "killed"):
        (tmp_path / name).mkdir()
        for app in application(tmp_path / name):
            if name == "killed":
                with monkeypatch.context() as patch:
                    patch.setattr(fill.bulk, "batch_size", lambda _engine: 40)
                    patch.setattr(fill.bulk, "continue_numbers", dies_at(3))
                    with pytest.raises(KeyboardInterrupt):
                        fill.fill(db.engine, count=150, as_of=AS_OF, seed=1, now=utcnow())
                db.session.remove()
                with db.engine.connect() as connection:
                    assert count(connection, "complaint") == 80
                assert "begun here" in demo(app, "--complaints", 99, "--as-of", AS_OF).output
            assert demo(app, "--complaints", 150, "--as-of", AS_OF).exit_code == 0
            with db.engine.connect() as connection:
                found.append(written(connection))
            assert "there already" in demo(app, "--complaints", 150, "--as-of", AS_OF).output
    assert found[0] == found[1]


def dies_at(call: int) -> Any:
    """The real ``continue_numbers``, until it is called for the n-th time."""
    real, calls = fill.bulk.continue_numbers, iter(range(1, 1000))

    def continue_numbers(*args: Any) -> None:
        if next(calls) == call:
            raise KeyboardInterrupt
        real(*args)

    return continue_numbers


def test_impossible_outside_demo_mode_and_in_a_used_database(tmp_path: Path) -> None:
    for app in application(tmp_path):
        assert "after today" in demo(app, "--as-of", utcnow().date() + timedelta(days=2)).output
        object.__setattr__(app.extensions["cms_settings"], "demo", False)
        result = demo(app)
        assert result.exit_code == 2
        assert "demo mode only" in result.output
        object.__setattr__(app.extensions["cms_settings"], "demo", True)
        slices = sorted((Path(__file__).parent / "slices").glob("chicago_*.csv"))
        app.test_cli_runner().invoke(args=["cms", "import", "chicago_2023", *map(str, slices)])
        assert "holds complaints already" in demo(app).output
        with db.engine.connect() as connection:
            assert count(connection, "user_account") == 0


def test_reference_rows_load_once(tmp_path: Path) -> None:
    for app in application(tmp_path):
        first = app.test_cli_runner().invoke(args=["cms", "reference", "load"])
        assert "104  unit" in first.output
        assert "Nothing was missing" in app.test_cli_runner().invoke(args=["cms", "reference", "load"]).output
        with db.engine.connect() as connection:
            for unit in connection.execute(select(Unit.__table__)).mappings():
                line = [int(p) for p in unit["path"].strip("/").split("/")]
                assert line[-1] == unit["id"]
                assert (line[-2] if len(line) > 1 else None) == unit["parent_id"]
                assert (unit["district_id"] == unit["id"]) == (unit["kind"] is Kind.DISTRICT)
            assert integrity.verify(connection, app.extensions["cms_vault"]) == []


def test_names_are_paired_in_both_scripts() -> None:
    crowd = Crowd()
    for name in (*crowd.male, *crowd.female, *crowd.surnames, *crowd.second):
        assert name.en.isascii()
        assert any("\u0900" <= char <= "\u097f" for char in name.hi)
    assert {row["district"] for row in reference.fixture("places")} == {"HSR", "HNS", "FTB", "SRS", "JND", "DBW"}
