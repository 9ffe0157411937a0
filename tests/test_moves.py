"""The table of moves, and each move by the right person, by the wrong one, and what it does to the clocks."""

import io
import re
from datetime import date, timedelta
from itertools import pairwise

import pytest
import world
from PIL import Image
from sqlalchemy import func, select, text
from world import NOW, step

from cms.authz import PERMISSIONS
from cms.i18n import ist_day
from cms.models import (
    Action,
    ActionKind,
    Appeal,
    AppealResult,
    Attachment,
    Channel,
    Complaint,
    Consent,
    ConsentKind,
    Deadline,
    DeadlineChange,
    DeadlineKind,
    Decision,
    DecisionKind,
    Disposition,
    Document,
    DocumentKind,
    EnquiryReport,
    Hold,
    HoldReason,
    Holiday,
    LinkKind,
    Mode,
    Policy,
    Post,
    Request,
    Round,
    Span,
    Stay,
    db,
)  # fmt: skip
from cms.rules import ENDS, MOVES, OPEN, UNOFFERED, NotFound, RuleBroken, Status, due_at
from cms.services import (
    clocks,
    complaints,
    deliveries,
    documents,
    endings,
    enquiry,
    feedback,
    integrity,
    requests,
    rounds,
    tracking,
    transfers,
)  # fmt: skip
from cms.services.desk import Forbidden
from cms.unit_of_work import unit_of_work

DAY = timedelta(days=1)


# ---------------------------------------------------------------- the table itself


def test_every_status_is_reached_and_reaches_an_end() -> None:
    reached = {Status.REGISTERED}
    while new := {
        s.to for s in MOVES.values() if s.to and s.starts & reached
    } - reached:  # fmt: skip
        reached |= new
    assert reached == set(Status)
    ending = set(ENDS)
    while new := {
        status for s in MOVES.values() if s.to in ending for status in s.starts
    } - ending:  # fmt: skip
        ending |= new
    assert ending == set(Status)


def test_every_move_has_a_post_and_every_status_a_way_on() -> None:
    for move, row in MOVES.items():
        assert PERMISSIONS[row.needs], move
        assert row.starts, move
    for status in Status:
        offered = [m for m, s in MOVES.items() if status in s.starts and s.to is not None and m not in UNOFFERED]
        assert offered or status in ENDS, status


def test_nothing_but_the_table_writes_a_status() -> None:
    from pathlib import Path

    allowed = {"step.py", "complaints.py", "bulk.py"}
    root = Path(world.__file__).parents[1] / "cms"
    for path in root.rglob("*.py"):
        if path.name in allowed or {"demo", "importing"} & set(path.parts):
            continue
        assert not re.search(r"\.status = ", path.read_text()), path


# ---------------------------------------------------------------- clocks


def deadlines(case: Complaint, kind: DeadlineKind) -> list[Deadline]:
    query = select(Deadline).where(Deadline.complaint_id == case.id, Deadline.kind == kind).order_by(Deadline.id)
    return list(db.session.scalars(query))


def running(case: Complaint) -> set[str]:
    query = select(Deadline.kind).where(
        Deadline.complaint_id == case.id, Deadline.met_at.is_(None), Deadline.dropped_at.is_(None)
    )
    return {kind.name for kind in db.session.scalars(query)}


