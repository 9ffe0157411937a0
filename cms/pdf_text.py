"""Hindi that can be copied, searched and read aloud from the PDF.

WeasyPrint keeps one text per glyph. Devanagari reorders and joins, so that the same glyph stands
for different text in different words, and the text of the PDF comes out scrambled. Here each
further text of a glyph gets a code of its own, and each Hindi word is marked with its text.
Nothing visible changes.

This bends private names of WeasyPrint 70.0, each with a contract test in
``tests/test_pdf_text.py``: ``draw.text.draw_first_line``, a text box's ``pango_layout``,
``stream.stream``, ``stream._fonts``, ``stream.add_font``, and of its fonts ``to_unicode``, ``widths``, ``missing``,
``glyph_count``, ``type``, ``bitmap``, ``name`` and ``hash``.
"""

from __future__ import annotations

import dataclasses
import re
import sys
import unicodedata
from array import array
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import groupby, pairwise
from typing import Any

_FIRST_EXTRA_CODE = 0x8000
"""Above every glyph of our fonts and above the codes WeasyPrint gives to missing letters."""

_INDIC = re.compile("[\u0900-\u0963\u0966-\u0dff]")
_TOKEN = re.compile(rb"<([0-9a-f]*)>|([-+.\de]+)")
_SHOW = b"] TJ"
_EMPTY, _UNKNOWN = 0x0FFFFFFF, 0x10000000
"""Pango's glyph without ink or advance, and its mark of a letter that no font has."""
_STEP = 100
"""Thousandths of the font size."""

_current: ContextVar[TextLayer | None] = ContextVar("text_layer", default=None)


@dataclasses.dataclass(slots=True)
class _Glyph:
    """One drawn glyph: its font, the code it was drawn with, the text it stands for."""

    font: Any
    code: int
    text: str


@dataclasses.dataclass(slots=True)
class _Codes:
    """The texts of one font: of each glyph's own code, and the codes added for further texts."""

    own: dict[int, str] = dataclasses.field(default_factory=dict)
    extra: dict[tuple[int, str], int] = dataclasses.field(default_factory=dict)
    known: dict[tuple[int, str], int] = dataclasses.field(default_factory=dict)

    def code(self, glyph: _Glyph) -> int:
        """Return the code that draws the glyph and reads as its text."""
        key = (glyph.code, glyph.text)
        code = self.known.get(key)
        if code is None:
            code = self.known[key] = self._new_code(glyph)
        return code

    def _new_code(self, glyph: _Glyph) -> int:
        if self.own.setdefault(glyph.code, glyph.text) == glyph.text:
            glyph.font.to_unicode[glyph.code] = glyph.text
            return glyph.code
        key = (glyph.code, glyph.text)
        if key not in self.extra:
            self.extra[key] = added = _FIRST_EXTRA_CODE + len(self.extra)
            glyph.font.to_unicode[added] = glyph.text
            glyph.font.widths[added] = glyph.font.widths[glyph.code]
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

    def rewrite(self, stream: Any, textbox: Any, start: int) -> None:
        """Give the line drawn since operator ``start`` its codes and marks, if it is Indic.

        A line that cannot be read back exactly stays as WeasyPrint drew it.
        """
        text = textbox.pango_layout.text
        if "\u00a0" in text:
            _plain_spaces(stream)
        if not _INDIC.search(text):
            return
        glyphs = _glyphs(stream, textbox.pango_layout)
        operators = [_parse(operator) for operator in stream.stream[start:]]
        tokens = [token for operator in operators if isinstance(operator, list) for token in operator]
        drawn = [token for token in tokens if isinstance(token, int)]
        if glyphs is None or drawn != [glyph.code for glyph in glyphs]:
            return
        words = list(_words(glyphs))
        for word in words:
            _settle(word)
        stream.stream[start:] = _Line(operators).marked(words, self._code)

    def _code(self, glyph: _Glyph) -> int:
        return self._codes[glyph.font.hash].code(glyph)

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

    def draw_first_line(stream: Any, textbox: Any, *rest: Any, **options: Any) -> Any:
        start = len(stream.stream)
        emojis = stock(stream, textbox, *rest, **options)
        layer = _current.get()
        if layer is not None and len(stream.stream) > start:
            layer.rewrite(stream, textbox, start)
        return emojis

    draw_first_line.with_text_layer = True  # type: ignore[attr-defined]
    text.draw_first_line = draw_first_line


def _plain_spaces(stream: Any) -> None:
    """A no-break space is a space to the reader: fonts draw both as one glyph, the first use names it."""
    for font in stream._fonts.values():
        if "\u00a0" in font.to_unicode.values():
            font.to_unicode.update({code: " " for code, text in font.to_unicode.items() if text == "\u00a0"})


def _glyphs(stream: Any, layout: Any) -> list[_Glyph] | None:
    """Return the drawn glyphs of the line, each with its text, or None if a run is not ours."""
    from weasyprint.text.ffi import ffi

    text = layout.text.encode()
    line: list[_Glyph] = []
    run = layout.get_first_line()[0].runs[0]
    while run != ffi.NULL:
        item = run.data
        run = run.next
        font, _ = stream.add_font(item.item.analysis.font)
        if item.item.analysis.level % 2 or not _recodable(font):
            return None
        _add_run(line, item, font, text)
    return line


def _recodable(font: Any) -> bool:
    coloured = font.svg or font.png or font.colr
    return font.type == "ttf" and not font.bitmap and not coloured and font.glyph_count < _FIRST_EXTRA_CODE


