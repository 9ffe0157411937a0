"""``python3 app.py cms ...``: the command line, in the same environment and through the same door."""

from __future__ import annotations

import sys

import click
from flask import Flask, current_app
from flask.cli import AppGroup
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from cms import triggers
from cms.models import db
from cms.services import upkeep
from cms.settings import Settings

group = AppGroup("cms", help="Complaint Monitoring System.")


def init_app(app: Flask) -> None:
    """Add the commands."""
    app.cli.add_command(group)


def settings() -> Settings:
    """The settings of the running application."""
    found: Settings = current_app.extensions["cms_settings"]
    return found


def stop(sentence: str, code: int) -> None:
    """One clear sentence and an exit code."""
    click.echo(sentence, err=True)
    sys.exit(code)


@group.command("init")
def init() -> None:
    """Bring the database up to date; in demo mode fill an empty one."""
    try:
        upkeep.upgrade(db.engine)
    except upkeep.TooNew as error:
        stop(
            f"The database is at revision {error}, newer than this code. "
            "Start the newer release, or restore a backup made by this one.", 4,
        )  # fmt: skip
    except OperationalError as error:
        stop(unreachable(error), 5)


def unreachable(error: OperationalError) -> str:
    """What is wrong with the database, in one sentence."""
    reason = str(error.orig).strip().splitlines()[0] if error.orig else "unknown"
    if "full" in reason:
        return f"The disk is full: {reason}. Free some space and start again."
    return f"The database cannot be reached ({reason}). Check DATABASE_URL and that it runs."


@group.command("doctor")
def doctor() -> None:
    """Check that the database is whole: schema, triggers, reachability."""
    with db.engine.connect() as connection:
        connection.execute(text("SELECT 1"))
        gone = triggers.missing(connection)
    if gone:
        stop(f"Triggers are missing: {', '.join(sorted(gone))}. Run: python3 app.py cms init", 6)
    click.echo("Healthy: schema, triggers and database are in order.")
