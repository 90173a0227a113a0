"""Plain sentences for headline, questions, reasons and steps of a check."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from credentials import Check
from service.checking import headlines
from service.checking.basis import comparison
from service.checking.check import Checked
from service.checking.issuers import Issuer
from service.checking.questions import Question
from service.checking.trust_lists import OWN_LISTS
from service.texts.languages import N_, Language

QUESTIONS: Final[Mapping[str, str]] = {
    "authentic": N_("Is it authentic?"),
    "current": N_("Is it still valid?"),
    "issuer": N_("Do we know the issuer?"),
    "evidence": N_("Is the evidence unchanged?"),
    "policy": N_("Was the published rule followed?"),
}

ANSWERS: Final[Mapping[str, str]] = {
    "yes": N_("Yes"),
    "no": N_("No"),
    "could-not-check": N_("Could not check"),
    "not-offered": N_("Not offered"),
}

REASONS: Final[Mapping[str, str]] = {
    "unchanged": N_("Every word of it is as its issuer signed it."),
    "unreadable": N_("This is not a badge."),
    "no-badge": N_("This is not a badge."),
    "changed": N_("It was changed after it was signed, or was never signed like this."),
    "forged": N_("It says that we signed it, but we never did."),
    "records-lost": N_("Our records of that time were lost when a backup was restored."),
    "unsigned": N_("It has no signature. Anybody could have written it."),
    "not-in-form": N_("It breaks the standard for badges."),
    "older-hosted": N_(
        "Its issuer's address shows it today. It has no signature: nobody can prove that it was not changed since it was "
        "issued."
    ),
    "older-signed": N_(
        "Its signature is good. What the badge stands for is not signed: that is what its issuer's address says today."
    ),
    "older-differs": N_("This copy differs from what its issuer's address says, and only the address counts."),
    "older-description": N_("It describes a badge or an issuer. It is not a person's badge."),
    "older-not-reached": N_("Only its issuer's address can confirm it, and that address did not show it."),
    "older-kind": N_("It has neither a signature nor an address where its issuer keeps it."),
    "older-elsewhere": N_("It is at an address that its issuer does not use for badges."),
    "older-only-revoked": N_("Its issuer's address says only that the badge was taken back."),
    "older-in-force": N_("Its issuer's address shows it today, and it has not expired."),
    "older-unconfirmed": N_("We cannot trust what it says until its issuer confirms it."),
    "older-evidence-told": N_("It describes its evidence only in words. There is nothing to compare."),
    "words-unknown": N_("It uses words that we do not know, so we cannot check its signature."),
    "form-unknown": N_("It is signed in a way that we do not know, so we cannot check it."),
    "signature-not-checked": N_("We could not check its signature."),
    "clock-open": N_("By our clock, it was signed in the future: our clock or the issuer's is wrong."),
    "form-open": N_("It can be read in more than one way, or in a form that we could not look up."),
    "in-force": N_("Its issuer has not taken it back, and it has not expired."),
    "in-force-newer-copy": N_("It was not taken back and has not expired. There is a newer copy."),
    "in-force-other-list": N_(
        "It was not taken back and has not expired. Somebody other than its issuer signed the list that says so."
    ),
    "no-way-to-take-back": N_("It has not expired. This issuer does not say whether a badge was taken back."),
    "revoked": N_("Its issuer took it back."),
    "replaced": N_("Its issuer took it back and issued a new one in its place."),
    "suspended": N_("Its issuer is looking into it. It does not count until that is decided."),
    "expired": N_("It has expired."),
    "not-yet-valid": N_("By our clock, it starts later."),
    "status-not-reached": N_("We could not get the issuer's list of badges taken back."),
    "status-not-in-order": N_("The issuer's list of badges taken back has a mistake."),
    "dates-not-in-order": N_("Its dates are wrong."),
    "signature-first": N_("Without a good signature we cannot trust what it says."),
    "issuer-listed": N_("%(name)s (%(domain)s). We know it from: %(lists)s."),
    "issuer-unlisted": N_("It was signed by the owner of %(domain)s. They are on none of our lists."),
    "issuer-without-domain": N_("It was signed with a key that belongs to no web domain and is on none of our lists."),
    "issuer-alike": N_(
        "It was signed by the owner of %(domain)s. Careful: the name is almost the same as %(alike)s, which is somebody "
        "else."
    ),
    "issuer-unconfirmed": N_(
        "It is a network of this service (%(domain)s). The operator of this service has not confirmed who runs it."
    ),
    "issuer-keys-from-bundle": N_(
        "It was signed with the keys in this file. Compare them with a key that you have from %(domain)s itself."
    ),
    "issuer-test": N_("It is a practice network of this service."),
    "key-not-published": N_("The key that signed it is not published where it says."),
    "issuer-keys-not-in-order": N_(
        "We found something else where the issuer's keys should be, so we could not check the signature."
    ),
    "issuer-key-ended": N_("Its issuer took back the key that signed it, or the key has expired."),
    "never-signed-here": N_("Not the issuer that it names. We never signed it."),
    "issuer-other-key": N_("The key that signed it does not belong to the issuer it names."),
    "issuer-not-reached": N_("We could not get the issuer's keys."),
    **comparison.REASONS,
}
"""A sentence for each reason of a question."""

STEPS: Final[Mapping[str, str]] = {
    "parse": N_("It can be read"),
    "context": N_("Every word in it is defined"),
    "schema": N_("It is in the form of the standard"),
    "subject": N_("It says who achieved what, and how"),
    "proof": N_("The signature fits"),
    "issuer": N_("The key is the issuer's"),
    "refresh": N_("We looked for a newer copy"),
    "status": N_("It was not taken back"),
    "validity": N_("Today is within its dates"),
    "resources": N_("What it links to has not changed"),
    "recipient": N_("It was issued to the person you named"),
    "endorsements": N_("Its endorsements are valid"),
}
"""What each check of a report says where it passed."""

STEPS_OF_OLDER: Final[Mapping[str, str]] = {
    **STEPS,
    "issuer": N_("Its issuer confirms it"),
    "refresh": N_("It is what its issuer's address says"),
}
"""The same for a badge of the older standard."""

OUTCOMES: Final[Mapping[str, str]] = {
    "passed": N_("yes"),
    "failed": N_("no"),
    "undecided": N_("could not be checked"),
    "skipped": N_("does not apply"),
}
_NOT_ASKED = N_("was not asked for")
_NAMING: Final = frozenset({"genuine-unlisted", "older-hosted", "older-signed"})
"""Headlines of badges whose issuer may bear a name that resembles a listed one's."""
_UNKNOWN: Final = frozenset({"issuer-unlisted", "issuer-without-domain", "issuer-alike", "issuer-unconfirmed"})
"""Reasons for which the issuer is not known: said as a plain no."""


