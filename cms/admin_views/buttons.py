"""Which buttons a complaint page shows: the moves that are offered, less those that lead nowhere now."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy.orm import Session

from cms.admin_views.ledgers import Ledgers
from cms.admin_views.move_forms import FORMS, NAME_OF
from cms.authz import COMMAND, allowed
from cms.models import Complaint, Deadline, DeadlineKind, Direction, RequestKind, Unit
from cms.rules import SUPERIORS, Move, Seat, Status, Viewer
from cms.services import enquiry, step

M = Move
URGENT = (M.ACCEPT, M.HOLD, M.EXTEND, M.DISMISS)
"""What somebody else waits for comes first."""
FIRST = {
    Status.REGISTERED: (M.MARK, M.ASSIGN),
    Status.MARKED: (M.ASSIGN, M.MARK),
    Status.ASSIGNED: (M.ACT,),
    Status.UNDER_ENQUIRY: (M.ACT,),
    Status.ON_HOLD: (M.RESUME,),
    Status.RETURNED: (M.REPORT, M.ACT),
    Status.REPORT_SUBMITTED: (M.DISPOSE, M.FORWARD),
    Status.WITH_APPROVER: (M.DISPOSE, M.FORWARD),
    Status.DISPOSED: (M.DELIVER, M.FEEDBACK),
    Status.REPORT_DELIVERED: (M.FEEDBACK,),
    Status.FEEDBACK: (M.FEEDBACK,),
}
"""Which button is the blue one: the next step that a complaint in this status waits for."""
BESIDE = (
    M.COMPLY, M.REPORT, M.DECLINE, M.RETURN, M.FORWARD, M.ASSIGN, M.ATTEMPT, M.DELIVER, M.DIRECT, M.INFORM, M.ACT,
    M.ASK_EXTENSION, M.REOPEN, M.APPEAL, M.ASK_HOLD, M.TRANSFER, M.MARK,
)  # fmt: skip
"""The order in which quiet buttons stand beside it."""
QUIET = 2
"""Quiet buttons in sight; the others open under "More"."""


@dataclass(frozen=True, slots=True)
class Button:
    """A link to the form of a move."""

    name: str
    label: str


@dataclass(frozen=True, slots=True)
class Buttons:
    """The blue button, the quiet ones beside it, and the rest."""

    primary: Button | None
    quiet: list[Button] = field(default_factory=list)
    more: list[Button] = field(default_factory=list)


def buttons(session: Session, viewer: Viewer, complaint: Complaint, found: Ledgers) -> Buttons:
    """The buttons of a complaint for this viewer."""
    moves = narrowed(session, viewer, complaint, found, step.offered(viewer, complaint))
    wanted = (*URGENT, *FIRST.get(complaint.status, ()))
    primary = next((move for move in wanted if move in moves), None)
    order = {move: number for number, move in enumerate((*wanted, *BESIDE))}
    rest = sorted((m for m in moves if m is not primary), key=lambda m: order.get(m, len(order)))
    made = list({button.name: button for button in map(button_of, rest)}.values())
    first = button_of(primary) if primary else None
    made = [button for button in made if first is None or button.name != first.name]
    links = [
        Button(name, str(form.title)) for name, form in FORMS.items()
        if form.needs and not form.moves and allowed(viewer, form.needs, complaint)
    ]  # fmt: skip
    return Buttons(first, made[:QUIET], [*made[QUIET:], *links])


def button_of(move: Move) -> Button:
    """The button of a move, under the name of the page that takes it."""
    name = NAME_OF.get(move, move.name.lower().replace("_", "-"))
    return Button(name, str(FORMS[name].title) if name in FORMS else str(move))


def narrowed(
    session: Session, viewer: Viewer, complaint: Complaint, found: Ledgers, moves: list[Move]
) -> list[Move]:  # fmt: skip
    """The moves that lead somewhere: what is decided was asked, what is asked does not wait already.

    Only a help for the eye; the use cases refuse all the same.
    """
    hidden = {*idle_requests(viewer, found), *undecided(session, viewer, complaint, found)}
    me = viewer.officer_id
    if not any(order.by_id != me for order in unanswered(found)):
        hidden.add(M.COMPLY)
    if not any(waits(d) for d in complaint.deadlines if d.kind is DeadlineKind.PROGRESS):
        hidden.add(M.INFORM)
    return [move for move in moves if move not in hidden]


def unanswered(found: Ledgers) -> list[Direction]:
    """Directions whose compliance is still to be reported; an earlier round's are over with it."""
    return [order for order in found.directions if order.replied_at is None and order.deadline.dropped_at is None]


def waits(deadline: Deadline) -> bool:
    """Neither met nor dropped."""
    return deadline.met_at is None and deadline.dropped_at is None


ASKS = {
    RequestKind.HOLD: (M.ASK_HOLD, (M.HOLD,)),
    RequestKind.EXTENSION: (M.ASK_EXTENSION, (M.EXTEND,)),
    RequestKind.TRANSFER: (M.TRANSFER, (M.ACCEPT, M.DECLINE)),
}
"""What is asked -> the move that asks, the moves that answer."""


def idle_requests(viewer: Viewer, found: Ledgers) -> set[Move]:
    """Asking while one waits, and answering what nobody else asked."""
    waiting = {asked.kind: asked for asked in found.requests if asked.decided_at is None}
    hidden: set[Move] = set()
    for kind, (ask, answers) in ASKS.items():
        asked = waiting.get(kind)
        if asked is not None:
            hidden.add(ask)
        if asked is None or (asked.asked_by_id is not None and asked.asked_by_id == viewer.officer_id):
            hidden.update(answers)
    return hidden


def undecided(session: Session, viewer: Viewer, complaint: Complaint, found: Ledgers) -> set[Move]:
    """Decisions that are another desk's, or not for somebody who enquired himself."""
    enquired = any(row.officer_id == viewer.officer_id for row in found.assignments)
    hidden: set[Move] = set()
    appeal = next((one for one in found.appeals if one.decided_at is None), None)
    if appeal is None or enquired or not seats_over(viewer, appeal.unit):
        hidden |= {M.DISMISS, M.ALLOW}
    desk = next((stay for stay in found.stays if stay.to_at is None), None)
    seats = seats_over(viewer, desk.unit if desk else complaint.unit)
    if enquired or not seats:
        return hidden | {M.RETURN, M.FORWARD, M.DISPOSE}
    if found.reports and complaint.status in (Status.REPORT_SUBMITTED, Status.WITH_APPROVER):
        needed = enquiry.needed_post(session, found.reports[-1].disposition_id, complaint)
        if max(SUPERIORS.index(seat.post) for seat in seats) < SUPERIORS.index(needed):
            hidden.add(M.DISPOSE)
    return hidden


def seats_over(viewer: Viewer, unit: Unit) -> list[Seat]:
    """The viewer's seats of command at the unit or above it."""
    return [seat for seat in viewer.at(*COMMAND) if unit.path.startswith(seat.path)]
