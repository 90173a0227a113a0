"""Somebody's text as a name on one line, so that nothing in it bends the sentence that it stands in."""

import unicodedata
from typing import Final

MAX_NAME: Final = 160
_JOINERS: Final = "\u200c\u200d"


def one_line(value: object, limit: int = MAX_NAME) -> str:
    """Return a text on one line, of at most so many characters and with nothing unseen; "" for what is no text.

    Controls and marks that turn the direction of writing are left out: with them a name could show the words after it
    back to front. Joiners stay, which some scripts and signs are written with.
    """
    text = value if isinstance(value, str) else ""
    kept = (letter for letter in text[: 4 * limit] if letter in _JOINERS or not _unseen(letter))
    text = " ".join("".join(kept).split())
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def _unseen(letter: str) -> bool:
    return unicodedata.category(letter) in {"Cc", "Cf", "Cs", "Co", "Cn"} and letter not in "\t\n\r"
