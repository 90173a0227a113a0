"""Credentials: sign and store, replace, bake into pictures, find and list."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, not_, select
from sqlalchemy.orm import Session as OrmSession

from credentials import Signer, bake, sign
from credentials.proofs.claims import claims_of
from credentials.proofs.jose import encode_jwt
from service.access import callers
from service.access.act import Act, CallersAct
from service.access.callers import Caller
from service.achievements import pictures
from service.issuing import evidence_items, signed_copies, status_lists
from service.issuing.unsigned import Draft
from service.outbox import events
from service.runtime.runtime import Runtime
from service.signing import issuers, keyring
from service.storage import filters, locks
from service.storage.database import ReadSession, WriteSession
from service.storage.paging import Window, order, page
from service.tables import Achievement, AchievementVersion, Award, Credential, Member, Network, StatusList


@dataclass(frozen=True)
class IssuerKeys:
    """The keys with which a network signs now, and the names of these in signatures."""

    proof_signer: Signer
    verification_method: str
    jwt_signer: Signer
    kid: str


@dataclass(frozen=True)
class SignedDraft:
    """A draft with its two signed forms.

    They are JSON text with a data integrity proof, and a VC-JWT.
    """

    draft: Draft
    text: str
    jwt: str


def issuer_keys(session: OrmSession, runtime: Runtime, network: Network) -> IssuerKeys:
    """Return the keys with which the network signs now.

    Raises:
        CustodyError: a key is missing or cannot be opened.
    """
    proof_key = keyring.active_key(session, network, "Ed25519")
    jwt_key = keyring.active_key(session, network, "P-256")
    return IssuerKeys(
        keyring.signer(runtime, proof_key),
        issuers.verification_method(runtime.settings, network, proof_key),
        keyring.signer(runtime, jwt_key),
        issuers.key_url(runtime.settings, jwt_key),
    )


def sign_draft(issuer: IssuerKeys, draft: Draft) -> SignedDraft:
    """Sign a draft in both forms."""
    return SignedDraft(draft, *sign_both(issuer, draft.document, draft.valid_from))


def sign_both(issuer: IssuerKeys, document: Mapping[str, Any], at: datetime) -> tuple[str, str]:
    """Return a credential in both forms.

    These are JSON text with a proof of eddsa-rdfc-2022, and a JWT with ES256 over the same members without the proof.

    Args:
        at: when it is signed.
    """
    text = json.dumps(prove(issuer, document, at), ensure_ascii=False, separators=(",", ":"))
    # Not `sign_jwt`: it would repeat, at twice the cost, the checks that were just made for the proof.
    return text, encode_jwt({**document, **claims_of(document)}, issuer.jwt_signer, kid=issuer.kid, typ="JWT")


def prove(issuer: IssuerKeys, document: Mapping[str, Any], at: datetime) -> dict[str, Any]:
    """Return a credential with a proof of eddsa-rdfc-2022.

    Args:
        at: when it is signed.
    """
    return sign(document, issuer.proof_signer, verification_method=issuer.verification_method, created=at)


def store(act: Act, award: Award, signed: SignedDraft) -> Credential:
    """Store the credential of an award; it can be fetched from the commit on.

    The place in the status list must be free: `status_lists.taken`, under `locks.status_list`.
    """
    draft = signed.draft
    row = Credential(
        id=draft.credential_id,
        network_id=act.network.id,
        award_id=award.id,
        status_list_id=draft.status_list_id,
        status_index=draft.status_index,
        issued_at=act.now,
        valid_from=draft.valid_from,
        valid_until=draft.valid_until,
        signed=signed.text,
        jwt=signed.jwt,
        sha256=sha256(signed.text.encode()).hexdigest(),
    )
    if draft.chosen is not None:
        row.visibility, row.name_shown = draft.chosen.visibility, draft.chosen.name_shown
    act.session.add(row)
    if draft.left_out:
        act.session.flush()  # before the rows that refer to it, which are not related as objects
        act.session.add_all(evidence_items.rows_of(row.id, draft.left_out))
    signed_copies.keep(act.session, row, act.now)
    events.append(act, "credential.issued", about(row, award))
    return row


def replace(act: CallersAct, runtime: Runtime, old: Credential, new: Credential, reason: str) -> None:
    """Revoke a credential because another one replaces it for the same award.

    Raises:
        CustodyError: the status list cannot be signed; nothing has changed.
    """
    award = act.session.get_one(Award, old.award_id)
    old.revoked_at, old.revocation_reason, old.revoked_by = act.now, reason, act.caller.token_id
    old.superseded_by = new.id
    events.append(act, "credential.replaced", about(old, award) | {"replacement": new.id})
    status_lists.publish(act, runtime, act.session.get_one(StatusList, old.status_list_id))


def supersede(session: WriteSession, award_id: UUID, new: Credential) -> None:
    """Store that a credential follows the one of an earlier award.

    The status of the earlier one does not change.
    """
    last = (Credential.award_id == award_id, Credential.superseded_by.is_(None))
    for row in locks.rows(session, Credential, *last):
        row.superseded_by = new.id


def baked(session: ReadSession, credential: Credential, form: pictures.Form) -> bytes:
    """Return the picture of the achievement with the signed credential baked into it.

    Spec: Open Badges 3.0, section 5.3 (baking).
    """
    network = session.get_one(Network, credential.network_id)
    award = session.get_one(Award, credential.award_id)
    version = session.get_one(AchievementVersion, award.achievement_version_id)
    return bake(pictures.picture(session, network, version, form), credential.signed)


@dataclass(frozen=True)
class CredentialWithNames:
    """A credential with the names by which its network knows it."""

    row: Credential
    award: Award
    member_ref: str
    achievement_ref: str
    name: str


def find(session: OrmSession, caller: Caller, credential_id: str) -> CredentialWithNames:
    """Return a credential of the caller's network.

    Raises:
        NotFoundError: there is none of this network (code "credential-unknown").
    """
    row = callers.owned(session, caller, Credential, Credential.id == credential_id, noun="credential")
    return _named(session, [row])[0]


def list_issued(
    session: ReadSession,
    network: Network,
    *,
    window: Window,
    member: str | None,
    achievement: str | None,
    revoked: bool | None,
    state: str | None = None,
    now: datetime | None = None,
    issued_from: datetime | date | None = None,
    issued_until: datetime | date | None = None,
    sort: str | None = None,
) -> tuple[list[CredentialWithNames], str | None]:
    """Return the network's credentials in the order of their random addresses, unless another is asked for.

    Args:
        state: valid, revoked, suspended or expired at the moment `now`.
        issued_from: issued then or later; `issued_until`: before that.
        sort: issued_at, with `-` before it for the newest first.
    Raises:
        InvalidError: a filter names nothing in the network (code "member-unknown", "achievement-unknown").
    """
    query = select(Credential).where(Credential.network_id == network.id)
    if member is not None or achievement is not None:
        refs = filters.of(session, network, Award, member, achievement)
        query = query.join(Award, Award.id == Credential.award_id).where(*refs)
    if revoked is not None:
        query = query.where(Credential.revoked_at.is_not(None) if revoked else Credential.revoked_at.is_(None))
    if state is not None:
        query = query.where(_states(now)[state])
    query = query.where(*filters.during(Credential.issued_at, network, issued_from, issued_until))
    by = order(sort, id=(Credential.id,), issued_at=(Credential.issued_at, Credential.id))
    rows, following = page(session, query, window, by)
    return _named(session, rows), following


def _states(now: datetime | None) -> dict[str, ColumnElement[bool]]:
    """Return for each state the condition that it is the gravest that applies."""
    revoked, suspended = Credential.revoked_at.is_not(None), Credential.suspended_at.is_not(None)
    expired = and_(Credential.valid_until.is_not(None), Credential.valid_until <= now)
    return {
        "revoked": revoked,
        "suspended": and_(not_(revoked), suspended),
        "expired": and_(not_(revoked), not_(suspended), expired),
        "valid": and_(not_(revoked), not_(suspended), not_(expired)),
    }


def of_awards(session: OrmSession, awards: Iterable[Award]) -> dict[UUID, Credential]:
    """Return the newest credential of each award, by the award's id."""
    wanted = [award.id for award in awards]
    query = (
        select(Credential)
        .where(Credential.award_id.in_(wanted))
        .order_by(Credential.issued_at, Credential.revoked_at.is_(None))
    )
    return {row.award_id: row for row in session.scalars(query)}


def _named(session: OrmSession, rows: Sequence[Credential]) -> list[CredentialWithNames]:
    query = (
        select(Award, Member.ref, Achievement.ref, AchievementVersion.name)
        .join(Member, Member.id == Award.member_id)
        .join(Achievement, Achievement.id == Award.achievement_id)
        .join(AchievementVersion, AchievementVersion.id == Award.achievement_version_id)
        .where(Award.id.in_([row.award_id for row in rows]))
    )
    named = {
        award.id: (award, member, achievement, name) for award, member, achievement, name in session.execute(query)
    }
    return [CredentialWithNames(row, *named[row.award_id]) for row in rows]


def about(row: Credential, award: Award) -> dict[str, str]:
    """Return what an event about a credential names: credential, award and member."""
    return {"credential": row.id, "award": str(award.id), "member": str(award.member_id)}
