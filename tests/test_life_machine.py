"""Random lives: random moves by random people, postings, accused links, clocks and outages.

CMS_LIVES says how many (6; hundreds before a release). After each step: due dates moved by the ledger alone, stays without a gap, four eyes, nobody barred
sees anything, and at the end history rebuilds the row and the chain verifies.
"""

import contextlib
import json
import os
import secrets
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
import world
from conftest import start
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select
from sqlalchemy.exc import NoResultFound
from standing import Ground, Standing, close
from test_people import viewer as viewer_on

from cms.audit import canonical
from cms.authz import visible
from cms.i18n import ist_day
from cms.models import (
    Accused,
    ActionKind,
    AppealResult,
    Assignment,
    BarredUnit,
    Channel,
    Complaint,
    ConsentKind,
    Deadline,
    DeadlineChange,
    DeadlineKind,
    Decision,
    Direction,
    Disposition,
    Document,
    DocumentKind,
    EnquiryReport,
    History,
    HoldReason,
    Notice,
    Round,
    Stay,
    User,
    db,
)  # fmt: skip
from cms.rules import ENDS, OPEN, Conflict, NotFound, Post, RuleBroken, Viewer
from cms.services import (
    accusing,
    complaints,
    deliveries,
    endings,
    enquiry,
    feedback,
    integrity,
    orders,
    people,
    proposals,
    reminders,
    requests,
    rounds,
    transfers,
)  # fmt: skip
from cms.services.complaints import AccusedNamed
from cms.services.desk import Forbidden
from cms.services.orders import Line, LineKind, Order
from cms.unit_of_work import unit_of_work, utcnow

LOGINS = [row[0] for row in world.PEOPLE]
UNITS = [row[0] for row in world.UNITS]
REFUSED = (RuleBroken, NotFound, Forbidden, Conflict)
logins = st.sampled_from(LOGINS)


