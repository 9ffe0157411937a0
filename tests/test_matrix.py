"""Every route x post x own, sibling and accused row: the allowed succeeds, the forbidden changes nothing.

A route without an entry here fails the last test of this file.
"""

import hashlib
import re
from datetime import timedelta

import pytest
import world
from sqlalchemy import select

from cms.i18n import ist_day
from cms.models import Allegation, Channel, Complaint, ConsentKind, Disposition, Document, DocumentKind, Notice, db
from cms.services import complaints, deliveries, endings, enquiry, reminders, requests, rounds, transfers
from cms.services.complaints import AccusedNamed
from cms.unit_of_work import unit_of_work, utcnow

LOGINS = ("adgp", "audit", "sp.hsr", "branch.hsr", "feedback.hsr", "dsp.hsr", "sho.hsr", "io.hsr", "branch.s1",
          "sho2.hsr", "sp.srs", "branch.srs", "sho.srs", "io.srs", "admin")  # fmt: skip
ROWS = ("own", "sibling", "accused")
WHO = {
    "own": {"by": "branch.hsr", "head": "sho.hsr", "io": "io.hsr", "unit": "HSR-PS01"},
    "sibling": {"by": "branch.srs", "head": "sho.srs", "io": "io.srs", "unit": "SRS-PS01"},
    "accused": {"by": "branch.hsr", "head": "dsp.hsr", "io": "sho2.hsr", "unit": "HSR-PS01"},
}  # the accused is io.hsr of PS01: the case goes to the sub-division, and PS01 sees nothing of it
COMMAND = {"own": {"sho.hsr", "dsp.hsr", "sp.hsr", "adgp"}, "sibling": {"sho.srs", "sp.srs", "adgp"},
           "accused": {"dsp.hsr", "sp.hsr", "adgp"}}  # fmt: skip
BRANCH = {"own": {"branch.hsr", "branch.s1"}, "sibling": {"branch.srs"}, "accused": {"branch.hsr"}}
IO = {"own": {"io.hsr"}, "sibling": {"io.srs"}, "accused": {"sho2.hsr"}}
HEAD = {"own": {"sho.hsr"}, "sibling": {"sho.srs"}, "accused": set()}
FEEDBACK = {"own": {"feedback.hsr"}, "sibling": set(), "accused": {"feedback.hsr"}}


def readers(row: str, assigned: bool = False, disposed: bool = False) -> set[str]:
    """Who sees the row at all."""
    seen = COMMAND[row] | BRANCH[row] | {"audit"}
    return seen | (IO[row] if assigned else set()) | (FEEDBACK[row] if disposed else set())


def build(row: str, stage: str) -> Complaint:
    """The row at the stage a move starts from."""
    who = WHO[row]
    accused = (AccusedNamed(officer_id=world.officer("io.hsr").id),) if row == "accused" else ()
    case = world.registered(by=who["by"], unit_id=world.unit(who["unit"]).id, accused=accused, form_key=f"{row}-{stage}")
    if stage in ("registered", "another"):
        return case
    act_as(who["head"], complaints.assign, case, case.version, world.officer(who["io"]).id)
    if stage == "assigned":
        return case
    act_as(who["io"], complaints.act, case, None, world.ActionKind.VISIT, world.NOW, "seen")
    if stage == "enquired":
        return case
    return further(who, case, stage)


def further(who: dict[str, str], case: Complaint, stage: str) -> Complaint:
    """The later stages, each by the right person."""
    return waiting(who, case, stage) if stage in WAITING else ended(who, case, stage)


WAITING = ("hold asked", "held", "more time asked", "directed", "transferring", "withdrawal signed")


