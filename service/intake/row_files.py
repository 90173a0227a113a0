"""Read files of rows: CSV and NDJSON here, workbooks by `workbooks`.

What a file is, is recognised: its encoding, and the character between its cells. It is read twice from one end to the
other, never into memory: once before anything is written, so that a file that breaks off is refused whole, and once to
take its rows in.
"""

import codecs
import csv
import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from credentials import MalformedError, parse_json
from service.errors import InvalidError

DELIMITERS: Final = {",": "commas", ";": "semicolons", "\t": "tabs"}
MAX_COLUMNS: Final = 1000
_LINES: Final = {".ndjson", ".jsonl"}
_MARKS: Final = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_SHOWN: Final = {"utf-8": "UTF-8", "utf-8-sig": "UTF-8", "cp1252": "Windows-1252"}
_OLD_WORKBOOK: Final = b"\xd0\xcf\x11\xe0"
_PIECE: Final = 1 << 20
_SEPARATOR: Final = re.compile(r"sep=(.)\r?\n", re.IGNORECASE)
_SPACES: Final = re.compile(r"\s+")


@dataclass(frozen=True)
class Row:
    """A row that is not empty.

    Args:
        number: as an editor shows it: a header is row 1.
        cells: by column, as text; "" where blank.
        moments: by column, the dates and times of a workbook.
        faults: by column, why there is no value.
    """

    number: int
    cells: Mapping[str, str]
    moments: Mapping[str, datetime] = field(default_factory=dict)
    faults: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Table:
    """A file that can be read.

    Args:
        form: what it was recognised as, for people.
        columns: their names, in order.
        total: how many rows are not empty.
        rows: yields these from the first one on.
    """

    form: str
    columns: tuple[str, ...]
    total: int
    rows: Callable[[], Iterator[Row]]


def read_text(path: Path, wanted: Collection[str] = (), encoding: str | None = None) -> Table:
    """Return the table in a CSV or NDJSON file.

    1. The encoding is the given one, or what the file says, else UTF-8, else Windows-1252, as older office programs
       write it.
    2. The character between cells is the one with which the header has most of the wanted columns, and most columns.

    Args:
        wanted: the columns that somebody looks for.
    Raises:
        InvalidError: it is not such a file (code "file-invalid").
    """
    name = _known(encoding) if encoding is not None else _recognised(path)
    shown = _SHOWN.get(name, name.upper())
    if path.suffix.lower() in _LINES:
        columns: dict[str, None] = {}
        total = 0
        for row in _objects(path, name):
            columns.update(dict.fromkeys(row.cells))
            total += 1
        return Table(f"NDJSON in {shown}", tuple(columns), total, lambda: _objects(path, name))
    delimiter, header = _parted(path, name, wanted)
    check_header(header)
    total = sum(1 for _ in _lines(path, name, delimiter, header))
    form = f"CSV in {shown} with {DELIMITERS.get(delimiter, repr(delimiter))}"
    return Table(form, tuple(header), total, lambda: _lines(path, name, delimiter, header))


def check_header(header: Sequence[str]) -> None:
    """Refuse a header that is empty, too wide, or names a column twice.

    Raises:
        InvalidError: code "file-invalid".
    """
    named = [name for name in header if name]
    if not named:
        raise InvalidError("file-invalid", "Expected a first row that names the columns, got nothing.")
    if len(header) > MAX_COLUMNS:
        raise InvalidError("file-invalid", f"Expected at most {MAX_COLUMNS:,} columns, got {len(header):,}.")
    twice = next((name for n, name in enumerate(named) if name in named[:n]), None)
    if twice is not None:
        raise InvalidError("file-invalid", f"Expected each column once in the header, got {twice!r} twice.")


def cells_of(number: int, header: Sequence[str], values: Sequence[str]) -> dict[str, str]:
    """Return the cells of a row by column; those that are missing at its end are blank.

    Raises:
        InvalidError: a cell has no column (code "file-invalid").
    """
    beyond = [n for n, value in enumerate(values) if value and (n >= len(header) or header.index(header[n]) != n)]
    if beyond:
        message = f"Row {number}: the header names no column for cell {beyond[0] + 1}, {shown(values[beyond[0]])}."
        raise InvalidError("file-invalid", message)
    cells: dict[str, str] = {}
    for n, name in enumerate(header):
        cells.setdefault(name, values[n] if n < len(values) else "")
    return cells


def tidy(text: str) -> str:
    """Return text without white space around it, also non-breaking, and with single spaces within."""
    return _SPACES.sub(" ", text).strip()


def shown(text: str) -> str:
    """Return a value for a message: quoted, and not too long."""
    return repr(text if len(text) <= 60 else text[:57] + "...")


