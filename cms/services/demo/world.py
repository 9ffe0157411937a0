"""What the lives of all demo complaints share: shares of categories and modes, ids, office hours."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import accumulate
from random import Random
from typing import Any, Generic, TypeVar

from cms.i18n import IST, ist
from cms.models import (
    ApprovalRule,
    Category,
    Disposition,
    DispositionField,
    HoldReason,
    Kind,
    Mode,
    Source,
)  # fmt: skip
from cms.rules import APPROVED_BY, BY_MOVE, Post
from cms.services import reference
from cms.services.almanac import Almanac
from cms.services.demo.people import Crowd
from cms.services.demo.staff import Place, Roster, Staff
from cms.services.demo.state import OTHERS, SHAPES, Shape, villages
from cms.services.demo.texts import Texts
from cms.unit_of_work import Work

T = TypeVar("T")

DISTRICTS = {"HSR": 25, "SRS": 20, "FTB": 17, "HNS": 15, "JND": 15, "DBW": 8}
"""Share of each district in the intake, in per cent (our assumption)."""

SPECIAL = {
    "Cyber": ("CYBER_FIN", "CYBER_OTH"),
    "Women": ("WOMEN", "MATRIMONIAL"),
    "Traffic": ("TRAFFIC",),
}
"""Stations that take one kind of complaint, told by their name."""


class Shares(Generic[T]):
    """Draws a value in proportion to its share."""

    def __init__(self, shares: Mapping[T, float]) -> None:
        self.values: Sequence[T] = list(shares)
        self.sums = list(accumulate(shares.values()))

    def draw(self, rng: Random) -> T:
        """One value."""
        return self.values[bisect(self.sums, rng.random() * self.sums[-1], hi=len(self.sums) - 1)]


@dataclass(frozen=True)
class Disposal:
    """A disposition as the generator needs it."""

    id: int
    code: str
    name_en: str
    fields: tuple[tuple[str, str], ...] = ()  # (code, name in English) of what it must state


@dataclass
class World:
    """Everything that does not change from one complaint to the next."""

    roster: Roster
    crowd: Crowd
    texts: Texts
    now: datetime
    categories: dict[str, int]
    modes: dict[str, int]
    sources: dict[str, int]
    disposals: dict[str, Disposal]
    category: Shares[str]
    mode: Shares[str]
    source: Shares[str]
    disposal: Shares[str]
    district: Shares[str]
    stations: dict[tuple[str, str], Shares[Place]]
    almanac: Almanac
    hold_reasons: list[tuple[int, str]]
    approvals: list[tuple[tuple[int | None, ...], Post]]
    shape: Shape = SHAPES["pilot"]
    late: str = "honest"
    approvers: dict[tuple[int, int | None, int], Post] = field(default_factory=dict)  # needed() so far

    def station(self, rng: Random, district: str, category: str) -> Place:
        """A station of the district that takes this category."""
        kind = next((k for k, cats in SPECIAL.items() if category in cats), "")
        found = self.stations.get((district, kind)) if rng.random() < 0.7 else None
        return (found or self.stations[district, ""]).draw(rng)

    def needed(self, disposal: Disposal, category_id: int | None, mode_id: int) -> Post:
        """The lowest post that may approve, as ``enquiry.needed_post`` finds it."""
        facts = (disposal.id, category_id, mode_id)
        if facts not in self.approvers:
            fits = [
                (sum(w is not None for w in wanted), post.value, post)
                for wanted, post in self.approvals
                if all(w is None or w == has for w, has in zip(wanted, facts, strict=True))
            ]
            self.approvers[facts] = max(fits)[2] if fits else APPROVED_BY
        return self.approvers[facts]


def shares(name: str) -> dict[str, float]:
    """Code -> share of a fixture."""
    return {row["code"]: float(row["share"]) for row in reference.fixture(name) if row["share"] != "0"}


def build(
    work: Work, roster: Roster, crowd: Crowd, now: datetime, shape: Shape = SHAPES["pilot"],
    late: str = "honest",
) -> World:  # fmt: skip
    """Read the ids and lay out the shares."""
    districts = DISTRICTS if shape.name == "pilot" else DISTRICTS | dict.fromkeys(OTHERS, 20)
    crowd.places.update(villages())
    sources = shares("sources") | {"CITIZEN": 0.0}
    ways = {code: share for code, share in shares("dispositions").items() if code not in BY_MOVE}
    reasons = work.session.query(HoldReason).where(HoldReason.active).order_by(HoldReason.id)
    rules = work.session.query(ApprovalRule).where(ApprovalRule.active).order_by(ApprovalRule.id)
    return World(
        roster=roster,
        crowd=crowd,
        texts=Texts(crowd),
        now=now,
        categories=reference.codes(work, Category),
        modes=reference.codes(work, Mode),
        sources=reference.codes(work, Source),
        disposals=disposals(work),
        category=Shares(shares("categories")),
        mode=Shares(shares("modes")),
        source=Shares({k: v for k, v in sources.items() if v}),
        disposal=Shares(ways),
        district=Shares(districts),
        stations=stations(roster.today),
        almanac=Almanac.read(work.session),
        hold_reasons=[(r.id, r.name_en) for r in reasons],
        approvals=[((r.disposition_id, r.category_id, r.mode_id), r.post) for r in rules],
        shape=shape,
        late=late,
    )


def disposals(work: Work) -> dict[str, Disposal]:
    """Dispositions by code, with what each must state."""
    fields: dict[int, list[tuple[str, str]]] = {}
    query = work.session.query(DispositionField).where(DispositionField.active)
    for row in query.order_by(DispositionField.position, DispositionField.id):
        fields.setdefault(row.disposition_id, []).append((row.code, row.name_en))
    return {
        d.code: Disposal(d.id, d.code, d.name_en, tuple(fields.get(d.id, ())))
        for d in work.session.query(Disposition).order_by(Disposition.id)
    }


def stations(staff: Staff) -> dict[tuple[str, str], Shares[Place]]:
    """(district, kind of station) -> its stations; city stations and those first in the list lead."""
    found: dict[tuple[str, str], dict[Any, float]] = {}
    for place in staff.places.values():
        if place.kind not in (Kind.POLICE_STATION, Kind.POLICE_POST):
            continue
        kind = next((k for k in SPECIAL if k in place.name.en), "")
        weight = 0.4 if place.kind is Kind.POLICE_POST else 2.0 if place.code.endswith("01") else 1.0
        found.setdefault((place.code.split("-")[0], kind), {})[place] = weight
    return {key: Shares(weights) for key, weights in found.items()}


def office_time(rng: Random, moment: datetime) -> datetime:
    """The moment moved into the working hours of its day in India, 9 to 19 o'clock."""
    local = ist(moment)
    if 9 <= local.hour < 19:
        return moment
    start = datetime(local.year, local.month, local.day, 9, tzinfo=IST)
    return (start + timedelta(minutes=rng.randrange(600))).astimezone(moment.tzinfo)
