"""Issued documents: said once, made once, the same bytes to everyone."""

import hashlib
import re
import time
from datetime import timedelta

import pytest
import world
from pypdf import PdfReader
from sqlalchemy import select

from cms import pdf
from cms.models import Channel, Complaint, Delivery, Document, DocumentKind, DocumentState, Outbox, SendState, User, db
from cms.notify import Files
from cms.rules import SYSTEM, NotFound, RuleBroken
from cms.services import deliveries, documents, messages, tracking
from cms.store import Store
from cms.unit_of_work import unit_of_work

URL = "http://localhost"


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "documents")


def made(document_id, store, render=pdf.render):
    return documents.make(SYSTEM, document_id, store, URL, render)


def the_copy():
    return db.session.scalars(select(Document).where(Document.kind == DocumentKind.COPY)).one()


def test_copy_is_made_once_and_kept(app, store):
    case = world.registered()
    document = the_copy()
    assert made(document.id, store)
    db.session.expire_all()
    document = the_copy()
    content = documents.file_of(document, store)
    assert document.state is DocumentState.READY
    assert hashlib.sha256(content).hexdigest() == document.sha256
    assert document.size == len(content) < 60_000
    assert made(document.id, store) is False
    words = PdfReader(store.path(document.sha256)).pages[0].extract_text()
    code = app.extensions["cms_vault"].receipt_code(case.id)
    assert case.number in words
    assert f"{code[:4]}-{code[4:8]}-{code[8:]}" in words or f"{code[:4]} {code[4:8]} {code[8:]}" in words
    assert code not in str(document.data)


def test_report_fits_one_page_and_tells_the_outcome(app, store):
    world.disposed()
    report = db.session.scalars(select(Document).where(Document.kind == DocumentKind.REPORT)).one()
    assert made(report.id, store)
    db.session.expire_all()
    report = db.session.get(Document, report.id)
    pages = PdfReader(store.path(report.sha256)).pages
    assert len(pages) == 1
    assert "Filed" in pages[0].extract_text()


def test_a_harmed_file_is_not_handed_out(app, store):
    world.registered()
    made(the_copy().id, store)
    db.session.expire_all()
    store.path(the_copy().sha256).write_bytes(b"%PDF-1.7 something else")
    assert documents.file_of(the_copy(), store) is None


def test_a_refused_text_is_marked_and_not_tried_for_ever(app, store):
    world.registered()

    def refuse(*_args, **_kwargs):
        raise pdf.DocumentRefused("too long")

    with pytest.raises(pdf.DocumentRefused):
        made(the_copy().id, store, refuse)
    db.session.expire_all()
    assert the_copy().state is DocumentState.FAILED


def test_a_full_disk_leaves_the_row_waiting(app, store, tmp_path):
    world.registered()

    class Full(Store):
        def put(self, content):
            raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        made(the_copy().id, Full(tmp_path))
    db.session.expire_all()
    assert the_copy().state is DocumentState.PENDING
    assert documents.pending(db.session, world.NOW) == [the_copy().id]
    assert made(the_copy().id, store)


def test_an_outage_longer_than_the_first_tries_is_made_up_for(app, store, tmp_path):
    world.registered()

    class Full(Store):
        def put(self, content):
            raise OSError(28, "No space left on device")

    for _ in range(documents.QUICK_TRIES):
        with pytest.raises(OSError, match="No space"):
            made(the_copy().id, Full(tmp_path), lambda *_args, **_kwargs: b"%PDF")
        db.session.expire_all()
    assert documents.pending(db.session, world.NOW) == []
    later = world.NOW + timedelta(hours=1)
    assert documents.pending(db.session, later) == [the_copy().id]
    assert made(the_copy().id, store)


def test_content_and_hash_never_change(app, store):
    world.registered()
    made(the_copy().id, store)
    for statement in ("UPDATE document SET sha256 = 'x'", "UPDATE document SET code = 'x'"):
        with pytest.raises(Exception, match="refused"), db.engine.begin() as connection:
            connection.exec_driver_sql(statement)


def test_settling_the_copy(app):
    case = world.registered()
    clerk = world.as_viewer("branch.hsr")
    assert [c.id for c in deliveries.unsettled(db.session, clerk)] == [case.id]
    with pytest.raises(RuleBroken), unit_of_work(clerk) as work:
        deliveries.deliver(work, the_copy().id, Channel.DECLINED, note=" ")
    with pytest.raises(NotFound), unit_of_work(world.as_viewer("branch.srs")) as work:
        deliveries.deliver(work, the_copy().id, Channel.PRINT)
    with unit_of_work(clerk) as work:
        deliveries.deliver(work, the_copy().id, Channel.PRINT)
    assert deliveries.unsettled(db.session, clerk) == []
    assert db.session.scalars(select(Delivery)).one().channel is Channel.PRINT


def test_the_desk_that_registered_for_another_station_sees_it_until_settled(app):
    case = world.registered(by="branch.srs")
    desk = world.as_viewer("branch.srs")
    assert case.registered_unit.code == "SRS"
    with unit_of_work(desk) as work:
        deliveries.deliver(work, the_copy().id, Channel.PRINT)
    with pytest.raises(NotFound), unit_of_work(desk) as work:
        deliveries.deliver(work, the_copy().id, Channel.PRINT)


