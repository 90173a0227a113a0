"""What waits for a member of a network that calls for participants."""

from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session as OrmSession

from service.networks import protected
from service.participation.calls import applications
from service.tables import Call, CallApplication, Member, Network
from service.texts.languages import N_

OPEN: Final = N_("Your network looks for participants. You can apply.")


def open_calls(session: OrmSession, network: Network, now: datetime) -> list[Call]:
    """Return the calls of a network to which one can apply now, the one that closes first first."""
    if network.state == "closed":
        return []
    query = select(Call).where(Call.network_id == network.id, Call.opens_at <= now, Call.closes_at > now)
    return list(session.scalars(query.order_by(Call.closes_at, Call.id)))


def concern(session: OrmSession, network: Network, member: Member, now: datetime) -> bool:
    """Return whether there is a call to which a member can apply, or has applied, also if it is closed now."""
    if open_calls(session, network, now):
        return True
    return session.scalar(select(CallApplication.id).where(CallApplication.member_id == member.id).limit(1)) is not None


def waits(session: OrmSession, network: Network, member: Member, now: datetime) -> str | None:
    """Return what waits for a member to do: a call to which they can apply and have not; None if there is none."""
    found = open_calls(session, network, now)
    if not found:
        return None
    young = protected.is_protected(session, member.id, now)
    mine = [each for each in found if not (young and each.protected_reason is not None)]
    return OPEN if any(applications.of_member(session, each, member) is None for each in mine) else None
