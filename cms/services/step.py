"""Taking a step: one row of the table of moves, applied to a complaint.

Status, clocks and desk change together here and nowhere else; the use cases around it check what
the table cannot say and write the diary.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select

from cms.authz import allowed
from cms.i18n import _l
from cms.models import Action, ActionKind, Assignment, Complaint, Round
from cms.rules import DURING_TRANSFER, ENDS, MOVES, OPEN, UNOFFERED, Move, RuleBroken, Viewer, check_move
from cms.services import clocks, stays
from cms.services.desk import complaint_for
from cms.unit_of_work import Work


def case_for(work: Work, move: Move, complaint_id: int, version: int | None) -> Complaint:
    """The complaint, if the actor may take this step now.

    NotFound, Forbidden, Conflict, or RuleBroken if its status does not allow the step.
    """
    complaint = complaint_for(work, MOVES[move].needs, complaint_id, version)
    check_move(move, complaint.status)
    if complaint.transfer_to is not None and move not in DURING_TRANSFER:
        raise RuleBroken(
            _l("%(unit)s has been asked to take the complaint over; wait for its answer."),
            unit=complaint.transfer_to.name,
        )  # fmt: skip
    return complaint


def take(
    work: Work, complaint: Complaint, move: Move, *, unit_id: int | None = None,
    officer_id: int | None = None,
) -> None:  # fmt: skip
    """Change status, clocks and desk as the table says. RuleBroken if the step cannot start here.

    unit_id, officer_id: the desk, where it does not follow from the complaint itself.
    """
    step = MOVES[move]
    complaint.status = check_move(move, complaint.status)
    complaint.is_open = complaint.status in OPEN
    clocks.meet(work, complaint, step.meets)
    clocks.drop(work, complaint, step.drops)
    for kind in step.begins:
        clocks.start(work, complaint, kind)
    if step.desk is not None:
        place = (unit_id, officer_id) if unit_id else stays.place(complaint, step.desk)
        stays.begin(work, complaint, step.desk, place[0] or complaint.unit_id, place[1])
    elif complaint.status in ENDS:
        stays.end(work, complaint)


def note(
    work: Work, complaint: Complaint, kind: ActionKind, text: str, at: datetime | None = None,
    corrects: int | None = None,
) -> Action:  # fmt: skip
    """An entry of the diary, with both times."""
    action = Action(
        complaint_id=complaint.id,
        round=complaint.round,
        kind=kind,
        happened_at=at or work.now,
        logged_at=work.now,
        note=text,
        officer_id=work.actor.officer_id,
        user_id=work.actor.user_id,
        corrects_id=corrects,
    )
    work.session.add(action)
    return action


def round_of(work: Work, complaint: Complaint) -> Round:
    """The row of the present round."""
    query = select(Round).where(Round.complaint_id == complaint.id, Round.no == complaint.round)
    return work.session.scalars(query).one()


def offered(viewer: Viewer, complaint: Complaint) -> list[Move]:
    """The moves to show as buttons: possible from this status and allowed to this viewer."""
    return [
        move
        for move, step in MOVES.items()
        if move not in UNOFFERED
        and (complaint.transfer_to_id is None or move in DURING_TRANSFER)
        and complaint.status in step.starts and allowed(viewer, step.needs, complaint)
    ]


def check_four_eyes(work: Work, complaint: Complaint) -> None:
    """RuleBroken if the actor ever was IO of this complaint: he neither disposes nor asks."""
    query = select(Assignment.id).where(
        Assignment.complaint_id == complaint.id, Assignment.officer_id == work.actor.officer_id
    )
    if work.session.scalar(query.limit(1)) is not None:
        raise RuleBroken(_l("You enquired into this complaint; another officer must take this step."))
