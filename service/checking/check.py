"""Turn a verification into one headline and five answers for people.

The library's report says what each step found; this module answers what an employer wants to know. What could not be
checked is never a yes, and a signature alone is not green: somebody has to know the issuer.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any, Final, Literal

from credentials import Check, Load, Report
from service.checking import found_here, older, verification
from service.checking.basis import achieved, comparison
from service.checking.basis.achieved import Deeds
from service.checking.basis.comparison import Grounds
from service.checking.desk import Desk
from service.checking.issuers import Issuer, issuer_of, known_as
from service.checking.questions import Question
from service.unpacking.unpack import Allowance

Tone = Literal["good", "unsure", "bad"]

TONES: Final[Mapping[str, Tone]] = {
    "genuine": "good",
    "genuine-newer-copy": "unsure",
    "genuine-unlisted": "unsure",
    "genuine-keys-open": "unsure",
    "genuine-recipient-open": "unsure",
    "test": "unsure",
    "evidence-changed": "unsure",
    "policy-not-followed": "unsure",
    "not-a-badge": "unsure",
    "older-hosted": "unsure",
    "older-signed": "unsure",
    "older-differs": "unsure",
    "older-description": "unsure",
    "older-not-reached": "unsure",
    "older-kind": "unsure",
    "older-revoked": "bad",
    "older-elsewhere": "bad",
    "revoked": "bad",
    "suspended": "bad",
    "expired": "unsure",
    "not-yet-valid": "unsure",
    "not-theirs": "unsure",
    "forged": "bad",
    "changed": "bad",
    "unsigned": "bad",
    "other-key": "bad",
    "key-not-published": "bad",
    "key-ended": "bad",
    "not-in-form": "bad",
    "not-in-order": "bad",
    "unreadable": "bad",
    "records-lost": "unsure",
    "issuer-not-reached": "unsure",
    "issuer-keys-not-in-order": "unsure",
    "status-not-reached": "unsure",
    "clock-open": "unsure",
    "not-decided": "unsure",
}
"""Each headline and its tone; *good* is a genuine badge in force whose issuer is on a list of this service."""

UNPROVEN: Final = Grounds(
    Question("evidence", "could-not-check", "signature-first"),
    Question("policy", "could-not-check", "signature-first"),
    None,
)
"""The answers for a badge without a valid signature: its evidence and rule are not looked at."""

_STANDINGS: Final = (
    ("credential-revoked", "revoked"),
    ("credential-suspended", "suspended"),
    ("credential-expired", "expired"),
    ("credential-not-yet-valid", "not-yet-valid"),
)
"""Why a genuine badge may not be in force, gravest first: code of the finding, headline."""

_FORM: Final = ("context", "schema", "subject")
_UNSIGNED: Final = frozenset({"proof-missing"})
_UNPUBLISHED: Final = frozenset({"verification-method-missing"})
_NO_KEYS: Final = frozenset(
    {
        "controller-document-malformed",
        "controller-document-mismatch",
        "controller-mismatch",
        "key-private-published",
        "verification-method-repeated",
    }
)
"""Where the keys should be is something else, such as a new owner's page: the signature was not checked."""
_OF_THE_FUTURE: Final = frozenset({"proof-from-future", "jwt-not-yet-valid"})
_ENDED: Final = frozenset({"key-revoked", "key-expired"})


@dataclass(frozen=True)
class Checked:
    """A check of one badge at one moment.

    Args:
        at: when it was made.
        report: what each step found.
        headline: stable kebab-case code, one of `TONES`.
        questions: the five, in the order of `questions.NAMES`.
        issuer: the issuer that the badge names; None where it names none.
        deeds: what the person did, according to the badge and, where it was read, the receipt of the decision.
        received: what was checked, as it was received.
        address: where the badge was fetched; "" where it was given itself.
    """

    at: datetime
    report: Report
    headline: str
    questions: tuple[Question, ...]
    issuer: Issuer | None
    deeds: Deeds
    received: bytes = field(repr=False)
    address: str = ""

    @property
    def tone(self) -> Tone:
        """Whether the headline is good, unsure or bad."""
        return TONES[self.headline]

    @property
    def newer(self) -> str:
        """The address of the newer text, where this service has signed one since; otherwise ""."""
        credential = self.report.credential or {}
        return str(credential.get("id")) if found_here.NEWER_COPY in _codes(self.report.checks, "refresh") else ""

    def outcome(self, name: str) -> str:
        """Return the outcome of one of the report's checks."""
        return next(check.outcome for check in self.report.checks if check.name == name)

    def to_json(self) -> dict[str, Any]:
        """Return the report for programs, with headline, questions and issuer.

        `Report.to_json() | {checked_at, headline, tone, questions: [{name, answer, reason}], issuer, newer}`; issuer
        `{id, name, domain, lists, page}` or null; newer the address of a newer text that this service signed, or null.
        """
        return self.report.to_json() | {
            "checked_at": self.at.isoformat(timespec="seconds").replace("+00:00", "Z"),
            "headline": self.headline,
            "tone": self.tone,
            "questions": [question.to_json() for question in self.questions],
            "issuer": self.issuer.to_json() if self.issuer is not None else None,
            "newer": self.newer or None,
        }


