"""What the form of each move asks for, and the use case it calls: one entry per page.

A form of plain fields is declared here and drawn by ``simple.html``; the few that need more have a
template of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from flask import g, request
from sqlalchemy import func, select

from cms.admin_views import lookups
from cms.admin_views.attachments import store
from cms.admin_views.edge import day, member, moment, number, value
from cms.i18n import _, _l, ist, show_day
from cms.models import (
    ENQUIRY,
    Action,
    ActionKind,
    Appeal,
    AppealResult,
    Complaint,
    ConsentKind,
    Direction,
    Disposition,
    EnquiryReport,
    HoldReason,
    LinkKind,
    Officer,
    QuickText,
    Request,
    RequestKind,
    db,
)  # fmt: skip
from cms.rules import BY_MOVE, EXTENSION_DAYS, MOVES, Finding, Move, RuleBroken
from cms.services import attachments, complaints, endings, enquiry, feedback, requests, rounds, transfers
from cms.services.desk import complaint_for
from cms.unit_of_work import Work, utcnow
from cms.web import viewer

MOST_SHOWN = 60
"""Officers shown as choices; more are looked up by name."""

Told = list[tuple[Any, Any]]
Options = list[tuple[str, Any]]


def nothing(complaint: Complaint) -> Any:
    """A form that needs no more than the complaint."""
    return ()


@dataclass(frozen=True)
class Ask:
    """One field of a plain form; kind is area, text, date, number, radio, select,
    unit or officer."""

    name: str
    label: Any
    kind: str = "area"
    required: bool = True
    hint: Any = ""
    limit: int = 2_000
    options: Callable[[Complaint], Iterable[tuple[str, Any]]] = nothing


@dataclass(frozen=True)
class Form:
    """One page: which steps it can take, what it asks, what it shows first, how it is done."""

    title: Any
    apply: Callable[[Work, int], object]
    done: Any
    moves: tuple[Move, ...] = ()
    needs: str = ""
    asks: tuple[Ask, ...] = ()
    told: Callable[[Complaint], Iterable[tuple[Any, Any]]] = nothing
    template: str = "simple"
    files: bool = False
    more: Callable[[Complaint], dict[str, Any]] = lambda complaint: {}

    @property
    def permissions(self) -> set[str]:
        """The permissions of its steps; any of them opens the page."""
        return {self.needs} if self.needs else {MOVES[move].needs for move in self.moves}

    def extras(self, complaint: Complaint) -> dict[str, Any]:
        """What the template draws beside the complaint."""
        asks = [(ask, list(ask.options(complaint))) for ask in self.asks]
        return {"asks": asks, "told": list(self.told(complaint)), **self.more(complaint)}

    def ours(self, complaint: Complaint) -> list[tuple[Any, str]]:
        """What was typed, in words, for the page that shows both values."""
        return [(ask.label, shown(ask, complaint)) for ask in self.asks]


def shown(ask: Ask, complaint: Complaint) -> str:
    """A posted value as people read it."""
    said = value(ask.name)
    if ask.kind == "officer":
        return str(db.session().get(Officer, number(ask.name) or 0) or "")
    return str(dict(ask.options(complaint)).get(said, said))


def version() -> int:
    """The version the viewer saw; none posted means an old one, never the present one."""
    return number("version") or 0


def yes() -> bool | None:
    """A posted yes or no; anything else is no answer."""
    return {"yes": True, "no": False}.get(value("granted"))


def chosen_unit() -> int | None:
    """Id of the unit typed or picked; None when nothing fits, which the use case refuses."""
    text = value("unit")
    found = lookups.units(db.session(), viewer(), text) if text else []
    option = lookups.picked(found, value("unit_pick")) or lookups.resolve(found, text)
    return option.id if option else None


def unit_extras(complaint: Complaint) -> dict[str, Any]:
    """Suggestions, and the units to choose from when the typed text fits several."""
    text = value("unit")
    session = db.session()
    found = lookups.units(session, viewer(), text) if text else []
    return {"units": list(lookups.default_units(session, viewer())),
            "picks": {"unit": found} if len(found) > 1 else {}}  # fmt: skip


# ---------------------------------------------------------------- assign and act


def assign_extras(complaint: Complaint) -> dict[str, Any]:
    """Officers who may enquire, with what each has open; many are narrowed by a search."""
    officers = complaints.eligible_ios(db.session(), viewer(), complaint, utcnow())
    words = (request.args.get("q") or value("q")).lower().split()
    fits = [o for o in officers if all(w in lookups.officer_label(o).lower() for w in words)]
    shown = fits[:MOST_SHOWN]
    return {
        "officers": shown, "total": len(officers), "left_out": len(fits) - len(shown),
        "load": workload(shown), "q": " ".join(words), "label": lookups.officer_label,
    }  # fmt: skip


def workload(officers: list[Officer]) -> dict[int, tuple[int, int]]:
    """Open and overdue ordinary complaints of each officer, in one statement."""
    late = func.count().filter(Complaint.overdue(utcnow()))
    query = (
        select(Complaint.io_id, func.count(), late)
        .where(Complaint.is_open, Complaint.ordinary, Complaint.io_id.in_([o.id for o in officers]))
        .group_by(Complaint.io_id)
    )
    return {int(row[0]): (row[1], row[2]) for row in db.session().execute(query) if row[0]}


def apply_act(work: Work, complaint_id: int) -> object:
    """Log an action. The diary only grows, so that no version is asked for."""
    kind = member("kind", ActionKind)
    if kind is None:
        raise RuleBroken(_l("Choose what was done from the list."))
    at = moment("happened_at", _l("When"))
    complaint = complaints.act(work, complaint_id, None, kind, at, value("note"), number("corrects"))
    if g.files:
        work.session.flush()
        last = select(Action).where(Action.complaint_id == complaint_id).order_by(Action.id.desc()).limit(1)
        entry = work.session.scalars(last).one()
        for found in g.files:
            attachments.keep(work, store(), complaint, found, action=entry)
    return complaint


def apply_consent(work: Work, complaint_id: int) -> object:
    """The complainant's signed paper, with its picture if one was taken."""
    paper = None
    for found in g.files[:1]:
        complaint = complaint_for(work, "consent", complaint_id)
        paper = attachments.keep(work, store(), complaint, found).id
    kind, given_on = member("kind", ConsentKind), day("given_on", _l("Signed on"))
    return endings.record_consent(work, complaint_id, kind, given_on, value("note"), paper)


