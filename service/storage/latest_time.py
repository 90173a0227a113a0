"""The latest time that this installation has seen, kept as a fact.

It shows that a clock was put back, also after a restart and on another machine. It follows the clock in steps: a clock
that is far ahead for a while moves it on by `STEP` each time it is noted, and no further. Otherwise such a clock would
make the time stand still for years once it is right again.
"""

from datetime import UTC, datetime, timedelta

from sqlalchemy.orm import Session as OrmSession

from service.storage import facts, locks
from service.storage.database import Database
from service.tables import ServiceFact

NAME = "latest_time"
NOTED_EVERY = timedelta(minutes=1)
STEP = timedelta(minutes=5)
"""How far it moves on at once. More than `NOTED_EVERY`, so that it catches up after the service was stopped."""


def known(session: OrmSession) -> datetime | None:
    """Return the latest time, or None where none was ever noted."""
    return read(facts.known(session, NAME))


def read(value: str | None) -> datetime | None:
    """Return the time that the fact's value says."""
    return datetime.fromisoformat(value) if value else None


def note(database: Database, now: datetime) -> bool:
    """Move the latest time on towards `now`; return whether it moved.

    It is one write in a minute for all processes together, never one for each request.
    """
    with database.read() as session:
        before = known(session)
    if before is not None and now - before < NOTED_EVERY:
        return False
    with database.write() as session:
        facts.remember(session, NAME, _written(now))
        fact = locks.one(session, ServiceFact, ServiceFact.name == NAME)
        later = min(now, (read(fact.value) or now) + STEP)
        moved = later > (read(fact.value) or later)
        if moved:
            fact.value = _written(later)
    return moved or before is None


def _written(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat()
