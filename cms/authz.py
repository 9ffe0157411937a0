"""Who may do what to which rows: the whole policy on one page.

``PERMISSIONS`` says which posts may do a thing at all; ``visible`` narrows a SELECT to the rows
a viewer may see; ``allowed`` joins both for one complaint. Nothing else in CMS decides access.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, false, or_, select, true
from sqlalchemy.orm import aliased

from cms.models import (
    Accused,
    Appeal,
    ApprovalRule,
    Assignment,
    Attachment,
    BarredUnit,
    Category,
    Complaint,
    CopyTo,
    Deadline,
    Direction,
    Disposition,
    DispositionField,
    Document,
    EnquiryReport,
    History,
    HoldReason,
    Holiday,
    Mode,
    Notice,
    Officer,
    Party,
    Policy,
    Posting,
    PrintBatch,
    Proposal,
    QuickText,
    Rank,
    Request,
    Round,
    Seen,
    Signatory,
    Source,
    Stay,
    Unit,
    User,
)  # fmt: skip
from cms.rules import DISPOSED, SUPERIORS, SYSTEM, Post, Role, Seat, Status, Viewer

COMMAND = frozenset(SUPERIORS)
DESK = frozenset({Post.BRANCH, Post.SHO})
ENQUIRERS = (Post.IO, Post.SHO)
"""Posts whose holder may be named IO, also of a case that another office holds."""
READERS = COMMAND | {Post.IO, Post.BRANCH, Post.FEEDBACK, Post.AUDIT}

PERMISSIONS: Mapping[str, frozenset[Post]] = {
    "read": READERS,
    "pii": READERS,
    "register": DESK,
    "edit": DESK,
    "mark": COMMAND | {Post.BRANCH},
    "assign": COMMAND,
    "act": COMMAND | {Post.IO},
    "attach": COMMAND | {Post.IO, Post.BRANCH},
    "dispose": COMMAND,
    "direct": COMMAND,
    "comply": COMMAND | {Post.IO},
    "report": frozenset({Post.IO}),
    "ask": frozenset({Post.IO}),
    "hold": COMMAND,
    "resume": COMMAND | {Post.IO},
    "extend": frozenset({Post.SP, Post.ADGP}),
    "decide": COMMAND,
    "transfer": COMMAND,
    "accept": COMMAND,
    "refer": COMMAND,
    "connect": COMMAND | {Post.BRANCH, Post.IO},
    "merge": COMMAND | {Post.BRANCH},
    "consent": DESK,
    "withdraw": COMMAND,
    "accuse": COMMAND,
    "deliver": DESK,
    "feedback": frozenset({Post.FEEDBACK}),
    "inform": COMMAND | {Post.IO},
    "reopen": COMMAND | {Post.BRANCH},
    "appeal": frozenset({Post.BRANCH}),
    "hear": COMMAND - {Post.SHO},
    "export": COMMAND | {Post.BRANCH, Post.AUDIT},
    "history": COMMAND | {Post.AUDIT},
    "people": frozenset({Post.BRANCH}),
    "confirm": COMMAND - {Post.SHO} | {Post.BRANCH},
}
ADMIN_MAY = frozenset({"people", "confirm", "accounts", "masters", "history_registry"})
"""What an administrator may do; none of it opens a complaint."""

FOUR_EYES = frozenset({"decide", "dispose", "hold", "extend", "withdraw", "hear"})
"""What an IO never does on a case of his own, whatever his post."""

KEPT_BY: Mapping[type[Any], str] = {
    Unit: "masters", Rank: "masters", Mode: "masters", Source: "masters",
    Category: "masters", Disposition: "masters", Officer: "people", Policy: "masters",
    Holiday: "masters", ApprovalRule: "masters", DispositionField: "masters", HoldReason: "masters",
    QuickText: "masters", CopyTo: "masters", Signatory: "masters",
}  # fmt: skip
"""What "edit" means for the rows of a registry table; elsewhere it means "edit"."""


def writing(model: type[Any], permission: str) -> str:
    """The permission behind a column's ``write`` keyword in this table."""
    return KEPT_BY.get(model, permission) if permission == "edit" else permission


class Book(Enum):
    """Which complaints a list is about; restricted ones never enter the ordinary book."""

    ANY = "any"
    ORDINARY = "ordinary"
    RESTRICTED = "restricted"


def may(viewer: Viewer, permission: str) -> bool:
    """True if some seat (or the administrator's role) carries the permission at all."""
    if viewer is SYSTEM:
        return True
    if viewer.role is Role.ADMIN:
        return permission in ADMIN_MAY
    return bool(viewer.at(*PERMISSIONS.get(permission, ())))


