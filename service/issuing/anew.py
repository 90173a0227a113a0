"""Sign a credential again under its id, as its recipient chooses to be named.

1. What changes is who it names: by which address, and whether with a name, hashed or in clear. The id, the place in the
   status list, `awardedDate`, evidence, results and the receipt stay, and `validFrom` is newer.
2. The name is in no row of ours, but in the signed text if the recipient wants it there in clear: who asks hands it in.
   Later signings for other reasons take over what the text says.
3. A revoked credential is never signed again by choice. One that is suspended or has expired stays so. One that is
   suspended because others may have had the key that signed it waits for people: a good signature would vouch for it.
4. No address is named that its person did not prove, and children and students are never named in clear.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session as OrmSession

from credentials import reading
from credentials.recipient import NAME, identity_object, matches, normal_name, plain_identity_object
from service.access.act import Act
from service.errors import ConflictError, InvalidError
from service.issuing import choices, credentials, endorsements, own, reissuing
from service.networks import protected
from service.runtime.runtime import Runtime
from service.tables import Award, Credential, Member
from service.tables.identifiers import new_salt
from service.texts.display_names import one_line

NameShown = Literal["none", "hashed", "plain"]

MAX_NAME: Final = 300
"""The most characters of a name."""


@dataclass(frozen=True)
class Presentation:
    """How a credential is to name its recipient.

    Args:
        name_shown: None leaves the name as it is.
        name: needed if it is shown, hashed or in clear.
        address: an e-mail address that the person proved; None leaves the address as it is.
    """

    name_shown: NameShown | None = None
    name: str | None = None
    address: str | None = None


def sign_anew(act: Act, runtime: Runtime, credential_id: str, chosen: Presentation) -> Credential:
    """Sign a credential again with another presentation of its recipient; return it.

    One that names them so already stays as it is. That the caller is its recipient is checked before.

    Raises:
        NotFoundError: it is not of this network (code "credential-unknown").
        InvalidError: a name is needed and missing, or holds nothing to be seen ("name-missing"), or is too long
            ("name-too-long").
        ConflictError: it was revoked ("credential-revoked"), people must decide on it first ("credential-unproven"), the
            recipient's person has not proved the address ("address-not-proved"), or the name would be in clear and the
            recipient is a child or a student ("name-protected").
        CustodyError: it cannot be signed; nothing has changed.
    """
    row, award = own.lock(act, credential_id)
    check_signable(act, row)
    document = reissuing.unsigned_document(row)
    subject = document["credentialSubject"]
    held = reading.objects(subject.get("identifier", []))
    names = [each for each in held if each.get("identityType") == NAME]
    others = [each for each in held if each.get("identityType") != NAME]
    if chosen.address is not None:
        others = _addresses(act, award, others, chosen.address)
    if chosen.name_shown is not None:
        names = _names(act, award, names, chosen.name_shown, chosen.name)
        row.name_shown = chosen.name_shown
    if [*others, *names] != held:
        document["credentialSubject"] = _named(subject, [*others, *names])
        store(act, runtime, award, row, document)
    act.session.flush()
    return row


def of_person(session: OrmSession, person_id: UUID) -> Sequence[Credential]:
    """Return the credentials of the members who are a person, but for those that were revoked."""
    mine = select(Credential).join(Award, Award.id == Credential.award_id).join(Member, Member.id == Award.member_id)
    standing = mine.where(Member.person_id == person_id, Credential.revoked_at.is_(None))
    return session.scalars(standing.order_by(Award.awarded_at, Credential.id)).all()


def clean_name(name: str) -> str:
    """Return a name as it is signed: on one line, without what cannot be seen, and normal.

    Raises:
        InvalidError: nothing of it can be seen ("name-missing"), or it is too long ("name-too-long").
    """
    cleaned = normal_name(one_line(name, limit=2 * MAX_NAME))
    if not cleaned:
        raise InvalidError("name-missing", "Expected a name that can be read, got none.", "/name")
    if len(cleaned) > MAX_NAME:
        message = f"Expected a name of at most {MAX_NAME} characters, got a longer one."
        raise InvalidError("name-too-long", message, "/name")
    return cleaned


def check_signable(act: Act, row: Credential) -> None:
    """Refuse to sign what was revoked, or what people must decide on because others may have had the key.

    Raises:
        ConflictError: code "credential-revoked" or "credential-unproven".
    """
    if row.revoked_at is not None:
        raise ConflictError("credential-revoked", "Expected a credential that stands; this one was revoked, for good.")
    unproven = row.suspended_at is not None and row.suspended_by is None
    if unproven and reissuing.compromised_key_of(act.session, row) is not None:
        message = "Expected the network's decision first: others may have had the key that signed this badge."
        raise ConflictError("credential-unproven", message)


def store(act: Act, runtime: Runtime, award: Award, row: Credential, document: dict[str, Any]) -> None:
    """Sign what a locked credential says from now on, and store it.

    A name in clear goes if the recipient has become a child or a student by their roles. The endorsements in it are those
    that its recipient wants there and that stand now.

    Raises:
        CustodyError: a key cannot be used; nothing has changed.
    """
    if row.name_shown == "plain" and protected.is_protected(act.session, award.member_id, act.now):
        document, row.name_shown = without_name(document), "none"
    document = endorsements.put_in(act.session, runtime.settings, row, document, act.now)
    issuer = credentials.issuer_keys(act.session, runtime, act.network)
    reissuing.give(act, award, row, reissuing.write_again(issuer, row, act.now, document))


def without_name(document: dict[str, Any]) -> dict[str, Any]:
    """Return what a credential says, without a name of its recipient, in clear or hashed."""
    subject = document["credentialSubject"]
    held = reading.objects(subject.get("identifier", []))
    left = [each for each in held if each.get("identityType") != NAME]
    return document | {"credentialSubject": _named(subject, left)}


def _named(subject: dict[str, Any], identifiers: Sequence[Any]) -> dict[str, Any]:
    """Return a subject with these identifiers; an empty list is not allowed."""
    if identifiers:
        return subject | {"identifier": list(identifiers)}
    return {name: value for name, value in subject.items() if name != "identifier"}


def _addresses(act: Act, award: Award, others: Sequence[Any], address: str) -> list[Any]:
    value = address.strip().lower()
    if value not in choices.proved_addresses(act.session, award.member_id):
        message = "Expected an address that its owner has proved to be theirs; this one is not."
        raise ConflictError("address-not-proved", message, "/address")
    if len(others) == 1 and matches({"identifier": others}, value):
        return list(others)
    return [identity_object("emailAddress", value, new_salt())]


def _names(act: Act, award: Award, names: Sequence[Any], shown: NameShown, name: str | None) -> list[Any]:
    if shown == "none":
        return []
    if name is None:
        raise InvalidError("name-missing", "Expected the name that the badge is to bear, got none.", "/name")
    value = clean_name(name)
    if shown == "plain":
        if protected.is_protected(act.session, award.member_id, act.now):
            message = "Expected no name, or a hashed one: badges of children and students never name them in clear."
            raise ConflictError("name-protected", message)
        return [plain_identity_object(NAME, value)]
    if len(names) == 1 and names[0]["hashed"] is True and matches({"identifier": names}, value):
        return list(names)
    return [identity_object(NAME, value, new_salt())]
