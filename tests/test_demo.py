"""The demo: the same from the same seed, whole by every constraint, honest in its lateness."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from registers import application, count, empty
from sqlalchemy import Connection, func, select

from cms.authz import visible
from cms.i18n import ist_day
from cms.models import (
    Accused,
    Action,
    Allegation,
    Assignment,
    BarredUnit,
    Complaint,
    Deadline,
    Document,
    DocumentState,
    Feedback,
    Kind,
    NumberSeries,
    Officer,
    Party,
    Posting,
    Reminder,
    Unit,
    User,
    db,
)
from cms.rules import DISPOSED, Finding, Post, Status, Viewer, due_at, is_complaint_number
from cms.services import accounts, complaints, integrity, numbering, reference, reminders
from cms.services.demo import fill, staff
from cms.services.demo.case import Case, begin, people, start
from cms.services.demo.people import Crowd, dice
from cms.services.demo.world import build
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
    assert 0.2 < (rows.scalar(late) or 0) / count(rows, "complaint WHERE NOT is_open") < 0.6
    assert 4 < count(rows, "action") / 2000 < 8


def test_deadlines_are_those_of_the_rules(rows: Connection) -> None:
    query = select(Complaint, Deadline.due_at, Deadline.met_at).join(Deadline, Deadline.complaint_id == Complaint.id)
    for row in rows.execute(query).mappings():
        assert row["due_at"] == row["due_at_1"] == due_at(row["received_on"])
        assert (row["met_at"] is not None) == (row["status"] in DISPOSED)
        assert row["received_on"] <= ist_day(row["registered_at"])
        assert row["incident_on"] <= row["received_on"]


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
    vacant = 0
    for unit_id, kind, code in rows.execute(select(Unit.id, Unit.kind, Unit.code)):
        for post, _ranks in staff.POSTS.get(kind, ()):
            is_vacant = post is Post.SHO and code.endswith(staff.VACANT)
            assert ((unit_id, post) in held) != is_vacant
            vacant += is_vacant
    assert vacant > 3
    assert {post for _unit, post in held} == set(Post)
    present = (
        select(Posting.officer_id, Officer.unit_id, Posting.unit_id)
        .join(Officer)
        .where(Posting.in_force(AS_OF))
        .order_by(Posting.officer_id)
    )
    found = rows.execute(present).all()
    assert len(found) == len({row[0] for row in found}) == count(rows, "officer")
    assert all(officer_unit == posted for _officer, officer_unit, posted in found)
    assert count(rows, "posting WHERE valid_to IS NOT NULL") > 20


def viewer_of(login: str) -> Viewer:
    """Who an account is, as the sign-in sees it."""
    with db.engine.connect() as connection:
        post = next(a for a in staff.ACCOUNTS if a[0] == login)
        assert post[2] is not None
        with unit_of_work(complaints.Viewer(None, None, "test")) as work:
            found = staff.muster(work, AS_OF).viewer(post[1], post[2])
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
    posts = dict(rows.execute(select(Posting.officer_id, Posting.unit_id).where(Posting.in_force(AS_OF))).all())
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
        assert (satisfied is not None) == (status is Status.CLOSED)
        assert (finding not in (None, Finding.UNDECIDED)) == (status in DISPOSED)
    assert count(rows, "feedback") == count(rows, "complaint WHERE satisfied IS NOT NULL")
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


SAME = (
    "subject", "text", "language", "category_id", "priority", "mode_id", "source_id", "place", "incident_on",
    "district_id", "unit_id", "registered_unit_id", "status", "is_open", "due_at", "received_on", "registered_at",
    "restricted",
)  # fmt: skip


def test_registered_through_the_door_it_would_be_the_same(register: Flask) -> None:
    """A sample replayed through the real use case gives the rows that the generator made."""
    now = fill.moment_of(AS_OF, utcnow())
    with unit_of_work(complaints.Viewer(None, None, "test")) as work:
        world = build(work, staff.muster(work, AS_OF), Crowd(), now)
    played: Counter[bool] = Counter()
    for number in range(400):
        case = begin(world, dice(number), now)
        if case.desk.kind is not Kind.POLICE_STATION or (played[False] > 25 and not case.accused):
            continue
        people(case)
        start(case)
        if case.desk.code.endswith(staff.VACANT):
            continue
        viewer = world.staff.viewer(case.desk.code, Post.SHO)
        with unit_of_work(viewer, now=now) as work:
            compare(case, complaints.register(work, asked(case, f"replay-{number}")))
            work.session.rollback()
            work.hints.clear()
        played[bool(case.accused)] += 1
    assert played[True] > 2
    assert played[False] > 20


def asked(case: Case, form_key: str) -> complaints.NewComplaint:
    """What the counter types in for this case."""
    said, parties = case.dossier.complaint, case.dossier.rows[Party]
    return complaints.NewComplaint(
        name=parties[0]["name"], phone=parties[0]["phone"], subject=said["subject"], text=said["text"],
        category_id=said["category_id"], mode_id=said["mode_id"], source_id=said["source_id"], form_key=form_key,
        language=said["language"], address=parties[0]["address"], priority=said["priority"], place=said["place"],
        incident_on=said["incident_on"], opposite=parties[1]["name"] if len(parties) > 1 else "",
        accused=(complaints.AccusedNamed(officer_id=case.accused.id),) if case.accused else (),
    )  # fmt: skip


def compare(case: Case, made: Complaint) -> None:
    """Row by row, without ids, numbers and authors."""
    wanted = {"restricted": False} | case.dossier.complaint
    for name in SAME:
        assert getattr(made, name) == wanted[name], name
    for model, names in (
        (Party, ("role", "name", "phone", "address")),
        (Accused, ("officer_id", "described", "restricts")),
        (Allegation, ("no", "what", "finding")),
        (Deadline, ("kind", "started_on", "days", "due_at", "met_at")),
        (Action, ("kind", "note", "happened_at", "logged_at")),
        (BarredUnit, ("unit_id",)),
    ):
        rows = db.session.scalars(select(model).where(model.complaint_id == made.id)).all()
        found = [tuple(getattr(row, name) for name in names) for row in rows]
        assert found == [tuple(row.get(name) for name in names) for row in case.dossier.rows.get(model, ())], model


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
