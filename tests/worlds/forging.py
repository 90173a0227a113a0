"""What somebody signs who has the private keys of a network: a thief, or the network itself once more."""

import json
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from credentials import PACKAGED, bake
from credentials.instants import write_instant
from credentials.proofs.claims import claims_of
from credentials.proofs.data_integrity import create_proof
from credentials.proofs.jose import encode_jwt
from service.access.act import Act
from service.issuing import credentials, signed_copies, status_lists
from service.issuing.credentials import IssuerKeys
from service.signing import keyring
from service.tables import Credential, Key, Network
from tests.worlds.awarding import Stage


@dataclass(frozen=True)
class Thief:
    """Somebody with a copy of the private keys that a network had at some time."""

    stage: Stage
    keys: IssuerKeys

    @classmethod
    def of(cls, stage: Stage) -> "Thief":
        """Steal the keys with which the network signs now."""
        with stage.runtime.database.read() as session:
            return cls(stage, credentials.issuer_keys(session, stage.runtime, network_of(session, stage)))

    def sign(self, document: dict[str, Any]) -> str:
        """Sign what a document says, whatever is wrong with it, in place of the proofs that it has."""
        said = {name: value for name, value in document.items() if name != "proof"}
        proof = create_proof(
            said,
            self.keys.proof_signer,
            suite="eddsa-rdfc-2022",
            verification_method=self.keys.verification_method,
            created=self.stage.runtime.now(),
            contexts=PACKAGED,
        )
        return json.dumps(said | {"proof": [proof]})

    def sign_jwt(self, document: dict[str, Any]) -> str:
        """Sign what a document says as VC-JWT."""
        said = {name: value for name, value in document.items() if name != "proof"}
        return encode_jwt(said | claims_of(said), self.keys.jwt_signer, kid=self.keys.kid, typ="JWT")

    def bake(self, document: dict[str, Any], ending: str) -> bytes:
        """Sign a document and put it into the picture of its achievement."""
        address = document["credentialSubject"]["achievement"]["id"]
        return bake(self.stage.client.get(f"{address}/image.{ending}").content, self.sign(document))


def network_of(session: Session, stage: Stage) -> Network:
    """Return the network of a stage."""
    return session.scalars(select(Network).where(Network.slug == stage.slug)).one()


def rotate(stage: Stage) -> None:
    """Give the network new keys."""
    with stage.runtime.database.write() as session:
        keyring.rotate(Act(session, network_of(session, stage), None, stage.runtime.now()), stage.runtime)


def declare_compromised(stage: Stage) -> None:
    """Mark every key that the network has retired as compromised, and sign the status lists with the new ones."""
    with stage.runtime.database.write() as session:
        for key in session.scalars(select(Key).where(Key.retired_at.is_not(None))):
            key.compromised_at = stage.runtime.now()
    status_lists.publish_all(stage.runtime)


def sign_anew(stage: Stage, credential_id: str) -> None:
    """Sign a credential again under its id, with the present keys and a later beginning."""
    thief, now = Thief.of(stage), stage.runtime.now()
    with stage.runtime.database.write() as session:
        row = session.get_one(Credential, credential_id)
        document = json.loads(row.signed) | {"validFrom": write_instant(now)}
        row.signed, row.jwt, row.valid_from = thief.sign(document), thief.sign_jwt(document), now
        row.sha256 = sha256(row.signed.encode()).hexdigest()
        signed_copies.keep(session, row, now)
