"""The ladder on the overall clock: each rung of each deadline fires once, for whoever must act.

The sweep reads what is due from the rows, so a missed slot heals in the next one; the unique key
(deadline, rung) and a lock keep two sweeps from firing a rung twice.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from flask_babel import force_locale
from sqlalchemy import Select, select
from sqlalchemy.orm import joinedload

from cms.i18n import _l, ist_day, show_day
from cms.models import Complaint, Deadline, DeadlineKind, Notice, Officer, Outbox, Reminder, Stamp, User
from cms.rules import RUNG_GRACE, RUNGS, SYSTEM, Post, Rung, Status
from cms.services import people
from cms.unit_of_work import Work, insert_once, unit_of_work

FIRE_BEFORE_MIDNIGHT = timedelta(hours=15) - timedelta(seconds=1)
"""Rungs fire at 09:00 India time: 14:59:59 before the last second of their day."""
BATCH = 200

TEXTS = {
    Rung.BEFORE: _l("%(number)s is due on %(due)s. Log the enquiry and finish it in time."),
    Rung.TODAY: _l("%(number)s is due today, %(due)s. Finish it or ask for an extension."),
    Rung.LATE: _l("%(number)s was due on %(due)s and is overdue. See what holds it up."),
}


def sweep(now: datetime | None = None) -> int:
    """Fire every rung that is due and has not fired; how many fired."""
    total = 0
    for rung in Rung:
        while (fired := fire_batch(rung, now)) > 0:
            total += fired
            if fired < BATCH:
                break
    return total


def fire_batch(rung: Rung, now: datetime | None) -> int:
    """Fire up to :data:`BATCH` deadlines of one rung in one transaction."""
    with unit_of_work(SYSTEM, via="job", now=now) as work:
        lock(work)
        deadlines = work.session.scalars(due(rung, work.now).limit(BATCH)).unique().all()
        for deadline in deadlines:
            fire(work, deadline, rung)
    return len(deadlines)


def lock(work: Work) -> None:
    """One sweep at a time; on SQLite the transaction itself is the lock."""
    insert_once(work.session, Stamp.__table__, {"name": "lock:reminders", "value": ""})
    work.session.execute(
        select(Stamp.name).where(Stamp.name == "lock:reminders").with_for_update()
    )


def due(rung: Rung, now: datetime) -> Select[Any]:
    """Running deadlines whose rung has come and is not older than the grace."""
    offset = RUNGS[rung][0]
    latest = now - timedelta(days=offset) + FIRE_BEFORE_MIDNIGHT
    fired = select(Reminder.id).where(Reminder.deadline_id == Deadline.id, Reminder.rung == rung)
    return (
        select(Deadline)
        .join(Complaint, Complaint.id == Deadline.complaint_id)
        .where(
            Complaint.is_open,
            Complaint.status != Status.ON_HOLD,
            Complaint.due_at <= latest,
            Complaint.due_at > latest - RUNG_GRACE,
            Deadline.kind == DeadlineKind.OVERALL,
            Deadline.round == Complaint.round,
            Deadline.met_at.is_(None),
            ~fired.exists(),
        )
        .options(joinedload(Deadline.complaint).joinedload(Complaint.unit))
        .order_by(Deadline.due_at, Deadline.id)
    )


def fire(work: Work, deadline: Deadline, rung: Rung) -> None:
    """Write the reminder, the notice and the e-mail of one rung."""
    officer, post = recipient(work, deadline.complaint, rung)
    work.session.add(
        Reminder(
            deadline_id=deadline.id, complaint_id=deadline.complaint_id, rung=rung,
            fired_at=work.now, officer_id=officer.id if officer else None, post=post,
        )
    )  # fmt: skip
    if officer is not None:
        tell(work, deadline, rung, officer)


def recipient(
    work: Work, complaint: Complaint, rung: Rung
) -> tuple[Officer | None, Post | None]:
    """The post the rung is for; if vacant or not named, the nearest filled superior."""
    if Post.IO in RUNGS[rung][1] and complaint.io is not None and complaint.io.active:
        return complaint.io, Post.IO
    barred = people.barred_units(work.session, complaint.id) if complaint.restricted else ()
    posting = people.responsible(
        work.session, complaint.unit, ist_day(work.now), barred=barred
    )
    return (posting.officer, posting.post) if posting else (None, None)


def tell(work: Work, deadline: Deadline, rung: Rung, officer: Officer) -> None:
    """An in-app notice always, an e-mail when the officer has an address."""
    complaint = deadline.complaint
    key = f"reminder:{deadline.id}:{rung.name}"
    work.session.add(
        Notice(
            officer_id=officer.id, complaint_id=complaint.id, kind=rung.name, dedupe=key,
            params={"number": complaint.number, "due": complaint.due_at.isoformat()},
            created_at=work.now,
        )
    )  # fmt: skip
    if not officer.email:
        return
    subject, body = letter(work, complaint, rung, officer)
    work.session.add(
        Outbox(
            dedupe=key, complaint_id=complaint.id, to=officer.email, subject=subject, body=body,
            created_at=work.now, next_at=work.now,
        )
    )  # fmt: skip


def letter(work: Work, complaint: Complaint, rung: Rung, officer: Officer) -> tuple[str, str]:
    """Subject and body in the officer's language: the number and the next step, no person."""
    chosen = work.session.scalar(select(User.language).where(User.officer_id == officer.id))
    with force_locale(chosen or "hi"):
        said = {"number": complaint.number, "due": show_day(complaint.due_at, chosen or "hi")}
        return f"{rung.label}: {complaint.number}", str(TEXTS[rung]) % said


def text_of(notice: Notice) -> str:
    """A notice in the reader's language."""
    due_at = datetime.fromisoformat(notice.params["due"])
    said = {"number": notice.params["number"], "due": show_day(due_at)}
    return str(TEXTS[Rung[notice.kind]]) % said