def test_clocks_follow_the_moves(app) -> None:
    case = world.registered()
    assert running(case) == {"OVERALL", "ASSIGN"}
    case = step("sho.hsr", complaints.assign, case, world.officer("io.hsr").id)
    assert running(case) == {"OVERALL", "FIRST_CONTACT", "ACTIVITY"}
    later = NOW + 2 * DAY
    case = step("io.hsr", complaints.act, case, ActionKind.NOTICE, later, "notice", now=later)
    assert running(case) == {"OVERALL", "FIRST_CONTACT", "ACTIVITY"}
    assert deadlines(case, DeadlineKind.ACTIVITY)[0].due_at == due_at(ist_day(later), 5)
    case = step("io.hsr", complaints.act, case, ActionKind.VISIT, later, "visit", now=later)
    assert running(case) == {"OVERALL", "ACTIVITY"}
    new = enquiry.NewReport(
        disposition_id=world.master(Disposition, "FILED").id, findings=world.findings(case), reasons="x"
    )
    case = step("io.hsr", enquiry.report, case, new, now=later)
    assert running(case) == {"OVERALL", "APPROVE"}
    case = step("sho.hsr", enquiry.give_back, case, "ask the neighbour", now=later)
    assert running(case) == {"OVERALL", "ACTIVITY"}
    case = step("io.hsr", enquiry.report, case, new, now=later)
    case = step("sho.hsr", enquiry.dispose, case, now=later)
    assert running(case) == {"DELIVER", "FEEDBACK"}
    report = documents.latest(db.session(), case.id, DocumentKind.REPORT)
    assert report is not None
    with unit_of_work(world.as_viewer("branch.hsr"), now=later) as work:
        deliveries.deliver(work, report.id, Channel.PRINT)
    assert running(case) == {"FEEDBACK", "APPEAL_WINDOW"}
    assert case.due_at == due_at(ist_day(NOW))


def test_a_holiday_rolls_the_due_date_and_says_so(app) -> None:
    with unit_of_work(world.SYSTEM) as work:
        work.session.add(Holiday(day=date(2026, 12, 9), name_en="Founder's day", name_hi="स्थापना दिवस"))
        work.session.add(Holiday(day=date(2026, 12, 10), name_en="Elsewhere", name_hi="अन्यत्र",
                                 district_id=world.unit("SRS").id))  # fmt: skip
    case = world.registered()
    assert ist_day(case.due_at) == date(2026, 12, 10)
    words = deadlines(case, DeadlineKind.OVERALL)[0].derivation(str)
    assert "15 calendar days" in words
    assert "Founder's day" in words


def test_the_most_specific_policy_in_force_counts(app) -> None:
    with unit_of_work(world.SYSTEM) as work:
        land, dak = world.master(world.Category, "LAND").id, world.master(Mode, "DAK").id
        say = {"kind": DeadlineKind.OVERALL, "span": Span.DAYS, "valid_from": date(2020, 1, 1)}
        work.session.add_all([
            Policy(**say, amount=20), Policy(**say, amount=10, category_id=land),
            Policy(**say, amount=7, category_id=land, mode_id=dak),
            Policy(**(say | {"valid_from": date(2027, 1, 1)}), amount=5, category_id=land),
            Policy(kind=DeadlineKind.PRELIMINARY, span=Span.DAYS, amount=14, valid_from=date(2020, 1, 1),
                   category_id=land),
        ])  # fmt: skip
    hand = world.registered(form_key="a")
    assert (ist_day(hand.due_at) - ist_day(NOW)).days == 10
    assert deadlines(hand, DeadlineKind.PRELIMINARY)[0].statutory
    post = world.registered(form_key="b", mode_id=world.master(Mode, "DAK").id, received_on=date(2026, 11, 20))
    assert ist_day(post.due_at) == date(2026, 11, 27)
    cyber = world.registered(form_key="c", category_id=world.master(world.Category, "CYBER").id)
    assert (ist_day(cyber.due_at) - ist_day(NOW)).days == 20


def test_working_days_and_hours() -> None:
    from datetime import UTC, datetime

    from cms.rules import Clock, count

    friday = datetime(2026, 11, 27, 6, tzinfo=UTC)
    end, _ = count(friday, Clock(2, Span.WORKING_DAYS), {date(2026, 11, 30)})
    assert ist_day(end) == date(2026, 12, 2)  # Saturday, Sunday and the holiday do not count
    assert count(friday, Clock(24, Span.HOURS), {})[0] == friday + DAY


# ---------------------------------------------------------------- hold and extension


def asked_hold(case: Complaint, days: int = 5, now=NOW) -> Complaint:
    reason = world.master(HoldReason, "FSL").id
    return step("io.hsr", requests.ask_hold, case, reason, ist_day(now) + days * DAY, "report awaited", now=now)


