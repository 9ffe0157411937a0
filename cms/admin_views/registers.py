"""The views: complaints, officers, units and the master rows. Each states differences only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from flask import request, url_for
from flask.typing import ResponseReturnValue
from flask_admin import Admin, expose
from markupsafe import escape
from sqlalchemy import and_
from sqlalchemy.orm import aliased

from cms.admin_views import cells, filters
from cms.admin_views.base import ModelAdmin
from cms.admin_views.cells import Cell, Piece
from cms.admin_views.compile import Join, fields, readable
from cms.admin_views.filters import Clock, DayFilter, StatusIs, UnitWithin
from cms.admin_views.grid import Asked, Tab
from cms.admin_views.keyset import Order
from cms.admin_views.searching import party_ui
from cms.authz import Book, may
from cms.i18n import IST, _, _l
from cms.models import (
    Category,
    Complaint,
    Disposition,
    Kind,
    Mode,
    Officer,
    Party,
    PartyRole,
    Priority,
    Rank,
    Source,
    Unit,
)  # fmt: skip
from cms.rules import DISPOSED, OPEN, Viewer
from cms.web import viewer

STATIONS = (Kind.POLICE_STATION, Kind.POLICE_POST, Kind.COMPLAINT_BRANCH)
NUMBER = '<a href="%href">%s</a><small>%s</small>'
STATUS_CHIP = {status.name: "" for status in OPEN} | {status.name: " done" for status in DISPOSED}


class ComplaintAdmin(ModelAdmin):
    """The complaint grid; the page of one complaint is made by ``cms.admin_views.pages``."""

    permission = "read"
    can_create = False
    books = (Book.ORDINARY, Book.RESTRICTED)
    default_order = Order("due_at")
    main_filters = ("clock", "district", "unit", "status", "category", "io", "registered_at_from",
                    "registered_at_to")  # fmt: skip
    tabs = (
        Tab("overdue", _l("Overdue"), {"clock": "overdue"}, urgent=True),
        Tab("soon", _l("Due in 3 days"), {"clock": "soon"}),
        Tab("open", _l("All open"), {"clock": "open"}),
        Tab("unassigned", _l("Not yet assigned"), {"clock": "unassigned"}),
        Tab("closed", _l("Closed"), {"clock": "closed"}),
        Tab("restricted", _l("Restricted"), {"book": "restricted"}, book=Book.RESTRICTED),
    )

    def new_url(self) -> str | None:
        """The screen of the counter."""
        return str(url_for("complaint.create_view")) if may(viewer(), "register") else None

    def search_words(self) -> str:
        """What the search box looks through."""
        return str(_("Search number, name, phone"))

    def make_filters(self, model: type[Any]) -> list[Any]:
        """The declared ones, with the clock, the district of the tree and two words for dates."""
        by_key = {f.key: f for f in fields(model)}
        table = model.__table__.c
        own = {
            "clock": Clock(),
            "district": UnitWithin(by_key["district"], table.unit_id, (Kind.DISTRICT,)),
            "unit": UnitWithin(by_key["unit"], table.unit_id, STATIONS),
            "status": StatusIs(by_key["status"], Complaint.status),
            "registered_at_from": DayFilter(by_key["registered_at"], Complaint.registered_at, False, _l("From")),
            "registered_at_to": DayFilter(by_key["registered_at"], Complaint.registered_at, True, _l("To")),
        }
        declared = {flt.arg: flt for flt in super().make_filters(model)}
        return list((own | {k: v for k, v in declared.items() if k not in own}).values())

    def defaults(self, asked: Asked) -> Asked:
        """A bare address is the open complaints, the most pressing first; closed: newest first."""
        if asked.book is Book.ORDINARY and not asked.filters and not asked.text:
            clock = "closed" if filters.sees_disposed_only(viewer()) else "open"
            asked = replace(asked, filters=((self._filter_args["clock"][1], clock),))
        if asked.value("clock") == "closed" and "sort" not in request.args:
            asked = self.reordered(asked, Order("registered_at", desc=True))
        return asked

    def tabs_for(self, who: Viewer) -> Sequence[Tab]:
        """The feedback cell sees disposed complaints only."""
        open_ones = ("overdue", "soon", "open", "unassigned") if filters.sees_disposed_only(who) else ()
        return [tab for tab in self.tabs if tab.key not in open_ones]

    def reordered(self, asked: Asked, order: Order) -> Asked:
        """Another order, with the place read again for it."""
        return replace(asked, order=order, place=self.place(order))

    def layout(self) -> Sequence[Cell]:
        """Two-line cells as in the design."""
        return (
            Cell("number", _l("Complaint"), ("number", "complainant"), NUMBER, "number"),
            Cell("subject", _l("Subject"), ("subject", "category", "priority"), "<b>%s</b><small>%s%s</small>"),
            Cell("unit", _l("Station / IO"), ("unit", "io"), "%s<small>%s</small>"),
            Cell("status", _l("Status"), ("status",)),
            Cell("due_at", _l("Due"), ("due_at",), "%s", "due_at"),
            Cell("registered_at", _l("Registered"), ("registered_at",), "%s", "registered_at"),
        )

    def pieces(self, lang: str) -> dict[str, Piece]:
        """What is more than one column: complainant, chips, day and time."""
        made = {
            "priority": priority_piece(), "io": io_piece(cells.piece(Complaint, field("io"), lang)),
            "status": status_piece(lang), "due_at": due_piece(lang), "registered_at": registered_piece(lang),
        }  # fmt: skip
        return made | {"complainant": complainant_piece(lang)}

    def make_sheet(self, screen: str, hidden: frozenset[str]) -> Any:
        """The complainant's name goes with the permission of the party's column."""
        extra = frozenset() if readable(viewer(), party_ui()) else frozenset({"complainant"})
        return super().make_sheet(screen, hidden | extra)

    def exported_pieces(self) -> Sequence[str]:
        """The complainant is shown, so the file has it."""
        return ("complainant",)

    def piece_label(self, key: str) -> str:
        """Heading of the complainant in the file."""
        return str(_("Complainant"))

    @expose("/details/")
    def details_view(self) -> ResponseReturnValue:
        """The complaint page where it is installed, else the generic one."""
        page = complaint_page()
        return super().details_view() if page is None else str(page(self.row_id()))

    @expose("/new/", methods=("GET", "POST"))
    def create_view(self) -> ResponseReturnValue:
        """A complaint is registered at the counter's own screen."""
        from cms.admin_views.register import register_page

        return register_page()


