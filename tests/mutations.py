"""A thousand spoilt files through ``cms import``, in a process whose memory is then measured.

Started as a program: ``mutations.py bombs FOLDER`` makes what unpacks to more than this process may
use; then ``mutations.py run FOLDER HOW_MANY`` prints one line of JSON.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import random
import resource
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from registers import application
from workbooks import xls, xlsx

from cms.models import db
from cms.services import integrity

SEED_FILE = Path(__file__).parent / "slices" / "haryana_feed.csv"
GOOD = SEED_FILE.read_bytes()
ROWS = list(csv.reader(io.StringIO(GOOD.decode())))
WHOLE: dict[str, bytes] = {"csv": GOOD, "gz": gzip.compress(GOOD), "xlsx": xlsx(ROWS), "xls": xls(ROWS)}
Rng = random.Random


def table(rows: list[list[str]]) -> bytes:
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue().encode()


def cut_short(rng: Rng, data: bytes) -> bytes:
    return data[: rng.randrange(len(data))]


def flip(rng: Rng, data: bytes) -> bytes:
    made = bytearray(data)
    for _ in range(rng.choice((1, 3, 30))):
        made[rng.randrange(len(made))] = rng.randrange(256)
    return bytes(made)


def insert(rng: Rng, data: bytes) -> bytes:
    at = rng.randrange(len(data))
    what = rng.choice((b"\0", b'"', b"\r", b"\xff\xfe", b"\n" * 50, b'","', b"\xe0\xa4", rng.randbytes(300)))
    return data[:at] + what + data[at:]


def swap(rng: Rng, data: bytes) -> bytes:
    a, b = sorted(rng.sample(range(len(data)), 2))
    return data[:a] + data[b:] + data[a:b]


def wrong_columns(rng: Rng, _data: bytes) -> bytes:
    rows = [list(row) for row in ROWS]
    place = rng.randrange(len(rows[0]))
    how = rng.randrange(4)
    for row in rows:
        if how == 0:
            del row[place]
        elif how == 1:
            row.append(row[place])
        elif how == 2:
            rng.shuffle(row)
    if how == 3:
        rows[0][place] = rows[0][place - 1]
    return table(rows)


NASTY = (
    "", "0", "\0", "=cmd|' /C calc'!A0", "31-02-2026 00:00:00", "9" * 400, "-1", "nan", "1e999", "\u202e", "٣-٤-٢٠٢٦",
    "01-01-0000 00:00:00", "30-12-9999 23:59:59", "क" * 5000, "\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16"),
    "HISAR > HISAR > HISAR", "Disposed-", "'; DROP TABLE complaint; --", "12345678901234567890123456789",
)  # fmt: skip


def nasty_cells(rng: Rng, _data: bytes) -> bytes:
    rows = [list(row) for row in ROWS]
    for row in rows[1:]:
        for _ in range(rng.randrange(4)):
            row[rng.randrange(len(row))] = rng.choice(NASTY)
    return table(rows)


def binary(rng: Rng, _data: bytes) -> bytes:
    return rng.choice((b"", b"\x1f\x8b", b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"\xff\xfe")) + rng.randbytes(2_000)


def huge_cell(rng: Rng, _data: bytes) -> bytes:
    cell = rng.choice(("x" * 10_000_000, '"' + "a,\n" * 3_000_000 + '"'))
    return GOOD + cell.encode()


def make_bombs(folder: Path) -> None:
    """Empty lines, one line without end, too many cells, a sheet of two cells far apart."""
    far = '<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
    for no, made in enumerate((
        gzip.compress(b"\n" * 200_000_000), gzip.compress(GOOD + b"x" * 200_000_000),
        xlsx(ROWS, body="<row>" + "<c><v>1</v></c>" * 12_000_000 + "</row>"), xlsx(ROWS, body=far),
    )):  # fmt: skip
        (folder / f"bomb{no}").write_bytes(made)


KINDS: dict[Callable[[Rng, bytes], bytes], int] = {
    cut_short: 20, flip: 20, insert: 20, swap: 8, wrong_columns: 20, nasty_cells: 30, binary: 10,
}  # fmt: skip
"""With their shares; the costly ones come last, a few of each."""


def spoilt(folder: Path, number: int) -> bytes:
    rng = Rng(number)
    if number % 125 == 0:
        return huge_cell(rng, b"") if number % 2 else (folder / f"bomb{number // 250 % 4}").read_bytes()
    kind = rng.choices(list(KINDS), list(KINDS.values()))[0]
    form = rng.choices(list(WHOLE), (70, 15, 8, 7))[0]
    return kind(rng, WHOLE[form])


def peak() -> int:
    """Megabytes of this program at its largest; ru_maxrss would begin with those of who started it."""
    (line,) = [x for x in Path("/proc/self/status").read_text().splitlines() if x.startswith("VmHWM")]
    return int(line.split()[1]) // 1024


def main(folder: Path, how_many: int) -> None:
    seen: Counter[int] = Counter()
    path = folder / "spoilt.csv"
    for app in application(folder):
        runner = app.test_cli_runner()
        for number in range(how_many):
            path.write_bytes(spoilt(folder, number))
            result = runner.invoke(args=["cms", "import", "haryana_feed", str(path)])
            assert result.exception is None or isinstance(result.exception, SystemExit), (number, result.exception)
            assert "Traceback" not in result.output, (number, result.output)
            assert result.exit_code in (0, 2), (number, result.exit_code)
            if result.exit_code == 2:
                assert len(result.output.strip().splitlines()) == 1, (number, result.output)
            seen[result.exit_code] += 1
        with db.engine.connect() as connection:
            halves = connection.exec_driver_sql(
                "SELECT count(*) FROM complaint c WHERE history_seq = 0 OR NOT EXISTS "
                "(SELECT 1 FROM deadline d WHERE d.complaint_id = c.id) OR NOT EXISTS "
                "(SELECT 1 FROM action a WHERE a.complaint_id = c.id)"
            ).scalar_one()
            assert halves == 0
            assert integrity.verify(connection, app.extensions["cms_vault"]) == []
            whole = connection.exec_driver_sql("SELECT count(*) FROM complaint").scalar_one()
    readers = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
    said = {"taken": seen[0], "refused": seen[2], "complaints": whole, "mb": [peak(), readers]}
    sys.stdout.write(json.dumps(said))


if __name__ == "__main__":
    if sys.argv[1] == "bombs":
        make_bombs(Path(sys.argv[2]))
    else:
        main(Path(sys.argv[2]), int(sys.argv[3]))
