"""The whole thread in Chromium: the right person at each step, both languages, both widths, with and without script."""

import os
import re
import secrets
import socket
import subprocess
import sys
import time
import urllib.request
from datetime import UTC, datetime, timedelta
from pathlib import Path

import axe_playwright_python
import pytest
from conftest import SECRET, fill, settings_for, start_chromium
from playwright.sync_api import sync_playwright

from tests.queue_server import QueueServer

ROOT = Path(__file__).parents[1]
SIZES = {"desk": {"width": 1366, "height": 768}, "phone": {"width": 390, "height": 844}}
pytestmark = [pytest.mark.browser, pytest.mark.slow]


class Station:
    """Web, worker and renderer as they run in production, on the small range."""

    def __init__(self, data: Path, redis_url: str) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.env = {**os.environ, "CMS_DATA": str(data), "REDIS_URL": redis_url, "CMS_SECRET_KEY": SECRET, "CMS_DEMO": "",
                    "CMS_PUBLIC_URL": self.url, "PYTHONPATH": str(ROOT)}  # fmt: skip
        self.env.pop("DATABASE_URL", None)
        self.log = (data / "station.log").open("w")
        bind = ["-b", f"127.0.0.1:{self.port}", "-w", "1", "--threads", "4", "--no-control-socket"]
        self.running = [self.start("-m", "gunicorn", *bind, "app:app"), self.start("-m", "cms.jobs.worker"),
                        self.start("-m", "cms.jobs.renderer")]  # fmt: skip

    def start(self, *command: str) -> "subprocess.Popen[bytes]":
        return subprocess.Popen([sys.executable, *command], cwd=ROOT, env=self.env, stderr=self.log, stdout=self.log)

    def wait(self) -> None:
        end = time.monotonic() + 60
        while time.monotonic() < end:
            try:
                with urllib.request.urlopen(self.url + "/healthz") as answer:
                    if b'"renderer":"ok"' in answer.read():
                        return
            except OSError:
                pass
            time.sleep(0.2)
        raise RuntimeError(Path(self.log.name).read_text()[-3000:])

    def stop(self) -> None:
        for process in self.running:
            process.terminate()
        for process in self.running:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.log.close()


@pytest.fixture(scope="module")
def station(tmp_path_factory):
    data = tmp_path_factory.mktemp("station")
    fill(settings_for(data))
    with QueueServer() as server:
        running = Station(data, server.url)
        try:
            running.wait()
            yield running
        finally:
            running.stop()


@pytest.fixture(scope="module")
def driver():
    with sync_playwright() as playing:
        yield playing


@pytest.fixture
def chromium(driver):
    """A Chromium per test: one that dies takes one test with it."""
    browser = start_chromium(driver)
    yield browser
    browser.close()


class Desk:
    """One browser of one kind, in which people sign in one after the other."""

    def __init__(self, browser, station, language, size, script) -> None:
        self.station, self.language = station, language
        self.context = browser.new_context(
            viewport=SIZES[size], java_script_enabled=script, base_url=station.url, locale="en-IN", accept_downloads=True
        )
        self.page = self.context.new_page()
        self.errors: list[str] = []
        self.page.on("console", lambda m: self.errors.append(m.text) if m.type == "error" else None)
        self.page.on("pageerror", lambda e: self.errors.append(str(e)))

    def as_(self, login: str):
        """Sign in as somebody else."""
        self.context.clear_cookies()
        self.context.add_cookies([{"name": "cms_lang", "value": self.language, "url": self.station.url}])
        page = self.page
        page.goto("/login")
        assert page.locator("html").get_attribute("lang") == self.language
        page.fill("[name=login]", login)
        page.fill("[name=password]", "demo")
        page.keyboard.press("Enter")
        page.wait_for_url("**/admin/")
        self.check()
        return page

    def check(self) -> None:
        """No sideways scroll, no error of the script or the policy."""
        width = self.page.viewport_size["width"]
        box = self.page.locator("body").bounding_box()
        assert box is not None
        assert box["width"] <= width + 1
        assert self.errors == []


