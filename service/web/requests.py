"""What every route gets: strict JSON, the caller, a session and the time."""

import base64
import hashlib
import json
from asyncio import AbstractEventLoop, Semaphore, get_running_loop
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from datetime import datetime
from functools import cached_property, partial
from typing import Annotated, Any, ClassVar, Generic, Protocol, TypeVar, runtime_checkable
from weakref import WeakKeyDictionary

from anyio import CapacityLimiter, to_thread
from fastapi import Depends, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.dependencies.models import Dependant
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, ConfigDict, GetJsonSchemaHandler, TypeAdapter
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from credentials import parse_json
from credentials.strict_json import MAX_VALUES, ArrivingJson
from service.access import callers
from service.access.act import CallersAct
from service.access.callers import Caller
from service.bodies import without_null
from service.errors import InvalidError, NotFoundError, UnauthenticatedError
from service.runtime.runtime import Runtime
from service.storage.database import ReadSession, WriteSession
from service.storage.paging import MAX_CURSOR, MAX_LIMIT, Window
from service.tables import Network
from service.web.arriving import Arrival
from service.web.problems import JSON
from service.web.queries import QueryRoute
from service.web.refusals import Refusals

FoundT = TypeVar("FoundT")
ModelT = TypeVar("ModelT", bound=BaseModel)


class Answer(BaseModel):
    """An answer body; members without a value are left out."""

    model_config = ConfigDict(
        frozen=True, from_attributes=True, serialize_by_alias=True, json_schema_serialization_defaults_required=True
    )

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Describe a member that can be without a value as one that may be left out, and is never null."""
        return without_null(schema, handler)

    MOVING: ClassVar[frozenset[str]] = frozenset()
    """Members that change while nobody edits the thing: its entity tag leaves them out, so that an edit need not hurry."""


class Page(Answer, Generic[ModelT]):
    """One page of a list; `next` is the cursor of the next page, left out on the last."""

    items: list[ModelT]
    next: str | None = None

    @classmethod
    def model_parametrized_name(cls, params: tuple[Any, ...]) -> str:
        """Return the name of the page of these, for the description of the API."""
        return f"{params[0].__name__.removesuffix('Out')}Page"


@runtime_checkable
class Gate(Protocol):
    """A dependency that decides by the headers whether the caller may pass."""

    async def before_the_body(self, request: Request) -> None:
        """Refuse the request, or let its body be read."""


class StrictRoute(QueryRoute):
    """A route that asks who is calling before it reads a body, and reads JSON strictly.

    The framework reads the body before it solves dependencies. So the gates among the route's dependencies are asked
    first: a stranger's body costs nothing.

    It refuses duplicate keys, NaN, lone surrogates, endless depth, and too many values while they arrive. It refuses
    U+0000 in addresses, as `service.bodies.Body` refuses it in bodies: PostgreSQL cannot look it up. Answers leave out
    the members that have no value.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs | {"response_model_exclude_none": True})

    @cached_property
    def body_shape(self) -> CoreSchema | None:
        """The shape of the body, for suggestions; None if the route takes none."""
        if self.body_field is None:
            return None
        annotation: Any = self.body_field.field_info.annotation
        return TypeAdapter[Any](annotation).core_schema

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return a handler that asks the gates, and whose request reads JSON strictly."""
        handler = super().get_route_handler()
        asked = list(gates(self.dependant))

        async def strict(request: Request) -> Response:
            if "\0" in request.scope["path"] or b"%00" in request.scope["query_string"]:
                raise InvalidError("text-nul", "Expected an address without the character U+0000.")
            for gate in asked:
                await gate.before_the_body(request)
            return await handler(_StrictRequest(request.scope, request.receive))

        return strict


async def without_nul(request: Request) -> None:
    """Refuse an address with U+0000: nothing has such a name, and PostgreSQL refuses to look for it.

    Raises:
        NotFoundError: there is one in the path (code "not-found").
    """
    if "\0" in request.scope["path"]:
        raise NotFoundError("not-found", "Nothing is at this address: none has the character U+0000.")


def gates(dependant: Dependant) -> Iterator[Gate]:
    """Yield the gates among the dependencies of a route."""
    if isinstance(dependant.call, Gate):
        yield dependant.call
    for inner in dependant.dependencies:
        yield from gates(inner)


class _StrictRequest(Request):
    async def stream(self) -> AsyncGenerator[bytes, None]:
        counted = ArrivingJson(MAX_VALUES) if JSON.match(self.headers.get("content-type", "")) else None
        async for piece in super().stream():
            if counted is not None:
                counted.take(piece)
            yield piece

    async def json(self) -> Any:
        parse = partial(parse_json, await self.body(), max_values=MAX_VALUES)
        return await to_thread.run_sync(parse, limiter=_at_once().parsing)


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
    auto_error=False,
    scheme_name="token",
    description="A token from `laurel token create` or `POST /v1/networks/{slug}/tokens`. Each operation says which scope "
    "its token needs.",
)


SESSIONS, LOOK_UPS, PARSING = 20, 5, 2


class _Slots:
    """How many requests do the same at once, on one event loop.

    Sessions and look-ups: a request takes several steps, each in a thread of the pool, and may hold a connection, or
    even the lock of SQLite, from one step to the next. If all threads could wait for something that such a request
    holds, the request would find no thread for its next step, and nothing would ever continue. So fewer requests have a
    session at once than there are threads and connections.

    Parsing: it has threads of its own, and few, because only one thread of Python runs at a time: with more of them the
    event loop would wait longer for its turn.
    """

    def __init__(self) -> None:
        self.sessions, self.look_ups = Semaphore(SESSIONS), Semaphore(LOOK_UPS)
        self.parsing = CapacityLimiter(PARSING)


_slots: WeakKeyDictionary[AbstractEventLoop, _Slots] = WeakKeyDictionary()


def _at_once() -> _Slots:
    loop = get_running_loop()
    if loop not in _slots:
        _slots[loop] = _Slots()
    return _slots[loop]


async def admitted() -> AsyncIterator[None]:
    """Let a limited number of requests have a session at once.

    The others wait their turn, without a thread.
    """
    async with _at_once().sessions:
        yield


Admitted = Annotated[None, Depends(admitted, scope="function")]


def address_of(request: Request) -> str:
    """Return the caller's address for fair limits; "" where it is unknown."""
    return request.client.host if request.client else ""


