"""Documents of the office: the copy of the complaint, the report, letters, the noting sheet.

One template gives two things: the PDF that is issued, and the same page as accessible HTML.
``html`` needs Jinja alone; WeasyPrint is loaded by ``render`` and ``warm`` only, so that the
web process can import this module for nothing. Nothing here knows models, Flask or clocks:
every date and number arrives as the text to be printed.
"""

from __future__ import annotations

import base64
import dataclasses
import gc
import re
import threading
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from cms import pdf_file, pdf_reuse
from cms.pdf_data import (
    CopyData,
    HandOverData,
    LetterData,
    LetterPart,
    NotingData,
    ReportAction,
    ReportData,
    ReportFinding,
)  # fmt: skip
from cms.pdf_language import mark_phrases
from cms.pdf_pictures import Kept, QrCode, codes_of
from cms.pdf_text import TextLayer

if TYPE_CHECKING:
    from weasyprint import CSS
    from weasyprint.text.fonts import FontConfiguration
    from weasyprint.urls import URLFetcher

ROOT = Path(__file__).resolve().parent.parent
STATIC = ROOT / "static"
FONTS = STATIC / "fonts"
EMBLEM = STATIC / "emblem.svg"
TEMPLATES = ROOT / "templates" / "pdf"
"""A folder for each version. A released one is never edited: what was issued with it stays as it was."""
CURRENT = "v1"
"""The version with which documents are issued now."""
LISTS = "lists"
"""The folder of papers that are not issued and have no version: they stand on the head of any."""

#: The files that the style sheet of the PDF names; without them WeasyPrint dies, not raises.
FONT_FILES = (
    "noto-sans-400.woff2",
    "noto-sans-700.woff2",
    "noto-sans-devanagari-400.woff2",
    "noto-sans-devanagari-700.woff2",
)

#: Order in which each language edition prints its two texts.
LANGUAGES: Mapping[str, tuple[str, ...]] = {
    "hi": ("hi", "en"),
    "en": ("en", "hi"),
    "hi-only": ("hi",),
    "en-only": ("en",),
}

MAX_CHARACTERS = 60_000
"""Of all texts of one document together; a complaint of 200 words has about 1,200."""
LONG_TEXTS = frozenset({"text", "outcome_reasons"})
"""Fields of a document (not of its lists) that may fill pages."""
QUOTED = "quoted"
"""Paragraphs of a letter in an officer's words: no table holds them, so they may be long as well."""
MAX_FIELD = 4_000
"""Characters of any other text: one word of 50,000 in a table cell took minutes."""
MAX_LINES = 2_000
"""Line breaks within one text."""
MAX_ITEMS = 400
"""Of one list (actions, findings, persons complained against)."""

# Soft hyphens extract as U+00AD; overrides and isolates can make a document say what it does not.
_FORBIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f"
    "\ufeff\ufff0-\uffff\ud800-\udfff\U000e0000-\U000e0fff]"
)
_MARKS_IN_A_ROW = re.compile(
    "([\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff]{2})"
    "[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff]+"
)
_DEVANAGARI_MARKS = re.compile(
    "([\u0900-\u0903\u093a-\u093c\u093e-\u094c\u094d\u0951-\u0957]{5})"
    "[\u0900-\u0903\u093a-\u093c\u093e-\u094c\u094d\u0951-\u0957]+"
)
# WeasyPrint needs time by the square of a word: 57,000 letters took 45 s. Breaks go between clusters.
_LONG_PIECE = re.compile(
    "[^ \n\t]{30}(?:[\u0300-\u036f\u0900-\u0903\u093a-\u094f\u200c\u200d]|(?<=\u094d)[^ \n\t]){0,12}(?=[^ \n\t]{50})"
)
_TIED = re.compile(
    r"\d{1,2} [^\W\d]\S{2,12} \d{4}(?:,? \d{1,2}:\d{2})?|\d{1,2}(?: दिन| days?)\b|(?:\+91 )?\d{5} \d{5}\b|₹ \d\S*"
    r"|\b(?:नं|सं|मो|No|Rs)\. \S*\d\S*|\b(?:धारा|[Ss]ection|दिनांक|dated|श्री|श्रीमती|सुश्री|Shri|Smt\.) \S+"
)
"""Dates, telephone numbers, sums, numbers of things, sections of a law, titles before a name."""
_LAST_LINE = 18
"""Characters that at least stand on the last line of a paragraph."""
_SHORT_NAME = 32
"""Characters of a name or post that is never broken."""


