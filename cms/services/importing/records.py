"""From the rows of one complaint to its dossier for the bulk door."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from itertools import pairwise
from typing import Any

from cms.i18n import day_range
from cms.models import (
    Accused,
    Action,
    ActionKind,
    Allegation,
    Assignment,
    BarredUnit,
    Deadline,
    DeadlineKind,
    Desk,
    Language,
    Priority,
    Round,
    RoundReason,
    Stay,
)  # fmt: skip
from cms.rules import ENDS, OPEN, Finding, Status
from cms.services.almanac import DEPARTMENT, Almanac
from cms.services.bulk import Dossier, Values
from cms.services.clocks import Facts
from cms.services.importing import diary
from cms.services.importing.problems import Reason
from cms.services.importing.profile import Profile, Section
from cms.services.importing.profile_toml import plain
from cms.services.importing.spool import Group, Spooled
from cms.services.importing.units import Directory, code_of
from cms.services.importing.values import Reading, column_of

STANDS = (
    Status.REGISTERED, Status.MARKED, Status.ASSIGNED, Status.UNDER_ENQUIRY, Status.DISPOSED,
    Status.REPORT_DELIVERED, Status.CLOSED, Status.TRANSFERRED_OUT, Status.WITHDRAWN,
)  # fmt: skip
"""Where an imported complaint may stand; the other statuses rest on rows that no register brings."""

NOT_SAID = "-"
"""Stands for an allegation that the source counts and does not describe."""


@dataclass(frozen=True, slots=True)
class Known:
    """Ids of the rows that complaints point at, by code or key."""

    modes: Mapping[str, int]
    sources: Mapping[str, int]
    categories: Mapping[str, int]
    dispositions: Mapping[str, int]
    units: Mapping[str, tuple[int, int]]  # code -> (id, district)
    officers: Mapping[str, int]
    directory: Directory = field(default_factory=lambda: Directory(()))
    posted: Mapping[str, int] = field(default_factory=dict)  # officer's key -> unit
    lines: Mapping[int, tuple[int, ...]] = field(default_factory=dict)  # unit -> those above and itself
    almanac: Almanac = DEPARTMENT


@dataclass(frozen=True, slots=True)
class Dates:
    """The days of a complaint that can be believed, and where it stood."""

    received: datetime
    incident: date | None
    closed: datetime | None
    status: Status


@dataclass
class Draft:
    """One complaint on its way into a dossier."""

    reading: Reading
    group: Group
    known: Known
    main: Spooled
    dates: Dates
    dossier: Dossier

    @property
    def profile(self) -> Profile:
        """The profile at work."""
        return self.reading.profile


def officer_key(reading: Reading, section: Section, row: Mapping[str, str]) -> str:
    """The natural key of the officer in a row, or '' if it names nobody."""
    text = reading.take(section.key, row)
    return (section.prefix + text)[:80] if text else ""


def naming(section: Section) -> str:
    """The column that should have named the officer."""
    return (section.key.requires or section.key.columns[0]) if section.key else ""


def draft(reading: Reading, group: Group, known: Known) -> Draft | None:
    """The complaint with its rows, or None if it cannot be taken over (noted)."""
    drop_repeats(reading, group)
    main = main_row(reading, group)
    dates = dates_of(reading, group, main) if main else None
    if main is None or dates is None:
        return None
    made = Draft(reading, group, known, main, dates, Dossier({}))
    made.dossier.complaint = complaint_values(made)
    add_clock(made)
    add_accused(made)
    add_investigator(made)
    diary.add_parties(made)
    diary.add_diary(made)
    add_round(made)
    add_stays(made)
    return made


def addition(reading: Reading, group: Group, known: Known, received: datetime, unit_id: int) -> Draft:
    """Rows for a complaint that was taken over before and whose main row is not given now."""
    drop_repeats(reading, group)
    dates = Dates(received, None, None, Status.UNDER_ENQUIRY)
    made = Draft(reading, group, known, Spooled("", 0, {}), dates, Dossier({"unit_id": unit_id}))
    made.dossier.complaint["registered_at"] = received
    add_accused(made)
    add_investigator(made)
    diary.add_parties(made)
    diary.add_actions(made)
    return made


def drop_repeats(reading: Reading, group: Group) -> None:
    """Leave out rows that are there once more, where the profile says that they mean nothing."""
    for file, rows in group.rows.items():
        if not reading.profile.files[file].drop_repeats:
            continue
        seen: dict[str, Spooled] = {}
        for at in rows:
            if seen.setdefault(at.same, at) is not at:
                reading.problems.add(file, at.line, "", "", Reason.SAME_ROW)
        group.rows[file] = list(seen.values())


def main_row(reading: Reading, group: Group) -> Spooled | None:
    """The row that describes the complaint; orphans and repetitions are noted."""
    profile = reading.profile
    rows = group.of(profile.complaint.file)
    if profile.grouped and rows:
        unit = profile.complaint.fields.get("unit")
        return merged(rows, tuple(sorted(unit.names())) if unit else ())
    for extra in rows[1:]:
        key = profile.files[extra.file].key_column
        reading.problems.add(extra.file, extra.line, key, group.key, Reason.REPEATED)
    return rows[0] if rows else None


def note_orphans(reading: Reading, group: Group) -> None:
    """Rows of a complaint that is neither in the files nor in the database."""
    for file, orphans in group.rows.items():
        for at in orphans:
            key = reading.profile.files[file].key_column
            reading.problems.add(file, at.line, key, group.key, Reason.ORPHAN)


def merged(rows: list[Spooled], together: tuple[str, ...]) -> Spooled:
    """One row of many: in each column what most of them say; a tie goes to the longer text.

    together: columns that name one thing, taken from the same row.
    """
    row: dict[str, str] = {}
    for columns in (together, *((c,) for c in rows[0].row if c not in together)):
        said = Counter(tuple(at.row[c] for c in columns) for at in rows)
        best = max(said, key=lambda v: (any(c.strip() for c in v), said[v], len("".join(v)), v))
        row.update(zip(columns, best, strict=True))
    return replace(rows[0], row={column: row[column] for column in rows[0].row})


# ---------------------------------------------------------------- the complaint itself


def dates_of(reading: Reading, group: Group, at: Spooled) -> Dates | None:
    """The dates that agree with each other; None without a date of receipt."""
    fields, problems = reading.profile.complaint.fields, reading.problems
    received = reading.moment(fields["received_on"], at)
    if received is None:
        said = reading.take(fields["received_on"], at.row)
        problems.add(at.file, at.line, column_of(fields["received_on"]), said, Reason.NO_DATE)
        return None
    incident = reading.day(fields.get("incident_on"), at)
    if incident and incident > received.date():
        column = column_of(fields["incident_on"])
        problems.add(at.file, at.line, column, str(incident), Reason.INCIDENT_AFTER)
        incident = None
    return closing(reading, group, at, Dates(received, incident, None, Status.UNDER_ENQUIRY))


def closing(reading: Reading, group: Group, at: Spooled, dates: Dates) -> Dates:
    """When and whether it was closed: by its date, its status, its actions or its findings."""
    fields, problems = reading.profile.complaint.fields, reading.problems
    rule = fields.get("disposed_on")
    column = column_of(rule)
    closed = reading.moment(rule, at) or diary.closed_by_actions(reading, group)
    said_closed = closed is not None or bool(reading.take(rule, at.row)) or decided(reading, group)
    word = reading.mapped(fields.get("status"), at)
    default = Status.CLOSED if said_closed else Status.UNDER_ENQUIRY
    status = Status[word] if word else default
    if closed and status in OPEN:
        problems.add(at.file, at.line, column, str(closed.date()), Reason.STILL_OPEN)
        closed = None
    if closed and closed.date() < dates.received.date():
        problems.add(at.file, at.line, column, str(closed.date()), Reason.CLOSED_FIRST)
        closed = None
    return replace(dates, closed=closed, status=status)


def decided(reading: Reading, group: Group) -> bool:
    """True if the register has no closing dates and every finding of the complaint is made."""
    profile = reading.profile
    rule = profile.allegation.get("finding")
    if profile.pending is None or profile.accused is None or rule is None:
        return False
    found = [plain(reading.take(rule, at.row)) for at in group.of(profile.accused.file)]
    return bool(found) and not profile.pending.intersection(found)


def midnight(on: date) -> datetime:
    """The start of a day in India: the source gives days, not times."""
    return day_range(on, on)[0]


def unit_of(made: Draft) -> tuple[int, int]:
    """(unit, district) of the complaint; an unknown name is noted and gives the unit above it."""
    profile, reading = made.profile, made.reading
    rule, where = profile.complaint_unit, profile.complaint.fields.get("unit")
    text = reading.take(where, made.main.row)
    if rule and rule.known and text:
        code, strange = made.known.directory.find(profile, rule, text)
        code = code or rule.otherwise
        if strange:
            at = made.main
            reading.problems.add(at.file, at.line, column_of(where), strange, Reason.UNKNOWN_UNIT)
    else:
        code = code_of(rule, text)
    top = profile.tree[0]["code"] if profile.tree else rule.otherwise if rule else None
    return made.known.units[code or top or ""]


def complaint_values(made: Draft) -> dict[str, Any]:
    """The complaint row itself."""
    profile, reading, dates, at = made.profile, made.reading, made.dates, made.main
    fields, known = profile.complaint.fields, made.known
    unit_id, district_id = unit_of(made)
    category = reading.mapped(fields.get("category"), at)
    disposition = reading.mapped(fields.get("disposition"), at)
    start = midnight(dates.received.date())
    return {
        "number": f"{profile.number_prefix}{made.group.key}",
        "subject": reading.text(fields.get("subject"), 200, "subject", at),
        "text": reading.text(fields.get("text"), 20_000, "text", at),
        "language": Language[profile.language],
        "category_id": known.categories[category] if category else None,
        "priority": Priority.URGENT if reading.mapped(fields.get("urgent"), at) == "YES" else Priority.ROUTINE,
        "mode_id": known.modes[reading.mapped(fields.get("mode"), at) or "NOTREC"],
        "source_id": known.sources[reading.mapped(fields.get("source"), at) or "NOTREC"],
        "place": reading.text(fields.get("place"), 160, "place", at),
        "incident_on": dates.incident,
        "district_id": district_id,
        "unit_id": unit_id,
        "registered_unit_id": unit_id,
        "status": dates.status,
        "is_open": dates.status in OPEN,
        "received_on": dates.received.date(),
        "registered_at": start,
        "disposed_on": dates.closed.date() if dates.closed else None,
        "disposition_id": known.dispositions[disposition] if disposition else None,
        "disposal_text": reading.text(fields.get("disposal_text"), 4000, "disposal_text", at),
        "restricted": False,
        "copy_settled_at": start,
        "origin": profile.name,
        "origin_key": made.group.key,
    }


def add_clock(made: Draft) -> None:
    """The promise of fifteen days, so that an old open complaint shows as overdue; no other clock runs."""
    said, closed = made.dossier.complaint, made.dates.closed
    facts = Facts(said["mode_id"], said["category_id"], said["priority"], said["district_id"])
    row = made.known.almanac.first(DeadlineKind.OVERALL, facts, said["registered_at"], said["received_on"])
    if closed:
        row["met_at"] = midnight(closed.date())
    elif not said["is_open"]:
        row["dropped_at"] = said["registered_at"]  # closed, and nobody wrote when
    made.dossier.put(Deadline, row)
    said["due_at"] = row["due_at"]


def add_round(made: Draft) -> None:
    """The one round that the register tells of, and how it ended."""
    said, closed = made.dossier.complaint, made.dates.closed
    ended = midnight(closed.date()) if closed else None
    made.dossier.add(
        Round, no=1, why=RoundReason.FIRST, opened_at=said["registered_at"], io_id=said.get("io_id"),
        disposed_at=ended, disposition_id=said["disposition_id"], disposal_text=said["disposal_text"],
        closed_at=ended if said["status"] in ENDS else None,
    )  # fmt: skip


def add_stays(made: Draft) -> None:
    """The desks as far as the register tells: the branch until it was marked, then the head or the IO."""
    said, closed = made.dossier.complaint, made.dates.closed
    start: datetime = said["registered_at"]
    ended = midnight(closed.date()) if closed else start
    marked = [
        a["happened_at"] for a in made.dossier.rows.get(Action, ())
        if a["kind"] is ActionKind.MARKED and start < a["happened_at"]
    ]  # fmt: skip
    desk, officer_id = desk_of(said)
    found = [(desk, start, officer_id)]
    if marked and desk is not Desk.BRANCH and (said["is_open"] or marked[0] < ended):
        found = [(Desk.BRANCH, start, None), (desk, marked[0], officer_id)]
    stays: list[Values] = [
        {"no": no, "desk": desk, "unit_id": said["unit_id"], "officer_id": officer, "from_at": at, "to_at": None}
        for no, (desk, at, officer) in enumerate(found, 1)
    ]
    for before, after in pairwise(stays):
        before["to_at"] = after["from_at"]
    if not said["is_open"]:
        stays[-1]["to_at"] = last = max(ended, stays[-1]["from_at"])
        if owed := OWED.get(said["status"]):
            after = {"no": len(stays) + 1, "desk": owed, "officer_id": None, "from_at": last, "to_at": None}
            stays.append(stays[-1] | after)
    for stay in stays:
        made.dossier.put(Stay, stay)


OWED: Mapping[Status, Desk] = {Status.DISPOSED: Desk.DELIVERY, Status.REPORT_DELIVERED: Desk.FEEDBACK}
"""Who still owes something on a complaint that is disposed and not closed."""


def desk_of(said: Mapping[str, Any]) -> tuple[Desk, int | None]:
    """(desk, officer) where the enquiry lies or lay."""
    if said["status"] is Status.REGISTERED:
        return Desk.BRANCH, None
    io_id = None if said["status"] is Status.MARKED else said.get("io_id")
    return (Desk.IO if io_id else Desk.HEAD), io_id


# ---------------------------------------------------------------- officers


def add_accused(made: Draft) -> None:
    """One link per officer, one allegation per row."""
    section = made.profile.accused
    if section is None:
        return
    links: dict[str, int] = {}
    rows = made.group.of(section.file)
    rows.sort(key=lambda at: allegation_order(made.reading, section, at))
    for no, at in enumerate(rows, 1):
        place = link(made, section, at, links)
        made.dossier.add(Allegation, no=no, accused_id=place, **allegation(made, at))
    if made.profile.restricts:
        bar(made, set(links))


def bar(made: Draft, keys: set[str]) -> None:
    """Hide the complaint from the units of the accused and move it above them, as at the counter."""
    units = {made.known.posted[key] for key in keys if key in made.known.posted}
    for unit_id in sorted(units):
        made.dossier.add(BarredUnit, unit_id=unit_id)
    line = list(made.known.lines.get(made.dossier.complaint["unit_id"], ()))
    while len(line) > 1 and units.intersection(line):
        line.pop()
    made.dossier.complaint["restricted"] = bool(units)
    if units and line:
        made.dossier.complaint["unit_id"] = line[-1]


def link(made: Draft, section: Section, at: Spooled, links: dict[str, int]) -> int | None:
    """The place of the accused of a row in the dossier: an officer, or somebody in words."""
    key = officer_key(made.reading, section, at.row)
    words = "" if key else made.reading.take(section.described, at.row)[:200]
    origin_key = key or (f"described:{plain(words)}"[:80] if words else "")
    if not origin_key:
        made.reading.problems.add(at.file, at.line, naming(section), "", Reason.NOBODY)
    elif origin_key not in links:
        links[origin_key] = made.dossier.add(
            Accused, officer_id=made.known.officers[key] if key else None, described=words,
            restricts=made.profile.restricts and bool(key), origin_key=origin_key,
        )  # fmt: skip
    return links.get(origin_key)


def allegation_order(reading: Reading, section: Section, at: Spooled) -> tuple[Any, ...]:
    """Officer by officer, then the source's own numbering, whatever the order of the file."""
    fields = reading.profile.allegation
    number = reading.take(fields.get("order"), at.row)
    row = reading.take(fields.get("row"), at.row)
    officer = officer_key(reading, section, at.row)
    by_number = int(number) if number.isascii() and number.isdecimal() else 0
    return officer, by_number, number, row.zfill(12), list(at.row.values()), at.line


