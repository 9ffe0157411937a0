"""What the database refuses even without Python: deleting, rewriting ledgers, moving the past.

Alembic rebuilds SQLite tables and loses their triggers, so :func:`install` runs after every
upgrade and :func:`missing` is counted by ``cms doctor`` and the tests.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sqlalchemy import Connection, text

from cms.models import db

MAY_DELETE = frozenset({"barred_unit", "submission", "print_batch", "alembic_version"})
"""Derived rows that are rebuilt, keys of forms and files for printing that are old; nothing else is ever deleted."""

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
    "round": ("complaint_id", "no", "why", "reason", "chosen", "opened_at", "opened_by_id"),
    "stay": ("complaint_id", "no", "round", "desk", "unit_id", "officer_id", "from_at"),
    "request": (
        "complaint_id", "round", "kind", "asked_at", "asked_by_id", "reason_id", "reasons", "until",
        "days", "to_unit_id", "from_unit_id",
    ),
    "hold": ("complaint_id", "request_id", "started_at", "until"),
    "direction": ("complaint_id", "deadline_id", "at", "by_id", "text"),
    "appeal": ("complaint_id", "no", "round", "consent_id", "entered_at", "grounds", "unit_id", "post"),
    "consent": (),
    "complaint_link": (),
    "enquiry_report": (),
    "report_finding": (),
    "decision": (),
    "deadline_change": (),
    "seen": (),
    "attachment": (),
    "outbox": ("dedupe", "to", "subject", "body", "created_at"),
    "document": ("complaint_id", "kind", "version", "code", "data", "issued_at", "template"),
    "handover_paper": ("proposal_id", "officer_id", "data", "issued_at", "template"),
    "complaint": (
        "number", "text", "registered_at", "received_on", "registered_unit_id", "origin",
        "origin_key",
    ),
    "deadline": ("complaint_id", "round", "kind", "no", "days", "span", "statutory", "first_due_at"),
}  # fmt: skip
"""Columns that never change once written; () means the whole row."""

ONCE: Mapping[str, tuple[str, ...]] = {
    "history": ("seal_id",),
    "document": ("sha256", "size", "pages", "rendered_at"),
    "handover_paper": ("sha256", "size", "pages", "rendered_at"),
    "outbox": ("sent_at",),
    "deadline": ("met_at", "dropped_at"),
    "round": ("disposed_at", "disposed_by_id", "disposition_id", "disposal_text", "satisfied", "closed_at"),
    "stay": ("to_at",),
    "request": ("decided_at", "decided_by_id", "granted"),
    "hold": ("ended_at",),
    "direction": ("replied_at", "replied_by_id", "reply"),
    "appeal": ("decided_at", "decided_by_id", "result"),
    "accused": ("dropped_at",),
}
"""Columns that are set once and then stay."""


RULES: Mapping[str, tuple[str, str, str]] = {
    "due_deadline": (
        "deadline", "UPDATE",
        "OLD.due_at <> NEW.due_at AND NEW.kind <> 'ACTIVITY' AND NOT EXISTS (SELECT 1 FROM deadline_change c "
        "WHERE c.deadline_id = NEW.id AND c.old_due_at = OLD.due_at AND c.new_due_at = NEW.due_at)",
    ),
    "due_complaint": (
        "complaint", "UPDATE",
        "OLD.due_at <> NEW.due_at AND NOT EXISTS (SELECT 1 FROM deadline d WHERE d.complaint_id = NEW.id "
        "AND d.kind = 'OVERALL' AND d.due_at = NEW.due_at)",
    ),
    "head_posting": ("posting", "INSERT", "{head}"),
    "head_posting_change": ("posting", "UPDATE", "{head}"),
}  # fmt: skip
"""Trigger -> (table, event, refused when): a due date that no change carries; a second head."""

HEAD = (
    "NEW.charge = 'SUBSTANTIVE' AND NEW.post IN ('SHO','DSP','SP','ADGP') AND EXISTS (SELECT 1 FROM posting p "
    "WHERE p.id <> NEW.id AND p.unit_id = NEW.unit_id AND p.post = NEW.post AND p.charge = 'SUBSTANTIVE' "
    "AND (p.valid_to IS NULL OR p.valid_to > NEW.valid_from) "
    "AND (NEW.valid_to IS NULL OR NEW.valid_to > p.valid_from))"
)
"""Another officer is posted to the same post of command of the same unit on the same day."""


def names() -> set[str]:
    """Every trigger that must exist."""
    return {name for name, _table, _event, _when in wanted("sqlite")} | set(RULES)


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
    for name, (table, event, when) in RULES.items():
        for statement in rule(dialect, name, table, event, when.format(head=HEAD)):
            connection.exec_driver_sql(statement)


def rule(dialect: str, name: str, table: str, event: str, when: str) -> tuple[str, ...]:
    """A trigger whose condition looks into other rows: PostgreSQL wants it in a function."""
    moment = "AFTER" if event == "INSERT" else "BEFORE"
    if dialect == "sqlite":
        return (
            f'DROP TRIGGER IF EXISTS "{name}"',
            f'CREATE TRIGGER "{name}" {moment} {event} ON "{table}" WHEN {when} '
            f"BEGIN SELECT RAISE(ABORT, 'cms: {name} is refused'); END",
        )
    return (
        f'DROP TRIGGER IF EXISTS "{name}" ON "{table}"',
        f"CREATE OR REPLACE FUNCTION cms_{name}() RETURNS trigger LANGUAGE plpgsql AS $$ "
        f"BEGIN IF {when} THEN RAISE EXCEPTION 'cms: {name} is refused'; END IF; RETURN NEW; END $$",
        f'CREATE TRIGGER "{name}" {moment} {event} ON "{table}" FOR EACH ROW '
        f"EXECUTE FUNCTION cms_{name}()",
    )


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
