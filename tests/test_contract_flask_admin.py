"""One test for each private name of Flask-Admin that is bent or read: an upgrade fails here first."""

from __future__ import annotations

import inspect
from importlib.metadata import version
from typing import Any

import pytest
from flask import Flask
from flask_admin import BaseView
from flask_admin.base import AdminViewMeta
from flask_admin.contrib.sqla import ModelView
from flask_admin.contrib.sqla.filters import BaseSQLAFilter
from flask_admin.form import BaseForm
from flask_admin.model import BaseModelView
from flask_admin.theme import Theme

from cms.admin_views.base import ModelAdmin


def view(app: Flask, endpoint: str = "complaint") -> Any:
    """A registered view."""
    return next(v for v in app.extensions["admin"][0]._views if v.endpoint == endpoint)


def test_releases() -> None:
    assert version("flask-admin") == "2.2.1"
    assert version("wtforms").startswith("3.3.")


def test_run_view_swallows_type_errors_upstream_and_not_here(app: Flask) -> None:
    assert "except TypeError" in inspect.getsource(BaseView._run_view)

    def broken(*_args: Any) -> None:
        raise TypeError("ours")

    with pytest.raises(TypeError, match="ours"):
        view(app)._run_view(broken)


def test_get_list_filter_args_gives_index_name_and_value(app: Flask) -> None:
    source = inspect.getsource(BaseModelView._get_list_filter_args)
    assert "(idx, as_unicode(flt.name), value)" in source
    assert "_get_list_filter_args" in inspect.getsource(BaseModelView._get_list_extra_args)


def test_get_list_extra_args_reads_the_filters(app: Flask) -> None:
    assert "filters=self._get_list_filter_args()" in inspect.getsource(BaseModelView._get_list_extra_args)


def test_filters_and_filter_args_are_filled_at_start(app: Flask) -> None:
    made = view(app)
    for arg, (index, flt) in made._filter_args.items():
        assert made._filters[index] is flt
        assert flt.arg == arg


def test_list_details_and_export_columns_follow_the_metadata(app: Flask) -> None:
    made = view(app, "officer")
    assert [key for key, _label in made._list_columns][:3] == ["name_en", "name_hi", "rank"]
    assert "email" in [key for key, _label in made._details_columns]
    assert "email" in [key for key, _label in made._export_columns]


def test_search_supported_follows_the_metadata(app: Flask) -> None:
    assert view(app)._search_supported is True


def test_form_classes_are_kept_by_name(app: Flask) -> None:
    made = view(app, "rank")
    assert issubclass(made._create_form_class, BaseForm)
    assert issubclass(made._edit_form_class, BaseForm)


def test_views_wrap_once_and_a_missing_method_has_no_address() -> None:
    assert isinstance(ModelAdmin, AdminViewMeta)
    names = {name for _url, name, _methods in ModelAdmin._urls}
    assert {"index_view", "edit_view", "details_view", "create_view", "counts_view", "export"} <= names
    assert not names & {"delete_view", "action_view", "ajax_update", "ajax_lookup"}
    stock = {name for _url, name, _methods in ModelView._urls}
    assert {"delete_view", "action_view", "ajax_update", "ajax_lookup"} <= stock


def test_admin_keeps_its_views(app: Flask) -> None:
    assert [v.endpoint for v in app.extensions["admin"][0]._views][:3] == ["admin", "complaint", "officer"]


def test_filter_base_takes_column_and_name() -> None:
    assert list(inspect.signature(BaseSQLAFilter.__init__).parameters)[1:3] == ["column", "name"]
    assert list(inspect.signature(BaseSQLAFilter.apply).parameters)[1:] == ["query", "value", "alias"]


def test_theme_takes_a_folder_and_a_base_template(app: Flask) -> None:
    assert Theme("bootstrap4", "x").base_template == "x"
    assert app.extensions["admin"][0].theme.base_template == "cms/base.html"


def test_stock_queries_are_scoped_as_well(app: Flask, sign_in: Any) -> None:
    import world

    made, login = view(app), "sho.srs"
    case = world.registered()
    browser = sign_in(login)
    browser.get("/admin/complaint/")
    with app.test_request_context("/admin/complaint/"):
        from flask import g

        g.viewer = world.as_viewer(login)
        assert made.get_query().count() == 0
        assert made.get_count_query().scalar() == 0
        assert made.get_one(case.id) is None
