"""Ask our rows whether we signed a text that names this service.

Someone who has a key of ours, in use or retired, can sign what they like, and the signature is good. The rows know
every text that was ever signed here, whatever has become of its key since.

1. Only a credential that names this service is looked up: its `id` is an address of ours, or its issuer a DID of ours.
2. A text is ours if it says what a text that was signed under its `id` says, or has the signature of one. So it may be
   written in another way, be the JWT, or be baked into a picture.
3. One that is ours is told by the rows: also if its key is not published any more, and with the newer text if there
   is one; and it is revoked or suspended if the rows say so.
4. One with a good signature that is not ours is a forgery. If it is of a time whose rows were lost, that is undecided.
5. One without a good signature, under the keys as they were in use, is left as it is. So nobody learns whether there is
   a credential of this `id` unless they have its text, or a key of ours.
6. The same holds for endorsements, by themselves or in a badge. One in a badge that is ours is good also if its key is not
   published any more; one that names this service and is not known here is a forgery.
"""

import json
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import select

from credentials import Check, CredentialError, Fetched, PresentationReport, Report, reading
from credentials.checks.inquiry import Inquiry
from credentials.checks.provenance import Provenance, check_provenance
from credentials.checks.received import Secured, taken_apart
from credentials.findings import Finding
from credentials.model.form import is_open_badge
from credentials.presentation import check_credentials, credentials_in
from credentials.proofs.dids import did_web_url
from credentials.report import verdict_of
from credentials.verify import endorsements_in
from service.checking.found_here import NEVER_SIGNED, NEWER_COPY, NOT_KEPT, RECORDS_LOST, REPLACED, SIGNED_HERE
from service.issuing import endorsements, signed_copies, unsigned
from service.public import addresses, documents
from service.runtime.runtime import Runtime
from service.signing import issuers, keyring, service_identity
from service.storage import restores
from service.storage.database import ReadSession
from service.tables import Credential, SignedCopy


@dataclass(frozen=True)
class _Copy:
    """A text that was signed here, and how its credential stands."""

    sha256: str
    proof_value: str
    revoked: bool
    suspended: bool
    superseded: bool


def compare(runtime: Runtime, report: Report, secured: Secured) -> Report:
    """Return the report on a credential with what our rows say about it.

    Args:
        secured: the credential as it was received, even if the report is about a newer copy that its issuer gave.
    """
    credential = secured.credential
    if not runtime.has_rows:
        return report
    report = _with_endorsements(runtime, report)  # (6)
    if not _names_us(runtime, credential):  # (1)
        return report
    with runtime.database.read() as session:
        if not report.is_proven:
            under_our_keys = _under_our_keys(session, runtime, secured) if _may_lack_its_key(report) else None
            if under_our_keys is None:  # (5)
                return report
            report = _with(report, under_our_keys.proof, _signed_here(under_our_keys.owner))
        copies = _copies(session, runtime, credential.get("id"))
        found = _by_what_it_says(copies, credential) or _by_signature(session, runtime, copies, secured)  # (2)
        if found is not None:
            return _told(report, credential, found, copies[-1])  # (3)
        return _unknown(session, runtime, report, credential)  # (4)


def compare_presented(runtime: Runtime, report: PresentationReport) -> PresentationReport:
    """Return the report on a presentation with what our rows say about the credentials in it."""
    if report.presentation is None:
        return report
    shown = zip(report.credentials, credentials_in(report.presentation), strict=True)
    credentials = tuple(
        compare(runtime, each, taken_apart(value)) if each.credential is not None else each for each, value in shown
    )
    if credentials == report.credentials:
        return report
    checked = check_credentials(report.presentation, credentials)
    checks = tuple(checked if each.name == checked.name else each for each in report.checks)
    return replace(report, checks=checks, credentials=credentials, verdict=verdict_of(checks))


def follower(runtime: Runtime, credential: Mapping[str, Any]) -> str:
    """Return the address of the badge that follows one of ours; "" if there is none, or it is private."""
    url = credential.get("id")
    if not _is_ours(runtime, url):
        return ""
    with runtime.database.read() as session:
        row = documents.credential_at(session, str(url))
        newer = documents.visible_credential(session, row.superseded_by) if row and row.superseded_by else None
        return unsigned.credential_url(runtime.settings, newer.id) if newer is not None else ""


def _names_us(runtime: Runtime, credential: dict[str, Any]) -> bool:
    home = _home(reading.id_of(credential.get("issuer")) or "")
    return _is_ours(runtime, credential.get("id")) or _is_ours(runtime, home)


