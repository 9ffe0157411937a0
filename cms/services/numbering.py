"""Gap-free complaint numbers per district and year, however many counters register at once."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Table, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from cms.i18n import ist
from cms.models import NumberSeries, Unit
from cms.rules import complaint_number
from cms.unit_of_work import Work

SERIES: Any = NumberSeries.__table__


def insert_once(session: Session, table: Table | Any, values: dict[str, Any]) -> None:
    """INSERT unless the row is there; a concurrent insert of the same row is waited for."""
    dialect = session.get_bind().dialect.name
    make = postgresql.insert if dialect == "postgresql" else sqlite.insert
    session.execute(make(table).values(**values).on_conflict_do_nothing())


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
