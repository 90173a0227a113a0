import json
from typing import Any

import pytest

from credentials import (
    MalformedError,
    PresentationReport,
    sign_presentation,
    sign_presentation_jwt,
    verify_presentation,
)
from credentials.errors import ContextError, UnsupportedError
from credentials.graph.documents import PACKAGED
from credentials.presentation import MAX_ADDRESSES, MAX_CREDENTIALS
from credentials.proofs.jose import decode_jwt
from credentials.report import NAMES, PRESENTATION_NAMES
from tests.credentials.parties import (
    DATA_INTEGRITY,
    EXAMPLES,
    NOW,
    SIGNED_AT,
    V1,
    V2,
    Party,
    World,
    check_of,
    not_passed,
    outcomes,
)

ISSUER, HOLDER, OTHER = Party(1), Party(2), Party(3)
CHALLENGE, DOMAIN = "5c3b9f4e", "https://employer.example"


def presentation(*credentials: Any, **changes: Any) -> dict[str, Any]:
    """Return an unsigned presentation of the holder's; a change to None takes the member away."""
    members = {
        "@context": [V2],
        "id": "urn:uuid:6f3b9a52-0000-4000-8000-00000000000f",
        "type": ["VerifiablePresentation"],
        "holder": HOLDER.did,
        "verifiableCredential": list(credentials) or [ISSUER.sign(ISSUER.credential())],
        **changes,
    }
    return {name: value for name, value in members.items() if value is not None}


def signed(
    document: dict[str, Any] | None = None, by: Party = HOLDER, suite: str = "eddsa-rdfc-2022", **options: Any
) -> dict[str, Any]:
    given = {"purpose": "authentication", "challenge": CHALLENGE, "domain": DOMAIN, **options}
    return by.sign(document or presentation(), suite, **given)


def report(received: Any, world: World | None = None, **options: Any) -> PresentationReport:
    text = received if isinstance(received, bytes | str) else json.dumps(received)
    given = {"now": NOW, "load": (world or World()).load, "challenge": CHALLENGE, "domain": DOMAIN, **options}
    return verify_presentation(text, **given)


def jwt(document: dict[str, Any] | None = None, typ: str | None = "vp+jwt", by: Party = HOLDER, **claims: Any) -> str:
    """Return a presentation as a JWT of either form; a claim of None takes it away."""
    shown = presentation() if document is None else document
    members = {"nonce": CHALLENGE, "aud": DOMAIN, **({"vp": shown} if typ is None else shown), **claims}
    return by.jwt({name: value for name, value in members.items() if value is not None}, typ)


def envelope(token: str, kind: str = "vp") -> dict[str, Any]:
    name = "EnvelopedVerifiablePresentation" if kind == "vp" else "EnvelopedVerifiableCredential"
    return {"@context": [V2], "type": name, "id": f"data:application/{kind}+jwt,{token}"}


# --- What is good ---


def test_a_presentation_is_verified_check_by_check() -> None:
    found = report(signed())
    assert found.verdict == "verified"
    assert [(check.name, check.outcome, check.findings) for check in found.checks] == [
        (name, "passed", ()) for name in PRESENTATION_NAMES
    ]
    assert [inner.verdict for inner in found.credentials] == ["verified"]
    assert [check.name for check in found.credentials[0].checks] == list(NAMES)


@pytest.mark.parametrize("suite", ["eddsa-rdfc-2022", "ecdsa-rdfc-2019", "eddsa-jcs-2022", "ecdsa-jcs-2019"])
def test_it_is_verified_in_every_suite(suite: str) -> None:
    holder = f"did:key:{(HOLDER.ed25519 if suite.startswith('eddsa') else HOLDER.p256).key.multikey}"
    assert report(signed(presentation(holder=holder), suite=suite)).verdict == "verified"


@pytest.mark.parametrize("typ", ["vp+jwt", "application/vp+jwt", "vp+ld+jwt", "vp-ld+jwt", "JWT", None])
def test_it_is_verified_as_a_jwt(typ: str | None) -> None:
    found = report(jwt(typ=typ))
    assert (found.verdict, found.form, not_passed(found)) == ("verified", "jwt", [])
    assert found.presentation == presentation()


def test_it_is_verified_in_an_envelope() -> None:
    found = report(envelope(jwt()))
    assert (found.verdict, found.form) == ("verified", "json")


