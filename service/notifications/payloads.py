"""What webhooks are sent: an event, and what it is about as the API shows it."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from service.achievements.api import VersionOut
from service.awards import approvals, listing
from service.awards.api import AwardOut
from service.awards.api_approvals import ApprovalOut
from service.awards.api_credentials import CredentialOut
from service.evidence import records
from service.intake.api_members import MemberOut
from service.intake.api_records import RecordOut
from service.issuing.credentials import CredentialWithNames
from service.networks import members
from service.networks.api import KeyOut, NetworkOut
from service.networks.api_meetings import SessionOut
from service.notifications import deliveries
from service.notifications.api import WebhookOut
from service.runtime.runtime import Runtime
from service.storage.database import ReadSession
from service.tables import AchievementVersion, Credential, Event, Key, Meeting, Member, Network, Record, Webhook
from service.web.requests import Answer


def deliver_webhooks(runtime: Runtime) -> int:
    """Send what is due to webhooks, and return how much arrived."""
    return deliveries.deliver_due(runtime, data)


def data(session: ReadSession, runtime: Runtime, network: Network, event: Event) -> dict[str, Any]:
    """Return the data of an event, as it is sent to a webhook.

    It has the event's id, its position and identifiers, and the things that these name as they are now. Things that no
    longer exist are left out. Drafts and tokens are never in it: no event is about them.
    """
    shown: dict[str, Any] = {"id": str(event.id), "position": event.position, "about": event.about}
    for name, show in SHOWN.items():
        if name in event.about:
            answer = show(session, runtime, network, event.about[name])
            if answer is not None:
                shown[name] = answer.model_dump(mode="json", exclude_none=True)
    return shown


def _achievement_version(session: ReadSession, runtime: Runtime, _network: Network, row_id: str) -> Answer | None:
    row = session.get(AchievementVersion, UUID(row_id))
    return VersionOut.of(row, runtime.settings) if row else None


def _award(session: ReadSession, runtime: Runtime, network: Network, row_id: str) -> Answer | None:
    return AwardOut.of(runtime.settings, listing.find(session, network, UUID(row_id)))


def _credential(session: ReadSession, runtime: Runtime, network: Network, row_id: str) -> Answer | None:
    row = session.get(Credential, row_id)
    if row is None:
        return None
    named = listing.find(session, network, row.award_id)
    version = session.get_one(AchievementVersion, named.award.achievement_version_id)
    issued = CredentialWithNames(row, named.award, named.member_ref, named.achievement_ref, version.name)
    return CredentialOut.named(runtime.settings, issued, runtime.now())


def _key(session: ReadSession, runtime: Runtime, _network: Network, row_id: str) -> Answer | None:
    row = session.get(Key, UUID(row_id))
    return KeyOut.of(runtime.settings, row) if row else None


def _member(session: ReadSession, _runtime: Runtime, _network: Network, row_id: str) -> Answer | None:
    row = session.get(Member, UUID(row_id))
    return MemberOut.of(members.view(session, [row])[0]) if row else None


def _network(_session: ReadSession, runtime: Runtime, network: Network, _row_id: str) -> Answer | None:
    return NetworkOut.of(runtime.settings, network)


def _record(session: ReadSession, _runtime: Runtime, _network: Network, row_id: str) -> Answer | None:
    row = session.get(Record, UUID(row_id))
    return RecordOut.of(records.show(session, row)) if row else None


def _review(session: ReadSession, runtime: Runtime, network: Network, row_id: str) -> Answer | None:
    return ApprovalOut.of(approvals.find(session, network, UUID(row_id), runtime.now()))


def _session(session: ReadSession, _runtime: Runtime, _network: Network, row_id: str) -> Answer | None:
    row = session.get(Meeting, UUID(row_id))
    return SessionOut.model_validate(row) if row else None


def _webhook(session: ReadSession, _runtime: Runtime, _network: Network, row_id: str) -> Answer | None:
    row = session.get(Webhook, UUID(row_id))
    return WebhookOut.of(row) if row else None


SHOWN: dict[str, Callable[[ReadSession, Runtime, Network, str], Answer | None]] = {
    "achievement_version": _achievement_version,
    "award": _award,
    "credential": _credential,
    "key": _key,
    "member": _member,
    "network": _network,
    "record": _record,
    "replacement": _credential,
    "review": _review,
    "session": _session,
    "void": _record,
    "webhook": _webhook,
}
"""How to show the things that events name, by the names of the identifiers; other names are identifiers only."""
