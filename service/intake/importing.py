"""Import CSV and NDJSON files row by row, as a mapping file says.

A mapping (TOML) names the source and lists what each row becomes; see `service/intake/examples`. A value is

* a template, `"Training {slug}"`: columns by name; `{@row}` is the row's number, `{@digest}` a digest of the row's
  own content (with a counter where several rows are alike), so that the same file again changes nothing;
  `{@network}` the network's slug;
* a table, `{column = "start", format = "%Y-%m-%d"}`: a date or time, in the network's time zone unless it has its own;
  `{column = "attendance", type = "integer"}` or `"number"`; `{column = "level", map = {Basic = 1, Advanced = 2}}`;
* `answers = {except = [...]}` or `{only = [...]}`: columns as survey answers;
* anything else as it stands.

White space around a value, also non-breaking, is dropped; a value that is blank then is left out.
"""

import csv
import json
import re
import tomllib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter, ValidationError

from credentials import MalformedError, parse_json
from service.access.act import Act
from service.achievements import achievements, definitions
from service.awards import settling
from service.awards.requests import AwardIn
from service.errors import InvalidError, NotFoundError, ServiceError
from service.evidence import contributions, evaluations
from service.intake import members as intake_members
from service.intake import posting
from service.networks import meetings, networks
from service.networks import members as networks_members
from service.runtime.runtime import Runtime
from service.storage.database import WriteSession
from service.tables import Network

SHAPES: dict[str, Any] = {
    "session": meetings.SessionIn,
    "member": networks_members.MemberIn,
    "contribution": contributions.ContributionIn,
    "evaluation": evaluations.EvaluationIn,
    "award": AwardIn,
}
LISTED_ANSWERS = 25
_SPACES = re.compile(r"\s+")
_TEMPLATE = re.compile(r"\{([^{}]+)\}")


CHUNK = 500
"""Rows in one transaction."""

Advance = Callable[[int, int], None]


@dataclass(frozen=True)
class Plan:
    """What a mapping file says."""

    source: str
    records: tuple[dict[str, Any], ...]
    achievement: dict[str, Any] | None


@dataclass
class ImportResult:
    """What became of a file: a line for each record, counts, and answers by column."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    columns: dict[str, Counter[str]] = field(default_factory=dict)
    blanks: Counter[str] = field(default_factory=Counter)

    def add(self, row: int, kind: str, status: str, **members: Any) -> None:
        """Note what became of one record of a row."""
        self.counts[status] += 1
        self.rows.append({"row": row, "kind": kind, "status": status, **members})

    def to_json(self) -> dict[str, Any]:
        """Return the result as a JSON object.

        Shape: `{counts: {status: n}, columns: {name: {answers, blank, counts}}, problems: [rows]}`.
        """
        return {
            "counts": dict(self.counts),
            "columns": {
                name: {"answers": found.total(), "blank": self.blanks[name], "counts": dict(found.most_common())}
                for name, found in self.columns.items()
            },
            "problems": [row for row in self.rows if row["status"] == "rejected"],
        }

    def text(self, *, columns: bool) -> str:
        """Return the report for people."""
        lines = [
            ", ".join(f"{count:,} {status}" for status, count in sorted(self.counts.items())) or "The file has no row."
        ]
        rejected = (row for row in self.rows if row["status"] == "rejected")
        lines.extend(f"  row {row['row']}, {row['kind']}: {row['problem']['detail']}" for row in rejected)
        for name, found in self.columns.items() if columns else ():
            lines.append(f"{name}: {found.total():,} answers, {self.blanks[name]:,} blank")
            lines.extend(f"  {count:6,}  {answer}" for answer, count in found.most_common(LISTED_ANSWERS))
            if len(found) > LISTED_ANSWERS:
                lines.append(f"          and {len(found) - LISTED_ANSWERS:,} other answers")
        return "\n".join(lines)


def read_mapping(path: Path) -> Plan:
    """Return the plan in a mapping file.

    Raises:
        InvalidError: it is not TOML of the published shape (code "mapping-invalid").
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidError("mapping-invalid", f"Expected a mapping in TOML: {error}.") from error
    unknown = set(content) - {"source", "records", "achievement"}
    records = content.get("records")
    if unknown or not isinstance(content.get("source"), str) or not isinstance(records, list) or not records:
        message = f"Expected `source`, [[records]] and perhaps [achievement] in {path.name}, got {', '.join(sorted(content))}."
        raise InvalidError("mapping-invalid", message)
    for n, record in enumerate(records):
        if record.get("kind") not in SHAPES:
            message = f"Expected a kind out of {', '.join(SHAPES)}, got {record.get('kind')!r}."
            raise InvalidError("mapping-invalid", message, f"/records/{n}/kind")
    return Plan(content["source"], tuple(records), content.get("achievement"))


