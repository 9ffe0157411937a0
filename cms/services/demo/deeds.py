"""What is done on a demo complaint up to its disposal: each function writes what one use case writes.

Who acts, when and why is decided in ``life``; a test plays the deeds through the real use cases.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from cms.i18n import day_range, ist_day
from cms.models import (
    Accused,
    ActionKind,
    Allegation,
    BarredUnit,
    Consent,
    ConsentKind,
    Deadline,
    DeadlineChange,
    DeadlineKind,
    Decision,
    DecisionKind,
    Delivery,
    Direction,
    Document,
    DocumentKind,
    DocumentState,
    EnquiryReport,
    Hold,
    Means,
    Party,
    PartyRole,
    ReportFinding,
    Request,
    RequestKind,
    Round,
    RoundReason,
)  # fmt: skip
from cms.models import Channel as By
from cms.rules import Desk, Finding, Move, Post, Span, Status, day_end
from cms.services.demo.case import AT_STATION, STATIONS, Case, Over
from cms.services.demo.staff import Man, Place
from cms.services.demo.texts import dotted
from cms.services.demo.world import Disposal
from cms.vault import new_code

CONTACT = frozenset({ActionKind.VISIT, ActionKind.STATEMENT, ActionKind.CALL})


# ---------------------------------------------------------------- registration


def register(case: Case) -> None:
    """People, what a conflict of interest bars, the first round, its clocks and its desk."""
    people(case)
    complaint = case.dossier.complaint
    seats = case.staff
    clerk = first(seats.at(case.desk.id, Post.BRANCH)) or case.head()
    case.did("register", clerk, unit=case.unit)
    complaint["registered_by_id"] = clerk.user_id
    case.status = Status.MARKED if case.unit.kind in STATIONS else Status.REGISTERED
    if case.accused and case.unit is case.place:
        case.unit = seats.above(case.place)
    begin_round(case, RoundReason.FIRST, clerk)
    received: date = complaint["received_on"]
    case.start(DeadlineKind.OVERALL, None if received == case.day else day_range(received, received)[0])
    case.start(DeadlineKind.ASSIGN)
    marked = case.status is Status.MARKED
    case.move_to_desk(Desk.HEAD if marked else Desk.BRANCH, (case.unit if marked else case.desk).id)
    case.note(ActionKind.REGISTERED, case.told.subject, clerk)
    if marked:
        case.note(ActionKind.MARKED, case.unit.name.en, clerk)


def people(case: Case) -> None:
    """Opposite party, the officer complained against with what that bars, the allegation."""
    add = case.dossier.add
    if case.told.against:
        add(Party, role=PartyRole.OPPOSITE, name=case.told.facts["opp"])
    link = None
    if case.accused:
        link = add(Accused, officer_id=case.accused.id, described="", restricts=True)
        add(BarredUnit, unit_id=case.place.id)
        case.dossier.complaint["restricted"] = True
        case.shut = frozenset({case.place.id})
    add(Allegation, accused_id=link, no=1, what=case.told.subject)


def first(men: list[Man]) -> Man | None:
    """The first officer of a post, if it has one."""
    return men[0] if men else None


def begin_round(case: Case, why: RoundReason, man: Man | None, reason: str = "", chosen: Any = None) -> None:
    """The row of a round; how the one before ended stays on its own."""
    case.dossier.put(Round, {
        "no": case.round, "why": why, "reason": reason, "chosen": chosen, "opened_at": case.at,
        "opened_by_id": man.user_id if man else None, "io_id": None, "disposed_at": None, "disposed_by_id": None,
        "disposition_id": None, "disposal_text": None, "satisfied": None, "closed_at": None,
    })  # fmt: skip


def paper(case: Case, kind: DocumentKind, man: Man | None) -> None:
    """A document of the time before CMS: issued on paper."""
    code = new_code()
    version = 1 + sum(1 for row in case.dossier.rows.get(Document, ()) if row["kind"] is kind)
    case.papers[kind] = case.dossier.add(
        Document, kind=kind, version=version, issued_at=case.at, issued_by_id=man.user_id if man else None,
        code=code, data={"version": version, "verification_code": code}, state=DocumentState.PAPER,
    )  # fmt: skip


def deliver(case: Case, kind: DocumentKind, man: Man) -> None:
    """How a document reached the complainant."""
    channel = By.PRINT if case.mode in AT_STATION else By.POST
    note = ""
    if kind is DocumentKind.COPY and case.rng.random() < 0.01:
        channel, note = By.DECLINED, "लेने से मना किया" if case.lang == "hi" else "Did not want it"
    address = case.told.facts["gaon"] if channel is By.POST else ""
    case.did("deliver", man, kind=kind, channel=channel, address=address, note=note)
    case.dossier.add(
        Delivery, document_id=case.papers[kind], channel=channel, at=case.at, address=address, note=note,
        user_id=man.user_id,
    )  # fmt: skip
    case.note(ActionKind.DELIVERED, f"{kind.name}: {channel.name}", man)
    if kind is DocumentKind.REPORT:
        case.take(Move.DELIVER)
    else:
        case.dossier.complaint["copy_settled_at"] = case.at


# ---------------------------------------------------------------- to the IO, and what he does


def mark(case: Case, man: Man, unit: Place) -> None:
    """A superior sends it to a station, or above whoever is complained against."""
    order = case.say("MARKED")
    case.did("mark", man, unit=unit, order=order)
    case.unit = unit
    case.take(Move.MARK)
    case.note(ActionKind.MARKED, order, man)


def assign(case: Case, man: Man, io: Man) -> None:
    """The head names the IO."""
    case.did("assign", man, io=io)
    case.name_io(io, man)
    case.take(Move.ASSIGN)
    case.note(ActionKind.ASSIGNED, io.called, man)


def act(case: Case, kind: ActionKind, happened: datetime) -> int:
    """An entry of the enquiry; the clock of the diary runs anew."""
    text = case.say(kind.name)
    case.did("act", case.io, kind=kind, happened=happened, text=text)
    case.take(Move.ACT)
    for row in case.running.get(DeadlineKind.ACTIVITY, ()):
        _clock, due, rolled = case.world.almanac.due(DeadlineKind.ACTIVITY, case.facts, case.at, case.day)
        row.update(started_on=case.day, started_at=case.at, due_at=due, rolled=rolled)
    if kind in CONTACT:
        case.stop((DeadlineKind.FIRST_CONTACT,), "met_at")
    return case.note(kind, text, case.io, happened)


def correct(case: Case, entry: int) -> None:
    """A new entry says what was wrong in an old one."""
    text = case.say("CORRECTION")
    case.did("correct", case.io, entry=entry, text=text)
    case.note(ActionKind.CORRECTION, text, case.io, corrects=entry)


def direct(case: Case, man: Man) -> int:
    """A superior's order with a day for compliance; its place among the directions."""
    text, by = case.say("DIRECTION"), case.day + timedelta(days=7)
    case.did("direct", man, text=text, due_on=by)
    until = day_end(by)
    deadline = case.start(DeadlineKind.COMPLY, by={
        "days": 7, "span": Span.DAYS, "rolled": None, "first_due_at": until, "due_at": until,
    })  # fmt: skip
    case.note(ActionKind.DIRECTION, text, man)
    return case.dossier.add(
        Direction, deadline_id=deadline, at=case.at, by_id=man.id, text=text, replied_at=None,
        replied_by_id=None, reply=None,
    )  # fmt: skip


