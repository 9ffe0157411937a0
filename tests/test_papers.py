"""Papers of an office: its address and list of copies, the versions of the templates, the hand-over note as a file."""

import hashlib
import io
import shutil
from datetime import timedelta

import pytest
import world
from pypdf import PdfReader
from sqlalchemy import func, select

from cms import pdf
from cms.jobs import sweeps
from cms.models import CopyTo, Document, DocumentKind, DocumentState, Edition, HandOverPaper, Unit, db
from cms.rules import SYSTEM, Post
from cms.services import accusing, documents, orders, proposals
from cms.services.complaints import AccusedNamed
from cms.services.orders import Line, LineKind, Order
from cms.store import Store
from cms.unit_of_work import unit_of_work

RELEASED = {"v1": "6f30093ef87da8d8"}
"""What was issued stays renderable as it was: a released version is never edited, a change is a new one."""


def kept(**values):
    """A unit with other values."""
    with unit_of_work(SYSTEM) as work:
        unit = work.session.scalars(select(Unit).where(Unit.code == values.pop("code"))).one()
        for name, value in values.items():
            setattr(unit, name, value)


def copy_to(code, name, kind=None, **values):
    with unit_of_work(SYSTEM) as work:
        unit = work.session.scalars(select(Unit).where(Unit.code == code)).one()
        work.session.add(CopyTo(unit_id=unit.id, kind=kind, name_en=name, name_hi=f"हि {name}", **values))


def report_of(case):
    db.session.expire_all()
    return documents.latest(db.session(), case.id, DocumentKind.REPORT).data


# ---------------------------------------------------------------- letterhead and copies


def test_the_nearest_office_that_says_how_it_is_reached_counts(app):
    first = world.disposed()
    assert (report_of(first)["contact_hi"], report_of(first)["contact_en"]) == ("", "")
    kept(code="HSR", address_en="Mini Secretariat, Hisar", phone="01662 232000")
    district = report_of(world.disposed(form_key="b"))
    assert district["contact_en"] == "Mini Secretariat, Hisar · Tel. 01662 232000"
    assert district["contact_hi"] == "Mini Secretariat, Hisar · दूरभाष 01662 232000"
    kept(code="HSR-PS01", address_hi="तोशाम रोड, हिसार", address_en="Tosham Road, Hisar", email="sho.hsr@police.example")
    station = report_of(world.disposed(form_key="c"))
    assert station["contact_hi"] == "तोशाम रोड, हिसार · sho.hsr@police.example"
    assert station["contact_en"] == "Tosham Road, Hisar · sho.hsr@police.example"
    assert report_of(first)["contact_en"] == ""  # what was issued stays


def test_copies_go_by_the_list_of_the_nearest_office(app):
    assert report_of(world.disposed())["copies_en"] == ["Office of PS Hisar City", "Office of Hisar District"]
    copy_to("HSR", "The record")
    assert report_of(world.disposed(form_key="b"))["copies_en"] == ["The record"]
    copy_to("HSR-PS01", "Second", position=2)
    copy_to("HSR-PS01", "First", position=1)
    copy_to("HSR-PS01", "Nobody now", position=3, active=False)
    said = report_of(world.disposed(form_key="c"))
    assert (said["copies_en"], said["copies_hi"]) == (["First", "Second"], ["हि First", "हि Second"])
    copy_to("HSR-PS01", "The superintendent", kind=DocumentKind.REPORT)
    copy_to("HSR-PS01", "For replies", kind=DocumentKind.INTERIM)
    assert report_of(world.disposed(form_key="d"))["copies_en"] == ["The superintendent"]


