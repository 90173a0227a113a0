"""The words of mails to educators and networks."""

from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import format_datetime
from html import escape
from urllib.parse import urlsplit

from service.checking import confirmations
from service.issuing import reissuing, unsigned
from service.runtime.runtime import Runtime
from service.signing import issuers
from service.storage.database import ReadSession
from service.tables import (
    AchievementVersion,
    Award,
    Case,
    CaseStep,
    Confirmation,
    Credential,
    Identity,
    Key,
    Message,
    Network,
    Webhook,
)
from service.texts.languages import LANGUAGES, N_

WHAT_IT_IS = (
    "It is an Open Badge: a signed record of what you did, on which evidence, and who says so. Anybody can check it "
    "there, without an account, and nobody can change it unnoticed."
)
HOW_TO_SHARE = (
    "To share it, pass on the link, or download the badge from its page and put it into your portfolio, CV or badge "
    "wallet. Nobody finds the page who does not have the link, and your name and address do not stand on it."
)

STEPS = {
    "opened": "something was contested",
    "statement": "somebody said something",
    "assigned": "somebody was asked to mediate",
    "left": "the mediator left, and another one is asked for",
    "escalated": "somebody else is to decide now",
    "overdue": "nobody has decided in time; it stays open until somebody does",
    "withdrawn": "what was contested was taken back",
}
"""What a mail says about each kind of step but the last."""
OUTCOMES = {
    "upheld": "it was decided: what was decided before stands",
    "overturned": "it was decided: what was decided before does not stand",
}
"""What a mail says about each outcome of a case."""

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
    """Return the message as a mail.

    None if there is nobody to write to, or no longer anything to tell.
    """
    if message.webhook_id is not None:
        return _of_webhook(session, runtime, message)
    if message.case_step_id is not None:
        return _of_case(session, runtime, message)
    if message.confirmation_id is not None:
        return _of_confirmation(session, runtime, message)
    if message.key_id is not None:
        return _of_compromise(session, runtime, message)
    credential = session.get_one(Credential, message.credential_id)
    award = session.get_one(Award, credential.award_id)
    recipient = unsigned.recipients(session, [award.member_id]).get(award.member_id)
    if recipient is None or recipient.email is None or not _stands(credential):
        return None
    network = session.get_one(Network, message.network_id)
    version = session.get_one(AchievementVersion, award.achievement_version_id)
    link = unsigned.credential_url(runtime.settings, credential.id)
    badge, sender = issuers.marked(network, version.name), network.name
    mail = _addressed(runtime, message, recipient.email, award.decided_at)
    mail["Subject"] = f"{sender} has awarded you the badge “{badge}”"
    paragraphs = _paragraphs(badge, sender, link, test=network.sandbox)
    mail.set_content("\n\n".join(text for text, _ in paragraphs) + "\n")
    body = "".join(f"<p>{html}</p>" for _, html in paragraphs)
    mail.add_alternative(f'<!doctype html><html lang="en"><body>{body}</body></html>', subtype="html")
    return mail


def _of_webhook(session: ReadSession, runtime: Runtime, message: Message) -> EmailMessage | None:
    """Return the mail that tells a network about a disabled webhook.

    None if the webhook is active again, or the network has no e-mail address.
    """
    webhook = session.get_one(Webhook, message.webhook_id)
    network = session.get_one(Network, message.network_id)
    if network.email is None or webhook.disabled_at is None:
        return None
    host = urlsplit(webhook.url).hostname  # the rest of the address can contain a secret
    why = "it answered that it is gone (410)" if webhook.disabled_for == "gone" else "it has taken nothing for days"
    mail = _addressed(runtime, message, network.email, webhook.disabled_at)
    mail["Subject"] = f"A webhook of {network.name} was disabled"
    mail.set_content(
        f"Hello,\n\nnothing is sent any more to the webhook {webhook.id} of {network.name} at {host}: {why}.\n\n"
        "Nothing is lost: once it is made active again it is sent what it has missed, in order.\n"
    )
    return mail


