"""Keys derived from the one secret: receipt codes, seals, and personal values in history."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from functools import lru_cache

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
"""Letters and digits that nobody confuses when reading a code aloud."""


@dataclass(frozen=True)
class Vault:
    """Everything that needs the secret key; the secret itself is in no database row."""

    secret: str

    def key(self, purpose: str) -> bytes:
        """32 bytes for one purpose."""
        return hmac.digest(self.secret.encode(), b"cms:" + purpose.encode(), hashlib.sha256)

    def receipt_code(self, complaint_id: int, issue: int = 1) -> str:
        """The 12 digits that, with the number, open tracking and documents; not stored."""
        mac = hmac.digest(self.key("receipt"), f"{complaint_id}/{issue}".encode(), hashlib.sha256)
        return f"{int.from_bytes(mac[:8]) % 10**12:012d}"

    def is_receipt_code(self, complaint_id: int, code: str, issue: int = 1) -> bool:
        """Compare in constant time; blanks and hyphens in what was typed do not count."""
        digits = "".join(c for c in code if c.isdigit() and c.isascii())
        return hmac.compare_digest(digits, self.receipt_code(complaint_id, issue))

    def mac(self, purpose: str, data: bytes) -> str:
        """A keyed hash in hex."""
        return hmac.digest(self.key(purpose), data, hashlib.sha256).hex()

    def new_record_key(self) -> tuple[bytes, bytes]:
        """A fresh key for one complaint's personal values, bare and wrapped for storage."""
        bare = secrets.token_bytes(32)
        nonce = secrets.token_bytes(12)
        return bare, nonce + sealer(self.key("record")).encrypt(nonce, bare, None)

    def open_record_key(self, wrapped: bytes) -> bytes:
        """The bare key of a complaint. InvalidTag if the secret is another one."""
        return AESGCM(self.key("record")).decrypt(wrapped[:12], wrapped[12:], None)


@lru_cache(maxsize=2)
def sealer(key: bytes) -> AESGCM:
    """The cipher of a key; kept because the values of one complaint come one after the other."""
    return AESGCM(key)


def seal_value(record_key: bytes, value: str) -> str:
    """Encrypt one personal value; the text form goes into the history chain."""
    nonce = secrets.token_bytes(12)
    sealed = nonce + sealer(record_key).encrypt(nonce, value.encode(), None)
    return "enc:" + base64.b64encode(sealed).decode()


def open_value(record_key: bytes, sealed: str) -> str:
    """Decrypt what :func:`seal_value` made."""
    raw = base64.b64decode(sealed.removeprefix("enc:"))
    return AESGCM(record_key).decrypt(raw[:12], raw[12:], None).decode()


def new_code(length: int = 16) -> str:
    """An unguessable code for the QR of a document (80 bits at 16 letters)."""
    return "".join(ALPHABET[byte % 32] for byte in secrets.token_bytes(length))


def new_token() -> str:
    """256 random bits for a browser session or a form."""
    return secrets.token_urlsafe(32)


def fingerprint(token: str) -> str:
    """What is stored of a token."""
    return hashlib.sha256(token.encode()).hexdigest()
