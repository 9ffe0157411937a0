"""The bulk door: thousands of rows at once, with the same history as one row through a form.

The importer and the demo write here and nowhere else. Ids are reserved before the insert, because
the history of a row names its id; rows go in through COPY on PostgreSQL and one prepared statement
on SQLite. Call it inside ``unit_of_work(actor, via=...)`` with batches of :func:`batch_size`.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from operator import attrgetter, itemgetter
from typing import Any, TypeVar

from sqlalchemy import JSON, Connection, Date, Dialect, Engine, Enum, func, insert, select, text

from cms import audit
from cms.columns import Instant
from cms.models import (
    Accused,
    Action,
    Allegation,
    Appeal,
    Assignment,
    BarredUnit,
    Complaint,
    ComplaintLink,
    Consent,
    Deadline,
    DeadlineChange,
    Decision,
    Delivery,
    Direction,
    Document,
    EnquiryReport,
    Feedback,
    History,
    Hold,
    NumberSeries,
    Party,
    Recorded,
    Reminder,
    ReportFinding,
    Request,
    Round,
    Stay,
)  # fmt: skip
from cms.unit_of_work import Work

Values = dict[str, Any]
T = TypeVar("T")

CHILDREN: tuple[type[Any], ...] = (
    Accused, Allegation, Party, BarredUnit, ComplaintLink, Round, Stay, Assignment, Action, Deadline,
    Reminder, Request, Hold, DeadlineChange, Direction, Consent, Appeal, EnquiryReport, ReportFinding,
    Decision, Document, Delivery, Feedback,
)  # fmt: skip
"""Tables of a complaint, parents before their children."""

LOCAL: Mapping[type[Any], Mapping[str, type[Any]]] = {
    Allegation: {"accused_id": Accused},
    Action: {"corrects_id": Action},
    Reminder: {"deadline_id": Deadline},
    Hold: {"request_id": Request},
    DeadlineChange: {"deadline_id": Deadline, "request_id": Request},
    Direction: {"deadline_id": Deadline},
    Appeal: {"consent_id": Consent},
    ReportFinding: {"report_id": EnquiryReport, "allegation_id": Allegation},
    Decision: {"report_id": EnquiryReport},
    Delivery: {"document_id": Document},
}
"""Columns that hold a place within the dossier (from 0) until the ids are known."""

UNBOUND = frozenset({Delivery, DeadlineChange, ReportFinding, Decision})
"""Tables that hang on another row of the dossier and have no complaint_id."""

ACROSS: Mapping[type[Any], str] = {Complaint: "merged_into_id", ComplaintLink: "other_id"}
"""Columns that point at another complaint: an id, or the dossier of one written in the same call."""

BATCH = {"sqlite": 250, "postgresql": 1000}
"""Complaints per transaction: on SQLite a clerk's registration waits for one batch at most."""


@dataclass
class Dossier:
    """One complaint with all its rows, not yet written."""

    complaint: Values
    rows: dict[type[Any], list[Values]] = field(default_factory=lambda: defaultdict(list))

    def add(self, model: type[Any], **values: Any) -> int:
        """Append a row; its place in the dossier comes back, for the columns in LOCAL."""
        return self.put(model, values)

    def put(self, model: type[Any], row: Values) -> int:
        """The same for a row that the caller goes on writing to."""
        found = self.rows[model]
        found.append(row)
        return len(found) - 1


def batch_size(engine: Engine) -> int:
    """How many complaints go into one transaction."""
    return BATCH.get(engine.dialect.name, 250)


