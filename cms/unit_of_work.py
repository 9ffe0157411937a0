"""The one door: a write happens inside ``with unit_of_work(actor) as work``, or not at all.

It ends the read before it, opens the write transaction (``BEGIN IMMEDIATE`` on SQLite; use cases
lock their rows on PostgreSQL), tells the history who acts, commits once, and only then gives the
queue its hints.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from flask import current_app
from sqlalchemy import event, literal_column
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from cms.database import WRITE
from cms.models import Submission, Versioned, db
from cms.rules import Viewer
from cms.vault import Vault


class Repeated(Exception):
    """The form was received before; what it asked for is done already and not done again."""


log = logging.getLogger(__name__)
Hint = Callable[..., object]


@dataclass
class Work:
    """One transaction: its session, who acts, how, at what moment, and what to hint afterwards.

    kept: what a use case about many complaints reads once, such as the rulebook.
    """

    session: Session
    actor: Viewer
    via: str
    now: datetime
    vault: Vault
    hints: list[tuple[str, tuple[object, ...]]] = field(default_factory=list)
    counted: set[Any] = field(default_factory=set)
    kept: dict[Any, Any] = field(default_factory=dict)

    def hint(self, job: str, *args: object) -> None:
        """Ask for a job after the commit; losing the hint loses nothing."""
        self.hints.append((job, args))


@contextmanager
def unit_of_work(
    actor: Viewer, *, via: str = "form", now: datetime | None = None, form_key: str = ""
) -> Iterator[Work]:
    """Open the door for one use case. RuntimeError if it is open already.

    form_key: what the form carried; Repeated if the same account sent it before.
    """
    session = db.session()
    if "work" in session.info:
        raise RuntimeError("a use case is already at work in this session")
    session.rollback()
    session.connection(execution_options={WRITE: True})
    work = Work(session, actor, via, now or utcnow(), current_app.extensions["cms_vault"])
    session.info["work"] = work
    try:
        once(work, form_key)
        yield work
        session.commit()
    except BaseException:
        session.rollback()
        raise
    finally:
        session.info.pop("work", None)
    give_hints(work)


def once(work: Work, form_key: str) -> None:
    """Remember the key of a form with what it does. Repeated if it is there: a second sending that
    comes at the same moment waits here for the first."""
    if not form_key or work.actor.user_id is None:
        return
    values = {"form_key": form_key[:64], "user_id": work.actor.user_id, "at": work.now}
    if not insert_once(work.session, Submission.__table__, values):
        raise Repeated


def insert_once(session: Session, table: Any, values: dict[str, Any]) -> bool:
    """INSERT unless the row is there (then False); a concurrent insert of the same row is waited for."""
    dialect = session.get_bind().dialect.name
    make = postgresql.insert if dialect == "postgresql" else sqlite.insert
    statement = make(table).values(**values).on_conflict_do_nothing()
    return session.execute(statement.returning(literal_column("1"))).first() is not None


def count_versions(session: Session, _context: Any, _instances: Any) -> None:
    """Before each flush: a row changed for the first time in this use case gets its next version."""
    work: Work | None = session.info.get("work")
    if work is None:
        return
    for row in session.dirty:
        if isinstance(row, Versioned) and row not in work.counted and session.is_modified(row, False):
            work.counted.add(row)
            row.version += 1


def install() -> None:
    """Listen to every session of the process; safe to call twice."""
    if not event.contains(Session, "before_flush", count_versions):
        event.listen(Session, "before_flush", count_versions)


def give_hints(work: Work) -> None:
    """Tell the queue what waits; it may be down, the sweeps find the rows all the same."""
    hint: Hint | None = current_app.extensions.get("cms_hint")
    if hint is None:
        return
    for job, args in work.hints:
        hint(job, *args)


def utcnow() -> datetime:
    """Now, with its zone."""
    return datetime.now(UTC)
