"""The life of a complaint, step by step: register, mark, assign, act, dispose, feedback."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

import phonenumbers
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from cms.authz import COMMAND, DESK, ENQUIRERS, allowed, under
from cms.i18n import _l, ist_day
from cms.models import (
    ENQUIRY,
    Accused,
    Action,
    ActionKind,
    Allegation,
    Assignment,
    Category,
    Complaint,
    Deadline,
    DeadlineKind,
    Disposition,
    Feedback,
    Kind,
    Language,
    Mode,
    Officer,
    Party,
    PartyRole,
    Posting,
    Priority,
    Source,
    Unit,
)  # fmt: skip
from cms.rules import (
    CLOCK_DAYS,
    MOVES,
    OPEN,
    Finding,
    Move,
    RuleBroken,
    Status,
    Viewer,
    check_move,
    due_at,
    receipt_day,
)  # fmt: skip
from cms.services import conflict, documents, people
from cms.services.desk import complaint_for, fetch, filled, one_of, optional, require
from cms.services.numbering import lock_series, next_number
from cms.unit_of_work import Work

STATIONS = (Kind.POLICE_STATION, Kind.POLICE_POST)
NEEDED: Mapping[Move, str] = {
    Move.MARK: "mark", Move.ASSIGN: "assign", Move.ACT: "act", Move.DISPOSE: "dispose",
    Move.DELIVER: "deliver", Move.FEEDBACK: "feedback",
}  # fmt: skip
"""Move -> the permission it needs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccusedNamed:
    """A police officer or unit complained against, as far as the complainant can say."""

    officer_id: int | None = None
    unit_id: int | None = None
    described: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewComplaint:
    """What the counter takes down. ``form_key`` makes a repeated submit find the first one."""

    name: str
    phone: str
    subject: str
    text: str
    category_id: int | None
    mode_id: int | None
    source_id: int | None
    form_key: str
    language: Language = Language.HI
    email: str = ""
    address: str = ""
    priority: Priority = Priority.ROUTINE
    received_on: date | None = None
    place: str = ""
    incident_on: date | None = None
    unit_id: int | None = None
    opposite: str = ""
    accused: tuple[AccusedNamed, ...] = ()


def register(work: Work, new: NewComplaint) -> Complaint:
    """Take in a complaint: number, clock, first diary entries and the copy, in one transaction.

    The same ``form_key`` gives back the complaint already registered. RuleBroken names the field
    that is missing or wrong; Forbidden if the actor's post may not register.
    """
    require(work, "register")
    seat = work.actor.at(*DESK)[0]
    desk = work.session.get_one(Unit, seat.unit_id)
    unit = one_of(work, Unit, new.unit_id, _l("Station")) if new.unit_id else desk
    if unit.district_id is None:
        raise RuleBroken(_l("Choose the station or district that is to act on it."))
    lock_series(work, unit)
    done = work.session.scalar(select(Complaint).where(Complaint.form_key == new.form_key))
    if done is not None:
        return fetch(work, Complaint, done.id)
    complaint = build(work, new, desk, unit)
    add_people(work, complaint, new)
    conflict.bar(work, complaint)
    start_clock(work, complaint)
    note(work, complaint, ActionKind.REGISTERED, complaint.subject or "")
    if complaint.status is Status.MARKED:
        note(work, complaint, ActionKind.MARKED, complaint.unit.name_en)
    documents.issue_copy(work, complaint)
    return complaint


def build(work: Work, new: NewComplaint, desk: Unit, unit: Unit) -> Complaint:
    """The complaint row itself, checked field by field."""
    mode = one_of(work, Mode, new.mode_id, _l("Mode"))
    received = ist_day(work.now) if mode.walk_in else new.received_on or ist_day(work.now)
    _bare, wrapped = work.vault.new_record_key()
    complaint = Complaint(
        number=next_number(work, unit),
        subject=filled(new.subject, _l("Subject"), 200),
        text=filled(new.text, _l("Complaint, in the complainant's words"), 20_000),
        language=new.language,
        category=one_of(work, Category, new.category_id, _l("Category")),
        priority=new.priority,
        mode=mode,
        source=one_of(work, Source, new.source_id, _l("Source")),
        place=optional(new.place, _l("Place"), 160),
        incident_on=not_after(new.incident_on, ist_day(work.now)),
        district_id=unit.district_id,
        unit=unit,
        registered_unit=desk,
        status=Status.MARKED if unit.kind in STATIONS else Status.REGISTERED,
        is_open=True,
        received_on=receipt_day(received, work.now),
        registered_at=work.now,
        due_at=due_at(received),
        registered_by_id=work.actor.user_id,
        form_key=filled(new.form_key, _l("Form"), 64),
        history_key=wrapped,
    )
    work.session.add(complaint)
    work.session.flush()
    return complaint


