"""Every fault has a whole document that has this one fault: the check that finds it is the only one that speaks.

The faulty document is signed as it is, so that no signature gives it away. What rests on a check that could not be made
is undecided with it, and named beside it.
"""

import copy
import json
import zlib
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from credentials import PACKAGED, bake
from credentials.findings import CODES
from credentials.proofs.dids import did_web_url
from credentials.proofs.encodings import base58btc_encode, base64url_encode
from credentials.proofs.jose import decode_jwt
from tests.credentials.test_verify import (
    FAULTS,
    OB,
    PNG,
    SVG,
    V2,
    Issuer,
    badge,
    edited,
    not_passed,
    proof_of,
    report,
    tampered,
)

SUBJECT = "/credentialSubject"
ACHIEVEMENT = f"{SUBJECT}/achievement"
DESCRIBED = f"{ACHIEVEMENT}/resultDescription"

V2_DIGEST = "sha256-" + b64encode(bytes.fromhex(PACKAGED.editions(V2)[0].sha256)).decode()

Make = Callable[[Issuer], Any]


@dataclass
class Fault:
    """What makes the document, the check that finds the fault and how, and what is undecided with it."""

    make: Make
    check: str
    pointer: str = ""
    outcome: str = "failed"
    with_it: tuple[str, ...] = ()
    recipient: str | None = None


def under_a_proof(change: Callable[[Any], object]) -> Make:
    """Return what puts a proof of the right form around what cannot be signed at all."""

    def make(issuer: Issuer) -> Any:
        members = badge(issuer) | {"proof": [proof_of(issuer)]}
        change(members)
        return members

    return make


def any_credential(**members: Any) -> Make:
    return lambda issuer: issuer.sign(
        {
            "@context": [V2],
            "type": ["VerifiableCredential"],
            "issuer": issuer.did,
            "credentialSubject": {"id": "did:example:1"},
            **members,
        }
    )


def of_somebody(**members: Any) -> Make:
    """Return what signs a credential with the terms of Open Badges that is none."""
    subject = {"id": "did:example:1", "type": "AchievementSubject", **members}
    return any_credential(**{"@context": [V2, OB], "credentialSubject": subject})


def unsigned(**members: Any) -> Make:
    """Return a credential that cannot be signed, with a proof of the right form and contexts that define every name."""
    return lambda issuer: {
        "@context": [V2, "https://www.w3.org/ns/credentials/examples/v2"],
        "type": ["VerifiableCredential"],
        "issuer": issuer.did,
        "credentialSubject": {"id": "did:example:1", **members},
        "proof": [proof_of(issuer)],
    }


def by_document(change: Callable[[Any], object]) -> Make:
    """Return what signs a badge without status, and changes the issuer's document."""

    def make(issuer: Issuer) -> Any:
        change(issuer.documents[did_web_url(issuer.did)])
        return issuer.sign(badge(issuer, lambda b: b.pop("credentialStatus")))

    return make


def proven(change: Callable[[Any], object]) -> Make:
    """Return what changes the proof of a badge."""

    def make(issuer: Issuer) -> Any:
        proof = proof_of(issuer)
        change(proof)
        return badge(issuer) | {"proof": [proof]}

    return make


def by_method(method: str) -> Make:
    return lambda issuer: badge(issuer) | {"proof": [proof_of(issuer, verification_method=method)]}


def by_key(**members: Any) -> Make:
    """Return what is signed by a key at an address of its own, of which a document says this."""

    def make(issuer: Issuer) -> Any:
        address = "https://key.example/1"
        issuer.documents[address] = members
        return badge(issuer) | {"proof": [proof_of(issuer, verification_method=address)]}

    return make


def token(change: Callable[[Any], object] = lambda _: None, **header: Any) -> Make:
    """Return what signs the claims of a badge, changed, under a header that is written as it is."""

    def make(issuer: Issuer) -> Any:
        payload = copy.deepcopy(dict(decode_jwt(issuer.sign_jwt(badge(issuer))).payload))
        change(payload)
        members = {"alg": "ES256", "kid": issuer.kid, **header}
        parts = [base64url_encode(json.dumps(part).encode()) for part in (members, payload)]
        return ".".join([*parts, base64url_encode(issuer.p256.sign(".".join(parts).encode()))])

    return make


