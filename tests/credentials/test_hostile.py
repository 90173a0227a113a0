"""What strangers may write into headers, names of keys, status entries and documents: a report each time, never green."""

import copy
import gzip
import json
from typing import Any

import pytest

from credentials.proofs.encodings import base58btc_decode, base58btc_encode, base64url_encode
from tests.credentials.test_faults import listed, token
from tests.credentials.test_verify import Issuer, badge, outcomes, proof_of, report

ED25519_ORDER = 2**252 + 27742317777372353535851937790883648493
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
BITS = gzip.compress(bytes(16_384))

ALGORITHMS: list[Any] = [None, "none", "HS256", ["ES256"], {}, "es256"]
NAMES: list[Any] = [
    *(["a", "b"], {}, "", "x" * 5000, "#", "##", "https://[::1", "https://a:99999/", "https://user@host/"),
    *("did:", "did:web:", "did:key:", "did:web:a%2f..", "did:jwk:e30", "did:jwk:" + "A" * 4000),
]
EMBEDDED: list[Any] = [None, [], {"kty": "oct", "k": "AA"}, {"kty": "EC", "crv": "P-256", "x": "A", "y": 1}]
TYPES: list[Any] = [5, None, "JWT\n", "vp"]
CRITICAL: list[Any] = [[], None, ["b64"]]
HEADERS: list[dict[str, Any]] = [
    {name: value}
    for name, values in {"alg": ALGORITHMS, "kid": NAMES, "jwk": EMBEDDED, "typ": TYPES, "crit": CRITICAL}.items()
    for value in values
]
METHODS = [
    *("did:web:%2e%2e", "did:web:a:..:b", "did:web:a%3A0", "did:web:a%3A70000#k", "did:web:0x7f.1", "did:web:exämple.com"),
    *("did:web:a:%252e%252e#x", "did:web:user@a", "https://badges.example/..%2f", "http://evil.example/k", "file:///etc/x"),
    *("https://evil.example/\\@badges.example", "https://a b", "urn:x", "x", "#k", "did:key:z6Mk" + "x" * 44),
    "did:jwk:" + base64url_encode(json.dumps({"kty": "RSA", "n": "AQ", "e": "AQAB"}).encode()),
    "did:jwk:" + base64url_encode(json.dumps({"kty": "RSA", "n": "_" * 1366, "e": "_" * 1000}).encode()),
]  # fmt: skip
ENTRIES: list[dict[str, Any]] = [
    *({"statusListIndex": index} for index in (-1, "-0", "1e3", "٣", 1e300, True, "9" * 15, "131072")),
    *({"statusSize": size} for size in (0, 2, 16, 17, 1e9, "1")),
    {"statusSize": 12, "statusMessage": [{}] * 4_095},
    {"statusSize": 8, "statusMessage": [{"status": "0x0"}] * 255},
    *({"statusListCredential": address} for address in (["x"], "x" * 100_000, None)),
]
BODIES = [
    *(b"", b"null", b"[]", b'"x"', b"\xff", b"1" * 400, b'{"a":' * 100_000, b"x" * 5_000_000),
    json.dumps({"keys": [{"kty": "EC"}] * 20_000}).encode(),
    json.dumps({"id": "did:web:badges.example", "verificationMethod": [{"id": f"#k{n}"} for n in range(20_000)]}).encode(),
    json.dumps({"id": "did:web:badges.example", "assertionMethod": {"id": {}}}).encode(),
]  # fmt: skip


@pytest.mark.parametrize("header", HEADERS, ids=str)
def test_no_header_is_verified(header: dict[str, Any]) -> None:
    for typ in ("JWT", "vc+jwt"):
        issuer = Issuer("badges.example", 1)
        assert report(issuer, token(**{"typ": typ, **header})(issuer)).verdict != "verified"


@pytest.mark.parametrize("method", METHODS)
def test_no_name_of_a_key_is_verified(method: str) -> None:
    issuer = Issuer("badges.example", 1)
    signed = badge(issuer) | {"proof": [proof_of(issuer) | {"verificationMethod": method}]}
    assert report(issuer, signed).verdict != "verified"


@pytest.mark.parametrize("entry", ENTRIES, ids=range(len(ENTRIES)))
def test_no_status_entry_that_is_malformed_is_passed(entry: dict[str, Any]) -> None:
    issuer = Issuer("badges.example", 1)
    members = badge(issuer)
    members["credentialStatus"].update(entry)
    found = report(issuer, members | {"proof": proof_of(issuer)})
    assert outcomes(found)["status"] in {"failed", "undecided"}


@pytest.mark.parametrize("body", BODIES, ids=range(len(BODIES)))
def test_no_answer_of_an_address_is_verified(body: bytes) -> None:
    issuer = Issuer("badges.example", 1)
    for received in (issuer.sign(badge(issuer)), issuer.sign_jwt(badge(issuer))):
        emptied = Issuer("badges.example", 1)
        emptied.documents = dict.fromkeys(emptied.documents, body)
        assert report(emptied, received).verdict != "verified"


@pytest.mark.parametrize(
    "compressed",
    [BITS * 2, BITS[:-4], BITS + b"x", b"", gzip.compress(bytes(100_000_000)), BITS[:10] + b"\xff" * 100],
    ids=range(6),
)
def test_no_list_that_is_more_or_less_than_one_stream_is_read(compressed: bytes) -> None:
    issuer = Issuer("badges.example", 1)
    found = report(issuer, listed(encodedList="u" + base64url_encode(compressed))(issuer))
    assert (found.verdict, outcomes(found)["status"]) == ("rejected", "failed")


def test_no_other_signature_of_one_key_is_verified() -> None:
    issuer = Issuer("badges.example", 1)
    signed = issuer.sign(badge(issuer))
    good = base58btc_decode(signed["proof"][0]["proofValue"][1:])
    moved = (int.from_bytes(good[32:], "little") + ED25519_ORDER).to_bytes(32, "little")
    order = P256_ORDER.to_bytes(32)
    others = {
        "eddsa-rdfc-2022": [good[:32] + moved, bytes(64), b"\1" + bytes(63), b"\xff" * 64, good + b"\0", b"\0" + good],
        "ecdsa-rdfc-2019": [bytes(64), bytes(32) + order, order + bytes(32), order * 2, b"\xff" * 64, b"\0" + good],
    }
    for suite, values in others.items():
        for value in values:
            changed = copy.deepcopy(issuer.sign(badge(issuer), suite))
            changed["proof"][0]["proofValue"] = "z" + base58btc_encode(value)
            assert report(issuer, changed).checks[4].outcome == "failed"
