"""Mails to people whose badges a compromised key has signed."""

from email.message import EmailMessage

from service.issuing import reissuing, unsigned
from service.notifications.letters.addressing import addressed
from service.runtime.runtime import Runtime
from service.signing import issuers
from service.storage.database import ReadSession
from service.tables import Key, Message, Network
from service.texts.languages import LANGUAGES, N_

COMPROMISED_SUBJECT = N_("Your badges of %(issuer)s: please download them again")
COMPROMISED = N_(
    """\
Hello,

somebody else may have had a key with which %(issuer)s signs badges. You did nothing wrong, and what you have earned \
stays yours."""
)
REISSUED = N_(
    """\
These badges were signed again with another key. Their addresses are the same as before. Older copies may not be \
accepted any more: please download the badges again, and replace copies that you have given away or uploaded."""
)
LOOKED_INTO = N_(
    """\
These badges were signed at a time when somebody else may have had the key. Until a person at %(issuer)s has looked at \
each of them they are suspended."""
)
"""What a mail about a compromised key says, in every language because we do not know which one the recipient reads."""


def render(session: ReadSession, runtime: Runtime, message: Message) -> EmailMessage | None:
    """Return the mail that tells somebody what became of their badges after a key was compromised.

    One mail is about all badges of the person. None if there is no address, or nothing left to tell.
    """
    assert message.member_id is not None  # it was queued with one
    key, network = session.get_one(Key, message.key_id), session.get_one(Network, message.network_id)
    recipient = unsigned.recipients(session, [message.member_id]).get(message.member_id)
    badges = reissuing.badges_of_person(session, message.member_id, key)
    if recipient is None or recipient.email is None or not badges:
        return None
    mail = addressed(runtime, message, recipient.email, message.due_at)
    said = {"issuer": issuers.marked(network, network.name)}
    mail["Subject"] = " / ".join(language.gettext(COMPROMISED_SUBJECT, **said) for language in LANGUAGES.values())
    lists: dict[str, list[str]] = {REISSUED: [], LOOKED_INTO: []}
    for row, name in badges:
        address = unsigned.credential_url(runtime.settings, row.id)
        lists[REISSUED if row.suspended_at is None else LOOKED_INTO].append(f"{name}: {address}")
    letters = []
    for language in LANGUAGES.values():
        parts = [language.gettext(COMPROMISED, **said)]
        for text, lines in lists.items():
            parts += [language.gettext(text, **said), *lines] if lines else []
        letters.append("\n\n".join(parts))
    mail.set_content("\n\n* * *\n\n".join(letters) + "\n")
    return mail
