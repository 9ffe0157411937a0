"""The language of every phrase of a page: a screen reader changes its voice where the script changes.

Texts of people mix the scripts (a name in both, "SHO", "FIR" in a Hindi sentence), so that no
template can mark them. Of a page whose elements say their language, each stretch in the other
script gets a ``span`` that says its own (WCAG 3.1.2). No letter is added or lost.
"""

from __future__ import annotations

import re
from html import unescape

from markupsafe import escape

_DEVANAGARI = "\u0900-\u0963\u0966-\u097f"  # without the dandas, which end English sentences too
_LATIN = "A-Za-z\u00c0-\u024f"
_PIECE = re.compile("<[^>]*>|[^<]+")
_LANG = re.compile(r'\slang="([\w-]+)"')
_BODY = "<body>"
_WITHOUT_END = ("<br", "<img", "<col/", "<col ", "<meta", "<link", "<!")

_OTHER = {
    "hi": (
        "en",
        re.compile(f"[{_LATIN}]"),
        re.compile(f"([0-9]*[{_LATIN}](?:[^{_DEVANAGARI}]*[{_LATIN}])?(?:[0-9/-]*[0-9])?)"),
    ),
    "en": (
        "hi",
        re.compile(f"[{_DEVANAGARI}]"),
        re.compile(f"([{_DEVANAGARI}](?:[^{_LATIN}]*[{_DEVANAGARI}])?[\u200c\u200d]*)"),
    ),
}
"""Language in force -> the other one, a letter of its script, a stretch from its first letter to its last."""


def mark_phrases(page: str) -> str:
    """Return the page with each phrase in the other script marked; head and attributes as they were.

    ``page`` is well-formed XML, as our templates write it, with ``lang`` on ``html``.
    """
    head, body, rest = page.partition(_BODY)
    rest, end, foot = rest.rpartition("</body>")
    root = _LANG.search(head)
    if not body or root is None:
        return page
    marked, open_ones = [head, body], [root[1]]
    for piece in _PIECE.findall(rest):
        if not piece.startswith("<"):
            piece = _marked(piece, open_ones[-1])
        elif piece.startswith("</"):
            open_ones.pop()
        elif not piece.endswith("/>") and not piece.startswith(_WITHOUT_END):
            own = _LANG.search(piece)
            open_ones.append(own[1] if own else open_ones[-1])
        marked.append(piece)
    return "".join([*marked, end, foot])


def _marked(text: str, language: str) -> str:
    """One text in a language with its phrases in the other script marked."""
    if language not in _OTHER:
        return text
    other, letter, phrase = _OTHER[language]
    if not letter.search(text):
        return text
    parts = phrase.split(unescape(text))
    if len(parts) == 1:
        return text
    said = [str(escape(part)) for part in parts]
    said[1::2] = [f'<span lang="{other}">{part}</span>' for part in said[1::2]]
    return "".join(said)
