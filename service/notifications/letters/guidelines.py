"""Mails that ask members to accept guidelines again, which have changed."""

from email.message import EmailMessage

from service.networks.guidelines import documents
from service.notifications.letters import closings
from service.notifications.letters.addressing import from_network, subject
from service.notifications.letters.recipients import addressees
from service.notifications.letters.wording import gist, named
from service.notifications.letters.writing import Button, Facts, Letter, Said, write
from service.participation.acceptances import who
from service.runtime.runtime import Runtime
from service.storage.database import ReadSession
from service.tables import GuidelineVersion, Member, Message, Network
from service.texts.languages import N_

SUBJECT = N_("%(network)s has changed its guidelines")
HELLO = N_("Hello,")
CHANGED = N_(
    "%(network)s has changed its guidelines. You accepted an earlier version, and are asked to accept the new one."
)
WHAT = N_("What changed")
BEFORE = N_(
    "Please accept before %(day)s. After that, what %(network)s records about you does not count until you accept."
)
HELD = N_("What %(network)s records about you does not count until you accept.")
ACCEPT = N_("Read and accept")
READ = N_("Read the guidelines")
ELSEWHERE = N_("Ask %(network)s where you can accept them.")


def render(session: ReadSession, runtime: Runtime, message: Message) -> EmailMessage | None:
    """Return the mail that asks a member to accept a new version of the guidelines.

    None if there is no address, if they do not want such mails, if they have accepted meanwhile, or if another version is
    in force: another mail tells of that.
    """
    network = session.get_one(Network, message.network_id)
    version = session.get_one(GuidelineVersion, message.guideline_version_id)
    member = session.get_one(Member, message.member_id)
    recipient = addressees(session, [member.id]).get(member.id)
    newest = documents.in_force(session, network)
    if recipient is None or not recipient.wants(message.kind) or newest is None or newest.id != version.id:
        return None
    asked = who.of_member(session, network, member, runtime.now())
    if asked.state == "accepted" or network.state == "closed":
        return None
    language, name = recipient.language_in(network), named(network.name)
    lapses_at = asked.standing.lapses_at
    parts: list[Said | Facts | Button] = [Said(language.gettext(HELLO)), Said(language.gettext(CHANGED, network=name))]
    if version.change_note:
        parts.append(Facts([(language.gettext(WHAT), gist(version.change_note))]))
    if asked.state == "lapsed":
        parts.append(Said(language.gettext(HELD, network=name)))
    elif lapses_at is not None:
        parts.append(Said(language.gettext(BEFORE, network=name, day=language.day(lapses_at))))
    base = runtime.settings.base_url
    if recipient.signs_in:
        parts.append(Button(language.gettext(ACCEPT), f"{base}/my-badges/members/{member.id}/guidelines"))
    else:
        parts.append(Button(language.gettext(READ), f"{base}/networks/{network.slug}/guidelines"))
        parts.append(Said(language.gettext(ELSEWHERE, network=name)))
    mail = from_network(runtime, message, network, recipient.address, message.due_at, language)
    mail["Subject"] = subject(network, language, SUBJECT, network=network.name)
    title = language.gettext(SUBJECT, network=name)
    return write(mail, Letter(language, name, title, parts, [closings.whom_to_ask(network, language)]))