def act_extras(complaint: Complaint) -> dict[str, Any]:
    """Kinds to log, sentences to pick, now; a correction names the entry it corrects."""
    corrects = request.args.get("corrects", "") or value("corrects")
    entry = db.session().get(Action, int(corrects)) if corrects.isascii() and corrects.isdigit() else None
    wrong = entry if entry is not None and entry.complaint_id == complaint.id else None
    texts = db.session().scalars(select(QuickText).where(QuickText.active).order_by(QuickText.id)).all()
    return {
        "kinds": [ActionKind.CORRECTION] if wrong else list(ENQUIRY), "corrects": wrong,
        "texts": [t.name for t in texts], "now": ist(utcnow()).strftime("%Y-%m-%dT%H:%M"),
    }  # fmt: skip


# ---------------------------------------------------------------- report and decisions


def findings() -> Mapping[int, tuple[Finding, str]]:
    """Allegation id -> (finding, reasons) as posted; what is missing the use case names."""
    said: dict[int, tuple[Finding, str]] = {}
    for name in request.form:
        head, _dash, key = name.partition("-")
        finding = member(name, Finding)
        if head == "finding" and key.isascii() and key.isdigit() and finding is not None:
            said[int(key)] = (finding, value(f"why-{key}"))
    return said


def apply_report(work: Work, complaint_id: int) -> object:
    """Submit the report."""
    prefix = "field-"
    stated = {n[len(prefix):]: value(n) for n in request.form if n.startswith(prefix)}
    new = enquiry.NewReport(
        disposition_id=number("disposition_id"), findings=findings(), reasons=value("reasons"),
        fields=stated,
    )  # fmt: skip
    return enquiry.report(work, complaint_id, version(), new)


def report_extras(complaint: Complaint) -> dict[str, Any]:
    """First the ways to end, then what the chosen one must state; objections to the last report."""
    session = db.session()
    rows = session.scalars(select(Disposition).where(Disposition.active).order_by(Disposition.id))
    ways = [row for row in rows if row.code not in BY_MOVE]
    wanted = value("disposition_id") or request.args.get("disposition_id", "")
    way = next((row for row in ways if str(row.id) == wanted), None)
    return {
        "ways": ways, "way": way, "findings": [f for f in Finding if f is not Finding.UNDECIDED],
        "wanted": enquiry.fields_of(session, way.id) if way else [],
        "post": enquiry.needed_post(session, way.id, complaint) if way else None,
        "last": last_report(complaint),
    }  # fmt: skip


def last_report(complaint: Complaint) -> EnquiryReport | None:
    """The latest report of the present round."""
    query = (
        select(EnquiryReport)
        .where(EnquiryReport.complaint_id == complaint.id, EnquiryReport.round == complaint.round)
        .order_by(EnquiryReport.no.desc())
    )
    return db.session().scalar(query.limit(1))


