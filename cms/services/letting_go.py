"""A complaint leaves its IO without an end: he was posted elsewhere, or may not see it any more.

It goes back to the head of the unit that holds it, unassigned; what was asked of a superior in the
IO's name falls with him. The overall clock runs on. (PRODUCT.md, hand-over.)
"""

from __future__ import annotations

from cms.i18n import _l
from cms.models import Complaint, Desk, RequestKind
from cms.rules import WORKED, Move, Status
from cms.services import requests, stays
from cms.services.step import take
from cms.unit_of_work import Work


def to_head(work: Work, complaint: Complaint) -> None:
    """Nobody is IO; an enquiry under way is marked to the unit again, a report stays where it lies.

    A hold ends first, so that its unused days are taken back from the due date.
    """
    if complaint.status is Status.ON_HOLD:
        requests.end_hold(work, complaint)
    refuse_hold(work, complaint)
    complaint.io = None
    complaint.io_id = None
    if complaint.status not in WORKED:
        return
    work.session.flush()
    take(work, complaint, Move.BACK)
    if complaint.transfer_to_id is not None:
        work.session.flush()
        stays.begin(work, complaint, Desk.RECEIVER, complaint.transfer_to_id)


def refuse_hold(work: Work, complaint: Complaint) -> None:
    """A hold asked for by an IO who has the case no more is answered with no."""
    request = requests.pending(work, complaint, RequestKind.HOLD)
    if request is not None:
        request.granted, request.decided_at = False, work.now
        request.answer = str(_l("The officer who asked has the complaint no more."))