def waiting(who: dict[str, str], case: Complaint, stage: str) -> Complaint:
    """Something was asked, or ordered, in the enquiry."""
    head, io = who["head"], who["io"]
    if stage in ("hold asked", "held"):
        reason = world.master(world.HoldReason, "FSL").id
        act_as(io, requests.ask_hold, case, case.version, reason, ist_day(utcnow()) + timedelta(days=3), "awaited")
        if stage == "held":
            act_as(head, requests.decide_hold, case, case.version, True)
    if stage == "more time asked":
        act_as(io, requests.ask_extension, case, case.version, 5, "more to do")
    if stage == "directed":
        act_as("sp.srs" if who["io"] == "io.srs" else "sp.hsr", complaints.direct, case, None, "look again")
    if stage == "transferring":
        to = world.unit("SRS-PS01" if who["unit"] != "SRS-PS01" else "HSR-PS02").id
        act_as(head, transfers.transfer, case, case.version, to, "theirs")
    if stage == "withdrawal signed":
        act_as(who["by"], endings.record_consent, case, ConsentKind.WITHDRAWAL, None, "file 1")
    return case


def ended(who: dict[str, str], case: Complaint, stage: str) -> Complaint:
    """The report, and what comes after it."""
    head, io = who["head"], who["io"]
    new = enquiry.NewReport(
        disposition_id=world.master(Disposition, "FILED").id, findings=world.findings(case), reasons="x"
    )
    act_as(io, enquiry.report, case, case.version, new)
    if stage == "reported":
        return case
    act_as(head, enquiry.dispose, case, case.version)
    if stage == "disposed":
        return case
    report = db.session.scalars(select(Document.id).where(
        Document.complaint_id == case.id, Document.kind == DocumentKind.REPORT)).one()  # fmt: skip
    act_as(who["by"], lambda work, _case: deliveries.deliver(work, report, Channel.PRINT), case)
    act_as(who["by"], endings.record_consent, case, ConsentKind.REOPENING, None, "file 2")
    act_as(who["by"], endings.record_consent, case, ConsentKind.APPEAL, None, "file 3")
    if stage == "appealed":
        act_as(who["by"], rounds.appeal, case, case.version, "wrong")
    return case


def act_as(login, verb, case, *args):
    viewer, case_id = world.as_viewer(login), case.id
    with unit_of_work(viewer, now=world.NOW) as work:
        verb(work, case_id, *args)
    db.session.refresh(case)


def fingerprint() -> str:
    """Everything in the database but sessions."""
    said = hashlib.sha256()
    with db.engine.connect() as connection:
        for name, table in sorted(db.metadata.tables.items()):
            if name not in ("web_session", "seen"):
                rows = connection.execute(select(table)).all()
                said.update(repr(sorted(map(repr, rows))).encode())
    return said.hexdigest()


def findings_of(case):
    allegation = db.session.scalars(select(Allegation.id).where(Allegation.complaint_id == case.id)).one()
    return {f"finding-{allegation}": "SUBSTANTIATED", f"why-{allegation}": "reason"}


def day_after(days):
    return (ist_day(utcnow()) + timedelta(days=days)).isoformat()


def another_number(case):
    """Another complaint in the same charge."""
    return build(row_of(case), "another").number


def another_io(case):
    return {"officer_id": world.officer({"own": "io2.hsr", "sibling": "io.srs", "accused": "sho2.hsr"}[row_of(case)]).id}


def row_of(case):
    return case.form_key.split("-")[0]


