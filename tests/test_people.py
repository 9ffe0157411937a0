"""Postings and accounts: two persons, orders of many officers, vacancies, cover, and the hand-over."""

from datetime import date, timedelta
from itertools import pairwise

import pytest
import world
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError
from test_concurrency import at_once

from cms.i18n import ist_day
from cms.models import (
    ActionKind,
    Assignment,
    Charge,
    Complaint,
    Deadline,
    DeadlineKind,
    Desk,
    History,
    HoldReason,
    Officer,
    Posting,
    Proposal,
    Rank,
    Request,
    Stay,
    Unit,
    User,
    db,
)
from cms.rules import NotFound, Post, Role, RuleBroken, Seat, Status, Viewer
from cms.services import accounts, enquiry, handing_over, integrity, orders, people, proposals, requests, stays
from cms.services.desk import Forbidden
from cms.services.orders import Line, LineKind, Order
from cms.unit_of_work import unit_of_work

NOW = world.NOW
TODAY = ist_day(NOW)


def viewer(login: str, on: date = TODAY) -> Viewer:
    """The viewer with the seats in force on a day."""
    user = db.session.scalars(select(User).where(User.login == login)).one()
    rows = db.session.scalars(select(Posting).where(Posting.officer_id == user.officer_id, Posting.in_force(on))).all()
    seats = tuple(Seat(p.post, p.unit_id, p.unit.path) for p in rows)
    return Viewer(user.id, user.officer_id, login, seats, user.role, user.language)


def line(login: str, unit: str | None = None, post: Post | None = None, kind=LineKind.POSTED, start=TODAY, **said) -> Line:
    successor = said.pop("successor", None)
    return Line(
        officer_id=world.officer(login).id, kind=kind, start=start, unit_id=world.unit(unit).id if unit else None, post=post,
        successor_id=world.officer(successor).id if successor else None, **said,
    )  # fmt: skip


def propose(*lines: Line, by: str = "branch.hsr", number: str = "12/2026", now=NOW) -> Proposal:
    who = viewer(by)
    with unit_of_work(who, now=now) as work:
        return proposals.propose_order(work, Order(number, ist_day(now), lines))


def confirm(proposal: Proposal, by: str = "sp.hsr", now=NOW) -> Proposal:
    proposal_id, version, who = proposal.id, proposal.version, viewer(by)
    with unit_of_work(who, now=now) as work:
        return proposals.confirm(work, proposal_id, version)


def order(*lines: Line, by: str = "branch.hsr", confirmed_by: str = "sp.hsr") -> Proposal:
    return confirm(propose(*lines, by=by), confirmed_by)


def held(login: str, on: date = TODAY) -> set[tuple[str, str, str]]:
    rows = db.session.scalars(select(Posting).where(Posting.officer_id == world.officer(login).id, Posting.in_force(on)))
    return {(p.unit.code, p.post.name, p.charge.name) for p in rows}


# ---------------------------------------------------------------- two persons


def test_nothing_changes_until_a_second_person_confirms(app):
    one = propose(line("io2.hsr", "HSR-PS02", Post.IO))
    assert held("io2.hsr") == {("HSR-PS01", "IO", "SUBSTANTIVE")}
    assert proposals.waiting(db.session, viewer("branch.hsr")) == 0
    for login in ("dsp.hsr", "sp.hsr", "adgp", "admin"):
        assert proposals.waiting(db.session, viewer(login)) == 1, login
    for login in ("sp.srs", "sho.hsr", "io.hsr", "audit", "feedback.hsr"):
        assert proposals.waiting(db.session, viewer(login)) == 0, login
    done = confirm(one, "dsp.hsr")
    assert done.accepted is True
    assert held("io2.hsr") == {("HSR-PS02", "IO", "SUBSTANTIVE")}
    assert world.officer("io2.hsr").unit.code == "HSR-PS02"
    assert proposals.waiting(db.session, viewer("sp.hsr")) == 0


@pytest.mark.parametrize("login", ["branch.hsr", "sp.srs", "sho.hsr", "io.hsr", "audit", "feedback.hsr", "branch.s1"])
def test_who_may_not_confirm(app, login):
    one = propose(line("io2.hsr", "HSR-PS02", Post.IO))
    with pytest.raises((RuleBroken, Forbidden, NotFound)):
        confirm(one, login)
    assert db.session.get(Proposal, one.id).decided_at is None
    assert held("io2.hsr") == {("HSR-PS01", "IO", "SUBSTANTIVE")}


