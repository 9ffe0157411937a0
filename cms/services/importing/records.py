"""From the rows of one complaint to its dossier for the bulk door."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from cms.i18n import day_range
from cms.models import (
    Accused,
    Action,
    ActionKind,
    Allegation,
    Assignment,
    Deadline,
    DeadlineKind,
    Language,
    Priority,
)  # fmt: skip
from cms.rules import CLOCK_DAYS, Finding, Status, due_at
from cms.services.bulk import Dossier
from cms.services.importing.problems import Problems, Reason
from cms.services.importing.profile import Field, Profile, Section
from cms.services.importing.spool import Group, Spooled
from cms.services.importing.values import day, fit, mapped, take, unit_code

NOT_SAID = "-"
"""Stands for an allegation that the source counts and does not describe."""


@dataclass(frozen=True, slots=True)
class Known:
    """Ids of the rows that complaints point at, by code or key."""

    modes: Mapping[str, int]
    sources: Mapping[str, int]
    categories: Mapping[str, int]
    units: Mapping[str, tuple[int, int]]  # code -> (id, district)
    officers: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Dates:
    """The days of a complaint that can be believed."""

    received: date
    incident: date | None
    closed: date | None
    is_closed: bool


def officer_key(profile: Profile, section: Section, row: dict[str, str]) -> str:
    """The natural key of the officer in a row, or '' if it names nobody."""
    text = take(profile, section.key, row)
    return (section.prefix + text)[:80] if text else ""


def naming(section: Section) -> str:
    """The column that should have named the officer."""
    return (section.key.requires or section.key.columns[0]) if section.key else ""


def dossier(
    profile: Profile, group: Group, known: Known, today: date, problems: Problems
) -> Dossier | None:
    """The complaint with its rows, or None if it cannot be taken over (noted)."""
    main = main_row(profile, group, problems)
    dates = dates_of(profile, main, today, problems) if main else None
    if main is None or dates is None:
        return None
    made = Dossier(complaint_values(profile, group.key, main, dates, known, problems))
    add_clock(made, dates)
    add_accused(profile, made, group, known, problems)
    add_investigator(profile, made, group, known, problems)
    add_diary(profile, made, main, dates)
    return made


def main_row(profile: Profile, group: Group, problems: Problems) -> Spooled | None:
    """The row that describes the complaint; orphans and repetitions are noted."""
    rows = group.of(profile.complaint.file)
    for extra in rows[1:]:
        key = profile.files[extra.file].key
        problems.add(extra.file, extra.line, key, group.key, Reason.REPEATED)
    if rows:
        return rows[0]
    for file, orphans in group.rows.items():
        for orphan in orphans:
            problems.add(file, orphan.line, profile.files[file].key, group.key, Reason.ORPHAN)
    return None


def dates_of(profile: Profile, at: Spooled, today: date, problems: Problems) -> Dates | None:
    """The dates that agree with each other; None without a date of receipt."""
    received = day(profile, "received_on", at, today, problems)
    columns = {n: " ".join(f.columns) for n, f in profile.complaint.fields.items()}
    if received is None:
        said = take(profile, profile.complaint.fields["received_on"], at.row)
        problems.add(at.file, at.line, columns["received_on"], said, Reason.NO_DATE)
        return None
    incident = day(profile, "incident_on", at, today, problems)
    if incident and incident > received:
        problems.add(at.file, at.line, columns["incident_on"], str(incident), Reason.INCIDENT_AFTER)
        incident = None
    closed = day(profile, "disposed_on", at, today, problems)
    if closed and closed < received:
        problems.add(at.file, at.line, columns["disposed_on"], str(closed), Reason.CLOSED_FIRST)
        closed = None
    is_closed = bool(take(profile, profile.complaint.fields.get("disposed_on"), at.row))
    return Dates(received, incident, closed, is_closed)


def midnight(on: date) -> datetime:
    """The start of a day in India: the source gives days, not times."""
    return day_range(on, on)[0]


def complaint_values(
    profile: Profile, key: str, at: Spooled, dates: Dates, known: Known, problems: Problems
) -> dict[str, Any]:
    """The complaint row itself."""
    fields = profile.complaint.fields
    unit = unit_code(profile.complaint_unit, take(profile, fields.get("unit"), at.row))[0]
    unit_id, district_id = known.units[unit or profile.tree[0]["code"]]
    category = mapped(profile, fields.get("category"), at, problems)
    return {
        "number": f"{profile.number_prefix}{key}",
        "subject": optional(profile, fields, "subject", 200, at, problems),
        "language": Language[profile.language],
        "category_id": known.categories[category] if category else None,
        "priority": Priority.ROUTINE,
        "mode_id": known.modes[mapped(profile, fields.get("mode"), at, problems) or "NOTREC"],
        "source_id": known.sources[mapped(profile, fields.get("source"), at, problems) or "NOTREC"],
        "place": optional(profile, fields, "place", 160, at, problems),
        "incident_on": dates.incident,
        "district_id": district_id,
        "unit_id": unit_id,
        "registered_unit_id": unit_id,
        "status": Status.CLOSED if dates.is_closed else Status.UNDER_ENQUIRY,
        "is_open": not dates.is_closed,
        "due_at": due_at(dates.received),
        "received_on": dates.received,
        "registered_at": midnight(dates.received),
        "disposed_on": dates.closed,
        "restricted": False,
        "copy_settled_at": midnight(dates.received),
        "origin": profile.name,
        "origin_key": key,
    }


def optional(
    profile: Profile, fields: Mapping[str, Field], name: str, limit: int, at: Spooled,
    problems: Problems,
) -> str | None:  # fmt: skip
    """A text that may be absent."""
    text = mapped(profile, fields.get(name), at, problems)
    return fit(text, limit, name, at, problems) if text else None


def add_clock(made: Dossier, dates: Dates) -> None:
    """The promise of fifteen days, so that an old open complaint shows as overdue."""
    made.add(
        Deadline, kind=DeadlineKind.OVERALL, started_on=dates.received, days=CLOCK_DAYS,
        due_at=due_at(dates.received), met_at=midnight(dates.closed) if dates.closed else None,
    )  # fmt: skip


def add_accused(
    profile: Profile, made: Dossier, group: Group, known: Known, problems: Problems
) -> None:
    """One link per officer, one allegation per row."""
    section = profile.accused
    if section is None:
        return
    links: dict[str, int] = {}
    rows = group.of(section.file)
    rows.sort(key=lambda at: allegation_order(profile, section, at))
    for no, at in enumerate(rows, 1):
        key = officer_key(profile, section, at.row)
        place = None
        if key and key not in links:
            links[key] = made.add(
                Accused, officer_id=known.officers[key], restricts=profile.restricts, origin_key=key
            )
        elif not key:
            problems.add(at.file, at.line, naming(section), "", Reason.NOBODY)
        place = links.get(key)
        made.add(Allegation, no=no, accused_id=place, **allegation(profile, at, problems))


def allegation_order(profile: Profile, section: Section, at: Spooled) -> tuple[Any, ...]:
    """Officer by officer, then the source's own numbering, whatever the order of the file."""
    number = take(profile, profile.allegation.get("order"), at.row)
    row = take(profile, profile.allegation.get("row"), at.row)
    officer = officer_key(profile, section, at.row)
    return officer, int(number) if number.isdecimal() else 0, number, row.zfill(12), at.line