class OfficerAdmin(ModelAdmin):
    """Officers in the viewer's charge; new ones are entered by the administrator."""

    @property
    def can_create(self) -> bool:
        """Only the administrator sees an officer who has no posting yet."""
        return may(viewer(), "masters") and super().can_create

    @can_create.setter
    def can_create(self, value: bool) -> None:
        """Flask-Admin may not switch it."""


class UnitAdmin(ModelAdmin):
    """The unit tree; a unit is opened and moved by order, not by form."""


def complaint_page() -> Any:
    """The page of one complaint, if its module is installed."""
    from cms.admin_views import pages_or_none

    pages = pages_or_none()
    return getattr(pages, "complaint_page", None)


def field(key: str) -> Any:
    """A declared field of the complaint."""
    return next(f for f in fields(Complaint) if f.key == key)


def complainant_piece(lang: str) -> Piece:
    """Name of the complainant who gets the copy."""
    party = aliased(Party)
    on = and_(party.complaint_id == Complaint.__table__.c.id, party.role == PartyRole.COMPLAINANT, party.position == 1)
    mark = cells.tagged(lang)
    return Piece(
        (party.name,), lambda v, now: mark(v[0] or ""), lambda v, now: v[0] or "", (Join(party, on),)
    )


def priority_piece() -> Piece:
    """Said only when it is not the ordinary one."""
    words = {p: "" if p is Priority.ROUTINE else f" · {escape(str(p.label))}" for p in Priority}
    return Piece((Complaint.priority,), lambda v, now: words[v[0]], lambda v, now: str(v[0]))


def io_piece(plain: Piece) -> Piece:
    """The IO, or that there is none yet."""
    none = _("No IO yet")
    return replace(plain, html=lambda v, now: plain.html(v, now) or escape(none))


def status_piece(lang: str) -> Piece:
    """A chip; done ones in green, with words always."""
    labels = {s: (STATUS_CHIP[s.name], escape(str(s.label))) for s in (*OPEN, *DISPOSED)}

    def html(values: Sequence[Any], now: Any) -> str:
        kind, label = labels[values[0]]
        return f'<span class="chip{kind}">{label}</span>'

    return Piece((Complaint.status,), html, lambda v, now: str(v[0].label))


def due_piece(lang: str) -> Piece:
    """How far the due day is, red when passed, amber when near."""
    say = cells.due_teller(lang)

    def html(values: Sequence[Any], now: Any) -> str:
        kind, said = say(now, *values)
        return f'<span class="chip {kind}">{escape(said)}</span>'

    def text(values: Sequence[Any], now: Any) -> str:
        return f"{values[0].astimezone(IST):%Y-%m-%d}"

    return Piece((Complaint.due_at, Complaint.is_open, Complaint.disposed_on), html, text)


def registered_piece(lang: str) -> Piece:
    """Day and, beneath, time in India."""
    day = cells.day_text(lang)

    def html(values: Sequence[Any], now: Any) -> str:
        at = values[0].astimezone(IST)
        return f"{day(at)}<small>{at:%H:%M}</small>"

    def text(values: Sequence[Any], now: Any) -> str:
        return f"{values[0].astimezone(IST):%Y-%m-%d %H:%M}"

    return Piece((Complaint.registered_at,), html, text)


def add_views(admin: Admin) -> None:
    """Register every view; a plain one is a line."""
    lists = _l("Lists")
    admin.add_view(ComplaintAdmin(Complaint, _l("Complaints")))
    admin.add_view(OfficerAdmin(Officer, _l("Officers")))
    admin.add_view(UnitAdmin(Unit, _l("Units")))
    admin.add_view(ModelAdmin(Rank, _l("Ranks"), lists))
    admin.add_view(ModelAdmin(Mode, _l("Modes"), lists))
    admin.add_view(ModelAdmin(Source, _l("Sources"), lists))
    admin.add_view(ModelAdmin(Category, _l("Categories"), lists))
    admin.add_view(ModelAdmin(Disposition, _l("Dispositions"), lists))


__all__ = ["ComplaintAdmin", "OfficerAdmin", "UnitAdmin", "Viewer", "add_views", "filters"]
