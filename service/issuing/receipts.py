"""Decisions and their receipts: why an award was made, rule by rule, so that anyone can retrace it.

The public form names nobody: people and reasons stand in it as salted digests, and records by the seals that the
credential has too. The credential cites the digest of exactly the bytes that are served. What is hidden, and the
salts, are in the full form, which stays with the network.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session as OrmSession

from credentials.instants import write_instant
from credentials.strict_json import canonical_json
from service.achievements import achievements
from service.evidence.bodies import seal
from service.issuing import citations
from service.progress import progress
from service.progress.progress import Node
from service.runtime.settings import Settings
from service.signing import issuers
from service.tables import (
    AchievementVersion,
    Award,
    AwardEvidence,
    Contribution,
    Credential,
    Evaluation,
    Network,
    Receipt,
    Record,
)
from service.tables.identifiers import new_credential_id, new_salt

FORM = "receipt/1"


@dataclass(frozen=True)
class Decider:
    """Somebody who decided: the member to whom the token was bound, if any, and in which role."""

    token_id: UUID | None
    member_id: UUID | None
    role: str | None
    at: datetime


@dataclass(frozen=True)
class Written:
    """A receipt before it is kept: its address, the exact public bytes as text, and what those hide."""

    id: str
    public: str
    full: dict[str, Any]
    as_of: datetime
    position: int

    @property
    def sha256(self) -> str:
        """The digest of the public bytes: 64 hexadecimal digits."""
        return sha256(self.public.encode()).hexdigest()


@dataclass(frozen=True)
class Decision:
    """That a member has earned a version of an achievement, on which records that rests, and who decided it.

    Args:
        node: what the member had reached, where the rule decided.
        child_ids: the awards that a rule `holds` counted.
        waits: nothing is signed yet: "second", for a second person.
        receipt: the one there is already, when the award gets another credential.
    """

    member_id: UUID
    version: AchievementVersion
    basis: str
    awarded_at: datetime
    record_ids: tuple[UUID, ...] = ()
    reason: str | None = None
    deciders: tuple[Decider, ...] = ()
    node: Node | None = None
    child_ids: tuple[UUID, ...] = ()
    waits: str | None = None
    receipt: Written | None = None

    @property
    def cooling_off(self) -> str | None:
        """How long the award waits before it is signed; what was awarded elsewhere has been told already."""
        chosen: str | None = self.version.definition.get("cooling_off")
        return chosen if self.basis != "recorded" else None

    @property
    def pending(self) -> bool:
        """Whether nothing is signed for the moment."""
        return self.waits is not None or self.cooling_off is not None

    @property
    def purpose(self) -> str:
        """What the published status of the credential tells."""
        chosen: str = self.version.definition.get("status", "revocation")
        return chosen

    @property
    def key(self) -> tuple[Any, ...]:
        """What a credential that was signed for one decision must share with another to do for it."""
        shown = canonical_json(_node(self.node)) if self.node is not None else None
        return (
            *(self.member_id, self.version.id, self.basis, self.awarded_at, self.reason),
            *(frozenset(self.record_ids), self.deciders, frozenset(self.child_ids), shown),
        )


@dataclass(frozen=True)
class Retraced:
    """What came of deciding again as it was decided then.

    `outcome`: "same", the same receipt; "differs", another one; "erased", evidence of it is gone, so that what is on
    record stands; "decided", no rule made it, so that there is nothing to work out again.
    """

    outcome: str
    receipt: Receipt
    sha256: str


def receipt_url(settings: Settings, receipt_id: str) -> str:
    """Return the public address of a receipt."""
    return f"{settings.base_url}/receipts/{receipt_id}"


def evidence(settings: Settings, receipt: Written) -> dict[str, Any]:
    """Return how a credential cites its receipt.

    Spec: Open Badges 3.0, section B.1.10 (Evidence); VC Data Model 2.0, section 5.3 (`digestMultibase`).
    """
    return {
        "id": receipt_url(settings, receipt.id),
        "type": ["Evidence"],
        "name": "Decision receipt",
        "narrative": "How this award was decided, rule by rule, without names.",
        "genre": "receipt",
        "digestMultibase": citations.multibase(receipt.sha256),
    }


def write(
    session: OrmSession, settings: Settings, network: Network, decisions: Sequence[Decision], as_of: datetime
) -> list[Written]:
    """Return the receipts of decisions made at `as_of`, in the same order; those that have one keep it.

    The position is that of the newest record that was committed by then. What comes in together with the decision
    has no position yet and is named beside it.
    """
    fresh = [decision for decision in decisions if decision.receipt is None]
    if not fresh:
        return [decision.receipt for decision in decisions if decision.receipt is not None]
    position = session.scalar(select(func.max(Record.position)).where(Record.network_id == network.id)) or 0
    beside = _unplaced(session, network, [decision.member_id for decision in fresh])
    digests = _digests(session, {record_id for decision in fresh for record_id in decision.record_ids})
    written = []
    for decision in decisions:
        if decision.receipt is not None:
            written.append(decision.receipt)
            continue
        hidden = [f"child-{n}" for n in range(len(decision.child_ids))]
        hidden += [f"decider-{n}" for n in range(len(decision.deciders))]
        full = {
            "member": str(decision.member_id),
            "reason": decision.reason is not None,
            "deciders": [
                {
                    "token": str(each.token_id) if each.token_id else None,
                    "member": str(each.member_id) if each.member_id else None,
                    "role": each.role,
                    "at": each.at.isoformat(),
                }
                for each in decision.deciders
            ],
            "children": sorted(str(child_id) for child_id in decision.child_ids),
            "beside": sorted(str(record_id) for record_id in beside[decision.member_id]),
            "salts": {name: new_salt() for name in ("recipient", "reason", *hidden)},
        }
        receipt_id = new_credential_id()
        public = _public(session, settings, network, receipt_id, decision, full, as_of, position, digests)
        written.append(Written(receipt_id, public, full, as_of, position))
    return written


def keep(session: OrmSession, network: Network, award: Award, receipt: Written, now: datetime) -> None:
    """Store the receipt of an award, from the commit on at its address."""
    if session.get(Receipt, receipt.id) is None:
        session.add(
            Receipt(
                id=receipt.id,
                network_id=network.id,
                award_id=award.id,
                full=receipt.full,
                public=receipt.public,
                sha256=receipt.sha256,
                as_of=receipt.as_of,
                position=receipt.position,
                decided_at=now,
            )
        )
    award.receipt_digest = receipt.sha256
    session.flush()


def of_award(session: OrmSession, award: Award) -> Receipt | None:
    """Return the receipt by which an award stands; none for one that was made before there were receipts."""
    mine = select(Receipt).where(Receipt.award_id == award.id, Receipt.sha256 == award.receipt_digest)
    return session.scalar(mine)


def kept(row: Receipt) -> Written:
    """Return a stored receipt as it was written."""
    return Written(row.id, row.public, row.full, row.as_of, row.position)


def visible(session: OrmSession, receipt_id: str) -> Receipt | None:
    """Return the receipt at a public address; with a credential that is private, its receipt is too."""
    row = session.get(Receipt, receipt_id)
    if row is None:
        return None
    shown = select(Credential.id).where(Credential.award_id == row.award_id, Credential.visibility != "private")
    return row if session.scalar(shown.limit(1)) is not None else None


def retrace(session: OrmSession, settings: Settings, network: Network, award: Award, row: Receipt) -> Retraced:
    """Decide again as it was decided, on the evidence of then, and return whether the same receipt comes of it.

    1. The evidence is that up to the receipt's position, and what came in with the decision itself.
    2. What was hidden is hidden with the same salts, so that the same decision gives the same bytes.
    3. Where a body was erased, the outcome on record is the only one that there will be.
    """
    rested = select(AwardEvidence.record_id).where(AwardEvidence.award_id == award.id)
    gone = select(Record.id).where(Record.id.in_(rested), Record.salt.is_(None))
    if session.scalar(gone.limit(1)) is not None:  # (3)
        return Retraced("erased", row, row.sha256)
    if award.basis not in ("rule", "approval"):
        return Retraced("decided", row, row.sha256)
    version = session.get_one(AchievementVersion, award.achievement_version_id)
    node = _as_of(session, network, version, award.member_id, row)  # (1)
    decision = Decision(
        award.member_id,
        version,
        award.basis,
        award.awarded_at,
        node.record_ids,
        award.reason,
        _deciders(row.full),
        node,
        tuple(UUID(child) for child in row.full["children"]),
    )
    digests = _digests(session, node.record_ids)
    public = _public(session, settings, network, row.id, decision, row.full, row.as_of, row.position, digests)  # (2)
    again = sha256(public.encode()).hexdigest()
    return Retraced("same" if again == row.sha256 else "differs", row, again)


def deciders_of(session: OrmSession, awards: Collection[Award]) -> dict[UUID, tuple[Receipt, tuple[Decider, ...]]]:
    """Return the receipt of each award that has one, with who decided, by the award's id."""
    digests = {award.id: award.receipt_digest for award in awards}
    rows = session.scalars(select(Receipt).where(Receipt.award_id.in_(digests)))
    return {row.award_id: (row, _deciders(row.full)) for row in rows if row.sha256 == digests[row.award_id]}


