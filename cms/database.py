"""Both databases behave alike: durable writes that queue, reads that hold no transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from flask import Flask, current_app
from sqlalchemy import Connection, Dialect, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError

from cms.models import db

PREPARED = 300
WRITE = "cms_write"
"""Execution option of a connection that opens a write transaction."""


def init_app(app: Flask, url: str) -> None:
    """Bind the write engine to Flask-SQLAlchemy and prepare the read engine."""
    app.config["SQLALCHEMY_DATABASE_URI"] = url
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = engine_options(url)
    db.init_app(app)
    with app.app_context():
        listen(db.engine)
        reads = create_engine(url, isolation_level="AUTOCOMMIT", **read_options(url))
        event.listen(reads, "connect", pragmas if url.startswith("sqlite") else keep_prepared)
        app.extensions["cms_reads"] = reads


def engine_options(url: str) -> dict[str, Any]:
    """Pool and driver settings of the write engine."""
    if url.startswith("sqlite"):
        return {"connect_args": {"timeout": 5}}
    return {"pool_pre_ping": True, "connect_args": {"connect_timeout": 5}}


def read_options(url: str) -> dict[str, Any]:
    """The read engine never has a transaction to reset."""
    options = engine_options(url)
    options.pop("pool_pre_ping", None)
    if not url.startswith("sqlite"):
        # Our reads name their joins in a good order; letting PostgreSQL try the others costs
        # half a millisecond a page. PgBouncer: ignore_startup_parameters = options.
        # A statement is planned anew until it has run often enough on its own connection: it is
        # prepared at its second run, and the connection used last is used next.
        options["connect_args"] |= {"options": "-c join_collapse_limit=1", "prepare_threshold": 1}
    return options | {"pool_reset_on_return": None, "pool_use_lifo": True, "query_cache_size": 2000}


def listen(engine: Engine) -> None:
    """SQLite: our own BEGIN, since the driver's deferred one fails at the first write."""
    if engine.dialect.name != "sqlite":
        return
    event.listen(engine, "connect", own_begin)
    event.listen(engine, "connect", pragmas)
    event.listen(engine, "begin", begin)


def own_begin(connection: Any, _record: Any) -> None:
    """Stop the driver from opening transactions by itself."""
    connection.isolation_level = None


def pragmas(connection: Any, _record: Any) -> None:
    """Readers beside one writer, commits that survive a power cut, foreign keys that hold."""
    cursor = connection.cursor()
    for pragma in (
        "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=5000",
        "trusted_schema=OFF", "temp_store=MEMORY", "cache_size=-20000",
    ):  # fmt: skip
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def keep_prepared(connection: Any, _record: Any) -> None:
    """As many prepared statements as the lists of every post together come to."""
    connection.prepared_max = PREPARED


def begin(connection: Connection) -> None:
    """A write takes the lock at once; a read takes none."""
    immediate = connection.get_execution_options().get(WRITE)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")


@contextmanager
def reading() -> Iterator[Connection]:
    """A connection for plain reads, each statement its own snapshot."""
    with current_app.extensions["cms_reads"].connect() as connection:
        yield connection


class Kept:
    """A SELECT that is asked again and again: compiled once for each database, run by its driver.

    SQLAlchemy's search for the compiled form and its context and result around each run cost more
    than a page of rows does. Values still go through their types, in and out, and a failure is
    still SQLAlchemy's. A bind marked literal is part of the text and cannot be given another value.
    """

    def __init__(self, query: Any) -> None:
        self.query = query
        self.ready: dict[str, Ready] = {}

    def rows(self, values: Mapping[str, Any]) -> Sequence[Sequence[Any]]:
        """The rows as plain tuples, read outside any transaction."""
        reads: Engine = current_app.extensions["cms_reads"]
        ready = self.ready.get(reads.dialect.name)
        if ready is None:
            ready = self.ready[reads.dialect.name] = Ready(self.query, reads.dialect, values)
        return ready.run(reads, values)


class Ready:
    """A kept SELECT in the words of one database; values are those of the first run."""

    def __init__(self, query: Any, dialect: Dialect, values: Mapping[str, Any]) -> None:
        compiled = query.compile(dialect=dialect)
        state = compiled.construct_expanded_state(values)
        self.text: str = state.statement
        self.order: Sequence[str] | None = state.positiontup
        takes = {name: taken(bind.type, dialect) for name, bind in compiled.binds.items()} | state.processors
        said = {name: (takes.get(name) or same)(value) for name, value in state.parameters.items()}
        self.fixed = {name: value for name, value in said.items() if name not in values}
        self.named = [(name, takes.get(name) or same) for name in said if name in values]
        literal = map(compiled.bind_names.__getitem__, compiled.literal_execute_params)
        self.literal = {name: values[name] for name in literal if name in values}
        gives = [given(column.type, dialect) for column in query.selected_columns]
        self.gives = gives if any(gives) else None

    def run(self, reads: Engine, values: Mapping[str, Any]) -> Sequence[Sequence[Any]]:
        """Every row; DBAPIError as from an ordinary connection. ValueError if the text says otherwise."""
        if any(values.get(name, value) != value for name, value in self.literal.items()):
            raise ValueError("a kept statement was asked with another literal value")
        said: Any = self.fixed | {name: take(values[name]) for name, take in self.named}
        if self.order is not None:
            said = [said[name] for name in self.order]
        connection = reads.raw_connection()
        try:
            cursor = connection.cursor()
            cursor.execute(self.text, said)
            rows: Sequence[Sequence[Any]] = cursor.fetchall()
        except reads.dialect.loaded_dbapi.Error as error:
            gone = reads.dialect.is_disconnect(error, connection.dbapi_connection, None)
            if gone:
                connection.invalidate(error)
                reads.dispose()  # those that wait in the pool are as old
            raise DBAPIError.instance(
                self.text, None, error, reads.dialect.loaded_dbapi.Error,
                connection_invalidated=gone, dialect=reads.dialect,
            ) from error  # fmt: skip
        finally:
            connection.close()
        if self.gives is None:
            return rows
        return [[give(v) if give else v for give, v in zip(self.gives, row, strict=True)] for row in rows]


def same(value: Any) -> Any:
    """Nothing need be done to the value."""
    return value


def taken(kind: Any, dialect: Dialect) -> Callable[[Any], Any] | None:
    """What makes a value of this type one of the driver's; None if nothing need be done."""
    return kind.dialect_impl(dialect).bind_processor(dialect)  # type: ignore[no-any-return]


def given(kind: Any, dialect: Dialect) -> Callable[[Any], Any] | None:
    """What makes a driver's value one of this type; None if it is one already."""
    return kind.dialect_impl(dialect).result_processor(dialect, None)  # type: ignore[no-any-return]