def test_a_hold_pauses_the_overall_clock_through_a_ledger(app) -> None:
    case = asked_hold(world.enquired())
    before = case.due_at
    with pytest.raises(Forbidden):
        step("io.hsr", requests.decide_hold, case, True)
    case = step("sho.hsr", requests.decide_hold, case, True)
    assert case.status is Status.ON_HOLD
    assert case.due_at == before + 5 * DAY
    with pytest.raises(RuleBroken, match="not possible"):
        step("io.hsr", complaints.act, case, ActionKind.CALL, None, "x")
    case = step("io.hsr", requests.resume, case, "it came", now=NOW + 2 * DAY)
    assert case.status is Status.UNDER_ENQUIRY
    assert case.due_at == before + 2 * DAY  # three days were not used
    changes = db.session.scalars(select(DeadlineChange).order_by(DeadlineChange.id)).all()
    assert [(c.old_due_at, c.new_due_at) for c in changes] == [
        (before, before + 5 * DAY), (before + 5 * DAY, before + 2 * DAY),
    ]  # fmt: skip
    assert deadlines(case, DeadlineKind.OVERALL)[0].first_due_at == before
    assert db.session.scalars(select(Hold)).one().ended_at == NOW + 2 * DAY


def test_a_hold_ends_by_itself_and_holds_up_no_other(app) -> None:
    case = step("sho.hsr", requests.decide_hold, asked_hold(world.enquired()), True)
    due = case.due_at
    assert requests.end_holds(NOW + 4 * DAY) == 0
    assert requests.end_holds(NOW + 5 * DAY) == 1
    case = db.session.get(Complaint, case.id)
    assert (case.status, case.due_at) == (Status.UNDER_ENQUIRY, due)
    assert requests.end_holds(NOW + 6 * DAY) == 0


@pytest.mark.parametrize("days", [0, 8])
def test_a_hold_has_its_limits(app, days) -> None:
    case = world.enquired()
    with pytest.raises(RuleBroken, match="at most"):
        asked_hold(case, days)
    late = NOW + 16 * DAY
    with pytest.raises(RuleBroken, match="time is over"):
        asked_hold(case, 3, now=late)


def test_a_refusal_must_say_why_and_moves_nothing(app) -> None:
    case = asked_hold(world.enquired())
    with pytest.raises(RuleBroken, match="Fill in"):
        step("sho.hsr", requests.decide_hold, case, False)
    due = case.due_at
    case = step("sho.hsr", requests.decide_hold, case, False, "go and ask again")
    assert (case.status, case.due_at) == (Status.UNDER_ENQUIRY, due)
    with pytest.raises(RuleBroken, match="no such request"):
        step("sho.hsr", requests.decide_hold, case, True)


def test_statutory_clocks_ignore_holds(app) -> None:
    with unit_of_work(world.SYSTEM) as work:
        work.session.add(Policy(kind=DeadlineKind.PRELIMINARY, span=Span.DAYS, amount=14, valid_from=date(2020, 1, 1)))
    case = asked_hold(world.enquired())
    before = deadlines(case, DeadlineKind.PRELIMINARY)[0].due_at
    step("sho.hsr", requests.decide_hold, case, True)
    assert deadlines(case, DeadlineKind.PRELIMINARY)[0].due_at == before


def test_extension_by_the_sp_then_by_the_adgp_then_never(app) -> None:
    case = world.enquired()
    before = case.due_at
    with pytest.raises(RuleBroken, match="Ask for 1 to"):
        step("io.hsr", requests.ask_extension, case, 16, "x")
    case = step("io.hsr", requests.ask_extension, case, 10, "the village is flooded")
    with pytest.raises(Forbidden):
        step("dsp.hsr", requests.decide_extension, case, True)
    case = step("sp.hsr", requests.decide_extension, case, True)
    assert case.due_at == before + 10 * DAY
    assert db.session.scalars(select(Document).where(Document.kind == DocumentKind.INTERIM)).one().complaint_id == case.id
    case = step("io.hsr", requests.ask_extension, case, 5, "still flooded")
    with pytest.raises(RuleBroken, match="is granted by"):
        step("sp.hsr", requests.decide_extension, case, True)
    case = step("adgp", requests.decide_extension, case, True)
    assert case.due_at == before + 15 * DAY
    with pytest.raises(RuleBroken, match="no third"):
        step("io.hsr", requests.ask_extension, case, 5, "x")
    assert deadlines(case, DeadlineKind.OVERALL)[0].first_due_at == before


