"""Fetch a newer copy of a credential from where its issuer offers it."""

from typing import Final
from urllib.parse import unquote

from credentials.checks.inquiry import Inquiry
from credentials.checks.received import Secured, read
from credentials.errors import MalformedError, shown
from credentials.reading import begins, is_a, listed
from credentials.strict_json import pointer

SERVICE: Final = "1EdTechCredentialRefresh"


def service_of(secured: Secured) -> tuple[str, str] | None:
    """Return the address of the refresh service of a credential, and its pointer.

    It is the first service of 1EdTech's type.
    """
    value = secured.credential.get("refreshService")
    for index, service in enumerate(listed(value)):
        if is_a(service, SERVICE) and isinstance(service.get("id"), str):
            return service["id"], pointer("refreshService", *([index] if isinstance(value, list) else []))
    return None


def fetch_newer(secured: Secured, address: str, inquiry: Inquiry) -> Secured | None:
    """Return what the refresh service has now, unchecked; None if we have the same.

    Two copies are of the same credential if issuer and id are the same, without surrounding spaces and with %-escapes
    undone. A credential without id is the same as no other.

    Raises:
        UnavailableError: nothing could be fetched.
        MalformedError, ImageError, UnsupportedError: no credential there, another one ("refresh-other"), or one that
            begins earlier ("refresh-older").
    Spec: 1EdTech Verifiable Credential Refresh Service 1.0; Open Badges 3.0, on the equality of credentials.
    """
    newer = read(inquiry.load(address).body)
    if newer == secured:
        return None
    identity = _identity(secured)
    if identity is None or _identity(newer) != identity:
        message = (
            f"expected a newer copy of {shown(secured.credential.get('id'))} by its issuer, got another credential"
        )
        raise MalformedError("refresh-other", message)
    was, starts = begins(secured.credential), begins(newer.credential)
    if was is not None and (starts is None or starts < was):
        raise MalformedError("refresh-older", "expected a newer copy, got one that begins earlier")
    return newer


def _identity(secured: Secured) -> tuple[str, str] | None:
    identifier, issuer = secured.credential.get("id"), secured.issuer_id
    if not isinstance(identifier, str) or issuer is None:
        return None
    return unquote(issuer).strip(), unquote(identifier).strip()
