"""Proof by the file itself: genuine, superseded, changed, unknown; on the server and in the browser."""

from __future__ import annotations

import io
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import world
from conftest import start_chromium
from flask import Flask
from flask.testing import FlaskClient
from pypdf import PdfReader, PdfWriter
from sqlalchemy import func, select
from werkzeug.serving import make_server

from cms import pdf
from cms.models import Complaint, Document, DocumentKind, History, db
from cms.rules import SYSTEM
from cms.services import documents, tracking
from cms.unit_of_work import unit_of_work

SECRETS = ("रामफल शर्मा", "99999 00001", "+919999900001", "गांव आदमपुर", "मेड़ तोड़ दी और गाली")
VERDICTS = {
    "genuine": "The file is genuine", "superseded": "The file is genuine but superseded",
    "changed": "This file was changed", "unknown": "Unknown file",
}  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def _let_go() -> Iterator[None]:
    """At interpreter exit WeasyPrint's clean-up trips over modules that are gone."""
    yield
    pdf._engine.cache_clear()


@pytest.fixture
def issued(app: Flask) -> tuple[Document, bytes]:
    """A copy and its bytes, as the complainant got them."""
    case = world.registered()
    return made(app, case.id)


def made(app: Flask, complaint_id: int) -> tuple[Document, bytes]:
    document = documents.latest(db.session(), complaint_id, DocumentKind.COPY)
    assert document is not None
    store = app.extensions["cms_store"]
    documents.make(SYSTEM, document.id, store, "http://localhost", pdf.render)
    db.session.expire_all()
    content = documents.file_of(document, store)
    assert content is not None
    return document, content


def token(client: FlaskClient) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/track").text)
    assert found
    return found[1]


def upload(client: FlaskClient, content: bytes, code: str = "") -> Any:
    """Post the file as a browser does; the test client would leave a large one open."""
    part = b'--b\r\nContent-Disposition: form-data; name="%s"%s\r\n\r\n%s\r\n'
    body = part % (b"csrf_token", b"", token(client).encode()) + part % (b"code", b"", code.encode())
    body += part % (b"file", b'; filename="copy.pdf"', content) + b"--b--\r\n"
    return client.post("/verify/file", data=body, content_type="multipart/form-data; boundary=b")


def verdict(page: Any) -> str:
    """The one box about the file that is shown."""
    boxes = re.findall(r'<div class="\w+" data-verdict="(\w+)" tabindex="-1"( role="alert"| hidden)>', page.text)
    assert len(boxes) == 4
    [shown] = [name for name, state in boxes if state != " hidden"]
    return str(shown)


def superseded(complaint_id: int) -> None:
    with unit_of_work(SYSTEM, now=world.NOW) as work:
        documents.issue_copy(work, work.session.get_one(Complaint, complaint_id))


def test_the_file_carries_its_code_where_no_reader_need_open_it(issued: tuple[Document, bytes]) -> None:
    document, content = issued
    assert tracking.code_in(content) == document.code
    assert str(PdfReader(io.BytesIO(content)).trailer["/ID"][0]) == document.code


def test_genuine_without_any_code_typed(client: FlaskClient, issued: tuple[Document, bytes]) -> None:
    client.get("/language/en?next=/")
    page = upload(client, issued[1])
    assert page.status_code == 200
    assert verdict(page) == "genuine"
    assert issued[0].sha256 in page.text


def test_superseded(app: Flask, client: FlaskClient, issued: tuple[Document, bytes]) -> None:
    superseded(issued[0].complaint_id)
    assert verdict(upload(client, issued[1])) == "superseded"
    assert verdict(upload(client, made(app, issued[0].complaint_id)[1])) == "genuine"


def test_one_changed_byte(client: FlaskClient, issued: tuple[Document, bytes]) -> None:
    content = bytearray(issued[1])
    content[len(content) // 2] ^= 1
    assert verdict(upload(client, bytes(content))) == "changed"
    assert verdict(upload(client, issued[1] + b"\n")) == "changed"


def test_a_copy_saved_anew_is_not_the_file_that_was_issued(client: FlaskClient, issued: tuple[Document, bytes]) -> None:
    anew = io.BytesIO()
    PdfWriter(clone_from=io.BytesIO(issued[1])).write(anew)
    assert verdict(upload(client, anew.getvalue(), issued[0].code)) == "changed"


def test_a_file_that_names_another_document(client: FlaskClient, issued: tuple[Document, bytes]) -> None:
    other = world.registered(phone="99999 00002")
    document = documents.latest(db.session(), other.id, DocumentKind.COPY)
    assert document is not None
    swapped = issued[1].replace(issued[0].code.encode(), document.code.encode())
    assert verdict(upload(client, swapped)) == "changed"  # and no file of that document was made yet
    assert verdict(upload(client, issued[1], document.code)) == "genuine"  # the file's own code goes first


@pytest.mark.parametrize("content", [b"%PDF-1.7 made up", b"\x00" * 1000, b"/ID [(ZZZZZZZZZZZZZZZZ)]", b"/ID [<FF>]"])
def test_unknown(client: FlaskClient, issued: tuple[Document, bytes], content: bytes) -> None:
    assert verdict(upload(client, content)) == "unknown"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"/ID [(ABCDEFGH23456789) (x)]", "ABCDEFGH23456789"), (b"/ID[<4142434445464748> <00>]", "ABCDEFGH"),
        (b"/ID [<" + b"41" * 60 + b">]", ""), (b"/ID [<ffffffffffffffffff>]", "\ufffd" * 9), (b"", ""),
    ],
)  # fmt: skip
def test_code_of_a_file(content: bytes, code: str) -> None:
    assert tracking.code_in(content) == code


