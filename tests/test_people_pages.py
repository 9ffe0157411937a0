"""Screens of postings, orders, changes, accounts and the complained-against: who may, what they say, both languages."""

import re
from datetime import timedelta

import pytest
import world
from sqlalchemy import select
from test_matrix import LOGINS, fingerprint
from test_people import account, held, line, order, propose

from cms.i18n import ist_day
from cms.models import Accused, Charge, Complaint, Posting, Proposal, User, db
from cms.rules import Post
from cms.services.orders import LineKind
from cms.unit_of_work import utcnow

READ = {"adgp", "audit", "sp.hsr", "branch.hsr", "dsp.hsr", "sho.hsr", "branch.s1", "sho2.hsr", "sp.srs", "branch.srs",
        "sho.srs", "admin"}  # fmt: skip
PROPOSE = {"branch.hsr", "branch.s1", "branch.srs", "admin"}
DECIDE = PROPOSE | {"adgp", "sp.hsr", "dsp.hsr", "sp.srs"}


@pytest.mark.parametrize(
    ("path", "may"),
    [("/admin/people/", READ), ("/admin/people/order/", PROPOSE), ("/admin/people/changes/", DECIDE),
     ("/admin/people/account/", {"admin"}), ("/admin/permissions/", set(LOGINS))],
)  # fmt: skip
def test_who_may_open_a_page(app, sign_in, path, may):
    for login in LOGINS:
        assert sign_in(login).get(path).status_code == (200 if login in may else 403), login
    assert app.test_client().get(path).status_code == 302


def slots(**said: str) -> dict[str, str]:
    return {"number": "45/2026", "day": ist_day(utcnow()).isoformat(), **said}


def moved(to: str = "HSR-PS02") -> dict[str, str]:
    return slots(officer1="ASI Ramesh Yadav · B-io.hsr", unit1=to, post1="IO", successor1="B-io2.hsr")


def test_an_order_by_form_and_its_confirmation(app, sign_in):
    case = world.enquired()
    before = fingerprint()
    for login in sorted(set(LOGINS) - PROPOSE):
        assert sign_in(login).post("/admin/people/order/", moved()).status_code == 403, login
        assert fingerprint() == before
    answer = sign_in("branch.srs").post("/admin/people/order/", moved())
    assert (answer.status_code, fingerprint()) == (422, before)  # foreign officers are not even found
    answer = sign_in("branch.hsr").post("/admin/people/order/", moved())
    assert answer.status_code == 303, answer.get_data(as_text=True)[:3000]
    path = answer.headers["Location"]
    one = db.session.scalars(select(Proposal)).one()
    assert path == f"/admin/people/changes/{one.id}/"
    before = fingerprint()
    for login in sorted(set(LOGINS) - {"dsp.hsr", "sp.hsr", "adgp", "admin"}):
        browser = sign_in(login)
        assert browser.post(f"{path}confirm/", {"version": one.version}).status_code in (403, 404, 422), login
        assert browser.post(f"{path}refuse/", {"version": one.version, "reason": "x"}).status_code in (403, 404, 422), login
        assert fingerprint() == before, login
    page = sign_in("sp.hsr").get(path).get_data(as_text=True)
    for said in ("45/2026", "Ramesh Yadav", "PS Civil Lines Hisar", "Suresh Jangra", 'data-l="Open complaints">1</td>'):
        assert said in page, said
    assert sign_in("dsp.hsr").post(f"{path}confirm/", {"version": one.version}).status_code == 303
    assert held("io.hsr", ist_day(utcnow())) == {("HSR-PS02", "IO", "SUBSTANTIVE")}
    db.session.refresh(case)
    assert case.io_id == world.officer("io2.hsr").id
    note = f"/admin/people/handover/{one.id}/{world.officer('io.hsr').id}/"
    assert note in sign_in("sp.hsr").get(path).get_data(as_text=True)
    for login, code in (("sp.hsr", 200), ("io.hsr", 200), ("io2.hsr", 200), ("sp.srs", 404), ("sho.srs", 404), ("audit", 404)):
        answer = sign_in(login).get(note)
        assert answer.status_code == code, login
        if code == 200:
            assert case.number in answer.get_data(as_text=True)
        answer = sign_in(login).get(f"{note}letter/")
        assert answer.status_code == code, login
        if code == 200:
            letter = answer.get_data(as_text=True).replace("\u00a0", " ")
            for said in (case.number, "Suresh Jangra", "45/2026", "HARYANA POLICE", "प्रभार सौंपने का नोट"):
                assert said in letter, said
            assert "<script" not in letter
            assert "style=" not in letter
    assert sign_in("sp.hsr").get(f"/admin/people/handover/{one.id}/99999/").status_code == 404


