"""The statements of VC Data Model 2.0 and 1.1 that can be tested, each held at issue and at check.

What is accepted is signed, and verified as far as context and schema go; what is refused is not signed, and once
somebody else has signed it, is found. Two statements are held more strictly than they stand: a date without zone names
no instant, and a context that is not known here is never fetched.
"""

import json
from typing import Any

import pytest

from credentials import PACKAGED, CredentialError, Report, sign, verify, verify_presentation
from tests.credentials.parties import EXAMPLES, NOW, V1, V2, Party, World, check_of, not_passed

ISSUER = Party(1)
KIND = "https://example.org/#Kind"
DATA_INTEGRITY = "https://w3id.org/security/data-integrity/v2"
DIGEST = "sha256-" + "A" * 43 + "="
INLINE = PACKAGED.with_inline()


def general(**changes: Any) -> dict[str, Any]:
    """Return the smallest credential, unsigned; a change to ... takes the member away."""
    members = {
        "@context": [V2],
        "type": ["VerifiableCredential"],
        "issuer": ISSUER.did,
        "credentialSubject": {"id": "did:example:subject"},
        **changes,
    }
    return {name: value for name, value in members.items() if value is not ...}


def older(**changes: Any) -> dict[str, Any]:
    """Return the smallest credential of VC Data Model 1.1, unsigned."""
    return general(**{"@context": [V1, DATA_INTEGRITY], "issuanceDate": "2010-01-01T19:23:24Z", **changes})


def defining(name: str, address: str = "https://example.org/examples#Kind") -> list[Any]:
    return [V2, {name: address}]


def report(received: str | dict[str, Any]) -> Report:
    text = received if isinstance(received, str) else json.dumps(received)
    return verify(text, now=NOW, load=World().load, contexts=INLINE)


def accepted(credential: dict[str, Any]) -> None:
    method = ISSUER.method(ISSUER.ed25519)
    signed = sign(credential, ISSUER.ed25519, verification_method=method, created=NOW, contexts=INLINE)
    found = report(signed)
    assert check_of(found, "proof").outcome == check_of(found, "issuer").outcome == "passed"
    assert [item for item in not_passed(found) if item[:2] in {("context", "failed"), ("schema", "failed")}] == []


def refused(credential: dict[str, Any], code: str, where: str) -> None:
    method = ISSUER.method(ISSUER.ed25519)
    with pytest.raises(CredentialError) as raised:
        sign(credential, ISSUER.ed25519, verification_method=method, created=NOW, contexts=INLINE)
    assert (raised.value.code, raised.value.pointer) == (code, where)
    found = report(ISSUER.jwt(credential, "vc+jwt"))
    faults = [finding for check in found.checks if check.outcome != "passed" for finding in check.findings]
    assert found.verdict != "verified"
    assert (code, where) in [(fault.code, fault.pointer) for fault in faults]


# --- 4.3 Contexts ---


def test_a_credential_includes_a_context() -> None:
    accepted(general())
    refused(general(**{"@context": ...}), "member-missing", "/@context")


@pytest.mark.parametrize(
    ("contexts", "code", "where"),
    [
        ([EXAMPLES, V2], "context-order", "/@context/0"),
        ([EXAMPLES], "context-order", "/@context/0"),
        ([], "context-order", "/@context/0"),
        (V2, "member-type", "/@context"),
    ],
)
def test_the_contexts_are_an_ordered_set_that_begins_with_that_of_the_data_model(
    contexts: Any, code: str, where: str
) -> None:
    refused(general(**{"@context": contexts}), code, where)


@pytest.mark.parametrize("contexts", [[V2, EXAMPLES], defining("Kind"), [V2, EXAMPLES, {"Kind": KIND}]])
def test_further_contexts_are_addresses_and_objects(contexts: Any) -> None:
    accepted(general(**{"@context": contexts}))


@pytest.mark.parametrize(
    ("context", "code"),
    [
        ("https ://not-a-url/contexts/example/v1", "context-unknown"),
        ("https://unknown.example/context", "context-unknown"),
        (123192875, "member-type"),
        (None, "member-type"),
    ],
)
def test_further_contexts_can_be_processed(context: Any, code: str) -> None:
    refused(general(**{"@context": [V2, context]}), code, "/@context/1")


