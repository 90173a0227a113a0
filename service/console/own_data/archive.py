"""A bounded ZIP file, written to a spool on disk, with names safe everywhere."""

import json
from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import IO, Any, Final
from uuid import UUID
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from service.errors import TooLargeError
from service.texts.languages import N_

MAX_BYTES: Final = 2**30
"""The most that may be in one file, before it is packed."""
MODE: Final = 0o100600 << 16
UNIX: Final = 3
TOO_LARGE: Final = N_("There is more about you than one file can hold. Take the data of each network by itself.")


class Archive:
    """A ZIP file in the making.

    Names are ours, or from `file_names.file_name`: in those of networks and badges stand only letters, digits and
    hyphens. A name that is there already gets a number.
    """

    def __init__(self, spool: IO[bytes], at: datetime) -> None:
        self._zip = ZipFile(spool, "w")
        self._at = at.astimezone(UTC).timetuple()[:6]
        self._left = MAX_BYTES
        self._names: set[str] = set()

    def free(self, name: str) -> str:
        """Return a name that no file or folder has yet, which is that one or has a number; it is taken then."""
        stem, dot, ending = name.partition(".")
        found, number = name, 1
        while found.casefold() in self._names:
            number += 1
            found = f"{stem}-{number}{dot}{ending}"
        self._names.add(found.casefold())
        return found

    def add(self, name: str, pieces: Iterable[bytes]) -> None:
        """Write a file, piece by piece.

        Raises:
            TooLargeError: there is more than one archive may hold (code "own-data-too-large").
        """
        entry = ZipInfo(name, self._at)
        entry.compress_type, entry.external_attr, entry.create_system = ZIP_DEFLATED, MODE, UNIX
        with self._zip.open(entry, "w", force_zip64=True) as file:
            for piece in pieces:
                self._left -= len(piece)
                if self._left < 0:
                    raise TooLargeError("own-data-too-large", TOO_LARGE)
                file.write(piece)

    def close(self) -> None:
        """Write the list of files; without it, nothing can read the archive."""
        self._zip.close()


def as_json(value: Any) -> bytes:
    """Return a document as JSON for people and programs."""
    return json.dumps(value, ensure_ascii=False, indent=2, default=plain).encode() + b"\n"


def as_line(value: Any) -> bytes:
    """Return a line of NDJSON."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=plain).encode() + b"\n"


def plain(value: object) -> object:
    """Return what JSON has no form of."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, date | UUID):
        return str(value)
    raise TypeError(type(value).__name__)