def in_batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Cut a stream into lists."""
    stream = iter(items)
    while batch := list(islice(stream, size)):
        yield batch


def reserve(connection: Connection, model: type[Any], count: int) -> Sequence[int]:
    """Ids that nobody else will get.

    SQLite holds the write lock, so the next ones are ours; PostgreSQL draws them from the
    sequence, which other sessions may be drawing from in between.
    """
    if count == 0:
        return ()
    table = model.__table__
    if connection.dialect.name == "sqlite":
        last = connection.scalar(select(func.max(table.c.id))) or 0
        return range(last + 1, last + 1 + count)
    drawn = text(
        "SELECT array_agg(nextval(s.name)) FROM pg_get_serial_sequence(:name, 'id') AS s(name), generate_series(1, :n)"
    )
    found: list[int] = connection.execute(drawn, {"name": table.name, "n": count}).scalar_one()
    return found


def author_of(work: Work) -> audit.Author:
    """Who the history names."""
    return audit.Author(work.now, work.actor.user_id, work.actor.name, work.via)


# ---------------------------------------------------------------- registry


def insert_registry(work: Work, model: type[Any], rows: Sequence[Values]) -> list[int]:
    """Insert rows of one registry table and extend its chain; their ids come back in order.

    Rows that name their own ``id`` (from :func:`reserve`) keep it, all or none.
    """
    if not rows:
        return []
    connection = work.session.connection()
    if "id" not in rows[0]:
        ids = reserve(connection, model, len(rows))
        rows = [{**row, "id": row_id} for row, row_id in zip(rows, ids, strict=True)]
    insert_rows(connection, model, rows)
    root = model.__tablename__
    seq, head, _key = audit.head_of(connection, root, 0)
    entries = [audit.created(model, row, None) for row in rows]
    said, seq, head = audit.chain(root, 0, seq, head, entries, author_of(work))
    insert_rows(connection, History, said)
    audit.move_head(connection, root, 0, seq, head)
    return [row["id"] for row in rows]


# ---------------------------------------------------------------- complaints


def insert_complaints(work: Work, dossiers: Sequence[Dossier]) -> list[int]:
    """Insert complaints with everything that belongs to them; their ids come back in order."""
    connection = work.session.connection()
    ids = reserve(connection, Complaint, len(dossiers))
    for dossier, complaint_id in zip(dossiers, ids, strict=True):
        dossier.complaint["id"] = complaint_id
        name_authors(dossier)
    number(connection, dossiers)
    for dossier in dossiers:
        resolve(dossier)
        point_across(dossier)
    history = write_heads(work, dossiers)
    told: Told = {}
    insert_rows(connection, Complaint, [d.complaint for d in dossiers], told)
    for model in CHILDREN:
        insert_rows(connection, model, [row for d in dossiers for row in d.rows.get(model, ())], told)
    insert_rows(connection, History, history, told)
    return list(ids)


def name_authors(dossier: Dossier) -> None:
    """A decision repeats the author of its report: four eyes are a constraint of the database."""
    for row in dossier.rows.get(Decision, ()):
        row["author_id"] = dossier.rows[EnquiryReport][row["report_id"]]["officer_id"]


def ids_for(connection: Connection, dossiers: Sequence[Dossier]) -> dict[type[Any], Iterator[int]]:
    """Ids for all rows of these dossiers, by table; a table without ids of its own is left out."""
    counts = Counter[type[Any]]()
    for dossier in dossiers:
        for model, rows in dossier.rows.items():
            counts[model] += len(rows)
    numbered = [model for model in counts if "id" in model.__table__.c]
    return {model: iter(reserve(connection, model, counts[model])) for model in numbered}


def number(connection: Connection, dossiers: Sequence[Dossier]) -> None:
    """Give every row its id and its complaint's."""
    ids = ids_for(connection, dossiers)
    for dossier in dossiers:
        complaint_id = dossier.complaint["id"]
        for model, rows in dossier.rows.items():
            if model in ids:
                for row, row_id in zip(rows, ids[model], strict=False):  # rows first: the ids go on
                    row["id"] = row_id
            if model not in UNBOUND:
                for row in rows:
                    row["complaint_id"] = complaint_id


def resolve(dossier: Dossier) -> None:
    """Put ids where rows held places within their dossier."""
    for model, columns in LOCAL.items():
        rows = dossier.rows.get(model)
        if rows is None:
            continue
        for name, parent in columns.items():
            found = dossier.rows.get(parent, ())
            for row in rows:
                if row.get(name) is not None:
                    row[name] = found[row[name]]["id"]


def point_across(dossier: Dossier) -> None:
    """Put the ids of other complaints of this call where a dossier named them."""
    for model, name in ACROSS.items():
        rows = [dossier.complaint] if model is Complaint else dossier.rows.get(model, ())
        for row in rows:
            if isinstance(other := row.get(name), Dossier):
                row[name] = other.complaint["id"]


def write_heads(work: Work, dossiers: Sequence[Dossier]) -> list[Values]:
    """Give each complaint its key, chain and head; the history rows come back."""
    author = author_of(work)
    history: list[Values] = []
    for dossier in dossiers:
        bare, wrapped = work.vault.new_record_key()
        complaint_id = dossier.complaint["id"]
        entries = [audit.created(model, row, bare) for model, row in recorded(dossier)]
        said, seq, head = audit.chain("complaint", complaint_id, 0, "", entries, author)
        dossier.complaint.update(history_seq=seq, history_head=head, history_key=wrapped)
        history += said
    return history


