"""The complaint page put together: clock, timeline, chain of officers, documents, buttons."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload, selectinload

from cms.admin_views.edge import Chip, derivation, due_chip
from cms.authz import allowed, visible
from cms.i18n import _, ist_day
from cms.models import (
    Accused,
    Action,
    ActionKind,
    Channel,
    Complaint,
    Delivery,
    Document,
    Feedback,
    Kind,
    Officer,
    Party,
    Reminder,
)  # fmt: skip
from cms.rules import SUPERIORS, Move, NotFound, Post, Status, Viewer, clock_day
from cms.services import documents, people, step
from cms.unit_of_work import utcnow

BAR = 300
"""Width of the bar's drawing; it stretches with the card."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the timeline; kind picks the colour of its dot."""

    at: datetime
    title: str
    who: str = ""
    text: str = ""
    kind: str = ""
    logged_at: datetime | None = None

    @property
    def late_entry(self) -> bool:
        """Written down on a later day than it happened."""
        return self.logged_at is not None and ist_day(self.logged_at) > ist_day(self.at)


@dataclass(frozen=True, slots=True)
class Clock:
    """The 15-day bar: how far it is filled, in what colour, and the sentence under it."""

    used: int
    kind: str
    sentence: str
    why: str


@dataclass(frozen=True, slots=True)
class Desk:
    """One officer of the chain; who is None when the post is vacant."""

    post: Any
    who: Any
    unit: str = ""
    phone: str | None = None


@dataclass(frozen=True, slots=True)
class Dossier:
    """All that the page shows of one complaint."""

    complaint: Complaint
    chip: Chip
    clock: Clock
    timeline: list[Entry]
    chain: list[Desk]
    moves: list[Move]
    primary: Move | None
    may_edit: bool
    may_hand_over: bool
    complainant: Party | None
    same_phone: int = 0
    ways: dict[int, list[Delivery]] = field(default_factory=dict)


def dossier(session: Session, viewer: Viewer, complaint_id: int) -> Dossier:
    """The page of a complaint in this viewer's scope. NotFound if it is not."""
    complaint = whole(session, viewer, complaint_id)
    moves = step.offered(viewer, complaint)
    deliveries = deliveries_of(session, complaint)
    party = documents.complainant(complaint)
    return Dossier(
        complaint=complaint,
        chip=due_chip(complaint.due_at, complaint.is_open, complaint.disposed_on),
        clock=clock(complaint, ist_day(utcnow())),
        timeline=timeline(session, complaint, deliveries),
        chain=chain(session, complaint),
        moves=moves,
        primary=primary(complaint, moves),
        may_edit=allowed(viewer, "edit", complaint),
        may_hand_over=owes_copy(viewer, complaint),
        complainant=party,
        same_phone=same_phone(session, viewer, complaint, party),
        ways=by_document(deliveries),
    )


def whole(session: Session, viewer: Viewer, complaint_id: int) -> Complaint:
    """The complaint with everything that hangs on it. NotFound if not in scope."""
    query = visible(select(Complaint).where(Complaint.id == complaint_id), Complaint, viewer)
    query = query.options(
        joinedload(Complaint.unit), joinedload(Complaint.district),
        joinedload(Complaint.registered_unit), joinedload(Complaint.category),
        joinedload(Complaint.mode), joinedload(Complaint.source), joinedload(Complaint.disposition),
        joinedload(Complaint.io).joinedload(Officer.rank),
        joinedload(Complaint.disposed_by).joinedload(Officer.rank),
        selectinload(Complaint.parties),
        selectinload(Complaint.accused).options(
            joinedload(Accused.officer).joinedload(Officer.rank), joinedload(Accused.unit)
        ),
        selectinload(Complaint.allegations), selectinload(Complaint.deadlines),
        selectinload(Complaint.documents),
        selectinload(Complaint.actions).joinedload(Action.officer).joinedload(Officer.rank),
    )  # fmt: skip
    found: Complaint | None = session.scalar(query)
    if found is None:
        raise NotFound("Complaint")
    return found


def owes_copy(viewer: Viewer, complaint: Complaint) -> bool:
    """The copy has reached nobody yet and this viewer may hand it over."""
    owed = complaint.copy_settled_at is None and complaint.origin is None
    return owed and allowed(viewer, "deliver", complaint)


FIRST = {
    Status.REGISTERED: (Move.MARK, Move.ASSIGN),
    Status.MARKED: (Move.ASSIGN, Move.MARK),
    Status.ASSIGNED: (Move.ACT,),
    Status.UNDER_ENQUIRY: (Move.ACT, Move.DISPOSE),
    Status.DISPOSED: (Move.DELIVER, Move.FEEDBACK),
    Status.REPORT_DELIVERED: (Move.FEEDBACK,),
}
"""Which button is the blue one: the next step that a complaint in this status waits for."""


def primary(complaint: Complaint, moves: list[Move]) -> Move | None:
    """The next step, if this viewer may take it."""
    return next((m for m in FIRST.get(complaint.status, ()) if m in moves), None)


