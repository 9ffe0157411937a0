"""The letters as the public gets them: picture, text, fonts, limits.

Pictures: ``CMS_UPDATE_PICTURES=1 pytest tests/test_pdf.py`` draws the references anew; look at
them before committing.
"""

import contextlib
import dataclasses
import hashlib
import io
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pypdf
import pypdfium2
import pytest
import zxingcpp
from letter_samples import COPY, REPORT
from letter_samples import SAMPLES as PAPERS
from PIL import Image

from cms import pdf

PICTURES = Path(__file__).parent / "pictures"
PANGO_OF_THE_PICTURES = 150
TEMPLATES = {name: template for name, (template, _data) in PAPERS.items()}
SAMPLES = {name: data for name, (_template, data) in PAPERS.items()}
EDITIONS = [(name, language) for name in SAMPLES for language in ("hi", "en")]
COUNT = dict.fromkeys(SAMPLES, 1) | {"noting": 2}


@pytest.fixture(scope="module", autouse=True)
def _let_go() -> Iterator[None]:
    """At interpreter exit WeasyPrint's clean-up trips over modules that are gone."""
    yield
    pdf._engine.cache_clear()


@pytest.fixture(scope="module")
def letters() -> dict[tuple[str, str], bytes]:
    pdf.warm()
    return {(name, tag): pdf.render(TEMPLATES[name], SAMPLES[name], language=tag) for name, tag in EDITIONS}


def reader(data: bytes) -> pypdf.PdfReader:
    return pypdf.PdfReader(io.BytesIO(data))


def text(data: bytes) -> str:
    document = pypdfium2.PdfDocument(data)
    pages = [page.get_textpage().get_text_range() for page in document]
    document.close()
    return "\n".join(pages)


def picture(data: bytes, dpi: int = 100, page: int = 0) -> np.ndarray:
    document = pypdfium2.PdfDocument(data)
    grey = document[page].render(scale=dpi / 72, grayscale=True).to_numpy().copy()
    document.close()
    return grey


def sixteen_greys(grey: np.ndarray) -> np.ndarray:
    return grey >> 4


def same_picture(one: np.ndarray, other: np.ndarray) -> bool:
    """Equal but for one step of sixteen greys in a pixel: an edge smoothed another way."""
    if one.shape != other.shape:
        return False
    return int(np.abs(one.astype(int) - other.astype(int)).max()) <= 1


def stored(name: str) -> np.ndarray:
    return np.asarray(Image.open(PICTURES / name).convert("L")) >> 4


def store(name: str, levels: np.ndarray) -> None:
    image = Image.fromarray(levels, mode=None).convert("P")
    image.putpalette([shade for level in range(16) for shade in [level * 17] * 3])
    image.save(PICTURES / name, bits=4, optimize=True)


def require_known_pango() -> None:
    from weasyprint.text.ffi import pango

    version = pango.pango_version() // 100
    if version != PANGO_OF_THE_PICTURES and os.environ.get("CI") != "true":
        pytest.skip(f"pictures are of pango {PANGO_OF_THE_PICTURES}, here is {version}")


@pytest.mark.parametrize(("sample", "language"), EDITIONS)
def test_picture(letters, sample, language):
    require_known_pango()
    name = f"{sample}-{language}.png"
    levels = sixteen_greys(picture(letters[sample, language]))
    if os.environ.get("CMS_UPDATE_PICTURES"):
        store(name, levels)
    assert same_picture(levels, stored(name)), f"{name} looks different; see the head of this file"


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("number", COPY.number.replace("123", "128")),
        ("text", COPY.text.replace("मेड़", "मेड", 1)),
        ("text", COPY.text.replace("की", "कि", 1)),
        ("due_on_hi", COPY.due_on_hi.replace("9", "8")),
    ],
)
def test_one_changed_glyph_is_another_picture(letters, field, wrong):
    changed = pdf.render("copy.html", dataclasses.replace(COPY, **{field: wrong}), language="hi")
    assert not same_picture(sixteen_greys(picture(changed)), sixteen_greys(picture(letters["copy", "hi"])))


