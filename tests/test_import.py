"""Old registers: counts against the raw files, any order, twice, killed half-way, malformed."""

from __future__ import annotations

import csv
import gzip
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from registers import (
    NAMES,
    SECRET,
    SLICES,
    application,
    content,
    count,
    empty,
    real_files,
    rows_of,
    shuffled,
)  # fmt: skip
from sqlalchemy import select

from cms.audit import link_hash
from cms.models import (
    Accused,
    Allegation,
    Complaint,
    History,
    Language,
    Officer,
    Party,
    PartyRole,
    Posting,
    Priority,
    Rank,
    Unit,
    db,
)  # fmt: skip
from cms.rules import SYSTEM, Finding, Post, Status, due_at
from cms.services import bulk, integrity, reference
from cms.unit_of_work import unit_of_work, utcnow
from cms.vault import open_value

__all__ = ["empty"]
ID = "complaints-accused_2000-2023_2023-09_p867849_ID"
FILES = [SLICES / f"chicago_{name}.csv" for name in NAMES]


def run(app: Flask, *args: Any, profile: str = "chicago_2023") -> Any:
    """``cms import`` with these arguments; never a traceback."""
    result = app.test_cli_runner().invoke(args=["cms", "import", profile, *map(str, args)])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert "Traceback" not in result.output
    return result


# ---------------------------------------------------------------- the slice, on both databases


def test_a_slice_is_taken_over(empty: Flask, tmp_path: Path) -> None:
    assert run(empty, *FILES, "--errors", tmp_path / "errors").exit_code == 0
    with db.engine.connect() as connection:
        found = content(connection)
        assert integrity.verify(connection, empty.extensions["cms_vault"]) == []
    by_number = {row[0]: row for row in found["complaint"]}
    assert len(by_number) == 8
    assert by_number["CHI-9000001"][10:14] == ("CLOSED", False, False, "CHI-011")
    assert by_number["CHI-9000004"][10] == "UNDER_ENQUIRY"
    assert by_number["CHI-9000002"][5] is None, "an incident after the complaint is held back"
    assert by_number["CHI-9000003"][8] is None, "a closing before the receipt is held back"
    assert by_number["CHI-9000003"][10] == "CLOSED"
    assert [row[1] for row in found["accused"] if row[0] == "CHI-9000001"] == ["1", "2"]
    first = [row[1:6] for row in found["allegation"] if row[0] == "CHI-9000001"]
    assert first == [
        (1, "Operation/Personnel Violations / Neglect of Duty", "SUBSTANTIATED",
         "Penalty: 005 - 5 DAY SUSPENSION; Days: 5", "1"),
        (2, "Excessive Force / No Weapon / No Injury", "NOT_SUBSTANTIATED", None, "2"),
        (3, "10U", None, None, "3"),
    ]  # fmt: skip
    assert [r[2] for r in found["allegation"] if r[0] == "CHI-9000005"] == ["Ninth", "Tenth"]
    assert {row[0] for row in found["officer"]} == {
        "1", "2", "3", "inv:DELANOWHERE|ZOE|1999-05-10|1970.0", "inv:FICTIONAL|YURI|2001-01-02",
    }  # fmt: skip


def test_every_problem_is_told_with_its_place(empty: Flask, tmp_path: Path) -> None:
    errors = tmp_path / "errors"
    run(empty, *FILES, "--errors", errors)
    told = {
        (name, int(r["cms_line"]), column)
        for name in NAMES
        for r in rows_of(errors / f"{name}.csv")
        for column in r["cms_column"].split("; ")
    }
    assert told == {
        ("complaints", 3, "incident_date"), ("complaints", 4, "closed_date"),
        ("complaints", 6, "incident_date"), ("complaints", 7, "complaint_date"),
        ("complaints", 8, "closed_date"), ("complaints", 9, "incident_date"),
        ("complaints", 9, "complainant_type"), ("complaints", 11, "cr_id"),
        ("accused", 7, "finding"), ("accused", 10, "cr_id"), ("accused", 11, "cr_id"),
        ("investigators", 4, "last_name_NS"), ("investigators", 9, "last_name_NS"),
        ("investigators", 10, "last_name_NS"), ("investigators", 7, ""), ("accused", 2, "star"),
        ("investigators", 2, "star"),
    }  # fmt: skip