def test_a_presentation_of_the_older_data_model_is_verified() -> None:
    older = ISSUER.credential(
        **{"@context": [V1, EXAMPLES, DATA_INTEGRITY]}, validFrom=None, issuanceDate="2026-01-01T00:00:00Z"
    )
    shown = presentation(ISSUER.sign(older), **{"@context": [V1, DATA_INTEGRITY]})
    assert report(signed(shown)).verdict == "verified"
    claims = {"iss": ISSUER.did, "jti": older["id"], "nbf": 1767225600, "sub": "did:example:member-1"}
    token = ISSUER.jwt({**claims, "vc": older}, None)
    found = report(jwt(presentation(token, holder=None, **{"@context": [V1]}), typ=None, iss=HOLDER.did))
    assert (found.verdict, outcomes(found)["holder"]) == ("verified", "passed"), not_passed(found)
    assert [inner.form for inner in found.credentials] == ["jwt"]


def test_every_form_of_credential_in_it_gets_its_own_report() -> None:
    token = ISSUER.jwt(ISSUER.credential(), "vc+jwt")
    badly_signed = ISSUER.sign(ISSUER.credential())
    badly_signed["credentialSubject"]["degree"] = "A"
    shown = presentation(ISSUER.sign(ISSUER.credential()), envelope(token, "vc"), badly_signed)
    found = report(jwt(shown))
    assert [inner.verdict for inner in found.credentials] == ["verified", "verified", "rejected"]
    assert [inner.form for inner in found.credentials] == ["json", "json", "json"]
    assert not_passed(found) == [
        ("credentials", "failed", [("credential-not-verified", "/verifiableCredential/2")]),
    ]
    assert "credential, proof: " in check_of(found, "credentials").findings[0].message


def test_a_single_credential_need_not_be_in_an_array() -> None:
    shown = presentation(verifiableCredential=ISSUER.sign(ISSUER.credential()))
    assert report(signed(shown)).verdict == "verified"
    found = report(signed(presentation(verifiableCredential=ISSUER.credential())))
    assert not_passed(found) == [("credentials", "failed", [("credential-not-verified", "/verifiableCredential")])]


def test_a_presentation_of_nothing_proves_who_presents_it() -> None:
    found = report(signed(presentation(verifiableCredential=None)))
    assert (found.verdict, outcomes(found)["credentials"]) == ("verified", "skipped")


def test_the_holder_may_be_an_object() -> None:
    found = report(signed(presentation(holder={"id": HOLDER.did, "name": "Member 1"})))
    assert found.verdict == "verified"


def test_several_proofs_are_each_for_the_challenge() -> None:
    shown = presentation()
    options = {"purpose": "authentication", "domain": DOMAIN}
    first = HOLDER.prove(shown, challenge=CHALLENGE, **options)
    for challenge, verdict in ((CHALLENGE, "verified"), ("another", "rejected")):
        second = HOLDER.prove(shown, "ecdsa-rdfc-2019", challenge=challenge, **options)
        found = report({**shown, "proof": [first, second]})
        assert found.verdict == verdict
    assert not_passed(found) == [("proof", "failed", [("challenge-other", "/proof/1/challenge")])]


def test_the_report_for_programs_says_the_same() -> None:
    written = json.loads(json.dumps(report(signed()).to_json()))
    assert list(written) == ["verdict", "form", "checks", "presentation", "credentials"]
    assert [check["name"] for check in written["checks"]] == list(PRESENTATION_NAMES)
    assert written["checks"][0] == {"name": "parse", "outcome": "passed", "findings": []}
    assert written["presentation"] == signed()
    assert written["credentials"][0]["credential"] == ISSUER.sign(ISSUER.credential())


# --- For whom it was made ---


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({"challenge": None}, ("challenge-missing", "challenge", "nonce")),
        ({"challenge": "another"}, ("challenge-other", "challenge", "nonce")),
        ({"domain": None}, ("domain-missing", "domain", "aud")),
        ({"domain": "https://thief.example"}, ("domain-other", "domain", "aud")),
        ({"domain": [DOMAIN, "https://thief.example"]}, ("domain-other", "domain", "aud")),
    ],
)
def test_a_presentation_made_for_somebody_else_fails(options: dict[str, Any], fault: tuple[str, str, str]) -> None:
    code, in_proof, in_jwt = fault
    found = report(signed(**options))
    assert not_passed(found) == [("proof", "failed", [(code, f"/proof/0/{in_proof}")])]
    names = {"challenge": "nonce", "domain": "aud"}
    found = report(jwt(**{names[name]: value for name, value in options.items()}))
    assert not_passed(found) == [("proof", "failed", [(code, f"/{in_jwt}")])]


