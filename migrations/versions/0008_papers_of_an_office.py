"""Papers of an office: address below the letterhead, lists of copies, the hand-over note as a file, the
version of the templates that a document was made with, and how many pages it has.

Revision: 0008, after 0007
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
PAPERS = "COPY REPORT INTERIM REOPENED APPEAL NOTING"
STATES = "PENDING READY FAILED PAPER"


def choice(name, members):
    """A column of member names under a named CHECK."""
    return sa.Enum(*members.split(), name=name, native_enum=False, create_constraint=True, length=20)


def upgrade():
    for name, length in (("email", 120), ("address_hi", 200), ("address_en", 200)):
        op.add_column("unit", sa.Column(name, sa.String(length=length), nullable=True))
    op.add_column("document", sa.Column("template", sa.String(length=8), server_default="v1", nullable=False))
    op.add_column("document", sa.Column("pages", sa.Integer(), nullable=True))
    op.create_table(
        "copy_to",
        sa.Column("id", KEY, autoincrement=True, nullable=False),
        sa.Column("unit_id", KEY, nullable=False),
        sa.Column("kind", choice("kind", PAPERS), nullable=True),
        sa.Column("name_en", sa.String(length=120), nullable=False),
        sa.Column("name_hi", sa.String(length=120), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("active", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_copy_to_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_copy_to")),
    )
    op.create_index("ix_copy_to_unit_id", "copy_to", ["unit_id"])
    op.create_table(
        "handover_paper",
        sa.Column("id", KEY, autoincrement=True, nullable=False),
        sa.Column("proposal_id", KEY, nullable=False),
        sa.Column("officer_id", KEY, nullable=False),
        sa.Column("issued_at", sa.DateTime(), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("template", sa.String(length=8), server_default="v1", nullable=False),
        sa.Column("state", choice("state", STATES), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=True),
        sa.Column("size", sa.Integer(), nullable=True),
        sa.Column("pages", sa.Integer(), nullable=True),
        sa.Column("rendered_at", sa.DateTime(), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.CheckConstraint("state <> 'READY' OR sha256 IS NOT NULL", name=op.f("ck_handover_paper_bytes")),
        sa.ForeignKeyConstraint(["officer_id"], ["officer.id"], name=op.f("fk_handover_paper_officer_id")),
        sa.ForeignKeyConstraint(["proposal_id"], ["proposal.id"], name=op.f("fk_handover_paper_proposal_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_handover_paper")),
        sa.UniqueConstraint("proposal_id", "officer_id", name=op.f("uq_handover_paper_proposal_id_officer_id")),
    )
    pending = sa.text("state = 'PENDING'")
    op.create_index(
        "ix_handover_paper_pending", "handover_paper", ["id"], postgresql_where=pending, sqlite_where=pending
    )


def downgrade():
    op.drop_table("handover_paper")
    op.drop_table("copy_to")
    op.drop_column("document", "pages")
    op.drop_column("document", "template")
    for name in ("address_en", "address_hi", "email"):
        op.drop_column("unit", name)
