"""A profile: which files, which columns, which fields. What its TOML may say is in ``docs/import.md``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

OFFICER_FIELDS = ("name", "rank", "belt_no", "unit")
COMPLAINT_FIELDS = (
    "received_on", "incident_on", "disposed_on", "place", "subject", "text", "mode", "source",
    "category", "unit", "note", "status", "disposition", "disposal_text", "urgent",
)  # fmt: skip
ALLEGATION_FIELDS = ("what", "finding", "outcome", "order", "row")
PARTY_FIELDS = ("name", "relative", "phone", "phone_2", "email", "address")
ACTION_FIELDS = ("at", "kind", "note")
CHANGEABLE = (
    "status", "disposed_on", "disposition", "disposal_text", "finding", "outcome", "investigator",
    "place", "subject", "incident_on", "source", "category", "unit",
)  # fmt: skip
"""What a later snapshot may be allowed to change; ``status`` takes the deadline with it."""

LEVELS = " > "
"""Stands between the levels of a unit that is named as a path."""


class BadInput(Exception):
    """A profile or a file that cannot be used; the message is a sentence for its sender."""


@dataclass(frozen=True, slots=True)
class Field:
    """How one value comes out of a row: the first way that gives something."""

    columns: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    join: str = " "
    split: str = ""
    pattern: re.Pattern[str] | None = None  # the part of the text that is meant
    whole: bool = False  # a number that a spreadsheet wrote as 165.0
    empty: frozenset[str] = frozenset()  # more words that mean nothing, in this field
    constant: str | None = None
    value_map: str | None = None
    otherwise: str | None = None
    lookup: tuple[str, str] | None = None  # (list, column): the text of another file
    requires: str | None = None  # without a value in this column the field is empty
    dates: tuple[str, ...] = ()
    instead: Field | None = None

    def ways(self) -> Iterator[Field]:
        """This way and those to be tried after it."""
        way: Field | None = self
        while way is not None:
            yield way
            way = way.instead

    def names(self) -> set[str]:
        """Every column that is read."""
        return {c for way in self.ways() for c in (*way.columns, *filter(None, [way.requires]))}


@dataclass(frozen=True, slots=True)
class FileRule:
    """One kind of file: what tells it apart, how to open it, what names the complaint."""

    name: str
    recognise: tuple[str, ...]
    key: Field | None  # None: it tells of officers or words, not of complaints
    encoding: str = "utf-8-sig"
    delimiter: str = ","
    header: int = 1  # the line of the names of the columns
    sheet: str = ""
    optional: bool = False
    drop_repeats: bool = False
    ignore: frozenset[str] = frozenset()  # columns that may differ between repeated rows
    may_lack: frozenset[str] = frozenset()  # columns that some files do not have; they say nothing then

    @property
    def key_column(self) -> str:
        """The column to name when the key is the trouble."""
        return self.key.columns[0] if self.key and self.key.columns else ""


@dataclass(frozen=True, slots=True)
class UnitRule:
    """How a value of a row names a unit; ``otherwise`` is the code used when it does not.

    With ``tree`` the value is a path and its levels have these kinds; with ``known`` it is looked
    up among the units that are there, by code, name or other spelling, level by level.
    """

    match: re.Pattern[str]
    code: str
    name: str
    kind: str
    parent: str
    otherwise: str | None
    tree: tuple[str, ...] = ()
    known: bool = False
    weak: bool = False  # another rule's name for the same unit is better
    value_map: str | None = None


@dataclass(frozen=True, slots=True)
class Section:
    """One kind of rows: its file, its key, its fields."""

    file: str
    fields: Mapping[str, Field]
    key: Field | None = None
    prefix: str = ""
    several: str = ""  # stands between the names of several persons in one cell
    described: Field | None = None  # in words, where nobody is named
    closes: frozenset[str] = frozenset()  # raw kinds of action that end a complaint
    reopens: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Profile:
    """A register's shape."""

    name: str
    title: str
    number_prefix: str
    language: str
    restricts: bool
    first_year: int
    zone: str
    dates: tuple[str, ...]
    empty: frozenset[str]
    nameless: str
    files: Mapping[str, FileRule]
    maps: Mapping[str, Mapping[str, str]]
    tree: tuple[Mapping[str, str], ...]
    complaint_unit: UnitRule | None
    officer_unit: UnitRule | None
    complaint: Section
    grouped: bool  # several rows of the main file describe one complaint
    pending: frozenset[str] | None  # findings that mean "not decided"; all others close it
    accused: Section | None
    allegation: Mapping[str, Field]
    investigator: Section | None
    complainant: Section | None
    opposite: Section | None
    action: Section | None
    officers: Section | None
    lookups: Mapping[str, Section]
    changes: frozenset[str]
    version: str = field(default="", compare=False)  # hash of the profile's text

    def sections(self) -> list[tuple[Section, Mapping[str, Field]]]:
        """Every section with all fields read from its file."""
        found: list[tuple[Section, Mapping[str, Field]]] = [(self.complaint, self.complaint.fields)]
        if self.accused:
            found.append((self.accused, {**self.accused.fields, **self.allegation}))
        others = (self.investigator, self.complainant, self.opposite, self.action, self.officers)
        found += [(s, s.fields) for s in (*others, *self.lookups.values()) if s]
        return found

    def columns(self, file: str) -> list[str]:
        """The columns of a file that the profile reads, in a fixed order; the key is first."""
        names: set[str] = set()
        for section, fields in self.sections():
            if section.file == file:
                names.update(*(f.names() for f in fields.values()))
                for rule in (section.key, section.described):
                    names |= rule.names() if rule else set()
        names |= {c for name, c in self.looked_up() if self.lookups[name].file == file}
        rule = self.files[file].key
        first = sorted(rule.names()) if rule else []
        return [*first, *sorted(names - set(first))]

    def looked_up(self) -> set[tuple[str, str]]:
        """(list, column) of every text that another file holds."""
        return {
            way.lookup for _section, fields in self.sections()
            for rule in fields.values() for way in rule.ways() if way.lookup
        }  # fmt: skip

    def officer_sections(self) -> list[Section]:
        """The sections that name officers of a complaint."""
        return [s for s in (self.accused, self.investigator) if s]
