"""One complaint from the counter to the closed file, and what is refused on the way."""

from datetime import timedelta

import pytest
import world
from sqlalchemy import func, select, text

from cms.models import Complaint, Deadline, Disposition, Document, History, Party, db
from cms.rules import Conflict, Move, NotFound, RuleBroken, Status
from cms.services import complaints, enquiry, feedback, integrity, step
from cms.services.desk import Forbidden, complaint_for
from cms.unit_of_work import unit_of_work


def test_whole_thread(app):
    case = world.disposed()
    assert case.status is Status.DISPOSED
    assert not case.is_open
    assert case.number.startswith("HSR-2026-000001-")
    assert [a.kind.name for a in case.actions] == ["REGISTERED", "MARKED", "ASSIGNED", "VISIT", "REPORTED", "DISPOSED"]
    assert db.session.scalar(select(Deadline.met_at).where(Deadline.kind == "OVERALL")) == world.NOW
    with unit_of_work(world.as_viewer("feedback.hsr"), now=world.NOW) as work:
        feedback.give_feedback(work, case.id, case.version, True, "")
    assert db.session.get(Complaint, case.id).status is Status.CLOSED
    assert db.session.get(Complaint, case.id).satisfied is True
    assert {d.kind.name for d in db.session.scalars(select(Document))} == {"COPY", "REPORT"}
    with db.engine.connect() as connection:
        assert integrity.verify(connection, app.extensions["cms_vault"]) == []


def test_same_form_twice_is_one_complaint(app):
    values = world.new(form_key="once")
    numbers = set()
    for _ in range(2):
        with unit_of_work(world.as_viewer("branch.hsr"), now=world.NOW) as work:
            numbers.add(complaints.register(work, values).number)
    assert len(numbers) == 1
    assert db.session.scalar(select(func.count()).select_from(Complaint)) == 1


def test_refused_registration_gives_the_number_back(app):
    with pytest.raises(RuleBroken), unit_of_work(world.as_viewer("branch.hsr"), now=world.NOW) as work:
        complaints.register(work, world.new(phone="12"))
    assert world.registered().number.startswith("HSR-2026-000001-")


@pytest.mark.parametrize("login", ["sp.srs", "sho.srs", "io.srs", "sho2.hsr", "io2.hsr", "admin", "feedback.hsr"])
def test_outside_the_charge_nothing_is_found(app, login):
    case = world.assigned()
    with pytest.raises(NotFound), unit_of_work(world.as_viewer(login)) as work:
        complaints.mark(work, case.id, case.version, case.unit_id, "x")


@pytest.mark.parametrize("login", ["io.hsr", "branch.hsr", "audit"])
def test_wrong_post_may_not_dispose(app, login):
    case = world.reported()
    with pytest.raises(Forbidden), unit_of_work(world.as_viewer(login)) as work:
        enquiry.dispose(work, case.id, case.version)


def test_nobody_disposes_his_own_enquiry(app):
    case = world.assigned(to="sho.hsr", by="dsp.hsr")
    with unit_of_work(world.as_viewer("sho.hsr"), now=world.NOW) as work:
        case = complaints.act(work, case.id, None, world.ActionKind.VISIT, world.NOW, "seen")
    with unit_of_work(world.as_viewer("dsp.hsr"), now=world.NOW) as work:
        case = complaints.assign(work, case.id, case.version, world.officer("io.hsr").id)
    with unit_of_work(world.as_viewer("io.hsr"), now=world.NOW) as work:
        case = complaints.act(work, case.id, None, world.ActionKind.VISIT, world.NOW, "seen")
    how = world.master(Disposition, "FILED").id
    new = enquiry.NewReport(disposition_id=how, findings=world.findings(case), reasons="x")
    case = world.step("io.hsr", enquiry.report, case, new)
    with pytest.raises(RuleBroken, match="another officer"):
        world.step("sho.hsr", enquiry.dispose, case)
    assert world.step("dsp.hsr", enquiry.dispose, case).status is Status.DISPOSED


def test_stale_version_is_a_conflict(app):
    case = world.registered()
    with unit_of_work(world.as_viewer("sp.hsr"), now=world.NOW) as work:
        complaints.mark(work, case.id, 1, world.unit("HSR-PS02").id, "take it")
    with pytest.raises(Conflict), unit_of_work(world.as_viewer("sp.hsr")) as work:
        complaints.mark(work, case.id, 1, world.unit("HSR-PS01").id, "no, you")


def test_accused_station_sees_nothing_and_the_case_goes_up(app):
    accused = complaints.AccusedNamed(officer_id=world.officer("io.hsr").id)
    case = world.registered(accused=(accused,))
    assert case.restricted
    assert case.unit.code == "HSR-SD1"
    for login in ("sho.hsr", "io.hsr", "branch.s1"):
        with pytest.raises(NotFound), unit_of_work(world.as_viewer(login)) as work:
            complaint_for(work, "read", case.id)
    with unit_of_work(world.as_viewer("dsp.hsr")) as work:
        assert complaint_for(work, "read", case.id).id == case.id


def test_offered_moves_follow_post_and_status(app):
    case = world.enquired()
    mine = {Move.ACT, Move.COMPLY, Move.ASK_HOLD, Move.ASK_EXTENSION, Move.REPORT}
    assert set(step.offered(world.as_viewer("io.hsr"), case)) == mine
    head = {Move.ASSIGN, Move.ACT, Move.DIRECT, Move.COMPLY, Move.HOLD, Move.TRANSFER, Move.REFER, Move.MERGE,
            Move.WITHDRAW}  # fmt: skip
    assert set(step.offered(world.as_viewer("sho.hsr"), case)) == head
    assert Move.EXTEND in step.offered(world.as_viewer("sp.hsr"), case)
    assert step.offered(world.as_viewer("branch.hsr"), case) == [Move.MERGE]
    case = world.reported(form_key="second")
    assert {Move.RETURN, Move.FORWARD, Move.DISPOSE} <= set(step.offered(world.as_viewer("sho.hsr"), case))
    assert set(step.offered(world.as_viewer("io.hsr"), case)) == {Move.COMPLY}


def test_history_hides_personal_values_and_finds_a_forger(app, tmp_path):
    case = world.registered()
    said = " ".join(db.session.scalars(select(History.changes)))
    assert "रामफल" not in said
    assert "+919999900001" not in said
    integrity.seal(tmp_path)
    vault = app.extensions["cms_vault"]
    with db.engine.connect() as connection:
        assert integrity.verify(connection, vault, tmp_path) == []
    assert case.history_seq >= 3


def test_deleting_is_refused_by_the_database(app):
    world.registered()
    for table in ("complaint", "party", "action", "history"):
        with pytest.raises(Exception, match="refused"), db.engine.begin() as connection:
            connection.execute(text(f"DELETE FROM {table}"))
    assert db.session.scalar(select(func.count()).select_from(Party)) == 1


def test_clock_is_not_moved_by_anything(app):
    case = world.disposed()
    with pytest.raises(Exception, match="refused"), db.engine.begin() as connection:
        connection.execute(text("UPDATE deadline SET due_at = '2030-01-01' WHERE kind = 'OVERALL'"))
    with pytest.raises(Exception, match="refused"), db.engine.begin() as connection:
        connection.execute(text("UPDATE complaint SET due_at = '2030-01-01'"))
    assert case.due_at - world.NOW > timedelta(days=15)
