"""Mails to the people in a case."""

from email.message import EmailMessage
from uuid import UUID

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

BETWEEN_SUBJECT = N_("News in a case between two members")
BETWEEN_ABOUT = N_("There is news in case %(case)s of %(network)s, about a disagreement between you and somebody else.")
MEDIATORS_ABOUT = N_("There is news in case %(case)s of %(network)s, about a disagreement that you mediate.")
BETWEEN_STEPS = STEPS | {
    "opened": N_("A case was opened about a disagreement between you and another member. Say how you see it."),
    "proposed": N_("The mediator has proposed an agreement."),
    "accepted": N_("One side has accepted the agreement."),
    "held": N_("New badges of yours wait while the case is open. Badges that you have stay as they are."),
    "released": N_("New badges of yours no longer wait because of the case."),
}
"""What a mail says about each kind of step of a disagreement but the last."""
BETWEEN_OUTCOMES = {
    "agreed": N_("The case has ended: both sides have accepted the agreement."),
    "decided": N_("The case has ended: the mediator has decided."),
    "unresolved": N_("The case has ended without an agreement or a decision."),
}
"""What a mail says about each outcome of a disagreement."""
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
    language = recipient.language_in(network)
    about, happened, title, subject_of = _words(session, row, step, message.member_id)
    names = {"badge": named(title), "network": named(network.name), "case": str(row.id), "url": network.url}
    said = [Said(language.gettext(text, **names)) for text in (HELLO, about, happened)]
    where: list[Said | Button] = [Said(language.gettext(ELSEWHERE, **names), network.url)]
    own = message.member_id == row.member_id or (row.kind == "disagreement" and message.member_id == row.respondent_id)
    if recipient.signs_in and own:  # nobody else has a page of it
        see = Button(language.gettext(SEE), f"{runtime.settings.base_url}/my-badges/cases/{row.id}")
        where = [Said(language.gettext(HERE)), see]
    mail = from_network(runtime, message, network, recipient.address, step.at, language)
    mail["Subject"] = subject(network, language, subject_of, badge=title)
    closing = [closings.whom_to_ask(network, language)]
    heading = named(title) if title else language.gettext(subject_of)
    return write(mail, Letter(language, named(network.name), heading, [*said, *where], closing))


def _words(session: ReadSession, row: Case, step: CaseStep, member_id: UUID) -> tuple[str, str, str, str]:
    """Return what a mail says: what the case is about, what happened, the badge ("" without one), and the subject."""
    if row.kind == "disagreement":
        about = MEDIATORS_ABOUT if member_id == row.mediator_id else BETWEEN_ABOUT
        return about, BETWEEN_STEPS.get(step.kind) or BETWEEN_OUTCOMES[str(row.outcome)], "", BETWEEN_SUBJECT
    badge = session.get_one(AchievementVersion, row.achievement_version_id).name
    return ABOUT, STEPS.get(step.kind) or OUTCOMES[str(row.outcome)], badge, SUBJECT
