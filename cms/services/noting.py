"""The noting sheet: every marking, order, request and decision of all rounds, who to whom, due by when.

Built from the diary and the ledgers: the diary has a line for every move, a ledger knows the rest of
it (to whom, in what words, until when). What is done of one move is written at one moment.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from cms.i18n import _, ist_day, show_clock
from cms.models import (
    Action,
    ActionKind,
    Appeal,
    Complaint,
    Deadline,
    DeadlineKind,
    Desk,
    Direction,
    DocumentKind,
    EnquiryReport,
    Officer,
    Posting,
    Request,
    RequestKind,
    Round,
    Stay,
    User,
)  # fmt: skip
from cms.pdf_data import NotingRound, NotingRow
from cms.services.signing import signature
from cms.services.wording import (
    both,
    complainant,
    days,
    language_of,
    letterhead,
    moments,
    office,
    offices,
    with_rank,
)  # fmt: skip
from cms.unit_of_work import Work

K = ActionKind
NOTED = (
    K.REGISTERED, K.MARKED, K.ASSIGNED, K.DIRECTION, K.COMPLIED, K.ASKED, K.GRANTED, K.REFUSED, K.RESUMED,
    K.REPORTED, K.RETURNED, K.FORWARDED, K.DISPOSED, K.TRANSFERRED, K.ACCEPTED, K.DECLINED, K.REFERRED,
    K.HANDED_OVER, K.MERGED, K.WITHDRAWN, K.REOPENED, K.APPEALED, K.APPEAL_DECIDED, K.ACCUSED, K.IMPORTED,
)  # fmt: skip
"""What moves a file or orders something; the enquiry's own steps are in the diary."""
TOTAL = 40_000
"""Characters of all texts of a sheet together; beyond it each is cut to its share and says so."""
FEW = 200
"""No text is cut below this many characters."""
AFTER: Mapping[ActionKind, tuple[Desk | None, DeadlineKind]] = {
    K.REGISTERED: (None, DeadlineKind.OVERALL), K.MARKED: (Desk.HEAD, DeadlineKind.OVERALL),
    K.ASSIGNED: (Desk.IO, DeadlineKind.OVERALL), K.HANDED_OVER: (Desk.IO, DeadlineKind.OVERALL),
    K.RESUMED: (None, DeadlineKind.OVERALL), K.RETURNED: (Desk.IO, DeadlineKind.OVERALL),
    K.ACCEPTED: (Desk.HEAD, DeadlineKind.OVERALL), K.DECLINED: (Desk.HEAD, DeadlineKind.OVERALL),
    K.REOPENED: (Desk.HEAD, DeadlineKind.OVERALL), K.APPEAL_DECIDED: (Desk.HEAD, DeadlineKind.OVERALL),
    K.REPORTED: (Desk.APPROVER, DeadlineKind.APPROVE), K.FORWARDED: (Desk.APPROVER, DeadlineKind.APPROVE),
    K.DISPOSED: (Desk.DELIVERY, DeadlineKind.DELIVER), K.TRANSFERRED: (Desk.RECEIVER, DeadlineKind.ACCEPT),
    K.APPEALED: (Desk.AUTHORITY, DeadlineKind.APPEAL),
}  # fmt: skip
"""At which desk a noting puts the complaint, and which clock then says by when."""


@dataclass(frozen=True, slots=True)
class Noting:
    """What a ledger adds to a line of the diary."""

    text: str | None = None
    about: Any = None
    to: int | None = None
    due: datetime | None = None


@dataclass(slots=True)
class Book:
    """The ledgers of one complaint, read once."""

    rounds: list[Round]
    stays: list[Stay]
    deadlines: list[Deadline]
    notings: dict[tuple[ActionKind, datetime], Noting] = field(default_factory=dict)
    by_user: dict[int, int | None] = field(default_factory=dict)
    officers: dict[int, Officer] = field(default_factory=dict)
    postings: dict[int, list[Posting]] = field(default_factory=dict)


def data(work: Work, complaint: Complaint) -> dict[str, Any]:
    """What the sheet says, in both languages."""
    party = complainant(complaint)
    return {
        **letterhead(offices(complaint)),
        "memo_number": f"{complaint.number}/NS",
        **days("date", work.now),
        "number": complaint.number,
        "complaint_subject": complaint.subject or "",
        "complainant_name": party.name if party else "",
        **both(lambda: complaint.unit.name, "station"),
        **days("received_on", complaint.received_on),
        **both(lambda: complaint.status.label, "status"),
        **days("due_on", complaint.due_at),
        "rounds": [asdict(one) for one in sheet(work.session, complaint)],
        **moments("issued_at", work.now),
        **signature(work, complaint, DocumentKind.NOTING),
    }


