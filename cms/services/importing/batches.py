"""The record of each import, and taking one back while nothing was done on its complaints.

Nothing is ever deleted here, so an import that is taken back stays, closed and barred from every
unit: the conflict-of-interest rule that every list, count and look-up honours hides it. Its
numbers stay used; the same register taken over again gets ``.2`` after its numbers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, exists, insert, select, update

from cms.models import (
    BarredUnit,
    Complaint,
    Deadline,
    Document,
    Feedback,
    History,
    ImportBatch,
    Imported,
    Round,
    Stay,
    Unit,
)  # fmt: skip
from cms.rules import SYSTEM, Status
from cms.services import bulk
from cms.services.importing import newcomers
from cms.services.importing.profile import BadInput, Profile
from cms.unit_of_work import Work, unit_of_work

UNDO_STEP = 200
"""Complaints taken back in one transaction."""


def begin(profile: Profile, files: Mapping[str, Any], by: str) -> int:
    """The batch to write under: that of an import of the same files that was broken off, or a new one."""
    with unit_of_work(SYSTEM, via=newcomers.VIA) as work:
        open_ones = select(ImportBatch).where(
            ImportBatch.profile_version == profile.version, ImportBatch.finished_at.is_(None),
            ImportBatch.undone_at.is_(None),
        )  # fmt: skip
        for batch in work.session.scalars(open_ones):
            if batch.files == files:
                return batch.id
        made = ImportBatch(
            profile=profile.name, profile_version=profile.version, files=dict(files), by=by[:80],
            started_at=work.now, counts={},
        )  # fmt: skip
        work.session.add(made)
        work.session.flush()
        return made.id


def finish(batch_id: int, counts: Mapping[str, int]) -> None:
    """Close the record with what was done."""
    with unit_of_work(SYSTEM, via=newcomers.VIA) as work:
        batch = work.session.get_one(ImportBatch, batch_id)
        batch.finished_at, batch.counts = work.now, dict(counts)


def enter(work: Work, batch_id: int, new: Iterable[int], changed: Iterable[int]) -> None:
    """Note which complaints a batch brought and which it changed."""
    connection = work.session.connection()
    rows = [{"batch_id": batch_id, "complaint_id": i, "is_new": True} for i in new]
    bulk.insert_rows(connection, Imported, rows)
    for complaint_id in changed:
        key = (Imported.batch_id == batch_id, Imported.complaint_id == complaint_id)
        if work.session.scalar(select(exists().where(*key))):
            continue
        values = {"batch_id": batch_id, "complaint_id": complaint_id, "is_new": False}
        work.session.execute(insert(Imported.__table__).values(values))  # type: ignore[arg-type]


def withdrawn() -> Any:
    """Condition: the batch that brought a complaint was taken back."""
    return exists().where(
        Imported.complaint_id == Complaint.id, Imported.is_new, ImportBatch.id == Imported.batch_id,
        ImportBatch.undone_at.is_not(None),
    )  # fmt: skip


# ---------------------------------------------------------------- taking back


def undo(batch_id: int, by: str) -> dict[str, int]:
    """Take a batch back; how many complaints, and how many officers and units were ended with them.

    BadInput if something was done on one of the complaints.
    """
    with unit_of_work(SYSTEM, via=newcomers.VIA) as work:
        batch = work.session.get(ImportBatch, batch_id)
        if batch is None:
            raise BadInput(f"There is no import {batch_id}.")
        if batch.undone_at is not None:
            raise BadInput(f"The import {batch_id} was taken back already.")
        check_untouched(work.session.connection(), batch_id)
        ids = list(work.session.scalars(mine(batch_id).order_by(Complaint.id)))
        if not ids:
            raise BadInput(f"The import {batch_id} brought no complaint.")
    for batch_ids in bulk.in_batches(ids, UNDO_STEP):
        withdraw(batch_id, batch_ids)
    ended = newcomers.end(batch_id, by)
    with unit_of_work(SYSTEM, via=newcomers.VIA) as work:
        batch = work.session.get_one(ImportBatch, batch_id)
        batch.undone_at, batch.undone_by = work.now, by[:80]
        batch.counts = batch.counts | {f"{table} ended": count for table, count in ended.items() if count}
    return {"complaint": len(ids)} | ended


def mine(batch_id: int) -> Any:
    """Ids of the complaints that a batch brought."""
    own = select(Imported.complaint_id).where(Imported.batch_id == batch_id, Imported.is_new)
    return select(Complaint.id).where(Complaint.id.in_(own))


def check_untouched(connection: Connection, batch_id: int) -> None:
    """BadInput if anybody, or a later import, did something on a complaint of the batch."""
    own = mine(batch_id).scalar_subquery()
    later = exists().where(Imported.complaint_id == Complaint.id, Imported.batch_id > batch_id)
    worked = exists().where(
        History.root == "complaint", History.root_id == Complaint.id, History.via != newcomers.VIA
    )
    papers = exists().where(Document.complaint_id == Complaint.id)
    asked = exists().where(Feedback.complaint_id == Complaint.id)
    query = select(Complaint.number).where(Complaint.id.in_(own), later | worked | papers | asked)
    touched = list(connection.scalars(query.order_by(Complaint.id).limit(3)))
    if touched:
        raise BadInput(
            f"Something was done since on complaints of the import {batch_id} "
            f"({', '.join(touched)} …); it cannot be taken back as a whole."
        )


def withdraw(batch_id: int, ids: list[int]) -> None:
    """Close complaints and bar every unit from them, with history; broken off, it can be repeated."""
    with unit_of_work(SYSTEM, via=newcomers.VIA) as work:
        tops = list(work.session.scalars(select(Unit.id).where(Unit.parent_id.is_(None))))
        pairs = select(BarredUnit.complaint_id, BarredUnit.unit_id).where(BarredUnit.complaint_id.in_(ids))
        barred = {(row.complaint_id, row.unit_id) for row in work.session.execute(pairs)}
        query = select(Complaint).where(Complaint.id.in_(ids)).with_for_update()
        for complaint in work.session.scalars(query):
            complaint.status, complaint.is_open, complaint.restricted = Status.CLOSED, False, True
            for unit_id in tops:
                if (complaint.id, unit_id) not in barred:
                    work.session.add(BarredUnit(complaint_id=complaint.id, unit_id=unit_id))
        work.session.flush()
        end_all(work, ids)


def end_all(work: Work, ids: list[int]) -> None:
    """Nobody owes these complaints anything now: their clocks, desks and rounds end."""
    for model, column, others in (
        (Deadline, "dropped_at", (Deadline.met_at,)), (Stay, "to_at", ()), (Round, "closed_at", ()),
    ):  # fmt: skip
        table: Any = model.__table__
        still = [table.c[column].is_(None), *(table.c[other.key].is_(None) for other in others)]
        work.session.execute(update(table).where(table.c.complaint_id.in_(ids), *still).values({column: work.now}))


