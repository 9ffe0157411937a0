"""The search box: what was typed decides how it is looked for, so that an index can answer.

A complaint: its number or the beginning of it; digits are a phone number; letters (three or more)
a part of the complainant's name. Registry rows: any of their searchable columns.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, String, and_, any_, bindparam, func, or_, select

from cms.admin_views.compile import fields, readable
from cms.i18n import _
from cms.models import Complaint, Party, PartyRole, db
from cms.rules import Viewer

NUMBER = re.compile(r"^[A-Za-z]{2,8}-?[0-9][0-9-]*$|^[A-Za-z]{2,8}-$")
PHONE = re.compile(r"^\+?[0-9][0-9 ()-]{3,20}$")
LEAST = 3


@dataclass(frozen=True)
class Search:
    """How to look: the kind (part of the statement's shape), the condition, the values."""

    kind: str
    condition: Callable[[], ColumnElement[bool]]
    values: Mapping[str, Any]


class TooShort(Exception):
    """The text is too short to look for; the sentence says so."""


def search_for(model: type[Any], text: str, viewer: Viewer) -> Search:
    """How this text is looked for. TooShort with a sentence if it cannot be."""
    text = " ".join(text.split())[:80]
    if model is Complaint:
        return complaint_search(text, viewer)
    if len(text) < 2:
        raise TooShort(_("Type at least two letters to search."))
    keys = tuple(f.key for f in fields(model) if f.ui.search and readable(viewer, f.ui))
    return Search(f"any:{','.join(keys)}", lambda: any_holds(model, keys), {"q": pattern(text.lower())})


def complaint_search(text: str, viewer: Viewer) -> Search:
    """By number, phone or name; phone and name only for those who may see them."""
    if NUMBER.match(text):
        return Search("number", by_number, prefix(text.upper()))
    personal = readable(viewer, party_ui())
    if personal and PHONE.match(text):
        return Search("phone", by_phone, prefix(phone_digits(text)))
    if len(text) < LEAST:
        raise TooShort(_("Type at least three letters of the name, a complaint number or a phone number."))
    if not personal:
        raise TooShort(_("Search by complaint number."))
    return Search("name", by_name, {"q": pattern(text)})


def party_ui() -> Any:
    """The declaration of a party's name: its read permission guards the search as well."""
    return next(f.ui for f in fields(Party) if f.key == "name")


def any_holds(model: type[Any], keys: tuple[str, ...]) -> ColumnElement[bool]:
    """Any of the columns contains the text."""
    q = bindparam("q", type_=String())
    return or_(*(func.lower(getattr(model, key)).like(q, escape="\\") for key in keys))


def by_number() -> ColumnElement[bool]:
    """Numbers that begin with the text: one range of an index in byte order."""
    return between(Complaint.number)


def by_phone() -> ColumnElement[bool]:
    """Complaints one of whose complainant's phones begins with the digits."""
    hits = or_(between(Party.phone), between(Party.phone_2))
    return among(select(Party.complaint_id).where(complainant(), hits))


def by_name() -> ColumnElement[bool]:
    """Complaints whose complainant's name contains the text (trigram index on PostgreSQL)."""
    q = bindparam("q", type_=String())
    return among(select(Party.complaint_id).where(complainant(), Party.name.ilike(q, escape="\\")))


def among(hits: Select[Any]) -> ColumnElement[bool]:
    """Complaints of the hits. On PostgreSQL they are found first, whatever the scope: as an array."""
    if db.engine.dialect.name == "sqlite":
        return Complaint.id.in_(hits)
    found: Any = func.array(hits.scalar_subquery())
    return Complaint.id == any_(found)


def complainant() -> ColumnElement[bool]:
    """The party that complains."""
    return Party.role == PartyRole.COMPLAINANT


def between(column: Any) -> ColumnElement[bool]:
    """The prefix range that :func:`prefix` gives."""
    return and_(column >= bindparam("q_low", type_=String()), column < bindparam("q_high", type_=String()))


def prefix(text: str) -> dict[str, str]:
    """The bounds of all texts that begin with this one, in byte order."""
    return {"q_low": text, "q_high": text[:-1] + chr(ord(text[-1]) + 1)}


def phone_digits(text: str) -> str:
    """Digits as numbers are stored: +91 and ten digits, or the beginning of them."""
    digits = re.sub(r"\D", "", text)
    if text.strip().startswith("+"):
        return f"+{digits}"
    if len(digits) > 10:
        digits = digits.removeprefix("91") if digits.startswith("91") else digits.lstrip("0")
    return f"+91{digits}"


def pattern(text: str) -> str:
    """A LIKE pattern for "contains", with its own signs taken literally."""
    safe = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{safe}%"
