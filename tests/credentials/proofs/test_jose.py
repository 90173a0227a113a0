import contextlib
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jws
from joserfc.jwk import import_key
from openbadgeslib.ob3 import OB3Signer, OB3Verifier
from openvc.keys import P256SigningKey
from openvc.proof.vc_jwt import VcJwtProofSuite

from credentials.errors import CredentialError, MalformedError, ProofError, UnsupportedError
from credentials.proofs.claims import claim_findings, claims_of, credential_of, presentation_of
from credentials.proofs.encodings import base64url_decode, base64url_encode
from credentials.proofs.jose import Jwt, check_jwt, decode_jwt, encode_jwt, header_findings, open_envelope
from credentials.proofs.keys import PrivateKey, PrivateKeySigner, Signer
from credentials.strict_json import canonical_json

PRIVATE_KEYS: dict[str, PrivateKey] = {
    "EdDSA": Ed25519PrivateKey.from_private_bytes(bytes(range(32))),
    "ES256": ec.derive_private_key(2**200 + 7, ec.SECP256R1()),
    "ES384": ec.derive_private_key(2**300 + 7, ec.SECP384R1()),
    "RS256": rsa.generate_private_key(public_exponent=65537, key_size=2048),
}
SIGNERS: dict[str, Signer] = {name: PrivateKeySigner(key) for name, key in PRIVATE_KEYS.items()}
every_algorithm = pytest.mark.parametrize("alg", list(SIGNERS))
ES256 = SIGNERS["ES256"]
KID = "https://issuer.example/keys/1"
ISSUER = "did:web:issuer.example"
V1 = "https://www.w3.org/2018/credentials/v1"
V2 = "https://www.w3.org/ns/credentials/v2"


def credential(**changes: Any) -> dict[str, Any]:
    members = {
        "@context": [V2, "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"],
        "id": "urn:uuid:3f9f6b4e-0e6b-4a52-9d6c-1c9a6f6b8d11",
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "issuer": {"id": ISSUER, "type": ["Profile"], "name": "Łódź Reading Circle"},
        "name": "Reader",
        "validFrom": "2026-07-01T00:00:00Z",
        "validUntil": "2126-07-01T00:00:00Z",
        "credentialSubject": {
            "id": "did:example:reader",
            "type": ["AchievementSubject"],
            "achievement": {
                "id": "https://issuer.example/achievements/reader",
                "type": ["Achievement"],
                "name": "Reader",
                "description": "Has read.",
                "criteria": {"narrative": "Read a book."},
            },
        },
    } | changes
    return {name: value for name, value in members.items() if value is not None}


def older(**changes: Any) -> dict[str, Any]:
    """Return a credential of VC Data Model 1.1."""
    dates = {"validFrom": None, "validUntil": None, "issuanceDate": "2026-07-01T00:00:00Z"}
    return credential(**({"@context": [V1]} | dates | changes))


def jwt(payload: dict[str, Any], **header: Any) -> Jwt:
    """Return an unsigned JWT of this payload and header; a header of None is left out."""
    members = {"alg": "ES256", "kid": KID} | header
    return Jwt({name: value for name, value in members.items() if value is not None}, payload, b"", b"")


def badge(**changes: Any) -> dict[str, Any]:
    """Return the payload of a badge: the credential and its claims; a change to None takes the member away."""
    payload = credential() | claims_of(credential()) | changes
    return {name: value for name, value in payload.items() if value is not None}


def token_of(header: Any, payload: Any, signature: bytes = b"") -> str:
    parts = (part if isinstance(part, bytes) else json.dumps(part).encode() for part in (header, payload))
    return ".".join(base64url_encode(part) for part in (*parts, signature))


def codes(findings: list[Any]) -> list[tuple[str, str]]:
    return [(finding.code, finding.pointer) for finding in findings]


# --- The token ---


