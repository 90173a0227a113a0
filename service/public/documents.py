"""Find a document that this service publishes, by its address.

Our routes, our own verifications and bundles use it. Only this module knows which address is which document, and the
service never asks itself over HTTP.
"""

import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote, urlsplit
from uuid import UUID

from sqlalchemy import select

from credentials import Fetched, canonical_json
from service.achievements import achievements, pictures
from service.errors import GoneError
from service.evidence import rubrics
from service.issuing import endorsements, receipts
from service.runtime.runtime import Runtime
from service.signing import issuers, keyring, service_identity
from service.storage.database import ReadSession
from service.tables import Achievement, AchievementVersion, Blob, Credential, Key, Network, StatusList, VcApiStatusList

JSON_LD = "application/ld+json"
CREDENTIAL = "application/vc+ld+json"
CONTEXTS = ["https://www.w3.org/ns/credentials/v2", "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"]


def find(session: ReadSession, runtime: Runtime, url: str) -> Fetched | None:
    """Return the document at one of our addresses, or None."""
    path = _path(url)
    for pattern, answer in _ROUTES:
        match = pattern.fullmatch(path)
        if match:
            return answer(session, runtime, *match.groups())
    return None


def visible_credential(session: ReadSession, credential_id: str) -> Credential | None:
    """Return the credential at a public address; a private one looks like none."""
    row = session.get(Credential, credential_id)
    return None if row is None or row.visibility == "private" else row


def is_erased(session: ReadSession, credential_id: str) -> bool:
    """Return whether the recipient of a credential had everything about it erased."""
    row = session.get(Credential, credential_id)
    return row is not None and row.erased_at is not None


def refuse_erased(session: ReadSession, credential_id: str) -> None:
    """Refuse to answer as if there had never been a credential, if it was erased: its status is all that is told.

    Raises:
        GoneError: its recipient had it erased (code "credential-erased").
    """
    if is_erased(session, credential_id):
        message = "This badge was revoked, and its recipient has had everything about it erased."
        raise GoneError("credential-erased", message, details={"credential_status": "revoked"})


def credential_at(session: ReadSession, url: str) -> Credential | None:
    """Return the credential with this `id`, an address of ours, even if it is private."""
    found = credential_id(url)
    return session.get(Credential, found) if found is not None else None


def credential_id(url: str) -> str | None:
    """Return which credential has this `id`, an address of ours; None if that is not the address of one."""
    match = re.fullmatch(r"/credentials/([0-9a-f]{32})", urlsplit(url).path)
    return match[1] if match else None


def network_at(session: ReadSession, url: str) -> Network | None:
    """Return the network whose DID document is at this address of ours."""
    match = re.fullmatch(r"/networks/([^/]+)/did\.json", _path(url))
    return network_named(session, match[1]) if match else None


def network_named(session: ReadSession, slug: str) -> Network | None:
    """Return the network with this slug."""
    return session.scalar(select(Network).where(Network.slug == slug))


def is_issuer(session: ReadSession, runtime: Runtime, row: Credential, issuer_id: str) -> bool:
    """Return whether a DID is that of the network that issued a credential."""
    return issuers.network_did(runtime.settings, session.get_one(Network, row.network_id)) == issuer_id


def published_version(session: ReadSession, version_id: str) -> AchievementVersion | None:
    """Return a published version of an achievement, by the id in its address."""
    try:
        row = session.get(AchievementVersion, UUID(version_id))
    except ValueError:
        return None
    return None if row is None or row.published_at is None else row


def did_document(session: ReadSession, runtime: Runtime, slug: str) -> Fetched | None:
    """Return the DID document of a network.

    Spec: DID Core 1.0; Controlled Identifiers 1.0.
    """
    network = network_named(session, slug)
    if network is None:
        return None
    keys = keyring.keys_of(session, network)
    return _json(issuers.did_document(runtime.settings, network, keys), "application/did+ld+json")


def service_did_document(session: ReadSession, runtime: Runtime) -> Fetched | None:
    """Return the DID document of the service itself, once it has a key.

    Spec: did:web, section on reading.
    """
    document = service_identity.did_document(session, runtime.settings)
    return None if document is None else _json(document, "application/did+ld+json")


def profile(session: ReadSession, runtime: Runtime, slug: str) -> Fetched | None:
    """Return the issuer Profile of a network.

    Spec: Open Badges 3.0, Profile.
    """
    network = network_named(session, slug)
    if network is None:
        return None
    return _json({"@context": CONTEXTS, **issuers.profile(runtime.settings, network)}, JSON_LD)


def key(session: ReadSession, runtime: Runtime, kid: str) -> Fetched | None:
    """Return one bare JWK, to which the `kid` of a VC-JWT points.

    A compromised key is given as a revoked verification method in its place.

    Spec: RFC 7517, section 4.
    """
    row = session.scalar(select(Key).where(Key.kid == kid))
    if row is None:
        return None
    network = session.get_one(Network, row.network_id)
    if row.compromised_at is not None:
        return _json(issuers.compromised_jwk(runtime.settings, network, row), JSON_LD)
    return _json(issuers.jwk(runtime.settings, network, row), "application/jwk+json")


