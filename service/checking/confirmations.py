"""Ask the recipient by mail whether a badge is theirs.

An employer, say, was given a badge and cannot tell whether it belongs to the person who gave it. They ask here: one
question, one mail, two pages. The person who reads the recipient's mail answers, and the asker's page shows the answer.
Nothing is kept about the asker.

1. A yes says only that the recipient gave the badge to somebody. The code ties it to the asker: it is on the asker's
   page and in the mail, so that a candidate who can say the code has read the mail. Each asker has a question, a code
   and a mail of their own. Were they shared, the yes to one asker would also confirm the badge to somebody to whom a
   thief gave it.
2. Anybody may ask as often as they like, so mails are limited: so many a day about one badge and to one address. More
   wait their turn, and those that would wait too long are refused. Allowing one open question for each badge would
   limit them too, but the first asker could then keep everybody else out for a week, and would learn that somebody
   else is asking.
3. Programs may fetch the link in the mail, so only a POST answers. Its secret is drawn with the question and locked by
   custody until the mail is written. If it were drawn with the mail, the second copy of a mail that is sent twice would
   make the link in the first one invalid; if it were derived from a key, it could not be erased with the row.
4. A question is erased with the address that it was sent to: when that is erased or corrected, the old mailbox can no
   longer answer.
5. A private badge looks as if there were none, as its address does to everybody. A revoked or suspended badge must not
   be relied on, no matter who owns it.
"""

import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from urllib.parse import urlsplit

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.orm import Session as OrmSession

from service.errors import ConflictError, NotFoundError, TooManyRequestsError
from service.issuing import unsigned
from service.issuing.unsigned import Recipient
from service.outbox import mailbox
from service.public import addresses, documents
from service.runtime.runtime import Runtime
from service.runtime.work import GoOn, to_the_end
from service.signing import issuers, keyring
from service.storage import locks
from service.storage.database import ReadSession, WriteSession
from service.tables import AchievementVersion, Award, Confirmation, Credential, Identity, Network
from service.tables.identifiers import new_id
from service.texts.languages import N_

ConfirmationState = Literal["waiting", "confirmed", "denied", "expired", "revoked", "suspended", "private"]

OPEN_FOR = timedelta(days=7)
KEPT_FOR = timedelta(days=7)
"""How long the pages of a closed question still show how it ended."""
DAY = timedelta(days=1)
MAILS_A_DAY = 3
"""Mails a day about one badge."""
MAILS_TO_ONE_A_DAY = 6
"""Mails a day to one address, about any badge."""
LONGEST_WAIT = timedelta(days=2)
"""How long a mail may wait its turn."""
LETTERS, DIGITS = "CDFGHJKMNPRTVWXY", "23456789"
"""Characters of codes: none looks or sounds like another, and no vowel makes words."""
SECRET_BYTES = 24
BATCH = 500

NO_BADGE = N_(
    "There is no badge at this address, or its owner keeps it private. Ask the candidate for the link to the "
    "badge, or to write to you from the address that it was issued to."
)
NO_ADDRESS = N_(
    "We have no email address of this person. Ask the candidate what the badge was issued to, or ask the issuer of "
    "the badge."
)
REVOKED = N_("The issuer took this badge back. Do not rely on it.")
SUSPENDED = N_("The issuer is looking into this badge. Do not rely on it until that is decided; ask again then.")
TOO_OFTEN = N_(
    "This person was asked about the badge many times in the last few days, so we will not ask again for a while. "
    "Ask the candidate to write to you from the address that the badge was issued to, or compare that address."
)
NO_QUESTION = N_("There is no question at this address, or we closed and erased it.")
OVER = N_("This question is closed.")
DENIED = N_("The answer to this question was no. You cannot change that, but they can ask again.")


@dataclass(frozen=True)
class ShownConfirmation:
    """A question as its pages show it.

    `credential` is the identifier in the badge's address.
    """

    state: ConfirmationState
    code: str
    badge: str
    issuer: str
    credential: str
    sandbox: bool
    asked_at: datetime
    answered_at: datetime | None
    expires_at: datetime
    kept_until: datetime
    answerable: bool


def can_be_asked(session: ReadSession, runtime: Runtime, url: object, issuer_id: str) -> bool:
    """Return whether the recipient of a badge can be asked; takes a few look-ups.

    Args:
        url: the `id` of the checked credential, which may be anything.
        issuer_id: who signed it. Without it, another issuer's credential with the `id` of one of ours would make us ask
            about ours.
    """
    row = _credential_at(session, runtime, url)
    return (
        row is not None
        and documents.is_issuer(session, runtime, row, issuer_id)
        and row.revoked_at is None
        and row.suspended_at is None
        and _recipient(session, row).email is not None
    )


