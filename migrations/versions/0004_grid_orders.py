"""Indexes of lists that were slow at 200,000 complaints: by category, closed, by number.

Revision: 0004, after 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def partial(name, columns, postgresql, sqlite, **how):
    """A partial index in the words of each database."""
    op.create_index(name, "complaint", columns, postgresql_where=sa.text(postgresql), sqlite_where=sa.text(sqlite), **how)


def upgrade():
    op.drop_index("ix_complaint_unit_number", "complaint")
    partial("ix_complaint_unit_number", ["unit_id", "number", "id"], "NOT restricted", "restricted = 0")
    partial(
        "ix_complaint_closed", ["registered_at", "id"], "NOT is_open AND NOT restricted",
        "is_open = 0 AND restricted = 0", postgresql_include=["unit_id"],
    )
    partial(
        "ix_complaint_closed_unit", ["unit_id", "registered_at", "id"], "NOT is_open AND NOT restricted",
        "is_open = 0 AND restricted = 0",
    )
    partial(
        "ix_complaint_open_unit_number", ["unit_id", "number", "id"], "is_open AND NOT restricted",
        "is_open = 1 AND restricted = 0",
    )
    partial("ix_complaint_io_number", ["io_id", "number", "id"], "NOT restricted", "restricted = 0")
    op.create_index("ix_complaint_category_due", "complaint", ["category_id", "due_at", "id"])


def downgrade():
    op.drop_index("ix_complaint_category_due", "complaint")
    op.drop_index("ix_complaint_io_number", "complaint")
    op.drop_index("ix_complaint_open_unit_number", "complaint")
    op.drop_index("ix_complaint_closed_unit", "complaint")
    op.drop_index("ix_complaint_closed", "complaint")
    op.drop_index("ix_complaint_unit_number", "complaint")
    op.create_index("ix_complaint_unit_number", "complaint", ["unit_id", "number", "id"])