def test_a_context_redefines_no_protected_term() -> None:
    refused(
        general(**{"@context": defining("VerifiableCredential")}), "protected-term", "/@context/1/VerifiableCredential"
    )
    refused(general(**{"@context": defining("name")}), "protected-term", "/@context/1/name")


# --- 4.4 Identifiers ---


@pytest.mark.parametrize(
    "identifier", ["did:example:1", "urn:uuid:6f3b9a52-0000-4000-8000-000000000001", "https://x.example/1"]
)
def test_an_id_is_a_single_url(identifier: str) -> None:
    accepted(general(id=identifier))
    accepted(general(credentialSubject={"id": identifier}))


@pytest.mark.parametrize(
    ("identifier", "code"),
    [
        (None, "value-null"),
        (7, "member-type"),
        (["did:example:1", "did:example:2"], "member-type"),
        ("not-a-url", "relative-iri"),
    ],
)
def test_an_id_that_is_no_single_url_is_refused(identifier: Any, code: str) -> None:
    refused(general(id=identifier), code, "/id")
    refused(general(credentialSubject={"id": identifier, "name": "x"}), code, "/credentialSubject/id")


# --- 4.5 Types ---


@pytest.mark.parametrize(
    "changes",
    [
        {"type": "VerifiableCredential"},
        {"type": ["VerifiableCredential", "https://example.org/#X"]},
        {"type": ["https://example.org/#X", "VerifiableCredential"]},
        {"type": ["VerifiableCredential", "X"], "@context": defining("X")},
    ],
)
def test_types_are_terms_or_absolute_urls_in_any_order(changes: dict[str, Any]) -> None:
    accepted(general(**changes))


@pytest.mark.parametrize(
    ("changes", "code", "where"),
    [
        ({"type": ...}, "member-missing", "/type"),
        ({"type": ["https://example.org/#X"]}, "type-missing", "/type"),
        ({"type": ["VerifiableCredential", "Unmapped"]}, "undefined-type", "/type/1"),
        ({"type": ["VerifiableCredential", 7]}, "member-type", "/type/1"),
        (
            {"type": ["VerifiableCredential", "X"], "@context": defining("X", "not-a-url")},
            "context-invalid",
            "/@context/1/X",
        ),
    ],
)
def test_a_type_is_there_and_means_something(changes: dict[str, Any], code: str, where: str) -> None:
    refused(general(**changes), code, where)


TYPED = [
    "credentialStatus",
    "termsOfUse",
    "evidence",
    "refreshService",
    "credentialSchema",
    "confidenceMethod",
    "renderMethod",
]


@pytest.mark.parametrize("member", TYPED)
def test_the_objects_that_have_a_type_say_which(member: str) -> None:
    accepted(general(**{member: {"id": "did:example:1", "type": KIND}}))
    accepted(general(**{member: [{"id": "did:example:1", "type": [KIND]}, {"id": "did:example:2", "type": KIND}]}))
    refused(general(**{member: {"id": "did:example:1"}}), "member-missing", f"/{member}/type")
    refused(general(**{member: {"id": "did:example:1", "type": 2}}), "member-type", f"/{member}/type")
    refused(general(**{member: "did:example:1"}), "member-type", f"/{member}")


@pytest.mark.parametrize("member", TYPED)
def test_their_id_is_a_single_url(member: str) -> None:
    several = {"id": ["did:example:1", "did:example:2"], "type": KIND}
    refused(general(**{member: several}), "member-type", f"/{member}/id")
    refused(general(**{member: {"id": "x", "type": KIND}}), "relative-iri", f"/{member}/id")


@pytest.mark.parametrize("member", [member for member in TYPED if member != "credentialSchema"])
def test_their_id_may_be_left_out(member: str) -> None:
    accepted(general(**{member: {"type": KIND}}))


def test_a_schema_has_an_id() -> None:
    refused(general(credentialSchema={"type": KIND}), "member-missing", "/credentialSchema/id")


# --- 4.6 Names and descriptions, 11.1 Language and base direction ---

