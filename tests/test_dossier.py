"""The complaint page: one timeline, whose time it was, every clock, and only buttons that lead somewhere."""

import itertools
import re
from dataclasses import replace
from datetime import timedelta

import pytest
import world
from sqlalchemy import event, select

from cms.admin_views import history, whose
from cms.admin_views.buttons import buttons
from cms.admin_views.dossier import dossier
from cms.admin_views.ledgers import ledgers, people
from cms.admin_views.timeline import sections
from cms.models import (
    Action,
    ActionKind,
    Attachment,
    Channel,
    Complaint,
    ConsentKind,
    Document,
    DocumentKind,
    HoldReason,
    LinkKind,
    Round,
    Stay,
    db,
)  # fmt: skip
from cms.rules import Move
from cms.services import complaints, deliveries, endings, enquiry, feedback, requests, rounds, stays, transfers
from cms.services.complaints import AccusedNamed
from cms.unit_of_work import unit_of_work

T = world.NOW
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


def step(by, verb, case, *args, now=T, **values):
    """A use case at the version the complaint has now, which is read again afterwards."""
    case_id = case.id
    db.session.expire_all()
    world.step(by, verb, db.session.get_one(Complaint, case_id), *args, now=now, **values)
    db.session.expire_all()
    return db.session.get_one(Complaint, case_id)


def write(by, verb, *args, now=T):
    """A use case that takes no version."""
    viewer = world.as_viewer(by)
    with unit_of_work(viewer, now=now) as work:
        return verb(work, *args)


def asked_and_granted(case):
    """Hold and more time, each asked by the IO and granted by the right superior."""
    reason = world.master(HoldReason, "FSL").id
    case = step("io.hsr", requests.ask_hold, case, reason, (T + 5 * DAY).date(), "रिपोर्ट प्रतीक्षित", now=T + DAY)
    case = step("sho.hsr", requests.decide_hold, case, True, "ठीक है", now=T + DAY + HOUR)
    case = step("io.hsr", requests.resume, case, "रिपोर्ट मिली", now=T + 3 * DAY)
    case = step("io.hsr", requests.ask_extension, case, 10, "गवाह बाहर हैं", now=T + 4 * DAY)
    return step("sp.hsr", requests.decide_extension, case, True, "", now=T + 4 * DAY + HOUR)


def submitted(case, by, now):
    new = enquiry.NewReport(disposition_id=world.master(world.Disposition, "FILED").id, findings=world.findings(case),
                            reasons="दोनों पक्षों को समझाया गया।")  # fmt: skip
    return step(by, enquiry.report, case, new, now=now)


def first_round() -> Complaint:
    """From the counter to the complainant's answer, with everything on the way."""
    case = world.assigned()
    case = step("io.hsr", complaints.act, case, ActionKind.VISIT, T + HOUR, "मौका देखा।", now=T + 2 * HOUR)
    wrong = db.session.scalars(select(Action.id).where(Action.kind == ActionKind.VISIT)).one()
    case = step("io.hsr", complaints.act, case, ActionKind.CORRECTION, None, "गांव सिवानी था", wrong, now=T + 3 * HOUR)
    case = step("io.hsr", complaints.act, case, ActionKind.CALL, T + HOUR, "फ़ोन पर बात", now=T + 30 * HOUR)
    case = step("sp.hsr", complaints.direct, case, "तीन दिन में रिपोर्ट दें", None, now=T + 31 * HOUR)
    case = asked_and_granted(case)
    case = submitted(case, "io.hsr", T + 5 * DAY)
    case = step("sho.hsr", enquiry.give_back, case, "गवाह के बयान नहीं हैं", now=T + 5 * DAY + HOUR)
    case = submitted(case, "io.hsr", T + 6 * DAY)
    case = step("sho.hsr", enquiry.dispose, case, now=T + 7 * DAY)
    report = db.session.scalars(select(Document.id).where(Document.kind == DocumentKind.REPORT)).one()
    write("branch.s1", deliveries.deliver, report, Channel.PRINT, now=T + 8 * DAY)
    return step("feedback.hsr", feedback.give_feedback, case, False, "कोई नहीं आया", now=T + 9 * DAY)


def second_round(case) -> Complaint:
    """Re-opened on the complainant's paper, and assigned to whom the rules choose."""
    write("branch.s1", endings.record_consent, case.id, ConsentKind.REOPENING, None, "फ़ाइल 7", now=T + 10 * DAY)
    case = step("sp.hsr", rounds.reopen, case, "शिकायतकर्ता असंतुष्ट", now=T + 10 * DAY + HOUR)
    chosen = rounds.chosen_now(db.session(), case, T + 11 * DAY).officer.id
    return step("sho.hsr", complaints.assign, case, chosen, now=T + 11 * DAY)


