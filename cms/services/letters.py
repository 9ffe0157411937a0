"""Letters to the complainant between the copy and the report, and the noting sheet of the office.

``*_data`` say what a letter would say and write nothing (a preview needs no more); ``issue_*`` issue it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from cms.i18n import _l, ist_day
from cms.models import (
    Appeal,
    AppealResult,
    Complaint,
    Deadline,
    DeadlineChange,
    DeadlineKind,
    Document,
    DocumentKind,
    Officer,
)  # fmt: skip
from cms.services import documents, noting, people
from cms.services.desk import complaint_for
from cms.services.signing import signature
from cms.services.wording import (
    addressee,
    both,
    copies,
    in_full,
    language_of,
    letterhead,
    moments,
    office,
    offices,
    with_rank,
)  # fmt: skip
from cms.unit_of_work import Work

MEMO = {
    DocumentKind.INTERIM: "IR", DocumentKind.REOPENED: "RO", DocumentKind.APPEAL: "AP",
}  # fmt: skip
"""What stands after the number in the reference of a letter; the version follows."""
LAW = (
    "इस निर्णय से विधि द्वारा उपलब्ध आपके अन्य उपचारों पर कोई प्रभाव नहीं पड़ता। संज्ञेय अपराध की सूचना दर्ज न किए जाने पर "
    "भारतीय नागरिक सुरक्षा संहिता, 2023 की धारा 173(4) के अंतर्गत पुलिस अधीक्षक को और तत्पश्चात मजिस्ट्रेट को आवेदन किया जा सकता है।",
    "This decision does not affect any other remedy that the law gives you. If information of a cognizable offence "
    "has not been recorded, you may apply to the Superintendent of Police, and thereafter to the Magistrate, under "
    "section 173(4) of the Bharatiya Nagarik Suraksha Sanhita, 2023.",
)
"""What a dismissal leaves open (BNSS 173(4))."""

Part = dict[str, str]


def said(hi: str, en: str) -> Part:
    """A paragraph in both languages."""
    return {"hi": hi, "en": en}


def quoted(text: str) -> Part:
    """Words of an officer, as they were written."""
    return {"quoted": text, "language": language_of(text)}


def letter_data(
    work: Work, complaint: Complaint, kind: DocumentKind, subject: tuple[str, str], parts: list[Part],
) -> dict[str, Any]:  # fmt: skip
    """What a letter says: its paragraphs between address and signature; ``subject`` is (Hindi, English)."""
    today, begun = in_full(work.now), in_full(complaint.received_on)
    return {
        **letterhead(offices(complaint)),
        "memo_number": f"{complaint.number}/{MEMO[kind]}",
        "date_hi": today[0],
        "date_en": today[1],
        **addressee(complaint),
        **both(lambda: _l("Sir / Madam,"), "salutation"),
        "number": complaint.number,
        "complaint_date_hi": begun[0],
        "complaint_date_en": begun[1],
        "complaint_subject": complaint.subject or "",
        "subject_hi": subject[0],
        "subject_en": subject[1],
        "parts": parts,
        **moments("issued_at", work.now),
        **signature(work, complaint, kind),
        **copies(work, complaint, kind),
    }


# ---------------------------------------------------------------- interim reply


def issue_interim(work: Work, complaint: Complaint, reasons: str) -> Document:
    """The interim reply when more time is given."""
    data = interim_data(work, complaint, reasons)
    return documents.issue(work, complaint, DocumentKind.INTERIM, data)


def interim_data(
    work: Work, complaint: Complaint, reasons: str, until: datetime | None = None
) -> dict[str, Any]:
    """Until when, why, who enquires, and what follows; ``until``: a due date that is not granted yet."""
    old = in_full(old_due(work, complaint) if until is None else complaint.due_at)
    new = in_full(until or complaint.due_at)
    return letter_data(
        work, complaint, DocumentKind.INTERIM,
        ("शिकायत पर अंतरिम उत्तर", "Interim reply on your complaint"),
        [
            said(
                "उपर्युक्त विषय के संबंध में आपको सूचित किया जाता है कि आपकी शिकायत की जाँच जारी है और निर्धारित तिथि "
                f"{old[0]} तक पूर्ण नहीं की जा सकी। सक्षम अधिकारी ने जाँच की अवधि {new[0]} तक बढ़ाई है। "
                "अवधि बढ़ाने के कारण निम्नलिखित हैं:",
                "With reference to the above subject, you are informed that the enquiry into your complaint is in "
                f"progress and could not be completed by the due date, {old[1]}. The competent authority has "
                f"extended the period of enquiry to {new[1]}, for the following reasons:",
            ),
            quoted(reasons),
            *enquirer(complaint),
            said(
                "जाँच पूर्ण होने पर की गई कार्रवाई की रिपोर्ट आपको निःशुल्क दी जाएगी और पूछा जाएगा कि आप संतुष्ट हैं या नहीं।",
                "When the enquiry is complete you will receive the action-taken report free of charge and will be "
                "asked whether you are satisfied.",
            ),
        ],
    )  # fmt: skip


def old_due(work: Work, complaint: Complaint) -> datetime:
    """The due date before it was last moved; the present one if it never was."""
    query = (
        select(DeadlineChange.old_due_at)
        .join(Deadline, Deadline.id == DeadlineChange.deadline_id)
        .where(
            Deadline.complaint_id == complaint.id, Deadline.round == complaint.round,
            Deadline.kind == DeadlineKind.OVERALL,
        )
        .order_by(DeadlineChange.id.desc())
    )  # fmt: skip
    return work.session.scalar(query.limit(1)) or complaint.due_at


def enquirer(complaint: Complaint) -> list[Part]:
    """Who enquires, where somebody is named."""
    if complaint.io is None:
        return []
    who = officer_words(complaint.io)
    return [said(f"जाँच {who[0]} द्वारा की जा रही है।", f"The enquiry is being made by {who[1]}.")]


def unbroken(name: str) -> str:
    """A name that stays on one line."""
    return name.replace(" ", "\u00a0")


def officer_words(officer: Officer) -> tuple[str, str]:
    """Rank, name and office in both languages."""
    unit = officer.unit
    made = both(lambda: ", ".join(filter(None, [unbroken(with_rank(officer)), unit.name if unit else ""])), "who")
    return made["who_hi"], made["who_en"]


# ---------------------------------------------------------------- re-opening


def issue_reopened(work: Work, complaint: Complaint, reasons: str) -> Document:
    """The notice that the complaint is enquired into anew, by another officer."""
    data = reopened_data(work, complaint, reasons)
    return documents.issue(work, complaint, DocumentKind.REOPENED, data)


def reopened_data(
    work: Work, complaint: Complaint, reasons: str, until: datetime | None = None
) -> dict[str, Any]:
    """Why, by what kind of officer, until when; ``until``: the due date before the round is begun."""
    due = in_full(until or complaint.due_at)
    return letter_data(
        work, complaint, DocumentKind.REOPENED,
        ("शिकायत पुनः खोले जाने की सूचना", "Notice of re-opening of your complaint"),
        [
            said(
                "उपर्युक्त विषय के संबंध में आपको सूचित किया जाता है कि आपकी शिकायत पुनः जाँच के लिए खोली गई है। "
                "पुनः खोलने के कारण निम्नलिखित हैं:",
                "With reference to the above subject, you are informed that your complaint has been re-opened for a "
                "fresh enquiry, for the following reasons:",
            ),
            quoted(reasons),
            said(
                "जाँच ऐसे वरिष्ठ अधिकारी को सौंपी जाएगी जिसने इस शिकायत पर पहले कोई कार्य नहीं किया है। "
                f"जाँच {due[0]} तक पूर्ण की जानी है।",
                "The enquiry will be entrusted to a senior officer who has not dealt with this complaint before. "
                f"It is to be completed by {due[1]}.",
            ),
            said(
                "पहली जाँच का अभिलेख यथावत सुरक्षित है। आप नए तथ्य या साक्ष्य जाँच अधिकारी को दे सकते हैं।",
                "The record of the earlier enquiry stays as it is. You may give new facts or evidence to the "
                "enquiry officer.",
            ),
        ],
    )  # fmt: skip


# ---------------------------------------------------------------- appeal


def issue_appeal(work: Work, complaint: Complaint, entered: Appeal) -> Document:
    """The decision on an appeal, with its reasons and what follows."""
    data = appeal_data(work, complaint, entered.entered_at, entered.result, entered.reasons)
    return documents.issue(work, complaint, DocumentKind.APPEAL, data)


def appeal_data(
    work: Work, complaint: Complaint, entered_at: datetime, result: AppealResult | None, reasons: str
) -> dict[str, Any]:
    """What was decided, why, and what the complainant can do; ``result`` None counts as dismissed."""
    on = in_full(entered_at)
    allowed = result is AppealResult.ALLOWED
    word = ("स्वीकार की जाती है", "allowed") if allowed else ("खारिज की जाती है", "dismissed")
    return letter_data(
        work, complaint, DocumentKind.APPEAL, ("अपील पर निर्णय", "Decision on your appeal"),
        [
            said(
                f"उपर्युक्त विषय के संबंध में, दिनांक {on[0]} को दर्ज आपकी अपील पर अभिलेख का अवलोकन एवं विचार किया गया। "
                f"अपील {word[0]}। निर्णय के कारण निम्नलिखित हैं:",
                f"With reference to the above subject, your appeal entered on {on[1]} has been considered together "
                f"with the record. The appeal is {word[1]}, for the following reasons:",
            ),
            quoted(reasons),
            *(after_allowed(complaint) if allowed else after_dismissed(work, complaint)),
        ],
    )  # fmt: skip


def after_allowed(complaint: Complaint) -> list[Part]:
    """A fresh enquiry follows."""
    due = in_full(complaint.due_at)
    return [
        said(
            "अतः आपकी शिकायत की पुनः जाँच ऐसे वरिष्ठ अधिकारी द्वारा की जाएगी जिसने इस पर पहले कोई कार्य नहीं किया है। "
            f"जाँच {due[0]} तक पूर्ण की जानी है और उसकी रिपोर्ट आपको दी जाएगी।",
            "Your complaint will therefore be enquired into anew by a senior officer who has not dealt with it "
            f"before. The enquiry is to be completed by {due[1]}, and its report will be given to you.",
        )
    ]


def after_dismissed(work: Work, complaint: Complaint) -> list[Part]:
    """The report stands; to whom one may still appeal, while there is time and somebody above."""
    parts = [
        said(
            "अतः आपको पूर्व में दी गई कार्रवाई रिपोर्ट यथावत रहेगी।",
            "The action-taken report given to you earlier therefore stands.",
        )
    ]
    until = work.session.scalar(select(Deadline.due_at).where(
        Deadline.complaint_id == complaint.id, Deadline.round == complaint.round,
        Deadline.kind == DeadlineKind.APPEAL_WINDOW,
    ))  # fmt: skip
    head = people.authority(work.session, complaint, work.actor.officer_id, ist_day(work.now))
    if until is not None and until >= work.now and head is not None:
        to, day = both(lambda: office(head.post, head.unit), "to"), in_full(until)
        parts.append(
            said(
                f"यदि आप इस निर्णय से संतुष्ट नहीं हैं तो {day[0]} तक {to['to_hi']} को अपील कर सकते हैं।",
                f"If you are not satisfied with this decision you may appeal to the {to['to_en']} by {day[1]}.",
            )
        )
    return [*parts, said(*LAW)]


# ---------------------------------------------------------------- the office's own


def issue_noting(work: Work, complaint_id: int) -> Document:
    """The noting sheet as of now: a paper of the office, issued by command over the complaint.

    NotFound or Forbidden for everybody else; no version of it ever goes to the complainant.
    """
    complaint = complaint_for(work, "direct", complaint_id)
    return documents.issue(work, complaint, DocumentKind.NOTING, noting.data(work, complaint))


def pending_appeal(work: Work, complaint: Complaint) -> Appeal | None:
    """The appeal that waits for a decision, or the last one."""
    query = select(Appeal).where(Appeal.complaint_id == complaint.id).options(joinedload(Appeal.unit))
    return work.session.scalar(query.order_by(Appeal.decided_at.is_not(None), Appeal.no.desc()).limit(1))