def test_limits(client: FlaskClient, issued: tuple[Document, bytes]) -> None:
    client.get("/language/en?next=/")
    large = upload(client, issued[1] + bytes(tracking.MAX_FILE), issued[0].code)
    assert (large.status_code, "larger than any document" in large.text) == (422, True)
    assert upload(client, bytes(3 * tracking.MAX_FILE)).status_code == 413
    assert "Choose the PDF file." in upload(client, b"").text
    assert client.post("/verify/file", data={}).status_code == 400


def test_too_many_tries_wait(client: FlaskClient, issued: tuple[Document, bytes]) -> None:
    signed = token(client)
    codes = [
        client.post(
            "/verify/file",
            data={"csrf_token": signed, "file": (io.BytesIO(b"%PDF"), "x.pdf")},
            environ_base={"REMOTE_ADDR": "198.51.100.7"},
        ).status_code
        for _ in range(21)
    ]
    assert (codes[19], codes[20]) == (200, 429)


def test_nothing_is_kept_and_nothing_personal_shown(
    app: Flask, client: FlaskClient, issued: tuple[Document, bytes]
) -> None:
    root = Path(app.extensions["cms_settings"].data_dir) / "documents"
    before = sorted(root.rglob("*")), db.session.scalar(select(func.count()).select_from(History))
    for content in (issued[1], issued[1] + b"x", b"strange"):
        page = upload(client, content)
        assert not [said for said in SECRETS if said in page.text]
        assert page.headers["Cache-Control"] == "no-store"
    after = sorted(root.rglob("*")), db.session.scalar(select(func.count()).select_from(History))
    assert before == after


@pytest.mark.parametrize(("language", "words"), [("hi", "यह फ़ाइल बदली गई है"), ("en", "This file was changed")])
def test_both_languages(client: FlaskClient, issued: tuple[Document, bytes], language: str, words: str) -> None:
    client.get(f"/language/{language}?next=/")
    page = upload(client, issued[1] + b"x")
    assert verdict(page) == "changed"
    assert f"<h1>{words}</h1>" in page.text




@pytest.fixture
def address(app: Flask) -> Iterator[str]:
    server = make_server("localhost", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://localhost:{server.port}"
    server.shutdown()
    thread.join(5)


@pytest.fixture
def phone(address: str) -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playing:
        browser = start_chromium(playing)
        context = browser.new_context(viewport={"width": 390, "height": 844}, base_url=address)
        yield context.new_page()
        browser.close()


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.parametrize("backend", ["sqlite"])
def test_on_the_phone_the_file_is_never_sent(issued: tuple[Document, bytes], phone: Any, tmp_path: Path) -> None:
    """From the page without a code and from the page of the code; the script asks for the code alone."""
    document, content = issued
    posts: list[str] = []
    phone.on("request", lambda request: posts.append(request.url) if request.method == "POST" else None)
    phone.goto("/language/en?next=/track")
    files = {"genuine": content, "changed": content[:-40] + b"x" + content[-39:], "unknown": b"%PDF-1.7 made up"}
    for start in ("/verify/-", f"/verify/{document.code}"):
        for name, held in files.items():
            (tmp_path / "file.pdf").write_bytes(held)
            phone.goto(start)
            phone.set_input_files("#file", tmp_path / "file.pdf")
            phone.click("#check-file button")
            expected = "changed" if name == "unknown" and start != "/verify/-" else name
            phone.wait_for_selector(f'[data-verdict="{expected}"]:not([hidden])')
            phone.locator("main h1:visible").first.wait_for()
            assert phone.locator("main h1:visible").count() == 1
            assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    phone.screenshot(path=tmp_path / "proof.png", full_page=True)
    assert posts == []
