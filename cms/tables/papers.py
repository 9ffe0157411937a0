"""Papers that are issued, how they reached the complainant, and who else gets a copy.

Relations to the complaint and the unit are named: their tables stand above, in ``cms.models``.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    Date,
    ForeignKey,
    Index,
    Integer,
    String,
    UniqueConstraint,
    false,
    true,
)  # fmt: skip
from sqlalchemy.orm import Mapped, mapped_column, relationship

from cms.columns import binary, choice, column, key, link
from cms.i18n import _l
from cms.rules import Post
from cms.tables.base import Model, Recorded, Versioned, partial
from cms.tables.choices import Channel, DocumentKind, DocumentState, Edition


class Rendered:
    """A paper made by the renderer: what it says is fixed at issue; its bytes are stored, never remade."""

    issued_at: Mapped[datetime]
    data: Mapped[dict[str, Any]] = mapped_column(JSON)
    template: Mapped[str] = mapped_column(String(8), default="v1", server_default="v1")
    edition: Mapped[Edition] = mapped_column(
        choice(Edition, "edition"), default=Edition.HI_EN, server_default="HI_EN"
    )
    state: Mapped[DocumentState] = mapped_column(
        choice(DocumentState, "state"), default=DocumentState.PENDING
    )
    sha256: Mapped[str | None] = mapped_column(String(64))
    size: Mapped[int | None] = mapped_column(Integer)
    pages: Mapped[int | None] = mapped_column(Integer)
    rendered_at: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(Integer, default=0, server_default="0")


class Document(Rendered, Model):
    """An issued document of a complaint; a later version supersedes it and replaces nothing."""

    __tablename__ = "document"
    __table_args__ = (
        UniqueConstraint("complaint_id", "kind", "version"),
        CheckConstraint("state <> 'READY' OR sha256 IS NOT NULL", name="bytes"),
        partial("ix_document_pending", "id", where="state = 'PENDING'"),
    )  # fmt: skip
    id: Mapped[int] = key()
    complaint_id: Mapped[int] = mapped_column(ForeignKey("complaint.id"))
    complaint: Mapped[Any] = relationship("Complaint", back_populates="documents")
    kind: Mapped[DocumentKind] = mapped_column(choice(DocumentKind, "kind"))
    version: Mapped[int] = mapped_column(Integer, default=1)
    issued_by_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    code: Mapped[str] = mapped_column(binary(20), unique=True)


class HandOverPaper(Rendered, Model):
    """The hand-over note of one officer by one order, as a file: a paper of the office without a code."""

    __tablename__ = "handover_paper"
    __table_args__ = (
        UniqueConstraint("proposal_id", "officer_id"),
        CheckConstraint("state <> 'READY' OR sha256 IS NOT NULL", name="bytes"),
        partial("ix_handover_paper_pending", "id", where="state = 'PENDING'"),
    )  # fmt: skip
    id: Mapped[int] = key()
    proposal_id: Mapped[int] = mapped_column(ForeignKey("proposal.id"))
    officer_id: Mapped[int] = mapped_column(ForeignKey("officer.id"))


class PrintBatch(Rendered, Model):
    """Letters that a desk asked for as one file to be printed. A convenience: row and file go after a time."""

    __tablename__ = "print_batch"
    __table_args__ = (
        CheckConstraint("state <> 'READY' OR sha256 IS NOT NULL", name="bytes"),
        Index("ix_print_batch_asked_by_id", "asked_by_id", "id"),
        Index("ix_print_batch_until", "until"),
        partial("ix_print_batch_pending", "id", where="state = 'PENDING'"),
    )  # fmt: skip
    id: Mapped[int] = key()
    asked_by_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"))
    kind: Mapped[DocumentKind] = mapped_column(choice(DocumentKind, "kind"))
    apart: Mapped[bool] = mapped_column(Boolean, default=False, server_default=false())
    until: Mapped[datetime]


class Delivery(Model):
    """That a document was handed over, sent or declined: append-only."""

    __tablename__ = "delivery"
    __table_args__ = (
        CheckConstraint("channel <> 'DECLINED' OR note <> ''", name="declined_why"),
        Index("ix_delivery_document", "document_id"),
    )
    id: Mapped[int] = key()
    document_id: Mapped[int] = mapped_column(ForeignKey("document.id"))
    document: Mapped[Document] = relationship()
    channel: Mapped[Channel] = mapped_column(choice(Channel, "channel"))
    at: Mapped[datetime]
    address: Mapped[str] = mapped_column(String(160), default="", server_default="")
    note: Mapped[str] = mapped_column(String(300), default="", server_default="")
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))


class CopyTo(Versioned, Recorded, Model):
    """Who gets a copy of a unit's papers. The rows of the nearest unit upwards that has some count."""

    __tablename__ = "copy_to"
    __table_args__ = (Index("ix_copy_to_unit_id", "unit_id"),)
    id: Mapped[int] = key()
    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"))
    unit: Mapped[Any] = link(
        "Unit", label=_l("Unit"), help=_l("Holds for the units below too, unless they have a list of their own.")
    )
    kind: Mapped[DocumentKind | None] = column(
        choice(DocumentKind, "kind"), label=_l("Document"), empty=_l("every document"),
        help=_l("A list for one kind of document goes before the list for every document."),
    )  # fmt: skip
    name_en: Mapped[str] = column(String(120), label=_l("Name in English"), search=True)
    name_hi: Mapped[str] = column(String(120), label=_l("Name in Hindi"), search=True)
    position: Mapped[int] = column(Integer, label=_l("Place in the list"), default=1)
    active: Mapped[bool] = column(Boolean, label=_l("In use"), default=True, server_default=true(), nullable=False)


class Signatory(Versioned, Recorded, Model):
    """Who signs the letters of an office instead of whoever issues them: a post, and the words for it.

    It holds for this very office: a district that signs "for Superintendent" says nothing of its stations.
    """

    __tablename__ = "signatory"
    __table_args__ = (
        CheckConstraint("valid_to IS NULL OR valid_to > valid_from", name="dates"),
        Index("ix_signatory_unit_id", "unit_id"),
    )
    id: Mapped[int] = key()
    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"))
    unit: Mapped[Any] = link(
        "Unit", label=_l("Unit"), foreign_keys="Signatory.unit_id",
        help=_l("The office whose letters they are. The units below it sign for themselves."),
    )  # fmt: skip
    kind: Mapped[DocumentKind | None] = column(
        choice(DocumentKind, "kind"), label=_l("Document"), empty=_l("every document"),
        help=_l("A row for one kind of document goes before the row for every document."),
    )  # fmt: skip
    post: Mapped[Post] = column(
        choice(Post, "post"), label=_l("Signed by"),
        help=_l("Whoever holds this post on the day of issue. While it is vacant, whoever issues the letter signs."),
    )  # fmt: skip
    seat_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"))
    seat: Mapped[Any] = link(
        "Unit", label=_l("Unit of this post"), foreign_keys="Signatory.seat_id", empty=_l("the same unit")
    )
    words_en: Mapped[str] = column(
        String(120), label=_l("Words below the name in English"), search=True,
        help=_l("For example: for Superintendent of Police, Hisar"),
    )  # fmt: skip
    words_hi: Mapped[str] = column(
        String(120), label=_l("Words below the name in Hindi"), search=True,
        help=_l("For example: for Superintendent of Police, Hisar"),
    )  # fmt: skip
    valid_from: Mapped[date] = column(Date, label=_l("Valid from"))
    valid_to: Mapped[date | None] = column(Date, label=_l("Valid before"))
