"""What could not be taken over, with its reason in plain words; nothing is dropped silently."""

from __future__ import annotations

import csv
from collections import Counter
from dataclasses import dataclass, field
from enum import Enum
from typing import IO, Any

HEAD = ("file", "line", "column", "value", "reason")
FIRST_OF_EACH = 3


class Reason(Enum):
    """Why a value was held back or a row was left out."""

    CLOSED_FIRST = "Closed before it was received; the closing date was held back."
    INCIDENT_AFTER = "The incident is dated after the complaint; the date was held back."
    NOT_A_DATE = "Not a date in the form that the profile expects; it was held back."
    YEAR = "A year before 1900 or after today; the date was held back."
    NO_DATE = "No usable date of receipt: the complaint was left out."
    NO_KEY = "The row does not say which complaint it belongs to; it was left out."
    CELLS = "The row has more or fewer cells than the header; it was left out."
    REPEATED = "Another row already describes this complaint; this one was left out."
    ORPHAN = "No complaint of this number is in the files; the row was left out."
    NOBODY = "The row names no officer; nobody was recorded."
    UNKNOWN = "The profile does not know this value; it was taken as not recorded."
    LONG = "Too long for its field; the end was cut off."
    NUMBER = "The number is too long or already taken; the complaint was left out."


@dataclass(frozen=True, slots=True)
class Problem:
    """One place in one file."""

    file: str
    line: int
    column: str
    value: str
    reason: Reason


@dataclass
class Problems:
    """Counts of all, the first few of each reason, and all of them in the errors file if one is wanted."""

    out: IO[str] | None = None
    counts: Counter[Reason] = field(default_factory=Counter)
    first: list[Problem] = field(default_factory=list)
    writer: Any = None

    def __post_init__(self) -> None:
        if self.out is not None:
            self.writer = csv.writer(self.out)
            self.writer.writerow(HEAD)

    def add(self, file: str, line: int, column: str, value: str, reason: Reason) -> None:
        """Note one problem."""
        self.counts[reason] += 1
        problem = Problem(file, line, column, value[:200], reason)
        if self.counts[reason] <= FIRST_OF_EACH:
            self.first.append(problem)
        if self.writer is not None:
            shown = "'" + problem.value if problem.value[:1] in tuple("=+-@\t\r") else problem.value
            self.writer.writerow((file, line, column, shown, reason.value))
