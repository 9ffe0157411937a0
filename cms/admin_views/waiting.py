"""What waits for an officer: the figures and cases of the home page, in at most five statements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, Select, and_, func, literal, select, union_all
from sqlalchemy.orm import Session, aliased

from cms.admin_views.edge import Chip, due_chip
from cms.authz import DESK, Book, units_of, visible
from cms.i18n import _, _l, day_range, ist_day
from cms.models import (
    Action,
    Complaint,
    Desk,
    Officer,
    Party,
    PartyRole,
    Rank,
    Request,
    RequestKind,
    Stay,
    Unit,
)  # fmt: skip
from cms.rules import SUPERIORS, Post, Status, Viewer

CAP = 999
"""A count stops here; more is told as 999+."""
MOST = 60
SOON_DAYS = 3
LISTED = 12


@dataclass(frozen=True, slots=True)
class Tile:
    """A figure that leads to its list."""

    label: str
    count: int
    url: str
    kind: str = ""

    @property
    def shown(self) -> str:
        """The figure, or that it is beyond the cap."""
        return f"{CAP}+" if self.count > CAP else str(self.count)


@dataclass(frozen=True, slots=True)
class Case:
    """A complaint as a card."""

    row: Row[Any]
    chip: Chip
    language: str


@dataclass(frozen=True, slots=True)
class Group:
    """Cases under one heading, each with the same next step."""

    title: str
    cases: list[Case]
    step: str = ""
    step_label: str = ""
    empty: str = ""
    more: str = ""
    most: int = LISTED

    @property
    def shown(self) -> str:
        """How many there are; a list that was cut says so."""
        count = len(self.cases)
        return "" if not count else f"{count}+" if count >= self.most else str(count)


def end_of_soon(now: datetime) -> datetime:
    """The end of the third day from today in India."""
    today = ist_day(now)
    return day_range(today, today + timedelta(days=SOON_DAYS))[1]


GRID = "/admin/complaint/"


def wanted_figures(viewer: Viewer, now: datetime) -> dict[str, tuple[Any, str, str, Book, list[Any]]]:
    """Key -> (label, address, colour, book, conditions) of the figures this viewer's post needs."""
    figures: dict[str, tuple[Any, str, str, Book, list[Any]]] = {}
    if viewer.at(*SUPERIORS, Post.BRANCH, Post.AUDIT):
        figures = {
            "overdue": (_l("Overdue"), grid("overdue"), "late", Book.ORDINARY,
                        [Complaint.overdue(now)]),
            "soon": (_l("Due in 3 days"), grid("soon"), "soon", Book.ORDINARY,
                     [Complaint.is_open, Complaint.due_at >= now, Complaint.due_at < end_of_soon(now)]),
            "unassigned": (_l("Not yet assigned"), grid("unassigned"), "", Book.ORDINARY,
                           [Complaint.is_open, Complaint.io_id.is_(None)]),
            "open": (_l("Open"), grid("open"), "", Book.ORDINARY, [Complaint.is_open]),
        }  # fmt: skip
    if viewer.at(*DESK):
        figures["copies"] = (
            _l("Copies to hand over"), f"{GRID}unsettled/", "soon", Book.ANY, [owed(viewer)],
        )  # fmt: skip
    return figures


def among(*conditions: Any) -> Any:
    """The id is one of a few that a partial index finds. Left to itself the planner starts from
    the scope, which is nearly every complaint there is."""
    few = aliased(Complaint)
    return Complaint.id.in_(select(few.id).where(*(condition(few) for condition in conditions)))


def owed(viewer: Viewer) -> Any:
    """Registered at the viewer's desk, and the copy has reached nobody yet."""
    desks = units_of(viewer.at(*DESK))
    return among(lambda c: c.copy_settled_at.is_(None), lambda c: c.registered_unit_id.in_(desks))


def grid(view: str) -> str:
    """Address of a tab of the grid."""
    return f"{GRID}?clock={view}"


