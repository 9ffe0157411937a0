"""Alembic's environment: the models are the wish, the migrations are the way."""

from alembic import context
from flask import current_app
from sqlalchemy import types

from cms.columns import Instant
from cms.models import db
from cms.triggers import install

config = context.config


def render_item(kind, item, autogen):
    """Write plain types into migrations, so that an old migration needs no code of today."""
    if kind == "type" and isinstance(item, Instant):
        return "sa.DateTime()"
    if kind == "type" and isinstance(item, types.Enum):
        names = ", ".join(repr(name) for name in item.enums)
        return (
            f"sa.Enum({names}, name={item.name!r}, native_enum=False, "
            f"create_constraint=True, length={item.length})"
        )
    return False


def ours(name, kind, parent):
    """What only one of the databases can have, such as a trigram index, is not in the models."""
    return not (kind in ("table", "index") and name and name.startswith(("party_search", "short_clock")))


def run(connection):
    """Upgrade or compare in one transaction, then put the triggers back."""
    context.configure(
        connection=connection,
        target_metadata=db.metadata,
        render_as_batch=connection.dialect.name == "sqlite",
        render_item=render_item,
        include_name=ours,
        compare_type=True,
        transaction_per_migration=False,
    )
    with context.begin_transaction():
        context.run_migrations()
        if config.attributes.get("triggers", True):
            install(connection)


given = config.attributes.get("connection")
if given is not None:
    run(given)
else:
    with current_app.extensions["migrate"].db.engine.connect() as own:
        run(own)
