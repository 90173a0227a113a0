"""Clean a stranger's text, so that it can stand in a sentence as a name.

The name is on one line, and nothing in it can change how the sentence around it is read.
"""

import unicodedata
from typing import Final

MAX_NAME: Final = 160
_JOINERS: Final = "\u200c\u200d"


def one_line(value: object, limit: int = MAX_NAME) -> str:
    """Return a text on one line, without invisible characters; "" if it is no text.

    It has at most `limit` characters. Control characters and marks that change the direction of writing are left out:
    with them a name could show the words after it back to front. Joiners stay, because some scripts and emoji are
    written with them.
    """
    text = value if isinstance(value, str) else ""
    kept = (letter for letter in text[: 4 * limit] if letter in _JOINERS or not _unseen(letter))
    text = " ".join("".join(kept).split())
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def _unseen(letter: str) -> bool:
    return unicodedata.category(letter) in {"Cc", "Cf", "Cs", "Co", "Cn"} and letter not in "\t\n\r"
