"""Cells of a grid, compiled once per view and language: tuples in, escaped HTML or plain text out.

A :class:`Piece` is one value with the SQL that fetches it; a :class:`Cell` lays pieces out in a
column of the grid. :class:`Sheet` is what all of them together need from the database and the
function that turns its tuples into rows. Pieces are said a column at a time: one call a page
instead of one a row, and one look tells whether anything on the page needs escaping.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from markupsafe import Markup, escape
from sqlalchemy import ColumnElement, DateTime, Enum, String, func, type_coerce
from sqlalchemy.orm import aliased

from cms.admin_views.compile import Field, Join, Kind, linked
from cms.admin_views.filters import SMALL, names
from cms.columns import Instant
from cms.i18n import IST, _, english_date, hindi_date
from cms.models import Officer, Rank

Column = Sequence[Any]
Convert = Callable[[Sequence[Column], datetime], Iterable[str]]
SPECIAL = re.compile("[&<>\"']")
DEVANAGARI = re.compile("[\u0900-\u097f]")
INDIA = timedelta(hours=5, minutes=30)
"""What India's clock is ahead of a stored moment; the same all the year since 1945."""
SOON_DAYS = 3
"""From how many days before the end the chip is amber."""


@dataclass(frozen=True)
class Piece:
    """One value of a row: the columns it is read from and how it is said.

    html gives escaped HTML, text plain text, one for each row; both take the values of
    ``columns`` (each as :func:`plain` has it) and now.
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


def plain(column: Any) -> Any:
    """The column as it is stored: naive UTC for a moment, the name of an enum's member.

    What SQLAlchemy would make of each value costs more than saying it.
    """
    if isinstance(column.type, Instant):
        return type_coerce(column, DateTime())
    return type_coerce(column, String()) if isinstance(column.type, Enum) else column


def day_text(lang: str) -> Callable[[date], str]:
    """How a day is written in a language."""
    return hindi_date if lang == "hi" else english_date


def escaped(texts: Iterable[str]) -> Sequence[str]:
    """Escaped texts. Most pages hold nothing to escape, and one look tells."""
    texts = list(texts)
    if not SPECIAL.search("".join(texts)):
        return texts
    return [str(escape(text)) if SPECIAL.search(text) else text for text in texts]


def tagged(lang: str, element: str = "") -> Callable[[Iterable[str]], list[str]]:
    """Escaped texts, each marked with its own language where that is not the page's.

    element: the tag around every text; without one a span around the marked ones only.
    """
    other = "en" if lang == "hi" else "hi"
    own, end = (f"<{element}>", f"</{element}>") if element else ("", "")
    foreign, close = f"<{element or 'span'} lang={other}>", end or "</span>"
    hindi = lang == "hi"

    def show(texts: Iterable[str]) -> list[str]:
        return [
            f"{own}{said}{end}" if not said or (DEVANAGARI.search(said) is not None) == hindi
            else f"{foreign}{said}{close}"
            for said in escaped(texts)
        ]  # fmt: skip

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


def plain_words(f: Field, lang: str) -> Callable[[Any], str]:
    """Like :func:`words`, of a value as :func:`plain` has it."""
    if f.kind is Kind.MOMENT:
        day = day_text(lang)
        return lambda v: f"{day(at := v + INDIA)}, {at.hour:02}:{at.minute:02}"
    if f.kind is Kind.CHOICE and f.choices is not None:
        return {member.name: str(member.label) for member in f.choices}.__getitem__
    return words(f, lang)


def piece(model: type[Any], f: Field, lang: str) -> Piece:
    """The piece of a declared field. Called in a request of that language: labels are fixed here."""
    if f.kind is Kind.LINK:
        return link_piece(model, f, lang)
    said = plain_words(f, lang)
    own = f.kind in (Kind.TEXT, Kind.LONG) and not f.ui.sort
    mark = tagged(lang) if own else escaped
    nothing = str(f.ui.empty or "")

    def text(columns: Sequence[Column], now: datetime) -> list[str]:
        return [nothing if value is None else said(value) for value in columns[0]]

    def html(columns: Sequence[Column], now: datetime) -> Iterable[str]:
        return mark(text(columns, now))

    return Piece((getattr(model, f.key),), html, text)


def filled(keys: Column, said: Sequence[str], nothing: str) -> Sequence[str]:
    """The names, with the words for nothing where there is no key."""
    return [nothing if key is None else name for key, name in zip(keys, said, strict=True)] if nothing else said


def link_piece(model: type[Any], f: Field, lang: str) -> Piece:
    """The name behind a link: from memory where the list is short, else by a join."""
    key = model.__table__.c[f.column.key]
    nothing = str(f.ui.empty or "")
    if f.target in SMALL:
        return Piece(
            (key,), lambda columns, now: filled(columns[0], names(f.target, lang, columns[0], escaped=True), nothing),
            lambda columns, now: filled(columns[0], names(f.target, lang, columns[0]), nothing),
        )  # fmt: skip
    if f.target is Officer:
        return officer_piece(key, lang)
    expression, joins = linked(model, f, lang)

    def text(columns: Sequence[Column], now: datetime) -> list[str]:
        return [nothing if value is None else str(value) for value in columns[0]]

    return Piece((expression,), lambda columns, now: escaped(text(columns, now)), text, joins)


def officer_piece(key: Any, lang: str) -> Piece:
    """Rank and name of an officer, as ``str(officer)`` says it; the rank from memory."""
    officer: Any = aliased(Officer)
    name = func.coalesce(func.nullif(getattr(officer, f"name_{lang}"), ""), officer.name_en)

    def text(columns: Sequence[Column], now: datetime) -> list[str]:
        ranks = names(Rank, lang, columns[1])
        return [f"{rank} {name}" if rank else name or "" for rank, name in zip(ranks, columns[0], strict=True)]

    joins = (Join(officer, officer.id == key),)
    return Piece((name, officer.rank_id), lambda columns, now: escaped(text(columns, now)), text, joins)


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
            self.columns.extend(plain(column) for column in pieces[name].columns)
            self.slices[name] = slice(start, len(self.columns) + 1)
            self.joins.extend(pieces[name].joins)
        self.fill: list[tuple[slice, Convert]] = []
        self.template = self.compile(f"{escape(details)}?id=%s")

    def compile(self, href: str) -> str:
        """One formatted string for a whole row; ``fill`` gets what goes into its places.

        Cells and rows end where the next begins: HTML needs no closing tags there.
        """
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
            parts.append(f"<td class=c-{cell.key}{label}>{inner}".replace("\0", href))
        return f"<tr>{''.join(parts)}\n"

    def rows(self, tuples: Sequence[Sequence[Any]], now: datetime) -> Markup:
        """The rows as HTML; each tuple starts with the row's id."""
        columns = list(zip(*tuples, strict=True))
        said = zip(*(say(columns[at], now) for at, say in self.fill), strict=True) if columns else ()
        # Every value was escaped by its piece.
        return Markup("".join(map(self.template.__mod__, said)))  # noqa: S704

    def texts(self, tuples: Sequence[Sequence[Any]], now: datetime) -> list[Iterable[str]]:
        """The columns of these rows as plain text, one per cell: its pieces joined by a blank."""
        columns = list(zip(*tuples, strict=True))
        return [self.cell_texts(cell, columns, now) for cell in self.cells] if columns else []

    def cell_texts(self, cell: Cell, columns: Sequence[Column], now: datetime) -> Iterable[str]:
        """One cell of every row as plain text."""
        names = [name for name in cell.pieces if name in self.slices]
        said = [self.pieces[name].text(columns[self.slices[name]], now) for name in names]
        if len(said) == 1:
            return said[0]
        return (" ".join(filter(None, one)) for one in zip(*said, strict=True)) if said else [""] * len(columns[0])


