"""The VC API's own identities: one `did:key` for each kind of key, never a network's.

The private half stays with custody and the rest in a row, so that every process signs as the same issuer, before and
after a restart.
"""

from dataclasses import dataclass

from credentials import Signer
from service.runtime.runtime import Runtime
from service.storage.database import insert_new
from service.tables import VcApiKey


@dataclass(frozen=True)
class VcApiIssuer:
    """The issuer that the VC API is with one of its keys."""

    did: str
    signer: Signer

    @property
    def verification_method(self) -> str:
        """The name of the key: the DID, and once more itself as fragment. Spec: did:key v0.9, section 3.1."""
        return f"{self.did}#{self.did.removeprefix('did:key:')}"


def identity(runtime: Runtime, algorithm: str) -> VcApiIssuer:
    """Return the identity with a key of this kind; the key is made when it is first asked for.

    Of two processes that make it at the same moment both take the one whose row was first.

    Args:
        algorithm: "Ed25519", "P-256" or "P-384".
    Raises:
        CustodyError: the private key cannot be kept or opened (code "custody-unavailable").
    """
    with runtime.database.read() as session:
        row = session.get(VcApiKey, algorithm)
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