def check_address(
    desk: Desk, url: str, recipient: str | None = None, *, evidence: bool = False, allowance: Allowance | None = None
) -> Checked:
    """Check the badge at a public address.

    Args:
        recipient: e-mail, DID or other identifier of the person who showed the badge.
        evidence: also fetch evidence that others keep, what the badge relates to, and a newer copy; those who keep
            them then see that somebody looks.
        allowance: what is left to the request; left out: as much as one request has.
    Raises:
        UnavailableError: the address gave nothing.
        InvalidError: an address that is never asked, or one without a badge.
    """
    allowance = allowance or desk.allowance()
    found = verification.look_up(desk.runtime, url, allowance)
    return check(desk, found.body, recipient, evidence=evidence, address=url, allowance=allowance)


def check(
    desk: Desk,
    received: bytes | str,
    recipient: str | None = None,
    *,
    evidence: bool = False,
    documents: Load | None = None,
    keys_vouched: bool = True,
    address: str = "",
    allowance: Allowance | None = None,
) -> Checked:
    """Check a badge; bad input never raises.

    Args:
        received: JSON text, compact JWS, PNG or SVG.
        recipient, evidence, allowance: as `check_address`.
        documents: loads the documents of issuers, in place of the network; then no row is read.
        keys_vouched: False where anybody may have written `documents`, the issuer's keys among them. Then a list makes
            no issuer known, and nothing is green.
        address: where the badge was fetched.
    """
    runtime = desk.runtime
    report = verification.verify_received(
        runtime,
        received,
        recipient,
        documents=documents,
        discreet=not evidence,
        time=(allowance or desk.allowance()).time,
        address=address,
    )
    body = received if isinstance(received, bytes) else received.encode("utf-8", "surrogatepass")
    load: Load = documents or partial(verification.load, runtime)
    found = {each.name: each for each in report.checks}
    proven = found["proof"].outcome == found["issuer"].outcome == "passed"
    credential = report.readable
    rows, ask = documents is None, evidence or documents is not None
    if report.older is not None:
        confirmed = report.is_confirmed and keys_vouched
        issuer = issuer_of(desk, credential, proven=confirmed, load=load, rows=rows)
        told = older.answers(report, issuer, confirmed=confirmed)
        headline = older.headline(report, confirmed=confirmed)
        return Checked(runtime.now(), report, headline, told, issuer, achieved.deeds(credential), body, address)
    issuer = issuer_of(desk, credential, proven=proven, load=load, rows=rows)
    rests = comparison.look(runtime, credential, report, ask=ask, load=load, rows=rows) if proven else UNPROVEN
    asked = (
        _authentic(found),
        _current(found, proven=proven),
        _issuer(found, issuer, proven=proven, keys_vouched=keys_vouched),
        rests.evidence,
        rests.policy,
    )
    headline = _headline(report, found, asked, issuer, keys_vouched=keys_vouched)
    done = achieved.deeds(credential, rests.receipt)
    return Checked(runtime.now(), report, headline, asked, issuer, done, body, address)


def _authentic(found: Mapping[str, Check]) -> Question:
    answer, reason = "yes", "unchanged"
    if found["parse"].outcome == "undecided":
        answer, reason = "could-not-check", "form-unknown"
    elif found["parse"].outcome != "passed":
        answer, reason = "no", "unreadable"
    elif found["proof"].outcome == "failed":
        answer, reason = _without_signature({finding.code for finding in found["proof"].findings})
    elif found_here.NEVER_SIGNED in _codes(found.values(), "issuer"):
        answer, reason = "no", "forged"
    elif found_here.RECORDS_LOST in _codes(found.values(), "issuer"):
        answer, reason = "could-not-check", "records-lost"
    elif any(found[name].outcome == "failed" for name in _FORM):
        answer, reason = "no", "not-in-form"
    elif found["context"].outcome == "undecided":
        answer, reason = "could-not-check", "words-unknown"
    elif found["proof"].outcome != "passed":
        open_clock = _OF_THE_FUTURE.issuperset(finding.code for finding in found["proof"].findings)
        answer, reason = "could-not-check", "clock-open" if open_clock else "signature-not-checked"
    elif found["schema"].outcome == "undecided":
        answer, reason = "could-not-check", "form-open"
    return Question("authentic", answer, reason)  # type: ignore[arg-type]


def _codes(checks: Collection[Check], *names: str) -> frozenset[str]:
    """Return the codes of what some of the checks found."""
    return frozenset(finding.code for check in checks if check.name in names for finding in check.findings)


