"""The count of hours and credits in words: for the page, and as columns of a CSV."""

from collections.abc import Mapping, Sequence
from typing import Final

from service.checking.batch.counting import Decision, Entry, Person, Standing, Wanted
from service.texts.languages import N_, Language

DECISIONS: Final[Mapping[Decision, str]] = {
    "accepted": N_("Accepted"),
    "short": N_("Not enough"),
    "to-ask": N_("To ask"),
}
STANDINGS: Final[Mapping[Standing, str]] = {
    "counted": N_("Counts"),
    "open": N_("Not clear yet"),
    "not-counted": N_("Does not count"),
}
REASONS: Final[Mapping[str, str]] = {
    "different-address": N_("Issued to a different address. People change addresses: ask them."),
    "recipient-not-said": N_("The badge does not say whose it is. Ask them for one that does."),
    "badge-replaced": N_("There is a newer version of this badge. Check that one."),
    "practice-badge": N_("A practice badge is worth nothing."),
    "no-badge": N_("This is not a badge that somebody earned."),
    "badge-taken-back": N_("The issuer took this badge back."),
    "badge-suspended": N_("The issuer is looking into this badge. Ask again later."),
    "badge-expired": N_("This badge has expired. Decide whether it still counts."),
    "badge-not-yet-valid": N_("This badge is not valid yet."),
    "older-standard": N_("This badge is of an older standard that proves less. Decide whether it counts."),
    "issuer-by-name-only": N_("Your list has only this issuer's name. Add its domain or identifier to your list."),
    "issuer-shares-domain": N_(
        "Other networks share this issuer's domain. Add the identifier or the page of the network to your list."
    ),
    "issuer-not-approved": N_("The issuer is not on your list."),
    "not-checked": N_("This line could not be checked."),
    "badge-not-in-order": N_("This badge was changed, forged or damaged. Ask the person about it."),
    "badge-undecided": N_("We could not finish checking this badge, or you need to look at it."),
    "issuer-not-known": N_("We do not know this issuer. If you do, add it to your list."),
    "outside-dates": N_("Outside your dates."),
    "partly-outside-dates": N_("Partly outside your dates."),
    "date-not-said": N_("The badge does not say when."),
    "same-badge-again": N_("You gave the same badge twice. It counts once."),
    "evidence-counted-before": N_("Another badge of this person uses the same evidence. It counts once."),
    "evidence-shared": N_("Another badge of this person uses part of the same evidence. That part counts once."),
    "amount-not-said": N_("The badge states no hours and no credits."),
    "hours-missing": N_("Fewer hours than needed."),
    "credits-missing": N_("Fewer credits than needed."),
    "nothing-counted": N_("Nothing counts yet."),
}
"""A sentence for each reason of a person and of a badge."""

COLUMNS: Final = (
    N_("Person"),
    N_("Decision"),
    N_("Hours of the person"),
    N_("Credits of the person"),
    N_("Why (codes)"),
    N_("Why"),
    N_("This badge"),
    N_("Hours that count"),
    N_("Credits that count"),
    N_("Provider"),
    N_("Who gives the credits"),
    N_("Why this badge (codes)"),
    N_("Why this badge"),
)
"""Columns of a CSV after all others, where hours and credits are counted."""
NOT_SAID: Final = N_("Not said")


def cells(person: Person, entry: Entry, language: Language) -> tuple[str, ...]:
    """Return the cells of one badge under `COLUMNS`."""
    return (
        person.name,
        language.gettext(DECISIONS[person.decision]),
        language.number(person.hours),
        language.number(person.credits),
        " ".join(person.reasons),
        sentences(person.reasons, language),
        language.gettext(STANDINGS[entry.standing]),
        language.number(entry.hours),
        language.number(entry.credits),
        entry.facts.provider,
        authorities(entry, language),
        " ".join(entry.reasons),
        sentences(entry.reasons, language),
    )


def sentences(reasons: Sequence[str], language: Language) -> str:
    """Return the reasons in words, one after the other."""
    return " ".join(language.gettext(REASONS[reason]) for reason in reasons)


def authorities(entry: Entry, language: Language) -> str:
    """Return whose the credits of a badge are; "" where it states none."""
    if not entry.facts.credits:
        return ""
    return "; ".join(entry.facts.authorities) or language.gettext(NOT_SAID)


def totals(sums: Mapping[str, int], wanted: Wanted, language: Language) -> str:
    """Return how many people there are of each decision, in one sentence."""
    accepted = language.ngettext("%(num)s accepted", "%(num)s accepted", sums["accepted"])
    asked = language.ngettext("%(num)s to ask", "%(num)s to ask", sums["to-ask"])
    if wanted.credits is None:
        short = language.ngettext("%(num)s short of hours", "%(num)s short of hours", sums["short"])
    elif wanted.hours is None:
        short = language.ngettext("%(num)s short of credits", "%(num)s short of credits", sums["short"])
    else:
        short = language.ngettext(
            "%(num)s short of hours or credits", "%(num)s short of hours or credits", sums["short"]
        )
    return f"{accepted}, {short}, {asked}"
