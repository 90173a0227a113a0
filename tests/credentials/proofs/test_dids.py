import contextlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from credentials.errors import CredentialError, ProofError, UnavailableError, UnsupportedError
from credentials.graph.documents import Fetched
from credentials.proofs.dids import did_web, did_web_url, find_published, resolve_key
from credentials.proofs.encodings import base58btc_encode, base64url_encode
from credentials.proofs.keys import VerificationKey

ED25519 = VerificationKey.from_public_key(Ed25519PrivateKey.from_private_bytes(bytes(range(32))).public_key())
OTHER = VerificationKey.from_public_key(Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33))).public_key())
P256 = VerificationKey.from_public_key(ec.derive_private_key(2**200 + 7, ec.SECP256R1()).public_key())
P384 = VerificationKey.from_public_key(ec.derive_private_key(2**300 + 7, ec.SECP384R1()).public_key())
RSA = VerificationKey.from_public_key(rsa.generate_private_key(public_exponent=65537, key_size=2048).public_key())

DID = "did:web:badges.example:networks:north"
DID_URL = "https://badges.example/networks/north/did.json"
HTTPS = "https://issuer.example/north"
JWKS = "/.well-known/jwks.json"


class Web:
    """Documents by address, as `Load` wants them; remembers what was asked for."""

    def __init__(self, documents: dict[str, Any]) -> None:
        self.documents = documents
        self.asked: list[str] = []

    def __call__(self, url: str) -> Fetched:
        self.asked.append(url)
        if url not in self.documents:
            raise UnavailableError("fetch-failed", f"{url} is not there")
        document = self.documents[url]
        return Fetched(document if isinstance(document, bytes) else json.dumps(document).encode(), "application/json")


NOWHERE = Web({})


def multikey(key: VerificationKey, owner: str = DID, **changes: Any) -> dict[str, Any]:
    method = {"id": f"{owner}#{key.multikey}", "type": "Multikey", "controller": owner}
    return method | {"publicKeyMultibase": key.multikey} | changes


def json_web_key(key: VerificationKey, owner: str = DID, **changes: Any) -> dict[str, Any]:
    method = {"id": f"{owner}#jwk", "type": "JsonWebKey", "controller": owner}
    return method | {"publicKeyJwk": key.jwk} | changes


def document(*methods: dict[str, Any], owner: str = DID, **changes: Any) -> dict[str, Any]:
    listed = {"id": owner, "verificationMethod": list(methods), "assertionMethod": [method["id"] for method in methods]}
    return {name: value for name, value in (listed | changes).items() if value is not None}


# --- The identifier is the key ---


@pytest.mark.parametrize("key", [ED25519, P256, P384])
def test_a_did_key_is_its_own_document(key: VerificationKey) -> None:
    did, web = f"did:key:{key.multikey}", Web({})
    for address in (did, f"{did}#{key.multikey}"):
        found = resolve_key(address, web)
        assert (found.key, found.controller, found.method) == (key, did, f"{did}#{key.multikey}")
        assert found.belongs_to(did)
        assert not found.belongs_to("did:key:z6MkOther")
        assert not found.belongs_to(did, "keyAgreement")
    assert web.asked == []


@pytest.mark.parametrize("key", [ED25519, P256, P384, RSA])
def test_a_did_jwk_is_its_own_document(key: VerificationKey) -> None:
    did = "did:jwk:" + base64url_encode(json.dumps(key.jwk).encode())
    for address in (did, f"{did}#0"):
        found = resolve_key(address, NOWHERE)
        assert (found.key, found.controller, found.method) == (key, did, f"{did}#0")
        assert found.belongs_to(did)


