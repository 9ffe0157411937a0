"""The errors files: the original rows with what is wrong, to be mended and given again."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

from cms.services.importing.profile import Profile
from cms.services.importing.source import read
from cms.services.importing.spool import Spool

EXTRA = ("cms_line", "cms_column", "cms_reason")
"""Columns before those of the register; :func:`original` takes them off again."""

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
        rows = read(path, profile.files[name])
        _at, header = next(rows)
        with (folder / f"{name}.csv").open("w", encoding="utf-8-sig", newline="") as file:
            out = csv.writer(file)
            out.writerow([*EXTRA, *header])
            for at, cells in rows:
                if at == line:
                    out.writerow([at, column, reason, *map(safe, cells)])
                    written[name] = written.get(name, 0) + 1
                    line, column, reason = next(told, (0, "", ""))
    return written


def safe(cell: str) -> str:
    """The cell so that no spreadsheet runs it as a formula."""
    return "'" + cell if cell.startswith(FORMULA) else cell


def original(cell: str) -> str:
    """The cell as it was before :func:`safe`."""
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(FORMULA) else cell
