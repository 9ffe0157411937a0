"""What commands share: one sentence with an exit code, and a database that is up to date."""

from __future__ import annotations

import sys

import click
from flask import current_app
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from cms.models import User, db
from cms.services import upkeep
from cms.settings import Settings


class Refused(click.ClickException):
    """One clear sentence and an exit code."""

    exit_code = 2


def settings() -> Settings:
    """The settings of the running application."""
    found: Settings = current_app.extensions["cms_settings"]
    return found


def stop(sentence: str, code: int) -> None:
    """One clear sentence and an exit code."""
    click.echo(sentence, err=True)
    sys.exit(code)


def bring_up_to_date(always: bool = False) -> None:
    """The schema of this code, or a sentence and an exit code.

    always: also where the schema is that of this code, to put triggers back that somebody changed.
    """
    try:
        if always or not upkeep.is_current(db.engine):
            upkeep.upgrade(db.engine)
    except upkeep.TooNew as error:
        stop(
            f"The database is at revision {error}, newer than this code. "
            "Start the newer release, or restore a backup made by this one.", 4,
        )  # fmt: skip
    except OperationalError as error:
        stop(unreachable(error), 5)


def keep_demo_apart() -> None:
    """Made-up data never enters a real database; known passwords never serve real people."""
    with db.engine.connect() as connection:
        is_demo = upkeep.stamp(connection, "demo") is not None
        used = connection.scalar(select(User.id).limit(1)) is not None
    if settings().demo and used and not is_demo:
        stop(
            "This database holds real accounts, so it is not started in demo mode. "
            "Set CMS_SECRET_KEY and CMS_PUBLIC_URL, or another CMS_DATA or DATABASE_URL.", 8,
        )  # fmt: skip
    if is_demo and not settings().demo:
        stop(
            "This database holds demo data with known passwords. "
            "Choose an empty database for real work, or set CMS_DEMO=1.", 8,
        )  # fmt: skip


def unreachable(error: OperationalError) -> str:
    """What is wrong with the database, in one sentence."""
    reason = str(error.orig).strip().splitlines()[0] if error.orig else "unknown"
    if "full" in reason:
        return f"The disk is full: {reason}. Free some space and start again."
    return f"The database cannot be reached ({reason}). Check DATABASE_URL and that it runs."
