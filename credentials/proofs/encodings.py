"""Bytes as text: base58btc and base64url.

Spec: Multibase, section 3; RFC 4648, section 5.
"""

import binascii
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode

from credentials.errors import ProofError

_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_BASE58_VALUES = {character: value for value, character in enumerate(_BASE58)}
_BASE58_MAX_CHARS = 256  # longer than any key or signature here; decoding is quadratic
_BASE64URL = re.compile(r"[A-Za-z0-9_-]*")


def base58btc_encode(data: bytes) -> str:
    """Return `data` in the Bitcoin alphabet, without a multibase prefix."""
    number = int.from_bytes(data)
    characters = []
    while number:
        number, value = divmod(number, 58)
        characters.append(_BASE58[value])
    leading_zeros = len(data) - len(data.lstrip(b"\0"))
    return "1" * leading_zeros + "".join(reversed(characters))


def base58btc_decode(text: str) -> bytes:
    """Return the bytes that `text` (Bitcoin alphabet, no multibase prefix) encodes.

    Raises:
        ProofError: more than 256 characters, or one outside the alphabet (code "base58-malformed").
    """
    if len(text) > _BASE58_MAX_CHARS:
        raise ProofError(
            "base58-malformed", f"expected at most {_BASE58_MAX_CHARS} base58btc characters, got {len(text)}"
        )
    number = 0
    for character in text:
        value = _BASE58_VALUES.get(character)
        if value is None:
            raise ProofError("base58-malformed", f"expected base58btc characters, got {character!a}")
        number = number * 58 + value
    leading_zeros = len(text) - len(text.lstrip("1"))
    return bytes(leading_zeros) + number.to_bytes((number.bit_length() + 7) // 8)


def base64url_encode(data: bytes) -> str:
    """Return `data` as base64url without padding."""
    return urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def base64url_decode(text: str) -> bytes:
    """Return the bytes that `text` (base64url, no padding) encodes.

    Each value has one text only: padding, other alphabets, white space and non-zero unused bits are refused, so that
    nobody can change a signed text without changing what it says.

    Raises:
        ProofError: anything else (code "base64url-malformed").
    Spec: RFC 7515, section 2; RFC 4648, section 3.5.
    """
    if not _BASE64URL.fullmatch(text):
        raise ProofError("base64url-malformed", "expected base64url without padding, got another character")
    try:
        data = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error as error:
        raise ProofError("base64url-malformed", f"expected base64url, got an impossible length {len(text)}") from error
    if base64url_encode(data) != text:
        raise ProofError("base64url-malformed", "expected zeros in the unused bits of the last base64url character")
    return data
