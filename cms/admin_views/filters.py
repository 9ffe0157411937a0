"""Filters of the grids: one per declared column, keyed by the column's name.

Built on Flask-Admin's filter classes (``_filters`` and ``_filter_args`` hold them), with three
additions: SQL that depends on the value only through :meth:`GridFilter.token`, so that a list's
statement can be kept; options fetched per viewer and never at start; an address key that is the
column's name, so that saved links outlive languages and releases.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from flask_admin.contrib.sqla.filters import BaseSQLAFilter
from sqlalchemy import (
    ColumnElement,
    Interval,
    Select,
    String,
    True_,
    and_,
    bindparam,
    func,
    literal_column,
    select,
    true,
)  # fmt: skip
from sqlalchemy.orm import aliased

from cms.admin_views.compile import Field, Kind
from cms.admin_views.fields import FEW, Lookup, Option
from cms.admin_views.memory import SMALL, forget, fresh, keep, kept, names, read, remembered, tree
from cms.authz import REGISTRY
from cms.columns import Instant
from cms.i18n import _, _l, day_range, ist_day, language
from cms.models import Complaint, Unit
from cms.models import Kind as UnitKind
from cms.rules import OPEN, Post, Viewer
from cms.tables.orders import SHORT_CLOCK
from cms.unit_of_work import utcnow

SOON_DAYS = 3
Bound = Mapping[str, Any]


class GridFilter(BaseSQLAFilter):
    """A filter of one column; ``arg`` is its key in the address."""

    control = "text"

    def __init__(self, column: Any, label: Any, arg: str, read: str | None = None) -> None:
        super().__init__(column, label)
        self.arg = arg
        self.read = read

    def operation(self) -> Any:
        """Flask-Admin's word for what the filter does."""
        return _l("is")

    def clean(self, value: str) -> Any:
        """The value as Python has it. ValueError if it is none of this filter's."""
        if not value.strip() or len(value) > 120:
            raise ValueError(value)
        return value.strip()

    def token(self, value: Any) -> Any:
        """What of the value changes the SQL itself."""
        return ""

    def condition(self, token: Any) -> ColumnElement[bool]:
        """The condition, with binds named after ``arg``."""
        raise NotImplementedError

    def parts(self, token: Any, key: str, falling: bool) -> Sequence[ColumnElement[bool]]:
        """Conditions of which every row of the filter fulfils one, each a shorter walk of PostgreSQL's
        index in the order of ``key``; nothing where one walk is short enough."""
        return ()

    def params(self, value: Any, now: datetime) -> Bound:
        """Values of the binds."""
        return {self.arg: value}

    def apply(self, query: Any, value: Any, alias: Any = None) -> Any:
        """Flask-Admin's own way in: the condition with its values."""
        said = self.params(value, utcnow())
        return query.where(self.condition(self.token(value)).params(**said))

    def choices(self, viewer: Viewer) -> list[tuple[str, str]] | None:
        """(value, words) to choose from; None if it is typed."""
        return None

    def words(self, value: Any, viewer: Viewer) -> str | None:
        """What the chosen value is called; None if it names nothing this viewer may know."""
        known = self.choices(viewer)
        raw = self.raw(value)
        return raw if known is None else dict(known).get(raw)

    def raw(self, value: Any) -> str:
        """The value as the address has it."""
        return str(value)


class OneOf(GridFilter):
    """One member of a Choice, by name."""

    control = "select"

    def __init__(self, f: Field, column: Any) -> None:
        super().__init__(column, f.ui.label, f.key, f.ui.read)
        self.members: Any = f.choices

    def clean(self, value: str) -> Any:
        if value not in self.members.__members__:
            raise ValueError(value)
        return self.members[value]

    def condition(self, token: Any) -> ColumnElement[bool]:
        return sql(self.column == bindparam(self.arg, type_=self.column.type))

    def choices(self, viewer: Viewer) -> list[tuple[str, str]]:
        return [(m.name, str(m.label)) for m in self.members]

    def raw(self, value: Any) -> str:
        return str(value.name)


class StatusIs(OneOf):
    """A complaint's status; says as well whether it is open, which the partial indexes know."""

    def token(self, value: Any) -> Any:
        return value in OPEN

    def condition(self, token: Any) -> ColumnElement[bool]:
        return and_(super().condition(token), Complaint.is_open if token else ~Complaint.is_open)


class Flag(GridFilter):
    """Yes, no or, where possible, not asked."""

    control = "select"

    def __init__(self, f: Field, column: Any) -> None:
        super().__init__(column, f.ui.label, f.key, f.ui.read)
        self.nullable = f.nullable

    def clean(self, value: str) -> Any:
        if value not in dict(self.choices(None)):
            raise ValueError(value)
        return value

    def token(self, value: Any) -> Any:
        return value

    def condition(self, token: Any) -> ColumnElement[bool]:
        return sql({"yes": self.column, "no": ~self.column}.get(token, self.column.is_(None)))

    def params(self, value: Any, now: datetime) -> Bound:
        return {}

    def choices(self, viewer: Viewer | None) -> list[tuple[str, str]]:
        asked = [("yes", _("Yes")), ("no", _("No"))]
        return [*asked, ("none", _("Not asked yet"))] if self.nullable else asked


