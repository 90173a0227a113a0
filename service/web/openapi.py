"""The description of the API: what the framework sees, finished in one place.

The framework describes parameters, bodies and answers from the signatures. The rest is derived here from the routes:
names, scopes, who needs a token, and how each operation can refuse.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, Literal

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute, iter_route_contexts
from pydantic import BaseModel

from service.web import examples
from service.web.error_pages import FOR_PROGRAMS
from service.web.openapi_schemas import ANSWER, BODY, REF, finished, references
from service.web.problems import TITLES, Problem
from service.web.rendering import HTML
from service.web.requests import Gate, Needs, StrictRoute, bearer, caller, gates

NDJSON: Final = "application/x-ndjson"
BINARY: Final[dict[str, Any]] = {"schema": {"type": "string", "format": "binary"}}
"""What a content type of bytes holds."""
_RESPONSES: Final = "#/components/responses/"
_HEADERS: Final = "#/components/headers/"
_WRITES: Final = frozenset({"post", "put", "patch", "delete"})

DESCRIPTION: Final = (
    "Networks of educators post evidence, published rules decide what was earned, and this service issues signed Open "
    "Badges 3.0 credentials that a stranger can verify.\n\n"
    "Every refusal is a problem as in RFC 9457 (`application/problem+json`); its `code` is stable. Members without a "
    "value are left out of answers. Later versions may add members to answers: ignore those that you do not know."
)
LICENSE: Final = {"name": "Apache License 2.0", "identifier": "Apache-2.0"}

TAGS: Final = {
    "networks": "Networks: issuers with a DID and keys of their own.",
    "tokens": "Tokens: who may do what in a network.",
    "members": "The people of a network, by the network's own `ref`, and what they have reached.",
    "objectives": "What a network works toward, in versions.",
    "expectations": "What a network expects of its members in each month, term or year, and where each of them stands.",
    "sessions": "Meetings that members attend.",
    "guidelines": "What a network has agreed on, in versions, and who has accepted them.",
    "goals": "What members want to reach, their check-ins on the way, and who confirms that it was met.",
    "needs": "What members want to learn and can offer, asked in cycles and matched.",
    "calls": "Calls for participants: who applies, whom the service proposes, and what people decide.",
    "files": "Artefacts of contributions, and pictures.",
    "evidence": "What members did and how it was judged: contributions and evaluations, kept as sealed records.",
    "rubrics": "By what a network judges: criteria and levels, in versions.",
    "achievements": "What can be earned: definitions with a rule, their versions, and who is enrolled in which.",
    "awards": "That a member has earned an achievement: by rule, by people, or recorded from before.",
    "approvals": "What waits for people to decide.",
    "cases": "What members contest, before a mediator.",
    "credentials": "The signed badges of a network: their state, and how they end.",
    "events": "What has happened in a network, in order.",
    "webhooks": "Addresses to which events are sent.",
    "verification": "Check badges of any issuer, without a token.",
    "public documents": "Documents that verifiers ask for: keys, status lists, definitions, pictures.",
    "public addresses": "Addresses that badges name: a page for people, the document for programs, by `Accept`.",
    "health": "Whether the service is well.",
    "W3C VC API": "Issue and verify as the W3C VC API says; only where a setting turns it on.",
}
"""What each tag of an operation means, in the order in which they are shown."""

HEADERS: Final[dict[str, dict[str, Any]]] = {
    "Retry-After": {"description": "seconds to wait before the request is sent again", "schema": {"type": "integer"}},
    "WWW-Authenticate": {"description": "how to say who is calling: `Bearer`", "schema": {"type": "string"}},
    "ETag": {"description": "names this state of what was asked for", "schema": {"type": "string"}},
}
REFUSALS: Final = {
    400: "BadRequest",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    406: "NotAcceptable",
    408: "RequestTimeout",
    409: "Conflict",
    410: "Gone",
    412: "PreconditionFailed",
    413: "ContentTooLarge",
    415: "UnsupportedMediaType",
    422: "UnprocessableContent",
    428: "PreconditionRequired",
    429: "TooManyRequests",
    500: "InternalServerError",
    502: "BadGateway",
    503: "ServiceUnavailable",
}
"""How each kind of refusal is called in the description."""
WITH_HEADERS: Final = {
    401: ("WWW-Authenticate",),
    429: ("Retry-After",),
    503: ("Retry-After",),
}
"""Which headers a refusal has, by its status."""

SHORT: Final = {"did": "DID", "vc": "VC", "jwks": "JWKS"}
"""How a word of a function's name is written in a summary, where it is not as in the name."""