def jwks(session: ReadSession, runtime: Runtime) -> Fetched:
    """Return every key for JWT of every network; `iss` says whose it is.

    Spec: RFC 7517, section 5.
    """
    rows = session.execute(select(Network, Key).join(Key, Key.network_id == Network.id).order_by(Key.id))
    return _json(issuers.jwks(runtime.settings, rows), "application/jwk-set+json")


def status_list(session: ReadSession, _runtime: Runtime, list_id: str) -> Fetched | None:
    """Return a signed status list, a network's or the VC API's, as published.

    Spec: Bitstring Status List v1.0.
    """
    try:
        wanted = UUID(list_id)
    except ValueError:
        return None
    row = session.get(StatusList, wanted) or session.get(VcApiStatusList, wanted)
    signed = row.signed if row is not None else None
    return None if signed is None else Fetched(signed.encode(), CREDENTIAL)


def network_image(session: ReadSession, _runtime: Runtime, slug: str) -> Fetched | None:
    """Return the picture of a network, if it has one."""
    network = network_named(session, slug)
    if network is None or network.image_sha256 is None:
        return None
    blob = session.get_one(Blob, (network.id, network.image_sha256))
    return Fetched(blob.content, blob.media_type)


def achievement_image(session: ReadSession, _runtime: Runtime, version_id: str, form: pictures.Form) -> Fetched | None:
    """Return the picture of a published version, as PNG or SVG.

    If the network gave none, a picture is drawn.
    """
    version = published_version(session, version_id)
    if version is None:
        return None
    network = session.get_one(Network, session.get_one(Achievement, version.achievement_id).network_id)
    media_type = "image/png" if form == "png" else "image/svg+xml"
    return Fetched(pictures.picture(session, network, version, form), media_type)


def achievement(session: ReadSession, runtime: Runtime, version_id: str) -> Fetched | None:
    """Return a published version of an achievement.

    Spec: Open Badges 3.0, Achievement.
    """
    version = published_version(session, version_id)
    if version is None:
        return None
    return _json({"@context": CONTEXTS, **achievements.document(session, runtime.settings, version)}, JSON_LD)


def definition(session: ReadSession, _runtime: Runtime, version_id: str) -> Fetched | None:
    """Return the definition of a published version, with its rule.

    These are the exact bytes whose digest a receipt gives.
    """
    version = published_version(session, version_id)
    return None if version is None else Fetched(canonical_json(version.definition), "application/json")


def rubric(session: ReadSession, _runtime: Runtime, version_id: str) -> Fetched | None:
    """Return a version of a rubric as everybody may see it: without what it says to assessors."""
    shown = rubrics.find_version(session, version_id)
    if shown is None:
        return None
    said = {name: value for name, value in shown.version.content.items() if name != "for_assessors"}
    return _json({"ref": shown.rubric.ref, "version": shown.version.version} | said, "application/json")


def credential(session: ReadSession, _runtime: Runtime, credential_id: str, form: str | None) -> Fetched | None:
    """Return a credential as signed: JSON, or VC-JWT for the ending `.jwt`."""
    row = visible_credential(session, credential_id)
    if row is None:
        return None
    return Fetched(row.jwt.encode(), "text/plain") if form == ".jwt" else Fetched(row.signed.encode(), CREDENTIAL)


def endorsement(session: ReadSession, runtime: Runtime, endorsement_id: str) -> Fetched | None:
    """Return an endorsement as signed; None also if it was withdrawn."""
    try:
        document = endorsements.published(session, runtime, endorsement_id)
    except GoneError:
        return None
    return None if document is None else Fetched(endorsements.text_of(document).encode(), CREDENTIAL)


def receipt(session: ReadSession, _runtime: Runtime, receipt_id: str) -> Fetched | None:
    """Return the public receipt of a decision.

    These are the exact bytes whose digest the credential gives.
    """
    row = receipts.visible(session, receipt_id)
    return None if row is None else Fetched(row.public.encode(), "application/json")


def _path(url: str) -> str:
    """Return the path of an address; "" if it holds what stands in no name, and what PostgreSQL refuses to look for."""
    path = unquote(urlsplit(url).path)
    return path if path.isprintable() else ""


def _json(document: dict[str, Any], media_type: str) -> Fetched:
    return Fetched(json.dumps(document, ensure_ascii=False).encode(), media_type)


_ROUTES: tuple[tuple[re.Pattern[str], Callable[..., Fetched | None]], ...] = tuple(
    (re.compile(pattern), answer)
    for pattern, answer in (
        (r"/\.well-known/did\.json", service_did_document),
        (r"/networks/([^/]+)/did\.json", did_document),
        (r"/networks/([^/]+?)(?:\.json)?", profile),
        (r"/keys/([^/]+)", key),
        (r"/\.well-known/jwks\.json", jwks),
        (r"/status/([^/]+)", status_list),
        (r"/networks/([^/]+)/image", network_image),
        (r"/achievements/([^/.]+)/image\.(png|svg)", achievement_image),
        (r"/achievements/([^/.]+)/definition\.json", definition),
        (r"/achievements/([^/.]+)(?:\.json)?", achievement),
        (r"/rubrics/([^/.]+)", rubric),
        (r"/receipts/([^/.]+)(?:\.json)?", receipt),
        (r"/credentials/([^/.]+)(\.json|\.jwt)?", credential),
        (r"/endorsements/([^/.]+)(?:\.json)?", endorsement),
    )
)
