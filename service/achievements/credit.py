"""Say in a badge how many credits it counts, and with which authority.

Open Badges 3.0 has one number for credits (`creditsAvailable`, `creditsEarned`), and no place for whose credits they
are. So each credit is also a result of the achievement: a result has a name that every other reader shows, and its
description has alignments. One of them is the authority, and its framework is the unit. Two `ext:` names are all that
is added to the vocabulary.

Spec: Open Badges 3.0, sections B.1.1 (Achievement), B.1.22 (Result), B.1.23 (ResultDescription).
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from service.criteria.kinds.rule import number

RESULT_TYPE: Final = "ext:CreditsEarned"
"""The type of the result that says how many credits were earned."""
AUTHORITY: Final = "ext:CreditAuthority"
"""The target type of the alignment that names whose credits they are."""


def available(definition: Mapping[str, Any]) -> float | None:
    """Return the one number that Open Badges has for credits.

    None without credits, and where there are several: credits of two authorities or units have no sum.
    """
    listed = definition.get("credits", [])
    return _plain(listed[0]["value"]) if len(listed) == 1 else None


def descriptions(url: str, definition: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the description of the result for each credit.

    Args:
        url: the address of the version.
    """
    for n, each in enumerate(definition.get("credits", []), start=1):
        authority, unit = each["authority"], each.get("unit")
        aligned = {"targetName": authority["name"], "targetUrl": authority["url"], "targetType": AUTHORITY}
        yield {
            "id": f"{url}#credits:{n}",  # no ref of a result has a colon in its address
            "type": ["ResultDescription"],
            "name": f"Credits{f' in {unit}' if unit else ''} ({authority['name']})",
            "resultType": RESULT_TYPE,
            "valueMin": number(each["value"]),
            "valueMax": number(each["value"]),
            "alignment": [{"type": ["Alignment"], **aligned, **({"targetFramework": unit} if unit else {})}],
        }


def results(url: str, definition: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the result for each credit: who earns the badge earns all of them."""
    for each, described in zip(definition.get("credits", []), descriptions(url, definition), strict=True):
        yield {"type": ["Result"], "resultDescription": described["id"], "value": number(each["value"])}


def _plain(value: float) -> float:
    """Return a number as JSON writes it shortest: 2 and not 2.0, which is the same in a signature."""
    return int(value) if value == int(value) else value
