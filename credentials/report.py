"""The report of a verification: its ordered checks and the verdict."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

from credentials.errors import CredentialError, UnsupportedError
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

    *undecided* means that something could not be looked up or is not known here, *skipped* that the question does not
    apply or was not asked. Findings of a check that passed, or that is skipped, are remarks.
    """

    name: str
    outcome: Outcome
    findings: tuple[Finding, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return `{name, outcome, findings: [{code, message, pointer}]}`."""
        return asdict(self) | {"findings": [asdict(found) for found in self.findings]}


@dataclass(frozen=True)
class Older:
    """What a report on a badge of Open Badges 2.0 or before adds.

    Args:
        kind: "hosted": its issuer's address was asked for it; "signed": it came as a signed text; "description": it
            describes a badge or an issuer, and is nobody's badge.
        address: where its issuer keeps it, according to itself; "" if it does not say.
        restated: the same in the words of Open Badges 3.0, with what its badge class and its issuer's profile say.
            Findings about dates and recipient point into it.
    """

    kind: Literal["hosted", "signed", "description"]
    address: str
    restated: dict[str, Any]


@dataclass(frozen=True)
class Report:
    """The result of a verification.

    Args:
        checks: one for each of `NAMES`, in that order.
        credential: as parsed, trusted or not; None if nothing could be read.
        form: the form in which it was received.
        refreshed: the credential is not the one received, but the newer copy that its issuer's refresh service has.
        older: what is to be said of a badge of the older standard only; None for any other credential. The credential
            is then what its issuer's address gave, if it gave a badge.
    """

    verdict: Verdict
    checks: tuple[Check, ...]
    credential: dict[str, Any] | None
    form: Form
    refreshed: bool = False
    older: Older | None = None

    @property
    def readable(self) -> dict[str, Any]:
        """The credential in the words of today; empty if nothing could be read."""
        return self.older.restated if self.older is not None else self.credential or {}

    @property
    def is_confirmed(self) -> bool:
        """Whether its issuer stands behind it: by a good signature or, if the badge is hosted, at its address."""
        is_hosted = self.older is not None and self.older.kind == "hosted"
        return self.is_proven or (is_hosted and Check("issuer", "passed") in self.checks)

    @property
    def is_proven(self) -> bool:
        """Whether the signature is good, and the issuer's."""
        outcomes = {check.name: check.outcome for check in self.checks}
        return outcomes["proof"] == outcomes["issuer"] == "passed"

    def to_json(self) -> dict[str, Any]:
        """Return the report for programs; later versions only add members to it.

        `{verdict, form, checks: [{name, outcome, findings: [{code, message, pointer}]}], credential, refreshed,
        older}`: verdict is "verified", "rejected" or "undecided"; form "json", "jwt", "png" or "svg"; outcome "passed",
        "failed", "undecided" or "skipped"; code one of `findings.CODES`; pointer a JSON pointer into the credential
        (for codes that begin with "jwt-" into header or payload); credential the object as it was received, or null;
        refreshed whether it is the newer copy that was fetched, and that the checks are then about; older
        `{kind, address, restated}` for a badge of Open Badges 2.0 or before, otherwise null.
        """
        checks = [check.to_json() for check in self.checks]
        return {
            "verdict": self.verdict,
            "form": self.form,
            "checks": checks,
            "credential": self.credential,
            "refreshed": self.refreshed,
            "older": asdict(self.older) if self.older is not None else None,
        }


@dataclass(frozen=True)
class PresentationReport:
    """The result of the verification of a presentation.

    Args:
        checks: one for each of `PRESENTATION_NAMES`, in that order.
        presentation: as parsed, trusted or not; None if nothing could be read.
        form: the form in which it was received.
        credentials: a report on each credential in it that was looked at, in their order.
    """

    verdict: Verdict
    checks: tuple[Check, ...]
    presentation: dict[str, Any] | None
    form: Form
    credentials: tuple[Report, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the report for programs; later versions only add members to it.

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
    """Return the check that these findings make.

    One that failed outweighs one that is undecided; either outweighs all others.
    """
    worst, unsure = tuple(failed), tuple(undecided)
    outcome: Outcome = "failed" if worst else "undecided" if unsure else "passed"
    return Check(name, outcome, (*worst, *unsure, *remarks))


def verdict_of(checks: Iterable[Check]) -> Verdict:
    """Return *rejected* if one failed, else *undecided* if one is, else *verified*."""
    outcomes = {check.outcome for check in checks}
    return "rejected" if "failed" in outcomes else "undecided" if "undecided" in outcomes else "verified"


def reason_of(check: Check) -> str:
    """Return why a check did not pass, as a part of a sentence."""
    return check.findings[0].message if check.findings else "it could not be looked up"


def unreadable(error: CredentialError) -> Check:
    """Return the check of parsing that an error makes: *undecided* if others may be able to read it."""
    return Check("parse", "undecided" if isinstance(error, UnsupportedError) else "failed", (finding_of(error),))


def finding_of(error: CredentialError, where: str = "") -> Finding:
    """Return the finding that an error makes, at `where` or deeper within it."""
    return Finding(error.code, error.message, where + error.pointer)