def test_a_stale_change_is_told(app, sign_in):
    one = propose(line("io2.hsr", "HSR-PS02", Post.IO))
    answer = sign_in("sp.hsr").post(f"/admin/people/changes/{one.id}/confirm/", {"version": one.version + 1})
    assert answer.status_code == 409
    assert "changed this meanwhile" in answer.get_data(as_text=True)
    assert db.session.get(Proposal, one.id).decided_at is None


def test_refused_by_form(app, sign_in):
    one = propose(line("io2.hsr", "HSR-PS02", Post.IO))
    path, browser = f"/admin/people/changes/{one.id}/", sign_in("sp.hsr")
    assert browser.post(f"{path}refuse/", {"version": one.version, "reason": ""}).status_code == 422
    assert browser.post(f"{path}refuse/", {"version": one.version, "reason": "Not now."}).status_code == 303
    assert "Not now." in browser.get(path).get_data(as_text=True)
    assert "Not now." in sign_in("branch.hsr").get(path).get_data(as_text=True)


def test_withdrawn_by_form(app, sign_in):
    one = propose(line("io2.hsr", "HSR-PS02", Post.IO))
    path, browser = f"/admin/people/changes/{one.id}/", sign_in("branch.hsr")
    assert f"{path}withdraw/" in browser.get(path).text
    assert f"{path}withdraw/" not in sign_in("sp.hsr").get(path).text
    assert sign_in("sp.hsr").post(f"{path}withdraw/", {"version": one.version, "reason": "x"}).status_code == 422
    assert sign_in("sp.srs").post(f"{path}withdraw/", {"version": one.version, "reason": "x"}).status_code in (403, 404)
    assert browser.post(f"{path}withdraw/", {"version": one.version, "reason": ""}).status_code == 422
    assert browser.post(f"{path}withdraw/", {"version": one.version + 1, "reason": "x"}).status_code == 409
    assert browser.post(f"{path}withdraw/", {"version": one.version, "reason": "Wrong officer."}).status_code == 303
    page = sign_in("sp.hsr").get(path).text
    assert "Wrong officer." in page
    assert "Withdrawn" in page
    assert "Withdrawn" in sign_in("sp.hsr").get("/admin/people/changes/").text


def test_many_officers_pasted(app, sign_in):
    rows = "B-io.hsr\tHSR-PS02\tIO\tB-io2.hsr\nB-sho2.hsr\thsr-ps01\tsho\n\nB-sho.hsr\t-\t\n"
    answer = sign_in("branch.hsr").post("/admin/people/order/", slots(lines=rows))
    assert answer.status_code == 303, answer.get_data(as_text=True)[:3000]
    data = db.session.scalars(select(Proposal)).one().data["lines"]
    assert [(row["kind"], row["post"]) for row in data] == [("POSTED", "IO"), ("POSTED", "SHO"), ("RELIEVED", None)]
    assert data[0]["successor"] == world.officer("io2.hsr").id


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ("B-io.hsr\tHSR-PS02\tIO\nB-none\tHSR-PS02\tIO", "Line 2: No officer in your charge has the belt number “B-none”."),
        ("B-io.hsr\tXX\tIO", "Line 1: There is no unit with the code “XX”."),
        ("B-io.hsr;HSR-PS02;Chief", "Line 1: “Chief” is no post"),
        ("B-io.srs\tHSR-PS02\tIO", "Line 1: No officer in your charge"),
    ],
)
def test_a_pasted_line_that_is_wrong_is_named(app, sign_in, rows, sentence):
    before = fingerprint()
    answer = sign_in("branch.hsr").post("/admin/people/order/", slots(lines=rows))
    assert answer.status_code == 422
    body = answer.get_data(as_text=True)
    assert sentence in body
    assert rows.split("\t")[0].split(";")[0] in body  # what was typed is kept
    assert fingerprint() == before


