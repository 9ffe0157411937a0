"""The rules of the police station as tables and pure functions: no session, no Flask.

Sources: ``PRODUCT.md`` of the project (life, clock, ladder, fairness); the figures are the
department's own and are kept here until they become rows.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
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
    """Where a complaint stands; moved by use cases only. A re-opened one is MARKED in a new round."""

    REGISTERED = _l("Registered")
    MARKED = _l("Marked to station")
    ASSIGNED = _l("Assigned to IO")
    UNDER_ENQUIRY = _l("Under enquiry")
    ON_HOLD = _l("On hold")
    REPORT_SUBMITTED = _l("Report submitted")
    RETURNED = _l("Report returned")
    WITH_APPROVER = _l("With approving officer")
    DISPOSED = _l("Disposed")
    REPORT_DELIVERED = _l("Report delivered")
    FEEDBACK = _l("Feedback being taken")
    CLOSED = _l("Closed")
    APPEALED = _l("Appeal pending")
    TRANSFERRED_OUT = _l("Sent to another department")
    MERGED = _l("Merged with another complaint")
    WITHDRAWN = _l("Withdrawn")


OPEN = frozenset({
    Status.REGISTERED, Status.MARKED, Status.ASSIGNED, Status.UNDER_ENQUIRY, Status.ON_HOLD,
    Status.REPORT_SUBMITTED, Status.RETURNED, Status.WITH_APPROVER,
})  # fmt: skip
"""The overall clock of the round is not yet met."""
DISPOSED = frozenset({
    Status.DISPOSED, Status.REPORT_DELIVERED, Status.FEEDBACK, Status.CLOSED, Status.APPEALED,
})  # fmt: skip
ENDS = frozenset({Status.CLOSED, Status.TRANSFERRED_OUT, Status.MERGED, Status.WITHDRAWN})
"""Nobody owes this complaint anything; CLOSED alone can be re-opened or appealed."""


class Desk(Choice):
    """Whose time it is. Every second between registration and closing belongs to one desk."""

    BRANCH = _l("Complaint branch")
    HEAD = _l("Head of the unit")
    IO = _l("Investigating officer")
    APPROVER = _l("Approving officer")
    RECEIVER = _l("Unit asked to take it over")
    DELIVERY = _l("Delivery of the report")
    FEEDBACK = _l("Feedback cell")
    AUTHORITY = _l("Appellate authority")


class DeadlineKind(Choice):
    """What must be done by then."""

    OVERALL = _l("Action on the complaint")
    ASSIGN = _l("Naming the IO")
    FIRST_CONTACT = _l("First contact with the complainant")
    ACTIVITY = _l("Next entry in the diary")
    APPROVE = _l("Decision on the report")
    ACCEPT = _l("Answer to the transfer")
    COMPLY = _l("Compliance with a direction")
    DELIVER = _l("Delivery of the report")
    FEEDBACK = _l("Asking the complainant")
    APPEAL_WINDOW = _l("Last day for an appeal")
    APPEAL = _l("Decision on the appeal")
    PRELIMINARY = _l("Preliminary enquiry, BNSS 173(3)")
    PROGRESS = _l("Progress told to the informant, BNSS 193(3)")


class Span(Choice):
    """How a deadline is counted."""

    DAYS = _l("Calendar days")
    WORKING_DAYS = _l("Working days")
    HOURS = _l("Hours")


@dataclass(frozen=True, slots=True)
class Clock:
    """A promise of so many days or hours. ``statutory``: no hold and no extension moves it."""

    amount: int
    span: Span
    statutory: bool = False


CLOCKS: Mapping[DeadlineKind, Clock] = {
    DeadlineKind.OVERALL: Clock(15, Span.DAYS),
    DeadlineKind.ASSIGN: Clock(24, Span.HOURS),
    DeadlineKind.FIRST_CONTACT: Clock(3, Span.DAYS),
    DeadlineKind.ACTIVITY: Clock(5, Span.DAYS),
    DeadlineKind.APPROVE: Clock(2, Span.DAYS),
    DeadlineKind.ACCEPT: Clock(48, Span.HOURS),
    DeadlineKind.COMPLY: Clock(3, Span.DAYS),
    DeadlineKind.DELIVER: Clock(2, Span.DAYS),
    DeadlineKind.FEEDBACK: Clock(7, Span.DAYS),
    DeadlineKind.APPEAL_WINDOW: Clock(30, Span.DAYS),
    DeadlineKind.APPEAL: Clock(30, Span.DAYS),
    DeadlineKind.PRELIMINARY: Clock(14, Span.DAYS, statutory=True),
    DeadlineKind.PROGRESS: Clock(90, Span.DAYS, statutory=True),
}
"""The department's figures where no policy row says otherwise. Sources: the launch order (15 days);
BNSS 173(3) (14 days), BNSS 193(3)(ii) (90 days); the rest are the department's own."""

