"""The endorsements that the page of a badge shows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session as OrmSession

from service.issuing import endorsements
from service.issuing.endorsements import SHOWN, Skill
from service.tables import Credential, Endorsement


@dataclass(frozen=True)
class ShownEndorsement:
    """An endorsement as everybody sees it; `name` is that of the peer, as far as they consent."""

    row: Endorsement
    name: str | None


@dataclass(frozen=True)
class ShownSkill:
    """A skill of a badge, and who endorsed it."""

    skill: Skill
    items: Sequence[ShownEndorsement]


def of(session: OrmSession, row: Credential, now: datetime) -> list[ShownSkill]:
    """Return the endorsements that a badge shows, by skill; one that was revoked shows none."""
    if row.revoked_at is not None:
        return []
    found = [
        ShownEndorsement(each, endorsements.name_of(session, each, now))
        for each in endorsements.standing(session, row, Endorsement.choice.in_(SHOWN))
    ]
    if not found:
        return []
    by_skill = [
        ShownSkill(skill, [each for each in found if each.row.skill == skill.place])
        for skill in endorsements.skills(row)
    ]
    return [each for each in by_skill if each.items]
