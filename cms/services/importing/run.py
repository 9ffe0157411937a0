"""The import itself: read everything, then write complaint by complaint, never half of one.

Nothing is written before all files were read to their end. Killed half-way and started again,
it goes on with the complaints that are not there yet; a second run changes nothing; a later
snapshot of the same register changes what the profile allows.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, func, select

from cms.models import Complaint, Source
from cms.rules import SYSTEM
from cms.services import bulk
from cms.services.bulk import Dossier
from cms.services.importing import batches, mend, newcomers, officers, records, update
from cms.services.importing.problems import Problems, Reason
from cms.services.importing.profile import BadInput, Profile, Section
from cms.services.importing.profile_toml import plain
from cms.services.importing.source import EXTRA, digest, form, is_mended, read, recognise
from cms.services.importing.spool import Group, Spool, Spooled
from cms.services.importing.values import Reading
from cms.unit_of_work import unit_of_work

Tell = Callable[[str, int, int], object]
"""Told of the progress: (what is done, done, of how many)."""

NUMBER_LIMIT = 24
WORDS_LIMIT = 200_000
"""Entries of the lists that a profile looks texts up in; they are kept in memory."""


@dataclass
class Outcome:
    """What an import did, or would do: new rows per table, complaints changed, as before, gone."""

    added: Counter[str] = field(default_factory=Counter)
    updated: int = 0
    present: int = 0
    left_out: int = 0
    gone: int = 0  # of this register, there, and not in these files
    batch: int | None = None
    to_mend: dict[str, int] = field(default_factory=dict)


@dataclass
class Job:
    """One import at work."""

    reading: Reading
    spool: Spool
    paths: Mapping[str, Path]
    engine: Engine
    dry_run: bool
    mended: bool  # some rows of a register given again: what is not among them has not gone
    tell: Tell
    outcome: Outcome = field(default_factory=Outcome)
    known: records.Known | None = None
    not_recorded: int = 0

    @property
    def profile(self) -> Profile:
        """The profile at work."""
        return self.reading.profile


def run(
    profile: Profile, paths: list[Path], *, engine: Engine, today: date, problems: Problems,
    dry_run: bool = False, mended: bool = False, errors: Path | None = None, by: str = "",
    tell: Tell = lambda *_: None,
) -> Outcome:  # fmt: skip
    """Import the files. BadInput if a file or the profile cannot be used; nothing is then written."""
    found = recognise(profile, paths, mended)
    with engine.connect() as connection:
        officers.check_codes(connection, profile)
    with tempfile.TemporaryDirectory(prefix="cms-import-") as folder:
        spool = Spool(Path(folder))
        if errors is not None:
            problems.keep = spool.problem
        job = Job(Reading(profile, problems, today), spool, found, engine, dry_run, mended, tell)
        try:
            fill_all(job)
            if spool.complaints(profile.complaint.file) == 0 and not mended:
                raise BadInput("The files hold no complaint.")
            write(job, by)
            if errors is not None:
                job.outcome.to_mend = mend.write(errors, profile, found, spool)
        finally:
            spool.close()
        return job.outcome


# ---------------------------------------------------------------- reading


def fill_all(job: Job) -> None:
    """Put every row of every file into the spool; lists first, the others lean on them."""
    lists = {s.file for s in job.profile.lookups.values()}
    for name in sorted(job.paths, key=lambda n: n not in lists):
        fill(job, name)
    job.spool.sort()
    job.spool.index_officers()
    officers.note_listed_units(job.profile, job.spool)
    officers.warn(job.profile, job.spool, job.reading.problems)


def rows_of(job: Job, name: str) -> Iterator[Spooled]:
    """The rows of a file, in the profile's columns; those of another width are noted."""
    profile, rule = job.profile, job.profile.files[name]
    columns = profile.columns(name)
    rows = read(job.paths[name], form(job.paths[name], rule))
    header = [cell.strip() for cell in next(rows)[1]]
    places = [header.index(c) if c in header else len(header) for c in columns]
    given_again = is_mended(header)
    counted = [p for p, c in enumerate(header) if c not in rule.ignore] if rule.drop_repeats else []
    for line, cells in rows:
        if len(cells) != len(header):
            if any(cell.strip() for cell in cells):
                job.reading.problems.add(name, line, "", ",".join(cells), Reason.CELLS)
            continue
        if given_again:
            cells = [mend.original(cell) for cell in cells]
        cells.append("")  # stands for every column that this file may lack and does
        same = fingerprint([cells[p] for p in counted if header[p] not in EXTRA]) if counted else ""
        yield Spooled(name, line, {c: cells[p] for c, p in zip(columns, places, strict=True)}, same)


