"""The statements of VC Data Integrity, VC-DI-EDDSA and VC-DI-ECDSA that the W3C's suites ask for, over the VC API.

What is issued is looked at as the suites look at it; what is verified was made by hand with every fault that they make.
"""

import hashlib
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from credentials import PrivateKeySigner
from credentials.graph.canonicalize import canonicalize
from credentials.instants import write_instant
from credentials.proofs.dids import resolve_key
from credentials.proofs.encodings import base58btc_decode, base58btc_encode
from tests.interop.vc_api_machine import CREDENTIAL, DATA_INTEGRITY, EXAMPLES, OLDER, V1, V2, Machine, did_of, signed

DATE_TIME_STAMP = re.compile(r"-?[0-9]{4,}-[01][0-9]-[0-3][0-9]T[0-2][0-9](:[0-5][0-9]){2}(\.[0-9]+)?(Z|[+-][0-9:]{5})")
SIGNATURE_BYTES = {"Ed25519": 64, "P-256": 64, "P-384": 96}
KEY_PREFIX = {
    "Ed25519": ("z6Mk", b"\xed\x01", 34),
    "P-256": ("zDna", b"\x80\x24", 35),
    "P-384": ("z82L", b"\x81\x24", 51),
}
SIGNERS = {
    "Ed25519": PrivateKeySigner(ed25519.Ed25519PrivateKey.generate()),
    "P-256": PrivateKeySigner(ec.generate_private_key(ec.SECP256R1())),
    "P-384": PrivateKeySigner(ec.generate_private_key(ec.SECP384R1())),
}
KINDS = [
    ("eddsa-rdfc-2022", "Ed25519"),
    ("eddsa-jcs-2022", "Ed25519"),
    ("ecdsa-rdfc-2019", "P-256"),
    ("ecdsa-rdfc-2019", "P-384"),
    ("ecdsa-jcs-2019", "P-256"),
    ("ecdsa-jcs-2019", "P-384"),
]
each_kind = pytest.mark.parametrize(("suite", "key_type"), KINDS, ids=[" ".join(kind) for kind in KINDS])
each_version = pytest.mark.parametrize("credential", [OLDER, CREDENTIAL], ids=["1.1", "2.0"])


# --- What is issued --------------------------------------------------------------------------------------------------


@each_kind
@each_version
def test_the_proof_has_every_member_in_its_form(
    vc_api: Machine, suite: str, key_type: str, credential: dict[str, Any]
) -> None:
    issued = vc_api.issue(credential, cryptosuite=suite, keyType=key_type)
    proof = issued["proof"]
    assert isinstance(proof, dict)
    assert (proof["type"], proof["cryptosuite"], proof["proofPurpose"]) == (
        "DataIntegrityProof",
        suite,
        "assertionMethod",
    )
    assert DATE_TIME_STAMP.fullmatch(proof["created"])
    assert proof["verificationMethod"] == f"{issued['issuer']}#{issued['issuer'].removeprefix('did:key:')}"
    assert proof["proofValue"][0] == "z"
    assert len(base58btc_decode(proof["proofValue"][1:])) == SIGNATURE_BYTES[key_type]


@each_kind
@each_version
def test_the_document_has_a_context_that_defines_its_proof(
    vc_api: Machine, suite: str, key_type: str, credential: dict[str, Any]
) -> None:
    issued = vc_api.issue(credential, cryptosuite=suite, keyType=key_type)
    assert {V2, DATA_INTEGRITY} & set(issued["@context"])
    assert issued["@context"][0] == credential["@context"][0]


@pytest.mark.parametrize("key_type", KEY_PREFIX)
def test_the_key_is_a_multikey_of_its_kind_for_assertions(vc_api: Machine, key_type: str) -> None:
    suite = next(suite for suite, of_key in KINDS if of_key == key_type)
    multikey = vc_api.issue(CREDENTIAL, cryptosuite=suite, keyType=key_type)["issuer"].removeprefix("did:key:")
    prefix, codec, length = KEY_PREFIX[key_type]
    decoded = base58btc_decode(multikey[1:])
    assert multikey.startswith(prefix)
    assert (decoded[:2], len(decoded)) == (codec, length)


