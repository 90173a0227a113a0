"""Resources that others take up: who shared them, and is credited with it where a rule says so.

Who shared a resource first is the member whose contribution `shared` names it and happened first. New evidence is marked
here for those whom it may credit: their awards are decided soon after, beside the request, which tells who took something up
nothing of what others earn.
"""

import hashlib
from collections.abc import Collection, Iterable
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session as OrmSession

from service.storage.database import WriteSession, hold_numbers
from service.tables import Contribution, Network

NAMING: Final = ("shared", "adopted")
"""The types of contributions that name a resource which one shares and others take up."""


def hold(session: WriteSession, network: Network, bodies: Iterable[Any]) -> None:
    """Let nobody else record that these resources are shared or taken up until the commit.

    Otherwise two that come at the same moment would miss each other, and nobody would look again.
    """
    named = {body.resource for body in bodies if getattr(body, "type", None) in NAMING and body.resource is not None}
    hashed = (hashlib.sha256(network.id.bytes + name.encode()) for name in named)
    hold_numbers(session, sorted(int.from_bytes(each.digest()[:8]) & 0x7FFF_FFFF_FFFF_FFFF for each in hashed))


def resources_of(session: OrmSession, record_ids: Collection[UUID]) -> set[str]:
    """Return the resources that were shared or taken up by these records, as far as they count."""
    query = select(Contribution.resource).where(Contribution.record_id.in_(record_ids), Contribution.type.in_(NAMING))
    return {resource for resource in session.scalars(query) if resource is not None}


def taken_up_by(session: OrmSession, member_ids: Collection[UUID]) -> set[str]:
    """Return the resources that these members took up."""
    mine = (Contribution.member_id.in_(member_ids), Contribution.type == "adopted")
    return {
        resource for resource in session.scalars(select(Contribution.resource).where(*mine)) if resource is not None
    }


def sharers(session: OrmSession, network: Network, resources: Collection[str]) -> set[UUID]:
    """Return the members who shared one of these resources."""
    if not resources:
        return set()
    shared = (Contribution.network_id == network.id, Contribution.type == "shared")
    query = select(Contribution.member_id).where(*shared, Contribution.resource.in_(resources))
    return set(session.scalars(query.distinct()))