class DocumentRefused(ValueError):
    """The document cannot be made from this data; the message says why, without the data."""


class RendererUnfit(RuntimeError):
    """This installation cannot render: a font, a style sheet or the emblem is missing."""


Document: TypeAlias = Mapping[str, Any] | CopyData | ReportData | LetterData | NotingData | HandOverData


def render(template: str, data: Document, *, language: str) -> bytes:
    """Return the document as a tagged A4 PDF; the same data gives the same bytes.

    ``template`` is the name of a file, in the present version or in the one named before it (``v1/copy.html``).
    Raises `DocumentRefused` for texts beyond the caps or anything that asks for a resource of
    its own, `RendererUnfit` if this installation lacks fonts or style sheets.
    """
    page = html(template, data, language=language, embed=True)
    code = data["verification_code"] if isinstance(data, Mapping) else data.verification_code
    return _engine(versioned(template)[0]).write(page, clean(code).encode())


def versions() -> list[str]:
    """The versions of the templates, the oldest first."""
    return sorted((folder.name for folder in TEMPLATES.glob("v[0-9]*")), key=lambda name: int(name[1:]))


def versioned(template: str) -> tuple[str, str]:
    """Version and file of a template. DocumentRefused if there is no such version."""
    version, _slash, name = template.rpartition("/")
    if version and version not in versions():
        raise DocumentRefused(f"no version {version!r} of the templates")
    return version or CURRENT, name


def letter_css(version: str) -> Path:
    """The style sheet of a version, for the screen and for paper."""
    return STATIC / "letters" / f"{version}.css"


def html(template: str, data: Document, *, language: str, embed: bool, preview: bool = False) -> str:
    """Return the document as an accessible HTML page.

    With ``embed`` it carries its pictures and no link to a style sheet (for the PDF); without,
    it names the version's sheet in ``/static/letters`` and has no inline style, as the site's CSP demands.
    ``preview`` marks it as not issued, above and below, and leaves its QR out.
    Raises `DocumentRefused` like `render`.
    """
    if language not in LANGUAGES:
        raise DocumentRefused(f"no edition {language!r}; there are {', '.join(LANGUAGES)}")
    texts = _clean_document(data)
    order = LANGUAGES[language]
    version, name = versioned(template)
    page = _templates(version).get_template(name)
    tags = partial(_tags, order)
    said = page.render(texts, d=texts, order=order, tags=tags, embed=embed, emblem=_emblem(), preview=preview)
    return mark_phrases(said)


def pages_of(content: bytes) -> int:
    """How many pages a PDF of ours has. Its page objects lie in packed streams of objects."""
    found = 0
    for packed in re.finditer(rb"/Type /ObjStm[^>]*>>\s*stream\r?\n", content):
        objects = zlib.decompressobj().decompress(content[packed.end() :])
        found += len(re.findall(rb"/Type /Page\b", objects))
    return found


def warm() -> None:
    """Load WeasyPrint, fonts, style sheets and templates, and render a letter of each kind in each edition.

    For the renderer before it forks. Raises `RendererUnfit` naming what is missing.
    """
    with pdf_reuse.learning():
        for template, kind in (("copy.html", CopyData), ("report.html", ReportData), ("letter.html", LetterData)):
            for edition in LANGUAGES:
                render(template, _filler(kind), language=edition)


def _filler(kind: type[Any]) -> dict[str, Any]:
    """A letter that says nothing, with every field filled."""
    said = "हरियाणा पुलिस, कार्रवाई 12 नवंबर 2026 (Haryana Police)"
    fillers: dict[str, Any] = {"int": 1, "str": said, "Sequence[str]": [said]}
    for part in (ReportAction, ReportFinding, LetterPart):
        fillers[f"Sequence[{part.__name__}]"] = [dict.fromkeys((f.name for f in dataclasses.fields(part)), said)]
    filler = {field.name: fillers[str(field.type)] for field in dataclasses.fields(kind)}
    filler |= dict.fromkeys((name for name in filler if name.endswith("_url")), "https://localhost/")
    return filler | dict.fromkeys((name for name in filler if name.endswith("_language")), "hi")


