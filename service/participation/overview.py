"""What a network has for one of its members, and what waits for them, in one list."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from service.networks.guidelines import documents
from service.participation.acceptances import who
from service.participation.calls import waiting as calls
from service.participation.expectations import own as expectations
from service.participation.goals import showing as goals
from service.participation.needs import answers as needs
from service.sharing import own_disagreements
from service.storage.database import ReadSession
from service.tables import Expectation, Member, NeedsCycle, Network
from service.texts.languages import N_


@dataclass(frozen=True)
class Part:
    """A page of a network for one of its members.

    `title` and `waits` are msgids; `waits` is what there is to do for the member.
    """

    href: str
    title: str
    waits: str | None = None


def parts(session: ReadSession, network: Network, member: Member, now: datetime) -> list[Part]:
    """Return the pages that a network has for a member, in the order in which a network needs them."""
    return list(_parts(session, network, member, now))


def waiting(session: ReadSession, network: Network, member: Member, now: datetime) -> Sequence[Part]:
    """Return those pages on which something waits for the member."""
    return [part for part in _parts(session, network, member, now) if part.waits is not None]


def _parts(session: ReadSession, network: Network, member: Member, now: datetime) -> Iterator[Part]:
    root = f"/my-badges/members/{member.id}"
    if documents.in_force(session, network) is not None:
        waits = who.waits(session, network, member, now)
        yield Part(f"{root}/guidelines", N_("Guidelines"), waits)
    if session.scalar(select(Expectation.id).where(Expectation.network_id == network.id).limit(1)) is not None:
        waits = expectations.waits(session, network, member, now)
        yield Part(f"{root}/expectations", N_("What is expected of you"), waits)
    yield Part(f"{root}/goals", N_("Your goals"), goals.waits(session, network, member, now))
    if session.scalar(select(NeedsCycle.id).where(NeedsCycle.network_id == network.id).limit(1)) is not None:
        waits = needs.waits(session, network, member, now)
        yield Part(f"{root}/needs", N_("What you want to learn and can offer"), waits)
    if calls.concern(session, network, member, now):
        yield Part(f"{root}/calls", N_("Calls for participants"), calls.waits(session, network, member, now))
    waits = own_disagreements.waits(session, network, member, now)
    yield Part(f"{root}/disagreement", N_("Ask for a mediator"), waits)