@each_kind
@each_version
def test_what_is_issued_verifies(vc_api: Machine, suite: str, key_type: str, credential: dict[str, Any]) -> None:
    assert vc_api.accepts(vc_api.issue(credential, cryptosuite=suite, keyType=key_type))


@pytest.mark.parametrize(("suite", "key_type"), [kind for kind in KINDS if "rdfc" in kind[0]])
def test_the_signature_is_over_the_hashes_that_the_kind_of_key_asks_for(
    vc_api: Machine, suite: str, key_type: str
) -> None:
    issued = vc_api.issue(CREDENTIAL, cryptosuite=suite, keyType=key_type)
    proof = issued.pop("proof")
    signature = base58btc_decode(proof.pop("proofValue")[1:])
    name = "sha384" if key_type == "P-384" else "sha256"
    hashed = b"".join(
        hashlib.new(name, canonicalize(part, vc_api.runtime.contexts, hash_name=name)).digest()  # type: ignore[arg-type]
        for part in ({**proof, "@context": issued["@context"]}, issued)
    )
    key = resolve_key(proof["verificationMethod"], vc_api.runtime.fetcher.fetch).key
    assert key.verify(signature, hashed)


@each_version
def test_the_older_context_of_data_integrity_is_added_once(vc_api: Machine, credential: dict[str, Any]) -> None:
    contexts = [*credential["@context"], DATA_INTEGRITY]
    assert vc_api.issue({**credential, "@context": contexts})["@context"] == contexts


def test_a_context_object_of_version_1_1_stays_where_it_is(vc_api: Machine) -> None:
    own = {"name": "https://schema.org/name", "description": "https://schema.org/description"}
    subject = {"id": "urn:uuid:1a0e4ef5-091f-4060-842e-18e519ab9440", "name": "Alice", "description": "About Alice."}
    issued = vc_api.issue({**OLDER, "@context": [V1, own], "credentialSubject": subject})
    assert issued["@context"] == [V1, own, DATA_INTEGRITY]
    assert vc_api.accepts(issued)


@pytest.mark.parametrize(
    "options",
    [
        {"cryptosuite": "ecdsa-sd-2023"},
        {"cryptosuite": "eddsa-2022"},
        {"cryptosuite": 7},
        {"type": "Ed25519Signature2020"},
        {"cryptosuite": "eddsa-rdfc-2022", "keyType": "P-256"},
        {"cryptosuite": "ecdsa-rdfc-2019", "keyType": "P-521"},
        {"proofPurpose": "authentication"},
        {"created": "yesterday"},
        {"previousProof": [7]},
    ],
)
def test_what_cannot_be_signed_is_refused(vc_api: Machine, options: dict[str, Any]) -> None:
    assert vc_api.refuses(CREDENTIAL, **options) == "option-unsupported"


def test_the_time_of_the_proof_may_be_told(vc_api: Machine) -> None:
    assert vc_api.issue(CREDENTIAL, created="2024-02-29T12:00:00+01:00")["proof"]["created"] == "2024-02-29T11:00:00Z"


@each_kind
def test_a_proof_is_added_to_others_and_may_be_made_after_one(vc_api: Machine, suite: str, key_type: str) -> None:
    first = vc_api.issue(CREDENTIAL, cryptosuite=suite, keyType=key_type)
    again = vc_api.issue(first, cryptosuite=suite, keyType=key_type)
    assert again["proof"][0] == first["proof"]
    assert vc_api.accepts(again)
    assert vc_api.refuses(first, cryptosuite=suite, keyType=key_type, previousProof="urn:uuid:none") == (
        "previous-proof-missing"
    )