def test_mail_waits_for_its_pdf_and_goes_once(app, store, tmp_path):
    world.registered()
    with unit_of_work(world.as_viewer("branch.hsr")) as work:
        deliveries.deliver(work, the_copy().id, Channel.EMAIL, address="ram@example.org")
    gateway = Files(tmp_path / "mail", "cms@example.org")
    outbox = db.session.scalars(select(Outbox.id)).one()
    assert messages.send(outbox, gateway, store) is False
    made(the_copy().id, store)
    assert messages.send(outbox, gateway, store) is True
    assert messages.send(outbox, gateway, store) is False
    assert db.session.scalars(select(Outbox)).one().state is SendState.SENT
    mail = next((tmp_path / "mail").glob("*.eml")).read_text()
    assert "application/pdf" in mail
    assert "रामफल" not in mail


def test_tracking_needs_number_and_code(app):
    case = world.registered()
    vault = app.extensions["cms_vault"]
    code = vault.receipt_code(case.id)
    find = lambda number, code: tracking.find(db.session, vault, number, code)  # noqa: E731
    assert find(f" {case.number.lower()} ", f"{code[:4]} {code[4:8]}-{code[8:]}").id == case.id
    assert find(case.number, "000000000000") is None
    assert find("HSR-2026-999999-0", code) is None
    assert find("", "") is None


def test_verify_knows_genuine_superseded_and_unknown(app):
    case = world.registered()
    first = the_copy().code
    with unit_of_work(world.as_viewer("branch.hsr")) as work:
        second = documents.issue_copy(work, work.session.get_one(Complaint, case.id)).code
    assert tracking.verify(db.session, first).superseded is True
    assert tracking.verify(db.session, second.lower()).superseded is False
    assert tracking.verify(db.session, "X" * 16) is None


def sheets(page):
    """The letters of a page to be printed, after their list."""
    assert page.status_code == 200
    listed, *letters = page.text.split('<article class="sheet"')[1:]
    return listed, letters


def test_all_copies_on_one_page_with_a_list_to_sign(app, sign_in):
    cases = [world.registered(phone=f"99999 0000{n}", name=f"रामफल {n}") for n in range(3)]
    numbers = [case.number for case in cases]
    settled = documents.latest(db.session(), cases[1].id, DocumentKind.COPY).id
    with unit_of_work(world.as_viewer("branch.hsr")) as work:
        deliveries.deliver(work, settled, Channel.PRINT)
    listed, letters = sheets(sign_in("branch.hsr").get("/admin/complaint/letters/copies/"))
    assert [number for number in numbers if number in listed] == [numbers[0], numbers[2]]
    assert [numbers[0] in letters[0], numbers[2] in letters[1], len(letters)] == [True, True, 2]
    assert "रामफल 0" in listed
    assert "रामफल\u00a00" in letters[0]
    assert all("<svg" in letter and "<main" not in letter for letter in letters)
    assert len(deliveries.unsettled(db.session, world.as_viewer("branch.hsr"))) == 2  # printing hands nothing over


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["sqlite"])
def test_five_hundred_letters_are_one_file_below_a_list_of_them(app, sign_in, store):
    """Real registrations; a few have their bytes, so that the list says how many pages they are."""
    numbers = [world.registered(form_key=f"n{n}", phone=f"9999{n:06}", name=f"रामफल {n}").number for n in range(500)]
    for row in db.session.scalars(select(Document.id).order_by(Document.id).limit(3)).all():
        assert made(row, store)
    begun = time.process_time()
    page = sign_in("branch.hsr").get("/admin/complaint/letters/copies/")
    assert time.process_time() - begun < 20
    listed, letters = sheets(page)
    rows = re.findall(r"<tr>(.*?)</tr>", listed, re.DOTALL)[1:]
    assert len(rows) == len(letters) == 500
    for n, (number, row, letter) in enumerate(zip(numbers, rows, letters, strict=True)):
        cells = re.findall(r"<td[^>]*>(.*?)</td>", row)
        assert cells[:3] == [str(n + 1), number, f"रामफल {n}"]
        assert cells[3] in ("Copy of the complaint, version 1", "शिकायत की प्रति, संस्करण 1")
        assert cells[4] == ("1" if n < 3 else "–")
        assert number in letter
        assert f"रामफल\u00a0{n}" in letter


def test_all_reports_of_the_own_desk(app, sign_in):
    case = world.disposed()
    for login, count in (("branch.hsr", 1), ("branch.srs", 0)):
        page = sign_in(login).get("/admin/complaint/letters/reports/")
        assert page.text.count('<article class="sheet"') == 2 * count
        assert (case.number in page.text) == bool(count)


def test_only_a_desk_prints_all(app, sign_in):
    world.registered()
    for login in ("io.hsr", "feedback.hsr", "audit.hsr", "admin"):
        if db.session.scalar(select(User.id).where(User.login == login)):
            assert sign_in(login).get("/admin/complaint/letters/copies/").status_code == 403
    assert sign_in("branch.hsr").get("/admin/complaint/letters/notes/").status_code == 404
    assert sign_in("branch.srs").get("/admin/complaint/letters/copies/").text.count('class="sheet"') == 0


def test_a_batch_has_an_end(app):
    for n in range(4):
        world.registered(phone=f"99999 0000{n}")
    clerk = world.as_viewer("branch.hsr")
    assert len(deliveries.waiting(db.session(), clerk, DocumentKind.COPY, 3)) == 3


def test_each_letter_begins_a_page(sign_in):
    css = sign_in("branch.hsr").get("/admin/complaint/letter.css").text
    assert ".sheet ~ .sheet { break-before: page }" in css
