"""Public documents for programs: DID documents, keys, status lists, schemas, health. No account, cacheable."""

from hashlib import sha256
from typing import Annotated, Literal

from fastapi import APIRouter, Header, Request, Response

from credentials import Fetched
from service.errors import NotFoundError
from service.operations import health
from service.public import documents
from service.web.requests import Answer, Now, Reader, Running, reply

router = APIRouter(tags=["public documents"])

IfNoneMatch = Annotated[str | None, Header(alias="If-None-Match")]
ONE_HOUR, FIVE_MINUTES = 3600, 300


class Health(Answer):
    """How the service is."""

    status: str
    database: str
    migrated: bool
    overdue_status_lists: int
    messages_waiting: int
    members_unsettled: int


def served(
    found: Fetched | None, if_none_match: str | None, max_age_seconds: int, noun: str, *, vary: bool = False
) -> Response:
    """Return a stored document with its ETag, 304 where the caller has it already.

    Args:
        noun: what to call it where there is none.
        vary: the address has several forms, chosen by `Accept`.
    Raises:
        NotFoundError: there is none.
    """
    if found is None:
        raise NotFoundError(f"{noun.replace(' ', '-')}-unknown", f"No {noun} is published at this address.")
    etag = f'"{sha256(found.body).hexdigest()[:32]}"'
    headers = {
        "ETag": etag,
        "Cache-Control": f"public, max-age={max_age_seconds}",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox",  # SVG
    }
    if vary:
        headers["Vary"] = "Accept"
    if if_none_match is not None and etag in (part.strip().removeprefix("W/") for part in if_none_match.split(",")):
        return Response(status_code=304, headers=headers)
    return Response(found.body, media_type=found.media_type, headers=headers)


@router.get("/networks/{slug}/did.json")
def get_did_document(slug: str, session: Reader, running: Running, if_none_match: IfNoneMatch = None) -> Response:
    """Give the DID document of a network: every key it has signed with, also the retired ones."""
    return served(documents.did_document(session, running, slug), if_none_match, FIVE_MINUTES, "network")


@router.get("/.well-known/did.json")
def get_service_did_document(session: Reader, running: Running, if_none_match: IfNoneMatch = None) -> Response:
    """Give the DID document of the service itself, which signs receipts of checks; there is one once it has a key."""
    return served(documents.service_did_document(session, running), if_none_match, FIVE_MINUTES, "service key")


@router.get("/keys/{kid}")
def get_key(kid: str, session: Reader, running: Running, if_none_match: IfNoneMatch = None) -> Response:
    """Give one public key as a bare JWK, as a VC-JWT's `kid` asks for."""
    return served(documents.key(session, running, kid), if_none_match, ONE_HOUR, "key")


@router.get("/.well-known/jwks.json")
def get_jwks(session: Reader, running: Running, if_none_match: IfNoneMatch = None) -> Response:
    """Give every key for JWT; the member `iss` of each is the network that signs with it."""
    return served(documents.jwks(session, running), if_none_match, FIVE_MINUTES, "key set")


@router.get("/status/{list_id}")
def get_status_list(list_id: str, session: Reader, running: Running, if_none_match: IfNoneMatch = None) -> Response:
    """Give a signed status list; caches may keep it for five minutes."""
    return served(documents.status_list(session, running, list_id), if_none_match, FIVE_MINUTES, "status list")


@router.get("/networks/{slug}/image")
def get_network_image(slug: str, session: Reader, running: Running, if_none_match: IfNoneMatch = None) -> Response:
    """Give the picture of a network."""
    return served(documents.network_image(session, running, slug), if_none_match, ONE_HOUR, "picture")


@router.get("/achievements/{version_id}/image.{form}")
def get_achievement_image(
    version_id: str, form: Literal["png", "svg"], session: Reader, running: Running, if_none_match: IfNoneMatch = None
) -> Response:
    """Give the picture of an achievement, without a credential in it."""
    found = documents.achievement_image(session, running, version_id, form)
    return served(found, if_none_match, ONE_HOUR, "picture")


@router.get("/achievements/{version_id}/definition.json")
def get_definition(version_id: str, session: Reader, running: Running, if_none_match: IfNoneMatch = None) -> Response:
    """Give the definition of an achievement, with the rule: canonical JSON, whose SHA-256 the receipts of awards give."""
    found = documents.definition(session, running, version_id)
    return served(found, if_none_match, ONE_HOUR, "achievement")


@router.get("/health", response_model=Health)
def get_health(request: Request, session: Reader, running: Running, now: Now) -> Response:
    """Say how the service is: 200 where all is well, 503 where something is overdue or missing."""
    _ = request
    found = health.look(session, running, now)
    return reply(200 if found["status"] == "ok" else 503, Health(**found))
