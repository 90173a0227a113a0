"""Evidence about a person as NDJSON: as it came, and what was made of it."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from sqlalchemy import select

from service.evidence import listing
from service.evidence.listing import RecordFilter
from service.evidence.records import ShownRecord
from service.sharing import about_oneself
from service.sharing.about_oneself import Held, Kind
from service.storage.database import ReadSession
from service.storage.paging import Window
from service.tables import Contribution, ContributionArtifact, Member, Network, RecordBody


def about(session: ReadSession, network: Network, member: Member, kind: Kind) -> Iterator[dict[str, Any]]:
    """Yield what the network holds about a member, as the page with their records shows it, the newest first.

    Args:
        kind: contribution: what they did; evaluation: what was said of them and of their work.
    """
    after: str | None = None
    while True:
        window = Window(after, of=f"own-{member.id}-{kind}")
        found, after = about_oneself.list_held(session, network, member, kind, window)
        reasons = _reasons(session, [each.shown for each in found])
        yield from (_held(each, reasons.get(each.shown.record.id)) for each in found)
        if after is None:
            return


def said_by(session: ReadSession, network: Network, member: Member) -> Iterator[dict[str, Any]]:
    """Yield what a member said of others, in their own words, the newest first."""
    after: str | None = None
    which = RecordFilter("evaluation", evaluator=member.ref)
    while True:
        window = Window(after, of=f"own-said-{member.id}")
        found, after = listing.list_records(session, network, which, window=window, sort="-received_at")
        query = select(RecordBody.record_id, RecordBody.body).where(
            RecordBody.record_id.in_([each.record.id for each in found])
        )
        bodies: dict[UUID, Any] = dict(session.execute(query).all())
        yield from (_shown(each) | {"body": bodies.get(each.record.id)} for each in found)
        if after is None:
            return


def files_of(session: ReadSession, member: Member) -> list[str]:
    """Return the digests of the files that a member handed in."""
    query = select(ContributionArtifact.sha256).join(
        Contribution, Contribution.record_id == ContributionArtifact.record_id
    )
    return sorted(set(session.scalars(query.where(Contribution.member_id == member.id))))


def _held(held: Held, reason: str | None) -> dict[str, Any]:
    found = _shown(held.shown) | {"state": held.state}
    found |= {"body": held.body, "erased": True} if held.body is None else {"body": held.body}
    if held.by is not None:
        found["evaluator"] = held.by
    if held.rubric is not None:
        found["rubric"] = {"name": held.rubric, "version": held.shown.said.rubric_version}
        found["ratings"] = {each.criterion: each.level for each in held.ratings}
    return found | ({"reason_of_correction": reason} if reason is not None else {})


def _shown(shown: ShownRecord) -> dict[str, Any]:
    row, said = shown.record, shown.said
    first = shown.first or row
    found: dict[str, Any] = {
        "id": row.id,
        "kind": row.kind,
        "ref": first.ref,
        "source": {"system": first.source_system, "id": first.source_id} if first.source_system else None,
        "received_at": row.received_at,
        "accepted_at": row.accepted_at,
        "occurred_at": row.occurred_at,
        "status": row.status,
        "tier": row.tier,
        "digest": row.body_digest,
        "salt": row.salt,
        "derived": {
            "type": said.type,
            "member": said.member,
            "minutes": said.minutes,
            "session": said.session,
            "resource": said.resource,
            "tags": list(said.tags),
            "about": dict(said.about),
            "instrument": said.instrument,
            "scaled": said.scaled,
        },
    }
    if shown.flags:
        found["flags"] = [each.kind for each in shown.flags]
    if shown.first is not None:
        found["corrects"] = shown.record.voids
    if shown.voided_by is not None:
        found["ended_by"] = {"kind": shown.voided_by.kind, "at": shown.voided_by.received_at, "id": shown.voided_by.id}
    return found


def _reasons(session: ReadSession, found: list[ShownRecord]) -> dict[Any, str | None]:
    ids = [each.record.id for each in found]
    return dict(
        session.execute(select(RecordBody.record_id, RecordBody.reason).where(RecordBody.record_id.in_(ids))).all()
    )
