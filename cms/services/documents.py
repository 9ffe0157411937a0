"""The copy of the complaint and the action-taken report: what they say is fixed at issue.

The row carries the plain data; the renderer makes the bytes from it, at once or when it is back.
The receipt code is derived when the document is made and is stored nowhere.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from flask_babel import force_locale
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from cms.i18n import _l, english_date, hindi_date, ist_day, show_moment
from cms.models import (
    TOLD,
    Action,
    Complaint,
    Document,
    DocumentKind,
    DocumentState,
    Officer,
    Party,
    PartyRole,
    Unit,
)  # fmt: skip
from cms.pdf import DocumentRefused
from cms.pdf_data import CopyData, LetterData, LetterPart, ReportAction, ReportData, ReportFinding
from cms.rules import CLOCK_DAYS, Post
from cms.store import Store
from cms.unit_of_work import Work, unit_of_work
from cms.vault import Vault, new_code

QUICK_TRIES = 5
APPEAL_DAYS = 30
LETTERS = (DocumentKind.INTERIM, DocumentKind.REOPENED, DocumentKind.APPEAL)
TEMPLATES = {
    DocumentKind.COPY: "copy.html", DocumentKind.REPORT: "report.html",
    **dict.fromkeys(LETTERS, "letter.html"),
}  # fmt: skip
CLASSES: dict[DocumentKind, type[Any]] = {
    DocumentKind.COPY: CopyData,
    DocumentKind.REPORT: ReportData,
    **dict.fromkeys(LETTERS, LetterData),
}


def issue_copy(work: Work, complaint: Complaint) -> Document:
    """The copy that the complainant takes home."""
    return issue(work, complaint, DocumentKind.COPY, copy_data(work, complaint))


def issue_report(work: Work, complaint: Complaint) -> Document:
    """The action-taken report of the disposal just made."""
    return issue(work, complaint, DocumentKind.REPORT, report_data(work, complaint))


def issue(
    work: Work, complaint: Complaint, kind: DocumentKind, data: dict[str, Any]
) -> Document:
    """A new version of a document; the earlier ones stay and are superseded by it."""
    last = work.session.scalar(
        select(func.max(Document.version)).where(
            Document.complaint_id == complaint.id, Document.kind == kind
        )
    )
    code = new_code()
    version = (last or 0) + 1
    document = Document(
        complaint_id=complaint.id,
        kind=kind,
        version=version,
        issued_at=work.now,
        issued_by_id=work.actor.user_id,
        code=code,
        data={**data, "version": version, "verification_code": code},
        state=DocumentState.PENDING,
    )
    work.session.add(document)
    work.session.flush()
    work.hint("render", document.id)
    return document


def both(make: Callable[[], Any], name: str) -> dict[str, str]:
    """``name_hi`` and ``name_en`` of a text that depends on the language in force."""
    said = {}
    for lang in ("hi", "en"):
        with force_locale(lang):
            said[f"{name}_{lang}"] = str(make())
    return said


def days(name: str, moment: Any) -> dict[str, str]:
    """A day in both languages."""
    day = ist_day(moment) if isinstance(moment, datetime) else moment
    return {f"{name}_hi": hindi_date(day), f"{name}_en": english_date(day)}


def moments(name: str, at: datetime) -> dict[str, str]:
    """Day and time in both languages."""
    return {f"{name}_{lang}": show_moment(at, lang) for lang in ("hi", "en")}


def letterhead(session: Session, complaint: Complaint) -> dict[str, list[str]]:
    """Lines of the letterhead: the district's office, then the station."""
    district, unit = complaint.district, complaint.unit
    units = [district] if district.id == unit.id else [district, unit]
    return {
        "letterhead_hi": [u.letterhead_hi or u.name_hi for u in units],
        "letterhead_en": [u.letterhead_en or u.name_en for u in units],
    }


def complainant(complaint: Complaint) -> Party | None:
    """The person who gets the copy and the report."""
    people_in = [p for p in complaint.parties if p.role is PartyRole.COMPLAINANT]
    return people_in[0] if people_in else None


def officer_of(work: Work) -> dict[str, str]:
    """Who signs: the actor's name, rank and post."""
    officer = work.session.get(Officer, work.actor.officer_id) if work.actor.officer_id else None
    seat = work.actor.seats[0] if work.actor.seats else None
    post = seat.post if seat else Post.BRANCH
    return {
        "officer_name": officer.name_en if officer else work.actor.name,
        "officer_rank_hi": officer.rank.name_hi if officer else "",
        "officer_rank_en": officer.rank.name_en if officer else "",
        **both(lambda: post.label, "officer_post"),
    }


