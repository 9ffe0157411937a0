"""The application that the tests share: whatever one of them does to it, the next finds it as new."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import world
from conftest import start
from flask import Flask
from flask_babel import force_locale, get_locale
from sqlalchemy import func, select
from standing import Ground, Standing, close

from cms import create_app
from cms.models import Category, Complaint, db
from cms.rules import SYSTEM
from cms.settings import Settings
from cms.unit_of_work import unit_of_work

GUESS = {"login": "sho.hsr", "password": "wrong"}


@pytest.fixture
def shared(app: Flask, ground: Ground, applications: dict[Any, Standing]) -> Standing:
    return applications[ground.settings]


def traces(app: Flask) -> dict[str, Any]:
    """Everything an application holds by name: plain values, and of the rest its kind."""
    jinja = app.jinja_env
    parts = {name: part for name, part in vars(app).items() if isinstance(part, dict)}
    parts |= {"itself": vars(app), "globals": jinja.globals, "filters": jinja.filters, "tests": jinja.tests}
    return {
        f"{name}.{key}": value if isinstance(value, str | int | bool | tuple | None) else type(value)
        for name, part in parts.items() for key, value in part.items()
    }  # fmt: skip


def offered(app: Flask, login: str = "sp.hsr") -> str:
    """The list with all that can be chosen in its filters, which a process remembers for a minute."""
    return str(start(app, login).get("/admin/complaint/").text)


def tried(app: Flask) -> int:
    """A wrong password; 429 once there were too many."""
    client = app.test_client()
    page = client.get("/login").text
    token = page.split('name="csrf_token" value="')[1].split('"')[0]
    return int(client.post("/login", data=GUESS | {"csrf_token": token}).status_code)


def test_what_a_test_leaves_is_not_there_for_the_next(shared: Standing, app: Flask, ground: Ground) -> None:
    with unit_of_work(SYSTEM, via="test") as work:
        work.session.add(Category(code="FOREST", name_en="Forest land", name_hi="वन भूमि"))
    world.registered()
    assert "Forest land" in offered(app)
    assert [tried(app) for _ in range(12)][-1] == 429
    with force_locale("hi"):
        assert str(get_locale()) == "hi"
    (ground.settings.data_dir / "documents").mkdir(exist_ok=True)
    (ground.settings.data_dir / "documents" / "letter").write_bytes(b"%PDF")
    app.testing, app.config["PROPAGATE_EXCEPTIONS"] = False, False
    app.extensions["cms_hint"] = None
    app.jinja_env.globals["say"] = str

    close(app)
    ground.lay()
    assert shared.as_new() is app

    new = create_app(ground.settings)
    new.testing, new.test_client_class = True, app.test_client_class
    assert traces(app) == traces(new)
    close_too(new)
    assert db.session.scalar(select(func.count()).select_from(Complaint)) == 0
    assert [path.name for path in ground.settings.data_dir.iterdir() if path.name == "documents"] == []
    assert str(get_locale()) == "en"
    assert "Forest land" not in offered(app)
    assert tried(app) != 429


def close_too(new: Flask) -> None:
    with new.app_context():
        close(new)


def test_a_state_that_is_kept_is_the_one_that_was_built(
    app: Flask, ground: Ground, prepared: Callable[[Callable[[], object]], None]
) -> None:
    def two() -> None:
        built.append(2)
        world.registered()
        world.registered(phone="99999 00002")

    built: list[int] = []
    found = []
    for _ in range(2):
        prepared(two)
        found.append(list(db.session.scalars(select(Complaint.number).order_by(Complaint.id))))
        world.registered(phone="99999 00003")
    assert found[0] == found[1]
    assert len(found[0]) == 2
    assert built == [2]


def test_who_builds_onto_it_is_told(settings: Settings) -> None:
    one = Standing(settings)
    one.as_new().add_url_rule("/more", "more", lambda: "")
    with pytest.raises(RuntimeError, match="own_app"):
        one.as_new()
