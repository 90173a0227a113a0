"""What every write in a network is given, in place of four parameters."""

from dataclasses import dataclass
from datetime import datetime

from service.access.callers import Caller
from service.storage.database import WriteSession
from service.tables import Network


@dataclass(frozen=True)
class Act:
    """Who acts in which network, when, and in which transaction.

    It is made once for a transaction and handed on. `caller` is None where the service acts by itself, or the operator
    at the command line. `now` is the one instant of everything that the transaction writes.
    """

    session: WriteSession
    network: Network
    caller: Caller | None
    now: datetime

    def by_service(self) -> "Act":
        """Return the same act without its caller: the service does it by itself."""
        return Act(self.session, self.network, None, self.now)


@dataclass(frozen=True)
class CallersAct(Act):
    """An act that has a caller, for functions that ask who it is."""

    caller: Caller
