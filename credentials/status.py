"""Write and read Bitstring Status Lists.

Such a list holds one bit, or a few, for each of very many credentials, and anyone may fetch it: so it does not tell the
issuer which credential somebody asks about. The older 1EdTech Revocation List is only read.
"""

import re
import zlib
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from credentials.errors import ProofError, StatusError, UnavailableError, shown
from credentials.instants import write_instant
from credentials.proofs.encodings import base64url_decode
from credentials.reading import is_a, listed, only_object

MIN_ENTRIES: Final = 131_072
"""The least entries of a list; a shorter one would reveal too much about who is in it."""
MAX_LIST_BYTES: Final = 16 * 1024 * 1024
_MAX_SIZE_BITS: Final = 16
_AGAINST: Final = frozenset({"revocation", "suspension"})
_V2_CONTEXT = "https://www.w3.org/ns/credentials/v2"
_GZIP = 16 + zlib.MAX_WBITS
_INDEX = re.compile(r"0|[1-9][0-9]{0,15}")


class BitstringStatusList:
    """A list of bits, all 0 at first; bit 0 is the left-most of the first byte.

    Args:
        length_bits: a multiple of 8; published lists have at least `MIN_ENTRIES`.
    """

    def __init__(self, length_bits: int = MIN_ENTRIES) -> None:
        if length_bits % 8:
            raise ValueError(f"expected whole bytes, got {length_bits} bits")
        self._bytes = bytearray(length_bits // 8)

    def __len__(self) -> int:
        return len(self._bytes) * 8

    def __getitem__(self, index: int) -> bool:
        """Return the bit at `index`.

        Args:
            index: position from the left-most bit; 0 <= index < len(self).
        Raises:
            StatusError: `index` is outside the list (code "status-index-out-of-range").
        Spec: Bitstring Status List v1.0, section 3.2 (validate algorithm).
        """
        return bool(self.read(index, 1))

    def set(self, index: int, value: bool) -> None:
        """Change the bit at `index`; raises as `__getitem__`."""
        self._check(index, 1)
        byte, mask = index // 8, 0x80 >> index % 8
        self._bytes[byte] = self._bytes[byte] | mask if value else self._bytes[byte] & ~mask

    def read(self, index: int, size_bits: int) -> int:
        """Return the number in entry `index` of a list with entries of `size_bits`.

        The left-most bit is first.

        Raises:
            StatusError: the entry is not wholly within the list (code "status-index-out-of-range").
        """
        self._check(index, size_bits)
        first, last = index * size_bits, (index + 1) * size_bits
        window = int.from_bytes(self._bytes[first // 8 : (last + 7) // 8])
        return window >> -last % 8 & (1 << size_bits) - 1

    def encode(self) -> str:
        """Return the bits as `encodedList`.

        That is `u` and base64url of the gzip-compressed bytes; equal lists always give equal texts.

        Spec: Bitstring Status List v1.0, section 3.3 (bitstring generation algorithm).
        """
        compressor = zlib.compressobj(9, wbits=_GZIP)
        compressed = compressor.compress(bytes(self._bytes)) + compressor.flush()
        return "u" + urlsafe_b64encode(compressed).rstrip(b"=").decode("ascii")

    @classmethod
    def decode(cls, text: str, *, max_bytes: int = MAX_LIST_BYTES) -> "BitstringStatusList":
        """Return the list that `encodedList` holds.

        Args:
            max_bytes: of the expanded list; nothing is expanded beyond it.
        Raises:
            StatusError: not `u` and base64url, or not one whole gzip stream ("status-list-encoding"), or longer than
                `max_bytes` ("status-list-too-large").
        Spec: Bitstring Status List v1.0, section 3.4 (bitstring expansion algorithm).
        """
        if not text.startswith("u"):
            raise StatusError("status-list-encoding", "expected encodedList to begin with 'u', for base64url")
        stream = zlib.decompressobj(_GZIP)
        try:
            expanded = stream.decompress(base64url_decode(text[1:]), max_bytes + 1)
        except (ProofError, zlib.error) as error:
            raise StatusError("status-list-encoding", "expected base64url of gzip, got other characters") from error
        if len(expanded) > max_bytes:
            raise StatusError("status-list-too-large", f"expected at most {max_bytes} bytes of status, got more")
        if not stream.eof or stream.unused_data:
            raise StatusError("status-list-encoding", "expected one whole gzip stream, got a part of one, or more")
        bits = cls(0)
        bits._bytes = bytearray(expanded)
        return bits

    def _check(self, index: int, size_bits: int) -> None:
        if not 0 <= index < len(self) // size_bits:
            entries = len(self) // size_bits
            raise StatusError("status-index-out-of-range", f"expected an index below {entries}, got {index}")


def status_entry(list_url: str, index: int, purpose: str) -> dict[str, str]:
    """Return the `credentialStatus` of a credential in the list at `list_url`.

    `index` is the position of the credential in the list.

    Spec: Bitstring Status List v1.0, section 2.1 (BitstringStatusListEntry).
    """
    return {
        "id": f"{list_url}#{index}",
        "type": "BitstringStatusListEntry",
        "statusPurpose": purpose,
        "statusListIndex": str(index),
        "statusListCredential": list_url,
    }


def status_list_credential(
    *,
    id: str,  # noqa: A002 - the member's own name
    issuer: str,
    purpose: str,
    bits: BitstringStatusList,
    valid_from: datetime,
    valid_until: datetime,
    ttl_ms: int | None = None,
) -> dict[str, Any]:
    """Return the list as a credential to be signed by `issuer`.

    Args:
        id: the address at which it will be published.
        bits: at least `MIN_ENTRIES`.
        ttl_ms: how long a copy may be kept before it is fetched again, in milliseconds; `valid_until` takes precedence.
            If it is None, others take five minutes.
    Spec: Bitstring Status List v1.0, section 2.2 (BitstringStatusListCredential).
    """
    if len(bits) < MIN_ENTRIES:
        raise ValueError(f"expected at least {MIN_ENTRIES} entries, got {len(bits)}")
    return {
        "@context": [_V2_CONTEXT],
        "id": id,
        "type": ["VerifiableCredential", "BitstringStatusListCredential"],
        "issuer": issuer,
        "validFrom": write_instant(valid_from),
        "validUntil": write_instant(valid_until),
        "credentialSubject": {
            "id": f"{id}#list",
            "type": "BitstringStatusList",
            "statusPurpose": purpose,
            **({} if ttl_ms is None else {"ttl": ttl_ms}),
            "encodedList": bits.encode(),
        },
    }


def read_entry(entry: Mapping[str, Any], list_credential: Mapping[str, Any]) -> int:
    """Return the status that the list gives to the entry's credential; 0 is *unset*.

    1. Purpose, index, size and messages of the entry are well formed.
    2. The credential is a status list.
    3. It is a list for the entry's purpose.
    4. It expands to entries of the entry's size.
    5. They are at least `MIN_ENTRIES`. Some issuers publish fewer, among which a credential cannot hide: then only
       *revoked* and *suspended* count.
    6. The index is within it.

    Args:
        entry: a `credentialStatus` of type BitstringStatusListEntry.
        list_credential: the document at its `statusListCredential`; the caller must check its proof and its id.
    Raises:
        StatusError: "status-entry-malformed" (1), "status-purpose-mismatch" (3), "status-list-encoding",
            "status-list-too-large" (4), "status-index-out-of-range" (6). Pointers are into the entry.
        UnavailableError: as `subject_of_list` (2), and "status-list-too-short" (5).
    Spec: Bitstring Status List v1.0, section 3.2 (validate algorithm).
    """
    purpose, index, size_bits = _read_members(entry)  # (1)
    subject = subject_of_list(list_credential)  # (2)
    if purpose not in listed(subject.get("statusPurpose")):  # (3)
        got = shown(subject.get("statusPurpose"))
        message = f"expected a list for the purpose {shown(purpose)}, got one for {got}"
        raise StatusError("status-purpose-mismatch", message, "/statusPurpose")
    bits = BitstringStatusList.decode(subject["encodedList"])  # (4)
    entries = len(bits) // size_bits
    status = bits.read(index, size_bits) if index < entries else 0
    if entries < MIN_ENTRIES and not (status and purpose in _AGAINST):  # (5)
        message = f"expected at least {MIN_ENTRIES} entries in the list, got {entries}"
        raise UnavailableError("status-list-too-short", message, "/statusListCredential")
    if index >= entries:  # (6)
        message = f"expected an index below {entries}, got {index}"
        raise StatusError("status-index-out-of-range", message, "/statusListIndex")
    return status


def subject_of_list(list_credential: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the BitstringStatusList that a credential is about.

    Raises:
        UnavailableError: it is about something else, so that there is no list at its address (code
            "status-list-malformed"). The pointer is into the entry that names it.
    Spec: Bitstring Status List v1.0, section 2.2 (BitstringStatusListCredential).
    """
    subject = only_object(list_credential.get("credentialSubject"))
    if (
        is_a(list_credential, "BitstringStatusListCredential")
        and is_a(subject, "BitstringStatusList")
        and isinstance(subject.get("encodedList"), str)
    ):
        return subject
    message = "expected a BitstringStatusListCredential about one BitstringStatusList, got another document"
    raise UnavailableError("status-list-malformed", message, "/statusListCredential")


def message_of(entry: Mapping[str, Any], status: int) -> str:
    """Return what `status` means by the entry's own words, for programmers.

    If the entry says nothing about it, return "set" or "unset".

    Spec: Bitstring Status List v1.0, section 2.1 (statusMessage).
    """
    for item in listed(entry.get("statusMessage")):
        if isinstance(item, Mapping) and str(item.get("status")).lower() == hex(status):
            return str(item.get("message"))
    return "set" if status else "unset"


def is_listed(revocation_list: object, credential_id: object, issuer: str) -> bool:
    """Return whether a 1EdTech Revocation List says that the credential is revoked.

    An entry without `revoked` means that it is revoked, and so does an id alone, which is a short way to write an
    entry. The list has no signature: it counts because it is at the address that the signed credential names.

    Args:
        revocation_list: the parsed document.
        issuer: the id of the credential's issuer; if the list names its issuer, it must be the same.
    Raises:
        StatusError: it is another issuer's (code "status-list-issuer").
        UnavailableError: it is not such a list ("status-list-malformed").
    Spec: 1EdTech Verifiable Credentials Revocation List 1.0, section on the status method.
    """
    if not isinstance(revocation_list, Mapping):
        message = f"expected a revocation list, got {shown(revocation_list)}"
        raise UnavailableError("status-list-malformed", message, "/id")
    # Two names are in use: the specification's, and an early validator's.
    listed = revocation_list.get("revokedCredential", revocation_list.get("revokedCredentials"))
    if not isinstance(listed, list):
        message = f"expected revokedCredential to be an array, got {shown(listed)}"
        raise UnavailableError("status-list-malformed", message, "/id")
    owner = revocation_list.get("issuer", issuer)
    if isinstance(owner, Mapping):
        owner = owner.get("id")
    if owner != issuer:
        message = f"expected the list of {shown(issuer)}, the credential's issuer, got that of {shown(owner)}"
        raise StatusError("status-list-issuer", message, "/id")
    entries = ({"id": item} if isinstance(item, str) else item for item in listed)
    return any(
        entry.get("id") == credential_id and entry.get("revoked") is not False
        for entry in entries
        if isinstance(entry, Mapping)
    )


def _read_members(entry: Mapping[str, Any]) -> tuple[str, int, int]:
    """Return purpose, index and size in bits of an entry."""
    purpose, index, size_bits = (entry.get(name) for name in ("statusPurpose", "statusListIndex", "statusSize"))
    if not isinstance(purpose, str) or not purpose:
        raise _malformed("statusPurpose", "a string", purpose)
    # The specification wants base 10 in a string; many write a number.
    whole = isinstance(index, int) and not isinstance(index, bool) and 0 <= index < 10**16
    if not whole and not (isinstance(index, str) and _INDEX.fullmatch(index)):
        raise _malformed("statusListIndex", "a whole number in a string", index)
    if size_bits is None and "statusSize" not in entry:
        size_bits = 1
    if isinstance(size_bits, bool) or not isinstance(size_bits, int) or not 1 <= size_bits <= _MAX_SIZE_BITS:
        raise _malformed("statusSize", f"a whole number from 1 to {_MAX_SIZE_BITS}", size_bits)
    messages = entry.get("statusMessage")
    if (messages is not None or size_bits > 1) and (not isinstance(messages, list) or len(messages) != 2**size_bits):
        raise _malformed("statusMessage", f"an array of {2**size_bits}, one for each status", messages)
    return purpose, int(str(index)), size_bits


def _malformed(member: str, expected: str, got: object) -> StatusError:
    message = f"expected {member} to be {expected}, got {shown(got)}"
    return StatusError("status-entry-malformed", message, f"/{member}")
