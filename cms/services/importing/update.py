"""A later snapshot of a register: what it changes on complaints that are there, and what it leaves.

Empty fields are filled and new rows added; what is said already changes only where the profile
allows it, and nothing is taken away because a later file no longer says it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from cms.models import (
    Accused,
    Action,
    Allegation,
    Assignment,
    Complaint,
    Deadline,
    DeadlineKind,
    History,
    Party,
    PartyRole,
    Round,
    RoundReason,
)  # fmt: skip
from cms.rules import ENDS
from cms.services import clocks, stays
from cms.services.importing import batches, newcomers, records
from cms.services.importing.profile import Profile
from cms.services.importing.records import Draft
from cms.unit_of_work import Work

GENERATIONS = 9
"""How often one register can be taken over anew after it was taken back."""

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "status": ("status", "is_open"), "disposed_on": ("disposed_on",),
    "disposition": ("disposition_id",), "disposal_text": ("disposal_text",),
    "investigator": ("io_id",), "place": ("place",), "subject": ("subject",),
    "incident_on": ("incident_on",), "source": ("source_id",), "category": ("category_id",),
    "unit": ("unit_id", "district_id"),
}  # fmt: skip
"""Columns of the complaint behind each word of [update] fields."""

PLAIN = {"id", "number", "origin", "origin_key", "registered_at"}
READ = sorted({c for columns in COLUMNS.values() for c in columns} | PLAIN)


@dataclass
class There:
    """A complaint as it stands in the database, with what can grow or change."""

    row: Mapping[str, Any]
    accused: dict[str, int] = field(default_factory=dict)
    allegations: list[Any] = field(default_factory=list)
    actions: set[str] = field(default_factory=set)
    parties: set[tuple[PartyRole, str]] = field(default_factory=set)


@dataclass
class Plan:
    """What a snapshot changes on one complaint."""

    complaint_id: int
    values: dict[str, Any] = field(default_factory=dict)
    met_at: datetime | None = None
    allegations: dict[int, dict[str, Any]] = field(default_factory=dict)  # by id
    added: list[tuple[type[Any], dict[str, Any]]] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.values or self.allegations or self.added or self.met_at)


# ---------------------------------------------------------------- what is there


@dataclass
class Found:
    """The complaints of a register among some keys: those that live, and how many were taken back."""

    live: dict[str, There]
    withdrawn: dict[str, int]


def origins(profile: Profile) -> list[str]:
    """The origin of a register's rows, also after it was taken back and over again."""
    return [profile.name, *(f"{profile.name}~{n}" for n in range(2, GENERATIONS + 1))]


def find(connection: Connection, profile: Profile, keys: Sequence[str], nothing: int) -> Found:
    """What the database holds of these keys; ``nothing``: the source that means "not recorded"."""
    columns = [getattr(Complaint, name) for name in READ]
    query = select(*columns, batches.withdrawn().label("withdrawn")).where(
        Complaint.origin.in_(origins(profile)), Complaint.origin_key.in_(keys)
    )
    found = Found({}, {})
    by_id: dict[int, There] = {}
    for row in connection.execute(query).mappings():
        key = row["origin_key"]
        if row["withdrawn"]:
            found.withdrawn[key] = found.withdrawn.get(key, 0) + 1
            continue
        values = dict(row) | {"nothing": nothing}
        found.live[key] = by_id[row["id"]] = There(values)
    if by_id:
        read_children(connection, by_id)
    return found


def read_children(connection: Connection, by_id: Mapping[int, There]) -> None:
    """Accused, allegations, actions and parties of complaints."""
    ids = list(by_id)
    for link in connection.execute(
        select(Accused.id, Accused.complaint_id, Accused.origin_key).where(Accused.complaint_id.in_(ids))
    ):
        by_id[link.complaint_id].accused[link.origin_key or ""] = link.id
    query = select(
        Allegation.id, Allegation.complaint_id, Allegation.accused_id, Allegation.no, Allegation.what,
        Allegation.finding, Allegation.outcome, Allegation.origin_key,
    ).where(Allegation.complaint_id.in_(ids)).order_by(Allegation.no)  # fmt: skip
    for row in connection.execute(query):
        by_id[row.complaint_id].allegations.append(row)
    for action in connection.execute(
        select(Action.complaint_id, Action.origin_key).where(Action.complaint_id.in_(ids))
    ):
        by_id[action.complaint_id].actions.add(action.origin_key or "")
    for party in connection.execute(
        select(Party.complaint_id, Party.role, Party.name).where(Party.complaint_id.in_(ids))
    ):
        by_id[party.complaint_id].parties.add((party.role, party.name))


