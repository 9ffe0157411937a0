"""Old registers with care: mend and give again, take back, later snapshots, warnings, clerks go on meanwhile."""

from __future__ import annotations

import csv
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import world
from flask import Flask
from registers import NAMES, application, content, count, empty, rows_of
from sqlalchemy import select
from test_import import FILES, many, run
from workbooks import xlsx

from cms.authz import Book, visible
from cms.models import Complaint, Imported, Unit, db
from cms.rules import SYSTEM, Post, Role, Seat, Viewer
from cms.services import complaints, integrity, reference
from cms.services.importing.values import is_old_font
from cms.unit_of_work import unit_of_work, utcnow

__all__ = ["empty"]
Row = dict[str, str]
ID = "complaints-accused_2000-2023_2023-09_p867849_ID"


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Flask]:
    yield from application(tmp_path)


def altered(path: Path, folder: Path, change: Callable[[list[Row]], list[Row]]) -> Path:
    """The same file with other rows."""
    rows = rows_of(path)
    head, made = list(rows[0]), change(rows)
    folder.mkdir(exist_ok=True)
    with (folder / path.name).open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, head)
        writer.writeheader()
        writer.writerows(made)
    return folder / path.name


def setting(key: str, **values: str) -> Callable[[list[Row]], list[Row]]:
    """A change: other values in the rows of one complaint."""
    return lambda rows: [r | values if r["cr_id"] == key else r for r in rows]


def one(query: str) -> Any:
    with db.engine.connect() as connection:
        return connection.exec_driver_sql(query).first()


# ---------------------------------------------------------------- mended and given again


def test_rows_that_failed_are_mended_and_given_again(empty: Flask, tmp_path: Path) -> None:
    spoilt = [altered(FILES[0], tmp_path / "bad", setting("9000001", complaint_date="n/k", address="=1+1")), *FILES[1:]]
    folder = tmp_path / "errors"
    assert "left out" in run(empty, *spoilt, "--errors", folder).output
    assert one("SELECT count(*) FROM complaint WHERE number = 'CHI-9000001'")[0] == 0
    told = rows_of(folder / "complaints.csv")
    (row,) = [r for r in told if r["cr_id"] == "9000001"]
    assert "No usable date of receipt" in row["cms_reason"]
    assert row["address"] == "'=1+1", "no spreadsheet runs it"
    assert {r["cr_id"] for r in rows_of(folder / "accused.csv")} >= {"9000001"}, "its other rows are beside it"
    altered(folder / "complaints.csv", folder, setting("9000001", complaint_date="2019-03-04"))
    again = run(empty, *(folder / f"{name}.csv" for name in NAMES), "--mended", "--errors", tmp_path / "left")
    assert "not in these files" not in again.output, "they are some rows of the register, nothing has gone"
    assert one("SELECT place FROM complaint WHERE number = 'CHI-9000001'") == ("=1+1",)
    with db.engine.connect() as connection:
        found = content(connection)
        assert next(r[2] for r in found["allegation"] if r[0] == "CHI-9000001").startswith("Operation")
        assert sum(r[0] == "CHI-9000001" for r in found["allegation"]) == 3
        assert integrity.verify(connection, empty.extensions["cms_vault"]) == []
    assert not [r for r in rows_of(tmp_path / "left" / "complaints.csv") if r["cr_id"] == "9000001"]


def test_a_value_held_back_is_filled_when_it_is_mended(app: Flask, tmp_path: Path) -> None:
    folder = tmp_path / "errors"
    run(app, *FILES, "--errors", folder)
    assert one("SELECT incident_on FROM complaint WHERE number = 'CHI-9000002'") == (None,)
    mended = altered(folder / "complaints.csv", folder, setting("9000002", incident_date="2019-05-05"))
    assert "updated" in run(app, mended, "--mended").output
    assert one("SELECT incident_on FROM complaint WHERE number = 'CHI-9000002'") == ("2019-05-05",)


# ---------------------------------------------------------------- a later snapshot


def later(tmp_path: Path) -> list[Path]:
    """The next year's files: one closed, one finding made, one row and one complaint more, one complaint gone."""
    new = tmp_path / "later"
    complaints_ = altered(FILES[0], new, lambda rows: [
        *(r | {"closed_date": "2021-08-09"} if r["cr_id"] == "9000004" else r for r in rows if r["cr_id"] != "9000002"),
        rows[0] | {"cr_id": "9000555"},
    ])  # fmt: skip
    first = rows_of(FILES[1])[0]
    accused = altered(FILES[1], new, lambda rows: [
        *(r | {"finding": "Unfounded"} if r["cr_id"] == "9000001" and r["row_id"] == "3" else r for r in rows),
        first | {"row_id": "77", "category": "New one,,,"},
    ])  # fmt: skip
    return [complaints_, accused, FILES[2]]


