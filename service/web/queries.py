"""Query parameters that an address does not know, which may be misspelt ones."""

from collections.abc import Callable, Coroutine, Iterator
from functools import cached_property
from typing import Any, Final, get_args

from fastapi import Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from service.errors import InvalidError
from service.suggestions import did_you_mean, listed

FOR_PROGRAMS: Final = "/v1/"
"""Only programs are refused: people come by links to which others add `utm_source` or `fbclid`."""


class QueryRoute(APIRoute):
    """A route that refuses, under `/v1`, query parameters that neither it nor its dependencies declare."""

    @cached_property
    def query_parameters(self) -> dict[str, bool]:
        """The names of the query parameters of the route, and whether each may be repeated."""
        return dict(_declared(self.dependant))

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return a handler that looks at the names of the query parameters first."""
        handler = super().get_route_handler()
        if not self.path.startswith(FOR_PROGRAMS):
            return handler

        async def strict(request: Request) -> Response:
            require_known(request, self.query_parameters)
            return await handler(request)

        return strict


def require_known(request: Request, known: dict[str, bool]) -> None:
    """Let a request pass whose query parameters are known, and given once if they have one value.

    Raises:
        InvalidError: one is not (code "query-unknown"), or is repeated (code "query-repeated").
    """
    given = [name for name, _ in request.query_params.multi_items()]
    for name in given:
        shown = name[:64] if name.isprintable() else "?"
        if name not in known:
            said = f"There is no query parameter `{shown}` here"
            if not known:
                raise InvalidError("query-unknown", f"{said}: this address takes none.", shown)
            detail = f"{said}{did_you_mean(name, known)}. Here are known: {listed(known)}."
            raise InvalidError("query-unknown", detail, shown)
        if not known[name] and given.count(name) > 1:
            raise InvalidError("query-repeated", f"Expected the query parameter `{shown}` once, got it twice.", shown)


def _declared(dependant: Dependant) -> Iterator[tuple[str, bool]]:
    for field in dependant.query_params:
        yield from _named(field.alias, field.field_info)
    for inner in dependant.dependencies:
        yield from _declared(inner)


def _named(alias: str, field: FieldInfo) -> Iterator[tuple[str, bool]]:
    shape: Any = field.annotation
    if isinstance(shape, type) and issubclass(shape, BaseModel):  # a model of several parameters
        for name, each in shape.model_fields.items():
            yield from _named(each.alias or name, each)
    else:
        yield alias, _is_list(shape)


def _is_list(shape: Any) -> bool:
    return shape in {list, set, tuple, frozenset} or any(_is_list(each) for each in _parts(shape))


def _parts(shape: Any) -> Iterator[Any]:
    origin = getattr(shape, "__origin__", None)
    if origin is not None:
        yield origin
    yield from (each for each in get_args(shape) if isinstance(each, type) or get_args(each))
