"""The life of a demo complaint to today: who does what, when and why.

``STEPS`` is the whole life in order. A step lets time pass with ``case.go`` or ``case.wait`` and calls
what is written in ``deeds`` and ``after``; today, or an end, ends the life wherever it stands.
A later part adds a function and names it in ``STEPS``.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from random import Random

from cms.i18n import IST, day_range, ist_day
from cms.models import (
    ActionKind,
    AppealResult,
    ConsentKind,
    DocumentKind,
    Hold,
    Reminder,
    Request,
    RequestKind,
)  # fmt: skip
from cms.rules import OPEN, RUNGS, WITH_CONSENT, Finding, Post, Rung, Status
from cms.services.demo import after, deeds
from cms.services.demo.case import Case, Over, begin, finish
from cms.services.demo.staff import Man, Place
from cms.services.demo.world import Disposal, World

DAY = timedelta(days=1)
NINE = time(9)
LADDER = tuple(Rung)

FINDINGS: Mapping[str, Finding] = {
    "FIR": Finding.SUBSTANTIATED, "NCR": Finding.SUBSTANTIATED, "PREV": Finding.SUBSTANTIATED,
    "OFFR": Finding.SUBSTANTIATED, "COMP": Finding.PARTLY, "FALSE": Finding.EXONERATED,
}  # fmt: skip
"""What was found, by how the enquiry ended; otherwise not substantiated."""

BETWEEN_TWO = frozenset({"COMP", "PREV", "CIVIL"})
"""Endings that need a known opposite party, and that no grave matter may have."""

GRAVE = frozenset({"WOMEN", "CHILDREN", "SCST", "SECURITY", "CYBER_FIN", "CYBER_OTH", "JOB_FRAUD"})
"""Categories that are never settled between the parties."""

ENQUIRIES = (
    ActionKind.VISIT, ActionKind.VISIT, ActionKind.STATEMENT, ActionKind.STATEMENT,
    ActionKind.CALL, ActionKind.NOTICE, ActionKind.DOCUMENT, ActionKind.OTHER,
)  # fmt: skip


def live(world: World, rng: Random, at: datetime, again: Case | None = None, district: str = "") -> Case:
    """A complaint registered at that moment, and what became of it by ``world.now``.

    again: an earlier complaint of the same person in the same matter; district: its code, if it is not
    to be drawn. The number is still missing: it follows from the district's series.
    """
    case = begin(world, rng, at, again, district)
    deeds.register(case)
    try:
        for step in STEPS:
            step(case)
    except Over:
        pass
    finish(case)
    remind(case)
    return case


# ---------------------------------------------------------------- to the IO


def hand_copy(case: Case) -> None:
    """The copy, within minutes of registration."""
    clerk = case.branch()
    deeds.paper(case, DocumentKind.COPY, clerk)
    case.go(case.at + timedelta(minutes=case.rng.randrange(2, 9)))
    deeds.deliver(case, DocumentKind.COPY, clerk)


def mark(case: Case) -> None:
    """The district office sends it to the station, or above the accused."""
    if case.status is not Status.REGISTERED:
        return
    if case.end is None and case.rng.random() < 0.03:
        raise Over
    case.wait(0.05, quickly(case, 2.5))
    deeds.mark(case, case.head(), case.staff.above(case.place) if case.accused else case.place)


def quickly(case: Case, most: float) -> float:
    """Days until the next desk at most: what ends soon went quickly from the start."""
    left = (case.end - case.at) / DAY if case.end else most * 4
    return min(most, max(left / 4, 0.1))


def repeat(case: Case) -> None:
    """The same matter once more: merged with the earlier complaint if that is open, else linked."""
    if case.again is None:
        return
    case.wait(0.05, 1.0)
    target = case.again
    if is_open_at(target, case.at) and target.unit.id in (case.unit.id, case.place.id):
        after.merge(case, case.head(), target)
    if target.status not in OPEN and case.unit.id in target.unit.line and not was_transferred(target):
        after.connect(case, case.head(), target)


def was_transferred(target: Case) -> bool:
    """It lay at another station for a time, whose complaints the head of this one does not see."""
    return any(row["kind"] is RequestKind.TRANSFER for row in target.dossier.rows.get(Request, ()))


def is_open_at(target: Case, moment: datetime) -> bool:
    """Open now and ever since: its rows say so without walking through its life again."""
    return target.status in OPEN and target.round == 1 and target.dossier.complaint["registered_at"] < moment


def leave(case: Case) -> None:
    """Some matters are not for the police, or for another station: of the last days more, so that a small
    demo, too, has one that waits for an answer."""
    if case.accused:
        return
    lot = case.rng.random()
    elsewhere = 0.2 if case.world.now - case.at < 2 * DAY else 0.05
    if lot < 0.02:
        case.wait(0.3, 3)
        after.refer(case, case.head())
    elif lot < 0.02 + elsewhere:
        pass_on(case)


def pass_on(case: Case) -> None:
    """To another station of the district, which takes it, declines, or lets the time pass."""
    other = case.world.station(case.rng, case.desk.code.split("-")[0], case.category)
    case.wait(0.2, 1.5)
    man = case.head()
    heads = case.staff.superiors(other)
    if other.id == case.unit.id or not heads or heads[0][0] is man:
        return
    place = after.transfer(case, man, other)
    lot = case.rng.random()
    if lot < 0.15:
        case.go(case.at + timedelta(hours=48, minutes=case.rng.randrange(5, 30)))
        after.decline(case, None, place)
        return
    case.wait(0.6, 1.95)
    asked = [found for found, _post, _unit in case.commands(other) if found is not man]
    if lot < 0.7:
        after.accept(case, asked[0], place)
    else:
        after.decline(case, asked[0], place)


def assign(case: Case) -> None:
    """The station head names the IO; some wait for days. A later round goes to whoever must have it."""
    waits = case.end is None and case.rng.random() < 0.12
    case.wait(4, 60) if waits else case.wait(0.05, quickly(case, 1.8))
    if case.round > 1:
        best = after.chosen(case)
        io = best[0] if best else None
    else:
        io = senior(case) if case.accused else case.rng.choice(case.staff.at(case.place.id, Post.IO))
    heads = [man for man, _post, _unit in case.commands() if man is not io]
    if io is None or not heads:
        raise Over
    deeds.assign(case, heads[0], io)
    case.since = case.at


def senior(case: Case) -> Man | None:
    """For a complaint against an officer: the head of another station under the same superior."""
    above, settled = case.staff.above(case.place).id, case.world.roster.settled
    others = [
        man
        for unit, man in case.staff.station_heads()
        if above in unit.line and case.place.id not in unit.line and man is not case.accused and man.id in settled
    ]
    return case.rng.choice(others) if others else None


# ---------------------------------------------------------------- the enquiry


def enquire(case: Case) -> None:
    """The first entry, soon; sometimes a correction of it; sometimes the complainant withdraws."""
    entry = look(case, 0.1, 0.35)
    lot = case.rng.random()
    if lot < 0.015:
        case.wait(0.1, 1)
        deeds.correct(case, entry)
    elif lot < 0.03 and not case.accused and case.round == 1:
        give_up(case)


def look(case: Case, low: float, high: float) -> int:
    """An entry of the diary between two parts of the time that is left; its place."""
    left = (case.end - case.at) / DAY if case.end else 12.0
    left = max(left, 0.05)
    before = case.at
    case.wait(left * low, left * high)
    written = timedelta(minutes=case.rng.randrange(5, 300))
    return deeds.act(case, case.rng.choice(ENQUIRIES), max(case.at - written, before))


def give_up(case: Case) -> None:
    """The complainant wants no more: one officer takes the paper, another closes on it."""
    clerk = case.branch()
    case.wait(0.3, 2)
    deeds.consent(case, ConsentKind.WITHDRAWAL, clerk)
    case.wait(0.1, 1.5)
    after.withdraw(case, case.head())


def rest(case: Case) -> None:
    """A report is awaited: the enquiry rests for some days, and the clock with it."""
    if case.rng.random() > 0.1 or (case.end and case.end - case.at < 8 * DAY):
        return
    case.wait(0.1, 1.5)
    if case.at >= case.due:
        return
    days = case.rng.randrange(3, 8)
    place = deeds.ask_hold(case, days)
    case.wait(0.1, 0.9)
    granted = case.rng.random() < 0.85 and case.at < case.due
    deeds.decide_hold(case, case.head(), place, granted)
    if not granted:
        return
    day = case.dossier.rows[Hold][-1]["until"]
    until = day_range(day, day)[0]
    if case.rng.random() < 0.3:
        case.go(until + timedelta(minutes=15))
        deeds.resume(case, place, None)
        return
    early = case.rng.randrange(0, 2) * DAY
    case.go(max(case.soon(until - early), case.at + timedelta(hours=2)))
    deeds.resume(case, place, case.io)


def ask_for_time(case: Case) -> None:
    """Two days before the end of the time the IO asks for more, if he will need it."""
    late = case.end is None or case.end > case.due + DAY
    moment = case.due - 2 * DAY
    if not late or case.rng.random() > 0.08 or moment < case.at:
        return
    case.go(case.soon(moment))
    place = deeds.ask_extension(case, case.rng.choice((5, 7, 10, 15)))
    case.wait(0.1, 1.5)
    bosses = [man for man, post, _unit in case.commands() if post.value >= Post.SP.value]
    if bosses:
        deeds.decide_extension(case, bosses[0], place, case.rng.random() < 0.85)


def be_directed(case: Case) -> None:
    """A superior asks why it takes so long; most IOs report what they did then."""
    moment = case.due + 2 * DAY
    late = case.end is None or case.end > moment + 4 * DAY
    if not late or case.accused or case.rng.random() > 0.12 or moment < case.at:
        return
    case.go(case.soon(moment))
    bosses = [man for man, post, _unit in case.commands() if post.value >= Post.DSP.value]
    if not bosses:
        return
    place = deeds.direct(case, bosses[0])
    if case.rng.random() < 0.7:
        case.wait(0.5, 3.5)
        deeds.comply(case, place)


def look_again(case: Case) -> None:
    """A second entry in one case of twenty."""
    if case.rng.random() < 0.05:
        look(case, 0.2, 0.5)


# ---------------------------------------------------------------- report and decision


def conclude(case: Case) -> None:
    """The report, sometimes returned once, and the approval by the rank that the rule names."""
    end = case.end
    if end is None:
        linger(case)
        raise Over
    disposal = ending(case)
    finding = FINDINGS.get(disposal.code, Finding.NOT_SUBSTANTIATED)
    room = max(end - case.at, timedelta(hours=2))
    case.go(max(end - min(room * 0.6, 2.2 * DAY * case.rng.random() + DAY / 8), case.at + timedelta(minutes=20)))
    place = deeds.report(case, disposal, finding)
    if case.rng.random() < 0.05:
        case.wait(0.1, 1.2)
        deeds.give_back(case, place)
        case.wait(0.4, 2)
        deeds.act(case, ActionKind.STATEMENT, case.at)
        case.wait(0.1, 0.5)
        place = deeds.report(case, disposal, finding)
    approve(case, place, disposal)


def approve(case: Case, place: int, disposal: Disposal) -> None:
    """From desk to desk up to the post that may approve."""
    needed = case.world.needed(disposal, case.facts.category_id, case.facts.mode_id)
    if disposal.code in WITH_CONSENT:
        case.wait(0.02, 0.3)
        deeds.consent(case, ConsentKind.COMPROMISE, case.branch())
    desk = deeds.approver(case)
    while desk[1].value < needed.value:
        case.wait(0.05, 0.7)
        desk = deeds.forward(case, place, on_desk(case, desk[2]))
    case.go(max(case.end or case.at, case.at + timedelta(minutes=20)))
    deeds.dispose(case, place, on_desk(case, desk[2]), disposal)


def on_desk(case: Case, unit: Place) -> tuple[Man, Post, Place]:
    """Who decides at a desk on that day: it may have changed hands meanwhile."""
    for found in case.commands(unit):
        return found
    raise Over


def linger(case: Case) -> None:
    """An open one: some reports lie for long, a few were returned."""
    lot = case.rng.random()
    if lot > 0.15:
        return
    case.wait(2, 20)
    disposal = ending(case)
    place = deeds.report(case, disposal, FINDINGS.get(disposal.code, Finding.NOT_SUBSTANTIATED))
    if lot < 0.03:
        case.wait(1, 5)
        deeds.give_back(case, place)


def ending(case: Case) -> Disposal:
    """How the enquiry ends; departmental action is for officers, and land goes to the civil court."""
    world, rng = case.world, case.rng
    if case.accused:
        return world.disposals["OFFR" if rng.random() < 0.3 else "UNF"]
    code = world.disposal.draw(rng)
    if (case.category in GRAVE or not case.told.against) and code in BETWEEN_TWO:
        code = "FIR"
    elif code == "OFFR" or (code == "ANON" and rng.random() < 0.9):
        code = "FILED"
    elif case.category == "LAND" and rng.random() < 0.3:
        code = "CIVIL"
    return world.disposals[code]


# ---------------------------------------------------------------- after it


def deliver(case: Case) -> None:
    """The report reaches the complainant."""
    if case.rng.random() < 0.04:
        raise Over
    case.wait(0.1, 4)
    deeds.deliver(case, DocumentKind.REPORT, case.branch())


def ask(case: Case) -> None:
    """The feedback cell calls: satisfied, not satisfied, or nobody answers on three days (of the last week
    more, so that a small demo, too, has one that is still being called)."""
    lot = case.rng.random()
    silent = 0.2 if case.world.now - case.at < 8 * DAY else 0.04
    cell = case.cell()
    if cell is None or lot < 0.15:
        return
    if lot < 0.15 + silent:
        for no in range(3):
            case.wait(1.2, 3)
            after.attempt(case, cell, last=no == 2)
        return
    case.wait(1, 5)
    after.feedback(case, cell, satisfied=lot < 0.84)


def come_back(case: Case) -> None:
    """Who is not content asks to re-open, or appeals; once."""
    content = case.dossier.complaint.get("satisfied")
    if content or case.round > 1 or case.accused:
        return
    lot = case.rng.random() * (1.0 if content is False else 6.0)
    if lot < 0.2:
        again(case)
    elif lot < 0.45:
        complain_higher(case)


def again(case: Case) -> None:
    """A new round on the complainant's paper."""
    case.wait(1, 10)
    if case.cell() is None or after.chosen(case) is None:
        return
    clerk = case.branch()
    deeds.consent(case, ConsentKind.REOPENING, clerk)
    case.go(case.at + timedelta(minutes=case.rng.randrange(5, 40)))
    after.reopen(case, clerk)
    anew(case)


