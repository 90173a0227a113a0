"""By what a listed network is found: its interests, its languages and the words of its name.

The labels are derived from the network and its listing, and can be written again at any time.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Final

from sqlalchemy import delete

from service.access.act import Act
from service.tables import Listing, ListingLabel, Network

MOST_WORDS: Final = 20
"""Words of a name by which it is found."""


def folded(text: str) -> str:
    """Return a text so that capitals, accents and forms of letters make no difference."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(sign for sign in apart if not "\u0300" <= sign <= "\u036f")
    return " ".join(unicodedata.normalize("NFC", plain).split())


def words_of(text: str) -> list[str]:
    """Return the words of a name or of a search, folded, each once."""
    return list(dict.fromkeys(re.findall(r"\w+", folded(text))))


def languages_of(network: Network, row: Listing) -> Sequence[str]:
    """Return in which languages people work together, by their codes."""
    return row.languages or [network.language]


def label(act: Act, network: Network, row: Listing | None = None) -> None:
    """Write down again by what a network is found, after it changed what that rests on."""
    row = row or act.session.get(Listing, network.id)
    if row is None:
        return
    act.session.execute(delete(ListingLabel).where(ListingLabel.network_id == network.id))
    act.session.add_all(
        ListingLabel(network_id=network.id, kind=kind, label=found, shown=shown)
        for kind, found, shown in _labels(network, row)
    )
    act.session.flush()


def _labels(network: Network, row: Listing) -> Iterator[tuple[str, str, str]]:
    yield from (("interest", folded(each), each) for each in row.interests)
    yield from (("language", each, each) for each in languages_of(network, row))
    yield from (("word", each, each) for each in words_of(network.name)[:MOST_WORDS])
