"""Somebody's own list of approved issuers: which issuer is on it.

An issuer is known by its DID, by the address of its page, or by a domain that is its own. Its name never decides:
anybody can call themself anything.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, Literal
from urllib.parse import urlsplit

from credentials import CredentialError
from credentials.proofs.dids import did_web_url
from service.checking.issuers import Issuer
from service.errors import InvalidError

Match = Literal["approved", "name-only", "shared-domain", "no"]

MAX_LINES: Final = 2_000
MAX_CHARACTERS: Final = 400_000

_DOMAIN: Final = re.compile(r"(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.)+[^\W\d_]{2,24}(?::[0-9]{1,5})?|localhost:[0-9]{1,5}")
_HEADINGS: Final = frozenset(
    {
        "name",
        "nombre",
        "issuer",
        "issuers",
        "emisor",
        "emisores",
        "domain",
        "dominio",
        "did",
        "url",
        "link",
        "enlace",
        "id",
    }
)


@dataclass(frozen=True)
class Approved:
    """A list of approved issuers.

    Args:
        dids, addresses, domains: by which an issuer is known; addresses without scheme and last slash.
        names: of lines that hold nothing else, so that nobody is approved by them.
    """

    dids: frozenset[str] = field(default=frozenset())
    addresses: frozenset[str] = field(default=frozenset())
    domains: frozenset[str] = field(default=frozenset())
    names: frozenset[str] = field(default=frozenset())

    @property
    def size(self) -> int:
        """How many entries it has, names included."""
        return len(self.dids) + len(self.addresses) + len(self.domains) + len(self.names)

    def match(self, issuer: Issuer) -> Match:
        """Return whether an issuer that stands behind a badge is on the list.

        A domain does not approve a network of this service: all its networks share the domain.
        """
        if issuer.id in self.dids or not self.addresses.isdisjoint(_addresses_of(issuer)):
            return "approved"
        if issuer.domain and _bare(issuer.domain) in self.domains:
            return "shared-domain" if issuer.page else "approved"
        return "name-only" if issuer.name.casefold() in self.names else "no"


def read_list(text: str) -> Approved:
    """Return the list in a text: an issuer a line, or a CSV with a row for each.

    A line may hold a name beside a DID, an address or a domain.

    Raises:
        InvalidError: it is longer than is read (code "issuers-too-many").
    """
    lines = [line for line in text.lstrip("\ufeff").splitlines() if line.strip()]
    if len(lines) > MAX_LINES or len(text) > MAX_CHARACTERS:
        message = f"Expected at most {MAX_LINES} approved issuers in {MAX_CHARACTERS} characters, got more."
        raise InvalidError("issuers-too-many", message)
    found: dict[str, set[str]] = {"dids": set(), "addresses": set(), "domains": set(), "names": set()}
    for line in lines:
        told = list(_told(line))
        for kind, value in told:
            if kind != "names" or len(told) == 1:
                found[kind].add(value)
    return Approved(**{kind: frozenset(values) for kind, values in found.items()})


def _told(line: str) -> Iterator[tuple[str, str]]:
    """Yield what a line holds: kind and value; a name only where it holds nothing else."""
    whole = line.strip()
    cells = [whole] if "://" in whole and not re.search(r"\s", whole) else re.split("[,;\t]", whole)
    cells = [cell.strip().strip("\"'").strip() for cell in cells]
    known = [told for cell in cells if (told := _identifier(cell))]
    if known:
        yield from known
    elif not _HEADINGS.issuperset(cell.casefold() for cell in cells if cell):
        yield "names", whole.strip("\"'").casefold()


def _identifier(cell: str) -> tuple[str, str] | None:
    if cell.startswith("did:"):
        return "dids", cell
    if cell.lower().startswith(("https://", "http://")):
        address = _without_scheme(cell)
        return ("addresses", address) if "/" in address else ("domains", _bare(address))
    return ("domains", _bare(cell)) if _DOMAIN.fullmatch(cell) else None


def _addresses_of(issuer: Issuer) -> Iterator[str]:
    yield from (_without_scheme(address) for address in (issuer.id, issuer.page) if "://" in address)
    if issuer.id.startswith("did:web:"):
        try:
            yield _without_scheme(did_web_url(issuer.id)).removesuffix("/did.json")
        except CredentialError:
            return


def _without_scheme(address: str) -> str:
    try:
        parts = urlsplit(address.strip())
    except ValueError:
        return ""
    query = f"?{parts.query}" if parts.query else ""
    return parts.netloc.lower() + parts.path.rstrip("/") + query


def _bare(domain: str) -> str:
    return domain.casefold().removeprefix("www.")
