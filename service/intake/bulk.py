"""Take in many records in one body, one a line, chunk by chunk.

Each chunk is answered once it is committed. So neither memory nor a transaction grows with the body, and no proxy waits
long for the next piece of the answer. The whole body is in a file before anything is written. Each chunk is one
transaction, in which the import's `next_line` moves on and the chunk's answer lines are stored; then they are sent. So a
request that is broken off in between loses nothing and does nothing twice: the same body with the same
`Idempotency-Key` is given the same lines, and goes on at `next_line`. Two requests at the same moment share the work,
chunk by chunk, and each gives the whole answer.

The last line says that the answer is complete. An answer without it was broken off.
"""

import json
import time
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, BinaryIO
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy import delete, select

from credentials import CredentialError, parse_json
from credentials.strict_json import MAX_VALUES
from service.access import callers
from service.access.act import Act
from service.access.callers import Caller
from service.awards import settling
from service.bodies import validated
from service.criteria import rejudging
from service.errors import ServiceError
from service.faults import as_sentence
from service.intake import imports
from service.intake.bulk_kinds import KINDS, Chunk, Kind, LineOutcome, Name, Refusal, refused
from service.outbox import events
from service.runtime.runtime import Runtime
from service.storage import locks
from service.tables import Idempotency, Import, ImportAnswer, Network
from service.web import idempotency
from service.web.idempotency import KEPT_FOR

CHUNK_LINES = 500
CHUNK_BYTES = 4 * 1024 * 1024
"""A chunk ends here too; lines can be long."""
SETTLING_SECONDS = 20.0
"""How long a chunk's answer waits for awards to be decided; what is left is decided later."""


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
    kind: Name
    address: str
    key: str | None


def begin(runtime: Runtime, request: BulkRequest, spool: Spool) -> UUID:
    """Return the import to work on: a new one, or that of an earlier request with the same key.

    Raises:
        ConflictError: the key came with another request (code "idempotency-key-reused").
    """
    now, key = runtime.now(), request.key
    with runtime.database.write() as session:
        old = select(Import.id).where(Import.started_at <= now - KEPT_FOR)
        session.execute(delete(ImportAnswer).where(ImportAnswer.import_id.in_(old)))
        if key is not None:
            digest = sha256(f"{request.address}\nNDJSON {spool.sha256}".encode()).hexdigest()
            kept = idempotency.begin(session, request.caller, key, digest, now)
            if kept is not None and kept.import_id is not None:
                return kept.import_id
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
        return made.id


def take_in(runtime: Runtime, request: BulkRequest, spool: Spool, import_id: UUID) -> Iterator[None]:
    """Take in a body, chunk by chunk; each is committed, and its answer stored, when this yields.

    Raises:
        ConflictError: the network was closed.
        UnauthenticatedError: the token was revoked.
        CustodyError: awards cannot be signed now.
    """
    kind = KINDS[request.kind]
    for texts in _chunks(spool.file, runtime.settings.max_body_bytes, min(CHUNK_LINES, kind.lines)):
        _take_chunk(runtime, request, kind, import_id, texts)
        yield
    _finish(runtime, request, kind, import_id)


def work(runtime: Runtime, request: BulkRequest, spool: Spool, import_id: UUID) -> Iterator[str]:
    """Take in a body, and yield the answer lines of each chunk once it is committed, then the last line.

    Shape: one JSON object a line. For each line of the body `{line, status: accepted|duplicate|held|quarantined|rejected,
    id?, tier?, digest?, flags?, waits_for?, held_code?, version?, state?, awards_wait?, problem?}`; a problem is `{code, detail,
    pointer?, ...}`. The last one is `{status: complete, import, state, lines, counts}`, or `{status: stopped, import,
    problem}` if the rest cannot be taken in now.

    Raises:
        ServiceError: as `take_in`, if it is before the first answer.
    """
    told = 0
    try:
        for _ in take_in(runtime, request, spool, import_id):
            for row in answered(runtime, import_id, told):
                told = row.first_line
                yield row.lines
    except (ServiceError, CredentialError) as error:
        if not told:
            raise
        yield _line({"status": "stopped", "import": str(import_id), "problem": _problem(error)})
        return
    with runtime.database.read() as session:
        made = session.get_one(Import, import_id)
        said = {"state": imports.state_of(made, runtime.now()), "lines": made.next_line - 1, "counts": made.counts}
    yield _line({"status": "complete", "import": str(import_id)} | said)


def answered(runtime: Runtime, import_id: UUID, told: int = 0) -> Iterator[ImportAnswer]:
    """Yield the stored answers after a line, chunk by chunk, also those of a request at the same moment."""
    query = select(ImportAnswer).where(ImportAnswer.import_id == import_id).order_by(ImportAnswer.first_line).limit(1)
    while True:
        with runtime.database.read() as session:
            row = session.scalar(query.where(ImportAnswer.first_line > told))
        if row is None:
            return
        told = row.first_line
        yield row


