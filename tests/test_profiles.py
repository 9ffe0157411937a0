"""The shipped profiles on the whole files: every figure computed here from the raw rows, without the importer."""

from __future__ import annotations

import csv
import gzip
import os
import time
from collections import Counter
from datetime import date
from pathlib import Path
from statistics import median
from typing import Any

import pytest
from flask import Flask
from registers import SLICES, application, content, count, empty, rows_of, shuffled
from sqlalchemy import Connection

from cms.models import db
from cms.services import integrity
from cms.services.importing import dates
from cms.services.importing.source import digest

__all__ = ["empty"]
DATA = Path(__file__).parents[2] / "shared" / "data"


def files_of(folder: str, *names: str) -> list[Path]:
    """Published files, or a skip with a notice; in CI their absence is a failure."""
    found = [DATA / folder / name for name in names]
    if all(path.exists() for path in found):
        return found
    notice = f"the published files are not beside the project (../shared/data/{folder})"
    if os.environ.get("CI") == "true":
        pytest.fail(notice)
    pytest.skip(notice)


def run(app: Flask, profile: str, *args: Any, code: int = 0) -> str:
    """``cms import``; its output."""
    result = app.test_cli_runner().invoke(args=["cms", "import", profile, *map(str, args)])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert result.exit_code == code, result.output
    return str(result.output)


def pairs(connection: Connection, query: str) -> dict[Any, Any]:
    return dict(connection.exec_driver_sql(query).all())  # type: ignore[arg-type]


def taken_over(tmp_path: Path, profile: str, files: list[Path], check: Any) -> None:
    """In full, once more, and in another order of rows: the same database each time."""
    found = []
    for name, given in (("a", files), ("b", shuffled(files, tmp_path, 7))):
        (tmp_path / name).mkdir()
        for app in application(tmp_path / name):
            run(app, profile, *given)
            with db.engine.connect() as connection:
                found.append(content(connection))
                if name == "a":
                    check(connection)
                    assert integrity.verify(connection, app.extensions["cms_vault"]) == []
                entries = count(connection, "history")
            if name == "a":
                assert "Nothing was changed" in run(app, profile, *shuffled(files, tmp_path, 8))
            with db.engine.connect() as connection:
                assert count(connection, "history") == entries
    assert found[0] == found[1]


# ---------------------------------------------------------------- Philadelphia


def test_philadelphia(tmp_path: Path) -> None:
    files = files_of("philadelphia_2016_2021", "complaints_against_police.csv", "complaints.against.police.findings.csv")
    complaints, rows = rows_of(files[0]), rows_of(files[1])
    findings = list({tuple(r.items()): r for r in rows}.values())
    assert len(rows) - len(findings) == 724

    def check(connection: Connection) -> None:
        assert count(connection, "complaint") == len({r["complaint_id"] for r in complaints}) == 3_388
        links = {(r["complaint_id"], r["officer_id"]) for r in rows if r["officer_id"] != "NA"}
        assert count(connection, "accused") == len(links)
        assert count(connection, "allegation") == len(findings)
        people = {r["officer_id"] for r in rows} - {"NA"}
        assert count(connection, "officer") == len(people) == 3_006
        for ours, theirs in (("SUBSTANTIATED", "Sustained Finding"), ("NOT_SUBSTANTIATED", "No Sustained Findings")):
            expected = sum(r["investigative_findings"] == theirs for r in findings)
            assert count(connection, f"allegation WHERE finding = '{ours}'") == expected
        assert count(connection, "allegation WHERE finding IS NULL") == sum(
            r["investigative_findings"] == "#VALUE!" for r in findings
        )
        received = pairs(connection, "SELECT origin_key, received_on FROM complaint")
        assert {k: str(v) for k, v in received.items()} == {r["complaint_id"]: r["date_received"] for r in complaints}
        pending = {r["complaint_id"] for r in rows if r["investigative_findings"] == "Pending"}
        none = {r["complaint_id"] for r in complaints} - {r["complaint_id"] for r in rows}
        assert len(none) == 6
        assert count(connection, "complaint WHERE is_open") == len(pending | none)
        units = pairs(connection, "SELECT c.origin_key, u.code FROM complaint c JOIN unit u ON u.id = c.unit_id")
        known = {r["complaint_id"]: r["district_occurrence"] for r in complaints}
        assert {k for k, v in units.items() if v == "PHL-0000"} == {
            k for k, v in known.items() if not (v.isdecimal() and len(v) == 4)
        }
        assert units["16-0004"] == "PHL-0700", "its leading zero"
        assert pairs(connection, "SELECT code, name_en FROM unit")["PHL-1900"] == "19TH DISTRICT"
        notes = pairs(connection, "SELECT c.origin_key, a.note FROM action a JOIN complaint c ON c.id = a.complaint_id")
        broken = [r for r in complaints if any("\x80" <= char < "\xa0" for char in r["summary"])]
        assert len(broken) == 80
        for r in broken:
            expected = r["summary"].translate({0x92: "’", 0x93: "“", 0x94: "”", 0x91: "‘", 0x85: "…"})
            assert notes[r["complaint_id"]] == expected.strip()

    taken_over(tmp_path, "philadelphia", files, check)


