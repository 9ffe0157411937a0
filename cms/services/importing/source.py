"""Files as they are found: CSV in any encoding, gzip, spreadsheets; whole, damaged or malicious."""

from __future__ import annotations

import contextlib
import csv
import gzip
import hashlib
import io
import re
import subprocess
import sys
import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

from cms.services.importing import sheet
from cms.services.importing.profile import BadInput, FileRule, Profile

LINE_LIMIT = 1_000_000
"""Characters in one line of a file; more is no register."""

BLANK_LIMIT = 100_000
"""Empty lines in a row; more is no register either, but what a bomb unpacks to."""

MARKS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16", b"\xef\xbb": "utf-8-sig"}
"""First bytes that tell the encoding, whatever the profile says."""

WORKBOOKS = (b"PK", b"\xd0\xcf")
"""First bytes of .xlsx and .xls."""

SAID = {
    sheet.NO_WORKBOOK: "The file {} is damaged or no spreadsheet.",
    sheet.NO_SHEET: "The file {} has no such sheet.",
}

EXTRA = ("cms_line", "cms_column", "cms_reason")
"""Columns before those of the register in an errors file."""

MENDED = re.compile(r'\s*"?cms_line"?([,;\t|])"?cms_column"?\1')
"""The first line of an errors file, whatever stands between its cells now."""

Line = tuple[int, list[str]]


def digest(path: Path) -> str:
    """SHA-256 of a file, for the record of the import."""
    total = hashlib.sha256()
    with path.open("rb") as raw:
        while block := raw.read(1 << 20):
            total.update(block)
    return total.hexdigest()


@contextlib.contextmanager
def open_text(path: Path, rule: FileRule) -> Iterator[IO[str]]:
    """The file as CSV text, unpacked and decoded. BadInput if it cannot be opened."""
    try:
        with path.open("rb") as raw:
            start = raw.read(2)
        opened: Any = gzip.open(path, "rb") if start == b"\x1f\x8b" else path.open("rb")  # noqa: SIM115
    except OSError as error:
        raise BadInput(f"The file {path.name} cannot be read: {error.strerror}.") from None
    with opened:
        if start in WORKBOOKS:
            with workbook(path, rule.sheet) as text:
                yield text
            return
        with contextlib.suppress(EOFError, OSError, zlib.error):  # told when the rows are read
            start = opened.read(2)
            opened.seek(0)
        encoding = MARKS.get(start, rule.encoding)
        yield io.TextIOWrapper(opened, encoding=encoding, newline="")


@contextlib.contextmanager
def workbook(path: Path, name: str) -> Iterator[IO[str]]:
    """A sheet as CSV text, read by another process under limits of memory and time."""
    command = [sys.executable, "-I", sheet.__file__, str(path.resolve()), name]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)  # noqa: S603 (our own)
    pipe: Any = child.stdout
    stream = io.TextIOWrapper(pipe, encoding="utf-8", newline="")
    is_whole = False
    try:
        yield stream
        is_whole = stream.read(1) == ""
    finally:
        stream.close()
        if not is_whole:
            child.kill()
        code = child.wait()
    if is_whole and code:
        said = SAID.get(code, "The file {} is too large for a spreadsheet; save it as CSV.")
        raise BadInput(said.format(path.name))


def lines(file: IO[str], name: str) -> Iterator[str]:
    """Lines of bounded length. BadInput if one never ends or nothing but empty ones come."""
    blank = 0
    while line := file.readline(LINE_LIMIT):
        if len(line) >= LINE_LIMIT and not line.endswith("\n"):
            raise BadInput(f"The file {name} has a line of over a million characters: not a table.")
        blank = 0 if line.strip() else blank + 1
        if blank > BLANK_LIMIT:
            raise BadInput(f"The file {name} has over a hundred thousand empty lines: not a table.")
        yield line


def read(path: Path, rule: FileRule) -> Iterator[Line]:
    """(line number, cells) of every row, the header first. BadInput when the file is damaged."""
    at = 1
    with open_text(path, rule) as file:
        reader = csv.reader(lines(file, path.name), delimiter=rule.delimiter, strict=True)
        try:
            for row in reader:
                if at >= rule.header:
                    yield at, row
                at = reader.line_num + 1
        except UnicodeError:
            what = "UTF-8" if rule.encoding.startswith("utf-8") else rule.encoding
            raise BadInput(f"The file {path.name} is not {what} text near line {at}.") from None
        except (EOFError, gzip.BadGzipFile, zlib.error, OSError):
            raise BadInput(f"The file {path.name} is damaged or cut off near line {at}.") from None
        except csv.Error as error:
            raise BadInput(f"The file {path.name} is no valid CSV near line {at}: {error}.") from None


def recognise(profile: Profile, paths: list[Path], mended: bool = False) -> dict[str, Path]:
    """Which file is which, by its header. BadInput for a strange, double or missing one.

    mended: some rows given again; the kinds that had no problem may then be missing.
    """
    found: dict[str, Path] = {}
    for path in paths:
        rule = kind_of(profile, path)
        if rule.name in found:
            raise BadInput(f"{found[rule.name].name} and {path.name} are both “{rule.name}” files.")
        found[rule.name] = path
    needed = [name for name, rule in profile.files.items() if not (mended or rule.optional)]
    if missing := [name for name in needed if name not in found]:
        raise BadInput(f"The profile needs a file of the kind “{missing[0]}”, which was not given.")
    return found


def kind_of(profile: Profile, path: Path) -> FileRule:
    """The rule whose telling columns are all in the header. BadInput if none is."""
    trouble: BadInput | None = None
    for rule in profile.files.values():
        try:
            header = head(path, form(path, rule))
        except BadInput as error:  # another rule may know the encoding or the sheet
            trouble = trouble or error
            continue
        if set(rule.recognise) <= set(header):
            check_columns(profile, rule, path, header)
            return rule
    raise trouble or BadInput(
        f"The columns of {path.name} fit none of the files of the profile “{profile.name}”."
    )


def form(path: Path, rule: FileRule) -> FileRule:
    """How to open the file: as the profile says, or if it is an errors file, as we wrote it or as a
    spreadsheet saved it again, with another delimiter or in UTF-16."""
    ours = replace(rule, encoding="utf-8-sig", delimiter=",", header=1, sheet="")
    try:
        with open_text(path, ours) as file:
            found = MENDED.match(file.readline(LINE_LIMIT))
    except (BadInput, UnicodeError, OSError, EOFError, zlib.error):
        return rule
    return replace(ours, delimiter=found[1]) if found else rule


def is_mended(header: list[str]) -> bool:
    """True for the columns of an errors file, which comes back mended."""
    return tuple(header[: len(EXTRA)]) == EXTRA


def head(path: Path, rule: FileRule) -> list[str]:
    """The names of the columns, without spaces around them."""
    rows = read(path, rule)
    with contextlib.closing(rows):  # type: ignore[type-var]
        _line, cells = next(rows, (1, []))
    return [cell.strip() for cell in cells]


def check_columns(profile: Profile, rule: FileRule, path: Path, header: list[str]) -> None:
    """BadInput if a column that the profile reads is absent or doubled."""
    for column in profile.columns(rule.name):
        if header.count(column) != 1 and (column in header or column not in rule.may_lack):
            what = "is missing from" if column not in header else "is twice in"
            raise BadInput(f"The column “{column}” {what} {path.name}.")
