"""Lists of known issuers that the operator trusts: own lists, or registry files.

A signature shows whose key signed, never who that is in real life. All that this service can know is that somebody
looked and wrote the issuer into a list; the operator chooses which lists to believe.
"""

import json
import logging
import time
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

from service.runtime.settings import SettingsError
from service.texts.languages import N_

log = logging.getLogger(__name__)

OWN_NETWORKS, THIS_SERVICE = N_("the networks of this service"), N_("this service itself")
OWN_LISTS = frozenset({OWN_NETWORKS, THIS_SERVICE})
"""Names of lists that are sentences of our own, to be translated."""
LOOK_AGAIN_SECONDS = 5.0
MAX_LIST_BYTES = 16_777_216
ALIKE = 0.88
"""How similar two names must be to be confused: they differ in one letter in about eight."""


@dataclass(frozen=True)
class Listing:
    """An issuer as a list names it; `url` and `since` where the list gives them."""

    list_name: str
    issuer_id: str
    name: str
    url: str = ""
    since: datetime | None = None


@dataclass(frozen=True)
class TrustList:
    """A list of known issuers; `updated_at` where the list gives it."""

    name: str
    updated_at: datetime | None
    listings: Mapping[str, Listing]


class TrustLists:
    """The lists in a folder, read again when a file changes.

    Args:
        folder: of `*.json` files, each a list; None: there are no lists.
    Raises:
        SettingsError: a file is not a list. If one breaks later, that is logged, and the lists stay as they were.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._seen: tuple[tuple[str, int, int], ...] = ()
        self._lists: Sequence[TrustList] = ()
        self._looked_at = 0.0
        if folder is not None and not folder.is_dir():
            raise SettingsError(f"LAUREL_TRUST_LISTS_FOLDER: expected a folder, got {str(folder)!r}.")
        self._read()

    def all(self) -> Sequence[TrustList]:
        """Return the present lists in the order of their files' names: the weightiest first."""
        if self._folder is not None and time.monotonic() - self._looked_at > LOOK_AGAIN_SECONDS:
            try:
                self._read()
            except (OSError, SettingsError) as error:
                log.warning("the trust lists stay as they were: %s", error)
        return self._lists

    def naming(self, issuer_id: str) -> list[Listing]:
        """Return the entries for exactly this issuer id."""
        return [found.listings[issuer_id] for found in self.all() if issuer_id in found.listings]

    def alike(self, name: str, issuer_id: str) -> Listing | None:
        """Return a listed issuer with another id whose name is easily confused with `name`."""
        return alike_among(self._listings(), name, issuer_id)

    def _listings(self) -> Iterator[Listing]:
        for found in self.all():
            yield from found.listings.values()

    def _read(self) -> None:
        self._looked_at = time.monotonic()
        if self._folder is None:
            return
        paths = sorted(self._folder.glob("*.json"))
        seen = tuple((path.name, path.stat().st_mtime_ns, path.stat().st_size) for path in paths)
        if seen != self._seen:
            self._lists = [read_list(path) for path in paths]
            self._seen = seen


def alike_among(listings: Iterable[Listing], name: str, issuer_id: str) -> Listing | None:
    """Return the first of these issuers with another id whose name is easily confused with `name`."""
    asked = _skeleton(name)
    if not asked:
        return None
    for listing in listings:
        known = _skeleton(listing.name)
        if listing.issuer_id != issuer_id and (asked == known or _ratio(asked, known) >= ALIKE):
            return listing
    return None


def read_list(path: Path) -> TrustList:
    """Return the list in a file.

    Either an own list, `{"name", "updated"?, "issuers": [{"id", "name", "url"?, "since"?}]}`, or a registry file as the
    Digital Credentials Consortium publishes them, `{"meta": {"updated"?}, "registry": {id: {"name", "url"?}}}`, which
    takes its name from its file.

    Raises:
        SettingsError: it is neither.
    """
    try:
        if path.stat().st_size > MAX_LIST_BYTES:
            raise ValueError("too large")  # noqa: TRY301  (one sentence for every fault of a file)
        written: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if "registry" in written:
            meta = written.get("meta") or {}
            name = str(meta.get("name") or path.stem.replace("-", " ").replace("_", " "))
            entries = [{"id": key, **entry} for key, entry in written["registry"].items()]
            updated = meta.get("updated") or meta.get("created")
        else:
            name, entries, updated = str(written["name"]), written["issuers"], written.get("updated")
        listings = {
            str(entry["id"]): Listing(
                name, str(entry["id"]), str(entry["name"]), str(entry.get("url") or ""), _instant(entry.get("since"))
            )
            for entry in entries
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        message = (
            f"LAUREL_TRUST_LISTS_FOLDER: expected {path.name} to be a list of issuers "
            '({"name", "issuers": [{"id", "name"}]} or {"registry": {id: {"name"}}}), got something else.'
        )
        raise SettingsError(message) from error
    return TrustList(name, _instant(updated), listings)


def _instant(value: object) -> datetime | None:
    if not isinstance(value, str):
        return None
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _skeleton(name: str) -> str:
    """Return a name as the eye sees it: letters and digits without case and accents, look-alikes as one."""
    plain = unicodedata.normalize("NFKD", name[:200]).casefold()
    return "".join(letter for letter in plain.translate(_LOOKALIKES) if letter.isalnum())


# Letters that look alike: Cyrillic and Greek letters and digits, each with its Latin one.
_LOOKALIKES = str.maketrans(
    "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0458\u0455\u0501\u051b\u03bf\u03b1\u03b5\u03b9\u03bd\u03c1\u03c4\u03c5\u03ba01|",
    "aeopcyxijsdqoaeivptukoll",
)


def _ratio(one: str, other: str) -> float:
    matcher = SequenceMatcher(None, one, other, autojunk=False)
    return matcher.ratio() if matcher.real_quick_ratio() >= ALIKE and matcher.quick_ratio() >= ALIKE else 0.0