class Life(RuleBasedStateMachine):
    """One complaint, and whatever officers do to it."""

    ground: Ground
    standing: Standing

    def __init__(self) -> None:
        super().__init__()
        self.ground.lay()
        self.app = self.standing.as_new()
        self.app.extensions["cms_hint"] = None
        self.context = self.app.app_context()
        self.context.push()
        self.now = world.NOW
        self.dues: dict[int, object] = {}
        self.taken = 0

    def teardown(self) -> None:
        try:
            if hasattr(self, "case_id"):
                self.settle()
        finally:
            close(self.app)
            self.context.pop()

    # ------------------------------------------------------------ steps

    @initialize(against=st.sampled_from([None, "io.hsr", "sho.hsr", "dsp.hsr", "HSR-PS01"]))
    def register(self, against: str | None) -> None:
        named = ()
        if against in LOGINS:
            named = (complaints.AccusedNamed(officer_id=world.officer(against).id),)
        elif against:
            named = (complaints.AccusedNamed(unit_id=world.unit(against).id),)
        case = world.registered(now=self.now, form_key=secrets.token_hex(8), accused=named)
        other = world.registered(now=self.now, form_key=secrets.token_hex(8))
        self.case_id, self.other = case.id, other.number

    def do(self, login: str, use, *args, versioned: bool = True, **values) -> None:
        """One use case by one person at the version of now; a refusal is an answer too."""
        viewer = self.who(login)
        version = db.session.scalar(select(Complaint.version).where(Complaint.id == self.case_id))
        before = self.row()
        seen = (self.case_id, version) if versioned else (self.case_id,)
        try:
            with unit_of_work(viewer, now=self.now) as work:
                use(work, *seen, *args, **values)
            self.taken += 1
        except (*REFUSED, NoResultFound):
            db.session.rollback()
            assert self.row() == before, "a refusal left something behind"

    def who(self, login: str) -> Viewer:
        """The viewer with the seats of today."""
        return viewer_on(login, ist_day(self.now))

    def row(self) -> tuple:
        db.session.rollback()
        return tuple(db.session.execute(select(Complaint.__table__).where(Complaint.id == self.case_id)).one())

    def case(self) -> Complaint:
        return db.session.get_one(Complaint, self.case_id, populate_existing=True)

    @rule(hours=st.integers(1, 60))
    def wait(self, hours: int) -> None:
        self.now += timedelta(hours=hours)

    @rule(login=logins, unit=st.sampled_from(UNITS))
    def mark(self, login: str, unit: str) -> None:
        self.do(login, complaints.mark, world.unit(unit).id, "for enquiry")

    @rule(login=st.sampled_from(["sho.hsr", "dsp.hsr", "sp.hsr", "adgp", "sho2.hsr"]), index=st.integers(0, 5))
    def assign(self, login: str, index: int) -> None:
        fits = []
        with contextlib.suppress(RuleBroken):
            fits = complaints.eligible_ios(db.session(), self.who(login), self.case(), self.now)
        self.do(login, complaints.assign, fits[index % len(fits)].id if fits else world.officer("io.srs").id)

    def io(self) -> str:
        """Mostly the IO himself: a life that is never enquired into proves little."""
        query = select(User.login).join(Complaint, Complaint.io_id == User.officer_id).where(Complaint.id == self.case_id)
        return db.session.scalar(query) or "io.hsr"

    @rule(kind=st.sampled_from([ActionKind.VISIT, ActionKind.CALL, ActionKind.NOTICE]), login=st.none() | logins)
    def act(self, kind: ActionKind, login: str | None) -> None:
        viewer, now = login or self.io(), self.now
        self.do(viewer, lambda w, c: complaints.act(w, c, None, kind, now, "done"), versioned=False)

    @rule(login=st.sampled_from(["sho.hsr", "dsp.hsr", "sp.hsr"]))
    def direct(self, login: str) -> None:
        self.do(login, lambda w, c: complaints.direct(w, c, None, "look again"), versioned=False)

    @rule()
    def comply(self) -> None:
        open_one = db.session.scalar(
            select(Direction.id).where(Direction.complaint_id == self.case_id, Direction.replied_at.is_(None))
        )
        self.do(self.io(), complaints.comply, open_one, "looked", versioned=False)

    @rule(days=st.integers(0, 8))
    def ask_hold(self, days: int) -> None:
        reason = world.master(HoldReason, "FSL").id
        self.do(self.io(), requests.ask_hold, reason, ist_day(self.now) + timedelta(days=days), "awaited")

    @rule(login=logins, granted=st.booleans())
    def decide_hold(self, login: str, granted: bool) -> None:
        self.do(login, requests.decide_hold, granted, "so be it")

    @rule(login=st.none() | logins)
    def resume(self, login: str | None) -> None:
        self.do(login or self.io(), requests.resume, "it came")

    @rule(days=st.integers(1, 16))
    def ask_extension(self, days: int) -> None:
        self.do(self.io(), requests.ask_extension, days, "more to do")

    @rule(login=st.sampled_from(["sp.hsr", "adgp", "dsp.hsr"]), granted=st.booleans())
    def decide_extension(self, login: str, granted: bool) -> None:
        self.do(login, requests.decide_extension, granted, "so be it")

    @rule(how=st.sampled_from(["FILED", "FALSE", "COMP", "FIR"]), login=st.none() | logins)
    def report(self, how: str, login: str | None) -> None:
        new = enquiry.NewReport(
            disposition_id=world.master(Disposition, how).id, findings=world.findings(self.case()), reasons="found",
            fields={"FIR_NO": "1", "FIR_DATE": "2026-11-01"},
        )  # fmt: skip
        self.do(login or self.io(), enquiry.report, new)

    @rule(login=logins)
    def give_back(self, login: str) -> None:
        self.do(login, enquiry.give_back, "ask the neighbour")

    @rule(login=st.sampled_from(["sho.hsr", "dsp.hsr", "sp.hsr"]))
    def forward(self, login: str) -> None:
        self.do(login, enquiry.forward, "")

    @rule(login=logins)
    def dispose(self, login: str) -> None:
        self.do(login, enquiry.dispose)

    @rule(kind=st.sampled_from(list(ConsentKind)), login=st.sampled_from(["branch.hsr", "branch.s1", "sho.hsr"]))
    def consent(self, kind: ConsentKind, login: str) -> None:
        self.do(login, endings.record_consent, kind, None, "file 1", versioned=False)

    @rule()
    def deliver(self) -> None:
        report = select(Document.id).where(
            Document.complaint_id == self.case_id, Document.kind == DocumentKind.REPORT
        ).order_by(Document.version.desc())  # fmt: skip
        document_id = db.session.scalar(report.limit(1))
        if document_id is not None:
            try:
                with unit_of_work(self.who("branch.hsr"), now=self.now) as work:
                    deliveries.deliver(work, document_id, Channel.PRINT)
            except REFUSED:
                db.session.rollback()

    @rule(login=st.sampled_from(["feedback.hsr", "io.hsr", "sho.hsr"]), satisfied=st.booleans())
    def answer(self, login: str, satisfied: bool) -> None:
        self.do(login, feedback.give_feedback, satisfied, "because")

    @rule()
    def attempt(self) -> None:
        self.do("feedback.hsr", feedback.attempt, "no answer")

    @rule(login=logins, unit=st.sampled_from(UNITS))
    def transfer(self, login: str, unit: str) -> None:
        self.do(login, transfers.transfer, world.unit(unit).id, "theirs")

    @rule(login=logins, yes=st.booleans())
    def answer_transfer(self, login: str, yes: bool) -> None:
        self.do(login, transfers.accept if yes else transfers.decline, "so be it")

    @precondition(lambda self: self.taken > 6)
    @rule(login=logins, how=st.sampled_from(["merge", "withdraw", "refer"]))
    def end(self, login: str, how: str) -> None:
        if how == "merge":
            self.do(login, endings.merge, self.other, "same")
        elif how == "withdraw":
            self.do(login, endings.withdraw, "peace")
        else:
            self.do(login, transfers.refer, "Committee", "no. 1", "theirs")

    @rule(login=st.sampled_from(["branch.hsr", "dsp.hsr", "sp.hsr"]), own=st.booleans())
    def reopen(self, login: str, own: bool) -> None:
        self.do(login, rounds.reopen, "not satisfied", own)

    @rule()
    def appeal(self) -> None:
        self.do("branch.hsr", rounds.appeal, "wrong")

    @rule(login=st.sampled_from(["dsp.hsr", "sp.hsr", "adgp"]), result=st.sampled_from(list(AppealResult)))
    def hear(self, login: str, result: AppealResult) -> None:
        self.do(login, rounds.hear, result, "heard")

    @rule(login=logins, unit=st.sampled_from(UNITS), post=st.sampled_from([Post.IO, Post.SHO, Post.DSP]),
          kind=st.sampled_from(list(LineKind)), successor=st.none() | logins)  # fmt: skip
    def order(self, login: str, unit: str, post: Post, kind: LineKind, successor: str | None) -> None:
        """A posting order, confirmed by a second person: open complaints are handed over in the same act."""
        today, goes = ist_day(self.now), kind in (LineKind.RELIEVED, LineKind.RETIRED)
        line = Line(
            officer_id=world.officer(login).id, kind=kind, start=today, unit_id=None if goes else world.unit(unit).id,
            post=None if goes else post, successor_id=world.officer(successor).id if successor else None,
            end=today + timedelta(days=9) if kind in (LineKind.ACTING, LineKind.COVER) else None,
        )  # fmt: skip
        with contextlib.suppress(*REFUSED):
            with unit_of_work(self.who("branch.hsr"), now=self.now) as work:
                made = proposals.propose_order(work, Order(secrets.token_hex(3), today, (line,)))
                seen = made.id, made.version
            with unit_of_work(self.who("adgp"), now=self.now) as work:
                proposals.confirm(work, *seen)

    @rule(login=st.sampled_from(["dsp.hsr", "sp.hsr", "adgp"]), officer=st.none() | logins, unit=st.sampled_from(UNITS))
    def accuse(self, login: str, officer: str | None, unit: str) -> None:
        named = AccusedNamed(officer_id=world.officer(officer).id) if officer else AccusedNamed(unit_id=world.unit(unit).id)
        self.do(login, accusing.accuse, named, "named later")

    @rule(login=st.sampled_from(["dsp.hsr", "sp.hsr", "adgp"]))
    def clear(self, login: str) -> None:
        link = db.session.scalar(
            select(Accused.id).where(Accused.complaint_id == self.case_id, Accused.dropped_at.is_(None))
        )
        self.do(login, accusing.clear_link, link, "named by mistake")

    @rule(sweep=st.sampled_from(["holds", "transfers", "reminders", "orders"]))
    def sweep(self, sweep: str) -> None:
        {"holds": requests.end_holds, "transfers": transfers.lapse, "reminders": reminders.sweep,
         "orders": orders.take_effect}[sweep](self.now)

    @rule(login=logins)
    def outage(self, login: str) -> None:
        """The process dies in the middle of a use case: nothing of it is there."""
        before = self.row()
        with contextlib.suppress(KeyboardInterrupt), unit_of_work(self.who(login), now=self.now) as work:
            case = work.session.get_one(Complaint, self.case_id)
            case.subject = "half done"
            work.session.flush()
            raise KeyboardInterrupt
        assert self.row() == before

    # ------------------------------------------------------------ what must hold

    @invariant()
    def holds(self) -> None:
        if not hasattr(self, "case_id"):
            return
        db.session.rollback()
        case = self.case()
        self.clocks(case)
        self.desks(case)
        self.eyes(case)
        self.walls(case)

    def clocks(self, case: Complaint) -> None:
        """Nothing but an approved hold or extension moves a due date, and each has author and reason."""
        for deadline in db.session.scalars(select(Deadline).where(Deadline.complaint_id == case.id)):
            if deadline.kind is DeadlineKind.ACTIVITY:
                continue
            changes = db.session.scalars(
                select(DeadlineChange).where(DeadlineChange.deadline_id == deadline.id).order_by(DeadlineChange.no)
            ).all()
            told = [deadline.first_due_at, *(c.new_due_at for c in changes)]
            assert deadline.due_at == told[-1]
            assert [c.old_due_at for c in changes] == told[:-1]
            assert all(c.request.granted and c.request.reasons for c in changes)
            assert not changes or not deadline.statutory
            if deadline.kind is DeadlineKind.OVERALL and deadline.round == case.round:
                assert case.due_at == deadline.due_at
                assert (deadline.met_at is None) == case.is_open
            assert deadline.met_at is None or deadline.dropped_at is None
        assert case.is_open == (case.status in OPEN)

    def desks(self, case: Complaint) -> None:
        """Every second between registration and closing belongs to exactly one desk."""
        stays = db.session.scalars(select(Stay).where(Stay.complaint_id == case.id).order_by(Stay.no)).all()
        assert stays[0].from_at == case.registered_at
        closed = case.status in ENDS
        assert (stays[-1].to_at is None) != closed
        gaps = [(a, b) for a, b in pairwise(stays) if a.to_at != b.from_at]
        assert all(b.round > a.round or b.desk.name == "AUTHORITY" for a, b in gaps), "a gap within a round"
        spent = sum(((s.to_at or self.now) - s.from_at for s in stays), timedelta())
        idle = sum((b.from_at - a.to_at for a, b in gaps), timedelta())
        assert spent + idle == (stays[-1].to_at or self.now) - case.registered_at

    def eyes(self, case: Complaint) -> None:
        """Who enquired never decided; a round's officer is new and no other round's approver."""
        ios = set(db.session.scalars(select(Assignment.officer_id).where(Assignment.complaint_id == case.id)))
        decided = db.session.execute(
            select(Decision.officer_id, Decision.author_id, EnquiryReport.round)
            .join(EnquiryReport, EnquiryReport.id == Decision.report_id)
            .where(EnquiryReport.complaint_id == case.id)
        ).all()
        assert all(officer != author for officer, author, _round in decided)
        assert case.disposed_by_id is None or case.disposed_by_id not in ios
        rows = db.session.scalars(select(Round).where(Round.complaint_id == case.id).order_by(Round.no)).all()
        assert [r.no for r in rows] == list(range(1, case.round + 1))
        if case.round > 1 and case.io_id:
            earlier = select(Assignment.officer_id).where(
                Assignment.complaint_id == case.id, Assignment.round < case.round
            )
            assert case.io_id not in set(db.session.scalars(earlier))
            assert case.io_id not in {officer for officer, _author, number in decided if number < case.round}

    def walls(self, case: Complaint) -> None:
        """Nobody barred sees it, by whatever way the policy is asked."""
        barred = set(db.session.scalars(select(BarredUnit.unit_id).where(BarredUnit.complaint_id == case.id)))
        accused = people.restricting_officers(db.session(), case.id)
        assert bool(barred or accused) == case.restricted
        assert not barred.intersection(int(p) for p in case.unit.path.strip("/").split("/"))
        for login in LOGINS:
            viewer = self.who(login)
            shut = viewer.officer_id in accused or any(barred.intersection(seat.line) for seat in viewer.seats)
            sees = db.session.scalar(visible(select(Complaint.id).where(Complaint.id == case.id), Complaint, viewer))
            if shut:
                assert sees is None, login
                assert case.io_id != viewer.officer_id
                for model in (Document, Deadline, Stay, Round, EnquiryReport):
                    query = visible(select(model.id).where(model.complaint_id == case.id), model, viewer)
                    assert db.session.scalar(query) is None, (login, model)
                notice = select(Notice.id).where(Notice.complaint_id == case.id)
                assert db.session.scalar(visible(notice, Notice, viewer)) is None
            elif case.io_id == viewer.officer_id and viewer.seats:
                assert sees, login

    def settle(self) -> None:
        """At the end of the life: history rebuilds the row, the chain verifies, no page tells the barred."""
        db.session.rollback()
        case = self.case()
        self.pages(case)
        built: dict[str, object] = {}
        query = select(History).where(
            History.root == "complaint", History.root_id == case.id, History.table_name == "complaint"
        )
        for row in db.session.scalars(query.order_by(History.seq)):
            built |= {name: pair[1] for name, pair in json.loads(row.changes).items()}
        for name in ("status", "unit_id", "io_id", "round", "disposition_id", "satisfied", "restricted", "transfer_to_id"):
            assert built.get(name) == canonical(getattr(case, name)) or (not built.get(name) and not getattr(case, name)), name
        assert datetime.fromisoformat(str(built["due_at"])) == case.due_at
        with db.engine.connect() as connection:
            assert integrity.verify(connection, self.app.extensions["cms_vault"]) == []


    def pages(self, case: Complaint) -> None:
        """List, count, search, export, PDF, page and home say nothing to whoever is barred today."""
        barred = set(db.session.scalars(select(BarredUnit.unit_id).where(BarredUnit.complaint_id == case.id)))
        accused = people.restricting_officers(db.session(), case.id)
        paper = db.session.scalar(select(Document.id).where(Document.complaint_id == case.id))
        number, case_id = case.number, case.id
        for login in LOGINS:
            viewer = viewer_on(login, ist_day(utcnow()))
            if not (viewer.officer_id in accused or any(barred.intersection(seat.line) for seat in viewer.seats)):
                continue
            browser = start(self.app, login)
            for path in ("/admin/", "/admin/complaint/", f"/admin/complaint/?q={number}", "/admin/complaint/?book=restricted",
                         "/admin/complaint/export/csv/", "/admin/complaint/export/csv/?book=restricted"):  # fmt: skip
                said = browser.get(path).get_data(as_text=True)
                assert number not in said.replace(f'value="{number}"', "").replace(f"q={number}", ""), (login, path)
            for path in (f"details/?id={case_id}", f"{case_id}/document/{paper}/", f"{case_id}/files/", f"{case_id}/act/"):
                assert browser.get(f"/admin/complaint/{path}").status_code in (403, 404), (login, path)


@pytest.mark.slow
def test_random_lives(ground_sqlite: Ground) -> None:
    Life.ground, Life.standing = ground_sqlite, Standing(ground_sqlite.settings)
    run_state_machine_as_test(
        Life,
        settings=settings(
            max_examples=int(os.environ.get("CMS_LIVES", "6")), stateful_step_count=40, deadline=None,
            phases=(Phase.generate, Phase.shrink), suppress_health_check=list(HealthCheck), derandomize=False,
            database=None,
        ),
    )  # fmt: skip
