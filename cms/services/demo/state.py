"""The shapes of a demo: the pilot's three months, or ten years of a state of 22 districts.

The sixteen districts beside the pilot's six have real names and invented units and villages.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

from cms.services.demo.people import Name

OTHERS: Mapping[str, tuple[str, str, str]] = {
    "AMB": ("RAMB", "Ambala", "अंबाला"), "KUK": ("RAMB", "Kurukshetra", "कुरुक्षेत्र"),
    "YNR": ("RAMB", "Yamunanagar", "यमुनानगर"), "KNL": ("RKNL", "Karnal", "करनाल"),
    "KAI": ("RKNL", "Kaithal", "कैथल"), "PNP": ("RKNL", "Panipat", "पानीपत"),
    "ROH": ("RROH", "Rohtak", "रोहतक"), "JJR": ("RROH", "Jhajjar", "झज्जर"),
    "BWN": ("RROH", "Bhiwani", "भिवानी"), "CDR": ("RROH", "Charkhi Dadri", "चरखी दादरी"),
    "SON": ("RROH", "Sonipat", "सोनीपत"), "REW": ("RREW", "Rewari", "रेवाड़ी"),
    "MHG": ("RREW", "Mahendragarh", "महेंद्रगढ़"), "NUH": ("RREW", "Nuh", "नूंह"),
    "PWL": ("RREW", "Palwal", "पलवल"), "GGM": ("RREW", "Gurugram", "गुरुग्राम"),
}  # fmt: skip
"""Code -> (range, name in both scripts); codes differ in two letters, also from the pilot's."""

RANGES = {
    "RAMB": Name("Ambala Range", "अंबाला रेंज"), "RKNL": Name("Karnal Range", "करनाल रेंज"),
    "RROH": Name("Rohtak Range", "रोहतक रेंज"), "RREW": Name("South Range", "दक्षिण रेंज"),
}  # fmt: skip
STATIONS = (
    Name("City {}", "शहर {}"), Name("Sadar {}", "सदर {}"), Name("Sector {}", "सेक्टर {}"),
    Name("Women {}", "महिला {}"), Name("Cyber {}", "साइबर {}"), Name("Traffic {}", "यातायात {}"),
    Name("Rural {}", "ग्रामीण {}"), Name("Industrial Area {}", "औद्योगिक क्षेत्र {}"),
)  # fmt: skip
VILLAGES = (
    Name("Rampura", "रामपुरा"), Name("Kheri", "खेड़ी"), Name("Nangal", "नांगल"), Name("Garhi", "गढ़ी"),
    Name("Majra", "माजरा"), Name("Bass", "बास"), Name("Dhani", "ढाणी"), Name("Kalanpur", "कलांपुर"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Shape:
    """How much of the state, over how many days."""

    name: str
    top: str  # code of the unit above all others
    days: int
    dip: float  # share of intake in May, against 1 in other months
    stretch: float  # how much longer the late ones take than in three months


SHAPES: Mapping[str, Shape] = {
    "pilot": Shape("pilot", "RHSR", 91, 1.0, 1.0),
    "state": Shape("state", "HRP", 3652, 0.75, 12.0),
}
LATE = ("honest", "mild")


def units() -> list[dict[str, str]]:
    """The units of the sixteen, as fixture rows, parents first."""
    rows = [row(code, name, "RANGE", "HRP") for code, name in RANGES.items()]
    for code, (above, en, hi) in OTHERS.items():
        rows.append(row(code, Name(f"{en} District", f"जिला {hi}"), "DISTRICT", above))
        for no, kind in ((1, Name("City", "शहर")), (2, Name("Sadar", "सदर"))):
            name = Name(f"Sub-Division {en} {kind.en}", f"उपमंडल {hi} {kind.hi}")
            rows.append(row(f"{code}-SD{no}", name, "SUB_DIVISION", code))
        for no, kind in enumerate(STATIONS, 1):
            name = Name(f"Police Station {kind.en.format(en)}", f"थाना {kind.hi.format(hi)}")
            rows.append(row(f"{code}-PS{no:02d}", name, "POLICE_STATION", f"{code}-SD{1 + no % 2}"))
    return rows


def row(code: str, name: Name, kind: str, parent: str) -> dict[str, str]:
    """One unit as in the fixtures."""
    return {"code": code, "name_en": name.en, "name_hi": name.hi, "kind": kind, "parent": parent}


def villages() -> dict[str, list[Name]]:
    """Places of the sixteen districts by their code."""
    return {
        code: [Name(en, hi), *(Name(f"{v.en} ({en})", f"{v.hi} ({hi})") for v in VILLAGES)]
        for code, (_above, en, hi) in OTHERS.items()
    }


def span(rng: Random, shape: Shape, late: str) -> float | None:
    """Days from registration to disposal, or None: open to this day.

    honest: as in a real register (Chicago 2023), a third in time, then late, the rest open.
    mild: most within the week, one in ten late, so that a tenth is open and most of that overdue.
    """
    lot = rng.random()
    if late == "mild":
        if lot < 0.87:
            return 0.5 + 3.5 * rng.random()
        if lot < 0.92:
            return 15 + 20 * rng.random()
        return 90.0 if shape.days > 365 and lot < 0.94 else None
    if lot < 0.34:
        return 2 + 13 * rng.random()
    closing = 0.62 if shape.days < 365 else 0.94
    return 15 + 60 * shape.stretch * rng.random() ** 1.5 if lot < closing else None
