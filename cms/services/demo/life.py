"""The life of a demo complaint to today, with every row that the use cases would have written."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, time, timedelta
from random import Random

from cms.i18n import IST, ist_day
from cms.models import (
    ActionKind,
    Allegation,
    Assignment,
    Deadline,
    DocumentKind,
    Feedback,
    Reminder,
)  # fmt: skip
from cms.rules import RUNGS, Finding, Post, Rung, Status, rung_day
from cms.services.demo.case import (
    STATIONS,
    Case,
    begin,
    first,
    hand_copy,
    hand_over,
    paper,
    people,
    start,
)  # fmt: skip
from cms.services.demo.staff import Man
from cms.services.demo.texts import dotted
from cms.services.demo.world import World

FORTY_EIGHT = timedelta(hours=48)

FINDINGS: Mapping[str, Finding] = {
    "FIR": Finding.SUBSTANTIATED, "NCR": Finding.SUBSTANTIATED, "PREV": Finding.SUBSTANTIATED,
    "OFFR": Finding.SUBSTANTIATED, "COMP": Finding.PARTLY, "FALSE": Finding.EXONERATED,
}  # fmt: skip
"""What was found, by how the enquiry ended; otherwise not substantiated."""

BETWEEN_TWO = frozenset({"COMP", "PREV", "CIVIL"})
"""Endings that need a known opposite party, and that no grave matter may have."""

GRAVE = frozenset({"WOMEN", "CHILDREN", "SCST", "SECURITY", "CYBER_FIN", "CYBER_OTH", "JOB_FRAUD"})
"""Categories that are never settled between the parties."""

ENQUIRIES = (
    ActionKind.VISIT, ActionKind.VISIT, ActionKind.STATEMENT, ActionKind.STATEMENT,
    ActionKind.CALL, ActionKind.NOTICE, ActionKind.DOCUMENT, ActionKind.OTHER,
)  # fmt: skip


def live(world: World, rng: Random, at: datetime) -> Case:
    """A complaint registered at that moment, and what became of it by ``world.now``.

    The number is still missing: it follows from the district's series.
    """
    case = begin(world, rng, at)
    people(case)
    start(case)
    hand_copy(case)
    for step in (mark, assign, enquire, dispose, deliver, ask):
        if not step(case):
            break
    remind(case)
    return case


# ---------------------------------------------------------------- steps; False: not come to it yet


def mark(case: Case) -> bool:
    """The district office sends it to the station, or above the accused."""
    if case.desk.kind in STATIONS:
        return True
    moment = case.later(0.05, 2.5)
    if moment is None or (case.end is None and case.rng.random() < 0.03):
        return False
    case.at = moment
    staff = case.world.staff
    target = staff.above(case.place) if case.accused else case.place
    case.dossier.complaint["unit_id"] = target.id
    case.move(Status.MARKED)
    note = case.world.texts.note(case.rng, case.told, case.lang, "MARKED")
    case.note(ActionKind.MARKED, note, staff.head(case.desk)[0])
    return True


def assign(case: Case) -> bool:
    """The station head names the IO; some wait for days."""
    staff, rng = case.world.staff, case.rng
    waits = case.end is None and rng.random() < 0.12
    moment = case.later(4, 60) if waits else case.later(0.05, 1.8)
    if moment is None:
        return False
    man = senior(case) if case.accused else rng.choice(staff.at(case.place.id, Post.IO))
    if man is None:
        return False
    case.at, case.io = moment, man
    case.dossier.complaint["io_id"] = man.id
    case.move(Status.ASSIGNED)
    head = staff.head(staff.places[case.dossier.complaint["unit_id"]])[0]
    case.dossier.add(
        Assignment, officer_id=man.id, unit_id=case.dossier.complaint["unit_id"],
        assigned_at=case.at, assigned_by_id=head.user_id,
    )  # fmt: skip
    case.note(ActionKind.ASSIGNED, man.called, head)
    return True


def senior(case: Case) -> Man | None:
    """For a complaint against an officer: the head of another station under the same superior."""
    staff = case.world.staff
    if case.accused is None or case.accused in staff.at(case.place.id, Post.SHO):
        return None
    above = staff.above(case.place)
    others = [
        man
        for (unit_id, post), men in staff.seats.items()
        if post is Post.SHO and unit_id != case.place.id and above.id in staff.places[unit_id].line
        and case.place.id not in staff.places[unit_id].line
        for man in men
    ]  # fmt: skip
    return case.rng.choice(others) if others else None


def enquire(case: Case) -> bool:
    """One to three entries, all before the disposal."""
    rng = case.rng
    until = case.end
    for _ in range(rng.choice((1, 1, 2, 2, 3))):
        room = max((until - case.at) / timedelta(days=1), 0.02) / 2 if until else 9.0
        moment = case.later(room / 4, room)
        if moment is None:
            break
        case.at = moment
        case.move(Status.UNDER_ENQUIRY)
        kind = rng.choice(ENQUIRIES)
        case.told.facts["date1"] = dotted(ist_day(moment) + timedelta(days=3))
        note = case.world.texts.note(rng, case.told, case.lang, kind.name)
        logged = min(moment + timedelta(minutes=rng.randrange(5, 300)), case.world.now)
        case.note(kind, note, case.io, logged)
    direct(case)
    return case.dossier.complaint["status"] is Status.UNDER_ENQUIRY


def direct(case: Case) -> None:
    """A superior asks why it takes so long."""
    due = case.dossier.complaint["due_at"]
    if case.end is not None or case.accused or case.rng.random() > 0.12:
        return
    moment = due + FORTY_EIGHT
    if not case.at < moment < case.world.now:
        return
    case.at = moment
    note = case.world.texts.note(case.rng, case.told, case.lang, "DIRECTION")
    case.note(ActionKind.DIRECTION, note, case.world.staff.head(case.world.staff.above(case.place))[0])


def dispose(case: Case) -> bool:
    """The head or his superior closes the enquiry, with the finding and its reasons."""
    if case.end is None:
        return False
    moment = max(case.end, case.at + timedelta(minutes=20))
    if moment >= case.world.now:
        return False
    case.at = case.disposed_at = moment
    world, complaint = case.world, case.dossier.complaint
    code = ending(case)
    case.told.facts["date1"] = dotted(ist_day(moment))
    said = world.texts.disposal(case.rng, case.told, case.lang, code)
    allegation = case.dossier.rows[Allegation][0]
    allegation.update(finding=FINDINGS.get(code, Finding.NOT_SUBSTANTIATED), reasons=said)
    head = approver(case)
    complaint.update(
        disposition_id=world.disposals[code].id, disposal_text=said,
        disposed_on=ist_day(moment), disposed_by_id=head.id,
    )  # fmt: skip
    case.move(Status.DISPOSED)
    case.dossier.rows[Deadline][0]["met_at"] = moment
    case.note(ActionKind.DISPOSED, f"{world.disposals[code].name_en}: {said}", head)
    paper(case, DocumentKind.REPORT, head)
    return True


def approver(case: Case) -> Man:
    """The head of the unit, sometimes his superior, and never who enquired himself."""
    staff = case.world.staff
    unit = staff.places[case.dossier.complaint["unit_id"]]
    head = staff.head(staff.above(unit) if case.rng.random() < 0.15 else unit)[0]
    return head if head != case.io else staff.head(staff.above(unit))[0]


def ending(case: Case) -> str:
    """How the enquiry ended; departmental action is for officers, and land goes to the civil court."""
    if case.accused:
        return "OFFR" if case.rng.random() < 0.3 else "UNF"
    code = case.world.disposal.draw(case.rng)
    grave = case.category in GRAVE or not case.told.against
    if grave and code in BETWEEN_TWO:
        return "FIR"
    if code == "OFFR" or (code == "ANON" and case.rng.random() < 0.9):
        return "FILED"
    return "CIVIL" if case.category == "LAND" and case.rng.random() < 0.3 else code


def deliver(case: Case) -> bool:
    """The report reaches the complainant."""
    moment = case.later(0.1, 4)
    if moment is None or case.rng.random() < 0.04:
        return False
    case.at = moment
    hand_over(case, DocumentKind.REPORT, first(case.world.staff.at(case.desk.id, Post.BRANCH)))
    case.move(Status.REPORT_DELIVERED)
    return True


def ask(case: Case) -> bool:
    """The feedback cell calls: satisfied, not satisfied, or nobody answers on three days."""
    cell = first(case.world.staff.at(case.place.district or 0, Post.FEEDBACK))
    lot = case.rng.random()
    satisfied = None if lot < 0.1 else lot < 0.82
    for _ in range(3 if satisfied is None else 1):
        moment = case.later(1, 4)
        if moment is None:
            return False
        case.at = moment
        if satisfied is None:
            note = case.world.texts.note(case.rng, case.told, case.lang, "NOANSWER")
            case.note(ActionKind.CALL, note, cell)
    if satisfied is None:
        return False
    reason = case.world.texts.answer(case.rng, case.lang, satisfied)
    case.dossier.complaint["satisfied"] = satisfied
    case.dossier.add(
        Feedback, satisfied=satisfied, reason=reason, at=case.at,
        user_id=cell.user_id if cell else None,
    )  # fmt: skip
    case.move(Status.CLOSED)
    case.note(ActionKind.FEEDBACK, reason, cell)
    return True


def remind(case: Case) -> None:
    """Rungs that fired before today, so that the sweep finds today's to do and no old ones."""
    complaint, staff = case.dossier.complaint, case.world.staff
    today = ist_day(case.world.now)
    unit = staff.places[complaint["unit_id"]]
    for rung in Rung:
        day = rung_day(complaint["due_at"], rung)
        fired = datetime.combine(day, time(9), IST)
        closed = case.disposed_at is not None and case.disposed_at < fired
        if day >= today or closed or fired < complaint["registered_at"]:
            continue
        if Post.IO in RUNGS[rung][1] and case.io:
            man, post = case.io, Post.IO
        else:
            man, post = staff.head(unit)
        case.dossier.add(
            Reminder, deadline_id=0, rung=rung, fired_at=fired, officer_id=man.id, post=post
        )
