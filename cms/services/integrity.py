"""Proof that history was not touched: chains per root, seals over all, seals outside the database.

A forger who edits rows and recomputes the chain with our own code is found by the seal, whose key
is not in the database; a forger who drops rows together with their seal is found by the exported
list of seals.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, func, select, update
from sqlalchemy.engine import Row

from cms.audit import link_hash
from cms.models import Chain, Complaint, History, Seal, Stamp
from cms.rules import SYSTEM
from cms.unit_of_work import Work, insert_once, unit_of_work
from cms.vault import Vault

EXPORT = "seals.jsonl"
PAGE = 5_000
STREAM = {"yield_per": PAGE}
"""Of one statement: read page by page, whatever the connection does else."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong, and where."""

    what: str
    where: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


def seal(data_dir: Path, limit: int = 200_000) -> int:
    """Seal the history rows written since the last seal; how many."""
    with unit_of_work(SYSTEM, via="job") as work:
        insert_once(work.session, Stamp.__table__, {"name": "lock:seal", "value": ""})
        work.session.execute(select(Stamp.name).where(Stamp.name == "lock:seal").with_for_update())
        made = seal_new(work, limit)
        rows = made.rows if made else 0
        line = exported(made) if made else ""
    if line:
        with (data_dir / EXPORT).open("a", encoding="utf-8") as file:
            file.write(line + "\n")
    return rows


def seal_new(work: Work, limit: int) -> Seal | None:
    """Make one seal, or None if nothing is new."""
    query = select(History.id).where(History.seal_id.is_(None)).order_by(History.id)
    ids = list(work.session.scalars(query.limit(limit)))
    if not ids:
        return None
    last = work.session.scalar(select(Seal).order_by(Seal.id.desc()).limit(1))
    made = Seal(
        id=(last.id if last else 0) + 1,
        at=work.now,
        rows=len(ids),
        prev_mac=last.mac if last else "",
        digest="",
        mac="",
    )
    table: Any = History.__table__
    for start in range(0, len(ids), PAGE):
        part = ids[start : start + PAGE]
        work.session.execute(update(table).where(table.c.id.in_(part)).values(seal_id=made.id))
    made.digest = digest_of(work.session.connection(), made.id)
    made.mac = mac_of(work.vault, made)
    work.session.add(made)
    work.session.flush()
    return made


def digest_of(connection: Connection, seal_id: int) -> str:
    """Hash over id and hash of every row under a seal."""
    return covered_by(connection, seal_id).digest


@dataclass(frozen=True, slots=True)
class Covered:
    """The rows under a seal as they are now: their hash, how many, the first and the last id."""

    digest: str
    rows: int
    first: int
    last: int


def covered_by(connection: Connection, seal_id: int) -> Covered:
    """Read every row under a seal."""
    running = hashlib.sha256()
    query = select(History.id, History.hash).where(History.seal_id == seal_id).order_by(History.id)
    rows = first = last = 0
    for row_id, said in connection.execute(query, execution_options=STREAM):
        running.update(f"{row_id}:{said};".encode())
        rows, first, last = rows + 1, first or row_id, row_id
    return Covered(running.hexdigest(), rows, first, last)


def mac_of(vault: Vault, made: Seal | Row[Any]) -> str:
    """The keyed hash of a seal: over its content and the seal before it."""
    said = f"{made.id}|{made.rows}|{made.digest}|{made.prev_mac}"
    return vault.mac("seal", said.encode())


def exported(made: Seal) -> str:
    """A seal as a line of the list kept outside the database."""
    said = {"id": made.id, "at": made.at.isoformat(), "rows": made.rows, "mac": made.mac}
    return json.dumps(said)


def verify(connection: Connection, vault: Vault, data_dir: Path | None = None) -> list[Fault]:
    """Everything that is wrong with history, located; an empty list means it is whole."""
    return [
        *chain_faults(connection),
        *head_faults(connection),
        *seal_faults(connection, vault),
        *export_faults(connection, data_dir),
    ]


COLUMNS = (
    History.id, History.root, History.root_id, History.seq, History.at, History.user_id,
    History.actor, History.via, History.table_name, History.row_id, History.kind,
    History.changes, History.prev_hash, History.hash,
)  # fmt: skip


