"""Every table of CMS. Each column is declared once; screens, history and export follow from it.

Places:       Unit, UnitParent
People:       Rank, Officer, Posting, User, WebSession, Proposal
Master rows:  Mode, Source, Category, Disposition, DispositionField, HoldReason, QuickText
Rules as rows: Policy, Holiday, ApprovalRule
Complaint:    Complaint, Party, Accused, BarredUnit, Allegation, NumberSeries, ComplaintLink
Life:         Round, Stay, Assignment, Action, Attachment, Request, Hold, Direction, Consent, Appeal
Report:       EnquiryReport, ReportFinding, Decision
Clocks:       Deadline, DeadlineChange, Reminder
Papers:       Document, Delivery, HandOverPaper, PrintBatch, CopyTo, Signatory, Feedback
Messages:     Notice, Outbox
Bookkeeping:  Chain, History, Seal, Stamp, ImportBatch, Imported, Seen, Submission

Tables and predicates only: no query, commit, format or permission. Column order is screen order.
Base classes, choices, papers and bookkeeping are written down in ``cms/tables`` and are imported from here.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    ColumnElement,
    Date,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
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
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.orm import relationship as plain_relationship

from cms.columns import Choice, Instant, Key, binary, choice, column, key, link
from cms.i18n import _l, language
from cms.rules import DeadlineKind, Desk, Finding, Post, Priority, Role, Rung, Span, Status
from cms.tables.base import Base, Master, Model, Named, Recorded, Versioned, db, partial
from cms.tables.bookkeeping import (
    Chain,
    History,
    ImportBatch,
    Imported,
    NumberSeries,
    Outbox,
    Seal,
    Seen,
    Stamp,
    Submission,
)  # fmt: skip
from cms.tables.choices import (
    ENQUIRY,
    TOLD,
    ActionKind,
    AppealResult,
    Channel,
    Charge,
    ConsentKind,
    DecisionKind,
    DocumentKind,
    DocumentState,
    Edition,
    FieldKind,
    Kind,
    Language,
    LinkKind,
    Means,
    PartyRole,
    ProposalKind,
    RequestKind,
    RoundReason,
    SendState,
)  # fmt: skip
from cms.tables.orders import complaint_indexes
from cms.tables.papers import CopyTo, Delivery, Document, HandOverPaper, PrintBatch, Rendered, Signatory

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
    email: Mapped[str | None] = column(String(120), label=_l("E-mail"), hide="grid filter")
    address_hi: Mapped[str | None] = column(
        String(200), label=_l("Address in Hindi"), hide="grid filter",
        help=_l("Address, telephone and e-mail stand below the letterhead; without any, those of the office above."),
    )  # fmt: skip
    address_en: Mapped[str | None] = column(String(200), label=_l("Address in English"), hide="grid filter")
    letterhead_hi: Mapped[str | None] = column(
        String(200), label=_l("Letterhead in Hindi"), hide="grid filter"
    )
    letterhead_en: Mapped[str | None] = column(
        String(200), label=_l("Letterhead in English"), hide="grid filter"
    )
    edition: Mapped[Edition | None] = column(
        choice(Edition, "edition"), label=_l("Language of its papers"), hide="grid filter",
        empty=_l("as the office above"), help=_l("Where no office has chosen, Hindi with English below."),
    )  # fmt: skip
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
        Boolean, label=_l("In service"), default=True, server_default=true(), write=None,
        help=_l("Changes by a posting order only: whoever leaves hands over."),
    )  # fmt: skip
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
    charge: Mapped[Charge] = mapped_column(
        choice(Charge, "charge"), default=Charge.SUBSTANTIVE, server_default="SUBSTANTIVE"
    )
    order_no: Mapped[str] = mapped_column(String(60), default="", server_default="")

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


class Proposal(Recorded, Versioned, Model):
    """A change of postings or accounts that waits for a second person; applied in the same act."""

    __tablename__ = "proposal"
    __table_args__ = (
        CheckConstraint("decided_by_id IS NULL OR decided_by_id <> proposed_by_id", name="two_persons"),
        CheckConstraint("(decided_at IS NULL) = (accepted IS NULL)", name="decided"),
        partial("ix_proposal_open", "id", where="decided_at IS NULL"),
    )  # fmt: skip
    id: Mapped[int] = key()
    kind: Mapped[ProposalKind] = mapped_column(choice(ProposalKind, "kind"))
    data: Mapped[dict[str, Any]] = mapped_column(JSON)
    order_no: Mapped[str] = mapped_column(String(60), default="", server_default="")
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"))
    proposed_by_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    proposed_by: Mapped[User] = plain_relationship(foreign_keys=proposed_by_id)
    proposed_at: Mapped[datetime]
    decided_by_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    decided_by: Mapped[User | None] = plain_relationship(foreign_keys=decided_by_id)
    decided_at: Mapped[datetime | None]
    accepted: Mapped[bool | None] = mapped_column(Boolean)
    note: Mapped[str] = mapped_column(String(300), default="", server_default="")
    outcome: Mapped[dict[str, Any] | None] = mapped_column(JSON)


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


class DispositionField(Named, Versioned, Recorded, Model):
    """One thing that a disposal of this kind must state, such as the FIR number."""

    __tablename__ = "disposition_field"
    id: Mapped[int] = key()
    disposition_id: Mapped[int] = mapped_column(ForeignKey("disposition.id"))
    disposition: Mapped[Disposition] = link(label=_l("Disposition"))
    kind: Mapped[FieldKind] = column(
        choice(FieldKind, "kind"), label=_l("Kind"), default=FieldKind.TEXT
    )
    required: Mapped[bool] = column(
        Boolean, label=_l("Must be filled in"), default=True, server_default=true()
    )
    position: Mapped[int] = column(Integer, label=_l("Place in the form"), default=1)
    active: Mapped[bool] = column(
        Boolean, label=_l("In use"), default=True, server_default=true(), nullable=False
    )


class HoldReason(Master, Model):
    """Why an enquiry may stand still, such as a report awaited from a laboratory."""

    __tablename__ = "hold_reason"
    id: Mapped[int] = key()


class QuickText(Master, Model):
    """A sentence for the diary that an officer picks instead of typing; the name is the text."""

    __tablename__ = "quick_text"
    id: Mapped[int] = key()
    kind: Mapped[ActionKind] = column(choice(ActionKind, "kind"), label=_l("What was done"))


# ---------------------------------------------------------------- rules as rows


class Policy(Versioned, Recorded, Model):
    """How long a clock runs, for which complaints and from when; the most specific row counts."""

    __tablename__ = "policy"
    __table_args__ = (
        CheckConstraint("amount BETWEEN 1 AND 999", name="amount"),
        CheckConstraint("valid_to IS NULL OR valid_to > valid_from", name="dates"),
        Index("ix_policy_kind", "kind", "valid_from"),
    )
    id: Mapped[int] = key()
    kind: Mapped[DeadlineKind] = column(choice(DeadlineKind, "kind"), label=_l("Clock"))
    mode_id: Mapped[int | None] = mapped_column(ForeignKey("mode.id"))
    mode: Mapped[Mode | None] = link(label=_l("Mode"), empty=_l("every mode"))
    category_id: Mapped[int | None] = mapped_column(ForeignKey("category.id"))
    category: Mapped[Category | None] = link(label=_l("Category"), empty=_l("every category"))
    priority: Mapped[Priority | None] = column(
        choice(Priority, "priority"), label=_l("Priority"), empty=_l("every priority")
    )
    amount: Mapped[int] = column(Integer, label=_l("Days or hours"))
    span: Mapped[Span] = column(choice(Span, "span"), label=_l("Counted in"), default=Span.DAYS)
    valid_from: Mapped[date] = column(Date, label=_l("Valid from"))
    valid_to: Mapped[date | None] = column(Date, label=_l("Valid before"))
    authority: Mapped[str] = column(
        String(120), label=_l("By which order or law"), default="", server_default=""
    )

    def __str__(self) -> str:
        return f"{self.kind}: {self.amount} {self.span}"


class Holiday(Versioned, Recorded, Model):
    """A day on which no clock may end. Without a district it holds for every district."""

    __tablename__ = "holiday"
    __table_args__ = (UniqueConstraint("day", "district_id"), Index("ix_holiday_day_id", "day", "id"))
    id: Mapped[int] = key()
    day: Mapped[date] = column(Date, label=_l("Day"), sort=True)
    name_en: Mapped[str] = column(String(120), label=_l("Name in English"), search=True)
    name_hi: Mapped[str] = column(String(120), label=_l("Name in Hindi"), search=True)
    district_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"))
    district: Mapped[Unit | None] = link(label=_l("District"), empty=_l("every district"))
    active: Mapped[bool] = column(
        Boolean, label=_l("In use"), default=True, server_default=true(), nullable=False
    )

    @property
    def name(self) -> str:
        """The name in the reader's language."""
        return self.name_hi if language() == "hi" else self.name_en

    def __str__(self) -> str:
        return self.name


