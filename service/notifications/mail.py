"""Messages to educators about their credentials and cases, and to networks about webhooks: queued, written, sent.

Also the questions to recipients whether a badge is theirs, which `service.confirmations` queues.

They are queued with what they tell of, and written and sent afterwards.

A row holds identifiers only; text and address are looked up when it is sent, so that an erased address gets none.
Sent is at least once, and recognisable: a second copy has the same file name and the same Message-ID.
"""

import logging
import os
import smtplib
import ssl
from collections.abc import Collection
from datetime import datetime, timedelta
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import format_datetime
from html import escape
from pathlib import Path
from urllib.parse import unquote, urlsplit
from uuid import UUID

from sqlalchemy import select

from service.checking import confirmations
from service.errors import CustodyError
from service.issuing import unsigned
from service.runtime.runtime import Runtime
from service.runtime.settings import LOCAL_HOSTS, Settings
from service.signing import issuers
from service.storage.database import ReadSession, WriteSession
from service.tables import (
    AchievementVersion,
    Award,
    Case,
    CaseStep,
    Confirmation,
    Credential,
    Identity,
    Message,
    Network,
    Webhook,
)
from service.texts.languages import LANGUAGES, N_

log = logging.getLogger(__name__)

BATCH = 20
LEASE = timedelta(minutes=10)
"""For how long a message belongs to whoever took it; whoever dies with it leaves it to the next."""
DELAYS = (
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=8),
    timedelta(hours=24),
)
"""Between the attempts; after the last one the message has failed."""
SMTP_TIMEOUT_SECONDS = 30

WHAT_IT_IS = (
    "It is an Open Badge: a signed record of what you did, on which evidence, and who says so. Anybody can check it "
    "there, without an account, and nobody can change it unnoticed."
)
HOW_TO_SHARE = (
    "To share it, pass on the link, or download the badge from its page and put it into your portfolio, CV or badge "
    "wallet. Nobody finds the page who does not have the link, and your name and address do not stand on it."
)

STEPS = {
    "opened": "something was contested",
    "statement": "somebody said something",
    "assigned": "somebody was asked to mediate",
    "left": "the mediator left, and another one is asked for",
    "escalated": "somebody else is to decide now",
    "overdue": "nobody has decided in time; it stays open until somebody does",
    "withdrawn": "what was contested was taken back",
}
"""What a message says of each kind of step but the last."""
OUTCOMES = {
    "upheld": "it was decided: what was decided before stands",
    "overturned": "it was decided: what was decided before does not stand",
}
"""What it says of how a case ended."""

QUESTION = N_(
    """\
Hello,

somebody who was given the badge “%(badge)s” of %(issuer)s asks whether it is yours.

Reference: %(code)s

If you gave it to somebody lately, for example with an application, open this page and press Yes:

%(link)s

Whoever asks has the same reference and may ask you for it: tell it to nobody else. If you gave the badge to nobody, \
press No there, or do nothing: only Yes confirms anything. They are not told your address. The page is open for a week."""
)
"""Sent in every language, for nothing says which one the recipient reads."""


def queue(session: WriteSession, network: Network, credential: Credential, now: datetime) -> None:
    """Add the message that tells the educator of a credential; it is sent after the commit, not here."""
    session.add(Message(network_id=network.id, credential_id=credential.id, due_at=now))


def queue_step(session: WriteSession, network_id: UUID, step: CaseStep, member_ids: Collection[UUID]) -> None:
    """Add the messages that tell these members of a step of a case; whoever left the case meanwhile gets none."""
    for member_id in sorted(member_ids):
        session.add(Message(network_id=network_id, case_step_id=step.id, member_id=member_id, due_at=step.at))


def send_due(running: Runtime) -> int:
    """Send the messages whose time has come, and return how many were sent. Safe beside others that do the same.

    A message is taken in one transaction, sent outside of any, and marked in another.
    """
    count = 0
    while taken := _take(running):
        for message_id in taken:
            count += _send_one(running, message_id)
    return count


def outbox_folder(settings: Settings) -> Path:
    """Return where messages lie when no mail server is configured."""
    return settings.data_folder / "outbox"