def submit(page, form: str) -> None:
    page.locator(f"{form} button.primary, {form} button[type=submit]").first.click()


def walk(desk: Desk) -> None:
    """Counter, station head, IO, station head, counter, feedback cell, complainant."""
    number, code = register(desk)
    case = assign(desk, number)
    act_and_dispose(desk, case)
    deliver_report(desk, case)
    ask(desk, case)
    track(desk, number, code)


def register(desk: Desk) -> tuple[str, str]:
    page = desk.as_("branch.hsr")
    page.goto("/admin/complaint/new/")
    desk.check()
    focused = page.locator("[autofocus]").first.get_attribute("name")
    assert focused == "phone"
    page.fill("[name=phone]", "9999900123")
    page.fill("[name=name]", "कृष्णा देवी")
    page.fill("[name=text]", "पड़ोसी ने खेत की मेड़ तोड़ दी। " + " ".join(secrets.token_hex(3) for _ in range(40)))
    page.select_option("[name=category_id]", index=1)
    page.fill("[name=unit]", "HSR-PS01")
    page.locator("[name=text]").press("Tab")
    page.locator("form:has([name=form_key]) button.primary").click()
    page.wait_for_url("**/handover/")
    desk.check()
    text = page.locator("main").inner_text().replace("\xa0", " ")  # names hold together on paper
    number = re.search(r"HSR-\d{4}-\d{6}-\d", text).group()
    code = re.search(r"\d{4}[- ]\d{4}[- ]\d{4}", text).group()
    assert "कृष्णा देवी" in text
    address = page.url
    page.locator("form:has(input[value=PRINT]) button").click()
    page.wait_for_load_state()
    assert page.url == address or "/unsettled/" in page.url or "/details/" in page.url or "/new/" in page.url
    wait_for_pdf(desk, address)
    return number, code


def wait_for_pdf(desk: Desk, address: str) -> None:
    """The PDF of the copy follows by itself within a few seconds."""
    page = desk.page
    for _ in range(20):
        page.goto(address)
        link = page.locator("main a[href*='/document/']:not([href$='/page/'])").first
        if link.count():
            with page.expect_download() as got:
                link.click()
            assert Path(got.value.path()).read_bytes().startswith(b"%PDF")
            return
        time.sleep(0.5)
    raise AssertionError("no PDF")


def assign(desk: Desk, number: str) -> str:
    page = desk.as_("sho.hsr")
    page.goto(f"/admin/complaint/?q={number}")
    desk.check()
    page.locator(f"a:has-text('{number}')").first.click()
    page.wait_for_url("**/details/**")
    desk.check()
    case = re.search(r"id=(\d+)", page.url).group(1)
    page.goto(f"/admin/complaint/{case}/assign/")
    page.locator("label:has-text('Ramesh Yadav')").first.click()
    submit(page, "form:has([name=officer_id])")
    page.wait_for_url("**/details/**")
    return case


def act_and_dispose(desk: Desk, case: str) -> None:
    """The IO enquires and reports; he may not decide; the station head approves."""
    act(desk, case, "io.hsr")
    assert desk.page.goto(f"/admin/complaint/{case}/dispose/").status == 403
    desk.errors.clear()  # the refusal is an error to the console
    report(desk, case, "io.hsr", "दाखिल दफ्तर" if desk.language == "hi" else "Filed")
    move(desk, case, "sho.hsr", "dispose", text="")


def act(desk: Desk, case: str, login: str) -> None:
    page = desk.as_(login)
    page.goto(f"/admin/complaint/{case}/act/")
    desk.check()
    page.locator("[name=kind][value=VISIT]").check(force=True)
    page.fill("[name=note]", "मौके पर जाकर दोनों पक्षों से बात की।")
    submit(page, "form:has([name=note])")
    page.wait_for_url("**/details/**")
    desk.check()


