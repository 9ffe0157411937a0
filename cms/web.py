"""The edge of the web: who asks, what a request may carry, what an answer may do."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, TypeVar
from urllib.parse import urlsplit

from flask import (
    Blueprint,
    Flask,
    Response,
    current_app,
    flash,
    g,
    redirect,
    render_template,
    request,
    session,
    url_for,
)  # fmt: skip
from flask.sessions import SecureCookieSessionInterface
from flask.typing import ResponseReturnValue
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_login import AnonymousUserMixin, LoginManager, UserMixin, current_user
from flask_wtf.csrf import CSRFError, CSRFProtect
from itsdangerous import URLSafeTimedSerializer
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import BadRequest, HTTPException, SecurityError

from cms.database import Kept
from cms.i18n import LANGUAGES, _, _l
from cms.models import db
from cms.rules import SYSTEM, Conflict, NotFound, RuleBroken, Viewer
from cms.services import accounts
from cms.services.desk import Forbidden
from cms.settings import Settings
from cms.unit_of_work import Repeated, Work, unit_of_work, utcnow
from cms.vault import new_token

log = logging.getLogger(__name__)
F = TypeVar("F", bound=Callable[..., Any])
blueprint = Blueprint("web", __name__)
csrf = CSRFProtect()
limiter = Limiter(get_remote_address, default_limits=[], headers_enabled=False)
HOLDER = "_user_id"
"""Flask-Login's key in the signed cookie, for us of the session's token; the database keeps its fingerprint."""
UNASKED = object()
WHO_HOLDS = Kept(accounts.WHO_HOLDS)
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
CSP = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
SHIELD = {
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cache-Control": "no-store",
}
"""What an answer says unless its view says otherwise."""
MESSAGES = {
    400: _l("The request could not be understood. Go back and try again."),
    403: _l("Your post may not do this."),
    404: _l("There is no such page or record, or it is not within your charge."),
    405: _l("This cannot be done in this way."),
    409: _l("Somebody else saved this record while you had it open."),
    413: _l("This is too large. Shorten the text or choose a smaller file."),
    422: _l("Something in the form is not right."),
    429: _l("Too many tries. Wait a minute and try again."),
    500: _l("Something went wrong on our side. Nothing was saved; please try again."),
    503: _l("The register is busy or being looked after. Nothing was saved; try again shortly."),
}


class Account(UserMixin):  # type: ignore[misc]
    """Flask-Login's user: the viewer behind the session token."""

    def __init__(self, viewer: Viewer, token: str) -> None:
        self.viewer = viewer
        self.id = token


class SignedCookie(SecureCookieSessionInterface):
    """Flask's session cookie, with a signer made once for the application."""

    signer: URLSafeTimedSerializer | None = None

    def get_signing_serializer(self, app: Flask) -> URLSafeTimedSerializer | None:
        """What signs the cookie and checks it."""
        if self.signer is None:
            self.signer = super().get_signing_serializer(app)
        return self.signer


def init_app(app: Flask) -> None:
    """Install sign-in, the shield and the error pages."""
    settings: Settings = app.extensions["cms_settings"]
    https = settings.public_url.startswith("https:")
    app.config.update(
        SESSION_COOKIE_NAME="cms",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=https,
        WTF_CSRF_CHECK_DEFAULT=False,  # guard() does it
        WTF_CSRF_TIME_LIMIT=None,
        WTF_CSRF_SSL_STRICT=False,
        RATELIMIT_STORAGE_URI=settings.limiter_url,
        RATELIMIT_IN_MEMORY_FALLBACK_ENABLED=True,
        RATELIMIT_SWALLOW_ERRORS=True,
        RATELIMIT_STORAGE_OPTIONS={"socket_timeout": 0.5, "socket_connect_timeout": 0.5},
    )
    app.session_interface = SignedCookie()
    manager = LoginManager(app)
    manager.session_protection = None
    manager.user_loader(load_account)
    csrf.init_app(app)
    app.before_request(guard)
    limiter.init_app(app)
    # Every limit is a view's own and is checked as that view is called, not before each request.
    app.before_request_funcs[None].remove(limiter._check_request_limit)
    app.after_request(shield)
    install_errors(app)
    app.register_blueprint(blueprint)
    app.jinja_env.globals.update(viewer=viewer_or_none, say=say, asset=asset, form_key=new_token)


def takes_files(at_once: int) -> Callable[[F], F]:
    """Mark a view whose form carries files: it may hold so many bytes, once somebody is signed in."""

    def mark(view: F) -> F:
        view.at_once = at_once  # type: ignore[attr-defined]
        return view

    return mark


