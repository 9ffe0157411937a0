"""The staff's screens: Flask-Admin's engine, our templates, views compiled from the models."""

from __future__ import annotations

import importlib
import importlib.util
from types import ModuleType

from flask import Flask
from flask_admin import Admin, AdminIndexView
from flask_admin.theme import Theme


def init_app(app: Flask) -> None:
    """Register the admin, its views and the pages that are no model's."""
    from cms.admin_views import registers

    pages = pages_or_none()
    admin = Admin(
        name="CMS",
        url="/admin",
        theme=Theme(folder="bootstrap4", base_template="cms/base.html"),
        index_view=getattr(pages, "Home", AdminIndexView)(url="/admin"),
    )
    with app.app_context():
        registers.add_views(admin)
        admin.init_app(app)
        if pages is not None:
            pages.init_app(app, admin)
            add_people(app)


def add_people(app: Flask) -> None:
    """Postings, changes that wait for a second person, who may do what, who is complained against."""
    from cms.admin_views import against, confirming, permissions, postings

    for part in (postings, confirming, permissions, against):
        app.register_blueprint(part.blueprint)


def pages_or_none() -> ModuleType | None:
    """Home, register, complaint page and moves, where that module is installed."""
    if importlib.util.find_spec("cms.admin_views.pages") is None:
        return None
    return importlib.import_module("cms.admin_views.pages")
