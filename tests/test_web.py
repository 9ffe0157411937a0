"""The edge: sign-in, sessions, CSRF, origin, headers, hosts, invitations, languages."""

import pytest
import world
from sqlalchemy import func, select

from cms.models import Complaint, User, WebSession, db
from cms.services import accounts
from cms.unit_of_work import unit_of_work


def token_of(page) -> str:
    text = page.get_data(as_text=True)
    return text.split('name="csrf_token" value="')[1].split('"')[0]


def log_in(client, login="sho.hsr", password="demo", **more):
    data = {"login": login, "password": password, "csrf_token": token_of(client.get("/login")), **more}
    return client.post("/login", data=data)


def test_sign_in_and_out_ends_the_session_on_the_server(app, client):
    assert log_in(client).status_code == 303
    with client.session_transaction() as cookie:
        stolen = dict(cookie)
    page = client.get("/admin/")
    assert page.status_code == 200
    assert client.post("/logout", data={"csrf_token": token_of(page)}).status_code == 303
    thief = app.test_client()
    with thief.session_transaction() as cookie:
        cookie.update(stolen)
    assert thief.get("/admin/").status_code == 302
    assert db.session.scalars(select(WebSession)).one().revoked_at is not None


@pytest.mark.parametrize(("login", "password"), [("sho.hsr", "wrong"), ("nobody", "demo"), ("", ""), ("x" * 10_000, "y" * 10_000)])
def test_wrong_password_and_unknown_login_answer_alike(client, login, password):
    answer = log_in(client, login, password)
    assert answer.status_code == 401
    assert "Login or password is wrong" in answer.get_data(as_text=True)
    assert client.get("/admin/").status_code == 302


def test_sign_in_is_throttled_per_account(app, client):
    codes = [log_in(client, password="wrong").status_code for _ in range(11)]
    assert codes[:10] == [401] * 10
    assert codes[10] == 429
    assert log_in(app.test_client(), "sp.hsr").status_code == 303


def test_a_session_is_new_at_sign_in(client):
    with client.session_transaction() as cookie:
        cookie["planted"] = "x"
    log_in(client)
    with client.session_transaction() as cookie:
        assert "planted" not in cookie


def test_expired_disabled_and_unposted_accounts(app, sign_in):
    browser = sign_in("io.hsr")
    assert browser.get("/admin/").status_code == 200
    with unit_of_work(world.SYSTEM) as work:
        work.session.scalars(select(User).where(User.login == "io.hsr")).one().active = False
    assert browser.get("/admin/").status_code == 302


def test_cookie_flags(app, client):
    cookies = log_in(client).headers.getlist("Set-Cookie")
    mine = next(c for c in cookies if c.startswith("cms="))
    assert "HttpOnly" in mine
    assert "SameSite=Lax" in mine
    assert app.config["SESSION_COOKIE_SECURE"] is False  # http://localhost


def test_post_without_or_with_a_foreign_token_changes_nothing(app, sign_in):
    case = world.registered()
    for data in ({}, {"csrf_token": "x"}, {"csrf_token": sign_in("sp.hsr").token}):
        answer = sign_in("sho.hsr").client.post(f"/admin/complaint/{case.id}/mark/", data={**data, "order": "x", "version": 1})
        assert answer.status_code == 400
    db.session.refresh(case)
    assert case.version == 1


@pytest.mark.parametrize("origin", ["https://evil.example", "http://localhost.evil.example", "null"])
def test_post_from_another_site_is_refused(app, sign_in, origin):
    case = world.registered()
    answer = sign_in("sho.hsr").post(f"/admin/complaint/{case.id}/mark/", {"order": "x", "version": 1}, headers={"Origin": origin})
    assert answer.status_code == 400


def test_every_answer_is_shielded(app, sign_in):
    pages = [app.test_client().get("/"), app.test_client().get("/login"), sign_in("adgp").get("/admin/complaint/"),
             app.test_client().get("/nothing-here")]  # fmt: skip
    for page in pages:
        policy = page.headers["Content-Security-Policy"]
        assert "unsafe" not in policy
        assert "default-src 'self'" in policy
        assert page.headers["X-Content-Type-Options"] == "nosniff"
        assert page.headers["Cache-Control"] == "no-store"
        text = page.get_data(as_text=True)
        assert " style=" not in text
        assert "<style" not in text
        assert " onclick=" not in text
        assert "<script>" not in text


def test_forged_host_is_refused(client):
    assert client.get("/", headers={"Host": "evil.example"}).status_code == 400


@pytest.mark.parametrize("target", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)", "http:evil"])
def test_sign_in_never_leads_off_the_site(client, target):
    assert log_in(client, next=target).headers["Location"].endswith("/admin/")


def test_language_is_kept_and_html_says_it(client):
    assert '<html lang="hi"' in client.get("/").get_data(as_text=True)
    client.get("/language/en?next=/")
    assert '<html lang="en"' in client.get("/").get_data(as_text=True)
    assert client.get("/language/xx?next=//evil.example").headers["Location"].endswith("/admin/")


def test_invitation_works_once(app, client):
    with unit_of_work(world.SYSTEM, via="cli") as work:
        user = accounts.invite(work, "new.admin", None)
        token = accounts.welcome_token(app.extensions["cms_vault"], user)
    assert log_in(client, "new.admin", "!").status_code == 401
    page = client.get(f"/welcome/{token}")
    assert page.status_code == 200
    short = client.post(f"/welcome/{token}", data={"csrf_token": token_of(page), "password": "short"})
    assert short.status_code == 422
    done = client.post(f"/welcome/{token}", data={"csrf_token": token_of(short), "password": "a long password"})
    assert done.status_code == 303
    assert client.get(f"/welcome/{token}").status_code == 404
    assert client.get(f"/welcome/{token}x").status_code == 404
    assert log_in(client, "new.admin", "a long password").status_code == 303


def test_invitations_are_refused_with_a_sentence(app):
    run = app.test_cli_runner().invoke
    assert "taken" in run(args=["cms", "invite", "sho.hsr"]).output
    assert "no officer" in run(args=["cms", "invite", "x", "--officer", "999999"]).output
    assert "/welcome/" in run(args=["cms", "invite", "fine.name"]).output


def test_an_administrator_sees_no_complaint(app, sign_in):
    case = world.registered()
    browser = sign_in("admin")
    for path in ("/admin/", "/admin/officer/", "/admin/unit/"):
        assert case.number not in browser.get(path).get_data(as_text=True)
    assert browser.get("/admin/complaint/").status_code == 403


def test_a_locked_database_is_a_503_and_nothing_is_written(app, sign_in, backend):
    if backend != "sqlite":
        pytest.skip("the lock is SQLite's")
    browser, case = sign_in("sho.hsr"), world.registered()
    path = f"/admin/complaint/{case.id}/mark/"
    db.session.rollback()
    with db.engine.connect() as holder:
        holder.exec_driver_sql("ROLLBACK")
        holder.exec_driver_sql("BEGIN IMMEDIATE")
        answer = browser.post(path, {"unit": "HSR-PS02", "order": "x", "version": 1})
        holder.exec_driver_sql("ROLLBACK")
    assert answer.status_code == 503
    assert "Nothing was saved" in answer.get_data(as_text=True)
    assert db.session.scalar(select(func.count()).select_from(Complaint).where(Complaint.version > 1)) == 0


def test_too_large_a_request_is_refused_politely(app, sign_in):
    answer = sign_in("sho.hsr").post("/admin/complaint/new/", {"text": "x" * 3_000_000})
    assert answer.status_code == 413