def tiles(session: Session, viewer: Viewer, now: datetime) -> list[Tile]:
    """The figures, counted up to the cap in one statement."""
    wanted = wanted_figures(viewer, now)
    if not wanted:
        return []
    parts = []
    for key, (_label, _url, _kind, book, conditions) in wanted.items():
        rows = visible(select(Complaint.id).where(*conditions), Complaint, viewer, book)
        inner = rows.limit(CAP + 1).subquery()
        parts.append(select(literal(key), func.count()).select_from(inner))
    counts: dict[str, int] = {row[0]: row[1] for row in session.execute(union_all(*parts))}
    return [
        Tile(str(label), counts[key], url, kind if counts[key] else "")
        for key, (label, url, kind, _book, _conditions) in wanted.items()
    ]


LAST_ACTION = (
    select(func.max(Action.happened_at))
    .where(Action.complaint_id == Complaint.id)
    .correlate(Complaint)
    .scalar_subquery()
)
CARD = (
    Complaint.id, Complaint.number, Complaint.subject, Complaint.language, Complaint.priority,
    Complaint.due_at, Complaint.is_open, Complaint.status, Complaint.restricted, Complaint.io_id,
    Complaint.place, Complaint.disposed_on, Party.name.label("name"), Party.phone.label("phone"),
    Unit.name_en.label("unit_en"), Unit.name_hi.label("unit_hi"), Officer.name_en.label("io_en"),
    Officer.name_hi.label("io_hi"), Rank.short_en.label("rank_en"), Rank.short_hi.label("rank_hi"),
)  # fmt: skip


def cards(ids: Any, order: Sequence[Any], *, last_action: bool = False) -> Select[Any]:
    """Complaints of a sub-select of ids with what a card shows."""
    first = and_(
        Party.complaint_id == Complaint.id, Party.role == PartyRole.COMPLAINANT, Party.position == 1
    )
    last = LAST_ACTION.label("last_at") if last_action else literal(None).label("last_at")
    columns: list[Any] = [*CARD, last]
    return (
        select(*columns)
        .join(Unit, Unit.id == Complaint.unit_id)
        .outerjoin(Party, first)
        .outerjoin(Officer, Officer.id == Complaint.io_id)
        .outerjoin(Rank, Rank.id == Officer.rank_id)
        .where(Complaint.id.in_(ids))
        .order_by(*order)
    )


def scoped(viewer: Viewer, book: Book, limit: int, *conditions: Any) -> Any:
    """Ids of a viewer's complaints, the earliest due first."""
    query = select(Complaint.id).where(*conditions).order_by(Complaint.due_at, Complaint.id)
    return visible(query, Complaint, viewer, book).limit(limit).subquery()


def cases(session: Session, query: Select[Any], now: datetime) -> list[Case]:
    """Rows as cards."""
    return [
        Case(row, due_chip(row.due_at, row.is_open, row.disposed_on, now), row.language.name.lower())
        for row in session.execute(query)
    ]


def groups(session: Session, viewer: Viewer, now: datetime) -> list[Group]:
    """The lists of the home page, each for the post it is about."""
    found: list[Group] = []
    if viewer.at(Post.IO) and viewer.officer_id:
        found += own_cases(session, viewer, now)
    if viewer.at(*SUPERIORS):
        found += deciding(session, viewer, now)
        found += command_cases(session, viewer, now)
    if viewer.at(Post.BRANCH):
        found.append(branch_cases(session, viewer, now))
    if viewer.at(Post.FEEDBACK):
        found.append(unanswered(session, viewer, now))
    return found


def own_cases(session: Session, viewer: Viewer, now: datetime) -> list[Group]:
    """An IO's open cases: overdue, due within three days, the rest."""
    mine = Complaint.io_id == viewer.officer_id
    ids = scoped(viewer, Book.ANY, MOST, mine, Complaint.is_open)
    order = (Complaint.due_at, Complaint.id)
    listed = cases(session, cards(select(ids.c.id), order, last_action=True), now)
    back = [c for c in listed if c.row.status is Status.RETURNED]
    listed = [c for c in listed if c not in back]
    late = [c for c in listed if c.chip.kind == "late"]
    soon = [c for c in listed if c.chip.kind == "soon"]
    rest = [c for c in listed if c.chip.kind not in ("late", "soon")]
    act: dict[str, Any] = {"step": "act", "step_label": _("Add action"), "most": MOST}
    parts = [Group(_("Returned with objections"), back, **act), Group(_("Overdue"), late, **act),
             Group(_("Today and next 3 days"), soon, **act),
             Group(_("Rest"), rest, **act)]  # fmt: skip
    kept = [part for part in parts if part.cases]
    return kept or [Group(_("My cases"), [], empty=_("No open case is in your hands."))]


