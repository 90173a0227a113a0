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
    if message.webhook_id is not None:
        return webhooks.render(session, runtime, message)
    if message.case_step_id is not None:
        return cases.render(session, runtime, message)
    if message.confirmation_id is not None:
        return questions.render(session, runtime, message)
    if message.key_id is not None:
        return compromises.render(session, runtime, message)
    return badges.render(session, runtime, message)
