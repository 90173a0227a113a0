"""End returns whose time has passed.

Give back what nobody stopped for seven days, and forget old returns.
"""

from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, and_, delete, select

from service.access.act import Act
from service.accounts import accounts, letting_go, sign_ins
from service.appeals import neutrality
from service.awards import reviews
from service.networks import handing_over
from service.outbox import events
from service.runtime.runtime import Runtime
from service.runtime.work import GoOn, to_the_end
from service.sharing import claims, returning, vouching
from service.storage import locks
from service.storage.database import WriteSession
from service.tables import Account, AccountAddress, Member, Network, Person, Return, Vouching

KEPT_FOR: Final = vouching.RETURNED_WITHIN
"""How long it is known that somebody returned."""
BATCH: Final = 100


def end_due(runtime: Runtime, go_on: GoOn = to_the_end) -> int:
    """End the returns whose time has passed; return how many."""
    count = 0
    while go_on():
        now = runtime.now()
        with runtime.database.read() as session:
            due = select(Return.id).where(Return.state.in_(returning.RUNNING), Return.due_at <= now)
            found = session.scalars(due.order_by(Return.due_at, Return.id).limit(BATCH)).all()
        if not found:
            break
        for return_id in found:
            with runtime.database.write() as session:
                count += _end(session, runtime, return_id)
    return count


def forget_old(runtime: Runtime, go_on: GoOn = to_the_end) -> int:
    """Delete returns that ended long ago; return how many."""
    count = 0
    while go_on():
        with runtime.database.read() as session:
            old = select(Return.id).where(Return.ended_at < runtime.now() - KEPT_FOR)
            found = session.scalars(old.limit(BATCH)).all()
        if not found:
            break
        with runtime.database.write() as session:
            session.execute(delete(Return).where(Return.id.in_(found)))
        count += len(found)
    return count


def forget(session: WriteSession, member_id: UUID) -> None:
    """Delete what is known of a member as one who returns, or who vouched."""
    session.execute(delete(Vouching).where(Vouching.member_id == member_id))
    session.execute(delete(Return).where(Return.member_id == member_id))


def _end(session: WriteSession, runtime: Runtime, return_id: UUID) -> int:
    """End one return, if it is still due; return 1 if it was.

    1. Locks are taken in the order of `locks`; another may have stopped it until then.
    2. Who claimed it meanwhile has proved the old address, so that it is not lost.
    3. Others who ask for the same person get nothing.
    """
    columns = (Return.network_id, Return.member_id, Return.account_id, Return.old_account_id)
    before = session.execute(select(*columns).where(Return.id == return_id)).one_or_none()
    if before is None:
        return 0
    now = runtime.now()
    locks.rows(session, Account, Account.id.in_((before.account_id, before.old_account_id or before.account_id)))
    locks.network(session, before.network_id)  # (1)
    act = Act(session, session.get_one(Network, before.network_id), None, now)
    member = session.get(Member, before.member_id) if before.member_id is not None else None
    moved = handing_over.members_of(act, member) if member is not None else []
    locks.members(session, [each.id for each in moved])
    still_due: ColumnElement[bool] = and_(Return.state.in_(returning.RUNNING), Return.due_at <= now)
    if session.scalar(select(Return.id).where(Return.id == return_id, still_due)) is None:
        return 0
    row, rivals = returning.held(session, Return.id == return_id)
    if row.due_at > now:
        return 0
    if row.state == "open" or member is None or member.erased_at is not None:
        returning.end(session, row, "over", now)
    elif _account_of(session, member) != row.old_account_id or not vouching.are_two_people(session, row):  # (2)
        returning.end(session, row, "stopped", now)
    else:
        _give_back(act, row, moved)
        for each in rivals:  # (3)
            returning.end(session, each, "over", now)
    return 1


def _give_back(act: Act, row: Return, moved: list[Member]) -> None:
    """Make the account of the new address that of the person.

    What the old account has in other networks stays there, with its addresses; otherwise nobody can sign in to it.
    """
    account = act.session.get_one(Account, row.account_id)
    kept = select(AccountAddress.value).where(AccountAddress.account_id == account.id, AccountAddress.kept)
    address = act.session.scalar(kept)
    if address is None:
        returning.end(act.session, row, "over", act.now)
        return
    handing_over.hand_over(act, moved, account, address)
    claims.replace_open(act.session, [each.id for each in moved])
    for each in moved:
        neutrality.relink(act, each.id)
        reviews.relink(act, each.id)
        events.append(act, "member.changed", {"member": str(each.id)})
    accounts.mark_behind(account, "address")
    returning.end(act.session, row, "done", act.now)
    if row.old_account_id is not None:
        _let_go(act, row.old_account_id, account)


def _let_go(act: Act, old_account_id: UUID, account: Account) -> None:
    left = select(Person.id).where(Person.account_id == old_account_id).limit(1)
    if act.session.scalars(left).first() is None:
        letting_go.let_go(act.session, old_account_id, account)
    else:
        sign_ins.end_all(act.session, old_account_id)


def _account_of(session: WriteSession, member: Member) -> UUID | None:
    return session.get_one(Person, member.person_id).account_id if member.person_id is not None else None