def not_after(day: date | None, today: date) -> date | None:
    """RuleBroken if the incident lies in the future."""
    if day is not None and day > today:
        raise RuleBroken(_l("The date of incident cannot be after today."))
    return day


def phone_number(text: str | None) -> str | None:
    """A mobile in international form, +91 when no country is given. RuleBroken if impossible."""
    value = optional(text, _l("Mobile"), 30)
    if value is None:
        return None
    try:
        parsed = phonenumbers.parse(value, "IN")
    except phonenumbers.NumberParseException:
        parsed = None
    if parsed is None or not phonenumbers.is_possible_number(parsed):
        raise RuleBroken(_l("“%(phone)s” is not a phone number; give ten digits."), phone=value)
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


def add_people(work: Work, complaint: Complaint, new: NewComplaint) -> None:
    """Complainant, opposite party, officers complained against, and the first allegation."""
    add = work.session.add
    add(
        Party(
            complaint_id=complaint.id,
            role=PartyRole.COMPLAINANT,
            name=filled(new.name, _l("Name"), 120),
            phone=phone_number(new.phone),
            email=optional(new.email, _l("E-mail"), 120),
            address=optional(new.address, _l("Address"), 300),
        )
    )
    if opposite := optional(new.opposite, _l("Opposite party"), 120):
        add(Party(complaint_id=complaint.id, role=PartyRole.OPPOSITE, name=opposite))
    for named in new.accused:
        add(accused_link(work, complaint, named))
    add(Allegation(complaint_id=complaint.id, no=1, what=complaint.subject))
    work.session.flush()


def accused_link(work: Work, complaint: Complaint, named: AccusedNamed) -> Accused:
    """An accused link. RuleBroken if it names nobody or somebody who does not exist."""
    officer = work.session.get(Officer, named.officer_id) if named.officer_id else None
    unit = work.session.get(Unit, named.unit_id) if named.unit_id else None
    described = optional(named.described, _l("Complained against"), 200) or ""
    if (named.officer_id and not officer) or (named.unit_id and not unit):
        raise RuleBroken(
            _l("Choose a value from the list for “%(field)s”."), field=_l("Complained against")
        )
    if not (officer or unit or described):
        raise RuleBroken(_l("Say who is complained against."))
    return Accused(
        complaint_id=complaint.id, officer=officer, unit=unit, described=described,
        restricts=bool(officer or unit),
    )  # fmt: skip


def start_clock(work: Work, complaint: Complaint) -> None:
    """The overall deadline of this round; copied to the complaint for the lists."""
    deadline = Deadline(
        complaint_id=complaint.id,
        round=complaint.round,
        kind=DeadlineKind.OVERALL,
        started_on=complaint.received_on,
        days=CLOCK_DAYS,
        due_at=due_at(complaint.received_on),
    )
    work.session.add(deadline)
    complaint.due_at = deadline.due_at


def stop_clock(work: Work, complaint: Complaint) -> None:
    """The overall deadline is met; no rung fires after this."""
    deadline = work.session.scalar(
        select(Deadline).where(
            Deadline.complaint_id == complaint.id,
            Deadline.round == complaint.round,
            Deadline.kind == DeadlineKind.OVERALL,
            Deadline.met_at.is_(None),
        )
    )
    if deadline is not None:
        deadline.met_at = work.now


def note(
    work: Work, complaint: Complaint, kind: ActionKind, text: str, at: datetime | None = None
) -> Action:
    """An entry of the diary, with both times."""
    action = Action(
        complaint_id=complaint.id,
        round=complaint.round,
        kind=kind,
        happened_at=at or work.now,
        logged_at=work.now,
        note=text,
        officer_id=work.actor.officer_id,
        user_id=work.actor.user_id,
    )
    work.session.add(action)
    return action


