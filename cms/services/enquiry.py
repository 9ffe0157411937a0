"""The enquiry report: submitted by the IO, returned, forwarded, approved by the rank that rules name.

Four eyes: the author never decides on his report; a foreign key and a check repeat it in the
database. (PRODUCT.md, life of a complaint and dispositions.)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from cms.authz import COMMAND
from cms.i18n import _l, ist_day
from cms.models import (
    ENQUIRY,
    Action,
    ActionKind,
    ApprovalRule,
    Complaint,
    Consent,
    ConsentKind,
    DeadlineKind,
    Decision,
    DecisionKind,
    Disposition,
    DispositionField,
    EnquiryReport,
    FieldKind,
    Post,
    ReportFinding,
    Unit,
)  # fmt: skip
from cms.rules import APPROVED_BY, BY_MOVE, SUPERIORS, WITH_CONSENT, Finding, Move, RuleBroken, Seat
from cms.services import clocks, documents, people, stays
from cms.services.desk import filled, one_of, optional
from cms.services.step import case_for, check_four_eyes, note, round_of, take
from cms.unit_of_work import Work


@dataclass(frozen=True, slots=True, kw_only=True)
class NewReport:
    """What the IO submits: a finding with reasons per allegation id, and the proposed disposal."""

    disposition_id: int | None
    findings: Mapping[int, tuple[Finding, str]]
    reasons: str
    fields: Mapping[str, str] = field(default_factory=dict)


def report(work: Work, complaint_id: int, version: int, new: NewReport) -> Complaint:
    """Submit the report; it lies with the nearest superior who may decide on it.

    RuleBroken names the finding, reason or field that is missing, or that no superior is there.
    """
    complaint = case_for(work, Move.REPORT, complaint_id, version)
    disposition = one_of(work, Disposition, new.disposition_id, _l("Proposed disposition"))
    if disposition.code in BY_MOVE:
        raise RuleBroken(
            _l("“%(disposition)s” is recorded by “%(move)s”, not by a report."),
            disposition=disposition.name, move=BY_MOVE[disposition.code].label,
        )  # fmt: skip
    check_enquired(work, complaint)
    submitted = EnquiryReport(
        complaint_id=complaint.id, round=complaint.round, no=next_no(work, complaint),
        officer_id=work.actor.officer_id, submitted_at=work.now, disposition_id=disposition.id,
        reasons=filled(new.reasons, _l("Reasons of disposal"), 5_000),
        fields=stated(work, disposition, new.fields),
        findings=found(complaint, new.findings),
    )  # fmt: skip
    work.session.add(submitted)
    desk = approver(work, complaint)
    take(work, complaint, Move.REPORT, unit_id=desk.id)
    note(work, complaint, ActionKind.REPORTED, f"{disposition.name_en}: {submitted.reasons}")
    return complaint


def next_no(work: Work, complaint: Complaint) -> int:
    """Number of the next report of the present round."""
    last = work.session.scalar(
        select(func.max(EnquiryReport.no)).where(
            EnquiryReport.complaint_id == complaint.id, EnquiryReport.round == complaint.round
        )
    )
    return (last or 0) + 1


def check_enquired(work: Work, complaint: Complaint) -> None:
    """RuleBroken unless an enquiry action was logged in this round."""
    query = select(Action.id).where(
        Action.complaint_id == complaint.id,
        Action.round == complaint.round,
        Action.kind.in_(ENQUIRY),
    )
    if work.session.scalar(query.limit(1)) is None:
        raise RuleBroken(_l("Record at least one enquiry action before the report."))


def found(
    complaint: Complaint, findings: Mapping[int, tuple[Finding, str]]
) -> list[ReportFinding]:
    """A finding with reasons for every allegation. RuleBroken if one is missing."""
    rows = []
    for allegation in complaint.allegations:
        finding, why = findings.get(allegation.id, (None, ""))
        if finding is None or finding is Finding.UNDECIDED:
            raise RuleBroken(_l("Give a finding for allegation %(no)s."), no=allegation.no)
        rows.append(
            ReportFinding(
                allegation_id=allegation.id, finding=finding, reasons=filled(why, _l("Reasons"), 2_000)
            )
        )
    return rows


def fields_of(session: Session, disposition_id: int | None = None) -> list[DispositionField]:
    """What disposals must state, of one disposition or of all, in the order of the form."""
    query = select(DispositionField).where(DispositionField.active)
    if disposition_id is not None:
        query = query.where(DispositionField.disposition_id == disposition_id)
    return list(session.scalars(query.order_by(DispositionField.position, DispositionField.id)))


def stated(work: Work, disposition: Disposition, values: Mapping[str, str]) -> dict[str, str]:
    """The fields of the disposition, by code. RuleBroken names one that is missing or no date."""
    said: dict[str, str] = {}
    for wanted in fields_of(work.session, disposition.id):
        limit = 2_000 if wanted.kind is FieldKind.LONG else 200
        given = values.get(wanted.code)
        value = filled(given, wanted.name, limit) if wanted.required else optional(given, wanted.name, limit)
        if value and wanted.kind is FieldKind.DATE:
            value = past_day(work, value, wanted)
        if value:
            said[wanted.code] = value
    return said


def past_day(work: Work, text: str, wanted: DispositionField) -> str:
    """A day in ISO form that is not in the future."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise RuleBroken(_l("“%(field)s” is not a date."), field=wanted.name) from None
    if day > ist_day(work.now):
        raise RuleBroken(_l("“%(field)s” cannot be after today."), field=wanted.name)
    return day.isoformat()


