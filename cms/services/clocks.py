"""Deadlines as rows: which policy counts, when a clock runs out, what moves a due date.

Only this module writes deadlines and their copy on the complaint. A trigger refuses any other due
date than the one that a :class:`~cms.models.DeadlineChange` carries. (PRODUCT.md, the 15-day clock.)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from cms.i18n import ist_day
from cms.models import (
    Complaint,
    Deadline,
    DeadlineChange,
    DeadlineKind,
    Holiday,
    Policy,
    Priority,
    Request,
)  # fmt: skip
from cms.rules import CLOCKS, Clock, Span, count, day_end, roll
from cms.unit_of_work import Work


class Facts(NamedTuple):
    """What of a complaint decides how long its clocks run."""

    mode_id: int
    category_id: int | None
    priority: Priority
    district_id: int

    @classmethod
    def of(cls, complaint: Complaint) -> Facts:
        """The facts of a complaint."""
        return cls(complaint.mode_id, complaint.category_id, complaint.priority, complaint.district_id)


@dataclass(frozen=True, slots=True)
class Due:
    """A date and how it came about."""

    clock: Clock
    start: datetime
    at: datetime
    rolled: list[dict[str, str]] | None


@dataclass(frozen=True)
class Rulebook:
    """The policies and holidays in force, read once for many complaints."""

    policies: Sequence[Policy] = ()
    holidays: Mapping[date, Sequence[Holiday]] = field(default_factory=dict)
    off: dict[int, dict[date, Holiday]] = field(default_factory=dict, compare=False)
    """District -> its holidays, once asked for: a demo or an import asks for every complaint."""

    def clock(self, kind: DeadlineKind, facts: Facts, on: date) -> Clock:
        """The most specific policy in force on that day, or the department's own figure."""
        fits = [p for p in self.policies if p.kind is kind and in_force(p, on) and matches(p, facts)]
        if not fits:
            return CLOCKS[kind]
        best = max(fits, key=lambda p: (specific(p), p.valid_from, p.id))
        return Clock(best.amount, best.span, CLOCKS[kind].statutory)

    def has(self, kind: DeadlineKind, facts: Facts, on: date) -> bool:
        """True if a policy row says that such a clock runs for these complaints."""
        return any(p.kind is kind and in_force(p, on) and matches(p, facts) for p in self.policies)

    def days_off(self, district_id: int) -> dict[date, Holiday]:
        """Holidays of a district, its own and everybody's."""
        if district_id not in self.off:
            self.off[district_id] = {
                day: row
                for day, rows in self.holidays.items()
                for row in rows
                if row.district_id in (None, district_id)
            }
        return self.off[district_id]

    def due(self, kind: DeadlineKind, facts: Facts, start: datetime) -> Due:
        """When a clock that starts at this moment runs out, and why then."""
        off = self.days_off(facts.district_id)
        clock = self.clock(kind, facts, ist_day(start))
        at, passed = count(start, clock, off)
        return Due(clock, start, at, named(passed, off))

    def rolled(self, day: date, district_id: int) -> tuple[datetime, list[dict[str, str]] | None]:
        """The end of the first day from ``day`` on that is no holiday there."""
        off = self.days_off(district_id)
        at, passed = roll(day, off)
        return at, named(passed, off)


def in_force(policy: Policy, on: date) -> bool:
    """True on the days from valid_from up to, not including, valid_to."""
    return policy.valid_from <= on and (policy.valid_to is None or on < policy.valid_to)


def matches(policy: Policy, facts: Facts) -> bool:
    """True if the policy is about such complaints; an empty column is about all."""
    wanted = (policy.mode_id, policy.category_id, policy.priority)
    return all(w is None or w == has for w, has in zip(wanted, facts, strict=False))


def specific(policy: Policy) -> tuple[int, bool, bool, bool]:
    """How closely a policy is cut: how many columns it fills, category before mode before priority."""
    filled = (policy.category_id is not None, policy.mode_id is not None, policy.priority is not None)
    return (sum(filled), *filled)


def named(passed: Iterable[date], off: Mapping[date, Holiday]) -> list[dict[str, str]] | None:
    """The holidays passed, in both languages, as the derivation keeps them."""
    told = [{"day": d.isoformat(), "en": off[d].name_en, "hi": off[d].name_hi} for d in passed]
    return told or None


def rulebook(session: Session, since: date | None = None) -> Rulebook:
    """The rows that count; holidays from ``since`` on (all if None)."""
    policies = session.scalars(select(Policy)).all()
    query = select(Holiday).where(Holiday.active)
    if since is not None:
        query = query.where(Holiday.day >= since)
    holidays: dict[date, list[Holiday]] = {}
    for row in session.scalars(query):
        holidays.setdefault(row.day, []).append(row)
    return Rulebook(policies, holidays)


