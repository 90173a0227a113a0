"""Routes whose work is costly: a bound over all callers together.

Once the body of such a request has arrived (in room of its own: `web/arriving.py`), its work gets a place, and a thread
apart: fewer than those for everybody else. A request that finds no place waits for a moment without a thread, and is
then told when to come again. All other routes never wait for this.
"""

import inspect
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial, wraps
from typing import Annotated, Any, Final, TypeVar

import anyio.to_thread
from anyio import CapacityLimiter
from fastapi import Depends, Request
from fastapi.concurrency import run_in_threadpool

from service.runtime.cpu_time import working
from service.runtime.turns import Turns
from service.web.queries import QueryRoute

ResultT = TypeVar("ResultT")

AT_ONCE: Final = 16
"""Places, and threads: fewer than the 40 that everything else has."""
OF_ONE, KEPT = 4, 4
"""How many of them one caller may have, and how many go only to callers who had little lately."""


class Costly:
    """The places of one application, and their threads."""

    def __init__(self) -> None:
        self.turns = Turns(at_once=AT_ONCE, of_one=OF_ONE, kept=KEPT)
        self._threads = CapacityLimiter(AT_ONCE)

    async def run(self, request: Request, work: Callable[[], ResultT]) -> ResultT:
        """Do the work in a thread for costly work, and return its result."""

        def worked() -> ResultT:
            with working(_address(request)):
                return work()

        return await anyio.to_thread.run_sync(worked, limiter=self._threads)


def costly(request: Request) -> Costly:
    """Return the places of this application."""
    found: Costly = request.app.state.costly
    return found


@asynccontextmanager
async def place(request: Request, seconds: float | None = None) -> AsyncIterator[None]:
    """Hold a place for the request.

    Args:
        seconds: how long to wait for one; left out: a moment.
    Raises:
        TooManyRequestsError: all are taken (code "service-busy").
    """
    async with costly(request).turns.awaited(_address(request), seconds):
        yield


def _address(request: Request) -> str:
    return request.client.host if request.client else ""


async def in_a_place(request: Request, work: Callable[[], ResultT], seconds: float | None = None) -> ResultT:
    """Do costly work; it raises as `place`."""
    async with place(request, seconds):
        return await costly(request).run(request, work)


class CostlyRoute(QueryRoute):
    """A route whose endpoint is costly."""

    WAIT_SECONDS: float | None = None

    def __init__(self, path: str, endpoint: Callable[..., Any], **given: Any) -> None:
        super().__init__(path, self._in_a_place(endpoint), **given)

    def is_costly(self, request: Request) -> bool:  # noqa: ARG002  (for routes that know better)
        """Return whether this request needs a place."""
        return True

    def _in_a_place(self, endpoint: Callable[..., Any]) -> Callable[..., Any]:
        """Return an endpoint that does its work in a place."""
        if inspect.iscoroutinefunction(endpoint):  # it is so already: the framework makes a route again to include it
            return endpoint

        @wraps(endpoint)
        async def placed(asked_with: Request, **arguments: Any) -> Any:
            work = partial(endpoint, **arguments)
            if self.is_costly(asked_with):
                return await in_a_place(asked_with, work, self.WAIT_SECONDS)
            return await run_in_threadpool(work)

        own = inspect.Parameter(
            "asked_with", inspect.Parameter.KEYWORD_ONLY, annotation=Annotated[Request, Depends(_request)]
        )
        given = inspect.signature(endpoint)
        del placed.__wrapped__  # by which the framework would take it for the endpoint itself
        # FastAPI reads from the signature what it must give to a route.
        placed.__signature__ = given.replace(parameters=[*given.parameters.values(), own])  # type: ignore[attr-defined]
        return placed


class CostlyForm(CostlyRoute):
    """A route of a form: to show it empty costs nothing."""

    def is_costly(self, request: Request) -> bool:
        """Return whether something was sent."""
        return request.method != "GET" or bool(request.url.query)


async def _request(request: Request) -> Request:
    return request
