"""What the papers after the copy say, who gets them, and that previews and the office's own papers stay inside."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
import world
from letter_samples import SAMPLES
from sqlalchemy import func, select

from cms import pdf
from cms.authz import PERMISSIONS
from cms.models import (
    ActionKind,
    AppealResult,
    Channel,
    Complaint,
    ConsentKind,
    DocumentKind,
    db,
)
from cms.rules import SYSTEM, RuleBroken
from cms.services import complaints, deliveries, documents, endings, letters, noting, requests, rounds
from cms.services.desk import Forbidden
from cms.store import Store
from cms.unit_of_work import unit_of_work

LATER = world.NOW + timedelta(days=3)


def newest(case, kind):
    db.session.expire_all()
    return documents.latest(db.session(), case.id, kind)


def page(app, document):
    data = documents.made_of(document, app.extensions["cms_vault"], "http://localhost")
    return pdf.html(documents.TEMPLATES[document.kind], data, language="hi", embed=False).replace("\u00a0", " ")


def extended(days=5, reasons="पटवारी की रिपोर्ट आनी है।"):
    case = world.enquired()
    world.step("io.hsr", requests.ask_extension, case, days, reasons)
    return world.step("sp.hsr", requests.decide_extension, case, True, now=LATER)


def delivered(**changes):
    case = world.disposed(**changes)
    report, case_id = newest(case, DocumentKind.REPORT).id, case.id
    with unit_of_work(world.as_viewer("branch.hsr"), now=world.NOW) as work:
        deliveries.deliver(work, report, Channel.PRINT)
    case = db.session.get_one(Complaint, case_id)
    for kind in (ConsentKind.APPEAL, ConsentKind.REOPENING):
        with unit_of_work(world.as_viewer("branch.hsr"), now=world.NOW) as work:
            endings.record_consent(work, case_id, kind, None, "file 3")
    return case


def appealed(**changes):
    return world.step("branch.hsr", rounds.appeal, delivered(**changes), "मेरी बात नहीं सुनी गई")


def again():
    """The second round, disposed: allowed on appeal, enquired by another of higher rank."""
    case = world.step("dsp.hsr", rounds.hear, appealed(), AppealResult.ALLOWED, "साक्षी नहीं सुने गए", now=LATER)
    with unit_of_work(SYSTEM, now=LATER) as work:
        chosen = rounds.chosen_now(work.session, work.session.get_one(Complaint, case.id), LATER).officer.id
    login = next(user for user, *_ in world.PEOPLE if world.officer(user).id == chosen)
    case = world.step("sp.hsr" if login != "sp.hsr" else "adgp", complaints.assign, case, chosen, now=LATER)
    return login, case


def test_interim_reply_names_both_dates_the_reasons_and_the_officer(app):
    case = extended()
    letter = newest(case, DocumentKind.INTERIM)
    said = page(app, letter)
    for text in ("9 दिसंबर 2026", "9 December 2026", "14 दिसंबर 2026", "14 December 2026", "पटवारी की रिपोर्ट आनी है।",
                 "Ramesh Yadav", "PS Hisar City", "http://localhost/track", "/IR/1"):  # fmt: skip
        assert text in said, text
    assert letter.data["officer_rank_en"] == "Superintendent"
    assert letter.data["officer_post_en"] == "Superintendent (district), Hisar District"


def test_long_reasons_are_a_letter_all_the_same(app, tmp_path):
    case = appealed()
    world.step("dsp.hsr", rounds.hear, case, AppealResult.DISMISSED, ("अभिलेख देखा गया। " * 300)[:5_000])
    letter = newest(case, DocumentKind.APPEAL)
    assert documents.make(SYSTEM, letter.id, Store(tmp_path), "http://localhost", pdf.render)


def test_dismissal_says_where_one_may_still_go(app):
    case = world.step("dsp.hsr", rounds.hear, appealed(), AppealResult.DISMISSED, "अभिलेख ठीक है")
    said = page(app, newest(case, DocumentKind.APPEAL))
    assert "Superintendent (district), Hisar District" in said
    assert "24 December 2026" in said
    assert "173(4)" in said
    assert "खारिज" in said


def test_report_names_the_authority_that_would_hear_the_appeal(app):
    report = newest(world.disposed(), DocumentKind.REPORT).data
    assert report["appeal_to_en"] == "Deputy Superintendent (sub-division), Sub-Division Hisar City"
    assert report["appeal_to_hi"].startswith("उप पुलिस अधीक्षक")
    assert (report["appeal_days_en"], report["appeal_days_hi"]) == ("30 days", "30 दिन")


def test_report_by_the_highest_names_nobody_above(app):
    report = newest(world.disposed(by="adgp"), DocumentKind.REPORT)
    assert report.data["appeal_to_en"] == ""
    assert "अपील करें" not in page(app, report)


def test_the_same_authority_as_the_appeal_goes_to(app):
    case = delivered()
    named = newest(case, DocumentKind.REPORT).data["appeal_to_en"]
    case = world.step("branch.hsr", rounds.appeal, case, "नहीं सुना")
    from cms.models import Appeal

    entered = db.session.scalars(select(Appeal)).one()
    assert named.endswith(entered.unit.name_en)


def test_report_of_a_later_round_says_which_and_after_what(app):
    login, case = again()
    case = world.step(login, complaints.act, case, ActionKind.VISIT, LATER, "फिर मौका देखा।", now=LATER)
    with unit_of_work(world.as_viewer("adgp"), now=LATER) as work:
        data = documents.report_data(work, work.session.get_one(Complaint, case.id))
    assert "second enquiry" in data["round_en"]
    assert "27 Nov 2026" in data["round_en"]
    assert "Deputy Superintendent (sub-division), Sub-Division Hisar City" in data["round_en"]
    assert "Ramesh Yadav" in data["round_en"]
    assert "Filed" in data["round_en"]
    assert data["round_hi"].startswith("यह दूसरी जाँच है")
    texts = [act["text"] for act in data["actions"]]
    assert "फिर मौका देखा।" in texts
    assert "मौका देखा।" not in texts
    assert data["period_en"].startswith("27 Nov 2026")
    assert newest(case, DocumentKind.REPORT).data["round_en"] == ""


def test_report_says_an_entry_as_it_was_corrected(app):
    case = world.enquired()
    wrong = next(a.id for a in case.actions if a.kind is ActionKind.VISIT)
    world.step("io.hsr", complaints.act, case, ActionKind.CORRECTION, world.NOW, "मौका दूसरे दिन देखा।", wrong)
    with unit_of_work(world.as_viewer("sho.hsr"), now=world.NOW) as work:
        texts = [a["text"] for a in documents.report_data(work, work.session.get_one(Complaint, case.id))["actions"]]
    assert "मौका दूसरे दिन देखा।" in texts
    assert "मौका देखा।" not in texts


# ---------------------------------------------------------------- the noting sheet


def sheet_of(case):
    return noting.sheet(db.session(), db.session.get_one(Complaint, case.id))


def test_noting_sheet_tells_every_marking_and_order_of_all_rounds(app):
    login, case = again()
    world.step("adgp", complaints.direct, case, "सात दिन में पूर्ण करें", now=LATER)
    first, second = sheet_of(case)
    kinds = [row.kind_en for row in first.rows]
    for wanted in ("Registered", "Marked to station", "Assigned to IO", "Enquiry report submitted: Filed", "Disposed: Filed",
                   "Appeal entered"):  # fmt: skip
        assert wanted in kinds
    assigned = next(row for row in first.rows if row.kind_en == "Assigned to IO")
    assert "Satish Kumar" in assigned.from_en
    assert "Ramesh Yadav" in assigned.to_en
    assert assigned.due_en == "9 Dec 2026"
    assert "थाना प्रभारी" in assigned.from_hi
    entered = next(row for row in first.rows if row.kind_en == "Appeal entered")
    assert "Sub-Division Hisar City" in entered.to_en
    order = next(row for row in second.rows if row.kind_en == "Direction by superior")
    assert (order.text, order.due_en) == ("सात दिन में पूर्ण करें", "30 Nov 2026")
    assert world.officer(login).name_en in order.to_en
    assert "Appeal allowed" in second.title_en
    assert not any(row.kind_en == "Spot visit" for row in first.rows)


def test_requests_and_their_answers_stand_on_it(app):
    case = extended()
    asked, granted = [row for row in sheet_of(case)[0].rows if row.kind_en.endswith("More time")]
    assert (asked.kind_en, asked.text) == ("Request to the superior: More time", "पटवारी की रिपोर्ट आनी है।")
    assert granted.due_en == "14 Dec 2026"
    assert "Ramesh Yadav" in granted.to_en


def test_who_may_issue_the_noting_sheet(app, sign_in):
    case = world.disposed()
    for login in ("io.hsr", "branch.hsr", "feedback.hsr"):
        with pytest.raises(Forbidden), unit_of_work(world.as_viewer(login)) as work:
            letters.issue_noting(work, case.id)
    assert sign_in("sho.srs").post(f"/admin/complaint/{case.id}/noting/").status_code == 404
    assert sign_in("branch.hsr").post(f"/admin/complaint/{case.id}/noting/").status_code == 403
    assert newest(case, DocumentKind.NOTING) is None
    answer = sign_in("sho.hsr").post(f"/admin/complaint/{case.id}/noting/", {"form_key": "one"})
    assert answer.status_code == 303
    assert newest(case, DocumentKind.NOTING).data["memo_number"] == f"{case.number}/NS/1"


def noted(app, tmp_path):
    """A complaint with an issued noting sheet whose bytes are there."""
    case = world.disposed()
    with unit_of_work(world.as_viewer("sp.hsr"), now=world.NOW) as work:
        document_id = letters.issue_noting(work, case.id).id
    assert documents.make(SYSTEM, document_id, app.extensions["cms_store"], "http://localhost", pdf.render)
    return db.session.get_one(Complaint, case.id), document_id


def test_the_complainant_never_sees_the_noting_sheet(app, client, tmp_path):
    case, document_id = noted(app, tmp_path)
    asked = {"number": case.number, "code": app.extensions["cms_vault"].receipt_code(case.id)}
    asked["csrf_token"] = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/track").text)[1]
    shown = client.post("/track", data=asked).get_data(as_text=True)
    assert case.number in shown
    assert f"/track/document/{document_id}" not in shown
    assert "नोटिंग" not in shown
    for end in ("", "/page"):
        assert client.post(f"/track/document/{document_id}{end}", data=asked).status_code == 404
    others = [d.id for d in case.documents if d.kind is DocumentKind.COPY]
    assert client.post(f"/track/document/{others[0]}/page", data=asked).status_code == 200


@pytest.mark.parametrize("channel", [Channel.EMAIL, Channel.PRINT, Channel.POST])
def test_the_noting_sheet_is_delivered_by_no_way(app, tmp_path, channel):
    _case, document_id = noted(app, tmp_path)
    with pytest.raises(RuleBroken), unit_of_work(world.as_viewer("branch.hsr")) as work:
        deliveries.deliver(work, document_id, channel, "ram@example.org")


def test_the_noting_sheet_is_read_by_command_and_audit_alone(app, sign_in, tmp_path):
    case, document_id = noted(app, tmp_path)
    path = f"/admin/complaint/{case.id}/document/{document_id}/"
    for login in ("sho.hsr", "sp.hsr", "adgp", "audit"):
        browser = sign_in(login)
        assert browser.get(path).data.startswith(b"%PDF")
        assert "नोटिंग शीट" in browser.get(path + "page/").get_data(as_text=True)
    issue = f"/admin/complaint/{case.id}/noting/"
    assert sign_in("audit").post(issue).status_code == 403  # reads everything, writes nothing
    assert issue not in sign_in("audit").get(f"/admin/complaint/details/?id={case.id}").get_data(as_text=True)
    assert sign_in("sp.hsr").post(issue).status_code == 303
    for login in ("io.hsr", "branch.hsr", "feedback.hsr", "sho.srs"):
        browser = sign_in(login)
        assert [browser.get(path).status_code, browser.get(path + "page/").status_code] == [404, 404], login
        assert f"document/{document_id}/" not in browser.get(f"/admin/complaint/details/?id={case.id}").get_data(as_text=True)


def test_a_very_long_life_is_a_sheet_all_the_same(app, tmp_path):
    case = world.assigned()
    for number in range(40):
        world.step("sp.hsr", complaints.direct, case, f"{number} " + "जाँच की प्रगति बताई जाए। " * 150)
    with unit_of_work(world.as_viewer("sp.hsr")) as work:
        document_id = letters.issue_noting(work, case.id).id
    store = Store(tmp_path)
    assert documents.make(SYSTEM, document_id, store, "http://localhost", pdf.render)
    rows = newest(case, DocumentKind.NOTING).data["rounds"][0]["rows"]
    assert sum(len(row["text"]) for row in rows) < 45_000
    assert "शेष डायरी में" in rows[-1]["text"]


# ---------------------------------------------------------------- previews


def rows_of_everything():
    return {table.name: db.session.scalar(select(func.count()).select_from(table)) for table in db.metadata.sorted_tables
            if table.name != "seen" and table.name != "web_session"}  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "login", "make"),
    [
        ("copy", "branch.hsr", world.registered),
        ("report", "sho.hsr", world.reported),
        ("interim", "sp.hsr", world.enquired),
        ("reopened", "branch.hsr", delivered),
        ("appeal", "dsp.hsr", appealed),
        ("noting", "audit", world.disposed),
    ],
)
def test_preview_is_marked_and_writes_nothing(app, sign_in, kind, login, make):
    case = make()
    number, path = case.number, f"/admin/complaint/{case.id}/preview/{kind}/"
    browser = sign_in(login)
    before = rows_of_everything()
    db.session.rollback()
    answer = browser.get(path)
    said = answer.get_data(as_text=True)
    assert answer.status_code == 200
    assert said.count("PREVIEW, not issued") == 2
    assert said.count("नमूना, जारी नहीं किया गया") == 2
    assert number in said
    assert "/verify/" not in said
    assert app.extensions["cms_vault"].receipt_code(case.id)[:4] not in re.sub(r"\d{4}-\d{6}|20\d\d", "", said) or kind != "copy"
    assert "PREVIEW" in browser.get(f"/admin/complaint/{case.id}/preview/noting/").get_data(as_text=True) or login == "branch.hsr"
    assert rows_of_everything() == before
    page = browser.get(f"/admin/complaint/details/?id={case.id}").get_data(as_text=True)
    assert f"preview/{kind}/" in page


def test_preview_needs_the_permission_of_issuing(app, sign_in):
    from cms.admin_views.papers import PREVIEWS

    case = world.reported()
    assert {plan.needs for plan in PREVIEWS.values()} <= set(PERMISSIONS)
    for login, kind, status in (
        ("io.hsr", "report", 403), ("branch.hsr", "report", 403), ("sho.hsr", "interim", 403), ("io.hsr", "noting", 403),
        ("sp.hsr", "copy", 403), ("sho.srs", "report", 404), ("sho.hsr", "nothing", 404), ("admin", "copy", 404),
    ):  # fmt: skip
        answer = sign_in(login).get(f"/admin/complaint/{case.id}/preview/{kind}/")
        assert answer.status_code == status, (login, kind)


def test_accused_see_no_preview(app, sign_in):
    from cms.services.complaints import AccusedNamed

    case = world.registered(accused=(AccusedNamed(officer_id=world.officer("sho.hsr").id),))
    for kind in ("copy", "noting", "interim"):
        assert sign_in("sho.hsr").get(f"/admin/complaint/{case.id}/preview/{kind}/").status_code == 404


def test_every_kind_has_a_template_a_class_and_a_preview():
    from cms.admin_views.papers import PREVIEWS

    assert set(DocumentKind) == set(documents.TEMPLATES) == set(documents.CLASSES) == set(PREVIEWS)


# ---------------------------------------------------------------- samples, hand-over


def test_the_command_writes_a_pdf_and_a_small_picture_of_each_kind(app, tmp_path):
    answer = app.test_cli_runner().invoke(args=["cms", "samples", "--write", str(tmp_path / "samples")])
    assert answer.exit_code == 0, answer.output
    for folder in (tmp_path / "samples", Path(__file__).parents[1] / "docs" / "samples"):
        papers = {path.stem: path for path in folder.glob("*.pdf")}
        assert set(papers) == set(SAMPLES)
        for path in papers.values():
            assert path.read_bytes().startswith(b"%PDF")
            assert path.stat().st_size <= 60 * 1024
        pictures = list(folder.glob("*.png"))
        assert all(path.stat().st_size <= 150 * 1024 for path in pictures)
        assert len(pictures) in (0, len(SAMPLES)) or folder.parent.name == "docs"
    assert len(list((Path(__file__).parents[1] / "docs" / "samples").glob("*.png"))) == len(SAMPLES)


def test_samples_name_no_real_host():
    for _template, data in SAMPLES.values():
        assert set(re.findall(r"https?://([^/]+)/", str(data))) <= {"cms.example"}
