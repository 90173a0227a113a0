"""Bodies of many records, one a line, at the same addresses as single ones.

Their content type is `application/x-ndjson`.
"""

import hashlib
from collections.abc import AsyncIterator
from tempfile import TemporaryFile
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.routing import Match
from starlette.types import Scope

from service.access import callers
from service.access.callers import Caller
from service.intake import bulk
from service.intake.bulk import Kind, Spool
from service.web.exactly_once import IdempotencyKey
from service.web.requests import Needs, Running, StrictRoute, caller

MEDIA_TYPE = "application/x-ndjson"
_LINES = {"schema": {"type": "string", "description": "one such object a line, in UTF-8"}}
_ANSWERS = {
    "schema": {
        "type": "string",
        "description": (
            "one object a line: `line` (from 1), `status` (accepted, duplicate, held, quarantined or rejected), `id` of the record, "
            "and of a rejected one the `problem` {code, detail, pointer}"
        ),
    }
}
DOCUMENTED: dict[str, Any] = {
    "requestBody": {"content": {MEDIA_TYPE: _LINES}},
    "responses": {"200": {"content": {MEDIA_TYPE: _ANSWERS}}},
}
"""What the route for a single body says of this content type (`openapi_extra`)."""


class LinesRoute(StrictRoute):
    """A route only for bodies of many lines; any other body is another route's."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Match by path, method and content type."""
        sent = Headers(scope=scope).get("content-type", "") if scope["type"] == "http" else ""
        if sent.partition(";")[0].strip().lower() != MEDIA_TYPE:
            return Match.NONE, {}
        return super().matches(scope)


router = APIRouter(route_class=LinesRoute, include_in_schema=False)


def open_network(slug: str, runtime: Running, who: Annotated[Caller, Depends(caller)]) -> UUID:
    """Return the id of the caller's network, from a session of its own.

    The work that follows needs many sessions.
    """
    with runtime.database.read() as session:
        return callers.still_open(callers.network_of(session, who, slug)).id


async def spooled(request: Request, runtime: Running) -> AsyncIterator[Spool]:
    """Yield the body in a temporary file; the router limits its size.

    The file has no name, so it is gone however the request ends.
    """
    folder = runtime.settings.data_folder
    folder.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    with TemporaryFile(dir=folder) as file:
        async for piece in request.stream():
            digest.update(piece)
            await run_in_threadpool(file.write, piece)
        yield Spool(file, digest.hexdigest())


OpenNetwork = Annotated[UUID, Depends(open_network)]
# The file is closed before the answer is sent: the answer comes from the rows.
Spooled = Annotated[Spool, Depends(spooled, scope="function")]


class Bulk:
    """A request of many lines, ready to be taken in."""

    # The order of the arguments is the order of the work: no body is spooled before its sender is known.
    def __init__(
        self,
        who: Annotated[Caller, Depends(caller)],
        network_id: OpenNetwork,
        spool: Spooled,
        request: Request,
        runtime: Running,
        key: IdempotencyKey = None,
    ) -> None:
        self._address = f"{request.method} {request.url.path}?{request.url.query}"
        self._parts = (runtime, network_id, who, spool, key)

    def __call__(self, kind: Kind) -> Response:
        """Take everything in, then answer line by line."""
        runtime, network_id, who, spool, key = self._parts
        import_id = bulk.run(runtime, bulk.BulkRequest(network_id, who, kind, self._address, key), spool)
        return StreamingResponse(bulk.answer(runtime, import_id), media_type=MEDIA_TYPE)


Lines = Annotated[Bulk, Depends(scope="function")]


@router.post("/v1/networks/{slug}/members", dependencies=[Depends(Needs("members:write"))])
def post_members(lines: Lines) -> Response:
    """Add or change many members."""
    return lines("members")


@router.post("/v1/networks/{slug}/contributions", dependencies=[Depends(Needs("evidence:write"))])
def post_contributions(lines: Lines) -> Response:
    """Record many contributions."""
    return lines("contributions")


@router.post("/v1/networks/{slug}/evaluations", dependencies=[Depends(Needs("evidence:write"))])
def post_evaluations(lines: Lines) -> Response:
    """Record many evaluations."""
    return lines("evaluations")
