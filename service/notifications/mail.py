"""Send the mails that wait in the outbox.

They tell educators about their credentials and cases and networks about their webhooks, and ask recipients whether a
badge is theirs (`service.checking.confirmations`). A mail is queued in the transaction of the thing that it is about
(`service.outbox.mailbox`), and written and sent afterwards.

A row holds identifiers only. Text and address are looked up when the mail is sent, so that no mail goes to an address
that was erased. A mail is sent at least once, and can be recognised: a second copy has the same file name and the same
Message-ID.
"""

import logging
import os
import smtplib
import ssl
from datetime import timedelta
from email.errors import MessageError
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import unquote, urlsplit
from uuid import UUID

from sqlalchemy import select

from service.errors import CustodyError
from service.notifications.letters import render
from service.runtime.runtime import Runtime
from service.runtime.settings import LOCAL_HOSTS, Settings
from service.storage import locks
from service.tables import (
    Message,
)

log = logging.getLogger(__name__)

BATCH = 20
LEASE = timedelta(minutes=10)
"""How long a message belongs to the process that took it; if that one dies, the next one takes it."""
DELAYS = (
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=8),
    timedelta(hours=24),
)
"""Delays between the attempts; after the last one the message has failed."""
SMTP_TIMEOUT_SECONDS = 30


def send_due(runtime: Runtime) -> int:
    """Send the messages that are due, and return how many were sent.

    A message is taken in one transaction, sent outside of any, and marked in another. Several processes may do this
    at the same time.
    """
    count = 0
    while taken := _take(runtime):
        for message_id in taken:
            count += _send_one(runtime, message_id)
    return count


def outbox_folder(settings: Settings) -> Path:
    """Return the folder for messages if no mail server is configured."""
    return settings.data_folder / "outbox"


def _take(runtime: Runtime) -> list[UUID]:
    now = runtime.now()
    due = select(Message).where(Message.state == "queued", Message.due_at <= now)
    with runtime.database.read() as session:
        if session.scalar(due.limit(1)) is None:
            return []
    with runtime.database.write() as session:
        rows = session.scalars(due.order_by(Message.due_at).limit(BATCH).with_for_update(skip_locked=True)).all()
        for row in rows:
            row.due_at = now + LEASE
            row.attempts += 1
        return [row.id for row in rows]


def _send_one(runtime: Runtime, message_id: UUID) -> bool:
    """Send a message that was taken, note the outcome, and return whether it was sent."""
    try:
        with runtime.database.read() as session:
            message = session.get(Message, message_id)
            if message is None:  # deleted since it was taken, with the address that it was to be sent to
                return False
            attempts = message.attempts
            mail = render(session, runtime, message)
        if mail is not None and runtime.settings.mail_url:
            _post(runtime.settings.mail_url, mail)
        elif mail is not None:
            _file(outbox_folder(runtime.settings) / f"{message_id}.eml", mail)
    except (OSError, smtplib.SMTPException, MessageError, ValueError, CustodyError) as error:
        # The answer of a mail server can contain the address: log only the kind of error.
        log.warning("message %s was not sent (attempt %d): %s", message_id, attempts, type(error).__name__)
        hopeless = _is_hopeless(error) or attempts > len(DELAYS)
        with runtime.database.write() as session:
            row = locks.one_or_none(session, Message, Message.id == message_id)
            if row is not None:
                row.state = "failed" if hopeless else "queued"
                row.due_at = row.due_at if hopeless else runtime.now() + DELAYS[attempts - 1]
        return False
    with runtime.database.write() as session:
        row = locks.one_or_none(session, Message, Message.id == message_id)
        if row is not None and mail is not None:
            row.state, row.sent_at = "sent", runtime.now()
        elif row is not None:
            session.delete(row)
    return mail is not None


def _is_hopeless(error: Exception) -> bool:
    """Return whether a further attempt cannot succeed.

    That is so if the address is malformed, or the server does not know it.
    """
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return all(code >= 500 for code, _ in error.recipients.values())
    return isinstance(error, ValueError | MessageError) and not isinstance(error, OSError)


def _file(path: Path, mail: EmailMessage) -> None:
    """Write the message whole or not at all; a second copy is the same file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    with part.open("wb") as file:
        file.write(mail.as_bytes())
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def _post(mail_url: str, mail: EmailMessage) -> None:
    """Send the message by SMTP.

    A password is sent encrypted, or to this machine only.
    """
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
