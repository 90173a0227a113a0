"""Verify a received credential, and find the one behind an address."""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Final
from urllib.parse import urlsplit

from credentials import Check, Fetched, Load, Report, UnavailableError, reading, verify
from credentials.findings import Finding
from service.errors import InvalidError
from service.public import documents as public_documents
from service.runtime.runtime import Runtime
from service.unpacking.file_kinds import is_credential, kind_of
from service.unpacking.unpack import open_file
from service.unpacking.web_pages import read_page

_OTHER_FORMS: Final = re.compile(r"(?<=/credentials/[0-9a-f]{32})\.(png|svg|html|bundle)$")
MAX_FOLLOWED: Final = 5
"""How many addresses are asked for the badge behind a page, PDF, ZIP or picture."""


def load(runtime: Runtime, url: str) -> Fetched:
    """Load a document.

    Ours come from the database, never by HTTP to ourselves; others through the guarded client.

    Raises:
        UnavailableError: it cannot be loaded.
    """
    if public_documents.is_ours(runtime.settings, url):
        with runtime.database.read() as session:
            found = public_documents.find(session, runtime, url)
        if found is None:
            raise UnavailableError("document-unknown", f"{urlsplit(url).path} is not an address of this service.")
        return found
    return runtime.fetcher.fetch(url)


def verify_received(
    runtime: Runtime,
    received: bytes | str,
    recipient: str | None = None,
    *,
    documents: Load | None = None,
    discreet: bool = True,
) -> Report:
    """Verify a credential as it was received, and return the report.

    The issuer does not learn which credential is checked, where a list says whether it was revoked: see `verify`.

    Args:
        received: JSON text, compact JWS, PNG or SVG.
        recipient: e-mail, DID or other identifier of the person who showed it.
        documents: loads the documents of issuers, in place of `load`; then no row is read.
        discreet: ask no server about this one credential, such as its refresh service.
    """
    report = verify(
        received,
        now=runtime.now(),
        load=documents or (lambda url: load(runtime, url)),
        contexts=runtime.contexts,
        recipient=recipient,
        discreet=discreet,
    )
    return with_suspension(runtime, report) if documents is None else report


def with_suspension(runtime: Runtime, report: Report) -> Report:
    """Return the report with a failed status where the credential is ours and suspended.

    A published revocation list cannot say this, but we know it. This applies only to what we signed: another issuer's
    credential may bear any `id`.
    """
    outcomes = {check.name: check.outcome for check in report.checks}
    address = report.credential.get("id") if report.credential is not None else None
    signed = outcomes.get("proof") == outcomes.get("issuer") == outcomes.get("status") == "passed"
    if not signed or not isinstance(address, str) or not public_documents.is_ours(runtime.settings, address):
        return report
    with runtime.database.read() as session:
        row = public_documents.credential_at(session, address)
        if (
            row is None
            or row.suspended_at is None
            or not public_documents.is_issuer(session, runtime, row, _issuer(report))
        ):
            return report
    message = "expected a credential that stands, got one that is suspended"
    finding = Finding("credential-suspended", message, "/credentialStatus")
    checks = tuple(Check("status", "failed", (finding,)) if each.name == "status" else each for each in report.checks)
    return replace(report, checks=checks, verdict="rejected")


def _issuer(report: Report) -> str:
    return reading.id_of((report.credential or {}).get("issuer")) or ""


def look_up(runtime: Runtime, url: str) -> Fetched:
    """Fetch the credential at a public address, or behind the page or file there.

    1. A credential, or something that can neither hold one nor lead to one, is returned as it is: the report then says
       what is wrong with it.
    2. A web page, PDF, ZIP or picture is searched for the badge. Where that is elsewhere, at most `MAX_FOLLOWED` of the
       addresses in it are asked, and none of those that they lead to.

    Raises:
        UnavailableError: the address gave nothing.
        InvalidError: an address that is never asked (code "address-refused"), or what is there is not a credential and
            leads to none (code "not-a-credential").
    """
    if public_documents.is_ours(runtime.settings, url):
        url = _OTHER_FORMS.sub("", url)  # the same badge, in the form that is checked here
    try:
        fetched = load(runtime, url)
    except UnavailableError as error:
        if error.code == "address-refused":
            raise InvalidError(error.code, error.message, "/url") from error
        raise
    kind = kind_of(fetched.body)
    page = kind == "html" or fetched.media_type in {"text/html", "application/xhtml+xml"}
    if is_credential(fetched.body) or not (page or kind in {"pdf", "zip", "photo", "png"}):  # (1)
        return fetched
    leads = read_page(fetched.body, url).candidates if page else _leads(url, fetched.body)
    found = _first_credential(runtime, leads)  # (2)
    if found is None and kind == "png":
        return fetched
    if found is None:
        got = "a web page" if page else "something else"
        message = f"Expected the address of a credential (JSON, JWT, PNG or SVG), got {got} that leads to none."
        raise InvalidError("not-a-credential", message, "/url")
    return found


def _leads(url: str, content: bytes) -> tuple[str | bytes, ...]:
    """Return the credential in a file, or addresses in it.

    Return nothing where it holds several credentials.
    """
    opened = open_file(url, content)
    held = tuple(each.received for each in opened if each.received is not None)
    return held[:1] if len(held) == 1 else tuple(each.url for each in opened if each.url is not None and not held)


def _first_credential(runtime: Runtime, leads: Sequence[str | bytes]) -> Fetched | None:
    for lead in leads[:MAX_FOLLOWED]:
        if isinstance(lead, bytes):
            return Fetched(lead, "")
        try:
            fetched = load(runtime, lead)
        except UnavailableError as error:
            if error.code == "fetch-timeout":
                return None  # the person who asked has waited long enough
            continue
        if is_credential(fetched.body):
            return fetched
    return None