CLOCK_DAYS = CLOCKS[DeadlineKind.OVERALL].amount
"""Calendar days from receipt to the end of the overall clock (the launch order of the CMS)."""

ENQUIRY_CLOCKS = (
    DeadlineKind.OVERALL, DeadlineKind.ASSIGN, DeadlineKind.FIRST_CONTACT, DeadlineKind.ACTIVITY,
    DeadlineKind.APPROVE, DeadlineKind.ACCEPT, DeadlineKind.COMPLY, DeadlineKind.PRELIMINARY,
)  # fmt: skip
"""Clocks of the enquiry itself: none runs on once the complaint is disposed or taken out."""


class Priority(Choice):
    """How soon the station must look at it."""

    ROUTINE = _l("Routine")
    URGENT = _l("Urgent")


class Move(Choice):
    """A named step in the life of a complaint."""

    MARK = _l("Mark to station")
    ASSIGN = _l("Assign IO")
    ACT = _l("Add action")
    DIRECT = _l("Give a direction")
    COMPLY = _l("Report compliance")
    ASK_HOLD = _l("Ask for a hold")
    HOLD = _l("Decide on the hold")
    RESUME = _l("Resume the enquiry")
    ASK_EXTENSION = _l("Ask for more time")
    EXTEND = _l("Decide on more time")
    REPORT = _l("Submit the report")
    RETURN = _l("Return the report")
    FORWARD = _l("Forward the report")
    DISPOSE = _l("Approve and dispose")
    DELIVER = _l("Deliver report")
    ATTEMPT = _l("Record an attempt to reach")
    FEEDBACK = _l("Record feedback")
    INFORM = _l("Tell the progress")
    TRANSFER = _l("Transfer")
    ACCEPT = _l("Take it over")
    DECLINE = _l("Decline the transfer")
    REFER = _l("Send to another department")
    MERGE = _l("Merge")
    WITHDRAW = _l("Close as withdrawn")
    REOPEN = _l("Re-open")
    APPEAL = _l("Enter an appeal")
    HAND_OVER = _l("Hand over")
    BACK = _l("Back to the head of the unit")
    DISMISS = _l("Dismiss the appeal")
    ALLOW = _l("Allow the appeal")


SUPERIORS = (Post.SHO, Post.DSP, Post.SP, Post.ADGP)
"""Posts of command, junior first."""


@dataclass(frozen=True, slots=True)
class Step:
    """One row of the table of moves.

    starts: from which statuses. to: the status it leads to (None: unchanged). needs: the
    permission in ``authz``. desk: whose time begins (None: unchanged, or
    nobody's at an end). begins, meets, drops: clocks that start, are kept, or matter no more.
    """

    starts: frozenset[Status]
    to: Status | None
    needs: str
    desk: Desk | None = None
    begins: tuple[DeadlineKind, ...] = ()
    meets: tuple[DeadlineKind, ...] = ()
    drops: tuple[DeadlineKind, ...] = ()


def _at(*statuses: Status) -> frozenset[Status]:
    return frozenset(statuses)


S, K = Status, DeadlineKind
UNMARKED = _at(S.REGISTERED, S.MARKED)
WORKED = _at(S.ASSIGNED, S.UNDER_ENQUIRY, S.RETURNED)
LYING = _at(S.REPORT_SUBMITTED, S.WITH_APPROVER)

