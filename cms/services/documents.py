"""Papers that are issued, the copy and the action-taken report first: what they say is fixed at issue.

The row carries the plain data; the renderer makes the bytes from it, at once or when it is back.
The receipt code is derived when the document is made and is stored nowhere.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from cms.i18n import _, _l, english_date, hindi_date, ist_day, ngettext, show_day
from cms.models import (
    TOLD,
    Action,
    ActionKind,
    Appeal,
    Complaint,
    Deadline,
    DeadlineKind,
    Document,
    DocumentKind,
    DocumentState,
    Edition,
    EnquiryReport,
    PartyRole,
    Rendered,
    Round,
)  # fmt: skip
from cms.pdf import CURRENT, DocumentRefused, pages_of
from cms.pdf_data import (
    CopyData,
    HandOverData,
    HandOverRow,
    LetterData,
    LetterPart,
    NotingData,
    NotingRound,
    NotingRow,
    ReportAction,
    ReportData,
    ReportFinding,
)  # fmt: skip
from cms.rules import SUPERIORS, Post
from cms.services import clocks, people
from cms.services.signing import signature, signing_seat
from cms.services.step import round_of
from cms.services.wording import (
    addressee,
    both,
    copies,
    days,
    edition,
    in_both_scripts,
    language_of,
    letterhead,
    moments,
    office,
    offices,
    ordinal,
    with_rank,
)  # fmt: skip
from cms.services.wording import complainant as complainant
from cms.store import Store
from cms.unit_of_work import Work, unit_of_work
from cms.vault import Vault, new_code

QUICK_TRIES = 5
INTERNAL = frozenset({DocumentKind.NOTING})
"""Papers of the office: never shown, sent or handed to the complainant."""
LETTERS = (DocumentKind.INTERIM, DocumentKind.REOPENED, DocumentKind.APPEAL)
TEMPLATES = {
    DocumentKind.COPY: "copy.html", DocumentKind.REPORT: "report.html",
    DocumentKind.NOTING: "noting.html", **dict.fromkeys(LETTERS, "letter.html"),
}  # fmt: skip
CLASSES: dict[DocumentKind, type[Any]] = {
    DocumentKind.COPY: CopyData,
    DocumentKind.REPORT: ReportData,
    DocumentKind.NOTING: NotingData,
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
    memo = {"memo_number": f"{data['memo_number']}/{version}"} if "memo_number" in data else {}
    document = Document(
        complaint_id=complaint.id,
        kind=kind,
        version=version,
        issued_at=work.now,
        issued_by_id=work.actor.user_id,
        code=code,
        data={**data, **memo, "version": version, "verification_code": code},
        template=CURRENT,
        edition=edition(complaint.unit),
        state=DocumentState.PENDING,
    )
    work.session.add(document)
    work.session.flush()
    work.hint("render", document.id)
    return document


def copy_data(work: Work, complaint: Complaint) -> dict[str, Any]:
    """What the copy says, in both languages; the addresses and the code are added when made."""
    party = complainant(complaint)
    promise = work.session.scalar(
        select(Deadline)
        .where(Deadline.complaint_id == complaint.id, Deadline.kind == DeadlineKind.OVERALL)
        .order_by(Deadline.round)
        .limit(1)
    )
    opposite = [p.name for p in complaint.parties if p.role is PartyRole.OPPOSITE]
    return {
        **letterhead(offices(complaint)),
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
        **days("due_on", promise.due_at if promise else complaint.due_at),
        **both(lambda: promise.derivation(show_day) if promise else "", "due_reason"),
        **moments("issued_at", work.now),
        **signature(work, complaint, DocumentKind.COPY),
    }


def against(link: Any) -> str:
    """An accused link in words."""
    if link.officer:
        return f"{link.officer.rank.short_en} {link.officer.name_en}"
    return str(link.unit.name_en if link.unit else link.described)


def latest_report(work: Work, complaint: Complaint) -> EnquiryReport | None:
    """The report of the present round that was submitted last."""
    query = select(EnquiryReport).where(
        EnquiryReport.complaint_id == complaint.id, EnquiryReport.round == complaint.round
    )
    return work.session.scalar(query.order_by(EnquiryReport.no.desc()).limit(1))


def report_data(work: Work, complaint: Complaint) -> dict[str, Any]:
    """What the action-taken report says of the present round.

    Before the disposal (in a preview) it says what the submitted report proposes.
    """
    io, present = complaint.io, round_of(work, complaint)
    submitted = None if complaint.disposition else latest_report(work, complaint)
    outcome = submitted.disposition if submitted else complaint.disposition
    reasons = (submitted.reasons if submitted else complaint.disposal_text) or ""
    found = {f.allegation_id: (f.finding, f.reasons) for f in submitted.findings} if submitted else {}
    return {
        **letterhead(offices(complaint)),
        "memo_number": f"{complaint.number}/ATR",
        **days("date", work.now),
        **addressee(complaint),
        **both(lambda: _l("Sir / Madam,"), "salutation"),
        "number": complaint.number,
        **days("complaint_date", complaint.received_on),
        "complaint_subject": complaint.subject or "",
        "io_name": in_both_scripts(io),
        **both(lambda: io.rank.name if io else "", "io_rank"),
        **both(lambda: io.unit.name if io and io.unit else complaint.unit.name, "io_unit"),
        **period(complaint, present, work.now),
        **round_words(work, complaint, present),
        "actions": [report_action(*told) for told in told_actions(work, complaint)],
        "findings": [
            report_finding(a.what, *found.get(a.id, (a.finding, a.reasons))) for a in complaint.allegations
        ],
        **both(lambda: outcome or "", "outcome"),
        "outcome_reasons": reasons,
        "outcome_language": language_of(reasons),
        **appeal(work, complaint, present),
        **moments("issued_at", work.now),
        **signature(work, complaint, DocumentKind.REPORT),
        **copies(work, complaint, DocumentKind.REPORT),
    }


def period(complaint: Complaint, present: Round, now: datetime) -> dict[str, str]:
    """The time the enquiry of this round took, in words."""
    begun = complaint.received_on if present.no == 1 else ist_day(present.opened_at)
    spent = (ist_day(now) - begun).days
    words = both(lambda: ngettext("%(num)d day", "%(num)d days", spent), "period")
    for lang, say in (("hi", hindi_date), ("en", english_date)):
        words[f"period_{lang}"] = f"{say(begun)} – {say(ist_day(now))} ({words[f'period_{lang}']})"
    return words


def round_words(work: Work, complaint: Complaint, present: Round) -> dict[str, str]:
    """Of a later round: which it is, from what decision it follows, who enquired first and how that ended."""
    if present.no == 1:
        return {"round_hi": "", "round_en": ""}
    first = work.session.scalars(
        select(Round).where(Round.complaint_id == complaint.id, Round.no == 1)
    ).one()
    entered = work.session.scalar(
        select(Appeal).where(Appeal.complaint_id == complaint.id, Appeal.decided_at == present.opened_at)
    )
    return both(lambda: " ".join(filter(None, [why_again(present, entered), how_first(first)])), "round")


def why_again(present: Round, entered: Appeal | None) -> str:
    """The decision from which the round follows, in the language in force."""
    said = {"no": ordinal(present.no), "day": show_day(present.opened_at)}
    if entered is None:
        return str(_("This is the %(no)s enquiry, after the complaint was re-opened on %(day)s.", **said))
    said["who"] = office(entered.post, entered.unit)
    return str(_("This is the %(no)s enquiry, by the decision of %(day)s on your appeal (%(who)s).", **said))


def how_first(first: Round) -> str:
    """Who enquired in the first round and how it ended, in the language in force."""
    if first.io is None or first.disposed_at is None:
        return ""
    return str(_(
        "The first was made by %(officer)s; its outcome of %(day)s: %(outcome)s.",
        officer=with_rank(first.io), day=show_day(first.disposed_at), outcome=first.disposition or "–",
    ))  # fmt: skip


def told_actions(work: Work, complaint: Complaint) -> list[tuple[Action, str]]:
    """The diary entries of this round that the complainant is told of, oldest first, as last corrected."""
    query = select(Action).where(
        Action.complaint_id == complaint.id, Action.round == complaint.round
    )
    entries = list(work.session.scalars(query.order_by(Action.id)))
    corrected = {entry.corrects_id or 0: entry for entry in entries if entry.corrects_id}
    return [(entry, said_last(entry, corrected)) for entry in entries if entry.kind in TOLD]


def said_last(entry: Action, corrected: dict[int, Action]) -> str:
    """The note of an entry after its corrections; the disposal has a part of its own in the report."""
    while entry.id in corrected:
        entry = corrected[entry.id]
    return "" if entry.kind is ActionKind.DISPOSED else entry.note


def report_action(action: Action, said: str) -> dict[str, Any]:
    """One numbered line of the report."""
    made = ReportAction(
        **days("on", action.happened_at),
        **both(lambda: action.kind.label, "kind"),
        text=said,
        language=language_of(said),
    )
    return asdict(made)


def report_finding(what: str, finding: Any, reasons: str | None) -> dict[str, Any]:
    """One allegation with its finding and reasons."""
    made = ReportFinding(
        allegation=what,
        **both(lambda: finding or "", "result"),
        reasons=reasons or "",
        language=language_of(reasons or what),
    )
    return asdict(made)


def appeal(work: Work, complaint: Complaint, present: Round) -> dict[str, str]:
    """To whom the complainant may appeal and how long; nobody is named above the highest authority.

    The window opens with the delivery; the date is that of a delivery on the day of issue.
    """
    decided = present.disposed_by_id or work.actor.officer_id
    head = people.authority(work.session, complaint, decided, ist_day(work.now))
    post, unit = (head.post, head.unit) if head else (next_post(work, complaint), None)
    window = clocks.due(
        work.session, DeadlineKind.APPEAL_WINDOW, clocks.Facts.of(complaint), work.now
    )
    amount = window.clock.amount
    return {
        **both(lambda: office(post, unit) if post else "", "appeal_to"),
        **both(lambda: ngettext("%(num)d day", "%(num)d days", amount), "appeal_days"),
        **days("appeal_until", window.at),
    }


def next_post(work: Work, complaint: Complaint) -> Post | None:
    """The post above the one that decides, where no holder is found today; None above the highest."""
    seat = signing_seat(work.actor, complaint.unit.path)
    if seat is None or seat.post not in SUPERIORS:
        return Post.SP
    above = SUPERIORS[SUPERIORS.index(seat.post) + 1 :]
    return above[0] if above else None


def made_of(document: Document, vault: Vault, public_url: str) -> Any:
    """The dataclass that templates print, with code and addresses filled in."""
    code = vault.receipt_code(document.complaint_id) if document.kind is DocumentKind.COPY else ""
    return printed(document, public_url, code)


def printed(document: Document, public_url: str, receipt_code: str) -> Any:
    """The same with a given receipt code, for a copy alone."""
    said: dict[str, Any] = dict(document.data)
    said["verify_url"] = f"{public_url}/verify/{document.code}"
    if document.kind is DocumentKind.COPY:
        said["receipt_code"] = receipt_code
        said["track_url"] = f"{public_url}/track"
    elif document.kind in LETTERS:
        said["track_url"] = f"{public_url}/track"
        said["parts"] = [LetterPart(**part) for part in said["parts"]]
    elif document.kind is DocumentKind.NOTING:
        said["rounds"] = [
            NotingRound(**{**one, "rows": [NotingRow(**row) for row in one["rows"]]}) for one in said["rounds"]
        ]
    else:
        said["answer_url"] = f"{public_url}/track"
        said["actions"] = [ReportAction(**a) for a in said["actions"]]
        said["findings"] = [ReportFinding(**f) for f in said["findings"]]
    return CLASSES[document.kind](**said)


def template_of(document: Document) -> str:
    """The template the document was issued with, in its version."""
    return f"{document.template}/{TEMPLATES[document.kind]}"


EDITIONS = {Edition.HI_EN: "hi", Edition.EN_HI: "en", Edition.HI: "hi-only", Edition.EN: "en-only"}
"""What ``cms.pdf`` calls them. It hangs on the office: an English complaint is no reason to hide the Hindi."""


def language_for(paper: Rendered) -> str:
    """In which languages a paper is, as ``cms.pdf`` calls it."""
    return EDITIONS[paper.edition]


def latest(session: Session, complaint_id: int, kind: DocumentKind) -> Document | None:
    """The newest version of a document of a complaint; the caller saw the complaint already."""
    query = (
        select(Document)
        .where(Document.complaint_id == complaint_id, Document.kind == kind)
        .order_by(Document.version.desc())
    )
    return session.scalar(query.limit(1))


def file_of(document: Rendered, store: Store) -> bytes | None:
    """The issued bytes, or None while they are being made or if they were harmed."""
    return store.get(document.sha256) if document.sha256 else None


def pending(session: Session, now: datetime, limit: int = 200, of: type[Rendered] = Document) -> list[int]:
    """Papers whose bytes are still to be made and may be tried now, the least tried first.

    The first :data:`QUICK_TRIES` follow each other with the sweep, then one an hour for as long as
    it takes: a full disk is made up for, and a text that kills the renderer does not keep it busy.
    """
    table: Any = of
    query = (
        select(table.id, table.attempts, table.issued_at)
        .where(table.state == DocumentState.PENDING)
        .order_by(table.attempts, table.id)
    )
    hour = timedelta(hours=1)
    rows = session.execute(query.limit(limit))
    return [row.id for row in rows if row.attempts < QUICK_TRIES + (now - row.issued_at) // hour]


def make(
    actor: Any, paper_id: int, store: Store, public_url: str,
    render: Callable[..., bytes], of: type[Rendered] = Document,
) -> bool:  # fmt: skip
    """Render one pending paper, keep its bytes, then say so; again does nothing.

    DocumentRefused marks it as failed for good; any other failure is tried again by the sweep.
    """
    with unit_of_work(actor, via="job") as work:
        paper = work.session.get(of, paper_id, with_for_update=True)
        if paper is None or paper.state is not DocumentState.PENDING:
            return False
        paper.attempts += 1
        if isinstance(paper, Document):
            data, template = made_of(paper, work.vault, public_url), template_of(paper)
        else:
            rows = [HandOverRow(**row) for row in paper.data["rows"]]
            data, template = HandOverData(**{**paper.data, "rows": rows}), f"{paper.template}/handover.html"
        language = language_for(paper)
    try:
        content = render(template, data, language=language)
    except DocumentRefused:
        settle(actor, paper_id, None, b"", of)
        raise
    settle(actor, paper_id, store.put(content), content, of)
    return True


def settle(actor: Any, paper_id: int, sha256: str | None, content: bytes, of: type[Rendered]) -> None:
    """Say that the bytes are there, with what is to be known of them, or that they never will be."""
    with unit_of_work(actor, via="job") as work:
        paper = work.session.get_one(of, paper_id, with_for_update=True)
        if paper.state is not DocumentState.PENDING:
            return
        paper.state = DocumentState.READY if sha256 else DocumentState.FAILED
        paper.rendered_at = work.now
        if sha256:
            paper.sha256, paper.size, paper.pages = sha256, len(content), pages_of(content) or None
