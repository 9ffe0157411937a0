"""What is done on a demo complaint beside and after the enquiry: transfers, ends, feedback, rounds, appeals."""

from __future__ import annotations

from typing import Any

from cms.i18n import _l
from cms.models import (
    ActionKind,
    Allegation,
    Appeal,
    AppealResult,
    ComplaintLink,
    DocumentKind,
    Feedback,
    LinkKind,
    RequestKind,
    RoundReason,
)  # fmt: skip
from cms.rules import Move
from cms.services.demo.case import Case, Over
from cms.services.demo.deeds import answer, ask, begin_round, conclude, paper
from cms.services.demo.staff import Command, Man, Place

# ---------------------------------------------------------------- transfer


def transfer(case: Case, man: Man, to: Place) -> int:
    """Another station is asked to take it over; the place of the request."""
    text = case.say("TRANSFERRED")
    case.did("transfer", man, unit=to, text=text)
    case.transfer_to = to
    place = ask(case, RequestKind.TRANSFER, man, text, to_unit_id=to.id, from_unit_id=case.unit.id)
    case.take(Move.TRANSFER)
    case.note(ActionKind.TRANSFERRED, f"{to.name.en}: {text}", man)
    return place


def accept(case: Case, man: Man, place: int) -> None:
    """The other station takes it over."""
    case.did("accept", man)
    answer(case, place, man, True, "")
    case.place = case.unit = case.transfer_to or case.unit
    case.transfer_to = None
    case.take(Move.ACCEPT)
    case.note(ActionKind.ACCEPTED, case.unit.name.en, man)


def decline(case: Case, man: Man | None, place: int) -> None:
    """It declines, or does not answer in time: the sender's superior has it now."""
    text = case.say("DECLINED") if man else str(_l("Not answered in time."))
    case.did("decline", man, text=text)
    answer(case, place, man, False, text)
    case.unit, case.transfer_to = case.staff.above(case.unit), None
    case.take(Move.DECLINE)
    case.note(ActionKind.DECLINED, text, man)


# ---------------------------------------------------------------- ends beside the enquiry


def refer(case: Case, man: Man) -> None:
    """To a department outside the police, which accepted it."""
    office = case.rng.choice(case.world.texts.said[case.lang]["offices"]["names"])
    letter, text = f"{case.told.facts['fir']}/{case.day:%d.%m.%Y}", case.say("REFERRED")
    case.did("refer", man, office=office, acceptance=letter, text=text)
    conclude(case, case.world.disposals["TRF"], f"{office} ({letter})\n{text}", man)
    case.take(Move.REFER)
    close(case)
    case.note(ActionKind.REFERRED, f"{office} ({letter}): {text}", man)
    raise Over


def close(case: Case) -> None:
    """Nothing more is owed in this round."""
    case.this_round["closed_at"] = case.at


def link(case: Case, other: Case, kind: LinkKind, man: Man) -> None:
    """That two complaints belong together."""
    case.dossier.add(ComplaintLink, other_id=other.dossier, kind=kind, at=case.at, user_id=man.user_id)


def merge(case: Case, man: Man, target: Case) -> None:
    """The earlier complaint of the same matter is gone on with; this number keeps working."""
    number, text = target.dossier.complaint["number"], case.say("MERGED")
    case.did("merge", man, target=target, text=text)
    link(case, target, LinkKind.MERGED, man)
    case.dossier.complaint["merged_into_id"] = target.dossier
    conclude(case, case.world.disposals["DUP"], f"{number}\n{text}", man)
    case.take(Move.MERGE)
    close(case)
    case.note(ActionKind.MERGED, f"{number}: {text}", man)
    raise Over


def connect(case: Case, man: Man, target: Case) -> None:
    """The earlier complaint is closed: this one is its repetition, and goes on."""
    case.did("connect", man, target=target)
    link(case, target, LinkKind.REPEAT, man)
    case.note(ActionKind.LINKED, f"REPEAT: {target.dossier.complaint['number']}", man)


def withdraw(case: Case, man: Man) -> None:
    """Closed on the complainant's own paper, which another officer took."""
    text = case.say("WITHDRAWN")
    case.did("withdraw", man, text=text)
    conclude(case, case.world.disposals["WDN"], text, man)
    case.take(Move.WITHDRAW)
    close(case)
    case.note(ActionKind.WITHDRAWN, text, man)
    raise Over


# ---------------------------------------------------------------- the complainant's answer


def attempt(case: Case, man: Man, last: bool) -> None:
    """Nobody answered; after three days the complaint is closed as not reached."""
    text = case.say("NOANSWER")
    case.did("attempt", man, text=text)
    case.take(Move.ATTEMPT)
    case.note(ActionKind.ATTEMPT, text, man)
    if last:
        case.take(Move.FEEDBACK)
        close(case)


