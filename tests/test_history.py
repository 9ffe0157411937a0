"""History that an attacker with the database and our code cannot bend unseen."""

import json
import re
from datetime import timedelta

import pytest
import world
from sqlalchemy import Connection, select, text, update

from cms import triggers
from cms.audit import Author, Entry, chain, link_hash
from cms.models import Chain, Complaint, History, Officer, Party, Seal, db
from cms.rules import SYSTEM
from cms.services import integrity
from cms.services.upkeep import drop_triggers
from cms.unit_of_work import unit_of_work
from cms.vault import open_value


@pytest.fixture
def sealed(app, tmp_path):
    """A sealed history of two complaints; gives a function that lists the faults."""
    world.enquired(form_key="a")
    world.registered(form_key="b")
    integrity.seal(tmp_path)
    vault = app.extensions["cms_vault"]

    def faults() -> list[str]:
        with db.engine.connect() as connection:
            return [str(f) for f in integrity.verify(connection, vault, tmp_path)]

    assert faults() == []
    return faults


def forge(*steps) -> None:
    """What the owner of the database can do: triggers off first."""
    with db.engine.begin() as connection:
        drop_triggers(connection)
        for step in steps:
            if callable(step):
                step(connection)
            else:
                connection.execute(text(step))


def rechain(connection: Connection) -> None:
    """Recompute every hash and head with our own code, as the cleverest forger would."""
    heads: dict[tuple[str, int], tuple[int, str]] = {}
    rows = connection.execute(select(History.__table__).order_by(History.root, History.root_id, History.seq)).all()
    for row in rows:
        key = (row.root, row.root_id)
        seq, head = heads.get(key, (0, ""))
        said = {**row._mapping, "seq": seq + 1}
        new = link_hash(head, said)
        connection.execute(
            update(History.__table__).where(History.__table__.c.id == row.id)
            .values(seq=seq + 1, prev_hash=head, hash=new)
        )  # fmt: skip
        heads[key] = (seq + 1, new)
    for (root, root_id), (seq, head) in heads.items():
        table = Complaint.__table__ if root == "complaint" else Chain.__table__
        where = table.c.id == root_id if root == "complaint" else table.c.name == root
        connection.execute(update(table).where(where).values(history_seq=seq, history_head=head))


CASE = "(SELECT min(root_id) FROM history WHERE root = 'complaint')"
OF_CASE = f"root = 'complaint' AND root_id = {CASE}"
EDIT = f"UPDATE history SET actor = 'somebody else' WHERE {OF_CASE} AND seq = 3"
VALUE = f"UPDATE history SET changes = replace(changes, 'MARKED', 'CLOSED') WHERE {OF_CASE} AND seq = 1"
MIDDLE = f"DELETE FROM history WHERE {OF_CASE} AND seq = 2"
TAIL = f"DELETE FROM history WHERE {OF_CASE} AND seq = (SELECT history_seq FROM complaint WHERE id = {CASE})"
CUT = f"DELETE FROM history WHERE {OF_CASE} AND seq > 1"
ALL = f"DELETE FROM history WHERE {OF_CASE}"
SWAP = (f"UPDATE history SET seq = 900 WHERE {OF_CASE} AND seq = 2", f"UPDATE history SET seq = 2 WHERE {OF_CASE} AND seq = 3",
        f"UPDATE history SET seq = 3 WHERE {OF_CASE} AND seq = 900")  # fmt: skip


def row_at(seq: int) -> str:
    """Where the fault of a row of the first complaint is named."""
    found = db.session.execute(
        select(History.id, History.root_id).where(History.root == "complaint", History.seq == seq).order_by(History.root_id)
    ).first()
    db.session.rollback()
    return f"history row {found.id} (complaint {found.root_id}, {seq})"


@pytest.mark.parametrize(("steps", "said"), [
    ((EDIT,), "{3}: its content was changed"),
    ((VALUE,), "{1}: its content was changed"),
    ((MIDDLE,), "{3}: 1 row(s) before it are missing"),
    ((TAIL,), "complaint {case}: 1 row(s) at the end of its history are missing"),
    ((CUT,), "complaint {case}: {less} row(s) at the end of its history are missing"),
    ((ALL,), "complaint {case}: {all} row(s) at the end of its history are missing"),
    (SWAP, "{2}: its content was changed"),
])  # fmt: skip
def test_a_changed_deleted_reordered_or_truncated_row_is_named(sealed, steps, said):
    case = db.session.execute(select(Complaint.id, Complaint.history_seq).order_by(Complaint.id)).first()
    names = {"case": case.id, "all": case.history_seq, "less": case.history_seq - 1}
    places = {number: row_at(number) for number in (1, 2, 3)}
    forge(*steps)
    if len(steps) > 1:
        places = {2: row_at(2)}
    wanted = said
    for number, place in places.items():
        wanted = wanted.replace(f"{{{number}}}", place)
    assert wanted.format(**names) in sealed()


