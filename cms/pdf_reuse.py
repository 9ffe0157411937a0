"""What one letter takes over from the letters before it: styles, what hangs on them, and lines already shaped.

Most of a letter are the same words in the same places as in every other letter of its kind, and
WeasyPrint works each of them out anew: a style for each element, its lengths, the break of each line, and
its shape once more to draw it. Here what was worked out once is kept: styles with what they come to, and
the lines of the letters that the renderer makes to warm up (``learning``), never those of real people:
what such a letter says many times is kept while it is made. A letter comes out the same to the byte, with
or without all this; a copy takes six tenths of the time.

This bends private names of WeasyPrint 70.0, each with a contract test in ``tests/test_pdf_reuse.py``:
``css.StyleFor`` (``set_computed_styles``, ``__call__``), ``text.line_break.Layout`` (``set_text``,
``deactivate``, ``reactivate``), ``get_font_description``, and as the modules of ``layout`` import them
``split_first_line``, ``can_break_text``, ``strut``, ``resolve_percentages``, ``layout_box_backgrounds``;
``boxes.Box.is_in_normal_flow``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

SIDES = ("top", "right", "bottom", "left")
MOST_PAIRS = 5_000
"""Of letters between which a line may end or not."""
MOST_STYLES = 2_000
"""All our templates have some 400; beyond, each letter makes its own again."""

_styles: dict[Any, Any] = {}
_lines: dict[Any, Any] = {}
_present: dict[Any, Any] = {}
"""Lines of the letter at hand; empty between letters."""
_learning = False
LETTERS, LEAST = 2.5, 40
"""Letters of a text that are shaped to find its first line, for each font size of the line's width; in both
scripts some 1.9 fit. WeasyPrint shapes four. Below the least the choice is WeasyPrint's."""
RESUMES_AT, WIDTH = 2, 3
"""Of what ``split_first_line`` returns: where the next line begins, or None; the width of this one."""


@contextmanager
def letter() -> Iterator[None]:
    """Within it one letter is made; what it says is forgotten afterwards."""
    try:
        yield
    finally:
        _present.clear()


def install() -> None:
    """Put what is kept before WeasyPrint's own functions, once per process."""
    from weasyprint import css
    from weasyprint.formatting_structure.boxes import Box
    from weasyprint.layout import background, inline, preferred
    from weasyprint.text import line_break

    if css.StyleFor.set_computed_styles.__module__ == __name__:
        return
    css.StyleFor.set_computed_styles = _shared_styles(css.StyleFor.set_computed_styles)
    css.StyleFor.__call__ = _style_of_table(css.StyleFor.__call__)
    _keep_layouts(line_break.Layout)
    split, may_break = _kept_lines(line_break.split_first_line), _kept_breaks(line_break.can_break_text)
    for module in (inline, preferred):
        module.split_first_line, module.can_break_text = split, may_break
    inline.strut = _kept_by_style(line_break.strut)
    line_break.get_font_description = _kept_by_style(line_break.get_font_description)
    _keep_lengths()
    background.layout_box_backgrounds = _kept_backgrounds(background.layout_box_backgrounds)
    Box.is_in_normal_flow = _kept_flow(Box.is_in_normal_flow)


@contextmanager
def learning() -> Iterator[None]:
    """Within it the lines of the letters made are kept for those to come: letters that name nobody."""
    global _learning
    _learning = True
    try:
        yield
    finally:
        _learning = False


# ---------------------------------------------------------------- styles