def _home(issuer: str) -> str:
    """Return the address that an issuer's id is about; "" if it is of another kind."""
    try:
        return did_web_url(issuer) if issuer.startswith("did:web:") else issuer
    except CredentialError:
        return ""


def _is_ours(runtime: Runtime, url: object) -> bool:
    return isinstance(url, str) and addresses.is_ours(runtime.settings, url)


# --- Which text of ours it is ----------------------------------------------------------------------------------------


def _copies(session: ReadSession, runtime: Runtime, url: object) -> list[_Copy]:
    """Return the texts that were signed under an `id`, the oldest first."""
    credential_id = documents.credential_id(str(url)) if _is_ours(runtime, url) else None
    if credential_id is None:
        return []
    rows = session.execute(
        select(
            SignedCopy.sha256,
            SignedCopy.proof_value,
            Credential.revoked_at.is_not(None),
            Credential.suspended_at.is_not(None),
            Credential.superseded_by.is_not(None),
        )
        .join(Credential, Credential.id == SignedCopy.credential_id)
        .where(SignedCopy.credential_id == credential_id)
        .order_by(SignedCopy.signed_at, SignedCopy.id)
    )
    return [_Copy(*row) for row in rows]


def _by_what_it_says(copies: Sequence[_Copy], credential: dict[str, Any]) -> _Copy | None:
    said = _digest(credential)
    return next((copy for copy in reversed(copies) if copy.sha256 == said), None)


def _by_signature(session: ReadSession, runtime: Runtime, copies: Sequence[_Copy], secured: Secured) -> _Copy | None:
    """Return the text whose signature this one has, written so differently that only the signature shows it.

    That signature is checked by itself: among others that hold, one of an unknown kind would be passed over.
    """
    values = {copy.proof_value: copy for copy in copies}
    proofs = reading.objects(secured.credential.get("proof")) if secured.jwt is None else []
    kept = [proof for proof in proofs if isinstance(proof.get("proofValue"), str) and proof["proofValue"] in values]
    if not kept or _under_our_keys(session, runtime, Secured(secured.credential | {"proof": kept})) is None:
        return None
    return values[kept[0]["proofValue"]]


def _digest(credential: dict[str, Any]) -> str | None:
    try:
        return signed_copies.digest(credential)
    except CredentialError:  # a value that no text of ours has
        return None


def _may_lack_its_key(report: Report) -> bool:
    """Return whether a signature may only have failed because its key is not published as good any more."""
    return not any(
        finding.code in {"signature-invalid", "proof-missing"}
        for check in report.checks
        if check.name in {"proof", "issuer"}
        for finding in check.findings
    )


def _under_our_keys(session: ReadSession, runtime: Runtime, secured: Secured) -> Provenance | None:
    """Return the checks of a signature under the issuer's keys as they were in use: none compromised, none taken away.

    None if the issuer is no network of this service, or the signature is not good under them either.
    """
    settings, issuer = runtime.settings, secured.issuer_id or ""
    home = _home(issuer)
    network = documents.network_at(session, home) if _is_ours(runtime, home) else None
    if network is None or issuers.network_did(settings, network) != issuer:
        return None
    keys = keyring.as_in_use(session, network)
    published = {home: issuers.did_document(settings, network, keys)}
    published |= {issuers.key_url(settings, key): issuers.jwk(settings, network, key) for key in keys}

    def load(url: str) -> Fetched:
        return Fetched(json.dumps(published.get(url, {})).encode(), "application/json")

    found = check_provenance(secured, Inquiry(runtime.now(), runtime.contexts, load))
    return found if found.proof.outcome == found.owner.outcome == "passed" else None


# --- What that means -------------------------------------------------------------------------------------------------


def _signed_here(owner: Check) -> Check:
    message = "expected a key that is published as good, got one of ours that is not any more"
    return replace(owner, findings=(*owner.findings, Finding(SIGNED_HERE, message, "/issuer")))


def _told(report: Report, credential: dict[str, Any], found: _Copy, newest: _Copy) -> Report:
    checks = {check.name: check for check in report.checks}
    if found.sha256 != newest.sha256:
        message = f"this service has signed a newer text of it, at {credential['id']}"
        findings = (*checks["refresh"].findings, Finding(NEWER_COPY, message, "/id"))
        checks["refresh"] = Check("refresh", "passed", findings)
    code = "credential-revoked" if found.revoked else "credential-suspended" if found.suspended else None
    if code is not None and checks["status"].outcome != "failed":
        message = f"expected a credential that stands, got one that is {code.removeprefix('credential-')}"
        checks["status"] = Check("status", "failed", (Finding(code, message, "/credentialStatus"),))
    if found.revoked and found.superseded:
        message = "expected a credential that stands, got one in whose place another was issued"
        findings = (*checks["status"].findings, Finding(REPLACED, message, "/credentialStatus"))
        checks["status"] = Check("status", "failed", findings)
    return _with(report, *checks.values())