# ---------------------------------------------------------------- Indianapolis


def test_indianapolis(tmp_path: Path) -> None:
    files = files_of("indianapolis_2020", "IMPD_complaints_Dec_2020.csv")
    with files[0].open(encoding="utf-8-sig", newline="") as file:
        raw = list(csv.DictReader(file))
    rows = list({tuple(v for k, v in r.items() if k != "OBJECTID"): r for r in raw}.values())
    assert len(raw) - len(rows) == 106

    def check(connection: Connection) -> None:
        assert count(connection, "complaint") == len({r["INCNUM"] for r in raw}) == 1_298
        assert count(connection, "allegation") == len(rows)
        assert count(connection, "accused") == len({(r["INCNUM"], r["OFFNUM"]) for r in raw if r["OFFNUM"]})
        assert count(connection, "officer") == len({r["OFFNUM"] for r in raw} - {""}) == 898
        levels = set()
        for r in (r for r in raw if r["OFFNUM"]):
            path = [" ".join(r[f"UDTEXT24{c}"].casefold().split()) for c in "ABCD"]
            path = [p for p in path if p not in ("", "unknown", "none")]
            levels |= {tuple(path[:n]) for n in range(1, len(path) + 1)}
        assert count(connection, "unit WHERE code LIKE 'IND%'") == len(levels) + 2
        open_ones = {r["INCNUM"] for r in raw if not r["FINDING"]}
        assert count(connection, "complaint WHERE is_open") == len(open_ones)
        assert count(connection, "allegation WHERE finding = 'EXONERATED'") == sum(
            r["FINDING"] == "Exonerated" for r in rows
        )
        received = pairs(connection, "SELECT origin_key, received_on FROM complaint")
        assert {k: str(v).replace("-", "/") for k, v in received.items()} == {
            r["INCNUM"]: r["OCCURRED_DT"][:10] for r in raw
        }

    taken_over(tmp_path, "indianapolis", files, check)


# ---------------------------------------------------------------- Nepal


def test_nepal(tmp_path: Path) -> None:
    files = files_of("nepal_hello_sarkar", "complaints.csv", "actions.csv")
    complaints, actions = rows_of(files[0]), rows_of(files[1])

    def check(connection: Connection) -> None:
        assert count(connection, "complaint") == len(complaints) == 277
        assert count(connection, "action WHERE kind <> 'IMPORTED'") == len(actions) == 1_263
        happened = pairs(connection, "SELECT origin_key, happened_at FROM action WHERE kind <> 'IMPORTED'")
        for r in actions:  # Kathmandu is 5:45 ahead of the database's UTC
            at = happened[r["id"]]
            at = at if isinstance(at, str) else at.isoformat(" ")
            assert minutes(at[:19]) == minutes(r["created_at"]) - 345, r["id"]
        ended = {r["id"] for r in complaints if r["status"] in ("CLOSED", "INCOMPLETE/FAKE/UNRELATED")}
        assert count(connection, "complaint WHERE NOT is_open") == len(ended) == 211
        last: dict[str, str] = {}
        for r in sorted(actions, key=lambda r: (r["created_at"], int(r["id"]))):
            if r["action_name"] == "CLOSED":
                last[r["complain_id"]] = r["created_at"][:10]
            elif r["action_name"] == "RE-OPENED":
                last.pop(r["complain_id"], None)
        born = {r["id"]: r["created_at"][:10] for r in complaints}
        expected = {k: v for k, v in last.items() if k in ended and v >= born[k]}
        disposed = pairs(connection, "SELECT origin_key, disposed_on FROM complaint WHERE disposed_on IS NOT NULL")
        assert {k: str(v) for k, v in disposed.items()} == expected
        days = [(date.fromisoformat(v) - date.fromisoformat(born[k])).days for k, v in expected.items()]
        assert len(days) > 150
        assert 100 < median(days) < 220
        offices = {r["assigned_office_id"] for r in complaints if r["assigned_office_name"]}
        assert count(connection, "unit WHERE code LIKE 'NPL%'") == len(offices | {"0"}) + 1
        modes = pairs(connection, "SELECT c.origin_key, m.code FROM complaint c JOIN mode m ON m.id = c.mode_id")
        assert Counter(modes.values())["SUOMOTO"] == sum(r["source"] in ("Twitter", "Facebook") for r in complaints)

    taken_over(tmp_path, "nepal_hello_sarkar", files, check)


