"""Who has accepted which version of the guidelines, and for whom evidence waits."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from sqlalchemy import case, func, or_, select
from sqlalchemy.orm import Session as OrmSession
from sqlalchemy.orm import aliased

from service.evidence import acceptances
from service.evidence.acceptances import NOT_ACCEPTED, Standing
from service.evidence.vocabulary import ACCEPTED, GUIDELINES
from service.networks.guidelines import documents
from service.storage.database import ReadSession
from service.storage.paging import Window, page
from service.tables import Contribution, GuidelineVersion, Member, Network, Record
from service.texts.languages import N_

State = Literal["accepted", "asked", "lapsed"]
ASKED = N_("Read the guidelines of this network, and accept them.")
ASKED_AGAIN = N_("The guidelines have changed. Read what is new, and accept them again.")
HELD = N_("Accept the guidelines. What your network records about you does not count until you do.")


@dataclass(frozen=True)
class Asked:
    """A member, what they have accepted, and how many pieces of evidence wait until they accept.

    `state`: accepted, the version in force; asked, not yet; lapsed, not yet, and evidence about them is held.
    """

    member: Member
    standing: Standing
    state: State
    waiting: int = 0


def state_of(standing: Standing, newest: GuidelineVersion | None, now: datetime) -> State:
    """Return where a member stands with the version in force."""
    if newest is None or standing.number == newest.number:
        return "accepted"
    return "lapsed" if standing.lapses_at is not None and standing.lapses_at <= now else "asked"


def list_members(
    session: ReadSession, network: Network, now: datetime, window: Window, *, accepted: bool | None = None
) -> tuple[list[Asked], str | None]:
    """Return the members of a network, in the order in which they were added, with what they have accepted.

    There are none while it has no guidelines. Who was erased is left out.

    Args:
        accepted: only those who have accepted the version in force, or who have not; None: all.
    """
    newest = documents.in_force(session, network)
    if newest is None:
        return [], None
    query = select(Member).where(Member.network_id == network.id, Member.erased_at.is_(None))
    if accepted is not None:
        who = aliased(Member)
        done = (
            select(Contribution.record_id)
            .join(who, who.id == Contribution.member_id)
            .where(Contribution.network_id == network.id, Contribution.type == ACCEPTED)
            .where(Contribution.resource == f"{GUIDELINES}/{newest.number}")
            .where(or_(who.id == Member.id, who.person_id == Member.person_id), who.network_id == network.id)
        ).exists()
        query = query.where(done if accepted else ~done)
    rows, following = page(session, query, window, Member.id)
    return _asked(session, network, rows, newest, now), following


def of_member(session: OrmSession, network: Network, member: Member, now: datetime) -> Asked:
    """Return what one member has accepted, and what waits until they accept."""
    [found] = _asked(session, network, [member], documents.in_force(session, network), now)
    return found


def have_accepted(session: OrmSession, network: Network) -> set[UUID]:
    """Return one member for each person who has accepted some version, as far as they were not erased."""
    query = (
        select(func.min(Member.ref), Member.person_id)
        .join(Contribution, Contribution.member_id == Member.id)
        .where(Contribution.network_id == network.id, Contribution.type == ACCEPTED, Member.erased_at.is_(None))
        .group_by(Member.person_id, case((Member.person_id.is_(None), Member.ref)))
    )
    refs = [ref for ref, _ in session.execute(query)]
    return set(session.scalars(select(Member.id).where(Member.network_id == network.id, Member.ref.in_(refs))))


def waits(session: OrmSession, network: Network, member: Member, now: datetime) -> str | None:
    """Return what waits for a member to do about the guidelines, to be translated; None if nothing does."""
    if documents.in_force(session, network) is None:
        return None
    found = of_member(session, network, member, now)
    if found.state == "accepted":
        return None
    if found.state == "lapsed":
        return HELD
    return ASKED if found.standing.number is None else ASKED_AGAIN


def _asked(
    session: OrmSession, network: Network, rows: Sequence[Member], newest: GuidelineVersion | None, now: datetime
) -> list[Asked]:
    found = acceptances.standings(session, network, [row.id for row in rows])
    held = select(Record.held_for, func.count()).where(
        Record.network_id == network.id,
        Record.held_code == NOT_ACCEPTED,
        Record.held_for.in_([row.ref for row in rows]),
    )
    waiting = dict(session.execute(held.group_by(Record.held_for)).all())
    return [Asked(row, found[row.id], state_of(found[row.id], newest, now), waiting.get(row.ref, 0)) for row in rows]
