"""What the public may ask: number + receipt code opens one complaint; a code proves a document."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from cms.models import Complaint, Document
from cms.vault import Vault


@dataclass(frozen=True, slots=True)
class Verified:
    """A document that this system issued, and whether a newer version replaces it."""

    document: Document
    number: str
    superseded: bool


def find(session: Session, vault: Vault, number: str, code: str) -> Complaint | None:
    """The complaint of this number and receipt code; a wrong one of either tells nothing."""
    wanted = number.strip().upper()
    complaint = session.scalar(select(Complaint).where(Complaint.number == wanted[:24]))
    # The comparison is made for a missing complaint too, so that both take the same time.
    right = vault.is_receipt_code(complaint.id if complaint else 0, code)
    return complaint if complaint is not None and right else None


def verify(session: Session, code: str) -> Verified | None:
    """The document behind a QR, or None if this system never issued it."""
    wanted = code.strip().upper()
    document = session.scalar(select(Document).where(Document.code == wanted[:20]))
    if document is None:
        return None
    newest = session.scalar(
        select(func.max(Document.version)).where(
            Document.complaint_id == document.complaint_id, Document.kind == document.kind
        )
    )
    number = session.scalar(select(Complaint.number).where(Complaint.id == document.complaint_id))
    return Verified(document, number or "", (newest or 0) > document.version)
