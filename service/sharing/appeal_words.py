"""Words about contested decisions, for the one who contests."""

from collections.abc import Mapping
from typing import Final

from service.errors import ServiceError
from service.texts.languages import N_

NOTHING = N_("Choose on the page of your badges what you disagree with.")
REFUSED: Final[Mapping[str, str]] = {
    "case-open": N_("There is already an open appeal about this badge. Say there what you want to add."),
    "case-decided": N_("An appeal about this decision has already been decided."),
    "case-too-late": N_("It is too late to appeal this decision."),
    "case-closed": N_("This appeal is closed. You cannot add anything."),
    "case-full": N_("This appeal is full. You cannot add more."),
    "case-unknown": N_("You have no such appeal."),
    "award-there": N_("You already have this badge."),
    "not-refused": N_(
        "Nobody has refused this badge. If you meet everything, you get it automatically, or after people have looked at it."
    ),
    "achievement-retired": N_("This badge is no longer awarded."),
    "achievement-unknown": N_("The network has no such badge."),
    "achievement-unpublished": N_("The network has no such badge."),
    "criteria-without-rule": N_("Only people decide about this badge. Ask the network."),
    "credential-stands": N_("This badge stands: it was neither revoked nor suspended."),
    "credential-declined": N_("You declined this badge yourself."),
    "credential-unknown": N_("You have no such badge."),
    "approval-unknown": N_("You have no such decision."),
    "member-unknown": N_("You are not this member."),
    "network-closed": N_("This network is closed. Nothing in it can change."),
    "matter-ambiguous": NOTHING,
}
"""What a refusal means, by its code."""
STATES: Final[Mapping[str, str]] = {
    "open": N_("Waiting for a mediator"),
    "mediating": N_("A mediator is looking into it"),
    "escalated": N_("Somebody else will decide"),
    "upheld": N_("Decided: the first decision stands"),
    "overturned": N_("Decided: the first decision does not stand"),
    "withdrawn": N_("You withdrew it"),
}
"""The state of a case, or its outcome once it has one."""
KINDS: Final[Mapping[str, str]] = {
    "refusal": N_("The rules say: not yet"),
    "declined": N_("People declined the badge"),
    "revocation": N_("The badge was revoked"),
    "suspension": N_("The badge was suspended"),
}
"""What is contested."""
STEPS: Final[Mapping[str, str]] = {
    "opened": N_("The appeal was opened"),
    "statement": N_("Statement"),
    "assigned": N_("Somebody was asked to mediate"),
    "left": N_("The mediator left the case"),
    "escalated": N_("Somebody else will decide"),
    "overdue": N_("Nobody decided in time"),
    "withdrawn": N_("The appeal was withdrawn"),
    "resolved": N_("The appeal was decided"),
}
PARTS: Final[Mapping[str, str]] = {
    "member": N_("You"),
    "respondent": N_("The person who decided"),
    "mediator": N_("The mediator"),
    "network": N_("The network, for you"),
    "service": N_("Laurel"),
}
"""Who took a step."""


def of(error: ServiceError) -> str:
    """Return what a refusal means, in a sentence for people; without one, the sentence for programs."""
    return REFUSED.get(error.code, error.message)
