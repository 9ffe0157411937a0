"""One timeline of everything that happened to a complaint, in the reader's language, round by round.

The diary has a line for every move; where a ledger says the same with more, the ledger's entry stands
and the diary's line of that moment is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from cms.admin_views.ledgers import Ledgers, Link, People, short
from cms.i18n import _, ist_day, ngettext, show_day, show_moment
from cms.models import (
    Action,
    ActionKind,
    AppealResult,
    Attachment,
    Channel,
    Complaint,
    ConsentKind,
    Decision,
    DecisionKind,
    Delivery,
    Document,
    EnquiryReport,
    Feedback,
    Request,
    RequestKind,
    Round,
)  # fmt: skip
from cms.services.complaints import io_name
from cms.services.looking import Look


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the timeline; kind picks the colour of its dot: "", quiet, done, late, seen."""

    at: datetime
    title: str
    who: str = ""
    text: str = ""
    kind: str = ""
    logged_at: datetime | None = None
    round: int | None = None
    corrections: tuple[Entry, ...] = ()
    files: tuple[Attachment, ...] = ()

    @property
    def written(self) -> datetime | None:
        """When it was written down, where that is another minute than the one it happened in."""
        apart = self.logged_at is not None and abs((self.logged_at - self.at).total_seconds()) >= 60
        return self.logged_at if apart else None

    @property
    def late_entry(self) -> bool:
        """Written down on a later day than it happened."""
        return self.logged_at is not None and ist_day(self.logged_at) > ist_day(self.at)


@dataclass(frozen=True, slots=True)
class Section:
    """A round: how it began, how it ended, and its entries, newest first."""

    round: Round | None
    title: str
    began: str
    ended: str
    entries: list[Entry] = field(default_factory=list)
    now: bool = False


def sections(complaint: Complaint, found: Ledgers, who: People) -> list[Section]:
    """The timeline, the present round first."""
    entries = told(complaint, found, who)
    rounds = list(found.rounds)[::-1]
    if not rounds:
        return [Section(None, "", "", "", entries, now=True)]
    made = [
        Section(one, title_of(one), how_it_began(one, who), how_it_ended(one, who), now=one.no == complaint.round)
        for one in rounds
    ]
    for entry in entries:
        made[place_of(entry, rounds)].entries.append(entry)
    return made


def place_of(entry: Entry, rounds: list[Round]) -> int:
    """Which section an entry stands in: its own round's, else the one that was open at its moment."""
    for index, one in enumerate(rounds):
        if entry.round == one.no or (entry.round is None and entry.at >= one.opened_at):
            return index
    return len(rounds) - 1


def title_of(one: Round) -> str:
    """Heading of a round."""
    return str(_("Round %(no)s: %(why)s", no=one.no, why=one.why))


def how_it_began(one: Round, who: People) -> str:
    """When and why a later round was begun, and how its officer was found."""
    if one.no == 1:
        return ""
    said = [show_moment(one.opened_at), who.user(one.opened_by_id, one.opened_at), one.reason]
    if one.chosen:
        said.append(str(_("Chosen by the rules: %(officer)s, %(unit)s", **named(one.chosen))))
    return " · ".join(filter(None, said))


def named(chosen: dict[str, Any]) -> dict[str, str]:
    """Officer and unit of a choice as it was written down."""
    return {key: str(chosen.get(key) or "–") for key in ("officer", "unit")}


def how_it_ended(one: Round, who: People) -> str:
    """The outcome of a round, which no later round rewrites."""
    if one.disposed_at is None:
        return ""
    said = [str(one.disposition or ""), show_moment(one.disposed_at), who.said(one.disposed_by_id, one.disposed_at)]
    if one.satisfied is not None:
        said.append(str(_("Complainant satisfied") if one.satisfied else _("Complainant not satisfied")))
    return " · ".join(filter(None, said))


def told(complaint: Complaint, found: Ledgers, who: People) -> list[Entry]:
    """Everything that happened, newest first."""
    entries = [
        *(of_document(d, who) for d in complaint.documents),
        *of_requests(found, who), *of_directions(found, who), *of_reports(found, who), *of_ends(complaint, found, who),
        *of_appeals(complaint, found, who), *of_consents(found, who), *of_links(found.links, who),
        *of_changes(found, who), *diary(complaint, found, who),
        *(of_delivery(d, who) for d in found.deliveries), *(of_feedback(f, who) for f in found.answers),
        *reminders(found, who), *of_files(found, who), *openings(found.looks),
    ]  # fmt: skip
    entries.reverse()  # sorting is stable: of one moment, what was written later stands above
    return sorted(entries, key=lambda entry: entry.at, reverse=True)


# ---------------------------------------------------------------- the diary


