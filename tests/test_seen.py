"""The access log: who opened a complaint leaves one line an hour, and the page never fails by it."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import time_machine
import world
from sqlalchemy import event, func, select
from sqlalchemy.exc import OperationalError

from cms.admin_views import opening
from cms.admin_views.dossier import dossier
from cms.models import Complaint, Document, Seen, db
from cms.rules import SYSTEM
from cms.services import documents, looking
from cms.services.complaints import AccusedNamed
from cms.unit_of_work import unit_of_work

T = world.NOW


@pytest.fixture
def clock():
    with time_machine.travel(T, tick=False) as traveller:
        yield traveller


def rows():
    return db.session.execute(select(Seen.complaint_id, Seen.user_id, Seen.post, Seen.hour).order_by(Seen.id)).all()


def count() -> int:
    return db.session.scalar(select(func.count()).select_from(Seen))


def open_page(browser, case_id, path="details/?id={0}"):
    return browser.get("/admin/complaint/" + path.format(case_id))


def test_one_line_for_an_account_a_complaint_and_an_hour(app, sign_in, clock):
    case, other = world.assigned(), world.registered(form_key="two")
    case_id, other_id = case.id, other.id
    sp, io = sign_in("sp.hsr"), sign_in("io.hsr")
    for browser in (sp, sp, io, sp):
        assert open_page(browser, case_id).status_code == 200
    assert open_page(sp, other_id).status_code == 200
    hour = int(T.timestamp()) // 3600
    users = {login: world.as_viewer(login).user_id for login in ("sp.hsr", "io.hsr")}
    assert rows() == [(case_id, users["sp.hsr"], "SP", hour), (case_id, users["io.hsr"], "IO", hour),
                      (other_id, users["sp.hsr"], "SP", hour)]  # fmt: skip
    clock.shift(timedelta(hours=1))
    assert open_page(sp, case_id).status_code == 200
    assert count() == 4


def test_papers_and_files_count_as_opening(app, sign_in, clock):
    case = world.registered()
    case_id = case.id
    document = db.session.scalars(select(Document.id)).one()
    documents.make(SYSTEM, document, app.extensions["cms_store"], "http://localhost", lambda *a, **k: b"%PDF-1.7")
    for number, path in enumerate((f"{{0}}/document/{document}/", f"{{0}}/document/{document}/page/", "{0}/files/", "{0}/history/"), 1):
        assert open_page(sign_in("sp.hsr"), case_id, path).status_code == 200, path
        assert count() == number, path
        clock.shift(timedelta(hours=1))


def test_what_is_no_opening(app, sign_in, clock):
    case_id = world.assigned().id
    sp = sign_in("sp.hsr")
    assert sp.client.head(f"/admin/complaint/details/?id={case_id}").status_code == 200
    assert sp.get("/admin/complaint/").status_code == 200
    assert sp.get("/admin/").status_code == 200
    for login in ("sho.srs", "admin", "feedback.hsr"):
        assert open_page(sign_in(login), case_id).status_code in (403, 404)
    assert app.test_client().get(f"/admin/complaint/details/?id={case_id}").status_code == 302
    assert count() == 0


def test_a_page_never_fails_by_its_log(app, sign_in, clock, monkeypatch):
    case_id = world.assigned().id
    browser = sign_in("sp.hsr")

    def broken(work, complaint_id):
        raise OperationalError("INSERT", {}, Exception("database is locked"))

    monkeypatch.setattr(looking, "looked", broken)
    answer = open_page(browser, case_id)
    assert answer.status_code == 200
    assert "Whose time it was" in answer.get_data(as_text=True)
    assert count() == 0
    monkeypatch.undo()
    assert open_page(browser, case_id).status_code == 200
    assert count() == 1


def test_the_second_look_of_an_hour_writes_nothing(app, sign_in, clock):
    case_id = world.assigned().id
    browser = sign_in("sp.hsr")
    open_page(browser, case_id)
    said = []

    def hear(connection, cursor, statement, *rest):
        said.append(statement.split()[0].upper())

    event.listen(db.engine, "before_cursor_execute", hear)
    open_page(browser, case_id)
    event.remove(db.engine, "before_cursor_execute", hear)
    assert not [word for word in said if word not in ("SELECT", "BEGIN", "PRAGMA")]


def test_a_line_cannot_be_changed(app, sign_in, clock):
    case_id = world.assigned().id
    open_page(sign_in("sp.hsr"), case_id)
    db.session.remove()
    with db.engine.connect() as connection:
        for statement in ("UPDATE seen SET name = 'x'", "DELETE FROM seen"):
            with pytest.raises(Exception, match="refused"):
                connection.exec_driver_sql(statement)
            connection.rollback()


def test_who_is_told_of_it(app, sign_in, clock):
    case_id = world.assigned().id
    for login in ("sp.hsr", "io.hsr", "sho.hsr", "branch.s1"):
        open_page(sign_in(login), case_id)
    seen_by = "Seen by SP Anil Dhillon, SP (Hisar District)"
    for login in ("sho.hsr", "audit", "adgp"):
        text = open_page(sign_in(login), case_id).get_data(as_text=True)
        assert seen_by in text, login
        assert "opened it 24 Nov 2026, 12:00" in text, login
    for login in ("io.hsr", "branch.s1"):
        text = open_page(sign_in(login), case_id).get_data(as_text=True)
        assert "Anil Dhillon, SP (Hisar District)" not in text, login
        assert text.count("Seen by") == 1, login
        assert "has not opened it" not in text, login
    assert "has not opened it" in open_page(sign_in("adgp"), case_id).get_data(as_text=True)


def test_openings_of_a_day_are_one_line(app, sign_in, clock):
    case_id = world.assigned().id
    sp = sign_in("sp.hsr")
    for _hour in range(3):
        open_page(sp, case_id)
        clock.shift(timedelta(hours=1))
    clock.shift(timedelta(days=1))
    open_page(sp, case_id)
    page = dossier(db.session(), world.as_viewer("adgp"), case_id)
    lines = [entry for entry in page.sections[0].entries if entry.kind == "seen"]
    assert [(entry.text, entry.at) for entry in lines] == [
        ("", T + timedelta(days=1, hours=3)), ("3 times that day", T + timedelta(hours=2)),
    ]  # fmt: skip


def test_the_accused_are_not_told_who_looked(app, sign_in, clock):
    case = world.registered(accused=(AccusedNamed(officer_id=world.officer("io.hsr").id),))
    case_id = case.id
    assert open_page(sign_in("dsp.hsr"), case_id).status_code == 200
    for login in ("io.hsr", "sho.hsr", "branch.s1"):
        assert open_page(sign_in(login), case_id).status_code == 404
    assert [row.post for row in rows()] == ["DSP"]


def test_two_windows_at_once_are_one_line(app, clock):
    case_id, viewer = world.assigned().id, world.as_viewer("sp.hsr")
    done = []
    for _ in range(2):
        with unit_of_work(viewer, now=T) as work:
            done.append(looking.looked(work, case_id))
    assert done == [True, False]
    assert count() == 1


def test_windows_at_the_same_moment_are_one_line(app):
    case_id, viewer = world.assigned().id, world.as_viewer("sp.hsr")
    db.session.remove()

    def look(_number):
        with app.app_context(), unit_of_work(viewer, now=T) as work:
            return looking.looked(work, case_id)

    with ThreadPoolExecutor(6) as pool:
        done = list(pool.map(look, range(12)))
    assert (done.count(True), count()) == (1, 1)


def test_a_look_changes_nothing_else(app, sign_in, clock):
    case_id = world.assigned().id
    before = db.session.execute(select(Complaint.version, Complaint.history_seq)).one()
    open_page(sign_in("sp.hsr"), case_id)
    assert db.session.execute(select(Complaint.version, Complaint.history_seq)).one() == before
    assert opening.log.name == "cms.admin_views.opening"
