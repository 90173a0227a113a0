"""Erase everything about a person in all networks, and their account.

1. That the person wants it is a row (`wanted_erasures`): if something fails, or the process dies, upkeep goes on.
2. What one network holds is erased in one transaction, all of it or nothing. A network whose keys cannot be used waits,
   and the others do not wait for it.
3. The account goes last, once no network holds anything of it: until then the person can see what waits.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, delete, func, select
from sqlalchemy.orm import Session as OrmSession

from service.access.act import Act
from service.accounts import accounts, joining
from service.console import erasing
from service.errors import CustodyError, InvalidError, StorageError, UnauthenticatedError
from service.notifications import mail
from service.runtime.runtime import Runtime
from service.runtime.work import GoOn, to_the_end
from service.sharing import my_badges
from service.sharing.my_badges import Claimable
from service.storage import locks
from service.storage.database import WriteSession
from service.tables import (
    Account,
    Award,
    Case,
    Collection,
    Credential,
    Member,
    Network,
    Opening,
    Person,
    ShownLink,
    WantedErasure,
)
from service.texts.languages import N_, Language

log = logging.getLogger(__name__)

WORD: Final = N_("erase")
"""What somebody types who means it; in English it is taken too."""
NOT_TYPED: Final = N_("Type the word exactly as it is shown. Nothing was erased.")
LEASE: Final = timedelta(minutes=10)
"""How long an erasure belongs to the process that took it; if that one dies, the next one takes it."""
DELAYS: Final = (timedelta(minutes=1), timedelta(minutes=10), timedelta(hours=1))
"""Delays between the tries; after the last one it is tried again and again."""
NOTICE: Final = "everything-erased"


@dataclass(frozen=True)
class Part:
    """What one network holds: the names under which it knows the person, and how much goes."""

    network: Network
    members: Sequence[str]
    badges: int
    open_cases: int


@dataclass(frozen=True)
class Overview:
    """What an erasure takes away, said before it; `claimable` is what it leaves, because nobody has claimed it.

    `others` counts what the person put together or showed: collections, links for authorities, openings.
    """

    parts: Sequence[Part]
    others: int
    claimable: Sequence[Claimable]

    @property
    def badges(self) -> int:
        """How many badges go."""
        return sum(each.badges for each in self.parts)

    @property
    def open_cases(self) -> int:
        """How many cases of the person end."""
        return sum(each.open_cases for each in self.parts)


def look(session: OrmSession, account_id: UUID) -> Overview:
    """Return what an erasure of everything takes away; nothing changes."""
    parts: dict[UUID, Part] = {}
    query = select(Member, Network).join(Network, Network.id == Member.network_id).where(_mine(account_id))
    for member, network in session.execute(query.order_by(Network.name, Network.id, Member.ref)):
        before = parts.get(network.id) or Part(network, (), 0, 0)
        parts[network.id] = Part(
            network,
            [*before.members, member.name or member.ref],
            before.badges + _count(session, Credential, Credential.award_id.in_(_awards_of(member))),
            before.open_cases + _count(session, Case, Case.member_id == member.id, Case.state != "resolved"),
        )
    others = sum(_count(session, table, table.account_id == account_id) for table in (Collection, ShownLink, Opening))
    return Overview(list(parts.values()), others, my_badges.claimable(session, account_id))


def waiting(session: OrmSession, account_id: UUID) -> WantedErasure | None:
    """Return the erasure of an account that is not done yet, if there is one."""
    return session.get(WantedErasure, account_id)


def ask(session: WriteSession, account_id: UUID, typed: str, language: Language, now: datetime) -> None:
    """Note that the person wants everything erased; who has said so before needs not say it again.

    Args:
        typed: the word, to make sure.
    Raises:
        InvalidError: it is another one (code "erasure-not-meant").
        UnauthenticatedError: as `accounts.locked`.
    """
    if typed.strip().casefold() not in {WORD.casefold(), language.gettext(WORD).casefold()}:
        raise InvalidError("erasure-not-meant", NOT_TYPED, "/word")
    accounts.locked(session, account_id, alone=True)
    row = session.get(WantedErasure, account_id)
    if row is None:
        row = WantedErasure(account_id=account_id, language=language.code, asked_at=now, attempts=0)
        session.add(row)
    row.due_at = now + LEASE


def carry_out(runtime: Runtime, account_id: UUID) -> bool:
    """Erase what can be erased now; return whether that was everything.

    It can be done twice, and at the same time: what is erased already stays so.
    """
    with runtime.database.read() as session:
        found = session.scalars(_networks_of(account_id)).all()
    failed = [network_id for network_id in found if not _erased_in(runtime, account_id, network_id)]
    if not failed and _account_erased(runtime, account_id):
        return True
    with runtime.database.write() as session:
        row = locks.one_or_none(session, WantedErasure, WantedErasure.account_id == account_id)
        if row is not None:
            row.attempts += 1
            row.due_at = runtime.now() + DELAYS[min(row.attempts, len(DELAYS)) - 1]
    return False


def carry_on(runtime: Runtime, go_on: GoOn = to_the_end) -> int:
    """Go on with the erasures that wait; return how many are done with that."""
    count = 0
    while go_on() and (account_id := _take(runtime)) is not None:
        count += carry_out(runtime, account_id)
    return count


def _take(runtime: Runtime) -> UUID | None:
    """Take one erasure that is due, so that no other process does it, and none keeps the others waiting."""
    now = runtime.now()
    due = select(WantedErasure).where(WantedErasure.due_at <= now).order_by(WantedErasure.due_at).limit(1)
    with runtime.database.read() as session:
        if session.scalar(due) is None:
            return None
    with runtime.database.write() as session:
        row = session.scalar(due.with_for_update(skip_locked=True))
        if row is None:
            return None
        row.due_at = now + LEASE
        return row.account_id


def _erased_in(runtime: Runtime, account_id: UUID, network_id: UUID) -> bool:
    """Erase what one network holds, all of it or nothing; return whether that could be done."""
    try:
        with runtime.database.write() as session:
            locks.network(session, network_id)
            act = Act(session, session.get_one(Network, network_id), None, runtime.now())
            mine = select(Member).where(_mine(account_id), Member.network_id == network_id).order_by(Member.id)
            members = session.scalars(mine).all()  # as it is now: another may have got the person back meanwhile
            if members:
                erasing.erase_with_badges(act, runtime, members)
    except (CustodyError, StorageError) as error:
        log.warning("an erasure in network %s waits: %s", network_id, error.code)
        return False
    return True


def _account_erased(runtime: Runtime, account_id: UUID) -> bool:
    """Delete the account if no network holds anything of it any more; return whether it is gone.

    The addresses get one last mail; all mails to them that lie in the outbox folder go.
    """
    try:
        with runtime.database.write() as session:
            row = session.get(WantedErasure, account_id)
            language = row.language if row is not None else None
            try:
                accounts.locked(session, account_id, alone=True)
                if session.scalars(_networks_of(account_id)).first() is not None:  # claimed meanwhile
                    return False
                told = joining.delete(session, account_id, runtime.now(), NOTICE, language)
            except UnauthenticatedError:  # it is gone already, or became part of another one
                told = []
            session.execute(delete(WantedErasure).where(WantedErasure.account_id == account_id))
    except StorageError as error:
        log.warning("an erasure of an account waits: %s", error.code)
        return False
    mail.forget_mails_to(runtime.settings, told)
    return True


def _mine(account_id: UUID) -> ColumnElement[bool]:
    person = select(Person.id).where(Person.account_id == account_id)
    return and_(Member.person_id.in_(person), Member.erased_at.is_(None))


def _networks_of(account_id: UUID) -> Select[UUID]:
    return select(Member.network_id).where(_mine(account_id)).distinct().order_by(Member.network_id)


def _awards_of(member: Member) -> Select[UUID]:
    return select(Award.id).where(Award.member_id == member.id)


def _count(session: OrmSession, table: type[Account] | type, *where: ColumnElement[bool]) -> int:
    return session.scalar(select(func.count()).select_from(table).where(*where)) or 0
