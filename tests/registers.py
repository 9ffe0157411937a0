"""What the tests of import and demo share: an empty migrated database, its content without ids."""

from __future__ import annotations

import csv
import gzip
import os
import random
import secrets
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from conftest import SECRET, fill, settings_for
from flask import Flask
from sqlalchemy import Connection
from standing import close

from cms import create_app
from cms.models import db
from cms.services import upkeep

SLICES = Path(__file__).parent / "slices"
REAL = Path(__file__).parents[2] / "shared" / "data" / "chicago_2023"
NAMES = ("complaints", "accused", "investigators")

CONTENT = {
    "unit": "SELECT u.code, u.name_en, u.kind, p.code FROM unit u LEFT JOIN unit p ON p.id = u.parent_id",
    "officer": "SELECT o.origin_key, o.name_en, o.belt_no, r.code, u.code FROM officer o "
    "JOIN rank r ON r.id = o.rank_id LEFT JOIN unit u ON u.id = o.unit_id",
    "complaint": "SELECT c.number, c.origin, c.origin_key, c.subject, c.place, c.incident_on, c.received_on, "
    "c.registered_at, c.disposed_on, c.due_at, c.status, c.is_open, c.restricted, u.code, m.code, s.code, k.code, "
    "o.origin_key FROM complaint c JOIN unit u ON u.id = c.unit_id JOIN mode m ON m.id = c.mode_id "
    "JOIN source s ON s.id = c.source_id LEFT JOIN category k ON k.id = c.category_id "
    "LEFT JOIN officer o ON o.id = c.io_id",
    "accused": "SELECT c.number, a.origin_key, o.origin_key, a.restricts FROM accused a "
    "JOIN complaint c ON c.id = a.complaint_id LEFT JOIN officer o ON o.id = a.officer_id",
    "allegation": "SELECT c.number, l.no, l.what, l.finding, l.outcome, l.origin_key, a.origin_key FROM allegation l "
    "JOIN complaint c ON c.id = l.complaint_id LEFT JOIN accused a ON a.id = l.accused_id",
    "action": "SELECT c.number, a.kind, a.happened_at, a.note, a.origin_key FROM action a "
    "JOIN complaint c ON c.id = a.complaint_id",
    "deadline": "SELECT c.number, d.kind, d.started_on, d.first_due_at, d.due_at, d.met_at, d.dropped_at FROM deadline d "
    "JOIN complaint c ON c.id = d.complaint_id",
    "round": "SELECT c.number, r.no, r.why, r.opened_at, r.disposed_at, r.closed_at, o.origin_key FROM round r "
    "JOIN complaint c ON c.id = r.complaint_id LEFT JOIN officer o ON o.id = r.io_id",
    "stay": "SELECT c.number, s.no, s.desk, u.code, o.origin_key, s.from_at, s.to_at FROM stay s "
    "JOIN complaint c ON c.id = s.complaint_id JOIN unit u ON u.id = s.unit_id "
    "LEFT JOIN officer o ON o.id = s.officer_id",
    "assignment": "SELECT c.number, o.origin_key, a.assigned_at FROM assignment a "
    "JOIN complaint c ON c.id = a.complaint_id JOIN officer o ON o.id = a.officer_id",
}


def content(connection: Connection) -> dict[str, list[tuple[Any, ...]]]:
    """Every imported row without its ids, sorted."""
    return {
        table: sorted((tuple(row) for row in connection.exec_driver_sql(query)), key=repr)
        for table, query in CONTENT.items()
    }


def count(connection: Connection, what: str) -> int:
    """How many rows."""
    return int(connection.exec_driver_sql(f"SELECT count(*) FROM {what}").scalar_one())


@pytest.fixture
def empty(backend: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Flask]:
    """An application on a migrated database without a single row, on both databases in turn."""
    if backend == "sqlite":
        yield from application(tmp_path)
        return
    servers, template = request.getfixturevalue("cluster"), request.getfixturevalue("migrated_postgresql")
    name = f"e{secrets.token_hex(6)}"
    servers.sql(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
    yield from application(tmp_path, servers.url(name))
    servers.sql(f"DROP DATABASE {name} WITH (FORCE)")


def application(data: Path, url: str = "") -> Iterator[Flask]:
    """An application with an upgraded database, its context pushed; closed afterwards."""
    settings = settings_for(data, url)
    if settings.sqlite_path and not settings.sqlite_path.exists():
        settings.sqlite_path.write_bytes(migrated_sqlite())
    made = create_app(settings)
    with made.app_context():
        upkeep.upgrade(db.engine)
        yield made
        close(made)


@cache
def migrated_sqlite() -> bytes:
    """A migrated SQLite database without a single row: migrating one takes longer than most tests."""
    with tempfile.TemporaryDirectory() as folder:
        fill(settings_for(Path(folder)), with_world=False)
        return (Path(folder) / "cms.sqlite3").read_bytes()


def real_files() -> list[Path]:
    """The published files, or a skip with a notice; in CI their absence is a failure."""
    found = sorted(REAL.glob("*.csv.gz"))
    if len(found) == 3:
        return found
    notice = "the published Chicago files are not beside the project (../shared/data/chicago_2023)"
    if os.environ.get("CI") == "true":
        pytest.fail(notice)
    pytest.skip(notice)


def rows_of(path: Path) -> list[dict[str, str]]:
    """The raw rows, read in the plainest way."""
    if path.suffix == ".gz":
        with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def shuffled(paths: list[Path], folder: Path, seed: int) -> list[Path]:
    """The same files with their rows in another order, the last file first."""
    made = []
    for path in reversed(paths):
        rows = rows_of(path)
        random.Random(seed).shuffle(rows)
        target = folder / path.name.removesuffix(".gz")
        with target.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
        made.append(target)
    return made


__all__ = ["SECRET", "application", "content", "count", "empty", "real_files", "rows_of", "shuffled"]