def complain_higher(case: Case) -> None:
    """An appeal to the next authority, which dismisses it or orders a fresh enquiry."""
    case.wait(1, 12)
    head = after.authority(case)
    if head is None:
        return
    clerk = case.branch()
    paper = deeds.consent(case, ConsentKind.APPEAL, clerk)
    case.go(case.at + timedelta(minutes=case.rng.randrange(5, 40)))
    place = after.appeal(case, clerk, paper, head)
    case.wait(4, 28)
    found = [man for man, _post, _unit in case.commands(head[2]) if man.id not in case.handled]
    if not found:
        raise Over
    allowed = case.rng.random() < 0.35
    judge = found[0]
    case.handled[judge.id] = judge
    allowed = allowed and after.chosen(case) is not None
    after.hear(case, judge, place, AppealResult.ALLOWED if allowed else AppealResult.DISMISSED)
    if allowed:
        anew(case)


def anew(case: Case) -> None:
    """The later round, from the naming of the IO to the complainant's answer."""
    days = 4 + 14 * case.rng.random()
    case.end = case.soon(case.at + timedelta(days=days)) if case.rng.random() < 0.85 else None
    for step in (assign, enquire, conclude, deliver, ask):
        step(case)


def tell_progress(case: Case) -> None:
    """Within ninety days the informant hears how the registered case goes on."""
    fir = case.world.disposals["FIR"].id
    if case.dossier.complaint.get("disposition_id") != fir or case.rng.random() > 0.4:
        return
    case.wait(50, 85)
    after.inform(case, case.head())


