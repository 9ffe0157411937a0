"""Officers at every post of the tree, their dated postings, and the accounts of the demo.

Beside today's posting some have an earlier one; posts of command are vacant, in acting charge or
under leave cover; by one order IOs change places. Who sits where is asked per day (:class:`Roster`).
"""

from __future__ import annotations

from bisect import bisect
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import pairwise
from random import Random
from typing import Any

from sqlalchemy import select

from cms.models import Charge, Kind, Officer, Posting, Rank, Unit, User
from cms.rules import SUPERIORS, Post, Role, Seat, Viewer
from cms.services import bulk, reference
from cms.services.accounts import hasher
from cms.services.demo.people import Crowd, Name
from cms.services.people import BEFORE
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
IN_CHARGE = "-PS05"
"""The SHO of this station has acting charge of the vacant one in every second district."""
ON_LEAVE = (("-PS02", "-PS03", Post.SHO, 20, 8), ("-SD2", "-SD1", Post.DSP, 12, -3))
"""(whose head is on leave, who covers, post, from and to so many days ago)."""
CHANGE_OF_IOS = 30
"""So many days ago IOs of -PS01 and -PS02 of each district changed places by one order."""
ORDER = "Order No. 1187/Estt"

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
    level: int = 0
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
    line: tuple[int, ...]  # ids from the top down, its own last
    district: int | None


Command = tuple[Man, Post, Place]


@dataclass
class Staff:
    """Who sits where on a day."""

    places: dict[int, Place] = field(default_factory=dict)
    by_code: dict[str, Place] = field(default_factory=dict)
    seats: dict[tuple[int, Post], list[Man]] = field(default_factory=dict)
    lines: dict[int, list[Command]] = field(default_factory=dict)
    lists: dict[int, list[Command]] = field(default_factory=dict)
    stations: list[tuple[Place, Man]] = field(default_factory=list)

    def at(self, unit_id: int, post: Post) -> list[Man]:
        """The officers of a post, leave cover first, in the order of their postings."""
        return self.seats.get((unit_id, post), [])

    def above(self, place: Place) -> Place:
        """The unit one level up."""
        return self.places[place.line[-2]]

    def superiors(self, place: Place) -> list[Command]:
        """Who commands a unit, the nearest desk first, as ``people.superiors`` has them."""
        found = self.lines.get(place.id)
        if found is None:
            found = self.lines[place.id] = [
                (man, post, self.places[unit_id])
                for unit_id in reversed(place.line)
                if unit_id in self.places
                for post in SUPERIORS
                for man in self.at(unit_id, post)
            ]
        return found

    def enquirers(self, district: int) -> list[Command]:
        """Who may enquire in a district at all: IOs and superiors in it and above it, listed once."""
        found = self.lists.get(district)
        if found is None:
            above = self.places[district].line
            found = self.lists[district] = [
                (man, post, self.places[unit_id])
                for (unit_id, post), men in self.seats.items()
                if post is Post.IO or post in SUPERIORS
                if district in self.places[unit_id].line or unit_id in above
                for man in men
            ]
        return found

    def station_heads(self) -> list[tuple[Place, Man]]:
        """Every station with each officer who holds its post of SHO, listed once."""
        if not self.stations:
            self.stations += [
                (self.places[unit_id], man)
                for (unit_id, post), men in self.seats.items()
                if post is Post.SHO
                for man in men
            ]
        return self.stations

    def head(self, place: Place) -> tuple[Man, Post]:
        """Who commands a unit: its own head or whoever covers for him, or the nearest above."""
        man, post, _unit = self.superiors(place)[0]
        return man, post

    def desk(self, place: Place) -> Place:
        """The nearest office that takes complaints in: a police post has none of its own."""
        for unit_id in reversed(place.line):
            if self.at(unit_id, Post.BRANCH) or self.at(unit_id, Post.SHO):
                return self.places[unit_id]
        raise LookupError(place.code)

    def seats_of(self, man: Man) -> tuple[Seat, ...]:
        """Every post that an officer holds."""
        return tuple(
            Seat(post, unit_id, "/" + "".join(f"{one}/" for one in self.places[unit_id].line))
            for (unit_id, post), men in self.seats.items()
            if man in men
        )

    def acting(self, man: Man) -> Viewer:
        """An officer as the one who acts."""
        return Viewer(man.user_id, man.id, man.name.en, self.seats_of(man))

    def viewer(self, code: str, post: Post) -> Viewer:
        """The first officer of a post as the one who acts, with that seat alone."""
        place, man = self.by_code[code], self.at(self.by_code[code].id, post)[0]
        path = "/" + "".join(f"{unit_id}/" for unit_id in place.line)
        return Viewer(man.user_id, man.id, man.name.en, (Seat(post, place.id, path),))