def sheet(session: Session, complaint: Complaint) -> list[NotingRound]:
    """The notings, round by round, oldest first."""
    query = select(Action).where(Action.complaint_id == complaint.id, Action.kind.in_(NOTED)).order_by(Action.id)
    actions = list(session.scalars(query))
    book = read(session, complaint, actions)
    rows = {action.id: row(action, complaint, book) for action in actions}
    most = max(FEW, TOTAL // max(1, len(rows)))
    if sum(len(one.text) for one in rows.values()) > TOTAL:
        rows = {key: replace(one, text=shortened(one.text, most)) for key, one in rows.items()}
    numbers = sorted({one.no for one in book.rounds} | {action.round for action in actions})
    return [
        NotingRound(
            **title(number, book, len(numbers) > 1),
            rows=[rows[action.id] for action in actions if action.round == number],
        )
        for number in numbers
    ]


def shortened(text: str, most: int) -> str:
    """A text of at most ``most`` characters; a cut one says where the rest is."""
    if len(text) <= most:
        return text
    return f"{text[: most - 60].rstrip()} … [शेष डायरी में / the rest is in the diary]"


def title(number: int, book: Book, several: bool) -> dict[str, str]:
    """Heading of a round; nothing where there is one alone."""
    why = next((one.why for one in book.rounds if one.no == number), "")
    if not several:
        return {"title_hi": "", "title_en": ""}
    return both(lambda: _("Round %(no)s: %(why)s", no=number, why=why), "title")


# ---------------------------------------------------------------- reading


def read(session: Session, complaint: Complaint, actions: list[Action]) -> Book:
    """The ledgers of a complaint, and the officers they name."""

    def rows(model: Any, *options: Any) -> list[Any]:
        query = select(model).where(model.complaint_id == complaint.id).order_by(model.id)
        return list(session.scalars(query.options(*options)))

    book = Book(
        rows(Round, joinedload(Round.disposition)),
        rows(Stay, joinedload(Stay.unit)),
        rows(Deadline),
    )
    ledgers = (rows(Request), rows(Direction, joinedload(Direction.deadline)), rows(EnquiryReport), rows(Appeal))
    book.notings = dict(known(*ledgers, book))
    users = {action.user_id for action in actions if action.user_id}
    found = session.execute(select(User.id, User.officer_id).where(User.id.in_(users)))
    book.by_user = {int(found_row[0]): found_row[1] for found_row in found}
    ids = {action.officer_id for action in actions} | set(book.by_user.values())
    ids |= {stay.officer_id for stay in book.stays} | {noting.to for noting in book.notings.values()}
    people_of(session, {i for i in ids if i}, book)
    return book


def people_of(session: Session, ids: set[int], book: Book) -> None:
    """The officers with the posts they ever held."""
    officers = session.scalars(select(Officer).where(Officer.id.in_(ids)).options(joinedload(Officer.rank)))
    book.officers = {officer.id: officer for officer in officers}
    query = select(Posting).where(Posting.officer_id.in_(ids)).options(joinedload(Posting.unit))
    for posting in session.scalars(query.order_by(Posting.valid_from.desc(), Posting.id)):
        book.postings.setdefault(posting.officer_id, []).append(posting)


def known(
    requests: list[Request], directions: list[Direction], reports: list[EnquiryReport], appeals: list[Appeal],
    book: Book,
) -> Iterator[tuple[tuple[ActionKind, datetime], Noting]]:  # fmt: skip
    """What the ledgers say of a line of the diary, by its kind and moment."""
    for asked in requests:
        yield from of_request(asked, book)
    for order in directions:
        yield (K.DIRECTION, order.at), Noting(order.text, due=order.deadline.due_at)
        if order.replied_at is not None:
            yield (K.COMPLIED, order.replied_at), Noting(order.reply or "", to=order.by_id)
    for report in reports:
        yield (K.REPORTED, report.submitted_at), Noting(report.reasons, report.disposition)
        for decision in report.decisions:
            yield (K.RETURNED, decision.at), Noting(decision.text, to=report.officer_id)
            yield (K.FORWARDED, decision.at), Noting(decision.text)
    yield from of_endings(book.rounds, appeals)


def of_endings(
    rounds: list[Round], appeals: list[Appeal]
) -> Iterator[tuple[tuple[ActionKind, datetime], Noting]]:
    """How each round and each appeal ended."""
    for one in rounds:
        if one.disposed_at is not None:
            for kind in (K.DISPOSED, K.REFERRED, K.MERGED, K.WITHDRAWN):
                yield (kind, one.disposed_at), Noting(one.disposal_text or "", one.disposition)
    for entered in appeals:
        if entered.decided_at is not None:
            yield (K.APPEAL_DECIDED, entered.decided_at), Noting(entered.reasons, entered.result)


def of_request(asked: Request, book: Book) -> Iterator[tuple[tuple[ActionKind, datetime], Noting]]:
    """What was asked for, and the answer with the new date."""
    transfer = asked.kind is RequestKind.TRANSFER
    about = None if transfer else asked.kind
    for kind in (K.TRANSFERRED,) if transfer else (K.ASKED,):
        yield (kind, asked.asked_at), Noting(asked.reasons, about)
    if asked.decided_at is None:
        return
    moved = (c for d in book.deadlines for c in d.changes if c.request_id == asked.id and c.at == asked.decided_at)
    due = next((change.new_due_at for change in moved), None)
    for kind in (K.ACCEPTED, K.DECLINED) if transfer else (K.GRANTED, K.REFUSED):
        to = None if transfer else asked.asked_by_id
        yield (kind, asked.decided_at), Noting(asked.answer, about, to, due)


# ---------------------------------------------------------------- one line


def row(action: Action, complaint: Complaint, book: Book) -> NotingRow:
    """One line of the sheet."""
    said = book.notings.get((action.kind, action.logged_at), Noting())
    text = words(action, complaint) if said.text is None else said.text
    officer_id = action.officer_id or book.by_user.get(action.user_id or 0)
    due = said.due or due_by(action, book)
    return NotingRow(
        **days("on", action.happened_at),
        clock=show_clock(action.happened_at),
        **both(lambda: f"{action.kind}: {said.about}" if said.about else str(action.kind), "kind"),
        **both(lambda: officer_said(officer_id, action.logged_at, book) or nobody(action), "from"),
        **both(lambda: receiver(action, said, book), "to"),
        text=text,
        language=language_of(text),
        **(days("due", due) if due else {}),
    )


def nobody(action: Action) -> str:
    """An old register names no writer; else the clock did it."""
    return "" if action.kind is K.IMPORTED else str(_("the system"))


def words(action: Action, complaint: Complaint) -> str:
    """The note of a line that no ledger tells better, without the names that stand beside it."""
    note = action.note
    if action.kind is K.REGISTERED or note in (complaint.unit.name_en, complaint.subject):
        return ""
    if action.kind is K.ASSIGNED:
        return note.partition(" · ")[2]
    return note.replace("→", "»")  # our fonts have no arrow


def officer_said(officer_id: int | None, at: datetime, book: Book) -> str:
    """Rank and name with post and office on that day, in the language in force."""
    officer = book.officers.get(officer_id or 0)
    if officer is None:
        return ""
    on = ist_day(at)
    held = next((p for p in book.postings.get(officer.id, ()) if p.in_force(on)), None)
    return ", ".join(filter(None, [with_rank(officer), office(held.post, held.unit) if held else ""]))


def receiver(action: Action, said: Noting, book: Book) -> str:
    """To whom it went: whom the ledger names, else the desk whose time begins with it."""
    if said.to:
        return officer_said(said.to, action.logged_at, book)
    stay = stay_after(action, book)
    if stay is None:
        return ""
    if stay.officer_id:
        return officer_said(stay.officer_id, action.logged_at, book)
    return f"{stay.desk}, {stay.unit.name}"


def stay_after(action: Action, book: Book) -> Stay | None:
    """The desk at which the complaint lay after it; an order goes to the desk where it lies."""
    if action.kind is K.DIRECTION:
        return next((stay for stay in reversed(book.stays) if stay.from_at <= action.logged_at), None)
    desk, _clock = AFTER.get(action.kind, (None, None))
    begun = [stay for stay in book.stays if stay.from_at == action.logged_at and stay.desk is desk]
    return begun[-1] if begun else None


def due_by(action: Action, book: Book) -> datetime | None:
    """Until when what was ordered is to be done; an overall clock with the leave granted until then."""
    at, kind = action.logged_at, AFTER.get(action.kind, (None, None))[1]
    clocks = [clock for clock in book.deadlines if clock.kind is kind]
    if kind is not DeadlineKind.OVERALL or action.kind is K.APPEAL_DECIDED:
        return next((clock.first_due_at for clock in clocks if clock.started_at == at), None)
    promise = next((clock for clock in clocks if clock.round == action.round), None)
    if promise is None:
        return None
    moved = [change.new_due_at for change in promise.changes if change.at <= at]
    return moved[-1] if moved else promise.first_due_at
