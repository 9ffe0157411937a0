"""Posting orders: many officers moved in one act, with everything that follows from it.

An order has a number, a day and lines. Old postings end and new ones begin on the day of the line;
open complaints are handed over and every case with a conflict of interest is looked at anew. A line
of a later day takes effect on that day, by the sweep :func:`take_effect`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import joinedload

from cms.authz import ENQUIRERS
from cms.columns import Choice
from cms.i18n import _l, ist_day, show_day
from cms.models import Charge, Officer, Post, Posting, Proposal, ProposalKind, Unit, User
from cms.rules import SUPERIORS, SYSTEM, RuleBroken
from cms.services import accounts, conflict, handing_over, handover_note, people
from cms.services.desk import filled
from cms.unit_of_work import Work, unit_of_work

BACK_DAYS = 31
"""How far back a line may take effect: the officer joined and the order is entered late."""
AHEAD_DAYS = 90
"""How far ahead a line may take effect."""
MOST_LINES = 300


class LineKind(Choice):
    """What a line of an order does with an officer."""

    POSTED = _l("Posted")
    ACTING = _l("Acting charge, beside his own post")
    COVER = _l("Leave cover, beside his own post")
    RELIEVED = _l("Relieved, next posting awaited")
    RETIRED = _l("Retired or left the force")


MOVED = frozenset({LineKind.POSTED, LineKind.RELIEVED, LineKind.RETIRED})
"""Lines that end the officer's present post."""
BESIDE: Mapping[LineKind, Charge] = {LineKind.ACTING: Charge.ACTING, LineKind.COVER: Charge.COVER}
CHARGES: Mapping[LineKind, Charge] = {LineKind.POSTED: Charge.SUBSTANTIVE, **BESIDE}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One officer of an order. start: the first day; end: the day after the last one, if known."""

    officer_id: int
    kind: LineKind
    start: date
    unit_id: int | None = None
    post: Post | None = None
    end: date | None = None
    successor_id: int | None = None

    def as_json(self) -> dict[str, Any]:
        """As the proposal keeps it."""
        return {
            "officer": self.officer_id, "kind": self.kind.name, "start": self.start.isoformat(),
            "unit": self.unit_id, "post": self.post.name if self.post else None,
            "end": self.end.isoformat() if self.end else None, "successor": self.successor_id,
        }  # fmt: skip

    @classmethod
    def read(cls, said: Mapping[str, Any]) -> Line:
        """Back from the proposal."""
        return cls(
            officer_id=said["officer"], kind=LineKind[said["kind"]], start=date.fromisoformat(said["start"]),
            unit_id=said["unit"], post=Post[said["post"]] if said["post"] else None,
            end=date.fromisoformat(said["end"]) if said["end"] else None, successor_id=said["successor"],
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Order:
    """A posting order as typed or as kept."""

    number: str
    day: date
    lines: Sequence[Line]

    def as_json(self) -> dict[str, Any]:
        """As the proposal keeps it."""
        return {"day": self.day.isoformat(), "lines": [line.as_json() for line in self.lines]}

    @classmethod
    def of(cls, proposal: Proposal) -> Order:
        """The order behind a proposal."""
        lines = [Line.read(said) for said in proposal.data["lines"]]
        return cls(proposal.order_no, date.fromisoformat(proposal.data["day"]), lines)


@dataclass(frozen=True, slots=True)
class Facts:
    """What the check of an order reads once: its officers, their units, their postings."""

    today: date
    officers: Mapping[int, Officer]
    units: Mapping[int, Unit]
    postings: Mapping[int, list[Posting]]


def facts_of(work: Work, order: Order) -> Facts:
    """Read them in three statements."""
    today = ist_day(work.now)
    ids = {line.officer_id for line in order.lines} | {line.successor_id for line in order.lines if line.successor_id}
    rows = work.session.scalars(select(Officer).where(Officer.id.in_(ids)).options(joinedload(Officer.rank)))
    officers = {row.id: row for row in rows}
    wanted = {line.unit_id for line in order.lines} | {o.unit_id for o in officers.values()}
    units = {u.id: u for u in work.session.scalars(select(Unit).where(Unit.id.in_([i for i in wanted if i])))}
    postings: dict[int, list[Posting]] = {}
    ongoing = or_(Posting.valid_to.is_(None), Posting.valid_to > today - timedelta(days=BACK_DAYS))
    query = select(Posting).where(Posting.officer_id.in_(ids), ongoing).options(joinedload(Posting.unit))
    for posting in work.session.scalars(query.order_by(Posting.id)):
        postings.setdefault(posting.officer_id, []).append(posting)
    return Facts(today, officers, units, postings)


# ---------------------------------------------------------------- what an order may say


def check(work: Work, order: Order) -> list[Unit]:
    """Refuse an order that cannot take effect; the units it touches.

    RuleBroken with a sentence that names the officer of the line.
    """
    filled(order.number, _l("Order number"), 60)
    facts = facts_of(work, order)
    if not order.lines:
        raise RuleBroken(_l("The order has no line."))
    if len(order.lines) > MOST_LINES:
        raise RuleBroken(_l("An order may have at most %(most)s lines; divide it."), most=MOST_LINES)
    if order.day > facts.today:
        raise RuleBroken(_l("The day of the order cannot be in the future."))
    moved: set[int] = set()
    for line in order.lines:
        check_line(facts, line)
        if line.kind in MOVED:
            if line.officer_id in moved:
                refuse(facts, line, _l("%(officer)s: the order moves this officer twice."))
            moved.add(line.officer_id)
    for line in order.lines:
        check_post(work, facts, order, line)
    touched = [line.unit_id or facts.officers[line.officer_id].unit_id for line in order.lines]
    touched += [facts.officers[line.officer_id].unit_id for line in order.lines]
    return [facts.units[i] for i in dict.fromkeys(touched) if i]


def refuse(facts: Facts, line: Line, sentence: Any, **params: Any) -> None:
    """RuleBroken that begins with the officer's name."""
    raise RuleBroken(sentence, officer=facts.officers[line.officer_id], **params)


