"""A stranger asks whether a credential is genuine, and what holds of it now."""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Final
from urllib.parse import urlsplit

from credentials import Check, Fetched, Load, Report, UnavailableError, verify
from credentials.findings import Finding
from service.errors import InvalidError
from service.public import documents as public_documents
from service.runtime.runtime import Runtime
from service.unpacking.file_kinds import is_credential, kind_of
from service.unpacking.unpack import open_file
from service.unpacking.web_pages import read_page

_OTHER_FORMS: Final = re.compile(r"(?<=/credentials/[0-9a-f]{32})\.(png|svg|html|bundle)$")
MAX_FOLLOWED: Final = 5
"""Addresses that are asked for the badge behind a page, PDF, ZIP or picture."""


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


def look_up(running: Runtime, url: str) -> Fetched:
    """Return the credential at a public address, or what lies there where only the report can say what it is.

    1. What is a credential, or nothing that could hold one or lead to one, is taken as it is.
    2. In a web page, PDF, ZIP or picture the badge is looked for; where it is elsewhere, at most `MAX_FOLLOWED` addresses
       are asked, none of them named by another one of them.

    Raises:
        UnavailableError: nothing could be had from there.
        InvalidError: an address that is never asked (code "address-refused"), or what is there is no credential and
            leads to none (code "not-a-credential").
    """
    if public_documents.is_ours(running.settings, url):
        url = _OTHER_FORMS.sub("", url)  # the same badge, as what is asked for here
    try:
        fetched = load(running, url)
    except UnavailableError as error:
        if error.code == "address-refused":
            raise InvalidError(error.code, error.message, "/url") from error
        raise
    kind = kind_of(fetched.body)
    page = kind == "html" or fetched.media_type in {"text/html", "application/xhtml+xml"}
    if is_credential(fetched.body) or not (page or kind in {"pdf", "zip", "photo", "png"}):  # (1)
        return fetched
    leads = read_page(fetched.body, url).candidates if page else _leads(url, fetched.body)
    found = _first_credential(running, leads)  # (2)
    if found is None and kind == "png":
        return fetched
    if found is None:
        got = "a web page" if page else "something else"
        message = f"Expected the address of a credential (JSON, JWT, PNG or SVG), got {got} that leads to none."
        raise InvalidError("not-a-credential", message, "/url")
    return found


def _leads(url: str, content: bytes) -> tuple[str | bytes, ...]:
    """Return the credential in a file, or addresses in it; nothing where it holds several, of which one is meant."""
    opened = open_file(url, content)
    held = tuple(each.received for each in opened if each.received is not None)
    return held[:1] if len(held) == 1 else tuple(each.url for each in opened if each.url is not None and not held)


def _first_credential(running: Runtime, leads: Sequence[str | bytes]) -> Fetched | None:
    for lead in leads[:MAX_FOLLOWED]:
        if isinstance(lead, bytes):
            return Fetched(lead, "")
        try:
            fetched = load(running, lead)
        except UnavailableError as error:
            if error.code == "fetch-timeout":
                return None  # whoever waits has waited long enough
            continue
        if is_credential(fetched.body):
            return fetched
    return None
