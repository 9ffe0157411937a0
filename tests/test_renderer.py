"""The renderer: as fast at first as later, the same picture as stock WeasyPrint, no network."""

from __future__ import annotations

import contextlib
import dataclasses
import gc
import inspect
import io
import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn
from xml.etree import ElementTree

import numpy as np
import pypdfium2
import pytest
import world
from conftest import SECRET, fill, settings_for
from letter_samples import APPEAL, COPY, HANDOVER, NOTING, REPORT
from sqlalchemy import func, select, text

from cms import create_app, pdf, pdf_source
from cms.jobs import sweeps
from cms.models import Document, db
from cms.pdf_pictures import codes_of
from cms.pdf_text import TextLayer
from cms.services import documents
from cms.store import Store
from tests.queue_server import QueueServer

ROOT = Path(__file__).parents[1]
SAMPLES: dict[str, pdf.Document] = {
    "copy.html": COPY, "report.html": REPORT, "letter.html": APPEAL, "noting.html": NOTING, "handover.html": HANDOVER,
}  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def _let_go() -> Iterator[None]:
    """At interpreter exit WeasyPrint's clean-up trips over modules that are gone."""
    yield
    pdf._engine.cache_clear()


def picture(data: bytes) -> np.ndarray[Any, Any]:
    document = pypdfium2.PdfDocument(io.BytesIO(data))
    grey: np.ndarray[Any, Any] = document[0].render(scale=100 / 72, grayscale=True).to_numpy().copy()
    document.close()
    return grey


@pytest.mark.parametrize("language", pdf.LANGUAGES)
@pytest.mark.parametrize("template", SAMPLES)
def test_our_way_in_draws_what_stock_weasyprint_draws(template: str, language: str) -> None:
    import weasyprint

    engine, layer = pdf._engine(pdf.CURRENT), TextLayer()
    page = pdf.html(template, SAMPLES[template], language=language, embed=True)
    for address, code in codes_of(page).items():
        page = page.replace(address, pdf._data_url(code.__html__()))
    assert "qr:" not in page
    with layer.drawing():
        stock = weasyprint.HTML(string=page, url_fetcher=engine._fetcher)
        plain = stock.write_pdf(stylesheets=engine._sheets, font_config=engine._fonts, finisher=layer.finish)
    ours = pdf.render(template, SAMPLES[template], language=language)
    assert np.array_equal(picture(plain), picture(ours))


@pytest.mark.parametrize("template", SAMPLES)
def test_letters_are_well_formed_and_name_their_languages(template: str) -> None:
    page = pdf.html(template, SAMPLES[template], language="hi", embed=True)
    tree = pdf_source._tree(page)
    assert tree.get("lang") == "hi"
    assert not [element for element in tree.iter() if element is not tree and element.get("lang")]
    assert {element.get("data-lang") for element in tree.iter()} == {None, "hi", "en"}


def test_a_page_with_entities_of_its_own_is_refused_as_xml() -> None:
    with pytest.raises(ElementTree.ParseError):
        pdf_source._tree('<!DOCTYPE html [<!ENTITY a "b">]><html>&a;</html>')


def test_contract_of_the_page_class() -> None:
    import weasyprint
    from weasyprint.css import get_all_computed_styles

    stock = weasyprint.HTML(string="<p>x")
    page = pdf._engine(pdf.CURRENT)._page("<html><p>x</p></html>", pdf._engine(pdf.CURRENT)._fetcher)
    assert vars(page).keys() == vars(stock).keys()
    assert "html._ua_stylesheets(forms)" in inspect.getsource(get_all_computed_styles)
    assert len(stock._ua_stylesheets()) == 1


def test_no_garbage_is_searched_for_within_a_letter_and_again_after_it() -> None:
    with pdf._garbage_kept():
        assert not gc.isenabled()
    assert gc.isenabled()


def run_python(code: str) -> Any:
    root = Path(__file__).parent.parent
    path = os.pathsep.join([str(root), str(root / "tests")])
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


def test_the_first_letter_costs_what_the_tenth_costs() -> None:
    """CPU time, in a process of its own; the median of the later ones, for the machine is shared."""
    code = (
        "import json, statistics, time; from letter_samples import COPY; from cms import pdf; pdf.warm(); spent = []\n"
        "for _ in range(11):\n"
        "    begun = time.process_time(); pdf.render('copy.html', COPY, language='hi')\n"
        "    spent.append(time.process_time() - begun)\n"
        "print(json.dumps([spent[0], statistics.median(spent[1:])]))"
    )
    first, later = run_python(code)
    assert first <= 1.5 * later


def test_a_letter_asks_nothing_of_the_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def blocked(*_args: Any, **_options: Any) -> NoReturn:
        raise AssertionError("a letter opened a socket")

    for name in ("socket", "create_connection", "getaddrinfo"):
        monkeypatch.setattr(socket, name, blocked)
    for template, sample in SAMPLES.items():
        assert pdf.render(template, sample, language="hi").startswith(b"%PDF")


def resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def test_a_hundred_letters_leave_no_more_than_10_mb() -> None:
    """Thousands by hand: tests/measure_letters.py --renders 5000."""
    pdf.warm()

    def render(number: int) -> None:
        own = dataclasses.replace(COPY, number=f"HSR-2026-{number:06}-7", text=COPY.text[number : number + 200])
        pdf.render("copy.html", own, language="hi")

    for number in range(20):
        render(number)
    before = resident_mb()
    for number in range(100):
        render(number)
    assert resident_mb() - before <= 10


def test_one_job_makes_what_waits_until_its_time_is_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(settings_for(tmp_path))
    with QueueServer() as server:
        app = create_app(dataclasses.replace(settings_for(tmp_path), redis_url=server.url))
        with app.app_context():
            for number in range(5):
                world.registered(phone=f"99999 {number:05}", form_key=f"k{number}")
            (first,) = next(sweeps.queue.more(sweeps.settings(), "render"))
            monkeypatch.setattr(sweeps, "RENDER_SECONDS", 0)
            assert sweeps.render(first)
            assert state_of_letters() == {"READY": 2, "PENDING": 3}
            monkeypatch.setattr(sweeps, "RENDER_SECONDS", 60)
            assert not sweeps.render(first)
            assert state_of_letters() == {"READY": 5}
            db.session.remove()
            db.engine.dispose()


KILLS = int(os.environ.get("CMS_KILLS", "12"))
LETTERS = 3 * KILLS
WITNESS = (
    "CREATE TABLE settled (id INTEGER)",
    "CREATE TRIGGER witness AFTER UPDATE OF sha256 ON document BEGIN INSERT INTO settled VALUES (new.id); END",
)
"""Every time that bytes are said to be there."""


class Renderer:
    """The renderer as a process of its own, on one data folder, started again whenever it is killed."""

    def __init__(self, data: Path, redis_url: str) -> None:
        self.env = {**os.environ, "CMS_DATA": str(data), "REDIS_URL": redis_url, "CMS_SECRET_KEY": SECRET,
                    "CMS_PUBLIC_URL": "http://localhost", "CMS_DEMO": "", "PYTHONPATH": str(ROOT)}  # fmt: skip
        self.env.pop("DATABASE_URL", None)
        self.log = (data / "renderer.log").open("w")
        self.start()

    def start(self) -> None:
        command = [sys.executable, "-m", "cms.jobs.renderer"]
        self.process = subprocess.Popen(command, cwd=ROOT, env=self.env, stderr=self.log)

    def horses(self) -> list[int]:
        """The children at work."""
        try:
            return [
                int(pid)
                for pid in Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
            ]
        except OSError:
            return []

    def kill(self, whole: bool) -> None:
        """SIGKILL for the child at work; with ``whole`` for its parent before it."""
        victims = [self.process.pid, *self.horses()] if whole else self.horses()
        for pid in victims:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if whole:
            self.process.wait()
            self.start()

    def stop(self) -> None:
        self.kill(whole=False)
        self.process.kill()
        self.process.wait()
        self.log.close()


def state_of_letters() -> dict[str, int]:
    db.session.rollback()
    rows = db.session.execute(select(Document.state, func.count()).group_by(Document.state)).all()
    return {state.name: count for state, count in rows}


def sweep_until(reached: Callable[[], bool], seconds: float) -> None:
    """Hint again every half second at what is missing, as the tick does every minute."""
    end = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < end, state_of_letters()
        sweeps.pending_documents(0)
        time.sleep(0.5)


@pytest.mark.slow
def test_kills_leave_each_letter_made_once(tmp_path: Path) -> None:
    """Three of four of the child in the midst of a letter, the fourth of parent and child."""
    fill(settings_for(tmp_path))
    chance = random.Random(20)
    with QueueServer() as server:
        app = create_app(dataclasses.replace(settings_for(tmp_path), redis_url=server.url))
        with app.app_context():
            with db.engine.begin() as connection:
                for statement in WITNESS:
                    connection.exec_driver_sql(statement)
            for number in range(LETTERS):
                world.registered(phone=f"99999 {number:05}", form_key=f"k{number}")
            renderer = Renderer(tmp_path, server.url)
            try:
                for kill in range(KILLS):
                    sweep_until(lambda: bool(renderer.horses()), 60)
                    time.sleep(chance.uniform(0, 0.12))
                    renderer.kill(whole=kill % 4 == 3)
                killed_at = state_of_letters()
                sweep_until(lambda: state_of_letters() == {"READY": LETTERS}, 10 * KILLS)
            finally:
                renderer.stop()
            check_letters(app.extensions["cms_store"])
            db.session.remove()
            db.engine.dispose()
    assert killed_at.get("PENDING", 0) > 0, "all was made before the last kill"


def check_letters(store: Store) -> None:
    """Each letter READY by one change, its bytes under its hash, nothing else under the name of a PDF."""
    letters = db.session.scalars(select(Document).order_by(Document.id)).all()
    for letter in letters:
        content = documents.file_of(letter, store)
        assert content is not None
        assert (len(content), content[:5]) == (letter.size, b"%PDF-")
        assert letter.code.encode() in content
    assert len({letter.sha256 for letter in letters}) == len(letters) == LETTERS
    assert len(list(store.root.rglob("*.pdf"))) == LETTERS
    settled = db.session.execute(text("SELECT id FROM settled ORDER BY id")).scalars().all()
    assert settled == [letter.id for letter in letters]
