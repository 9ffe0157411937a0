"""Rows of the machine room: numbers, messages, history, seals, imports, who looked."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Boolean, ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from cms.columns import Key, binary, choice, key
from cms.tables.base import Model, partial
from cms.tables.choices import SendState


class NumberSeries(Model):
    """The last number given in a district and year: locked, counted up, never skipped."""

    __tablename__ = "number_series"
    district_id: Mapped[int] = mapped_column(ForeignKey("unit.id"), primary_key=True)
    year: Mapped[int] = mapped_column(Integer, primary_key=True)
    last: Mapped[int] = mapped_column(Integer, default=0)


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


class Submission(Model):
    """That a form was received: the same form sent again is not done again. Kept for some days."""

    __tablename__ = "submission"
    form_key: Mapped[str] = mapped_column(binary(64), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"), primary_key=True)
    at: Mapped[datetime]


class Seen(Model):
    """That somebody opened a complaint: append-only, one row an hour for one account."""

    __tablename__ = "seen"
    __table_args__ = (
        UniqueConstraint("complaint_id", "user_id", "hour"),
        Index("ix_seen_user", "user_id", "id"),
    )
    id: Mapped[int] = key()
    complaint_id: Mapped[int] = mapped_column(ForeignKey("complaint.id"))
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    hour: Mapped[int] = mapped_column(Integer)
    at: Mapped[datetime]
    name: Mapped[str] = mapped_column(String(80))
    post: Mapped[str] = mapped_column(String(20), default="", server_default="")
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"))