def ask(session: WriteSession, runtime: Runtime, url: str, now: datetime) -> str:
    """Ask the recipient whether a badge is theirs.

    Return the secret of the asker's page.

    The secret is not kept. The mail is sent after the commit, when its turn comes.

    Args:
        url: the address of the badge, which is its `id`.
    Raises:
        NotFoundError: there is no such badge, or it is private (code "badge-unknown").
        ConflictError: it was revoked ("badge-revoked") or is suspended ("badge-suspended"), or no address of the
            recipient is known ("recipient-without-address").
        TooManyRequestsError: too many mails wait their turn (code "asked-too-often").
        CustodyError: a secret cannot be locked, or as `keyring.check_custody`; nothing has changed.
    """
    row = _credential_at(session, runtime, url)
    if row is None:
        raise NotFoundError("badge-unknown", NO_BADGE)
    if row.revoked_at is not None:
        raise ConflictError("badge-revoked", REVOKED)
    if row.suspended_at is not None:
        raise ConflictError("badge-suspended", SUSPENDED)
    recipient = _recipient(session, row)
    # The lock counts two askers at the same moment one after the other. By then the address may have been erased.
    held = locks.one_or_none(session, Identity, Identity.id == recipient.email_id)
    if held is None:
        raise ConflictError("recipient-without-address", NO_ADDRESS)
    mail_at = _turn(session, row, recipient, now)
    page_secret, mail_secret = secrets.token_urlsafe(SECRET_BYTES), secrets.token_urlsafe(SECRET_BYTES)
    question = Confirmation(
        id=new_id(),
        credential_id=row.id,
        identity_id=held.id,
        page_sha256=_sha256(page_secret),
        mail_sha256=_sha256(mail_secret),
        code=_new_code(),
        asked_at=now,
        mail_at=mail_at,
        expires_at=now + OPEN_FOR,
    )
    keyring.check_custody(session, runtime)
    question.mail_secret = runtime.custody.lock(mail_secret.encode(), _name(question))
    session.add(question)
    session.flush()  # before the row that refers to it: SQLAlchemy does not know that they are related
    mailbox.queue_question(session, row.network_id, question.id, mail_at)
    return page_secret


def of_asker(session: OrmSession, secret: str, now: datetime) -> ShownConfirmation:
    """Return the question behind the secret of an asker's page.

    Raises:
        NotFoundError: there is none, or it was erased (code "question-unknown").
    """
    return _shown_confirmation(session, _found(session, Confirmation.page_sha256 == _sha256(secret)), now)


def of_recipient(session: OrmSession, secret: str, now: datetime) -> ShownConfirmation:
    """Return the question behind the secret of a mail.

    Raises:
        NotFoundError: there is none, or it was erased (code "question-unknown").
    """
    return _shown_confirmation(session, _found(session, Confirmation.mail_sha256 == _sha256(secret)), now)


def answer(session: WriteSession, secret: str, *, yes: bool, now: datetime) -> None:
    """Store the recipient's answer.

    The same answer again changes nothing, and a no is final.

    Args:
        secret: the one in the mail.
    Raises:
        NotFoundError: there is no such question, or it was erased (code "question-unknown").
        ConflictError: it is over (code "question-over"), or was answered with no ("question-denied").
    """
    row = _there(locks.one_or_none(session, Confirmation, Confirmation.mail_sha256 == _sha256(secret)))
    given = "yes" if yes else "no"
    if row.answer == given:
        return
    if not _is_open(row, session.get_one(Credential, row.credential_id), now):
        raise ConflictError("question-over", OVER)
    if row.answer == "no":
        raise ConflictError("question-denied", DENIED)
    row.answer, row.answered_at = given, now


def to_be_mailed(session: OrmSession, row: Confirmation, now: datetime) -> ShownConfirmation | None:
    """Return the question to be mailed; None where nothing is left to ask."""
    shown = _shown_confirmation(session, row, now)
    return shown if shown.state == "waiting" else None


def link(runtime: Runtime, row: Confirmation) -> str:
    """Return the link for the recipient's mail.

    Raises:
        CustodyError: the secret cannot be unlocked.
    """
    secret = runtime.custody.unlock(row.mail_secret, _name(row)).decode()
    return f"{runtime.settings.base_url}/confirm/{secret}"


