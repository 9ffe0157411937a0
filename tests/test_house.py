"""The house rules that a machine can check."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po
from conftest import settings_for
from sqlalchemy import inspect

from cms import create_app, triggers
from cms.columns import Choice
from cms.models import db
from cms.services import upkeep

ROOT = Path(__file__).parents[1]
PYTHON = sorted([*ROOT.glob("*.py"), *(ROOT / "cms").rglob("*.py")])
PUBLIC = {
    "static", "web.login", "web.sign_in", "web.sign_out", "web.change_language", "web.welcome",
    "health.healthz",
}  # fmt: skip
"""Endpoints that answer without a sign-in; those of the public blueprint are public by its name."""
BUDGET = 500
BUDGETS = {"cms/models.py": 1200}


def test_imports_only_go_down():
    run = subprocess.run([str(Path(sys.executable).parent / "lint-imports")], cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout


@pytest.mark.parametrize("tool", [["ruff", "check", "."], ["mypy"]], ids=["ruff", "mypy"])
def test_lint_and_types(tool):
    command = [str(Path(sys.executable).parent / tool[0]), *tool[1:]]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout[-4000:]


@pytest.mark.parametrize("path", PYTHON, ids=lambda p: str(p.relative_to(ROOT)))
def test_files_stay_readable(path):
    name = str(path.relative_to(ROOT))
    lines = path.read_text().splitlines()
    assert len(lines) <= BUDGETS.get(name, BUDGET)
    for node in ast.walk(ast.parse("\n".join(lines))):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            length = (node.end_lineno or 0) - node.lineno + 1
            assert length <= 40, f"{node.name} has {length} lines"


def test_only_the_door_commits():
    guilty = [str(p) for p in PYTHON if re.search(r"session\.commit\(|\bdb\.session\.add", p.read_text())]
    assert guilty == [str(ROOT / "cms/unit_of_work.py")]


def test_use_cases_do_not_know_flask():
    for path in (ROOT / "cms/services").rglob("*.py"):
        assert not re.search(r"^(from|import) flask\b(?!_babel)", path.read_text(), re.MULTILINE), path


def test_only_settings_read_the_environment():
    allowed = {"settings.py", "bootstrap.py", "setup_steps.py"}
    guilty = {p.name for p in PYTHON if re.search(r"os\.environ|getenv", p.read_text())} - allowed
    assert guilty == set()


def test_migrations_have_one_head_and_their_names():
    scripts = list(ScriptDirectory.from_config(upkeep.config()).walk_revisions())
    assert len(ScriptDirectory.from_config(upkeep.config()).get_heads()) == 1
    for script in scripts:
        assert Path(script.path).name.startswith(f"{script.revision}_")
        assert re.fullmatch(r"\d{4}", script.revision)


def test_migrations_make_exactly_the_models(app):
    with db.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "include_name": ours})
        assert compare_metadata(context, db.metadata) == []


def ours(name, kind, parent):
    return not (name and name.startswith(("party_search", "short_clock")))


def test_migrations_go_back_and_forth(backend, tmp_path, request):
    settings = empty(backend, tmp_path, request)
    app = create_app(settings)
    with app.app_context():
        upkeep.upgrade(db.engine)
        upkeep.downgrade(db.engine, "base")
        left = set(inspect(db.engine).get_table_names()) - {"alembic_version"}
        assert left == set()
        upkeep.upgrade(db.engine)
        with db.engine.connect() as connection:
            assert triggers.missing(connection) == set()
        db.session.remove()
        db.engine.dispose()
        app.extensions["cms_reads"].dispose()


def empty(backend, tmp_path, request):
    """Settings with an empty database."""
    if backend == "sqlite":
        return settings_for(tmp_path)
    cluster = request.getfixturevalue("cluster")
    cluster.sql("DROP DATABASE IF EXISTS empty WITH (FORCE)")
    cluster.sql("CREATE DATABASE empty")
    return settings_for(tmp_path, cluster.url("empty"))


def test_a_database_newer_than_the_code_is_refused(app):
    with db.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(upkeep.TooNew, match="9999"):
        upkeep.upgrade(db.engine)
    answer = app.test_cli_runner().invoke(args=["cms", "init"])
    assert answer.exit_code == 4
    assert "newer than this code" in answer.output


def test_every_route_is_public_by_name_or_asks_who_you_are(app):
    for rule in app.url_map.iter_rules():
        public = rule.endpoint in PUBLIC or rule.endpoint.startswith("public.")
        assert public != rule.rule.startswith("/admin"), rule
    client = app.test_client()
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith("/admin") and "GET" in (rule.methods or ()) and not rule.arguments:
            answer = client.get(rule.rule)
            assert answer.status_code in (302, 308), rule
            assert "/login" in answer.headers["Location"] or answer.status_code == 308


def messages() -> Iterator[tuple[str, str]]:
    """Every user-visible string of code and templates, with where it is."""
    keywords = {"_": None, "_l": None, "gettext": None, "lazy_gettext": None, "ngettext": (1, 2)}
    method = [("**.py", "python"), ("**.html", "jinja2")]
    for folder in ("cms", "templates"):
        for file, line, message, _comments, _context in extract_from_dir(
            str(ROOT / folder), method_map=method, keywords=keywords, directory_filter=lambda _: True
        ):
            text = message[0] if isinstance(message, tuple) else message
            yield text, f"{folder}/{file}:{line}"


def test_every_string_is_translated():
    with (ROOT / "cms/translations/hi/LC_MESSAGES/messages.po").open("rb") as file:
        catalogue = read_po(file, locale="hi")
    missing = {}
    for text, where in messages():
        entry = catalogue.get(text)
        if entry is None or not entry.string or entry.fuzzy:
            missing[text] = where
    assert missing == {}


def test_translations_keep_their_places():
    with (ROOT / "cms/translations/hi/LC_MESSAGES/messages.po").open("rb") as file:
        for entry in read_po(file, locale="hi"):
            if not entry.id or not entry.string:
                continue
            ids = entry.id if isinstance(entry.id, tuple) else (entry.id,)
            strings = entry.string if isinstance(entry.string, tuple) else (entry.string,)
            for text in strings:
                places = set(re.findall(r"%\((\w+)\)", text))
                assert places == set(re.findall(r"%\((\w+)\)", ids[-1])), entry.id


def test_every_choice_has_a_label():
    for kind in Choice.__subclasses__():
        for member in kind:
            assert str(member.label)