def test_the_did_jwk_of_the_method_specification_is_read() -> None:
    did = (
        "did:jwk:eyJjcnYiOiJQLTI1NiIsImt0eSI6IkVDIiwieCI6ImFjYklRaXVNczNpOF91c3pFakoydHBUdFJNNEVVM3l6OTFQSDZDZEgyVjAi"
        "LCJ5IjoiX0tjeUxqOXZXTXB0bm1LdG00NkdxRHo4d2Y3NEk1TEtncmwyR3pIM25TRSJ9"
    )
    assert resolve_key(f"{did}#0", NOWHERE).key.jwk == {
        "crv": "P-256",
        "kty": "EC",
        "x": "acbIQiuMs3i8_uszEjJ2tpTtRM4EU3yz91PH6CdH2V0",
        "y": "_KcyLj9vWMptnmKtm46GqDz8wf74I5LKgrl2GzH3nSE",
    }


def did_jwk(text: bytes) -> str:
    return "did:jwk:" + base64url_encode(text)


@pytest.mark.parametrize(
    ("address", "kind", "code"),
    [
        ("", ProofError, "verification-method-malformed"),
        (None, ProofError, "verification-method-malformed"),
        (["did:key:z6Mk"], ProofError, "verification-method-malformed"),
        ("did:key:z" + "1" * 5000, ProofError, "verification-method-malformed"),
        (f"did:key:{ED25519.multikey}#{P256.multikey}", ProofError, "verification-method-missing"),
        ("did:key:z" + base58btc_encode(b"\xed\x01" + bytes(31)), ProofError, "multikey-malformed"),
        ("did:key:", ProofError, "multikey-malformed"),
        ("did:key:z6LSeu9HkTHSfLLeUs2nnzUSNedgDUevfNQgQjQC23ZCit6F", UnsupportedError, "key-unsupported"),
        (did_jwk(b"{}"), UnsupportedError, "key-unsupported"),
        (did_jwk(b"[]"), ProofError, "jwk-malformed"),
        (did_jwk(b"{"), ProofError, "did-malformed"),
        (did_jwk(b'{"kty":"OKP","kty":"EC"}'), ProofError, "did-malformed"),
        (did_jwk(json.dumps(P256.jwk | {"d": "AA"}).encode()), ProofError, "jwk-private"),
        (did_jwk(json.dumps(P256.jwk | {"use": "enc"}).encode()), ProofError, "jwk-inconsistent"),
        (did_jwk(json.dumps(P256.jwk).encode()) + "#1", ProofError, "verification-method-missing"),
        ("did:jwk:=", ProofError, "base64url-malformed"),
        ("did:ion:abc#key", UnsupportedError, "did-method-unsupported"),
        ("did:", UnsupportedError, "did-method-unsupported"),
    ],
)
def test_a_faulty_identifier_is_named(address: Any, kind: type[CredentialError], code: str) -> None:
    with pytest.raises(kind) as raised:
        resolve_key(address, NOWHERE)
    assert raised.value.code == code


# --- did:web ---


@pytest.mark.parametrize(
    ("url", "did", "location"),
    [
        ("https://example.org", "did:web:example.org", "https://example.org/.well-known/did.json"),
        ("https://example.org/a/b", "did:web:example.org:a:b", "https://example.org/a/b/did.json"),
        ("https://example.org:8443/a", "did:web:example.org%3A8443:a", "https://example.org:8443/a/did.json"),
        ("https://xn--bcher-kva.example/a%20b", "did:web:xn--bcher-kva.example:a%20b", None),
        ("http://localhost:8000/n", "did:web:localhost%3A8000:n", "http://localhost:8000/n/did.json"),
        ("http://localhost", "did:web:localhost", "http://localhost/.well-known/did.json"),
    ],
)
def test_a_did_web_and_its_address_belong_together(url: str, did: str, location: str | None) -> None:
    assert did_web(url) == did
    assert did_web_url(did) == (location or f"{url}/did.json")


def test_the_port_of_a_did_web_may_be_written_in_small_letters() -> None:
    assert did_web_url("did:web:example.org%3a8443") == "https://example.org:8443/.well-known/did.json"


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/a",  # http is for localhost only
        "https://localhost/a",
        "https://192.0.2.1/a",
        "https://[2001:db8::1]/a",
        "https://example.org/",
        "https://example.org/a/",
        "https://example.org//a",
        "https://example.org/a?b",
        "https://example.org/a#b",
        "https://example.org/a:b",
        "https://user@example.org/a",
        "https://example.org:99999",
        "https://example.org/a/../b",
        "https://bücher.example",
        "example.org",
        "",
    ],
)
def test_an_address_that_no_did_web_can_name_is_refused(url: str) -> None:
    with pytest.raises(ProofError) as raised:
        did_web(url)
    assert raised.value.code == "did-malformed"


