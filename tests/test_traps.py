"""Traps of Flask-Admin and its neighbours, each closed here by a regression test."""

from __future__ import annotations

import re
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any

import pytest
import world
from flask import Flask
from sqlalchemy import inspect, select

from cms.admin_views import base, fields
from cms.models import Category, Complaint, Officer, Party, Priority, Rank, Unit, db
from cms.rules import SYSTEM, RuleBroken
from cms.unit_of_work import unit_of_work

SignIn = Callable[[str], Any]
REGISTRIES = ("unit", "officer", "rank", "mode", "source", "category", "disposition")


class Form(HTMLParser):
    """What a browser would send of the page's main form if nothing were touched."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.data: dict[str, str] = {}
        self.inside = self.text = self.select = ""
        self.feed(page.partition('<main id="main"')[2])

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {k: v or "" for k, v in attrs}
        name, kind = said.get("name", ""), said.get("type", "text")
        if tag == "form" and said.get("method") == "post":
            self.inside = "yes"
        if tag == "input" and self.inside and name and (kind not in ("radio", "checkbox") or "checked" in said):
            self.data[name] = said.get("value", "")
        if tag == "textarea":
            self.text = name
            self.data[name] = ""
        if tag == "select":
            self.select = name
        if tag == "option" and self.select and (self.select not in self.data or "selected" in said):
            self.data[self.select] = said.get("value", "")

    def handle_data(self, data: str) -> None:
        if self.text:
            self.data[self.text] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            text = self.data[self.text]
            # A browser drops the line break right after the tag and sends CR LF.
            self.data[self.text] = text.removeprefix("\r\n").removeprefix("\n").replace("\n", "\r\n")
            self.text = ""
        if tag == "select":
            self.select = ""
        if tag == "form":
            self.inside = ""


def columns(row: Any) -> dict[str, Any]:
    """Every stored value of a row, read again."""
    db.session.expire_all()
    return {a.key: getattr(row, a.key) for a in inspect(type(row)).column_attrs}


def edit(browser: Any, path: str, **changes: str) -> Any:
    """Open a form, change something, save."""
    form = Form(browser.get(path).text).data
    assert "version" in form, path
    return browser.post(path, form | changes)


# ---- 1: get_one, selects and look-ups go through the policy; unknown ids are refused


@pytest.mark.parametrize("path", ["details", "edit"])
def test_1_foreign_and_missing_are_alike(sign_in: SignIn, path: str) -> None:
    foreign = world.registered(by="branch.srs", unit_id=world.unit("SRS-PS01").id).id
    browser = sign_in("branch.hsr")
    answers = [browser.get(f"/admin/complaint/{path}/?id={i}") for i in (foreign, 999999, "x", "", "1e9", "-1")]
    assert {a.status_code for a in answers} == {404}
    officer = db.session.scalars(select(Officer.id).where(Officer.name_en == "Manoj Sheoran")).one()
    answers = [browser.get(f"/admin/officer/{path}/?id={i}") for i in (officer, 999999)]
    assert {a.status_code for a in answers} == {404}


def test_1_a_foreign_row_is_not_saved(sign_in: SignIn) -> None:
    case = world.registered(by="branch.srs", unit_id=world.unit("SRS-PS01").id)
    before, path = columns(case), f"/admin/complaint/edit/?id={case.id}"
    answer = sign_in("branch.hsr").post(path, {"subject": "Taken over", "version": "1"})
    assert answer.status_code == 404
    assert columns(case) == before


@pytest.mark.parametrize("value", ["99999", "abc", "-1", "0"])
def test_1_an_unknown_id_is_refused_not_nulled(sign_in: SignIn, value: str) -> None:
    case = world.registered()
    before, path = columns(case), f"/admin/complaint/edit/?id={case.id}"
    answer = edit(sign_in("branch.hsr"), path, category=value)
    assert answer.status_code == 422
    assert "Pick from the list" in answer.text
    assert columns(case) == before


def test_1_no_posted_unit_moves_a_record(sign_in: SignIn) -> None:
    case = world.registered()
    other, path = str(world.unit("SRS-PS01").id), f"/admin/complaint/edit/?id={case.id}"
    edit(sign_in("branch.hsr"), path, unit=other, unit_id=other, district=other, io="1", subject="New words")
    assert columns(case)["subject"] == "New words"
    assert case.unit.code == "HSR-PS01"
    assert case.io_id is None


def test_1_there_is_no_delete_bulk_or_inline_edit(app: Flask, sign_in: SignIn) -> None:
    browser, case = sign_in("branch.hsr"), world.registered()
    for view in ("complaint", *REGISTRIES):
        for path in ("delete/", "action/", "ajax/update/", "ajax/lookup/"):
            data = {"id": str(case.id), "action": "delete", "rowid": str(case.id), "list_form_pk": "1"}
            assert browser.post(f"/admin/{view}/{path}", data).status_code in (404, 405)
    assert db.session.get(Complaint, case.id) is not None
    for rule in app.url_map.iter_rules():
        assert "delete" not in rule.rule


# ---- 2: CSRF


def test_2_a_save_needs_the_token_and_works_with_it(app: Flask, sign_in: SignIn) -> None:
    case = world.registered()
    browser, path = sign_in("branch.hsr"), f"/admin/complaint/edit/?id={case.id}"
    form = Form(browser.get(path).text).data | {"subject": "Changed"}
    assert form["csrf_token"]
    without = {k: v for k, v in form.items() if k != "csrf_token"}
    assert browser.client.post(path, data=without).status_code == 400
    assert browser.client.post(path, data=form).status_code == 303


def test_2_a_value_in_use_is_a_sentence(sign_in: SignIn) -> None:
    one, two = world.master(Category, "LAND"), world.master(Category, "CYBER")
    answer = edit(sign_in("admin"), f"/admin/category/edit/?id={two.id}", code=one.code)
    assert answer.status_code == 422
    assert "already in use" in answer.text
    assert 'value="LAND"' in answer.text


# ---- 3: opening and saving unchanged changes nothing


@pytest.mark.parametrize("view", REGISTRIES)
def test_3_saving_a_registry_row_unchanged_changes_nothing(sign_in: SignIn, view: str) -> None:
    browser = sign_in("admin")
    model = {m.class_.__tablename__: m.class_ for m in Category.registry.mappers}[view]
    for row in db.session.scalars(select(model)).all():
        before = columns(row)
        answer = edit(browser, f"/admin/{view}/edit/?id={row.id}")
        assert answer.status_code == 303, answer.text
        assert columns(row) == before


def test_3_saving_a_complaint_unchanged_changes_nothing(sign_in: SignIn) -> None:
    browser = sign_in("sho.hsr")
    for case in (world.registered(), world.registered(subject="  Two  blanks "), world.disposed()):
        with unit_of_work(SYSTEM, via="test") as work:
            work.session.get_one(Complaint, case.id).place = " Old\n canal  "
        before = columns(case)
        assert edit(browser, f"/admin/complaint/edit/?id={case.id}").status_code == 303
        assert columns(case) == before
        assert case.satisfied is None


def test_3_a_retired_choice_stays(sign_in: SignIn) -> None:
    case = world.registered()
    before = columns(case)
    with unit_of_work(SYSTEM, via="test") as work:
        work.session.get_one(Category, case.category_id).active = False
    assert edit(sign_in("branch.hsr"), f"/admin/complaint/edit/?id={case.id}").status_code == 303
    assert columns(case) == before


def test_3_a_nullable_flag_has_three_answers(app: Flask) -> None:
    column = next(f for f in base.compile.fields(Complaint) if f.key == "satisfied")

    class Asked(fields.Form):
        satisfied = fields.form_field(column)

    with app.test_request_context():
        said = [(value, now) for value, _label, now in Asked(data={"satisfied": None}).satisfied.iter_choices()]
    assert said == [("yes", False), ("no", False), ("", True)]


# ---- 4: enums


@pytest.mark.parametrize("value", ["Nonsense", "1", "", "Urgent"])
def test_4_an_unknown_choice_is_a_sentence(sign_in: SignIn, value: str) -> None:
    case = world.registered()
    answer = edit(sign_in("branch.hsr"), f"/admin/complaint/edit/?id={case.id}", priority=value)
    assert answer.status_code == 422
    assert columns(case)["priority"] is Priority.ROUTINE


def test_4_a_choice_is_selected_and_stored_by_name(sign_in: SignIn) -> None:
    case = world.registered()
    path, browser = f"/admin/complaint/edit/?id={case.id}", sign_in("branch.hsr")
    assert Form(browser.get(path).text).data["priority"] == "ROUTINE"
    edit(browser, path, priority="URGENT")
    assert columns(case)["priority"] is Priority.URGENT


# ---- 5: saves go through the door; faults are faults


def test_5_columns_that_no_form_may_write_are_not_written(sign_in: SignIn) -> None:
    case = world.registered()
    before, path = columns(case), f"/admin/complaint/edit/?id={case.id}"
    edit(sign_in("branch.hsr"), path, status="CLOSED", due_at="2030-01-01T00:00", number="X", is_open="no",
         satisfied="yes", restricted="yes")  # fmt: skip
    assert columns(case) == before


def test_5_a_fault_is_not_shown_and_not_swallowed(app: Flask, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_args: Any) -> None:
        raise ValueError("secret detail of the database")

    case = world.registered()
    monkeypatch.setattr("cms.services.records.update", broken)
    app.testing = False
    app.config["PROPAGATE_EXCEPTIONS"] = False
    answer = edit(sign_in("branch.hsr"), f"/admin/complaint/edit/?id={case.id}", subject="x")
    assert answer.status_code == 500
    assert "secret detail" not in answer.text


def test_5_a_refusal_keeps_what_was_typed(sign_in: SignIn, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_args: Any) -> None:
        raise RuleBroken("Ask the %(who)s first.", who="SHO")

    case = world.registered()
    monkeypatch.setattr("cms.services.records.update", refuse)
    answer = edit(sign_in("branch.hsr"), f"/admin/complaint/edit/?id={case.id}", subject="Typed words")
    assert answer.status_code == 422
    assert "Ask the SHO first." in answer.text
    assert 'value="Typed words"' in answer.text


@pytest.mark.parametrize("login", ["io.hsr", "feedback.hsr", "audit", "adgp"])
def test_5_who_may_not_edit_gets_no_form(sign_in: SignIn, login: str) -> None:
    case = world.disposed()
    browser, path = sign_in(login), f"/admin/complaint/edit/?id={case.id}"
    assert browser.get(path).status_code == 403
    assert browser.post(path, {"subject": "x", "version": "9"}).status_code == 403


# ---- 6: addresses of filters


def test_6_filter_keys_are_the_columns_in_every_language(app: Flask, sign_in: SignIn) -> None:
    view = next(v for v in app.extensions["admin"][0]._views if v.endpoint == "complaint")
    wanted = {"clock", "district", "unit", "status", "category", "io", "registered_at_from", "registered_at_to"}
    assert wanted <= set(view._filter_args)
    browser = sign_in("sp.hsr")
    for lang in ("hi", "en"):
        browser.client.set_cookie("cms_lang", lang)
        page = browser.get("/admin/complaint/?status=CLOSED").text
        assert 'value="CLOSED" selected' in page


def test_6_a_filter_on_what_may_not_be_read_is_no_oracle(sign_in: SignIn) -> None:
    assert "name" in {f.key for f in base.compile.fields(Party)}
    page = sign_in("admin").get("/admin/officer/?disposal_text=abc&password_hash=x").text
    assert "Ramesh Yadav" in page


# ---- 7: no N+1, no OFFSET, no count in the list


def test_7_a_page_is_one_statement_whatever_its_rows(app: Flask, sign_in: SignIn) -> None:
    from test_grid import statements

    browser = sign_in("sp.hsr")
    for view in ("officer", "unit", "rank"):
        browser.get(f"/admin/{view}/")
        with statements(app) as said:
            browser.get(f"/admin/{view}/")
        assert len(said) == 2, said
        assert not any("OFFSET" in s and "count(" in s.lower() for s in said)


# ---- 8: no select of every row


def test_8_a_big_table_is_a_look_up(app: Flask, sign_in: SignIn) -> None:
    with unit_of_work(SYSTEM, via="test") as work:
        work.session.add_all(
            Category(code=f"C{i:03}", name_en=f"Kind {i:03}", name_hi=f"प्रकार {i:03}") for i in range(80)
        )
    case = world.registered()
    browser, path = sign_in("branch.hsr"), f"/admin/complaint/edit/?id={case.id}"
    page = browser.get(path).text
    assert 'list="category-list"' in page
    assert page.count("<option") < 20
    assert "already" not in edit(browser, path, category="Kind 007").text
    assert case.category_id == columns(case)["category_id"] == world.master(Category, "C007").id
    several = edit(browser, path, category="Kind 01")
    assert several.status_code == 422
    assert several.text.count('type="radio" name="category"') == 11
    assert edit(browser, path, category="No such thing").status_code == 422


# ---- 9: exports (formulas, cap) are in test_grid; a file without the permission is none


def test_9_no_file_without_the_permission(sign_in: SignIn) -> None:
    assert sign_in("io.hsr").get("/admin/complaint/export/csv/").status_code == 403
    assert sign_in("admin").get("/admin/complaint/export/csv/").status_code == 403
    assert sign_in("sp.hsr").get("/admin/complaint/export/xlsx/").status_code == 404


# ---- 13: lost updates


def test_13_a_stale_save_shows_both_values_and_lets_choose(sign_in: SignIn) -> None:
    case = world.registered(subject="First words")
    browser, path = sign_in("branch.hsr"), f"/admin/complaint/edit/?id={case.id}"
    stale = Form(browser.get(path).text).data | {"subject": "My words", "place": "My place"}
    edit(sign_in("sho.hsr"), path, subject="Their words")
    answer = browser.post(path, stale)
    assert answer.status_code == 409
    for said in ("Their words", "My words", "My place"):
        assert said in answer.text
    assert columns(case)["subject"] == "Their words"
    chosen = Form(answer.text).data
    assert chosen["keep-subject"] == "theirs"
    assert browser.post(path, chosen | {"keep-place": "mine"}).status_code == 303
    after = columns(case)
    assert (after["subject"], after["place"]) == ("Their words", "My place")


def test_13_a_new_row_by_form(sign_in: SignIn) -> None:
    browser = sign_in("admin")
    form = Form(browser.get("/admin/category/new/").text).data
    assert set(form) >= {"code", "name_en", "name_hi", "active"}
    assert form["active"] == "yes"
    empty = browser.post("/admin/category/new/", form)
    assert empty.status_code == 422
    assert re.search(r'class="errors".*href="#code"', empty.text, re.DOTALL)
    answer = browser.post("/admin/category/new/", form | {"code": "NEW", "name_en": "New", "name_hi": "नया"})
    assert answer.status_code == 303
    row = world.master(Category, "NEW")
    assert row.active
    assert row.version == 1
    history = browser.get(f"/admin/category/details/?id={row.id}").text
    assert "History" in history
    assert "नया" in history
    for login in ("sp.hsr", "branch.hsr"):
        assert sign_in(login).get("/admin/category/new/").status_code == 403
    assert sign_in("admin").get("/admin/unit/new/").status_code == 403, "a unit is opened by order, not by form"
    rank = db.session.scalars(select(Rank.id)).first()
    officer = {"name_en": "New One", "name_hi": "नया", "rank": str(rank), "active": "yes"}
    assert sign_in("admin").post("/admin/officer/new/", officer).status_code == 303
    assert db.session.scalars(select(Unit.id)).first() is not None