def report(desk: Desk, case: str, login: str, way: str) -> None:
    """First how it should end, then what that needs."""
    page = desk.as_(login)
    page.goto(f"/admin/complaint/{case}/report/")
    desk.check()
    page.locator(f".ways a:text-is('{way}')").click()
    page.locator("[name^=finding-]").first.select_option("SUBSTANTIATED")
    page.fill("[name^=why-]", "मेड़ टूटी मिली।")
    page.fill("[name=reasons]", "मेड़ ठीक कराई गई; दोनों पक्ष पाबंद किए गए।")
    submit(page, "form:has([name=disposition_id])")
    page.wait_for_url("**/details/**")
    desk.check()


def move(desk: Desk, case: str, login: str, name: str, **said: str) -> None:
    """A step by its page, as offered on the complaint; what is chosen is checked, what is written filled in."""
    page = desk.as_(login)
    page.goto(f"/admin/complaint/details/?id={case}")
    desk.check()
    link = page.locator(f"main a[href='/admin/complaint/{case}/{name}/']")
    assert link.count(), f"{login} is not offered {name}"
    page.goto(f"/admin/complaint/{case}/{name}/")
    desk.check()
    for field, value in said.items():
        box = page.locator(f"[name={field}]").first
        if box.get_attribute("type") == "radio":
            page.locator(f"[name={field}][value='{value}']").check(force=True)
        elif box.evaluate("e => e.tagName") == "SELECT":
            box.select_option(value or None, index=None if value else 1)
        else:
            box.fill(value)
    page.locator("form:has([name=version]) button.primary").click()
    page.wait_for_load_state()
    assert f"/{name}/" not in page.url, page.locator("main").inner_text()[:400]
    desk.check()


def deliver_report(desk: Desk, case: str) -> None:
    page = desk.as_("branch.hsr")
    page.goto(f"/admin/complaint/{case}/deliver/")
    desk.check()
    page.locator("[name=channel][value=PRINT]").check(force=True)
    submit(page, "form:has([name=channel])")
    page.wait_for_url("**/details/**")


def ask(desk: Desk, case: str) -> None:
    page = desk.as_("feedback.hsr")
    page.goto(f"/admin/complaint/{case}/feedback/")
    desk.check()
    assert page.locator("[name=satisfied]:checked").count() == 0
    page.locator("[name=satisfied][value=yes]").check(force=True)
    submit(page, "form:has([name=satisfied])")
    page.wait_for_load_state()
    desk.check()


def track(desk: Desk, number: str, code: str, documents: int = 2) -> None:
    desk.context.clear_cookies()
    desk.context.add_cookies([{"name": "cms_lang", "value": desk.language, "url": desk.station.url}])
    page = desk.page
    page.goto("/track")
    desk.check()
    page.fill("[name=number]", number)
    page.fill("[name=code]", "000000000000")
    page.locator("button.primary").click()
    assert number not in page.locator("h1").inner_text()
    desk.errors.clear()
    page.fill("[name=number]", number.lower())
    page.fill("[name=code]", code)
    page.locator("button.primary").click()
    page.wait_for_load_state()
    desk.check()
    assert number in page.content()
    for _ in range(20):
        button = page.locator("form[action*='/track/document/']:not([action$='/page']) button")
        if button.count() == documents:
            break
        time.sleep(0.5)
        page.goto("/track")
        page.fill("[name=number]", number)
        page.fill("[name=code]", code)
        page.locator("button.primary").click()
        page.wait_for_load_state()
    for position in range(documents):
        with page.expect_download() as got:
            button.nth(position).click()
        assert Path(got.value.path()).read_bytes().startswith(b"%PDF")


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("language", ["hi", "en"])
def test_whole_thread(chromium, station, language, size, script):
    desk = Desk(chromium, station, language, size, script)
    try:
        walk(desk)
    finally:
        desk.context.close()


def day_after(days: int) -> str:
    return (datetime.now(UTC) + timedelta(hours=5, minutes=30, days=days)).date().isoformat()


