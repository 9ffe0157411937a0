"""The rules as people read them are the rules the code has: generated, complete, in both languages."""

import ast
from pathlib import Path

import pytest

from cms import authz, rules
from cms.rules import MOVES, Post, Status
from cms.services import handbook

ROOT = Path(__file__).parents[1]
sqlite_only = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)


@sqlite_only
def test_the_page_is_what_the_code_has(app):
    assert (ROOT / "docs/rules.md").read_text() == handbook.document(), "run: python3 app.py cms rules --write docs/rules.md"


@sqlite_only
def test_the_command_prints_and_writes_it(app, tmp_path):
    printed = app.test_cli_runner().invoke(args=["cms", "rules"])
    assert printed.exit_code == 0
    assert printed.output == handbook.document()
    written = app.test_cli_runner().invoke(args=["cms", "rules", "--write", str(tmp_path / "rules.md")])
    assert written.exit_code == 0
    assert (tmp_path / "rules.md").read_text() == handbook.document()


@sqlite_only
def test_every_move_status_clock_and_permission_is_on_it(app):
    text = handbook.document()
    for row in (*MOVES, *rules.CLOCKS):
        assert f"| {row} |" in text, row
    for status in Status:
        assert f"| {status.name} |" in text
    for key in {*authz.PERMISSIONS, *authz.ADMIN_MAY}:
        assert f"| {handbook.PERMISSION_WORDS[key]} |" in text, key
    for step in MOVES.values():
        assert step.needs in authz.PERMISSIONS
    assert str(len((ROOT / "cms/authz.py").read_text().splitlines())) in text


def test_the_rules_stay_tables():
    text = (ROOT / "cms/rules.py").read_text()
    assert len(text.splitlines()) <= 500
    imported = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom):
            imported.add(node.module)
        elif isinstance(node, ast.Import):
            imported |= {name.name for name in node.names}
    assert not any("sqlalchemy" in name or "flask" in name or name.startswith("cms.models") for name in imported)
    assert {name for name in imported if name.startswith("cms")} == {"cms.columns", "cms.i18n"}


def test_the_policy_stays_on_one_page():
    lines = (ROOT / "cms/authz.py").read_text().splitlines()
    assert len(lines) <= 350


@sqlite_only
@pytest.mark.parametrize("lang", ["en", "hi"])
@pytest.mark.parametrize("login", ["audit", "admin", "io.hsr", "feedback.hsr"])
def test_everybody_may_read_who_may_do_what(app, sign_in, login, lang):
    browser = sign_in(login)
    browser.client.set_cookie("cms_lang", lang)
    page = browser.get("/admin/permissions/")
    assert page.status_code == 200
    body = page.get_data(as_text=True)
    for post in Post:
        assert f">{post.name}<" in body
    words = {"en": "Change who is complained against", "hi": "जिसके विरुद्ध शिकायत है"}
    assert words[lang] in body
