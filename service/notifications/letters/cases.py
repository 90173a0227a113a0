"""Mails to the people in a case."""

from email.message import EmailMessage

from service.notifications.letters import closings
from service.notifications.letters.addressing import from_network, subject
from service.notifications.letters.recipients import addressees
from service.notifications.letters.wording import named
from service.notifications.letters.writing import Button, Letter, Said, write
from service.runtime.runtime import Runtime
from service.storage.database import ReadSession
from service.tables import AchievementVersion, Case, CaseStep, Message, Network
from service.texts.languages import N_

SUBJECT = N_("News in the case about the badge “%(badge)s”")
HELLO = N_("Hello,")
ABOUT = N_("There is news in case %(case)s, about the badge “%(badge)s” of %(network)s.")
STEPS = {
    "opened": N_("Somebody disagrees with a decision about this badge."),
    "statement": N_("Somebody has added a statement."),
    "assigned": N_("Somebody was asked to mediate."),
    "left": N_("The mediator has left the case. The network will ask another one."),
    "escalated": N_("Someone else now decides the case."),
    "overdue": N_("Nobody has decided in time. The case stays open until somebody does."),
    "withdrawn": N_("The case was withdrawn."),
}
"""What a mail says about each kind of step but the last."""
OUTCOMES = {
    "upheld": N_("The case is decided: the first decision stands."),
    "overturned": N_("The case is decided: the first decision does not stand."),
}
"""What a mail says about each outcome of a case."""
ELSEWHERE = N_(
    "This email does not repeat what people say in the case: only those who take part can read that. Ask "
    "%(network)s where: %(url)s"
)

HERE = N_("This email does not repeat what people say in the case. Sign in to read it, and to answer.")
SEE = N_("See the case")


def render(session: ReadSession, runtime: Runtime, message: Message) -> EmailMessage | None:
    """Return the mail about a step to someone in a case, without what was said.

    None if there is no address, or they have left the case.
    """
    step = session.get_one(CaseStep, message.case_step_id)
    row = session.get_one(Case, step.case_id)
    if message.member_id is None or message.member_id not in (row.member_id, row.respondent_id, row.mediator_id):
        return None
    recipient = addressees(session, [message.member_id]).get(message.member_id)
    if recipient is None:
        return None
    network = session.get_one(Network, row.network_id)
    badge, language = (
        session.get_one(AchievementVersion, row.achievement_version_id).name,
        recipient.language_in(network),
    )
    names = {"badge": named(badge), "network": named(network.name), "case": str(row.id), "url": network.url}
    happened = STEPS.get(step.kind) or OUTCOMES[str(row.outcome)]
    said = [Said(language.gettext(text, **names)) for text in (HELLO, ABOUT, happened)]
    where: list[Said | Button] = [Said(language.gettext(ELSEWHERE, **names), network.url)]
    if recipient.signs_in and message.member_id == row.member_id:  # nobody else has a page of it
        see = Button(language.gettext(SEE), f"{runtime.settings.base_url}/my-badges/cases/{row.id}")
        where = [Said(language.gettext(HERE)), see]
    mail = from_network(runtime, message, network, recipient.address, step.at, language)
    mail["Subject"] = subject(network, language, SUBJECT, badge=badge)
    closing = [closings.whom_to_ask(network, language)]
    return write(mail, Letter(language, named(network.name), named(badge), [*said, *where], closing))
