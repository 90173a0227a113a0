"""Mails about the return of somebody who lost their mailbox.

They go to the old addresses, and to the new one.
"""

from email.message import EmailMessage

from service.notifications.letters.addressing import from_service, language_of
from service.notifications.letters.wording import named
from service.runtime.runtime import Runtime
from service.sharing import returning
from service.storage.database import ReadSession
from service.tables import Account, Message, Network, Return, ReturnAddress
from service.texts.languages import LANGUAGES, N_, Language

SUBJECTS = {
    "asked": N_("Somebody asks for your badges of %(network)s"),
    "soon": N_("In two days your badges of %(network)s will go to another address"),
    "waiting": N_("Two colleagues vouch for you at %(network)s"),
    "done": N_("Badges of %(network)s have a new address"),
    "over": N_("Badges of %(network)s do not get a new address"),
}
STOP = N_(
    """\
Hello,

Somebody says that they are you and have lost this mailbox. Two members of %(network)s vouch for them. If nobody stops it, your badges of %(network)s go to their new address on %(day)s.

Was that you? Then you do not need to do anything.

Was that not you? Then stop it here:

%(link)s"""
)
TEXTS = {
    "asked": STOP,
    "soon": STOP,
    "waiting": N_(
        """\
Hello,

Two members of %(network)s vouch for you. We have told your old addresses. If nobody stops it, your badges of %(network)s are yours again on %(day)s, with this address.

You do not need to do anything until then."""
    ),
    "done": N_(
        """\
Hello,

The badges of a member of %(network)s have a new address, because two members vouched and nobody stopped it for seven days. Links to the badges stay as they are.

Is that wrong? Then write to %(network)s: %(url)s"""
    ),
    "over": N_(
        """\
Hello,

The badges of %(network)s do not get a new address: it was stopped, or somebody said that it is not the person.

Questions? Ask %(network)s: %(url)s"""
    ),
}


def render(session: ReadSession, runtime: Runtime, message: Message) -> EmailMessage | None:
    """Return the mail; None if it tells of something that is over."""
    address = session.get_one(ReturnAddress, message.return_address_id)
    row, notice = session.get_one(Return, address.return_id), str(message.notice)
    if notice in {"asked", "soon", "waiting"} and row.state != "waiting":
        return None
    network = session.get_one(Network, row.network_id)
    language, base_url = _language(session, row, address, network), runtime.settings.base_url
    name = named(network.name)
    link = f"{base_url}/return/stop/{returning.secrets_of(runtime, row)[1]}" if notice in {"asked", "soon"} else ""
    mail = from_service(runtime, message, address.value, runtime.now())
    mail["Subject"] = language.gettext(SUBJECTS[notice], network=name)
    values = {"network": name, "day": language.day(row.due_at), "link": link, "url": network.url}
    mail.set_content(language.gettext(TEXTS[notice], **values) + "\n")
    mail["Content-Language"] = language.code
    return mail


def _language(session: ReadSession, row: Return, address: ReturnAddress, network: Network) -> Language:
    """Return the language of the account that has the address; without one, that of the network."""
    account_id = row.account_id if address.is_new else row.old_account_id
    account = session.get(Account, account_id) if account_id is not None else None
    chosen = account.language if account is not None else None
    return LANGUAGES.get(chosen or "") or language_of(network)
