"""The fast grid: Flask-Admin's list view with keyset pages, kept statements and compiled rows.

A page is at most three statements: sign-in (in ``cms.web``), the rows, and, asked apart, the
counts. The address holds readable keys: one per filter (``clock=overdue&district=3``), ``q``,
``sort`` and ``dir``, ``size``, and ``after`` / ``before`` / ``jump`` / ``at=last`` for the place.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from flask import g, make_response, request, url_for
from flask.typing import ResponseReturnValue
from flask_admin import expose
from markupsafe import Markup
from sqlalchemy import Select, func, literal_column, select, union, union_all

from cms.admin_views import keyset
from cms.admin_views.cells import Cell, Piece, Sheet, piece
from cms.admin_views.compile import fields, readable, shown
from cms.admin_views.export import answer
from cms.admin_views.fields import Lookup
from cms.admin_views.filters import GridFilter, LinkIs, kept
from cms.admin_views.keyset import Order, Page, Place
from cms.admin_views.scoping import Scope, scope
from cms.admin_views.searching import Search, TooShort, search_for
from cms.authz import Book
from cms.database import reading
from cms.i18n import _, group_digits, language
from cms.rules import Viewer
from cms.unit_of_work import utcnow
from cms.web import viewer

SIZES = (25, 50, 100)
CAP = 1_000
"""Rows a count looks at before it says "1,000+"."""
MOST_SHAPES = 1_000
PAGING = ("after", "before", "jump", "at")


@dataclass(frozen=True)
class Asked:
    """What one address asks of a grid, checked."""

    order: Order
    place: Place = Place()
    size: int = SIZES[0]
    filters: tuple[tuple[GridFilter, Any], ...] = ()
    search: Search | None = None
    text: str = ""
    book: Book = Book.ORDINARY
    notices: tuple[str, ...] = ()

    @property
    def shape(self) -> tuple[Any, ...]:
        """What of it changes the SQL."""
        kept = tuple((f.arg, f.token(v)) for f, v in self.filters)
        return (self.order, self.place.way, self.size, kept, self.search and self.search.kind, self.book)

    def value(self, arg: str) -> Any:
        """The value of one filter, or None."""
        return next((v for f, v in self.filters if f.arg == arg), None)

    def binds(self, now: datetime) -> dict[str, Any]:
        """Values of the statement's binds, but for the scope's."""
        said: dict[str, Any] = {"at_key": self.place.key, "at_id": self.place.row_id}
        for f, value in self.filters:
            said.update(f.params(value, now))
        return said | dict(self.search.values if self.search else {})


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


class Grid:
    """The list side of a view; mixed into Flask-Admin's ModelView by ``ModelAdmin``."""

    model: Any
    endpoint: Any
    books = (Book.ORDINARY,)
    tabs: Sequence[Tab] = ()
    default_order: Order | None = None
    page_size = SIZES[0]
    page_size_options = SIZES
    list_template = "admin/model/list.html"
    main_filters: Sequence[str] = ()

    # ------------------------------------------------ what one view differs in

    def layout(self) -> Sequence[Cell]:
        """The cells this view lays out itself; declared columns it does not name follow after."""
        return ()

    def pieces(self, lang: str) -> dict[str, Piece]:
        """Pieces that are more than one declared column."""
        return {}

    def defaults(self, asked: Asked) -> Asked:
        """What a bare address means."""
        return asked

    def locked(self) -> Book:
        """The book a bare address opens."""
        return self.books[0]

    # ------------------------------------------------ compiled once

    def sheet(self, who: Viewer, screen: str = "grid") -> Sheet:
        """The compiled cells for this reader's language and permissions."""
        hidden = frozenset(f.key for f in fields(self.model) if not readable(who, f.ui))
        key = (screen, language(), hidden)
        sheets: dict[Any, Sheet] = self.__dict__.setdefault("_sheets", {})
        if key not in sheets:
            sheets[key] = self.make_sheet(screen, hidden)
        return sheets[key]

    def make_sheet(self, screen: str, hidden: frozenset[str]) -> Sheet:
        """Lay out a screen: the view's own cells first, then every declared column left."""
        lang = language()
        own = {k: p for k, p in self.pieces(lang).items() if k not in hidden}
        wanted = [f for f in shown(self.model, screen) if f.key not in hidden]
        pieces = {f.key: piece(self.model, f, lang) for f in fields(self.model) if f.key not in hidden} | own
        cells = [c for c in self.layout() if any(n in pieces for n in c.pieces)] if screen == "grid" else []
        named = {n for c in cells for n in c.pieces} | {c.key for c in cells}
        for f in wanted:
            if f.key not in named:
                lead = not cells and screen == "grid"
                markup = '<a href="%href">%s</a>' if lead else "%s"
                cells.append(Cell(f.key, f.ui.label, (f.key,), markup, f.key if f.ui.sort else None))
        if screen == "export":
            cells[1:1] = [Cell(k, self.piece_label(k), (k,)) for k in self.exported_pieces() if k in own]
        return Sheet(pieces, cells, url_for(f"{self.endpoint}.details_view"))

    def exported_pieces(self) -> Sequence[str]:
        """Pieces that are no declared column and still belong into the export."""
        return ()

    def piece_label(self, key: str) -> str:
        """Heading of such a piece in the export."""
        return key

    def statement(self, asked: Asked, sheet: Sheet, allowed: Scope) -> Select[Any]:
        """The SELECT of a page, kept by its shape."""
        shapes: dict[Any, Select[Any]] = self.__dict__.setdefault("_shapes", {})
        key = (asked.shape, allowed.shape, id(sheet))
        found = shapes.get(key)
        if found is None:
            if len(shapes) >= MOST_SHAPES:
                shapes.clear()
            inner = keyset.ids(
                self.model, asked.order, asked.place, allowed.ways, self.conditions(asked), asked.size + 1
            )
            found = shapes[key] = keyset.page(self.model, asked.order, inner, sheet)
        return found

    def conditions(self, asked: Asked) -> list[Any]:
        """Filters and search of a list."""
        made = [f.condition(f.token(v)) for f, v in asked.filters]
        return [*made, asked.search.condition()] if asked.search else made

    def fetch(self, asked: Asked, who: Viewer, sheet: Sheet) -> Page:
        """The rows of a page: one statement."""
        allowed = scope(who, self.model, asked.book)
        query = self.statement(asked, sheet, allowed)
        with reading() as connection:
            rows = connection.execute(query, {**allowed.values, **asked.binds(utcnow())}).all()
        return keyset.cut(rows, asked.size, asked.place)

    # ------------------------------------------------ what the address asks

    def asked(self, who: Viewer) -> Asked:
        """Read the address; what it cannot mean is left out with a notice."""
        g.grid_notices = []
        extra = self._get_list_extra_args()
        found = tuple((self._filters[i], self._filters[i].clean(v)) for i, _name, v in extra.filters or ())
        order = self.order()
        asked = Asked(order, self.place(order), self.size(), found, book=self.book())
        text = request.args.get("q", "").strip()
        if text:
            asked = replace(asked, text=text[:80], search=self.search(text, who))
        return replace(self.defaults(asked), notices=tuple(g.grid_notices))

    def _get_list_filter_args(self) -> list[tuple[int, str, str]]:
        """Flask-Admin's reading of the filters, by our keys; blanks dropped, nonsense noted."""
        who, found = viewer(), []
        for arg, text in request.args.items():
            known = (self._filter_args or {}).get(arg)
            if known is None or not text.strip():
                continue
            index, flt = known
            if flt.read is not None and not readable(who, flt):
                continue
            value = resolved(flt, text, who)
            if value is None:
                g.grid_notices.append(_("“%(name)s” does not know “%(value)s”; it was left out.",
                                        name=flt.name, value=text[:40]))  # fmt: skip
            else:
                found.append((index, str(flt.name), value))
        return found

    def order(self) -> Order:
        """Sort key by the column's name; only declared and readable ones count."""
        who, wanted = viewer(), request.args.get("sort")
        offered = [f.key for f in fields(self.model) if f.ui.sort and readable(who, f.ui)]
        fallback = self.default_order or Order(offered[0] if offered else "id")
        if wanted not in offered:
            return fallback
        return Order(wanted, request.args.get("dir") == "desc")

    def place(self, order: Order) -> Place:
        """Where the page starts; a broken cursor starts at the beginning."""
        column = getattr(self.model, order.key)
        for way in PAGING:
            text = request.args.get(way, "").strip()
            if not text:
                continue
            if way == "at":
                return Place("last") if text == "last" else Place()
            try:
                if way == "jump":
                    return Place("jump", keyset.jump_key(text, column, order.desc))
                return Place(way, *keyset.decode(text, column))
            except ValueError:
                g.grid_notices.append(_("“%(value)s” is no place in this list.", value=text[:40]))
        return Place()

    def size(self) -> int:
        """Rows a page."""
        size = request.args.get("size", SIZES[0], type=int)
        return size if size in SIZES else SIZES[0]

    def book(self) -> Book:
        """The ordinary book, or the one asked for."""
        wanted = request.args.get("book")
        return next((b for b in self.books if b.value == wanted), self.books[0])

    def search(self, text: str, who: Viewer) -> Search | None:
        """How the text of the search box is looked for."""
        try:
            return search_for(self.model, text, who)
        except TooShort as sentence:
            g.grid_notices.append(str(sentence))
            return None

    def address(self, changes: Mapping[str, Any] | None = None, view: str = "index_view") -> str:
        """This list's address with changes; None takes a key away. Paging is dropped."""
        args = {k: v for k, v in request.args.items() if v.strip() and k not in PAGING}
        for key, value in (changes or {}).items():
            args.pop(key, None)
            if value is not None:
                args[key] = value
        base = url_for(f"{self.endpoint}.{view}") if view != "index_view" else self.base_url
        return f"{base}?{urlencode(args)}" if args else base

    @property
    def base_url(self) -> str:
        """The bare address of the list."""
        return url_for(f"{self.endpoint}.index_view")

    # ------------------------------------------------ pages

    @expose("/")  # type: ignore[untyped-decorator]
    def index_view(self) -> ResponseReturnValue:
        """The list: a whole page, or for htmx the part that changes."""
        who = viewer()
        asked = self.asked(who)
        sheet = self.sheet(who)
        page = self.fetch(asked, who, sheet)
        part = request.headers.get("HX-Request") and request.headers.get("HX-Target") == "grid"
        template = "admin/model/grid.html" if part else self.list_template
        response = make_response(self.render(template, **self.context(asked, page, sheet, who, bool(part))))
        response.vary.add("HX-Request")
        if part:
            said = {k: v for k, v in request.args.items() if v.strip()}
            response.headers["HX-Push-Url"] = f"{request.path}?{urlencode(said)}" if said else request.path
        return response

    def context(self, asked: Asked, page: Page, sheet: Sheet, who: Viewer, part: bool) -> dict[str, Any]:
        """Everything the list template shows."""
        return {
            "asked": asked, "page": page, "part": part, "rows": sheet.rows(page.rows, utcnow()),
            "pager": self.pager(page), "chrome": self.chrome(asked, sheet, who, part),
        }  # fmt: skip

    def chrome(self, asked: Asked, sheet: Sheet, who: Viewer, part: bool) -> dict[str, Markup]:
        """What stands around the rows, kept by address (without the place) and reader."""
        said = urlencode([(k, v) for k, v in request.args.items() if k not in PAGING])
        phone = "Mobi" in request.headers.get("User-Agent", "")
        key = ("chrome", self.endpoint, language(), who.seats, who.officer_id, who.role, said, phone, part)
        if request.args.get("counts") == "1":
            return self.make_chrome(asked, sheet, who, part, phone)
        return kept(key, self.make_chrome, asked, sheet, who, part, phone)  # type: ignore[no-any-return]

    def make_chrome(self, asked: Asked, sheet: Sheet, who: Viewer, part: bool, phone: bool) -> dict[str, Markup]:
        """Heading with tabs and filters, chips, column heads and the foot, as HTML."""
        counting = request.args.get("counts") == "1"
        said = {
            "asked": asked, "part": part, "phone": phone, "sizes": SIZES, "url": self.address,
            "tabs": self.counted(asked, who) if counting else self.plain_tabs(asked),
            "total": g.grid_total if counting else "",
            "counts_url": self.address(view="counts_view"), "export_url": self.address(view="export"),
            "heads": self.heads(sheet, asked), "chips": self.chips(who, asked), "jump": self.jump(asked),
            "filters": self.controls(who, asked), "paging": PAGING,
        }  # fmt: skip
        names = ("tabs", "chips", "heads", "below") if part else ("above", "chips", "heads", "below")
        return {name: Markup(self.render(f"admin/model/{name}.html", **said)) for name in names}  # noqa: S704

    def jump(self, asked: Asked) -> str:
        """What a place to go to is typed as."""
        return "date" if keyset.is_moment(getattr(self.model, asked.order.key)) else "text"

    def heads(self, sheet: Sheet, asked: Asked) -> list[dict[str, Any]]:
        """Column headings; a sortable one carries its address and says how it is sorted now."""
        made = []
        for cell in sheet.cells:
            now = cell.sort == asked.order.key if cell.sort else False
            turn = "desc" if now and not asked.order.desc else None
            made.append({
                "key": cell.key, "label": cell.label,
                "url": self.address({"sort": cell.sort, "dir": turn}) if cell.sort else None,
                "sorted": ("descending" if asked.order.desc else "ascending") if now else None,
            })  # fmt: skip
        return made

    def controls(self, who: Viewer, asked: Asked) -> dict[str, list[dict[str, Any]]]:
        """The filter form: the view's main filters in its order, then the others."""
        offered = {f.arg: f for f in self._filters or () if f.read is None or readable(who, f)}
        made = {arg: self.control(f, who, asked) for arg, f in offered.items()}
        made = {arg: c for arg, c in made.items() if c["choices"] is None or len(c["choices"]) > 1 or c["value"]}
        main = [made.pop(arg) for arg in self.main_filters if arg in made]
        more = list(made.values())
        return {"main": main or more, "more": more if main else []}

    def control(self, f: GridFilter, who: Viewer, asked: Asked) -> dict[str, Any]:
        """One control of the filter form."""
        value = asked.value(f.arg)
        choices = f.choices(who)
        lookup = choices is None and isinstance(f, LinkIs)
        shown = "" if value is None else f.raw(value)
        if lookup and value is not None:
            shown = f"{f.words(value, who)} #{value}"
        about = getattr(f, "about", None)
        return {
            "arg": f.arg, "label": f"{about}: {f.name}" if about else str(f.name), "value": shown,
            "choices": choices, "control": "lookup" if lookup else f.control,
            "lookup": url_for(f"{self.endpoint}.lookup_view", field=f.arg) if lookup else None,
        }  # fmt: skip

    def chips(self, who: Viewer, asked: Asked) -> list[dict[str, Any]]:
        """What narrows the list now, each with the address that takes it away."""
        return [
            {"label": f"{getattr(f, 'about', None) or f.name}: {f.words(v, who)}", "url": self.address({f.arg: None})}
            for f, v in asked.filters
            if f.arg in request.args
        ]

    def pager(self, page: Page) -> dict[str, Any]:
        """Addresses of the neighbouring pages; None where there is none."""
        here = self.address()
        more = f"{here}{'&' if '?' in here else '?'}"
        return {
            "first": here if page.before else None,
            "previous": f"{more}{urlencode({'before': page.before})}" if page.before else None,
            "next": f"{more}{urlencode({'after': page.after})}" if page.after else None,
            "last": f"{more}at=last" if page.after else None,
            "label": _("Pages"),
            "words": [("first", _("First")), ("previous", _("Previous")), ("next", _("Next")), ("last", _("Last"))],
        }

    # ------------------------------------------------ tabs and counts, asked apart

    def plain_tabs(self, asked: Asked) -> list[Counted]:
        """The tabs without counts; a restricted one waits for its count."""
        return [self.as_tab(t, asked, None) for t in self.tabs if t.book is Book.ORDINARY or t.book is asked.book]

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

    @expose("/counts/")  # type: ignore[untyped-decorator]
    def counts_view(self) -> ResponseReturnValue:
        """The tabs with their counts and the count of the list: one capped UNION."""
        who = viewer()
        asked = self.asked(who)
        tabs = self.counted(asked, who)
        return str(self.render("admin/model/tabs.html", tabs=tabs, total=g.grid_total, part=True))

    def counted(self, asked: Asked, who: Viewer) -> list[Counted]:
        """Every tab with its count; a restricted one only where it holds something."""
        lists = [(tab, self.tab_asked(tab, asked)) for tab in self.tabs]
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
        return replace(asked, filters=kept + own, book=tab.book)

    def count(self, lists: Sequence[Asked], who: Viewer) -> list[int]:
        """How many rows each list has, up to one more than :data:`CAP`: one statement."""
        scopes = [scope(who, self.model, asked.book) for asked in lists]
        key = ("count", tuple((a.book, a.shape[3:5], s.shape) for a, s in zip(lists, scopes, strict=True)))
        shapes: dict[Any, Any] = self.__dict__.setdefault("_shapes", {})
        if key not in shapes:
            shapes[key] = union_all(*(self.counter(i, a, s) for i, (a, s) in enumerate(zip(lists, scopes, strict=True))))
        binds, now = {}, utcnow()
        for asked, allowed in zip(lists, scopes, strict=True):
            binds |= {**allowed.values, **asked.binds(now)}
        with reading() as connection:
            found = {row[0]: row[1] for row in connection.execute(shapes[key], binds)}
        return [found[i] for i in range(len(lists))]

    def counter(self, i: int, asked: Asked, allowed: Scope) -> Select[Any]:
        """SELECT i, rows of one list up to the cap, walking an index for each way of seeing them."""
        limit, table = literal_column(str(CAP + 1)), self.model.__table__
        ways = [
            select(table.c.id).where(way, *self.conditions(asked)).limit(limit).subquery(f"l{i}w{j}")
            for j, way in enumerate(allowed.ways)
        ]
        few = ways[0] if len(ways) == 1 else union(*(select(w) for w in ways)).limit(limit).subquery(f"l{i}")
        return select(literal_column(str(i)).label("i"), func.count().label("n")).select_from(few)

    # ------------------------------------------------ export

    @expose("/export/csv/")  # type: ignore[untyped-decorator]
    def export(self) -> ResponseReturnValue:
        """What is shown, as CSV."""
        return answer(self, viewer())


def resolved(flt: GridFilter, text: str, who: Viewer) -> str | None:
    """The text as the filter takes it, look-ups resolved; None if it names nothing."""
    try:
        if isinstance(flt, LinkIs) and not text.strip().isdecimal():
            row_id, _candidates = Lookup(flt.target, who).resolve(text)
            text = "" if row_id is None else str(row_id)
        value = flt.clean(text)
    except ValueError:
        return None
    if isinstance(flt, LinkIs) and flt.words(value, who) is None:
        return None
    return text.strip()

