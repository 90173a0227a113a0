"""Whether a badge is theirs, asked of the person to whom it was issued: one question, one mail, two pages.

Somebody was given a badge and cannot tell whether it belongs to whoever gave it. They ask here; whoever reads the mail
of its recipient answers, and the asker's page turns. Nothing is kept of who asked.

1. A yes says that the recipient gave the badge to somebody. The code makes it the asker: it stands on the asker's page
   and in the mail, so that a candidate who can say it has read the mail. Each asker has a question, a code and a mail
   of their own: shared, the yes that one asker is given would also be the answer to whom a thief gave the same badge.
2. Anybody may ask as often as they like, so mails have their limits: a badge and an address get so many a day. What is
   beyond waits its turn, and what would wait too long is refused. One open question for a badge would do it too, but
   whoever asked first could keep everybody else out for a week, and would learn that somebody else is asking.
3. The link in the mail is an address that anything may fetch: only a POST answers. Its secret is drawn with the question
   and locked by custody until the mail is written: drawn with the mail, the second copy of a mail that is sent
   twice would make the first one's link a dead one; derived from a key, it could not be taken away with the row.
4. A question goes with the address that it was sent to: erased or corrected, the old mailbox answers nothing any more.
5. A private badge looks like none, since its address does to everybody. One that was revoked or is suspended must not
   be relied on, whoever it belongs to.
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
from service.public import documents
from service.runtime.runtime import Runtime
from service.signing import issuers
from service.storage import locks
from service.storage.database import ReadSession, WriteSession
from service.tables import AchievementVersion, Award, Confirmation, Credential, Identity, Network
from service.tables.identifiers import new_id
from service.texts.languages import N_

ConfirmationState = Literal["waiting", "confirmed", "denied", "expired", "revoked", "suspended", "private"]

OPEN_FOR = timedelta(days=7)
KEPT_FOR = timedelta(days=7)
"""How long the pages of a question that is over still say how it ended."""
DAY = timedelta(days=1)
MAILS_A_DAY = 3
"""About one badge."""
MAILS_TO_ONE_A_DAY = 6
"""To one address, whatever they are about."""
LONGEST_WAIT = timedelta(days=2)
"""For how long a mail may wait its turn."""
LETTERS, DIGITS = "CDFGHJKMNPRTVWXY", "23456789"
"""Of codes: nothing that looks or sounds like another one, and no vowel that would make words."""
SECRET_BYTES = 24
BATCH = 500

NO_BADGE = N_(
    "No badge of this service has this address, or its owner keeps it private. Ask the candidate for the link of the"
    " badge, or to write to you from the address to which it was issued."
)
NO_ADDRESS = N_(
    "No e-mail address is known here to which this person could be written. Ask the candidate to give you what the badge"
    " was issued to, such as their DID, or ask the issuer of the badge."
)
REVOKED = N_("The issuer took this badge back. It must not be relied on, whoever it belongs to.")
SUSPENDED = N_("The issuer is looking into this badge. Until that is decided it must not be relied on; ask again then.")
TOO_OFTEN = N_(
    "This person was asked about the badge many times in the last days and is left alone for a while. Ask the candidate"
    " to write to you from the address to which the badge was issued, or to give you that address to compare."
)
NO_QUESTION = N_("There is no question at this address, or it is over and was erased.")
OVER = N_("This question cannot be answered any more.")
DENIED = N_("This question was answered with no, which stands. Whoever wants to know can ask again.")


@dataclass(frozen=True)
class ShownConfirmation:
    """A question as its pages show it; `credential` is the identifier in the address of the badge."""

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
    """Return whether the recipient of a badge can be asked; a few look-ups.

    Args:
        url: the `id` of the credential that was checked, whatever it is.
        issuer_id: who signed that: of another's credential with the `id` of one of ours, ours would be asked about.
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
    """Ask the recipient of a badge whether it is theirs, and return the secret of the asker's page, which is not kept.

    The mail is sent after the commit, and when its turn comes.

    Args:
        url: the address of the badge, which is its `id`.
    Raises:
        NotFoundError: there is no such badge, or a private one (code "badge-unknown").
        ConflictError: it was revoked ("badge-revoked") or is suspended ("badge-suspended"), or no address of the
            recipient is known ("recipient-without-address").
        TooManyRequestsError: too many mails wait their turn (code "asked-too-often").
        CustodyError: a secret cannot be locked; nothing has changed.
    """
    row = _credential_at(session, runtime, url)
    if row is None:
        raise NotFoundError("badge-unknown", NO_BADGE)
    if row.revoked_at is not None:
        raise ConflictError("badge-revoked", REVOKED)
    if row.suspended_at is not None:
        raise ConflictError("badge-suspended", SUSPENDED)
    recipient = _recipient(session, row)
    # Two who ask at the same moment are counted one after the other. The address may be gone by the time it is held.
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
    question.mail_secret = runtime.custody.lock(mail_secret.encode(), _name(question))
    session.add(question)
    session.flush()  # before what refers to it: the rows are not related as objects
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
    """Write down what the recipient answers; the same answer again changes nothing, and a no stands.

    Args:
        secret: that of the mail.
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
    """Return the question as it is mailed; None when there is nothing to ask any more."""
    shown = _shown_confirmation(session, row, now)
    return shown if shown.state == "waiting" else None


def link(runtime: Runtime, row: Confirmation) -> str:
    """Return the address that the recipient is mailed.

    Raises:
        CustodyError: the secret cannot be unlocked.
    """
    secret = runtime.custody.unlock(row.mail_secret, _name(row)).decode()
    return f"{runtime.settings.base_url}/confirm/{secret}"


def forget_old(runtime: Runtime) -> int:
    """Erase the questions that were over some days ago, with their messages, and return how many."""
    old = Confirmation.expires_at < runtime.now() - KEPT_FOR
    count = 0
    while True:
        with runtime.database.read() as session:
            found = session.scalars(select(Confirmation.id).where(old).limit(BATCH)).all()
        if not found:
            return count
        with runtime.database.write() as session:
            session.execute(delete(Confirmation).where(Confirmation.id.in_(found)))
        count += len(found)


def state_of(row: Confirmation, credential: Credential, now: datetime) -> ConfirmationState:
    """Return what a question has come to; what has become of the badge comes first."""
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
    """Return the credential at an address of ours, unless it is private; its forms are the same one."""
    try:
        path = urlsplit(url).path if isinstance(url, str) and documents.is_ours(runtime.settings, url) else ""
    except ValueError:  # no address at all
        return None
    match = re.fullmatch(r"/credentials/([0-9a-f]{32})(\.(json|jwt|png|svg|html))?", path)
    row = session.get(Credential, match[1]) if match else None
    return None if row is None or row.visibility == "private" else row


def _recipient(session: OrmSession, credential: Credential) -> Recipient:
    member_id = session.get_one(Award, credential.award_id).member_id
    return unsigned.recipients(session, [member_id])[member_id]


def _turn(session: WriteSession, credential: Credential, recipient: Recipient, now: datetime) -> datetime:
    """Return when the mail may leave, so that no day has more of them than their limits.

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
    """Return a code that people compare: three letters and three digits."""
    letters, digits = ("".join(secrets.choice(each) for _ in range(3)) for each in (LETTERS, DIGITS))
    return f"{letters}-{digits}"


def _name(row: Confirmation) -> str:
    """Return under which name the secret of a mail is locked: it opens for no other question."""
    return f"confirmation {row.id}"


def _sha256(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