@pytest.mark.parametrize(
    "did",
    [
        "did:web:",
        "did:web:127.0.0.1",
        "did:web:127.1",
        "did:web:2130706433",
        "did:web:0x7f.0x1",
        "did:web:%5B::1%5D",
        "did:web:example.org%3A0",
        "did:web:example.org%3A65536",
        "did:web:example.org%3A",
        "did:web:example.org::a",
        "did:web:example.org:",
        "did:web:example.org:..",
        "did:web:example.org:a:%2e%2E:b",
        "did:web:example.org/a",
        "did:web:example.org?a",
        "did:web:-example.org",
        "did:web:example..org",
        "did:web:user@example.org",
        "did:web:exämple.org",
        "did:web:example.org:a%2",
        "did:web:" + ".".join(["a" * 50] * 6),
    ],
)
def test_a_faulty_did_web_is_refused_before_anything_is_loaded(did: str) -> None:
    web = Web({})
    with pytest.raises(ProofError) as raised:
        resolve_key(f"{did}#key", web)
    assert raised.value.code == "did-malformed"
    assert web.asked == []


# --- Documents about somebody ---


@pytest.mark.parametrize("key", [ED25519, P256, P384])
@pytest.mark.parametrize(("owner", "location"), [(DID, DID_URL), (HTTPS, HTTPS)])
def test_a_multikey_is_found_in_its_owners_document(key: VerificationKey, owner: str, location: str) -> None:
    web = Web({location: document(multikey(OTHER, owner), multikey(key, owner), owner=owner)})
    found = resolve_key(f"{owner}#{key.multikey}", web)
    assert found.key == key
    assert found.belongs_to(owner)
    assert not found.belongs_to(owner, "authentication")
    assert web.asked == [location]


@pytest.mark.parametrize("kind", ["JsonWebKey", "JsonWebKey2020"])
@pytest.mark.parametrize("key", [ED25519, P256, P384, RSA])
def test_a_json_web_key_is_found_in_its_owners_document(key: VerificationKey, kind: str) -> None:
    web = Web({DID_URL: document(json_web_key(key, type=kind))})
    found = resolve_key(f"{DID}#jwk", web)
    assert found.key == key
    assert found.belongs_to(DID)


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        (ED25519, "Ed25519VerificationKey2020"),
        (P256, "EcdsaSecp256r1VerificationKey2019"),
        (P384, "EcdsaSecp384r1VerificationKey2019"),
    ],
)
def test_the_older_types_of_method_are_read(key: VerificationKey, kind: str) -> None:
    web = Web({DID_URL: document(multikey(key, type=kind))})
    assert resolve_key(f"{DID}#{key.multikey}", web).key == key


def test_ids_in_a_document_may_be_relative_and_methods_embedded() -> None:
    web = Web(
        {
            DID_URL: document(
                multikey(ED25519, id="#one"),
                assertionMethod=["#one", multikey(P256, id="#two")],
                authentication=f"{DID}#one",
            )
        }
    )
    one, two = (resolve_key(f"{DID}#{name}", web) for name in ("one", "two"))
    assert (one.key, one.method, one.purposes) == (
        ED25519,
        f"{DID}#one",
        frozenset({"assertionMethod", "authentication"}),
    )
    assert (two.key, two.method, two.purposes) == (P256, f"{DID}#two", frozenset({"assertionMethod"}))


def test_dates_published_with_a_key_are_told() -> None:
    dated = multikey(ED25519, revoked="2026-05-01T00:00:00Z", expires="2027-01-01T00:00:00+01:00")
    found = resolve_key(f"{DID}#{ED25519.multikey}", Web({DID_URL: document(dated)}))
    assert found.revoked_at == datetime(2026, 5, 1, tzinfo=UTC)
    assert found.expires_at == datetime(2026, 12, 31, 23, tzinfo=UTC)


