"""A network's history: what happened before it came here.

An administrator declares it, once. While the declaration is open, evidence of that time is taken in as what it is: it is neither late nor lowered. It is
shown wherever it carries a badge, because nobody here saw it when it happened. The declaration ends by itself, and
there is no second one: late evidence must not become history whenever that is convenient.
"""

from datetime import timedelta
from typing import Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from service.access.act import Act
from service.bodies import Body, Instant, Prose
from service.errors import ConflictError, InvalidError
from service.outbox import events
from service.storage import locks

MOST_DAYS = 90
"""The longest time in which a history may be loaded."""


class HistoryIn(Body):
    """The time before a network came here, and how long its records of it may be loaded."""

    from_: Instant | None = Field(
        None, alias="from", description="the first instant of its history; left out: as far back as there are records"
    )
    until: Instant = Field(
        description="the first instant that is no longer history; not in the future", examples=["2026-01-01T00:00:00Z"]
    )
    open_days: int = Field(30, ge=1, le=MOST_DAYS, description="for how many days from now the records may be loaded")
    reason: Prose = Field(
        description="why, for those who read a badge: it is public", examples=["Moved here from our own register."]
    )

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.from_ is not None and self.from_ >= self.until:
            raise PydanticCustomError("history-empty", "Expected `until` after `from`: the period is [from, until)")
        return self


def declare(act: Act, body: HistoryIn) -> bool:
    """Declare the history of the act's network, once; return whether that is new.

    The same declaration again changes nothing.

    Raises:
        InvalidError: it ends in the future (code "time-in-future").
        ConflictError: another one was declared, which stays (code "history-declared").
    """
    if body.until > act.now:
        raise InvalidError("time-in-future", "Expected a time that is not in the future.", "/until")
    network = act.network
    locks.network(act.session, network.id)
    act.session.refresh(network)
    if network.history_declared_at is None:
        network.history_from, network.history_until, network.history_reason = body.from_, body.until, body.reason
        network.history_declared_at = act.now
        network.history_open_until = act.now + timedelta(days=body.open_days)
        events.append(act, "network.history-declared", {"network": str(network.id)})
        return True
    open_until = network.history_declared_at + timedelta(days=body.open_days)
    declared = (network.history_from, network.history_until, network.history_open_until, network.history_reason)
    if declared != (body.from_, body.until, open_until, body.reason):
        message = "Expected no further declaration: the history of this network was declared, and that stays."
        raise ConflictError("history-declared", message)
    return False
