"""Errors as RFC 9457 problems, and the one table of their HTTP statuses."""

import logging
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import CoreSchema
from starlette.exceptions import HTTPException
from starlette.middleware.body_limit import MAX_BODY_SIZE_SCOPE_KEY
from starlette.requests import ClientDisconnect
from starlette.types import Scope

from credentials import CredentialError, UnavailableError
from service.bodies import refusal
from service.errors import (
    DISK_FULL,
    ConflictError,
    CustodyError,
    ForbiddenError,
    GoneError,
    InvalidError,
    MediaTypeError,
    NotFoundError,
    NotOfferedError,
    PreconditionError,
    ServiceError,
    StorageError,
    TooLargeError,
    TooManyRequestsError,
    TooSlowError,
    UnauthenticatedError,
    UnreadableError,
    UpstreamError,
)
from service.faults import as_sentence, found_faults, parameter_fault
from service.web.methods import allowed
from service.web.traced import request_id

log = logging.getLogger(__name__)

PageOf = Callable[[Request, Mapping[str, Any]], Response | None]
"""Returns the page that tells a person about a problem; None if a program asks."""

PAGES: Final = "/docs/errors"
"""Where each code has its page. An address of ours, and so a relative one: RFC 9457, section 3.1.1."""
JSON = re.compile(r"application/([a-z0-9.-]+\+)?json\s*(;|$)", re.IGNORECASE)

STATUS: dict[type[Exception], int] = {
    UnreadableError: 400,
    UnauthenticatedError: 401,
    ForbiddenError: 403,
    NotFoundError: 404,
    TooSlowError: 408,
    ConflictError: 409,
    GoneError: 410,
    PreconditionError: 412,
    TooLargeError: 413,
    MediaTypeError: 415,
    InvalidError: 422,
    TooManyRequestsError: 429,
    NotOfferedError: 501,
    CustodyError: 503,
    StorageError: 503,
    UpstreamError: 502,
    UnavailableError: 502,
    CredentialError: 422,
}
TITLES = {
    400: "The request cannot be read",
    401: "A valid token is needed",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    406: "No such form",
    408: "Too slow",
    409: "In conflict with what is there",
    410: "Withdrawn",
    412: "Changed since you saw it",
    413: "Too large",
    415: "Unknown media type",
    422: "The request cannot be carried out",
    429: "Too many requests",
    500: "Something failed here",
    501: "Not offered",
    502: "Another server did not answer",
    503: "Not available now",
}


class Fault(BaseModel):
    """One of several things that are wrong with a request."""

    code: str = Field(examples=["extra-forbidden"])
    detail: str
    pointer: str = Field(description="JSON pointer into the body", examples=["/roles/0/since"])


