"""Plain sentences for each headline, question, reason and step of a check."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from credentials import Check
from service.checking.basis import comparison
from service.checking.check import Checked
from service.checking.issuers import Issuer
from service.checking.questions import Question
from service.texts.languages import N_, Language

HEADLINES: Final[Mapping[str, tuple[str, str]]] = {
    "genuine": (N_("This badge is genuine and valid"), ""),
    "genuine-unlisted": (
        N_("Genuine, but by an issuer that no list here knows"),
        N_("The signature holds. Nobody here vouches for who stands behind it: find that out before you rely on it."),
    ),
    "genuine-keys-open": (
        N_("Genuine, if the keys in this bundle are the issuer's"),
        N_("Whoever made the bundle put the keys there. Compare them with a key that you have from the issuer itself."),
    ),
    "genuine-recipient-open": (
        N_("Genuine and valid, but it does not say whose it is"),
        N_("It names nobody in a way that could be compared with what you gave."),
    ),
    "test": (N_("A test: this badge is worth nothing"), N_("A network made it to try things out.")),
    "evidence-changed": (
        N_("Genuine, but what it rests on has changed"),
        N_("The badge is as it was signed. Its evidence is not any more what it was then."),
    ),
    "policy-not-followed": (
        N_("Genuine, but not decided by the published rule"),
        N_("The issuer signed it, and its own record of the decision does not show that its rule was followed."),
    ),
    "not-a-badge": (
        N_("Genuine, but not a badge"),
        N_("It is a signed statement of another kind, and its signature holds."),
    ),
    "older-kind": (
        N_("A badge of an older kind, which cannot be checked here"),
        N_(
            "Open Badges 2.0 and before are kept on their issuer's server. Ask for it in version 3.0, or ask the issuer."
        ),
    ),
    "revoked": (
        N_("This badge was revoked"),
        N_("It is genuine, and its issuer took it back. It must not be relied on."),
    ),
    "suspended": (
        N_("This badge is suspended"),
        N_("It is genuine, and its issuer is looking into it. Until that is decided it must not be relied on."),
    ),
    "expired": (
        N_("This badge has expired"),
        N_("It is genuine, and its time is over. The person may have renewed it."),
    ),
    "not-yet-valid": (N_("This badge is not valid yet"), N_("It is genuine, and its dates begin later.")),
    "not-theirs": (
        N_("This badge is not theirs"),
        N_("It is genuine, and was not issued to the person or address that you gave."),
    ),
    "changed": (
        N_("Do not rely on this badge"),
        N_("It was changed after it was signed, or was never signed like this."),
    ),
    "unsigned": (
        N_("Do not rely on this badge"),
        N_("It carries no signature. Anybody could have written it."),
    ),
    "other-key": (
        N_("Do not rely on this badge"),
        N_("The issuer that it names did not sign it."),
    ),
    "key-not-published": (
        N_("Do not rely on this badge"),
        N_("The key that it names is not, or not any more, among those that are published where it says."),
    ),
    "key-ended": (
        N_("Do not rely on this badge"),
        N_("It was signed with a key that its issuer does not stand for any more. Ask the issuer for a new copy."),
    ),
    "not-in-form": (
        N_("Do not rely on this badge"),
        N_("It breaks the standard for badges, so that nobody can say for sure what it means."),
    ),
    "not-in-order": (
        N_("Do not rely on this badge"),
        N_("Something that belongs to it is not in order. The details below say what."),
    ),
    "unreadable": (
        N_("This is not a badge"),
        N_("Nothing in it can be read as a badge. Ask for the link to the badge, or for its file."),
    ),
    "issuer-not-reached": (
        N_("This could not be decided"),
        N_("The issuer's keys could not be had. That is neither a yes nor a no: try again later."),
    ),
    "issuer-keys-not-in-order": (
        N_("This could not be decided"),
        N_(
            "Where the issuer's keys should be published is something else, so that the signature could not be checked. "
            "Ask the issuer."
        ),
    ),
    "status-not-reached": (
        N_("This could not be decided"),
        N_("It is genuine. Whether its issuer has taken it back could not be found out now: try again later."),
    ),
    "not-decided": (
        N_("This could not be decided"),
        N_("Something could not be checked, and that is neither a yes nor a no. The details below say what."),
    ),
}
"""Title and sentence of each headline of `check.TONES`."""

ALIKE: Final = N_("Careful: its issuer calls itself almost like %(name)s, which is somebody else.")
"""The sentence instead where the issuer's name is easily confused with a listed one's."""

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
    "unsigned": N_("It carries no signature. Anybody could have written it."),
    "not-in-form": N_("It breaks the standard for badges."),
    "older-kind": N_("Badges of this older kind carry no signature that could be checked here."),
    "words-unknown": N_("It uses a vocabulary that is not known here, so that its signature cannot be checked."),
    "signature-not-checked": N_("Its signature could not be checked."),
    "form-open": N_("It can be read in more than one way, or has a form that could not be looked up."),
    "in-force": N_("Its issuer has not taken it back, and its time is not over."),
    "no-way-to-take-back": N_(
        "Its time is not over. This issuer offers no way to find out whether a badge was taken back."
    ),
    "revoked": N_("Its issuer took it back."),
    "suspended": N_("Its issuer is looking into it, and it does not count until that is decided."),
    "expired": N_("Its time is over."),
    "not-yet-valid": N_("Its dates begin later."),
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

OUTCOMES: Final[Mapping[str, str]] = {
    "passed": N_("yes"),
    "failed": N_("no"),
    "undecided": N_("could not be checked"),
    "skipped": N_("does not apply"),
}
_NOT_ASKED = N_("was not asked for")


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
    title, sentence = HEADLINES[checked.headline]
    if checked.headline == "genuine":
        sentence = _genuine(checked)
    if checked.headline == "genuine-unlisted" and checked.issuer is not None and checked.issuer.alike is not None:
        return language.gettext(title), language.gettext(ALIKE, name=checked.issuer.alike.name)
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


def steps(checks: tuple[Check, ...], language: Language) -> list[dict[str, Any]]:
    """Return the checks of a report in their order, each `{name, outcome, text, word, findings}`."""
    return [
        {
            "name": check.name,
            "outcome": check.outcome,
            "text": language.gettext(STEPS[check.name]),
            "word": language.gettext(_NOT_ASKED if _is_unasked(check) else OUTCOMES[check.outcome]),
            "findings": check.findings,
        }
        for check in checks
    ]


def _is_unasked(check: Check) -> bool:
    return check.outcome == "skipped" and any(finding.code.endswith("-not-asked") for finding in check.findings)
