"""A profile: which files, which columns, which fields; read from TOML and checked before a row is.

The language of a profile is described for its writer in ``docs/import.md``.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cms.models import Kind

PROFILES = Path(__file__).parents[2] / "profiles"
OFFICER_FIELDS = ("name", "rank", "belt_no", "unit")
COMPLAINT_FIELDS = (
    "received_on", "incident_on", "disposed_on", "place", "subject", "mode", "source", "category",
    "unit", "note",
)  # fmt: skip
ALLEGATION_FIELDS = ("what", "finding", "outcome", "order", "row")


class BadInput(Exception):
    """A profile or a file that cannot be used; the message is a sentence for its sender."""


@dataclass(frozen=True, slots=True)
class Field:
    """How one value comes out of a row: the first way that gives something."""

    columns: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    join: str = " "
    split: str = ""
    whole: bool = False  # a number that a spreadsheet wrote as 165.0
    constant: str | None = None
    value_map: str | None = None
    otherwise: str | None = None
    requires: str | None = None  # without a value in this column the field is empty
    instead: Field | None = None

    def names(self) -> set[str]:
        """Every column that is read."""
        own = set(self.columns) | ({self.requires} if self.requires else set())
        return own | (self.instead.names() if self.instead else set())


@dataclass(frozen=True, slots=True)
class FileRule:
    """One kind of file: what tells it apart, and the column that names the complaint."""

    name: str
    recognise: tuple[str, ...]
    key: str


@dataclass(frozen=True, slots=True)
class UnitRule:
    """How a value of a row names a unit; ``otherwise`` is the code used when it does not."""

    match: re.Pattern[str]
    code: str
    name: str
    kind: str
    parent: str
    otherwise: str | None


@dataclass(frozen=True, slots=True)
class Section:
    """One kind of rows: its file, its key, its fields."""

    file: str
    fields: Mapping[str, Field]
    key: Field | None = None
    prefix: str = ""


@dataclass(frozen=True, slots=True)
class Profile:
    """A register's shape."""

    name: str
    title: str
    number_prefix: str
    language: str
    restricts: bool
    first_year: int
    dates: tuple[str, ...]
    empty: frozenset[str]
    nameless: str
    files: Mapping[str, FileRule]
    maps: Mapping[str, Mapping[str, str]]
    tree: tuple[Mapping[str, str], ...]
    complaint_unit: UnitRule | None
    officer_unit: UnitRule | None
    complaint: Section
    accused: Section | None
    allegation: Mapping[str, Field]
    investigator: Section | None

    def sections(self) -> list[tuple[Section, Mapping[str, Field]]]:
        """Every section with all fields read from its file."""
        found: list[tuple[Section, Mapping[str, Field]]] = [(self.complaint, self.complaint.fields)]
        if self.accused:
            found.append((self.accused, {**self.accused.fields, **self.allegation}))
        if self.investigator:
            found.append((self.investigator, self.investigator.fields))
        return found

    def columns(self, file: str) -> list[str]:
        """The columns of a file that the profile reads, in a fixed order; the key is first."""
        names: set[str] = set()
        for section, fields in self.sections():
            if section.file == file:
                names.update(*(f.names() for f in fields.values()))
                names |= section.key.names() if section.key else set()
        key = self.files[file].key
        return [key, *sorted(names - {key})]


