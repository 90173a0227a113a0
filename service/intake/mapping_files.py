"""Read a mapping file: what each row of a file becomes.

`service/intake/examples/README.md` describes the format, for those who write one. What cannot be right for any row is
refused here, before the first one.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from pydantic import BaseModel, TypeAdapter, ValidationError

from service.achievements.definitions import AchievementIn
from service.awards.requests import AwardIn
from service.errors import InvalidError
from service.evidence import evaluations
from service.evidence.contributions import ContributionIn
from service.intake.row_files import Row, shown
from service.networks.meetings import SessionIn
from service.networks.members import MemberIn
from service.suggestions import did_you_mean

SHAPES: Final[dict[str, Any]] = {
    "session": SessionIn,
    "member": MemberIn,
    "contribution": ContributionIn,
    "evaluation": evaluations.EvaluationIn,
    "award": AwardIn,
}
EVIDENCE: Final = {"contribution", "evaluation"}
_EVALUATIONS: Final[dict[str, type[BaseModel]]] = {
    "rubric": evaluations.RubricIn,
    "score": evaluations.ScoreIn,
    "survey": evaluations.SurveyIn,
    "endorsement": evaluations.EndorsementIn,
    "reflection": evaluations.ReflectionIn,
}
_VALUE: Final = {"column", "format", "map", "type"}
_TYPES: Final = {"text", "integer", "number"}
_OF_ROW: Final = {"@row", "@digest", "@network"}
_TEMPLATE: Final = re.compile(r"\{([^{}]+)\}")


@dataclass(frozen=True)
class Plan:
    """What a mapping file says.

    Args:
        columns: all that it names, in their order.
        uses_digest: whether it names a row's digest.
    """

    source: str
    records: tuple[dict[str, Any], ...]
    achievement: dict[str, Any] | None
    columns: tuple[str, ...]
    uses_digest: bool


@dataclass(frozen=True)
class FileRow:
    """A row as the mapping sees it.

    Args:
        network: its slug.
        count: of the row, from 1, without rows that are empty.
        digest: tells the row from every other one; the same on each run.
    """

    network: str
    count: int
    row: Row
    digest: str


def read_mapping(path: Path) -> Plan:
    """Return the plan in a mapping file.

    Raises:
        InvalidError: it is not TOML of the published shape (code "mapping-invalid").
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise _invalid(f"Expected a mapping in TOML: {error}") from error
    records = content.get("records")
    _known({*content}, {"source", "records", "achievement"}, path.name)
    if not isinstance(content.get("source"), str) or not isinstance(records, list) or not records:
        raise _invalid(
            f"Expected `source` and [[records]] in {path.name}, got {', '.join(sorted(content)) or 'nothing'}"
        )
    for n, record in enumerate(records, start=1):
        _check_record(record, f"{path.name}, record {n}")
    achievement = content.get("achievement")
    if achievement is not None:
        parsed(AchievementIn, achievement | {"publish": True})
    named = dict.fromkeys(name for record in records for name in _names(record))
    columns = tuple(name for name in named if name not in _OF_ROW)
    return Plan(content["source"], tuple(records), achievement, columns, "@digest" in named)


def _invalid(message: str, pointer: str = "") -> InvalidError:
    return InvalidError("mapping-invalid", f"{message}.", pointer)


def _known(given: set[str], known: set[str], where: str) -> None:
    for name in sorted(given - known):
        raise _invalid(f"{where}: expected {', '.join(sorted(known))}, got `{name}`{did_you_mean(name, known)}")


def _check_record(record: Any, where: str) -> None:
    """Refuse a record that no row could become."""
    kind = record.get("kind") if isinstance(record, dict) else None
    if kind not in SHAPES:
        meant = did_you_mean(str(kind), SHAPES)
        raise _invalid(f"{where}: expected a kind out of {', '.join(SHAPES)}, got {kind!r}{meant}", "/records")
    shapes = [SHAPES[kind]]
    if kind == "evaluation":
        said = record.get("evaluation")
        if isinstance(said, str) and not _TEMPLATE.search(said):
            _known({said}, {*_EVALUATIONS}, f"{where}, `evaluation`")
        shapes = [_EVALUATIONS[said]] if said in _EVALUATIONS else [*_EVALUATIONS.values()]
    fields = set().union(*(shape.model_fields for shape in shapes))
    known = fields - {"kind"} | ({"evaluation"} if kind == "evaluation" else set())
    known |= {"id"} if kind in EVIDENCE else set()
    _known({*record} - {"kind"}, known, where)
    needed = set.intersection(*({n for n, f in shape.model_fields.items() if f.is_required()} for shape in shapes))
    needed = needed - {"kind"} | ({"evaluation"} if kind == "evaluation" else set())
    for name in sorted(needed - {*record}):
        raise _invalid(f"{where}: expected `{name}`, which every {kind} needs, got nothing")
    for name, value in record.items():
        _check_value(value, f"{where}, `{name}`", answers=name == "answers" and kind == "evaluation")