def _add_run(line: list[_Glyph], item: Any, font: Any, text: bytes) -> None:
    """Append the glyphs of a run, the characters of each cluster dealt to them in order."""
    count = item.glyphs.num_glyphs
    clusters, glyphs = _numbers(item.glyphs.log_clusters, count), _numbers(item.glyphs.glyphs, count)
    offset, length = item.item.offset, item.item.length
    starts = [i for i in range(count) if i == 0 or clusters[i] != clusters[i - 1]]
    for first, last in pairwise([*starts, count]):
        end = length if last == count else clusters[last]
        chunk = _readable(text[offset + clusters[first] : offset + end].decode())
        codes = [code for glyph in glyphs[first:last] if (code := _code_of(glyph, font)) is not None]
        if len(codes) == 1:
            line.append(_Glyph(font, codes[0], chunk))
        elif codes:
            line += [_Glyph(font, code, part) for code, part in zip(codes, _deal(chunk, len(codes)), strict=True)]
        elif line and _INDIC.search(line[-1].text):
            line[-1].text += chunk


def _numbers(array: Any, count: int) -> list[int]:
    """The first number of each entry of a C array, read at one go."""
    from weasyprint.text.ffi import ffi

    words = ffi.sizeof(ffi.typeof(array).item) // 4
    return memoryview(ffi.buffer(array, 4 * words * count)).cast("B").cast("I")[::words].tolist()


def _readable(text: str) -> str:
    """The text without break opportunities; a no-break space is a space to the reader."""
    return text.replace("\u200b", "").replace("\u00a0", " ")


def _code_of(glyph: int, font: Any) -> int | None:
    """The code WeasyPrint draws for a glyph of Pango; None for one without ink or advance."""
    if glyph == _EMPTY:
        return None
    if glyph & _UNKNOWN:
        missing: int | None = font.missing.get(glyph - _UNKNOWN)
        return missing
    return glyph


def _deal(text: str, glyphs: int) -> list[str]:
    """One character to each glyph, the rest to the last."""
    parts = [*text[: glyphs - 1], text[glyphs - 1 :]]
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
    """Leave no glyph of a Hindi word without text, and no mark at its head.

    Text moves between neighbouring Indic glyphs only: a full stop must stay one, for other
    lines draw it under the same code.
    """
    if not all(glyph.text for glyph in word):
        for indic, run in groupby(word, _is_indic):
            letters = list(run)
            for at, glyph in enumerate(letters if indic else []):
                if not glyph.text:
                    _borrow(letters, at)
    head, *rest = word
    if rest and _is_indic(rest[0]) and any(unicodedata.category(sign) == "Mn" for sign in head.text[1:]):
        rest[0].text = head.text[1:] + rest[0].text
        head.text = head.text[:1]


def _borrow(letters: list[_Glyph], at: int) -> None:
    """Move one character along from the nearest glyph before that has more than one."""
    for giver in range(at - 1, -1, -1):
        if len(letters[giver].text) > 1:
            for left, right in pairwise(letters[giver : at + 1]):
                left.text, right.text = left.text[:-1], left.text[-1] + right.text
            return


def _parse(operator: Any) -> Any:
    """The codes (int) and shifts (bytes) of a text-showing operator; any other as it is."""
    if not isinstance(operator, bytes) or not operator.endswith(_SHOW):
        return operator
    tokens: list[int | bytes] = []
    for codes, shift in _TOKEN.findall(operator[: -len(_SHOW)]):
        tokens += [shift] if shift else [int(codes[i : i + 4], 16) for i in range(0, len(codes), 4)]
    return tokens


def _in_steps(shift: bytes) -> bytes:
    """A shift to the right in steps below half a space, which pypdf would read as a space."""
    whole, rest = divmod(-float(shift), _STEP)
    if whole < 1:
        return shift
    return b" ".join([b"-%d" % _STEP] * int(whole) + [b"%.6f" % -rest])


class _Line:
    """Writes the operators of a line again, word by word."""

    def __init__(self, operators: list[Any]) -> None:
        self._operators = operators
        self._written: list[Any] = []
        self._string: list[bytes] = []
        self._open = b""

    def marked(self, words: list[list[_Glyph]], code: Callable[[_Glyph], int]) -> list[Any]:
        """Return the operators with each Indic word marked and every glyph under its code."""
        glyphs = [(glyph, word if at == 0 else None) for word in words for at, glyph in enumerate(word)]
        coming = iter(glyphs)
        for operator in self._operators:
            if isinstance(operator, list):
                self._show(operator, coming, code)
            else:
                self._written.append(operator)
        self._close()
        return self._written

    def _show(self, tokens: list[int | bytes], coming: Iterator[Any], code: Callable[[_Glyph], int]) -> None:
        """Write a text-showing operator, in as many as there are words."""
        string = self._string
        for token in tokens:
            if isinstance(token, bytes):
                string.append(b" " + _in_steps(token))
                continue
            glyph, word = next(coming)
            if word is not None:
                self._close()
                self._begin("".join(part.text for part in word))
            string.append(b"<%04x>" % code(glyph))
        self._flush()

    def _begin(self, text: str) -> None:
        if _INDIC.search(text):
            actual = text.encode("utf-16-be").hex().encode()
            self._written.append(b"/Span <</ActualText <feff" + actual + b">>> BDC")
            self._open = b"EMC"

    def _close(self) -> None:
        self._flush()
        if self._open:
            self._written.append(self._open)
            self._open = b""

    def _flush(self) -> None:
        if self._string:
            self._written.append(b"[" + b"".join(self._string).replace(b"><", b"") + _SHOW)
            self._string.clear()
