"""Decisions carried out: each becomes an award with a signed credential, an event and a message, or nothing does.

Signing takes longer than writing, so that for many decisions it is done before the transaction begins (`prepare`);
what is decided inside the transaction after all takes its credential from there (`carry_out`).
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session as OrmSession

from service import drafts, enrolments, events, issuance, listening, messages, networks, status_lists
from service.access import Caller
from service.database import ReadSession, WriteSession
from service.drafts import Decision
from service.errors import ConflictError, NotFoundError
from service.issuance import Signed
from service.runtime import Runtime
from service.tables import Achievement, AchievementVersion, Award, AwardEvidence, Member, Network

LIVE = ("pending", "awarded", "suspended")
"""States of an award beside which there is no other."""
Prepared = Mapping[tuple[Any, ...], Signed]
"""Signed credentials, by the keys of the decisions that they are for."""


class Versions:
    """By which published version of each achievement these members of a network are judged.

    With `topics`: only of achievements that listen to one of them.
    """

    def __init__(
        self, session: OrmSession, network: Network, member_ids: Sequence[UUID], topics: Collection[str] | None = None
    ) -> None:
        query = (
            select(AchievementVersion, Achievement.ref)
            .join(Achievement, Achievement.id == AchievementVersion.achievement_id)
            .where(Achievement.network_id == network.id)
            .order_by(AchievementVersion.version)
        )
        if topics is not None:
            query = query.where(Achievement.id.in_(listening.achievements(network, topics)))
        rows = session.execute(query)
        self._refs: set[str] = set()
        self._newest: dict[str, AchievementVersion] = {}
        self._by_id: dict[UUID, AchievementVersion] = {}
        for version, ref in rows:
            self._refs.add(ref)
            if version.published_at is not None:
                self._newest[ref] = self._by_id[version.id] = version
        self._member_ids = member_ids
        self._bound = enrolments.bindings(session, member_ids)

    def for_member(self, member_id: UUID, ref: str) -> AchievementVersion:
        """Return the version of the achievement `ref` by which the member is judged.

        Raises:
            NotFoundError: no such achievement (code "achievement-unknown").
            ConflictError: no version of it is published (code "achievement-unpublished").
        """
        newest = self._newest.get(ref)
        if newest is not None:
            return self._chosen(member_id, newest)
        if ref in self._refs:
            message = "Expected a published achievement; this one is a draft."
            raise ConflictError("achievement-unpublished", message, "/achievement")
        raise NotFoundError("achievement-unknown", "No achievement of this network has this ref.", "/achievement")

    def judged(self) -> list[tuple[AchievementVersion, list[UUID]]]:
        """Return the versions with the members who are judged by each."""
        groups: dict[UUID, list[UUID]] = {}
        for newest in self._newest.values():
            for member_id in self._member_ids:
                groups.setdefault(self._chosen(member_id, newest).id, []).append(member_id)
        return [(self._by_id[version_id], member_ids) for version_id, member_ids in groups.items()]

    def _chosen(self, member_id: UUID, newest: AchievementVersion) -> AchievementVersion:
        return self._by_id[self._bound.get((member_id, newest.achievement_id), newest.id)]


def prepare(
    running: Runtime, network_id: UUID, decide: Callable[[ReadSession, Network], Sequence[Decision]], now: datetime
) -> Prepared:
    """Return the signed credentials of what would be decided now, for the transaction that decides it."""
    with running.database.read() as session:
        network = session.get_one(Network, network_id)
        decisions = decide(session, network)
        if not decisions:
            return {}
        status_list = status_lists.find_open(session, network)
        if status_list is not None:
            issuer = issuance.issuer_of(session, running, network)
            written = drafts.write(session, running.settings, network, decisions, status_list, now)
            return {draft.decision.key: issuance.sign_draft(issuer, draft) for draft in written}
    with running.database.write() as session:
        status_lists.open_list(session, running, session.get_one(Network, network_id), now)
    return prepare(running, network_id, decide, now)


def carry_out(
    session: WriteSession,
    running: Runtime,
    network: Network,
    decisions: Sequence[Decision],
    caller: Caller | None,
    now: datetime,
    prepared: Prepared,
) -> list[Award]:
    """Write down the decisions as awards with their credentials, in the same order.

    1. What was not signed before, for these very decisions, is signed now.
    2. A place in a status list that somebody else took in the meantime means another credential.

    Raises:
        CustodyError: a key cannot be used; nothing was written.
    """
    if not decisions:
        return []
    issuer = issuance.issuer_of(session, running, network)
    signed = {decision.key: prepared[decision.key] for decision in decisions if decision.key in prepared}
    while True:
        for key in _displaced(session, signed):  # (2)
            del signed[key]
        missing = [decision for decision in decisions if decision.key not in signed]
        if not missing:
            break
        status_list = status_lists.open_list(session, running, network, now)
        for draft in drafts.write(session, running.settings, network, missing, status_list, now):  # (1)
            signed[draft.decision.key] = issuance.sign_draft(issuer, draft)
    rows = [
        Award(
            network_id=network.id,
            member_id=decision.member_id,
            achievement_id=decision.version.achievement_id,
            achievement_version_id=decision.version.id,
            basis=decision.basis,
            state="awarded",
            reason=decision.reason,
            awarded_at=decision.awarded_at,
            decided_at=now,
            token_id=caller.token_id if caller else None,
            actor_member_id=caller.member_id if caller else None,
        )
        for decision in decisions
    ]
    session.add_all(rows)
    session.flush()
    for row, decision in zip(rows, decisions, strict=True):
        rest_on(session, row, decision.record_ids)
        events.append(session, network, "award.made", about(row), now)
    networks.remember_base_url(session, running.settings)
    ready = [signed[decision.key] for decision in decisions]
    credentials = [issuance.store(session, network, row, each, now) for row, each in zip(rows, ready, strict=True)]
    session.flush()
    for credential, each in zip(credentials, ready, strict=True):
        if each.draft.mailed:
            messages.queue(session, network, credential, now)
    return rows


def _displaced(session: WriteSession, signed: Prepared) -> list[tuple[Any, ...]]:
    """Return the keys of those whose place in a status list is taken; from here on nobody else takes one."""
    found: list[tuple[Any, ...]] = []
    for list_id in sorted({each.draft.status_list_id for each in signed.values()}):
        status_lists.lock(session, list_id)
        here = {key: each.draft.status_index for key, each in signed.items() if each.draft.status_list_id == list_id}
        taken = status_lists.taken(session, list_id, here.values())
        for key, index in here.items():
            if index in taken:
                found.append(key)
            taken.add(index)
    return found


def rest_on(session: WriteSession, row: Award, record_ids: Collection[UUID]) -> None:
    """Add on which records an award rests."""
    session.add_all(AwardEvidence(award_id=row.id, record_id=record_id) for record_id in record_ids)


def lock_members(session: WriteSession, *where: ColumnElement[bool]) -> list[UUID]:
    """Lock members, the first lock of all, in the order of their identifiers; evidence may still be posted on them."""
    return list(session.scalars(select(Member.id).where(*where).order_by(Member.id).with_for_update(key_share=True)))


def about(row: Award) -> dict[str, str]:
    """Return the identifiers by which events speak of an award."""
    version, member = str(row.achievement_version_id), str(row.member_id)
    return {"award": str(row.id), "achievement_version": version, "member": member}
