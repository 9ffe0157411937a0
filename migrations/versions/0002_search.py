"""Search by part of a name, the unassigned, orders of the ordinary book, partial indexes for SQLite.

SQLite takes a partial index only if the query repeats its condition word for word, and
SQLAlchemy writes ``is_open = 1`` there. No table is rebuilt, so the triggers stay.

Revision: 0002, after 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

PARTIAL = {
    "ix_complaint_open_due": (["due_at", "id"], "is_open AND NOT restricted"),
    "ix_complaint_open_unit_due": (["unit_id", "due_at", "id"], "is_open AND NOT restricted"),
    "ix_complaint_io_due": (["io_id", "due_at", "id"], "is_open"),
    "ix_complaint_restricted": (["id"], "restricted"),
}
ORDERS = {
    "ix_complaint_due": ["due_at", "id"],
    "ix_complaint_registered": ["registered_at", "id"],
    "ix_complaint_number_id": ["number", "id"],
}
UNASSIGNED = ("ix_complaint_open_unassigned", ["unit_id", "due_at", "id"])
WHERE = "is_open AND io_id IS NULL AND NOT restricted"


def sqlite_words(where):
    """The condition as SQLAlchemy writes it for SQLite."""
    said = where.replace("NOT restricted", "restricted = 0").replace("is_open", "is_open = 1")
    return "restricted = 1" if said == "restricted" else said


def replace_partial(words):
    """Make the partial indexes of SQLite again with other words."""
    for name, (columns, where) in PARTIAL.items():
        op.drop_index(name, "complaint")
        op.create_index(name, "complaint", columns, sqlite_where=sa.text(words(where)))


def replace_orders(**how):
    """Make the indexes of the three orders again, for the ordinary book with its unit or whole."""
    for name, columns in ORDERS.items():
        op.drop_index(name, "complaint")
        op.create_index(name, "complaint", columns, **how)


def upgrade():
    replace_orders(
        postgresql_where=sa.text("NOT restricted"), sqlite_where=sa.text("restricted = 0"),
        postgresql_include=["unit_id"],
    )
    if op.get_bind().dialect.name == "sqlite":
        replace_partial(sqlite_words)
        op.create_index(*UNASSIGNED[:1], "complaint", UNASSIGNED[1], sqlite_where=sa.text(sqlite_words(WHERE)))
        return
    op.create_index(*UNASSIGNED[:1], "complaint", UNASSIGNED[1], postgresql_where=sa.text(WHERE))
    # The extension is a trusted one: the database's owner may install it.
    op.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    op.execute("CREATE INDEX party_search_name ON party USING gin (name gin_trgm_ops)")


def downgrade():
    replace_orders()
    op.drop_index(UNASSIGNED[0], "complaint")
    if op.get_bind().dialect.name == "sqlite":
        replace_partial(str)
        return
    op.execute("DROP INDEX party_search_name")