def listed(**subject: Any) -> Make:
    """Return what signs a badge, and a status list of which something else is true."""

    def make(issuer: Issuer) -> Any:
        published = issuer.status_list()
        published["credentialSubject"].update(subject)
        issuer.documents[issuer.list_url] = issuer.sign(published)
        return issuer.sign(badge(issuer))

    return make


def bits(length: int) -> str:
    return "u" + base64url_encode(zlib.compress(bytes(length), wbits=31))


def achievement(change: Callable[[Any], object]) -> Make:
    return edited(lambda b: change(b["credentialSubject"]["achievement"]))


def subject(change: Callable[[Any], object]) -> Make:
    return edited(lambda b: change(b["credentialSubject"]))


RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
POINT = {"kty": "EC", "crv": "P-256", "x": base64url_encode(bytes(32)), "y": base64url_encode(bytes(31) + b"\1")}
UNDECIDED = ("proof", "issuer")

ASSETS: dict[str, Fault] = {
    # parse
    "json-too-large": Fault(lambda _: json.dumps([1] * 20_000), "parse"),
    "json-too-deep": Fault(lambda _: "[" * 65 + "]" * 65, "parse", "/0" * 64),
    "json-number": Fault(lambda _: '{"a": NaN}', "parse"),
    "json-lone-surrogate": Fault(lambda _: '{"a": "\\ud800"}', "parse", "/a"),
    "jwt-malformed": Fault(lambda _: "a.b.c", "parse"),
    "jwt-form-mismatch": Fault(
        token(lambda claims: claims.update(vc={"@context": [V2], "type": ["OpenBadgeCredential"]})), "parse", "/vc"
    ),
    "envelope-unsupported": Fault(
        lambda _: {"@context": [V2], "type": "EnvelopedVerifiableCredential", "id": "data:application/vc+sd-jwt,x"},
        "parse",
        "/id",
        outcome="undecided",
    ),
    "form-unsupported": Fault(lambda _: "e30.e30.AA~", "parse", outcome="undecided"),
    "image-unsupported": Fault(lambda _: b"<html/>", "parse"),
    "image-malformed": Fault(lambda issuer: bake(PNG.read_bytes(), issuer.sign_jwt(badge(issuer)))[:-1], "parse"),
    "image-too-large": Fault(lambda _: SVG + b" " * 16_777_216, "parse"),
    "image-two-credentials": Fault(
        lambda _: SVG[:-2] + b' xmlns:o="https://purl.imsglobal.org/ob/v3p0"><o:credential/><o:credential/></svg>',
        "parse",
    ),
    # context
    "context-inline": Fault(
        under_a_proof(lambda b: b["@context"].append({"a": "urn:a"})), "context", "/@context/3/a", with_it=UNDECIDED
    ),
    "context-too-complex": Fault(
        under_a_proof(lambda b: b["@context"].extend([V2, OB] * 2000)), "context", with_it=UNDECIDED
    ),
    "protected-term": Fault(
        under_a_proof(lambda b: b["@context"].insert(2, "https://purl.imsglobal.org/spec/ob/v3p0/context.json")),
        "context",
        "/@context/2",
        with_it=UNDECIDED,
    ),
    "json-ld-invalid": Fault(
        unsigned(more={"@value": 5, "@language": "en"}), "context", f"{SUBJECT}/more/@language", with_it=UNDECIDED
    ),
    "language-malformed": Fault(
        unsigned(more={"@value": "x", "@language": "no language"}),
        "context",
        f"{SUBJECT}/more/@language",
        with_it=UNDECIDED,
    ),
    "undefined-type": Fault(
        under_a_proof(lambda b: b["type"].append("Unheard")), "context", "/type/2", with_it=UNDECIDED
    ),
    "relative-iri": Fault(
        under_a_proof(lambda b: b["evidence"][0].update(id="relative")), "context", "/evidence/0/id", with_it=UNDECIDED
    ),
    "iri-malformed": Fault(
        under_a_proof(lambda b: b["evidence"][0].update(id="https://a b")),
        "context",
        "/evidence/0/id",
        with_it=UNDECIDED,
    ),
    "number-not-exact": Fault(
        under_a_proof(lambda b: b["credentialSubject"].update(creditsEarned=2**53)),
        "context",
        f"{SUBJECT}/creditsEarned",
        with_it=UNDECIDED,
    ),
    # schema
    "member-missing": Fault(edited(lambda b: b.pop("id")), "schema", "/id"),
    "member-forbidden": Fault(edited(lambda b: b["image"].update(name="n")), "schema", "/image/name"),
    "type-missing": Fault(
        edited(lambda b: b["evidence"].append({"id": "urn:e", "type": ["Profile"]})), "schema", "/evidence/2/type"
    ),
    "value-not-allowed": Fault(
        achievement(lambda a: a.update(achievementType="Medal")), "schema", f"{ACHIEVEMENT}/achievementType"
    ),
    "value-malformed": Fault(achievement(lambda a: a.update(inLanguage="EN")), "schema", f"{ACHIEVEMENT}/inLanguage"),
    "value-null": Fault(tampered(lambda b: b.update(relatedResource=None)), "schema", "/relatedResource"),
    "subject-empty": Fault(any_credential(credentialSubject=[]), "schema", SUBJECT),
    "digest-missing": Fault(
        edited(lambda b: b.update(relatedResource=[{"id": "urn:r"}])), "schema", "/relatedResource/0"
    ),
    "resource-repeated": Fault(
        edited(lambda b: b.update(relatedResource=[{"id": V2, "digestSRI": V2_DIGEST}] * 2)),
        "schema",
        "/relatedResource/1",
    ),
    "image-type": Fault(subject(lambda s: s["image"].update(id="data:image/gif,x")), "schema", f"{SUBJECT}/image/id"),
    "id-blank": Fault(edited(lambda b: b["evidence"][0].update(id="_:e")), "schema", "/evidence/0/id"),
    "member-keyword": Fault(
        tampered(lambda b: b["issuer"].update({"@nest": {"name": b["issuer"].pop("name")}})), "schema", "/issuer/@nest"
    ),
    "array-empty": Fault(tampered(lambda b: b.update(endorsementJwt=[])), "schema", "/endorsementJwt"),
    "array-nested": Fault(
        of_somebody(result=[[{"type": "Result"}]]), "schema", f"{SUBJECT}/result/0", outcome="undecided"
    ),
    "number-as-text": Fault(of_somebody(creditsEarned="3"), "schema", f"{SUBJECT}/creditsEarned", outcome="undecided"),
    "type-not-term": Fault(
        tampered(lambda b: b["type"].append("https://purl.imsglobal.org/spec/vc/ob/vocab.html#" + b["type"].pop())),
        "schema",
        "/type/1",
        outcome="undecided",
    ),
    "value-expanded": Fault(of_somebody(role={"@value": "r"}), "schema", f"{SUBJECT}/role", outcome="undecided"),
    "levels-out-of-order": Fault(
        tampered(
            lambda b: b["credentialSubject"]["achievement"]["resultDescription"][0]["rubricCriterionLevel"].reverse()
        ),
        "schema",
        f"{DESCRIBED}/0/rubricCriterionLevel",
        outcome="undecided",
    ),
    "id-ambiguous": Fault(
        achievement(lambda a: a["creator"].update(id="did:web:badges.example")),
        "schema",
        "/issuer",
        outcome="undecided",
    ),
    # subject
    "criteria-missing": Fault(achievement(lambda a: a.update(criteria={})), "subject", f"{ACHIEVEMENT}/criteria"),
    "result-level-unknown": Fault(
        subject(lambda s: s["result"][0].update(achievedLevel="urn:l")), "subject", f"{SUBJECT}/result/0/achievedLevel"
    ),
    "result-status-missing": Fault(subject(lambda s: s["result"][3].pop("status")), "subject", f"{SUBJECT}/result/3"),
    "result-value-not-allowed": Fault(
        subject(lambda s: s["result"][2].update(value="101")), "subject", f"{SUBJECT}/result/2/value"
    ),
    "required-level-unknown": Fault(
        achievement(lambda a: a["resultDescription"][0].update(requiredLevel="urn:l")),
        "subject",
        f"{DESCRIBED}/0/requiredLevel",
    ),
    "required-value-not-allowed": Fault(
        achievement(lambda a: a["resultDescription"][1].update(requiredValue="Z")),
        "subject",
        f"{DESCRIBED}/1/requiredValue",
    ),
    # proof
    "proof-malformed": Fault(proven(lambda proof: proof.pop("verificationMethod")), "proof", "/proof/0"),
    "proof-too-many": Fault(lambda issuer: badge(issuer) | {"proof": [proof_of(issuer)] * 17}, "proof", "/proof"),
    "proof-id-repeated": Fault(
        lambda issuer: badge(issuer) | {"proof": [proof_of(issuer, proof_id="urn:p")] * 2}, "proof", "/proof"
    ),
    "proof-key-mismatch": Fault(proven(lambda proof: proof.update(cryptosuite="ecdsa-rdfc-2019")), "proof", "/proof/0"),
    "proof-context-mismatch": Fault(proven(lambda proof: proof.update({"@context": [V2]})), "proof", "/proof/0"),
    "jwt-header-member": Fault(token(x5u="https://x.example/"), "proof", "/x5u"),
    "jwt-header-malformed": Fault(lambda issuer: token(kid=1, jwk=issuer.p256.key.jwk)(issuer), "proof", "/kid"),
    "graph-too-complex": Fault(
        unsigned(more=[{"more": [{"more": [{"more": []}] * 9}] * 9} for _ in range(9)]), "proof", "/proof/0"
    ),
    "jwt-critical": Fault(token(typ="vc+jwt", crit=["b64"]), "proof"),
    "jwt-algorithm-mismatch": Fault(token(alg="HS256"), "proof"),
    "jwt-claim-missing": Fault(token(lambda claims: claims.pop("jti")), "proof", "/jti"),
    "jwt-claim-malformed": Fault(token(lambda claims: claims.update(iat="today")), "proof", "/iat"),
    "jwt-claim-forbidden": Fault(token(lambda claims: claims.update(vc={}), typ="vc+jwt"), "proof", "/vc"),
    # keys
    "verification-method-malformed": Fault(by_method("ftp://key.example/1"), "proof", "/proof/0"),
    "did-malformed": Fault(by_method("did:web:127.0.0.1#key"), "proof", "/proof/0"),
    "controller-document-malformed": Fault(
        by_key(id="https://key.example/1", verificationMethod=[1]), "proof", "/proof/0"
    ),
    "controller-document-mismatch": Fault(by_key(id="https://other.example/"), "proof", "/proof/0"),
    "multikey-malformed": Fault(by_method("did:key:x"), "proof", "/proof/0"),
    "base58-malformed": Fault(by_method("did:key:z0"), "proof", "/proof/0"),
    "jwk-private": Fault(by_key(kty="OKP", crv="Ed25519", x="AA", d="AA"), "proof", "/proof/0"),
    "jwk-malformed": Fault(by_key(kty="OKP", crv="Ed25519", x="AA"), "proof", "/proof/0"),
    "jwk-inconsistent": Fault(lambda issuer: by_key(**issuer.ed25519.key.jwk, use="enc")(issuer), "proof", "/proof/0"),
    "base64url-malformed": Fault(by_key(kty="OKP", crv="Ed25519", x="A="), "proof", "/proof/0"),
    "key-not-on-curve": Fault(by_key(**POINT), "proof", "/proof/0"),
    "key-weak": Fault(by_method("did:key:z" + base58btc_encode(b"\xed\x01" + bytes(32))), "proof", "/proof/0"),
    "key-malformed": Fault(by_key(kty="RSA", n=base64url_encode(b"\xff" * 2048), e="AQAB"), "proof", "/proof/0"),
    "verification-method-repeated": Fault(
        by_document(lambda d: d["verificationMethod"].append(d["verificationMethod"][0] | {"type": "JsonWebKey"})),
        "proof",
        "/proof/0",
    ),
    "controller-mismatch": Fault(
        by_document(lambda d: d["verificationMethod"][0].update(controller="did:web:peer.example")), "proof", "/proof/0"
    ),
    "key-private-published": Fault(
        by_document(lambda d: d["verificationMethod"][0].update(secretKeyMultibase="z1")), "proof", "/proof/0"
    ),
    "key-unsupported": Fault(
        by_document(lambda d: d["verificationMethod"][0].update(type="Other")),
        "proof",
        "/proof/0",
        outcome="undecided",
        with_it=("issuer",),
    ),
    "suite-unsupported": Fault(
        proven(lambda proof: proof.update(cryptosuite="bbs-2023")),
        "proof",
        "/proof/0",
        outcome="undecided",
        with_it=("issuer",),
    ),
    "did-method-unsupported": Fault(
        by_method("did:example:1#2"), "proof", "/proof/0", outcome="undecided", with_it=("issuer",)
    ),
    # status
    "status-list-encoding": Fault(listed(encodedList="uAAAA"), "status", "/credentialStatus"),
    "status-list-too-large": Fault(listed(encodedList=bits(16 * 1024 * 1024 + 1)), "status", "/credentialStatus"),
    "status-list-too-short": Fault(
        listed(encodedList=bits(1024)), "status", "/credentialStatus/statusListCredential", outcome="undecided"
    ),
    # recipient
    "recipient-other": Fault(edited(lambda _: None), "recipient", SUBJECT, recipient="other@school.example"),
    "recipient-not-comparable": Fault(
        edited(lambda _: None), "recipient", SUBJECT, outcome="undecided", recipient="employee-17"
    ),
}