def minutes(text: str) -> int:
    """Minutes since the year 1, of a moment in figures."""
    day = date.fromisoformat(text[:10]).toordinal()
    return day * 1440 + int(text[11:13]) * 60 + int(text[14:16])


def test_the_nepali_calendar_agrees_with_the_gregorian_beside_it() -> None:
    files = files_of("nepal_hello_sarkar", "complaints.csv", "actions.csv")
    checked = 0
    for row in [*rows_of(files[0]), *rows_of(files[1])]:
        spoken = dates.parse(row["created_at_nepali"], ("bikram-sambat",), "Asia/Kathmandu")
        if spoken is not None and row.get("form_name") is None:
            assert spoken.strftime("%Y-%m-%d %H:%M") == row["created_at"][:16]
            checked += 1
        if row.get("created_date_bs"):
            in_figures = dates.parse(row["created_date_bs"], ("bikram-sambat",), "Asia/Kathmandu")
            assert spoken is not None
            assert in_figures is not None
            assert in_figures.date() == spoken.date()
    assert checked > 1_200


# ---------------------------------------------------------------- Chicago, the whole register


@pytest.mark.slow
def test_chicago_scale(tmp_path: Path) -> None:
    names = ("complaints-complaints.csv.gz", "complaints-accused.csv.gz", "final-profiles.csv.gz")
    files = files_of("chicago_scale_1967_2018", *names, "Complaint_Categories.xlsx")
    part = [cut(path, tmp_path, 25) for path in files[:2]]
    complaints, accused, officers = (rows_of(path) for path in (*part, files[2]))
    for app in application(tmp_path):
        started = time.monotonic()
        run(app, "chicago_scale", *part, *files[2:])
        assert time.monotonic() - started < 60
        with db.engine.connect() as connection:
            assert count(connection, "complaint") == len(complaints) > 6_000
            assert count(connection, "allegation") == len(accused)
            keys = {(r["cr_id"], r["UID"].removesuffix(".0")) for r in accused}
            assert count(connection, "accused") == len(keys)
            named = {uid for _cr, uid in keys}
            assert count(connection, "officer") == len(named)
            ranks = {r["UID"]: r["cleaned_rank"] for r in officers if r["UID"] in named}
            assert count(connection, "officer o JOIN rank r ON r.id = o.rank_id WHERE r.code = 'SI'") == sum(
                v == "SERGEANT" for v in ranks.values()
            )
            late = sum(bool(r["closed_date"]) and r["closed_date"] < r["complaint_date"] for r in complaints)
            none = sum(not r["closed_date"] for r in complaints)
            assert count(connection, "complaint WHERE disposed_on IS NULL") == late + none
            assert count(connection, "complaint WHERE is_open") == none
            assert integrity.verify(connection, app.extensions["cms_vault"]) == []
        assert "Nothing was changed" in run(app, "chicago_scale", *part, *files[2:])


def cut(path: Path, folder: Path, every: int) -> Path:
    """The rows of every so manieth complaint."""
    target = folder / path.name.removesuffix(".gz")
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file)
        with target.open("w", encoding="utf-8", newline="") as out:
            writer = csv.DictWriter(out, rows.fieldnames or [])
            writer.writeheader()
            writer.writerows(r for r in rows if sum(map(ord, r["cr_id"])) % every == 0)
    return target