def command_cases(session: Session, viewer: Viewer, now: datetime) -> list[Group]:
    """An SHO sees what has no IO; above, the oldest overdue. Restricted ones for the entitled."""
    station = bool(viewer.at(Post.SHO))
    waiting = Complaint.io_id.is_(None) if station else Complaint.overdue(now)
    ordinary = scoped(viewer, Book.ORDINARY, LISTED, Complaint.is_open, waiting)
    few = among(lambda c: c.restricted, lambda c: c.is_open)
    closed = scoped(viewer, Book.RESTRICTED, LISTED, few)
    ids = union_all(select(ordinary.c.id), select(closed.c.id))
    listed = cases(session, cards(ids, (Complaint.due_at, Complaint.id)), now)
    main = [c for c in listed if not c.row.restricted]
    held = [c for c in listed if c.row.restricted]
    step = {"step": "assign", "step_label": _("Assign IO")} if station else {}
    title = _("Not yet assigned") if station else _("Longest overdue in my charge")
    more = grid("unassigned" if station else "overdue")
    empty = _("Every open complaint has an officer.") if station else _("Nothing is overdue.")
    found = [Group(title, main, **step, empty=empty, more=more)]
    if held:
        found.append(Group(_("Restricted: complaints against police"), held))
    return found


def deciding(session: Session, viewer: Viewer, now: datetime) -> list[Group]:
    """What lies with this officer's own desk: reports, transfers, appeals, requests; nothing if none."""
    ids = scoped(viewer, Book.ANY, LISTED, Complaint.id.in_(at_my_desk(viewer)))
    listed = cases(session, cards(select(ids.c.id), (Complaint.due_at, Complaint.id)), now)
    return [Group(_("Waits for my decision"), listed)] if listed else []


def at_my_desk(viewer: Viewer) -> Any:
    """Ids of complaints that lie at a desk of the viewer's units, or with a request to his post."""
    seats = viewer.at(*SUPERIORS)
    desks = (Desk.APPROVER, Desk.RECEIVER, Desk.AUTHORITY)
    lying = select(Stay.complaint_id).where(
        Stay.to_at.is_(None), Stay.desk.in_(desks), Stay.unit_id.in_([s.unit_id for s in seats])
    )
    asked = select(Request.complaint_id).join(Request.complaint).where(Request.decided_at.is_(None))
    holds = asked.where(
        Request.kind == RequestKind.HOLD, Complaint.unit_id.in_([s.unit_id for s in seats]),
        Request.asked_by_id.is_distinct_from(viewer.officer_id),
    )  # fmt: skip
    more = asked.where(
        Request.kind == RequestKind.EXTENSION,
        Complaint.unit_id.in_(units_of(viewer.at(Post.SP, Post.ADGP))),
    )
    return union_all(lying, holds, more)


def branch_cases(session: Session, viewer: Viewer, now: datetime) -> Group:
    """Registered at this desk and the copy still owed."""
    ids = scoped(viewer, Book.ANY, LISTED, owed(viewer))
    listed = cases(session, cards(select(ids.c.id), (Complaint.id,)), now)
    return Group(
        _("Registered without a copy delivered"), listed, "handover", _("Hand over"),
        empty=_("Every complainant has a copy."), more=f"{GRID}unsettled/",
    )  # fmt: skip


def unanswered(session: Session, viewer: Viewer, now: datetime) -> Group:
    """Disposed, and the complainant has not been asked yet; the oldest disposal first."""
    asked = Complaint.status.in_((Status.DISPOSED, Status.REPORT_DELIVERED, Status.FEEDBACK))
    most = LISTED * 2
    ids = scoped(viewer, Book.ANY, most, asked, Complaint.satisfied.is_(None))
    order = (Complaint.disposed_on, Complaint.id)
    listed = cases(session, cards(select(ids.c.id), order), now)
    return Group(
        _("Ask the complainant"), listed, "feedback", _("Record answer"),
        empty=_("Every complainant has been asked."), most=most,
    )


