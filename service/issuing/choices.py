"""What a recipient chose about a credential, to be kept by the one that replaces it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session as OrmSession

from credentials import reading
from credentials.recipient import NAME, matches
from service.tables import Credential, HiddenEvidence, Identity, Member


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


def of(session: OrmSession, member_id: UUID, row: Credential, subject: Mapping[str, Any]) -> Choices:
    """Return what the recipient chose about a credential of theirs.

    Args:
        subject: its `credentialSubject`.
    """
    held = reading.objects(subject.get("identifier", []))
    named = {"identifier": [each for each in held if each.get("identityType") != NAME]}
    address = next((each for each in sorted(proved_addresses(session, member_id)) if matches(named, each)), None)
    hidden = select(HiddenEvidence).where(HiddenEvidence.credential_id == row.id).order_by(HiddenEvidence.place)
    names = tuple(each for each in held if each.get("identityType") == NAME)
    return Choices(row.visibility, row.name_shown, names, address, tuple(session.scalars(hidden)))


def proved_addresses(session: OrmSession, member_id: UUID) -> set[str]:
    """Return the e-mail addresses, in lower case, that the person behind a member has proved."""
    proved = (
        select(Identity.value)
        .join(Member, Member.person_id == Identity.person_id)
        .where(Member.id == member_id, Identity.kind == "email", Identity.proved_at.is_not(None))
    )
    return {each.lower() for each in session.scalars(proved)}
