"""The types of events, each with what happened and the identifiers that it names."""

from collections.abc import Collection, Iterable
from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import BeforeValidator
from pydantic_core import PydanticCustomError

_APPLICATION = ("call", "application", "member?")
_AWARD = ("award", "achievement_version", "member")
_CREDENTIAL = ("credential", "award", "member")
_GOAL = ("goal", "member")
_KEY = ("key", "kid")
_REVIEW = ("review", "achievement_version", "member", "award?")


class EventType(StrEnum):
    """What can happen in a network, and be told: part of the interface.

    `meaning` says what happened; `about` names the identifiers that such an event has, `maybe` those that it may have.
    """

    meaning: str
    about: tuple[str, ...]
    maybe: tuple[str, ...]

    def __new__(cls, value: str, meaning: str = "", names: Iterable[str] = ()) -> Self:
        """Make a member out of its name, its meaning, and its identifiers; `?` marks one that is not always there."""
        made = str.__new__(cls, value)
        made._value_ = value
        made.meaning = meaning
        made.about = tuple(name for name in names if not name.endswith("?"))
        made.maybe = tuple(name.removesuffix("?") for name in names if name.endswith("?"))
        return made

    def takes(self, names: Collection[str]) -> bool:
        """Return whether an event of this type may name these identifiers."""
        return set(self.about) <= set(names) <= {*self.about, *self.maybe}

    ACHIEVEMENT_PUBLISHED = (
        "achievement.published",
        "A version of an achievement can be earned.",
        ("achievement", "achievement_version"),
    )
    ACHIEVEMENT_REINSTATED = (
        "achievement.reinstated",
        "An achievement that was retired can be earned again.",
        ("achievement", "achievement_version"),
    )
    ACHIEVEMENT_RETIRED = (
        "achievement.retired",
        "Nobody new earns an achievement any more.",
        ("achievement", "achievement_version"),
    )
    APPROVAL_WAITING = (
        "approval.waiting",
        "Somebody must decide: a review was opened, or one of several people has approved and another is needed.",
        _REVIEW,
    )
    APPLICATION_CHANGED = "application.changed", "An applicant says something else.", _APPLICATION
    APPLICATION_DECIDED = (
        "application.decided",
        "A person decided on an application to a call, or changed a decision.",
        _APPLICATION,
    )
    APPLICATION_QUESTION_ANSWERED = (
        "application.question-answered",
        "The network answered why it decided so on an application.",
        _APPLICATION,
    )
    APPLICATION_QUESTION_ASKED = (
        "application.question-asked",
        "An applicant asks why the network decided so, and somebody must answer.",
        _APPLICATION,
    )
    APPLICATION_RECEIVED = (
        "application.received",
        "Somebody applied to a call, for the first time or again.",
        _APPLICATION,
    )
    APPLICATION_WITHDRAWN = "application.withdrawn", "An applicant withdrew.", _APPLICATION
    ATTENDANCE_CLOSED = "attendance.closed", "The attendance code of a session works no longer.", ("session",)
    ATTENDANCE_OPENED = "attendance.opened", "A session has an attendance code, or another one.", ("session",)
    ATTENDANCE_REFUSED = (
        "attendance.refused",
        "Somebody says that they were in a session, and the network decided that they were not.",
        ("session", "member?"),
    )
    ATTENDANCE_WAITING = (
        "attendance.waiting",
        "Somebody says that they were in a session, and somebody else must decide.",
        ("session", "member?"),
    )
    AWARD_EXPIRED = "award.expired", "The time of an award is over.", _AWARD
    AWARD_KEPT = "award.kept", "An award that was under review stands.", _AWARD
    AWARD_MADE = "award.made", "A member has earned an achievement.", _AWARD
    CALL_CHANGED = "call.changed", "A call for participants says something else.", ("call",)
    CALL_CLOSED = "call.closed", "The network closed a call for participants before its time.", ("call",)
    CALL_POSTED = "call.posted", "The network calls for participants.", ("call",)
    CALL_PROPOSED = "call.proposed", "People are proposed for a call; nothing is decided.", ("call", "proposal")
    CASE_ESCALATED = (
        "case.escalated",
        "Somebody else must decide a case: its time passed, or a party asked for it.",
        ("case",),
    )
    CASE_MEDIATOR_ASSIGNED = "case.mediator-assigned", "A case has a mediator, or another one.", ("case",)
    CASE_MEDIATOR_LEFT = (
        "case.mediator-left",
        "The mediator of a case turned out to be one of its parties.",
        ("case",),
    )
    CASE_OPENED = "case.opened", "Something is contested.", ("case",)
    CASE_OVERDUE = "case.overdue", "Nobody has decided an escalated case in time.", ("case",)
    CASE_RESOLVED = "case.resolved", "A case was decided.", ("case",)
    CASE_WITHDRAWN = "case.withdrawn", "A case was taken back.", ("case",)
    CREDENTIAL_DECLINED = (
        "credential.declined",
        "Its recipient does not want a credential, which is revoked and hidden with that; the network did not take it back.",
        _CREDENTIAL,
    )
    CREDENTIAL_ISSUED = "credential.issued", "A credential was signed.", _CREDENTIAL
    CREDENTIAL_REISSUED = (
        "credential.reissued",
        "A credential was signed again under its id: others may have had a key, or its recipient chose what it shows.",
        _CREDENTIAL,
    )
    CREDENTIAL_REINSTATED = "credential.reinstated", "A credential that was suspended stands again.", _CREDENTIAL
    CREDENTIAL_REPLACED = (
        "credential.replaced",
        "A credential was taken back because another one with corrected data stands for it.",
        (*_CREDENTIAL, "replacement"),
    )
    CREDENTIAL_REVOKED = "credential.revoked", "A credential was taken back.", _CREDENTIAL
    CREDENTIAL_SUSPENDED = (
        "credential.suspended",
        "A credential must not be relied on until it is decided whether it stands.",
        _CREDENTIAL,
    )
    CREDENTIAL_VISIBILITY_CHANGED = (
        "credential.visibility-changed",
        "Its recipient chose who can find a credential.",
        _CREDENTIAL,
    )
    EVIDENCE_RECEIVED = (
        "evidence.received",
        "Evidence came in, once for each request or file: a record, the import of a body of many lines, or a file.",
        ("record?", "member?", "import?"),
    )
    EXPECTATION_CHANGED = (
        "expectation.changed",
        "The network expects something else, in the next version.",
        ("expectation",),
    )
    EXPECTATION_ENDED = "expectation.ended", "The network expects something no longer.", ("expectation",)
    EXPECTATION_POSTED = "expectation.posted", "The network expects something of its members.", ("expectation",)
    GUIDELINES_PUBLISHED = (
        "guidelines.published",
        "A version of the guidelines is in force, and members are asked to accept it.",
        ("guidelines_version",),
    )
    GOAL_CLOSED = (
        "goal.closed",
        "A member closed a goal that is shared with the network: it was met, partly, or is dropped.",
        _GOAL,
    )
    GOAL_CONFIRMED = (
        "goal.confirmed",
        "A peer confirmed that a goal was met that is shared with the network.",
        _GOAL,
    )
    GOAL_SHARED = "goal.shared", "A member shares a goal with the network.", _GOAL
    IMPORT_SETTLED = (
        "import.settled",
        "A body of many lines is taken in, and everything that it can have caused is decided.",
        ("import",),
    )
    JOIN_ACCEPTED = "join.accepted", "Somebody who asked to join is a member.", ("join_request", "member")
    JOIN_ASKED = "join.asked", "Somebody asks to join, and the network must decide.", ("join_request",)
    JOIN_DECLINED = "join.declined", "Somebody who asked to join does not.", ("join_request",)
    JOIN_WITHDRAWN = "join.withdrawn", "Somebody who asked to join does not want to any more.", ("join_request",)
    KEY_COMPROMISED = "key.compromised", "Others may have had a key, and it signs nothing any more.", _KEY
    KEY_ROTATED = "key.rotated", "The network signs with a new key.", _KEY
    MEMBER_CHANGED = "member.changed", "What is known of a member is another.", ("member",)
    MEMBER_CLAIMED = "member.claimed", "Somebody took what a member has earned into their account.", ("member",)
    MEMBER_ENROLLED = (
        "member.enrolled",
        "It is settled by which version a member is judged.",
        ("achievement_version", "member"),
    )
    MEMBER_ERASED = "member.erased", "What the network held of a person is gone.", ("member",)
    MEMBER_PERSON_ASKED = (
        "member.person-asked",
        "A member has the address of another one, and somebody must say whether they are one person.",
        ("member",),
    )
    MEMBER_POSTED = "member.posted", "A member was added.", ("member",)
    MEMBER_RELEASED = (
        "member.released",
        "What a member has earned is in nobody's account any more, and can be claimed again.",
        ("member",),
    )
    MEMBER_RETURN_STOPPED = (
        "member.return-stopped",
        "Nobody takes over a member with a new address: it was stopped, or refused.",
        ("member",),
    )
    MEMBER_RETURNED = "member.returned", "A member who lost their mailbox has a new address.", ("member",)
    MEMBER_RETURNING = (
        "member.returning",
        "Two people vouch that a member who lost their mailbox has a new address; it counts in seven days.",
        ("member",),
    )
    MEMBER_SHARES_PERSON = (
        "member.shares-person",
        "A member is the same person as another one.",
        ("member",),
    )
    MEMBER_TOLD_APART = (
        "member.told-apart",
        "Somebody said that two members are not one person.",
        ("member",),
    )
    NEEDS_ANSWERED = (
        "needs.answered",
        "A member said what they want to learn and can offer, or changed that.",
        ("needs_cycle", "member"),
    )
    NEEDS_OPENED = "needs.opened", "Members can say what they want to learn and can offer.", ("needs_cycle",)
    NEEDS_WITHDRAWN = (
        "needs.withdrawn",
        "A member took back what they had said that they want to learn and can offer.",
        ("needs_cycle", "member"),
    )
    NETWORK_ACTIVATED = (
        "network.activated",
        "A formal network has all that it needs, and issues badges.",
        ("network",),
    )
    NETWORK_BECAME_FORMAL = (
        "network.became-formal",
        "An informal network is a formal one from now on.",
        ("network",),
    )
    NETWORK_CHANGED = "network.changed", "What is known of the network is another.", ("network",)
    NETWORK_CLOSED = "network.closed", "The network takes nothing new.", ("network",)
    NETWORK_CONFIRMED = "network.confirmed", "The operator says that the network is who its name says.", ("network",)
    NETWORK_CREATED = "network.created", "The network is there.", ("network",)
    NETWORK_HISTORY_DECLARED = (
        "network.history-declared",
        "The network may load its records of an earlier time until a deadline.",
        ("network",),
    )
    NETWORK_LISTING_CHANGED = (
        "network.listing-changed",
        "People find the network in another way, or not: it chose so, or the operator did.",
        ("network",),
    )
    NETWORK_UNCONFIRMED = "network.unconfirmed", "The operator does not vouch for the network any more.", ("network",)
    OBJECTIVE_CHANGED = "objective.changed", "An objective has a new version.", ("objective",)
    OBJECTIVE_DELETED = "objective.deleted", "An objective that nothing named is gone.", ("objective",)
    OBJECTIVE_POSTED = "objective.posted", "The network works toward a further objective.", ("objective",)
    OBJECTIVE_REINSTATED = "objective.reinstated", "An objective that was retired can be named again.", ("objective",)
    OBJECTIVE_RETIRED = "objective.retired", "Nothing new names an objective.", ("objective",)
    RECORD_CORRECTED = (
        "record.corrected",
        "A piece of evidence counts in place of another, which said something else.",
        ("record", "correction"),
    )
    RECORD_QUARANTINED = (
        "record.quarantined",
        "Evidence turned out not to count, or is kept from counting.",
        ("record", "code"),
    )
    RECORD_RELEASED = "record.released", "Evidence that was kept from counting counts.", ("record",)
    RECORD_VOIDED = "record.voided", "Evidence was taken back.", ("record", "void")
    REVIEW_APPROVAL_GIVEN = "review.approval-given", "Somebody approved, and more people are needed.", _REVIEW
    REVIEW_APPROVED = "review.approved", "People decided that an award is made, or stands.", _REVIEW
    REVIEW_DECLINED = "review.declined", "People decided that an award is not made, or does not stand.", _REVIEW
    REVIEW_OPENED = "review.opened", "An award waits for people to decide.", _REVIEW
    REVIEW_WITHDRAWN = "review.withdrawn", "There is nothing to decide any more.", _REVIEW
    RUBRIC_CHANGED = "rubric.changed", "A rubric says something else, in the same version or the next.", ("rubric",)
    RUBRIC_POSTED = "rubric.posted", "A rubric was added.", ("rubric",)
    SESSION_CHANGED = "session.changed", "What is known of a session is another.", ("session",)
    SESSION_DELETED = "session.deleted", "A session on which nothing rested is gone.", ("session",)
    SESSION_POSTED = "session.posted", "A session was added.", ("session",)
    TOKEN_REVOKED = "token.revoked", "A token is worth nothing any more.", ("token",)
    WEBHOOK_CHANGED = (
        "webhook.changed",
        "What is sent to a webhook, or with which secret, is another.",
        ("webhook",),
    )
    WEBHOOK_CREATED = "webhook.created", "Events are sent to a further address.", ("webhook",)
    WEBHOOK_DELETED = "webhook.deleted", "Events are no longer sent to an address.", ("webhook",)
    WEBHOOK_DISABLED = (
        "webhook.disabled",
        "Nothing is sent to a webhook until it is made active again.",
        ("webhook",),
    )


def _known(value: Any) -> Any:
    if isinstance(value, str):
        try:
            return EventType(value)
        except ValueError as error:
            words = list(EventType)
            told = {"listed": ", ".join(words), "words": words}
            raise PydanticCustomError("event-type-unknown", "Expected one of {listed}", told) from error
    return value


KnownType = Annotated[EventType, BeforeValidator(_known)]
"""A type of event as somebody asks for it; the refusal of another one lists them all."""
