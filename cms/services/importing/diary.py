"""What happened on an old complaint, and who brought it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import phonenumbers

from cms.i18n import IST, day_range
from cms.models import Action, ActionKind, Party, PartyRole
from cms.services.importing.problems import Reason
from cms.services.importing.profile import Field, Section
from cms.services.importing.profile_toml import plain
from cms.services.importing.spool import Group, Spooled
from cms.services.importing.values import Reading, column_of, in_india

if TYPE_CHECKING:
    from cms.services.importing.records import Draft

BEFORE = timedelta(days=1)
"""An action may precede the receipt by so much: the two are dated by different clerks."""


def entries(reading: Reading, section: Section, group: Group) -> list[tuple[datetime, str, Spooled]]:
    """(moment, key, row) of the actions that have a usable date, in their order."""
    found = []
    for at in group.of(section.file):
        moment = reading.moment(section.fields.get("at"), at)
        if moment is not None:
            found.append((moment, reading.take(section.key, at.row)[:80], at))
    return sorted(found, key=lambda e: (e[0], e[1].zfill(20), list(e[2].row.values())))


def closed_by_actions(reading: Reading, group: Group) -> datetime | None:
    """The moment of the last action that ends a complaint, unless it was reopened after it."""
    section = reading.profile.action
    if section is None or not section.closes:
        return None
    # Told twice otherwise: the same rows become the diary later on.
    silent = Reading(reading.profile, type(reading.problems)(), reading.today, reading.lists, reading.memo)
    closed = None
    for moment, _key, at in entries(silent, section, group):
        word = plain(reading.take(section.fields.get("kind"), at.row))
        if word in section.closes:
            closed = moment
        elif word in section.reopens:
            closed = None
    return closed


def add_diary(made: Draft) -> None:
    """What the old register says besides, its actions, and its closing."""
    fields = made.profile.complaint.fields
    note = made.reading.text(fields.get("note"), 4000, "note", made.main) or ""
    start = made.dossier.complaint["registered_at"]
    entry(made, ActionKind.IMPORTED, start, note, "received")
    add_actions(made)
    section = made.profile.action
    if made.dates.closed and not (section and section.closes):
        day = made.dates.closed.date()
        entry(made, ActionKind.DISPOSED, day_range(day, day)[0], "", "closed")


def entry(made: Draft, kind: ActionKind, at: datetime, note: str, key: str) -> None:
    """One entry of the diary, dated as the register dates it."""
    made.dossier.add(Action, kind=kind, happened_at=at, logged_at=at, note=note, origin_key=key)


def add_actions(made: Draft) -> None:
    """Every dated action; one without a usable date is left out and noted."""
    section, reading = made.profile.action, made.reading
    if section is None:
        return
    rule = section.fields.get("at")
    found = entries(reading, section, made.group)
    kept = {id(at) for _moment, _key, at in found}
    for at in made.group.of(section.file):
        if id(at) not in kept:
            said = reading.take(rule, at.row)
            reading.problems.add(at.file, at.line, column_of(rule), said, Reason.NO_ACTION_DATE)
    for no, (moment, key, at) in enumerate(found, 1):
        if moment < made.dates.received.astimezone(IST) - BEFORE:
            reading.problems.add(at.file, at.line, column_of(rule), str(moment.date()), Reason.ACTION_BEFORE)
        kind = reading.mapped(section.fields.get("kind"), at)
        note = reading.text(section.fields.get("note"), 4000, "note", at) or ""
        entry(made, ActionKind[kind or "OTHER"], in_india(moment), note, key or f"action {no}")


# ---------------------------------------------------------------- parties


def add_parties(made: Draft) -> None:
    """The complainants and the opposite party that the register names; where it names nobody there is nobody."""
    profile = made.profile
    for role, section in ((PartyRole.COMPLAINANT, profile.complainant), (PartyRole.OPPOSITE, profile.opposite)):
        if section is None:
            continue
        names: dict[tuple[str, str], dict[str, Any]] = {}
        for at in made.group.of(section.file):
            for said in persons(made.reading, section, at):
                names.setdefault((plain(said["name"]), said["phone"] or ""), said)
        for position, said in enumerate(names.values(), 1):
            made.dossier.add(Party, role=role, position=position, **said)


ROOM = {"relative": 120, "email": 120, "address": 300}
"""What a register may say of a person beside name and telephones, and how much room it has."""


def persons(reading: Reading, section: Section, at: Spooled) -> Iterator[dict[str, Any]]:
    """The persons of one row; further ones in a cell have the name alone."""
    fields = section.fields
    whole = reading.text(fields.get("name"), 1000, "name", at) or ""
    names = [name.strip() for name in (whole.split(section.several) if section.several else [whole]) if name.strip()]
    if not names:
        return
    more: dict[str, str | None] = {name: reading.text(fields.get(name), room, name, at) for name, room in ROOM.items()}
    more |= {name: phone(reading, fields.get(name), at) for name in ("phone", "phone_2")}
    for name in names:
        yield {"name": name[:120], **more}
        more = dict.fromkeys(more)


def phone(reading: Reading, rule: Field | None, at: Spooled) -> str | None:
    """The number in international form; what is none is noted and held back."""
    text = reading.take(rule, at.row)
    if not text:
        return None
    try:
        parsed = phonenumbers.parse(text, "IN")
        if phonenumbers.is_possible_number(parsed):
            return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)[:20]
    except phonenumbers.NumberParseException:
        pass
    reading.problems.add(at.file, at.line, column_of(rule), text, Reason.PHONE)
    return None
