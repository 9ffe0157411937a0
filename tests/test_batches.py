"""Letters of a desk as one file to be printed: what is in it, who gets it, how long it is kept."""

import hashlib
import io
import subprocess
import sys
from datetime import timedelta

import numpy
import pikepdf
import pypdfium2
import pytest
import world
from sqlalchemy import select

from cms import pdf, pdf_batch
from cms.jobs import sweeps
from cms.models import Channel, Document, DocumentKind, DocumentState, PrintBatch, Seen, db
from cms.rules import SYSTEM, RuleBroken
from cms.services import accusing, batches, deliveries, documents
from cms.services.complaints import AccusedNamed
from cms.services.desk import Forbidden
from cms.unit_of_work import unit_of_work, utcnow

PATH = "/admin/complaint/letters/copies/file/"


def stub(pages=1):
    """A small PDF in the place of a rendered one."""
    made, out = pikepdf.new(), io.BytesIO()
    for _ in range(pages):
        made.add_blank_page(page_size=(595.28, 841.89))
    made.save(out, deterministic_id=True)
    return out.getvalue()


def copies(app, count, pages=lambda n: 1, unmade=()):
    """Registered complaints with the bytes of their copies; the documents' ids."""
    cases = [world.registered(form_key=f"n{n}", phone=f"99999 0000{n}", name=f"रामफल {n}").id for n in range(count)]
    found = [documents.latest(db.session(), case, DocumentKind.COPY).id for case in cases]
    for n, one in enumerate(found):
        if n not in unmade:
            documents.make(SYSTEM, one, app.extensions["cms_store"], "http://localhost", lambda *_a, n=n, **_k: stub(pages(n)))
    db.session.expire_all()
    return found


def asked(count=500, apart=False, login="branch.hsr", now=None):
    with unit_of_work(world.as_viewer(login), now=now or utcnow()) as work:
        return batches.ask(work, DocumentKind.COPY, count, apart).id


def row(batch_id):
    db.session.expire_all()
    return db.session.get(PrintBatch, batch_id)


@pytest.fixture
def said(monkeypatch):
    """What the list was drawn from, in the place of drawing it."""
    kept = []
    monkeypatch.setattr(pdf, "render", lambda template, data, language: kept.append((template, data, language)) or stub(2))
    return kept


def lines(said):
    return [line for part in said[-1][1]["rows"] for line in part]


# ---------------------------------------------------------------- the file


def pixels(content):
    return [page.render(scale=0.7).to_numpy() for page in pypdfium2.PdfDocument(content)]


@pytest.mark.parametrize("backend", ["sqlite"])
def test_one_file_holds_the_list_and_the_letters_as_they_were_issued(app, sign_in):
    ids = [documents.latest(db.session(), world.registered(form_key=k).id, DocumentKind.COPY).id for k in "ab"]
    for one in ids:
        assert sweeps.make(one)
    batch_id = asked()
    assert sweeps.render_batch(batch_id)
    assert not sweeps.render_batch(batch_id)
    batch = row(batch_id)
    content = sign_in("branch.hsr").get(f"{PATH}{batch_id}/").data
    assert (hashlib.sha256(content).hexdigest(), len(content)) == (batch.sha256, batch.size)
    cover, *letters = pixels(content)
    assert batch.pages == 3
    store = app.extensions["cms_store"]
    for one, drawn in zip(ids, letters, strict=True):
        (issued,) = pixels(documents.file_of(db.session.get(Document, one), store))
        assert numpy.array_equal(drawn, issued)
    opened = pikepdf.open(io.BytesIO(content))
    assert opened.check_pdf_syntax() == []
    words = pypdfium2.PdfDocument(content)[0].get_textpage().get_text_range()
    for one in ids:
        assert db.session.get(Document, one).complaint.number in words
    assert "not an issued document" in words
    assert cover.any()


def test_what_letters_share_is_stored_once():
    letter = pdf.render("copy.html", pdf._filler(pdf.CopyData), language="hi")
    made, pages = pdf_batch.join([letter] * 40, apart=False, title="x")
    fonts = {page.Resources.Font[name].DescendantFonts[0].FontDescriptor.FontFile2.objgen
             for page in pikepdf.open(io.BytesIO(made)).pages for name in page.Resources.Font}  # fmt: skip
    assert (pages, len(fonts)) == (40, 4)
    assert len(made) < 40 * len(letter) / 2


def test_the_same_parts_make_the_same_file():
    first, second = (pdf_batch.join([stub(1), stub(3)], apart=True, title="x") for _ in range(2))
    assert first == second