class ApprovalRule(Versioned, Recorded, Model):
    """The lowest post that may approve a disposal; the most specific row counts."""

    __tablename__ = "approval_rule"
    __table_args__ = (CheckConstraint("post IN ('SHO','DSP','SP','ADGP')", name="command"),)
    id: Mapped[int] = key()
    disposition_id: Mapped[int | None] = mapped_column(ForeignKey("disposition.id"))
    disposition: Mapped[Disposition | None] = link(
        label=_l("Disposition"), empty=_l("every disposition")
    )
    category_id: Mapped[int | None] = mapped_column(ForeignKey("category.id"))
    category: Mapped[Category | None] = link(label=_l("Category"), empty=_l("every category"))
    mode_id: Mapped[int | None] = mapped_column(ForeignKey("mode.id"))
    mode: Mapped[Mode | None] = link(label=_l("Mode"), empty=_l("every mode"))
    post: Mapped[Post] = column(choice(Post, "post"), label=_l("Approved by this post or above"),
                                     help=_l("Station head, DSP, SP or ADGP."))
    active: Mapped[bool] = column(
        Boolean, label=_l("In use"), default=True, server_default=true(), nullable=False
    )

    def __str__(self) -> str:
        return f"{self.disposition or '*'}: {self.post}"


# ---------------------------------------------------------------- complaint