def test_a_later_snapshot_says_what_it_updated_added_and_kept(empty: Flask, tmp_path: Path) -> None:
    run(empty, *FILES)
    dry = run(empty, *later(tmp_path), "--dry-run").output
    output = run(empty, *later(tmp_path)).output
    assert "would update       2  complaint" in dry
    assert "updated            2  complaint" in output
    assert "added              1  complaint" in output
    assert "kept, not in these files 1  complaint" in output
    assert one("SELECT status, disposed_on FROM complaint WHERE number = 'CHI-9000004'")[0] == "CLOSED"
    assert one("SELECT count(*) FROM deadline WHERE met_at IS NULL AND complaint_id = "
               "(SELECT id FROM complaint WHERE number = 'CHI-9000004')") == (0,)  # fmt: skip
    with db.engine.connect() as connection:
        found = content(connection)
        assert integrity.verify(connection, empty.extensions["cms_vault"]) == []
    rows = {row[1]: row[2:4] for row in found["allegation"] if row[0] == "CHI-9000001"}
    assert rows[3] == ("10U", "NOT_SUBSTANTIATED")
    assert rows[4] == ("New one", "SUBSTANTIATED")
    assert "CHI-9000002" in {row[0] for row in found["complaint"]}, "what has gone is kept"
    again = run(empty, *later(tmp_path)).output
    assert "Nothing was changed" in again
    assert "This was import" not in again, "there is nothing to take back"


def test_what_was_worked_on_here_is_not_overwritten(app: Flask, tmp_path: Path) -> None:
    run(app, *FILES)
    with unit_of_work(SYSTEM, via="form") as work:
        row = work.session.scalars(select(Complaint).where(Complaint.number == "CHI-9000004")).one()
        row.place = "Seen to by us"
    output = run(app, *later(tmp_path)).output
    assert "1 x The complaint was worked on here since" in output
    assert one("SELECT status FROM complaint WHERE number = 'CHI-9000004'") == ("UNDER_ENQUIRY",)


# ---------------------------------------------------------------- taking an import back


def everybody() -> list[Viewer]:
    """A viewer for every post at every unit at the top."""
    with db.engine.connect() as connection:
        tops = connection.execute(select(Unit.id, Unit.path).where(Unit.parent_id.is_(None))).all()
    return [Viewer(1, 1, "x", (Seat(post, u.id, u.path),), Role.OFFICER) for u in tops for post in Post]


def seen() -> int:
    """How many complaints anybody at all can see, by any book."""
    found = set()
    for viewer in everybody():
        for book in Book:
            found |= set(db.session.scalars(visible(select(Complaint.id), Complaint, viewer, book)))
    db.session.rollback()
    return len(found)


def test_an_import_is_taken_back_and_given_again(empty: Flask) -> None:
    run(empty, *FILES, "--by", "clerk")
    assert seen() == 8
    output = empty.test_cli_runner().invoke(args=["cms", "import", "undo", "1", "--by", "head"]).output
    assert "8 complaints were taken out" in output
    assert seen() == 0
    with db.engine.connect() as connection:
        assert count(connection, "complaint") == 8, "nothing is deleted"
        assert count(connection, "complaint WHERE is_open") == 0
        assert integrity.verify(connection, empty.extensions["cms_vault"]) == []
        assert connection.scalar(select(Complaint.id).where(Complaint.overdue(utcnow()))) is None
    assert "taken back already" in run_undo(empty, 1)
    assert "added              8  complaint" in run(empty, *FILES).output
    assert seen() == 8
    assert one("SELECT count(*) FROM complaint WHERE number = 'CHI-9000001.2' AND NOT restricted")[0] == 1
    assert "Nothing was changed" in run(empty, *FILES).output
    listed = empty.test_cli_runner().invoke(args=["cms", "import", "list"]).output
    assert "clerk  undone" in listed
    assert "chicago_complaints.csv" in listed
    assert "8 complaint" in listed


def run_undo(app: Flask, batch: int) -> str:
    result = app.test_cli_runner().invoke(args=["cms", "import", "undo", str(batch)])
    assert result.exit_code == 2, result.output
    return str(result.output)


