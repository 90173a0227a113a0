"""Which networks are examples: each has a fact about this installation.

It is written with the network itself, and only a network that has one can be removed. It says how far loading or removing
has got, so that either can go on after it was interrupted.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Literal
from uuid import UUID

from sqlalchemy.orm import Session as OrmSession

from service.errors import ConflictError, NotFoundError
from service.storage import facts
from service.storage.database import WriteSession

PREFIX = "example:"


@dataclass(frozen=True)
class Mark:
    """A network that is an example.

    `weeks` is by how many its dates were moved. `keys` are the custody addresses of those that are still to be deleted.
    """

    network_id: str
    slug: str
    example: str
    weeks: int
    state: Literal["loading", "loaded", "removing"] = "loading"
    keys: Sequence[str] = field(default_factory=list)

    @property
    def fact(self) -> str:
        """The name under which it is written down."""
        return f"{PREFIX}{UUID(self.network_id).hex}"


def write(session: WriteSession, mark: Mark) -> None:
    """Write a mark down, in the place of an earlier one."""
    facts.change(session, mark.fact, json.dumps(asdict(mark)))


def forget(session: WriteSession, mark: Mark) -> None:
    """Forget a mark: nothing is left of its network."""
    facts.forget(session, mark.fact)


def every(session: OrmSession) -> list[Mark]:
    """Return all marks, by slug."""
    found = [Mark(**json.loads(value)) for value in facts.beginning(session, PREFIX).values()]
    return sorted(found, key=lambda mark: mark.slug)


def of_slug(session: OrmSession, slug: str) -> Mark | None:
    """Return the mark of the network with this slug, if it has one."""
    return next((mark for mark in every(session) if mark.slug == slug), None)


def chosen(session: OrmSession, example: str | None, slug: str | None) -> Mark:
    """Return the mark that somebody means.

    Args:
        example: name of the example; None if it is known by its slug alone.
    Raises:
        NotFoundError: no network was loaded as that (code "example-not-loaded").
        ConflictError: several were (code "example-ambiguous").
    """
    marks = every(session)
    found = [mark for mark in marks if slug in {None, mark.slug} and example in {None, mark.example}]
    if len(found) == 1:
        return found[0]
    if not found:
        asked = f"the slug {slug}" if slug is not None else f"the name {example}"
        there = ", ".join(mark.slug for mark in marks) or "none"
        message = (
            f"Expected a network that `laurel example load` made, got {asked}; no other network is ever removed. "
            f"Loaded here: {there}."
        )
        raise NotFoundError("example-not-loaded", message)
    listed = ", ".join(mark.slug for mark in found)
    raise ConflictError("example-ambiguous", f"Expected --slug: {example} is loaded as {listed}.")
