"""Mails to people whose badges a compromised key has signed."""

from email.message import EmailMessage

from service.issuing import reissuing, unsigned
from service.notifications.letters import closings
from service.notifications.letters.addressing import from_network, subject
from service.notifications.letters.recipients import addressees
from service.notifications.letters.wording import named
from service.notifications.letters.writing import Letter, Links, Said, write
from service.runtime.runtime import Runtime
from service.storage.database import ReadSession
from service.tables import Key, Message, Network
from service.texts.languages import N_

SUBJECT = N_("Your badges of %(network)s: please download them again")
HELLO = N_("Hello,")
COMPROMISED = N_(
    "Somebody else may have had a key with which %(network)s signs badges. You did nothing wrong, and you keep what you "
    "have earned."
)
REISSUED = N_(
    "These badges were signed again with another key. Their links are the same as before. Older copies may no "
    "longer be accepted. Please download the badges again, and replace any copies that you have sent or uploaded."
)
LOOKED_INTO = N_(
    "These badges were signed at a time when someone else may have had the key. They are suspended until a person "
    "at %(network)s has looked at each of them. You will get an email then."
)


def render(session: ReadSession, runtime: Runtime, message: Message) -> EmailMessage | None:
    """Return the mail that tells somebody what became of their badges after a key was compromised.

    One mail is about all badges of the person. None if there is no address, or nothing left to tell.
    """
    assert message.member_id is not None  # it was queued with one
    key, network = session.get_one(Key, message.key_id), session.get_one(Network, message.network_id)
    recipient = addressees(session, [message.member_id]).get(message.member_id)
    badges = reissuing.badges_of_person(session, message.member_id, key)
    if recipient is None or not badges:
        return None
    language, name = recipient.language_in(network), named(network.name)
    parts: list[Said | Links] = [Said(language.gettext(text, network=name)) for text in (HELLO, COMPROMISED)]
    for text, suspended in ((REISSUED, False), (LOOKED_INTO, True)):
        rows = [
            (named(badge), unsigned.credential_url(runtime.settings, row.id))
            for row, badge in badges
            if (row.suspended_at is not None) == suspended
        ]
        parts += [Said(language.gettext(text, network=name)), Links(rows)] if rows else []
    mail = from_network(runtime, message, network, recipient.address, message.due_at, language)
    mail["Subject"] = subject(network, language, SUBJECT, network=network.name)
    title = language.gettext(SUBJECT, network=name)
    return write(mail, Letter(language, name, title, parts, [closings.whom_to_ask(network, language)]))