# ---------------------------------------------------------------- who decides


def needed_post(session: Session, disposition_id: int, complaint: Complaint) -> Post:
    """The lowest post that may approve: the most specific rule; FALSE and the like by their rows."""
    facts = (disposition_id, complaint.category_id, complaint.mode_id)
    fits = []
    for rule in session.scalars(select(ApprovalRule).where(ApprovalRule.active)):
        wanted = (rule.disposition_id, rule.category_id, rule.mode_id)
        if all(w is None or w == has for w, has in zip(wanted, facts, strict=True)):
            fits.append((sum(w is not None for w in wanted), SUPERIORS.index(rule.post), rule.post))
    return max(fits)[2] if fits else APPROVED_BY


def approver(work: Work, complaint: Complaint, above: Unit | None = None) -> Unit:
    """The nearest unit up the line whose head may decide: filled, not barred, never an IO of it.

    RuleBroken if there is none.
    """
    barred = people.barred_units(work.session, complaint.id)
    enquired = people.ios(work.session, complaint.id)
    for posting in people.superiors(work.session, complaint.unit, ist_day(work.now)):
        if posting.officer_id in enquired or barred.intersection(people.line_of(posting.unit)):
            continue
        if above is not None and not (above.path.startswith(posting.unit.path) and above.id != posting.unit_id):
            continue
        return posting.unit
    raise RuleBroken(_l("No superior is posted who may decide on this report. Tell the district office."))


def deciding_seat(work: Work, complaint: Complaint) -> Seat:
    """The actor's seat at the desk where the report lies, or above it. RuleBroken if he has none."""
    desk = stays.present(work.session, complaint)
    unit = work.session.get_one(Unit, desk.unit_id) if desk else complaint.unit
    seats = [s for s in work.actor.at(*COMMAND) if unit.path.startswith(s.path)]
    if not seats:
        raise RuleBroken(_l("The report lies with %(unit)s; only that office or one above it decides."), unit=unit.name)
    return max(seats, key=lambda s: SUPERIORS.index(s.post))


def lying(work: Work, complaint: Complaint) -> EnquiryReport:
    """The report on which a decision is due."""
    query = (
        select(EnquiryReport)
        .where(EnquiryReport.complaint_id == complaint.id, EnquiryReport.round == complaint.round)
        .order_by(EnquiryReport.no.desc())
    )
    found_one = work.session.scalar(query.limit(1))
    if found_one is None:
        raise RuleBroken(_l("There is no report to decide on."))
    return found_one


def decide(work: Work, complaint: Complaint, kind: DecisionKind, text: str) -> EnquiryReport:
    """Write what the desk did with the report, by another than its author."""
    check_four_eyes(work, complaint)
    seat = deciding_seat(work, complaint)
    submitted = lying(work, complaint)
    work.session.add(
        Decision(
            report_id=submitted.id, no=len(submitted.decisions) + 1, kind=kind,
            author_id=submitted.officer_id, officer_id=work.actor.officer_id, post=seat.post,
            unit_id=seat.unit_id, at=work.now, text=text,
        )
    )  # fmt: skip
    return submitted


