"""Officers and units that a register names: noted while reading, made before the complaints."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, select, true
from sqlalchemy.orm import Session

from cms.models import ActionKind, Category, Disposition, Mode, Officer, Rank, Source, Unit
from cms.rules import SYSTEM, Finding
from cms.services import bulk, reference
from cms.services.almanac import Almanac
from cms.services.importing import newcomers, records, units
from cms.services.importing.problems import Problems, Reason
from cms.services.importing.profile import BadInput, Field, Profile, Section
from cms.services.importing.profile_toml import plain
from cms.services.importing.spool import Spool, Spooled
from cms.services.importing.values import Reading
from cms.unit_of_work import unit_of_work

Tell = Callable[[str, int, int], object]
"""Told of the progress: (what is done, done, of how many)."""

NO_RANK = "NONE"


# ---------------------------------------------------------------- while reading


def note_complaint_unit(reading: Reading, spool: Spool, at: Spooled) -> None:
    """Keep which unit a complaint needs."""
    rule = reading.profile.complaint_unit
    if rule:
        text = reading.take(reading.profile.complaint.fields.get("unit"), at.row)
        for need in units.needs(rule, text, is_main=True):
            spool.need_unit(need)


def note_officer(reading: Reading, spool: Spool, section: Section, at: Spooled) -> None:
    """Keep what the row says about its officer."""
    key = records.officer_key(reading, section, at.row)
    if not key:
        return
    is_list = section is reading.profile.officers
    if not is_list:
        spool.name_officer(key, at)
    for name, rule in section.fields.items():
        if text := reading.take(rule, at.row):
            spool.say(key, name, text, 0 if is_list else 1, at)
            if name == "unit" and not is_list:
                note_officer_unit(reading.profile, spool, text)


def note_officer_unit(profile: Profile, spool: Spool, text: str) -> None:
    """Keep that the unit of an officer must be there."""
    if profile.officer_unit:
        for need in units.needs(profile.officer_unit, text, is_main=False):
            spool.need_unit(need)


def note_listed_units(profile: Profile, spool: Spool) -> None:
    """Units of listed officers, of those only whom a complaint names."""
    if profile.officers:
        for _key, said in spool.officers():
            if "unit" in said:
                note_officer_unit(profile, spool, said["unit"])


def warn(profile: Profile, spool: Spool, problems: Problems) -> None:
    """Belt numbers that several officers carry, and officers whom their list does not know."""
    sections = [*profile.officer_sections(), *filter(None, [profile.officers])]
    columns = {s.file: " ".join(s.fields["belt_no"].columns) for s in sections if "belt_no" in s.fields}
    for value, file, line in spool.shared_badges():
        problems.add(file, line, columns.get(file, ""), value, Reason.BADGE)
    if profile.officers:
        for key, file, line in spool.unlisted():
            problems.add(file, line, "", key, Reason.UNKNOWN_OFFICER)


# ---------------------------------------------------------------- before the complaints


def unit_rows(profile: Profile, spool: Spool) -> list[dict[str, str]]:
    """Units as fixture rows, parents first. BadInput if one hangs under a unit that nobody names."""
    rows = {row["code"]: dict(row) for row in profile.tree}
    for need in spool.units():
        said = {"code": need.code, "name_en": need.name, "name_hi": need.name, "kind": need.kind}
        rows.setdefault(need.code, {**said, "parent": need.parent})
    return [rows[code] for code in sorted(rows, key=lambda c: (depth(rows, c), list(rows).index(c)))]


def depth(rows: Mapping[str, Mapping[str, str]], code: str) -> int:
    """How many of the rows are above one of them."""
    found = 0
    while code in rows and rows[code]["parent"]:
        code, found = rows[code]["parent"], found + 1
        if found > 20:
            raise BadInput(f"The unit “{code}” of the profile lies under itself.")
    return found


def add_units(profile: Profile, spool: Spool) -> int:
    """The units of the profile's own tree and those that rows name, as far as they are missing."""
    reference.prepare()
    rows = unit_rows(profile, spool)
    newcomers.take_up(Unit, true(), [row["code"] for row in rows])
    with unit_of_work(SYSTEM, via="import") as work:
        reference.load(work)
        try:
            return reference.load_units(work, rows, date(profile.first_year, 1, 1))
        except KeyError as error:
            raise BadInput(f"The profile puts units under “{error.args[0]}”, which does not exist.") from None


@dataclass(frozen=True)
class Posted:
    """Officers of the register: their ids and their units, by key."""

    ids: dict[str, int]
    units: dict[str, int]


def known_officers(connection: Connection, profile: Profile) -> Posted:
    """Officers of this register that are there."""
    query = select(Officer.origin_key, Officer.id, Officer.unit_id).where(Officer.origin == profile.name)
    rows = connection.execute(query).all()
    return Posted({str(r[0]): r[1] for r in rows}, {str(r[0]): r[2] for r in rows if r[2]})


