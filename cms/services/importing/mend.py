"""The errors files: the original rows with what is wrong, to be mended and given again."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

from cms.services.importing.profile import Profile
from cms.services.importing.source import EXTRA, form, is_mended, read
from cms.services.importing.spool import Spool

FORMULA = ("=", "+", "-", "@", "\t", "\r")


def write(folder: Path, profile: Profile, paths: Mapping[str, Path], spool: Spool) -> dict[str, int]:
    """One CSV per kind of file that has problems; how many rows in each. OSError if it cannot."""
    folder.mkdir(parents=True, exist_ok=True)
    written: dict[str, int] = {}
    for name, path in paths.items():
        told = spool.problems(name)
        line, column, reason = next(told, (0, "", ""))
        if not line:
            continue
        rows = read(path, form(path, profile.files[name]))
        _at, header = next(rows)
        before = len(EXTRA) if is_mended(header) else 0
        with (folder / f"{name}.csv").open("w", encoding="utf-8-sig", newline="") as file:
            out = csv.writer(file)
            out.writerow([*EXTRA, *header[before:]])
            for at, cells in rows:
                if at == line:
                    out.writerow([at, column, reason, *map(safe, cells[before:])])
                    written[name] = written.get(name, 0) + 1
                    line, column, reason = next(told, (0, "", ""))
    return written


def safe(cell: str) -> str:
    """The cell so that no spreadsheet runs it as a formula."""
    return "'" + cell if cell.startswith(FORMULA) else cell


def original(cell: str) -> str:
    """The cell as it was before :func:`safe`."""
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(FORMULA) else cell