def _unknown(session: ReadSession, runtime: Runtime, report: Report, credential: dict[str, Any]) -> Report:
    """Return the report on what has a good signature, and is no text of a credential that the rows know."""
    begins, newest_list = reading.begins(credential), _newest_list(session, runtime, credential)
    if _is_endorsement_of_ours(session, runtime, credential):
        return report
    if _is_receipt(runtime, credential) or (newest_list and signed_copies.digest(newest_list) == _digest(credential)):
        return report
    if newest_list:
        message = "expected the newest text of a list, got another one, and older ones are not kept"
        issuer = Check("issuer", "undecided", (Finding(NOT_KEPT, message, "/id"),))
    elif begins is not None and restores.may_have_lost(session, begins):
        message = "expected a text that this service knows, got one of a time whose records it has lost"
        issuer = Check("issuer", "undecided", (Finding(RECORDS_LOST, message, "/id"),))
    else:
        message = "expected a text that this service has signed, got one that it never signed"
        issuer = Check("issuer", "failed", (Finding(NEVER_SIGNED, message, "/id"),))
    return _with(report, issuer)


def _is_receipt(runtime: Runtime, credential: dict[str, Any]) -> bool:
    """Return whether it is what the service signs in its own name, such as receipts of checks: no copy is kept."""
    own = reading.id_of(credential.get("issuer")) == service_identity.did(runtime.settings)
    return own and credential.get("type") == ["VerifiableCredential"] and not _is_ours(runtime, credential.get("id"))


def _newest_list(session: ReadSession, runtime: Runtime, credential: dict[str, Any]) -> dict[str, Any]:
    """Return the text that we publish of the status list that a credential says it is; empty if there is none.

    Its type alone says nothing: somebody who has a key of ours writes any.
    """
    url = credential.get("id")
    if not reading.is_a(credential, "BitstringStatusListCredential") or is_open_badge(credential):
        return {}
    if not isinstance(url, str) or not _is_ours(runtime, url):
        return {}
    published = documents.status_list(session, runtime, url.rpartition("/")[2])
    text: dict[str, Any] = json.loads(published.body) if published is not None else {}
    return text if text.get("id") == url else {}


def _is_endorsement_of_ours(session: ReadSession, runtime: Runtime, credential: dict[str, Any]) -> bool:
    if not reading.is_a(credential, "EndorsementCredential"):
        return False
    try:
        return endorsements.is_ours(session, runtime.settings, credential, runtime.now())
    except CredentialError:  # a value that no text of ours has
        return False


def _with_endorsements(runtime: Runtime, report: Report) -> Report:
    """Return the report with what our rows say about the endorsements in a badge."""
    before = next((check for check in report.checks if check.name == "endorsements"), None)
    waiting = deque(endorsements_in(report.credential or {}))
    if before is None or not waiting:
        return report
    failed, lost, all_ours = [], [], True
    with runtime.database.read() as session:
        while waiting:
            where, endorsement, _ = waiting.popleft()
            credential = taken_apart(endorsement).credential
            waiting.extend(endorsements_in(credential, where))
            is_ours = _names_us(runtime, credential) and _is_endorsement_of_ours(session, runtime, credential)
            # One with a status is told by it: it may have been withdrawn.
            all_ours = all_ours and is_ours and "credentialStatus" not in credential
            if is_ours or not _names_us(runtime, credential):
                continue
            begins = reading.begins(credential)
            if begins is not None and restores.may_have_lost(session, begins):
                message = "expected an endorsement that this service knows, got one of a time whose records it has lost"
                lost.append(Finding(RECORDS_LOST, message, where))
            else:
                message = "expected an endorsement that this service has signed, got one that it never signed"
                failed.append(Finding(NEVER_SIGNED, message, where))
    if all_ours:
        return report if before.outcome == "passed" else _with(report, Check("endorsements", "passed"))
    if before.outcome == "passed" and (failed or lost):
        return _with(report, Check("endorsements", "failed" if failed else "undecided", (*failed, *lost)))
    return report


def _with(report: Report, *made: Check) -> Report:
    """Return the report with these checks in place of those of the same name."""
    checks = tuple(({check.name: check for check in report.checks} | {check.name: check for check in made}).values())
    return replace(report, checks=checks, verdict=verdict_of(checks))