def worked_on(connection: Connection, ids: Iterable[int]) -> set[int]:
    """Those of the complaints on which somebody did something here."""
    query = select(History.root_id).where(
        History.root == "complaint", History.root_id.in_(list(ids)), History.via != newcomers.VIA
    )
    return set(connection.scalars(query.distinct()))


# ---------------------------------------------------------------- what changes


def plan(profile: Profile, there: There, made: Draft) -> Plan:
    """What the rows of a snapshot change on a complaint."""
    said = made.dossier.rows
    found = Plan(there.row["id"], values=changed_values(profile, there.row, made.dossier.complaint))
    closed = said.get(Deadline, [{}])[0].get("met_at")
    if closed and "disposed_on" in found.values:
        found.met_at = closed
    plan_accused(profile, there, made, found)
    found.added += [(Action, a) for a in said.get(Action, ()) if a["origin_key"] not in there.actions]
    if "io_id" in found.values:
        found.added += [(Assignment, a) for a in said.get(Assignment, ())]
    taken = Counter(role for role, _name in there.parties)
    for party in said.get(Party, ()):
        if (party["role"], party["name"]) not in there.parties:
            taken[party["role"]] += 1
            found.added.append((Party, {**party, "position": taken[party["role"]]}))
    return found


def changed_values(profile: Profile, old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """Columns of the complaint that get another value."""
    found: dict[str, Any] = {}
    for word, columns in COLUMNS.items():
        first = columns[0]
        unsaid = (None, old["nothing"]) if first == "source_id" else (None,)
        if first not in new or new[first] == old[first] or new[first] in unsaid:
            continue
        if old[first] in unsaid or word in profile.changes:
            found.update({c: new[c] for c in columns})
    if found.get("is_open") and old["disposed_on"]:
        found["disposed_on"] = None
    return found


def plan_accused(profile: Profile, there: There, made: Draft, found: Plan) -> None:
    """New links and allegations; findings that were made since."""
    links = made.dossier.rows.get(Accused, [])
    found.added += [(Accused, link) for link in links if link["origin_key"] not in there.accused]
    left = list(there.allegations)
    next_no = max((row.no for row in left), default=0)
    for said in made.dossier.rows.get(Allegation, ()):
        place = said["accused_id"]
        key = links[place]["origin_key"] if place is not None else None
        row = match(left, said, there.accused.get(key) if key else None)
        if row is None:
            next_no += 1
            found.added.append((Allegation, {**said, "no": next_no, "accused_id": None, "link": key}))
            continue
        left.remove(row)
        if values := changed_allegation(profile, row, said, key):
            found.allegations[row.id] = values


def match(left: list[Any], said: Mapping[str, Any], accused_id: int | None) -> Any:
    """The allegation that is meant: by the register's own key, or by officer and words."""
    if said["origin_key"]:
        return next((r for r in left if r.origin_key == said["origin_key"]), None)
    same = [r for r in left if r.what == said["what"]]
    exact = [r for r in same if r.accused_id == accused_id]
    exact.sort(key=lambda r: (r.finding != said["finding"], r.outcome != said["outcome"]))
    nobody = [r for r in same if r.accused_id is None]
    return next(iter([*exact, *nobody]), None)


def changed_allegation(
    profile: Profile, old: Any, new: Mapping[str, Any], key: str | None
) -> dict[str, Any]:
    """Columns of an allegation that get another value."""
    found: dict[str, Any] = {}
    for name in ("finding", "outcome"):
        before, after = getattr(old, name), new[name]
        if after is not None and after != before and (before is None or name in profile.changes):
            found[name] = after
    if old.accused_id is None and key:
        found["link"] = key
    return found


# ---------------------------------------------------------------- doing it


def apply(work: Work, found: Plan, links: Mapping[str, int]) -> None:
    """Write a plan with its history; ``links``: accused that are there, by key."""
    session = work.session
    complaint = session.get_one(Complaint, found.complaint_id, with_for_update=True)
    was_open = complaint.is_open
    put(complaint, found.values)
    ids = dict(links) | add_links(work, complaint, found)
    for model, values in found.added:
        if model is not Accused:
            session.add(model(**with_ids(complaint.id, values, ids)))
    for row_id, values in found.allegations.items():
        put(session.get_one(Allegation, row_id), with_ids(complaint.id, values, ids))
    if complaint.is_open and not was_open:
        begin_again(work, complaint)
    elif {"is_open", "unit_id", "io_id", "disposition_id", "disposal_text"} & set(found.values) or found.met_at:
        follow(work, complaint, found.met_at)


def follow(work: Work, complaint: Complaint, ended: datetime | None) -> None:
    """Round, clock and desk say what the complaint says now; an ending once written stays."""
    row = round_of(work, complaint)
    row.io_id = complaint.io_id
    if not complaint.is_open:
        row.disposed_at = row.disposed_at or ended
        row.disposition_id = row.disposition_id or complaint.disposition_id
        row.disposal_text = row.disposal_text or complaint.disposal_text
    kinds = [DeadlineKind.OVERALL]
    for deadline in clocks.running(work.session, complaint, kinds) if not complaint.is_open else ():
        deadline.met_at, deadline.dropped_at = ended, None if ended else work.now
    now = stays.present(work.session, complaint)
    if now is not None:
        go_on(work, complaint, max(ended or work.now, now.from_at))
    if complaint.status in ENDS:
        row.closed_at = row.closed_at or ended or work.now


def round_of(work: Work, complaint: Complaint) -> Round:
    """The row of the present round."""
    query = select(Round).where(Round.complaint_id == complaint.id, Round.no == complaint.round)
    return work.session.scalars(query).one()


def go_on(work: Work, complaint: Complaint, at: datetime) -> None:
    """The desk where it lies from a moment on; at an end nobody's."""
    if complaint.status in ENDS:
        stays.end(work, complaint, at)
        return
    owed = records.OWED.get(complaint.status)
    said = {"status": complaint.status, "io_id": complaint.io_id}
    desk, officer_id = (owed, None) if owed else records.desk_of(said)
    stays.begin(work, complaint, desk, complaint.unit_id, officer_id, at)


def begin_again(work: Work, complaint: Complaint) -> None:
    """The register calls open what it had closed: a new round with a clock of its own, from today."""
    complaint.round += 1
    work.session.add(
        Round(
            complaint_id=complaint.id, no=complaint.round, why=RoundReason.REOPENED, opened_at=work.now,
            io_id=complaint.io_id,
        )
    )  # fmt: skip
    clocks.start(work, complaint, DeadlineKind.OVERALL)
    go_on(work, complaint, work.now)


def put(row: Any, values: Mapping[str, Any]) -> None:
    """Set columns of a row."""
    for name, value in values.items():
        setattr(row, name, value)


def add_links(work: Work, complaint: Complaint, found: Plan) -> dict[str, int]:
    """New accused of a complaint; their ids by key."""
    made = {v["origin_key"]: Accused(complaint_id=complaint.id, **v) for m, v in found.added if m is Accused}
    work.session.add_all(made.values())
    work.session.flush()
    return {key: link.id for key, link in made.items()}


def with_ids(complaint_id: int, values: Mapping[str, Any], links: Mapping[str, int]) -> dict[str, Any]:
    """Values of a row with the ids that only the database knows."""
    found = {**values, "complaint_id": complaint_id}
    if key := found.pop("link", None):
        found["accused_id"] = links[key]
    return found
