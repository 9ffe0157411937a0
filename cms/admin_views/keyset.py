"""Keyset paging: the place in a list is the key and id of a row, never a page number.

Ids first: an inner SELECT with scope, filters, place and a literal LIMIT finds (id, key) in an
index; names and other columns are fetched outside it, for the rows of the page only.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Select,
    bindparam,
    inspect,
    literal_column,
    select,
    true,
    tuple_,
    union,
)  # fmt: skip
from sqlalchemy.sql import operators, visitors

from cms.admin_views.cells import Sheet, plain
from cms.admin_views.scoping import level
from cms.columns import Instant
from cms.i18n import day_range

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
CLUSTERED = frozenset({"number"})
"""Orders in which the rows of one district lie together."""
WAYS = ("first", "after", "before", "last", "jump")


@dataclass(frozen=True, slots=True)
class Order:
    """A sortable column and a direction."""

    key: str
    desc: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the list a page starts: a way and, unless first or last, a key and an id."""

    way: str = "first"
    key: Any = None
    row_id: int = 0

    @property
    def backwards(self) -> bool:
        """True if the rows are fetched in reverse."""
        return self.way in ("before", "last")


def is_moment(column: Any) -> bool:
    """True if the key is a moment in time."""
    return isinstance(column.type, Instant)


def encode(key: Any, row_id: int) -> str:
    """A cursor for the address: whole microseconds or text, then the id. A stored moment is UTC."""
    if isinstance(key, datetime):
        moment = key if key.tzinfo else key.replace(tzinfo=UTC)
        return f"{(moment - EPOCH) // timedelta(microseconds=1)}~{row_id}"
    return f"{key}~{row_id}"


def decode(text: str, column: Any) -> tuple[Any, int]:
    """The key and id of a cursor. ValueError if it is none."""
    key, _sep, tail = text.rpartition("~")
    if not key or len(text) > 200 or not tail.isdecimal() or len(tail) > 18:
        raise ValueError(text)
    if not is_moment(column):
        return key, int(tail)
    try:
        return EPOCH + timedelta(microseconds=int(key)), int(tail)
    except OverflowError as error:
        raise ValueError(text) from error


def jump_key(text: str, column: Any, desc: bool) -> Any:
    """The key a typed day (2026-11-24) or number leads to. ValueError if it is none."""
    text = text.strip()
    if not is_moment(column):
        if not text or len(text) > 60:
            raise ValueError(text)
        return text.upper() + "~" if desc else text.upper()
    start, after = day_range(day := date.fromisoformat(text), day)
    return after if desc else start


def ids(
    model: type[Any], order: Order, place: Place, ways: Sequence[ColumnElement[bool]],
    conditions: Iterable[ColumnElement[bool]], limit: int, district: int = 0,
    parts: Sequence[ColumnElement[bool]] = (),
) -> Any:  # fmt: skip
    """SELECT id, sort_key of one page; any of the ways suffices. The cursor: :at_key and :at_id.

    The LIMIT is a literal: a bound one lets PostgreSQL keep a plan made for a huge one.
    district: the level of districts in the tree, from which on units may be walked one by one;
    0 where the database cannot. parts: conditions of which every row asked for fulfils one, each a
    short walk; a walk over the whole of an order is taken apart by them.
    """
    conditions, falling = list(conditions), order.desc != place.backwards
    walks: list[list[ColumnElement[bool]]] = []
    for way in ways:
        whole = [way, *conditions]
        walks += [[*whole, part] for part in parts] if parts and is_whole(whole, order, district) else [whole]
    lists = [way_ids(model, order, place, walk, falling, limit, district) for walk in walks]
    if len(lists) == 1:
        return lists[0]
    both = union(*(select(one.subquery(f"way{i}")) for i, one in enumerate(lists))).subquery("ways")
    ends = (both.c.sort_key, both.c.id)
    query = select(both.c.id, both.c.sort_key).order_by(*(c.desc() if falling else c.asc() for c in ends))
    return query.limit(literal_column(str(limit)))