def comply(case: Case, place: int) -> None:
    """The IO reports that he did as directed."""
    text = case.say("COMPLIED")
    case.did("comply", case.io, place=place, text=text)
    row = case.dossier.rows[Direction][place]
    row.update(replied_at=case.at, replied_by_id=case.io.id if case.io else None, reply=text)
    deadline = case.dossier.rows[Deadline][row["deadline_id"]]
    deadline["met_at"] = deadline["met_at"] or case.at
    case.running[DeadlineKind.COMPLY] = [d for d in case.running.get(DeadlineKind.COMPLY, ()) if d is not deadline]
    case.note(ActionKind.COMPLIED, text, case.io)


# ---------------------------------------------------------------- hold and more time


def ask(case: Case, kind: RequestKind, man: Man | None, reasons: str, **values: Any) -> int:
    """A request; its place among the requests."""
    return case.dossier.put(Request, {
        "round": case.round, "kind": kind, "asked_at": case.at, "asked_by_id": man.id if man else None,
        "reason_id": None, "reasons": reasons, "until": None, "days": None, "to_unit_id": None,
        "from_unit_id": None, "decided_at": None, "decided_by_id": None, "granted": None, "answer": "",
    } | values)  # fmt: skip


def answer(case: Case, place: int, man: Man | None, granted: bool, text: str) -> None:
    """The answer to a request."""
    case.dossier.rows[Request][place].update(
        decided_at=case.at, decided_by_id=man.id if man else None, granted=granted, answer=text
    )