def test_a_presentation_for_somebody_fails_where_nobody_says_who_asks() -> None:
    assert not_passed(report(signed(), domain=None)) == [
        ("proof", "failed", [("domain-unexpected", "/proof/0/domain")])
    ]
    assert not_passed(report(jwt(), domain=None)) == [("proof", "failed", [("domain-unexpected", "/aud")])]


def test_a_challenge_that_nobody_named_is_a_remark() -> None:
    for received, where in ((signed(domain=None), "/proof/0/challenge"), (jwt(aud=None), "/nonce")):
        found = report(received, challenge=None, domain=None)
        assert found.verdict == "verified"
        remarks = [(remark.code, remark.pointer) for remark in check_of(found, "proof").findings]
        assert remarks == [("challenge-not-compared", where)]


def test_without_challenge_and_domain_none_is_asked_for() -> None:
    found = report(signed(challenge=None, domain=None), challenge=None, domain=None)
    assert (found.verdict, check_of(found, "proof").findings) == ("verified", ())


def test_an_assertion_is_no_authentication() -> None:
    found = report(signed(purpose="assertionMethod"))
    assert not_passed(found) == [("proof", "failed", [("proof-purpose", "/proof/0/proofPurpose")])]


# --- Whose it is ---


def test_a_presentation_by_somebody_else_than_its_holder_fails() -> None:
    assert not_passed(report(signed(by=OTHER))) == [("holder", "failed", [("key-not-holders", "/holder")])]
    assert not_passed(report(jwt(by=OTHER))) == [("holder", "failed", [("key-not-holders", "/holder")])]


def web_holder(world: World, **relationships: Any) -> tuple[Party, dict[str, Any]]:
    party = Party(4, "members.example")
    world.documents["https://members.example/.well-known/jwks.json"] = {"keys": []}
    party.publish(world, **relationships)
    return party, presentation(holder=party.did)


def test_the_holder_publishes_the_key_for_authentication() -> None:
    world = World()
    party, shown = web_holder(world, authentication=[Party(4).ed25519])
    assert report(signed(shown, by=party), world).verdict == "verified"
    assert report(jwt(shown, by=party), world).verdict == "verified"
    web_holder(world, assertionMethod=[Party(4).ed25519])
    for received in (signed(shown, by=party), jwt(shown, by=party)):
        assert not_passed(report(received, world)) == [("holder", "failed", [("key-not-holders", "/holder")])]


def test_a_holder_that_cannot_be_looked_up_is_undecided() -> None:
    party, shown = web_holder(World())
    outcome = not_passed(report(signed(shown, by=party)))
    assert [(name, how) for name, how, _ in outcome] == [("proof", "undecided"), ("holder", "undecided")]
    found = report(HOLDER.jwt({**shown, "nonce": CHALLENGE, "aud": DOMAIN}, "vp+jwt"))
    assert not_passed(found) == [("holder", "undecided", [("address-unavailable", "/holder")])]


def test_a_holder_whose_address_is_no_did_has_no_key() -> None:
    for address, code in (("did:web:1.2.3.4", "key-not-holders"), ("did:jwk:e30", "key-unsupported")):
        outcome = "undecided" if code == "key-unsupported" else "failed"
        found = report(jwt(presentation(holder=address)))
        assert not_passed(found) == [("holder", outcome, [(code, "/holder")])]
    found = report(jwt(presentation(holder="did:key:x")))
    assert not_passed(found) == [("holder", "failed", [("multikey-malformed", "/holder")])]


def test_without_a_holder_the_key_is_its_controllers_for_authentication() -> None:
    found = report(signed(presentation(holder=None)))
    assert (found.verdict, outcomes(found)["holder"]) == ("verified", "skipped")
    world = World()
    party, _ = web_holder(world, assertionMethod=[Party(4).ed25519])
    for received in (signed(presentation(holder=None), by=party), jwt(presentation(holder=None), by=party)):
        assert not_passed(report(received, world)) == [("holder", "failed", [("key-not-holders", "")])]


def test_a_key_of_nobody_shows_that_the_presenter_has_it() -> None:
    token = HOLDER.jwt(
        presentation(holder=None) | {"nonce": CHALLENGE, "aud": DOMAIN}, "vp+jwt", kid=None, embed_key=True
    )
    found = report(token)
    assert (found.verdict, outcomes(found)["holder"]) == ("verified", "skipped")


