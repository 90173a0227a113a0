import copy
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from openbadgeslib.ob3 import OB3LdpVerifier, OB3Verifier

from credentials import Fetched, UnavailableError, verify
from credentials.errors import ContextError, CredentialError, MalformedError, ProofError, UnsupportedError
from credentials.graph.documents import PACKAGED
from credentials.proofs.claims import claim_findings, credential_of
from credentials.proofs.data_integrity import MAX_PROOFS, check_proof, proofs_of
from credentials.proofs.jose import check_jwt, decode_jwt, header_findings
from credentials.proofs.keys import PrivateKeySigner
from credentials.sign import sign, sign_jwt

PRIVATE_ED25519 = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PRIVATE_P256 = ec.derive_private_key(2**200 + 7, ec.SECP256R1())
ED25519 = PrivateKeySigner(PRIVATE_ED25519)
P256 = PrivateKeySigner(PRIVATE_P256)
P384 = PrivateKeySigner(ec.derive_private_key(2**300 + 7, ec.SECP384R1()))
RSA = PrivateKeySigner(rsa.generate_private_key(public_exponent=65537, key_size=2048))
DID = f"did:key:{ED25519.key.multikey}"
METHOD = f"{DID}#{ED25519.key.multikey}"
CREATED = datetime(2026, 7, 1, 12, 30, 0, 999_999, tzinfo=UTC)


def badge(**changes: Any) -> dict[str, Any]:
    """Return an unsigned badge; a change to None takes the member away."""
    members: dict[str, Any] = {
        "@context": [
            "https://www.w3.org/ns/credentials/v2",
            "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json",
        ],
        "id": "urn:uuid:3f9f6b4e-0e6b-4a52-9d6c-1c9a6f6b8d11",
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "name": "Reader",
        "issuer": {"id": DID, "type": ["Profile"], "name": "Łódź Reading Circle", "url": "https://issuer.example"},
        "validFrom": "2026-07-01T00:00:00Z",
        "validUntil": "2126-07-01T00:00:00Z",
        "awardedDate": "2026-06-30T00:00:00Z",
        "credentialSubject": {
            "id": "did:example:reader",
            "type": ["AchievementSubject"],
            "achievement": {
                "id": "https://issuer.example/achievements/reader",
                "type": ["Achievement"],
                "name": "Reader 📚",
                "description": "Has read with others.",
                "criteria": {"narrative": "Read a book, and talk about it."},
            },
        },
        "evidence": [{"id": "https://issuer.example/evidence/1", "type": ["Evidence"], "narrative": "A talk."}],
    } | changes
    return {name: value for name, value in members.items() if value is not None}


def older() -> dict[str, Any]:
    """Return an unsigned badge of VC Data Model 1.1."""
    contexts = [
        "https://www.w3.org/2018/credentials/v1",
        "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json",
        "https://w3id.org/security/data-integrity/v1",
    ]
    dates = {"validFrom": None, "validUntil": None, "issuanceDate": "2026-07-01T00:00:00Z"}
    return badge(**({"@context": contexts} | dates))


@pytest.mark.parametrize(
    ("suite", "signer"),
    [
        ("eddsa-rdfc-2022", ED25519),
        ("ecdsa-rdfc-2019", P256),
        ("ecdsa-rdfc-2019", P384),
        ("eddsa-jcs-2022", ED25519),
        ("ecdsa-jcs-2019", P256),
    ],
)
def test_a_signed_badge_is_the_badge_with_an_array_of_one_proof(suite: str, signer: PrivateKeySigner) -> None:
    signed = sign(badge(), signer, verification_method=METHOD, created=CREATED, suite=suite)
    (proof,) = proofs_of(signed)
    assert signed == badge() | {"proof": [proof]}
    assert (proof["created"], proof["verificationMethod"]) == ("2026-07-01T12:30:00Z", METHOD)
    assert (proof["cryptosuite"], proof["proofPurpose"]) == (suite, "assertionMethod")
    check_proof(json.loads(json.dumps(signed)), proof, signer.key, PACKAGED)


def test_signing_leaves_the_badge_as_it_was() -> None:
    unsigned = badge()
    before = copy.deepcopy(unsigned)
    sign(unsigned, ED25519, verification_method=METHOD, created=CREATED)
    sign_jwt(unsigned, P256, kid="https://issuer.example/keys/1")
    assert unsigned == before


def test_the_same_badge_is_signed_the_same_again() -> None:
    one, two = (sign(badge(), ED25519, verification_method=METHOD, created=CREATED) for _ in range(2))
    assert one == two


def test_a_badge_of_the_older_data_model_is_signed() -> None:
    signed = sign(older(), ED25519, verification_method=METHOD, created=CREATED)
    check_proof(signed, signed["proof"][0], ED25519.key, PACKAGED)


