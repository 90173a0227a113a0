"""Read and compare the digests that a credential gives for something elsewhere.

They are `digestSRI` and `digestMultibase`, and each is written in more than one way in the wild. `digestSRI` is an
algorithm and base64; the data model's own examples put the multibase prefix `M` before the base64. `digestMultibase` is
a multihash, or the bare bytes of SHA-2, whose length tells which.
"""

import base64
import binascii
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Literal

from credentials.errors import MalformedError, ProofError, UnsupportedError, shown
from credentials.graph.documents import Contexts
from credentials.proofs.encodings import base58btc_decode, base64url_decode
from credentials.reading import listed
from credentials.strict_json import pointer

HashName = Literal["sha256", "sha384", "sha512"]

_LENGTHS: Final[Mapping[HashName, int]] = {"sha256": 32, "sha384": 48, "sha512": 64}
_BY_LENGTH: Final = {length: name for name, length in _LENGTHS.items()}
_MULTIHASHES: Final[Mapping[int, HashName]] = {0x12: "sha256", 0x20: "sha384", 0x13: "sha512"}
_SHORT: Final = 200
"""Characters of the longest digest that is remembered: longer than any real one, too short to fill memory with."""


@dataclass(frozen=True)
class Digest:
    """What the hash of some bytes must be."""

    algorithm: HashName
    value: bytes

    def fits(self, body: bytes) -> bool:
        """Return whether `body` has this digest."""
        return hashlib.new(self.algorithm, body).digest() == self.value


def read_digests(holder: Mapping[str, Any]) -> list[Digest]:
    """Return the digests that an object gives for what its id names.

    The bytes there must fit all of them.

    Raises:
        MalformedError: a text that is no digest (code "digest-malformed").
        UnsupportedError: a digest by another algorithm than SHA-2 with 256, 384 or 512 bits ("digest-unsupported").
    Spec: VC Data Model 2.0, section 5.3 (integrity of related resources); Controlled Identifiers v1.0, sections 2.4
        and 2.5 (multibase and multihash).
    """
    digests = []
    for member, read in (("digestSRI", _read_sri), ("digestMultibase", _read_multibase)):
        value = holder.get(member, [])
        for text in listed(value):
            try:
                digests.append(read(text) if isinstance(text, str) else _refuse(text))
            except (MalformedError, UnsupportedError) as error:
                raise type(error)(error.code, error.message, pointer(member)) from error
    return digests


def compare(holder: Mapping[str, Any], bodies: Iterator[bytes]) -> None:
    """Refuse `bodies` unless one of them fits all the digests of `holder`.

    Raises:
        MalformedError: as `read_digests`, or none fits (code "digest-mismatch").
        UnsupportedError: as `read_digests`.
    """
    digests = read_digests(holder)
    if not any(all(digest.fits(body) for digest in digests) for body in bodies):
        message = f"expected {shown(holder.get('id'))} to have the digest that is given, got other bytes"
        raise MalformedError("digest-mismatch", message)


def editions_of(address: object, contexts: Contexts) -> Iterator[bytes] | None:
    """Return the bytes of every known edition of the context at `address`.

    It is None if the context is not known here.
    """
    if not isinstance(address, str) or address not in contexts:
        return None
    return (edition.read() for edition in contexts.editions(address))


def resources_of(credential: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the pointer to each related resource of the credential, and the resource."""
    value = credential.get("relatedResource", [])
    for index, resource in enumerate(listed(value)):
        if isinstance(resource, Mapping):
            yield pointer("relatedResource", *([index] if isinstance(value, list) else [])), resource


def _read_sri(text: str) -> Digest:
    prefix, _, value = text.partition("-")
    name = next((known for known in _LENGTHS if known == prefix), None)
    if name is None:
        message = f"expected a digest by sha256, sha384 or sha512, got {shown(prefix)}"
        raise UnsupportedError("digest-unsupported", message)
    for encoded in (value, value.removeprefix("M")):
        try:
            decoded = base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError):
            continue
        if len(decoded) == _LENGTHS[name]:
            return Digest(name, decoded)
    raise MalformedError("digest-malformed", f"expected base64 of {_LENGTHS[name]} bytes of {name}, got {shown(value)}")


def _read_multibase(text: str) -> Digest:
    return _read_short(text) if len(text) <= _SHORT else _read_any(text)


@lru_cache(maxsize=4096)
def _read_short(text: str) -> Digest:
    """Return the digest, and remember it.

    For one badge, each digest that it gives is asked for several times.
    """
    return _read_any(text)


def _read_any(text: str) -> Digest:
    try:
        match text[:1]:
            case "u":
                data = base64url_decode(text[1:])
            case "z":
                data = base58btc_decode(text[1:])
            case _:
                message = f"expected a digest in base64url (u) or base58btc (z), got {shown(text)}"
                raise UnsupportedError("digest-unsupported", message)
    except ProofError as error:
        raise MalformedError("digest-malformed", f"digest: {error.message}") from error
    if len(data) in _BY_LENGTH:
        return Digest(_BY_LENGTH[len(data)], data)
    code, rest = _read_varint(data)
    if not rest or rest[0] != len(rest) - 1:
        raise MalformedError("digest-malformed", f"expected the bytes of one multihash, got {len(data)} others")
    name = _MULTIHASHES.get(code)
    if name is None:
        raise UnsupportedError("digest-unsupported", f"expected a multihash of SHA-2, got the code 0x{code:x}")
    if len(rest) - 1 != _LENGTHS[name]:
        raise MalformedError("digest-malformed", f"expected {_LENGTHS[name]} bytes of {name}, got {len(rest) - 1}")
    return Digest(name, rest[1:])


def _read_varint(data: bytes) -> tuple[int, bytes]:
    """Return the number that `data` begins with, and the rest.

    If the number does not end, nothing is left.
    """
    number = 0
    for index, byte in enumerate(data[:4]):
        number |= (byte & 0x7F) << 7 * index
        if not byte & 0x80:
            return number, data[index + 1 :]
    return number, b""


def _refuse(value: object) -> Digest:
    raise MalformedError("digest-malformed", f"expected a digest to be a string, got {shown(value)}")