def test_the_administrator_keeps_both_in_a_grid(app, sign_in):
    unit = world.unit("HSR-PS01")
    admin = sign_in("admin")
    row = {"unit": str(unit.id), "kind": "REPORT", "name_en": "SP Hisar", "name_hi": "पुलिस अधीक्षक", "position": "1", "active": "yes"}
    answer = admin.post("/admin/copyto/new/", row)
    assert answer.status_code in (302, 303), answer.text[-3000:]
    assert "SP Hisar" in admin.get("/admin/copyto/").text
    assert report_of(world.disposed())["copies_en"] == ["SP Hisar"]
    assert 'name="address_hi"' in admin.get(f"/admin/unit/edit/?id={unit.id}").text
    assert sign_in("sho.hsr").post("/admin/copyto/new/", row).status_code in (403, 404)


# ---------------------------------------------------------------- editions


def words_of(document, app, tmp_path):
    """What the made file of a document says, and the page beside it."""
    store = Store(tmp_path / "made")
    assert documents.make(SYSTEM, document.id, store, "https://cms.example", pdf.render)
    db.session.expire_all()
    file = io.BytesIO(documents.file_of(document, store))
    return " ".join(sheet.extract_text() for sheet in PdfReader(file).pages)


def test_an_office_says_in_which_language_its_papers_are(app, sign_in, tmp_path):
    def issued(key):
        return documents.latest(db.session(), world.registered(form_key=key).id, DocumentKind.COPY)

    both = issued("a")
    assert both.edition is Edition.HI_EN
    kept(code="HSR", edition=Edition.EN_HI)
    assert issued("b").edition is Edition.EN_HI  # of the office above
    kept(code="HSR-PS01", edition=Edition.HI)
    hindi = issued("c")
    assert (hindi.edition, both.edition) == (Edition.HI, Edition.HI_EN)
    said = words_of(hindi, app, tmp_path)
    assert "शिकायत की प्रति" in said
    assert "Your rights" not in said
    assert "Your rights" in words_of(both, app, tmp_path)
    page = sign_in("sho.hsr").get(f"/admin/complaint/{hindi.complaint_id}/document/{hindi.id}/page/").text
    assert "आपके अधिकार" in page
    assert "Your rights" not in page
    kept(code="HSR-PS01", edition=Edition.EN)
    db.session.expire_all()
    assert hindi.edition is Edition.HI  # what was issued stays


def test_each_edition_has_its_order_of_languages():
    assert {documents.EDITIONS[edition] for edition in Edition} == set(pdf.LANGUAGES)


# ---------------------------------------------------------------- versions


def digest_of(version):
    """One hash over a version's files, by their names."""
    files = [*sorted((pdf.TEMPLATES / version).iterdir()), pdf.letter_css(version)]
    return hashlib.sha256(b"".join(file.name.encode() + b"\0" + file.read_bytes() for file in files)).hexdigest()[:16]


def test_a_released_version_is_not_edited():
    assert {version: digest_of(version) for version in pdf.versions()} == RELEASED, (
        "documents were issued with these files: put the change into a new version (a folder of templates/pdf, a sheet "
        "of static/letters, pdf.CURRENT), or, before the first release that has it, write the new hash here"
    )
    assert pdf.versions()[-1] == pdf.CURRENT


@pytest.fixture
def two_versions(monkeypatch, tmp_path):
    """A second version beside the first, current from now on."""
    for name in ("v1", "v2"):
        shutil.copytree(pdf.TEMPLATES / "v1", tmp_path / "pdf" / name)
    shutil.copytree(pdf.STATIC, tmp_path / "static")
    shutil.copy(pdf.STATIC / "letters" / "v1.css", tmp_path / "static" / "letters" / "v2.css")
    head = tmp_path / "pdf" / "v2" / "parts.html"
    head.write_text(head.read_text().replace("HARYANA POLICE</span>", "HARYANA POLICE (new)</span>"))
    pdf._engine.cache_clear()
    pdf._templates.cache_clear()
    monkeypatch.setattr(pdf, "TEMPLATES", tmp_path / "pdf")
    monkeypatch.setattr(pdf, "STATIC", tmp_path / "static")
    monkeypatch.setattr(pdf, "FONTS", tmp_path / "static" / "fonts")
    yield monkeypatch
    pdf._engine.cache_clear()
    pdf._templates.cache_clear()


