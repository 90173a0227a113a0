"""Who sends a request, and to which address it was sent.

This is decided before anybody else reads the request.

`X-Forwarded-For` is the only header that is believed, and only from proxies of the settings. `Forwarded` (RFC 7239) is
not read: many proxies pass on what a caller wrote there. The scheme and the host are those of the base URL whatever a
request says, so that nobody can make this service write another address into a redirect.
"""

import logging
from collections.abc import Collection, Iterable
from ipaddress import IPv4Network, IPv6Network
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Receive, Scope, Send

from service.runtime.caller_addresses import address_of
from service.runtime.settings import Settings

log = logging.getLogger(__name__)


class BehindProxies:
    """Middleware that gives each request its caller's address, and the scheme and host of the base URL.

    Everything within reads `scope["client"]`, as of any server.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._trusted = settings.trusted_proxies
        base = urlsplit(settings.base_url)
        self._scheme, self._host = base.scheme, base.netloc.encode()
        self._warned = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on as one that came from its caller straight to the base URL."""
        if scope["type"] == "http":
            peer, port = scope.get("client") or ("", 0)
            claims = [value.decode("latin-1") for name, value in scope["headers"] if name == b"x-forwarded-for"]
            if claims and not self._warned and not _is_trusted(peer, self._trusted) and _is_private(peer):
                self._warned = True
                log.warning(
                    "X-Forwarded-For came from a proxy that LAUREL_TRUSTED_PROXIES does not name: all its callers count as one"
                )
            headers = [each for each in scope["headers"] if each[0] != b"host"]
            scope = {
                **scope,
                "client": (caller(peer, claims, self._trusted), port),
                "scheme": self._scheme,
                "headers": [(b"host", self._host), *headers],
            }
        await self._app(scope, receive, send)


def caller(peer: str, claims: Iterable[str], trusted: Collection[IPv4Network | IPv6Network]) -> str:
    """Return the address of the caller.

    Each proxy adds at the end the address that it was called from. So they are read from the end, as long as the one
    who said it is trusted; what stands before that was written by the caller.

    Args:
        peer: the address that is connected with us; "" if unknown.
        claims: the values of `X-Forwarded-For`, in order.
    """
    found = peer
    for claim in reversed(",".join(claims).split(",")):
        claimed = address_of(_without_port(claim.strip()))
        if claimed is None or not _is_trusted(found, trusted):
            break
        found = str(claimed)
    return found


def may_be_proxy(peer: str, trusted: Collection[IPv4Network | IPv6Network]) -> bool:
    """Return whether the peer may be a proxy, which stands for many: one of the settings, or a private address."""
    return address_of(peer) is None or _is_private(peer) or _is_trusted(peer, trusted)


def _is_trusted(text: str, trusted: Collection[IPv4Network | IPv6Network]) -> bool:
    address = address_of(text)
    return address is not None and any(address in network for network in trusted)


def _is_private(text: str) -> bool:
    address = address_of(text)
    return address is not None and address.is_private


def _without_port(text: str) -> str:
    """Return what stands before the port, which some proxies add."""
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.partition(":")[0] if text.count(":") == 1 else text
