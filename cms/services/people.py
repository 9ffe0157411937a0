"""Who holds which post, from dated postings; a vacant post passes to the next filled superior.

Leave cover goes before the absent holder, who keeps his post; acting charge fills a post that has
no holder. Both end by their date. (DESIGN: authority derives from a dated posting.)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session, joinedload

from cms.i18n import _l
from cms.models import (
    Accused,
    Appeal,
    Assignment,
    BarredUnit,
    Charge,
    Complaint,
    Decision,
    EnquiryReport,
    Kind,
    Officer,
    Posting,
    Rank,
    Round,
    Unit,
)  # fmt: skip
from cms.rules import SUPERIORS, Post, RuleBroken

BEFORE = (Charge.COVER, Charge.SUBSTANTIVE, Charge.ACTING)
"""Who of one post answers first: the cover of an absent holder, the holder, whoever acts for nobody."""

SEATS_OF: Mapping[Post, tuple[Kind, ...]] = {
    Post.SHO: (Kind.POLICE_STATION, Kind.POLICE_POST),
    Post.DSP: (Kind.SUB_DIVISION, Kind.DISTRICT),
    Post.SP: (Kind.DISTRICT,),
    Post.ADGP: (Kind.RANGE, Kind.HEADQUARTERS),
}
"""The kinds of unit that a post of command belongs to."""

HEAD_OF: Mapping[Kind, Post] = {
    Kind.POLICE_STATION: Post.SHO, Kind.SUB_DIVISION: Post.DSP, Kind.DISTRICT: Post.SP, Kind.RANGE: Post.ADGP,
}  # fmt: skip
"""The post of command that every unit of a kind must have filled."""


def line_of(unit: Unit) -> list[int]:
    """Ids from the unit upwards, itself first."""
    return [int(part) for part in unit.path.strip("/").split("/")][::-1]


def superiors(session: Session, unit: Unit, on: date) -> list[Posting]:
    """Postings of command over the unit on that day, the nearest desk first."""
    line = line_of(unit)
    query = (
        select(Posting)
        .join(Officer)
        .where(
            Posting.unit_id.in_(line),
            Posting.post.in_(SUPERIORS),
            Posting.in_force(on),
            Officer.active,
        )
        .options(joinedload(Posting.officer).joinedload(Officer.rank), joinedload(Posting.unit))
    )
    found = session.scalars(query).all()
    return sorted(
        found,
        key=lambda p: (line.index(p.unit_id), SUPERIORS.index(p.post), BEFORE.index(p.charge), p.id),
    )


def responsible(
    session: Session, unit: Unit, on: date, *, barred: Iterable[int] = (), above: Post | None = None
) -> Posting | None:
    """The nearest filled post of command that no conflict of interest bars; None if all vacant."""
    shut = set(barred)
    lowest = SUPERIORS.index(above) + 1 if above else 0
    for posting in superiors(session, unit, on):
        if SUPERIORS.index(posting.post) < lowest:
            continue
        if not shut.intersection(line_of(posting.unit)):
            return posting
    return None


def authority(session: Session, complaint: Complaint, decided_by_id: int | None, on: date) -> Posting | None:
    """The next superior above whoever decided: unbarred, and never who handled the complaint.

    None if no such post is filled on that day.
    """
    handled = handlers(session, complaint.id) | ({decided_by_id} if decided_by_id else set())
    shut = barred_units(session, complaint.id)
    above = level_of(session, decided_by_id) if decided_by_id else 0
    for posting in superiors(session, complaint.unit, on):
        clear = posting.officer_id not in handled and not shut.intersection(line_of(posting.unit))
        if clear and posting.officer.rank.level > above:
            return posting
    return None


def barred_units(session: Session, complaint_id: int) -> set[int]:
    """Units whose subtree may not see the complaint."""
    query = select(BarredUnit.unit_id).where(BarredUnit.complaint_id == complaint_id)
    return set(session.scalars(query))


def held_on(day: date) -> ColumnElement[bool]:
    """Postings held on some part of a day: one that ended with a transfer on that very day counts."""
    return and_(Posting.valid_from <= day, or_(Posting.valid_to.is_(None), Posting.valid_to >= day))


def units_held(session: Session, officer_id: int, then: date, today: date) -> set[int]:
    """Units where the officer was posted on the day that matters, and where he is posted today."""
    query = select(Posting.unit_id).where(
        Posting.officer_id == officer_id, or_(held_on(then), Posting.in_force(today))
    )
    return set(session.scalars(query))


def ios(session: Session, complaint_id: int) -> set[int]:
    """Officers who were IO of the complaint in any round."""
    query = select(Assignment.officer_id).where(Assignment.complaint_id == complaint_id)
    return set(session.scalars(query))


def handlers(session: Session, complaint_id: int) -> set[int]:
    """Officers who enquired into the complaint or decided on a report or appeal of it."""
    decided = (
        select(Decision.officer_id)
        .join(EnquiryReport, EnquiryReport.id == Decision.report_id)
        .where(EnquiryReport.complaint_id == complaint_id)
    )
    disposed = select(Round.disposed_by_id).where(Round.complaint_id == complaint_id)
    heard = select(Appeal.decided_by_id).where(Appeal.complaint_id == complaint_id)
    found = set(session.scalars(decided)) | ios(session, complaint_id)
    found |= {i for query in (disposed, heard) for i in session.scalars(query) if i}
    return found


def accused_officers(session: Session, complaint_id: int) -> set[int]:
    """Officers complained against."""
    query = select(Accused.officer_id).where(
        Accused.complaint_id == complaint_id, Accused.officer_id.is_not(None), Accused.dropped_at.is_(None)
    )
    return {i for i in session.scalars(query) if i}


def restricting_officers(session: Session, complaint_id: int) -> set[int]:
    """Officers whom a restricting link names; one without any posting bars no unit, only himself."""
    query = select(Accused.officer_id).where(
        Accused.complaint_id == complaint_id, Accused.officer_id.is_not(None), Accused.restricts,
        Accused.dropped_at.is_(None),
    )  # fmt: skip
    return {i for i in session.scalars(query) if i}


def level_of(session: Session, officer_id: int) -> int:
    """The level of an officer's rank."""
    query = select(Rank.level).join(Officer, Officer.rank_id == Rank.id)
    return session.scalars(query.where(Officer.id == officer_id)).one()


