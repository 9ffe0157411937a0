"""What stands around every staff page: the menu of this viewer, name and post, language switch."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from flask import Flask, current_app, g, render_template, request, session, url_for
from flask_wtf.csrf import generate_csrf
from markupsafe import Markup, escape

from cms.admin_views.edge import ago, phone
from cms.admin_views.filters import kept
from cms.authz import may
from cms.i18n import _, language
from cms.rules import Viewer
from cms.web import viewer_or_none


@dataclass(frozen=True, slots=True)
class Item:
    """One entry of the menu; heading starts a group above it."""

    label: str
    url: str
    icon: str
    heading: str = ""

    @property
    def current(self) -> bool:
        """True on the page itself and, but for home, on the pages below it."""
        return request.path == self.url


class Frame:
    """Handed to every template as ``frame``."""

    @property
    def viewer(self) -> Viewer | None:
        """Who is signed in."""
        return viewer_or_none()

    @property
    def name(self) -> str:
        """Name of the officer or login of the account."""
        return self.viewer.called(language()) if self.viewer else ""

    @property
    def post(self) -> str:
        """The posts held now, or the role of the account."""
        if self.viewer is None:
            return ""
        posts = dict.fromkeys(str(seat.post) for seat in self.viewer.seats)
        return ", ".join(posts) or str(self.viewer.role)

    def items(self) -> list[Item]:
        """The menu: daily work first, then whatever grids this viewer may open."""
        if self.viewer is None:
            return []
        return [*daily_items(self.viewer), *grid_items(self.viewer)]

    def menu(self) -> dict[str, Markup]:
        """The menu as HTML in its three places, kept by post, language and current entry."""
        who = self.viewer
        if who is None:
            return {}
        reader = (who.reach, language())
        items = kept(("menu", *reader), self.items)
        here = next((item.url for item in items if item.current), "")
        return kept(("menu", *reader, here), menu_parts, items)  # type: ignore[no-any-return]

    def switch(self, code: str) -> str | Markup:
        """Address that changes the language and comes back here."""
        if g.get("making_shell"):
            return hole("switch")
        here = request.full_path.rstrip("?") if request.method == "GET" else request.path
        change = kept(("switch", code), lambda: url_for("web.change_language", code=code))
        return f"{change}?next={quote(here, safe='/?=')}"

    def token(self) -> str | Markup:
        """The CSRF token of this session. It does not age, so it need not be signed again."""
        if g.get("making_shell"):
            return hole("token")
        said = session.get("csrf_token")
        return str(kept(("csrf", said), generate_csrf) if said else generate_csrf())


SECRET = secrets.token_hex(8)
"""Of this process, so that nothing anybody typed reads as a hole."""
HOLE = re.compile(f"\0{SECRET}([a-z]+)\0")


def hole(name: str) -> Markup:
    """Where a kept page takes what is this request's alone."""
    return Markup(f"\0{SECRET}{name}\0")  # noqa: S704 - a name of ours


class Shell:
    """A rendered page with holes; the texts around them are kept, what goes in is HTML."""

    def __init__(self, make: Callable[[], str]) -> None:
        g.making_shell = True
        try:
            self.parts = HOLE.split(make())
        finally:
            g.making_shell = False

    def filled(self, said: Mapping[str, str]) -> str:
        """The page with everything in its place; the frame's own holes are filled by itself."""
        other = "en" if language() == "hi" else "hi"
        all_said = {"token": frame.token(), "switch": str(escape(frame.switch(other))), **said}
        parts = self.parts.copy()
        parts[1::2] = [all_said[name] for name in parts[1::2]]
        return "".join(parts)


def menu_parts(items: list[Item]) -> dict[str, Markup]:
    """Side rail, bottom bar of the phone, and what its "More" opens."""
    parts = {"rail": items, "bottom": items[:4], "more": items[4:]}
    made = {part: render_template("cms/menu.html", part=part, items=chosen) for part, chosen in parts.items()}
    return {part: Markup(html) for part, html in made.items()}  # noqa: S704 - rendered with escaping


def daily_items(who: Viewer) -> Iterator[Item]:
    """Home, the register of complaints and the counter."""
    yield Item(_("Home"), "/admin/", "home")
    if may(who, "read"):
        yield Item(_("Complaints"), "/admin/complaint/", "list")
    if may(who, "register"):
        yield Item(_("Register"), "/admin/complaint/new/", "new")
        yield Item(_("Copies to hand over"), "/admin/complaint/unsettled/", "copies")
    if may(who, "people") or may(who, "confirm") or may(who, "history"):
        yield Item(_("Postings"), "/admin/people/", "officer")


ICONS = {"officer": "officer", "unit": "unit"}
DAILY = frozenset({"admin", "complaint"})


def grid_items(who: Viewer) -> Iterator[Item]:
    """Every other view of the admin that this viewer may open, in the order of registration."""
    heading = ""
    for view in admin_views():
        if view.endpoint in DAILY or not (view.is_visible() and view.is_accessible()):
            continue
        group = str(view.category or "")
        if group and not may(who, "masters"):
            continue  # open to be read by anybody, but daily work does not need them in the menu
        yield Item(
            str(view.name), view.url + "/", ICONS.get(view.endpoint, "page"),
            group if group != heading else "",
        )  # fmt: skip
        heading = group


def admin_views() -> list[Any]:
    """The registered Flask-Admin views."""
    admins = current_app.extensions.get("admin", [])
    return list(admins[0]._views) if admins else []


frame = Frame()


def install(app: Flask) -> None:
    """Make ``frame`` known to the templates."""
    app.jinja_env.globals["frame"] = frame
    app.jinja_env.filters.update(ago=ago, phone=phone)
