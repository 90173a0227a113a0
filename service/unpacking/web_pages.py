"""Find where the badge may be on a web page, best first. Fetches nothing."""

import re
from contextlib import suppress
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Final
from urllib.parse import urljoin, urlsplit

from service.runtime.settings import LOCAL_HOSTS
from service.unpacking.file_kinds import data_of, is_credential, names_a_badge, text_of

MAX_PAGE_BYTES: Final = 1024 * 1024
"""How much of a page is read."""
MAX_CANDIDATES: Final = 5
MAX_ELEMENTS: Final = 20_000
MAX_LINKS: Final = 5_000
"""How many of its addresses are made absolute."""
MAX_IN_TAG: Final = 5_000
"""Attributes of one tag, and the characters between them. The parser takes 500 bytes for each."""
MAX_ADDRESS: Final = 4_000
"""Of an address on the page, and of what such addresses start from: `<base>` can add to the one before it."""
_MAX_DATA: Final = 512 * 1024
_CREDENTIAL_TYPES: Final = frozenset(
    {
        "application/vc+ld+json",
        "application/vc",
        "application/vc+jwt",
        "application/vc+ld+json+jwt",
        "application/ld+json",
        "application/json",
        "application/jwt",
        "text/plain",
        "image/png",
        "image/svg+xml",
    }
)
_SURE, _ALTERNATE, _PICTURE_OF_PAGE, _ANCHOR, _FILE, _PICTURE = range(6)
"""Where a candidate can be found, in the order in which they are tried."""
_TAG: Final = re.compile(r"<[a-zA-Z][^\t\n\r\f />\x00]*+")
_ATTRIBUTE: Final = re.compile(
    r"""([\s/]*+)(?<=['"\s/])[^\s/>][^\s/=>]*+(?:\s*+=++\s*+(?:'[^']*+'|"[^"]*+"|(?!['"])[^>\s]*+))?+"""
)
"""An attribute as the parser reads it, with what is before it."""


@dataclass(frozen=True)
class Page:
    """A web page: where it is from, if it says so, and where its badge may be, best first.

    A candidate is an address, or bytes where the page itself holds a credential.
    """

    address: str
    candidates: tuple[str | bytes, ...]


class _EnoughError(Exception):
    """The page has more in it than is read."""


class _Reader(HTMLParser):
    """Notes where a badge may be, and how likely that is."""

    def __init__(self, base: str) -> None:
        super().__init__(convert_charrefs=True)
        self.base = base
        self.found: dict[str | bytes, int] = {}
        self.saved_from = ""
        self.canonical = ""
        self._script: list[str] | None = None
        self._elements = self._links = 0

    def parse_starttag(self, i: int) -> int:
        """Read a tag, unless it has more in it than is read: the parser matches all of it at once."""
        name = _TAG.match(self.rawdata, i)
        within, end = 0, name.end() if name else i
        while (attribute := _ATTRIBUTE.match(self.rawdata, end)) is not None:
            within, end = within + 1 + len(attribute[1]), attribute.end()
            if within > MAX_IN_TAG:
                raise _EnoughError
        return super().parse_starttag(i)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._elements += 1
        if self._elements > MAX_ELEMENTS:
            raise _EnoughError
        given = {name: value or "" for name, value in reversed(attrs)}
        match tag:
            case "base":
                self.base = self._absolute(given.get("href", "")) or self.base
            case "link" if given.get("rel", "").lower() == "canonical":
                self.canonical = self.canonical or self._absolute(given.get("href", ""))
            case "link" if "alternate" in given.get("rel", "").lower().split():
                if given.get("type", "").partition(";")[0].strip().lower() in _CREDENTIAL_TYPES:
                    self._note(self._absolute(given.get("href", "")), _ALTERNATE)
            case "meta" if (given.get("property") or given.get("name")) in {
                "og:image",
                "og:image:url",
                "twitter:image",
            }:
                self._note(self._absolute(given.get("content", "")), _PICTURE_OF_PAGE)
            case "meta" if given.get("property") == "og:url":
                self.canonical = self.canonical or self._absolute(given.get("content", ""))
            case "a":
                self._note_anchor(given.get("href", ""))
            case "img" | "source" | "embed" | "object":
                self._note_picture(given.get("src", "") or given.get("data", ""))
            case "script" if given.get("type", "").lower().strip() == "application/ld+json":
                self._script = []

    def handle_endtag(self, tag: str) -> None:
        if tag == "script" and self._script is not None:
            content = "".join(self._script).strip().encode("utf-8", "surrogatepass")
            self._script = None
            self._note_credential(content)

    def handle_comment(self, data: str) -> None:
        """Note the address that browsers write into a page that they save."""
        said = data.strip()
        if said.startswith("saved from url=(") and not self.saved_from:
            self.saved_from = _joined("", said.partition(")")[2])
            self.base = self.base or self.saved_from

    def handle_data(self, data: str) -> None:
        if self._script is not None:
            self._script.append(data)

    def _note_anchor(self, link: str) -> None:
        url = self._absolute(link)
        if names_a_badge(url, by_host=False):
            ends_as_data = urlsplit(url).path.lower().endswith((".json", ".jwt"))
            self._note(url, _ANCHOR if ends_as_data else _FILE)

    def _note_picture(self, link: str) -> None:
        if link.startswith("data:image/") and len(link) <= _MAX_DATA:
            self._note_credential(data_of(link) or b"")
        elif urlsplit(url := self._absolute(link)).path.lower().endswith((".png", ".svg")):
            self._note(url, _PICTURE)

    def _note_credential(self, content: bytes) -> None:
        if is_credential(content):
            self.found.setdefault(content, _SURE)
            if list(self.found.values()).count(_SURE) > MAX_CANDIDATES:
                raise _EnoughError

    def _note(self, url: str, rank: int) -> None:
        url = url.partition("#")[0]
        better = sum(known <= rank for known in self.found.values())
        if url and (url in self.found or better <= MAX_CANDIDATES):  # otherwise it never becomes one of the best
            self.found[url] = min(rank, self.found.get(url, rank))

    def _absolute(self, link: str) -> str:
        self._links += 1
        if self._links > MAX_LINKS:
            raise _EnoughError
        return _joined(self.base, link)


def read_page(content: bytes, address: str = "") -> Page:
    """Read from a page where the badge may be.

    Args:
        content: HTML; the first `MAX_PAGE_BYTES` are read.
        address: where it was fetched, or "" for a saved page.
    """
    beginning = content[:MAX_PAGE_BYTES]
    reader = _Reader(address)
    # Never closed: the parser would read what is left open at the end again and again.
    with suppress(_EnoughError, AssertionError, ValueError):
        reader.feed(text_of(beginning) or beginning.decode("utf-8", "replace"))
    own = address.partition("#")[0]
    ranked = sorted((rank, place, found) for place, (found, rank) in enumerate(reader.found.items()) if found != own)
    return Page(
        address or reader.saved_from or reader.canonical, tuple(found for _, _, found in ranked[:MAX_CANDIDATES])
    )


def _joined(base: str, link: str) -> str:
    """Return an absolute address that may be asked, or "" where there is none."""
    try:
        url = urljoin(base, link.strip()[:MAX_ADDRESS])
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return ""
    secure = parts.scheme == "https" or (parts.scheme == "http" and host in LOCAL_HOSTS)
    return url if secure and host and len(url) <= MAX_ADDRESS else ""