def _of_case(session: ReadSession, runtime: Runtime, message: Message) -> EmailMessage | None:
    """Return the mail about a step to someone in a case, without what was said."""
    step = session.get_one(CaseStep, message.case_step_id)
    row = session.get_one(Case, step.case_id)
    if message.member_id is None or message.member_id not in (row.member_id, row.respondent_id, row.mediator_id):
        return None
    recipient = unsigned.recipients(session, [message.member_id]).get(message.member_id)
    if recipient is None or recipient.email is None:
        return None
    network = session.get_one(Network, row.network_id)
    badge = issuers.marked(network, session.get_one(AchievementVersion, row.achievement_version_id).name)
    mail = _addressed(runtime, message, recipient.email, step.at)
    mail["Subject"] = f"The case about the badge “{badge}” of {network.name}"
    happened = STEPS.get(step.kind) or OUTCOMES[str(row.outcome)]
    mail.set_content(
        f"Hello,\n\nin the case {row.id} about the badge “{badge}” of {network.name} {happened}.\n\n"
        "What is said in a case is seen by those who have a part in it, and does not stand in messages. "
        f"Where you see it, {network.name} can tell you: {network.url}\n"
    )
    return mail


def _of_confirmation(session: ReadSession, runtime: Runtime, message: Message) -> EmailMessage | None:
    """Return the mail that asks a recipient whether a badge is theirs.

    None if the question is no longer open. The mail is text only: a scanner presses a button, and a forger copies
    its picture.
    """
    row = session.get_one(Confirmation, message.confirmation_id)
    asked = confirmations.to_be_mailed(session, row, runtime.now())
    if asked is None:
        return None
    mail = _addressed(runtime, message, session.get_one(Identity, row.identity_id).value, row.asked_at)
    mail["Subject"] = f"Is the badge “{asked.badge}” yours? Reference {asked.code}"
    said = {"badge": asked.badge, "issuer": asked.issuer, "code": asked.code, "link": confirmations.link(runtime, row)}
    mail.set_content("\n\n* * *\n\n".join(language.gettext(QUESTION, **said) for language in LANGUAGES.values()) + "\n")
    return mail


def _of_compromise(session: ReadSession, runtime: Runtime, message: Message) -> EmailMessage | None:
    """Return the mail that tells somebody what became of their badges after a key was compromised.

    One mail is about all badges of the person. None if there is no address, or nothing left to tell.
    """
    assert message.member_id is not None  # it was queued with one
    key, network = session.get_one(Key, message.key_id), session.get_one(Network, message.network_id)
    recipient = unsigned.recipients(session, [message.member_id]).get(message.member_id)
    badges = reissuing.badges_of_person(session, message.member_id, key)
    if recipient is None or recipient.email is None or not badges:
        return None
    mail = _addressed(runtime, message, recipient.email, message.due_at)
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


def _addressed(runtime: Runtime, message: Message, to: str, at: datetime) -> EmailMessage:
    """Return a mail that lacks only its subject and content."""
    mail = EmailMessage(policy=SMTP if to.isascii() else SMTPUTF8)
    mail["From"] = runtime.settings.mail_from
    mail["To"] = Address(addr_spec=to)
    mail["Date"] = format_datetime(at)
    mail["Message-ID"] = f"<{message.id}@{urlsplit(runtime.settings.base_url).hostname}>"
    mail["Auto-Submitted"] = "auto-generated"
    return mail


def _stands(credential: Credential) -> bool:
    return credential.revoked_at is None and credential.suspended_at is None


def _paragraphs(badge: str, sender: str, link: str, *, test: bool) -> list[tuple[str, str]]:
    """Return the message as text and as HTML, paragraph by paragraph."""
    texts = [
        "Hello,",
        *(["This is a TEST: the badge is for trying things out, and says so."] if test else []),
        f"{sender} has awarded you the badge “{badge}”. This is its page:",
        link,
        WHAT_IT_IS,
        HOW_TO_SHARE,
        f"If you think that this badge is not yours, please tell {sender}.",
    ]
    anchor = f'<a href="{escape(link)}">{escape(link)}</a>'
    return [(text, anchor if text == link else escape(text)) for text in texts]
