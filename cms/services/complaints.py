"""The first steps of a complaint: register, mark, assign, act, correct, direct and comply."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

import phonenumbers
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from cms.authz import COMMAND, DESK, ENQUIRERS, under
from cms.i18n import _l, day_range, ist_day
from cms.models import (
    ENQUIRY,
    Accused,
    Action,
    ActionKind,
    Allegation,
    Assignment,
    Category,
    Complaint,
    DeadlineKind,
    Desk,
    Direction,
    Kind,
    Language,
    LinkKind,
    Mode,
    Officer,
    Party,
    PartyRole,
    Post,
    Posting,
    Priority,
    Round,
    RoundReason,
    Source,
    Unit,
)  # fmt: skip
from cms.rules import Move, RuleBroken, Status, Viewer, receipt_day
from cms.services import clocks, conflict, documents, endings, rounds, stays
from cms.services.desk import fetch, filled, one_of, optional, require
from cms.services.numbering import lock_series, next_number
from cms.services.step import case_for, note, round_of, take
from cms.unit_of_work import Work

STATIONS = (Kind.POLICE_STATION, Kind.POLICE_POST)
CONTACT = frozenset({ActionKind.VISIT, ActionKind.STATEMENT, ActionKind.CALL})
"""Entries that count as contact with the complainant."""
LOGGED = frozenset({*ENQUIRY, ActionKind.CORRECTION})
"""Kinds that an officer may write by hand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccusedNamed:
    """A police officer, post or unit complained against, as far as the complainant can say.

    post: of the unit; whoever held it when it happened is meant.
    """

    officer_id: int | None = None
    unit_id: int | None = None
    post: Post | None = None
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
    earlier: tuple[int, ...] = ()
    """Ids of earlier complaints of the same matter, to be linked as a repeat."""


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
    begin(work, complaint)
    note(work, complaint, ActionKind.REGISTERED, complaint.subject or "")
    if complaint.status is Status.MARKED:
        note(work, complaint, ActionKind.MARKED, complaint.unit.name_en)
    documents.issue_copy(work, complaint)
    for earlier_id in new.earlier:
        endings.join(work, complaint, fetch(work, Complaint, earlier_id), LinkKind.REPEAT)
    return complaint


