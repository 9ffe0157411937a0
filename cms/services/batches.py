"""Letters that a desk has yet to hand over as one file to be printed, below a list to be signed on.

The row names the letters; the renderer makes the file from what is stored of them. It is no issued
document: it is kept for a day, and a new one takes the place of the one before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session, joinedload

from cms.authz import DESK, may, visible
from cms.i18n import _, _l, ngettext, show_moment
from cms.models import Complaint, Document, DocumentKind, DocumentState, PrintBatch, Unit
from cms.pdf import CURRENT, DocumentRefused
from cms.rules import SYSTEM, NotFound, RuleBroken, Viewer
from cms.services import deliveries, documents
from cms.services.desk import Forbidden
from cms.services.wording import both, complainant, edition, letterhead
from cms.store import Store
from cms.unit_of_work import Work, unit_of_work

MOST = 500
"""Letters in one file: a ream of paper."""
KEPT = timedelta(hours=24)
TITLES = {DocumentKind.COPY: _l("Copies to hand over"), DocumentKind.REPORT: _l("Reports to deliver")}
TRIES = documents.QUICK_TRIES - 1
"""After so many it is given up: the sweep offers a paper once more at once, then by the hour."""
LONGEST_NAME = 60
"""Characters of a name on the list; the letter has all of it."""
PART = 100
"""Rows that the list's template gets at once."""


# ---------------------------------------------------------------- asking


def ask(work: Work, kind: DocumentKind, count: int, apart: bool) -> PrintBatch:
    """The first ``count`` letters of a kind that the actor's desk has yet to hand over, in the order of its list.

    What the actor asked for before ends with it, unless it is the same and still being made.
    """
    if not may(work.actor, "deliver") or work.actor.user_id is None:
        raise Forbidden("deliver")
    if count > MOST:
        raise RuleBroken(
            _l("At most %(most)s letters go into one file, not %(count)s. Print them in parts."), most=MOST, count=count
        )
    found = deliveries.waiting(work.session, work.actor, kind, count) if count > 0 else []
    if not found:
        raise RuleBroken(_l("No letter waits to be handed over."))
    said = {"letters": [letter.id for _case, letter in found]}
    for old in mine(work.session, work.actor, kind, work.now):
        if (old.state, old.apart, old.data) == (DocumentState.PENDING, apart, said):
            return old
        old.until = work.now
    unit = work.session.get(Unit, work.actor.at(*DESK)[0].unit_id)
    batch = PrintBatch(
        asked_by_id=work.actor.user_id, unit_id=unit.id if unit else None, kind=kind, apart=apart, data=said,
        issued_at=work.now, until=work.now + KEPT, template=CURRENT, edition=edition(unit),
    )  # fmt: skip
    work.session.add(batch)
    work.session.flush()
    work.hint("render_batch", batch.id)
    return batch


def mine(session: Session, viewer: Viewer, kind: DocumentKind, now: datetime) -> list[PrintBatch]:
    """Files of the viewer that are kept, the newest first."""
    query = select(PrintBatch).where(
        PrintBatch.asked_by_id == viewer.user_id, PrintBatch.kind == kind, PrintBatch.until > now
    )
    return list(session.scalars(visible(query, PrintBatch, viewer).order_by(PrintBatch.id.desc())))


def opened(session: Session, viewer: Viewer, batch_id: int, now: datetime) -> tuple[PrintBatch, list[int]]:
    """A file of the viewer's and the complaints in it. NotFound when its time is over.

    RuleBroken if a letter is no longer his to see: a file cannot leave it out.
    """
    query = select(PrintBatch).where(PrintBatch.id == batch_id, PrintBatch.until > now)
    batch: PrintBatch | None = session.scalar(visible(query, PrintBatch, viewer))
    if batch is None or batch.state is not DocumentState.READY:
        raise NotFound("Document")
    ids = batch.data["letters"]
    inside = select(Document.complaint_id).where(Document.id.in_(ids))
    seen = list(session.scalars(visible(inside, Document, viewer)))
    if len(seen) < len(ids):
        raise RuleBroken(_l(
            "Some of these letters are handed over already or no longer within your charge. Have the file made anew."
        ))  # fmt: skip
    return batch, seen


# ---------------------------------------------------------------- making


@dataclass(frozen=True, slots=True)
class Sheet:
    """One letter of a batch: to whom, and by which hash its bytes are found, if they are there."""

    number: str
    name: str
    version: int
    pages: int | None
    sha256: str | None