def move(complaint: Complaint, step: Move) -> None:
    """Take a step in the table of moves, or refuse it with a sentence."""
    complaint.status = check_move(step, complaint.status)
    complaint.is_open = complaint.status in OPEN


def mark(work: Work, complaint_id: int, version: int, unit_id: int | None, order: str) -> Complaint:
    """Send it to a station with a written order."""
    complaint = complaint_for(work, "mark", complaint_id, version)
    unit = one_of(work, Unit, unit_id, _l("Station"))
    if unit.district_id is None:
        raise RuleBroken(_l("Mark it to a station or district, not above."))
    conflict.check_unit(work, complaint, unit)
    text = filled(order, _l("Order"), 2_000)
    move(complaint, Move.MARK)
    complaint.unit = unit
    note(work, complaint, ActionKind.MARKED, text)
    return complaint


def assign(
    work: Work, complaint_id: int, version: int, officer_id: int | None, text: str = ""
) -> Complaint:
    """Name the investigating officer; a second assignment replaces the first and is recorded."""
    complaint = complaint_for(work, "assign", complaint_id, version)
    chosen = {o.id: o for o in eligible_ios(work.session, work.actor, complaint, work.now)}
    officer = chosen.get(officer_id or 0)
    if officer is None:
        raise RuleBroken(_l("Choose an officer who is posted under you and is not complained against."))
    if complaint.io_id == officer.id:
        raise RuleBroken(_l("%(officer)s is the investigating officer already."), officer=officer)
    move(complaint, Move.ASSIGN)
    complaint.io = officer
    work.session.add(
        Assignment(
            complaint_id=complaint.id, round=complaint.round, officer_id=officer.id,
            unit_id=complaint.unit_id, assigned_at=work.now, assigned_by_id=work.actor.user_id,
        )
    )  # fmt: skip
    reason = optional(text, _l("Note"), 2_000)
    note(work, complaint, ActionKind.ASSIGNED, " · ".join(filter(None, [io_name(officer), reason])))
    return complaint


def io_name(officer: Officer) -> str:
    """Rank and name for the diary, the same in every language."""
    return f"{officer.rank.short_en} {officer.name_en}"


def eligible_ios(
    session: Session, viewer: Viewer, complaint: Complaint, now: datetime
) -> list[Officer]:
    """Officers in an IO or SHO post under both the viewer and the complaint's unit, unbarred."""
    inside = under(Unit.path, viewer.at(*COMMAND))
    query = (
        select(Officer)
        .join(Posting)
        .join(Unit, Posting.unit_id == Unit.id)
        .where(
            Posting.post.in_(ENQUIRERS), Posting.in_force(ist_day(now)), Officer.active,
            inside, Unit.path.startswith(complaint.unit.path, autoescape=True),
            Officer.id != viewer.officer_id,
            Officer.id.not_in(
                select(Accused.officer_id).where(
                    Accused.complaint_id == complaint.id, Accused.officer_id.is_not(None)
                )
            ),
        )
        .options(joinedload(Officer.rank), joinedload(Officer.unit))
        .order_by(Officer.name_en, Officer.id)
        .distinct()
    )  # fmt: skip
    barred = people.barred_units(session, complaint.id)
    return [o for o in session.scalars(query) if not (o.unit and barred & set(people.line_of(o.unit)))]


def act(
    work: Work, complaint_id: int, version: int | None, kind: ActionKind,
    happened_at: datetime | None, text: str,
) -> Complaint:  # fmt: skip
    """Log what was done. A direction by a superior leaves the status as it is."""
    complaint = complaint_for(work, "act", complaint_id, version)
    if kind is ActionKind.DIRECTION:
        if not allowed(work.actor, "assign", complaint):
            raise RuleBroken(_l("A direction is given by the SHO or a superior."))
        check_open(complaint)
    elif kind in ENQUIRY:
        move(complaint, Move.ACT)
    else:
        raise RuleBroken(_l("Choose what was done from the list."))
    at = happened_at or work.now
    if at > work.now:
        raise RuleBroken(_l("The time of the action cannot be in the future."))
    if ist_day(at) < complaint.received_on:
        raise RuleBroken(_l("The action cannot be earlier than the complaint."))
    note(work, complaint, kind, filled(text, _l("Note"), 4_000), at)
    return complaint


