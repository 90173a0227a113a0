"""Verify a received credential, and find the one behind an address."""

import re
from collections.abc import Sequence
from functools import partial
from typing import Any, Final
from urllib.parse import urlsplit

from credentials import Fetched, GoneError, Load, Report, UnavailableError, find_older, verify, verify_older
from credentials.checks.received import read
from credentials.model import badges2
from service.errors import InvalidError
from service.public import addresses
from service.runtime.cpu_time import CpuTime, waiting, working
from service.runtime.runtime import Runtime
from service.unpacking.file_kinds import is_credential, kind_of
from service.unpacking.unpack import Allowance, open_file
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
    if addresses.is_ours(runtime.settings, url):
        from service.public import documents

        with runtime.database.read() as session:
            found = documents.find(session, runtime, url)
        if found is None:
            raise UnavailableError("document-unknown", f"{urlsplit(url).path} is not an address of this service.")
        return found
    with waiting():
        return runtime.fetcher.fetch(url)


def verify_received(
    runtime: Runtime,
    received: bytes | str,
    recipient: str | None = None,
    *,
    documents: Load | None = None,
    discreet: bool = True,
    time: CpuTime | None = None,
    address: str = "",
) -> Report:
    """Verify a credential as it was received, and return the report.

    The issuer does not learn which credential is checked, where a list says whether it was revoked: see `verify`. A
    badge of Open Badges 2.0 without a signature is asked for at its own address, because nothing else confirms it.

    Args:
        received: JSON text, compact JWS, PNG or SVG.
        recipient: e-mail, DID or other identifier of the person who showed it.
        documents: loads what was brought along with it, in place of `load`; then no row is read.
        discreet: ask no server about this one credential, such as its refresh service.
        time: of the processor, left to the request; left out: as much as one request has.
        address: where it was fetched, "" if it was not.
    """
    asked: dict[str, Any] = {
        "now": runtime.now(),
        "load": documents or partial(load, runtime),
        "recipient": recipient,
        "time_left": (time or CpuTime()).left,
    }
    with working():
        older = find_older(received, address)
        if older is not None:
            return verify_older(older, **asked)
        carried = documents is not None
        report = verify(received, contexts=runtime.contexts, discreet=discreet, carried=carried, **asked)
    if documents is not None or report.credential is None or not runtime.has_rows:
        return report
    from service.checking import our_copies, own_people

    report = our_copies.compare(runtime, report, read(received))
    return report if recipient is None else own_people.recognise(runtime, report, recipient)


def lead_on(runtime: Runtime, report: Report, allowance: Allowance) -> tuple[bytes, str] | None:
    """Return the badge to which a picture leads that holds no more than an address, and that address.

    Pictures before Open Badges 3.0 may hold the address of a badge. What lies there now may be of another standard, or a
    page that leads on, as with any link. None for every other report, and where the address leads to no badge.
    """
    older = report.older
    codes = {finding.code for check in report.checks for finding in check.findings}
    if older is None or report.credential or "hosted-malformed" not in codes:
        return None
    try:
        found = look_up(runtime, badges2.secure(older.address), allowance).body
    except (UnavailableError, InvalidError):
        return None
    with working():
        again = find_older(found)
    leads = is_credential(found) and (again is None or again.document)  # not to one more address
    return (found, older.address) if leads else None


def look_up(runtime: Runtime, url: str, allowance: Allowance) -> Fetched:
    """Fetch the credential at a public address, or behind the page or file there.

    1. A credential, or something that can neither hold one nor lead to one, is returned as it is: the report then says
       what is wrong with it.
    2. A web page, PDF, ZIP or picture is searched for the badge. Where that is elsewhere, at most `MAX_FOLLOWED` of the
       addresses in it are asked, and none of those that they lead to.

    Args:
        allowance: what is left to the request.
    Raises:
        UnavailableError: the address gave nothing.
        InvalidError: an address that is never asked (code "address-refused"), one of ours at which nothing is (code
            "address-without-badge"), or what is there is not a credential and leads to none (code "not-a-credential").
    """
    if addresses.is_ours(runtime.settings, url):
        url = _OTHER_FORMS.sub("", url)  # the same badge, in the form that is checked here
    try:
        fetched = load(runtime, url)
    except GoneError as error:
        if find_older(error.body, url) is not None:  # it says that it was revoked
            return Fetched(error.body, "application/json")
        raise
    except UnavailableError as error:
        if error.code == "address-refused":
            raise InvalidError(error.code, error.message, "/url") from error
        if error.code == "document-unknown":  # not another server that is silent: the address is wrong
            message = "Expected the address of a badge, got one of this service at which there is none; take it from the page of the badge."
            raise InvalidError("address-without-badge", message, "/url") from error
        raise
    kind = kind_of(fetched.body)
    page = kind == "html" or fetched.media_type in {"text/html", "application/xhtml+xml"}
    if is_credential(fetched.body) or not (page or kind in {"pdf", "zip", "photo", "png"}):  # (1)
        return fetched
    leads = read_page(fetched.body, url).candidates if page else _leads(url, fetched.body, allowance)
    found = _first_credential(runtime, leads)  # (2)
    if found is None and kind == "png":
        return fetched
    if found is None:
        got = "a web page" if page else "something else"
        message = f"Expected the address of a credential (JSON, JWT, PNG or SVG), got {got} that leads to none."
        raise InvalidError("not-a-credential", message, "/url")
    return found


def _leads(url: str, content: bytes, allowance: Allowance) -> tuple[str | bytes, ...]:
    """Return the credential in a file, or addresses in it.

    Return nothing where it holds several credentials.
    """
    opened = open_file(url, content, allowance)
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
