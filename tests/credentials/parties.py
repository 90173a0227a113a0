"""Issuers, holders and the addresses where their documents lie: the world that tests of the library need."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from credentials import Check, Fetched, PresentationReport, Report, UnavailableError
from credentials.graph.documents import PACKAGED
from credentials.proofs.data_integrity import create_proof
from credentials.proofs.dids import did_web_url
from credentials.proofs.jose import encode_jwt
from credentials.proofs.keys import PrivateKeySigner

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
SIGNED_AT = datetime(2026, 1, 1, tzinfo=UTC)
V2 = "https://www.w3.org/ns/credentials/v2"
V1 = "https://www.w3.org/2018/credentials/v1"
EXAMPLES = "https://www.w3.org/ns/credentials/examples/v2"
DATA_INTEGRITY = "https://w3id.org/security/data-integrity/v2"


@dataclass
class World:
    """What lies at which address, and what was asked for."""

    documents: dict[str, Any] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def load(self, address: str) -> Fetched:
        self.asked.append(address)
        if address not in self.documents:
            raise UnavailableError("address-unavailable", f"expected a document at {address}, got none")
        found = self.documents[address]
        body = found if isinstance(found, bytes) else json.dumps(found).encode()
        return Fetched(body, "application/json")


class Party:
    """Somebody with an Ed25519 key and a P-256 key: by did:key, or by did:web where the keys have relationships."""

    def __init__(self, number: int, host: str | None = None) -> None:
        self.ed25519 = PrivateKeySigner(Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32))
        self.p256 = PrivateKeySigner(ec.derive_private_key(2**200 + number, ec.SECP256R1()))
        self.host = host
        self.did = f"did:web:{host}" if host else f"did:key:{self.ed25519.key.multikey}"

    def method(self, key: PrivateKeySigner) -> str:
        return f"{self.did if self.host else f'did:key:{key.key.multikey}'}#{key.key.multikey}"

    def publish(self, world: World, **relationships: list[PrivateKeySigner]) -> None:
        """Put the did:web document into the world, with these keys under these relationships."""
        keys = [self.ed25519, self.p256]
        methods = [
            {"id": self.method(key), "type": "Multikey", "controller": self.did, "publicKeyMultibase": key.key.multikey}
            for key in keys
        ]
        world.documents[did_web_url(self.did)] = {
            "id": self.did,
            "verificationMethod": methods,
            **{name: [self.method(key) for key in listed] for name, listed in relationships.items()},
        }

    def prove(self, document: dict[str, Any], suite: str = "eddsa-rdfc-2022", **options: Any) -> dict[str, Any]:
        """Return a proof over whatever it is: the fault that a test puts in is no business of this party."""
        key = self.ed25519 if suite.startswith("eddsa") else self.p256
        given = {
            "suite": suite,
            "verification_method": self.method(key),
            "created": SIGNED_AT,
            "contexts": PACKAGED.with_inline(),
            **options,
        }
        return create_proof(document, key, **given)

    def sign(self, document: dict[str, Any], suite: str = "eddsa-rdfc-2022", **options: Any) -> dict[str, Any]:
        return {**document, "proof": [self.prove(document, suite, **options)]}

    def jwt(self, payload: dict[str, Any], typ: str | None, **options: Any) -> str:
        return encode_jwt(payload, self.ed25519, typ=typ, **{"kid": self.method(self.ed25519), **options})

    def credential(self, **changes: Any) -> dict[str, Any]:
        """Return a credential of theirs of no special type, unsigned; a change to None takes the member away."""
        members = {
            "@context": [V2, EXAMPLES],
            "id": "urn:uuid:6f3b9a52-0000-4000-8000-000000000001",
            "type": ["VerifiableCredential", "ExampleDegreeCredential"],
            "issuer": self.did,
            "validFrom": "2026-01-01T00:00:00Z",
            "credentialSubject": {"id": "did:example:member-1", "degree": "B"},
            **changes,
        }
        return {name: value for name, value in members.items() if value is not None}


def outcomes(report: Report | PresentationReport) -> dict[str, str]:
    return {check.name: check.outcome for check in report.checks}


def not_passed(report: Report | PresentationReport) -> list[tuple[str, str, list[tuple[str, str]]]]:
    """Return name, outcome, and codes with pointers, of each check that failed or is undecided."""
    return [
        (check.name, check.outcome, [(finding.code, finding.pointer) for finding in check.findings])
        for check in report.checks
        if check.outcome in {"failed", "undecided"}
    ]


def check_of(report: Report | PresentationReport, name: str) -> Check:
    return next(check for check in report.checks if check.name == name)
