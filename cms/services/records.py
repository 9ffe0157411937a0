"""Keeping the register straight: create and change a row by its declared, writable columns.

For registry rows and for the columns of a complaint that may be edited; everything that moves a
complaint is a verb of its own. Values are keyed by attribute; a link takes the id of its target.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import Text, inspect, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import ColumnProperty

from cms.authz import allowed, may, visible, writing
from cms.columns import Ui, ui_of
from cms.i18n import _l
from cms.models import Complaint
from cms.rules import Conflict, RuleBroken, Viewer
from cms.services.desk import Forbidden, fetch, filled, one_of, optional
from cms.unit_of_work import Work

Values = Mapping[str, Any]
LONGEST = 20_000
"""Characters that an unlimited text may have."""


def create(work: Work, model: type[Any], values: Values) -> Any:
    """Add a registry row. Forbidden, or RuleBroken if a value is refused."""
    permit(work.actor, model, None, values)
    row = model()
    for key, value in settled(work, model, row, values):
        setattr(row, key, value)
    taken(work, model, row)
    work.session.add(row)
    flush(work)
    if work.session.scalar(visible(select(model.id).where(model.id == row.id), model, work.actor)) is None:
        raise RuleBroken(_l("You cannot add a record outside your own jurisdiction."))
    return row


def update(work: Work, model: type[Any], row_id: int, version: int, values: Values) -> Any:
    """Change a row where a value differs; saving what was there changes nothing.

    NotFound for a foreign or missing row, Forbidden for a column the actor may not write,
    Conflict if somebody saved in between, RuleBroken for a refused value.
    """
    row = fetch(work, model, row_id)
    permit(work.actor, model, row, values)
    if row.version != version:
        raise Conflict(row, version)
    changed = [(key, value) for key, value in settled(work, model, row, values)]
    for key, value in changed:
        setattr(row, key, value)
    if changed:
        taken(work, model, row)
        flush(work)
    return row


def flush(work: Work) -> None:
    """Write what was set. RuleBroken if a check of the database refuses the values together."""
    try:
        work.session.flush()
    except IntegrityError as error:
        raise RuleBroken(_l("These values do not go together; compare them with the hints of the form.")) from error


def metadata(model: type[Any], key: str) -> Ui | None:
    """The declaration of an attribute; None for plumbing and unknown names."""
    attribute = inspect(model).attrs.get(key)
    if attribute is None:
        return None
    info = attribute.columns[0].info if isinstance(attribute, ColumnProperty) else attribute.info
    return ui_of(info)


def writable(actor: Viewer, model: type[Any], row: Any, key: str) -> bool:
    """May the actor change this column of this row (None: of a row yet to be made)?"""
    ui = metadata(model, key)
    if ui is None or ui.write is None or not (ui.read is None or may(actor, ui.read)):
        return False
    permission = writing(model, ui.write)
    if model is Complaint:
        return row is not None and allowed(actor, permission, row)
    return may(actor, permission)


def permit(actor: Viewer, model: type[Any], row: Any, values: Values) -> None:
    """Forbidden unless every column named may be written by the actor."""
    for key in values:
        if not writable(actor, model, row, key):
            raise Forbidden(key)
    if not values:
        raise Forbidden(model.__name__)


def settled(work: Work, model: type[Any], row: Any, values: Values) -> Iterator[tuple[str, Any]]:
    """(attribute, new value) of each value that differs from the row's, checked and cleaned."""
    mapper = inspect(model)
    for key, value in values.items():
        attribute = mapper.attrs[key]
        if isinstance(attribute, ColumnProperty):
            column = attribute.columns[0]
            if row.id is not None and same(getattr(row, key), value):
                continue
            new = cleaned(column, metadata(model, key), value)
        else:
            column = next(iter(attribute.local_columns))
            key = column.key
            if value == getattr(row, key):
                continue
            new = chosen(work, attribute.mapper.class_, column, metadata(model, attribute.key), value)
        if not same(getattr(row, key), new):
            yield key, new


def chosen(work: Work, target: type[Any], column: Any, ui: Ui | None, value: Any) -> int | None:
    """The id of a row the actor may choose; nothing only where nothing is allowed."""
    if value is None and column.nullable:
        return None
    row: Any = one_of(work, target, value, ui.label if ui else column.key)
    return int(row.id)


def cleaned(column: Any, ui: Ui | None, value: Any) -> Any:
    """A value as the column takes it. RuleBroken if it is missing or too long."""
    label = ui.label if ui else column.key
    if isinstance(value, str):
        limit = LONGEST if isinstance(column.type, Text) else (column.type.length or LONGEST)
        said = optional(value.replace("\r\n", "\n"), label, limit)
        value = said if said is not None or column.nullable or column.default is None else ""
    if value is None and not column.nullable:
        if column.default is not None and column.default.arg == "":
            return ""
        filled(None, label, 0)
    return value


def same(old: Any, new: Any) -> bool:
    """True if a form that shows ``old`` would send ``new`` back untouched."""
    if isinstance(old, (str, type(None))) and isinstance(new, (str, type(None))):
        return plain(old) == plain(new)
    return bool(old == new)


def plain(text: str | None) -> str:
    """A text as a browser sends it back: one kind of line end, no blanks around."""
    said = (text or "").replace("\r\n", "\n")
    return optional(said, "", len(said)) or ""


def taken(work: Work, model: type[Any], row: Any) -> None:
    """RuleBroken if another row carries a value that must be the only one of its kind."""
    for attribute in inspect(model).column_attrs:
        column, value = attribute.columns[0], getattr(row, attribute.key)
        if not column.unique or value is None:
            continue
        with work.session.no_autoflush:
            other = work.session.scalar(
                select(model.id).where(getattr(model, attribute.key) == value, model.id != (row.id or 0))
            )
        if other is not None:
            ui = ui_of(column.info)
            raise RuleBroken(
                _l("“%(field)s” “%(value)s” is already in use."),
                field=ui.label if ui else column.key, value=value,
            )  # fmt: skip
