"""From TOML to a profile, checked before a row is read; a typing error never loses a column."""

from __future__ import annotations

import codecs
import hashlib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from cms.models import Kind, Language
from cms.services.importing.dates import check_form
from cms.services.importing.profile import (
    ACTION_FIELDS,
    ALLEGATION_FIELDS,
    CHANGEABLE,
    COMPLAINT_FIELDS,
    OFFICER_FIELDS,
    PARTY_FIELDS,
    BadInput,
    Field,
    FileRule,
    Profile,
    Section,
    UnitRule,
)

PROFILES = Path(__file__).parents[2] / "profiles"
PARTS = frozenset({
    "name", "title", "number_prefix", "language", "restricts", "first_year", "zone", "dates", "empty",
    "nameless", "files", "maps", "units", "complaint", "accused", "allegation", "investigator",
    "complainant", "opposite", "action", "officers", "lookups", "update",
})  # fmt: skip
FILE_PARTS = frozenset({
    "recognise", "key", "encoding", "delimiter", "header", "sheet", "optional", "repeats", "ignore", "may_lack",
})  # fmt: skip
FIELD_PARTS = frozenset({
    "column", "columns", "labels", "join", "split", "pattern", "whole", "empty", "constant", "map",
    "otherwise", "lookup", "requires", "dates",
})  # fmt: skip
UNIT_PARTS = frozenset({
    "match", "code", "name", "kind", "parent", "otherwise", "tree", "known", "weak", "map",
})  # fmt: skip


