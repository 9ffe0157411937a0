"""The closed lists that columns choose from; what an office may edit is a master row instead."""

from __future__ import annotations

from cms.columns import Choice
from cms.i18n import _l


class Kind(Choice):
    """Levels of the unit tree, top first."""

    HEADQUARTERS = _l("Headquarters")
    RANGE = _l("Range")
    DISTRICT = _l("District")
    SUB_DIVISION = _l("Sub-division")
    POLICE_STATION = _l("Police station")
    POLICE_POST = _l("Police post")
    COMPLAINT_BRANCH = _l("Complaint branch")


class Language(Choice):
    """Language in which something was said."""

    HI = _l("Hindi")
    EN = _l("English")


class ActionKind(Choice):
    """What was done on a complaint. Those in :data:`ENQUIRY` an officer logs, moves write the rest."""

    REGISTERED = _l("Registered")
    MARKED = _l("Marked to station")
    ASSIGNED = _l("Assigned to IO")
    DISPOSED = _l("Disposed")
    DELIVERED = _l("Delivered")
    VISIT = _l("Spot visit")
    STATEMENT = _l("Statement recorded")
    CALL = _l("Telephone call")
    NOTICE = _l("Notice issued")
    DOCUMENT = _l("Document collected")
    DIRECTION = _l("Direction by superior")
    OTHER = _l("Other action")
    FEEDBACK = _l("Feedback recorded")
    IMPORTED = _l("From the old register")
    PHOTO = _l("Photograph taken")
    CORRECTION = _l("Correction of an entry")
    COMPLIED = _l("Direction complied with")
    ASKED = _l("Request to the superior")
    GRANTED = _l("Request granted")
    REFUSED = _l("Request refused")
    RESUMED = _l("Enquiry resumed")
    REPORTED = _l("Enquiry report submitted")
    RETURNED = _l("Report returned with objections")
    FORWARDED = _l("Report forwarded")
    TRANSFERRED = _l("Transfer asked for")
    ACCEPTED = _l("Transfer accepted")
    DECLINED = _l("Transfer declined")
    REFERRED = _l("Sent to another department")
    HANDED_OVER = _l("Handed over to a successor")
    LINKED = _l("Linked with another complaint")
    MERGED = _l("Merged")
    CONSENT = _l("Complainant's confirmation recorded")
    WITHDRAWN = _l("Withdrawn")
    ATTEMPT = _l("Complainant not reached")
    PROGRESS = _l("Progress told to the informant")
    REOPENED = _l("Re-opened")
    APPEALED = _l("Appeal entered")
    APPEAL_DECIDED = _l("Appeal decided")
    ACCUSED = _l("Complained-against list changed")


ENQUIRY = (
    ActionKind.VISIT, ActionKind.STATEMENT, ActionKind.CALL, ActionKind.NOTICE,
    ActionKind.DOCUMENT, ActionKind.PHOTO, ActionKind.OTHER,
)  # fmt: skip
"""Kinds that an officer logs and that count as enquiry."""

TOLD = (
    ActionKind.REGISTERED, ActionKind.MARKED, ActionKind.ASSIGNED, *ENQUIRY, ActionKind.REOPENED,
    ActionKind.ACCEPTED, ActionKind.DISPOSED, ActionKind.IMPORTED,
)  # fmt: skip
"""Kinds that the complainant is told of; what officers write to each other is not among them."""


class PartyRole(Choice):
    """What somebody is in a complaint."""

    COMPLAINANT = _l("Complainant")
    OPPOSITE = _l("Opposite party")


class DocumentKind(Choice):
    """What the police hand to the complainant."""

    COPY = _l("Copy of the complaint")
    REPORT = _l("Action-taken report")
    INTERIM = _l("Interim reply")
    REOPENED = _l("Notice of re-opening")
    APPEAL = _l("Decision on the appeal")
    NOTING = _l("Noting sheet")


class Edition(Choice):
    """In which languages a paper is; a complainant's own words stay as they were given."""

    HI_EN = _l("Hindi, English below")
    EN_HI = _l("English, Hindi below")
    HI = _l("Hindi alone")
    EN = _l("English alone")


class DocumentState(Choice):
    """Whether the bytes exist."""

    PENDING = _l("Being prepared")
    READY = _l("Ready")
    FAILED = _l("Could not be prepared")
    PAPER = _l("Issued on paper")


class Channel(Choice):
    """How a document reached the complainant, or why it did not."""

    PRINT = _l("Handed over on paper")
    EMAIL = _l("Sent by e-mail")
    POST = _l("Sent by post")
    DECLINED = _l("Declined by the complainant")


class SendState(Choice):
    """Where a message stands."""

    PENDING = _l("Waiting")
    SENT = _l("Sent")
    FAILED = _l("Given up")


class Charge(Choice):
    """By what right an officer sits at a post."""

    SUBSTANTIVE = _l("Posted")
    ACTING = _l("Acting charge")
    COVER = _l("Leave cover")


class ProposalKind(Choice):
    """A change of people that takes effect when a second person confirms it."""

    ORDER = _l("Posting order")
    ACCOUNT_NEW = _l("New account")
    ACCOUNT_STATE = _l("Account opened or closed")


class FieldKind(Choice):
    """What a field of a disposition takes."""

    TEXT = _l("Text")
    LONG = _l("Long text")
    DATE = _l("Date")


class RoundReason(Choice):
    """Why a round of the enquiry was begun."""

    FIRST = _l("First enquiry")
    REOPENED = _l("Re-opened")
    APPEAL = _l("Appeal allowed")


class DecisionKind(Choice):
    """What an approving desk did with a report."""

    RETURNED = _l("Returned")
    FORWARDED = _l("Forwarded")
    APPROVED = _l("Approved")


class RequestKind(Choice):
    """What is asked of a superior or of another unit."""

    HOLD = _l("Hold")
    EXTENSION = _l("More time")
    TRANSFER = _l("Transfer")


class ConsentKind(Choice):
    """What the complainant confirms; none of it is valid on the police's word alone."""

    COMPROMISE = _l("Compromise")
    WITHDRAWAL = _l("Withdrawal")
    REOPENING = _l("Wish to re-open")
    APPEAL = _l("Appeal")


class Means(Choice):
    """How the complainant confirmed it."""

    PAPER = _l("Signed paper")
    LINK = _l("Own link on the telephone")


class LinkKind(Choice):
    """How two complaints belong together."""

    SAME = _l("Same incident")
    REPEAT = _l("Repeat of an earlier one")
    CROSS = _l("Cross-complaint of the other side")
    MERGED = _l("Merged into")


class AppealResult(Choice):
    """How an appeal ended."""

    DISMISSED = _l("Dismissed")
    ALLOWED = _l("Allowed: fresh enquiry")
