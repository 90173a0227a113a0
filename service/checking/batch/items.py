"""Items of a batch from lines, files, a ZIP, or an employer's table of links."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from service.checking.batch.batch import Item
from service.checking.batch.spreadsheets import Row, Table, is_table, read
from service.errors import InvalidError
from service.texts.languages import N_
from service.unpacking.found import Opened, Problem, shown_name
from service.unpacking.reasons import LINE_WITHOUT_BADGE
from service.unpacking.unpack import Allowance, open_file, open_text

LINK_MISSING: Final = Problem("link-missing", N_("This row has no link. Ask the candidate for the link to the badge."))
ROW_RAGGED: Final = Problem(
    "row-ragged",
    N_(
        "This row has more cells than the heading, so we cannot tell which cell is the link. The cause is usually "
        "a comma or a quotation mark in a text."
    ),
)
TABLE_IN_PACKET: Final = Problem(
    "table-not-alone",
    N_("This is a table of links among other files. Send it by itself, so that its rows come back in order."),
)


@dataclass(frozen=True)
class GivenItems:
    """Everything that somebody gave to be checked.

    Args:
        heading: names of the employer's own columns; () without a table.
        empty_rows: how many rows of the table were skipped as empty.
        delimiter: of the table, which is returned with the same one.
    """

    items: tuple[Item, ...]
    heading: tuple[str, ...] = ()
    empty_rows: int = 0
    delimiter: str = ","


def of_text(text: str, allowance: Allowance) -> GivenItems:
    """Return what is in a text: a link or a badge in each line.

    Return nothing where it is blank.

    Args:
        allowance: what is left to the request.
    """
    if not text.strip():
        return GivenItems(())
    allowance.each_line = True
    return GivenItems(tuple(map(item_of, open_text(text, allowance))))


def list_or_prose(text: str, opened: Sequence[Opened], allowance: Allowance) -> list[Opened]:
    """Return what is in a text with several badges; in a list of them, each line that holds none is told too.

    A text is a list if at least half of its lines hold something to check; the other lines of a letter are words.

    Args:
        opened: what can be checked in it.
        allowance: what is left to the request.
    """
    by_line = replace(allowance, each_line=True)
    lines = open_text(text, by_line)
    allowance.left, allowance.more = by_line.left, by_line.more
    missed = sum(each.problem is LINE_WITHOUT_BADGE for each in lines)
    return list(opened) if 2 * missed > len(lines) else lines


def of_file(name: str, content: bytes, media_type: str, allowance: Allowance) -> GivenItems:
    """Return what is in a file.

    Args:
        allowance: what is left to the request.
    Raises:
        InvalidError: it is a table that cannot be read, as `spreadsheets.read`.
    """
    allowance.each_line = True
    if is_table(name, media_type):
        return of_table(read(content), allowance)
    return GivenItems(tuple(map(item_of, open_file(name, content, allowance))))


def of_files(files: Iterable[tuple[str, bytes, str]], allowance: Allowance) -> list[GivenItems]:
    """Return what is in each of the files of a request: name, content and media type.

    It raises as `of_file`.
    """
    return [of_file(*file, allowance) for file in files]


def of_table(table: Table, allowance: Allowance) -> GivenItems:
    """Return an item for each row of a table, in their order; of a row with several links one for each.

    An e-mail or a DID is compared with the badge. A name is not: badges seldom hold one that can be compared, and a
    mismatch would say something about the candidate that nobody knows.
    """
    items = tuple(item for row in table.rows for item in _of_row(row, allowance))
    return GivenItems(items, table.heading, table.empty, table.delimiter)


def together(given: Iterable[GivenItems]) -> GivenItems:
    """Return several things that were given as one; refuse a table among other things."""
    parts = [part for part in given if part.items]
    if len(parts) == 1:
        return parts[0]
    if any(part.heading for part in parts):
        raise InvalidError(TABLE_IN_PACKET.code, TABLE_IN_PACKET.message)
    return GivenItems(tuple(item for part in parts for item in part.items))


def item_of(opened: Opened) -> Item:
    """Return an item for what was opened."""
    return Item(opened.name, opened.url, opened.received, opened.problem, line=opened.line, file=opened.file)


def _of_row(row: Row, allowance: Allowance) -> list[Item]:
    recipient = row.email if "@" in row.email or row.email.startswith("did:") else None
    called = row.name or row.person
    candidate = f"{called} ({row.email})" if called and row.email else called or row.email
    if row.ragged or not row.link:
        problem = ROW_RAGGED if row.ragged else LINK_MISSING
        found = [Item(shown_name(row.link or candidate), problem=problem)]
    else:
        found = [item_of(opened) for opened in open_text(row.link, allowance)]
    return [
        replace(
            item,
            recipient=recipient,
            candidate=shown_name(candidate),
            person=row.person[:200],
            cells=row.cells,
            line=row.number,
            licence=row.licence[:200],
        )
        for item in found
    ]