_shapes: Final[dict[str, type[BaseModel]]] = {}
"""Models that no signature names, by how they are referred to: `<name>-Input` as it is sent, `<name>-Output` as answered."""


def operation_id(route: APIRoute) -> str:
    """Return the stable name of an operation: that of its function, in camelCase."""
    first, *others = route.name.split("_")
    return first + "".join(map(str.capitalize, others))


def shape(model: type[BaseModel], of: Literal["body", "answer"] = "answer") -> dict[str, Any]:
    """Return a reference to a model that no signature names, for `responses` and `openapi_extra`."""
    name = model.__name__ + (BODY if of == "body" else ANSWER)
    _shapes[name] = model
    return {"$ref": REF + name}


_PROBLEM: Final = shape(Problem)


def lines(*models: type[BaseModel], of: Literal["body", "answer"] = "answer") -> dict[str, Any]:
    """Return the content of `application/x-ndjson`: an object of one of the models a line, in UTF-8.

    To generators of clients it is a file, which they send and give as it is: `format` says so, as in OpenAPI 3.0.
    """
    line = {"anyOf": [shape(model, of) for model in models]} if models[1:] else shape(models[0], of)
    described = "one object a line, in UTF-8; `contentSchema` describes it"
    return {
        NDJSON: {
            "schema": {
                "type": "string",
                "format": "binary",
                "description": described,
                "contentMediaType": NDJSON,
                "contentSchema": line,
            }
        }
    }


def given_as(forms: Mapping[str, type[BaseModel] | str | None]) -> dict[int | str, dict[str, Any]]:
    """Return the `responses` of a route that answers 200 in one of several content types.

    Args:
        forms: by content type the model, for JSON; a description, for text; None, for bytes.
    """
    content: dict[str, dict[str, Any]] = {}
    for media_type, form in forms.items():
        if form is None:
            content[media_type] = BINARY
        else:
            content[media_type] = {
                "schema": {"type": "string", "description": form} if isinstance(form, str) else shape(form)
            }
    return {200: {"content": content}}


