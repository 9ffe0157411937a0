"""Sample papers about made-up persons, one of each kind, and the command's way to write them.

The tests draw, read and measure them; ``docs/samples`` shows them.
"""

from __future__ import annotations

import dataclasses
import io
import shutil
import subprocess
from pathlib import Path
from typing import Any

from PIL import Image

from cms import pdf
from cms.pdf_data import (
    CopyData,
    HandOverData,
    HandOverRow,
    LetterData,
    LetterPart,
    NotingData,
    NotingRound,
    NotingRow,
    ReportAction,
    ReportData,
    ReportFinding,
)  # fmt: skip

WORDS = (
    "निवेदन है कि मैं गाँव उकलाना की निवासी हूँ। मेरी कृषि भूमि खसरा नं. 112//14 गाँव के पश्चिम में स्थित है। "
    "दिनांक 20 नवंबर 2026 की रात्रि को विपक्षी ने ट्रैक्टर चलाकर मेरे खेत की मेड़ तोड़ दी और लगभग दो कनाल भूमि "
    "पर कब्ज़ा कर लिया। "
    "मेरे पुत्र कृष्ण कुमार ने जब विरोध किया तो उसे गालियाँ दी गईं और जान से मारने की धमकी दी गई।\n"
    "अगले दिन प्रातः मैंने सरपंच तथा ग्राम पंचायत के सदस्यों को मौका दिखाया। उन्होंने समझाने का प्रयत्न किया "
    "परन्तु विपक्षी नहीं माना। "
    "मौके के चित्र मेरे पास उपलब्ध हैं तथा पटवारी की निशानदेही रिपोर्ट की प्रति इस प्रार्थना-पत्र के साथ संलग्न है। "
    "पड़ोसी श्री रामस्वरूप एवं श्रीमती विद्या देवी ने घटना को प्रत्यक्ष देखा है। "
    "मेरे पति का स्वर्गवास हो चुका है और परिवार की आजीविका इसी भूमि पर निर्भर है। फसल की बुवाई का समय निकल रहा है।\n"
    "अतः आपसे प्रार्थना है कि विपक्षी के विरुद्ध उचित कानूनी कार्रवाई की जाए, मेरी भूमि से अवैध कब्ज़ा हटवाया जाए "
    "तथा मेरी और मेरे परिवार की सुरक्षा सुनिश्चित की जाए। घटना के समय के दो चित्र संलग्न हैं। "
    "मैं जाँच में पूरा सहयोग करूँगी। मेरे पुत्र का नंबर: Krishan Kumar, mobile 98120 45678."
)
COPY = CopyData(
    contact_hi="हाँसी रोड, उकलाना मंडी 125113 · दूरभाष 01693 200100 · sho.uklana@police.example",
    contact_en="Hansi Road, Uklana Mandi 125113 · Tel. 01693 200100 · sho.uklana@police.example",
    letterhead_hi=("हरियाणा पुलिस", "कार्यालय थाना प्रबंधक, थाना उकलाना, ज़िला हिसार"),
    letterhead_en=("HARYANA POLICE", "Office of the Station House Officer, Police Station Uklana, District Hisar"),
    number="HSR-2026-000123-7",
    receipt_code="493820175566",
    complainant_name="श्रीमती राधा देवी / Radha Devi",
    complainant_address="मकान नं. 42, गाँव उकलाना, ज़िला हिसार 125113",
    complainant_phone="+91 98120 12345",
    against=("सुरेश कुमार पुत्र श्री रामफल, निवासी गाँव उकलाना", "एक अज्ञात व्यक्ति"),
    subject="खेत की मेड़ तोड़कर भूमि पर कब्ज़ा करने एवं धमकी देने के संबंध में",
    text=WORDS,
    text_language="hi",
    mode_hi="स्वयं उपस्थित",
    mode_en="walk-in",
    category_hi="संपत्ति / भूमि विवाद",
    category_en="Property / land dispute",
    station_hi="थाना उकलाना, ज़िला हिसार",
    station_en="PS Uklana, District Hisar",
    received_on_hi="24 नवंबर 2026",
    received_on_en="24 Nov 2026",
    registered_at_hi="24 नवंबर 2026, 11:42",
    registered_at_en="24 Nov 2026, 11:42",
    due_on_hi="9 दिसंबर 2026",
    due_on_en="9 Dec 2026",
    due_reason_hi="24 नवंबर 2026 से 15 दिन",
    due_reason_en="15 calendar days from 24 Nov 2026",
    track_url="https://cms.example/track",
    verify_url="https://cms.example/v/K7PM-4XQ2-9TRD",
    issued_at_hi="24 नवंबर 2026, 11:43",
    issued_at_en="24 Nov 2026, 11:43",
    version=1,
    verification_code="K7PM-4XQ2-9TRD",
    officer_name="महेन्द्र सिंह / Mahender Singh",
    officer_rank_hi="निरीक्षक",
    officer_rank_en="Inspector",
    officer_post_hi="थाना प्रबंधक, थाना उकलाना",
    officer_post_en="Station House Officer, PS Uklana",
)
ACTS = [
    ("25 नवंबर 2026", "25 Nov 2026", "मौके का निरीक्षण", "Spot inspection", "खेत का निरीक्षण कर नक्शा मौका तैयार किया गया।"),
    ("25 नवंबर 2026", "25 Nov 2026", "बयान", "Statement", "शिकायतकर्ता राधा देवी एवं उनके पुत्र कृष्ण कुमार के बयान दर्ज किए गए।"),
    ("26 नवंबर 2026", "26 Nov 2026", "बयान", "Statement", "साक्षी रामस्वरूप एवं विद्या देवी के बयान दर्ज किए गए।"),
    ("27 नवंबर 2026", "27 Nov 2026", "नोटिस", "Notice", "विपक्षी सुरेश कुमार को उपस्थित होने का नोटिस दिया गया।"),
    ("28 नवंबर 2026", "28 Nov 2026", "अभिलेख", "Record", "हल्का पटवारी से निशानदेही रिपोर्ट क्रमांक 118 प्राप्त की गई।"),
    ("30 नवंबर 2026", "30 Nov 2026", "पूछताछ", "Questioning", "विपक्षी से पूछताछ की गई; उसने ट्रैक्टर चलाना स्वीकार किया।"),
    (
        "2 दिसंबर 2026",
        "2 Dec 2026",
        "संयुक्त बैठक",
        "Joint meeting",
        "ग्राम पंचायत के समक्ष दोनों पक्षों को सुना गया; सहमति नहीं बनी।",
    ),
    (
        "4 दिसंबर 2026",
        "4 Dec 2026",
        "निवारक कार्रवाई",
        "Preventive action",
        "विपक्षी के विरुद्ध धारा 126/170 भा.ना.सु.सं. के अंतर्गत कार्रवाई की गई।",
    ),
]
REPORT = ReportData(
    contact_hi=COPY.contact_hi,
    contact_en=COPY.contact_en,
    letterhead_hi=COPY.letterhead_hi,
    letterhead_en=COPY.letterhead_en,
    memo_number="HSR-2026-000123-7/ATR/1",
    date_hi="5 दिसंबर 2026",
    date_en="5 Dec 2026",
    addressee_name="श्रीमती राधा देवी / Radha Devi",
    addressee_address=COPY.complainant_address,
    salutation_hi="महोदया,",
    salutation_en="Madam,",
    number=COPY.number,
    complaint_date_hi="24 नवंबर 2026",
    complaint_date_en="24 Nov 2026",
    complaint_subject="खेत की मेड़ तोड़कर भूमि पर कब्ज़ा करने एवं धमकी देने के संबंध में",
    io_name="कला नागर / Kala Nagar",
    io_rank_hi="उप निरीक्षक",
    io_rank_en="Sub-Inspector",
    io_unit_hi="थाना उकलाना",
    io_unit_en="PS Uklana",
    period_hi="24 नवंबर 2026 से 5 दिसंबर 2026 (11 दिन; सीमा 15 दिन)",
    period_en="24 Nov 2026 to 5 Dec 2026 (11 days; limit 15 days)",
    actions=[ReportAction(on_hi=a, on_en=b, kind_hi=c, kind_en=e, text=t) for a, b, c, e, t in ACTS],
    findings=[
        ReportFinding(
            allegation="मेड़ तोड़कर दो कनाल भूमि पर कब्ज़ा",
            result_hi="सिद्ध",
            result_en="Substantiated",
            reasons="निशानदेही रिपोर्ट एवं दो साक्षियों के बयान से पुष्टि हुई।",
        ),
        ReportFinding(
            allegation="जान से मारने की धमकी",
            result_hi="आंशिक रूप से सिद्ध",
            result_en="Partly substantiated",
            reasons="गाली-गलौच की पुष्टि हुई; धमकी का स्वतंत्र साक्ष्य नहीं मिला।",
        ),
    ],
    outcome_hi="निवारक कार्रवाई",
    outcome_en="Preventive action",
    outcome_reasons="विपक्षी सुरेश कुमार को उपमंडल मजिस्ट्रेट, बरवाला के समक्ष धारा 126/170 भा.ना.सु.सं. के "
    "अंतर्गत पाबंद कराया गया। "
    "भूमि के स्वामित्व का प्रश्न सिविल न्यायालय के क्षेत्राधिकार में है।",
    outcome_language="hi",
    appeal_to_hi="उप पुलिस अधीक्षक (DSP), बरवाला",
    appeal_to_en="Deputy Superintendent of Police (DSP), Barwala",
    appeal_until_hi="4 जनवरी 2027",
    appeal_until_en="4 Jan 2027",
    answer_url="https://cms.example/f/9TRD-K7PM",
    verify_url="https://cms.example/v/P3WD-8HJN-2KMX",
    verification_code="P3WD-8HJN-2KMX",
    version=1,
    issued_at_hi="5 दिसंबर 2026, 16:05",
    issued_at_en="5 Dec 2026, 16:05",
    officer_name=COPY.officer_name,
    officer_rank_hi="निरीक्षक",
    officer_rank_en="Inspector",
    officer_post_hi=COPY.officer_post_hi,
    officer_post_en=COPY.officer_post_en,
    copies_hi=("पुलिस अधीक्षक, हिसार", "उप पुलिस अधीक्षक, बरवाला", "अभिलेख"),
    copies_en=("Superintendent of Police, Hisar", "Deputy Superintendent of Police, Barwala", "record"),
)
LETTER: dict[str, Any] = {
    name: getattr(REPORT, name)
    for name in (
        "contact_hi", "contact_en", "letterhead_hi", "letterhead_en", "addressee_name", "addressee_address",
        "salutation_hi", "salutation_en", "number", "complaint_date_hi", "complaint_subject", "version",
        "copies_hi", "copies_en",
    )
} | {"complaint_date_en": "24 November 2026", "track_url": COPY.track_url}  # fmt: skip
SIGNED: dict[str, Any] = {
    "officer_name": "राजबीर पूनिया / Rajbir Punia",
    "officer_rank_hi": "उप पुलिस अधीक्षक",
    "officer_rank_en": "Deputy Superintendent of Police",
    "officer_post_hi": "उपमंडल बरवाला",
    "officer_post_en": "Sub-Division Barwala",
}


