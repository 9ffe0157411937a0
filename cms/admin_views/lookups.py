"""Look-ups by typing: units and officers too many for a list.

The field is a text box with suggestions. What was typed is resolved on the server: one row that
fits is taken, several are offered as choices in the same form, so that no script is needed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, or_, select
from sqlalchemy.orm import Session, joinedload

from cms.authz import under, visible
from cms.models import Officer, Post, Unit
from cms.rules import Viewer
from cms.services.people import HEAD_OF

LIMIT = 20
SEPARATOR = " · "
HEAD = " @ "
"""Between a post and its unit."""


@dataclass(frozen=True, slots=True)
class Option:
    """A row that fits: key is ``unit:7``, ``officer:7`` or ``post:SHO:7`` (a post of unit 7)."""

    key: str
    label: str

    @property
    def id(self) -> int:
        """Primary key of the row."""
        return int(self.key.rpartition(":")[2])

    @property
    def post(self) -> Post | None:
        """The post, where one of a unit is meant."""
        parts = self.key.split(":")
        return Post[parts[1]] if parts[0] == "post" else None


def unit_label(unit: Unit) -> str:
    """Name and code; the code makes it unique."""
    return f"{unit.name}{SEPARATOR}{unit.code}"


def officer_label(officer: Officer) -> str:
    """Rank, name, belt number and present unit."""
    parts = [str(officer), officer.belt_no, officer.unit.name if officer.unit else None]
    return SEPARATOR.join(part for part in parts if part)


def like(text: str, *columns: Any) -> ColumnElement[bool]:
    """Any of the columns contains the text."""
    return or_(*(column.icontains(text, autoescape=True) for column in columns))


LONGEST = 120
"""Characters of a look-up that count; SQLite refuses a pattern of 50,000."""


def units(session: Session, viewer: Viewer, text: str) -> list[Option]:
    """Units in use, of a district, whose name, code or other spelling fits."""
    wanted = (text.rpartition(SEPARATOR)[2].strip() or text)[:LONGEST]
    fits = like(wanted, Unit.name_en, Unit.name_hi, Unit.code, Unit.aliases)
    query: Select[Any] = select(Unit).where(Unit.active, Unit.district_id.is_not(None), fits)
    query = query.order_by(Unit.path, Unit.id)
    rows = session.scalars(visible(query, Unit, viewer).limit(LIMIT))
    return [Option(f"unit:{row.id}", unit_label(row)) for row in rows]


def officers(session: Session, viewer: Viewer, text: str) -> list[Option]:
    """Officers in service, in this viewer's charge, whose name or belt number fits."""
    query: Select[Any] = (
        select(Officer)
        .where(Officer.active, *(
            like(word, Officer.name_en, Officer.name_hi, Officer.belt_no)
            for word in officer_words(text)
        ))
        .options(joinedload(Officer.rank), joinedload(Officer.unit))
        .order_by(Officer.name_en, Officer.id)
    )  # fmt: skip
    rows = session.scalars(visible(query, Officer, viewer).limit(LIMIT))
    return [Option(f"officer:{row.id}", officer_label(row)) for row in rows]


def officer_words(text: str) -> list[str]:
    """Words to search by; from a chosen suggestion only the name (rank and unit are no columns)."""
    first, separator, _rest = text.partition(SEPARATOR)
    words = first[:LONGEST].split()
    return (words[1:] if separator and len(words) > 1 else words)[:4]


def both(session: Session, viewer: Viewer, text: str) -> list[Option]:
    """Officers, units and the posts of their heads together: who is complained against."""
    places = units(session, viewer, text.partition(HEAD)[2] if HEAD in text else text)
    return [*officers(session, viewer, text), *places, *heads(session, places)][: LIMIT * 2]


def heads(session: Session, places: list[Option]) -> list[Option]:
    """The post of command of each unit: whoever held it when it happened is meant."""
    rows = session.scalars(select(Unit).where(Unit.id.in_([option.id for option in places])).order_by(Unit.path))
    return [
        Option(f"post:{post.name}:{row.id}", f"{post.label}{HEAD}{unit_label(row)}")
        for row in rows
        if (post := HEAD_OF.get(row.kind)) is not None
    ]


KINDS = {"unit": units, "officer": officers, "accused": both}


def resolve(found: list[Option], text: str) -> Option | None:
    """The one row meant: the suggestion as chosen, the code, or the only one that fits."""
    exact = [o for o in found if text in (o.label, o.label.rpartition(SEPARATOR)[2])]
    if len(exact) == 1:
        return exact[0]
    return found[0] if len(found) == 1 else None


def picked(found: list[Option], key: str) -> Option | None:
    """The row chosen from the offered choices; only an offered one counts."""
    return next((o for o in found if o.key == key), None)


def default_units(session: Session, viewer: Viewer) -> Iterator[str]:
    """Suggestions before anything is typed: the units at and below the viewer's own."""
    below = under(Unit.path, viewer.seats)
    query = select(Unit).where(Unit.active, Unit.district_id.is_not(None), below).order_by(Unit.path).limit(60)
    yield from (unit_label(row) for row in session.scalars(query))