def _shared_styles(stock: Callable[..., None]) -> Callable[..., None]:
    """Equal declarations below equal styles give the same style, in this letter and in the next."""

    def set_computed_styles(
        self: Any, element: Any, parent: Any, root: Any = None, pseudo_type: Any = None,
        base_url: Any = None, target_collector: Any = None,
    ) -> None:  # fmt: skip
        cascaded = self._cascaded_styles.get((element, pseudo_type), {})
        above = None if parent is None else self._computed_styles[parent, None]
        # The language of the page comes from its attribute; every other value from a sheet, for good.
        said = ((name, value if name == "lang" else id(value)) for name, (value, _) in cascaded.items())
        key = (id(self.font_config), id(above), pseudo_type, *said)
        known = _styles.get(key)
        if known is None:
            stock(self, element, parent, root, pseudo_type, base_url, target_collector)
            style = self._computed_styles[element, pseudo_type]
            if isinstance(element, tuple) or len(_styles) >= MOST_STYLES:  # a page's style is written to
                return
            # The ids in the key stay true as long as what they name is kept.
            known = _styles[key] = (style, above, cascaded)
        self._computed_styles[element, pseudo_type] = known[0]

    return set_computed_styles


def _style_of_table(stock: Callable[..., Any]) -> Callable[..., Any]:
    """A table gives part of its style to the box around it: it gets a copy to take from."""

    def style_for(self: Any, element: Any, pseudo_type: Any = None) -> Any:
        style = stock(self, element, pseudo_type)
        return style.copy() if style and "table" in style["display"] else style

    return style_for


# ---------------------------------------------------------------- text


def _keep_layouts(layout: Any) -> None:
    """A line stays shaped from its layout to its drawing."""
    from weasyprint.text.ffi import pango

    stock_set_text = layout.set_text
    stock_deactivate, stock_reactivate = layout.deactivate, layout.reactivate

    def set_text(self: Any, text: str, justify: bool = False) -> None:
        # What is drawn is one paragraph; said before the text is shaped, it is shaped once.
        pango.pango_layout_set_single_paragraph_mode(self.layout, "\n" not in text)
        stock_set_text(self, text, justify)

    def deactivate(self: Any) -> None:
        if self.justification_spacing:
            stock_deactivate(self)

    def reactivate(self: Any, style: Any) -> None:
        if self.justification_spacing:
            stock_reactivate(self, style)

    layout.set_text = set_text
    layout.deactivate, layout.reactivate = deactivate, reactivate


def _kept_lines(stock: Callable[..., Any]) -> Callable[..., Any]:
    """The first line of a text in a style and a width is the same each time.

    Of the letter at hand those are kept that fit as a whole, and forgotten with it: dates, numbers and
    headings stand in it many times.
    """
    first = _of_enough(stock)

    def split_first_line(
        text: str, style: Any, context: Any, max_width: Any, justification_spacing: float,
        is_line_start: bool = True, minimum: bool = False,
    ) -> Any:  # fmt: skip
        asked = (text, style, context, max_width, justification_spacing, is_line_start, minimum)
        if justification_spacing:
            return stock(*asked)
        whole, key = (id(style), text), (id(style), text, max_width, is_line_start, minimum)
        known = None if minimum else _that_fits(whole, max_width)
        known = known or _lines.get(key)
        if known is None:
            known = (first(*asked), style)  # the style is kept, so that its id stays its own
            if known[0][RESUMES_AT] is None and not minimum:
                (_lines if _learning else _present)[whole] = known
            elif _learning:
                _lines[key] = known
        return known[0]

    return split_first_line


def _that_fits(whole: tuple[int, str], max_width: float | None) -> Any:
    """What fits as a whole is the same in every width that it fits into."""
    known = _lines.get(whole) or _present.get(whole)
    return known if known and (max_width is None or known[0][WIDTH] <= max_width) else None


def _of_enough(stock: Callable[..., Any]) -> Callable[..., Any]:
    """The first line of a long text, found in its beginning."""

    def first(text: str, style: Any, context: Any, max_width: float | None, *rest: Any) -> Any:
        minimum = rest[-1]
        if max_width and not minimum and style["white_space"] == "normal":
            enough = int(max_width / style["font_size"] * LETTERS)
            if LEAST <= enough < len(text):
                some = text[:enough].rstrip(" ")  # a space at its end counts for its width, in a line not
                line = stock(some, style, context, max_width, *rest)
                # The word behind the line must be there whole: it is tried for what is left of the line.
                if line[RESUMES_AT] is not None and b" " in some.encode()[line[RESUMES_AT] :].strip():
                    return line
        return stock(text, style, context, max_width, *rest)

    return first


