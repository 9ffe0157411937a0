"""The policy as a kept condition: ``authz.visible`` decides, its values come in as binds.

Two viewers whose scopes have the same shape (one SHO and another) share one prepared statement;
only the values of ordinary0, ordinary1, ... differ.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BindParameter, BooleanClauseList, ColumnElement, and_, select, true
from sqlalchemy.sql import operators, visitors

from cms.authz import Book, visible
from cms.rules import Viewer


@dataclass(frozen=True)
class Scope:
    """The condition on visible rows, its text (equal texts: equal SQL) and its values.

    ways says the same as ``where``, as conditions of which any one suffices: a list that may be
    seen in two ways (own unit, own cases) is two index walks, where one OR would be none.
    """

    shape: str
    where: ColumnElement[bool]
    ways: tuple[ColumnElement[bool], ...]
    values: Mapping[str, Any]


KEPT: dict[Any, Scope] = {}
MOST = 2000
WIDE_LEVELS = 3
"""Levels of the tree, from the top, whose seats are few and wide: state, range, district."""


def scope(viewer: Viewer, model: type[Any], book: Book) -> Scope:
    """The rows of the model that the viewer may see in this book, ready to be kept."""
    key = (model, book, viewer.reach)
    found = KEPT.get(key)
    if found is None:
        if len(KEPT) >= MOST:
            KEPT.clear()
        found = KEPT[key] = read_policy(viewer, model, book)
    return found


def read_policy(viewer: Viewer, model: type[Any], book: Book) -> Scope:
    """Ask ``visible`` and name the values it put in."""
    clause = visible(select(model.id), model, viewer, book).whereclause
    where: ColumnElement[bool] = true() if clause is None else clause
    values: dict[str, Any] = {}
    literal: dict[str, Any] = {}
    for element in visitors.iterate(where):
        if isinstance(element, BindParameter) and element.key not in values:
            name = f"{book.value}{len(values)}"
            values[name] = element.effective_value
            # The clause was made for us alone: naming its binds in place keeps aliases whole.
            element.key, element.unique = name, False
            # PostgreSQL's generic plan takes any path for one station. For the few wide seats the
            # path goes into the text, so that a plan is kept which knows how wide it is. So does a
            # list, whose length is part of the text anyhow.
            element.literal_execute = is_wide(values[name]) or element.expanding
            if element.literal_execute:
                literal[name] = values[name]
    # What goes into the text is part of the shape: another reader's statement must never be taken.
    return Scope(f"{where} {literal}", where, ways_of(where), values)


def is_wide(value: Any) -> bool:
    """True for a bound of the path of a unit high up in the tree."""
    return 0 < level(value) <= WIDE_LEVELS


def level(value: Any) -> int:
    """How deep in the tree the unit of this path is, 1 at the top; 0 if it is no path."""
    parts = value.strip("/").split("/") if isinstance(value, str) and value.startswith("/") else []
    return len(parts) if all(part.isdecimal() for part in parts) else 0


def ways_of(where: Any) -> tuple[ColumnElement[bool], ...]:
    """(a OR b) AND c as (a AND c), (b AND c): the first OR of a conjunction, taken apart."""
    parts = list(where.clauses) if getattr(where, "operator", None) is operators.and_ else [where]
    for i, part in enumerate(parts):
        inner = getattr(part, "element", part)
        if getattr(inner, "operator", None) is operators.or_ and isinstance(inner, BooleanClauseList):
            rest = parts[:i] + parts[i + 1 :]
            return tuple(and_(way, *rest) for way in inner.clauses)
    return (where,)
