"""The complaint page put together: clock, timeline, chain of officers, documents, buttons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, joinedload, selectinload

from cms import pdf
from cms.admin_views.buttons import Buttons, buttons, unanswered
from cms.admin_views.edge import Chip, derivation, due_chip, overall
from cms.admin_views.ledgers import Ledgers, People, ledgers
from cms.admin_views.ledgers import people as people_of
from cms.admin_views.papers import previews
from cms.admin_views.timeline import Section, sections
from cms.admin_views.whose import BAR, Row, Whose, clock_rows, whose
from cms.authz import allowed, visible
from cms.i18n import _, ist_day
from cms.models import (
    Accused,
    Action,
    Complaint,
    Deadline,
    DeadlineChange,
    Delivery,
    Direction,
    DocumentKind,
    Kind,
    Officer,
    Party,
    Request,
)  # fmt: skip
from cms.rules import SUPERIORS, NotFound, Post, Viewer, clock_day
from cms.services import documents, looking, people
from cms.unit_of_work import utcnow


@dataclass(frozen=True, slots=True)
class Clock:
    """The 15-day bar: how far it is filled, in what colour, and the sentence under it."""

    used: int
    kind: str
    sentence: str
    why: str


@dataclass(frozen=True, slots=True)
class Holder:
    """One officer of the chain; who is None when the post is vacant. opened: when he last looked."""

    post: Post
    who: Any
    unit: str = ""
    phone: str | None = None
    opened: datetime | None = None


@dataclass(frozen=True, slots=True)
class Dossier:
    """All that the page shows of one complaint."""

    complaint: Complaint
    chip: Chip
    clock: Clock
    sections: list[Section]
    found: Ledgers
    who: People
    whose: Whose | None
    clocks: list[tuple[int, list[Row]]]
    chain: list[Holder]
    buttons: Buttons
    may_edit: bool
    may_hand_over: bool
    may_attach: bool
    may_accuse: bool
    reads_history: bool
    may_note: bool
    complainant: Party | None
    same_phone: list[Complaint] = field(default_factory=list)
    ways: dict[int, list[Delivery]] = field(default_factory=dict)
    previews: list[DocumentKind] = field(default_factory=list)
    older_templates: list[str] = field(default_factory=list)

    @property
    def waiting(self) -> list[Request]:
        """Requests without an answer."""
        return [asked for asked in self.found.requests if asked.decided_at is None]

    @property
    def lag(self) -> int:
        """Days between receipt and registration; told when more than one."""
        return (ist_day(self.complaint.registered_at) - self.complaint.received_on).days

    @property
    def orders(self) -> list[Direction]:
        """Directions whose compliance is still to be reported."""
        return unanswered(self.found)


def dossier(session: Session, viewer: Viewer, complaint_id: int) -> Dossier:
    """The page of a complaint in this viewer's scope. NotFound if it is not."""
    complaint, now = whole(session, viewer, complaint_id), utcnow()
    found = ledgers(session, viewer, complaint)
    who = people_of(session, complaint, found)
    party = documents.complainant(complaint)
    return Dossier(
        complaint=complaint,
        chip=due_chip(complaint.due_at, complaint.is_open, complaint.disposed_on),
        clock=clock(complaint, ist_day(now)),
        sections=sections(complaint, found, who), found=found, who=who,
        whose=whose(found.stays, now), clocks=clock_rows(complaint, found, who, now),
        chain=chain(session, viewer, complaint),
        buttons=buttons(session, viewer, complaint, found),
        may_edit=allowed(viewer, "edit", complaint),
        may_hand_over=owes_copy(viewer, complaint),
        may_attach=allowed(viewer, "attach", complaint),
        may_accuse=allowed(viewer, "accuse", complaint),
        reads_history=allowed(viewer, "history", complaint), may_note=allowed(viewer, "direct", complaint),
        complainant=party,
        same_phone=same_phone(session, viewer, complaint, party),
        ways=by_document(found.deliveries),
        previews=previews(viewer, complaint), older_templates=[v for v in pdf.versions() if v != pdf.CURRENT],
    )  # fmt: skip


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
        selectinload(Complaint.allegations),
        selectinload(Complaint.deadlines).selectinload(Deadline.changes).joinedload(DeadlineChange.request),
        joinedload(Complaint.transfer_to), joinedload(Complaint.merged_into),
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


def clock(complaint: Complaint, today: date) -> Clock:
    """Day n of 15 of the present round in figures and words; it stands still on the day of disposal."""
    promise = overall(complaint)
    start = promise.started_on if promise else complaint.received_on
    days = max(1, (ist_day(complaint.due_at) - start).days)
    end = complaint.disposed_on if not complaint.is_open else None
    day = max(0, clock_day(start, end or today))
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


def by_document(deliveries: Sequence[Delivery]) -> dict[int, list[Delivery]]:
    """Deliveries grouped by document."""
    ways: dict[int, list[Delivery]] = {}
    for delivery in deliveries:
        ways.setdefault(delivery.document_id, []).append(delivery)
    return ways


LOWEST = {
    Kind.POLICE_POST: 0, Kind.POLICE_STATION: 0, Kind.SUB_DIVISION: 1, Kind.DISTRICT: 2,
    Kind.COMPLAINT_BRANCH: 2, Kind.RANGE: 3, Kind.HEADQUARTERS: 3,
}  # fmt: skip
"""First post of command over a complaint that lies at such a unit."""


def chain(session: Session, viewer: Viewer, complaint: Complaint) -> list[Holder]:
    """IO, SHO, DSP, SP, ADGP: who holds each post today, and when each last opened the complaint."""
    found = people.superiors(session, complaint.unit, ist_day(utcnow()))
    if complaint.restricted:
        barred = people.barred_units(session, complaint.id)
        found = [p for p in found if not barred.intersection(people.line_of(p.unit))]
    holders = {posting.post: posting for posting in reversed(found)}
    opened, io = looking.last_opened(session, viewer, complaint), complaint.io
    desks = [Holder(Post.IO, io, "", io.phone, opened.get(io.id)) if io else Holder(Post.IO, None)]
    for post in SUPERIORS[LOWEST[complaint.unit.kind]:]:
        holder = holders.get(post)
        desks.append(
            Holder(post, holder.officer, holder.unit.name, holder.officer.phone, opened.get(holder.officer_id))
            if holder
            else Holder(post, None)
        )
    return desks


SAME_PHONE = 20
"""Other complaints of a telephone that are looked for."""


def same_phone(
    session: Session, viewer: Viewer, complaint: Complaint, party: Party | None
) -> list[Complaint]:
    """Other complaints in scope that came from this phone, newest first."""
    phones = [number for number in (party.phone, party.phone_2) if number] if party else []
    if not phones:
        return []
    others = select(Party.complaint_id).where(
        or_(Party.phone.in_(phones), Party.phone_2.in_(phones)), Party.complaint_id != complaint.id
    )
    query = visible(select(Complaint).where(Complaint.id.in_(others)), Complaint, viewer)
    return list(session.scalars(query.order_by(Complaint.id.desc()).limit(SAME_PHONE)))
