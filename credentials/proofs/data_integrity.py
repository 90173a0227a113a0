"""Create and check Data Integrity proofs.

Both are in one file, so that each byte layout is written once. A proof is checked against a key that the caller found
for its `verificationMethod` (see `dids`); whether that key belongs to the issuer is not decided here. Nor is the time:
`read_options` gives `created` and `expires`, and a caller with a clock compares them.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from credentials.errors import ProofError, UnsupportedError, shown
from credentials.graph.canonicalize import canonicalize
from credentials.graph.documents import Contexts
from credentials.graph.rdf import HashName
from credentials.instants import read_instant, write_instant
from credentials.proofs.encodings import base58btc_decode, base58btc_encode
from credentials.proofs.keys import Algorithm, Signer, VerificationKey
from credentials.reading import listed
from credentials.strict_json import canonical_json

MAX_PROOFS: Final = 16
"""How many proofs of one document are looked at; each can cost a fetch of a key and a canonicalization."""


@dataclass(frozen=True)
class Suite:
    """A kind of proof: how it turns a document into signed bytes.

    `name` is the cryptosuite, or the proof's type if that type has no cryptosuites. A suite that is not `current` is
    checked, never created.
    """

    name: str
    proof_type: str
    canonicalization: Literal["rdfc", "jcs"]
    algorithms: tuple[Algorithm, ...]
    current: bool = True


SUITES: Final[Mapping[str, Suite]] = {
    suite.name: suite
    for suite in (
        Suite("eddsa-rdfc-2022", "DataIntegrityProof", "rdfc", ("Ed25519",)),
        Suite("ecdsa-rdfc-2019", "DataIntegrityProof", "rdfc", ("P-256", "P-384")),
        Suite("eddsa-jcs-2022", "DataIntegrityProof", "jcs", ("Ed25519",)),
        Suite("ecdsa-jcs-2019", "DataIntegrityProof", "jcs", ("P-256", "P-384")),
        Suite("eddsa-2022", "DataIntegrityProof", "rdfc", ("Ed25519",), current=False),
        Suite("Ed25519Signature2020", "Ed25519Signature2020", "rdfc", ("Ed25519",), current=False),
    )
}
"""Every suite that is known here, by name."""

Canonical = Callable[[Mapping[str, Any], Contexts | None, HashName], bytes]
"""The type of `canonical_form`, for a caller who remembers its results: many proofs are over one document."""

_HASHES: Final[Mapping[Algorithm, HashName]] = {
    "Ed25519": "sha256",
    "P-256": "sha256",
    "P-384": "sha384",
}
_SIGNATURE_BYTES: Final[Mapping[Algorithm, int]] = {"Ed25519": 64, "P-256": 64, "P-384": 96}


@dataclass(frozen=True)
class ProofOptions:
    """What a proof says about itself, read and with the right types."""

    suite: Suite
    verification_method: str
    purpose: str
    created: datetime | None
    expires: datetime | None
    challenge: str | None
    domains: tuple[str, ...]
    previous: tuple[str, ...]


def create_proof(
    document: Mapping[str, Any],
    signer: Signer,
    *,
    suite: str,
    verification_method: str,
    created: datetime,
    contexts: Contexts,
    purpose: str = "assertionMethod",
    challenge: str | None = None,
    domain: str | None = None,
    previous_proof: str | list[str] | None = None,
    proof_id: str | None = None,
) -> dict[str, Any]:
    """Return a proof over `document`, which is not changed.

    Proofs that the document already has are not covered, unless `previous_proof` names them by id.

    Args:
        suite: the name of a current suite in `SUITES`.
        created: an aware instant; written in whole seconds of UTC.
    Raises:
        UnsupportedError: an unknown or retired suite ("suite-unsupported"), or a key that it does not take
            ("key-unsupported").
        ContextError, MalformedError: a document that cannot be canonicalized.
        ProofError: a previous proof that is not there (code "previous-proof-missing").
    Spec: VC Data Integrity 1.0, section 4.2; VC-DI-EDDSA 1.0 and VC-DI-ECDSA 1.0, section 3 (create proof).
    """
    chosen = SUITES.get(suite)
    if chosen is None or not chosen.current:
        expected = ", ".join(known.name for known in SUITES.values() if known.current)
        raise UnsupportedError("suite-unsupported", f"expected one of the suites {expected}, got {suite!a}")
    if signer.key.algorithm not in chosen.algorithms:
        raise UnsupportedError(
            "key-unsupported",
            f"expected a key of {' or '.join(chosen.algorithms)} for {suite}, got {signer.key.algorithm}",
        )
    members = {
        "type": chosen.proof_type,
        "id": proof_id,
        "cryptosuite": chosen.name,
        "created": write_instant(created),
        "verificationMethod": verification_method,
        "proofPurpose": purpose,
        "challenge": challenge,
        "domain": domain,
        "previousProof": previous_proof,
        "@context": document.get("@context") if chosen.canonicalization == "jcs" else None,
    }
    proof = {name: value for name, value in members.items() if value is not None}
    signature = signer.sign(signed_bytes(document, proof, chosen, signer.key.algorithm, contexts))
    proof["proofValue"] = "z" + base58btc_encode(signature)
    return proof


def canonical_form(document: Mapping[str, Any], contexts: Contexts | None, hash_name: HashName) -> bytes:
    """Return the bytes of a document that a proof is over.

    They are canonical JSON, or canonical RDF if `contexts` are given to read it with.

    Raises:
        ContextError, MalformedError: as `canonicalize` or `canonical_json`.
    """
    return canonical_json(dict(document)) if contexts is None else canonicalize(document, contexts, hash_name=hash_name)


def check_proof(
    document: Mapping[str, Any],
    proof: Mapping[str, Any],
    key: VerificationKey,
    contexts: Contexts,
    canonical: Canonical = canonical_form,
) -> None:
    """Refuse `proof` unless it holds over `document` under `key`.

    Steps:
        1. The proof's own members have their types, and its suite is known.
        2. The suite takes keys of this kind.
        3. `proofValue` is `z` and base58btc of exactly one signature.
        4. Options and document, with the previous proofs that this one names, are canonicalized, hashed and compared
           with the signature.

    Args:
        document: the secured document as it came, its `proof` included.
        proof: one of the proofs of the document.
        key: what `proof.verificationMethod` names.
        canonical: `canonical_form`, or what remembers it.
    Raises:
        ProofError: "proof-malformed", "proof-key-mismatch", "proof-value-malformed", "proof-context-mismatch",
            "previous-proof-missing" or "signature-invalid".
        UnsupportedError: code "suite-unsupported".
        ContextError, MalformedError: document or proof options that cannot be canonicalized.
    Spec: VC Data Integrity 1.0, section 4.4; VC-DI-EDDSA 1.0 and VC-DI-ECDSA 1.0, section 3 (verify proof).
    """
    suite = read_options(proof).suite  # (1)
    if key.algorithm not in suite.algorithms:  # (2)
        raise ProofError(
            "proof-key-mismatch",
            f"expected a key of {' or '.join(suite.algorithms)} for {suite.name}, got {key.algorithm}",
        )
    signature = _read_signature(proof, _SIGNATURE_BYTES[key.algorithm])  # (3)
    options = {name: value for name, value in proof.items() if name != "proofValue"}
    if not key.verify(signature, signed_bytes(document, options, suite, key.algorithm, contexts, canonical)):  # (4)
        raise ProofError(
            "signature-invalid",
            "expected a signature over this document by the key that the proof names, got one that does not fit",
        )


def read_options(proof: Mapping[str, Any]) -> ProofOptions:
    """Return what `proof` says about itself.

    A time without a zone is taken as UTC, as the specification asks.

    Raises:
        ProofError: a member that is missing or of the wrong type (code "proof-malformed").
        UnsupportedError: a type or cryptosuite not in `SUITES` (code "suite-unsupported").
    Spec: VC Data Integrity 1.0, section 2.1 (proofs).
    """
    proof_type = _read_text(proof, "type")
    name = _read_text(proof, "cryptosuite") if proof_type == "DataIntegrityProof" else proof_type
    suite = SUITES.get(name)
    if suite is None or suite.proof_type != proof_type:
        raise UnsupportedError("suite-unsupported", f"expected a proof of a suite known here, got {shown(name)}")
    if "id" in proof:
        _read_text(proof, "id")
    return ProofOptions(
        suite=suite,
        verification_method=_read_text(proof, "verificationMethod"),
        purpose=_read_text(proof, "proofPurpose"),
        created=_read_time(proof, "created"),
        expires=_read_time(proof, "expires"),
        challenge=_read_text(proof, "challenge") if "challenge" in proof else None,
        domains=_read_texts(proof, "domain"),
        previous=_read_texts(proof, "previousProof"),
    )


def proofs_of(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the proofs of `document` in their order.

    A single proof need not be in an array.

    Raises:
        ProofError: none ("proof-missing"), not objects ("proof-malformed"), more than 16 ("proof-too-many"), or two
            with the same id, so that a chain could mean either ("proof-id-repeated").
    """
    value = document.get("proof")
    proofs = value if isinstance(value, list) else [] if value is None else [value]
    if not proofs:
        raise ProofError("proof-missing", "expected a proof, got none")
    if len(proofs) > MAX_PROOFS:
        raise ProofError("proof-too-many", f"expected at most {MAX_PROOFS} proofs, got {len(proofs)}")
    seen = set()
    for proof in proofs:
        if not isinstance(proof, Mapping):
            raise ProofError("proof-malformed", f"expected each proof to be an object, got {shown(proof)}")
        identifier = proof.get("id")
        if isinstance(identifier, str):
            if identifier in seen:
                raise ProofError("proof-id-repeated", f"expected one proof of id {shown(identifier)}, got two")
            seen.add(identifier)
    return proofs