def test_an_import_stays_once_something_was_done(app: Flask, tmp_path: Path) -> None:
    assert "no import 7" in run_undo(app, 7)
    run(app, *FILES)
    run(app, *later(tmp_path))
    assert "cannot be taken back" in run_undo(app, 1), "a later import changed it"
    assert "1 complaints" in app.test_cli_runner().invoke(args=["cms", "import", "undo", "2"]).output
    with unit_of_work(SYSTEM, via="form") as work:
        row = work.session.scalars(select(Complaint).where(Complaint.number == "CHI-9000003")).one()
        row.subject = "Ours"
    run(app, *FILES)
    assert "CHI-9000" in run_undo(app, 1)
    assert seen() == 8


def test_the_record_of_an_import(app: Flask) -> None:
    run(app, *FILES, "--by", "clerk")
    row = one('SELECT profile, "by", files, profile_version, counts, finished_at FROM import_batch')
    assert row[:2] == ("chicago_2023", "clerk")
    assert row[2].count("sha256") == 3
    assert len(row[3]) == 64
    assert '"complaint": 8' in row[4]
    assert row[5]
    with db.engine.connect() as connection:
        assert connection.execute(select(Imported.is_new)).scalars().all() == [True] * 8
        with pytest.raises(Exception, match="refused"):
            connection.exec_driver_sql("DELETE FROM imported")


# ---------------------------------------------------------------- clerks go on meanwhile


def test_registrations_go_on_during_an_import(app: Flask, tmp_path: Path) -> None:
    world.build()
    files = many(tmp_path, 5000)
    viewer, taken, trouble = world.as_viewer("branch.hsr"), [], []

    def register() -> None:
        with app.app_context():
            try:
                no = 0
                while thread_may_go:
                    started = time.monotonic()
                    with unit_of_work(viewer) as work:
                        complaints.register(work, world.new(form_key=f"meanwhile-{no}"))
                    taken.append(time.monotonic() - started)
                    no += 1
                    time.sleep(0.05)
            except Exception as error:
                trouble.append(error)
            finally:
                db.session.remove()

    thread_may_go = [True]
    thread = threading.Thread(target=register)
    thread.start()
    run(app, *files)
    thread_may_go.clear()
    thread.join()
    assert trouble == []
    assert len(taken) > 10
    assert sorted(taken)[int(len(taken) * 0.95)] < 1.0, sorted(taken)[-5:]
    with db.engine.connect() as connection:
        assert integrity.verify(connection, app.extensions["cms_vault"]) == []


# ---------------------------------------------------------------- texts in old fonts


@pytest.mark.parametrize(
    ("text", "is_old"),
    [
        ("izkFkhZ dh tehu ij dCtk fd;k x;k gS vkSj iqfyl us dksbZ dk;Zokgh ugha dh", True),
        ("Jheku th esjk fuosnu gS fd esjs iM+kSlh us >xM+k fd;k", True),
        ("g]kfn ;/sf/ ;DalGwt u'gf;f] ]sf] 5", True),
        ("The officer used profanity; then [sic] left the scene of the accident", False),
        ("मेरी ज़मीन पर कब्ज़ा कर लिया गया है", False),
        ("see FIR no. 12/2020 & DD-14, PS City (Hisar) - 3 persons", False),
        ("gS", False),
    ],
)
def test_hindi_in_an_old_font_is_noticed(text: str, is_old: bool) -> None:
    assert is_old_font(text) == is_old



# ---------------------------------------------------------------- a register of another shape

SHAPED = """
name = "shaped"
number_prefix = "SHP-"
language = "HI"
dates = ["day-first", "%d-%m-%y"]
[files.register]
recognise = ["क्रम", "प्राप्ति"]
key = "क्रम"
delimiter = ";"
header = 4
repeats = "drop"
[units.complaint]
known = true
otherwise = "HSR"
[complaint]
file = "register"
received_on = "प्राप्ति"
disposed_on = "रिपोर्ट"
place = { columns = ["पिता", "ग्राम"], labels = ["पिता", "ग्राम"], join = ", " }
unit = "थाना"
mode = { constant = "POST" }
category = { constant = "MISC" }
"""
SHAPED_ROWS = "शिकायत पंजिका\n2025-26\n\nक्रम;प्राप्ति;रिपोर्ट;पिता;ग्राम;थाना\n"


