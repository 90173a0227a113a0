"""Answer the five questions about a badge of Open Badges 2.0 or before.

No such badge is green. If it is hosted, its issuer's address says so today, and nobody can show what it said before; if
it is signed, the signature does not cover what the badge stands for.
"""

from collections.abc import Mapping
from typing import Final

from credentials import Check, Report, reading
from service.checking.issuers import Issuer, known_as
from service.checking.questions import Answer, Question

_STANDINGS: Final = (("credential-expired", "expired"), ("credential-not-yet-valid", "not-yet-valid"))
_WITHOUT: Final = frozenset({"older-signature-missing", "issuer-not-named"})
"""It came without what could confirm it."""


def answers(report: Report, issuer: Issuer | None, *, confirmed: bool) -> tuple[Question, ...]:
    """Return the five answers.

    Args:
        issuer: the one that was found at the address that the badge leads to; None if none was.
        confirmed: whether the issuer stands behind the badge, by its address or a good signature.
    """
    return (
        Question("authentic", *_authentic(report, confirmed=confirmed)),
        Question("current", *_current(report, confirmed=confirmed)),
        Question("issuer", *_issuer(report, issuer, confirmed=confirmed)),
        Question("evidence", *(_evidence(report) if confirmed else _UNCONFIRMED)),
        Question("policy", *(_NO_RECORD if confirmed else _UNCONFIRMED)),
    )


def headline(report: Report, *, confirmed: bool) -> str:
    """Return the headline: what stands against the badge, then what is open, then how it was confirmed."""
    found, codes = _by_name(report), _codes(report)
    if _kind(report) == "description":
        return "older-description"
    if found["issuer"].outcome == "failed":
        return "older-elsewhere" if "hosted-out-of-scope" in codes else "key-not-published"
    if found["proof"].outcome == "failed":
        return "changed"
    if "credential-revoked" in codes:
        return "older-revoked"
    if not confirmed:
        return _unconfirmed(report)
    standing = next((headline for code, headline in _STANDINGS if code in codes), None)
    if standing is not None:
        return standing
    if found["refresh"].outcome == "undecided":
        return "older-differs"
    if found["validity"].outcome == "undecided":
        return "not-decided"
    if found["status"].outcome == "undecided":
        return "status-not-reached"
    return "not-theirs" if found["recipient"].outcome == "failed" else f"older-{_kind(report)}"


_UNCONFIRMED: Final[tuple[Answer, str]] = ("could-not-check", "older-unconfirmed")
_NO_RECORD: Final[tuple[Answer, str]] = ("not-offered", "policy-no-receipt")


def _authentic(report: Report, *, confirmed: bool) -> tuple[Answer, str]:
    result = headline(report, confirmed=confirmed)
    if result in {"older-elsewhere", "key-not-published", "changed"}:
        return "no", result
    if result in {"older-description", "older-kind", "older-not-reached"}:
        return "could-not-check", result
    if not confirmed:
        return "could-not-check", "older-only-revoked" if result == "older-revoked" else "signature-not-checked"
    if _by_name(report)["refresh"].outcome == "undecided":
        return "no", "older-differs"
    return "yes", f"older-{_kind(report)}"


def _current(report: Report, *, confirmed: bool) -> tuple[Answer, str]:
    found, codes = _by_name(report), _codes(report)
    if "credential-revoked" in codes and found["issuer"].outcome != "failed":
        return "no", "revoked"
    if not confirmed:
        return _UNCONFIRMED
    standing = next((reason for code, reason in _STANDINGS if code in codes), None)
    if standing is not None:
        return "could-not-check" if found["validity"].outcome == "undecided" else "no", standing
    if found["validity"].outcome == "undecided":
        return "could-not-check", "dates-not-in-order"
    if found["status"].outcome == "undecided":
        return "could-not-check", "status-not-reached"
    if _kind(report) == "hosted":
        return "yes", "older-in-force"
    return ("yes", "in-force") if found["status"].outcome == "passed" else ("not-offered", "no-way-to-take-back")


def _issuer(report: Report, issuer: Issuer | None, *, confirmed: bool) -> tuple[Answer, str]:
    if confirmed and issuer is not None:
        return known_as(issuer)
    result = headline(report, confirmed=confirmed)
    return ("no", result) if result in {"older-elsewhere", "key-not-published"} else _UNCONFIRMED


def _evidence(report: Report) -> tuple[Answer, str]:
    items = reading.evidence(report.readable)
    if any(reading.id_of(item) for item in items):
        return "not-offered", "evidence-without-digest"
    return "not-offered", "older-evidence-told" if items else "evidence-none"


def _unconfirmed(report: Report) -> str:
    if _kind(report) == "signed" and "older-signature-missing" not in _codes(report):
        return "issuer-not-reached"
    found = _by_name(report)["proof" if _kind(report) == "signed" else "status"]
    return "older-kind" if any(finding.code in _WITHOUT for finding in found.findings) else "older-not-reached"


def _kind(report: Report) -> str:
    return report.older.kind if report.older is not None else ""


def _by_name(report: Report) -> Mapping[str, Check]:
    return {check.name: check for check in report.checks}


def _codes(report: Report) -> frozenset[str]:
    return frozenset(finding.code for check in report.checks for finding in check.findings)
