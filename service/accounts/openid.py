"""Sign in with the operator's OpenID provider.

Somebody is known by the provider's name for them, never by an address: addresses change hands. An address counts only
if the provider has proved it; then it is as good as one that was proved by mail, and leads to its account. No
transaction is open while the provider is asked.
"""

import hmac
import logging
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import select

from service.accounts import accounts, challenges
from service.accounts.openid_provider import Provider, Told, state_of
from service.errors import ConflictError, ForbiddenError, NotFoundError
from service.runtime.runtime import Runtime
from service.storage.database import WriteSession, insert_for
from service.tables import Account, AccountAddress, OpenidIdentity
from service.tables.identifiers import new_id
from service.texts.languages import N_

log = logging.getLogger(__name__)

OVER = N_("This took too long, was already done, or began in another browser. Try again.")
DENIED = N_("%(name)s did not tell us who you are, so you are not signed in.")
FAILED = N_("%(name)s could not sign you in. Try again later, or sign in by email.")
UNPROVED = N_("%(name)s has not checked your email address, and no account here is linked to it. Sign in by email.")
ANOTHERS = N_(
    "The account here with your address is linked to another person at %(name)s. Sign in by email if only you "
    "use the address."
)
ERRORS: Final = frozenset(
    {
        "invalid_request",
        "unauthorized_client",
        "unsupported_response_type",
        "invalid_scope",
        "server_error",
        "temporarily_unavailable",
        "interaction_required",
        "login_required",
        "account_selection_required",
        "consent_required",
    }
)
"""What a provider may say went wrong; anything else is not repeated, also not to the log."""


def begin(runtime: Runtime, provider: Provider, onward: str) -> tuple[str, str]:
    """Return the address of the provider to which the browser goes, and the secret for its cookie.

    Raises:
        UpstreamError: as `Provider.address_to_ask`.
    """
    with runtime.database.write() as session:
        secret = challenges.begin(session, "openid", runtime.now(), onward=onward)
    return provider.address_to_ask(secret), secret


def come_back(
    runtime: Runtime, provider: Provider, browser: str | None, answer: Sequence[tuple[str, str]]
) -> tuple[Told, str]:
    """Return what the provider says of somebody who came back from it, and the path to go on to.

    Args:
        browser: the secret in its cookie.
        answer: the parameters with which the provider sent the browser back.
    Raises:
        NotFoundError: this browser did not begin, or it is over (code "openid-over").
        ForbiddenError: the person or the provider said no (codes "openid-denied", "openid-failed").
        UpstreamError: as `Provider.told`.
    """
    given = dict(answer)
    with runtime.database.write() as session:
        challenge = challenges.take_up(session, browser, "openid", runtime.now())
    # The state is derived from the cookie: somebody else's answer, slipped into this browser, signs nobody in as them.
    if challenge is None or not hmac.compare_digest(
        given.get("state", "").encode(), state_of(challenge.secret).encode()
    ):
        raise NotFoundError("openid-over", OVER)
    if len(given) != len(answer) or given.get("iss", provider.issuer) != provider.issuer:  # RFC 9207
        raise ForbiddenError("openid-failed", FAILED, details=provider.named)
    if given.get("error") == "access_denied":
        raise ForbiddenError("openid-denied", DENIED, details=provider.named)
    if "error" in given or not given.get("code"):
        named = given.get("error") if given.get("error") in ERRORS else "no known error"
        log.warning("OpenID: the provider sent somebody back without a code (%s)", named)
        raise ForbiddenError("openid-failed", FAILED, details=provider.named)
    return provider.told(challenge.secret, given["code"], runtime.now()), challenge.onward


def account_of(session: WriteSession, provider: Provider, told: Told, now: datetime) -> Account:
    """Return the account of somebody whom the provider knows; a proved address makes one, or leads to it.

    An address that is new at the provider is added, unless it is another account's; the kept one stays.

    Raises:
        ConflictError: nobody here is known by that name, and the provider has proved no address (code
            "openid-unproved"), or its account belongs to another name at this provider (code "openid-anothers").
        UnauthenticatedError: as `accounts.locked`.
    """
    identity = _identity(session, provider, told)
    if identity is None:
        identity = _linked(session, provider, told, now)
    elif told.address is not None:
        _add_if_free(session, identity.account_id, told.address, now)
    account = accounts.locked(session, identity.account_id)  # before the rows that belong to it are written
    identity.used_at = now
    return account


def _identity(session: WriteSession, provider: Provider, told: Told) -> OpenidIdentity | None:
    query = select(OpenidIdentity).where(OpenidIdentity.issuer == provider.issuer, OpenidIdentity.sub == told.sub)
    return session.scalar(query)


def _linked(session: WriteSession, provider: Provider, told: Told, now: datetime) -> OpenidIdentity:
    """Link somebody with the account of their proved address; the account's addresses are told if it was there."""
    if told.address is None:
        raise ConflictError("openid-unproved", UNPROVED, details=provider.named)
    known = session.scalar(select(AccountAddress.id).where(AccountAddress.value == told.address)) is not None
    account = accounts.with_address(session, told.address, now)
    others = select(OpenidIdentity.id).where(
        OpenidIdentity.account_id == account.id, OpenidIdentity.issuer == provider.issuer
    )
    # The provider may have given the address of someone who left to somebody new.
    if session.scalar(others.limit(1)) is not None and _identity(session, provider, told) is None:
        raise ConflictError("openid-anothers", ANOTHERS, details=provider.named)
    row = {"id": new_id(), "account_id": account.id, "issuer": provider.issuer, "sub": told.sub}
    moments = {"linked_at": now, "used_at": now}
    added = insert_for(session)(OpenidIdentity).values(row | moments)
    session.execute(added.on_conflict_do_nothing(index_elements=["issuer", "sub"]))
    if known:
        accounts.tell(session, account, "openid-linked", now)
    identity = _identity(session, provider, told)
    assert identity is not None  # it was added, or was there
    return identity


def _add_if_free(session: WriteSession, account_id: UUID, address: str, now: datetime) -> None:
    account = session.get_one(Account, account_id)
    if address in {each.value for each in accounts.addresses_of(session, account)}:
        return
    with suppress(ConflictError):  # another account proved it: it stays there, and the person is known by name
        accounts.with_address(session, address, now, into=account)
