"""Sign somebody's badges again after they changed their name or address.

1. The account notes that its badges are behind (`accounts.mark_behind`), in the transaction of the change.
2. The badges are listed, and signed one by one, each in a transaction of its own: nobody waits for a thousand of them.
3. Ids stay, so that links stay good. The name stands on those badges only on which the person wanted one.
"""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session as OrmSession

from service.access.act import Act
from service.errors import ConflictError
from service.issuing import anew
from service.issuing.anew import NameShown, Presentation
from service.runtime.runtime import Runtime
from service.runtime.work import GoOn, to_the_end
from service.storage import locks
from service.storage.database import WriteSession
from service.tables import Account, AccountAddress, Award, BadgeToSign, Credential, Member, Network, Person

AGAIN_AFTER: Final = timedelta(days=1)
"""When a badge is tried again on which people must decide first."""
BATCH: Final = 100


def left(session: OrmSession, account_id: UUID) -> int:
    """Return how many badges of an account do not bear its name and address yet."""
    listed = select(BadgeToSign.credential_id).where(BadgeToSign.account_id == account_id)
    account = session.get_one(Account, account_id)
    if account.badges_behind is None:
        return session.scalar(select(func.count()).select_from(listed.subquery())) or 0
    behind = [row.id for row in _behind(session, account)]
    return len({*behind, *session.scalars(listed)})


def sign_due(runtime: Runtime, go_on: GoOn = to_the_end) -> int:
    """List the badges that are behind, and sign those that are due; return how many were signed.

    Raises:
        CustodyError: a key cannot be used; what is left is done later.
    """
    while go_on() and (account_id := _next_account(runtime)) is not None:
        with runtime.database.write() as session:
            list_behind(session, account_id, runtime.now())
    count = 0
    while go_on():
        with runtime.database.read() as session:
            due = select(BadgeToSign.account_id, BadgeToSign.credential_id)
            due = due.where(BadgeToSign.due_at <= runtime.now()).order_by(BadgeToSign.due_at, BadgeToSign.credential_id)
            found = session.execute(due.limit(BATCH)).all()
        if not found:
            break
        for account_id, credential_id in found:
            if not go_on():
                break
            with runtime.database.write() as session:
                count += _sign(session, runtime, account_id, credential_id)
    return count


def _next_account(runtime: Runtime) -> UUID | None:
    with runtime.database.read() as session:
        behind = select(Account.id).where(Account.badges_behind.in_(("name", "address"))).order_by(Account.id)
        return session.scalar(behind.limit(1))


def list_behind(session: WriteSession, account_id: UUID, now: datetime) -> None:
    """List the badges of an account that are behind; while it is locked, none of them is signed."""
    account = locks.one_or_none(session, Account, Account.id == account_id)
    if account is None or account.badges_behind is None:
        return
    with_address = account.badges_behind == "address"
    for credential in _behind(session, account):
        row = session.get(BadgeToSign, credential.id)
        if row is None:
            row = BadgeToSign(credential_id=credential.id, with_address=False)
            session.add(row)
        row.account_id, row.with_address, row.due_at = account_id, row.with_address or with_address, now
    account.badges_behind = None


def _behind(session: OrmSession, account: Account) -> list[Credential]:
    """Return the badges that a change of an account concerns."""
    persons = session.scalars(select(Person.id).where(Person.account_id == account.id).order_by(Person.id)).all()
    badges = [badge for person_id in persons for badge in anew.of_person(session, person_id)]
    return [badge for badge in badges if account.badges_behind == "address" or badge.name_shown != "none"]


def _sign(session: WriteSession, runtime: Runtime, account_id: UUID, credential_id: str) -> int:
    """Sign one badge; return 1 if that was still to be done, and could be.

    The account is locked, so that a change of it waits, and lists the badge again.
    """
    account = locks.one_or_none(session, Account, Account.id == account_id)
    row = session.get(BadgeToSign, credential_id)
    if account is None or row is None or row.account_id != account_id:
        return 0
    credential = session.get_one(Credential, credential_id)
    if not _is_of(session, credential, account_id):
        session.delete(row)
        return 0
    act = Act(session, session.get_one(Network, credential.network_id), None, runtime.now())
    address = None
    if row.with_address:
        kept = select(AccountAddress.value).where(AccountAddress.account_id == account_id, AccountAddress.kept)
        address = session.scalar(kept)
    try:
        _present(act, runtime, credential, account.name, address)
    except ConflictError as error:
        if error.code == "credential-unproven":
            row.due_at = act.now + AGAIN_AFTER
            return 0
        if error.code != "credential-revoked":
            raise
    session.delete(row)
    return 1


def _is_of(session: OrmSession, credential: Credential, account_id: UUID) -> bool:
    """Return whether a badge is still in the account that was to have it signed."""
    of = select(Award.id).join(Member, Member.id == Award.member_id).join(Person, Person.id == Member.person_id)
    return session.scalar(of.where(Award.id == credential.award_id, Person.account_id == account_id)) is not None


def _present(act: Act, runtime: Runtime, credential: Credential, name: str | None, address: str | None) -> None:
    """Sign a badge with a name where it had one; who became a student since is not named in clear any more."""
    shown: NameShown | None = None
    if credential.name_shown != "none":
        shown = "none" if name is None else "hashed" if credential.name_shown == "hashed" else "plain"
    try:
        anew.sign_anew(act, runtime, credential.id, Presentation(shown, name, address))
    except ConflictError as error:
        if error.code != "name-protected":
            raise
        anew.sign_anew(act, runtime, credential.id, Presentation("hashed", name, address))
