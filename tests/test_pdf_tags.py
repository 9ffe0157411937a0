"""The tagged PDF: PDF/UA-1 (ISO 14289-1) as far as a program can judge it, and the language of every phrase.

The numbers of the checks are those of the Matterhorn Protocol 1.1 (PDF Association).
"""

from __future__ import annotations

import dataclasses
import io
import re
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from typing import Any

import pikepdf
import pytest
from fontTools.ttLib import TTFont
from letter_samples import COPY, SAMPLES
from pdf_structure import Node, Tagged, texts_of

from cms import pdf, pdf_language

EDITIONS = [(name, language) for name in SAMPLES for language in pdf.LANGUAGES]
HINDI, ENGLISH = re.compile("[\u0900-\u0963\u0966-\u097f]"), re.compile("[A-Za-z]")
LONG = {"copy": {"text": COPY.text * 5, "subject": "FIR दर्ज न होने के संबंध में, Mahender Singh"}}

pytestmark = pytest.mark.parametrize(("sample", "language"), EDITIONS)


@pytest.fixture(scope="module", autouse=True)
def _let_go() -> Iterator[None]:
    """At interpreter exit WeasyPrint's clean-up trips over modules that are gone."""
    yield
    pdf._engine.cache_clear()


@cache
def tagged(sample: str, language: str) -> Tagged:
    template, data = SAMPLES[sample]
    return Tagged(pdf.render(template, dataclasses.replace(data, **LONG.get(sample, {})), language=language))


def nodes(sample: str, language: str, *names: str) -> list[Node]:
    return [node for node in tagged(sample, language).tree.walk() if not names or node.name in names]


def test_the_file_is_sound(sample: str, language: str) -> None:
    """What ``qpdf --check`` looks at: syntax and the encoding of every stream."""
    assert tagged(sample, language).pdf.check_pdf_syntax() == []


def test_every_phrase_is_in_its_language(sample: str, language: str) -> None:
    """11-001 to 11-006."""
    for node in nodes(sample, language):
        said = "".join(part.text for part in node.content)
        assert node.language == "hi" or not HINDI.search(said), (node.language, said)
        assert node.language == "en" or not ENGLISH.search(said), (node.language, said)
        for held in ("/Alt", "/ActualText", "/E"):
            text = str(node.entry.get(held, ""))
            assert node.language == "hi" or not HINDI.search(text), text
            assert node.language == "en" or HINDI.search(text) or not ENGLISH.search(text), text


def test_the_tree_holds_every_word_of_the_page(sample: str, language: str) -> None:
    whole = tagged(sample, language)
    held = [id(part) for node in whole.tree.walk() for part in node.content]
    assert sorted(held) == sorted(id(part) for part in whole.marked.values())


def test_all_content_is_tagged_or_an_artifact(sample: str, language: str) -> None:
    """01-003, 01-004, 01-005."""
    assert tagged(sample, language).faults == []


def test_the_foot_of_a_page_is_an_artifact(sample: str, language: str) -> None:
    whole = tagged(sample, language)
    feet = [part.text for part in whole.artifacts if part.text.strip()]
    pages = len(whole.pdf.pages)
    assert sum(f"/ {pages}" in text or f"of {pages}" in text for text in feet) == pages * len(pdf.LANGUAGES[language])
    assert not any(text in "".join(p.text for p in whole.marked.values()) for text in feet if "of " in text)


def test_title_and_marks_of_the_file(sample: str, language: str) -> None:
    """06-001 to 06-004, 07-001, 07-002, 11-001, 26-001."""
    opened = tagged(sample, language).pdf
    said = opened.open_metadata(set_pikepdf_as_editor=False)
    assert said["pdfuaid:part"] == "1"
    assert SAMPLES[sample][1].number in said["dc:title"]
    root = opened.Root
    assert root.ViewerPreferences.DisplayDocTitle is True
    assert root.MarkInfo.Marked is True
    assert "/Suspects" not in root.MarkInfo
    assert str(root.Lang) == language[:2]
    assert not opened.is_encrypted


def test_only_tags_that_readers_know(sample: str, language: str) -> None:
    """02-001."""
    known = set("Document Part Art Sect Div P H1 H2 H3 L LI Lbl LBody Table TR TH TD THead TBody TFoot Span Link "
                "Figure Caption NonStruct BlockQuote".split())  # fmt: skip
    assert {node.name for node in nodes(sample, language)} - {"Root"} <= known


def test_headings_begin_at_one_and_leave_none_out(sample: str, language: str) -> None:
    """14-002, 14-003."""
    levels = [int(node.name[1]) for node in nodes(sample, language, "H1", "H2", "H3", "H4", "H5", "H6")]
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_tables_and_lists_are_built_right(sample: str, language: str) -> None:
    """09-004, 09-005, 15-003."""
    below = {
        "Table": {"TR", "THead", "TBody", "TFoot", "Caption"}, "THead": {"TR"}, "TBody": {"TR"}, "TR": {"TH", "TD"},
        "L": {"LI", "L", "Caption"}, "LI": {"Lbl", "LBody"},
    }  # fmt: skip
    above = {"TR": {"Table", "THead", "TBody"}, "TH": {"TR"}, "TD": {"TR"}, "LI": {"L"}, "LBody": {"LI"}, "Lbl": {"LI"}}
    for node in nodes(sample, language):
        if node.name in below:
            assert {kid.name for kid in node.kids} <= below[node.name], node.name
            assert node.content == []
        if node.name in above and node.parent:
            assert node.parent.name in above[node.name], (node.name, node.parent.name)
        if node.name == "TH":
            assert str(node.entry.A.Scope) in ("/Row", "/Column")


