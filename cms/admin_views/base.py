"""The base of every view over a model: Flask-Admin's engine behind our policy and our door.

A plain view is one line, ``admin.add_view(ModelAdmin(Rank, _l("Ranks")))``; everything it shows
follows from the model's metadata. A view class states differences only.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from flask import abort, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_admin import expose
from flask_admin.contrib.sqla import ModelView
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from cms.admin_views import compile, filters
from cms.admin_views.cells import words
from cms.admin_views.compile import Field, Kind
from cms.admin_views.fields import Form, LinkField, Lookup, form_class, reference
from cms.admin_views.grid import Grid
from cms.admin_views.history import entries
from cms.authz import CHILDREN, REGISTRY, allowed, may, visible
from cms.i18n import _, language
from cms.models import Complaint, Officer, db
from cms.rules import Conflict, NotFound, RuleBroken
from cms.services import records
from cms.web import say, viewer, write

PLUMBING = frozenset({"version", "csrf_token"})
PICK = "keep-"
"""Prefix of the radio buttons of the conflict page."""


class ModelAdmin(Grid, ModelView):
    """A model's grid, detail page, forms, look-ups and export, all through ``authz.visible``."""

    can_delete = False
    can_view_details = True
    form_base_class = Form
    create_template = "admin/model/create.html"
    edit_template = "admin/model/edit.html"
    details_template = "admin/model/details.html"
    permission: str | None = None
    # Ways of stock Flask-Admin that ignore the policy or commit by themselves: no such address.
    delete_view = action_view = ajax_lookup = ajax_update = None

    def __init__(self, model: type[Any], name: Any, category: Any = None) -> None:
        if model is not Complaint and model not in REGISTRY and model not in CHILDREN:
            raise TypeError(f"authz has no policy for {model.__name__}")
        compile.check(model)
        for key, value in compile.attributes(model).items():
            setattr(self, key, value)
        self.column_filters = self.make_filters(model)
        super().__init__(model, db, name=name, category=category)

    def make_filters(self, model: type[Any]) -> list[Any]:
        """The filters the declared columns bring."""
        return [flt for f in compile.fields(model) for flt in compile_filters(model, f)]

    # ------------------------------------------------ Flask-Admin's hooks

    def _run_view(self, fn: Any, *args: Any, **kwargs: Any) -> Any:
        """Stock catches TypeError and calls again: our bugs would come out as another's."""
        return fn(self, *args, **kwargs)

    def get_filter_arg(self, index: int, flt: Any) -> str:
        """Key of a filter in the address: the column's name, in every language and release."""
        return str(flt.arg)

    def scaffold_form(self) -> type[Form]:
        """Every field somebody may write; taken away per request where this reader may not."""
        versioned = hasattr(self.model, "version")
        return form_class(self.model.__name__, compile.form_fields(self.model), versioned)

    def is_accessible(self) -> bool:
        """True if the viewer's post may open this view at all."""
        return self.permission is None or may(viewer(), self.permission)

    def get_query(self) -> Any:
        """The visible rows."""
        return visible(super().get_query(), self.model, viewer())

    def get_count_query(self) -> Any:
        """The visible rows, counted."""
        return visible(super().get_count_query(), self.model, viewer())

    def get_one(self, id: Any) -> Any:
        """One visible row with the rows it links to, or None: foreign and missing alike."""
        row_id = number(id)
        if row_id is None:
            return None
        query = visible(select(self.model).where(self.model.id == row_id), self.model, viewer())
        return db.session().scalar(query.options(*self.loads()))

    def loads(self) -> list[Any]:
        """What a page about one row needs of the rows it links to, in the same statement."""
        made: list[Any] = []
        for f in compile.fields(self.model):
            if f.kind is Kind.LINK:
                load = joinedload(getattr(self.model, f.key))
                made.append(load.joinedload(Officer.rank) if f.target is Officer else load)
        return made

    def row_id(self) -> int:
        """The id in the address. NotFound if it is none."""
        row_id = number(request.args.get("id"))
        if row_id is None:
            raise NotFound(self.model.__name__)
        return row_id

    def found(self) -> Any:
        """The row of the address. NotFound if this viewer may not see it."""
        row = self.get_one(request.args.get("id"))
        if row is None:
            raise NotFound(self.model.__name__)
        return row

    # ------------------------------------------------ what this viewer may do

    def writable(self, row: Any = None) -> list[Field]:
        """The fields this viewer may change (of a row; None: of a new one)."""
        who = viewer()
        return [f for f in compile.form_fields(self.model) if records.writable(who, self.model, row, f.key)]

    @property
    def can_create(self) -> bool:
        """True if this viewer may fill in all that a new row must have."""
        given = {f.column.key for f in self.writable()}
        return bool(given) and all(c.key in given for c in self.model.__table__.columns if needed(c))

    @can_create.setter
    def can_create(self, value: bool) -> None:
        """Flask-Admin may not switch it."""

    @property
    def can_edit(self) -> bool:
        """True if this viewer may change some column of some row."""
        return self.model is Complaint or bool(self.writable())

    def new_url(self) -> str | None:
        """Where a new row is entered, if this viewer may."""
        return url_for(f"{self.endpoint}.create_view") if self.can_create else None

    def search_words(self) -> str:
        """What the search box looks through."""
        who = viewer()
        searched = [f for f in compile.fields(self.model) if f.ui.search and compile.readable(who, f.ui)]
        return ", ".join(str(f.ui.label) for f in searched)

    @property
    def can_export(self) -> bool:
        """True if this viewer may take lists away."""
        return may(viewer(), "export")

    # ------------------------------------------------ forms

    def create_form(self, obj: Any = None) -> Any:
        """The form of a new row, with the fields this viewer may write."""
        return self.opened(super().create_form(obj), self.writable())

    def edit_form(self, obj: Any = None) -> Any:
        """The form of a row, with the fields this viewer may write."""
        return self.opened(super().edit_form(obj), self.writable(obj))

    def opened(self, form: Any, chosen: list[Field]) -> Any:
        """Take away what may not be written and fetch what may be chosen."""
        keep = {f.key for f in chosen} | PLUMBING
        for name in [field.name for field in form if field.name not in keep]:
            del form[name]
        for field in form:
            if isinstance(field, LinkField):
                field.open(viewer())
        return form

    @expose("/new/", methods=("GET", "POST"))
    def create_view(self) -> ResponseReturnValue:
        """A new row."""
        if not self.can_create:
            abort(403)
        form = self.create_form()
        if request.method == "GET":
            return self.form_page(form, None)
        if not form.validate():
            return self.form_page(form, None), 422
        try:
            with write() as work:
                row_id = records.create(work, self.model, sent(form)).id
        except RuleBroken as refusal:
            return self.form_page(form, None, say(refusal)), 422
        return self.saved(row_id, _("The record was added."))

    @expose("/edit/", methods=("GET", "POST"))
    def edit_view(self) -> ResponseReturnValue:
        """The editable columns of a row."""
        row = self.found()
        form = self.edit_form(row)
        if not self.writable(row):
            abort(403)
        if request.method == "GET":
            return self.form_page(form, row)
        if not form.validate():
            return self.form_page(form, row), 422
        return self.save(form, row)

    def save(self, form: Any, row: Any) -> ResponseReturnValue:
        """Hand the values to the use case; a refusal or a conflict keeps what was typed."""
        row_id, values = row.id, picked(sent(form))
        try:
            with write() as work:
                records.update(work, self.model, row_id, form.version.data or 0, values)
        except RuleBroken as refusal:
            return self.form_page(form, self.get_one(row_id), say(refusal)), 422
        except Conflict:
            db.session().rollback()
            return self.conflict_page(form, self.found(), values), 409
        return self.saved(row_id, _("Saved."))

    def saved(self, row_id: int, sentence: str) -> ResponseReturnValue:
        """Say so and show the row."""
        filters.forget()
        flash(sentence, "success")
        return redirect(url_for(f"{self.endpoint}.details_view", id=row_id), 303)

    def form_page(self, form: Any, row: Any, refusal: str | None = None) -> str:
        """The form with its error summary."""
        template = self.create_template if row is None else self.edit_template
        back = url_for(f"{self.endpoint}.details_view", id=row.id) if row is not None else self.base_url
        return str(self.render(template, form=form, row=row, refusal=refusal, back=back,
                               lookup_url=self.lookup_url))  # fmt: skip

    def conflict_page(self, form: Any, row: Any, values: Mapping[str, Any]) -> str:
        """Both values of each field that differs, to choose from."""
        by_key = {f.key: f for f in compile.fields(self.model)}
        differing = []
        for key, mine in values.items():
            f = by_key[key]
            theirs = getattr(row, f.column.key if f.kind is Kind.LINK else f.key)
            if not records.same(theirs, mine):
                differing.append({
                    "key": key, "label": f.ui.label, "theirs": self.shown(f, getattr(row, key)),
                    "mine": self.shown(f, mine),
                })  # fmt: skip
        return str(self.render("admin/model/conflict.html", form=form, row=row, differing=differing,
                               pick=PICK))  # fmt: skip

    # ------------------------------------------------ one row

    @expose("/details/")
    def details_view(self) -> ResponseReturnValue:
        """Everything declared about a row that this viewer may read."""
        row, who = self.found(), viewer()
        pairs = [
            {"key": f.key, "label": f.ui.label, "value": self.shown(f, getattr(row, f.key))}
            for f in compile.shown(self.model, "detail")
            if compile.readable(who, f.ui)
        ]
        return str(self.render(
            self.details_template, row=row, pairs=pairs, may_edit=bool(self.writable(row)),
            history=entries(self.model, row, who) if self.shows_history(row) else None,
        ))  # fmt: skip

    def shows_history(self, row: Any) -> bool:
        """True if this viewer may read who changed what."""
        if self.model is Complaint:
            return allowed(viewer(), "history", row)
        return may(viewer(), "history_registry")

    def shown(self, f: Field, value: Any) -> str:
        """A value for people; a link by its name, also where only its id is at hand."""
        if value is None:
            return ""
        if f.kind is Kind.LINK:
            return Lookup(f.target, viewer()).name(value) or "" if isinstance(value, int) else str(value)
        return compile_words(f, value)

    # ------------------------------------------------ look-ups

    def lookup_url(self, key: str) -> str:
        """Where the choices of a link are looked up."""
        return url_for(f"{self.endpoint}.lookup_view", field=key)

    @expose("/choices/<field>/")
    def lookup_view(self, field: str) -> ResponseReturnValue:
        """Rows that fit what was typed: options for the box, or without script a page of links."""
        who = viewer()
        f = next((f for f in compile.fields(self.model) if f.key == field and f.kind is Kind.LINK), None)
        if f is None or not compile.readable(who, f.ui):
            raise NotFound(field)
        text = (request.args.get("q") or request.args.get(field) or "").strip()[:80]
        options = Lookup(f.target, who).find(text) if len(text) >= 2 else []
        if request.headers.get("HX-Request"):
            return str(self.render("admin/model/options.html", options=[reference(o) for o in options]))
        rest = {k: v for k, v in request.args.items() if v.strip() and k not in ("q", field)}
        links = [(f"{self.base_url}?{urlencode({**rest, field: o[0]})}", reference(o)) for o in options]
        return str(self.render("admin/model/lookup.html", f=f, text=text, links=links, rest=rest))


def number(text: Any) -> int | None:
    """A row's id as an address has it, or None."""
    said = str(text or "")
    return int(said) if said.isascii() and said.isdecimal() and len(said) <= 18 else None


def compile_filters(model: type[Any], f: Field) -> list[Any]:
    """The filters of one field."""
    return list(filters.filter_of(model, f))


def compile_words(f: Field, value: Any) -> str:
    """Plain text of a value in the reader's language."""
    return words(f, language())(value)


def needed(column: Any) -> bool:
    """True if a new row cannot do without a value for this column."""
    given = column.nullable or column.default is not None or column.server_default is not None
    return not (given or column.primary_key)


def sent(form: Any) -> dict[str, Any]:
    """The values of a validated form."""
    return {field.name: field.data for field in form if field.name not in PLUMBING}


def picked(values: dict[str, Any]) -> dict[str, Any]:
    """Leave out the fields for which the conflict page was answered with the other's value."""
    theirs = {k.removeprefix(PICK) for k, v in request.form.items() if k.startswith(PICK) and v == "theirs"}
    return {k: v for k, v in values.items() if k not in theirs}

