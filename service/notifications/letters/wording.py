"""Clean what networks say, so that it can stand in a mail."""

import unicodedata

from service.texts.display_names import one_line
from service.web.templating import markdown

MAX_GIST = 400
_ISOLATE, _END = "\u2068", "\u2069"


def named(name: str | None, limit: int = 160) -> str:
    """Return a name on one line; "" if there is none.

    One that is written from right to left does not change the order of the words around it.

    Spec: Unicode Standard Annex 9, section 2.4 (directional isolates).
    """
    text = one_line(name, limit)
    turned = any(unicodedata.bidirectional(sign) in {"R", "AL"} for sign in text)
    return f"{_ISOLATE}{text}{_END}" if turned else text


def gist(text: str | None, limit: int = MAX_GIST) -> str:
    """Return the beginning of a text of several lines, which may be Markdown, on one line."""
    return one_line(str(markdown(text or "").striptags()), limit, gap=" ")
