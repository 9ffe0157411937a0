"""The named moves of a complaint as forms: a page to fill in, a POST that takes the step.

A refusal shows the form again with its sentence and what was typed (422); a row that somebody
else saved meanwhile shows both values and lets the viewer decide (409). What each form asks for
stands in ``move_forms``.
"""

from __future__ import annotations

from flask import Blueprint, abort, flash, g, redirect, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from cms.admin_views import attachments as files
from cms.admin_views.edge import chip_of, seen, url_of
from cms.admin_views.move_forms import FORMS, Form
from cms.authz import allowed
from cms.models import Action, Complaint, db
from cms.rules import MOVES, Conflict, NotFound, RuleBroken, check_move
from cms.services.attachments import AT_ONCE
from cms.services.desk import Forbidden
from cms.unit_of_work import Repeated
from cms.web import say, takes_files, viewer, write

blueprint = Blueprint("moves", __name__, url_prefix="/admin/complaint")


def permitted(form: Form, complaint: Complaint) -> bool:
    """May this viewer take the step (or one of the steps) of the form?"""
    return any(allowed(viewer(), permission, complaint) for permission in form.permissions)


@blueprint.route("/<int:complaint_id>/<name>/", methods=["GET", "POST"])
@takes_files(AT_ONCE)
def page(complaint_id: int, name: str) -> ResponseReturnValue:
    """The form of a move, or the move itself."""
    form = FORMS.get(name) or abort(404)
    complaint = seen(complaint_id)
    if not permitted(form, complaint):
        raise Forbidden(name)
    if request.method == "GET":
        return opened(form, complaint)
    try:
        g.files = files.posted() if form.files else []
        with write() as work:
            form.apply(work, complaint_id)
    except Repeated:
        return redirect(after(complaint_id), 303)
    except RuleBroken as refusal:
        return show(form, seen(complaint_id), say(refusal)), 422
    except Conflict as conflict:
        return both_values(form, conflict)
    flash(str(form.done), "success")
    return redirect(after(complaint_id), 303)


def after(complaint_id: int) -> str:
    """Where to go on: the complaint, or home when it has left this viewer's charge."""
    try:
        return url_of(seen(complaint_id).id)
    except NotFound:
        return "/admin/"


def opened(form: Form, complaint: Complaint) -> ResponseReturnValue:
    """The empty form, or back to the complaint with the sentence why the move is not possible."""
    try:
        if form.moves and not any(complaint.status in MOVES[m].starts for m in form.moves):
            check_move(form.moves[0], complaint.status)
        return show(form, complaint)
    except RuleBroken as refusal:
        flash(say(refusal), "warning")
        return redirect(url_of(complaint.id), 303)


def show(form: Form, complaint: Complaint, sentence: str | None = None) -> str:
    """The form of a move with what was typed."""
    return render_template(
        f"admin/complaint/{form.template}.html",
        complaint=complaint, move=form.title, sentence=sentence, form=request.form,
        back=url_of(complaint.id), chip=chip_of(complaint), plan=form,
        seen_version=request.form.get("version") or complaint.version,
        **form.extras(complaint),
    )  # fmt: skip


def both_values(form: Form, conflict: Conflict) -> ResponseReturnValue:
    """What the register holds now beside what was typed, and the choice between them."""
    complaint = seen(conflict.row.id)
    last = db.session().scalar(
        select(Action).where(Action.complaint_id == complaint.id).order_by(Action.id.desc()).limit(1)
    )
    plumbing = ("version", "csrf_token", "form_key")
    kept = [(k, v) for k, v in request.form.items(multi=True) if k not in plumbing]
    page = render_template(
        "admin/complaint/conflict.html",
        complaint=complaint, move=form.title, ours=form.ours(complaint), last=last, kept=kept,
        back=url_of(complaint.id), chip=chip_of(complaint),
    )  # fmt: skip
    return page, 409
