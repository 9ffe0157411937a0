"""Every table of CMS. Each column is declared once; screens, history and export follow from it.

Places:       Unit, UnitParent
People:       Rank, Officer, Posting, User, WebSession
Master rows:  Mode, Source, Category, Disposition
Complaint:    Complaint, Party, Accused, BarredUnit, Allegation, NumberSeries
What happens: Assignment, Action, Deadline, Reminder, Document, Delivery, Feedback
Messages:     Notice, Outbox
Bookkeeping:  Chain, History, Seal, Stamp, ImportBatch, Imported

Tables and predicates only: no query, commit, format or permission. Column order is screen order.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    ColumnElement,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Text,
    UniqueConstraint,
    and_,
    case,
    false,
    text,
    true,
)  # fmt: skip
from sqlalchemy.ext.hybrid import hybrid_method, hybrid_property
from sqlalchemy.orm import DeclarativeBase, Mapped, declared_attr, mapped_column, registry
from sqlalchemy.orm import relationship as plain_relationship

from cms.columns import Choice, Instant, Key, binary, choice, column, key, link
from cms.i18n import _l, language
from cms.rules import Finding, Post, Role, Rung, Status

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


class Kind(Choice):
    """Levels of the unit tree, top first."""

    HEADQUARTERS = _l("Headquarters")
    RANGE = _l("Range")
    DISTRICT = _l("District")
    SUB_DIVISION = _l("Sub-division")
    POLICE_STATION = _l("Police station")
    POLICE_POST = _l("Police post")
    COMPLAINT_BRANCH = _l("Complaint branch")


class Language(Choice):
    """Language in which something was said."""

    HI = _l("Hindi")
    EN = _l("English")


class Priority(Choice):
    """How soon the station must look at it."""

    ROUTINE = _l("Routine")
    URGENT = _l("Urgent")


class ActionKind(Choice):
    """What was done on a complaint; the first five are written by the moves themselves."""

    REGISTERED = _l("Registered")
    MARKED = _l("Marked to station")
    ASSIGNED = _l("Assigned to IO")
    DISPOSED = _l("Disposed")
    DELIVERED = _l("Delivered")
    VISIT = _l("Spot visit")
    STATEMENT = _l("Statement recorded")
    CALL = _l("Telephone call")
    NOTICE = _l("Notice issued")
    DOCUMENT = _l("Document collected")
    DIRECTION = _l("Direction by superior")
    OTHER = _l("Other action")
    FEEDBACK = _l("Feedback recorded")
    IMPORTED = _l("From the old register")


ENQUIRY = (
    ActionKind.VISIT, ActionKind.STATEMENT, ActionKind.CALL, ActionKind.NOTICE,
    ActionKind.DOCUMENT, ActionKind.OTHER,
)  # fmt: skip
"""Kinds that an officer logs and that count as enquiry."""


class Recorded:
    """Every change is written to History; deleting is refused by a trigger."""

    __history__ = "registry"  # which chain: "complaint" or a registry table's own


class Versioned:
    """Optimistic lock: a save on a stale version is refused, never silently lost."""

    version: Mapped[int] = mapped_column(Integer, nullable=False, default=1)

    @declared_attr.directive
    def __mapper_args__(cls) -> dict[str, Any]:  # noqa: N805 - SQLAlchemy calls it on the class
        """Let SQLAlchemy check and count the version."""
        return {"version_id_col": cls.version}


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


# ---------------------------------------------------------------- places


class Unit(Named, Versioned, Recorded, Model):
    """An office of the police: range, district, sub-division, station, post, branch."""

    __tablename__ = "unit"
    __table_args__ = (
        Index("ix_unit_path_id", "path", "id"),
        Index("ix_unit_parent_id", "parent_id"),
        Index("ix_unit_code_id", "code", "id"),
    )
    id: Mapped[int] = key()
    kind: Mapped[Kind] = column(choice(Kind, "kind"), label=_l("Kind"), write=None)
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"))
    parent: Mapped[Unit | None] = link(
        label=_l("Under"), remote_side="Unit.id", write=None, foreign_keys=parent_id
    )
    path: Mapped[str] = mapped_column(binary(200), unique=True)
    district_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"))
    aliases: Mapped[str] = column(
        Text, label=_l("Other spellings"), hide="grid filter", default="", server_default=""
    )
    phone: Mapped[str | None] = column(String(20), label=_l("Phone"))
    letterhead_hi: Mapped[str | None] = column(
        String(200), label=_l("Letterhead in Hindi"), hide="grid filter"
    )
    letterhead_en: Mapped[str | None] = column(
        String(200), label=_l("Letterhead in English"), hide="grid filter"
    )
    active: Mapped[bool] = column(
        Boolean, label=_l("In use"), default=True, server_default=true(), hide="grid"
    )


class UnitParent(Recorded, Model):
    """Who a unit reported to, and when; today's parent is copied to the unit."""

    __tablename__ = "unit_parent"
    __table_args__ = (
        UniqueConstraint("unit_id", "valid_from"),
        CheckConstraint("valid_to IS NULL OR valid_to > valid_from", name="dates"),
    )
    id: Mapped[int] = key()
    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"))
    parent_id: Mapped[int] = mapped_column(ForeignKey("unit.id"))
    valid_from: Mapped[date] = mapped_column(Date)
    valid_to: Mapped[date | None] = mapped_column(Date)


