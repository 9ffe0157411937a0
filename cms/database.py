"""Both databases behave alike: durable writes that queue, reads that hold no transaction."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask import Flask, current_app
from sqlalchemy import Connection, Engine, create_engine, event

from cms.models import db

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
        if url.startswith("sqlite"):
            event.listen(reads, "connect", pragmas)
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
        options["connect_args"] |= {"options": "-c join_collapse_limit=1"}
    return options | {"pool_reset_on_return": None, "query_cache_size": 2000}


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


def begin(connection: Connection) -> None:
    """A write takes the lock at once; a read takes none."""
    immediate = connection.get_execution_options().get(WRITE)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")


@contextmanager
def reading() -> Iterator[Connection]:
    """A connection for plain reads, each statement its own snapshot."""
    with current_app.extensions["cms_reads"].connect() as connection:
        yield connection