def test_order_of_rows_and_a_second_run_change_nothing(empty: Flask, tmp_path: Path) -> None:
    dry = run(empty, *FILES, "--dry-run")
    with db.engine.connect() as connection:
        assert count(connection, "complaint") == count(connection, "unit") == 0
    first = run(empty, *FILES)
    said = first.output.rsplit("This was import", 1)[0]
    assert dry.output.replace("would add", "added").split() == said.split()
    with db.engine.connect() as connection:
        before, entries = content(connection), count(connection, "history")
    again = run(empty, *shuffled(FILES, tmp_path, 5))
    assert "Nothing was changed" in again.output
    with db.engine.connect() as connection:
        assert content(connection) == before
        assert count(connection, "history") == entries


def test_shuffled_rows_give_the_same_database(tmp_path: Path) -> None:
    found = []
    for seed in (1, 2):
        folder = tmp_path / str(seed)
        folder.mkdir()
        for app in application(folder):
            run(app, *shuffled(FILES, folder, seed))
            with db.engine.connect() as connection:
                found.append(content(connection))
    assert found[0] == found[1]


def test_an_import_issues_nothing_and_reminds_nobody(empty: Flask) -> None:
    run(empty, *FILES)
    with db.engine.connect() as connection:
        for table in ("document", "outbox", "notice", "reminder", "barred_unit"):
            assert count(connection, table) == 0
        overdue = select(Complaint.number).where(Complaint.overdue(utcnow()))
        assert list(connection.scalars(overdue)) == ["CHI-9000004"]
        assert count(connection, "complaint WHERE text IS NOT NULL OR copy_settled_at IS NULL") == 0


# ---------------------------------------------------------------- the bulk door


def entries_of(complaint_id: int, key: bytes) -> list[tuple[str, str, Any]]:
    """The history of a complaint, decrypted, without ids."""
    rows = db.session.scalars(
        select(History)
        .where(History.root == "complaint", History.root_id == complaint_id)
        .order_by(History.seq)
    )
    said = []
    for row in rows:
        changes = json.loads(row.changes)
        for name, pair in changes.items():
            changes[name] = [
                open_value(key, v) if isinstance(v, str) and v.startswith("enc:") else v for v in pair
            ]
        for name in ("number", "complaint_id", "accused_id"):
            changes.pop(name, None)
        said.append((row.table_name, row.kind, changes))
    return said


def sample() -> dict[type[Any], dict[str, Any]]:
    """A complaint with everything that history keeps."""
    unit = db.session.scalar(select(Unit).where(Unit.code == "HSR-PS01"))
    officer = db.session.scalar(select(Officer))
    assert unit is not None
    assert officer is not None
    day = utcnow().date()
    mine = {"mode_id": 1, "source_id": 1, "category_id": 1, "district_id": unit.district_id,
            "unit_id": unit.id, "registered_unit_id": unit.id}  # fmt: skip
    said = {
        "subject": "Boundary", "text": "मेरी डोल तोड़ दी", "language": Language.HI, "place": None,
        "priority": Priority.URGENT, "status": Status.MARKED, "is_open": True, "due_at": due_at(day),
        "received_on": day, "registered_at": utcnow(), "restricted": False, "form_key": None,
    }  # fmt: skip
    return {
        Complaint: said | mine,
        Party: {"role": PartyRole.COMPLAINANT, "position": 1, "name": "राम", "phone": "+919999900000",
                "email": None, "address": ""},
        Accused: {"officer_id": officer.id, "described": "", "restricts": True},
        Allegation: {"no": 1, "what": "Boundary", "finding": Finding.PARTLY, "reasons": "said so"},
    }  # fmt: skip


