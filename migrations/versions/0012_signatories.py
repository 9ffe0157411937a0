"""Who signs the letters of an office.

Revision: 0012, after 0011
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def choice(name, members):
    """A column of member names under a named CHECK."""
    return sa.Enum(*members.split(), name=name, native_enum=False, create_constraint=True, length=20)


def upgrade():
    op.create_table(
        "signatory",
        sa.Column("id", KEY, autoincrement=True, nullable=False),
        sa.Column("unit_id", KEY, nullable=False),
        sa.Column("kind", choice("kind", "COPY REPORT INTERIM REOPENED APPEAL NOTING"), nullable=True),
        sa.Column("post", choice("post", "IO SHO DSP SP ADGP BRANCH FEEDBACK AUDIT"), nullable=False),
        sa.Column("seat_id", KEY, nullable=True),
        sa.Column("words_en", sa.String(length=120), nullable=False),
        sa.Column("words_hi", sa.String(length=120), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("valid_to IS NULL OR valid_to > valid_from", name=op.f("ck_signatory_dates")),
        sa.ForeignKeyConstraint(["seat_id"], ["unit.id"], name=op.f("fk_signatory_seat_id")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_signatory_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signatory")),
    )
    op.create_index("ix_signatory_unit_id", "signatory", ["unit_id"])


def downgrade():
    op.drop_table("signatory")
