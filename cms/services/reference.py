"""Reference rows that come with the project: units, lists, and the rules that are rows.

They are facts of the Hisar range made tidy (``cms/fixtures``) and the department's own figures; an
office edits them afterwards. Loading adds what is missing by code and changes nothing that is
there; what has no code (policies, approval rules) is added to an empty table only, holidays to a
year that has none.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

from sqlalchemy import Boolean, Connection, Enum, Integer, select

from cms.i18n import ist_day
from cms.models import (
    ApprovalRule,
    Category,
    Disposition,
    DispositionField,
    HoldReason,
    Holiday,
    Kind,
    Mode,
    Policy,
    QuickText,
    Rank,
    Source,
    Unit,
    UnitParent,
    db,
)  # fmt: skip
from cms.services import bulk
from cms.unit_of_work import Work, utcnow

FIXTURES = Path(__file__).parents[1] / "fixtures"
SINCE = date(2020, 1, 1)
"""From when the tree and the rules of the fixtures are taken to have stood."""

MASTERS: Mapping[type[Any], str] = {
    Rank: "ranks", Mode: "modes", Source: "sources", Category: "categories",
    Disposition: "dispositions",
}  # fmt: skip
LISTS: Mapping[type[Any], str] = {
    HoldReason: "hold_reasons", QuickText: "quick_texts", DispositionField: "disposition_fields",
}  # fmt: skip
"""Lists with a code that came with the whole life of a complaint."""
RULES: Mapping[type[Any], str] = {Policy: "policies", ApprovalRule: "approval_rules"}
"""Rules without a code."""
BEFORE, AFTER = 2, 1
"""Years before and after the present one whose holidays are added."""

UNIT = ("code", "name_en", "name_hi", "kind", "aliases", "letterhead_hi", "letterhead_en")


def fixture(name: str) -> list[dict[str, str]]:
    """The rows of one fixture, as text."""
    with (FIXTURES / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def is_empty(connection: Connection) -> bool:
    """True before the first unit exists."""
    return connection.scalar(select(Unit.id).limit(1)) is None


def load(work: Work, first_year: int | None = None) -> dict[str, int]:
    """Add the reference rows that are missing; how many per table.

    first_year: from when holidays are wanted, if earlier than two years ago.
    """
    added = {m.__tablename__: load_master(work, m, name) for m, name in MASTERS.items()}
    added["unit"] = load_units(work, fixture("units"), SINCE)
    added |= load_rules(work, first_year)
    return {table: count for table, count in added.items() if count}


def load_rules(work: Work, first_year: int | None = None) -> dict[str, int]:
    """Add what the life of a complaint leans on: a database of an earlier release lacks it.

    What belongs to dispositions waits until there are some.
    """
    added: dict[str, int] = {}
    disposals = codes(work, Disposition)
    for model, name in {**LISTS, **RULES}.items():
        if disposals or model not in (DispositionField, ApprovalRule):
            added[model.__tablename__] = load_master(work, model, name, disposals)
    added["holiday"] = load_holidays(work, first_year)
    return {table: count for table, count in added.items() if count}


def load_master(
    work: Work, model: type[Any], name: str, disposals: Mapping[str, int] | None = None
) -> int:
    """Add the rows of one list whose codes are not there yet; without codes, if there is no row."""
    rows = fixture(name)
    if hasattr(model, "code"):
        known = set(codes(work, model))
        rows = [row for row in rows if row["code"] not in known]
    elif work.session.scalar(select(model.id).limit(1)) is not None:
        return 0
    return len(bulk.insert_registry(work, model, list(typed_rows(model, rows, disposals or {}))))


def typed_rows(
    model: type[Any], rows: Iterable[Mapping[str, str]], disposals: Mapping[str, int]
) -> Iterable[dict[str, Any]]:
    """Rows of a fixture as values of a table; those of a disposition that the office lacks are left out."""
    columns = model.__table__.columns
    for row in rows:
        values = {k: typed(columns[k].type, v) for k, v in row.items() if k in columns}
        if said := row.get("disposition"):
            if said not in disposals:
                continue
            values["disposition_id"] = disposals[said]
        elif "disposition" in row:
            values["disposition_id"] = None
        if "valid_from" in columns:
            values["valid_from"] = SINCE
        yield values


def typed(kind: Any, text: str) -> Any:
    """How the text of a fixture becomes a value of a column."""
    if isinstance(kind, Enum):
        return kind.enum_class[text]  # type: ignore[index]
    if isinstance(kind, Boolean):
        return text == "1"
    return int(text) if isinstance(kind, Integer) else text


def prepare() -> None:
    """Work out the holidays that :func:`load` will want, before the database is locked for it."""
    with db.engine.connect() as connection:
        haryana(missing_years(connection, ist_day(utcnow()).year, None))


def load_holidays(work: Work, first_year: int | None = None) -> int:
    """Add Haryana's public holidays to the years about today that have none yet."""
    years = missing_years(work.session.connection(), ist_day(work.now).year, first_year)
    rows = [
        {"day": day, "name_en": en[:120], "name_hi": hi[:120], "district_id": None}
        for day, en, hi in haryana(years)
    ]
    return len(bulk.insert_registry(work, Holiday, rows))


