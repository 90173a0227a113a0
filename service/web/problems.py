"""Errors as RFC 9457 problems, and the one table of their HTTP statuses."""

import logging
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from credentials import CredentialError, UnavailableError
from service.bodies import fault, pointer_to
from service.errors import (
    ConflictError,
    CustodyError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
    ServiceError,
    TooLargeError,
    TooManyRequestsError,
    UnauthenticatedError,
)

log = logging.getLogger(__name__)

PageOf = Callable[[Request, Mapping[str, Any]], Response | None]
"""Returns the page that tells a person about a problem; None if a program asks."""

_JSON = re.compile(r"application/([a-z0-9.-]+\+)?json\s*(;|$)", re.IGNORECASE)

STATUS: dict[type[Exception], int] = {
    UnauthenticatedError: 401,
    ForbiddenError: 403,
    NotFoundError: 404,
    ConflictError: 409,
    TooLargeError: 413,
    InvalidError: 422,
    TooManyRequestsError: 429,
    CustodyError: 503,
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
    409: "In conflict with what is there",
    413: "Too large",
    415: "Unknown media type",
    422: "The request cannot be carried out",
    429: "Too many requests",
    500: "Something failed here",
    502: "Another server did not answer",
    503: "Not available now",
}


class Fault(BaseModel):
    """One of several things that are wrong with a body."""

    code: str = Field(examples=["extra-forbidden"])
    detail: str
    pointer: str = Field(description="JSON pointer into the body", examples=["/roles/0/since"])


class Problem(BaseModel):
    """Why a request was refused, as in RFC 9457.

    Some problems have further members.
    """

    type: str = Field(examples=["about:blank"])
    title: str
    status: int = Field(examples=[422])
    code: str = Field(description="stable name of the problem, for programs", examples=["invalid-request"])
    detail: str = Field(description="one sentence with what was expected and what came")
    pointer: str | None = Field(None, description="JSON pointer into the body, or the name of a query parameter")
    errors: list[Fault] | None = None


PROBLEM: dict[str, Any] = {
    "description": "A problem: what was expected, and what came instead",
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
}


def document(schema: dict[str, Any]) -> dict[str, Any]:
    """Add the shapes that `PROBLEM` refers to to an OpenAPI description."""
    shapes = schema.setdefault("components", {}).setdefault("schemas", {})
    problem_shape = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    shapes.update(problem_shape.pop("$defs"))
    shapes["Problem"] = problem_shape
    return schema


class ProblemResponse(JSONResponse):
    """An RFC 9457 problem."""

    media_type = "application/problem+json"


def problem(status: int, code: str, detail: str, pointer: str = "", **members: Any) -> dict[str, Any]:
    """Return the members of a problem.

    Shape: `{type, title, status, code, detail, pointer?, errors?, ...}`; `code` is stable and kebab-case, `pointer` is
    an RFC 6901 pointer into the body that was sent (or the name of a query parameter).

    Spec: RFC 9457, section 3.1.
    """
    body: dict[str, Any] = {
        "type": "about:blank",
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
    return problem(status, error.code, _sentence(str(error)), error.pointer, **details)


def validation_errors(errors: Sequence[Any]) -> list[dict[str, str]]:
    """Return pydantic's errors as `{code, detail, pointer}`.

    The values that were sent are not in them.
    """
    return [fault(error, _pointer(error["loc"])) for error in errors]


def invalid_problem(errors: Sequence[Any]) -> dict[str, Any]:
    """Return the problem of a body that does not have the published shape.

    It has the first error, and a list of all of them.
    """
    found = validation_errors(errors)
    return problem(422, "invalid-request", found[0]["detail"], found[0]["pointer"], errors=found)


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
        if isinstance(error, TooManyRequestsError):
            headers = {"Retry-After": str(error.details.get("retry_after_seconds", 60))}
        return answer(request, body, headers)

    def invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        found = error.errors()
        sent = request.headers.get("content-type", "none")
        if any(one["loc"] == ("body",) for one in found) and not _JSON.match(sent):  # not read as JSON at all
            detail = f"Expected a body of the Content-Type application/json, got {sent[:100]!a}."
            return answer(request, problem(415, "media-type-unsupported", detail))
        return answer(request, invalid_problem(found))

    def http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        if isinstance(error.__cause__, CredentialError):  # our reader of JSON refused the body
            cause = error.__cause__
            return answer(request, problem(400, cause.code, _sentence(str(cause)), cause.pointer))
        code = {404: "not-found", 405: "method-not-allowed", 413: "body-too-large"}.get(
            error.status_code, "request-refused"
        )
        return answer(request, problem(error.status_code, code, _sentence(error.detail)), error.headers)

    def unexpected(request: Request, error: Exception) -> Response:
        log.error("unexpected error at %s %s", request.method, request.url.path, exc_info=error)
        return answer(
            request,
            problem(500, "internal-error", "The request failed here and nothing was kept; it can be sent again."),
        )

    app.add_exception_handler(ServiceError, ours)
    app.add_exception_handler(CredentialError, ours)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(Exception, unexpected)


def _sentence(message: str) -> str:
    """Write a message as a sentence; an address at its beginning is not changed."""
    first = message[:1] if ":" in message.partition(" ")[0] else message[:1].upper()
    return first + message[1:].removesuffix(".") + "."


def _pointer(location: Sequence[str | int]) -> str:
    where, *path = location
    if where == "body":
        return pointer_to(path)
    return ".".join(str(part) for part in path)
