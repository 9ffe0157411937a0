"""Foreign keys and indexes: which of them are missing, and doing without them while a database is filled.

PostgreSQL proves a foreign key row by row while rows come in, and in one pass when it is added to
rows that are there; an index is made faster from sorted rows than entry by entry. So whoever fills an
empty database sets both aside (:func:`set_aside`) and puts them back at the end (:func:`put_back`),
when every one of them is proven over all rows. What must be there is said by the models, what is
there by the database: a filling that was broken off is finished all the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, Engine, ForeignKeyConstraint, Index, Table, inspect
from sqlalchemy.schema import AddConstraint, CreateIndex, DropConstraint, DropIndex

from cms.models import db

AT_ONCE = 2
"""Connections that build indexes and prove foreign keys beside each other."""

Part = ForeignKeyConstraint | Index


def parts_of(tables: Iterable[Table]) -> Iterator[Part]:
    """What may be set aside of these tables: their foreign keys and the indexes that forbid nothing."""
    for table in tables:
        yield from sorted((i for i in table.indexes if not i.unique), key=lambda i: str(i.name))
        yield from sorted(table.foreign_key_constraints, key=lambda f: str(f.name))


def missing(connection: Connection, tables: Iterable[Table] | None = None) -> list[Part]:
    """Foreign keys and indexes of the models that the database lacks or has not proven; of all tables
    or of some."""
    inspector = inspect(connection)
    unproven = set(connection.exec_driver_sql(UNPROVEN).scalars()) if is_postgres(connection) else set()
    keys = {
        (name, tuple(key["constrained_columns"]))
        for (_schema, name), found in inspector.get_multi_foreign_keys().items()
        for key in found
        if key["name"] not in unproven
    }
    indexes = {i["name"] for found in inspector.get_multi_indexes().values() for i in found}
    return [
        part
        for part in parts_of(db.metadata.sorted_tables if tables is None else tables)
        if (part.name not in indexes if isinstance(part, Index) else (part.table.name, columns_of(part)) not in keys)
    ]


UNPROVEN = "SELECT conname FROM pg_constraint WHERE contype = 'f' AND NOT convalidated"


def columns_of(key: ForeignKeyConstraint) -> tuple[str, ...]:
    """The columns of a foreign key by name."""
    return tuple(column.name for column in key.columns)


def is_postgres(connection: Connection) -> bool:
    """True if constraints can be dropped and added: SQLite would have to rebuild the table."""
    return connection.dialect.name == "postgresql"


def set_aside(engine: Engine, tables: Sequence[Table]) -> None:
    """Drop the foreign keys and plain indexes of these tables, as far as they are there."""
    with engine.begin() as connection:
        gone = missing(connection, tables)
        for part in parts_of(tables):
            if part not in gone:
                connection.execute(DropIndex(part) if isinstance(part, Index) else DropConstraint(part))


def put_back(engine: Engine, tables: Sequence[Table], tell: Callable[[str, int, int], object]) -> None:
    """Add what is missing of these tables and prove it over all rows, in two connections at once.

    Each foreign key is added unproven first, which takes no time, and then proven, for which
    PostgreSQL lets another connection work on other tables. One table is the work of one connection:
    the two would wait for each other there. IntegrityError if a row points at nothing.
    """
    with engine.begin() as connection:
        wanted = missing(connection, tables)
        unproven = set(connection.exec_driver_sql(UNPROVEN).scalars())
        for part in wanted:
            if isinstance(part, ForeignKeyConstraint) and part.name not in unproven:
                said = AddConstraint(part, isolate_from_table=False).compile(dialect=engine.dialect)
                connection.exec_driver_sql(f"{said} NOT VALID")
    done = iter(range(1, len(wanted) + 1))

    def one_more() -> None:
        tell("foreign keys and indexes", next(done), len(wanted))

    by_table = [list(found) for _table, found in groupby(wanted, key=lambda part: str(part.table))]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(partial(finish, engine, one_more), by_table))


def finish(engine: Engine, tell: Callable[[], object], parts: Sequence[Any]) -> None:
    """Build the indexes of one table and prove its foreign keys, each by itself."""
    with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        connection.exec_driver_sql(f"SET maintenance_work_mem = '{MEMORY}'")
        for part in parts:
            if isinstance(part, Index):
                connection.execute(CreateIndex(part))
            else:
                connection.exec_driver_sql(f'ALTER TABLE "{part.table.name}" VALIDATE CONSTRAINT "{part.name}"')
            tell()
        connection.exec_driver_sql("RESET maintenance_work_mem")


MEMORY = "256MB"
"""For sorting an index and for proving a foreign key, in each of the two connections."""