def test_a_key_listed_for_nothing_belongs_to_nobody() -> None:
    found = resolve_key(f"{DID}#jwk", Web({DID_URL: document(json_web_key(P256), assertionMethod=None)}))
    assert (found.controller, found.purposes) == (DID, frozenset())
    assert not found.belongs_to(DID)


def test_a_key_in_a_fragment_proves_nothing() -> None:
    """Attack: `https://any.issuer#z6Mk...` with a key of the forger's own behind the sign."""
    web = Web({HTTPS: document(multikey(OTHER, HTTPS), owner=HTTPS)})
    with pytest.raises(ProofError) as raised:
        resolve_key(f"{HTTPS}#{ED25519.multikey}", web)
    assert raised.value.code == "verification-method-missing"


def test_a_document_cannot_speak_for_another_address() -> None:
    """Attack: a document at the forger's address that says that it is the issuer's."""
    web = Web({"https://forger.example/": document(multikey(ED25519, HTTPS), owner=HTTPS)})
    with pytest.raises(ProofError) as raised:
        resolve_key(f"https://forger.example/#{ED25519.multikey}", web)
    assert raised.value.code == "controller-document-mismatch"


def test_a_document_cannot_lend_its_key_to_another_controller() -> None:
    method = multikey(ED25519, controller="did:web:other.example")
    with pytest.raises(ProofError) as raised:
        resolve_key(method["id"], Web({DID_URL: document(method)}))
    assert raised.value.code == "controller-mismatch"


METHOD = multikey(ED25519)


@pytest.mark.parametrize(
    ("body", "kind", "code"),
    [
        (b"<html>", ProofError, "controller-document-malformed"),
        (b"\xff", ProofError, "controller-document-malformed"),
        (b"[" * 100_000, ProofError, "controller-document-malformed"),
        (b'{"id":"a","id":"b"}', ProofError, "controller-document-malformed"),
        (b" " * (1024 * 1024 + 1), ProofError, "controller-document-malformed"),
        ([], ProofError, "controller-document-malformed"),
        ({}, ProofError, "controller-document-mismatch"),
        (document(METHOD, id=None), ProofError, "controller-document-mismatch"),
        (document(METHOD, id=[DID]), ProofError, "controller-document-mismatch"),
        (document(METHOD, verificationMethod=None), ProofError, "verification-method-missing"),
        (document(METHOD, verificationMethod="x"), ProofError, "controller-document-malformed"),
        (document(METHOD, verificationMethod=[None]), ProofError, "controller-document-malformed"),
        (document(METHOD, verificationMethod=[{}]), ProofError, "controller-document-malformed"),
        (document(METHOD, verificationMethod=[METHOD, {"id": 7}]), ProofError, "controller-document-malformed"),
        (document(METHOD, assertionMethod=[7]), ProofError, "controller-document-malformed"),
        (document(METHOD, assertionMethod={"id": []}), ProofError, "controller-document-malformed"),
        (document(METHOD, keyAgreement=[[]]), ProofError, "controller-document-malformed"),
        (document(METHOD, METHOD | {"controller": "did:web:other.example"}), ProofError, "verification-method-repeated"),
        (document(METHOD, assertionMethod=[METHOD | {"expires": "2030-01-01T00:00:00Z"}]), ProofError, "verification-method-repeated"),
        (document(multikey(ED25519, type=None)), UnsupportedError, "key-unsupported"),
        (document(multikey(ED25519, type=["Multikey"])), UnsupportedError, "key-unsupported"),
        (document(multikey(ED25519, type="X25519KeyAgreementKey2020")), UnsupportedError, "key-unsupported"),
        (document(multikey(ED25519, type="JsonWebKey")), ProofError, "verification-method-malformed"),
        (document(multikey(ED25519, publicKeyJwk={})), ProofError, "verification-method-malformed"),
        (document(multikey(ED25519, publicKeyMultibase=7)), ProofError, "multikey-malformed"),
        (document(multikey(ED25519, publicKeyMultibase=P256.multikey, type="Ed25519VerificationKey2020")), ProofError, "verification-method-malformed"),
        (document(multikey(ED25519, secretKeyMultibase="z")), ProofError, "key-private-published"),
        (document(multikey(ED25519, privateKeyJwk={})), ProofError, "key-private-published"),
        (document(multikey(ED25519, revoked="2026-05-01")), ProofError, "verification-method-malformed"),
        (document(multikey(ED25519, expires=None)), ProofError, "verification-method-malformed"),
        (document(multikey(ED25519, controller=None)), ProofError, "controller-mismatch"),
        (document(multikey(ED25519, controller=[DID])), ProofError, "controller-mismatch"),
    ],
)  # fmt: skip
def test_a_faulty_document_is_named(body: Any, kind: type[CredentialError], code: str) -> None:
    with pytest.raises(kind) as raised:
        resolve_key(METHOD["id"], Web({DID_URL: body}))
    assert raised.value.code == code


