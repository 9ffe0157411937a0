"""The same matter again? Suggested at the counter before a complaint is saved, never decided."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session

from cms.authz import visible
from cms.models import Complaint, Party, PartyRole
from cms.rules import Viewer

DAYS = 90
"""How far back a complaint may be the same matter."""
LOOKED_AT = 300
"""Latest complaints of the same unit whose words are compared."""
PERHAPS, PROBABLY = 0.15, 0.5
"""Share of common words: with the same phone the one is enough, without it takes the other."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is about to be registered, as far as it can be compared."""

    text: str
    phone: str | None = None
    opposite: str = ""
    unit_id: int | None = None


def likely(session: Session, viewer: Viewer, asked: Asked, today: date, most: int = 4) -> list[Complaint]:
    """Complaints in the viewer's charge of the last 90 days that may be the same matter, likest first.

    Same phone or same opposite party and some common words, or half of all words in common.
    """
    recent = visible(select(Complaint), Complaint, viewer).where(
        Complaint.received_on >= today - timedelta(days=DAYS)
    )
    people = Party.id.is_(None) if not asked.phone else or_(Party.phone == asked.phone, Party.phone_2 == asked.phone)
    if asked.opposite:
        people |= (Party.role == PartyRole.OPPOSITE) & (Party.name == asked.opposite)
    known = recent.where(Complaint.id.in_(select(Party.complaint_id).where(people)))
    found = {c.id: (like(asked, c), c) for c in newest(session, known, 50) if like(asked, c) >= PERHAPS}
    if asked.unit_id is not None:
        beside = recent.where(Complaint.unit_id == asked.unit_id)
        for other in newest(session, beside, LOOKED_AT):
            if like(asked, other) >= PROBABLY:
                found[other.id] = (like(asked, other), other)
    ranked = sorted(found.values(), key=lambda pair: (-pair[0], -pair[1].id))
    return [complaint for _share, complaint in ranked[:most]]


def newest(session: Session, query: Select[tuple[Complaint]], most: int) -> list[Complaint]:
    """The latest of a list."""
    return list(session.scalars(query.order_by(Complaint.registered_at.desc(), Complaint.id.desc()).limit(most)))


def like(asked: Asked, other: Complaint) -> float:
    """Share of common words of two texts, 0 to 1 (Jaccard)."""
    one, two = words(asked.text), words(other.text or other.subject or "")
    return len(one & two) / len(one | two) if one and two else 0.0


def words(text: str) -> set[str]:
    """The words of a text, without what stands around them."""
    return {word.strip(".,;:!?।()\"'“”") for word in text.lower().split()} - {""}
