"""Queue mails in the transaction of what they are about."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from service.storage.database import WriteSession
from service.tables import CaseStep, Credential, Message, Network


def queue(session: WriteSession, network: Network, credential: Credential, now: datetime) -> None:
    """Add the message that tells the educator of a credential; it is sent after the commit, not here."""
    session.add(Message(network_id=network.id, credential_id=credential.id, due_at=now))


def queue_step(session: WriteSession, network_id: UUID, step: CaseStep, member_ids: Collection[UUID]) -> None:
    """Add the messages that tell these members of a step of a case; whoever left the case meanwhile gets none."""
    for member_id in sorted(member_ids):
        session.add(Message(network_id=network_id, case_step_id=step.id, member_id=member_id, due_at=step.at))