async def with_token(request: Request, look_up: Callable[[str], Awaitable[FoundT]]) -> FoundT:
    """Return what a look-up says of the bearer token of a request.

    Refused tokens count, and so do requests without one; their sender is told to wait before there is a look-up.

    Raises:
        UnauthenticatedError: there is no token (code "token-missing"), or as `look_up`.
        TooManyRequestsError: as `Refusals.let_pass`.
    """
    refusals: Refusals = request.app.state.refusals
    header = await bearer(request)
    secret = header.credentials if header is not None else None
    refusals.let_pass(address_of(request), secret)
    if secret is None:
        came = ", got one that says something else" if "Authorization" in request.headers else ""
        raise UnauthenticatedError("token-missing", f"Expected the header `Authorization: Bearer <token>`{came}.")
    try:
        found = await look_up(secret)
    except UnauthenticatedError:
        refusals.refused(secret)
        raise
    refusals.good(secret)
    # All access tokens of one token are one caller.
    Arrival.of(request.scope).known(str(found.token_id) if isinstance(found, Caller) else callers.digest_of(secret))
    return found


class _TheCaller:
    """Finds out who is calling: once for each request, before its body is read.

    At most every ten minutes, this writes down that the token is in use.
    """

    async def before_the_body(self, request: Request) -> None:
        """Let a caller with a good token pass.

        Raises:
            UnauthenticatedError, TooManyRequestsError: as `with_token` and `callers.authenticate`.
        """
        await self.found(request)

    async def __call__(
        self, request: Request, _header: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]
    ) -> Caller:
        """Return who is calling."""
        return await self.found(request)

    async def found(self, request: Request) -> Caller:
        """Return who is calling; look it up if nothing did so before."""
        if not hasattr(request.state, "caller"):
            request.state.caller = await with_token(request, partial(_looked_up, runtime(request)))
        known: Caller = request.state.caller
        return known


caller = _TheCaller()


async def look_up(runtime: Runtime, secret: str, work: Callable[[Runtime, str], FoundT]) -> FoundT:
    """Look up in a thread who has a secret, a few requests at once; before the request has a session of its own."""
    async with _at_once().look_ups:
        return await run_in_threadpool(work, runtime, secret)


async def _looked_up(runtime: Runtime, secret: str) -> Caller:
    return await look_up(runtime, secret, lambda runtime, secret: _identified(runtime, secret, runtime.now()))


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

    async def before_the_body(self, request: Request) -> None:
        """Let a caller pass that has a scope."""
        callers.require(await caller.found(request), *self.scopes)

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
FREE = frozenset({"after", "limit", "expand"})
"""What may be another from page to page; all else says what is listed."""


def window(
    request: Request,
    after: Annotated[
        str | None,
        Query(
            max_length=MAX_CURSOR, description="cursor: `next` of the page before, of the same list, filters and order"
        ),
    ] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT, description="rows in a page")] = 50,
) -> Window:
    """Return which part of a list is asked for; a cursor is good for this path, these filters and this order."""
    asked = sorted(pair for pair in request.query_params.multi_items() if pair[0] not in FREE)
    listed = hashlib.sha256(json.dumps([request.url.path, asked]).encode()).digest()
    return Window(after, limit, base64.urlsafe_b64encode(listed[:9]).decode())


Windowed = Annotated[Window, Depends(window)]


def acting(needs: Callable[..., Caller]) -> Any:
    """Give a route its act in the network of the path, which must be open.

    Args:
        needs: lets the caller pass, as `Needs` does.
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