def test_the_database_knows_the_two_persons(app):
    one = propose(line("io2.hsr", "HSR-PS02", Post.IO))
    said = {"decided_by_id": one.proposed_by_id, "decided_at": NOW, "accepted": True}
    with pytest.raises(IntegrityError, match="two_persons"), db.engine.begin() as connection:
        connection.execute(Proposal.__table__.update().values(said))


def test_nobody_confirms_his_own_posting(app):
    one = propose(line("dsp.hsr", "HSR-PS02", Post.IO))
    with pytest.raises(RuleBroken, match="about yourself"):
        confirm(one, "dsp.hsr")
    assert proposals.waiting(db.session, viewer("dsp.hsr")) == 0
    confirm(one, "sp.hsr")
    assert held("dsp.hsr") == {("HSR-PS02", "IO", "SUBSTANTIVE")}


def test_the_proposer_takes_his_own_back_with_a_reason(app):
    one = propose(line("io2.hsr", "HSR-PS02", Post.IO))
    for login, reason, match in (("sp.hsr", "Not mine.", "Only the person"), ("branch.hsr", " ", "Fill in")):
        with pytest.raises(RuleBroken, match=match), unit_of_work(viewer(login), now=NOW) as work:
            proposals.withdraw(work, one.id, None, reason)
    with unit_of_work(viewer("branch.hsr"), now=NOW) as work:
        proposals.withdraw(work, one.id, None, "Wrong officer.")
    row = db.session.get(Proposal, one.id)
    assert (row.accepted, row.decided_by_id, row.outcome) == (False, None, {"withdrawn": "Wrong officer."})
    assert held("io2.hsr") == {("HSR-PS01", "IO", "SUBSTANTIVE")}
    told = db.session.scalars(select(History).where(History.table_name == "proposal").order_by(History.id.desc())).first()
    assert "Wrong officer." in str(told.changes)
    for act in (lambda work: proposals.confirm(work, one.id, None), lambda work: proposals.withdraw(work, one.id, None, "x")):
        with pytest.raises(RuleBroken, match="decided already"), unit_of_work(viewer("branch.hsr"), now=NOW) as work:
            act(work)


def test_refused_with_a_reason_nothing_happens(app):
    one = propose(line("io2.hsr", "HSR-PS02", Post.IO))
    with pytest.raises(RuleBroken, match="Fill in"), unit_of_work(viewer("sp.hsr"), now=NOW) as work:
        proposals.refuse(work, one.id, None, " ")
    with unit_of_work(viewer("sp.hsr"), now=NOW) as work:
        proposals.refuse(work, one.id, None, "Needed at the station.")
    row = db.session.get(Proposal, one.id)
    assert (row.accepted, row.outcome) == (False, {"refused": "Needed at the station."})
    assert held("io2.hsr") == {("HSR-PS01", "IO", "SUBSTANTIVE")}
    with pytest.raises(RuleBroken, match="decided already"):
        confirm(row, "adgp")


@pytest.mark.parametrize("login", ["io.hsr", "sho.hsr", "sp.hsr", "feedback.hsr", "audit"])
def test_only_the_branch_and_the_administrator_propose(app, login):
    with pytest.raises(Forbidden):
        propose(line("io2.hsr", "HSR-PS02", Post.IO), by=login)


def test_a_branch_orders_within_its_own_units(app):
    with pytest.raises(RuleBroken, match="not under your office"):
        propose(line("io2.hsr", "SRS-PS01", Post.IO))
    with pytest.raises(RuleBroken, match="Choose a value"):
        propose(line("io.srs", "HSR-PS01", Post.IO))
    one = propose(line("io2.hsr", "SRS-PS01", Post.IO), by="admin")
    assert one.unit_id == world.unit("RHSR").id  # the office above both
    with pytest.raises((RuleBroken, NotFound)):
        confirm(one, "sp.hsr")
    confirm(one, "adgp")
    assert held("io2.hsr") == {("SRS-PS01", "IO", "SUBSTANTIVE")}


