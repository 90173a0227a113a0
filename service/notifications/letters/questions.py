"""Mails that ask recipients whether a badge is theirs."""

from email.message import EmailMessage

from service.checking import confirmations
from service.notifications.letters.addressing import from_service, language_of
from service.notifications.letters.wording import named
from service.runtime.runtime import Runtime
from service.storage.database import ReadSession
from service.tables import Confirmation, Identity, Message, Network
from service.texts.languages import N_

SUBJECT = N_("Is the badge “%(badge)s” yours? Reference %(code)s")
QUESTION = N_(
    """\
Hello,

Someone has been given the badge “%(badge)s” of %(issuer)s, and asks whether it is yours.

Reference: %(code)s

Did you give it to someone recently, for example with an application? Open this page and press Yes:

%(link)s

The person who asks has the same reference, and may ask you for it. Do not tell it to anyone else.

If you did not give the badge to anyone, press No on that page or do nothing: only Yes confirms anything. We do not \
tell anyone your address. You can answer for a week."""
)


def render(session: ReadSession, runtime: Runtime, message: Message) -> EmailMessage | None:
    """Return the mail that asks a recipient whether a badge is theirs.

    None if the question is no longer open. The mail is text only: a scanner presses a button, and a forger copies
    its picture. It has no Reply-To: the reference is for the one who asks.
    """
    row = session.get_one(Confirmation, message.confirmation_id)
    asked = confirmations.to_be_mailed(session, row, runtime.now())
    if asked is None:
        return None
    language = language_of(session.get_one(Network, message.network_id))
    mail = from_service(runtime, message, session.get_one(Identity, row.identity_id).value, row.asked_at)
    names = {"badge": named(asked.badge), "issuer": named(asked.issuer), "code": asked.code}
    mail["Subject"] = language.gettext(SUBJECT, **names)
    mail.set_content(language.gettext(QUESTION, **names, link=confirmations.link(runtime, row)) + "\n")
    mail["Content-Language"] = language.code
    return mail
