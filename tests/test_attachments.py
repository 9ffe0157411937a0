"""Files on a complaint: what comes in, what is kept, who gets it, and what a stranger learns of it (nothing)."""

import gc
import io
import random
import warnings
import zipfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
import world
from PIL import ExifTags, Image
from sqlalchemy import func, select

from cms.models import Attachment, Complaint, Seen, db
from cms.rules import RuleBroken
from cms.services import attachments, complaints
from cms.services.complaints import AccusedNamed
from cms.services.desk import Forbidden
from cms.store import Store
from cms.unit_of_work import unit_of_work

PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"
FTYP = b"\0\0\0\x20ftyp%s\0\0\0\0isommp42" + bytes(64)


def picture(kind="JPEG", size=(400, 300), mode="RGB", colour="red", **options) -> bytes:
    made = io.BytesIO()
    Image.new(mode, size, colour).save(made, kind, **options)
    return made.getvalue()


def photo(size=(400, 300), orientation=1) -> bytes:
    """A photograph with the camera's clock and place in it."""
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    exif[ExifTags.Base.Make] = "Cheap Phone"
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = "2026:11:24 10:15:30"
    place = exif.get_ifd(ExifTags.IFD.GPSInfo)
    place[ExifTags.GPS.GPSLatitudeRef], place[ExifTags.GPS.GPSLatitude] = "N", (29.0, 9.0, 15.12)
    place[ExifTags.GPS.GPSLongitudeRef], place[ExifTags.GPS.GPSLongitude] = "E", (75.0, 43.0, 17.4)
    return picture(size=size, exif=exif)


def macro_book() -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as book:
        book.writestr("[Content_Types].xml", "<Types/>")
        book.writestr("word/vbaProject.bin", b"macro")
    return made.getvalue()


GOOD = {
    "image/jpeg": ("p.jpg", picture()), "image/png": ("p.png", picture("PNG")), "image/webp": ("p.webp", picture("WEBP")),
    "application/pdf": ("d.pdf", PDF), "audio/mpeg": ("s.mp3", b"ID3\x04" + bytes(60)), "audio/mp4": ("s.m4a", FTYP % b"M4A "),
    "audio/ogg": ("s.ogg", b"OggS\0\x02" + bytes(60)), "video/mp4": ("f.mp4", FTYP % b"isom"),
}  # fmt: skip
BAD = {
    "program": b"MZ\x90\0" + bytes(80), "elf": b"\x7fELF\x02\x01\x01" + bytes(80), "page": b"<!doctype html><script>alert(1)</script>",
    "svg": b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>', "office": macro_book(),
    "old office": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "script": b"#!/bin/sh\nrm -rf /\n", "text": "नमस्ते".encode(),
    "gif": picture("GIF"), "heic": FTYP % b"heic", "page before a PDF": b"<html>" + PDF, "zip": b"PK\x03\x04" + bytes(80),
}  # fmt: skip


@pytest.mark.parametrize("media_type", GOOD)
def test_what_a_file_is_its_bytes_say(media_type):
    name, content = GOOD[media_type]
    found = attachments.examine(content, "../../etc/" + name)
    assert (found.media_type, found.name, found.content) == (media_type, name, content)
    assert (found.clean is not None) == media_type.startswith("image/")
    assert set(attachments.TYPES) == set(GOOD)


@pytest.mark.parametrize("kind", BAD)
def test_what_may_not_come_in_is_refused_with_a_sentence(kind):
    for name in ("harmless.jpg", "harmless.pdf"):
        with pytest.raises(RuleBroken, match="none of these"):
            attachments.examine(BAD[kind], name)


def test_a_name_never_lies_about_the_file():
    assert attachments.examine(picture(), "page.html").name == "page.html.jpg"
    assert attachments.examine(PDF, 'C:\\x\\"q\r\n.pdf').name == "q.pdf"
    assert attachments.examine(PDF, "मौका " * 60 + ".pdf").name.endswith(".pdf")
    assert len(attachments.examine(PDF, "a" * 300).name) <= 120
    assert attachments.examine(PDF, "...").name == "file.pdf"


def test_empty_and_too_large_are_refused():
    with pytest.raises(RuleBroken, match="is empty"):
        attachments.examine(b"", "a.pdf")
    with pytest.raises(RuleBroken, match="larger than"):
        attachments.examine(PDF + bytes(attachments.MOST_BYTES), "a.pdf")


