"""Connections to the mail server, whose name is looked up under a deadline."""

import smtplib
import ssl
import time
from contextlib import suppress
from typing import Any

from service.runtime.name_lookups import NameLookUps

TIMEOUT_SECONDS = 10
"""For each step with the mail server."""


def connected(look_ups: NameLookUps, scheme: str, host: str, port: int | None, our_name: str) -> smtplib.SMTP:
    """Return a connection to a mail server.

    Args:
        scheme: "smtp", or "smtps" for TLS from the first byte.
        our_name: how the service introduces itself; the library would look up the name of this machine instead, without
            a deadline.
    Raises:
        OSError, smtplib.SMTPException: there is none.
    """

    class LookedUp(smtplib.SMTP):
        """A connection to the first address that answers; TLS still asks for the name."""

        def connect(self, host: str = "", port: int = 0, source_address: Any = None) -> tuple[int, bytes]:
            *others, last = look_ups.addresses(host, port, time.monotonic() + TIMEOUT_SECONDS)
            for address in others:
                with suppress(OSError):
                    return super().connect(address, port, source_address)
            return super().connect(last, port, source_address)

    class Encrypted(smtplib.SMTP_SSL, LookedUp):
        pass

    if scheme == "smtps":
        secure = ssl.create_default_context()
        return Encrypted(host, port or 465, our_name, timeout=TIMEOUT_SECONDS, context=secure)
    return LookedUp(host, port or 587, our_name, timeout=TIMEOUT_SECONDS)
