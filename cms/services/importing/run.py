"""The import itself: read everything, then write complaint by complaint, never half of one.

Nothing is written before all files were read to their end. Killed half-way and started again,
it goes on with the complaints that are not there yet; a second run changes nothing.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, select

from cms.models import Category, Complaint, Mode, Officer, Rank, Source, Unit
from cms.rules import SYSTEM
from cms.services import bulk, reference
from cms.services.bulk import Dossier
from cms.services.importing import records
from cms.services.importing.problems import Problems, Reason
from cms.services.importing.profile import BadInput, Profile, Section
from cms.services.importing.source import read, recognise
from cms.services.importing.spool import Spool
from cms.services.importing.values import take, unit_code
from cms.unit_of_work import Work, unit_of_work

Tell = Callable[[str, int, int], object]
"""Told of the progress: (what is done, done, of how many)."""

NO_RANK = "NONE"


@dataclass
class Outcome:
    """What an import did, or would do: new rows per table, and complaints already there."""

    added: Counter[str] = field(default_factory=Counter)
    present: int = 0
    left_out: int = 0


def run(
    profile: Profile, paths: list[Path], *, engine: Engine, today: date, problems: Problems,
    dry_run: bool = False, tell: Tell = lambda *_: None,
) -> Outcome:  # fmt: skip
    """Import the files. BadInput if a file or the profile cannot be used; nothing is then written."""
    found = recognise(profile, paths)
    with tempfile.TemporaryDirectory(prefix="cms-import-") as folder:
        spool = Spool(Path(folder))
        try:
            for name, path in found.items():
                fill(profile, spool, name, path, problems, tell)
            spool.sort()
            if spool.complaints(profile.complaint.file) == 0:
                raise BadInput("The files hold no complaint.")
            return write(profile, spool, engine, today, problems, dry_run, tell)
        finally:
            spool.close()


# ---------------------------------------------------------------- reading


def fill(
    profile: Profile, spool: Spool, name: str, path: Path, problems: Problems, tell: Tell
) -> None:
    """Put the rows of one file into the spool, and what they say of officers and units."""
    columns = profile.columns(name)
    sections = [s for s in (profile.accused, profile.investigator) if s and s.file == name]
    rows = read(path)
    header = next(rows)[1]
    places = [header.index(c) for c in columns]
    for line, cells in rows:
        if line % 5000 == 0:
            tell(f"read {name}", line, 0)
        if len(cells) != len(header):
            if cells:
                problems.add(name, line, "", ",".join(cells), Reason.CELLS)
            continue
        row = dict(zip(columns, (cells[p] for p in places), strict=True))
        key = row[columns[0]].strip()
        if not key:
            problems.add(name, line, columns[0], "", Reason.NO_KEY)
            continue
        spool.add(key, name, line, list(row.values()))
        note_unit(profile, spool, name, row)
        for section in sections:
            note_officer(profile, spool, section, row)


def note_unit(profile: Profile, spool: Spool, name: str, row: dict[str, str]) -> None:
    """Keep which unit a complaint needs."""
    if name == profile.complaint.file and profile.complaint_unit:
        text = take(profile, profile.complaint.fields.get("unit"), row)
        code, value = unit_code(profile.complaint_unit, text)
        if code and value:
            spool.need_unit(code, value, "complaint")


def note_officer(profile: Profile, spool: Spool, section: Section, row: dict[str, str]) -> None:
    """Keep what the row says about its officer."""
    key = records.officer_key(profile, section, row)
    if not key:
        return
    spool.say(key, "key", "")
    for name, rule in section.fields.items():
        if text := take(profile, rule, row):
            spool.say(key, name, text)
            if name == "unit":
                code, value = unit_code(profile.officer_unit, text)
                if code and value:
                    spool.need_unit(code, value, "officer")


# ---------------------------------------------------------------- writing


def write(
    profile: Profile, spool: Spool, engine: Engine, today: date, problems: Problems,
    dry_run: bool, tell: Tell,
) -> Outcome:  # fmt: skip
    """Units, officers, then complaints, each in short transactions."""
    outcome = Outcome()
    if dry_run:
        known = pretend(profile, spool, outcome)
    else:
        with unit_of_work(SYSTEM, via="import") as work:
            reference.load(work)
            outcome.added["unit"] += add_units(profile, spool, work)
        officers = add_officers(profile, spool, outcome, tell)
        with unit_of_work(SYSTEM, via="import") as work:
            known = known_rows(work, profile, officers)
    groups = spool.groups({name: profile.columns(name) for name in profile.files})
    made = drafts(profile, groups, known, today, problems, outcome)
    total = spool.complaints(profile.complaint.file)
    done = 0
    for batch in bulk.in_batches(made, bulk.batch_size(engine)):
        done += len(batch)
        if dry_run:
            count(outcome, batch)
        else:
            write_batch(profile, batch, problems, outcome)
        tell("complaints", done, total)
    return outcome


def drafts(
    profile: Profile, groups: Iterable[Any], known: records.Known, today: date,
    problems: Problems, outcome: Outcome,
) -> Iterator[Dossier]:  # fmt: skip
    """The dossiers that can be made; the rest is counted as left out."""
    for group in groups:
        if len(profile.number_prefix + group.key) > 24:
            at = next(iter(group.rows.values()))[0]
            problems.add(at.file, at.line, profile.files[at.file].key, group.key, Reason.NUMBER)
            made = None
        else:
            made = records.dossier(profile, group, known, today, problems)
        if made is not None:
            yield made
        elif group.of(profile.complaint.file):
            outcome.left_out += 1


def write_batch(
    profile: Profile, batch: list[Dossier], problems: Problems, outcome: Outcome
) -> None:
    """Write those complaints of a batch that are not there yet, each whole or not at all."""
    numbers = [d.complaint["number"] for d in batch]
    with unit_of_work(SYSTEM, via="import") as work:
        query = select(Complaint.number, Complaint.origin, Complaint.origin_key)
        taken = {
            number: (origin, key)
            for number, origin, key in work.session.execute(query.where(Complaint.number.in_(numbers)))
        }
        new = [d for d in batch if d.complaint["number"] not in taken]
        bulk.insert_complaints(work, new)
    count(outcome, new)
    for dossier in batch:
        number, key = dossier.complaint["number"], dossier.complaint["origin_key"]
        if number not in taken:
            continue
        if taken[number] == (profile.name, key):
            outcome.present += 1
        else:
            outcome.left_out += 1
            problems.add(profile.complaint.file, 0, "", number, Reason.NUMBER)


def count(outcome: Outcome, batch: list[Dossier]) -> None:
    """Add up what a batch brings."""
    outcome.added["complaint"] += len(batch)
    for dossier in batch:
        for model, rows in dossier.rows.items():
            outcome.added[model.__tablename__] += len(rows)


def add_units(profile: Profile, spool: Spool, work: Work) -> int:
    """The units of the profile's own tree and those that rows name, as far as they are missing."""
    return reference.load_units(work, unit_rows(profile, spool), date(profile.first_year, 1, 1))