# ---------------------------------------------------------------- accounts


def account(by: str, login: str, officer_id: int | None) -> Proposal:
    with unit_of_work(viewer(by), now=NOW) as work:
        return proposals.propose_account(work, login, officer_id)


def newcomer(unit: str = "HSR-PS01") -> Officer:
    with unit_of_work(viewer("admin"), now=NOW) as work:
        one = Officer(name_en="New Man", name_hi="नया", rank=world.master(Rank, "SI"), unit=world.unit(unit), belt_no="N1")
        work.session.add(one)
        work.session.flush()
        return one


def test_an_account_is_opened_by_two_persons(app):
    one = account("admin", "New.Man", newcomer().id)
    assert db.session.scalar(select(User.id).where(User.login == "new.man")) is None
    with pytest.raises(RuleBroken, match="waits for its confirmation"):
        account("admin", "new.man", one.data["officer"])
    with pytest.raises((RuleBroken, Forbidden)):
        confirm(one, "admin")
    with pytest.raises((RuleBroken, Forbidden)):
        confirm(one, "branch.hsr")
    with unit_of_work(viewer("sp.hsr"), now=NOW) as work:
        done = proposals.confirm(work, one.id, None)
        token = proposals.welcome_for(work, done)
    user = accounts.welcomed(db.session, app.extensions["cms_vault"], token)
    assert user.login == "new.man"
    with unit_of_work(viewer("sp.hsr")) as work:
        accounts.set_password(work, user.id, "a long sentence")
    assert accounts.welcomed(db.session, app.extensions["cms_vault"], token) is None


def test_an_administrators_account_needs_another_administrator(app):
    one = account("admin", "admin2", None)
    for login in ("sp.hsr", "adgp", "admin"):
        with pytest.raises((RuleBroken, Forbidden, NotFound)):
            confirm(one, login)
    with unit_of_work(viewer("admin"), now=NOW) as work:
        accounts.invite(work, "other", None)
    confirm(one, "other")
    assert db.session.scalars(select(User.role).where(User.login == "admin2")).one() is Role.ADMIN


def test_an_account_is_closed_and_opened_by_two_persons(app, sign_in):
    browser = sign_in("io2.hsr")
    assert browser.get("/admin/").status_code == 200
    user_id = db.session.scalars(select(User.id).where(User.login == "io2.hsr")).one()
    with unit_of_work(viewer("admin"), now=NOW) as work:
        one = proposals.propose_state(work, user_id, False, "Suspended.")
    confirm(one, "sp.hsr")
    assert browser.get("/admin/").status_code == 302
    with unit_of_work(viewer("admin"), now=NOW) as work:
        again = proposals.propose_state(work, user_id, True, "Reinstated.")
    with unit_of_work(viewer("sp.hsr"), now=NOW) as work:
        token = proposals.welcome_for(work, proposals.confirm(work, again.id, None))
    assert accounts.welcomed(db.session, app.extensions["cms_vault"], token).id == user_id
    assert accounts.sign_in(db.session, "io2.hsr", "demo", 8) is None


def test_the_last_administrator_stays(app):
    user_id = db.session.scalars(select(User.id).where(User.login == "admin")).one()
    with pytest.raises(RuleBroken, match="last administrator"), unit_of_work(viewer("admin"), now=NOW) as work:
        proposals.propose_state(work, user_id, False, "x")


# ---------------------------------------------------------------- orders


def test_two_heads_change_places_in_one_order(app):
    order(line("sho.hsr", "HSR-PS02", Post.SHO), line("sho2.hsr", "HSR-PS01", Post.SHO))
    assert held("sho.hsr") == {("HSR-PS02", "SHO", "SUBSTANTIVE")}
    assert held("sho2.hsr") == {("HSR-PS01", "SHO", "SUBSTANTIVE")}
    assert held("sho.hsr", TODAY - timedelta(days=1)) == {("HSR-PS01", "SHO", "SUBSTANTIVE")}
    row = db.session.scalars(select(Posting).where(Posting.order_no == "12/2026")).all()
    assert len(row) == 2


