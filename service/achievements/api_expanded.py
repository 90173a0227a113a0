"""What the rows of a list name, in the same answer: `expand=member,achievement`.

One query for each kind of thing, however many rows there are.
"""

from collections.abc import Iterable, Sequence
from typing import Annotated
from uuid import UUID

from fastapi import Query
from pydantic import Field

from service.access import callers
from service.access.callers import Caller
from service.achievements import achievements
from service.networks import members
from service.runtime.settings import Settings
from service.storage.database import ReadSession
from service.web.requests import Answer

ExpandMember = Annotated[
    str | None, Query(pattern="^member$", description="`member`: with the member of each row", examples=["member"])
]
ExpandBoth = Annotated[
    str | None,
    Query(
        pattern="^(member|achievement)(,(member|achievement))?$",
        description="`member`, `achievement` or both, with a comma between them: with those of each row",
        examples=["member,achievement"],
    ),
]


class ExpandedMember(Answer):
    """The member of a row; the addresses only with the scope `read`."""

    id: UUID
    ref: str
    name: str | None = None
    email: str | None = None
    did: str | None = None
    organization: str | None = None


class ExpandedAchievement(Answer):
    """The achievement of a row, in the version of the row."""

    ref: str
    version: int
    name: str
    description: str
    url: str = Field(description="public address of the version, once it is published")


class Expanded(Answer):
    """What `expand` asks for."""

    member: ExpandedMember | None = None
    achievement: ExpandedAchievement | None = None


def expanded(
    session: ReadSession,
    settings: Settings,
    caller: Caller,
    expand: str | None,
    named: Sequence[tuple[UUID | None, UUID | None]],
) -> list[Expanded | None]:
    """Return for each row what `expand` asks for; None for all if it asks for nothing.

    Args:
        named: the ids of the member and of the version of the achievement that each row names.
    """
    wanted = set(expand.split(",")) if expand is not None else set()
    if not wanted:
        return [None for _ in named]
    people = _members(session, caller, (member_id for member_id, _ in named)) if "member" in wanted else {}
    versions = _versions(session, settings, (each for _, each in named)) if "achievement" in wanted else {}
    return [Expanded(member=people.get(one), achievement=versions.get(other)) for one, other in named]


def _members(session: ReadSession, caller: Caller, ids: Iterable[UUID | None]) -> dict[UUID | None, ExpandedMember]:
    shown = members.by_ids(session, {each for each in ids if each is not None}, callers.reads_addresses(caller))
    return {
        each.member.id: ExpandedMember(
            id=each.member.id,
            ref=each.member.ref,
            name=each.member.name,
            email=each.identities.get("email"),
            did=each.identities.get("did"),
            organization=each.member.organization,
        )
        for each in shown
    }


def _versions(
    session: ReadSession, settings: Settings, ids: Iterable[UUID | None]
) -> dict[UUID | None, ExpandedAchievement]:
    found = achievements.versions(session, {each for each in ids if each is not None})
    return {
        version.id: ExpandedAchievement(
            ref=ref,
            version=version.version,
            name=version.name,
            description=version.definition["description"],
            url=achievements.version_url(settings, version),
        )
        for version, ref in found
    }