def test_the_due_date_cannot_be_moved_past_the_ledger(app) -> None:
    case = world.enquired()
    for sql in (
        "UPDATE deadline SET due_at = '2030-01-01' WHERE kind = 'OVERALL'",
        "UPDATE deadline SET first_due_at = '2030-01-01'",
        "UPDATE complaint SET due_at = '2030-01-01'",
    ):
        with pytest.raises(Exception, match="refused"), db.engine.begin() as connection:
            connection.execute(text(sql))
    assert db.session.get(Complaint, case.id).due_at == due_at(ist_day(NOW))


# ---------------------------------------------------------------- report and approval


def test_a_report_needs_enquiry_findings_and_fields(app) -> None:
    case = world.enquired()
    fir = world.master(Disposition, "FIR").id
    say = {"disposition_id": fir, "findings": world.findings(case), "reasons": "x"}
    good = {"FIR_NO": "123", "FIR_DATE": "2026-11-24"}
    for wrong, sentence in (
        ({"findings": {}, "fields": good}, "finding for allegation"), ({"reasons": " "}, "Fill in"), ({}, "FIR number"),
        ({"fields": {"FIR_NO": "1", "FIR_DATE": "soon"}}, "not a date"),
        ({"fields": {"FIR_NO": "1", "FIR_DATE": "2027-01-01"}}, "after today"),
        ({"disposition_id": world.master(Disposition, "DUP").id}, "is recorded by"),
    ):  # fmt: skip
        with pytest.raises(RuleBroken) as refusal:
            step("io.hsr", enquiry.report, case, enquiry.NewReport(**(say | wrong)))
        assert sentence in str(refusal.value.message)[:80] or sentence in str(refusal.value.params)
    new = enquiry.NewReport(**say, fields=good)
    case = step("io.hsr", enquiry.report, case, new)
    case = step("sho.hsr", enquiry.dispose, case)
    assert case.disposal_text == "FIR number: 123\nDate of the FIR: 2026-11-24\nx"
    assert running(case) == {"DELIVER", "FEEDBACK", "PROGRESS"}
    case = step("io.hsr", feedback.inform, case, "charge sheet filed")
    assert "PROGRESS" not in running(case)


def test_returns_are_counted_and_the_last_report_counts(app) -> None:
    case = world.reported()
    for n in (1, 2):
        case = step("sho.hsr", enquiry.give_back, case, f"objection {n}")
        assert case.status is Status.RETURNED
        new = enquiry.NewReport(
            disposition_id=world.master(Disposition, "FILED").id, findings=world.findings(case), reasons=f"answer {n}"
        )
        case = step("io.hsr", enquiry.report, case, new)
    case = step("sho.hsr", enquiry.dispose, case)
    kinds = [d.kind for d in db.session.scalars(select(Decision).order_by(Decision.id))]
    assert kinds == [DecisionKind.RETURNED, DecisionKind.RETURNED, DecisionKind.APPROVED]
    assert case.disposal_text == "answer 2"
    assert db.session.scalar(select(func.count()).select_from(EnquiryReport)) == 3


def test_false_goes_up_to_the_rank_the_rule_names(app) -> None:
    case = world.reported(how="FALSE")
    with pytest.raises(RuleBroken, match="forward the report"):
        step("sho.hsr", enquiry.dispose, case)
    case = step("sho.hsr", enquiry.forward, case, "recommended")
    assert case.status is Status.WITH_APPROVER
    assert db.session.scalars(select(Stay).where(Stay.to_at.is_(None))).one().unit.code == "HSR-SD1"
    with pytest.raises(RuleBroken, match="only that office"):
        step("sho.hsr", enquiry.give_back, case, "no")
    case = step("dsp.hsr", enquiry.forward, case, "")
    case = step("sp.hsr", enquiry.dispose, case)
    assert case.status is Status.DISPOSED


def test_a_compromise_needs_the_complainants_own_word(app) -> None:
    case = world.reported(how="COMP")
    with pytest.raises(RuleBroken, match="own confirmation"):
        step("sho.hsr", enquiry.dispose, case)
    with unit_of_work(world.as_viewer("branch.hsr"), now=NOW) as work:
        endings.record_consent(work, case.id, ConsentKind.COMPROMISE, None, "file 12")
    assert step("sho.hsr", enquiry.dispose, case).status is Status.DISPOSED


