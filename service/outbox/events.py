"""The outbox: what happened in a network, in order."""

from collections.abc import Mapping, Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session as OrmSession

from service.access.act import Act
from service.storage.database import ReadSession
from service.tables import Event, Network

TYPES = {
    "achievement.published": "a version of an achievement can be earned",
    "award.expired": "the time of an award is over",
    "award.kept": "an award that was under review stands",
    "award.made": "a member has earned an achievement",
    "case.escalated": "somebody else must decide a case: its time passed, or a party asked for it",
    "case.mediator-assigned": "a case has a mediator, or another one",
    "case.mediator-left": "the mediator of a case turned out to be one of its parties",
    "case.opened": "something is contested",
    "case.overdue": "nobody has decided an escalated case in time",
    "case.resolved": "a case was decided",
    "case.withdrawn": "a case was taken back",
    "credential.issued": "a credential was signed",
    "credential.reinstated": "a credential that was suspended stands again",
    "credential.replaced": "a credential was taken back because another one with corrected data stands for it",
    "credential.revoked": "a credential was taken back",
    "credential.suspended": "a credential must not be relied on until it is decided whether it stands",
    "key.rotated": "the network signs with a new key",
    "member.changed": "what is known of a member is another",
    "member.enrolled": "it is settled by which version a member is judged",
    "member.posted": "a member was added",
    "network.changed": "what is known of the network is another",
    "network.closed": "the network takes nothing new",
    "network.created": "the network is there",
    "record.quarantined": "evidence turned out not to count, or is kept from counting",
    "record.released": "evidence that was kept from counting counts",
    "record.voided": "evidence was taken back",
    "review.approval-given": "somebody approved, and more people are needed",
    "review.approved": "people decided that an award is made, or stands",
    "review.declined": "people decided that an award is not made, or does not stand",
    "review.opened": "an award waits for people to decide",
    "review.withdrawn": "there is nothing to decide any more",
    "session.changed": "what is known of a session is another",
    "session.posted": "a session was added",
    "token.revoked": "a token is worth nothing any more",
    "webhook.changed": "what is sent to a webhook, or with which secret, is another",
    "webhook.created": "events are sent to a further address",
    "webhook.deleted": "events are no longer sent to an address",
    "webhook.disabled": "nothing is sent to a webhook until it is made active again",
}
"""The types of events, each with its meaning."""


def append(act: Act, kind: str, about: Mapping[str, str]) -> None:
    """Add an event to the network's outbox; it gets its position at the commit.

    Args:
        kind: one of `TYPES`; part of the interface.
        about: identifiers of what the event is about, never names or addresses.
    """
    act.session.add(Event(network_id=act.network.id, type=kind, about=dict(about), at=act.now))


def last_position(session: OrmSession, network: Network) -> int:
    """Return the position of the network's last committed event, 0 before the first."""
    return session.scalar(select(func.max(Event.position)).where(Event.network_id == network.id)) or 0


def list_events(
    session: ReadSession, network: Network, *, after: int, limit: int, kind: str | None
) -> tuple[Sequence[Event], bool]:
    """Return committed events after a position, in order, and whether there are more."""
    query = select(Event).where(Event.network_id == network.id, Event.position > after)
    if kind is not None:
        query = query.where(Event.type == kind)
    rows = session.scalars(query.order_by(Event.position).limit(limit + 1)).all()
    return rows[:limit], len(rows) > limit
