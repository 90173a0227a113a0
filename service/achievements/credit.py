"""Say in a badge which authority its credits are of.

Open Badges 3.0 has numbers for credits (`creditsAvailable`, `creditsEarned`), and no place for whose credits they are.
They are therefore also a result of the achievement: a result has a name that any other reader shows, and its
description has alignments, of which one is the authority. Nothing is added to the vocabulary but two `ext:` names.

Spec: Open Badges 3.0, sections B.1.1 (Achievement), B.1.23 (ResultDescription), B.5.3 (ResultType).
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from service.criteria.kinds.rule import number

RESULT_TYPE: Final = "ext:CreditsEarned"
"""The type of the result that says how many credits were earned."""
AUTHORITY: Final = "ext:CreditAuthority"
"""The target type of the alignment that names whose credits they are."""


def description(url: str, said: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the description of the result that names the authority of the credits; none if there is no authority.

    Args:
        url: the address of the version.
        said: its definition.
    """
    authority = said.get("credits", {}).get("authority")
    if authority is not None:
        aligned = {"targetName": authority["name"], "targetUrl": authority["url"], "targetType": AUTHORITY}
        yield {
            "id": f"{url}#credits",
            "type": ["ResultDescription"],
            "name": f"Credits ({authority['name']})",
            "resultType": RESULT_TYPE,
            "alignment": [{"type": ["Alignment"], **aligned}],
        }


def result(achievement: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the result that states the credits earned, if the achievement describes one.

    Args:
        achievement: the Open Badges document of a version.
    """
    for each in achievement.get("resultDescription", []):
        if each["resultType"] == RESULT_TYPE:
            earned = number(achievement["creditsAvailable"])
            yield {"type": ["Result"], "resultDescription": each["id"], "value": earned}
