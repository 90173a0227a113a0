"""Put the name of a person on all badges that they have, at once."""

from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import select

from service.accounts import accounts
from service.errors import ConflictError, NotFoundError
from service.issuing.anew import NameShown, clean_name
from service.runtime.runtime import Runtime
from service.sharing import badge_settings
from service.tables import Award, Credential, Member, Person

MOST_AT_ONCE: Final = 50
"""How many badges are signed while somebody waits; each takes some milliseconds."""


def put_on_all(runtime: Runtime, account_id: UUID, name: str, shown: NameShown, now: datetime) -> int:
    """Keep a name with an account, and put it on its badges; return how many of them do not bear it.

    Each badge is signed again in a transaction of its own. Left out are those that cannot be signed again now, the ones of
    children and students if the name is to be read by everybody, and what is over `MOST_AT_ONCE`.

    Raises:
        InvalidError: there is no name to be seen (code "name-missing"), or it is too long ("name-too-long").
        CustodyError: a key cannot be used; the badges before have the name.
    """
    clean = clean_name(name)
    with runtime.database.write() as session:
        accounts.rename(accounts.locked(session, account_id), clean)
    with runtime.database.read() as session:
        query = select(Credential.id).join(Award, Award.id == Credential.award_id)
        query = query.join(Member, Member.id == Award.member_id).join(Person, Person.id == Member.person_id)
        standing = (Credential.revoked_at.is_(None), Credential.superseded_by.is_(None))
        newest = query.where(Person.account_id == account_id, *standing).order_by(Credential.issued_at.desc())
        found = session.scalars(newest).all()
    left = max(0, len(found) - MOST_AT_ONCE)
    for credential_id in found[:MOST_AT_ONCE]:
        try:
            with runtime.database.write() as session:
                badge_settings.name(session, runtime, account_id, credential_id, shown, now)
        except (ConflictError, NotFoundError):
            left += 1
    return left
