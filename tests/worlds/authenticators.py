"""A device with passkeys, and the browser that asks it: what they would answer, and what somebody else would like to."""

import json
import secrets
import struct
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from webauthn.helpers import bytes_to_base64url

PRESENT, VERIFIED, WITH_KEY = 0x01, 0x04, 0x40


@dataclass
class Kept:
    """A passkey on the device: its key, for which host and whom it is, and how often it was used."""

    id: bytes
    host: str
    handle: str
    private: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    used: int = 0


@dataclass
class Authenticator:
    """A device that counts, checks its owner, and gives no attestation.

    `flags` are what it says of its owner; `origin` is the page on which the browser is.
    """

    origin: str
    flags: int = PRESENT | VERIFIED
    cross_origin: bool = False
    counts: bool = True
    keys: list[Kept] = field(default_factory=list)

    def make(self, options: dict[str, Any], host: str | None = None) -> str:
        """Make a passkey; return what the browser says of it, as JSON."""
        made = Kept(
            secrets.token_bytes(32),
            host or options["rp"]["id"],
            options["user"]["id"],
        )
        self.keys.append(made)
        numbers = made.private.public_key().public_numbers()
        x, y = (number.to_bytes(32, "big") for number in (numbers.x, numbers.y))
        public = cbor2.dumps({1: 2, 3: -7, -1: 1, -2: x, -3: y})
        data = self._data(made, WITH_KEY) + bytes(16) + struct.pack(">H", len(made.id)) + made.id + public
        statement = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        return self._said(made, "webauthn.create", options, attestationObject=bytes_to_base64url(statement))

    def use(self, options: dict[str, Any], key: Kept | None = None, **instead: str) -> str:
        """Sign in with the newest passkey, or the one given; return what the browser says, as JSON."""
        used = key or self.keys[-1]
        used.used += self.counts
        data = self._data(used, 0)
        told = self._client_data("webauthn.get", options)
        signature = used.private.sign(data + sha256(told).digest(), ec.ECDSA(SHA256()))
        said = {
            "authenticatorData": bytes_to_base64url(data),
            "signature": bytes_to_base64url(signature),
            "userHandle": used.handle,
        }
        return self._said(used, "webauthn.get", options, **said | instead)

    def _data(self, key: Kept, flags: int) -> bytes:
        return sha256(key.host.encode()).digest() + bytes([self.flags | flags]) + struct.pack(">I", key.used)

    def _client_data(self, kind: str, options: dict[str, Any]) -> bytes:
        told = {
            "type": kind,
            "challenge": options["challenge"],
            "origin": self.origin,
            "crossOrigin": self.cross_origin,
        }
        return json.dumps(told).encode()

    def _said(self, key: Kept, kind: str, options: dict[str, Any], **response: str) -> str:
        named = bytes_to_base64url(key.id)
        response = {"clientDataJSON": bytes_to_base64url(self._client_data(kind, options)), **response}
        return json.dumps({"id": named, "rawId": named, "type": "public-key", "response": response})
