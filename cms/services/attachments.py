"""Files on a complaint: what may come in, the original for the police, a clean copy of a picture.

What a file is, its first bytes say, never its name. The original is kept as it came, by its hash, with
the camera's data; everybody else gets pictures drawn anew, without that data and of bounded size.
"""

from __future__ import annotations

import io
import struct
import threading
import zlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any

import filetype
from PIL import ExifTags, Image, ImageOps
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from cms.authz import visible
from cms.i18n import _l
from cms.models import Action, Attachment, Complaint, Officer, User
from cms.rules import NotFound, RuleBroken, Status, Viewer
from cms.services.desk import complaint_for
from cms.store import Store
from cms.unit_of_work import Work

MB = 1024 * 1024
MOST_BYTES = 10 * MB
"""Of one file."""
MOST_ON_COMPLAINT = 50 * MB
"""Of all files of one complaint together."""
AT_ONCE = 21 * MB
"""Of one form with its files; the web refuses more before it reads it."""
MOST_PIXELS = 64_000_000
"""Of a JPEG, which is read at a fraction of its size; the largest telephones take 50 to 64 million."""
MOST_PIXELS_WHOLE = 30_000_000
"""Of a PNG or WebP, which must be read whole: about 120 MB of memory."""
CLEAN_SIDE = 2_000
"""Longest side of a clean copy, in pixels."""
SMALL_SIDE = 240
"""Longest side of the little picture on the complaint page."""
BYTES = ".bin"
"""Ending of attachments in the store."""

TYPES: Mapping[str, tuple[str, ...]] = {
    "image/jpeg": (".jpg", ".jpeg"),
    "image/png": (".png",),
    "image/webp": (".webp",),
    "application/pdf": (".pdf",),
    "audio/mpeg": (".mp3",),
    "audio/mp4": (".m4a",),
    "audio/ogg": (".ogg", ".oga", ".opus"),
    "video/mp4": (".mp4",),
}
"""What may come in -> the endings under which it is handed out."""
PICTURES: Mapping[str, str] = {"image/jpeg": "JPEG", "image/png": "PNG", "image/webp": "WEBP"}
"""Pictures, and the one decoder of Pillow that may read each."""
ACCEPT = ",".join([*TYPES, *(ending for endings in TYPES.values() for ending in endings)])
"""For the file field of a form."""


@dataclass(frozen=True, slots=True)
class Examined:
    """A file that may come in: its bytes, its name under the right ending, a clean copy if a picture."""

    name: str
    media_type: str
    content: bytes
    clean: bytes | None = None
    facts: Mapping[str, Any] | None = None


def examine(content: bytes, name: str) -> Examined:
    """Look at a file before any row is locked: drawing a picture anew takes time.

    RuleBroken with a sentence if it is empty, too large, of a kind that may not come in, or damaged.
    """
    shown = plain_name(name)
    if not content:
        raise RuleBroken(_l("“%(file)s” is empty. Choose the file again."), file=shown)
    if len(content) > MOST_BYTES:
        raise RuleBroken(
            _l("“%(file)s” is larger than %(limit)s MB. Send a smaller one."),
            file=shown, limit=MOST_BYTES // MB,
        )  # fmt: skip
    kind = kind_of(content)
    if kind not in TYPES:
        raise RuleBroken(
            _l("“%(file)s” is none of these: photograph (JPEG, PNG, WebP), PDF, sound (MP3, M4A, OGG), film (MP4)."),
            file=shown,
        )  # fmt: skip
    found = Examined(with_ending(shown, kind), kind, content)
    return drawn_anew(found) if kind in PICTURES else found


def kind_of(content: bytes) -> str:
    """The media type that the first bytes say, or nothing."""
    found = filetype.guess(content[:8_192])
    return str(found.mime) if found is not None else ""


def plain_name(name: str) -> str:
    """The last part of a path without control characters; at most 100 characters."""
    last = PurePosixPath(name.replace("\\", "/")).name
    said = "".join(c for c in last if c.isprintable() and c not in '"<>|:*?/').strip(" .")
    return said[-100:].strip(" .") or "file"


def with_ending(name: str, media_type: str) -> str:
    """The name with an ending that fits what the file is, so that nothing else opens it."""
    endings = TYPES[media_type]
    return name if name.lower().endswith(endings) else name + endings[0]


