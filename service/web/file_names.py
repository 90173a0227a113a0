"""Names for the files that people download."""

import re
import unicodedata
from typing import Literal
from urllib.parse import quote

MAX_CHARACTERS = 80


def file_name(title: str, ending: str) -> str:
    """Return a name for the file of something with this title: `Peer-mentor.png`.

    Letters and digits of any script stay, and everything else becomes a hyphen: such a name is safe on every system.
    """
    plain = re.sub(r"[^\w]+|_+", "-", unicodedata.normalize("NFC", title)).strip("-")
    return f"{plain[:MAX_CHARACTERS].strip('-') or 'badge'}.{ending}"


def disposition(kind: Literal["inline", "attachment"], name: str) -> str:
    """Return the value of `Content-Disposition` that gives a file its name.

    Programs that read ASCII only get the name without accents, and without what has no ASCII form.

    Args:
        kind: inline, shown by a browser that can show it; attachment, always saved.
        name: from `file_name`.
    Spec: RFC 6266, section 4.3, appendix D; RFC 8187, section 3.2.
    """
    ascii_only = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    fallback, _, ending = ascii_only.partition(".")
    value = f'{kind}; filename="{file_name(fallback, ending)}"'
    return value if name.isascii() else f"{value}; filename*=UTF-8''{quote(name, safe='')}"