@every_algorithm
def test_a_jwt_holds_under_its_key_only(alg: str) -> None:
    token = encode_jwt(credential(), SIGNERS[alg], kid=KID, typ="JWT")
    decoded = decode_jwt(token)
    assert decoded.header == {"alg": alg, "kid": KID, "typ": "JWT"}
    assert decoded.payload == credential()
    for name, signer in SIGNERS.items():
        if name == alg:
            check_jwt(decoded, signer.key)
        else:
            with pytest.raises(ProofError) as raised:
                check_jwt(decoded, signer.key)
            assert raised.value.code == "jwt-algorithm-mismatch"


def test_a_jwt_may_carry_its_key() -> None:
    decoded = decode_jwt(encode_jwt(credential(), ES256, embed_key=True))
    assert decoded.header == {"alg": "ES256", "jwk": ES256.key.jwk}
    assert decoded.embedded_key == ES256.key
    assert decoded.key_id is None
    check_jwt(decoded, ES256.key)


def test_the_same_payload_gives_the_same_jwt() -> None:
    assert encode_jwt(credential(), ES256, kid=KID) == encode_jwt(credential(), ES256, kid=KID)


@given(
    st.dictionaries(
        st.text(),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()) | st.binary(),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text() | st.integers(), inner, max_size=3),
            max_leaves=6,
        ),
        max_size=4,
    )
)
def test_a_payload_is_signed_exactly_as_it_is_or_not_at_all(payload: Any) -> None:
    try:
        canonical = canonical_json(payload)
    except MalformedError:
        with pytest.raises(MalformedError):
            encode_jwt(payload, ES256, kid=KID)
    else:
        written = base64url_decode(encode_jwt(payload, ES256, kid=KID).split(".")[1])
        assert canonical_json(json.loads(written)) == canonical


def test_what_is_not_json_is_not_signed() -> None:
    for value in (2**60, float("nan"), "\ud800", b"x", {1: "x"}):
        with pytest.raises(MalformedError) as raised:
            encode_jwt({"name": value}, ES256, kid=KID)
        assert raised.value.code == "json-not-canonical"


@pytest.mark.parametrize("alg", ["none", "HS256", "RS256", "ES384", "EdDSA", "es256", "", None, 7, ["ES256"]])
def test_the_header_never_chooses_the_algorithm(alg: Any) -> None:
    """Attack: a header that makes the checker use another algorithm, or none, with the same key."""
    token = token_of({"alg": alg, "kid": KID}, credential())
    signature = ES256.sign(token.rpartition(".")[0].encode())
    with pytest.raises(ProofError) as raised:
        check_jwt(decode_jwt(token + base64url_encode(signature)), ES256.key)
    assert raised.value.code == "jwt-algorithm-mismatch"


def test_the_newer_name_of_eddsa_is_understood() -> None:
    signer = SIGNERS["EdDSA"]
    token = token_of({"alg": "Ed25519"}, {})
    check_jwt(decode_jwt(token + base64url_encode(signer.sign(token.rpartition(".")[0].encode()))), signer.key)


def test_a_header_that_demands_extensions_is_refused() -> None:
    token = token_of({"alg": "ES256", "crit": ["b64"], "b64": False}, {})
    with pytest.raises(ProofError) as raised:
        check_jwt(decode_jwt(token + base64url_encode(ES256.sign(token.rpartition(".")[0].encode()))), ES256.key)
    assert raised.value.code == "jwt-critical"


def test_a_forged_signature_is_named() -> None:
    token = encode_jwt(credential(), ES256, kid=KID)
    other = encode_jwt(credential(name="Other"), ES256, kid=KID)
    with pytest.raises(ProofError) as raised:
        check_jwt(decode_jwt(other.rpartition(".")[0] + "." + token.rpartition(".")[2]), ES256.key)
    assert raised.value.code == "signature-invalid"