def shift(case: Case, request: int, day: date, man: Man | None) -> None:
    """The overall due date moves, by leave of a request."""
    row = case.dossier.rows[Deadline][case.overall]
    new, old = case.world.almanac.rolled(day, case.facts.district_id), row["due_at"]
    if new == old:
        return
    changes = case.dossier.rows.get(DeadlineChange, ())
    case.dossier.add(
        DeadlineChange, deadline_id=case.overall, no=1 + sum(1 for c in changes if c["deadline_id"] == case.overall),
        old_due_at=old, new_due_at=new, request_id=request, at=case.at, user_id=man.user_id if man else None,
    )  # fmt: skip
    row["due_at"] = new
    case.dues.append((case.overall, case.at, new))


def ask_hold(case: Case, days: int) -> int:
    """The IO asks that the enquiry may rest; the place of the request."""
    reason_id, name = case.rng.choice(case.world.hold_reasons)
    text, until = case.say("HOLD"), case.day + timedelta(days=days)
    case.did("ask_hold", case.io, reason_id=reason_id, until=until, text=text)
    case.note(ActionKind.ASKED, f"HOLD: {name}: {text}", case.io)
    return ask(case, RequestKind.HOLD, case.io, text, reason_id=reason_id, until=until)


def decide_hold(case: Case, man: Man, place: int, granted: bool) -> None:
    """The head grants the hold, and the overall clock stands still; or he does not."""
    text = case.say("GRANTED" if granted else "REFUSED")
    case.did("decide_hold", man, granted=granted, text=text)
    answer(case, place, man, granted, text)
    until: date = case.dossier.rows[Request][place]["until"]
    if granted:
        case.dossier.add(Hold, request_id=place, started_at=case.at, until=until, ended_at=None)
        case.take(Move.HOLD)
        shift(case, place, ist_day(case.due) + (until - case.day), man)
    case.note(ActionKind.GRANTED if granted else ActionKind.REFUSED, f"HOLD · {text}", man)


def resume(case: Case, place: int, man: Man | None) -> None:
    """The enquiry goes on, by an officer or by itself at the expected end; unused days are taken back."""
    text = case.say("RESUMED") if man else ""
    case.did("resume", man, text=text)
    hold = case.dossier.rows[Hold][-1]
    hold["ended_at"] = case.at
    case.take(Move.RESUME)
    unused = (hold["until"] - case.day).days
    if unused > 0:
        shift(case, place, ist_day(case.due) - timedelta(days=unused), man)
    case.note(ActionKind.RESUMED, text, man)


def ask_extension(case: Case, days: int) -> int:
    """The IO asks for more time."""
    text = case.say("EXTENSION")
    case.did("ask_extension", case.io, days=days, text=text)
    case.note(ActionKind.ASKED, f"EXTENSION: {days}: {text}", case.io)
    return ask(case, RequestKind.EXTENSION, case.io, text, days=days)


def decide_extension(case: Case, man: Man, place: int, granted: bool) -> None:
    """The SP answers; the complainant gets an interim reply."""
    text = case.say("GRANTED" if granted else "REFUSED")
    case.did("decide_extension", man, granted=granted, text=text)
    answer(case, place, man, granted, text)
    if granted:
        late = max(case.due, day_end(case.day))
        shift(case, place, ist_day(late) + timedelta(days=case.dossier.rows[Request][place]["days"]), man)
        paper(case, DocumentKind.INTERIM, man)
    case.note(ActionKind.GRANTED if granted else ActionKind.REFUSED, f"EXTENSION · {text}", man)


# ---------------------------------------------------------------- report and decision


def report(case: Case, disposal: Disposal, finding: Finding) -> int:
    """The IO submits his report; it lies with the nearest superior who may decide. Its place."""
    desk = approver(case)[2]
    case.told.facts["date1"] = dotted(case.day)
    reasons = case.world.texts.disposal(case.rng, case.told, case.lang, disposal.code)
    fields = case.world.texts.fields(case.rng, case.told, case.lang, disposal, case.day)
    case.did("report", case.io, disposal=disposal, finding=finding, reasons=reasons, fields=fields)
    rows = case.dossier.rows.get(EnquiryReport, ())
    place = case.dossier.add(
        EnquiryReport, round=case.round, no=1 + sum(1 for r in rows if r["round"] == case.round),
        officer_id=case.io.id if case.io else None, submitted_at=case.at, disposition_id=disposal.id,
        reasons=reasons, fields=fields,
    )  # fmt: skip
    case.dossier.add(ReportFinding, report_id=place, allegation_id=0, finding=finding, reasons=reasons)
    case.take(Move.REPORT, unit=desk)
    case.note(ActionKind.REPORTED, f"{disposal.name_en}: {reasons}", case.io)
    return place


