"""Conflict of interest: then and now, subtree, post, transfer of the accused, links added and dropped."""

from datetime import timedelta

import pytest
import world
from sqlalchemy import select
from test_people import TODAY, confirm, line, order, propose, viewer

from cms.authz import Book, visible
from cms.models import Accused, ActionKind, Complaint, Desk, Document, Notice, Posting, db
from cms.rules import NotFound, Post, RuleBroken, Status
from cms.services import accusing, complaints, conflict, enquiry, orders, people, stays, transfers
from cms.services.complaints import AccusedNamed
from cms.services.desk import Forbidden
from cms.services.orders import LineKind
from cms.unit_of_work import unit_of_work

NOW = world.NOW
ALL = ("adgp", "audit", "sp.hsr", "branch.hsr", "dsp.hsr", "sho.hsr", "io.hsr", "io2.hsr", "branch.s1", "sho2.hsr",
       "sp.srs", "branch.srs", "sho.srs", "io.srs", "admin")  # fmt: skip


def against(*named: AccusedNamed, **changes) -> Complaint:
    return world.registered(accused=named, **changes)


def officer(login: str) -> AccusedNamed:
    return AccusedNamed(officer_id=world.officer(login).id)


def who_sees(case: Complaint) -> set[str]:
    seen = set()
    for login in ALL:
        query = visible(select(Complaint.id).where(Complaint.id == case.id), Complaint, viewer(login))
        if db.session.scalar(query):
            seen.add(login)
    return seen


def barred(case: Complaint) -> set[str]:
    units = people.barred_units(db.session, case.id)
    return {u.code for u in db.session.scalars(select(world.Unit).where(world.Unit.id.in_(units)))}


def accuse(case: Complaint, by: str, named: AccusedNamed, reason: str = "Named by the complainant later.") -> Complaint:
    case_id, who = case.id, viewer(by)
    with unit_of_work(who, now=NOW) as work:
        done = accusing.accuse(work, case_id, None, named, reason)
    db.session.refresh(done)
    return done


def clear(case: Complaint, by: str, reason: str = "Mistaken identity.") -> Complaint:
    link = db.session.scalars(select(Accused.id).where(Accused.complaint_id == case.id, Accused.dropped_at.is_(None))).first()
    case_id, who = case.id, viewer(by)
    with unit_of_work(who, now=NOW) as work:
        return accusing.clear_link(work, case_id, None, link, reason)


def assign(case: Complaint, by: str, to: str) -> Complaint:
    return world.step(by, complaints.assign, case, world.officer(to).id)


# ---------------------------------------------------------------- who is barred


def test_an_officer_bars_his_unit_and_all_below(app):
    case = against(officer("sho.hsr"))
    assert (barred(case), case.unit.code, case.restricted) == ({"HSR-PS01"}, "HSR-SD1", True)
    assert who_sees(case) == {"adgp", "audit", "sp.hsr", "branch.hsr", "dsp.hsr"}


def test_an_accused_dsp_blinds_his_whole_sub_division(app):
    case = against(officer("dsp.hsr"))
    assert (barred(case), case.unit.code) == ({"HSR-SD1"}, "HSR")
    assert who_sees(case) == {"adgp", "audit", "sp.hsr", "branch.hsr"}


def test_then_and_now_but_not_in_between(app):
    """The officer was at PS01 when it happened, at S3 in between, and is at PS02 now."""
    one = world.officer("io2.hsr")
    day = TODAY - timedelta(days=40)
    with unit_of_work(viewer("admin"), now=NOW) as work:
        first = work.session.scalars(select(Posting).where(Posting.officer_id == one.id)).one()
        first.valid_to = day
        work.session.flush()
        for unit, start, end in (("SRS-PS01", day, day + timedelta(days=20)), ("HSR-PS02", day + timedelta(days=20), None)):
            work.session.add(Posting(officer_id=one.id, unit_id=world.unit(unit).id, post=Post.IO, valid_from=start, valid_to=end))
    case = against(officer("io2.hsr"), incident_on=day - timedelta(days=3))
    assert barred(case) == {"HSR-PS01", "HSR-PS02"}
    assert who_sees(case) == {"adgp", "audit", "sp.hsr", "branch.hsr", "dsp.hsr"}