def first_as_text(columns: Sequence[Column], now: datetime) -> Iterable[str]:
    """The ids of the rows."""
    return map(str, columns[0])


def days_between(now: datetime, due: datetime) -> int:
    """Calendar days in India from now to the due day; negative when it has passed."""
    return (due.astimezone(IST).date() - now.astimezone(IST).date()).days


def due_teller(lang: str) -> Callable[[bool, int, bool, date | None], tuple[str, str]]:
    """Say the due chip in a language: (class, words), always words, never colour alone.

    It takes whether the moment has passed, the days left, whether it is open and when it closed.
    """
    closed_word, today_word, day = _("Closed"), _("due today"), day_text(lang)
    late_word, left_word = _("%(n)s d overdue"), _("due in %(n)s d")

    def say(late: bool, days: int, is_open: bool, closed: date | None) -> tuple[str, str]:
        if not is_open:
            return "done", closed_word if closed is None else f"{closed_word} {day(closed)}"
        if late:
            return "late", late_word % {"n": max(-days, 1)}
        if days == 0:
            return "soon", today_word
        return ("soon" if days <= SOON_DAYS else "open"), left_word % {"n": days}

    return say


def due_words(now: datetime, due: datetime, is_open: bool, closed: date | None, lang: str) -> tuple[str, str]:
    """(class, words) of one due chip, for a page that shows one."""
    return due_teller(lang)(due < now, days_between(now, due), is_open, closed)