MOVES: Mapping[Move, Step] = {
    Move.MARK: Step(UNMARKED, S.MARKED, "mark", Desk.HEAD),
    Move.ASSIGN: Step(UNMARKED | WORKED, S.ASSIGNED, "assign", Desk.IO,
                      (K.FIRST_CONTACT, K.ACTIVITY), (K.ASSIGN,), (K.FIRST_CONTACT, K.ACTIVITY)),
    Move.ACT: Step(WORKED, S.UNDER_ENQUIRY, "act", Desk.IO),
    Move.DIRECT: Step(OPEN, None, "direct", begins=(K.COMPLY,)),
    Move.COMPLY: Step(OPEN, None, "comply"),
    Move.ASK_HOLD: Step(_at(S.UNDER_ENQUIRY), None, "ask"),
    Move.HOLD: Step(_at(S.UNDER_ENQUIRY), S.ON_HOLD, "hold"),
    Move.RESUME: Step(_at(S.ON_HOLD), S.UNDER_ENQUIRY, "resume"),
    Move.ASK_EXTENSION: Step(WORKED, None, "ask"),
    Move.EXTEND: Step(OPEN, None, "extend"),
    Move.REPORT: Step(_at(S.UNDER_ENQUIRY, S.RETURNED), S.REPORT_SUBMITTED, "report", Desk.APPROVER,
                      (K.APPROVE,), (K.ACTIVITY,), (K.FIRST_CONTACT,)),
    Move.RETURN: Step(LYING, S.RETURNED, "decide", Desk.IO, (K.ACTIVITY,), (K.APPROVE,)),
    Move.FORWARD: Step(LYING, S.WITH_APPROVER, "decide", Desk.APPROVER, (K.APPROVE,), (K.APPROVE,)),
    Move.DISPOSE: Step(LYING, S.DISPOSED, "dispose", Desk.DELIVERY, (K.DELIVER, K.FEEDBACK),
                       (K.OVERALL, K.APPROVE), ENQUIRY_CLOCKS),
    Move.DELIVER: Step(_at(S.DISPOSED), S.REPORT_DELIVERED, "deliver", Desk.FEEDBACK,
                       (K.APPEAL_WINDOW,), (K.DELIVER,)),
    Move.ATTEMPT: Step(_at(S.REPORT_DELIVERED, S.FEEDBACK), S.FEEDBACK, "feedback", Desk.FEEDBACK),
    Move.FEEDBACK: Step(_at(S.DISPOSED, S.REPORT_DELIVERED, S.FEEDBACK), S.CLOSED, "feedback",
                        meets=(K.FEEDBACK,)),
    Move.INFORM: Step(DISPOSED, None, "inform", meets=(K.PROGRESS,)),
    Move.TRANSFER: Step(UNMARKED | WORKED, None, "transfer", Desk.RECEIVER, (K.ACCEPT,)),
    Move.ACCEPT: Step(UNMARKED | WORKED, S.MARKED, "accept", Desk.HEAD, meets=(K.ACCEPT,)),
    Move.DECLINE: Step(UNMARKED | WORKED, S.MARKED, "accept", Desk.HEAD, meets=(K.ACCEPT,)),
    Move.REFER: Step(UNMARKED | WORKED, S.TRANSFERRED_OUT, "refer", meets=(K.OVERALL,), drops=ENQUIRY_CLOCKS),
    Move.MERGE: Step(UNMARKED | WORKED, S.MERGED, "merge", meets=(K.OVERALL,), drops=ENQUIRY_CLOCKS),
    Move.WITHDRAW: Step(OPEN - _at(S.ON_HOLD), S.WITHDRAWN, "withdraw", meets=(K.OVERALL,), drops=ENQUIRY_CLOCKS),
    Move.REOPEN: Step(DISPOSED - _at(S.APPEALED), S.MARKED, "reopen", Desk.HEAD,
                      (K.OVERALL, K.ASSIGN), (), (K.DELIVER, K.FEEDBACK, K.APPEAL_WINDOW)),
    Move.APPEAL: Step(_at(S.REPORT_DELIVERED, S.FEEDBACK, S.CLOSED), S.APPEALED, "appeal", Desk.AUTHORITY,
                      (K.APPEAL,), (K.APPEAL_WINDOW,), (K.FEEDBACK,)),
    Move.HAND_OVER: Step(OPEN, None, "people"),
    Move.BACK: Step(WORKED, S.MARKED, "people", Desk.HEAD, (K.ASSIGN,), (), (K.FIRST_CONTACT, K.ACTIVITY)),
    Move.DISMISS: Step(_at(S.APPEALED), S.CLOSED, "hear", meets=(K.APPEAL,)),
    Move.ALLOW: Step(_at(S.APPEALED), S.MARKED, "hear", Desk.HEAD, (K.OVERALL, K.ASSIGN), (K.APPEAL,)),
}  # fmt: skip
"""The life of a complaint: every move, from where, to where, by which permission, which clocks."""