def test_one_head_per_unit_post_and_time(app):
    with pytest.raises(RuleBroken, match="is held by"):
        propose(line("sho2.hsr", "HSR-PS01", Post.SHO))
    with pytest.raises(RuleBroken, match="twice"):
        propose(line("sho.hsr", kind=LineKind.RELIEVED), line("sho2.hsr", "HSR-PS01", Post.SHO),
                line("io2.hsr", "HSR-PS01", Post.SHO))  # fmt: skip
    with pytest.raises(RuleBroken, match="is held by"):  # he leaves a week later than the other comes
        propose(line("sho.hsr", kind=LineKind.RELIEVED, start=TODAY + timedelta(days=7)), line("sho2.hsr", "HSR-PS01", Post.SHO))
    said = {"officer_id": world.officer("sho2.hsr").id, "unit_id": world.unit("HSR-PS01").id, "post": Post.SHO,
            "valid_from": TODAY, "charge": Charge.SUBSTANTIVE}  # fmt: skip
    with pytest.raises(DBAPIError, match="head_posting"), db.engine.begin() as connection:
        connection.execute(Posting.__table__.insert().values(said))


@pytest.mark.parametrize(
    ("said", "lines"),
    [
        ("no line", list),
        ("moves this officer twice", lambda: [line("io2.hsr", "HSR-PS02", Post.IO), line("io2.hsr", "HSR", Post.IO)]),
        ("choose the unit and the post", lambda: [line("io2.hsr", None, Post.IO)]),
        ("there is no post", lambda: [line("io2.hsr", "HSR-PS02", Post.SP)]),
        ("holds this post", lambda: [line("io2.hsr", "HSR-PS01", Post.IO)]),
        ("need an end", lambda: [line("io2.hsr", "HSR-PS02", Post.IO, LineKind.ACTING)]),
        ("after the first day", lambda: [line("io2.hsr", "HSR-PS02", Post.IO, end=TODAY)]),
        ("must lie between", lambda: [line("io2.hsr", "HSR-PS02", Post.IO, start=TODAY + timedelta(days=200))]),
        ("must lie between", lambda: [line("io2.hsr", "HSR-PS02", Post.IO, start=TODAY - timedelta(days=40))]),
        ("as successor", lambda: [line("io2.hsr", "HSR-PS02", Post.IO, successor="io2.hsr")]),
        ("nobody holds this post", lambda: [line("sho.hsr", kind=LineKind.RELIEVED),
                                            line("sho2.hsr", "HSR-PS01", Post.SHO, LineKind.COVER, end=TODAY + timedelta(days=9))]),
    ],
)  # fmt: skip
def test_an_order_that_cannot_be_carried_out_is_refused(app, said, lines):
    with pytest.raises(RuleBroken) as refusal:
        propose(*lines())
    sentence = str(refusal.value.message) % {k: str(v) for k, v in refusal.value.params.items()}
    assert said in sentence


def test_postings_that_changed_meanwhile_stop_the_confirmation(app):
    one = propose(line("sho2.hsr", "HSR-PS01", Post.SHO), line("sho.hsr", kind=LineKind.RELIEVED))
    other = propose(line("sho2.hsr", kind=LineKind.RELIEVED, start=TODAY), number="13")
    confirm(other, "adgp")
    late = propose(line("sho.hsr", kind=LineKind.RELIEVED), number="14")
    confirm(late, "adgp")
    with unit_of_work(viewer("admin"), now=NOW) as work:
        work.session.add(Posting(officer_id=world.officer("io2.hsr").id, unit_id=world.unit("HSR-PS01").id, post=Post.SHO,
                                 valid_from=TODAY))  # fmt: skip
    with pytest.raises(RuleBroken, match="is held by"):
        confirm(one)
    assert db.session.get(Proposal, one.id).decided_at is None


def test_leave_cover_goes_before_the_absent_holder(app):
    until = TODAY + timedelta(days=10)
    order(line("sho2.hsr", "HSR-PS01", Post.SHO, LineKind.COVER, end=until))
    station = world.unit("HSR-PS01")
    assert people.responsible(db.session, station, TODAY).officer_id == world.officer("sho2.hsr").id
    assert people.responsible(db.session, station, until).officer_id == world.officer("sho.hsr").id
    assert held("sho2.hsr") == {("HSR-PS02", "SHO", "SUBSTANTIVE"), ("HSR-PS01", "SHO", "COVER")}
    assert held("sho.hsr") == {("HSR-PS01", "SHO", "SUBSTANTIVE")}