class Holds(GridFilter):
    """A text that holds another; three characters at least."""

    def operation(self) -> Any:
        return _l("contains")

    def clean(self, value: str) -> Any:
        text = super().clean(value)
        if len(text) < 3:
            raise ValueError(value)
        return text

    def condition(self, token: Any) -> ColumnElement[bool]:
        return func.lower(self.column).like(bindparam(self.arg), escape="\\")

    def params(self, value: Any, now: datetime) -> Bound:
        safe = value.lower().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        return {self.arg: f"%{safe}%"}


class Exactly(GridFilter):
    """A whole number."""

    control = "number"

    def clean(self, value: str) -> Any:
        if not value.lstrip("-").isdecimal() or len(value) > 9:
            raise ValueError(value)
        return int(value)

    def condition(self, token: Any) -> ColumnElement[bool]:
        return sql(self.column == bindparam(self.arg, type_=self.column.type))


class DayFilter(GridFilter):
    """From or to a day of India's calendar, both inclusive."""

    control = "date"

    def __init__(self, f: Field, column: Any, end: bool, label: Any = None) -> None:
        self.end = end
        self.moment = f.kind is Kind.MOMENT
        said = label or (_l("to") if end else _l("from"))
        super().__init__(column, said, f"{f.key}_{'to' if end else 'from'}", f.ui.read)
        self.about = None if label else f.ui.label

    def operation(self) -> Any:
        return _l("to") if self.end else _l("from")

    def clean(self, value: str) -> Any:
        day = date.fromisoformat(value.strip())
        if not 1900 <= day.year <= 2200:
            raise ValueError(value)
        return day

    def condition(self, token: Any) -> ColumnElement[bool]:
        at = bindparam(self.arg, type_=self.column.type)
        if not self.end:
            return sql(self.column >= at)
        return sql(self.column < at if self.moment else self.column <= at)

    def params(self, value: Any, now: datetime) -> Bound:
        if not self.moment:
            return {self.arg: value}
        start, after = day_range(value, value)
        return {self.arg: after if self.end else start}


class LinkIs(GridFilter):
    """A link to one row: a select of the visible rows, or a look-up beyond sixty."""

    control = "select"

    def __init__(self, f: Field, column: Any) -> None:
        super().__init__(column, f.ui.label, f.key, f.ui.read)
        self.target: Any = f.target

    def clean(self, value: str) -> Any:
        if not value.isdecimal() or len(value) > 18:
            raise ValueError(value)
        return int(value)

    def condition(self, token: Any) -> ColumnElement[bool]:
        return sql(self.column == bindparam(self.arg, type_=self.column.type))

    def kept_as(self, viewer: Viewer) -> Any:
        """The key under which this reader's choices are remembered."""
        return (self.target, self.arg, language(), viewer.reach)

    def choices(self, viewer: Viewer) -> list[tuple[str, str]] | None:
        found: Any = kept(self.kept_as(viewer), self.few, viewer)
        return None if found is None else list(found)

    def few(self, viewer: Viewer) -> list[tuple[str, str]] | None:
        """The rows, if they are few."""
        if self.target in SMALL and isinstance(REGISTRY[self.target](viewer), True_):
            found: list[Option] | None = remembered().offered(self.target, language())
        else:
            found = Lookup(self.target, viewer).few()
        return None if found is None or len(found) > FEW else [(str(i), name) for i, name in found]

    def part(self, viewer: Viewer) -> Select[Any]:
        """The choices of a longer list, shaped like :func:`short_list`; one more than is offered."""
        query, entity = Lookup(self.target, viewer).query(language())
        if hasattr(self.target, "active"):
            query = query.where(entity.active)
        row_id, name = query.limit(literal_column(str(FEW + 1))).subquery().c
        nothing = literal_column("''", String())
        return select(literal_column(f"'{self.arg}'", String()), row_id, name, name, nothing, nothing, true())

    def words(self, value: Any, viewer: Viewer) -> str | None:
        known = self.choices(viewer)
        if known is not None and (name := dict(known).get(str(value))):
            return name
        found: str | None = kept(("name", value, *self.kept_as(viewer)), Lookup(self.target, viewer).name, value)
        return found


class UnitWithin(LinkIs):
    """A unit and everything below it, offered from the viewer's part of the tree."""

    def __init__(self, f: Field, column: Any, kinds: tuple[UnitKind, ...] | None = None) -> None:
        super().__init__(f, column)
        self.kinds = kinds

    def condition(self, token: Any) -> ColumnElement[bool]:
        unit = aliased(Unit)
        low: Any = bindparam(f"{self.arg}_low")
        high: Any = bindparam(f"{self.arg}_high")
        return sql(self.column.in_(select(unit.id).where(and_(unit.path >= low, unit.path < high))))

    def params(self, value: Any, now: datetime) -> Bound:
        path = tree().get(value, ("", "", "", None))[0]
        return {f"{self.arg}_low": path, f"{self.arg}_high": path[:-1] + "0"}

    def few(self, viewer: Viewer) -> list[tuple[str, str]] | None:
        paths = tuple(seat.path for seat in viewer.seats)
        hindi = language() == "hi"
        units = [
            (str(i), hi if hindi else en)
            for i, (path, en, hi, kind) in tree().items()
            if path.startswith(paths) and (self.kinds is None or kind in self.kinds)
        ]
        return units if len(units) <= FEW else None

    def words(self, value: Any, viewer: Viewer) -> str | None:
        unit = tree().get(value)
        return None if unit is None else unit[2 if language() == "hi" else 1]


