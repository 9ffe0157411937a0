"""Conflict of interest: who is complained against sees and handles nothing of it.

Named may be an officer, a post, a unit or nobody known. Barred are the posting held then and the
posting held now, each with its subtree; a post bars its unit and whoever held it then. A complaint
with a barred unit is restricted and goes one level up by itself, its IO loses it if he is barred,
and only an officer senior to the accused enquires. (PRODUCT.md, rules of fairness.)
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from sqlalchemy import and_, delete, or_, select

from cms.i18n import _l, ist_day
from cms.models import (
    Accused,
    ActionKind,
    BarredUnit,
    Complaint,
    DeadlineKind,
    Desk,
    Officer,
    Posting,
    RequestKind,
    Unit,
)  # fmt: skip
from cms.rules import ENDS, RuleBroken, Viewer
from cms.services import clocks, letting_go, people, requests, stays
from cms.services.step import note
from cms.unit_of_work import Work

WHY = "हितों का टकराव / conflict of interest"
"""The reason in the diary, which is kept in both languages."""


def bar(work: Work, complaint: Complaint) -> None:
    """Write the barred units of a complaint from its accused links and set ``restricted``.

    Barred are the postings of then and of now: a posting in between, or one that has ended, is not.
    """
    units = barred_by(work, complaint)
    known = people.barred_units(work.session, complaint.id)
    for unit_id in sorted(units - known):
        work.session.add(BarredUnit(complaint_id=complaint.id, unit_id=unit_id))
    if gone := known - units:
        rows: Any = BarredUnit.__table__
        work.session.execute(
            delete(rows).where(rows.c.complaint_id == complaint.id, rows.c.unit_id.in_(sorted(gone)))
        )
    complaint.restricted = bool(units) or bool(people.restricting_officers(work.session, complaint.id))
    if units:
        complaint.unit = clear_unit(work, complaint.unit, units)
        complaint.unit_id = complaint.unit.id


def then_of(complaint: Complaint) -> date:
    """The day from which "the posting held then" is told."""
    return complaint.incident_on or complaint.received_on


def links_of(work: Work, complaint: Complaint) -> list[Accused]:
    """The links in force that restrict."""
    query = select(Accused).where(
        Accused.complaint_id == complaint.id, Accused.restricts, Accused.dropped_at.is_(None)
    )
    return list(work.session.scalars(query.order_by(Accused.id)))


def barred_by(work: Work, complaint: Complaint) -> set[int]:
    """Units that the restricting links of a complaint bar today."""
    then, today = then_of(complaint), ist_day(work.now)
    units: set[int] = set()
    for link in links_of(work, complaint):
        named = {link.officer_id} if link.officer_id else set()
        if link.unit_id:
            units.add(link.unit_id)
            named |= people.holders(work.session, link.unit_id, link.post, then) if link.post else set()
        for officer_id in named:
            units |= people.units_held(work.session, officer_id, then, today)
    return units


def clear_unit(work: Work, unit: Unit, barred: set[int]) -> Unit:
    """The unit itself, or the first above it that is outside every barred subtree."""
    while barred.intersection(people.line_of(unit)):
        if unit.parent is None:
            raise RuleBroken(_l("No office above the accused is left to handle this complaint."))
        unit = unit.parent
    return unit


def check_unit(work: Work, complaint: Complaint, unit: Unit) -> None:
    """RuleBroken if the unit is barred from this complaint."""
    if people.barred_units(work.session, complaint.id).intersection(people.line_of(unit)):
        raise RuleBroken(
            _l("%(unit)s or an officer of it is complained against; choose an office above it."),
            unit=unit.name,
        )


# ---------------------------------------------------------------- who may enquire


def accused_officers(session: Any, complaint: Complaint) -> set[int]:
    """Officers complained against: by name, or because they held the named post then."""
    found = people.accused_officers(session, complaint.id)
    query = select(Accused.unit_id, Accused.post).where(
        Accused.complaint_id == complaint.id, Accused.post.is_not(None), Accused.unit_id.is_not(None),
        Accused.dropped_at.is_(None),
    )  # fmt: skip
    for unit_id, post in session.execute(query):
        found |= people.holders(session, unit_id, post, then_of(complaint))
    return found


def may_enquire(
    session: Any, complaint: Complaint, officers: Iterable[Officer], now: datetime
) -> list[Officer]:
    """Those of the officers whom no conflict of interest keeps from this complaint, in their order.

    Out are the accused, whoever is posted in a barred subtree by any charge, and whoever is junior
    to an accused. One of the accused's own rank enquires only where nobody senior is among them.
    """
    found = list(officers)
    accused = accused_officers(session, complaint)
    barred = people.barred_units(session, complaint.id)
    if barred:
        paths = people.paths_of(session, [o.id for o in found], ist_day(now))
        shut = {f"/{i}/" for i in barred}
        found = [o for o in found if not any(part in path for path in paths.get(o.id, ()) for part in shut)]
    found = [o for o in found if o.id not in accused]
    level = max((people.level_of(session, one) for one in accused), default=0)
    senior = [o for o in found if o.rank.level > level]
    return senior or [o for o in found if o.rank.level == level]


def is_barred(work: Work, complaint: Complaint, officer_id: int) -> bool:
    """True if the officer is accused, or posted today in a barred subtree."""
    return people.is_barred(work.session, complaint.id, officer_id, ist_day(work.now))


def blinds(work: Work, complaint: Complaint, viewer: Viewer) -> bool:
    """True if the links bar this viewer himself."""
    if viewer.officer_id and viewer.officer_id in people.restricting_officers(work.session, complaint.id):
        return True
    barred = people.barred_units(work.session, complaint.id)
    return any(barred.intersection(seat.line) for seat in viewer.seats)


# ---------------------------------------------------------------- looking anew


def follow(work: Work, officer_id: int) -> int:
    """An officer was posted elsewhere: look anew at every complaint against him or enquired by him.

    The case goes up by itself where he would now sit over it, and its IO loses it if he is barred.
    Gives how many were looked at.
    """
    held = and_(Posting.unit_id == Accused.unit_id, Posting.post == Accused.post, Posting.officer_id == officer_id)
    named = or_(
        Accused.officer_id == officer_id,
        and_(Accused.post.is_not(None), select(Posting.id).where(held).exists()),
    )
    against = select(Accused.complaint_id).where(named, Accused.restricts, Accused.dropped_at.is_(None))
    his = and_(Complaint.io_id == officer_id, Complaint.is_open, Complaint.restricted)
    ids = list(
        work.session.scalars(
            select(Complaint.id)
            .where(Complaint.id.in_(against) | his, Complaint.status.not_in(list(ENDS)))
            .order_by(Complaint.id)
            .with_for_update()
        )
    )
    cases = work.session.scalars(select(Complaint).where(Complaint.id.in_(ids)).order_by(Complaint.id))
    for complaint in list(cases):
        look_anew(work, complaint)
    return len(ids)


def look_anew(work: Work, complaint: Complaint) -> None:
    """Bar anew, and take the case from whoever is barred now: unit, IO, receiver, desk."""
    before = complaint.unit
    bar(work, complaint)
    work.session.flush()
    barred = people.barred_units(work.session, complaint.id)
    if complaint.unit_id != before.id:
        note(work, complaint, ActionKind.MARKED, f"{before.name_en} → {complaint.unit.name_en} · {WHY}")
    drop_transfer(work, complaint, barred)
    if complaint.is_open and complaint.io_id and is_barred(work, complaint, complaint.io_id):
        officer = work.session.get_one(Officer, complaint.io_id)
        name = f"{officer.rank.short_en} {officer.name_en}"
        letting_go.to_head(work, complaint)
        note(work, complaint, ActionKind.HANDED_OVER, f"{name} → {complaint.unit.name_en} · {WHY}")
    work.session.flush()
    move_desk(work, complaint, barred)
    work.session.flush()


def drop_transfer(work: Work, complaint: Complaint, barred: set[int]) -> None:
    """A unit that became barred is asked no more to take the case over."""
    unit = complaint.transfer_to
    if unit is None or not barred.intersection(people.line_of(unit)):
        return
    request = requests.pending(work, complaint, RequestKind.TRANSFER)
    if request is not None:
        request.granted, request.decided_at = False, work.now
        request.answer = WHY
    complaint.transfer_to = None
    complaint.transfer_to_id = None
    clocks.drop(work, complaint, [DeadlineKind.ACCEPT])
    desk = Desk.IO if complaint.io_id else Desk.HEAD
    stays.begin(work, complaint, desk, complaint.unit_id, complaint.io_id)
    note(work, complaint, ActionKind.DECLINED, f"{unit.name_en} · {WHY}")


def move_desk(work: Work, complaint: Complaint, barred: set[int]) -> None:
    """The time is the new office's; a desk elsewhere that is barred passes to the office above it."""
    stay = stays.present(work.session, complaint)
    if stay is None:
        return
    if stay.desk in (Desk.HEAD, Desk.IO):
        officer_id = complaint.io_id if stay.desk is Desk.IO else None
        stays.begin(work, complaint, stay.desk, complaint.unit_id, officer_id)
    elif barred.intersection(people.line_of(stay.unit)):
        stays.begin(work, complaint, stay.desk, clear_unit(work, stay.unit, barred).id, stay.officer_id)
