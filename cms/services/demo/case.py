"""A demo complaint on its way: who complains of what, where it stands, and the rows so far.

:meth:`Case.take` does with rows in memory what ``services.step.take`` does in the database, from the
same table of moves; :meth:`Case.go` lets time pass and ends the life at today.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

from cms.i18n import day_range, ist_day
from cms.models import (
    Action,
    ActionKind,
    Assignment,
    Deadline,
    DeadlineKind,
    Desk,
    Kind,
    Language,
    Party,
    PartyRole,
    Priority,
    Round,
    Stay,
)  # fmt: skip
from cms.rules import ENDS, MOVES, OPEN, Move, Post, Status
from cms.services.bulk import Dossier, Values
from cms.services.clocks import Facts
from cms.services.demo.people import Name, Person, mobile
from cms.services.demo.staff import ORDER, Command, Man, Place, Staff
from cms.services.demo.state import span
from cms.services.demo.texts import Setting, Told
from cms.services.demo.world import World, office_time

STATIONS = (Kind.POLICE_STATION, Kind.POLICE_POST)
AGAINST_POLICE = frozenset({"POLICE", "CORRUPTION", "RIGHTS"})
BY_POST = frozenset({"DAK", "REGPOST", "POST", "SPEEDPOST"})
AT_STATION = frozenset({"HAND", "PHONE", "WIRELESS", "SMS"})
SHORTLY = timedelta(minutes=10)


class Over(Exception):
    """The life of a complaint has come to today, or to an end; not an error."""


@dataclass(slots=True)
class Case:
    """A complaint on its way; ``at`` is the last moment at which something happened, ``day`` its day."""

    world: World
    rng: Random
    at: datetime
    day: date
    place: Place
    desk: Place
    unit: Place
    lang: str
    category: str
    mode: str
    phone: str
    told: Told
    facts: Facts
    dossier: Dossier
    end: datetime | None
    accused: Man | None = None
    io: Man | None = None
    status: Status = Status.REGISTERED
    round: int = 1
    stay: Values | None = None
    overall: int = 0  # place of the overall clock of this round among the deadlines
    since: datetime | None = None  # when the enquiry began, for the spacing of its steps
    running: dict[DeadlineKind, list[Values]] = field(default_factory=dict)
    begun: dict[tuple[DeadlineKind, int], int] = field(default_factory=dict)  # how many clocks, by kind and round
    handled: dict[int, Man] = field(default_factory=dict)
    ios: dict[int, Man] = field(default_factory=dict)
    dues: list[tuple[int, datetime, datetime]] = field(default_factory=list)  # (overall clock, since, due)
    papers: dict[Any, int] = field(default_factory=dict)
    shut: frozenset[int] = frozenset()
    transfer_to: Place | None = None
    again: Case | None = None
    deeds: list[tuple[datetime, str, Man | None, Values]] = field(default_factory=list)

    @property
    def staff(self) -> Staff:
        """Who sits where now."""
        return self.world.roster.on(self.day)

    @property
    def at_first(self) -> datetime:
        """When it was registered."""
        moment: datetime = self.dossier.complaint["registered_at"]
        return moment

    @property
    def due(self) -> datetime:
        """When the present round is due."""
        due: datetime = self.dossier.rows[Deadline][self.overall]["due_at"]
        return due

    # ------------------------------------------------------------ time

    def go(self, moment: datetime) -> None:
        """Let time pass to a moment. Over if it has not come yet."""
        self.hand_on(moment)
        if moment >= self.world.now:
            raise Over
        self.at, self.day = moment, ist_day(moment)

    def soon(self, moment: datetime) -> datetime:
        """The moment in working hours, at the earliest ten minutes from now."""
        return max(office_time(self.rng, moment), self.at + SHORTLY)

    def wait(self, low: float, high: float) -> None:
        """Let some days pass. Over if today comes before."""
        self.go(self.soon(self.at + timedelta(days=low + (high - low) * self.rng.random())))

    def hand_on(self, moment: datetime) -> None:
        """An IO who left his post meanwhile handed the case over on that day."""
        found = self.world.roster.moved.get(self.io.id) if self.io else None
        if found is None or self.status not in OPEN:
            return
        day, successor = found
        left = day_range(day, day)[0] + timedelta(hours=10)
        if self.at < left <= moment and left < self.world.now:
            self.at, self.day = left, day
            self.hand_over(successor)

    def hand_over(self, successor: Man) -> None:
        """The successor is IO from now on, as the posting order says."""
        assert self.io is not None  # noqa: S101 (hand_on() looked)
        self.did("hand_over", None, officer=self.io, successor=successor)
        said = f"{self.io.called} → {successor.called} · {ORDER}"
        self.name_io(successor, None)
        if self.stay and self.stay["desk"] is Desk.IO:
            self.move_to_desk(Desk.IO, self.unit.id, successor.id)
        self.note(ActionKind.HANDED_OVER, said, None)

    def name_io(self, man: Man, by: Man | None) -> None:
        """The officer is IO from now on."""
        self.io = self.ios[man.id] = self.handled[man.id] = man
        self.this_round["io_id"] = man.id
        self.dossier.add(
            Assignment, round=self.round, officer_id=man.id, unit_id=self.unit.id, assigned_at=self.at,
            assigned_by_id=by.user_id if by else None,
        )  # fmt: skip

    # ------------------------------------------------------------ rows

    def did(self, verb: str, man: Man | None, **values: Any) -> None:
        """Remember the use case that these rows stand for; a test plays it through the real one."""
        self.deeds.append((self.at, verb, man, values))

    def note(
        self, kind: ActionKind, text: str, man: Man | None, happened: datetime | None = None,
        corrects: int | None = None,
    ) -> int:  # fmt: skip
        """An entry of the diary, written now; its place among the actions."""
        return self.dossier.add(
            Action, round=self.round, kind=kind, happened_at=happened or self.at, logged_at=self.at, note=text,
            officer_id=man.id if man else None, user_id=man.user_id if man else None, corrects_id=corrects,
        )  # fmt: skip

    def say(self, kind: str) -> str:
        """A sentence of the diary."""
        return self.world.texts.note(self.rng, self.told, self.lang, kind)

    def start(self, kind: DeadlineKind, at: datetime | None = None, by: Values | None = None) -> int:
        """Start a clock of the present round; its place among the deadlines."""
        begun = at or self.at
        row = self.world.almanac.first(kind, self.facts, begun, self.day if at is None else None)
        row.update(by or {})
        row["round"] = self.round
        row["no"] = self.begun[kind, self.round] = self.begun.get((kind, self.round), 0) + 1
        self.running.setdefault(kind, []).append(row)
        place = self.dossier.put(Deadline, row)
        if kind is DeadlineKind.OVERALL:
            self.overall = place
            self.dues.append((place, begun, row["due_at"]))
        return place

    def stop(self, kinds: tuple[DeadlineKind, ...] | frozenset[DeadlineKind], how: str) -> None:
        """Clocks of these kinds are met, or dropped."""
        for kind in kinds:
            for row in self.running.pop(kind, ()):
                row[how] = self.at

    def move_to_desk(self, desk: Desk, unit_id: int, officer_id: int | None = None) -> None:
        """The complaint comes to a desk; the stay before it ends at the same moment."""
        now = self.stay
        if now is not None:
            if (now["desk"], now["unit_id"], now["officer_id"], now["round"]) == (
                desk, unit_id, officer_id, self.round,
            ):  # fmt: skip
                return
            now["to_at"] = self.at
        rows = self.dossier.rows.get(Stay, ())
        self.stay = {
            "no": len(rows) + 1, "round": self.round, "desk": desk, "unit_id": unit_id, "officer_id": officer_id,
            "from_at": self.at, "to_at": None,
        }  # fmt: skip
        self.dossier.put(Stay, self.stay)

    def take(self, move: Move, unit: Place | None = None) -> None:
        """Change status, clocks and desk as the table says."""
        step = MOVES[move]
        if self.status not in step.starts:
            raise ValueError(f"{move} from {self.status}")
        self.status = step.to or self.status
        self.stop(step.meets, "met_at")
        self.stop(step.drops, "dropped_at")
        for kind in step.begins:
            self.start(kind)
        if step.desk is not None:
            self.move_to_desk(step.desk, *((unit.id, None) if unit else self.where(step.desk)))
        elif self.status in ENDS and self.stay is not None:
            self.stay["to_at"], self.stay = self.at, None

    def where(self, desk: Desk) -> tuple[int, int | None]:
        """(unit, officer) of a desk that follows from the complaint itself."""
        if desk is Desk.BRANCH:
            return self.desk.id, None
        if desk is Desk.IO:
            return self.unit.id, self.io.id if self.io else None
        if desk is Desk.RECEIVER and self.transfer_to:
            return self.transfer_to.id, None
        if desk is Desk.FEEDBACK:
            return self.place.district or 0, None
        return self.unit.id, None

    def due_spans(self) -> dict[int, list[tuple[datetime, datetime, datetime | None]]]:
        """Overall clock -> (since, due, until): which date was in force when."""
        found: dict[int, list[tuple[datetime, datetime, datetime | None]]] = {}
        for no, (place, since, due) in enumerate(self.dues):
            later = self.dues[no + 1] if no + 1 < len(self.dues) else None
            row = self.dossier.rows[Deadline][place]
            until = later[1] if later and later[0] == place else row["met_at"] or row["dropped_at"]
            found.setdefault(place, []).append((since, due, until))
        return found

    @property
    def this_round(self) -> Values:
        """The row of the present round."""
        return self.dossier.rows[Round][-1]

    # ------------------------------------------------------------ who acts

    def commands(self, place: Place | None = None) -> Iterator[Command]:
        """Who commands a unit and may act: not complained against, never IO of the case, nearest first."""
        for found in self.staff.superiors(place or self.unit):
            man, _post, unit = found
            if man.id not in self.ios and self.shut.isdisjoint(unit.line):
                yield found

    def head(self) -> Man:
        """Who decides at the unit that holds the case, or whoever covers for him. Over if nobody."""
        for man, _post, _unit in self.commands():
            return man
        raise Over

    def branch(self) -> Man:
        """The clerk who serves the unit that holds the case. Over if it has none."""
        for unit_id in reversed(self.unit.line):
            if men := self.staff.at(unit_id, Post.BRANCH):
                return men[0]
        raise Over

    def cell(self) -> Man | None:
        """The feedback cell that may ask: never that of the unit itself."""
        district = self.place.district or 0
        men = self.staff.at(district, Post.FEEDBACK)
        return men[0] if men and district in self.unit.line[:-1] else None


def begin(
    world: World, rng: Random, at: datetime, again: Case | None = None, district: str = ""
) -> Case:  # fmt: skip
    """Who complains of what, where and how; ``again``: the same person in the same matter once more."""
    lang = "hi" if rng.random() < 0.72 else "en"
    category, mode = world.category.draw(rng), world.mode.draw(rng)
    district = district or world.district.draw(rng)
    staff = world.roster.on(ist_day(at))
    place = world.station(rng, district, category)
    writer = world.crowd.person(rng, female=True if category == "WOMEN" else None)
    phone = mobile(rng)
    if again is not None:
        lang, category, mode, place, phone = again.lang, again.category, "HAND", again.place, again.phone
    at_station = mode in AT_STATION and rng.random() < 0.85
    desk = staff.desk(place) if at_station else staff.by_code[district]
    accused = complained_against(world, staff, rng, place) if category in AGAINST_POLICE else None
    lag = rng.choice((0, 1, 1, 2, 3, 5)) if mode in BY_POST else 0
    received = ist_day(at) - timedelta(days=lag)
    told = tell(world, rng, lang, category, writer, phone, place, accused, received)
    if again is not None:
        told = repeated(again, told, received)
    days = span(rng, world.shape, world.late)
    end = office_time(rng, at + timedelta(days=days)) if days else None
    priority = Priority.URGENT if rng.random() < 0.08 else Priority.ROUTINE
    facts = Facts(world.modes[mode], world.categories[category], priority, place.district or 0)
    case = Case(
        world, rng, at, ist_day(at), place, desk, place if at_station else desk, lang, category, mode, phone,
        told, facts, Dossier({}), end, accused, again=again,
    )  # fmt: skip
    case.dossier.complaint = values(case, received)
    case.dossier.add(Party, **(dict(again.dossier.rows[Party][0]) if again else complainant(case, writer)))
    return case


def complained_against(world: World, staff: Staff, rng: Random, place: Place) -> Man | None:
    """An IO of the station, sometimes its head; one who sat there all the time."""
    men = [man for man in staff.at(place.id, Post.IO) if man.id in world.roster.settled]
    heads = [man for man in staff.at(place.id, Post.SHO) if man.id in world.roster.settled]
    if heads and rng.random() < 0.25:
        return heads[0]
    return rng.choice(men) if men else None


def repeated(again: Case, told: Told, on: date) -> Told:
    """The words of before, with the day of the first complaint."""
    day = again.dossier.complaint["received_on"]
    said = f"पूर्व शिकायत दिनांक {day:%d.%m.%Y}, पुनः {on:%d.%m.%Y}।\n"
    if again.lang == "en":
        said = f"Earlier complaint of {day:%d.%m.%Y}, once more on {on:%d.%m.%Y}.\n"
    first = again.told
    return Told(first.subject, said + first.text, first.against, first.incident, told.facts | first.facts)


def tell(
    world: World, rng: Random, lang: str, category: str, writer: Person, phone: str, place: Place,
    accused: Man | None, on: date,
) -> Told:  # fmt: skip
    """The complaint in words."""
    staff = world.roster.today
    district = staff.places[place.district or place.id]
    station = staff.above(place) if place.kind is Kind.POLICE_POST else place
    return world.texts.tell(
        rng,
        Setting(
            lang=lang, category=category, writer=writer, phone=phone,
            opposite=Person(accused.name, False) if accused else world.crowd.person(rng, female=False),
            father=rng.choice(world.crowd.male),
            village=world.crowd.place(rng, district.code),
            station=station.name, district=district.name,
            officer=accused.name.in_(lang) if accused else staff.head(place)[0].name.in_(lang),
            on=on,
        ),
    )  # fmt: skip


def values(case: Case, received: date) -> Values:
    """The complaint row as it stands right after registration."""
    world, rng = case.world, case.rng
    source = "CITIZEN" if case.unit is case.place or rng.random() < 0.4 else world.source.draw(rng)
    return {
        "number": "",
        "subject": case.told.subject,
        "text": case.told.text,
        "language": Language[case.lang.upper()],
        "category_id": case.facts.category_id,
        "priority": case.facts.priority,
        "mode_id": case.facts.mode_id,
        "source_id": world.sources[source],
        "place": case.told.facts["gaon"],
        "incident_on": case.told.incident,
        "district_id": case.place.district,
        "registered_unit_id": case.desk.id,
        "received_on": received,
        "registered_at": case.at,
        "restricted": False,
    }


def complainant(case: Case, writer: Person) -> Values:
    """The person who gets the copy."""
    district: Name = case.staff.places[case.place.district or 0].name
    return {
        "role": PartyRole.COMPLAINANT,
        "name": writer.name.in_(case.lang),
        "phone": case.phone,
        "address": f"{case.told.facts['gaon']}, {district.in_(case.lang)}",
    }


def finish(case: Case) -> None:
    """Where the complaint stands today, on its own row."""
    case.hand_on(case.world.now)
    case.dossier.complaint.update(
        status=case.status, is_open=case.status in OPEN, unit_id=case.unit.id, round=case.round,
        io_id=case.io.id if case.io else None, due_at=case.due,
        transfer_to_id=case.transfer_to.id if case.transfer_to else None,
    )  # fmt: skip
