"""Every order of closed complaints has an index; lists are filtered in the index, not in the rows.

Revision: 0005, after 0004
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

CLOSED = ("NOT is_open AND NOT restricted", "is_open = 0 AND restricted = 0")
OPEN = ("is_open AND NOT restricted", "is_open = 1 AND restricted = 0")
ORDINARY = ("NOT restricted", "restricted = 0")

NEW = (
    ("ix_complaint_closed_due", ["due_at", "id"], CLOSED, ["unit_id", "status"]),
    ("ix_complaint_closed_unit_due", ["unit_id", "due_at", "id"], CLOSED, []),
    ("ix_complaint_closed_unit_number", ["unit_id", "number", "id"], CLOSED, ["status"]),
    ("ix_complaint_io_due_all", ["io_id", "due_at", "id"], ORDINARY, ["is_open"]),
)
WIDENED = (
    ("ix_complaint_closed", ["registered_at", "id"], CLOSED, ["unit_id"], ["unit_id", "status"]),
    ("ix_complaint_open_unit_number", ["unit_id", "number", "id"], OPEN, [], ["due_at"]),
    ("ix_complaint_number_id", ["number", "id"], ORDINARY, ["unit_id"], ["unit_id", "is_open", "due_at"]),
    ("ix_complaint_registered", ["registered_at", "id"], ORDINARY, ["unit_id"], ["unit_id", "is_open", "due_at"]),
    (
        "ix_complaint_unit_registered", ["unit_id", "registered_at", "id"], (None, None), [],
        ["restricted", "is_open", "due_at"],
    ),
)
"""Name, key, condition, columns beside the key before and after: SQLite knows none of those."""


def create(name, columns, where, include):
    """An index, partial where a condition is given in the words of each database."""
    postgresql, sqlite = (sa.text(words) if words else None for words in where)
    op.create_index(
        name, "complaint", columns, postgresql_where=postgresql, sqlite_where=sqlite, postgresql_include=include
    )


def widen(after):
    """Put each widened index up again, as it is before or after this revision."""
    for name, columns, where, *include in WIDENED if op.get_bind().dialect.name == "postgresql" else ():
        op.drop_index(name, "complaint")
        create(name, columns, where, include[after])


def upgrade():
    for index in NEW:
        create(*index)
    widen(1)


def downgrade():
    widen(0)
    for name, *_how in reversed(NEW):
        op.drop_index(name, "complaint")
