"""Hindi read back from the PDF by what people use, and the private names this rests on."""

import html
import inspect
import io
import os
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from types import SimpleNamespace

import numpy as np
import pdfminer.high_level
import pymupdf
import pypdf
import pypdfium2
import pytest
from letter_samples import COPY, SAMPLES

from cms import pdf, pdf_glyphs, pdf_text

NAMES = """श्री कृष्ण कुमार, श्रीमती विद्या देवी, प्रज्ञा, ज्ञानेन्द्र, राजेन्द्र सिंह, महेन्द्र, सुरेश, ऋषि, ॐ प्रकाश,
द्वारका प्रसाद, ब्रह्म दत्त, क्षितिज, त्रिलोक, हृदय राम, शुभ्रा, पृथ्वी सिंह, वीरेन्द्र, कर्मवीर, धर्मेन्द्र, निर्मला,
लक्ष्मी, सत्यप्रकाश, अश्विनी, उर्मिला, गुरप्रीत कौर, मोहम्मद इक़बाल, रुक्मिणी, जितेन्द्र, श्यामसुन्दर, शत्रुघ्न, कृष्णा, विश्वनाथ,
सरस्वती, चन्द्रभान, कुलविंदर, ढिल्लों, पूनिया, हुड्डा, जाखड़, बिश्नोई, चौटाला, उकलाना, बरवाला, नारनौंद, हाँसी, डबवाली, फ़तेहाबाद"""
WORDS = """राष्ट्र, ट्रक, संस्कृति, द्वितीय, उद्योग, विद्यार्थी, कार्यालय, प्रार्थना, निर्णय, सर्वोच्च, अंतर्गत, पर्ची, हर्ष, वर्ष,
उत्तर, पत्र, स्त्री, शक्ति, भक्ति, मुक्ति, पंक्ति, उक्त, अनुक्रम, प्रत्यक्ष, पक्ष, विपक्षी, क्षेत्राधिकारी, विज्ञप्ति, यज्ञ,
ह्रास, चिह्न, ब्राह्मण, आह्वान, शृंखला, श्वेत, अश्व, निश्चित, पश्चिम, लड़का, पढ़ाई, ज़िला, फ़सल, क़ानून, ख़बर, ग़लत, रुपये, रूप,
कार्रवाई, गई, गईं, हूँ, मैं, नहीं, करूँगी, उन्होंने, छुट्टी, चिट्ठी, बुद्धि, सिद्ध, गड्ढा, लट्ठ, मिट्टी, दुःख, अतः, प्रातः, छः,
पुनर्विचार, अनुसूचित, प्राथमिकी, दण्डाधिकारी, संज्ञेय, असंज्ञेय, ज़मानत, अभियुक्त, साक्ष्य, प्रत्यक्षदर्शी, निशानदेही, मुआयना, हस्ताक्षर,
प्रतिलिपि, अनुपालन, पृष्ठांकन, प्रवर्तन, उत्तरदायित्व, ज्येष्ठ, स्वास्थ्य, मृत्यु, दृष्टि, सृष्टि, वृद्धि, क्रुद्ध, शुद्ध, रक्त, विक्रय, क्रय,
ग्यारह, ग्राम, घ्राण, च्युत, उच्छ्वास, उज्ज्वल, ट्यूबवेल, ड्राइवर, न्यायालय, प्लाट, ब्लॉक, म्लान, म्यूटेशन, व्यक्ति, व्रत, शून्य, श्रम, ष्ण,
स्कूल, स्थान, स्नान, स्पष्ट, स्मरण, स्वयं, हस्तांतरण, ह्यूमन, लॉकर, ऑफ़िस, डॉक्टर, मॉल, ढूँढ़ना, बूँद, सर्टिफ़िकेट, ट्रैक्टर, अर्द्ध, ऊर्ध्व,
कर्त्तव्य, वर्ष्म, सम्मान, उन्नति, अन्न, प्रसन्न, पत्ता, कुत्ता, बच्चा, अड्डा, चक्का, धक्का, मुक्का, पक्का, ठप्पा, गुप्त, सुप्त, लिप्त, शब्द"""
SENTENCES = """शिकायतकर्ता को सूचित किया जाता है कि आपकी शिकायत क्षेत्राधिकारी के समक्ष प्रस्तुत की गई है।
धारा 126/170 भा.ना.सु.सं. के अंतर्गत निवारक कार्रवाई की गई; थाना प्रबंधक (SHO), उकलाना को प्रति प्रेषित।
निरीक्षक Mahender Singh ने दिनांक 24.11.2026 को मौका मुआयना किया, मो. 98120-12345, ₹ 5,00,000 की क्षति।
भारतीय नागरिक सुरक्षा संहिता, 2023 की धारा 173(4) के अंतर्गत पुलिस अधीक्षक को और तत्पश्चात मजिस्ट्रेट को आवेदन किया जा सकता है।
उपर्युक्त विषय के संदर्भ में अभिलेख का अवलोकन किया गया; आरोप सिद्ध नहीं पाए गए, अतः प्रकरण दाखिल दफ्तर किया जाता है।
जाँच अधिकारी को निर्देशित किया जाता है कि साक्षियों के कथन लेखबद्ध कर ०७ दिवस में अनुपालन रिपोर्ट प्रस्तुत करें।"""
CORPUS = f"{NAMES} {WORDS} {SENTENCES}"
STYLES = {
    "plain": f"<p>{CORPUS}</p>",
    "bold": f"<p><b>{CORPUS}</b></p>",
    "justified": f'<p style="text-align:justify">{CORPUS}</p>',
    "table": "<table>" + "".join(f"<tr><td>{a}</td><td><b>{a}</b> / x</td></tr>" for a in CORPUS.split()) + "</table>",
}
DEVANAGARI = re.compile("[\u0900-\u0963\u0966-\u097f\u200c\u200d]+")