def test_a_name_that_fits_several_is_offered(app, sign_in):
    answer = sign_in("branch.hsr").post("/admin/people/order/", slots(officer1="esh", unit1="HSR-PS02", post1="IO"))
    assert answer.status_code == 422
    keys = re.findall(r'name="officer1_pick" value="(officer:\d+)"', answer.get_data(as_text=True))
    assert len(keys) > 1
    wanted = f"officer:{world.officer('io2.hsr').id}"
    assert wanted in keys
    posted = slots(officer1="esh", unit1="HSR-PS02", post1="IO", officer1_pick=wanted)
    assert sign_in("branch.hsr").post("/admin/people/order/", posted).status_code == 303


def test_the_register_shows_holders_charges_and_vacancies(app, sign_in):
    order(line("sho2.hsr", "HSR-PS01", Post.SHO, LineKind.COVER, start=ist_day(utcnow()), end=ist_day(utcnow()) + timedelta(days=9)))
    page = sign_in("sp.hsr").get("/admin/people/").get_data(as_text=True)
    assert "Every post of command is filled." in page
    assert "Leave cover" in page
    assert "PS Sirsa City" not in page
    order(line("dsp.hsr", kind=LineKind.RELIEVED, start=ist_day(utcnow())))
    page = sign_in("sp.hsr").get("/admin/people/").get_data(as_text=True)
    assert "Answers meanwhile" in page
    assert page.count("vacant") >= 1
    page = sign_in("adgp").get("/admin/people/?district=SRS").get_data(as_text=True)
    assert "PS Sirsa City" in page
    assert "PS Hisar City" not in page


def test_accounts_by_form_and_the_address_shown_once(app, sign_in):
    user = db.session.scalars(select(User).where(User.login == "io2.hsr")).one()
    before = fingerprint()
    posted = {"what": "close", "known": "io2.hsr", "reason": "Suspended."}
    for login in sorted(set(LOGINS) - {"admin"}):
        assert sign_in(login).post("/admin/people/account/", posted).status_code == 403, login
        assert fingerprint() == before
    assert sign_in("admin").post("/admin/people/account/", {"what": "new", "login": "nobody"}).status_code == 422
    path = sign_in("admin").post("/admin/people/account/", posted).headers["Location"]
    assert sign_in("admin").post(f"{path}confirm/", {}).status_code == 422
    assert sign_in("sp.hsr").post(f"{path}confirm/", {}).status_code == 303
    db.session.refresh(user)
    assert user.active is False
    again = sign_in("admin").post("/admin/people/account/", {**posted, "what": "open"}).headers["Location"]
    browser = sign_in("sp.hsr")
    answer = browser.post(f"{again}confirm/", {})
    assert answer.status_code == 200
    address = re.search(r"http://localhost(/welcome/[^<]+)<", answer.get_data(as_text=True)).group(1)
    assert address not in browser.get(again).get_data(as_text=True)
    assert address not in browser.get("/admin/people/changes/").get_data(as_text=True)
    assert app.test_client().get(address).status_code == 200


@pytest.mark.parametrize("lang", ["en", "hi"])
def test_every_page_in_both_languages_without_script_or_style(app, sign_in, lang):
    one = propose(line("io2.hsr", "HSR-PS02", Post.IO))
    account("admin", "one.more", None)
    case = world.registered()
    paths = ("/admin/people/", "/admin/people/order/", "/admin/people/changes/", f"/admin/people/changes/{one.id}/",
             "/admin/permissions/", f"/admin/complaint/{case.id}/accused/")  # fmt: skip
    for path in paths:
        login = "branch.hsr" if "order" in path else "sp.hsr"
        browser = sign_in(login)
        browser.client.set_cookie("cms_lang", lang)
        answer = browser.get(path)
        assert answer.status_code == 200, path
        body = answer.get_data(as_text=True)
        assert "<style" not in body
        assert " style=" not in body
        assert not re.search(r"<script(?! src)", body)
        ids = re.findall(r'\bid="([^"]+)"', body)
        assert len(ids) == len(set(ids)), path
        for target in re.findall(r'<label[^>]* for="([^"]+)"', body):
            assert target in ids, (path, target)


# ---------------------------------------------------------------- the complained-against


