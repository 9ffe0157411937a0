"""Transfer to another unit, with its acceptance; a complaint is never closed as "not ours".

The receiving unit answers in 48 hours; else, or if it declines, the complaint goes to the sender's
superior. The overall clock runs on. (PRODUCT.md, life of a complaint.)
"""

from __future__ import annotations

import logging
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.exc import NoResultFound

from cms.i18n import _l
from cms.models import ActionKind, Complaint, Deadline, DeadlineKind, Disposition, Request, RequestKind, Unit
from cms.rules import SYSTEM, Move, RuleBroken
from cms.services import conflict, enquiry, requests
from cms.services.desk import filled, one_of, optional
from cms.services.step import case_for, note, round_of, take
from cms.unit_of_work import Work, unit_of_work

log = logging.getLogger(__name__)


def transfer(
    work: Work, complaint_id: int, version: int, unit_id: int | None, text: str
) -> Complaint:
    """Ask another unit to take the complaint over, with reasons."""
    complaint = case_for(work, Move.TRANSFER, complaint_id, version)
    requests.refuse_second(work, complaint, RequestKind.TRANSFER)
    unit = one_of(work, Unit, unit_id, _l("Unit"))
    if unit.id == complaint.unit_id:
        raise RuleBroken(_l("The complaint lies with this unit already."))
    if unit.district_id is None:
        raise RuleBroken(_l("Mark it to a station or district, not above."))
    conflict.check_unit(work, complaint, unit)
    said = filled(text, _l("Reasons"), 2_000)
    complaint.transfer_to_id = unit.id
    work.session.add(
        Request(
            complaint_id=complaint.id, round=complaint.round, kind=RequestKind.TRANSFER,
            asked_at=work.now, asked_by_id=work.actor.officer_id, reasons=said, to_unit_id=unit.id,
            from_unit_id=complaint.unit_id,
        )
    )  # fmt: skip
    take(work, complaint, Move.TRANSFER)
    note(work, complaint, ActionKind.TRANSFERRED, f"{unit.name_en}: {said}")
    return complaint


def accept(work: Work, complaint_id: int, version: int, text: str = "") -> Complaint:
    """Take the complaint over; the receiving unit names an IO of its own."""
    complaint = case_for(work, Move.ACCEPT, complaint_id, version)
    request = requests.asked(work, complaint, RequestKind.TRANSFER)
    requests.answer(work, request, True, text)
    move_to(work, complaint, request.to_unit_id or complaint.unit_id, Move.ACCEPT)
    note(work, complaint, ActionKind.ACCEPTED, complaint.unit.name_en)
    return complaint


def decline(work: Work, complaint_id: int, version: int | None, text: str) -> Complaint:
    """Decline with reasons; the complaint goes to the superior of whoever sent it."""
    complaint = case_for(work, Move.DECLINE, complaint_id, version)
    request = requests.asked(work, complaint, RequestKind.TRANSFER)
    requests.answer(work, request, False, text)
    sender = work.session.get_one(Unit, request.from_unit_id)
    move_to(work, complaint, sender.parent_id or sender.id, Move.DECLINE)
    note(work, complaint, ActionKind.DECLINED, request.answer)
    return complaint


def move_to(work: Work, complaint: Complaint, unit_id: int, move: Move) -> None:
    """The complaint lies with another unit, unassigned; a conflict of interest is looked at anew."""
    complaint.unit = work.session.get_one(Unit, unit_id)
    complaint.unit_id = unit_id
    complaint.io_id = None
    complaint.io = None
    complaint.transfer_to_id = None
    conflict.bar(work, complaint)
    work.session.flush()
    take(work, complaint, move)


def returned(complaint_id: int, now: datetime | None) -> bool:
    """One of them, by itself: a case that cannot is logged and holds up no other."""
    try:
        with unit_of_work(SYSTEM, via="job", now=now) as work:
            decline(work, complaint_id, None, str(_l("Not answered in time.")))
    except (RuleBroken, NoResultFound) as error:
        log.warning("complaint %s: %s", complaint_id, error)
        return False
    return True


def lapse(now: datetime | None = None) -> int:
    """Send transfers that nobody answered in time to the sender's superior; how many."""
    with unit_of_work(SYSTEM, via="job", now=now) as work:
        query = select(Deadline.complaint_id).where(
            Deadline.kind == DeadlineKind.ACCEPT, Deadline.met_at.is_(None),
            Deadline.dropped_at.is_(None), Deadline.due_at < work.now,
        )  # fmt: skip
        late = list(work.session.scalars(query.order_by(Deadline.due_at, Deadline.id)))
    return sum(returned(complaint_id, now) for complaint_id in late)


def refer(
    work: Work, complaint_id: int, version: int, office: str, acceptance: str, reasons: str
) -> Complaint:
    """Send it to a department outside the police, whose acceptance is on file."""
    complaint = case_for(work, Move.REFER, complaint_id, version)
    to = filled(office, _l("Office"), 200)
    letter = filled(acceptance, _l("Number and date of its acceptance"), 200)
    said = filled(reasons, _l("Reasons"), 2_000)
    disposition = work.session.scalar(select(Disposition).where(Disposition.code == "TRF"))
    if disposition is None:
        raise RuleBroken(_l("The disposition “%(code)s” is missing from the register."), code="TRF")
    close_request(work, complaint)
    enquiry.conclude(work, complaint, disposition, f"{to} ({letter})\n{said}")
    take(work, complaint, Move.REFER)
    round_of(work, complaint).closed_at = work.now
    note(work, complaint, ActionKind.REFERRED, f"{to} ({letter}): {said}")
    return complaint


def close_request(work: Work, complaint: Complaint) -> None:
    """A transfer that waits for an answer needs none any more."""
    request = requests.pending(work, complaint, RequestKind.TRANSFER)
    if request is not None:
        request.granted, request.decided_at = False, work.now
        request.answer = optional(str(_l("Overtaken by the end of the complaint.")), "", 200) or ""
        complaint.transfer_to_id = None
