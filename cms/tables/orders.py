"""The indexes of the complaints: each order of each list, wide and narrow, is a walk of one of them."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Index

from cms.tables.base import partial

SHORT_CLOCK = timedelta(days=14)
"""Open complaints to be closed within less than this have an index of their own on PostgreSQL
(``short_clock``). Any other one that is overdue was registered longer ago than this: a list of the
overdue, the newest first, finds those behind the many that are not due yet.
"""


def complaint_indexes() -> tuple[Index, ...]:
    """The indexes of the table ``complaint`` on both databases."""
    return (*open_indexes(), *closed_indexes(), *other_indexes())


def open_indexes() -> tuple[Index, ...]:
    """Orders of the lists of open complaints.

    The due date is part of the key where a list of the overdue walks another order: what is not due
    yet is passed within the index, without a look at whether its row is still there.
    """
    return (
        partial("ix_complaint_open_due", "due_at", "id", where="is_open AND NOT restricted", include=["unit_id"]),
        partial("ix_complaint_open_unit_due", "unit_id", "due_at", "id", where="is_open AND NOT restricted"),
        partial("ix_complaint_open_unassigned", "unit_id", "due_at", "id",
                where="is_open AND io_id IS NULL AND NOT restricted"),
        partial("ix_complaint_io_due", "io_id", "due_at", "id", where="is_open"),
        partial("ix_complaint_open_number", "number", "id", "due_at",
                where="is_open AND NOT restricted", include=["unit_id"]),
        partial("ix_complaint_open_registered", "registered_at", "id", "due_at",
                where="is_open AND NOT restricted", include=["unit_id"]),
        partial("ix_complaint_open_unit_registered", "unit_id", "registered_at", "id", "due_at",
                where="is_open AND NOT restricted"),
        partial("ix_complaint_open_unit_number", "unit_id", "number", "id", "due_at",
                where="is_open AND NOT restricted"),
        partial("ix_complaint_open_io_number", "io_id", "number", "id", "due_at",
                where="is_open AND NOT restricted"),
        partial("ix_complaint_open_io_registered", "io_id", "registered_at", "id", "due_at",
                where="is_open AND NOT restricted"),
    )  # fmt: skip


def closed_indexes() -> tuple[Index, ...]:
    """Orders of the lists of closed complaints."""
    return (
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
    )  # fmt: skip


def other_indexes() -> tuple[Index, ...]:
    """Orders of all complaints together, and short lists of those that wait for something."""
    return (
        Index("ix_complaint_io_registered", "io_id", "registered_at", "id"),
        partial("ix_complaint_due", "due_at", "id", where="NOT restricted", include=["unit_id"]),
        partial("ix_complaint_registered", "registered_at", "id", where="NOT restricted", include=["unit_id"]),
        Index("ix_complaint_unit_registered", "unit_id", "registered_at", "id", postgresql_include=["restricted"]),
        Index("ix_complaint_unit_due", "unit_id", "due_at", "id"),
        partial("ix_complaint_unit_number", "unit_id", "number", "id", where="NOT restricted"),
        partial("ix_complaint_io_number", "io_id", "number", "id", where="NOT restricted"),
        partial("ix_complaint_io_due_all", "io_id", "due_at", "id", where="NOT restricted", include=["is_open"]),
        partial("ix_complaint_number_id", "number", "id", where="NOT restricted",
                include=["unit_id", "is_open", "due_at"]),
        Index("ix_complaint_category_due", "category_id", "due_at", "id"),
        partial("ix_complaint_copy_unsettled", "registered_unit_id", "id", where="copy_settled_at IS NULL"),
        partial("ix_complaint_restricted", "id", where="restricted"),
        partial("ix_complaint_transfer_to", "transfer_to_id", "id", where="transfer_to_id IS NOT NULL"),
        partial("ix_complaint_awaiting", "unit_id", "status", "id",
                where="status IN ('ON_HOLD','REPORT_SUBMITTED','RETURNED','WITH_APPROVER','FEEDBACK','APPEALED')"),
    )  # fmt: skip
