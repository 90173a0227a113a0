import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, rsa, x25519
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import import_key

from credentials.errors import CredentialError, ProofError, UnsupportedError
from credentials.proofs.encodings import base58btc_decode, base58btc_encode, base64url_decode, base64url_encode
from credentials.proofs.keys import JOSE_ALGORITHMS, PrivateKey, PrivateKeySigner, VerificationKey

RFC: Any = json.loads((Path(__file__).parents[2] / "vectors/rfc/jose.json").read_text())
EDDSA: Any = json.loads((Path(__file__).parents[2] / "vectors/w3c-vc-di-eddsa/vectors.json").read_text())
ECDSA: Any = json.loads((Path(__file__).parents[2] / "vectors/w3c-vc-di-ecdsa/vectors.json").read_text())

PRIVATE_KEYS: dict[str, PrivateKey] = {
    "Ed25519": Ed25519PrivateKey.from_private_bytes(bytes(range(32))),
    "P-256": ec.derive_private_key(2**200 + 7, ec.SECP256R1()),
    "P-384": ec.derive_private_key(2**300 + 7, ec.SECP384R1()),
    "RSA": rsa.generate_private_key(public_exponent=65537, key_size=2048),
}
SIGNERS = {name: PrivateKeySigner(key) for name, key in PRIVATE_KEYS.items()}
SIGNATURE_BYTES = {"Ed25519": 64, "P-256": 64, "P-384": 96, "RSA": 256}
every_algorithm = pytest.mark.parametrize("name", list(SIGNERS))


def jwk(name: str, **changes: Any) -> dict[str, Any]:
    """Return the JWK of a test key; a change to None takes the member away."""
    members: dict[str, Any] = SIGNERS[name].key.jwk | changes
    return {member: value for member, value in members.items() if value is not None}


def multikey(prefix: bytes, material: bytes) -> str:
    return "z" + base58btc_encode(prefix + material)


# --- Text forms ---


@given(st.binary(max_size=100))
def test_base58btc_gives_back_what_went_in(data: bytes) -> None:
    assert base58btc_decode(base58btc_encode(data)) == data


@pytest.mark.parametrize(
    ("data", "text"),
    [(b"", ""), (b"\0\0\0", "111"), (b"Hello World!", "2NEpo7TZRRrLZSi2U"), (b"\0\0\x28\x7f\xb4\xcd", "11233QC4")],
)
def test_base58btc_agrees_with_the_published_examples(data: bytes, text: str) -> None:
    assert base58btc_encode(data) == text
    assert base58btc_decode(text) == data


@pytest.mark.parametrize("text", ["0", "O", "I", "l", "a b", "é", "1" * 257])
def test_base58btc_refuses_other_text(text: str) -> None:
    with pytest.raises(ProofError) as raised:
        base58btc_decode(text)
    assert raised.value.code == "base58-malformed"


@given(st.binary(max_size=100))
def test_base64url_gives_back_what_went_in(data: bytes) -> None:
    assert base64url_decode(base64url_encode(data)) == data


@given(st.text(alphabet="AQgwZ_-=+/ \n", max_size=6))
def test_base64url_has_one_text_for_each_value(text: str) -> None:
    with contextlib.suppress(ProofError):
        assert base64url_encode(base64url_decode(text)) == text


@pytest.mark.parametrize("text", ["QQ==", "QR", "A", "A+A", "A/A", "AA AA", "AAAA\n", "Ä"])
def test_base64url_refuses_padding_stray_bits_and_other_characters(text: str) -> None:
    with pytest.raises(ProofError) as raised:
        base64url_decode(text)
    assert raised.value.code == "base64url-malformed"


# --- Signing and checking ---


@every_algorithm
def test_a_signature_holds_for_its_data_and_key_only(name: str) -> None:
    signer = SIGNERS[name]
    signature = signer.sign(b"laurel")
    assert signer.key.algorithm == name
    assert len(signature) == SIGNATURE_BYTES[name]
    assert signer.key.verify(signature, b"laurel")
    assert not signer.key.verify(signature, b"Laurel")
    for other in SIGNERS.values():
        assert other.key.verify(signature, b"laurel") == (other is signer)


