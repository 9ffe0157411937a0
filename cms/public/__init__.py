"""The complainant's pages: plain, light, Hindi first."""

from __future__ import annotations

from flask import Flask


def init_app(app: Flask) -> None:
    """Register the public pages."""
    from cms.public.pages import blueprint

    app.register_blueprint(blueprint)
