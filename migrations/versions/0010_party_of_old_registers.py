"""A party has what old registers say of it: the father's or husband's name and a second telephone.

Revision: 0010, after 0009
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade():
    op.add_column("party", sa.Column("relative", sa.String(120), nullable=True))
    phone = sa.String(20).with_variant(sa.String(20, collation="C"), "postgresql")
    op.add_column("party", sa.Column("phone_2", phone, nullable=True))


def downgrade():
    op.drop_column("party", "phone_2")
    op.drop_column("party", "relative")
