"""Read awards with names, credentials, receipts and deciders, and replay them."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_, select
from sqlalchemy.orm import Session as OrmSession
from sqlalchemy.orm import aliased

from service.errors import NotFoundError
from service.issuing import receipts
from service.issuing.decision import Decider, Decision
from service.issuing.receipts import RetracedDecision
from service.runtime.settings import Settings
from service.storage import filters
from service.storage.database import ReadSession
from service.storage.paging import Window, order, page
from service.tables import Achievement, AchievementVersion, Award, AwardDecider, Credential, Member, Network, Receipt


@dataclass(frozen=True)
class AwardWithNames:
    """An award with its names, newest credential, receipt id and deciders.

    The names are those that its network uses. `deciders` come with the refs of the members behind them; there are none
    if the rule alone decided.
    """

    award: Award
    member_ref: str
    achievement_ref: str
    version: int
    credential: Credential | None
    receipt_id: str | None
    deciders: tuple[tuple[Decider, str | None], ...]


def find(session: OrmSession, network: Network, award_id: UUID) -> AwardWithNames:
    """Return an award of the network.

    Raises:
        NotFoundError: the network has no such award (code "award-unknown").
    """
    found = _named(session, Award.network_id == network.id, Award.id == award_id)
    if not found:
        raise NotFoundError("award-unknown", "No award of this network has this id.")
    return found[award_id]


def list_awards(
    session: ReadSession,
    network: Network,
    *,
    window: Window,
    member: str | None,
    achievement: str | None,
    state: str | None,
    basis: str | None = None,
    awarded_from: datetime | date | None = None,
    awarded_until: datetime | date | None = None,
    sort: str | None = None,
) -> tuple[list[AwardWithNames], str | None]:
    """Return awards in the order in which they were made, unless another is asked for.

    Args:
        awarded_from: earned then or later; `awarded_until`: before that.
        sort: decided_at or awarded_at, with `-` before it for the newest first.
    Raises:
        InvalidError: a filter names nothing in the network (code "member-unknown", "achievement-unknown").
    """
    of = filters.of(session, network, Award, member, achievement)
    query = select(Award).where(Award.network_id == network.id, *of)
    query = query.where(*filters.during(Award.awarded_at, network, awarded_from, awarded_until))
    if basis is not None:
        query = query.where(Award.basis == basis)
    if state is not None:
        query = query.where(Award.state == state)
    rows, following = page(
        session, query, window, order(sort, decided_at=(Award.id,), awarded_at=(Award.awarded_at, Award.id))
    )
    return named(session, rows), following


def named(session: OrmSession, rows: Sequence[Award]) -> list[AwardWithNames]:
    """Return the awards with their names, in the same order."""
    found = _named(session, Award.id.in_([row.id for row in rows])) if rows else {}
    return [found[row.id] for row in rows]


def refs_of(session: OrmSession, decisions: Sequence[Decision]) -> list[tuple[str, str]]:
    """Return the refs of member and achievement of decisions that were not carried out, in the same order."""
    members, achievements_of = (
        dict(session.execute(select(table.id, table.ref).where(table.id.in_(ids))).all())
        for table, ids in (
            (Member, {each.member_id for each in decisions}),
            (Achievement, {each.version.achievement_id for each in decisions}),
        )
    )
    return [(members[each.member_id], achievements_of[each.version.achievement_id]) for each in decisions]


def _named(session: OrmSession, *where: ColumnElement[bool]) -> dict[UUID, AwardWithNames]:
    """Return awards with everything that is shown of them, by their ids, in one query."""
    behind = aliased(Member)
    query = (
        select(
            *(Award, Member.ref, Achievement.ref, AchievementVersion.version),
            *(Credential, Receipt.id, AwardDecider, behind.ref),
        )
        .join(Member, Member.id == Award.member_id)
        .join(Achievement, Achievement.id == Award.achievement_id)
        .join(AchievementVersion, AchievementVersion.id == Award.achievement_version_id)
        .outerjoin(Credential, Credential.award_id == Award.id)
        .outerjoin(Receipt, and_(Receipt.award_id == Award.id, Receipt.sha256 == Award.receipt_digest))
        .outerjoin(AwardDecider, AwardDecider.award_id == Award.id)
        .outerjoin(behind, behind.id == AwardDecider.member_id)
        .where(*where)
        # The last credential stands.
        .order_by(Credential.issued_at, Credential.revoked_at.is_(None), AwardDecider.place)
    )
    found: dict[UUID, AwardWithNames] = {}
    deciders: defaultdict[UUID, dict[int, tuple[Decider, str | None]]] = defaultdict(dict)
    for award, member, achievement, version, credential, receipt_id, each, ref in session.execute(query):
        if each is not None:
            deciders[award.id][each.place] = Decider.of(each), ref
        told = tuple(deciders[award.id].values())
        found[award.id] = AwardWithNames(award, member, achievement, version, credential, receipt_id, told)
    return found


def replay(session: OrmSession, settings: Settings, network: Network, award_id: UUID) -> RetracedDecision:
    """Decide an award again, on the evidence of then, and compare the receipts.

    Raises:
        NotFoundError: the network has no such award ("award-unknown"), or it has no receipt: it waits to be signed, or
            was made before there were receipts ("receipt-unknown").
    """
    row = find(session, network, award_id).award
    receipt = receipts.of_award(session, row)
    if receipt is None:
        raise NotFoundError("receipt-unknown", "This award has no receipt.")
    return receipts.retrace(session, settings, network, row, receipt)
