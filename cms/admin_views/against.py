"""Who is complained against, after registration: the list, a link added, a link dropped."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue

from cms.admin_views import lookups
from cms.admin_views.edge import chip_of, member, number, seen, url_of, value
from cms.admin_views.lookups import Option
from cms.admin_views.moves import after
from cms.authz import allowed
from cms.i18n import _, _l
from cms.models import Complaint, Post, db
from cms.rules import SUPERIORS, Conflict, RuleBroken
from cms.services import accusing
from cms.services.complaints import AccusedNamed
from cms.services.desk import Forbidden
from cms.unit_of_work import Repeated
from cms.web import say, viewer, write

blueprint = Blueprint("against", __name__, url_prefix="/admin/complaint")
NAMED_POSTS = (Post.IO, *SUPERIORS, Post.BRANCH)
"""Posts that somebody complains of."""


def case_for(complaint_id: int) -> Complaint:
    """The complaint, if this viewer may change its links. NotFound or Forbidden if not."""
    complaint = seen(complaint_id)
    if not allowed(viewer(), "accuse", complaint):
        raise Forbidden("accuse")
    return complaint


@blueprint.route("/<int:complaint_id>/accused/", methods=["GET", "POST"])
def page(complaint_id: int) -> ResponseReturnValue:
    """The list with both forms; posted, a new link."""
    complaint = case_for(complaint_id)
    if request.method == "GET":
        return show(complaint)
    picks: dict[str, list[Option]] = {}
    try:
        named = read(picks)
        if picks:
            sentence = _("More than one entry fits what you typed. Choose which one is meant.")
            return show(complaint, sentence, picks), 422
        with write() as work:
            accusing.accuse(work, complaint_id, number("version") or 0, named, value("reason"))
    except (RuleBroken, Conflict, Repeated) as refusal:
        return refused(complaint_id, refusal)
    flash(_("Added. Whoever is barred by it sees nothing of this complaint from now on."), "success")
    return redirect(after(complaint_id), 303)


@blueprint.post("/<int:complaint_id>/accused/<int:accused_id>/drop/")
def drop(complaint_id: int, accused_id: int) -> ResponseReturnValue:
    """Drop a link, with its reason."""
    case_for(complaint_id)
    try:
        with write() as work:
            accusing.clear_link(work, complaint_id, number("version") or 0, accused_id, value("reason"))
    except (RuleBroken, Conflict, Repeated) as refusal:
        return refused(complaint_id, refusal)
    flash(_("Dropped. The entry stays on record with its reason."), "success")
    return redirect(after(complaint_id), 303)


def read(picks: dict[str, list[Option]]) -> AccusedNamed:
    """The posted form: an officer, a unit with or without a post, or words. A near match is never taken."""
    text, post = value("who"), member("post", Post)
    if not text:
        return AccusedNamed(described=value("described"), post=post)
    found = lookups.both(db.session(), viewer(), text)
    exact = [option for option in found if option.label == text]
    option = lookups.picked(found, value("who_pick")) or (exact[0] if len(exact) == 1 else None)
    if option is None:
        if found:
            picks["who"] = found
            return AccusedNamed()
        raise RuleBroken(_l("“%(text)s” is not found; describe who is meant instead."), text=text)
    if option.key.startswith("officer"):
        return AccusedNamed(officer_id=option.id, described=value("described"))
    return AccusedNamed(unit_id=option.id, post=option.post or post, described=value("described"))


def show(
    complaint: Complaint, sentence: str | None = None, picks: dict[str, list[Option]] | None = None,
    *, fresh: bool = False,
) -> str:  # fmt: skip
    """The page with what was typed; fresh: at the version of now, after somebody else saved."""
    return render_template(
        "admin/people/accused.html",
        complaint=complaint, links=accusing.links(db.session(), complaint), posts=NAMED_POSTS, form=request.form,
        sentence=sentence, picks=picks or {}, chip=chip_of(complaint), back=url_of(complaint.id),
        seen_version=complaint.version if fresh else request.form.get("version") or complaint.version,
    )  # fmt: skip


def refused(complaint_id: int, refusal: Any) -> ResponseReturnValue:
    """The page again with the sentence; a form sent twice shows what became of it."""
    if isinstance(refusal, Repeated):
        return redirect(after(complaint_id), 303)
    if isinstance(refusal, Conflict):
        sentence = _("Somebody else saved this complaint meanwhile. Look again, then send it once more.")
        return show(seen(complaint_id), sentence, fresh=True), 409
    return show(seen(complaint_id), say(refusal)), 422
