"""Handing documents over: the page after registration, the list of copies still owed, the files."""

from __future__ import annotations

import re
from functools import lru_cache

from flask import Blueprint, Response, current_app, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue
from markupsafe import Markup
from sqlalchemy import select

from cms import pdf
from cms.admin_views.edge import chip_of, derivation, member, seen, url_of, value
from cms.admin_views.opening import note_opening
from cms.authz import allowed, may, visible
from cms.i18n import _, _l
from cms.models import Channel, Complaint, Document, DocumentKind, DocumentState, db
from cms.rules import NotFound, RuleBroken
from cms.services import deliveries, documents
from cms.services.desk import Forbidden
from cms.unit_of_work import utcnow
from cms.web import say, viewer, write

EACH_ON_A_PAGE = """
@media print { .sheet ~ .sheet { break-before: page } }
.sheet td:empty { height: 11mm }
@media screen and (max-width: 560px) { .sheet .signing { display: none } }
"""
blueprint = Blueprint("handover", __name__, url_prefix="/admin/complaint")


@blueprint.route("/<int:complaint_id>/handover/", methods=["GET", "POST"])
def page(complaint_id: int) -> ResponseReturnValue:
    """The copy on the screen, and the three ways in which it leaves the counter."""
    complaint = seen(complaint_id)
    if not allowed(viewer(), "deliver", complaint):
        raise Forbidden("deliver")
    if request.method == "GET":
        return show(complaint)
    document = documents.latest(db.session(), complaint_id, DocumentKind.COPY)
    try:
        settle(document)
    except RuleBroken as refusal:
        return show(seen(complaint_id), say(refusal)), 422
    flash(_("Recorded: the copy of %(number)s.", number=complaint_number(complaint_id)), "success")
    return redirect(f"/admin/complaint/{complaint_id}/handover/", 303)


def complaint_number(complaint_id: int) -> str:
    """The number, read again: after the hand-over it may be another station's complaint."""
    return db.session().scalar(select(Complaint.number).where(Complaint.id == complaint_id)) or ""


def settle(document: Document | None) -> None:
    """Record the posted way of delivery. RuleBroken if none was chosen or its field is empty."""
    channel = member("channel", Channel)
    if channel is None or document is None:
        raise RuleBroken(_l("Choose how the document reached the complainant."))
    document_id = document.id
    with write() as work:
        deliveries.deliver(work, document_id, channel, value("address"), value("note"))


def show(complaint: Complaint, sentence: str | None = None, once_only: bool = False) -> str:
    """The hand-over page of a complaint that the caller saw."""
    document = documents.latest(db.session(), complaint.id, DocumentKind.COPY)
    return render_template(
        "admin/complaint/handover.html",
        complaint=complaint, document=document, sentence=sentence, once_only=once_only,
        code=grouped(current_app.extensions["cms_vault"].receipt_code(complaint.id)),
        why=derivation(complaint), email=email_of(complaint), form=request.form,
        letter=letter(document) if document else "",
        ready=document is not None and document.state is DocumentState.READY,
    )  # fmt: skip


def once(complaint_id: int) -> str:
    """The page for a clerk whom his own entry bars: the copy, and no form."""
    return show(db.session().get_one(Complaint, complaint_id), once_only=True)


def grouped(code: str) -> str:
    """Twelve digits as 4-4-4, for reading aloud."""
    return " ".join(re.findall("....", code))


def email_of(complaint: Complaint) -> str:
    """The complainant's e-mail, to be offered."""
    party = documents.complainant(complaint)
    return (party.email if party else None) or ""


def whole_letter(document: Document) -> str:
    """The accessible page with the same words as the PDF. NotFound if it was issued on paper."""
    if document.state is DocumentState.PAPER:
        raise NotFound("Document")
    extensions = current_app.extensions
    data = documents.made_of(document, extensions["cms_vault"], extensions["cms_settings"].public_url)
    template, language = documents.template_of(document), documents.language_for(document)
    return pdf.html(template, data, language=language, embed=False)


def letter(document: Document) -> Markup:
    """The inside of that page, to stand within one of ours (which has its own main landmark);
    nothing for a document issued on paper, whose words are not kept here."""
    if document.state is DocumentState.PAPER:
        return Markup()
    inside = whole_letter(document).partition("<body>")[2].partition("</body>")[0]
    inside = re.sub(r"<(/?)main>", r"<\1div>", inside)
    # Escaped by the letter's own template already, so that class=" is ours alone.
    return Markup(re.sub(r'(?<=class=")[^"]*', own_names, inside))  # noqa: S704


def own_names(match: re.Match[str]) -> str:
    """The letter's class names under a prefix: some are names of our page as well."""
    return " ".join(f"l-{name}" for name in match[0].split())


@blueprint.get("/letter.css")
def letter_css() -> Response:
    """The letter's style sheet, kept to the sheet on our page."""
    css = scoped(pdf.letter_css(pdf.CURRENT).read_text(encoding="utf-8")) + EACH_ON_A_PAGE
    answer = Response(css, mimetype="text/css")
    answer.headers["Cache-Control"] = "private, max-age=86400"
    return answer