def shaped(folder: Path, *rows: str, profile: str = SHAPED) -> tuple[str, Path]:
    """(profile, file) of a register in UTF-16 with ``;`` and its heads in the fourth line."""
    (folder / "shaped.toml").write_text(profile, encoding="utf-8")
    (folder / "shaped.csv").write_text(SHAPED_ROWS + "\n".join(rows) + "\n", encoding="utf-16")
    return str(folder / "shaped.toml"), folder / "shaped.csv"


def test_an_errors_file_comes_back_whatever_the_form_of_the_register(empty: Flask, tmp_path: Path) -> None:
    profile, path = shaped(tmp_path, "1/25;०१-०४-२५;;राम;;जिला हिसार", "2/25;31.02.2025;;;खेड़ी;", "3/25;31.04.2025;;;;")
    folder, left = tmp_path / "errors", tmp_path / "left"
    assert "left out" in run(empty, path, "--errors", folder, profile=profile).output
    assert one("SELECT received_on, place FROM complaint WHERE number = 'SHP-1/25'")[1] == "पिता: राम"
    mended = folder / "register.csv"
    mended.write_text(mended.read_text(encoding="utf-8-sig").replace("31.02.2025", "28.02.2025"), encoding="utf-8")
    result = run(empty, mended, "--mended", "--errors", left, profile=profile)
    assert result.exit_code == 0, result.output
    assert str(one("SELECT received_on FROM complaint WHERE number = 'SHP-2/25'")[0]) == "2025-02-28"
    with (left / "register.csv").open(encoding="utf-8-sig", newline="") as file:
        head, row = csv.reader(file)
    assert head == ["cms_line", "cms_column", "cms_reason", "क्रम", "प्राप्ति", "रिपोर्ट", "पिता", "ग्राम", "थाना"]
    assert row[3:5] == ["3/25", "31.04.2025"], "what is still wrong can be mended once more"
    again = (left / "register.csv").read_text(encoding="utf-8-sig").replace("31.04.2025", "30.04.2025")
    (left / "register.csv").write_text(again, encoding="utf-8")
    run(empty, left / "register.csv", "--mended", profile=profile)
    assert one("SELECT count(*) FROM complaint WHERE origin = 'shaped'") == (3,)


SAVED = {
    "semicolon": (";", "utf-8"), "semicolon with a mark": (";", "utf-8-sig"), "tab": ("\t", "utf-8"),
    "tab in UTF-16": ("\t", "utf-16"), "comma in UTF-16": (",", "utf-16"), "bar": ("|", "utf-8-sig"),
    "workbook": ("", ""),
}  # fmt: skip


@pytest.mark.parametrize("shape", ["shaped", "plain"])
@pytest.mark.parametrize("saved", SAVED)
def test_an_errors_file_that_a_spreadsheet_saved_again_comes_back(
    app: Flask, tmp_path: Path, saved: str, shape: str
) -> None:
    delimiter, encoding = SAVED[saved]
    if shape == "shaped":
        profile, path = shaped(tmp_path, "2/25;31.02.2025;;;खेड़ी;")
        given, wrong, right = [path], "31.02.2025", "28.02.2025"
        said, kinds = "SELECT received_on FROM complaint WHERE number = 'SHP-2/25'", ["register"]
    else:
        profile, wrong, right = "chicago_2023", "n/k", "2025-02-28"
        given = [altered(FILES[0], tmp_path / "bad", setting("9000001", complaint_date="n/k")), *FILES[1:]]
        said, kinds = "SELECT received_on FROM complaint WHERE number = 'CHI-9000001'", list(NAMES)
    folder = tmp_path / "errors"
    run(app, *given, "--errors", folder, profile=profile)
    assert one(said) is None
    for kind in kinds:
        path = folder / f"{kind}.csv"
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = [[right if cell == wrong else cell for cell in row] for row in csv.reader(file)]
        if saved == "workbook":
            path.write_bytes(xlsx(rows))
            continue
        with path.open("w", encoding=encoding, newline="") as file:
            csv.writer(file, delimiter=delimiter, quoting=csv.QUOTE_ALL if delimiter == ";" else csv.QUOTE_MINIMAL).writerows(rows)
    output = run(app, *(folder / f"{kind}.csv" for kind in kinds), "--mended", profile=profile).output
    assert str(one(said)[0]) == "2025-02-28", output


