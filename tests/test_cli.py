"""The command line says what it did in one sentence and ends with a code that a script can read."""

from dataclasses import replace

import pytest
import world
from conftest import settings_for
from registers import SLICES
from sqlalchemy import func, insert, inspect, select
from standing import close

from cms import create_app
from cms.models import Complaint, Notice, Outbox, SendState, Stamp, Unit, db
from cms.services import integrity
from cms.services.upkeep import drop_triggers


def run(app, *args):
    return app.test_cli_runner().invoke(args=["cms", *args])


def stamp(name):
    with db.engine.begin() as connection:
        connection.execute(insert(Stamp).values(name=name, value="complaints=0 as_of=2026-11-24 seed=1"))


def test_demo_data_and_real_accounts_stay_apart(app, monkeypatch):
    real = run(app, "init")
    assert real.exit_code == 8
    assert "real accounts" in real.output
    stamp("demo")
    monkeypatch.setitem(app.extensions, "cms_settings", replace(app.extensions["cms_settings"], demo=False))
    made_up = run(app, "init")
    assert made_up.exit_code == 8
    assert "known passwords" in made_up.output


def test_doctor_counts_the_triggers_and_init_puts_them_back(app):
    stamp("demo")
    stamp("demo:done")
    assert "Healthy" in run(app, "doctor").output
    with db.engine.begin() as connection:
        drop_triggers(connection)
    sick = run(app, "doctor")
    assert sick.exit_code == 6
    assert "keep_complaint" in sick.output
    assert run(app, "init").exit_code == 0
    assert run(app, "doctor").exit_code == 0


def test_verify_says_whole_or_names_the_row(app, settings):
    world.registered()
    integrity.seal(settings.data_dir)
    whole = run(app, "verify")
    assert (whole.exit_code, "History is whole" in whole.output) == (0, True)
    with db.engine.begin() as connection:
        drop_triggers(connection)
        connection.exec_driver_sql("UPDATE history SET actor = 'x' WHERE root = 'complaint'")
    broken = run(app, "verify")
    assert broken.exit_code == 7
    assert "its content was changed" in broken.output
    assert "NOT whole" in broken.output


def test_sweep_does_by_hand_what_the_tick_does(app, settings):
    from datetime import timedelta

    from cms.unit_of_work import utcnow

    world.assigned(now=utcnow() - timedelta(days=14))
    told = run(app, "sweep")
    assert told.exit_code == 0
    assert "Reminders fired: 1" in told.output
    assert "Messages sent: 1" in told.output
    assert "Reminders fired: 0" in run(app, "sweep").output
    assert db.session.scalar(select(func.count()).select_from(Notice)) == 1
    assert db.session.scalars(select(Outbox.state)).all() == [SendState.SENT]
    assert len(list((settings.data_dir / "mail").glob("*.eml"))) == 1


def test_an_unreachable_database_is_one_sentence(app, monkeypatch):
    from sqlalchemy.exc import OperationalError

    from cms.services import upkeep

    def refuse(*_args):
        raise OperationalError("SELECT 1", {}, Exception("connection refused"))

    monkeypatch.setattr(upkeep, "upgrade", refuse)
    answer = run(app, "init")
    assert answer.exit_code == 5
    assert answer.output.count("\n") == 1
    assert "connection refused" in answer.output


# ---------------------------------------------------------------- a database that was never migrated


@pytest.fixture
def bare(backend, tmp_path, request):
    """An application on a database without a single table."""
    url = ""
    if backend == "postgresql":
        cluster = request.getfixturevalue("cluster")
        cluster.sql("DROP DATABASE IF EXISTS bare WITH (FORCE)")
        cluster.sql("CREATE DATABASE bare")
        url = cluster.url("bare")
    app = create_app(settings_for(tmp_path, url))
    with app.app_context():
        assert inspect(db.engine).get_table_names() == []
        yield app
        close(app)


FILES = [str(SLICES / f"chicago_{name}.csv") for name in ("complaints", "accused", "investigators")]


@pytest.mark.parametrize(
    ("args", "made", "number"),
    [
        (("demo", "--complaints", "60"), Complaint, 60),
        (("import", "chicago_2023", *FILES), Complaint, 8),
        (("reference", "load"), Unit, 104),
    ],
    ids=["demo", "import", "reference"],
)
def test_a_command_brings_the_database_up_to_date_first(bare, args, made, number):
    result = run(bare, *args)
    assert result.exception is None, result.exception
    assert result.exit_code == 0
    assert db.session.scalar(select(func.count()).select_from(made)) == number
    db.session.remove()
    assert "Healthy" in run(bare, "doctor").output


@pytest.mark.parametrize("args", [("demo",), ("import", "list"), ("import", "undo", "1"), ("reference", "load")])
def test_a_newer_or_unreachable_database_is_one_sentence_of_every_command(app, monkeypatch, args):
    with db.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    newer = run(app, *args)
    assert (newer.exit_code, newer.output.count("\n")) == (4, 1)
    assert "newer than this code" in newer.output
    settings = replace(app.extensions["cms_settings"], database_url="postgresql+psycopg://x@/x?host=/nonexistent")
    away = create_app(settings)
    with away.app_context():
        answer = run(away, *args)
        assert (answer.exit_code, answer.output.count("\n")) == (5, 1)
        assert "cannot be reached" in answer.output
        close(away)


def test_another_demo_is_named_and_refused(bare):
    day = "2026-11-20"
    assert run(bare, "demo", "--complaints", "60", "--as-of", day).exit_code == 0
    assert "there already" in run(bare, "demo", "--complaints", "60", "--as-of", day).output
    assert "there already" in run(bare, "demo", "--complaints", "60").output, "its day is that of the demo"
    other = run(bare, "demo", "--complaints", "1000", "--shape", "state")
    assert other.exit_code == 2
    assert "holds another demo (complaints=60 as_of=2026-11-20 seed=1)" in other.output
    assert "an empty database" in other.output
    assert db.session.scalar(select(func.count()).select_from(Complaint)) == 60
    db.session.remove()
    assert run(bare, "init").exit_code == 0, "a demo of its own is no reason not to start"
