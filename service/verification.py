"""A stranger asks whether a credential is genuine, and what holds of it now."""

from dataclasses import replace
from urllib.parse import urlsplit

from credentials import Check, Fetched, Load, Report, UnavailableError, verify
from credentials.findings import Finding
from service import public_documents
from service.errors import InvalidError
from service.runtime import Runtime


def load(running: Runtime, url: str) -> Fetched:
    """Return a document: ours from the database, never by HTTP to ourselves; others through the guarded client.

    Raises:
        UnavailableError: it cannot be had.
    """
    if public_documents.is_ours(running.settings, url):
        with running.database.read() as session:
            found = public_documents.find(session, running, url)
        if found is None:
            raise UnavailableError("document-unknown", f"{urlsplit(url).path} is not an address of this service.")
        return found
    return running.fetcher.fetch(url)


def verify_received(
    running: Runtime,
    received: bytes | str,
    recipient: str | None = None,
    *,
    documents: Load | None = None,
    discreet: bool = True,
) -> Report:
    """Return the report on a credential as it was received.

    Whoever issued it is not told which credential is looked at, as far as a list says whether it stands: see `verify`.

    Args:
        received: JSON text, compact JWS, PNG or SVG.
        recipient: e-mail, DID or other identifier of whoever showed it.
        documents: what is asked for the documents of issuers, in place of `load`; then nothing is read from rows.
        discreet: ask nobody for what is of this one credential; its refresh service is one who would be.
    """
    report = verify(
        received,
        now=running.now(),
        load=documents or (lambda url: load(running, url)),
        contexts=running.contexts,
        recipient=recipient,
        discreet=discreet,
    )
    return with_suspension(running, report) if documents is None else report


def with_suspension(running: Runtime, report: Report) -> Report:
    """Return the report on a credential; of one of ours that is suspended its status says so.

    A published list for revocation cannot tell it, and we know it. Only of what we signed anything is said: another's
    credential may bear any `id`.
    """
    outcomes = {check.name: check.outcome for check in report.checks}
    address = report.credential.get("id") if report.credential is not None else None
    signed = outcomes.get("proof") == outcomes.get("issuer") == outcomes.get("status") == "passed"
    if not signed or not isinstance(address, str) or not public_documents.is_ours(running.settings, address):
        return report
    with running.database.read() as session:
        row = public_documents.credential_at(session, address)
        if (
            row is None
            or row.suspended_at is None
            or not public_documents.is_issuer(session, running, row, _issuer(report))
        ):
            return report
    message = "expected a credential that stands, got one that is suspended"
    finding = Finding("credential-suspended", message, "/credentialStatus")
    checks = tuple(Check("status", "failed", (finding,)) if each.name == "status" else each for each in report.checks)
    return replace(report, checks=checks, verdict="rejected")


def _issuer(report: Report) -> str:
    issuer = report.credential.get("issuer") if report.credential is not None else None
    found = issuer.get("id") if isinstance(issuer, dict) else issuer
    return found if isinstance(found, str) else ""


def verify_address(running: Runtime, url: str, recipient: str | None = None, *, discreet: bool = True) -> Report:
    """Return the report on the credential at a public address; raises as `look_up`."""
    return verify_received(running, look_up(running, url).body, recipient, discreet=discreet)


def look_up(running: Runtime, url: str) -> Fetched:
    """Return what lies at a public address and may be a credential.

    Raises:
        UnavailableError: nothing could be had from there.
        InvalidError: an address that is never asked (code "address-refused"), or what is there is a web page, not a
            credential (code "not-a-credential").
    """
    try:
        fetched = load(running, url)
    except UnavailableError as error:
        if error.code == "address-refused":
            raise InvalidError(error.code, error.message, "/url") from error
        raise
    if fetched.media_type in {"text/html", "application/xhtml+xml"}:
        message = "Expected the address of a credential (JSON, JWT, PNG or SVG), got a web page."
        raise InvalidError("not-a-credential", message, "/url")
    return fetched
