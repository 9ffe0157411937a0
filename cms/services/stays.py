"""Whose time it is: stays at desks, one after the other, without gap or overlap."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from cms.models import Complaint, Desk, Stay, Unit
from cms.unit_of_work import Work


def present(session: Session, complaint: Complaint) -> Stay | None:
    """The stay that has not ended; None once the complaint is closed."""
    return session.scalar(
        select(Stay).where(Stay.complaint_id == complaint.id, Stay.to_at.is_(None))
    )


def begin(
    work: Work, complaint: Complaint, desk: Desk, unit_id: int, officer_id: int | None = None,
    at: datetime | None = None,
) -> None:  # fmt: skip
    """The complaint comes to a desk, now or (told by an old register) then; the stay before it ends
    at the same moment."""
    now = present(work.session, complaint)
    if now is not None:
        if (now.desk, now.unit_id, now.officer_id, now.round) == (
            desk, unit_id, officer_id, complaint.round,
        ):  # fmt: skip
            return
        now.to_at = at or work.now
        work.session.flush()
    last = work.session.scalar(
        select(func.max(Stay.no)).where(Stay.complaint_id == complaint.id)
    )
    work.session.add(
        Stay(
            complaint_id=complaint.id, no=(last or 0) + 1, round=complaint.round, desk=desk,
            unit_id=unit_id, officer_id=officer_id, from_at=at or work.now,
        )
    )  # fmt: skip


def end(work: Work, complaint: Complaint, at: datetime | None = None) -> None:
    """Nobody owes the complaint anything any more."""
    now = present(work.session, complaint)
    if now is not None:
        now.to_at = at or work.now


def place(complaint: Complaint, desk: Desk) -> tuple[int, int | None]:
    """(unit, officer) of a desk that follows from the complaint itself."""
    if desk is Desk.BRANCH:
        return complaint.registered_unit_id, None
    if desk is Desk.IO:
        return complaint.unit_id, complaint.io_id
    if desk is Desk.RECEIVER and complaint.transfer_to_id:
        return complaint.transfer_to_id, None
    if desk is Desk.FEEDBACK:
        return complaint.district_id, None
    return complaint.unit_id, None


@dataclass(frozen=True, slots=True)
class Share:
    """How long one desk had the complaint in all."""

    desk: Desk
    unit: Unit
    officer: object
    spent: timedelta
    now: bool


def shares(stays: Iterable[Stay], now: datetime) -> list[Share]:
    """Time per desk, unit and officer, in the order in which they first had it.

    The sum is the time from registration to now or to closing, to the second.
    """
    found: dict[tuple[Desk, int, int | None], list[Stay]] = {}
    for stay in stays:
        found.setdefault((stay.desk, stay.unit_id, stay.officer_id), []).append(stay)
    return [
        Share(
            desk, rows[0].unit, rows[0].officer,
            sum(((s.to_at or now) - s.from_at for s in rows), timedelta()),
            any(s.to_at is None for s in rows),
        )
        for (desk, _unit, _officer), rows in found.items()
    ]  # fmt: skip

