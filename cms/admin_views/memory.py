"""What a worker remembers for a minute: the short lists, and whatever a filter offers.

Nothing here decides what somebody may see: rows are always asked of the database.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from flask import current_app
from markupsafe import escape
from sqlalchemy import Select, String, literal_column, select, type_coerce, union_all

from cms.admin_views.fields import Option
from cms.database import reading
from cms.models import Category, Disposition, Mode, Rank, Source, Unit
from cms.models import Kind as UnitKind

KEEP_SECONDS = 60
"""After how long a worker sees what another has saved in a list of choices."""
MOST_KEPT = 600
SMALL: tuple[Any, ...] = (Unit, Rank, Mode, Source, Category, Disposition)
"""Lists short enough to be remembered whole, which every officer may read."""


def memory() -> dict[Any, tuple[float, Any]]:
    """What this worker remembers: key -> (until when, value)."""
    return current_app.extensions.setdefault("cms_choices", {})  # type: ignore[no-any-return]


def fresh(key: Any) -> tuple[float, Any] | None:
    """What is remembered under the key, unless it is too old."""
    found = memory().get(key)
    return found if found is not None and found[0] > time.monotonic() else None


def keep(key: Any, value: Any) -> Any:
    """Remember a value for :data:`KEEP_SECONDS`; when there are too many the oldest quarter goes."""
    store = memory()
    store.pop(key, None)
    if len(store) >= MOST_KEPT:
        for old in list(store)[: MOST_KEPT // 4]:
            store.pop(old, None)
    store[key] = (time.monotonic() + KEEP_SECONDS, value)
    return value


def kept(key: Any, make: Any, *args: Any) -> Any:
    """A value remembered by this worker for :data:`KEEP_SECONDS`."""
    found = fresh(key)
    return keep(key, make(*args)) if found is None else found[1]


def forget() -> None:
    """Drop remembered choices: a registry row was saved by this worker."""
    memory().clear()


class Remembered:
    """The short lists as this worker last read them: every unit, rank, category and so on.

    A row is (model, id, English, Hindi, path or short form, kind or Hindi short form, in use).
    """

    def __init__(self, rows: Iterable[Sequence[Any]]) -> None:
        self.rows: dict[str, dict[int, Sequence[Any]]] = {model.__name__: {} for model in SMALL}
        for row in rows:
            self.rows[row[0]][row[1]] = row
        units = sorted((row for row in self.rows["Unit"].values() if row[6]), key=lambda row: row[4])
        self.tree = {row[1]: (row[4], row[2], row[3], UnitKind[row[5]]) for row in units}
        districts = [row[4].count("/") - 1 for row in units if row[5] == UnitKind.DISTRICT.name]
        self.district_level = min(districts, default=0)
        self.names: dict[Any, dict[int | None, str]] = {}

    def called(self, model: Any, lang: str, escaped: bool) -> dict[int | None, str]:
        """id -> name; of a rank its short form; of nothing nothing."""
        found = self.names.get((model, lang, escaped))
        if found is None:
            at = (4 if model is Rank else 2) + (lang == "hi")
            found = {i: row[at] or "" for i, row in self.rows[model.__name__].items()}
            if escaped:
                found = {i: str(escape(text)) for i, text in found.items()}
            found = self.names[model, lang, escaped] = {None: "", **found}
        return found

    def offered(self, model: Any, lang: str) -> list[Option]:
        """Rows in use, by name."""
        at = 2 + (lang == "hi")
        found = [(i, str(row[at])) for i, row in self.rows[model.__name__].items() if row[6]]
        return sorted(found, key=lambda option: (option[1].casefold(), option[0]))


def remembered() -> Remembered:
    """The short lists, at most :data:`KEEP_SECONDS` old."""
    return kept("registry", read)  # type: ignore[no-any-return]


def names(model: Any, lang: str, ids: Sequence[int | None], escaped: bool = False) -> list[str]:
    """What rows of a short list are called. One added since is found by reading again."""
    known = remembered().called(model, lang, escaped)
    if not known.keys() >= set(ids):
        keep("registry", read())
        known = remembered().called(model, lang, escaped)
    return [known.get(i, "") for i in ids]


def tree() -> dict[int, tuple[str, str, str, Any]]:
    """Units in use: id -> (path, English name, Hindi name, kind), in the order of the tree."""
    return remembered().tree


def read(parts: Sequence[Select[Any]] = (), few: Mapping[str, list[tuple[str, str]]] | None = None) -> Remembered:
    """The short lists and, in ``few``, the rows of the other parts: one statement."""
    with reading() as connection:
        rows = connection.execute(union_all(*map(short_list, SMALL), *parts)).all()
    for row in rows:
        if few and row[0] in few:
            few[row[0]].append((str(row[1]), row[2]))
    return Remembered(row for row in rows if not few or row[0] not in few)


def short_list(model: Any) -> Select[Any]:
    """One short list, shaped like the others."""
    more: dict[Any, tuple[Any, Any]] = {
        Unit: (Unit.path, type_coerce(Unit.kind, String())), Rank: (Rank.short_en, Rank.short_hi),
    }  # fmt: skip
    nothing = literal_column("''", String())
    tag: Any = literal_column(f"'{model.__name__}'", String())
    return select(tag, model.id, model.name_en, model.name_hi, *more.get(model, (nothing, nothing)), model.active)