class Complaint(Versioned, Recorded, Model):
    """A complaint from the public, with its clock and where it stands."""

    __tablename__ = "complaint"
    __history__ = "complaint"
    __table_args__ = (
        CheckConstraint("origin IS NOT NULL OR text IS NOT NULL", name="text"),
        CheckConstraint("origin IS NOT NULL OR category_id IS NOT NULL", name="category"),
        CheckConstraint("disposed_by_id IS NULL OR disposed_by_id <> io_id", name="four_eyes"),
        CheckConstraint(
            "is_open = (status IN ('REGISTERED','MARKED','ASSIGNED','UNDER_ENQUIRY','ON_HOLD',"
            "'REPORT_SUBMITTED','RETURNED','WITH_APPROVER'))", name="open"
        ),
        CheckConstraint("(status = 'MERGED') = (merged_into_id IS NOT NULL)", name="merged"),
        CheckConstraint("is_open OR disposed_on IS NOT NULL OR origin IS NOT NULL", name="disposed"),
        UniqueConstraint("origin", "origin_key"),
        *complaint_indexes(),
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
    transfer_to_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"))
    transfer_to: Mapped[Unit | None] = plain_relationship(foreign_keys=transfer_to_id)
    merged_into_id: Mapped[int | None] = mapped_column(ForeignKey("complaint.id"))
    merged_into: Mapped[Complaint | None] = plain_relationship(
        remote_side="Complaint.id", foreign_keys=merged_into_id
    )
    registered_by_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    form_key: Mapped[str | None] = mapped_column(String(64), unique=True)
    origin: Mapped[str | None] = mapped_column(String(40))
    origin_key: Mapped[str | None] = mapped_column(binary(80))
    history_seq: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    history_head: Mapped[str] = mapped_column(String(64), default="", server_default="")
    history_key: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)

    parties: Mapped[list[Party]] = plain_relationship(back_populates="complaint", order_by="Party.position")
    accused: Mapped[list[Accused]] = plain_relationship(back_populates="complaint", order_by="Accused.id")
    allegations: Mapped[list[Allegation]] = plain_relationship(back_populates="complaint", order_by="Allegation.no")
    actions: Mapped[list[Action]] = plain_relationship(back_populates="complaint", order_by="Action.id")
    deadlines: Mapped[list[Deadline]] = plain_relationship(back_populates="complaint", order_by="Deadline.id")
    documents: Mapped[list[Document]] = plain_relationship(back_populates="complaint", order_by="Document.id")

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