def check_line(facts: Facts, line: Line) -> None:
    """What a line must have by itself: an officer in service, days that fit, who follows."""
    officer = facts.officers.get(line.officer_id)
    if officer is None or not (officer.active or line.kind is LineKind.POSTED):
        raise RuleBroken(_l("Choose an officer in service for each line."))
    first, last = facts.today - timedelta(days=BACK_DAYS), facts.today + timedelta(days=AHEAD_DAYS)
    if not first <= line.start <= last:
        refuse(facts, line, _l("%(officer)s: the first day must lie between %(first)s and %(last)s."),
               first=show_day(first), last=show_day(last))  # fmt: skip
    if line.end is not None and line.end <= line.start:
        refuse(facts, line, _l("%(officer)s: the end must be after the first day."))
    if line.kind in BESIDE and line.end is None:
        refuse(facts, line, _l("%(officer)s: acting charge and leave cover need an end."))
    successor = facts.officers.get(line.successor_id or 0)
    if line.successor_id and (successor is None or not successor.active or successor is officer):
        refuse(facts, line, _l("%(officer)s: choose another officer in service as successor."))
    if line.kind in MOVED:
        check_leaving(facts, line)


def check_leaving(facts: Facts, line: Line) -> None:
    """RuleBroken if a posting that would end has not begun by then."""
    for posting in ending(facts, line):
        if posting.valid_from >= line.start:
            refuse(facts, line, _l("%(officer)s is posted to %(unit)s from %(day)s on; choose a later day."),
                   unit=posting.unit.name, day=show_day(posting.valid_from))  # fmt: skip


def ending(facts: Facts, line: Line) -> list[Posting]:
    """The officer's postings that a line ends: his own post; on leaving, every charge."""
    if line.kind not in MOVED:
        return []
    return [
        p
        for p in facts.postings.get(line.officer_id, ())
        if (p.valid_to is None or p.valid_to > line.start)
        and (line.kind is not LineKind.POSTED or p.charge is Charge.SUBSTANTIVE)
    ]


def check_post(work: Work, facts: Facts, order: Order, line: Line) -> None:
    """RuleBroken unless the post exists at such a unit and is free on these days."""
    if line.kind not in CHARGES:
        return
    unit = facts.units.get(line.unit_id or 0)
    if unit is None or not unit.active or line.post is None:
        refuse(facts, line, _l("%(officer)s: choose the unit and the post."))
        return
    if line.post in people.SEATS_OF and unit.kind not in people.SEATS_OF[line.post]:
        refuse(facts, line, _l("%(officer)s: there is no post “%(post)s” at %(unit)s."),
               post=line.post.label, unit=unit.name)  # fmt: skip
    check_own(facts, line, unit)
    if line.post in SUPERIORS:
        check_head(work, facts, order, line)