# ---------------------------------------------------------------- people


class Rank(Master, Model):
    """A rank of the force; level orders them, 1 the lowest."""

    __tablename__ = "rank"
    id: Mapped[int] = key()
    level: Mapped[int] = column(Integer, label=_l("Level"), unique=True)
    short_en: Mapped[str] = column(String(12), label=_l("Short form in English"))
    short_hi: Mapped[str] = column(String(16), label=_l("Short form in Hindi"))

    @property
    def short(self) -> str:
        """The short form in the reader's language."""
        return self.short_hi if language() == "hi" else self.short_en


class Officer(Versioned, Recorded, Model):
    """A member of the force. What the officer may do follows from postings, not from here."""

    __tablename__ = "officer"
    __table_args__ = (
        UniqueConstraint("origin", "origin_key"),
        Index("ix_officer_name_en_id", "name_en", "id"),
        Index("ix_officer_unit_id_id", "unit_id", "id"),
        Index("ix_officer_belt_no_id", "belt_no", "id"),
        Index("ix_officer_rank_id", "rank_id"),
    )
    id: Mapped[int] = key()
    name_en: Mapped[str] = column(
        binary(80), label=_l("Name in English"), search=True, sort=True
    )
    name_hi: Mapped[str] = column(String(80), label=_l("Name in Hindi"), search=True)
    rank_id: Mapped[int] = mapped_column(ForeignKey("rank.id"))
    rank: Mapped[Rank] = link(label=_l("Rank"), write="people")
    belt_no: Mapped[str | None] = column(
        binary(24), label=_l("Belt number"), search=True,
        help=_l("Not unique: two officers may carry the same number."),
    )  # fmt: skip
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"))
    unit: Mapped[Unit | None] = link(
        label=_l("Present unit"), write=None,
        help=_l("Copied from the posting in force; changes with the posting only."),
    )  # fmt: skip
    phone: Mapped[str | None] = column(String(20), label=_l("Phone"), search=True)
    email: Mapped[str | None] = column(String(120), label=_l("E-mail"), hide="grid filter")
    active: Mapped[bool] = column(
        Boolean, label=_l("In service"), default=True, server_default=true(), write="people"
    )
    origin: Mapped[str | None] = mapped_column(String(40))
    origin_key: Mapped[str | None] = mapped_column(binary(80))
    postings: Mapped[list[Posting]] = plain_relationship(
        back_populates="officer", order_by="Posting.valid_from"
    )

    @property
    def name(self) -> str:
        """The name in the reader's language."""
        return (self.name_hi if language() == "hi" else self.name_en) or self.name_en

    def __str__(self) -> str:
        return f"{self.rank.short} {self.name}".strip()


class Posting(Recorded, Versioned, Model):
    """An officer at a post of a unit from a day until another (exclusive)."""

    __tablename__ = "posting"
    __table_args__ = (
        CheckConstraint("valid_to IS NULL OR valid_to > valid_from", name="dates"),
        UniqueConstraint("officer_id", "unit_id", "post", "valid_from"),
        Index("ix_posting_unit_post", "unit_id", "post"),
        Index("ix_posting_officer", "officer_id"),
    )
    id: Mapped[int] = key()
    officer_id: Mapped[int] = mapped_column(ForeignKey("officer.id"))
    officer: Mapped[Officer] = plain_relationship(back_populates="postings")
    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"))
    unit: Mapped[Unit] = plain_relationship()
    post: Mapped[Post] = mapped_column(choice(Post, "post"))
    valid_from: Mapped[date] = mapped_column(Date)
    valid_to: Mapped[date | None] = mapped_column(Date)

    @hybrid_method
    def in_force(self, on: Any) -> bool:
        """True on the days from valid_from up to, not including, valid_to."""
        return bool(self.valid_from <= on and (self.valid_to is None or self.valid_to > on))

    @in_force.inplace.expression  # type: ignore[attr-defined,untyped-decorator]
    @classmethod
    def _in_force(cls, on: Any) -> ColumnElement[bool]:
        return and_(cls.valid_from <= on, (cls.valid_to.is_(None)) | (cls.valid_to > on))


