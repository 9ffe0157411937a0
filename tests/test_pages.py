"""The staff's own pages: sign-in, home, register, hand-over, complaint page and its moves."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import world
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, select
from sqlalchemy.exc import OperationalError

from cms import pdf, web
from cms.admin_views.handover import scoped
from cms.models import (
    Category,
    Channel,
    Complaint,
    Disposition,
    Document,
    DocumentKind,
    DocumentState,
    Feedback,
    Mode,
    Notice,
    Source,
    db,
)  # fmt: skip
from cms.rules import SYSTEM, Status
from cms.services import deliveries, documents
from cms.services.complaints import AccusedNamed
from cms.unit_of_work import unit_of_work, utcnow

SignIn = Callable[[str], Any]
NEW = "/admin/complaint/new/"


def typed(**changes: Any) -> dict[str, Any]:
    """What a clerk types into the register form."""
    said = {
        "form_key": "one", "phone": "99999 00001", "name": "रामफल शर्मा", "address": "गांव आदमपुर",
        "text": "पड़ोसी ने मेड़ तोड़ दी।\nगाली भी दी।", "unit": "PS Hisar City · HSR-PS01", "priority": "ROUTINE",
        "category_id": world.master(Category, "LAND").id, "mode_id": world.master(Mode, "HAND").id,
        "source_id": world.master(Source, "CITIZEN").id,
    }  # fmt: skip
    return said | changes


def fresh(case_id: int) -> Complaint:
    """The row as the database has it now."""
    db.session.rollback()
    return db.session.get_one(Complaint, case_id, populate_existing=True)


def recent(**changes: Any) -> Complaint:
    return world.registered(now=utcnow() - timedelta(hours=2), **changes)


# ---------------------------------------------------------------- sign-in and frame


def test_wrong_password_says_so_and_keeps_the_login(client: FlaskClient) -> None:
    token = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/login").text)
    assert token
    page = client.post("/login", data={"csrf_token": token[1], "login": "sho.hsr", "password": "no"})
    assert page.status_code == 401
    assert 'value="sho.hsr"' in page.text
    assert "wrong" in page.text


def test_a_stranger_is_sent_to_sign_in(client: FlaskClient) -> None:
    answer = client.get("/admin/")
    assert answer.status_code == 302
    assert "/login?next=" in answer.headers["Location"]


@pytest.mark.parametrize(
    "login", ["adgp", "sp.hsr", "dsp.hsr", "sho.hsr", "io.hsr", "branch.hsr", "feedback.hsr", "audit", "admin"]
)
def test_home_of_every_post(sign_in: SignIn, login: str) -> None:
    page = sign_in(login).get("/admin/")
    assert page.status_code == 200
    assert 'class="skip"' in page.text
    assert 'action="/logout"' in page.text
    assert "style=" not in page.text
    assert not re.search(r"\son[a-z]+=", page.text)


def test_phone_bar_holds_five_at_most(sign_in: SignIn) -> None:
    page = sign_in("branch.hsr").get("/admin/").text
    bar = page.partition('<nav class="bottom"')[2].partition("<details>")[0]
    assert bar.count("<a ") <= 4


def test_administrator_sees_no_complaint(sign_in: SignIn) -> None:
    case = recent()
    browser = sign_in("admin")
    page = browser.get("/admin/").text
    assert case.number not in page
    assert 'href="/admin/complaint/"' not in page
    assert browser.get(NEW).status_code in (403, 404)


@pytest.mark.parametrize("login", ["io.hsr", "sho.hsr", "sp.hsr", "branch.hsr", "feedback.hsr"])
def test_home_takes_five_statements(app: Flask, sign_in: SignIn, login: str) -> None:
    world.assigned()
    recent()
    browser = sign_in(login)
    browser.get("/admin/")
    seen: list[str] = []

    def note(conn: Any, cursor: Any, statement: str, *rest: Any) -> None:
        if not statement.startswith(("PRAGMA", "SAVEPOINT", "SET")):
            seen.append(statement)

    engines = [db.engine]
    event.listen(engines[0], "before_cursor_execute", note)
    browser.get("/admin/")
    event.remove(engines[0], "before_cursor_execute", note)
    assert len(seen) <= 5


def test_io_home_lists_own_cases_and_leads_to_add_action(sign_in: SignIn) -> None:
    mine, other = world.assigned(), world.assigned(to="io2.hsr")
    page = sign_in("io.hsr").get("/admin/").text
    assert mine.number in page
    assert other.number not in page
    assert f"/admin/complaint/{mine.id}/act/" in page


def test_restricted_complaints_stay_out_of_figures(sign_in: SignIn) -> None:
    sho = world.officer("sho.hsr").id
    case = recent(accused=(AccusedNamed(officer_id=sho),))
    assert case.number not in sign_in("sho.hsr").get("/admin/").text
    page = sign_in("sp.hsr").get("/admin/").text
    assert case.number in page
    assert re.search(r"Open<b>0</b>", page)


# ---------------------------------------------------------------- register and hand-over


def test_register_leads_to_the_copy(sign_in: SignIn) -> None:
    browser = sign_in("branch.hsr")
    answer = browser.post(NEW, typed())
    assert answer.status_code == 303
    page = browser.get(answer.headers["Location"])
    case = db.session.scalars(select(Complaint)).one()
    assert case.number in page.text
    assert "गाली" in page.text  # the letter keeps its last words together by mark-up
    assert case.subject == "पड़ोसी ने मेड़ तोड़ दी।"
    assert case.language.name == "HI"
    assert page.text.count("<main") == 1


def test_the_same_form_twice_is_one_complaint(sign_in: SignIn) -> None:
    browser = sign_in("branch.hsr")
    first, second = browser.post(NEW, typed()), browser.post(NEW, typed())
    assert first.headers["Location"] == second.headers["Location"]
    assert len(db.session.scalars(select(Complaint)).all()) == 1


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"phone": "12"}, "phone"), ({"name": " "}, "name"), ({"category_id": "999"}, "category_id"),
     ({"received_on": "31/12/2026"}, "received_on"), ({"unit": "no such place"}, "unit")],
)  # fmt: skip
def test_a_refusal_keeps_what_was_typed_and_marks_the_field(
    sign_in: SignIn, changes: dict[str, str], field: str
) -> None:
    page = sign_in("branch.hsr").post(NEW, typed(**changes))
    assert page.status_code == 422
    assert "गांव आदमपुर" in page.text
    assert 'value="one"' in page.text
    assert re.search(rf'id="{field}"[^>]*aria-invalid="true"', page.text)
    assert not db.session.scalars(select(Complaint)).all()


def test_a_station_that_fits_twice_is_offered_without_a_script(sign_in: SignIn) -> None:
    browser = sign_in("branch.hsr")
    page = browser.post(NEW, typed(unit="Hisar"))
    assert page.status_code == 422
    wanted = f"unit:{world.unit('HSR-PS02').id}"
    assert f'name="unit_pick" value="{wanted}"' in page.text
    assert browser.post(NEW, typed(unit="Hisar", unit_pick=wanted)).status_code == 303
    assert db.session.scalars(select(Complaint)).one().unit.code == "HSR-PS02"


def test_a_near_name_never_accuses_by_itself(sign_in: SignIn) -> None:
    browser = sign_in("branch.hsr")
    assert browser.post(NEW, typed(accused1="Satish")).status_code == 422
    assert browser.post(NEW, typed(accused1="Satish", accused1_pick="text")).status_code == 303
    case = db.session.scalars(select(Complaint)).one()
    assert case.accused[0].described == "Satish"
    assert not case.restricted


def test_a_clerk_barred_by_his_own_entry_gets_the_copy_once(sign_in: SignIn) -> None:
    browser = sign_in("branch.s1")
    page = browser.post(NEW, typed(accused1="PS Hisar City · HSR-PS01", accused1_pick=""))
    assert page.status_code == 200
    case = db.session.scalars(select(Complaint)).one()
    assert case.restricted
    assert case.number in page.text
    assert 'name="channel"' not in page.text
    assert browser.get(f"/admin/complaint/{case.id}/handover/").status_code == 404
    again = typed(accused1="PS Hisar City · HSR-PS01", accused1_pick="")
    assert case.number in browser.post(NEW, again).text  # pressed twice
    assert sign_in("sho.hsr").post(NEW, again).status_code == 404  # barred as well, and not the clerk


@pytest.mark.parametrize("login", ["io.hsr", "sp.hsr", "feedback.hsr", "audit"])
def test_only_the_counter_registers(sign_in: SignIn, login: str) -> None:
    browser = sign_in(login)
    assert browser.get(NEW).status_code == 403
    assert browser.post(NEW, typed()).status_code == 403
    assert not db.session.scalars(select(Complaint)).all()


def test_handing_over_settles_the_copy(sign_in: SignIn) -> None:
    case = recent()
    browser = sign_in("branch.hsr")
    path = f"/admin/complaint/{case.id}/handover/"
    assert case.number in browser.get("/admin/complaint/unsettled/").text
    assert browser.post(path, {"channel": "DECLINED"}).status_code == 422
    assert fresh(case.id).copy_settled_at is None
    assert browser.post(path, {"channel": "PRINT"}).status_code == 303
    assert fresh(case.id).copy_settled_at is not None
    browser.get("/admin/")  # takes the sentence that names the number
    assert case.number not in browser.get("/admin/complaint/unsettled/").text


def test_same_phone_shows_only_what_the_viewer_may_see(sign_in: SignIn) -> None:
    case = recent()
    path, said = "/admin/complaint/same-phone/", {"phone": "99999-00001"}
    assert case.number in sign_in("branch.hsr").post(path, said).text
    assert case.number not in sign_in("branch.srs").post(path, said).text


def test_suggestions(sign_in: SignIn) -> None:
    browser = sign_in("branch.hsr")
    assert browser.get("/admin/complaint/lookup/unit/?q=sirsa").json == [
        "Sirsa District · SRS", "Sub-Division Sirsa · SRS-SD1", "PS Sirsa City · SRS-PS01",
    ]  # fmt: skip
    assert browser.get("/admin/complaint/lookup/party/?q=sirsa").status_code == 404


def test_the_letter_brings_its_style_under_its_own_names() -> None:
    css = scoped(pdf.letter_css(pdf.CURRENT).read_text())
    rules = re.findall(r"(?:^|[{}])\s*([^@{}]+?)\s*\{", css)
    assert rules
    assert not [rule for rule in rules for name in rule.split(",") if ".sheet" not in name]


def test_the_letters_style_keeps_its_conditions() -> None:
    """A selector's name within ``@media screen`` makes the condition void, and the telephone gets the paper's table."""
    css = pdf.letter_css(pdf.CURRENT).read_text()
    wanted = re.findall(r"@media[^{]*", re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL))
    assert len(wanted) > 1
    assert re.findall(r"@media[^{]*", scoped(css)) == wanted


def test_documents_of_foreign_complaints_are_not_there(sign_in: SignIn) -> None:
    case = recent()
    document = documents.latest(db.session(), case.id, DocumentKind.COPY)
    assert document is not None
    path = f"/admin/complaint/{case.id}/document/{document.id}/page/"
    assert "रामफल\u00a0शर्मा" in sign_in("branch.hsr").get(path).text
    assert sign_in("sho.srs").get(path).status_code == 404
    assert sign_in("admin").get(path).status_code == 404


@pytest.mark.parametrize("made", [world.registered, world.disposed])
def test_a_document_issued_on_paper_has_no_words_here(sign_in: SignIn, made: Callable[[], Complaint]) -> None:
    case = made()
    case_id, ids = case.id, [d.id for d in case.documents]
    with unit_of_work(SYSTEM) as work:
        for document_id in ids:
            work.session.get_one(Document, document_id).state = DocumentState.PAPER
    browser = sign_in("branch.hsr")
    assert browser.get(f"/admin/complaint/{case_id}/handover/").status_code == 200
    assert browser.get(f"/admin/complaint/details/?id={case_id}").status_code == 200
    assert browser.get(f"/admin/complaint/{case_id}/document/{ids[0]}/page/").status_code == 404
    if len(ids) > 1:
        assert "issued on paper" in browser.get(f"/admin/complaint/{case_id}/deliver/").text


# ---------------------------------------------------------------- complaint page and moves


def page_of(browser: Any, case: Complaint) -> Any:
    return browser.get(f"/admin/complaint/details/?id={case.id}")


@pytest.mark.parametrize(
    ("login", "offered"),
    [("branch.hsr", {"mark", "merge", "handover"}),
     ("sho.hsr", {"mark", "assign", "handover", "direct", "transfer", "refer", "merge", "withdraw"}),
     ("sp.hsr", {"mark", "assign", "direct", "transfer", "refer", "merge", "withdraw"}), ("audit", set())],
)  # fmt: skip
def test_buttons_are_the_moves_of_the_viewer(sign_in: SignIn, login: str, offered: set[str]) -> None:
    case = recent()
    page = page_of(sign_in(login), case)
    assert page.status_code == 200
    found = set(re.findall(rf'href="/admin/complaint/{case.id}/([\w-]+)/"', page.text))
    assert found - {"connect", "consent", "files", "history", "accused"} == offered


def test_complaint_page_tells_the_clock_and_the_chain(sign_in: SignIn) -> None:
    case = world.enquired(now=utcnow() - timedelta(days=6))
    page = page_of(sign_in("io.hsr"), case).text
    assert "Day 6 of 15" in page
    assert "calendar days from" in page
    assert 'lang="hi">पड़ोसी ने रात में' in page
    assert 'href="tel:+919999900001"' in page
    assert all(name in page for name in ("Satish Kumar", "Rajbir Punia", "Anil Dhillon", "Vikram Malik"))
    assert "style=" not in page


def test_foreign_complaint_is_not_there(sign_in: SignIn) -> None:
    case = recent()
    assert page_of(sign_in("sho.srs"), case).status_code == 404
    for move in ("mark", "assign", "act", "dispose", "feedback", "deliver", "handover"):
        assert sign_in("sho.srs").post(f"/admin/complaint/{case.id}/{move}/").status_code == 404


def test_mark_assign_act_report_dispose_deliver_feedback(sign_in: SignIn) -> None:
    case = recent(unit_id=world.unit("HSR").id)
    at = f"/admin/complaint/{case.id}"
    branch, sho, io = sign_in("branch.hsr"), sign_in("sho.hsr"), sign_in("io.hsr")

    def go(browser: Any, move: str, **said: Any) -> None:
        assert browser.get(f"{at}/{move}/").status_code == 200
        answer = browser.post(f"{at}/{move}/", said | {"version": fresh(case.id).version})
        assert answer.status_code == 303, answer.text

    go(branch, "mark", unit="HSR-PS01", order="For enquiry.")
    go(sho, "assign", officer_id=world.officer("io.hsr").id, note="")
    go(io, "act", kind="VISIT", note="Went to the field.", happened_at="")
    allegation = fresh(case.id).allegations[0].id
    go(io, "report", disposition_id=1, reasons="Both sides heard.",
       **{f"finding-{allegation}": "SUBSTANTIATED", f"why-{allegation}": "Seen on the spot."})  # fmt: skip
    assert "Both sides heard." in sho.get(f"{at}/dispose/").text
    go(sho, "dispose", text="")
    go(branch, "deliver", channel="PRINT", address="", note="")
    go(sign_in("feedback.hsr"), "feedback", satisfied="no", reason="Too late.")
    done = fresh(case.id)
    assert (done.status, done.satisfied) == (Status.CLOSED, False)
    page = page_of(sho, done).text
    assert "Complainant not satisfied" in page
    assert "Went to the field." in page


def test_feedback_without_an_answer_is_no_answer(sign_in: SignIn) -> None:
    case = world.disposed()
    browser = sign_in("feedback.hsr")
    path = f"/admin/complaint/{case.id}/feedback/"
    assert "checked" not in browser.get(path).text
    page = browser.post(path, {"version": case.version, "reason": "said nothing"})
    assert page.status_code == 422
    assert "said nothing" in page.text
    assert fresh(case.id).satisfied is None
    assert not db.session.scalars(select(Feedback)).all()


def test_a_refused_report_keeps_findings_and_reasons(sign_in: SignIn) -> None:
    case = world.enquired()
    allegation, fir = case.allegations[0].id, world.master(Disposition, "FIR").id
    page = sign_in("io.hsr").post(
        f"/admin/complaint/{case.id}/report/",
        {"version": case.version, "disposition_id": fir, "reasons": "kept words", "field-FIR_NO": "123",
         f"finding-{allegation}": "PARTLY", f"why-{allegation}": "kept why"},
    )  # fmt: skip
    assert page.status_code == 422
    assert "kept words" in page.text
    assert "kept why" in page.text
    assert "Fill in “Date of the FIR”." in page.text
    assert 'value="123"' in page.text
    assert 'value="PARTLY" selected' in page.text
    assert fresh(case.id).status is Status.UNDER_ENQUIRY


def test_the_io_is_never_offered_and_never_takes_the_disposal(sign_in: SignIn) -> None:
    case = world.enquired()
    browser = sign_in("io.hsr")
    assert "/dispose/" not in page_of(browser, case).text
    assert browser.get(f"/admin/complaint/{case.id}/dispose/").status_code == 403
    assert browser.post(f"/admin/complaint/{case.id}/dispose/", {"version": case.version}).status_code == 403


def test_an_impossible_move_says_why(sign_in: SignIn) -> None:
    case = recent()
    browser = sign_in("sho.hsr")
    answer = browser.get(f"/admin/complaint/{case.id}/dispose/")
    assert answer.status_code == 303
    assert "not possible while" in browser.get(answer.headers["Location"]).text


def test_a_stale_version_shows_both_values(sign_in: SignIn) -> None:
    case = recent()
    stale, sho = case.version, sign_in("sho.hsr")
    path = f"/admin/complaint/{case.id}/assign/"
    first = {"version": stale, "officer_id": world.officer("io.hsr").id, "note": ""}
    assert sho.post(path, first).status_code == 303
    page = sign_in("dsp.hsr").post(path, first | {"officer_id": world.officer("io2.hsr").id})
    assert page.status_code == 409
    assert "Ramesh Yadav" in page.text
    assert "Suresh Jangra" in page.text
    assert fresh(case.id).io_id == world.officer("io.hsr").id
    again = {"version": fresh(case.id).version, "officer_id": world.officer("io2.hsr").id}
    assert sign_in("dsp.hsr").post(path, again).status_code == 303


def test_notice_opens_its_complaint_and_is_read(sign_in: SignIn) -> None:
    case_id, io_id = world.assigned().id, world.officer("io.hsr").id
    with unit_of_work(SYSTEM) as work:
        notice = Notice(officer_id=io_id, complaint_id=case_id, kind="TODAY", params={}, dedupe="t",
                        created_at=work.now)  # fmt: skip
        work.session.add(notice)
        work.session.flush()
        notice_id = notice.id
    browser = sign_in("io.hsr")
    assert "Due today" in browser.get("/admin/").text
    assert sign_in("io2.hsr").post(f"/admin/notice/{notice_id}/").status_code == 404
    answer = browser.post(f"/admin/notice/{notice_id}/")
    assert answer.headers["Location"].endswith(f"/admin/complaint/details/?id={case_id}")
    assert "Due today" not in browser.get("/admin/").text


@pytest.mark.parametrize(
    ("login", "path"),
    [("branch.hsr", NEW), ("io.hsr", "/admin/"), ("sho.hsr", "/admin/complaint/details/?id={id}"),
     ("sho.hsr", "/admin/complaint/{id}/assign/")],
)  # fmt: skip
def test_staff_pages_stay_below_forty_kilobytes(sign_in: SignIn, login: str, path: str) -> None:
    case = world.assigned()
    browser = sign_in(login)
    page = browser.get(path.format(id=case.id))
    assert page.status_code == 200
    total = len(gzip.compress(page.data))
    for name in set(re.findall(r'(?:href|src)="/static/([^"?]+)', page.text)):
        total += len(gzip.compress((pdf.STATIC / name).read_bytes()))
    assert total < 40_000


def test_delivery_is_written_for_the_report_too(sign_in: SignIn) -> None:
    case = world.disposed()
    document = documents.latest(db.session(), case.id, DocumentKind.REPORT)
    assert document is not None
    document_id, case_id = document.id, case.id
    with unit_of_work(world.as_viewer("branch.hsr")) as work:
        deliveries.deliver(work, document_id, Channel.PRINT)
    page = sign_in("sho.hsr").get(f"/admin/complaint/details/?id={case_id}").text
    assert "Action-taken report: Handed over on paper" in page


@pytest.mark.parametrize("code", [400, 403, 404, 405, 409, 413, 422, 429, 500, 503])
def test_every_refusal_has_a_page(app: Flask, code: int) -> None:
    with app.test_request_context("/admin/" if code == 403 else "/"):
        page, status = web.error_page(code)
    assert status == code
    assert f"{code}" in page
    assert "tel:112" in page


def test_an_outage_is_told_without_asking_who_it_is(
    app: Flask, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = sign_in("sho.hsr")

    def away(*args: Any) -> None:
        raise OperationalError("select", {}, Exception("gone"))

    monkeypatch.setattr(web.accounts, "viewer_for", away)
    page = browser.get("/admin/complaint/unsettled/")
    assert page.status_code == 503
    assert "Nothing was saved" in page.text


def test_refusals_of_the_signed_in_keep_the_menu(sign_in: SignIn) -> None:
    page = sign_in("sho.hsr").get("/admin/complaint/999/handover/")
    assert page.status_code == 404
    assert 'class="rail"' in page.text


def test_tab_reaches_the_button_before_what_is_optional(sign_in: SignIn) -> None:
    page = sign_in("branch.hsr").get(NEW).text
    order = re.findall(r'<(?:input|select|textarea|button)[^>]*?(?:name="(\w+)"|class="(btn) primary")', page)
    names = [name or button for name, button in order if name not in ("csrf_token", "form_key")]
    assert names[:3] == ["phone", "name", "address"]
    assert names.index("category_id") < names.index("btn") < names.index("subject") < names.index("incident_on")
