"""The policy as a kept condition: ``authz.visible`` decides, its values come in as binds.

Two viewers whose scopes have the same shape (one SHO and another) share one prepared statement;
only the values of ordinary0, ordinary1, ... differ.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, select, true
from sqlalchemy.sql import visitors

from cms.authz import Book, visible
from cms.rules import Viewer


@dataclass(frozen=True)
class Scope:
    """The condition on visible rows, its text (equal texts: equal SQL) and its values."""

    shape: str
    where: ColumnElement[bool]
    values: Mapping[str, Any]


KEPT: dict[Any, Scope] = {}
MOST = 2000


def scope(viewer: Viewer, model: type[Any], book: Book) -> Scope:
    """The rows of the model that the viewer may see in this book, ready to be kept."""
    key = (model, book, viewer.role, viewer.officer_id, viewer.seats)
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
    for element in visitors.iterate(where):
        if isinstance(element, BindParameter) and element.key not in values:
            name = f"{book.value}{len(values)}"
            values[name] = element.effective_value
            # The clause was made for us alone: naming its binds in place keeps aliases whole.
            element.key, element.unique = name, False
    return Scope(str(where), where, values)
