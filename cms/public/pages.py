"""What the public sees: first page, tracking by number and receipt code, proof of a document.

The code comes by POST only, so that no log, address bar or shared link ever holds it; a wrong
number and a wrong code get the same answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from flask import Blueprint, Response, current_app, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_limiter.util import get_remote_address
from sqlalchemy import func, select

from cms import pdf
from cms.i18n import _, _l, ist_day, ngettext, show_day
from cms.models import ENQUIRY, Action, Assignment, Complaint, Document, DocumentState, db
from cms.rules import DISPOSED, ENDS, NotFound, Status, clock_day
from cms.services import documents, tracking
from cms.unit_of_work import utcnow
from cms.web import limiter

blueprint = Blueprint("public", __name__)
BAR = 300
SAID = {
    Status.REGISTERED: _l("Your complaint is registered."),
    Status.MARKED: _l("Your complaint is with the police station; an officer is being named."),
    Status.ASSIGNED: _l("An investigating officer has been named."),
    Status.UNDER_ENQUIRY: _l("The enquiry is going on."),
    Status.ON_HOLD: _l("The enquiry rests until something awaited has come; the time stands still meanwhile."),
    Status.REPORT_SUBMITTED: _l("The enquiry officer has reported; a senior officer is looking at the report."),
    Status.RETURNED: _l("A senior officer has asked the enquiry officer to look further."),
    Status.WITH_APPROVER: _l("The enquiry officer has reported; a senior officer is looking at the report."),
    Status.DISPOSED: _l("The enquiry is over. Your report is below."),
    Status.REPORT_DELIVERED: _l("The enquiry is over and the report has been delivered."),
    Status.FEEDBACK: _l("The enquiry is over. We are trying to reach you to ask whether you are satisfied."),
    Status.CLOSED: _l("The complaint is closed."),
    Status.APPEALED: _l("Your appeal is before the next authority."),
    Status.TRANSFERRED_OUT: _l("Your complaint has been sent to the department that is responsible for it."),
    Status.MERGED: _l("Your complaint has been joined with another one on the same matter."),
    Status.WITHDRAWN: _l("The complaint is closed as you withdrew it."),
}
"""What each status means to the complainant."""


@dataclass(frozen=True, slots=True)
class Step:
    """One of the five steps: state is "done", "now" or nothing."""

    title: str
    more: str = ""
    state: str = ""


@dataclass(frozen=True, slots=True)
class File:
    """A document as a button."""

    id: int
    kind: str
    ready: bool
    readable: bool
    kb: int


@blueprint.get("/")
def home() -> str:
    """Two buttons and the emergency number."""
    return render_template("public/home.html", here="/")


@blueprint.get("/track")
def ask() -> str:
    """The form for number and code."""
    return form()


def form(sentence: str | None = None) -> str:
    """The form, with the sentence after a wrong try; the number is kept, the code is not."""
    number = request.form.get("number", "")[:30]
    return render_template("public/track.html", here="/track", sentence=sentence, number=number)


@blueprint.post("/track")
@limiter.limit("20 per minute", key_func=get_remote_address)
def track() -> ResponseReturnValue:
    """Where the complaint stands."""
    complaint = opened()
    if complaint is None:
        return form(_("No complaint has this number and this code. Compare both with your copy.")), 422
    return render_template(
        "public/state.html", here="/track", c=complaint, code=request.form.get("code", ""),
        said=SAID[complaint.status], steps=steps(complaint), files=files(complaint),
        joined=joined(complaint), **clock(complaint, ist_day(utcnow())),
    )  # fmt: skip


def joined(complaint: Complaint) -> str:
    """How the complaint goes on with which this one was joined: its stage and day, nothing else."""
    other = tracking.goes_on_as(complaint)
    if other is None:
        return ""
    said = str(SAID[other.status])
    return f"{said} {clock(other, ist_day(utcnow()))['clock']}" if other.is_open else said


def opened() -> Complaint | None:
    """The complaint that the posted number and code open."""
    vault = current_app.extensions["cms_vault"]
    number, code = request.form.get("number", ""), request.form.get("code", "")
    return tracking.find(db.session(), vault, number, code)


def clock(complaint: Complaint, today: date) -> dict[str, Any]:
    """Day n of 15 as a sentence and a bar."""
    days = max(1, (ist_day(complaint.due_at) - complaint.received_on).days)
    day = max(0, clock_day(complaint.received_on, today))
    late = complaint.is_open and day > days
    sentence = _("Day %(day)s of %(days)s; last day %(due)s.",
                 day=day, days=days, due=show_day(complaint.due_at))  # fmt: skip
    return {"clock": sentence, "used": min(BAR, round(BAR * day / days)), "late": late}


def steps(complaint: Complaint) -> list[Step]:
    """The five steps with what is told of each; never a note of the enquiry."""
    reached = reached_step(complaint.status)
    told = [
        (_("Complaint registered"), f"{show_day(complaint.registered_at)}, {complaint.registered_unit.name}"),
        (_("Investigating officer named"), officer_line(complaint)),
        (_("Enquiry"), enquiry_line(complaint)),
        (_("Action-taken report"), show_day(complaint.disposed_on)),
        (_("Your answer: satisfied or not"), answer_line(complaint)),
    ]
    return [
        Step(title, more if n <= reached else "", "done" if n < reached else "now" if n == reached else "")
        for n, (title, more) in enumerate(told)
    ]


def reached_step(status: Status) -> int:
    """Which of the five steps the complaint is at; five when all are done."""
    return REACHED[status]


REACHED = {
    **dict.fromkeys(Status, 2), Status.REGISTERED: 1, Status.MARKED: 1, Status.REPORT_SUBMITTED: 3,
    Status.WITH_APPROVER: 3, **dict.fromkeys(DISPOSED, 4), **dict.fromkeys(ENDS, 5),
}  # fmt: skip
"""Step that a status has come to."""


def officer_line(complaint: Complaint) -> str:
    """Rank, name and since when; no private phone number."""
    if complaint.io is None:
        return str(_("expected within 24 hours of registration"))
    query = select(func.max(Assignment.assigned_at)).where(Assignment.complaint_id == complaint.id)
    since = db.session().scalar(query)
    return f"{complaint.io}, {show_day(since)}" if since else str(complaint.io)


def enquiry_line(complaint: Complaint) -> str:
    """How many enquiry actions, and the day of the last."""
    query = select(func.count(), func.max(Action.happened_at)).where(
        Action.complaint_id == complaint.id, Action.kind.in_(ENQUIRY)
    )
    count, last = db.session().execute(query).one()
    if not count:
        return ""
    words = ngettext("%(num)d action, the last on %(day)s", "%(num)d actions, the last on %(day)s",
                     count, day=show_day(last))  # fmt: skip
    return str(words)


def answer_line(complaint: Complaint) -> str:
    """What was answered, or that the feedback cell will telephone."""
    if complaint.satisfied is None:
        return str(_("We will telephone and ask you.")) if complaint.status in DISPOSED else ""
    return str(_("satisfied") if complaint.satisfied else _("not satisfied"))


def files(complaint: Complaint) -> list[File]:
    """The newest version of each document."""
    newest = {d.kind: d for d in complaint.documents if d.kind not in documents.INTERNAL}
    return [
        File(
            d.id, str(d.kind), d.state is DocumentState.READY, d.state is not DocumentState.PAPER,
            max(1, (d.size or 0) // 1024),
        )
        for d in newest.values()
    ]  # fmt: skip


def document_of(document_id: int) -> tuple[Complaint, Document]:
    """A document of the complaint that number and code open. NotFound if they open nothing."""
    complaint = opened()
    given = [d for d in complaint.documents if d.kind not in documents.INTERNAL] if complaint else []
    found = [d for d in given if d.id == document_id]
    if complaint is None or not found:
        raise NotFound("Document")
    return complaint, found[0]


@blueprint.post("/track/document/<int:document_id>")
@limiter.limit("20 per minute", key_func=get_remote_address)
def download(document_id: int) -> Response:
    """The stored PDF."""
    complaint, document = document_of(document_id)
    content = documents.file_of(document, current_app.extensions["cms_store"])
    if content is None:
        raise NotFound("Document")
    name = f"{complaint.number}-{document.kind.name.lower()}-v{document.version}.pdf"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(content, mimetype="application/pdf", headers=headers)


@blueprint.post("/track/document/<int:document_id>/page")
@limiter.limit("20 per minute", key_func=get_remote_address)
def document_page(document_id: int) -> str:
    """The same words as a page that can be read aloud."""
    _complaint, document = document_of(document_id)
    if document.state is DocumentState.PAPER:
        raise NotFound("Document")
    extensions = current_app.extensions
    data = documents.made_of(document, extensions["cms_vault"], extensions["cms_settings"].public_url)
    language = documents.language_for(document)
    return pdf.html(documents.template_of(document), data, language=language, embed=False)


@blueprint.get("/verify")
def check() -> ResponseReturnValue:
    """A code typed by hand goes to its page."""
    code = "".join(c for c in request.args.get("code", "") if c.isascii() and c.isalnum())[:24]
    return redirect(f"/verify/{code.upper()}" if code else "/verify/-", 303)


@blueprint.get("/verify/<code>")
@limiter.limit("60 per minute", key_func=get_remote_address)
def verify(code: str) -> ResponseReturnValue:
    """Genuine, superseded or unknown; nothing personal, whoever scans it."""
    found = tracking.verify(db.session(), code)
    return proof(code, found), 200 if found else 404


def proof(code: str, found: tracking.Verified | None, verdict: str = "", refusal: str = "") -> str:
    """The page of a code, with what is said of a file: a verdict, or why it was not compared."""
    return render_template(
        "public/verify.html", here=f"/verify/{code[:24]}" if code.isalnum() else "/track",
        found=found, code="" if code == "-" else code[:24], verdict=verdict, refusal=refusal,
    )  # fmt: skip


@blueprint.post("/verify/file")
@limiter.limit("20 per minute", key_func=get_remote_address)
def verify_file() -> ResponseReturnValue:
    """Whether a file is one that was issued here. It is compared and dropped."""
    code = request.form.get("code", "")[:24]
    posted = request.files.get("file")
    content = posted.read(tracking.MAX_FILE + 1) if posted else b""
    if not content or len(content) > tracking.MAX_FILE:
        refusal = _("This file is larger than any document of this service.") if content else _("Choose the PDF file.")
        return proof(code or "-", tracking.verify(db.session(), code), refusal=refusal), 422
    checked = tracking.check_file(db.session(), content, code)
    shown = checked.found.document.code if checked.found else code or "-"
    return proof(shown, checked.found, verdict=checked.verdict)
