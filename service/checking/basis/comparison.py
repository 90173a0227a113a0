"""Compare a badge with its evidence and with the rule by which it was awarded.

Only a badge whose signature and issuer are verified is compared: its digests are then what its issuer signed. Badges
that were issued here are compared with our own records; those of other issuers with what their addresses give, and only
where somebody asked for that, since the server that keeps the evidence then sees that somebody looks.

The answer is the gravest reason that was found, and what could not be compared is never a yes.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from credentials import CredentialError, Fetched, Load, Report, UnavailableError, canonical_json, parse_json
from service.checking.basis import evidence as cited_evidence
from service.checking.basis import policy as policies
from service.checking.questions import Answer, Question
from service.criteria.tree import Criterion
from service.errors import InvalidError
from service.runtime.runtime import Runtime
from service.texts.languages import N_

if TYPE_CHECKING:
    from service.checking.basis.our_records import OwnBadge

_SAID: Final[tuple[tuple[Answer, str, str], ...]] = (
    # The gravest first.
    (
        "no",
        "evidence-changed",
        N_("Some of its evidence was changed after the badge was signed."),
    ),
    (
        "no",
        "evidence-taken-back",
        N_("Some of the evidence was taken back, or set aside, after the badge was signed."),
    ),
    (
        "could-not-check",
        "evidence-not-on-record",
        N_("We did not find some of its evidence in the issuer's records."),
    ),
    (
        "could-not-check",
        "evidence-file-missing",
        N_("A file that belongs to the evidence is no longer kept."),
    ),
    (
        "could-not-check",
        "evidence-erased",
        N_(
            "Some of the evidence was erased. People may ask for that. Its date and fingerprint are still on "
            "record, and they are right."
        ),
    ),
    (
        "could-not-check",
        "evidence-corrected-by-people",
        N_(
            "Some of the evidence was corrected after the badge was signed. People at the issuer decide whether the "
            "badge still stands."
        ),
    ),
    ("could-not-check", "evidence-not-reached", N_("We could not get some of the evidence. Try again later.")),
    (
        "could-not-check",
        "evidence-fingerprint-unknown",
        N_("It gives a fingerprint of its evidence in a form that we do not know."),
    ),
    ("could-not-check", "evidence-too-many", N_("It cites more evidence than we compare in one check.")),
    ("could-not-check", "evidence-large", N_("Some files are too large to compare while you wait.")),
    (
        "could-not-check",
        "evidence-with-issuer",
        N_(
            "Its issuer keeps the evidence, and we cannot see it. The badge has fingerprints of it: anyone who "
            "sees the evidence can compare them."
        ),
    ),
    (
        "could-not-check",
        "evidence-not-asked",
        N_(
            "The evidence is kept elsewhere. We did not ask for it, so nobody there learns that you are checking "
            "this badge."
        ),
    ),
    (
        "could-not-check",
        "evidence-partly-sealed",
        N_("What we could compare is unchanged. Other evidence is only linked, and can be changed where it is kept."),
    ),
    (
        "yes",
        "evidence-corrected",
        N_(
            "Some of the evidence was corrected after the badge was signed. With the correction, the rule is still met."
        ),
    ),
    ("yes", "evidence-unchanged", N_("None of its evidence has changed since the badge was signed.")),
    (
        "not-offered",
        "evidence-without-digest",
        N_("It links to evidence without a fingerprint, so nobody can tell whether it was changed."),
    ),
    (
        "not-offered",
        "evidence-only-told",
        N_("It describes its evidence only in words. They are signed; there is nothing to compare."),
    ),
    ("not-offered", "evidence-none", N_("It cites no evidence.")),
    (
        "no",
        "policy-receipt-of-another",
        N_("It cites the record of another decision."),
    ),
    (
        "no",
        "policy-receipt-contradicts",
        N_("By its own numbers, the issuer's record of the decision does not show that the rule was met."),
    ),
    ("no", "policy-rule-differs", N_("The rule that decided it is not the published one.")),
    ("no", "policy-override", N_("People decided by hand, and not by the published rule.")),
    (
        "could-not-check",
        "policy-receipt-changed",
        N_("The issuer's record of the decision is not the one that the badge was signed with."),
    ),
    (
        "could-not-check",
        "policy-receipt-not-reached",
        N_("We could not get the issuer's record of the decision. Try again later."),
    ),
    (
        "could-not-check",
        "policy-receipt-unknown-form",
        N_("The record of the decision has a form that we do not know."),
    ),
    ("could-not-check", "policy-under-review", N_("The issuer is reviewing how it was decided.")),
    (
        "could-not-check",
        "policy-evidence-differs",
        N_("The badge and the record of the decision do not cite the same evidence."),
    ),
    (
        "could-not-check",
        "policy-rule-not-reached",
        N_("The record of the decision is good. We could not get the published rule to compare it with."),
    ),
    (
        "could-not-check",
        "policy-rule-unknown",
        N_("The published rule has a form that we do not know."),
    ),
    (
        "could-not-check",
        "policy-recorded",
        N_("It was awarded elsewhere or earlier, and only recorded here. We cannot see how that was decided."),
    ),
    (
        "could-not-check",
        "policy-people",
        N_("Its criteria are words, and people judged whether they are met. A program cannot check that."),
    ),
    (
        "could-not-check",
        "policy-not-asked",
        N_(
            "Its issuer keeps a record of the decision. We did not ask for it, so nobody there learns that you are "
            "checking this badge."
        ),
    ),
    (
        "yes",
        "policy-followed",
        N_("The issuer's record of the decision shows, condition by condition, that its published rule was met."),
    ),
    (
        "yes",
        "policy-approved",
        N_("The issuer's record of the decision shows that its published rule was met and that people approved."),
    ),
    ("not-offered", "policy-no-receipt", N_("Its issuer publishes no record of how it was decided.")),
)

DEFINITION: Final = "/definition.json"
"""What the address of a definition adds to that of its achievement; a receipt gives the definition's digest."""