def guard() -> ResponseReturnValue | None:
    """What every request must pass before its view is asked, cheapest for those that only read."""
    if request.method not in SAFE:
        if request.method == "POST":
            admit_files()  # before the form is read
        csrf.protect(apply_exemptions=True)
        check_origin()
    set_language()
    check_letters()
    return require_sign_in()


def admit_files() -> None:
    """Raise the limit of a form for the views that are marked, and for nobody else."""
    view = current_app.view_functions.get(request.endpoint or "")
    at_once = getattr(view, "at_once", 0)
    if at_once and viewer_or_none() is not None:
        request.max_content_length = at_once


def asset(name: str) -> str:
    """Address of a static file that changes with the release; made once a process."""
    known: dict[str, str] = current_app.extensions.setdefault("cms_assets", {})
    if name not in known:
        known[name] = url_for("static", filename=name, v=current_app.extensions["cms_settings"].version)
    return known[name]


def load_account(token: str) -> Account | None:
    """Whose session this is, in one statement; None when revoked, expired or unknown."""
    viewer = accounts.viewer_for(WHO_HOLDS.rows, token, utcnow())
    return Account(viewer, token) if viewer else None


def viewer_or_none() -> Viewer | None:
    """Who is signed in, if anybody; Flask-Login is asked once a request, and with it the database."""
    found: Any = g.get("viewer", UNASKED)
    if found is UNASKED:
        found = g.viewer = current_user.viewer if current_user.is_authenticated else None
    return found  # type: ignore[no-any-return]


def viewer() -> Viewer:
    """Who is signed in. Only for pages behind the sign-in."""
    found = viewer_or_none()
    if found is None:
        raise RuntimeError("a page that needs a viewer was reached without one")
    return found


def set_language() -> None:
    """The account's language where somebody is signed in and has chosen none in this browser."""
    if request.endpoint == "static" or request.cookies.get("cms_lang") in LANGUAGES:
        return
    if request.path.startswith("/admin") and (found := viewer_or_none()) is not None:
        g.language = found.language


def check_letters() -> None:
    """Refuse what no database keeps: a NUL in any value, an id wider than a key."""
    form = request.form.values() if request.method not in SAFE else ()
    if "\x00" in "".join([request.path, *request.args.values(), *form]):
        raise BadRequest
    ids = (request.view_args or {}).values()
    if any(isinstance(value, int) and value >= 2**63 for value in ids):
        raise NotFound("Row")


def check_origin() -> None:
    """Refuse a state-changing request that another site sent (beside the CSRF token)."""
    origin = request.headers.get("Origin") or request.headers.get("Referer")
    if origin and urlsplit(origin).netloc != request.host:
        raise CSRFError("cross-site request")


def require_sign_in() -> ResponseReturnValue | None:
    """Everything below /admin needs a signed-in officer."""
    if not request.path.startswith("/admin") or viewer_or_none() is not None:
        return None
    if request.method not in SAFE:
        return redirect(url_for("web.login"), 303)
    return redirect(url_for("web.login", next=request.full_path.rstrip("?")))


def shield(response: Response) -> Response:
    """What a browser may do with an answer."""
    headers = response.headers
    if request.endpoint == "static":
        headers["Cache-Control"] = "public, max-age=31536000, immutable"
    said = {name.lower() for name, _value in headers}
    headers.extend([(name, value) for name, value in SHIELD.items() if name.lower() not in said])
    return response


def write() -> AbstractContextManager[Work]:
    """The one door for a form of the signed-in: it knows the form's key."""
    return unit_of_work(viewer(), form_key=request.form.get("form_key", ""))


def say(refusal: RuleBroken) -> str:
    """A refusal in the reader's language."""
    message = str(refusal.message)
    return message % {k: str(v) for k, v in refusal.params.items()} if refusal.params else message


def repeated(_error: Repeated) -> ResponseReturnValue:
    """The same form came twice: once is enough."""
    flash(_("This form was received already; nothing was done twice."), "success")
    return redirect(request.path, 303)


def error_page(code: int, sentence: str | None = None) -> tuple[str, int]:
    """One page for every refusal of the edge."""
    text = sentence or str(MESSAGES.get(code, MESSAGES[500]))
    return render_template("error.html", code=code, sentence=text), code


