"""Fields of the forms: native controls, scoped choices, three answers where three are possible."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from flask_admin.form import BaseForm
from flask_wtf import FlaskForm
from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import aliased
from wtforms import (
    DateField,
    DateTimeLocalField,
    IntegerField,
    StringField,
    TextAreaField,
)  # fmt: skip
from wtforms import (
    Field as WTField,
)
from wtforms.validators import InputRequired, Length, Optional, StopValidation

from cms.admin_views.compile import Field, Kind, fields, title
from cms.authz import visible
from cms.columns import Choice
from cms.database import reading
from cms.i18n import IST, _, _l, language
from cms.rules import Viewer

FEW = 60
"""Rows up to which a select is offered; beyond, a look-up."""
FOUND = 20
"""Rows a look-up answers with."""
REFERENCE = re.compile(r"^(?:.*#)?(\d{1,18})$", re.DOTALL)

Option = tuple[int, str]


class Form(BaseForm, FlaskForm):
    """A form of Flask-Admin with the CSRF token of Flask-WTF; SecureForm would refuse every save."""


class Lookup:
    """The rows of a model that one viewer may choose from, by their names."""

    def __init__(self, target: Any, viewer: Viewer) -> None:
        self.target = target
        self.viewer = viewer

    def query(self, lang: str) -> tuple[Select[Any], Any]:
        """SELECT id, name over the visible rows, and the expression of the name."""
        entity = aliased(self.target)
        said, joins = title(self.target, entity, lang)
        seen = visible(select(self.target.id), self.target, self.viewer)
        query = select(entity.id, said).select_from(entity)
        for join in joins:
            query = query.outerjoin(join.entity, join.on)
        query = query.where(entity.id.in_(seen))
        return query.order_by(said, entity.id), entity

    def few(self) -> list[Option] | None:
        """Every row in use, or None if there are more than fit into a select."""
        query, entity = self.query(language())
        if hasattr(self.target, "active"):
            query = query.where(entity.active)
        with reading() as connection:
            rows = connection.execute(query.limit(FEW + 1)).all()
        return None if len(rows) > FEW else [(row[0], row[1]) for row in rows]

    def name(self, row_id: int) -> str | None:
        """The name of one row; None if it is foreign or missing."""
        query, entity = self.query(language())
        with reading() as connection:
            row = connection.execute(query.where(entity.id == row_id)).first()
        return None if row is None else str(row[1])

    def find(self, text: str, limit: int = FOUND) -> list[Option]:
        """Rows whose searchable columns hold the text, the best known first."""
        query, entity = self.query(language())
        wanted = [getattr(entity, f.key) for f in fields(self.target) if f.ui.search]
        if hasattr(self.target, "active"):
            query = query.where(entity.active)
        for word in text.split()[:4]:
            query = query.where(or_(*(func.lower(c).contains(word.lower(), autoescape=True) for c in wanted)))
        with reading() as connection:
            return [(row[0], row[1]) for row in connection.execute(query.limit(limit))]

    def resolve(self, text: str) -> tuple[int | None, list[Option]]:
        """The row a typed text means ("Ram Kumar #45", "45", or a name that fits one row only).

        Nothing and the candidates if it fits several; nothing and [] if it fits none.
        """
        if match := REFERENCE.match(text.strip()):
            row_id = int(match[1])
            return (row_id, []) if self.name(row_id) is not None else (None, [])
        found = self.find(text)
        exact = [option for option in found if option[1].casefold() == text.strip().casefold()]
        one = exact if len(exact) == 1 else found
        return (one[0][0], []) if len(one) == 1 else (None, found)


def reference(option: Option) -> str:
    """How a look-up names a row so that it can be read back: the name and #id."""
    return f"{option[1]} #{option[0]}"


