"""``cms import``, ``cms demo`` and ``cms reference``: rows in bulk from the command line."""

from __future__ import annotations

import contextlib
import os
import pwd
import time
from collections.abc import Callable, Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import click
from flask.cli import with_appcontext
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)  # fmt: skip
from rich.text import Text
from sqlalchemy import select

from cms.cli_base import Refused, bring_up_to_date, keep_demo_apart, settings
from cms.i18n import group_digits, ist, ist_day
from cms.models import Complaint, ImportBatch, db
from cms.rules import SYSTEM
from cms.services import reference, samples, upkeep
from cms.services.demo import fill
from cms.services.demo.state import LATE, SHAPES
from cms.services.importing import batches, profile_toml
from cms.services.importing import profile as profiles
from cms.services.importing import run as importing
from cms.services.importing.problems import Problems
from cms.unit_of_work import unit_of_work, utcnow

Tell = Callable[[str, int, int], object]


def attach(group: click.Group) -> None:
    """Add the commands of this page to the group of ``cms``."""
    for command in (import_, demo, reference_, samples_):
        group.add_command(command)


class Rate(ProgressColumn):
    """How many a second, in words: "1,450 complaints/s"."""

    def render(self, task: Any) -> Text:
        """The rate of the last half minute."""
        return Text(rate_words(task.description, task.finished_speed or task.speed))


def rate_words(what: str, speed: float | None) -> str:
    """A rate with what it counts; rows where the task reads a file."""
    unit = "rows" if what.startswith("read ") else what
    return f"{group_digits(round(speed))} {unit}/s" if speed else ""


@contextlib.contextmanager
def progress() -> Iterator[Tell]:
    """A bar with rate and time left on a terminal; elsewhere a line every ten seconds."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield Lines().tell
        return
    columns = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), Rate(),
        TimeElapsedColumn(), TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, console=console) as bar:
        tasks: dict[str, Any] = {}

        def tell(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bar.add_task(what)
            bar.update(tasks[what], completed=done, total=total or None)

        yield tell


class Lines:
    """Progress for a log: what, how far, how fast, how long still."""

    def __init__(self, every: float = 10.0, clock: Callable[[], float] = time.monotonic) -> None:
        self.every, self.clock = every, clock
        self.begun: dict[str, tuple[float, int]] = {}
        self.said = clock()

    def tell(self, what: str, done: int, total: int) -> None:
        """Say so if ten seconds have passed since the last line."""
        now = self.clock()
        since, first = self.begun.setdefault(what, (now, done))
        if now - self.said < self.every or now == since:
            return
        self.said = now
        speed = (done - first) / (now - since)
        of = f" of {group_digits(total)}" if total else ""
        left = f", {round((total - done) / speed)} s left" if total and speed else ""
        click.echo(f"{what}: {group_digits(done)}{of}, {rate_words(what, speed)}{left}", err=True)


class Import(click.Group):
    """``cms import PROFILE FILE...``, and beside it ``cms import undo`` and ``cms import list``."""

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        """A first word that is no command is a profile."""
        if args and args[0] not in self.commands:
            args = ["run", *args]
        return super().resolve_command(ctx, args)


@click.group("import", cls=Import)
def import_() -> None:
    """Take over an old register: cms import PROFILE FILE..., or undo BATCH, or list."""


@import_.command("run")
@click.argument("profile")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="Read and check everything, write nothing.")
@click.option("--errors", type=click.Path(path_type=Path), help="Write the rows with a problem into this folder.")
@click.option("--mended", is_flag=True, help="FILES are mended rows of such a folder: not every kind is there.")
@click.option("--by", default="", help="Who imports; default the account on this computer.")
@with_appcontext
def run_import(
    profile: str, files: tuple[Path, ...], dry_run: bool, errors: Path | None, mended: bool, by: str
) -> None:
    """PROFILE is a name or a .toml file that says how to read FILES (docs/import.md)."""
    bring_up_to_date()
    problems = Problems()
    with progress() as tell:
        try:
            if errors:
                errors.mkdir(parents=True, exist_ok=True)
            outcome = importing.run(
                profile_toml.load(profile), list(files), engine=db.engine, today=ist_day(utcnow()),
                problems=problems, dry_run=dry_run, mended=mended, errors=errors, by=by or operator(),
                tell=tell,
            )  # fmt: skip
        except profiles.BadInput as error:
            raise Refused(str(error)) from None
        except FileExistsError as error:
            raise Refused(f"The errors cannot be written: {error.strerror}.") from None
        except NotADirectoryError as error:
            raise Refused(f"The errors cannot be written: {error.strerror}.") from None
    report(outcome, problems, dry_run)


def operator() -> str:
    """The account of this computer that runs the command."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container may run as a number
        return str(os.getuid())


def report(outcome: importing.Outcome, problems: Problems, dry_run: bool) -> None:
    """Say what was done, then what could not be done."""
    added = [(f"{'would add' if dry_run else 'added'}", n, table) for table, n in outcome.added.items()]
    is_changed = bool(outcome.updated) or any(n for _said, n, _table in added)
    if not is_changed:
        why = "." if outcome.left_out else ": everything in these files is already there."
        click.echo(f"Nothing was changed{why}")
    done = (
        *added, ("would update" if dry_run else "updated", outcome.updated, "complaint"),
        ("there before", outcome.present, "complaint"), ("left out", outcome.left_out, "complaint"),
        ("kept, not in these files", outcome.gone, "complaint"),
    )  # fmt: skip
    for said, n, table in done:
        if n:
            click.echo(f"{said} {group_digits(n):>{max(1, 19 - len(said))}}  {table}")
    for reason, n in problems.counts.most_common():
        click.echo(f"{group_digits(n):>8} x {reason.value}")
    for p in problems.first:
        said = f" = {p.value}" if p.value else ""
        click.echo(f"  {p.file}, line {p.line}, {p.column}{said}: {p.reason.value}", err=True)
    for kind, n in outcome.to_mend.items():
        click.echo(f"{group_digits(n):>8} rows to mend in {kind}.csv")
    if outcome.batch is not None and is_changed:
        back = f"; cms import undo {outcome.batch} takes it back" if outcome.added["complaint"] else ""
        click.echo(f"This was import {outcome.batch}{back}.")


