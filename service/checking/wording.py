"""Plain sentences for the headline, and for each question, reason and step of a check."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from credentials import Check
from service.checking import headlines
from service.checking.basis import comparison
from service.checking.check import Checked
from service.checking.issuers import Issuer
from service.checking.questions import Question
from service.texts.languages import N_, Language

QUESTIONS: Final[Mapping[str, str]] = {
    "authentic": N_("Is it authentic?"),
    "current": N_("Is it still valid?"),
    "issuer": N_("Who really issued it?"),
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
    "unreadable": N_("This cannot be read as a badge."),
    "changed": N_("It was changed after it was signed, or was never signed like this."),
    "forged": N_("It was never signed here, and it says that it was."),
    "records-lost": N_("It is of a time whose records were lost here, when a backup had to be restored."),
    "unsigned": N_("It carries no signature. Anybody could have written it."),
    "not-in-form": N_("It breaks the standard for badges."),
    "older-hosted": N_(
        "Its issuer's address says so today. It carries no signature: nobody can show that it was not changed since it "
        "was issued."
    ),
    "older-signed": N_(
        "Its signature holds. What the badge stands for is not signed: that is what its issuer's address says today."
    ),
    "older-differs": N_("This copy says something else than its issuer's address, and only the address counts."),
    "older-description": N_("It describes a badge or an issuer, and is nobody's badge."),
    "older-not-reached": N_("Only its issuer's address can confirm it, and that did not answer with it."),
    "older-kind": N_("It has neither a signature nor an address where its issuer keeps it."),
    "older-elsewhere": N_("It lies at an address that the issuer it names does not use for badges."),
    "older-only-revoked": N_("Its issuer's address says only that it was taken back."),
    "older-in-force": N_("Its issuer's address shows it today, and its time is not over."),
    "older-unconfirmed": N_("Nothing that it says counts until its issuer confirms it."),
    "older-evidence-told": N_("It describes its evidence in words only. There is nothing to compare them with."),
    "words-unknown": N_("It uses a vocabulary that is not known here, so that its signature cannot be checked."),
    "form-unknown": N_("It is signed in a way that is not known here, so that it cannot be checked."),
    "signature-not-checked": N_("Its signature could not be checked."),
    "clock-open": N_("It was signed later than the clock of this service says it is: one of two clocks is wrong."),
    "form-open": N_("It can be read in more than one way, or has a form that could not be looked up."),
    "in-force": N_("Its issuer has not taken it back, and its time is not over."),
    "in-force-newer-copy": N_("It was not taken back, and its time is not over. A newer copy was signed since."),
    "in-force-other-list": N_(
        "It was not taken back, and its time is not over. The list that says so is signed by somebody else than its issuer."
    ),
    "no-way-to-take-back": N_(
        "Its time is not over. This issuer offers no way to find out whether a badge was taken back."
    ),
    "revoked": N_("Its issuer took it back."),
    "suspended": N_("Its issuer is looking into it, and it does not count until that is decided."),
    "expired": N_("Its time is over."),
    "not-yet-valid": N_("By the clock of this service its dates begin later."),
    "status-not-reached": N_("The issuer's list of badges taken back could not be had now."),
    "status-not-in-order": N_("The issuer's list of badges taken back is not in order."),
    "dates-not-in-order": N_("Its dates are not in order."),
    "signature-first": N_("Without a signature that holds, nothing that it says counts."),
    "issuer-listed": N_("%(name)s (%(domain)s). Known from: %(lists)s."),
    "issuer-unlisted": N_("Whoever controls %(domain)s. No list here knows them."),
    "issuer-without-domain": N_("Whoever holds this key. It belongs to no web domain, and no list here knows it."),
    "issuer-alike": N_("Whoever controls %(domain)s. Careful: the name resembles %(alike)s, which is somebody else."),
    "issuer-keys-from-bundle": N_(
        "Whoever holds the keys in this bundle. Only a key that you have from %(domain)s itself shows whether that is them."
    ),
    "issuer-test": N_("A network of this service that is only trying things out."),
    "key-not-published": N_("The key that it names is not, or not any more, published where it says."),
    "issuer-keys-not-in-order": N_(
        "Where the issuer's keys should be published is something else, so that its signature could not be checked."
    ),
    "issuer-key-ended": N_("Its issuer took back the key that signed it, or its time is over."),
    "never-signed-here": N_("Not the one that it names: this service never signed it."),
    "issuer-other-key": N_("The key that signed it is not the named issuer's."),
    "issuer-not-reached": N_("The issuer's keys could not be had now."),
    **comparison.REASONS,
}
"""A sentence for each reason of a question."""

STEPS: Final[Mapping[str, str]] = {
    "parse": N_("It can be read"),
    "context": N_("Every word in it is defined"),
    "schema": N_("It is in the form of the standard"),
    "subject": N_("It says what was achieved, by whom, for what"),
    "proof": N_("The signature fits"),
    "issuer": N_("The key is the issuer's"),
    "refresh": N_("A newer copy was looked for"),
    "status": N_("It was not taken back"),
    "validity": N_("Today is within its dates"),
    "resources": N_("What it refers to is unchanged"),
    "recipient": N_("It was issued to the person that you gave"),
    "endorsements": N_("Those who vouch for it stand by that"),
}
"""What each check of a report says where it passed."""

STEPS_OF_OLDER: Final[Mapping[str, str]] = {
    **STEPS,
    "issuer": N_("Its issuer stands behind it"),
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
    if checked.headline in _NAMING and checked.issuer is not None and checked.issuer.alike is not None:
        return language.gettext(title), language.gettext(headlines.ALIKE, name=checked.issuer.alike.name)
    return language.gettext(title), language.gettext(sentence)


def _genuine(checked: Checked) -> str:
    theirs = checked.outcome("recipient") == "passed"
    if checked.outcome("status") == "skipped":
        if theirs:
            return N_("Unchanged, signed by its issuer, and issued to whom you gave. It cannot be taken back.")
        return N_("Unchanged and signed by its issuer, who cannot take it back. It does not say who is holding it.")
    if theirs:
        return N_("Unchanged, signed by its issuer, not taken back, and issued to whom you gave.")
    return N_("Unchanged, signed by its issuer, and not taken back. It does not say who is holding it.")


def said(checked: Checked, language: Language) -> list[WordedAnswer]:
    """Return the five questions with their answers in words."""
    return [
        WordedAnswer(
            each.name,
            each.answer,
            language.gettext(QUESTIONS[each.name]),
            language.gettext(ANSWERS[each.answer]),
            reason(each, checked.issuer, language),
        )
        for each in checked.questions
    ]


def reason(question: Question, issuer: Issuer | None, language: Language) -> str:
    """Return the sentence that gives the reason of an answer."""
    text = language.gettext(REASONS[question.reason])
    if question.name != "issuer" or issuer is None:
        return text
    lists = [language.gettext(found.list_name) if issuer.page else found.list_name for found in issuer.listings]
    values = {
        # By its name in the list: nobody vouches for the name that it gives itself.
        "name": next((found.name for found in issuer.listings), "") or issuer.name or issuer.id,
        "domain": issuer.domain or language.gettext(N_("no web domain")),
        "lists": ", ".join(lists),
        "alike": issuer.alike.name if issuer.alike is not None else "",
    }
    return text % values


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
