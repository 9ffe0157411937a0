"""Languages, dates and numbers for people: Hindi and English, India's clock and digit groups."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from tempfile import NamedTemporaryFile
from zoneinfo import ZoneInfo

from babel import Locale
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from flask import Flask, g, has_request_context, request
from flask_babel import Babel, get_locale, gettext, lazy_gettext, ngettext
from markupsafe import Markup

IST = ZoneInfo("Asia/Kolkata")
LANGUAGES = ("hi", "en")
CATALOGUES = Path(__file__).parent / "translations"
_ = gettext
_l = lazy_gettext
MONTHS_HI = (
    "जनवरी", "फरवरी", "मार्च", "अप्रैल", "मई", "जून",
    "जुलाई", "अगस्त", "सितंबर", "अक्टूबर", "नवंबर", "दिसंबर",
)  # fmt: skip
MONTHS_EN = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()


LOCALES = {code: Locale.parse(code) for code in LANGUAGES}


def chosen_locale() -> Locale:
    """The locale of the reader's language."""
    return LOCALES[chosen_language()]


def chosen_language() -> str:
    """The reader's language: account, then cookie, then browser; Hindi first for the public."""
    if not has_request_context():
        return "en"
    if forced := getattr(g, "language", None):
        return str(forced)
    cookie = request.cookies.get("cms_lang")
    if cookie in LANGUAGES:
        return str(cookie)
    if request.path.startswith(("/admin", "/login")):
        return request.accept_languages.best_match(LANGUAGES[::-1]) or "en"
    return "hi"


def language() -> str:
    """The language now in force: "hi" or "en"."""
    locale = getattr(request, "babel_locale", None) if has_request_context() else None
    locale = locale or get_locale()
    return "hi" if locale is not None and locale.language == "hi" else "en"


def init_app(app: Flask) -> Babel:
    """Install the languages and the template filters."""
    compile_catalogues()
    app.config.setdefault("BABEL_DEFAULT_LOCALE", "en")
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = str(CATALOGUES)
    babel = Babel(app, locale_selector=chosen_locale, default_timezone="Asia/Kolkata")
    app.jinja_env.filters.update(
        day=show_day, moment=show_moment, clock=show_clock, grouped=group_digits, native=native
    )
    app.jinja_env.globals.update(language=language, languages=LANGUAGES)
    return babel


def compile_catalogues() -> None:
    """Make each .mo that is missing or older than its .po; processes that start together do it each for itself."""
    for po in CATALOGUES.glob("*/LC_MESSAGES/*.po"):
        mo = po.with_suffix(".mo")
        if mo.exists() and mo.stat().st_mtime >= po.stat().st_mtime:
            continue
        with po.open("rb") as source:
            catalogue = read_po(source, locale=po.parent.parent.name)
        with NamedTemporaryFile(dir=mo.parent, suffix=".part", delete=False) as target:
            write_mo(target, catalogue)
        part = Path(target.name)
        part.chmod(0o644)
        part.replace(mo)


def ist(moment: datetime) -> datetime:
    """The moment on an Indian clock."""
    return moment.astimezone(IST)


def ist_day(moment: datetime) -> date:
    """The calendar day in India on which the moment falls."""
    return moment.astimezone(IST).date()


def day_range(first: date, last: date) -> tuple[datetime, datetime]:
    """The moments [start of first, start of the day after last) on India's calendar."""
    start = datetime(first.year, first.month, first.day, tzinfo=IST)
    after = last + timedelta(days=1)
    return start, datetime(after.year, after.month, after.day, tzinfo=IST)


def hindi_date(day: date) -> str:
    """24 नवंबर 2026."""
    return f"{day.day} {MONTHS_HI[day.month - 1]} {day.year}"


def english_date(day: date) -> str:
    """24 Nov 2026."""
    return f"{day.day} {MONTHS_EN[day.month - 1]} {day.year}"


def show_day(value: date | datetime | None, lang: str | None = None) -> str:
    """A day for people; a moment is first put on India's calendar; nothing gives ''."""
    if value is None:
        return ""
    day = ist_day(value) if isinstance(value, datetime) else value
    return hindi_date(day) if (lang or language()) == "hi" else english_date(day)


def show_clock(value: datetime | None) -> str:
    """The Indian time of day, 24 hours: 09:05."""
    return "" if value is None else ist(value).strftime("%H:%M")


def show_moment(value: datetime | None, lang: str | None = None) -> str:
    """Day and time of day in India."""
    return "" if value is None else f"{show_day(value, lang)}, {show_clock(value)}"


def group_digits(number: int) -> str:
    """Indian digit grouping: 12,34,567."""
    text = str(abs(number))
    head, tail = text[:-3], text[-3:]
    groups: list[str] = []
    while head:
        groups.insert(0, head[-2:])
        head = head[:-2]
    return ("-" if number < 0 else "") + ",".join([*groups, tail])


def is_devanagari(text: str) -> bool:
    """True if the text holds a Devanagari letter."""
    return any("\u0900" <= char <= "\u097f" for char in text)


def native(text: str | None) -> Markup | str:
    """Text of a person, marked with its own language when it differs from the page's."""
    if not text:
        return ""
    own = "hi" if is_devanagari(text) else "en"
    if own == language():
        return text
    return Markup('<span lang="{}">{}</span>').format(own, text)


__all__ = ["IST", "LANGUAGES", "_", "_l", "gettext", "lazy_gettext", "ngettext"]