def test_a_photograph_keeps_its_facts_and_its_clean_copy_has_none():
    content = photo(size=(3000, 2000), orientation=6)
    found = attachments.examine(content, "p.jpg")
    assert found.content == content
    assert found.facts == {"width": 3000, "height": 2000, "taken": "2026-11-24T10:15:30", "place": [29.1542, 75.721500]}
    with Image.open(io.BytesIO(found.clean)) as clean:
        assert (clean.format, clean.size) == ("JPEG", (1333, 2000))  # upright, and bounded
        assert dict(clean.getexif()) == {}
    assert b"Cheap Phone" in found.content
    assert b"Cheap Phone" not in found.clean
    assert b"Exif" not in found.clean
    with Image.open(io.BytesIO(attachments.small(found.clean))) as little:
        assert max(little.size) == attachments.SMALL_SIDE


@pytest.mark.parametrize(("kind", "mode"), [("PNG", "RGBA"), ("PNG", "P"), ("PNG", "1"), ("PNG", "I;16"), ("JPEG", "CMYK"),
                                            ("JPEG", "L"), ("WEBP", "RGBA"), ("PNG", "LA")])  # fmt: skip
def test_pictures_of_every_mode_are_drawn(kind, mode):
    found = attachments.examine(picture(kind, mode=mode, colour=0), "p")
    with Image.open(io.BytesIO(found.clean)) as clean:
        assert (clean.mode, clean.size) == ("RGB", (400, 300))


def test_a_picture_that_would_fill_the_memory_is_refused():
    for size, kind in (((8_000, 8_000), "PNG"), ((9_000, 9_000), "JPEG"), ((14_000, 14_000), "PNG")):
        bomb = picture(kind, size=size, mode="L", colour=0)
        assert len(bomb) < attachments.MOST_BYTES
        with pytest.raises(RuleBroken, match=r"million points|damaged"):
            attachments.examine(bomb, "bomb")


@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow tells of damaged camera data
def test_damaged_pictures_are_refused_and_never_an_error():
    chance = random.Random(7)
    for kind in ("JPEG", "PNG", "WEBP"):
        whole = photo() if kind == "JPEG" else picture(kind)
        for _ in range(150):
            part = bytearray(whole)
            for _hit in range(chance.randint(1, 12)):
                part[chance.randrange(8, len(part))] = chance.randrange(256)
            cut = bytes(part[: chance.randrange(20, len(part))]) if chance.random() < 0.4 else bytes(part)
            with suppress(RuleBroken):
                attachments.examine(cut, "x")


# ---------------------------------------------------------------- on a complaint


@pytest.fixture
def store(app) -> Store:
    return app.extensions["cms_store"]


def put(login: str, case: Complaint, store: Store, *files: tuple[str, bytes]) -> list[int]:
    viewer, case_id = world.as_viewer(login), case.id
    found = [attachments.examine(content, name) for name, content in files]
    with unit_of_work(viewer, now=world.NOW) as work:
        return [kept.id for kept in attachments.attach(work, store, case_id, found)]


def count(model=Attachment) -> int:
    return db.session.scalar(select(func.count()).select_from(model))


def test_a_file_is_kept_as_it_came_and_cannot_be_changed(app, store):
    case = world.assigned()
    (one,) = put("io.hsr", case, store, ("p.jpg", photo()))
    row = db.session.get(Attachment, one)
    assert attachments.original(store, row) == photo()
    assert row.facts["place"] == [29.1542, 75.7215]
    assert row.user_id == world.as_viewer("io.hsr").user_id
    with db.engine.connect() as connection:
        for statement in ("UPDATE attachment SET name = 'x'", "DELETE FROM attachment"):
            with pytest.raises(Exception, match="refused"):
                connection.exec_driver_sql(statement)
            connection.rollback()


def test_the_same_file_again_is_the_same_row(app, store):
    case, other = world.assigned(), world.registered(form_key="other")
    first = put("io.hsr", case, store, ("a.pdf", PDF))
    assert put("sho.hsr", case, store, ("b.pdf", PDF), ("c.pdf", PDF + b"x"))[0] == first[0]
    assert put("sho.hsr", other, store, ("a.pdf", PDF)) != first
    assert count() == 3


def test_a_file_goes_with_a_diary_entry(app, store):
    case = world.assigned()
    viewer, case_id = world.as_viewer("io.hsr"), case.id
    with unit_of_work(viewer, now=world.NOW) as work:
        done = complaints.act(work, case_id, None, world.ActionKind.PHOTO, None, "मौके की तस्वीर")
        entry = work.session.scalars(select(complaints.Action).where(complaints.Action.note == "मौके की तस्वीर")).one()
        kept = attachments.keep(work, store, done, photo(), "p.jpg", entry)
    assert kept.action_id == entry.id