def test_bulk_and_form_write_the_same_history(empty: Flask) -> None:
    with unit_of_work(SYSTEM, via="import") as work:
        reference.load(work)
        bulk.insert_registry(work, Officer, [{"name_en": "A", "name_hi": "अ", "rank_id": 5}])
    vault = empty.extensions["cms_vault"]
    with unit_of_work(SYSTEM, via="test") as work:
        said = sample()
        bare, wrapped = vault.new_record_key()
        row = Complaint(number="BY-FORM", history_key=wrapped, **said[Complaint])
        work.session.add(row)
        work.session.flush()
        link = Accused(complaint_id=row.id, **said[Accused])
        work.session.add(link)
        work.session.flush()
        work.session.add(Allegation(complaint_id=row.id, accused_id=link.id, **said[Allegation]))
        work.session.add(Party(complaint_id=row.id, **said[Party]))
        work.session.flush()
        form_id = row.id
    with unit_of_work(SYSTEM, via="test") as work:
        dossier = bulk.Dossier({"number": "BY-BULK", **said[Complaint]})
        place = dossier.add(Accused, **said[Accused])
        dossier.add(Allegation, accused_id=place, **said[Allegation])
        dossier.add(Party, **said[Party])
        (bulk_id,) = bulk.insert_complaints(work, [dossier])
    key = vault.open_record_key(db.session.get_one(Complaint, bulk_id).history_key)
    by_form, by_bulk = entries_of(form_id, bare), entries_of(bulk_id, key)
    assert sorted(by_form, key=repr) == sorted(by_bulk, key=repr)
    assert [entry[0] for entry in by_bulk] == ["accused", "allegation", "complaint", "party"]
    one, two = (db.session.get_one(Complaint, i) for i in (form_id, bulk_id))
    hidden = {"id", "number", "history_head", "history_key", "history_seq"}
    for name in {c.key for c in Complaint.__table__.columns} - hidden:
        assert getattr(one, name) == getattr(two, name), name


def test_ids_go_on_after_the_bulk_door(empty: Flask) -> None:
    run(empty, *FILES)
    with unit_of_work(SYSTEM, via="test") as work:
        man = Officer(name_en="After", name_hi="बाद", rank_id=work.session.scalar(select(Rank.id)))
        work.session.add(man)
        work.session.flush()
        unit_id = work.session.scalar(select(Unit.id))
        work.session.add(
            Posting(officer_id=man.id, unit_id=unit_id, post=Post.IO, valid_from=utcnow().date())
        )
    with db.engine.connect() as connection:
        assert integrity.verify(connection, empty.extensions["cms_vault"]) == []
        heads = {}
        for row in connection.execute(select(History.__table__).order_by(History.id)).mappings():
            chain = (row["root"], row["root_id"])
            assert row["prev_hash"] == heads.get(chain, "")
            heads[chain] = link_hash(row["prev_hash"], row)
            assert row["hash"] == heads[chain]


# ---------------------------------------------------------------- killed


def many(folder: Path, number: int) -> list[Path]:
    """Made-up files with many complaints, two accused and one investigator each."""
    heads = {path: list(rows_of(path)[0]) for path in FILES}
    made = []
    for path, head in heads.items():
        target = folder / path.name
        with target.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, head, restval="")
            writer.writeheader()
            for no in range(number):
                row = {"cr_id": str(8_000_000 + no)}
                if "complaints" in path.name:
                    writer.writerow(row | {"complaint_date": "2020-02-03", "closed_date": "2020-03-04"})
                elif "accused" in path.name:
                    for other in (no % 97, 100 + no % 89):
                        writer.writerow(row | {"row_id": str(2 * no), ID: str(other), "category": "Rude,,,"})
                else:
                    writer.writerow(row | {"last_name": f"N{no % 50}", "last_name_NS": f"N{no % 50}"})
        made.append(target)
    return made


START = """
import sys
from pathlib import Path
from cms import create_app
from cms.settings import Settings
app = create_app(Settings(data_dir=Path(sys.argv[1]), secret_key=sys.argv[2], public_url="http://localhost"))
sys.exit(app.test_cli_runner().invoke(args=["cms", "import", "chicago_2023", *sys.argv[3:]]).exit_code)
"""


