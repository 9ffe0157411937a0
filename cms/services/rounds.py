"""After-life: re-opening and appeal begin a new round and never rewrite the one before.

A new round goes to a different officer of higher rank who never handled the complaint, chosen by
the system, which says why; or it is refused with who is barred and why. (PRODUCT.md, rules of
fairness; Haryana Home Minister, December 2023: re-enquiry by another officer.)
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from cms.i18n import _l, ist_day
from cms.models import (
    ActionKind,
    Appeal,
    AppealResult,
    Complaint,
    ConsentKind,
    Deadline,
    DeadlineKind,
    Officer,
    Post,
    Posting,
    Round,
    RoundReason,
    Unit,
    User,
)  # fmt: skip
from cms.rules import CLOCKS, SUPERIORS, Move, RuleBroken
from cms.services import endings, letters, people
from cms.services.desk import filled
from cms.services.step import case_for, note, round_of, take
from cms.unit_of_work import Work

POSTS = (Post.IO, *SUPERIORS)
"""Posts whose holder may enquire anew."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """An officer who might enquire anew, and why not if he may not."""

    officer: Officer
    unit: Unit
    post: Post
    barred: Any = None
    load: int = 0


def candidates(
    session: Session, complaint: Complaint, now: datetime, opener_id: int | None
) -> list[Candidate]:
    """Officers of the complaint's district and above with the reason that bars each, nearest first.

    Nearest: the one with the most units in common; then the lowest sufficient rank; then the
    fewest open complaints; then the id.
    """
    why = Reasons.of(session, complaint, opener_id)
    found = [
        Candidate(p.officer, p.unit, p.post, why.against(p)) for p in enquirers(session, complaint, now)
    ]
    load = open_load(session, [c.officer.id for c in found])
    line = set(people.line_of(complaint.unit))
    return sorted(
        (replace(c, load=load.get(c.officer.id, 0)) for c in found),
        key=lambda c: (
            -len(line.intersection(people.line_of(c.unit))), c.officer.rank.level, c.load, c.officer.id,
        ),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Reasons:
    """Why an officer may not enquire anew."""

    handled: set[int]
    accused: set[int]
    shut: set[int]
    level: int
    opener_id: int | None

    @classmethod
    def of(cls, session: Session, complaint: Complaint, opener_id: int | None) -> Reasons:
        """Read once for all candidates; level is the highest rank that enquired so far."""
        levels = [people.level_of(session, one) for one in people.ios(session, complaint.id)]
        return cls(
            people.handlers(session, complaint.id), people.accused_officers(session, complaint.id),
            people.barred_units(session, complaint.id), max(levels, default=0), opener_id,
        )  # fmt: skip

    def against(self, posting: Posting) -> Any:
        """The reason in words, or None."""
        if posting.officer_id in self.handled:
            return _l("handled this complaint before")
        if posting.officer_id in self.accused or self.shut.intersection(people.line_of(posting.unit)):
            return _l("is complained against, or serves where the complained-against does")
        if posting.officer.rank.level <= self.level:
            return _l("is not of higher rank")
        if posting.officer_id == self.opener_id:
            return _l("re-opened it himself")
        return None


def enquirers(session: Session, complaint: Complaint, now: datetime) -> list[Posting]:
    """Postings in force that may enquire: of the complaint's district, and its superiors above."""
    district = session.get_one(Unit, complaint.district_id)
    query = (
        select(Posting)
        .join(Officer)
        .join(Unit, Posting.unit_id == Unit.id)
        .where(
            Posting.post.in_(POSTS), Posting.in_force(ist_day(now)), Officer.active,
            Unit.path.startswith(district.path, autoescape=True)
            | Posting.unit_id.in_(people.line_of(district)),
        )
        .options(joinedload(Posting.officer).joinedload(Officer.rank), joinedload(Posting.unit))
        .order_by(Posting.id)
    )  # fmt: skip
    return list(session.scalars(query))