def _deciders(full: Mapping[str, Any]) -> tuple[Decider, ...]:
    return tuple(
        Decider(
            UUID(each["token"]) if each["token"] else None,
            UUID(each["member"]) if each["member"] else None,
            each["role"],
            datetime.fromisoformat(each["at"]),
        )
        for each in full["deciders"]
    )


def _as_of(session: OrmSession, network: Network, version: AchievementVersion, member_id: UUID, row: Receipt) -> Node:
    """Return what the member had reached when the receipt was written: the one place that looks back."""
    beside = select(func.max(Record.position)).where(Record.id.in_([UUID(each) for each in row.full["beside"]]))
    position = max(row.position, session.scalar(beside) or 0)
    again = progress.evaluate(session, network, version, [member_id], row.as_of, as_of=row.as_of, position=position)
    return again[member_id]


def _public(
    session: OrmSession,
    settings: Settings,
    network: Network,
    receipt_id: str,
    decision: Decision,
    full: Mapping[str, Any],
    as_of: datetime,
    position: int,
    digests: Mapping[UUID, str],
) -> str:
    """Return the public form: canonical JSON (RFC 8785), so that its digest can be worked out from its content too."""
    version, salts = decision.version, full["salts"]
    children = dict(enumerate(sorted(decision.child_ids, key=str)))
    of_child = dict(
        session.execute(select(Award.id, Award.achievement_version_id).where(Award.id.in_(children.values()))).all()
    )
    said: dict[str, Any] = {
        "form": FORM,
        "id": receipt_url(settings, receipt_id),
        "issuer": issuers.network_did(settings, network),
        "achievement": achievements.version_url(settings, version),
        "version": version.version,
        "definition_sha256": version.definition_sha256,
        "recipient": _hidden(salts["recipient"], "member", str(decision.member_id)),
        "basis": decision.basis,
        "awarded_at": write_instant(decision.awarded_at),
        "as_of": write_instant(as_of),
        "position": position,
        "decided_by": [
            {
                "role": each.role or "network",
                "at": write_instant(each.at),
                "who": _hidden(salts[f"decider-{n}"], "decider", str(each.member_id or each.token_id)),
            }
            for n, each in enumerate(decision.deciders)
        ],
        "evidence": [
            {"id": str(record_id), "digest": citations.multibase(digests[record_id])}
            for record_id in sorted(decision.record_ids, key=str)
        ],
        "holds": [
            {
                "achievement": f"{settings.base_url}/achievements/{of_child[child_id]}",
                "award": _hidden(salts[f"child-{n}"], "award", str(child_id)),
            }
            for n, child_id in children.items()
        ],
    }
    if decision.node is not None:
        said["criteria"] = _node(decision.node)
    if decision.reason is not None:
        said["reason"] = _hidden(salts["reason"], "reason", decision.reason)
    return canonical_json(said).decode()