def install_errors(app: Flask) -> None:
    """Map what use cases raise to pages."""
    app.register_error_handler(NotFound, lambda e: error_page(404))
    app.register_error_handler(Forbidden, lambda e: error_page(403))
    app.register_error_handler(Repeated, repeated)
    app.register_error_handler(Conflict, lambda e: error_page(409))
    app.register_error_handler(RuleBroken, lambda e: error_page(422, say(e)))
    app.register_error_handler(
        CSRFError, lambda e: error_page(400, str(_("This form has expired. Open it again.")))
    )
    app.register_error_handler(SecurityError, strange_host)
    app.register_error_handler(HTTPException, lambda e: error_page(e.code or 500))
    app.register_error_handler(OperationalError, database_away)
    app.register_error_handler(500, lambda e: error_page(500))


def strange_host(error: SecurityError) -> tuple[str, int]:
    """Plain words: for a host that is not ours no address, not even the style sheet's, is made."""
    return "This address is not served here.", 400


def database_away(error: OperationalError) -> tuple[str, int]:
    """The database is locked, full or gone: nothing was written, say so."""
    log.error("database: %s", error.orig)
    db.session.rollback()
    # Every template asks who is signed in; asking again would only fail again.
    g.viewer, g._login_user = None, AnonymousUserMixin()
    return error_page(503)


def safe_next(target: str | None) -> str:
    """A path on this site, or the home of the signed-in."""
    if target and target.startswith("/") and not target.startswith(("//", "/\\")):
        parts = urlsplit(target)
        if not parts.netloc and not parts.scheme and "\\" not in target:
            return target
    return url_for("admin.index")


def login_key() -> str:
    """Throttle per account and address, so that nobody can lock out a whole station."""
    return f"{request.form.get('login', '')[:60].lower()}@{get_remote_address()}"


def failed(response: Response) -> bool:
    """Only wrong tries count: a whole office signs in from one address at nine."""
    return response.status_code == 401


@blueprint.get("/login")
def login() -> ResponseReturnValue:
    """The sign-in page."""
    return login_page()


def login_page(code: int = 200, sentence: str | None = None) -> tuple[str, int]:
    """The sign-in page, with a sentence when a try failed; what was typed is kept."""
    settings: Settings = current_app.extensions["cms_settings"]
    values: Any = request.values
    page = render_template(
        "login.html", sentence=sentence, login=values.get("login", ""),
        next=values.get("next", ""), demo=settings.demo,
    )  # fmt: skip
    return page, code


@blueprint.post("/login")
@limiter.limit("10 per minute", key_func=login_key, deduct_when=failed)
@limiter.limit("120 per minute", deduct_when=failed)
def sign_in() -> ResponseReturnValue:
    """Check login and password and start a session."""
    settings: Settings = current_app.extensions["cms_settings"]
    token = accounts.sign_in(
        db.session(), request.form.get("login", ""), request.form.get("password", ""),
        settings.session_hours, get_remote_address(), request.user_agent.string,
    )  # fmt: skip
    if token is None:
        return login_page(401, str(_("Login or password is wrong. Try again.")))
    session.clear()
    session[HOLDER] = token
    return redirect(safe_next(request.form.get("next")), 303)


@blueprint.post("/logout")
def sign_out() -> ResponseReturnValue:
    """Revoke the session and forget it."""
    found = viewer_or_none()
    if found is not None and found.session_id is not None:
        with unit_of_work(found) as work:
            accounts.sign_out(work, found.session_id)
    session.clear()
    flash(_("You are signed out."))
    return redirect(url_for("web.login"), 303)


@blueprint.get("/language/<code>")
def change_language(code: str) -> ResponseReturnValue:
    """Remember the language and go back to the same page."""
    answer = redirect(safe_next(request.args.get("next")), 303)
    if code in LANGUAGES:
        secure = current_app.config["SESSION_COOKIE_SECURE"]
        answer.set_cookie(
            "cms_lang", code, max_age=31_536_000, samesite="Lax", secure=secure, httponly=True
        )
    return answer


@blueprint.route("/welcome/<token>", methods=["GET", "POST"])
@limiter.limit("20 per minute")
def welcome(token: str) -> ResponseReturnValue:
    """Where the owner of a new account sets the password, once."""
    user = accounts.welcomed(db.session(), current_app.extensions["cms_vault"], token)
    if user is None:
        raise NotFound("User")
    sentence, user_id, name = None, user.id, user.login
    if request.method == "POST":
        try:
            with unit_of_work(SYSTEM, via="welcome") as work:
                accounts.set_password(work, user_id, request.form.get("password", ""))
            flash(_("The password is set. Sign in with it."))
            return redirect(url_for("web.login", login=name), 303)
        except RuleBroken as refusal:
            sentence = say(refusal)
    page = render_template("welcome.html", sentence=sentence, login=name, token=token)
    return page, 422 if sentence else 200
