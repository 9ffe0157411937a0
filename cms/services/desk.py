"""Fetching the row a use case works on: through the policy, locked, at the version the user saw."""

from __future__ import annotations

from typing import Any, TypeVar

from sqlalchemy import select

from cms.authz import allowed, may, visible
from cms.i18n import _l
from cms.models import Complaint
from cms.rules import Conflict, NotFound, RuleBroken
from cms.unit_of_work import Work

T = TypeVar("T")


class Forbidden(Exception):
    """The viewer sees the row but his post may not do this (403)."""


def fetch(work: Work, model: type[T], row_id: int, version: int | None = None) -> T:
    """Lock and read one row the actor may see.

    NotFound if it is foreign or missing, Conflict if ``version`` is no longer the row's.
    """
    columns: Any = model
    # Lock by id first: PostgreSQL re-checks a locked row against the joins of the old one, and
    # would not find a complaint that was marked to another station while we waited.
    work.session.execute(select(columns.id).where(columns.id == row_id).with_for_update())
    query = visible(select(model).where(columns.id == row_id), model, work.actor)
    row: Any = work.session.scalar(query.execution_options(populate_existing=True))
    if row is None:
        raise NotFound(model.__name__)
    if version is not None and row.version != version:
        raise Conflict(row, version)
    return row  # type: ignore[no-any-return]


def complaint_for(
    work: Work, permission: str, complaint_id: int, version: int | None = None
) -> Complaint:
    """The complaint, if the actor may do this to it. NotFound, Forbidden or Conflict if not."""
    complaint = fetch(work, Complaint, complaint_id)
    if not allowed(work.actor, permission, complaint):
        raise Forbidden(permission)
    if version is not None and complaint.version != version:
        raise Conflict(complaint, version)
    return complaint


def require(work: Work, permission: str) -> None:
    """Forbidden unless some seat of the actor carries the permission."""
    if not may(work.actor, permission):
        raise Forbidden(permission)


def one_of(work: Work, model: type[T], row_id: int | None, label: Any) -> T:
    """A row the actor may choose. RuleBroken naming the field if it is missing or foreign."""
    columns: Any = model
    row: T | None = None
    if row_id is not None:
        query = visible(select(model).where(columns.id == row_id), model, work.actor)
        row = work.session.scalar(query)
    if row is None or getattr(row, "active", True) is False:
        raise RuleBroken(_l("Choose a value from the list for “%(field)s”."), field=label)
    return row


def filled(text: str | None, label: Any, limit: int) -> str:
    """Trimmed text that must be there. RuleBroken naming the field if empty or too long."""
    value = optional(text, label, limit)
    if value is None:
        raise RuleBroken(_l("Fill in “%(field)s”."), field=label)
    return value


def optional(text: str | None, label: Any, limit: int) -> str | None:
    """Trimmed text or None. RuleBroken if longer than ``limit`` characters."""
    value = "".join(c for c in (text or "") if c in "\n\t" or ord(c) >= 32).strip()
    if len(value) > limit:
        raise RuleBroken(
            _l("“%(field)s” may hold at most %(limit)s characters; this has %(length)s."),
            field=label, limit=limit, length=len(value),
        )  # fmt: skip
    return value or None
