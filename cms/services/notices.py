"""The lines on an officer's home page."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from cms.authz import visible
from cms.models import Notice
from cms.rules import Viewer
from cms.services.desk import fetch
from cms.unit_of_work import Work


def unread(session: Session, viewer: Viewer, limit: int = 20) -> list[Notice]:
    """The viewer's unread notices about complaints he may still see, newest first."""
    query = (
        visible(select(Notice), Notice, viewer)
        .where(Notice.read_at.is_(None))
        .options(joinedload(Notice.complaint))
        .order_by(Notice.id.desc())
    )
    return list(session.scalars(query.limit(limit)))


def mark_read(work: Work, notice_id: int) -> None:
    """The officer has seen it. NotFound if it is somebody else's."""
    notice = fetch(work, Notice, notice_id)
    notice.read_at = notice.read_at or work.now
