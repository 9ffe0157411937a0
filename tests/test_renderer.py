"""The renderer: as fast at first as later, the same picture as stock WeasyPrint, no network."""

from __future__ import annotations

import dataclasses
import gc
import inspect
import io
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn
from xml.etree import ElementTree

import numpy as np
import pypdfium2
import pytest
from letter_samples import COPY, REPORT

from cms import pdf, pdf_source
from cms.pdf_text import TextLayer

SAMPLES = {"copy.html": COPY, "report.html": REPORT}


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

    engine, layer = pdf._engine(), TextLayer()
    page = pdf.html(template, SAMPLES[template], language=language, embed=True)
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
    page = pdf._engine()._page("<html><p>x</p></html>", pdf._engine()._fetcher)
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


def test_300_letters_leave_no_more_than_10_mb() -> None:
    pdf.warm()

    def render(number: int) -> None:
        own = dataclasses.replace(COPY, number=f"HSR-2026-{number:06}-7", text=COPY.text[number : number + 200])
        pdf.render("copy.html", own, language="hi")

    for number in range(20):
        render(number)
    before = resident_mb()
    for number in range(300):
        render(number)
    assert resident_mb() - before <= 10
