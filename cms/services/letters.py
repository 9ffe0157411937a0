"""Letters to the complainant between the copy and the report: interim reply, notice, decision."""

from __future__ import annotations

from datetime import date
from typing import Any

from cms.i18n import english_date, hindi_date, ist_day
from cms.models import Appeal, AppealResult, Complaint, Document, DocumentKind
from cms.services import documents
from cms.unit_of_work import Work


def send(
    work: Work, complaint: Complaint, kind: DocumentKind, subject: tuple[str, str],
    parts: list[dict[str, str]],
) -> Document:  # fmt: skip
    """Issue a letter; ``subject`` is (Hindi, English)."""
    data = documents.letter_data(work, complaint, kind, subject, parts)
    return documents.issue(work, complaint, kind, data)


def said(hi: str, en: str) -> dict[str, str]:
    """A paragraph in both languages."""
    return {"hi": hi, "en": en}


def quoted(text: str) -> dict[str, str]:
    """Words of an officer, as they were written."""
    return {"quoted": text, "language": documents.language_of(text)}


def day(moment: Any) -> tuple[str, str]:
    """A day in Hindi and in English."""
    on: date = moment if isinstance(moment, date) and not hasattr(moment, "hour") else ist_day(moment)
    return hindi_date(on), english_date(on)


def issue_interim(work: Work, complaint: Complaint, reasons: str) -> Document:
    """The interim reply when more time is needed (DARPG guidelines of 23 August 2024)."""
    hi, en = day(complaint.due_at)
    return send(
        work, complaint, DocumentKind.INTERIM, ("अंतरिम उत्तर", "interim reply"),
        [
            said(
                "आपको सूचित किया जाता है कि आपकी शिकायत की जाँच अभी जारी है। "
                f"जाँच पूर्ण करने के लिए समय {hi} तक बढ़ाया गया है। कारण:",
                "The enquiry into your complaint is still going on. "
                f"The time to complete it has been extended to {en}. The reasons are:",
            ),
            quoted(reasons),
            said(
                "जाँच पूर्ण होने पर आपको की गई कार्रवाई की रिपोर्ट दी जाएगी।",
                "You will receive a report on the action taken when the enquiry is complete.",
            ),
        ],
    )  # fmt: skip


def issue_reopened(work: Work, complaint: Complaint, reasons: str) -> Document:
    """The notice that the complaint is enquired into anew, by another officer."""
    hi, en = day(complaint.due_at)
    return send(
        work, complaint, DocumentKind.REOPENED, ("शिकायत पुनः खोले जाने की सूचना", "notice of re-opening"),
        [
            said(
                "आपकी शिकायत पुनः जाँच के लिए खोली गई है। कारण:",
                "Your complaint has been re-opened for a fresh enquiry. The reasons are:",
            ),
            quoted(reasons),
            said(
                "जाँच ऐसे वरिष्ठ अधिकारी द्वारा की जाएगी जिसने पहले इस शिकायत पर कार्य नहीं किया है। "
                f"जाँच {hi} तक पूर्ण की जानी है।",
                "The enquiry will be made by a senior officer who has not dealt with this complaint "
                f"before. It is due by {en}.",
            ),
        ],
    )  # fmt: skip


def issue_appeal(work: Work, complaint: Complaint, entered: Appeal) -> Document:
    """The decision on an appeal, with its reasons and what follows."""
    hi, en = day(entered.entered_at)
    if entered.result is AppealResult.ALLOWED:
        due_hi, due_en = day(complaint.due_at)
        after = said(
            f"अतः आपकी शिकायत की पुनः जाँच किसी अन्य वरिष्ठ अधिकारी द्वारा {due_hi} तक की जाएगी।",
            f"Your complaint will therefore be enquired into anew by another senior officer by {due_en}.",
        )
        word = ("स्वीकार", "allowed")
    else:
        after = said(
            "अतः पूर्व में दी गई रिपोर्ट यथावत रहेगी।", "The report given to you earlier therefore stands.",
        )  # fmt: skip
        word = ("अस्वीकार", "dismissed")
    return send(
        work, complaint, DocumentKind.APPEAL, ("अपील पर निर्णय", "decision on the appeal"),
        [
            said(
                f"आपकी {hi} की अपील {word[0]} की जाती है। कारण:",
                f"Your appeal of {en} is {word[1]}. The reasons are:",
            ),
            quoted(entered.reasons),
            after,
        ],
    )  # fmt: skip