def due(session: Session, kind: DeadlineKind, facts: Facts, at: datetime) -> Due:
    """When a clock that starts at this moment runs out. One use case reads the rules of a day once."""
    day, work = ist_day(at), session.info.get("work")
    if work is None:
        return rulebook(session, day).due(kind, facts, at)
    if day not in work.kept:
        work.kept[day] = rulebook(session, day)
    found: Rulebook = work.kept[day]
    return found.due(kind, facts, at)


def start(
    work: Work, complaint: Complaint, kind: DeadlineKind, at: datetime | None = None,
    *, by: date | None = None,
) -> Deadline:  # fmt: skip
    """Start a clock of the present round, now or at a given moment; the overall one is copied.

    by: the last day, where an officer named it (a direction) and no policy counts.
    """
    begun = at or work.now
    until = due(work.session, kind, Facts.of(complaint), begun)
    if by is not None:
        until = Due(Clock((by - ist_day(begun)).days, Span.DAYS), begun, day_end(by), None)
    last = work.session.scalar(
        select(func.max(Deadline.no)).where(
            Deadline.complaint_id == complaint.id, Deadline.round == complaint.round,
            Deadline.kind == kind,
        )
    )  # fmt: skip
    deadline = Deadline(
        complaint_id=complaint.id, round=complaint.round, kind=kind, no=(last or 0) + 1,
        started_on=ist_day(begun), started_at=begun, days=until.clock.amount, span=until.clock.span,
        statutory=until.clock.statutory, rolled=until.rolled, first_due_at=until.at, due_at=until.at,
    )  # fmt: skip
    work.session.add(deadline)
    if kind is DeadlineKind.OVERALL:
        work.session.flush()  # a trigger looks for the deadline behind a new date
        complaint.due_at = until.at
    return deadline


def start_statutory(work: Work, complaint: Complaint, at: datetime) -> None:
    """BNSS 173(3): fourteen days for a preliminary enquiry, where a policy row says so."""
    rules = rulebook(work.session, ist_day(at))
    if rules.has(DeadlineKind.PRELIMINARY, Facts.of(complaint), ist_day(at)):
        start(work, complaint, DeadlineKind.PRELIMINARY, at)


def running(
    session: Session, complaint: Complaint, kinds: Iterable[DeadlineKind]
) -> list[Deadline]:
    """Clocks of these kinds that are neither met nor dropped, oldest first."""
    wanted = list(kinds)
    if not wanted:
        return []
    query = select(Deadline).where(
        Deadline.complaint_id == complaint.id, Deadline.kind.in_(wanted),
        Deadline.met_at.is_(None), Deadline.dropped_at.is_(None),
    )  # fmt: skip
    found = session.scalars(query.order_by(Deadline.id))
    return [d for d in found if d.met_at is None and d.dropped_at is None]  # met and not yet flushed


def meet(work: Work, complaint: Complaint, kinds: Iterable[DeadlineKind]) -> None:
    """What was promised is done."""
    for deadline in running(work.session, complaint, kinds):
        deadline.met_at = work.now


def drop(work: Work, complaint: Complaint, kinds: Iterable[DeadlineKind]) -> None:
    """What was promised matters no more: the complaint went another way."""
    for deadline in running(work.session, complaint, kinds):
        deadline.dropped_at = work.now


def restart(work: Work, complaint: Complaint) -> None:
    """An entry of the diary: its own clock runs anew, and no other."""
    for deadline in running(work.session, complaint, [DeadlineKind.ACTIVITY]):
        until = due(work.session, DeadlineKind.ACTIVITY, Facts.of(complaint), work.now)
        deadline.started_on, deadline.started_at = ist_day(work.now), work.now
        deadline.due_at, deadline.rolled = until.at, until.rolled


def overall(session: Session, complaint: Complaint) -> Deadline:
    """The overall clock of the present round."""
    query = select(Deadline).where(
        Deadline.complaint_id == complaint.id, Deadline.round == complaint.round,
        Deadline.kind == DeadlineKind.OVERALL,
    )  # fmt: skip
    return session.scalars(query).one()


def shift(work: Work, complaint: Complaint, request: Request, day: date) -> None:
    """Move the overall due date to the end of a day (rolled forward), by leave of a request.

    Statutory clocks are never moved. Nothing happens if the date stays the same.
    """
    deadline = overall(work.session, complaint)
    new, _rolled = rulebook(work.session, day).rolled(day, complaint.district_id)
    if new == deadline.due_at:
        return
    change = DeadlineChange(
        deadline_id=deadline.id, no=len(deadline.changes) + 1, old_due_at=deadline.due_at,
        new_due_at=new, request_id=request.id, at=work.now, user_id=work.actor.user_id,
    )  # fmt: skip
    work.session.add(change)
    work.session.flush()  # the trigger wants the change before the date
    deadline.due_at = new
    work.session.flush()
    complaint.due_at = new
    work.session.expire(deadline, ["changes"])