MODELS: tuple[type[Any], ...] = (Complaint, *CHILDREN)
TABLES: tuple[Any, ...] = (*(model.__table__ for model in MODELS), History.__table__)
"""Every table that :func:`insert_complaints` writes to."""

RECORDED: tuple[type[Any], ...] = tuple(
    sorted((m for m in MODELS if issubclass(m, Recorded)), key=lambda m: str(m.__tablename__))
)
"""The order in which the listener of the ORM writes the rows of one flush."""


def recorded(dossier: Dossier) -> Iterator[tuple[type[Any], Values]]:
    """The rows of a dossier that history keeps, in the order of the listener."""
    for model in RECORDED:
        rows = [dossier.complaint] if model is Complaint else dossier.rows.get(model, ())
        for row in rows:
            yield model, row


def continue_numbers(work: Work, last: Mapping[tuple[int, int], int]) -> None:
    """Set the last number given per (district, year), so that the next one follows without a gap."""
    connection = work.session.connection()
    table: Any = NumberSeries.__table__
    for (district_id, year), serial in sorted(last.items()):
        key = (table.c.district_id == district_id) & (table.c.year == year)
        if connection.execute(table.update().where(key).values(last=serial)).rowcount == 0:
            values = {"district_id": district_id, "year": year, "last": serial}
            connection.execute(insert(table).values(values))


# ---------------------------------------------------------------- rows


class Spelt(dict[Any, Any]):
    """Values of one type in the form the driver wants, each worked out once: days and moments repeat."""

    def __init__(self, bind: Callable[[Any], Any]) -> None:
        super().__init__({None: None})
        self.bind = bind

    def __missing__(self, value: Any) -> Any:
        made = self[value] = self.bind(value)
        return made


Told = dict[type[Any], Spelt]
"""Type of a column -> its values spelt so far; one for all tables of a batch, which share their moments."""


def insert_rows(
    connection: Connection, model: type[Any], rows: Sequence[Values], told: Told | None = None
) -> None:
    """Insert rows of one table as given, defaults filled in; no history (callers write that)."""
    if not rows:
        return
    table = model.__table__
    columns = [c for c in table.columns if c.name in rows[0] or c.name != "id"]
    tuples = tuples_of(columns, rows, connection.dialect, {} if told is None else told)
    names = ", ".join(f'"{c.name}"' for c in columns)
    if connection.dialect.name == "sqlite":
        marks = ", ".join("?" * len(columns))
        statement = f'INSERT INTO "{table.name}" ({names}) VALUES ({marks})'  # noqa: S608
        connection.exec_driver_sql(statement, list(tuples))
        return
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(f'COPY "{table.name}" ({names}) FROM STDIN') as out:
        for row in tuples:
            out.write_row(row)


def tuples_of(
    columns: Sequence[Any], rows: Sequence[Values], dialect: Dialect, told: Told
) -> Iterator[tuple[Any, ...]]:
    """Row by row what the driver gets, worked out for some rows at a time: the processor's cache holds these."""
    for start in range(0, len(rows), SOME):
        yield from zip(*values_of(columns, rows[start : start + SOME], dialect, told), strict=True)


SOME = 250


def values_of(
    columns: Sequence[Any], rows: Sequence[Values], dialect: Dialect, told: Told
) -> Iterator[list[Any]]:
    """Column by column, which is several times faster than row by row, in the form the driver wants."""
    for column in columns:
        name, kind = column.key, column.type
        default = column.default.arg if column.default is not None and column.default.is_scalar else None
        values: list[Any]
        try:
            values = list(map(itemgetter(name), rows))
        except KeyError:  # some rows leave it to the default
            values = [row.get(name, default) for row in rows]
        bind = binder(kind, dialect)
        if bind is not None and isinstance(kind, JSON):
            values = [None if value is None else bind(value) for value in values]
        elif bind is not None:
            values = list(map(told.setdefault(type(kind), Spelt(bind)).__getitem__, values))
        yield values


def binder(kind: Any, dialect: Dialect) -> Callable[[Any], Any] | None:
    """What turns a value of this type into the driver's, or None if it may stay as it is.

    Days and moments go to COPY as text: the driver would spell out each one again.
    """
    if isinstance(kind, Enum):
        return attrgetter("name")
    bind: Callable[[Any], Any] | None = kind.dialect_impl(dialect).bind_processor(dialect)
    if dialect.name == "postgresql" and isinstance(kind, (Date, Instant)):
        return str if bind is None else lambda value: str(bind(value))
    return bind
