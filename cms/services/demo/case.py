"""A demo complaint on its way: who complains of what, and the rows of its registration."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

from cms.i18n import ist_day
from cms.models import (
    Accused,
    Action,
    ActionKind,
    Allegation,
    BarredUnit,
    Channel,
    Deadline,
    DeadlineKind,
    Delivery,
    Document,
    DocumentKind,
    DocumentState,
    Kind,
    Language,
    Party,
    PartyRole,
    Priority,
)  # fmt: skip
from cms.rules import CLOCK_DAYS, OPEN, Post, Status, due_at
from cms.services.bulk import Dossier
from cms.services.demo.people import Name, Person, mobile
from cms.services.demo.staff import Man, Place
from cms.services.demo.state import span
from cms.services.demo.texts import Setting, Told
from cms.services.demo.world import World, office_time
from cms.vault import new_code

STATIONS = (Kind.POLICE_STATION, Kind.POLICE_POST)
AGAINST_POLICE = frozenset({"POLICE", "CORRUPTION", "RIGHTS"})
BY_POST = frozenset({"DAK", "REGPOST", "POST", "SPEEDPOST"})
AT_STATION = frozenset({"HAND", "PHONE", "WIRELESS", "SMS"})


@dataclass
class Case:
    """A complaint on its way; ``at`` is the last moment at which something happened."""

    world: World
    rng: Random
    at: datetime
    place: Place
    desk: Place
    lang: str
    category: str
    mode: str
    phone: str
    told: Told
    dossier: Dossier
    end: datetime | None
    accused: Man | None = None
    io: Man | None = None
    disposed_at: datetime | None = None
    papers: dict[DocumentKind, int] = field(default_factory=dict)

    def later(self, low: float, high: float) -> datetime | None:
        """A moment in working hours some days on, or None if that has not come yet."""
        lag = timedelta(days=low + (high - low) * self.rng.random())
        moment = max(office_time(self.rng, self.at + lag), self.at + timedelta(minutes=10))
        return moment if moment < self.world.now else None

    def note(
        self, kind: ActionKind, text: str, man: Man | None, logged: datetime | None = None
    ) -> None:
        """An entry of the diary at ``at``."""
        self.dossier.add(
            Action, kind=kind, happened_at=self.at, logged_at=logged or self.at, note=text,
            officer_id=man.id if man else None, user_id=man.user_id if man else None,
        )  # fmt: skip

    def move(self, status: Status) -> None:
        """Where the complaint stands now."""
        self.dossier.complaint.update(status=status, is_open=status in OPEN)


def drawn(world: World, rng: Random) -> tuple[str, str, str, str]:
    """Language, category, mode and district: the first draws of every complaint."""
    lang = "hi" if rng.random() < 0.72 else "en"
    return lang, world.category.draw(rng), world.mode.draw(rng), world.district.draw(rng)


def begin(world: World, rng: Random, at: datetime) -> Case:
    """Who complains of what, where and how."""
    lang, category, mode, district = drawn(world, rng)
    place = world.station(rng, district, category)
    at_station = mode in AT_STATION and rng.random() < 0.85
    desk = place if at_station else world.staff.by_code[district]
    writer = world.crowd.person(rng, female=True if category == "WOMEN" else None)
    accused = rng.choice(world.staff.at(place.id, Post.IO)) if category in AGAINST_POLICE else None
    if accused and rng.random() < 0.25 and (heads := world.staff.at(place.id, Post.SHO)):
        accused = heads[0]
    phone = mobile(rng)
    lag = rng.choice((0, 1, 1, 2, 3, 5)) if mode in BY_POST else 0
    received = ist_day(at) - timedelta(days=lag)
    told = tell(world, rng, lang, category, writer, phone, place, accused, received)
    days = span(rng, world.shape, world.late)
    end = office_time(rng, at + timedelta(days=days)) if days else None
    case = Case(
        world, rng, at, place, desk, lang, category, mode, phone, told, Dossier({}), end, accused
    )
    case.dossier.complaint = values(case, received)
    case.dossier.add(Party, **complainant(case, writer))
    return case


def tell(
    world: World, rng: Random, lang: str, category: str, writer: Person, phone: str, place: Place,
    accused: Man | None, on: date,
) -> Told:  # fmt: skip
    """The complaint in words."""
    staff = world.staff
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


def values(case: Case, received: date) -> dict[str, Any]:
    """The complaint row as it stands right after registration."""
    world, rng = case.world, case.rng
    source = "CITIZEN" if case.desk is case.place or rng.random() < 0.4 else world.source.draw(rng)
    branch = first(world.staff.at(case.desk.id, Post.BRANCH))
    return {
        "number": "",
        "subject": case.told.subject,
        "text": case.told.text,
        "language": Language[case.lang.upper()],
        "category_id": world.categories[case.category],
        "priority": Priority.URGENT if rng.random() < 0.08 else Priority.ROUTINE,
        "mode_id": world.modes[case.mode],
        "source_id": world.sources[source],
        "place": case.told.facts["gaon"],
        "incident_on": case.told.incident,
        "district_id": case.place.district,
        "unit_id": case.desk.id,
        "registered_unit_id": case.desk.id,
        "status": Status.MARKED if case.desk.kind in STATIONS else Status.REGISTERED,
        "is_open": True,
        "received_on": received,
        "registered_at": case.at,
        "due_at": due_at(received),
        "registered_by_id": branch.user_id if branch else None,
    }


def first(men: list[Man]) -> Man | None:
    """The first officer of a post, if it has one."""
    return men[0] if men else None


def complainant(case: Case, writer: Person) -> dict[str, Any]:
    """The person who gets the copy."""
    district: Name = case.world.staff.places[case.place.district or 0].name
    return {
        "role": PartyRole.COMPLAINANT,
        "name": writer.name.in_(case.lang),
        "phone": case.phone,
        "address": f"{case.told.facts['gaon']}, {district.in_(case.lang)}",
    }


def people(case: Case) -> None:
    """Opposite party, the officer complained against with what that bars, the allegation."""
    add = case.dossier.add
    if case.told.against:
        add(Party, role=PartyRole.OPPOSITE, name=case.told.facts["opp"])
    link = None
    if case.accused:
        link = add(Accused, officer_id=case.accused.id, described="", restricts=True)
        add(BarredUnit, unit_id=case.place.id)
        case.dossier.complaint["restricted"] = True
    add(Allegation, accused_id=link, no=1, what=case.told.subject)


def start(case: Case) -> None:
    """The clock and the first entries of the diary."""
    complaint, staff = case.dossier.complaint, case.world.staff
    case.dossier.add(
        Deadline, kind=DeadlineKind.OVERALL, started_on=complaint["received_on"],
        days=CLOCK_DAYS, due_at=complaint["due_at"], met_at=None,
    )  # fmt: skip
    clerk = first(staff.at(case.desk.id, Post.BRANCH)) or staff.head(case.desk)[0]
    case.note(ActionKind.REGISTERED, case.told.subject, clerk)
    if case.desk.kind in STATIONS:
        unit = staff.above(case.place) if case.accused else case.place
        complaint["unit_id"] = unit.id
        case.note(ActionKind.MARKED, unit.name.en, clerk)


def paper(case: Case, kind: DocumentKind, man: Man | None) -> None:
    """A document of the time before CMS, and how it reached the complainant."""
    code = new_code()
    case.papers[kind] = case.dossier.add(
        Document, kind=kind, issued_at=case.at, issued_by_id=man.user_id if man else None,
        code=code, data={"version": 1, "verification_code": code}, state=DocumentState.PAPER,
    )  # fmt: skip


def hand_over(case: Case, kind: DocumentKind, man: Man | None) -> None:
    """The delivery and its entry in the diary."""
    by_post = case.mode not in AT_STATION
    channel = Channel.POST if by_post else Channel.PRINT
    note = ""
    if kind is DocumentKind.COPY and case.rng.random() < 0.01:
        channel, note = Channel.DECLINED, "लेने से मना किया" if case.lang == "hi" else "Did not want it"
    address = case.told.facts["gaon"] if channel is Channel.POST else ""
    case.dossier.add(
        Delivery, document_id=case.papers[kind], channel=channel, at=case.at, address=address,
        note=note, user_id=man.user_id if man else None,
    )  # fmt: skip
    case.note(ActionKind.DELIVERED, f"{kind.name}: {channel.name}", man)


def hand_copy(case: Case) -> None:
    """The copy, within minutes of registration."""
    clerk = first(case.world.staff.at(case.desk.id, Post.BRANCH))
    paper(case, DocumentKind.COPY, clerk)
    case.at += timedelta(minutes=case.rng.randrange(2, 9))
    hand_over(case, DocumentKind.COPY, clerk)
    case.dossier.complaint["copy_settled_at"] = case.at