def test_what_another_has_signed_is_not_signed_as_ones_own(vc_api: Machine) -> None:
    signer = SIGNERS["Ed25519"]
    theirs = signed({**CREDENTIAL, "issuer": did_of(signer)}, signer, vc_api)
    assert vc_api.refuses(theirs) == "issuer-other"


# --- What is verified ------------------------------------------------------------------------------------------------


def made(vc_api: Machine, suite: str, key_type: str, **options: Any) -> dict[str, Any]:
    """Return a credential of somebody else."""
    signer = SIGNERS[key_type]
    contexts = [V2, EXAMPLES]
    subject = {"id": "did:example:subject", "name": "Example"}
    document = {**CREDENTIAL, "@context": contexts, "issuer": did_of(signer), "credentialSubject": subject}
    return signed(document, signer, vc_api, suite, **options)


@each_kind
def test_somebody_elses_credential_verifies(vc_api: Machine, suite: str, key_type: str) -> None:
    assert vc_api.accepts(made(vc_api, suite, key_type))


@each_kind
def test_a_proof_in_an_array_verifies(vc_api: Machine, suite: str, key_type: str) -> None:
    credential = made(vc_api, suite, key_type)
    assert vc_api.accepts({**credential, "proof": [credential["proof"]]})


Change = Callable[[dict[str, Any]], object]


def without(name: str) -> Change:
    return lambda credential: credential["proof"].pop(name)


def replaced(name: str, value: Any) -> Change:
    return lambda credential: credential["proof"].__setitem__(name, value)


def lengthened(credential: dict[str, Any]) -> None:
    value = base58btc_decode(credential["proof"]["proofValue"][1:])
    credential["proof"]["proofValue"] = "z" + base58btc_encode(value + bytes(32))


FAULTS: dict[str, Change] = {
    "no proof": lambda credential: credential.pop("proof"),
    "a proof that is null": lambda credential: credential.__setitem__("proof", None),
    "a proof that is a text": lambda credential: credential.__setitem__("proof", "proof"),
    "no proofs": lambda credential: credential.__setitem__("proof", []),
    "no type": without("type"),
    "an unknown type": replaced("type", "UnknownProofType"),
    "an empty type": replaced("type", ""),
    "no cryptosuite": without("cryptosuite"),
    "an unknown cryptosuite": replaced("cryptosuite", "unknown-cryptosuite-2017"),
    "an empty cryptosuite": replaced("cryptosuite", ""),
    "a cryptosuite that is a number": replaced("cryptosuite", 2022),
    "no verificationMethod": without("verificationMethod"),
    "a verificationMethod that is none": replaced("verificationMethod", "did:key:invalidVm"),
    "a verificationMethod with forbidden characters": replaced("verificationMethod", "did:key:@invalidVm@"),
    "no proofPurpose": without("proofPurpose"),
    "an unknown proofPurpose": replaced("proofPurpose", "invalidPurpose"),
    "another proofPurpose": replaced("proofPurpose", "authentication"),
    "no proofValue": without("proofValue"),
    "a proofValue that is null": replaced("proofValue", None),
    "a proofValue without its header": lambda credential: credential["proof"].__setitem__(
        "proofValue", credential["proof"]["proofValue"][1:]
    ),
    "a proofValue with another header": lambda credential: credential["proof"].__setitem__(
        "proofValue", "u" + credential["proof"]["proofValue"][1:]
    ),
    "a proofValue that is too long": lengthened,
    "a time of creation that is none": replaced("created", "invalidDate"),
    "another time of creation": replaced("created", "2026-03-01T12:00:00Z"),
    "a keyword": lambda credential: credential["credentialSubject"].__setitem__("@index", "y"),
    "a changed claim": lambda credential: credential["credentialSubject"].__setitem__("name", "Another"),
    "an added claim": lambda credential: credential["credentialSubject"].__setitem__("description", "Another"),
    "another issuer": lambda credential: credential.__setitem__("issuer", "did:example:issuer"),
    "a context after it was signed": lambda credential: credential["@context"].append(
        {"name": "https://example.org/#another"}
    ),
}


