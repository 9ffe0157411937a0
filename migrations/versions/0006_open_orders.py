"""Every order of open complaints has an index too, so that a register full of closed ones is not walked.

Revision: 0006, after 0005
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

OPEN = {
    "postgresql_where": sa.text("is_open AND NOT restricted"), "sqlite_where": sa.text("is_open = 1 AND restricted = 0"),
}
ORDINARY = {"postgresql_where": sa.text("NOT restricted"), "sqlite_where": sa.text("restricted = 0")}
NEW = (
    ("ix_complaint_open_number", ["number", "id"], ["unit_id", "due_at"]),
    ("ix_complaint_open_registered", ["registered_at", "id"], ["unit_id", "due_at"]),
    ("ix_complaint_open_unit_registered", ["unit_id", "registered_at", "id"], ["due_at"]),
)
NARROWED = (
    ("ix_complaint_registered", ["registered_at", "id"], ORDINARY, ["unit_id", "is_open", "due_at"], ["unit_id"]),
    (
        "ix_complaint_unit_registered", ["unit_id", "registered_at", "id"], {},
        ["restricted", "is_open", "due_at"], ["restricted"],
    ),
)
"""Name, key, condition, columns beside the key before and after: SQLite knows none of those."""


def narrow(after):
    """What the new indexes know need not stand beside these keys any more."""
    for name, columns, where, *include in NARROWED if op.get_bind().dialect.name == "postgresql" else ():
        op.drop_index(name, "complaint")
        op.create_index(name, "complaint", columns, **where, postgresql_include=include[after])


def upgrade():
    for name, columns, include in NEW:
        op.create_index(name, "complaint", columns, **OPEN, postgresql_include=include)
    narrow(1)


def downgrade():
    narrow(0)
    for name, *_how in reversed(NEW):
        op.drop_index(name, "complaint")
