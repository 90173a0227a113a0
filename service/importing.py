"""Files that somebody already has, CSV or NDJSON, taken in row by row as a mapping file says.

A mapping (TOML) names the source and lists what each row becomes; see `service/examples`. A value is

* a template, `"Training {slug}"`: columns by name; `{@row}` is the row's number, `{@digest}` a digest of the row's
  own content (with a counter where several rows are alike), so that the same file again changes nothing;
* a table, `{column = "start", format = "%Y-%m-%d"}`: a date or time, in the network's time zone unless it has its own;
  `{column = "attendance", type = "integer"}` or `"number"`; `{column = "level", map = {Basic = 1, Advanced = 2}}`;
* `answers = {except = [...]}` or `{only = [...]}`: columns as survey answers;
* anything else as it stands.

White space around a value, also non-breaking, is dropped; what is blank then is left out.
"""

import csv
import json
import re
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from credentials import MalformedError, parse_json
from service.errors import InvalidError

KINDS = ("session", "member", "contribution", "evaluation", "award")
LISTED_ANSWERS = 25
_SPACES = re.compile(r"\s+")
_TEMPLATE = re.compile(r"\{([^{}]+)\}")


@dataclass(frozen=True)
class Plan:
    """What a mapping file says."""

    source: str
    records: tuple[dict[str, Any], ...]
    achievement: dict[str, Any] | None


@dataclass
class Result:
    """What became of a file: one line for each record, the counts, and for each column its answers."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    columns: dict[str, Counter[str]] = field(default_factory=dict)
    blanks: Counter[str] = field(default_factory=Counter)

    def add(self, row: int, kind: str, status: str, **members: Any) -> None:
        """Note what became of one record of a row."""
        self.counts[status] += 1
        self.rows.append({"row": row, "kind": kind, "status": status, **members})

    def to_json(self) -> dict[str, Any]:
        """Return `{counts: {status: n}, columns: {name: {answers, blank, counts}}, problems: [rows]}`."""
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
        for row in self.rows:
            if row["status"] == "rejected":
                lines.append(f"  row {row['row']}, {row['kind']}: {row['problem']['detail']}")
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
        if record.get("kind") not in KINDS:
            message = f"Expected a kind out of {', '.join(KINDS)}, got {record.get('kind')!r}."
            raise InvalidError("mapping-invalid", message, f"/records/{n}/kind")
    return Plan(content["source"], tuple(records), content.get("achievement"))


def read_rows(path: Path) -> Iterator[dict[str, str]]:
    """Yield the rows of a CSV file (its first line names the columns) or of an NDJSON file.

    Raises:
        InvalidError: the file is not UTF-8, a CSV row has too many cells, or a line is not an object (code "file-invalid").
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
class Row:
    """One row of the file: its number (from 1), its cells, and a digest that tells it from every other row."""

    number: int
    cells: Mapping[str, str]
    digest: str


def numbered(rows: Iterator[dict[str, str]]) -> Iterator[Row]:
    """Yield rows with their digests; the n-th of several like rows has the same digest on every run."""
    seen: Counter[str] = Counter()
    for number, cells in enumerate(rows, start=1):
        content = sha256(json.dumps(cells, sort_keys=True, ensure_ascii=False).encode()).hexdigest()[:40]
        seen[content] += 1
        yield Row(number, cells, content if seen[content] == 1 else f"{content}-{seen[content]}")


def value_of(spec: Any, row: Row, zone: ZoneInfo) -> Any:
    """Return what a value of the mapping means for a row; None where it is blank.

    Raises:
        InvalidError: an unknown column, or a cell that is not of the named form (code "cell-invalid").
    """
    if isinstance(spec, str):
        return _TEMPLATE.sub(lambda found: _cell(row, found[1]), spec) or None
    if not isinstance(spec, dict) or "column" not in spec:
        return spec
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


def _cell(row: Row, name: str) -> str:
    if name == "@row":
        return str(row.number)
    if name == "@digest":
        return row.digest
    if name not in row.cells:
        raise InvalidError("column-unknown", f"Expected a column {name!r}; the file has {', '.join(row.cells)}.")
    return row.cells[name]
