"""Clean a stranger's text, so that it can stand in a sentence as a name.

The name is on one line, and nothing in it can change how the sentence around it is read.
"""

from typing import Final

MAX_NAME: Final = 160
_JOINERS: Final = "\u200c\u200d"
"""Some scripts and signs are written with them."""
_BREAKS: Final = "\u00ad\u200b\u2060\ufeff"
"""They say where a line may be broken within a word, and where not."""


def one_line(value: object, limit: int = MAX_NAME, gap: str = "") -> str:
    """Return a text on one line, without invisible characters; "" if it is no text.

    Control characters and marks that change the direction of writing are left out: with them a name could show the
    words after it back to front. Joiners stay beside visible characters, because some scripts and emoji are written
    with them.

    Args:
        value: anything.
        limit: how many characters; the end of a longer text is left out.
        gap: what replaces a control character or such a mark: a space in a text of several words.
    """
    text = value[: 4 * limit] if isinstance(value, str) else ""
    unseen = {ord(sign): "" if sign in _BREAKS else gap for sign in set(text) if not _is_seen(sign)}
    text = " ".join(text.translate(unseen).split())
    if not text.strip(_JOINERS + " "):
        return ""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def _is_seen(sign: str) -> bool:
    return sign.isprintable() or sign.isspace() or sign in _JOINERS
