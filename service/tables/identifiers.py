"""Identifiers: time-ordered for rows, random for what nobody must guess."""

import os
import secrets
import threading
import time
from uuid import UUID

_lock = threading.Lock()
_last = 0


def new_id() -> UUID:
    """Return a UUID version 7; later calls in one process give greater values.

    Spec: RFC 9562, section 5.7, with the monotonic counter of section 6.2 (method 1: 12 bits after the milliseconds).
    """
    global _last  # noqa: PLW0603  (one counter for the process is what makes the order total)
    with _lock:
        _last = max((time.time_ns() // 1_000_000) << 12, _last + 1)
        stamp = _last
    tail = int.from_bytes(os.urandom(8)) & ((1 << 62) - 1)
    return UUID(int=(stamp >> 12) << 80 | 0x7 << 76 | (stamp & 0xFFF) << 64 | 0b10 << 62 | tail)


def new_credential_id() -> str:
    """Return 128 random bits as 32 hexadecimal digits.

    Nobody can guess the address of a credential.
    """
    return secrets.token_hex(16)


def new_salt() -> str:
    """Return 128 random bits as 32 hexadecimal digits.

    They are hashed with values that could otherwise be guessed.
    """
    return secrets.token_hex(16)


ACCESS = "laurel_access."
"""How access tokens begin, and no other token: these have no full stop."""


def new_access_token() -> str:
    """Return an access token with 256 random bits."""
    return ACCESS + secrets.token_urlsafe(32)


def new_token() -> str:
    """Return a bearer token with 256 random bits; its prefix makes it recognisable."""
    return "laurel_" + secrets.token_urlsafe(32)
