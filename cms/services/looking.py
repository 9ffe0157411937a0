"""Who opened a complaint, and when: one line an hour for each account, never changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from cms.authz import allowed, covers, visible
from cms.models import Complaint, Officer, Seen, Unit, User
from cms.rules import Post, Viewer
from cms.unit_of_work import Work, insert_once

SEEN: Any = Seen.__table__
MOST = 300
"""Openings a page tells of, the newest."""


def hour_of(moment: datetime) -> int:
    """Hours since 1970: openings within one are one line."""
    return int(moment.timestamp()) // 3600


def is_noted(session: Session, viewer: Viewer, complaint_id: int, now: datetime) -> bool:
    """True if this hour's line is there, so that no write is needed."""
    query = select(Seen.id).where(
        Seen.complaint_id == complaint_id, Seen.user_id == viewer.user_id, Seen.hour == hour_of(now)
    )
    return session.scalar(query) is not None


def looked(work: Work, complaint_id: int) -> bool:
    """Note that the actor opened a complaint of his charge; False if this hour is noted already."""
    # Unlocked: whoever acts on it must not wait for somebody who only looks.
    query = visible(select(Complaint).where(Complaint.id == complaint_id), Complaint, work.actor)
    complaint: Complaint | None = work.session.scalar(query.options(joinedload(Complaint.unit)))
    if complaint is None or work.actor.user_id is None:
        return False
    return insert_once(work.session, SEEN, line(work, complaint)) == 1


def looked_through(work: Work, ids: list[int]) -> int:
    """The same for many complaints whose papers the actor took in one file; how many lines were new."""
    query = visible(select(Complaint).where(Complaint.id.in_(ids)), Complaint, work.actor)
    noted = select(Seen.complaint_id).where(
        Seen.complaint_id.in_(ids), Seen.user_id == work.actor.user_id, Seen.hour == hour_of(work.now)
    )
    rows = work.session.scalars(query.where(Complaint.id.not_in(noted)).options(joinedload(Complaint.unit)))
    return sum(insert_once(work.session, SEEN, line(work, complaint)) for complaint in rows.all())


def line(work: Work, complaint: Complaint) -> dict[str, Any]:
    """What is noted of one opening: who, when, and from which seat."""
    seat = next((s for s in work.actor.seats if covers((s,), complaint.unit)), None)
    seat = seat or next(iter(work.actor.seats), None)
    return {
        "complaint_id": complaint.id, "user_id": work.actor.user_id, "hour": hour_of(work.now), "at": work.now,
        "name": work.actor.name[:80], "post": seat.post.name if seat else "", "unit_id": seat.unit_id if seat else None,
    }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Look:
    """One opening: by whom, as what, of which office."""

    at: datetime
    officer: Officer | None
    name: str
    post: str
    unit: Unit | None

    @property
    def as_what(self) -> Any:
        """The post by its member; nothing if it is none."""
        return Post.__members__.get(self.post)


def openings(session: Session, viewer: Viewer, complaint: Complaint) -> list[Look]:
    """Who opened the complaint, newest first: all for those who may read its history, else one's own."""
    query = (
        select(Seen, Officer, Unit)
        .outerjoin(User, User.id == Seen.user_id)
        .outerjoin(Officer, Officer.id == User.officer_id)
        .outerjoin(Unit, Unit.id == Seen.unit_id)
        .where(Seen.complaint_id == complaint.id)
        .options(joinedload(Officer.rank))
        .order_by(Seen.at.desc(), Seen.id.desc())
        .limit(MOST)
    )
    if not allowed(viewer, "history", complaint):
        query = query.where(Seen.user_id == viewer.user_id)
    return [Look(s.at, officer, s.name, s.post, unit) for s, officer, unit in session.execute(query)]


def last_opened(session: Session, viewer: Viewer, complaint: Complaint) -> dict[int, datetime]:
    """Officer id -> when he last opened it, as far as this viewer may know."""
    query = (
        select(User.officer_id, func.max(Seen.at))
        .join(User, User.id == Seen.user_id)
        .where(Seen.complaint_id == complaint.id, User.officer_id.is_not(None))
        .group_by(User.officer_id)
    )
    if not allowed(viewer, "history", complaint):
        query = query.where(Seen.user_id == viewer.user_id)
    return {int(row[0]): row[1] for row in session.execute(query) if row[0]}