@pytest.mark.parametrize(
    ("token", "code"),
    [
        ("", "jwt-malformed"),
        ("a.b", "jwt-malformed"),
        ("e30.e30.AA.AA", "jwt-malformed"),
        ("e30=.e30.AA", "jwt-malformed"),
        ("e30.e31.AA", "jwt-malformed"),
        ("e30.e30.A", "jwt-malformed"),
        ("e30 .e30.AA", "jwt-malformed"),
        ("é30.e30.AA", "jwt-malformed"),
        (token_of([], {}), "jwt-malformed"),
        (token_of({}, []), "jwt-malformed"),
        (token_of({}, "text"), "jwt-malformed"),
        (token_of(b"{", {}), "json-syntax"),
        (token_of({}, b"NaN"), "json-number"),
        (token_of({}, b'{"iss":1,"iss":2}'), "json-duplicate-key"),
        (token_of(b'{"alg":"ES256","alg":"none"}', {}), "json-duplicate-key"),
        (token_of({}, b"\xff"), "json-not-utf8"),
        (token_of({}, b'{"a":' * 100 + b"1" + b"}" * 100), "json-too-deep"),
        (token_of({"kid": "k" * 20_000}, {}), "json-too-large"),
        ("A" * 6_000_000, "jwt-malformed"),
    ],
)
def test_a_faulty_token_is_named(token: str, code: str) -> None:
    with pytest.raises(MalformedError) as raised:
        decode_jwt(token)
    assert raised.value.code == code


# --- Headers ---


def test_the_headers_of_a_badge_are_few() -> None:
    assert header_findings(decode_jwt(encode_jwt(badge(), ES256, kid=KID, typ="JWT", embed_key=True))) == []
    assert codes(header_findings(jwt(badge(), cty="x", x5c=[]))) == [
        ("jwt-header-member", "/cty"),
        ("jwt-header-member", "/x5c"),
    ]
    assert codes(header_findings(jwt(badge(), kid=None))) == [("jwt-key-missing", "")]
    assert codes(header_findings(jwt(badge(), kid=["k"]))) == [("jwt-header-malformed", "/kid")]


def test_vc_jose_cose_ignores_other_headers() -> None:
    assert header_findings(jwt(badge(), typ="vc+jwt", cty="vc", x5c=[], kid=None)) == []
    assert codes(header_findings(jwt(badge(), typ="vc+jwt", kid=7))) == [("jwt-header-malformed", "/kid")]


@pytest.mark.parametrize(
    ("typ", "form"),
    [
        ("JWT", "open-badges"),
        ("jwt", "open-badges"),
        ("application/jwt", "open-badges"),
        ("vc+jwt", "vc-jose-cose"),
        ("VC+JWT", "vc-jose-cose"),
        ("application/vc+jwt", "vc-jose-cose"),
        ("vc+ld+jwt", "vc-jose-cose"),
        ("vc-ld+jwt", "vc-jose-cose"),
        ("vp+jwt", "vc-jose-cose"),
        ("vc+sd-jwt", "other"),
        ("at+jwt", "other"),
        ("", "other"),
        (7, "other"),
        ([], "other"),
    ],
)
def test_the_type_says_whose_rules_apply(typ: Any, form: str) -> None:
    assert jwt({}, typ=typ).form == form
    refused = form == "other" or typ == "vp+jwt"  # that of a presentation, which is no credential
    assert (codes(header_findings(jwt({}, typ=typ))) == [("jwt-type", "/typ")]) == refused


def test_a_jwt_without_type_is_a_badges() -> None:
    assert jwt({}).form == "open-badges"
    assert jwt({}).key_id == KID
    assert jwt({}).embedded_key is None


@pytest.mark.parametrize("member", ["d", "p", "k"])
@pytest.mark.parametrize("typ", ["JWT", "vc+jwt"])
def test_a_private_key_in_the_header_is_refused(member: str, typ: str) -> None:
    exposed = jwt({}, jwk=ES256.key.jwk | {member: "AA"}, typ=typ)
    with pytest.raises(ProofError) as raised:
        _ = exposed.embedded_key
    assert raised.value.code == "jwk-private"
    assert codes(header_findings(exposed)) == [("jwk-private", "/jwk")]