@pytest.fixture(scope="module", autouse=True)
def _let_go() -> Iterator[None]:
    """At interpreter exit WeasyPrint's clean-up trips over modules that are gone."""
    yield
    pdf._engine.cache_clear()


def page(body: str) -> str:
    return f'<html lang="hi"><title>corpus</title><body>{body}'


def plain(source: str) -> bytes:
    """The page as WeasyPrint draws it without the text layer."""
    engine = pdf._engine(pdf.CURRENT)
    document = engine._page(source, engine._fetcher)
    return document.write_pdf(
        stylesheets=engine._sheets, font_config=engine._fonts, pdf_variant="pdf/ua-1", cache=engine.pictures(source)
    )


def words(text: str) -> Counter[str]:
    return Counter(DEVANAGARI.findall(text))


def said(source: str) -> Counter[str]:
    body = re.sub(r'<title>.*?</title>|src="[^"]*"|alt="[^"]*"', "", source)
    return words(html.unescape(re.sub(r"<(?!/?span|/?b>|a |/a)[^>]+>", "\n", body).replace("<", "\n<")))


def by_poppler(data: bytes, *options: str) -> str:
    if not shutil.which("pdftotext"):
        if os.environ.get("CI") == "true":
            pytest.fail("pdftotext of poppler-utils is missing")
        pytest.skip("pdftotext of poppler-utils is not installed")
    return subprocess.run(
        ["pdftotext", *options, "-", "-"], input=data, capture_output=True, check=True
    ).stdout.decode()


def by_pdfium(data: bytes) -> str:
    document = pypdfium2.PdfDocument(data)
    text = "\n".join(sheet.get_textpage().get_text_range() for sheet in document)
    document.close()
    return text


def by_pypdf(data: bytes) -> str:
    return "\n".join(sheet.extract_text() for sheet in pypdf.PdfReader(io.BytesIO(data)).pages)


def by_mupdf(data: bytes) -> str:
    with pymupdf.open(stream=data) as document:
        return "\n".join(sheet.get_text() for sheet in document)


def by_pdfminer(data: bytes) -> str:
    return pdfminer.high_level.extract_text(io.BytesIO(data))