class User(Recorded, Versioned, Model):
    """A way to sign in. An administrator has no officer record and sees no complaint."""

    __tablename__ = "user_account"
    __table_args__ = (
        CheckConstraint("(role = 'ADMIN') = (officer_id IS NULL)", name="role_officer"),
    )
    id: Mapped[int] = key()
    login: Mapped[str] = mapped_column(binary(60), unique=True)
    password_hash: Mapped[str] = mapped_column(String(200))
    role: Mapped[Role] = mapped_column(choice(Role, "role"))
    officer_id: Mapped[int | None] = mapped_column(ForeignKey("officer.id"), unique=True)
    officer: Mapped[Officer | None] = plain_relationship()
    language: Mapped[str] = mapped_column(String(2), default="hi", server_default="hi")
    active: Mapped[bool] = mapped_column(Boolean, default=True, server_default=true())


class WebSession(Model):
    """One sign-in of one browser; revoking the row ends it at once."""

    __tablename__ = "web_session"
    __table_args__ = (Index("ix_web_session_user", "user_id"),)
    id: Mapped[int] = key()
    token_hash: Mapped[str] = mapped_column(binary(64), unique=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    user: Mapped[User] = plain_relationship()
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    address: Mapped[str] = mapped_column(String(64), default="")
    agent: Mapped[str] = mapped_column(String(200), default="")


# ---------------------------------------------------------------- master rows


class Mode(Master, Model):
    """How a complaint reached the police: by hand, post, e-mail, telephone."""

    __tablename__ = "mode"
    id: Mapped[int] = key()
    walk_in: Mapped[bool] = column(
        Boolean, label=_l("Complainant is present"), default=False, server_default=false(),
        help=_l("The day of receipt is the day of registration."),
    )  # fmt: skip


class Source(Master, Model):
    """Who sent it: the public, an office, a court, a commission."""

    __tablename__ = "source"
    id: Mapped[int] = key()


class Category(Master, Model):
    """What a complaint is about."""

    __tablename__ = "category"
    id: Mapped[int] = key()


class Disposition(Master, Model):
    """How an enquiry may end, and what the disposal must state."""

    __tablename__ = "disposition"
    id: Mapped[int] = key()
    requires: Mapped[str | None] = column(
        String(120), label=_l("Must state"), hide="grid",
        help=_l("What the details of the disposal must hold, for example the FIR number."),
    )  # fmt: skip
    requires_hi: Mapped[str | None] = column(
        String(120), label=_l("Must state (Hindi)"), hide="grid"
    )


# ---------------------------------------------------------------- complaint


class NumberSeries(Model):
    """The last number given in a district and year: locked, counted up, never skipped."""

    __tablename__ = "number_series"
    district_id: Mapped[int] = mapped_column(ForeignKey("unit.id"), primary_key=True)
    year: Mapped[int] = mapped_column(Integer, primary_key=True)
    last: Mapped[int] = mapped_column(Integer, default=0)


class Complaint(Versioned, Recorded, Model):
    """A complaint from the public, with its clock and where it stands."""

    __tablename__ = "complaint"
    __history__ = "complaint"
    __table_args__ = (
        CheckConstraint("origin IS NOT NULL OR text IS NOT NULL", name="text"),
        CheckConstraint("origin IS NOT NULL OR category_id IS NOT NULL", name="category"),
        CheckConstraint("disposed_by_id IS NULL OR disposed_by_id <> io_id", name="four_eyes"),
        CheckConstraint(
            "is_open = (status IN ('REGISTERED','MARKED','ASSIGNED','UNDER_ENQUIRY'))", name="open"
        ),
        CheckConstraint("is_open OR disposed_on IS NOT NULL OR origin IS NOT NULL", name="disposed"),
        UniqueConstraint("origin", "origin_key"),
        partial("ix_complaint_open_due", "due_at", "id", where="is_open AND NOT restricted"),
        partial("ix_complaint_open_unit_due", "unit_id", "due_at", "id", where="is_open AND NOT restricted"),
        partial("ix_complaint_open_unassigned", "unit_id", "due_at", "id",
                where="is_open AND io_id IS NULL AND NOT restricted"),
        partial("ix_complaint_io_due", "io_id", "due_at", "id", where="is_open"),
        Index("ix_complaint_io_registered", "io_id", "registered_at", "id"),
        partial("ix_complaint_due", "due_at", "id", where="NOT restricted", include=["unit_id"]),
        partial("ix_complaint_registered", "registered_at", "id", where="NOT restricted", include=["unit_id"]),
        Index("ix_complaint_unit_registered", "unit_id", "registered_at", "id", postgresql_include=["restricted"]),
        Index("ix_complaint_unit_due", "unit_id", "due_at", "id"),
        partial("ix_complaint_unit_number", "unit_id", "number", "id", where="NOT restricted"),
        partial("ix_complaint_closed", "registered_at", "id",
                where="NOT is_open AND NOT restricted", include=["unit_id", "status"]),
        partial("ix_complaint_closed_due", "due_at", "id",
                where="NOT is_open AND NOT restricted", include=["unit_id", "status"]),
        partial("ix_complaint_closed_unit_due", "unit_id", "due_at", "id",
                where="NOT is_open AND NOT restricted"),
        partial("ix_complaint_closed_unit_number", "unit_id", "number", "id",
                where="NOT is_open AND NOT restricted", include=["status"]),
        partial("ix_complaint_closed_unit", "unit_id", "registered_at", "id",
                where="NOT is_open AND NOT restricted"),
        partial("ix_complaint_open_number", "number", "id",
                where="is_open AND NOT restricted", include=["unit_id", "due_at"]),
        partial("ix_complaint_open_registered", "registered_at", "id",
                where="is_open AND NOT restricted", include=["unit_id", "due_at"]),
        partial("ix_complaint_open_unit_registered", "unit_id", "registered_at", "id",
                where="is_open AND NOT restricted", include=["due_at"]),
        partial("ix_complaint_open_unit_number", "unit_id", "number", "id",
                where="is_open AND NOT restricted", include=["due_at"]),
        partial("ix_complaint_io_number", "io_id", "number", "id", where="NOT restricted"),
        partial("ix_complaint_io_due_all", "io_id", "due_at", "id", where="NOT restricted", include=["is_open"]),
        Index("ix_complaint_category_due", "category_id", "due_at", "id"),
        partial("ix_complaint_number_id", "number", "id", where="NOT restricted",
                include=["unit_id", "is_open", "due_at"]),
        partial("ix_complaint_copy_unsettled", "registered_unit_id", "id", where="copy_settled_at IS NULL"),
        partial("ix_complaint_restricted", "id", where="restricted"),
    )  # fmt: skip
    id: Mapped[int] = key()
    number: Mapped[str] = column(
        binary(24), label=_l("Number"), search=True, sort=True, write=None, unique=True
    )
    subject: Mapped[str | None] = column(String(200), label=_l("Subject"))
    text: Mapped[str | None] = column(
        Text, label=_l("Complaint, in the complainant's words"), hide="grid filter export",
        write=None, read="pii",
    )  # fmt: skip
    language: Mapped[Language] = column(
        choice(Language, "language"), label=_l("Language"), hide="grid", write=None
    )
    category_id: Mapped[int | None] = mapped_column(ForeignKey("category.id"))
    category: Mapped[Category | None] = link(label=_l("Category"))
    priority: Mapped[Priority] = column(
        choice(Priority, "priority"), label=_l("Priority"), default=Priority.ROUTINE
    )
    mode_id: Mapped[int] = mapped_column(ForeignKey("mode.id"))
    mode: Mapped[Mode] = link(label=_l("Mode"), hide="grid", write=None)
    source_id: Mapped[int] = mapped_column(ForeignKey("source.id"))
    source: Mapped[Source] = link(label=_l("Source"), hide="grid")
    place: Mapped[str | None] = column(String(160), label=_l("Place"), hide="grid filter")
    incident_on: Mapped[date | None] = column(
        Date, label=_l("Date of incident"), hide="grid filter"
    )
    district_id: Mapped[int] = mapped_column(ForeignKey("unit.id"))
    district: Mapped[Unit] = link(
        label=_l("District"), write=None, hide="grid", foreign_keys=district_id
    )
    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"))
    unit: Mapped[Unit] = link(label=_l("Station"), write=None, foreign_keys=unit_id)
    registered_unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"))
    registered_unit: Mapped[Unit] = link(
        label=_l("Registered at"), write=None, hide="grid filter", foreign_keys=registered_unit_id
    )
    io_id: Mapped[int | None] = mapped_column(ForeignKey("officer.id"))
    io: Mapped[Officer | None] = link(
        label=_l("Investigating officer"), write=None, foreign_keys=io_id
    )
    status: Mapped[Status] = column(
        choice(Status, "status"), label=_l("Status"), write=None, default=Status.REGISTERED
    )
    is_open: Mapped[bool] = mapped_column(Boolean, default=True, nullable=False)
    round: Mapped[int] = mapped_column(Integer, default=1)
    due_at: Mapped[datetime] = column(Instant, label=_l("Due"), sort=True, write=None)
    received_on: Mapped[date] = column(
        Date, label=_l("Date of receipt"), hide="grid filter", write=None
    )
    registered_at: Mapped[datetime] = column(
        Instant, label=_l("Registered"), sort=True, write=None
    )
    disposed_on: Mapped[date | None] = column(
        Date, label=_l("Disposed on"), hide="grid filter", write=None
    )
    disposition_id: Mapped[int | None] = mapped_column(ForeignKey("disposition.id"))
    disposition: Mapped[Disposition | None] = link(
        label=_l("Disposition"), hide="grid", write=None
    )
    disposal_text: Mapped[str | None] = column(
        Text, label=_l("Reasons of disposal"), hide="grid filter export", write=None, read="pii"
    )
    disposed_by_id: Mapped[int | None] = mapped_column(ForeignKey("officer.id"))
    disposed_by: Mapped[Officer | None] = link(
        label=_l("Disposed by"), hide="grid filter", write=None, foreign_keys=disposed_by_id
    )
    satisfied: Mapped[bool | None] = column(
        Boolean, label=_l("Satisfied"), hide="grid", write=None,
        help=_l("The complainant's own answer; empty until asked."),
    )  # fmt: skip
    restricted: Mapped[bool] = mapped_column(
        Boolean, default=False, server_default=false(), nullable=False
    )
    copy_settled_at: Mapped[datetime | None]
    registered_by_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    form_key: Mapped[str | None] = mapped_column(String(64), unique=True)
    origin: Mapped[str | None] = mapped_column(String(40))
    origin_key: Mapped[str | None] = mapped_column(binary(80))
    history_seq: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    history_head: Mapped[str] = mapped_column(String(64), default="", server_default="")
    history_key: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)

    parties: Mapped[list[Party]] = plain_relationship(
        back_populates="complaint", order_by="Party.position"
    )
    accused: Mapped[list[Accused]] = plain_relationship(
        back_populates="complaint", order_by="Accused.id"
    )
    allegations: Mapped[list[Allegation]] = plain_relationship(
        back_populates="complaint", order_by="Allegation.no"
    )
    actions: Mapped[list[Action]] = plain_relationship(
        back_populates="complaint", order_by="Action.id"
    )
    deadlines: Mapped[list[Deadline]] = plain_relationship(
        back_populates="complaint", order_by="Deadline.id"
    )
    documents: Mapped[list[Document]] = plain_relationship(
        back_populates="complaint", order_by="Document.id"
    )

    @hybrid_method
    def overdue(self, now: datetime) -> bool:
        """Open after the last second of its due day: the one meaning of overdue."""
        return self.is_open and self.due_at < now

    @overdue.inplace.expression  # type: ignore[attr-defined,untyped-decorator]
    @classmethod
    def _overdue(cls, now: Any) -> ColumnElement[bool]:
        return and_(cls.is_open, cls.due_at < now)

    @hybrid_property
    def ordinary(self) -> bool:
        """In the lists, counts and summaries that everybody shares."""
        return not self.restricted

    @ordinary.inplace.expression
    @classmethod
    def _ordinary(cls) -> ColumnElement[bool]:
        return ~cls.restricted

    def __str__(self) -> str:
        return self.number