MOVES = {
    # name: (stage, who may, what is posted)
    "mark": ("registered", lambda row: COMMAND[row] | BRANCH[row],
             lambda case: {"unit": "HSR-PS02" if row_of(case) != "sibling" else "SRS-PS01", "order": "look into it"}),
    "assign": ("registered", lambda row: COMMAND[row], another_io),
    "act": ("assigned", lambda row: COMMAND[row] | IO[row], lambda case: {"kind": "VISIT", "note": "went there"}),
    "direct": ("assigned", lambda row: COMMAND[row], lambda case: {"text": "look again"}),
    "comply": ("directed", lambda row: COMMAND[row] | IO[row], lambda case: {"direction_id": 1, "text": "looked"}),
    "ask-hold": ("enquired", lambda row: IO[row], lambda case: {
        "reason_id": world.master(world.HoldReason, "FSL").id, "text": "awaited", "until": day_after(3)}),
    "hold": ("hold asked", lambda row: COMMAND[row], lambda case: {"granted": "yes"}),
    "resume": ("held", lambda row: COMMAND[row] | IO[row], lambda case: {"text": "it came"}),
    "ask-extension": ("enquired", lambda row: IO[row], lambda case: {"days": "5", "text": "more to do"}),
    "extend": ("more time asked", lambda row: {"sp.srs", "adgp"} if row == "sibling" else {"sp.hsr", "adgp"},
               lambda case: {"granted": "yes"}),
    "report": ("enquired", lambda row: IO[row],
               lambda case: {"disposition_id": world.master(Disposition, "FILED").id, "reasons": "done",
                             **findings_of(case)}),
    "return": ("reported", lambda row: COMMAND[row], lambda case: {"text": "ask the neighbour"}),
    "forward": ("reported", lambda row: COMMAND[row], lambda case: {"text": ""}),
    "dispose": ("reported", lambda row: COMMAND[row], lambda case: {"text": ""}),
    "attempt": ("delivered", lambda row: FEEDBACK[row], lambda case: {"text": "no answer"}),
    "inform": ("disposed", lambda row: COMMAND[row] | IO[row], lambda case: {"text": "charge sheet filed"}),
    "transfer": ("assigned", lambda row: COMMAND[row], lambda case: {"unit": "HSR-PS02" if row_of(case) == "sibling"
                                                                     else "SRS-PS01", "reasons": "theirs"}),
    "accept": ("transferring", lambda row: {"sho2.hsr", "dsp.hsr", "sp.hsr", "adgp"} if row == "sibling"
               else {"sho.srs", "sp.srs", "adgp"}, lambda case: {"text": ""}),
    "decline": ("transferring", lambda row: {"sho2.hsr", "dsp.hsr", "sp.hsr", "adgp"} if row == "sibling"
                else {"sho.srs", "sp.srs", "adgp"}, lambda case: {"text": "not ours"}),
    "refer": ("registered", lambda row: COMMAND[row],
              lambda case: {"office": "Committee", "acceptance": "no. 1", "reasons": "street light"}),
    "merge": ("registered", lambda row: COMMAND[row] | BRANCH[row],
              lambda case: {"number": another_number(case), "reasons": "same"}),
    "connect": ("assigned", lambda row: COMMAND[row] | BRANCH[row] | IO[row],
                lambda case: {"number": another_number(case), "kind": "SAME"}),
    "consent": ("registered", lambda row: BRANCH[row] | HEAD[row], lambda case: {"kind": "WITHDRAWAL", "note": "file 4"}),
    "withdraw": ("withdrawal signed", lambda row: COMMAND[row], lambda case: {"reasons": "peace"}),
    "reopen": ("delivered", lambda row: COMMAND[row] | BRANCH[row], lambda case: {"motion": "paper", "reasons": "not satisfied"}),
    "appeal": ("delivered", lambda row: BRANCH[row], lambda case: {"grounds": "wrong"}),
    "hear": ("appealed", lambda row: COMMAND[row] - HEAD[row], lambda case: {"result": "DISMISSED", "reasons": "heard"}),
    "feedback": ("disposed", lambda row: FEEDBACK[row], lambda case: {"satisfied": "yes"}),
    "deliver": ("disposed", lambda row: BRANCH[row] | HEAD[row], lambda case: {"channel": "PRINT"}),
    "handover": ("registered", lambda row: BRANCH[row] | HEAD[row], lambda case: {"channel": "PRINT"}),
}  # fmt: skip


FIRST = {
    # who is shown to succeed, where the first by the alphabet would be refused by a rule of its own
    ("forward", "own"): ["sho.hsr"], ("forward", "sibling"): ["sho.srs"], ("forward", "accused"): ["dsp.hsr"],
    ("comply", "own"): ["io.hsr"], ("comply", "sibling"): ["io.srs"], ("comply", "accused"): ["sho2.hsr"],
    ("reopen", "own"): ["branch.hsr"], ("reopen", "sibling"): ["branch.srs"], ("reopen", "accused"): ["branch.hsr"],
    ("hear", "own"): ["dsp.hsr"], ("hear", "sibling"): ["sp.srs"], ("hear", "accused"): ["sp.hsr"],
}  # fmt: skip