READERS = {
    "poppler": (by_poppler, 1.0),
    "poppler layout": (lambda data: by_poppler(data, "-layout"), 1.0),
    "pdfium": (by_pdfium, 1.0),
    "mupdf": (by_mupdf, 1.0),
    "pypdf": (by_pypdf, 1.0),  # it and the next honour no ActualText
    "pdfminer": (by_pdfminer, 1.0),
}


def share_read(wanted: Counter[str], text: str) -> float:
    missed = wanted - words(text)
    return 1 - sum(missed.values()) / sum(wanted.values())


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("style", STYLES)
def test_corpus_is_read_back(style, reader):
    read, floor = READERS[reader]
    source = page(STYLES[style])
    assert share_read(said(source), read(pdf._engine(pdf.CURRENT).write(source))) >= floor


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("language", ["hi", "en"])
@pytest.mark.parametrize("sample", SAMPLES)
def test_letters_are_read_back(sample, language, reader):
    template, data = SAMPLES[sample]
    read, floor = READERS[reader]
    source = pdf.html(template, data, language=language, embed=True)
    text = read(pdf.render(template, data, language=language))
    assert share_read(said(source), text) >= floor
    for exact in (data.number, data.verification_code, "HARYANA POLICE", getattr(data, "officer_name", "")):
        assert exact in re.sub(r"\s+", " ", text)
    address = getattr(data, "answer_url", "") or getattr(data, "track_url", "")
    assert address in text


def test_without_the_layer_the_words_are_scrambled():
    source = page(STYLES["plain"])
    assert share_read(said(source), by_pdfium(plain(source))) < 0.6


def test_a_full_stop_stays_one_on_every_line():
    source = page("<p>क्र.</p><p>www.example.org 1.2.3</p><p>ब्र.ज. क्ष.ज्ञ.</p><p>a.b</p>")
    text = by_pdfium(pdf._engine(pdf.CURRENT).write(source))
    assert "www.example.org 1.2.3" in text
    assert "a.b" in text
    assert "ब्र.ज. क्ष.ज्ञ." in text


def rendered(data: bytes) -> np.ndarray:
    if not shutil.which("pdftoppm"):
        if os.environ.get("CI") == "true":
            pytest.fail("pdftoppm of poppler-utils is missing")
        pytest.skip("pdftoppm of poppler-utils is not installed")
    drawn = subprocess.run(["pdftoppm", "-gray", "-r", "144", "-"], input=data, capture_output=True, check=True)
    return np.frombuffer(drawn.stdout, np.uint8)  # all pages, one after the other


def rendered_by_pdfium(data: bytes) -> np.ndarray:
    """Large enough that its rounding of each glyph to a whole pixel shows nowhere."""
    document = pypdfium2.PdfDocument(data)
    grey = np.stack([sheet.render(scale=8, grayscale=True).to_numpy().copy() for sheet in document])
    document.close()
    return grey


@pytest.mark.parametrize("style", STYLES)
def test_no_pixel_of_the_corpus_changes(style):
    source = page(STYLES[style])
    assert np.array_equal(rendered(plain(source)), rendered(pdf._engine(pdf.CURRENT).write(source)))


@pytest.mark.parametrize("sample", SAMPLES)
def test_no_pixel_of_a_letter_changes(sample):
    template, data = SAMPLES[sample]
    source = pdf.html(template, data, language="hi", embed=True)
    before, after = plain(source), pdf._engine(pdf.CURRENT).write(source)
    assert np.array_equal(rendered(before), rendered(after))
    apart = np.abs(rendered_by_pdfium(before).astype(int) - rendered_by_pdfium(after).astype(int))
    assert np.mean(apart > 24) < 0.0005