# --- Without proof ---


def test_a_presentation_without_proof_fails() -> None:
    assert not_passed(report(presentation())) == [("proof", "failed", [("proof-missing", "/proof")])]
    found = report(presentation(), challenge=None, domain=None)
    assert (found.verdict, outcomes(found)["holder"]) == ("rejected", "skipped")


def test_a_presentation_without_proof_may_be_accepted_as_a_wrapping() -> None:
    found = report(presentation(holder=None), challenge=None, domain=None, unsigned=True)
    assert (found.verdict, outcomes(found)["proof"], outcomes(found)["holder"]) == ("verified", "skipped", "skipped")
    assert [inner.verdict for inner in found.credentials] == ["verified"]


def test_a_holder_is_not_proven_by_a_wrapping() -> None:
    found = report(presentation(), challenge=None, domain=None, unsigned=True)
    assert not_passed(found) == [("holder", "undecided", [("holder-not-proven", "/holder")])]


@pytest.mark.parametrize("asked", [{"challenge": CHALLENGE}, {"domain": DOMAIN}])
def test_a_wrapping_answers_no_challenge(asked: dict[str, str]) -> None:
    options: Any = {"challenge": None, "domain": None, **asked}
    found = report(presentation(holder=None), **options, unsigned=True)
    assert not_passed(found) == [("proof", "failed", [("proof-missing", "/proof")])]


def test_an_empty_wrapping_shows_nothing() -> None:
    nothing: tuple[Any, ...] = (None, [])
    for value in nothing:
        found = report(
            presentation(holder=None, verifiableCredential=value), challenge=None, domain=None, unsigned=True
        )
        assert not_passed(found) == [("proof", "failed", [("proof-missing", "/proof")])]


def test_a_proof_that_is_there_has_to_hold_in_a_wrapping_too() -> None:
    received = signed(challenge=None, domain=None)
    received["proof"][0]["proofValue"] = received["proof"][0]["proofValue"][:-1] + "1"
    found = report(received, challenge=None, domain=None, unsigned=True)
    assert outcomes(found)["proof"] == "failed"


# --- Form ---


FORM: list[tuple[dict[str, Any], str, tuple[str, str]]] = [
    ({"@context": None}, "context", ("member-missing", "/@context")),
    ({"@context": [EXAMPLES, V2]}, "context", ("context-order", "/@context/0")),
    ({"@context": V2}, "context", ("member-type", "/@context")),
    ({"type": None}, "schema", ("member-missing", "/type")),
    ({"type": ["VerifiableCredential"]}, "schema", ("type-missing", "/type")),
    ({"id": ["urn:x:1", "urn:x:2"]}, "schema", ("member-type", "/id")),
    ({"id": "not an address"}, "context", ("relative-iri", "/id")),
    ({"holder": ["did:example:1"]}, "schema", ("member-type", "/holder")),
    ({"holder": {"name": "Member 1"}}, "schema", ("member-missing", "/holder/id")),
    (
        {"verifiableCredential": ["https://issuer.example/credentials/1"]},
        "schema",
        ("member-type", "/verifiableCredential/0"),
    ),
    ({"verifiableCredential": [7]}, "schema", ("member-type", "/verifiableCredential/0")),
    ({"termsOfUse": [{"id": "urn:x:1"}]}, "schema", ("member-missing", "/termsOfUse/0/type")),
    ({"https://schema.org/name": "hidden"}, "schema", ("member-not-term", "/https:~1~1schema.org~1name")),
    ({"colour": "red"}, "context", ("undefined-term", "/colour")),
    ({"type": ["VerifiablePresentation", "Unknown"]}, "context", ("undefined-type", "/type/1")),
]


@pytest.mark.parametrize(("change", "check", "fault"), FORM, ids=[f"{code}{where}" for _, _, (code, where) in FORM])
def test_a_fault_of_form_is_found_at_its_place(change: dict[str, Any], check: str, fault: tuple[str, str]) -> None:
    found = report(jwt(presentation(**change)))
    faults = [item for item in not_passed(found) if item[0] != "credentials"]
    assert (check, "failed", [fault]) in faults


def test_the_older_data_model_takes_compact_tokens_and_nothing_else() -> None:
    found = report(jwt(presentation("https://issuer.example/1", **{"@context": [V1]}), typ=None))
    assert [item for item in not_passed(found) if item[0] == "schema"] == [
        ("schema", "failed", [("value-malformed", "/verifiableCredential/0")])
    ]


