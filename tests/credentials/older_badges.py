"""Badges of Open Badges 1.0 to 2.0, and the addresses of their issuer."""

import hashlib
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from credentials import Fetched, GoneError, PrivateKeySigner, Report, UnavailableError, find_older, verify_older
from credentials.proofs.jose import encode_jwt

NOW = datetime(2026, 3, 1, tzinfo=UTC)
CONTEXT = "https://w3id.org/openbadges/v2"
HOST = "https://old.example"
BADGE, CLASS, ISSUER = f"{HOST}/assertions/1", f"{HOST}/classes/1", f"{HOST}/issuer"
KEY, LIST = f"{HOST}/key", f"{HOST}/revoked"
MAIL, SALT = "ana@mail.example", "pepper"

PICTURE = (Path(__file__).parent / "assets/badge.png").read_bytes()

RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
P256 = ec.derive_private_key(7, ec.SECP256R1())
ED25519 = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
SIGNERS = {"RS256": RSA, "ES256": P256, "EdDSA": ED25519}


def pem(key: Any) -> str:
    return str(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode())


def hashed(address: str = MAIL, salt: str = SALT) -> str:
    return f"sha256${hashlib.sha256((address + salt).encode()).hexdigest()}"


@dataclass
class Site:
    """The addresses of one issuer of the older standard; a test changes them."""

    documents: dict[str, Any] = field(default_factory=dict)
    gone: dict[str, bytes] = field(default_factory=dict)
    moved: dict[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def load(self, url: str) -> Fetched:
        self.asked.append(url)
        if url in self.gone:
            raise GoneError("fetch-status", "It is gone.", self.gone[url])
        if url not in self.documents:
            raise UnavailableError("fetch-failed", "Nothing is there.")
        content = self.documents[url]
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        return Fetched(body, "application/json", self.moved.get(url, ""))

    def change(self, address: str, **members: Any) -> None:
        """Change a document; None takes a member away."""
        changed = self.documents[address] | members
        self.documents[address] = {name: value for name, value in changed.items() if value is not None}

    def sign(self, assertion: Mapping[str, Any] | None = None, key: Any = RSA) -> str:
        return encode_jwt(assertion or signed_assertion(), PrivateKeySigner(key))


def hosted_assertion(**members: Any) -> dict[str, Any]:
    return {
        "@context": CONTEXT,
        "type": "Assertion",
        "id": BADGE,
        "recipient": {"type": "email", "hashed": True, "salt": SALT, "identity": hashed()},
        "badge": CLASS,
        "verification": {"type": "HostedBadge"},
        "issuedOn": "2019-05-01T00:00:00Z",
        **members,
    }


def signed_assertion(**members: Any) -> dict[str, Any]:
    return hosted_assertion(id="urn:uuid:1", verification={"type": "SignedBadge", "creator": KEY}, **members)


def site(key: Any = RSA) -> Site:
    """Return an issuer with one hosted badge, and a key under which it signs others."""
    return Site(
        {
            BADGE: hosted_assertion(),
            CLASS: {
                "@context": CONTEXT,
                "type": "BadgeClass",
                "id": CLASS,
                "name": "Leads a circle",
                "description": "Led ten meetings",
                "image": f"{HOST}/picture.png",
                "criteria": {"narrative": "Lead ten meetings"},
                "issuer": ISSUER,
            },
            ISSUER: {
                "@context": CONTEXT,
                "type": "Issuer",
                "id": ISSUER,
                "name": "Old School",
                "url": HOST,
                "publicKey": KEY,
                "revocationList": LIST,
            },
            KEY: {
                "@context": CONTEXT,
                "type": "CryptographicKey",
                "id": KEY,
                "owner": ISSUER,
                "publicKeyPem": pem(key),
            },
            LIST: {
                "@context": CONTEXT,
                "type": "RevocationList",
                "id": LIST,
                "issuer": ISSUER,
                "revokedAssertions": [],
            },
        }
    )


def older_png(text: str) -> bytes:
    """Return a picture with a badge baked in as the older standard does."""
    data = b"openbadges\0\0\0\0\0" + text.encode()
    chunk = len(data).to_bytes(4) + b"iTXt" + data + zlib.crc32(b"iTXt" + data).to_bytes(4)
    return PICTURE[:33] + chunk + PICTURE[33:]


def older_svg(text: str) -> bytes:
    """Return a drawing with a badge baked in as the older standard does."""
    held = f' verify="{text}"/>' if not text.startswith("{") else f"><![CDATA[{text}]]></openbadges:assertion>"
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:openbadges="http://openbadges.org">'
        f"<openbadges:assertion{held}</svg>"
    ).encode()


def verify(given: Any, at: Site, recipient: str | None = None, now: datetime = NOW) -> Report:
    """Return the report on what was given: a document, a JWS, an address baked into a picture, or a picture."""
    if isinstance(given, str) and given.startswith("https://"):
        given = older_png(given)
    received = given if isinstance(given, str | bytes) else json.dumps(given)
    found = find_older(received)
    assert found is not None
    return verify_older(found, now=now, load=at.load, recipient=recipient)


def outcomes(report: Report) -> dict[str, str]:
    return {check.name: check.outcome for check in report.checks if check.outcome != "skipped"}


def codes(report: Report) -> set[str]:
    return {finding.code for check in report.checks for finding in check.findings}
