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
from cms.admin_views.cells import INDIA, Cell, Column, Piece
from cms.admin_views.compile import Join, fields, readable
from cms.admin_views.filters import Clock, DayFilter, StatusIs, UnitWithin
from cms.admin_views.grid import Asked, Tab
from cms.admin_views.keyset import Order
from cms.admin_views.searching import party_ui
from cms.authz import Book, may
from cms.i18n import _, _l
from cms.models import (
    ApprovalRule,
    Category,
    Complaint,
    CopyTo,
    Disposition,
    DispositionField,
    HoldReason,
    Holiday,
    Kind,
    Mode,
    Officer,
    Party,
    PartyRole,
    Policy,
    Priority,
    QuickText,
    Rank,
    Signatory,
    Source,
    Unit,
)  # fmt: skip
from cms.rules import DISPOSED, OPEN, Status, Viewer
from cms.web import viewer

STATIONS = (Kind.POLICE_STATION, Kind.POLICE_POST, Kind.COMPLAINT_BRANCH)
NUMBER = '<a href="%href">%s</a>%s'
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
        return replace(asked, empty=filters.sees_disposed_only(viewer()) and wants_open(asked))

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
            Cell("subject", _l("Subject"), ("subject", "category", "priority"), "%s<small>%s%s</small>"),
            Cell("unit", _l("Station / IO"), ("unit", "io"), "%s<small>%s</small>"),
            Cell("status", _l("Status"), ("status",)),
            Cell("due_at", _l("Due"), ("due_at",), "%s", "due_at"),
            Cell("registered_at", _l("Registered"), ("registered_at",), "%s", "registered_at"),
        )

    def pieces(self, lang: str) -> dict[str, Piece]:
        """What is more than one column: complainant, chips, day and time."""
        made = {
            "priority": priority_piece(), "io": io_piece(cells.piece(Complaint, field("io"), lang)),
            "status": status_piece(), "due_at": due_piece(lang), "registered_at": registered_piece(lang),
            "subject": subject_piece(cells.piece(Complaint, field("subject"), lang), lang),
        }  # fmt: skip
        return made | {"complainant": complainant_piece(lang)}

    def hidden(self, who: Viewer) -> frozenset[str]:
        """The complainant's name goes with the permission of the party's column."""
        extra = frozenset() if readable(who, party_ui()) else frozenset({"complainant"})
        return super().hidden(who) | extra

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


def wants_open(asked: Asked) -> bool:
    """True of a list that no disposed complaint can be on."""
    return asked.value("clock") in ("overdue", "soon", "open", "unassigned") or asked.value("status") in OPEN


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
    mark = cells.tagged(lang, "small")

    def text(columns: Sequence[Column], now: Any) -> list[str]:
        return [name or "" for name in columns[0]]

    return Piece((party.name,), lambda columns, now: mark(text(columns, now)), text, (Join(party, on),))


def subject_piece(plain: Piece, lang: str) -> Piece:
    """The subject on a line of its own, marked with its language."""
    mark = cells.tagged(lang, "b")
    return replace(plain, html=lambda columns, now: mark(plain.text(columns, now)))


def priority_piece() -> Piece:
    """Said only when it is not the ordinary one."""
    words = {p.name: "" if p is Priority.ROUTINE else f" · {escape(str(p.label))}" for p in Priority}
    labels = {p.name: str(p.label) for p in Priority}
    return Piece((Complaint.priority,), mapped(words), mapped(labels))


def mapped(words: dict[str, str]) -> Any:
    """Say a stored name by these words."""
    return lambda columns, now: map(words.__getitem__, columns[0])


def io_piece(plain: Piece) -> Piece:
    """The IO, or that there is none yet."""
    none = str(escape(_("No IO yet")))
    return replace(plain, html=lambda columns, now: [said or none for said in plain.html(columns, now)])


def status_piece() -> Piece:
    """A chip; done ones in green, with words always."""
    labels = {s.name: str(s.label) for s in Status}
    chips = {name: chip(STATUS_CHIP.get(name, ""), label) for name, label in labels.items()}
    return Piece((Complaint.status,), mapped(chips), mapped(labels))


def chip(kind: str, said: str) -> str:
    """Words in a coloured box."""
    return f'<span class="chip{kind}">{escape(said)}</span>' if kind else f"<span class=chip>{escape(said)}</span>"


def due_piece(lang: str) -> Piece:
    """How far the due day is, red when passed, amber when near."""
    say = cells.due_teller(lang)

    def html(columns: Sequence[Column], now: Any) -> list[str]:
        moment = now.replace(tzinfo=None)
        today, made, known = (moment + INDIA).date(), [], dict[Any, str]()
        for due, is_open, closed in zip(*columns, strict=True):
            about = (due < moment, ((due + INDIA).date() - today).days, is_open, closed)
            if about not in known:
                kind, said = say(*about)
                known[about] = chip(f" {kind}", said)
            made.append(known[about])
        return made

    def text(columns: Sequence[Column], now: Any) -> list[str]:
        return [(due + INDIA).date().isoformat() for due in columns[0]]

    return Piece((Complaint.due_at, Complaint.is_open, Complaint.disposed_on), html, text)


def registered_piece(lang: str) -> Piece:
    """Day and, beneath, time in India."""
    day = cells.day_text(lang)

    def html(columns: Sequence[Column], now: Any) -> list[str]:
        local = [at + INDIA for at in columns[0]]
        return [f"{day(at)}<small>{at.hour:02}:{at.minute:02}</small>" for at in local]

    def text(columns: Sequence[Column], now: Any) -> list[str]:
        return [(at + INDIA).isoformat(" ", "minutes") for at in columns[0]]

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
    admin.add_view(ModelAdmin(DispositionField, _l("What a disposition must state"), lists))
    admin.add_view(ModelAdmin(HoldReason, _l("Reasons of a hold"), lists))
    admin.add_view(ModelAdmin(QuickText, _l("Quick texts"), lists))
    admin.add_view(ModelAdmin(CopyTo, _l("Copies of papers"), lists))
    admin.add_view(ModelAdmin(Signatory, _l("Who signs papers"), lists))
    rules = _l("Rules")
    admin.add_view(ModelAdmin(Policy, _l("Clocks"), rules))
    admin.add_view(ModelAdmin(Holiday, _l("Holidays"), rules))
    admin.add_view(ModelAdmin(ApprovalRule, _l("Who approves"), rules))


__all__ = ["ComplaintAdmin", "OfficerAdmin", "UnitAdmin", "Viewer", "add_views", "filters"]