@pytest.mark.parametrize(
    "body",
    [
        document(METHOD, METHOD),
        document(METHOD, assertionMethod=[METHOD]),
        document(METHOD, METHOD | {"id": "#" + ED25519.multikey}),
    ],
)
def test_a_method_that_stands_there_twice_and_says_the_same_is_one_key(body: Any) -> None:
    web = Web({DID_URL: body})
    found = resolve_key(METHOD["id"], web)
    assert (found.key, found.belongs_to(DID)) == (ED25519, True)
    assert find_published(DID, ED25519, web).key == ED25519


def test_what_cannot_be_loaded_is_unavailable_not_wrong() -> None:
    with pytest.raises(UnavailableError):
        resolve_key(METHOD["id"], NOWHERE)


@pytest.mark.parametrize(
    "address",
    [
        "http://issuer.example/key",
        "ftp://issuer.example/key",
        "file:///etc/passwd",
        "issuer.example",
        "#key",
        "https:///key",
        "https://user@issuer.example/key",
        "https://issuer.example:0/key",
        "https://issuer.example:99999/key",
        "https://[::1/key",
        "https://issuer.example/a b",
        "https://issuer.example/\n",
        "https://issuer.example\\@forger.example/",
        "https://bücher.example/key",
        "urn:uuid:58172aac-d8ba-11ed-83dd-0b3aef56cc33",
    ],
)
def test_an_address_that_is_not_plain_https_is_not_loaded(address: str) -> None:
    web = Web({address: P256.jwk})
    with pytest.raises(ProofError) as raised:
        resolve_key(address, web)
    assert raised.value.code == "verification-method-malformed"
    assert web.asked == []


# --- Keys at an address of their own ---


@pytest.mark.parametrize("address", ["https://issuer.example/keys/1", "http://localhost:8000/keys/1"])
def test_a_jwk_at_its_own_address_is_a_key_and_nobodys(address: str) -> None:
    found = resolve_key(address, Web({address: P256.jwk | {"kid": address, "iss": DID}}))
    assert (found.key, found.method, found.controller) == (P256, address, None)
    assert not found.belongs_to(DID)


def test_a_lone_method_is_a_key_and_nobodys_whatever_it_says() -> None:
    """Attack: a verification method at the forger's address whose `controller` is the issuer."""
    address = "https://forger.example/key#1"
    web = Web({"https://forger.example/key": multikey(ED25519, HTTPS, id=address)})
    found = resolve_key(address, web)
    assert (found.key, found.controller, found.purposes) == (ED25519, None, frozenset())