def page_of(case, login="sp.hsr"):
    return dossier(db.session(), world.as_viewer(login), case.id)


def titles(section):
    return [entry.title for entry in section.entries]


def test_the_timeline_of_two_rounds(app):
    page = page_of(second_round(first_round()))
    second, first = page.sections
    assert (second.title, first.title) == ("Round 2: Re-opened", "Round 1: First enquiry")
    assert second.now
    assert not first.now
    assert "शिकायतकर्ता असंतुष्ट" in second.began
    assert "Chosen by the rules: " in second.began
    assert first.ended.startswith("Filed · ")
    assert first.ended.endswith("Complainant not satisfied")
    assert titles(second)[0] == "Assigned to IO"
    assert "Re-opened" in titles(second)
    for said in ("Registered", "Assigned to IO", "Spot visit", "Telephone call", "Direction by superior",
                 "Request to the superior: Hold", "Request granted: Hold", "Enquiry resumed",
                 "Request to the superior: More time", "Request granted: More time", "Enquiry report submitted: Filed",
                 "Report returned with objections", "Disposed: Filed", "Action-taken report: Handed over on paper",
                 "Complainant not satisfied", "Complainant's confirmation recorded: Wish to re-open"):  # fmt: skip
        assert titles(first).count(said) >= 1, said
    assert titles(first).count("Enquiry report submitted: Filed") == 2
    assert titles(first).count("Disposed: Filed") == 1
    assert not [t for t in titles(first) if t in ("Request to the superior", "Report forwarded", "Feedback recorded")]
    assert len([t for t in titles(first) if t.startswith("Due date moved from")]) == 3  # hold, its unused days, more time
    moments = [entry.at for entry in first.entries]
    assert moments == sorted(moments, reverse=True)


def test_who_and_when_and_what_was_written_later(app):
    page = page_of(first_round())
    (only,) = page.sections
    by_title = {entry.title: entry for entry in only.entries}
    visit, call = by_title["Spot visit"], by_title["Telephone call"]
    assert visit.who == "ASI Ramesh Yadav, IO (PS Hisar City)"
    assert (visit.at, visit.logged_at) == (T + HOUR, T + 2 * HOUR)
    assert not visit.late_entry
    assert call.late_entry
    (fix,) = visit.corrections
    assert (fix.title, fix.text, fix.who) == ("Correction of an entry", "गांव सिवानी था", "ASI Ramesh Yadav, IO (PS Hisar City)")
    assert "Correction of an entry" not in titles(only)
    hold = by_title["Request to the superior: Hold"]
    assert hold.text == "Laboratory report awaited · until 29 Nov 2026\nरिपोर्ट प्रतीक्षित"
    assert "1. Substantiated: मेड़ टूटी मिली।" in by_title["Enquiry report submitted: Filed"].text


def test_the_page_in_both_languages_without_a_word_of_code(app, sign_in):
    case_id = second_round(first_round()).id
    for language, said in (("en", "Whose time it was"), ("hi", "किसके पास कितना समय")):
        browser = sign_in("sp.hsr")
        browser.client.set_cookie("cms_lang", language)
        answer = browser.get(f"/admin/complaint/details/?id={case_id}")
        text = answer.get_data(as_text=True)
        assert answer.status_code == 200
        assert said in text
        words = re.sub(r"<[^>]*>", " ", text.split("<main", 1)[1])
        assert not re.search(r"\b(HOLD|EXTENSION|REOPENING|WITHDRAWAL|UNDER_ENQUIRY|None|SAME)\b", words)
        assert " style=" not in text


def test_what_a_disposal_states_is_told_in_the_readers_language(app, sign_in):
    case = world.reported(how="FIR", fields={"FIR_NO": "123", "FIR_DATE": "2026-11-20"})
    case_id = step("sho.hsr", enquiry.dispose, case).id
    for language, number, day in (("en", "FIR number: 123", "Date of the FIR: 20 Nov 2026"),
                                  ("hi", "प्राथमिकी संख्या: 123", "प्राथमिकी का दिनांक: 20 नवंबर 2026")):  # fmt: skip
        browser = sign_in("sho.hsr")
        browser.client.set_cookie("cms_lang", language)
        text = browser.get(f"/admin/complaint/details/?id={case_id}").get_data(as_text=True)
        assert text.count(number) >= 2
        assert day in text
        assert language == "en" or "FIR number" not in text