def way_ids(
    model: type[Any], order: Order, place: Place, conditions: Sequence[ColumnElement[bool]],
    falling: bool, limit: int, district: int,
) -> Select[Any]:  # fmt: skip
    """The page as one of the ways finds it, walking one index, or one range of it for each unit."""
    column, key = getattr(model, order.key), inspect(model).primary_key[0]
    units, others = units_apart(conditions)
    if not (district and any(is_narrow(unit, order, district) for unit in units)):
        units, others = [], list(conditions)
    query = select(key.label("id"), column.label("sort_key")).where(*others)
    if place.way in ("after", "before", "jump"):
        at = tuple_(bindparam("at_key", type_=column.type), bindparam("at_id", type_=key.type))
        here = tuple_(column, key)
        query = query.where(here < at if falling else here > at)
    query = query.order_by(*(c.desc() if falling else c.asc() for c in (column, key)))
    query = query.limit(literal_column(str(limit)))
    return unit_by_unit(query, model, units, falling) if units else query


def is_whole(conditions: Iterable[Any], order: Order, district: int) -> bool:
    """True if units high up in the tree are all that says where in the order the rows lie."""
    units, _others = units_apart(conditions)
    return bool(units) and not any(is_narrow(unit, order, district) for unit in units)


def units_apart(conditions: Iterable[Any]) -> tuple[list[Any], list[Any]]:
    """The conditions "unit_id IN (SELECT ...)", and the others."""
    flat = [part for one in conditions for part in conjuncts(one)]
    units = [
        c for c in flat
        if getattr(c, "operator", None) is operators.in_op and c.left.name == "unit_id"
        and isinstance(getattr(c.right, "element", None), Select)
    ]  # fmt: skip
    return units, [c for c in flat if not any(c is unit for unit in units)]


def conjuncts(clause: Any) -> list[Any]:
    """What must all be true for the clause to be."""
    if getattr(clause, "operator", None) is not operators.and_:
        return [clause]
    return [part for one in clause.clauses for part in conjuncts(one)]


def is_narrow(units: Any, order: Order, district: int) -> bool:
    """True if these units' rows may lie far from where an index on the order alone begins.

    A range has most rows of any page, a district one in every few; but numbers begin with the
    district, so that one district's lie together. A filter's bounds have no value yet.
    """
    values = [e.value for e in visitors.iterate(units) if isinstance(e, BindParameter)]
    levels = min(map(level, values), default=0)
    return levels > district or (order.key in CLUSTERED and levels not in range(1, district))


def unit_by_unit(query: Select[Any], model: type[Any], units: Sequence[Any], falling: bool) -> Select[Any]:
    """The page as the first rows of each unit's own range of an index, merged."""
    first = units[0].right.element.subquery("units")
    unit_id = first.c[0]
    walk = query.where(model.__table__.c.unit_id == unit_id).lateral("walk")
    ends = (walk.c.sort_key, walk.c.id)
    both = select(walk.c.id, walk.c.sort_key).select_from(first.join(walk, true()))
    both = both.where(*(unit_id.in_(more.right.element) for more in units[1:]))
    # The same literal LIMIT as each walk's.
    return both.order_by(*(c.desc() if falling else c.asc() for c in ends)).limit(query._limit_clause)


def page(model: type[Any], order: Order, found: Any, sheet: Sheet) -> Select[Any]:
    """SELECT id, the sheet's columns, key for the ids found, in the order of the list."""
    table, inner = model.__table__, found.subquery("found")
    query = select(inner.c.id, *sheet.columns, plain(inner.c.sort_key))
    source: Any = inner.join(table, table.c.id == inner.c.id)
    for join in sheet.joins:
        source = source.outerjoin(join.entity, join.on)
    ends = (inner.c.sort_key, inner.c.id)
    return query.select_from(source).order_by(*(c.desc() if order.desc else c.asc() for c in ends))


@dataclass(frozen=True, slots=True)
class Page:
    """The rows of a page and the cursors around it; None where there is nothing more."""

    rows: Sequence[Any]
    before: str | None
    after: str | None


def cut(rows: Sequence[Any], size: int, place: Place) -> Page:
    """Take the one row too many off and say where the neighbours are."""
    more = len(rows) > size
    if place.backwards:
        rows = rows[1:] if more else rows
        has_before, has_after = more, place.way == "before"
    else:
        rows = rows[:size]
        has_before, has_after = place.way in ("after", "jump"), more
    if not rows:
        return Page(rows, None, None)
    first, last = rows[0], rows[-1]
    return Page(
        rows,
        encode(first[-1], first[0]) if has_before else None,
        encode(last[-1], last[0]) if has_after else None,
    )