def _take_chunk(
    runtime: Runtime, request: BulkRequest, kind: Kind, import_id: UUID, texts: Mapping[int, bytes]
) -> None:
    """Take in those lines of a chunk that are not in yet, note their answers, and decide what follows."""
    with runtime.database.read() as session:
        next_line = session.get_one(Import, import_id).next_line
    limit = runtime.settings.max_body_bytes
    parsed = {number: _parsed(text, kind.shape, limit) for number, text in texts.items() if number >= next_line}
    if not parsed:
        return
    now, prepared = runtime.now(), None
    if kind.prepare is not None:
        good = [body for body in parsed.values() if not isinstance(body, Refusal)]
        prepared = kind.prepare(runtime, request.network_id, request.caller, good, now)
    with runtime.database.write() as session:
        row = locks.one(session, Import, Import.id == import_id)
        network = callers.still_open(session.get_one(Network, request.network_id))
        left = {number: body for number, body in parsed.items() if number >= row.next_line}
        if not left:
            return
        act = Act(session, network, request.caller, now)
        if not kind.evidence:  # of evidence, its recording asks that
            callers.still_good(session, request.caller)
        outcomes = dict(zip(left, _outcomes(act, runtime, kind, list(left.values()), prepared), strict=True))
        session.add(ImportAnswer(import_id=import_id, first_line=min(left), lines=_answers(outcomes)))
        row.next_line = max(left) + 1
        row.counts = dict(Counter(row.counts) + Counter(each.status for each in outcomes.values()))
    _settle(runtime, request.network_id)
    _note_waiting(runtime, import_id, outcomes)


def _outcomes(act: Act, runtime: Runtime, kind: Kind, lines: Sequence[Any], prepared: Any) -> list[LineOutcome]:
    """Return what became of each line of a chunk: a body, or what is wrong with it."""
    bodies = [line for line in lines if not isinstance(line, Refusal)]
    taken = iter(kind.take(Chunk(act, runtime, bodies, prepared)))
    return [refused(line) if isinstance(line, Refusal) else next(taken) for line in lines]


def _finish(runtime: Runtime, request: BulkRequest, kind: Kind, import_id: UUID) -> None:
    """Note that a body is taken in; an event says so of evidence, and another one once everything is decided."""
    with runtime.database.write() as session:
        row = locks.one(session, Import, Import.id == import_id)
        if row.finished_at is None:
            act = Act(session, session.get_one(Network, request.network_id), request.caller, runtime.now())
            row.finished_at = act.now
            if kind.evidence and {"accepted", "held", "quarantined"} & row.counts.keys():
                events.append(act, "evidence.received", {"import": str(import_id)})
    _settle(runtime, request.network_id)  # also for a request that was killed before that
    imports.conclude(runtime, import_id)


def _settle(runtime: Runtime, network_id: UUID) -> None:
    ends = time.monotonic() + SETTLING_SECONDS
    settling.settle_if_possible(runtime, network_id, lambda: time.monotonic() < ends)


def _chunks(file: BinaryIO, max_line_bytes: int, most_lines: int) -> Iterator[dict[int, bytes]]:
    """Yield the lines of a body by their numbers, from 1, some at a time; blank lines are numbered, but left out."""
    file.seek(0)
    chunk: dict[int, bytes] = {}
    size = 0
    for number, text in enumerate(_texts(file, max_line_bytes), start=1):
        if text.strip():
            chunk[number] = text
            size += len(text)
        if len(chunk) == most_lines or size >= CHUNK_BYTES:
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
        return validated(shape, parse_json(text.rstrip(b"\r\n"), max_bytes=max_line_bytes, max_values=MAX_VALUES))
    except (ServiceError, CredentialError) as error:
        return error


def _note_waiting(runtime: Runtime, import_id: UUID, outcomes: Mapping[int, LineOutcome]) -> None:
    """Add to the answer of a chunk which lines are about members whose awards are not decided yet."""
    about = {each.member_id for each in outcomes.values() if each.status == "accepted" and each.member_id is not None}
    with runtime.database.read() as session:
        waiting = rejudging.marked(session, about)
    if waiting:
        with runtime.database.write() as session:
            session.get_one(ImportAnswer, (import_id, min(outcomes))).lines = _answers(outcomes, waiting)


def _answers(outcomes: Mapping[int, LineOutcome], waiting: Collection[UUID | None] = ()) -> str:
    return "".join(
        _answer(number, each, wait=each.status == "accepted" and each.member_id in waiting)
        for number, each in outcomes.items()
    )


def _answer(number: int, outcome: LineOutcome, *, wait: bool) -> str:
    said = {"line": number, "status": outcome.status} | dict(outcome.said)
    if wait:
        said["awards_wait"] = True
    if outcome.problem is not None:
        said["problem"] = _problem(outcome.problem)
    return _line(said)


def _problem(problem: Refusal) -> dict[str, Any]:
    said: dict[str, Any] = {"code": problem.code, "detail": as_sentence(str(problem), problem.pointer)}
    if problem.pointer:
        said["pointer"] = problem.pointer
    return said | (problem.details if isinstance(problem, ServiceError) else {})


def _line(said: Mapping[str, Any]) -> str:
    return json.dumps(said, ensure_ascii=False, separators=(",", ":")) + "\n"