def check_head(work: Work, facts: Facts, order: Order, line: Line) -> None:
    """RuleBroken unless a post of command is free for a holder or an acting one, or held for a cover."""
    place = facts.units[line.unit_id or 0].name
    holders = [p for p in heads(work, line) if p.officer_id != line.officer_id and still_there(order, p, line)]
    others = [o for o in order.lines if o is not line and same_seat(o, line)]
    if line.kind is LineKind.COVER:
        if not holders and not others:
            refuse(facts, line, _l("%(officer)s: nobody holds this post at %(unit)s; give acting charge."), unit=place)
    elif holders:
        sentence = _l(
            "%(officer)s: the post at %(unit)s is held by %(holder)s; relieve him in the same order, "
            "or give leave cover."
        )
        refuse(facts, line, sentence, unit=place, holder=holders[0].officer)
    elif others:
        refuse(facts, line, _l("%(officer)s: the order fills this post at %(unit)s twice."), unit=place)


def check_own(facts: Facts, line: Line, unit: Unit) -> None:
    """RuleBroken if the officer holds this very post already."""
    for posting in facts.postings.get(line.officer_id, ()):
        same = posting.unit_id == line.unit_id and posting.post is line.post
        goes_on = posting.valid_to is None or posting.valid_to > line.start
        if same and (goes_on or posting.valid_from == line.start):
            refuse(facts, line, _l("%(officer)s holds this post at %(unit)s already."), unit=unit.name)


def heads(work: Work, line: Line) -> list[Posting]:
    """Holders of the same post of command on one of the days of the line."""
    query = select(Posting).where(
        Posting.unit_id == line.unit_id, Posting.post == line.post, Posting.charge == Charge.SUBSTANTIVE,
        or_(Posting.valid_to.is_(None), Posting.valid_to > line.start),
        *([Posting.valid_from < line.end] if line.end else []),
    )  # fmt: skip
    return list(work.session.scalars(query.options(joinedload(Posting.officer).joinedload(Officer.rank))))


def still_there(order: Order, posting: Posting, line: Line) -> bool:
    """True if the order does not move the holder away by the first day of the line."""
    away = [o.start for o in order.lines if o.officer_id == posting.officer_id and o.kind in MOVED]
    return not away or away[0] > line.start


def same_seat(one: Line, other: Line) -> bool:
    """True if both lines fill one post on the same day, by right and not beside a holder."""
    if one.kind is not LineKind.POSTED or (one.unit_id, one.post) != (other.unit_id, other.post):
        return False
    return (one.end is None or one.end > other.start) and (other.end is None or other.end > one.start)


# ---------------------------------------------------------------- taking effect


def apply(work: Work, proposal: Proposal) -> dict[str, Any]:
    """Carry a confirmed order out; what became of each officer's complaints comes back.

    RuleBroken if postings have changed since it was proposed and it no longer fits.
    """
    order = Order.of(proposal)
    lock(work, order)
    check(work, order)
    facts = facts_of(work, order)
    left: dict[int, list[Posting]] = {}
    for line in order.lines:
        left.setdefault(line.officer_id, []).extend(ending(facts, line))
        for posting in [*ending(facts, line), *acting_at(work, line)]:
            posting.valid_to = line.start
    work.session.flush()  # posts are empty before anybody is posted to them: swaps within one order
    for line in order.lines:
        if line.kind in CHARGES:
            work.session.add(
                Posting(
                    officer_id=line.officer_id, unit_id=line.unit_id, post=line.post, valid_from=line.start,
                    valid_to=line.end, charge=CHARGES[line.kind], order_no=order.number,
                )
            )  # fmt: skip
    work.session.flush()
    due = [line for line in order.lines if line.start <= facts.today]
    later = [i for i, line in enumerate(order.lines) if line.start > facts.today]
    return {"lines": carry_out(work, order, due, left), "later": later}


def lock(work: Work, order: Order) -> None:
    """Two orders about one unit are carried out one after the other, so that the second one's check counts."""
    wanted = {line.unit_id for line in order.lines if line.unit_id}
    work.session.execute(select(Unit.id).where(Unit.id.in_(wanted)).order_by(Unit.id).with_for_update(key_share=True))


def acting_at(work: Work, line: Line) -> list[Posting]:
    """Acting charges of a post of command that end because a holder joins."""
    if line.kind is not LineKind.POSTED or line.post not in SUPERIORS:
        return []
    query = select(Posting).where(
        Posting.unit_id == line.unit_id, Posting.post == line.post, Posting.charge == Charge.ACTING,
        Posting.valid_from < line.start, Posting.valid_to > line.start,
    )  # fmt: skip
    return list(work.session.scalars(query))