def copy_data(work: Work, complaint: Complaint) -> dict[str, Any]:
    """What the copy says, in both languages; the addresses and the code are added when made."""
    party = complainant(complaint)
    deadline_words = _l("%(days)s calendar days from the date of receipt") % {"days": CLOCK_DAYS}
    opposite = [p.name for p in complaint.parties if p.role is PartyRole.OPPOSITE]
    return {
        **letterhead(work.session, complaint),
        "number": complaint.number,
        "complainant_name": party.name if party else "",
        "complainant_address": (party.address if party else None) or "",
        "complainant_phone": (party.phone if party else None) or "",
        "against": [*opposite, *(against(link) for link in complaint.accused)],
        "subject": complaint.subject or "",
        "text": complaint.text or "",
        "text_language": complaint.language.name.lower(),
        **both(lambda: complaint.mode.name, "mode"),
        **both(lambda: complaint.category, "category"),
        **both(lambda: complaint.unit.name, "station"),
        **days("received_on", complaint.received_on),
        **moments("registered_at", complaint.registered_at),
        **days("due_on", complaint.due_at),
        **both(lambda: deadline_words, "due_reason"),
        **moments("issued_at", work.now),
        **officer_of(work),
    }


def against(link: Any) -> str:
    """An accused link in words."""
    if link.officer:
        return f"{link.officer.rank.short_en} {link.officer.name_en}"
    return str(link.unit.name_en if link.unit else link.described)


def report_data(work: Work, complaint: Complaint) -> dict[str, Any]:
    """What the action-taken report says."""
    party = complainant(complaint)
    io = complaint.io
    spent = (ist_day(work.now) - complaint.received_on).days
    return {
        **letterhead(work.session, complaint),
        "memo_number": f"{complaint.number}/ATR",
        **days("date", work.now),
        "addressee_name": party.name if party else "",
        "addressee_address": (party.address if party else None) or "",
        **both(lambda: _l("Sir / Madam,"), "salutation"),
        "number": complaint.number,
        **days("complaint_date", complaint.received_on),
        "complaint_subject": complaint.subject or "",
        "io_name": io.name_en if io else "",
        **both(lambda: io.rank.name if io else "", "io_rank"),
        **both(lambda: complaint.unit.name, "io_unit"),
        "period_hi": period("hi", complaint, work.now, spent),
        "period_en": period("en", complaint, work.now, spent),
        "actions": [report_action(a) for a in told_actions(work, complaint)],
        "findings": [report_finding(a) for a in complaint.allegations],
        **both(lambda: complaint.disposition, "outcome"),
        "outcome_reasons": complaint.disposal_text or "",
        "outcome_language": language_of(complaint.disposal_text),
        **appeal(work, complaint),
        **moments("issued_at", work.now),
        **officer_of(work),
        **copies(complaint),
    }


MEMO = {DocumentKind.INTERIM: "IR", DocumentKind.REOPENED: "RO", DocumentKind.APPEAL: "AP"}
"""What stands after the number in the reference of a letter."""


def letter_data(
    work: Work, complaint: Complaint, kind: DocumentKind, subject: tuple[str, str],
    parts: list[dict[str, str]],
) -> dict[str, Any]:  # fmt: skip
    """What a letter says: its paragraphs between address and signature."""
    party = complainant(complaint)
    return {
        **letterhead(work.session, complaint),
        "memo_number": f"{complaint.number}/{MEMO[kind]}",
        **days("date", work.now),
        "addressee_name": party.name if party else "",
        "addressee_address": (party.address if party else None) or "",
        **both(lambda: _l("Sir / Madam,"), "salutation"),
        "number": complaint.number,
        **days("complaint_date", complaint.received_on),
        "complaint_subject": complaint.subject or "",
        "subject_hi": subject[0],
        "subject_en": subject[1],
        "parts": parts,
        **moments("issued_at", work.now),
        **officer_of(work),
        **copies(complaint),
    }


def period(lang: str, complaint: Complaint, now: datetime, spent: int) -> str:
    """The time the enquiry took, in words."""
    say = hindi_date if lang == "hi" else english_date
    with force_locale(lang):
        words = str(_l("%(days)s days") % {"days": spent})
    return f"{say(complaint.received_on)} – {say(ist_day(now))} ({words})"


def told_actions(work: Work, complaint: Complaint) -> list[Action]:
    """The diary entries that the complainant is told of, oldest first."""
    query = select(Action).where(
        Action.complaint_id == complaint.id, Action.round == complaint.round, Action.kind.in_(TOLD)
    )
    query = query.order_by(Action.id)
    return list(work.session.scalars(query))


def report_action(action: Action) -> dict[str, Any]:
    """One numbered line of the report."""
    made = ReportAction(
        **days("on", action.happened_at),
        **both(lambda: action.kind.label, "kind"),
        text=action.note,
        language=language_of(action.note),
    )
    return asdict(made)