def test_the_limit_of_a_complaint_holds(app, store, monkeypatch):
    monkeypatch.setattr(attachments, "MOST_ON_COMPLAINT", 3 * len(PDF))
    case = world.assigned()
    put("io.hsr", case, store, ("a.pdf", PDF), ("b.pdf", PDF + b"\n"))
    with pytest.raises(RuleBroken, match="limited to"):
        put("io.hsr", case, store, ("c.pdf", PDF + b"\n\n"))
    assert count() == 2


def test_all_files_of_a_form_or_none(app, store, monkeypatch):
    monkeypatch.setattr(attachments, "MOST_ON_COMPLAINT", 2 * len(PDF))
    case = world.assigned()
    with pytest.raises(RuleBroken):
        put("io.hsr", case, store, ("a.pdf", PDF), ("b.pdf", PDF + b"\n"))
    assert count() == 0


def test_a_full_disk_leaves_no_row_and_no_half_file(app, store, monkeypatch):
    case = world.assigned()

    def full(self, content, suffix=".pdf"):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Store, "put", full)
        with pytest.raises(OSError, match="No space"):
            put("io.hsr", case, store, ("a.pdf", PDF))
    assert count() == 0
    assert put("io.hsr", case, store, ("a.pdf", PDF))


def test_two_at_once_do_not_pass_the_limit(app, store, monkeypatch):
    monkeypatch.setattr(attachments, "MOST_ON_COMPLAINT", 3 * len(PDF))
    case_id, viewer = world.assigned().id, world.as_viewer("io.hsr")
    db.session.remove()

    def one(number: int) -> bool:
        with app.app_context():
            found = [attachments.examine(PDF + b"\n" * number, "a.pdf")]
            try:
                with unit_of_work(viewer, now=world.NOW) as work:
                    attachments.attach(work, store, case_id, found)
            except RuleBroken:
                return False
            return True

    with ThreadPoolExecutor(6) as pool:
        won = sum(pool.map(one, range(1, 7)))
    assert won == count() == 2


@pytest.mark.parametrize(("login", "may"), [("io.hsr", True), ("sho.hsr", True), ("sp.hsr", True), ("branch.s1", True),
                                            ("audit", False)])  # fmt: skip
def test_who_may_add(app, store, login, may):
    case = world.assigned()
    if may:
        assert put(login, case, store, ("a.pdf", PDF))
        return
    with pytest.raises(Forbidden):
        put(login, case, store, ("a.pdf", PDF))


# ---------------------------------------------------------------- the pages


LEFT_OPEN = pytest.mark.filterwarnings("ignore::ResourceWarning")
"""The parser leaves the temporary file of a refused body to the garbage collector."""


@pytest.fixture
def left_open():
    """Let it go here, not in the next test."""
    yield
    with warnings.catch_warnings(action="ignore"):
        gc.collect()


def send(browser, case_id, *files, **more):
    data = {"files": [(io.BytesIO(content), name) for name, content in files], **more}
    return browser.post(f"/admin/complaint/{case_id}/files/", data, content_type="multipart/form-data")


def test_upload_list_and_download(app, sign_in):
    case_id = world.assigned().id
    browser = sign_in("io.hsr")
    form = browser.get(f"/admin/complaint/{case_id}/files/").get_data(as_text=True)
    assert 'enctype="multipart/form-data"' in form
    assert 'capture="environment"' in form
    assert send(browser, case_id, ("मौका.jpg", photo()), ("page.html", PDF)).status_code == 303
    page = browser.get(f"/admin/complaint/{case_id}/files/").get_data(as_text=True)
    assert "मौका.jpg" in page
    assert "page.html.pdf" in page
    assert "24 Nov 2026, 10:15" in page
    first, second = db.session.scalars(select(Attachment.id).order_by(Attachment.id)).all()
    got = browser.get(f"/admin/complaint/{case_id}/files/{first}/")
    assert got.data == photo()
    assert got.headers["Content-Disposition"].startswith("attachment")
    assert got.headers["X-Content-Type-Options"] == "nosniff"
    assert (got.mimetype, got.headers["Cache-Control"]) == ("image/jpeg", "no-store")
    other = browser.get(f"/admin/complaint/{case_id}/files/{second}/")
    assert (other.mimetype, other.headers["Content-Disposition"]) == ("application/pdf", "attachment; filename=page.html.pdf")
    for part in ("picture", "small"):
        clean = browser.get(f"/admin/complaint/{case_id}/files/{first}/{part}/")
        assert (clean.status_code, clean.mimetype) == (200, "image/jpeg")
        assert b"Cheap Phone" not in clean.data
        assert browser.get(f"/admin/complaint/{case_id}/files/{second}/{part}/").status_code == 404