class PartyRole(Choice):
    """What somebody is in a complaint."""

    COMPLAINANT = _l("Complainant")
    OPPOSITE = _l("Opposite party")


class Party(Recorded, Versioned, Model):
    """A person in a complaint; the complainant in position 1 gets the copy and the report."""

    __tablename__ = "party"
    __history__ = "complaint"
    __table_args__ = (
        UniqueConstraint("complaint_id", "role", "position"),
        Index("ix_party_phone", "phone", "complaint_id"),
        Index("ix_party_name", "name", "complaint_id"),
    )
    id: Mapped[int] = key()
    complaint_id: Mapped[int] = mapped_column(ForeignKey("complaint.id"))
    complaint: Mapped[Complaint] = plain_relationship(back_populates="parties")
    role: Mapped[PartyRole] = mapped_column(choice(PartyRole, "role"))
    position: Mapped[int] = mapped_column(Integer, default=1)
    name: Mapped[str] = column(binary(120), label=_l("Name"), search=True, read="pii")
    phone: Mapped[str | None] = column(binary(20), label=_l("Mobile"), search=True, read="pii")
    email: Mapped[str | None] = column(String(120), label=_l("E-mail"), read="pii")
    address: Mapped[str | None] = column(String(300), label=_l("Address"), read="pii")