def test_what_a_proof_over_meaning_leaves_open_is_undecided() -> None:
    terms = [{"id": "urn:x:terms", "type": "IssuerPolicy"}, {"id": "urn:x:terms", "type": "IssuerPolicy"}]
    shown = presentation(termsOfUse=terms, **{"@context": [V2, EXAMPLES]})
    found = report(signed(shown))
    assert not_passed(found) == [("schema", "undecided", [("value-repeated", "/termsOfUse/1")])]
    assert report(signed(shown, suite="eddsa-jcs-2022")).verdict == "verified"


def test_what_a_credential_leaves_undefined_keeps_the_proof_from_being_checked() -> None:
    plain = {"@context": [V2], "type": ["VerifiableCredential"], "credentialSubject": {"id": "did:example:member-1"}}
    open_ended = {**ISSUER.sign(ISSUER.credential(**plain), "eddsa-jcs-2022"), "colour": "red"}
    received = signed()
    received["verifiableCredential"] = [open_ended]
    found = report(received)
    assert outcomes(found) == {
        "parse": "passed",
        "context": "failed",
        "schema": "passed",
        "proof": "undecided",
        "holder": "undecided",
        "credentials": "failed",
    }
    assert check_of(found, "context").findings[0].pointer == "/verifiableCredential/0/colour"


def test_an_unknown_context_is_undecided() -> None:
    found = report(jwt(presentation(**{"@context": [V2, "https://unknown.example/context"]})))
    assert not_passed(found) == [("context", "undecided", [("context-unknown", "/@context/1")])]


@pytest.mark.parametrize(
    ("received", "code"),
    [
        ("nothing", "json-syntax"),
        ("[]", "presentation-malformed"),
        (b"\xff", "json-not-utf8"),
        ("a.b.c", "jwt-malformed"),
        (json.dumps(envelope("a.b.c") | {"id": "https://x.example"}), "envelope-malformed"),
    ],
)
def test_what_is_no_presentation_is_rejected(received: bytes | str, code: str) -> None:
    found = report(received)
    assert (found.verdict, found.presentation, found.credentials) == ("rejected", None, ())
    assert [(check.name, check.outcome) for check in found.checks] == [
        ("parse", "failed"),
        *((name, "skipped") for name in PRESENTATION_NAMES[1:]),
    ]
    assert check_of(found, "parse").findings[0].code == code


@pytest.mark.parametrize("value", [7, None, "a.b.c", [], "text"])
def test_what_is_no_credential_in_it_is_rejected(value: Any) -> None:
    found = report(jwt(presentation(verifiableCredential=[value])))
    assert found.verdict == "rejected"
    assert [check.outcome for check in found.credentials[0].checks][:2] == ["failed", "skipped"]


# --- JWT ---


@pytest.mark.parametrize(
    ("claims", "typ", "fault"),
    [
        ({"iss": OTHER.did}, "vp+jwt", ("jwt-claim-mismatch", "/iss")),
        ({"jti": "urn:x:other"}, "vp+jwt", ("jwt-claim-mismatch", "/jti")),
        ({"jti": "urn:x:other"}, None, ("jwt-claim-mismatch", "/jti")),
        ({"vp": {}}, "vp+jwt", ("jwt-claim-forbidden", "/vp")),
        ({"vc": {}}, "vp+jwt", ("jwt-claim-forbidden", "/vc")),
        ({"iat": "today"}, "vp+jwt", ("jwt-claim-malformed", "/iat")),
        ({"exp": 1}, "vp+jwt", ("jwt-expired", "/exp")),
        ({"exp": 1}, None, ("jwt-expired", "/exp")),
        ({"nbf": 4102444800}, None, ("jwt-not-yet-valid", "/nbf")),
    ],
)
def test_a_claim_that_does_not_fit_fails(claims: dict[str, Any], typ: str | None, fault: tuple[str, str]) -> None:
    found = [item for item in not_passed(report(jwt(typ=typ, **claims))) if item[0] == "proof"]
    assert found == [("proof", "failed", [fault])]


def test_an_audience_is_made_of_texts() -> None:
    found = report(jwt(aud=[{"id": DOMAIN}]))
    assert not_passed(found) == [("proof", "failed", [("jwt-claim-malformed", "/aud"), ("domain-other", "/aud")])]


def test_claims_may_repeat_the_presentation() -> None:
    assert report(jwt(iss=HOLDER.did, jti=presentation()["id"], iat=1767225600)).verdict == "verified"