@pytest.mark.parametrize(("apart", "pages"), [(False, 7), (True, 10)])
def test_on_both_sides_each_letter_begins_a_sheet(apart, pages):
    made, count = pdf_batch.join([stub(2), stub(1), stub(1), stub(3)], apart=apart, title="x")
    assert count == len(pikepdf.open(io.BytesIO(made)).pages) == pages


def test_the_list_says_who_gets_what_in_order(app, said):
    ids = copies(app, 3, pages=lambda n: n + 1)
    assert sweeps.render_batch(asked())
    numbers = [db.session.get(Document, one).complaint.number for one in ids]
    template, data, language = said[0]
    assert (template, language, data["kind_en"], data["out"]) == ("v1/batch.html", "hi", "Copy of the complaint", 0)
    assert [(one["no"], one["number"], one["name"], one["version"], one["out"]) for one in lines(said)] == [
        (n + 1, number, f"रामफल {n}", "1", False) for n, number in enumerate(numbers)
    ]


def test_a_letter_not_there_yet_is_named_and_left_out(app, said):
    ids = copies(app, 3, unmade={1})
    gone = db.session.get(Document, ids[2]).sha256
    copies_there = app.extensions["cms_store"].path(gone)
    copies_there.write_bytes(b"harmed")  # as is one whose bytes were harmed; all three stubs are the same file
    batch_id = asked()
    assert sweeps.render_batch(batch_id)
    assert [line["out"] for line in lines(said)] == [True, True, True]
    assert (said[-1][1]["out"], row(batch_id).pages) == (3, 2)
    assert "3 letters are not in this file" in said[-1][1]["out_en"]
    copies_there.unlink()
    app.extensions["cms_store"].put(stub())
    second = asked(count=2)
    assert sweeps.render_batch(second)
    assert [line["out"] for line in lines(said)] == [False, True]
    assert row(second).pages == 3


def test_a_list_of_five_hundred_fits_what_a_paper_may_hold(app):
    """The longest names there are, in every row."""
    batch = PrintBatch(id=1, kind=DocumentKind.COPY, issued_at=world.NOW, data={"letters": []})
    sheets = [batches.Sheet("HSR-2026-000123-7", "अ" * batches.LONGEST_NAME, 12, 3, None)] * batches.MOST
    drawn = pdf.html("batch.html", batches.list_of(batch, world.unit("HSR"), sheets), language="hi", embed=True)
    assert drawn.count("HSR-2026-000123-7") == batches.MOST


# ---------------------------------------------------------------- who, how many, how long


def test_over_five_hundred_and_none_are_refused(app):
    with pytest.raises(RuleBroken, match="At most"):
        asked(count=501)
    for count in (0, 500):
        with pytest.raises(RuleBroken, match="No letter waits"):
            asked(count=count)
    copies(app, 1)
    for login in ("io.hsr", "feedback.hsr", "audit", "admin", "sp.hsr"):
        with pytest.raises(Forbidden):
            asked(login=login)
    with pytest.raises(RuleBroken, match="No letter waits"):
        asked(login="branch.srs")


def test_the_page_tells_how_it_stands(app, sign_in, said):
    clerk = sign_in("branch.hsr")
    assert "No letter waits" in clerk.get(PATH).text
    assert clerk.post(PATH, {"count": "1"}).status_code == 422
    copies(app, 2)
    for page in ("/admin/complaint/unsettled/", "/admin/complaint/letters/copies/"):
        assert "One PDF for printing" in clerk.get(page).text
    assert "2 letters wait" in clerk.get(PATH).text
    for wrong in ("", "two", "-1", "٣", "9" * 9, "0", "501"):
        answer = clerk.post(PATH, {"count": wrong})
        assert (answer.status_code, 'role="alert"' in answer.text) == (422, True), wrong
    assert clerk.post(PATH, {"count": "2", "apart": "yes"}).status_code == 303
    page = clerk.get(PATH).text
    assert "The file of 2 letters is being made" in page
    assert f'data-poll="{PATH}state/"' in page
    assert "data-ready" not in clerk.get(PATH + "state/").text
    (batch_id,) = db.session.scalars(select(PrintBatch.id)).all()
    assert clerk.get(f"{PATH}{batch_id}/").status_code == 404
    sweeps.render_batch(batch_id)
    assert f'href="{PATH}{batch_id}/"' in clerk.get(PATH).text
    assert "data-ready" in clerk.get(PATH + "state/").text
    assert "6 pages" in clerk.get(PATH).text
    assert clerk.get(f"{PATH}{batch_id}/").headers["Content-Disposition"].endswith(f'"copies-{batch_id}.pdf"')
    assert clerk.get(f"/admin/complaint/letters/reports/file/{batch_id}/").status_code == 404


