"""What the queue may run: thin callers of use cases. Each takes ids or a slot and decides anew
from the database, so that running it twice, late or in another order changes nothing."""

from __future__ import annotations

import contextlib
import logging
import time

import redis
from flask import current_app

from cms import notify, pdf, pdf_batch, queue
from cms.models import Document, HandOverPaper, PrintBatch, Rendered, db
from cms.rules import SYSTEM
from cms.services import batches, documents, integrity, messages, orders, requests, transfers, upkeep
from cms.services import reminders as ladder
from cms.settings import Settings
from cms.store import Store
from cms.unit_of_work import utcnow

log = logging.getLogger(__name__)

RENDER_SECONDS = 5
"""How long a fork of the renderer goes on with other documents: the queue's time for a job is for one that is slow."""


def settings() -> Settings:
    """The settings of the running process."""
    found: Settings = current_app.extensions["cms_settings"]
    return found


def store() -> Store:
    """Where issued files lie."""
    found: Store = current_app.extensions["cms_store"]
    return found


def kept() -> Store:
    """Where files lie that are made for printing and go after a day."""
    found: Store = current_app.extensions["cms_batches"]
    return found


def gateway() -> notify.Gateway:
    """Where messages go."""
    here = settings()
    return notify.gateway(here.data_dir, here.smtp_url, here.mail_from)


def swept() -> None:
    """Tell the health page that a sweep came to its end."""
    queue.mark_sweep(queue.connect(settings().redis_url))


def reminders(slot: int) -> int:
    """Fire the rungs that are due and send what they say."""
    fired = ladder.sweep()
    outbox(slot)
    return fired


def outbox(slot: int) -> int:
    """Send every message that is due."""
    sent = messages.send_due(gateway(), store())
    swept()
    return sent


def pending_documents(slot: int) -> int:
    """Hint again at documents whose bytes are still missing."""
    waiting = documents.pending(db.session(), utcnow())
    notes = documents.pending(db.session(), utcnow(), of=HandOverPaper)
    files = documents.pending(db.session(), utcnow(), of=PrintBatch)
    db.session.rollback()
    for document_id in waiting:
        queue.hint(settings(), "render", document_id, job_id=f"document-{document_id}")
    for paper_id in notes:
        queue.hint(settings(), "render_note", paper_id, job_id=f"note-{paper_id}")
    for batch_id in files:
        queue.hint(settings(), "render_batch", batch_id, job_id=f"batch-{batch_id}")
    swept()
    return len(waiting) + len(notes) + len(files)


def life(slot: int) -> int:
    """End holds whose days are over, return transfers nobody answered, forget old form keys and printing files."""
    done = requests.end_holds() + transfers.lapse() + orders.take_effect()
    upkeep.forget_forms(db.engine, utcnow())
    batches.forget(kept(), utcnow())
    swept()
    return done


def seal(slot: int) -> int:
    """Seal what history was written since the last time."""
    rows = integrity.seal(settings().data_dir)
    swept()
    return rows


def deliver(outbox_id: int) -> bool:
    """Send one message."""
    return messages.send(outbox_id, gateway(), store())


def render(document_id: int) -> bool:
    """Make the bytes of one document, and of those hinted at meanwhile as long as the time lasts."""
    until = time.monotonic() + RENDER_SECONDS
    made = make(document_id)
    with contextlib.suppress(redis.RedisError):
        for (other_id,) in queue.more(settings(), "render"):
            make(other_id)
            if time.monotonic() >= until:
                break
    return made


def render_note(paper_id: int) -> bool:
    """Make the bytes of one hand-over note."""
    return make(paper_id, HandOverPaper)


def render_batch(batch_id: int) -> bool:
    """Make one file of many letters to be printed."""
    try:
        return batches.make(batch_id, store(), kept(), pdf.render, pdf_batch.join)
    except pdf.DocumentRefused as error:
        log.error("PrintBatch %s is refused: %s", batch_id, error)
        return False


def make(paper_id: int, of: type[Rendered] = Document) -> bool:
    """Make one paper; False if it is there, or will never be."""
    try:
        return documents.make(SYSTEM, paper_id, store(), settings().public_url, pdf.render, of)
    except pdf.DocumentRefused as error:
        log.error("%s %s is refused: %s", of.__name__, paper_id, error)
        return False
