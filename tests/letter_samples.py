"""Made-up letters for the document tests: a copy of 200 words and a report of eight actions."""

from cms.pdf import CopyData, ReportAction, ReportData, ReportFinding

WORDS = (
    "निवेदन है कि मैं गाँव उकलाना की निवासी हूँ। मेरी कृषि भूमि खसरा नं. 112//14 गाँव के पश्चिम में स्थित है। "
    "दिनांक 20 नवंबर 2026 की रात्रि को विपक्षी ने ट्रैक्टर चलाकर मेरे खेत की मेड़ तोड़ दी और लगभग दो कनाल भूमि पर कब्ज़ा कर लिया। "
    "मेरे पुत्र कृष्ण कुमार ने जब विरोध किया तो उसे गालियाँ दी गईं और जान से मारने की धमकी दी गई।\n"
    "अगले दिन प्रातः मैंने सरपंच तथा ग्राम पंचायत के सदस्यों को मौका दिखाया। उन्होंने समझाने का प्रयत्न किया परन्तु विपक्षी नहीं माना। "
    "मौके के चित्र मेरे पास उपलब्ध हैं तथा पटवारी की निशानदेही रिपोर्ट की प्रति इस प्रार्थना-पत्र के साथ संलग्न है। "
    "पड़ोसी श्री रामस्वरूप एवं श्रीमती विद्या देवी ने घटना को प्रत्यक्ष देखा है। "
    "मेरे पति का स्वर्गवास हो चुका है और परिवार की आजीविका इसी भूमि पर निर्भर है। फसल की बुवाई का समय निकल रहा है।\n"
    "अतः आपसे प्रार्थना है कि विपक्षी के विरुद्ध उचित कानूनी कार्रवाई की जाए, मेरी भूमि से अवैध कब्ज़ा हटवाया जाए "
    "तथा मेरी और मेरे परिवार की सुरक्षा सुनिश्चित की जाए। घटना के समय के दो चित्र संलग्न हैं। "
    "मैं जाँच में पूरा सहयोग करूँगी। मेरे पुत्र का नंबर: Krishan Kumar, mobile 98120 45678."
)
COPY = CopyData(
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
    outcome_reasons="विपक्षी सुरेश कुमार को उपमंडल मजिस्ट्रेट, बरवाला के समक्ष धारा 126/170 भा.ना.सु.सं. के अंतर्गत पाबंद कराया गया। "
    "भूमि के स्वामित्व का प्रश्न सिविल न्यायालय के क्षेत्राधिकार में है।",
    outcome_language="hi",
    appeal_to_hi="उप पुलिस अधीक्षक (DSP), बरवाला",
    appeal_to_en="the Deputy Superintendent of Police (DSP), Barwala",
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
