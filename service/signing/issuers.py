"""A network as an issuer: its DID, addresses, Profile, DID document and keys.

Pure functions over rows and settings. What they return is public.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from credentials.instants import write_instant
from credentials.proofs.dids import did_web
from credentials.proofs.keys import VerificationKey
from service.runtime.settings import Settings
from service.tables import Key, Network, ServiceKey

DID_CONTEXTS = (
    "https://www.w3.org/ns/did/v1",
    "https://w3id.org/security/multikey/v1",
    "https://w3id.org/security/jwk/v1",
)
JWT_ALGORITHMS = {"P-256": "ES256", "RSA": "RS256"}


def network_url(settings: Settings, network: Network) -> str:
    """Return the address of the network's public page and Profile."""
    return f"{settings.base_url}/networks/{network.slug}"


def network_did(settings: Settings, network: Network) -> str:
    """Return the network's DID: did:web of its public address."""
    return did_web(network_url(settings, network))


def image_url(settings: Settings, network: Network) -> str:
    """Return the address of the network's picture.

    It answers only if the network has a picture.
    """
    return f"{network_url(settings, network)}/image"


def key_url(settings: Settings, key: Key) -> str:
    """Return the address of the key as a bare JWK: the `kid` of a JWT signed with it."""
    return f"{settings.base_url}/keys/{key.kid}"


def marked(network: Network, name: str) -> str:
    """Return `name`, marked with TEST if the network is a sandbox."""
    return f"TEST {name}" if network.sandbox else name


def public_key(key: Key) -> VerificationKey:
    """Return the public half of the key."""
    return VerificationKey.from_jwk(key.public_jwk)


def verification_method(settings: Settings, network: Network, key: Key) -> str:
    """Return the DID URL that names the key in a signature: DID and Multikey.

    Args:
        key: not RSA, which has no Multikey.
    """
    return f"{network_did(settings, network)}#{public_key(key).multikey}"


def profile(settings: Settings, network: Network) -> dict[str, Any]:
    """Return the network's Open Badges Profile, as it is embedded in credentials.

    Shape: `{id, type: ["Profile"], name, url, description?, email?, image?}`; `id` is the DID.
    Spec: Open Badges 3.0, section B.1.20 (Profile).
    """
    members: dict[str, Any] = {
        "id": network_did(settings, network),
        "type": ["Profile"],
        "name": marked(network, network.name),
        "url": network.url,
    }
    if network.description:
        members["description"] = network.description
    if network.email:
        members["email"] = network.email
    if network.image_sha256:
        members["image"] = {"id": image_url(settings, network), "type": "Image"}
    return members


def did_document(settings: Settings, network: Network, keys: Sequence[Key]) -> dict[str, Any]:
    """Return the network's DID document.

    Every key stays in it for good: a retired one signs nothing new, but what it signed stays good,
    so it has no `expires`. A compromised one has `revoked` and asserts nothing (`controller_document`).
    Ed25519 and P-256 keys are given as Multikey (the fragment is the key's multibase), P-256 and RSA
    keys also as JsonWebKey (the fragment is the RFC 7638 thumbprint).

    Spec: Controlled Identifiers v1.0, section 2.2 (verification methods); did:web, section 3.2.
    """
    did = network_did(settings, network)
    methods = [method for key in keys for method in _methods(did, key)]
    return controller_document(did, network_url(settings, network), methods)


def controller_document(did: str, url: str, methods: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return a DID document.

    A revoked method stays named, and no longer asserts: many verifiers ignore `revoked`, and somebody who has stolen a
    key can date a signature back.

    Args:
        did: whose document it is.
        url: an address by which the same issuer is also known.
        methods: the verification methods with which it signs, or has signed.
    """
    return {
        "@context": list(DID_CONTEXTS),
        "id": did,
        "alsoKnownAs": [url],
        "verificationMethod": list(methods),
        "assertionMethod": [method["id"] for method in methods if "revoked" not in method],
    }


def jwk(settings: Settings, network: Network, key: Key) -> dict[str, Any]:
    """Return the key as a JWK; `kid` is its address, `iss` its network's DID.

    Spec: RFC 7517, section 4; `iss` tells several issuers behind one host apart
    (Open Badges 3.0 Implementation Guide, key provenance).
    """
    return key.public_jwk | {
        "kid": key_url(settings, key),
        "alg": JWT_ALGORITHMS.get(key.algorithm, "EdDSA"),
        "use": "sig",
        "iss": network_did(settings, network),
    }


def compromised_jwk(settings: Settings, network: Network, key: Key) -> dict[str, Any]:
    """Return what stands at the address of a compromised key: a verification method that was revoked.

    It is no bare JWK, so that a verifier that knows only those finds no key there. Others read why.

    Spec: Controlled Identifiers v1.0, section 2.2 (verification methods).
    """
    return {
        "@context": list(DID_CONTEXTS),
        "id": key_url(settings, key),
        "type": "JsonWebKey",
        "controller": network_did(settings, network),
        "publicKeyJwk": public_key(key).jwk,
        **revocation(key),
    }


def revocation(key: Key | ServiceKey) -> dict[str, str]:
    """Return the member `revoked` of a compromised key: since when others may have had it; of another key nothing."""
    return {"revoked": write_instant(key.compromised_at)} if key.compromised_at is not None else {}


def jwks(settings: Settings, keys: Iterable[tuple[Network, Key]]) -> dict[str, Any]:
    """Return the JWK Set of all networks' keys for JWT.

    Compromised keys are left out, because a JWK Set cannot mark them.

    Spec: RFC 7517, section 5.
    """
    return {
        "keys": [
            jwk(settings, network, key)
            for network, key in keys
            if key.algorithm in JWT_ALGORITHMS and key.compromised_at is None
        ]
    }


def _methods(did: str, key: Key) -> list[dict[str, Any]]:
    public = public_key(key)
    forms: list[dict[str, Any]] = []
    if key.algorithm != "RSA":
        multikey = public.multikey
        forms.append({"id": f"{did}#{multikey}", "type": "Multikey", "publicKeyMultibase": multikey})
    if key.algorithm in JWT_ALGORITHMS:
        forms.append({"id": f"{did}#{key.kid}", "type": "JsonWebKey", "publicKeyJwk": public.jwk})
    return [form | {"controller": did} | revocation(key) for form in forms]
