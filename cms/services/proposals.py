"""Two persons: a change of postings or accounts takes effect when a second one confirms it.

Proposed by whoever keeps the people or the accounts; confirmed by another who commands the units
concerned, or by an administrator; never by the proposer, never by an officer whom it names. It is
applied in the transaction of the confirmation. (PRODUCT.md, people.)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from cms.authz import COMMAND, PERMISSIONS, covers, may, visible
from cms.i18n import _l
from cms.models import Officer, Post, Proposal, ProposalKind, Unit, User
from cms.rules import Role, RuleBroken, Viewer
from cms.services import accounts, handover_note, orders
from cms.services.desk import Forbidden, fetch, filled, one_of, optional, require
from cms.services.orders import Order
from cms.unit_of_work import Work

MOST = 200
"""Waiting changes that are looked at; more than this nobody leaves lying."""


# ---------------------------------------------------------------- proposing


def propose_order(work: Work, order: Order) -> Proposal:
    """Enter a posting order for confirmation.

    Forbidden without the permission; RuleBroken if an officer or unit is outside the proposer's
    units, or the order cannot take effect as it stands.
    """
    require(work, "people")
    ids = {line.officer_id for line in order.lines} | {line.successor_id for line in order.lines if line.successor_id}
    seen = set(work.session.scalars(visible(select(Officer.id).where(Officer.id.in_(ids)), Officer, work.actor)))
    if ids - seen:
        raise RuleBroken(_l("Choose a value from the list for “%(field)s”."), field=_l("Officer"))
    touched = orders.check(work, order)
    if work.actor.role is not Role.ADMIN:
        seats = work.actor.at(*PERMISSIONS["people"])
        for unit in touched:
            if not covers(seats, unit):
                raise RuleBroken(
                    _l("%(unit)s is not under your office; the branch of the office above both orders this."),
                    unit=unit.name,
                )
    return enter(work, ProposalKind.ORDER, order.as_json(), over_all(work, touched), "", order.number)


def over_all(work: Work, units: Iterable[Unit]) -> Unit | None:
    """The lowest unit over all of them; None if they have none in common."""
    lines = [unit.path.strip("/").split("/") for unit in units]
    shared = None
    for parts in zip(*lines, strict=False):
        if len(set(parts)) > 1:
            break
        shared = int(parts[0])
    return work.session.get(Unit, shared) if shared else None


def propose_account(work: Work, login: str, officer_id: int | None) -> Proposal:
    """Enter a new account for confirmation: an officer's, or an administrator's without officer."""
    require(work, "accounts")
    officer = one_of(work, Officer, officer_id, _l("Officer")) if officer_id else None
    name = accounts.check_new(work, login, officer_id)
    for other in open_ones(work.session, work.actor):
        if other.kind is ProposalKind.ACCOUNT_NEW and other.data["login"] == name:
            raise RuleBroken(_l("An account “%(login)s” waits for its confirmation already."), login=name)
    data = {"login": name, "officer": officer_id}
    return enter(work, ProposalKind.ACCOUNT_NEW, data, officer.unit if officer else None, "")


def propose_state(work: Work, user_id: int | None, active: bool, reason: str) -> Proposal:
    """Enter the closing or re-opening of an account for confirmation, with its reason."""
    require(work, "accounts")
    user = accounts.check_state(work, user_id, active)
    said = filled(reason, _l("Reason"), 300)
    data = {"user": user.id, "active": active}
    return enter(work, ProposalKind.ACCOUNT_STATE, data, user.officer.unit if user.officer else None, said)


def enter(
    work: Work, kind: ProposalKind, data: dict[str, Any], unit: Unit | None, note: str, number: str = ""
) -> Proposal:
    """The row that waits."""
    if work.actor.user_id is None:
        raise Forbidden("people")
    proposal = Proposal(
        kind=kind, data=data, order_no=number.strip(), unit_id=unit.id if unit else None,
        proposed_by_id=work.actor.user_id, proposed_at=work.now, note=note,
    )  # fmt: skip
    work.session.add(proposal)
    work.session.flush()
    return proposal


# ---------------------------------------------------------------- confirming


def named_in(session: Session, proposal: Proposal) -> set[int]:
    """Officers whom the change itself is about."""
    data = proposal.data
    if proposal.kind is ProposalKind.ORDER:
        return {line["officer"] for line in data["lines"]}
    officer_id = data.get("officer")
    if proposal.kind is ProposalKind.ACCOUNT_STATE:
        officer_id = session.scalar(select(User.officer_id).where(User.id == data["user"]))
    return {officer_id} if officer_id else set()


def confirmers(kind: ProposalKind) -> frozenset[Post]:
    """Posts that confirm a change of this kind for the units they cover; accounts: command only."""
    posts = PERMISSIONS["confirm"]
    return posts if kind is ProposalKind.ORDER else posts & COMMAND


def hindrance(session: Session, viewer: Viewer, proposal: Proposal) -> Any:
    """Why this viewer may not decide on the change, in words; None if he may.

    An administrator's own account has no unit: another administrator decides.
    """
    if proposal.proposed_by_id == viewer.user_id:
        return _l("You proposed this yourself; another person must confirm it.")
    if viewer.officer_id is not None and viewer.officer_id in named_in(session, proposal):
        return _l("This change is about yourself; another person must confirm it.")
    if viewer.role is Role.ADMIN:
        return None
    unit = session.get(Unit, proposal.unit_id) if proposal.unit_id else None
    if unit is None or not covers(viewer.at(*confirmers(proposal.kind)), unit):
        return _l("The office above all units concerned, or an administrator, confirms this.")
    return None


def undecided(work: Work, proposal_id: int, version: int | None) -> Proposal:
    """The change to decide on, locked. NotFound, Forbidden, Conflict, or RuleBroken if not his."""
    require(work, "confirm")
    proposal = fetch(work, Proposal, proposal_id)
    if proposal.decided_at is not None:
        raise RuleBroken(_l("This change has been decided already."))
    if (why := hindrance(work.session, work.actor, proposal)) is not None:
        raise RuleBroken(why)
    return fetch(work, Proposal, proposal_id, version)


def confirm(work: Work, proposal_id: int, version: int | None) -> Proposal:
    """Confirm a change; it is applied in this transaction or not at all."""
    proposal = undecided(work, proposal_id, version)
    proposal.decided_by_id, proposal.decided_at, proposal.accepted = work.actor.user_id, work.now, True
    work.session.flush()
    proposal.outcome = APPLY[proposal.kind](work, proposal)
    work.session.flush()
    handover_note.issue(work, proposal)
    return proposal


def refuse(work: Work, proposal_id: int, version: int | None, reason: str) -> Proposal:
    """Refuse a change with its reason; nothing happens."""
    proposal = undecided(work, proposal_id, version)
    said = filled(reason, _l("Reason of the refusal"), 200)
    proposal.decided_by_id, proposal.decided_at, proposal.accepted = work.actor.user_id, work.now, False
    proposal.outcome = {"refused": optional(said, "", 200)}
    work.session.flush()
    return proposal


def withdraw(work: Work, proposal_id: int, version: int | None, reason: str) -> Proposal:
    """Take back what the actor proposed himself, with its reason; nothing happens and nobody decided.

    NotFound, Conflict, or RuleBroken if it is another's or decided already.
    """
    proposal = fetch(work, Proposal, proposal_id, version)
    if proposal.decided_at is not None:
        raise RuleBroken(_l("This change has been decided already."))
    if proposal.proposed_by_id != work.actor.user_id:
        raise RuleBroken(_l("Only the person who proposed this takes it back; others refuse it."))
    said = filled(reason, _l("Reason of the withdrawal"), 200)
    proposal.decided_at, proposal.accepted, proposal.outcome = work.now, False, {"withdrawn": said}
    work.session.flush()
    return proposal


def open_account(work: Work, proposal: Proposal) -> dict[str, Any]:
    """Make the account; its owner sets the password at the welcome address."""
    return {"user": accounts.invite(work, proposal.data["login"], proposal.data["officer"]).id}


def change_account(work: Work, proposal: Proposal) -> dict[str, Any]:
    """Close the account, or open it again."""
    return {"user": accounts.set_state(work, proposal.data["user"], proposal.data["active"]).id}


APPLY: Mapping[ProposalKind, Callable[[Work, Proposal], dict[str, Any]]] = {
    ProposalKind.ORDER: orders.apply,
    ProposalKind.ACCOUNT_NEW: open_account,
    ProposalKind.ACCOUNT_STATE: change_account,
}
"""What confirming does."""


def welcome_for(work: Work, proposal: Proposal) -> str | None:
    """The token of the welcome address where the change opened an account; told once."""
    opened = proposal.kind is ProposalKind.ACCOUNT_NEW or proposal.data.get("active")
    if not opened or not proposal.outcome:
        return None
    return accounts.welcome_token(work.vault, work.session.get_one(User, proposal.outcome["user"]))


# ---------------------------------------------------------------- reading


def open_ones(session: Session, viewer: Viewer) -> list[Proposal]:
    """Changes in the viewer's scope that nobody has decided on, the oldest first."""
    query = visible(select(Proposal).where(Proposal.decided_at.is_(None)), Proposal, viewer)
    query = query.options(joinedload(Proposal.proposed_by).joinedload(User.officer).joinedload(Officer.rank))
    return list(session.scalars(query.order_by(Proposal.id).limit(MOST)))


def waiting(session: Session, viewer: Viewer) -> int:
    """How many changes wait for this viewer's confirmation."""
    if not may(viewer, "confirm"):
        return 0
    return sum(hindrance(session, viewer, one) is None for one in open_ones(session, viewer))


def decided(session: Session, viewer: Viewer, limit: int = 30) -> list[Proposal]:
    """The last changes in scope that were decided, newest first."""
    query = visible(select(Proposal).where(Proposal.decided_at.is_not(None)), Proposal, viewer)
    query = query.options(joinedload(Proposal.proposed_by), joinedload(Proposal.decided_by))
    return list(session.scalars(query.order_by(Proposal.decided_at.desc(), Proposal.id.desc()).limit(limit)))


def found(session: Session, viewer: Viewer, proposal_id: int) -> Proposal | None:
    """One change that the viewer may see."""
    query = visible(select(Proposal).where(Proposal.id == proposal_id), Proposal, viewer)
    one: Proposal | None = session.scalar(query)
    return one
