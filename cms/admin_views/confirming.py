"""Changes of postings and accounts that wait for a second person, and the forms of accounts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, current_app, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select
from sqlalchemy.orm import joinedload

from cms.admin_views import lookups
from cms.admin_views.edge import number, value
from cms.admin_views.postings import looked_up
from cms.authz import Book, may, visible
from cms.i18n import _, _l
from cms.models import Complaint, Officer, Proposal, ProposalKind, Unit, User, db
from cms.rules import Conflict, NotFound, RuleBroken
from cms.services import handing_over, proposals
from cms.services.desk import Forbidden
from cms.services.orders import Line, Order
from cms.settings import Settings
from cms.unit_of_work import Repeated
from cms.web import say, viewer, write

blueprint = Blueprint("changes", __name__, url_prefix="/admin/people")


def check_reader() -> None:
    """Forbidden unless this viewer proposes or confirms changes."""
    if not (may(viewer(), "people") or may(viewer(), "confirm")):
        raise Forbidden("confirm")


@blueprint.get("/changes/")
def changes() -> str:
    """What waits for me, what waits for others, and what was decided last."""
    check_reader()
    session, who = db.session(), viewer()
    waiting = [(one, proposals.hindrance(session, who, one)) for one in proposals.open_ones(session, who)]
    return render_template(
        "admin/people/changes.html",
        mine=[one for one, why in waiting if why is None and may(who, "confirm")],
        others=[(one, why) for one, why in waiting if why is not None or not may(who, "confirm")],
        decided=proposals.decided(session, who), title=title_of,
        may_order=may(who, "people"), may_account=may(who, "accounts"),
    )  # fmt: skip


def title_of(proposal: Proposal) -> str:
    """A change in a few words."""
    data = proposal.data
    if proposal.kind is ProposalKind.ORDER:
        return str(_("Order %(number)s: officers moved: %(count)s", number=proposal.order_no, count=len(data["lines"])))
    if proposal.kind is ProposalKind.ACCOUNT_NEW:
        return str(_("New account “%(login)s”", login=data["login"]))
    login = db.session().scalar(select(User.login).where(User.id == data["user"]))
    if data["active"]:
        return str(_("Open the account “%(login)s” again", login=login))
    return str(_("Close the account “%(login)s”", login=login))


def change_for(proposal_id: int) -> Proposal:
    """The change of the address. NotFound if it is not in this viewer's scope."""
    check_reader()
    found = proposals.found(db.session(), viewer(), proposal_id)
    if found is None:
        raise NotFound("Proposal")
    return found


@blueprint.get("/changes/<int:proposal_id>/")
def change(proposal_id: int) -> str:
    """One change in full, with the buttons to confirm or refuse it."""
    return show_change(change_for(proposal_id))


def show_change(proposal: Proposal, sentence: str | None = None) -> str:
    """The page of a change."""
    session, who = db.session(), viewer()
    why = proposals.hindrance(session, who, proposal) if proposal.decided_at is None else None
    is_order = proposal.kind is ProposalKind.ORDER
    officer_id = proposal.data.get("officer")
    return render_template(
        "admin/people/change.html",
        p=proposal, title=title_of(proposal), sentence=sentence, why=why, form=request.form,
        may_decide=proposal.decided_at is None and why is None and may(who, "confirm"),
        may_withdraw=proposal.decided_at is None and proposal.proposed_by_id == who.user_id,
        rows=order_rows(Order.of(proposal)) if is_order else [],
        notes={line["officer"] for line in handing_over.lines_of(proposal) if line["cases"]},
        officer=session.get(Officer, officer_id) if officer_id else None,
    )  # fmt: skip


def order_rows(order: Order) -> list[dict[str, Any]]:
    """Each line with its officer, where he goes, and what he has open (as far as the reader may know)."""
    session = db.session()
    ids = {i for line in order.lines for i in (line.officer_id, line.successor_id) if i}
    query = select(Officer).where(Officer.id.in_(ids)).options(joinedload(Officer.rank), joinedload(Officer.unit))
    officers = {o.id: o for o in session.scalars(query)}
    wanted = [line.unit_id for line in order.lines if line.unit_id]
    units = {u.id: u for u in session.scalars(select(Unit).where(Unit.id.in_(wanted)))}
    open_now = open_counts(order.lines)
    return [
        {
            "line": line, "officer": officers[line.officer_id], "unit": units.get(line.unit_id or 0),
            "successor": officers.get(line.successor_id or 0), "open": open_now.get(line.officer_id, 0),
        }
        for line in order.lines
    ]  # fmt: skip


