"""Filling an empty database with the demo: staff first, then the register in short transactions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Any

from sqlalchemy import Engine, func, insert, select

from cms.i18n import IST, ist
from cms.models import Complaint, Language, NumberSeries, Officer, Stamp
from cms.rules import SYSTEM, Post, complaint_number
from cms.services import bulk, complaints, reference
from cms.services.demo import staff as staffing
from cms.services.demo.case import Case, begin
from cms.services.demo.life import live
from cms.services.demo.people import Crowd, dice
from cms.services.demo.staff import ACCOUNTS, ORIGIN, PASSWORD, Staff
from cms.services.demo.state import SHAPES, Shape, units
from cms.services.demo.world import World, build
from cms.services.upkeep import stamp
from cms.unit_of_work import Work, unit_of_work

DEFAULT = 2_000
FRESH = 6
"""Of these many walk-ins of today the copy is still to be handed over."""

SMALL = 50
"""Below this the fresh ones are left out."""

DESKS = (("HSR-PS01", Post.SHO), ("HSR", Post.BRANCH), ("SRS-PS01", Post.SHO))
"""Who took the fresh ones in: desks that have an account."""

Tell = Callable[[str, int, int], object]


class NotEmpty(Exception):
    """The database holds something else; the message is a sentence for the operator."""


def moment_of(as_of: date, now: datetime) -> datetime:
    """The moment that the demo calls now: half past ten in India, or the real one if earlier."""
    return min(datetime.combine(as_of, time(10, 30), IST).astimezone(UTC), now)


def fill(
    engine: Engine, *, count: int = DEFAULT, as_of: date, seed: int, now: datetime,
    tell: Tell = lambda *_: None, shape: str = "pilot", late: str = "honest",
) -> int:  # fmt: skip
    """Fill the database; how many complaints were written. NotEmpty if it holds anything else.

    Killed half-way and started again with the same values, it goes on where it stopped.
    """
    form = SHAPES[shape]
    moment = moment_of(as_of, now)
    crowd = Crowd()
    with unit_of_work(SYSTEM, via="demo", now=moment) as work:
        if not begin_stamp(work, stamp_of(count, as_of, seed, shape, late)):
            return 0
        moment = datetime.fromisoformat(stamp(work.session.connection(), "demo:moment") or "")
        reference.load(work)
        if work.session.scalar(select(Officer.id).where(Officer.origin == ORIGIN).limit(1)) is None:
            days = form.days if form.days > 365 else 0
            if form.name == "state":
                reference.load_units(work, units(), reference.SINCE)
            staffing.recruit(work, dice(seed), crowd, as_of, form.top, days)
    with unit_of_work(SYSTEM, via="demo", now=moment) as work:
        staff = staffing.muster(work, as_of, form.top)
        world = build(work, staff, crowd, moment, form, late)
        done = work.session.scalar(select(func.count()).select_from(Complaint)) or 0
        series = last_numbers(work)
    fresh = FRESH if count >= SMALL else 0
    cases = lives(world, series, count - fresh, seed, done)
    written = write(engine, cases, series, moment, count - fresh, done, tell)
    written += take_in(world, staff, fresh, seed, moment)
    with unit_of_work(SYSTEM, via="demo", now=moment) as work:
        put_stamp(work, "demo:done", str(count))
    return written


def stamp_of(count: int, as_of: date, seed: int, shape: str, late: str) -> str:
    """What a demo was begun with, in words that :func:`begin_stamp` compares."""
    said = f"complaints={count} as_of={as_of} seed={seed}"
    return said if (shape, late) == ("pilot", "honest") else f"{said} shape={shape} late={late}"


def begin_stamp(work: Work, wanted: str) -> bool:
    """Stamp the database as demo; False if it is filled already. NotEmpty if it must not be."""
    connection = work.session.connection()
    begun = stamp(connection, "demo")
    if stamp(connection, "demo:done"):
        return False
    if begun is None and work.session.scalar(select(Complaint.id).limit(1)) is not None:
        raise NotEmpty("The database holds complaints already; the demo fills an empty one only.")
    if begun is not None and begun != wanted:
        raise NotEmpty(f"A demo was begun here with {begun}; go on with the same values.")
    if begun is None:
        put_stamp(work, "demo", wanted)
        put_stamp(work, "demo:moment", work.now.isoformat())
    return True


def put_stamp(work: Work, name: str, value: str) -> None:
    """Note a fact about this database."""
    work.session.execute(insert(Stamp.__table__).values(name=name, value=value))  # type: ignore[arg-type]


def last_numbers(work: Work) -> dict[tuple[int, int], int]:
    """(district, year) -> last number given."""
    rows = work.session.execute(select(NumberSeries))
    return {(s.district_id, s.year): s.last for s in rows.scalars()}


def moments(count: int, seed: int, now: datetime, shape: Shape) -> Iterator[datetime]:
    """When each complaint came in, oldest first: flat over the days, few on Sundays, by day.

    One day after the other, so that ten million need no more memory than ten.
    """
    start = ist(now).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(shape.days)
    last = now - timedelta(minutes=15)
    days = [start + timedelta(no) for no in range(shape.days + 1)]
    shares = [share(day, last, shape) for day in days]
    total, so_far, given = sum(shares), 0.0, 0
    for no, (day, part) in enumerate(zip(days, shares, strict=True)):
        so_far += part
        wanted = round(count * so_far / total) - given
        given += wanted
        rng = dice(seed * 100_003 + no)
        room = min(36_000, int((last - day).total_seconds()) - 9 * 3600)
        found = sorted(rng.randrange(max(room, 1)) for _ in range(wanted))
        yield from ((day + timedelta(seconds=9 * 3600 + s)).astimezone(UTC) for s in found)


def share(day: datetime, last: datetime, shape: Shape) -> float:
    """A day's part of the intake against a full working day."""
    part = 0.4 if day.weekday() == 6 else 1.0
    part *= shape.dip if day.month == 5 else 1.0
    return part * min(max((last - day).total_seconds() - 9 * 3600, 0) / 36_000, 1.0)


