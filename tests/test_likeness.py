"""The same matter again: suggested before saving, linked when ticked, registered all the same when sure."""

from datetime import timedelta

import pytest
import world
from sqlalchemy import func, select

from cms.models import Complaint, ComplaintLink, LinkKind, db
from cms.services import likeness
from cms.unit_of_work import utcnow

TEXT = "My neighbour broke the ridge of my field at night and abused my family when we asked him."


def typed(**changes):
    said = {
        "form_key": "likeness", "name": "Ram Phal", "phone": "99999 00001", "text": TEXT, "unit": "HSR-PS01", "priority": "ROUTINE",
        "category_id": world.master(world.Category, "LAND").id, "mode_id": world.master(world.Mode, "HAND").id,
        "source_id": world.master(world.Source, "CITIZEN").id,
    }  # fmt: skip
    return said | changes


def earlier(days=3, **changes) -> Complaint:
    return world.registered(now=utcnow() - timedelta(days=days), **({"text": TEXT, "form_key": "before"} | changes))


OTHER = "A man on the telephone said he was from the bank and took money from my account."


@pytest.mark.parametrize(
    ("before", "now", "told"),
    [
        ({}, {}, True),  # same phone, same words
        ({"phone": "9999900077"}, {}, True),  # another phone, the same words
        ({"phone": "9999900077", "opposite": "Suresh"}, {"opposite": "Suresh", "text": TEXT[:60] + OTHER[:20]}, True),
        ({}, {"text": OTHER}, False),  # same phone, another matter
        ({"phone": "9999900077"}, {"text": OTHER}, False),
        ({"days": 91}, {}, False),  # too long ago
    ],
)
def test_what_is_suggested(app, sign_in, before, now, told):
    first = earlier(**before)
    answer = sign_in("branch.hsr").post("/admin/complaint/new/", typed(**now))
    assert (answer.status_code == 409) is told, answer.status_code
    assert (first.number in answer.text) is told
    assert db.session.scalar(select(func.count()).select_from(Complaint)) == (1 if told else 2)


def test_ticked_it_is_linked_and_registered(app, sign_in):
    first = earlier().id
    page = sign_in("branch.hsr").post("/admin/complaint/new/", typed())
    assert "Is it the same matter?" in page.text
    assert TEXT in page.text  # nothing typed is lost
    answer = sign_in("branch.hsr").post("/admin/complaint/new/", typed(sure="1", earlier=str(first)))
    assert answer.status_code == 303
    link = db.session.scalars(select(ComplaintLink)).one()
    assert (link.other_id, link.kind) == (first, LinkKind.REPEAT)


def test_nothing_outside_the_charge_is_suggested(app, sign_in):
    first = earlier(by="branch.srs", unit_id=world.unit("SRS-PS01").id)
    first_id = first.id
    answer = sign_in("branch.hsr").post("/admin/complaint/new/", typed())
    assert answer.status_code == 303
    assert first.number not in answer.text
    asked = likeness.Asked(TEXT, "+919999900001", "", world.unit("SRS-PS01").id)
    found = likeness.likely(db.session(), world.as_viewer("branch.hsr"), asked, utcnow().date())
    assert first_id not in [row.id for row in found]