# --- The credential and its claims ---


def test_the_claims_repeat_the_credential() -> None:
    assert claims_of(credential()) == {
        "iss": ISSUER,
        "jti": "urn:uuid:3f9f6b4e-0e6b-4a52-9d6c-1c9a6f6b8d11",
        "sub": "did:example:reader",
        "nbf": int(datetime(2026, 7, 1, tzinfo=UTC).timestamp()),
        "exp": int(datetime(2126, 7, 1, tzinfo=UTC).timestamp()),
    }
    assert claims_of(older(issuer=ISSUER, expirationDate="2026-07-02T00:00:00.9Z")) == {
        "iss": ISSUER,
        "jti": "urn:uuid:3f9f6b4e-0e6b-4a52-9d6c-1c9a6f6b8d11",
        "sub": "did:example:reader",
        "nbf": int(datetime(2026, 7, 1, tzinfo=UTC).timestamp()),
        "exp": int(datetime(2026, 7, 2, tzinfo=UTC).timestamp()),
    }


@pytest.mark.parametrize(
    ("changes", "absent"),
    [
        ({"issuer": None}, "iss"),
        ({"issuer": {"name": "x"}}, "iss"),
        ({"issuer": [ISSUER]}, "iss"),
        ({"id": None}, "jti"),
        ({"id": 7}, "jti"),
        ({"credentialSubject": {"identifier": []}}, "sub"),
        ({"credentialSubject": [{"id": "a"}, {"id": "b"}]}, "sub"),
        ({"credentialSubject": "did:example:reader"}, "sub"),
        ({"validFrom": "2026-07-01"}, "nbf"),
        ({"validUntil": None}, "exp"),
    ],
)
def test_what_the_credential_does_not_say_is_not_claimed(changes: dict[str, Any], absent: str) -> None:
    assert claims_of(credential(**changes)).keys() == claims_of(credential()).keys() - {absent}


def test_one_subject_in_an_array_is_the_subject() -> None:
    assert claims_of(credential(credentialSubject=[{"id": "did:example:reader"}]))["sub"] == "did:example:reader"


def test_the_payload_without_its_claims_is_the_credential() -> None:
    assert credential_of(jwt(badge(iat=1, aud="x"))) == credential()
    assert credential_of(jwt(badge(), typ="vc+jwt")) == credential()


def test_the_vc_claim_holds_the_older_form() -> None:
    assert credential_of(jwt({"vc": older()} | claims_of(older()))) == older()


def test_a_newer_credential_in_the_vc_claim_is_read_as_it_stands_unless_it_is_a_badge() -> None:
    general = credential(type=["VerifiableCredential"], issuer=None)
    assert credential_of(jwt({"vc": general, "iss": ISSUER})) == general
    with pytest.raises(MalformedError):
        credential_of(jwt({"vc": general | {"type": ["VerifiableCredential", "OpenBadgeCredential"]}}))


def test_members_that_the_older_form_leaves_to_the_claims_are_filled_in() -> None:
    bare = older(id=None, issuer=None, issuanceDate=None, credentialSubject={"name": "x"})
    claims = claims_of(older(expirationDate="2026-08-01T00:00:00Z"))
    assert credential_of(jwt({"vc": bare} | claims)) == older(
        expirationDate="2026-08-01T00:00:00Z",
        issuer=ISSUER,
        credentialSubject={"id": "did:example:reader", "name": "x"},
    )
    assert credential_of(jwt({"vc": bare, "nbf": "soon"})) == bare
    assert credential_of(jwt({"vc": older(credentialSubject=[{}]), "sub": "x"})) == older(credentialSubject=[{}])