def test_a_document_keeps_the_version_it_was_issued_with(app, two_versions, tmp_path, sign_in):
    first = world.registered()
    two_versions.setattr(documents, "CURRENT", "v2")
    second = world.registered(form_key="b", phone="99999 00002")
    store = Store(tmp_path / "store")
    words = {}
    for row in db.session.scalars(select(Document).order_by(Document.id)).all():
        row_id, template = row.id, row.template
        assert documents.make(SYSTEM, row_id, store, "http://localhost", pdf.render)
        db.session.expire_all()
        words[template] = PdfReader(store.path(db.session.get(Document, row_id).sha256)).pages[0].extract_text()
    assert ["(new)" in words[version] for version in ("v1", "v2")] == [False, True]
    browser = sign_in("branch.hsr")
    for case, new in ((first, False), (second, True)):
        document = documents.latest(db.session(), case.id, DocumentKind.COPY)
        page = browser.get(f"/admin/complaint/{case.id}/document/{document.id}/page/").text
        assert ("(new)" in page) == new


def test_a_preview_in_any_version(app, two_versions, sign_in):
    case = world.registered()
    two_versions.setattr(pdf, "CURRENT", "v2")
    browser = sign_in("branch.hsr")
    path = f"/admin/complaint/{case.id}/preview/copy/"
    assert "Your rights" in browser.get(path).text
    kept(code="HSR-PS01", edition=Edition.HI)
    assert "Your rights" not in browser.get(path).text
    assert "(new)" in browser.get(path).text
    assert "(new)" not in browser.get(path + "?template=v1").text
    for unknown in ("v3", "../v1", ""):
        assert browser.get(path, query_string={"template": unknown}).status_code == 404
    assert f"{path}?template=v1" in browser.get(f"/admin/complaint/details/?id={case.id}").text
    assert sign_in("io.hsr").get(path + "?template=v1").status_code in (403, 404)


def test_an_unknown_version_is_refused():
    with pytest.raises(pdf.DocumentRefused):
        pdf.html("v99/copy.html", {}, language="hi", embed=False)


# ---------------------------------------------------------------- the hand-over note


TODAY = world.NOW.date()


def ordered(start=TODAY):
    """The IO is posted away by an order, his successor named; the order and the IO."""
    officer, successor = world.officer("io.hsr").id, world.officer("io2.hsr").id
    line = Line(officer_id=officer, kind=LineKind.POSTED, start=start, unit_id=world.unit("HSR-PS02").id, post=Post.IO,
                successor_id=successor)  # fmt: skip
    with unit_of_work(world.as_viewer("branch.hsr"), now=world.NOW) as work:
        proposal = proposals.propose_order(work, Order("1187/2026", TODAY, [line])).id
    with unit_of_work(world.as_viewer("sp.hsr"), now=world.NOW) as work:
        proposals.confirm(work, proposal, None)
    db.session.expire_all()
    return proposal, officer


def the_note():
    db.session.expire_all()
    return db.session.scalars(select(HandOverPaper)).one()


def test_the_note_is_a_file_with_every_complaint(app, sign_in):
    numbers = [world.enquired().number, world.assigned(form_key="b", phone="99999 00002").number]
    proposal, officer = ordered()
    path = f"/admin/people/handover/{proposal}/{officer}/"
    browser = sign_in("sp.hsr")
    assert browser.get(path + "file/").status_code == 404
    assert "is being prepared" in browser.get(path).text
    assert sweeps.render_note(the_note().id)
    assert not sweeps.render_note(the_note().id)
    store = app.extensions["cms_store"]
    content = documents.file_of(the_note(), store)
    assert hashlib.sha256(content).hexdigest() == the_note().sha256
    said = "".join(page.extract_text() for page in PdfReader(store.path(the_note().sha256)).pages)
    for text in (*numbers, "1187/2026", "Ramesh Yadav", "Suresh Jangra"):
        assert text in said
    for login in ("sp.hsr", "io.hsr", "io2.hsr", "branch.hsr", "adgp"):
        reader = sign_in(login)
        assert reader.get(path + "file/").data == content, login
        assert f"{path}file/" in reader.get(path).text


