"""A database of the second part becomes one of the third: nothing is lost, and back, and again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from enum import Enum
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from conftest import Cluster, settings_for
from flask import Flask
from sqlalchemy import Connection, MetaData, inspect, select, text
from standing import close

from cms import audit, create_app, triggers
from cms.i18n import day_range
from cms.models import (
    Action,
    ActionKind,
    Allegation,
    Assignment,
    Category,
    Complaint,
    Deadline,
    DeadlineKind,
    Delivery,
    Disposition,
    Document,
    DocumentKind,
    DocumentState,
    Feedback,
    Finding,
    History,
    Kind,
    Language,
    Mode,
    Officer,
    Party,
    PartyRole,
    Policy,
    Post,
    Posting,
    Priority,
    Rank,
    Round,
    Source,
    Stay,
    Unit,
    User,
    db,
)
from cms.rules import OPEN, Role, Status, due_at
from cms.services import integrity, upkeep
from cms.vault import Vault

OLD = ("REGISTERED", "MARKED", "ASSIGNED", "UNDER_ENQUIRY", "DISPOSED", "REPORT_DELIVERED", "CLOSED")
T0 = datetime(2026, 10, 1, 5, 0, tzinfo=UTC)
KEPT = (
    "complaint", "party", "allegation", "action", "deadline", "assignment", "document", "delivery", "feedback",
    "history", "officer", "posting", "unit", "user_account", "chain",
)  # fmt: skip


@pytest.fixture
def old(backend: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Flask]:
    """An application on a database that stands at revision 0006."""
    servers: Cluster | None = request.getfixturevalue("cluster") if backend == "postgresql" else None
    if servers:
        servers.sql("CREATE DATABASE carried")
    app = create_app(settings_for(tmp_path, servers.url("carried") if servers else ""))
    with app.app_context():
        to_0006()
        yield app
        close(app)
    if servers:
        servers.sql("DROP DATABASE carried WITH (FORCE)")


def to_0006() -> None:
    made = upkeep.config()
    made.attributes["triggers"] = False  # today's triggers name tables of today
    with upkeep.migrating(db.engine) as connection:
        made.attributes["connection"] = connection
        command.upgrade(made, "0006")


class Old:
    """Writes rows into the tables as they were, with the history that the use cases wrote."""

    def __init__(self, connection: Connection, vault: Vault) -> None:
        self.connection, self.vault = connection, vault
        self.tables = MetaData()
        self.tables.reflect(connection)
        self.ids: dict[str, int] = {}

    def add(self, model: type[Any], **values: Any) -> dict[str, Any]:
        name = model.__tablename__
        table = self.tables.tables[name]
        if "id" in table.c:
            self.ids[name] = self.ids.get(name, 0) + 1
            values = {"id": self.ids[name], **values}
        plain = {k: self.plain(v) for k, v in values.items()}
        if "version" in table.c:
            plain.setdefault("version", 1)
        self.connection.execute(table.insert().values(**plain))
        return values

    def plain(self, value: Any) -> Any:
        if isinstance(value, Enum):
            return value.name
        return value.astimezone(UTC).replace(tzinfo=None) if isinstance(value, datetime) else value

    def history(self, complaint: dict[str, Any], rows: list[tuple[type[Any], dict[str, Any]]]) -> None:
        bare, wrapped = self.vault.new_record_key()
        entries = [audit.created(model, row, bare) for model, row in rows]
        author = audit.Author(T0, None, "test", "test")
        said, seq, head = audit.chain("complaint", complaint["id"], 0, "", entries, author)
        for row in said:
            self.add(History, **row)
        table = self.tables.tables["complaint"]
        change = {"history_seq": seq, "history_head": head, "history_key": wrapped}
        self.connection.execute(table.update().where(table.c.id == complaint["id"]).values(**change))

    def sequences(self) -> None:
        """PostgreSQL draws ids from sequences, which rows with an id of their own leave behind."""
        if self.connection.dialect.name == "postgresql":
            for name in self.ids:
                draw = f"SELECT setval(pg_get_serial_sequence('{name}', 'id'), (SELECT max(id) FROM \"{name}\"))"
                self.connection.exec_driver_sql(draw)


def fill(old: Flask) -> None:
    """Rows in every status of the second part, and two of an old register."""
    with db.engine.begin() as connection:
        rows = Old(connection, old.extensions["cms_vault"])
        rank = rows.add(Rank, code="ASI", level=3, name_en="ASI", name_hi="स.उ.नि.", short_en="ASI", short_hi="स", active=True)
        top = rows.add(Unit, code="HSR", name_en="Hisar", name_hi="हिसार", kind=Kind.DISTRICT, path="/1/", district_id=1)
        ps = rows.add(Unit, code="HSR-PS01", name_en="City", name_hi="शहर", kind=Kind.POLICE_STATION, path="/1/2/",
                      parent_id=1, district_id=1)  # fmt: skip
        for no, post in enumerate((Post.SHO, Post.IO)):
            officer = rows.add(Officer, name_en=f"Officer {no}", name_hi="अ", rank_id=rank["id"], unit_id=ps["id"])
            rows.add(Posting, officer_id=officer["id"], unit_id=ps["id"], post=post, valid_from=date(2020, 1, 1))
        rows.add(User, login="sho", password_hash="x", role=Role.OFFICER, officer_id=1)
        named = {"code": "X", "name_en": "X", "name_hi": "X", "active": True}
        for model in (Mode, Source, Category, Disposition):
            rows.add(model, **named)
        for no, status in enumerate(OLD):
            lived(rows, no, Status[status], top["id"], ps["id"])
        taken_over(rows, 90, Status.UNDER_ENQUIRY, ps["id"])
        taken_over(rows, 91, Status.CLOSED, ps["id"])
        rows.sequences()


def complaint_row(no: int, status: Status, unit_id: int, at: datetime, **values: Any) -> dict[str, Any]:
    received = at.date()
    return {
        "number": f"HSR-2026-{no:06d}-0", "subject": f"subject {no}", "text": f"words {no}", "language": Language.HI,
        "category_id": 1, "priority": Priority.ROUTINE, "mode_id": 1, "source_id": 1, "district_id": 1,
        "unit_id": unit_id, "registered_unit_id": 1, "status": status, "is_open": status in OPEN, "round": 1,
        "due_at": due_at(received), "received_on": received, "registered_at": at, "restricted": False,
    } | values  # fmt: skip


def lived(rows: Old, no: int, status: Status, top: int, ps: int) -> None:
    """A complaint as far as a status, one step a day."""
    stage = OLD.index(status.name)
    done = T0 + timedelta(days=4)
    ended = {"disposed_on": done.date(), "disposition_id": 1, "disposal_text": "reasons", "disposed_by_id": 1}
    said = rows.add(Complaint, **complaint_row(
        no, status, ps if stage else top, T0, **({"io_id": 2} if stage > 1 else {}), **(ended if stage > 3 else {}),
        **({"satisfied": True} if stage > 5 else {}), copy_settled_at=T0,
    ))  # fmt: skip
    link = {"complaint_id": said["id"]}
    recorded: list[tuple[type[Any], dict[str, Any]]] = []
    finding = {"finding": Finding.PARTLY, "reasons": "why"} if stage > 3 else {}
    recorded.append((Allegation, rows.add(Allegation, **link, no=1, what="what", **finding)))
    recorded.append((Complaint, said))
    recorded.append((Party, rows.add(Party, **link, role=PartyRole.COMPLAINANT, position=1, name="नाम", phone="+919999900001")))
    rows.add(Deadline, **link, round=1, kind=DeadlineKind.OVERALL, started_on=T0.date(), days=15, due_at=said["due_at"],
             met_at=done if stage > 3 else None)  # fmt: skip
    told = [ActionKind.REGISTERED, ActionKind.MARKED, ActionKind.ASSIGNED, ActionKind.VISIT, ActionKind.DISPOSED,
            ActionKind.DELIVERED, ActionKind.FEEDBACK]  # fmt: skip
    for day, kind in enumerate(told[: stage + 1]):
        at = T0 + timedelta(days=day)
        note = "REPORT: PRINT" if kind is ActionKind.DELIVERED else kind.name
        rows.add(Action, **link, round=1, kind=kind, happened_at=at, logged_at=at, note=note)
    if stage > 1:
        rows.add(Assignment, **link, round=1, officer_id=2, unit_id=ps, assigned_at=T0 + timedelta(days=2))
    for kind in (DocumentKind.COPY, DocumentKind.REPORT)[: 1 + (stage > 3)]:
        paper = rows.add(Document, **link, kind=kind, version=1, issued_at=T0, code=f"{kind.name[0]}{no}", data={},
                         state=DocumentState.PAPER, attempts=0)  # fmt: skip
        rows.add(Delivery, document_id=paper["id"], channel="PRINT", at=T0, address="", note="")
    if stage > 5:
        rows.add(Feedback, **link, round=1, satisfied=True, reason="", at=T0 + timedelta(days=6))
    rows.history(said, recorded)


def taken_over(rows: Old, no: int, status: Status, ps: int) -> None:
    """A complaint of an old register: no entry of registration, and perhaps nobody wrote when it closed."""
    at = day_range(date(2025, 1, 7), date(2025, 1, 7))[0]
    said = rows.add(Complaint, **complaint_row(no, status, ps, at, origin="old", origin_key=str(no), io_id=2, text=None))
    rows.add(Deadline, complaint_id=said["id"], round=1, kind=DeadlineKind.OVERALL, started_on=date(2025, 1, 7), days=15,
             due_at=said["due_at"], met_at=None)  # fmt: skip
    rows.add(Action, complaint_id=said["id"], round=1, kind=ActionKind.IMPORTED, happened_at=at, logged_at=at, note="")
    rows.history(said, [(Complaint, said)])


def content(connection: Connection) -> dict[str, list[tuple[Any, ...]]]:
    """Everything of the second part, in its own columns."""
    found = {}
    for name in KEPT:
        columns = ", ".join(f'"{c}"' for c in COLUMNS[name])
        found[name] = sorted(map(tuple, connection.execute(text(f'SELECT {columns} FROM "{name}"'))), key=repr)
    return found


COLUMNS: dict[str, list[str]] = {}


def remember_columns(connection: Connection) -> None:
    COLUMNS.clear()
    asked = inspect(connection)
    for name in KEPT:
        COLUMNS[name] = [c["name"] for c in asked.get_columns(name)]


def test_nothing_is_lost_on_the_way_up_down_and_up_again(old: Flask) -> None:
    fill(old)
    with db.engine.connect() as connection:
        remember_columns(connection)
        before = content(connection)
    chains = set(before.pop("chain"))
    assert len(before["complaint"]) == len(OLD) + 2
    for again in (False, True):
        if again:
            upkeep.downgrade(db.engine, "0006")
            with db.engine.connect() as connection:
                lost = content(connection)
                assert chains <= set(lost.pop("chain"))
                assert lost == before
                assert "stay" not in inspect(connection).get_table_names()
        assert upkeep.upgrade(db.engine) == "0006"
        with db.engine.connect() as connection:
            kept = content(connection)
            assert chains <= set(kept.pop("chain"))
            assert kept == before
            assert integrity.verify(connection, old.extensions["cms_vault"]) == []
            assert triggers.missing(connection) == set()
            check_rounds(connection)
            check_clocks(connection)
            check_stays(connection)


def check_rounds(connection: Connection) -> None:
    """One round each, which ended as the complaint says."""
    query = select(Complaint, Round).join(Round, Round.complaint_id == Complaint.id)
    rows = connection.execute(query).mappings().all()
    assert len(rows) == len(OLD) + 2
    for row in rows:
        assert (row["no"], row["why"].name, row["opened_at"]) == (1, "FIRST", row["registered_at"])
        assert row["io_id"] == row["io_id_1"]
        assert (row["disposition_id_1"], row["disposal_text_1"]) == (row["disposition_id"], row["disposal_text"])
        assert row["disposed_by_id_1"] == row["disposed_by_id"]
        assert row["satisfied_1"] == row["satisfied"]
        assert (row["disposed_at"] is None) == row["is_open"]
        assert (row["closed_at"] is not None) == (row["status"] is Status.CLOSED)


def check_clocks(connection: Connection) -> None:
    """The first date is the date; what is closed has no clock that runs."""
    query = select(Deadline, Complaint.is_open, Complaint.registered_at, Complaint.due_at.label("copy")).join(Complaint)
    for row in connection.execute(query).mappings():
        assert row["first_due_at"] == row["due_at"] == row["copy"]
        assert row["started_at"] == row["registered_at"]
        assert (row["no"], row["span"].name, row["statutory"]) == (1, "DAYS", False)
        assert (row["met_at"] is None and row["dropped_at"] is None) == row["is_open"]


def check_stays(connection: Connection) -> None:
    """From registration on, one desk after the other."""
    stays: dict[int, list[Any]] = {}
    for stay in connection.execute(select(Stay.__table__).order_by(Stay.complaint_id, Stay.no)):
        stays.setdefault(stay.complaint_id, []).append(stay)
    desks = {}
    for row in connection.execute(select(Complaint.id, Complaint.status, Complaint.registered_at, Complaint.origin)):
        mine = stays[row.id]
        assert [s.no for s in mine] == list(range(1, len(mine) + 1))
        assert mine[0].from_at == row.registered_at
        assert all(one.to_at == other.from_at for one, other in pairwise(mine))
        assert (mine[-1].to_at is None) == (row.status is not Status.CLOSED)
        if row.origin is None:
            desks[row.status] = mine[-1].desk.name
    assert desks == {
        Status.REGISTERED: "BRANCH", Status.MARKED: "HEAD", Status.ASSIGNED: "IO", Status.UNDER_ENQUIRY: "IO",
        Status.DISPOSED: "DELIVERY", Status.REPORT_DELIVERED: "FEEDBACK", Status.CLOSED: "FEEDBACK",
    }  # fmt: skip


def test_a_database_of_the_second_part_gets_the_rules_that_are_rows(old: Flask) -> None:
    fill(old)
    object.__setattr__(old.extensions["cms_settings"], "demo", False)
    result = old.test_cli_runner().invoke(args=["cms", "init"])
    assert result.exit_code == 0, result.output
    with db.engine.connect() as connection:
        assert len(connection.execute(select(Policy.id)).all()) == 12
        for table, least in (("hold_reason", 5), ("quick_text", 8), ("holiday", 90), ("approval_rule", 1)):
            assert connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one() >= least
        assert integrity.verify(connection, old.extensions["cms_vault"]) == []