@pytest.mark.parametrize("row", ROWS)
@pytest.mark.parametrize("name", MOVES)
def test_moves(app, sign_in, name, row):
    stage, may, data = MOVES[name]
    case = build(row, stage)
    path, posted = f"/admin/complaint/{case.id}/{name}/", {**data(case), "version": case.version}
    before = fingerprint()
    for login in sorted(set(LOGINS) - may(row)):
        answer = sign_in(login).post(path, posted)
        assert answer.status_code in (403, 404), (login, answer.status_code)
    assert app.test_client().post(path, data=posted).status_code in (302, 303, 400)
    assert fingerprint() == before
    for login in FIRST.get((name, row), sorted(may(row)))[:1]:
        answer = sign_in(login).post(path, posted)
        assert answer.status_code == 303, (login, answer.get_data(as_text=True)[:3000])
        assert fingerprint() != before


@pytest.mark.parametrize("name", ["mark", "assign", "act"])
def test_everybody_who_may_succeeds(app, sign_in, name):
    stage, may, data = MOVES[name]
    for number, login in enumerate(sorted(may("own"))):
        case = world.registered(form_key=f"own-{name}-{number}")
        if stage != "registered":
            act_as("sho.hsr", complaints.assign, case, case.version, world.officer("io.hsr").id)
        posted = {**data(case), "version": case.version}
        answer = sign_in(login).post(f"/admin/complaint/{case.id}/{name}/", posted)
        assert answer.status_code == 303, login


PAGES = {
    "details": "/admin/complaint/details/?id={id}",
    "copy page": "/admin/complaint/{id}/document/{doc}/page/",
    "handover": "/admin/complaint/{id}/handover/",
    "state": "/admin/complaint/{id}/handover/state/",
    "pdf": "/admin/complaint/{id}/document/{doc}/",
    "files": "/admin/complaint/{id}/files/",
    "history": "/admin/complaint/{id}/history/",
}  # fmt: skip


@pytest.mark.parametrize("row", ROWS)
def test_pages_of_a_row(app, sign_in, row):
    case = build(row, "disposed")
    copy = db.session.scalars(select(Document.id).where(Document.kind == DocumentKind.COPY)).one()
    db.session.rollback()
    seen = readers(row, assigned=True, disposed=True)
    for login in LOGINS:
        browser = sign_in(login)
        for name, path in PAGES.items():
            answer = browser.get(path.format(id=case.id, doc=copy))
            if login not in seen:
                assert answer.status_code == (403 if login == "admin" and name == "details" else 404), (login, name)
                assert case.number not in answer.get_data(as_text=True)
            elif name in ("details", "copy page", "files"):
                assert answer.status_code == 200, (login, name)
                assert case.number in answer.get_data(as_text=True)
            else:
                assert answer.status_code in (200, 403, 404), (login, name)


def test_foreign_and_missing_look_alike(app, sign_in):
    case = build("sibling", "registered")
    browser = sign_in("sho.hsr")
    pages = [browser.get(f"/admin/complaint/details/?id={i}").get_data(as_text=True) for i in (case.id, 99_999)]
    assert pages[0].replace(f"id={case.id}", "#") == pages[1].replace("id=99999", "#")


LISTS = (
    "/admin/", "/admin/complaint/", "/admin/complaint/?clock=open", "/admin/complaint/?clock=closed",
    "/admin/complaint/?book=restricted", "/admin/complaint/?q=HSR-2026", "/admin/complaint/?q=99999+00001",
    "/admin/complaint/?q=रामफल", "/admin/complaint/export/csv/", "/admin/complaint/export/csv/?book=restricted",
    "/admin/complaint/unsettled/", "/admin/complaint/counts/",
)  # fmt: skip