class Accused(Recorded, Model):
    """A police officer, post or unit complained against. Restricting links bar their units."""

    __tablename__ = "accused"
    __history__ = "complaint"
    __table_args__ = (
        CheckConstraint(
            "officer_id IS NOT NULL OR unit_id IS NOT NULL OR described <> ''", name="someone"
        ),
        UniqueConstraint("complaint_id", "origin_key"),
        Index("ix_accused_complaint", "complaint_id"),
        Index("ix_accused_officer", "officer_id"),
    )
    id: Mapped[int] = key()
    complaint_id: Mapped[int] = mapped_column(ForeignKey("complaint.id"))
    complaint: Mapped[Complaint] = plain_relationship(back_populates="accused")
    officer_id: Mapped[int | None] = mapped_column(ForeignKey("officer.id"))
    officer: Mapped[Officer | None] = plain_relationship()
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"))
    unit: Mapped[Unit | None] = plain_relationship()
    post: Mapped[Post | None] = mapped_column(choice(Post, "post"))
    described: Mapped[str] = mapped_column(String(200), default="", server_default="")
    restricts: Mapped[bool] = mapped_column(Boolean, default=True, server_default=true())
    origin_key: Mapped[str | None] = mapped_column(binary(80))


class BarredUnit(Model):
    """A unit whose whole subtree may not see a complaint; rebuilt from Accused and postings."""

    __tablename__ = "barred_unit"
    complaint_id: Mapped[int] = mapped_column(ForeignKey("complaint.id"), primary_key=True)
    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"), primary_key=True)


