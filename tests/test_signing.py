"""Who signs the papers of an office: whoever issues them, or the post that the office names."""

from datetime import date, timedelta

import pytest
import world
from sqlalchemy import select

from cms.models import Document, DocumentKind, History, Holiday, Posting, Signatory, db
from cms.rules import SYSTEM, Post
from cms.services import accusing, documents, signing
from cms.services.complaints import AccusedNamed
from cms.unit_of_work import Work, unit_of_work

SINCE = date(2026, 1, 1)
FOR_SP = ("for Superintendent of Police, Hisar", "कृते पुलिस अधीक्षक, हिसार")


def signs(code="HSR", kind=None, words=FOR_SP, seat="HSR-SD1", post=Post.DSP, start=SINCE, end=None):
    with unit_of_work(SYSTEM) as work:
        work.session.add(Signatory(unit_id=world.unit(code).id, kind=kind, post=post, seat_id=seat and world.unit(seat).id,
                                   words_en=words[0], words_hi=words[1], valid_from=start, valid_to=end))  # fmt: skip


def below(complaint, login="sp.hsr", kind=DocumentKind.REPORT, now=world.NOW):
    """(name, rank, post line) of a paper issued by this account."""
    db.session.expire_all()
    work = Work(db.session(), world.as_viewer(login), "test", now, None)
    said = signing.signature(work, complaint, kind)
    return said["officer_name"], said["officer_rank_en"], said["officer_post_en"]


def test_without_a_row_whoever_issues_it_signs(app):
    case = world.registered()
    name, rank, post = below(case)
    assert (name, rank) == ("Anil Dhillon", "Superintendent")
    assert "Hisar District" in post


def test_the_superintendents_papers_are_signed_for_him(app):
    case = world.registered()
    signs()
    assert below(case) == ("Rajbir Punia", "Deputy Superintendent", FOR_SP[0])
    said = signing.signature(Work(db.session(), world.as_viewer("sp.hsr"), "test", world.NOW, None), case, DocumentKind.APPEAL)
    assert (said["officer_post_hi"], said["officer_rank_hi"]) == (FOR_SP[1], "उप पुलिस अधीक्षक")


def test_a_row_holds_for_its_office_alone(app):
    case = world.registered()
    signs()
    for login in ("sho.hsr", "dsp.hsr", "adgp"):
        assert FOR_SP[0] not in below(case, login)
    assert below(case, "branch.hsr", DocumentKind.COPY)[2] == FOR_SP[0]  # the branch of the district writes for it too


def test_one_kind_goes_before_all_and_the_later_row_before_the_earlier(app):
    case = world.registered()
    signs(words=("all", "सब"))
    signs(kind=DocumentKind.REPORT, words=("reports", "रिपोर्ट"))
    signs(kind=DocumentKind.COPY, words=("copies", "प्रति"))
    assert below(case)[2] == "reports"
    assert below(case, kind=DocumentKind.INTERIM)[2] == "all"
    signs(words=("all, later", "सब"), start=SINCE + timedelta(days=30))
    assert below(case, kind=DocumentKind.INTERIM)[2] == "all, later"


def test_a_row_counts_from_a_day_until_another(app):
    case = world.registered()
    today = world.NOW.date()
    signs(words=("past", "बीता"), end=today)
    signs(words=("to come", "आगामी"), start=today + timedelta(days=1))
    assert below(case)[0] == "Anil Dhillon"
    assert below(case, now=world.NOW - timedelta(days=1))[2] == "past"
    assert below(case, now=world.NOW + timedelta(days=1))[2] == "to come"


def test_while_the_post_is_vacant_the_present_rule_stands(app):
    case = world.registered()
    signs(seat=None)  # the district itself has no DSP
    assert below(case)[0] == "Anil Dhillon"
    with unit_of_work(SYSTEM) as work:
        work.session.add(Posting(officer=world.officer("dsp.hsr"), unit=world.unit("HSR"), post=Post.DSP, valid_from=SINCE))
    assert below(case)[::2] == ("Rajbir Punia", FOR_SP[0])


