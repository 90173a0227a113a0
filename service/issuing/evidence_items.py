"""Leave items of evidence out of what a credential says, and put them in again."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from service.tables import HiddenEvidence

NOT_SHOWN: Final = "not-shown"
"""The item that says how many records are not shown."""


@dataclass(frozen=True)
class LeftOut:
    """An item that a text leaves out; `place` counts from 0 among all."""

    name: str
    place: int
    content: dict[str, Any]


def without(document: Mapping[str, Any], hidden: Collection[str]) -> tuple[dict[str, Any], list[LeftOut]]:
    """Return what a credential says without some of its evidence, and what that leaves out.

    Args:
        document: with all of its evidence.
        hidden: names of items, as `name_of` gives them.
    """
    kept: list[dict[str, Any]] = []
    gone: list[LeftOut] = []
    for place, each in enumerate(document["evidence"]):
        name = name_of(document["id"], each)
        if name in hidden:
            gone.append(LeftOut(name, place, each))
        else:
            kept.append(each)
    count = sum("digestMultibase" in each.content for each in gone)
    if count:
        records = (
            "1 more record of the network, which is"
            if count == 1
            else f"{count} more records of the network, which are"
        )
        summary = {"id": f"{document['id']}#{NOT_SHOWN}", "type": ["Evidence"]}
        kept.append(summary | {"narrative": f"{records} not shown here.", "genre": "summary"})
    return {**document, "evidence": kept}, gone


def same_items(document: Mapping[str, Any], rows: Collection[HiddenEvidence]) -> set[str]:
    """Return the names of the items of another credential that are those in the rows.

    A record is known by its digest, because it may have another number there; what has none, by its name.
    """
    digests = {each.content["digestMultibase"] for each in rows if "digestMultibase" in each.content}
    names = {each.item for each in rows if "digestMultibase" not in each.content}
    found = [(name_of(document["id"], each), each) for each in document["evidence"]]
    return {name for name, each in found if each.get("digestMultibase") in digests or name in names}


def name_of(url: str, item: Mapping[str, Any]) -> str:
    """Return what follows `#` in the id of an item of a credential; all of it if it is of another address."""
    return str(item["id"]).removeprefix(f"{url}#")


def rows_of(credential_id: str, gone: Collection[LeftOut]) -> list[HiddenEvidence]:
    """Return the rows that keep what a credential leaves out."""
    return [
        HiddenEvidence(credential_id=credential_id, item=each.name, place=each.place, content=each.content)
        for each in gone
    ]


def complete(document: Mapping[str, Any], rows: Sequence[HiddenEvidence]) -> list[dict[str, Any]]:
    """Return all items as they were first signed: those that are shown, and each hidden one in its place.

    Args:
        rows: what is hidden, by place.
    """
    url = document["id"]
    found = [each for each in document.get("evidence", []) if name_of(url, each) != NOT_SHOWN]
    for row in rows:
        found.insert(row.place, row.content)
    return found