def decision_extras(complaint: Complaint) -> dict[str, Any]:
    """The report to decide on, and the rank that must approve it."""
    submitted = last_report(complaint)
    session = db.session()
    needed = enquiry.needed_post(session, submitted.disposition_id, complaint) if submitted else None
    fields = enquiry.fields_of(session, submitted.disposition_id) if submitted else []
    return {"report": submitted, "post": needed, "stated": fields}


# ---------------------------------------------------------------- requests


def waiting(complaint: Complaint, kind: RequestKind) -> Request | None:
    """The request that waits for an answer."""
    query = select(Request).where(
        Request.complaint_id == complaint.id, Request.kind == kind, Request.decided_at.is_(None)
    )
    return db.session().scalar(query)


def told_request(kind: RequestKind) -> Callable[[Complaint], Told]:
    """What was asked, by whom and why."""

    def told(complaint: Complaint) -> Told:
        asked = waiting(complaint, kind)
        if asked is None:
            raise RuleBroken(_l("There is no such request to answer; it may have been answered already."))
        rows: Told = [(_l("Asked by"), asked.asked_by or ""), (_l("Asked on"), show_day(asked.asked_at))]
        if asked.reason:
            rows.append((_l("Reason"), asked.reason))
        if asked.until:
            rows.append((_l("Expected end"), show_day(asked.until)))
        if asked.days:
            rows.append((_l("Days"), asked.days))
        if asked.to_unit:
            rows.append((_l("To"), asked.to_unit))
        return [*rows, (_l("Due now"), show_day(complaint.due_at)), (_l("In the words of the officer"), asked.reasons)]

    return told


def hold_reasons(complaint: Complaint) -> Options:
    """The reasons for which an enquiry may rest."""
    rows = db.session().scalars(select(HoldReason).where(HoldReason.active).order_by(HoldReason.id))
    return [(str(row.id), row.name) for row in rows]


def directions(complaint: Complaint) -> Options:
    """Directions that wait for compliance."""
    query = select(Direction).where(
        Direction.complaint_id == complaint.id, Direction.replied_at.is_(None)
    )
    return [(str(d.id), f"{show_day(d.at)}: {d.text}") for d in db.session().scalars(query)]


def yes_or_no(complaint: Complaint) -> Options:
    """Yes or no."""
    return [("yes", _l("Yes")), ("no", _l("No"))]


GRANTED = Ask("granted", _l("Decision"), "radio",
              options=lambda c: (("yes", _l("Grant")), ("no", _l("Refuse"))))  # fmt: skip


def told_appeal(complaint: Complaint) -> Told:
    """The appeal to be decided."""
    query = select(Appeal).where(Appeal.complaint_id == complaint.id, Appeal.decided_at.is_(None))
    entered = db.session().scalar(query)
    if entered is None:
        raise RuleBroken(_l("There is no appeal to decide on."))
    return [(_l("Entered on"), show_day(entered.entered_at)), (_l("Lies with"), entered.unit),
            (_l("Grounds"), entered.grounds)]  # fmt: skip


def told_choice(complaint: Complaint) -> Told:
    """Who would enquire anew and why, or why nobody may."""
    try:
        one = rounds.choose(db.session(), complaint, utcnow(), viewer().officer_id)
    except RuleBroken as refusal:
        return [(_l("Fresh enquiry by"), str(refusal.message) % refusal.params)]
    why = _("nearest office, higher rank than before, never handled it; %(num)s open complaints", num=one.load)
    return [(_l("Fresh enquiry by"), f"{one.officer}, {one.unit.name}"), (_l("Because"), why)]


def named(kinds: Iterable[Any]) -> Callable[[Complaint], Options]:
    """Members of an enum as options."""
    rows = [(kind.name, kind.label) for kind in kinds]
    return lambda complaint: list(rows)


REASONS = Ask("reasons", _l("Reasons"), limit=4_000)

