"""Which unit a row means: made from a code and a name, from a path, or found among those known."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from cms.services.importing.profile import LEVELS, Profile, UnitRule
from cms.services.importing.profile_toml import plain

PUNCTUATION = re.compile(r"[\s,.;:()/_-]+")
TITLES = re.compile(r"\b(police station|ps|thana|district|distt|police district|sub division|थाना|जिला)\b")


@dataclass(frozen=True, slots=True)
class Need:
    """A unit that rows name: its fixture row without the second script."""

    code: str
    name: str
    kind: str
    parent: str
    place: int  # 0: its name counts before that of a place of 1 or more


def needs(rule: UnitRule, text: str, is_main: bool) -> list[Need]:
    """The units to be there for a value, parents first."""
    if rule.known:
        return []
    if rule.tree:
        return path_needs(rule, text)
    found = rule.match.fullmatch(text)
    if found is None:
        return []
    said = found.groups() or (text,)
    place = 2 if rule.weak else 0 if is_main else 1
    name = rule.name.format(*said)[:120]
    return [Need(rule.code.format(*said)[:24], name, rule.kind, rule.parent, place)]


def code_of(rule: UnitRule | None, text: str) -> str | None:
    """The code of the unit that a value names, or the rule's ``otherwise``; None for no unit."""
    if rule is None:
        return None
    if rule.tree and text:
        return path_needs(rule, text)[-1].code
    found = rule.match.fullmatch(text) if not rule.tree else None
    if found is None:
        return rule.otherwise
    return rule.code.format(*(found.groups() or (text,)))[:24]


def path_needs(rule: UnitRule, text: str) -> list[Need]:
    """Each level of a path; two spellings that differ in case or spaces are one unit."""
    made: list[Need] = []
    parent, path = rule.parent, ""
    parts = [part for part in text.split(LEVELS) if part.strip()]
    for kind, name in zip(rule.tree, parts, strict=False):
        path += "/" + plain(name)
        short = hashlib.sha256(path.encode()).hexdigest()[:8]
        code = rule.code.format(short)[:24]
        made.append(Need(code, name[:120], kind, parent, 1))
        parent = code
    return made


def comparable(name: str) -> str:
    """A name without case, punctuation and the word for its kind."""
    bare = PUNCTUATION.sub(" ", plain(name)).strip()
    return " ".join(TITLES.sub(" ", bare).split()) or bare


@dataclass
class Directory:
    """Units that are there, to be found by what people call them under a parent."""

    parents: dict[str, str] = field(default_factory=dict)
    named: dict[str, list[str]] = field(default_factory=dict)

    def __init__(self, rows: Iterable[Mapping[str, str]]) -> None:
        """``rows``: code, name_en, name_hi, aliases and the parent's code, as in the fixtures."""
        self.parents, self.named = {}, {}
        for row in rows:
            code = row["code"]
            self.parents[code] = row["parent"]
            spelled = [code, row["name_en"], row["name_hi"], *row.get("aliases", "").split("|")]
            for name in {comparable(s) for s in spelled if s}:
                self.named.setdefault(name, []).append(code)

    def find(self, profile: Profile, rule: UnitRule, text: str) -> tuple[str | None, str]:
        """(code of the deepest level that is known, the first level that is not or '')."""
        at: str | None = None
        table = profile.maps.get(rule.value_map or "", {})
        for part in text.split(LEVELS):
            name = table.get(plain(part), part)
            fitting = [c for c in self.named.get(comparable(name), ()) if at is None or self.below(c, at)]
            depths = sorted(self.depth(c) for c in fitting)
            if not fitting or depths[:1] == depths[1:2]:
                return at, part
            at = next(c for c in fitting if self.depth(c) == depths[0])
        return at, ""

    def depth(self, code: str) -> int:
        """How many units are above: a district's name means the district, not its town's station."""
        found = 0
        while code := self.parents.get(code, ""):
            found += 1
        return found

    def below(self, code: str, top: str) -> bool:
        """True if a unit lies at or under another."""
        while code and code != top:
            code = self.parents.get(code, "")
        return code == top