@pytest.mark.parametrize("stage", ["registered", "disposed"])
def test_lists_show_nothing_outside_the_charge(app, sign_in, stage):
    numbers = {row: build(row, stage).number for row in ROWS}
    for login in LOGINS:
        browser = sign_in(login)
        for path in LISTS:
            answer = browser.get(path)
            assert answer.status_code in (200, 302, 303, 403), (login, path)
            body = answer.get_data(as_text=True)
            for row, number in numbers.items():
                done = stage == "disposed"
                if login not in readers(row, assigned=done, disposed=done):
                    assert number not in body, (login, path, row)
                if row == "accused" and "restricted" not in path and path not in ("/admin/", "/admin/complaint/unsettled/"):
                    assert number not in body, (login, path)


def test_lists_show_what_is_in_the_charge(app, sign_in):
    numbers = {row: build(row, "registered").number for row in ROWS}
    for row, login in (("own", "sho.hsr"), ("own", "sp.hsr"), ("sibling", "sho.srs"), ("own", "adgp"), ("own", "audit")):
        assert numbers[row] in sign_in(login).get("/admin/complaint/").get_data(as_text=True)
    for login in ("dsp.hsr", "sp.hsr", "adgp"):
        assert numbers["accused"] in sign_in(login).get("/admin/complaint/?book=restricted").get_data(as_text=True)


def test_editing_a_complaint(app, sign_in):
    for row in ROWS:
        case = build(row, "registered")
        path = f"/admin/complaint/edit/?id={case.id}"
        before = fingerprint()
        may = BRANCH[row] | HEAD[row]
        for login in LOGINS:
            browser = sign_in(login)
            if login in may:
                assert browser.get(path).status_code == 200, (row, login)
                continue
            answer = browser.post(path, {"subject": "changed", "version": case.version})
            assert answer.status_code in (302, 403, 404), (row, login)
            assert fingerprint() == before, (row, login)


REGISTRY = ("mode", "source", "category", "disposition", "rank", "unit", "officer", "dispositionfield", "holdreason", "copyto", "signatory",
            "quicktext", "policy", "holiday", "approvalrule")  # fmt: skip


def test_registers_are_kept_by_the_administrator(app, sign_in):
    before = fingerprint()
    for login in set(LOGINS) - {"admin"}:
        browser = sign_in(login)
        for name in REGISTRY:
            posted = {"code": "X", "name_en": "X", "name_hi": "X", "level": "99", "short_en": "X", "short_hi": "X"}
            answer = browser.post(f"/admin/{name}/new/", posted)
            assert answer.status_code in (302, 403, 404), (login, name)
            assert fingerprint() == before, (login, name)
    answer = sign_in("admin").post("/admin/category/new/", {"code": "NEW", "name_en": "New", "name_hi": "नई", "active": "yes"})
    assert answer.status_code in (302, 303), answer.get_data(as_text=True)[:2000]
    assert fingerprint() != before


def test_officers_outside_the_charge_are_not_found(app, sign_in):
    foreign = world.officer("io.srs").id
    before = fingerprint()
    for login in ("sho.hsr", "sp.hsr", "branch.hsr", "io.hsr"):
        browser = sign_in(login)
        assert browser.get(f"/admin/officer/details/?id={foreign}").status_code == 404
        assert browser.post(f"/admin/officer/edit/?id={foreign}", {"phone": "1", "version": 1}).status_code in (403, 404)
        assert fingerprint() == before


def test_somebody_elses_notice(app, sign_in):
    build("own", "assigned")
    reminders.sweep(world.NOW.replace(month=12, day=9))
    notice = db.session.scalars(select(Notice.id)).first()
    before = fingerprint()
    for login in set(LOGINS) - {"io.hsr"}:
        assert sign_in(login).post(f"/admin/notice/{notice}/").status_code == 404
        assert fingerprint() == before
    assert sign_in("io.hsr").post(f"/admin/notice/{notice}/").status_code in (200, 303)