def build(work: Work, new: NewComplaint, desk: Unit, unit: Unit) -> Complaint:
    """The complaint row itself, checked field by field."""
    mode = one_of(work, Mode, new.mode_id, _l("Mode"))
    received = ist_day(work.now) if mode.walk_in else new.received_on or ist_day(work.now)
    category = one_of(work, Category, new.category_id, _l("Category"))
    facts = clocks.Facts(mode.id, category.id, new.priority, unit.district_id or 0)
    _bare, wrapped = work.vault.new_record_key()
    complaint = Complaint(
        number=next_number(work, unit),
        subject=filled(new.subject, _l("Subject"), 200),
        text=filled(new.text, _l("Complaint, in the complainant's words"), 20_000),
        language=new.language,
        category=category,
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
        due_at=clocks.due(work.session, DeadlineKind.OVERALL, facts, start_of(received, work.now)).at,
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
    if named.post and not unit:
        raise RuleBroken(_l("Say at which unit the post is that is complained against."))
    if not (officer or unit or described):
        raise RuleBroken(_l("Say who is complained against."))
    return Accused(
        complaint_id=complaint.id, officer=officer, unit=unit, post=named.post, described=described,
        restricts=bool(officer or unit),
    )  # fmt: skip


def begin(work: Work, complaint: Complaint) -> None:
    """The first round, its clocks, and the desk it lies at."""
    work.session.add(
        Round(
            complaint_id=complaint.id, no=1, why=RoundReason.FIRST, opened_at=complaint.registered_at,
            opened_by_id=work.actor.user_id,
        )
    )  # fmt: skip
    received = start_of(complaint.received_on, work.now)
    clocks.start(work, complaint, DeadlineKind.OVERALL, received)
    clocks.start(work, complaint, DeadlineKind.ASSIGN)
    clocks.start_statutory(work, complaint, received)
    marked = complaint.status is Status.MARKED
    desk, unit_id = (Desk.HEAD, complaint.unit_id) if marked else (Desk.BRANCH, complaint.registered_unit_id)
    stays.begin(work, complaint, desk, unit_id)


def start_of(received_on: date, now: datetime) -> datetime:
    """The moment a clock starts that runs from the day of receipt: now, or the start of an earlier day."""
    return now if received_on == ist_day(now) else day_range(received_on, received_on)[0]


def mark(work: Work, complaint_id: int, version: int, unit_id: int | None, order: str) -> Complaint:
    """Send it to a station with a written order."""
    complaint = case_for(work, Move.MARK, complaint_id, version)
    unit = one_of(work, Unit, unit_id, _l("Station"))
    if unit.district_id is None:
        raise RuleBroken(_l("Mark it to a station or district, not above."))
    conflict.check_unit(work, complaint, unit)
    text = filled(order, _l("Order"), 2_000)
    complaint.unit = unit
    work.session.flush()
    take(work, complaint, Move.MARK)
    note(work, complaint, ActionKind.MARKED, text)
    return complaint


def assign(
    work: Work, complaint_id: int, version: int, officer_id: int | None, text: str = ""
) -> Complaint:
    """Name the investigating officer; a second assignment replaces the first and is recorded."""
    complaint = case_for(work, Move.ASSIGN, complaint_id, version)
    chosen = {o.id: o for o in eligible_ios(work.session, work.actor, complaint, work.now)}
    officer = chosen.get(officer_id or 0)
    if officer is None:
        raise RuleBroken(_l("Choose an officer who is posted under you and is not complained against."))
    if complaint.io_id == officer.id:
        raise RuleBroken(_l("%(officer)s is the investigating officer already."), officer=officer)
    name_io(work, complaint, officer)
    take(work, complaint, Move.ASSIGN)
    reason = optional(text, _l("Note"), 2_000)
    note(work, complaint, ActionKind.ASSIGNED, " · ".join(filter(None, [io_name(officer), reason])))
    return complaint


def name_io(work: Work, complaint: Complaint, officer: Officer, now: Round | None = None) -> None:
    """The officer is IO from now on; whoever was it before stays on record.

    now: the row of the present round, where the caller has read it for many complaints at once.
    """
    complaint.io = officer
    complaint.io_id = officer.id
    (now or round_of(work, complaint)).io_id = officer.id
    work.session.add(
        Assignment(
            complaint_id=complaint.id, round=complaint.round, officer_id=officer.id,
            unit_id=complaint.unit_id, assigned_at=work.now, assigned_by_id=work.actor.user_id,
        )
    )  # fmt: skip


def io_name(officer: Officer) -> str:
    """Rank and name for the diary, the same in every language."""
    return f"{officer.rank.short_en} {officer.name_en}"


def eligible_ios(
    session: Session, viewer: Viewer, complaint: Complaint, now: datetime
) -> list[Officer]:
    """Officers in an IO or SHO post under both the viewer and the complaint's unit, unbarred.

    Against a police officer only one senior to him enquires, who may be of any post of command.
    In a later round it is the one whom the rules choose (``services.rounds``), and nobody else.
    """
    if complaint.round > 1:
        one = rounds.chosen_now(session, complaint, now).officer
        return [one] if one.id != viewer.officer_id else []
    inside = under(Unit.path, viewer.at(*COMMAND))
    posts = rounds.POSTS if conflict.accused_officers(session, complaint) else ENQUIRERS
    query = (
        select(Officer)
        .join(Posting)
        .join(Unit, Posting.unit_id == Unit.id)
        .where(
            Posting.post.in_(posts), Posting.in_force(ist_day(now)), Officer.active,
            inside, Unit.path.startswith(complaint.unit.path, autoescape=True),
            Officer.id != viewer.officer_id,
        )
        .options(joinedload(Officer.rank), joinedload(Officer.unit))
        .order_by(Officer.name_en, Officer.id)
        .distinct()
    )  # fmt: skip
    return conflict.may_enquire(session, complaint, session.scalars(query), now)


def act(
    work: Work, complaint_id: int, version: int | None, kind: ActionKind,
    happened_at: datetime | None, text: str, corrects: int | None = None,
) -> Complaint:  # fmt: skip
    """Log what was done in the enquiry; the clock of the diary runs anew, no other is touched.

    A correction is a new entry that names the one it corrects; the old one stays as it is.
    """
    complaint = case_for(work, Move.ACT, complaint_id, version)
    if kind not in LOGGED:
        raise RuleBroken(_l("Choose what was done from the list."))
    at = happened_at or work.now
    if at > work.now:
        raise RuleBroken(_l("The time of the action cannot be in the future."))
    if ist_day(at) < complaint.received_on:
        raise RuleBroken(_l("The action cannot be earlier than the complaint."))
    check_corrected(work, complaint, kind, corrects)
    said = filled(text, _l("Note"), 4_000)
    if kind in ENQUIRY:
        take(work, complaint, Move.ACT)
        clocks.restart(work, complaint)
        if kind in CONTACT:
            clocks.meet(work, complaint, [DeadlineKind.FIRST_CONTACT])
    note(work, complaint, kind, said, at, corrects)
    return complaint


def check_corrected(
    work: Work, complaint: Complaint, kind: ActionKind, corrects: int | None
) -> None:
    """RuleBroken unless a correction, and nothing else, names an entry of this complaint."""
    entry = work.session.get(Action, corrects) if corrects else None
    wrong = (kind is ActionKind.CORRECTION) != (corrects is not None)
    if wrong or (corrects and (entry is None or entry.complaint_id != complaint.id)):
        raise RuleBroken(_l("Say which entry of this diary is corrected."))


def direct(
    work: Work, complaint_id: int, version: int | None, text: str, due_on: date | None = None
) -> Complaint:
    """A superior's order, with the day by which compliance is to be reported."""
    complaint = case_for(work, Move.DIRECT, complaint_id, version)
    said = filled(text, _l("Direction"), 4_000)
    if due_on is not None and due_on < ist_day(work.now):
        raise RuleBroken(_l("The day for compliance cannot be in the past."))
    deadline = clocks.start(work, complaint, DeadlineKind.COMPLY, by=due_on)
    work.session.flush()
    work.session.add(
        Direction(
            complaint_id=complaint.id, deadline_id=deadline.id, at=work.now,
            by_id=work.actor.officer_id, text=said,
        )
    )  # fmt: skip
    note(work, complaint, ActionKind.DIRECTION, said)
    return complaint


def comply(work: Work, complaint_id: int, direction_id: int | None, text: str) -> Complaint:
    """Report how a direction was complied with; once, and never by whoever gave it."""
    complaint = case_for(work, Move.COMPLY, complaint_id, None)
    direction = work.session.get(Direction, direction_id) if direction_id else None
    if direction is None or direction.complaint_id != complaint.id:
        raise RuleBroken(_l("Choose the direction that was complied with."))
    if direction.replied_at is not None:
        raise RuleBroken(_l("Compliance with this direction is reported already."))
    if direction.by_id == work.actor.officer_id:
        raise RuleBroken(_l("Compliance is reported by the officer who received the direction."))
    said = filled(text, _l("Compliance"), 4_000)
    direction.replied_at, direction.replied_by_id, direction.reply = work.now, work.actor.officer_id, said
    direction.deadline.met_at = direction.deadline.met_at or work.now
    note(work, complaint, ActionKind.COMPLIED, said)
    return complaint