def longest_life(desk: Desk) -> None:
    """Register, assign, act, hold, extend, report, return, approve, deliver, dissatisfied, re-open to
    another, appeal, close: each step by the right person."""
    filed, false = ("दाखिल दफ्तर", "झूठी") if desk.language == "hi" else ("Filed", "False")
    number, code = register(desk)
    case = assign(desk, number)
    act(desk, case, "io.hsr")
    move(desk, case, "io.hsr", "ask-hold", reason_id="", until=day_after(4), text="रिपोर्ट प्रतीक्षित है।")
    move(desk, case, "sho.hsr", "hold", granted="yes", text="")
    move(desk, case, "io.hsr", "resume", text="रिपोर्ट मिल गई।")
    move(desk, case, "io.hsr", "ask-extension", days="10", text="गवाह बाहर गया है।")
    move(desk, case, "sp.hsr", "extend", granted="yes", text="")
    report(desk, case, "io.hsr", false)
    move(desk, case, "sho.hsr", "return", text="पड़ोसी का बयान लें।")
    report(desk, case, "io.hsr", false)
    move(desk, case, "sho.hsr", "forward", text="")
    move(desk, case, "dsp.hsr", "forward", text="")
    move(desk, case, "sp.hsr", "dispose", text="")
    deliver_report(desk, case)
    answer(desk, case, "no", "कोई नहीं आया।")
    consent(desk, case, "REOPENING")
    move(desk, case, "branch.hsr", "reopen", motion="paper", reasons="असंतुष्ट।")
    page = desk.as_("sho.hsr")
    page.goto(f"/admin/complaint/{case}/assign/")
    offered = page.locator("[name=officer_id]").count()
    assert offered == 1, "the rules choose who enquires anew"
    page.locator("[name=officer_id]").check(force=True)
    submit(page, "form:has([name=officer_id])")
    page.wait_for_url("**/details/**")
    act(desk, case, "io2.hsr")
    report(desk, case, "io2.hsr", filed)
    move(desk, case, "sho.hsr", "dispose", text="")
    deliver_report(desk, case)
    consent(desk, case, "APPEAL")
    move(desk, case, "branch.hsr", "appeal", grounds="निष्कर्ष गलत है।")
    move(desk, case, "adgp", "hear", result="DISMISSED", reasons="दोनों पक्ष सुने गए।")
    page.goto(f"/admin/complaint/details/?id={case}")
    desk.check()
    told = page.locator("main").inner_text().replace("\xa0", " ")
    assert ("बंद" if desk.language == "hi" else "Closed") in told
    track(desk, number, code, 5)


def answer(desk: Desk, case: str, satisfied: str, reason: str) -> None:
    page = desk.as_("feedback.hsr")
    page.goto(f"/admin/complaint/{case}/feedback/")
    page.locator(f"[name=satisfied][value={satisfied}]").check(force=True)
    page.fill("[name=reason]", reason)
    submit(page, "form:has([name=satisfied])")
    page.wait_for_load_state()
    desk.check()


def consent(desk: Desk, case: str, kind: str) -> None:
    """The branch records the complainant's signed paper."""
    page = desk.as_("branch.hsr")
    page.goto(f"/admin/complaint/{case}/consent/")
    desk.check()
    page.locator(f"[name=kind][value={kind}]").check(force=True)
    page.fill("[name=note]", "फाइल 12")
    page.locator("form:has([name=version]) button.primary").click()
    page.wait_for_url("**/details/**")


@pytest.mark.parametrize(("language", "size", "script"), [("hi", "phone", False), ("en", "desk", True)])
def test_longest_life(chromium, station, language, size, script):
    desk = Desk(chromium, station, language, size, script)
    try:
        longest_life(desk)
    finally:
        desk.context.close()


AXE = """async () => {
  const found = await axe.run(document, {runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]});
  return found.violations.map(v => v.id + ": " + v.nodes.map(n => n.html.slice(0, 160)).join(" | "));
}"""
OVER_THE_NEXT = """() => [...document.querySelectorAll(".sheet td")]
  .filter(cell => cell.scrollWidth > cell.clientWidth + 1).map(cell => cell.textContent)"""