class Allegation(Recorded, Versioned, Model):
    """One thing that is alleged, and what the enquiry found on it, with reasons."""

    __tablename__ = "allegation"
    __history__ = "complaint"
    __table_args__ = (UniqueConstraint("complaint_id", "no"),)
    id: Mapped[int] = key()
    complaint_id: Mapped[int] = mapped_column(ForeignKey("complaint.id"))
    complaint: Mapped[Complaint] = plain_relationship(back_populates="allegations")
    accused_id: Mapped[int | None] = mapped_column(ForeignKey("accused.id"))
    accused: Mapped[Accused | None] = plain_relationship()
    no: Mapped[int] = mapped_column(Integer)
    what: Mapped[str] = column(String(300), label=_l("Allegation"))
    finding: Mapped[Finding | None] = column(choice(Finding, "finding"), label=_l("Finding"))
    reasons: Mapped[str | None] = column(Text, label=_l("Reasons"), read="pii")
    outcome: Mapped[str | None] = column(String(120), label=_l("Penalty or outcome"))
    origin_key: Mapped[str | None] = mapped_column(binary(80))


# ---------------------------------------------------------------- what happens


class Assignment(Model):
    """An officer as IO of a complaint in a round. Whoever is here never disposes the round."""

    __tablename__ = "assignment"
    __table_args__ = (
        Index("ix_assignment_complaint", "complaint_id"),
        Index("ix_assignment_officer", "officer_id", "complaint_id"),
    )
    id: Mapped[int] = key()
    complaint_id: Mapped[int] = mapped_column(ForeignKey("complaint.id"))
    round: Mapped[int] = mapped_column(Integer, default=1)
    officer_id: Mapped[int] = mapped_column(ForeignKey("officer.id"))
    officer: Mapped[Officer] = plain_relationship(foreign_keys=officer_id)
    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"))
    assigned_at: Mapped[datetime]
    assigned_by_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))


class Action(Model):
    """One entry of the diary: append-only, with when it happened and when it was written."""

    __tablename__ = "action"
    __table_args__ = (
        UniqueConstraint("complaint_id", "origin_key"),
        Index("ix_action_complaint", "complaint_id", "id"),
    )
    id: Mapped[int] = key()
    complaint_id: Mapped[int] = mapped_column(ForeignKey("complaint.id"))
    complaint: Mapped[Complaint] = plain_relationship(back_populates="actions")
    round: Mapped[int] = mapped_column(Integer, default=1)
    kind: Mapped[ActionKind] = column(choice(ActionKind, "kind"), label=_l("What was done"))
    happened_at: Mapped[datetime] = column(Instant, label=_l("When"))
    logged_at: Mapped[datetime]
    note: Mapped[str] = column(Text, label=_l("Note"), read="pii")
    officer_id: Mapped[int | None] = mapped_column(ForeignKey("officer.id"))
    officer: Mapped[Officer | None] = plain_relationship()
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    origin_key: Mapped[str | None] = mapped_column(binary(80))


class DeadlineKind(Choice):
    """What must be done by then."""

    OVERALL = _l("Action on the complaint")


class Deadline(Model):
    """A promise with a date. Only the deadline code writes it, and copies it to the complaint."""

    __tablename__ = "deadline"
    __table_args__ = (UniqueConstraint("complaint_id", "round", "kind"),)
    id: Mapped[int] = key()
    complaint_id: Mapped[int] = mapped_column(ForeignKey("complaint.id"))
    complaint: Mapped[Complaint] = plain_relationship(back_populates="deadlines")
    round: Mapped[int] = mapped_column(Integer, default=1)
    kind: Mapped[DeadlineKind] = mapped_column(choice(DeadlineKind, "kind"))
    started_on: Mapped[date] = mapped_column(Date)
    days: Mapped[int] = mapped_column(Integer)
    due_at: Mapped[datetime]
    met_at: Mapped[datetime | None]

    def derivation(self, day: Any) -> str:
        """How the date came about, in the reader's language; ``day`` formats a date."""
        return str(
            _l("%(days)s calendar days from %(start)s, to the end of %(due)s")
            % {"days": self.days, "start": day(self.started_on), "due": day(self.due_at)}
        )