def test_four_eyes_hold_in_the_database(app) -> None:
    world.reported()
    report = db.session.scalars(select(EnquiryReport)).one()
    sql = (
        "INSERT INTO decision (report_id, no, kind, author_id, officer_id, post, unit_id, at, text) "
        f"VALUES ({report.id}, 1, 'APPROVED', {{author}}, {report.officer_id}, 'SHO', 1, '2026-11-24', '')"
    )
    other = world.officer("sho.hsr").id
    for author in (report.officer_id, other):  # as oneself, or under another's name
        with pytest.raises(Exception, match=r"(?i)constraint|check|foreign"), db.engine.begin() as connection:
            connection.execute(text(sql.format(author=author)))


# ---------------------------------------------------------------- transfer, merge, withdraw, refer


def test_transfer_is_accepted_declined_or_comes_back(app) -> None:
    case = world.assigned()
    due, there = case.due_at, world.unit("SRS-PS01").id
    assert world.step("sho.hsr", transfers.transfer, case, there, "happened there").transfer_to_id == there
    case = db.session.get(Complaint, case.id)
    with pytest.raises(RuleBroken, match="wait for its answer"):
        step("io.hsr", complaints.act, case, ActionKind.CALL, None, "x")
    with pytest.raises(Forbidden):
        step("sho.hsr", transfers.accept, case)
    case = step("sho.srs", transfers.accept, case)
    assert (case.unit_id, case.io_id, case.status, case.due_at) == (there, None, Status.MARKED, due)
    with pytest.raises(NotFound):
        step("sho.hsr", complaints.mark, case, there, "x")
    back = world.unit("HSR-PS01").id
    case = step("sho.srs", transfers.transfer, case, back, "not ours either")
    with pytest.raises(RuleBroken, match="Fill in"):
        step("sho.hsr", transfers.decline, case, "")
    case = step("sho.hsr", transfers.decline, case, "it is theirs")
    assert case.unit.code == "SRS-SD1"
    case = step("sp.srs", transfers.transfer, case, back, "again")
    assert transfers.lapse(NOW + 2 * DAY) == 0
    assert transfers.lapse(NOW + 3 * DAY) == 1
    case = db.session.get(Complaint, case.id)
    assert (case.unit.code, case.transfer_to_id, case.due_at) == ("SRS", None, due)


def test_a_merged_number_keeps_working(app) -> None:
    first, second = world.registered(form_key="a"), world.assigned(form_key="b")
    with pytest.raises(RuleBroken, match="no other complaint"):
        step("sho.hsr", endings.merge, second, "HSR-2026-999999-1", "x")
    merged = step("sho.hsr", endings.merge, second, first.number, "same field, same night")
    assert merged.status is Status.MERGED
    assert not merged.is_open
    assert running(merged) == set()
    vault = app.extensions["cms_vault"]
    assert tracking.find(db.session(), vault, merged.number, vault.receipt_code(merged.id)).id == merged.id
    assert tracking.goes_on_as(merged).id == first.id
    with pytest.raises(RuleBroken, match="merged with another"):
        step("sho.hsr", endings.merge, first, merged.number, "x")
    third = world.registered(form_key="c")
    linked = step("sho.hsr", endings.connect, third, first.number, LinkKind.CROSS)
    assert linked.status is Status.MARKED


def test_withdrawal_needs_the_paper_and_a_second_officer(app) -> None:
    case = world.assigned()
    with pytest.raises(RuleBroken, match="own signed withdrawal"):
        step("sho.hsr", endings.withdraw, case, "they made peace")
    with unit_of_work(world.as_viewer("sho.hsr"), now=NOW) as work:
        endings.record_consent(work, case.id, ConsentKind.WITHDRAWAL, None, "file 3")
    with pytest.raises(RuleBroken, match="second officer"):
        step("sho.hsr", endings.withdraw, case, "they made peace")
    case = step("dsp.hsr", endings.withdraw, case, "they made peace")
    assert (case.status, running(case)) == (Status.WITHDRAWN, set())
    assert case.disposition.code == "WDN"


