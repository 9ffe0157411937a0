"""How a complaint ends beside the enquiry: merged with another, or withdrawn by the complainant.

What has consequences is confirmed by the complainant himself; the police record it and say how.
(PRODUCT.md, numbers and names.)
"""

from __future__ import annotations

from datetime import date

from sqlalchemy import func, select

from cms.authz import visible
from cms.i18n import _l, ist_day
from cms.models import (
    ActionKind,
    Attachment,
    Complaint,
    ComplaintLink,
    Consent,
    ConsentKind,
    Disposition,
    LinkKind,
    Means,
)  # fmt: skip
from cms.rules import Move, NotFound, RuleBroken
from cms.services import enquiry, transfers
from cms.services.desk import complaint_for, filled, optional
from cms.services.step import case_for, check_four_eyes, note, round_of, take
from cms.unit_of_work import Work


def other_one(work: Work, complaint: Complaint, number: str) -> Complaint:
    """Another complaint that the actor may see. RuleBroken if there is none with this number."""
    wanted = filled(number, _l("Number"), 24).upper()
    query = visible(select(Complaint).where(Complaint.number == wanted), Complaint, work.actor)
    found: Complaint | None = work.session.scalar(query)
    if found is None or found.id == complaint.id:
        raise RuleBroken(_l("There is no other complaint “%(number)s” in your jurisdiction."), number=wanted)
    return found


def connect(
    work: Work, complaint_id: int, version: int | None, number: str, kind: LinkKind | None
) -> Complaint:
    """Note that two complaints belong together; neither is changed by it."""
    complaint = complaint_for(work, "connect", complaint_id, version)
    if kind is None or kind is LinkKind.MERGED:
        raise RuleBroken(_l("Choose how the two complaints belong together."))
    other = other_one(work, complaint, number)
    join(work, complaint, other, kind)
    note(work, complaint, ActionKind.LINKED, f"{kind.name}: {other.number}")
    return complaint


def join(work: Work, complaint: Complaint, other: Complaint, kind: LinkKind) -> None:
    """The link itself, once."""
    exists = select(ComplaintLink.id).where(
        ComplaintLink.complaint_id == complaint.id, ComplaintLink.other_id == other.id,
        ComplaintLink.kind == kind,
    )  # fmt: skip
    if work.session.scalar(exists) is not None:
        raise RuleBroken(_l("These two complaints are linked so already."))
    work.session.add(
        ComplaintLink(
            complaint_id=complaint.id, other_id=other.id, kind=kind, at=work.now,
            user_id=work.actor.user_id,
        )
    )  # fmt: skip


def merge(work: Work, complaint_id: int, version: int, number: str, reasons: str) -> Complaint:
    """Go on with another complaint of the same matter; this number keeps working for the complainant."""
    complaint = case_for(work, Move.MERGE, complaint_id, version)
    target = other_one(work, complaint, number)
    if target.merged_into_id is not None:
        raise RuleBroken(_l("%(number)s is merged with another complaint itself."), number=target.number)
    if not target.is_open:
        raise RuleBroken(_l("%(number)s is disposed; re-open it, or go on with this one."), number=target.number)
    said = filled(reasons, _l("Reasons"), 2_000)
    transfers.close_request(work, complaint)
    join(work, complaint, target, LinkKind.MERGED)
    duplicate = by_code(work, "DUP")
    with work.session.no_autoflush:  # status and target are one fact to the database
        complaint.merged_into_id = target.id
        enquiry.conclude(work, complaint, duplicate, f"{target.number}\n{said}")
        take(work, complaint, Move.MERGE)
    round_of(work, complaint).closed_at = work.now
    note(work, complaint, ActionKind.MERGED, f"{target.number}: {said}")
    return complaint


def by_code(work: Work, code: str) -> Disposition:
    """A disposition that a move records. RuleBroken if the office has no such row."""
    row = work.session.scalar(select(Disposition).where(Disposition.code == code))
    if row is None:
        raise RuleBroken(_l("The disposition “%(code)s” is missing from the register."), code=code)
    return row


def record_consent(
    work: Work, complaint_id: int, kind: ConsentKind | None, given_on: date | None, text: str,
    attachment_id: int | None = None,
) -> Consent:  # fmt: skip
    """Record the complainant's signed paper; marked as recorded by staff, and by whom."""
    complaint = complaint_for(work, "consent", complaint_id)
    if kind is None:
        raise RuleBroken(_l("Choose what the complainant confirms."))
    day = given_on or ist_day(work.now)
    if not complaint.received_on <= day <= ist_day(work.now):
        raise RuleBroken(_l("The paper cannot be older than the complaint or from the future."))
    check_four_eyes(work, complaint)
    paper = work.session.get(Attachment, attachment_id) if attachment_id else None
    if attachment_id and (paper is None or paper.complaint_id != complaint.id):
        raise NotFound("Attachment")
    said = optional(text, _l("Where the signed paper is kept"), 300) or ""
    if paper is None:
        filled(said, _l("Where the signed paper is kept"), 300)
    number = work.session.scalar(
        select(func.count()).select_from(Consent).where(
            Consent.complaint_id == complaint.id, Consent.round == complaint.round, Consent.kind == kind
        )
    )
    consent = Consent(
        complaint_id=complaint.id, round=complaint.round, kind=kind, no=(number or 0) + 1,
        means=Means.PAPER, given_on=day, at=work.now, officer_id=work.actor.officer_id,
        user_id=work.actor.user_id, attachment_id=attachment_id, note=said,
    )  # fmt: skip
    work.session.add(consent)
    work.session.flush()
    note(work, complaint, ActionKind.CONSENT, " · ".join(filter(None, [kind.name, said])))
    return consent


def consent_for(work: Work, complaint: Complaint, kind: ConsentKind) -> Consent | None:
    """The latest confirmation of this kind in the present round."""
    query = select(Consent).where(
        Consent.complaint_id == complaint.id, Consent.round == complaint.round, Consent.kind == kind
    )
    return work.session.scalar(query.order_by(Consent.id.desc()).limit(1))


def withdraw(work: Work, complaint_id: int, version: int, reasons: str) -> Complaint:
    """Close as withdrawn: the complainant confirmed it, another than the actor took the paper."""
    complaint = case_for(work, Move.WITHDRAW, complaint_id, version)
    check_four_eyes(work, complaint)
    consent = consent_for(work, complaint, ConsentKind.WITHDRAWAL)
    if consent is None:
        raise RuleBroken(_l("Record the complainant's own signed withdrawal first."))
    if consent.officer_id is not None and consent.officer_id == work.actor.officer_id:
        raise RuleBroken(_l("Whoever took the withdrawal cannot close the complaint on it; a second officer must."))
    said = filled(reasons, _l("Reasons"), 2_000)
    transfers.close_request(work, complaint)
    enquiry.conclude(work, complaint, by_code(work, "WDN"), said)
    take(work, complaint, Move.WITHDRAW)
    round_of(work, complaint).closed_at = work.now
    note(work, complaint, ActionKind.WITHDRAWN, said)
    return complaint
