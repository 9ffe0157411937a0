"""What our own views share: the complaint of the address, values of a form, refusals, the clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum
from typing import Any, TypeVar

from flask import request
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from cms.admin_views.cells import due_words
from cms.authz import visible
from cms.i18n import IST, _, _l, ist_day, language, show_day
from cms.models import Complaint, Deadline, Officer, db
from cms.rules import DeadlineKind, NotFound, RuleBroken
from cms.unit_of_work import utcnow
from cms.web import viewer

E = TypeVar("E", bound=Enum)


def seen(complaint_id: int) -> Complaint:
    """The complaint with what every page shows of it. NotFound if this viewer may not see it."""
    query = visible(select(Complaint).where(Complaint.id == complaint_id), Complaint, viewer())
    query = query.options(
        joinedload(Complaint.unit), joinedload(Complaint.district),
        joinedload(Complaint.registered_unit), joinedload(Complaint.category),
        joinedload(Complaint.io).joinedload(Officer.rank),
    )  # fmt: skip
    found: Complaint | None = db.session().scalar(query)
    if found is None:
        raise NotFound("Complaint")
    return found


def url_of(complaint_id: int) -> str:
    """The page of a complaint."""
    return f"/admin/complaint/details/?id={complaint_id}"


@dataclass(frozen=True, slots=True)
class Chip:
    """The clock in two words, with the colour that goes with them."""

    kind: str
    text: str


def due_chip(
    due_at: datetime, is_open: bool, closed: date | None = None, now: datetime | None = None
) -> Chip:
    """How much of the clock is left, in the words of the grid."""
    return Chip(*due_words(now or utcnow(), due_at, is_open, closed, language()))


def chip_of(complaint: Complaint) -> Chip:
    """The clock of one complaint."""
    return due_chip(complaint.due_at, complaint.is_open, complaint.disposed_on)


def ago(then: datetime) -> str:
    """How many days ago a moment was, on India's calendar."""
    days = (ist_day(utcnow()) - ist_day(then)).days
    if days <= 0:
        return str(_("today"))
    return str(_("yesterday") if days == 1 else _("%(days)s days ago", days=days))


def phone(text: str | None) -> str:
    """A number as people read it: +91 98120 12345."""
    if text and text.startswith("+91") and len(text) == 13:
        return f"{text[:3]} {text[3:8]} {text[8:]}"
    return text or ""


def value(name: str) -> str:
    """A field of the posted form, trimmed."""
    return request.form.get(name, "").strip()


def number(name: str) -> int | None:
    """A posted id, or None when empty or nonsense (the use case then names the field)."""
    text = value(name)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def member(name: str, of: type[E], default: E | None = None) -> E | None:
    """A posted enum member by name; unknown names give the default."""
    return of.__members__.get(value(name), default)


def day(name: str, label: Any) -> date | None:
    """A posted date. RuleBroken naming the field if it is none."""
    text = value(name)
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise RuleBroken(_l("“%(field)s” is not a date."), field=label) from error


def moment(name: str, label: Any) -> datetime | None:
    """A posted local time, on India's clock. RuleBroken naming the field if it is none."""
    text = value(name)
    try:
        return datetime.fromisoformat(text).replace(tzinfo=IST) if text else None
    except ValueError as error:
        raise RuleBroken(_l("“%(field)s” is not a date."), field=label) from error


def derivation(complaint: Complaint) -> str:
    """Why the due date is what it is, in the reader's language."""
    found = overall(complaint)
    return found.derivation(show_day) if found else ""


def overall(complaint: Complaint) -> Deadline | None:
    """The overall clock of the present round."""
    kind = DeadlineKind.OVERALL
    return next((d for d in complaint.deadlines if d.round == complaint.round and d.kind is kind), None)
