"""What every write in a network is given, in place of four parameters."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from service.access.callers import Caller, require_other
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

    def decides_on(self, *member_ids: UUID | None, pointer: str = "") -> None:
        """Refuse a caller who is one of these members, by whatever token and ref.

        What decides on the standing, roles, awards, evidence or cases of somebody says so with this, before it tells
        anything else about them.

        Args:
            pointer: where the request body names the member.
        Raises:
            ForbiddenError: nobody decides for themself (code "self-decision").
        """
        require_other(self.session, self.caller, member_ids, pointer)


@dataclass(frozen=True)
class CallersAct(Act):
    """An act that has a caller, for functions that ask who it is."""

    caller: Caller
