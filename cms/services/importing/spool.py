"""Rows sorted on disk by complaint: many files in any order become groups, with flat memory."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

Row = dict[str, str]


@dataclass(frozen=True, slots=True)
class Spooled:
    """One row, with the place it came from."""

    file: str
    line: int
    row: Row


@dataclass
class Group:
    """All rows of one complaint, by file; the order within is that of their content."""

    key: str
    rows: dict[str, list[Spooled]] = field(default_factory=dict)

    def of(self, file: str) -> list[Spooled]:
        """The rows of one file."""
        return self.rows.get(file, [])


class Spool:
    """A temporary SQLite file; gone when closed."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "spool.sqlite3"
        self.db = sqlite3.connect(self.path, isolation_level=None)
        self.db.executescript(
            "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA cache_size=-20000;"
            "CREATE TABLE row (key TEXT, file TEXT, body TEXT, line INT);"
            "CREATE TABLE said (officer TEXT, field TEXT, value TEXT);"
            "CREATE TABLE unit (code TEXT, rule TEXT, value TEXT, PRIMARY KEY (code, rule, value)) WITHOUT ROWID;"
            "BEGIN"
        )

    def add(self, key: str, file: str, line: int, cells: list[str]) -> None:
        """Keep one row; ``cells`` are in the profile's order of that file."""
        body = json.dumps(cells, ensure_ascii=False)
        self.db.execute("INSERT INTO row VALUES (?, ?, ?, ?)", (key, file, body, line))

    def say(self, officer: str, name: str, value: str) -> None:
        """Keep what one row says about an officer."""
        self.db.execute("INSERT INTO said VALUES (?, ?, ?)", (officer, name, value))

    def need_unit(self, code: str, value: str, rule: str) -> None:
        """Keep that a unit is needed; a complaint's rule goes before an officer's."""
        self.db.execute("INSERT OR IGNORE INTO unit VALUES (?, ?, ?)", (code, rule, value))

    def sort(self) -> None:
        """Finish writing."""
        self.db.execute("COMMIT")
        self.db.execute("CREATE INDEX row_key ON row (key, file, body, line)")

    def complaints(self, file: str) -> int:
        """How many different complaints the main file holds."""
        query = "SELECT count(DISTINCT key) FROM row WHERE file = ?"
        return int(self.db.execute(query, (file,)).fetchone()[0])

    def groups(self, columns: dict[str, list[str]]) -> Iterator[Group]:
        """Every complaint with its rows, in the order of the keys."""
        cursor = self.db.execute("SELECT key, file, body, line FROM row ORDER BY 1, 2, 3, 4")
        for key, found in groupby(cursor, key=lambda r: r[0]):
            group = Group(key)
            for _key, file, body, line in found:
                row = dict(zip(columns[file], json.loads(body), strict=True))
                group.rows.setdefault(file, []).append(Spooled(file, line, row))
            yield group

    def officers(self) -> Iterator[tuple[str, Row]]:
        """Each officer with what most rows say of him; a tie goes to the longer text."""
        cursor = self.db.execute(
            "SELECT officer, field, value FROM said GROUP BY 1, 2, 3 "
            "ORDER BY 1, 2, count(*) DESC, length(value) DESC, 3"
        )
        for officer, found in groupby(cursor, key=lambda r: r[0]):
            said: Row = {}
            for _officer, name, value in found:
                said.setdefault(name, value)
            yield officer, said

    def units(self) -> list[tuple[str, str, str]]:
        """(code, value, rule) of every unit that a row names."""
        return self.db.execute("SELECT code, value, rule FROM unit ORDER BY code, rule, value").fetchall()

    def close(self) -> None:
        """Remove the file."""
        self.db.close()
        self.path.unlink(missing_ok=True)
