"""The hand-over note as a letter: what ``handing_over.note_of`` found, in both languages.

With the order a paper is issued that names every complaint: the same bytes to whoever may see all of
them. Others have the page, which leaves out what they may not see.
"""

from __future__ import annotations

from dataclasses import asdict

from sqlalchemy import select
from sqlalchemy.orm import Session

from cms.models import Complaint, HandOverPaper, Officer, Proposal, Unit
from cms.pdf import CURRENT
from cms.pdf_data import HandOverData, HandOverRow
from cms.rules import SYSTEM
from cms.services import handing_over
from cms.services.handing_over import HandedOver, HandOverNote
from cms.services.people import HEAD_OF
from cms.services.wording import both, days, edition, language_of, letterhead, moments, office, with_rank
from cms.unit_of_work import Work


def issue(work: Work, proposal: Proposal) -> None:
    """A paper for each officer who handed complaints over by this order and has none yet."""
    known = select(HandOverPaper.officer_id).where(HandOverPaper.proposal_id == proposal.id)
    done = set(work.session.scalars(known))
    for officer_id in [one["officer"] for one in handing_over.lines_of(proposal) if one["cases"]]:
        if officer_id in done:
            continue
        done.add(officer_id)
        note = handing_over.note_of(work.session, SYSTEM, proposal.id, officer_id)
        said = asdict(data(note))
        paper = HandOverPaper(
            proposal_id=proposal.id, officer_id=officer_id, issued_at=work.now, data=said, template=CURRENT,
            edition=edition(office_of(note)),
        )  # fmt: skip
        work.session.add(paper)
        work.session.flush()
        work.hint("render_note", paper.id)


def paper_of(session: Session, note: HandOverNote) -> HandOverPaper | None:
    """The paper of a note, for a reader who may see all of it."""
    if not note.whole:
        return None
    query = select(HandOverPaper).where(
        HandOverPaper.proposal_id == note.proposal.id, HandOverPaper.officer_id == note.officer.id
    )
    found: HandOverPaper | None = session.scalar(query)
    return found


def office_of(note: HandOverNote) -> Unit | None:
    """The office in whose name the note goes out: the district of its complaints."""
    return note.cases[0].complaint.district if note.cases else note.officer.unit


def data(note: HandOverNote) -> HandOverData:
    """The note of one officer, with the complaints that its reader may see."""
    decided = note.proposal.decided_at or note.proposal.proposed_at
    unit = office_of(note)
    units = [unit] if unit else []
    heads, leaves, on = letterhead(units), both(lambda: with_rank(note.officer), "name"), moments("on", decided)
    return HandOverData(
        **heads,
        number=note.proposal.order_no,
        date_hi=on["on_hi"],
        date_en=on["on_en"],
        leaves_hi=leaves["name_hi"],
        leaves_en=leaves["name_en"],
        belt_no=note.officer.belt_no or "",
        rows=[line(row) for row in note.cases],
    )


def line(row: HandedOver) -> HandOverRow:
    """One complaint of the note."""
    case, last = row.complaint, row.last
    text = last.note if last else ""
    when = days("on", last.happened_at) if last else {}
    kind = both(lambda: last.kind if last else "", "kind")
    return HandOverRow(
        number=case.number,
        subject=case.subject or "",
        language=language_of(case.subject),
        **both(lambda: receiver(case, row.to), "to"),
        **both(lambda: case.status.label, "status"),
        **days("due_on", case.due_at),
        last_hi=", ".join(filter(None, [kind["kind_hi"], when.get("on_hi", "")])),
        last_en=", ".join(filter(None, [kind["kind_en"], when.get("on_en", "")])),
        last_text=text if len(text) <= SHORT else f"{text[: SHORT - 2].rstrip()} …",
        last_language=language_of(text),
    )


SHORT = 160
"""Characters of the last entry that the note repeats; all of it is in the diary."""


def receiver(case: Complaint, officer: Officer | None) -> str:
    """The successor, else the head of the unit, in the language in force."""
    if officer is not None:
        return with_rank(officer)
    head = HEAD_OF.get(case.unit.kind)
    return office(head, case.unit) if head else case.unit.name
