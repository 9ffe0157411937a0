"""What a letter takes over from the ones before changes nothing in it, and nobody's words are kept."""

import inspect
import io
import json
import os
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import pytest
from letter_samples import COPY

from cms import pdf, pdf_file, pdf_reuse

ROOT = Path(__file__).parents[1]
DRAW_ALL = """
import hashlib, json
from cms import pdf, pdf_reuse
from cms.services.samples import SAMPLES
{before}
names = [(name, language) for name in SAMPLES for language in ("hi", "en-only")]
texts = [
    "शिकायतकर्ता को सूचित किया जाता है कि आपकी शिकायत क्षेत्राधिकारी के समक्ष प्रस्तुत की गई है, पुनर्विचार अनुपालन। " * 3,
    "Your complaint has been registered - e.g. under section 173(4) - and marked; well-being of ill-lit li-li-li. " * 3,
    "शिकायत Mixed words, दोनों scripts में /with/slashes/and/no/spaces " * 4,
    "अ" * 90 + " ababababab" * 9 + "\u00a0tied\u00a0together" * 6,
]
page = '<html lang="hi"><head><title>x</title></head><body>' + "".join(
    f'<div style="width:{{width}}mm"><p>{{text}}</p><p style="font-size:7pt;letter-spacing:.1pt">{{text}}</p>'
    f'<p><b>{{text[:60]}}</b> <i>{{text[7:90]}}</i></p><p style="white-space:pre-line">{{text[:200]}}</p></div>'
    for width in (9, 41, 67, 180) for text in texts
) + "</body></html>"
def draw():
    made = [pdf.render(*SAMPLES[name], language=language) for name, language in names]
    made.append(pdf._engine(pdf.CURRENT).write(page, b"0"))
    return [hashlib.sha256(one).hexdigest() for one in made]
drawn = draw()
assert draw() == drawn, "the second time"
print(json.dumps(drawn))
"""


@pytest.fixture(scope="module", autouse=True)
def _warm_engine() -> Any:
    yield pdf.warm()
    pdf._engine.cache_clear()


def drawn(before: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", DRAW_ALL.format(before=before)],
        env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    found: list[str] = json.loads(done.stdout)
    return found


def test_every_letter_is_the_same_to_the_byte_with_and_without_it() -> None:
    stock = drawn("pdf_reuse.install = lambda: None")
    every_line_kept = "pdf.warm(); pdf_reuse._learning = True"
    assert drawn(every_line_kept) == stock


def test_the_words_of_real_letters_are_not_kept() -> None:
    lines, said = len(pdf_reuse._lines), COPY.complainant_name
    assert lines > 20
    pdf.render("copy.html", COPY, language="hi")
    assert len(pdf_reuse._lines) == lines
    assert not [key for key in pdf_reuse._lines if said in key[1]]
    assert not pdf_reuse._present


def test_styles_do_not_grow_with_the_letters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf_reuse, "_styles", {})
    pdf.render("copy.html", COPY, language="hi")
    styles = len(pdf_reuse._styles)
    pdf.render("copy.html", COPY, language="hi")
    assert 40 < len(pdf_reuse._styles) == styles < 200


def test_it_is_put_in_once() -> None:
    from weasyprint import css

    before = css.StyleFor.set_computed_styles
    pdf_reuse.install()
    assert css.StyleFor.set_computed_styles is before


# ---------------------------------------------------------------- contracts with WeasyPrint 70.0 and pydyf