def give_back(work: Work, complaint_id: int, version: int, objections: str) -> Complaint:
    """Return the report to the IO with objections; the count of returns is part of the record."""
    complaint = case_for(work, Move.RETURN, complaint_id, version)
    said = filled(objections, _l("Objections"), 4_000)
    decide(work, complaint, DecisionKind.RETURNED, said)
    take(work, complaint, Move.RETURN)
    note(work, complaint, ActionKind.RETURNED, said)
    return complaint


def forward(work: Work, complaint_id: int, version: int, text: str) -> Complaint:
    """Send the report up to the next desk, with a recommendation."""
    complaint = case_for(work, Move.FORWARD, complaint_id, version)
    said = optional(text, _l("Recommendation"), 4_000) or ""
    here = stays.present(work.session, complaint)
    desk = approver(work, complaint, above=here.unit if here else complaint.unit)
    decide(work, complaint, DecisionKind.FORWARDED, said)
    take(work, complaint, Move.FORWARD, unit_id=desk.id)
    note(work, complaint, ActionKind.FORWARDED, " · ".join(filter(None, [desk.name_en, said])))
    return complaint


def dispose(work: Work, complaint_id: int, version: int, text: str = "") -> Complaint:
    """Approve the report: the complaint is disposed as proposed and the complainant's report follows.

    RuleBroken if a higher post must approve, the approver enquired himself, or the complainant has
    not confirmed a compromise.
    """
    complaint = case_for(work, Move.DISPOSE, complaint_id, version)
    check_four_eyes(work, complaint)
    submitted = lying(work, complaint)
    check_rank(work, complaint, submitted)
    check_consent(work, complaint, submitted)
    said = optional(text, _l("Remarks"), 4_000) or ""
    decide(work, complaint, DecisionKind.APPROVED, said)
    for finding in submitted.findings:
        finding.allegation.finding, finding.allegation.reasons = finding.finding, finding.reasons
    conclude(work, complaint, submitted.disposition, disposal_words(work, submitted))
    take(work, complaint, Move.DISPOSE)
    if submitted.disposition.code == "FIR":
        clocks.start(work, complaint, DeadlineKind.PROGRESS)
    note(work, complaint, ActionKind.DISPOSED, f"{submitted.disposition.name_en}: {complaint.disposal_text}")
    work.session.flush()
    documents.issue_report(work, complaint)
    return complaint


def check_rank(work: Work, complaint: Complaint, submitted: EnquiryReport) -> None:
    """RuleBroken if the rule wants a higher post than the actor's."""
    needed = needed_post(work.session, submitted.disposition_id, complaint)
    seat = deciding_seat(work, complaint)
    if SUPERIORS.index(seat.post) < SUPERIORS.index(needed):
        raise RuleBroken(
            _l("“%(disposition)s” is approved by the %(post)s or above; forward the report."),
            disposition=submitted.disposition.name, post=needed.label,
        )  # fmt: skip


def check_consent(work: Work, complaint: Complaint, submitted: EnquiryReport) -> None:
    """RuleBroken if a compromise lacks the complainant's own confirmation, taken by another than the IO."""
    if submitted.disposition.code not in WITH_CONSENT:
        return
    query = select(Consent.id).where(
        Consent.complaint_id == complaint.id, Consent.round == complaint.round,
        Consent.kind == ConsentKind.COMPROMISE, Consent.officer_id.is_distinct_from(submitted.officer_id),
    )  # fmt: skip
    if work.session.scalar(query.limit(1)) is None:
        raise RuleBroken(_l("Record the complainant's own confirmation of the compromise first."))


def disposal_words(work: Work, submitted: EnquiryReport) -> str:
    """The stated fields, then the reasons, as letter and register show them."""
    lines = [
        f"{wanted.name_en}: {submitted.fields[wanted.code]}"
        for wanted in fields_of(work.session, submitted.disposition_id)
        if wanted.code in submitted.fields
    ]
    return "\n".join([*lines, submitted.reasons])


def conclude(work: Work, complaint: Complaint, disposition: Disposition, text: str) -> None:
    """Write how the round ended, on the complaint and on the round, which keeps it for ever."""
    complaint.disposition = disposition
    complaint.disposal_text = text
    complaint.disposed_on = ist_day(work.now)
    complaint.disposed_by_id = work.actor.officer_id
    ended = round_of(work, complaint)
    ended.disposition_id, ended.disposal_text = disposition.id, text
    ended.disposed_at, ended.disposed_by_id = work.now, work.actor.officer_id
