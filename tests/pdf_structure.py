"""A tagged PDF as a screen reader meets it: the tree of its tags, the text and language of each part."""

from __future__ import annotations

import dataclasses
import io
import re
from collections.abc import Iterator
from functools import cached_property
from typing import Any

import pikepdf

PAINTING = frozenset("f F f* B B* b b* S s sh Do Tj TJ ' \" INLINE IMAGE".split())


@dataclasses.dataclass
class Marked:
    """Content under one mark: its page, its id (None for an artifact), the text that it shows."""

    page: int
    mcid: int | None
    text: str = ""


@dataclasses.dataclass
class Said:
    """A stretch that has its text as ActualText: said once, whatever glyphs it shows."""

    text: str

    def once(self) -> str:
        text, self.text = self.text, ""
        return text


Mark = Marked | Said | None


@dataclasses.dataclass
class Node:
    """One tag: its name, the language in force, its dictionary, what lies below."""

    name: str
    language: str
    entry: Any
    parent: Node | None
    kids: list[Node] = dataclasses.field(default_factory=list)
    content: list[Marked] = dataclasses.field(default_factory=list)

    def walk(self) -> Iterator[Node]:
        yield self
        for kid in self.kids:
            yield from kid.walk()

    def inside(self, name: str) -> bool:
        return self.name == name or (self.parent is not None and self.parent.inside(name))


class Tagged:
    """The parsed file. Untagged painting and artifacts within tagged content are kept as faults."""

    def __init__(self, data: bytes) -> None:
        self.pdf = pikepdf.open(io.BytesIO(data))
        self.faults: list[str] = []
        self.codes_without_text: set[tuple[str, int]] = set()
        self.marked: dict[tuple[int, int], Marked] = {}
        self.artifacts: list[Marked] = []
        for number, page in enumerate(self.pdf.pages):
            self._read(number, page.obj, page.obj.Resources, [])

    @cached_property
    def tree(self) -> Node:
        root = self.pdf.Root
        top = Node("Root", str(root.Lang), root.StructTreeRoot, None)
        self._descend(top, root.StructTreeRoot.K, None)
        return top

    def _descend(self, node: Node, kids: Any, page: Any) -> None:
        for kid in kids if isinstance(kids, pikepdf.Array) else [kids]:
            if not isinstance(kid, pikepdf.Dictionary):
                node.content.append(self.marked[self._number(page), int(kid)])
            elif "/S" in kid:
                child = Node(str(kid.S)[1:], str(kid.get("/Lang", node.language)), kid, node)
                node.kids.append(child)
                self._descend(child, kid.get("/K", pikepdf.Array()), kid.get("/Pg", page))
            elif kid.get("/Type") != "/OBJR":
                self.faults.append(f"a kid that is nothing: {kid}")

    def _number(self, page: Any) -> int:
        return next(i for i, own in enumerate(self.pdf.pages) if own.obj.objgen == page.objgen)

    def _read(self, number: int, holder: Any, resources: Any, marks: list[Mark]) -> None:
        """Read a stream of operators; ``marks`` are those around it."""
        font: Any = None
        unseen = False
        for operands, operator in pikepdf.parse_content_stream(holder):
            name = str(operator)
            if name in ("BDC", "BMC"):
                marks.append(self._mark(number, operands, marks))
            elif name == "EMC":
                marks.pop()
            elif name == "Tf":
                font = resources.Font[str(operands[0])]
            elif name == "Tr":
                unseen = operands[0] == 3
            elif name in PAINTING and not unseen:
                self._paint(number, name, operands, font, resources, marks)

    def _mark(self, number: int, operands: Any, marks: list[Mark]) -> Mark:
        properties = operands[1] if len(operands) > 1 else {}
        around = [mark for mark in marks if isinstance(mark, Marked)]
        if str(operands[0]) == "/Artifact":
            if around and around[-1].mcid is not None:
                self.faults.append("an artifact within tagged content")
            self.artifacts.append(Marked(number, None))
            return self.artifacts[-1]
        if "/MCID" in properties:
            if around:
                self.faults.append("marked content within marked content")
            found = Marked(number, int(properties["/MCID"]))
            self.marked[number, int(properties["/MCID"])] = found
            return found
        return Said(str(properties["/ActualText"])) if "/ActualText" in properties else None

    def _paint(self, number: int, name: str, operands: Any, font: Any, resources: Any, marks: list[Mark]) -> None:
        owner = next((mark for mark in reversed(marks) if isinstance(mark, Marked)), None)
        if owner is None:
            self.faults.append(f"page {number + 1}: {name} is neither tagged nor an artifact")
        if name == "Do":
            inner = resources.XObject[str(operands[0])]
            if inner.Subtype == "/Form":
                self._read(number, inner, inner.get("/Resources", resources), marks)
        elif name in ("Tj", "TJ"):
            said = next((mark for mark in marks if isinstance(mark, Said)), None)
            shown = self._shown(operands[0], font, bool(said))
            if owner is not None:
                owner.text += said.once() if said else shown

    def _shown(self, operand: Any, font: Any, said_otherwise: bool) -> str:
        texts = texts_of(font)
        parts = operand if isinstance(operand, pikepdf.Array) else [operand]
        said = []
        for part in parts:
            if isinstance(part, pikepdf.String):
                raw = bytes(part)
                for code in (int.from_bytes(raw[i : i + 2], "big") for i in range(0, len(raw), 2)):
                    if code not in texts or not (texts[code] or said_otherwise):
                        self.codes_without_text.add((str(font.BaseFont), code))
                    said.append(texts.get(code, ""))
        return "".join(said)


def texts_of(font: Any) -> dict[int, str]:
    """The text of each code of a font by its ToUnicode map."""
    stream = font.ToUnicode.read_bytes().decode("ascii")
    pairs = re.findall(r"<([0-9a-fA-F]{4})>\s*<([0-9a-fA-F]*)>", stream.partition("endcodespacerange")[2])
    return {int(code, 16): bytes.fromhex(text).decode("utf-16-be") for code, text in pairs}
