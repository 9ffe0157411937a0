"""Hindi that can be copied, searched and read aloud from the PDF.

WeasyPrint keeps one text per glyph. Devanagari reorders and joins, so that the same glyph stands
for different text in different words, and the text of the PDF comes out scrambled. Here each
further text of a glyph gets a code of its own, and each Hindi word is marked with its text.
Nothing visible changes.

This bends private names of WeasyPrint 70.0, each with a contract test in ``tests/test_pdf_text.py``:
``draw.text.draw_first_line``, a text box's ``pango_layout``, ``_fonts``, ``_current_font`` and
``add_font`` of a stream, and of its fonts ``to_unicode``, ``widths``, ``glyph_count``, ``type``, ``bitmap``,
``name`` and ``hash``; ``pdf_glyphs.py`` names its own.
"""

from __future__ import annotations

import dataclasses
import math
import re
import sys
import unicodedata
from array import array
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial, wraps
from itertools import chain, groupby, pairwise
from typing import Any

from cms import pdf_glyphs
from cms.pdf_glyphs import EMPTY, SHOW, UNKNOWN, Pen, faces_of, glyphs_of, joined, runs, space

_FIRST_EXTRA_CODE = 0x8000
"""Above every glyph of our fonts and above the codes WeasyPrint gives to missing letters."""

_NON_SPACING = "".join(chr(n) for n in range(0x900, 0xE00) if unicodedata.category(chr(n)) == "Mn")
_INDIC = re.compile("[\u0900-\u0963\u0966-\u0dff]")
_LETTER = re.compile("^.[MARK]*|[^MARK][MARK]*".replace("MARK", _NON_SPACING), re.DOTALL)
_GAP = 60
"""Thousandths of the font size: a wider gap within a word some programs read as a space."""
_INVISIBLE, _VISIBLE = b"3 Tr", b"0 Tr"

_current: ContextVar[TextLayer | None] = ContextVar("text_layer", default=None)


@dataclasses.dataclass(slots=True)
class _Glyph:
    """One drawn glyph: its run, the code it was drawn with, its width in the font, the text it stands for."""

    run: int
    code: int
    width: int
    text: str


@dataclasses.dataclass(slots=True)
class _Reading:
    """What a line says, the same in every letter that has it: its words and the operators that draw them."""

    words: list[list[_Glyph]]
    operators: list[Any]  # a list is a text-showing operator: codes (int) and shifts (bytes)
    indic: bool
    fonts: list[int]  # of each run, WeasyPrint's key of its font
    first: tuple[str, float]  # font and size, with which the line begins
    last: tuple[str, float]
    spaces: list[tuple[int, int]]  # of an Indic line, the glyph and width of a space in each run
    asked: list[_Glyph] = dataclasses.field(default_factory=list)  # what was given a code, in this order,
    given: list[int] = dataclasses.field(default_factory=list)  # the codes,
    written: list[Any] = dataclasses.field(default_factory=list)  # and the operators with them


@dataclasses.dataclass(slots=True)
class _Codes:
    """The texts of one font: of each glyph's own code, and the codes added for further texts."""

    own: dict[int, str] = dataclasses.field(default_factory=dict)
    extra: dict[tuple[int, str], int] = dataclasses.field(default_factory=dict)
    known: dict[tuple[int, str], int] = dataclasses.field(default_factory=dict)

    def code(self, glyph: _Glyph, font: Any) -> int:
        """Return the code that draws the glyph and reads as its text."""
        key = (glyph.code, glyph.text)
        code = self.known.get(key)
        if code is None:
            code = self.known[key] = self._new_code(glyph, font)
        return code

    def _new_code(self, glyph: _Glyph, font: Any) -> int:
        if self.own.setdefault(glyph.code, glyph.text) == glyph.text:
            font.to_unicode[glyph.code] = glyph.text
            font.widths.setdefault(glyph.code, glyph.width)
            return glyph.code
        key = (glyph.code, glyph.text)
        if key not in self.extra:
            self.extra[key] = added = _FIRST_EXTRA_CODE + len(self.extra)
            font.to_unicode[added] = glyph.text
            font.widths[added] = glyph.width
        return self.extra[key]


