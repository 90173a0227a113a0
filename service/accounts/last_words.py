"""The last mail to an address that no account has any more."""

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import Final

from service.outbox import mailbox
from service.storage.database import WriteSession
from service.tables import SignInRequest
from service.tables.identifiers import new_id

KEPT_FOR: Final = timedelta(days=2)
"""Longer than the mail is tried for; then the address is deleted (`sign_in.forget_old`)."""


def say(session: WriteSession, address: str, language: str, notice: str, now: datetime) -> SignInRequest:
    """Queue a notice to an address that was just taken from its account; return the row in which the address is kept.

    The address is kept as that of a request that is over: nobody has the secrets of its link and browser.
    """
    unknown = (hashlib.sha256(secrets.token_bytes(32)).hexdigest() for _ in range(2))
    request = SignInRequest(
        id=new_id(),
        purpose="sign-in",
        address=address,
        browser_sha256=next(unknown),
        link_sha256=next(unknown),
        locked="",
        language=language,
        onward="/",
        asked_at=now,
        used_at=now,
        expires_at=now + KEPT_FOR,
    )
    session.add(request)
    session.flush()  # before the row that refers to it: SQLAlchemy does not know that they are related
    mailbox.queue_last_word(session, request, notice)
    return request
