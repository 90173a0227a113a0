"""OAuth 2 client credentials: a program exchanges its token for a short one.

Refusals have the form of OAuth, because its libraries read no other.

Spec: RFC 6749, sections 2.3.1, 4.4 and 5; RFC 8414.
"""

import base64
import binascii
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal
from urllib.parse import unquote_plus

from fastapi import APIRouter, Depends, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.security import HTTPBasic
from pydantic import Field
from starlette.exceptions import HTTPException

from service.access import access_tokens
from service.access.callers import SCOPES
from service.errors import InvalidError, TooManyRequestsError, UnauthenticatedError, UnreadableError
from service.web.refusals import Refusals
from service.web.requests import Admitted, Answer, Now, Running, StrictRoute, address_of


class OAuthRoute(StrictRoute):
    """A route that says in the words of OAuth that a request cannot be read."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return a handler that refuses what cannot be read as OAuth does."""
        handler = super().get_route_handler()

        async def in_words_of_oauth(request: Request) -> Response:
            try:
                return await handler(request)
            except (InvalidError, UnreadableError) as error:
                return _refused(400, "invalid_request", error.message)
            except HTTPException as error:
                if error.status_code != BAD_REQUEST:
                    raise
                return _refused(400, "invalid_request", error.detail)

        return in_words_of_oauth


class _Client(HTTPBasic):
    """Has the description say how a client tells who it is; what it tells is read with the form."""

    async def __call__(self, request: Request) -> None:  # type: ignore[override]
        """Do nothing."""


router = APIRouter(route_class=OAuthRoute, tags=["tokens"])
BAD_REQUEST = 400
client = _Client(scheme_name="client", description="The id of a token, and the token.")
FORM_BYTES = 16_384
NEVER_KEPT = {"Cache-Control": "no-store", "Pragma": "no-cache"}
PARAMETERS = ("grant_type", "client_id", "client_secret", "scope")
FORM: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/x-www-form-urlencoded": {
                "schema": {
                    "type": "object",
                    "properties": {
                        "grant_type": {"type": "string", "enum": ["client_credentials"]},
                        "client_id": {"type": "string", "description": "id of the token, unless in HTTP Basic"},
                        "client_secret": {"type": "string", "description": "the token, unless in HTTP Basic"},
                        "scope": {"type": "string", "description": "scopes separated by spaces; left out: all"},
                    },
                    "required": ["grant_type"],
                },
                "example": {"grant_type": "client_credentials", "scope": "read"},
            }
        },
    }
}


class AccessTokenOut(Answer):
    """An access token, which is shown only here."""

    access_token: str
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105  (no secret: how it is shown)
    expires_in: int = Field(description="seconds", examples=[3600])
    scope: str = Field(description="what it may do, separated by spaces", examples=["evidence:write read"])


class OAuthRefusal(Answer):
    """Why no access token was given, as OAuth says it."""

    error: Literal[
        "invalid_request", "invalid_client", "invalid_scope", "unsupported_grant_type", "temporarily_unavailable"
    ]
    error_description: str


class OAuthMetadata(Answer):
    """Where and how access tokens are given."""

    issuer: str
    token_endpoint: str
    grant_types_supported: tuple[str, ...] = ("client_credentials",)
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic", "client_secret_post")
    response_types_supported: tuple[str, ...] = Field((), description="none: there is no authorization endpoint")
    scopes_supported: tuple[str, ...] = tuple(SCOPES)
    service_documentation: str


@dataclass(frozen=True)
class Asked:
    """What a client asks for, and how it says who it is; or why that cannot be read."""

    form: Mapping[str, str]
    client: tuple[str, str] | None
    in_header: bool
    fault: str | None = None