@dataclass(frozen=True)
class WordedAnswer:
    """A question with its answer, in words."""

    name: str
    answer: str
    question: str
    word: str
    sentence: str


def headline(checked: Checked, language: Language) -> tuple[str, str]:
    """Return title and sentence of a check's headline."""
    title, sentence = headlines.HEADLINES[checked.headline]
    if checked.headline == "genuine":
        sentence = _genuine(checked)
    if checked.headline == "genuine-recipient-open":
        sentence = headlines.COMPARABLE[checked.comparable] or sentence
    if checked.headline == "genuine-unlisted" and checked.issuer is not None and checked.issuer.page:
        sentence = headlines.UNCONFIRMED
    if checked.headline in _NAMING and checked.issuer is not None and checked.issuer.alike is not None:
        return language.gettext(title), language.gettext(headlines.ALIKE, name=checked.issuer.alike.name)
    return language.gettext(title), language.gettext(sentence)


def _genuine(checked: Checked) -> str:
    theirs = checked.outcome("recipient") == "passed"
    if checked.outcome("status") == "skipped":
        if theirs:
            return N_("Unchanged, signed by its issuer, and issued to the person you named. It cannot be taken back.")
        return N_("Unchanged and signed by its issuer, who cannot take it back. It does not prove who holds it.")
    if theirs:
        return N_("Unchanged, signed by its issuer, not taken back, and issued to the person you named.")
    return N_("Unchanged, signed by its issuer, and not taken back. It does not prove who holds it.")


def said(checked: Checked, language: Language) -> list[WordedAnswer]:
    """Return the five questions with their answers in words."""
    return [
        WordedAnswer(
            each.name,
            each.answer,
            language.gettext(QUESTIONS[each.name]),
            language.gettext(ANSWERS["no" if each.reason in _UNKNOWN else each.answer]),
            reason(each, checked.issuer, language),
        )
        for each in checked.questions
    ]


def reason(question: Question, issuer: Issuer | None, language: Language) -> str:
    """Return the sentence that gives the reason of an answer."""
    text = language.gettext(REASONS[question.reason])
    if question.name != "issuer" or issuer is None:
        return text
    values = {
        # By its name in the list: nobody vouches for the name that it gives itself.
        "name": next((found.name for found in issuer.listings), "") or issuer.name or issuer.id,
        "domain": issuer.domain or language.gettext(N_("no web domain")),
        "lists": ", ".join(lists_of(issuer, language)),
        "alike": issuer.alike.name if issuer.alike is not None else "",
    }
    return text % values


def lists_of(issuer: Issuer, language: Language) -> list[str]:
    """Return the names of the lists that know an issuer."""
    names = dict.fromkeys(found.list_name for found in issuer.listings)
    return [language.gettext(name) if name in OWN_LISTS else name for name in names]


def steps(checks: tuple[Check, ...], language: Language, *, older: bool = False) -> list[dict[str, Any]]:
    """Return the checks of a report in their order, each `{name, outcome, text, word, findings}`.

    `older` says whether it is on a badge of the older standard.
    """
    texts = STEPS_OF_OLDER if older else STEPS
    return [
        {
            "name": check.name,
            "outcome": check.outcome,
            "text": language.gettext(texts[check.name]),
            "word": language.gettext(_NOT_ASKED if _is_unasked(check) else OUTCOMES[check.outcome]),
            "findings": check.findings,
        }
        for check in checks
    ]


def _is_unasked(check: Check) -> bool:
    return check.outcome == "skipped" and any(finding.code.endswith("-not-asked") for finding in check.findings)