def test_acting_charge_fills_a_vacant_post_until_a_holder_joins(app):
    order(line("sho.hsr", kind=LineKind.RELIEVED))
    station = world.unit("HSR-PS01")
    assert people.responsible(db.session, station, TODAY).officer_id == world.officer("dsp.hsr").id
    with pytest.raises(RuleBroken, match="is held by"):
        propose(line("io2.hsr", "HSR-PS02", Post.SHO, LineKind.ACTING, end=TODAY + timedelta(days=9)))
    order(line("io2.hsr", "HSR-PS01", Post.SHO, LineKind.ACTING, end=TODAY + timedelta(days=60)))
    assert people.responsible(db.session, station, TODAY).officer_id == world.officer("io2.hsr").id
    later = TODAY + timedelta(days=20)
    order(line("sho2.hsr", "HSR-PS01", Post.SHO, start=later))
    assert people.responsible(db.session, station, later).officer_id == world.officer("sho2.hsr").id
    assert held("io2.hsr", later) == {("HSR-PS01", "IO", "SUBSTANTIVE")}


def test_vacant_posts_are_reported_with_who_answers(app):
    order(line("sho.hsr", kind=LineKind.RELIEVED), line("dsp.hsr", kind=LineKind.RELIEVED))
    district = world.unit("HSR")
    rows = people.command(db.session, Unit.path.startswith(district.path), TODAY)
    vacant = {(r.unit.code, r.post.name): r.answers.officer.id for r in rows if r.vacant}
    sp = world.officer("sp.hsr").id
    assert vacant == {("HSR-PS01", "SHO"): sp, ("HSR-SD1", "DSP"): sp}
    filled = {(r.unit.code, r.post.name) for r in rows if not r.vacant}
    assert filled == {("HSR", "SP"), ("HSR-PS02", "SHO")}


# ---------------------------------------------------------------- hand-over


def overall(case: Complaint) -> tuple:
    row = db.session.scalars(select(Deadline).where(Deadline.complaint_id == case.id, Deadline.kind == DeadlineKind.OVERALL)).one()
    return row.started_at, row.first_due_at, row.due_at, row.met_at, row.dropped_at


def spans_meet(case: Complaint) -> bool:
    rows = db.session.scalars(select(Stay).where(Stay.complaint_id == case.id).order_by(Stay.no)).all()
    return rows[0].from_at == case.registered_at and all(a.to_at == b.from_at for a, b in pairwise(rows))


def test_closing_a_posting_hands_over_to_the_successor_named(app):
    cases = [world.assigned(), world.enquired(), world.reported()]
    before = [(overall(c), c.status, c.due_at) for c in cases]
    done = order(line("io.hsr", "HSR-PS02", Post.IO, successor="io2.hsr"))
    new_io = world.officer("io2.hsr").id
    for case, (clock, status, due) in zip(cases, before, strict=True):
        db.session.refresh(case)
        assert (case.io_id, case.status, case.due_at) == (new_io, status, due)
        assert overall(case) == clock
        assert case.actions[-1].kind is ActionKind.HANDED_OVER
        assert case.actions[-1].note == "ASI Ramesh Yadav → SI Suresh Jangra · 12/2026"
        assert db.session.scalars(select(Assignment.officer_id).where(Assignment.complaint_id == case.id).order_by(
            Assignment.id.desc())).first() == new_io
        assert spans_meet(case)
    desks = [stays.present(db.session, c) for c in cases]
    assert [(d.desk, d.officer_id) for d in desks] == [(Desk.IO, new_io), (Desk.IO, new_io), (Desk.APPROVER, None)]
    assert {tuple(pair) for pair in done.outcome["lines"][0]["cases"]} == {(c.id, new_io) for c in cases}
    with db.engine.connect() as connection:
        assert integrity.verify(connection, app.extensions["cms_vault"]) == []


