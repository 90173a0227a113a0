"""Our rows about a badge issued here: its receipt, version and cited records."""

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import and_, func, select
from sqlalchemy.orm import aliased

from credentials import reading
from service.evidence import records
from service.evidence.bodies import seal
from service.issuing import receipts
from service.public import addresses, documents
from service.runtime.runtime import Runtime
from service.signing import issuers
from service.storage.database import ReadSession
from service.tables import (
    AchievementVersion,
    Award,
    AwardEvidence,
    Blob,
    Contribution,
    Evaluation,
    Network,
    Receipt,
    Record,
    RecordBody,
)

MAX_RECORDS: Final = 500
"""How many records of one badge are compared; it cites at most 100, and its receipt names all."""
MAX_FILE_BYTES: Final = 1_048_576
"""How many bytes of files are read for one badge where that must be quick."""
MAX_FILE_BYTES_ASKED: Final = 67_108_864
"""How many bytes are read where somebody asked for it."""


@dataclass(frozen=True)
class OwnBadge:
    """A badge that was issued here.

    `receipt` is the public form of the cited receipt, if we have it.
    """

    network_id: UUID
    award_id: UUID
    review_since: datetime | None
    version: AchievementVersion
    receipt: str | None


def find(
    session: ReadSession, runtime: Runtime, credential: Mapping[str, Any], receipt_url: str | None
) -> OwnBadge | None:
    """Return our rows about a badge.

    Return None where it was not issued here, no matter what it says.

    A private badge is found too: someone who can show it knows everything that is said about it here.

    Args:
        credential: with a valid signature.
        receipt_url: the address that it gives for its receipt.
    """
    address = credential.get("id")
    if not isinstance(address, str) or not addresses.is_ours(runtime.settings, address):
        return None
    row = documents.credential_at(session, address)
    if row is None:
        return None
    receipt_id = (receipt_url or "").rpartition("/receipts/")[2].removesuffix(".json")
    award, network, version, receipt = session.execute(
        select(Award, Network, AchievementVersion, Receipt.public)
        .join(Network, Network.id == Award.network_id)
        .join(AchievementVersion, AchievementVersion.id == Award.achievement_version_id)
        .outerjoin(Receipt, and_(Receipt.award_id == Award.id, Receipt.id == receipt_id))
        .where(Award.id == row.award_id)
    ).one()
    if issuers.network_did(runtime.settings, network) != reading.id_of(credential.get("issuer")):
        return None
    return OwnBadge(network.id, award.id, award.review_since, version, receipt)


def compare(
    session: ReadSession, own: OwnBadge, seals: Collection[str], told: Mapping[UUID, str], *, file_bytes: int
) -> Iterator[str]:
    """Compare the records that a badge cites; yield reasons of `comparison.REASONS`.

    1. The salted body of each still has the seal; of an erased one, the record still has it.
    2. Each of them, and each further one that the receipt names, still counts: it was not voided or set aside, and
       neither was what it was about. Of a corrected one the correction counts, and the award rests on that.
    3. The files in each still have their digests, as far as `file_bytes` suffice.

    Args:
        seals: SHA-256, 64 hexadecimal digits each.
        told: the seal of each record that the receipt names.
    """
    cited = {record_id: digest for record_id, digest in told.items() if digest in seals}
    if len(set(cited.values())) < len(set(seals)):  # signed again, with other records than those of the decision
        cited |= _rested_on(session, own, seals)
    beyond = [record_id for record_id in told if record_id not in cited]
    asked = [*cited, *beyond][:MAX_RECORDS]
    found = {row[0]: row[1:] for row in _rows(session, own, asked, list(cited))}
    files: set[str] = set()
    corrected = records.corrected(session, [record_id for record_id, row in found.items() if not row[-1]])
    if corrected:
        carried = receipts.rests_on_the_present(session, own.award_id)
        yield "evidence-corrected" if carried else "evidence-corrected-by-people"
    for record_id in asked:
        if record_id not in found:
            yield "evidence-not-on-record"
            continue
        digest, salt, body, counts = found[record_id]
        if not counts and record_id not in corrected:  # (2)
            yield "evidence-taken-back"
        elif record_id in cited:
            yield _body(cited[record_id], digest, salt, body)  # (1)
        files |= _files(body) if record_id in cited else set()
    if set(seals) - set(cited.values()):
        yield "evidence-not-on-record"
    yield from _changed_files(session, own, files, file_bytes)  # (3)


def _body(sealed: str, digest: str, salt: str | None, body: Any) -> str:
    if digest != sealed:
        return "evidence-changed"
    if salt is None or body is None:
        return "evidence-erased"
    return "evidence-unchanged" if seal(salt, body) == sealed else "evidence-changed"


def _rested_on(session: ReadSession, own: OwnBadge, seals: Collection[str]) -> dict[UUID, str]:
    rows = session.execute(
        select(Record.id, Record.body_digest)
        .join(AwardEvidence, AwardEvidence.record_id == Record.id)
        .where(AwardEvidence.award_id == own.award_id, Record.body_digest.in_(seals))
    )
    return dict(rows.all())


def _rows(session: ReadSession, own: OwnBadge, record_ids: Sequence[UUID], cited: Collection[UUID]) -> Iterator[Any]:
    """Yield id, seal, salt, body (if cited) and whether it counts, for each record that exists."""
    void = aliased(Record)
    derived = func.coalesce(Contribution.record_id, Evaluation.record_id)
    counts = and_(Record.status == "accepted", void.id.is_(None), derived.is_not(None))
    yield from session.execute(
        select(Record.id, Record.body_digest, Record.salt, RecordBody.body, counts)
        .outerjoin(RecordBody, and_(RecordBody.record_id == Record.id, Record.id.in_(cited)))
        .outerjoin(void, void.voids == Record.id)
        .outerjoin(Contribution, Contribution.record_id == Record.id)
        .outerjoin(Evaluation, Evaluation.record_id == Record.id)
        .where(Record.network_id == own.network_id, Record.id.in_(record_ids))
    )


def _files(body: Any) -> set[str]:
    """Return the digests of the network's own files that a body names."""
    return {artifact["blob"] for artifact in (body or {}).get("artifacts", ()) if "blob" in artifact}


def _changed_files(session: ReadSession, own: OwnBadge, files: Collection[str], file_bytes: int) -> Iterator[str]:
    if not files:
        return
    mine = Blob.network_id == own.network_id
    sizes = session.execute(select(Blob.sha256, Blob.size_bytes).where(mine, Blob.sha256.in_(files))).all()
    if len(sizes) < len(files):
        yield "evidence-file-missing"
    for sha256, size_bytes in sorted(sizes, key=lambda row: row.size_bytes):
        file_bytes -= size_bytes
        if file_bytes < 0:
            yield "evidence-large"
            return
        content = session.scalars(select(Blob.content).where(mine, Blob.sha256 == sha256)).one()
        if hashlib.sha256(content).hexdigest() != sha256:
            yield "evidence-changed"
