"""Sign credentials again under their ids.

Others may have had the key, or the recipient chose how they are named. The id, the place in the status list and all else that was said stay, the recipient's choices too; `validFrom` is newer,
so that the new text is known as the newer copy. Both forms are signed again, also if only the key of one was stolen: two forms of one id say the same.
Which key signed which text is known from `SignedCopy`.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session as OrmSession
from sqlalchemy.orm import aliased

from credentials.instants import write_instant
from service.access.act import Act
from service.issuing import credentials, endorsements, signed_copies
from service.issuing.credentials import IssuerKeys
from service.outbox import events
from service.runtime.runtime import Runtime
from service.tables import AchievementVersion, Award, Credential, Key, Member, SignedCopy


@dataclass(frozen=True)
class NewText:
    """Both forms of a credential, signed again, and the digest of the text that they replace."""

    credential_id: str
    replaces: str
    text: str
    jwt: str
    valid_from: datetime


def signed_with(keys: Collection[Key], *, now: bool = False) -> ColumnElement[bool]:
    """Return the condition on `Credential` that one of these keys signed one of its forms.

    Args:
        now: of the text that it has now; otherwise of any that it ever had.
    """
    kids = [key.kid for key in keys]
    copy, newer = aliased(SignedCopy), aliased(SignedCopy)
    signed = select(copy.id).where(copy.credential_id == Credential.id, or_(copy.kid.in_(kids), copy.jwt_kid.in_(kids)))
    if now:
        later = or_(newer.signed_at > copy.signed_at, and_(newer.signed_at == copy.signed_at, newer.id > copy.id))
        signed = signed.where(~select(newer.id).where(newer.credential_id == copy.credential_id, later).exists())
    return signed.exists()


def compromised_key_of(session: OrmSession, row: Credential, *, now: bool = True) -> Key | None:
    """Return a compromised key that signed a form of the text that a credential has now, or None.

    Args:
        now: False asks of the earlier texts, too.
    """
    keys = select(Key).where(Key.network_id == row.network_id, Key.compromised_at.is_not(None)).order_by(Key.id)
    for key in session.scalars(keys):
        if session.scalar(select(Credential.id).where(Credential.id == row.id, signed_with([key], now=now))):
            return key
    return None


def reissued_at(session: OrmSession, row: Credential) -> datetime | None:
    """Return when a credential got the text that it has now because an earlier one was signed by a compromised key.

    None if that is not why, or it has had no other text. It is the first text after the last one of such a key: the
    recipient may have had it signed again since.
    """
    if compromised_key_of(session, row, now=False) is None or compromised_key_of(session, row) is not None:
        return None
    texts = select(SignedCopy.signed_at).where(SignedCopy.credential_id == row.id)
    stolen = select(Key.kid).where(Key.compromised_at.is_not(None))
    by_stolen = texts.where(or_(SignedCopy.kid.in_(stolen), SignedCopy.jwt_kid.in_(stolen)))
    last = by_stolen.order_by(SignedCopy.signed_at.desc()).limit(1).scalar_subquery()
    return session.scalar(texts.where(SignedCopy.signed_at > last).order_by(SignedCopy.signed_at).limit(1))


def badges_of_person(session: OrmSession, member_id: UUID, key: Key) -> list[tuple[Credential, str]]:
    """Return the badges of the person behind a member that keys signed which were declared together with this one.

    Each comes with its name. Those that were revoked are left out.
    """
    member = session.get_one(Member, member_id)
    together = select(Key).where(
        Key.network_id == key.network_id,
        Key.declared_at == key.declared_at,
        Key.compromised_at == key.compromised_at,
    )
    same = Member.id == member.id if member.person_id is None else Member.person_id == member.person_id
    found = session.execute(
        select(Credential, AchievementVersion.name)
        .join(Award, Award.id == Credential.award_id)
        .join(AchievementVersion, AchievementVersion.id == Award.achievement_version_id)
        .join(Member, Member.id == Award.member_id)
        .where(Credential.network_id == key.network_id, same, Credential.revoked_at.is_(None))
        .where(signed_with(session.scalars(together).all()))
        .order_by(Award.awarded_at, Credential.id)
    )
    return [(row, name) for row, name in found]


def unsigned_document(row: Credential) -> dict[str, Any]:
    """Return what a credential says now, without its proof."""
    document: dict[str, Any] = json.loads(row.signed)
    del document["proof"]
    return document


def write_again(
    issuer: IssuerKeys, row: Credential, now: datetime, document: Mapping[str, Any] | None = None
) -> NewText:
    """Sign both forms of a credential again.

    An expired one stays expired: its new `validFrom` is its end.

    Args:
        document: what it says from now on; left out: the same as now.
    """
    document = unsigned_document(row) if document is None else document
    valid_from = now if row.valid_until is None else min(now, row.valid_until)
    # What was signed before there was `awardedDate` was awarded when it was signed.
    document = {"awardedDate": document["validFrom"], **document, "validFrom": write_instant(valid_from)}
    if "endorsement" in document:  # with today's key: the one of then may be known to others by now
        bare = [{name: value for name, value in each.items() if name != "proof"} for each in document["endorsement"]]
        document["endorsement"] = [credentials.prove(issuer, each, now) for each in bare]
    return NewText(row.id, row.sha256, *credentials.sign_both(issuer, document, now), valid_from)


def store(act: Act, award: Award, row: Credential, new: NewText) -> None:
    """Give a locked credential of an award its new text, unless it was revoked or has another text by now."""
    if row.revoked_at is None and row.sha256 == new.replaces:
        give(act, award, row, new)


def give(act: Act, award: Award, row: Credential, new: NewText) -> None:
    """Give a locked credential of an award its new text, written under this lock, in whatever state it is."""
    row.signed, row.jwt, row.sha256 = new.text, new.jwt, sha256(new.text.encode()).hexdigest()
    row.valid_from = new.valid_from
    signed_copies.keep_again(act.session, row, act.now)
    events.append(act, "credential.reissued", credentials.about(row, award))


def mend(act: Act, runtime: Runtime, row: Credential) -> None:
    """Sign a locked credential again if a compromised key has signed the text that it has now.

    Raises:
        CustodyError: a key cannot be used; nothing has changed.
    """
    if compromised_key_of(act.session, row) is not None:
        issuer = credentials.issuer_keys(act.session, runtime, act.network)
        award = act.session.get_one(Award, row.award_id)
        document = endorsements.put_in(act.session, runtime.settings, row, unsigned_document(row), act.now)
        store(act, award, row, write_again(issuer, row, act.now, document))
        act.session.flush()