def test_the_workbook_of_codes_describes_what_the_register_only_codes(tmp_path: Path) -> None:
    files = files_of("chicago_scale_1967_2018", "final-profiles.csv.gz", "Complaint_Categories.xlsx")
    made = {
        "complaints.csv": "cr_id,incident_date,complaint_date,closed_date,add1,add2,beat,city,full_address,location\n"
        "C1,,2001-02-03,,,,0421,,1 NOWHERE ST,\n",
        "accused.csv": "UID,complaint_category,complaint_code,cr_id,final_finding,final_outcome,recc_finding\n"
        "100001.0,,03A,C1,NS,,\n100003.0,,999Z,C1,,,\n",
    }
    for name, text in made.items():
        (tmp_path / name).write_text(text)
    for app in application(tmp_path):
        run(app, "chicago_scale", tmp_path / "complaints.csv", tmp_path / "accused.csv", *files)
        with db.engine.connect() as connection:
            assert set(connection.exec_driver_sql("SELECT what FROM allegation").scalars()) == {WORDS, "999Z"}
            assert pairs(connection, "SELECT origin_key, name_en FROM officer")["100001"] == "A BRODERSON"


WORDS = "FIRST AMENDMENT"


# ---------------------------------------------------------------- the state's own field names


def test_the_haryana_feed(empty: Flask) -> None:
    file = SLICES / "haryana_feed.csv"
    output = run(empty, "haryana_feed", file)
    with db.engine.connect() as connection:
        found = content(connection)["complaint"]
    units = {row[2]: row[13] for row in found}
    assert units == {
        "322600401": "HSR-PS01", "322600402": "HSR-PS01", "322600403": "SRS", "322600404": "JND",
        "FATEHABAD-15": "FTB", "322600406": "HSR-PS01", "322600408": "HNS",
    }  # fmt: skip
    received = {row[2]: str(row[6]) for row in found}
    assert received["322600401"] == "2026-04-01", "day first"
    assert received["322600406"] == "2026-04-15", "a spreadsheet's serial number"
    closed = {row[2]: (str(row[8]), row[10]) for row in found}
    assert closed["322600401"] == ("2026-04-12", "CLOSED")
    assert closed["322600402"] == ("None", "UNDER_ENQUIRY")
    assert closed["322600403"] == ("None", "CLOSED"), "closed before it was received"
    for said in (
        "1 x Closed before", "1 x No usable date of receipt", "1 x The profile does not know",
        "1 x No unit of this name", "1 x Looks like Hindi typed in an old font",
    ):  # fmt: skip
        assert said in output, output
    assert "Nothing was changed" in run(empty, "haryana_feed", file)


def test_the_whole_rows_of_the_haryana_feed(empty: Flask) -> None:
    """As the feed itself has them; the file above is an extract without persons and words."""
    output = run(empty, "haryana_feed", SLICES / "haryana_feed_whole.csv")
    with db.engine.connect() as connection:
        query = "SELECT c.origin_key, c.text, c.place, c.incident_on FROM complaint c ORDER BY 1"
        rows = [tuple(map(str, row)) for row in connection.exec_driver_sql(query)]
        query = "SELECT role, name, phone, email, address FROM party ORDER BY id"
        people = [tuple(row) for row in connection.exec_driver_sql(query)]
        notes = " ".join(connection.exec_driver_sql("SELECT note FROM action").scalars())
    assert rows == [
        ("322600401", "मेरे पड़ोसी ने मेरी जमीन की डोल तोड़ दी है।", "Mangali", "2026-03-28"),
        ("322600402", "None", "None", "None"),
    ]
    assert people == [
        ("COMPLAINANT", "Ramphal Poonia", "+919999900001", "ramphal@example.org", "H.No. 12, Mangali, Hisar, HISAR"),
        ("COMPLAINANT", "सुनीता", None, None, "Kaimri"),
    ]
    assert "1 x Not a telephone number" in output
    assert "1 x The incident is dated after" in output
    assert "IO: ASI (made up), 112/HSR" in notes


# ---------------------------------------------------------------- who is in it

PEOPLE = """
name = "people"
number_prefix = "PPL-"
language = "HI"
dates = ["iso"]
[files.register]
recognise = ["No", "On"]
key = "No"
may_lack = ["Second mobile"]
[units]
tree = [{ code = "PPL", name_en = "People", kind = "DISTRICT" }]
[complaint]
file = "register"
received_on = "On"
mode = { constant = "HAND" }
disposal_text = { columns = ["FIR No"], labels = ["FIR No"] }
[complainant]
file = "register"
name = "Complainant"
several = ","
relative = "Father or husband"
phone = "Mobile"
phone_2 = "Second mobile"
[opposite]
file = "register"
name = "Against"
several = ","
relative = "Son of"
phone = "Their mobile"
address = "Their village"
"""
HEADS = "No,On,Complainant,Father or husband,Mobile,Second mobile,Against,Son of,Their mobile,Their village,FIR No\n"