def test_a_unit_and_an_unknown_one(app):
    unit = against(AccusedNamed(unit_id=world.unit("HSR-PS02").id))
    assert (barred(unit), unit.unit.code) == ({"HSR-PS02"}, "HSR-PS01")  # lies elsewhere: stays there
    assert "sho2.hsr" not in who_sees(unit)
    unknown = against(AccusedNamed(described="a constable with a moustache"))
    assert (barred(unknown), unknown.restricted, unknown.unit.code) == (set(), False, "HSR-PS01")


def test_a_post_means_whoever_held_it_then(app):
    order(line("sho.hsr", "HSR-PS02", Post.SHO), line("sho2.hsr", "HSR-PS01", Post.SHO))
    named = AccusedNamed(unit_id=world.unit("HSR-PS01").id, post=Post.SHO)
    case = against(named, incident_on=TODAY - timedelta(days=9), unit_id=world.unit("HSR-PS01").id)
    assert barred(case) == {"HSR-PS01", "HSR-PS02"}  # the office, and where its holder of then sits now
    assert not {"sho.hsr", "sho2.hsr", "io.hsr"} & who_sees(case)
    assert conflict.accused_officers(db.session, case) == {world.officer("sho.hsr").id}
    with pytest.raises(RuleBroken, match="at which unit"):
        against(AccusedNamed(post=Post.SHO))


def test_leave_cover_in_a_barred_unit_bars_in_every_seat(app):
    case = assign(against(officer("io.hsr")), "dsp.hsr", "sho2.hsr")
    assert "sho2.hsr" in who_sees(case)
    order(line("sho2.hsr", "HSR-PS01", Post.SHO, LineKind.COVER, end=TODAY + timedelta(days=5)))
    db.session.refresh(case)
    assert "sho2.hsr" not in who_sees(case)
    assert (case.io_id, case.status) == (None, Status.MARKED)


# ---------------------------------------------------------------- only a senior officer


def test_only_a_senior_officer_enquires(app):
    case = against(officer("sho.hsr"))  # an inspector
    with pytest.raises(RuleBroken, match="Choose an officer"):
        assign(case, "dsp.hsr", "io.hsr")
    able = complaints.eligible_ios(db.session, viewer("sp.hsr"), case, NOW)
    assert [o.id for o in able] == [world.officer("dsp.hsr").id]  # sho2 is of equal rank only
    able = complaints.eligible_ios(db.session, viewer("dsp.hsr"), case, NOW)
    assert [o.id for o in able] == [world.officer("sho2.hsr").id]  # under the DSP nobody is senior: one of equal rank
    assign(case, "sp.hsr", "dsp.hsr")


def test_against_a_junior_one_any_senior_of_another_station_enquires(app):
    case = against(officer("io.hsr"))  # an ASI
    able = {o.id for o in complaints.eligible_ios(db.session, viewer("dsp.hsr"), case, NOW)}
    assert able == {world.officer("sho2.hsr").id}


# ---------------------------------------------------------------- links changed later


def test_a_link_added_later_takes_the_case_up_and_away(app):
    case = world.enquired()
    assert "io.hsr" in who_sees(case)
    case = accuse(case, "dsp.hsr", officer("sho.hsr"))
    assert (case.unit.code, case.io_id, case.status, case.restricted) == ("HSR-SD1", None, Status.MARKED, True)
    assert who_sees(case) == {"adgp", "audit", "sp.hsr", "branch.hsr", "dsp.hsr"}
    desk = stays.present(db.session, case)
    assert (desk.desk, desk.unit.code) == (Desk.HEAD, "HSR-SD1")
    assert [a.kind for a in case.actions][-3:] == [ActionKind.MARKED, ActionKind.HANDED_OVER, ActionKind.ACCUSED]
    assert case.due_at == world.enquired().due_at


def test_a_report_at_a_barred_desk_goes_to_the_desk_above(app):
    case = accuse(world.reported(), "dsp.hsr", officer("sho.hsr"))
    desk = stays.present(db.session, case)
    assert (case.status, desk.desk, desk.unit.code, case.io_id) == (Status.REPORT_SUBMITTED, Desk.APPROVER, "HSR-SD1", None)
    with pytest.raises((NotFound, Forbidden)):
        world.step("sho.hsr", enquiry.dispose, case)


