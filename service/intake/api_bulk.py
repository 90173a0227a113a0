"""Bodies of many lines over HTTP, and how far each is taken in."""

import hashlib
from collections.abc import AsyncIterator, Iterable
from contextlib import suppress
from datetime import UTC, datetime
from itertools import chain
from tempfile import TemporaryFile
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from pydantic import ConfigDict, Field
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.routing import Match
from starlette.types import Scope

from service.access import callers
from service.access.callers import Caller
from service.bodies import Instant, Uid
from service.errors import MediaTypeError
from service.evidence import evaluations
from service.intake import bulk, imports
from service.intake.api_corrections import AffectedAwardOut
from service.intake.api_records import HeldCode
from service.intake.bulk import Spool
from service.intake.bulk_kinds import KINDS, Name
from service.runtime.runtime import Runtime
from service.storage import private_files
from service.web.arriving import Arrival
from service.web.exactly_once import IdempotencyKey
from service.web.openapi import NDJSON
from service.web.openapi import lines as of_lines
from service.web.problems import Fault
from service.web.requests import Answer, Needs, Now, Reader, ReadNetwork, Running, StrictRoute, caller
from service.web.streaming import Streamed

ROOT: Final = "/v1/networks/{slug}"
MIXED_SINCE: Final = datetime(2026, 11, 29, tzinfo=UTC)
"""Since when bodies of many lines have addresses of their own; at those of single bodies they go for one version more."""
SCOPES: Final[dict[Name, tuple[str, ...]]] = {
    "members": ("members:write",),
    "sessions": ("members:write",),
    "contributions": ("evidence:write",),
    "evaluations": ("evidence:write",),
    "enrolments": ("achievements:write",),
    "awards": ("awards:write", "awards:override", "awards:record"),
    "corrections": ("evidence:write",),
}


class LineProblem(Answer):
    """Why a line was refused; some problems have further members."""

    model_config = ConfigDict(extra="allow")

    code: str = Field(examples=["member-unknown"])
    detail: str
    pointer: str | None = Field(None, description="JSON pointer into the line", examples=["/occurred_at"])
    errors: list[Fault] | None = None


class LineOut(Answer):
    """What became of one line, sent once it is committed; or, as the last line, of the whole body."""

    status: Literal["accepted", "duplicate", "held", "quarantined", "rejected", "complete", "stopped"] = Field(
        description="accepted: it is in (a member or session is added or changed); duplicate: the same was there; held, "
        "quarantined: as for a single one; rejected: see `problem`. The last line is complete, or stopped: the rest "
        "cannot be taken in now. An answer without it was broken off: send the same body again with the same "
        "`Idempotency-Key`, and it goes on from there"
    )
    line: int | None = Field(None, description="its number in the body, from 1; blank lines count")
    id: UUID | None = Field(None, description="of the record, member, session or award")
    tier: int | None = Field(None, description="of evidence: 0 self-reported ... 3 confirmed by the network")
    digest: str | None = Field(None, description="of evidence: the seal of the record")
    flags: list[str] | None = Field(None, description="of evidence: what is odd about it", examples=[["late"]])
    shares_person_with: list[str] | None = Field(
        None, description="of a member: refs of the members who are the same person"
    )
    waits_for: str | None = Field(
        None, description="if held: JSON pointer into the line, to the member for whom it waits"
    )
    held_code: HeldCode | None = Field(
        None, description="if held: why; until the member is posted, or until they accept the guidelines in force"
    )
    left_out: list[str] | None = Field(
        None, description="of evidence: JSON pointers to what is not stored, because the session is confidential"
    )
    version: int | None = Field(None, description="of an enrolment: by which version the member is judged")
    state: str | None = Field(
        None,
        description="of an award: its state; pending waits for its time, or for a second person. Of the last line: that "
        "of the import",
    )
    awards_wait: Literal[True] | None = Field(
        None, description="true: awards that it may complete are not decided yet; wait until the import is settled"
    )
    awards: list[AffectedAwardOut] | None = Field(
        None, description="of a correction: awards that rest on the record, and those that are new"
    )
    problem: LineProblem | None = None
    import_: UUID | None = Field(None, alias="import", description="in the last line: id of the import")
    lines: int | None = Field(None, description="in the last line: how many lines were taken in")
    counts: dict[str, int] | None = Field(
        None, description="in the last line: how many lines have which status", examples=[{"accepted": 480}]
    )


class ImportOut(Answer):
    """How far a body of many lines is taken in, and whether everything that it can have caused is decided."""

    id: UUID
    kind: str = Field(examples=["contributions"])
    state: imports.State = Field(
        description="receiving: not all lines are in (if the answer was broken off, send the body again with its key); "
        "broken-off: nor will they be, for the key is forgotten; settling: what they caused is being decided; settled: "
        "every award is decided that they can have led to. What waits for people then is in the queue of approvals"
    )
    lines: int = Field(description="how many lines were taken in")
    counts: dict[str, int] = Field(description="how many of them have which status", examples=[{"accepted": 480}])
    started_at: Instant
    finished_at: Instant | None = Field(None, description="when the last line was in")
    settled_at: Instant | None = Field(
        None, description="when everything was decided; the event `import.settled` says so"
    )