def clean(text: str) -> str:
    """Return the text without control characters, bidi overrides, soft hyphens and mark heaps.

    Words stay as they are, except that one beyond 80 characters may be broken.
    Raises `DocumentRefused` for more than `MAX_LINES` lines.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n")
    text = _FORBIDDEN.sub("", text.replace("\u2029", "\n"))
    if text.count("\n") > MAX_LINES:
        raise DocumentRefused(f"a text of more than {MAX_LINES} lines")
    text = _DEVANAGARI_MARKS.sub(r"\1", _MARKS_IN_A_ROW.sub(r"\1", text))
    return _LONG_PIECE.sub("\\g<0>\u200b", text)


def _clean_document(data: Document) -> dict[str, Any]:
    """Return the data as plain, cleaned values."""
    plain = dict(data) if isinstance(data, Mapping) else dataclasses.asdict(data)
    size = sum(_size(value, MAX_CHARACTERS if name in LONG_TEXTS else MAX_FIELD) for name, value in plain.items())
    if size > MAX_CHARACTERS:
        raise DocumentRefused(f"{size} characters; at most {MAX_CHARACTERS} can be printed")
    cleaned: dict[str, Any] = _cleaned(plain)
    return cleaned


def _size(value: Any, limit: int = MAX_FIELD) -> int:
    """Characters of all texts in the value; refuses a text beyond the limit and a long list."""
    if isinstance(value, str):
        if len(value) > limit:
            raise DocumentRefused(f"a text of {len(value)} characters; at most {limit} fit there")
        return len(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        value = dataclasses.asdict(value)
    if isinstance(value, Mapping):
        return sum(_size(item, MAX_CHARACTERS if key == QUOTED else MAX_FIELD) for key, item in value.items())
    if isinstance(value, Sequence):
        if len(value) > MAX_ITEMS:
            raise DocumentRefused(f"a list of {len(value)} entries; at most {MAX_ITEMS}")
        return sum(map(_size, value))
    return 0


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        # str() drops Markup: what arrives here is text, whatever its type claims.
        return clean(str(value))
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        value = dataclasses.asdict(value)
    if isinstance(value, Mapping):
        return {key: _cleaned(item) for key, item in value.items()}
    if isinstance(value, Sequence):
        return [_cleaned(item) for item in value]
    return value


@cache
def _templates(version: str) -> Environment:
    """The Jinja environment of a version: everything escaped, a missing field is an error."""
    environment = Environment(
        loader=FileSystemLoader([TEMPLATES / version, TEMPLATES / LISTS]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters.update(
        paragraphs=_paragraphs, tied=_tied, closed=_closed, named=_named, code=_grouped, qr=_qr,
        web=_web_address, data_url=_data_url,
    )  # fmt: skip
    return environment


def _tags(order: Sequence[str], hi: str, en: str) -> list[str]:
    """The languages to print, in order: not one without text, and once what is the same."""
    if hi == en:
        return [order[0]] if hi else []
    return [tag for tag in order if (hi if tag == "hi" else en)]


def _paragraphs(text: str) -> list[str]:
    """Split at line breaks, without empty lines."""
    return [line.strip() for line in text.split("\n") if line.strip()]


def _tied(text: str) -> str:
    """Keep each date, number and title in the text on one line with what it belongs to."""
    return _TIED.sub(lambda match: match.group().replace(" ", "\u00a0"), text)


def _closed(text: str) -> str:
    """The same, and keep the last words of a paragraph together: none stands alone on a line."""
    text = _tied(text)
    if len(text) < 3 * _LAST_LINE:
        return text
    return text[:-_LAST_LINE] + text[-_LAST_LINE:].replace(" ", "\u00a0")


def _named(text: str) -> str:
    """Keep each name and post of a list of them on one line."""
    parts = re.split("( / |, )", text)
    parts[::2] = [part.replace(" ", "\u00a0") if len(part) <= _SHORT_NAME else part for part in parts[::2]]
    return "".join(parts)


def _grouped(code: str) -> str:
    """Twelve digits as 4-4-4, for reading aloud; anything else as it is."""
    digits = code.replace(" ", "")
    return " ".join(re.findall("....", digits)) if len(digits) == 12 else code


def _web_address(url: str) -> str:
    """Let a plain http(s) address through; raise `DocumentRefused` for anything else."""
    if not re.fullmatch(r"https?://[!-~]{4,300}", url):
        raise DocumentRefused("an address in the document is not a plain web address")
    return url


def _qr(url: str) -> QrCode:
    """A QR code of the address."""
    return QrCode(_web_address(url))


def _data_url(picture: QrCode | str) -> str:
    """The address of a picture within a page for paper."""
    if isinstance(picture, QrCode):
        return picture.address
    return "data:image/svg+xml;base64," + base64.b64encode(picture.encode()).decode()


@cache
def _emblem() -> str:
    try:
        return EMBLEM.read_text(encoding="utf-8")
    except OSError as error:
        raise RendererUnfit(f"cannot read {EMBLEM.name}: {error.strerror}") from error


def _check_assets(version: str) -> None:
    """Raise `RendererUnfit` for a missing asset: without fonts Pango ends the process."""
    sheets = (TEMPLATES / version / "page.css", TEMPLATES / version / "elements.css")
    needed = [*(FONTS / name for name in FONT_FILES), letter_css(version), *sheets]
    missing = [path.name for path in needed if not path.is_file() or not path.stat().st_size]
    if missing:
        raise RendererUnfit("missing, so that no PDF can be made: " + ", ".join(missing))


def _local_asset(url: str) -> bool:
    """Whether the address is one of our fonts, or a picture inside the page."""
    if url.startswith("data:image/svg+xml;base64,"):
        return True
    return url in {(FONTS / name).as_uri() for name in FONT_FILES}


def _make_fetcher() -> URLFetcher:
    """A fetcher that serves our fonts and embedded SVG and stops the rendering at all else."""
    from weasyprint.urls import URLFetcher, URLFetcherResponse

    class OwnAssets(URLFetcher):  # type: ignore[misc]  # WeasyPrint ships no types
        def fetch(self, url: str, headers: Mapping[str, str] | None = None) -> URLFetcherResponse:
            if not _local_asset(url):
                raise DocumentRefused("the document asks for a resource that is not ours")
            return super().fetch(url, headers)

    return OwnAssets(allowed_protocols=["data", "file"], fail_on_errors=True, allow_redirects=False)


@contextmanager
def _garbage_kept() -> Iterator[None]:
    """No search for garbage while a page is laid out: all its boxes live to the end."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


