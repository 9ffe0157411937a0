"""A letter as WeasyPrint takes it: a parsed page, and how its elements look by themselves.

WeasyPrint's own way costs a quarter of a letter's time: a parser written in Python, a sheet for
everything HTML knows, a style of its own for each element with a language. Nothing visible
changes. This overrides ``weasyprint.HTML``, whose attributes and ``_ua_stylesheets`` have
contract tests in ``tests/test_renderer.py``.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import cssselect2  # type: ignore[import-untyped]
import weasyprint

_LANGUAGE = re.compile(r'(?<=<)(?!html)(\w+(?: [\w-]+="[^"<]*")*) lang="(hi|en)"')
_ENTITY = re.compile(r"<!DOCTYPE[^>]*\[|<!ENTITY", re.IGNORECASE)


def page_class(elements: Path) -> type[Any]:
    """The class of our pages; ``elements`` is the style sheet of what elements look like."""
    sheet = weasyprint.CSS(filename=str(elements))

    class Page(weasyprint.HTML):  # type: ignore[misc]  # WeasyPrint ships no types
        """A page from text that is well-formed XML as well as HTML; other text is parsed as HTML."""

        def __init__(self, string: str, url_fetcher: Any) -> None:
            try:
                tree = _tree(string)
            except ElementTree.ParseError:
                super().__init__(string=string, url_fetcher=url_fetcher)
                return
            self.base_url = None
            self.url_fetcher = url_fetcher
            self.media_type = "print"
            self.wrapper_element = cssselect2.ElementWrapper.from_html_root(tree, content_language=None)
            self.etree_element = self.wrapper_element.etree_element

        def _ua_stylesheets(self, forms: bool = False) -> list[Any]:
            return [sheet]

    return Page


def _tree(page: str) -> ElementTree.Element:
    """The elements of the page. ParseError if it is not XML, or declares entities."""
    if _ENTITY.search(page):
        raise ElementTree.ParseError("a page declares no entities")
    return ElementTree.fromstring(_LANGUAGE.sub(r'\1 data-lang="\2"', page))  # noqa: S314
