"""The rules of the police station as tables and pure functions: no session, no Flask.

Sources: ``PRODUCT.md`` of the project (life, clock, ladder, fairness); the figures are the
department's own and are kept here until they become rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import Enum
from typing import Any

from stdnum import damm

from cms.columns import Choice
from cms.i18n import _l, day_range, ist_day


class RuleBroken(Exception):
    """A refusal: a sentence an officer can act on, translated at the edge.

    message: an English message id with %(name)s places; params fill them.
    """

    def __init__(self, message: Any, **params: Any) -> None:
        super().__init__(str(message))
        self.message = message
        self.params = params


class NotFound(Exception):
    """The row does not exist for this viewer: foreign and missing look alike (404)."""


class Conflict(Exception):
    """Somebody saved the row after this viewer opened it; theirs and ours are both shown (409)."""

    def __init__(self, row: Any, seen_version: int) -> None:
        super().__init__(f"{type(row).__name__} changed since version {seen_version}")
        self.row = row
        self.seen_version = seen_version


class Post(Choice):
    """What an officer is posted as; authority comes from it and from nothing else."""

    IO = _l("Investigating officer")
    SHO = _l("Station House Officer")
    DSP = _l("Deputy Superintendent (sub-division)")
    SP = _l("Superintendent (district)")
    ADGP = _l("ADGP / IGP (range)")
    BRANCH = _l("Complaint branch")
    FEEDBACK = _l("Feedback cell")
    AUDIT = _l("Auditor")


class Role(Choice):
    """What an account is for. An administrator has no officer record and sees no complaint."""

    OFFICER = _l("Officer")
    ADMIN = _l("System administrator")


class Status(Choice):
    """Where a complaint stands; moved by use cases only."""

    REGISTERED = _l("Registered")
    MARKED = _l("Marked to station")
    ASSIGNED = _l("Assigned to IO")
    UNDER_ENQUIRY = _l("Under enquiry")
    DISPOSED = _l("Disposed")
    REPORT_DELIVERED = _l("Report delivered")
    CLOSED = _l("Closed")


OPEN = frozenset({Status.REGISTERED, Status.MARKED, Status.ASSIGNED, Status.UNDER_ENQUIRY})
DISPOSED = frozenset({Status.DISPOSED, Status.REPORT_DELIVERED, Status.CLOSED})


class Move(Choice):
    """A named step in the life of a complaint."""

    MARK = _l("Mark to station")
    ASSIGN = _l("Assign IO")
    ACT = _l("Add action")
    DISPOSE = _l("Dispose")
    DELIVER = _l("Deliver report")
    FEEDBACK = _l("Record feedback")


SUPERIORS = (Post.SHO, Post.DSP, Post.SP, Post.ADGP)
"""Posts of command, junior first."""

MOVES: Mapping[Move, tuple[frozenset[Status], Status | None]] = {
    Move.MARK: (frozenset({Status.REGISTERED, Status.MARKED}), Status.MARKED),
    Move.ASSIGN: (
        frozenset({Status.REGISTERED, Status.MARKED, Status.ASSIGNED, Status.UNDER_ENQUIRY}),
        Status.ASSIGNED,
    ),
    Move.ACT: (frozenset({Status.ASSIGNED, Status.UNDER_ENQUIRY}), Status.UNDER_ENQUIRY),
    Move.DISPOSE: (frozenset({Status.UNDER_ENQUIRY}), Status.DISPOSED),
    Move.DELIVER: (frozenset({Status.DISPOSED}), Status.REPORT_DELIVERED),
    Move.FEEDBACK: (frozenset({Status.DISPOSED, Status.REPORT_DELIVERED}), Status.CLOSED),
}
"""Move -> (statuses it starts from, status it leads to)."""

CLOCK_DAYS = 15
"""Calendar days from receipt to the end of the overall clock (the launch order of the CMS)."""


class Rung(Choice):
    """A step of the reminder ladder on the overall clock."""

    BEFORE = _l("Due in two days")
    TODAY = _l("Due today")
    LATE = _l("Three days overdue")


RUNGS: Mapping[Rung, tuple[int, tuple[Post, ...]]] = {
    Rung.BEFORE: (-2, (Post.IO,)),
    Rung.TODAY: (0, (Post.IO,)),
    Rung.LATE: (3, (Post.SHO,)),
}
"""Rung -> (days from the due day on which it fires, posts it is for)."""

RUNG_GRACE = timedelta(days=3)
"""A rung missed for longer than this (system down, old import) is not fired late."""


def check_move(move: Move, status: Status) -> Status:
    """The status a move leads to. RuleBroken if it cannot start from here."""
    allowed, target = MOVES[move]
    if status not in allowed:
        raise RuleBroken(
            _l("“%(move)s” is not possible while the complaint is “%(status)s”."),
            move=move.label,
            status=status.label,
        )
    return target or status


def receipt_day(received_on: date, registered_at: datetime) -> date:
    """The day the clock starts. RuleBroken if the complaint was received after registration."""
    today = ist_day(registered_at)
    if received_on > today:
        raise RuleBroken(_l("The date of receipt cannot be after today."))
    return received_on


def due_at(received_on: date, days: int = CLOCK_DAYS) -> datetime:
    """The last second, in India, of the day that is ``days`` calendar days after receipt."""
    last = received_on + timedelta(days=days)
    return day_range(last, last)[1] - timedelta(seconds=1)


def rung_day(due: datetime, rung: Rung) -> date:
    """The day in India on which a rung of this clock fires."""
    return ist_day(due) + timedelta(days=RUNGS[rung][0])


def clock_day(received_on: date, on: date) -> int:
    """Which day of the clock ``on`` is: the day of receipt is day 0."""
    return (on - received_on).days


def complaint_number(district: str, year: int, serial: int) -> str:
    """HSR-2026-000123-7; the last digit is Damm's check over the year's and serial's digits."""
    digits = f"{year:04d}{serial:06d}"
    return f"{district}-{year:04d}-{serial:06d}-{damm.calc_check_digit(digits)}"