def _known(encoding: str) -> str:
    try:
        " ".encode(encoding)  # refuses those that are not of text
        return codecs.lookup(encoding).name
    except LookupError as error:
        message = f"--encoding: expected an encoding such as utf-8 or windows-1250, got {shown(encoding)}."
        raise InvalidError("file-invalid", message) from error


def _recognised(path: Path) -> str:
    """Return the name of a file's encoding (1)."""
    with path.open("rb") as file:
        first = file.read(_PIECE)
        if first.startswith(_OLD_WORKBOOK):
            raise InvalidError("file-invalid", f"{path.name} is a workbook of an older kind: save it as .xlsx.")
        marked = next((name for mark, name in _MARKS if first.startswith(mark)), None)
        if marked is not None:
            return marked
        if b"\0" in first[:200]:  # UTF-16 without its mark: every other byte of most letters is zero
            return "utf-16-le" if first[1:2] == b"\0" else "utf-16-be"
        utf_8, single = codecs.getincrementaldecoder("utf-8")(), codecs.getincrementaldecoder("cp1252")()
        is_utf_8 = is_single = True
        piece = first
        while piece or is_utf_8:
            is_utf_8 = is_utf_8 and _decodes(utf_8, piece, final=not piece)
            is_single = is_single and _decodes(single, piece, final=not piece)
            if not piece or not (is_utf_8 or is_single):
                break
            piece = file.read(_PIECE)
    if not (is_utf_8 or is_single):
        message = f"Expected {path.name} in UTF-8, UTF-16 or Windows-1252, got other bytes: name it with --encoding."
        raise InvalidError("file-invalid", message)
    return "utf-8" if is_utf_8 else "cp1252"


def _decodes(decoder: codecs.IncrementalDecoder, piece: bytes, *, final: bool) -> bool:
    try:
        decoder.decode(piece, final)
    except UnicodeDecodeError:
        return False
    return True


def _text_of(path: Path, encoding: str) -> Iterator[str]:
    """Yield the lines of a file, with their line breaks."""
    try:
        with path.open(encoding=encoding, newline="") as file:
            yield from file
    except UnicodeDecodeError as error:
        message = f"Expected {path.name} in {_SHOWN.get(encoding, encoding)}, byte {error.start} is not."
        raise InvalidError("file-invalid", message) from error


def _parted(path: Path, encoding: str, wanted: Collection[str]) -> tuple[str, list[str]]:
    """Return the character between cells, and the header that it makes (2)."""
    first = next(_text_of(path, encoding), "")
    stated = _SEPARATOR.fullmatch(first)
    headers: dict[str, list[str]] = {}
    for delimiter in (stated[1],) if stated is not None else DELIMITERS:
        try:
            headers[delimiter] = next((cells for _, cells in _records(path, encoding, delimiter)), [])
        except InvalidError:  # with this character it is no CSV, or no cell is closed
            continue
    if not headers:
        raise InvalidError("file-invalid", f"{path.name} is not CSV: its first row does not end.")
    return max(headers.items(), key=lambda item: (len({*item[1]} & {*wanted}), len(item[1])))


def _records(path: Path, encoding: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the numbers and cells of all rows that are not empty."""
    try:
        for number, cells in enumerate(csv.reader(_text_of(path, encoding), delimiter=delimiter, strict=True), start=1):
            found = [tidy(cell) for cell in cells]
            if any(found) and not (number == 1 and _is_separator(cells, delimiter)):
                yield number, found
    except csv.Error as error:
        raise InvalidError("file-invalid", f"{path.name} is not CSV: {error}.") from error


def _is_separator(cells: Sequence[str], delimiter: str) -> bool:
    return [*cells] == ["sep=", ""] or delimiter.join(cells) == f"sep={delimiter}"


def _lines(path: Path, encoding: str, delimiter: str, header: Sequence[str]) -> Iterator[Row]:
    records = _records(path, encoding, delimiter)
    next(records, None)
    for number, cells in records:
        yield Row(number, cells_of(number, header, cells))


def _objects(path: Path, encoding: str) -> Iterator[Row]:
    lines: Iterable[str] = _text_of(path, encoding)
    for number, line in enumerate(lines, start=1):
        if line.strip():
            yield Row(number, {tidy(str(name)): _plain(value) for name, value in _object(line, number).items()})


def _object(line: str, number: int) -> dict[str, Any]:
    try:
        value = parse_json(line)
    except MalformedError as error:
        raise InvalidError("file-invalid", f"Line {number}: {error}") from error
    if not isinstance(value, dict):
        raise InvalidError("file-invalid", f"Line {number}: expected a JSON object, got {shown(line.strip())}.")
    return value


def _plain(value: Any) -> str:
    return tidy(value) if isinstance(value, str) else "" if value is None else json.dumps(value, ensure_ascii=False)
