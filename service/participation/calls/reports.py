"""Counts of who applied to a call, and who was accepted."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session as OrmSession

from service.access.callers import Caller
from service.participation.calls import calls
from service.tables import Call, CallApplication, CallApplicationText, Network

GROUPS: Final = ("discipline", "role", "organization")


@dataclass(frozen=True)
class Counted:
    """A value of a group, and how many who applied and were accepted have it; None: they did not say."""

    value: str | None
    applied: int
    accepted: int


@dataclass(frozen=True)
class CallReport:
    """The counts of a call; who has withdrawn is only in `states`."""

    call: Call
    states: dict[str, int]
    groups: dict[str, list[Counted]]


def report(session: OrmSession, network: Network, caller: Caller, ref: str, now: datetime) -> CallReport:
    """Return the counts of a call, to who decides.

    Raises:
        ForbiddenError: the token is that of a member without a role that decides (code "call-role").
        NotFoundError: there is no such call (code "call-unknown").
    """
    calls.by_who_decides(session, caller, now)
    call = calls.get_call(session, network, ref)
    said = [getattr(CallApplicationText, name) for name in GROUPS]
    query = (
        select(CallApplication.state, *said)
        .outerjoin(CallApplicationText, CallApplicationText.application_id == CallApplication.id)
        .where(CallApplication.call_id == call.id)
    )
    rows = session.execute(query).all()
    states = Counter(row[0] for row in rows)
    groups = {}
    for place, name in enumerate(GROUPS, start=1):
        there = [(row[0], row[place]) for row in rows if row[0] != "withdrawn"]
        applied: Counter[str | None] = Counter()
        accepted: Counter[str | None] = Counter()
        written: dict[str | None, str | None] = {}
        for state, value in there:
            key = None if value is None else calls.plain(value)
            written.setdefault(key, value)
            applied[key] += 1
            accepted[key] += state == "accepted"
        ranked = sorted(applied, key=lambda key: (-applied[key], key is None, key or ""))
        groups[name] = [Counted(written[key], applied[key], accepted[key]) for key in ranked]
    return CallReport(call, dict(states), groups)
