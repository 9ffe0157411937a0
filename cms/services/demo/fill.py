"""Filling an empty database with the demo: staff first, then the register in short transactions."""

from __future__ import annotations

import gc
import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from multiprocessing import get_context
from random import Random
from typing import Any, NamedTuple

from sqlalchemy import Connection, Engine, func, insert, select, update

from cms.i18n import IST, ist
from cms.models import Complaint, ComplaintLink, Language, NumberSeries, Officer, Stamp, db
from cms.rules import SYSTEM, Post, complaint_number
from cms.services import bulk, complaints, constraints, reference
from cms.services.demo import staff as staffing
from cms.services.demo.case import Case, begin
from cms.services.demo.life import live
from cms.services.demo.people import Crowd, dice
from cms.services.demo.staff import ACCOUNTS, ORIGIN, PASSWORD, Place, Staff
from cms.services.demo.state import SHAPES, Shape, units
from cms.services.demo.world import World, build
from cms.services.upkeep import stamp
from cms.unit_of_work import Work, unit_of_work

DEFAULT = 2_000
FRESH = 6
"""Of these many walk-ins of today the copy is still to be handed over."""

MOST_LANES = 2
LANES_FROM = 50_000
"""From so many complaints on two processes write into PostgreSQL."""

TIDY = 20
"""Batches between two collections of garbage; a batch leaves some fifty objects behind."""

REPEAT_DAYS = 6
"""How many days back the first complaint of a repeated one lies at most."""
BEFORE = 20
"""Days before the first complaint from which postings are read: incidents lie so far back."""

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
        reference.load(work, (moment - timedelta(days=form.days)).year)
        if work.session.scalar(select(Officer.id).where(Officer.origin == ORIGIN).limit(1)) is None:
            days = form.days if form.days > 365 else 0
            if form.name == "state":
                reference.load_units(work, units(), reference.SINCE)
            staffing.recruit(work, dice(seed), crowd, as_of, form.top, days)
    with unit_of_work(SYSTEM, via="demo", now=moment) as work:
        roster = staffing.muster(work, as_of, form.top, form.days + BEFORE)
        world = build(work, roster, crowd, moment, form, late)
    fresh = FRESH if count >= SMALL else 0
    written = run_lanes(Plan(engine, world, count - fresh, seed, tell))
    written += take_in(world, roster.today, fresh, seed, moment)
    with unit_of_work(SYSTEM, via="demo", now=moment) as work:
        put_stamp(work, "demo:done", str(count))
    return written


def stamp_of(count: int, as_of: date, seed: int, shape: str, late: str) -> str:
    """What a demo was begun with, in words that :func:`begin_stamp` compares."""
    said = f"complaints={count} as_of={as_of} seed={seed}"
    return said if (shape, late) == ("pilot", "honest") else f"{said} shape={shape} late={late}"


def begun(connection: Connection) -> dict[str, Any] | None:
    """What the demo of this database was begun with; None if it holds none."""
    said = dict(part.split("=", 1) for part in (stamp(connection, "demo") or "").split())
    if not said:
        return None
    return {
        "complaints": int(said["complaints"]), "day": date.fromisoformat(said["as_of"]), "seed": int(said["seed"]),
        "shape": said.get("shape", "pilot"), "late": said.get("late", "honest"),
    }  # fmt: skip


def begin_stamp(work: Work, wanted: str) -> bool:
    """Stamp the database as demo; False if it is filled already. NotEmpty if it must not be."""
    connection = work.session.connection()
    begun, done = stamp(connection, "demo"), stamp(connection, "demo:done")
    if begun is None and work.session.scalar(select(Complaint.id).limit(1)) is not None:
        raise NotEmpty("The database holds complaints already; the demo fills an empty one only.")
    if begun not in (None, wanted) and done:
        raise NotEmpty(f"The database holds another demo ({begun}); this one needs an empty database.")
    if begun not in (None, wanted):
        raise NotEmpty(f"A demo was begun here with {begun}; go on with the same values.")
    if begun is None:
        put_stamp(work, "demo", wanted)
        put_stamp(work, "demo:moment", work.now.isoformat())
    return not done


