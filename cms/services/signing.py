"""Who signs the papers of an office: whoever issues them, or the post that the office names for it."""

from __future__ import annotations

from datetime import date

from sqlalchemy import or_, select

from cms.i18n import ist_day
from cms.models import Complaint, DocumentKind, Officer, Signatory, Unit
from cms.rules import SUPERIORS, Post, Seat, Viewer
from cms.services import people
from cms.services.wording import both, in_both_scripts, office
from cms.unit_of_work import Work


def signing_seat(actor: Viewer, path: str) -> Seat | None:
    """The seat in which the actor signs: the highest of those over the unit, else his first."""
    over = [seat for seat in actor.seats if path.startswith(seat.path)] or list(actor.seats[:1])
    rank = {post: number for number, post in enumerate(SUPERIORS)}
    return max(over, key=lambda seat: rank.get(seat.post, -1), default=None)


def signature(work: Work, complaint: Complaint, kind: DocumentKind) -> dict[str, str]:
    """Name, rank and post below a paper: of the actor in his seat, or of whom that office lets sign."""
    seat = signing_seat(work.actor, complaint.unit.path)
    row = appointed(work, seat.unit_id, kind) if seat else None
    officer = signatory(work, complaint, row) if row else None
    if row is not None and officer is not None:
        return {**named(officer), "officer_post_hi": row.words_hi, "officer_post_en": row.words_en}
    unit = work.session.get(Unit, seat.unit_id) if seat else None
    actor = work.session.get(Officer, work.actor.officer_id) if work.actor.officer_id else None
    return {
        **(named(actor) if actor else {"officer_name": "", "officer_rank_hi": "", "officer_rank_en": ""}),
        "officer_name": in_both_scripts(actor) or work.actor.name,
        **both(lambda: office(seat.post if seat else Post.BRANCH, unit), "officer_post"),
    }


def named(officer: Officer) -> dict[str, str]:
    """Name and rank as a signature gives them."""
    return {
        "officer_name": in_both_scripts(officer),
        "officer_rank_hi": officer.rank.name_hi, "officer_rank_en": officer.rank.name_en,
    }  # fmt: skip


def appointed(work: Work, unit_id: int, kind: DocumentKind) -> Signatory | None:
    """The row in force for such a paper of this office: one for its kind before one for all, then the latest."""
    today = ist_day(work.now)
    query = select(Signatory).where(
        Signatory.unit_id == unit_id, or_(Signatory.kind == kind, Signatory.kind.is_(None)),
        Signatory.valid_from <= today, or_(Signatory.valid_to.is_(None), Signatory.valid_to > today),
    ).order_by(Signatory.kind.is_(None), Signatory.valid_from.desc(), Signatory.id.desc())  # fmt: skip
    found: Signatory | None = work.session.scalar(query.limit(1))
    return found


def signatory(work: Work, complaint: Complaint, row: Signatory) -> Officer | None:
    """Who holds the post of a row; None while it is vacant, and for a complaint of which he is IO or
    with which he may have nothing to do: then the present rule stands."""
    today = ist_day(work.now)
    posting = people.holder(work.session, row.seat_id or row.unit_id, row.post, today)
    if posting is None or posting.officer_id == complaint.io_id or shut_out(work, complaint, posting.officer_id, today):
        return None
    return posting.officer


def shut_out(work: Work, complaint: Complaint, officer_id: int, today: date) -> bool:
    """True if the officer is complained against, or the complaint is closed to where he is posted."""
    accused = people.accused_officers(work.session, complaint.id)
    return officer_id in accused or people.is_barred(work.session, complaint.id, officer_id, today)
