"""Files as they are found: plain or gzip, with or without a mark, damaged or not."""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from cms.services.importing.profile import BadInput, FileRule, Profile

LINE_LIMIT = 1_000_000
"""Characters in one line of a file; more is no register."""

Line = tuple[int, list[str]]


def open_text(path: Path) -> IO[str]:
    """The file as text, unpacked if it is gzip. BadInput if it cannot be opened."""
    try:
        with path.open("rb") as raw:
            packed = raw.read(2) == b"\x1f\x8b"
        opened: Any = gzip.open(path, "rb") if packed else path.open("rb")  # noqa: SIM115 (closed by the text)
    except OSError as error:
        raise BadInput(f"The file {path.name} cannot be read: {error.strerror}.") from None
    return io.TextIOWrapper(opened, encoding="utf-8-sig", newline="")


def lines(file: IO[str], name: str) -> Iterator[str]:
    """Lines of bounded length. BadInput if one never ends."""
    while line := file.readline(LINE_LIMIT):
        if len(line) >= LINE_LIMIT and not line.endswith("\n"):
            raise BadInput(f"The file {name} has a line of over a million characters: not a table.")
        yield line


def read(path: Path) -> Iterator[Line]:
    """(line number, cells) of every row, the header first. BadInput when the file is damaged."""
    with open_text(path) as file:
        reader = csv.reader(lines(file, path.name), strict=True)
        at = 1
        try:
            for row in reader:
                yield at, row
                at = reader.line_num + 1
        except UnicodeDecodeError:
            raise BadInput(f"The file {path.name} is not UTF-8 text near line {at}.") from None
        except (EOFError, gzip.BadGzipFile, zlib.error, OSError):
            raise BadInput(f"The file {path.name} is damaged or cut off near line {at}.") from None
        except csv.Error as error:
            raise BadInput(f"The file {path.name} is no valid CSV near line {at}: {error}.") from None


def recognise(profile: Profile, paths: list[Path]) -> dict[str, Path]:
    """Which file is which, by its header. BadInput for a strange, double or missing one."""
    found: dict[str, Path] = {}
    for path in paths:
        rule = kind_of(profile, path)
        if rule.name in found:
            raise BadInput(f"{found[rule.name].name} and {path.name} are both “{rule.name}” files.")
        found[rule.name] = path
    if missing := [name for name in profile.files if name not in found]:
        raise BadInput(f"The profile needs a file of the kind “{missing[0]}”, which was not given.")
    return found


def kind_of(profile: Profile, path: Path) -> FileRule:
    """The rule whose telling columns are all in the header. BadInput if none is."""
    _line, header = next(read(path), (1, []))
    for rule in profile.files.values():
        if set(rule.recognise) <= set(header):
            check_columns(profile, rule, path, header)
            return rule
    raise BadInput(f"The columns of {path.name} fit none of the files of the profile “{profile.name}”.")


def check_columns(profile: Profile, rule: FileRule, path: Path, header: list[str]) -> None:
    """BadInput if a column that the profile reads is absent or doubled."""
    for column in profile.columns(rule.name):
        if header.count(column) != 1:
            what = "is missing from" if column not in header else "is twice in"
            raise BadInput(f"The column “{column}” {what} {path.name}.")