class Party(Recorded, Versioned, Model):
    """A person in a complaint; the complainant in position 1 gets the copy and the report."""

    __tablename__ = "party"
    __history__ = "complaint"
    __table_args__ = (
        UniqueConstraint("complaint_id", "role", "position"),
        Index("ix_party_phone", "phone", "complaint_id"),
        partial("ix_party_phone_2", "phone_2", "complaint_id", where="phone_2 IS NOT NULL"),
        Index("ix_party_name", "name", "complaint_id"),
    )
    id: Mapped[int] = key()
    complaint_id: Mapped[int] = mapped_column(ForeignKey("complaint.id"))
    complaint: Mapped[Complaint] = plain_relationship(back_populates="parties")
    role: Mapped[PartyRole] = mapped_column(choice(PartyRole, "role"))
    position: Mapped[int] = mapped_column(Integer, default=1)
    name: Mapped[str] = column(binary(120), label=_l("Name"), search=True, read="pii")
    relative: Mapped[str | None] = column(String(120), label=_l("Father's or husband's name"), read="pii")
    phone: Mapped[str | None] = column(binary(20), label=_l("Mobile"), search=True, read="pii")
    phone_2: Mapped[str | None] = column(binary(20), label=_l("Second mobile"), search=True, read="pii")
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
    dropped_at: Mapped[datetime | None]
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


class ComplaintLink(Model):
    """That two complaints belong together, and how: append-only, seen from both."""

    __tablename__ = "complaint_link"
    __table_args__ = (
        UniqueConstraint("complaint_id", "other_id", "kind"),
        CheckConstraint("complaint_id <> other_id", name="two"),
        Index("ix_complaint_link_other", "other_id"),
    )
    id: Mapped[int] = key()
    complaint_id: Mapped[int] = mapped_column(ForeignKey("complaint.id"))
    other_id: Mapped[int] = mapped_column(ForeignKey("complaint.id"))
    kind: Mapped[LinkKind] = mapped_column(choice(LinkKind, "kind"))
    at: Mapped[datetime]
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))


# ---------------------------------------------------------------- life


class Round(Model):
    """One enquiry from its beginning to its disposal. A later round never rewrites an earlier one."""

    __tablename__ = "round"
    __table_args__ = (UniqueConstraint("complaint_id", "no"),)
    id: Mapped[int] = key()
    complaint_id: Mapped[int] = mapped_column(ForeignKey("complaint.id"))
    no: Mapped[int] = mapped_column(Integer)
    why: Mapped[RoundReason] = mapped_column(choice(RoundReason, "why"))
    reason: Mapped[str] = mapped_column(Text, default="", server_default="")
    chosen: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    opened_at: Mapped[datetime]
    opened_by_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    io_id: Mapped[int | None] = mapped_column(ForeignKey("officer.id"))
    io: Mapped[Officer | None] = plain_relationship(foreign_keys=io_id)
    disposed_at: Mapped[datetime | None]
    disposed_by_id: Mapped[int | None] = mapped_column(ForeignKey("officer.id"))
    disposed_by: Mapped[Officer | None] = plain_relationship(foreign_keys=disposed_by_id)
    disposition_id: Mapped[int | None] = mapped_column(ForeignKey("disposition.id"))
    disposition: Mapped[Disposition | None] = plain_relationship()
    disposal_text: Mapped[str | None] = mapped_column(Text)
    satisfied: Mapped[bool | None] = mapped_column(Boolean)
    closed_at: Mapped[datetime | None]


