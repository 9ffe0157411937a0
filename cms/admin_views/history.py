"""History in words: who changed which column, from what to what, by which way in and from which office."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from cryptography.exceptions import InvalidTag
from flask import Blueprint, current_app, render_template, request
from sqlalchemy import Boolean, Date, Enum, inspect, select
from sqlalchemy.orm import joinedload

from cms.admin_views.compile import Field, Kind, fields
from cms.admin_views.edge import chip_of, seen, url_of
from cms.admin_views.fields import Lookup
from cms.admin_views.ledgers import short
from cms.admin_views.opening import note_opening
from cms.authz import allowed, may, visible
from cms.columns import Instant, ui_of
from cms.i18n import _, _l, ist_day, show_day, show_moment
from cms.models import Accused, Allegation, Complaint, History, Officer, Party, Posting, User, db
from cms.rules import Viewer
from cms.services.desk import Forbidden
from cms.vault import open_value
from cms.web import viewer

MOST = 100
"""Entries a page shows, the newest first."""
blueprint = Blueprint("history", __name__, url_prefix="/admin/complaint")

TABLES: Mapping[str, tuple[type[Any], Any]] = {
    "complaint": (Complaint, _l("Complaint")),
    "party": (Party, _l("Party")),
    "accused": (Accused, _l("Complained against")),
    "allegation": (Allegation, _l("Allegation")),
}
"""The tables whose rows a complaint's chain tells of."""

LABELS: Mapping[tuple[str, str], Any] = {
    ("complaint", "round"): _l("Round"), ("complaint", "restricted"): _l("Restricted"),
    ("complaint", "copy_settled_at"): _l("Copy settled"), ("complaint", "transfer_to_id"): _l("Asked to take it over"),
    ("complaint", "merged_into_id"): _l("Merged with"), ("complaint", "registered_by_id"): _l("Registered by"),
    ("party", "role"): _l("Role"), ("party", "position"): _l("Place in the list"),
    ("accused", "officer_id"): _l("Officer"), ("accused", "unit_id"): _l("Unit"), ("accused", "post"): _l("Post"),
    ("accused", "described"): _l("Description"), ("accused", "restricts"): _l("Restricts the complaint"),
    ("accused", "dropped_at"): _l("Dropped on"), ("allegation", "no"): _l("Number"),
    ("allegation", "accused_id"): _l("Complained against"), ("party", "complaint_id"): _l("Complaint"),
    ("accused", "complaint_id"): _l("Complaint"), ("allegation", "complaint_id"): _l("Complaint"),
}  # fmt: skip
"""Columns that no screen shows and the history does."""
PLUMBING = frozenset({"form_key", "origin", "origin_key", "complaint_id"})
"""What no officer asks for: keys of forms and of old registers, and the complaint itself."""

