"""The history of one row as sentences: who changed which column, from what to what."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import select

from cms.admin_views.compile import Field, Kind, fields
from cms.admin_views.fields import Lookup
from cms.authz import visible
from cms.i18n import _
from cms.models import History, db
from cms.rules import Viewer

MOST = 100
"""Entries a page shows, the newest first."""


def entries(model: type[Any], row: Any, who: Viewer) -> list[dict[str, Any]]:
    """The entries of this row that the viewer may read."""
    query = select(History).where(History.table_name == model.__tablename__, History.row_id == str(row.id))
    query = visible(query, History, who).order_by(History.id.desc()).limit(MOST)
    names: dict[tuple[Any, int], str] = {}
    by_column = {f.column.key: f for f in fields(model)}
    return [
        {
            "at": entry.at, "actor": entry.actor, "via": entry.via, "kind": entry.kind,
            "changes": [
                (by_column[key].ui.label, said(by_column[key], old, who, names), said(by_column[key], new, who, names))
                for key, (old, new) in json.loads(entry.changes).items()
                if key in by_column
            ],
        }
        for entry in db.session().scalars(query)
    ]  # fmt: skip


def said(f: Field, value: Any, who: Viewer, names: dict[tuple[Any, int], str]) -> str:
    """A value as the history keeps it, for people."""
    if value is None:
        return "–"
    if f.ui.read == "pii":
        return str(_("(personal)"))
    if f.kind is Kind.CHOICE and f.choices is not None:
        return str(f.choices.__members__.get(value, value))
    if f.kind is Kind.FLAG:
        return str(_("Yes") if value else _("No"))
    if f.kind is Kind.LINK and isinstance(value, int):
        key = (f.target, value)
        if key not in names:
            names[key] = Lookup(f.target, who).name(value) or f"#{value}" if f.target else str(value)
        return names[key]
    return str(value)