def test_the_complained_against_by_form(app, sign_in):
    case = world.enquired()
    path = f"/admin/complaint/{case.id}/accused/"
    posted = {"who": "PS Hisar City · HSR-PS01", "post": "SHO", "reason": "Seen at the spot.", "version": case.version}
    before = fingerprint()
    for login in sorted(set(LOGINS) - {"dsp.hsr", "sp.hsr", "adgp"}):
        browser = sign_in(login)
        assert browser.get(path).status_code in (403, 404), login
        assert browser.post(path, posted).status_code in (403, 404), login
        assert fingerprint() == before, login
    browser = sign_in("dsp.hsr")
    assert browser.post(path, {**posted, "reason": ""}).status_code == 422
    assert browser.post(path, {**posted, "who": "nobody at all"}).status_code == 422
    assert browser.post(path, {**posted, "version": 1}).status_code == 409
    assert fingerprint() == before
    assert browser.post(path, posted).status_code == 303
    link = db.session.scalars(select(Accused)).one()
    assert (link.post, link.unit_id, link.restricts) == (Post.SHO, world.unit("HSR-PS01").id, True)
    db.session.refresh(case)
    assert (case.restricted, case.unit.code) == (True, "HSR-SD1")
    drop = f"{path}{link.id}/drop/"
    before = fingerprint()
    for login in sorted(set(LOGINS) - {"sp.hsr", "adgp"}):
        assert sign_in(login).post(drop, {"reason": "x", "version": case.version}).status_code in (403, 404), login
        assert fingerprint() == before, login
    assert sign_in("sp.hsr").post(drop, {"reason": "", "version": case.version}).status_code == 422
    assert sign_in("sp.hsr").post(f"{path}99999/drop/", {"reason": "x", "version": case.version}).status_code == 404
    assert sign_in("sp.hsr").post(drop, {"reason": "Not he.", "version": case.version}).status_code == 303
    assert db.session.get(Complaint, case.id).restricted is False
    assert "dropped" in sign_in("sp.hsr").get(path).get_data(as_text=True)


def test_a_form_sent_twice_is_one_order(app, sign_in):
    browser = sign_in("branch.hsr")
    posted = {**moved(), "form_key": "k-1"}
    assert browser.post("/admin/people/order/", posted).status_code == 303
    assert browser.post("/admin/people/order/", posted).status_code == 303
    assert len(db.session.scalars(select(Proposal.id)).all()) == 1
    assert db.session.scalars(select(Posting.id).where(Posting.charge == Charge.COVER)).all() == []


def test_the_counter_names_a_post(app, sign_in):
    label = "Station House Officer @ PS Hisar City · HSR-PS01"
    browser = sign_in("branch.hsr")
    assert label in browser.get("/admin/complaint/lookup/accused/?q=Hisar City").get_json()
    posted = {
        "form_key": "post", "name": "राम", "phone": "9999900009", "text": "थाने में बात नहीं सुनी", "subject": "x",
        "category_id": world.master(world.Category, "LAND").id, "mode_id": world.master(world.Mode, "HAND").id,
        "source_id": world.master(world.Source, "CITIZEN").id, "unit": "HSR-PS01", "priority": "ROUTINE", "accused1": label,
    }  # fmt: skip
    assert browser.post("/admin/complaint/new/", posted).status_code == 303
    link = db.session.scalars(select(Accused)).one()
    assert (link.post, link.unit.code) == (Post.SHO, "HSR-PS01")
    assert db.session.scalars(select(Complaint)).one().unit.code == "HSR-SD1"


def test_the_complaint_page_leads_to_the_list(app, sign_in):
    case = world.registered()
    href = f"/admin/complaint/{case.id}/accused/"
    assert href in sign_in("dsp.hsr").get(f"/admin/complaint/details/?id={case.id}").get_data(as_text=True)
    assert href not in sign_in("sho.hsr").get(f"/admin/complaint/details/?id={case.id}").get_data(as_text=True)


def test_home_says_what_waits_for_a_second_person(app, sign_in) -> None:
    second = sign_in("sp.hsr")
    assert "wait for your confirmation" not in second.get("/admin/").text
    assert sign_in("branch.hsr").post("/admin/people/order/", moved()).status_code == 303
    assert "1 changes wait for your confirmation" in second.get("/admin/").text
    assert "wait for your confirmation" not in sign_in("branch.hsr").get("/admin/").text