@pytest.mark.parametrize(
    "payload",
    [
        {"vc": credential()},
        {"vc": older() | {"@context": []}},
        {"vc": older() | {"@context": V2}},
        {"vc": "text"},
        {"vc": None},
        older(),
        older() | {"@context": V1},
    ],
)
def test_the_form_and_the_context_tell_the_same_version(payload: dict[str, Any]) -> None:
    with pytest.raises(MalformedError) as raised:
        credential_of(jwt(payload))
    assert raised.value.code == "jwt-form-mismatch"


def test_a_presentation_is_the_payload_or_the_vp_claim() -> None:
    presentation = {"@context": [V2], "type": ["VerifiablePresentation"]}
    claims = {"aud": "https://verifier.example", "nonce": "n1"}
    assert presentation_of(jwt(presentation | claims, typ="vp+jwt")) == presentation
    assert presentation_of(jwt({"vp": presentation} | claims)) == presentation
    for value in ("text", None, [presentation]):
        with pytest.raises(MalformedError) as raised:
            presentation_of(jwt({"vp": value}))
        assert raised.value.code == "jwt-form-mismatch"


def test_a_badges_claims_agree_with_it() -> None:
    assert claim_findings(jwt(badge()), credential()) == []
    assert claim_findings(jwt(badge(iat=1_800_000_000, aud="anybody")), credential()) == []
    assert claim_findings(jwt({"vc": older()} | claims_of(older())), older()) == []
    assert claim_findings(jwt(badge(nbf=claims_of(credential())["nbf"] + 0.5)), credential()) == []


@pytest.mark.parametrize("name", ["iss", "jti", "sub", "nbf", "exp"])
def test_a_badge_makes_all_its_claims(name: str) -> None:
    assert codes(claim_findings(jwt(badge(**{name: None})), credential())) == [("jwt-claim-missing", f"/{name}")]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("iss", "did:web:forger.example"),
        ("iss", {"id": ISSUER}),
        ("jti", "urn:uuid:other"),
        ("sub", "did:example:other"),
        ("sub", None),
        ("nbf", 1_782_864_001),
        ("exp", 1),
    ],
)
def test_a_badges_claim_that_says_something_else_is_named(name: str, value: Any) -> None:
    payload = badge() | {name: value}
    assert codes(claim_findings(jwt(payload), credential())) == [("jwt-claim-mismatch", f"/{name}")]


def test_a_badges_claim_about_a_field_that_is_not_there_is_named() -> None:
    ungated = credential(validUntil=None, credentialSubject={"identifier": []})
    findings = claim_findings(jwt(badge()), ungated)
    assert codes(findings) == [("jwt-claim-mismatch", "/sub"), ("jwt-claim-mismatch", "/exp")]
    assert "nothing" in findings[0].message
    assert codes(claim_findings(jwt(badge() | {"sub": None}), credential(credentialSubject={}))) == [
        ("jwt-claim-mismatch", "/sub")
    ]


@pytest.mark.parametrize("name", ["nbf", "exp", "iat"])
@pytest.mark.parametrize("value", [None, "1782864000", True, -1, 1e300, float("inf"), float("nan"), 10**400, []])
@pytest.mark.parametrize("typ", ["JWT", "vc+jwt"])
def test_a_date_that_is_no_number_of_seconds_is_named(name: str, value: Any, typ: str) -> None:
    findings = claim_findings(jwt(badge() | {name: value}, typ=typ), credential())
    assert codes(findings) == [("jwt-claim-malformed", f"/{name}")]


def test_in_vc_jose_cose_claims_may_be_absent_and_dates_are_the_signatures() -> None:
    assert claim_findings(jwt(credential(), typ="vc+jwt"), credential()) == []
    assert claim_findings(jwt(badge(nbf=5, exp=10**9, iat=7), typ="vc+jwt"), credential()) == []
    findings = claim_findings(jwt(badge(iss="x", jti="y", sub="z", vc={}, vp={}), typ="vc+jwt"), credential())
    assert codes(findings) == [
        ("jwt-claim-forbidden", "/vc"),
        ("jwt-claim-forbidden", "/vp"),
        ("jwt-claim-mismatch", "/iss"),
        ("jwt-claim-mismatch", "/jti"),
        ("jwt-claim-mismatch", "/sub"),
    ]


