"""Handing documents over: printed, sent or declined; the day's list must end empty."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased, selectinload

from cms.authz import DESK, allowed, units_of, visible
from cms.i18n import _l
from cms.models import (
    ActionKind,
    Channel,
    Complaint,
    Delivery,
    Document,
    DocumentKind,
    DocumentState,
    Outbox,
)  # fmt: skip
from cms.rules import Move, NotFound, RuleBroken, Status, Viewer
from cms.services.desk import complaint_for, filled, optional
from cms.services.documents import INTERNAL
from cms.services.step import note, take
from cms.unit_of_work import Work


def deliver(
    work: Work, document_id: int, channel: Channel, address: str = "", note: str = ""
) -> Delivery:
    """Record how a document reached the complainant. A refusal of the copy must say why."""
    document = work.session.get(Document, document_id)
    if document is None:
        raise NotFound("Document")
    complaint = complaint_for(work, "deliver", document.complaint_id)
    if document.kind in INTERNAL:
        raise RuleBroken(_l("“%(document)s” is a paper of the office; it is not given to the complainant."),
                         document=document.kind.label)  # fmt: skip
    if channel is Channel.DECLINED:
        note = filled(note, _l("Reason"), 300)
    if channel in (Channel.EMAIL, Channel.POST):
        address = filled(address, _l("Address"), 160)
    if channel is Channel.EMAIL:
        send(work, complaint, document, address)
    delivery = Delivery(
        document_id=document.id, channel=channel, at=work.now, user_id=work.actor.user_id,
        address=optional(address, _l("Address"), 160) or "",
        note=optional(note, _l("Note"), 300) or "",
    )  # fmt: skip
    work.session.add(delivery)
    settle(work, complaint, document, channel)
    return delivery


def settle(work: Work, complaint: Complaint, document: Document, channel: Channel) -> None:
    """What the delivery does to the complaint."""
    text = f"{document.kind.name}: {channel.name}"
    note(work, complaint, ActionKind.DELIVERED, text)
    if document.kind is DocumentKind.COPY:
        complaint.copy_settled_at = complaint.copy_settled_at or work.now
    elif document.kind is DocumentKind.REPORT and complaint.status is Status.DISPOSED:
        take(work, complaint, Move.DELIVER)


def send(work: Work, complaint: Complaint, document: Document, address: str) -> None:
    """Put an e-mail with the number, never with the complaint's content, into the outbox."""
    if "@" not in address or any(c.isspace() for c in address):
        raise RuleBroken(_l("“%(address)s” is not an e-mail address."), address=address)
    message = Outbox(
        dedupe=f"document:{document.id}:{address}"[:80],
        complaint_id=complaint.id,
        document_id=document.id,
        to=address,
        subject=f"{complaint.number}",
        body=str(
            _l("Your document for complaint %(number)s is attached. Keep your receipt code safe.")
            % {"number": complaint.number}
        ),
        created_at=work.now,
        next_at=work.now,
    )
    exists = select(Outbox.id).where(Outbox.dedupe == message.dedupe)
    if work.session.scalar(exists) is None:
        work.session.add(message)
        work.session.flush()
        work.hint("deliver", message.id)


def unsettled(session: Session, viewer: Viewer, limit: int = 200) -> list[Complaint]:
    """Registered at the viewer's desk without a copy delivered, oldest first. Imported rows are settled."""
    few = aliased(Complaint)  # left to itself the planner starts from the scope: every row there is
    owed = select(few.id).where(
        few.copy_settled_at.is_(None), few.registered_unit_id.in_(units_of(viewer.at(*DESK)))
    )
    query = visible(select(Complaint).where(Complaint.id.in_(owed)), Complaint, viewer)
    query = query.order_by(Complaint.id)
    return list(session.scalars(query.limit(limit)))


def undelivered(session: Session, viewer: Viewer, limit: int = 200) -> list[Complaint]:
    """Disposed, and the report is still to be delivered by the viewer's desk; oldest first."""
    query = select(Complaint).where(
        Complaint.status == Status.DISPOSED, Complaint.unit_id.in_(units_of(viewer.at(*DESK)))
    )
    rows = session.scalars(visible(query, Complaint, viewer).order_by(Complaint.id).limit(limit))
    return [row for row in rows if allowed(viewer, "deliver", row)]


def waiting(
    session: Session, viewer: Viewer, kind: DocumentKind, limit: int
) -> list[tuple[Complaint, Document]]:
    """The newest letters of a kind that the viewer's desk has yet to hand over, with their words."""
    owed = unsettled if kind is DocumentKind.COPY else undelivered
    cases = {case.id: case for case in owed(session, viewer, limit)}
    people = select(Complaint).where(Complaint.id.in_(cases)).options(selectinload(Complaint.parties))
    session.scalars(people.execution_options(populate_existing=True)).all()
    query = select(Document).where(
        Document.complaint_id.in_(cases), Document.kind == kind,
        Document.state != DocumentState.PAPER,
    ).order_by(Document.version)  # fmt: skip
    newest = {letter.complaint_id: letter for letter in session.scalars(query)}
    return [(case, newest[id]) for id, case in cases.items() if id in newest]
