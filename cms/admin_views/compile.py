"""The compiler: metadata of a model -> fields of its screens. Pure functions, no request.

One :class:`Field` per declared ``column()`` or ``link()``, in the order of declaration. Grid,
detail page, forms, filters, search, export and permissions all start from :func:`fields`.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from inspect import get_annotations
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    Date,
    DateTime,
    Enum,
    Integer,
    Text,
    and_,
    func,
    inspect,
    literal,
)  # fmt: skip
from sqlalchemy.orm import ColumnProperty, RelationshipProperty, aliased

from cms.authz import may
from cms.columns import Choice, Instant, Ui, ui_of
from cms.models import Officer
from cms.rules import Viewer


class Kind(enum.Enum):
    """What a value is, and so how it is shown, asked for and filtered by."""

    TEXT = "text"
    LONG = "long"
    NUMBER = "number"
    CHOICE = "choice"
    FLAG = "flag"
    DAY = "day"
    MOMENT = "moment"
    LINK = "link"


@dataclass(frozen=True)
class Field:
    """One declared column or link of a model.

    column is the table's own column (of a link: its foreign key); target is the model a link
    leads to; choices the enum of a choice; length the most characters a text may have.
    """

    key: str
    ui: Ui
    kind: Kind
    column: Column[Any]
    target: type[Any] | None = None
    choices: type[Choice] | None = None

    @property
    def nullable(self) -> bool:
        """True if the value may be absent."""
        return bool(self.column.nullable)

    @property
    def length(self) -> int | None:
        """The most characters a text may have."""
        return getattr(self.column.type, "length", None)

    @property
    def required(self) -> bool:
        """True if a form must be given a value."""
        return not self.nullable and self.column.default is None


KINDS: tuple[tuple[type[Any], Kind], ...] = (
    (Instant, Kind.MOMENT), (DateTime, Kind.MOMENT), (Date, Kind.DAY), (Boolean, Kind.FLAG),
    (Enum, Kind.CHOICE), (Integer, Kind.NUMBER), (Text, Kind.LONG),
)  # fmt: skip
"""The first type that fits decides; whatever fits none is text."""


def declared(model: type[Any]) -> Iterator[str]:
    """Names of mapped attributes in the order of declaration, mixins first."""
    seen: set[str] = set()
    for cls in reversed(model.__mro__):
        for name in get_annotations(cls):
            if name not in seen:
                seen.add(name)
                yield name
    yield from (a.key for a in inspect(model).attrs if a.key not in seen)


COMPILED: dict[type[Any], tuple[Field, ...]] = {}


def fields(model: type[Any]) -> tuple[Field, ...]:
    """Every declared field of a model, in screen order."""
    if model not in COMPILED:
        attributes = inspect(model).attrs
        made = (field(attributes[key]) for key in declared(model) if key in attributes)
        COMPILED[model] = tuple(found for found in made if found is not None)
    return COMPILED[model]


def field(attribute: Any) -> Field | None:
    """The field of one mapped attribute; None if it is plumbing."""
    if isinstance(attribute, ColumnProperty):
        column: Any = attribute.columns[0]
        ui = ui_of(column.info)
        if ui is None:
            return None
        kind = next((k for of, k in KINDS if isinstance(column.type, of)), Kind.TEXT)
        choices = column.type.enum_class if kind is Kind.CHOICE else None
        return Field(attribute.key, ui, kind, column, choices=choices)
    if isinstance(attribute, RelationshipProperty) and (ui := ui_of(attribute.info)):
        column = next(iter(attribute.local_columns))
        return Field(attribute.key, ui, Kind.LINK, column, target=attribute.mapper.class_)
    return None


def shown(model: type[Any], screen: str) -> tuple[Field, ...]:
    """The fields a screen ("grid", "detail", "form", "filter", "export") has for somebody."""
    return tuple(f for f in fields(model) if screen not in f.ui.hide)


def readable(viewer: Viewer, ui: Ui) -> bool:
    """True if the viewer may see this column of a row he may see."""
    return ui.read is None or may(viewer, ui.read)


def attributes(model: type[Any]) -> dict[str, Any]:
    """Flask-Admin's attributes of a view over the model, for every reader together.

    What one reader may not see is taken away per request, never here.
    """
    every = fields(model)
    return {
        "column_list": [f.key for f in shown(model, "grid")],
        "column_details_list": [f.key for f in shown(model, "detail")],
        "column_export_list": [f.key for f in shown(model, "export")],
        "column_labels": {f.key: f.ui.label for f in every},
        "column_descriptions": {f.key: f.ui.help for f in every if f.ui.help},
        "column_searchable_list": [f.key for f in every if f.ui.search],
        "column_sortable_list": [f.key for f in every if f.ui.sort],
        "form_columns": [f.key for f in form_fields(model)],
    }


def form_fields(model: type[Any]) -> tuple[Field, ...]:
    """The fields somebody may change by form."""
    return tuple(f for f in shown(model, "form") if f.ui.write is not None)


def check(model: type[Any]) -> None:
    """Refuse at start what would only fail on some page: a sortable column needs an order."""
    for f in fields(model):
        if f.ui.sort and f.nullable:
            raise TypeError(f"{model.__name__}.{f.key}: a sortable column must be NOT NULL")


@dataclass(frozen=True)
class Join:
    """An outer join that a cell needs."""

    entity: Any
    on: ColumnElement[bool]


Title = tuple[ColumnElement[Any], tuple[Join, ...]]


def title(target: type[Any], entity: Any, lang: str) -> Title:
    """The SQL of a row's name in a language, as ``str(row)`` would say it, and its joins."""
    if target is Officer:
        rank = aliased(inspect(target).relationships["rank"].mapper.class_)
        short = getattr(rank, f"short_{lang}")
        name = func.coalesce(func.nullif(getattr(entity, f"name_{lang}"), ""), entity.name_en)
        said = func.trim(func.coalesce(short, literal("")) + literal(" ") + name)
        return said, (Join(rank, rank.id == entity.rank_id),)
    for name_of in (f"name_{lang}", "number", "code", "id"):
        if hasattr(target, name_of):
            return getattr(entity, name_of), ()
    raise TypeError(f"{target.__name__} has no name to show")


def linked(model: type[Any], f: Field, lang: str) -> Title:
    """The SQL of the name behind a link of the model, and the joins that reach it."""
    entity = aliased(f.target) if f.target else None
    if f.target is None or entity is None:
        raise TypeError(f"{f.key} is no link")
    said, joins = title(f.target, entity, lang)
    reach = Join(entity, and_(entity.id == model.__table__.c[f.column.key]))
    return said, (reach, *joins)


Show = Callable[[Any], str]