class ItemProblem(BaseModel):
    """Why one of the things that a request asked for was not done, as in RFC 9457."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(
        description="address of the page about this code, relative to this service",
        examples=["/docs/errors/string-type"],
    )
    title: str
    status: int = Field(examples=[422])
    code: str = Field(description="stable name of the problem, for programs", examples=["string-type"])
    detail: str = Field(description="one sentence with what was expected and what came")
    pointer: str | None = Field(None, description="JSON pointer into the body, or the name of a query parameter")


class Problem(ItemProblem):
    """Why a request was refused, as in RFC 9457.

    Some problems have further members.
    """

    request_id: str = Field(
        description="id of the request, as in the header `Request-Id`", examples=["0b6c1f6e2f9b4d0f8a3c5e7d9b1a2c4e"]
    )
    errors: list[Fault] | None = Field(
        None,
        description="if several things are wrong: all of them; the first is that of `code`, `detail` and `pointer`",
    )


class ProblemResponse(JSONResponse):
    """An RFC 9457 problem, with the id of the request that it answers."""

    media_type = "application/problem+json"

    def render(self, content: Any) -> bytes:
        """Return the bytes of the body."""
        return super().render({**content, "request_id": request_id()})


def problem(status: int, code: str, detail: str, pointer: str = "", **members: Any) -> dict[str, Any]:
    """Return the members of a problem.

    Shape: `{type, title, status, code, detail, pointer?, errors?, ...}`; `code` is stable and kebab-case, `pointer` is
    an RFC 6901 pointer into the body that was sent (or the name of a query parameter).

    Spec: RFC 9457, section 3.1.
    """
    body: dict[str, Any] = {
        "type": f"{PAGES}/{code}",
        "title": TITLES.get(status, "Problem"),
        "status": status,
        "code": code,
        "detail": detail,
    }
    if pointer:
        body["pointer"] = pointer
    return body | members


def problem_of(error: ServiceError | CredentialError) -> dict[str, Any]:
    """Return the problem for one of our errors."""
    status = next(number for kind, number in STATUS.items() if isinstance(error, kind))
    details = error.details if isinstance(error, ServiceError) else {}
    return problem(status, error.code, as_sentence(str(error), error.pointer), error.pointer, **details)


def invalid_problem(errors: Sequence[Any], shape: CoreSchema | None = None) -> dict[str, Any]:
    """Return the problem of a request that does not have the published shape.

    It is that of the first fault, and names all of them, at most `MAX_FAULTS`, if there are several.

    Args:
        errors: pydantic's; each place begins with `body`, `query`, `path` or `header`.
        shape: of the body; its members are suggested for misspelt ones.
    """
    about_body = [{**error, "loc": error["loc"][1:]} for error in errors if error["loc"][0] == "body"]
    parameters = [parameter_fault(error) for error in errors if error["loc"][0] != "body"]
    return problem_of(refusal([*parameters, *found_faults(about_body, shape)]))


def too_large(scope: Scope) -> dict[str, Any]:
    """Return the problem of a body beyond the limit of its address."""
    limit = scope[MAX_BODY_SIZE_SCOPE_KEY]  # that of the whole service until the address has told its own
    detail = f"Expected a body of at most {limit} bytes at this address, got a longer one; send it in parts."
    return problem(413, "body-too-large", detail)


def answered(
    request: Request, body: dict[str, Any], page_of: PageOf, headers: Mapping[str, str] | None = None
) -> Response:
    """Return a problem in the form for its caller.

    `page_of` gives the page for a person, or None for a program.
    """
    response = page_of(request, body) or ProblemResponse(body, body["status"], {"Vary": "Accept"})
    response.headers.update(headers or {})
    return response


def install(app: FastAPI, page_of: PageOf) -> None:
    """Turn every error that leaves the application into a problem.

    For people, `page_of` makes a page of it.
    """

    def answer(request: Request, body: dict[str, Any], headers: Mapping[str, str] | None = None) -> Response:
        return answered(request, body, page_of, headers)

    def ours(request: Request, error: Exception) -> Response:
        assert isinstance(error, ServiceError | CredentialError)
        body = problem_of(error)
        headers = {401: {"WWW-Authenticate": "Bearer"}, 503: {"Retry-After": "30"}}.get(body["status"])
        if isinstance(error, StorageError):
            log.error("%s at %s: %s", error.code, request.method, type(error.__cause__).__name__)
        if isinstance(error, TooManyRequestsError):
            headers = {"Retry-After": str(error.details.get("retry_after_seconds", 60))}
        return answer(request, body, headers)

    def invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        found = error.errors()
        sent = request.headers.get("content-type")
        if any(one["loc"] == ("body",) for one in found) and not JSON.match(sent or ""):  # not read as JSON at all
            return ours(request, MediaTypeError("application/json", sent))
        return answer(request, invalid_problem(found, getattr(request.scope.get("route"), "body_shape", None)))

    def http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        if isinstance(error.__cause__, ServiceError):  # raised while the framework read the body
            return ours(request, error.__cause__)
        if isinstance(error.__cause__, OSError):  # a large body is kept in a file while it is read
            return system(request, error.__cause__)
        if isinstance(error.__cause__, CredentialError):  # our reader of JSON refused the body
            cause = error.__cause__
            return answer(request, problem(400, cause.code, as_sentence(str(cause), cause.pointer), cause.pointer))
        if error.status_code == 405:
            may = {"Allow": allowed(request)}
            if request.method == "OPTIONS":
                return Response(status_code=204, headers=may)
            detail = f"Expected one of the methods {may['Allow']}, got {request.method[:16]}."
            return answer(request, problem(405, "method-not-allowed", detail), may)
        if error.status_code == 404:
            detail = "There is nothing at this address; the addresses of the API are in /openapi.json."
            return answer(request, problem(404, "not-found", detail), error.headers)
        if error.status_code == 413:
            return answer(request, too_large(request.scope), error.headers)
        return answer(request, problem(error.status_code, "request-refused", as_sentence(error.detail)), error.headers)

    def system(request: Request, error: Exception) -> Response:
        if not isinstance(error, OSError) or error.errno not in DISK_FULL:
            return unexpected(request, error)
        full = StorageError("disk-unavailable", "A disk is full; nothing was kept, and the request can be sent again.")
        full.__cause__ = error
        return ours(request, full)

    def gone(request: Request, _error: Exception) -> Response:
        # Nobody reads this. Without it the server would log 12 kB for each body that a stranger breaks off.
        return answer(request, problem(400, "request-refused", "Expected a whole body; the connection ended before."))

    def unexpected(request: Request, error: Exception) -> Response:
        # The route and not the address: a member's ref, or the key of a link, may stand in that.
        route = getattr(request.scope.get("route"), "path", "an unknown route")
        log.error("unexpected error at %s %s", request.method, route, exc_info=error)
        return answer(
            request,
            problem(500, "internal-error", "The request failed here and nothing was kept; it can be sent again."),
        )

    app.add_exception_handler(ServiceError, ours)
    app.add_exception_handler(CredentialError, ours)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(OSError, system)
    app.add_exception_handler(ClientDisconnect, gone)
    app.add_exception_handler(Exception, unexpected)