def put_stamp(work: Work, name: str, value: str) -> None:
    """Note a fact about this database."""
    work.session.execute(insert(Stamp.__table__).values(name=name, value=value))  # type: ignore[arg-type]


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


@dataclass(frozen=True)
class Plan:
    """What is to be written, the same for every process that writes."""

    engine: Engine
    world: World
    total: int
    seed: int
    tell: Tell

    @property
    def lanes(self) -> int:
        """How many processes write at once: SQLite has one writer, few complaints need no second."""
        return MOST_LANES if self.engine.dialect.name == "postgresql" and self.total >= LANES_FROM else 1

    def seed_of(self, place: int) -> int:
        """What the draws of one complaint start from."""
        return self.seed * 1_000_003 + place

    def is_repeat(self, place: int) -> bool:
        """One in seventy comes a second time with the same matter."""
        return (place * 2_654_435_761 + self.seed) % 70 == 0


Series = dict[tuple[int, int], int]
"""(district, year) -> last number given."""


class Slot(NamedTuple):
    """A complaint before it is lived: its place in the register, when it comes in, where, its number."""

    place: int
    at: datetime
    district: Place
    serial: int

    @property
    def number(self) -> str:
        """The number of the complaint."""
        return complaint_number(self.district.code, ist(self.at).year, self.serial)


def slots(plan: Plan, series: Series) -> Iterator[Slot]:
    """All complaints of the demo in order, whoever writes them: numbers are without a gap."""
    world = plan.world
    by_code, rng = world.roster.today.by_code, dice(plan.seed)
    for place, at in enumerate(moments(plan.total, plan.seed, world.now, world.shape)):
        district = by_code[world.district.draw(rng)]
        key = (district.id, ist(at).year)
        serial = series[key] = series.get(key, 0) + 1
        yield Slot(place, at, district, serial)


def lives(plan: Plan, series: Series, lane: int, done: int) -> Iterator[Case]:
    """The complaints of one lane, numbered; those already written are passed over."""
    mine = 0
    lately: deque[Slot] = deque(maxlen=max(int(plan.total / plan.world.shape.days * REPEAT_DAYS), 8))
    for slot in slots(plan, series):
        earlier = find_earlier(plan, slot, lately) if plan.is_repeat(slot.place) else None
        lately.append(slot)
        if slot.place % plan.lanes != lane:
            continue
        mine += 1
        if mine > done:
            yield lived(plan, slot, lived(plan, earlier) if earlier else None)


def lived(plan: Plan, slot: Slot, again: Case | None = None) -> Case:
    """The life of one complaint; nobody repeats a complaint against an officer."""
    again = again if again and again.accused is None else None
    case = live(plan.world, dice(plan.seed_of(slot.place)), slot.at, again, slot.district.code)
    case.dossier.complaint["number"] = slot.number
    return case


def find_earlier(plan: Plan, slot: Slot, lately: Sequence[Slot]) -> Slot | None:
    """A complaint of the same district some days ago, which the same process wrote, however many write."""
    oldest = len(lately) // 2
    for other in islice(lately, max(oldest, 1)):
        alike = other.district is slot.district and (slot.place - other.place) % MOST_LANES == 0
        if alike and not plan.is_repeat(other.place):
            return other
    return None