@each_kind
@pytest.mark.parametrize("change", FAULTS.values(), ids=FAULTS)
def test_what_was_changed_does_not_verify(vc_api: Machine, suite: str, key_type: str, change: Change) -> None:
    credential = made(vc_api, suite, key_type)
    change(credential)
    assert not vc_api.accepts(credential)


@each_kind
@pytest.mark.parametrize(
    "change",
    [
        lambda credential: credential["credentialSubject"].__setitem__("undefinedTerm", "IfDroppedWillVerify"),
        lambda credential: credential["type"].append("UndefinedType"),
    ],
    ids=["term", "type"],
)
def test_what_no_context_defines_is_data_loss(vc_api: Machine, suite: str, key_type: str, change: Change) -> None:
    signer = SIGNERS[key_type]
    credential = signed(
        {**CREDENTIAL, "type": ["VerifiableCredential"], "issuer": did_of(signer)}, signer, vc_api, suite
    )
    credential["credentialSubject"] = dict(credential["credentialSubject"])
    change(credential)
    assert not vc_api.accepts(credential)
    assert vc_api.answer is not None
    types = {detail["type"].partition("#")[2] for detail in vc_api.answer.json()["problemDetails"]}
    assert "DATA_LOSS_DETECTION_ERROR" in types


@each_kind
def test_a_proof_by_another_algorithm_does_not_verify(vc_api: Machine, suite: str, key_type: str) -> None:
    other = {"rdfc": "jcs", "jcs": "rdfc"}
    credential = made(vc_api, suite, key_type)
    kind = suite.split("-")[1]
    credential["proof"]["cryptosuite"] = suite.replace(kind, other[kind])
    assert not vc_api.accepts(credential)


@pytest.mark.parametrize(("key_type", "hash_name"), [("Ed25519", "sha512"), ("P-256", "sha384"), ("P-384", "sha256")])
def test_a_proof_over_other_hashes_does_not_verify(vc_api: Machine, key_type: str, hash_name: str) -> None:
    suite = "eddsa-rdfc-2022" if key_type == "Ed25519" else "ecdsa-rdfc-2019"
    credential = made(vc_api, suite, key_type)
    options = {name: value for name, value in credential["proof"].items() if name != "proofValue"}
    document = {name: value for name, value in credential.items() if name != "proof"}
    parts = ({**options, "@context": document["@context"]}, document)
    hashed = b"".join(hashlib.new(hash_name, canonicalize(part, vc_api.runtime.contexts)).digest() for part in parts)
    credential["proof"]["proofValue"] = "z" + base58btc_encode(SIGNERS[key_type].sign(hashed))
    assert not vc_api.accepts(credential)


def test_a_proof_needs_no_time_of_creation_and_may_be_old(vc_api: Machine) -> None:
    signer = SIGNERS["Ed25519"]
    document = {**CREDENTIAL, "issuer": did_of(signer)}
    credential = signed(document, signer, vc_api)
    for created in (None, write_instant(vc_api.runtime.now() - timedelta(days=365)), "2025-03-02T12:00:00"):
        proof = by_hand(vc_api, document, {**credential["proof"], "created": created}, signer)
        assert vc_api.accepts({**document, "proof": proof})


@pytest.mark.parametrize("expires", ["2026-03-02T11:59:59Z", "2026-03-02T11:59:59"], ids=["zone", "no zone"])
def test_a_proof_that_has_ended_does_not_verify(vc_api: Machine, expires: str) -> None:
    signer = SIGNERS["Ed25519"]
    document = {**CREDENTIAL, "issuer": did_of(signer)}
    proof = signed(document, signer, vc_api)["proof"]
    ended = by_hand(vc_api, document, {**proof, "expires": expires}, signer)
    assert not vc_api.accepts({**document, "proof": ended})
    assert vc_api.code() == "proof-expired"
    running = by_hand(vc_api, document, {**proof, "expires": "2026-03-02T12:00:01Z"}, signer)
    assert vc_api.accepts({**document, "proof": running})


