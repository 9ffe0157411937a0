"""The pictures of a letter: the emblem, drawn once and then copied, and the QR code, in bare strokes.

WeasyPrint takes a picture from its ``cache`` before it reads one; ours stand there ready. It would read
each SVG anew and draw it path by path, which for the 230 strokes of a QR code is a twentieth of the
letter's time.
"""

from __future__ import annotations

import re
from functools import cached_property
from html import unescape
from typing import Any

import segno

BORDER = 4
"""Modules of white around a QR code (ISO/IEC 18004)."""
_SCHEME = "qr:"
_ASKED = re.compile(rf'(?<=src="){_SCHEME}[^"]+')
_DARK = re.compile(rb"\x01+")


class QrCode:
    """The QR code of a web address: SVG in a page for the screen, a picture of WeasyPrint's on paper."""

    def __init__(self, text: str) -> None:
        self.text = text

    @property
    def address(self) -> str:
        """What a page for paper names as the source of the picture."""
        return _SCHEME + self.text

    @cached_property
    def _code(self) -> Any:
        return segno.make(self.text, error="m", boost_error=False)

    def __html__(self) -> str:
        """The code as SVG, by attributes alone: it holds squares, not the address."""
        drawn: str = self._code.svg_inline(border=BORDER, svgclass=None, lineclass=None, omitsize=True)
        return drawn

    def get_intrinsic_size(self, _resolution: float, _font_size: float) -> tuple[None, None, float]:
        """No size of its own, and as high as wide (asked by WeasyPrint)."""
        return None, None, 1

    def draw(self, stream: Any, width: float, height: float, _style: Any) -> None:
        """Draw each run of dark modules as a stroke (asked by WeasyPrint, within a state of its own)."""
        modules = len(self._code.matrix) + 2 * BORDER
        stream.transform(a=width / modules, d=height / modules)
        stream.set_color_rgb(0, 0, 0, stroke=True)
        stream.set_line_width(1)
        strokes = (
            b"%d %d.5 m %d %d.5 l" % (run.start() + BORDER, row, run.end() + BORDER, row)
            for row, line in enumerate(self._code.matrix, BORDER)
            for run in _DARK.finditer(line)
        )
        stream.stream += [b"\n".join(strokes), b"S"]


class Kept:
    """A picture that draws itself once; its operators are copied from then on."""

    def __init__(self, picture: Any) -> None:
        self._picture = picture
        self._drawn: dict[Any, tuple[list[Any], dict[str, Any]]] = {}
        self.get_intrinsic_size = picture.get_intrinsic_size

    def draw(self, stream: Any, width: float, height: float, style: Any) -> None:
        """Draw (asked by WeasyPrint, within a state of its own)."""
        states = stream._resources["ExtGState"]
        key = (width, height, stream._current_color, stream._current_color_stroke)
        known = self._drawn.get(key)
        if known is None:
            start = len(stream.stream)
            stream._current_alpha = stream._current_alpha_stroke = None
            self._picture.draw(stream, width, height, style)
            self._drawn[key] = (stream.stream[start:], dict(states))
            return
        stream.stream += known[0]
        for name, state in known[1].items():
            states.setdefault(name, state)


def codes_of(page: str) -> dict[str, QrCode]:
    """The QR codes that a page names, by the address under which WeasyPrint asks for them."""
    from weasyprint.urls import iri_to_uri

    named = (unescape(found) for found in _ASKED.findall(page))
    return {iri_to_uri(address): QrCode(address.removeprefix(_SCHEME)) for address in named}