class Stay(Model):
    """How long a complaint lay at one desk. Stays follow each other without gap or overlap."""

    __tablename__ = "stay"
    __table_args__ = (
        UniqueConstraint("complaint_id", "no"),
        CheckConstraint("to_at IS NULL OR to_at >= from_at", name="times"),
        partial("ix_stay_now", "unit_id", "desk", "complaint_id", where="to_at IS NULL"),
        Index("uq_stay_open", "complaint_id", unique=True,
              postgresql_where=text("to_at IS NULL"), sqlite_where=text("to_at IS NULL")),
    )  # fmt: skip
    id: Mapped[int] = key()
    complaint_id: Mapped[int] = mapped_column(ForeignKey("complaint.id"))
    no: Mapped[int] = mapped_column(Integer)
    round: Mapped[int] = mapped_column(Integer, default=1)
    desk: Mapped[Desk] = mapped_column(choice(Desk, "desk"))
    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"))
    unit: Mapped[Unit] = plain_relationship()
    officer_id: Mapped[int | None] = mapped_column(ForeignKey("officer.id"))
    officer: Mapped[Officer | None] = plain_relationship()
    from_at: Mapped[datetime]
    to_at: Mapped[datetime | None]


class Request(Model):
    """Something asked of a superior or of another unit, and the answer."""

    __tablename__ = "request"
    __table_args__ = (
        CheckConstraint("decided_by_id IS NULL OR decided_by_id <> asked_by_id", name="two_persons"),
        CheckConstraint("(decided_at IS NULL) = (granted IS NULL)", name="decided"),
        CheckConstraint("kind <> 'TRANSFER' OR to_unit_id IS NOT NULL", name="where_to"),
        CheckConstraint("kind <> 'HOLD' OR reason_id IS NOT NULL", name="reason"),
        Index("ix_request_complaint", "complaint_id", "id"),
        Index("uq_request_open", "complaint_id", "kind", unique=True,
              postgresql_where=text("decided_at IS NULL"), sqlite_where=text("decided_at IS NULL")),
    )  # fmt: skip
    id: Mapped[int] = key()
    complaint_id: Mapped[int] = mapped_column(ForeignKey("complaint.id"))
    complaint: Mapped[Complaint] = plain_relationship()
    round: Mapped[int] = mapped_column(Integer, default=1)
    kind: Mapped[RequestKind] = mapped_column(choice(RequestKind, "kind"))
    asked_at: Mapped[datetime]
    asked_by_id: Mapped[int | None] = mapped_column(ForeignKey("officer.id"))
    asked_by: Mapped[Officer | None] = plain_relationship(foreign_keys=asked_by_id)
    reason_id: Mapped[int | None] = mapped_column(ForeignKey("hold_reason.id"))
    reason: Mapped[HoldReason | None] = plain_relationship()
    reasons: Mapped[str] = mapped_column(Text)
    until: Mapped[date | None] = mapped_column(Date)
    days: Mapped[int | None] = mapped_column(Integer)
    to_unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"))
    to_unit: Mapped[Unit | None] = plain_relationship(foreign_keys=to_unit_id)
    from_unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"))
    decided_at: Mapped[datetime | None]
    decided_by_id: Mapped[int | None] = mapped_column(ForeignKey("officer.id"))
    decided_by: Mapped[Officer | None] = plain_relationship(foreign_keys=decided_by_id)
    granted: Mapped[bool | None] = mapped_column(Boolean)
    answer: Mapped[str] = mapped_column(Text, default="", server_default="")