def fingerprint(cells: Sequence[str]) -> str:
    """Tells rows apart without keeping them whole."""
    return hashlib.blake2b("\x1f".join(cells).encode(), digest_size=12).hexdigest()


def fill(job: Job, name: str) -> None:
    """Put the rows of one file into the spool, and what they say of officers and units."""
    profile, reading, spool = job.profile, job.reading, job.spool
    rule = profile.files[name]
    sections = [s for s in (*profile.officer_sections(), profile.officers) if s and s.file == name]
    words = {n: s for n, s in profile.lookups.items() if s.file == name}
    is_main = name == profile.complaint.file
    for at in rows_of(job, name):
        if at.line % 5000 == 0:
            job.tell(f"read {name}", at.line, 0)
        for list_name, section in words.items():
            learn(job, list_name, section, at)
        key = reading.take(rule.key, at.row) if rule.key else ""
        if rule.key and not key:
            reading.problems.add(name, at.line, rule.key_column, "", Reason.NO_KEY)
            continue
        if rule.key:
            spool.add(key, at)
        if is_main:
            officers.note_complaint_unit(reading, spool, at)
        for section in sections:
            officers.note_officer(reading, spool, section, at)


def learn(job: Job, name: str, section: Section, at: Spooled) -> None:
    """Keep the texts of one row of a list. BadInput if the list is no list but a register."""
    key = plain(job.reading.take(section.key, at.row))
    table = job.reading.lists.setdefault(name, {})  # type: ignore[attr-defined]
    if len(table) > WORDS_LIMIT:
        raise BadInput(f"The list {at.file} has over two hundred thousand entries.")
    for list_name, column in job.profile.looked_up():
        if list_name == name and key:
            table.setdefault((key, column), job.reading.cleaned(at.row[column]))


# ---------------------------------------------------------------- writing


def write(job: Job, by: str) -> None:
    """Units, officers, then complaints, each in short transactions."""
    outcome, profile = job.outcome, job.profile
    with job.engine.connect() as connection:
        there = officers.known_officers(connection, profile)
    if job.dry_run:
        outcome.added["unit"] = missing_units(job)
        outcome.added["officer"] = sum(1 for key, _said in job.spool.officers() if key not in there.ids)
    else:
        files = {name: {"name": p.name, "sha256": digest(p)} for name, p in sorted(job.paths.items())}
        outcome.batch = batches.begin(profile, files, by)
        outcome.added["unit"] = officers.add_units(profile, job.spool)
        outcome.added["officer"] = officers.add_officers(profile, job.spool, there, job.tell)
    with job.engine.connect() as connection:
        job.known = officers.known_rows(connection, profile, there, job.dry_run)
        job.not_recorded = connection.scalar(select(Source.id).where(Source.code == "NOTREC")) or 0
    write_complaints(job)
    if not job.mended:
        with job.engine.connect() as connection:
            total = connection.scalar(living(profile)) or 0
        here = outcome.present + outcome.updated + (0 if job.dry_run else outcome.added["complaint"])
        outcome.gone = max(total - here, 0)
    if outcome.batch is not None:
        said = {**outcome.added, "updated": outcome.updated, "kept": outcome.present, "left_out": outcome.left_out}
        batches.finish(outcome.batch, {k: v for k, v in said.items() if v})


def living(profile: Profile) -> Any:
    """How many complaints of the register there are that were not taken back."""
    return select(func.count(Complaint.id)).where(
        Complaint.origin.in_(update.origins(profile)), ~batches.withdrawn()
    )


def missing_units(job: Job) -> int:
    """How many units an import would add to those of the profile and the project."""
    from cms.models import Unit

    with job.engine.connect() as connection:
        there = set(connection.scalars(select(Unit.code)))
    return sum(1 for row in officers.unit_rows(job.profile, job.spool) if row["code"] not in there)


