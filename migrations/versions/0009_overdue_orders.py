"""Overdue lists do not walk past what is closed (an officer's own) or not due yet (newest first),
and those in due order are narrowed to units in the index.

Revision: 0009, after 0007
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0007"
branch_labels = None
depends_on = None

OPEN = {
    "postgresql_where": sa.text("is_open AND NOT restricted"), "sqlite_where": sa.text("is_open = 1 AND restricted = 0"),
}
OWN = {
    "ix_complaint_open_io_number": ["io_id", "number", "id"],
    "ix_complaint_open_io_registered": ["io_id", "registered_at", "id"],
}
SHORT = (
    "CREATE INDEX short_clock ON complaint (registered_at, id) INCLUDE (unit_id, due_at) "
    "WHERE is_open AND NOT restricted AND due_at < registered_at + interval '14 days'"
)
"""Of PostgreSQL alone, which alone walks an order in two ranges."""


def widen(include):
    """The due order of open complaints again, with other columns beside its key: PostgreSQL's alone."""
    if op.get_bind().dialect.name == "postgresql":
        op.drop_index("ix_complaint_open_due", "complaint")
        op.create_index("ix_complaint_open_due", "complaint", ["due_at", "id"], **OPEN, postgresql_include=include)


def upgrade():
    widen(["unit_id"])
    for name, columns in OWN.items():
        op.create_index(name, "complaint", columns, **OPEN, postgresql_include=["due_at"])
    if op.get_bind().dialect.name == "postgresql":
        op.execute(SHORT)


def downgrade():
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP INDEX short_clock")
    for name in reversed(OWN):
        op.drop_index(name, "complaint")
    widen([])
