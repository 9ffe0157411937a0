"""The files of a complaint: their list with the form to add some, and each of them to be fetched."""

from __future__ import annotations

import io
from datetime import datetime

from flask import Blueprint, Response, current_app, flash, redirect, render_template, request, send_file
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import FileStorage

from cms.admin_views.edge import chip_of, seen, url_of
from cms.admin_views.opening import note_opening
from cms.authz import allowed
from cms.i18n import ngettext, show_day
from cms.models import Complaint, db
from cms.rules import RuleBroken
from cms.services import attachments
from cms.services.desk import Forbidden
from cms.store import Store
from cms.web import say, takes_files, viewer, write

blueprint = Blueprint("attachments", __name__, url_prefix="/admin/complaint")
blueprint.add_app_template_filter(lambda said: camera(said), "camera")
blueprint.add_app_template_global(lambda: file_limits(), "file_limits")


def store() -> Store:
    """Where the bytes lie."""
    kept: Store = current_app.extensions["cms_store"]
    return kept


def posted(name: str = "files") -> list[attachments.Examined]:
    """The files of the posted form, looked at one after the other. RuleBroken names one that may not come in."""
    return [attachments.examine(content_of(file), file.filename or "") for file in request.files.getlist(name) if file]


def content_of(file: FileStorage) -> bytes:
    """The bytes, no more than it takes to see that they are too many."""
    return file.stream.read(attachments.MOST_BYTES + 1)


@blueprint.route("/<int:complaint_id>/files/", methods=["GET", "POST"])
@takes_files(attachments.AT_ONCE)
def page(complaint_id: int) -> ResponseReturnValue:
    """The files of a complaint; those who work on it add to them."""
    complaint = seen(complaint_id)
    if request.method == "GET":
        made = show(complaint)
        note_opening(complaint_id)
        return made
    if not allowed(viewer(), "attach", complaint):
        raise Forbidden("attach")
    try:
        found = posted()
        with write() as work:
            kept = len(attachments.attach(work, store(), complaint_id, found))
    except RuleBroken as refusal:
        return show(seen(complaint_id), say(refusal)), 422
    flash(ngettext("%(num)d file is on the complaint.", "%(num)d files are on the complaint.", kept), "success")
    return redirect(f"/admin/complaint/{complaint_id}/files/", 303)


def size(count: int) -> str:
    """Bytes as people say them: 0.4 MB, 12 KB."""
    said = f"{count / attachments.MB:.1f} MB" if count >= attachments.MB // 10 else f"{-(-count // 1024)} KB"
    return said.replace(".0 ", " ")


def camera(said: str) -> str:
    """The camera's own date and time, which knows no zone."""
    at = datetime.fromisoformat(said)
    return f"{show_day(at.date())}, {at:%H:%M}"


def show(complaint: Complaint, sentence: str | None = None) -> str:
    """The page of the files."""
    rows = attachments.of_complaint(db.session(), viewer(), complaint.id)
    return render_template(
        "admin/complaint/files.html",
        complaint=complaint, rows=rows, sentence=sentence, back=url_of(complaint.id), chip=chip_of(complaint),
        may_add=allowed(viewer(), "attach", complaint), used=sum(file.size for file, _who in rows), size=size,
    )  # fmt: skip


def file_limits() -> dict[str, str | int]:
    """What the fields of files accept and say."""
    return {
        "accept": attachments.ACCEPT, "most": attachments.MOST_BYTES // attachments.MB,
        "together": attachments.AT_ONCE // attachments.MB - 1,
        "in_all": attachments.MOST_ON_COMPLAINT // attachments.MB,
    }  # fmt: skip


@blueprint.get("/<int:complaint_id>/files/<int:attachment_id>/")
def download(complaint_id: int, attachment_id: int) -> Response:
    """The file as it came, to be kept, never shown by the browser itself."""
    found = attachments.one(db.session(), viewer(), complaint_id, attachment_id)
    content, media_type, name = attachments.original(store(), found), found.media_type, found.name
    note_opening(complaint_id)
    answer = send_file(io.BytesIO(content), mimetype=media_type, as_attachment=True, download_name=name)
    return unkept(answer)


def unkept(answer: Response) -> Response:
    """No copy stays in the browser of a computer that several people use."""
    answer.headers["Cache-Control"] = "no-store"
    return answer


@blueprint.get("/<int:complaint_id>/files/<int:attachment_id>/picture/")
def picture(complaint_id: int, attachment_id: int) -> Response:
    """A picture drawn anew, without the camera's data."""
    return drawn(complaint_id, attachment_id, little=False)


@blueprint.get("/<int:complaint_id>/files/<int:attachment_id>/small/")
def small(complaint_id: int, attachment_id: int) -> Response:
    """The same in the size of the complaint page, which has noted the opening already."""
    return drawn(complaint_id, attachment_id, little=True)


def drawn(complaint_id: int, attachment_id: int, little: bool) -> Response:
    """A clean copy. NotFound for what is no picture."""
    found = attachments.one(db.session(), viewer(), complaint_id, attachment_id)
    content = attachments.clean(store(), found)
    if not little:
        note_opening(complaint_id)
    content = attachments.small(content) if little else content
    return unkept(send_file(io.BytesIO(content), mimetype="image/jpeg"))