async def _asked(request: Request) -> Asked:
    async with request.form(max_files=0, max_fields=20) as form:
        given = [(name, value) for name, value in form.multi_items() if name in PARAMETERS and isinstance(value, str)]
    said = dict(given)
    header = request.headers.get("authorization", "")
    basic = _basic(header) if header.lower().startswith("basic ") else None
    fault = "Expected each parameter once." if len(said) < len(given) else None
    if header and basic is None:
        return Asked(said, None, True, fault)
    in_form = (said.get("client_id", ""), said["client_secret"]) if "client_secret" in said else None
    if basic is not None and in_form is not None:
        fault = "Expected the client's secret once: in HTTP Basic, or in the form."
    return Asked(said, basic or in_form, basic is not None, fault)


def _basic(header: str) -> tuple[str, str] | None:
    try:
        name, colon, secret = base64.b64decode(header[6:].strip(), validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return None
    return (unquote_plus(name), unquote_plus(secret)) if colon else None


def _refused(status: int, error: str, description: str, **headers: str) -> Response:
    body = OAuthRefusal.model_validate({"error": error, "error_description": description})
    return Response(body.model_dump_json(), status, NEVER_KEPT | headers, media_type="application/json")


REFUSALS: dict[int | str, dict[str, Any]] = {
    status: {"model": OAuthRefusal, "description": description}
    for status, description in (
        (400, "The request or the scope is none that can be granted"),
        (401, "No token has this id and this text"),
        (429, "Too many clients of this address were refused"),
    )
}


@router.post(
    "/oauth/token",
    response_model=AccessTokenOut,
    responses=REFUSALS,
    openapi_extra=FORM,
    dependencies=[Depends(client)],
)
async def create_access_token(
    request: Request, asked: Annotated[Asked, Depends(_asked)], runtime: Running, at: Now, _admitted: Admitted
) -> Response:
    """Exchange a token for a short-lived access token (OAuth 2 client credentials).

    The client id is the token's id and the client secret the token, in HTTP Basic or in the form. The access token is
    good for an hour, acts as the token, and ends with it. `scope` narrows what it may do. A token has 100 access tokens
    at once; one more ends the oldest.
    """
    if asked.fault is not None:
        return _refused(400, "invalid_request", asked.fault)
    if asked.form.get("grant_type") != "client_credentials":
        missing = "grant_type" not in asked.form
        error = "invalid_request" if missing else "unsupported_grant_type"
        return _refused(400, error, "Expected the grant_type client_credentials.")
    refusals: Refusals = request.app.state.refusals
    shown = "\n".join(asked.client) if asked.client is not None else None
    try:
        refusals.let_pass(address_of(request), shown)
        granted = await run_in_threadpool(_granted, runtime, asked, at)
    except TooManyRequestsError as error:
        wait = str(error.details["retry_after_seconds"])
        return _refused(429, "temporarily_unavailable", error.message, **{"Retry-After": wait})
    except UnauthenticatedError as error:
        if shown is not None:
            refusals.refused(shown)
        return _refused(401, "invalid_client", error.message, **{"WWW-Authenticate": 'Basic realm="Laurel"'})
    except InvalidError as error:
        return _refused(400, "invalid_scope", error.message)
    assert shown is not None  # a client without secret is refused
    refusals.good(shown)
    body = AccessTokenOut(access_token=granted.text, expires_in=granted.seconds, scope=" ".join(granted.scopes))
    return Response(body.model_dump_json(), 200, NEVER_KEPT, media_type="application/json")


def _granted(runtime: Running, asked: Asked, at: Now) -> access_tokens.Granted:
    with runtime.database.read() as session:
        caller = access_tokens.client(session, *(asked.client or ("", "")), at)
    with runtime.database.write() as session:
        return access_tokens.grant(session, caller, asked.form.get("scope"), at)


@router.get("/.well-known/oauth-authorization-server")
def get_oauth_metadata(runtime: Running) -> OAuthMetadata:
    """Return where and how access tokens are given, for OAuth libraries."""
    base = runtime.settings.base_url
    return OAuthMetadata(issuer=base, token_endpoint=f"{base}/oauth/token", service_documentation=f"{base}/docs")