def statements(browser, case_id) -> int:
    said = []

    def hear(connection, cursor, statement, *rest):
        said.append(statement)

    event.listen(db.engine, "before_cursor_execute", hear)
    assert browser.get(f"/admin/complaint/details/?id={case_id}").status_code == 200
    event.remove(db.engine, "before_cursor_execute", hear)
    return len(said)


def test_a_long_life_costs_no_more_statements_than_a_short_one(app, sign_in):
    long, short = second_round(first_round()).id, world.enquired(form_key="short").id
    browser = sign_in("sp.hsr")
    for case_id in (long, short):
        browser.get(f"/admin/complaint/details/?id={case_id}")  # the opening is noted now
    assert statements(browser, long) <= 36
    assert statements(browser, long) - statements(browser, short) <= 4


def test_an_old_register_without_rounds_has_one_timeline(app):
    case = world.registered()
    found = ledgers(db.session(), world.as_viewer("sp.hsr"), case)
    old = replace(found, rounds=[], stays=[])
    (only,) = sections(case, old, people(db.session(), case, old))
    assert (only.title, only.now) == ("", True)
    assert "Registered" in titles(only)


# ---------------------------------------------------------------- whose time


def test_the_stays_add_up_to_the_second(app):
    case = first_round()
    rows = db.session.scalars(select(Stay).where(Stay.complaint_id == case.id).order_by(Stay.no)).all()
    end = db.session.scalars(select(Round.closed_at)).one()
    assert sum((s.spent for s in stays.shares(rows, T + 90 * DAY)), timedelta()) == end - case.registered_at
    found = whose.whose(rows, T + 90 * DAY)
    assert found.total == "9 d 00:00:00"
    parts = found.parts
    assert parts[0].x == 0
    assert all(a.x + a.width == b.x for a, b in itertools.pairwise(parts))
    assert parts[-1].x + parts[-1].width == whose.BAR
    again = second_round(case)
    rows = db.session.scalars(select(Stay).where(Stay.complaint_id == again.id).order_by(Stay.no)).all()
    for one, after in itertools.pairwise(rows):
        assert one.to_at == after.from_at or (one.round, after.round) == (1, 2)
    found = whose.whose(rows, T + 12 * DAY)
    assert (found.total, found.closed) == ("10 d 23:00:00", "1 d 01:00:00")
    assert whose.whose([], T) is None


@pytest.mark.parametrize(("span", "said"), [(timedelta(), "00:00:00"), (timedelta(hours=23, seconds=9), "23:00:09"),
                                            (timedelta(days=3, hours=4, minutes=5, seconds=6), "3 d 04:05:06")])  # fmt: skip
def test_a_time_as_people_read_it(app, span, said):
    assert whose.long(span) == said


def test_every_clock_with_its_derivation_and_changes(app):
    page = page_of(second_round(first_round()))
    (two, new), (one, old) = page.clocks
    assert (two, one) == (2, 1)
    overall = old[0]
    assert overall.deadline.kind.name == "OVERALL"
    assert overall.state == "met"
    assert overall.why.startswith("15 calendar days from 24 Nov 2026, to the end of 9 Dec 2026; ")
    assert [change.said.split(":")[0] for change in overall.moved] == ["Hold", "Hold", "More time"]
    assert overall.moved[2].who == "SP Anil Dhillon, SP (Hisar District)"
    assert overall.moved[2].reasons == "गवाह बाहर हैं"
    states = {row.deadline.kind.name: row.state for row in old}
    assert states["ASSIGN"] == "met"
    assert states["COMPLY"] == "dropped"
    assert states["APPEAL_WINDOW"] == "dropped"
    assert new[0].deadline.kind.name == "OVERALL"
    assert page.clock.sentence.endswith(" of 15")


def test_a_clock_of_hours_says_its_hour(app):
    page = page_of(world.registered())
    row = next(r for _no, rows in page.clocks for r in rows if r.deadline.kind.name == "ASSIGN")
    assert row.why == "24 hours from 24 Nov 2026, 12:00"
    assert row.due == "25 Nov 2026, 12:00"


# ---------------------------------------------------------------- buttons


def shown(login, case):
    viewer = world.as_viewer(login)
    case = db.session.get_one(Complaint, case.id)
    made = buttons(db.session(), viewer, case, ledgers(db.session(), viewer, case))
    return made.primary.name if made.primary else None, [b.name for b in made.quiet], [b.name for b in made.more]


