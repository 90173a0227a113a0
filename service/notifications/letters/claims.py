"""Mails about claims: the link once more, and that it was used or undone."""

from email.message import EmailMessage

from service.notifications.letters import closings
from service.notifications.letters.addressing import from_network, language_of, subject
from service.notifications.letters.wording import named
from service.notifications.letters.writing import Button, Facts, Letter, Part, Said, write
from service.runtime.runtime import Runtime
from service.sharing import claims, unclaiming
from service.storage.database import ReadSession
from service.tables import Account, AccountAddress, Claim, Member, Message, Network
from service.texts.languages import LANGUAGES, N_

HELLO = N_("Hello,")
LINK_SUBJECT = N_("Claim your badges of %(network)s")
LINK = N_("%(network)s has awarded you badges. Use this link to put your name on them, hide them or share them.")
FOR_YOU = N_("The link is only for you: do not forward it. It works once, until %(day)s.")
CLAIM = N_("Claim your badges")
CLAIMED_SUBJECT = N_("Your badges of %(network)s were claimed")
CLAIMED = N_(
    "Somebody opened the link that %(network)s sent to this address, and claimed the badges. They can put a name "
    "on them, hide them or share them."
)
THAT_WAS_ME = N_("If that was you, you do not need to do anything.")
NOT_ME = N_(
    "If it was not you, somebody else has read the email. You can undo it until %(day)s: then the badges and "
    "your address are removed from that account."
)
WHEN = N_("Claimed on")
UNDO = N_("That was not me")
UNDONE_SUBJECT = N_("%(network)s has undone a claim of yours")
UNDONE = N_(
    "You claimed badges of %(network)s with a code on paper. The network says that the code was not for you. So the badges "
    "are no longer in your account."
)
REASON = N_("Reason")


def render_link(session: ReadSession, runtime: Runtime, message: Message) -> EmailMessage | None:
    """Return the mail that sends the link of a claim again; None if it does not work any more."""
    member, network = _about(session, message)
    now = runtime.now()
    address, link = claims.address_of(session, member), claims.mailed(session, runtime, member, now)
    row = claims.open_claim(session, member.id, now)
    if address is None or link is None or row is None or row.id != message.claim_id:
        return None
    language, name = language_of(network), named(network.name)
    mail = from_network(runtime, message, network, address, now, language)
    mail["Subject"] = subject(network, language, LINK_SUBJECT, network=network.name)
    parts: list[Part] = [
        Said(language.gettext(HELLO)),
        Said(language.gettext(LINK, network=name)),
        Button(language.gettext(CLAIM), f"{runtime.settings.base_url}/claim/{link}"),
        Said(language.gettext(FOR_YOU, day=language.day(row.expires_at))),
    ]
    title = language.gettext(LINK_SUBJECT, network=name)
    closing = [closings.whom_to_ask(network, language)]
    return write(mail, Letter(language, sender=name, title=title, parts=parts, closing=closing))


def render_claimed(session: ReadSession, runtime: Runtime, message: Message) -> EmailMessage | None:
    """Return the mail that tells an address that its link was used, and how to undo that; None if it was undone.

    With a notice it is the one that tells that the network undid it.
    """
    if message.notice == "undone":
        return _undone(session, runtime, message)
    _, network = _about(session, message)
    row = session.get_one(Claim, message.claim_id)
    address, back = unclaiming.told_address(session, row), unclaiming.back_secret(runtime, row)
    if address is None or back is None or row.used_at is None:
        return None
    language, name = language_of(network), named(network.name)
    mail = from_network(runtime, message, network, address, row.used_at, language)
    mail["Subject"] = subject(network, language, CLAIMED_SUBJECT, network=network.name)
    last_day = language.day(row.used_at + unclaiming.BACK_FOR)
    parts: list[Part] = [
        Said(language.gettext(HELLO)),
        Said(language.gettext(CLAIMED, network=name)),
        Facts([(language.gettext(WHEN), language.day(row.used_at))]),
        Said(language.gettext(THAT_WAS_ME)),
        Said(language.gettext(NOT_ME, day=last_day)),
        Button(language.gettext(UNDO), f"{runtime.settings.base_url}/claim/undo/{back}"),
    ]
    title = language.gettext(CLAIMED_SUBJECT, network=name)
    closing = [closings.whom_to_ask(network, language)]
    return write(mail, Letter(language, sender=name, title=title, parts=parts, closing=closing))


def _undone(session: ReadSession, runtime: Runtime, message: Message) -> EmailMessage:
    """Return the mail, in the language of the account."""
    _, network = _about(session, message)
    row = session.get_one(Claim, message.claim_id)
    address = session.get_one(AccountAddress, message.account_address_id)
    account = session.get_one(Account, address.account_id)
    language = LANGUAGES.get(account.language or "") or language_of(network)
    name = named(network.name)
    mail = from_network(runtime, message, network, address.value, message.due_at, language)
    mail["Subject"] = subject(network, language, UNDONE_SUBJECT, network=network.name)
    parts: list[Part] = [
        Said(language.gettext(HELLO)),
        Said(language.gettext(UNDONE, network=name)),
        Facts([(language.gettext(REASON), unclaiming.reason_of(runtime, row))]),
    ]
    title = language.gettext(UNDONE_SUBJECT, network=name)
    closing = [closings.whom_to_ask(network, language)]
    return write(mail, Letter(language, sender=name, title=title, parts=parts, closing=closing))


def _about(session: ReadSession, message: Message) -> tuple[Member, Network]:
    return session.get_one(Member, message.member_id), session.get_one(Network, message.network_id)