def read_rows(path: Path) -> Iterator[dict[str, str]]:
    """Yield the rows of a CSV or NDJSON file.

    The first line of a CSV file names the columns.

    Raises:
        InvalidError: the file is not UTF-8, a CSV row has too many cells, or a line is not an object (code
            "file-invalid").
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            if path.suffix.lower() in {".ndjson", ".jsonl"}:
                for n, line in enumerate(file, start=1):
                    if line.strip():
                        yield {str(key): _text(value) for key, value in _object(line, n).items()}
                return
            for n, row in enumerate(csv.DictReader(file, strict=True), start=2):
                if None in row:
                    raise InvalidError("file-invalid", f"Row {n} has more cells than the first line names columns.")
                yield {_tidy(name): _tidy(value or "") for name, value in row.items()}
    except UnicodeDecodeError as error:
        raise InvalidError("file-invalid", f"Expected UTF-8 in {path.name}, byte {error.start} is not.") from error
    except csv.Error as error:
        raise InvalidError("file-invalid", f"{path.name} is not CSV: {error}.") from error


def _object(line: str, number: int) -> dict[str, Any]:
    try:
        value = parse_json(line)
    except MalformedError as error:
        raise InvalidError("file-invalid", f"Line {number}: {error}") from error
    if not isinstance(value, dict):
        raise InvalidError("file-invalid", f"Line {number}: expected a JSON object.")
    return value


def _text(value: Any) -> str:
    return _tidy(value) if isinstance(value, str) else "" if value is None else json.dumps(value, ensure_ascii=False)


def _tidy(text: str) -> str:
    return _SPACES.sub(" ", text).strip()


@dataclass(frozen=True)
class FileRow:
    """One row of the file: its number (from 1), its cells and its digest.

    The digest tells it from every other row.
    """

    network: str
    number: int
    cells: Mapping[str, str]
    digest: str


def numbered(slug: str, rows: Iterator[dict[str, str]]) -> Iterator[FileRow]:
    """Yield rows with their digests.

    The n-th of several equal rows has the same digest on every run.
    """
    seen: Counter[str] = Counter()
    for number, cells in enumerate(rows, start=1):
        content = sha256(json.dumps(cells, sort_keys=True, ensure_ascii=False).encode()).hexdigest()[:40]
        seen[content] += 1
        yield FileRow(slug, number, cells, content if seen[content] == 1 else f"{content}-{seen[content]}")


def value_of(spec: Any, row: FileRow, zone: ZoneInfo) -> Any:
    """Return what a value of the mapping means for a row; None where it is blank.

    Raises:
        InvalidError: an unknown column, or a cell that is not of the named form (code "cell-invalid").
    """
    if isinstance(spec, str):
        return _TEMPLATE.sub(lambda found: _cell(row, found[1]), spec) or None
    if not isinstance(spec, dict):
        return spec
    if "column" not in spec:
        return {name: value_of(value, row, zone) for name, value in spec.items()}
    text = _cell(row, spec["column"])
    if not text:
        return None
    if "map" in spec:
        if text not in spec["map"]:
            raise InvalidError("cell-invalid", f"Column {spec['column']}: expected one of {', '.join(spec['map'])}.")
        return spec["map"][text]
    try:
        if "format" in spec:
            moment = datetime.strptime(text, spec["format"])  # noqa: DTZ007  (the zone is given in the next line)
            return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).isoformat()
        kind = spec.get("type", "text")
        return int(text) if kind == "integer" else float(text) if kind == "number" else text
    except ValueError as error:
        expected = spec.get("format") or spec.get("type")
        raise InvalidError("cell-invalid", f"Column {spec['column']}: expected {expected}.") from error


def _cell(row: FileRow, name: str) -> str:
    if name == "@row":
        return str(row.number)
    if name == "@digest":
        return row.digest
    if name == "@network":
        return row.network
    if name not in row.cells:
        raise InvalidError("column-unknown", f"Expected a column {name!r}; the file has {', '.join(row.cells)}.")
    return row.cells[name]


def run(
    runtime: Runtime, slug: str, path: Path, plan: Plan, advance: Advance = lambda _done, _total: None
) -> ImportResult:
    """Import a file, and return what became of it, row by row.

    Importing the same file again changes nothing. Each chunk of rows is one transaction for each kind of record, so
    that a killed import leaves whole chunks; run again, it passes over what is there and adds what is missing.

    Args:
        slug: of the network.
        path: CSV or NDJSON.
        advance: told (rows done, rows in all) after each chunk.
    Raises:
        NotFoundError: no such network (code "network-unknown").
        InvalidError: the file or the mapping cannot be used at all.
    """
    with runtime.database.write() as session:
        network = networks.by_slug(session, slug)
        network_id, zone = network.id, ZoneInfo(network.time_zone)
        if plan.achievement is not None:
            _define(session, network, plan.achievement, runtime)
    total = sum(1 for _ in read_rows(path))
    result = ImportResult()
    done = 0
    for chunk in batched(numbered(slug, read_rows(path)), CHUNK):
        for row in chunk:
            _count(result, row)
        for spec in plan.records:
            _take(runtime, network_id, plan.source, spec, chunk, zone, result)
        done += len(chunk)
        advance(done, total)
    return result


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
        body = _parsed(definitions.AchievementIn, definition | {"publish": True})
        achievements.define(Act(session, network, None, runtime.now()), body)


def _count(result: ImportResult, row: FileRow) -> None:
    for name, answer in row.cells.items():
        found = result.columns.setdefault(name, Counter())
        if answer:
            found[answer] += 1
        else:
            result.blanks[name] += 1


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
            bodies.append((row, _body(spec, source, row, zone)))
        except InvalidError as error:
            result.add(row.number, kind, "rejected", problem=_problem(error))
    if kind == "award":
        outcomes = settling.award_many(runtime, network_id, None, [body for _, body in bodies])
        for (row, _), outcome in zip(bodies, outcomes, strict=True):
            if outcome.award is None:
                assert outcome.problem is not None
                result.add(row.number, kind, "rejected", problem=_problem(outcome.problem))
            else:
                result.add(row.number, kind, "accepted" if outcome.created else "duplicate", id=str(outcome.award.id))
        return
    with runtime.database.write() as session:
        network = session.get_one(Network, network_id)
        if kind in {"contribution", "evaluation"}:
            posted = posting.submit_all(Act(session, network, None, runtime.now()), kind, [body for _, body in bodies])
            for (row, _), submission in zip(bodies, posted, strict=True):
                if isinstance(submission, ServiceError):
                    result.add(row.number, kind, "rejected", problem=_problem(submission))
                else:
                    result.add(row.number, kind, submission.status, id=str(submission.record.id))
        else:
            for row, body in bodies:
                try:
                    with session.begin_nested():  # what is refused half-way leaves nothing
                        new = _put(Act(session, network, None, runtime.now()), runtime, kind, body)
                    result.add(row.number, kind, "accepted" if new else "duplicate", id=body.ref)
                except ServiceError as error:
                    result.add(row.number, kind, "rejected", problem=_problem(error))
    settling.settle_pending(runtime, network_id)


def _put(act: Act, runtime: Runtime, kind: str, body: Any) -> bool:
    """Add or change a session or a member, and return whether it is new."""
    if kind == "session":
        return meetings.put_session(act, body)[1]
    return intake_members.put_member(act, runtime, body)[1]


def _body(spec: Mapping[str, Any], source: str, row: FileRow, zone: ZoneInfo) -> Any:
    """Return the request body that a row becomes.

    Raises:
        InvalidError: a cell or the whole is not of the published shape.
    """
    kind = spec["kind"]
    said = {name: value_of(value, row, zone) for name, value in spec.items() if name not in {"kind", "id", "answers"}}
    said = {name: value for name, value in said.items() if value is not None}
    if kind in {"contribution", "evaluation"} and "id" in spec:
        said["source"] = {"system": source, "id": value_of(spec["id"], row, zone)}
    if kind == "evaluation":
        said["kind"] = said.pop("evaluation", None)
        if "answers" in spec:
            said["answers"] = _answers(spec["answers"], row)
    return _parsed(SHAPES[kind], said)


def _answers(spec: Mapping[str, Sequence[str]], row: FileRow) -> dict[str, str]:
    names = spec.get("only") or [name for name in row.cells if name not in spec.get("except", ())]
    return {name: _cell(row, name) for name in names if _cell(row, name)}


def _parsed(shape: Any, said: dict[str, Any]) -> Any:
    try:
        return TypeAdapter(shape).validate_python(said)
    except ValidationError as error:
        first = error.errors()[0]
        pointer = "".join(f"/{part}" for part in first["loc"])
        raise InvalidError("record-invalid", f"{pointer}: {first['msg']}.", pointer) from error


def _problem(error: ServiceError) -> dict[str, str]:
    return {"code": error.code, "detail": error.message, "pointer": error.pointer}
