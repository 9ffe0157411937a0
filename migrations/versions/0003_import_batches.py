"""Which import brought which complaint: a register that came in wrongly can be taken back.

Revision: 0003, after 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade():
    op.create_table(
        "import_batch",
        sa.Column("id", KEY, autoincrement=True, nullable=False),
        sa.Column("profile", sa.String(length=40), nullable=False),
        sa.Column("profile_version", sa.String(length=64), nullable=False),
        sa.Column("files", sa.JSON(), nullable=False),
        sa.Column("by", sa.String(length=80), nullable=False),
        sa.Column("started_at", sa.DateTime(), nullable=False),
        sa.Column("finished_at", sa.DateTime(), nullable=True),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.Column("undone_at", sa.DateTime(), nullable=True),
        sa.Column("undone_by", sa.String(length=80), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_batch")),
    )
    op.create_table(
        "imported",
        sa.Column("batch_id", KEY, nullable=False),
        sa.Column("complaint_id", KEY, nullable=False),
        sa.Column("is_new", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["batch_id"], ["import_batch.id"], name=op.f("fk_imported_batch_id")),
        sa.ForeignKeyConstraint(["complaint_id"], ["complaint.id"], name=op.f("fk_imported_complaint_id")),
        sa.PrimaryKeyConstraint("batch_id", "complaint_id", name=op.f("pk_imported")),
    )
    op.create_index("ix_imported_complaint", "imported", ["complaint_id"])


def downgrade():
    op.drop_index("ix_imported_complaint", "imported")
    op.drop_table("imported")
    op.drop_table("import_batch")
