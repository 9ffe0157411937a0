"""The public's pages: number and code open one complaint, a code proves a document, nothing leaks."""

from __future__ import annotations

import gzip
import re
from typing import Any

import pytest
import world
from flask import Flask
from flask.testing import FlaskClient

from cms import pdf
from cms.models import Complaint, Document, DocumentKind, DocumentState, db
from cms.rules import SYSTEM
from cms.services import documents
from cms.unit_of_work import unit_of_work

SECRETS = ("रामफल शर्मा", "99999 00001", "+919999900001", "गांव आदमपुर", "मेड़ तोड़ दी और गाली")


@pytest.fixture
def case(app: Flask) -> Complaint:
    return world.enquired()


def code_of(app: Flask, case: Complaint) -> str:
    code: str = app.extensions["cms_vault"].receipt_code(case.id)
    return code


def token(client: FlaskClient) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/track").text)
    assert found
    return found[1]


def track(client: FlaskClient, number: str, code: str, path: str = "/track") -> Any:
    return client.post(path, data={"csrf_token": token(client), "number": number, "code": code})


def test_home_is_hindi_first_and_leads_to_tracking(client: FlaskClient) -> None:
    page = client.get("/")
    assert page.status_code == 200
    assert '<html lang="hi">' in page.text
    assert 'href="/track"' in page.text
    assert 'href="tel:112"' in page.text


def test_language_switch_keeps_the_page(client: FlaskClient) -> None:
    answer = client.get("/language/en?next=/track")
    assert answer.headers["Location"].endswith("/track")
    assert '<html lang="en">' in client.get("/track").text


def test_number_and_code_open_the_state(app: Flask, client: FlaskClient, case: Complaint) -> None:
    page = track(client, case.number.lower(), code_of(app, case))
    assert page.status_code == 200
    assert case.number in page.text
    assert page.text.count("<li class=") == 5
    assert page.headers["Cache-Control"] == "no-store"


def test_the_state_tells_no_note_and_no_person(app: Flask, client: FlaskClient, case: Complaint) -> None:
    page = track(client, case.number, code_of(app, case)).text
    assert not [said for said in (*SECRETS, "मौका देखा।", "+919999900000") if said in page]


def test_wrong_number_and_wrong_code_answer_alike(app: Flask, client: FlaskClient, case: Complaint) -> None:
    client.get("/language/en?next=/track")
    wrong_code = track(client, case.number, "000000000000")
    wrong_number = track(client, "HSR-2026-999999-9", code_of(app, case))
    strip = lambda page: re.sub(r'value="[^"]*"', "", page.text)  # noqa: E731
    assert wrong_code.status_code == wrong_number.status_code == 422
    assert strip(wrong_code) == strip(wrong_number)
    assert code_of(app, case) not in wrong_number.text


def test_a_code_never_works_in_the_address(app: Flask, client: FlaskClient, case: Complaint) -> None:
    page = client.get(f"/track?number={case.number}&code={code_of(app, case)}")
    assert '<li class=' not in page.text


def test_documents_need_both(app: Flask, client: FlaskClient, case: Complaint) -> None:
    document = documents.latest(db.session(), case.id, DocumentKind.COPY)
    assert document is not None
    path = f"/track/document/{document.id}/page"
    assert "रामफल\u00a0शर्मा" in track(client, case.number, code_of(app, case), path).text
    assert track(client, case.number, "1" * 12, path).status_code == 404
    other = world.registered(phone="99999 00002")
    assert track(client, other.number, code_of(app, other), path).status_code == 404


def test_the_stored_pdf_comes_with_its_number(app: Flask, client: FlaskClient, case: Complaint) -> None:
    document = documents.latest(db.session(), case.id, DocumentKind.COPY)
    assert document is not None
    path = f"/track/document/{document.id}"
    assert track(client, case.number, code_of(app, case), path).status_code == 404  # not made yet
    store = app.extensions["cms_store"]
    documents.settle(SYSTEM, document.id, store.put(b"%PDF-1.7 made up"), b"%PDF-1.7 made up", Document)
    answer = track(client, case.number, code_of(app, case), path)
    assert answer.data == b"%PDF-1.7 made up"
    assert case.number in answer.headers["Content-Disposition"]
    assert answer.headers["Cache-Control"] == "no-store"


def test_verify_genuine_superseded_unknown(app: Flask, client: FlaskClient, case: Complaint) -> None:
    client.get("/language/en?next=/")
    first = documents.latest(db.session(), case.id, DocumentKind.COPY)
    assert first is not None
    old, case_id = first.code, case.id
    page = client.get(f"/verify/{old.lower()}")
    assert page.status_code == 200
    assert "Genuine" in page.text
    assert case.number in page.text
    with unit_of_work(SYSTEM, now=world.NOW) as work:
        documents.issue_copy(work, work.session.get_one(Complaint, case_id))
    assert "Superseded" in client.get(f"/verify/{old}").text
    unknown = client.get("/verify/ZZZZZZZZZZZZZZZZ")
    assert unknown.status_code == 404
    assert "Unknown" in unknown.text


def test_verify_shows_nothing_personal(client: FlaskClient, case: Complaint) -> None:
    document = documents.latest(db.session(), case.id, DocumentKind.COPY)
    assert document is not None
    page = client.get(f"/verify/{document.code}").text
    assert not [said for said in SECRETS if said in page]
    assert document.state is DocumentState.PENDING


def test_a_code_typed_by_hand_goes_to_its_page(client: FlaskClient) -> None:
    assert client.get("/verify?code=ab-12 cd").headers["Location"].endswith("/verify/AB12CD")


def test_posting_without_the_token_is_refused(client: FlaskClient) -> None:
    assert client.post("/track", data={"number": "x", "code": "y"}).status_code == 400


@pytest.mark.parametrize("path", ["/", "/track", "/verify/ABC", "/nothing-here"])
def test_public_pages_are_light(client: FlaskClient, path: str) -> None:
    """Page and everything it names: 15 KB compressed at most, no font, no script but the one that compares files."""
    page = client.get(path)
    total = len(gzip.compress(page.data))
    for name in set(re.findall(r'(?:href|src)="/static/([^"?]+)', page.text)):
        total += len(gzip.compress((pdf.STATIC / name).read_bytes()))
    assert total < 15_000
    scripts = re.findall(r"<script[^>]*>", page.text)
    assert len(scripts) == path.startswith("/verify/")
    assert all(' src="/static/verify.js' in tag for tag in scripts)
    assert "style=" not in page.text
    assert "noindex" in page.text or path in ("/", "/track", "/nothing-here")
