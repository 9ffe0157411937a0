"""Home and the complaint page; registration of our own pages beside Flask-Admin's."""

from __future__ import annotations

from flask import Blueprint, Flask, current_app, redirect, render_template
from flask.typing import ResponseReturnValue
from flask_admin import Admin, AdminIndexView, expose
from sqlalchemy import select

from cms.admin_views import attachments, frame, handover, history, moves, papers, printing, register, waiting
from cms.admin_views.dossier import dossier
from cms.admin_views.edge import url_of
from cms.admin_views.opening import note_opening
from cms.admin_views.whose import BAR
from cms.authz import visible
from cms.health import health
from cms.models import Notice, db
from cms.rules import Role, Rung
from cms.services import notices, proposals
from cms.unit_of_work import utcnow
from cms.web import viewer, write

blueprint = Blueprint("pages", __name__, url_prefix="/admin")


class Home(AdminIndexView):
    """What waits for whoever signed in."""

    @expose("/")
    def index(self) -> str:
        """Figures, cases and notices of this post; for the administrator, the state of the machine."""
        who, now, session = viewer(), utcnow(), db.session()
        if who.role is Role.ADMIN:
            state = health(current_app.extensions["cms_settings"])
            return str(self.render("admin/index.html", health=state, tiles=[], groups=[], notices=[],
                                   changes=proposals.waiting(session, who)))  # fmt: skip
        page: str = self.render(
            "admin/index.html",
            health=None,
            tiles=waiting.tiles(session, who, now),
            groups=waiting.groups(session, who, now),
            notices=notices.unread(session, who),
            changes=proposals.waiting(session, who),
            rungs=Rung.__members__,
        )
        return page


def complaint_page(complaint_id: int) -> str:
    """Everything about one complaint, and the moves this viewer may take. NotFound if foreign."""
    found = dossier(db.session(), viewer(), complaint_id)
    page = render_template("admin/complaint/page.html", d=found, bar=BAR, c=found.complaint)
    note_opening(complaint_id)
    return page


@blueprint.post("/notice/<int:notice_id>/")
def read_notice(notice_id: int) -> ResponseReturnValue:
    """Open the complaint a notice is about; the notice is read then."""
    query = select(Notice.complaint_id).where(Notice.id == notice_id)
    complaint_id = db.session().scalar(visible(query, Notice, viewer()))
    with write() as work:
        notices.mark_read(work, notice_id)
    return redirect(url_of(complaint_id or 0), 303)


def init_app(app: Flask, admin: Admin) -> None:
    """Register our pages beside the views of the admin."""
    frame.install(app)
    app.register_blueprint(blueprint)
    for part in (register, handover, printing, moves, attachments, history, papers):
        app.register_blueprint(part.blueprint)
