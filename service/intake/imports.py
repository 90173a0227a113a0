"""How far the import of a body of many lines is, until all is decided.

A member about whom a line says something new is marked with the line, in one transaction (`criteria/rejudging`), and the
mark is as old as the first thing that was not looked at. So an import is settled when no mark of its network is as old
as its last line. What waits for people, or for the end of a cooling-off, is decided in this sense: it is in their queue.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal
from uuid import UUID

from sqlalchemy import ColumnElement, select

from service.access.act import Act
from service.errors import NotFoundError
from service.outbox import events
from service.runtime.runtime import Runtime
from service.runtime.work import GoOn, to_the_end
from service.storage import locks
from service.storage.database import ReadSession
from service.tables import Import, Network, UnsettledMember
from service.web.idempotency import KEPT_FOR

AT_ONCE = 100
State = Literal["receiving", "broken-off", "settling", "settled"]


def state_of(row: Import, now: datetime) -> State:
    """Return how far an import is.

    receiving: not all lines are in; broken-off: nor will they be, for its key is forgotten; settling: what they caused
    is being decided; settled: it is.
    """
    if row.finished_at is None:
        return "receiving" if row.started_at > now - KEPT_FOR else "broken-off"
    return "settling" if row.settled_at is None else "settled"


def find(session: ReadSession, network: Network, import_id: UUID) -> Import:
    """Return an import of the network.

    Raises:
        NotFoundError: it has none with this id (code "import-unknown").
    """
    row = session.scalar(select(Import).where(Import.network_id == network.id, Import.id == import_id))
    if row is None:
        raise NotFoundError("import-unknown", "No import of this network has this id.")
    return row


def conclude(runtime: Runtime, import_id: UUID) -> bool:
    """Note that an import is settled, with an event; return whether it has become so."""
    with runtime.database.write() as session:
        row = locks.one_or_none(session, Import, Import.id == import_id, _decided())
        if row is None:
            return False
        act = Act(session, session.get_one(Network, row.network_id), None, runtime.now())
        row.settled_at = act.now
        events.append(act, "import.settled", {"import": str(row.id)})
        return True


def conclude_all(runtime: Runtime, go_on: GoOn = to_the_end) -> int:
    """Note which imports are settled, and return how many have become so."""
    count, last = 0, UUID(int=0)
    while go_on() and (found := _settled(runtime, last)):
        count += sum(conclude(runtime, import_id) for import_id in found)
        last = found[-1]
    return count


def _settled(runtime: Runtime, after: UUID) -> Sequence[UUID]:
    query = select(Import.id).where(_decided(), Import.id > after).order_by(Import.id).limit(AT_ONCE)
    with runtime.database.read() as session:
        return session.scalars(query).all()


def _decided() -> ColumnElement[bool]:
    """Return the condition that everything is decided that an import can have caused, and nobody has noted it.

    A network that is a draft decides nothing: what it takes in is settled at once.
    """
    older = select(UnsettledMember.member_id).where(
        UnsettledMember.network_id == Import.network_id, UnsettledMember.since <= Import.finished_at
    )
    older = older.where(UnsettledMember.network_id.in_(select(Network.id).where(Network.state != "draft")))
    return Import.settled_at.is_(None) & Import.finished_at.is_not(None) & ~older.exists()
