"""Hand-over: an officer leaves his post, and every open complaint of which he is IO finds another.

To the successor whom the order names, if he may enquire into that very complaint; else back to the
head of the unit, unassigned. The overall clock runs on. (PRODUCT.md, life of a complaint: hand-over.)
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, union
from sqlalchemy.orm import Session, joinedload

from cms.authz import ENQUIRERS, visible
from cms.i18n import ist_day
from cms.models import (
    Accused,
    Action,
    ActionKind,
    Appeal,
    Assignment,
    Complaint,
    Decision,
    Desk,
    EnquiryReport,
    Officer,
    Proposal,
    Rank,
    Round,
    Stay,
    Unit,
)  # fmt: skip
from cms.rules import LYING, SUPERIORS, Move, NotFound, Viewer, check_move
from cms.services import conflict, letting_go, people
from cms.services.complaints import io_name, name_io
from cms.services.step import note
from cms.unit_of_work import Work

Cases = list[list[int | None]]
"""Complaint id and the id of the new IO (None: back to the head), as an order keeps them."""


@dataclass(frozen=True, slots=True)
class Successor:
    """Who is to take over, and what keeps him from single complaints."""

    officer: Officer
    paths: list[str]
    command: list[str]
    decided: frozenset[int]
    enquired: frozenset[int]

    @classmethod
    def of(cls, work: Work, officer_id: int) -> Successor | None:
        """Read once for all complaints; None if he is out of service or holds no post that enquires."""
        officer = work.session.get(Officer, officer_id)
        today = ist_day(work.now)
        paths = people.paths_of(work.session, [officer_id], today, ENQUIRERS).get(officer_id, [])
        if officer is None or not officer.active or not paths:
            return None
        command = people.paths_of(work.session, [officer_id], today, SUPERIORS).get(officer_id, [])
        was = select(Assignment.complaint_id).where(Assignment.officer_id == officer_id)
        return cls(
            officer, paths, command, frozenset(decided_by(work.session, officer_id)),
            frozenset(work.session.scalars(was)),
        )  # fmt: skip


def decided_by(session: Session, officer_id: int) -> Iterable[int]:
    """Complaints on a report or appeal of which the officer decided."""
    query = union(
        select(EnquiryReport.complaint_id)
        .join(Decision, Decision.report_id == EnquiryReport.id)
        .where(Decision.officer_id == officer_id),
        select(Round.complaint_id).where(Round.disposed_by_id == officer_id),
        select(Appeal.complaint_id).where(Appeal.decided_by_id == officer_id),
    )
    return session.scalars(query)


def open_cases(session: Session, officer_ids: Iterable[int]) -> dict[int, list[int]]:
    """Ids of the open complaints of each officer."""
    query = select(Complaint.io_id, Complaint.id).where(Complaint.io_id.in_(list(officer_ids)), Complaint.is_open)
    found: dict[int, list[int]] = {}
    for officer_id, complaint_id in session.execute(query.order_by(Complaint.id)):
        found.setdefault(officer_id or 0, []).append(complaint_id)
    return found


@dataclass(frozen=True, slots=True)
class Books:
    """What of many complaints is read at once: their rounds, their desks, which have links."""

    rounds: dict[int, Round]
    desks: dict[int, Stay]
    linked: frozenset[int]

    @classmethod
    def of(cls, session: Session, ids: list[int]) -> Books:
        """Read in three statements; the latest round counts."""
        rounds = session.scalars(select(Round).where(Round.complaint_id.in_(ids)).order_by(Round.no))
        desks = session.scalars(
            select(Stay).where(Stay.complaint_id.in_(ids), Stay.to_at.is_(None)).options(joinedload(Stay.unit))
        )
        linked = session.scalars(select(Accused.complaint_id).where(Accused.complaint_id.in_(ids)))
        return cls(
            {row.complaint_id: row for row in rounds}, {row.complaint_id: row for row in desks}, frozenset(linked)
        )


def hand_over(
    work: Work, officer: Officer, successor_id: int | None, order_no: str, ids: Iterable[int]
) -> Cases:  # fmt: skip
    """These complaints of which the officer is IO, the earliest due first; who has each now."""
    his = select(Complaint.id).where(Complaint.io_id == officer.id, Complaint.is_open, Complaint.id.in_(list(ids)))
    locked = list(work.session.scalars(his.order_by(Complaint.id).with_for_update()))
    if not locked:
        return []
    chosen = Successor.of(work, successor_id) if successor_id and successor_id != officer.id else None
    query = (
        select(Complaint)
        .where(Complaint.id.in_(locked))
        .options(joinedload(Complaint.unit))
        .order_by(Complaint.due_at, Complaint.id)
        .execution_options(populate_existing=True)
    )
    cases, books = list(work.session.scalars(query)), Books.of(work.session, locked)
    taken = [case for case in cases if chosen is not None and fits(work, case, chosen, books)]
    if chosen is not None:
        take_over(work, taken, chosen.officer, books)
    told: Cases = []
    for case in cases:
        check_move(Move.HAND_OVER, case.status)
        new_io = chosen.officer if chosen is not None and case in taken else None
        if new_io is None:
            letting_go.to_head(work, case)
        said = f"{io_name(officer)} → {io_name(new_io) if new_io else case.unit.name_en}"
        note(work, case, ActionKind.HANDED_OVER, " · ".join(filter(None, [said, order_no])))
        told.append([case.id, new_io.id if new_io else None])
    work.session.flush()
    return told


def take_over(work: Work, cases: list[Complaint], officer: Officer, books: Books) -> None:
    """The successor is IO of all of them; where the IO's time runs, his begins at the same moment."""
    ended = []
    for case in cases:
        name_io(work, case, officer, books.rounds.get(case.id))
        desk = books.desks.get(case.id)
        if desk is not None and desk.desk is Desk.IO:
            desk.to_at = work.now
            ended.append((case, desk))
    work.session.flush()  # one open stay of a complaint at a time
    for case, desk in ended:
        work.session.add(
            Stay(
                complaint_id=case.id, no=desk.no + 1, round=case.round, desk=Desk.IO, unit_id=case.unit_id,
                officer_id=officer.id, from_at=work.now,
            )
        )  # fmt: skip


