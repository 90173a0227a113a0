"""Find the words for a message that is sent now."""

from collections.abc import Callable, Mapping
from email.message import EmailMessage

from service.notifications.letters import (
    badges,
    calls,
    cases,
    claims,
    compromises,
    guidelines,
    notices,
    questions,
    returns,
    sign_ins,
    webhooks,
)
from service.runtime.runtime import Runtime
from service.storage.database import ReadSession
from service.tables import Message

_WRITERS: Mapping[str, Callable[[ReadSession, Runtime, Message], EmailMessage | None]] = {
    "webhook": webhooks.render,
    "call": calls.render,
    "case": cases.render,
    "question": questions.render,
    "key": compromises.render,
    "sign-in": sign_ins.render,
    "return": returns.render,
    "claim": claims.render_link,
    "claimed": claims.render_claimed,
    "notice": notices.render,
    "guidelines": guidelines.render,
}


def render(session: ReadSession, runtime: Runtime, message: Message) -> EmailMessage | None:
    """Return the message as a mail.

    None if there is nobody to write to, or no longer anything to tell.
    """
    return _WRITERS.get(message.kind, badges.render)(session, runtime, message)