class Reminder(Model):
    """A rung of the ladder that has fired: once per deadline and rung, append-only."""

    __tablename__ = "reminder"
    __table_args__ = (
        UniqueConstraint("deadline_id", "rung"),
        Index("ix_reminder_complaint", "complaint_id"),
    )
    id: Mapped[int] = key()
    deadline_id: Mapped[int] = mapped_column(ForeignKey("deadline.id"))
    complaint_id: Mapped[int] = mapped_column(ForeignKey("complaint.id"))
    rung: Mapped[Rung] = mapped_column(choice(Rung, "rung"))
    fired_at: Mapped[datetime]
    officer_id: Mapped[int | None] = mapped_column(ForeignKey("officer.id"))
    officer: Mapped[Officer | None] = plain_relationship()
    post: Mapped[Post | None] = mapped_column(choice(Post, "post"))


class DocumentKind(Choice):
    """What the police hand to the complainant."""

    COPY = _l("Copy of the complaint")
    REPORT = _l("Action-taken report")


class DocumentState(Choice):
    """Whether the bytes exist."""

    PENDING = _l("Being prepared")
    READY = _l("Ready")
    FAILED = _l("Could not be prepared")
    PAPER = _l("Issued on paper")


class Document(Model):
    """An issued document: what it says is fixed at issue; its bytes are stored, never remade."""

    __tablename__ = "document"
    __table_args__ = (
        UniqueConstraint("complaint_id", "kind", "version"),
        CheckConstraint("state <> 'READY' OR sha256 IS NOT NULL", name="bytes"),
        partial("ix_document_pending", "id", where="state = 'PENDING'"),
    )  # fmt: skip
    id: Mapped[int] = key()
    complaint_id: Mapped[int] = mapped_column(ForeignKey("complaint.id"))
    complaint: Mapped[Complaint] = plain_relationship(back_populates="documents")
    kind: Mapped[DocumentKind] = mapped_column(choice(DocumentKind, "kind"))
    version: Mapped[int] = mapped_column(Integer, default=1)
    issued_at: Mapped[datetime]
    issued_by_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    code: Mapped[str] = mapped_column(binary(20), unique=True)
    data: Mapped[dict[str, Any]] = mapped_column(JSON)
    state: Mapped[DocumentState] = mapped_column(
        choice(DocumentState, "state"), default=DocumentState.PENDING
    )
    sha256: Mapped[str | None] = mapped_column(String(64))
    size: Mapped[int | None] = mapped_column(Integer)
    rendered_at: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(Integer, default=0, server_default="0")


class Channel(Choice):
    """How a document reached the complainant, or why it did not."""

    PRINT = _l("Handed over on paper")
    EMAIL = _l("Sent by e-mail")
    POST = _l("Sent by post")
    DECLINED = _l("Declined by the complainant")


class Delivery(Model):
    """That a document was handed over, sent or declined: append-only."""

    __tablename__ = "delivery"
    __table_args__ = (
        CheckConstraint("channel <> 'DECLINED' OR note <> ''", name="declined_why"),
        Index("ix_delivery_document", "document_id"),
    )
    id: Mapped[int] = key()
    document_id: Mapped[int] = mapped_column(ForeignKey("document.id"))
    document: Mapped[Document] = plain_relationship()
    channel: Mapped[Channel] = mapped_column(choice(Channel, "channel"))
    at: Mapped[datetime]
    address: Mapped[str] = mapped_column(String(160), default="", server_default="")
    note: Mapped[str] = mapped_column(String(300), default="", server_default="")
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))


class Feedback(Model):
    """The complainant's answer, once per round; asked by the feedback cell, never by the IO."""

    __tablename__ = "feedback"
    __table_args__ = (
        UniqueConstraint("complaint_id", "round"),
        CheckConstraint("satisfied OR reason <> ''", name="reason"),
    )
    id: Mapped[int] = key()
    complaint_id: Mapped[int] = mapped_column(ForeignKey("complaint.id"))
    round: Mapped[int] = mapped_column(Integer, default=1)
    satisfied: Mapped[bool] = mapped_column(Boolean)
    reason: Mapped[str] = column(Text, label=_l("Reason"), default="", server_default="")
    at: Mapped[datetime]
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))


# ---------------------------------------------------------------- messages


class Notice(Model):
    """A line on an officer's home page; read when opened."""

    __tablename__ = "notice"
    __table_args__ = (
        partial("ix_notice_unread", "officer_id", "id", where="read_at IS NULL"),
        UniqueConstraint("dedupe"),
    )  # fmt: skip
    id: Mapped[int] = key()
    officer_id: Mapped[int] = mapped_column(ForeignKey("officer.id"))
    complaint_id: Mapped[int] = mapped_column(ForeignKey("complaint.id"))
    complaint: Mapped[Complaint] = plain_relationship()
    kind: Mapped[str] = mapped_column(String(24))
    params: Mapped[dict[str, Any]] = mapped_column(JSON)
    dedupe: Mapped[str] = mapped_column(binary(80))
    created_at: Mapped[datetime]
    read_at: Mapped[datetime | None]