def diary(complaint: Complaint, found: Ledgers, who: People) -> Iterator[Entry]:
    """The entries that no ledger tells better, each with its corrections and its files."""
    covered = told_elsewhere(found)
    fixes: dict[int, list[Action]] = {}
    for action in complaint.actions:
        if action.corrects_id is not None:
            fixes.setdefault(action.corrects_id, []).append(action)
    for action in complaint.actions:
        if action.corrects_id is None and (action.kind, action.logged_at) not in covered and not folded(action, found):
            yield of_action(action, complaint, found, who, fixes)


def folded(action: Action, found: Ledgers) -> bool:
    """Deliveries and answers have no common moment with the diary's line; one ledger row speaks for it."""
    return bool(
        (action.kind is ActionKind.DELIVERED and found.deliveries)
        or (action.kind is ActionKind.FEEDBACK and any(f.round == action.round for f in found.answers))
    )


def told_elsewhere(found: Ledgers) -> set[tuple[ActionKind, datetime | None]]:
    """Kind and moment of the diary's lines that a ledger tells better."""
    K = ActionKind  # noqa: N806
    said: set[tuple[ActionKind, datetime | None]] = set()
    for asked in found.requests:
        said |= {(kind, asked.asked_at) for kind in (K.ASKED, K.TRANSFERRED)}
        said |= {(kind, asked.decided_at) for kind in (K.GRANTED, K.REFUSED, K.ACCEPTED, K.DECLINED)}
    for order in found.directions:
        said |= {(K.DIRECTION, order.at), (K.COMPLIED, order.replied_at)}
    for report in found.reports:
        said.add((K.REPORTED, report.submitted_at))
        said |= {(kind, d.at) for d in report.decisions for kind in (K.RETURNED, K.FORWARDED)}
    for one in found.rounds:
        said |= {(kind, one.disposed_at) for kind in ENDINGS}
    for entered in found.appeals:
        said |= {(K.APPEALED, entered.entered_at), (K.APPEAL_DECIDED, entered.decided_at)}
    said |= {(K.CONSENT, consent.at) for consent in found.consents}
    return said | {(K.LINKED, link.row.at) for link in found.links if link.outward}


def of_action(
    action: Action, complaint: Complaint, found: Ledgers, who: People, fixes: dict[int, list[Action]]
) -> Entry:
    """A line of the diary; the line of registration would only repeat the subject."""
    text = "" if action.note == complaint.subject else action.note
    if text == complaint.unit.name_en:
        text = complaint.unit.name
    if action.kind is ActionKind.ASSIGNED:
        text = assigned(action, found, who)
    return Entry(
        action.happened_at, str(action.kind), writer(action, who), text, "", action.logged_at, action.round,
        tuple(corrections(action, who, fixes)), tuple(f for f in found.files if f.action_id == action.id),
    )  # fmt: skip


def corrections(action: Action, who: People, fixes: dict[int, list[Action]]) -> Iterator[Entry]:
    """What corrects an entry, and what corrects that, in the order in which it was written."""
    for fix in fixes.get(action.id, ()):
        yield Entry(fix.logged_at, str(fix.kind), writer(fix, who), fix.note)
        yield from corrections(fix, who, fixes)


def writer(action: Action, who: People) -> str:
    """Who wrote an entry: an officer, or the system when nobody signed in."""
    said = who.said(action.officer_id, action.logged_at) or who.user(action.user_id, action.logged_at)
    nobody = action.user_id is None and action.officer_id is None and action.kind is not ActionKind.IMPORTED
    return said or (system() if nobody else "")


def assigned(action: Action, found: Ledgers, who: People) -> str:
    """Who was named IO, in the reader's language, with the reason that the diary keeps after the name."""
    row = next((a for a in found.assignments if a.assigned_at == action.logged_at), None)
    officer = who.officers.get(row.officer_id) if row else None
    if officer is None:
        return action.note
    return who.said(officer.id, action.logged_at) + action.note.removeprefix(io_name(officer))


# ---------------------------------------------------------------- requests, directions, reports


def of_requests(found: Ledgers, who: People) -> Iterator[Entry]:
    """What was asked of a superior or another unit, and the answer."""
    for asked in found.requests:
        transfer = asked.kind is RequestKind.TRANSFER
        title = str(ActionKind.TRANSFERRED) if transfer else f"{ActionKind.ASKED}: {asked.kind}"
        yield Entry(asked.asked_at, title, who.said(asked.asked_by_id, asked.asked_at) or system(), wish(asked),
                    round=asked.round)  # fmt: skip
        if asked.decided_at is not None:
            yes, no = ((ActionKind.ACCEPTED, ActionKind.DECLINED) if transfer
                       else (ActionKind.GRANTED, ActionKind.REFUSED))  # fmt: skip
            title = str(yes if asked.granted else no) + ("" if transfer else f": {asked.kind}")
            yield Entry(asked.decided_at, title, who.said(asked.decided_by_id, asked.decided_at) or system(),
                        asked.answer, "" if asked.granted else "late", round=asked.round)  # fmt: skip