def allegation(made: Draft, at: Spooled) -> dict[str, Any]:
    """What is alleged, what was found, what followed."""
    reading, fields = made.reading, made.profile.allegation
    finding = reading.mapped(fields.get("finding"), at)
    return {
        "what": reading.text(fields.get("what"), 300, "what", at) or NOT_SAID,
        "finding": Finding[finding] if finding else None,
        "outcome": reading.text(fields.get("outcome"), 120, "outcome", at),
        "origin_key": reading.take(fields.get("row"), at.row)[:80] or None,
    }


def add_investigator(made: Draft) -> None:
    """The last named officer is the investigating officer; a nameless row names nobody."""
    section = made.profile.investigator
    if section is None:
        return
    for at in made.group.of(section.file):
        key = officer_key(made.reading, section, at.row)
        if not key:
            made.reading.problems.add(at.file, at.line, naming(section), "", Reason.NOBODY)
            continue
        officer_id = made.known.officers[key]
        if made.dossier.complaint.get("io_id") == officer_id:
            continue
        made.dossier.complaint["io_id"] = officer_id
        made.dossier.add(
            Assignment, officer_id=officer_id, unit_id=made.dossier.complaint["unit_id"],
            assigned_at=made.dossier.complaint["registered_at"],
        )  # fmt: skip