def test_never_closed_as_not_ours_without_an_acceptance(app) -> None:
    case = world.registered()
    with pytest.raises(RuleBroken, match="Fill in"):
        step("sho.hsr", transfers.refer, case, "Municipal committee", "", "street light")
    case = step("sho.hsr", transfers.refer, case, "Municipal committee", "no. 12 of 24.11.2026", "street light")
    assert case.status is Status.TRANSFERRED_OUT


# ---------------------------------------------------------------- directions and feedback


def test_a_direction_has_a_clock_and_an_answer(app) -> None:
    case = step("dsp.hsr", complaints.direct, world.enquired(), "record the neighbour", date(2026, 11, 26))
    clock = deadlines(case, DeadlineKind.COMPLY)[0]
    assert ist_day(clock.due_at) == date(2026, 11, 26)
    direction = db.session.scalar(text("SELECT id FROM direction"))
    with unit_of_work(world.as_viewer("dsp.hsr"), now=NOW) as work, pytest.raises(RuleBroken, match="who received"):
        complaints.comply(work, case.id, direction, "done")
    with unit_of_work(world.as_viewer("io.hsr"), now=NOW) as work:
        complaints.comply(work, case.id, direction, "recorded")
    assert deadlines(case, DeadlineKind.COMPLY)[0].met_at == NOW


def delivered(now=NOW, **changes) -> Complaint:
    case = world.disposed(now=now, **changes)
    report = documents.latest(db.session(), case.id, DocumentKind.REPORT)
    with unit_of_work(world.as_viewer("branch.hsr"), now=now) as work:
        deliveries.deliver(work, report.id, Channel.PRINT)
    return db.session.get(Complaint, case.id)


def test_three_days_of_trying_close_as_not_reached(app) -> None:
    case = delivered()
    for days in (1, 1, 2):
        case = step("feedback.hsr", feedback.attempt, case, "rang, no answer", now=NOW + days * DAY)
        assert case.status is Status.FEEDBACK
    case = step("feedback.hsr", feedback.attempt, case, "rang, no answer", now=NOW + 3 * DAY)
    assert (case.status, case.satisfied) == (Status.CLOSED, None)


# ---------------------------------------------------------------- rounds


def papered(case: Complaint, kind: ConsentKind) -> Complaint:
    with unit_of_work(world.as_viewer("branch.hsr"), now=NOW) as work:
        endings.record_consent(work, case.id, kind, None, "file 7")
    return db.session.get(Complaint, case.id)


def test_a_reopened_complaint_goes_to_a_higher_officer_who_never_handled_it(app) -> None:
    case = step("feedback.hsr", feedback.give_feedback, delivered(), False, "nobody came")
    with pytest.raises(RuleBroken, match="signed wish"):
        step("branch.hsr", rounds.reopen, case, "not satisfied")
    first_due = case.due_at
    case = step("branch.hsr", rounds.reopen, papered(case, ConsentKind.REOPENING), "not satisfied")
    assert (case.status, case.round, case.satisfied, case.disposition_id) == (Status.MARKED, 2, None, None)
    assert case.due_at == due_at(ist_day(NOW))
    first, second = db.session.scalars(select(Round).order_by(Round.no))
    assert (first.satisfied, first.disposition.code, first.disposed_by_id) == (False, "FILED", world.officer("sho.hsr").id)
    # The ASI enquired, the Inspector (SHO) disposed: the SI of the station is higher than the one and free of the other.
    assert second.chosen["officer"].endswith("Suresh Jangra")
    chosen = complaints.eligible_ios(db.session(), world.as_viewer("sho.hsr"), case, NOW)
    assert [o.name_en for o in chosen] == ["Suresh Jangra"]
    case = step("sho.hsr", complaints.assign, case, chosen[0].id)
    assert deadlines(case, DeadlineKind.OVERALL)[0].due_at == first_due
    assert len(deadlines(case, DeadlineKind.OVERALL)) == 2


