"""Every text ever signed of a credential, known by what it says.

Someone who has a stolen key can sign what they like; only rows tell what this service signed.
"""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from hashlib import sha256
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session as OrmSession

from credentials import VerificationKey, canonical_json
from credentials.proofs.encodings import base64url_decode
from service.storage.database import WriteSession, insert_for
from service.tables import Credential, EndorsementText, SignedCopy


def keep(session: WriteSession, credential: Credential, at: datetime) -> None:
    """Note the text that a credential has now; to be called when it is first signed.

    Args:
        at: when it was signed; the newest text is the one that was signed last.
    """
    document = json.loads(credential.signed)
    [proof] = document["proof"]
    header = json.loads(base64url_decode(credential.jwt.partition(".")[0]))
    copy = SignedCopy(
        credential_id=credential.id,
        signed_at=at,
        kid=_thumbprint(proof["verificationMethod"].rpartition("#")[2]),
        jwt_kid=header["kid"].rpartition("/")[2],
        sha256=digest(document),
        proof_value=proof["proofValue"],
    )
    session.add(copy)
    for each in document.get("endorsement", []):
        note_endorsement(session, credential.id, each)


def keep_again(session: WriteSession, credential: Credential, at: datetime) -> None:
    """Note the text of a locked credential that was signed again.

    It is newer than those before also if the clock was ahead when they were signed, and has been put right since.
    """
    before = session.scalar(select(func.max(SignedCopy.signed_at)).where(SignedCopy.credential_id == credential.id))
    keep(session, credential, at if before is None else max(at, before + timedelta(microseconds=1)))


def note_endorsement(session: WriteSession, credential_id: str, document: Mapping[str, Any]) -> None:
    """Note what an endorsement of a credential says, if it is not known; to be called when it is signed."""
    row = {"sha256": digest(document), "credential_id": credential_id}
    session.execute(insert_for(session)(EndorsementText).values(row).on_conflict_do_nothing())


def is_noted(session: OrmSession, sha256: str) -> bool:
    """Return whether an endorsement that says this was signed here."""
    return session.get(EndorsementText, sha256) is not None


@lru_cache(maxsize=128)
def _thumbprint(multikey: str) -> str:
    """Return the RFC 7638 thumbprint of a key. Reading one costs as much as all else here."""
    return VerificationKey.from_multikey(multikey).thumbprint


def digest(document: Mapping[str, Any]) -> str:
    """Return the SHA-256 of what a credential says, in whatever way it is written and with whatever key it is signed.

    Raises:
        MalformedError: it holds a value that has no canonical form.
    """
    said = {name: value for name, value in document.items() if name != "proof"}
    return sha256(canonical_json(said)).hexdigest()
