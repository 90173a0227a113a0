"""Turn a verification into one headline and five answers for people.

The library's report says what each step found; this module answers what an employer wants to know. What could not be
checked is never a yes, and a signature alone is not green: somebody has to know the issuer.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any, Final

from credentials import Check, Load, Report, reading
from credentials.recipient import matches
from service.checking import found_here, older, other_things, verification
from service.checking.basis import achieved, comparison
from service.checking.basis.achieved import Deeds
from service.checking.basis.comparison import Grounds
from service.checking.desk import Desk
from service.checking.issuers import Issuer, issuer_of, known_as
from service.checking.questions import Answer, Question
from service.checking.tones import TONES, Tone
from service.unpacking.unpack import Allowance

UNPROVEN: Final = Grounds(
    Question("evidence", "could-not-check", "signature-first"),
    Question("policy", "could-not-check", "signature-first"),
    None,
)
"""The answers for a badge without a valid signature: its evidence and rule are not looked at."""

_NOT_ASKED: Final[Mapping[bool, tuple[Answer, str]]] = {
    True: ("no", "unreadable"),
    False: ("could-not-check", "no-badge"),
}
_STANDINGS: Final = (
    (found_here.REPLACED, "replaced"),
    ("credential-revoked", "revoked"),
    ("credential-suspended", "suspended"),
    ("credential-expired", "expired"),
    ("credential-not-yet-valid", "not-yet-valid"),
)
"""Why a genuine badge may not be in force, gravest first: code of the finding, headline."""

_FOR_ANYBODY: Final = frozenset(
    {"genuine", "genuine-newer-copy", "genuine-unlisted", "genuine-keys-open", "genuine-recipient-open"}
)
"""Headlines that give way to the one that it was issued to a different address. Anything else weighs more."""
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
        headline: stable kebab-case code, one of `tones.TONES`.
        questions: the five, in the order of `questions.NAMES`.
        issuer: the issuer that the badge names; None where it names none.
        deeds: what the person did, according to the badge and, where it was read, the receipt of the decision.
        received: what was checked, as it was received.
        address: where the badge was fetched; "" where it was given itself.
        replacement: the address of the badge of this service that stands in its place; "" if there is none.
    """

    at: datetime
    report: Report
    headline: str
    questions: tuple[Question, ...]
    issuer: Issuer | None
    deeds: Deeds
    received: bytes = field(repr=False)
    address: str = ""
    replacement: str = ""

    @property
    def tone(self) -> Tone:
        """Whether the headline is good, unsure or bad."""
        return TONES[self.headline]

    @property
    def newer(self) -> str:
        """The address of the newer text, where this service has signed one since, or of the badge in its place."""
        if self.replacement:
            return self.replacement
        credential = self.report.credential or {}
        return str(credential.get("id")) if found_here.NEWER_COPY in _codes(self.report.checks, "refresh") else ""

    @property
    def comparable(self) -> frozenset[str]:
        """What it can be compared with to tell whose it is: some of email, did and other."""
        subject = reading.subject(self.report.readable)
        samples = {"email": "a@b.example", "did": "did:a:b", "other": "a"}
        return frozenset(kind for kind, sample in samples.items() if matches(subject, sample) is not None)

    def outcome(self, name: str) -> str:
        """Return the outcome of one of the report's checks."""
        return next(check.outcome for check in self.report.checks if check.name == name)

    def to_json(self) -> dict[str, Any]:
        """Return the report for programs, with headline, questions and issuer.

        `Report.to_json() | {checked_at, headline, tone, questions: [{name, answer, reason}], issuer, newer}`; issuer
        `{id, name, domain, lists, page}` or null; newer the address of what this service signed in its place, or null.
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
    allowance = allowance or desk.allowance()
    report = verification.verify_received(
        runtime,
        received,
        recipient,
        documents=documents,
        discreet=not evidence,
        time=allowance.time,
        address=address,
    )
    if documents is None and (led := verification.lead_on(runtime, report, allowance)) is not None:
        return check(desk, led[0], recipient, evidence=evidence, address=led[1], allowance=allowance)
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
    no_badge = other_things.headline(report) if report.verdict == "rejected" else None
    issuer = issuer_of(desk, credential, proven=proven, load=load, rows=rows) if no_badge is None else None
    rests = comparison.look(runtime, credential, report, ask=ask, load=load, rows=rows) if proven else UNPROVEN
    asked = (
        _authentic(found) if no_badge is None else Question("authentic", *_NOT_ASKED[no_badge == "unreadable"]),
        _current(found, proven=proven),
        _issuer(found, issuer, proven=proven, keys_vouched=keys_vouched),
        rests.evidence,
        rests.policy,
    )
    headline = no_badge or _headline(report, found, asked, issuer, keys_vouched=keys_vouched)
    done = achieved.deeds(credential, rests.receipt)
    replacement = _replacement(desk, credential) if rows and headline in {"replaced", "expired"} else ""
    return Checked(runtime.now(), report, headline, asked, issuer, done, body, address, replacement)


def _replacement(desk: Desk, credential: Mapping[str, Any]) -> str:
    """Return the address of the badge that stands in place of one of ours; "" if there is none to be seen."""
    if not desk.runtime.has_rows:
        return ""
    from service.checking import our_copies

    return our_copies.follower(desk.runtime, credential)


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
        if {name for name, each in found.items() if each.outcome == "failed"} != {"recipient"}:
            return _rejected(found, answers)
        of_anybody = _not_rejected(report, found, answers, issuer, keys_vouched=keys_vouched)
        return "not-theirs" if of_anybody in _FOR_ANYBODY else of_anybody
    return _not_rejected(report, found, answers, issuer, keys_vouched=keys_vouched)


def _not_rejected(
    report: Report,
    found: Mapping[str, Check],
    answers: Mapping[str, Question],
    issuer: Issuer | None,
    *,
    keys_vouched: bool,
) -> str:
    """Return the headline of a badge against which nothing stands but, perhaps, that it is somebody else's."""
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
    return "not-in-order"