def every(login, case):
    primary, quiet, more = shown(login, case)
    return {primary, *quiet, *more} - {None}


def test_one_blue_button_two_quiet_ones_and_the_rest_behind_more(app):
    case = world.registered()
    primary, quiet, more = shown("sho.hsr", case)
    assert primary == "assign"
    assert len(quiet) == 2
    assert len(more) >= 3
    assert "connect" in more
    assert "consent" in more
    assert len({primary, *quiet, *more}) == 1 + len(quiet) + len(more)
    assert shown("audit", case) == (None, [], [])


def test_what_was_not_asked_has_no_answer(app):
    case = world.enquired()
    assert every("sho.hsr", case).isdisjoint({"hold", "comply", "accept", "decline", "hear", "inform"})
    assert every("sp.hsr", case).isdisjoint({"extend", "hold"})
    assert {"ask-hold", "ask-extension", "report"} <= every("io.hsr", case)
    case = step("io.hsr", requests.ask_hold, case, world.master(HoldReason, "FSL").id, (T + 3 * DAY).date(), "x")
    case = step("io.hsr", requests.ask_extension, case, 5, "x")
    assert every("io.hsr", case).isdisjoint({"ask-hold", "ask-extension"})
    assert shown("sho.hsr", case)[0] == "hold"
    assert shown("sp.hsr", case)[0] == "hold"
    assert "extend" in every("sp.hsr", case)
    assert "extend" not in every("sho.hsr", case)


def test_compliance_is_reported_by_who_received_the_direction(app):
    case = step("sp.hsr", complaints.direct, world.enquired(), "रिपोर्ट दें", None)
    assert "comply" in every("io.hsr", case)
    assert "comply" not in every("sp.hsr", case)


def test_a_transfer_is_answered_by_the_other_unit(app):
    case = step("sho.hsr", transfers.transfer, world.registered(), world.unit("HSR-PS02").id, "हमारा क्षेत्र नहीं")
    assert shown("sho2.hsr", case)[0] == "accept"
    assert "decline" in every("sho2.hsr", case)
    assert every("sho.hsr", case).isdisjoint({"accept", "decline", "transfer"})


def test_a_report_is_decided_where_it_lies(app):
    case = world.reported(how="FALSE")
    assert {"return", "forward"} <= every("sho.hsr", case)
    assert "dispose" not in every("sho.hsr", case)
    assert "dispose" in every("sp.hsr", case)
    case = step("sho.hsr", enquiry.forward, case, "")
    assert every("sho.hsr", case).isdisjoint({"return", "forward", "dispose"})
    assert every("io.hsr", case).isdisjoint({"return", "forward", "dispose"})


def test_every_button_leads_to_a_page(app, sign_in):
    case = world.enquired()
    for login in ("sho.hsr", "sp.hsr", "io.hsr", "branch.s1"):
        browser = sign_in(login)
        text = browser.get(f"/admin/complaint/details/?id={case.id}").get_data(as_text=True)
        for path in sorted(set(re.findall(rf'href="(/admin/complaint/{case.id}/[a-z-]+/)"', text))):
            assert browser.get(path).status_code == 200, (login, path)
    assert {m for m in Move if m.name.lower().replace("_", "-") == "deliver"} == {Move.DELIVER}


# ---------------------------------------------------------------- right column


def test_links_are_seen_from_both_and_foreign_numbers_are_not(app, sign_in):
    case, other = world.registered(), world.registered(form_key="two")
    hidden = world.registered(by="branch.hsr", form_key="three", accused=(AccusedNamed(unit_id=world.unit("HSR-PS01").id),))
    step("sp.hsr", endings.connect, case, other.number, LinkKind.REPEAT)
    step("sp.hsr", endings.connect, case, hidden.number, LinkKind.SAME)
    number = hidden.number
    assert [link.other.number for link in page_of(other).found.links] == [case.number]
    assert [bool(link.other) for link in page_of(case, "sp.hsr").found.links] == [True, True]
    assert [bool(link.other) for link in page_of(case, "sho.hsr").found.links] == [True, False]
    for login, sees in (("sp.hsr", True), ("sho.hsr", False), ("branch.s1", False)):
        text = sign_in(login).get(f"/admin/complaint/details/?id={case.id}").get_data(as_text=True)
        assert (number in text) == sees, login


