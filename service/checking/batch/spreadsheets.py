"""Read an employer's table of links as CSV, and write CSV that runs no formula.

Tables are read as any office program writes them. What is written has the employer's own columns first, unchanged, but
that a cell that an office program would take for a formula gets an apostrophe before it, no matter who wrote it: the
name in a badge is a stranger's text.
"""

import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from service.errors import InvalidError

MAX_BYTES: Final = 8 * 1024 * 1024
"""Of a table. Its characters take up to four times as much memory, and are copied while it is read."""
MAX_ROWS: Final = 500
MAX_COLUMNS: Final = 100
MAX_CELL: Final = 20_000
"""Characters."""

COLUMNS: Final = {
    "link": "link",
    "enlace": "link",
    "email": "email",
    "correo": "email",
    "name": "name",
    "nombre": "name",
    "person": "person",
    "persona": "person",
    "licence": "licence",
    "license": "licence",
    "licence number": "licence",
    "license number": "licence",
    "licencia": "licence",
    "número de licencia": "licence",
}
"""Names of the columns that are read, in English and Spanish."""
DELIMITERS: Final = (",", ";", "\t")
BOM: Final = "\ufeff"
"""Written first: without it, office programs read a CSV in an older encoding."""

_MARKS: Final = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
_SEPARATOR: Final = re.compile(r"sep=(.)\r?\n", re.IGNORECASE)
_NUMBER: Final = re.compile(r"[+-]?[0-9]{1,30}([.,][0-9]{1,30})?%?", re.ASCII)
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


@dataclass(frozen=True)
class Row:
    """One row: its cells unchanged, and the five that are read.

    Args:
        number: of the row in the file, as an office program counts; the heading is 1.
        link, email, name, person, licence: "" where the row or the file has none.
        ragged: whether it has more cells than the heading, so that nobody can tell which cell is which.
    """

    number: int
    cells: tuple[str, ...]
    link: str = ""
    email: str = ""
    name: str = ""
    person: str = ""
    licence: str = ""
    ragged: bool = False


@dataclass(frozen=True)
class Table:
    """A CSV as it was read.

    Args:
        heading: as long as the longest row.
        rows: those that are not empty, in their order; each as long as the heading.
        empty: how many rows were skipped as empty.
        delimiter: the character between the cells.
    """

    heading: tuple[str, ...]
    rows: tuple[Row, ...]
    empty: int = 0
    delimiter: str = ","


def is_table(name: str, media_type: str = "") -> bool:
    """Return whether a file's name or media type says that it is a CSV."""
    return name.lower().endswith((".csv", ".tsv")) or media_type.partition(";")[0].strip().lower() in {
        "text/csv",
        "text/tab-separated-values",
    }


def read(content: bytes) -> Table:
    """Return the table in a CSV.

    1. The encoding is what the file says, else UTF-8, else Windows-1252, as older office programs write it.
    2. The delimiter is the one with which the heading has a column `link`.
    3. Empty rows are skipped; a row longer than the heading is marked.

    Raises:
        InvalidError: codes "csv-too-large", "csv-empty", "csv-encoding", "csv-broken" (a quote that is not closed, or a huge cell),
            "csv-link-missing", "csv-column-twice", "csv-too-wide", "csv-too-long", "csv-no-rows".
    """
    if len(content) > MAX_BYTES:
        raise InvalidError("csv-too-large", f"Expected a CSV of at most {MAX_BYTES} bytes, got {len(content)}.")
    text = _text(content)
    if not text.strip():
        raise InvalidError("csv-empty", "Expected a CSV with a column link, got an empty file.")
    stated = _SEPARATOR.match(text)
    if stated is not None:
        text = text[stated.end() :]
    heading, lines, delimiter = _parted(text, (stated[1],) if stated is not None else DELIMITERS)
    places = _places(heading)
    filled = [(number, cells) for number, cells in lines if _holds(cells)]
    if not filled:
        raise InvalidError("csv-no-rows", "Expected at least one row below the heading, got none.")
    if len(filled) > MAX_ROWS:
        message = f"Expected at most {MAX_ROWS} rows, got {len(filled)}; give the file in parts."
        raise InvalidError("csv-too-long", message)
    width = max(len(heading), *(len(cells) for _, cells in filled))
    if width > MAX_COLUMNS:
        raise InvalidError("csv-too-wide", f"Expected at most {MAX_COLUMNS} columns, got {width}.")
    rows = tuple(_row(number, cells, width, places, len(heading)) for number, cells in filled)
    return Table(_padded(heading, width), rows, len(lines) - len(filled), delimiter)


