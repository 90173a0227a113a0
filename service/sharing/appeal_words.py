"""Words about contested decisions and disagreements, for the parties."""

from collections.abc import Mapping
from typing import Final

from service.errors import ServiceError
from service.tables import Case
from service.texts.languages import N_

NOTHING = N_("Choose on the page of your badges what you disagree with.")
REFUSED: Final[Mapping[str, str]] = {
    "case-open": N_("There is already an open appeal about this badge. Say there what you want to add."),
    "cases-too-many": N_(
        "You have opened as many cases as you can for now. Wait until one has ended, or ask your network."
    ),
    "proposal-other": N_("The mediator has proposed something else in the meantime. Read the case again."),
    "record-unknown": N_("You cannot open a case about this record."),
    "case-decided": N_("An appeal about this decision has already been decided."),
    "case-too-late": N_("It is too late to appeal this decision."),
    "case-closed": N_("This case is closed. You cannot add anything."),
    "case-full": N_("This case is full. You cannot add more."),
    "case-unknown": N_("You have no such case."),
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
BETWEEN_REFUSED: Final[Mapping[str, str]] = {
    "case-open": N_("You and this person already have an open case. Say there what you want to add."),
    "disagreement-with-oneself": N_("This is you. Name the other person."),
    "self-decision": N_("This is you. Name the other person."),
}
"""What a refusal of a disagreement means, where that is something else."""
BETWEEN_STATES: Final[Mapping[str, str]] = {
    "agreed": N_("Ended: you have both agreed"),
    "decided": N_("Ended: the mediator has decided"),
    "unresolved": N_("Ended without an agreement or a decision"),
    "withdrawn": N_("Withdrawn"),
}
BETWEEN_STEPS: Final[Mapping[str, str]] = {
    "opened": N_("The case was opened"),
    "withdrawn": N_("The case was withdrawn"),
    "resolved": N_("The case ended"),
    "proposed": N_("An agreement was proposed"),
    "accepted": N_("The agreement was accepted"),
    "held": N_("New badges of yours wait"),
    "released": N_("New badges of yours no longer wait because of this case"),
}
OTHERS: Final[Mapping[str, str]] = dict.fromkeys(("member", "respondent"), N_("The other person"))
TOPICS: Final[Mapping[str, str]] = {
    "conduct": N_("How somebody behaves"),
    "credit": N_("Whose work it is"),
    "feedback": N_("What was said about work"),
    "confidentiality": N_("Something was passed on that should not have been"),
    "other": N_("Something else"),
}
"""What a disagreement is about."""


def state(case: Case) -> str:
    """Return the state of a case, or its outcome once it has one."""
    key = case.outcome or case.state
    return BETWEEN_STATES.get(key, STATES.get(key, key)) if case.kind == "disagreement" else STATES[key]


def step(case: Case, kind: str) -> str:
    """Return what happened in a step."""
    return BETWEEN_STEPS.get(kind, STEPS.get(kind, kind)) if case.kind == "disagreement" else STEPS[kind]


def part(case: Case, took: str, you: str) -> str:
    """Return who took a step, for a party.

    Args:
        you: the part of the one who reads it.
    """
    if case.kind != "disagreement":
        return PARTS[took]
    if took == "network":
        return N_("The network")
    return PARTS["member"] if took == you else OTHERS.get(took, PARTS[took])


def of(error: ServiceError, *, between: bool = False) -> str:
    """Return what a refusal means, in a sentence for people; without one, the sentence for programs.

    Args:
        between: it was about a disagreement.
    """
    meant = BETWEEN_REFUSED.get(error.code) if between else None
    return meant or REFUSED.get(error.code, error.message)