def system() -> str:
    """Nobody signed in: the clock did it."""
    return str(_("the system"))


def wish(asked: Request) -> str:
    """What exactly was asked for."""
    said = [str(asked.reason or ""), str(asked.to_unit or "")]
    if asked.until is not None:
        said.append(str(_("until %(day)s", day=show_day(asked.until))))
    if asked.days is not None:
        said.append(ngettext("%(num)d day", "%(num)d days", asked.days))
    return "\n".join(filter(None, [" · ".join(filter(None, said)), asked.reasons]))


def of_directions(found: Ledgers, who: People) -> Iterator[Entry]:
    """A superior's order and the report of compliance."""
    for order in found.directions:
        due = str(_("Compliance due by %(day)s", day=show_day(order.deadline.due_at)))
        yield Entry(order.at, str(ActionKind.DIRECTION), who.said(order.by_id, order.at), f"{order.text}\n{due}")
        if order.replied_at is not None:
            yield Entry(order.replied_at, str(ActionKind.COMPLIED), who.said(order.replied_by_id, order.replied_at),
                        order.reply or "")  # fmt: skip


DECIDED = {DecisionKind.RETURNED: ActionKind.RETURNED, DecisionKind.FORWARDED: ActionKind.FORWARDED}
"""Approval is told by the disposal."""


def of_reports(found: Ledgers, who: People) -> Iterator[Entry]:
    """A report with its findings, and what each desk did with it."""
    for report in found.reports:
        title = f"{ActionKind.REPORTED}: {report.disposition}"
        yield Entry(report.submitted_at, title, who.said(report.officer_id, report.submitted_at),
                    findings(report, found), round=report.round)  # fmt: skip
        for decision in report.decisions:
            if decision.kind in DECIDED:
                yield of_decision(decision, report, who)


def findings(report: EnquiryReport, found: Ledgers) -> str:
    """The finding on each allegation, what the disposal must state, then the reasons for it."""
    lines = [f"{f.allegation.no}. {f.finding}: {f.reasons}" for f in report.findings]
    stated = [
        f"{field.name}: {said_day(report.fields[field.code])}" for field in found.stated
        if field.disposition_id == report.disposition_id and field.code in report.fields
    ]  # fmt: skip
    return "\n".join([*lines, *stated, report.reasons])


def said_day(value: str) -> str:
    """A day as it is kept, for people; anything else as it is."""
    try:
        return show_day(date.fromisoformat(value))
    except ValueError:
        return value


def of_decision(decision: Decision, report: EnquiryReport, who: People) -> Entry:
    """What a desk did with a report."""
    kind = "late" if decision.kind is DecisionKind.RETURNED else ""
    return Entry(decision.at, str(DECIDED[decision.kind]), who.said(decision.officer_id, decision.at), decision.text,
                 kind, round=report.round)  # fmt: skip


ENDINGS = (ActionKind.DISPOSED, ActionKind.REFERRED, ActionKind.MERGED, ActionKind.WITHDRAWN)


def of_ends(complaint: Complaint, found: Ledgers, who: People) -> Iterator[Entry]:
    """How each round ended, from the row that keeps it for ever."""
    kinds = {(a.kind, a.logged_at) for a in complaint.actions if a.kind in ENDINGS}
    for one in found.rounds:
        if one.disposed_at is None:
            continue
        kind = next((k for k in ENDINGS if (k, one.disposed_at) in kinds), None)
        if kind is None:  # an old register's line says it with a moment of its own
            continue
        title = f"{kind}: {one.disposition}" if one.disposition else str(kind)
        yield Entry(one.disposed_at, title, who.said(one.disposed_by_id, one.disposed_at),
                    found.in_words(one.disposal_text), "done", round=one.no)  # fmt: skip


def clerk(complaint: Complaint, at: datetime, who: People) -> str:
    """Who entered an appeal: the diary's line of that moment knows."""
    lines = (a for a in complaint.actions if a.kind is ActionKind.APPEALED and a.logged_at == at)
    return next((writer(line, who) for line in lines), "")


