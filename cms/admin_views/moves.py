"""The named moves of a complaint as forms: a page to fill in, a POST that takes the step.

A refusal shows the form again with its sentence and what was typed (422); a row that somebody
else saved meanwhile shows both values and lets the viewer decide (409).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select

from cms.admin_views import lookups
from cms.admin_views.edge import chip_of, member, moment, number, seen, url_of, value
from cms.authz import allowed
from cms.i18n import _, _l, ist
from cms.models import ENQUIRY, Action, ActionKind, Complaint, Disposition, Officer, db
from cms.rules import Conflict, Finding, Move, NotFound, RuleBroken, check_move
from cms.services import complaints
from cms.services.desk import Forbidden
from cms.unit_of_work import Work, unit_of_work, utcnow
from cms.web import say, viewer

blueprint = Blueprint("moves", __name__, url_prefix="/admin/complaint")
MOST_SHOWN = 60
"""Officers shown as choices; more are looked up by name."""


@dataclass(frozen=True)
class Form:
    """One move: what its page needs, how it is done, what it said afterwards, what it changes."""

    step: Move
    extras: Callable[[Complaint], dict[str, Any]]
    apply: Callable[[Work, int], object]
    done: Any
    ours: Callable[[], list[tuple[Any, str]]]


def apply_mark(work: Work, complaint_id: int) -> object:
    """Mark to the unit that was looked up."""
    unit = chosen_unit()
    return complaints.mark(work, complaint_id, version(), unit, value("order"))


def chosen_unit() -> int | None:
    """Id of the unit typed or picked; None when nothing fits, which the use case refuses."""
    text = value("unit")
    found = lookups.units(db.session(), viewer(), text) if text else []
    option = lookups.picked(found, value("unit_pick")) or lookups.resolve(found, text)
    return option.id if option else None


def version() -> int:
    """The version the viewer saw; none posted means an old one, never the present one."""
    return number("version") or 0


def mark_extras(complaint: Complaint) -> dict[str, Any]:
    """Suggestions, and the units to choose from when the typed text fits several."""
    text = value("unit")
    session = db.session()
    found = lookups.units(session, viewer(), text) if text else []
    return {"units": list(lookups.default_units(session, viewer())),
            "picks": {"unit": found} if len(found) > 1 else {}}  # fmt: skip


def apply_assign(work: Work, complaint_id: int) -> object:
    """Name the chosen officer."""
    return complaints.assign(work, complaint_id, version(), number("officer_id"), value("note"))


def assign_extras(complaint: Complaint) -> dict[str, Any]:
    """Officers who may enquire, with what each has open; many are narrowed by a search."""
    officers = complaints.eligible_ios(db.session(), viewer(), complaint, utcnow())
    words = (request.args.get("q") or value("q")).lower().split()
    fits = [o for o in officers if all(w in lookups.officer_label(o).lower() for w in words)]
    shown = fits[:MOST_SHOWN]
    return {
        "officers": shown, "total": len(officers), "left_out": len(fits) - len(shown),
        "load": workload(shown), "q": " ".join(words), "label": lookups.officer_label,
    }  # fmt: skip


def workload(officers: list[Officer]) -> dict[int, tuple[int, int]]:
    """Open and overdue ordinary complaints of each officer, in one statement."""
    late = func.count().filter(Complaint.overdue(utcnow()))
    query = (
        select(Complaint.io_id, func.count(), late)
        .where(Complaint.is_open, Complaint.ordinary, Complaint.io_id.in_([o.id for o in officers]))
        .group_by(Complaint.io_id)
    )
    return {int(row[0]): (row[1], row[2]) for row in db.session().execute(query) if row[0]}


def apply_act(work: Work, complaint_id: int) -> object:
    """Log an action. The diary only grows, so that no version is asked for."""
    kind = member("kind", ActionKind)
    if kind is None:
        raise RuleBroken(_l("Choose what was done from the list."))
    at = moment("happened_at", _l("When"))
    return complaints.act(work, complaint_id, None, kind, at, value("note"))


def act_extras(complaint: Complaint) -> dict[str, Any]:
    """Kinds this viewer may log, and now."""
    command = allowed(viewer(), "assign", complaint)
    kinds = [*ENQUIRY, *([ActionKind.DIRECTION] if command else [])]
    if complaint.io_id != viewer().officer_id and command:
        kinds = kinds[::-1]
    return {"kinds": kinds, "now": ist(utcnow()).strftime("%Y-%m-%dT%H:%M")}


def apply_dispose(work: Work, complaint_id: int) -> object:
    """Dispose with a finding and reasons for each allegation."""
    return complaints.dispose(
        work, complaint_id, version(), number("disposition_id"), findings(), value("reasons"),
        value("details"),
    )  # fmt: skip


def findings() -> Mapping[int, tuple[Finding, str]]:
    """Allegation id -> (finding, reasons) as posted; what is missing the use case names."""
    said: dict[int, tuple[Finding, str]] = {}
    for name in request.form:
        head, _dash, key = name.partition("-")
        finding = member(name, Finding)
        if head == "finding" and key.isascii() and key.isdigit() and finding is not None:
            said[int(key)] = (finding, value(f"why-{key}"))
    return said


def dispose_extras(complaint: Complaint) -> dict[str, Any]:
    """Ways to dispose and findings to choose from."""
    rows = db.session().scalars(select(Disposition).where(Disposition.active).order_by(Disposition.id))
    choices = [f for f in Finding if f is not Finding.UNDECIDED]
    return {"dispositions": list(rows), "findings": choices}


def apply_feedback(work: Work, complaint_id: int) -> object:
    """Record the answer; no answer is no answer, never a "no"."""
    answer = {"yes": True, "no": False}.get(value("satisfied"))
    return complaints.give_feedback(work, complaint_id, version(), answer, value("reason"))


def nothing(complaint: Complaint) -> dict[str, Any]:
    """A form that needs no more than the complaint."""
    return {}


def name_of_officer() -> str:
    """The officer chosen in the form."""
    officer = db.session().get(Officer, number("officer_id") or 0)
    return str(officer or "")


def name_of_disposition() -> str:
    """The disposition chosen in the form."""
    return str(db.session().get(Disposition, number("disposition_id") or 0) or "")


def yes_or_no() -> str:
    """The answer as chosen in the form."""
    return str({"yes": _("Yes"), "no": _("No")}.get(value("satisfied"), ""))


FORMS: Mapping[str, Form] = {
    "mark": Form(Move.MARK, mark_extras, apply_mark, _l("Marked."), lambda: [
        (_l("Station"), value("unit")), (_l("Order"), value("order"))]),
    "assign": Form(Move.ASSIGN, assign_extras, apply_assign, _l("Assigned."), lambda: [
        (_l("Investigating officer"), name_of_officer()), (_l("Note"), value("note"))]),
    "act": Form(Move.ACT, act_extras, apply_act, _l("Action recorded."), lambda: [
        (_l("Note"), value("note"))]),
    "dispose": Form(Move.DISPOSE, dispose_extras, apply_dispose, _l("Disposed. The report is being made."), lambda: [
        (_l("Disposition"), name_of_disposition()), (_l("Reasons of disposal"), value("reasons"))]),
    "feedback": Form(Move.FEEDBACK, nothing, apply_feedback, _l("Answer recorded."), lambda: [
        (_l("Satisfied"), yes_or_no()), (_l("Reason"), value("reason"))]),
}  # fmt: skip
"""Name in the address -> its form. ``deliver`` needs a document and lives in handover.py."""


@blueprint.route("/<int:complaint_id>/<any(mark,assign,act,dispose,feedback):name>/",
                 methods=["GET", "POST"])  # fmt: skip
def page(complaint_id: int, name: str) -> ResponseReturnValue:
    """The form of a move, or the move itself."""
    form = FORMS[name]
    complaint = seen(complaint_id)
    if not allowed(viewer(), complaints.NEEDED[form.step], complaint):
        raise Forbidden(name)
    if request.method == "GET":
        return opened(name, complaint)
    try:
        with unit_of_work(viewer()) as work:
            form.apply(work, complaint_id)
    except RuleBroken as refusal:
        return show(name, seen(complaint_id), say(refusal)), 422
    except Conflict as conflict:
        return both_values(name, conflict)
    flash(str(form.done), "success")
    return redirect(after(complaint_id), 303)


def after(complaint_id: int) -> str:
    """Where to go on: the complaint, or home when it has left this viewer's charge."""
    try:
        return url_of(seen(complaint_id).id)
    except NotFound:
        return "/admin/"


