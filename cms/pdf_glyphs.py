"""Glyphs as Pango set them, and the operators that draw them where WeasyPrint would.

This bends names of WeasyPrint 70.0, with contract tests in ``tests/test_pdf_text.py``: ``ffi``, ``pango``
and ``harfbuzz`` of ``text.ffi``, a layout's ``get_first_line``, and of a font ``widths``, ``hash`` and ``hb_font``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

SHOW = b"] TJ"
"""The operator that shows text, behind its codes and shifts."""
EMPTY, UNKNOWN = 0x0FFFFFFF, 0x10000000
"""Pango's glyph without ink or advance, and its mark of a letter that no font has."""
_HARFBUZZ = """
    hb_bool_t hb_font_get_nominal_glyph (hb_font_t *font, hb_codepoint_t unicode, hb_codepoint_t *glyph);
    int32_t hb_font_get_glyph_h_advance (hb_font_t *font, hb_codepoint_t glyph);
    void hb_font_get_scale (hb_font_t *font, int *x_scale, int *y_scale);
"""
"""Of HarfBuzz's own public functions, those that WeasyPrint does not declare."""
_SIZES_RIGHT = 14802
"""Version of Pango from which a font in a run knows its size (GNOME/pango issue 530)."""


def install() -> None:
    """Declare what is asked of HarfBuzz, once per process."""
    from weasyprint.text.ffi import ffi

    ffi.cdef(_HARFBUZZ)


def runs(layout: Any) -> Iterator[Any]:
    """The pieces of the line, each in one font; what is drawn is one paragraph."""
    from weasyprint.text.ffi import ffi, pango

    pango.pango_layout_set_single_paragraph_mode(layout.layout, True)
    run = layout.get_first_line()[0].runs[0]
    while run != ffi.NULL:
        yield run.data
        run = run.next


def faces_of(stream: Any, textbox: Any, pieces: list[Any]) -> list[tuple[Any, float]]:
    """The font of each piece, in the document that is drawn, and its size."""
    from weasyprint.text.ffi import pango

    found = [stream.add_font(run.item.analysis.font) for run in pieces]
    if pango.pango_version() < _SIZES_RIGHT:
        return [(font, textbox.style["font_size"]) for font, _ in found]
    return found


class Pen:
    """Writes the operators that draw glyphs where Pango set them, as WeasyPrint does."""

    def __init__(self, stream: Any) -> None:
        import pydyf  # type: ignore[import-untyped]

        self._stream = stream
        self._out = pydyf.Stream()
        self._tokens: list[int | bytes] = []
        self._font: Any = None

    def operators(self) -> list[Any]:
        """The operators so far; a list is a text-showing one, of codes (int) and shifts (bytes)."""
        self._show()
        operators: list[Any] = self._out.stream
        return operators

    def draw(self, run: Any, font: Any, size: float, glyphs: list[tuple[int, ...]]) -> None:
        """Draw a run. Shifts are thousandths of the font size to the left."""
        from weasyprint.text.ffi import FROM_UNITS

        if run.item.analysis.font != self._font:
            self._font = run.item.analysis.font
            self._show()
            self._out.set_font_size(font.hash, size)
        tokens, widths = self._tokens, font.widths
        for glyph, advance, x, y in glyphs:
            if glyph == EMPTY:
                tokens.append(b"%a" % (-advance / size))
                continue
            shift = x / size
            width = widths.get(glyph)
            if width is None:
                width = widths[glyph] = _width(self._stream, self._font, glyph, size)
            if y:
                self._show()
                self._out.set_text_rise(-y / 1000)
                self._out.stream.append([b"%a" % -shift, glyph] if shift else [glyph])
                self._out.set_text_rise(0)
                tokens = self._tokens
            else:
                if shift:
                    tokens.append(b"%a" % -shift)
                tokens.append(glyph)
            kerning = width + shift - advance * 1000 * FROM_UNITS / size
            if kerning:
                tokens.append(b"%d" % int(kerning))

    def _show(self) -> None:
        if self._tokens:
            self._out.stream.append(self._tokens)
            self._tokens = []


def _width(stream: Any, pango_font: Any, glyph: int, size: float) -> int:
    """Width of a glyph in its font, in thousandths of the font size."""
    from weasyprint.text.ffi import FROM_UNITS, pango

    pango.pango_font_get_glyph_extents(pango_font, glyph, stream.ink_rect, stream.logical_rect)
    width: int = round(stream.logical_rect.width * 1000 * FROM_UNITS / size)
    return width


def joined(operators: list[Any]) -> list[Any]:
    """The operators with text-showing ones as bytes."""
    return [_shown(operator) if isinstance(operator, list) else operator for operator in operators]


def _shown(tokens: list[int | bytes]) -> bytes:
    string = b"".join(b"<%04x>" % token if isinstance(token, int) else token for token in tokens)
    return b"[" + string.replace(b"><", b"") + SHOW


def glyphs_of(run: Any) -> list[tuple[int, ...]]:
    """Glyph, advance and offsets (in Pango's units) of each glyph of a run."""
    from weasyprint.text.ffi import ffi

    words = memoryview(ffi.buffer(run.glyphs.glyphs, 20 * run.glyphs.num_glyphs)).cast("B").cast("i")
    return list(zip(*(words[field::5].tolist() for field in range(4)), strict=True))


def space(font: Any) -> tuple[int, int]:
    """The glyph of a space and its width, rounded as WeasyPrint rounds that of every glyph it draws."""
    from weasyprint.text.ffi import ffi, harfbuzz

    glyph, scale = ffi.new("hb_codepoint_t *"), ffi.new("int[2]")
    harfbuzz.hb_font_get_nominal_glyph(font.hb_font, ord(" "), glyph)
    harfbuzz.hb_font_get_scale(font.hb_font, scale, scale + 1)
    advance = harfbuzz.hb_font_get_glyph_h_advance(font.hb_font, glyph[0])
    return int(glyph[0]), round(advance * 1000 / scale[0])
