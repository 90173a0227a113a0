import contextlib
import copy
import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from openvc.proof.data_integrity import DataIntegrityProofSuite
from openvc.proof.di_ecdsa_rdfc import EcdsaRdfcProofSuite
from openvc.proof.di_jcs import EcdsaJcsProofSuite, EddsaJcsProofSuite

from credentials.errors import ContextError, CredentialError, MalformedError, ProofError, UnsupportedError
from credentials.graph.canonicalize import canonicalize
from credentials.graph.documents import PACKAGED
from credentials.proofs.data_integrity import (
    MAX_PROOFS,
    SUITES,
    check_proof,
    create_proof,
    previous_proofs,
    proofs_of,
    read_options,
    signed_bytes,
)
from credentials.proofs.encodings import base58btc_decode, base58btc_encode
from credentials.proofs.keys import JOSE_ALGORITHMS, PrivateKeySigner, Signer, VerificationKey

VECTORS = Path(__file__).parents[2] / "vectors"
EDDSA: Any = json.loads((VECTORS / "w3c-vc-di-eddsa/vectors.json").read_text())
ECDSA: Any = json.loads((VECTORS / "w3c-vc-di-ecdsa/vectors.json").read_text())
OPEN_BADGES: Any = json.loads((VECTORS / "openbadges/linked-data-proof.json").read_text())
PUBLISHED = [(published, case) for published in (EDDSA, ECDSA) for case in published["cases"]]
every_published = pytest.mark.parametrize(("published", "case"), PUBLISHED, ids=[case["name"] for _, case in PUBLISHED])

SIGNERS: dict[str, Signer] = {
    "Ed25519": PrivateKeySigner(Ed25519PrivateKey.from_private_bytes(bytes(range(32)))),
    "P-256": PrivateKeySigner(ec.derive_private_key(2**200 + 7, ec.SECP256R1())),
    "P-384": PrivateKeySigner(ec.derive_private_key(2**300 + 7, ec.SECP384R1())),
    "RSA": PrivateKeySigner(rsa.generate_private_key(public_exponent=65537, key_size=2048)),
}
SIGNATURE_BYTES = {"Ed25519": 64, "P-256": 64, "P-384": 96}
CREATED = datetime(2026, 7, 1, 12, 30, 0, 999_999, tzinfo=UTC)
COMBINATIONS = [(suite.name, algorithm) for suite in SUITES.values() if suite.current for algorithm in suite.algorithms]
every_combination = pytest.mark.parametrize(("suite", "algorithm"), COMBINATIONS)


def document(**changes: Any) -> dict[str, Any]:
    return {
        "@context": ["https://www.w3.org/ns/credentials/v2", "https://www.w3.org/ns/credentials/examples/v2"],
        "id": "urn:uuid:3f9f6b4e-0e6b-4a52-9d6c-1c9a6f6b8d11",
        "type": ["VerifiableCredential", "AlumniCredential"],
        "issuer": "https://issuer.example/north",
        "validFrom": "2026-07-01T00:00:00Z",
        "credentialSubject": {"id": "did:example:reader", "alumniOf": "Łódź Reading Circle"},
    } | changes


def plain() -> dict[str, Any]:
    """Return a credential whose only context is one that defines no more than it says."""
    return document(**{"@context": ["https://www.w3.org/ns/credentials/v2"], "type": ["VerifiableCredential"]}) | {
        "name": "Łódź 😀",
        "credentialSubject": {"id": "did:example:reader"},
    }


def method(signer: Signer) -> str:
    return f"https://issuer.example/north#{signer.key.thumbprint}"


def proof_over(unsecured: dict[str, Any], suite: str, signer: Signer, **options: Any) -> dict[str, Any]:
    return create_proof(
        unsecured,
        signer,
        suite=suite,
        verification_method=method(signer),
        contexts=PACKAGED,
        **({"created": CREATED} | options),
    )