class SendState(Choice):
    """Where a message stands."""

    PENDING = _l("Waiting")
    SENT = _l("Sent")
    FAILED = _l("Given up")


class Outbox(Model):
    """A message to the outside, written in the transaction of its event; content is final."""

    __tablename__ = "outbox"
    __table_args__ = (
        UniqueConstraint("dedupe"),
        partial("ix_outbox_pending", "next_at", "id", where="state = 'PENDING'"),
    )  # fmt: skip
    id: Mapped[int] = key()
    dedupe: Mapped[str] = mapped_column(binary(80))
    complaint_id: Mapped[int | None] = mapped_column(ForeignKey("complaint.id"))
    document_id: Mapped[int | None] = mapped_column(ForeignKey("document.id"))
    to: Mapped[str] = mapped_column(String(160))
    subject: Mapped[str] = mapped_column(String(200))
    body: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime]
    state: Mapped[SendState] = mapped_column(
        choice(SendState, "state"), default=SendState.PENDING
    )
    attempts: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    next_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    last_error: Mapped[str | None] = mapped_column(String(300))


# ---------------------------------------------------------------- bookkeeping


class Chain(Model):
    """Head of the history chain of one registry table (complaints carry their own head)."""

    __tablename__ = "chain"
    name: Mapped[str] = mapped_column(binary(40), primary_key=True)
    history_seq: Mapped[int] = mapped_column(Integer, default=0)
    history_head: Mapped[str] = mapped_column(String(64), default="")


class History(Model):
    """One change of one row: who, when, how, before and after; chained by hash per root."""

    __tablename__ = "history"
    __table_args__ = (
        UniqueConstraint("root", "root_id", "seq"),
        Index("ix_history_row", "table_name", "row_id"),
        partial("ix_history_unsealed", "id", where="seal_id IS NULL"),
        Index("ix_history_seal", "seal_id"),
    )  # fmt: skip
    id: Mapped[int] = key()
    root: Mapped[str] = mapped_column(binary(40))
    root_id: Mapped[int] = mapped_column(Key)
    seq: Mapped[int] = mapped_column(Integer)
    at: Mapped[datetime]
    user_id: Mapped[int | None] = mapped_column(Key)
    actor: Mapped[str] = mapped_column(String(80))
    via: Mapped[str] = mapped_column(String(20))
    table_name: Mapped[str] = mapped_column(binary(40))
    row_id: Mapped[str] = mapped_column(binary(40))
    kind: Mapped[str] = mapped_column(String(8))
    changes: Mapped[str] = mapped_column(Text)
    prev_hash: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))
    seal_id: Mapped[int | None] = mapped_column(Key)


class Seal(Model):
    """A keyed hash over all history rows since the last seal; exported outside the database."""

    __tablename__ = "seal"
    id: Mapped[int] = key()
    at: Mapped[datetime]
    rows: Mapped[int] = mapped_column(Integer)
    digest: Mapped[str] = mapped_column(String(64))
    prev_mac: Mapped[str] = mapped_column(String(64))
    mac: Mapped[str] = mapped_column(String(64))


class Stamp(Model):
    """Facts about this database itself, such as that it holds demo data."""

    __tablename__ = "stamp"
    name: Mapped[str] = mapped_column(binary(40), primary_key=True)
    value: Mapped[str] = mapped_column(String(200))


class ImportBatch(Model):
    """One import of an old register: who, when, which files by which profile, what came of it."""

    __tablename__ = "import_batch"
    id: Mapped[int] = key()
    profile: Mapped[str] = mapped_column(String(40))
    profile_version: Mapped[str] = mapped_column(String(64))
    files: Mapped[dict[str, Any]] = mapped_column(JSON)
    by: Mapped[str] = mapped_column(String(80))
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    counts: Mapped[dict[str, Any]] = mapped_column(JSON)
    undone_at: Mapped[datetime | None]
    undone_by: Mapped[str] = mapped_column(String(80), default="", server_default="")


class Imported(Model):
    """That a batch brought a complaint, or changed one that an earlier batch had brought."""

    __tablename__ = "imported"
    __table_args__ = (Index("ix_imported_complaint", "complaint_id"),)
    batch_id: Mapped[int] = mapped_column(ForeignKey("import_batch.id"), primary_key=True)
    complaint_id: Mapped[int] = mapped_column(ForeignKey("complaint.id"), primary_key=True)
    is_new: Mapped[bool] = mapped_column(Boolean)


def in_order(values: type[Choice], col: Any) -> ColumnElement[int]:
    """Sort key of a choice column in the order of its declaration."""
    return case(*((col == m, m.value) for m in values), else_=0)
