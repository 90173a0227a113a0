"""What webhooks are sent: an event, and what it is about as the API shows it."""

from collections.abc import Callable
from dataclasses import dataclass
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
from service.notifications import deliveries, envelopes
from service.notifications.api import WebhookOut
from service.outbox.api import EventRefs
from service.outbox.refs import refs_of
from service.runtime.runtime import Runtime
from service.runtime.work import GoOn, to_the_end
from service.storage.database import ReadSession
from service.tables import AchievementVersion, Credential, Event, Key, Meeting, Member, Network, Record, Webhook
from service.web.requests import Answer


def deliver_webhooks(runtime: Runtime, go_on: GoOn = to_the_end) -> int:
    """Send what is due to webhooks, and return how much arrived."""
    return deliveries.deliver_due(runtime, data, go_on)


def message(session: ReadSession, runtime: Runtime, network: Network, event: Event) -> dict[str, Any]:
    """Return an event as it is sent to a webhook."""
    return envelopes.message(event.type, event.at, data(session, runtime, network, event))


def data(session: ReadSession, runtime: Runtime, network: Network, event: Event) -> dict[str, Any]:
    """Return the data of an event, as it is sent to a webhook.

    It has the event's id, its position, identifiers and refs, and the things that these name as they are now. Things
    that no longer exist are left out. Drafts and tokens are never in it: no event is about them.
    """
    shown: dict[str, Any] = {"id": str(event.id), "position": event.position, "about": event.about}
    refs = EventRefs.of(refs_of(session, [event])[0])
    if refs is not None:
        shown["refs"] = refs.model_dump(mode="json", exclude_none=True)
    for name, thing in SHOWN.items():
        if name in event.about:
            answer = thing.show(session, runtime, network, event.about[name])
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
    return SessionOut.of(session, row) if row else None


def _webhook(session: ReadSession, _runtime: Runtime, _network: Network, row_id: str) -> Answer | None:
    row = session.get(Webhook, UUID(row_id))
    return WebhookOut.of(row) if row else None


@dataclass(frozen=True)
class Shown:
    """How the API shows a thing that events name, and how to find it by its identifier."""

    shape: type[Answer]
    show: Callable[[ReadSession, Runtime, Network, str], Answer | None]


SHOWN = {
    "achievement_version": Shown(VersionOut, _achievement_version),
    "award": Shown(AwardOut, _award),
    "correction": Shown(RecordOut, _record),
    "credential": Shown(CredentialOut, _credential),
    "key": Shown(KeyOut, _key),
    "member": Shown(MemberOut, _member),
    "network": Shown(NetworkOut, _network),
    "record": Shown(RecordOut, _record),
    "replacement": Shown(CredentialOut, _credential),
    "review": Shown(ApprovalOut, _review),
    "session": Shown(SessionOut, _session),
    "void": Shown(RecordOut, _record),
    "webhook": Shown(WebhookOut, _webhook),
}
"""How to show the things that events name, by the names of the identifiers; other names are identifiers only."""