FORMS: Mapping[str, Form] = {
    "mark": Form(
        Move.MARK.label,
        lambda w, c: complaints.mark(w, c, version(), chosen_unit(), value("order")),
        _l("Marked."), (Move.MARK,), template="mark", more=unit_extras,
        asks=(Ask("unit", _l("Station"), "unit"), Ask("order", _l("Order")))),
    "assign": Form(
        Move.ASSIGN.label,
        lambda w, c: complaints.assign(w, c, version(), number("officer_id"), value("note")),
        _l("Assigned."), (Move.ASSIGN,), template="assign", more=assign_extras,
        asks=(Ask("officer_id", _l("Investigating officer"), "officer"), Ask("note", _l("Note")))),
    "act": Form(
        Move.ACT.label, apply_act, _l("Action recorded."), (Move.ACT,), template="act", more=act_extras, files=True,
        asks=(Ask("note", _l("Note")),)),
    "direct": Form(
        Move.DIRECT.label,
        lambda w, c: complaints.direct(w, c, None, value("text"), day("due_on", _l("Comply by"))),
        _l("Direction recorded."), (Move.DIRECT,),
        asks=(Ask("text", _l("Direction"), limit=4_000),
              Ask("due_on", _l("Comply by"), "date", required=False, hint=_l("Empty: in three days.")))),
    "comply": Form(
        Move.COMPLY.label,
        lambda w, c: complaints.comply(w, c, number("direction_id"), value("text")),
        _l("Compliance recorded."), (Move.COMPLY,),
        asks=(Ask("direction_id", _l("Direction"), "radio", options=directions),
              Ask("text", _l("Compliance"), limit=4_000))),
    "ask-hold": Form(
        Move.ASK_HOLD.label,
        lambda w, c: requests.ask_hold(
            w, c, version(), number("reason_id"), day("until", _l("Expected end")), value("text")),
        _l("Asked."), (Move.ASK_HOLD,),
        asks=(Ask("reason_id", _l("Reason"), "select", options=hold_reasons),
              Ask("until", _l("Expected end"), "date", hint=_l("At most seven days from today.")),
              Ask("text", _l("Note")))),
    "hold": Form(
        Move.HOLD.label,
        lambda w, c: requests.decide_hold(w, c, version(), yes(), value("text")),
        _l("Decided."), (Move.HOLD,), told=told_request(RequestKind.HOLD),
        asks=(GRANTED, Ask("text", _l("Answer"), required=False, hint=_l("A refusal must say why.")))),
    "resume": Form(
        Move.RESUME.label, lambda w, c: requests.resume(w, c, version(), value("text")),
        _l("Resumed."), (Move.RESUME,), asks=(Ask("text", _l("Note"), required=False),)),
    "ask-extension": Form(
        Move.ASK_EXTENSION.label,
        lambda w, c: requests.ask_extension(w, c, version(), number("days"), value("text")),
        _l("Asked."), (Move.ASK_EXTENSION,),
        asks=(Ask("days", _l("Days"), "number", limit=EXTENSION_DAYS, hint=_l("1 to 15 calendar days.")),
              Ask("text", _l("Reasons"), hint=_l("Printed in the interim reply to the complainant.")))),
    "extend": Form(
        Move.EXTEND.label,
        lambda w, c: requests.decide_extension(w, c, version(), yes(), value("text")),
        _l("Decided."), (Move.EXTEND,), told=told_request(RequestKind.EXTENSION),
        asks=(GRANTED, Ask("text", _l("Answer"), required=False, hint=_l("A refusal must say why.")))),
    "report": Form(
        Move.REPORT.label, apply_report, _l("The report is submitted."), (Move.REPORT,),
        template="report", more=report_extras, asks=(Ask("reasons", _l("Reasons of disposal")),)),
    "return": Form(
        Move.RETURN.label,
        lambda w, c: enquiry.give_back(w, c, version(), value("text")),
        _l("Returned to the IO."), (Move.RETURN,), template="decision", more=decision_extras,
        asks=(Ask("text", _l("Objections"), limit=4_000),)),
    "forward": Form(
        Move.FORWARD.label,
        lambda w, c: enquiry.forward(w, c, version(), value("text")),
        _l("Forwarded."), (Move.FORWARD,), template="decision", more=decision_extras,
        asks=(Ask("text", _l("Recommendation"), required=False, limit=4_000),)),
    "dispose": Form(
        Move.DISPOSE.label,
        lambda w, c: enquiry.dispose(w, c, version(), value("text")),
        _l("Disposed. The report is being made."), (Move.DISPOSE,), template="decision",
        more=decision_extras, asks=(Ask("text", _l("Remarks"), required=False, limit=4_000),)),
    "attempt": Form(
        Move.ATTEMPT.label, lambda w, c: feedback.attempt(w, c, version(), value("text")),
        _l("Attempt recorded."), (Move.ATTEMPT,),
        asks=(Ask("text", _l("How it was tried"), limit=500,
                  hint=_l("After attempts on three days the complaint is closed as not reached.")),)),
    "feedback": Form(
        Move.FEEDBACK.label,
        lambda w, c: feedback.give_feedback(
            w, c, version(), {"yes": True, "no": False}.get(value("satisfied")), value("reason")),
        _l("Answer recorded."), (Move.FEEDBACK,), template="feedback",
        asks=(Ask("satisfied", _l("Satisfied"), "radio", options=yes_or_no), Ask("reason", _l("Reason")))),
    "inform": Form(
        Move.INFORM.label, lambda w, c: feedback.inform(w, c, None, value("text")),
        _l("Recorded."), (Move.INFORM,), asks=(Ask("text", _l("What was told")),)),
    "transfer": Form(
        Move.TRANSFER.label,
        lambda w, c: transfers.transfer(w, c, version(), chosen_unit(), value("reasons")),
        _l("The other unit has been asked."), (Move.TRANSFER,), more=unit_extras,
        asks=(Ask("unit", _l("Unit"), "unit", hint=_l("Type a few letters of the name or code.")), REASONS)),
    "accept": Form(
        Move.ACCEPT.label, lambda w, c: transfers.accept(w, c, version(), value("text")),
        _l("Taken over."), (Move.ACCEPT,), told=told_request(RequestKind.TRANSFER),
        asks=(Ask("text", _l("Note"), required=False),)),
    "decline": Form(
        Move.DECLINE.label, lambda w, c: transfers.decline(w, c, version(), value("text")),
        _l("Declined; it goes to the sender's superior."), (Move.DECLINE,),
        told=told_request(RequestKind.TRANSFER), asks=(Ask("text", _l("Reason of the refusal")),)),
    "refer": Form(
        Move.REFER.label,
        lambda w, c: transfers.refer(w, c, version(), value("office"), value("acceptance"), value("reasons")),
        _l("Sent."), (Move.REFER,),
        asks=(Ask("office", _l("Office"), "text", limit=200),
              Ask("acceptance", _l("Number and date of its acceptance"), "text", limit=200), REASONS)),
    "merge": Form(
        Move.MERGE.label, lambda w, c: endings.merge(w, c, version(), value("number"), value("reasons")),
        _l("Merged."), (Move.MERGE,),
        asks=(Ask("number", _l("Number of the complaint that goes on"), "text", limit=24), REASONS)),
    "connect": Form(
        _l("Link with another complaint"),
        lambda w, c: endings.connect(w, c, None, value("number"), member("kind", LinkKind)),
        _l("Linked."), needs="connect",
        asks=(Ask("number", _l("Number"), "text", limit=24),
              Ask("kind", _l("How they belong together"), "radio",
                  options=named(k for k in LinkKind if k is not LinkKind.MERGED)))),
    "consent": Form(
        _l("Record the complainant's signed paper"),
        apply_consent, _l("Recorded."), needs="consent", files=True,
        asks=(Ask("kind", _l("What the complainant confirms"), "radio", options=named(ConsentKind)),
              Ask("given_on", _l("Signed on"), "date", required=False, hint=_l("Empty: today.")),
              Ask("note", _l("Where the signed paper is kept"), "text", required=False, limit=300,
                  hint=_l("Needed unless a picture or scan of the paper is added.")))),
    "withdraw": Form(
        Move.WITHDRAW.label, lambda w, c: endings.withdraw(w, c, version(), value("reasons")),
        _l("Closed as withdrawn."), (Move.WITHDRAW,), asks=(REASONS,)),
    "reopen": Form(
        Move.REOPEN.label,
        lambda w, c: rounds.reopen(w, c, version(), value("reasons"), value("motion") == "own"),
        _l("Re-opened in a new round."), (Move.REOPEN,), told=told_choice,
        asks=(Ask("motion", _l("On whose wish"), "radio",
                  options=lambda c: (("paper", _l("On the complainant's signed paper")),
                                     ("own", _l("Of a superior's own motion")))), REASONS)),
    "appeal": Form(
        Move.APPEAL.label, lambda w, c: rounds.appeal(w, c, version(), value("grounds")),
        _l("The appeal is entered."), (Move.APPEAL,),
        asks=(Ask("grounds", _l("Grounds"), limit=5_000, hint=_l("In the complainant's words.")),)),
    "hear": Form(
        _l("Decide on the appeal"),
        lambda w, c: rounds.hear(w, c, version(), member("result", AppealResult), value("reasons")),
        _l("The appeal is decided."), (Move.DISMISS, Move.ALLOW), told=told_appeal,
        asks=(Ask("result", _l("Decision"), "radio", options=named(AppealResult)), REASONS)),
}  # fmt: skip
"""Name in the address -> its form. ``deliver`` needs a document and lives in handover.py."""

NAME_OF: Mapping[Move, str] = {move: name for name, form in FORMS.items() for move in form.moves}
"""Move -> the page that takes it."""