def test_openbadgeslib_verifies_ours() -> None:
    """It knows the edition of the context that ours signs with, and takes a single proof object only."""
    signed = sign(badge(), ED25519, verification_method=METHOD, created=CREATED)
    read = OB3LdpVerifier.for_issuer_did(DID).verify(json.dumps(signed | {"proof": signed["proof"][0]}))
    assert read.issuer.id == DID
    public = PRIVATE_P256.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    token = sign_jwt(badge(), P256, kid="https://issuer.example/keys/1")
    assert OB3Verifier(public).verify(token).id == badge()["id"]


@pytest.mark.parametrize("signer", [ED25519, P256, P384, RSA])
def test_a_jwt_is_the_badge_and_its_claims(signer: PrivateKeySigner) -> None:
    decoded = decode_jwt(sign_jwt(badge(), signer, kid="https://issuer.example/keys/1"))
    check_jwt(decoded, signer.key)
    assert credential_of(decoded) == badge()
    assert header_findings(decoded) == claim_findings(decoded, badge()) == []
    assert decoded.payload.keys() - badge().keys() == {"iss", "jti", "sub", "nbf", "exp"}


def test_a_jwt_may_hold_a_badge_that_has_a_proof() -> None:
    signed = sign(badge(), ED25519, verification_method=METHOD, created=CREATED)
    assert credential_of(decode_jwt(sign_jwt(signed, P256, kid="https://issuer.example/keys/1"))) == signed


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"credentialSubject": None}, "/credentialSubject"),
        ({"validFrom": "2026-07-01"}, "/validFrom"),
        ({"issuer": None}, "/issuer"),
        ({"type": ["OpenBadgeCredential"]}, "/type"),
    ],
)
def test_what_the_form_check_finds_is_not_signed(changes: dict[str, Any], pointer: str) -> None:
    with pytest.raises(MalformedError) as raised:
        sign(badge(**changes), ED25519, verification_method=METHOD, created=CREATED)
    with pytest.raises(MalformedError) as raised_by_jwt:
        sign_jwt(badge(**changes), P256, kid="https://issuer.example/keys/1")
    assert raised.value.pointer == raised_by_jwt.value.pointer == pointer
    assert raised.value.code == raised_by_jwt.value.code


@pytest.mark.parametrize("suite", ["eddsa-rdfc-2022", "eddsa-jcs-2022"])
def test_what_no_context_defines_is_not_signed(suite: str) -> None:
    undefined = badge(undefinedMember="x")
    with pytest.raises(ContextError) as raised:
        sign(undefined, ED25519, verification_method=METHOD, created=CREATED, suite=suite)
    with pytest.raises(ContextError) as raised_by_jwt:
        sign_jwt(undefined, P256, kid="https://issuer.example/keys/1")
    assert raised.value.code == raised_by_jwt.value.code == "undefined-term"


def test_a_badge_that_has_a_proof_is_not_signed_over() -> None:
    signed = sign(badge(), ED25519, verification_method=METHOD, created=CREATED)
    with pytest.raises(MalformedError) as raised:
        sign(signed, ED25519, verification_method=METHOD, created=CREATED)
    assert (raised.value.code, raised.value.pointer) == ("proof-present", "/proof")


@pytest.mark.parametrize(
    ("suite", "signer", "code"),
    [
        ("eddsa-2022", ED25519, "suite-unsupported"),
        ("bbs-2023", ED25519, "suite-unsupported"),
        ("eddsa-rdfc-2022", P256, "key-unsupported"),
        ("ecdsa-jcs-2019", RSA, "key-unsupported"),
    ],
)
def test_a_suite_that_does_not_fit_is_refused(suite: str, signer: PrivateKeySigner, code: str) -> None:
    with pytest.raises(UnsupportedError) as raised:
        sign(badge(), signer, verification_method=METHOD, created=CREATED, suite=suite)
    assert raised.value.code == code


@pytest.mark.parametrize("member", ["validFrom", "validUntil"])
def test_a_jwt_has_no_room_for_parts_of_a_second(member: str) -> None:
    with pytest.raises(MalformedError) as raised:
        sign_jwt(badge(**{member: "2026-07-01T00:00:00.5Z"}), P256, kid="https://issuer.example/keys/1")
    assert (raised.value.code, raised.value.pointer) == ("date-not-whole-seconds", f"/{member}")


def test_a_jwt_is_of_the_newer_data_model_only() -> None:
    with pytest.raises(UnsupportedError) as raised:
        sign_jwt(older(), P256, kid="https://issuer.example/keys/1")
    assert raised.value.code == "jwt-version-unsupported"


# --- Several proofs, and other forms ---


def kept(proof: dict[str, Any]) -> dict[str, Any]:
    """Return what of a proof does not depend on the instant."""
    return {name: value for name, value in proof.items() if name in {"cryptosuite", "id", "previousProof"}}


def own_method(signer: PrivateKeySigner) -> str:
    return f"did:key:{signer.key.multikey}#{signer.key.multikey}"