def test_reopening_is_refused_with_who_is_barred_and_why(app) -> None:
    case = world.disposed(to="io2.hsr")
    with unit_of_work(world.SYSTEM, now=NOW) as work:
        for login in ("dsp.hsr", "sp.hsr", "adgp", "sho.srs", "sp.srs"):
            work.session.get_one(world.Officer, world.officer(login).id).active = False
        work.session.get_one(world.Officer, world.officer("sho2.hsr").id).active = False
    case = papered(db.session.get(Complaint, case.id), ConsentKind.REOPENING)
    with pytest.raises(RuleBroken) as refusal:
        step("branch.hsr", rounds.reopen, case, "not satisfied")
    said = str(refusal.value.params["who"])
    assert "Satish Kumar: handled this complaint before" in said
    assert "Ramesh Yadav: is not of higher rank" in said
    assert db.session.get(Complaint, case.id).round == 1


def test_the_window_closes_and_a_superior_may_still_act(app) -> None:
    case = papered(step("feedback.hsr", feedback.give_feedback, delivered(), False, "no"), ConsentKind.REOPENING)
    late = NOW + 40 * DAY
    with pytest.raises(RuleBroken, match="are over"):
        step("branch.hsr", rounds.reopen, case, "x", now=late)
    with pytest.raises(RuleBroken, match="superior of the unit"):
        step("sho.hsr", rounds.reopen, case, "x", True, now=late)
    assert step("sp.hsr", rounds.reopen, case, "new facts", True, now=late).round == 2


@pytest.mark.parametrize("result", list(AppealResult))
def test_an_appeal_lies_with_the_next_authority(app, result) -> None:
    case = papered(step("feedback.hsr", feedback.give_feedback, delivered(), False, "no"), ConsentKind.APPEAL)
    case = step("branch.hsr", rounds.appeal, case, "the finding is wrong")
    entered = db.session.scalars(select(Appeal)).one()
    assert (case.status, entered.post, entered.unit.code) == (Status.APPEALED, Post.DSP, "HSR-SD1")
    assert "APPEAL" in running(case)
    with pytest.raises(Forbidden):
        step("sho.hsr", rounds.hear, case, result, "x")
    case = step("dsp.hsr", rounds.hear, case, result, "heard both sides")
    allowed = result is AppealResult.ALLOWED
    assert (case.status, case.round) == ((Status.MARKED, 2) if allowed else (Status.CLOSED, 1))
    assert "APPEAL" not in running(case)
    assert documents.latest(db.session(), case.id, DocumentKind.APPEAL) is not None


# ---------------------------------------------------------------- time and diary


def test_every_second_belongs_to_one_desk(app) -> None:
    case = world.disposed()
    report = documents.latest(db.session(), case.id, DocumentKind.REPORT)
    with unit_of_work(world.as_viewer("branch.hsr"), now=NOW + 1 * DAY) as work:
        deliveries.deliver(work, report.id, Channel.PRINT)
    case = step("feedback.hsr", feedback.give_feedback, db.session.get(Complaint, case.id), True, "", now=NOW + 3 * DAY)
    stays = db.session.scalars(select(Stay).where(Stay.complaint_id == case.id).order_by(Stay.no)).all()
    assert stays[0].from_at == case.registered_at
    assert all(a.to_at == b.from_at for a, b in pairwise(stays))
    assert stays[-1].to_at == NOW + 3 * DAY
    assert sum(((s.to_at - s.from_at) for s in stays), timedelta()) == 3 * DAY


def test_a_correction_is_a_new_entry(app) -> None:
    case = world.enquired()
    wrong = db.session.scalars(select(Action).where(Action.kind == ActionKind.VISIT)).one()
    with pytest.raises(RuleBroken, match="which entry"):
        step("io.hsr", complaints.act, case, ActionKind.CORRECTION, None, "it was yesterday")
    case = step("io.hsr", complaints.act, case, ActionKind.CORRECTION, None, "it was yesterday", wrong.id)
    assert case.actions[-1].corrects_id == wrong.id
    assert db.session.get(Action, wrong.id).note == "मौका देखा।"


def test_a_form_sent_twice_is_done_once(app, sign_in) -> None:
    case = world.assigned()
    io = sign_in("io.hsr")
    said = {"form_key": "k" * 20, "kind": "CALL", "note": "rang him", "happened_at": ""}
    for _ in range(2):
        assert io.post(f"/admin/complaint/{case.id}/act/", said).status_code == 303
    assert db.session.scalar(select(func.count()).select_from(Action).where(Action.kind == ActionKind.CALL)) == 1


