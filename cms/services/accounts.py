"""Signing in: Argon2, sessions in the database, one statement to know who looks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from itsdangerous import BadData, URLSafeTimedSerializer
from sqlalchemy import Date, String, and_, bindparam, select
from sqlalchemy.orm import Session

from cms.columns import Instant
from cms.i18n import _l, ist_day
from cms.models import Officer, Posting, Unit, User, WebSession
from cms.rules import SYSTEM, Role, RuleBroken, Seat, Viewer
from cms.unit_of_work import Work, unit_of_work
from cms.vault import Vault, fingerprint, new_token

Ask = Callable[[Mapping[str, Any]], Sequence[Sequence[Any]]]
WELCOME_SECONDS = 3 * 24 * 3600
"""How long an invitation is good for."""


@lru_cache
def hasher() -> PasswordHasher:
    """Argon2id with the library's current defaults."""
    return PasswordHasher()


@lru_cache
def decoy() -> str:
    """Verified for an unknown login, so that both answers take the same time."""
    return hasher().hash("nobody")


def password_right(stored: str, password: str) -> bool:
    """Compare in Argon2's own time."""
    try:
        return hasher().verify(stored, password)
    except (VerifyMismatchError, InvalidHashError):
        return False


def sign_in(
    session: Session, login: str, password: str, hours: int, address: str = "", agent: str = ""
) -> str | None:
    """Start a session and give its token; None if login or password is wrong."""
    user = session.scalar(select(User).where(User.login == login.strip().lower()[:60]))
    right = password_right(user.password_hash if user else decoy(), password[:200])
    if user is None or not right or not user.active:
        return None
    user_id, token = user.id, new_token()
    with unit_of_work(SYSTEM, via="sign-in") as work:
        work.session.add(
            WebSession(
                token_hash=fingerprint(token), user_id=user_id, created_at=work.now,
                expires_at=work.now + timedelta(hours=hours), address=address[:64],
                agent=agent[:200],
            )
        )  # fmt: skip
    return token


def sign_out(work: Work, session_id: int) -> None:
    """Revoke one session; the cookie is worth nothing from now on."""
    row = work.session.get(WebSession, session_id, with_for_update=True)
    if row is not None and row.revoked_at is None:
        row.revoked_at = work.now


def revoke_all(work: Work, user_id: int) -> int:
    """Revoke every session of an account (password changed, account closed)."""
    query = select(WebSession).where(
        WebSession.user_id == user_id, WebSession.revoked_at.is_(None)
    )
    rows = list(work.session.scalars(query.with_for_update()))
    for row in rows:
        row.revoked_at = work.now
    return len(rows)


def check_new(work: Work, login: str, officer_id: int | None) -> str:
    """The login as it is kept. RuleBroken if it or the officer's account exists already."""
    name = login.strip().lower()
    if not name or len(name) > 60 or any(c.isspace() for c in name):
        raise RuleBroken(_l("A login has 1 to 60 characters and no blank."))
    if work.session.scalar(select(User.id).where(User.login == name)) is not None:
        raise RuleBroken(_l("The login “%(login)s” is taken."), login=name)
    if officer_id is None:
        return name
    officer = work.session.get(Officer, officer_id)
    if officer is None:
        raise RuleBroken(_l("There is no officer with the id %(id)s."), id=officer_id)
    if not officer.active:
        raise RuleBroken(_l("%(officer)s is not in service."), officer=officer)
    if work.session.scalar(select(User.id).where(User.officer_id == officer_id)) is not None:
        raise RuleBroken(_l("%(officer)s has an account already."), officer=officer)
    return name


def invite(work: Work, login: str, officer_id: int | None) -> User:
    """An account without a usable password: an officer's, or an administrator's without one."""
    name = check_new(work, login, officer_id)
    user = User(
        login=name,
        password_hash=unusable(),
        role=Role.OFFICER if officer_id else Role.ADMIN,
        officer_id=officer_id,
    )
    work.session.add(user)
    work.session.flush()
    return user


