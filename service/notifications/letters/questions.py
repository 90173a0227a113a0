"""Mails that ask recipients whether a badge is theirs."""

from email.message import EmailMessage

from service.checking import confirmations
from service.notifications.letters.addressing import addressed
from service.runtime.runtime import Runtime
from service.storage.database import ReadSession
from service.tables import Confirmation, Identity, Message
from service.texts.languages import LANGUAGES, N_

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
"""The question, sent in every language because we do not know which one the recipient reads."""


def render(session: ReadSession, runtime: Runtime, message: Message) -> EmailMessage | None:
    """Return the mail that asks a recipient whether a badge is theirs.

    None if the question is no longer open. The mail is text only: a scanner presses a button, and a forger copies
    its picture.
    """
    row = session.get_one(Confirmation, message.confirmation_id)
    asked = confirmations.to_be_mailed(session, row, runtime.now())
    if asked is None:
        return None
    mail = addressed(runtime, message, session.get_one(Identity, row.identity_id).value, row.asked_at)
    mail["Subject"] = f"Is the badge “{asked.badge}” yours? Reference {asked.code}"
    said = {"badge": asked.badge, "issuer": asked.issuer, "code": asked.code, "link": confirmations.link(runtime, row)}
    mail.set_content("\n\n* * *\n\n".join(language.gettext(QUESTION, **said) for language in LANGUAGES.values()) + "\n")
    return mail