TEXTS: list[Any] = [
    "Dog",
    {"@value": "Dog", "@language": "en"},
    {"@value": "Dog", "@language": "en", "@direction": "ltr"},
    {"@value": "Dog", "@direction": "ltr"},
    [{"@value": "Dog", "@language": "en"}, {"@value": "Chien", "@language": "fr"}],
]


@pytest.mark.parametrize("member", ["name", "description"])
@pytest.mark.parametrize("text", TEXTS)
def test_a_name_or_description_is_a_text_or_has_a_language(member: str, text: Any) -> None:
    accepted(general(**{member: text}))
    accepted(general(issuer={"id": ISSUER.did, member: text}))


@pytest.mark.parametrize("member", ["name", "description"])
@pytest.mark.parametrize(
    ("text", "code", "within"),
    [
        ({"@value": "Dog", "@language": "en", "url": "did:example:1"}, "member-forbidden", "/url"),
        ({"@language": "en"}, "member-keyword", "/@language"),
        ({"@value": 7}, "member-type", "/@value"),
        ({"@value": "Dog", "@language": "not a tag"}, "language-malformed", "/@language"),
        ({"@value": "Dog", "@direction": "up"}, "value-not-allowed", "/@direction"),
        (7, "member-type", ""),
    ],
)
def test_a_text_with_a_language_has_nothing_else(member: str, text: Any, code: str, within: str) -> None:
    refused(general(**{member: text}), code, f"/{member}{within}")
    refused(general(issuer={"id": ISSUER.did, member: text}), code, f"/issuer/{member}{within}")


# --- 4.7 Issuer ---


def test_the_issuer_is_a_url_or_an_object_with_one() -> None:
    accepted(general(issuer=ISSUER.did))
    accepted(general(issuer={"id": ISSUER.did}))


@pytest.mark.parametrize(
    ("issuer", "code", "where"),
    [
        (..., "member-missing", "/issuer"),
        (7, "member-type", "/issuer"),
        (None, "member-type", "/issuer"),
        ([ISSUER.did], "member-type", "/issuer"),
        ("not-a-url", "relative-iri", "/issuer"),
        ({}, "member-missing", "/issuer/id"),
        ({"name": "x"}, "member-missing", "/issuer/id"),
        ({"id": 7}, "member-type", "/issuer/id"),
        ({"id": "not-a-url"}, "relative-iri", "/issuer/id"),
    ],
)
def test_another_issuer_is_refused(issuer: Any, code: str, where: str) -> None:
    refused(general(issuer=issuer), code, where)


# --- 4.8 Credential subject ---


def test_there_are_subjects_and_each_has_claims() -> None:
    accepted(general(credentialSubject=[{"id": "did:example:1"}, {"id": "did:example:2"}]))
    accepted(general(credentialSubject={"degree": "B"}, **{"@context": [V2, EXAMPLES]}))


@pytest.mark.parametrize(
    ("subject", "code", "where"),
    [
        (..., "member-missing", "/credentialSubject"),
        ({}, "subject-empty", "/credentialSubject"),
        ([], "subject-empty", "/credentialSubject"),
        ([{"id": "did:example:1"}, {}], "subject-empty", "/credentialSubject/1"),
        ("did:example:1", "member-type", "/credentialSubject"),
    ],
)
def test_a_subject_without_claims_is_refused(subject: Any, code: str, where: str) -> None:
    refused(general(credentialSubject=subject), code, where)


# --- 4.9 Validity period ---


@pytest.mark.parametrize("member", ["validFrom", "validUntil"])
@pytest.mark.parametrize(
    "date", ["2010-01-01T19:23:24Z", "2010-01-01T19:23:24.651387Z", "2010-01-01T19:23:24-05:00", "9999-01-01T19:23:24Z"]
)
def test_a_date_is_an_instant_in_the_past_or_in_the_future(member: str, date: str) -> None:
    accepted(general(**{member: date}))


@pytest.mark.parametrize("member", ["validFrom", "validUntil"])
@pytest.mark.parametrize(
    "date", ["2010-01-01", "2010-01-01T19:23:24", "2010-13-01T19:23:24Z", "June", 7, ["2010-01-01T19:23:24Z"]]
)
def test_a_date_that_names_no_instant_is_refused(member: str, date: Any) -> None:
    refused(general(**{member: date}), "date-malformed", f"/{member}")


