"""The fast grid: its order against brute force, its scope, its statements, its weight, its words."""

from __future__ import annotations

import html
import itertools
import random
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
import world
from flask import Flask
from sqlalchemy import event, select, text

from cms import database
from cms.admin_views import asking, counting, export, memory
from cms.admin_views.filters import forget
from cms.authz import Book, visible
from cms.i18n import ist_day
from cms.models import Category, Complaint, Officer, Policy, Unit, db
from cms.rules import SYSTEM
from cms.services import documents
from cms.services.complaints import AccusedNamed
from cms.tables.orders import SHORT_CLOCK
from cms.unit_of_work import unit_of_work, utcnow

SignIn = Callable[[str], Any]
ROW = re.compile(r'details/\?id=\d+">([^<]+)</a>')
GRID = "/admin/complaint/"


def numbers(page: str) -> list[str]:
    """Complaint numbers of a page, in order."""
    return ROW.findall(page)


def link(page: str, key: str) -> str | None:
    """Address of a pager link."""
    found = re.search(rf'id="p-{key}" href="([^"]+)"', page)
    return html.unescape(found[1]) if found else None


@contextmanager
def statements(app: Flask) -> Iterator[list[str]]:
    """Every statement that either engine or a kept one's driver runs meanwhile."""
    said: list[str] = []
    run = database.Ready.run

    def noted(ready: database.Ready, *args: Any) -> Any:
        said.append(ready.text)
        return run(ready, *args)

    def note(_conn: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        said.append(statement)

    engines = (app.extensions["cms_reads"], db.engine)
    for engine in engines:
        event.listen(engine, "before_cursor_execute", note)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(database.Ready, "run", noted)
        yield said
    for engine in engines:
        event.remove(engine, "before_cursor_execute", note)


def a_dozen() -> None:
    """A dozen complaints of two districts, two of them received on the same day, some late."""
    for i in range(12):
        now = utcnow() - timedelta(days=(i * 5) % 30, minutes=i % 2)
        unit, by = (("HSR-PS01", "branch.hsr"), ("HSR-PS02", "branch.hsr"), ("SRS-PS01", "branch.srs"))[i % 3]
        world.registered(by=by, now=now, unit_id=world.unit(unit).id, phone=f"99999 000{i:02}")


@pytest.fixture
def cases(prepared: Callable[..., None]) -> list[Complaint]:
    """The dozen, as they were received."""
    prepared(a_dozen)
    return list(db.session.scalars(select(Complaint).order_by(Complaint.id)))


def brute(login: str, order: str, desc: bool, *conditions: Any) -> list[str]:
    """The list as plain SQL and Python see it."""
    query = visible(select(Complaint).where(*conditions), Complaint, world.as_viewer(login), Book.ORDINARY)
    rows = sorted(db.session.scalars(query), key=lambda c: (getattr(c, order), c.id), reverse=desc)
    return [c.number for c in rows]


@pytest.mark.parametrize("order", ["due_at", "registered_at", "number"])
@pytest.mark.parametrize("desc", [False, True])
def test_keyset_walks_the_list_both_ways(
    cases: list[Complaint], sign_in: SignIn, monkeypatch: pytest.MonkeyPatch, order: str, desc: bool
) -> None:
    monkeypatch.setattr(asking, "SIZES", (25, 3, 100))
    for login in ("adgp", "sp.hsr", "sho.hsr"):
        expected, browser = brute(login, order, desc), sign_in(login)
        start = f"{GRID}?clock=all&size=3&sort={order}&dir={'desc' if desc else 'asc'}"
        walked, url = [], start
        while url:
            page = browser.get(url).text
            walked += numbers(page)
            url = link(page, "next")
        assert walked == expected, login
        back, url = [], f"{start}&at=last"
        while url:
            page = browser.get(url).text
            back = numbers(page) + back
            url = link(page, "previous")
        assert back == expected, login


def test_jump_to_a_day_and_to_a_number(cases: list[Complaint], sign_in: SignIn) -> None:
    browser = sign_in("adgp")
    expected = brute("adgp", "number", False)
    page = browser.get(f"{GRID}?clock=all&sort=number&jump={expected[5].lower()}").text
    assert numbers(page) == expected[5:]
    day = (utcnow() - timedelta(days=15)).date()
    page = browser.get(f"{GRID}?clock=all&sort=registered_at&jump={day}").text
    assert 0 < len(numbers(page)) < 12
    assert browser.get(f"{GRID}?sort=registered_at&jump=nonsense").status_code == 200


def test_a_bare_address_is_what_is_open_the_most_pressing_first(cases: list[Complaint], sign_in: SignIn) -> None:
    page = sign_in("sp.hsr").get(GRID).text
    assert numbers(page) == brute("sp.hsr", "due_at", False, Complaint.is_open)
    assert "d overdue" in page
    assert 'class="chip late"' in page


def test_each_post_sees_its_own(cases: list[Complaint], sign_in: SignIn) -> None:
    for login in ("adgp", "sp.hsr", "sho.hsr", "sp.srs", "io.hsr", "audit", "feedback.hsr", "branch.s1"):
        page = sign_in(login).get(f"{GRID}?clock=all&size=100").text
        assert numbers(page) == brute(login, "due_at", False), login
        file = sign_in(login).get(f"{GRID}export/csv/?clock=all")
        if file.status_code == 200:
            lines = file.text.lstrip("\ufeff").splitlines()[1:]
            assert [line.split(",")[0] for line in lines] == brute(login, "due_at", False), login
    assert sign_in("admin").get(GRID).status_code == 403


def test_a_scope_of_two_ways_is_the_policy(cases: list[Complaint], sign_in: SignIn) -> None:
    case = world.assigned(to="io.hsr")
    case_id, io_id = case.id, world.officer("sho2.hsr").id
    with unit_of_work(SYSTEM, via="test") as work:
        work.session.get_one(Complaint, case_id).io_id = io_id
    page = sign_in("sho2.hsr").get(f"{GRID}?clock=all&size=100").text
    assert numbers(page) == brute("sho2.hsr", "due_at", False)
    assert world.db.session.get_one(Complaint, case_id).number in page


def test_the_clock_and_its_tabs(cases: list[Complaint], sign_in: SignIn) -> None:
    browser, now = sign_in("sp.hsr"), utcnow()
    late = brute("sp.hsr", "due_at", False, Complaint.overdue(now))
    assert numbers(browser.get(f"{GRID}?clock=overdue").text) == late
    counts = browser.get(f"{GRID}counts/?clock=overdue").text
    assert re.search(rf'Overdue <b class="n late">{len(late)}</b>', counts)
    assert f'id="total" hx-swap-oob="true">{len(late)}<' in counts
    assert "Restricted" not in counts


def test_filters_narrow(cases: list[Complaint], sign_in: SignIn) -> None:
    browser = sign_in("adgp")
    station, district = world.unit("HSR-PS02"), world.unit("SRS")
    assert numbers(browser.get(f"{GRID}?unit={station.id}").text) == brute(
        "adgp", "due_at", False, Complaint.unit_id == station.id)  # fmt: skip
    assert numbers(browser.get(f"{GRID}?district={district.id}").text) == brute(
        "adgp", "due_at", False, Complaint.district_id == district.id)  # fmt: skip
    assert numbers(browser.get(f"{GRID}?status=DISPOSED").text) == []
    day = (utcnow() - timedelta(days=12)).date()
    page = browser.get(f"{GRID}?registered_at_from={day}&registered_at_to={utcnow().date()}").text
    assert 0 < len(numbers(page)) < 12


def seven_weeks() -> None:
    """Complaints of the last seven weeks, whose clocks were of 1 to 40 days."""
    chance = random.Random(11)
    today = ist_day(utcnow())
    with unit_of_work(SYSTEM, via="test") as work:
        for fifth, days in enumerate((3, 3, 1, 40, 15, 14, 13, 16, 3, 15)):
            start = today - timedelta(days=fifth * 5)
            work.session.add(Policy(kind="OVERALL", amount=days, span="DAYS", valid_from=start,
                                    valid_to=start + timedelta(days=5)))  # fmt: skip
    for i in range(48):
        by, unit = chance.choice((("branch.hsr", "HSR-PS01"), ("branch.hsr", "HSR-PS02"), ("branch.srs", "SRS-PS01")))
        now = utcnow() - timedelta(days=chance.randrange(48), seconds=chance.choice((0, 0, 7)))
        case = world.registered(by=by, now=now, unit_id=world.unit(unit).id, phone=f"99999 002{i:02}")
        case_id, officer = case.id, world.officer(chance.choice(("io.hsr", "sho.hsr"))).id
        if chance.random() < 0.6:
            with unit_of_work(SYSTEM, via="test") as work:
                work.session.get_one(Complaint, case_id).io_id = officer


@pytest.fixture
def many_clocks(prepared: Callable[..., None]) -> None:
    prepared(seven_weeks)


@pytest.mark.parametrize("order", ["due_at", "registered_at", "number"])
def test_the_overdue_are_the_plain_query_whatever_their_clocks(
    many_clocks: None, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch, order: str
) -> None:
    monkeypatch.setattr(asking, "SIZES", (25, 7, 100))
    short = [c for c in db.session.scalars(select(Complaint)) if c.due_at < c.registered_at + SHORT_CLOCK]
    assert any(c.overdue(utcnow()) and c.registered_at > utcnow() - SHORT_CLOCK for c in short)
    for login, desc in itertools.product(("adgp", "sp.hsr", "sho.hsr", "io.hsr", "sp.srs", "audit"), (False, True)):
        expected, browser = brute(login, order, desc, Complaint.overdue(utcnow())), sign_in(login)
        start = f"{GRID}?clock=overdue&size=7&sort={order}&dir={'desc' if desc else 'asc'}"
        for first, way in ((start, "next"), (f"{start}&at=last", "previous")):
            walked, url = [], first
            while url:
                page = browser.get(url).text
                walked = walked + numbers(page) if way == "next" else numbers(page) + walked
                url = link(page, way)
            assert walked == expected, (login, desc, way)


def test_the_overdue_newest_first_begin_beyond_those_not_due_yet(app: Flask, sign_in: SignIn) -> None:
    if db.engine.dialect.name != "postgresql":
        pytest.skip("SQLite walks one range")
    index = db.session.scalar(text("SELECT indexdef FROM pg_indexes WHERE indexname = 'short_clock'"))
    for login, apart in (("adgp", True), ("sp.hsr", True), ("sho.hsr", False), ("io.hsr", False)):
        browser = sign_in(login)
        for place, asked in (("dir=desc", apart), ("at=last", apart), ("dir=asc", False)):
            with statements(app) as said:
                browser.get(f"{GRID}?clock=overdue&sort=registered_at&{place}")
            assert (f"interval '{SHORT_CLOCK.days} days'" in said[-1]) is asked, (login, place)
    assert f"'{SHORT_CLOCK.days} days'::interval" in index


@pytest.mark.parametrize("order", ["due_at", "registered_at", "number"])
def test_a_filter_by_unit_narrows_the_scope_in_every_order(
    cases: list[Complaint], sign_in: SignIn, order: str
) -> None:
    units = [world.unit(code) for code in ("HSR", "SRS", "HSR-PS01", "HSR-PS02", "SRS-PS01")]
    for login in ("adgp", "sp.hsr", "sho.hsr", "sp.srs", "io.hsr"):
        browser = sign_in(login)
        for unit in units:
            key = "district" if unit.code in ("HSR", "SRS") else "unit"
            below = Complaint.unit_id.in_(select(Unit.id).where(Unit.path.startswith(unit.path)))
            page = browser.get(f"{GRID}?clock=all&{key}={unit.id}&sort={order}&dir=desc&size=100").text
            if f"{key}={unit.id}" in page:
                assert numbers(page) == brute(login, order, True, below), (login, unit.code)


@pytest.mark.parametrize("query", [
    "clock=never", "status=Nonsense", "district=x", "district=999999", "io=77777", "io=No+Body", "category=9e9",
    "registered_at_from=yesterday", "satisfied=perhaps", "sort=password_hash", "after=9%7E9%7E",
    "before=abc", "at=middle", "size=7", "size=x", "book=secret", "dir=sideways", "q=%25%25%25", "q=a",
    "after=99999999999999999999999%7E1", "page=3", "flt0_0=1", "jump=%F0%9F%98%80",
])  # fmt: skip
def test_nonsense_in_the_address_is_never_a_fault(cases: list[Complaint], sign_in: SignIn, query: str) -> None:
    answer = sign_in("sp.hsr").get(f"{GRID}?{query}")
    assert answer.status_code == 200
    key = query.split("=")[0]
    if key in ("clock", "status", "district", "io", "category", "registered_at_from", "satisfied"):
        assert "it was left out" in answer.text


def test_blank_values_are_dropped(cases: list[Complaint], sign_in: SignIn) -> None:
    page = sign_in("sp.hsr").get(f"{GRID}?clock=overdue&district=&status=&q=&io=").text
    assert "status=&" not in page
    assert "left out" not in page
    assert page.count('class="chip" href') == 1


def test_statements_and_weight(app: Flask, sign_in: SignIn) -> None:
    for i in range(27):
        world.registered(now=utcnow() - timedelta(days=i), phone=f"99999 001{i:02}")
    browser = sign_in("sp.hsr")
    for path in (GRID, f"{GRID}?clock=overdue&status=MARKED&sort=number", f"{GRID}counts/"):
        browser.get(path)
        with statements(app) as said:
            browser.get(path)
        assert len(said) == 2, (path, said)
    page = browser.get(f"{GRID}?clock=all")
    assert len(numbers(page.text)) == 25
    assert len(page.data) <= 40 * 1024
    forget()
    with statements(app) as said:
        browser.get(GRID)
    assert len(said) == 3, "sign-in, rows, and once a minute every choice together"


def test_a_hindi_page_with_every_officer_to_choose_from_is_light(app: Flask, sign_in: SignIn) -> None:
    known = world.officer("io.hsr")
    with unit_of_work(SYSTEM, via="test") as work:
        work.session.add_all(
            Officer(name_en=f"Dharampal {i}", name_hi="धर्मपाल सिंह कस्वां", rank_id=known.rank_id, unit_id=known.unit_id)
            for i in range(50)
        )
    for i in range(26):
        world.registered(now=utcnow() - timedelta(days=i), phone=f"99999 004{i:02}", subject="प्लाट पर नाजायज कब्जे की शिकायत")
    browser = sign_in("sho.hsr")
    browser.client.set_cookie("cms_lang", "hi")
    page = browser.get(f"{GRID}?clock=open&sort=number&size=25")
    assert page.text.count("धर्मपाल सिंह कस्वां") == 50
    assert len(numbers(page.text)) == 25
    assert len(page.data) <= 40_000


def test_numbers_of_a_district_are_found_unit_by_unit(app: Flask, cases: list[Complaint], sign_in: SignIn) -> None:
    if db.engine.dialect.name != "postgresql":
        pytest.skip("SQLite knows no LATERAL")
    for login, walked in (("sp.hsr", True), ("adgp", False), ("sho.hsr", True)):
        browser = sign_in(login)
        with statements(app) as said:
            browser.get(f"{GRID}?clock=all&sort=number")
        assert ("LATERAL" in said[-1]) is walked, login


def test_a_row_of_a_short_list_added_elsewhere_is_named_at_once(
    app: Flask, cases: list[Complaint], sign_in: SignIn
) -> None:
    browser = sign_in("sp.hsr")
    browser.get(GRID)
    case_id = cases[0].id
    with unit_of_work(SYSTEM, via="another worker") as work:
        category = Category(code="STRAY", name_en="Stray <cattle>", name_hi="आवारा पशु")
        work.session.add(category)
        work.session.flush()
        work.session.get_one(Complaint, case_id).category_id = category.id
    assert "Stray &lt;cattle&gt;" in browser.get(GRID).text


def test_htmx_gets_the_part_that_changes(cases: list[Complaint], sign_in: SignIn) -> None:
    answer = sign_in("sp.hsr").get(f"{GRID}?clock=overdue&status=", headers={"HX-Request": "true", "HX-Target": "grid"})
    assert "<html" not in answer.text
    assert 'id="grid"' in answer.text
    assert 'id="tabs"' in answer.text
    assert 'hx-swap-oob="true"' in answer.text
    assert answer.headers["HX-Push-Url"] == f"{GRID}?clock=overdue"
    assert "HX-Request" in answer.headers["Vary"]


def test_search_by_number_phone_and_name(cases: list[Complaint], sign_in: SignIn) -> None:
    browser, first = sign_in("adgp"), cases[0]
    found = {q: numbers(browser.get(GRID, query_string={"q": q}).text) for q in (
        first.number, first.number.lower()[:12], "99999 00003", "+91 9999900003", "09999900003", "रामफल", "ramfal", "श",
    )}  # fmt: skip
    assert found[first.number] == [first.number]
    assert first.number in found[first.number.lower()[:12]]
    assert found["99999 00003"] == found["+91 9999900003"] == found["09999900003"] == [cases[3].number]
    assert len(found["रामफल"]) == 12
    assert found["ramfal"] == []
    assert "three letters" in browser.get(GRID, query_string={"q": "श"}).text
    assert numbers(sign_in("sp.srs").get(GRID, query_string={"q": "99999 00000"}).text) == []


def test_search_knows_the_second_telephone(cases: list[Complaint], sign_in: SignIn) -> None:
    with unit_of_work(SYSTEM) as work:
        party = documents.complainant(work.session.get_one(Complaint, cases[2].id))
        assert party is not None
        party.phone_2 = "+919876500000"
    browser = sign_in("adgp")
    for q in ("98765 00000", "+919876500000", "98765", "99999 00002"):
        assert numbers(browser.get(GRID, query_string={"q": q}).text) == [cases[2].number], q
    assert numbers(sign_in("sp.hsr").get(GRID, query_string={"q": "98765 00000"}).text) == []
    assert cases[2].number in sign_in("branch.srs").post("/admin/complaint/same-phone/", {"phone": "98765 00000"}).text


def test_restricted_complaints_have_a_list_and_a_count_of_their_own(cases: list[Complaint], sign_in: SignIn) -> None:
    accused = AccusedNamed(officer_id=world.officer("io.hsr").id)
    case = world.registered(accused=(accused,))
    number = case.number
    entitled, barred = sign_in("sp.hsr"), sign_in("sho.hsr")
    assert number not in entitled.get(f"{GRID}?clock=all").text
    assert "Restricted" in entitled.get(f"{GRID}counts/").text
    assert "Restricted" in entitled.get(f"{GRID}?counts=1").text
    assert numbers(entitled.get(f"{GRID}?book=restricted").text) == [number]
    for path in (GRID, f"{GRID}?book=restricted", f"{GRID}?q={number}", f"{GRID}?clock=all"):
        assert number not in numbers(barred.get(path).text), path
    assert number not in barred.get(f"{GRID}export/csv/?book=restricted").text
    assert "Restricted" not in barred.get(f"{GRID}counts/").text


def test_counts_stop_at_the_cap(cases: list[Complaint], sign_in: SignIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "CAP", 3)
    assert ">3+</b>" in sign_in("adgp").get(f"{GRID}counts/").text


def test_the_file_is_safe_capped_and_logged(
    cases: list[Complaint], sign_in: SignIn, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    world.registered(subject="=HYPERLINK(1)", name="  @SUM(A1)")
    browser = sign_in("sp.hsr")
    caplog.set_level("INFO")
    file = browser.get(f"{GRID}export/csv/?clock=all&sort=number").text
    assert "'=HYPERLINK(1)" in file
    assert "'@SUM(A1)" in file
    assert "export: user" in caplog.text
    assert sign_in("io.hsr").get(f"{GRID}export/csv/").status_code == 403
    monkeypatch.setattr(export, "CAP", 4)
    monkeypatch.setattr(export, "CHUNK", 3)
    lines = sign_in("sp.hsr").get(f"{GRID}export/csv/?clock=all&sort=number").text.lstrip("\ufeff").splitlines()
    assert len(lines) == 6
    assert "Only the first 4 rows" in lines[-1]
    assert [line.split(",")[0] for line in lines[1:5]] == brute("sp.hsr", "number", False)[:4]


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@x", "\tx", "\rx", "  =1", " \t-2"])
def test_no_cell_is_a_formula(text: str) -> None:
    assert export.safe(text).startswith("'")
    assert export.safe_column(["a", text, "b-1"]) == ["a", f"'{text}", "b-1"]
    assert export.safe("a=b") == "a=b"


def test_a_look_up_finds_by_words_by_reference_and_without_script(app: Flask, sign_in: SignIn) -> None:
    with unit_of_work(SYSTEM, via="test") as work:
        rank = world.officer("io.hsr").rank_id
        unit = world.unit("HSR-PS01").id
        work.session.add_all(
            Officer(name_en=f"Extra {i:03}", name_hi="x", rank_id=rank, unit_id=unit) for i in range(65)
        )
    case = world.assigned(to="io.hsr")
    number, io = case.number, world.officer("io.hsr")
    browser, name = sign_in("sp.hsr"), f"{io} #{io.id}"
    page = browser.get(GRID).text
    assert 'name="io"' in page
    assert "<datalist" in page
    for said in (str(io.id), name, "Ramesh Yadav"):
        found = browser.get(GRID, query_string={"io": said})
        assert numbers(found.text) == [number], said
    many = browser.get(GRID, query_string={"io": "Extra"}).text
    assert "Choose from a list" in many
    choices = browser.get(f"{GRID}choices/io/?q=Ramesh").text
    assert f"?io={io.id}" in choices
    options = browser.get(f"{GRID}choices/io/?io=Rame", headers={"HX-Request": "true"}).text
    assert name in options
    assert "<html" not in options
    assert "Manoj Sheoran" not in browser.get(f"{GRID}choices/io/?q=Manoj").text
    assert browser.get(f"{GRID}choices/password/?q=x").status_code == 404


def test_a_kept_page_has_nothing_of_another_request(cases: list[Complaint], sign_in: SignIn) -> None:
    first, second = sign_in("sp.hsr"), sign_in("sp.hsr")
    pages = [browser.get(f"{GRID}?clock=all").text for browser in (first, second, first)]
    tokens = [set(re.findall(r'name="csrf_token" value="([^"]+)"', page)) for page in pages]
    assert [len(found) for found in tokens] == [1, 1, 1]
    assert tokens[0] == tokens[2] != tokens[1]
    assert not any("\0" in page for page in pages)
    assert "next=/admin/complaint/?clock=all%26at=last" in first.get(f"{GRID}?clock=all&at=last").text


def test_the_oldest_of_what_is_remembered_goes_first(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "MOST_KEPT", 8)
    forget()
    for i in range(9):
        memory.keep(i, i)
    assert [i for i in range(9) if memory.fresh(i)] == [2, 3, 4, 5, 6, 7, 8]
    forget()


def test_hindi(cases: list[Complaint], sign_in: SignIn) -> None:
    browser = sign_in("sp.hsr")
    browser.client.set_cookie("cms_lang", "hi")
    page = browser.get(GRID).text
    assert 'lang="hi"' in page
    assert "थाना हिसार शहर" in page
    hindi = numbers(page)
    browser.client.set_cookie("cms_lang", "en")
    assert hindi == numbers(browser.get(GRID).text)
    assert "PS Hisar City" in browser.get(GRID).text


def test_other_registers(sign_in: SignIn) -> None:
    browser = sign_in("sp.hsr")
    officers = browser.get("/admin/officer/").text
    assert "Ramesh Yadav" in officers
    assert "Manoj Sheoran" not in officers
    assert "Ramesh" in browser.get("/admin/officer/?q=rame").text
    assert "PS Sirsa City" in browser.get("/admin/unit/").text, "the tree of units is open to all staff"
    for name in ("rank", "mode", "source", "category", "disposition"):
        assert browser.get(f"/admin/{name}/").status_code == 200
    srs = db.session.scalars(select(Officer.id).where(Officer.name_en == "Manoj Sheoran")).one()
    assert browser.get(f"/admin/officer/details/?id={srs}").status_code == 404
    assert browser.get("/admin/officer/details/?id=999999").status_code == 404


def test_no_address_of_a_grid_leads_away(sign_in: SignIn) -> None:
    page = sign_in("sp.hsr").get("/admin/unit/?q=hisar&sort=code").text
    for href in re.findall(r'href="([^"]+)"', page):
        assert not urlsplit(html.unescape(href)).netloc
    assert db.session.scalar(select(Unit.id).limit(1)) is not None


def test_the_feedback_cell_starts_with_what_is_disposed(sign_in: SignIn) -> None:
    number = world.disposed().number
    world.registered()
    browser = sign_in("feedback.hsr")
    page = browser.get(GRID).text
    assert numbers(page) == [number]
    assert "Not yet assigned" not in page
    assert "Overdue" not in browser.get(f"{GRID}counts/").text
    for asked in ("clock=overdue", "clock=open&sort=number", "status=MARKED"):
        assert numbers(browser.get(f"{GRID}?{asked}").text) == []
        assert 'id="total" hx-swap-oob="true">0<' in browser.get(f"{GRID}counts/?{asked}").text
