"""What a stranger, a bored officer or a broken script sends: never a 500, nothing half-written."""

import csv
import io
import random

import pytest
import world
from sqlalchemy import func, select

from cms.models import Complaint, Party, db

JUNK = ["\x00", "%00", "99999999999999999999", "-1", "1,2", "'", "\"><script>alert(1)</script>", "../../etc/passwd", "{{7*7}}",
        "०१२", "\u202e", "a" * 5000, "NaN", "null", "[]", "2026-13-45", "=1+1", "\ud7ff", "%", "_", "\\"]  # fmt: skip
KEYS = ("id", "q", "clock", "district", "unit", "status", "category", "io", "registered_at_from", "registered_at_to", "sort",
        "dir", "size", "after", "before", "jump", "at", "book", "page", "url", "flt0_0")  # fmt: skip
XSS = '<img src=x onerror=alert(1)>"\'><svg onload=alert(2)>{{7*7}}'


def quiet(answer, where):
    assert answer.status_code < 500, (where, answer.get_data(as_text=True)[-2000:])


def test_no_parameter_of_any_list_is_a_500(app, sign_in):
    world.registered()
    chance = random.Random(7)
    browser = sign_in("sp.hsr")
    for key in KEYS:
        for junk in JUNK:
            for path in ("/admin/complaint/", "/admin/officer/"):
                quiet(browser.get(path, query_string={key: junk}), (path, key, junk))
    for _ in range(60):
        said = {chance.choice(KEYS): chance.choice(JUNK) for _ in range(4)}
        quiet(browser.get("/admin/complaint/", query_string=said), said)
        quiet(browser.get("/admin/complaint/export/csv/", query_string=said), said)


def test_no_address_is_a_500(app, sign_in):
    browser, stranger = sign_in("sho.hsr"), app.test_client()
    for junk in JUNK:
        for path in (f"/admin/complaint/details/?id={junk}", f"/admin/complaint/edit/?id={junk}", f"/admin/complaint/{junk}/act/",
                     f"/admin/officer/details/?id={junk}", f"/admin/complaint/choices/io/?q={junk}",
                     f"/admin/complaint/lookup/unit/?q={junk}"):  # fmt: skip
            quiet(browser.get(path), path)
        for path in (f"/verify/{junk}", f"/verify?code={junk}", f"/track?number={junk}", f"/welcome/{junk}", f"/language/{junk}",
                     f"/login?next={junk}"):  # fmt: skip
            quiet(stranger.get(path), path)


def posted(**changes):
    said = {
        "form_key": "attack", "name": "राम", "phone": "9999900009", "text": "कुछ हुआ", "subject": "कुछ",
        "category_id": world.master(world.Category, "LAND").id, "mode_id": world.master(world.Mode, "HAND").id,
        "source_id": world.master(world.Source, "CITIZEN").id, "unit": "HSR-PS01", "priority": "ROUTINE",
        "sure": "1",
    }  # fmt: skip
    return said | changes


@pytest.mark.parametrize("field", ["name", "phone", "text", "subject", "category_id", "mode_id", "source_id", "unit", "priority",
                                   "language", "received_on", "incident_on", "email", "address", "place", "opposite", "form_key"])  # fmt: skip
def test_no_field_of_the_register_is_a_500(app, sign_in, field):
    browser = sign_in("branch.hsr")
    for number, junk in enumerate([*JUNK, "x" * 100_000, ""]):
        answer = browser.post("/admin/complaint/new/", posted(**{"form_key": f"attack-{number}", field: junk}))
        quiet(answer, (field, junk[:40]))
        assert answer.status_code in ((400,) if "\x00" in junk else (303, 422)), (field, junk[:40], answer.status_code)
    whole = select(func.count()).select_from(Complaint)
    parts = select(func.count(func.distinct(Party.complaint_id)))
    assert db.session.scalar(whole) == db.session.scalar(parts)


def test_markup_is_text_everywhere(app, sign_in):
    desk = sign_in("branch.hsr")
    answer = desk.post("/admin/complaint/new/", posted(name=XSS, text=XSS, subject=XSS, address=XSS, place=XSS, opposite=XSS))
    assert answer.status_code == 303
    case = db.session.scalars(select(Complaint)).one()
    reader = sign_in("sho.hsr")
    pages = ["/admin/", "/admin/complaint/", f"/admin/complaint/details/?id={case.id}", f"/admin/complaint/{case.id}/handover/",
             f"/admin/complaint/{case.id}/assign/", f"/admin/complaint/edit/?id={case.id}", "/admin/complaint/?q=img",
             "/admin/complaint/unsettled/"]  # fmt: skip
    for path in pages:
        body = reader.get(path).get_data(as_text=True)
        assert "<img src=x" not in body, path
        assert "<svg onload" not in body, path


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t=", "\r=", " =", "'=", "＝", "|"])
def test_no_cell_of_the_file_is_a_formula(app, sign_in, start):
    said = f"{start}cmd|' /C calc'!A0"
    world.registered(name=said, subject=said)
    answer = sign_in("sp.hsr").get("/admin/complaint/export/csv/")
    rows = list(csv.reader(io.StringIO(answer.get_data(as_text=True).lstrip("\ufeff"))))
    assert len(rows) == 2
    for cell in rows[1]:
        assert not cell.strip().startswith(("=", "+", "@", "＝")), cell
        assert not (cell.strip().startswith("-") and "cmd" in cell), cell


def test_guessing_a_receipt_code_gets_nowhere(app, client):
    case = world.registered()
    page = client.get("/track").get_data(as_text=True)
    token = page.split('name="csrf_token" value="')[1].split('"')[0]
    codes = []
    for number in range(25):
        answer = client.post("/track", data={"number": case.number, "code": f"{number:012d}", "csrf_token": token})
        codes.append(answer.status_code)
        assert "रामफल" not in answer.get_data(as_text=True)
    assert 429 in codes
