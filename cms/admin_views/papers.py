"""Papers of a complaint beside the copy and the report: previews, the noting sheet, the hand-over note.

A preview is the page that would be issued, marked so above and below; it writes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from flask import Blueprint, Response, current_app, flash, redirect, request
from flask.typing import ResponseReturnValue

from cms import pdf
from cms.admin_views.edge import seen, url_of
from cms.admin_views.opening import note_opening
from cms.authz import allowed
from cms.i18n import _, ist_day
from cms.models import (
    AppealResult,
    Complaint,
    DeadlineKind,
    Document,
    DocumentKind,
    DocumentState,
    Edition,
    RequestKind,
    db,
)
from cms.rules import LYING, MOVES, Move, NotFound, Status, Viewer, day_end
from cms.services import clocks, documents, handing_over, handover_note, letters, noting, requests
from cms.services.desk import Forbidden
from cms.services.wording import edition
from cms.unit_of_work import Work, utcnow
from cms.web import viewer, write

blueprint = Blueprint("papers", __name__, url_prefix="/admin")
REASONS = "[यहाँ कारण लिखे जाएँगे / the reasons will stand here]"
"""In a preview of a letter whose reasons nobody has written yet."""
NO_CODE = "XXXX XXXX XXXX"
"""A preview never shows the receipt code."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What a preview needs: the permission of issuing, when it leads somewhere, and its words."""

    needs: str
    fits: Callable[[Complaint], bool]
    data: Callable[[Work, Complaint], dict[str, Any]]


def interim(work: Work, complaint: Complaint) -> dict[str, Any]:
    """The interim reply as it would go out if the request that waits were granted today."""
    asked = requests.pending(work, complaint, RequestKind.EXTENSION)
    late = max(ist_day(complaint.due_at), ist_day(work.now))
    until = day_end(late + timedelta(days=asked.days or 0)) if asked else complaint.due_at
    return letters.interim_data(work, complaint, asked.reasons if asked else REASONS, until)


def reopened(work: Work, complaint: Complaint) -> dict[str, Any]:
    """The notice as it would go out today."""
    due = clocks.due(work.session, DeadlineKind.OVERALL, clocks.Facts.of(complaint), work.now)
    return letters.reopened_data(work, complaint, REASONS, due.at)


def decided(work: Work, complaint: Complaint) -> dict[str, Any]:
    """The decision that dismisses the appeal which waits."""
    entered = letters.pending_appeal(work, complaint)
    on = entered.entered_at if entered else work.now
    return letters.appeal_data(work, complaint, on, AppealResult.DISMISSED, REASONS)


PREVIEWS: Mapping[DocumentKind, Kind] = {
    DocumentKind.COPY: Kind("register", lambda c: c.origin is None, documents.copy_data),
    DocumentKind.REPORT: Kind("dispose", lambda c: c.status in LYING, documents.report_data),
    DocumentKind.INTERIM: Kind("extend", lambda c: c.is_open, interim),
    DocumentKind.REOPENED: Kind("reopen", lambda c: c.status in MOVES[Move.REOPEN].starts, reopened),
    DocumentKind.APPEAL: Kind("hear", lambda c: c.status is Status.APPEALED, decided),
    DocumentKind.NOTING: Kind("history", lambda c: True, noting.data),
}


def previews(who: Viewer, complaint: Complaint) -> list[DocumentKind]:
    """The papers of which this viewer may see a preview that leads somewhere now."""
    return [kind for kind, plan in PREVIEWS.items() if plan.fits(complaint) and allowed(who, plan.needs, complaint)]


@blueprint.get("/complaint/<int:complaint_id>/preview/<kind>/")
def preview(complaint_id: int, kind: str) -> str:
    """The page of a paper as it would be issued now, by whoever may issue it; ``?template=`` names a version."""
    complaint = seen(complaint_id)
    wanted = DocumentKind.__members__.get(kind.upper())
    plan = PREVIEWS.get(wanted) if wanted else None
    if wanted is None or plan is None:
        raise NotFound("Document")
    if not allowed(viewer(), plan.needs, complaint):
        raise Forbidden(plan.needs)
    version = request.args.get("template", pdf.CURRENT)
    if version not in pdf.versions():
        raise NotFound("Document")
    extensions = current_app.extensions
    work = Work(db.session(), viewer(), "page", utcnow(), extensions["cms_vault"])
    public_url, spoken = extensions["cms_settings"].public_url, edition(complaint.unit)
    page = drawn(wanted, plan.data(work, complaint), public_url, version, spoken)
    note_opening(complaint_id)
    return page


def drawn(kind: DocumentKind, words: dict[str, Any], public_url: str, version: str, spoken: Edition) -> str:
    """The page of words that no document row holds, in a version of the templates and an edition."""
    unissued = Document(
        kind=kind, code="-", template=version, state=DocumentState.PENDING, edition=spoken,
        data={**words, "version": 0, "verification_code": ""},
    )  # fmt: skip
    data = documents.printed(unissued, public_url, NO_CODE)
    template, language = documents.template_of(unissued), documents.language_for(unissued)
    return pdf.html(template, data, language=language, embed=False, preview=True)


@blueprint.post("/complaint/<int:complaint_id>/noting/")
def issue_noting(complaint_id: int) -> ResponseReturnValue:
    """Issue the noting sheet as of now; it waits among the documents of the complaint."""
    with write() as work:
        letters.issue_noting(work, complaint_id)
    flash(_("The noting sheet is issued; it stands among the documents."), "success")
    return redirect(url_of(complaint_id), 303)


@blueprint.get("/people/handover/<int:proposal_id>/<int:officer_id>/file/")
def handover_file(proposal_id: int, officer_id: int) -> Response:
    """The note as it was issued with the order, for whoever may see all of it. NotFound until it is made."""
    note = handing_over.note_of(db.session(), viewer(), proposal_id, officer_id)
    paper = handover_note.paper_of(db.session(), note)
    content = documents.file_of(paper, current_app.extensions["cms_store"]) if paper else None
    if content is None:
        raise NotFound("Document")
    name = re.sub(r"[^\w-]+", "-", f"{note.proposal.order_no}-{note.officer.belt_no or officer_id}")
    headers = {"Content-Disposition": f'attachment; filename="handover-{name}.pdf"', "Cache-Control": "no-store"}
    return Response(content, mimetype="application/pdf", headers=headers)


@blueprint.get("/people/handover/<int:proposal_id>/<int:officer_id>/letter/")
def handover_letter(proposal_id: int, officer_id: int) -> str:
    """The hand-over note on the letterhead, to be printed and signed by both."""
    note = handing_over.note_of(db.session(), viewer(), proposal_id, officer_id)
    language = documents.EDITIONS[edition(handover_note.office_of(note))]
    return pdf.html("handover.html", handover_note.data(note), language=language, embed=False)