@every_algorithm
@given(data=st.data())
def test_any_flipped_bit_breaks_a_signature(name: str, data: st.DataObject) -> None:
    signer = SIGNERS[name]
    signature = bytearray(signer.sign(b"laurel"))
    bit = data.draw(st.integers(0, len(signature) * 8 - 1))
    signature[bit // 8] ^= 1 << bit % 8
    assert not signer.key.verify(bytes(signature), b"laurel")


@every_algorithm
@given(signature=st.binary(max_size=300))
def test_no_bytes_make_checking_fail_otherwise_than_by_saying_no(name: str, signature: bytes) -> None:
    assert not SIGNERS[name].key.verify(signature, b"laurel")


@every_algorithm
def test_the_same_input_gives_the_same_signature(name: str) -> None:
    assert SIGNERS[name].sign(b"laurel") == SIGNERS[name].sign(b"laurel")


@pytest.mark.parametrize(("name", "width"), [("P-256", 32), ("P-384", 48)])
def test_ecdsa_takes_either_s_but_no_zero_and_no_der(name: str, width: int) -> None:
    key, signature = SIGNERS[name].key, SIGNERS[name].sign(b"laurel")
    order = {
        "P-256": 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
        "P-384": 2**384 - 0x389CB27E0BC8D220A7E5F24DB74F58851313E695333AD68D,
    }[name]
    r, s = signature[:width], int.from_bytes(signature[width:])
    assert key.verify(r + (order - s).to_bytes(width), b"laurel")
    assert not key.verify(bytes(2 * width), b"laurel")
    assert not key.verify(r + bytes(width), b"laurel")


# --- Multikey ---


@pytest.mark.parametrize("name", ["Ed25519", "P-256", "P-384"])
def test_a_multikey_reads_back_as_the_same_key(name: str) -> None:
    key = SIGNERS[name].key
    read = VerificationKey.from_multikey(key.multikey)
    assert read == key
    assert hash(read) == hash(key)
    assert read.jwk == key.jwk


def test_keys_that_differ_are_not_equal() -> None:
    assert len({signer.key for signer in SIGNERS.values()}) == 4


def test_a_good_multikey_is_read_once_and_a_faulty_one_refused_each_time() -> None:
    multikey = VerificationKey.from_public_key(Ed25519PrivateKey.from_private_bytes(b"once" * 8).public_key()).multikey
    assert VerificationKey.from_multikey(multikey) is VerificationKey.from_multikey(multikey)
    for _ in range(2):
        with pytest.raises(CredentialError):
            VerificationKey.from_multikey(multikey + "1")


def test_an_rsa_key_has_no_multikey() -> None:
    with pytest.raises(UnsupportedError) as raised:
        _ = SIGNERS["RSA"].key.multikey
    assert raised.value.code == "key-unsupported"


@pytest.mark.parametrize(
    ("text", "algorithm"),
    [(text, "Ed25519") for text in EDDSA["keyPairs"]] + list(zip(ECDSA["keyPairs"], ["P-256", "P-384"], strict=True)),
)
def test_the_published_multikeys_are_read_and_written(text: str, algorithm: str) -> None:
    key = VerificationKey.from_multikey(text)
    assert (key.algorithm, key.multikey) == (algorithm, text)


X25519 = x25519.X25519PrivateKey.from_private_bytes(bytes(32)).public_key().public_bytes_raw()


@pytest.mark.parametrize(
    ("text", "kind", "code"),
    [
        (None, ProofError, "multikey-malformed"),
        (["z6Mk"], ProofError, "multikey-malformed"),
        ("", ProofError, "multikey-malformed"),
        ("u7QE", ProofError, "multikey-malformed"),
        ("z0", ProofError, "base58-malformed"),
        ("z" + "1" * 300, ProofError, "base58-malformed"),
        ("z", UnsupportedError, "key-unsupported"),
        (multikey(b"\xec\x01", X25519), UnsupportedError, "key-unsupported"),
        (multikey(b"\xed\x01", bytes(31)), ProofError, "multikey-malformed"),
        (multikey(b"\xed\x01", bytes(33)), ProofError, "multikey-malformed"),
        (multikey(b"\x80\x24", b"\x02" + bytes(31)), ProofError, "multikey-malformed"),
        (multikey(b"\x80\x24", b"\x04" + bytes(64)), ProofError, "multikey-malformed"),
        (multikey(b"\x80\x24", b"\x02" + b"\xff" * 32), ProofError, "key-not-on-curve"),
        (multikey(b"\x80\x24", b"\x05" + bytes(32)), ProofError, "key-not-on-curve"),
        (multikey(b"\x81\x24", b"\x02" + bytes(32)), ProofError, "multikey-malformed"),
        (multikey(b"\x81\x24", b"\x02" + b"\xff" * 48), ProofError, "key-not-on-curve"),
        (multikey(b"\xed\x01", b"\x02" + bytes(31)), ProofError, "key-not-on-curve"),
        (multikey(b"\xed\x01", b"\xff" * 32), ProofError, "key-not-on-curve"),
    ],
)
def test_a_faulty_multikey_is_named(text: object, kind: type[CredentialError], code: str) -> None:
    with pytest.raises(kind) as raised:
        VerificationKey.from_multikey(text)
    assert raised.value.code == code


@pytest.mark.parametrize(
    "material",
    [
        (1).to_bytes(32, "little"),
        (0).to_bytes(32, "little"),
        (2**255 - 20).to_bytes(32, "little"),
        bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"),
        bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"),
    ],
)
@pytest.mark.parametrize("sign_bit", [0, 0x80])
def test_an_ed25519_key_under_which_anybody_can_sign_is_refused(material: bytes, sign_bit: int) -> None:
    weak = material[:31] + bytes([material[31] | sign_bit])
    with pytest.raises(ProofError) as raised:
        VerificationKey.from_multikey(multikey(b"\xed\x01", weak))
    assert raised.value.code == "key-weak"
    with pytest.raises(ProofError) as raised:
        VerificationKey.from_jwk(jwk("Ed25519", x=base64url_encode(weak)))
    assert raised.value.code == "key-weak"


def test_the_forgery_that_the_weak_key_check_stops_is_real() -> None:
    neutral = (1).to_bytes(32, "little")
    forged = neutral + bytes(32)  # R is the neutral element and s is 0: made without any private key
    Ed25519PublicKey.from_public_bytes(neutral).verify(forged, b"whatever the forger likes")
    with pytest.raises(InvalidSignature):
        Ed25519PublicKey.from_public_bytes(SIGNERS["Ed25519"].key.material).verify(forged, b"whatever")


# --- JWK ---


@every_algorithm
def test_a_jwk_reads_back_as_the_same_key(name: str) -> None:
    key = SIGNERS[name].key
    assert VerificationKey.from_jwk(key.jwk) == key
    assert VerificationKey.from_jwk(key.jwk | {"kid": "k", "use": "sig", "key_ops": ["verify"], "x5t": "?"}) == key
    for algorithm in JOSE_ALGORITHMS[key.algorithm]:
        assert VerificationKey.from_jwk(key.jwk | {"alg": algorithm}) == key


@every_algorithm
def test_joserfc_reads_the_jwk_as_the_same_key(name: str) -> None:
    theirs = import_key(dict(SIGNERS[name].key.jwk))
    assert theirs.thumbprint() == SIGNERS[name].key.thumbprint
    assert theirs.as_dict(private=False).items() >= SIGNERS[name].key.jwk.items()


@pytest.mark.parametrize(
    ("given_jwk", "thumbprint"),
    [
        (RFC["rfc7638"]["section_3_1_jwk"], RFC["rfc7638"]["section_3_1_thumbprint"]),
        (RFC["rfc8037"]["appendix_a2_public_jwk"], RFC["rfc8037"]["appendix_a3_thumbprint"]),
    ],
)
def test_the_published_thumbprints_are_computed(given_jwk: dict[str, Any], thumbprint: str) -> None:
    assert VerificationKey.from_jwk(given_jwk).thumbprint == thumbprint


@pytest.mark.parametrize(
    ("given_jwk", "jws"),
    [
        (RFC["rfc8037"]["appendix_a2_public_jwk"], RFC["rfc8037"]["appendix_a4_jws"]),
        (RFC["rfc7515"]["appendix_a2_jwk"], RFC["rfc7515"]["appendix_a2_jws"]),
        (RFC["rfc7515"]["appendix_a3_jwk"], RFC["rfc7515"]["appendix_a3_jws"]),
    ],
)
def test_the_published_jose_signatures_hold(given_jwk: dict[str, Any], jws: str) -> None:
    signing_input, _, signature = jws.rpartition(".")
    key = VerificationKey.from_jwk(given_jwk)
    assert key.verify(base64url_decode(signature), signing_input.encode())
    assert not key.verify(base64url_decode(signature), signing_input.encode() + b".")


def test_the_published_ed25519_signature_is_made() -> None:
    private = Ed25519PrivateKey.from_private_bytes(base64url_decode(RFC["rfc8037"]["appendix_a1_private_d"]))
    signing_input, _, signature = RFC["rfc8037"]["appendix_a4_jws"].rpartition(".")
    assert base64url_encode(PrivateKeySigner(private).sign(signing_input.encode())) == signature


P256_X = jwk("P-256")["x"]
MODULUS = base64url_decode(jwk("RSA")["n"])


@pytest.mark.parametrize(
    ("given_jwk", "kind", "code"),
    [
        (None, ProofError, "jwk-malformed"),
        ([], ProofError, "jwk-malformed"),
        ("{}", ProofError, "jwk-malformed"),
        ({}, UnsupportedError, "key-unsupported"),
        (jwk("Ed25519", kty="EC"), UnsupportedError, "key-unsupported"),
        (jwk("Ed25519", crv="X25519"), UnsupportedError, "key-unsupported"),
        (jwk("P-256", crv="secp256k1"), UnsupportedError, "key-unsupported"),
        (jwk("P-256", crv=["P-256"]), UnsupportedError, "key-unsupported"),
        (jwk("P-256", kty={}), UnsupportedError, "key-unsupported"),
        ({"kty": "oct", "k": "AAAA"}, ProofError, "jwk-private"),
        (jwk("Ed25519", d="AAAA"), ProofError, "jwk-private"),
        (jwk("RSA", qi="AAAA"), ProofError, "jwk-private"),
        (jwk("Ed25519", x=None), ProofError, "jwk-malformed"),
        (jwk("Ed25519", x=7), ProofError, "jwk-malformed"),
        (jwk("Ed25519", x=""), ProofError, "jwk-malformed"),
        (jwk("Ed25519", x="AAAA"), ProofError, "jwk-malformed"),
        (jwk("Ed25519", x="é"), ProofError, "base64url-malformed"),
        (jwk("P-256", x="AAAA" + P256_X), ProofError, "jwk-malformed"),
        (jwk("P-256", y=P256_X), ProofError, "key-not-on-curve"),
        (jwk("P-256", x=base64url_encode(b"\xff" * 32)), ProofError, "key-not-on-curve"),
        (jwk("P-256", crv="P-384"), ProofError, "jwk-malformed"),
        (jwk("P-256", y=None), ProofError, "jwk-malformed"),
        (jwk("P-256", alg="EdDSA"), ProofError, "jwk-inconsistent"),
        (jwk("RSA", alg="PS256"), ProofError, "jwk-inconsistent"),
        (jwk("RSA", alg=["RS256"]), ProofError, "jwk-inconsistent"),
        (jwk("P-256", use="enc"), ProofError, "jwk-inconsistent"),
        (jwk("P-256", key_ops=["encrypt"]), ProofError, "jwk-inconsistent"),
        (jwk("P-256", key_ops="verify"), ProofError, "jwk-inconsistent"),
        (jwk("RSA", n=None), ProofError, "jwk-malformed"),
        (jwk("RSA", n=base64url_encode(b"\0" + MODULUS)), ProofError, "jwk-malformed"),
        (jwk("RSA", n=base64url_encode(MODULUS[:255])), ProofError, "key-weak"),
        (jwk("RSA", n=base64url_encode(MODULUS * 5)), ProofError, "key-malformed"),
        (jwk("RSA", n=base64url_encode(MODULUS[:255] + b"\0")), ProofError, "key-malformed"),
        (jwk("RSA", e="AQ"), ProofError, "key-malformed"),
        (jwk("RSA", e="AQAA"), ProofError, "key-malformed"),
        (jwk("RSA", e=base64url_encode(b"\x01" * 9)), ProofError, "key-malformed"),
    ],
)
def test_a_faulty_jwk_is_named(given_jwk: object, kind: type[CredentialError], code: str) -> None:
    with pytest.raises(kind) as raised:
        VerificationKey.from_jwk(given_jwk)
    assert raised.value.code == code


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@every_algorithm
@given(data=st.data())
def test_whatever_a_jwk_holds_it_is_read_or_refused(name: str, data: st.DataObject) -> None:
    member = data.draw(st.sampled_from(["kty", "crv", "x", "y", "n", "e", "alg", "use", "key_ops", "d"]))
    value = data.draw(json_values | st.sampled_from(["RSA", "EC", "OKP", "P-256", "AQAB"]))
    with contextlib.suppress(ProofError, UnsupportedError):
        VerificationKey.from_jwk(SIGNERS[name].key.jwk | {member: value})


# --- cryptography's keys ---


def test_other_kinds_of_key_are_not_supported() -> None:
    other_curve = ec.derive_private_key(7, ec.SECP256K1())
    with pytest.raises(UnsupportedError) as raised:
        PrivateKeySigner(other_curve)
    assert raised.value.code == "key-unsupported"
    with pytest.raises(UnsupportedError):
        VerificationKey.from_public_key("z6Mk")


def test_a_short_rsa_key_is_refused() -> None:
    weak = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    with pytest.raises(ProofError) as raised:
        PrivateKeySigner(weak)
    assert raised.value.code == "key-weak"
