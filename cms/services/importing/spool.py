"""Rows sorted on disk by complaint: many files in any order become groups, with flat memory."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

from cms.services.importing.problems import together
from cms.services.importing.units import Need

Row = dict[str, str]


@dataclass(frozen=True, slots=True)
class Spooled:
    """One row, with the place it came from; ``same`` tells rows apart that should not repeat."""

    file: str
    line: int
    row: Row
    same: str = ""


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
            "CREATE TABLE row (key TEXT, file TEXT, body TEXT, line INT, same TEXT);"
            "CREATE TABLE said (officer TEXT, field TEXT, value TEXT, place INT, file TEXT, line INT);"
            "CREATE TABLE named (officer TEXT PRIMARY KEY, file TEXT, line INT) WITHOUT ROWID;"
            "CREATE TABLE unit (code TEXT, name TEXT, kind TEXT, parent TEXT, place INT);"
            "CREATE TABLE problem (file TEXT, line INT, col TEXT, reason TEXT);"
            "BEGIN"
        )
        self.needed: dict[Need, int] = {}

    def add(self, key: str, at: Spooled) -> None:
        """Keep one row; its cells are in the profile's order of that file."""
        body = json.dumps(list(at.row.values()), ensure_ascii=False)
        self.db.execute("INSERT INTO row VALUES (?, ?, ?, ?, ?)", (key, at.file, body, at.line, at.same))

    def say(self, officer: str, name: str, value: str, place: int, at: Spooled) -> None:
        """Keep what one row says about an officer; what a list of officers says has place 0."""
        told = (officer, name, value, place, at.file, at.line)
        self.db.execute("INSERT INTO said VALUES (?, ?, ?, ?, ?, ?)", told)

    def name_officer(self, officer: str, at: Spooled) -> None:
        """Keep that a complaint names this officer."""
        told = (officer, at.file, at.line)
        self.db.execute("INSERT OR IGNORE INTO named VALUES (?, ?, ?)", told)

    def need_unit(self, need: Need) -> None:
        """Keep that a unit is needed, and how often it is called so."""
        self.needed[need] = self.needed.get(need, 0) + 1

    def problem(self, file: str, line: int, column: str, reason: str) -> None:
        """Keep a problem until the errors files are written."""
        self.db.execute("INSERT INTO problem VALUES (?, ?, ?, ?)", (file, line, column, reason))

    def sort(self) -> None:
        """Finish writing."""
        self.db.execute("COMMIT")
        self.db.execute("CREATE INDEX row_key ON row (key, file, body, line)")
        self.db.execute("BEGIN")

    def complaints(self, file: str) -> int:
        """How many different complaints the main file holds."""
        query = "SELECT count(DISTINCT key) FROM row WHERE file = ?"
        return int(self.db.execute(query, (file,)).fetchone()[0])

    def groups(self, columns: Mapping[str, list[str]]) -> Iterator[Group]:
        """Every complaint with its rows, in the order of the keys."""
        cursor = self.db.execute("SELECT key, file, body, line, same FROM row ORDER BY 1, 2, 3, 4")
        for key, found in groupby(cursor, key=lambda r: r[0]):
            group = Group(key)
            for _key, file, body, line, same in found:
                row = dict(zip(columns[file], json.loads(body), strict=True))
                group.rows.setdefault(file, []).append(Spooled(file, line, row, same))
            yield group

    def officers(self) -> Iterator[tuple[str, Row]]:
        """Each officer whom a complaint names, with what his list or else most rows say of him.

        A tie goes to the longer text.
        """
        cursor = self.db.execute(
            "SELECT n.officer, s.field, s.value FROM named n LEFT JOIN said s ON s.officer = n.officer "
            "GROUP BY 1, 2, 3 ORDER BY 1, 2, min(s.place), count(*) DESC, length(s.value) DESC, 3"
        )
        for officer, found in groupby(cursor, key=lambda r: r[0]):
            said: Row = {}
            for _officer, name, value in found:
                if name is not None:
                    said.setdefault(name, value)
            yield officer, said

    def index_officers(self) -> None:
        """Make what was said quick to find by officer."""
        self.db.execute("CREATE INDEX said_officer ON said (officer, field, value, place)")

    def unlisted(self) -> Iterator[tuple[str, str, int]]:
        """(officer, file, line) of those whom no row describes."""
        query = "SELECT officer, file, line FROM named WHERE officer NOT IN (SELECT officer FROM said) ORDER BY 1"
        yield from self.db.execute(query)

    def shared_badges(self) -> Iterator[tuple[str, str, int]]:
        """(belt number, file, line of its first row) of every number that officers of other names carry."""
        yield from self.db.execute(
            "SELECT b.value, b.file, min(b.line) FROM said b JOIN named USING (officer) "
            "JOIN said n ON n.officer = b.officer AND n.field = 'name' WHERE b.field = 'belt_no' "
            "GROUP BY b.value HAVING count(DISTINCT lower(n.value)) > 1 ORDER BY 1"
        )

    def units(self) -> list[Need]:
        """Every unit that rows name, once, by its best and commonest name; parents first."""
        order = sorted(self.needed, key=lambda n: (n.place, -self.needed[n], n.name))
        best: dict[str, Need] = {}
        for need in order:
            best.setdefault(need.code, need)
        return sorted(best.values(), key=lambda n: n.code)

    def problems(self, file: str) -> Iterator[tuple[int, str, str]]:
        """(line, columns, reasons) of every row of a file that has a problem, in its order."""
        cursor = self.db.execute(
            "SELECT line, col, reason FROM problem WHERE file = ? ORDER BY line, reason, col", (file,)
        )
        for line, found in groupby(cursor, key=lambda r: r[0]):
            told = [(column, reason) for _line, column, reason in found]
            columns = dict.fromkeys(column for column, _reason in told if column)
            yield line, "; ".join(columns), together(reason for _column, reason in told)

    def close(self) -> None:
        """Remove the file."""
        self.db.close()
        self.path.unlink(missing_ok=True)
