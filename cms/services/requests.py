"""What an IO asks of a superior: to let the enquiry rest for some days, or for more time.

Both move the overall due date by a change with author and reason, and nothing else does. Statutory
clocks run on. (PRODUCT.md: hold up to 7 days, SHO approves; extension up to 15 days, once by the
SP, a second time by the ADGP.)
"""

from __future__ import annotations

import logging
from datetime import date, datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.exc import NoResultFound

from cms.authz import covers
from cms.i18n import _l, ist_day
from cms.models import ActionKind, Complaint, Hold, HoldReason, Request, RequestKind
from cms.rules import (
    EXTENSION_DAYS,
    EXTENSIONS,
    HOLD_DAYS,
    SUPERIORS,
    SYSTEM,
    Move,
    RuleBroken,
    day_end,
)  # fmt: skip
from cms.services import clocks, letters
from cms.services.desk import filled, one_of, optional
from cms.services.step import case_for, note, take
from cms.unit_of_work import Work, unit_of_work

log = logging.getLogger(__name__)


def pending(work: Work, complaint: Complaint, kind: RequestKind) -> Request | None:
    """The request of this kind that waits for an answer."""
    query = select(Request).where(
        Request.complaint_id == complaint.id, Request.kind == kind, Request.decided_at.is_(None)
    )
    return work.session.scalar(query)


def asked(work: Work, complaint: Complaint, kind: RequestKind) -> Request:
    """The request to be answered, by another than whoever asked. RuleBroken if there is none."""
    request = pending(work, complaint, kind)
    if request is None:
        raise RuleBroken(_l("There is no such request to answer; it may have been answered already."))
    if request.asked_by_id is not None and request.asked_by_id == work.actor.officer_id:
        raise RuleBroken(_l("You asked for this yourself; your superior must answer."))
    return request


def answer(work: Work, request: Request, granted: bool | None, text: str) -> None:
    """Write the answer; a refusal must say why. RuleBroken if it is neither yes nor no."""
    if granted is None:
        raise RuleBroken(_l("Choose whether to grant the request."))
    said = optional(text, _l("Answer"), 2_000) or ""
    if not granted:
        filled(said, _l("Reason of the refusal"), 2_000)
    request.granted, request.answer = granted, said
    request.decided_at, request.decided_by_id = work.now, work.actor.officer_id


def refuse_second(work: Work, complaint: Complaint, kind: RequestKind) -> None:
    """RuleBroken if one is waiting already."""
    if pending(work, complaint, kind) is not None:
        raise RuleBroken(_l("A request of this kind is waiting for an answer already."))


# ---------------------------------------------------------------- hold


def ask_hold(
    work: Work, complaint_id: int, version: int, reason_id: int | None, until: date | None, text: str
) -> Complaint:
    """Ask that the enquiry may rest, with a reason from the list and an expected end."""
    complaint = case_for(work, Move.ASK_HOLD, complaint_id, version)
    refuse_second(work, complaint, RequestKind.HOLD)
    reason = one_of(work, HoldReason, reason_id, _l("Reason"))
    check_until(until, ist_day(work.now))
    if complaint.overdue(work.now):
        raise RuleBroken(_l("The time is over already; ask for more time instead."))
    said = filled(text, _l("Note"), 2_000)
    work.session.add(
        Request(
            complaint_id=complaint.id, round=complaint.round, kind=RequestKind.HOLD, asked_at=work.now,
            asked_by_id=work.actor.officer_id, reason=reason, reasons=said, until=until,
        )
    )  # fmt: skip
    note(work, complaint, ActionKind.ASKED, f"{RequestKind.HOLD.name}: {reason.name_en}: {said}")
    return complaint


def check_until(until: date | None, today: date) -> date:
    """RuleBroken unless the expected end lies within the next days that the rule allows."""
    if until is None or not today < until <= today + timedelta(days=HOLD_DAYS):
        raise RuleBroken(_l("The hold may last at most %(days)s days from today."), days=HOLD_DAYS)
    return until


def decide_hold(
    work: Work, complaint_id: int, version: int, granted: bool | None, text: str = ""
) -> Complaint:
    """Grant or refuse a hold. While it lasts the overall clock stands still and nothing fires."""
    complaint = case_for(work, Move.HOLD, complaint_id, version)
    request = asked(work, complaint, RequestKind.HOLD)
    answer(work, request, granted, text)
    if granted:
        today = ist_day(work.now)
        until = check_until(request.until, today)
        if complaint.overdue(work.now):
            raise RuleBroken(_l("The time is over already; a hold cannot bring it back."))
        work.session.add(
            Hold(complaint_id=complaint.id, request=request, started_at=work.now, until=until)
        )
        take(work, complaint, Move.HOLD)
        work.session.flush()
        clocks.shift(work, complaint, request, ist_day(complaint.due_at) + (until - today))
    kind = ActionKind.GRANTED if granted else ActionKind.REFUSED
    note(work, complaint, kind, " · ".join(filter(None, [RequestKind.HOLD.name, request.answer])))
    return complaint


