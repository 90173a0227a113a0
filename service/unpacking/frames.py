"""Frames that the service and a process that opens files send each other.

A frame is two lengths (4 bytes each, the highest first), JSON of the first length, bytes of the second. The process has
read a stranger's file: what it answers is parsed as strict data, never unpickled, and believed no more than the file.
"""

import json
import struct
from collections.abc import Mapping
from typing import IO, Any, Final

from service.unpacking import pasted_text, reasons
from service.unpacking.found import MAX_ENTRY_BYTES, MAX_FILE_BYTES, Opened, Problem, shown_name

MAX_JSON_BYTES: Final = 64 * 1024
_LENGTHS: Final = struct.Struct(">II")
_PROBLEMS: Final = {problem.code: problem for problem in vars(reasons).values() if isinstance(problem, Problem)}


class FrameError(Exception):
    """What came is no frame, or not one that may be said here."""


def write(stream: IO[bytes], said: Mapping[str, Any], content: bytes = b"") -> None:
    """Write a frame."""
    text = json.dumps(said).encode()
    stream.write(_LENGTHS.pack(len(text), len(content)) + text)
    stream.write(content)
    stream.flush()


def read(stream: IO[bytes]) -> tuple[dict[str, Any], bytes] | None:
    """Return JSON and bytes of the next frame; None where the stream ended before it.

    Raises:
        FrameError: it breaks off, is longer than any may be, or is not JSON with an object.
    """
    lengths = stream.read(_LENGTHS.size)
    if not lengths:
        return None
    if len(lengths) < _LENGTHS.size:
        raise FrameError
    of_text, of_content = _LENGTHS.unpack(lengths)
    if of_text > MAX_JSON_BYTES or of_content > MAX_FILE_BYTES:
        raise FrameError
    text, content = stream.read(of_text), stream.read(of_content)
    if len(text) < of_text or len(content) < of_content:
        raise FrameError
    try:
        said = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise FrameError from error
    if not isinstance(said, dict):
        raise FrameError
    return said, content


def of_opened(opened: Opened) -> dict[str, Any]:
    """Return as JSON what was opened; its bytes stand beside it."""
    return {
        "name": opened.name,
        "url": opened.url,
        "received": opened.received is not None,
        "problem": opened.problem.code if opened.problem is not None else None,
        "remarks": [remark.code for remark in opened.remarks],
        "line": opened.line,
        "file": opened.file,
    }


def to_opened(said: Mapping[str, Any], content: bytes) -> Opened:
    """Return what was opened, from its frame.

    Raises:
        FrameError: it says anything that opening a file cannot say.
    """
    try:
        name, url, received, problem, remarks, line, file = (
            said[member] for member in ("name", "url", "received", "problem", "remarks", "line", "file")
        )
        known = (None if problem is None else _PROBLEMS[problem], tuple(_PROBLEMS[code] for code in remarks))
    except (LookupError, TypeError) as error:
        raise FrameError from error
    given = (url is not None) + (received is True) + (problem is not None)
    link = url is None or (isinstance(url, str) and pasted_text.of_link(url).problem is None)
    if type(line) is not int or not 0 <= line <= MAX_FILE_BYTES or not isinstance(file, str):
        raise FrameError
    if len(said) > 7 or not isinstance(name, str) or not link or given != 1 or len(remarks) > len(_PROBLEMS):
        raise FrameError
    if len(content) > (MAX_ENTRY_BYTES if received is True else 0):
        raise FrameError
    return Opened(shown_name(name), url, content if received is True else None, *known, line, shown_name(file))