def add_officers(profile: Profile, spool: Spool, there: Posted, tell: Tell) -> int:
    """Officers that are missing, in short transactions; how many."""
    with unit_of_work(SYSTEM, via="import") as work:
        ranks, by_code = reference.codes(work, Rank), reference.codes(work, Unit)
    newcomers.take_up(Officer, Officer.origin == profile.name, (key for key, _said in spool.officers()))
    added = 0
    table = rank_table(profile)
    missing = ((key, said) for key, said in spool.officers() if key not in there.ids)
    for batch in bulk.in_batches(missing, 1000):
        rows = [officer_values(profile, key, said, ranks, by_code, table) for key, said in batch]
        with unit_of_work(SYSTEM, via="import") as work:
            ids = bulk.insert_registry(work, Officer, rows)
        for row, row_id in zip(rows, ids, strict=True):
            there.ids[row["origin_key"]] = row_id
            if row["unit_id"]:
                there.units[row["origin_key"]] = row["unit_id"]
        added += len(ids)
        tell("officers", added, 0)
    return added


def rank_table(profile: Profile) -> dict[str, str]:
    """The register's ranks, by every map that a rank goes through."""
    found: dict[str, str] = {}
    for section in (*profile.officer_sections(), *filter(None, [profile.officers])):
        for way in section.fields["rank"].ways() if "rank" in section.fields else ():
            found.update(profile.maps.get(way.value_map or "", {}))
    return found


def officer_values(
    profile: Profile, key: str, said: Mapping[str, str], ranks: Mapping[str, int],
    by_code: Mapping[str, int], table: Mapping[str, str],
) -> dict[str, Any]:  # fmt: skip
    """One officer; a register in one script gives the same name for both screens."""
    name = (said.get("name") or profile.nameless.format(key=key))[:80]
    unit = units.code_of(profile.officer_unit, said.get("unit", ""))
    return {
        "name_en": name,
        "name_hi": name,
        "rank_id": ranks[table.get(plain(said.get("rank", "")), NO_RANK)],
        "belt_no": said.get("belt_no", "")[:24] or None,
        "unit_id": by_code.get(unit) if unit else None,
        "origin": profile.name,
        "origin_key": key,
    }


# ---------------------------------------------------------------- what complaints point at


class Anything(dict[str, Any]):
    """Ids by code, and a stand-in for those that a dry run does not make."""

    def __init__(self, known: Mapping[str, Any], value: Any) -> None:
        super().__init__(known)
        self.value = value

    def __missing__(self, key: str) -> Any:
        return self.value


def known_rows(
    connection: Connection, profile: Profile, posted: Posted, dry_run: bool
) -> records.Known:
    """Ids of everything that complaints point at. BadInput if the profile names an unknown code."""
    rows = connection.execute(
        select(Unit.id, Unit.code, Unit.name_en, Unit.name_hi, Unit.aliases, Unit.path, Unit.district_id)
    ).all()
    lines = {r.id: tuple(int(p) for p in r.path.strip("/").split("/")) for r in rows}
    codes = {r.id: r.code for r in rows}
    named = [
        {"code": r.code, "name_en": r.name_en, "name_hi": r.name_hi, "aliases": r.aliases,
         "parent": codes[lines[r.id][-2]] if len(lines[r.id]) > 1 else ""}
        for r in rows
    ]  # fmt: skip
    known_codes = {r["code"] for r in named}
    named += [row for row in reference.fixture("units") if row["code"] not in known_codes]
    ids = {r.code: (r.id, r.district_id or r.id) for r in rows}

    def codes_of(model: type[Any]) -> Mapping[str, int]:
        found = {r.code: r.id for r in connection.execute(select(model.code, model.id))}
        return Anything(found, 0) if dry_run else found

    return records.Known(
        codes_of(Mode), codes_of(Source), codes_of(Category), codes_of(Disposition),
        Anything(ids, (0, 0)) if dry_run else ids,
        Anything(posted.ids, 0) if dry_run else posted.ids,
        units.Directory(named), posted.units, lines, Almanac.read(Session(connection)),
    )  # fmt: skip


LISTS: Mapping[str, tuple[type[Any], str]] = {
    "mode": (Mode, "modes"), "source": (Source, "sources"), "category": (Category, "categories"),
    "disposition": (Disposition, "dispositions"), "rank": (Rank, "ranks"),
}  # fmt: skip


def check_codes(connection: Connection, profile: Profile) -> None:
    """BadInput if a value map or constant leads to a code that our lists do not hold."""
    fields = profile.complaint.fields
    action = profile.action.fields if profile.action else {}
    led = {name: led_to(profile, fields.get(name)) for name in (*LISTS, "status", "urgent")}
    led["rank"] = set(rank_table(profile).values())
    led |= {"finding": led_to(profile, profile.allegation.get("finding")), "kind": led_to(profile, action.get("kind"))}
    held = {name: listed(connection, *where) for name, where in LISTS.items()}
    held |= {"status": {s.name for s in records.STANDS}, "finding": set(Finding.__members__),
             "kind": set(ActionKind.__members__), "urgent": {"YES", "NO"}}  # fmt: skip
    for name, codes in led.items():
        for code in sorted(codes - held[name]):
            known = ", ".join(sorted(held[name]))
            raise BadInput(f"The profile leads to the {name} “{code}”, which does not exist; known are {known}.")


def listed(connection: Connection, model: type[Any], fixture: str) -> set[str]:
    """The codes of a list: what is there, and what the first import adds."""
    return set(connection.scalars(select(model.code))) | {r["code"] for r in reference.fixture(fixture)}


def led_to(profile: Profile, rule: Field | None) -> set[str]:
    """Every code that a field can give."""
    found: set[str] = set()
    for way in rule.ways() if rule else ():
        table = profile.maps.get(way.value_map or "", {})
        found |= {c for c in (way.constant, way.otherwise, *table.values()) if c}
    return found
