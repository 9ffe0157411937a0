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

from flask import current_app
from sqlalchemy.orm import Session

from cms.database import WRITE
from cms.models import db
from cms.rules import Viewer
from cms.vault import Vault

log = logging.getLogger(__name__)
Hint = Callable[..., object]


@dataclass
class Work:
    """One transaction: its session, who acts, how, at what moment, and what to hint afterwards."""

    session: Session
    actor: Viewer
    via: str
    now: datetime
    vault: Vault
    hints: list[tuple[str, tuple[object, ...]]] = field(default_factory=list)

    def hint(self, job: str, *args: object) -> None:
        """Ask for a job after the commit; losing the hint loses nothing."""
        self.hints.append((job, args))


@contextmanager
def unit_of_work(
    actor: Viewer, *, via: str = "form", now: datetime | None = None
) -> Iterator[Work]:
    """Open the door for one use case. RuntimeError if it is open already."""
    session = db.session()
    if "work" in session.info:
        raise RuntimeError("a use case is already at work in this session")
    session.rollback()
    session.connection(execution_options={WRITE: True})
    work = Work(session, actor, via, now or utcnow(), current_app.extensions["cms_vault"])
    session.info["work"] = work
    try:
        yield work
        session.commit()
    except BaseException:
        session.rollback()
        raise
    finally:
        session.info.pop("work", None)
    give_hints(work)


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