class Hold(Model):
    """Time in which the overall clock stood still, by whose leave: a ledger, never overwritten."""

    __tablename__ = "hold"
    __table_args__ = (
        CheckConstraint("ended_at IS NULL OR ended_at >= started_at", name="times"),
        Index("uq_hold_open", "complaint_id", unique=True,
              postgresql_where=text("ended_at IS NULL"), sqlite_where=text("ended_at IS NULL")),
    )  # fmt: skip
    id: Mapped[int] = key()
    complaint_id: Mapped[int] = mapped_column(ForeignKey("complaint.id"))
    request_id: Mapped[int] = mapped_column(ForeignKey("request.id"), unique=True)
    request: Mapped[Request] = plain_relationship()
    started_at: Mapped[datetime]
    until: Mapped[date] = mapped_column(Date)
    ended_at: Mapped[datetime | None]


class Direction(Model):
    """A superior's order on a complaint, and how it was complied with."""

    __tablename__ = "direction"
    __table_args__ = (Index("ix_direction_complaint", "complaint_id"),)
    id: Mapped[int] = key()
    complaint_id: Mapped[int] = mapped_column(ForeignKey("complaint.id"))
    deadline_id: Mapped[int] = mapped_column(ForeignKey("deadline.id"))
    deadline: Mapped[Deadline] = plain_relationship()
    at: Mapped[datetime]
    by_id: Mapped[int | None] = mapped_column(ForeignKey("officer.id"))
    by: Mapped[Officer | None] = plain_relationship(foreign_keys=by_id)
    text: Mapped[str] = mapped_column(Text)
    replied_at: Mapped[datetime | None]
    replied_by_id: Mapped[int | None] = mapped_column(ForeignKey("officer.id"))
    reply: Mapped[str | None] = mapped_column(Text)


class Consent(Model):
    """The complainant's own confirmation of something with consequences, and its proof."""

    __tablename__ = "consent"
    __table_args__ = (
        CheckConstraint("means <> 'PAPER' OR note <> '' OR attachment_id IS NOT NULL", name="proof"),
        UniqueConstraint("complaint_id", "round", "kind", "no"),
    )
    id: Mapped[int] = key()
    complaint_id: Mapped[int] = mapped_column(ForeignKey("complaint.id"))
    round: Mapped[int] = mapped_column(Integer, default=1)
    kind: Mapped[ConsentKind] = mapped_column(choice(ConsentKind, "kind"))
    no: Mapped[int] = mapped_column(Integer, default=1)
    means: Mapped[Means] = mapped_column(choice(Means, "means"))
    given_on: Mapped[date] = mapped_column(Date)
    at: Mapped[datetime]
    officer_id: Mapped[int | None] = mapped_column(ForeignKey("officer.id"))
    officer: Mapped[Officer | None] = plain_relationship()
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    attachment_id: Mapped[int | None] = mapped_column(ForeignKey("attachment.id"))
    note: Mapped[str] = mapped_column(String(300), default="", server_default="")


class Appeal(Model):
    """An appeal to the next authority, with its own deadline, and what became of it."""

    __tablename__ = "appeal"
    __table_args__ = (UniqueConstraint("complaint_id", "no"),)
    id: Mapped[int] = key()
    complaint_id: Mapped[int] = mapped_column(ForeignKey("complaint.id"))
    complaint: Mapped[Complaint] = plain_relationship()
    no: Mapped[int] = mapped_column(Integer)
    round: Mapped[int] = mapped_column(Integer)
    consent_id: Mapped[int] = mapped_column(ForeignKey("consent.id"))
    entered_at: Mapped[datetime]
    grounds: Mapped[str] = mapped_column(Text)
    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"))
    unit: Mapped[Unit] = plain_relationship()
    post: Mapped[Post] = mapped_column(choice(Post, "post"))
    decided_at: Mapped[datetime | None]
    decided_by_id: Mapped[int | None] = mapped_column(ForeignKey("officer.id"))
    decided_by: Mapped[Officer | None] = plain_relationship()
    result: Mapped[AppealResult | None] = mapped_column(choice(AppealResult, "result"))
    reasons: Mapped[str] = mapped_column(Text, default="", server_default="")