def of_appeals(complaint: Complaint, found: Ledgers, who: People) -> Iterator[Entry]:
    """An appeal and its decision."""
    for entered in found.appeals:
        said = _("Lies with %(unit)s", unit=entered.unit)
        yield Entry(entered.entered_at, str(ActionKind.APPEALED), clerk(complaint, entered.entered_at, who),
                    f"{entered.grounds}\n{said}", round=entered.round)  # fmt: skip
        if entered.decided_at is not None:
            kind = "late" if entered.result is AppealResult.DISMISSED else "done"
            yield Entry(entered.decided_at, f"{ActionKind.APPEAL_DECIDED}: {entered.result}",
                        who.said(entered.decided_by_id, entered.decided_at), entered.reasons, kind,
                        round=entered.round)  # fmt: skip


def of_consents(found: Ledgers, who: People) -> Iterator[Entry]:
    """What the complainant confirmed, and by what proof."""
    for given in found.consents:
        signed = _("%(means)s of %(day)s", means=given.means, day=show_day(given.given_on))
        title = f"{ActionKind.CONSENT}: {ConsentKind(given.kind)}"
        files = tuple(f for f in found.files if f.id == given.attachment_id)
        text = " · ".join(filter(None, [signed, given.note]))
        yield Entry(given.at, title, who.said(given.officer_id, given.at), text, round=given.round, files=files)


def of_links(links: Iterable[Link], who: People) -> Iterator[Entry]:
    """A link with another complaint, by its number where this reader may see that one."""
    for link in links:
        other = link.other.number if link.other else str(_("a complaint outside your charge"))
        title = f"{ActionKind.LINKED}: {link.row.kind}"
        yield Entry(link.row.at, title, who.user(link.row.user_id, link.row.at), other, "quiet")


def of_changes(found: Ledgers, who: People) -> Iterator[Entry]:
    """A due date that was moved."""
    for change in found.changes:
        old, new = show_day(change.old_due_at), show_day(change.new_due_at)
        yield Entry(change.at, _("Due date moved from %(old)s to %(new)s", old=old, new=new),
                    who.user(change.user_id, change.at) or system(), str(change.request.kind), "quiet",
                    round=change.request.round)  # fmt: skip


# ---------------------------------------------------------------- papers, answers, reminders, readers


def of_delivery(delivery: Delivery, who: People) -> Entry:
    """A document that went out."""
    title = f"{delivery.document.kind}: {delivery.channel}"
    text = " · ".join(part for part in (delivery.address, delivery.note) if part)
    kind = "late" if delivery.channel is Channel.DECLINED else "quiet"
    return Entry(delivery.at, title, who.user(delivery.user_id, delivery.at), text, kind)


def of_document(document: Document, who: People) -> Entry:
    """A document that was issued."""
    title = _("%(document)s issued, version %(version)s",
              document=document.kind, version=document.version)  # fmt: skip
    return Entry(document.issued_at, title, who.user(document.issued_by_id, document.issued_at), kind="quiet")


def of_feedback(feedback: Feedback, who: People) -> Entry:
    """The complainant's answer."""
    yes = feedback.satisfied
    title = _("Complainant satisfied") if yes else _("Complainant not satisfied")
    name, kind = who.user(feedback.user_id, feedback.at), "done" if yes else "late"
    return Entry(feedback.at, title, name, feedback.reason, kind, round=feedback.round)


def reminders(found: Ledgers, who: People) -> Iterator[Entry]:
    """Rungs of the ladder that fired."""
    for fired in found.reminders:
        name = who.said(fired.officer_id, fired.fired_at) or str(fired.post or "")
        yield Entry(fired.fired_at, _("Reminder: %(rung)s", rung=fired.rung), name, "", "quiet")


def of_files(found: Ledgers, who: People) -> Iterator[Entry]:
    """Files that came by themselves; those of a diary entry or a signed paper stand there."""
    shown = {given.attachment_id for given in found.consents}
    for file in found.files:
        if file.action_id is None and file.id not in shown:
            yield Entry(file.at, str(_("File added")), who.user(file.user_id, file.at), kind="quiet", files=(file,))


def openings(looks: Iterable[Look]) -> Iterator[Entry]:
    """Who opened the complaint: one line a day for each officer, oldest first."""
    days: dict[tuple[str, Any], list[Look]] = {}
    for look in looks:
        days.setdefault((reader(look), ist_day(look.at)), []).append(look)
    for (name, _day), group in reversed(days.items()):
        times = len(group)
        text = ngettext("%(num)d time that day", "%(num)d times that day", times) if times > 1 else ""
        yield Entry(group[0].at, str(_("Seen by %(who)s", who=name)), "", text, "seen")


def reader(look: Look) -> str:
    """SP Anil Dhillon, SP (Hisar District)."""
    name = str(look.officer) if look.officer else look.name
    place = f" ({look.unit.name})" if look.unit else ""
    return f"{name}, {short(look.as_what)}{place}" if look.as_what else name