def test_the_same_telephone(app):
    first, second = world.registered(), world.registered(form_key="two")
    assert [c.number for c in page_of(second).same_phone] == [first.number]
    assert page_of(world.registered(form_key="three", phone="99999 00077")).same_phone == []


def test_a_merged_complaint_leads_to_the_other(app, sign_in):
    case, target = world.registered(), world.registered(form_key="two")
    number = target.number
    case = step("sho.hsr", endings.merge, case, number, "वही मामला")
    text = sign_in("sho.hsr").get(f"/admin/complaint/details/?id={case.id}").get_data(as_text=True)
    assert "goes on under another number" in text
    assert number in text


def test_files_stand_with_their_entry(app, sign_in):
    case = world.assigned()
    with unit_of_work(world.as_viewer("io.hsr"), now=T) as work:
        work.session.add(Attachment(complaint_id=case.id, name="मौका.pdf", media_type="application/pdf", size=1, sha256="0" * 64,
                                    facts={}, at=T, user_id=work.actor.user_id))  # fmt: skip
    page = page_of(case)
    assert [f.name for e in page.sections[0].entries for f in e.files] == ["मौका.pdf"]
    assert "मौका.pdf" in sign_in("sho.hsr").get(f"/admin/complaint/details/?id={case.id}").get_data(as_text=True)


# ---------------------------------------------------------------- history in words


def test_history_in_words(app, sign_in):
    case = first_round()
    text = sign_in("sp.hsr").get(f"/admin/complaint/{case.id}/history/").get_data(as_text=True)
    for said in ("INSP Satish Kumar, SHO (PS Hisar City)", "by form", "<dt>Investigating officer</dt>", "ASI Ramesh Yadav",
                 "Under enquiry", "रामफल शर्मा", "PS Hisar City"):  # fmt: skip
        assert said in text, said
    assert "enc:" not in text
    browser = sign_in("sp.hsr")
    browser.client.set_cookie("cms_lang", "hi")
    assert "जांच अधिकारी" in browser.get(f"/admin/complaint/{case.id}/history/").get_data(as_text=True)


def test_history_is_for_those_who_may_read_it(app, sign_in):
    case = world.assigned()
    for login, code in (("sho.hsr", 200), ("audit", 200), ("adgp", 200), ("io.hsr", 403), ("branch.s1", 403), ("sho.srs", 404),
                        ("admin", 404)):  # fmt: skip
        assert sign_in(login).get(f"/admin/complaint/{case.id}/history/").status_code == code, login


def test_history_without_the_key_says_so(app):
    case = world.registered()
    rows = history.rows_of(case.id, None, world.as_viewer("sp.hsr"))
    reader = history.Reader(case, rows, world.as_viewer("sp.hsr"))
    reader.key = b"0" * 32
    said = [change for row in rows for change in reader.told(row).changes]
    assert ("Name", "–", "(no longer kept)") in said
    reader.key = None
    assert ("Name", "–", "(personal)") in [change for row in rows for change in reader.told(row).changes]


def test_history_page_by_page(app, sign_in, monkeypatch):
    monkeypatch.setattr(history, "MOST", 4)
    case = first_round()
    browser, path, seen = sign_in("sp.hsr"), f"/admin/complaint/{case.id}/history/", []
    while path:
        text = browser.get(path).get_data(as_text=True)
        seen += re.findall(r"#(\d+)</span>", text)
        older = re.search(r'href="(\?before=\d+)"', text)
        path = f"/admin/complaint/{case.id}/history/{older[1]}" if older else ""
    total = db.session.get_one(Complaint, case.id).history_seq
    assert seen == [str(n) for n in range(total, 0, -1)]


def test_every_column_of_a_complaint_has_a_name_for_people(app):
    """A column added to these tables shows in the history under a label, or is named as plumbing."""
    from cms.admin_views.compile import fields
    from cms.audit import PLUMBING

    for table, (model, _label) in history.TABLES.items():
        named = {f.column.key for f in fields(model)}
        for column in model.__table__.c:
            key = column.key
            known = key in named or (table, key) in history.LABELS or key in history.PLUMBING | PLUMBING | {"id"}
            assert known, f"{table}.{key}"


@pytest.mark.parametrize(("days", "told"), [(0, False), (1, False), (2, True)])
def test_a_late_registration_is_flagged(app, sign_in, days, told):
    case = world.registered(mode_id=world.master(world.Mode, "DAK").id, received_on=world.NOW.date() - timedelta(days=days))
    page = sign_in("sp.hsr").get(f"/admin/complaint/details/?id={case.id}").text
    assert ("registered 2 days later" in page) is told
