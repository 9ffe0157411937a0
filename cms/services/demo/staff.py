"""Officers at every post of the tree, their dated postings, and the accounts of the demo."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random
from typing import Any

from sqlalchemy import select

from cms.models import Kind, Officer, Posting, Rank, Unit, User
from cms.rules import Post, Role, Seat, Viewer
from cms.services import bulk, reference
from cms.services.accounts import hasher
from cms.services.demo.people import Crowd, Name
from cms.unit_of_work import Work

PASSWORD = "demo"  # noqa: S105 (published: the demo listens on this computer only)
ORIGIN = "demo"

POSTS: dict[Kind, tuple[tuple[Post, tuple[str, ...]], ...]] = {
    Kind.RANGE: (
        (Post.ADGP, ("ADGP",)), (Post.BRANCH, ("SI", "ASI")), (Post.AUDIT, ("DSP",)),
    ),
    Kind.DISTRICT: (
        (Post.SP, ("SP",)), (Post.BRANCH, ("ASI", "HC")), (Post.FEEDBACK, ("ASI", "HC")),
    ),
    Kind.SUB_DIVISION: ((Post.DSP, ("DSP",)),),
    Kind.POLICE_STATION: (
        (Post.SHO, ("INSP",)), (Post.IO, ("SI", "SI", "ASI", "ASI")), (Post.BRANCH, ("HC",)),
    ),
    Kind.POLICE_POST: ((Post.IO, ("SI", "ASI")),),
}  # fmt: skip
"""Kind of unit -> posts with the rank of each officer there."""

VACANT = "-PS04"
"""Stations whose post of SHO is vacant: what is for the SHO goes to the next filled post above."""

ACCOUNTS: tuple[tuple[str, str, Post | None, str], ...] = (
    ("adgp", "RHSR", Post.ADGP, "en"),
    ("sp.hsr", "HSR", Post.SP, "en"),
    ("dsp.hsr", "HSR-SD1", Post.DSP, "hi"),
    ("sho.hsr", "HSR-PS01", Post.SHO, "hi"),
    ("io.hsr", "HSR-PS01", Post.IO, "hi"),
    ("branch.hsr", "HSR", Post.BRANCH, "hi"),
    ("feedback.hsr", "HSR", Post.FEEDBACK, "hi"),
    ("sho.srs", "SRS-PS01", Post.SHO, "hi"),
    ("admin", "", None, "en"),
    ("audit", "RHSR", Post.AUDIT, "en"),
)
"""(login, unit, post, language); the first officer of that post. ``admin`` is no officer."""


@dataclass(frozen=True, slots=True)
class Man:
    """An officer in service, as far as the generator needs him."""

    id: int
    name: Name
    rank: str
    user_id: int | None = None

    @property
    def called(self) -> str:
        """Rank and name, as the diary says it."""
        return f"{self.rank} {self.name.en}"


@dataclass(frozen=True, slots=True)
class Place:
    """A unit of the range."""

    id: int
    code: str
    kind: Kind
    name: Name
    line: tuple[int, ...]
    district: int | None


@dataclass
class Staff:
    """Who sits where."""

    places: dict[int, Place] = field(default_factory=dict)
    by_code: dict[str, Place] = field(default_factory=dict)
    seats: dict[tuple[int, Post], list[Man]] = field(default_factory=dict)

    def at(self, unit_id: int, post: Post) -> list[Man]:
        """The officers of a post, in order."""
        return self.seats.get((unit_id, post), [])

    def above(self, place: Place) -> Place:
        """The unit one level up."""
        return self.places[place.line[-2]]

    def head(self, place: Place) -> tuple[Man, Post]:
        """Who commands a unit: its own head, or the nearest above."""
        for unit_id in reversed(place.line):
            for post in (Post.SHO, Post.DSP, Post.SP, Post.ADGP):
                if men := self.at(unit_id, post):
                    return men[0], post
        raise LookupError(place.code)

    def viewer(self, code: str, post: Post) -> Viewer:
        """The first officer of a post as the one who acts."""
        place, man = self.by_code[code], self.at(self.by_code[code].id, post)[0]
        path = "/" + "".join(f"{unit_id}/" for unit_id in place.line)
        return Viewer(man.user_id, man.id, man.name.en, (Seat(post, place.id, path),))


def places(work: Work, above: str = "RHSR") -> dict[int, Place]:
    """A unit, by default the range, and those below it."""
    top = work.session.execute(select(Unit.path).where(Unit.code == above)).scalar_one()
    query = select(Unit).where(Unit.path.startswith(top, autoescape=True)).order_by(Unit.id)
    return {
        u.id: Place(
            u.id, u.code, u.kind, Name(u.name_en, u.name_hi),
            tuple(int(p) for p in u.path.strip("/").split("/")), u.district_id,
        )
        for u in work.session.scalars(query)
    }  # fmt: skip


def recruit(
    work: Work, rng: Random, crowd: Crowd, as_of: date, top: str = "RHSR", days: int = 0
) -> None:
    """Officers and their postings; then the accounts.

    days: how long before ``as_of`` the postings of today must at least have begun.
    """
    ranks = reference.codes(work, Rank)
    officers: list[dict[str, Any]] = []
    seats: list[tuple[Place, Post]] = []
    for place in places(work, top).values():
        for post, held in POSTS.get(place.kind, ()):
            if post is Post.SHO and place.code.endswith(VACANT):
                continue
            for rank in held:
                officers.append(officer(rng, crowd, ranks[rank], rank, place, len(officers)))
                seats.append((place, post))
    ids = bulk.insert_registry(work, Officer, officers)
    postings: list[dict[str, Any]] = []
    for officer_id, (place, post) in zip(ids, seats, strict=True):
        postings += service(rng, officer_id, place, post, seats, as_of - timedelta(days=days))
    bulk.insert_registry(work, Posting, postings)
    bulk.insert_registry(work, User, accounts(ids, seats))


def officer(
    rng: Random, crowd: Crowd, rank_id: int, rank: str, place: Place, no: int
) -> dict[str, Any]:
    """One officer; belt numbers stand for the lower ranks only and are not unique."""
    person = crowd.person(rng, female=rng.random() < (0.7 if "Women" in place.name.en else 0.1))
    belted = rank in ("CT", "HC", "ASI", "SI")
    return {
        "name_en": person.name.en,
        "name_hi": person.name.hi,
        "rank_id": rank_id,
        "belt_no": f"{rng.randrange(10, 1500)}/{place.code.split('-')[0]}" if belted else None,
        "unit_id": place.id,
        "phone": f"+9199998{no:05d}",
        "email": f"officer{no:04d}@cms.example",
        "origin": ORIGIN,
        "origin_key": f"officer:{no}",
    }


def service(
    rng: Random, officer_id: int, place: Place, post: Post, seats: list[tuple[Place, Post]],
    as_of: date,
) -> list[dict[str, Any]]:  # fmt: skip
    """Today's posting, and for one in three the one before, at another unit of the same kind."""
    since = as_of - timedelta(days=rng.randrange(120, 900))
    rows: list[dict[str, Any]] = []
    others = [p for p, held in seats if held is post and p.kind is place.kind and p is not place]
    if others and rng.random() < 0.33:
        before = rng.choice(others)
        began = since - timedelta(days=rng.randrange(200, 700))
        rows.append(posting(officer_id, before, post, began, since))
    return [*rows, posting(officer_id, place, post, since, None)]


