"""The VC API's own identities: one `did:key` for each kind of key.

They are never a network's. Custody keeps the private half, and a row the rest, so that every process signs as the same
issuer, before and after a restart.
"""

from dataclasses import dataclass

from credentials import Signer
from service.runtime.runtime import Runtime
from service.signing import keyring
from service.storage.database import insert_new
from service.tables import VcApiKey


@dataclass(frozen=True)
class VcApiIssuer:
    """The VC API as issuer, with one of its keys."""

    did: str
    signer: Signer

    @property
    def verification_method(self) -> str:
        """The name of the key: the DID, with its identifier again as fragment. Spec: did:key v0.9, section 3.1."""
        return f"{self.did}#{self.did.removeprefix('did:key:')}"


def identity(runtime: Runtime, algorithm: str) -> VcApiIssuer:
    """Return the identity with a key of this kind, which is made on first use.

    Where two processes make it at the same moment, both use the one whose row was first.

    Args:
        algorithm: "Ed25519", "P-256" or "P-384".
    Raises:
        CustodyError: the private key cannot be stored or opened (code "custody-unavailable"), or as
            `keyring.check_custody`.
    """
    with runtime.database.read() as session:
        row = session.get(VcApiKey, algorithm)
        if row is None:
            keyring.check_custody(session, runtime)
    if row is None:
        custody_uri, signer = runtime.custody.create(algorithm)
        values = {
            "algorithm": algorithm,
            "multikey": signer.key.multikey,
            "custody_uri": custody_uri,
            "created_at": runtime.now(),
        }
        with runtime.database.write() as session:
            insert_new(session, VcApiKey, values)
            row = session.get_one(VcApiKey, algorithm)
    return VcApiIssuer(f"did:key:{row.multikey}", runtime.custody.signer(row.custody_uri))