def _kept_breaks(stock: Callable[[str, str], bool]) -> Callable[[str, str], bool]:
    """Whether a line may end between two letters is the same each time."""
    between = lru_cache(maxsize=MOST_PAIRS)(stock)

    def can_break_text(text: str, lang: str) -> bool:
        return between(text, lang) if len(text) == 2 else stock(text, lang)

    return can_break_text


def _kept_by_style(stock: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """What hangs on a style alone: the height of an empty line, the description of a font."""

    def asked(style: Any) -> Any:
        known = style.__dict__.get(stock.__name__)
        if known is None:
            known = style.__dict__[stock.__name__] = stock(style)
        return known

    return asked


# ---------------------------------------------------------------- boxes


def _keep_lengths() -> None:
    """What a style's lengths come to within a box of a given size is the same each time."""
    from weasyprint.formatting_structure import boxes
    from weasyprint.layout import absolute, block, column, float, grid, inline, page, percent, table

    stock = percent.resolve_percentages
    names = [f"{what}_{side}" for what in ("margin", "padding") for side in SIDES]
    names += [f"{least}{axis}" for least in ("", "min_", "max_") for axis in ("width", "height")]
    borders = [f"border_{side}_width" for side in SIDES]
    names += borders

    def resolve_percentages(box: Any, containing_block: Any) -> None:
        if isinstance(box, boxes.PageBox):
            stock(box, containing_block)
            return
        style, size = box.style, containing_block
        if isinstance(size, boxes.Box):
            size = (size.width, size.height)
        if style["border_collapse"] == "collapse":  # neighbours may have given it other borders
            size = (*size, *map(box.__dict__.get, borders))
        kept = style.__dict__.get("lengths")
        known = kept and kept.get(size)
        if known:
            box.__dict__.update(known)
            return
        stock(box, containing_block)
        if _learning:
            style.__dict__.setdefault("lengths", {})[size] = {name: box.__dict__[name] for name in names}

    for module in (absolute, block, column, float, grid, inline, page, percent, table):
        module.resolve_percentages = resolve_percentages


def _kept_flow(stock: Callable[[Any], bool]) -> Callable[[Any], bool]:
    """Whether a box stands in the flow hangs on its style alone."""

    def is_in_normal_flow(self: Any) -> bool:
        known: bool | None = self.style.__dict__.get("in_flow")
        if known is None:
            known = self.style.in_flow = stock(self)
        return known

    return is_in_normal_flow


_CORNERS = ("top_left", "top_right", "bottom_right", "bottom_left")
_PLAIN: dict[str, Any] = {"background": None, **{f"border_{corner}_radius": (0, 0) for corner in _CORNERS}}


def _kept_backgrounds(stock: Callable[..., None]) -> Callable[..., None]:
    """A box of a style without background, picture or round corner gets none."""

    def layout_box_backgrounds(
        page: Any, box: Any, get_image_from_uri: Any, layout_children: bool = True, style: Any = None
    ) -> None:
        if style is None and layout_children and "plain" in box.style.__dict__:
            box.__dict__.update(_PLAIN)
            for child in box.all_children():
                layout_box_backgrounds(page, child, get_image_from_uri)
            return
        stock(page, box, get_image_from_uri, layout_children, style)
        pictures = {box.style["border_image_source"][0], box.style["mask_border_source"][0]}
        plain = pictures == {"none"} and not box.remove_decoration_sides
        if plain and _PLAIN.items() <= box.__dict__.items():
            box.style.plain = True

    return layout_box_backgrounds