# --- Envelopes ---


def envelope(**changes: Any) -> dict[str, Any]:
    members = {"@context": V2, "type": "EnvelopedVerifiableCredential", "id": "data:application/vc+jwt,e30.e30.AA"}
    return members | changes


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"@context": [V2, "https://example.org/other"], "type": ["EnvelopedVerifiableCredential"]},
        {"id": "data:application/vc-ld+jwt,e30.e30.AA"},
        {"id": "data:application/vc+ld+jwt,e30.e30.AA"},
        {"id": "data:application/jwt,e30.e30.AA"},
        {"type": "EnvelopedVerifiablePresentation", "id": "data:application/vp+jwt,e30.e30.AA"},
    ],
)
def test_an_envelope_gives_its_token(changes: dict[str, Any]) -> None:
    assert open_envelope(envelope(**changes)) == "e30.e30.AA"


@pytest.mark.parametrize(
    ("changes", "kind", "code", "pointer"),
    [
        ({"@context": None}, MalformedError, "envelope-malformed", "/@context"),
        ({"@context": [V1]}, MalformedError, "envelope-malformed", "/@context"),
        ({"type": None}, MalformedError, "envelope-malformed", "/type"),
        ({"type": "VerifiableCredential"}, MalformedError, "envelope-malformed", "/type"),
        ({"type": ["EnvelopedVerifiableCredential", "EnvelopedVerifiablePresentation"]}, MalformedError, "envelope-malformed", "/type"),
        ({"name": "Doctor of Everything"}, MalformedError, "envelope-malformed", "/name"),
        ({"id": None}, MalformedError, "envelope-malformed", "/id"),
        ({"id": 7}, MalformedError, "envelope-malformed", "/id"),
        ({"id": "e30.e30.AA"}, MalformedError, "envelope-malformed", "/id"),
        ({"id": "https://issuer.example/,e30.e30.AA"}, MalformedError, "envelope-malformed", "/id"),
        ({"id": "data:application/vc+jwt"}, MalformedError, "envelope-malformed", "/id"),
        ({"id": "data:application/vc+sd-jwt,x~"}, UnsupportedError, "envelope-unsupported", "/id"),
        ({"id": "data:application/vc+jwt;base64,x"}, UnsupportedError, "envelope-unsupported", "/id"),
        ({"id": "data:application/vp+jwt,e30.e30.AA"}, UnsupportedError, "envelope-unsupported", "/id"),
        ({"id": "data:,x"}, UnsupportedError, "envelope-unsupported", "/id"),
    ],
)  # fmt: skip
def test_a_faulty_envelope_is_named(changes: Any, kind: type[CredentialError], code: str, pointer: str) -> None:
    with pytest.raises(kind) as raised:
        open_envelope(envelope(**changes))
    assert (raised.value.code, raised.value.pointer) == (code, pointer)


# --- Other people's software ---


@every_algorithm
def test_joserfc_accepts_ours(alg: str) -> None:
    token = encode_jwt(badge(), SIGNERS[alg], kid=KID, typ="JWT")
    with pytest.warns() if alg == "EdDSA" else contextlib.nullcontext():  # they point at RFC 9864's newer name
        read = jws.deserialize_compact(token, import_key(dict(SIGNERS[alg].key.jwk)), algorithms=[alg])
    assert json.loads(read.payload) == badge()


@every_algorithm
def test_ours_accepts_joserfcs(alg: str) -> None:
    pem = PRIVATE_KEYS[alg].private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    key = import_key(pem, "RSA" if alg == "RS256" else "OKP" if alg == "EdDSA" else "EC")
    with pytest.warns() if alg == "EdDSA" else contextlib.nullcontext():
        token = jws.serialize_compact({"alg": alg, "kid": KID}, json.dumps(badge()), key, algorithms=[alg])
    decoded = decode_jwt(token)
    check_jwt(decoded, SIGNERS[alg].key)
    assert header_findings(decoded) == claim_findings(decoded, credential_of(decoded)) == []