def unit_rows(profile: Profile, spool: Spool) -> list[dict[str, str]]:
    """Units as fixture rows, parents first."""
    rows = [dict(row) for row in profile.tree]
    codes = {row["code"] for row in rows}
    rules = {"complaint": profile.complaint_unit, "officer": profile.officer_unit}
    for code, value, name in spool.units():
        rule = rules[name]
        if rule is None or code in codes:
            continue
        codes.add(code)
        said = rule.name.format(value)
        rows.append(
            {"code": code, "name_en": said, "name_hi": said, "kind": rule.kind, "parent": rule.parent}
        )
    return rows


def add_officers(
    profile: Profile, spool: Spool, outcome: Outcome, tell: Tell
) -> dict[str, int]:
    """Officers that are missing, in short transactions; all ids by their key."""
    with unit_of_work(SYSTEM, via="import") as work:
        known = officer_ids(work, profile)
        ranks = reference.codes(work, Rank)
        units = reference.codes(work, Unit)
    missing = ((key, said) for key, said in spool.officers() if key not in known)
    for batch in bulk.in_batches(missing, 1000):
        rows = [officer_values(profile, key, said, ranks, units) for key, said in batch]
        with unit_of_work(SYSTEM, via="import") as work:
            ids = bulk.insert_registry(work, Officer, rows)
        known.update((key, row_id) for (key, _said), row_id in zip(batch, ids, strict=True))
        outcome.added["officer"] += len(ids)
        tell("officers", outcome.added["officer"], 0)
    return known


def officer_ids(work: Work, profile: Profile) -> dict[str, int]:
    """Officers of this register that are there, by their key."""
    query = select(Officer.origin_key, Officer.id).where(Officer.origin == profile.name)
    return {row.origin_key: row.id for row in work.session.execute(query)}


def officer_values(
    profile: Profile, key: str, said: dict[str, str], ranks: dict[str, int], units: dict[str, int]
) -> dict[str, Any]:
    """One officer; a register in Latin letters gives the same name for Hindi screens."""
    name = (said.get("name") or profile.nameless.format(key=key))[:80]
    rule = next((s.fields.get("rank") for s in (profile.accused, profile.investigator) if s), None)
    table = profile.maps.get(rule.value_map or "", {}) if rule else {}
    rank = table.get(said.get("rank", "").casefold(), NO_RANK)
    unit = unit_code(profile.officer_unit, said.get("unit", ""))[0]
    return {
        "name_en": name,
        "name_hi": name,
        "rank_id": ranks[rank],
        "belt_no": said.get("belt_no", "")[:24] or None,
        "unit_id": units.get(unit) if unit else None,
        "origin": profile.name,
        "origin_key": key,
    }


def known_rows(work: Work, profile: Profile, officers: dict[str, int]) -> records.Known:
    """Ids of everything that complaints point at. BadInput if the profile names an unknown code."""
    units = {
        row.code: (row.id, row.district_id or row.id)
        for row in work.session.execute(select(Unit.code, Unit.id, Unit.district_id))
    }
    known = records.Known(
        reference.codes(work, Mode), reference.codes(work, Source), reference.codes(work, Category),
        units, officers,
    )  # fmt: skip
    check_codes(profile, known)
    return known


def check_codes(profile: Profile, known: records.Known) -> None:
    """BadInput if a value map or constant leads to a code that the lists do not hold."""
    lists = {"mode": known.modes, "source": known.sources, "category": known.categories}
    for name, codes in lists.items():
        rule = profile.complaint.fields.get(name)
        if rule is None:
            continue
        named = {rule.constant, rule.otherwise, *profile.maps.get(rule.value_map or "", {}).values()}
        for code in sorted(c for c in named if c):
            if code not in codes:
                raise BadInput(f"The profile leads to the {name} “{code}”, which does not exist.")


class Anything(dict[str, Any]):
    """Stands for the rows of a database that a dry run does not touch."""

    def __init__(self, value: Any) -> None:
        super().__init__()
        self.value = value

    def __missing__(self, key: str) -> Any:
        return self.value


def pretend(profile: Profile, spool: Spool, outcome: Outcome) -> records.Known:
    """Count units and officers without writing any."""
    outcome.added["unit"] = len(unit_rows(profile, spool))
    outcome.added["officer"] = sum(1 for _ in spool.officers())
    return records.Known(Anything(0), Anything(0), Anything(0), Anything((0, 0)), Anything(0))
