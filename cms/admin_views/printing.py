"""One PDF for printing: a desk asks for its letters as one file, waits for it, takes it."""

from __future__ import annotations

from flask import Blueprint, Response, current_app, redirect, render_template, request
from flask.typing import ResponseReturnValue

from cms.admin_views.edge import value
from cms.admin_views.handover import KINDS
from cms.authz import may
from cms.i18n import _l
from cms.models import DocumentKind, PrintBatch, db
from cms.rules import NotFound, RuleBroken
from cms.services import batches, deliveries, documents, looking
from cms.services.desk import Forbidden
from cms.unit_of_work import Repeated, unit_of_work, utcnow
from cms.web import say, viewer, write

blueprint = Blueprint("printing", __name__, url_prefix="/admin/complaint/letters")


def kind_of(name: str) -> DocumentKind:
    """The kind of letters in the address, for a desk. Forbidden for everybody else."""
    if not may(viewer(), "deliver"):
        raise Forbidden("deliver")
    if name not in KINDS:
        raise NotFound("Document")
    return KINDS[name]


def newest(kind: DocumentKind) -> PrintBatch | None:
    """The file that the viewer asked for last, if it is kept."""
    return next(iter(batches.mine(db.session(), viewer(), kind, utcnow())), None)


@blueprint.route("/<kind>/file/", methods=["GET", "POST"])
def page(kind: str) -> ResponseReturnValue:
    """The form, and how it stands with the file asked for last."""
    wanted = kind_of(kind)
    if request.method == "GET":
        return show(kind)
    try:
        with write() as work:
            batches.ask(work, wanted, count(), value("apart") == "yes")
    except Repeated:
        pass
    except RuleBroken as refusal:
        return show(kind, say(refusal)), 422
    return redirect(request.path, 303)


def count() -> int:
    """How many letters are asked for. RuleBroken if that is no number."""
    said = value("count")
    if not (said.isascii() and said.isdigit() and len(said) < 7):
        raise RuleBroken(_l("Write how many letters as a number from 1 to %(most)s."), most=batches.MOST)
    return int(said)


def show(kind: str, sentence: str | None = None) -> str:
    """The page; ``more`` says that not all letters fit into one file."""
    waiting = len(deliveries.waiting(db.session(), viewer(), KINDS[kind], batches.MOST + 1))
    return render_template(
        "admin/complaint/batch.html",
        kind=kind, title=batches.TITLES[KINDS[kind]], batch=newest(KINDS[kind]), sentence=sentence, form=request.form,
        waiting=min(waiting, batches.MOST), more=waiting > batches.MOST, most=batches.MOST,
    )  # fmt: skip


@blueprint.get("/<kind>/file/state/")
def state(kind: str) -> str:
    """The line about the file, asked for until it is there."""
    return render_template("admin/complaint/batch_line.html", kind=kind, batch=newest(kind_of(kind)))


@blueprint.get("/<kind>/file/<int:batch_id>/")
def download(kind: str, batch_id: int) -> ResponseReturnValue:
    """The file, for whoever asked for it, as long as every letter in it is his to see."""
    kind_of(kind)
    try:
        batch, cases = batches.opened(db.session(), viewer(), batch_id, utcnow())
    except RuleBroken as refusal:
        return show(kind, say(refusal)), 409
    content = documents.file_of(batch, current_app.extensions["cms_batches"])
    if content is None or batch.kind is not KINDS[kind]:
        raise NotFound("Document")
    with unit_of_work(viewer(), via="page") as work:
        looking.looked_through(work, cases)
    headers = {"Content-Disposition": f'attachment; filename="{kind}-{batch_id}.pdf"', "Cache-Control": "no-store"}
    return Response(content, mimetype="application/pdf", headers=headers)
