"""How long a letter takes and what a process keeps of it, beside other makers of PDFs, asked in turn.

    python tests/measure_letters.py [--rounds 15] [--renders 5000] [--beside FILE]

Ours in one process, the others in a second one (ours changes WeasyPrint). FILE is a module with a
dictionary ``V`` of functions from a number to a PDF; the pages of its ``receipt`` and ``report``, if it has
them, are drawn by our engine too. Prints processor time, words and pages of each.
"""

from __future__ import annotations

import argparse
import importlib.util
import io
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from itertools import cycle, islice
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
Makers = dict[str, Callable[[int], bytes]]


def ours(path: str | None = None) -> Makers:
    """Our letters, each time with other words, names and numbers, and the pages of another module."""
    from cms import pdf
    from cms.services.samples import COPY, INTERIM, REPORT

    pdf.warm()

    def turned(text: str, no: int) -> str:
        words = text.split(" ")
        return " ".join(words[no % len(words) :] + words[: no % len(words)])

    def copy(no: int, words: int, language: str = "hi") -> bytes:
        text = " ".join(islice(cycle(turned(COPY.text, no).split()), words))
        own = replace(COPY, text=text, number=f"HSR-2026-{no:06}-7", complainant_name=f"{COPY.complainant_name} {no}")
        return pdf.render("copy.html", own, language=language)

    def report(no: int, actions: int) -> bytes:
        rows = [replace(a, text=turned(a.text, no)) for a in islice(cycle(REPORT.actions), actions)]
        own = replace(REPORT, actions=rows, number=f"HSR-2026-{no:06}-7", outcome_reasons=turned(REPORT.outcome_reasons, no))
        return pdf.render("report.html", own, language="hi")

    def letter(no: int) -> bytes:
        return pdf.render("letter.html", replace(INTERIM, addressee_name=f"{INTERIM.addressee_name} {no}"), language="hi")

    engine = pdf._engine(pdf.CURRENT)
    module = load(path) if path else None
    pages = {name: getattr(module, name) for name in ("receipt", "report") if hasattr(module, name)}
    return {
        "copy, complaint of 40 words": partial(copy, words=40),
        "copy, complaint of 150 words": partial(copy, words=150),
        "copy of 40 words, Hindi alone": partial(copy, words=40, language="hi-only"),
        "copy of 40 words, English alone": partial(copy, words=40, language="en-only"),
        "report, 8 actions": partial(report, actions=8),
        "report, 40 actions": partial(report, actions=40),
        "interim reply": letter,
        **{f"their {name}, our engine": partial(drawn, engine, page) for name, page in pages.items()},
    }


def drawn(engine: Any, page: Callable[[int], str], no: int) -> bytes:
    """A page of the other module by our engine: its text layer, its tags."""
    made: bytes = engine.write(page(no), b"0")
    return made


def load(path: str) -> Any:
    """Another module, by its file."""
    spec = importlib.util.spec_from_file_location("beside", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def resident_mb() -> float:
    """Memory of this process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4 / 1024


def serve(pipe: Connection, path: str | None, our: bool) -> None:
    """Make what is asked for, and say how long it took."""
    makers: Makers = load(path).V if path and not our else ours(path)
    pipe.send(list(makers))
    for name, no in iter(pipe.recv, None):
        begun = time.process_time()
        made = makers[name](no)
        pipe.send((time.process_time() - begun, made, resident_mb()))


class Maker:
    """A process that makes PDFs."""

    def __init__(self, path: str | None, our: bool = True) -> None:
        context = get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=serve, args=(theirs, path, our), daemon=True)
        self.process.start()
        self.names: list[str] = self.pipe.recv()

    def make(self, name: str, no: int) -> tuple[float, bytes, float]:
        """Seconds of processor time, the PDF, and the memory of the process in MB."""
        self.pipe.send((name, no))
        said: tuple[float, bytes, float] = self.pipe.recv()
        return said


def read(made: bytes) -> tuple[int, int]:
    """Words and pages."""
    import pypdfium2

    document = pypdfium2.PdfDocument(io.BytesIO(made))
    return sum(len(page.get_textpage().get_text_range().split()) for page in document), len(document)


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--rounds", type=int, default=15)
    asked.add_argument("--renders", type=int, default=0, help="copies after which to look at the memory once more")
    asked.add_argument("--beside", help="a Python file with other makers")
    options = asked.parse_args()
    makers = [Maker(options.beside), *([Maker(options.beside, our=False)] if options.beside else [])]
    spent: dict[str, list[float]] = {}
    last: dict[str, bytes] = {}
    for no in range(options.rounds):
        for maker in makers:
            for name in maker.names:
                seconds, last[name], _ = maker.make(name, no)
                spent.setdefault(name, []).append(seconds * 1000)
    for name, found in spent.items():
        words, pages = read(last[name])
        middle = statistics.median(found)
        sys.stdout.write(
            f"{name:36} first {found[0]:6.1f}  median {middle:6.1f}  least {min(found):6.1f} ms  {pages} p  {words:5} words  "
            f"{middle / words * 100:6.1f} ms a hundred words  {len(last[name]) / 1024:6.1f} KB\n"
        )
    if options.renders:
        memory(makers[0], options.renders)


def memory(maker: Maker, renders: int) -> None:
    """What a process that makes many copies grows by, after the first fifty."""
    name: Any = maker.names[1]
    before = [maker.make(name, no)[2] for no in range(50)][-1]
    after = [maker.make(name, no)[2] for no in range(renders)][-1]
    sys.stdout.write(f"{renders} copies: {before:.1f} -> {after:.1f} MB\n")


if __name__ == "__main__":
    sys.path[:0] = [str(ROOT), str(ROOT / "tests")]
    main()