def clock(complaint: Complaint, today: date) -> Clock:
    """Day n of 15 in figures and words; it stands still on the day of disposal."""
    days = max(1, (ist_day(complaint.due_at) - complaint.received_on).days)
    end = complaint.disposed_on if not complaint.is_open else None
    day = max(0, clock_day(complaint.received_on, end or today))
    used = min(BAR, round(BAR * day / days))
    if end is not None:
        kind = "done" if day <= days else "late"
        sentence = _("Disposed on day %(day)s of %(days)s", day=day, days=days)
    elif not complaint.is_open:
        kind, sentence, used = "done", _("Disposed"), BAR
    else:
        kind = due_chip(complaint.due_at, True).kind
        sentence = _("Day %(day)s of %(days)s", day=day, days=days)
    return Clock(used, kind, sentence, derivation(complaint))


def deliveries_of(session: Session, complaint: Complaint) -> list[Delivery]:
    """How the documents of a complaint reached the complainant."""
    query = (
        select(Delivery)
        .join(Document)
        .where(Document.complaint_id == complaint.id)
        .options(joinedload(Delivery.document))
        .order_by(Delivery.id)
    )
    return list(session.scalars(query))


def by_document(deliveries: list[Delivery]) -> dict[int, list[Delivery]]:
    """Deliveries grouped by document."""
    ways: dict[int, list[Delivery]] = {}
    for delivery in deliveries:
        ways.setdefault(delivery.document_id, []).append(delivery)
    return ways


def timeline(session: Session, complaint: Complaint, given: list[Delivery]) -> list[Entry]:
    """Everything that happened, newest first."""
    answers = session.scalars(select(Feedback).where(Feedback.complaint_id == complaint.id)).all()
    # The diary's own lines for these say less than the ledgers do.
    told = {ActionKind.DELIVERED} if given else set()
    told |= {ActionKind.FEEDBACK} if answers else set()
    entries = [
        *(of_document(d) for d in complaint.documents),
        *(of_action(a, complaint) for a in complaint.actions if a.kind not in told),
        *(of_delivery(d) for d in given),
        *(of_feedback(f) for f in answers),
        *reminders(session, complaint),
    ]
    entries.reverse()  # sorting is stable: of one moment, what was written later stands above
    return sorted(entries, key=lambda entry: entry.at, reverse=True)


def of_action(action: Action, complaint: Complaint) -> Entry:
    """A line of the diary; the line of registration would only repeat the subject."""
    text = "" if action.note == complaint.subject else action.note
    kind = "done" if action.kind is ActionKind.DISPOSED else ""
    who = str(action.officer) if action.officer else ""
    return Entry(action.happened_at, str(action.kind), who, text, kind, action.logged_at)


def of_delivery(delivery: Delivery) -> Entry:
    """A document that went out."""
    title = f"{delivery.document.kind}: {delivery.channel}"
    text = " · ".join(part for part in (delivery.address, delivery.note) if part)
    kind = "late" if delivery.channel is Channel.DECLINED else "quiet"
    return Entry(delivery.at, title, "", text, kind)


def of_document(document: Document) -> Entry:
    """A document that was issued."""
    title = _("%(document)s issued, version %(version)s",
              document=document.kind, version=document.version)  # fmt: skip
    return Entry(document.issued_at, title, kind="quiet")


def of_feedback(feedback: Feedback) -> Entry:
    """The complainant's answer."""
    yes = feedback.satisfied
    title = _("Complainant satisfied") if yes else _("Complainant not satisfied")
    return Entry(feedback.at, title, "", feedback.reason, "done" if yes else "late")


def reminders(session: Session, complaint: Complaint) -> list[Entry]:
    """Rungs of the ladder that fired."""
    query = (
        select(Reminder)
        .where(Reminder.complaint_id == complaint.id)
        .options(joinedload(Reminder.officer).joinedload(Officer.rank))
    )
    return [
        Entry(
            r.fired_at, _("Reminder: %(rung)s", rung=r.rung),
            str(r.officer) if r.officer else str(r.post or ""), "", "quiet",
        )
        for r in session.scalars(query)
    ]  # fmt: skip


LOWEST = {
    Kind.POLICE_POST: 0, Kind.POLICE_STATION: 0, Kind.SUB_DIVISION: 1, Kind.DISTRICT: 2,
    Kind.COMPLAINT_BRANCH: 2, Kind.RANGE: 3, Kind.HEADQUARTERS: 3,
}  # fmt: skip
"""First post of command over a complaint that lies at such a unit."""


def chain(session: Session, complaint: Complaint) -> list[Desk]:
    """IO, SHO, DSP, SP, ADGP: who holds each post today, up the line of the complaint's unit."""
    found = people.superiors(session, complaint.unit, ist_day(utcnow()))
    if complaint.restricted:
        barred = people.barred_units(session, complaint.id)
        found = [p for p in found if not barred.intersection(people.line_of(p.unit))]
    holders = {posting.post: posting for posting in reversed(found)}
    desks = [Desk(Post.IO, complaint.io, phone=complaint.io.phone if complaint.io else None)]
    for post in SUPERIORS[LOWEST[complaint.unit.kind]:]:
        holder = holders.get(post)
        desks.append(
            Desk(post, holder.officer, holder.unit.name, holder.officer.phone)
            if holder
            else Desk(post, None)
        )
    return desks


def same_phone(
    session: Session, viewer: Viewer, complaint: Complaint, party: Party | None
) -> int:
    """How many other complaints in scope came from this phone."""
    if party is None or not party.phone:
        return 0
    others = select(Party.complaint_id).where(
        Party.phone == party.phone, Party.complaint_id != complaint.id
    )
    query = visible(select(Complaint.id).where(Complaint.id.in_(others)), Complaint, viewer)
    return session.scalar(select(func.count()).select_from(query.limit(99).subquery())) or 0