def load(name: str) -> Profile:
    """The profile of that name, or in that TOML file. BadInput if missing or wrong."""
    path = Path(name) if name.endswith(".toml") else PROFILES / f"{name}.toml"
    try:
        said = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError:
        known = ", ".join(sorted(p.stem for p in PROFILES.glob("*.toml")))
        raise BadInput(f"There is no profile “{name}”. Known: {known}; or give a .toml file.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"The profile {path.name} is not valid TOML: {error}.") from None
    try:
        return build(said)
    except (KeyError, TypeError, AttributeError, ValueError, re.error) as error:
        raise BadInput(f"The profile {path.name} is incomplete or wrong: {reason(error)}.") from None


def reason(error: Exception) -> str:
    """What is wrong with a profile, in words."""
    if isinstance(error, KeyError):
        return f"{error.args[0]!r} is missing"
    return str(error)


def build(said: dict[str, Any]) -> Profile:
    """Turn the TOML into a profile. KeyError, TypeError or ValueError if it is wrong."""
    files = {
        name: FileRule(name, tuple(rule["recognise"]), rule["key"])
        for name, rule in said["files"].items()
    }
    units = said.get("units", {})
    accused = said.get("accused")
    made = Profile(
        name=said["name"],
        title=said.get("title", said["name"]),
        number_prefix=said["number_prefix"],
        language=said.get("language", "EN"),
        restricts=bool(said.get("restricts", False)),
        first_year=int(said.get("first_year", 1900)),
        dates=tuple(said.get("dates", ["%Y-%m-%d"])),
        empty=frozenset(v.casefold() for v in said.get("empty", [""])) | {""},
        nameless=said.get("nameless", "(no name, {key})"),
        files=files,
        maps={n: {k.casefold(): v for k, v in m.items()} for n, m in said.get("maps", {}).items()},
        tree=tuple(tree_row(row) for row in units.get("tree", [])),
        complaint_unit=unit_rule(units.get("complaint")),
        officer_unit=unit_rule(units.get("officer")),
        complaint=section(said["complaint"], COMPLAINT_FIELDS),
        accused=section(accused, OFFICER_FIELDS) if accused else None,
        allegation=fields(said.get("allegation", {}), ALLEGATION_FIELDS),
        investigator=optional_section(said.get("investigator")),
    )
    check(made)
    return made


def tree_row(row: Mapping[str, str]) -> Mapping[str, str]:
    """One unit that the profile itself declares."""
    named = {k: str(row[k]) for k in ("code", "name_en", "kind")}
    Kind[named["kind"]]
    return named | {"name_hi": str(row.get("name_hi", row["name_en"])), "parent": str(row.get("parent", ""))}


def unit_rule(said: Mapping[str, str] | None) -> UnitRule | None:
    """How a value names a unit."""
    if said is None:
        return None
    Kind[said["kind"]]
    return UnitRule(
        re.compile(said["match"]), said["code"], said["name"], said["kind"], said["parent"],
        said.get("otherwise"),
    )  # fmt: skip


def optional_section(said: Mapping[str, Any] | None) -> Section | None:
    """A section that a register may lack."""
    return section(said, OFFICER_FIELDS) if said else None


def section(said: Mapping[str, Any], known: tuple[str, ...]) -> Section:
    """One kind of rows."""
    rest = {k: v for k, v in said.items() if k not in ("file", "key", "prefix")}
    key = field(said["key"]) if "key" in said else None
    return Section(said["file"], fields(rest, known), key, said.get("prefix", ""))


def fields(said: Mapping[str, Any], known: tuple[str, ...]) -> dict[str, Field]:
    """Fields by name. ValueError for a field that does not exist: a typo would lose a column."""
    if strange := sorted(set(said) - set(known)):
        raise ValueError(f"unknown field {strange[0]!r}; known are {', '.join(known)}")
    return {name: field(rule) for name, rule in said.items()}


def field(rule: Any) -> Field:
    """A field: a column's name, or a table that says more, or a list of ways to try in turn."""
    if isinstance(rule, str):
        return Field(columns=(rule,))
    if isinstance(rule, list):
        return ways(rule)
    columns = tuple(rule.get("columns", [rule["column"]] if "column" in rule else []))
    return Field(
        columns=columns,
        labels=tuple(rule.get("labels", ())),
        join=rule.get("join", " "),
        split=rule.get("split", ""),
        whole=bool(rule.get("whole", False)),
        constant=rule.get("constant"),
        value_map=rule.get("map"),
        otherwise=rule.get("otherwise"),
        requires=rule.get("requires"),
    )


def ways(rules: list[Any]) -> Field:
    """Several ways, the later tried when the earlier give nothing."""
    made: Field | None = None
    for rule in reversed(rules):
        made = replace(field(rule), instead=made)
    return made or Field()


def check(made: Profile) -> None:
    """ValueError if the parts of a profile do not fit together."""
    for part, used in made.sections():
        if part.file not in made.files:
            raise ValueError(f"the file {part.file!r} is not declared under [files]")
        for rule in used.values():
            if rule.value_map is not None and rule.value_map not in made.maps:
                raise ValueError(f"the value map {rule.value_map!r} is not declared under [maps]")
    if "received_on" not in made.complaint.fields:
        raise ValueError("[complaint] must say which column is received_on")
    if "unit" in made.complaint.fields and made.complaint_unit is None:
        raise ValueError("[units.complaint] is missing")