@dataclass
class Roster:
    """Who sits where, day by day, and who left a post to whom."""

    days: list[date]
    staffs: list[Staff]
    moved: dict[int, tuple[date, Man]] = field(default_factory=dict)  # IO -> (day, successor)
    settled: frozenset[int] = frozenset()  # officers with one posting throughout

    def on(self, day: date) -> Staff:
        """The staff of a day."""
        return self.staffs[bisect(self.days, day)]

    @property
    def today(self) -> Staff:
        """The staff of the last day."""
        return self.staffs[-1]


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
    bulk.insert_registry(work, Posting, service(rng, ids, seats, as_of, days))
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
    rng: Random, ids: list[int], seats: list[tuple[Place, Post]], as_of: date, days: int
) -> list[dict[str, Any]]:  # fmt: skip
    """All postings: today's, for one in three the one before, then charges and changes of place.

    An earlier post of command ended when its present head came: no post has two heads.
    """
    rows: list[dict[str, Any]] = []
    first: dict[tuple[int, Post], date] = {}
    since = {i: as_of - timedelta(days=days + rng.randrange(120, 900)) for i in ids}
    for officer_id, (place, post) in zip(ids, seats, strict=True):
        first.setdefault((place.id, post), since[officer_id])
    for officer_id, (place, post) in zip(ids, seats, strict=True):
        others = [p for p, held in seats if held is post and p.kind is place.kind and p is not place]
        if others and rng.random() < 0.33:
            before = rng.choice(others)
            until = since[officer_id]
            if post in SUPERIORS:
                until = min(until, first[before.id, post])
            began = until - timedelta(days=rng.randrange(200, 700))
            if post in SUPERIORS:
                first[before.id, post] = began
            rows.append(posting(officer_id, before, post, began, until))
        rows.append(posting(officer_id, place, post, since[officer_id], None))
    holders = {(place.code, post): i for i, (place, post) in reversed(list(zip(ids, seats, strict=True)))}
    by_code = {place.code: place for place, _post in seats}
    change_places(rows, holders, by_code, as_of - timedelta(days=CHANGE_OF_IOS))
    return rows + charges(holders, by_code, as_of)


def charges(holders: dict[tuple[str, Post], int], by_code: dict[str, Place], as_of: date) -> list[dict[str, Any]]:
    """Acting charge of vacant stations, and leave cover."""
    rows = []
    districts = sorted({code.split("-")[0] for code in by_code})
    for no, district in enumerate(districts):
        vacant, acting = by_code.get(district + VACANT), holders.get((district + IN_CHARGE, Post.SHO))
        if no % 2 == 0 and vacant and acting:
            row = posting(acting, vacant, Post.SHO, as_of - timedelta(days=40), None)
            rows.append(row | {"charge": Charge.ACTING, "order_no": ORDER})
        for away, near, post, since, until in ON_LEAVE:
            place, cover = by_code.get(district + away), holders.get((district + near, post))
            if place and cover and (district + away, post) in holders:
                start, end = as_of - timedelta(days=since), as_of - timedelta(days=until)
                rows.append(posting(cover, place, post, start, end) | {"charge": Charge.COVER, "order_no": ORDER})
    return rows


