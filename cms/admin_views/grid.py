"""The fast grid: Flask-Admin's list view with keyset pages, kept statements and compiled rows.

A page is at most three statements: sign-in (in ``cms.web``), the rows, and, asked apart, the
counts. What stands around the rows is kept as HTML by address and reader.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from flask import current_app, g, make_response, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_admin import expose
from markupsafe import Markup, escape
from sqlalchemy import ColumnElement, Select

from cms.admin_views import keyset
from cms.admin_views.asking import PAGING, SIZES, Asked
from cms.admin_views.cells import Cell, Piece, Sheet, piece
from cms.admin_views.compile import fields, readable, shown
from cms.admin_views.counting import Counting, Tab
from cms.admin_views.export import answer
from cms.admin_views.filters import GridFilter, LinkIs, kept
from cms.admin_views.frame import Shell, hole
from cms.admin_views.keyset import Page
from cms.admin_views.memory import remembered
from cms.admin_views.scoping import Scope, scope
from cms.i18n import _, language
from cms.rules import Viewer
from cms.unit_of_work import utcnow
from cms.web import viewer

MOST_READERS = 1_000
PAGER_LINK = '<a class="btn" id="p-%s" href="%s">%s</a>'
PAGER_WORD = '<span class="btn off" aria-hidden="true">%s</span>'


class Grid(Counting):
    """The list side of a view; mixed into Flask-Admin's ModelView by ``ModelAdmin``."""

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

    # ------------------------------------------------ compiled once

    def sheet(self, who: Viewer, screen: str = "grid") -> Sheet:
        """The compiled cells for this reader's language and permissions."""
        lang = language()
        by_reader: dict[Any, Sheet] = self.__dict__.setdefault("_sheets_by_reader", {})
        reader = (screen, lang, who.reach)
        found = by_reader.get(reader)
        if found is None:
            if len(by_reader) >= MOST_READERS:
                by_reader.clear()
            hidden = self.hidden(who)
            sheets: dict[Any, Sheet] = self.__dict__.setdefault("_sheets", {})
            if (screen, lang, hidden) not in sheets:
                sheets[screen, lang, hidden] = self.make_sheet(screen, hidden)
            found = by_reader[reader] = sheets[screen, lang, hidden]
        return found

    def hidden(self, who: Viewer) -> frozenset[str]:
        """Pieces this reader may not see."""
        return frozenset(f.key for f in fields(self.model) if not readable(who, f.ui))

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
                cells.append(Cell(f.key, f.ui.label, (f.key,), markup, f.key if f.ui.sort else None, not lead))
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
        """The SELECT of a page."""
        district = 0 if asked.search else walked_from()
        inner = keyset.ids(
            self.model, asked.order, asked.place, allowed.ways, self.conditions(asked), asked.size + 1,
            district, self.parts(asked) if district else (),
        )  # fmt: skip
        return keyset.page(self.model, asked.order, inner, sheet)

    def parts(self, asked: Asked) -> Sequence[ColumnElement[bool]]:
        """Conditions of which every row of this list fulfils one, where that shortens the walk."""
        falling = asked.order.desc != asked.place.backwards
        return [part for f, v in asked.filters for part in f.parts(f.token(v), asked.order.key, falling)]

    def fetch(self, asked: Asked, who: Viewer, sheet: Sheet) -> Page:
        """The rows of a page: one statement."""
        allowed = scope(who, self.model, asked.book)
        query = self.kept_query((asked.shape, allowed.shape, id(sheet)), self.statement, asked, sheet, allowed)
        rows = query.rows({**allowed.values, **asked.binds(utcnow())})
        return keyset.cut(rows, asked.size, asked.place)

    @expose("/")
    def index_view(self) -> ResponseReturnValue:
        """The list: a whole page, or for htmx the part that changes."""
        who = viewer()
        asked = self.asked(who)
        sheet = self.sheet(who)
        page = self.fetch(asked, who, sheet)
        part = bool(request.headers.get("HX-Request") and request.headers.get("HX-Target") == "grid")
        response = make_response(self.page(asked, page, sheet, who, part))
        response.headers["Vary"] = "HX-Request"
        if part:
            said = {k: v for k, v in request.args.items() if v.strip()}
            response.headers["HX-Push-Url"] = f"{request.path}?{urlencode(said)}" if said else request.path
        return response

    def page(self, asked: Asked, page: Page, sheet: Sheet, who: Viewer, part: bool) -> str:
        """The HTML. What stands around rows and pager is kept, unless it is of this moment only."""
        rows, pager = sheet.rows(page.rows, utcnow()), self.pager(page)
        phone = "Mobi" in request.headers.get("User-Agent", "")
        template = "admin/model/grid.html" if part else self.list_template
        once = asked.notices or "_flashes" in session or request.args.get("counts") == "1"

        def render(rows: Markup, pager: Markup) -> str:
            chrome = self.make_chrome(asked, sheet, who, part, phone)
            return str(self.render(template, asked=asked, rows=rows, pager=pager, chrome=chrome, part=part))

        if once:
            return render(rows, pager)
        said = urlencode([(k, v) for k, v in request.args.items() if k not in PAGING])
        lang = language()
        reader = (lang, who.reach, who.called(lang))
        key = ("page", self.endpoint, said, phone, part, bool(rows), reader)
        shell: Shell = kept(key, Shell, lambda: render(hole("rows") if rows else rows, hole("pager")))
        return shell.filled({"rows": rows, "pager": pager})

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

    def pager(self, page: Page) -> Markup:
        """Links to the neighbouring pages; words only where there is none."""
        here = self.address()
        more = f"{here}{'&' if '?' in here else '?'}"
        urls = {
            "first": here if page.before else None,
            "previous": f"{more}{urlencode({'before': page.before})}" if page.before else None,
            "next": f"{more}{urlencode({'after': page.after})}" if page.after else None,
            "last": f"{more}at=last" if page.after else None,
        }
        made = []
        for key, word in kept(("pager", language()), pager_words):
            url = urls[key]
            made.append(PAGER_LINK % (key, escape(url), word) if url else PAGER_WORD % word)
        return Markup(" ".join(made))  # noqa: S704 - words and addresses are escaped

    @expose("/export/csv/")
    def export(self) -> ResponseReturnValue:
        """What is shown, as CSV."""
        return answer(self, viewer())


def walked_from() -> int:
    """The level of the districts in the tree; 0 where the database cannot walk unit by unit."""
    able = current_app.extensions["cms_reads"].dialect.name == "postgresql"
    return remembered().district_level if able else 0


def pager_words() -> list[tuple[str, Markup]]:
    """The four ways to go on, in the order they are shown."""
    words = [("first", _("First")), ("previous", _("Previous")), ("next", _("Next")), ("last", _("Last"))]
    return [(key, escape(word)) for key, word in words]


__all__ = ["Asked", "Cell", "Grid", "Tab"]
