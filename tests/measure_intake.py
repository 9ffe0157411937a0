"""How long a complainant waits for the paper while many are registered: the whole system, for real.

    python tests/measure_intake.py [--rate 10] [--seconds 30]

Starts ``python3 app.py`` on an empty data folder, signs in as a clerk and registers so many a second,
whether the answers keep up or not. Prints the times of the answers, and from registration to the PDF.
"""

from __future__ import annotations

import argparse
import http.client
import re
import sqlite3
import statistics
import sys
import tempfile
import threading
import time
import urllib.parse
import uuid
from datetime import datetime
from pathlib import Path

ROOT = Path(__file__).parents[1]


class Clerk:
    """Somebody signed in at the complaint branch."""

    def __init__(self, port: int) -> None:
        self.port, self.cookies = port, dict[str, str]()
        page = self.ask("GET", "/login")
        self.ask("POST", "/login", login="branch.hsr", password="demo", csrf_token=token_of(page))
        self.token = token_of(self.ask("GET", "/admin/complaint/new/"))

    def ask(self, method: str, path: str, **said: str) -> str:
        """One request on a connection of its own; the body of the answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        headers = {"Cookie": cookie, "Content-Type": "application/x-www-form-urlencoded",
                   "Origin": f"http://127.0.0.1:{self.port}", "Accept-Language": "en"}  # fmt: skip
        connection.request(method, path, urllib.parse.urlencode(said), headers)
        answer = connection.getresponse()
        for line in answer.headers.get_all("Set-Cookie") or ():
            name, value = line.split(";")[0].split("=", 1)
            self.cookies[name] = value
        body = answer.read().decode()
        connection.close()
        if answer.status >= 400:
            raise RuntimeError(f"{method} {path}: {answer.status} {body[:300]}")
        return body


def token_of(page: str) -> str:
    """The CSRF token of a form."""
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
    assert found, page[:500]
    return found[1]


def percentile(values: list[float], share: float) -> float:
    """The value below which so large a share lies."""
    return sorted(values)[min(int(len(values) * share), len(values) - 1)]


def line(what: str, values: list[float]) -> str:
    """Median, 95th percentile and worst, in milliseconds."""
    told = [statistics.median(values), percentile(values, 0.95), max(values)]
    return f"{what:32} " + "  ".join(f"{name} {value:7.0f} ms" for name, value in zip(("p50", "p95", "max"), told, strict=True))


def main() -> None:
    from cms.services.samples import COPY
    from tests.test_setup import Running

    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--rate", type=float, default=10)
    asked.add_argument("--seconds", type=float, default=30)
    options = asked.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="cms-intake-"))
    running = Running(folder)
    running.until(lambda health: health.get("status") == "ok", 120)
    file = sqlite3.connect(folder / "cms.sqlite3")
    ids = {table: file.execute(f"SELECT min(id) FROM {table}").fetchone()[0] for table in ("category", "source")}
    mode = file.execute("SELECT id FROM mode WHERE code = 'HAND'").fetchone()[0]
    before = file.execute("SELECT max(id) FROM document").fetchone()[0]
    clerk, waits, failed = Clerk(running.port), list[float](), list[str]()
    words = COPY.text.split()

    def register(no: int) -> None:
        begun = time.monotonic()
        try:
            clerk.ask(
                "POST", "/admin/complaint/new/", csrf_token=clerk.token, form_key=uuid.uuid4().hex, sure="1",
                name=f"Complainant {no}", phone=f"99999{no:05}", address="Village 1", subject=f"Matter {no}",
                text=" ".join(words[no % len(words) :] + words[: no % len(words)]), mode_id=str(mode),
                category_id=str(ids["category"]), source_id=str(ids["source"]),
            )  # fmt: skip
            waits.append((time.monotonic() - begun) * 1000)
        except (RuntimeError, OSError) as error:
            failed.append(str(error))

    started, threads = time.monotonic(), list[threading.Thread]()
    for no in range(round(options.rate * options.seconds)):
        time.sleep(max(started + no / options.rate - time.monotonic(), 0))
        threads.append(threading.Thread(target=register, args=(no,)))
        threads[-1].start()
    for thread in threads:
        thread.join()
    query = "SELECT issued_at, rendered_at FROM document WHERE id > ? AND kind = 'COPY'"
    end = time.monotonic() + 120
    rows = file.execute(query, (before,)).fetchall()
    while any(made is None for _, made in rows):
        assert time.monotonic() < end, "a document is still missing after two minutes"
        time.sleep(0.2)
        rows = file.execute(query, (before,)).fetchall()
    ready = [(datetime.fromisoformat(b) - datetime.fromisoformat(a)).total_seconds() * 1000 for a, b in rows]
    sys.stdout.write(f"{len(waits)} registered at {options.rate:g} a second, {len(failed)} failed {failed[:1]}\n")
    sys.stdout.write(line("answer to the clerk", waits) + "\n" + line("registration to the PDF", ready) + "\n")
    running.process.terminate()
    running.process.wait()


if __name__ == "__main__":
    sys.path[:0] = [str(ROOT), str(ROOT / "tests")]
    main()
