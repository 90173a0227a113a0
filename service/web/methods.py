"""Which methods an address answers: several routes may share it."""

from fastapi import Request
from starlette.routing import Match

ALL = ("GET", "POST", "PUT", "PATCH", "DELETE")


def allowed(request: Request) -> str:
    """Return the value of the header `Allow`. Spec: RFC 9110, section 10.2.1."""
    found = [
        method
        for method in ALL
        if any(route.matches({**request.scope, "method": method})[0] is Match.FULL for route in request.app.routes)
    ]
    if "GET" in found:
        found.insert(1, "HEAD")
    return ", ".join([*found, "OPTIONS"])
