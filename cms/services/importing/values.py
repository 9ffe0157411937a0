"""From cells to values: empty markers, joined and split columns, value maps, lists, dates."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from cms.i18n import IST
from cms.services.importing.dates import parse
from cms.services.importing.problems import Problems, Reason
from cms.services.importing.profile import Field, Profile
from cms.services.importing.profile_toml import plain
from cms.services.importing.spool import Spooled

CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\u200b\ufeff]")
CP1252 = {n: bytes([n]).decode("cp1252", "ignore") for n in range(0x80, 0xA0)}
"""Windows punctuation that was once read as Latin-1; no text means these characters as they are."""

STRAY = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\xa0\u200b\ufeff]")
WHOLE = re.compile(r"(\d+)\.0+")
KRUTI = frozenset(
    "gS gSa esa dk dh ds ls dks us vkSj ugha Fkk Fks Fkh fd ;g og ij Hkh rFkk esjs esjk esjh eq>s "
    "tks fy;s fy, djus fd;k x;k x;h gks gksus Jh Jherh izkFkhZ fnukad Fkkuk iqfyl".split()
)
"""The commonest words of a letter typed in Kruti Dev."""

ODD = re.compile(r"[A-Za-z][;\[\]{}|\\^~+=<][A-Za-z]|^[;\[{|\\]\w|[A-Za-z][\[{|\\]$")
"""Signs within a word that stand for letters in such fonts (Kruti Dev, Preeti)."""


@dataclass
class Reading:
    """A profile at work: what it needs besides the row, and where it notes what it cannot take."""

    profile: Profile
    problems: Problems
    today: date
    lists: Mapping[str, Mapping[tuple[str, str], str]] = field(default_factory=dict)
    memo: dict[str, str] = field(default_factory=dict)

    def cleaned(self, cell: str) -> str:
        """The cell without stray characters; '' if it is one of the profile's empty markers."""
        text = self.memo.get(cell)
        if text is None:
            text = cell
            if STRAY.search(text):
                text = CONTROL.sub("", text.replace("\u00a0", " ").translate(CP1252))
            text = text.strip()
            text = "" if text.casefold() in self.profile.empty else text
            if len(cell) < 40 and len(self.memo) < 100_000:
                self.memo[cell] = text
        return text

    def take(self, rule: Field | None, row: Mapping[str, str]) -> str:
        """The text of a field, before any value map; '' if the row does not say."""
        while rule is not None:
            if text := self.one_way(rule, row):
                return text
            rule = rule.instead
        return ""

    def one_way(self, rule: Field, row: Mapping[str, str]) -> str:
        """The text by one way of a field."""
        if rule.requires and not self.cleaned(row[rule.requires]):
            return ""
        if rule.constant is not None:
            return rule.constant
        parts = []
        for place, column in enumerate(rule.columns):
            if text := self.part(rule, row[column]):
                parts.append(f"{rule.labels[place]}: {text}" if rule.labels else text)
        text = rule.join.join(parts)
        if rule.lookup and text:
            name, column = rule.lookup
            return self.lists.get(name, {}).get((plain(text), column), "")
        return text

    def part(self, rule: Field, cell: str) -> str:
        """What one column brings to a field."""
        text = self.cleaned(cell)
        if rule.whole and (number := WHOLE.fullmatch(text)):
            text = number[1]
        if rule.empty and plain(text) in rule.empty:
            return ""
        if rule.pattern and text:
            found = rule.pattern.search(text)
            text = ((found[1] if found.re.groups else found[0]) or "").strip() if found else ""
        if rule.split:
            text = rule.join.join(p.strip() for p in text.split(rule.split) if p.strip())
        return text

    def mapped(self, rule: Field | None, at: Spooled) -> str | None:
        """The value of a field through its map; an unknown one is noted and gives ``otherwise``."""
        if rule is None:
            return None
        text = self.take(rule, at.row)
        if not text:
            return rule.otherwise
        if rule.value_map is None or rule.constant is not None:
            return text
        table = self.profile.maps[rule.value_map]
        ours = table.get(text.casefold()) or table.get(plain(text))
        if ours is None:
            self.problems.add(at.file, at.line, column_of(rule), text, Reason.UNKNOWN)
            return rule.otherwise
        return ours or None

    def moment(self, rule: Field | None, at: Spooled) -> datetime | None:
        """A moment in a row; an impossible one is noted and held back."""
        text = self.take(rule, at.row)
        if rule is None or not text:
            return None
        found = parse(text, rule.dates or self.profile.dates, self.profile.zone)
        if found is not None and self.profile.first_year <= found.year:
            if found.date() <= self.today:
                return found
            found_reason = Reason.YEAR
        else:
            found_reason = Reason.NOT_A_DATE if found is None else Reason.YEAR
        self.problems.add(at.file, at.line, column_of(rule), text, found_reason)
        return None

    def day(self, rule: Field | None, at: Spooled) -> date | None:
        """A date in a row, on the calendar of the register's own zone."""
        found = self.moment(rule, at)
        return found.date() if found else None

    def text(self, rule: Field | None, limit: int, name: str, at: Spooled) -> str | None:
        """A text that may be absent, cut to its room; a cut or an old Hindi font is noted."""
        said = self.mapped(rule, at)
        if not said:
            return None
        column = column_of(rule) or name
        if len(said) > limit:
            self.problems.add(at.file, at.line, column, said, Reason.LONG)
        if is_old_font(said):
            self.problems.add(at.file, at.line, column, said, Reason.FONT)
        return said[:limit]


def column_of(rule: Field | None) -> str:
    """The columns of a field, as a problem names them."""
    return " ".join(rule.columns) if rule else ""


def is_old_font(text: str) -> bool:
    """True if the text looks like Hindi typed in a font from before Unicode, not like English."""
    found = text.split()
    if len(found) < 4 or not text.isascii():
        return False
    odd = sum(1 for word in found if word in KRUTI or ODD.search(word))
    return odd * 5 >= len(found) * 2


def in_india(moment: datetime) -> datetime:
    """The moment on an Indian clock, as the rest of CMS keeps it."""
    return moment.astimezone(IST)