def test_a_unit_that_is_asked_to_take_over_and_becomes_barred_is_asked_no_more(app):
    case = world.step("sho.hsr", transfers.transfer, world.registered(), world.unit("HSR-PS02").id, "Its area.")
    case = accuse(case, "dsp.hsr", officer("sho2.hsr"))
    assert (case.transfer_to_id, case.unit.code, case.status) == (None, "HSR-PS01", Status.MARKED)
    assert stays.present(db.session, case).desk is Desk.HEAD


@pytest.mark.parametrize("login", ["sho.hsr", "branch.hsr", "io.hsr", "audit", "sho2.hsr", "sp.srs", "admin"])
def test_only_a_superior_of_the_unit_changes_links(app, login):
    case = world.enquired()
    with pytest.raises((Forbidden, NotFound)):
        accuse(case, login, officer("io2.hsr"))
    case = accuse(case, "dsp.hsr", officer("io2.hsr"))
    with pytest.raises((Forbidden, NotFound)):
        clear(case, login)


def test_nobody_blinds_himself(app):
    case = world.registered()
    with pytest.raises(RuleBroken, match="from you as well"):
        accuse(case, "dsp.hsr", officer("dsp.hsr"))
    with pytest.raises(RuleBroken, match="from you as well"):
        accuse(case, "sp.hsr", AccusedNamed(unit_id=world.unit("HSR").id))
    db.session.refresh(case)
    assert (case.restricted, barred(case)) == (False, set())
    case = accuse(case, "sp.hsr", officer("dsp.hsr"))
    assert case.unit.code == "HSR"
    with pytest.raises(RuleBroken, match="already"):
        accuse(case, "adgp", officer("dsp.hsr"))


def test_a_link_dropped_lifts_the_bar_and_stays_on_record(app):
    case = accuse(world.registered(), "dsp.hsr", officer("io.hsr"))
    with pytest.raises(Forbidden):
        clear(case, "dsp.hsr")  # the case lies with him now: the next superior decides
    case = clear(case, "sp.hsr")
    db.session.refresh(case)
    assert (case.restricted, barred(case), case.unit.code) == (False, set(), "HSR-SD1")
    link = db.session.scalars(select(Accused)).one()
    assert link.dropped_at == NOW
    assert case.actions[-1].note == "- ASI Ramesh Yadav · Mistaken identity."
    with pytest.raises(NotFound):
        clear(case, "sp.hsr")


# ---------------------------------------------------------------- postings change


def test_the_accused_is_posted_over_the_case(app):
    """The accused ASI goes to PS02, whose head enquires: the case leaves him, the desk and the unit follow."""
    case = assign(against(officer("io.hsr")), "dsp.hsr", "sho2.hsr")
    assert case.unit.code == "HSR-SD1"
    order(line("io.hsr", "HSR-PS02", Post.IO))
    db.session.refresh(case)
    assert barred(case) == {"HSR-PS01", "HSR-PS02"}
    assert (case.io_id, case.status, case.unit.code) == (None, Status.MARKED, "HSR-SD1")
    assert "sho2.hsr" not in who_sees(case)


def test_the_accused_is_posted_to_the_office_that_holds_the_case(app):
    case = against(officer("io.hsr"))
    order(line("io.hsr", "HSR-SD1", Post.IO))
    db.session.refresh(case)
    assert (case.unit.code, barred(case)) == ("HSR", {"HSR-PS01", "HSR-SD1"})
    assert who_sees(case) == {"adgp", "audit", "sp.hsr", "branch.hsr"}
    assert stays.present(db.session, case).unit.code == "HSR"
    assert case.actions[-1].kind is ActionKind.MARKED


def test_the_accused_moves_twice(app):
    case = against(officer("io.hsr"), incident_on=TODAY - timedelta(days=5))
    confirm(propose(line("io.hsr", "SRS-PS01", Post.IO), by="admin"), "adgp")
    db.session.refresh(case)
    assert barred(case) == {"HSR-PS01", "SRS-PS01"}
    assert not {"sho.hsr", "sho.srs"} & who_sees(case)
    confirm(propose(line("io.hsr", "SRS", Post.IO, start=TODAY + timedelta(days=1)), by="admin", number="99"), "adgp")
    orders.take_effect(NOW + timedelta(days=1))
    db.session.refresh(case)
    assert barred(case) == {"HSR-PS01", "SRS"}  # then, and now; what was in between is not


