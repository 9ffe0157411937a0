"""Days and moments as registers write them: each form is a name or a pattern of ``strptime``.

Names: ``iso`` (year first, any tail), ``day-first``, ``month-first`` (any of / - . between),
``excel`` (serial number), ``bikram-sambat`` (2082-02-08, or ८ जेठ २०८२ with or without a time).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from unicodedata import normalize
from zoneinfo import ZoneInfo

DIGITS = str.maketrans("०१२३४५६७८९", "0123456789")
CLOCK = r"(?:,?[T\s]+(?P<h>\d{1,2}):(?P<mi>\d{2})(?::(?P<s>\d{2})(?:\.\d+)?)?\s*(?P<half>[AaPp][Mm])?)?"
TAIL = r"\s*(?:Z|UTC|[+-]\d{2}:?(?:\d{2})?)?"
YEAR_FIRST = re.compile(r"(?P<y>\d{4})[-/.](?P<m>\d{1,2})[-/.](?P<d>\d{1,2})" + CLOCK + TAIL)
DAY_FIRST = re.compile(r"(?P<d>\d{1,2})[-/.](?P<m>\d{1,2})[-/.](?P<y>\d{4})" + CLOCK + TAIL)
MONTH_FIRST = re.compile(r"(?P<m>\d{1,2})[-/.](?P<d>\d{1,2})[-/.](?P<y>\d{4})" + CLOCK + TAIL)
SERIAL = re.compile(r"\d{1,6}(?:\.\d+)?")
SPOKEN = re.compile(
    r"(?P<d>\d{1,2})\s+(?P<name>[^\W\d]\S*)\s+(?P<y>\d{4})(?:,?\s*\S*?)?"
    r"(?:\s*\(?(?P<h>\d{1,2}):(?P<mi>\d{2})(?::(?P<s>\d{2}))?\s*(?P<half>[AaPp][Mm])\)?)?"
)
EXCEL_ZERO = datetime(1899, 12, 30)  # noqa: DTZ001 (a wall clock; the zone comes later)

BS_FIRST, BS_EPOCH = 2070, date(2013, 4, 14)
"""1 Baishakh 2070."""

BS_MONTHS = (
    "बैशाख वैशाख", "जेठ जेष्ठ ज्येष्ठ", "असार आषाढ", "साउन श्रावण", "भदौ भाद्र", "असोज आश्विन",
    "कार्तिक कात्तिक", "मंसिर मङ्सिर", "पुष पुस पौष", "माघ", "फागुन फाल्गुन", "चैत चैत्र",
)  # fmt: skip
BS_LENGTHS: tuple[str, ...] = (
    "31 31 31 32 31 31 29 30 30 29 30 30", "31 31 32 31 31 31 30 29 30 29 30 30",
    "31 32 31 32 31 30 30 29 30 29 30 30", "31 32 31 32 31 30 30 30 29 29 30 31",
    "31 31 31 32 31 31 30 29 30 29 30 30", "31 31 32 31 31 31 30 29 30 29 30 30",
    "31 32 31 32 31 30 30 30 29 29 30 30", "31 32 31 32 31 30 30 30 29 30 29 31",
    "31 31 31 32 31 31 30 29 30 29 30 30", "31 31 32 31 31 31 30 29 30 29 30 30",
    "31 32 31 32 31 30 30 30 29 29 30 30", "31 32 31 32 31 30 30 30 29 30 29 31",
    "31 31 32 31 31 31 30 29 30 29 30 30",
)
"""Days of the months of 2070 to 2082: announced year by year, so no rule gives those to come."""

NEPALI = {name: no for no, names in enumerate(BS_MONTHS, 1) for name in names.split()}


def bikram_sambat(year: int, month: int, day: int) -> date:
    """The Gregorian day. ValueError outside 2070 to 2082 or for a day that the month lacks."""
    place = year - BS_FIRST
    if not (0 <= place < len(BS_LENGTHS) and 1 <= month <= 12):
        raise ValueError(f"no calendar of {year}")
    lengths = [[int(n) for n in line.split()] for line in BS_LENGTHS[: place + 1]]
    if not 1 <= day <= lengths[place][month - 1]:
        raise ValueError(f"no {day} in that month")
    days = sum(map(sum, lengths[:place])) + sum(lengths[place][: month - 1]) + day - 1
    return BS_EPOCH + timedelta(days=days)


def clock(found: re.Match[str]) -> time:
    """The time of day of a match; midnight if it names none."""
    said = found.groupdict()
    if said.get("h") is None:
        return time()
    hour = int(said["h"])
    if half := (said.get("half") or "").casefold():
        hour = hour % 12 + (12 if half == "pm" else 0)
    return time(hour, int(said["mi"]), int(said.get("s") or 0))


def by(pattern: re.Pattern[str]) -> Callable[[str], datetime]:
    """A reader of one order of year, month and day."""

    def read(text: str) -> datetime:
        found = pattern.fullmatch(text)
        if found is None:
            raise ValueError(text)
        return datetime.combine(date(int(found["y"]), int(found["m"]), int(found["d"])), clock(found))

    return read


def excel(text: str) -> datetime:
    """The day that a spreadsheet keeps as a number; 60 and below fall on its leap-year error."""
    if not SERIAL.fullmatch(text) or not 60 < float(text) < 300_000:
        raise ValueError(text)
    return EXCEL_ZERO + timedelta(seconds=round(float(text) * 86_400))


def nepali(text: str) -> datetime:
    """A day of the Bikram Sambat, in figures or with the month's name."""
    if found := YEAR_FIRST.fullmatch(text):
        month = int(found["m"])
    else:
        found = SPOKEN.fullmatch(text)
        month = NEPALI.get(normalize("NFC", found["name"]), 0) if found else 0
    if not found or not month:
        raise ValueError(text)
    return datetime.combine(bikram_sambat(int(found["y"]), month, int(found["d"])), clock(found))


NAMED: Mapping[str, Callable[[str], datetime]] = {
    "iso": by(YEAR_FIRST), "day-first": by(DAY_FIRST), "month-first": by(MONTH_FIRST),
    "excel": excel, "bikram-sambat": nepali,
}  # fmt: skip


def check_form(form: str) -> str:
    """The form, if it can be used. ValueError for one that nobody knows."""
    if form not in NAMED and "%" not in form:
        raise ValueError(f"unknown form of dates {form!r}; known are {', '.join(NAMED)} and %-patterns")
    return form


@lru_cache(maxsize=50_000)
def parse(text: str, forms: tuple[str, ...], zone: str) -> datetime | None:
    """The moment by the first form that fits, on the clocks of ``zone``; None if none does."""
    plain = text.translate(DIGITS)
    for form in forms:
        try:
            found = NAMED[form](plain) if form in NAMED else datetime.strptime(plain, form)  # noqa: DTZ007
            return found.replace(tzinfo=ZoneInfo(zone))
        except (ValueError, OverflowError):
            continue
    return None
