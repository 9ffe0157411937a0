"""What the public may ask: number + receipt code opens one complaint; a code proves a document."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from cms.models import Complaint, Document
from cms.vault import Vault

MAX_FILE = 1024 * 1024
"""Bytes; the largest file that is compared. Our documents have at most 60 KB a page."""
_FILE_ID = re.compile(rb"/ID\s*\[\s*(?:\(([0-9A-Za-z-]{8,20})\)|<([0-9A-Fa-f]{16,40})>)")


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


def goes_on_as(complaint: Complaint) -> Complaint | None:
    """The complaint with which this one was merged, to the end of the line; None if it was not."""
    found, seen = complaint.merged_into, {complaint.id}
    while found is not None and found.merged_into is not None and found.id not in seen:
        seen.add(found.id)
        found = found.merged_into
    return found


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


@dataclass(frozen=True, slots=True)
class FileChecked:
    """What is known of a file: ``changed`` if its code is ours and its bytes are not."""

    verdict: Literal["genuine", "superseded", "changed", "unknown"]
    found: Verified | None


def check_file(session: Session, content: bytes, code: str = "") -> FileChecked:
    """Compare a file with what was issued under the code it carries, else under ``code``.

    The file is neither kept nor opened: only its code is read and its SHA-256 compared.
    """
    found = verify(session, code_in(content)) or verify(session, code)
    if found is None:
        return FileChecked("unknown", None)
    if hashlib.sha256(content).hexdigest() != found.document.sha256:
        return FileChecked("changed", found)
    return FileChecked("superseded" if found.superseded else "genuine", found)


def code_in(content: bytes) -> str:
    """The verification code that one of our PDFs carries as its identifier, or nothing."""
    match = _FILE_ID.search(content)
    if match is None:
        return ""
    letters = match[1] or bytes.fromhex(match[2][: len(match[2]) // 2 * 2].decode())
    return letters.decode("ascii", "replace")
