"""Messages leave here and nowhere else: SMTP when configured, else files in the data folder."""

from __future__ import annotations

import os
import smtplib
import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit


@dataclass(frozen=True, slots=True)
class Message:
    """One e-mail. ``key`` is its identity: a repeat after a crash carries the same Message-ID."""

    key: str
    to: str
    subject: str
    body: str
    attachment: tuple[str, bytes] | None = None


class Gateway(Protocol):
    """Something that takes a message or raises OSError / smtplib.SMTPException."""

    def send(self, message: Message) -> None:
        """Hand the message over."""


def mime(message: Message, sender: str) -> EmailMessage:
    """The message as it travels."""
    made = EmailMessage()
    made["Message-ID"] = f"<{safe(message.key)}@cms>"
    made["From"], made["To"], made["Subject"] = sender, message.to, message.subject
    made.set_content(message.body)
    if message.attachment:
        name, content = message.attachment
        made.add_attachment(content, maintype="application", subtype="pdf", filename=name)
    return made


def safe(key: str) -> str:
    """A key as a file name and as the left side of a Message-ID."""
    return "".join(c if c.isalnum() or c in "._-" else "-" for c in key)


@dataclass(frozen=True)
class Files:
    """Messages as .eml files: one per key, whole or not at all."""

    folder: Path
    sender: str

    def send(self, message: Message) -> None:
        """Write the file; the same key again replaces it by the same content."""
        self.folder.mkdir(parents=True, exist_ok=True)
        target = self.folder / f"{safe(message.key)}.eml"
        part = target.with_suffix(f".{os.getpid()}.part")
        part.write_bytes(bytes(mime(message, self.sender)))
        part.replace(target)


@dataclass(frozen=True)
class Smtp:
    """A mail server: smtp://user:password@host:port (STARTTLS) or smtps://."""

    url: str
    sender: str

    def send(self, message: Message) -> None:
        """One connection per message; a hanging server gives up after ten seconds."""
        parts = urlsplit(self.url)
        secure = parts.scheme == "smtps"
        kind = smtplib.SMTP_SSL if secure else smtplib.SMTP
        with kind(parts.hostname or "localhost", parts.port or 0, timeout=10) as server:
            if not secure and server.has_extn("starttls"):
                server.starttls(context=ssl.create_default_context())
            if parts.username:
                server.login(unquote(parts.username), unquote(parts.password or ""))
            server.send_message(mime(message, self.sender))


def gateway(data_dir: Path, smtp_url: str | None, sender: str) -> Gateway:
    """The gateway these settings ask for."""
    return Smtp(smtp_url, sender) if smtp_url else Files(data_dir / "mail", sender)