def run_lanes(plan: Plan) -> int:
    """Write everything that is not there yet, in one process or in several; how many in this run."""
    if plan.lanes == 1:
        with unit_of_work(SYSTEM, via="demo", now=plan.world.now) as work:
            done = work.session.scalar(select(func.count()).select_from(Complaint)) or 0
        return write(plan, {}, 0, done)
    db.session.remove()
    if not any(lane_done(plan, lane) for lane in range(plan.lanes)):
        constraints.set_aside(plan.engine, bulk.TABLES)
    plan.engine.dispose()  # no connection may be shared with the other process
    others = [
        get_context("fork").Process(target=write_beside, args=(plan, lane), daemon=True)
        for lane in range(1, plan.lanes)
    ]
    for other in others:
        other.start()
    series: Series = {}
    written = write(plan, series, 0, lane_done(plan, 0))
    for other in others:
        other.join()
        if other.exitcode:
            raise RuntimeError("a process that wrote demo complaints ended before its time; start again")
    with unit_of_work(SYSTEM, via="demo", now=plan.world.now) as work:
        if work.session.scalar(select(NumberSeries.last).limit(1)) is None:
            bulk.continue_numbers(work, series)
    db.session.remove()
    constraints.put_back(plan.engine, bulk.TABLES, plan.tell)
    return written * plan.lanes


def write_beside(plan: Plan, lane: int) -> None:
    """One lane in a process of its own, as long as the one that started it lives."""
    plan.engine.dispose(close=False)
    parent = os.getppid()
    write(plan, {}, lane, lane_done(plan, lane), lambda: os.getppid() == parent)


def lane_done(plan: Plan, lane: int) -> int:
    """How many complaints of a lane are there."""
    with plan.engine.connect() as connection:
        return int(stamp(connection, f"demo:lane{lane}") or 0)


def write(
    plan: Plan, series: Series, lane: int, done: int, may_go: Callable[[], bool] = lambda: True
) -> int:
    """Write the complaints of a lane in batches; how many."""
    written = 0
    for batch in tidily(bulk.in_batches(lives(plan, series, lane, done), bulk.batch_size(plan.engine))):
        if not may_go():
            raise SystemExit(1)
        with unit_of_work(SYSTEM, via="demo", now=plan.world.now) as work:
            point_back(work, batch)
            bulk.insert_complaints(work, [case.dossier for case in batch])
            if plan.lanes == 1:
                bulk.continue_numbers(work, series)
            else:
                count_lane(work, lane, done + written + len(batch))
        written += len(batch)
        plan.tell("complaints", (done + written) * plan.lanes, plan.total)
    return written


def tidily(batches: Iterator[list[Case]]) -> Iterator[list[Case]]:
    """The same, with memory tidied up after some batches only: rows come and go by the million, nearly all
    of them without a circle, and the interpreter's own rounds cost a fifth of the time."""
    was_on = gc.isenabled()
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        for no, batch in enumerate(batches, 1):
            yield batch
            if no % TIDY == 0:
                gc.collect()
    finally:
        gc.unfreeze()
        if was_on:
            gc.enable()


def point_back(work: Work, batch: Sequence[Case]) -> None:
    """Put what is in the register, or in this batch, where a repetition names its first complaint."""
    here = {case.dossier.complaint["number"]: case.dossier for case in batch}
    wanted = {c.again.dossier.complaint["number"] for c in batch if c.again} - set(here)
    query = select(Complaint.number, Complaint.id).where(Complaint.number.in_(wanted))
    there = dict(work.session.execute(query).all()) if wanted else {}
    for case in batch:
        if case.again is None:
            continue
        number = case.again.dossier.complaint["number"]
        target = here.get(number) or there[number]
        if case.dossier.complaint.get("merged_into_id") is not None:
            case.dossier.complaint["merged_into_id"] = target
        for row in case.dossier.rows.get(ComplaintLink, ()):
            row["other_id"] = target


def count_lane(work: Work, lane: int, done: int) -> None:
    """Note in the same transaction how far a lane has come."""
    table: Any = Stamp.__table__
    name = f"demo:lane{lane}"
    changed = work.session.execute(update(table).where(table.c.name == name).values(value=str(done)))
    if changed.rowcount == 0:  # type: ignore[attr-defined]
        put_stamp(work, name, str(done))


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