@pytest.mark.parametrize(("sample", "language"), EDITIONS)
def test_pages_of_a4_within_60_kb(letters, sample, language):
    data = letters[sample, language]
    assert len(COPY.text.split()) >= 200
    assert len(REPORT.actions) == 8
    pages = reader(data).pages
    assert len(pages) == COUNT[sample]
    assert (round(pages[0].mediabox.width), round(pages[0].mediabox.height)) == (595, 842)
    assert len(data) <= 60 * 1024


@pytest.mark.parametrize(("sample", "language"), EDITIONS)
def test_only_our_fonts_are_embedded(letters, sample, language):
    fonts = reader(letters[sample, language]).pages[0]["/Resources"]["/Font"]
    names = {re.sub(r"^/\w+\+", "", font.get_object()["/BaseFont"]) for font in fonts.values()}
    assert names == {"CMS-Latin", "CMS-Latin-Bold", "CMS-Deva", "CMS-Deva-Bold"}
    for font in fonts.values():
        descriptor = font.get_object()["/DescendantFonts"][0].get_object()["/FontDescriptor"].get_object()
        assert "/FontFile2" in descriptor


@pytest.mark.parametrize(("sample", "language"), EDITIONS)
def test_names_and_numbers_extract_as_text(letters, sample, language):
    words = text(letters[sample, language])
    assert "HARYANA POLICE" in words
    assert SAMPLES[sample].number in words
    assert ("4938 2017 5566" in words) == (sample == "copy")
    assert f"Page 1 of {COUNT[sample]}" in words


@pytest.mark.parametrize("dpi", [100, 150, 300])
@pytest.mark.parametrize("sample", SAMPLES)
def test_qr_leads_to_the_verification_page(letters, sample, dpi):
    page = picture(letters[sample, "hi"], dpi)
    wanted = [SAMPLES[sample].verify_url] if sample != "handover" else []
    black_and_white = np.where(page > 128, 255, 0).astype(np.uint8)
    for print_out in (page, black_and_white):
        assert [code.text for code in zxingcpp.read_barcodes(print_out)] == wanted


def test_pages_are_counted():
    long = dataclasses.replace(COPY, text=COPY.text * 4)
    words = text(pdf.render("copy.html", long, language="hi"))
    assert re.findall(r"Page (\d) of (\d)", words) == [("1", "2"), ("2", "2")]


def structure(node: pypdf.generic.DictionaryObject, found: list[str]) -> list[str]:
    if "/S" in node:
        found.append(str(node["/S"]))
    kids = node.get("/K", [])
    for kid in kids if isinstance(kids, list) else [kids]:
        child = kid.get_object()
        if isinstance(child, dict):
            structure(child, found)
    return found


@pytest.mark.parametrize(("sample", "language"), EDITIONS)
def test_tagged_with_title_and_language(letters, sample, language):
    document = reader(letters[sample, language])
    root = document.trailer["/Root"]
    assert root["/Lang"] == language
    assert root["/MarkInfo"]["/Marked"]
    assert SAMPLES[sample].number in document.metadata.title
    assert b"pdfuaid" in root["/Metadata"].get_data()
    tags = structure(root["/StructTreeRoot"], [])
    assert tags.count("/H1") == 1
    tables = set() if TEMPLATES[sample] == "letter.html" else {"/Table", "/TH", "/TD"}
    assert tables | {"/Figure", "/P"} <= set(tags)


def test_same_data_same_bytes_even_in_another_process(letters):
    code = (
        "import hashlib; from letter_samples import COPY; from cms import pdf;"
        "print(hashlib.sha256(pdf.render('copy.html', COPY, language='hi')).hexdigest())"
    )
    here = pdf.render("copy.html", COPY, language="hi")
    assert here == letters["copy", "hi"]
    assert run_python(code) == hashlib.sha256(here).hexdigest()


def run_python(code: str) -> str:
    root = Path(__file__).parent.parent
    path = os.pathsep.join([str(root), str(root / "tests")])
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_the_web_page_needs_no_weasyprint():
    code = (
        "import sys; from letter_samples import COPY; from cms import pdf;"
        "pdf.html('copy.html', COPY, language='hi', embed=False); print('weasyprint' in sys.modules)"
    )
    assert run_python(code) == "False"