def change_places(
    rows: list[dict[str, Any]], holders: dict[tuple[str, Post], int], by_code: dict[str, Place], day: date
) -> None:  # fmt: skip
    """By one order the last IOs of two stations change places; nobody is promoted by it."""
    for code in sorted(by_code):
        other = code[:-4] + "PS02"
        if not code.endswith("-PS01") or other not in by_code:
            continue
        for here, there in ((code, other), (other, code)):
            row = last_io(rows, by_code[here].id)
            came = posting(row["officer_id"], by_code[there], Post.IO, row["valid_from"], day)
            row.update(valid_from=day, order_no=ORDER)
            rows.append(came)


def last_io(rows: list[dict[str, Any]], unit_id: int) -> dict[str, Any]:
    """The present posting of the last of the IOs of a station: an ASI."""
    return [r for r in rows if r["unit_id"] == unit_id and r["post"] is Post.IO and r["valid_to"] is None][-1]


def posting(
    officer_id: int, place: Place, post: Post, since: date, until: date | None
) -> dict[str, Any]:
    """One row of the postings."""
    return {
        "officer_id": officer_id, "unit_id": place.id, "post": post,
        "valid_from": since, "valid_to": until, "charge": Charge.SUBSTANTIVE, "order_no": "",
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


def muster(work: Work, as_of: date, top: str = "RHSR", days: int = 0) -> Roster:
    """Who sits where from ``days`` ago to a day, read back from the postings."""
    found = places(work, top)
    start = as_of - timedelta(days=days)
    query = (
        select(Posting, Officer, Rank.short_en, Rank.level, User.id)
        .join(Officer, Posting.officer_id == Officer.id)
        .join(Rank, Officer.rank_id == Rank.id)
        .outerjoin(User, User.officer_id == Officer.id)
        .where(
            Posting.valid_from <= as_of, Posting.valid_to.is_(None) | (Posting.valid_to > start),
            Posting.unit_id.in_(found),
        )
        .order_by(Posting.id)
    )  # fmt: skip
    men: dict[int, Man] = {}  # one for each officer, however many posts he holds
    held = [
        (row, men.setdefault(man.id, Man(man.id, Name(man.name_en, man.name_hi), rank, level, user_id)))
        for row, man, rank, level, user_id in work.session.execute(query)
    ]
    days_of_change = {d for row, _man in held for d in (row.valid_from, row.valid_to) if d and start < d <= as_of}
    breaks = sorted(days_of_change)
    staffs = [staff_on(found, held, day) for day in (start, *breaks)]
    return Roster(breaks, staffs, moves(held), settled(held))


def staff_on(found: dict[int, Place], held: list[tuple[Posting, Man]], day: date) -> Staff:
    """The seats of one day."""
    staff = Staff(found, {p.code: p for p in found.values()})
    for row, man in sorted(held, key=lambda pair: BEFORE.index(pair[0].charge)):
        if row.in_force(day):
            staff.seats.setdefault((row.unit_id, row.post), []).append(man)
    return staff


def moves(held: list[tuple[Posting, Man]]) -> dict[int, tuple[date, Man]]:
    """IOs who left a post, when, and who came in their place that day."""
    came = {(row.unit_id, row.valid_from): man for row, man in held if row.post is Post.IO}
    return {
        man.id: (row.valid_to, came[row.unit_id, row.valid_to])
        for row, man in held
        if row.post is Post.IO and row.valid_to and (row.unit_id, row.valid_to) in came
    }


def settled(held: list[tuple[Posting, Man]]) -> frozenset[int]:
    """Officers who sit in one place throughout."""
    ordered = sorted(man.id for _row, man in held)
    twice = {one for one, other in pairwise(ordered) if one == other}
    return frozenset(ordered) - twice