def open_load(session: Session, officer_ids: list[int]) -> dict[int, int]:
    """Open complaints of each officer."""
    query = (
        select(Complaint.io_id, func.count())
        .where(Complaint.is_open, Complaint.io_id.in_(officer_ids))
        .group_by(Complaint.io_id)
    )
    return {int(row[0]): int(row[1]) for row in session.execute(query) if row[0]}


def choose(
    session: Session, complaint: Complaint, now: datetime, opener_id: int | None
) -> Candidate:
    """Who enquires anew. RuleBroken with who is barred and why if nobody may."""
    found = candidates(session, complaint, now, opener_id)
    for one in found:
        if one.barred is None:
            return one
    told = "; ".join(f"{one.officer}: {one.barred}" for one in found[:8])
    raise RuleBroken(
        _l("Nobody may enquire anew: %(who)s. Send the complaint to the range office."), who=told or "-"
    )


def chosen_now(session: Session, complaint: Complaint, now: datetime) -> Candidate:
    """Who is to be named IO of the present round, looked up anew: postings may have changed."""
    opener = session.scalar(
        select(User.officer_id)
        .join(Round, Round.opened_by_id == User.id)
        .where(Round.complaint_id == complaint.id, Round.no == complaint.round)
    )
    return choose(session, complaint, now, opener)


def common(one: Unit, other: Unit, work: Work) -> Unit:
    """The lowest unit over both."""
    theirs = set(people.line_of(other))
    return work.session.get_one(Unit, next(u for u in people.line_of(one) if u in theirs))


def check_window(work: Work, complaint: Complaint) -> None:
    """RuleBroken once the window after the delivery of the report has passed."""
    query = select(Deadline.due_at).where(
        Deadline.complaint_id == complaint.id, Deadline.round == complaint.round,
        Deadline.kind == DeadlineKind.APPEAL_WINDOW,
    )  # fmt: skip
    until = work.session.scalar(query)
    days = CLOCKS[DeadlineKind.APPEAL_WINDOW].amount
    if until is None and complaint.disposed_on is not None and complaint.origin is not None:
        return
    if until is not None and until < work.now:
        raise RuleBroken(
            _l("%(days)s days after the delivery of the report are over. A superior may re-open of his own motion."),
            days=days,
        )  # fmt: skip


def reopen(
    work: Work, complaint_id: int, version: int, reasons: str, own_motion: bool = False
) -> Complaint:
    """Begin a new round: on the complainant's paper within the window, or on a superior's own motion."""
    complaint = case_for(work, Move.REOPEN, complaint_id, version)
    said = filled(reasons, _l("Reasons"), 4_000)
    if own_motion:
        check_superior(work, complaint)
    else:
        check_window(work, complaint)
        if endings.consent_for(work, complaint, ConsentKind.REOPENING) is None:
            raise RuleBroken(_l("Record the complainant's own signed wish to re-open first."))
    new_round(work, complaint, Move.REOPEN, RoundReason.REOPENED, said)
    note(work, complaint, ActionKind.REOPENED, said)
    work.session.flush()
    letters.issue_reopened(work, complaint, said)
    return complaint


def check_superior(work: Work, complaint: Complaint) -> None:
    """RuleBroken unless the actor commands the complaint's unit from above."""
    seats = [s for s in work.actor.at(*SUPERIORS) if complaint.unit.path.startswith(s.path)]
    if not any(s.unit_id != complaint.unit_id for s in seats):
        raise RuleBroken(_l("A superior of the unit re-opens of his own motion."))


