"""Mails to networks about their webhooks."""

from email.message import EmailMessage
from urllib.parse import urlsplit

from service.notifications.letters.addressing import SERVICE, from_network, language_of, subject
from service.notifications.letters.wording import named
from service.notifications.letters.writing import Letter, Said, write
from service.runtime.runtime import Runtime
from service.storage.database import ReadSession
from service.tables import Message, Network, Webhook
from service.texts.languages import N_

SUBJECT = N_("A webhook of %(network)s was turned off")
HELLO = N_("Hello,")
GONE = N_("The webhook of %(network)s at %(host)s was turned off, because its address answers that it is gone (410).")
FAILING = N_(
    "The webhook of %(network)s at %(host)s was turned off, because its address has accepted nothing for three days."
)
NOTHING_LOST = N_(
    "Nothing is lost. Make the webhook active again, and it gets everything that it has missed, in order."
)
WHICH = N_("The webhook has the id %(id)s.")


def render(session: ReadSession, runtime: Runtime, message: Message) -> EmailMessage | None:
    """Return the mail that tells a network about a disabled webhook.

    None if the webhook is active again, or the network has no e-mail address.
    """
    webhook = session.get_one(Webhook, message.webhook_id)
    network = session.get_one(Network, message.network_id)
    if network.email is None or webhook.disabled_at is None:
        return None
    language = language_of(network)
    # The rest of the address can contain a secret.
    names = {"network": named(network.name), "host": urlsplit(webhook.url).hostname, "id": str(webhook.id)}
    why = GONE if webhook.disabled_for == "gone" else FAILING
    said = [Said(language.gettext(text, **names)) for text in (HELLO, why, NOTHING_LOST, WHICH)]
    mail = from_network(runtime, message, network, network.email, webhook.disabled_at, language)
    mail["Subject"] = subject(network, language, SUBJECT, network=network.name)
    return write(mail, Letter(language, SERVICE, language.gettext(SUBJECT, network=named(network.name)), said))