def lives(
    world: World, series: dict[tuple[int, int], int], count: int, seed: int, done: int
) -> Iterator[Case]:
    """The complaints one after the other, numbered; those already written are passed over."""
    for place, at in enumerate(moments(count, seed, world.now, world.shape)):
        if place < done:
            continue
        case = live(world, dice(seed * 1_000_003 + place), at)
        district = world.staff.places[case.dossier.complaint["district_id"]]
        year = ist(at).year
        serial = series[district.id, year] = series.get((district.id, year), 0) + 1
        case.dossier.complaint["number"] = complaint_number(district.code, year, serial)
        yield case


def write(
    engine: Engine, cases: Iterator[Case], series: dict[tuple[int, int], int], moment: datetime,
    total: int, done: int, tell: Tell,
) -> int:  # fmt: skip
    """Write the complaints in batches, each with the numbers it used; how many."""
    written = 0
    for batch in bulk.in_batches(cases, bulk.batch_size(engine)):
        with unit_of_work(SYSTEM, via="demo", now=moment) as work:
            bulk.insert_complaints(work, [case.dossier for case in batch])
            bulk.continue_numbers(work, series)
        written += len(batch)
        tell("complaints", done + written, total)
    return written


def take_in(world: World, staff: Staff, count: int, seed: int, moment: datetime) -> int:
    """Today's last walk-ins, through the real door: their copies wait to be handed over."""
    for no in range(count):
        code, post = DESKS[no % len(DESKS)]
        rng = dice(seed * 31 + no)
        at = moment - timedelta(minutes=2 * (count - no))
        with unit_of_work(staff.viewer(code, post), via="demo", now=at) as work:
            complaints.register(work, walk_in(world, rng, code, f"demo-{seed}-{no}", at))
            work.hints.clear()  # the queue may not run yet; the sweep finds the documents
    return count


def walk_in(
    world: World, rng: Random, code: str, form_key: str, at: datetime
) -> complaints.NewComplaint:
    """What a person at the counter says."""
    case = begin(world, rng, at)
    said: dict[str, Any] = case.dossier.complaint
    party = next(iter(case.dossier.rows.values()))[0]
    return complaints.NewComplaint(
        name=party["name"], phone=party["phone"], subject=said["subject"], text=said["text"],
        category_id=said["category_id"], mode_id=world.modes["HAND"],
        source_id=world.sources["CITIZEN"], form_key=form_key, language=Language(said["language"]),
        address=party["address"], place=said["place"] or "", incident_on=said["incident_on"],
        opposite=case.told.facts["opp"] if case.told.against else "",
    )  # fmt: skip


def accounts() -> list[str]:
    """The demo accounts, one a line, for the operator."""
    return [f"{login:<14} {code or '-':<10} {PASSWORD}" for login, code, _post, _lang in ACCOUNTS]