class Clock(GridFilter):
    """Where a complaint stands on its clock."""

    control = "select"
    WORDS = {
        "overdue": _l("Overdue"), "soon": _l("Due in 3 days"), "open": _l("Open"),
        "unassigned": _l("Not yet assigned"), "closed": _l("Closed"), "all": _l("All"),
    }  # fmt: skip

    def __init__(self) -> None:
        super().__init__(Complaint.due_at, _l("Clock"), "clock")

    def clean(self, value: str) -> Any:
        if value not in self.WORDS:
            raise ValueError(value)
        return value

    def token(self, value: Any) -> Any:
        return value

    def condition(self, token: Any) -> ColumnElement[bool]:
        # As a sub-select it says as little to the planner at the first run as at the hundredth: else
        # PostgreSQL, seeing how many are overdue, plans such a list anew at each run.
        now: Any = select(bindparam("now", type_=Instant())).scalar_subquery()
        until: Any = bindparam("until", type_=Instant())
        conditions: dict[Any, Any] = {
            "overdue": Complaint.overdue(now),
            "soon": and_(Complaint.is_open, Complaint.due_at >= now, Complaint.due_at < until),
            "open": and_(Complaint.is_open),
            "unassigned": and_(Complaint.is_open, Complaint.io_id.is_(None)),
            "closed": ~Complaint.is_open,
            "all": true(),
        }
        return sql(conditions[token])

    def parts(self, token: Any, key: str, falling: bool) -> Sequence[ColumnElement[bool]]:
        if (token, key, falling) != ("overdue", "registered_at", True):
            return ()
        since: Any = bindparam("since", type_=Instant())
        days = literal_column(f"interval '{SHORT_CLOCK.days} days'", Interval())
        short = Complaint.due_at < sql(Complaint.registered_at + days)
        return sql(Complaint.registered_at < since), and_(Complaint.registered_at >= since, short)

    def params(self, value: Any, now: datetime) -> Bound:
        if value == "overdue":
            return {"now": now, "since": now - SHORT_CLOCK}
        last = ist_day(now) + timedelta(days=SOON_DAYS)
        return {"now": now, "until": day_range(last, last)[1]} if value == "soon" else {}

    def choices(self, viewer: Viewer) -> list[tuple[str, str]]:
        keys: Iterable[str] = ("closed",) if sees_disposed_only(viewer) else self.WORDS
        return [(key, str(self.WORDS[key])) for key in keys]

    def words(self, value: Any, viewer: Viewer) -> str:
        return str(self.WORDS[value])


def sql(condition: Any) -> ColumnElement[bool]:
    """The condition, of which Flask-Admin's types say nothing."""
    return condition  # type: ignore[no-any-return]


def sees_disposed_only(viewer: Viewer) -> bool:
    """True of the feedback cell: no list of open complaints can hold anything for it."""
    return bool(viewer.seats) and all(seat.post is Post.FEEDBACK for seat in viewer.seats)


def filter_of(model: type[Any], f: Field) -> list[GridFilter]:
    """The filters a declared field brings by itself."""
    if f.ui.search or "filter" in f.ui.hide:
        return []
    column = model.__table__.c[f.column.key] if f.kind is Kind.LINK else getattr(model, f.key)
    if f.kind in (Kind.DAY, Kind.MOMENT):
        return [DayFilter(f, column, False), DayFilter(f, column, True)]
    if f.kind is Kind.LINK:
        return [UnitWithin(f, column) if f.target is Unit else LinkIs(f, column)]
    made: Any = {Kind.CHOICE: OneOf, Kind.FLAG: Flag}.get(f.kind)
    if made is not None:
        return [made(f, column)]
    if f.kind is Kind.LONG:
        return []
    return [{Kind.NUMBER: Exactly}.get(f.kind, Holds)(column, f.ui.label, f.key, f.ui.read)]


def warm(viewer: Viewer, offered: Iterable[GridFilter]) -> None:
    """Read whatever the filters offer and is remembered no more, all of it in one statement."""
    links = [f for f in offered if isinstance(f, LinkIs) and f.target not in SMALL]
    wanted = {f.arg: f for f in links if fresh(f.kept_as(viewer)) is None}
    if wanted or fresh("registry") is None:
        few: dict[str, list[tuple[str, str]]] = {arg: [] for arg in wanted}
        keep("registry", read([f.part(viewer) for f in wanted.values()], few))
        for arg, options in few.items():
            keep(wanted[arg].kept_as(viewer), options if len(options) <= FEW else None)


__all__ = ["SMALL", "GridFilter", "filter_of", "forget", "kept", "names", "tree", "warm"]
