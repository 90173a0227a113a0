"""The headers that every mail has."""

from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import format_datetime
from urllib.parse import urlsplit

from service.runtime.runtime import Runtime
from service.tables import Message


def addressed(runtime: Runtime, message: Message, to: str, at: datetime) -> EmailMessage:
    """Return a mail that lacks only its subject and content."""
    mail = EmailMessage(policy=SMTP if to.isascii() else SMTPUTF8)
    mail["From"] = runtime.settings.mail_from
    mail["To"] = Address(addr_spec=to)
    mail["Date"] = format_datetime(at)
    mail["Message-ID"] = f"<{message.id}@{urlsplit(runtime.settings.base_url).hostname}>"
    mail["Auto-Submitted"] = "auto-generated"
    return mail