@pytest.mark.parametrize("language", pdf.LANGUAGES)
@pytest.mark.parametrize("sample", SAMPLES)
def test_web_page_keeps_a_strict_csp(sample, language):
    page = pdf.html(TEMPLATES[sample], SAMPLES[sample], language=language, embed=False)
    assert '<link rel="stylesheet" href="/static/letters/v1.css"/>' in page
    assert not re.search(r"<style|<script|\sstyle=|\son\w+=|src=\"(?!/static/)", page)
    assert f'<html lang="{language[:2]}">' in page
    assert len(page.encode()) < 40_000


def test_one_language_alone_prints_one_language():
    page = pdf.html("copy.html", COPY, language="en-only", embed=False)
    assert "Your rights" in page
    assert "आपके अधिकार" not in page
    with pytest.raises(pdf.DocumentRefused):
        pdf.html("copy.html", COPY, language="fr", embed=False)


@pytest.mark.parametrize("url", ["file:///etc/passwd", "http://127.0.0.1/", "https://example.org/x.png", "ftp://x/y"])
def test_fetcher_serves_nothing_foreign(url):
    with pytest.raises(pdf.DocumentRefused):
        pdf._make_fetcher().fetch(url)
    with pytest.raises(pdf.DocumentRefused):
        pdf._engine(pdf.CURRENT).write(f'<html lang="en"><title>x</title><img src="{url}" alt="x">')


def test_fetcher_serves_no_other_file_of_the_fonts_folder():
    fetcher = pdf._make_fetcher()
    fetcher.fetch((pdf.FONTS / pdf.FONT_FILES[0]).as_uri()).close()
    for path in (pdf.FONTS / "OFL.txt", pdf.letter_css(pdf.CURRENT), pdf.ROOT / "app.py"):
        with pytest.raises(pdf.DocumentRefused):
            fetcher.fetch(f"file://{path}")
    svg = pdf._data_url('<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd" width="9"/></svg>')
    data = pdf._engine(pdf.CURRENT).write(f'<html lang="en"><title>x</title><img src="{svg}" alt="x">')
    assert not reader(data).pages[0].images


