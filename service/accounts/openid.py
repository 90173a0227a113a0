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
from sqlalchemy.orm import Session as OrmSession

from service.accounts import accounts, challenges
from service.accounts.challenges import Challenge
from service.accounts.openid_provider import Provider, Told, state_of
from service.errors import ConflictError, ForbiddenError, NotFoundError
from service.runtime.runtime import Runtime
from service.storage.database import WriteSession, insert_for
from service.tables import Account, AccountAddress, OpenidIdentity, Passkey
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
SECOND = N_(
    "Your account is already linked to another person at %(name)s. Remove that link first, if both of them are you."
)
ELSEWHERE = N_(
    "Another account here is linked to you at %(name)s. If both accounts are yours, add an address of the other one here "
    "to join them."
)
UNLINKED = N_("Your account does not have this link. It may already have been removed.")
LAST = N_("This is the only way to sign in to your account. Add an email address or a passkey first.")
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


def begin(runtime: Runtime, provider: Provider, onward: str, account_id: UUID | None = None) -> tuple[str, str]:
    """Return the address of the provider to which the browser goes, and the secret for its cookie.

    Args:
        account_id: of who is signed in, and wants to sign in so as well from now on.
    Raises:
        UpstreamError: as `Provider.address_to_ask`.
    """
    with runtime.database.write() as session:
        secret = challenges.begin(session, "openid", runtime.now(), onward=onward, account_id=account_id)
    return provider.address_to_ask(secret), secret


def come_back(
    runtime: Runtime, provider: Provider, browser: str | None, answer: Sequence[tuple[str, str]]
) -> tuple[Told, Challenge]:
    """Return what the provider says of somebody who came back from it, and with what they went there.

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
    return provider.told(challenge.secret, given["code"], runtime.now()), challenge


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


def link(session: WriteSession, provider: Provider, told: Told, account_id: UUID, now: datetime) -> None:
    """Link somebody whom the provider knows with the account in which they are signed in; all its addresses are told.

    Raises:
        ConflictError: another account is linked with them (code "openid-elsewhere"), or this one with somebody else at
            the provider ("openid-second").
        UnauthenticatedError: as `accounts.locked`.
    """
    account = accounts.locked(session, account_id)
    identity = _identity(session, provider, told)
    if identity is None:
        if any(each.issuer == provider.issuer for each in list_of(session, account.id)):
            raise ConflictError("openid-second", SECOND, details=provider.named)
        identity = _added(session, provider, told, account, now)
        if identity.account_id == account.id:
            accounts.tell(session, account, "openid-added", now)
    if identity.account_id != account.id:
        raise ConflictError("openid-elsewhere", ELSEWHERE, details=provider.named)


def list_of(session: OrmSession, account_id: UUID) -> list[OpenidIdentity]:
    """Return what an account is linked with, in the order in which that was done."""
    query = select(OpenidIdentity).where(OpenidIdentity.account_id == account_id)
    return list(session.scalars(query.order_by(OpenidIdentity.linked_at, OpenidIdentity.id)))


def unlink(session: WriteSession, account: Account, identity_id: UUID, now: datetime) -> None:
    """Have nobody sign in to an account with a provider any more; all its addresses are told.

    Raises:
        NotFoundError: it is not linked with it (code "openid-unlinked").
        ConflictError: there would be no way to sign in (code "way-in-last").
        UnauthenticatedError: as `accounts.locked`.
    """
    accounts.locked(session, account.id)
    linked = list_of(session, account.id)
    row = next((each for each in linked if each.id == identity_id), None)
    if row is None:
        raise NotFoundError("openid-unlinked", UNLINKED)
    passkey = session.scalar(select(Passkey.id).where(Passkey.account_id == account.id).limit(1))
    if len(linked) == 1 and passkey is None and not accounts.addresses_of(session, account):
        raise ConflictError("way-in-last", LAST)
    session.delete(row)
    accounts.tell(session, account, "openid-removed", now)


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
    identity = _added(session, provider, told, account, now)
    if known:
        accounts.tell(session, account, "openid-linked", now)
    return identity


def _added(session: WriteSession, provider: Provider, told: Told, account: Account, now: datetime) -> OpenidIdentity:
    """Return the link of somebody at the provider: with this account, if nobody has linked them at this moment."""
    row = {"id": new_id(), "account_id": account.id, "issuer": provider.issuer, "sub": told.sub}
    moments = {"linked_at": now, "used_at": now}
    added = insert_for(session)(OpenidIdentity).values(row | moments)
    session.execute(added.on_conflict_do_nothing(index_elements=["issuer", "sub"]))
    identity = _identity(session, provider, told)
    assert identity is not None  # it was added, or was there
    return identity


def _add_if_free(session: WriteSession, account_id: UUID, address: str, now: datetime) -> None:
    account = session.get_one(Account, account_id)
    if address in {each.value for each in accounts.addresses_of(session, account)}:
        return
    with suppress(ConflictError):  # another account proved it: it stays there, and the person is known by name
        accounts.with_address(session, address, now, into=account)
