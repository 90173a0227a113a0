"""Mails to networks about their webhooks."""

from email.message import EmailMessage
from urllib.parse import urlsplit

from service.notifications.letters.addressing import addressed
from service.runtime.runtime import Runtime
from service.storage.database import ReadSession
from service.tables import Message, Network, Webhook


def render(session: ReadSession, runtime: Runtime, message: Message) -> EmailMessage | None:
    """Return the mail that tells a network about a disabled webhook.

    None if the webhook is active again, or the network has no e-mail address.
    """
    webhook = session.get_one(Webhook, message.webhook_id)
    network = session.get_one(Network, message.network_id)
    if network.email is None or webhook.disabled_at is None:
        return None
    host = urlsplit(webhook.url).hostname  # the rest of the address can contain a secret
    why = "it answered that it is gone (410)" if webhook.disabled_for == "gone" else "it has taken nothing for days"
    mail = addressed(runtime, message, network.email, webhook.disabled_at)
    mail["Subject"] = f"A webhook of {network.name} was disabled"
    mail.set_content(
        f"Hello,\n\nnothing is sent any more to the webhook {webhook.id} of {network.name} at {host}: {why}.\n\n"
        "Nothing is lost: once it is made active again it is sent what it has missed, in order.\n"
    )
    return mail