def under(path_column: Any, seats: tuple[Seat, ...]) -> ColumnElement[bool]:
    """Units at or below any of the seats; '/' + 1 is '0', so a prefix is one index range."""
    ranges = [and_(path_column >= s.path, path_column < s.path[:-1] + "0") for s in seats]
    return or_(*ranges) if ranges else false()


@cache
def any_unit() -> type[Unit]:
    """The units under a name of their own, which no query around a sub-select can take for its own. Made
    once: naming the columns of a table anew was five sixths of what the policy cost."""
    return aliased(Unit)


def units_of(seats: tuple[Seat, ...]) -> Select[Any]:
    """Ids of the units at or below the seats, as a sub-select."""
    unit = any_unit()
    return select(unit.id).where(under(unit.path, seats))


def visible(
    query: Select[Any], model: type[Any], viewer: Viewer, book: Book = Book.ANY
) -> Select[Any]:
    """Narrow a SELECT over ``model`` to the rows this viewer may see."""
    if viewer is SYSTEM:
        return query
    if model is Complaint:
        return query.where(*complaint_scope(viewer, book))
    if model in CHILDREN:
        seen = visible(select(Complaint.id), Complaint, viewer, book)
        return query.where(model.complaint_id.in_(seen))
    return query.where(REGISTRY[model](viewer) if model in REGISTRY else false())


def complaint_scope(viewer: Viewer, book: Book = Book.ANY) -> list[ColumnElement[bool]]:
    """The conditions of a complaint this viewer may see."""
    if viewer.role is Role.ADMIN or not viewer.seats:
        return [false()]
    conditions = [or_(*jurisdiction(viewer, book))]
    if book is Book.ORDINARY:
        return [*conditions, ~Complaint.restricted]
    if book is Book.RESTRICTED:
        return [*conditions, and_(Complaint.restricted), unbarred(viewer)]
    return [*conditions, or_(~Complaint.restricted, unbarred(viewer))]


def jurisdiction(viewer: Viewer, book: Book) -> list[ColumnElement[bool]]:
    """The ways in which a complaint comes under a viewer: command, own cases, copies, feedback."""
    ways: list[ColumnElement[bool]] = []
    if seats := viewer.at(*SUPERIORS, Post.BRANCH, Post.AUDIT):
        ways.append(Complaint.unit_id.in_(units_of(seats)))
    if viewer.at(*ENQUIRERS) and viewer.officer_id:
        ways.append(Complaint.io_id == viewer.officer_id)
        if book is Book.ANY:
            was = select(Assignment.complaint_id).where(Assignment.officer_id == viewer.officer_id)
            ways.append(Complaint.id.in_(was))
    if seats := viewer.at(Post.FEEDBACK):
        ways.append(
            and_(
                Complaint.unit_id.in_(units_of(seats)), ~Complaint.is_open,
                Complaint.status.in_(sorted_disposed()),
            )
        )
    if book is Book.ANY and (seats := viewer.at(*SUPERIORS)):
        ways.append(Complaint.transfer_to_id.in_(units_of(seats)))
    if book is Book.ANY and (seats := viewer.at(*DESK)):
        mine = Complaint.registered_unit_id.in_(units_of(seats))
        ways.append(and_(Complaint.copy_settled_at.is_(None), mine))
    return ways or [false()]


def sorted_disposed() -> list[Status]:
    """The disposed statuses in declaration order, so that the statement text is stable."""
    return sorted(DISPOSED, key=lambda s: s.value)


def unbarred(viewer: Viewer) -> ColumnElement[bool]:
    """Neither accused nor posted in or below a unit that the conflict-of-interest rule bars."""
    line = sorted({unit for seat in viewer.seats for unit in seat.line})
    barred = select(BarredUnit.unit_id).where(
        BarredUnit.complaint_id == Complaint.id, BarredUnit.unit_id.in_(line)
    )
    accused = select(Accused.id).where(
        Accused.complaint_id == Complaint.id,
        Accused.officer_id == viewer.officer_id,
        Accused.restricts,
        Accused.dropped_at.is_(None),
    )
    return and_(~barred.exists(), ~accused.exists())


def staff_unit(viewer: Viewer) -> ColumnElement[bool]:
    """Units an officer may look up: the whole tree is public knowledge."""
    return true()


