"""Many letters as one file to be printed: their pages as they were issued, what they share stored once.

pikepdf is loaded by ``join`` alone, so that only the renderer knows it. The file is for paper: links,
tags and outlines stay with the letters themselves.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable
from typing import Any

LEFT_OUT = ("/StructParents", "/Annots", "/Tabs")
"""Of a page: what points into the letter it came from."""


def join(parts: Iterable[bytes], *, apart: bool, title: str) -> tuple[bytes, int]:
    """The parts one after the other, and how many pages they are.

    With ``apart`` an empty page follows each part with an odd number of them: printed on both sides,
    every part then begins a sheet.
    """
    import pikepdf

    whole = pikepdf.new()
    known: dict[bytes, Any] = {}
    for part in parts:
        before = len(whole.pages)
        with pikepdf.open(io.BytesIO(part)) as source:
            whole.pages.extend(source.pages)
            for page in whole.pages[before:]:
                share(page.obj, known)
        if apart and (len(whole.pages) - before) % 2:
            box = [float(edge) for edge in whole.pages[-1].mediabox]
            whole.add_blank_page(page_size=(box[2] - box[0], box[3] - box[1]))
    whole.docinfo["/Title"] = title
    made = io.BytesIO()
    whole.save(made, object_stream_mode=pikepdf.ObjectStreamMode.generate, deterministic_id=True)
    return made.getvalue(), len(whole.pages)


def share(page: Any, known: dict[bytes, Any]) -> None:
    """Point the page at streams that are there already where its fonts have equal ones."""
    for name in LEFT_OUT:
        if name in page:
            del page[name]
    fonts = page.get("/Resources", {}).get("/Font", {})
    for _name, font in fonts.items():
        share_streams(font, ("/ToUnicode",), known)
        for inner in font.get("/DescendantFonts", ()):
            share_streams(inner, ("/CIDToGIDMap",), known)
            share_streams(inner.get("/FontDescriptor", {}), ("/FontFile", "/FontFile2", "/FontFile3"), known)


def share_streams(holder: Any, names: Iterable[str], known: dict[bytes, Any]) -> None:
    """Put the first stream with the same bytes in the place of each of these."""
    import pikepdf

    for name in names:
        stream = holder.get(name)
        if isinstance(stream, pikepdf.Stream):
            key = hashlib.sha256(stream.read_raw_bytes()).digest()
            holder[name] = known.setdefault(key, stream)
