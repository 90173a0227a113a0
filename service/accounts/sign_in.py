"""Sign in by mail: a link for the browser that asked, and a code to type there.

Mail scanners open links, and some press their buttons: neither does anything, because link and code work only in the
browser that asked, which has a secret in a cookie. Someone who reads the mail elsewhere types the code where they asked.

A code can be guessed. A stranger who asks for somebody's address has at most `WRONG_A_DAY` tries a day at one of a
million codes, over all that they ask for: one chance in 100,000 a day, one in 270 in a year of daily mails to the person.
A link has 256 random bits, and goes on working when codes are no longer taken.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session as OrmSession

from service.accounts import accounts
from service.accounts.addresses import normal
from service.errors import ConflictError, CustodyError, NotFoundError, TooManyRequestsError
from service.outbox import mailbox
from service.runtime.runtime import Runtime
from service.runtime.work import GoOn, to_the_end
from service.storage.database import WriteSession
from service.tables import Account, Message, SignInRequest
from service.tables.identifiers import new_id
from service.texts.languages import N_

OPEN_FOR: Final = timedelta(minutes=15)
KEPT_FOR: Final = timedelta(days=1)
"""How long a request is counted after it is over."""
MOST_TRIES: Final = 5
WRONG_A_DAY: Final = 10
"""How many wrong codes are taken for one address in a day, over all requests."""
A_DAY: Final = timedelta(days=1)
MAILS_AN_HOUR: Final = 5
MAILS_A_DAY: Final = 20
CODE_DIGITS: Final = 6
SECRET_BYTES: Final = 32
BATCH: Final = 500

Delivery = Literal["waiting", "late", "sent", "failed"]
"""How far the mail of a request has come; it is late if the mail server did not take it the first time."""

OVER = N_("This link or code has expired, or was already used. Ask for a new one.")
WRONG_CODE = N_("This is not the code in the newest email. Check it and try again.")
TOO_MANY_TRIES = N_("The code was wrong too often. Ask for a new one.")
NO_CODES = N_(
    "Too many wrong codes were typed for this address today. Open the link in the email instead, in this browser."
)
NOT_THE_ONE = N_(
    "Sign in to the account that you want to add the address to. Then open the link or type the code again."
)
ELSEWHERE = N_("This link works only in the browser in which you asked for it. Type the code there instead.")
TOO_MANY_MAILS = N_("Too many emails were sent to this address. Try again in %(minutes)s min.")


@dataclass(frozen=True)
class Asked:
    """A request to sign in, as its pages show it; the secret of the browser is not kept."""

    address: str
    purpose: str
    onward: str
    code: str
    is_of_this_browser: bool


def ask(
    session: WriteSession,
    runtime: Runtime,
    address: str,
    *,
    language: str,
    onward: str,
    now: datetime,
    account: Account | None = None,
    known: bool = False,
) -> str:
    """Queue the mail with a link and a code; return the secret for the cookie of the browser that asked.

    Nothing tells whether there is an account with the address.

    Args:
        address: in lower case, as `service.bodies.EmailAddress` gives it.
        onward: the path of ours to which the person goes then.
        account: the one to which the address is to be added; without one, somebody signs in.
        known: the browser has signed in with this address before (`is_known`): what strangers asked for does not count.
    Raises:
        TooManyRequestsError: too many mails went to the address (code "asked-too-often").
        CustodyError: the secrets cannot be locked; nothing has changed.
    """
    address = normal(address)
    if not known:
        _within_limits(session, address, now)
    row_id, browser, link = new_id(), secrets.token_urlsafe(SECRET_BYTES), secrets.token_urlsafe(SECRET_BYTES)
    code = "".join(secrets.choice("0123456789") for _ in range(CODE_DIGITS))
    request = SignInRequest(
        id=row_id,
        purpose="sign-in" if account is None else "add-address",
        account_id=None if account is None else account.id,
        address=address,
        browser_sha256=digest_of(browser),
        link_sha256=digest_of(link),
        locked=runtime.custody.lock(f"{link} {code}".encode(), _name(row_id)),
        language=language,
        onward=onward,
        asked_at=now,
        expires_at=now + OPEN_FOR,
    )
    session.add(request)
    session.flush()  # before the row that refers to it: SQLAlchemy does not know that they are related
    mailbox.queue_sign_in(session, request)
    return browser


def shown(session: OrmSession, runtime: Runtime, link: str, browser: str | None, now: datetime) -> Asked:
    """Return the open request behind a mailed link.

    Raises:
        NotFoundError: there is none, or it is over (code "sign-in-over").
        CustodyError: its secrets cannot be unlocked.
    """
    row = _open_by_link(session, link, now)
    return Asked(row.address, row.purpose, row.onward, mailed(runtime, row)[1], _is_of(row, browser))


def by_link(
    session: WriteSession, link: str, browser: str | None, now: datetime, *, signed_in: UUID | None = None
) -> tuple[Account, SignInRequest]:
    """Use a mailed link; return the account that has the address now, and the request.

    An address that was to be added may have another account already: that one is returned, and nothing is added
    (`service.accounts.joining`).

    Args:
        signed_in: the account of who is signed in in the browser.
    Raises:
        NotFoundError: there is no such request, or it is over (code "sign-in-over").
        ConflictError: another browser asked (code "sign-in-elsewhere"); somebody else is signed in than who wants to add
            the address (code "sign-in-other-account"); the account has too many addresses (code "addresses-full").
    """
    row = _open_by_link(session, link, now)
    if not _is_of(row, browser):
        raise ConflictError("sign-in-elsewhere", ELSEWHERE)
    return _use(session, _locked(session, row, now, signed_in), now)


def by_code(
    session: WriteSession,
    runtime: Runtime,
    code: str,
    browser: str | None,
    now: datetime,
    *,
    signed_in: UUID | None = None,
) -> tuple[Account, SignInRequest] | None:
    """Use a code in the browser that asked; return as `by_link`, or None where the code is wrong.

    A wrong code is counted, so the caller must commit.

    Raises:
        NotFoundError: this browser asked for nothing, or it is over (code "sign-in-over").
        ConflictError: as `by_link`.
        TooManyRequestsError: the code was wrong too often (code "code-tries"), or codes for the address were, over all
            requests of a day (code "codes-for-address").
        CustodyError: the code cannot be unlocked.
    """
    found = _of_browser(session, browser)
    if found is None or not _is_open(found, now):
        raise NotFoundError("sign-in-over", OVER)
    row = _locked(session, found, now, signed_in)
    if row.tries >= MOST_TRIES:
        raise TooManyRequestsError("code-tries", TOO_MANY_TRIES)
    tried = select(func.sum(SignInRequest.tries)).where(
        SignInRequest.address == row.address, SignInRequest.asked_at > now - A_DAY
    )
    if (session.scalar(tried) or 0) >= WRONG_A_DAY:
        raise TooManyRequestsError("codes-for-address", NO_CODES)
    if not hmac.compare_digest(mailed(runtime, row)[1].encode(), _digits(code).encode()):
        row.tries += 1
        return None
    return _use(session, row, now)


def delivery(session: OrmSession, browser: str | None, now: datetime) -> Delivery | None:
    """Return how far the mail has come that a browser asked for; None if it has asked for nothing that is open.

    Only the browser that asked learns it, and nothing in it says whether the address has an account.
    """
    row = _of_browser(session, browser)
    if row is None or not _is_open(row, now):
        return None
    mail = session.scalar(select(Message).where(Message.sign_in_request_id == row.id))
    if mail is None or mail.state == "sent":
        return "sent"
    return "failed" if mail.state == "failed" else "late" if mail.attempts > 1 else "waiting"


def known_secret(runtime: Runtime, address: str) -> str:
    """Return what a browser keeps that has signed in with an address, so that strangers cannot use up its mails.

    Raises:
        CustodyError: there is no passphrase.
    """
    return hmac.digest(runtime.custody.derived("known browsers"), normal(address).encode(), "sha256").hex()


def is_known(runtime: Runtime, address: str, secret: str | None) -> bool:
    """Return whether a browser has signed in with an address before."""
    try:
        return secret is not None and hmac.compare_digest(known_secret(runtime, address).encode(), secret.encode())
    except CustodyError:
        return False


def mailed(runtime: Runtime, row: SignInRequest) -> tuple[str, str]:
    """Return the secret of the link and the code of a request.

    Raises:
        CustodyError: they cannot be unlocked.
    """
    link, code = runtime.custody.unlock(row.locked, _name(row.id)).decode().split(" ")
    return link, code


def is_to_be_mailed(row: SignInRequest, now: datetime) -> bool:
    """Return whether the mail of a request is still of use."""
    return _is_open(row, now)


def forget_old(runtime: Runtime, go_on: GoOn = to_the_end) -> int:
    """Delete requests that were over long ago, with their messages; return how many."""
    old = SignInRequest.expires_at < runtime.now() - KEPT_FOR
    count = 0
    while go_on():
        with runtime.database.read() as session:
            found = session.scalars(select(SignInRequest.id).where(old).limit(BATCH)).all()
        if not found:
            break
        with runtime.database.write() as session:
            session.execute(delete(SignInRequest).where(SignInRequest.id.in_(found)))
        count += len(found)
    return count


def digest_of(secret: str) -> str:
    """Return what is stored of a secret: its SHA-256, in hexadecimal digits."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _use(session: WriteSession, row: SignInRequest, now: datetime) -> tuple[Account, SignInRequest]:
    into = None if row.account_id is None else session.get_one(Account, row.account_id)
    account = accounts.with_address(session, row.address, now, into=into, may_be_taken=True)
    if into is None:
        account.language = account.language or row.language
    row.used_at = now
    return account, row