class LinkField(WTField):
    """A choice among the rows the viewer may see: a select, or a look-up beyond :data:`FEW`.

    data is the id of the row or None. Unknown, foreign and ambiguous input is refused with a
    sentence; the candidates of an ambiguous one are offered as radio buttons.
    """

    def __init__(self, *args: Any, target: Any, nullable: bool, empty: Any = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.empty = empty
        self.target = target
        self.nullable = nullable
        self.lookup: Lookup | None = None
        self.options: list[Option] | None = None
        self.candidates: list[Option] = []
        self.typed: str | None = None

    def open(self, viewer: Viewer) -> None:
        """Fetch what this viewer may choose from."""
        self.lookup = Lookup(self.target, viewer)
        self.options = self.lookup.few()
        if self.typed is not None:
            self.read(self.typed)
        if self.options is not None and self.data and self.data not in dict(self.options):
            self.options.append((self.data, self.lookup.name(self.data) or ""))

    def process_data(self, value: Any) -> None:
        """Take a related row, or its id."""
        self.data = getattr(value, "id", value)

    def process_formdata(self, valuelist: Sequence[Any]) -> None:
        """Keep what was typed until the viewer is known."""
        texts = [str(v) for v in valuelist if str(v).strip()]
        if valuelist:
            self.typed, self.data = (texts[-1] if texts else ""), None

    def read(self, text: str) -> None:
        """Turn typed text into an id; what it cannot be stays an error."""
        if not text or self.lookup is None:
            return
        if self.options is not None:
            self.data = int(text) if text.isdecimal() and int(text) in dict(self.options) else None
            if self.data is None and text.isdecimal() and self.object_data is not None:
                kept = getattr(self.object_data, "id", self.object_data)
                self.data = kept if str(kept) == text else None
        else:
            self.data, self.candidates = self.lookup.resolve(text)

    def pre_validate(self, form: BaseForm) -> None:
        """Refuse what names no row, several rows, or nothing where something is needed."""
        if self.data is not None:
            return
        if self.candidates:
            raise StopValidation(_("Several fit: choose one below."))
        if self.typed:
            raise StopValidation(_("Nothing you may choose is called that. Pick from the list."))
        if not self.nullable:
            raise StopValidation(_("Choose a value."))

    @property
    def shown(self) -> str:
        """What the look-up's box holds."""
        if self.data is not None and self.lookup is not None:
            return reference((self.data, self.lookup.name(self.data) or ""))
        return self.typed or ""


class ChoiceField(WTField):
    """One member of a Choice; posted and stored by name, shown by label."""

    def __init__(self, *args: Any, of: type[Choice], nullable: bool, empty: Any = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.empty = empty
        self.of = of
        self.nullable = nullable

    def process_formdata(self, valuelist: Sequence[Any]) -> None:
        """Read a name; anything else is refused with a sentence."""
        if not valuelist:
            return
        name = str(valuelist[0])
        if name not in self.of.__members__ and (name or not self.nullable):
            raise ValueError(_("Choose a value from the list."))
        self.data = self.of.__members__.get(name)

    def iter_choices(self) -> Iterable[tuple[str, str, bool]]:
        """(name, label, whether it is the current one)."""
        if self.nullable or self.data is None:
            yield "", "", self.data is None
        for member in self.of:
            yield member.name, str(member.label), member is self.data


class FlagField(WTField):
    """Yes and no, and "not asked" where that is possible: an untouched record stays as it was."""

    WORDS = {"yes": True, "no": False, "": None}

    def __init__(self, *args: Any, nullable: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.nullable = nullable

    def process_formdata(self, valuelist: Sequence[Any]) -> None:
        """Read a radio button; anything else is refused with a sentence."""
        if not valuelist:
            return
        if valuelist[0] not in self.WORDS or (not valuelist[0] and not self.nullable):
            raise ValueError(_("Choose a value from the list."))
        self.data = self.WORDS[valuelist[0]]

    def iter_choices(self) -> Iterable[tuple[str, str, bool]]:
        """(value, label, whether it is the current one)."""
        yield "yes", _("Yes"), self.data is True
        yield "no", _("No"), self.data is False
        if self.nullable:
            yield "", _("Not asked yet"), self.data is None


class MomentField(DateTimeLocalField):
    """A moment on an Indian clock; aware in Python."""

    def process_data(self, value: Any) -> None:
        """Show the moment as it is in India."""
        super().process_data(value.astimezone(IST).replace(tzinfo=None) if value else None)

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Read it as Indian time."""
        super().process_formdata(valuelist)
        if self.data is not None:
            self.data = self.data.replace(tzinfo=IST)


class VersionField(IntegerField):
    """The version the user saw; always sent back as it was given."""


def form_field(f: Field) -> Any:
    """The unbound form field of one declared field."""
    common: dict[str, Any] = {"label": f.ui.label, "description": f.ui.help or ""}
    if f.kind is Kind.LINK:
        return LinkField(target=f.target, nullable=f.nullable, empty=f.ui.empty, **common)
    if f.kind is Kind.CHOICE and f.choices is not None:
        return ChoiceField(of=f.choices, nullable=f.nullable, empty=f.ui.empty, **common)
    if f.kind is Kind.FLAG:
        default = getattr(f.column.default, "arg", None)
        return FlagField(nullable=f.nullable, default=default, **common)
    must: Any = InputRequired(_l("Fill this in.")) if f.required else Optional()
    rules = [must, Length(max=f.length)] if f.length else [must]
    plain: dict[Kind, Any] = {
        Kind.LONG: TextAreaField, Kind.NUMBER: IntegerField, Kind.DAY: DateField,
        Kind.MOMENT: MomentField,
    }  # fmt: skip
    return plain.get(f.kind, StringField)(validators=rules, **common)


def form_class(name: str, chosen: Iterable[Field], versioned: bool) -> type[Form]:
    """A form with one control per field and, where rows are versioned, the version seen."""
    made: dict[str, Any] = {f.key: form_field(f) for f in chosen}
    if versioned:
        made["version"] = VersionField(validators=[Optional()])
    return type(f"{name}Form", (Form,), made)