def _check_value(value: Any, where: str, *, answers: bool = False) -> None:
    if not isinstance(value, dict):
        return
    if answers:
        _known({*value}, {"except", "only"}, where)
        return
    if "column" not in value:
        for name, inner in value.items():
            if name in _VALUE and "map" not in value:
                raise _invalid(f"{where}: expected `column` beside `{name}`")
            _check_value(inner, f"{where}.{name}")
        return
    _known({*value}, _VALUE, where)
    if value.get("type", "text") not in _TYPES:
        raise _invalid(f"{where}: expected a type out of {', '.join(sorted(_TYPES))}, got {value['type']!r}")
    if "format" in value:
        try:
            datetime.now(UTC).strptime(datetime.now(UTC).strftime(value["format"]), value["format"])
        except (ValueError, TypeError) as error:
            raise _invalid(f"{where}: expected a format such as %d.%m.%Y %H:%M, got {value['format']!r}") from error


def _names(value: Any) -> Iterator[str]:
    """Yield the columns, and what else of a row, that a value of the mapping names."""
    if isinstance(value, str):
        yield from _TEMPLATE.findall(value)
    elif isinstance(value, dict) and isinstance(value.get("column"), str):
        yield value["column"]
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from inner if name in {"except", "only"} and isinstance(inner, list) else _names(inner)


def check_columns(plan: Plan, columns: tuple[str, ...], file: str) -> None:
    """Refuse a file that lacks a column that the mapping names.

    Raises:
        InvalidError: it lacks one or several (code "column-unknown").
    """
    missing = [name for name in plan.columns if name not in columns]
    if missing:
        meant = did_you_mean(missing[0], columns) if len(missing) == 1 else ""
        named = f"the column {missing[0]!r}" if len(missing) == 1 else f"the columns {', '.join(map(repr, missing))}"
        message = f"The mapping names {named}; {file} has {', '.join(columns)}{meant}."
        raise InvalidError("column-unknown", message)


def body_of(spec: Mapping[str, Any], source: str, row: FileRow, zone: ZoneInfo) -> Any:
    """Return the request body that a row becomes.

    Raises:
        InvalidError: a cell or the whole is not of the published shape.
    """
    kind = spec["kind"]
    said = {name: value_of(value, row, zone) for name, value in spec.items() if name not in {"kind", "id", "answers"}}
    said = {name: value for name, value in said.items() if value is not None}
    if kind in EVIDENCE and "id" in spec:
        said["source"] = {"system": source, "id": value_of(spec["id"], row, zone)}
    if kind == "evaluation":
        said["kind"] = said.pop("evaluation", None)
        points = said.get("score")
        if isinstance(points, dict) and points.get("raw") is None and points.get("scaled") is None:
            del said["score"]  # its column is blank
        if "answers" in spec:
            said["answers"] = _answers(spec["answers"], row)
    return parsed(SHAPES[kind], said, spec)


def value_of(spec: Any, row: FileRow, zone: ZoneInfo) -> Any:
    """Return what a value of the mapping means for a row; None where it is blank.

    Raises:
        InvalidError: a cell that is not of the named form (code "cell-invalid").
    """
    if isinstance(spec, str):
        return _TEMPLATE.sub(lambda found: _cell(row, found[1]), spec) or None
    if not isinstance(spec, dict):
        return spec
    if "column" not in spec:
        return {name: value_of(value, row, zone) for name, value in spec.items()}
    name = spec["column"]
    text = _cell(row, name)
    if not text:
        return None
    if "map" in spec:
        if text not in spec["map"]:
            raise _unfit(name, f"one of {', '.join(spec['map'])}", text)
        return spec["map"][text]
    try:
        if "format" in spec:
            moment = row.row.moments.get(name) or datetime.strptime(text, spec["format"])  # noqa: DTZ007  (see below)
            return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).isoformat()
        kind = spec.get("type", "text")
        return int(text) if kind == "integer" else float(text) if kind == "number" else text
    except ValueError as error:
        raise _unfit(name, spec.get("format") or f"{'an' if kind == 'integer' else 'a'} {kind}", text) from error


def _cell(row: FileRow, name: str) -> str:
    if name == "@row":
        return str(row.count)
    if name == "@digest":
        return row.digest
    if name == "@network":
        return row.network
    if name in row.row.faults:
        raise InvalidError("cell-invalid", f"Column {name}: expected a value, got {row.row.faults[name]}.")
    return row.row.cells.get(name, "")  # a line of NDJSON may lack it; `check_columns` has seen that another has it


def _unfit(name: str, expected: str, text: str) -> InvalidError:
    return InvalidError("cell-invalid", f"Column {name}: expected {expected}, got {shown(text)}.")


def _answers(spec: Mapping[str, list[str]], row: FileRow) -> dict[str, str]:
    names = spec.get("only") or [name for name in row.row.cells if name not in spec.get("except", ())]
    return {name: _cell(row, name) for name in names if _cell(row, name)}


def parsed(shape: Any, said: dict[str, Any], spec: Mapping[str, Any] | None = None) -> Any:
    """Return a body of the published shape.

    Args:
        spec: the mapping's, to say from which columns a value comes that is refused.
    Raises:
        InvalidError: code "record-invalid".
    """
    try:
        return TypeAdapter(shape).validate_python(said)
    except ValidationError as error:
        first = error.errors()[0]
        where = [str(part) for part in first["loc"] if not str(part).startswith("<")]
        pointer = "".join(f"/{part}" for part in where)
        columns = [*_names((spec or {}).get(where[0], ""))] if where else []
        place = f"Column {', '.join(columns)}" if columns else pointer
        value = first["input"]
        got = f", got {shown(str(value))}" if isinstance(value, str | int | float) else ""
        raise InvalidError("record-invalid", f"{place}: {first['msg'].rstrip('.')}{got}.", pointer) from error
