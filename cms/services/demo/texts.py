"""What people write, what officers note: templates of both languages filled with invented facts."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from datetime import date, timedelta
from functools import lru_cache
from random import Random
from typing import TYPE_CHECKING, Any, NamedTuple

from cms.i18n import group_digits
from cms.services.demo.people import Crowd, Name, Person, spoken
from cms.services.reference import FIXTURES

if TYPE_CHECKING:
    from cms.services.demo.world import Disposal

BANKS = (
    Name("State Bank", "स्टेट बैंक"), Name("Punjab National Bank", "पंजाब नेशनल बैंक"),
    Name("Gramin Bank", "ग्रामीण बैंक"), Name("Co-operative Bank", "सहकारी बैंक"),
)  # fmt: skip
SPOTS = (
    Name("bus stand {}", "बस अड्डा {}"), Name("grain market {}", "अनाज मंडी {}"),
    Name("the main chowk of {}", "{} के मुख्य चौक"), Name("the old bazaar of {}", "{} के पुराने बाजार"),
    Name("the canal bridge near {}", "{} के पास नहर पुल"), Name("the school of {}", "{} के स्कूल"),
    Name("the petrol pump at {}", "{} के पेट्रोल पंप"), Name("the railway crossing {}", "रेलवे फाटक {}"),
)  # fmt: skip
CHEATING = ("318(4)", "318(4), 61(2)", "316(2), 318(4)")
SECTIONS = {
    "LAND": ("329(3), 324(4)", "126(2), 351(2)"), "WOMEN": ("74, 351(2)", "75, 78", "85, 115(2)"),
    "CYBER_FIN": CHEATING, "ECON": CHEATING, "IMMIGRATION": CHEATING, "JOB_FRAUD": CHEATING,
    "MATRIMONIAL": ("85, 316(2)", "115(2), 351(2)"), "TRAFFIC": ("281, 125(a)",),
    "MISSING": ("140(3)",), "SECURITY": ("308(2), 351(3)",),
}  # fmt: skip
"""Sections of the BNS under which a case of a category is usually registered."""
OTHER_SECTIONS = ("115(2), 351(2)", "303(2)", "126(2), 115(2), 351(3)")
HOURS = (
    Name("8:30 AM", "सुबह 8:30 बजे"), Name("11 AM", "दिन के 11 बजे"), Name("4 PM", "शाम 4 बजे"),
    Name("7:30 PM", "शाम 7:30 बजे"), Name("10 PM", "रात 10 बजे"), Name("1 AM", "रात 1 बजे"),
)  # fmt: skip
SUMS = {
    "LAND": (50, 900), "CYBER_FIN": (5, 400), "ECON": (30, 1500), "IMMIGRATION": (400, 4000),
    "JOB_FRAUD": (100, 1200), "CORRUPTION": (2, 30), "SECURITY": (500, 5000),
}  # fmt: skip
"""Thousands of rupees, from and to, by category."""


def load(lang: str) -> Mapping[str, Any]:
    """The templates of one language."""
    return tomllib.loads((FIXTURES / f"texts_{lang}.toml").read_text(encoding="utf-8"))


class Told(NamedTuple):
    """A complaint in words, with the facts it was made of."""

    subject: str
    text: str
    against: bool  # names an opposite party
    incident: date
    facts: dict[str, str]


class Setting(NamedTuple):
    """Who writes, about whom, where and when."""

    lang: str
    category: str
    writer: Person
    phone: str
    opposite: Person
    father: Name
    village: Name
    station: Name
    district: Name
    officer: str
    on: date


class Texts:
    """Composes texts; the draws depend on the generator alone."""

    def __init__(self, crowd: Crowd) -> None:
        self.crowd = crowd
        self.said = {lang: load(lang) for lang in ("hi", "en")}

    def tell(self, rng: Random, s: Setting) -> Told:
        """A complaint of one category."""
        said = self.said[s.lang]
        topic = said[s.category]
        ago = rng.choice((0, 1, 1, 2, 3, 5, 9))
        facts = self.facts(rng, s, ago)
        subject, body = rng.choice(topic["letters"])
        facts["subject"], facts["lsubject"] = subject, subject[:1].lower() + subject[1:]
        against = "{opp}" in body
        parts = (
            rng.choice(said["openings"]), body, rng.choice(said["witnesses"] if against else ("",)),
            rng.choice(said["earlier"] if against and ago > 1 else ("",)),
            rng.choice(said["prayers"]), rng.choice(said["signatures"]),
        )  # fmt: skip
        text = "".join(parts).format_map(facts)
        return Told(subject, text, against, s.on - timedelta(days=ago), facts)

    def facts(self, rng: Random, s: Setting, ago: int) -> dict[str, str]:
        """Everything that a template may name; it happened ``ago`` days before the letter."""
        lang, hi = s.lang, s.lang == "hi"
        low, high = SUMS.get(s.category, (2, 200))
        near = self.spot(rng, s)
        return {
            "naam": s.writer.name.in_(lang),
            "parichay": self.introduction(s),
            "gaon": s.village.in_(lang),
            "opp": s.opposite.name.in_(lang),
            "larka": self.crowd.person(rng, female=False).name.in_(lang),
            "gawah": self.crowd.person(rng, female=False).name.in_(lang),
            "thana": s.station.in_(lang),
            "zila": s.district.in_(lang),
            "afsar": s.officer,
            "jagah": near,
            "mobile": spoken(s.phone),
            "fmobile": f"99999-{rng.randrange(100_000):05d}",
            "date": dotted(s.on - timedelta(days=ago)),
            "date2": dotted(s.on - timedelta(days=rng.randrange(max(ago, 1)))),
            "date0": dotted(s.on - timedelta(days=rng.randrange(15, 400))),
            "date1": dotted(s.on + timedelta(days=rng.randrange(3, 9))),
            "aaj": dotted(s.on),
            "time": rng.choice(HOURS).in_(lang),
            "amount": group_digits(rng.randrange(low, high) * 1000 + rng.choice((0, 0, 500))),
            "bank": rng.choice(BANKS).in_(lang),
            "kile": rng.choice(("2", "3", "4", "5", "6", "8", "10", "12")),
            "fut": str(rng.randrange(2, 13)),
            "feet": str(rng.randrange(4, 40) * 5),
            "gaadi": f"HR{rng.randrange(20, 95)}{rng.choice('ABCDEK')}{rng.randrange(1000, 9999)}",
            "umar": str(rng.randrange(9, 17)),
            "fir": str(rng.randrange(11, 690)),
            "dhara": rng.choice(SECTIONS.get(s.category, OTHER_SECTIONS)),
            "ta": "ती" if s.writer.female and hi else "ता",
            "ga": "गी" if s.writer.female and hi else "गा",
            "raha": "रही" if s.writer.female and hi else "रहा",
            "tha": "थी" if s.writer.female and hi else "था",
        }

    def spot(self, rng: Random, s: Setting) -> str:
        """A place that everybody there knows."""
        return rng.choice(SPOTS).in_(s.lang).format(s.village.in_(s.lang))

    def introduction(self, s: Setting) -> str:
        """Who writes, as such letters begin."""
        if s.lang == "hi":
            kin, of = ("पत्नी", "की रहने वाली") if s.writer.female else ("पुत्र", "का रहने वाला")
            return f"{s.writer.name.hi} {kin} श्री {s.father.hi}, {s.village.hi} {of} हूँ"
        kin = "wife" if s.writer.female else "son"
        return f"{s.writer.name.en} {kin} of {s.father.en}, resident of {s.village.en}"

    def note(self, rng: Random, told: Told, lang: str, kind: str) -> str:
        """An entry of the diary."""
        return str(rng.choice(self.said[lang]["actions"][kind])).format_map(told.facts)

    def disposal(self, rng: Random, told: Told, lang: str, code: str) -> str:
        """The reasons of a disposal with what its kind must state."""
        return str(rng.choice(self.said[lang]["dispositions"][code])).format_map(told.facts)

    def fields(self, rng: Random, told: Told, lang: str, disposal: Disposal, day: date) -> dict[str, str]:
        """What a disposal of this kind must state; a field that an office added gets a dash."""
        facts, said = told.facts, self.said[lang]["offices"]
        known = {
            "FIR_NO": facts["fir"], "FIR_DATE": day.isoformat(), "FIR_STATION": facts["thana"],
            "FIR_SECTIONS": f"{facts['dhara']} BNS", "NCR_GD_NO": facts["fir"], "NCR_DATE": day.isoformat(),
            "PREV_SECTION": "126/170", "PREV_DATE": day.isoformat(), "PREV_NAMES": facts["opp"],
            "CIVIL_FORUM": rng.choice(said["forum"]), "UNF_EVIDENCE": f"{facts['naam']}, {facts['opp']}",
            "FALSE_GROUNDS": f"{facts['gawah']}, {facts['jagah']}", "SUBJ_COURT": rng.choice(said["court"]),
            "SUBJ_CASE_NO": f"{facts['fir']}/{day.year}", "ADV_NOTE": rng.choice(said["forum"]),
            "OFFR_ORDER_NO": f"{facts['fir']}/{dotted(day)}",
        }  # fmt: skip
        return {code: known.get(code, "-") for code, _name in disposal.fields}

    def answer(self, rng: Random, lang: str, satisfied: bool) -> str:
        """What the complainant says afterwards."""
        return str(rng.choice(self.said[lang]["feedback"]["yes" if satisfied else "no"]))


@lru_cache(maxsize=10_000)  # a letter names five days, and ten years have few
def dotted(day: date) -> str:
    """05.11.2026, as letters of the region write it."""
    return day.strftime("%d.%m.%Y")