def _without_signature(codes: Collection[str]) -> tuple[str, str]:
    """Return answer and reason for a badge without a valid signature, by the codes of the findings."""
    if _UNSIGNED.intersection(codes):
        return "no", "unsigned"
    if _NO_KEYS.issuperset(codes):
        return "could-not-check", "issuer-keys-not-in-order"
    return "no", "key-not-published" if _UNPUBLISHED.issuperset(codes) else "changed"


def _current(found: Mapping[str, Check], *, proven: bool) -> Question:
    answer, reason = "yes", "in-force"
    codes = _codes(found.values(), "status", "validity")
    standing = next((headline for code, headline in _STANDINGS if code in codes), None)
    if not proven:
        answer, reason = "could-not-check", "signature-first"
    elif standing is not None:
        open_clock = standing == "not-yet-valid" and found["validity"].outcome == "undecided"
        answer, reason = "could-not-check" if open_clock else "no", standing
    elif found["status"].outcome == "failed":
        answer, reason = "no", "status-not-in-order"
    elif found["validity"].outcome == "failed":
        answer, reason = "no", "dates-not-in-order"
    elif "undecided" in {found["status"].outcome, found["validity"].outcome}:
        answer, reason = "could-not-check", "status-not-reached"
    elif found_here.NEWER_COPY in _codes(found.values(), "refresh"):
        reason = "in-force-newer-copy"
    elif "status-list-signer" in codes:
        reason = "in-force-other-list"
    elif found["status"].outcome == "skipped":
        answer, reason = "not-offered", "no-way-to-take-back"
    return Question("current", answer, reason)  # type: ignore[arg-type]


def _issuer(found: Mapping[str, Check], issuer: Issuer | None, *, proven: bool, keys_vouched: bool) -> Question:
    answer, reason = "could-not-check", "issuer-unlisted"
    if found["issuer"].outcome == "failed":
        codes = _codes(found.values(), "issuer")
        answer, reason = "no", "issuer-key-ended" if codes <= _ENDED else "issuer-other-key"
        if found_here.NEVER_SIGNED in codes:
            reason = found_here.NEVER_SIGNED
    elif found["proof"].outcome != "passed":
        answer, reason = "could-not-check", "signature-first"
    elif found_here.RECORDS_LOST in _codes(found.values(), "issuer"):
        reason = found_here.RECORDS_LOST
    elif not proven or issuer is None:
        answer, reason = "could-not-check", "issuer-not-reached"
    elif issuer.sandbox:
        answer, reason = "no", "issuer-test"
    elif not keys_vouched:
        reason = "issuer-keys-from-bundle"
    else:
        answer, reason = known_as(issuer)
    return Question("issuer", answer, reason)  # type: ignore[arg-type]


def _headline(
    report: Report,
    found: Mapping[str, Check],
    asked: Collection[Question],
    issuer: Issuer | None,
    *,
    keys_vouched: bool,
) -> str:
    answers = {question.name: question for question in asked}
    if report.verdict == "rejected":
        return _rejected(found, answers)
    if found["subject"].outcome == "skipped":
        return "not-a-badge" if report.verdict == "verified" else "not-decided"
    open_checks = {name for name, each in found.items() if each.outcome == "undecided"}
    if open_checks - {"recipient"}:
        if answers["authentic"].reason == "records-lost":
            return "records-lost"
        if "issuer" in open_checks and not open_checks & {"context", "schema"}:
            return "issuer-not-reached"
        if answers["authentic"].reason == "clock-open" and open_checks <= {"proof", "status", "validity", "recipient"}:
            return "clock-open"
        if answers["current"].reason == "not-yet-valid" and open_checks <= {"validity", "recipient"}:
            return "not-yet-valid"
        return "status-not-reached" if open_checks <= {"status", "recipient"} else "not-decided"
    if issuer is not None and issuer.sandbox:
        return "test"
    for name, headline in (("evidence", "evidence-changed"), ("policy", "policy-not-followed")):
        if answers[name].answer == "no":
            return headline
    if not keys_vouched:
        return "genuine-keys-open"
    if answers["current"].reason == "in-force-newer-copy":
        return "genuine-newer-copy"
    if answers["issuer"].answer != "yes":
        return "genuine-unlisted"
    return "genuine-recipient-open" if "recipient" in open_checks else "genuine"


def _rejected(found: Mapping[str, Check], answers: Mapping[str, Question]) -> str:
    failed = {name for name, each in found.items() if each.outcome == "failed"}
    if answers["authentic"].answer == "no":
        return answers["authentic"].reason
    if answers["authentic"].reason == "issuer-keys-not-in-order":
        return "issuer-keys-not-in-order"
    if "issuer" in failed:
        return "key-ended" if answers["issuer"].reason == "issuer-key-ended" else "other-key"
    if failed - {"recipient"} <= {"status", "validity"} and answers["current"].reason in TONES:
        return answers["current"].reason
    return "not-theirs" if failed == {"recipient"} else "not-in-order"
