"""A sample of demo lives played through the real use cases: the same rows, to the second."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from registers import empty
from sqlalchemy import select

from cms.models import (
    Action,
    Allegation,
    Appeal,
    Assignment,
    BarredUnit,
    Complaint,
    ComplaintLink,
    Consent,
    Deadline,
    DeadlineChange,
    Decision,
    Delivery,
    Direction,
    Document,
    EnquiryReport,
    Feedback,
    Hold,
    LinkKind,
    Officer,
    Party,
    ReportFinding,
    Request,
    Round,
    Stay,
    db,
)
from cms.rules import SYSTEM, Move
from cms.services import (
    complaints,
    deliveries,
    endings,
    enquiry,
    feedback,
    handing_over,
    requests,
    rounds,
    transfers,
)
from cms.services.demo import fill, staff
from cms.services.demo.case import STATIONS, Case
from cms.services.demo.life import live
from cms.services.demo.people import Crowd, dice
from cms.services.demo.world import World, build
from cms.unit_of_work import Work, unit_of_work, utcnow

__all__ = ["empty"]
AS_OF = date(2026, 11, 20)
EACH = 2
"""So many lives of every kind of deed are played."""
TRIED = 1_500

COLUMNS: dict[type[Any], tuple[str, ...]] = {
    Round: ("no", "why", "reason", "chosen", "opened_at", "opened_by_id", "io_id", "disposed_at", "disposed_by_id",
            "disposition_id", "disposal_text", "satisfied", "closed_at"),
    Stay: ("no", "round", "desk", "unit_id", "officer_id", "from_at", "to_at"),
    Deadline: ("round", "kind", "no", "started_on", "started_at", "days", "span", "statutory", "rolled",
               "first_due_at", "due_at", "met_at", "dropped_at"),
    Request: ("round", "kind", "asked_at", "asked_by_id", "reason_id", "reasons", "until", "days", "to_unit_id",
              "from_unit_id", "decided_at", "decided_by_id", "granted", "answer"),
    Hold: ("started_at", "until", "ended_at"),
    Direction: ("at", "by_id", "text", "replied_at", "replied_by_id", "reply"),
    Consent: ("round", "kind", "no", "means", "given_on", "at", "officer_id", "note"),
    Appeal: ("no", "round", "entered_at", "grounds", "unit_id", "post", "decided_at", "decided_by_id", "result",
             "reasons"),
    EnquiryReport: ("round", "no", "officer_id", "submitted_at", "disposition_id", "reasons", "fields"),
    Feedback: ("round", "satisfied", "reason", "at"),
    Assignment: ("round", "officer_id", "unit_id", "assigned_at"),
    BarredUnit: ("unit_id",),
    Party: ("role", "name", "phone", "address"),
    Allegation: ("no", "what", "finding", "reasons"),
    Document: ("kind", "version", "issued_at"),
    Action: ("round", "kind", "note", "happened_at", "logged_at", "officer_id"),
}  # fmt: skip
HANGING: dict[type[Any], tuple[Any, Any, tuple[str, ...]]] = {
    DeadlineChange: (Deadline, DeadlineChange.deadline_id, ("no", "old_due_at", "new_due_at", "at")),
    Decision: (EnquiryReport, Decision.report_id, ("no", "kind", "author_id", "officer_id", "post", "unit_id", "at",
                                                   "text")),
    ReportFinding: (EnquiryReport, ReportFinding.report_id, ("finding", "reasons")),
    Delivery: (Document, Delivery.document_id, ("channel", "at", "address", "note")),
}  # fmt: skip
OWN = ("status", "is_open", "round", "unit_id", "io_id", "due_at", "received_on", "registered_at", "restricted",
       "disposition_id", "disposal_text", "disposed_on", "disposed_by_id", "satisfied", "transfer_to_id",
       "copy_settled_at", "subject", "text", "district_id", "registered_unit_id")  # fmt: skip


@pytest.fixture
def world(empty: Flask, monkeypatch: pytest.MonkeyPatch) -> World:
    """The staff of the demo without its register. How many cases each has counts as none in both."""
    monkeypatch.setattr(rounds, "open_load", lambda *_: {})
    fill.fill(db.engine, count=1, as_of=AS_OF, seed=1, now=utcnow())
    with unit_of_work(SYSTEM) as work:
        shape = fill.SHAPES["pilot"]
        roster = staff.muster(work, AS_OF, days=shape.days + fill.BEFORE)
        return build(work, roster, Crowd(), fill.moment_of(AS_OF, utcnow()))


def lives(world: World) -> Iterator[Case]:
    """Lives of every kind, a few of each."""
    played: Counter[str] = Counter()
    start = world.now - timedelta(days=90)
    for seed in range(TRIED):
        first = live(world, dice(seed), start + timedelta(hours=1.1 * seed))
        again = seed % 40 == 7 and first.accused is None
        case = live(world, dice(-seed), first.at_first + timedelta(days=6), first) if again else first
        verbs = kinds_of(case)
        if any(played[verb] < EACH for verb in verbs):
            played.update(verbs)
            yield case
    missing = WANTED - set(played)
    assert not missing, missing


WANTED = {
    "register", "register:accused", "deliver", "mark", "assign", "act", "correct", "direct", "comply", "ask_hold",
    "decide_hold:True", "decide_hold:False", "resume", "resume:job", "ask_extension", "decide_extension:True",
    "decide_extension:False", "report", "give_back", "forward", "dispose", "consent", "transfer", "accept", "decline",
    "decline:job", "refer", "merge", "connect", "withdraw", "attempt", "feedback", "reopen", "appeal",
    "hear:DISMISSED", "hear:ALLOWED", "hand_over", "inform", "assign:2", "dispose:2",
}  # fmt: skip


def kinds_of(case: Case) -> set[str]:
    """What happens in a life, as far as the sample must have it."""
    found = {"register:accused"} if case.accused else set()
    rounds_begun = 1
    for _at, verb, man, values in case.deeds:
        found.add(verb)
        if "granted" in values:
            found.add(f"{verb}:{values['granted']}")
        if "result" in values:
            found.add(f"{verb}:{values['result'].name}")
        if man is None and verb in ("resume", "decline"):
            found.add(f"{verb}:job")
        rounds_begun += verb == "reopen"
        if case.round > 1 and rounds_begun > 1:
            found.add(f"{verb}:{rounds_begun}")
    return found


def test_the_use_cases_give_the_same_rows(world: World) -> None:
    played = 0
    for no, case in enumerate(lives(world)):
        ids: dict[int, int] = {}
        if case.again:
            merging = next((at for at, verb, _man, _v in case.deeds if verb in ("merge", "connect")), None)
            play(world, case.again, ids, f"first-{no}", merging)
        play(world, case, ids, f"case-{no}")
        compare(case, ids[id(case)])
        db.session.rollback()
        played += 1
    assert played > 25


def play(world: World, case: Case, ids: dict[int, int], key: str, until: datetime | None = None) -> None:
    """Do what the life says, each deed by its officer at its moment."""
    for at, verb, man, values in case.deeds:
        if until and at > until:
            return
        actor = world.roster.on(fill.ist(at).date()).acting(man) if man else SYSTEM
        with unit_of_work(actor, via="test", now=at) as work:
            try:
                PLAY[verb](work, case, ids, {**values, "key": key})
            except Exception as error:
                error.add_note(f"{verb} by {man} at {at} in {[d[1] for d in case.deeds]}")
                raise
            work.hints.clear()


Played = Callable[[Work, Case, dict[int, int], dict[str, Any]], Any]


def registered(work: Work, case: Case, ids: dict[int, int], v: dict[str, Any]) -> None:
    said, people = case.dossier.complaint, case.dossier.rows[Party]
    made = complaints.register(work, complaints.NewComplaint(
        name=people[0]["name"], phone=people[0]["phone"], subject=said["subject"], text=said["text"],
        category_id=said["category_id"], mode_id=said["mode_id"], source_id=said["source_id"], form_key=v["key"],
        language=said["language"], address=people[0]["address"], priority=said["priority"], place=said["place"],
        incident_on=said["incident_on"], received_on=said["received_on"],
        opposite=people[1]["name"] if len(people) > 1 else "",
        unit_id=v["unit"].id if v["unit"].kind in STATIONS else None,
        accused=(complaints.AccusedNamed(officer_id=case.accused.id),) if case.accused else (),
    ))  # fmt: skip
    ids[id(case)] = made.id


def delivered(work: Work, case: Case, ids: dict[int, int], v: dict[str, Any]) -> None:
    query = select(Document).where(Document.complaint_id == ids[id(case)], Document.kind == v["kind"])
    document = work.session.scalars(query.order_by(Document.version.desc())).first()
    assert document is not None
    deliveries.deliver(work, document.id, v["channel"], v["address"], v["note"])


def reported(work: Work, case: Case, ids: dict[int, int], v: dict[str, Any]) -> None:
    complaint = work.session.get_one(Complaint, ids[id(case)])
    findings = {a.id: (v["finding"], v["reasons"]) for a in complaint.allegations}
    enquiry.report(work, complaint.id, None, enquiry.NewReport(
        disposition_id=v["disposal"].id, findings=findings, reasons=v["reasons"], fields=v["fields"]
    ))  # type: ignore[arg-type]  # fmt: skip


def corrected(work: Work, case: Case, ids: dict[int, int], v: dict[str, Any]) -> None:
    entries = work.session.scalars(select(Action).where(Action.complaint_id == ids[id(case)]).order_by(Action.id)).all()
    kind = complaints.ActionKind.CORRECTION
    complaints.act(work, ids[id(case)], None, kind, None, v["text"], entries[v["entry"]].id)


def complied(work: Work, case: Case, ids: dict[int, int], v: dict[str, Any]) -> None:
    query = select(Direction).where(Direction.complaint_id == ids[id(case)]).order_by(Direction.id)
    complaints.comply(work, ids[id(case)], work.session.scalars(query).all()[v["place"]].id, v["text"])


def handed_over(work: Work, case: Case, ids: dict[int, int], v: dict[str, Any]) -> None:
    leaver = work.session.get_one(Officer, v["officer"].id)
    handing_over.hand_over(work, leaver, v["successor"].id, staff.ORDER, [ids[id(case)]])


def number_of(work: Work, ids: dict[int, int], v: dict[str, Any]) -> str:
    return work.session.get_one(Complaint, ids[id(v["target"])]).number


PLAY: dict[str, Played] = {
    "register": registered,
    "deliver": delivered,
    "mark": lambda w, c, i, v: complaints.mark(w, i[id(c)], None, v["unit"].id, v["order"]),
    "assign": lambda w, c, i, v: complaints.assign(w, i[id(c)], None, v["io"].id),
    "act": lambda w, c, i, v: complaints.act(w, i[id(c)], None, v["kind"], v["happened"], v["text"]),
    "correct": corrected,
    "direct": lambda w, c, i, v: complaints.direct(w, i[id(c)], None, v["text"], v["due_on"]),
    "comply": complied,
    "ask_hold": lambda w, c, i, v: requests.ask_hold(w, i[id(c)], None, v["reason_id"], v["until"], v["text"]),
    "decide_hold": lambda w, c, i, v: requests.decide_hold(w, i[id(c)], None, v["granted"], v["text"]),
    "resume": lambda w, c, i, v: requests.resume(w, i[id(c)], None, v["text"]),
    "ask_extension": lambda w, c, i, v: requests.ask_extension(w, i[id(c)], None, v["days"], v["text"]),
    "decide_extension": lambda w, c, i, v: requests.decide_extension(w, i[id(c)], None, v["granted"], v["text"]),
    "report": reported,
    "give_back": lambda w, c, i, v: enquiry.give_back(w, i[id(c)], None, v["text"]),
    "forward": lambda w, c, i, v: enquiry.forward(w, i[id(c)], None, v["text"]),
    "dispose": lambda w, c, i, v: enquiry.dispose(w, i[id(c)], None, v["text"]),
    "consent": lambda w, c, i, v: endings.record_consent(w, i[id(c)], v["kind"], None, v["text"]),
    "transfer": lambda w, c, i, v: transfers.transfer(w, i[id(c)], None, v["unit"].id, v["text"]),
    "accept": lambda w, c, i, v: transfers.accept(w, i[id(c)], None),
    "decline": lambda w, c, i, v: transfers.decline(w, i[id(c)], None, v["text"]),
    "refer": lambda w, c, i, v: transfers.refer(w, i[id(c)], None, v["office"], v["acceptance"], v["text"]),
    "merge": lambda w, c, i, v: endings.merge(w, i[id(c)], None, number_of(w, i, v), v["text"]),
    "connect": lambda w, c, i, v: endings.connect(w, i[id(c)], None, number_of(w, i, v), LinkKind.REPEAT),
    "withdraw": lambda w, c, i, v: endings.withdraw(w, i[id(c)], None, v["text"]),
    "attempt": lambda w, c, i, v: feedback.attempt(w, i[id(c)], None, v["text"]),
    "feedback": lambda w, c, i, v: feedback.give_feedback(w, i[id(c)], None, v["satisfied"], v["reason"]),
    "inform": lambda w, c, i, v: feedback.inform(w, i[id(c)], None, v["text"]),
    "reopen": lambda w, c, i, v: rounds.reopen(w, i[id(c)], None, v["text"]),
    "appeal": lambda w, c, i, v: rounds.appeal(w, i[id(c)], None, v["text"]),
    "hear": lambda w, c, i, v: rounds.hear(w, i[id(c)], None, v["result"], v["text"]),
    "hand_over": handed_over,
}


def compare(case: Case, complaint_id: int) -> None:
    """Row by row, without ids and authors' accounts."""
    made = db.session.get_one(Complaint, complaint_id)
    wanted = case.dossier.complaint
    told = [d[1] for d in case.deeds]
    merging = "merge" in told or "connect" in told
    for name in OWN:
        if merging and name == "disposal_text":
            continue
        assert getattr(made, name) == wanted.get(name), (name, told)
    for model, names in COLUMNS.items():
        order = (model.unit_id,) if model is BarredUnit else (model.id,)
        rows = db.session.scalars(select(model).where(model.complaint_id == complaint_id).order_by(*order)).all()
        same(model, names, rows, case.dossier.rows.get(model, []), told, merging)
    for model, (parent, key, names) in HANGING.items():
        query = select(model).join(parent, parent.id == key).where(parent.complaint_id == complaint_id)
        same(model, names, db.session.scalars(query.order_by(model.id)).all(), case.dossier.rows.get(model, []), told)
    links = db.session.scalars(select(ComplaintLink.kind).where(ComplaintLink.complaint_id == complaint_id)).all()
    assert links == [row["kind"] for row in case.dossier.rows.get(ComplaintLink, [])]
    assert (made.merged_into_id is None) == (wanted.get("merged_into_id") is None)


