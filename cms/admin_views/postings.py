"""Postings: who holds which post of command, the form of a posting order, the note of a hand-over."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import ColumnElement, select, true
from sqlalchemy.orm import Session

from cms.admin_views import lookups
from cms.admin_views.edge import chip_of, day, member, value
from cms.admin_views.lookups import Option
from cms.authz import may, officer_scope, under
from cms.columns import Choice
from cms.i18n import _, _l, ist_day
from cms.models import Kind, Post, Unit, db
from cms.rules import SUPERIORS, Role, RuleBroken, Viewer
from cms.services import handing_over, handover_note, people, proposals
from cms.services.desk import Forbidden
from cms.services.orders import MOST_LINES, Line, LineKind, Order
from cms.unit_of_work import Repeated, utcnow
from cms.web import say, viewer, write

blueprint = Blueprint("postings", __name__, url_prefix="/admin/people")
SLOTS = tuple(range(1, 7))
"""Lines of the form; longer orders are pasted."""
SEPARATORS = ("\t", ";", ",")
NOWHERE = frozenset({"", "-", "–"})


def check_reader() -> Viewer:
    """Who may look at the register of postings. Forbidden for everybody else."""
    who = viewer()
    if not any(may(who, permission) for permission in ("people", "confirm", "history")):
        raise Forbidden("people")
    return who


def unit_scope(who: Viewer) -> ColumnElement[bool]:
    """Units whose postings this viewer reads: his own and those below."""
    if who.role is Role.ADMIN:
        return true()
    return under(Unit.path, who.at(*SUPERIORS, Post.BRANCH, Post.AUDIT))


# ---------------------------------------------------------------- the register


@blueprint.get("/")
def register() -> str:
    """Posts of command of one district (or all in scope) with their holders; the vacant ones first."""
    who, session = check_reader(), db.session()
    scope = unit_scope(who)
    query = select(Unit).where(scope, Unit.kind == Kind.DISTRICT, Unit.active).order_by(Unit.path)
    districts = list(session.scalars(query))
    chosen = next((d for d in districts if d.code == request.args.get("district")), None)
    if chosen is not None:
        scope = scope & Unit.path.startswith(chosen.path, autoescape=True)
    rows = people.command(session, scope, ist_day(utcnow()))
    return render_template(
        "admin/people/postings.html",
        rows=rows, vacant=[row for row in rows if row.vacant], districts=districts, chosen=chosen,
        waiting=proposals.waiting(session, who), may_order=may(who, "people"),
        may_decide=may(who, "people") or may(who, "confirm"), may_account=may(who, "accounts"),
    )  # fmt: skip


# ---------------------------------------------------------------- an order


@blueprint.route("/order/", methods=["GET", "POST"])
def order() -> ResponseReturnValue:
    """The form of a posting order, or its entry for confirmation."""
    if not may(viewer(), "people"):
        raise Forbidden("people")
    if request.method == "GET":
        return show_order()
    picks: dict[str, list[Option]] = {}
    try:
        entered = read_order(picks)
        if picks:
            return show_order(_("More than one entry fits what you typed. Choose which one is meant."), picks), 422
        with write() as work:
            made = proposals.propose_order(work, entered).id
    except Repeated:
        return redirect("/admin/people/changes/", 303)
    except RuleBroken as refusal:
        return show_order(say(refusal), picks), 422
    flash(_("Entered. It takes effect when a second person confirms it."), "success")
    return redirect(f"/admin/people/changes/{made}/", 303)


def show_order(sentence: str | None = None, picks: dict[str, list[Option]] | None = None) -> str:
    """The form with what was typed."""
    session = db.session()
    return render_template(
        "admin/people/order.html",
        form=request.form, sentence=sentence, picks=picks or {}, slots=SLOTS, kinds=LineKind, posts=Post,
        today=ist_day(utcnow()).isoformat(), units=list(lookups.default_units(session, viewer())),
        most=MOST_LINES,
    )  # fmt: skip


def read_order(picks: dict[str, list[Option]]) -> Order:
    """The posted form. RuleBroken names what is missing; look-ups that fit several go to ``picks``."""
    issued = day("day", _l("Day of the order")) or ist_day(utcnow())
    start = day("start", _l("First day")) or issued
    lines = [line for slot in SLOTS if (line := slot_line(slot, start, picks)) is not None]
    lines += pasted(request.form.get("lines", ""), start)
    return Order(value("number"), issued, lines)


def slot_line(slot: int, start: date, picks: dict[str, list[Option]]) -> Line | None:
    """One line of the form; None if its officer is empty."""
    officer_id = looked_up(f"officer{slot}", lookups.officers, _l("Officer"), picks)
    if not value(f"officer{slot}"):
        return None
    unit_id = looked_up(f"unit{slot}", unit_options, _l("Unit"), picks)
    successor_id = looked_up(f"successor{slot}", lookups.officers, _l("Successor"), picks)
    return Line(
        officer_id=officer_id or 0, unit_id=unit_id, successor_id=successor_id,
        kind=member(f"kind{slot}", LineKind, LineKind.POSTED) or LineKind.POSTED,
        post=member(f"post{slot}", Post), start=day(f"start{slot}", _l("First day")) or start,
        end=day(f"end{slot}", _l("End")),
    )  # fmt: skip


def unit_options(session: Session, who: Viewer, text: str) -> list[Option]:
    """Units by code first, of every level; else as the other forms look them up."""
    exact = session.scalar(select(Unit).where(Unit.code == text.rpartition(lookups.SEPARATOR)[2].strip().upper()))
    if exact is not None:
        return [Option(f"unit:{exact.id}", lookups.unit_label(exact))]
    return lookups.units(session, who, text)


def looked_up(name: str, find: Any, label: Any, picks: dict[str, list[Option]]) -> int | None:
    """The id of the row meant by a look-up field; None when empty. RuleBroken if nothing fits."""
    text = value(name)
    if not text:
        return None
    found = find(db.session(), viewer(), text)
    option = lookups.picked(found, value(f"{name}_pick")) or lookups.resolve(found, text)
    if option is not None:
        return option.id
    if not found:
        raise RuleBroken(_l("“%(text)s” is not found among “%(field)s”."), text=text, field=label)
    picks[name] = found
    return None


def pasted(text: str, start: date) -> list[Line]:
    """Lines of belt number, unit code, post and, if wanted, the successor's belt number.

    RuleBroken begins with the number of the line that is wrong.
    """
    lines = []
    for number, row in enumerate(text.splitlines(), start=1):
        if not row.strip():
            continue
        separator = next((s for s in SEPARATORS if s in row), "\t")
        cells = [cell.strip() for cell in row.split(separator)] + ["", "", ""]
        try:
            lines.append(pasted_line(cells, start))
        except RuleBroken as refusal:
            raise RuleBroken(_l("Line %(number)s: %(why)s"), number=number, why=say(refusal)) from refusal
    return lines


def pasted_line(cells: list[str], start: date) -> Line:
    """One pasted line; without a unit the officer is relieved."""
    session, who = db.session(), viewer()
    belt, code, post_name, successor = cells[:4]
    officer = people.by_belt(session, officer_scope(who), belt)
    follows = people.by_belt(session, officer_scope(who), successor).id if successor else None
    if code in NOWHERE:
        return Line(officer_id=officer.id, kind=LineKind.RELIEVED, start=start, successor_id=follows)
    unit_id = session.scalar(select(Unit.id).where(Unit.code == code.upper(), Unit.active))
    if unit_id is None:
        raise RuleBroken(_l("There is no unit with the code “%(code)s”."), code=code)
    return Line(
        officer_id=officer.id, kind=LineKind.POSTED, start=start, unit_id=unit_id, post=named(Post, post_name),
        successor_id=follows,
    )  # fmt: skip


def named(of: Any, text: str) -> Any:
    """A member by its short name or its label in the reader's language. RuleBroken if there is none."""
    wanted = text.casefold()
    found: Choice | None = next((m for m in of if wanted in (m.name.casefold(), str(m.label).casefold())), None)
    if found is None:
        raise RuleBroken(_l("“%(post)s” is no post; write for example SHO or IO."), post=text)
    return found


# ---------------------------------------------------------------- the note of a hand-over


@blueprint.get("/handover/<int:proposal_id>/<int:officer_id>/")
def handover(proposal_id: int, officer_id: int) -> str:
    """The printable note: who leaves, by which order, each complaint with who has it now."""
    note = handing_over.note_of(db.session(), viewer(), proposal_id, officer_id)
    return render_template(
        "admin/people/handover.html", note=note, paper=handover_note.paper_of(db.session(), note),
        chips={row.complaint.id: chip_of(row.complaint) for row in note.cases},
    )  # fmt: skip