@pytest.mark.parametrize("code", ASSETS)
def test_one_fault_is_found_by_one_check(code: str) -> None:
    issuer, fault = Issuer("badges.example", 1), ASSETS[code]
    found = report(issuer, fault.make(issuer), recipient=fault.recipient)
    speaking = not_passed(found)
    assert (fault.check, fault.outcome, [(code, fault.pointer)]) in speaking
    assert [(name, outcome) for name, outcome, _ in speaking if name != fault.check] == [
        (name, "undecided") for name in fault.with_it
    ]


ELSEWHERE = {
    "context-digest": "of the registry, not of a document",
    "context-malformed": "the same",
    "date-not-whole-seconds": "at issue only",
    "proof-present": "the same",
    "jwt-version-unsupported": "the same",
    "json-type": "only what is no JSON text",
    "context-invalid": "the form names a context that is none, or one where none belongs, first",
    "nothing-stated": "the form names null first",
    "keyword-unsigned": "every keyword is named by the form first",
    "direction-malformed": "what reads JSON-LD refuses it first, as invalid",
    "jwt-key-missing": "in `test_verify`",
    "previous-proof-not-checked": "the same",
    "proof-not-checked": "what rests on a context, here and in `test_verify`",
    "context-unknown": "in `test_verify`",
    "too-many-addresses": "the same",
    "too-much-time": "the same",
    "too-much-work": "the same",
    "status-message": "the same: a remark",
    "status-list-signer": "tests of the status: a remark",
    "status-too-many": "the same",
    "endorsement-not-verified": "the same",
    "endorsement-of-other": "the same: a remark",
    "endorsements-too-many": "the same",
    "json-not-canonical": "the same",
    **dict.fromkeys(("challenge-missing", "challenge-other", "domain-missing", "domain-other"), "in `test_expected`"),
    **dict.fromkeys(
        (
            *("challenge-not-compared", "domain-unexpected", "holder-not-proven", "key-not-holders"),
            *("presentation-malformed", "credential-not-verified", "credentials-too-many"),
        ),
        "of presentations: in `test_presentation`",
    ),
    **dict.fromkeys(
        ("credential-refreshed", "refresh-not-asked", "refresh-not-verified"), "in `test_refresh`: remarks"
    ),
    **dict.fromkeys(("refresh-older", "refresh-other"), "the same: a reason that stands in a remark"),
    **dict.fromkeys(
        ("digest-malformed", "digest-mismatch", "digest-unsupported", "resource-not-asked", "resources-too-many"),
        "in `test_resources`",
    ),
    **dict.fromkeys(
        (
            *(
                "hosted-malformed",
                "hosted-elsewhere",
                "hosted-gone",
                "hosted-redirected",
                "hosted-out-of-scope",
                "hosted-differs",
            ),
            *("issuer-not-named", "older-signature-missing"),
        ),
        "of Open Badges 2.0 and before: in `test_older`",
    ),
    **dict.fromkeys(
        (
            *("schema-credential", "schema-credential-undecided", "schema-malformed", "schema-mismatch"),
            *("schema-too-complex", "schema-unknown", "schemas-too-many"),
        ),
        "in `test_schemas`",
    ),
}
"""Why a code is not in the tables of whole documents."""


def test_every_code_has_its_document() -> None:
    documents = ASSETS.keys() | {code for _, (_, _, code, _) in FAULTS.values()}
    assert documents & ELSEWHERE.keys() == set()
    assert CODES.keys() - documents == ELSEWHERE.keys()
