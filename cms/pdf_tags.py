"""What the tags of the PDF say beyond WeasyPrint's own: languages, scopes of headers, artifacts.

WeasyPrint 70.0 gives the document a language and none of its phrases, gives header cells no
scope, and leaves the foot of a page as content that belongs to nothing. PDF/UA-1 (ISO 14289-1)
asks for all three: 7.2, 7.5, 7.1.

This bends private names, each with a contract test in ``tests/test_pdf_text.py``:
``pdf.tags._build_box_tree``, ``pdf.add_tags``, ``stream._tags`` and ``stream.stream``, a page's
``_page_box``, a box's ``element`` and ``children``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

_FOOT = {"Type": "/Pagination", "Subtype": "/Footer"}


def install() -> None:
    """Wrap the functions that write the tags, once per process."""
    import weasyprint.pdf
    from weasyprint.pdf import tags

    if getattr(tags._build_box_tree, "with_languages", False):
        return
    tags._build_box_tree = _with_languages(tags._build_box_tree)
    weasyprint.pdf.add_tags = _with_artifacts(weasyprint.pdf.add_tags)


def _with_languages(stock: Callable[..., Any]) -> Callable[..., Any]:
    from weasyprint.formatting_structure.boxes import MarginBox

    def build(box: Any, parent: Any, pdf: Any, page_number: int, nums: Any, annotations: Any, tags: Any) -> Any:
        if isinstance(box, MarginBox):
            for inner in _marked_within(box, tags):
                nums[tags.pop(inner)["mcid"]] = "null"
            return
        for element in stock(box, parent, pdf, page_number, nums, annotations, tags):
            _tell(box, element)
            if parent["S"] == "/LI" and element["S"] not in ("/Lbl", "/LBody"):
                yield from _in_body(pdf, parent, element)
            else:
                yield element

    build.with_languages = True  # type: ignore[attr-defined]
    return build


def _tell(box: Any, element: Any) -> None:
    """Add the language of the box's element, and of a header cell what it heads."""
    import pydyf  # type: ignore[import-untyped]

    said = None if box.element is None else box.element.get("data-lang") or box.element.get("lang")
    if said:
        element["Lang"] = pydyf.String(said)
    if element["S"] == "/TH":
        element["A"]["Scope"] = "/Row" if box.element.get("scope") == "row" else "/Column"


def _in_body(pdf: Any, item: Any, element: Any) -> Iterator[Any]:
    """The blocks of a list item stand below one LBody; WeasyPrint makes one for bare text alone."""
    import pydyf

    body = getattr(item, "body", None)
    if body is None:
        body = item.body = pydyf.Dictionary(
            {"Type": "/StructElem", "S": "/LBody", "K": pydyf.Array(), "Pg": element["Pg"], "P": item.reference}
        )
        pdf.add_object(body)
        yield body
    body["K"].append(element.reference)
    element["P"] = body.reference


def _with_artifacts(stock: Callable[..., Any]) -> Callable[..., Any]:
    from weasyprint.formatting_structure.boxes import MarginBox

    def add_tags(pdf: Any, document: Any, pdf_version: Any, page_streams: list[Any]) -> None:
        for page, stream in zip(document.pages, page_streams, strict=True):
            margins = [box for box in page._page_box.children if isinstance(box, MarginBox)]
            marked = [inner for box in margins for inner in _marked_within(box, stream._tags)]
            _unmark(stream, {stream._tags[inner]["mcid"] for inner in marked})
        stock(pdf, document, pdf_version, page_streams)

    return add_tags


def _marked_within(box: Any, tags: Any) -> Iterator[Any]:
    """The boxes at or below this one that were drawn as marked content."""
    if box in tags:
        yield box
    for child in getattr(box, "children", ()):
        yield from _marked_within(child, tags)


def _unmark(stream: Any, mcids: set[int]) -> None:
    """Make content with these marks an artifact of the page."""
    import pydyf

    for at, entry in enumerate(stream.stream):
        if isinstance(entry, pydyf.Dictionary) and entry.get("MCID") in mcids:
            stream.stream[at - 1 : at + 1] = ["/Artifact", pydyf.Dictionary(_FOOT)]
