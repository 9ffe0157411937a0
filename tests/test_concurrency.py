"""Two clerks at once, on both databases: nothing lost, nothing doubled, no gap."""

import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import world
from sqlalchemy import func, select

from cms import i18n
from cms.models import Action, ActionKind, Complaint, Decision, Document, Stay, db
from cms.rules import Conflict, RuleBroken
from cms.services import complaints, enquiry, integrity, transfers
from cms.unit_of_work import Repeated, unit_of_work


def at_once(app, work, count):
    """Run ``work(n)`` for every n below count at the same time, each on a thread and session of its own."""

    def one(number):
        with app.app_context():
            try:
                return work(number)
            except Exception as error:
                return error
            finally:
                db.session.remove()

    db.session.rollback()
    app.extensions["cms_hint"] = None
    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


def test_numbers_have_no_gap_and_no_double(app):
    values = [world.new(form_key=f"k{n}", phone="12" if n % 7 == 3 else "9999900001") for n in range(50)]
    clerk = world.as_viewer("branch.hsr")

    def take(number):
        with unit_of_work(clerk, now=world.NOW) as work:
            return complaints.register(work, values[number]).number

    answers = at_once(app, take, 50)
    given = sorted(int(a.split("-")[2]) for a in answers if isinstance(a, str))
    assert given == list(range(1, len(given) + 1))
    assert len(given) == 43  # seven had no phone number: refused, and their numbers given back


def test_the_same_form_sent_twenty_times_is_one_complaint(app):
    values, clerk = world.new(form_key="same"), world.as_viewer("branch.hsr")

    def take(_number):
        with unit_of_work(clerk, now=world.NOW) as work:
            return complaints.register(work, values).number

    answers = at_once(app, take, 20)
    assert len(set(answers)) == 1
    assert db.session.scalar(select(func.count()).select_from(Complaint)) == 1
    assert db.session.scalar(select(func.count()).select_from(Document)) == 1


def test_one_of_many_wins_and_the_others_are_told(app):
    case, viewer = world.registered(), world.as_viewer("sp.hsr")
    case_id, unit = case.id, world.unit("HSR-PS02").id

    def move(number):
        with unit_of_work(viewer) as work:
            return complaints.mark(work, case_id, 1, unit, f"order {number}").version

    answers = at_once(app, move, 20)
    assert [type(a) for a in answers].count(Conflict) == 19
    assert db.session.scalar(select(Complaint.version).where(Complaint.id == case_id)) == 2


def test_of_twenty_decisions_on_one_report_one_counts(app):
    case = world.reported()
    case_id, version = case.id, case.version
    posts = [world.as_viewer(login) for login in ("sho.hsr", "dsp.hsr", "sp.hsr", "adgp")]

    def decide(number):
        with unit_of_work(posts[number % 4]) as work:
            if number % 2:
                return enquiry.give_back(work, case_id, version, f"objection {number}").status
            return enquiry.dispose(work, case_id, version).status

    answers = at_once(app, decide, 20)
    told = [a for a in answers if isinstance(a, Conflict | RuleBroken)]
    assert len(told) == 19
    assert db.session.scalar(select(func.count()).select_from(Decision)) == 1
    won = next(a for a in answers if not isinstance(a, Exception))
    assert db.session.scalar(select(Complaint.status).where(Complaint.id == case_id)) is won


def test_a_transfer_is_answered_once(app):
    case = world.step("sho.hsr", transfers.transfer, world.registered(), world.unit("SRS-PS01").id, "theirs")
    case_id, version = case.id, case.version
    there, above = world.as_viewer("sho.srs"), world.as_viewer("sp.srs")

    def reply(number):
        with unit_of_work(there if number % 2 else above) as work:
            if number % 3:
                return transfers.accept(work, case_id, version).unit_id
            return transfers.decline(work, case_id, version, "no").unit_id

    answers = at_once(app, reply, 20)
    assert len([a for a in answers if isinstance(a, Exception)]) == 19
    stays = db.session.scalars(select(Stay).where(Stay.complaint_id == case_id, Stay.to_at.is_(None))).all()
    assert len(stays) == 1


def test_the_same_form_at_the_same_moment_is_done_once(app):
    case, viewer = world.assigned(), world.as_viewer("io.hsr")
    case_id = case.id

    def log(_number):
        with unit_of_work(viewer, form_key="one form") as work:
            complaints.act(work, case_id, None, ActionKind.CALL, None, "rang him")

    answers = at_once(app, log, 20)
    assert [type(a) for a in answers].count(Repeated) == 19
    assert db.session.scalar(select(func.count()).select_from(Action).where(Action.kind == ActionKind.CALL)) == 1


def test_everything_logged_at_once_is_kept_and_chained(app):
    case, viewer = world.assigned(), world.as_viewer("io.hsr")
    case_id = case.id

    def log(number):
        with unit_of_work(viewer) as work:
            complaints.act(work, case_id, None, ActionKind.CALL, None, f"call {number}")

    assert at_once(app, log, 30) == [None] * 30
    query = select(func.count()).select_from(Action).where(Action.kind == ActionKind.CALL)
    assert db.session.scalar(query) == 30
    with db.engine.connect() as connection:
        assert integrity.verify(connection, app.extensions["cms_vault"]) == []


def test_the_web_process_never_loads_the_renderer(app):
    code = (
        "import sys\nfrom cms import create_app\nfrom cms.settings import Settings\nfrom pathlib import Path\n"
        "create_app(Settings(data_dir=Path('/nonexistent'), secret_key='k' * 40))\n"
        "assert 'weasyprint' not in sys.modules, 'the web process carries WeasyPrint'"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_processes_that_start_together_compile_the_catalogue_each_for_itself(tmp_path, monkeypatch):
    folder = tmp_path / "hi" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    shutil.copy(i18n.CATALOGUES / "hi" / "LC_MESSAGES" / "messages.po", folder)
    monkeypatch.setattr(i18n, "CATALOGUES", tmp_path)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _n: i18n.compile_catalogues(), range(8)))
    assert [path.name for path in sorted(folder.iterdir())] == ["messages.mo", "messages.po"]
    assert (folder / "messages.mo").stat().st_mode & 0o777 == 0o644
