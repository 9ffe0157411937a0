"""What all papers of the office say in the same words: dates, letterhead, who gets a copy.

Every text is made in both languages at issue; a paper never changes with the reader's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime
from typing import Any

from babel.dates import format_date
from flask_babel import force_locale
from sqlalchemy import or_, select

from cms.i18n import _, english_date, hindi_date, is_devanagari, ist_day, language, show_moment
from cms.models import Complaint, CopyTo, DocumentKind, Edition, Officer, Party, PartyRole, Unit
from cms.rules import Post
from cms.unit_of_work import Work


def both(make: Callable[[], Any], name: str) -> dict[str, str]:
    """``name_hi`` and ``name_en`` of a text that depends on the language in force."""
    said = {}
    for lang in ("hi", "en"):
        with force_locale(lang):
            said[f"{name}_{lang}"] = str(make())
    return said


def day_of(moment: date | datetime) -> date:
    """The day in India."""
    return ist_day(moment) if isinstance(moment, datetime) else moment


def days(name: str, moment: date | datetime) -> dict[str, str]:
    """A day in both languages, short enough for a table: 24 Nov 2026."""
    day = day_of(moment)
    return {f"{name}_hi": hindi_date(day), f"{name}_en": english_date(day)}


def in_full(moment: date | datetime) -> tuple[str, str]:
    """A day in Hindi and in English as a letter writes it: 24 November 2026."""
    day = day_of(moment)
    return hindi_date(day), format_date(day, "d MMMM y", locale="en")


def moments(name: str, at: datetime) -> dict[str, str]:
    """Day and time in both languages."""
    return {f"{name}_{lang}": show_moment(at, lang) for lang in ("hi", "en")}


def language_of(text: str | None) -> str:
    """"hi" if the text holds Devanagari."""
    return "hi" if is_devanagari(text or "") else "en"


def letterhead(units: Sequence[Unit]) -> dict[str, Any]:
    """Lines of the letterhead, the higher office first, the same office once; where the last one is reached."""
    rows = list({unit.id: unit for unit in units}.values())
    return {
        "letterhead_hi": [u.letterhead_hi or u.name_hi for u in rows],
        "letterhead_en": [u.letterhead_en or u.name_en for u in rows],
        **contact(rows[-1] if rows else None),
    }


def upwards(unit: Unit | None) -> Iterator[Unit]:
    """The unit, then each that it stands under."""
    while unit is not None:
        yield unit
        unit = unit.parent


def contact(unit: Unit | None) -> dict[str, str]:
    """Address, telephone and e-mail of the nearest office upwards that has any of them."""
    found = next((u for u in upwards(unit) if u.address_hi or u.address_en or u.phone or u.email), None)
    if found is None:
        return {"contact_hi": "", "contact_en": ""}
    phones = both(lambda: _("Tel. %(phone)s", phone=found.phone) if found.phone else "", "phone")
    return {
        f"contact_{lang}": " · ".join(filter(None, [address or other, phones[f"phone_{lang}"], found.email]))
        for lang, address, other in (
            ("hi", found.address_hi, found.address_en), ("en", found.address_en, found.address_hi),
        )
    }  # fmt: skip


def edition(unit: Unit | None) -> Edition:
    """In which languages the papers of an office are: as it says, or the nearest office above it."""
    return next(filter(None, (u.edition for u in upwards(unit))), Edition.HI_EN)


def offices(complaint: Complaint) -> list[Unit]:
    """The offices in whose name a paper of the complaint goes out: the district, then the unit."""
    above = complaint.district.path.startswith(complaint.unit.path)
    return [complaint.unit] if above else [complaint.district, complaint.unit]


def copies(work: Work, complaint: Complaint, kind: DocumentKind) -> dict[str, list[str]]:
    """Who gets a copy of such a paper: by the list of the nearest office upwards that has one, a list for
    this kind of paper before one for all; without any, the unit and the district it belongs to."""
    line = list(upwards(complaint.unit))
    query = select(CopyTo).where(
        CopyTo.unit_id.in_([unit.id for unit in line]), CopyTo.active,
        or_(CopyTo.kind == kind, CopyTo.kind.is_(None)),
    )  # fmt: skip
    rows = list(work.session.scalars(query.order_by(CopyTo.position, CopyTo.id)))
    lists = ([row for row in rows if (row.unit_id, row.kind) == (unit.id, of)] for unit in line for of in (kind, None))
    found = next(filter(None, lists), None)
    if found is None:
        heads = letterhead([complaint.unit, complaint.district])
        return {"copies_hi": heads["letterhead_hi"], "copies_en": heads["letterhead_en"]}
    return {"copies_hi": [row.name_hi for row in found], "copies_en": [row.name_en for row in found]}


def complainant(complaint: Complaint) -> Party | None:
    """The person who gets the copy and the report."""
    people_in = [p for p in complaint.parties if p.role is PartyRole.COMPLAINANT]
    return people_in[0] if people_in else None


def addressee(complaint: Complaint) -> dict[str, str]:
    """To whom a letter is written."""
    party = complainant(complaint)
    return {
        "addressee_name": party.name if party else "",
        "addressee_address": (party.address if party else None) or "",
    }


def in_both_scripts(officer: Officer | None) -> str:
    """A name as letters print it: महेन्द्र सिंह / Mahender Singh."""
    if officer is None:
        return ""
    return " / ".join(dict.fromkeys(filter(None, (officer.name_hi, officer.name_en))))


def with_rank(officer: Officer) -> str:
    """Rank and name in the language in force."""
    return f"{officer.rank.name} {officer.name}"


def office(post: Post, unit: Unit | None) -> str:
    """A post with its unit, in the language in force."""
    return ", ".join(filter(None, [str(post.label), unit.name if unit else ""]))


def ordinal(number: int) -> str:
    """Which enquiry it is, in the language in force: दूसरी, second."""
    known = {
        "hi": ("पहली", "दूसरी", "तीसरी", "चौथी", "पाँचवीं", "छठी"),
        "en": ("first", "second", "third", "fourth", "fifth", "sixth"),
    }[language()]
    if number <= len(known):
        return known[number - 1]
    return f"{number}वीं" if language() == "hi" else f"{number}th"