def resume(work: Work, complaint_id: int, version: int | None, text: str = "") -> Complaint:
    """End the hold; days that were granted and not used are taken back from the due date."""
    complaint = case_for(work, Move.RESUME, complaint_id, version)
    end_hold(work, complaint, text)
    return complaint


def end_hold(work: Work, complaint: Complaint, text: str = "") -> None:
    """The hold itself ends, whoever ends it; days not used are taken back."""
    hold = work.session.scalars(
        select(Hold).where(Hold.complaint_id == complaint.id, Hold.ended_at.is_(None))
    ).one()
    hold.ended_at = work.now
    take(work, complaint, Move.RESUME)
    unused = (hold.until - ist_day(work.now)).days
    if unused > 0:
        clocks.shift(work, complaint, hold.request, ist_day(complaint.due_at) - timedelta(days=unused))
    note(work, complaint, ActionKind.RESUMED, optional(text, _l("Note"), 2_000) or "")


def resumed(complaint_id: int, now: datetime | None) -> bool:
    """One of them, by itself: a case that cannot is logged and holds up no other."""
    try:
        with unit_of_work(SYSTEM, via="job", now=now) as work:
            resume(work, complaint_id, None)
    except (RuleBroken, NoResultFound) as error:
        log.warning("complaint %s: %s", complaint_id, error)
        return False
    return True


def end_holds(now: datetime | None = None) -> int:
    """Resume every enquiry whose hold has come to its expected end; how many."""
    with unit_of_work(SYSTEM, via="job", now=now) as work:
        over = select(Hold.complaint_id).where(Hold.ended_at.is_(None), Hold.until <= ist_day(work.now))
        waiting = list(work.session.scalars(over.order_by(Hold.id)))
    return sum(resumed(complaint_id, now) for complaint_id in waiting)


# ---------------------------------------------------------------- extension


def granted_so_far(work: Work, complaint: Complaint) -> int:
    """Extensions granted in the present round."""
    query = select(func.count()).select_from(Request).where(
        Request.complaint_id == complaint.id, Request.round == complaint.round,
        Request.kind == RequestKind.EXTENSION, Request.granted.is_(True),
    )  # fmt: skip
    return work.session.scalar(query) or 0


def ask_extension(
    work: Work, complaint_id: int, version: int, days: int | None, text: str
) -> Complaint:
    """Ask for more time, with reasons. RuleBroken if too long or if two were granted already."""
    complaint = case_for(work, Move.ASK_EXTENSION, complaint_id, version)
    refuse_second(work, complaint, RequestKind.EXTENSION)
    if days is None or not 1 <= days <= EXTENSION_DAYS:
        raise RuleBroken(_l("Ask for 1 to %(days)s days."), days=EXTENSION_DAYS)
    if granted_so_far(work, complaint) >= len(EXTENSIONS):
        raise RuleBroken(_l("The time was extended twice already; there is no third extension."))
    said = filled(text, _l("Reasons"), 2_000)
    work.session.add(
        Request(
            complaint_id=complaint.id, round=complaint.round, kind=RequestKind.EXTENSION,
            asked_at=work.now, asked_by_id=work.actor.officer_id, reasons=said, days=days,
        )
    )  # fmt: skip
    note(work, complaint, ActionKind.ASKED, f"{RequestKind.EXTENSION.name}: {days}: {said}")
    return complaint


def decide_extension(
    work: Work, complaint_id: int, version: int, granted: bool | None, text: str = ""
) -> Complaint:
    """Grant or refuse more time; the complainant gets an interim reply, the old date stays on record."""
    complaint = case_for(work, Move.EXTEND, complaint_id, version)
    request = asked(work, complaint, RequestKind.EXTENSION)
    needed = EXTENSIONS[min(granted_so_far(work, complaint), len(EXTENSIONS) - 1)]
    lowest = SUPERIORS.index(needed)
    if not covers(work.actor.at(*SUPERIORS[lowest:]), complaint.unit):
        raise RuleBroken(_l("This extension is granted by the %(post)s or above."), post=needed.label)
    answer(work, request, granted, text)
    if granted:
        late = max(complaint.due_at, day_end(ist_day(work.now)))
        clocks.shift(work, complaint, request, ist_day(late) + timedelta(days=request.days or 0))
        letters.issue_interim(work, complaint, request.reasons)
    kind = ActionKind.GRANTED if granted else ActionKind.REFUSED
    note(work, complaint, kind, " · ".join(filter(None, [RequestKind.EXTENSION.name, request.answer])))
    return complaint