def dated(hi: str, en: str, clock: str) -> dict[str, Any]:
    """The day of a letter, and the moment of its issue."""
    return {"date_hi": hi, "date_en": en, "issued_at_hi": f"{hi}, {clock}", "issued_at_en": f"{en}, {clock}"}


def proof(code: str) -> dict[str, Any]:
    """Verification code and address of a letter."""
    return {"verification_code": code, "verify_url": f"https://cms.example/v/{code}"}


INTERIM = LetterData(
    **LETTER, **SIGNED, **dated("8 दिसंबर 2026", "8 December 2026", "17:20"), **proof("Q4NB-7TRX-3KDM"),
    memo_number="HSR-2026-000123-7/IR/1",
    subject_hi="शिकायत पर अंतरिम उत्तर",
    subject_en="Interim reply on your complaint",
    parts=(
        LetterPart(
            hi="उपर्युक्त विषय के संबंध में आपको सूचित किया जाता है कि आपकी शिकायत की जाँच जारी है और निर्धारित "
            "तिथि 9 दिसंबर 2026 "
            "तक पूर्ण नहीं की जा सकी। सक्षम अधिकारी ने जाँच की अवधि 19 दिसंबर 2026 तक बढ़ाई है। "
            "अवधि बढ़ाने के कारण निम्नलिखित हैं:",
            en="With reference to the above subject, you are informed that the enquiry into your complaint is in "
            "progress "
            "and could not be completed by the due date, 9 December 2026. The competent authority has extended the "
            "period of enquiry to 19 December 2026, for the following reasons:",
        ),
        LetterPart(
            quoted="हल्का पटवारी से निशानदेही की प्रमाणित प्रति अभी प्राप्त नहीं हुई है; तहसीलदार, बरवाला को "
            "स्मरण-पत्र भेजा गया है। "
            "दो साक्षियों के बयान उनके बाहर होने के कारण शेष हैं।",
            language="hi",
        ),
        LetterPart(
            hi="जाँच उप निरीक्षक कला नागर, थाना उकलाना द्वारा की जा रही है।",
            en="The enquiry is being made by Sub-Inspector Kala Nagar, PS Uklana.",
        ),
        LetterPart(
            hi="जाँच पूर्ण होने पर की गई कार्रवाई की रिपोर्ट आपको निःशुल्क दी जाएगी और पूछा जाएगा कि आप संतुष्ट "
            "हैं या नहीं।",
            en="When the enquiry is complete you will receive the action-taken report free of charge and will be asked "
            "whether you are satisfied.",
        ),
    ),
)  # fmt: skip
REOPENED = LetterData(
    **LETTER, **SIGNED, **dated("28 दिसंबर 2026", "28 December 2026", "11:05"), **proof("H7WC-2PDV-9XQT"),
    memo_number="HSR-2026-000123-7/RO/1",
    subject_hi="शिकायत पुनः खोले जाने की सूचना",
    subject_en="Notice of re-opening of your complaint",
    parts=(
        LetterPart(
            hi="उपर्युक्त विषय के संबंध में आपको सूचित किया जाता है कि आपकी शिकायत पुनः जाँच के लिए खोली गई है। "
            "पुनः खोलने के कारण निम्नलिखित हैं:",
            en="With reference to the above subject, you are informed that your complaint has been re-opened for "
            "a fresh "
            "enquiry, for the following reasons:",
        ),
        LetterPart(
            quoted="शिकायतकर्ता ने लिखित में बताया कि साक्षी श्री रामस्वरूप का बयान उनकी उपस्थिति में नहीं लिया गया "
            "तथा धमकी के संबंध में मोबाइल की रिकॉर्डिंग पर विचार नहीं किया गया।",
            language="hi",
        ),
        LetterPart(
            hi="जाँच ऐसे वरिष्ठ अधिकारी को सौंपी जाएगी जिसने इस शिकायत पर पहले कोई कार्य नहीं किया है। "
            "जाँच 12 जनवरी 2027 तक पूर्ण की जानी है।",
            en="The enquiry will be entrusted to a senior officer who has not dealt with this complaint before. "
            "It is to be "
            "completed by 12 January 2027.",
        ),
        LetterPart(
            hi="पहली जाँच का अभिलेख यथावत सुरक्षित है। आप नए तथ्य या साक्ष्य जाँच अधिकारी को दे सकते हैं।",
            en="The record of the earlier enquiry stays as it is. You may give new facts or evidence to the "
            "enquiry officer.",
        ),
    ),
)  # fmt: skip
APPEAL = LetterData(
    **LETTER, **SIGNED, **dated("22 दिसंबर 2026", "22 December 2026", "15:40"), **proof("M2XK-8VRB-5QNC"),
    memo_number="HSR-2026-000123-7/AP/1",
    subject_hi="अपील पर निर्णय",
    subject_en="Decision on your appeal",
    parts=(
        LetterPart(
            hi="उपर्युक्त विषय के संबंध में, दिनांक 14 दिसंबर 2026 को दर्ज आपकी अपील पर अभिलेख का अवलोकन एवं "
            "विचार किया गया। "
            "अपील खारिज की जाती है। निर्णय के कारण निम्नलिखित हैं:",
            en="With reference to the above subject, your appeal entered on 14 December 2026 has been considered "
            "together "
            "with the record. The appeal is dismissed, for the following reasons:",
        ),
        LetterPart(
            quoted="निशानदेही रिपोर्ट एवं दोनों साक्षियों के बयान जाँच में लिए गए हैं और विपक्षी के विरुद्ध "
            "निवारक कार्रवाई की जा चुकी है। "
            "भूमि के स्वामित्व का प्रश्न सिविल न्यायालय में विचाराधीन है, जिस पर पुलिस निर्णय नहीं दे सकती।",
            language="hi",
        ),
        LetterPart(
            hi="अतः आपको पूर्व में दी गई कार्रवाई रिपोर्ट यथावत रहेगी।",
            en="The action-taken report given to you earlier therefore stands.",
        ),
        LetterPart(
            hi="यदि आप इस निर्णय से संतुष्ट नहीं हैं तो 4 जनवरी 2027 तक पुलिस अधीक्षक, ज़िला हिसार को अपील कर "
            "सकते हैं।",
            en="If you are not satisfied with this decision you may appeal to the Superintendent of Police, "
            "Hisar District "
            "by 4 January 2027.",
        ),
        LetterPart(
            hi="इस निर्णय से विधि द्वारा उपलब्ध आपके अन्य उपचारों पर कोई प्रभाव नहीं पड़ता। संज्ञेय अपराध की "
            "सूचना दर्ज न किए जाने पर "
            "भारतीय नागरिक सुरक्षा संहिता, 2023 की धारा 173(4) के अंतर्गत पुलिस अधीक्षक को और तत्पश्चात "
            "मजिस्ट्रेट को आवेदन किया जा सकता है।",
            en="This decision does not affect any other remedy that the law gives you. If information of a "
            "cognizable offence "
            "has not been recorded, you may apply to the Superintendent of Police, and thereafter to the "
            "Magistrate, under "
            "section 173(4) of the Bharatiya Nagarik Suraksha Sanhita, 2023.",
        ),
    ),
)  # fmt: skip
AGAIN = dataclasses.replace(
    REPORT,
    memo_number="HSR-2026-000123-7/ATR/2",
    date_hi="9 जनवरी 2027",
    date_en="9 Jan 2027",
    io_name="राजेश मलिक / Rajesh Malik",
    io_rank_hi="निरीक्षक",
    io_rank_en="Inspector",
    io_unit_hi="थाना सिविल लाइन हिसार",
    io_unit_en="PS Civil Lines Hisar",
    period_hi="28 दिसंबर 2026 से 9 जनवरी 2027 (12 दिन; सीमा 15 दिन)",
    period_en="28 Dec 2026 to 9 Jan 2027 (12 days; limit 15 days)",
    round_hi="यह दूसरी जाँच है, जो आपकी अपील पर 28 दिसंबर 2026 के निर्णय से हुई (उप पुलिस अधीक्षक, बरवाला)। "
    "पहली जाँच उप निरीक्षक कला नागर ने की थी; 5 दिसंबर 2026 का परिणाम: निवारक कार्रवाई।",
    round_en="This is the second enquiry, by the decision of 28 Dec 2026 on your appeal (Deputy Superintendent, "
    "Barwala). "
    "The first was made by Sub-Inspector Kala Nagar; its outcome of 5 Dec 2026: preventive action.",
    actions=REPORT.actions[:4],
    officer_name="अनिल ढिल्लों / Anil Dhillon",
    officer_rank_hi="पुलिस अधीक्षक",
    officer_rank_en="Superintendent of Police",
    officer_post_hi="पुलिस अधीक्षक (जिला), ज़िला हिसार",
    officer_post_en="Superintendent (district), Hisar District",
    appeal_to_hi="अपर पुलिस महानिदेशक, हिसार रेंज",
    appeal_to_en="ADGP, Hisar Range",
    appeal_until_hi="8 फरवरी 2027",
    appeal_until_en="8 Feb 2027",
    version=2,
    **proof("T9KD-4WXB-6MPC"),
)
SHO = ("निरीक्षक महेन्द्र सिंह, थाना प्रभारी, थाना उकलाना", "Inspector Mahender Singh, Station House Officer, PS Uklana")
IO = ("उप निरीक्षक कला नागर, जांच अधिकारी, थाना उकलाना", "Sub-Inspector Kala Nagar, Investigating officer, PS Uklana")
DSP = ("उप पुलिस अधीक्षक राजबीर पूनिया, उपमंडल बरवाला", "DSP Rajbir Punia, Sub-Division Barwala")
CLERK = (
    "मुख्य सिपाही सुनीता रानी, शिकायत शाखा, ज़िला हिसार",
    "Head Constable Sunita Rani, Complaint branch, Hisar District",
)
AUTHORITY = ("अपीलीय प्राधिकारी, उपमंडल बरवाला", "Appellate authority, Sub-Division Barwala")
HEAD = ("इकाई प्रभारी, ज़िला हिसार", "Head of the unit, Hisar District")
SP = ("पुलिस अधीक्षक अनिल ढिल्लों, ज़िला हिसार", "Superintendent of Police Anil Dhillon, Hisar District")
NEW_IO = ("निरीक्षक राजेश मलिक, थाना सिविल लाइन हिसार", "Inspector Rajesh Malik, PS Civil Lines Hisar")
AGAIN_DUE = ("12 जनवरी 2027", "12 Jan 2027")
NOBODY = ("", "")
Pair = tuple[str, str]
Moment = tuple[str, str, str]