def test_registering_needs_a_desk(app, sign_in):
    posted = {
        "form_key": "matrix", "name": "राम", "phone": "9999900009", "text": "मेरी साइकिल चोरी हो गई", "subject": "चोरी",
        "category_id": world.master(world.Category, "LAND").id, "mode_id": world.master(world.Mode, "HAND").id,
        "source_id": world.master(world.Source, "CITIZEN").id, "unit": "HSR-PS01", "priority": "ROUTINE",
    }  # fmt: skip
    before = fingerprint()
    may = {"branch.hsr", "branch.s1", "sho.hsr", "sho2.hsr", "branch.srs", "sho.srs"}
    for login in set(LOGINS) - may:
        assert sign_in(login).post("/admin/complaint/new/", posted).status_code == 403, login
        assert fingerprint() == before
    answers = [sign_in("branch.hsr").post("/admin/complaint/new/", posted) for _ in range(2)]
    assert {a.status_code for a in answers} == {303}, answers[0].get_data(as_text=True)[:3000]
    assert answers[0].headers["Location"] == answers[1].headers["Location"]


def test_nothing_can_be_deleted(app, sign_in):
    case = build("own", "registered")
    before = fingerprint()
    for login in ("admin", "adgp", "branch.hsr", "sho.hsr"):
        browser = sign_in(login)
        for name in ("complaint", *REGISTRY):
            assert browser.post(f"/admin/{name}/delete/", {"id": case.id}).status_code in (403, 404, 405)
            assert browser.post(f"/admin/{name}/action/", {"action": "delete", "rowid": case.id}).status_code in (403, 404, 405)
            assert browser.post(f"/admin/{name}/ajax/update/", {"list_form_pk": case.id, "status": "CLOSED"}).status_code in (403, 404, 405)
    assert fingerprint() == before


COVERED = {
    # what a test above or a file of its own walks through
    "moves.page", "handover.deliver", "handover.page", "handover.pdf_state", "handover.document_page", "handover.download",
    "handover.unsettled", "papers.preview", "papers.issue_noting", "papers.handover_letter", "papers.handover_file", "handover.letters", "handover.letter_css", "printing.page", "printing.state", "printing.download", "pages.read_notice", "admin.index", "register.same_phone",
    "register.suggestions", "complaint.create_view",
    # test_attachments.py and test_dossier.py
    "attachments.page", "attachments.download", "attachments.picture", "attachments.small", "history.page",
    # test_people_pages.py
    "postings.register", "postings.order", "postings.handover", "changes.changes", "changes.change", "changes.confirm",
    "changes.refuse", "changes.withdraw", "changes.account", "permissions.page", "against.page", "against.drop",
    # test_web.py and test_public.py
    "web.login", "web.sign_in", "web.sign_out", "web.change_language", "web.welcome", "health.healthz", "static", "admin.static",
    "public.home", "public.ask", "public.track", "public.download", "public.document_page", "public.verify", "public.verify_file", "public.check",
}  # fmt: skip
VIEWS = {"complaint", *REGISTRY}
PARTS = {"index_view", "details_view", "edit_view", "create_view", "export", "counts_view", "lookup_view", "history_view"}


def test_every_route_has_an_entry(app):
    unknown = set()
    for rule in app.url_map.iter_rules():
        view, _dot, part = rule.endpoint.partition(".")
        if rule.endpoint not in COVERED and not (view in VIEWS and part in PARTS):
            unknown.add(rule.endpoint)
    assert unknown == set()


def test_look_ups_keep_to_the_charge(app, sign_in):

    for login, foreign in (("sho.hsr", "Manoj"), ("sho.srs", "Ramesh")):
        browser = sign_in(login)
        for path in ("/admin/officer/?q={0}", "/admin/complaint/choices/io/?q={0}"):
            body = re.sub(r"value=\"[^\"]*\"", "", browser.get(path.format(foreign)).get_data(as_text=True))
            rows = re.findall(rf"{foreign} \w+", body)
            assert rows == [], (login, path)