def feedback(case: Case, man: Man, satisfied: bool) -> None:
    """Satisfied or not, and why."""
    reason = case.world.texts.answer(case.rng, case.lang, satisfied)
    case.did("feedback", man, satisfied=satisfied, reason=reason)
    case.take(Move.FEEDBACK)
    case.dossier.complaint["satisfied"] = case.this_round["satisfied"] = satisfied
    close(case)
    case.dossier.add(
        Feedback, round=case.round, satisfied=satisfied, reason=reason, at=case.at, user_id=man.user_id
    )
    case.note(ActionKind.FEEDBACK, reason, man)


def inform(case: Case, man: Man) -> None:
    """The informant is told how the case goes on."""
    text = case.say("PROGRESS")
    case.did("inform", man, text=text)
    case.take(Move.INFORM)
    case.note(ActionKind.PROGRESS, text, man)


# ---------------------------------------------------------------- rounds and appeals


def chosen(case: Case) -> Command | None:
    """Who enquires anew, as ``rounds.choose`` has it: near, of higher rank, never concerned with it.

    How many cases each has is not known here; the officer who came first has it instead.
    """
    line = set(case.unit.line)
    level = max(man.level for man in case.ios.values())
    found = [
        (-len(line.intersection(unit.line)), man.level, man.id, man, post, unit)
        for man, post, unit in case.staff.enquirers(case.place.district or 0)
        if man.level > level and man.id not in case.handled and man is not case.accused
        if not case.shut.intersection(unit.line)
    ]
    return min(found, key=lambda f: f[:3])[3:] if found else None


def new_round(case: Case, move: Move, why: RoundReason, man: Man, reason: str) -> None:
    """The round after: its place, its clock; the one before stays as it is."""
    best = chosen(case)
    if best is None:
        raise LookupError(f"nobody may enquire anew at {case.unit.code}")
    officer, post, unit = best
    case.round += 1
    theirs = set(unit.line)
    case.unit = case.staff.places[next(u for u in reversed(case.unit.line) if u in theirs)]
    case.dossier.complaint.update(
        disposition_id=None, disposed_by_id=None, disposal_text=None, disposed_on=None, satisfied=None
    )
    said: dict[str, Any] = {"officer": officer.called, "unit": unit.name.en, "post": post.name, "load": 0}
    begin_round(case, why, man, reason, said)
    case.dossier.rows[Allegation][0].update(finding=None, reasons=None)
    case.io = None
    case.take(move)


def reopen(case: Case, man: Man) -> None:
    """On the complainant's paper: a new round."""
    text = case.say("REOPENED")
    case.did("reopen", man, text=text)
    new_round(case, Move.REOPEN, RoundReason.REOPENED, man, text)
    case.note(ActionKind.REOPENED, text, man)
    paper(case, DocumentKind.REOPENED, man)


def authority(case: Case) -> Command | None:
    """The next superior above whoever disposed, never concerned with it."""
    level = case.handled[case.dossier.complaint["disposed_by_id"]].level
    for man, post, unit in case.commands():
        if man.level > level and man.id not in case.handled:
            return man, post, unit
    return None


def appeal(case: Case, man: Man, paper_no: int, head: Command) -> int:
    """The complainant's signed appeal lies with the next authority; its place."""
    text = case.say("GROUNDS")
    case.did("appeal", man, text=text)
    rows = case.dossier.rows.get(Appeal, ())
    place = case.dossier.put(Appeal, {
        "no": len(rows) + 1, "round": case.round, "consent_id": paper_no, "entered_at": case.at, "grounds": text,
        "unit_id": head[2].id, "post": head[1], "decided_at": None, "decided_by_id": None, "result": None,
        "reasons": "",
    })  # fmt: skip
    case.take(Move.APPEAL, unit=head[2])
    case.note(ActionKind.APPEALED, text, man)
    return place


def hear(case: Case, man: Man, place: int, result: AppealResult) -> None:
    """The appeal is dismissed, or a new round begins."""
    text = case.say(result.name)
    case.did("hear", man, result=result, text=text)
    case.dossier.rows[Appeal][place].update(
        result=result, reasons=text, decided_at=case.at, decided_by_id=man.id
    )
    case.handled[man.id] = man
    case.note(ActionKind.APPEAL_DECIDED, f"{result.name}: {text}", man)
    if result is AppealResult.ALLOWED:
        new_round(case, Move.ALLOW, RoundReason.APPEAL, man, text)
    else:
        case.take(Move.DISMISS)
        case.this_round["closed_at"] = case.this_round["closed_at"] or case.at
    paper(case, DocumentKind.APPEAL, man)