def line(cells: Iterable[str], delimiter: str = ",") -> str:
    """Return one line of a CSV with its line break.

    Every cell is quoted, and none is a formula.
    """
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerow(map(harmless, cells))
    return out.getvalue()


def harmless(cell: str) -> str:
    """Return the cell, with an apostrophe first if an office program would take it for a formula.

    Such a cell begins with = + - @ or a form of them (full-width, small, raised), also after spaces and invisible
    characters, or with a tab or line break. A plain number stays as it is.
    """
    if _NUMBER.fullmatch(cell):
        return cell
    seen = next((sign for sign in cell if not _invisible(sign)), "")
    begins = unicodedata.normalize("NFKC", seen)[:1]
    if cell[:1] in {"\t", "\r", "\n"} or (begins and begins in "=+-@\N{MINUS SIGN}"):
        return "'" + cell
    return cell


def _invisible(sign: str) -> bool:
    return sign.isspace() or unicodedata.category(sign) in {"Cc", "Cf", "Mn", "Me", "Zs", "Zl", "Zp"}


def _text(content: bytes) -> str:
    wrong = InvalidError(
        "csv-encoding",
        "Expected a CSV in UTF-8, UTF-16 or Windows-1252, got other bytes; save it as CSV UTF-8 and give it again.",
    )
    mark, encoding = next(((mark, name) for mark, name in _MARKS if content.startswith(mark)), (b"", ""))
    if not encoding and b"\0" in content[:200]:  # UTF-16 of office programs without its mark: every other byte is zero
        encoding = "utf-16-le" if content[1:2] == b"\0" else "utf-16-be"
    for tried in (encoding,) if encoding else ("utf-8", "cp1252"):
        try:
            text = content[len(mark) :].decode(tried)
        except UnicodeDecodeError:
            continue
        if _CONTROL.search(text):
            break
        return text
    raise wrong


def _parted(text: str, delimiters: Sequence[str]) -> tuple[tuple[str, ...], list[tuple[int, tuple[str, ...]]], str]:
    """Return heading, numbered rows, and the delimiter that gives the heading a column `link` (2)."""
    headings = {delimiter: _heading(text, delimiter) for delimiter in delimiters}
    delimiter = next((one for one, cells in headings.items() if "link" in map(_meaning, cells)), None)
    if delimiter is None:
        shown = ", ".join(cell.strip()[:30] for cell in max(headings.values(), key=len)[:8])
        raise InvalidError("csv-link-missing", f"Expected a column link in the first row, got {shown}.")
    try:
        lines = list(_lines(text, delimiter))
    except csv.Error as error:
        broken = f"Expected a CSV in order, got one that breaks off inside a cell, or a cell beyond {MAX_CELL} letters."
        raise InvalidError("csv-broken", broken) from error
    first = next(place for place, (_, cells) in enumerate(lines) if _holds(cells))
    return lines[first][1], lines[first + 1 :], delimiter


def _heading(text: str, delimiter: str) -> tuple[str, ...]:
    """Return the first row that is not empty.

    Return an empty one where this cannot be the delimiter.
    """
    try:
        return next((cells for _, cells in _lines(text, delimiter) if _holds(cells)), ())
    except csv.Error:
        return ()


def _holds(cells: Iterable[str]) -> bool:
    return any(cell.strip() for cell in cells)


def _lines(text: str, delimiter: str) -> Iterator[tuple[int, tuple[str, ...]]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    for number, cells in enumerate(reader, start=1):
        if any(len(cell) > MAX_CELL for cell in cells):
            raise csv.Error("a huge cell")
        yield number, tuple(cells)


def _meaning(cell: str) -> str:
    return COLUMNS.get(cell.strip().strip(BOM).casefold(), "")


def _places(heading: Sequence[str]) -> dict[str, int]:
    places: dict[str, int] = {}
    for place, cell in enumerate(heading):
        meaning = _meaning(cell)
        if meaning in places:
            message = f"Expected one column {meaning}, got two: {heading[places[meaning]].strip()} and {cell.strip()}."
            raise InvalidError("csv-column-twice", message)
        if meaning:
            places[meaning] = place
    return places


def _row(number: int, cells: Sequence[str], width: int, places: dict[str, int], expected: int) -> Row:
    whole = _padded(cells, width)
    named = {meaning: " ".join(whole[place].split()) for meaning, place in places.items()}
    ragged = _holds(cells[expected:])
    return Row(number, whole, **named, ragged=ragged)


def _padded(cells: Sequence[str], width: int) -> tuple[str, ...]:
    return (*cells, *[""] * (width - len(cells)))
