"""Who is complained against, changed after registration: by the next superior, never blinding himself.

A link is never deleted: it is dropped with its day, and the diary says why. (PRODUCT.md, rules of
fairness: adding or removing such a link needs the next superior.)
"""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from cms.i18n import _l
from cms.models import Accused, ActionKind, Complaint, Officer
from cms.rules import NotFound, RuleBroken
from cms.services import conflict
from cms.services.complaints import AccusedNamed, accused_link
from cms.services.desk import complaint_for, filled
from cms.services.step import note
from cms.unit_of_work import Work


def accuse(
    work: Work, complaint_id: int, version: int | None, named: AccusedNamed, reason: str
) -> Complaint:
    """Add a link: officer, post, unit or a description. Who is barred by it loses sight at once.

    RuleBroken if it names nobody, is there already, or would bar the actor himself: then the
    superior above him must add it.
    """
    complaint = complaint_for(work, "accuse", complaint_id, version)
    said = filled(reason, _l("Reason"), 500)
    link = accused_link(work, complaint, named)
    refuse_twice(work, complaint, link)
    work.session.add(link)
    work.session.flush()
    look_anew(work, complaint)
    note(work, complaint, ActionKind.ACCUSED, f"+ {called(link)} · {said}")
    return complaint


def refuse_twice(work: Work, complaint: Complaint, link: Accused) -> None:
    """RuleBroken if the same link is in force already."""
    with work.session.no_autoflush:
        query = select(Accused.id).where(
            Accused.complaint_id == complaint.id, Accused.dropped_at.is_(None),
            Accused.officer_id.is_not_distinct_from(link.officer.id if link.officer else None),
            Accused.unit_id.is_not_distinct_from(link.unit.id if link.unit else None),
            Accused.post.is_not_distinct_from(link.post), Accused.described == link.described,
        )  # fmt: skip
        if work.session.scalar(query.limit(1)) is not None:
            raise RuleBroken(_l("This is on the list of the complained-against already."))


def look_anew(work: Work, complaint: Complaint) -> None:
    """Apply the links to the case. RuleBroken if they bar the actor."""
    conflict.look_anew(work, complaint)
    if conflict.blinds(work, complaint, work.actor):
        raise RuleBroken(
            _l("This link would keep the complaint from you as well; your superior must record it.")
        )


def clear_link(
    work: Work, complaint_id: int, version: int | None, accused_id: int | None, reason: str
) -> Complaint:
    """Drop a link with its reason. The complaint stays where it is until it is marked."""
    complaint = complaint_for(work, "accuse", complaint_id, version)
    link = work.session.get(Accused, accused_id) if accused_id else None
    if link is None or link.complaint_id != complaint.id:
        raise NotFound("Accused")
    if link.dropped_at is not None:
        raise RuleBroken(_l("This link was dropped already."))
    said = filled(reason, _l("Reason"), 500)
    link.dropped_at = work.now
    work.session.flush()
    look_anew(work, complaint)
    note(work, complaint, ActionKind.ACCUSED, f"- {called(link)} · {said}")
    return complaint


def called(link: Accused) -> str:
    """Who is meant, for the diary, the same in every language."""
    post = link.post.name if link.post else ""
    officer = f"{link.officer.rank.short_en} {link.officer.name_en}" if link.officer else ""
    unit = link.unit.name_en if link.unit else ""
    return " · ".join(filter(None, [officer, post, unit, link.described]))


def links(session: Session, complaint: Complaint) -> list[Accused]:
    """Every link of a complaint, dropped ones last."""
    query = (
        select(Accused)
        .where(Accused.complaint_id == complaint.id)
        .options(joinedload(Accused.officer).joinedload(Officer.rank), joinedload(Accused.unit))
        .order_by(Accused.dropped_at.is_not(None), Accused.id)
    )
    return list(session.scalars(query))
