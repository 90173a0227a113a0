"""Find the words for a message that is sent now."""

from email.message import EmailMessage

from service.notifications.letters import badges, cases, compromises, questions, webhooks
from service.runtime.runtime import Runtime
from service.storage.database import ReadSession
from service.tables import Message


def render(session: ReadSession, runtime: Runtime, message: Message) -> EmailMessage | None:
    """Return the message as a mail.

    None if there is nobody to write to, or no longer anything to tell.
    """
    of = {"webhook": webhooks, "case": cases, "question": questions, "key": compromises}.get(message.kind, badges)
    return of.render(session, runtime, message)
