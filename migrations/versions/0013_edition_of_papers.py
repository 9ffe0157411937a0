"""In which languages an office's papers are, and each paper is.

Revision: 0013, after 0012
"""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

EDITIONS = "edition IN ('HI_EN', 'EN_HI', 'HI', 'EN')"
PAPERS = ("document", "handover_paper")


def upgrade():
    op.execute(f"ALTER TABLE unit ADD COLUMN edition VARCHAR(20) CONSTRAINT ck_unit_edition CHECK ({EDITIONS})")
    for table in PAPERS:
        op.execute(
            f"ALTER TABLE {table} ADD COLUMN edition VARCHAR(20) DEFAULT 'HI_EN' NOT NULL "
            f"CONSTRAINT ck_{table}_edition CHECK ({EDITIONS})"
        )


def downgrade():
    for table in ("unit", *PAPERS):
        op.drop_column(table, "edition")
