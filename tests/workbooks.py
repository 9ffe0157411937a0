"""Small .xlsx and old .xls workbooks made by hand, so that the tests need no library that writes them."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Sequence
from xml.sax.saxutils import escape

Cell = str | float
HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
REL = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"


def xlsx(rows: Sequence[Sequence[Cell]], sheet: str = "Register", body: str = "") -> bytes:
    """A workbook of one sheet; ``body`` takes the place of the rows' XML."""
    made = body or "".join(
        "<row>" + "".join(xlsx_cell(cell) for cell in row) + "</row>" for row in rows
    )
    parts = {
        "[Content_Types].xml": f'{HEAD}<Types xmlns="{PACKAGE}/content-types"><Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" '
        'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/></Types>',
        "_rels/.rels": f'{HEAD}<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="rId1" '
        f'Type="{REL}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'{HEAD}<workbook xmlns="{MAIN}" xmlns:r="{REL}"><sheets>'
        f'<sheet name="{sheet}" sheetId="1" r:id="rId1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'{HEAD}<Relationships xmlns="{PACKAGE}/relationships"><Relationship '
        f'Id="rId1" Type="{REL}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml": f'{HEAD}<worksheet xmlns="{MAIN}"><sheetData>{made}</sheetData></worksheet>',
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, text in parts.items():
            packed.writestr(name, text)
    return out.getvalue()


def xlsx_cell(cell: Cell) -> str:
    if isinstance(cell, str):
        return f'<c t="inlineStr"><is><t xml:space="preserve">{escape(cell)}</t></is></c>'
    return f"<c><v>{cell}</v></c>"


def record(kind: int, body: bytes) -> bytes:
    return struct.pack("<HH", kind, len(body)) + body


def xls_cell(row: int, col: int, cell: Cell) -> bytes:
    place = struct.pack("<HHH", row, col, 0)
    if isinstance(cell, str):
        return record(0x0204, place + struct.pack("<HB", len(cell), 1) + cell.encode("utf-16-le"))
    return record(0x0203, place + struct.pack("<d", cell))


def xls(rows: Sequence[Sequence[Cell]], sheet: str = "Register") -> bytes:
    """A BIFF8 workbook of one sheet in a compound file, as Excel 97 to 2003 wrote them."""
    start = record(0x0809, struct.pack("<HHHHII", 0x0600, 0x0005, 0, 0, 0, 0))
    name = struct.pack("<BB", len(sheet), 0) + sheet.encode("latin-1")
    place = len(start) + 4 + 6 + len(name) + 4
    book = start + record(0x0085, struct.pack("<IBB", place, 0, 0) + name) + record(0x000A, b"")
    book += record(0x0809, struct.pack("<HHHHII", 0x0600, 0x0010, 0, 0, 0, 0))
    book += b"".join(xls_cell(r, c, cell) for r, row in enumerate(rows) for c, cell in enumerate(row))
    return compound("Workbook", book + record(0x000A, b""))


def compound(name: str, stream: bytes) -> bytes:
    """A compound file with one stream: a sector of FAT, one of directory, then the stream."""
    size = max(len(stream), 4096)
    sectors = -(-size // 512)
    assert sectors + 2 <= 128, "one sector of FAT holds no more"
    fat = [0xFFFFFFFD, 0xFFFFFFFE, *range(3, sectors + 2), 0xFFFFFFFE]
    fat += [0xFFFFFFFF] * (128 - len(fat))
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6)
    header += bytes(6) + struct.pack("<IIIIIIIII", 0, 1, 1, 0, 4096, 0xFFFFFFFE, 0, 0xFFFFFFFE, 0)
    header += struct.pack("<I", 0) + b"\xff" * (4 * 108)
    entries = directory("Root Entry", 5, 1, 0xFFFFFFFE, 0) + directory(name, 2, 0xFFFFFFFF, 2, size)
    return (
        header + struct.pack("<128I", *fat) + entries.ljust(512, b"\0") + stream.ljust(sectors * 512, b"\0")
    )


def directory(name: str, kind: int, child: int, sector: int, size: int) -> bytes:
    said = name.encode("utf-16-le") + b"\0\0"
    none = 0xFFFFFFFF
    return (
        said.ljust(64, b"\0") + struct.pack("<HBBIII", len(said), kind, 1, none, none, child)
        + bytes(36) + struct.pack("<III", sector, size, 0)
    )  # fmt: skip