def opened(name: str, complaint: Complaint) -> ResponseReturnValue:
    """The empty form, or back to the complaint with the sentence why the move is not possible."""
    try:
        check_move(FORMS[name].step, complaint.status)
    except RuleBroken as refusal:
        flash(say(refusal), "warning")
        return redirect(url_of(complaint.id), 303)
    return show(name, complaint)


def show(name: str, complaint: Complaint, sentence: str | None = None) -> str:
    """The form of a move with what was typed."""
    form = FORMS[name]
    return render_template(
        f"admin/complaint/{name}.html",
        complaint=complaint, move=form.step, sentence=sentence, form=request.form,
        back=url_of(complaint.id), chip=chip_of(complaint),
        seen_version=request.form.get("version") or complaint.version,
        **form.extras(complaint),
    )  # fmt: skip


def both_values(name: str, conflict: Conflict) -> ResponseReturnValue:
    """What the register holds now beside what was typed, and the choice between them."""
    complaint = seen(conflict.row.id)
    last = db.session().scalar(
        select(Action).where(Action.complaint_id == complaint.id).order_by(Action.id.desc()).limit(1)
    )
    kept = [(k, v) for k, v in request.form.items(multi=True) if k not in ("version", "csrf_token")]
    page = render_template(
        "admin/complaint/conflict.html",
        complaint=complaint, move=FORMS[name].step, ours=FORMS[name].ours(), last=last, kept=kept,
        back=url_of(complaint.id), chip=chip_of(complaint),
    )  # fmt: skip
    return page, 409