def load(name: str) -> Profile:
    """The profile of that name, or in that TOML file. BadInput if missing or wrong."""
    path = Path(name) if name.endswith(".toml") else PROFILES / f"{name}.toml"
    try:
        raw = path.read_bytes()
        said = tomllib.loads(raw.decode("utf-8"))
    except OSError:
        known = ", ".join(sorted(p.stem for p in PROFILES.glob("*.toml")))
        raise BadInput(f"There is no profile “{name}”. Known: {known}; or give a .toml file.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"The profile {path.name} is not valid TOML: {error}.") from None
    try:
        made = build(said)
    except (LookupError, TypeError, AttributeError, ValueError, OSError, re.error) as error:
        raise BadInput(f"The profile {path.name} is incomplete or wrong: {reason(error)}.") from None
    return replace(made, version=hashlib.sha256(raw).hexdigest())


def reason(error: Exception) -> str:
    """What is wrong with a profile, in words."""
    if type(error) is KeyError:
        return f"{error.args[0]!r} is missing"
    return str(error)


def known_only(said: Mapping[str, Any], known: frozenset[str] | tuple[str, ...], where: str) -> None:
    """ValueError for a word that does not exist there."""
    if strange := sorted(set(said) - set(known)):
        raise ValueError(f"unknown {strange[0]!r} in {where}; known are {', '.join(sorted(known))}")


def build(said: dict[str, Any]) -> Profile:
    """Turn the TOML into a profile. KeyError, TypeError or ValueError if it is wrong."""
    known_only(said, PARTS, "the profile")
    units, allegation = said.get("units", {}), dict(said.get("allegation", {}))
    complaint = dict(said["complaint"])
    pending, grouped = allegation.pop("pending", None), bool(complaint.pop("grouped", False))
    made = Profile(
        name=text_of(said["name"], 36), title=said.get("title", said["name"]),
        number_prefix=said["number_prefix"], language=language(said.get("language", "EN")),
        restricts=bool(said.get("restricts", False)), first_year=int(said.get("first_year", 1900)),
        zone=ZoneInfo(said.get("zone", "Asia/Kolkata")).key,
        dates=tuple(check_form(f) for f in said.get("dates", ["iso"])),
        empty=words(said.get("empty", [])) | {""},
        nameless=said.get("nameless", "(no name, {key})"),
        files={name: file_rule(name, rule) for name, rule in said["files"].items()},
        maps={name: value_map(rule) for name, rule in said.get("maps", {}).items()},
        tree=tuple(tree_row(row) for row in units.get("tree", [])),
        complaint_unit=unit_rule(units.get("complaint")), officer_unit=unit_rule(units.get("officer")),
        complaint=section(complaint, COMPLAINT_FIELDS), grouped=grouped,
        pending=None if pending is None else words(pending),
        accused=part(said, "accused", OFFICER_FIELDS),
        allegation=fields(allegation, ALLEGATION_FIELDS),
        investigator=part(said, "investigator", OFFICER_FIELDS),
        complainant=part(said, "complainant", PARTY_FIELDS), opposite=part(said, "opposite", PARTY_FIELDS),
        action=part(said, "action", ACTION_FIELDS),
        officers=part(said, "officers", OFFICER_FIELDS),
        lookups={name: section(rule, ()) for name, rule in said.get("lookups", {}).items()},
        changes=changes(said.get("update")),
    )  # fmt: skip
    check(made)
    return made


def text_of(said: str, limit: int) -> str:
    """A short text. ValueError if it is longer than its column."""
    if not 0 < len(said) <= limit:
        raise ValueError(f"{said!r} has to have 1 to {limit} characters")
    return said


def language(said: str) -> str:
    """The language of a register. ValueError for one that CMS does not write."""
    if said not in Language.__members__:
        raise ValueError(f"unknown language {said!r}; known are {', '.join(Language.__members__)}")
    return said


def plain(text: str) -> str:
    """A word as it is compared: no case, no joiners, single spaces."""
    return " ".join(re.sub("[\u200b-\u200d\ufeff]", "", text).casefold().split())


def words(said: list[str]) -> frozenset[str]:
    """Words that are compared without regard to case and spaces."""
    return frozenset(plain(word) for word in said)


def value_map(said: Mapping[str, Any]) -> dict[str, str]:
    """Their word to ours; or our word to a list of theirs, which is easier to keep."""
    found: dict[str, str] = {}
    for name, value in said.items():
        for theirs, ours in [(name, value)] if isinstance(value, str) else [(v, name) for v in value]:
            if found.setdefault(plain(theirs), ours) != ours:
                raise ValueError(f"a map leads from {theirs!r} to two values")
    return found


def changes(said: Mapping[str, Any] | None) -> frozenset[str]:
    """What a later snapshot may change; by default what goes on in any register."""
    if said is None:
        return frozenset({"status", "disposed_on", "disposition", "disposal_text", "finding", "outcome"})
    known_only(said, ("fields",), "[update]")
    known_only(dict.fromkeys(said["fields"]), CHANGEABLE, "[update] fields")
    return frozenset(said["fields"])


def file_rule(name: str, said: Mapping[str, Any]) -> FileRule:
    """How to tell a file, open it and find the complaint in its rows."""
    known_only(said, FILE_PARTS, f"[files.{name}]")
    if (repeats := said.get("repeats", "keep")) not in ("keep", "drop"):
        raise ValueError(f"repeats is “keep” or “drop”, not {repeats!r}")
    encoding = codecs.lookup(said.get("encoding", "utf-8-sig")).name
    return FileRule(
        name=name, recognise=tuple(said["recognise"]),
        key=field(said["key"]) if "key" in said else None,
        encoding="utf-8-sig" if encoding == "utf-8" else encoding,
        delimiter=said.get("delimiter", ","), header=int(said.get("header", 1)),
        sheet=said.get("sheet", ""), optional=bool(said.get("optional", False)),
        drop_repeats=repeats == "drop", ignore=frozenset(said.get("ignore", ())),
        may_lack=frozenset(said.get("may_lack", ())),
    )  # fmt: skip


def tree_row(row: Mapping[str, str]) -> Mapping[str, str]:
    """One unit that the profile itself declares."""
    named = {k: str(row[k]) for k in ("code", "name_en", "kind")}
    Kind[named["kind"]]
    return named | {"name_hi": str(row.get("name_hi", row["name_en"])), "parent": str(row.get("parent", ""))}


def unit_rule(said: Mapping[str, Any] | None) -> UnitRule | None:
    """How a value names a unit."""
    if said is None:
        return None
    known_only(said, UNIT_PARTS, "[units]")
    tree, known = tuple(said.get("tree", ())), bool(said.get("known", False))
    for kind in tree or ([] if known else [said["kind"]]):
        Kind[kind]
    return UnitRule(
        match=re.compile(said.get("match", ".+") if tree or known else said["match"]),
        code="" if known else said["code"], name=said.get("name", "{}"),
        kind=said.get("kind", ""), parent=said.get("parent", "") if known else said["parent"],
        otherwise=said.get("otherwise"), tree=tree, known=known, weak=bool(said.get("weak", False)),
        value_map=said.get("map"),
    )  # fmt: skip


def part(said: Mapping[str, Any], name: str, known: tuple[str, ...]) -> Section | None:
    """A section that a register may lack."""
    return section(said[name], known) if name in said else None


def section(said: Mapping[str, Any], known: tuple[str, ...]) -> Section:
    """One kind of rows."""
    own = ("file", "key", "prefix", "several", "described", "closes", "reopens")
    rest = {k: v for k, v in said.items() if k not in own}
    return Section(
        said["file"], fields(rest, known),
        key=field(said["key"]) if "key" in said else None, prefix=said.get("prefix", ""),
        several=said.get("several", ""),
        described=field(said["described"]) if "described" in said else None,
        closes=words(said.get("closes", [])), reopens=words(said.get("reopens", [])),
    )  # fmt: skip


def fields(said: Mapping[str, Any], known: tuple[str, ...]) -> dict[str, Field]:
    """Fields by name. ValueError for a field that does not exist."""
    if strange := sorted(set(said) - set(known)):
        raise ValueError(f"unknown field {strange[0]!r}; known are {', '.join(known)}")
    return {name: field(rule) for name, rule in said.items()}


def field(rule: Any) -> Field:
    """A field: a column's name, or a table that says more, or a list of ways to try in turn."""
    if isinstance(rule, str):
        return Field(columns=(rule,))
    if isinstance(rule, list):
        return in_turn(rule)
    known_only(rule, FIELD_PARTS, "a field")
    columns = tuple(rule.get("columns", [rule["column"]] if "column" in rule else []))
    table, _dot, column = rule.get("lookup", "").partition(".")
    return Field(
        columns=columns, labels=tuple(rule.get("labels", ())), join=rule.get("join", " "),
        split=rule.get("split", ""),
        pattern=re.compile(rule["pattern"]) if "pattern" in rule else None,
        whole=bool(rule.get("whole", False)), empty=words(rule.get("empty", [])),
        constant=rule.get("constant"), value_map=rule.get("map"), otherwise=rule.get("otherwise"),
        lookup=(table, column) if table else None, requires=rule.get("requires"),
        dates=tuple(check_form(f) for f in rule.get("dates", ())),
    )  # fmt: skip


def in_turn(rules: list[Any]) -> Field:
    """Several ways, the later tried when the earlier give nothing."""
    made: Field | None = None
    for rule in reversed(rules):
        made = replace(field(rule), instead=made)
    return made or Field()


def check(made: Profile) -> None:
    """ValueError if the parts of a profile do not fit together."""
    for section_, used in made.sections():
        if section_.file not in made.files:
            raise ValueError(f"the file {section_.file!r} is not declared under [files]")
        for rule in used.values():
            check_field(made, rule)
    check_units(made)
    if made.files[made.complaint.file].key is None:
        raise ValueError("the file of [complaint] needs a key")
    if "received_on" not in made.complaint.fields:
        raise ValueError("[complaint] must say which column is received_on")


def check_units(made: Profile) -> None:
    """ValueError if a complaint could end up under no unit."""
    for rule in filter(None, (made.complaint_unit, made.officer_unit)):
        if rule.value_map is not None and rule.value_map not in made.maps:
            raise ValueError(f"the value map {rule.value_map!r} is not declared under [maps]")
    if "unit" in made.complaint.fields and made.complaint_unit is None:
        raise ValueError("[units.complaint] is missing")
    if not made.tree and not (made.complaint_unit and made.complaint_unit.otherwise):
        raise ValueError("[units] tree must name at least the unit at the top, or otherwise a known one")


def check_field(made: Profile, rule: Field) -> None:
    """ValueError if a field leads to a map or list that the profile lacks."""
    for way in rule.ways():
        if way.value_map is not None and way.value_map not in made.maps:
            raise ValueError(f"the value map {way.value_map!r} is not declared under [maps]")
        if way.lookup and way.lookup[0] not in made.lookups:
            raise ValueError(f"the list {way.lookup[0]!r} is not declared under [lookups]")
        if way.labels and len(way.labels) != len(way.columns):
            raise ValueError("labels need one word for each of the columns")
        if way.pattern and way.pattern.groups > 1:
            raise ValueError("a pattern catches one part at most")