# ---------------------------------------------------------------- pictures

DAMAGED = (
    OSError, ValueError, SyntaxError, EOFError, LookupError, TypeError, ArithmeticError, struct.error, zlib.error,
    Image.DecompressionBombError, Image.DecompressionBombWarning,
)  # fmt: skip
"""What Pillow raises for a picture that is cut off, nonsense, or made to fill the memory."""


DRAWING = threading.Lock()
"""One picture at a time in a process: each may take a hundred megabytes while it is drawn."""


def drawn_anew(found: Examined) -> Examined:
    """The picture's facts and its clean copy. RuleBroken if it is damaged or has too many points."""
    try:
        with DRAWING, Image.open(io.BytesIO(found.content), formats=[PICTURES[found.media_type]]) as picture:
            size = picture.size
            check_points(found, size[0] * size[1])
            facts = {"width": size[0], "height": size[1], **camera_facts(picture.getexif())}
            return replace(found, clean=clean_copy(picture, CLEAN_SIDE), facts=facts)
    except DAMAGED as error:
        raise RuleBroken(_l("The picture “%(file)s” is damaged and cannot be read."), file=found.name) from error


def check_points(found: Examined, points: int) -> None:
    """RuleBroken if decoding would take more memory than the web may spend."""
    limit = MOST_PIXELS if found.media_type == "image/jpeg" else MOST_PIXELS_WHOLE
    if points > limit:
        raise RuleBroken(
            _l("The picture “%(file)s” has more than %(limit)s million points. Take it in a smaller size."),
            file=found.name, limit=limit // 1_000_000,
        )  # fmt: skip


def clean_copy(picture: Image.Image, side: int) -> bytes:
    """The first picture of the file as an upright JPEG of bounded size, with nothing but points in it."""
    picture.draft("RGB", (side, side))
    whole = picture.convert("RGBA") if picture.mode in ("1", "P", "PA") else picture
    whole.thumbnail((side, side))  # before anything else that would copy all the points
    upright = ImageOps.exif_transpose(whole)
    if upright.mode != "RGB":
        flat = Image.new("RGB", upright.size, "white")
        alpha = upright.convert("RGBA")
        flat.paste(alpha, mask=alpha.getchannel("A"))
        upright = flat
    upright.info.clear()
    made = io.BytesIO()
    upright.save(made, "JPEG", quality=85, optimize=True)
    return made.getvalue()


def small(clean: bytes) -> bytes:
    """A clean copy once more, in the size of the complaint page."""
    with Image.open(io.BytesIO(clean), formats=["JPEG"]) as picture:
        return clean_copy(picture, SMALL_SIDE)


def camera_facts(exif: Image.Exif) -> dict[str, Any]:
    """When and where the camera says the picture was taken, as far as it says so believably."""
    facts: dict[str, Any] = {}
    taken = str(exif.get_ifd(ExifTags.IFD.Exif).get(ExifTags.Base.DateTimeOriginal) or "")
    with suppress(ValueError):
        facts["taken"] = datetime.strptime(taken.strip("\0 "), "%Y:%m:%d %H:%M:%S").isoformat()  # noqa: DTZ007
    place = exif.get_ifd(ExifTags.IFD.GPSInfo)
    try:
        north = degrees(place[ExifTags.GPS.GPSLatitude], place[ExifTags.GPS.GPSLatitudeRef] == "S")
        east = degrees(place[ExifTags.GPS.GPSLongitude], place[ExifTags.GPS.GPSLongitudeRef] == "W")
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return facts
    if abs(north) <= 90 and abs(east) <= 180:
        facts["place"] = [north, east]
    return facts


def degrees(parts: Any, negative: bool) -> float:
    """Degrees, minutes and seconds as one figure."""
    whole, minutes, seconds = (float(part) for part in parts)
    value = round(whole + minutes / 60 + seconds / 3600, 6)
    return -value if negative else value


# ---------------------------------------------------------------- keeping