def test_without_a_successor_the_head_gets_them_unassigned(app):
    cases = [world.assigned(), world.enquired(), world.reported()]
    returned = world.step("sho.hsr", enquiry.give_back, world.reported(), "Ask the neighbour.")
    before = {c.id: overall(c) for c in (*cases, returned)}
    order(line("io.hsr", "HSR-PS02", Post.IO))
    for case in (*cases, returned):
        db.session.refresh(case)
        assert case.io_id is None
        assert overall(case) == before[case.id]
        assert case.actions[-1].note == "ASI Ramesh Yadav → PS Hisar City · 12/2026"
        assert spans_meet(case)
    assert [c.status for c in (*cases, returned)] == [Status.MARKED, Status.MARKED, Status.REPORT_SUBMITTED, Status.MARKED]
    running = db.session.scalars(select(Deadline.kind).where(
        Deadline.complaint_id == cases[1].id, Deadline.met_at.is_(None), Deadline.dropped_at.is_(None))).all()
    assert set(running) == {DeadlineKind.OVERALL, DeadlineKind.ASSIGN}
    assert stays.present(db.session, cases[1]).desk is Desk.HEAD
    again = world.step("sho.hsr", enquiry.give_back, cases[2], "x")  # the report is decided on as ever
    assert again.status is Status.RETURNED


def test_a_hold_ends_when_the_case_goes_back_to_the_head(app):
    with unit_of_work(viewer("admin"), now=NOW) as work:
        reason = work.session.scalar(select(HoldReason)) or HoldReason(code="LAB2", name_en="Laboratory", name_hi="प्रयोगशाला")
        work.session.add(reason)
        work.session.flush()
        reason_id = reason.id
    case = world.enquired()
    due = case.due_at
    case = world.step("io.hsr", requests.ask_hold, case, reason_id, TODAY + timedelta(days=5), "FSL")
    case = world.step("sho.hsr", requests.decide_hold, case, True)
    assert (case.status, case.due_at) == (Status.ON_HOLD, due + timedelta(days=5))
    order(line("io.hsr", kind=LineKind.RELIEVED))
    db.session.refresh(case)
    assert (case.status, case.due_at, case.io_id) == (Status.MARKED, due, None)


def test_a_hold_asked_for_falls_with_whoever_asked(app):
    with unit_of_work(viewer("admin"), now=NOW) as work:
        work.session.add(HoldReason(code="LAB3", name_en="Laboratory", name_hi="प्रयोगशाला"))
    reason = db.session.scalars(select(HoldReason.id)).first()
    case = world.step("io.hsr", requests.ask_hold, world.enquired(), reason, TODAY + timedelta(days=5), "FSL")
    order(line("io.hsr", kind=LineKind.RELIEVED))
    asked = db.session.scalars(select(Request).where(Request.complaint_id == case.id)).one()
    assert asked.granted is False


def test_who_decided_on_it_or_would_have_to_never_takes_over(app):
    returned = world.step("sho.hsr", enquiry.give_back, world.reported(), "x")
    lying = world.reported()
    plain = world.enquired()
    order(line("io.hsr", kind=LineKind.RELIEVED, successor="sho.hsr"))
    for case, io in ((returned, None), (lying, None), (plain, world.officer("sho.hsr").id)):
        db.session.refresh(case)
        assert case.io_id == io, case.status


def test_a_successor_complained_against_or_barred_never_takes_over(app):
    from cms.services.complaints import AccusedNamed

    named = (AccusedNamed(officer_id=world.officer("io2.hsr").id),)
    restricted = world.registered(accused=named)
    assert restricted.unit.code == "HSR-SD1"
    world.step("dsp.hsr", world.complaints.assign, restricted, world.officer("sho2.hsr").id)
    order(line("sho2.hsr", "HSR-SD1", Post.IO, successor="sho.hsr"))
    db.session.refresh(restricted)
    assert (restricted.io_id, restricted.status) == (None, Status.MARKED)  # PS01 is the accused's unit
    assert restricted.actions[-1].kind is ActionKind.HANDED_OVER


def test_retiring_hands_over_and_closes_the_account(app, sign_in):
    case, browser = world.enquired(), sign_in("io.hsr")
    assert browser.get("/admin/").status_code == 200
    order(line("io.hsr", kind=LineKind.RETIRED, successor="io2.hsr"))
    db.session.refresh(case)
    assert case.io_id == world.officer("io2.hsr").id
    officer = world.officer("io.hsr")
    assert (officer.active, held("io.hsr")) == (False, set())
    assert db.session.scalars(select(User.active).where(User.officer_id == officer.id)).one() is False
    assert browser.get("/admin/").status_code == 302


