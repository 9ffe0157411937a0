"""Whose time it was, desk by desk, and every clock of a complaint with what moved it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from cms.admin_views.ledgers import Ledgers, People
from cms.i18n import _, show_day, show_moment
from cms.models import Complaint, Deadline, DeadlineChange, Desk, Span, Stay
from cms.services import stays

BAR = 300
"""Width of a bar's drawing; it stretches with the card."""


@dataclass(frozen=True, slots=True)
class Part:
    """A desk's piece of the bar, in the drawing's units."""

    desk: Desk
    x: int
    width: int


@dataclass(frozen=True, slots=True)
class Line:
    """How long one desk had the complaint; lasting: it has it still."""

    desk: Desk
    place: str
    spent: str
    lasting: bool


@dataclass(frozen=True, slots=True)
class Whose:
    """The bar, its legend, the sum, and how long the complaint was closed before a later round."""

    parts: list[Part]
    lines: list[Line]
    total: str
    closed: str = ""


def whose(rows: Sequence[Stay], now: datetime) -> Whose | None:
    """Time per desk, of stays in their order. None where no stay is written, as in an old register."""
    found = stays.shares(rows, now)
    if not found:
        return None
    lines = [
        Line(share.desk, " · ".join(filter(None, [share.unit.name, str(share.officer or "")])), long(share.spent),
             share.now)
        for share in found if share.spent or share.now
    ]  # fmt: skip
    total = sum((share.spent for share in found), timedelta())
    closed = (rows[-1].to_at or now) - rows[0].from_at - total
    return Whose(bar(rows, now), lines, long(total), long(closed) if closed else "")


def bar(rows: Sequence[Stay], now: datetime) -> list[Part]:
    """The stays one after the other, each as wide as it was long; what is left out is nobody's time."""
    spans = [((row.to_at or now) - row.from_at).total_seconds() for row in rows]
    total = sum(spans) or 1.0
    parts, at = [], 0.0
    for row, seconds in zip(rows, spans, strict=True):
        left, right = round(BAR * at / total), round(BAR * (at + seconds) / total)
        if right > left:
            parts.append(Part(row.desk, left, right - left))
        at += seconds
    return parts


def long(span: timedelta) -> str:
    """3 d 04:12:09, to the second, so that the lines add up."""
    seconds = int(span.total_seconds())
    clock = f"{seconds % 86_400 // 3600:02}:{seconds % 3600 // 60:02}:{seconds % 60:02}"
    days = seconds // 86_400
    return str(_("%(days)s d %(clock)s", days=days, clock=clock)) if days else clock


# ---------------------------------------------------------------- clocks


@dataclass(frozen=True, slots=True)
class Moved:
    """That a due date was moved: when, from and to which day, for what reason, by whom."""

    at: datetime
    said: str
    reasons: str
    who: str


@dataclass(frozen=True, slots=True)
class Row:
    """One clock: state is met, late, running, overdue or dropped; said is that in words."""

    deadline: Deadline
    state: str
    said: str
    due: str
    why: str
    moved: list[Moved] = field(default_factory=list)


def clock_rows(complaint: Complaint, found: Ledgers, who: People, now: datetime) -> list[tuple[int, list[Row]]]:
    """Every clock, by round, the present round first; the overall one leads each."""
    changes: dict[int, list[DeadlineChange]] = {}
    for change in found.changes:
        changes.setdefault(change.deadline_id, []).append(change)
    rounds: dict[int, list[Row]] = {}
    for deadline in sorted(complaint.deadlines, key=lambda d: (-d.round, d.kind.value, d.no)):
        row = clock_row(deadline, changes.get(deadline.id, ()), who, now)
        rounds.setdefault(deadline.round, []).append(row)
    return list(rounds.items())


def clock_row(deadline: Deadline, changes: Iterable[DeadlineChange], who: People, now: datetime) -> Row:
    """One clock in words."""
    state, said = state_of(deadline, now)
    hours = deadline.span is Span.HOURS

    def show(value: date | datetime) -> str:
        return show_moment(value) if hours and isinstance(value, datetime) else show_day(value)

    return Row(deadline, state, said, show(deadline.due_at), deadline.derivation(show),
               [moved(change, who) for change in changes])  # fmt: skip


def state_of(deadline: Deadline, now: datetime) -> tuple[str, str]:
    """Where a clock stands, and in words."""
    if deadline.met_at is not None:
        day = show_day(deadline.met_at)
        if deadline.met_at <= deadline.due_at:
            return "met", str(_("kept on %(day)s", day=day))
        return "late", str(_("kept late, on %(day)s", day=day))
    if deadline.dropped_at is not None:
        return "dropped", str(_("no longer counts since %(day)s", day=show_day(deadline.dropped_at)))
    return ("overdue", str(_("overdue"))) if deadline.due_at < now else ("running", str(_("running")))


def moved(change: DeadlineChange, who: People) -> Moved:
    """A change with its reason and by whose leave."""
    asked = change.request
    said = _("%(what)s: from %(old)s to %(new)s", what=asked.kind, old=show_day(change.old_due_at),
             new=show_day(change.new_due_at))  # fmt: skip
    leave = who.said(asked.decided_by_id, change.at) or who.user(change.user_id, change.at)
    return Moved(change.at, said, asked.reasons, leave)