def test_the_note_is_in_the_languages_of_its_office(app, sign_in):
    world.enquired()
    kept(code="HSR", edition=Edition.HI)
    proposal, officer = ordered()
    assert the_note().edition is Edition.HI
    assert sweeps.render_note(the_note().id)
    file = app.extensions["cms_store"].path(the_note().sha256)
    pages = "".join(page.extract_text() for page in PdfReader(file).pages)
    page = sign_in("sp.hsr").get(f"/admin/people/handover/{proposal}/{officer}/letter/").text
    for said in (pages, page):
        assert "प्रभार" in said
        assert "hand-over note" not in said.lower()
        assert "handed over" not in said.lower()


def test_the_file_is_for_those_alone_who_may_see_all_of_it(app, sign_in):
    world.enquired()
    proposal, officer = ordered()
    sweeps.render_note(the_note().id)
    path = f"/admin/people/handover/{proposal}/{officer}/"
    admin = sign_in("admin")
    assert admin.get(path).status_code == 200  # the order is his to see, the complaints are not
    assert admin.get(path + "file/").status_code == 404
    assert "file/" not in admin.get(path).text
    for login in ("sp.srs", "sho.srs", "audit"):
        assert sign_in(login).get(path + "file/").status_code == 404


def test_who_is_barred_from_one_complaint_of_it_has_the_page_alone(app, sign_in):
    open_one, other = world.enquired(), world.enquired(form_key="b", phone="99999 00002")
    numbers, other_id = (open_one.number, other.number), other.id
    proposal, officer = ordered()
    sweeps.render_note(the_note().id)
    path = f"/admin/people/handover/{proposal}/{officer}/"
    assert sign_in("io2.hsr").get(path + "file/").status_code == 200
    head = AccusedNamed(officer_id=world.officer("sho.hsr").id)
    with unit_of_work(world.as_viewer("dsp.hsr"), now=world.NOW) as work:
        accusing.accuse(work, other_id, None, head, "Named later.")
    barred, above = sign_in("io2.hsr"), sign_in("sp.hsr")
    assert barred.get(path + "file/").status_code == 404
    page = barred.get(path + "letter/").text
    assert [number in page for number in numbers] == [True, False]
    assert "file/" not in barred.get(path).text
    assert above.get(path + "file/").status_code == 200


def test_an_order_of_a_later_day_gives_its_note_on_that_day(app):
    world.enquired()
    ordered(TODAY + timedelta(days=5))
    assert db.session.scalar(select(func.count()).select_from(HandOverPaper)) == 0
    assert orders.take_effect(world.NOW + timedelta(days=5)) == 1
    assert the_note().state is DocumentState.PENDING
    assert documents.pending(db.session(), world.NOW + timedelta(days=5), of=HandOverPaper) == [the_note().id]


def test_nobody_changes_the_note(app):
    world.enquired()
    ordered()
    sweeps.render_note(the_note().id)
    for statement in ("UPDATE handover_paper SET sha256 = 'x'", "UPDATE handover_paper SET data = '{}'", "DELETE FROM handover_paper"):
        with pytest.raises(Exception, match="refused"), db.engine.begin() as connection:
            connection.exec_driver_sql(statement)


def test_a_lost_hint_is_made_good_by_the_sweep(app, monkeypatch):
    world.enquired()
    ordered()
    hinted = []
    monkeypatch.setattr(sweeps.queue, "hint", lambda where, job, *args, job_id: hinted.append((job, *args)))
    monkeypatch.setattr(sweeps, "swept", lambda: None)
    monkeypatch.setattr(sweeps, "utcnow", lambda: world.NOW)
    sweeps.pending_documents(0)
    assert ("render_note", the_note().id) in hinted