def test_a_former_holder_of_the_accused_post_carries_the_bar_with_him(app):
    case = against(AccusedNamed(unit_id=world.unit("HSR-PS01").id, post=Post.SHO))
    assert barred(case) == {"HSR-PS01"}
    order(line("sho.hsr", "HSR-PS02", Post.SHO), line("sho2.hsr", "HSR-PS01", Post.SHO))
    db.session.refresh(case)
    assert barred(case) == {"HSR-PS01", "HSR-PS02"}


def test_against_the_superintendent_it_goes_to_the_range(app):
    case = against(officer("sp.hsr"))
    assert (case.unit.code, barred(case)) == ("RHSR", {"HSR"})
    assert who_sees(case) == {"adgp", "audit"}
    able = complaints.eligible_ios(db.session, viewer("adgp"), case, NOW)
    assert [o.id for o in able] == [world.officer("sp.srs").id]  # nobody senior is under the range: one of equal rank


# ---------------------------------------------------------------- nothing by any way

WAYS = (
    "/admin/", "/admin/complaint/", "/admin/complaint/?clock=open", "/admin/complaint/?book=restricted",
    "/admin/complaint/?q={number}", "/admin/complaint/export/csv/", "/admin/complaint/export/csv/?book=restricted",
    "/admin/complaint/unsettled/", "/admin/complaint/letters/copies/", "/admin/complaint/letters/copies/file/", "/admin/people/", "/admin/people/changes/",
)  # fmt: skip


@pytest.mark.parametrize("kind", ["officer", "post", "unit", "added"])
def test_nobody_barred_finds_a_trace(app, sign_in, kind):
    unit = world.unit("HSR-PS01").id
    named = {"officer": officer("io.hsr"), "post": AccusedNamed(unit_id=unit, post=Post.SHO), "unit": AccusedNamed(unit_id=unit)}
    if kind == "added":
        case = accuse(world.enquired(subject="Unmistakable"), "dsp.hsr", officer("sho.hsr"))
    else:
        case = against(named[kind], subject="Unmistakable")
    copy = db.session.scalars(select(Document.id).where(Document.complaint_id == case.id)).first()
    number, case_id = case.number, case.id
    pages = [
        f"/admin/complaint/details/?id={case_id}", f"/admin/complaint/{case_id}/accused/", f"/admin/complaint/{case_id}/handover/",
        f"/admin/complaint/{case_id}/document/{copy}/", f"/admin/complaint/{case_id}/document/{copy}/page/",
        f"/admin/complaint/{case_id}/assign/", f"/admin/complaint/{case_id}/act/",
    ]  # fmt: skip
    for login in ("sho.hsr", "io.hsr", "io2.hsr", "branch.s1"):
        browser = sign_in(login)
        for path in WAYS:
            body = browser.get(path.format(number=number)).get_data(as_text=True)
            # a search shows the words that were typed: only the rest counts
            assert number not in body.replace(f'value="{number}"', "").replace(f"q={number}", ""), (login, path)
            assert "Unmistakable" not in body, (login, path)
        for path in pages:
            assert browser.get(path).status_code == 404, (login, path)
        assert db.session.scalar(visible(select(Notice.id), Notice, viewer(login))) is None
        counts = visible(select(Complaint.id), Complaint, viewer(login), Book.RESTRICTED)
        assert db.session.scalars(counts).all() == []


def test_the_order_itself_tells_nothing_of_a_restricted_case(app, sign_in):
    """The confirmer and the branch see counts of ordinary complaints only; the note leaves out what is barred."""
    case = assign(against(officer("io.hsr"), subject="Unmistakable"), "dsp.hsr", "sho2.hsr")
    one = propose(line("sho2.hsr", "HSR-SD1", Post.IO))
    page = sign_in("sp.hsr").get(f"/admin/people/changes/{one.id}/").get_data(as_text=True)
    assert 'data-l="Open complaints">0</td>' in page
    confirm(one)
    officer_id = world.officer("sho2.hsr").id
    path = f"/admin/people/handover/{one.id}/{officer_id}/"
    assert case.number in sign_in("sp.hsr").get(path).get_data(as_text=True)
    assert case.number not in sign_in("admin").get(path).get_data(as_text=True)
    assert sign_in("io.hsr").get(path).status_code == 404