UNOFFERED = frozenset({Move.HAND_OVER, Move.BACK})
"""Moves that follow from a change of postings: no button takes them."""
DURING_TRANSFER = frozenset({
    Move.ACCEPT, Move.DECLINE, Move.DIRECT, Move.COMPLY, Move.REFER, Move.MERGE, Move.WITHDRAW,
    *UNOFFERED,
})  # fmt: skip
"""What may happen while another unit is asked to take the complaint over."""
BY_MOVE: Mapping[str, Move] = {"DUP": Move.MERGE, "WDN": Move.WITHDRAW, "TRF": Move.REFER}
"""Dispositions that a move of its own records; no report may propose them."""
APPROVED_BY = Post.SHO
"""The post that approves where no approval rule says otherwise."""
WITH_CONSENT = frozenset({"COMP"})
"""Dispositions that need the complainant's own confirmation."""
HOLD_DAYS = 7
"""Longest hold that may be asked for at once."""
EXTENSION_DAYS = 15
"""Most calendar days of one extension."""
EXTENSIONS: tuple[Post, ...] = (Post.SP, Post.ADGP)
"""The post (or one above it) that grants the first and the second extension of a round."""
ATTEMPTS = 3
"""Attempts on as many different days, before a complainant counts as not reached."""


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
    step = MOVES[move]
    if status not in step.starts:
        raise RuleBroken(
            _l("“%(move)s” is not possible while the complaint is “%(status)s”."),
            move=move.label,
            status=status.label,
        )
    return step.to or status


def receipt_day(received_on: date, registered_at: datetime) -> date:
    """The day the clock starts. RuleBroken if the complaint was received after registration."""
    today = ist_day(registered_at)
    if received_on > today:
        raise RuleBroken(_l("The date of receipt cannot be after today."))
    return received_on


def due_at(received_on: date, days: int = CLOCK_DAYS) -> datetime:
    """The last second, in India, of the day that is ``days`` calendar days after receipt."""
    return day_end(received_on + timedelta(days=days))


def day_end(day: date) -> datetime:
    """The last second, in India, of a day."""
    return day_range(day, day)[1] - timedelta(seconds=1)


WEEKLY_OFF = frozenset({5, 6})
"""Saturday and Sunday: no working days of an office. A calendar clock counts them all."""


def count(start: datetime, clock: Clock, holidays: Collection[date]) -> tuple[datetime, list[date]]:
    """When a clock that starts then runs out, and the holidays that carried its last day forward.

    Day 0 is the day of the start. Hours run on through nights and holidays. A day's clock ends with
    the last second of its day in India; a last day that is a holiday rolls forward.
    """
    if clock.span is Span.HOURS:
        return start + timedelta(hours=clock.amount), []
    day, left = ist_day(start), clock.amount
    if clock.span is Span.DAYS:
        return roll(day + timedelta(days=left), holidays)
    while left:
        day += timedelta(days=1)
        left -= day.weekday() not in WEEKLY_OFF and day not in holidays
    return day_end(day), []


def roll(day: date, holidays: Collection[date]) -> tuple[datetime, list[date]]:
    """The end of the first day from ``day`` on that is no holiday, and the holidays passed."""
    passed = []
    while day in holidays:
        passed.append(day)
        day += timedelta(days=1)
    return day_end(day), passed


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
    reach: str = field(init=False, repr=False, compare=False)
    """Role, officer and seats as one text: whatever depends on what a viewer may see is kept under it."""

    def __post_init__(self) -> None:
        seats = ",".join(f"{seat.post.name}:{seat.path}" for seat in self.seats)
        object.__setattr__(self, "reach", f"{self.role.name} {self.officer_id} {seats}")

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