@import_.command("undo")
@click.argument("batch", type=int)
@click.option("--by", default="", help="Who takes it back; default the account on this computer.")
@with_appcontext
def undo(batch: int, by: str) -> None:
    """Take an import back, as long as nothing was done on its complaints."""
    bring_up_to_date()
    try:
        done = batches.undo(batch, by or operator())
    except profiles.BadInput as error:
        raise Refused(str(error)) from None
    click.echo(f"{group_digits(done['complaint'])} complaints were taken out of every list. Nothing was deleted.")
    if done["officer"] or done["unit"]:
        click.echo(
            f"{group_digits(done['officer'])} officers and {group_digits(done['unit'])} units came with them and are "
            "used by nothing else: they were ended, and come back with the next import of the register."
        )


@import_.command("list")
@with_appcontext
def list_batches() -> None:
    """Every import: who, when, which files, what came of it."""
    bring_up_to_date()
    with db.engine.connect() as connection:
        for row in connection.execute(select(ImportBatch.__table__).order_by(ImportBatch.id)).mappings():
            state = "undone" if row["undone_at"] else "done" if row["finished_at"] else "broken off"
            counts = ", ".join(f"{n} {what}" for what, n in row["counts"].items())
            when = f"{ist(row['started_at']):%d %b %Y %H:%M}"
            click.echo(f"{row['id']:>4}  {when}  {row['profile']}  {row['by']}  {state}")
            click.echo(f"      {', '.join(f['name'] for f in row['files'].values())}: {counts or 'nothing'}")


@click.command("demo")
@click.option("--complaints", default=fill.DEFAULT, type=click.IntRange(1), show_default=True)
@click.option("--as-of", type=click.DateTime(["%Y-%m-%d"]), help="The day it is; default today.")
@click.option("--seed", default=1, show_default=True, help="Another seed, other people.")
@click.option("--shape", default="pilot", type=click.Choice(list(SHAPES)), show_default=True,
              help="pilot: six districts, three months; state: 22 districts, ten years.")
@click.option("--late", default="honest", type=click.Choice(LATE), show_default=True,
              help="mild: a tenth is open; honest: a third was closed in time.")
@with_appcontext
def demo(complaints: int, as_of: datetime | None, seed: int, shape: str, late: str) -> None:
    """Fill an empty database with an invented register."""
    bring_up_to_date()
    keep_demo_apart()
    with db.engine.connect() as connection:
        begun = fill.begun(connection)
    day = as_of.date() if as_of else begun["day"] if begun else ist_day(utcnow())
    if day > ist_day(utcnow()):
        raise Refused("The day of the demo cannot be after today.")
    with progress() as tell:
        written = fill_demo(complaints, day, seed, tell, shape, late)
    if not written:
        click.echo("Nothing was changed: the demo is there already.")
    else:
        click.echo(f"{group_digits(written)} complaints as of {day:%d %b %Y}. Accounts:")
        click.echo("\n".join(fill.accounts()))


def fill_demo(
    complaints: int, day: date, seed: int, tell: Tell, shape: str = "pilot", late: str = "honest"
) -> int:
    """Fill it, or refuse with a sentence outside demo mode or in a database that is in use."""
    if not settings().demo:
        raise Refused("Demo data has known passwords: it exists in demo mode only (CMS_DEMO=1).")
    try:
        return fill.fill(
            db.engine, count=complaints, as_of=day, seed=seed, now=utcnow(), tell=tell, shape=shape, late=late,
        )
    except fill.NotEmpty as error:
        raise Refused(str(error)) from None


def ensure_demo() -> None:
    """In demo mode, fill a database that holds no complaint, or finish what was broken off."""
    if not settings().demo:
        return
    with db.engine.connect() as connection:
        begun, done = fill.begun(connection), upkeep.stamp(connection, "demo:done")
        used = connection.scalar(select(Complaint.id).limit(1)) is not None
    if done or (used and begun is None):
        return
    asked = begun or {"complaints": fill.DEFAULT, "day": ist_day(utcnow()), "seed": 1}
    with progress() as tell:
        fill_demo(**asked, tell=tell)


def ensure_reference() -> None:
    """Add the rules that are rows to a database that lacks them, such as one of an earlier release."""
    reference.prepare()
    with unit_of_work(SYSTEM, via="cli") as work:
        reference.load_rules(work)


@click.command("samples")
@click.option("--write", "folder", required=True, type=click.Path(path_type=Path), help="The folder they go to.")
def samples_(folder: Path) -> None:
    """Write a PDF of each kind of paper about made-up persons, and its picture if pdftoppm is there."""
    for path in samples.write(folder):
        click.echo(f"{path.stat().st_size:>8}  {path}")


@click.group("reference")
def reference_() -> None:
    """Reference rows: units, ranks, lists, policies, approval rules, holidays."""


@reference_.command("load")
@with_appcontext
def load() -> None:
    """Add the reference rows of the range that are missing; nothing is overwritten."""
    bring_up_to_date()
    reference.prepare()
    with unit_of_work(SYSTEM, via="cli") as work:
        added = reference.load(work)
    for table, n in added.items():
        click.echo(f"added {n:>5}  {table}")
    if not added:
        click.echo("Nothing was missing.")
