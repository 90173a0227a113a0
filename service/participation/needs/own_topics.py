"""Topics in the words of the people who add them.

They are cleaned, and known again when somebody else writes the same.
"""

import unicodedata
from typing import Final

from service.texts.display_names import one_line

MAX_CHARACTERS: Final = 100
_ENDS: Final = ".,;:!?¡¿\"'*"
_AROUND: Final = frozenset({"Pd", "Pe", "Pf", "Pi", "Ps", "Zs"})
"""Categories of Unicode: dashes, brackets, quotation marks, spaces."""


def cleaned(words: str) -> str:
    """Return a topic on one line, without invisible characters; "" if nothing is left."""
    return one_line(unicodedata.normalize("NFC", words), MAX_CHARACTERS, gap=" ")


def key_of(words: str) -> str:
    """Return by what a topic is known again: case, width and what stands around it do not count."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", cleaned(words)).casefold())
    folded = " ".join(folded.split())
    first, last = 0, len(folded)
    while first < last and _is_around(folded[first]):
        first += 1
    while last > first and _is_around(folded[last - 1]):
        last -= 1
    return folded[first:last] or folded


def _is_around(sign: str) -> bool:
    return sign in _ENDS or unicodedata.category(sign) in _AROUND