def test_an_unknown_code_names_those_that_are_known(app: Flask, tmp_path: Path) -> None:
    profile, path = shaped(tmp_path, "1/25;01.04.2025;;;;", profile=SHAPED.replace("MISC", "ASSAULT"))
    result = run(app, path, profile=profile)
    assert result.exit_code == 2
    assert "the category “ASSAULT”, which does not exist; known are CHILDREN, CORRUPTION, CYBER_FIN," in result.output


def test_an_errors_file_says_the_reason_of_the_row_itself(app: Flask, tmp_path: Path) -> None:
    rows = ("1/25;31.04.2025;;;;", "2/25;02.05.2091;;;;", "2/25;31.05.2025;;;;", "3/25;02.05.2025;;;;")
    profile, path = shaped(tmp_path, *rows)
    run(app, path, "--errors", tmp_path / "errors", profile=profile)
    with (tmp_path / "errors" / "register.csv").open(encoding="utf-8-sig", newline="") as file:
        found = [(row["क्रम"], row["cms_column"], row["cms_reason"]) for row in csv.DictReader(file)]
    assert [(key, column) for key, column, _said in found] == [("1/25", "प्राप्ति"), ("2/25", "प्राप्ति"), ("2/25", "क्रम")]
    for (_key, _column, said), own in zip(found, ("Not a date", "or a day after today", "already describes"), strict=True):
        assert own in said
        assert "Nothing is wrong" not in said
    assert ["for another row" in said for _key, _column, said in found] == [False, False, True]


def test_nothing_is_offered_to_be_taken_back_where_nothing_was_brought(app: Flask, tmp_path: Path) -> None:
    profile, path = shaped(tmp_path, "1/25;31.04.2025;;;;")
    output = run(app, path, profile=profile).output  # the units of the project come with the first run
    assert "import undo" not in output
    output = run(app, path, profile=profile).output
    assert "Nothing was changed.\n" in output
    assert "This was import" not in output
    profile, path = shaped(tmp_path, "1/25;30.04.2025;;;;")
    assert "cms import undo 3 takes it back" in run(app, path, profile=profile).output
    assert "This was import" not in run(app, path, profile=profile).output
    profile, path = shaped(tmp_path, "1/25;30.04.2025;02.05.2025;;;")
    output = run(app, path, profile=profile).output
    assert "This was import 5.\n" in output, "undo takes back complaints that an import brought, not changes"


# ---------------------------------------------------------------- what the page says

PAGE = (Path(__file__).parents[1] / "docs" / "import.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("word", "fixture"),
    [("mode", "modes"), ("source", "sources"), ("category", "categories"), ("disposition", "dispositions"), ("rank", "ranks")],
)
def test_the_page_lists_our_codes(word: str, fixture: str) -> None:
    table = PAGE.split(f"| `{word}` | means |\n|---|---|\n")[1].split("\n\n")[0]
    assert table.splitlines() == [f"| `{r['code']}` | {r['name_en']} |" for r in reference.fixture(fixture)]


def test_the_page_is_right_about_known_stations_and_labels(app: Flask, tmp_path: Path) -> None:
    known = PAGE.split("```toml\n")[2].split("```")[0]
    units = '[units.complaint]\nknown = true\notherwise = "HSR"\n'
    assert units in SHAPED
    text = SHAPED.replace(units, "") + known
    rows = ("1/25;१४-०४-२५;01.05.2025;राम;;City circle", "2/25;14/04/2025;;;खेड़ी;", "3/25;14.04.2024;x;;;जिला हांसी")
    profile, path = shaped(tmp_path, *rows, profile=text.replace("dates =", "first_year = 2025\ndates ="))
    output = run(app, profile, path, profile="run").output
    assert "first_year" in output
    query = "SELECT c.number, c.status, c.place, u.code FROM complaint c JOIN unit u ON u.id = c.unit_id ORDER BY 1"
    with db.engine.connect() as connection:
        assert [tuple(r) for r in connection.exec_driver_sql(query)] == [
            ("SHP-1/25", "CLOSED", "पिता: राम", "HSR-SD1"), ("SHP-2/25", "UNDER_ENQUIRY", "ग्राम: खेड़ी", "HSR"),
        ]  # fmt: skip


def test_an_unknown_language_is_refused(app: Flask, tmp_path: Path) -> None:
    profile, path = shaped(tmp_path, "1/25;01.04.2025;;;;", profile=SHAPED.replace('"HI"', '"PA"'))
    assert "unknown language 'PA'; known are" in run(app, path, profile=profile).output