def test_an_inserted_row_is_named(sealed):
    """In the middle, where the rows after it must move on, and at the end."""
    def in_the_middle(connection: Connection) -> None:
        table = History.__table__
        one = connection.execute(select(table).where(table.c.root == "complaint", table.c.seq == 2).order_by(table.c.root_id)).first()
        after = (table.c.root == one.root) & (table.c.root_id == one.root_id) & (table.c.seq > 1)
        connection.execute(update(table).where(after).values(seq=table.c.seq + 1000))
        connection.execute(update(table).where(after).values(seq=table.c.seq - 999))
        said = {**one._mapping, "actor": "forger", "prev_hash": one.prev_hash}
        said.pop("id")
        connection.execute(table.insert(), {**said, "hash": link_hash(one.prev_hash, said)})

    case_id = db.session.scalar(select(Complaint.id).order_by(Complaint.id).limit(1))
    db.session.rollback()
    forge(in_the_middle)
    found = sealed()
    assert f"{row_at(3)}: does not follow the row before it" in found
    assert f"complaint {case_id}: 1 row(s) were added at the end of its history" in found
    assert [f for f in found if f.startswith("seal 1: 1 row(s) were put under it (history rows ")]


def test_the_history_of_a_complaint_that_is_gone_is_named(sealed):
    forge("UPDATE history SET root_id = 99999 WHERE root = 'complaint' AND root_id = (SELECT max(id) FROM complaint)")
    assert [f for f in sealed() if re.fullmatch(r"complaint 99999: \d+ row\(s\) of history belong to nothing that is there", f)]


@pytest.mark.parametrize(("step", "said"), [(EDIT, "a row under it was changed"), (TAIL, "1 row(s) under it are missing"),
                                            (MIDDLE, "1 row(s) under it are missing")])  # fmt: skip
def test_a_forger_with_our_code_is_found_by_the_seal(sealed, step, said):
    forge(step, rechain)
    assert [f for f in sealed() if re.fullmatch(rf"seal 1: {re.escape(said)} \(history rows 1 to \d+\)", f)]


def test_a_row_hidden_from_the_sealer_is_found(sealed):
    world.registered(form_key="c")
    forge("UPDATE history SET seal_id = 77 WHERE seal_id IS NULL")
    assert sealed() == ["seal 77: history rows name it, and it is not there"]


def test_a_dropped_tail_with_its_seal_is_found_outside(sealed, tmp_path):
    world.registered(form_key="c")
    integrity.seal(tmp_path)
    forge("DELETE FROM history WHERE seal_id = 2", "DELETE FROM seal WHERE id = 2", rechain)
    assert "seal 2: the exported seal is not in the database" in sealed()


def test_a_seal_made_without_the_key_is_found(sealed):
    def reseal(connection: Connection) -> None:
        digest = integrity.digest_of(connection, 1)
        connection.execute(update(Seal.__table__).values(digest=digest, mac="0" * 64))

    forge(EDIT, rechain, reseal)
    assert "seal 1: was not made with our key" in sealed()


def test_a_row_put_at_the_end_is_found(sealed):
    def add(connection: Connection) -> None:
        case = connection.execute(select(Complaint.id, Complaint.history_seq, Complaint.history_head)).first()
        author = Author(world.NOW, 1, "forger", "form")
        rows, *_ = chain("complaint", case.id, case.history_seq, case.history_head,
                         [Entry("complaint", case.id, "update", {"status": ["MARKED", "CLOSED"]})], author)  # fmt: skip
        connection.execute(History.__table__.insert(), rows)

    forge(add)
    assert any("row(s) were added at the end of its history" in f for f in sealed())


def test_triggers_are_counted(app):
    with db.engine.connect() as connection:
        assert triggers.missing(connection) == set()
    forge()
    with db.engine.connect() as connection:
        assert triggers.missing(connection) == triggers.names()


def test_what_changed_is_told_and_personal_values_need_the_key(app):
    case = world.registered()
    vault = app.extensions["cms_vault"]
    party = db.session.scalars(select(History).where(History.table_name == "party")).one()
    changes = json.loads(party.changes)
    wrapped = db.session.scalar(select(Complaint.history_key).where(Complaint.id == case.id))
    assert open_value(vault.open_record_key(wrapped), changes["name"][1]) == "रामफल शर्मा"
    assert party.actor == "branch.hsr"
    assert party.via == "form"


def test_update_records_before_and_after_once(app):
    officer = world.officer("io.hsr")
    with unit_of_work(SYSTEM, via="cli", now=world.NOW + timedelta(days=1)) as work:
        work.session.get_one(Officer, officer.id).phone = "+919999900077"
    row = db.session.scalars(
        select(History).where(History.table_name == "officer").order_by(History.id.desc()).limit(1)
    ).one()
    assert json.loads(row.changes) == {"phone": ["+919999900000", "+919999900077"]}
    assert (row.kind, row.via) == ("update", "cli")


def test_a_write_outside_the_door_is_refused(app):
    db.session.get_one(Officer, world.officer("io.hsr").id).phone = "1"
    with pytest.raises(RuntimeError, match="outside unit_of_work"):
        db.session.commit()


def test_a_bulk_update_is_refused(app):
    with pytest.raises(RuntimeError, match="bulk"), unit_of_work(SYSTEM) as work:
        work.session.execute(update(Party).values(name="x"))
