"""What could not be taken over, with its reason in plain words; nothing is dropped silently."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import Enum

FIRST_OF_EACH = 3


class Reason(Enum):
    """Why a value was held back or a row was left out, or what somebody should look at."""

    CLOSED_FIRST = "Closed before it was received; the closing date was held back."
    STILL_OPEN = "It has a closing date and is called open; the closing date was held back."
    INCIDENT_AFTER = "The incident is dated after the complaint; the date was held back."
    ACTION_BEFORE = "The action is dated before the complaint; it stands in the diary as it is."
    NOT_A_DATE = "Not a date in the form that the profile expects; it was held back."
    YEAR = "A year before the first_year of the profile (1900 if it names none) or a day after today; it was held back."
    NO_DATE = "No usable date of receipt: the complaint was left out."
    NO_ACTION_DATE = "No usable date of the action; it was left out."
    NO_KEY = "The row does not say which complaint it belongs to; it was left out."
    CELLS = "The row has more or fewer cells than the header; it was left out."
    REPEATED = "Another row already describes this complaint; this one was left out."
    SAME_ROW = "The same row is there once more; this one was left out."
    ORPHAN = "No complaint of this number is in the files; the row was left out."
    NOBODY = "The row names no officer; nobody was recorded."
    UNKNOWN = "The profile does not know this value; it was taken as not recorded."
    UNKNOWN_UNIT = "No unit of this name or code is known there; the unit above was taken."
    UNKNOWN_OFFICER = "The list of officers does not have this key; an officer without a name was recorded."
    PHONE = "Not a telephone number; it was held back."
    LONG = "Too long for its field; the end was cut off."
    FONT = "Looks like Hindi typed in an old font (such as Kruti Dev), not Unicode; it was taken as it stands."
    BADGE = "Several officers carry this belt number; it was recorded and not used to tell them apart."
    NUMBER = "The number is too long or already taken; the complaint was left out."
    TOUCHED = "The complaint was worked on here since; the register's change was not taken."


ALONG = "Nothing is wrong here, but the complaint was left out for another row: give both again."
ALONG_TOO = "The complaint was left out for another row: give both again."
LEAVES_OUT = frozenset({Reason.NO_DATE.value, Reason.NUMBER.value})
"""Reasons in a row for which the whole complaint is left out."""


def together(reasons: Iterable[str]) -> str:
    """What an errors file says of a row: its own reasons, and another row's only if none of them is the cause."""
    said = list(dict.fromkeys(reasons))
    own = [reason for reason in said if reason != ALONG]
    if own == said or LEAVES_OUT.intersection(own):
        return " ".join(own)
    return " ".join([*own, ALONG_TOO]) if own else ALONG


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
    """Counts of all, the first few of each reason; ``keep`` is told of every one."""

    keep: Callable[[str, int, str, str], object] | None = None
    counts: Counter[Reason] = field(default_factory=Counter)
    first: list[Problem] = field(default_factory=list)

    def add(self, file: str, line: int, column: str, value: str, reason: Reason) -> None:
        """Note one problem."""
        self.counts[reason] += 1
        if self.counts[reason] <= FIRST_OF_EACH:
            self.first.append(Problem(file, line, column, value[:200], reason))
        if self.keep is not None and line:
            self.keep(file, line, column, reason.value)

    def along(self, file: str, line: int) -> None:
        """Keep a sound row beside the one that is to be mended."""
        if self.keep is not None:
            self.keep(file, line, "", ALONG)
