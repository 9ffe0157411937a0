"""Register: one screen for the counter, and what it asks while it is being filled in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from flask import Blueprint, jsonify, redirect, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import or_, select
from sqlalchemy.orm import joinedload

from cms.admin_views import handover, lookups
from cms.admin_views.edge import chip_of, day, member, number, value
from cms.admin_views.lookups import Option
from cms.authz import may, visible
from cms.i18n import _l, is_devanagari, ist_day
from cms.models import Category, Complaint, Kind, Language, Mode, Party, Priority, Source, Unit, db
from cms.rules import NotFound, RuleBroken
from cms.services import complaints, documents, likeness
from cms.services.complaints import AccusedNamed, NewComplaint, phone_number
from cms.services.desk import Forbidden
from cms.unit_of_work import unit_of_work, utcnow
from cms.vault import new_token
from cms.web import say, viewer

blueprint = Blueprint("register", __name__, url_prefix="/admin/complaint")
ACCUSED_ROWS = (1, 2, 3)
AGAIN = timedelta(minutes=10)
"""How long the answer to a barred clerk's own entry can be had again."""
LABELS: dict[str, Any] = {
    "phone": _l("Mobile"), "name": _l("Name"), "address": _l("Address"), "email": _l("E-mail"),
    "subject": _l("Subject"), "text": _l("Complaint, in the complainant's words"),
    "category_id": _l("Category"), "mode_id": _l("Mode"), "source_id": _l("Source"),
    "unit": _l("Station"), "received_on": _l("Date of receipt"), "place": _l("Place"),
    "incident_on": _l("Date of incident"), "opposite": _l("Opposite party"),
    "accused1": _l("Complained against"),
}  # fmt: skip
"""Field of the form -> its label, which is also how a refusal names it."""


class Unresolved(RuleBroken):
    """A look-up text that fits several rows, or none: the form offers the choice."""


def register_page() -> ResponseReturnValue:
    """/admin/complaint/new/ (routed by the view of the complaints): the form; then the hand-over."""
    if not may(viewer(), "register"):
        raise Forbidden("register")
    if request.method == "GET":
        return show(None)
    picks: dict[str, list[Option]] = {}
    try:
        new = read(picks)
        if same := same_matter(new):
            return show(None, picks, same), 409
        with unit_of_work(viewer()) as work:
            complaint = complaints.register(work, new)
            made = complaint.id
    except RuleBroken as refusal:
        return show(refusal, picks), 422
    except NotFound:
        made = own_entry(value("form_key"))
    return hand_over(made)


def same_matter(new: NewComplaint) -> list[Complaint]:
    """What may be the same matter again, once: the clerk looks, links or registers all the same."""
    sent = select(Complaint.id).where(Complaint.form_key == value("form_key"))
    if value("sure") or db.session().scalar(sent) is not None:
        return []
    asked = likeness.Asked(new.text, phone_number(new.phone), new.opposite, new.unit_id or viewer().seats[0].unit_id)
    return likeness.likely(db.session(), viewer(), asked, ist_day(utcnow()))


def linked() -> tuple[int, ...]:
    """Earlier complaints that the clerk ticked as the same matter."""
    return tuple(int(said) for said in request.form.getlist("earlier") if said.isascii() and said.isdigit())[:8]


def own_entry(form_key: str) -> int:
    """What this clerk sent a moment ago and may no longer see: a second press of the button must
    not cost the complainant the copy. NotFound for anything else."""
    query = select(Complaint.id).where(
        Complaint.form_key == form_key,
        Complaint.registered_by_id == viewer().user_id,
        Complaint.copy_settled_at.is_(None),
        Complaint.registered_at > utcnow() - AGAIN,
    )
    made = db.session().scalar(query)
    if made is None:
        raise NotFound("Complaint")
    return made


def hand_over(complaint_id: int) -> ResponseReturnValue:
    """On to the hand-over page. A clerk barred from his own entry (it names his unit) gets the
    copy in this one answer and never again: the complainant must not leave without it."""
    query = visible(select(Complaint.id).where(Complaint.id == complaint_id), Complaint, viewer())
    if db.session().scalar(query) is None:
        return handover.once(complaint_id)
    return redirect(f"/admin/complaint/{complaint_id}/handover/", 303)


def show(
    refusal: RuleBroken | None, picks: dict[str, list[Option]] | None = None,
    same: Sequence[Complaint] = (),
) -> str:  # fmt: skip
    """The form with what was typed, the sentence of a refusal and the field it is about.

    same: earlier complaints that may be the same matter, to be looked at before saving.
    """
    session = db.session()
    form = request.form or defaults()
    return render_template(
        "admin/complaint/register.html",
        form=form, labels=LABELS, picks=picks or {}, rows=ACCUSED_ROWS,
        sentence=say(refusal) if refusal else None,
        wrong=wrong_field(refusal),
        form_key=form.get("form_key") or new_token(),
        today=ist_day(utcnow()).isoformat(),
        modes=masters(Mode), sources=masters(Source), categories=masters(Category),
        same=same, chips={row.id: chip_of(row) for row in same}, priorities=Priority,
        units=list(lookups.default_units(session, viewer())),
    )  # fmt: skip