def forget_old(runtime: Runtime, go_on: GoOn = to_the_end) -> int:
    """Erase the questions that closed some days ago, with their messages.

    Return how many.
    """
    old = Confirmation.expires_at < runtime.now() - KEPT_FOR
    count = 0
    while go_on():
        with runtime.database.read() as session:
            found = session.scalars(select(Confirmation.id).where(old).limit(BATCH)).all()
        if not found:
            break
        with runtime.database.write() as session:
            session.execute(delete(Confirmation).where(Confirmation.id.in_(found)))
        count += len(found)
    return count


def state_of(row: Confirmation, credential: Credential, now: datetime) -> ConfirmationState:
    """Return the state of a question; the state of the badge takes precedence."""
    if credential.revoked_at is not None:
        return "revoked"
    if credential.visibility == "private":
        return "private"
    if credential.suspended_at is not None:
        return "suspended"
    if row.answer is not None:
        return "confirmed" if row.answer == "yes" else "denied"
    return "waiting" if now < row.expires_at else "expired"


def _is_open(row: Confirmation, credential: Credential, now: datetime) -> bool:
    return now < row.expires_at and state_of(row, credential, now) in {"waiting", "confirmed", "denied"}


def _credential_at(session: OrmSession, runtime: Runtime, url: object) -> Credential | None:
    """Return the credential at an address of ours, in any of its forms, unless it is private."""
    try:
        path = urlsplit(url).path if isinstance(url, str) and addresses.is_ours(runtime.settings, url) else ""
    except ValueError:  # not an address at all
        return None
    match = re.fullmatch(r"/credentials/([0-9a-f]{32})(\.(json|jwt|png|svg|html))?", path)
    row = session.get(Credential, match[1]) if match else None
    return None if row is None or row.visibility == "private" else row


def _recipient(session: OrmSession, credential: Credential) -> Recipient:
    member_id = session.get_one(Award, credential.award_id).member_id
    return unsigned.recipients(session, [member_id])[member_id]


def _turn(session: WriteSession, credential: Credential, recipient: Recipient, now: datetime) -> datetime:
    """Return when the mail may be sent, so that no day exceeds the limits.

    Raises:
        TooManyRequestsError: not within `LONGEST_WAIT`.
    """
    limits: tuple[tuple[int, ColumnElement[bool]], ...] = (
        (MAILS_A_DAY, Confirmation.credential_id == credential.id),
        (MAILS_TO_ONE_A_DAY, (Identity.kind == "email") & (Identity.value == recipient.email)),
    )
    turn = now
    for most, where in limits:
        mails = select(Confirmation.mail_at).join(Identity, Identity.id == Confirmation.identity_id).where(where)
        last = session.scalar(mails.order_by(Confirmation.mail_at.desc()).offset(most - 1).limit(1))
        turn = turn if last is None else max(turn, last + DAY)
    if turn - now > LONGEST_WAIT:
        wait = int((turn - now - LONGEST_WAIT).total_seconds())
        raise TooManyRequestsError("asked-too-often", TOO_OFTEN, details={"retry_after_seconds": wait})
    return turn


def _found(session: OrmSession, where: ColumnElement[bool]) -> Confirmation:
    return _there(session.scalar(select(Confirmation).where(where)))


def _there(row: Confirmation | None) -> Confirmation:
    if row is None:
        raise NotFoundError("question-unknown", NO_QUESTION)
    return row


def _shown_confirmation(session: OrmSession, row: Confirmation, now: datetime) -> ShownConfirmation:
    credential = session.get_one(Credential, row.credential_id)
    network = session.get_one(Network, credential.network_id)
    award = session.get_one(Award, credential.award_id)
    version = session.get_one(AchievementVersion, award.achievement_version_id)
    return ShownConfirmation(
        state_of(row, credential, now),
        row.code,
        issuers.marked(network, version.name),
        issuers.marked(network, network.name),
        credential.id,
        network.sandbox,
        row.asked_at,
        row.answered_at,
        row.expires_at,
        row.expires_at + KEPT_FOR,
        _is_open(row, credential, now),
    )


def _new_code() -> str:
    """Return a code for people to compare: three letters and three digits."""
    letters, digits = ("".join(secrets.choice(each) for _ in range(3)) for each in (LETTERS, DIGITS))
    return f"{letters}-{digits}"


def _name(row: Confirmation) -> str:
    """Return the name under which a mail's secret is locked: it opens for no other question."""
    return f"confirmation {row.id}"


def _sha256(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