def test_a_further_proof_leaves_the_others_as_they_are() -> None:
    first = sign(badge(), ED25519, verification_method=METHOD, created=CREATED)
    both = sign(
        first, P256, verification_method=own_method(P256), created=CREATED, suite="ecdsa-jcs-2019", further=True
    )
    assert both["proof"][0] == first["proof"][0]
    assert [kept(proof) for proof in both["proof"]] == [
        {"cryptosuite": "eddsa-rdfc-2022"},
        {"cryptosuite": "ecdsa-jcs-2019"},
    ]
    for proof, key in zip(both["proof"], (ED25519, P256), strict=True):
        check_proof(both, proof, key.key, PACKAGED)
    single = {**first, "proof": first["proof"][0]}
    again = sign(
        single, P256, verification_method=own_method(P256), created=CREATED, suite="ecdsa-jcs-2019", further=True
    )
    assert again == both


def test_a_proof_may_be_made_after_another() -> None:
    first = sign(badge(), ED25519, verification_method=METHOD, created=CREATED, proof_id="urn:uuid:proof-1")
    chained = sign(
        first,
        P256,
        verification_method=own_method(P256),
        created=CREATED,
        suite="ecdsa-rdfc-2019",
        further=True,
        previous_proof="urn:uuid:proof-1",
        proof_id="urn:uuid:proof-2",
    )
    assert [kept(proof) for proof in chained["proof"]] == [
        {"id": "urn:uuid:proof-1", "cryptosuite": "eddsa-rdfc-2022"},
        {"id": "urn:uuid:proof-2", "cryptosuite": "ecdsa-rdfc-2019", "previousProof": "urn:uuid:proof-1"},
    ]
    check_proof(chained, chained["proof"][1], P256.key, PACKAGED)
    changed = copy.deepcopy(chained)
    changed["proof"][0]["created"] = "2026-07-02T00:00:00Z"
    with pytest.raises(ProofError):
        check_proof(changed, changed["proof"][1], P256.key, PACKAGED)


@pytest.mark.parametrize(
    ("proofs", "options", "code"),
    [
        (7, {}, "member-type"),
        ([], {}, "array-empty"),
        ([{"type": "Unknown", "id": "urn:x:1"}], {"proof_id": "urn:x:1"}, "proof-id-repeated"),
        ([{"type": "Unknown"}] * MAX_PROOFS, {}, "proof-too-many"),
        ([{"type": "Unknown"}], {"previous_proof": "urn:x:1"}, "previous-proof-missing"),
    ],
)
def test_proofs_that_cannot_stay_are_refused(proofs: Any, options: dict[str, Any], code: str) -> None:
    with pytest.raises(CredentialError) as raised:
        sign(badge(proof=proofs), ED25519, verification_method=METHOD, created=CREATED, further=True, **options)
    assert raised.value.code == code


def test_a_credential_of_the_older_data_model_is_signed() -> None:
    credential: dict[str, Any] = {
        "@context": ["https://www.w3.org/2018/credentials/v1"],
        "type": ["VerifiableCredential"],
        "issuer": DID,
        "issuanceDate": "2026-07-01T00:00:00Z",
        "credentialSubject": {"id": "did:example:reader"},
    }
    with pytest.raises(ContextError) as raised:  # its own context does not know the words of a proof
        sign(credential, ED25519, verification_method=METHOD, created=CREATED)
    assert raised.value.code == "undefined-term"
    credential["@context"] = [*credential["@context"], "https://w3id.org/security/data-integrity/v2"]
    signed = sign(credential, ED25519, verification_method=METHOD, created=CREATED)
    check_proof(signed, signed["proof"][0], ED25519.key, PACKAGED)


@pytest.mark.parametrize(
    ("signer", "algorithm"), [(ED25519, "EdDSA"), (P256, "ES256"), (P384, "ES384"), (RSA, "RS256")]
)
def test_a_credential_is_enveloped_as_vc_jose_cose_has_it(signer: PrivateKeySigner, algorithm: str) -> None:
    credential = badge(validFrom="2026-07-01T00:00:00.250Z")
    decoded = decode_jwt(sign_jwt(credential, signer, kid="did:example:1#key", form="vc-jose-cose"))
    assert decoded.header == {"alg": algorithm, "kid": "did:example:1#key", "typ": "vc+jwt"}
    assert decoded.payload == credential
    assert header_findings(decoded) == claim_findings(decoded, credential_of(decoded)) == []
    check_jwt(decoded, signer.key)


def test_what_no_context_defines_is_not_enveloped_either() -> None:
    with pytest.raises(ContextError):
        sign_jwt(badge(colour="red"), P256, kid="did:example:1#key", form="vc-jose-cose")


@pytest.mark.parametrize("signer", [ED25519, P256, P384])
def test_what_is_enveloped_is_verified(signer: PrivateKeySigner) -> None:
    did = f"did:key:{signer.key.multikey}"
    credential = badge(issuer={"id": did, "type": ["Profile"], "name": "Łódź Reading Circle"})

    def nothing(address: str) -> Fetched:
        raise UnavailableError("address-unavailable", f"expected no address to be asked, got {address}")

    token = sign_jwt(credential, signer, kid=f"{did}#{signer.key.multikey}", form="vc-jose-cose")
    assert verify(token, now=CREATED, load=nothing).verdict == "verified"
