"""Send the mails that wait in the outbox.

They tell educators about their credentials and cases and about compromised keys, and networks about their webhooks, and
ask recipients whether a badge is theirs (`service.checking.confirmations`). A mail is queued in the transaction of the
thing that it is about (`service.outbox.mailbox`), and written and sent afterwards.

A row holds identifiers only. Text and address are looked up when the mail is sent, so that no mail goes to an address
that was erased. A mail is sent at least once, and can be recognised: a second copy has the same file name and the same
Message-ID.
"""

import logging
import os
import smtplib
import ssl
from collections.abc import Collection
from datetime import timedelta
from email import message_from_bytes
from email.errors import MessageError
from email.message import EmailMessage
from email.policy import default as email_policy
from pathlib import Path
from urllib.parse import unquote, urlsplit
from uuid import UUID

from sqlalchemy import select

from service.errors import CustodyError
from service.notifications import mail_server
from service.notifications.letters.rendering import render
from service.runtime.runtime import Runtime
from service.runtime.settings import LOCAL_HOSTS, Settings
from service.runtime.work import GoOn, to_the_end
from service.sharing import claims
from service.storage import locks, private_files
from service.tables import Message

log = logging.getLogger(__name__)

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


def send_due(runtime: Runtime, go_on: GoOn = to_the_end) -> int:
    """Send the messages that are due, and return how many were sent.

    A message is taken in one transaction, sent outside of any, and marked in another. Several processes may do this
    at the same time.
    """
    count = 0
    while go_on() and (message_id := _take(runtime)) is not None:
        count += _send_one(runtime, message_id)
    return count


def forget_unfinished(runtime: Runtime, _go_on: GoOn = to_the_end) -> int:
    """Delete what is left of messages whose process died while it wrote them; return how many.

    Nobody may write such a message again: it is deleted with the address that it was to be sent to.
    """
    left = runtime.now() - LEASE
    parts = outbox_folder(runtime.settings).glob("*.part")
    found = [part for part in parts if part.stat().st_mtime < left.timestamp()]
    for part in found:
        part.unlink(missing_ok=True)
    return len(found)


def outbox_folder(settings: Settings) -> Path:
    """Return the folder for messages if no mail server is configured."""
    return settings.data_folder / "outbox"


def forget_mails_to(settings: Settings, addresses: Collection[str]) -> None:
    """Delete the mails to these addresses from the folder that is used if no mail server is configured."""
    if not addresses:
        return
    for path in outbox_folder(settings).glob("*.eml"):
        mail = message_from_bytes(path.read_bytes(), policy=email_policy)
        if any(each.addr_spec.lower() in addresses for each in mail["to"].addresses):
            path.unlink(missing_ok=True)


def _take(runtime: Runtime) -> UUID | None:
    """Take one message, so that none is held back for long if the service ends."""
    now = runtime.now()
    due = select(Message).where(Message.state == "queued", Message.due_at <= now)
    with runtime.database.read() as session:
        if session.scalar(due.limit(1)) is None:
            return None
    with runtime.database.write() as session:
        row = session.scalar(due.order_by(Message.due_at).limit(1).with_for_update(skip_locked=True))
        if row is None:
            return None
        row.due_at = now + LEASE
        row.attempts += 1
        return row.id


def _send_one(runtime: Runtime, message_id: UUID) -> bool:
    """Send a message that was taken, note the outcome, and return whether it was sent."""
    try:
        with runtime.database.read() as session:
            message = session.get(Message, message_id)
            if message is None:  # deleted since it was taken, with the address that it was to be sent to
                return False
            attempts, kind = message.attempts, message.kind
        if kind == "awarded":
            with runtime.database.write() as session:
                claims.with_mail(session, runtime, message_id, runtime.now())
        with runtime.database.read() as session:
            message = session.get(Message, message_id)
            mail = None if message is None else render(session, runtime, message)
        if mail is not None and runtime.settings.mail_url:
            _post(runtime, mail)
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
    private_files.make_folder(path.parent)
    private_files.close_to_others(path.parent)
    part = path.with_suffix(".part")
    try:
        part.unlink(missing_ok=True)  # of a process that died
        private_files.make_file(part)
        with part.open("wb") as file:
            file.write(mail.as_bytes())
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _post(runtime: Runtime, mail: EmailMessage) -> None:
    """Send the message by SMTP.

    A password is sent encrypted, or to this machine only.
    """
    parts = urlsplit(runtime.settings.mail_url)
    host = parts.hostname or "localhost"
    our_name = urlsplit(runtime.settings.base_url).hostname or "localhost"
    with mail_server.connected(runtime.fetcher.look_ups, parts.scheme, host, parts.port, our_name) as server:
        server.ehlo()
        encrypted = parts.scheme == "smtps"
        if not encrypted and server.has_extn("starttls"):
            server.starttls(context=ssl.create_default_context())
            encrypted = True
        if parts.username:
            if not encrypted and host not in LOCAL_HOSTS:
                raise smtplib.SMTPException("the server offers no encryption for the password")
            server.login(unquote(parts.username), unquote(parts.password or ""))
        server.send_message(mail)