def holders(session: Session, unit_id: int, post: Post, day: date) -> set[int]:
    """Officers who held a post of a unit on some part of a day, by whatever charge."""
    query = select(Posting.officer_id).where(
        Posting.unit_id == unit_id, Posting.post == post, held_on(day)
    )
    return set(session.scalars(query))


def holder(session: Session, unit_id: int, post: Post, on: date) -> Posting | None:
    """Who answers for a post of a unit on that day: a cover before the one who is covered for."""
    query = select(Posting).join(Officer).where(
        Posting.unit_id == unit_id, Posting.post == post, Posting.in_force(on), Officer.active
    )  # fmt: skip
    found = session.scalars(query.options(joinedload(Posting.officer).joinedload(Officer.rank)))
    return min(found, key=lambda p: (BEFORE.index(p.charge), p.id), default=None)


def is_barred(session: Session, complaint_id: int, officer_id: int, on: date) -> bool:
    """True if the officer is restrictively accused, or posted that day in a barred subtree."""
    if officer_id in restricting_officers(session, complaint_id):
        return True
    barred = barred_units(session, complaint_id)
    if not barred:
        return False
    paths = paths_of(session, [officer_id], on).get(officer_id, [])
    return any(f"/{unit_id}/" in path for unit_id in barred for path in paths)


def paths_of(
    session: Session, officer_ids: Iterable[int], on: date, posts: Iterable[Post] = Post
) -> dict[int, list[str]]:
    """Paths of the units where each officer is posted on that day, by officer."""
    query = (
        select(Posting.officer_id, Unit.path)
        .join(Unit, Unit.id == Posting.unit_id)
        .where(Posting.officer_id.in_(list(officer_ids)), Posting.in_force(on), Posting.post.in_(list(posts)))
    )
    found: dict[int, list[str]] = {}
    for officer_id, path in session.execute(query):
        found.setdefault(officer_id, []).append(path)
    return found


# ---------------------------------------------------------------- the register of postings


@dataclass(frozen=True, slots=True)
class Filled:
    """A post of command of a unit: who holds it, or who answers for it while it is vacant."""

    unit: Unit
    post: Post
    postings: tuple[Posting, ...]
    answers: Posting | None = None

    @property
    def vacant(self) -> bool:
        """True if nobody holds the post by any charge."""
        return not self.postings


def command(session: Session, scope: ColumnElement[bool], on: date) -> list[Filled]:
    """Every post of command of the units in scope, filled or vacant, in the order of the tree.

    scope: a condition on ``Unit``. A vacant post names the next filled superior, who answers for it.
    """
    units = list(session.scalars(select(Unit).where(Unit.active, scope).order_by(Unit.path)))
    above = {i for unit in units for i in line_of(unit)}
    query = (
        select(Posting)
        .join(Officer)
        .where(Posting.post.in_(SUPERIORS), Posting.in_force(on), Officer.active, Posting.unit_id.in_(above))
        .options(joinedload(Posting.officer).joinedload(Officer.rank), joinedload(Posting.unit))
        .order_by(Posting.id)
    )
    at: dict[int, list[Posting]] = {}
    for posting in session.scalars(query):
        at.setdefault(posting.unit_id, []).append(posting)
    return [seat for unit in units for seat in seats_at(unit, at)]


def seats_at(unit: Unit, at: Mapping[int, list[Posting]]) -> list[Filled]:
    """The posts of command of one unit: those held, and its head's even if nobody holds it."""
    held: dict[Post, list[Posting]] = {}
    for posting in at.get(unit.id, ()):
        held.setdefault(posting.post, []).append(posting)
    head = HEAD_OF.get(unit.kind)
    if head is not None:
        held.setdefault(head, [])
    found = []
    for post in sorted(held, key=SUPERIORS.index):
        mine = tuple(sorted(held[post], key=lambda p: (BEFORE.index(p.charge), p.id)))
        found.append(Filled(unit, post, mine, None if mine else answering(unit, post, at)))
    return found


def answering(unit: Unit, post: Post, at: Mapping[int, list[Posting]]) -> Posting | None:
    """The next filled superior post of a vacant one."""
    for unit_id in line_of(unit):
        fits = [p for p in at.get(unit_id, ()) if SUPERIORS.index(p.post) > SUPERIORS.index(post)]
        if fits:
            return min(fits, key=lambda p: (SUPERIORS.index(p.post), BEFORE.index(p.charge), p.id))
    return None


def by_belt(session: Session, scope: ColumnElement[bool], belt_no: str) -> Officer:
    """The one officer with this belt number in scope, in service if there is one. RuleBroken if none or several."""
    wanted = belt_no.strip()
    query = select(Officer).where(scope, func.lower(Officer.belt_no) == wanted.lower())
    found = list(session.scalars(query.order_by(Officer.id).limit(20)))
    rows = [officer for officer in found if officer.active] or found
    if not rows:
        raise RuleBroken(_l("No officer in your charge has the belt number “%(belt)s”."), belt=wanted)
    if len(rows) > 1:
        raise RuleBroken(
            _l("Several officers have the belt number “%(belt)s”; enter them in a line of their own."), belt=wanted
        )
    return rows[0]
