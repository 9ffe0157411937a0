"""Conflict of interest: who is complained against sees and handles nothing of it.

Barred are the posting held then and the posting held now, each with its subtree; a complaint
with a barred unit is restricted and goes one level up by itself. (PRODUCT.md, rules of fairness.)
"""

from __future__ import annotations

from datetime import date

from sqlalchemy import select

from cms.i18n import _l, ist_day
from cms.models import Accused, BarredUnit, Complaint, Unit
from cms.rules import RuleBroken
from cms.services import people
from cms.unit_of_work import Work


def bar(work: Work, complaint: Complaint) -> None:
    """Write the barred units of a complaint from its accused links and set ``restricted``."""
    then = complaint.incident_on or complaint.received_on
    units = barred_by(work, complaint, (then, ist_day(work.now)))
    known = people.barred_units(work.session, complaint.id)
    for unit_id in sorted(units - known):
        work.session.add(BarredUnit(complaint_id=complaint.id, unit_id=unit_id))
    complaint.restricted = bool(units | known)
    if complaint.restricted:
        complaint.unit = clear_unit(work, complaint.unit, units | known)


def barred_by(work: Work, complaint: Complaint, days: tuple[date, ...]) -> set[int]:
    """Units that the restricting links of a complaint bar."""
    units: set[int] = set()
    for link in work.session.scalars(
        select(Accused).where(Accused.complaint_id == complaint.id, Accused.restricts)
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