def same(
    model: type[Any], names: tuple[str, ...], rows: Any, wanted: list[dict[str, Any]], told: list[str],
    merging: bool = False,
) -> None:  # fmt: skip
    """The rows that the use cases wrote are those of the dossier."""
    hidden = {"note", "disposal_text"} if merging else set()  # they name the other complaint
    left = [n for n in names if n not in hidden]
    reports = {id(row): row for row in wanted}
    found = [{n: getattr(row, n) for n in left} for row in rows]
    made = [{n: row.get(n, DEFAULTS.get(n)) for n in left if n != "author_id"} for row in reports.values()]
    found = [{n: v for n, v in row.items() if n != "author_id"} for row in found]
    assert found == made, (model.__name__, told)


DEFAULTS: dict[str, Any] = {"round": 1, "version": 1, "statutory": False}


def test_every_move_of_the_table_is_played() -> None:
    aside = {Move.BACK}  # only where nobody can follow an IO
    names = {
        Move.MARK: "mark", Move.ASSIGN: "assign", Move.ACT: "act", Move.DIRECT: "direct", Move.COMPLY: "comply",
        Move.ASK_HOLD: "ask_hold", Move.HOLD: "decide_hold", Move.RESUME: "resume", Move.EXTEND: "decide_extension",
        Move.ASK_EXTENSION: "ask_extension", Move.REPORT: "report", Move.RETURN: "give_back", Move.FORWARD: "forward",
        Move.DISPOSE: "dispose", Move.DELIVER: "deliver", Move.ATTEMPT: "attempt", Move.FEEDBACK: "feedback",
        Move.INFORM: "inform", Move.TRANSFER: "transfer", Move.ACCEPT: "accept", Move.DECLINE: "decline",
        Move.REFER: "refer", Move.MERGE: "merge", Move.WITHDRAW: "withdraw", Move.REOPEN: "reopen",
        Move.APPEAL: "appeal", Move.HAND_OVER: "hand_over", Move.DISMISS: "hear", Move.ALLOW: "hear",
    }  # fmt: skip
    assert set(Move) == set(names) | aside
    assert set(names.values()) <= set(PLAY)