SCREENS = {
    None: ("/", "/track", "/verify/UNKNOWN", "/login", "/nothing-here"),
    "branch.hsr": ("/admin/", "/admin/complaint/new/", "/admin/complaint/{id}/handover/", "/admin/complaint/unsettled/",
                   "/admin/complaint/edit/?id={id}", "/admin/complaint/{id}/mark/", "/admin/complaint/letters/copies/",
                   "/admin/complaint/letters/copies/file/"),
    "sho.hsr": ("/admin/", "/admin/complaint/", "/admin/complaint/?clock=overdue", "/admin/complaint/details/?id={id}",
                "/admin/complaint/{id}/assign/", "/admin/officer/", "/admin/complaint/{id}/transfer/",
                "/admin/complaint/{id}/direct/", "/admin/complaint/{id}/consent/", "/admin/complaint/{id}/files/"),
    "adgp": ("/admin/", "/admin/unit/", "/admin/officer/", "/admin/permissions/", "/admin/complaint/{id}/history/"),
    "admin": ("/admin/", "/admin/officer/", "/admin/unit/", "/admin/category/", "/admin/category/new/"),
}  # fmt: skip


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("language", ["hi", "en"])
def test_no_screen_breaks_an_accessibility_rule(chromium, station, language, size):
    axe = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text()
    desk = Desk(chromium, station, language, size, True)
    case = a_complaint(desk)
    broken = {}
    for login, paths in SCREENS.items():
        if login:
            desk.as_(login)
        else:
            desk.context.add_cookies([{"name": "cms_lang", "value": language, "url": station.url}])
        for path in paths:
            desk.page.goto(path.format(id=case))
            desk.page.evaluate(axe)
            if found := desk.page.evaluate(AXE):
                broken[f"{login} {path}"] = found
            wide = desk.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
            if wide > 0:
                broken[f"{login} {path} sideways"] = wide
            if over := desk.page.evaluate(OVER_THE_NEXT):
                broken[f"{login} {path} words over the next cell"] = over
        desk.errors.clear()  # the missing page among them is an error to the console
    desk.context.close()
    assert broken == {}


def a_complaint(desk: Desk) -> str:
    """A complaint to look at, registered at the counter; the browser is signed out again."""
    page = desk.as_("branch.hsr")
    page.goto("/admin/complaint/new/")
    for name, value in (("phone", "9999900456"), ("name", "Ram"), ("text", " ".join(secrets.token_hex(3) for _ in range(20))), ("unit", "HSR-PS01")):
        page.fill(f"[name={name}]", value)
    page.select_option("[name=category_id]", index=1)
    page.locator("form:has([name=form_key]) button.primary").click()
    page.wait_for_url("**/handover/")
    case = re.search(r"complaint/(\d+)/", page.url).group(1)
    desk.context.clear_cookies()
    return case


def test_register_with_the_keyboard_alone(chromium, station):
    desk = Desk(chromium, station, "en", "desk", True)
    page = desk.as_("branch.hsr")
    page.goto("/admin/complaint/new/")
    values = {"phone": "9999900321", "name": "Ram Phal", "text": "My cycle was stolen from the bus stand.", "category_id": "L"}
    seen = []
    for _ in range(40):
        name = page.evaluate("document.activeElement.name || ''")
        if name and name not in seen:
            seen.append(name)
            if name in values:
                page.keyboard.type(values[name])
        if set(values) <= set(seen):
            break
        page.keyboard.press("Tab")
    assert seen[0] == "phone"
    page.locator("[name=name]").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/handover/", timeout=5000)
    desk.context.close()


def test_overdue_in_my_district_is_two_clicks_from_sign_in(chromium, station):
    desk = Desk(chromium, station, "hi", "desk", True)
    page = desk.as_("sp.hsr")
    page.locator("main a[href*='clock=overdue']").first.click()
    page.wait_for_url("**/admin/complaint/**clock=overdue**")
    desk.check()
    desk.context.close()