def keep(
    work: Work, store: Store, complaint: Complaint, content: bytes | Examined, name: str = "",
    action: Action | None = None,
) -> Attachment:  # fmt: skip
    """Put a file on a complaint, with the diary entry it belongs to if there is one.

    Give what :func:`examine` made to keep the work on the picture out of the transaction. The same file
    again gives back the row that is there. RuleBroken if the file may not come in or the complaint has
    no room; the bytes lie in the store before the row, so that no row is without its bytes.
    """
    found = content if isinstance(content, Examined) else examine(content, name)
    sha256 = store.put(found.content, BYTES)
    query = select(Attachment).where(Attachment.complaint_id == complaint.id, Attachment.sha256 == sha256)
    there = work.session.scalar(query)
    if there is not None:
        return there
    check_room(work, complaint, found)
    kept = Attachment(
        complaint_id=complaint.id, action_id=action_id(work, action), name=found.name,
        media_type=found.media_type, size=len(found.content), sha256=sha256,
        public_sha256=store.put(found.clean, BYTES) if found.clean else None,
        facts=dict(found.facts or {}), at=work.now, user_id=work.actor.user_id,
    )  # fmt: skip
    work.session.add(kept)
    work.session.flush()
    return kept


def action_id(work: Work, action: Action | None) -> int | None:
    """The id of the diary entry, which may not be written yet."""
    if action is None:
        return None
    work.session.flush()
    return action.id


def check_room(work: Work, complaint: Complaint, found: Examined) -> None:
    """RuleBroken if the complaint's files would pass its limit."""
    query = select(func.coalesce(func.sum(Attachment.size), 0)).where(Attachment.complaint_id == complaint.id)
    used = work.session.scalar(query) or 0
    if used + len(found.content) > MOST_ON_COMPLAINT:
        raise RuleBroken(
            _l("The files of this complaint are limited to %(limit)s MB; %(free)s MB are left."),
            limit=MOST_ON_COMPLAINT // MB, free=(MOST_ON_COMPLAINT - used) // MB,
        )  # fmt: skip


def attach(work: Work, store: Store, complaint_id: int, files: list[Examined]) -> list[Attachment]:
    """Put files on a complaint by themselves, all of them or none.

    NotFound, Forbidden; RuleBroken if none was chosen or the complaint goes on under another number.
    """
    complaint = complaint_for(work, "attach", complaint_id)
    if not files:
        raise RuleBroken(_l("Choose a file first."))
    if complaint.status is Status.MERGED:
        raise RuleBroken(_l("This complaint goes on under another number; put the file there."))
    return [keep(work, store, complaint, found) for found in files]


# ---------------------------------------------------------------- reading


def of_complaint(session: Session, viewer: Viewer, complaint_id: int) -> list[tuple[Attachment, Officer | None]]:
    """The files of a complaint in this viewer's scope, oldest first, with who put each there."""
    query: Any = (
        select(Attachment, Officer)
        .outerjoin(User, User.id == Attachment.user_id)
        .outerjoin(Officer, Officer.id == User.officer_id)
        .where(Attachment.complaint_id == complaint_id)
        .order_by(Attachment.id)
    )
    return [(row[0], row[1]) for row in session.execute(visible(query, Attachment, viewer))]


def one(session: Session, viewer: Viewer, complaint_id: int, attachment_id: int) -> Attachment:
    """A file of a complaint in this viewer's scope. NotFound if it is foreign or missing."""
    query = select(Attachment).where(Attachment.id == attachment_id, Attachment.complaint_id == complaint_id)
    found: Attachment | None = session.scalar(visible(query, Attachment, viewer))
    if found is None:
        raise NotFound("Attachment")
    return found


def original(store: Store, attachment: Attachment) -> bytes:
    """The bytes as they came. NotFound if they are gone or no longer match their hash."""
    return there_or_not_found(store.get(attachment.sha256, BYTES))


def clean(store: Store, attachment: Attachment) -> bytes:
    """The clean copy of a picture. NotFound for anything else, or if it is gone."""
    return there_or_not_found(store.get(attachment.public_sha256 or "", BYTES))


def there_or_not_found(content: bytes | None) -> bytes:
    """The bytes. NotFound if there are none."""
    if content is None:
        raise NotFound("Attachment")
    return content


__all__ = [
    "ACCEPT", "AT_ONCE", "Examined", "attach", "clean", "examine", "keep", "of_complaint", "one", "original",
    "small",
]
