"""Tabs and counts of a grid: one capped UNION for all of them, asked apart from the rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from flask import g
from flask.typing import ResponseReturnValue
from flask_admin import expose
from sqlalchemy import ColumnElement, Select, false, func, literal_column, select, union, union_all

from cms.admin_views.asking import Asked, Asking
from cms.admin_views.scoping import Scope, scope
from cms.authz import Book
from cms.database import Kept
from cms.i18n import group_digits
from cms.rules import Viewer
from cms.unit_of_work import utcnow
from cms.web import viewer

MOST_SHAPES = 1_000
CAP = 1_000
"""Rows a count looks at before it says "1,000+"."""


@dataclass(frozen=True)
class Tab:
    """A list with a count of its own: the filters that make it."""

    key: str
    label: Any
    args: Mapping[str, str]
    book: Book = Book.ORDINARY
    urgent: bool = False


@dataclass
class Counted:
    """A tab as it is shown."""

    label: str
    url: str
    current: bool
    count: int | None = None
    urgent: bool = False

    @property
    def words(self) -> str:
        """The count for people; a capped one says so."""
        return "" if self.count is None else capped(self.count)


def capped(count: int) -> str:
    """12,345 or 1,000+."""
    return f"{group_digits(CAP)}+" if count > CAP else group_digits(count)


class Counting(Asking):
    """The counting side of a grid; mixed into the view."""

    render: Any
    tabs: Sequence[Tab] = ()

    def conditions(self, asked: Asked) -> list[ColumnElement[bool]]:
        """Filters and search of a list."""
        if asked.empty:
            return [false()]
        made = [f.condition(f.token(v)) for f, v in asked.filters]
        return [*made, asked.search.condition()] if asked.search else made

    def tabs_for(self, who: Viewer) -> Sequence[Tab]:
        """The tabs that can hold something for this viewer."""
        return self.tabs

    def plain_tabs(self, asked: Asked) -> list[Counted]:
        """The tabs without counts; a restricted one waits for its count."""
        tabs = self.tabs_for(viewer())
        return [self.as_tab(t, asked, None) for t in tabs if t.book is Book.ORDINARY or t.book is asked.book]

    def as_tab(self, tab: Tab, asked: Asked, count: int | None) -> Counted:
        """One tab as it is shown."""
        return Counted(str(tab.label), self.tab_url(tab), self.is_current(tab, asked), count, tab.urgent)

    def tab_url(self, tab: Tab) -> str:
        """A tab keeps the other filters."""
        clear = {k: None for t in self.tabs for k in t.args} | {"book": None, "sort": None, "dir": None}
        return self.address({**clear, **tab.args})

    def is_current(self, tab: Tab, asked: Asked) -> bool:
        """True if the list is this tab's."""
        if tab.book is not asked.book:
            return False
        return tab.book is Book.RESTRICTED or all(asked.value(k) == v for k, v in tab.args.items())

    @expose("/counts/")
    def counts_view(self) -> ResponseReturnValue:
        """The tabs with their counts and the count of the list: one capped UNION."""
        who = viewer()
        asked = self.asked(who)
        tabs = self.counted(asked, who)
        return str(self.render("admin/model/tabs.html", tabs=tabs, total=g.grid_total, part=True))

    def counted(self, asked: Asked, who: Viewer) -> list[Counted]:
        """Every tab with its count; a restricted one only where it holds something."""
        lists = [(tab, self.tab_asked(tab, asked)) for tab in self.tabs_for(who)]
        counts = self.count([a for _tab, a in lists] + [asked], who)
        g.grid_total = capped(counts[-1])
        return [
            self.as_tab(tab, asked, n)
            for (tab, _asked), n in zip(lists, counts, strict=False)
            if n or tab.book is Book.ORDINARY or tab.book is asked.book
        ]

    def tab_asked(self, tab: Tab, asked: Asked) -> Asked:
        """The list behind a tab: its own filters in place of those that make tabs."""
        making = {k for t in self.tabs for k in t.args}
        kept = tuple((f, v) for f, v in asked.filters if f.arg not in making)
        own = tuple((self._filter_args[k][1], v) for k, v in tab.args.items() if k in self._filter_args)
        return replace(asked, filters=kept + own, book=tab.book, empty=False)

    def count(self, lists: Sequence[Asked], who: Viewer) -> list[int]:
        """How many rows each list has, up to one more than :data:`CAP`: one statement."""
        scopes = [scope(who, self.model, asked.book) for asked in lists]
        key = ("count", tuple((a.book, a.shape[3:5], s.shape) for a, s in zip(lists, scopes, strict=True)))
        query = self.kept_query(key, self.counters, lists, scopes)
        now, binds = utcnow(), dict[str, Any]()
        for asked, allowed in zip(lists, scopes, strict=True):
            binds |= {**allowed.values, **asked.binds(now)}
        found = {row[0]: row[1] for row in query.rows(binds)}
        return [found[i] for i in range(len(lists))]

    def kept_query(self, key: Any, make: Callable[..., Any], *args: Any) -> Kept:
        """The SELECT of this shape, made by ``make(*args)`` the first time."""
        shapes: dict[Any, Kept] = self.__dict__.setdefault("_shapes", {})
        found = shapes.get(key)
        if found is None:
            if len(shapes) >= MOST_SHAPES:
                shapes.clear()
            found = shapes[key] = Kept(make(*args))
        return found

    def counters(self, lists: Sequence[Asked], scopes: Sequence[Scope]) -> Any:
        """SELECT number of the list, its rows up to the cap; one row a list."""
        return union_all(*(self.counter(i, a, s) for i, (a, s) in enumerate(zip(lists, scopes, strict=True))))

    def counter(self, i: int, asked: Asked, allowed: Scope) -> Select[Any]:
        """SELECT i, rows of one list up to the cap, walking an index for each way of seeing them."""
        limit: Any = literal_column(str(CAP + 1))
        table = self.model.__table__
        ways = [
            select(table.c.id).where(way, *self.conditions(asked)).limit(limit).subquery(f"l{i}w{j}")
            for j, way in enumerate(allowed.ways)
        ]
        few = ways[0] if len(ways) == 1 else union(*(select(w) for w in ways)).limit(limit).subquery(f"l{i}")
        number: Any = literal_column(str(i)).label("i")
        return select(number, func.count().label("n")).select_from(few)