class EnquiryReport(Model):
    """What the IO found and proposes, as submitted: a later one follows, none is rewritten."""

    __tablename__ = "enquiry_report"
    __table_args__ = (
        UniqueConstraint("complaint_id", "round", "no"),
        UniqueConstraint("id", "officer_id", name="uq_enquiry_report_author"),
    )
    id: Mapped[int] = key()
    complaint_id: Mapped[int] = mapped_column(ForeignKey("complaint.id"))
    complaint: Mapped[Complaint] = plain_relationship()
    round: Mapped[int] = mapped_column(Integer, default=1)
    no: Mapped[int] = mapped_column(Integer)
    officer_id: Mapped[int] = mapped_column(ForeignKey("officer.id"))
    officer: Mapped[Officer] = plain_relationship()
    submitted_at: Mapped[datetime]
    disposition_id: Mapped[int] = mapped_column(ForeignKey("disposition.id"))
    disposition: Mapped[Disposition] = plain_relationship()
    reasons: Mapped[str] = mapped_column(Text)
    fields: Mapped[dict[str, Any]] = mapped_column(JSON)
    findings: Mapped[list[ReportFinding]] = plain_relationship(order_by="ReportFinding.id")
    decisions: Mapped[list[Decision]] = plain_relationship(order_by="Decision.no")


class ReportFinding(Model):
    """The finding of a report on one allegation, with its reasons."""

    __tablename__ = "report_finding"
    __table_args__ = (
        UniqueConstraint("report_id", "allegation_id"),
        CheckConstraint("reasons <> '' AND finding <> 'UNDECIDED'", name="reasons"),
    )
    id: Mapped[int] = key()
    report_id: Mapped[int] = mapped_column(ForeignKey("enquiry_report.id"))
    allegation_id: Mapped[int] = mapped_column(ForeignKey("allegation.id"))
    allegation: Mapped[Allegation] = plain_relationship()
    finding: Mapped[Finding] = mapped_column(choice(Finding, "finding"))
    reasons: Mapped[str] = mapped_column(Text)


class Decision(Model):
    """What a desk did with a report: returned, forwarded or approved, and never by its author."""

    __tablename__ = "decision"
    __table_args__ = (
        ForeignKeyConstraint(["report_id", "author_id"], ["enquiry_report.id", "enquiry_report.officer_id"],
                             name="fk_decision_author"),
        CheckConstraint("officer_id <> author_id", name="four_eyes"),
        CheckConstraint("kind <> 'RETURNED' OR text <> ''", name="objections"),
        UniqueConstraint("report_id", "no"),
    )  # fmt: skip
    id: Mapped[int] = key()
    report_id: Mapped[int] = mapped_column(Key)
    no: Mapped[int] = mapped_column(Integer)
    kind: Mapped[DecisionKind] = mapped_column(choice(DecisionKind, "kind"))
    author_id: Mapped[int] = mapped_column(Key)
    officer_id: Mapped[int] = mapped_column(ForeignKey("officer.id"))
    officer: Mapped[Officer] = plain_relationship()
    post: Mapped[Post] = mapped_column(choice(Post, "post"))
    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"))
    at: Mapped[datetime]
    text: Mapped[str] = mapped_column(Text, default="", server_default="")


class Attachment(Model):
    """A file on a complaint: the bytes as they came, by their hash, and a clean copy of a picture."""

    __tablename__ = "attachment"
    __table_args__ = (
        UniqueConstraint("complaint_id", "sha256"),
        CheckConstraint("size > 0", name="size"),
    )
    id: Mapped[int] = key()
    complaint_id: Mapped[int] = mapped_column(ForeignKey("complaint.id"))
    action_id: Mapped[int | None] = mapped_column(ForeignKey("action.id"))
    name: Mapped[str] = mapped_column(String(120))
    media_type: Mapped[str] = mapped_column(String(60))
    size: Mapped[int] = mapped_column(Integer)
    sha256: Mapped[str] = mapped_column(String(64))
    public_sha256: Mapped[str | None] = mapped_column(String(64))
    facts: Mapped[dict[str, Any]] = mapped_column(JSON)
    at: Mapped[datetime]
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))


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
    corrects_id: Mapped[int | None] = mapped_column(ForeignKey("action.id"))
    origin_key: Mapped[str | None] = mapped_column(binary(80))


