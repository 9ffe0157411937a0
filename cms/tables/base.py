"""Base classes of every table: naming of constraints, history, versions, names in two languages."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import JSON, Boolean, Date, Index, Integer, MetaData, String, text, true
from sqlalchemy.orm import DeclarativeBase, Mapped, declared_attr, mapped_column, registry

from cms.columns import Instant, binary, column
from cms.i18n import _l, language

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """Declarative base: moments are :class:`~cms.columns.Instant`, constraints are named."""

    registry = registry(
        metadata=MetaData(naming_convention=NAMING),
        type_annotation_map={datetime: Instant, date: Date, dict[str, Any]: JSON},
    )


db = SQLAlchemy(model_class=Base)
if TYPE_CHECKING:

    class Model(Base):
        """What ``db.Model`` is to a type checker."""

        __abstract__ = True

else:
    Model = db.Model


def partial(name: str, *columns: str, where: str, include: Sequence[str] = ()) -> Index:
    """A partial index with the same condition on both databases, in the words each writes.

    include: columns that PostgreSQL keeps beside the key, so that it need not read the row.
    """
    lite = where.replace("NOT restricted", "restricted = 0").replace("NOT is_open", "is_open = 0")
    lite = re.sub(r"\bis_open\b(?! =)", "is_open = 1", lite)
    lite = "restricted = 1" if lite == "restricted" else lite
    return Index(name, *columns, postgresql_where=text(where), sqlite_where=text(lite),
                 postgresql_include=list(include))  # fmt: skip


class Recorded:
    """Every change is written to History; deleting is refused by a trigger."""

    __history__ = "registry"  # which chain: "complaint" or a registry table's own


class Versioned:
    """Optimistic lock: a save on a stale version is refused, never silently lost.

    ``unit_of_work`` counts the version up, once for a use case however often that flushes.
    """

    version: Mapped[int] = mapped_column(Integer, nullable=False, default=1)

    @declared_attr.directive
    def __mapper_args__(cls) -> dict[str, Any]:  # noqa: N805 - SQLAlchemy calls it on the class
        """Let SQLAlchemy check and count the version."""
        return {"version_id_col": cls.version, "version_id_generator": False}


class Named:
    """A row with a code and a name in both languages."""

    code: Mapped[str] = column(binary(24), label=_l("Code"), search=True, sort=True, unique=True)
    name_en: Mapped[str] = column(String(120), label=_l("Name in English"), search=True)
    name_hi: Mapped[str] = column(String(120), label=_l("Name in Hindi"), search=True)

    @property
    def name(self) -> str:
        """The name in the reader's language."""
        return self.name_hi if language() == "hi" else self.name_en

    def __str__(self) -> str:
        return self.name


class Master(Named, Versioned, Recorded):
    """A list that an administrator keeps; a row is retired, never deleted."""

    active: Mapped[bool] = column(
        Boolean, label=_l("In use"), default=True, server_default=true(), nullable=False
    )