def fits(work: Work, case: Complaint, chosen: Successor, books: Books) -> bool:
    """True if the successor may enquire into this complaint.

    He is posted under its unit, no conflict of interest bars him, he never decided on it and does
    not sit at the desk where its report lies; a later round goes to whoever never had it, of higher rank.
    """
    if case.id in chosen.decided or not any(path.startswith(case.unit.path) for path in chosen.paths):
        return False
    if case.status in LYING:
        desk = books.desks.get(case.id)
        if desk is not None and any(desk.unit.path.startswith(path) for path in chosen.command):
            return False
    if case.round > 1 and (case.id in chosen.enquired or chosen.officer.rank.level <= level_before(work, case)):
        return False
    if case.id not in books.linked and not case.restricted:
        return True
    return bool(conflict.may_enquire(work.session, case, [chosen.officer], work.now))


def level_before(work: Work, case: Complaint) -> int:
    """The highest rank that enquired in an earlier round."""
    query = (
        select(func.max(Rank.level))
        .select_from(Assignment)
        .join(Officer, Officer.id == Assignment.officer_id)
        .join(Rank, Rank.id == Officer.rank_id)
        .where(Assignment.complaint_id == case.id, Assignment.round < case.round)
    )
    return work.session.scalar(query) or 0


def adrift(session: Session, officer_id: int, now: datetime) -> list[int]:
    """Open complaints of an IO who is posted nowhere at or below their unit today."""
    paths = people.paths_of(session, [officer_id], ist_day(now)).get(officer_id, [])
    query = (
        select(Complaint.id, Unit.path)
        .join(Unit, Unit.id == Complaint.unit_id)
        .where(Complaint.io_id == officer_id, Complaint.is_open)
        .order_by(Complaint.id)
    )
    return [i for i, at in session.execute(query) if not any(path.startswith(at) for path in paths)]


# ---------------------------------------------------------------- the note


@dataclass(frozen=True, slots=True)
class HandedOver:
    """One complaint of a hand-over note, as this reader may see it."""

    complaint: Complaint
    to: Officer | None
    last: Action | None


@dataclass(frozen=True, slots=True)
class HandOverNote:
    """The printable note: who leaves, by which order, and what became of each complaint."""

    proposal: Proposal
    officer: Officer
    cases: list[HandedOver] = field(default_factory=list)
    whole: bool = False
    """True if the reader may see every complaint of it."""


def lines_of(proposal: Proposal) -> list[dict[str, Any]]:
    """What a confirmed order did, officer by officer."""
    return list((proposal.outcome or {}).get("lines", []))


def concerns(viewer: Viewer, line: dict[str, Any]) -> bool:
    """True if the reader is the officer who left, or one who took over."""
    named = {line["officer"], *(to for _case, to in line["cases"])}
    return viewer.officer_id is not None and viewer.officer_id in named


def note_of(session: Session, viewer: Viewer, proposal_id: int, officer_id: int) -> HandOverNote:
    """The hand-over note of one officer; complaints are read anew through the policy.

    What the reader may not see is left out without a word. NotFound if the order is not his to see.
    """
    proposal = session.get(Proposal, proposal_id)
    line = next((one for one in lines_of(proposal) if one["officer"] == officer_id), None) if proposal else None
    if proposal is None or line is None:
        raise NotFound("Proposal")
    may_see = session.scalar(visible(select(Proposal.id).where(Proposal.id == proposal_id), Proposal, viewer))
    if may_see is None and not concerns(viewer, line):
        raise NotFound("Proposal")
    to = dict(line["cases"])
    query = visible(select(Complaint).where(Complaint.id.in_(list(to))), Complaint, viewer)
    cases = list(
        session.scalars(query.options(joinedload(Complaint.unit)).order_by(Complaint.due_at, Complaint.id))
    )
    last = last_actions(session, [case.id for case in cases], proposal.decided_at)
    officers = {o.id: o for o in session.scalars(select(Officer).where(Officer.id.in_([i for i in to.values() if i])))}
    return HandOverNote(
        proposal, session.get_one(Officer, officer_id),
        [HandedOver(case, officers.get(to[case.id] or 0), last.get(case.id)) for case in cases],
        whole=len(cases) == len(to),
    )  # fmt: skip


def last_actions(session: Session, ids: list[int], until: datetime | None) -> dict[int, Action]:
    """The last entry of each diary before the hand-over, by complaint."""
    newest = (
        select(func.max(Action.id))
        .where(
            Action.complaint_id.in_(ids), Action.kind != ActionKind.HANDED_OVER,
            *([Action.logged_at <= until] if until else []),
        )
        .group_by(Action.complaint_id)
    )  # fmt: skip
    rows = session.scalars(select(Action).where(Action.id.in_(newest)))
    return {row.complaint_id: row for row in rows}
