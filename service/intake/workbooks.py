"""Read a sheet of a workbook (.xlsx), row by row and within bounds.

Its cells have types: a date is a date whatever it looks like, and of a formula the value counts that was saved with it.
A workbook is a ZIP of XML: how much it may unpack is bounded, and so is what stands outside its sheets, which is read
into memory.
"""

import warnings
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import zip_longest
from pathlib import Path
from typing import Any, Final

from openpyxl import load_workbook
from openpyxl.workbook import Workbook

from service.errors import InvalidError
from service.intake.row_files import MAX_COLUMNS, Row, Table, cells_of, check_header, tidy
from service.suggestions import did_you_mean

ENDINGS: Final = {".xlsx", ".xlsm"}
MAX_BYTES: Final = 64 * 1024 * 1024
MAX_PARTS: Final = 5_000
MAX_PART_BYTES: Final = 64 * 1024 * 1024
"""Of a part that is no sheet, unpacked: such a one is read into memory."""
MAX_UNPACKED_BYTES: Final = 1024 * 1024 * 1024
MAX_ROWS: Final = 1_048_576
_PACKED: Final = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
_UNSAVED: Final = "a formula without a value: open the workbook in the program that made it, and save it again"


def read_workbook(path: Path, sheet: str | None = None) -> Table:
    """Return the table in a sheet of a workbook.

    Args:
        sheet: its name; left out: the first one.
    Raises:
        InvalidError: it cannot be read, or is beyond the bounds (code "file-invalid"), or has no such sheet (code
            "sheet-unknown").
    """
    _check_bounds(path)
    with _opened(path) as (values, _):
        names = [one.title for one in values.worksheets]
    if not names:
        raise InvalidError("file-invalid", f"{path.name} has no sheet with rows.")
    if sheet is not None and sheet not in names:
        message = f"{path.name} has the sheets {', '.join(names)}, got {sheet!r}{did_you_mean(sheet, names)}."
        raise InvalidError("sheet-unknown", message)
    name = sheet or names[0]
    header = next((each.texts for each in _records(path, name)), [])
    while header and not header[-1]:
        header.pop()
    check_header(header)
    total = sum(1 for _ in _rows(path, name, header))
    form = f"workbook, sheet {name!r}" + (f" of {len(names)}" if len(names) > 1 else "")
    return Table(form, tuple(header), total, lambda: _rows(path, name, header))


@dataclass(frozen=True)
class _Record:
    number: int
    texts: list[str]
    values: Sequence[Any]
    faults: dict[int, str]


def _rows(path: Path, sheet: str, header: Sequence[str]) -> Iterator[Row]:
    records = _records(path, sheet)
    next(records, None)
    for each in records:
        cells = cells_of(each.number, header, each.texts)
        moments = {header[n]: moment for n, value in enumerate(each.values) if (moment := _moment(value)) is not None}
        faults = {header[n]: fault for n, fault in each.faults.items() if n < len(header)}
        yield Row(each.number, cells, moments, faults)


def _records(path: Path, sheet: str) -> Iterator[_Record]:
    """Yield the rows that are not empty."""
    with _opened(path) as (values, formulas):
        pairs = zip_longest(_cells(values, sheet), _cells(formulas, sheet), fillvalue=())
        for number, (found, written) in enumerate(pairs, start=1):
            if number > MAX_ROWS:
                raise InvalidError("file-invalid", f"Expected at most {MAX_ROWS:,} rows, got more.")
            texts = [_text(value) for value in found]
            faults = {n: f"the error {text}" for n, text in enumerate(texts) if text in _ERRORS}
            for n, formula in enumerate(written):
                unsaved = n >= len(found) or found[n] is None
                if unsaved and isinstance(formula, str) and formula.startswith("="):
                    faults[n] = _UNSAVED
            if any(texts) or faults:
                yield _Record(number, texts, found, faults)


_ERRORS: Final = {"#DIV/0!", "#N/A", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!"}


def _cells(workbook: Workbook, sheet: str) -> Iterator[tuple[Any, ...]]:
    found: Any = workbook[sheet]
    found.reset_dimensions()  # what a file says of its own size may be wrong
    return iter(found.iter_rows(max_col=MAX_COLUMNS + 1, values_only=True))


@contextmanager
def _opened(path: Path) -> Iterator[tuple[Workbook, Workbook]]:
    """Yield a workbook twice: with the saved values of its formulas, and with the formulas."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about styles and such, which nobody looks at here
            given: dict[str, Any] = {"read_only": True, "keep_links": False}
            with (
                closing(load_workbook(path, data_only=True, **given)) as values,
                closing(load_workbook(path, data_only=False, **given)) as formulas,
            ):
                yield values, formulas
    except (InvalidError, OSError, GeneratorExit):
        raise
    except Exception as error:  # of a file that is not in order the library raises what it likes
        raise InvalidError("file-invalid", f"{path.name} is not a workbook that can be read: save it again.") from error


def _check_bounds(path: Path) -> None:
    size = path.stat().st_size
    if size > MAX_BYTES:
        raise InvalidError("file-invalid", f"Expected a workbook of at most {MAX_BYTES:,} bytes, got {size:,}.")
    try:
        with zipfile.ZipFile(path) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise InvalidError("file-invalid", f"{path.name} is not a workbook that can be read: save it again.") from error
    aside = [part for part in parts if not part.filename.startswith("xl/worksheets/")]
    if (
        len(parts) > MAX_PARTS
        or any(part.compress_type not in _PACKED for part in parts)
        or any(part.file_size > MAX_PART_BYTES for part in aside)
        or sum(part.file_size for part in parts) > MAX_UNPACKED_BYTES
    ):
        message = f"{path.name} unpacks to more than a workbook of rows does: save the sheet alone, or as CSV."
        raise InvalidError("file-invalid", message)


def _moment(value: Any) -> datetime | None:
    if isinstance(value, datetime):
        return value
    return datetime.combine(value, time.min) if isinstance(value, date) else None  # the zone is given by the mapping


def _text(value: Any) -> str:
    """Return what a cell holds, as text that does not depend on how it is formatted."""
    match value:
        case None:
            return ""
        case str():
            return tidy(value)
        case bool():
            return str(value).upper()
        case float() if value.is_integer():
            return str(int(value))
        case datetime() if value.time() == time.min:
            return value.date().isoformat()
        case datetime() | time():
            return value.isoformat(timespec="seconds")
        case timedelta():
            return f"{value.total_seconds() / 3600:g}:00" if value.total_seconds() % 3600 == 0 else str(value)
        case _:
            return tidy(str(value))
