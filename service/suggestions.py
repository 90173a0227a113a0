"""The word that somebody probably meant."""

from collections.abc import Callable, Iterable
from difflib import get_close_matches

LONGEST = 64
"""Characters of a word that is compared; longer ones are no misspelt names."""
MOST = 1000
"""How many known words a word is compared with."""
MISSPELT = 20
"""For how many words of one answer a near one is looked for, if there can be thousands of them."""
_CLOSE_ENOUGH = 0.6


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Return the known word that is most like `word`, or None; case, `-` and `_` make no difference."""
    if len(word) > LONGEST:
        return None
    by_form = {_form(each): each for each in sorted(known)[:MOST]}
    found = get_close_matches(_form(word), by_form, n=1, cutoff=_CLOSE_ENOUGH)
    return by_form[found[0]] if found else None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return what a sentence about an unknown word adds in brackets, or "" if no known word is like it."""
    found = nearest(word, known)
    return f" (did you mean `{found}`?)" if found is not None else ""


class Suggestions:
    """What `did_you_mean` adds to the sentences of one answer: to the first `MISSPELT` of them, for it costs time."""

    def __init__(self) -> None:
        self._left = MISSPELT

    def __call__(self, word: str, known: Callable[[], Iterable[str]]) -> str:
        """Return what to add to a sentence about a word; the known words are read only if they are compared."""
        self._left -= 1
        return did_you_mean(word, known()) if self._left >= 0 else ""


def listed(words: Iterable[str], most: int = 20) -> str:
    """Return known words in a sentence, at most so many."""
    every = list(words)
    return ", ".join(every[:most]) + (f" and {len(every) - most} more" if len(every) > most else "")


def _form(word: str) -> str:
    return word.lower().replace("-", "_")