def test_second_telephone_relative_and_opposite_party(empty: Flask, tmp_path: Path) -> None:
    profile, file = tmp_path / "people.toml", tmp_path / "people.csv"
    profile.write_text(PEOPLE, encoding="utf-8")
    first = '1,2026-01-02,"राम, श्याम",हरि,9999900001,99999-00002,"मोहन, सोहन",लाल,9999900003,खेड़ी,112\n'
    file.write_text(HEADS + first + "2,2026-01-03,गीता,,9999900004,12,,,,,\n", encoding="utf-8")
    output = run(empty, str(profile), file)
    assert "1 x Not a telephone number" in output
    query = (
        "SELECT c.origin_key, p.role, p.position, p.name, p.relative, p.phone, p.phone_2, p.address "
        "FROM party p JOIN complaint c ON c.id = p.complaint_id ORDER BY 1, 2, 3"
    )
    with db.engine.connect() as connection:
        found = [tuple(row) for row in connection.exec_driver_sql(query)]
        assert integrity.verify(connection, empty.extensions["cms_vault"]) == []
        assert "हरि" not in " ".join(connection.exec_driver_sql("SELECT changes FROM history WHERE table_name = 'party'").scalars())
        text = "SELECT disposal_text FROM complaint WHERE origin_key = '1'"
        assert connection.exec_driver_sql(text).scalar_one() == "FIR No: 112"
    assert found == [
        ("1", "COMPLAINANT", 1, "राम", "हरि", "+919999900001", "+919999900002", None),
        ("1", "COMPLAINANT", 2, "श्याम", None, None, None, None),
        ("1", "OPPOSITE", 1, "मोहन", "लाल", "+919999900003", None, "खेड़ी"),
        ("1", "OPPOSITE", 2, "सोहन", None, None, None, None),
        ("2", "COMPLAINANT", 1, "गीता", None, "+919999900004", None, None),
    ]
    assert "Nothing was changed" in run(empty, str(profile), file)
    file.write_text(HEADS.replace("Second mobile,", "") + first.replace("99999-00002,", "").replace("सोहन", "रोहन"), encoding="utf-8")
    output = run(empty, str(profile), file)
    assert "added              1  party" in output, output
    with db.engine.connect() as connection:
        third = "SELECT name FROM party WHERE role = 'OPPOSITE' AND position = 3"
        assert connection.exec_driver_sql(third).scalar_one() == "रोहन"


# ---------------------------------------------------------------- forms of dates


@pytest.mark.parametrize(
    ("text", "form", "day"),
    [
        ("2016-01-19", "iso", "2016-01-19 00:00"),
        ("2013/12/22", "iso", "2013-12-22 00:00"),
        ("2016/01/25 00:00:00+00", "iso", "2016-01-25 00:00"),
        ("2021-05-06T07:08:09.123Z", "iso", "2021-05-06 07:08"),
        ("01-04-2026 00:00:00", "day-first", "2026-04-01 00:00"),
        ("1/4/2026 3:05 PM", "day-first", "2026-04-01 15:05"),
        ("०१.०४.२०२६", "day-first", "2026-04-01 00:00"),
        ("06/22/2026", "month-first", "2026-06-22 00:00"),
        ("46113", "excel", "2026-04-01 00:00"),
        ("46113.5", "excel", "2026-04-01 12:00"),
        ("2082-02-08", "bikram-sambat", "2025-05-22 00:00"),
        ("८ जेठ २०८२, बिहिवार (11:29:20 PM)", "bikram-sambat", "2025-05-22 23:29"),
        ("22-Jun-26", "%d-%b-%y", "2026-06-22 00:00"),
        ("06/22/2026", "day-first", None),
        ("31-02-2026", "day-first", None),
        ("60", "excel", None),
        ("2083-02-08", "bikram-sambat", None),
        ("2082-02-33", "bikram-sambat", None),
        ("12", "iso", None),
    ],
)
def test_forms_of_dates(text: str, form: str, day: str | None) -> None:
    found = dates.parse(text, (form,), "Asia/Kolkata")
    assert (found.strftime("%Y-%m-%d %H:%M") if found else None) == day


def test_the_published_files_are_those_of_the_figures() -> None:
    """A changed file would make every figure above wrong, and look like a fault of the importer."""
    (path,) = files_of("philadelphia_2016_2021", "complaints.against.police.findings.csv")
    assert digest(path).startswith("355d4645ff511531")
