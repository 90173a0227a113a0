"""Mails to the people in a case."""

from email.message import EmailMessage

from service.issuing import unsigned
from service.notifications.letters.addressing import addressed
from service.runtime.runtime import Runtime
from service.signing import issuers
from service.storage.database import ReadSession
from service.tables import AchievementVersion, Case, CaseStep, Message, Network

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


def render(session: ReadSession, runtime: Runtime, message: Message) -> EmailMessage | None:
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
    mail = addressed(runtime, message, recipient.email, step.at)
    mail["Subject"] = f"The case about the badge “{badge}” of {network.name}"
    happened = STEPS.get(step.kind) or OUTCOMES[str(row.outcome)]
    mail.set_content(
        f"Hello,\n\nin the case {row.id} about the badge “{badge}” of {network.name} {happened}.\n\n"
        "What is said in a case is seen by those who have a part in it, and does not stand in messages. "
        f"Where you see it, {network.name} can tell you: {network.url}\n"
    )
    return mail
