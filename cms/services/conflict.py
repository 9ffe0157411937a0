"""Conflict of interest: who is complained against sees and handles nothing of it.

Barred are the posting held then and the posting held now, each with its subtree; a complaint
with a barred unit is restricted and goes one level up by itself. (PRODUCT.md, rules of fairness.)
"""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import delete, select

from cms.i18n import _l, ist_day
from cms.models import Accused, BarredUnit, Complaint, Unit
from cms.rules import ENDS, RuleBroken
from cms.services import people
from cms.unit_of_work import Work


def bar(work: Work, complaint: Complaint) -> None:
    """Write the barred units of a complaint from its accused links and set ``restricted``.

    Barred are the postings of then and of now: a posting in between, or one that has ended, is not.
    """
    then = complaint.incident_on or complaint.received_on
    units = barred_by(work, complaint, (then, ist_day(work.now)))
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


def follow(work: Work, officer_id: int) -> int:
    """An officer was posted elsewhere: look anew at every open complaint against him; how many.

    The case goes up by itself where he would now sit over it, and its IO loses it if he is barred.
    """
    query = (
        select(Complaint)
        .join(Accused, Accused.complaint_id == Complaint.id)
        .where(
            Accused.officer_id == officer_id, Accused.restricts, Accused.dropped_at.is_(None),
            Complaint.status.not_in(list(ENDS)),
        )
        .order_by(Complaint.id)
    )  # fmt: skip
    cases = list(work.session.scalars(query).unique())
    for complaint in cases:
        bar(work, complaint)
    return len(cases)


def barred_by(work: Work, complaint: Complaint, days: tuple[date, ...]) -> set[int]:
    """Units that the restricting links of a complaint bar."""
    units: set[int] = set()
    for link in work.session.scalars(
        select(Accused).where(
            Accused.complaint_id == complaint.id, Accused.restricts, Accused.dropped_at.is_(None)
        )
    ):
        if link.unit_id:
            units.add(link.unit_id)
        if link.officer_id:
            units |= people.units_held(work.session, link.officer_id, days)
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