class Deadline(Model):
    """A promise with a date. Only the deadline code writes it, and copies it to the complaint.

    ``due_at`` moves by a :class:`DeadlineChange` alone (a trigger sees to it); the first date stays.
    The clock of the diary rolls: each entry starts it anew in the same row.
    """

    __tablename__ = "deadline"
    __table_args__ = (
        UniqueConstraint("complaint_id", "round", "kind", "no"),
        partial("ix_deadline_running", "kind", "due_at", "id", where="met_at IS NULL AND dropped_at IS NULL"),
    )  # fmt: skip
    id: Mapped[int] = key()
    complaint_id: Mapped[int] = mapped_column(ForeignKey("complaint.id"))
    complaint: Mapped[Complaint] = plain_relationship(back_populates="deadlines")
    round: Mapped[int] = mapped_column(Integer, default=1)
    kind: Mapped[DeadlineKind] = mapped_column(choice(DeadlineKind, "kind"))
    no: Mapped[int] = mapped_column(Integer, default=1, server_default="1")
    started_on: Mapped[date] = mapped_column(Date)
    started_at: Mapped[datetime]
    days: Mapped[int] = mapped_column(Integer)
    span: Mapped[Span] = mapped_column(choice(Span, "span"), default=Span.DAYS, server_default="DAYS")
    statutory: Mapped[bool] = mapped_column(Boolean, default=False, server_default=false())
    rolled: Mapped[list[dict[str, str]] | None] = mapped_column(JSON)
    first_due_at: Mapped[datetime]
    due_at: Mapped[datetime]
    met_at: Mapped[datetime | None]
    dropped_at: Mapped[datetime | None]
    changes: Mapped[list[DeadlineChange]] = plain_relationship(order_by="DeadlineChange.id")

    def derivation(self, day: Any) -> str:
        """How the date came about, in the reader's language; ``day`` formats a date or a moment."""
        words = {
            Span.DAYS: _l("%(days)s calendar days from %(start)s, to the end of %(due)s"),
            Span.WORKING_DAYS: _l("%(days)s working days from %(start)s, to the end of %(due)s"),
            Span.HOURS: _l("%(days)s hours from %(start)s"),
        }[self.span]
        start = self.started_at if self.span is Span.HOURS else self.started_on
        due = self.first_due_at if self.changes else self.due_at
        values = {"days": self.days, "start": day(start), "due": day(due)}
        said = [str(words) % values]
        for holiday in self.rolled or ():
            name = holiday["hi"] if language() == "hi" else holiday["en"]
            skipped = {"day": day(date.fromisoformat(holiday["day"])), "name": name}
            said.append(str(_l("%(day)s is a holiday (%(name)s)")) % skipped)
        said += [change.sentence(day) for change in self.changes]
        return "; ".join(said)


class DeadlineChange(Model):
    """That a due date was moved: from when to when, why and by whose leave. Append-only."""

    __tablename__ = "deadline_change"
    __table_args__ = (
        UniqueConstraint("deadline_id", "no"),
        CheckConstraint("old_due_at <> new_due_at", name="moved"),
    )
    id: Mapped[int] = key()
    deadline_id: Mapped[int] = mapped_column(ForeignKey("deadline.id"))
    no: Mapped[int] = mapped_column(Integer)
    old_due_at: Mapped[datetime]
    new_due_at: Mapped[datetime]
    request_id: Mapped[int] = mapped_column(ForeignKey("request.id"))
    request: Mapped[Request] = plain_relationship()
    at: Mapped[datetime]
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))

    def sentence(self, day: Any) -> str:
        """The change in words."""
        values = {"what": self.request.kind, "due": day(self.new_due_at), "on": day(self.at)}
        return str(_l("%(what)s on %(on)s: now %(due)s")) % values


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


def in_order(values: type[Choice], col: Any) -> ColumnElement[int]:
    """Sort key of a choice column in the order of its declaration."""
    return case(*((col == m, m.value) for m in values), else_=0)