def previous_proofs(document: Mapping[str, Any], proof: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the proofs of `document` that `proof` names in `previousProof`.

    They are in the document's order. The signature of `proof` covers them: it says that it was made after them.

    Raises:
        ProofError: a named proof is not there (code "previous-proof-missing"), or what `proofs_of` raises.
    Spec: VC Data Integrity 1.0, section 4.5 (verify proof sets and chains).
    """
    names = _read_texts(proof, "previousProof")
    if not names:
        return []
    found = [candidate for candidate in proofs_of(document) if candidate.get("id") in names]
    present = {candidate["id"] for candidate in found}
    for name in names:
        if name not in present:
            raise ProofError(
                "previous-proof-missing", f"expected the previous proof {shown(name)}, got none of this id"
            )
    return found


def signed_bytes(
    document: Mapping[str, Any],
    options: Mapping[str, Any],
    suite: Suite,
    algorithm: Algorithm,
    contexts: Contexts,
    canonical: Canonical = canonical_form,
) -> bytes:
    """Return the bytes that a proof signs: the options' hash, then the document's.

    The hash is SHA-256 (32 bytes each), for P-384 SHA-384 (48 bytes each), also within RDFC-1.0.

    Args:
        document: the document; of its proofs only those count that the options name as previous.
        options: the proof without `proofValue`.
    Raises:
        ProofError: the options have a `@context` that the document's does not begin with (JCS suites) or does not equal
            (RDFC suites), code "proof-context-mismatch"; or what `previous_proofs` raises.
        ContextError, MalformedError: what canonicalization raises.
    Spec: VC-DI-EDDSA 1.0, sections 3.2 and 3.3; VC-DI-ECDSA 1.0, sections 3.2 and 3.3.
    """
    hash_name = _HASHES[algorithm]
    unsecured = {name: value for name, value in document.items() if name != "proof"}
    if previous := previous_proofs(document, options):
        unsecured["proof"] = previous
    if suite.canonicalization == "jcs":
        if "@context" in options:
            expected, got = (listed(holder.get("@context")) for holder in (options, document))
            if got[: len(expected)] != expected:
                raise ProofError(
                    "proof-context-mismatch", "expected the document's @context to begin with the proof's, got another"
                )
            unsecured["@context"] = options["@context"]
        parts = (canonical(options, None, hash_name), canonical(unsecured, None, hash_name))
    else:
        context = document.get("@context")
        if options.get("@context", context) != context:
            raise ProofError(
                "proof-context-mismatch", "expected the proof's @context to be the document's, got another"
            )
        parts = (
            canonical({**options, "@context": context}, contexts, hash_name),
            canonical(unsecured, contexts, hash_name),
        )
    return b"".join(hashlib.new(hash_name, part).digest() for part in parts)


def _read_signature(proof: Mapping[str, Any], expected_bytes: int) -> bytes:
    value = _read_text(proof, "proofValue")
    if not value.startswith("z"):
        raise ProofError("proof-value-malformed", f"expected a proofValue that begins with 'z', got {shown(value)}")
    try:
        signature = base58btc_decode(value[1:])
    except ProofError as error:
        raise ProofError("proof-value-malformed", f"proofValue: {error.message}") from error
    if len(signature) != expected_bytes:
        raise ProofError(
            "proof-value-malformed", f"expected a signature of {expected_bytes} bytes, got {len(signature)}"
        )
    return signature


def _read_text(proof: Mapping[str, Any], name: str) -> str:
    value = proof.get(name)
    if not isinstance(value, str) or not value:
        raise ProofError("proof-malformed", f"expected the proof's {name} to be a string, got {shown(value)}")
    return value


def _read_texts(proof: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """Return a member that may be absent, one string or an array of strings."""
    if name not in proof:
        return ()
    values = listed(proof[name])
    if not 0 < len(values) <= MAX_PROOFS or not all(isinstance(value, str) and value for value in values):
        raise ProofError(
            "proof-malformed", f"expected the proof's {name} to be a string or an array of 1 to {MAX_PROOFS} strings"
        )
    return tuple(values)


def _read_time(proof: Mapping[str, Any], name: str) -> datetime | None:
    if name not in proof:
        return None
    value = proof[name]
    instant = read_instant(value)
    if instant is None and isinstance(value, str):
        instant = read_instant(value + "Z")  # without a zone it means UTC
    if instant is None:
        raise ProofError("proof-malformed", f"expected the proof's {name} to be a date and time, got {shown(value)}")
    return instant
