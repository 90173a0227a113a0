"""Passkeys: a second way to sign in for somebody who has an account.

The device must check who uses it (PIN, fingerprint, face): the passkey alone signs in, so that someone who finds a
security key must not be able to. It is found without an address (a discoverable credential), so that the page tells
nothing about who has an account. Attestation is not asked for: any device is good.

Spec: Web Authentication Level 3, sections 7.1 and 7.2.
"""

import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeVar
from urllib.parse import urlsplit
from uuid import UUID

import webauthn
from sqlalchemy import delete, select
from sqlalchemy.orm import Session as OrmSession
from webauthn.helpers import (
    base64url_to_bytes,
    bytes_to_base64url,
    parse_authentication_credential_json,
    parse_client_data_json,
    parse_registration_credential_json,
)
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from service.accounts import accounts, challenges
from service.accounts.challenges import Challenge, derived
from service.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from service.runtime.settings import Settings
from service.storage.database import WriteSession, insert_for
from service.tables import Account, Passkey
from service.tables.identifiers import new_id
from service.texts.languages import N_

RP_NAME: Final = "Laurel"
DEFAULT_PORTS: Final = {"https": 443, "http": 80}
HANDLE_BYTES: Final = 32
MAX_ANSWER: Final = 32_768
"""Characters of what a device answers; without attestation it is far below."""
MAX_CREDENTIAL_ID: Final = 1_364
"""Characters of an id: 1,023 bytes, as the specification has it, in base64url."""
MAX_NAME: Final = 100
MOST: Final = 20
"""How many passkeys an account may have."""
TIMEOUT_MILLISECONDS: Final = int(challenges.OPEN_FOR.total_seconds() * 1000) // 2

OVER = N_("This took too long, or was already tried. Try again.")
UNREADABLE = N_("We could not read the passkey that your browser sent. Try again.")
REFUSED = N_("We could not check this passkey, so nothing has changed. Try again.")
UNKNOWN = N_("No account here has this passkey. It may have been removed. Sign in by email.")
COPIED = N_(
    "This passkey may have been copied, so we did not accept it. Sign in by email, remove the passkey and add a "
    "new one."
)
NOT_THERE = N_("You do not have this passkey. It may already have been removed.")
TAKEN = N_("You have already added this passkey.")
FULL = N_("You have %(most)s passkeys. An account cannot have more. Remove one first.")

FoundT = TypeVar("FoundT")


@dataclass(frozen=True)
class RelyingParty:
    """What a device knows of this service: the host for which its keys are, and the origin that may use them."""

    host: str
    origin: str

    @classmethod
    def of(cls, settings: Settings) -> "RelyingParty":
        """Return that of a service: the host of its base URL, and the base URL as a browser writes an origin."""
        origin = settings.base_url
        parts = urlsplit(origin)
        if parts.port is not None and parts.port == DEFAULT_PORTS.get(parts.scheme):
            origin = origin.rpartition(":")[0]
        return cls(parts.hostname or "", origin)


def list_of(session: OrmSession, account_id: UUID) -> list[Passkey]:
    """Return the passkeys of an account, the oldest first."""
    query = select(Passkey).where(Passkey.account_id == account_id)
    return list(session.scalars(query.order_by(Passkey.added_at, Passkey.id)))


def ask_to_add(session: WriteSession, settings: Settings, account: Account, now: datetime) -> tuple[str, str]:
    """Return the options to make a passkey, as JSON for the browser, and the secret for its cookie.

    The device learns an address and the name of the person, to show which account it is.

    Raises:
        ConflictError: the account has too many (code "passkeys-full").
    """
    known = list_of(session, account.id)
    _require_room(known)
    handle = base64url_to_bytes(known[0].handle) if known else secrets.token_bytes(HANDLE_BYTES)
    secret = challenges.begin(session, "add-passkey", now, account_id=account.id, onward=bytes_to_base64url(handle))
    addresses = accounts.addresses_of(session, account)
    label = addresses[0].value if addresses else RP_NAME
    options = webauthn.generate_registration_options(
        rp_id=RelyingParty.of(settings).host,
        rp_name=RP_NAME,
        user_id=handle,
        user_name=label,
        user_display_name=account.name or label,
        challenge=derived(secret, "passkey"),
        timeout=TIMEOUT_MILLISECONDS,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
        ),
        exclude_credentials=[
            PublicKeyCredentialDescriptor(id=base64url_to_bytes(each.credential_id)) for each in known
        ],
    )
    return webauthn.options_to_json(options), secret