def noted(on: Moment, who: tuple[Pair, Pair], what: Pair, text: str = "", due: Pair = NOBODY) -> NotingRow:
    """One line of the sample sheet."""
    sender, to = who
    return NotingRow(
        on_hi=on[0], on_en=on[1], clock=on[2], from_hi=sender[0], from_en=sender[1], to_hi=to[0], to_en=to[1],
        kind_hi=what[0], kind_en=what[1], text=text, language="hi", due_hi=due[0], due_en=due[1],
    )  # fmt: skip


def moment(day: int, month: Pair, clock: str) -> Moment:
    """A moment of the sample year in both languages, and its time of day."""
    return f"{day} {month[0]} 2026", f"{day} {month[1]} 2026", clock


NOV, DEC = ("नवंबर", "Nov"), ("दिसंबर", "Dec")
DUE = ("9 दिसंबर 2026", "9 Dec 2026")
FIRST = (
    noted(moment(24, NOV, "11:42"), (CLERK, NOBODY), ("पंजीकृत", "Registered"), due=DUE),
    noted(moment(24, NOV, "11:55"), (CLERK, SHO), ("थाने को मार्क", "Marked to station"),
          "थाना प्रभारी उकलाना मौका देखकर नियमानुसार कार्रवाई करें और 15 दिन में रिपोर्ट भेजें।", DUE),
    noted(moment(24, NOV, "16:10"), (SHO, IO), ("जांच अधिकारी नियुक्त", "Assigned to IO"),
          "हल्का पटवारी से निशानदेही रिपोर्ट लें।", DUE),
    noted(moment(1, DEC, "10:30"), (DSP, IO), ("वरिष्ठ अधिकारी का निर्देश", "Direction by superior"),
          "दोनों साक्षियों के बयान शिकायतकर्ता की उपस्थिति में लें और अनुपालन बताएं।", ("4 दिसंबर 2026", "4 Dec 2026")),
    noted(moment(3, DEC, "18:05"), (IO, DSP), ("निर्देश का पालन", "Direction complied with"),
          "दोनों बयान दर्ज किए गए।"),
    noted(moment(4, DEC, "12:00"), (IO, SHO), ("जांच रिपोर्ट प्रस्तुत: निवारक कार्रवाई",
          "Enquiry report submitted: Preventive action"),
          "मेड़ तोड़ना सिद्ध; धमकी आंशिक रूप से सिद्ध। धारा 126/170 भा.ना.सु.सं. में कार्रवाई प्रस्तावित।",
          ("6 दिसंबर 2026", "6 Dec 2026")),
    noted(moment(4, DEC, "17:45"), (SHO, IO), ("रिपोर्ट आपत्ति सहित वापस", "Report returned with objections"),
          "निशानदेही रिपोर्ट की प्रति संलग्न करें।"),
    noted(moment(5, DEC, "11:20"), (IO, SHO), ("जांच रिपोर्ट प्रस्तुत: निवारक कार्रवाई",
          "Enquiry report submitted: Preventive action"),
          "प्रति संलग्न की गई।", ("7 दिसंबर 2026", "7 Dec 2026")),
    noted(moment(5, DEC, "16:05"), (SHO, ("रिपोर्ट का वितरण, थाना उकलाना", "Delivery of the report, PS Uklana")),
          ("निपटारा: निवारक कार्रवाई", "Disposed: Preventive action"), "रिपोर्ट से सहमत।", ("7 दिसंबर 2026", "7 Dec 2026")),
    noted(moment(14, DEC, "12:15"), (CLERK, AUTHORITY), ("अपील दर्ज", "Appeal entered"),
          "धमकी की मोबाइल रिकॉर्डिंग पर विचार नहीं हुआ।", ("13 जनवरी 2027", "13 Jan 2027")),
    noted(moment(28, DEC, "11:05"), (DSP, HEAD), ("अपील पर निर्णय: स्वीकार", "Appeal decided: Allowed"),
          "रिकॉर्डिंग की जाँच किसी वरिष्ठ अधिकारी से कराई जाए।", AGAIN_DUE),
)  # fmt: skip
SECOND = (
    noted(moment(28, DEC, "15:30"), (SP, NEW_IO), ("जांच अधिकारी नियुक्त", "Assigned to IO"),
          "रिकॉर्डिंग एफ.एस.एल. भेजी जाए।", AGAIN_DUE),
)  # fmt: skip
NOTING = NotingData(
    contact_hi=COPY.contact_hi,
    contact_en=COPY.contact_en,
    letterhead_hi=COPY.letterhead_hi,
    letterhead_en=COPY.letterhead_en,
    memo_number="HSR-2026-000123-7/NS/1",
    number=COPY.number,
    complaint_subject=COPY.subject,
    complainant_name=COPY.complainant_name,
    station_hi="ज़िला हिसार",
    station_en="Hisar District",
    received_on_hi=COPY.received_on_hi,
    received_on_en=COPY.received_on_en,
    status_hi="थाने को मार्क",
    status_en="Marked to station",
    due_on_hi="12 जनवरी 2027",
    due_on_en="12 Jan 2027",
    rounds=(
        NotingRound(title_hi="दौर 1: पहली जांच", title_en="Round 1: First enquiry", rows=FIRST),
        NotingRound(title_hi="दौर 2: अपील स्वीकार", title_en="Round 2: Appeal allowed", rows=SECOND),
    ),
    version=1,
    **dated("29 दिसंबर 2026", "29 Dec 2026", "10:00"),
    **proof("D5QW-3NXK-8HBT"),
    **SIGNED,
)
HANDOVER = HandOverData(
    contact_hi=COPY.contact_hi,
    contact_en=COPY.contact_en,
    letterhead_hi=COPY.letterhead_hi,
    letterhead_en=COPY.letterhead_en,
    number="1187/2026",
    date_hi="12 दिसंबर 2026, 10:00",
    date_en="12 Dec 2026, 10:00",
    leaves_hi="उप निरीक्षक कला नागर",
    leaves_en="Sub-Inspector Kala Nagar",
    belt_no="HSR/412",
    rows=tuple(
        HandOverRow(
            number=number, subject=subject, language="hi", to_hi="निरीक्षक राजेश मलिक", to_en="Inspector Rajesh Malik",
            status_hi="जांच जारी", status_en="Under enquiry", due_on_hi=due, due_on_en=due_en,
            last_hi="बयान दर्ज, 11 दिसंबर 2026", last_en="Statement recorded, 11 Dec 2026",
            last_text="साक्षी का बयान दर्ज किया गया।", last_language="hi",
        )
        for number, subject, due, due_en in (
            ("HSR-2026-000141-4", "दुकान में तोड़-फोड़ के संबंध में", "18 दिसंबर 2026", "18 Dec 2026"),
            ("HSR-2026-000152-8", "मोबाइल पर धमकी के संबंध में", "20 दिसंबर 2026", "20 Dec 2026"),
            ("HSR-2026-000163-1", "गली में अवैध निर्माण के संबंध में", "22 दिसंबर 2026", "22 Dec 2026"),
        )
    ),
)  # fmt: skip

