"""The outbox: claim, send outside any transaction, then say so. At least once, same Message-ID."""

from __future__ import annotations

import smtplib
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from cms.models import Document, DocumentState, Outbox, SendState, db
from cms.notify import Gateway, Message
from cms.rules import SYSTEM
from cms.store import Store
from cms.unit_of_work import unit_of_work, utcnow

MAX_ATTEMPTS = 12
CLAIM = timedelta(seconds=30)
"""How long a worker may take before another may try the message again."""


class NotYet(Exception):
    """The attachment is still being made; the message waits for it."""


def due(session: Session, now: datetime, limit: int = 500) -> list[int]:
    """Messages to be sent now, oldest first."""
    query = (
        select(Outbox.id)
        .where(Outbox.state == SendState.PENDING, Outbox.next_at <= now)
        .order_by(Outbox.next_at, Outbox.id)
    )
    return list(session.scalars(query.limit(limit)))


def send_due(gateway: Gateway, store: Store) -> int:
    """Send every message that is due; how many left."""
    session = db.session()
    waiting = due(session, utcnow())
    session.rollback()
    return sum(send(outbox_id, gateway, store) for outbox_id in waiting)


def send(outbox_id: int, gateway: Gateway, store: Store) -> bool:
    """Send one message if it is still due; False if somebody else has it or it is sent."""
    try:
        message = claim(outbox_id, store)
    except NotYet:
        return False
    if message is None:
        return False
    try:
        gateway.send(message)
    except (OSError, smtplib.SMTPException) as error:
        failed(outbox_id, str(error))
        return False
    sent(outbox_id)
    return True


def claim(outbox_id: int, store: Store) -> Message | None:
    """Take the message for :data:`CLAIM`; None if it is not due. NotYet without its attachment."""
    with unit_of_work(SYSTEM, via="job") as work:
        row = work.session.get(Outbox, outbox_id, with_for_update=True)
        if row is None or row.state is not SendState.PENDING or row.next_at > work.now:
            return None
        attachment = None
        if row.document_id:
            document = work.session.get_one(Document, row.document_id)
            if document.state is not DocumentState.READY or document.sha256 is None:
                raise NotYet
            attachment = (f"{row.subject}.pdf", store.get(document.sha256) or b"")
        row.attempts += 1
        row.next_at = work.now + CLAIM
        return Message(row.dedupe, row.to, row.subject, row.body, attachment)


def sent(outbox_id: int) -> None:
    """It left the house."""
    with unit_of_work(SYSTEM, via="job") as work:
        row = work.session.get_one(Outbox, outbox_id, with_for_update=True)
        if row.state is SendState.PENDING:
            row.state, row.sent_at, row.last_error = SendState.SENT, work.now, None


def failed(outbox_id: int, error: str) -> None:
    """Try again later and later; after the last attempt give up visibly."""
    with unit_of_work(SYSTEM, via="job") as work:
        row = work.session.get_one(Outbox, outbox_id, with_for_update=True)
        row.last_error = error[:300]
        row.next_at = work.now + timedelta(minutes=min(2**row.attempts, 240))
        if row.attempts >= MAX_ATTEMPTS:
            row.state = SendState.FAILED
