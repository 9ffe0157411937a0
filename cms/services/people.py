"""Who holds which post, from dated postings; a vacant post passes to the next filled superior."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from cms.models import (
    Accused,
    Appeal,
    Assignment,
    BarredUnit,
    Decision,
    EnquiryReport,
    Officer,
    Posting,
    Rank,
    Round,
    Unit,
)  # fmt: skip
from cms.rules import SUPERIORS, Post


def line_of(unit: Unit) -> list[int]:
    """Ids from the unit upwards, itself first."""
    return [int(part) for part in unit.path.strip("/").split("/")][::-1]


def superiors(session: Session, unit: Unit, on: date) -> list[Posting]:
    """Postings of command over the unit on that day, the nearest desk first."""
    line = line_of(unit)
    query = (
        select(Posting)
        .join(Officer)
        .where(
            Posting.unit_id.in_(line),
            Posting.post.in_(SUPERIORS),
            Posting.in_force(on),
            Officer.active,
        )
        .options(joinedload(Posting.officer).joinedload(Officer.rank), joinedload(Posting.unit))
    )
    found = session.scalars(query).all()
    return sorted(found, key=lambda p: (line.index(p.unit_id), SUPERIORS.index(p.post), p.id))


def responsible(
    session: Session, unit: Unit, on: date, *, barred: Iterable[int] = (), above: Post | None = None
) -> Posting | None:
    """The nearest filled post of command that no conflict of interest bars; None if all vacant."""
    shut = set(barred)
    lowest = SUPERIORS.index(above) + 1 if above else 0
    for posting in superiors(session, unit, on):
        if SUPERIORS.index(posting.post) < lowest:
            continue
        if not shut.intersection(line_of(posting.unit)):
            return posting
    return None


def barred_units(session: Session, complaint_id: int) -> set[int]:
    """Units whose subtree may not see the complaint."""
    query = select(BarredUnit.unit_id).where(BarredUnit.complaint_id == complaint_id)
    return set(session.scalars(query))


def units_held(session: Session, officer_id: int, days: Iterable[date]) -> set[int]:
    """Units where the officer had a posting on any of these days."""
    held: set[int] = set()
    for day in days:
        query = select(Posting.unit_id).where(
            Posting.officer_id == officer_id, Posting.in_force(day)
        )
        held.update(session.scalars(query))
    return held


def ios(session: Session, complaint_id: int) -> set[int]:
    """Officers who were IO of the complaint in any round."""
    query = select(Assignment.officer_id).where(Assignment.complaint_id == complaint_id)
    return set(session.scalars(query))


def handlers(session: Session, complaint_id: int) -> set[int]:
    """Officers who enquired into the complaint or decided on a report or appeal of it."""
    decided = (
        select(Decision.officer_id)
        .join(EnquiryReport, EnquiryReport.id == Decision.report_id)
        .where(EnquiryReport.complaint_id == complaint_id)
    )
    disposed = select(Round.disposed_by_id).where(Round.complaint_id == complaint_id)
    heard = select(Appeal.decided_by_id).where(Appeal.complaint_id == complaint_id)
    found = set(session.scalars(decided)) | ios(session, complaint_id)
    found |= {i for query in (disposed, heard) for i in session.scalars(query) if i}
    return found


def accused_officers(session: Session, complaint_id: int) -> set[int]:
    """Officers complained against."""
    query = select(Accused.officer_id).where(
        Accused.complaint_id == complaint_id, Accused.officer_id.is_not(None), Accused.dropped_at.is_(None)
    )
    return {i for i in session.scalars(query) if i}


def restricting_officers(session: Session, complaint_id: int) -> set[int]:
    """Officers whom a restricting link names; one without any posting bars no unit, only himself."""
    query = select(Accused.officer_id).where(
        Accused.complaint_id == complaint_id, Accused.officer_id.is_not(None), Accused.restricts,
        Accused.dropped_at.is_(None),
    )  # fmt: skip
    return {i for i in session.scalars(query) if i}


def level_of(session: Session, officer_id: int) -> int:
    """The level of an officer's rank."""
    query = select(Rank.level).join(Officer, Officer.rank_id == Rank.id)
    return session.scalars(query.where(Officer.id == officer_id)).one()