@pytest.mark.parametrize("alg", ["EdDSA", "ES256", "ES384"])
def test_openvc_accepts_the_older_form_of_ours(alg: str) -> None:
    token = encode_jwt({"vc": older()} | claims_of(older()), SIGNERS[alg], kid=KID, typ="JWT")
    read = VcJwtProofSuite().verify(token, public_key_jwk=dict(SIGNERS[alg].key.jwk))
    assert (read.issuer, read.subject, read.credential) == (ISSUER, "did:example:reader", older())


def test_ours_accepts_openvcs() -> None:
    private = PRIVATE_KEYS["ES256"]
    assert isinstance(private, ec.EllipticCurvePrivateKey)
    decoded = decode_jwt(VcJwtProofSuite().sign(older(), signing_key=P256SigningKey(private, KID)))
    check_jwt(decoded, ES256.key)
    assert credential_of(decoded) == older()
    assert codes(claim_findings(decoded, older())) == [("jwt-claim-mismatch", "/nbf")]  # theirs is the time of signing


@pytest.mark.parametrize("alg", ["EdDSA", "ES256", "RS256"])
def test_openbadgeslib_accepts_ours(alg: str) -> None:
    token = encode_jwt(badge(), SIGNERS[alg], kid=KID, typ="JWT")
    public = PRIVATE_KEYS[alg].public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    assert OB3Verifier(public).verify(token).issuer.id == ISSUER


@pytest.mark.parametrize("alg", ["EdDSA", "ES256", "RS256"])
def test_ours_accepts_openbadgeslibs(alg: str) -> None:
    pem = PRIVATE_KEYS[alg].private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    decoded = decode_jwt(OB3Signer(pem, algorithm=alg).sign_payload(badge()))
    assert decoded.embedded_key == SIGNERS[alg].key
    check_jwt(decoded, SIGNERS[alg].key)
    assert claim_findings(decoded, credential_of(decoded)) == []


# --- Properties ---


@every_algorithm
@given(data=st.data())
def test_any_changed_character_breaks_a_jwt(alg: str, data: st.DataObject) -> None:
    token = encode_jwt({"iss": ISSUER}, SIGNERS[alg], kid=KID)
    place = data.draw(st.integers(0, len(token) - 1))
    character = data.draw(st.sampled_from("AQgwz09-_.=").filter(lambda other: other != token[place]))
    with pytest.raises(CredentialError):
        check_jwt(decode_jwt(token[:place] + character + token[place + 1 :]), SIGNERS[alg].key)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
members = st.sampled_from(["alg", "kid", "jwk", "typ", "crit", "@context", "id", "type", "vc", "vp", "iss", "nbf"])


@given(
    header=st.dictionaries(members, json_values),
    payload=st.dictionaries(members, json_values),
    signature=st.binary(max_size=80),
)
def test_whatever_a_jwt_holds_it_is_checked_or_refused(header: Any, payload: Any, signature: bytes) -> None:
    for step in (
        lambda decoded: check_jwt(decoded, ES256.key),
        lambda decoded: decoded.embedded_key,
        credential_of,
        presentation_of,
        header_findings,
        lambda decoded: claim_findings(decoded, credential_of(decoded)),
    ):
        with contextlib.suppress(CredentialError):
            step(decode_jwt(token_of(header, payload, signature)))
    with contextlib.suppress(CredentialError):
        open_envelope(payload)


@given(st.text() | st.from_regex(r"[\w.-]{0,20}\.[\w-]{0,20}\.[\w-]{0,20}", fullmatch=True))
def test_no_text_makes_decoding_fail_otherwise(token: str) -> None:
    with contextlib.suppress(MalformedError):
        decode_jwt(token)