SAMPLES: dict[str, tuple[str, pdf.Document]] = {
    "copy": ("copy.html", COPY),
    "report": ("report.html", REPORT),
    "report-again": ("report.html", AGAIN),
    "interim": ("letter.html", INTERIM),
    "reopened": ("letter.html", REOPENED),
    "appeal": ("letter.html", APPEAL),
    "noting": ("noting.html", NOTING),
    "handover": ("handover.html", HANDOVER),
}
"""Name of the sample -> its template and what it says."""
DOTS = 80
"""Dots an inch of a sample's picture: legible, and small enough for a page of the documentation."""


def write(folder: Path) -> list[Path]:
    """Write a PDF of each sample, and a picture of its first page where pdftoppm is installed."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, (template, data) in SAMPLES.items():
        paper = folder / f"{name}.pdf"
        paper.write_bytes(pdf.render(template, data, language="hi"))
        written.append(paper)
        written += picture(paper)
    return written


def picture(paper: Path) -> list[Path]:
    """The first page in sixteen greys; nothing without pdftoppm."""
    tool = shutil.which("pdftoppm")
    if tool is None:
        return []
    command = [tool, "-gray", "-r", str(DOTS), "-f", "1", "-l", "1", "-singlefile", str(paper)]
    drawn = subprocess.run(command, capture_output=True, check=True).stdout  # noqa: S603  our own file, no shell
    shown = paper.with_suffix(".png")
    Image.open(io.BytesIO(drawn)).quantize(16).save(shown, optimize=True)
    return [shown]