def _node(node: Node) -> dict[str, Any]:
    """Return what is public of a rule or group: the criteria are published, the member's numbers are what was earned."""
    shown = node.to_json()
    said = {name: shown[name] for name in ("rule", "met", "observed", "required", "text")}
    if node.children:
        return said | {"children": [_node(child) for child in node.children]}
    return said | {"evidence": sorted(str(record_id) for record_id in node.record_ids)}


def _hidden(salt: str, name: str, value: str) -> str:
    return citations.multibase(seal(salt, {name: value}))


def _digests(session: OrmSession, record_ids: Collection[UUID]) -> dict[UUID, str]:
    return dict(session.execute(select(Record.id, Record.body_digest).where(Record.id.in_(record_ids))).all())


def _unplaced(session: OrmSession, network: Network, member_ids: Collection[UUID]) -> defaultdict[UUID, set[UUID]]:
    """Return the records of this very transaction that bear on members, and those that take others back."""
    rows = session.execute(
        select(Record.id, Record.kind, func.coalesce(Contribution.member_id, Evaluation.member_id))
        .outerjoin(Contribution, Contribution.record_id == Record.id)
        .outerjoin(Evaluation, Evaluation.record_id == Record.id)
        .where(Record.network_id == network.id, Record.position.is_(None))
        .where(or_(Record.kind == "void", Contribution.member_id.in_(member_ids), Evaluation.member_id.in_(member_ids)))
    ).all()
    found: defaultdict[UUID, set[UUID]] = defaultdict(set)
    for record_id, kind, bearing in rows:
        for member_id in member_ids if kind == "void" else [bearing]:
            found[member_id].add(record_id)
    return found
