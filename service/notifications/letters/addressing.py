"""The headers of mails: from whom, to whom, and where answers go."""

from datetime import datetime
from email.header import Header
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import format_datetime, parseaddr
from urllib.parse import urlsplit

from service.notifications.letters.wording import named
from service.runtime.runtime import Runtime
from service.tables import Message, Network
from service.texts.display_names import one_line
from service.texts.languages import LANGUAGES, N_, Language

MAX_SENDER = 64
SERVICE = "Laurel"
SENDER = N_("%(network)s via Laurel")
PRACTICE = N_("Practice: %(subject)s")


class _Policy(EmailPolicy):
    """The policy of mails on their way to a server.

    Subjects are folded in the older way: the newer one adds spaces where words beyond ASCII begin.
    """

    def fold(self, name: str, value: str) -> str:
        """Return a header as it is sent."""
        if name.lower() != "subject" or self.utf8 or str(value).isascii():
            return str(super().fold(name, value))
        encoded = Header(str(value), "utf-8", header_name=name).encode(linesep=self.linesep)
        return f"{name}: {encoded}{self.linesep}"

    def fold_binary(self, name: str, value: str) -> bytes:
        """Return a header as the bytes that are sent."""
        return self.fold(name, value).encode("utf-8", "surrogateescape")


def language_of(network: Network) -> Language:
    """Return the language in which a network writes."""
    return LANGUAGES[network.language]


def from_network(
    runtime: Runtime, message: Message, network: Network, to: str, at: datetime, language: Language
) -> EmailMessage:
    """Return a mail of a network that lacks only its subject and content; answers go to the network."""
    sender = language.gettext(SENDER, network=one_line(network.name, MAX_SENDER))
    mail = _addressed(runtime, message, sender, to, at)
    if network.email is not None and (address := _for_every_server(network.email)) is not None:
        mail["Reply-To"] = Address(display_name=one_line(network.name, MAX_SENDER), addr_spec=address)
    return mail


def from_service(runtime: Runtime, message: Message, to: str, at: datetime) -> EmailMessage:
    """Return a mail of the service itself that lacks only its subject and content."""
    return _addressed(runtime, message, SERVICE, to, at)


def subject(by: Network, language: Language, text: str, /, **values: str) -> str:
    """Return the subject of a network's mail; names in it are cleaned, and practice is marked."""
    said = language.gettext(text, **{name: named(value) for name, value in values.items()})
    return language.gettext(PRACTICE, subject=said) if by.sandbox else said


def _addressed(runtime: Runtime, message: Message, sender: str, to: str, at: datetime) -> EmailMessage:
    to = _for_every_server(to) or to
    mail = EmailMessage(policy=_Policy(linesep="\r\n", utf8=not to.isascii()))
    _, address = parseaddr(runtime.settings.mail_from)
    mail["From"] = Address(display_name=sender, addr_spec=address)
    mail["To"] = Address(addr_spec=to)
    mail["Date"] = format_datetime(at)
    mail["Message-ID"] = f"<{message.id}@{urlsplit(runtime.settings.base_url).hostname}>"
    mail["Auto-Submitted"] = "auto-generated"
    return mail


def _for_every_server(address: str) -> str | None:
    """Return an address in ASCII, or None if that is not possible.

    A mail with another one would be refused by servers that do not know them.
    """
    local, _, host = address.rpartition("@")
    try:
        return f"{local}@{host.encode('idna').decode()}" if local.isascii() else None
    except UnicodeError:
        return None