class TextLayer:
    """The text of one document, gathered while it is drawn and written by `finish`."""

    def __init__(self) -> None:
        self._codes: defaultdict[str, _Codes] = defaultdict(_Codes)

    @contextmanager
    def drawing(self) -> Iterator[None]:
        """Within it, what WeasyPrint draws in this thread gets its text right."""
        _install()
        token = _current.set(self)
        try:
            yield
        finally:
            _current.reset(token)

    def draw(self, stream: Any, textbox: Any, matrix: Any, stock: Callable[[], Any]) -> Any:
        """Draw a line: Pango is asked for its glyphs the first time alone.

        A line that cannot be read back exactly is drawn by ``stock``, as WeasyPrint draws it.
        """
        layout = textbox.pango_layout
        reading: _Reading | None = getattr(layout, "reading", None)
        if reading is None:
            reading = _read(stream, textbox) if textbox.text.strip() else None
            if reading is None:
                emojis = stock()
                if "\u00a0" in layout.text:
                    _plain_spaces(stream)
                return emojis
            layout.reading = reading
        fonts = _fonts(stream, layout, reading.fonts)
        for glyph in chain.from_iterable(reading.words):  # in the order in which WeasyPrint would meet them
            fonts[glyph.run].to_unicode.setdefault(glyph.code, glyph.text)
            fonts[glyph.run].widths.setdefault(glyph.code, glyph.width)
        stream.set_text_matrix(*matrix.values)
        operators = self._written(reading, fonts)
        stream.stream += operators[1:] if stream._current_font == reading.first else operators
        stream._current_font = reading.last
        return []

    def _written(self, reading: _Reading, fonts: list[Any]) -> list[Any]:
        """The operators of the line, with the codes that this document has for its glyphs."""
        if not reading.indic:
            return reading.operators
        codes = [self._codes[font.hash] for font in fonts]

        def code(glyph: _Glyph) -> int:
            return codes[glyph.run].code(glyph, fonts[glyph.run])

        if not reading.written or [code(glyph) for glyph in reading.asked] != reading.given:
            asked: list[_Glyph] = []
            given: list[int] = []

            def noted(glyph: _Glyph) -> int:
                asked.append(glyph)
                given.append(code(glyph))
                return given[-1]

            reading.written = _Line(reading.operators, reading.spaces).marked(reading.words, noted)
            reading.asked, reading.given = asked, given
        return reading.written

    def finish(self, document: Any, pdf: Any) -> None:
        """Map the added codes back to their glyphs (WeasyPrint's ``finisher``)."""
        import pydyf  # type: ignore[import-untyped]

        for holder in [entry for entry in pdf.objects if isinstance(entry, pydyf.Dictionary)]:
            if holder.get("Subtype") != "/CIDFontType2":
                continue
            for font in document.fonts.values():
                codes = self._codes.get(font.hash)
                if codes and codes.extra and font.name == holder["BaseFont"]:
                    stream = pydyf.Stream([_gid_map(font, codes)], compress=True)
                    pdf.add_object(stream)
                    holder["CIDToGIDMap"] = stream.reference
                    break


def _gid_map(font: Any, codes: _Codes) -> bytes:
    """The glyph of every code in use, two bytes each, big-endian; zero elsewhere packs best."""
    glyphs = array("H", bytes(2 * (_FIRST_EXTRA_CODE + len(codes.extra))))
    for code in font.to_unicode:
        if code < _FIRST_EXTRA_CODE:
            glyphs[code] = code
    for (glyph, _), code in codes.extra.items():
        glyphs[code] = glyph
    if sys.byteorder == "little":
        glyphs.byteswap()
    return glyphs.tobytes()


def _install() -> None:
    """Wrap the function that draws a line of text, once per process."""
    from weasyprint.draw import text

    stock: Callable[..., Any] = text.draw_first_line
    if getattr(stock, "with_text_layer", False):
        return
    pdf_glyphs.install()

    @wraps(stock)
    def draw_first_line(stream: Any, textbox: Any, overflow: str, ellipsis: str, matrix: Any) -> Any:
        again = partial(stock, stream, textbox, overflow, ellipsis, matrix)
        layer = _current.get()
        if layer is None or overflow == "ellipsis" or ellipsis != "none":
            return again()
        return layer.draw(stream, textbox, matrix, again)

    draw_first_line.with_text_layer = True  # type: ignore[attr-defined]
    text.draw_first_line = draw_first_line


