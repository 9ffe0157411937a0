"""Reference rows that come with the project: units, ranks, modes, sources, categories, dispositions.

They are facts of the Hisar range made tidy (``cms/fixtures``); an office edits them afterwards.
Loading adds what is missing by code and changes nothing that is there.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, select

from cms.models import Category, Disposition, Kind, Mode, Rank, Source, Unit, UnitParent
from cms.services import bulk
from cms.unit_of_work import Work

FIXTURES = Path(__file__).parents[1] / "fixtures"
SINCE = date(2020, 1, 1)
"""From when the tree of the fixtures is taken to have stood."""

MASTERS: Mapping[type[Any], str] = {
    Rank: "ranks", Mode: "modes", Source: "sources", Category: "categories",
    Disposition: "dispositions",
}  # fmt: skip
TYPED: Mapping[str, Any] = {
    "level": int,
    "walk_in": lambda v: v == "1",
    "active": lambda v: v == "1",
    "kind": lambda v: Kind[v],
}
"""How the text of a fixture becomes a value; other columns stay text."""

UNIT = ("code", "name_en", "name_hi", "kind", "aliases", "letterhead_hi", "letterhead_en")


def fixture(name: str) -> list[dict[str, str]]:
    """The rows of one fixture, as text."""
    with (FIXTURES / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def is_empty(connection: Connection) -> bool:
    """True before the first unit exists."""
    return connection.scalar(select(Unit.id).limit(1)) is None


def load(work: Work) -> dict[str, int]:
    """Add the reference rows that are missing; how many per table."""
    added = {m.__tablename__: load_master(work, m, name) for m, name in MASTERS.items()}
    added["unit"] = load_units(work, fixture("units"), SINCE)
    return {table: count for table, count in added.items() if count}


def load_master(work: Work, model: type[Any], name: str) -> int:
    """Add the rows of one list whose codes are not there yet."""
    known = set(codes(work, model))
    wanted = {c.key for c in model.__table__.columns}
    rows = [
        {k: TYPED.get(k, str)(v) for k, v in row.items() if k in wanted}
        for row in fixture(name)
        if row["code"] not in known
    ]
    return len(bulk.insert_registry(work, model, rows))


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
    values: dict[str, Any] = {k: TYPED.get(k, str)(row[k]) for k in UNIT if row.get(k)}
    if values["kind"] is Kind.DISTRICT:
        district_id = row_id
    placed[row["code"]] = (row_id, path, district_id)
    return values | {"id": row_id, "parent_id": parent_id, "path": path, "district_id": district_id}