def render(session: ReadSession, running: Runtime, message: Message) -> EmailMessage | None:
    """Return the message as mail; None when there is nobody to write to, or nothing to tell any more."""
    if message.webhook_id is not None:
        return _of_webhook(session, running, message)
    if message.case_step_id is not None:
        return _of_case(session, running, message)
    if message.confirmation_id is not None:
        return _of_confirmation(session, running, message)
    credential = session.get_one(Credential, message.credential_id)
    award = session.get_one(Award, credential.award_id)
    recipient = unsigned.recipients(session, [award.member_id]).get(award.member_id)
    if recipient is None or recipient.email is None or not _stands(credential):
        return None
    network = session.get_one(Network, message.network_id)
    version = session.get_one(AchievementVersion, award.achievement_version_id)
    link = unsigned.credential_url(running.settings, credential.id)
    badge, sender = issuers.marked(network, version.name), network.name
    mail = _addressed(running, message, recipient.email, award.decided_at)
    mail["Subject"] = f"{sender} has awarded you the badge “{badge}”"
    paragraphs = _paragraphs(badge, sender, link, test=network.sandbox)
    mail.set_content("\n\n".join(text for text, _ in paragraphs) + "\n")
    body = "".join(f"<p>{html}</p>" for _, html in paragraphs)
    mail.add_alternative(f'<!doctype html><html lang="en"><body>{body}</body></html>', subtype="html")
    return mail


def _of_webhook(session: ReadSession, running: Runtime, message: Message) -> EmailMessage | None:
    """Return the mail that tells a network of a disabled webhook; None if it is active again, or has no address."""
    webhook = session.get_one(Webhook, message.webhook_id)
    network = session.get_one(Network, message.network_id)
    if network.email is None or webhook.disabled_at is None:
        return None
    host = urlsplit(webhook.url).hostname  # what stands behind it can be a secret
    why = "it answered that it is gone (410)" if webhook.disabled_for == "gone" else "it has taken nothing for days"
    mail = _addressed(running, message, network.email, webhook.disabled_at)
    mail["Subject"] = f"A webhook of {network.name} was disabled"
    mail.set_content(
        f"Hello,\n\nnothing is sent any more to the webhook {webhook.id} of {network.name} at {host}: {why}.\n\n"
        "Nothing is lost: once it is made active again it is sent what it has missed, in order.\n"
    )
    return mail


def _of_case(session: ReadSession, running: Runtime, message: Message) -> EmailMessage | None:
    """Return the mail that tells somebody in a case of a step, never what was said in it."""
    step = session.get_one(CaseStep, message.case_step_id)
    row = session.get_one(Case, step.case_id)
    if message.member_id is None or message.member_id not in (row.member_id, row.respondent_id, row.mediator_id):
        return None
    recipient = unsigned.recipients(session, [message.member_id]).get(message.member_id)
    if recipient is None or recipient.email is None:
        return None
    network = session.get_one(Network, row.network_id)
    badge = issuers.marked(network, session.get_one(AchievementVersion, row.achievement_version_id).name)
    mail = _addressed(running, message, recipient.email, step.at)
    mail["Subject"] = f"The case about the badge “{badge}” of {network.name}"
    happened = STEPS.get(step.kind) or OUTCOMES[str(row.outcome)]
    mail.set_content(
        f"Hello,\n\nin the case {row.id} about the badge “{badge}” of {network.name} {happened}.\n\n"
        "What is said in a case is seen by those who have a part in it, and does not stand in messages. "
        f"Where you see it, {network.name} can tell you: {network.url}\n"
    )
    return mail


def _of_confirmation(session: ReadSession, running: Runtime, message: Message) -> EmailMessage | None:
    """Return the mail that asks a recipient whether a badge is theirs; None if that is not open any more.

    As text only: a picture of a button is what a scanner presses, and what a forger copies.
    """
    row = session.get_one(Confirmation, message.confirmation_id)
    asked = confirmations.to_be_mailed(session, row, running.now())
    if asked is None:
        return None
    mail = _addressed(running, message, session.get_one(Identity, row.identity_id).value, row.asked_at)
    mail["Subject"] = f"Is the badge “{asked.badge}” yours? Reference {asked.code}"
    said = {"badge": asked.badge, "issuer": asked.issuer, "code": asked.code, "link": confirmations.link(running, row)}
    mail.set_content("\n\n* * *\n\n".join(language.gettext(QUESTION, **said) for language in LANGUAGES.values()) + "\n")
    return mail


def _addressed(running: Runtime, message: Message, to: str, at: datetime) -> EmailMessage:
    """Return a mail with everything but its subject and content."""
    mail = EmailMessage(policy=SMTP if to.isascii() else SMTPUTF8)
    mail["From"] = running.settings.mail_from
    mail["To"] = Address(addr_spec=to)
    mail["Date"] = format_datetime(at)
    mail["Message-ID"] = f"<{message.id}@{urlsplit(running.settings.base_url).hostname}>"
    mail["Auto-Submitted"] = "auto-generated"
    return mail