def secured(suite: str = "eddsa-jcs-2022", algorithm: str = "Ed25519") -> dict[str, Any]:
    unsecured = document()
    return unsecured | {"proof": proof_over(unsecured, suite, SIGNERS[algorithm])}


def signer_of(published: Any, multikey: str) -> Signer:
    """Return the signer of a published key pair; a private Multikey has two bytes of prefix too."""
    scalar = base58btc_decode(published["keyPairs"][multikey][1:])[2:]
    match VerificationKey.from_multikey(multikey).algorithm:
        case "Ed25519":
            return PrivateKeySigner(Ed25519PrivateKey.from_private_bytes(scalar))
        case "P-256":
            return PrivateKeySigner(ec.derive_private_key(int.from_bytes(scalar), ec.SECP256R1()))
        case _:
            return PrivateKeySigner(ec.derive_private_key(int.from_bytes(scalar), ec.SECP384R1()))


# --- Published vectors ---


@every_published
def test_the_hashes_and_the_signature_are_the_published_ones(published: Any, case: Any) -> None:
    unsecured, proof = case.get("document", published["unsigned"]), case["proof"]
    options = {name: value for name, value in proof.items() if name != "proofValue"}
    signer = signer_of(published, proof["verificationMethod"].partition("#")[2])
    hashes = signed_bytes(unsecured, options, read_options(proof).suite, signer.key.algorithm, PACKAGED)
    proof_hash, document_hash = hashes[: len(hashes) // 2], hashes[len(hashes) // 2 :]
    assert proof_hash.hex() == case.get("proofHash", proof_hash.hex())
    assert document_hash.hex() == case["documentHash"]
    assert "z" + base58btc_encode(signer.sign(hashes)) == proof["proofValue"]
    check_proof(unsecured | {"proof": proof}, proof, signer.key, PACKAGED)


@every_published
def test_a_published_proof_holds_over_nothing_else(published: Any, case: Any) -> None:
    changed = case.get("document", published["unsigned"]) | {"name": "Another Credential", "proof": case["proof"]}
    key = VerificationKey.from_multikey(case["proof"]["verificationMethod"].partition("#")[2])
    with pytest.raises(ProofError) as raised:
        check_proof(changed, case["proof"], key, PACKAGED)
    assert raised.value.code == "signature-invalid"


@pytest.mark.parametrize(
    ("published", "case"),
    [
        (published, case)
        for published, case in PUBLISHED
        if SUITES[read_options(case["proof"]).suite.name].current
        and ("jcs" not in case["proof"]["cryptosuite"] or "@context" in case["proof"])
    ],
)
def test_the_published_proof_is_created_to_the_letter(published: Any, case: Any) -> None:
    proof = case["proof"]
    created = create_proof(
        published["unsigned"],
        signer_of(published, proof["verificationMethod"].partition("#")[2]),
        suite=proof["cryptosuite"],
        verification_method=proof["verificationMethod"],
        created=datetime(2023, 2, 24, 23, 36, 38, tzinfo=UTC),
        contexts=PACKAGED,
    )
    assert created == proof


def test_the_published_proof_chain_is_checked_and_created() -> None:
    chain = EDDSA["chain"]
    for proof in proofs_of(chain):
        signer = signer_of(EDDSA, proof["verificationMethod"].partition("#")[2])
        check_proof(chain, proof, signer.key, PACKAGED)
        created = create_proof(
            chain,
            signer,
            suite="eddsa-rdfc-2022",
            verification_method=proof["verificationMethod"],
            created=datetime.fromisoformat(proof["created"]),
            contexts=PACKAGED,
            previous_proof=proof.get("previousProof"),
            proof_id=proof.get("id"),
        )
        assert created == proof


@pytest.mark.parametrize("member", ["created", "expires"])
def test_a_time_without_zone_is_taken_for_utc(member: str) -> None:
    proof = {
        "type": "DataIntegrityProof",
        "cryptosuite": "eddsa-jcs-2022",
        "verificationMethod": "did:key:z6Mk#z6Mk",
        "proofPurpose": "assertionMethod",
        member: "2026-07-01T12:30:00",
    }
    assert getattr(read_options(proof), member) == datetime(2026, 7, 1, 12, 30, tzinfo=UTC)


def test_the_open_badges_vector_is_created_to_the_letter() -> None:
    # The page names the context by an address of its drafts, and one more that conflicts with today's credentials/v2.
    contexts = [OPEN_BADGES["document"]["@context"][0], "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"]
    unsecured = OPEN_BADGES["document"] | {"@context": contexts}
    signer = PrivateKeySigner(Ed25519PrivateKey.from_private_bytes(bytes.fromhex(OPEN_BADGES["privateKeyHex"])))
    assert signer.key.multikey == OPEN_BADGES["publicKeyMultibase"]
    options = OPEN_BADGES["proof"]
    assert canonicalize(unsecured, PACKAGED).decode() == OPEN_BADGES["canonicalDocument"]
    hashes = signed_bytes(unsecured, options, SUITES["eddsa-rdfc-2022"], "Ed25519", PACKAGED)
    assert hashes.hex() == OPEN_BADGES["proofHash"] + OPEN_BADGES["documentHash"]
    assert hashlib.sha256(OPEN_BADGES["canonicalProof"].encode()).hexdigest() == OPEN_BADGES["proofHash"]
    created = create_proof(
        unsecured,
        signer,
        suite="eddsa-rdfc-2022",
        verification_method=options["verificationMethod"],
        created=datetime.fromisoformat(options["created"]),
        contexts=PACKAGED,
    )
    assert created == options | {"proofValue": "z" + base58btc_encode(bytes.fromhex(OPEN_BADGES["signature"]))}


# --- Creating ---


@every_combination
def test_a_proof_holds_over_its_document_under_its_key_only(suite: str, algorithm: str) -> None:
    signer, signed = SIGNERS[algorithm], secured(suite, algorithm)
    check_proof(signed, signed["proof"], signer.key, PACKAGED)
    assert signed["proof"]["created"] == "2026-07-01T12:30:00Z"
    assert len(base58btc_decode(signed["proof"]["proofValue"][1:])) == SIGNATURE_BYTES[algorithm]
    for other in SIGNERS.values():
        if other is not signer:
            with pytest.raises(ProofError) as raised:
                check_proof(signed, signed["proof"], other.key, PACKAGED)
            same_kind = other.key.algorithm in SUITES[suite].algorithms
            assert (
                raised.value.code in {"proof-value-malformed", "signature-invalid"}
                if same_kind
                else {"proof-key-mismatch"}
            )


@every_combination
def test_creating_a_proof_leaves_the_document_as_it_was(suite: str, algorithm: str) -> None:
    unsecured = document()
    proof_over(unsecured, suite, SIGNERS[algorithm])
    assert unsecured == document()


def test_the_jcs_suites_alone_keep_the_context_in_the_proof() -> None:
    assert secured("eddsa-jcs-2022")["proof"]["@context"] == document()["@context"]
    assert "@context" not in secured("eddsa-rdfc-2022")["proof"]
    without = {"name": "no linked data at all"}
    proof = proof_over(without, "eddsa-jcs-2022", SIGNERS["Ed25519"])
    assert "@context" not in proof
    check_proof(without | {"proof": proof}, proof, SIGNERS["Ed25519"].key, PACKAGED)


@pytest.mark.parametrize("suite", ["eddsa-jcs-2022", "eddsa-rdfc-2022"])
def test_options_are_written_and_covered(suite: str) -> None:
    signer, unsecured = SIGNERS["Ed25519"], document()
    options = {"challenge": "c1", "domain": "https://verifier.example", "proof_id": "urn:uuid:p1"}
    proof = proof_over(unsecured, suite, signer, purpose="authentication", **options)
    read = read_options(proof)
    assert (read.purpose, read.challenge, read.domains) == ("authentication", "c1", ("https://verifier.example",))
    assert (read.created, read.expires, read.previous) == (CREATED.replace(microsecond=0), None, ())
    assert (read.suite.name, read.verification_method, proof["id"]) == (suite, method(signer), "urn:uuid:p1")
    check_proof(unsecured | {"proof": proof}, proof, signer.key, PACKAGED)
    for name in ("challenge", "domain", "id", "created", "proofPurpose", "verificationMethod"):
        changed = proof | {name: "2026-07-01T12:30:01Z" if name == "created" else "https://other.example/"}
        with pytest.raises(ProofError) as raised:
            check_proof(unsecured | {"proof": changed}, changed, signer.key, PACKAGED)
        assert raised.value.code == "signature-invalid"


@pytest.mark.parametrize("suite", ["eddsa-2022", "Ed25519Signature2020", "ecdsa-sd-2023", "", "rsa"])
def test_only_current_suites_create(suite: str) -> None:
    with pytest.raises(UnsupportedError) as raised:
        proof_over(document(), suite, SIGNERS["Ed25519"])
    assert raised.value.code == "suite-unsupported"


@pytest.mark.parametrize(
    ("suite", "algorithm"), [("eddsa-rdfc-2022", "P-256"), ("ecdsa-jcs-2019", "Ed25519"), ("ecdsa-rdfc-2019", "RSA")]
)
def test_a_suite_takes_its_own_keys_only(suite: str, algorithm: str) -> None:
    with pytest.raises(UnsupportedError) as raised:
        proof_over(document(), suite, SIGNERS[algorithm])
    assert raised.value.code == "key-unsupported"


def test_what_no_context_defines_is_not_signed() -> None:
    unknown = document() | {"@context": "https://unknown.example/v1"}
    undefined = document() | {"@context": "https://www.w3.org/ns/credentials/v2", "type": ["Undefined"]}
    for faulty in (unknown, undefined):
        with pytest.raises(ContextError):
            proof_over(faulty, "eddsa-rdfc-2022", SIGNERS["Ed25519"])
    with pytest.raises(MalformedError):
        proof_over(document(name=2**60), "eddsa-jcs-2022", SIGNERS["Ed25519"])


# --- Checking ---


def retired(suite: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return a document and a proof of a suite that is no longer created, made by hand from the table."""
    signer, unsecured = SIGNERS["Ed25519"], plain()
    options = {"type": SUITES[suite].proof_type, "created": "2023-02-24T23:36:38Z", "proofPurpose": "assertionMethod"}
    options["verificationMethod"] = method(signer)
    if suite == "eddsa-2022":
        options["cryptosuite"] = suite
    else:
        unsecured["@context"].append("https://w3id.org/security/suites/ed25519-2020/v1")
    signature = signer.sign(signed_bytes(unsecured, options, SUITES[suite], "Ed25519", PACKAGED))
    return unsecured, options | {"proofValue": "z" + base58btc_encode(signature)}


@pytest.mark.parametrize("suite", ["eddsa-2022", "Ed25519Signature2020"])
def test_retired_suites_are_checked(suite: str) -> None:
    unsecured, proof = retired(suite)
    check_proof(unsecured | {"proof": proof}, proof, SIGNERS["Ed25519"].key, PACKAGED)
    with pytest.raises(ProofError) as raised:
        check_proof(unsecured | {"name": "x", "proof": proof}, proof, SIGNERS["Ed25519"].key, PACKAGED)
    assert raised.value.code == "signature-invalid"


FAULTY_PROOFS = [
    ({"type": None}, ProofError, "proof-malformed"),
    ({"type": ["DataIntegrityProof"]}, ProofError, "proof-malformed"),
    ({"type": "Ed25519Signature2018"}, UnsupportedError, "suite-unsupported"),
    ({"type": "eddsa-jcs-2022"}, UnsupportedError, "suite-unsupported"),
    ({"cryptosuite": None}, ProofError, "proof-malformed"),
    ({"cryptosuite": 7}, ProofError, "proof-malformed"),
    ({"cryptosuite": "ecdsa-sd-2023"}, UnsupportedError, "suite-unsupported"),
    ({"cryptosuite": "Ed25519Signature2020"}, UnsupportedError, "suite-unsupported"),
    ({"cryptosuite": "ecdsa-jcs-2019"}, ProofError, "proof-key-mismatch"),
    ({"cryptosuite": "eddsa-rdfc-2022"}, ProofError, "signature-invalid"),
    ({"created": "2026-07-01T12:30"}, ProofError, "proof-malformed"),
    ({"created": None}, ProofError, "proof-malformed"),
    ({"expires": None}, ProofError, "proof-malformed"),
    ({"expires": "tomorrow"}, ProofError, "proof-malformed"),
    ({"verificationMethod": {"id": "x"}}, ProofError, "proof-malformed"),
    ({"verificationMethod": ""}, ProofError, "proof-malformed"),
    ({"proofPurpose": ["assertionMethod"]}, ProofError, "proof-malformed"),
    ({"id": 7}, ProofError, "proof-malformed"),
    ({"challenge": []}, ProofError, "proof-malformed"),
    ({"domain": []}, ProofError, "proof-malformed"),
    ({"domain": ["a", 7]}, ProofError, "proof-malformed"),
    ({"domain": ["a"] * (MAX_PROOFS + 1)}, ProofError, "proof-malformed"),
    ({"previousProof": {}}, ProofError, "proof-malformed"),
    ({"previousProof": "urn:uuid:none"}, ProofError, "previous-proof-missing"),
    ({"proofValue": None}, ProofError, "proof-malformed"),
    ({"proofValue": "u" + "A" * 86}, ProofError, "proof-value-malformed"),
    ({"proofValue": "z0"}, ProofError, "proof-value-malformed"),
    ({"proofValue": "z" + "2" * 300}, ProofError, "proof-value-malformed"),
    ({"proofValue": "z" + base58btc_encode(bytes(63))}, ProofError, "proof-value-malformed"),
    ({"proofValue": "z" + base58btc_encode(bytes(65))}, ProofError, "proof-value-malformed"),
    ({"proofValue": "z" + base58btc_encode(bytes(64))}, ProofError, "signature-invalid"),
    ({"nonce": "added"}, ProofError, "signature-invalid"),
]


@pytest.mark.parametrize(("changes", "kind", "code"), FAULTY_PROOFS)
def test_a_faulty_proof_is_named(changes: dict[str, Any], kind: type[CredentialError], code: str) -> None:
    signed = secured()
    signed["proof"] |= changes
    with pytest.raises(kind) as raised:
        check_proof(signed, signed["proof"], SIGNERS["Ed25519"].key, PACKAGED)
    assert raised.value.code == code


def test_the_context_of_a_jcs_proof_begins_the_documents() -> None:
    signed, key = secured(), SIGNERS["Ed25519"].key
    signed["@context"] = [*signed["@context"], "https://www.w3.org/ns/credentials/undefined-terms/v2"]
    check_proof(signed, signed["proof"], key, PACKAGED)
    others: list[Any] = [[], signed["@context"][:1], signed["@context"][::-1], signed["@context"][0]]
    for contexts in others:
        with pytest.raises(ProofError) as raised:
            check_proof(signed | {"@context": contexts}, signed["proof"], key, PACKAGED)
        assert raised.value.code == "proof-context-mismatch"
    single = document() | {"@context": "https://www.w3.org/ns/credentials/v2", "type": "VerifiableCredential"}
    single["proof"] = proof_over(single, "eddsa-jcs-2022", SIGNERS["Ed25519"])
    single["@context"] = ["https://www.w3.org/ns/credentials/v2", "https://www.w3.org/ns/credentials/examples/v2"]
    check_proof(single, single["proof"], key, PACKAGED)


def test_the_context_of_an_rdfc_proof_if_there_is_the_documents() -> None:
    signed, key = secured("eddsa-rdfc-2022"), SIGNERS["Ed25519"].key
    same = signed["proof"] | {"@context": signed["@context"]}
    check_proof(signed | {"proof": same}, same, key, PACKAGED)
    other = signed["proof"] | {"@context": "https://www.w3.org/ns/credentials/v2"}
    with pytest.raises(ProofError) as raised:
        check_proof(signed | {"proof": other}, other, key, PACKAGED)
    assert raised.value.code == "proof-context-mismatch"


@pytest.mark.parametrize("suite", ["eddsa-rdfc-2022", "eddsa-2022", "Ed25519Signature2020"])
def test_a_term_of_the_proof_that_no_context_defines_is_named(suite: str) -> None:
    if suite == "eddsa-rdfc-2022":
        unsecured = plain()
        proof = proof_over(unsecured, suite, SIGNERS["Ed25519"])
    else:
        unsecured, proof = retired(suite)
    check_proof(unsecured, proof, SIGNERS["Ed25519"].key, PACKAGED)
    with pytest.raises(ContextError) as raised:
        check_proof(unsecured, proof | {"undefinedTerm": "x"}, SIGNERS["Ed25519"].key, PACKAGED)
    assert raised.value.code == "undefined-term"


# --- Sets and chains ---


def test_proofs_are_one_object_or_an_array() -> None:
    one, two = {"id": "urn:1"}, {"id": "urn:2"}
    assert proofs_of({"proof": one}) == [one]
    assert proofs_of({"proof": [one, two, {}, {}]}) == [one, two, {}, {}]


@pytest.mark.parametrize(
    ("proof", "code"),
    [
        (None, "proof-missing"),
        ([], "proof-missing"),
        ("z58D", "proof-malformed"),
        ([{}, None], "proof-malformed"),
        ([{}, []], "proof-malformed"),
        ([{}] * (MAX_PROOFS + 1), "proof-too-many"),
        ([{"id": "urn:1"}, {"id": "urn:1"}], "proof-id-repeated"),
    ],
)
def test_faulty_sets_of_proofs_are_named(proof: Any, code: str) -> None:
    with pytest.raises(ProofError) as raised:
        proofs_of({"proof": proof})
    assert raised.value.code == code
    with pytest.raises(ProofError):
        previous_proofs({"proof": proof}, {"previousProof": "urn:1"})


def test_a_document_without_proof_has_none() -> None:
    with pytest.raises(ProofError) as raised:
        proofs_of({})
    assert raised.value.code == "proof-missing"


@pytest.mark.parametrize(("suite", "algorithm"), [("eddsa-rdfc-2022", "Ed25519"), ("ecdsa-jcs-2019", "P-256")])
def test_a_later_proof_covers_the_earlier_ones_that_it_names(suite: str, algorithm: str) -> None:
    signer, chain = SIGNERS[algorithm], document()
    chain["proof"] = [proof_over(chain, suite, signer, proof_id=f"urn:uuid:p{number}") for number in (1, 2, 3)]
    names = ["urn:uuid:p2", "urn:uuid:p1"]
    last = proof_over(chain, suite, signer, previous_proof=names)
    chain["proof"].append(last)
    assert previous_proofs(chain, last) == chain["proof"][:2]
    for proof in proofs_of(chain):
        check_proof(chain, proof, signer.key, PACKAGED)
    check_proof(chain | {"proof": [*chain["proof"][:2], last]}, last, signer.key, PACKAGED)
    tampered = copy.deepcopy(chain)
    tampered["proof"][0]["created"] = "2026-07-01T12:30:01Z"
    with pytest.raises(ProofError) as raised:
        check_proof(tampered, last, signer.key, PACKAGED)
    assert raised.value.code == "signature-invalid"
    with pytest.raises(ProofError) as raised:
        check_proof(chain | {"proof": [*chain["proof"][1:]]}, last, signer.key, PACKAGED)
    assert raised.value.code == "previous-proof-missing"


def test_a_proof_over_an_earlier_one_that_is_not_there_is_not_made() -> None:
    with pytest.raises(ProofError) as raised:
        proof_over(secured(), "eddsa-jcs-2022", SIGNERS["Ed25519"], previous_proof="urn:uuid:none")
    assert raised.value.code == "previous-proof-missing"


# --- Other people's software ---

OPENVC: dict[str, Any] = {
    "eddsa-rdfc-2022": DataIntegrityProofSuite,
    "ecdsa-rdfc-2019": EcdsaRdfcProofSuite,
    "eddsa-jcs-2022": EddsaJcsProofSuite,
    "ecdsa-jcs-2019": EcdsaJcsProofSuite,
}


class OpenvcSigner:
    """Ours, as openvc's suites want it."""

    def __init__(self, signer: Signer) -> None:
        self.alg, self.kid, self.sign = JOSE_ALGORITHMS[signer.key.algorithm][0], method(signer), signer.sign


@every_combination
def test_openvc_accepts_ours(suite: str, algorithm: str) -> None:
    signer, signed = SIGNERS[algorithm], plain()
    signed["proof"] = proof_over(signed, suite, signer)
    OPENVC[suite]().verify(signed, public_key_jwk=signer.key.jwk, check_temporal=False, now=CREATED)


@every_combination
def test_ours_accepts_openvcs(suite: str, algorithm: str) -> None:
    signer = SIGNERS[algorithm]
    signed = OPENVC[suite]().add_proof(
        plain(), signing_key=OpenvcSigner(signer), verification_method=method(signer), created=CREATED
    )
    if "jcs" in suite:  # openvc hashes the context with the options, but leaves it out of the proof
        signed["proof"]["@context"] = signed["@context"]
    check_proof(signed, signed["proof"], signer.key, PACKAGED)
    if algorithm == "Ed25519":
        assert signed["proof"] == proof_over(plain(), suite, signer)


# --- Properties ---

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
SIGNED: dict[tuple[str, str], dict[str, Any]] = {
    (suite, algorithm): secured(suite, algorithm) for suite, algorithm in COMBINATIONS
}


@every_combination
@given(data=st.data())
def test_any_flipped_bit_of_the_signature_breaks_it(suite: str, algorithm: str, data: st.DataObject) -> None:
    signed = SIGNED[suite, algorithm]
    signature = bytearray(base58btc_decode(signed["proof"]["proofValue"][1:]))
    bit = data.draw(st.integers(0, len(signature) * 8 - 1))
    signature[bit // 8] ^= 1 << bit % 8
    proof = signed["proof"] | {"proofValue": "z" + base58btc_encode(bytes(signature))}
    with pytest.raises(ProofError):
        check_proof(signed | {"proof": proof}, proof, SIGNERS[algorithm].key, PACKAGED)


@given(name=st.text(min_size=1), suite=st.sampled_from(["eddsa-rdfc-2022", "eddsa-jcs-2022"]))
def test_any_text_is_signed_and_checked_as_it_stands(name: str, suite: str) -> None:
    unsecured, signer = document(name=name), SIGNERS["Ed25519"]
    proof = proof_over(unsecured, suite, signer)
    check_proof(unsecured | {"proof": proof}, proof, signer.key, PACKAGED)
    with pytest.raises(ProofError):
        check_proof(document(name=name + " "), proof, signer.key, PACKAGED)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    for key in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        yield from places(value[key], (*path, key))


@every_combination
@given(data=st.data())
def test_whatever_stands_in_document_or_proof_it_is_checked_or_refused(
    suite: str, algorithm: str, data: st.DataObject
) -> None:
    signed = copy.deepcopy(SIGNED[suite, algorithm])
    *path, last = data.draw(st.sampled_from([place for place in places(signed) if place]))
    holder: Any = signed
    for step in path:
        holder = holder[step]
    holder[last] = data.draw(json_values)
    with contextlib.suppress(CredentialError):
        for proof in proofs_of(signed):
            check_proof(signed, proof, SIGNERS[algorithm].key, PACKAGED)