def chain_faults(connection: Connection) -> Iterator[Fault]:
    """Walk every chain in order and recompute every hash."""
    query = select(*COLUMNS).order_by(History.root, History.root_id, History.seq)
    rows = connection.execute(query, execution_options=STREAM)
    at: tuple[str, int] | None = None
    seq, head = 0, ""
    for row in rows.mappings():
        root = (row["root"], row["root_id"])
        if root != at:
            at, seq, head = root, 0, ""
        where = f"history row {row['id']} ({row['root']} {row['root_id']}, {row['seq']})"
        if row["seq"] != seq + 1:
            yield Fault(f"{row['seq'] - seq - 1} row(s) before it are missing", where)
        elif row["prev_hash"] != head:
            yield Fault("does not follow the row before it", where)
        if link_hash(row["prev_hash"], dict(row)) != row["hash"]:
            yield Fault("its content was changed", where)
        seq, head = row["seq"], row["hash"]


def head_faults(connection: Connection) -> Iterator[Fault]:
    """Compare the end of every chain with the head on its root."""
    last = (
        select(History.root, History.root_id, func.max(History.seq).label("seq"))
        .group_by(History.root, History.root_id)
        .subquery()
    )
    ends = {
        (r.root, r.root_id): (r.seq, r.hash)
        for r in connection.execute(
            select(last.c.root, last.c.root_id, last.c.seq, History.hash).join(
                History,
                (History.root == last.c.root)
                & (History.root_id == last.c.root_id)
                & (History.seq == last.c.seq),
            )
        )
    }
    heads = select(Complaint.id, Complaint.history_seq, Complaint.history_head)
    for row in connection.execute(heads):
        end = ends.pop(("complaint", row.id), (0, ""))
        if end != (row.history_seq, row.history_head):
            yield Fault(end_fault(end[0], row.history_seq), f"complaint {row.id}")
    for chain in connection.execute(select(Chain.name, Chain.history_seq, Chain.history_head)):
        end = ends.pop((chain.name, 0), (0, ""))
        if end != (chain.history_seq, chain.history_head):
            yield Fault(end_fault(end[0], chain.history_seq), f"registry {chain.name}")
    for (root, root_id), (seq, _hash) in sorted(ends.items()):
        yield Fault(f"{seq} row(s) of history belong to nothing that is there", f"{root} {root_id}")


def end_fault(seq: int, head: int) -> str:
    """What is wrong at the end of a chain that has ``seq`` rows and should have ``head``."""
    if seq < head:
        return f"{head - seq} row(s) at the end of its history are missing"
    if seq > head:
        return f"{seq - head} row(s) were added at the end of its history"
    return "the last row of its history is another one"


def seal_faults(connection: Connection, vault: Vault) -> Iterator[Fault]:
    """Recompute every seal."""
    prev, expected = "", 1
    for row in connection.execute(select(Seal.__table__).order_by(Seal.id)).all():
        where = f"seal {row.id}"
        if row.id != expected or row.prev_mac != prev:
            yield Fault("does not follow the seal before it", where)
        if mac_of(vault, row) != row.mac:
            yield Fault("was not made with our key", where)
        found = covered_by(connection, row.id)
        if found.digest != row.digest:
            yield Fault(seal_fault(found, row.rows), where)
        prev, expected = row.mac, row.id + 1
    unknown = select(History.seal_id).where(
        History.seal_id.is_not(None), History.seal_id.not_in(select(Seal.id))
    ).distinct()  # fmt: skip
    for seal_id in connection.scalars(unknown.order_by(History.seal_id)):
        yield Fault("history rows name it, and it is not there", f"seal {seal_id}")


def seal_fault(found: Covered, sealed: int) -> str:
    """What happened to the rows under a seal, as far as their number tells."""
    where = f"history rows {found.first} to {found.last}"
    if found.rows < sealed:
        return f"{sealed - found.rows} row(s) under it are missing ({where})"
    if found.rows > sealed:
        return f"{found.rows - sealed} row(s) were put under it ({where})"
    return f"a row under it was changed ({where})"


def export_faults(connection: Connection, data_dir: Path | None) -> Iterator[Fault]:
    """Compare the seals in the database with the list outside it."""
    file = data_dir / EXPORT if data_dir else None
    if file is None or not file.exists():
        return
    known = {r.id: r.mac for r in connection.execute(select(Seal.id, Seal.mac))}
    for line in file.read_text(encoding="utf-8").splitlines():
        said = json.loads(line)
        if known.get(said["id"]) != said["mac"]:
            yield Fault("the exported seal is not in the database", f"seal {said['id']}")
