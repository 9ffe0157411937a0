"""Overdue lists do not walk past what is closed (an officer's own) or not due yet (newest first), pass
the others within the index, and those in due order are narrowed to units there.

Revision: 0009, after 0008
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

OPEN = {
    "postgresql_where": sa.text("is_open AND NOT restricted"), "sqlite_where": sa.text("is_open = 1 AND restricted = 0"),
}
NEW = {
    "ix_complaint_open_io_number": ["io_id", "number", "id", "due_at"],
    "ix_complaint_open_io_registered": ["io_id", "registered_at", "id", "due_at"],
}
CHANGED = (
    ("ix_complaint_open_due", ["due_at", "id"], [], ["due_at", "id"], ["unit_id"]),
    ("ix_complaint_open_number", ["number", "id"], ["unit_id", "due_at"], ["number", "id", "due_at"], ["unit_id"]),
    (
        "ix_complaint_open_registered", ["registered_at", "id"], ["unit_id", "due_at"],
        ["registered_at", "id", "due_at"], ["unit_id"],
    ),
    ("ix_complaint_open_unit_number", ["unit_id", "number", "id"], ["due_at"], ["unit_id", "number", "id", "due_at"], []),
    (
        "ix_complaint_open_unit_registered", ["unit_id", "registered_at", "id"], ["due_at"],
        ["unit_id", "registered_at", "id", "due_at"], [],
    ),
)
"""Name, key and columns beside it before, key and columns beside it after: SQLite knows no such columns."""
SHORT = (
    "CREATE INDEX short_clock ON complaint (registered_at, id, due_at) INCLUDE (unit_id) "
    "WHERE is_open AND NOT restricted AND due_at < registered_at + interval '14 days'"
)
"""Of PostgreSQL alone, which alone walks an order in two ranges."""


def change(key, include):
    """Put each changed index up again as the columns at these places say."""
    for index in CHANGED:
        op.drop_index(index[0], "complaint")
        op.create_index(index[0], "complaint", index[key], **OPEN, postgresql_include=index[include])


def upgrade():
    change(3, 4)
    for name, columns in NEW.items():
        op.create_index(name, "complaint", columns, **OPEN)
    if op.get_bind().dialect.name == "postgresql":
        op.execute(SHORT)


def downgrade():
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP INDEX short_clock")
    for name in reversed(NEW):
        op.drop_index(name, "complaint")
    change(1, 2)
