"""What a verification says: ordered checks, each with one of four outcomes, and the verdict that follows."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

from credentials.errors import CredentialError
from credentials.findings import Finding

Outcome = Literal["passed", "failed", "undecided", "skipped"]
Verdict = Literal["verified", "rejected", "undecided"]
Form = Literal["json", "jwt", "png", "svg"]

NAMES: Final = (
    "parse",
    "context",
    "schema",
    "subject",
    "proof",
    "issuer",
    "refresh",
    "status",
    "validity",
    "resources",
    "recipient",
    "endorsements",
)
"""The checks, in the order of a report."""

PRESENTATION_NAMES: Final = ("parse", "context", "schema", "proof", "holder", "credentials")
"""The checks of a presentation, in the order of its report."""


@dataclass(frozen=True)
class Check:
    """One question, its outcome and what was found.

    *undecided* is what could not be looked up or is not known here, *skipped* what does not apply or was not asked.
    Findings of a check that passed, or that is skipped, are remarks.
    """

    name: str
    outcome: Outcome
    findings: tuple[Finding, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return `{name, outcome, findings: [{code, message, pointer}]}`."""
        return asdict(self) | {"findings": [asdict(found) for found in self.findings]}


@dataclass(frozen=True)
class Report:
    """What came of a verification.

    Args:
        checks: one for each of `NAMES`, in that order.
        credential: as parsed, trusted or not; None where nothing could be read.
        form: how it came.
        refreshed: the credential is not the one that came, but the newer copy that its issuer's refresh service has.
    """

    verdict: Verdict
    checks: tuple[Check, ...]
    credential: dict[str, Any] | None
    form: Form
    refreshed: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return the report for programs; members are only ever added to it.

        `{verdict, form, checks: [{name, outcome, findings: [{code, message, pointer}]}], credential, refreshed}`:
        verdict is "verified", "rejected" or "undecided"; form "json", "jwt", "png" or "svg"; outcome "passed",
        "failed", "undecided" or "skipped"; code one of `findings.CODES`; pointer a JSON pointer into the credential
        (for codes that begin with "jwt-" into header or payload); credential the object as it came, or null; refreshed
        whether it is the newer copy that was fetched, which the checks are then about.
        """
        checks = [check.to_json() for check in self.checks]
        return {
            "verdict": self.verdict,
            "form": self.form,
            "checks": checks,
            "credential": self.credential,
            "refreshed": self.refreshed,
        }


@dataclass(frozen=True)
class PresentationReport:
    """What came of the verification of a presentation.

    Args:
        checks: one for each of `PRESENTATION_NAMES`, in that order.
        presentation: as parsed, trusted or not; None where nothing could be read.
        form: how it came.
        credentials: a report on each credential in it, in their order, as far as they were looked at.
    """

    verdict: Verdict
    checks: tuple[Check, ...]
    presentation: dict[str, Any] | None
    form: Form
    credentials: tuple[Report, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the report for programs; members are only ever added to it.

        `{verdict, form, checks, presentation, credentials}`: checks as in `Report.to_json`, with pointers into the
        presentation; credentials the reports on the credentials in it, each with pointers into that credential.
        """
        return {
            "verdict": self.verdict,
            "form": self.form,
            "checks": [check.to_json() for check in self.checks],
            "presentation": self.presentation,
            "credentials": [report.to_json() for report in self.credentials],
        }


def concluded(
    name: str,
    *,
    failed: Iterable[Finding] = (),
    undecided: Iterable[Finding] = (),
    remarks: Iterable[Finding] = (),
) -> Check:
    """Return the check that these findings make: one that failed outweighs one that is undecided, and that all else."""
    worst, unsure = tuple(failed), tuple(undecided)
    outcome: Outcome = "failed" if worst else "undecided" if unsure else "passed"
    return Check(name, outcome, (*worst, *unsure, *remarks))


def verdict_of(checks: Iterable[Check]) -> Verdict:
    """Return *rejected* if any check failed, else *undecided* if any is, else *verified*."""
    outcomes = {check.outcome for check in checks}
    return "rejected" if "failed" in outcomes else "undecided" if "undecided" in outcomes else "verified"


def reason_of(check: Check) -> str:
    """Return why a check did not pass, as a part of a sentence."""
    return check.findings[0].message if check.findings else "it could not be looked up"


def finding_of(error: CredentialError, where: str = "") -> Finding:
    """Return the finding that says what the error does, at `where` or further within."""
    return Finding(error.code, error.message, where + error.pointer)
