"""From cells to values: empty markers, joined columns, value maps, dates."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, datetime
from functools import lru_cache

from cms.i18n import IST
from cms.services.importing.problems import Problems, Reason
from cms.services.importing.profile import Field, Profile, UnitRule
from cms.services.importing.spool import Spooled

CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\u200b\ufeff]")
WHOLE = re.compile(r"(\d+)\.0+")


def cleaned(profile: Profile, cell: str) -> str:
    """The cell without stray characters; '' if it is one of the profile's empty markers."""
    text = CONTROL.sub("", cell.replace("\u00a0", " ")).strip()
    return "" if text.casefold() in profile.empty else text


def take(profile: Profile, field: Field | None, row: dict[str, str]) -> str:
    """The text of a field, before any value map; '' if the row does not say."""
    while field is not None:
        text = one_way(profile, field, row)
        if text:
            return text
        field = field.instead
    return ""


def one_way(profile: Profile, field: Field, row: dict[str, str]) -> str:
    """The text by one way of a field."""
    if field.constant is not None:
        return field.constant
    if field.requires and not cleaned(profile, row[field.requires]):
        return ""
    parts = []
    for place, column in enumerate(field.columns):
        text = cleaned(profile, row[column])
        if field.whole and (number := WHOLE.fullmatch(text)):
            text = number[1]
        if field.split:
            text = field.join.join(p.strip() for p in text.split(field.split) if p.strip())
        if text:
            parts.append(f"{field.labels[place]}: {text}" if field.labels else text)
    return field.join.join(parts)


def mapped(
    profile: Profile, field: Field | None, at: Spooled, problems: Problems
) -> str | None:
    """The value of a field through its map; an unknown one is noted and gives ``otherwise``."""
    if field is None:
        return None
    text = take(profile, field, at.row)
    if not text:
        return field.otherwise
    if field.value_map is None:
        return text
    table = profile.maps[field.value_map]
    if text.casefold() in table:
        return table[text.casefold()]
    problems.add(at.file, at.line, " ".join(field.columns), text, Reason.UNKNOWN)
    return field.otherwise


@lru_cache(maxsize=50_000)
def parse_day(text: str, forms: tuple[str, ...]) -> date | None:
    """The day in the first form that fits, or None."""
    for form in forms:
        try:
            return datetime.strptime(text, form).replace(tzinfo=IST).date()
        except ValueError:
            continue
    return None


def day(
    profile: Profile, name: str, at: Spooled, today: date, problems: Problems
) -> date | None:
    """A date of the complaint; an impossible one is noted and held back."""
    field = profile.complaint.fields.get(name)
    text = take(profile, field, at.row)
    if field is None or not text:
        return None
    found = parse_day(text, profile.dates)
    if found is not None and profile.first_year <= found.year and found <= today:
        return found
    reason = Reason.NOT_A_DATE if found is None else Reason.YEAR
    problems.add(at.file, at.line, " ".join(field.columns), text, reason)
    return None


def fit(text: str, limit: int, column: str, at: Spooled, problems: Problems) -> str:
    """Text cut to the room it has; a cut is noted."""
    if len(text) > limit:
        problems.add(at.file, at.line, column, text, Reason.LONG)
    return text[:limit]


def unit_code(rule: UnitRule | None, text: str) -> tuple[str | None, str]:
    """(code, what the name is made of) of the unit that a value names."""
    if rule is None:
        return None, ""
    found = rule.match.fullmatch(text)
    if found is None:
        return rule.otherwise, ""
    value = found[1] if found.groups() else text
    return rule.code.format(value), value


def joined(parts: Iterable[str | None], by: str = "; ") -> str:
    """The parts that say something, in one text."""
    return by.join(p for p in parts if p)
