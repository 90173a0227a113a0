"""Fair limits that all processes on one database keep together.

Each counts in memory (`fair_use`). Once a second it adds to the rows what callers have used at it, and reads what they
owe in all. So a limit holds over all processes, but for what happens within about a second; and if the database is slow
or away, each process goes on by itself. No request waits for any of this.

A row says only in how many seconds an allowance is whole again. All processes add to those seconds, and they run
down by themselves.
"""

import hmac
import logging
import secrets
from collections.abc import Callable, Iterable, Mapping
from functools import cache

from sqlalchemy import case, delete, extract, func, select, tuple_
from sqlalchemy.orm import Session

from service.errors import CustodyError
from service.runtime.custody import Custody
from service.runtime.fair_use import CALLERS_KEPT, DEBT, KEY_BYTES, FairUse
from service.runtime.runtime import Runtime
from service.runtime.work import GoOn, to_the_end
from service.storage.database import WriteSession, insert_for, is_postgresql
from service.tables import SharedLimit

log = logging.getLogger(__name__)

STALE_SECONDS = 10
"""What could not be told for so long is not told any more: it does not run down while it waits."""


class SharedLimits:
    """The limits of this process that are shared with others, by their names in the rows.

    Args:
        limits: they are given the key that all processes have.
        steady: gives the steady time in seconds by which the limits go.
    """

    def __init__(self, runtime: Runtime, limits: Mapping[str, FairUse], steady: Callable[[], float]) -> None:
        self._limits = dict(limits)
        self._steady = steady
        self._told_at = steady()
        for name, limit in self._limits.items():
            limit.key = _key_of(runtime.custody, name)

    def exchange(self, runtime: Runtime, _go_on: GoOn = to_the_end) -> int:
        """Tell the others what was used here and learn what is owed in all; return how many callers owe something."""
        at = self._steady()
        news = {name: limit.news() for name, limit in self._limits.items()}
        if at - self._told_at <= STALE_SECONDS and any(news.values()):
            with runtime.database.write() as session:
                moment = _moment(session, runtime)
                for name, used in sorted(news.items()):
                    _add(session, moment, name, used, self._limits[name].seconds_to_fill * (1 + DEBT))
        with runtime.database.read() as session:
            owed = _owed(session, runtime, self._limits)
        self._told_at = self._steady()
        for name, limit in self._limits.items():
            limit.learn(owed[name], self._told_at)
        return sum(map(len, owed.values()))


def forget_whole(runtime: Runtime, _go_on: GoOn = to_the_end) -> int:
    """Delete the rows of callers whose allowance is whole again; return how many."""
    with runtime.database.read() as session:
        whole = SharedLimit.whole_again <= _moment(session, runtime)
        if session.scalar(select(SharedLimit.name).where(whole).limit(1)) is None:
            return 0
    with runtime.database.write() as session:
        # Another process may be adding to such a row, and have locked others that this one wants next.
        rows = select(SharedLimit.name, SharedLimit.caller).where(whole).with_for_update(skip_locked=True)
        gone = delete(SharedLimit).where(tuple_(SharedLimit.name, SharedLimit.caller).in_(rows))
        return len(session.execute(gone.returning(SharedLimit.name)).all())


def _add(session: WriteSession, moment: float, name: str, used: Mapping[bytes, float], most: float) -> None:
    """Add what callers have used, in seconds; nobody owes more than `most`."""
    insert = insert_for(session)(SharedLimit)
    before = case((SharedLimit.whole_again > moment, SharedLimit.whole_again), else_=moment)
    after = before + insert.excluded.whole_again - moment
    capped = case((after > moment + most, moment + most), else_=after)
    upsert = insert.on_conflict_do_update(index_elements=["name", "caller"], set_={"whole_again": capped})
    # In one order everywhere, so that no two processes wait for each other for ever.
    rows = [{"name": name, "caller": who, "whole_again": moment + used[who]} for who in sorted(used)]
    if rows:
        session.connection().execute(upsert, rows)


def _owed(session: Session, runtime: Runtime, names: Iterable[str]) -> dict[str, dict[bytes, float]]:
    """Return for each limit in how many seconds the allowance of a caller is whole again."""
    moment = _moment(session, runtime)
    rows = select(SharedLimit.name, SharedLimit.caller, SharedLimit.whole_again).where(SharedLimit.whole_again > moment)
    owed: dict[str, dict[bytes, float]] = {name: {} for name in names}
    for name, caller, whole_again in session.execute(rows.order_by(SharedLimit.whole_again.desc()).limit(CALLERS_KEPT)):
        if name in owed:
            owed[name][caller] = whole_again - moment
    return owed


def _moment(session: Session, runtime: Runtime) -> float:
    """Return the time by the one clock that all processes share.

    A machine whose own clock is minutes ahead would have the others refuse its callers for minutes.
    """
    if is_postgresql(session):
        return float(session.scalar(select(extract("epoch", func.clock_timestamp()))) or 0)
    return runtime.now().timestamp()


def _key_of(custody: Custody, name: str) -> Callable[[], bytes]:
    """Return what gives the key of a limit's hashes, the same in every process.

    It is made from the passphrase at the first call, and differs from limit to limit. Someone
    who reads the rows cannot try out all addresses without it.
    """

    @cache
    def key() -> bytes:
        try:
            return hmac.digest(custody.derived("fair limits"), name.encode(), "sha256")
        except CustodyError:
            log.warning("the key folder has no passphrase: fair limits are not shared with other processes")
            return secrets.token_bytes(KEY_BYTES)

    return key