def posting(
    officer_id: int, place: Place, post: Post, since: date, until: date | None
) -> dict[str, Any]:
    """One row of the postings."""
    return {
        "officer_id": officer_id, "unit_id": place.id, "post": post,
        "valid_from": since, "valid_to": until,
    }  # fmt: skip


def accounts(ids: list[int], seats: list[tuple[Place, Post]]) -> list[dict[str, Any]]:
    """The accounts of the demo, all with one password that is hashed once."""
    hashed = hasher().hash(PASSWORD)
    first: dict[tuple[str, Post], int] = {}
    for officer_id, (place, post) in zip(ids, seats, strict=True):
        first.setdefault((place.code, post), officer_id)
    return [
        {
            "login": login,
            "password_hash": hashed,
            "role": Role.OFFICER if post else Role.ADMIN,
            "officer_id": first[code, post] if post else None,
            "language": lang,
            "active": True,
        }
        for login, code, post, lang in ACCOUNTS
    ]


def muster(work: Work, as_of: date, top: str = "RHSR") -> Staff:
    """Who sits where on a day, read back from the postings."""
    staff = Staff(places(work, top))
    staff.by_code = {p.code: p for p in staff.places.values()}
    query = (
        select(Posting.unit_id, Posting.post, Officer, Rank.short_en, User.id)
        .join(Officer, Posting.officer_id == Officer.id)
        .join(Rank, Officer.rank_id == Rank.id)
        .outerjoin(User, User.officer_id == Officer.id)
        .where(Posting.in_force(as_of), Posting.unit_id.in_(staff.places))
        .order_by(Officer.id)
    )
    for unit_id, post, man, rank, user_id in work.session.execute(query):
        seat = staff.seats.setdefault((unit_id, post), [])
        seat.append(Man(man.id, Name(man.name_en, man.name_hi), rank, user_id))
    return staff