def test_a_credential_is_no_presentation_and_the_other_way_round() -> None:
    found = report(jwt(typ="vc+jwt"))
    assert not_passed(found) == [("proof", "failed", [("jwt-type", "/typ")])]
    inner = ISSUER.jwt(ISSUER.credential(), "vp+jwt")
    found = report(jwt(presentation(envelope(inner, "vc"))))
    assert not_passed(found.credentials[0]) == [("proof", "failed", [("jwt-type", "/typ")])]


def test_a_changed_token_fails() -> None:
    header, _, signature = jwt().split(".")
    _, payload, _ = jwt(presentation(id=None)).split(".")
    assert not_passed(report(f"{header}.{payload}.{signature}")) == [("proof", "failed", [("signature-invalid", "")])]


# --- Bounds ---


def test_more_credentials_than_are_looked_at_are_undecided() -> None:
    credential = ISSUER.jwt(ISSUER.credential(), "vc+jwt")
    found = report(jwt(presentation(*[envelope(credential, "vc")] * (MAX_CREDENTIALS + 1))))
    assert not_passed(found) == [("credentials", "undecided", [("credentials-too-many", "/verifiableCredential")])]
    assert len(found.credentials) == MAX_CREDENTIALS


def test_the_documents_loaded_for_one_presentation_are_bounded() -> None:
    entries = [
        {"id": f"https://lists.example/{number}", "type": "1EdTechRevocationList"} for number in range(MAX_ADDRESSES)
    ]
    extensions = "https://purl.imsglobal.org/spec/ob/v3p0/extensions.json"
    shown = [
        ISSUER.sign(
            ISSUER.credential(**{"@context": [V2, EXAMPLES, extensions]}, credentialStatus=entries[at : at + 8])
        )
        for at in range(0, MAX_ADDRESSES + 8, 8)
    ]
    world = World()
    found = report(signed(presentation(*shown)), world)
    assert found.verdict == "undecided"
    assert len(world.asked) == MAX_ADDRESSES


# --- Creating ---


OWN: Any = {"verification_method": HOLDER.method(HOLDER.ed25519), "created": SIGNED_AT}


def test_what_is_signed_is_verified() -> None:
    made = sign_presentation(presentation(), HOLDER.ed25519, **OWN, challenge=CHALLENGE, domain=DOMAIN)
    assert made == signed()
    for suite in ("eddsa-rdfc-2022", "eddsa-jcs-2022"):
        made = sign_presentation(presentation(), HOLDER.ed25519, **OWN, suite=suite)
        assert report(made, challenge=None, domain=None).verdict == "verified"


def test_what_is_signed_as_a_jwt_is_verified() -> None:
    kid = HOLDER.method(HOLDER.ed25519)
    token = sign_presentation_jwt(presentation(), HOLDER.ed25519, kid=kid, challenge=CHALLENGE, domain=DOMAIN)
    assert report(token).verdict == "verified"
    assert decode_jwt(token).header == {"alg": "EdDSA", "kid": kid, "typ": "vp+jwt"}
    plain = sign_presentation_jwt(presentation(), HOLDER.ed25519, kid=kid)
    assert report(plain, challenge=None, domain=None).verdict == "verified"


def test_what_would_not_be_verified_is_not_signed() -> None:
    def both(document: dict[str, Any]) -> None:
        sign_presentation(document, HOLDER.ed25519, **OWN, suite="eddsa-jcs-2022")

    def as_jwt(document: dict[str, Any]) -> None:
        sign_presentation_jwt(document, HOLDER.ed25519, kid="did:example:1#key")

    for made in (both, as_jwt):
        with pytest.raises(MalformedError, match="expected type to contain VerifiablePresentation"):
            made(presentation(type=["VerifiableCredential"]))
        with pytest.raises(ContextError) as refused:
            made(presentation(colour="red"))
        assert refused.value.code == "undefined-term"
    with pytest.raises(MalformedError) as present:
        both(signed())
    assert present.value.code == "proof-present"
    with pytest.raises(UnsupportedError) as older:
        as_jwt(presentation(verifiableCredential=None, **{"@context": [V1]}))
    assert older.value.code == "jwt-version-unsupported"
    with pytest.raises(UnsupportedError) as unknown:
        sign_presentation(presentation(), HOLDER.ed25519, **OWN, suite="unknown", contexts=PACKAGED)
    assert unknown.value.code == "suite-unsupported"
