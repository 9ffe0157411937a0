"""``python3 app.py cms ...``: the command line, in the same environment and through the same door."""

from __future__ import annotations

import sys
from pathlib import Path

import click
from flask import Flask, current_app
from flask.cli import AppGroup
from sqlalchemy import select, text
from sqlalchemy.exc import OperationalError

from cms import cli_data, notify, triggers
from cms.models import User, db
from cms.rules import SYSTEM, RuleBroken
from cms.services import accounts, handbook, integrity, messages, reminders, upkeep
from cms.settings import Settings
from cms.store import Store
from cms.unit_of_work import unit_of_work

group = AppGroup("cms", help="Complaint Monitoring System.")


def init_app(app: Flask) -> None:
    """Add the commands."""
    cli_data.attach(group)
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
    keep_demo_apart()
    cli_data.ensure_demo()
    cli_data.ensure_reference()


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


@group.command("doctor")
def doctor() -> None:
    """Check that the database is whole: schema, triggers, reachability."""
    with db.engine.connect() as connection:
        connection.execute(text("SELECT 1"))
        gone = triggers.missing(connection)
    if gone:
        stop(f"Triggers are missing: {', '.join(sorted(gone))}. Run: python3 app.py cms init", 6)
    click.echo("Healthy: schema, triggers and database are in order.")


@group.command("verify")
def verify() -> None:
    """Walk every history chain and seal; name each row that was changed, removed or inserted."""
    vault = current_app.extensions["cms_vault"]
    with db.engine.connect() as connection:
        faults = integrity.verify(connection, vault, settings().data_dir)
    for fault in faults[:100]:
        click.echo(str(fault), err=True)
    if faults:
        stop(f"History is NOT whole: {len(faults)} fault(s). Keep this database and report it.", 7)
    click.echo("History is whole: every chain, head and seal holds.")


@group.command("sweep")
def sweep() -> None:
    """Do by hand what the tick does: fire rungs, send messages, seal history."""
    here = settings()
    gateway = notify.gateway(here.data_dir, here.smtp_url, here.mail_from)
    click.echo(f"Reminders fired: {reminders.sweep()}")
    click.echo(f"Messages sent: {messages.send_due(gateway, Store(here.data_dir / 'documents'))}")
    click.echo(f"History rows sealed: {integrity.seal(settings().data_dir)}")


@group.command("invite")
@click.argument("login")
@click.option("--officer", type=int, help="Id of the officer record; an administrator has none.")
def invite(login: str, officer: int | None) -> None:
    """Make an account and print a one-time address where its owner sets the password."""
    try:
        with unit_of_work(SYSTEM, via="cli") as work:
            user = accounts.invite(work, login, officer)
            token = accounts.welcome_token(current_app.extensions["cms_vault"], user)
    except RuleBroken as refusal:
        stop(str(refusal.message) % refusal.params, 2)
    click.echo(f"{settings().public_url}/welcome/{token}")
    click.echo("The address works once, for three days. Give it to its owner and to nobody else.")


@group.command("rules")
@click.option("--write", "path", type=click.Path(dir_okay=False, path_type=Path), help="Write to this file.")
def show_rules(path: Path | None) -> None:
    """Print the rules as a page: statuses, moves, clocks, dispositions, permissions."""
    text = handbook.document()
    if path is None:
        click.echo(text, nl=False)
        return
    path.write_text(text, encoding="utf-8")
    click.echo(f"Written: {path}")
