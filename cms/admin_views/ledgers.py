"""Everything that hangs on one complaint, read once for its page: the ledgers and who wrote them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, joinedload, selectinload

from cms.authz import visible
from cms.i18n import ist_day
from cms.models import (
    Appeal,
    Assignment,
    Attachment,
    Complaint,
    ComplaintLink,
    Consent,
    DeadlineChange,
    Delivery,
    Direction,
    DispositionField,
    Document,
    EnquiryReport,
    Feedback,
    Hold,
    Officer,
    Posting,
    Reminder,
    ReportFinding,
    Request,
    Round,
    Stay,
    User,
)  # fmt: skip
from cms.rules import SUPERIORS, Post, Viewer
from cms.services import looking
from cms.services.looking import Look


@dataclass(frozen=True, slots=True)
class Link:
    """A link with another complaint, which may be outside this viewer's charge: then other is None."""

    row: ComplaintLink
    other: Complaint | None
    outward: bool


@dataclass(frozen=True, slots=True)
class Ledgers:
    """The rows of one complaint, each list in the order in which it was written."""

    rounds: Sequence[Round]
    stays: Sequence[Stay]
    assignments: Sequence[Assignment]
    requests: Sequence[Request]
    holds: Sequence[Hold]
    directions: Sequence[Direction]
    reports: Sequence[EnquiryReport]
    appeals: Sequence[Appeal]
    consents: Sequence[Consent]
    links: Sequence[Link]
    changes: Sequence[DeadlineChange]
    reminders: Sequence[Reminder]
    deliveries: Sequence[Delivery]
    answers: Sequence[Feedback]
    files: Sequence[Attachment]
    looks: Sequence[Look]
    stated: Sequence[DispositionField]

    def in_words(self, text: str | None) -> str:
        """A disposal as it was written, its headings ("FIR number: 12") in the reader's language."""
        names = {field.name_en: field.name for field in self.stated}
        lines = [line.partition(": ") for line in (text or "").split("\n")]
        return "\n".join(names.get(head, head) + colon + rest for head, colon, rest in lines)


def ledgers(session: Session, viewer: Viewer, complaint: Complaint) -> Ledgers:
    """The rows of a complaint that this viewer sees."""

    def rows(model: Any, *options: Any) -> list[Any]:
        query = select(model).where(model.complaint_id == complaint.id).order_by(model.id)
        return list(session.scalars(query.options(*options)))

    return Ledgers(
        rounds=rows(Round, joinedload(Round.disposition)),
        stays=rows(Stay, joinedload(Stay.unit), joinedload(Stay.officer).joinedload(Officer.rank)),
        assignments=rows(Assignment),
        requests=rows(Request, joinedload(Request.reason), joinedload(Request.to_unit)),
        holds=rows(Hold),
        directions=rows(Direction, joinedload(Direction.deadline)),
        reports=rows(
            EnquiryReport, joinedload(EnquiryReport.disposition), selectinload(EnquiryReport.decisions),
            selectinload(EnquiryReport.findings).joinedload(ReportFinding.allegation),
        ),
        appeals=rows(Appeal, joinedload(Appeal.unit)),
        consents=rows(Consent),
        links=links(session, viewer, complaint),
        changes=sorted((c for d in complaint.deadlines for c in d.changes), key=lambda c: c.id),
        reminders=rows(Reminder),
        deliveries=deliveries(session, complaint),
        answers=rows(Feedback),
        files=rows(Attachment),
        looks=looking.openings(session, viewer, complaint),
        stated=list(session.scalars(select(DispositionField).order_by(DispositionField.position, DispositionField.id))),
    )  # fmt: skip


def deliveries(session: Session, complaint: Complaint) -> list[Delivery]:
    """How the documents of a complaint reached the complainant."""
    query = select(Delivery).join(Document).where(Document.complaint_id == complaint.id)
    return list(session.scalars(query.options(joinedload(Delivery.document)).order_by(Delivery.id)))


