"""The CSV of what a grid shows: same filters and order, streamed, safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import io
import logging
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from flask import Response, request, stream_with_context

from cms.admin_views import keyset
from cms.admin_views.keyset import Place
from cms.authz import may
from cms.i18n import _, group_digits
from cms.rules import Viewer
from cms.services.desk import Forbidden
from cms.unit_of_work import utcnow

log = logging.getLogger(__name__)
CAP = 50_000
"""Rows a file may hold."""
CHUNK = 2_000
"""Rows held in memory at a time."""
DANGEROUS = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "\t", "\r")
SUSPICIOUS = re.compile(rf"^\s*[{re.escape(''.join(DANGEROUS))}]", re.MULTILINE)
"""Finds a dangerous cell in a column joined by line ends, and now and then a harmless one."""
MARK = "\ufeff"
"""Tells a spreadsheet that the file is UTF-8, so that Hindi opens as Hindi."""


class Echo:
    """A file that hands back what is written to it."""

    def write(self, text: str) -> str:
        """Give the line back to the stream."""
        return text


def safe(text: str) -> str:
    """A cell no spreadsheet takes for a formula, also after blanks."""
    return f"'{text}" if text.startswith(("\t", "\r")) or text.lstrip().startswith(DANGEROUS) else text


def safe_column(texts: Iterable[str]) -> Sequence[str]:
    """Safe cells. One look tells of a whole column that it holds no formula."""
    texts = list(texts)
    return [safe(text) for text in texts] if SUSPICIOUS.search("\n".join(texts)) else texts


def answer(view: Any, who: Viewer) -> Response:
    """The file. Forbidden without the permission to export."""
    if not may(who, "export"):
        raise Forbidden("export")
    asked = replace(view.asked(who), size=CHUNK, place=Place())
    log.info("export: user %s takes %s?%s", who.user_id, view.endpoint, request.query_string.decode())
    name = f"{view.endpoint}-{utcnow():%Y-%m-%d-%H%M}.csv"
    return Response(
        stream_with_context(lines(view, asked, who)),
        mimetype="text/csv",
        headers={"Content-Disposition": f"attachment; filename={name}"},
    )


def lines(view: Any, asked: Any, who: Viewer) -> Iterator[str]:
    """The file line by line, fetched in stretches by keyset."""
    sheet, writer, now = view.sheet(who, "export"), csv.writer(Echo()), utcnow()
    yield MARK + str(writer.writerow([safe(str(cell.label)) for cell in sheet.cells]))
    written = 0
    while True:
        page = view.fetch(asked, who, sheet)
        rows = page.rows[: CAP - written]
        yield stretch(sheet, rows, now)
        written += len(rows)
        if written >= CAP and page.after:
            rows_said = group_digits(CAP)
            yield str(writer.writerow([_("Only the first %(n)s rows are here. Narrow the filters.", n=rows_said)]))
        if page.after is None or written >= CAP:
            return
        column = getattr(view.model, asked.order.key)
        asked = replace(asked, place=Place("after", *keyset.decode(page.after, column)))


def stretch(sheet: Any, rows: Sequence[Sequence[Any]], now: Any) -> str:
    """Rows as lines of safe text."""
    out = io.StringIO(newline="")
    csv.writer(out).writerows(zip(*map(safe_column, sheet.texts(rows, now)), strict=True))
    return out.getvalue()