def wrong_field(refusal: RuleBroken | None) -> str:
    """The field a refusal names by its label, so that the form can mark it."""
    if refusal is None:
        return ""
    said = str(refusal.params.get("field", ""))
    if "phone" in refusal.params:
        return "phone"
    return next((name for name, label in LABELS.items() if str(label) == said), "")


def defaults() -> dict[str, str]:
    """What a walk-in at this desk mostly is."""
    walk_in = next((m for m in masters(Mode) if m.walk_in), None)
    sources = masters(Source)
    own = db.session().get(Unit, viewer().seats[0].unit_id)
    here = own is not None and own.kind in (Kind.POLICE_STATION, Kind.POLICE_POST)
    return {
        "mode_id": str(walk_in.id) if walk_in else "",
        "source_id": str(sources[0].id) if sources else "",
        "unit": lookups.unit_label(own) if own and here else "",
        "priority": Priority.ROUTINE.name,
    }


def masters(model: Any) -> list[Any]:
    """Rows in use of a short list, in the order an administrator gave them."""
    return list(db.session().scalars(select(model).where(model.active).order_by(model.id)))


def read(picks: dict[str, list[Option]]) -> NewComplaint:
    """The posted form as values. RuleBroken names what is wrong; choices go to ``picks``."""
    text = value("text")
    chosen = member("language", Language)
    unit = looked_up("unit", "unit", picks)
    accused = tuple(filter(None, (accused_row(n, picks) for n in ACCUSED_ROWS)))
    if any(picks.values()):
        raise Unresolved(_l("More than one entry fits what you typed. Choose which one is meant."))
    return NewComplaint(
        name=value("name"), phone=value("phone"), email=value("email"), address=value("address"),
        subject=value("subject") or first_words(text), text=text,
        language=chosen or (Language.HI if is_devanagari(text) else Language.EN),
        category_id=number("category_id"), mode_id=number("mode_id"),
        source_id=number("source_id"),
        priority=member("priority", Priority, Priority.ROUTINE) or Priority.ROUTINE,
        received_on=day("received_on", LABELS["received_on"]),
        place=value("place"), incident_on=day("incident_on", LABELS["incident_on"]),
        unit_id=unit.id if unit else None, opposite=value("opposite"), accused=accused,
        form_key=value("form_key"), earlier=linked(),
    )  # fmt: skip


def first_words(text: str) -> str:
    """A subject made of the complaint's first line when the clerk gave none."""
    line = next((part.strip() for part in text.splitlines() if part.strip()), "")
    return line if len(line) <= 90 else line[:90].rsplit(" ", 1)[0] + " …"


def looked_up(name: str, kind: str, picks: dict[str, list[Option]]) -> Option | None:
    """The row meant by a look-up field; None when empty. RuleBroken if nothing fits."""
    text = value(name)
    if not text:
        return None
    found = lookups.KINDS[kind](db.session(), viewer(), text)
    option = lookups.picked(found, value(f"{name}_pick")) or lookups.resolve(found, text)
    if option is None and not found:
        raise RuleBroken(_l("Choose a value from the list for “%(field)s”."), field=LABELS[name])
    if option is None:
        picks[name] = found
    return option


def accused_row(row: int, picks: dict[str, list[Option]]) -> AccusedNamed | None:
    """One officer or unit complained against; what fits no record is kept as described."""
    name = f"accused{row}"
    text = value(name)
    if not text:
        return None
    if value(f"{name}_pick") == "text":
        return AccusedNamed(described=text)
    found = lookups.both(db.session(), viewer(), text)
    exact = [o for o in found if o.label == text]
    option = lookups.picked(found, value(f"{name}_pick")) or (exact[0] if len(exact) == 1 else None)
    if option is None:
        # A wrong link blinds a whole station, so a near match is never taken by itself.
        if found:
            picks[name] = found
        return AccusedNamed(described=text)
    officer = option.key.startswith("officer")
    return AccusedNamed(officer_id=option.id) if officer else AccusedNamed(unit_id=option.id, post=option.post)


@blueprint.get("/lookup/<kind>/")
def suggestions(kind: str) -> ResponseReturnValue:
    """Labels that fit what is being typed, for the suggestions of a look-up field."""
    if kind not in lookups.KINDS:
        raise NotFound(kind)
    text = request.args.get("q", "").strip()[:80]
    found = lookups.KINDS[kind](db.session(), viewer(), text) if len(text) > 1 else []
    return jsonify([option.label for option in found])


@blueprint.post("/same-phone/")
def same_phone() -> str:
    """Earlier complaints from this phone, as a fragment. Posted, so that no log keeps the phone."""
    try:
        phone = phone_number(value("phone"))
    except RuleBroken:
        phone = None
    rows = earlier(phone) if phone else []
    chips = {row.id: chip_of(row) for row in rows}
    person = documents.complainant(rows[0]) if rows else None
    return render_template("admin/complaint/same_phone.html", rows=rows, chips=chips, person=person)


def earlier(phone: str) -> list[Complaint]:
    """The last complaints of this phone that the viewer may see, newest first."""
    by_phone = select(Party.complaint_id).where(or_(Party.phone == phone, Party.phone_2 == phone))
    query = visible(select(Complaint).where(Complaint.id.in_(by_phone)), Complaint, viewer())
    query = query.options(joinedload(Complaint.unit)).order_by(Complaint.id.desc()).limit(4)
    return list(db.session().scalars(query))