class _Engine:
    """WeasyPrint with our fonts and a version's sheets, made once per process and used by one at a time."""

    def __init__(self, version: str) -> None:
        from weasyprint import CSS
        from weasyprint.text.fonts import FontConfiguration

        from cms.pdf_source import page_class

        pdf_file.install()
        pdf_reuse.install()
        self._page = page_class(TEMPLATES / version / "elements.css")
        self._fetcher = _make_fetcher()
        self._fonts: FontConfiguration = FontConfiguration()
        self._sheets = [self._sheet(CSS, path) for path in (letter_css(version), TEMPLATES / version / "page.css")]
        self._pictures = {_data_url(_emblem()): Kept(self._picture(_data_url(_emblem())))}
        self._lock = threading.Lock()

    def _picture(self, address: str) -> Any:
        """A picture as WeasyPrint reads it."""
        from weasyprint import DEFAULT_OPTIONS
        from weasyprint.images import get_image_from_uri

        return get_image_from_uri({}, self._fetcher, DEFAULT_OPTIONS, address)

    def pictures(self, page: str) -> dict[str, Any]:
        """The pictures of a page, by the addresses under which WeasyPrint asks for them."""
        return {**self._pictures, **codes_of(page)}

    def _sheet(self, css: type[CSS], path: Path) -> CSS:
        return css(
            string=path.read_text(encoding="utf-8"),
            base_url=STATIC.as_uri() + "/",
            url_fetcher=self._fetcher,
            font_config=self._fonts,
        )

    def write(self, page: str, identifier: bytes | None = None) -> bytes:
        """Return the PDF of a page; a request for a foreign resource is a `DocumentRefused`.

        ``identifier`` is the file's own name for good: programs that change a PDF keep it.
        """
        from weasyprint.urls import FatalURLFetchingError

        layer = TextLayer()

        def finish(document: Any, pdf: Any) -> None:
            layer.finish(document, pdf)
            pdf_file.pack(pdf)

        try:
            with self._lock, _garbage_kept(), pdf_reuse.letter(), layer.drawing():
                source = self._page(page, self._fetcher)
                pdf: bytes = source.write_pdf(
                    stylesheets=self._sheets,
                    font_config=self._fonts,
                    pdf_variant="pdf/ua-1",
                    pdf_identifier=identifier,
                    cache=self.pictures(page),
                    finisher=finish,
                )
        except FatalURLFetchingError as error:
            raise DocumentRefused("the document asks for a resource that is not ours") from error
        return pdf


@cache
def _engine(version: str) -> _Engine:
    from cms import pdf_tags

    _check_assets(version)
    pdf_tags.install()
    return _Engine(version)