def _stands(credential: Credential) -> bool:
    return credential.revoked_at is None and credential.suspended_at is None


def _paragraphs(badge: str, sender: str, link: str, *, test: bool) -> list[tuple[str, str]]:
    """Return the message as text and as HTML, paragraph by paragraph."""
    texts = [
        "Hello,",
        *(["This is a TEST: the badge is for trying things out, and says so."] if test else []),
        f"{sender} has awarded you the badge “{badge}”. This is its page:",
        link,
        WHAT_IT_IS,
        HOW_TO_SHARE,
        f"If you think that this badge is not yours, please tell {sender}.",
    ]
    anchor = f'<a href="{escape(link)}">{escape(link)}</a>'
    return [(text, anchor if text == link else escape(text)) for text in texts]


def _take(running: Runtime) -> list[UUID]:
    now = running.now()
    due = select(Message).where(Message.state == "queued", Message.due_at <= now)
    with running.database.read() as session:
        if session.scalar(due.limit(1)) is None:
            return []
    with running.database.write() as session:
        rows = session.scalars(due.order_by(Message.due_at).limit(BATCH).with_for_update(skip_locked=True)).all()
        for row in rows:
            row.due_at = now + LEASE
            row.attempts += 1
        return [row.id for row in rows]


def _send_one(running: Runtime, message_id: UUID) -> bool:
    """Send a message that was taken, note what became of it, and return whether it was sent."""
    try:
        with running.database.read() as session:
            message = session.get(Message, message_id)
            if message is None:  # gone since it was taken, with the address that it was to be sent to
                return False
            attempts = message.attempts
            mail = render(session, running, message)
        if mail is not None and running.settings.mail_url:
            _post(running.settings.mail_url, mail)
        elif mail is not None:
            _file(outbox_folder(running.settings) / f"{message_id}.eml", mail)
    except (OSError, smtplib.SMTPException, MessageError, ValueError, CustodyError) as error:
        # What a mail server answers can hold the address: only the kind of error is logged.
        log.warning("message %s was not sent (attempt %d): %s", message_id, attempts, type(error).__name__)
        hopeless = _is_hopeless(error) or attempts > len(DELAYS)
        with running.database.write() as session:
            row = _held(session, message_id)
            if row is not None:
                row.state = "failed" if hopeless else "queued"
                row.due_at = row.due_at if hopeless else running.now() + DELAYS[attempts - 1]
        return False
    with running.database.write() as session:
        row = _held(session, message_id)
        if row is not None and mail is not None:
            row.state, row.sent_at = "sent", running.now()
        elif row is not None:
            session.delete(row)
    return mail is not None


def _held(session: WriteSession, message_id: UUID) -> Message | None:
    """Return a message, held until the commit; None where it went while it was being sent."""
    return session.get(Message, message_id, with_for_update=True)


def _is_hopeless(error: Exception) -> bool:
    """Return whether no further attempt will change it: an address that is none, or that the server has not got."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return all(code >= 500 for code, _ in error.recipients.values())
    return isinstance(error, ValueError | MessageError) and not isinstance(error, OSError)


def _file(path: Path, mail: EmailMessage) -> None:
    """Write the message whole or not at all; a second time it is the same file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    with part.open("wb") as file:
        file.write(mail.as_bytes())
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def _post(mail_url: str, mail: EmailMessage) -> None:
    """Send the message by SMTP; a password travels encrypted, or to this machine only."""
    parts = urlsplit(mail_url)
    host, secure = parts.hostname or "localhost", ssl.create_default_context()
    if parts.scheme == "smtps":
        server: smtplib.SMTP = smtplib.SMTP_SSL(host, parts.port or 465, timeout=SMTP_TIMEOUT_SECONDS, context=secure)
    else:
        server = smtplib.SMTP(host, parts.port or 587, timeout=SMTP_TIMEOUT_SECONDS)
    with server:
        server.ehlo()
        encrypted = parts.scheme == "smtps"
        if not encrypted and server.has_extn("starttls"):
            server.starttls(context=secure)
            encrypted = True
        if parts.username:
            if not encrypted and host not in LOCAL_HOSTS:
                raise smtplib.SMTPException("the server offers no encryption for the password")
            server.login(unquote(parts.username), unquote(parts.password or ""))
        server.send_message(mail)
