"""What a formal network needs, part by part, for tests of networks that begin as drafts."""

from collections.abc import Callable
from datetime import date
from typing import Any, Final

from sqlalchemy import select

from service.runtime.runtime import Runtime
from service.storage.database import WriteSession
from service.tables import (
    Expectation,
    ExpectationVersion,
    GuidelineVersion,
    Network,
    Objective,
    ObjectiveVersion,
)
from service.tables.identifiers import new_id
from tests.worlds.awarding import Stage

LEADS: Final = {"roles": [{"role": "facilitator", "from": "2026-01-01T00:00:00Z"}]}
MEETS: Final = {"series": "Monthly circle", "starts_at": "2026-03-10T15:00:00Z"}


def objective(session: WriteSession, network: Network, now: Any) -> None:
    """Let the network have an objective, as its API writes it."""
    row = Objective(id=new_id(), network_id=network.id, ref="FEEDBACK-1", version=1, created_at=now)
    session.add(row)
    session.flush()
    text = {"text": "Members give feedback that names a place in the draft."}
    session.add(ObjectiveVersion(objective_id=row.id, version=1, content=text, at=now))


def guidelines(session: WriteSession, network: Network, now: Any, *, published: bool = True, number: int = 1) -> None:
    """Let the network have guidelines, as its API writes them."""
    session.add(
        GuidelineVersion(
            network_id=network.id,
            number=number,
            language="en",
            title="How we work",
            sections={"roles": "A facilitator leads each session."},
            conflict_days={},
            created_at=now,
            changed_at=now,
            published_at=now if published else None,
        )
    )


def expectation(session: WriteSession, network: Network, now: Any, *, ended_on: date | None = None) -> None:
    """Let the network expect something of its members, as its API writes it."""
    row = Expectation(id=new_id(), network_id=network.id, ref="presence", version=1, created_at=now, ended_on=ended_on)
    session.add(row)
    session.flush()
    session.add(ExpectationVersion(expectation_id=row.id, version=1, from_date=date(2026, 1, 1), content={}, at=now))


def written(runtime: Runtime, slug: str, part: Callable[..., None], **said: Any) -> None:
    """Write one part of a network."""
    with runtime.database.write() as session:
        part(session, session.scalars(select(Network).where(Network.slug == slug)).one(), runtime.now(), **said)


def complete(stage: Stage, without: str = "") -> None:
    """Give the network of a stage all parts that a formal one needs, but one."""
    if without != "facilitator-missing":
        stage.member("f1", **LEADS)
    if without != "schedule-missing":
        stage.send("PUT", "./sessions/s1", MEETS)
    if without != "objective-missing":
        written(stage.runtime, stage.slug, objective)
    if without != "guidelines-missing":
        written(stage.runtime, stage.slug, guidelines)
    stage.laid.clear()  # rows that are written past the API must not be laid for another test