class Ndjson(Response):
    """An answer of many lines, as the description of the API names it."""

    media_type = NDJSON


class MixedRoute(StrictRoute):
    """One at the address of single bodies, only for bodies of many lines; any other body is another route's."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Match by path, method and content type."""
        sent = Headers(scope=scope) if scope["type"] == "http" else Headers()
        return super().matches(scope) if _of_lines(sent) else (Match.NONE, {})


def _of_lines(headers: Headers) -> bool:
    return headers.get("content-type", "").partition(";")[0].strip().lower() == NDJSON


class _OnlyLines:
    """Refuses a body of another media type before it is read."""

    async def before_the_body(self, request: Request) -> None:
        """Let a body of many lines pass.

        Raises:
            MediaTypeError: it is something else.
        """
        if not _of_lines(request.headers):
            raise MediaTypeError(NDJSON, request.headers.get("content-type"))

    def __call__(self) -> None:
        """Do nothing more."""


def open_network(slug: str, runtime: Running, who: Annotated[Caller, Depends(caller)]) -> UUID:
    """Return the id of the caller's network, from a session of its own.

    The work that follows needs many sessions.
    """
    with runtime.database.read() as session:
        return callers.still_open(callers.network_of(session, who, slug)).id


async def spooled(request: Request, runtime: Running) -> AsyncIterator[Spool]:
    """Yield the body in a temporary file, until the answer is sent; the router limits its size.

    The file has no name, so it is gone however the request ends.
    """
    folder = runtime.settings.data_folder
    private_files.make_folder(folder)
    digest = hashlib.sha256()
    Arrival.of(request.scope).to_file()
    file = TemporaryFile(dir=folder)  # noqa: SIM115  (closed below)
    try:
        async for piece in request.stream():
            digest.update(piece)
            await run_in_threadpool(file.write, piece)
        await run_in_threadpool(file.flush)
        yield Spool(file, digest.hexdigest())
    finally:
        with suppress(OSError):  # on a full disk it is written in vain once more
            file.close()


class Bulk:
    """A request of many lines, ready to be taken in."""

    # The order of the arguments is the order of the work: no body is spooled before its sender is known.
    def __init__(
        self,
        slug: str,
        who: Annotated[Caller, Depends(caller)],
        network_id: Annotated[UUID, Depends(open_network)],
        spool: Annotated[Spool, Depends(spooled)],
        request: Request,
        runtime: Running,
        key: IdempotencyKey = None,
    ) -> None:
        self._address = f"{request.method} {request.url.path}?{request.url.query}"
        self._parts = (runtime, network_id, who, spool, key)
        self._root = ROOT.format(slug=slug)

    def __call__(self, name: Name) -> Response:
        """Take in the first chunk, then answer with each chunk as it is committed.

        So what refuses the whole body has its status.
        """
        runtime, request, spool, import_id = self._begun(name)
        pieces = bulk.work(runtime, request, spool, import_id)
        return self._sent(chain([next(pieces)], pieces), f'<{self._root}/imports/{import_id}>; rel="status"')

    def here(self, name: Name) -> Response:
        """Take in everything, then answer, as before bodies of many lines had addresses of their own."""
        runtime, request, spool, import_id = self._begun(name)
        for _ in bulk.take_in(runtime, request, spool, import_id):
            pass
        answer = self._sent(
            (row.lines for row in bulk.answered(runtime, import_id)),
            f'<{self._root}/imports/{import_id}>; rel="status", <{self._root}/{name}/bulk>; rel="successor-version"',
        )
        answer.headers["Deprecation"] = f"@{int(MIXED_SINCE.timestamp())}"
        return answer

    def _begun(self, name: Name) -> tuple[Runtime, bulk.BulkRequest, Spool, UUID]:
        runtime, network_id, who, spool, key = self._parts
        request = bulk.BulkRequest(network_id, who, name, self._address, key)
        return runtime, request, spool, bulk.begin(runtime, request, spool)

    def _sent(self, pieces: Iterable[str], links: str) -> Response:
        return Streamed(pieces, media_type=NDJSON, headers={"Link": links})


Lines = Annotated[Bulk, Depends()]
own = APIRouter(route_class=StrictRoute)
mixed = APIRouter(route_class=MixedRoute, include_in_schema=False)
router = APIRouter(route_class=StrictRoute)


def _described(name: Name) -> dict[str, Any]:
    """Return the description of a body of lines."""
    line = KINDS[name].line
    models = [line] if isinstance(line, type) else evaluations.KINDS.values()
    return {"requestBody": {"required": True, "content": of_lines(*models, of="body")}}


