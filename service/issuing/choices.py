"""What a recipient chose about a credential.

The credential that replaces or follows it keeps these choices.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session as OrmSession

from credentials import reading
from credentials.recipient import NAME, matches
from service.networks import protected
from service.tables import AccountAddress, Credential, HiddenEvidence, Identity, Member, Person


@dataclass(frozen=True)
class Choices:
    """What a recipient chose about a credential.

    Args:
        names: the identifiers of type name that it has, as they are.
        address: the proved address that it names; None if it names none.
        hidden: the items of evidence that it does not show.
    """

    visibility: str
    name_shown: str
    names: tuple[Mapping[str, Any], ...] = ()
    address: str | None = None
    hidden: tuple[HiddenEvidence, ...] = ()


def of(session: OrmSession, member_id: UUID, row: Credential, now: datetime) -> Choices:
    """Return what the recipient chose about a credential of theirs.

    Who is a child or a student by now is not public any more, and not named in clear.
    """
    held = reading.objects(json.loads(row.signed)["credentialSubject"].get("identifier", []))
    named = {"identifier": [each for each in held if each.get("identityType") != NAME]}
    address = next((each for each in sorted(proved_addresses(session, member_id)) if matches(named, each)), None)
    hidden = select(HiddenEvidence).where(HiddenEvidence.credential_id == row.id).order_by(HiddenEvidence.place)
    names = tuple(each for each in held if each.get("identityType") == NAME)
    found = Choices(row.visibility, row.name_shown, names, address, tuple(session.scalars(hidden)))
    if protected.is_protected(session, member_id, now):
        found = replace(found, visibility="unlisted") if found.visibility == "public" else found
        found = replace(found, name_shown="none", names=()) if found.name_shown == "plain" else found
    return found


def proved_addresses(session: OrmSession, member_id: UUID) -> set[str]:
    """Return the e-mail addresses, in lower case, that the person behind a member has proved.

    Those of the account that has claimed what the person earned are among them, also if the network does not know them.
    """
    proved = (
        select(Identity.value)
        .join(Member, Member.person_id == Identity.person_id)
        .where(Member.id == member_id, Identity.kind == "email", Identity.proved_at.is_not(None))
    )
    of_account = (
        select(AccountAddress.value)
        .join(Person, Person.account_id == AccountAddress.account_id)
        .join(Member, Member.person_id == Person.id)
        .where(Member.id == member_id)
    )
    return {each.lower() for each in session.scalars(proved.union(of_account))}
