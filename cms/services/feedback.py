"""Asking the complainant: satisfied or not, and why; by the feedback cell, never by the IO."""

from __future__ import annotations

from sqlalchemy import select

from cms.i18n import _l, ist_day
from cms.models import Action, ActionKind, Complaint, Feedback
from cms.rules import ATTEMPTS, Move, RuleBroken
from cms.services.desk import filled, optional
from cms.services.step import case_for, check_four_eyes, note, round_of, take
from cms.unit_of_work import Work


def attempt(work: Work, complaint_id: int, version: int | None, text: str) -> Complaint:
    """Note that the complainant was not reached; after three days of trying the complaint is closed.

    Two attempts of one day count as one. A complaint closed so counts as not reached, never as
    satisfied.
    """
    complaint = case_for(work, Move.ATTEMPT, complaint_id, version)
    check_four_eyes(work, complaint)
    said = filled(text, _l("How it was tried"), 500)
    take(work, complaint, Move.ATTEMPT)
    note(work, complaint, ActionKind.ATTEMPT, said)
    work.session.flush()
    if len(days_tried(work, complaint)) >= ATTEMPTS:
        take(work, complaint, Move.FEEDBACK)
        round_of(work, complaint).closed_at = work.now
    return complaint


def days_tried(work: Work, complaint: Complaint) -> set[object]:
    """The days in India on which the complainant was tried in this round."""
    query = select(Action.happened_at).where(
        Action.complaint_id == complaint.id, Action.round == complaint.round,
        Action.kind == ActionKind.ATTEMPT,
    )  # fmt: skip
    return {ist_day(moment) for moment in work.session.scalars(query)}


def give_feedback(
    work: Work, complaint_id: int, version: int, satisfied: bool | None, reason: str
) -> Complaint:
    """Record the complainant's answer, once per round; a "no" must say why."""
    complaint = case_for(work, Move.FEEDBACK, complaint_id, version)
    if satisfied is None:
        raise RuleBroken(_l("Choose whether the complainant is satisfied."))
    check_four_eyes(work, complaint)
    said = optional(reason, _l("Reason"), 2_000) or ""
    if not satisfied and not said:
        raise RuleBroken(_l("Write down why the complainant is not satisfied."))
    take(work, complaint, Move.FEEDBACK)
    complaint.satisfied = satisfied
    ended = round_of(work, complaint)
    ended.satisfied, ended.closed_at = satisfied, work.now
    work.session.add(
        Feedback(
            complaint_id=complaint.id, round=complaint.round, satisfied=satisfied, reason=said,
            at=work.now, user_id=work.actor.user_id,
        )
    )  # fmt: skip
    note(work, complaint, ActionKind.FEEDBACK, said)
    return complaint


def inform(work: Work, complaint_id: int, version: int | None, text: str) -> Complaint:
    """Tell the informant how the case registered on the complaint goes on (BNSS 193(3)(ii))."""
    complaint = case_for(work, Move.INFORM, complaint_id, version)
    said = filled(text, _l("What was told"), 2_000)
    take(work, complaint, Move.INFORM)
    note(work, complaint, ActionKind.PROGRESS, said)
    return complaint
