"""Issued documents and attached files by their SHA-256: written whole or not at all, never changed."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Store:
    """A folder of files named by their content: ``.pdf`` for documents, ``.bin`` for attachments."""

    root: Path

    def path(self, sha256: str, suffix: str = ".pdf") -> Path:
        """Where the file of this hash lies."""
        return self.root / sha256[:2] / f"{sha256}{suffix}"

    def put(self, content: bytes, suffix: str = ".pdf") -> str:
        """Keep the bytes and give their SHA-256. OSError when the disk is full; no half file."""
        sha256 = hashlib.sha256(content).hexdigest()
        target = self.path(sha256, suffix)
        if target.exists():
            return sha256
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_suffix(f".{os.getpid()}.part")
        try:
            with part.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)
        folder = os.open(target.parent, os.O_RDONLY)
        os.fsync(folder)
        os.close(folder)
        return sha256

    def drop(self, sha256: str, suffix: str = ".pdf") -> None:
        """Take away a file that was kept for a time only; an issued document never is."""
        self.path(sha256, suffix).unlink(missing_ok=True)

    def get(self, sha256: str, suffix: str = ".pdf") -> bytes | None:
        """The bytes, or None if they are gone or no longer match their name."""
        try:
            content = self.path(sha256, suffix).read_bytes()
        except FileNotFoundError:
            return None
        return content if hashlib.sha256(content).hexdigest() == sha256 else None