def open_counts(lines: Any) -> dict[int, int]:
    """Open ordinary complaints of each officer within the reader's charge."""
    ids = {line.officer_id for line in lines if isinstance(line, Line)}
    every: Any = select(Complaint.io_id, func.count()).where(Complaint.is_open, Complaint.io_id.in_(ids))
    query = visible(every, Complaint, viewer(), Book.ORDINARY).group_by(Complaint.io_id)
    return {int(row[0]): int(row[1]) for row in db.session().execute(query) if row[0]}


@blueprint.post("/changes/<int:proposal_id>/confirm/")
def confirm(proposal_id: int) -> ResponseReturnValue:
    """Confirm: the change is applied. The address of a new account is shown in this answer only."""
    change_for(proposal_id)
    try:
        with write() as work:
            done = proposals.confirm(work, proposal_id, number("version"))
            token = proposals.welcome_for(work, done)
    except (RuleBroken, Conflict, Repeated) as refusal:
        return refused(proposal_id, refusal)
    if token is not None:
        return show_welcome(proposal_id, token)
    flash(_("Confirmed. The change is in force."), "success")
    return redirect(f"/admin/people/changes/{proposal_id}/", 303)


def show_welcome(proposal_id: int, token: str) -> str:
    """The one-time address, to be given to the owner of the account."""
    settings: Settings = current_app.extensions["cms_settings"]
    proposal = change_for(proposal_id)
    return render_template(
        "admin/people/welcome.html", title=title_of(proposal), address=f"{settings.public_url}/welcome/{token}"
    )


@blueprint.post("/changes/<int:proposal_id>/refuse/")
def refuse(proposal_id: int) -> ResponseReturnValue:
    """Refuse with a reason; nothing happens."""
    return ended(proposal_id, proposals.refuse, _("Refused. Nothing was changed."))


@blueprint.post("/changes/<int:proposal_id>/withdraw/")
def withdraw(proposal_id: int) -> ResponseReturnValue:
    """Take back one's own change with a reason; nothing happens."""
    return ended(proposal_id, proposals.withdraw, _("Withdrawn. Nothing was changed."))


def ended(proposal_id: int, end: Callable[..., Proposal], said: str) -> ResponseReturnValue:
    """End a change by a use case that asks for a reason, and say so on its page."""
    change_for(proposal_id)
    try:
        with write() as work:
            end(work, proposal_id, number("version"), value("reason"))
    except (RuleBroken, Conflict, Repeated) as refusal:
        return refused(proposal_id, refusal)
    flash(said, "success")
    return redirect(f"/admin/people/changes/{proposal_id}/", 303)


def refused(proposal_id: int, refusal: Exception) -> ResponseReturnValue:
    """The page again with the sentence; a form sent twice just shows what became of the change."""
    if isinstance(refusal, Repeated):
        return redirect(f"/admin/people/changes/{proposal_id}/", 303)
    if isinstance(refusal, Conflict):
        return show_change(change_for(proposal_id), _("Somebody else changed this meanwhile; look again.")), 409
    assert isinstance(refusal, RuleBroken)  # noqa: S101 - the three kinds that are caught
    return show_change(change_for(proposal_id), say(refusal)), 422


# ---------------------------------------------------------------- accounts


@blueprint.route("/account/", methods=["GET", "POST"])
def account() -> ResponseReturnValue:
    """Propose a new account, or that one be closed or opened again."""
    if not may(viewer(), "accounts"):
        raise Forbidden("accounts")
    if request.method == "GET":
        return show_account()
    picks: dict[str, Any] = {}
    try:
        officer_id = looked_up("officer", lookups.officers, _l("Officer"), picks)
        if picks:
            return show_account(_("More than one entry fits what you typed. Choose which one is meant."), picks), 422
        with write() as work:
            made = propose(work, officer_id).id
    except Repeated:
        return redirect("/admin/people/changes/", 303)
    except RuleBroken as refusal:
        return show_account(say(refusal), picks), 422
    flash(_("Entered. It takes effect when a second person confirms it."), "success")
    return redirect(f"/admin/people/changes/{made}/", 303)


def propose(work: Any, officer_id: int | None) -> Proposal:
    """The use case behind the button that was pressed."""
    if value("what") == "new":
        if officer_id is None and value("role") != "admin":
            raise RuleBroken(_l("Choose the officer, or say that it is an administrator's account."))
        return proposals.propose_account(work, value("login"), officer_id)
    user_id = work.session.scalar(select(User.id).where(User.login == value("known").lower()))
    return proposals.propose_state(work, user_id, value("what") == "open", value("reason"))


def show_account(sentence: str | None = None, picks: dict[str, Any] | None = None) -> str:
    """Both forms with what was typed."""
    return render_template("admin/people/account.html", form=request.form, sentence=sentence, picks=picks or {})
