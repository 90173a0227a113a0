"""Read the files in a ZIP, in their order, within bounds.

The bounds count what is really unpacked and trust no header: (1) files are counted before the directory is read,
(2) each file is unpacked in pieces up to a bound, and all together up to another, (3) only the two usual methods of
compression are accepted, because with others the author decides how much memory they take, and (4) nothing is ever
written to a disk: a path is only a name.
"""

import zipfile
from collections.abc import Iterator
from io import BytesIO
from typing import Final

from service.unpacking import reasons
from service.unpacking.found import MAX_ENTRY_BYTES, Problem, shown_name
from service.unpacking.photos import DECODERS_RAISE

MAX_DIRECTORY: Final = 5_000
"""Entries of a ZIP, including folders and hidden files."""
MAX_UNPACKED_BYTES: Final = 96 * 1024 * 1024
"""Of all files of a ZIP together."""
_PIECE: Final = 64 * 1024
_DIRECTORY_ENTRY: Final = b"PK\1\2"
_PACKED: Final = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_ENCRYPTED: Final = 0x1
_OFFICE: Final = frozenset({"[Content_Types].xml", "META-INF/manifest.xml", "Index/Document.iwa"})
_TABLES: Final = ("xl/", "Index/Tables/")
_ZIP_RAISES: Final = (zipfile.BadZipFile, *DECODERS_RAISE)


class ZipError(Exception):
    """A ZIP that cannot be unpacked, and why."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.code)
        self.problem = problem


def files_in(content: bytes) -> Iterator[tuple[str, bytes | Problem]]:
    """Yield path and content of each file in a ZIP, or why it was not unpacked.

    Folders, hidden files, and what a Mac adds are skipped.

    Raises:
        ZipError: it is damaged, holds no file, holds too many, or is an office document.
    """
    if content.count(_DIRECTORY_ENTRY) > MAX_DIRECTORY:  # (1)
        raise ZipError(reasons.TOO_MANY)
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            entries = [entry for entry in archive.infolist() if _is_file(entry)]
            office = _office({entry.filename for entry in archive.infolist()})
            if office is not None:
                raise ZipError(office)
            if not entries:
                raise ZipError(reasons.ZIP_EMPTY)
            yield from _unpacked(archive, entries)
    except _ZIP_RAISES as error:
        raise ZipError(reasons.ZIP_DAMAGED) from error


def _unpacked(archive: zipfile.ZipFile, entries: list[zipfile.ZipInfo]) -> Iterator[tuple[str, bytes | Problem]]:
    left = MAX_UNPACKED_BYTES
    for entry in entries:
        unpacked, found = _content(archive, entry, left)
        left -= unpacked
        yield shown_name(entry.filename), found
        if found is reasons.ZIP_TOO_LARGE:
            return


def _is_file(entry: zipfile.ZipInfo) -> bool:
    folders = entry.filename.replace("\\", "/").split("/")
    return not (entry.is_dir() or "__MACOSX" in folders or folders[-1].startswith(".") or folders[-1] == "Thumbs.db")


def office_document(content: bytes) -> Problem | None:
    """Return the reason for an office document, which is a ZIP inside.

    Return None for any other ZIP.
    """
    try:
        next(files_in(content))
    except ZipError as error:
        return error.problem if error.problem in {reasons.OFFICE_DOCUMENT, reasons.SPREADSHEET} else None
    return None


def _office(names: set[str]) -> Problem | None:
    if not names & _OFFICE:
        return None
    return reasons.SPREADSHEET if any(name.startswith(_TABLES) for name in names) else reasons.OFFICE_DOCUMENT


def _content(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, left: int) -> tuple[int, bytes | Problem]:
    """Unpack a file in pieces (2).

    Return how many bytes, and the file or why it is incomplete.
    """
    if entry.flag_bits & _ENCRYPTED:
        return 0, reasons.ENTRY_ENCRYPTED
    if entry.compress_type not in _PACKED:  # (3)
        return 0, reasons.ENTRY_DAMAGED
    content = bytearray()
    try:
        with archive.open(entry) as file:
            while piece := file.read(_PIECE):
                content += piece
                if len(content) > left:
                    return len(content), reasons.ZIP_TOO_LARGE
                if len(content) > MAX_ENTRY_BYTES:
                    return len(content), reasons.ENTRY_TOO_LARGE
    except _ZIP_RAISES:
        return len(content), reasons.ENTRY_DAMAGED
    return len(content), bytes(content)