def by_hand(
    vc_api: Machine, document: dict[str, Any], proof: dict[str, Any], signer: PrivateKeySigner
) -> dict[str, Any]:
    """Return a proof with these members, those that are None left out."""
    options = {name: value for name, value in proof.items() if value is not None and name != "proofValue"}
    parts = ({**options, "@context": document["@context"]}, document)
    hashed = b"".join(hashlib.sha256(canonicalize(part, vc_api.runtime.contexts)).digest() for part in parts)
    return {**options, "proofValue": "z" + base58btc_encode(signer.sign(hashed))}


@pytest.mark.parametrize(
    "options",
    [
        {"expectedProofPurpose": "authentication"},
        {"domain": "domain.example"},
        {"challenge": "1235abcd6789", "domain": "domain.example"},
    ],
)
def test_a_proof_has_to_be_what_the_caller_expects(vc_api: Machine, options: dict[str, Any]) -> None:
    credential = made(vc_api, "eddsa-rdfc-2022", "Ed25519")
    assert vc_api.accepts(credential, expectedProofPurpose="assertionMethod")
    assert not vc_api.accepts(credential, **options)
    addressed = made(vc_api, "eddsa-rdfc-2022", "Ed25519", challenge="1235abcd6789", domain="domain.example")
    assert vc_api.accepts(addressed, challenge="1235abcd6789", domain="domain.example")
    assert not vc_api.accepts(addressed, challenge="another", domain="domain.example")
    assert vc_api.accepts(addressed, challenge="1235abcd6789")
    several = made(vc_api, "eddsa-rdfc-2022", "Ed25519", challenge="1235abcd6789", domain=["domain.example"])
    assert vc_api.accepts(several, challenge="1235abcd6789")


# --- Proof sets and chains -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("as_array", [False, True], ids=["text", "array"])
@each_kind
def test_a_proof_chain_verifies_as_long_as_it_is_whole(
    vc_api: Machine,
    suite: str,
    key_type: str,
    as_array: bool,
) -> None:
    signer, first = SIGNERS[key_type], "urn:uuid:26329423-bec9-4b2e-88cb-a7c7d9dc4544"
    document = {**CREDENTIAL, "issuer": did_of(signer)}
    once = signed(document, signer, vc_api, suite, proof_id=first)
    twice = signed(
        {**once, "proof": [once["proof"]]}, signer, vc_api, suite, previous_proof=[first] if as_array else first
    )
    assert vc_api.accepts(twice)
    renamed = [{**twice["proof"][0], "id": "urn:uuid:58172aac-d8ba-11ed-83dd-0b3aef56cc33"}, twice["proof"][1]]
    assert not vc_api.accepts({**twice, "proof": renamed})
    assert not vc_api.accepts({**twice, "proof": [twice["proof"][1]]})
    unnamed = {**twice["proof"][1], "previousProof": 7}
    assert not vc_api.accepts({**twice, "proof": [twice["proof"][0], unnamed]})


@each_kind
def test_every_proof_of_a_set_has_to_hold(vc_api: Machine, suite: str, key_type: str) -> None:
    signer = SIGNERS[key_type]
    once = signed({**CREDENTIAL, "issuer": did_of(signer)}, signer, vc_api, suite)
    twice = signed({**once, "proof": [once["proof"]]}, signer, vc_api, suite, proof_id="urn:uuid:2")
    assert vc_api.accepts(twice)
    broken = {**twice["proof"][1], "created": "2026-03-01T12:00:00Z"}
    assert not vc_api.accepts({**twice, "proof": [twice["proof"][0], broken]})
