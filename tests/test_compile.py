"""One declared column is everywhere: grid, detail, forms, filters, search, export, permissions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Boolean, Date, String, insert, true
from sqlalchemy.orm import DeclarativeBase, Mapped

from cms import authz
from cms.admin_views import compile
from cms.admin_views.base import ModelAdmin
from cms.admin_views.compile import Kind
from cms.columns import Choice, choice, column, key
from cms.models import Category, Complaint, Officer, Party, Rank, Unit, db


class Base(DeclarativeBase):
    """Apart from the product's tables."""


class Size(Choice):
    """How big a kiosk is."""

    SMALL = "Small one"
    LARGE = "Large one"


class Kiosk(Base):
    """A table nobody ships: what a developer adds on the first day."""

    __tablename__ = "kiosk"
    id: Mapped[int] = key()
    code: Mapped[str] = column(String(10), label="Code of it", search=True, sort=True)
    size: Mapped[Size | None] = column(choice(Size, "size"), label="Its size")
    landmark: Mapped[str | None] = column(String(120), label="Landmark of it", read="pii", search=True)
    town: Mapped[str | None] = column(String(40), label="Town of it")
    since: Mapped[date | None] = column(Date, label="Open since")
    lit: Mapped[bool | None] = column(Boolean, label="Lamp works")
    sealed: Mapped[str | None] = column(String(9), label="Seal of it", write=None)
    version: Mapped[int] = column(label="Version of it", hide="grid detail form filter export", write=None, default=1)


@pytest.fixture
def app(own_app: Flask) -> Flask:
    """Views are added here."""
    return own_app


@pytest.fixture
def kiosk(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelAdmin]:
    """A view over it: one line."""
    monkeypatch.setattr(authz, "REGISTRY", {**authz.REGISTRY, Kiosk: lambda who: true()})
    monkeypatch.setattr("cms.admin_views.base.REGISTRY", authz.REGISTRY)
    monkeypatch.setattr(authz, "KEPT_BY", {**authz.KEPT_BY, Kiosk: "masters"})
    Base.metadata.create_all(db.engine)
    view = ModelAdmin(Kiosk, "Kiosks")
    app.extensions["admin"][0].add_view(view)
    with db.engine.begin() as connection:
        for row in (
            {"code": "K1", "size": Size.SMALL, "landmark": "Old banyan", "town": "Barwala", "sealed": "S-77"},
            {"code": "K2", "size": Size.LARGE, "lit": True, "since": date(2026, 3, 1), "town": "Uklana"},
        ):
            connection.execute(insert(Kiosk).values(version=1, **row))
    return view


SignIn = Callable[[str], Any]


def test_a_column_is_on_every_screen(kiosk: ModelAdmin, sign_in: SignIn) -> None:
    browser = sign_in("sp.hsr")
    grid = browser.get("/admin/kiosk/").text
    for said in ("Code of it", "Landmark of it", "Old banyan", "Small one", "1 Mar 2026", "S-77"):
        assert said in grid
    for name in ("size", "town", "lit", "since_from", "since_to"):
        assert f'name="{name}"' in grid
    detail = browser.get("/admin/kiosk/details/?id=1").text
    assert "Landmark of it" in detail
    assert "Old banyan" in detail
    assert "Version of it" not in grid + detail
    file = browser.get("/admin/kiosk/export/csv/").text
    assert "Landmark of it" in file
    assert "Old banyan" in file


def test_a_filter_and_search_narrow(kiosk: ModelAdmin, sign_in: SignIn) -> None:
    browser = sign_in("sp.hsr")
    for query in ("size=SMALL", "town=barw", "lit=none", "since_to=2026-02-01", "q=banyan", "q=k1"):
        page = browser.get(f"/admin/kiosk/?{query}").text
        assert ("K2" not in page), query
    assert "K1" not in browser.get("/admin/kiosk/?since_from=2026-02-01&lit=yes").text


def test_what_may_not_be_read_is_nowhere(kiosk: ModelAdmin, sign_in: SignIn) -> None:
    browser = sign_in("admin")
    for path in ("/admin/kiosk/", "/admin/kiosk/details/?id=1", "/admin/kiosk/edit/?id=1", "/admin/kiosk/?q=banyan"):
        page = browser.get(path)
        assert page.status_code == 200, path
        assert "Landmark of it" not in page.text
        assert "Old banyan" not in page.text
    assert "Nothing fits" in browser.get("/admin/kiosk/?q=banyan").text
    assert 'name="sealed"' not in browser.get("/admin/kiosk/edit/?id=1").text


def test_the_form_writes_what_may_be_written(kiosk: ModelAdmin, sign_in: SignIn) -> None:
    browser = sign_in("admin")
    form = {"code": "K9", "size": "LARGE", "town": "", "since": "2026-05-01", "lit": "no", "version": "1", "sealed": "X"}
    answer = browser.post("/admin/kiosk/edit/?id=1", form)
    assert answer.status_code == 303, answer.text
    row = db.session.get(Kiosk, 1)
    assert row is not None
    assert (row.code, row.size, row.town, row.since, row.lit) == ("K9", Size.LARGE, None, date(2026, 5, 1), False)
    assert (row.sealed, row.landmark) == ("S-77", "Old banyan")
    assert sign_in("sp.hsr").post("/admin/kiosk/edit/?id=1", form).status_code == 403


def test_a_model_without_a_policy_has_no_view(app: Flask) -> None:
    with pytest.raises(TypeError, match="no policy"):
        ModelAdmin(Kiosk, "Kiosks")


def test_a_sortable_column_must_not_be_null() -> None:
    class Loose(Base):
        __tablename__ = "loose"
        id: Mapped[int] = key()
        name: Mapped[str | None] = column(String(5), label="x", sort=True)

    with pytest.raises(TypeError, match="NOT NULL"):
        compile.check(Loose)


def test_order_of_declaration_and_kinds() -> None:
    kinds = {f.key: f.kind for f in compile.fields(Complaint)}
    assert list(kinds)[:4] == ["number", "subject", "text", "language"]
    assert kinds["category"] is Kind.LINK
    assert kinds["due_at"] is Kind.MOMENT
    assert kinds["satisfied"] is Kind.FLAG
    assert [f.key for f in compile.fields(Unit)][:4] == ["code", "name_en", "name_hi", "kind"]
    assert "category_id" not in kinds, "a foreign key appears through its link"


@pytest.mark.parametrize("model", [Complaint, Unit, Officer, Category, Rank])
def test_each_sortable_column_has_an_index_that_begins_with_it(model: Any) -> None:
    table = model.__table__
    for f in compile.fields(model):
        if f.ui.sort:
            starts = [next(iter(i.columns)).name for i in table.indexes]
            assert f.key in starts or table.c[f.key].unique, f.key


def test_personal_columns_are_guarded() -> None:
    assert all(f.ui.read == "pii" for f in compile.fields(Party))
