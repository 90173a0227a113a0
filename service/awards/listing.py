"""What has been awarded, to be read: awards with their names, credentials, receipts and deciders, and decided once more."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session as OrmSession

from service.awards import decisions
from service.errors import NotFoundError
from service.issuing import credentials as issuance
from service.issuing import receipts
from service.issuing.receipts import Decider, Retraced
from service.runtime.settings import Settings
from service.storage.database import ReadSession
from service.storage.paging import page
from service.tables import Achievement, AchievementVersion, Award, Credential, Member, Network, Receipt


@dataclass(frozen=True)
class Named:
    """An award with what names it for its network, its newest credential, its receipt, and who decided.

    `deciders` have the refs of the members behind them; there are none where the rule alone decided.
    """

    award: Award
    member_ref: str
    achievement_ref: str
    version: int
    credential: Credential | None
    receipt: Receipt | None
    deciders: tuple[tuple[Decider, str | None], ...]


def find(session: OrmSession, network: Network, award_id: UUID) -> Named:
    """Return an award of the network.

    Raises:
        NotFoundError: it has none with this id (code "award-unknown").
    """
    row = session.scalar(select(Award).where(Award.network_id == network.id, Award.id == award_id))
    if row is None:
        raise NotFoundError("award-unknown", "No award of this network has this id.")
    return named(session, [row])[0]


def list_awards(
    session: ReadSession,
    network: Network,
    *,
    after: str | None,
    limit: int,
    member: str | None,
    achievement: str | None,
    state: str | None,
) -> tuple[list[Named], str | None]:
    """Return awards in the order in which they were made."""
    query = select(Award).where(Award.network_id == network.id)
    if member is not None:
        query = query.where(Award.member_id.in_(select(Member.id).where(Member.ref == member)))
    if achievement is not None:
        query = query.where(Award.achievement_id.in_(select(Achievement.id).where(Achievement.ref == achievement)))
    if state is not None:
        query = query.where(Award.state == state)
    rows, following = page(session, query, Award.id, after, limit)
    return named(session, rows), following


def named(session: OrmSession, rows: Sequence[Award]) -> list[Named]:
    """Return the awards with their names, in the same order."""
    query = (
        select(Award.id, Member.ref, Achievement.ref, AchievementVersion.version)
        .join(Member, Member.id == Award.member_id)
        .join(Achievement, Achievement.id == Award.achievement_id)
        .join(AchievementVersion, AchievementVersion.id == Award.achievement_version_id)
        .where(Award.id.in_([row.id for row in rows]))
    )
    names = {
        award_id: (member, achievement, version) for award_id, member, achievement, version in session.execute(query)
    }
    credentials = issuance.of_awards(session, rows)
    kept = receipts.deciders_of(session, rows)
    # Of what is not signed yet, or was before there were receipts, the rows tell it.
    decided = {row.id: kept[row.id][1] if row.id in kept else decisions.deciders(session, row) for row in rows}
    wanted = {each.member_id for deciders in decided.values() for each in deciders if each.member_id is not None}
    refs: dict[UUID | None, str] = dict(
        session.execute(select(Member.id, Member.ref).where(Member.id.in_(wanted))).all()
    )
    return [
        Named(
            row,
            *names[row.id],
            credentials.get(row.id),
            kept[row.id][0] if row.id in kept else None,
            tuple((each, refs.get(each.member_id)) for each in decided[row.id]),
        )
        for row in rows
    ]


def replay(session: OrmSession, settings: Settings, network: Network, award_id: UUID) -> Retraced:
    """Decide an award again, on the evidence of then, and return whether the same receipt comes of it.

    Raises:
        NotFoundError: the network has no such award ("award-unknown"), or it has no receipt: it waits to be signed, or
            was made before there were receipts ("receipt-unknown").
    """
    row = find(session, network, award_id).award
    receipt = receipts.of_award(session, row)
    if receipt is None:
        raise NotFoundError("receipt-unknown", "This award has no receipt.")
    return receipts.retrace(session, settings, network, row, receipt)
