"""Keeping the database itself: upgrade, triggers, chains, stamps."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, delete, insert, select

from cms import triggers
from cms.models import Base, Chain, Recorded, Stamp, Submission

MIGRATIONS = Path(__file__).parents[2] / "migrations"


class TooNew(Exception):
    """The database was made by a newer release; starting the older code would harm it."""


def config() -> Config:
    """Alembic's configuration of the project."""
    made = Config()
    made.set_main_option("script_location", str(MIGRATIONS))
    return made


def is_current(engine: Engine) -> bool:
    """True if the schema is that of this code and no trigger is missing."""
    with engine.connect() as connection:
        revision = MigrationContext.configure(connection).get_current_revision()
        return revision == ScriptDirectory.from_config(config()).get_current_head() and not triggers.missing(connection)


def upgrade(engine: Engine, to: str = "head") -> str | None:
    """Bring the schema to ``to``; the revision before comes back. TooNew if it is ahead of us."""
    made = config()
    with migrating(engine) as connection:
        before = MigrationContext.configure(connection).get_current_revision()
        known = {s.revision for s in ScriptDirectory.from_config(made).walk_revisions()}
        if before is not None and before not in known:
            raise TooNew(before)
        made.attributes["connection"] = connection
        command.upgrade(made, to)
        start_chains(connection)
    return before


def downgrade(engine: Engine, to: str) -> None:
    """Take the schema back to ``to`` ("base" empties it)."""
    made = config()
    made.attributes["triggers"] = False
    with migrating(engine) as connection:
        drop_triggers(connection)
        made.attributes["connection"] = connection
        command.downgrade(made, to)


@contextmanager
def migrating(engine: Engine) -> Iterator[Connection]:
    """One transaction for a migration. On SQLite foreign keys are off meanwhile and checked after it:
    a table that others point at can be rebuilt only so, and the switch works outside a transaction."""
    lite = engine.dialect.name == "sqlite"
    with engine.connect() as connection:
        driver: Any = connection.connection.driver_connection  # SQLAlchemy itself would BEGIN first
        if lite:
            driver.execute("PRAGMA foreign_keys=OFF")
        try:
            with connection.begin():
                yield connection
                if lite and connection.exec_driver_sql("PRAGMA foreign_key_check").first():
                    raise RuntimeError("a migration left a row that points at nothing")
        finally:
            if lite:
                driver.execute("PRAGMA foreign_keys=ON")


def drop_triggers(connection: Connection) -> None:
    """Triggers of tables about to go would refuse the move itself."""
    made = [(name, table) for name, table, _event, _when in triggers.wanted(connection.dialect.name)]
    for name, table in [*made, *((name, rule[0]) for name, rule in triggers.RULES.items())]:
        where = "" if connection.dialect.name == "sqlite" else f' ON "{table}"'
        connection.exec_driver_sql(f'DROP TRIGGER IF EXISTS "{name}"{where}')


def start_chains(connection: Connection) -> None:
    """A head row for each registry table, so that two first writers do not race to make it."""
    wanted = {
        str(m.local_table.description)
        for m in Base.registry.mappers
        if issubclass(m.class_, Recorded) and m.class_.__history__ == "registry"
    }
    for name in sorted(wanted - set(connection.scalars(select(Chain.name)))):
        connection.execute(insert(Chain).values(name=name, history_seq=0, history_head=""))


FORM_DAYS = 7
"""How long the key of a form that was received is kept."""


def forget_forms(engine: Engine, now: datetime) -> int:
    """Delete the keys of forms that were received long ago; how many."""
    with engine.begin() as connection:
        old = delete(Submission).where(Submission.at < now - timedelta(days=FORM_DAYS))
        return connection.execute(old).rowcount


def stamp(connection: Connection, name: str) -> str | None:
    """A fact about this database, such as "demo"."""
    return connection.scalar(select(Stamp.value).where(Stamp.name == name))