def write_complaints(job: Job) -> None:
    """All complaints, in the order of their keys."""
    profile = job.profile
    groups = job.spool.groups({name: profile.columns(name) for name in profile.files})
    total = job.spool.complaints(profile.complaint.file)
    done = 0
    for batch in bulk.in_batches(groups, bulk.batch_size(job.engine)):
        take_batch(job, batch)
        done += len(batch)
        job.tell("complaints", done, total)


def take_batch(job: Job, groups: list[Group]) -> None:
    """Drafts of some complaints, then one short transaction that writes them."""
    assert job.known is not None  # noqa: S101 (write() set it)
    keys = [group.key for group in groups]
    with job.engine.connect() as connection:
        found = update.find(connection, job.profile, keys, job.not_recorded)
    new: list[Dossier] = []
    plans: list[tuple[update.Plan, update.There]] = []
    for group in groups:
        there = found.live.get(group.key)
        made = draft_of(job, group, there)
        if made is None:
            continue
        if there is None:
            again(made.dossier, found.withdrawn.get(group.key, 0))
            new.append(made.dossier)
        elif changes := update.plan(job.profile, there, made):
            plans.append((changes, there))
        elif group.of(job.profile.complaint.file):
            job.outcome.present += 1
    plans = untouched(job, plans)
    store(job, new, plans)


def draft_of(job: Job, group: Group, there: update.There | None) -> records.Draft | None:
    """The complaint of a group, or only its further rows; None if it is left out (noted)."""
    assert job.known is not None  # noqa: S101 (write() set it)
    reading, outcome = job.reading, job.outcome
    if not group.of(job.profile.complaint.file):
        if there is None:
            records.note_orphans(reading, group)
            return None
        row = there.row
        return records.addition(reading, group, job.known, row["registered_at"], row["unit_id"])
    if len(job.profile.number_prefix + group.key) > NUMBER_LIMIT:
        at = group.of(job.profile.complaint.file)[0]
        key = job.profile.files[at.file].key_column
        reading.problems.add(at.file, at.line, key, group.key, Reason.NUMBER)
        made = None
    else:
        made = records.draft(reading, group, job.known)
    if made is None:
        outcome.left_out += 1
        for rows in group.rows.values():
            for at in rows:
                reading.problems.along(at.file, at.line)
    return made


def again(dossier: Dossier, before: int) -> None:
    """Another number and origin for what was taken back before: a number is given once."""
    if before:
        said = dossier.complaint
        said["number"] = f"{said['number']}.{before + 1}"
        said["origin"] = f"{said['origin']}~{before + 1}"


def untouched(
    job: Job, plans: list[tuple[update.Plan, update.There]]
) -> list[tuple[update.Plan, update.There]]:
    """The plans for complaints on which nobody worked here; the others are noted and kept."""
    if not plans:
        return []
    with job.engine.connect() as connection:
        touched = update.worked_on(connection, [p.complaint_id for p, _there in plans])
    for changes, there in plans:
        if changes.complaint_id in touched:
            job.outcome.present += 1
            file = job.profile.complaint.file
            job.reading.problems.add(file, 0, "", there.row["number"], Reason.TOUCHED)
    return [(p, there) for p, there in plans if p.complaint_id not in touched]


def store(job: Job, new: list[Dossier], plans: list[tuple[update.Plan, update.There]]) -> None:
    """Write new complaints, each whole or not at all, and the changes of those that are there."""
    outcome = job.outcome
    if not job.dry_run and (new or plans):
        with unit_of_work(SYSTEM, via=newcomers.VIA) as work:
            numbers = [d.complaint["number"] for d in new]
            query = select(Complaint.number).where(Complaint.number.in_(numbers))
            taken = set(work.session.scalars(query))
            for number in sorted(taken):
                job.reading.problems.add(job.profile.complaint.file, 0, "", number, Reason.NUMBER)
                outcome.left_out += 1
            new = [d for d in new if d.complaint["number"] not in taken]
            ids = bulk.insert_complaints(work, new)
            for changes, there in plans:
                update.apply(work, changes, there.accused)
            batches.enter(work, outcome.batch or 0, ids, [p.complaint_id for p, _there in plans])
    outcome.updated += len(plans)
    outcome.added["complaint"] += len(new)
    for dossier in new:
        for model, rows in dossier.rows.items():
            outcome.added[model.__tablename__] += len(rows)
    for changes, _there in plans:
        for model, _values in changes.added:
            outcome.added[model.__tablename__] += 1