def _taking(name: Name, summary: str, tag: str) -> dict[str, Any]:
    """Return what the route for bodies of one kind is made with."""
    return {
        "path": f"{ROOT}/{name}/bulk",
        "summary": summary,
        "tags": [tag],
        "dependencies": [Depends(Needs(*SCOPES[name])), Depends(_OnlyLines())],
        "response_class": Ndjson,
        "openapi_extra": _described(name),
        "responses": {
            200: {"content": of_lines(LineOut), "description": "A line for each line, and one for the whole body"}
        },
    }


@own.post(**_taking("members", "Add or change many members", "members"))
def add_members(lines: Lines) -> Response:
    """Add or change members, each line as `POST .../members` does.

    The answer has a line for each, sent once it is committed, and a last one with `status: complete`, the totals and the
    id of the import. If your connection breaks before that one, send the same body again with the same `Idempotency-Key`:
    you are given the same lines, and it goes on with the rest.
    """
    return lines("members")


@own.post(**_taking("sessions", "Add or change many sessions", "sessions"))
def add_sessions(lines: Lines) -> Response:
    """Add or change sessions, each line as `POST .../sessions` does; the answer is as for members."""
    return lines("sessions")


@own.post(**_taking("contributions", "Record many contributions", "evidence"))
def add_contributions(lines: Lines) -> Response:
    """Record what members did, each line as `POST .../contributions` does (50,000 lines and more).

    A line that is refused does not affect the others. The answer has a line for each, with `tier`, `flags` and what it
    waits for, sent once it is committed: then *accepted* means that it is there to stay. The last line has `status:
    complete`, the totals and the id of the import. If your connection breaks before that one, send the same body again
    with the same `Idempotency-Key`: you are given the same lines, and it goes on with the rest.

    Awards that the lines complete are decided meanwhile. `GET .../imports/{id}`, to which the header `Link` leads
    (`rel="status"`), and the event `import.settled` say when all of them are.
    """
    return lines("contributions")


@own.post(**_taking("evaluations", "Record many evaluations", "evidence"))
def add_evaluations(lines: Lines) -> Response:
    """Record evaluations, each line as `POST .../evaluations` does; the answer is as for contributions."""
    return lines("evaluations")


@own.post(**_taking("enrolments", "Enrol many members", "achievements"))
def add_enrolments(lines: Lines) -> Response:
    """Enrol members in versions of achievements, each line as `PUT .../enrolments/{member}` does.

    A line names the achievement and the member by their refs; the answer is as for members.
    """
    return lines("enrolments")


@own.post(**_taking("awards", "Make many awards", "awards"))
def add_awards(lines: Lines) -> Response:
    """Award achievements, each line as `POST .../awards` does; a line needs the scope of its basis.

    A member who holds the achievement is not awarded it again: the line is a duplicate, with the id of that award. The
    answer is as for members.
    """
    return lines("awards")


@own.post(**_taking("corrections", "Correct many records", "evidence"))
def correct_records(lines: Lines) -> Response:
    """Correct records, each line as `POST .../records/{record_id}/correction` does; a line names the record by its id.

    Each line is one act, committed by itself. The answer is as for contributions, and says what becomes of awards.
    """
    return lines("corrections")


@mixed.post(f"{ROOT}/members", dependencies=[Depends(Needs(*SCOPES["members"]))])
def add_members_here(lines: Lines) -> Response:
    """Add or change many members, at the address for one."""
    return lines.here("members")


@mixed.post(f"{ROOT}/contributions", dependencies=[Depends(Needs(*SCOPES["contributions"]))])
def add_contributions_here(lines: Lines) -> Response:
    """Record many contributions, at the address for one."""
    return lines.here("contributions")


@mixed.post(f"{ROOT}/evaluations", dependencies=[Depends(Needs(*SCOPES["evaluations"]))])
def add_evaluations_here(lines: Lines) -> Response:
    """Record many evaluations, at the address for one."""
    return lines.here("evaluations")


@router.get(ROOT + "/imports/{import_id}", summary="Get how far an import is", tags=["evidence"])
def get_import(
    import_id: Uid,
    network: ReadNetwork,
    session: Reader,
    at: Now,
    _who: Annotated[Caller, Depends(Needs("read", *sorted({each for scopes in SCOPES.values() for each in scopes})))],
) -> ImportOut:
    """Return how far a body of many lines is taken in, and whether everything is decided that it can have caused.

    A token that may send such bodies may ask this, too. The event `import.settled` tells it without asking.
    """
    row = imports.find(session, network, import_id)
    return ImportOut(
        id=row.id,
        kind=row.kind,
        state=imports.state_of(row, at),
        lines=row.next_line - 1,
        counts=row.counts,
        started_at=row.started_at,
        finished_at=row.finished_at,
        settled_at=row.settled_at,
    )