def test_nobody_else_gets_it(app, sign_in, said):
    copies(app, 1)
    batch_id = asked()
    sweeps.render_batch(batch_id)
    for login in ("branch.srs", "sho.hsr", "branch.s1"):
        assert sign_in(login).get(f"{PATH}{batch_id}/").status_code == 404, login
        assert f"/{batch_id}/" not in sign_in(login).get(PATH).text
    for login in ("io.hsr", "sp.hsr", "admin", "audit"):
        assert sign_in(login).get(f"{PATH}{batch_id}/").status_code == 403, login


def test_one_letter_that_is_no_longer_his_shuts_the_whole_file(app, sign_in, said):
    ids = copies(app, 2)
    batch_id = asked()
    sweeps.render_batch(batch_id)
    clerk = sign_in("branch.hsr")
    assert clerk.get(f"{PATH}{batch_id}/").status_code == 200
    head = AccusedNamed(unit_id=world.unit("HSR").id)
    case = db.session.get(Document, ids[1]).complaint_id
    with unit_of_work(world.as_viewer("adgp"), now=world.NOW) as work:
        accusing.accuse(work, case, None, head, "Named later.")
    answer = clerk.get(f"{PATH}{batch_id}/")
    assert (answer.status_code, "made anew" in answer.text) == (409, True)
    assert sweeps.render_batch(again := asked())
    assert clerk.get(f"{PATH}{again}/").status_code == 200
    assert row(again).data == {"letters": ids[:1]}


def test_taking_the_file_opens_every_complaint_in_it(app, sign_in, said):
    copies(app, 3)
    batch_id = asked()
    sweeps.render_batch(batch_id)
    for _ in range(2):
        assert sign_in("branch.hsr").get(f"{PATH}{batch_id}/").status_code == 200
        assert len(db.session.scalars(select(Seen)).all()) == 3


def test_a_new_file_takes_the_place_of_the_one_before(app, sign_in, said):
    ids = copies(app, 2)
    first = asked()
    assert asked() == first  # twice on the button
    second = asked(apart=True)
    assert sweeps.render_batch(second)
    assert not sweeps.render_batch(first)
    assert f"{PATH}{second}/" in sign_in("branch.hsr").get(PATH).text
    with unit_of_work(world.as_viewer("branch.hsr")) as work:
        deliveries.deliver(work, ids[0], Channel.PRINT)
    assert row(asked()).data == {"letters": ids[1:]}


def test_after_a_day_row_and_file_are_gone(app, sign_in, said):
    copies(app, 1)
    batch_id = asked()
    sweeps.render_batch(batch_id)
    kept, sha256 = app.extensions["cms_batches"], row(batch_id).sha256
    assert batches.forget(kept, utcnow()) == 0
    assert kept.path(sha256).exists()
    assert batches.forget(kept, utcnow() + batches.KEPT + timedelta(seconds=1)) == 1
    assert (row(batch_id), kept.path(sha256).exists()) == (None, False)
    clerk = sign_in("branch.hsr")
    assert clerk.get(f"{PATH}{batch_id}/").status_code == 404
    assert "is gone" in clerk.get(PATH + "state/").text


def test_a_lost_hint_is_made_good_by_the_sweep(app, monkeypatch):
    copies(app, 1)
    batch_id, hinted = asked(), []
    monkeypatch.setattr(sweeps.queue, "hint", lambda where, job, *args, job_id: hinted.append((job, *args)))
    monkeypatch.setattr(sweeps, "swept", lambda: None)
    sweeps.pending_documents(0)
    assert ("render_batch", batch_id) in hinted


def test_what_always_fails_is_given_up_and_said(app, sign_in, monkeypatch):
    copies(app, 1)
    batch_id = asked()
    monkeypatch.setattr(pdf, "render", lambda *_args, **_more: b"no PDF")
    for _ in range(batches.TRIES):
        with pytest.raises(pikepdf.PdfError):
            sweeps.render_batch(batch_id)
        assert batch_id in documents.pending(db.session(), utcnow(), of=PrintBatch)
    assert not sweeps.render_batch(batch_id)
    assert row(batch_id).state is DocumentState.FAILED
    assert "could not be made" in sign_in("branch.hsr").get(PATH).text


def test_a_refused_list_is_said_at_once(app, monkeypatch):
    def refuse(*_args, **_more):
        raise pdf.DocumentRefused("too long")

    copies(app, 1)
    batch_id = asked()
    monkeypatch.setattr(pdf, "render", refuse)
    assert not sweeps.render_batch(batch_id)
    assert row(batch_id).state is DocumentState.FAILED


def test_only_the_renderer_loads_what_joins():
    code = "import sys, app; from cms.jobs import sweeps; print([m for m in ('pikepdf', 'weasyprint') if m in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=pdf.ROOT, env={"CMS_DEMO": "1"})
    assert run.stdout.strip() == "[]", run.stderr