def test_nobody_signs_what_he_enquired_into_or_is_barred_from(app):
    case = world.assigned()
    signs(post=Post.IO, seat="HSR-PS01")  # the IO of the very complaint is among the holders
    with unit_of_work(SYSTEM) as work:
        for row in work.session.scalars(select(Posting).where(Posting.officer_id == world.officer("io2.hsr").id)):
            row.valid_to = world.NOW.date()
    assert below(case)[0] == "Anil Dhillon"
    signs(start=SINCE + timedelta(days=1))
    assert below(case)[0] == "Rajbir Punia"
    with unit_of_work(world.as_viewer("adgp"), now=world.NOW) as work:
        accusing.accuse(work, case.id, None, AccusedNamed(officer_id=world.officer("dsp.hsr").id), "Named later.")
    assert below(case)[0] == "Anil Dhillon"


def test_an_issued_paper_keeps_what_it_said(app):
    signs(code="HSR-PS01", words=("for the Station House Officer", "कृते थाना प्रभारी"))
    case = world.disposed()
    report = documents.latest(db.session(), case.id, DocumentKind.REPORT)
    said = dict(report.data)
    assert (said["officer_name"], said["officer_post_hi"]) == ("Rajbir Punia", "कृते थाना प्रभारी")
    with unit_of_work(SYSTEM) as work:
        for row in work.session.scalars(select(Signatory)):
            row.words_hi = "बदला"
    db.session.expire_all()
    assert db.session.get(Document, report.id).data == said


def test_the_administrator_keeps_it_in_a_grid_with_history(app, sign_in):
    admin, unit = sign_in("admin"), world.unit("HSR")
    row = {"unit": str(unit.id), "kind": "", "post": "DSP", "seat": str(world.unit("HSR-SD1").id), "words_en": FOR_SP[0],
           "words_hi": FOR_SP[1], "valid_from": "2026-01-01", "valid_to": ""}  # fmt: skip
    answer = admin.post("/admin/signatory/new/", row)
    assert answer.status_code in (302, 303), answer.text[-3000:]
    assert below(world.registered())[2] == FOR_SP[0]
    grid = admin.get("/admin/signatory/").text
    assert FOR_SP[0] in grid
    assert "every document" in grid
    assert db.session.scalars(select(History).where(History.table_name == "signatory")).one().kind
    assert sign_in("sho.hsr").post("/admin/signatory/new/", row).status_code in (403, 404)
    wrong = admin.post("/admin/signatory/new/", {**row, "valid_to": "2025-01-01"})
    assert wrong.status_code == 422
    assert len(db.session.scalars(select(Signatory)).all()) == 1


@pytest.mark.parametrize("backend", ["sqlite"])
@pytest.mark.parametrize(
    ("name", "field", "words"),
    [("copyto", "kind", "every document"), ("signatory", "kind", "every document"), ("signatory", "seat", "the same unit"),
     ("policy", "category", "every category"), ("policy", "priority", "every priority"), ("holiday", "district", "every district"),
     ("signatory", "post", "Choose")],
)  # fmt: skip
def test_no_choice_says_what_it_means(app, sign_in, name, field, words):
    page = sign_in("admin").get(f"/admin/{name}/new/").text
    offered = page.partition(f'name="{field}"')[2].partition("</select>")[0]
    assert f">{words}</option>" in offered
    assert "None" not in offered


@pytest.mark.parametrize("backend", ["sqlite"])
def test_a_grid_says_it_too(app, sign_in):
    signs(seat=None)
    with unit_of_work(SYSTEM) as work:
        work.session.add(Holiday(day=date(2026, 11, 18), name_en="Fair", name_hi="मेला"))
    admin = sign_in("admin")
    for name, words in (("signatory", "the same unit"), ("signatory", "every document"), ("holiday", "every district")):
        assert words in admin.get(f"/admin/{name}/").text.partition("<tbody")[2], (name, words)
