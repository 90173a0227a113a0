"""Mails to people about their badges."""

from email.message import EmailMessage
from html import escape

from service.issuing import unsigned
from service.notifications.letters.addressing import addressed
from service.runtime.runtime import Runtime
from service.signing import issuers
from service.storage.database import ReadSession
from service.tables import AchievementVersion, Award, Credential, Message, Network

WHAT_IT_IS = (
    "It is an Open Badge: a signed record of what you did, on which evidence, and who says so. Anybody can check it "
    "there, without an account, and nobody can change it unnoticed."
)
HOW_TO_SHARE = (
    "To share it, pass on the link, or download the badge from its page and put it into your portfolio, CV or badge "
    "wallet. Nobody finds the page who does not have the link, and your name and address do not stand on it."
)


def render(session: ReadSession, runtime: Runtime, message: Message) -> EmailMessage | None:
    """Return the mail that tells somebody about a badge.

    None if there is no address, or the badge does not stand.
    """
    credential = session.get_one(Credential, message.credential_id)
    award = session.get_one(Award, credential.award_id)
    recipient = unsigned.recipients(session, [award.member_id]).get(award.member_id)
    if recipient is None or recipient.email is None or not _stands(credential):
        return None
    network = session.get_one(Network, message.network_id)
    version = session.get_one(AchievementVersion, award.achievement_version_id)
    link = unsigned.credential_url(runtime.settings, credential.id)
    badge, sender = issuers.marked(network, version.name), network.name
    mail = addressed(runtime, message, recipient.email, award.decided_at)
    mail["Subject"] = f"{sender} has awarded you the badge “{badge}”"
    paragraphs = _paragraphs(badge, sender, link, test=network.sandbox)
    mail.set_content("\n\n".join(text for text, _ in paragraphs) + "\n")
    body = "".join(f"<p>{html}</p>" for _, html in paragraphs)
    mail.add_alternative(f'<!doctype html><html lang="en"><body>{body}</body></html>', subtype="html")
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