def officer_scope(viewer: Viewer) -> ColumnElement[bool]:
    """Officers of the viewer's units and below; an administrator sees all."""
    if viewer.role is Role.ADMIN:
        return true()
    seats = viewer.at(*SUPERIORS, Post.BRANCH, Post.AUDIT)
    own = Officer.id == viewer.officer_id
    return or_(Officer.unit_id.in_(units_of(seats)), own) if seats else own


def posting_scope(viewer: Viewer) -> ColumnElement[bool]:
    """Postings of the officers in scope."""
    return Posting.officer_id.in_(select(Officer.id).where(officer_scope(viewer)))


def notice_scope(viewer: Viewer) -> ColumnElement[bool]:
    """One's own notices, as long as the complaint may still be seen."""
    seen = visible(select(Complaint.id), Complaint, viewer)
    return and_(Notice.officer_id == viewer.officer_id, Notice.complaint_id.in_(seen))


def history_scope(viewer: Viewer) -> ColumnElement[bool]:
    """History of complaints in scope; an administrator sees the registry's only."""
    if viewer.role is Role.ADMIN:
        return History.root != "complaint"
    seen = visible(select(Complaint.id), Complaint, viewer)
    return and_(History.root == "complaint", History.root_id.in_(seen))


def admin_only(viewer: Viewer) -> ColumnElement[bool]:
    """Accounts: the administrator's."""
    return true() if viewer.role is Role.ADMIN else false()


def proposal_scope(viewer: Viewer) -> ColumnElement[bool]:
    """Proposed changes of people for the viewer's units; an administrator sees all."""
    if viewer.role is Role.ADMIN:
        return true()
    seats = viewer.at(*(PERMISSIONS["people"] | PERMISSIONS["confirm"]))
    return Proposal.unit_id.in_(units_of(seats)) if seats else false()


def batch_scope(viewer: Viewer) -> ColumnElement[bool]:
    """Files for printing: whose desk asked for them. Each letter in it is asked for anew."""
    return PrintBatch.asked_by_id == viewer.user_id if may(viewer, "deliver") else false()


CHILDREN: frozenset[type[Any]] = frozenset(
    {Party, Document, Attachment, Request, Direction, Appeal, EnquiryReport, Deadline, Stay, Round, Seen}
)
REGISTRY: Mapping[type[Any], Any] = {
    Unit: staff_unit,
    Rank: staff_unit,
    Mode: staff_unit,
    Source: staff_unit,
    Category: staff_unit,
    Disposition: staff_unit,
    DispositionField: staff_unit,
    HoldReason: staff_unit,
    QuickText: staff_unit,
    Policy: staff_unit,
    Holiday: staff_unit,
    ApprovalRule: staff_unit,
    CopyTo: staff_unit,
    Signatory: staff_unit,
    Proposal: proposal_scope,
    PrintBatch: batch_scope,
    Officer: officer_scope,
    Posting: posting_scope,
    User: admin_only,
    Notice: notice_scope,
    History: history_scope,
}


def covers(seats: tuple[Seat, ...], unit: Unit) -> bool:
    """True if the unit is at or below one of the seats."""
    return any(unit.path.startswith(seat.path) for seat in seats)


def allowed(viewer: Viewer, permission: str, complaint: Complaint) -> bool:
    """May this viewer do this to a complaint that is visible to him?

    The seat that carries the permission must cover the complaint's unit; an IO acts on his own
    cases only; the feedback cell never asks about its own station's case; who is or was IO
    never disposes (``services.complaints`` checks the past, the database the present).
    """
    if viewer is SYSTEM:
        return True
    posts = PERMISSIONS.get(permission, frozenset())
    seats = viewer.at(*(posts - {Post.IO, Post.FEEDBACK}))
    if permission == "accept":
        return complaint.transfer_to is not None and covers(seats, complaint.transfer_to)
    if permission == "accuse":
        seats = tuple(s for s in seats if s.unit_id != complaint.unit_id)
    if covers(seats, complaint.unit):
        return not (permission in FOUR_EYES and complaint.io_id == viewer.officer_id)
    if Post.IO in posts and viewer.seats and complaint.io_id == viewer.officer_id:
        return viewer.officer_id is not None
    if Post.FEEDBACK in posts:
        seats = tuple(s for s in viewer.at(Post.FEEDBACK) if s.unit_id != complaint.unit_id)
        return covers(seats, complaint.unit) and complaint.status in DISPOSED
    if permission == "deliver" and complaint.copy_settled_at is None:
        return covers(viewer.at(*posts), complaint.registered_unit)
    return False
