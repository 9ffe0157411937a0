"""One application for each kind of database stands for the whole run; every test finds it as new.

What costs a test most is what an application learns only by working: the text of its statements, its
templates, the shapes of its rows. That stays. Whatever a test could see of the one before does not.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from typing import Any

from flask import Flask, g
from flask.testing import FlaskClient

from cms import create_app, web
from cms.models import db
from cms.settings import Settings

FILLED, LAID = "filled", "laid"
"""The database with the small range, which stays; the one that a test works on."""


class CleanClient(FlaskClient):
    """Requests share the test's application context: forget who asked before."""

    def open(self, *args: Any, **kwargs: Any) -> Any:
        for name in list(g):
            g.pop(name)
        return super().open(*args, **kwargs)


def close(app: Flask) -> None:
    """Give every connection back, so that files and databases can go."""
    db.session.remove()
    db.engine.dispose()
    app.extensions["cms_reads"].dispose()


class Ground:
    """A data folder and a database at one address, laid out anew for each test.

    ``copy(here, there)`` lays one database over another; nobody may be connected to either.
    """

    def __init__(self, settings: Settings, copy: Callable[[str, str], None]) -> None:
        self.settings, self.copy = settings, copy
        self.kept: set[str] = set()

    def lay(self, state: str = FILLED) -> Settings:
        """The small range as it was built, or as it was kept, and nothing else."""
        shutil.rmtree(self.settings.data_dir, ignore_errors=True)
        self.settings.data_dir.mkdir(parents=True)
        self.copy(state, LAID)
        return self.settings

    def keep(self, state: str) -> None:
        """Keep the database as a test has made it by now, under a name."""
        self.copy(LAID, state)
        self.kept.add(state)


class Standing:
    """An application whose database is exchanged under it."""

    def __init__(self, settings: Settings) -> None:
        self.app = create_app(settings)
        self.app.testing = True
        self.app.test_client_class = CleanClient
        self.parts = [vars(self.app), *self.tables()]
        self.first = [dict(part) for part in self.parts]
        self.built = self.size()

    def tables(self) -> list[dict[Any, Any]]:
        """Every table of names the application holds, and those of its templates."""
        jinja = self.app.jinja_env
        return [
            *(part for part in vars(self.app).values() if isinstance(part, dict)),
            jinja.globals,
            jinja.filters,
            jinja.tests,
        ]

    def size(self) -> tuple[int, ...]:
        """What can be added to an application and not taken away again."""
        hooks = (self.app.before_request_funcs, self.app.after_request_funcs, self.app.teardown_request_funcs)
        return (
            len(list(self.app.url_map.iter_rules())), len(self.app.extensions["admin"][0]._views),
            *(len(functions) for hook in hooks for functions in hook.values() if functions),
        )  # fmt: skip

    def as_new(self) -> Flask:
        """The application as it was before its first request. RuntimeError if a test built onto it."""
        if self.size() != self.built:
            raise RuntimeError("a test added to the application of all; let it take own_app")
        for part, first in zip(self.parts, self.first, strict=True):
            if part != first:
                part.clear()
                part.update(first)
        web.limiter.init_app(self.app)  # as with each new application: nobody has tried to sign in
        return self.app


__all__ = ["FILLED", "LAID", "CleanClient", "Ground", "Standing", "close"]
