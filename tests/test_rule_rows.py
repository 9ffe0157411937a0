"""The rules that are rows, in the administrator's hands: clocks, holidays, who approves, what is stated."""

from datetime import date

import pytest
import world
from sqlalchemy import select, text

from cms.i18n import ist_day
from cms.models import ApprovalRule, Disposition, DispositionField, Holiday, Policy, db

PAGES = ("dispositionfield", "holdreason", "quicktext", "policy", "holiday", "approvalrule")


@pytest.mark.parametrize("language", ["en", "hi"])
def test_every_list_opens_and_keeps_what_it_shows(app, sign_in, language):
    admin = sign_in("admin")
    admin.post("/language", {"language": language})
    with world.unit_of_work(world.SYSTEM) as work:
        work.session.add(Holiday(day=date(2026, 12, 25), name_en="Christmas", name_hi="क्रिसमस"))
        work.session.add(Policy(kind="OVERALL", amount=15, span="DAYS", valid_from=date(2020, 1, 1)))
    for name in PAGES:
        assert admin.get(f"/admin/{name}/").status_code == 200, name
        row = db.session.execute(text(f"SELECT id FROM {TABLE[name]}")).scalar()
        assert admin.get(f"/admin/{name}/edit/?id={row}").status_code == 200, name
        assert admin.get(f"/admin/{name}/new/").status_code == 200, name


TABLE = dict(zip(PAGES, ("disposition_field", "hold_reason", "quick_text", "policy", "holiday", "approval_rule"), strict=True))


def test_a_holiday_and_a_policy_by_form_move_the_next_due_date_and_no_earlier_one(app, sign_in):
    first = world.registered(form_key="a")
    due = first.due_at
    admin = sign_in("admin")
    answer = admin.post("/admin/policy/new/", {"kind": "OVERALL", "amount": "10", "span": "DAYS", "valid_from": "2026-01-01"})
    assert answer.status_code in (302, 303), answer.text[-3000:]
    answer = admin.post("/admin/holiday/new/", {"day": "2026-12-04", "name_en": "Local fair", "name_hi": "मेला", "active": "yes"})
    assert answer.status_code in (302, 303), answer.text[-3000:]
    second = world.registered(form_key="b")
    assert ist_day(second.due_at) == date(2026, 12, 5)
    assert db.session.get(type(first), first.id).due_at == due


def test_what_the_rows_refuse(app, sign_in):
    admin = sign_in("admin")
    assert admin.post("/admin/policy/new/", {"kind": "OVERALL", "amount": "0", "span": "DAYS", "valid_from": "2026-01-01"}).status_code == 422
    assert admin.post("/admin/approvalrule/new/", {"post": "IO", "active": "yes"}).status_code == 422
    assert db.session.scalars(select(Policy)).all() == []
    assert len(db.session.scalars(select(ApprovalRule)).all()) == 1


def test_a_field_by_form_is_asked_of_the_next_report(app, sign_in):
    filed = world.master(Disposition, "FILED").id
    answer = sign_in("admin").post("/admin/dispositionfield/new/", {
        "code": "EVIDENCE", "name_en": "Evidence looked at", "name_hi": "देखे गए साक्ष्य", "disposition": str(filed),
        "kind": "LONG", "required": "yes", "position": "1", "active": "yes",
    })  # fmt: skip
    assert answer.status_code in (302, 303), answer.text[-3000:]
    assert db.session.scalars(select(DispositionField).where(DispositionField.code == "EVIDENCE")).one().required
    case = world.enquired()
    page = sign_in("io.hsr").get(f"/admin/complaint/{case.id}/report/?disposition_id={filed}").text
    assert "Evidence looked at" in page
