"""The file of a letter: each object written once, each stream compressed once, fonts cut without a parser.

pydyf writes every object for the file and once more for the file's hash, and compresses at its highest
level each time it is asked. WeasyPrint names a type of its own for each number of glyphs, which cffi
parses as C for 3 ms, eight times in the first letter of a process. This bends ``Stream.data`` and the
objects of a ``PDF`` of pydyf 0.13, and ``ffi`` of WeasyPrint's ``pdf.fonts``, with contract tests in
``tests/test_pdf_reuse.py``.
"""

from __future__ import annotations

import re
import zlib
from functools import cache
from typing import Any

_LENGTH = re.compile(r"\[\d+\]$")


def install() -> None:
    """Do so from now on in this process."""
    import pydyf  # type: ignore[import-untyped]
    from weasyprint.pdf import fonts

    if not hasattr(pydyf.Stream.data.fget, "once"):
        pydyf.Stream.data = _compressed_once(pydyf.Stream.data)
        fonts.ffi = _Arrays(fonts.ffi)


class _Arrays:
    """WeasyPrint's ``ffi``, with one type for arrays of every length."""

    def __init__(self, stock: Any) -> None:
        self._stock = stock

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stock, name)

    def new(self, declared: str, *filled: Any) -> Any:
        """A new C object; an array that is filled has the length of what fills it."""
        return self._stock.new(_LENGTH.sub("[]", declared) if filled else declared, *filled)


def pack(pdf: Any) -> None:
    """Write out each object once: pydyf does so for the file and again for its hash."""
    written = _written()
    for at, entry in enumerate(pdf.objects):
        if entry.compressible and entry.free != "f":
            pdf.objects[at] = written(entry)


@cache
def _written() -> Any:
    """An object of a PDF in its final bytes."""
    import pydyf

    class Written(pydyf.Object):  # type: ignore[misc]
        data = b""

        def __init__(self, entry: Any) -> None:
            super().__init__()
            self.number, self.data = entry.number, entry.data

    return Written


def _compressed_once(stock: Any) -> property:
    """A stream is compressed when its bytes are asked for first, and not at the highest level."""
    import pydyf

    def data(self: Any) -> bytes:
        if self.compress:
            raw = b"\n".join(map(pydyf._to_bytes, self.stream))
            self.stream, self.compress = [zlib.compress(raw)], False
            self.extra["Filter"] = "/FlateDecode"
        made: bytes = stock.fget(self)
        return made

    data.once = True  # type: ignore[attr-defined]
    return property(data)
