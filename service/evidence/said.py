"""What records say, under the network's own names, for many at once.

What counts is derived, and told as it counts: of an evaluation of a contribution, for example, the member whose it is.
What is held, quarantined or void is told as it was posted.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session as OrmSession
from sqlalchemy.orm import aliased

from service.evidence import derivation
from service.tables import Contribution, ContributionTag, Evaluation, Meeting, Member, Network, Record, RecordBody

INSTRUMENTS = ("rubric", "assessment", "instrument", "skill")
"""What the kinds of evaluations call that with which they evaluate."""
POSTED = (
    "member",
    "type",
    "minutes",
    "session",
    "resource",
    "tags",
    "peer",
    "kind",
    "about",
    "evaluator",
    *INSTRUMENTS,
)
"""The members of bodies that are told."""


@dataclass(frozen=True)
class Said:
    """What a record says.

    `member` is whom it is about, and `about` what an evaluation judges, by the kind of thing: its name;
    `rubric_version` is the version of a posted rubric against which it was held.
    """

    type: str | None = None
    member: str | None = None
    member_id: UUID | None = None
    minutes: int | None = None
    session: str | None = None
    resource: str | None = None
    tags: tuple[str, ...] = ()
    peer: str | None = None
    evaluator: str | None = None
    evaluator_id: UUID | None = None
    about: Mapping[str, str] = field(default_factory=dict)
    instrument: str | None = None
    scaled: float | None = None
    rubric_version: int | None = None

    @property
    def self_report(self) -> bool:
        """Whether it is a member's answer in a survey about that same member."""
        return self.type == "survey" and "member" in self.about and self.evaluator == self.member is not None


def by(session: OrmSession, records: Sequence[Record]) -> dict[UUID, Said]:
    """Return what each of these records of one network says, by its id; nothing for what takes others back."""
    ids = {kind: [row.id for row in records if row.kind == kind] for kind in ("contribution", "evaluation")}
    told = dict(_contributions(session, ids["contribution"])) if ids["contribution"] else {}
    told |= dict(_evaluations(session, ids["evaluation"])) if ids["evaluation"] else {}
    left = [record_id for some in ids.values() for record_id in some if record_id not in told]
    told |= _posted(session, records[0].network_id, left) if left else {}
    used = derivation.versions_used(session, ids["evaluation"])
    return told | {
        record_id: replace(told[record_id], rubric_version=used[record_id]) for record_id in used if record_id in told
    }


def _contributions(session: OrmSession, record_ids: Collection[UUID]) -> Iterator[tuple[UUID, Said]]:
    tags: defaultdict[UUID, list[str]] = defaultdict(list)
    tagged = select(ContributionTag.record_id, ContributionTag.tag).where(ContributionTag.record_id.in_(record_ids))
    for record_id, tag in session.execute(tagged.order_by(ContributionTag.tag)):
        tags[record_id].append(tag)
    peer = aliased(Member)
    query = (
        select(Contribution, Member.ref, Meeting.ref, peer.ref)
        .join(Member, Member.id == Contribution.member_id)
        .outerjoin(Meeting, Meeting.id == Contribution.session_id)
        .outerjoin(peer, peer.id == Contribution.peer_id)
        .where(Contribution.record_id.in_(record_ids))
    )
    for row, member, meeting, with_whom in session.execute(query):
        yield (
            row.record_id,
            Said(
                type=row.type,
                member=member,
                member_id=row.member_id,
                minutes=row.minutes,
                session=meeting,
                resource=row.resource,
                tags=tuple(tags[row.record_id]),
                peer=with_whom,
            ),
        )


def _evaluations(session: OrmSession, record_ids: Collection[UUID]) -> Iterator[tuple[UUID, Said]]:
    evaluator = aliased(Member)
    of_kind = {kind: Evaluation.about_kind == kind for kind in ("session", "contribution")}
    first = aliased(Record)
    query = (
        select(Evaluation, Network.slug, Member.ref, evaluator.ref, Meeting.ref, func.coalesce(first.ref, Record.ref))
        .join(Network, Network.id == Evaluation.network_id)
        .outerjoin(Member, Member.id == Evaluation.member_id)
        .outerjoin(evaluator, evaluator.id == Evaluation.evaluator_id)
        .outerjoin(Meeting, and_(of_kind["session"], Meeting.id == Evaluation.about_id))
        .outerjoin(Record, and_(of_kind["contribution"], Record.id == Evaluation.about_id))
        .outerjoin(first, first.id == Record.first_id)
        .where(Evaluation.record_id.in_(record_ids))
    )
    for row, slug, member, judge, meeting, work in session.execute(query):
        names = {"member": member, "session": meeting, "contribution": work, "network": slug}
        yield (
            row.record_id,
            Said(
                type=row.kind,
                member=member,
                member_id=row.member_id,
                session=meeting,
                evaluator=judge,
                evaluator_id=row.evaluator_id,
                about={row.about_kind: names.get(row.about_kind) or str(row.about_id)},
                instrument=row.instrument,
                scaled=row.scaled,
            ),
        )


def _posted(session: OrmSession, network_id: UUID, record_ids: Collection[UUID]) -> dict[UUID, Said]:
    columns = [RecordBody.body[name] for name in POSTED]
    rows = session.execute(select(RecordBody.record_id, *columns).where(RecordBody.record_id.in_(record_ids)))
    told = {row[0]: _as_posted(dict(zip(POSTED, row[1:], strict=True))) for row in rows}
    refs = {ref for said in told.values() for ref in (said.member, said.evaluator) if ref is not None}
    if not refs:
        return told
    known = select(Member.ref, Member.id).where(Member.network_id == network_id, Member.ref.in_(refs))
    ids: dict[str | None, UUID] = dict(session.execute(known).all())
    return {
        record_id: replace(said, member_id=ids.get(said.member), evaluator_id=ids.get(said.evaluator))
        for record_id, said in told.items()
    }


def _as_posted(body: dict[str, Any]) -> Said:
    about = body["about"] or {}
    return Said(
        type=body["kind"] or body["type"],
        member=body["member"] or about.get("member"),
        minutes=body["minutes"],
        session=body["session"] or about.get("session"),
        resource=body["resource"],
        tags=tuple(sorted(set(body["tags"] or ()))),
        peer=body["peer"],
        evaluator=body["evaluator"],
        about=about,
        instrument=next((body[name] for name in INSTRUMENTS if body[name] is not None), None),
    )