def _plain_spaces(stream: Any) -> None:
    """A no-break space is a space to the reader: fonts draw both as one glyph, the first use names it."""
    for font in stream._fonts.values():
        if "\u00a0" in font.to_unicode.values():
            font.to_unicode.update({code: " " for code, text in font.to_unicode.items() if text == "\u00a0"})


def _fonts(stream: Any, layout: Any, keys: list[int]) -> list[Any]:
    """The font of each run, in the document that is drawn."""
    try:
        return [stream._fonts[key] for key in keys]
    except KeyError:
        return [stream.add_font(run.item.analysis.font)[0] for run in runs(layout)]


def _read(stream: Any, textbox: Any) -> _Reading | None:
    """Return what the line says and how it is drawn, or None if a run is not ours to draw."""
    layout = textbox.pango_layout
    pieces = list(runs(layout))
    faces = faces_of(stream, textbox, pieces)
    drawn = [glyphs_of(run) for run in pieces]
    for run, (font, _), glyphs in zip(pieces, faces, drawn, strict=True):
        if run.item.analysis.level % 2 or not _recodable(font) or any(glyph & UNKNOWN for glyph, *_ in glyphs):
            return None
    pen, line, text = Pen(stream), [], layout.text.encode()
    for no, (run, (font, size), glyphs) in enumerate(zip(pieces, faces, drawn, strict=True)):
        pen.draw(run, font, size, glyphs)
        line += _dealt(run, no, font, [glyph for glyph, *_ in glyphs], text)
    operators, indic = pen.operators(), bool(_INDIC.search(layout.text))
    words = list(_words(line)) if indic else [line]
    for word in words if indic else ():
        _settle(word)
    keys = {id(font): key for key, font in stream._fonts.items()}
    first, last = ((font.hash, size) for font, size in (faces[0], faces[-1]))
    return _Reading(
        words, operators if indic else joined(operators), indic, [keys[id(font)] for font, _ in faces],
        first, last, [space(font) for font, _ in faces] if indic else [],
    )  # fmt: skip


def _recodable(font: Any) -> bool:
    coloured = font.svg or font.png or font.colr
    return font.type == "ttf" and not font.bitmap and not coloured and font.glyph_count < _FIRST_EXTRA_CODE


def _dealt(run: Any, no: int, font: Any, glyphs: list[int], text: bytes) -> list[_Glyph]:
    """The glyphs of a run, the characters of each cluster dealt to them in order."""
    from weasyprint.text.ffi import ffi

    line: list[_Glyph] = []
    count, offset, length = len(glyphs), run.item.offset, run.item.length
    clusters = ffi.unpack(run.glyphs.log_clusters, count)
    starts = [i for i in range(count) if i == 0 or clusters[i] != clusters[i - 1]]
    for first, last in pairwise([*starts, count]):
        end = length if last == count else clusters[last]
        chunk = _readable(text[offset + clusters[first] : offset + end].decode())
        codes = [glyph for glyph in glyphs[first:last] if glyph != EMPTY]
        if len(codes) == 1:
            line.append(_Glyph(no, codes[0], font.widths[codes[0]], chunk))
        elif codes:
            parts = zip(codes, _deal(chunk, len(codes)), strict=True)
            line += [_Glyph(no, code, font.widths[code], part) for code, part in parts]
        elif line and _INDIC.search(line[-1].text):
            line[-1].text += chunk
    return line


def _readable(text: str) -> str:
    """The text without break opportunities; a no-break space is a space to the reader."""
    return text.replace("\u200b", "").replace("\u00a0", " ")


def _deal(text: str, glyphs: int) -> list[str]:
    """One letter with its marks to each glyph, the rest to the last; without marks where letters are few."""
    parts = _LETTER.findall(text)
    if len(parts) < glyphs:
        parts = list(text)
    parts[glyphs - 1 :] = ["".join(parts[glyphs - 1 :])]
    return parts + [""] * (glyphs - len(parts))


def _words(glyphs: list[_Glyph]) -> Iterator[list[_Glyph]]:
    """Split the line into words, each with the spaces that follow it."""
    word: list[_Glyph] = []
    for glyph in glyphs:
        if word and word[-1].text.isspace() and not glyph.text.isspace():
            yield word
            word = []
        word.append(glyph)
    if word:
        yield word


