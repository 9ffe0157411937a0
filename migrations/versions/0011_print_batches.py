"""Letters of a desk as one file to be printed.

Revision: 0011, after 0010
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def choice(name, members):
    """A column of member names under a named CHECK."""
    return sa.Enum(*members.split(), name=name, native_enum=False, create_constraint=True, length=20)


def upgrade():
    op.create_table(
        "print_batch",
        sa.Column("id", KEY, autoincrement=True, nullable=False),
        sa.Column("asked_by_id", KEY, nullable=False),
        sa.Column("unit_id", KEY, nullable=False),
        sa.Column("kind", choice("kind", "COPY REPORT INTERIM REOPENED APPEAL NOTING"), nullable=False),
        sa.Column("apart", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("until", sa.DateTime(), nullable=False),
        sa.Column("issued_at", sa.DateTime(), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("template", sa.String(length=8), server_default="v1", nullable=False),
        sa.Column("edition", choice("edition", "HI_EN EN_HI HI EN"), server_default="HI_EN", nullable=False),
        sa.Column("state", choice("state", "PENDING READY FAILED PAPER"), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=True),
        sa.Column("size", sa.Integer(), nullable=True),
        sa.Column("pages", sa.Integer(), nullable=True),
        sa.Column("rendered_at", sa.DateTime(), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.CheckConstraint("state <> 'READY' OR sha256 IS NOT NULL", name=op.f("ck_print_batch_bytes")),
        sa.ForeignKeyConstraint(["asked_by_id"], ["user_account.id"], name=op.f("fk_print_batch_asked_by_id")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_print_batch_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_print_batch")),
    )
    op.create_index("ix_print_batch_asked_by_id", "print_batch", ["asked_by_id", "id"])
    op.create_index("ix_print_batch_until", "print_batch", ["until"])
    pending = sa.text("state = 'PENDING'")
    op.create_index(
        "ix_print_batch_pending", "print_batch", ["id"], postgresql_where=pending, sqlite_where=pending
    )


def downgrade():
    op.drop_table("print_batch")
