"""Officers and units that came with an import: ended when it is taken back, in use again when it comes again.

Nothing is deleted. Whoever nothing else uses (no complaint of another import or of our own, no posting,
no account, no unit below that is in use) leaves the lists on the day of the taking back; the history says
why. What an officer ended by hand stays ended.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

from sqlalchemy import Column, String, cast, exists, func, or_, select

from cms.i18n import ist_day
from cms.models import Complaint, History, ImportBatch, Imported, Officer, Unit, UnitParent, db
from cms.rules import SYSTEM
from cms.services import bulk, reference
from cms.unit_of_work import Work, unit_of_work

VIA = "import"
STEP = 200
"""Rows ended, or taken up again, in one transaction."""

OWN = frozenset({"unit", "unit_parent"})
"""Tables that say where a unit stands in the tree; asked apart, by :func:`leaves`."""


def end(batch_id: int, by: str) -> dict[str, int]:
    """End what came with a batch and is used by nothing else; how many by table. Can be repeated."""
    ended = {}
    for model, find in ((Officer, idle_officers), (Unit, idle_units)):
        with unit_of_work(SYSTEM, via=VIA) as work:
            ids = sorted(find(work, work.session.get_one(ImportBatch, batch_id)))
        why = replace(SYSTEM, name=f"import {batch_id} taken back by {by}"[:80])
        for some in bulk.in_batches(ids, STEP):
            with unit_of_work(why, via=VIA) as work:
                switch(work, model, some, is_active=False)
        ended[model.__tablename__] = len(ids)
    return ended


def take_up(model: type[Any], known_by: Any, names: Iterable[str]) -> None:
    """Officers or units that an earlier taking back ended are in use again; ``known_by``: a condition beside."""
    with db.engine.connect() as connection:
        if connection.scalar(select(model.id).where(~model.active, known_by).limit(1)) is None:
            return
    column = Officer.origin_key if model is Officer else Unit.code
    last = (
        select(History.via)
        .where(History.table_name == model.__tablename__, History.row_id == cast(model.id, String))
        .order_by(History.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    for some in bulk.in_batches(names, STEP):
        with unit_of_work(SYSTEM, via=VIA) as work:
            query = select(model.id).where(column.in_(some), ~model.active, last == VIA, known_by)
            if ids := list(work.session.scalars(query)):
                switch(work, model, ids, is_active=True)


def switch(work: Work, model: type[Any], ids: list[int], is_active: bool) -> None:
    """In use or not any more; a unit's place in the tree ends with the day, and goes on."""
    for row in work.session.scalars(select(model).where(model.id.in_(ids))):
        row.active = is_active
    if model is Unit:
        today = ist_day(work.now)
        open_or_last = UnitParent.valid_to.is_(None) if not is_active else UnitParent.valid_to.is_not(None)
        for place in work.session.scalars(select(UnitParent).where(UnitParent.unit_id.in_(ids), open_or_last)):
            place.valid_to = None if is_active else max(today, place.valid_from + timedelta(days=1))


# ---------------------------------------------------------------- who is used


def idle_officers(work: Work, batch: ImportBatch) -> set[int]:
    """Officers who came with the batch, or with one taken back before, and whom nothing else names."""
    came = select(Officer.id).where(Officer.origin == batch.profile, Officer.active, written(Officer, work, batch))
    return set(work.session.scalars(came)) - used(work, Officer, batch.id)


def idle_units(work: Work, batch: ImportBatch) -> set[int]:
    """Units that came with the batch, or with one taken back before, where nothing else
    happens; those of the project stay."""
    ours = [row["code"] for row in reference.fixture("units")]
    came = select(Unit.id).where(Unit.code.not_in(ours), Unit.active, written(Unit, work, batch))
    return leaves(work, set(work.session.scalars(came)) - used(work, Unit, batch.id))


def leaves(work: Work, found: set[int]) -> set[int]:
    """Those of the units under which no other unit is in use."""
    below = work.session.execute(select(Unit.id, Unit.parent_id, Unit.district_id).where(Unit.active)).all()
    while kept := {above for row in below if row.id not in found for above in row[1:] if above in found}:
        found = found - kept
    return found


def written(model: type[Any], work: Work, batch: ImportBatch) -> Any:
    """Condition: made, or taken up again, while this batch or one that was taken back was at work."""
    return exists().where(
        History.table_name == model.__tablename__, History.row_id == cast(model.id, String), History.via == VIA,
        History.at.between(ImportBatch.started_at, func.coalesce(ImportBatch.finished_at, work.now)),
        or_(ImportBatch.id == batch.id, ImportBatch.undone_at.is_not(None)),
    )  # fmt: skip


def used(work: Work, model: type[Any], batch_id: int) -> set[int]:
    """Ids that a row points at which is not of a complaint taken back, with this batch or before."""
    found: set[int] = set()
    for column in pointing_at(model):
        query = select(column).distinct().where(column.is_not(None))
        owner = column.table.c.id if column.table is Complaint.__table__ else column.table.c.get("complaint_id")
        if owner is not None:
            query = query.where(~taken_back(owner, batch_id))
        elif column.table is Officer.__table__:
            query = query.where(Officer.active)
        found.update(work.session.scalars(query))
    return found


def pointing_at(model: type[Any]) -> Iterator[Column[Any]]:
    """Every column of another table that names a row of this one."""
    for table in db.metadata.sorted_tables:
        for key in table.foreign_keys:
            if key.column.table is model.__table__ and table.name not in OWN:
                yield key.parent


def taken_back(owner: Any, batch_id: int) -> Any:
    """Condition: the complaint came with this batch, or with one that was taken back."""
    return exists().where(
        Imported.complaint_id == owner, Imported.is_new, ImportBatch.id == Imported.batch_id,
        or_(ImportBatch.id == batch_id, ImportBatch.undone_at.is_not(None)),
    )  # fmt: skip
