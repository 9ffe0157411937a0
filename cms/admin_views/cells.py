"""Cells of a grid, compiled once per view and language: tuples in, escaped HTML or plain text out.

A :class:`Piece` is one value with the SQL that fetches it; a :class:`Cell` lays pieces out in a
column of the grid. :class:`Sheet` is what all of them together need from the database and the
function that turns its tuples into rows.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from markupsafe import Markup, escape
from sqlalchemy import ColumnElement

from cms.admin_views.compile import Field, Join, Kind, linked
from cms.i18n import IST, _, english_date, hindi_date

Convert = Callable[[Sequence[Any], datetime], str]
SPECIAL = re.compile("[&<>\"']")
DEVANAGARI = re.compile("[\u0900-\u097f]")
SOON_DAYS = 3
"""From how many days before the end the chip is amber."""


@dataclass(frozen=True)
class Piece:
    """One value of a row: the columns it is read from and how it is said.

    html gives escaped HTML, text plain text; both take the values of ``columns`` and now.
    """

    columns: tuple[Any, ...]
    html: Convert
    text: Convert
    joins: tuple[Join, ...] = ()


@dataclass(frozen=True)
class Cell:
    """A column of the grid: its pieces and the markup around them, one %s for each.

    named: a phone, which shows no column heads, puts the label before the value.
    """

    key: str
    label: Any
    pieces: tuple[str, ...]
    markup: str = "%s"
    sort: str | None = None
    named: bool = False


def day_text(lang: str) -> Callable[[date], str]:
    """How a day is written in a language."""
    return hindi_date if lang == "hi" else english_date


def plain_html(text: str) -> str:
    """Escaped text. Most has nothing to escape, and a Markup object for each would cost."""
    return str(escape(text)) if SPECIAL.search(text) else text


def tagged(lang: str) -> Callable[[str], str]:
    """Escaped text, marked with its own language where that is not the page's."""

    def show(text: str) -> str:
        said = str(escape(text)) if SPECIAL.search(text) else text
        hindi = DEVANAGARI.search(text) is not None
        if hindi == (lang == "hi") or not text:
            return said
        return f'<span lang="{"hi" if hindi else "en"}">{said}</span>'

    return show


def words(f: Field, lang: str) -> Callable[[Any], str]:
    """Plain text of a value of this field, in a language; None is never passed."""
    day = day_text(lang)
    if f.kind is Kind.MOMENT:
        return lambda v: f"{day((at := v.astimezone(IST)).date())}, {at:%H:%M}"
    if f.kind is Kind.DAY:
        return day
    if f.kind is Kind.FLAG:
        yes, no = str(_("Yes")), str(_("No"))
        return lambda v: yes if v else no
    if f.kind is Kind.CHOICE and f.choices is not None:
        labels = {member: str(member.label) for member in f.choices}
        return labels.__getitem__
    return str


def piece(model: type[Any], f: Field, lang: str) -> Piece:
    """The piece of a declared field. Called in a request of that language: labels are fixed here."""
    said = words(f, lang)
    own = f.kind in (Kind.TEXT, Kind.LONG) and not f.ui.sort
    mark = tagged(lang) if own else plain_html
    if f.kind is Kind.LINK:
        expression, joins = linked(model, f, lang)
        columns: tuple[Any, ...] = (expression,)
    else:
        joins, columns = (), (getattr(model, f.key),)

    def text(values: Sequence[Any], now: datetime) -> str:
        return "" if values[0] is None else said(values[0])

    def html(values: Sequence[Any], now: datetime) -> str:
        return "" if values[0] is None else mark(said(values[0]))

    def name_html(values: Sequence[Any], now: datetime) -> str:
        value = values[0]
        return "" if value is None else str(escape(value)) if SPECIAL.search(value) else value

    by_name = f.kind is Kind.LINK or (f.kind is Kind.TEXT and not own)
    return Piece(columns, name_html if by_name else html, text, joins)


class Sheet:
    """The compiled columns of one view for one language and one set of readable fields.

    details is the address of a row's page; ``%href`` in a cell's markup becomes details?id=...
    """

    def __init__(self, pieces: Mapping[str, Piece], cells: Sequence[Cell], details: str) -> None:
        self.pieces = pieces
        self.cells = tuple(cells)
        self.columns: list[ColumnElement[Any]] = []
        self.joins: list[Join] = []
        self.slices: dict[str, slice] = {}
        for name in dict.fromkeys(n for c in cells for n in c.pieces if n in pieces):
            start = len(self.columns) + 1
            self.columns.extend(pieces[name].columns)
            self.slices[name] = slice(start, len(self.columns) + 1)
            self.joins.extend(pieces[name].joins)
        self.fill: list[tuple[slice, Convert]] = []
        self.template = self.compile(f"{escape(details)}?id=%s")

    def compile(self, href: str) -> str:
        """One formatted string for a whole row; ``fill`` gets what goes into its places."""
        parts: list[str] = []
        for cell in self.cells:
            if "%href" in cell.markup:
                self.fill.append((slice(0, 1), first_as_text))
            places = []
            for name in cell.pieces:
                places.append("%s" if name in self.slices else "")
                if name in self.slices:
                    self.fill.append((self.slices[name], self.pieces[name].html))
            inner = cell.markup.replace("%href", "\0") % tuple(places)
            label = f' data-l="{escape(cell.label)}"'.replace("%", "%%") if cell.named else ""
            parts.append(f'<td class="c-{cell.key}"{label}>{inner}</td>'.replace("\0", href))
        return f"<tr>{''.join(parts)}</tr>\n"

    def rows(self, tuples: Sequence[Sequence[Any]], now: datetime) -> Markup:
        """The rows as HTML; each tuple starts with the row's id."""
        template, fill = self.template, self.fill
        made = [template % tuple([say(row[at], now) for at, say in fill]) for row in tuples]
        return Markup("".join(made))  # noqa: S704 - every value was escaped by its piece

    def texts(self, row: Sequence[Any], now: datetime) -> list[str]:
        """The row as plain text, one entry per cell's pieces joined by a blank."""
        return [
            " ".join(
                said
                for name in cell.pieces
                if name in self.slices and (said := self.pieces[name].text(row[self.slices[name]], now))
            )
            for cell in self.cells
        ]


def first_as_text(values: Sequence[Any], now: datetime) -> str:
    """The id of a row."""
    return str(values[0])


def days_between(now: datetime, due: datetime) -> int:
    """Calendar days in India from now to the due day; negative when it has passed."""
    return (due.astimezone(IST).date() - now.astimezone(IST).date()).days


def due_teller(lang: str) -> Callable[..., tuple[str, str]]:
    """Say the due chip in a language: (class, words), always words, never colour alone."""
    closed_word, today_word, day = _("Closed"), _("due today"), day_text(lang)
    late_word, left_word = _("%(n)s d overdue"), _("due in %(n)s d")

    def say(now: datetime, due: datetime, is_open: bool, closed: date | None) -> tuple[str, str]:
        if not is_open:
            return "done", closed_word if closed is None else f"{closed_word} {day(closed)}"
        days = days_between(now, due)
        if due < now:
            return "late", late_word % {"n": max(-days, 1)}
        if days == 0:
            return "soon", today_word
        return ("soon" if days <= SOON_DAYS else "open"), left_word % {"n": days}

    return say


def due_words(now: datetime, due: datetime, is_open: bool, closed: date | None, lang: str) -> tuple[str, str]:
    """(class, words) of one due chip, for a page that shows one."""
    return due_teller(lang)(now, due, is_open, closed)