@pytest.mark.parametrize(
    ("address", "keys", "expected"),
    [
        ("https://issuer.example/jwks#two", [ED25519.jwk | {"kid": "one"}, P256.jwk | {"kid": "two"}], P256),
        ("https://issuer.example/jwks#two", [P256.jwk | {"kid": "https://issuer.example/jwks#two"}], P256),
        ("https://issuer.example/jwks", [P256.jwk | {"kid": "https://issuer.example/jwks"}, RSA.jwk], P256),
        ("https://issuer.example/jwks", [RSA.jwk | {"kid": "any"}], RSA),
        ("https://issuer.example/jwks#two", [P256.jwk], "verification-method-missing"),
        ("https://issuer.example/jwks", [P256.jwk, RSA.jwk], "verification-method-repeated"),
        ("https://issuer.example/jwks#a", [P256.jwk | {"kid": "a"}, RSA.jwk | {"kid": "a"}], "verification-method-repeated"),
        ("https://issuer.example/jwks", [], "verification-method-missing"),
        ("https://issuer.example/jwks#a", [P256.jwk | {"kid": ["a"]}], "verification-method-missing"),
        ("https://issuer.example/jwks", "keys", "controller-document-malformed"),
        ("https://issuer.example/jwks", [P256.jwk, "x"], "controller-document-malformed"),
        ("https://issuer.example/jwks", [P256.jwk | {"d": "AA"}], "jwk-private"),
    ],
)  # fmt: skip
def test_in_a_jwk_set_the_kid_chooses(address: str, keys: Any, expected: VerificationKey | str) -> None:
    web = Web({"https://issuer.example/jwks": {"keys": keys}})
    if isinstance(expected, VerificationKey):
        assert resolve_key(address, web).key == expected
    else:
        with pytest.raises(ProofError) as raised:
            resolve_key(address, web)
        assert raised.value.code == expected


def test_a_relative_name_is_the_issuers() -> None:
    web = Web(
        {
            DID_URL: document(multikey(ED25519, id="#one")),
            "https://badges.example" + JWKS: {"keys": [OTHER.jwk | {"kid": "k", "iss": "x"}, P256.jwk | {"kid": "k"}]},
        }
    )
    assert resolve_key("#one", web, issuer=DID).belongs_to(DID)
    named = resolve_key("k", web, issuer=DID)
    assert (named.key, named.belongs_to(DID)) == (P256, True)
    assert resolve_key(f"{DID}#one", web, issuer="https://other.example").controller == DID


# --- Whose key it is ---


@pytest.mark.parametrize(
    ("issuer", "documents"),
    [
        (f"did:key:{P256.multikey}", {}),
        (did_jwk(json.dumps(P256.jwk).encode()), {}),
        (DID, {DID_URL: document(multikey(OTHER), multikey(P256))}),
        (DID, {DID_URL: document(json_web_key(P256))}),
        (DID, {DID_URL: document(multikey(OTHER)), "https://badges.example" + JWKS: {"keys": [P256.jwk]}}),
        (DID, {"https://badges.example" + JWKS: {"keys": [OTHER.jwk, P256.jwk | {"iss": DID}]}}),
        (HTTPS, {HTTPS: document(multikey(P256, HTTPS), owner=HTTPS)}),
        (HTTPS, {HTTPS: {"id": HTTPS, "type": ["Profile"]}, "https://issuer.example" + JWKS: {"keys": [P256.jwk]}}),
        (HTTPS, {HTTPS: b"<html>", "https://issuer.example" + JWKS: {"keys": [P256.jwk | {"iss": HTTPS}]}}),
    ],
)
def test_a_key_that_the_issuer_publishes_is_found(issuer: str, documents: dict[str, Any]) -> None:
    found = find_published(issuer, P256, Web(documents))
    assert found.key == P256
    assert found.belongs_to(issuer)


def test_an_rsa_key_is_found_by_its_jwk() -> None:
    web = Web({DID_URL: document(multikey(OTHER), json_web_key(RSA))})
    assert find_published(DID, RSA, web).belongs_to(DID)