def also(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the `responses` of a route that refuses in further ways than its signature shows."""
    return {status: {"description": REFUSALS[status]} for status in statuses}


def document(app: FastAPI) -> dict[str, Any]:
    """Return the description of an application."""
    routes = list(_routes(app))
    used = {tag for _, _, route in routes for tag in route.tags}
    made: dict[str, Any] = get_openapi(
        title=app.title,
        version=app.version,
        description=DESCRIPTION,
        license_info=LICENSE,
        servers=[{"url": "/"}],
        tags=[{"name": tag, "description": words} for tag, words in TAGS.items() if tag in used],
        routes=app.routes,
        webhooks=[_named(name, model) for name, model in _shapes.items()],
    )
    del made["webhooks"]
    for path, method, route in routes:
        _finish(made["paths"][path][method], path, method, route)
    made["components"]["headers"] = HEADERS
    made["components"]["responses"] = dict(sorted(_refusals(set(references(made["paths"])))))
    described = finished(made)
    for path, method, _ in routes:
        examples.add_to(described["paths"][path][method])
    return described


def _named(name: str, model: type[BaseModel]) -> APIRoute:
    """Return a route that names a model, by which the framework describes the model with all others."""

    def sent(body: Any) -> None:
        raise NotImplementedError

    def answered() -> None:
        raise NotImplementedError

    if name.endswith(BODY):
        sent.__annotations__["body"] = model
        return APIRoute(name, sent, methods=["POST"], operation_id=name)
    return APIRoute(name, answered, response_model=model, operation_id=name)


def _routes(app: FastAPI) -> Iterator[tuple[str, str, Any]]:
    """Yield path, method and route of each operation that is described."""
    for context in iter_route_contexts(app.routes):
        if isinstance(context.original_route, APIRoute) and context.include_in_schema:
            for method in context.methods or ():
                yield str(context.path_format), method.lower(), context


def _finish(operation: dict[str, Any], path: str, method: str, route: Any) -> None:
    """Say of one operation what the framework does not know."""
    if route.summary is None:
        first, *others = (SHORT.get(word, word) for word in route.name.split("_"))
        operation["summary"] = " ".join([first[:1].upper() + first[1:], *others])
    _say_who_may(operation, list(gates(route.dependant)))
    _say_on_which_condition(operation, method)
    _say_how_it_refuses(operation, path, _statuses(operation, method, route))


def _say_who_may(operation: dict[str, Any], asked: Sequence[Gate]) -> None:
    scopes = [" or ".join(f"`{scope}`" for scope in gate.scopes) for gate in asked if isinstance(gate, Needs)]
    if scopes:
        operation["description"] += f"\n\nScope of the token: {' and '.join(dict.fromkeys(scopes))}."
    operation.setdefault("security", [])
    if operation["security"] and caller not in asked:
        operation["security"].append({})  # whether a token is needed is a setting


def _say_on_which_condition(operation: dict[str, Any], method: str) -> None:
    headers = _headers(operation)
    answers, tagged = operation["responses"], {"ETag": {"$ref": _HEADERS + "ETag"}}
    if "If-None-Match" in headers and method not in _WRITES:
        answers["304"] = {"description": "The caller has it already", "headers": tagged}
    if headers & {"If-None-Match", "If-Match"}:
        for status, answer in answers.items():
            if status.startswith("2"):
                answer.setdefault("headers", {}).update(tagged)


def _say_how_it_refuses(operation: dict[str, Any], path: str, derived: set[int]) -> None:
    answers = operation["responses"]
    if REF + "HTTPValidationError" in references(answers.get("422")):
        del answers["422"]
    declared = {int(status) for status in answers if status >= "400"}
    ending = "" if path.startswith(FOR_PROGRAMS) else "Page"
    for status in declared | derived:
        if "content" not in answers.get(str(status), {}):
            answers[str(status)] = {"$ref": f"{_RESPONSES}{REFUSALS[status]}{ending}"}
    operation["responses"] = dict(sorted(answers.items()))


def _headers(operation: Mapping[str, Any]) -> set[str]:
    return {each["name"] for each in operation.get("parameters", []) if each["in"] == "header"}


def _statuses(operation: dict[str, Any], method: str, route: Any) -> set[int]:
    """Return how an operation may refuse, by what it takes."""
    parameters, headers = operation.get("parameters", []), _headers(operation)
    writes, with_token = method in _WRITES, {bearer.scheme_name: []} in operation["security"]
    in_path = any(each["in"] == "path" for each in parameters)
    typed = any(each["in"] != "header" and each["schema"].keys() - {"type", "title"} for each in parameters)
    strict = isinstance(route.original_route, StrictRoute)
    by_reason: tuple[tuple[bool, set[int]], ...] = (
        (True, {429, 500, 503}),  # 429 also by the server, where one address has too many connections
        (with_token, {401, 403, 404}),
        (with_token and writes, {409}),
        (writes, {408, 413}),
        ("requestBody" in operation, {400, 415, 422}),
        (in_path or "If-None-Match" in headers, {404}),
        (typed or strict, {422}),
        (writes and bool(headers & {"If-Match", "If-None-Match"}), {412}),
    )
    return {status for applies, statuses in by_reason if applies for status in statuses}


def _refusals(referred: Iterable[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the shared answers to which operations refer, with their names."""
    for status, name in REFUSALS.items():
        for ending in ("", "Page"):
            if f"{_RESPONSES}{name}{ending}" in referred:
                content = {"application/problem+json": {"schema": _PROBLEM}}
                if ending:
                    content[HTML] = {"schema": {"type": "string"}}
                answer: dict[str, Any] = {"description": TITLES.get(status, name), "content": content}
                if status in WITH_HEADERS:
                    answer["headers"] = {header: {"$ref": _HEADERS + header} for header in WITH_HEADERS[status]}
                yield name + ending, answer