@lru_cache(maxsize=2)
def scoped(css: str, within: str = ".sheet") -> str:
    """Every selector of a style sheet put below one element; ``body`` and ``:root`` become it."""
    css = re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL)

    def narrow(match: re.Match[str]) -> str:
        if match[1] is None:
            return match[0]  # a condition, as @media screen
        names = (name.strip().replace(".", ".l-") for name in match[1].split(","))
        return ", ".join(
            within if name in ("body", "html", ":root") else f"{within} {name}" for name in names
        ) + " {"  # fmt: skip

    return re.sub(r"@[^{};]*[{;]|(?<![^{};\s])([^@{};\s][^@{};]*?)\s*\{", narrow, css)


@blueprint.get("/<int:complaint_id>/handover/state/")
def pdf_state(complaint_id: int) -> str:
    """The line about the PDF, asked for until it is there."""
    complaint = seen(complaint_id)
    document = documents.latest(db.session(), complaint_id, DocumentKind.COPY)
    return render_template("admin/complaint/pdf_line.html", complaint=complaint, document=document)


@blueprint.get("/unsettled/")
def unsettled() -> str:
    """Registered here without a copy delivered; must be empty in the evening."""
    if not may(viewer(), "register"):
        raise Forbidden("register")
    rows = deliveries.unsettled(db.session(), viewer())
    chips = {row.id: chip_of(row) for row in rows}
    return render_template("admin/complaint/unsettled.html", rows=rows, chips=chips)


BATCH = 500
"""Letters on one page to be printed: about two seconds of the server, and a ream of paper."""
KINDS = {"copies": DocumentKind.COPY, "reports": DocumentKind.REPORT}


@blueprint.get("/letters/<kind>/")
def letters(kind: str) -> str:
    """The letters that wait to be handed over, each on a sheet, below a list to be signed on."""
    if not may(viewer(), "deliver"):
        raise Forbidden("deliver")
    if kind not in KINDS:
        raise NotFound("Document")
    found = deliveries.waiting(db.session(), viewer(), KINDS[kind], BATCH)
    rows = [(case, documents.complainant(case), document, letter(document)) for case, document in found]
    return render_template(
        "admin/complaint/letters.html", rows=rows, copies=kind == "copies", full=len(rows) == BATCH, now=utcnow()
    )


def document_of(complaint_id: int, document_id: int) -> Document:
    """A document of a complaint in scope. NotFound if either is not."""
    query = select(Document).where(
        Document.id == document_id, Document.complaint_id == complaint_id
    )
    found: Document | None = db.session().scalar(visible(query, Document, viewer()))
    if found is None or (
        found.kind in documents.INTERNAL and not allowed(viewer(), "history", found.complaint)
    ):
        raise NotFound("Document")
    return found


@blueprint.get("/<int:complaint_id>/document/<int:document_id>/")
def download(complaint_id: int, document_id: int) -> Response:
    """The stored PDF."""
    document = document_of(complaint_id, document_id)
    answer = pdf_answer(document, complaint_number(complaint_id))
    note_opening(complaint_id)
    return answer


def pdf_answer(document: Document, number: str) -> Response:
    """The bytes under a telling file name. NotFound until they are there."""
    content = documents.file_of(document, current_app.extensions["cms_store"])
    if content is None:
        raise NotFound("Document")
    name = f"{number}-{document.kind.name.lower()}-v{document.version}.pdf"
    headers = {
        "Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store",
    }  # fmt: skip
    return Response(content, mimetype="application/pdf", headers=headers)


@blueprint.get("/<int:complaint_id>/document/<int:document_id>/page/")
def document_page(complaint_id: int, document_id: int) -> str:
    """The same document as a page that can be read aloud and searched."""
    said = whole_letter(document_of(complaint_id, document_id))
    note_opening(complaint_id)
    return said


@blueprint.route("/<int:complaint_id>/deliver/", methods=["GET", "POST"])
def deliver(complaint_id: int) -> ResponseReturnValue:
    """How the action-taken report reached the complainant."""
    complaint = seen(complaint_id)
    if not allowed(viewer(), "deliver", complaint):
        raise Forbidden("deliver")
    document = documents.latest(db.session(), complaint_id, DocumentKind.REPORT)
    if document is None:
        raise NotFound("Document")
    if request.method == "GET":
        return show_report(complaint, document)
    try:
        settle(document)
    except RuleBroken as refusal:
        return show_report(seen(complaint_id), document, say(refusal)), 422
    flash(_("Delivery of the report recorded."), "success")
    return redirect(url_of(complaint_id), 303)


def show_report(complaint: Complaint, document: Document, sentence: str | None = None) -> str:
    """The delivery form of the report, with the report below it, ready to print."""
    return render_template(
        "admin/complaint/deliver.html",
        complaint=complaint, document=document, sentence=sentence, form=request.form,
        channels=Channel, email=email_of(complaint), letter=letter(document),
        chip=chip_of(complaint), back=url_of(complaint.id),
    )  # fmt: skip
