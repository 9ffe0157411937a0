"""The ladder: which rung, when, to whom; each once."""

from datetime import timedelta

import pytest
import world
from sqlalchemy import func, select

from cms.models import Notice, Officer, Outbox, Reminder, db
from cms.rules import SYSTEM, Rung, due_at, rung_day
from cms.services import complaints, messages, notices, reminders
from cms.store import Store
from cms.unit_of_work import unit_of_work

DUE = due_at(world.NOW.date())
NINE = DUE - reminders.FIRE_BEFORE_MIDNIGHT  # 09:00 in India on the due day


def fired() -> list[tuple[str, str | None]]:
    rows = db.session.execute(select(Reminder.rung, Officer.name_en).outerjoin(Officer).order_by(Reminder.id))
    return [(rung.name, name) for rung, name in rows]


def test_three_rungs_each_once(app):
    world.assigned()
    steps = ((timedelta(days=-2, seconds=-1), []), (timedelta(days=-2), ["BEFORE"]), (timedelta(0), ["BEFORE", "TODAY"]),
             (timedelta(days=3), ["BEFORE", "TODAY", "LATE"]), (timedelta(days=9), ["BEFORE", "TODAY", "LATE"]))  # fmt: skip
    for after, names in steps:
        for _ in range(2):
            reminders.sweep(NINE + after)
        assert [rung for rung, _ in fired()] == names
    assert [name for _, name in fired()] == ["Ramesh Yadav", "Ramesh Yadav", "Satish Kumar"]
    assert db.session.scalar(select(func.count()).select_from(Outbox)) == 3


def test_unassigned_goes_to_the_station_head(app):
    world.registered()
    reminders.sweep(NINE)
    assert fired() == [("BEFORE", "Satish Kumar"), ("TODAY", "Satish Kumar")]


def test_a_vacant_post_passes_to_the_next_superior(app):
    world.registered()
    with unit_of_work(SYSTEM) as work:
        work.session.get_one(Officer, world.officer("sho.hsr").id).active = False
    reminders.sweep(NINE)
    assert {name for _, name in fired()} == {"Rajbir Punia"}


def test_the_accused_and_his_station_get_no_reminder(app):
    accused = complaints.AccusedNamed(officer_id=world.officer("sho.hsr").id)
    world.registered(accused=(accused,))
    reminders.sweep(NINE)
    assert {name for _, name in fired()} == {"Rajbir Punia"}


def test_nothing_fires_on_a_disposed_complaint(app):
    world.disposed()
    reminders.sweep(NINE)
    assert fired() == []


def test_rungs_long_missed_are_not_fired(app):
    world.assigned()
    reminders.sweep(NINE + timedelta(days=40))
    assert fired() == []


def test_a_notice_is_read_by_its_officer_only(app):
    world.assigned()
    reminders.sweep(NINE)
    viewer = world.as_viewer("io.hsr")
    found = notices.unread(db.session, viewer)
    assert len(found) == 2
    assert "HSR-2026-000001-" in reminders.text_of(found[0])
    with unit_of_work(viewer) as work:
        notices.mark_read(work, found[0].id)
    assert len(notices.unread(db.session, viewer)) == 1
    with pytest.raises(Exception, match="Notice"), unit_of_work(world.as_viewer("sho.hsr")) as work:
        notices.mark_read(work, found[1].id)


class Broken:
    """A mail server that refuses everything."""

    def send(self, message):
        raise ConnectionRefusedError("no server")


def test_a_failing_mail_server_loses_nothing(app, tmp_path):
    world.assigned(now=world.NOW - timedelta(days=13))
    reminders.sweep(world.NOW)
    message = db.session.scalars(select(Outbox)).one()
    assert messages.send(message.id, Broken(), Store(tmp_path)) is False
    db.session.expire_all()
    row = db.session.scalars(select(Outbox)).one()
    assert (row.state.name, row.attempts, row.last_error) == ("PENDING", 1, "no server")
    assert db.session.scalar(select(func.count()).select_from(Notice)) == 1


def test_rung_days_follow_the_due_day():
    assert [str(rung_day(DUE, rung)) for rung in Rung] == ["2026-12-07", "2026-12-09", "2026-12-12"]