def test_whoever_left_comes_back_by_an_order(app):
    order(line("io.hsr", kind=LineKind.RETIRED))
    with pytest.raises(RuleBroken, match="in service"):
        propose(line("io.hsr", "HSR-PS02", Post.SHO, LineKind.ACTING, end=TODAY + timedelta(days=3)))
    later = TODAY + timedelta(days=1)
    confirm(propose(line("io.hsr", "HSR-PS02", Post.IO, start=later), now=NOW), "sp.hsr")
    orders.take_effect(NOW + timedelta(days=1))
    assert world.officer("io.hsr").active is True
    assert held("io.hsr", later) == {("HSR-PS02", "IO", "SUBSTANTIVE")}
    assert db.session.scalars(select(User.active).where(User.login == "io.hsr")).one() is False


def test_nobody_leaves_service_by_a_form(app, sign_in):
    officer = world.officer("io.hsr")
    for login in ("admin", "branch.hsr"):
        page = sign_in(login).get(f"/admin/officer/edit/?id={officer.id}").get_data(as_text=True)
        assert 'name="active"' not in page, login
        sign_in(login).post(f"/admin/officer/edit/?id={officer.id}", {"phone": "9812098120", "active": "no", "version": officer.version})
        db.session.refresh(officer)
        assert officer.active is True


def test_the_one_who_comes_to_the_post_is_the_successor(app):
    case = world.enquired()
    order(line("io.hsr", "HSR-PS02", Post.SHO), line("sho2.hsr", "HSR-PS01", Post.IO))
    db.session.refresh(case)
    assert case.io_id == world.officer("sho2.hsr").id


def test_a_new_post_at_the_same_station_keeps_the_cases(app):
    case = world.enquired()
    order(line("sho.hsr", kind=LineKind.RELIEVED), line("io.hsr", "HSR-PS01", Post.SHO))
    db.session.refresh(case)
    assert case.io_id == world.officer("io.hsr").id


def test_an_order_of_a_later_day_takes_effect_on_that_day(app):
    case = world.enquired()
    day = TODAY + timedelta(days=5)
    one = order(line("io.hsr", "HSR-PS02", Post.IO, start=day, successor="io2.hsr"))
    assert one.outcome == {"lines": [], "later": [0]}
    assert orders.take_effect(NOW) == 0
    db.session.refresh(case)
    assert case.io_id == world.officer("io.hsr").id
    assert orders.take_effect(NOW + timedelta(days=5)) == 1
    assert orders.take_effect(NOW + timedelta(days=5)) == 0
    db.session.refresh(case)
    assert case.io_id == world.officer("io2.hsr").id
    assert world.officer("io.hsr").unit.code == "HSR-PS02"


def test_a_charge_that_ends_gives_its_cases_back(app):
    end = TODAY + timedelta(days=3)
    order(line("io2.hsr", "HSR-PS02", Post.IO, LineKind.ACTING, end=end))
    case = world.registered(unit_id=world.unit("HSR-PS02").id)
    case = world.step("sho2.hsr", world.complaints.assign, case, world.officer("io2.hsr").id)
    orders.take_effect(NOW + timedelta(days=2))
    db.session.refresh(case)
    assert case.io_id is not None
    orders.take_effect(NOW + timedelta(days=3))
    db.session.refresh(case)
    assert (case.io_id, case.status) == (None, Status.MARKED)


def test_the_note_lists_what_its_reader_may_see(app):
    case = world.enquired()
    one = order(line("io.hsr", "HSR-PS02", Post.IO, successor="io2.hsr"))
    officer_id = world.officer("io.hsr").id
    for login in ("sp.hsr", "io2.hsr", "io.hsr", "branch.hsr", "adgp"):
        note = handing_over.note_of(db.session, viewer(login), one.id, officer_id)
        assert [row.complaint.id for row in note.cases] == [case.id], login
        assert note.cases[0].last.kind is ActionKind.VISIT
        assert note.cases[0].to.id == world.officer("io2.hsr").id
    assert handing_over.note_of(db.session, viewer("admin"), one.id, officer_id).cases == []
    for login in ("sp.srs", "sho.srs", "audit"):
        with pytest.raises(NotFound):
            handing_over.note_of(db.session, viewer(login), one.id, officer_id)