VIA: Mapping[str, Any] = {
    "form": _l("by form"), "job": _l("by the system"), "import": _l("by import"), "cli": _l("by command line"),
    "demo": _l("by the demo"), "welcome": _l("by invitation"), "sign-in": _l("at sign-in"), "page": _l("by opening"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Told:
    """One entry for people."""

    seq: int
    at: datetime
    who: str
    via: str
    what: str
    added: bool
    changes: list[tuple[str, str, str]]


@blueprint.get("/<int:complaint_id>/history/")
def page(complaint_id: int) -> str:
    """Every change of a complaint and its people, newest first, a hundred a page."""
    complaint, who = seen(complaint_id), viewer()
    if not allowed(who, "history", complaint):
        raise Forbidden("history")
    rows = rows_of(complaint_id, request.args.get("before", type=int), who)
    made = render_template(
        "admin/complaint/history.html",
        complaint=complaint, back=url_of(complaint_id), chip=chip_of(complaint),
        entries=told(complaint, rows[:MOST], who),
        older=rows[MOST - 1].seq if len(rows) > MOST else None, all_of_it=complaint.history_seq,
    )  # fmt: skip
    note_opening(complaint_id)
    return made


def rows_of(complaint_id: int, before: int | None, who: Viewer) -> list[History]:
    """The rows of the complaint's chain, one more than a page shows."""
    query = select(History).where(History.root == "complaint", History.root_id == complaint_id)
    if before is not None:
        query = query.where(History.seq < min(before, 2**31 - 1))
    query = visible(query, History, who).order_by(History.seq.desc()).limit(MOST + 1)
    return list(db.session().scalars(query))


def told(complaint: Complaint, rows: Sequence[History], who: Viewer) -> list[Told]:
    """The rows in words."""
    reader = Reader(complaint, rows, who)
    return [reader.told(row) for row in rows]


class Reader:
    """Turns rows of one complaint's chain into words; looks every name up once."""

    def __init__(self, complaint: Complaint, rows: Sequence[History], who: Viewer) -> None:
        self.who = who
        self.key = record_key(complaint) if may(who, "pii") else None
        self.changes = {row.id: json.loads(row.changes) for row in rows}
        self.names = names_behind(rows, self.changes, who)
        self.actors = actors(rows)

    def told(self, row: History) -> Told:
        """One row."""
        model, label = TABLES.get(row.table_name, (None, row.table_name))
        changes = [
            (self.label(row.table_name, model, key), self.said(model, key, old), self.said(model, key, new))
            for key, (old, new) in self.changes[row.id].items()
            if key not in PLUMBING
        ]
        return Told(row.seq, row.at, self.actor(row), str(VIA.get(row.via, row.via)), str(label), row.kind == "insert",
                    changes)  # fmt: skip

    def actor(self, row: History) -> str:
        """Rank, name, post and office on that day; the account's name where no officer is behind it."""
        officer, postings = self.actors.get(row.user_id or 0, (None, ()))
        if officer is None:
            return str(_("the system")) if row.user_id is None and row.actor == "system" else row.actor
        held = next((p for p in postings if p.in_force(ist_day(row.at))), None)
        return f"{officer}, {short(held.post)} ({held.unit.name})" if held else str(officer)

    def label(self, table: str, model: type[Any] | None, key: str) -> str:
        """The column's own label."""
        if (table, key) in LABELS or model is None:
            return str(LABELS.get((table, key), key))
        found = next((f.ui.label for f in fields(model) if f.column.key == key), key)
        return str(found)

    def said(self, model: type[Any] | None, key: str, value: Any) -> str:
        """A value as the history keeps it, for people."""
        column = model.__table__.c.get(key) if model is not None else None
        if value is None or column is None:
            return "–" if value is None else str(value)
        ui = ui_of(column.info)
        if ui is not None and ui.read == "pii":
            return self.personal(str(value))
        if column.foreign_keys:
            return self.names.get((target_of(column), value), f"#{value}")
        return plain(column.type, value)

    def personal(self, value: str) -> str:
        """A personal value, opened for those who may read it."""
        if self.key is None:
            return str(_("(personal)"))
        try:
            return open_value(self.key, value) if value.startswith("enc:") else value
        except (InvalidTag, ValueError):
            return str(_("(no longer kept)"))


def plain(of: Any, value: Any) -> str:
    """A value by the type of its column."""
    if isinstance(of, Enum) and of.enum_class is not None:
        return str(of.enum_class.__members__.get(str(value), value))
    if isinstance(of, Boolean):
        return str(_("Yes") if value else _("No"))
    if isinstance(of, Instant):
        return show_moment(datetime.fromisoformat(value))
    return show_day(date.fromisoformat(value)) if isinstance(of, Date) else str(value)


def record_key(complaint: Complaint) -> bytes | None:
    """The key of the complaint's personal values; None once it is destroyed."""
    wrapped = db.session().scalar(select(Complaint.history_key).where(Complaint.id == complaint.id))
    return current_app.extensions["cms_vault"].open_record_key(wrapped) if wrapped else None


def target_of(column: Any) -> str:
    """The table that a foreign key leads to."""
    return str(next(iter(column.foreign_keys)).column.table.name)


def names_behind(rows: Iterable[History], changes: Mapping[int, Any], who: Viewer) -> dict[tuple[str, Any], str]:
    """Names of everything the changes point at, one statement for each table."""
    wanted: dict[str, set[int]] = {}
    for row in rows:
        model: Any = TABLES.get(row.table_name, (Complaint, ""))[0]
        for key, pair in changes[row.id].items():
            column = model.__table__.c.get(key)
            if column is not None and column.foreign_keys and key not in PLUMBING:
                wanted.setdefault(target_of(column), set()).update(v for v in pair if isinstance(v, int))
    models = {mapper.class_.__tablename__: mapper.class_ for mapper in inspect(Complaint).registry.mappers}
    return {
        (table, row.id): row.login if table == User.__tablename__ else str(row)
        for table, ids in wanted.items()
        for row in rows_by_id(models[table], ids, who)
    }


def rows_by_id(model: Any, ids: set[int], who: Viewer) -> Iterable[Any]:
    """The rows of a table; complaints only within the viewer's charge."""
    query = select(model).where(model.id.in_(ids))
    if model is Officer:
        query = query.options(joinedload(Officer.rank))
    return db.session().scalars(visible(query, model, who) if model is Complaint else query)


def actors(rows: Iterable[History]) -> dict[int, tuple[Officer, list[Posting]]]:
    """The officer behind each account, with all postings, latest first."""
    ids = {row.user_id for row in rows if row.user_id}
    query = select(User.id, Officer).join(Officer, Officer.id == User.officer_id).where(User.id.in_(ids))
    found = {int(row[0]): row[1] for row in db.session().execute(query.options(joinedload(Officer.rank)))}
    held: dict[int, list[Posting]] = {}
    postings = select(Posting).where(Posting.officer_id.in_([officer.id for officer in found.values()]))
    for posting in db.session().scalars(postings.options(joinedload(Posting.unit)).order_by(Posting.valid_from.desc())):
        held.setdefault(posting.officer_id, []).append(posting)
    return {user_id: (officer, held.get(officer.id, [])) for user_id, officer in found.items()}


# ---------------------------------------------------------------- one row of a register


def entries(model: type[Any], row: Any, who: Viewer) -> list[dict[str, Any]]:
    """The entries of this row that the viewer may read."""
    query = select(History).where(History.table_name == model.__tablename__, History.row_id == str(row.id))
    query = visible(query, History, who).order_by(History.id.desc()).limit(MOST)
    names: dict[tuple[Any, int], str] = {}
    by_column = {f.column.key: f for f in fields(model)}
    return [
        {
            "at": entry.at, "actor": entry.actor, "via": VIA.get(entry.via, entry.via), "kind": entry.kind,
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
    if f.kind is Kind.LINK and isinstance(value, int):
        key = (f.target, value)
        if key not in names:
            names[key] = Lookup(f.target, who).name(value) or f"#{value}" if f.target else str(value)
        return names[key]
    return plain(f.column.type, value)


__all__ = ["blueprint", "entries"]
