"""``python3 app.py cms ...``: the command line, in the same environment and through the same door."""

from __future__ import annotations

from pathlib import Path

import click
from flask import Flask, current_app
from flask.cli import AppGroup
from sqlalchemy import text

from cms import cli_data, notify, triggers
from cms.cli_base import bring_up_to_date, keep_demo_apart, settings, stop
from cms.models import db
from cms.rules import SYSTEM, RuleBroken
from cms.services import accounts, constraints, handbook, integrity, messages, reminders
from cms.store import Store
from cms.unit_of_work import unit_of_work

group = AppGroup("cms", help="Complaint Monitoring System.")


def init_app(app: Flask) -> None:
    """Add the commands."""
    cli_data.attach(group)
    app.cli.add_command(group)


@group.command("init")
def init() -> None:
    """Bring the database up to date; in demo mode fill an empty one."""
    bring_up_to_date(always=True)
    keep_demo_apart()
    cli_data.ensure_demo()
    cli_data.ensure_reference()


@group.command("doctor")
def doctor() -> None:
    """Check that the database is whole: schema, triggers, reachability."""
    with db.engine.connect() as connection:
        connection.execute(text("SELECT 1"))
        gone = triggers.missing(connection)
        parts = [str(part.name) for part in constraints.missing(connection)]
    if gone:
        stop(f"Triggers are missing: {', '.join(sorted(gone))}. Run: python3 app.py cms init", 6)
    if parts:
        stop(
            f"Foreign keys or indexes are missing: {', '.join(parts)}. A demo that was broken off is finished by: "
            "python3 app.py cms init. Otherwise restore a backup.", 6,
        )  # fmt: skip
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