def _is_indic(glyph: _Glyph) -> bool:
    return not glyph.text or bool(_INDIC.search(glyph.text))


def _settle(word: list[_Glyph]) -> None:
    """Leave no glyph of a Hindi word without text.

    Text moves between neighbouring Indic glyphs only: a full stop must stay one, for other
    lines draw it under the same code.
    """
    if all(glyph.text for glyph in word):
        return
    for indic, run in groupby(word, _is_indic):
        letters = list(run)
        for at, glyph in enumerate(letters if indic else []):
            if not glyph.text:
                _borrow(letters, at)


def _borrow(letters: list[_Glyph], at: int) -> None:
    """Move one character along from the nearest glyph before that has more than one."""
    for giver in range(at - 1, -1, -1):
        if len(letters[giver].text) > 1:
            for left, right in pairwise(letters[giver : at + 1]):
                left.text, right.text = left.text[:-1], left.text[-1] + right.text
            return


def _apart(before: _Glyph, glyph: _Glyph, gap: float) -> bool:
    """Whether programs that go by the place of glyphs take these for two words, or for two lines.

    The next letter begins far behind a mark, which has no width; or two marks follow each other.
    """
    if gap <= _GAP and (before.width or glyph.width):
        return False
    return glyph.run == before.run and _is_indic(before) and _is_indic(glyph)


class _Line:
    """Writes the operators of a line again, word by word."""

    def __init__(self, operators: list[Any], spaces: list[tuple[int, int]]) -> None:
        self._operators = operators
        self._spaces = spaces
        self._written: list[Any] = []
        self._string: list[bytes] = []
        self._said = ""
        self._begun = 0
        self._shifted = 0.0  # since the last glyph, maybe of the operator before

    def marked(self, words: list[list[_Glyph]], code: Callable[[_Glyph], int]) -> list[Any]:
        """Return the operators with each Indic word marked and every glyph under its code."""
        coming = ((glyph, word, at) for word in words for at, glyph in enumerate(word))
        for operator in self._operators:
            if isinstance(operator, list):
                self._show(operator, coming, code)
            else:
                self._written.append(operator)
        self._close()
        return self._written

    def _show(self, tokens: list[int | bytes], coming: Iterator[Any], code: Callable[[_Glyph], int]) -> None:
        """Write a text-showing operator, in as many as there are words."""
        shifts: list[bytes] = []
        for token in tokens:
            if isinstance(token, bytes):
                shifts.append(token)
                self._shifted += float(token)
                continue
            glyph, word, at = next(coming)
            begins = at == 0
            if not begins and _apart(word[at - 1], glyph, -self._shifted):
                self._bridge(glyph.run, shifts, code)
                begins = any(part.width and _INDIC.search(part.text) for part in word[at:])
            else:
                self._string += [b" " + shift for shift in shifts]
            shifts.clear()
            self._shifted = 0.0
            if begins:
                self._close()
            self._said += glyph.text
            self._string.append(b"<%04x>" % code(glyph))
        self._string += [b" " + shift for shift in shifts]
        self._flush()

    def _bridge(self, run: int, shifts: list[bytes], code: Callable[[_Glyph], int]) -> None:
        """Let an invisible space without text end where the next glyph begins."""
        space, width = self._spaces[run]
        code(_Glyph(run, space, width, " "))  # its own text first: of a glyph without, the font keeps nothing
        filler = code(_Glyph(run, space, width, ""))
        gap = sum(map(float, shifts))
        count = max(1, math.ceil(-gap / width))
        self._flush()
        self._written += [_INVISIBLE, b"[%.6f<%s>" % (gap + count * width, b"%04x" % filler * count) + SHOW, _VISIBLE]

    def _close(self) -> None:
        """End a word, or the part of it before a gap: MuPDF loses its place where a mark goes on behind one."""
        self._flush()
        if _INDIC.search(self._said):
            actual = self._said.encode("utf-16-be").hex().encode()
            self._written.insert(self._begun, b"/Span <</ActualText <feff" + actual + b">>> BDC")
            self._written.append(b"EMC")
        self._said, self._begun = "", len(self._written)

    def _flush(self) -> None:
        if self._string:
            self._written.append(b"[" + b"".join(self._string).replace(b"><", b"") + SHOW)
            self._string.clear()
