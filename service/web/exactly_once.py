"""Routes that carry out a write only once for each `Idempotency-Key`."""

import hashlib
import inspect
import json
from collections.abc import Callable
from functools import partial, wraps
from typing import Annotated, Any

from fastapi import Depends, Header, Request, Response

from service.access.callers import Caller
from service.web import idempotency
from service.web.requests import Now, Writer, caller

Route = Callable[..., Response]
IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        description="The same key and body gets the same answer again (for 24 hours); with another body it is a 409.",
    ),
]


async def request_digest(request: Request) -> str:
    """Return SHA-256 over method, path, query and body."""
    digest = hashlib.sha256(f"{request.method} {request.url.path}?{request.url.query}\n".encode())
    digest.update(await request.body())
    return digest.hexdigest()


class Once:
    """A request with its key, which is carried out or answered as before."""

    def __init__(
        self,
        digest: Annotated[str, Depends(request_digest)],
        who: Annotated[Caller, Depends(caller)],
        session: Writer,
        at: Now,
        request: Request,
        key: IdempotencyKey = None,
    ) -> None:
        self._parts = (session, who, key, digest, at)
        self._request = request

    def __call__(self, work: Callable[[], Response], kept: Callable[[Response], str | None]) -> Response:
        """Return the remembered answer, or that of `work`.

        The latter is remembered in the same transaction.
        """
        session, who, key, digest, at = self._parts
        if key is None:
            return work()
        before = idempotency.begin(session, who, key, digest, at)
        if before is not None and before.answer is not None:
            return Response(before.answer, before.status or 200, media_type="application/json")
        self._request.state.repeated = before is not None
        response = work()
        idempotency.remember(session, who, key, response.status_code, kept(response))
        return response


Exactly = Annotated[Once, Depends(scope="function")]


def exactly_once(*, personal: bool = False, shown_once: str | None = None) -> Callable[[Route], Route]:
    """Carry out a route once for each `Idempotency-Key`.

    The same key and body get the same answer again.

    Args:
        personal: the answer has personal content and is not stored: the route is carried out again, and must be
            repeatable.
        shown_once: the member of the answer that is a secret: it is left out of what is stored.
    Raises:
        ConflictError: the key was used with another request (code "idempotency-key-reused").
    """

    def kept(response: Response) -> str | None:
        if personal:
            return None
        text = bytes(response.body).decode()
        if shown_once is None:
            return text
        answer = json.loads(text)
        answer.pop(shown_once, None)
        return json.dumps(answer, ensure_ascii=False, separators=(",", ":"))

    def decorated(route: Route) -> Route:
        @wraps(route)
        def exact(once: Once, **arguments: Any) -> Response:
            response = once(partial(route, **arguments), kept)
            if shown_once is not None:
                response.headers["Cache-Control"] = "no-store"
            return response

        # FastAPI reads from the signature what it must give to a route.
        given = inspect.signature(route)
        own = inspect.Parameter("once", inspect.Parameter.KEYWORD_ONLY, annotation=Exactly)
        exact.__signature__ = given.replace(parameters=[*given.parameters.values(), own])  # type: ignore[attr-defined]
        return exact

    return decorated
