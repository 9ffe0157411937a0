"""Kept statements: what the driver is asked is what SQLAlchemy would ask, and never another reader's."""

from datetime import timedelta

import pytest
import world
from sqlalchemy import bindparam, literal, select, text
from sqlalchemy.exc import OperationalError, ProgrammingError

from cms.admin_views.scoping import scope
from cms.authz import Book
from cms.columns import Instant
from cms.database import Kept, reading
from cms.models import Complaint, Status, Unit, User, db
from cms.unit_of_work import utcnow


def test_values_and_rows_go_through_their_types(app):
    for days in (1, 9):
        world.registered(now=utcnow() - timedelta(days=days), phone=f"99999 0030{days}")
    columns = (Complaint.id, Complaint.number, Complaint.registered_at, Complaint.received_on, Complaint.is_open,
               Complaint.status, Complaint.io_id)  # fmt: skip
    query = select(*columns).where(
        Complaint.registered_at > bindparam("since", type_=Instant()), Complaint.status.in_([Status.MARKED, Status.REGISTERED])
    ).order_by(Complaint.id)  # fmt: skip
    kept = Kept(query)
    for days, count in ((5, 1), (10, 2), (0, 0)):
        values = {"since": utcnow() - timedelta(days=days)}
        with reading() as connection:
            expected = connection.execute(query, values).all()
        assert [tuple(row) for row in kept.rows(values)] == [tuple(row) for row in expected]
        assert len(expected) == count
    with pytest.raises(KeyError):
        kept.rows({})


def test_a_literal_value_is_part_of_the_statement(app):
    kept = Kept(select(Unit.code).where(Unit.code == bindparam("code", "x", literal_execute=True)))
    assert [tuple(row) for row in kept.rows({"code": "HSR"})] == [("HSR",)]
    with pytest.raises(ValueError, match="another literal"):
        kept.rows({"code": "SRS"})


def test_readers_of_other_lines_never_share_a_statement_on_restricted_complaints(app):
    shapes = {scope(world.as_viewer(login), Complaint, Book.RESTRICTED).shape for login in ("sp.hsr", "sp.srs", "sho.hsr", "sho2.hsr")}
    assert len(shapes) == 4
    stations = [scope(world.as_viewer(login), Complaint, Book.ORDINARY) for login in ("sho.hsr", "sho2.hsr")]
    assert stations[0].shape == stations[1].shape, "their paths are values"
    assert stations[0].values != stations[1].values


def test_what_a_viewer_may_see_is_kept_under_all_that_it_depends_on(app):
    logins = ("adgp", "sp.hsr", "sho.hsr", "sho2.hsr", "io.hsr", "branch.hsr", "feedback.hsr", "audit", "admin", "sp.srs")
    assert len({world.as_viewer(login).reach for login in logins}) == len(logins)


def test_a_failure_is_sqlalchemys_and_a_lost_connection_is_replaced(app, backend):
    with pytest.raises((OperationalError, ProgrammingError), match="nowhere"):
        Kept(select(literal(1)).select_from(text("nowhere"))).rows({})
    kept = Kept(select(User.login).where(User.login == bindparam("login")))
    assert kept.rows({"login": "adgp"})
    if backend != "postgresql":
        return
    db.session.execute(text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
                            "AND pid <> pg_backend_pid()"))  # fmt: skip
    with pytest.raises(OperationalError) as lost:
        kept.rows({"login": "adgp"})
    assert lost.value.connection_invalidated
    assert kept.rows({"login": "adgp"})
