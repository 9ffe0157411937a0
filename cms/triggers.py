"""What the database refuses even without Python: deleting, rewriting ledgers, moving the past.

Alembic rebuilds SQLite tables and loses their triggers, so :func:`install` runs after every
upgrade and :func:`missing` is counted by ``cms doctor`` and the tests.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sqlalchemy import Connection, text

from cms.models import db

MAY_DELETE = frozenset({"barred_unit", "alembic_version"})
"""Derived rows that are rebuilt, not remembered."""

FINAL: Mapping[str, tuple[str, ...]] = {
    "action": (),
    "assignment": (),
    "delivery": (),
    "feedback": (),
    "reminder": (),
    "seal": (),
    "history": (
        "root", "root_id", "seq", "at", "user_id", "actor", "via", "table_name", "row_id",
        "kind", "changes", "prev_hash", "hash",
    ),
    "outbox": ("dedupe", "to", "subject", "body", "created_at"),
    "document": ("complaint_id", "kind", "version", "code", "data", "issued_at"),
    "complaint": (
        "number", "text", "registered_at", "received_on", "registered_unit_id", "origin",
        "origin_key",
    ),
    "deadline": ("complaint_id", "round", "kind", "started_on", "days", "due_at"),
}  # fmt: skip
"""Columns that never change once written; () means the whole row."""

ONCE: Mapping[str, tuple[str, ...]] = {
    "history": ("seal_id",),
    "document": ("sha256", "size", "rendered_at"),
    "outbox": ("sent_at",),
    "deadline": ("met_at",),
}
"""Columns that are set once and then stay."""


def names() -> set[str]:
    """Every trigger that must exist."""
    return {name for name, _table, _event, _when in wanted("sqlite")}


def wanted(dialect: str) -> Iterator[tuple[str, str, str, str]]:
    """(name, table, event, condition) of each trigger."""
    for table in sorted(db.metadata.tables):
        if table not in MAY_DELETE:
            yield f"keep_{table}", table, "DELETE", ""
    for table, columns in FINAL.items():
        chosen = columns or tuple(c.name for c in db.metadata.tables[table].columns)
        yield f"final_{table}", table, "UPDATE", differs(dialect, chosen)
    for table, columns in ONCE.items():
        parts = (f'(OLD."{c}" IS NOT NULL AND {differs(dialect, (c,))})' for c in columns)
        yield f"once_{table}", table, "UPDATE", " OR ".join(parts)


def differs(dialect: str, columns: tuple[str, ...]) -> str:
    """A condition that is true when one of the columns is about to change."""
    if dialect == "sqlite":
        return " OR ".join(f'OLD."{c}" IS NOT NEW."{c}"' for c in columns)
    return " OR ".join(f'OLD."{c}"::text IS DISTINCT FROM NEW."{c}"::text' for c in columns)


def install(connection: Connection) -> None:
    """Make every trigger anew; the caller commits."""
    dialect = connection.dialect.name
    if dialect != "sqlite":
        connection.execute(text(FUNCTION))
    for name, table, event, when in wanted(dialect):
        for statement in ddl(dialect, name, table, event, when):
            connection.exec_driver_sql(statement)


FUNCTION = """
CREATE OR REPLACE FUNCTION cms_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'cms: % on % is refused', TG_OP, TG_TABLE_NAME; END $$
"""


def ddl(dialect: str, name: str, table: str, event: str, when: str) -> tuple[str, str]:
    """Drop and create one trigger."""
    condition = f" WHEN ({when})" if when else ""
    if dialect == "sqlite":
        return (
            f'DROP TRIGGER IF EXISTS "{name}"',
            f'CREATE TRIGGER "{name}" BEFORE {event} ON "{table}"{condition} '
            f"BEGIN SELECT RAISE(ABORT, 'cms: {event} on {table} is refused'); END",
        )
    return (
        f'DROP TRIGGER IF EXISTS "{name}" ON "{table}"',
        f'CREATE TRIGGER "{name}" BEFORE {event} ON "{table}" FOR EACH ROW{condition} '
        "EXECUTE FUNCTION cms_refuse()",
    )


def missing(connection: Connection) -> set[str]:
    """Triggers that should exist and do not."""
    query = (
        "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        if connection.dialect.name == "sqlite"
        else "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal"
    )
    return names() - {row[0] for row in connection.exec_driver_sql(query)}
