"""What the templates print: plain data, in both languages where it depends on one."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class CopyData:
    """What the copy of a complaint (``copy.html``) says.

    Dates, times and numbers are finished texts. ``letterhead_*`` names the offices, highest
    first; the force stands above them by itself, ``contact_*`` (address, telephone, e-mail) below.
    ``text`` is the complaint in the complainant's own words, ``text_language`` its BCP 47 tag.
    ``receipt_code`` is 12 digits, with or without spaces. Empty texts leave no trace on the page.
    """

    letterhead_hi: Sequence[str]
    letterhead_en: Sequence[str]
    number: str
    receipt_code: str
    complainant_name: str
    complainant_address: str
    complainant_phone: str
    against: Sequence[str]
    subject: str
    text: str
    text_language: str
    mode_hi: str
    mode_en: str
    category_hi: str
    category_en: str
    station_hi: str
    station_en: str
    received_on_hi: str
    received_on_en: str
    registered_at_hi: str
    registered_at_en: str
    due_on_hi: str
    due_on_en: str
    due_reason_hi: str
    due_reason_en: str
    track_url: str
    verify_url: str
    issued_at_hi: str
    issued_at_en: str
    version: int
    verification_code: str
    officer_name: str
    officer_rank_hi: str
    officer_rank_en: str
    officer_post_hi: str = ""
    officer_post_en: str = ""
    contact_hi: str = ""
    contact_en: str = ""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ReportAction:
    """One dated act of the enquiry; ``text`` in the officer's words, tagged ``language``."""

    on_hi: str
    on_en: str
    kind_hi: str
    kind_en: str
    text: str
    language: str = "hi"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ReportFinding:
    """What the enquiry found on one allegation, with its reasons."""

    allegation: str
    result_hi: str
    result_en: str
    reasons: str
    language: str = "hi"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ReportData:
    """What the action-taken report (``report.html``) says; texts as in `CopyData`.

    ``period_*`` carries its day count in words. ``round_*`` says of a later enquiry which one it
    is and what it follows from. ``appeal_to_*`` names who hears the appeal (empty above the
    highest authority), ``appeal_until_*`` its last day if the report is delivered at once.
    ``answer_url`` is where the complainant says whether satisfied; empty where that is done on
    paper.
    """

    letterhead_hi: Sequence[str]
    letterhead_en: Sequence[str]
    memo_number: str
    date_hi: str
    date_en: str
    addressee_name: str
    addressee_address: str
    salutation_hi: str
    salutation_en: str
    number: str
    complaint_date_hi: str
    complaint_date_en: str
    complaint_subject: str
    io_name: str
    io_rank_hi: str
    io_rank_en: str
    io_unit_hi: str
    io_unit_en: str
    period_hi: str
    period_en: str
    actions: Sequence[ReportAction]
    findings: Sequence[ReportFinding]
    outcome_hi: str
    outcome_en: str
    outcome_reasons: str
    outcome_language: str
    appeal_to_hi: str
    appeal_to_en: str
    appeal_until_hi: str
    appeal_until_en: str
    answer_url: str
    verify_url: str
    verification_code: str
    version: int
    issued_at_hi: str
    issued_at_en: str
    officer_name: str
    officer_rank_hi: str
    officer_rank_en: str
    officer_post_hi: str
    officer_post_en: str
    copies_hi: Sequence[str]
    copies_en: Sequence[str]
    contact_hi: str = ""
    contact_en: str = ""
    round_hi: str = ""
    round_en: str = ""
    appeal_days_hi: str = "30 दिन"
    appeal_days_en: str = "30 days"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class LetterPart:
    """One paragraph of a letter: the same thing said in both languages, or a text as it was written.

    ``quoted``: words of an officer, printed once, in ``language``.
    """

    hi: str = ""
    en: str = ""
    quoted: str = ""
    language: str = ""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class LetterData:
    """A letter to the complainant (``letter.html``): interim reply, notice, decision.

    ``subject_*`` is what it is about; ``parts`` follow each other as paragraphs. ``track_url``:
    where the complaint can be followed; empty where that is not offered.
    """

    letterhead_hi: Sequence[str]
    letterhead_en: Sequence[str]
    memo_number: str
    date_hi: str
    date_en: str
    addressee_name: str
    addressee_address: str
    salutation_hi: str
    salutation_en: str
    number: str
    complaint_date_hi: str
    complaint_date_en: str
    complaint_subject: str
    subject_hi: str
    subject_en: str
    parts: Sequence[LetterPart]
    verify_url: str
    verification_code: str
    version: int
    issued_at_hi: str
    issued_at_en: str
    officer_name: str
    officer_rank_hi: str
    officer_rank_en: str
    officer_post_hi: str
    officer_post_en: str
    copies_hi: Sequence[str]
    copies_en: Sequence[str]
    contact_hi: str = ""
    contact_en: str = ""
    track_url: str = ""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class NotingRow:
    """One marking, order, request or decision: day and ``clock``, who to whom, in what words, due by when."""

    on_hi: str
    on_en: str
    kind_hi: str
    kind_en: str
    from_hi: str
    from_en: str
    to_hi: str
    to_en: str
    text: str
    language: str
    clock: str = ""
    due_hi: str = ""
    due_en: str = ""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class NotingRound:
    """The notings of one enquiry, oldest first; ``title_*`` is empty where there was one alone."""

    title_hi: str
    title_en: str
    rows: Sequence[NotingRow]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class NotingData:
    """What the noting sheet (``noting.html``) says; for the office alone, never for the complainant."""

    letterhead_hi: Sequence[str]
    letterhead_en: Sequence[str]
    memo_number: str
    date_hi: str
    date_en: str
    number: str
    complaint_subject: str
    complainant_name: str
    station_hi: str
    station_en: str
    received_on_hi: str
    received_on_en: str
    status_hi: str
    status_en: str
    due_on_hi: str
    due_on_en: str
    rounds: Sequence[NotingRound]
    verify_url: str
    verification_code: str
    version: int
    issued_at_hi: str
    issued_at_en: str
    officer_name: str
    officer_rank_hi: str
    officer_rank_en: str
    officer_post_hi: str
    officer_post_en: str
    contact_hi: str = ""
    contact_en: str = ""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class HandOverRow:
    """One complaint that was handed over: to whom, how it stands, what was done last."""

    number: str
    subject: str
    language: str
    to_hi: str
    to_en: str
    status_hi: str
    status_en: str
    due_on_hi: str
    due_on_en: str
    last_hi: str
    last_en: str
    last_text: str
    last_language: str


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class HandOverData:
    """What the hand-over note (``handover.html``) says, as this reader may see it.

    ``number`` is that of the order. It is no issued document: it has no code and no QR.
    """

    letterhead_hi: Sequence[str]
    letterhead_en: Sequence[str]
    number: str
    date_hi: str
    date_en: str
    leaves_hi: str
    leaves_en: str
    belt_no: str
    rows: Sequence[HandOverRow]
    contact_hi: str = ""
    contact_en: str = ""
    verify_url: str = ""
    verification_code: str = ""
    version: int = 1