def test_killed_half_way_and_started_again_it_ends_the_same(tmp_path: Path) -> None:
    number = 3000
    files = many(tmp_path, number)
    found = []
    for name, is_killed in (("whole", False), ("killed", True)):
        folder = tmp_path / name
        folder.mkdir()
        for app in application(folder):
            if is_killed:
                kill_at(folder, files, number // 3)
                with db.engine.connect() as connection:
                    assert 0 < count(connection, "complaint") < number
            run(app, *files)
            with db.engine.connect() as connection:
                found.append(content(connection))
                assert integrity.verify(connection, app.extensions["cms_vault"]) == []
                assert count(connection, "complaint") == number
    assert found[0] == found[1]


def kill_at(folder: Path, files: list[Path], number: int) -> None:
    """Start the import in a process of its own and kill it once that many complaints are there."""
    command = [sys.executable, "-c", START, str(folder), SECRET, *map(str, files)]
    with subprocess.Popen(command, cwd=Path(__file__).parents[1]) as child:
        limit = time.monotonic() + 60
        with sqlite3.connect(folder / "cms.sqlite3", timeout=10) as reader:
            while reader.execute("SELECT count(*) FROM complaint").fetchone()[0] < number:
                assert child.poll() is None, "it ended before it could be killed"
                assert time.monotonic() < limit
                time.sleep(0.01)
        reader.close()
        os.kill(child.pid, signal.SIGKILL)


# ---------------------------------------------------------------- malformed


def header(text: str) -> str:
    return text.splitlines(keepends=True)[0]


Spoil = Callable[[str], bytes]
SPOILT: dict[str, tuple[Spoil, str]] = {
    "nothing": (lambda t: b"", "fit none"),
    "header only": (lambda t: header(t).encode(), "no complaint"),
    "binary": (lambda t: bytes(range(256)) * 40, "not UTF-8"),
    "latin-1": (lambda t: t.replace("QUOTED", "É").encode("latin-1"), "not UTF-8"),
    "cut off gzip": (lambda t: gzip.compress(t.encode())[:-40], "damaged"),
    "broken gzip": (lambda t: b"\x1f\x8b" + os.urandom(300), "damaged"),
    "open quote": (lambda t: (t + '"9,').encode(), "no valid CSV"),
    "endless line": (lambda t: t.encode() + b"x" * 1_500_000, "million"),
    "huge cell": (lambda t: t.encode() + b"9" * 200_000 + b"\n", "no valid CSV"),
    "column gone": (lambda t: t.replace("location_code", "where").encode(), "is missing"),
    "column twice": (lambda t: t.replace("incident_time", "address").encode(), "twice"),
    "other table": (lambda t: b"a,b,c\n1,2,3\n", "fit none"),
}


@pytest.mark.parametrize("name", SPOILT)
def test_a_bad_file_is_one_sentence(name: str, tmp_path: Path) -> None:
    spoil, said = SPOILT[name]
    bad = tmp_path / "bad.csv"
    bad.write_bytes(spoil(FILES[0].read_text(encoding="utf-8")))
    for app in application(tmp_path):
        result = run(app, bad, *FILES[1:])
        assert result.exit_code == 2
        assert said in result.output
        assert len(result.output.strip().splitlines()) == 1
        with db.engine.connect() as connection:
            assert count(connection, "complaint") == count(connection, "officer") == 0


def test_rows_of_another_width_are_left_out_one_by_one(tmp_path: Path) -> None:
    text = FILES[0].read_text(encoding="utf-8") + "9000077,too,few\n" + "x," * 40 + "\n\n"
    odd = tmp_path / "odd.csv"
    odd.write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    for app in application(tmp_path):
        result = run(app, odd, *FILES[1:])
        assert result.exit_code == 0
        assert "2 x The row has more or fewer cells" in result.output
        with db.engine.connect() as connection:
            assert count(connection, "complaint") == 8


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Flask]:
    yield from application(tmp_path)