def test_refusals_show_the_form_with_the_sentence(app, sign_in):
    case_id = world.assigned().id
    browser = sign_in("io.hsr")
    for files, said in (([("a.exe", BAD["program"])], "none of these"), ([], "Choose a file first"), ([("a.pdf", b"")], "is empty"),
                        ([("a.pdf", PDF), ("b.html", BAD["page"])], "b.html")):  # fmt: skip
        answer = send(browser, case_id, *files)
        assert answer.status_code == 422
        assert said in answer.get_data(as_text=True)
        assert count() == 0


@LEFT_OPEN
@pytest.mark.usefixtures("left_open")
def test_ten_megabytes_pass_and_eleven_do_not(app, sign_in):
    case_id = world.assigned().id
    browser = sign_in("io.hsr")
    assert send(browser, case_id, ("a.pdf", PDF + bytes(attachments.MOST_BYTES - len(PDF)))).status_code == 303
    assert "larger than" in send(browser, case_id, ("b.pdf", PDF + bytes(attachments.MOST_BYTES))).get_data(as_text=True)
    assert send(browser, case_id, ("c.pdf", PDF + bytes(attachments.AT_ONCE))).status_code == 413
    assert count() == 1


@LEFT_OPEN
@pytest.mark.usefixtures("left_open")
def test_other_forms_keep_their_limit(app, sign_in):
    big = {"text": "x" * (3 * 1024 * 1024)}
    assert sign_in("branch.hsr").post("/admin/complaint/new/", big).status_code == 413
    case_id = world.assigned().id
    stranger = app.test_client()
    answer = stranger.post(f"/admin/complaint/{case_id}/files/", data={"files": (io.BytesIO(bytes(5_000_000)), "a.pdf")})
    assert answer.status_code in (302, 303, 400, 413)


@LEFT_OPEN
@pytest.mark.usefixtures("left_open")
def test_a_broken_upload_leaves_nothing(app, sign_in):
    case_id = world.assigned().id
    browser = sign_in("io.hsr")
    body = b'--x\r\nContent-Disposition: form-data; name="csrf_token"\r\n\r\n' + browser.token.encode() + b"\r\n"
    body += b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.pdf"\r\n\r\n' + PDF[:20]
    answer = browser.client.post(f"/admin/complaint/{case_id}/files/", data=body, content_type="multipart/form-data; boundary=x")
    assert answer.status_code in (400, 413, 422)
    assert count() == 0


def test_foreign_and_missing_look_alike(app, sign_in, store):
    case = world.assigned()
    (file_id,) = put("io.hsr", case, store, ("p.jpg", photo()))
    case_id = case.id
    restricted = world.registered(form_key="r", accused=(AccusedNamed(officer_id=world.officer("io.hsr").id),))
    (hidden,) = put("dsp.hsr", restricted, store, ("p.jpg", photo()))
    restricted_id = restricted.id
    for login in ("sho.srs", "io2.hsr", "admin", "feedback.hsr"):
        browser = sign_in(login)
        for path in ("", f"{file_id}/", f"{file_id}/picture/", f"{file_id}/small/"):
            assert browser.get(f"/admin/complaint/{case_id}/files/{path}").status_code == 404, (login, path)
        assert send(browser, case_id, ("a.pdf", PDF)).status_code == 404
    for login in ("io.hsr", "sho.hsr"):
        browser = sign_in(login)
        assert browser.get(f"/admin/complaint/{restricted_id}/files/{hidden}/").status_code == 404
        assert browser.get(f"/admin/complaint/{case_id}/files/{hidden}/").status_code == 404
    assert app.test_client().get(f"/admin/complaint/{case_id}/files/{file_id}/").status_code == 302
    assert count(Seen) == 0


def test_sent_twice_is_kept_once(app, sign_in):
    case_id = world.assigned().id
    browser = sign_in("io.hsr")
    for _ in range(2):
        assert send(browser, case_id, ("a.pdf", PDF), form_key="once").status_code == 303
    assert count() == 1