FORMS = (
    ("admin", "/admin/category/new/"), ("admin", "/admin/category/edit/?id=1"), ("branch.hsr", "/admin/complaint/new/"),
    ("branch.hsr", "/admin/complaint/{id}/handover/"), ("branch.hsr", "/admin/people/order/"), ("admin", "/admin/people/account/"),
    ("sho.hsr", "/admin/complaint/{id}/files/"), ("sp.hsr", "/admin/complaint/{id}/accused/"),
    ("sho.hsr", "/admin/complaint/{id}/assign/"), ("branch.hsr", "/admin/complaint/edit/?id={id}"),
)  # fmt: skip


@pytest.mark.parametrize(("login", "path"), FORMS)
def test_every_form_carries_a_key(app, sign_in, login, path) -> None:
    case = world.registered()
    page = sign_in(login).get(path.format(id=case.id)).text
    forms = re.findall(r"<form[^>]*method=\"post\".*?</form>", page, re.S)
    ours = [form for form in forms if "/logout" not in form]
    assert ours
    assert [form[:200] for form in ours if 'name="form_key"' not in form] == []


def test_a_list_row_entered_twice_is_one(app, sign_in) -> None:
    admin = sign_in("admin")
    said = {"form_key": "x" * 20, "code": "NEW", "name_en": "New", "name_hi": "नई", "active": "yes"}
    answers = [admin.post("/admin/category/new/", said).status_code for _ in range(2)]
    assert answers == [303, 303]
    assert db.session.scalar(select(func.count()).select_from(world.Category).where(world.Category.code == "NEW")) == 1


def test_open_and_is_open_agree_in_the_database(app) -> None:
    case = world.registered()
    for status in Status:
        sql = text(f"UPDATE complaint SET status = '{status.name}', is_open = :open WHERE id = {case.id}")
        with pytest.raises(Exception, match=r"(?i)constraint"), db.engine.begin() as connection:
            connection.execute(sql, {"open": status not in OPEN})


def test_the_chain_holds_after_a_long_life(app) -> None:
    case = papered(step("feedback.hsr", feedback.give_feedback, delivered(), False, "no"), ConsentKind.APPEAL)
    case = step("branch.hsr", rounds.appeal, case, "wrong")
    step("dsp.hsr", rounds.hear, case, AppealResult.ALLOWED, "look again")
    with db.engine.connect() as connection:
        assert integrity.verify(connection, app.extensions["cms_vault"]) == []
    assert db.session.scalar(select(func.count()).select_from(Request)) == 0
    assert clocks.overall(db.session(), db.session.get(Complaint, case.id)).round == 2


def picture() -> tuple[io.BytesIO, str]:
    made = io.BytesIO()
    Image.new("RGB", (40, 30), "red").save(made, "JPEG")
    return io.BytesIO(made.getvalue()), "spot.jpg"


def test_a_photograph_goes_with_the_entry_and_a_scan_is_the_proof_of_a_paper(app, sign_in) -> None:
    case = world.assigned()
    said = {"kind": "PHOTO", "note": "the broken ridge", "happened_at": "", "files": picture()}
    answer = sign_in("io.hsr").post(f"/admin/complaint/{case.id}/act/", said)
    assert answer.status_code == 303, answer.text
    kept = db.session.scalars(select(Attachment)).one()
    assert db.session.get(Action, kept.action_id).note == "the broken ridge"
    path = f"/admin/complaint/{case.id}/consent/"
    bare = {"kind": "WITHDRAWAL", "given_on": "", "note": ""}
    assert sign_in("branch.s1").post(path, bare).status_code == 422
    assert sign_in("branch.s1").post(path, {**bare, "files": picture()}).status_code == 303
    assert db.session.scalars(select(Consent)).one().attachment_id == kept.id


def test_a_file_that_may_not_come_in_leaves_no_entry(app, sign_in) -> None:
    case = world.assigned()
    said = {"kind": "VISIT", "note": "x", "happened_at": "", "files": (io.BytesIO(b"<html>"), "a.html")}
    answer = sign_in("io.hsr").post(f"/admin/complaint/{case.id}/act/", said)
    assert answer.status_code == 422
    assert db.session.scalar(select(func.count()).select_from(Action).where(Action.kind == ActionKind.VISIT)) == 0
