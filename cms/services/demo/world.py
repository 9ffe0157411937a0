"""What the lives of all demo complaints share: shares of categories and modes, ids, office hours."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate
from random import Random
from typing import Any, Generic, TypeVar

from cms.i18n import IST, ist
from cms.models import Category, Disposition, Kind, Mode, Source
from cms.services import reference
from cms.services.demo.people import Crowd
from cms.services.demo.staff import Place, Staff
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


@dataclass
class World:
    """Everything that does not change from one complaint to the next."""

    staff: Staff
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
    shape: Shape = SHAPES["pilot"]
    late: str = "honest"

    def station(self, rng: Random, district: str, category: str) -> Place:
        """A station of the district that takes this category."""
        kind = next((k for k, cats in SPECIAL.items() if category in cats), "")
        found = self.stations.get((district, kind)) if rng.random() < 0.7 else None
        return (found or self.stations[district, ""]).draw(rng)


def shares(name: str) -> dict[str, float]:
    """Code -> share of a fixture."""
    return {row["code"]: float(row["share"]) for row in reference.fixture(name) if row["share"] != "0"}


def build(
    work: Work, staff: Staff, crowd: Crowd, now: datetime, shape: Shape = SHAPES["pilot"],
    late: str = "honest",
) -> World:  # fmt: skip
    """Read the ids and lay out the shares."""
    districts = DISTRICTS if shape.name == "pilot" else DISTRICTS | dict.fromkeys(OTHERS, 20)
    crowd.places.update(villages())
    disposals = {
        d.code: Disposal(d.id, d.code, d.name_en)
        for d in work.session.query(Disposition).order_by(Disposition.id)
    }
    sources = shares("sources") | {"CITIZEN": 0.0}
    return World(
        staff=staff,
        crowd=crowd,
        texts=Texts(crowd),
        now=now,
        categories=reference.codes(work, Category),
        modes=reference.codes(work, Mode),
        sources=reference.codes(work, Source),
        disposals=disposals,
        category=Shares(shares("categories")),
        mode=Shares(shares("modes")),
        source=Shares({k: v for k, v in sources.items() if v}),
        disposal=Shares(shares("dispositions")),
        district=Shares(districts),
        stations=stations(staff),
        shape=shape,
        late=late,
    )


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
