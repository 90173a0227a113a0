"""The pieces of evidence that a badge cites, and whose its credits are.

Pure, and trusts nothing, as `achieved`. Two badges of one person may cite the same piece: it is known by its digest, or
by its address where it lies outside the badge.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from credentials import reading
from service.checking.basis import policy
from service.texts.display_names import one_line

MAX_PIECES: Final = 200
MAX_NAME: Final = 200

_NO_PIECE: Final = frozenset({"receipt", "renewal", "summary", "duration"})
_MONTHS: Final = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
"""As `citations` writes them."""
_TOLD: Final = re.compile(
    rf" on (?P<day>[0-9]{{1,2}}) (?P<month>{'|'.join(_MONTHS)}) (?P<year>[0-9]{{4}})"
    r"(?:, (?P<minutes>[0-9]{1,5}) minutes)?\. "
)
_CREDIT: Final = re.compile("credit", re.IGNORECASE)


@dataclass(frozen=True)
class Piece:
    """One piece of evidence.

    Args:
        key: equal in two badges that cite the same piece.
        minutes: how long it took; 0 where the badge does not say so in a readable form.
        on: its day; None where the badge does not say so in a readable form.
    """

    key: str
    minutes: int = 0
    on: date | None = None


def pieces(credential: Mapping[str, Any]) -> tuple[Piece, ...]:
    """Return each piece of evidence that a badge cites in a way that another badge could cite too."""
    found: dict[str, Piece] = {}
    for item in reading.evidence(credential):
        key = _key(item, credential)
        if key and item.get("genre") not in _NO_PIECE and len(found) < MAX_PIECES:
            found.setdefault(key, _piece(key, reading.only_text(item.get("narrative"))[:1000]))
    return tuple(found.values())


def credit_authorities(credential: Mapping[str, Any]) -> tuple[str, ...]:
    """Return who stands behind the credits of a badge, according to its issuer.

    Open Badges 3.0 has no member for it. Read is the alignment of a result description whose type is an extension that
    speaks of credits (`ext:CreditsEarned`), unless its own type is another than an authority's, and `creditAuthority` as
    other issuers write it.
    """
    achievement = reading.achievement(credential)
    named = [
        aligned.get("targetName")
        for item in reading.objects(achievement.get("resultDescription"))
        if isinstance(kind := item.get("resultType"), str) and kind.startswith("ext:") and _CREDIT.search(kind)
        for aligned in reading.objects(item.get("alignment"))
        if "authority" in str(aligned.get("targetType", "authority")).lower()
    ]
    named += [
        each.get("name") if isinstance(each, Mapping) else each
        for each in reading.listed(achievement.get("creditAuthority"))
    ]
    texts = (one_line(reading.only_text(each), MAX_NAME, gap=" ") for each in named)
    return tuple(dict.fromkeys(text for text in texts if text))[:5]


def _key(item: Mapping[str, Any], credential: Mapping[str, Any]) -> str:
    for digest in policy.digests_of(item):
        return digest.value.hex()
    address = item.get("id")
    if not isinstance(address, str) or policy.is_within(credential, address):
        return ""
    return address[:2000]


def _piece(key: str, narrative: str) -> Piece:
    told = _TOLD.search(narrative)
    if told is None:
        return Piece(key)
    try:
        on = date(int(told["year"]), _MONTHS.index(told["month"]) + 1, int(told["day"]))
    except ValueError:
        return Piece(key)
    return Piece(key, int(told["minutes"] or 0), on)