def test_the_period_ends_no_earlier_than_it_begins() -> None:
    accepted(general(validFrom="2010-01-01T00:00:00Z", validUntil="2010-01-01T01:00:00+01:00"))
    refused(
        general(validFrom="2011-01-01T00:00:00Z", validUntil="2010-01-01T00:00:00Z"), "period-reversed", "/validUntil"
    )


# --- 4.12 Securing mechanisms ---


def test_a_credential_without_proof_is_not_verified() -> None:
    assert not_passed(report(general())) == [("proof", "failed", [("proof-missing", "/proof")])]


def test_what_is_no_credential_and_no_presentation_is_an_error() -> None:
    document = {"type": ["NonconformingDocument"]}
    assert report(document).verdict == "rejected"
    assert verify_presentation(json.dumps(document), now=NOW, load=World().load, unsigned=True).verdict == "rejected"


# --- 5.3 Integrity of related resources ---


def test_related_resources_are_objects_with_an_id_and_a_digest() -> None:
    resource = {"id": "https://x.example/1", "digestSRI": DIGEST}
    accepted(general(relatedResource=resource))
    accepted(
        general(
            relatedResource=[resource, {**resource, "id": "https://x.example/2", "mediaType": "application/ld+json"}]
        )
    )


@pytest.mark.parametrize(
    ("resource", "code", "where"),
    [
        ("https://x.example/1", "member-type", ""),
        ({"digestSRI": DIGEST}, "member-missing", "/id"),
        ({"id": 7, "digestSRI": DIGEST}, "member-type", "/id"),
        ({"id": "x", "digestSRI": DIGEST}, "relative-iri", "/id"),
        ({"id": "https://x.example/1"}, "digest-missing", ""),
        ({"id": "https://x.example/1", "digestSRI": DIGEST, "mediaType": "nonsense"}, "value-malformed", "/mediaType"),
    ],
)
def test_another_related_resource_is_refused(resource: Any, code: str, where: str) -> None:
    refused(general(relatedResource=[resource]), code, f"/relatedResource/0{where}")


def test_each_related_resource_is_listed_once() -> None:
    resource = {"id": "https://x.example/1", "digestSRI": DIGEST}
    refused(general(relatedResource=[resource, dict(resource)]), "resource-repeated", "/relatedResource/1")


# --- VC Data Model 1.1 ---


def test_an_older_credential_is_accepted() -> None:
    accepted(older())
    accepted(older(expirationDate="2011-01-01T00:00:00Z", id="urn:x:1", issuer={"id": ISSUER.did}))
    accepted(
        older(termsOfUse={"type": KIND}, evidence=[{"type": KIND}], credentialSchema={"id": "urn:x:1", "type": KIND})
    )


def test_an_older_credential_says_when_it_was_issued() -> None:
    for change, code in ((..., "member-missing"), ("2010-01-01", "date-malformed")):
        with pytest.raises(CredentialError) as raised:
            sign(older(issuanceDate=change), ISSUER.ed25519, verification_method="did:example:1#key", created=NOW)
        assert (raised.value.code, raised.value.pointer) == (code, "/issuanceDate")


@pytest.mark.parametrize("member", ["credentialStatus", "refreshService"])
def test_an_older_status_or_service_has_an_id_and_a_type(member: str) -> None:
    accepted(older(**{member: {"id": "did:example:1", "type": KIND}}))
    for present, missing in (("id", "type"), ("type", "id")):
        found = report(ISSUER.sign(older(**{member: {present: KIND}})))
        assert ("schema", "failed", [("member-missing", f"/{member}/{missing}")]) in not_passed(found)


def test_an_older_credential_expires_no_earlier_than_it_was_issued() -> None:
    found = report(ISSUER.sign(older(expirationDate="2009-01-01T00:00:00Z")))
    assert ("validity", "failed", [("period-reversed", "/expirationDate")]) in not_passed(found)


def test_the_words_of_one_version_mean_nothing_in_the_other() -> None:
    refused(general(issuanceDate="2010-01-01T19:23:24Z"), "undefined-term", "/issuanceDate")
    found = report(ISSUER.sign(older(), "eddsa-jcs-2022") | {"name": "x"})
    assert ("context", "failed", [("undefined-term", "/name")]) in not_passed(found)