def is_complaint_number(text: str) -> bool:
    """True if the text has the shape of a number and its check digit is right."""
    parts = text.strip().upper().split("-")
    if len(parts) != 4 or not all(p.isascii() and p.isdigit() for p in parts[1:]):
        return False
    return 1 <= len(parts[0]) <= 8 and bool(damm.is_valid("".join(parts[1:])))


@dataclass(frozen=True, slots=True)
class Seat:
    """One posting in force: a post at a unit, with the unit's place in today's tree."""

    post: Post
    unit_id: int
    path: str

    @property
    def line(self) -> tuple[int, ...]:
        """Ids of the unit and of every unit above it, top first."""
        return tuple(int(part) for part in self.path.strip("/").split("/") if part)


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks or acts: an account with the seats its officer holds now."""

    user_id: int | None
    officer_id: int | None
    name: str
    seats: tuple[Seat, ...] = ()
    role: Role = Role.OFFICER
    language: str = "en"
    session_id: int | None = None
    name_hi: str = ""

    def called(self, language: str) -> str:
        """The name in a language; history and documents keep ``name``."""
        return (self.name_hi if language == "hi" else "") or self.name

    def at(self, *posts: Post) -> tuple[Seat, ...]:
        """The seats that are one of these posts."""
        return tuple(seat for seat in self.seats if seat.post in posts)


SYSTEM = Viewer(None, None, "system")
"""The clock, the sweeps and the command line; ``authz`` lets it see every row."""


class Finding(Choice):
    """What the enquiry found on one allegation."""

    SUBSTANTIATED = _l("Substantiated")
    PARTLY = _l("Partly substantiated")
    NOT_SUBSTANTIATED = _l("Not substantiated")
    EXONERATED = _l("Exonerated")
    UNDECIDED = _l("No finding recorded")


def names(of: type[Enum]) -> tuple[str, ...]:
    """The member names of an enum, in order."""
    return tuple(of.__members__)