def make(
    batch_id: int, store: Store, kept: Store, render: Callable[..., bytes], join: Callable[..., tuple[bytes, int]]
) -> bool:  # fmt: skip
    """Make the file of one batch; again does nothing. False if it is there or will never be.

    What fails is tried again by the sweep, :data:`TRIES` times at most: somebody waits for it today.
    """
    with unit_of_work(SYSTEM, via="job") as work:
        batch = work.session.get(PrintBatch, batch_id, with_for_update=True)
        if batch is None or batch.state is not DocumentState.PENDING or batch.until <= work.now:
            return False
        if batch.attempts >= TRIES:
            batch.state = DocumentState.FAILED
            return False
        batch.attempts += 1
        sheets = sheets_of(work.session, batch, store)
        said, apart, title = list_of(batch, work.session.get_one(Unit, batch.unit_id), sheets), batch.apart, batch.kind
        template, language = f"{batch.template}/batch.html", documents.language_for(batch)

    def parts() -> Iterator[bytes]:
        yield render(template, said, language=language)
        for sheet in sheets:
            if sheet.sha256:
                yield store.get(sheet.sha256) or b""  # harmed meanwhile: no PDF, so that it is tried again

    try:
        content, pages = join(parts(), apart=apart, title=f"{title.name.lower()} {said['number']}")
    except DocumentRefused:
        settle(batch_id, None, 0, 0)
        raise
    sha256 = kept.put(content)
    if not settle(batch_id, sha256, len(content), pages):
        kept.drop(sha256)
    return True


def sheets_of(session: Session, batch: PrintBatch, store: Store) -> list[Sheet]:
    """The letters in the order in which they were asked for; without a hash those whose bytes are not there."""
    ids = batch.data["letters"]
    query = select(Document).where(Document.id.in_(ids))
    query = query.options(joinedload(Document.complaint).selectinload(Complaint.parties))
    rows = {row.id: row for row in session.scalars(query)}
    made = []
    for row in (rows[one] for one in ids):
        person = complainant(row.complaint)
        name = (person.name if person else None) or ""
        short = name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 2].rstrip()} …"
        there = row.sha256 if documents.file_of(row, store) is not None else None
        made.append(Sheet(row.complaint.number, short, row.version, row.pages, there))
    return made


def list_of(batch: PrintBatch, unit: Unit, sheets: list[Sheet]) -> dict[str, Any]:
    """What the list says, in both languages."""
    out = sum(sheet.sha256 is None for sheet in sheets)
    rows = [
        {
            "no": no, "number": sheet.number, "name": sheet.name, "version": str(sheet.version),
            "pages": str(sheet.pages or "–") if sheet.sha256 else "–", "out": sheet.sha256 is None,
        }
        for no, sheet in enumerate(sheets, start=1)
    ]  # fmt: skip
    return {
        **letterhead([unit]),
        **both(lambda: TITLES[batch.kind], "title"),
        **both(lambda: made_words(batch, len(sheets)), "made"),
        **both(lambda: batch.kind.label, "kind"),
        **both(lambda: _("Not in this file: its PDF is not there yet."), "missing"),
        **both(lambda: left_out(out) if out else "", "out"),
        "number": f"{unit.code} {batch.id}", "version": 1, "verification_code": "", "verify_url": "", "out": out,
        "rows": [rows[at : at + PART] for at in range(0, len(rows), PART)],
    }  # fmt: skip


def made_words(batch: PrintBatch, count: int) -> str:
    """When the file was asked for and how many letters it names, in the language in force."""
    return f"{show_moment(batch.issued_at)} · {ngettext('%(num)d letter', '%(num)d letters', count)}"


def left_out(count: int) -> str:
    """How many letters the list names and the file lacks, in the language in force."""
    return str(ngettext(
        "%(num)d letter is not in this file: its PDF is not there yet. It comes with the next file.",
        "%(num)d letters are not in this file: their PDFs are not there yet. They come with the next file.", count,
    ))  # fmt: skip


def settle(batch_id: int, sha256: str | None, size: int, pages: int) -> bool:
    """Say that the file is there, or never will be. False if it was settled, or taken away, meanwhile."""
    with unit_of_work(SYSTEM, via="job") as work:
        batch = work.session.get(PrintBatch, batch_id, with_for_update=True)
        if batch is None or batch.state is not DocumentState.PENDING:
            return batch is not None and batch.sha256 == sha256
        batch.state = DocumentState.READY if sha256 else DocumentState.FAILED
        batch.rendered_at = work.now
        if sha256:
            batch.sha256, batch.size, batch.pages = sha256, size, pages
    return True


# ---------------------------------------------------------------- the end


def forget(kept: Store, now: datetime) -> int:
    """Take away files whose time is over; how many."""
    with unit_of_work(SYSTEM, via="job") as work:
        over = PrintBatch.until <= now
        found = list(work.session.execute(select(PrintBatch.id, PrintBatch.sha256).where(over).limit(MOST)))
        for row in found:
            if row.sha256:
                kept.drop(row.sha256)
        work.session.execute(delete(PrintBatch).where(PrintBatch.id.in_([row.id for row in found])))
    return len(found)