def allegation(profile: Profile, at: Spooled, problems: Problems) -> dict[str, Any]:
    """What is alleged, what was found, what followed."""
    fields = profile.allegation
    finding = mapped(profile, fields.get("finding"), at, problems)
    return {
        "what": optional(profile, fields, "what", 300, at, problems) or NOT_SAID,
        "finding": Finding[finding] if finding else None,
        "outcome": optional(profile, fields, "outcome", 120, at, problems),
        "origin_key": take(profile, fields.get("row"), at.row)[:80] or None,
    }


def add_investigator(
    profile: Profile, made: Dossier, group: Group, known: Known, problems: Problems
) -> None:
    """The last named officer is the investigating officer; a nameless row names nobody."""
    section = profile.investigator
    if section is None:
        return
    for at in group.of(section.file):
        key = officer_key(profile, section, at.row)
        if not key:
            problems.add(at.file, at.line, naming(section), "", Reason.NOBODY)
            continue
        made.complaint["io_id"] = known.officers[key]
        made.add(
            Assignment, officer_id=known.officers[key], unit_id=made.complaint["unit_id"],
            assigned_at=made.complaint["registered_at"],
        )  # fmt: skip


def add_diary(profile: Profile, made: Dossier, at: Spooled, dates: Dates) -> None:
    """What the old register says besides, and its closing."""
    note = take(profile, profile.complaint.fields.get("note"), at.row)
    start = midnight(dates.received)
    diary = [(ActionKind.IMPORTED, start, note, "received")]
    if dates.closed:
        diary.append((ActionKind.DISPOSED, midnight(dates.closed), "", "closed"))
    for kind, when, text, key in diary:
        made.add(Action, kind=kind, happened_at=when, logged_at=when, note=text, origin_key=key)