HOSTILE = {
    "word of 200,000": "क" * 200_000,
    "word within the cap": "क" * 57_000,
    "conjunct without end": "क्ष्" * 14_000,
    "latin without end": "A" * 57_000,
    "no-break spaces": "a\u00a0" * 28_000,
    "overrides": "\u202eशिकायत abc\u2067 " * 3_000,
    "zalgo": ("a" + "\u0301" * 500 + " ") * 80,
    "vowel signs": "कि" + "ि" * 50_000,
    "deep markup": "<div>" * 10_000,
    "wide table": "<table><td colspan=1000000>" * 1_000,
    "lines": "x\n" * 25_000,
    "nulls": "a\x00b\ud800\ufffe" * 5_000,
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_renders_or_is_refused_within_ten_seconds(name):
    started = time.process_time()
    with contextlib.suppress(pdf.DocumentRefused):
        data = pdf.render("copy.html", dataclasses.replace(COPY, text=HOSTILE[name]), language="hi")
        assert COPY.number in text(data)
    assert time.process_time() - started < 10
    assert len(reader(pdf.render("copy.html", COPY, language="hi")).pages) == 1


WORD = "क" * pdf.MAX_FIELD
HOSTILE_REPORTS = {
    "actions": {"actions": [dataclasses.replace(REPORT.actions[0], text=WORD, on_hi=WORD, on_en=WORD)] * 2},
    "findings": {"findings": [dataclasses.replace(REPORT.findings[0], allegation=WORD, reasons=WORD)] * 4},
    "reasons": {"outcome_reasons": "क" * 57_000},
    "names": {"officer_name": WORD, "addressee_name": WORD, "io_name": WORD, "appeal_to_hi": WORD},
    "beyond a field": {"addressee_name": WORD + "क"},
    "beyond a list": {"actions": [REPORT.actions[0]] * (pdf.MAX_ITEMS + 1)},
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", HOSTILE_REPORTS)
def test_hostile_reports_too(name):
    started = time.process_time()
    hostile = dataclasses.replace(REPORT, **HOSTILE_REPORTS[name])
    if name.startswith("beyond"):
        with pytest.raises(pdf.DocumentRefused):
            pdf.render("report.html", hostile, language="hi")
    else:
        assert pdf.render("report.html", hostile, language="hi").startswith(b"%PDF")
    assert time.process_time() - started < 10


LONG_LETTER = SAMPLES["appeal"].parts[1]
HOSTILE_LETTERS = {
    "a word": {"parts": [dataclasses.replace(LONG_LETTER, quoted="क" * 50_000)]},
    "lines": {"parts": [dataclasses.replace(LONG_LETTER, quoted="क\n" * 1_900)]},
    "markup": {"parts": [dataclasses.replace(LONG_LETTER, quoted="<script>alert(1)</script><p>" * 300)]},
    "zalgo": {"parts": [dataclasses.replace(LONG_LETTER, quoted=("a" + "\u0301" * 500 + " ") * 80)]},
    "overrides": {"parts": [dataclasses.replace(LONG_LETTER, quoted="\u202eशिकायत abc\u2067 " * 2_000)]},
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", HOSTILE_LETTERS)
def test_hostile_letters_too(name):
    started = time.process_time()
    hostile = dataclasses.replace(SAMPLES["appeal"], **HOSTILE_LETTERS[name])
    assert pdf.render("letter.html", hostile, language="hi").startswith(b"%PDF")
    assert time.process_time() - started < 10


@pytest.mark.filterwarnings("ignore")
def test_hostile_noting_sheet_too():
    started = time.process_time()
    sheet = SAMPLES["noting"]
    row = dataclasses.replace(sheet.rounds[0].rows[1], text=WORD, from_hi=WORD[:400], to_en="A" * 400)
    hostile = dataclasses.replace(sheet, rounds=[dataclasses.replace(sheet.rounds[0], rows=[row] * 9)])
    assert pdf.render("noting.html", hostile, language="hi").startswith(b"%PDF")
    assert time.process_time() - started < 10


def test_the_head_of_the_table_stands_on_each_page_of_a_long_sheet():
    sheet = SAMPLES["noting"]
    long = dataclasses.replace(
        sheet, rounds=[dataclasses.replace(sheet.rounds[0], rows=[*sheet.rounds[0].rows] * 4)]
    )
    data = pdf.render("noting.html", long, language="en")
    pages = [page.extract_text() for page in reader(data).pages]
    assert len(pages) >= 5
    assert all("From » to" in page for page in pages[:-1])
    assert re.findall(r"Page (\d) of (\d)", text(data)) == [(str(n), str(len(pages))) for n in range(1, len(pages) + 1)]


def test_a_preview_has_no_qr_and_says_so_twice():
    page = pdf.html("letter.html", SAMPLES["interim"], language="hi", embed=False, preview=True)
    assert page.count("PREVIEW, not issued") == 2
    assert SAMPLES["interim"].verify_url not in page
    assert "PREVIEW" not in pdf.html("letter.html", SAMPLES["interim"], language="hi", embed=False)


def test_markup_is_text_whoever_made_it():
    from markupsafe import Markup

    evil = dataclasses.replace(COPY, text=Markup("<b>bold</b><img src=file:///etc/passwd>"), subject="<i>x</i>")
    page = pdf.html("copy.html", evil, language="hi", embed=True)
    page = re.sub('<span lang="en">|</span>', "", page)
    assert "&lt;b&gt;bold" in page
    assert "<i>" not in page


@pytest.mark.parametrize("name", SAMPLES)
def test_empty_fields_leave_no_stray_signs(name):
    template, sample = TEMPLATES[name], dataclasses.asdict(SAMPLES[name])
    kept = {"number", "verify_url", "track_url", "version", "text_language", "outcome_language"}
    bare = {field: value if field in kept else type(value)() for field, value in sample.items()}
    page = pdf.html(template, bare, language="hi", embed=False)
    words = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", page[page.index("<main>") :]))
    assert not re.search(r", ?,|/ ?/|“”|: ?:|, /|/ ,", words.replace("https://", ""))
    assert "None" not in words
    assert pdf.render(template, bare, language="hi").startswith(b"%PDF")


def test_the_force_stands_above_whatever_office():
    page = pdf.html("copy.html", dataclasses.replace(COPY, letterhead_en=["PS X"]), language="hi", embed=False)
    assert page.count("HARYANA POLICE") == 1
    assert "PS X" in page


def test_cleaning_keeps_the_words():
    assert pdf.clean("क्\u200dष श्री\u00adमती\r\nक\u200cख") == "क्\u200dष श्रीमती\nक\u200cख"
    assert pdf.clean("abc\u202etxt.exe\u2066") == "abctxt.exe"
    assert pdf.clean(COPY.text) == COPY.text
    long = pdf.clean("क्षेत्राधिकारी" * 40)
    assert long.replace("\u200b", "") == "क्षेत्राधिकारी" * 40
    assert not re.search("\u200b[\u0900-\u0903\u093a-\u094f]|\u094d\u200b", long)


def test_a_missing_field_or_a_script_address_is_refused():
    with pytest.raises(pdf.DocumentRefused):
        pdf.html("copy.html", dataclasses.replace(COPY, verify_url="javascript:alert(1)"), language="hi", embed=False)
    with pytest.raises(pdf.DocumentRefused):
        pdf.html("copy.html", dataclasses.replace(COPY, track_url="javascript:alert(1)"), language="hi", embed=False)
    with pytest.raises(pdf.DocumentRefused):
        pdf.html("copy.html", dataclasses.replace(COPY, against=["x"] * 500), language="hi", embed=False)


def test_without_fonts_a_clear_error_instead_of_a_dead_process(monkeypatch, tmp_path):
    monkeypatch.setattr(pdf, "FONTS", tmp_path)
    pdf._engine.cache_clear()
    try:
        with pytest.raises(pdf.RendererUnfit, match=r"noto-sans-400\.woff2"):
            pdf.warm()
    finally:
        pdf._engine.cache_clear()


def test_fonts_alone_suffice(tmp_path):
    """A host without any font of its own renders the same bytes."""
    bare = tmp_path / "fonts.conf"
    bare.write_text(f"<fontconfig><cachedir>{tmp_path}</cachedir></fontconfig>")
    code = (
        f"import os, hashlib; os.environ['FONTCONFIG_FILE'] = {str(bare)!r}; from letter_samples import COPY;"
        "from cms import pdf; pdf.warm();"
        "print(hashlib.sha256(pdf.render('copy.html', COPY, language='hi')).hexdigest())"
    )
    assert run_python(code) == hashlib.sha256(pdf.render("copy.html", COPY, language="hi")).hexdigest()


def resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def test_memory_does_not_grow_over_200_renders():
    pdf.warm()

    def render(number: int) -> None:
        own = f"<p>शिकायत संख्या {number} <b>{COPY.complainant_name}</b></p><p>{COPY.text[number:]}</p>"
        pdf._engine(pdf.CURRENT).write(f'<html lang="hi"><title>{number}</title>{own}')
        if number % 10 == 0:
            pdf.render("copy.html", dataclasses.replace(COPY, number=f"HSR-2026-{number:06}-7"), language="hi")

    for number in range(20):
        render(number)
    before = resident_mb()
    for number in range(200):
        render(number)
    assert resident_mb() - before < 10


def test_a_code_is_found_under_the_address_weasyprint_asks_for():
    from cms.pdf_pictures import codes_of

    url = 'https://cms.example/v?a=1&b="2"'
    page = pdf.html("copy.html", dataclasses.replace(COPY, verify_url=url), language="hi", embed=True)
    assert [code.text for code in codes_of(page).values()] == [url]
    assert codes_of('<p>src="qr:x" is no picture here</p>'.replace('"', "&#34;")) == {}
    assert pdf.render("copy.html", dataclasses.replace(COPY, verify_url=url), language="hi").startswith(b"%PDF")
