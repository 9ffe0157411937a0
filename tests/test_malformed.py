"""Spoilt files by the thousand, workbooks old and new, and a profile written from the page alone."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from registers import SLICES, application, content, count
from workbooks import xls, xlsx

from cms.models import db
from cms.services import integrity
from cms.services.importing.profile_toml import PROFILES

ROOT = Path(__file__).parents[1]
FEED = SLICES / "haryana_feed.csv"


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Flask]:
    yield from application(tmp_path)


def run(app: Flask, *args: Any, code: int = 0) -> str:
    result = app.test_cli_runner().invoke(args=["cms", "import", *map(str, args)])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert result.exit_code == code, result.output
    return str(result.output)


@pytest.mark.slow
def test_spoilt_files_by_the_hundred(tmp_path: Path) -> None:
    """A thousand by hand: CMS_SPOILT=1000."""
    count = int(os.environ.get("CMS_SPOILT", "300"))
    program = [sys.executable, str(ROOT / "tests" / "mutations.py")]
    env = os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}"}
    subprocess.run([*program, "bombs", str(tmp_path)], check=True, env=env)
    done = subprocess.run([*program, "run", str(tmp_path), str(count)], env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    said = json.loads(done.stdout)
    assert said["taken"] + said["refused"] == count
    assert min(said["taken"], said["refused"]) > count // 10
    assert max(said["mb"]) < 300


# ---------------------------------------------------------------- forms of files


def feed() -> list[list[str]]:
    return list(csv.reader(io.StringIO(FEED.read_text(encoding="utf-8"))))


def numbers(rows: list[list[str]]) -> list[list[str | float]]:
    """Figures as a spreadsheet keeps them."""
    return [[float(c) if re.fullmatch(r"[1-9]\d{0,8}", c) else c for c in row] for row in rows]


FORMS: dict[str, tuple[bytes, dict[str, str]]] = {
    "xlsx": (xlsx(numbers(feed())), {}),
    "xls": (xls(numbers(feed())), {}),
    "utf-16": (FEED.read_text(encoding="utf-8").encode("utf-16"), {}),
    "utf-8 with a mark": (FEED.read_text(encoding="utf-8").encode("utf-8-sig"), {}),
    "tab, heads in line 3": (
        ("Register of the range\n\n" + FEED.read_text(encoding="utf-8").replace(",", "\t")).encode(),
        {"delimiter": '"\\t"', "header": "3"},
    ),
}


@pytest.mark.parametrize("form", FORMS)
def test_the_same_register_in_another_form_is_the_same(form: str, tmp_path: Path) -> None:
    data, options = FORMS[form]
    path = tmp_path / "given"
    path.write_bytes(data)
    text = (PROFILES / "haryana_feed.toml").read_text(encoding="utf-8")
    extra = "".join(f"{k} = {v}\n" for k, v in options.items())
    (tmp_path / "p.toml").write_text(text.replace("[files.complaints]\n", f"[files.complaints]\n{extra}"), encoding="utf-8")
    found = []
    for name, profile, file in (("a", "haryana_feed", FEED), ("b", tmp_path / "p.toml", path)):
        (tmp_path / name).mkdir()
        for app in application(tmp_path / name):
            run(app, profile, file)
            with db.engine.connect() as connection:
                found.append(content(connection))
    assert len(found[0]["complaint"]) == 7
    assert found[0] == found[1]


def test_cp1252_and_a_sheet_by_name(app: Flask, tmp_path: Path) -> None:
    profile = tmp_path / "p.toml"
    text = DOC_PROFILE.replace('delimiter = ";"', 'encoding = "cp1252"').replace("header = 3", "header = 1")
    profile.write_text(text, encoding="utf-8")
    (tmp_path / "old.csv").write_bytes("Diary No,Received,Closed,Matter,How,Complainants,Mobile,Officer,Posted at\n"
                                       "1,1.2.2024,,It’s “café”,Dak,Zoë,,,\n".encode("cp1252"))  # fmt: skip
    run(app, profile, tmp_path / "old.csv")
    with db.engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT subject FROM complaint").scalar_one() == "It’s “café”"
    profile.write_text(text.replace("[files.register]\n", '[files.register]\nsheet = "2025"\n'), encoding="utf-8")
    (tmp_path / "book.xlsx").write_bytes(xlsx([["x"]], sheet="2024"))
    assert "no such sheet" in run(app, profile, tmp_path / "book.xlsx", code=2)


# ---------------------------------------------------------------- a profile from the page alone


DOC_PROFILE = re.search(r"```toml\n(.*?)```", (ROOT / "docs" / "import.md").read_text(encoding="utf-8"), re.S)[1]  # type: ignore[index]
REGISTER = """Complaint register of Sadar;;;;;;;;
;;;;;;;;
Diary No;Received;Closed;Matter;How;Complainants;Mobile;Officer;Posted at
1;०१.०४.२०२५;१४.०४.२०२५;Boundary;Dasti;राम, श्याम;99999 00001;Madan Lal;Sadar
2;02.04.2025;-;No FIR written;dak;Sita;12;Madan Lal;City
3;31.04.2025;;Noise;by hand;Gita;;;
4;03.04.2025;;Loan;Pigeon;NA;;Madan Lal;Sadar
"""


def test_a_profile_written_from_the_page(app: Flask, tmp_path: Path) -> None:
    (tmp_path / "sadar.toml").write_text(DOC_PROFILE, encoding="utf-8")
    (tmp_path / "register.csv").write_text(REGISTER, encoding="utf-8")
    output = run(app, tmp_path / "sadar.toml", tmp_path / "register.csv")
    with db.engine.connect() as connection:
        found = content(connection)
        people = connection.exec_driver_sql(
            "SELECT c.number, p.position, p.name, p.phone FROM party p JOIN complaint c ON c.id = p.complaint_id "
            "ORDER BY 1, 2"
        ).all()
        modes = connection.exec_driver_sql(
            "SELECT c.number, m.code FROM complaint c JOIN mode m ON m.id = c.mode_id ORDER BY 1"
        ).all()
        assert integrity.verify(connection, app.extensions["cms_vault"]) == []
    assert [tuple(p) for p in people] == [
        ("SDR-1", 1, "राम", "+919999900001"), ("SDR-1", 2, "श्याम", None), ("SDR-2", 1, "Sita", None),
    ]  # fmt: skip
    assert [tuple(m) for m in modes] == [("SDR-1", "HAND"), ("SDR-2", "POST"), ("SDR-4", "NOTREC")]
    assert {row[0] for row in found["officer"]} == {"Madan Lal|Sadar", "Madan Lal|City"}, "by name and unit"
    assert [str(row[8]) for row in found["complaint"]] == ["2025-04-14", "None", "None"]
    for said in ("No usable date of receipt", "Not a telephone number", "does not know this value"):
        assert said in output


def test_an_accused_officer_restricts_where_the_profile_says_so(app: Flask, tmp_path: Path) -> None:
    text = DOC_PROFILE.replace("restricts = false", "restricts = true").replace(
        'name = "Officer"', 'name = "Officer"\nunit = "Posted at"'
    )
    units = '''
[units.officer]
match = "(.+)"
code = "SDR-{}"
kind = "POLICE_STATION"
parent = "SDR"

[units.complaint]
match = "(.+)"
code = "SDR-{}"
kind = "POLICE_STATION"
parent = "SDR"
'''
    text = text.replace('subject = "Matter"', 'subject = "Matter"\nunit = "Posted at"')
    (tmp_path / "p.toml").write_text(text + units, encoding="utf-8")
    (tmp_path / "r.csv").write_text(REGISTER, encoding="utf-8")
    run(app, tmp_path / "p.toml", tmp_path / "r.csv")
    with db.engine.connect() as connection:
        assert count(connection, "complaint WHERE restricted") == 3
        assert count(connection, "barred_unit") == 3
        where = connection.exec_driver_sql("SELECT DISTINCT u.code FROM complaint c JOIN unit u ON u.id = c.unit_id")
        assert where.scalars().all() == ["SDR"], "it goes above the accused"
        assert integrity.verify(connection, app.extensions["cms_vault"]) == []
    assert "Nothing was changed" in run(app, tmp_path / "p.toml", tmp_path / "r.csv")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('dates = ["day-first"]', 'dates = ["day-last"]', "day-last"),
        ("header = 3", "heads = 3", "heads"),
        ('delimiter = ";"', 'encoding = "utf-99"', "utf-99"),
        ('several = ","', 'severl = ","', "severl"),
        ('HAND = ["By hand", "Dasti"]', 'HAND = ["By hand", "Dak"]', "two values"),
        ("restricts = false", 'zone = "Asia/Atlantis"', "Atlantis"),
        ('constant = "MISC"', 'lookup = "x.Y"', "not declared"),
    ],
)  # fmt: skip
def test_a_slip_in_a_profile_is_one_sentence(app: Flask, tmp_path: Path, old: str, new: str, said: str) -> None:
    assert old in DOC_PROFILE
    (tmp_path / "p.toml").write_text(DOC_PROFILE.replace(old, new, 1), encoding="utf-8")
    (tmp_path / "r.csv").write_text(REGISTER, encoding="utf-8")
    output = run(app, tmp_path / "p.toml", tmp_path / "r.csv", code=2)
    assert said in output
    assert len(output.strip().splitlines()) == 1
