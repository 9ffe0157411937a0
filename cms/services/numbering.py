"""Gap-free complaint numbers per district and year, however many counters register at once."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select, update

from cms.i18n import ist
from cms.models import NumberSeries, Unit
from cms.rules import complaint_number
from cms.unit_of_work import Work, insert_once

SERIES: Any = NumberSeries.__table__


def lock_series(work: Work, unit: Unit) -> None:
    """Lock the series of the unit's district; a second counter waits here until we commit."""
    key = {"district_id": unit.district_id, "year": ist(work.now).year}
    insert_once(work.session, SERIES, {**key, "last": 0})
    work.session.execute(select(SERIES.c.last).filter_by(**key).with_for_update())


def next_number(work: Work, unit: Unit) -> str:
    """Count the locked series up by one; a rollback takes the number back."""
    year = ist(work.now).year
    district = work.session.get_one(Unit, unit.district_id)
    last = work.session.scalar(
        update(SERIES)
        .where(SERIES.c.district_id == district.id, SERIES.c.year == year)
        .values(last=SERIES.c.last + 1)
        .returning(SERIES.c.last)
    )
    return complaint_number(district.code, year, int(last or 0))
