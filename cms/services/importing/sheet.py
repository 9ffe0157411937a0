"""A spreadsheet as CSV on standard output; started as a program of its own, never imported.

A crafted workbook can ask for any amount of memory or time, or bring the reader down: here it
brings down only this process, which has little of either. Exit codes: 0 done, 3 no workbook,
4 no such sheet, 5 too large.
"""

from __future__ import annotations

import csv
import resource
import sys
import zipfile
from datetime import date, datetime, time, timedelta
from typing import Any

MEMORY = 240 * 1024 * 1024
SECONDS = 120
UNPACKED = 150 * 1024 * 1024
"""Bytes that the parts of an .xlsx may unpack to: a million filled cells are about a third of it."""

CELLS = 4_000_000
"""Cells of the rectangle around everything in the sheet, the empty ones counted."""

NO_WORKBOOK, NO_SHEET, TOO_LARGE = 3, 4, 5


def unpacks_small(path: str) -> bool:
    """False for a zip bomb: the parts are unpacked and counted, their own word is not taken."""
    if not zipfile.is_zipfile(path):
        return True
    total = 0
    with zipfile.ZipFile(path) as packed:
        for part in packed.infolist():
            with packed.open(part) as opened:
                while block := opened.read(1 << 20):
                    total += len(block)
                    if total > UNPACKED:
                        return False
    return True


def shown(value: Any) -> str:
    """A cell as text: whole numbers without a point, dates year first."""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, datetime):
        return value.isoformat(" ")
    if isinstance(value, (date, time, timedelta)):
        return str(value)
    return str(value)


def main(path: str, wanted: str) -> int:
    """Write the sheet of that name, or the first one, as CSV."""
    from python_calamine import CalamineError, CalamineWorkbook

    try:
        if not unpacks_small(path):
            return TOO_LARGE
        book = CalamineWorkbook.from_path(path)
        names = book.sheet_names
        if not names or (wanted and wanted not in names):
            return NO_SHEET
        sheet = book.get_sheet_by_name(wanted or names[0])
        if sheet.total_height * sheet.total_width > CELLS:
            return TOO_LARGE
        out = csv.writer(sys.stdout)
        for row in sheet.to_python(skip_empty_area=False):
            out.writerow([shown(cell) for cell in row])
    except MemoryError:
        return TOO_LARGE
    except (CalamineError, OSError, ValueError, RuntimeError, zipfile.BadZipFile, NotImplementedError, EOFError):
        return NO_WORKBOOK
    return 0


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sys.stdout.reconfigure(encoding="utf-8", newline="")  # type: ignore[union-attr]
    sys.exit(main(sys.argv[1], sys.argv[2]))
