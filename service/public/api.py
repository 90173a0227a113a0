"""Public documents for programs: DID documents, keys, status lists, definitions.

They need no account, and may be cached.
"""

from typing import Literal

from fastapi import APIRouter, Request, Response

from credentials import Fetched
from service.errors import NotFoundError
from service.issuing import endorsements
from service.public import documents
from service.public.shapes import (
    Definition,
    DidDocument,
    Jwk,
    Jwks,
    PublicRubric,
    SignedCredential,
    VerificationMethod,
)
from service.web.conditional import IfNoneMatch, entity_tag, is_named
from service.web.costly import in_a_place
from service.web.link_previews import VARY
from service.web.openapi import also, given_as
from service.web.requests import Reader, Running

router = APIRouter(tags=["public documents"], default_response_class=Response)

ONE_HOUR, FIVE_MINUTES = 3600, 300
DID = given_as({"application/did+ld+json": DidDocument})
KEY = given_as({"application/jwk+json": Jwk, documents.JSON_LD: VerificationMethod})
PICTURES = given_as({"image/png": None, "image/svg+xml": None})


def served(
    found: Fetched | None, if_none_match: str | None, max_age_seconds: int, noun: str, *, vary: bool = False
) -> Response:
    """Return a stored document with its ETag, or 304 if the caller already has it.

    Args:
        noun: what to call it if there is none.
        vary: the address has several forms, chosen by what the caller accepts.
    Raises:
        NotFoundError: there is none.
    """
    if found is None:
        raise NotFoundError(f"{noun.replace(' ', '-')}-unknown", f"No {noun} is published at this address.")
    etag = entity_tag(found.body)
    headers = {
        "ETag": etag,
        "Cache-Control": f"public, max-age={max_age_seconds}",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox",  # SVG
    }
    if vary:
        headers["Vary"] = VARY
    if is_named(etag, if_none_match):
        return Response(status_code=304, headers=headers)
    return Response(found.body, media_type=found.media_type, headers=headers)


@router.get("/networks/{slug}/did.json", responses=DID)
def get_network_did_document(
    slug: str, session: Reader, runtime: Running, if_none_match: IfNoneMatch = None
) -> Response:
    """Get the DID document of a network.

    It lists every key with which the network has signed, including retired ones.
    """
    return served(documents.did_document(session, runtime, slug), if_none_match, FIVE_MINUTES, "network")


@router.get("/.well-known/did.json", responses=DID)
def get_service_did_document(session: Reader, runtime: Running, if_none_match: IfNoneMatch = None) -> Response:
    """Get the DID document of the service itself.

    The service signs receipts of checks. The document exists once the service has a key.
    """
    return served(documents.service_did_document(session, runtime), if_none_match, FIVE_MINUTES, "service key")


@router.get("/keys/{kid}", responses=KEY)
def get_key(kid: str, session: Reader, runtime: Running, if_none_match: IfNoneMatch = None) -> Response:
    """Get one public key as a bare JWK, to which the `kid` of a VC-JWT points.

    One that others may have had is given as a verification method with `revoked`.
    """
    return served(documents.key(session, runtime, kid), if_none_match, FIVE_MINUTES, "key")


@router.get("/.well-known/jwks.json", responses=given_as({"application/jwk-set+json": Jwks}))
def get_jwks(session: Reader, runtime: Running, if_none_match: IfNoneMatch = None) -> Response:
    """Get every key for JWT; the `iss` of each is the network that signs with it."""
    return served(documents.jwks(session, runtime), if_none_match, FIVE_MINUTES, "key set")


@router.get("/status/{list_id}", responses=given_as({documents.CREDENTIAL: SignedCredential}))
def get_status_list(list_id: str, session: Reader, runtime: Running, if_none_match: IfNoneMatch = None) -> Response:
    """Get a signed status list; caches may keep it for five minutes."""
    return served(documents.status_list(session, runtime, list_id), if_none_match, FIVE_MINUTES, "status list")


@router.get("/networks/{slug}/image", responses=PICTURES)
def get_network_image(slug: str, session: Reader, runtime: Running, if_none_match: IfNoneMatch = None) -> Response:
    """Get the picture of a network."""
    return served(documents.network_image(session, runtime, slug), if_none_match, ONE_HOUR, "picture")


@router.get("/achievements/{version_id}/image.{form}", responses=PICTURES)
async def get_achievement_image(
    request: Request,
    version_id: str,
    form: Literal["png", "svg"],
    runtime: Running,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """Get the picture of an achievement, without a credential in it."""

    def drawn() -> Fetched | None:
        with runtime.database.read() as session:
            return documents.achievement_image(session, runtime, version_id, form)

    return served(await in_a_place(request, drawn), if_none_match, ONE_HOUR, "picture")


@router.get("/achievements/{version_id}/definition.json", responses=given_as({"application/json": Definition}))
def get_achievement_definition(
    version_id: str, session: Reader, runtime: Running, if_none_match: IfNoneMatch = None
) -> Response:
    """Get the definition of an achievement, with its rule.

    It is canonical JSON, whose SHA-256 the receipts of awards give.
    """
    found = documents.definition(session, runtime, version_id)
    return served(found, if_none_match, ONE_HOUR, "achievement")


@router.get("/rubrics/{version_id}", responses=given_as({"application/json": PublicRubric}))
def get_rubric_document(
    version_id: str, session: Reader, runtime: Running, if_none_match: IfNoneMatch = None
) -> Response:
    """Get a version of a rubric: by what a network judges, as it tells everybody.

    It can change until the first evaluation is held against it.
    """
    return served(documents.rubric(session, runtime, version_id), if_none_match, FIVE_MINUTES, "rubric")


@router.get("/endorsements/{name}", responses=given_as({documents.CREDENTIAL: SignedCredential}) | also(410))
async def get_signed_endorsement(
    request: Request, name: str, runtime: Running, if_none_match: IfNoneMatch = None
) -> Response:
    """Get an endorsement of a badge: an EndorsementCredential of Open Badges 3.0.

    The answer is 410 once the peer has withdrawn it, and 404 where the recipient of the badge does not show it.
    """

    def signed() -> Fetched | None:
        text = endorsements.fetch(runtime, name.removesuffix(".json"))
        return None if text is None else Fetched(text.encode(), documents.CREDENTIAL)

    answer = served(await in_a_place(request, signed), if_none_match, 0, "endorsement")
    answer.headers["Cache-Control"] = "no-cache"  # what is withdrawn is gone at once
    answer.headers["X-Robots-Tag"] = "noindex"
    return answer
