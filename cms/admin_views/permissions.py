"""Who may do what: the policy as a page that an auditor can read, in both languages."""

from __future__ import annotations

from flask import Blueprint, render_template

from cms.models import Post
from cms.rules import MOVES, UNOFFERED
from cms.services import handbook

blueprint = Blueprint("permissions", __name__, url_prefix="/admin/permissions")


@blueprint.get("/")
def page() -> str:
    """The table of permissions and the table of moves. No secret: every signed-in account may read it."""
    return render_template(
        "admin/people/permissions.html",
        permissions=handbook.permissions(), posts=list(Post), unoffered=UNOFFERED,
        moves=[(move, step, handbook.in_order(step.starts), handbook.takers(step)) for move, step in MOVES.items()],
    )  # fmt: skip
