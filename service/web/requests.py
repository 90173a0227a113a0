"""What every route gets: strict JSON, the caller, a session and the time."""

from asyncio import AbstractEventLoop, Semaphore, get_running_loop
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from datetime import datetime
from typing import Annotated, Any, Generic, TypeVar
from weakref import WeakKeyDictionary

from fastapi import Depends, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.routing import APIRoute
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, ConfigDict

from credentials import parse_json
from service.access import callers
from service.access.act import CallersAct
from service.access.callers import Caller
from service.errors import InvalidError, UnauthenticatedError
from service.runtime.runtime import Runtime
from service.storage.database import ReadSession, WriteSession
from service.storage.paging import MAX_LIMIT
from service.tables import Network
from service.web.problems import PROBLEM

ModelT = TypeVar("ModelT", bound=BaseModel)


class Answer(BaseModel):
    """An answer body; members without a value are left out."""

    model_config = ConfigDict(frozen=True, from_attributes=True, serialize_by_alias=True)


class Page(Answer, Generic[ModelT]):
    """One page of a list; `next` is the cursor of the next page, left out on the last."""

    items: list[ModelT]
    next: str | None = None


class StrictRoute(APIRoute):
    """A route that reads its JSON body strictly.

    It refuses duplicate keys, NaN, lone surrogates and endless depth. It refuses U+0000 in addresses, as
    `service.bodies.Body` refuses it in bodies: PostgreSQL cannot look it up. Answers leave out the members that have no
    value.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        responses = (kwargs.get("responses") or {}) | {"default": PROBLEM}
        super().__init__(*args, **kwargs | {"response_model_exclude_none": True, "responses": responses})

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return a handler whose request reads JSON strictly."""
        handler = super().get_route_handler()

        async def strict(request: Request) -> Response:
            if "\0" in request.scope["path"] or b"%00" in request.scope["query_string"]:
                raise InvalidError("text-nul", "Expected an address without the character U+0000.")
            return await handler(_StrictRequest(request.scope, request.receive))

        return strict


class _StrictRequest(Request):
    async def json(self) -> Any:
        return parse_json(await self.body())


def runtime(request: Request) -> Runtime:
    """Return the runtime of the application."""
    found: Runtime = request.app.state.runtime
    return found


def now(runtime: Annotated[Runtime, Depends(runtime)]) -> datetime:
    """Return the instant at which the request is answered."""
    return runtime.now()


Running = Annotated[Runtime, Depends(runtime)]
Now = Annotated[datetime, Depends(now)]
bearer = HTTPBearer(
    auto_error=False, description="A token from `laurel token create` or POST /v1/networks/{slug}/tokens"
)


SESSIONS, LOOK_UPS = 20, 5
_slots: WeakKeyDictionary[AbstractEventLoop, tuple[Semaphore, Semaphore]] = WeakKeyDictionary()


def _at_once() -> tuple[Semaphore, Semaphore]:
    """Return the slots for sessions, and those for looking up tokens.

    They belong to the event loop that asks. A request takes several steps, each in a thread of the pool, and may hold a
    connection, or even the lock of SQLite, from one step to the next. If all threads could wait for something that such
    a request holds, the request would find no thread for its next step, and nothing would ever continue. So fewer
    requests have a session at once than there are threads and connections.
    """
    return _slots.setdefault(get_running_loop(), (Semaphore(SESSIONS), Semaphore(LOOK_UPS)))


async def admitted() -> AsyncIterator[None]:
    """Let a limited number of requests have a session at once.

    The others wait their turn, without a thread.
    """
    async with _at_once()[0]:
        yield


Admitted = Annotated[None, Depends(admitted, scope="function")]


async def caller(
    runtime: Running, at: Now, header: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]
) -> Caller:
    """Return who is calling.

    At most every ten minutes, this writes down that the token is in use.
    """
    if header is None:
        raise UnauthenticatedError("token-missing", "Expected the header `Authorization: Bearer <token>`.")
    async with _at_once()[1]:
        return await run_in_threadpool(_identified, runtime, header.credentials, at)


def _identified(runtime: Runtime, secret: str, at: datetime) -> Caller:
    with runtime.database.read() as session:
        found, stale = callers.authenticate(session, secret, at)
    if stale:
        with runtime.database.write() as session:
            callers.note_use(session, found, at)
    return found


class Needs:
    """The scopes of a route; its caller must have one of them.

    This is the only place that checks scopes.
    """

    def __init__(self, *scopes: str) -> None:
        self.scopes = scopes

    def __call__(self, who: Annotated[Caller, Depends(caller)]) -> Caller:
        """Return the caller if it has a scope; otherwise refuse it."""
        callers.require(who, *self.scopes)
        return who


def reader(runtime: Running, _admitted: Admitted) -> Iterator[ReadSession]:
    """Open a read session for one request."""
    with runtime.database.read() as session:
        yield session


def writer(runtime: Running, _admitted: Admitted) -> Iterator[WriteSession]:
    """Open a write session for one request; it commits before the answer is sent."""
    with runtime.database.write() as session:
        yield session


# This scope commits before the response is sent: a failing commit is a 500, never a 200.
Reader = Annotated[ReadSession, Depends(reader, scope="function")]
Writer = Annotated[WriteSession, Depends(writer, scope="function")]


def own_network_read(slug: str, session: Reader, who: Annotated[Caller, Depends(caller)]) -> Network:
    """Return the network in the path, if it is the caller's."""
    return callers.network_of(session, who, slug)


def own_network_write(slug: str, session: Writer, who: Annotated[Caller, Depends(caller)]) -> Network:
    """Return the network in the path, if it is the caller's and not closed.

    It belongs to the write session.
    """
    return callers.still_open(callers.network_of(session, who, slug))


ReadNetwork = Annotated[Network, Depends(own_network_read, scope="function")]
WriteNetwork = Annotated[Network, Depends(own_network_write, scope="function")]
After = Annotated[str | None, Query(max_length=200, description="cursor: `next` of the page before")]
Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT, description="rows in a page")]


def acting(needs: Callable[..., Caller]) -> Any:
    """Give a route its act in the network of the path, which must be open.

    Args:
        needs: lets the caller pass, as `Needs` does; it is asked after the network was found.
    """

    async def act(
        network: WriteNetwork, session: Writer, who: Annotated[Caller, Depends(needs)], at: Now
    ) -> CallersAct:
        return CallersAct(session, network, who, at)

    return Depends(act, scope="function")


def acting_at_home(needs: Callable[..., Caller]) -> Any:
    """Give a route its act in the network of the token, open or closed.

    Args:
        needs: lets the caller pass, as `Needs` does.
    """

    def act(session: Writer, who: Annotated[Caller, Depends(needs)], at: Now) -> CallersAct:
        return CallersAct(session, callers.own_network(session, who), who, at)

    return Depends(act, scope="function")


def reply(status: int, body: BaseModel, headers: dict[str, str] | None = None) -> Response:
    """Return `body` as JSON; members without a value are left out."""
    return Response(body.model_dump_json(exclude_none=True), status, headers, media_type="application/json")