def report_finding(allegation: Any) -> dict[str, Any]:
    """One allegation with its finding and reasons."""
    made = ReportFinding(
        allegation=allegation.what,
        **both(lambda: allegation.finding, "result"),
        reasons=allegation.reasons or "",
        language=language_of(allegation.reasons),
    )
    return asdict(made)


def language_of(text: str | None) -> str:
    """"hi" if the text holds Devanagari."""
    return "hi" if any("\u0900" <= c <= "\u097f" for c in text or "") else "en"


APPEAL_TO = {Post.SHO: Post.DSP, Post.DSP: Post.SP, Post.SP: Post.ADGP, Post.ADGP: Post.ADGP}


def appeal(work: Work, complaint: Complaint) -> dict[str, str]:
    """To whom and until when the complainant may appeal: one rank above who disposed."""
    seats = [s for s in work.actor.seats if s.post in APPEAL_TO]
    post = APPEAL_TO[seats[-1].post] if seats else Post.SP
    until = ist_day(work.now) + timedelta(days=APPEAL_DAYS)
    return {**both(lambda: post.label, "appeal_to"), **days("appeal_until", until)}


def copies(complaint: Complaint) -> dict[str, list[str]]:
    """Who gets a copy of the report."""
    units: list[Unit] = [complaint.unit]
    if complaint.district_id != complaint.unit_id:
        units.append(complaint.district)
    return {
        "copies_hi": [u.letterhead_hi or u.name_hi for u in units],
        "copies_en": [u.letterhead_en or u.name_en for u in units],
    }


def made_of(document: Document, vault: Vault, public_url: str) -> Any:
    """The dataclass that templates print, with code and addresses filled in."""
    said: dict[str, Any] = dict(document.data)
    said["verify_url"] = f"{public_url}/verify/{document.code}"
    if document.kind is DocumentKind.COPY:
        said["receipt_code"] = vault.receipt_code(document.complaint_id)
        said["track_url"] = f"{public_url}/track"
    elif document.kind in LETTERS:
        said["parts"] = [LetterPart(**part) for part in said["parts"]]
    else:
        said["answer_url"] = f"{public_url}/track"
        said["actions"] = [ReportAction(**a) for a in said["actions"]]
        said["findings"] = [ReportFinding(**f) for f in said["findings"]]
    return CLASSES[document.kind](**said)


def language_for(document: Document) -> str:
    """Hindi above English for everybody; an English complaint is no reason to hide the Hindi."""
    return "hi"


def latest(session: Session, complaint_id: int, kind: DocumentKind) -> Document | None:
    """The newest version of a document of a complaint; the caller saw the complaint already."""
    query = (
        select(Document)
        .where(Document.complaint_id == complaint_id, Document.kind == kind)
        .order_by(Document.version.desc())
    )
    return session.scalar(query.limit(1))


def file_of(document: Document, store: Store) -> bytes | None:
    """The issued bytes, or None while they are being made or if they were harmed."""
    return store.get(document.sha256) if document.sha256 else None


def pending(session: Session, now: datetime, limit: int = 200) -> list[int]:
    """Documents whose bytes are still to be made and may be tried now, the least tried first.

    The first :data:`QUICK_TRIES` follow each other with the sweep, then one an hour for as long as
    it takes: a full disk is made up for, and a text that kills the renderer does not keep it busy.
    """
    query = (
        select(Document.id, Document.attempts, Document.issued_at)
        .where(Document.state == DocumentState.PENDING)
        .order_by(Document.attempts, Document.id)
    )
    hour = timedelta(hours=1)
    rows = session.execute(query.limit(limit))
    return [row.id for row in rows if row.attempts < QUICK_TRIES + (now - row.issued_at) // hour]


def make(
    actor: Any, document_id: int, store: Store, public_url: str,
    render: Callable[..., bytes],
) -> bool:  # fmt: skip
    """Render one pending document, keep its bytes, then say so; again does nothing.

    DocumentRefused marks it as failed for good; any other failure is tried again by the sweep.
    """
    with unit_of_work(actor, via="job") as work:
        document = work.session.get(Document, document_id, with_for_update=True)
        if document is None or document.state is not DocumentState.PENDING:
            return False
        document.attempts += 1
        data = made_of(document, work.vault, public_url)
        template, language = TEMPLATES[document.kind], language_for(document)
    try:
        content = render(template, data, language=language)
    except DocumentRefused:
        settle(actor, document_id, None, None)
        raise
    settle(actor, document_id, store.put(content), len(content))
    return True


def settle(actor: Any, document_id: int, sha256: str | None, size: int | None) -> None:
    """Say that the bytes are there, or that they never will be."""
    with unit_of_work(actor, via="job") as work:
        document = work.session.get_one(Document, document_id, with_for_update=True)
        if document.state is not DocumentState.PENDING:
            return
        document.state = DocumentState.READY if sha256 else DocumentState.FAILED
        document.sha256, document.size, document.rendered_at = sha256, size, work.now


