"""A small range for the tests: two districts, their stations, an officer at every post.

    R ── H (HSR) ── D1 ── S1, S2      logins: adgp, sp.hsr, dsp.hsr, sho.hsr, io.hsr, io2.hsr,
      └─ T (SRS) ── D2 ── S3                  sho2.hsr, branch.hsr, branch.s1, feedback.hsr, audit,
                                              sp.srs, sho.srs, io.srs, branch.srs, admin
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import select

from cms.models import (
    ActionKind,
    ApprovalRule,
    Category,
    Complaint,
    Disposition,
    DispositionField,
    FieldKind,
    HoldReason,
    Kind,
    Language,
    Mode,
    Officer,
    Posting,
    QuickText,
    Rank,
    Source,
    Unit,
    UnitParent,
    User,
    db,
)  # fmt: skip
from cms.rules import SYSTEM, Finding, Post, Role, Seat, Viewer
from cms.services import accounts, complaints, enquiry
from cms.unit_of_work import unit_of_work

NOW = datetime(2026, 11, 24, 6, 30, tzinfo=UTC)  # 12:00 in India
SINCE = date(2026, 1, 1)
UNITS = (
    # code, kind, parent, English, Hindi
    ("RHSR", Kind.RANGE, None, "Hisar Range", "हिसार रेंज"),
    ("HSR", Kind.DISTRICT, "RHSR", "Hisar District", "जिला हिसार"),
    ("SRS", Kind.DISTRICT, "RHSR", "Sirsa District", "जिला सिरसा"),
    ("HSR-SD1", Kind.SUB_DIVISION, "HSR", "Sub-Division Hisar City", "उपमंडल हिसार शहर"),
    ("SRS-SD1", Kind.SUB_DIVISION, "SRS", "Sub-Division Sirsa", "उपमंडल सिरसा"),
    ("HSR-PS01", Kind.POLICE_STATION, "HSR-SD1", "PS Hisar City", "थाना हिसार शहर"),
    ("HSR-PS02", Kind.POLICE_STATION, "HSR-SD1", "PS Civil Lines Hisar", "थाना सिविल लाइन हिसार"),
    ("SRS-PS01", Kind.POLICE_STATION, "SRS-SD1", "PS Sirsa City", "थाना सिरसा शहर"),
)
PEOPLE = (
    # login, name, rank, unit, post
    ("adgp", "Vikram Malik", "ADGP", "RHSR", Post.ADGP),
    ("audit", "Meena Goyal", "INSP", "RHSR", Post.AUDIT),
    ("sp.hsr", "Anil Dhillon", "SP", "HSR", Post.SP),
    ("branch.hsr", "Sunita Rani", "HC", "HSR", Post.BRANCH),
    ("feedback.hsr", "Kavita Saini", "HC", "HSR", Post.FEEDBACK),
    ("dsp.hsr", "Rajbir Punia", "DSP", "HSR-SD1", Post.DSP),
    ("sho.hsr", "Satish Kumar", "INSP", "HSR-PS01", Post.SHO),
    ("io.hsr", "Ramesh Yadav", "ASI", "HSR-PS01", Post.IO),
    ("io2.hsr", "Suresh Jangra", "SI", "HSR-PS01", Post.IO),
    ("branch.s1", "Pooja Devi", "CT", "HSR-PS01", Post.BRANCH),
    ("sho2.hsr", "Mahesh Bishnoi", "INSP", "HSR-PS02", Post.SHO),
    ("sp.srs", "Naresh Mehta", "SP", "SRS", Post.SP),
    ("branch.srs", "Geeta Sharma", "HC", "SRS", Post.BRANCH),
    ("sho.srs", "Dharam Singh", "INSP", "SRS-PS01", Post.SHO),
    ("io.srs", "Manoj Sheoran", "ASI", "SRS-PS01", Post.IO),
)
RANKS = (
    ("CT", 1, "Constable", "सिपाही"), ("HC", 2, "Head Constable", "हवलदार"),
    ("ASI", 3, "Assistant Sub-Inspector", "सहायक उप निरीक्षक"), ("SI", 4, "Sub-Inspector", "उप निरीक्षक"),
    ("INSP", 5, "Inspector", "निरीक्षक"), ("DSP", 6, "Deputy Superintendent", "उप पुलिस अधीक्षक"),
    ("SP", 8, "Superintendent", "पुलिस अधीक्षक"), ("ADGP", 12, "Additional Director General", "अपर पुलिस महानिदेशक"),
)  # fmt: skip


def build() -> None:
    """Fill an empty, migrated database."""
    with unit_of_work(SYSTEM, via="test", now=NOW - timedelta(days=300)) as work:
        ranks = {c: Rank(code=c, level=n, name_en=e, name_hi=h, short_en=c, short_hi=c) for c, n, e, h in RANKS}
        work.session.add_all(ranks.values())
        units = add_units(work.session)
        add_masters(work.session)
        work.session.flush()
        add_people(work.session, ranks, units)


def add_units(session: Any) -> dict[str, Unit]:
    units: dict[str, Unit] = {}
    for code, kind, parent, en, hi in UNITS:
        above = units.get(parent or "")
        unit = Unit(code=code, kind=kind, parent=above, name_en=en, name_hi=hi, path=f"?{code}",
                    letterhead_en=f"Office of {en}", letterhead_hi=f"कार्यालय {hi}")  # fmt: skip
        session.add(unit)
        session.flush()
        unit.path = f"{above.path if above else '/'}{unit.id}/"
        unit.district_id = unit.id if kind is Kind.DISTRICT else above.district_id if above else None
        if above:
            session.add(UnitParent(unit_id=unit.id, parent_id=above.id, valid_from=SINCE))
        units[code] = unit
    return units


def add_masters(session: Any) -> None:
    session.add_all([
        Mode(code="HAND", name_en="In person", name_hi="व्यक्तिगत", walk_in=True),
        Mode(code="DAK", name_en="By official dak", name_hi="सरकारी डाक द्वारा"),
        Source(code="CITIZEN", name_en="General public", name_hi="आम जनता"),
        Category(code="LAND", name_en="Land dispute", name_hi="भूमि विवाद"),
        Category(code="CYBER", name_en="Cyber fraud", name_hi="साइबर धोखाधड़ी"),
        Disposition(code="FILED", name_en="Filed", name_hi="दाखिल दफ्तर"),
        Disposition(code="COMP", name_en="Compromise", name_hi="राजीनामा"),
        Disposition(code="FALSE", name_en="False", name_hi="झूठी"),
        Disposition(code="DUP", name_en="Duplicate", name_hi="दोहराव"),
        Disposition(code="WDN", name_en="Withdrawn", name_hi="वापस ली गई"),
        Disposition(code="TRF", name_en="Transferred", name_hi="स्थानांतरित"),
        fir := Disposition(code="FIR", name_en="FIR registered", name_hi="प्राथमिकी दर्ज",
                           requires="FIR number, date and sections", requires_hi="प्राथमिकी संख्या, दिनांक और धाराएं"),
        DispositionField(disposition=fir, code="FIR_NO", name_en="FIR number", name_hi="प्राथमिकी संख्या", position=1),
        DispositionField(disposition=fir, code="FIR_DATE", name_en="Date of the FIR", name_hi="प्राथमिकी का दिनांक",
                         kind=FieldKind.DATE, position=2),
        HoldReason(code="FSL", name_en="Laboratory report awaited", name_hi="प्रयोगशाला रिपोर्ट प्रतीक्षित"),
        QuickText(code="VISITED", name_en="Visited the place.", name_hi="मौका देखा।", kind=ActionKind.VISIT),
    ])  # fmt: skip
    session.flush()
    session.add(ApprovalRule(disposition=master(Disposition, "FALSE"), post=Post.SP))


def add_people(session: Any, ranks: dict[str, Rank], units: dict[str, Unit]) -> None:
    secret = accounts.hasher().hash("demo")
    for login, name, rank, unit, post in PEOPLE:
        officer = Officer(name_en=name, name_hi=name, rank=ranks[rank], unit=units[unit],
                          belt_no=f"B-{login}", phone="+919999900000", email=f"{login}@example.org")  # fmt: skip
        session.add(officer)
        session.flush()
        session.add(Posting(officer=officer, unit=units[unit], post=post, valid_from=SINCE))
        session.add(User(login=login, password_hash=secret, role=Role.OFFICER, officer=officer, language="en"))
    session.add(User(login="admin", password_hash=secret, role=Role.ADMIN, language="en"))


def unit(code: str) -> Unit:
    return db.session.scalars(select(Unit).where(Unit.code == code)).one()


def officer(login: str) -> Officer:
    return db.session.scalars(select(Officer).join(User).where(User.login == login)).one()


def master(model: Any, code: str) -> Any:
    return db.session.scalars(select(model).where(model.code == code)).one()


def as_viewer(login: str) -> Viewer:
    """The viewer behind a login, without a browser session."""
    user = db.session.scalars(select(User).where(User.login == login)).one()
    rows = db.session.scalars(select(Posting).where(Posting.officer_id == user.officer_id)).all()
    seats = tuple(Seat(p.post, p.unit_id, p.unit.path) for p in rows)
    return Viewer(user.id, user.officer_id, login, seats, user.role, user.language)


def new(**changes: Any) -> complaints.NewComplaint:
    """What a clerk takes down; valid by default."""
    said: dict[str, Any] = {
        "name": "रामफल शर्मा", "phone": "99999 00001", "subject": "खेत की मेड़ तोड़ दी गई",
        "text": "पड़ोसी ने रात में मेरे खेत की मेड़ तोड़ दी और गाली दी।", "language": Language.HI,
        "category_id": master(Category, "LAND").id, "mode_id": master(Mode, "HAND").id,
        "source_id": master(Source, "CITIZEN").id, "form_key": f"key-{datetime.now(UTC).timestamp()}",
        "address": "गांव आदमपुर", "unit_id": unit("HSR-PS01").id,
    }  # fmt: skip
    return complaints.NewComplaint(**(said | changes))


def registered(by: str = "branch.hsr", now: datetime = NOW, **changes: Any) -> Complaint:
    """A complaint as the counter leaves it."""
    values = new(**changes)
    with unit_of_work(as_viewer(by), now=now) as work:
        return complaints.register(work, values)


def assigned(to: str = "io.hsr", by: str = "sho.hsr", now: datetime = NOW, **changes: Any) -> Complaint:
    """A complaint whose IO is named."""
    case = registered(now=now, **changes)
    case_id, version, io_id, viewer = case.id, case.version, officer(to).id, as_viewer(by)
    with unit_of_work(viewer, now=now) as work:
        return complaints.assign(work, case_id, version, io_id)


def enquired(now: datetime = NOW, **changes: Any) -> Complaint:
    """A complaint on which the IO has been at the spot."""
    case = assigned(now=now, **changes)
    case_id, version, viewer = case.id, case.version, as_viewer(changes.get("to", "io.hsr"))
    with unit_of_work(viewer, now=now) as work:
        return complaints.act(work, case_id, version, ActionKind.VISIT, now, "मौका देखा।")


def step(by: str, do: Any, case: Complaint, *args: Any, now: datetime = NOW, **values: Any) -> Complaint:
    """One use case on a complaint by a login, at the version it has now."""
    case_id, version, viewer = case.id, case.version, as_viewer(by)
    with unit_of_work(viewer, now=now) as work:
        return do(work, case_id, version, *args, **values)


def findings(case: Complaint) -> dict[int, tuple[Finding, str]]:
    return {a.id: (Finding.SUBSTANTIATED, "मेड़ टूटी मिली।") for a in case.allegations}


def reported(now: datetime = NOW, how: str = "FILED", fields: dict[str, str] | None = None, **changes: Any) -> Complaint:
    """A complaint on which the IO has submitted the report."""
    case = enquired(now=now, **changes)
    new_report = enquiry.NewReport(
        disposition_id=master(Disposition, how).id, findings=findings(case),
        reasons="दोनों पक्षों को समझाया गया।", fields=fields or {},
    )  # fmt: skip
    return step(changes.get("to", "io.hsr"), enquiry.report, case, new_report, now=now)


def disposed(by: str = "sho.hsr", now: datetime = NOW, **changes: Any) -> Complaint:
    """A complaint whose report the SHO has approved."""
    return step(by, enquiry.dispose, reported(now=now, **changes), now=now)