def missing_years(connection: Connection, year: int, first_year: int | None) -> tuple[int, ...]:
    """Years about this one, or from ``first_year`` on, without any holiday."""
    wanted = set(range(min(first_year or year, year - BEFORE), year + AFTER + 1))
    return tuple(sorted(wanted - {day.year for day in connection.scalars(select(Holiday.day))}))


@lru_cache(maxsize=4)
def haryana(years: tuple[int, ...]) -> tuple[tuple[date, str, str], ...]:
    """(day, name in English, name in Hindi) of the public holidays of some years; takes half a second."""
    if not years:
        return ()
    import holidays  # 20 MB that only a new year needs

    english, hindi = (
        holidays.country_holidays("IN", subdiv="HR", years=years, language=lang) for lang in ("en_IN", "hi")
    )
    return tuple((day, english[day], hindi[day]) for day in sorted(english))


def codes(work: Work, model: type[Any]) -> dict[str, int]:
    """Code -> id of a list."""
    found = work.session.execute(select(model.code, model.id))
    return {row.code: row.id for row in found}


def load_units(work: Work, rows: list[dict[str, str]], since: date) -> int:
    """Add units whose codes are not there yet, parents before children, with their place.

    ``rows`` carry code, name_en, name_hi, kind and parent (a code, or '' for a root).
    """
    found = work.session.execute(select(Unit.code, Unit.id, Unit.path, Unit.district_id)).all()
    placed: dict[str, tuple[int, str, int | None]] = {c: (i, p, d) for c, i, p, d in found}
    new = [row for row in rows if row["code"] not in placed]
    ids = bulk.reserve(work.session.connection(), Unit, len(new))
    made = [unit_values(row, row_id, placed) for row, row_id in zip(new, ids, strict=True)]
    bulk.insert_registry(work, Unit, made)
    parents = [
        {"unit_id": row["id"], "parent_id": row["parent_id"], "valid_from": since}
        for row in made
        if row["parent_id"]
    ]
    bulk.insert_registry(work, UnitParent, parents)
    return len(made)


def unit_values(
    row: Mapping[str, str], row_id: int, placed: dict[str, tuple[int, str, int | None]]
) -> dict[str, Any]:
    """One unit with its path and district; it is then known to its children."""
    parent_id, above, district_id = placed[row["parent"]] if row["parent"] else (None, "/", None)
    path = f"{above}{row_id}/"
    columns = Unit.__table__.columns
    values: dict[str, Any] = {k: typed(columns[k].type, row[k]) for k in UNIT if row.get(k)}
    if values["kind"] is Kind.DISTRICT:
        district_id = row_id
    placed[row["code"]] = (row_id, path, district_id)
    return values | {"id": row_id, "parent_id": parent_id, "path": path, "district_id": district_id}
