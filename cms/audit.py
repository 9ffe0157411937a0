"""History: every change of a recorded row becomes a chained row, whoever the caller is.

Written after flush through Core, when ids exist. Each root (one complaint; one registry table)
has a chain of its own, so that registrations do not queue on one global head. Personal values are
encrypted under the complaint's key; the chain covers the ciphertext, so that destroying the key
later forgets the person and keeps the proof.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum
from json.encoder import encode_basestring
from typing import Any, NamedTuple

from sqlalchemy import Connection, event, insert, inspect, select, update
from sqlalchemy.orm import ORMExecuteState, Session
from sqlalchemy.orm.attributes import set_committed_value

from cms.columns import ui_of
from cms.models import Chain, Complaint, History, Recorded
from cms.unit_of_work import Work
from cms.vault import seal_value

PLUMBING = frozenset({"version", "history_seq", "history_head", "history_key", "is_open"})
UNSAID = PLUMBING | {"id"}
SECRET = frozenset({"password_hash"})
Changes = dict[str, list[Any]]
SORTED = json.JSONEncoder(ensure_ascii=False, sort_keys=True).encode
"""Made once: ``json.dumps`` makes a new encoder for each call with arguments."""


class Entry(NamedTuple):
    """One change of one row, before it is chained."""

    table: str
    row_id: Any
    kind: str
    changes: Changes


@dataclass(frozen=True, slots=True)
class Author:
    """Who changed it, when and by which way in."""

    at: datetime
    user_id: int | None
    name: str
    via: str


PLAIN = frozenset({str, int, bool, type(None), dict, list})
"""Types of most values; they go into the chain as they are."""


def canonical(value: Any) -> Any:
    """A value as it goes into the chain."""
    if type(value) in PLAIN:
        return value
    if isinstance(value, Enum):
        return value.name
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, date):
        return value.isoformat()
    return value if value is None or isinstance(value, (bool, int, str, dict, list)) else str(value)


def link_hash(prev: str, row: Mapping[str, Any]) -> str:
    """The hash of a history row: over the hash before it and everything the row says."""
    said = (
        prev, row["root"], str(row["root_id"]), str(row["seq"]), row["at"].isoformat(),
        str(row["user_id"]), row["actor"], row["via"], row["table_name"], row["row_id"],
        row["kind"], row["changes"],
    )  # fmt: skip
    return hashlib.sha256(f"[{', '.join(map(encode_basestring, said))}]".encode()).hexdigest()  # a JSON list


def chain(
    root: str, root_id: int, seq: int, head: str, entries: Iterable[Entry], author: Author
) -> tuple[list[dict[str, Any]], int, str]:
    """Turn entries into history rows that follow (seq, head); the new seq and head come back."""
    rows = []
    for entry in entries:
        seq += 1
        row: dict[str, Any] = {
            "root": root, "root_id": root_id, "seq": seq, "at": author.at,
            "user_id": author.user_id, "actor": author.name[:80], "via": author.via,
            "table_name": entry.table, "row_id": str(entry.row_id), "kind": entry.kind,
            "changes": SORTED(entry.changes),
            "prev_hash": head,
        }  # fmt: skip
        head = row["hash"] = link_hash(head, row)
        rows.append(row)
    return rows, seq, head


def personal(model: type[Any]) -> frozenset[str]:
    """Columns of a model whose values are personal."""
    return frozenset(
        c.key for c in inspect(model).columns if (ui := ui_of(c.info)) and ui.read == "pii"
    )


PERSONAL: dict[type[Any], frozenset[str]] = {}


def protect(model: type[Any], changes: Changes, record_key: bytes | None) -> Changes:
    """Encrypt the personal values of a change and blank the secret ones."""
    hidden = PERSONAL.get(model)
    if hidden is None:
        hidden = PERSONAL[model] = personal(model)
    for name in changes.keys() & hidden:
        changes[name] = [cipher(record_key, v) for v in changes[name]]
    for name in changes.keys() & SECRET:
        changes[name] = ["***" if v else v for v in changes[name]]
    return changes


def cipher(record_key: bytes | None, value: Any) -> Any:
    """One personal value, encrypted; nothing stays nothing."""
    if value is None:
        return None
    if record_key is None:
        raise RuntimeError("a personal value without the key of its complaint")
    return seal_value(record_key, str(value))


def created(model: type[Any], values: Mapping[str, Any], record_key: bytes | None) -> Entry:
    """The entry of a new row; for the bulk door, which inserts through Core."""
    whole = {**defaults(model), **values}
    said = {
        k: [None, v if type(v) in PLAIN else canonical(v)]
        for k, v in whole.items()
        if v is not None and k not in UNSAID
    }
    return Entry(
        model.__tablename__, values["id"], "insert", protect(model, said, record_key)
    )


DEFAULTS: dict[type[Any], dict[str, Any]] = {}


def defaults(model: type[Any]) -> dict[str, Any]:
    """What a new row holds where nothing is said."""
    known = DEFAULTS.get(model)
    if known is None:
        columns = model.__table__.columns
        known = {c.key: c.default.arg for c in columns if c.default is not None and c.default.is_scalar}
        DEFAULTS[model] = known
    return known


def install() -> None:
    """Listen to every session of the process; safe to call twice."""
    if not event.contains(Session, "after_flush", write_history):
        event.listen(Session, "after_flush", write_history)
        event.listen(Session, "do_orm_execute", refuse_bulk)


def refuse_bulk(state: ORMExecuteState) -> None:
    """A bulk UPDATE or INSERT of recorded rows would leave no history: refuse it."""
    if not (state.is_update or state.is_insert or state.is_delete):
        return
    mapper = state.bind_mapper
    if mapper is not None and issubclass(mapper.class_, Recorded):
        raise RuntimeError(f"a bulk write of {mapper.class_.__name__} must use the bulk door")


def write_history(session: Session, _context: Any) -> None:
    """After flush: one history row for each new or changed recorded row, chained per root."""
    changed = [
        (obj, kind)
        for group, kind in ((session.new, "insert"), (session.dirty, "update"))
        for obj in group
        if isinstance(obj, Recorded)
    ]
    if session.deleted:
        raise RuntimeError("nothing is deleted; a correction is an addition")
    if not changed:
        return
    work: Work | None = session.info.get("work")
    if work is None:
        raise RuntimeError("a write outside unit_of_work")
    for (root, root_id), found in by_root(changed).items():
        extend_chain(session, work, root, root_id, found)


def by_root(changed: list[tuple[Any, str]]) -> dict[tuple[str, int], list[tuple[Any, str]]]:
    """Group changed rows by the chain they belong to, in a stable order."""
    roots: dict[tuple[str, int], list[tuple[Any, str]]] = {}
    for obj, kind in sorted(changed, key=lambda pair: (pair[0].__tablename__, pair[0].id)):
        if obj.__history__ == "complaint":
            root = ("complaint", obj.id if isinstance(obj, Complaint) else obj.complaint_id)
        else:
            root = (obj.__tablename__, 0)
        roots.setdefault(root, []).append((obj, kind))
    return roots


def extend_chain(
    session: Session, work: Work, root: str, root_id: int, found: list[tuple[Any, str]]
) -> None:
    """Append the entries of one root and move its head."""
    connection = session.connection()
    seq, head, wrapped = head_of(connection, root, root_id)
    record_key = work.vault.open_record_key(wrapped) if wrapped else None
    entries = [e for obj, kind in found if (e := entry_of(obj, kind, record_key))]
    if not entries:
        return
    author = Author(work.now, work.actor.user_id, work.actor.name, work.via)
    rows, seq, head = chain(root, root_id, seq, head, entries, author)
    connection.execute(insert(History), rows)
    move_head(connection, root, root_id, seq, head)
    for obj, _kind in found:
        if isinstance(obj, Complaint):
            set_committed_value(obj, "history_seq", seq)
            set_committed_value(obj, "history_head", head)


def entry_of(obj: Any, kind: str, record_key: bytes | None) -> Entry | None:
    """What changed in one row, or None if nothing did."""
    changes: Changes = {}
    state = inspect(obj)
    for attr in state.mapper.column_attrs:
        if attr.key in PLUMBING or attr.key == "id":
            continue
        if kind == "insert":
            if (value := canonical(state.dict.get(attr.key))) is not None:
                changes[attr.key] = [None, value]
            continue
        past = state.attrs[attr.key].history
        if not past.has_changes():
            continue
        old = past.deleted[0] if past.deleted else None
        new = past.added[0] if past.added else None
        if old != new:
            changes[attr.key] = [canonical(old), canonical(new)]
    if not changes:
        return None
    return Entry(obj.__tablename__, obj.id, kind, protect(type(obj), changes, record_key))


def head_of(connection: Connection, root: str, root_id: int) -> tuple[int, str, bytes | None]:
    """Sequence, head and wrapped key of a chain; the row is locked until the commit."""
    if root == "complaint":
        row = connection.execute(
            select(Complaint.history_seq, Complaint.history_head, Complaint.history_key)
            .where(Complaint.id == root_id)
            .with_for_update()
        ).one()
        return row[0], row[1], row[2]
    found = connection.execute(
        select(Chain.history_seq, Chain.history_head).where(Chain.name == root).with_for_update()
    ).first()
    if found is None:
        connection.execute(insert(Chain).values(name=root, history_seq=0, history_head=""))
        return 0, "", None
    return found[0], found[1], None


def move_head(connection: Connection, root: str, root_id: int, seq: int, head: str) -> None:
    """Store the new end of a chain on its root."""
    table: Any = Complaint.__table__ if root == "complaint" else Chain.__table__
    where = table.c.id == root_id if root == "complaint" else table.c.name == root
    connection.execute(update(table).where(where).values(history_seq=seq, history_head=head))


