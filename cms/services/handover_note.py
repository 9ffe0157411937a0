"""The hand-over note as a letter: what ``handing_over.note_of`` found, in both languages."""

from __future__ import annotations

from cms.models import Complaint, Officer
from cms.pdf_data import HandOverData, HandOverRow
from cms.services.handing_over import HandedOver, HandOverNote
from cms.services.people import HEAD_OF
from cms.services.wording import both, days, language_of, letterhead, moments, office, with_rank


def data(note: HandOverNote) -> HandOverData:
    """The note of one officer, with the complaints that its reader may see."""
    decided = note.proposal.decided_at or note.proposal.proposed_at
    unit = note.officer.unit
    units = [row.complaint.district for row in note.cases[:1]] or ([unit] if unit else [])
    heads, leaves, on = letterhead(units), both(lambda: with_rank(note.officer), "name"), moments("on", decided)
    return HandOverData(
        letterhead_hi=heads["letterhead_hi"],
        letterhead_en=heads["letterhead_en"],
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