def add(
    session: WriteSession,
    settings: Settings,
    account: Account,
    *,
    browser: str | None,
    answer: str,
    name: str,
    now: datetime,
) -> Passkey:
    """Add the passkey that a device has made, and tell all addresses of the account.

    The challenge is over, whatever happens: the caller commits also after an error.

    Args:
        browser: the secret in its cookie.
        answer: what the browser says of the new key, as JSON.
        name: what the person calls it.
    Raises:
        NotFoundError: this browser has no open challenge of this account (code "passkey-over").
        InvalidError: the answer cannot be read (code "passkey-unreadable").
        ForbiddenError: it was made for another site, another challenge, or without checking the person (code
            "passkey-refused").
        ConflictError: it was added before (code "passkey-taken"), or there are too many (code "passkeys-full").
        UnauthenticatedError: as `accounts.locked`.
    """
    accounts.locked(session, account.id)  # two browsers do not add more than there may be
    challenge = _taken_up(session, browser, "add-passkey", now)
    if challenge.account_id != account.id:
        raise NotFoundError("passkey-over", OVER)
    given = _read(parse_registration_credential_json, answer)
    party = RelyingParty.of(settings)
    _require_no_frame(given.response.client_data_json)
    made = _checked(
        lambda: webauthn.verify_registration_response(
            credential=given,
            expected_challenge=derived(challenge.secret, "passkey"),
            expected_rp_id=party.host,
            expected_origin=party.origin,
            require_user_verification=True,
        )
    )
    _require_room(list_of(session, account.id))
    row_id, credential_id = new_id(), bytes_to_base64url(made.credential_id)
    if len(credential_id) > MAX_CREDENTIAL_ID:
        raise ForbiddenError("passkey-refused", REFUSED)
    row = {
        "id": row_id,
        "account_id": account.id,
        "credential_id": credential_id,
        "handle": challenge.onward,
        "public_key": made.credential_public_key,
        "sign_count": made.sign_count,
        "name": name[:MAX_NAME],
        "added_at": now,
    }
    added = insert_for(session)(Passkey).values(row).on_conflict_do_nothing(index_elements=["credential_id"])
    session.execute(added)
    found = session.get(Passkey, row_id)
    if found is None:
        raise ConflictError("passkey-taken", TAKEN)
    accounts.tell(session, account, "passkey-added", now)
    return found


