"""A party is found by the second telephone too.

Revision: 0014, after 0013
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade():
    held = sa.text("phone_2 IS NOT NULL")
    op.create_index(
        "ix_party_phone_2", "party", ["phone_2", "complaint_id"], postgresql_where=held, sqlite_where=held
    )


def downgrade():
    op.drop_index("ix_party_phone_2", "party")
