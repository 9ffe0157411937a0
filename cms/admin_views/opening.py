"""The access log behind the pages: opening a complaint or one of its papers leaves a line."""

from __future__ import annotations

import logging

from flask import request
from sqlalchemy.exc import SQLAlchemyError

from cms.models import db
from cms.services import looking
from cms.unit_of_work import unit_of_work, utcnow
from cms.web import viewer

log = logging.getLogger(__name__)


def note_opening(complaint_id: int) -> None:
    """Note that the viewer opened a complaint, once the page is built; a page never fails by it."""
    if request.method != "GET":
        return
    try:
        if not looking.is_noted(db.session(), viewer(), complaint_id, utcnow()):
            with unit_of_work(viewer(), via="page") as work:
                looking.looked(work, complaint_id)
    except SQLAlchemyError:
        db.session.rollback()
        log.exception("opening of complaint %s was not noted", complaint_id)