def links(session: Session, viewer: Viewer, complaint: Complaint) -> list[Link]:
    """Links in both directions; a complaint outside the charge stays without its number."""
    both = or_(ComplaintLink.complaint_id == complaint.id, ComplaintLink.other_id == complaint.id)
    found = session.scalars(select(ComplaintLink).where(both).order_by(ComplaintLink.id)).all()
    if not found:
        return []
    ids = {link.other_id if link.complaint_id == complaint.id else link.complaint_id for link in found}
    seen = visible(select(Complaint).where(Complaint.id.in_(ids)), Complaint, viewer)
    others = {other.id: other for other in session.scalars(seen)}
    return [
        Link(
            link, others.get(link.other_id if link.complaint_id == complaint.id else link.complaint_id),
            link.complaint_id == complaint.id,
        )
        for link in found
    ]  # fmt: skip


def short(post: Post) -> str:
    """IO, SHO, DSP, SP, ADGP as everybody writes them; other posts in words."""
    return post.name if post is Post.IO or post in SUPERIORS else str(post)


@dataclass(frozen=True, slots=True)
class People:
    """Who wrote the rows: rank, name, and the post held on that day."""

    officers: dict[int, Officer]
    by_user: dict[int, int | None]
    postings: dict[int, list[Posting]]

    def of_user(self, user_id: int | None) -> Officer | None:
        """The officer behind an account."""
        return self.officers.get(self.by_user.get(user_id or 0) or 0)

    def said(self, officer_id: int | None, at: datetime) -> str:
        """ASI Ramesh Yadav, IO (PS Hisar City); nothing if nobody is known."""
        officer = self.officers.get(officer_id or 0)
        if officer is None:
            return ""
        day = ist_day(at)
        held = next((p for p in self.postings.get(officer.id, ()) if p.in_force(day)), None)
        return f"{officer}, {short(held.post)} ({held.unit.name})" if held else str(officer)

    def user(self, user_id: int | None, at: datetime) -> str:
        """The same of an account."""
        return self.said(self.by_user.get(user_id or 0), at)


def people(session: Session, complaint: Complaint, found: Ledgers) -> People:
    """The officers named by the rows of a complaint, in three statements."""
    users = {user_id for user_id in users_of(complaint, found) if user_id}
    by_user = {
        int(row[0]): row[1] for row in session.execute(select(User.id, User.officer_id).where(User.id.in_(users)))
    }
    ids = {i for i in officers_of(complaint, found) if i} | {i for i in by_user.values() if i}
    officers = session.scalars(select(Officer).where(Officer.id.in_(ids)).options(joinedload(Officer.rank)))
    postings: dict[int, list[Posting]] = {}
    query = select(Posting).where(Posting.officer_id.in_(ids)).options(joinedload(Posting.unit))
    for posting in session.scalars(query.order_by(Posting.valid_from.desc(), Posting.id)):
        postings.setdefault(posting.officer_id, []).append(posting)
    return People({officer.id: officer for officer in officers}, by_user, postings)


def users_of(complaint: Complaint, found: Ledgers) -> Iterable[int | None]:
    """Accounts named by the rows."""
    for rows in (complaint.actions, found.deliveries, found.answers, found.files, found.changes):
        yield from (row.user_id for row in rows)
    yield from (link.row.user_id for link in found.links)
    yield from (document.issued_by_id for document in complaint.documents)
    yield from (one.opened_by_id for one in found.rounds)


def officers_of(complaint: Complaint, found: Ledgers) -> Iterable[int | None]:
    """Officers named by the rows."""
    for rows in (complaint.actions, found.assignments, found.reports, found.consents, found.reminders):
        yield from (row.officer_id for row in rows)
    for asked in found.requests:
        yield from (asked.asked_by_id, asked.decided_by_id)
    for order in found.directions:
        yield from (order.by_id, order.replied_by_id)
    yield from (entered.decided_by_id for entered in found.appeals)
    for one in found.rounds:
        yield from (one.io_id, one.disposed_by_id)
    yield from (decision.officer_id for report in found.reports for decision in report.decisions)