def test_rows_of_a_table_are_of_one_length(sample: str, language: str) -> None:
    """15-005."""
    for table in nodes(sample, language, "Table"):
        rows = [node for node in table.walk() if node.name == "TR"]
        assert len({len(row.kids) for row in rows}) == 1


def test_every_cell_has_a_header(sample: str, language: str) -> None:
    for table in nodes(sample, language, "Table"):
        known = {bytes(node.entry.ID) for node in table.walk() if node.name == "TH"}
        for cell in (node for node in table.walk() if node.name == "TD"):
            assert {bytes(name) for name in cell.entry.A.Headers} & known


def test_pictures_have_words(sample: str, language: str) -> None:
    """13-004."""
    figures = nodes(sample, language, "Figure")
    assert len(figures) == (1 if sample == "handover" else 2)
    assert all(str(node.entry.Alt).strip() for node in figures)


def test_links_can_be_named_and_reached(sample: str, language: str) -> None:
    """28-004, 28-009, 28-011, 28-012."""
    whole = tagged(sample, language)
    links = nodes(sample, language, "Link")
    for page in whole.pdf.pages:
        assert page.obj.Tabs == "/S"
        for note in page.obj.get("/Annots", []):
            assert note.Subtype == "/Link"
            assert str(note.Contents)
            owners = [link for link in links if any(reaches(kid, note) for kid in link.entry.K)]
            assert len(owners) == 1


def reaches(kid: Any, note: Any) -> bool:
    return isinstance(kid, pikepdf.Dictionary) and kid.get("/Type") == "/OBJR" and kid.Obj.objgen == note.objgen


def test_the_way_back_from_content_to_tags(sample: str, language: str) -> None:
    """The parent tree names, for each mark of a page, the tag that holds it."""
    whole = tagged(sample, language)
    numbers = list(whole.pdf.Root.StructTreeRoot.ParentTree.Nums)
    rows = {int(key): value for key, value in zip(numbers[::2], numbers[1::2], strict=True)}
    holders = {(part.page, part.mcid): node for node in whole.tree.walk() for part in node.content}
    for number, page in enumerate(whole.pdf.pages):
        row = rows[int(page.obj.StructParents)]
        for mcid, entry in enumerate(row):
            if entry is not None:
                assert entry.objgen == holders[number, mcid].entry.objgen
        assert {mcid for mcid, entry in enumerate(row) if entry is not None} == {m for n, m in holders if n == number}


def test_fonts_are_whole_and_every_glyph_has_a_text(sample: str, language: str) -> None:
    """10-001, 31-004, 31-009, 31-027, 31-028, 31-030."""
    whole = tagged(sample, language)
    for font in whole.pdf.pages[0].obj.Resources.Font.values():
        held = font.DescendantFonts[0]
        assert "/FontFile2" in held.FontDescriptor
        assert "/CIDToGIDMap" in held
        assert font.Encoding == "/Identity-H"
        texts = texts_of(font)
        assert texts
        assert 0 not in texts
        assert not {"\x00", "\ufeff", "\ufffe"} & set("".join(texts.values()))
        assert widths_of(held) == drawn_widths(held), font.BaseFont
    assert not whole.codes_without_text


def widths_of(held: Any) -> dict[int, int]:
    """The width of each code as the font's dictionary says it."""
    parts = list(held.W)
    return {int(first) + at: int(width) for first, row in zip(parts[::2], parts[1::2], strict=True)
            for at, width in enumerate(row)}  # fmt: skip


def drawn_widths(held: Any) -> dict[int, int]:
    """The same as the font program draws them (31-016: the two agree)."""
    program = TTFont(io.BytesIO(held.FontDescriptor.FontFile2.read_bytes()))
    names, advances, unit = program.getGlyphOrder(), program["hmtx"], program["head"].unitsPerEm
    glyphs = b"" if held.CIDToGIDMap == "/Identity" else held.CIDToGIDMap.read_bytes()
    found = {}
    for code in widths_of(held):
        glyph = int.from_bytes(glyphs[2 * code : 2 * code + 2], "big") if glyphs else code
        found[code] = round(advances[names[glyph]][0] * 1000 / unit)
    return found


def test_the_page_on_screen_says_the_same(sample: str, language: str) -> None:
    """The HTML twin marks the same phrases, and loses no letter by it."""
    template, data = SAMPLES[sample]
    page = pdf.html(template, data, language=language, embed=False)
    unmarked = re.sub(r'<span lang="\w\w">|</span>', "", page)
    for lang, text in spoken(page):
        assert lang == "hi" or not HINDI.search(text), text
        assert lang == "en" or not ENGLISH.search(text), text
    assert pdf_language.mark_phrases(unmarked) != unmarked or len(pdf.LANGUAGES[language]) == 1


def spoken(page: str) -> Iterator[tuple[str, str]]:
    """Each text of the body with its language."""
    from xml.etree import ElementTree

    tree = ElementTree.fromstring(page.partition("<!DOCTYPE html>")[2])
    body = tree.find("body")
    assert body is not None

    def within(element: Any, lang: str) -> Iterator[tuple[str, str]]:
        own = element.get("lang", lang)
        yield own, element.text or ""
        for kid in element:
            yield from within(kid, own)
            yield own, kid.tail or ""

    return within(body, tree.get("lang", ""))
