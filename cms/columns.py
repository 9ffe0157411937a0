"""The vocabulary of models.py: one declaration of a column serves every screen.

``column()`` and ``link()`` wrap SQLAlchemy's ``mapped_column`` and ``relationship`` and keep a
frozen :class:`Ui` in ``info``. ``cms.admin_views.compile`` turns it into grid, detail page,
forms, filters, search and export; ``cms.audit`` reads it to know which values are personal.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import BigInteger, DateTime, Dialect, Enum, Integer, String
from sqlalchemy.orm import Mapped, MappedColumn, Relationship, mapped_column, relationship
from sqlalchemy.types import TypeDecorator

Label = Any  # a str or a lazily translated string


@dataclass(frozen=True, slots=True)
class Ui:
    """How one column or relation is shown.

    label: heading in the reader's language. help: one sentence under the form field.
    hide: screens that leave it out ("grid", "detail", "form", "filter", "export").
    search: part of the grid's search box. sort: offered as an order of the grid; needs an
    index that ends in id. read: permission needed to see it (None: whoever sees the row).
    write: permission needed to change it (None: never by form; moved by a use case).
    empty: what it means that there is no value, in words ("every document").
    """

    label: Label
    help: Label | None = None
    hide: frozenset[str] = frozenset()
    search: bool = False
    sort: bool = False
    read: str | None = None
    write: str | None = None
    empty: Label | None = None


class Choice(enum.Enum):
    """An enum declared as ``NAME = label``; the database and the forms store the member name."""

    label: Label

    def __new__(cls, label: Label) -> Choice:
        """Number the members: a lazily translated label may not be hashed at import."""
        member = object.__new__(cls)
        member._value_ = len(cls.__members__) + 1
        member.label = label
        return member

    def __str__(self) -> str:
        return str(self.label)

    __hash__ = object.__hash__  # a member is there once; the hash of its name is worked out in Python


class Instant(TypeDecorator[datetime]):
    """A moment in time: aware UTC in Python, naive UTC in both databases."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse a naive value: a moment without a zone is a wrong due date."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment needs a time zone")
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give the stored moment its zone back."""
        return None if value is None else value.replace(tzinfo=UTC)


Key = BigInteger().with_variant(Integer, "sqlite")


def binary(length: int) -> String:
    """Text compared byte by byte on both databases: keyset paging and prefixes depend on it."""
    return String(length).with_variant(String(length, collation="C"), "postgresql")


def choice(of: type[Choice], name: str) -> Enum:
    """A column type that stores member names under a named CHECK."""
    return Enum(of, native_enum=False, create_constraint=True, name=name, length=20)


def column(
    *args: Any,
    label: Label,
    help: Label | None = None,
    hide: str = "",
    search: bool = False,
    sort: bool = False,
    read: str | None = None,
    write: str | None = "edit",
    empty: Label | None = None,
    **kwargs: Any,
) -> MappedColumn[Any]:
    """Declare a column once; ``hide`` lists screens separated by blanks (see :class:`Ui`)."""
    ui = Ui(label, help, frozenset(hide.split()), search, sort, read, write, empty)
    return mapped_column(*args, info={"ui": ui}, **kwargs)


def link(
    *args: Any,
    label: Label,
    help: Label | None = None,
    hide: str = "",
    sort: bool = False,
    read: str | None = None,
    write: str | None = "edit",
    empty: Label | None = None,
    **kwargs: Any,
) -> Relationship[Any]:
    """Declare a to-one relation once; shown by its target's own name, chosen by look-up."""
    ui = Ui(label, help, frozenset(hide.split()), False, sort, read, write, empty)
    return relationship(*args, info={"ui": ui}, **kwargs)


def key() -> MappedColumn[int]:
    """A surrogate primary key, wide enough for a state."""
    return mapped_column(Key, primary_key=True, autoincrement=True)


def ui_of(info: Mapping[str, Any]) -> Ui | None:
    """The metadata of a mapped attribute, or None if it is plumbing."""
    return info.get("ui")


__all__ = [
    "Choice", "Instant", "Key", "Label", "Mapped", "Ui",
    "binary", "choice", "column", "key", "link", "ui_of",
]