def check_open(complaint: Complaint) -> None:
    """RuleBroken if the complaint is disposed."""
    if complaint.status not in OPEN:
        raise RuleBroken(_l("The complaint is disposed; nothing is added to its enquiry."))


def dispose(
    work: Work, complaint_id: int, version: int, disposition_id: int | None,
    findings: Mapping[int, tuple[Finding, str]], reasons: str, details: str = "",
) -> Complaint:  # fmt: skip
    """Close the enquiry with a finding and reasons for each allegation; the report follows.

    Four eyes: whoever was IO in any round is refused here and by the database.
    """
    complaint = complaint_for(work, "dispose", complaint_id, version)
    check_four_eyes(work, complaint)
    disposition = one_of(work, Disposition, disposition_id, _l("Disposition"))
    said = filled(reasons, _l("Reasons of disposal"), 5_000)
    if disposition.requires:
        said = f"{filled(details, disposition.requires, 500)}\n{said}"
    check_enquired(work, complaint)
    find(complaint, findings)
    move(complaint, Move.DISPOSE)
    complaint.disposition = disposition
    complaint.disposal_text = said
    complaint.disposed_on = ist_day(work.now)
    complaint.disposed_by_id = work.actor.officer_id
    stop_clock(work, complaint)
    note(work, complaint, ActionKind.DISPOSED, f"{disposition.name_en}: {said}")
    work.session.flush()
    documents.issue_report(work, complaint)
    return complaint


def check_four_eyes(work: Work, complaint: Complaint) -> None:
    """RuleBroken if the actor ever was IO of this complaint: he neither disposes nor asks."""
    query = select(Assignment.id).where(
        Assignment.complaint_id == complaint.id, Assignment.officer_id == work.actor.officer_id
    )
    if work.session.scalar(query.limit(1)) is not None:
        raise RuleBroken(_l("You enquired into this complaint; another officer must take this step."))


def check_enquired(work: Work, complaint: Complaint) -> None:
    """RuleBroken unless an enquiry action was logged in this round."""
    query = select(Action.id).where(
        Action.complaint_id == complaint.id,
        Action.round == complaint.round,
        Action.kind.in_(ENQUIRY),
    )
    if work.session.scalar(query.limit(1)) is None:
        raise RuleBroken(_l("Record at least one enquiry action before disposal."))


def find(complaint: Complaint, findings: Mapping[int, tuple[Finding, str]]) -> None:
    """Write the finding and reasons of every allegation. RuleBroken if one is missing."""
    for allegation in complaint.allegations:
        finding, why = findings.get(allegation.id, (None, ""))
        if finding is None or finding is Finding.UNDECIDED:
            raise RuleBroken(_l("Give a finding for allegation %(no)s."), no=allegation.no)
        allegation.finding = finding
        allegation.reasons = filled(why, _l("Reasons"), 2_000)


def give_feedback(
    work: Work, complaint_id: int, version: int, satisfied: bool | None, reason: str
) -> Complaint:
    """Record the complainant's answer, once per round; a "no" must say why."""
    complaint = complaint_for(work, "feedback", complaint_id, version)
    if satisfied is None:
        raise RuleBroken(_l("Choose whether the complainant is satisfied."))
    check_four_eyes(work, complaint)
    said = optional(reason, _l("Reason"), 2_000) or ""
    if not satisfied and not said:
        raise RuleBroken(_l("Write down why the complainant is not satisfied."))
    move(complaint, Move.FEEDBACK)
    complaint.satisfied = satisfied
    work.session.add(
        Feedback(
            complaint_id=complaint.id, round=complaint.round, satisfied=satisfied, reason=said,
            at=work.now, user_id=work.actor.user_id,
        )
    )  # fmt: skip
    note(work, complaint, ActionKind.FEEDBACK, said)
    return complaint


def offered_moves(viewer: Viewer, complaint: Complaint) -> list[Move]:
    """The moves to show as buttons: possible from this status and allowed to this viewer."""
    return [
        step
        for step, (starts, _target) in MOVES.items()
        if complaint.status in starts and allowed(viewer, NEEDED[step], complaint)
    ]