STEPS = (
    hand_copy, mark, repeat, leave, assign, enquire, rest, ask_for_time, be_directed, look_again, conclude,
    deliver, ask, come_back, tell_progress,
)  # fmt: skip
"""The life of a complaint in order."""


def remind(case: Case) -> None:
    """Rungs that fired before today, so that the sweep finds today's to do and no old ones."""
    today = ist_day(case.world.now)
    for place, spans in case.due_spans().items():
        ladders = [(since, fired_at(ist_day(due)), until) for since, due, until in spans]
        for rung in LADDER:
            for since, ladder, until in ladders:
                day, fired = ladder[rung]
                if day < today and since <= fired and (until is None or fired <= until):
                    whom = reached(case, rung, fired)
                    case.dossier.add(Reminder, deadline_id=place, rung=rung, fired_at=fired, **whom)
                    break


@lru_cache(maxsize=5_000)  # ten years have fewer due days
def fired_at(due: date) -> dict[Rung, tuple[date, datetime]]:
    """(day, moment) of each rung of a clock that is due on that day."""
    days = {rung: due + timedelta(days=RUNGS[rung][0]) for rung in LADDER}
    return {rung: (day, datetime.combine(day, NINE, IST)) for rung, day in days.items()}


def reached(case: Case, rung: Rung, at: datetime) -> dict[str, object]:
    """Whom a rung reached: the IO, or the head of the unit."""
    if Post.IO in RUNGS[rung][1] and case.io:
        return {"officer_id": case.io.id, "post": Post.IO}
    man, post = case.world.roster.on(ist_day(at)).head(case.unit)
    return {"officer_id": man.id, "post": post}
