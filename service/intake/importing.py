"""Import a file of rows, as a mapping file says.

`row_files` and `workbooks` read the rows, `mapping_files` says what each becomes, and here they are taken in.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select

from service.access.act import Act
from service.achievements import achievements, definitions
from service.awards import settling
from service.errors import InvalidError, NotFoundError, ServiceError
from service.intake import members as intake_members
from service.intake import posting, row_files, workbooks
from service.intake.import_reports import ImportResult
from service.intake.mapping_files import EVIDENCE, FileRow, Plan, body_of, check_columns, parsed
from service.intake.row_files import Row, Table
from service.networks import meetings, networks
from service.outbox import events
from service.runtime.runtime import Runtime
from service.storage.database import WriteSession
from service.tables import Event, Meeting, Member, Network

CHUNK = 500
"""Rows in one transaction."""

Advance = Callable[[int, int], None]
Note = Callable[[dict[str, Any]], None]


def open_table(path: Path, plan: Plan, *, sheet: str | None = None, encoding: str | None = None) -> Table:
    """Return the table in a file, once it is sure that the mapping fits it.

    Args:
        sheet: of a workbook; left out: the first one.
        encoding: of a text; left out: it is recognised.
    Raises:
        InvalidError: it cannot be read (code "file-invalid", "sheet-unknown"), has no row (code "file-empty"), or
            lacks a column (code "column-unknown").
    """
    if path.suffix.lower() in workbooks.ENDINGS:
        table = workbooks.read_workbook(path, sheet)
    elif sheet is not None:
        raise InvalidError("sheet-unknown", f"--sheet is for workbooks (.xlsx), and {path.name} is none.")
    else:
        table = row_files.read_text(path, plan.columns, encoding)
    if not table.total:
        raise InvalidError("file-empty", f"{path.name} has no row that could be imported ({table.form}).")
    check_columns(plan, table.columns, path.name)
    return table


def run(
    runtime: Runtime,
    slug: str,
    table: Table,
    plan: Plan,
    *,
    dry_run: bool = False,
    advance: Advance = lambda _done, _total: None,
    note: Note = lambda _line: None,
) -> ImportResult:
    """Import a file, and return what became of it.

    Importing the same file again changes nothing. Each chunk of rows is one transaction for each kind of record, so
    that a killed import leaves whole chunks; run again, it passes over what is there and adds what is missing.

    Args:
        slug: of the network.
        dry_run: take everything in, and then undo it; until then nobody else can write.
        advance: told (rows done, rows in all) after each chunk.
        note: given what became of each record, as soon as its chunk is done.
    Raises:
        NotFoundError: no such network (code "network-unknown").
        InvalidError: the file or the mapping cannot be used at all.
    """
    if dry_run:
        with runtime.database.rehearsal() as database:
            rehearsed = replace(runtime, database=database)
            return replace(run(rehearsed, slug, table, plan, advance=advance, note=note), dry_run=True)
    with runtime.database.write() as session:
        network = networks.by_slug(session, slug)
        network_id, zone = network.id, ZoneInfo(network.time_zone)
        if plan.achievement is not None:
            _define(session, network, plan.achievement, runtime)
    result = ImportResult(table.form, table.total, note=note)
    done = 0
    for chunk in batched(numbered(slug, table.rows(), digests=plan.uses_digest), CHUNK):
        for row in chunk:
            result.count(row.row)
        for spec in plan.records:
            _take(runtime, network_id, plan.source, spec, chunk, zone, result)
        done += len(chunk)
        advance(done, table.total)
    if result.evidence:
        with runtime.database.write() as session:
            act = Act(session, session.get_one(Network, network_id), None, runtime.now())
            events.append(act, "evidence.received", {})
    return result


def numbered(slug: str, rows: Iterator[Row], *, digests: bool = True) -> Iterator[FileRow]:
    """Yield rows with their digests, if these are used.

    The n-th of several equal rows has the same digest on every run.
    """
    seen: Counter[bytes] = Counter()
    for count, row in enumerate(rows, start=1):
        digest = ""
        if digests:
            content = sha256(json.dumps(row.cells, sort_keys=True, ensure_ascii=False).encode())
            seen[content.digest()] += 1
            times = seen[content.digest()]
            digest = content.hexdigest()[:40] + (f"-{times}" if times > 1 else "")
        yield FileRow(slug, count, row, digest)


def batched(rows: Iterable[FileRow], size: int) -> Iterator[list[FileRow]]:
    """Yield lists of `size` rows, the last one shorter."""
    left = iter(rows)
    while chunk := list(islice(left, size)):
        yield chunk


def _define(session: WriteSession, network: Network, definition: dict[str, Any], runtime: Runtime) -> None:
    """Define and publish the achievement of the mapping, if the network does not have it."""
    try:
        achievements.get_achievement(session, network, str(definition.get("ref")))
    except NotFoundError:
        body = parsed(definitions.AchievementIn, definition | {"publish": True})
        achievements.define(Act(session, network, None, runtime.now()), body)


def _take(
    runtime: Runtime,
    network_id: UUID,
    source: str,
    spec: Mapping[str, Any],
    chunk: Sequence[FileRow],
    zone: ZoneInfo,
    result: ImportResult,
) -> None:
    """Take in one kind of record for each row of a chunk."""
    kind = spec["kind"]
    bodies: list[tuple[FileRow, Any]] = []
    for row in chunk:
        try:
            bodies.append((row, body_of(spec, source, row, zone)))
        except InvalidError as error:
            result.add(row.row.number, kind, "rejected", problem=_problem(error))
    if kind == "award":
        outcomes = settling.award_many(runtime, network_id, None, [body for _, body in bodies])
        for (row, _), outcome in zip(bodies, outcomes, strict=True):
            if outcome.award is None:
                assert outcome.problem is not None
                result.add(row.row.number, kind, "rejected", problem=_problem(outcome.problem))
            else:
                result.add(
                    row.row.number, kind, "accepted" if outcome.created else "duplicate", id=str(outcome.award.id)
                )
        return
    with runtime.database.write() as session:
        network = session.get_one(Network, network_id)
        if kind in EVIDENCE:
            posted = posting.submit_all(Act(session, network, None, runtime.now()), kind, [body for _, body in bodies])
            for (row, _), submission in zip(bodies, posted, strict=True):
                if isinstance(submission, ServiceError):
                    result.add(row.row.number, kind, "rejected", problem=_problem(submission))
                else:
                    why = {"held_code": submission.held_code, "left_out": list(submission.left_out)}
                    told = {name: value for name, value in why.items() if value}
                    result.add(row.row.number, kind, submission.status, id=str(submission.record.id), **told)
                    result.evidence |= submission.status != "duplicate"
        else:
            for row, body in bodies:
                try:
                    with session.begin_nested():  # what is refused half-way leaves nothing
                        status = _put(Act(session, network, None, runtime.now()), runtime, kind, body)
                    result.add(row.row.number, kind, status, id=body.ref)
                except ServiceError as error:
                    result.add(row.row.number, kind, "rejected", problem=_problem(error))
    settling.settle_if_possible(runtime, network_id)


def _put(act: Act, runtime: Runtime, kind: str, body: Any) -> str:
    """Add or change a session or a member, and return what became of it."""
    row: Meeting | Member
    if kind == "session":
        row, new = meetings.put_session(act, body)
    else:
        row, new = intake_members.put_member(act, runtime, body)
    return "accepted" if new else "updated" if _has_changed(act, kind, row.id) else "duplicate"


def _has_changed(act: Act, kind: str, row_id: UUID) -> bool:
    """Return whether this transaction tells that a session or a member has changed."""
    act.session.flush()
    told = select(Event.id).where(Event.network_id == act.network.id, Event.position.is_(None))
    about = Event.about[kind].as_string() == str(row_id)
    return act.session.scalar(told.where(Event.type == f"{kind}.changed", about).limit(1)) is not None


def _problem(error: ServiceError) -> dict[str, str]:
    return {"code": error.code, "detail": error.message, "pointer": error.pointer}