@pytest.mark.parametrize(
    "text",
    [
        "שלום हिंदी سلام",
        "漢字 हिंदी 漢",
        "हि\u200dन्दी क\u200cष",
        "a\u0301 हिन्दी e\u0301",
        "हिंदी 😀 ॐ",
        "ਪੰਜਾਬੀ हिंदी",
        "्र ि ा",
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_strange_lines_are_drawn_all_the_same(text):
    source = page(f"<p>{text} {text}</p>")
    assert np.array_equal(rendered(plain(source)), rendered(pdf._engine(pdf.CURRENT).write(source)))


def test_dealing_keeps_the_order():
    assert pdf_text._deal("कि", 2) == ["क", "ि"]
    assert pdf_text._deal("क्ष", 1) == ["क्ष"]
    assert pdf_text._deal("क", 3) == ["क", "", ""]
    assert pdf_text._deal("फ़ि", 2) == ["फ़", "ि"]
    assert pdf_text._deal("कु", 2) == ["क", "ु"]
    assert pdf_text._deal("क्षि", 3) == ["क्", "ष", "ि"]
    word = [pdf_text._Glyph(0, code, 500, text) for code, text in enumerate(["क्ष", "ा", "", "."])]
    pdf_text._settle(word)
    assert "".join(glyph.text for glyph in word) == "क्षा."
    assert all(glyph.text for glyph in word)
    assert word[-1].text == "."


# The private names. When one of these fails, read cms/pdf_text.py before raising the pin.


@pytest.fixture(scope="module")
def line() -> SimpleNamespace:
    """What WeasyPrint hands to the function that draws a line."""
    from weasyprint.draw import text

    seen: list[SimpleNamespace] = []
    stock = text.draw_first_line

    def spy(stream, textbox, *rest):
        start = len(stream.stream)
        emojis = stock(stream, textbox, *rest)
        textbox.pango_layout.get_first_line()
        seen.append(
            SimpleNamespace(
                stream=stream,
                layout=textbox.pango_layout,
                text=textbox.pango_layout.text,
                drawn=stream.stream[start:],
                emojis=emojis,
            )
        )
        return emojis

    text.draw_first_line = spy
    try:
        plain(page("<p>हिन्दी कि क्ष abc</p>"))
    finally:
        text.draw_first_line = stock
    return next(entry for entry in seen if "हिन्दी" in entry.text)


def test_contract_version():
    import weasyprint

    assert weasyprint.__version__ == "70.0"


def test_contract_draw_first_line():
    from weasyprint.draw import text

    stock = inspect.unwrap(text.draw_first_line)
    names = list(inspect.signature(stock).parameters)
    assert names == ["stream", "textbox", "text_overflow", "block_ellipsis", "matrix"]
    assert "emojis = draw_first_line(" in inspect.getsource(text.draw_text)


@pytest.mark.parametrize("source", [*STYLES, *SAMPLES])
def test_contract_the_pen_draws_as_weasyprint_does(source, monkeypatch):
    """Every line of the corpus and of our letters, operator by operator."""
    from weasyprint.draw import text

    stock = inspect.unwrap(text.draw_first_line)
    lines = []

    def beside(stream, textbox, overflow, ellipsis, matrix):
        start = len(stream.stream)
        emojis = stock(stream, textbox, overflow, ellipsis, matrix)
        drawn = stream.stream[start + 1 :]
        if not drawn:
            return emojis
        pieces = list(pdf_glyphs.runs(textbox.pango_layout))
        pen = pdf_glyphs.Pen(stream)
        for run, (font, size) in zip(pieces, pdf_glyphs.faces_of(stream, textbox, pieces), strict=True):
            pen.draw(run, font, size, pdf_glyphs.glyphs_of(run))
        ours = pdf_glyphs.joined(pen.operators())
        lines.append((drawn, ours[len(ours) - len(drawn) :]))  # the first font may hold on from the line before
        return emojis

    monkeypatch.setattr(text, "draw_first_line", beside)
    plain(page(STYLES[source]) if source in STYLES else pdf.html(*SAMPLES[source], language="hi", embed=True))
    assert len(lines) > 8
    for theirs, ours in lines:
        assert [part.replace(b"<>", b"") for part in theirs] == ours


def test_contract_stream_is_a_list_of_operators(line):
    assert isinstance(line.stream.stream, list)
    shown = [operator for operator in line.drawn if isinstance(operator, bytes) and operator.endswith(b"] TJ")]
    assert shown
    assert all(re.fullmatch(rb"\[(<[0-9a-f]*>|[-+.\de ]+)*\] TJ", operator) for operator in shown)


def test_contract_a_line_begins_with_its_matrix_and_its_font(line):
    from weasyprint.pdf.stream import Stream

    matrix, font = line.drawn[:2]
    assert matrix.endswith(b" Tm")
    assert font.endswith(b" Tf")
    assert "if (font, size) == self._current_font:" in inspect.getsource(Stream.set_font_size)
    assert "self._old_font, self._current_font = self._current_font, None" in inspect.getsource(Stream.end_text)


def test_contract_pango_layout(line):
    assert line.text == "हिन्दी कि क्ष abc"
    assert {"get_first_line", "text", "reactivate", "deactivate"} <= {*dir(line.layout)}


def test_contract_pango_structures():
    from weasyprint.text.ffi import ffi, pango

    fields = {name for name, _ in ffi.typeof("PangoGlyphString").fields}
    assert {"num_glyphs", "glyphs", "log_clusters"} <= fields
    assert {"offset", "length", "analysis"} <= {name for name, _ in ffi.typeof("PangoItem").fields}
    assert {"level", "font"} <= {name for name, _ in ffi.typeof("PangoAnalysis").fields}
    assert pdf_glyphs.EMPTY == pango.PANGO_GLYPH_EMPTY
    assert pdf_glyphs.UNKNOWN == pango.PANGO_GLYPH_UNKNOWN_FLAG
    assert ffi.sizeof("PangoGlyphInfo") == 20
    assert [name for name, _ in ffi.typeof("PangoGlyphInfo").fields] == ["glyph", "geometry", "attr"]
    assert [name for name, _ in ffi.typeof("PangoGlyphGeometry").fields] == ["width", "x_offset", "y_offset"]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("to_unicode", dict), ("widths", dict), ("missing", dict), ("glyph_count", int), ("type", str),
        ("bitmap", bool), ("name", bytes), ("hash", str),
    ],
)  # fmt: skip
def test_contract_font(line, name, kind):
    fonts = list(line.stream._fonts.values())
    assert fonts
    for font in fonts:
        assert isinstance(getattr(font, name), kind)
        assert font.glyph_count < pdf_text._FIRST_EXTRA_CODE
        assert {"svg", "png", "colr"} <= vars(font).keys()