def ask_to_sign_in(session: WriteSession, settings: Settings, onward: str, now: datetime) -> tuple[str, str]:
    """Return the options to use a passkey, as JSON for the browser, and the secret for its cookie.

    They are the same for everybody: the device knows which of its keys are for this service.
    """
    secret = challenges.begin(session, "passkey", now, onward=onward)
    options = webauthn.generate_authentication_options(
        rp_id=RelyingParty.of(settings).host,
        challenge=derived(secret, "passkey"),
        timeout=TIMEOUT_MILLISECONDS,
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return webauthn.options_to_json(options), secret


def use(
    session: WriteSession, settings: Settings, *, browser: str | None, answer: str, now: datetime
) -> tuple[Account, str]:
    """Check what a device has signed; return the account whose passkey it is, and the path to go on to.

    The challenge is over, whatever happens: the caller commits also after an error.

    Args:
        browser: the secret in its cookie.
        answer: what the browser says, as JSON.
    Raises:
        NotFoundError: this browser has no open challenge (code "passkey-over"), or no account has the passkey (code
            "passkey-unknown").
        InvalidError: the answer cannot be read (code "passkey-unreadable").
        ForbiddenError: it is for another site or challenge, was made without checking the person, or is signed by
            another key (code "passkey-refused").
        ConflictError: the device has counted backwards: the key was copied (code "passkey-copied"); the addresses of
            the account are told.
        UnauthenticatedError: as `accounts.locked`.
    """
    challenge = _taken_up(session, browser, "passkey", now)
    given = _read(parse_authentication_credential_json, answer)
    account, row = _locked(session, bytes_to_base64url(given.raw_id))
    party = RelyingParty.of(settings)
    _require_no_frame(given.response.client_data_json)
    signed = _checked(
        lambda: webauthn.verify_authentication_response(
            credential=given,
            expected_challenge=derived(challenge.secret, "passkey"),
            expected_rp_id=party.host,
            expected_origin=party.origin,
            credential_public_key=row.public_key,
            credential_current_sign_count=0,  # compared below, after the signature: else anybody could feign a copy
            require_user_verification=True,
        )
    )
    if not hmac.compare_digest(bytes_to_base64url(given.response.user_handle or b""), row.handle):
        raise ForbiddenError("passkey-refused", REFUSED)
    if (signed.new_sign_count or row.sign_count) and signed.new_sign_count <= row.sign_count:
        accounts.tell(session, account, "passkey-copied", now)
        raise ConflictError("passkey-copied", COPIED)
    row.sign_count, row.used_at = signed.new_sign_count, now
    return account, challenge.onward


def remove(session: WriteSession, account: Account, passkey_id: UUID, now: datetime) -> None:
    """Remove a passkey of an account, and tell all its addresses.

    Raises:
        NotFoundError: it has no such passkey (code "passkey-not-found").
        UnauthenticatedError: as `accounts.locked`.
    """
    found = delete(Passkey).where(Passkey.account_id == account.id, Passkey.id == passkey_id).returning(Passkey.id)
    accounts.locked(session, account.id)
    if session.scalar(found) is None:
        raise NotFoundError("passkey-not-found", NOT_THERE)
    accounts.tell(session, account, "passkey-removed", now)


def rename(session: WriteSession, account: Account, passkey_id: UUID, name: str) -> None:
    """Give a passkey of an account another name.

    Raises:
        NotFoundError: it has no such passkey (code "passkey-not-found").
    """
    row = session.scalar(select(Passkey).where(Passkey.account_id == account.id, Passkey.id == passkey_id))
    if row is None:
        raise NotFoundError("passkey-not-found", NOT_THERE)
    row.name = name[:MAX_NAME]


def _taken_up(session: WriteSession, browser: str | None, purpose: challenges.Purpose, now: datetime) -> Challenge:
    challenge = challenges.take_up(session, browser, purpose, now)
    if challenge is None:
        raise NotFoundError("passkey-over", OVER)
    return challenge


def _locked(session: WriteSession, credential_id: str) -> tuple[Account, Passkey]:
    """Return a passkey and its account, the account locked first: somebody may be joining it with another one."""
    query = select(Passkey).where(Passkey.credential_id == credential_id)
    seen = session.scalar(query)
    if seen is not None:
        account = accounts.locked(session, seen.account_id)
        row = session.scalar(query.with_for_update().execution_options(populate_existing=True))
        if row is not None and row.account_id == account.id:
            return account, row
    raise NotFoundError("passkey-unknown", UNKNOWN)


def _require_room(known: list[Passkey]) -> None:
    if len(known) >= MOST:
        raise ConflictError("passkeys-full", FULL, details={"words": {"most": MOST}})


def _read(parse: Callable[[str], FoundT], answer: str) -> FoundT:
    if len(answer) > MAX_ANSWER:
        raise InvalidError("passkey-unreadable", UNREADABLE)
    try:
        return parse(answer)
    except Exception as error:  # as below
        raise InvalidError("passkey-unreadable", UNREADABLE) from error


def _checked(check: Callable[[], FoundT]) -> FoundT:
    """Check an answer; what is no CBOR, no key or no signature is refused, whatever its decoder makes of it."""
    try:
        return check()
    except Exception as error:  # decoders raise what they like at hostile bytes, and nothing of ours runs in there
        raise ForbiddenError("passkey-refused", REFUSED) from error


def _require_no_frame(client_data: bytes) -> None:
    """Refuse what was made in a frame of another site, which could hide what the person agrees to."""
    if _read(lambda _: parse_client_data_json(client_data), "").cross_origin:
        raise ForbiddenError("passkey-refused", REFUSED)