def test_missing_and_doubled_files(app: Flask, tmp_path: Path) -> None:
    assert "cannot be read" in run(app, tmp_path / "none.csv", *FILES[1:]).output
    assert "cannot be read" in run(app, tmp_path, *FILES[1:]).output
    assert "which was not given" in run(app, *FILES[:2]).output
    assert "both" in run(app, FILES[0], FILES[0], *FILES[1:]).output
    assert "cannot be written" in run(app, *FILES, "--errors", FILES[0]).output
    assert "no profile" in run(app, *FILES, profile="nowhere").output


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('name = "chicago_2023"', "", "'name' is missing"),
        ('received_on = "complaint_date"', "", "received_on"),
        ('place = "address"', 'palce = "address"', "palce"),
        ('map = "finding"', 'map = "findings"', "findings"),
        ('kind = "RANGE"', 'kind = "PLANET"', "PLANET"),
        ('file = "accused"', 'file = "accusers"', "accusers"),
        ("[units]", "[units", "TOML"),
        ('constant = "NOTREC"', 'constant = "PIGEON"', "PIGEON"),
    ],
)
def test_a_wrong_profile_is_one_sentence(
    app: Flask, tmp_path: Path, old: str, new: str, said: str
) -> None:
    from cms.services.importing.profile_toml import PROFILES

    text = (PROFILES / "chicago_2023.toml").read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "other.toml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    result = run(app, *FILES, profile=str(path))
    assert result.exit_code == 2
    assert said in result.output
    with db.engine.connect() as connection:
        assert count(connection, "complaint") == 0


# ---------------------------------------------------------------- the published files, whole


@pytest.mark.slow
def test_the_published_register_in_full(app: Flask, tmp_path: Path) -> None:
    files = real_files()
    started = time.monotonic()
    assert run(app, *files, "--errors", tmp_path / "errors").exit_code == 0
    assert time.monotonic() - started < 60
    with db.engine.connect() as connection:
        compare(connection, files)
        assert integrity.verify(connection, app.extensions["cms_vault"]) == []
        before = content(connection)
        entries = count(connection, "history")
    assert "Nothing was changed" in run(app, *files).output
    with db.engine.connect() as connection:
        assert count(connection, "history") == entries
    other = tmp_path / "other"
    other.mkdir()
    for again in application(other):
        run(again, *shuffled(files, tmp_path, 3))
        with db.engine.connect() as connection:
            assert content(connection) == before


def compare(connection: Any, files: list[Path]) -> None:
    """Every figure, computed from the raw rows without the importer."""
    accused, complaints, investigators = (rows_of(path) for path in files)
    named = [r for r in investigators if r["last_name"]]
    assert count(connection, "complaint") == len({r["cr_id"] for r in complaints}) == 18_624
    assert count(connection, "accused") == len({(r["cr_id"], r[ID]) for r in accused})
    assert count(connection, "allegation") == len(accused) == 40_529
    assert count(connection, "assignment") == count(connection, "complaint WHERE io_id IS NOT NULL") == len(named)
    people = {(r["last_name_NS"], r["first_name_NS"], r["middle_initial"], r["appointed_date"], r["birth_year"])
              for r in named}  # fmt: skip
    assert count(connection, "officer") == len({r[ID] for r in accused}) + len(people)
    closed = dict(connection.exec_driver_sql("SELECT origin_key, disposed_on FROM complaint").all())
    assert {k: str(v) for k, v in closed.items()} == {r["cr_id"]: r["closed_date"] for r in complaints}
    late = [r for r in complaints if r["incident_date"] > r["complaint_date"]]
    none = [r for r in complaints if not r["incident_date"]]
    assert count(connection, "complaint WHERE incident_on IS NULL") == len(late) + len(none)
    for finding, words in {"SUBSTANTIATED": {"sustained"}, "EXONERATED": {"exonerated", "within policy officer involved shooting"},
                           "NOT_SUBSTANTIATED": {"not sustained", "unfounded"}}.items():  # fmt: skip
        expected = sum(r["finding"].lower() in words for r in accused)
        assert count(connection, f"allegation WHERE finding = '{finding}'") == expected
    assert count(connection, "allegation WHERE finding IS NULL") == sum(not r["finding"] for r in accused)
