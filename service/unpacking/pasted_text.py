"""Find links and credentials in pasted text, with words around them."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final
from urllib.parse import urlsplit

from credentials import strict_json
from service.runtime.settings import LOCAL_HOSTS
from service.unpacking import reasons
from service.unpacking.file_kinds import data_of, is_jwt, kind_of
from service.unpacking.found import Opened, shown_name

MAX_LINK: Final = 4000
_LINK: Final = re.compile(r"\b(?:https?|ftp)://[^\s<>\"'`\\^{}|\u2028\u2029]+", re.IGNORECASE)
_BARE_LINK: Final = re.compile(r"(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}/[^\s<>\"'`\\^{}|]+")
_DATA: Final = re.compile(r"\bdata:[^\s<>\"'`\\]+", re.IGNORECASE)
_TOKEN: Final = re.compile(r"(?<![A-Za-z0-9_.-])[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*")
_LINE: Final = re.compile("[^\n\r\v\f\x1c-\x1e\x85\u2028\u2029]+")
_BREAKS: Final = "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"
_HEADINGS: Final = frozenset({"link", "links", "url", "urls", "enlace", "enlaces"})
_CLOSING: Final = {")": "(", "]": "["}
_LEADING_THROUGH: Final = (
    "linkedin.com",
    "lnkd.in",
    "safelinks.protection.outlook.com",
    "urldefense.com",
    "l.facebook.com",
    "t.co",
)


def of_lines(
    text: str, open_inside: Callable[[str, bytes], list[Opened]], time_left: Callable[[], float]
) -> Iterator[Opened]:
    """Yield what can be checked in each line, in order; skip lines without anything.

    Args:
        open_inside: opens the picture that a data: URL holds.
        time_left: how many seconds there are for further lines.
    """
    for line in _LINE.finditer(text):  # never all at once: a text of 32 MB may have as many lines
        if time_left() <= 0:
            yield Opened(beginning(line[0]), problem=reasons.REST_NOT_SEARCHED)
            return
        yield from _of_line(line[0], open_inside)


def each_line(
    text: str, open_inside: Callable[[str, bytes], list[Opened]], time_left: Callable[[], float], first: int = 1
) -> Iterator[Opened]:
    """Yield what is in each line with its number, and a problem for each line without anything.

    Only empty lines are skipped, and an obvious heading in line 1.

    Args:
        open_inside, time_left: as `of_lines`.
        first: the number of the first line.
    """
    number, end = first, 0
    for line in _LINE.finditer(text):
        number += line_at(text, line.start(), end) - 1
        end = line.end()
        if time_left() <= 0:
            yield Opened(beginning(line[0]), problem=reasons.REST_NOT_SEARCHED, line=number)
            return
        found = False
        for opened in _of_line(line[0], open_inside):
            found = True
            yield replace(opened, line=number)
        if not found and line[0].strip() and not (number == 1 and is_heading(line[0])):
            yield Opened(beginning(line[0].strip()), problem=reasons.LINE_WITHOUT_BADGE, line=number)


def line_at(text: str, place: int, begin: int = 0) -> int:
    """Return the number of the line at a place, where the one at `begin` is 1."""
    breaks = sum(text.count(sign, begin, place) for sign in _BREAKS)
    return 1 + breaks - text.count("\r\n", begin, place)


def is_heading(line: str) -> bool:
    """Return whether a line is the heading of a list or table of links."""
    cells = {cell.strip().strip("\"'").casefold() for cell in re.split("[,;\t|]", line[:10_000])}
    return not _HEADINGS.isdisjoint(cells)


def _of_line(line: str, open_inside: Callable[[str, bytes], list[Opened]]) -> Iterator[Opened]:
    stripped = line.strip()
    if stripped.startswith("{"):
        yield of_json(stripped)
        return
    if (inside := _DATA.search(line)) is not None:
        content, name = data_of(inside[0]) or b"", beginning(inside[0])
        match kind_of(content):
            case "png" | "svg" | "photo":
                yield from open_inside(name, content)
            case "json" | "jwt":
                yield of_code(content.decode("utf-8", "replace"), name)
            case _:
                yield Opened(name, problem=reasons.DATA_LINK_UNREADABLE)
        return
    found = False
    seen = set()
    for sign in (_LINK, _TOKEN):
        for match in sign.finditer(line):  # never all at once: a line of 8 MB may have a million
            given = _trimmed(match[0])
            if given not in seen:
                seen.add(given)
                if "://" in given:
                    found = True
                    yield of_link(given)
                elif is_jwt(given):
                    found = True
                    yield of_token(given)
        if found:
            return
    if _BARE_LINK.fullmatch(stripped):
        yield of_link(f"https://{_trimmed(stripped)}")


def of_link(url: str, name: str = "") -> Opened:
    """Return a link to check, or why it is not opened."""
    name = name or shown_name(url)
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return Opened(name, problem=reasons.LINK_UNREACHABLE)
    if parts.scheme.lower() != "https" and not (parts.scheme.lower() == "http" and host in LOCAL_HOSTS):
        return Opened(name, problem=reasons.LINK_INSECURE)
    if len(url) > MAX_LINK or not host:
        return Opened(name, problem=reasons.LINK_UNREACHABLE)
    if any(host == other or host.endswith(f".{other}") for other in _LEADING_THROUGH):
        return Opened(name, problem=reasons.LINK_LEADS_THROUGH)
    return Opened(name, url=url)


def of_token(token: str, name: str = "") -> Opened:
    """Return a compact JWT to check."""
    return Opened(name or beginning(token), received=token.encode())


def of_json(text: str, name: str = "") -> Opened:
    """Return JSON to check, or why it cannot be checked.

    JSON that no parser accepts was damaged on its way; what only strict parsers refuse, the report names, as it does
    what is too long to be read.
    """
    try:
        if len(text) <= strict_json.MAX_BYTES:
            json.loads(text)
    except RecursionError:
        pass
    except ValueError:
        return Opened(name or beginning(text), problem=reasons.JSON_DAMAGED)
    return Opened(name or beginning(text), received=text.encode("utf-8", "surrogatepass"))


def beginning(text: str) -> str:
    """Return the beginning of a text, by which the visitor recognises it."""
    short = shown_name(text[:80])
    return short if len(short) <= 48 else f"{short[:48]}..."


def of_code(content: str, name: str) -> Opened:
    """Return what a code in a picture holds, or a reason by its kind where that cannot be checked."""
    text = content.strip()
    if text.startswith("{"):
        return of_json(text, name)
    if is_jwt(text):
        return of_token(text, name)
    if re.fullmatch(_LINK, text):
        opened = of_link(text, name)
        return Opened(name, problem=reasons.CODE_INSECURE_LINK) if opened.problem is reasons.LINK_INSECURE else opened
    scheme = re.match(r"[A-Za-z][A-Za-z0-9+.-]{1,30}:", text)
    return Opened(name, problem=reasons.CODE_OTHER if scheme else reasons.CODE_TEXT)


def _trimmed(given: str) -> str:
    """Return a link without punctuation of its sentence: a full stop, an unmatched bracket."""
    for _ in range(8):
        last = given[-1:]
        if last in _CLOSING and given.count(last) <= given.count(_CLOSING[last]):
            break
        if last not in ".,;:!?*~)]":
            break
        given = given[:-1]
    return given
