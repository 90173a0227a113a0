"""Take in many records in one body, one a line, chunk by chunk.

So neither memory nor a transaction grows with the body. The whole body is in a file before anything is written. Each
chunk is one transaction, in which the import's `next_line` moves on and the chunk's answer lines are stored; the answer
is sent after the last chunk. So a request that is killed in between loses nothing and does nothing twice: the same body
with the same `Idempotency-Key` goes on at `next_line`. Two requests at the same moment share the work, chunk by chunk,
and each gives the whole answer.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, BinaryIO, Literal
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy import delete, select

from credentials import CredentialError, parse_json
from service.access import callers
from service.access.act import Act
from service.access.callers import Caller
from service.awards import settling
from service.bodies import validated
from service.errors import ServiceError
from service.evidence import derivation, recording
from service.intake import members, posting
from service.networks.members import MemberIn
from service.runtime.runtime import Runtime
from service.storage import locks
from service.tables import Idempotency, Import, ImportAnswer, Network
from service.web import idempotency
from service.web.idempotency import KEPT_FOR

CHUNK_LINES = 500
CHUNK_BYTES = 4 * 1024 * 1024
"""A chunk ends here too; lines can be long."""

Kind = Literal["members", "contributions", "evaluations"]
SHAPES: Mapping[Kind, TypeAdapter[Any]] = {
    "members": TypeAdapter(MemberIn),
    "contributions": derivation.SHAPES["contribution"],
    "evaluations": derivation.SHAPES["evaluation"],
}
Refusal = ServiceError | CredentialError


@dataclass(frozen=True)
class Spool:
    """A body that has arrived: the file that holds it, and its SHA-256."""

    file: BinaryIO
    sha256: str


@dataclass(frozen=True)
class BulkRequest:
    """Who sends which kind of record to which network.

    `address` is method, path and query: what the `Idempotency-Key` stands for besides the body.
    """

    network_id: UUID
    caller: Caller
    kind: Kind
    address: str
    key: str | None


@dataclass(frozen=True)
class LineOutcome:
    """What became of one line."""

    status: Literal["accepted", "duplicate", "held", "quarantined", "rejected"]
    id: UUID | None = None
    problem: Refusal | None = None


def run(runtime: Runtime, request: BulkRequest, spool: Spool) -> UUID:
    """Take in a body and return the id of its import, whose answer is then complete.

    Raises:
        ConflictError: the key came with another request (code "idempotency-key-reused"), or the network is closed.
    """
    import_id, next_line = _begin(runtime, request, spool)
    limit = runtime.settings.max_body_bytes
    for chunk in _chunks(spool.file, limit):
        parsed = {
            number: _parsed(text, SHAPES[request.kind], limit) for number, text in chunk.items() if number >= next_line
        }
        if not parsed:
            continue
        with runtime.database.write() as session:
            row = locks.one(session, Import, Import.id == import_id)
            network = callers.still_open(session.get_one(Network, request.network_id))
            left = {number: body for number, body in parsed.items() if number >= row.next_line}
            if left:
                act = Act(session, network, request.caller, runtime.now())
                outcomes = _take(act, request.kind, list(left.values()))
                text = "".join(_answer(number, each) for number, each in zip(left, outcomes, strict=True))
                session.add(ImportAnswer(import_id=import_id, first_line=min(left), lines=text))
                row.next_line = max(left) + 1
            next_line = row.next_line
        settling.settle_pending(runtime, request.network_id)
    with runtime.database.write() as session:
        row = locks.one(session, Import, Import.id == import_id)
        row.finished_at = row.finished_at or runtime.now()
    settling.settle_pending(runtime, request.network_id)  # also for a request that was killed before that
    return import_id


def answer(runtime: Runtime, import_id: UUID) -> Iterator[str]:
    """Yield the answer lines of an import, chunk by chunk, in the order of the lines.

    Shape: one JSON object a line, `{line, status: accepted|duplicate|held|quarantined|rejected, id?, problem?}`; a
    problem is `{code, detail, pointer?, ...}`.
    """
    last = 0
    query = select(ImportAnswer).where(ImportAnswer.import_id == import_id).order_by(ImportAnswer.first_line).limit(1)
    while True:
        with runtime.database.read() as session:
            row = session.scalar(query.where(ImportAnswer.first_line > last))
        if row is None:
            return
        last = row.first_line
        yield row.lines


def _begin(runtime: Runtime, request: BulkRequest, spool: Spool) -> tuple[UUID, int]:
    """Return the import to work on, new or that of an earlier request with the same key, and its next line."""
    now, key = runtime.now(), request.key
    with runtime.database.write() as session:
        old = select(Import.id).where(Import.started_at <= now - KEPT_FOR)
        session.execute(delete(ImportAnswer).where(ImportAnswer.import_id.in_(old)))
        if key is not None:
            digest = sha256(f"{request.address}\nNDJSON {spool.sha256}".encode()).hexdigest()
            kept = idempotency.begin(session, request.caller, key, digest, now)
            if kept is not None and kept.import_id is not None:
                return kept.import_id, session.get_one(Import, kept.import_id).next_line
        made = Import(
            network_id=request.network_id,
            token_id=request.caller.token_id,
            kind=request.kind,
            body_sha256=spool.sha256,
            started_at=now,
        )
        session.add(made)
        session.flush()
        if key is not None:
            session.get_one(Idempotency, (request.caller.token_id, key)).import_id = made.id
        return made.id, made.next_line


def _chunks(file: BinaryIO, max_line_bytes: int) -> Iterator[dict[int, bytes]]:
    """Yield the lines of a body by their numbers, from 1, some at a time; blank lines are numbered, but left out."""
    file.seek(0)
    chunk: dict[int, bytes] = {}
    size = 0
    for number, text in enumerate(_texts(file, max_line_bytes), start=1):
        if text.strip():
            chunk[number] = text
            size += len(text)
        if len(chunk) == CHUNK_LINES or size >= CHUNK_BYTES:
            yield chunk
            chunk, size = {}, 0
    yield chunk


def _texts(file: BinaryIO, max_line_bytes: int) -> Iterator[bytes]:
    """Yield the lines of a file; of a line that is too long, only enough to see that it is."""
    while text := file.readline(max_line_bytes + 1):
        yield text
        while len(text) > max_line_bytes and not text.endswith(b"\n"):
            text = file.readline(max_line_bytes + 1)


def _parsed(text: bytes, shape: TypeAdapter[Any], max_line_bytes: int) -> Any:
    """Return the body that a line holds, or what is wrong with it."""
    try:
        return validated(shape, parse_json(text.rstrip(b"\r\n"), max_bytes=max_line_bytes))
    except (ServiceError, CredentialError) as error:
        return error


def _take(act: Act, wanted: Kind, lines: Sequence[Any]) -> list[LineOutcome]:
    """Take in what the lines of a chunk hold, and return what became of each."""
    bodies = [line for line in lines if not isinstance(line, Refusal)]
    if wanted == "members":
        put = members.put_members(act, bodies)
        taken = [
            _refused(each) if isinstance(each, ServiceError) else LineOutcome("accepted", each[0].id) for each in put
        ]
    else:
        kind: recording.Kind = "contribution" if wanted == "contributions" else "evaluation"
        submitted = posting.submit_all(act, kind, bodies)
        taken = [
            _refused(each) if isinstance(each, ServiceError) else LineOutcome(each.status, each.record.id)
            for each in submitted
        ]
    outcomes = iter(taken)
    return [_refused(line) if isinstance(line, Refusal) else next(outcomes) for line in lines]


def _refused(problem: Refusal) -> LineOutcome:
    return LineOutcome("rejected", problem=problem)


def _answer(number: int, outcome: LineOutcome) -> str:
    said: dict[str, Any] = {"line": number, "status": outcome.status}
    if outcome.id is not None:
        said["id"] = str(outcome.id)
    if outcome.problem is not None:
        problem = outcome.problem
        said["problem"] = {"code": problem.code, "detail": str(problem)}
        if problem.pointer:
            said["problem"]["pointer"] = problem.pointer
        if isinstance(problem, ServiceError):
            said["problem"] |= problem.details
    return json.dumps(said, ensure_ascii=False, separators=(",", ":")) + "\n"