@pytest.mark.parametrize(
    ("issuer", "documents"),
    [
        (f"did:key:{OTHER.multikey}", {}),
        (DID, {DID_URL: document(multikey(OTHER)), "https://badges.example" + JWKS: {"keys": [OTHER.jwk]}}),
        (DID, {DID_URL: document(multikey(P256), assertionMethod=None), "https://badges.example" + JWKS: {"keys": []}}),
        (DID, {DID_URL: document(multikey(P256, controller=HTTPS)), "https://badges.example" + JWKS: {"keys": []}}),
        (DID, {DID_URL: {}, "https://badges.example" + JWKS: {"keys": [P256.jwk | {"iss": HTTPS}]}}),
        (DID, {DID_URL: {}, "https://badges.example" + JWKS: {"keys": [{"publicKeyJwk": "x"}]}}),
        (DID, {DID_URL: {}, "https://badges.example" + JWKS: {}}),
        ("urn:uuid:58172aac-d8ba-11ed-83dd-0b3aef56cc33", {}),
    ],
)
def test_a_key_that_the_issuer_does_not_publish_is_not_the_issuers(issuer: str, documents: dict[str, Any]) -> None:
    with pytest.raises(ProofError) as raised:
        find_published(issuer, P256, Web(documents))
    assert raised.value.code == "key-not-issuers"


def test_a_published_key_may_be_for_other_purposes() -> None:
    web = Web({DID_URL: document(multikey(P256), authentication=[f"{DID}#{P256.multikey}"])})
    assert find_published(DID, P256, web, purpose="authentication").key == P256
    with pytest.raises(ProofError):
        find_published(f"did:key:{P256.multikey}", P256, NOWHERE, purpose="keyAgreement")


def test_a_place_that_cannot_be_loaded_leaves_it_undecided() -> None:
    with pytest.raises(UnavailableError):
        find_published(DID, P256, NOWHERE)
    with pytest.raises(UnavailableError):
        find_published(DID, P256, Web({DID_URL: document(multikey(OTHER))}))
    with pytest.raises(UnavailableError):
        find_published(DID, P256, Web({"https://badges.example" + JWKS: {"keys": []}}))


def test_an_issuer_of_another_did_method_is_not_supported() -> None:
    with pytest.raises(UnsupportedError) as raised:
        find_published("did:ion:abc", P256, NOWHERE)
    assert raised.value.code == "did-method-unsupported"


def test_of_a_key_listed_twice_the_earlier_dates_count() -> None:
    web = Web(
        {
            DID_URL: document(
                multikey(P256, expires="2030-01-01T00:00:00Z"),
                json_web_key(P256, revoked="2026-05-01T00:00:00Z", expires="2029-01-01T00:00:00Z"),
            )
        }
    )
    found = find_published(DID, P256, web)
    assert found.revoked_at == datetime(2026, 5, 1, tzinfo=UTC)
    assert found.expires_at == datetime(2029, 1, 1, tzinfo=UTC)


# --- Anything at all ---

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.sampled_from([DID, METHOD["id"], "#", "Multikey"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["id", "type", "controller", "keys", "kty", "kid"]), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(
    member=st.sampled_from(["id", "verificationMethod", "assertionMethod", "keyAgreement", "keys", "kty"]),
    value=json_values,
    in_method=st.booleans(),
)
def test_no_document_makes_looking_up_fail_otherwise(member: str, value: Any, in_method: bool) -> None:
    body = document(METHOD | {member: value}) if in_method else document(METHOD) | {member: value}
    web = Web({DID_URL: body, HTTPS: body})
    for address, issuer in ((METHOD["id"], None), (HTTPS, None), ("k", HTTPS)):
        with contextlib.suppress(CredentialError):
            resolve_key(address, web, issuer=issuer)
    with contextlib.suppress(CredentialError):
        find_published(DID, ED25519, web)


@given(st.text() | st.from_regex(r"(did:(web|key|jwk):|https?://)[ -~]{0,30}", fullmatch=True))
def test_no_address_makes_looking_up_fail_otherwise(address: str) -> None:
    with contextlib.suppress(CredentialError):
        resolve_key(address, NOWHERE, issuer=address)
    with contextlib.suppress(CredentialError):
        find_published(address, P256, NOWHERE)
    with contextlib.suppress(CredentialError):
        did_web(address)


def test_vectors_of_did_key_name_themselves() -> None:
    vectors = json.loads((Path(__file__).parents[2] / "vectors/w3c-vc-di-eddsa/vectors.json").read_text())
    for proof in vectors["chain"]["proof"]:
        found = resolve_key(proof["verificationMethod"], NOWHERE)
        assert found.method == proof["verificationMethod"]