def unusable() -> str:
    """What stands for a password until the owner sets one: no password fits it."""
    return "!" + new_token()


def check_state(work: Work, user_id: int | None, active: bool) -> User:
    """The account to close or to open again. RuleBroken if it is so already or must stay open."""
    user = work.session.get(User, user_id) if user_id else None
    if user is None:
        raise RuleBroken(_l("There is no such account."))
    if user.active == active:
        raise RuleBroken(_l("The account “%(login)s” is so already."), login=user.login)
    if active and user.officer is not None and not user.officer.active:
        raise RuleBroken(_l("%(officer)s is not in service."), officer=user.officer)
    others = select(User.id).where(User.role == Role.ADMIN, User.active, User.id != user.id).limit(1)
    if not active and user.role is Role.ADMIN and work.session.scalar(others) is None:
        raise RuleBroken(_l("The last administrator's account cannot be closed."))
    return user


def set_state(work: Work, user_id: int, active: bool) -> User:
    """Close an account with every session, or open it again with a password to be set anew."""
    user = check_state(work, user_id, active)
    user.active = active
    if active:
        user.password_hash = unusable()
    revoke_all(work, user.id)
    return user


def welcome_token(vault: Vault, user: User) -> str:
    """A signed address bound to the password now stored: setting one makes it worthless."""
    signer = URLSafeTimedSerializer(vault.key("welcome"))
    return str(signer.dumps([user.id, fingerprint(user.password_hash)[:16]]))


def welcomed(session: Session, vault: Vault, token: str) -> User | None:
    """The account an invitation is for; None if used, expired or forged."""
    try:
        said = URLSafeTimedSerializer(vault.key("welcome")).loads(token, max_age=WELCOME_SECONDS)
    except BadData:
        return None
    user = session.get(User, said[0])
    if user is None or fingerprint(user.password_hash)[:16] != said[1]:
        return None
    return user


def set_password(work: Work, user_id: int, password: str) -> None:
    """Store a new password and end every session of the account. RuleBroken if too short."""
    if not 10 <= len(password) <= 200:
        raise RuleBroken(_l("Choose a password of 10 to 200 characters."))
    user = work.session.get_one(User, user_id, with_for_update=True)
    user.password_hash = hasher().hash(password)
    revoke_all(work, user_id)


WHO = (
    WebSession.id.label("session_id"), User.id.label("user_id"), User.login, User.role,
    User.language, Officer.id.label("officer_id"), Officer.name_en, Officer.name_hi,
    Posting.post, Posting.unit_id, Unit.path,
)  # fmt: skip

WHO_HOLDS = (
    select(*WHO)
    .join(User, User.id == WebSession.user_id)
    .outerjoin(Officer, and_(Officer.id == User.officer_id, Officer.active))
    .outerjoin(Posting, and_(Posting.officer_id == Officer.id, Posting.in_force(bindparam("today", type_=Date()))))
    .outerjoin(Unit, Unit.id == Posting.unit_id)
    .where(
        WebSession.token_hash == bindparam("token", type_=String()),
        WebSession.revoked_at.is_(None),
        WebSession.expires_at > bindparam("now", type_=Instant()),
        User.active,
    )
    .order_by(Posting.id)
)
"""Made once: building it for every request would cost more than running it."""


def viewer_for(ask: Ask, token: str, now: datetime) -> Viewer | None:
    """Who holds this token, with the seats in force today. None if nobody.

    ask: runs :data:`WHO_HOLDS` with these values.
    """
    rows = ask({"token": fingerprint(token), "now": now, "today": ist_day(now)})
    if not rows:
        return None
    session_id, user_id, login, role, language, officer_id, name, name_hi, *_seat = rows[0]
    return Viewer(
        user_id=user_id,
        officer_id=officer_id,
        name=name or login,
        seats=tuple(Seat(post, unit_id, path) for *_who, post, unit_id, path in rows if post),
        role=Role(role),
        language=language,
        session_id=session_id,
        name_hi=name_hi or "",
    )
