"""Verify a presentation and every credential in it.

A presentation is checked for two things that a credential is not: that its signature was made for the one who asks, and
that it is the holder's own. Whether the credentials are about the holder is not decided here: a parent presents a
child's, an employer a member's.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from credentials.checks.inquiry import Inquiry, unhurried
from credentials.checks.provenance import Expected, Provenance, check_provenance, faults_of
from credentials.checks.received import Secured, form_of, read_presentation
from credentials.errors import CredentialError
from credentials.findings import Finding
from credentials.graph.documents import PACKAGED, Contexts, Load
from credentials.graph.unprotected import AMBIGUOUS
from credentials.model.form import check_presentation_form, is_remark
from credentials.reading import listed
from credentials.report import (
    PRESENTATION_NAMES,
    Check,
    PresentationReport,
    Report,
    concluded,
    finding_of,
    reason_of,
    unreadable,
    verdict_of,
)
from credentials.strict_json import pointer
from credentials.verify import verify_within

MAX_CREDENTIALS: Final = 16
"""How many credentials of one presentation are looked at."""
MAX_ADDRESSES: Final = 96
"""How many documents are loaded for one presentation, including those of its credentials."""


def verify_presentation(
    received: bytes | str,
    *,
    now: datetime,
    load: Load,
    contexts: Contexts = PACKAGED,
    challenge: str | None = None,
    domain: str | None = None,
    unsigned: bool = False,
    time_left: Callable[[], float] = unhurried,
) -> PresentationReport:
    """Return the report on a presentation as it was received; bad input never raises.

    1. parse: strict JSON, a compact JWT, or an enveloped presentation.
    2. context: known contexts, in order, define every term and type outside of its credentials.
    3. schema: the form is that of the VC Data Model; what the proof leaves ambiguous is *undecided*.
    4. proof: the JWT, or every proof, holds, is for authentication, and was made for this challenge and this domain,
       and for no other domain.
    5. holder: the key under which one holds is published by the holder for authentication. If no holder is named, this
       is *skipped*; then the key is its controller's for authentication.
    6. credentials: the report on each says *verified*. A credential without a proof of its own is not verified, even if
       the presentation is by its issuer.

    A presentation without a proof does not show who presents it, and fails. With `unsigned` it is accepted as a mere
    wrapper of credentials that prove themselves: `proof` is *skipped*, unless a challenge or a domain was expected, or
    the presentation is empty. If it names a holder, `holder` stays *undecided*.

    Args:
        received: as it came; within the bounds of `parse_json`.
        now: aware; the instant for which the question is asked.
        load: gets DID documents, keys and status lists; called at most `MAX_ADDRESSES` times.
        challenge: what the caller gave to the presenter; without it anybody who has seen a presentation can show it
        again.
        domain: whom the presentation must be made for; without it one that is made for somebody fails.
        unsigned: accept a presentation without a proof.
        time_left: as `verify`.
    Spec: VC Data Model 2.0, section 4.13; VC Data Integrity 1.0, section 4.4; VC-JOSE-COSE, section 3.1.2.
    """
    form = form_of(received)
    try:
        secured = read_presentation(received)  # (1)
    except CredentialError as error:
        checks = (unreadable(error), *(Check(name, "skipped") for name in PRESENTATION_NAMES[1:]))
        return PresentationReport(verdict_of(checks), checks, None, form)
    inquiry = Inquiry(now, contexts, load, MAX_ADDRESSES, time_left=time_left)
    expected = Expected("holder", "authentication", challenge, domain)
    found = check_presentation_form(secured.credential)
    provenance = _check_provenance(secured, inquiry, expected, unsigned=unsigned)
    reports = tuple(verify_within(value, inquiry) for value in credentials_in(secured.credential))
    checks = (
        Check("parse", "passed"),
        _check_context(secured, provenance, found, inquiry),  # (2)
        _check_schema(secured.credential, provenance, found),  # (3)
        provenance.proof,  # (4)
        provenance.owner,  # (5)
        check_credentials(secured.credential, reports),  # (6)
    )
    return PresentationReport(verdict_of(checks), checks, secured.credential, form, reports)


def credentials_in(presentation: Mapping[str, Any]) -> list[Any]:
    """Return the credentials of a presentation that are looked at; each is an object, an envelope or a compact JWT."""
    return _all_credentials_in(presentation)[:MAX_CREDENTIALS]


def _all_credentials_in(presentation: Mapping[str, Any]) -> list[Any]:
    return listed(presentation.get("verifiableCredential", []))


def _check_provenance(secured: Secured, inquiry: Inquiry, expected: Expected, *, unsigned: bool) -> Provenance:
    asked = expected.challenge is not None or expected.domain is not None
    bare = secured.jwt is None and "proof" not in secured.credential
    if not (unsigned and bare and credentials_in(secured.credential)) or asked:
        return check_provenance(secured, inquiry, expected)
    holder = Check("holder", "skipped")
    if "holder" in secured.credential:
        message = "expected a proof by the holder that is named, got no proof"
        holder = concluded("holder", undecided=[Finding("holder-not-proven", message, "/holder")])
    return Provenance(Check("proof", "skipped"), holder)


def _check_context(secured: Secured, provenance: Provenance, form: list[Finding], inquiry: Inquiry) -> Check:
    out_of_order = [found for found in form if found.pointer.startswith("/@context")]
    faults = provenance.faults
    if faults is None:  # faults in the credentials are in their own reports
        around = {name: value for name, value in secured.credential.items() if name != "verifiableCredential"}
        faults = faults_of(around, inquiry.contexts)
    found = [finding_of(fault) for fault in faults]
    unknown = [fault for fault in found if fault.code == "context-unknown"]
    if out_of_order:
        return concluded("context", failed=out_of_order, undecided=unknown)
    return concluded("context", failed=[fault for fault in found if fault not in unknown], undecided=unknown)


def _check_schema(presentation: Mapping[str, Any], provenance: Provenance, form: list[Finding]) -> Check:
    ambiguous = [found for found in form if found.code in AMBIGUOUS]
    remarks = [found for found in form if is_remark(found, presentation)]
    failed = [found for found in form if found not in ambiguous + remarks and not found.pointer.startswith("/@context")]
    if provenance.covers_text:
        return concluded("schema", failed=failed)
    return concluded("schema", failed=failed, undecided=ambiguous, remarks=remarks)


def check_credentials(presentation: Mapping[str, Any], reports: Sequence[Report]) -> Check:
    """Return whether every credential of a presentation is verified, by the reports on `credentials_in` it."""
    value = presentation.get("verifiableCredential")
    if not reports:
        return Check("credentials", "skipped")
    failed: list[Finding] = []
    undecided: list[Finding] = []
    for index, report in enumerate(reports):
        if report.verdict == "verified":
            continue
        outcome, findings = ("failed", failed) if report.verdict == "rejected" else ("undecided", undecided)
        first = next(check for check in report.checks if check.outcome == outcome)
        where = pointer("verifiableCredential", *([index] if isinstance(value, list) else []))
        findings.append(Finding("credential-not-verified", f"credential, {first.name}: {reason_of(first)}", where))
    count = len(_all_credentials_in(presentation))
    if count > MAX_CREDENTIALS:
        message = f"expected at most {MAX_CREDENTIALS} credentials, got {count}"
        undecided.append(Finding("credentials-too-many", message, "/verifiableCredential"))
    return concluded("credentials", failed=failed, undecided=undecided)
