"""Due dates for many complaints at once: the rules are read once, each day is computed once.

The bulk doors of importer and demo lean on it; a single complaint goes through ``services.clocks``.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from cms.i18n import ist_day
from cms.models import DeadlineKind
from cms.rules import Clock, Span
from cms.services.clocks import Facts, Rulebook, rulebook

Found = tuple[Clock, datetime, list[dict[str, str]] | None]


class Almanac:
    """Answers of a :class:`~cms.services.clocks.Rulebook`, kept by day."""

    def __init__(self, rules: Rulebook) -> None:
        self.rules = rules
        self.by_facts = {
            p.kind for p in rules.policies
            if p.mode_id is not None or p.category_id is not None or p.priority is not None
        }  # fmt: skip
        """Clocks whose length depends on the complaint; the others depend on the day alone."""
        self.local = any(row.district_id is not None for rows in rules.holidays.values() for row in rows)
        self.found: dict[Any, Found] = {}
        self.ends: dict[tuple[date, int | None], datetime] = {}

    @classmethod
    def read(cls, session: Session) -> Almanac:
        """The rules in force, as rows that outlive the session."""
        rules = rulebook(session)
        for row in (*rules.policies, *(h for found in rules.holidays.values() for h in found)):
            session.expunge(row)
        return cls(rules)

    def due(self, kind: DeadlineKind, facts: Facts, start: datetime, day: date | None = None) -> Found:
        """(length, due moment, holidays passed) of a clock that starts then; ``day``: its day in India."""
        on = day or ist_day(start)
        special = facts if kind in self.by_facts else None
        key = (kind, special, facts.district_id if self.local else None, on)
        known = self.found.get(key)
        if known is None:
            due = self.rules.due(kind, facts, start)
            known = self.found[key] = (due.clock, due.at, due.rolled)
        if known[0].span is Span.HOURS:
            return known[0], start + timedelta(hours=known[0].amount), None
        return known

    def rolled(self, day: date, district_id: int) -> datetime:
        """The end of the first day from ``day`` on that is no holiday there."""
        key = (day, district_id if self.local else None)
        if key not in self.ends:
            self.ends[key] = self.rules.rolled(day, district_id)[0]
        return self.ends[key]

    def first(self, kind: DeadlineKind, facts: Facts, start: datetime, day: date | None = None) -> dict[str, Any]:
        """The row of a deadline as ``clocks.start`` writes it, without complaint, round and number."""
        on = day or ist_day(start)
        clock, at, rolled = self.due(kind, facts, start, on)
        return {
            "kind": kind, "started_on": on, "started_at": start, "days": clock.amount, "span": clock.span,
            "statutory": clock.statutory, "rolled": rolled, "first_due_at": at, "due_at": at,
            "met_at": None, "dropped_at": None,
        }  # fmt: skip


DEPARTMENT = Almanac(Rulebook())
"""The department's own figures, for a dry run on an empty database."""