def test_eighty_officers_in_one_order(app):
    """80 officers change places between two stations; each of 20 among them hands ten complaints over."""
    with unit_of_work(viewer("admin"), now=NOW - timedelta(days=30)) as work:
        rank, made = world.master(Rank, "ASI"), []
        for i in range(80):
            unit = world.unit("HSR-PS01" if i % 2 else "HSR-PS02")
            one = Officer(name_en=f"Officer {i:02}", name_hi=f"अधिकारी {i:02}", rank=rank, unit=unit, belt_no=f"M{i}")
            work.session.add(one)
            work.session.flush()
            work.session.add(Posting(officer_id=one.id, unit_id=unit.id, post=Post.IO, valid_from=world.SINCE))
            made.append((one.id, unit.code))
    case = world.assigned()
    with unit_of_work(viewer("admin"), now=NOW) as work:
        work.session.get_one(Complaint, case.id).io_id = made[1][0]
    lines = [
        Line(officer_id=i, kind=LineKind.POSTED, start=TODAY, post=Post.IO,
             unit_id=world.unit("HSR-PS02" if at == "HSR-PS01" else "HSR-PS01").id)
        for i, at in made
    ]  # fmt: skip
    order(*lines)
    moved = db.session.scalar(select(func.count()).select_from(Posting).where(Posting.order_no == "12/2026"))
    assert moved == 80
    db.session.refresh(case)
    assert (case.io_id, case.status) == (None, Status.MARKED)


def test_the_history_tells_of_the_order(app):
    order(line("io2.hsr", "HSR-PS02", Post.IO))
    with db.engine.connect() as connection:
        assert integrity.verify(connection, app.extensions["cms_vault"]) == []
        rows = connection.execute(text("SELECT DISTINCT table_name FROM history WHERE actor = 'sp.hsr'")).scalars().all()
    assert {"proposal", "posting", "officer"} <= set(rows)


def test_charges_are_kept_apart(app):
    order(line("sho2.hsr", "HSR-PS01", Post.SHO, LineKind.COVER, end=TODAY + timedelta(days=4)))
    row = db.session.scalars(select(Posting).where(Posting.charge == Charge.COVER)).one()
    assert (row.valid_to, row.order_no) == (TODAY + timedelta(days=4), "12/2026")


def test_two_confirm_at_once_and_one_wins(app):
    one = propose(line("io2.hsr", "HSR-PS02", Post.IO))
    proposal_id, version = one.id, one.version
    deciders = [viewer(login) for login in ("sp.hsr", "dsp.hsr", "adgp", "admin")]

    def decide(number):
        with unit_of_work(deciders[number], now=NOW) as work:
            done = proposals.confirm(work, proposal_id, version)
            return done.id

    answers = at_once(app, decide, 4)
    assert answers.count(proposal_id) == 1
    assert all(isinstance(a, RuleBroken) for a in answers if a != proposal_id)
    assert held("io2.hsr") == {("HSR-PS02", "IO", "SUBSTANTIVE")}


def test_two_orders_for_one_post_at_once_leave_one_head(app):
    order(line("sho.hsr", kind=LineKind.RELIEVED))
    both = [propose(line(login, "HSR-PS01", Post.SHO), by="admin", number=str(n)) for n, login in enumerate(("io.srs", "io2.hsr"))]
    ids = [one.id for one in both]
    decider = viewer("adgp")

    def decide(number):
        with unit_of_work(decider, now=NOW) as work:
            return proposals.confirm(work, ids[number], None).id

    answers = at_once(app, decide, 2)
    assert len([a for a in answers if a in ids]) == 1
    assert [type(a) for a in answers if a not in ids] == [RuleBroken]
    heads = db.session.scalars(select(Posting.id).join(Unit).where(Unit.code == "HSR-PS01", Posting.post == Post.SHO,
                                                                  Posting.in_force(TODAY))).all()  # fmt: skip
    assert len(heads) == 1