def carry_out(
    work: Work, order: Order, lines: Iterable[Line], left: Mapping[int, list[Posting]]
) -> list[dict[str, Any]]:
    """The officers' cards and complaints follow the postings; first all cards, then all cases."""
    lines = list(lines)
    for line in lines:
        officer = work.session.get_one(Officer, line.officer_id)
        if line.kind is LineKind.POSTED:
            officer.unit_id = line.unit_id
            officer.active = True  # whoever left the force and is posted again is back in service
        if line.kind is LineKind.RETIRED:
            officer.active = False
            close_account(work, officer.id)
    work.session.flush()
    # Told apart before the first is given: a case given within the order must not be taken again.
    own = handing_over.open_cases(work.session, [line.officer_id for line in lines if line.kind in MOVED])
    done = []
    for line in lines:
        before = left.get(line.officer_id, [])
        cases: handing_over.Cases = []
        if line.kind in MOVED and not stays_enquirer(line, before):
            officer = work.session.get_one(Officer, line.officer_id)
            successor = line.successor_id or successor_in(order, before)
            cases = handing_over.hand_over(work, officer, successor, order.number, own.get(officer.id, []))
        done.append({"officer": line.officer_id, "cases": cases})
    for officer_id in dict.fromkeys(line.officer_id for line in lines):
        conflict.follow(work, officer_id)
    return done


def stays_enquirer(line: Line, left: Iterable[Posting]) -> bool:
    """True if the officer goes on enquiring at the same unit: his complaints stay with him."""
    return line.post in ENQUIRERS and any(p.unit_id == line.unit_id and p.post in ENQUIRERS for p in left)


def successor_in(order: Order, left: Iterable[Posting]) -> int | None:
    """The one officer whom the order posts to the post that was left; None if there is not just one."""
    seats = {(p.unit_id, p.post) for p in left}
    into = [o.officer_id for o in order.lines if o.kind is LineKind.POSTED and (o.unit_id, o.post) in seats]
    return into[0] if len(into) == 1 else None


def close_account(work: Work, officer_id: int) -> None:
    """Whoever left the force signs in no more."""
    user = work.session.scalar(select(User).where(User.officer_id == officer_id))
    if user is not None and user.active:
        user.active = False
        accounts.revoke_all(work, user.id)


def take_effect(now: datetime | None = None) -> int:
    """Lines of confirmed orders whose day has come, and charges that began or ended; how many lines.

    A sweep: run again it finds nothing left to do.
    """
    with unit_of_work(SYSTEM, via="job", now=now) as work:
        query = select(Proposal).where(Proposal.kind == ProposalKind.ORDER, Proposal.accepted.is_(True))
        since = work.now - timedelta(days=AHEAD_DAYS + BACK_DAYS)
        waiting = [p.id for p in work.session.scalars(query.where(Proposal.decided_at > since)) if later_of(p)]
    count = 0
    for proposal_id in waiting:
        with unit_of_work(SYSTEM, via="job", now=now) as work:
            count += take_line(work, proposal_id)
    with unit_of_work(SYSTEM, via="job", now=now) as work:
        follow_charges(work)
    return count


def later_of(proposal: Proposal) -> list[int]:
    """Numbers of the lines that still wait for their day."""
    return list((proposal.outcome or {}).get("later", []))


def take_line(work: Work, proposal_id: int) -> int:
    """The lines of one order whose day has come."""
    proposal = work.session.get_one(Proposal, proposal_id, with_for_update=True)
    order, today = Order.of(proposal), ist_day(work.now)
    due = [i for i in later_of(proposal) if order.lines[i].start <= today]
    if not due:
        return 0
    left = {order.lines[i].officer_id: ended_on(work, order.lines[i]) for i in due}
    done = carry_out(work, order, [order.lines[i] for i in due], left)
    outcome = proposal.outcome or {}
    proposal.outcome = {
        "lines": [*outcome.get("lines", []), *done], "later": [i for i in later_of(proposal) if i not in due],
    }  # fmt: skip
    work.session.flush()
    handover_note.issue(work, proposal)
    return len(due)


def ended_on(work: Work, line: Line) -> list[Posting]:
    """The postings that ended when this line began."""
    query = select(Posting).where(Posting.officer_id == line.officer_id, Posting.valid_to == line.start)
    return list(work.session.scalars(query.order_by(Posting.id)))


def follow_charges(work: Work) -> None:
    """Postings that began or ended by their date in the last days: cases and conflicts follow."""
    today = ist_day(work.now)
    days = [today - timedelta(days=n) for n in range(3)]
    query = select(Posting.officer_id).where(or_(Posting.valid_from.in_(days), Posting.valid_to.in_(days)))
    for officer_id in sorted(set(work.session.scalars(query))):
        lost = handing_over.adrift(work.session, officer_id, work.now)
        if lost:
            officer = work.session.get_one(Officer, officer_id)
            handing_over.hand_over(work, officer, None, "", lost)
        conflict.follow(work, officer_id)