def weasyprint_source(module: str) -> str:
    import weasyprint

    return (Path(inspect.getfile(weasyprint)).parent / module).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("module", "said"),
    [
        ("css/__init__.py", "def set_computed_styles(self, element, parent, root=None, pseudo_type=None,"),
        ("css/__init__.py", "self._computed_styles = computed_styles = {}"),
        ("css/__init__.py", "style = cascaded_styles.setdefault((etree_element, pseudo_type), {})"),
        ("css/__init__.py", "if style := self._computed_styles.get((element, pseudo_type)):"),
        ("formatting_structure/build.py", "table.style[name] = properties.INITIAL_VALUES[name]"),
        ("text/line_break.py", "def split_first_line(text, style, context, max_width, justification_spacing,"),
        ("text/line_break.py", "def reactivate(self, style):\n        self.setup(style)\n        self.set_text(self.text"),
        ("text/line_break.py", "def deactivate(self):\n        del self.layout, self.language, self.style"),
        ("text/line_break.py", "def strut(style):"),
        ("draw/text.py", "pango.pango_layout_set_single_paragraph_mode(textbox.pango_layout.layout, True)"),
        ("layout/inline.py", "can_break_text, character_ratio, create_layout, split_first_line, strut)"),
        ("layout/preferred.py", "split_first_line"),
        ("text/line_break.py", "def can_break_text(text, lang):"),
        ("text/line_break.py", "font_description = get_font_description(style)"),
        ("text/line_break.py", "Return ``(layout, length, resume_index, width, height, baseline)``."),
        ("layout/preferred.py", "can_break_text"),
        ("layout/percent.py", "def resolve_percentages(box, containing_block):"),
        ("layout/background.py", "def layout_box_backgrounds(page, box, get_image_from_uri, layout_children=True,"),
        ("layout/background.py", "            layout_box_backgrounds(page, child, get_image_from_uri)"),
        ("formatting_structure/boxes.py", "def is_in_normal_flow(self):"),
    ],
)  # fmt: skip
def test_contract_source(module: str, said: str) -> None:
    assert said in weasyprint_source(module)


def test_contract_every_module_that_measures_boxes_measures_ours() -> None:
    """Of the modules that name the function, all take ours, or ask ``percent`` for it."""
    import importlib

    import weasyprint
    from weasyprint.layout import percent

    folder = Path(inspect.getfile(weasyprint)).parent / "layout"
    users = [path for path in folder.glob("*.py") if "resolve_percentages" in path.read_text(encoding="utf-8")]
    assert len(users) > 8
    for path in users:
        module = importlib.import_module(f"weasyprint.layout.{path.stem}")
        assert getattr(module, "resolve_percentages", percent.resolve_percentages) is percent.resolve_percentages
    assert percent.resolve_percentages.__module__ == pdf_reuse.__name__


def test_contract_streams_are_compressed_when_they_are_asked_for_their_bytes() -> None:
    import pydyf

    pdf_file.install()
    pdf_file.install()
    stream = pydyf.Stream([b"q", b"Q"], compress=True)
    assert b"/FlateDecode" in stream.data
    assert stream.compress is False
    assert stream.data == stream.data
    assert zlib.decompress(stream.stream[0]) == b"q\nQ"


def test_contract_fonts_fill_their_arrays_at_once() -> None:
    from weasyprint.pdf import fonts
    from weasyprint.text.ffi import ffi

    said = weasyprint_source("pdf/fonts.py")
    assert said.count("ffi.new(f'hb_codepoint_t[{") == 3
    assert "ffi.new('unsigned int *', 100)" in said
    pdf_file.install()
    assert list(fonts.ffi.new("hb_codepoint_t[3]", [7, 8, 9])) == [7, 8, 9]
    assert fonts.ffi.typeof(fonts.ffi.new("hb_codepoint_t[3]", [7, 8, 9])) is ffi.typeof("hb_codepoint_t[]")
    assert len(fonts.ffi.new("hb_tag_t[100]")) == 100
    assert fonts.ffi.new("unsigned int *", 100)[0] == 100


def test_contract_the_objects_of_a_file_are_written_out_before_it() -> None:
    import pydyf

    made = pydyf.PDF()
    made.add_object(pydyf.Dictionary({"Type": "/Nothing"}))
    number, data = made.objects[-1].number, made.objects[-1].data
    whole, packed = io.BytesIO(), io.BytesIO()
    made.write(whole, compress=True, identifier=b"one")
    again = pydyf.PDF()
    again.add_object(pydyf.Dictionary({"Type": "/Nothing"}))
    pdf_file.pack(again)
    assert (again.objects[-1].number, again.objects[-1].data) == (number, data)
    again.write(packed, compress=True, identifier=b"one")
    assert packed.getvalue() == whole.getvalue()
