"""Invented persons with their name in both scripts, and where they live."""

from __future__ import annotations

from random import Random
from typing import Any, NamedTuple

from cms.services.reference import fixture

WIDOW_NAMES = ("Devi", "Kaur", "Rani")
"""Second names that only women carry."""


class Name(NamedTuple):
    """A name in both scripts."""

    en: str
    hi: str

    def in_(self, lang: str) -> str:
        """The name in one script."""
        return self.hi if lang == "hi" else self.en


class Person(NamedTuple):
    """Somebody who does not exist."""

    name: Name
    female: bool


class Dice(Random):
    """Draws whose choice costs one draw: a million complaints choose forty million times."""

    def choice(self, seq: Any) -> Any:
        """One of a sequence; which is a little likelier than another only beyond many billions of them."""
        return seq[int(self.random() * len(seq))]


def dice(seed: int) -> Random:
    """Draws that repeat with the seed; nothing secret comes from them."""
    return Dice(seed)


class Crowd:
    """Draws persons and places; the draws depend on the generator alone."""

    def __init__(self) -> None:
        rows = fixture("person_names")
        named = {
            kind: [Name(r["name_en"], r["name_hi"]) for r in rows if r["kind"] == kind]
            for kind in ("given_male", "given_female", "surname")
        }
        self.male, self.female = named["given_male"], named["given_female"]
        self.surnames = [n for n in named["surname"] if n.en not in WIDOW_NAMES]
        self.second = [n for n in named["surname"] if n.en in WIDOW_NAMES]
        self.places: dict[str, list[Name]] = {}
        for row in fixture("places"):
            self.places.setdefault(row["district"], []).append(Name(row["name_en"], row["name_hi"]))

    def person(self, rng: Random, female: bool | None = None) -> Person:
        """A person; three complainants in ten are women."""
        is_female = rng.random() < 0.3 if female is None else female
        given = rng.choice(self.female if is_female else self.male)
        last = rng.choice(self.second if is_female and rng.random() < 0.5 else self.surnames)
        return Person(Name(f"{given.en} {last.en}", f"{given.hi} {last.hi}"), is_female)

    def place(self, rng: Random, district: str) -> Name:
        """A town or village of a district."""
        return rng.choice(self.places[district])


def mobile(rng: Random) -> str:
    """A number of the block that the demo uses throughout: +91 99999 and five digits."""
    return f"+9199999{rng.randrange(100_000):05d}"


def spoken(phone: str) -> str:
    """The number as people write it."""
    return f"{phone[3:8]}-{phone[8:]}"