def new_round(
    work: Work, complaint: Complaint, move: Move, why: RoundReason, reason: str
) -> Candidate:
    """The round after: its officer, its place, its clock; how the last one ended stays on its row."""
    work.session.flush()
    chosen = choose(work.session, complaint, work.now, work.actor.officer_id)
    for allegation in complaint.allegations:
        allegation.finding, allegation.reasons = None, None
    work.session.add(
        Round(
            complaint_id=complaint.id, no=complaint.round + 1, why=why, reason=reason,
            opened_at=work.now, opened_by_id=work.actor.user_id,
            chosen={
                "officer": str(chosen.officer), "unit": chosen.unit.name_en, "post": chosen.post.name,
                "load": chosen.load,
            },
        )
    )  # fmt: skip
    place = common(complaint.unit, chosen.unit, work)
    with work.session.no_autoflush:  # the database knows no open complaint with an ending
        complaint.round += 1
        complaint.unit, complaint.unit_id = place, place.id
        complaint.io = complaint.disposition = complaint.disposed_by = None
        complaint.io_id = complaint.disposition_id = complaint.disposed_by_id = None
        complaint.disposal_text = complaint.disposed_on = complaint.satisfied = None
        take(work, complaint, move)
    return chosen


# ---------------------------------------------------------------- appeal


def authority(work: Work, complaint: Complaint) -> Posting:
    """The next superior above whoever disposed; unbarred, and never who handled the complaint."""
    decided = round_of(work, complaint).disposed_by_id
    found = people.authority(work.session, complaint, decided, ist_day(work.now))
    if found is not None:
        return found
    raise RuleBroken(_l("There is no authority above the one that disposed the complaint."))


def appeal(work: Work, complaint_id: int, version: int, grounds: str) -> Complaint:
    """Enter the complainant's signed appeal; it lies with the next authority, with its own deadline."""
    complaint = case_for(work, Move.APPEAL, complaint_id, version)
    check_window(work, complaint)
    consent = endings.consent_for(work, complaint, ConsentKind.APPEAL)
    if consent is None:
        raise RuleBroken(_l("Record the complainant's own signed appeal first."))
    said = filled(grounds, _l("Grounds"), 5_000)
    head = authority(work, complaint)
    number = work.session.scalar(
        select(func.count()).select_from(Appeal).where(Appeal.complaint_id == complaint.id)
    )
    work.session.add(
        Appeal(
            complaint_id=complaint.id, no=(number or 0) + 1, round=complaint.round,
            consent_id=consent.id, entered_at=work.now, grounds=said, unit_id=head.unit_id, post=head.post,
        )
    )  # fmt: skip
    take(work, complaint, Move.APPEAL, unit_id=head.unit_id)
    note(work, complaint, ActionKind.APPEALED, said)
    return complaint


def hear(
    work: Work, complaint_id: int, version: int, result: AppealResult | None, reasons: str
) -> Complaint:
    """Decide an appeal: dismissed, or a fresh enquiry by another officer."""
    if result is None:
        raise RuleBroken(_l("Choose how the appeal is decided."))
    move = Move.ALLOW if result is AppealResult.ALLOWED else Move.DISMISS
    complaint = case_for(work, move, complaint_id, version)
    entered = work.session.scalars(
        select(Appeal).where(Appeal.complaint_id == complaint.id, Appeal.decided_at.is_(None))
    ).one()
    check_authority(work, complaint, entered)
    said = filled(reasons, _l("Reasons"), 5_000)
    entered.result, entered.reasons = result, said
    entered.decided_at, entered.decided_by_id = work.now, work.actor.officer_id
    note(work, complaint, ActionKind.APPEAL_DECIDED, f"{result.name}: {said}")
    if result is AppealResult.ALLOWED:
        new_round(work, complaint, move, RoundReason.APPEAL, said)
    else:
        take(work, complaint, move)
        ended = round_of(work, complaint)
        ended.closed_at = ended.closed_at or work.now
    work.session.flush()
    letters.issue_appeal(work, complaint, entered)
    return complaint


def check_authority(work: Work, complaint: Complaint, entered: Appeal) -> None:
    """RuleBroken unless the actor sits where the appeal lies, or above, and never handled it."""
    seats = [s for s in work.actor.at(*SUPERIORS) if entered.unit.path.startswith(s.path)]
    if not seats:
        raise RuleBroken(_l("The appeal lies with %(unit)s."), unit=entered.unit.name)
    if work.actor.officer_id in people.handlers(work.session, complaint.id):
        raise RuleBroken(_l("You handled this complaint; another authority must hear the appeal."))