def test_contract_harfbuzz_names_the_space(line):
    pdf_text._install()
    for font in line.stream._fonts.values():
        space, width = pdf_glyphs.space(font)
        assert width == font.widths.get(space, width)
        assert 200 < width < 300


def test_contract_tags():
    import weasyprint.pdf
    from weasyprint.pdf import tags
    from weasyprint.pdf.stream import Stream

    stock = tags._build_box_tree.__closure__[-1].cell_contents
    assert list(inspect.signature(stock).parameters) == [
        "box", "parent", "pdf", "page_number", "nums", "annotations", "tags",
    ]  # fmt: skip
    assert "_build_box_tree(\n" in inspect.getsource(tags)
    assert "add_tags(pdf, document, options['pdf_version'], page_streams)" in inspect.getsource(weasyprint.pdf)
    assert "self._tags[box] = {'tag': tag, 'mcid': mcid}" in inspect.getsource(Stream.marked)


def test_contract_add_font_returns_the_font_and_its_size():
    from weasyprint.pdf.stream import Stream

    assert list(inspect.signature(Stream.add_font).parameters) == ["self", "pango_font"]
    assert "return self._fonts[key], font_size" in inspect.getsource(Stream.add_font)


def test_contract_every_text_reaches_the_unicode_map_and_one_map_per_font(line):
    from weasyprint.pdf import fonts

    source = inspect.getsource(fonts)
    assert "'CIDToGIDMap': '/Identity'" in source
    assert "to_unicode = font.to_unicode" in source
    data = pypdf.PdfReader(io.BytesIO(pdf.render("copy.html", COPY, language="hi")))
    embedded = data.pages[0]["/Resources"]["/Font"].values()
    maps = [font.get_object()["/DescendantFonts"][0].get_object()["/CIDToGIDMap"] for font in embedded]
    assert sum(not isinstance(entry.get_object(), str) for entry in maps) == 2
