"""Mails to people who have applied to a call of a network."""

from email.message import EmailMessage
from typing import Final
from urllib.parse import quote

from sqlalchemy import select

from service.notifications.letters import closings
from service.notifications.letters.addressing import from_network, subject
from service.notifications.letters.recipients import Addressee, addressees
from service.notifications.letters.wording import named
from service.notifications.letters.writing import Button, Letter, Said, write
from service.runtime.runtime import Runtime
from service.storage.database import ReadSession
from service.tables import Account, AccountAddress, Call, CallApplication, Message, Network
from service.texts.languages import N_

SUBJECT: Final = N_("News about your application: %(call)s")
HELLO: Final = N_("Hello,")
ABOUT: Final = N_("You applied to the call “%(call)s” of %(network)s.")
DECIDED: Final = {
    "accepted": N_("You were accepted."),
    "waiting": N_("You are on the waiting list."),
    "declined": N_("You were not chosen. A person decided so, and gave a reason."),
}
"""What a mail says of each decision."""
ANSWERED: Final = N_("The network has answered your question.")
HERE: Final = N_(
    "This email does not repeat what people wrote. Sign in to read it. If you were not chosen, or are on the waiting list, you "
    "can ask why there."
)
ELSEWHERE: Final = N_("This email does not repeat what people wrote. Ask %(network)s: %(url)s")
SEE: Final = N_("See your application")


def render(session: ReadSession, runtime: Runtime, message: Message) -> EmailMessage | None:
    """Return the mail about a decision or an answer, without what people wrote.

    None if there is no address, or the applicant has withdrawn.
    """
    row = session.get_one(CallApplication, message.call_application_id)
    recipient = _addressee(session, row)
    happened = ANSWERED if message.notice == "answered" else DECIDED.get(row.state)
    if recipient is None or happened is None:
        return None
    call, network = session.get_one(Call, row.call_id), session.get_one(Network, row.network_id)
    language, title = recipient.language_in(network), named(call.title)
    names = {"call": title, "network": named(network.name), "url": network.url}
    parts: list[Said | Button] = [Said(language.gettext(text, **names)) for text in (HELLO, ABOUT, happened)]
    if recipient.signs_in:
        own = f"/my-badges/members/{row.member_id}/calls" if row.member_id else f"/calls/{network.slug}"
        page = f"{runtime.settings.base_url}{own}/{quote(call.ref, safe='')}"
        parts += [Said(language.gettext(HERE)), Button(language.gettext(SEE), page)]
    else:
        parts.append(Said(language.gettext(ELSEWHERE, **names), network.url))
    mail = from_network(runtime, message, network, recipient.address, message.due_at, language)
    mail["Subject"] = subject(network, language, SUBJECT, call=call.title)
    closing = [closings.whom_to_ask(network, language)]
    return write(mail, Letter(language, named(network.name), title, parts, closing))


def _addressee(session: ReadSession, row: CallApplication) -> Addressee | None:
    """Return who is written to: the member, or the account of a person who is none."""
    if row.member_id is not None:
        return addressees(session, [row.member_id]).get(row.member_id)
    query = (
        select(AccountAddress.value, Account.language)
        .join(Account, Account.id == AccountAddress.account_id)
        .where(Account.id == row.account_id, AccountAddress.kept)
    )
    found = session.execute(query).one_or_none()
    return None if found is None else Addressee(found[0], found[1], signs_in=True)
