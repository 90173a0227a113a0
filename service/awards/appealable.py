"""Where and until when a decision about an award can be appealed."""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session as OrmSession

from service.durations import Duration
from service.tables import Credential, Network

CONTESTABLE_FOR = Duration.parse("P3M")
"""How long a decision can be contested: even somebody who was away for a whole school term still can."""


def end_of_day(network: Network, at: datetime, span: Duration) -> datetime:
    """Return the end of the day that is `span` after `at`, by the network's calendar."""
    zone = ZoneInfo(network.time_zone)
    last = span.after(at, zone).astimezone(zone).date()
    return datetime.combine(last + timedelta(days=1), time(), zone).astimezone(UTC)


def how(network: Network, **body: str) -> dict[str, Any]:
    """Return what a refusal says of appeals: the address, and what to post there."""
    return {"url": f"/v1/networks/{network.slug}/cases", "body": body}


@dataclass(frozen=True)
class Appeal:
    """Where something can be contested, with which body, and until when."""

    url: str
    body: dict[str, str]
    until: datetime


def of_standing(session: OrmSession, row: Credential, now: datetime) -> Appeal | None:
    """Return how a revocation or suspension can be contested, or None if it cannot.

    What its recipient declined nobody has refused them.
    """
    decided_at = row.revoked_at or row.suspended_at
    network = session.get_one(Network, row.network_id)
    over = row.superseded_by is not None or row.declined_at is not None
    if decided_at is None or over or network.state == "closed":
        return None
    until = end_of_day(network, decided_at, CONTESTABLE_FOR)
    return Appeal(**how(network, credential=row.id), until=until) if now < until else None