def approver(case: Case, above: Place | None = None) -> tuple[Man, Post, Place]:
    """The nearest desk whose head may decide; ``above``: strictly above this one. Over if there is none."""
    for man, post, unit in case.commands():
        if above is None or (unit.id in above.line and unit.id != above.id):
            return man, post, unit
    raise Over


def decide(case: Case, kind: DecisionKind, man: Man, post: Post, unit: Place, text: str, place: int) -> None:
    """What a desk did with the report."""
    case.handled[man.id] = man
    no = 1 + sum(1 for d in case.dossier.rows.get(Decision, ()) if d["report_id"] == place)
    case.dossier.add(
        Decision, report_id=place, no=no, kind=kind, officer_id=man.id, post=post, unit_id=unit.id, at=case.at,
        text=text,
    )  # fmt: skip


def give_back(case: Case, place: int) -> None:
    """Return the report with objections."""
    man, post, unit = approver(case)
    text = case.say("OBJECTIONS")
    case.did("give_back", man, text=text)
    decide(case, DecisionKind.RETURNED, man, post, unit, text, place)
    case.take(Move.RETURN)
    case.note(ActionKind.RETURNED, text, man)


def forward(case: Case, place: int, desk: tuple[Man, Post, Place]) -> tuple[Man, Post, Place]:
    """Send the report up; the desk where it lies then."""
    man, post, unit = desk
    text = case.say("FORWARDED")
    above = approver(case, above=unit)
    case.did("forward", man, text=text)
    decide(case, DecisionKind.FORWARDED, man, post, unit, text, place)
    case.take(Move.FORWARD, unit=above[2])
    case.note(ActionKind.FORWARDED, " · ".join(filter(None, [above[2].name.en, text])), man)
    return above


def dispose(case: Case, place: int, desk: tuple[Man, Post, Place], disposal: Disposal) -> None:
    """Approve: the complaint is disposed as proposed, and the complainant's report follows."""
    man, post, unit = desk
    text = case.say("APPROVED")
    case.did("dispose", man, text=text)
    decide(case, DecisionKind.APPROVED, man, post, unit, text, place)
    found = case.dossier.rows[ReportFinding][-1]
    case.dossier.rows[Allegation][0].update(finding=found["finding"], reasons=found["reasons"])
    submitted = case.dossier.rows[EnquiryReport][place]
    lines = [f"{name}: {submitted['fields'][code]}" for code, name in disposal.fields if code in submitted["fields"]]
    conclude(case, disposal, "\n".join([*lines, submitted["reasons"]]), man)
    case.take(Move.DISPOSE)
    if disposal.code == "FIR":
        case.start(DeadlineKind.PROGRESS)
    case.note(ActionKind.DISPOSED, f"{disposal.name_en}: {case.dossier.complaint['disposal_text']}", man)
    paper(case, DocumentKind.REPORT, man)


def conclude(case: Case, disposal: Disposal, text: str, man: Man) -> None:
    """How the round ended, on the complaint and on the round."""
    case.dossier.complaint.update(
        disposition_id=disposal.id, disposal_text=text, disposed_on=case.day, disposed_by_id=man.id
    )
    case.handled[man.id] = man
    case.this_round.update(
        disposition_id=disposal.id, disposal_text=text, disposed_at=case.at, disposed_by_id=man.id
    )


def consent(case: Case, kind: ConsentKind, man: Man) -> int:
    """The complainant's signed paper, recorded by staff; its place among the papers."""
    text = case.say("PAPER")
    case.did("consent", man, kind=kind, text=text)
    rows = case.dossier.rows.get(Consent, ())
    no = 1 + sum(1 for r in rows if r["round"] == case.round and r["kind"] is kind)
    case.note(ActionKind.CONSENT, f"{kind.name} · {text}", man)
    return case.dossier.add(
        Consent, round=case.round, kind=kind, no=no, means=Means.PAPER, given_on=case.day, at=case.at,
        officer_id=man.id, user_id=man.user_id, note=text,
    )  # fmt: skip