REASONS: Final[Mapping[str, str]] = {reason: sentence for _, reason, sentence in _SAID}
"""A sentence for people for each reason, the gravest first."""
ANSWERS: Final[Mapping[str, Answer]] = {reason: answer for answer, reason, _ in _SAID}
"""The answer that belongs to each reason."""


class _OpenError(Exception):
    """The comparison ends with one reason of `REASONS`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Grounds:
    """How a badge compares with its evidence and rule.

    Args:
        evidence, policy: the answers to the fourth and the fifth of `questions.NAMES`.
        receipt: the receipt of its decision, whose digest fits; None where it cannot or must not be fetched.
    """

    evidence: Question
    policy: Question
    receipt: Mapping[str, Any] | None


def look(
    runtime: Runtime, credential: Mapping[str, Any], report: Report, *, ask: bool, load: Load, rows: bool = True
) -> Grounds:
    """Compare a badge with its evidence and with the published rule.

    1. What it cites as evidence has the digests that it gives.
    2. It cites the receipt of its decision by digest, and what is there has that digest.
    3. The receipt is about this very badge, and its numbers are consistent.
    4. The definition that it names is the published one, and asks for what the receipt says was asked for.
    5. A decision by people has a reason of its own: no program can see whether they were right.

    A case that contests the decision is not mentioned: only its parties may know of it.

    Args:
        credential: with a valid signature.
        ask: fetch what others keep.
        load: loads documents; it is called once for each address.
        rows: whether to read our own records; False where there are none, as for a bundle.
    """
    once = _once(load)
    item = policies.receipt_item(credential)
    found = list(cited_evidence.related(runtime, credential, report))
    own = None
    if rows and runtime.has_rows:
        from service.checking.basis import our_records

        with runtime.database.read() as session:
            own = our_records.find(session, runtime, credential, item["id"] if item is not None else None)
            if own is not None:
                found += cited_evidence.here(session, credential, own, ask=ask)  # (1)
    if own is None:
        found += cited_evidence.with_others(credential, ask=ask, load=once)  # (1)
    if "evidence-unchanged" in found and "evidence-without-digest" in found:
        found.append("evidence-partly-sealed")
    reason, receipt = _policy(credential, item, own, once, ask=ask)
    return Grounds(_gravest("evidence", found or ["evidence-none"]), _gravest("policy", [reason]), receipt)


def _once(load: Load) -> Load:
    """Return a loader that asks each address once, even one that does not answer."""
    known: dict[str, Fetched | UnavailableError] = {}

    def ask(address: str) -> Fetched:
        if address not in known:
            try:
                known[address] = load(address)
            except UnavailableError as error:
                known[address] = error
        answer = known[address]
        if isinstance(answer, UnavailableError):
            raise answer
        return answer

    return ask


def _policy(
    credential: Mapping[str, Any], item: Mapping[str, Any] | None, own: "OwnBadge | None", load: Load, *, ask: bool
) -> tuple[str, Mapping[str, Any] | None]:
    """Return the reason of the fifth answer, and the receipt if it fits."""
    if item is None:
        return "policy-no-receipt", None
    if own is None and not ask:
        return "policy-not-asked", None
    try:
        receipt = _receipt(item, own, load)  # (2)
    except _OpenError as found:
        return found.reason, None
    return _decided(credential, receipt, own, load), receipt


def _gravest(name: str, found: Collection[str]) -> Question:
    reason = next(each for each in REASONS if each in found)
    return Question(name, ANSWERS[reason], reason)


def _decided(credential: Mapping[str, Any], receipt: Mapping[str, Any], own: "OwnBadge | None", load: Load) -> str:
    if policies.of_another(receipt, credential):  # (3)
        return "policy-receipt-of-another"
    if policies.contradicts_itself(receipt):
        return "policy-receipt-contradicts"
    if own is not None and own.review_since is not None:
        return "policy-under-review"
    if receipt["basis"] == "recorded":  # (5)
        return "policy-recorded"
    try:
        rule = _rule(receipt, own, load)  # (4)
    except _OpenError as found:
        return found.reason
    if receipt["basis"] == "override":  # (5)
        return "policy-people" if rule is None else "policy-override"
    if rule is None or policies.rule_differs(receipt, rule):
        return "policy-rule-differs"
    if policies.evidence_differs(receipt, credential):
        return "policy-evidence-differs"
    return "policy-approved" if receipt["basis"] == "approval" else "policy-followed"


def _receipt(item: Mapping[str, Any], own: "OwnBadge | None", load: Load) -> Mapping[str, Any]:
    """Return the receipt that an item of evidence cites by its digest.

    Raises:
        _OpenError: it cannot be fetched, is another one, or has an unknown form.
    """
    try:
        body = load(item["id"]).body if own is None else (own.receipt or "").encode()
    except UnavailableError as error:
        raise _OpenError("policy-receipt-not-reached") from error
    if own is not None and own.receipt is None:
        raise _OpenError("policy-receipt-not-reached")
    if not policies.fits(item, body):
        raise _OpenError("policy-receipt-changed")
    try:
        receipt = parse_json(body)
    except CredentialError as error:
        raise _OpenError("policy-receipt-unknown-form") from error
    if not isinstance(receipt, Mapping) or not policies.is_form(receipt):
        raise _OpenError("policy-receipt-unknown-form")
    return receipt


def _rule(receipt: Mapping[str, Any], own: "OwnBadge | None", load: Load) -> Criterion | None:
    """Return the rule of the published definition that the receipt cites by digest.

    Return None without a rule.

    Raises:
        _OpenError: it cannot be fetched, is another one, or has an unknown form.
    """
    try:
        body = canonical_json(own.version.definition) if own else load(f"{receipt['achievement']}{DEFINITION}").body
        rule = policies.rule_in(parse_json(body))
    except UnavailableError as error:
        raise _OpenError("policy-rule-not-reached") from error
    except (CredentialError, InvalidError) as error:
        raise _OpenError("policy-rule-unknown") from error
    if sha256(body).hexdigest() != receipt.get("definition_sha256"):
        raise _OpenError("policy-rule-differs")
    return rule