def _locked(session: WriteSession, row: SignInRequest, now: datetime, signed_in: UUID | None) -> SignInRequest:
    """Lock an open request, and with it all of a day to its address, so that tries at one moment are counted.

    The account is locked before, as everywhere.
    """
    if row.account_id is not None:
        # Otherwise somebody who was signed out everywhere could still add an address, and come back with it.
        if row.account_id != signed_in:
            raise ConflictError("sign-in-other-account", NOT_THE_ONE)
        accounts.locked(session, row.account_id)
    of_day = select(SignInRequest).where(SignInRequest.address == row.address, SignInRequest.asked_at > now - A_DAY)
    session.scalars(of_day.order_by(SignInRequest.id).with_for_update().execution_options(populate_existing=True)).all()
    if not _is_open(row, now):  # somebody else used it in this moment
        raise NotFoundError("sign-in-over", OVER)
    return row


def _of_browser(session: OrmSession, browser: str | None) -> SignInRequest | None:
    query = select(SignInRequest).where(SignInRequest.browser_sha256 == digest_of(browser or ""))
    return session.scalar(query)


def _open_by_link(session: OrmSession, link: str, now: datetime) -> SignInRequest:
    row = session.scalar(select(SignInRequest).where(SignInRequest.link_sha256 == digest_of(link)))
    if row is None or not _is_open(row, now):
        raise NotFoundError("sign-in-over", OVER)
    return row


def _is_open(row: SignInRequest, now: datetime) -> bool:
    return row.used_at is None and now < row.expires_at


def _is_of(row: SignInRequest, browser: str | None) -> bool:
    return browser is not None and hmac.compare_digest(row.browser_sha256, digest_of(browser))


def _within_limits(session: WriteSession, address: str, now: datetime) -> None:
    for most, span in ((MAILS_AN_HOUR, timedelta(hours=1)), (MAILS_A_DAY, A_DAY)):
        asked = select(SignInRequest.asked_at).where(
            SignInRequest.address == address, SignInRequest.asked_at > now - span
        )
        first = session.scalar(asked.order_by(SignInRequest.asked_at.desc()).offset(most - 1).limit(1))
        if first is not None:
            seconds = int((first + span - now).total_seconds()) + 1
            raise TooManyRequestsError("asked-too-often", TOO_MANY_MAILS, details={"retry_after_seconds": seconds})


def _digits(code: str) -> str:
    """Return the digits of what somebody typed: "123 456" is "123456"."""
    return "".join(sign for sign in code if sign.isascii() and sign.isdigit())


def _name(request_id: UUID) -> str:
    """Return the name under which the secrets of a request are locked: they open for no other one."""
    return f"sign-in {request_id}"
