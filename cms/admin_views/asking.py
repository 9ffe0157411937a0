"""What the address of a grid asks: filters, search, order, place; checked, nonsense noted.

Readable keys: one per filter (``clock=overdue&district=3``), ``q``, ``sort`` and ``dir``,
``size``, ``book``, and ``after`` / ``before`` / ``jump`` / ``at=last`` for the place.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from flask import g, request, url_for
from markupsafe import Markup

from cms.admin_views import keyset
from cms.admin_views.compile import fields, readable
from cms.admin_views.fields import Lookup
from cms.admin_views.filters import GridFilter, LinkIs, kept, warm
from cms.admin_views.keyset import Order, Place
from cms.admin_views.searching import Search, TooShort, search_for
from cms.authz import Book
from cms.i18n import _
from cms.rules import Viewer
from cms.web import viewer

SIZES = (25, 50, 100)
PAGING = ("after", "before", "jump", "at")


@dataclass(frozen=True)
class Asked:
    """What one address asks of a grid, checked."""

    order: Order
    place: Place
    size: int = SIZES[0]
    filters: tuple[tuple[GridFilter, Any], ...] = ()
    search: Search | None = None
    text: str = ""
    book: Book = Book.ORDINARY
    notices: tuple[str, ...] = ()
    empty: bool = False
    """True where the policy leaves nothing that could fit: the database need not look."""

    @property
    def shape(self) -> tuple[Any, ...]:
        """What of it changes the SQL."""
        kept = None if self.empty else tuple((f.arg, f.token(v)) for f, v in self.filters)
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


class Asking:
    """The reading side of a grid; mixed into the view."""

    model: Any
    endpoint: Any
    _filters: Any
    _filter_args: Any
    books: tuple[Book, ...] = (Book.ORDINARY,)
    default_order: Order | None = None

    def defaults(self, asked: Asked) -> Asked:
        """What a bare address means."""
        return asked

    def asked(self, who: Viewer) -> Asked:
        """Read the address; what it cannot mean is left out with a notice."""
        g.grid_notices = []
        warm(who, self._filters or ())
        given = self._get_list_filter_args()
        found = tuple((self._filters[i], self._filters[i].clean(v)) for i, _name, v in given)
        order = self.order(who)
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
                g.grid_notices.append(unknown(flt, text, self.endpoint))
            else:
                found.append((index, str(flt.name), value))
        return found

    def order(self, who: Viewer) -> Order:
        """Sort key by the column's name; only declared and readable ones count."""
        args = request.args
        wanted = args.get("sort")
        offered = [f.key for f in fields(self.model) if f.ui.sort and readable(who, f.ui)]
        if wanted is not None and wanted in offered:
            return Order(wanted, args.get("dir") == "desc")
        return self.default_order or Order(offered[0] if offered else "id")

    def place(self, order: Order) -> Place:
        """Where the page starts; a broken cursor starts at the beginning."""
        args = request.args
        for way in PAGING:
            text = args.get(way, "").strip()
            if not text:
                continue
            column = getattr(self.model, order.key)
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
        return str(kept(("base", self.endpoint), url_for, f"{self.endpoint}.index_view"))


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



def unknown(flt: GridFilter, text: str, endpoint: str) -> Markup | str:
    """That a filter was left out; of a look-up, with the page to choose from."""
    if not isinstance(flt, LinkIs):
        return str(_("“%(name)s” does not know “%(value)s”; it was left out.", name=flt.name, value=text[:40]))
    said = _("“%(value)s” fits none or several of “%(name)s”; it was left out.", name=flt.name, value=text[:40])
    rest = {k: v for k, v in request.args.items() if v.strip() and k not in (*PAGING, "q", flt.arg)}
    url = f"{url_for(f'{endpoint}.lookup_view', field=flt.arg)}?{urlencode({**rest, 'q': text[:40]})}"
    return Markup('{} <a href="{}">{}</a>').format(said, url, _("Choose from a list"))
