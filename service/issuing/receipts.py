"""Receipts: why an award was made, rule by rule, so that anyone can retrace it.

The public form names nobody: people and reasons are in it as salted digests, and records as the seals that the
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
from sqlalchemy.orm import aliased

from credentials.instants import write_instant
from credentials.strict_json import canonical_json
from service.access.act import Act
from service.achievements import achievements
from service.evidence import records
from service.evidence.bodies import seal
from service.issuing import citations
from service.issuing.decision import Decider, Decision, UnstoredReceipt
from service.issuing.receipt_form import FORM
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
    Member,
    Network,
    Receipt,
    Record,
)
from service.tables.identifiers import new_credential_id, new_salt


@dataclass(frozen=True)
class RetracedDecision:
    """The result of making a decision again as it was made then.

    `outcome`: "same", the same receipt; "differs", another one; "erased", some of its evidence was erased, so that the
    outcome on record stands; "decided", no rule made the decision, so that there is nothing to work out again.
    """

    outcome: str
    receipt: Receipt
    sha256: str


def receipt_url(settings: Settings, receipt_id: str) -> str:
    """Return the public address of a receipt."""
    return f"{settings.base_url}/receipts/{receipt_id}"


def evidence(settings: Settings, receipt: UnstoredReceipt) -> dict[str, Any]:
    """Return the evidence item with which a credential cites its receipt.

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
) -> list[UnstoredReceipt]:
    """Return the receipts of decisions made at `as_of`, in the same order.

    A decision that has a receipt keeps it. The position is that of the newest record that was committed by then.
    Records that arrive together with the decision have no position yet, and the receipt names them too.
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
        written.append(UnstoredReceipt(receipt_id, public, full, as_of, position))
    return written


def store(act: Act, award: Award, receipt: UnstoredReceipt) -> None:
    """Store the receipt of an award; its address answers from the commit on."""
    store_all(act, [(award, receipt)])


def store_all(act: Act, receipts: Sequence[tuple[Award, UnstoredReceipt]]) -> None:
    """Store the receipts of awards, each with its award; one that is stored already stays."""
    wanted = select(Receipt.id).where(Receipt.id.in_([receipt.id for _, receipt in receipts]))
    there = set(act.session.scalars(wanted))
    for award, receipt in receipts:
        award.receipt_digest = receipt.sha256
        if receipt.id not in there:
            act.session.add(
                Receipt(
                    id=receipt.id,
                    network_id=act.network.id,
                    award_id=award.id,
                    full=receipt.full,
                    public=receipt.public,
                    sha256=receipt.sha256,
                    as_of=receipt.as_of,
                    position=receipt.position,
                    decided_at=act.now,
                )
            )
    act.session.flush()


def of_award(session: OrmSession, award: Award) -> Receipt | None:
    """Return the receipt of an award.

    None if the award was made before there were receipts.
    """
    mine = select(Receipt).where(Receipt.award_id == award.id, Receipt.sha256 == award.receipt_digest)
    return session.scalar(mine)


def kept(row: Receipt) -> UnstoredReceipt:
    """Return a stored receipt as it was written."""
    return UnstoredReceipt(row.id, row.public, row.full, row.as_of, row.position)


def visible(session: OrmSession, receipt_id: str) -> Receipt | None:
    """Return the receipt at a public address.

    None if its credential is private, because then the receipt is private too.
    """
    row = session.get(Receipt, receipt_id)
    if row is None:
        return None
    shown = select(Credential.id).where(Credential.award_id == row.award_id, Credential.visibility != "private")
    return row if session.scalar(shown.limit(1)) is not None else None


def rests_on_the_present(session: OrmSession, award_id: UUID) -> bool:
    """Return whether an award rests on evidence that counts now: its rule was met still when some was corrected."""
    after = aliased(Record)
    gone = select(after.id).join(AwardEvidence, AwardEvidence.record_id == after.voids)
    return session.scalar(gone.where(AwardEvidence.award_id == award_id).limit(1)) is None


def retrace(session: OrmSession, settings: Settings, network: Network, award: Award, row: Receipt) -> RetracedDecision:
    """Make a decision again on the evidence of then, and compare the receipts.

    1. The evidence is what was known up to the receipt's position, and what arrived with the decision itself.
    2. What was hidden is hidden with the same salts, so that the same decision gives the same bytes.
    3. If a body was erased, or the member, the decision cannot be made again, and the outcome on record stands.
    """
    rested = select(AwardEvidence.record_id).where(AwardEvidence.award_id == award.id)
    gone = select(Record.id).where(Record.id.in_(rested), Record.salt.is_(None))
    erased = session.get_one(Member, award.member_id).erased_at is not None
    if erased or session.scalar(gone.limit(1)) is not None:  # (3)
        return RetracedDecision("erased", row, row.sha256)
    if award.basis not in ("rule", "approval"):
        return RetracedDecision("decided", row, row.sha256)
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
    return RetracedDecision("same" if again == row.sha256 else "differs", row, again)


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
    """Return the member's progress when the receipt was written.

    No other function looks back.
    """
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
    """Return the public form.

    It is canonical JSON (RFC 8785), so that its digest can also be computed from its content.
    """
    version, salts = decision.version, full["salts"]
    children = dict(enumerate(sorted(decision.child_ids, key=str)))
    versions = select(Award.id, Award.achievement_version_id).where(Award.id.in_(children.values()))
    of_child = dict(session.execute(versions).all()) if children else {}
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
    if decision.criteria is not None:
        said["criteria"] = decision.criteria
    if network.history_until is not None and (earlier := records.of_history(session, decision.record_ids)):
        said["earlier_records"] = {"records": len(earlier), **_history(network)}
    if decision.reason is not None:
        said["reason"] = _hidden(salts["reason"], "reason", decision.reason)
    return canonical_json(said).decode()


def _history(network: Network) -> dict[str, str]:
    """Return the network's history as it was declared."""
    moments = {
        "from": network.history_from,
        "until": network.history_until,
        "declared_at": network.history_declared_at,
        "open_until": network.history_open_until,
    }
    return {name: write_instant(moment) for name, moment in moments.items() if moment is not None}


def _hidden(salt: str, name: str, value: str) -> str:
    return citations.multibase(seal(salt, {name: value}))


def _digests(session: OrmSession, record_ids: Collection[UUID]) -> dict[UUID, str]:
    return dict(session.execute(select(Record.id, Record.body_digest).where(Record.id.in_(record_ids))).all())


def _unplaced(session: OrmSession, network: Network, member_ids: Collection[UUID]) -> defaultdict[UUID, set[UUID]]:
    """Return the records of this transaction that are about members, by member.

    Each member also has the records that void or correct others.
    """
    rows = session.execute(
        select(Record.id, Record.voids, func.coalesce(Contribution.member_id, Evaluation.member_id))
        .outerjoin(Contribution, Contribution.record_id == Record.id)
        .outerjoin(Evaluation, Evaluation.record_id == Record.id)
        .where(Record.network_id == network.id, Record.position.is_(None))
        .where(
            or_(Record.voids.is_not(None), Contribution.member_id.in_(member_ids), Evaluation.member_id.in_(member_ids))
        )
    ).all()
    found: defaultdict[UUID, set[UUID]] = defaultdict(set)
    for record_id, voided, bearing in rows:
        for member_id in member_ids if voided is not None else [bearing]:
            found[member_id].add(record_id)
    return found
