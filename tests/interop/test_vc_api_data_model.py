"""The statements of VC Data Model 2.0 that the W3C's conformance suite asks for, one by one, over the VC API.

The suite sends a credential to be issued, or a presentation that it has signed with a key of its own to be verified.
"""

import json
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519

from credentials import PrivateKeySigner
from tests.interop.vc_api_machine import CREDENTIAL, EXAMPLES, OLDER, SUBJECT, V2, Machine, did_of, signed

STATUS = {"CredentialStatusList2017": "https://example.org/examples#CredentialStatusList2017"}
TERMS = {"OdrlPolicy2017": "https://example.org/examples#OdrlPolicy2017"}
EVIDENCE = {"DocumentVerification2018": "https://example.org/examples#DocumentVerification2018"}
REFRESH = "https://example.org/#ExampleTestSuiteRefreshService"
SCHEMA = "https://example.org/#ExampleTestSuiteSchema"
NOT_A_URL = "https ://not-a-url/1"
SRI = "sha384-l/HrjlBCNWyAX91hr6LFV2Y3heB5Tcr6IeE4/Tje8YyzYBM8IhqjHWiWpr8+ZbYU"
MULTIBASE = "uWZVc7WaX1h4D8rJVb-vlMIqxaEKEb1tYbX8fet7JJzQ"
TEXTS: dict[str, Any] = {
    "a string": "Example",
    "a language": {"@value": "Example", "@language": "en"},
    "a language and direction": {"@value": "Example", "@language": "en", "@direction": "ltr"},
    "several languages": [{"@value": "Dog", "@language": "en"}, {"@value": "Chien", "@language": "fr"}],
}
EXTRA = {"@value": "Example", "@language": "en", "url": "did:example:credential"}

ISSUED: dict[str, dict[str, Any]] = {
    "nothing but what must be there": {},
    "several contexts": {"@context": [V2, EXAMPLES]},
    "a context object": {
        "@context": [V2, {"ExampleCredential": "https://example.org/#ExampleCredential"}],
        "type": ["VerifiableCredential", "ExampleCredential"],
    },
    "a subject that is a DID": {"credentialSubject": {"id": "did:example:other"}},
    "an id": {"id": "urn:uuid:0b5a6d2e-7f4c-4a53-9a2b-2f5d5b1c9a10"},
    "a type that is an address": {"type": ["VerifiableCredential", "https://example.org/#ExampleCredential"]},
    "types in any order": {"type": ["https://example.org/#A", "https://example.org/#B", "VerifiableCredential"]},
    "a type of the examples": {
        "@context": [V2, EXAMPLES],
        "type": ["VerifiableCredential", "RelationshipCredential"],
    },
    "several subjects": {"credentialSubject": [SUBJECT, {"id": "did:example:other:subject"}]},
    "validFrom with fractions": {"validFrom": "2023-02-26T01:02:58.447Z"},
    "validFrom with a zone": {"validFrom": "2023-02-25T19:16:31-06:00"},
    "validFrom far in the future": {"validFrom": "2523-02-26T01:02:58Z"},
    "validUntil in the past": {"validUntil": "2013-02-26T01:02:58Z"},
    "validUntil with fractions": {"validUntil": "2043-02-26T01:02:58.447Z"},
    "a period": {"validFrom": "2025-11-24T00:00:00Z", "validUntil": "2027-11-24T00:00:00Z"},
    "a period of one moment": {"validFrom": "2025-11-24T00:00:00Z", "validUntil": "2025-11-24T00:00:00Z"},
    "a status of any type": {
        "@context": [V2, STATUS],
        "credentialStatus": {"id": "did:example:status", "type": "CredentialStatusList2017"},
    },
    "a status without id": {"@context": [V2, STATUS], "credentialStatus": {"type": "CredentialStatusList2017"}},
    "a schema of any type": {"credentialSchema": {"id": "did:example:schemas/1", "type": SCHEMA}},
    "several schemas": {
        "credentialSchema": [
            {"id": "did:example:schemas/1", "type": SCHEMA},
            {"id": "did:example:schemas/2", "type": SCHEMA},
        ]
    },
    "terms of use": {"@context": [V2, TERMS], "termsOfUse": {"type": "OdrlPolicy2017"}},
    "several terms of use": {
        "@context": [V2, TERMS],
        "termsOfUse": [{"type": "OdrlPolicy2017"}, {"type": "OdrlPolicy2017"}],
    },
    "terms of use with id": {
        "@context": [V2, TERMS],
        "termsOfUse": {"id": "did:example:terms", "type": "OdrlPolicy2017"},
    },
    "evidence": {"@context": [V2, EVIDENCE], "evidence": {"type": "DocumentVerification2018"}},
    "several pieces of evidence": {
        "@context": [V2, EVIDENCE],
        "evidence": [{"type": "DocumentVerification2018"}, {"type": "DocumentVerification2018"}],
    },
    "a refresh service": {"refreshService": {"id": "did:example:refresh/1", "type": REFRESH}},
    "several refresh services": {
        "refreshService": [{"id": "did:example:refresh/1", "type": REFRESH}, {"id": "did:example:r/2", "type": REFRESH}]
    },
    "a related resource by digestSRI": {"relatedResource": [{"id": V2, "digestSRI": SRI}]},
    "a related resource by digestMultibase": {
        "relatedResource": [{"id": V2, "digestMultibase": MULTIBASE, "mediaType": "application/ld+json"}]
    },
}

REFUSED: dict[str, dict[str, Any]] = {
    "no context": {"@context": None},
    "no base context": {"@context": [EXAMPLES]},
    "the base context second": {"@context": [EXAMPLES, V2]},
    "a context that is no address": {"@context": [V2, NOT_A_URL]},
    "a context that is a number": {"@context": [V2, 123192875]},
    "a context that is not known": {"@context": [V2, "https://example.com"]},
    "an id that is null": {"id": None},
    "two ids": {"id": ["did:example:1", "did:example:2"]},
    "an id that is no address": {"id": NOT_A_URL},
    "a relative id": {"id": "not-an-address"},
    "a subject with two ids": {"credentialSubject": {"id": ["did:example:1", "did:example:2"]}},
    "no type": {"type": None},
    "no type VerifiableCredential": {"@context": [V2, EXAMPLES], "type": ["ExampleCredential"]},
    "a type that means no address": {
        "@context": [V2, {"ExampleTestCredential": "https ://not-a-url#ExampleTestCredential"}],
        "type": ["VerifiableCredential", "ExampleTestCredential"],
    },
    "a type that no context defines": {"type": ["VerifiableCredential", "UnmappedCredential"]},
    "an issuer that is null": {"issuer": None},
    "an issuer that is no address": {"issuer": "fake-issuer"},
    "an issuer that is an address with a blank": {"issuer": NOT_A_URL},
    "an issuer object without id": {"issuer": {"name": "Example"}},
    "an issuer object with null as id": {"issuer": {"id": None}},
    "an issuer object whose id is no address": {"issuer": {"id": "fake-issuer"}},
    "an issuer that is an array": {"issuer": ["did:example:issuer"]},
    "no subject": {"credentialSubject": None},
    "a subject without claims": {"credentialSubject": {}},
    "several subjects, one without claims": {"credentialSubject": [SUBJECT, {}]},
    "no subject in the array": {"credentialSubject": []},
    "validFrom in words": {"validFrom": "Sat 25 Feb 2023 07:16:31 PM CST"},
    "validUntil in words": {"validUntil": "Sat 25 Feb 2023 07:16:31 PM CST"},
    "a period that ends before it begins": {
        "validFrom": "2027-11-24T00:00:00Z",
        "validUntil": "2025-11-24T00:00:00Z",
    },
    "a status without type": {"credentialStatus": {"id": "did:example:status"}},
    "a status whose type is a number": {"credentialStatus": {"id": "did:example:status", "type": 2}},
    "a status with two ids": {
        "@context": [V2, STATUS],
        "credentialStatus": {"id": ["did:example:1", "did:example:2"], "type": "CredentialStatusList2017"},
    },
    "a status whose id is no address": {
        "@context": [V2, STATUS],
        "credentialStatus": {"id": NOT_A_URL, "type": "CredentialStatusList2017"},
    },
    "a schema without type": {"credentialSchema": {"id": "did:example:schemas/1"}},
    "a schema without id": {"credentialSchema": {"type": SCHEMA}},
    "a schema whose id is no address": {"credentialSchema": {"id": NOT_A_URL, "type": SCHEMA}},
    "terms of use without type": {"termsOfUse": {"id": "did:example:terms"}},
    "evidence without type": {"evidence": {"id": "did:example:evidence"}},
    "a refresh service without type": {"refreshService": {"id": "did:example:refresh/1"}},
    "a related resource that is a text": {"relatedResource": [V2]},
    "a related resource without id": {"relatedResource": [{"digestSRI": SRI}]},
    "a related resource twice": {
        "relatedResource": [{"id": V2, "digestSRI": SRI}, {"id": V2, "digestMultibase": MULTIBASE}]
    },
    "a related resource without digest": {"relatedResource": [{"id": V2, "mediaType": "application/ld+json"}]},
    "a related resource with another digestSRI": {
        "relatedResource": [{"id": V2, "digestSRI": SRI.replace("HrjlB", "HrjlC")}]
    },
    "a related resource with another digestMultibase": {
        "relatedResource": [{"id": V2, "digestMultibase": MULTIBASE.replace("Vc7", "Vc8")}]
    },
    "a related resource with a digestSRI that is none": {
        "relatedResource": [
            {"id": "https://example.org/r.json", "digestSRI": "sha256-ca3d163bab055381827226140568f3bef634ac187cebd768"}
        ]
    },
    "a type that another context protects": {
        "@context": [V2, {"VerifiableCredential": "https://example.org/#BadVerifiableCredential"}]
    },
    "a type of its own that it protects and changes": {
        "@context": [
            V2,
            {"@protected": True, "Example": "https://example.org/#Example"},
            {"Example": "https://example.org/#Bad"},
        ],
        "type": ["VerifiableCredential", "Example"],
    },
    "a member that no context defines": {"statusEntry": {"type": "BitstringStatusListEntry", "statusListIndex": True}},
}


def made(change: dict[str, Any]) -> dict[str, Any]:
    """Return the credential with these members; None leaves one out, but for what the suite sends as null."""
    left_out = {"@context", "type", "credentialSubject"}
    whole = {**CREDENTIAL, **change}
    return {name: value for name, value in whole.items() if value is not None or name not in left_out}


@pytest.mark.parametrize("change", ISSUED.values(), ids=ISSUED)
def test_what_the_data_model_allows_is_issued(vc_api: Machine, change: dict[str, Any]) -> None:
    issued = vc_api.issue(made(change))
    assert issued["@context"][0] == V2
    assert "VerifiableCredential" in issued["type"]
    assert isinstance(issued["proof"], dict)


@pytest.mark.parametrize("change", REFUSED.values(), ids=REFUSED)
def test_what_the_data_model_forbids_is_refused(vc_api: Machine, change: dict[str, Any]) -> None:
    vc_api.refuses(made(change))


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
@pytest.mark.parametrize("member", ["name", "description"])
def test_names_and_descriptions_have_languages(vc_api: Machine, member: str, text: Any) -> None:
    assert vc_api.issue(made({member: text}))[member] == text
    issuer = {"id": vc_api.issuer(), member: text}
    assert vc_api.issue(made({"issuer": issuer}))["issuer"][member] == text


@pytest.mark.parametrize("member", ["name", "description"])
def test_a_name_or_description_with_more_than_a_language_is_refused(vc_api: Machine, member: str) -> None:
    vc_api.refuses(made({member: EXTRA}))
    vc_api.refuses(made({"issuer": {"id": vc_api.issuer(), member: EXTRA}}))


def test_what_is_issued_says_all_that_was_asked_for_and_verifies(vc_api: Machine) -> None:
    asked = made({"id": "urn:uuid:0b5a6d2e-7f4c-4a53-9a2b-2f5d5b1c9a10", "validFrom": "2023-02-26T01:02:58.447Z"})
    issued = vc_api.issue(asked)
    assert issued == {**asked, "issuer": vc_api.issuer(), "proof": issued["proof"]}
    assert vc_api.accepts(issued)


@pytest.mark.parametrize("issuer", ["https://university.example/issuers/565049", {"id": "did:example:issuer"}])
def test_a_credential_of_another_issuer_is_refused_and_told_the_right_one(vc_api: Machine, issuer: Any) -> None:
    assert vc_api.refuses(made({"issuer": issuer})) == "issuer-other"
    assert vc_api.answer is not None
    assert vc_api.issuer() in vc_api.answer.json()["detail"]


def test_a_credential_without_issuer_is_refused_and_told_the_right_one(vc_api: Machine) -> None:
    answer = vc_api.post("/vc/credentials/issue", {"credential": CREDENTIAL})
    assert (answer.status_code, answer.json()["code"]) == (400, "member-missing")
    assert answer.json()["pointer"] == "/issuer"
    assert vc_api.issuer() in answer.json()["detail"]


@pytest.mark.parametrize("around", [str, json.dumps, "<svg>{}</svg>".format])
def test_a_text_is_a_compact_jwt_or_it_is_refused(vc_api: Machine, around: Callable[[Any], str]) -> None:
    issued = vc_api.issue(CREDENTIAL)
    assert vc_api.accepts(issued)
    shown = {"@context": [V2], "type": ["VerifiablePresentation"], "verifiableCredential": [issued]}
    for path, member, document in (
        ("credentials", "verifiableCredential", issued),
        ("presentations", "verifiablePresentation", shown),
    ):
        answer = vc_api.post(f"/vc/{path}/verify", {member: around(document)})
        assert (answer.status_code, answer.json()["code"], answer.json()["pointer"]) == (
            400,
            "jwt-malformed",
            f"/{member}",
        )


def test_a_credential_of_version_1_1_is_issued_and_verifies(vc_api: Machine) -> None:
    issued = vc_api.issue(OLDER)
    assert issued["type"] == ["VerifiableCredential"]
    assert vc_api.accepts(issued)


@pytest.mark.parametrize("document", [{"type": ["NonconformingDocument"]}, {}, {"@context": [V2]}])
def test_what_is_no_credential_or_presentation_is_no_success(vc_api: Machine, document: dict[str, Any]) -> None:
    assert not vc_api.accepts(document)
    assert not vc_api.accepts_presentation(document)


def test_an_unknown_schema_is_a_warning_and_no_refusal(vc_api: Machine) -> None:
    issued = vc_api.issue(made(ISSUED["a schema of any type"]))
    assert vc_api.accepts(issued)
    assert vc_api.answer is not None
    assert [detail["code"] for detail in vc_api.answer.json()["problemDetails"]] == ["schema-unknown"]


def test_a_status_of_unknown_type_is_no_success(vc_api: Machine) -> None:
    issued = vc_api.issue(made(ISSUED["a status of any type"]))
    assert not vc_api.accepts(issued)
    assert vc_api.code() == "status-type-unsupported"


# --- Presentations ---------------------------------------------------------------------------------------------------

PRESENTATION = {"@context": [V2], "type": ["VerifiablePresentation"], "verifiableCredential": []}
HOLDER = PrivateKeySigner(ed25519.Ed25519PrivateKey.generate())
PROOF = {"purpose": "authentication", "challenge": "u6X1nYtBn", "domain": "github.com/w3c/vc-data-model-2.0-test-suite"}


def shown(vc_api: Machine, change: dict[str, Any], credentials: int = 0) -> dict[str, Any]:
    """Return a presentation by the suite's own key, of credentials by the same key."""
    within = [
        signed(made({"issuer": did_of(HOLDER), "credentialSubject": {"id": f"did:example:{number}"}}), HOLDER, vc_api)
        for number in range(credentials)
    ]
    document = {**PRESENTATION, "verifiableCredential": within, **change}
    return signed({name: value for name, value in document.items() if value is not None}, HOLDER, vc_api, **PROOF)


SHOWN: dict[str, tuple[dict[str, Any], int]] = {
    "nothing but what must be there": ({}, 0),
    "no credentials": ({"verifiableCredential": None}, 0),
    "an id": ({"id": "urn:uuid:9c9a36f8-518f-4976-a934-6649502d0008"}, 0),
    "several contexts": ({"@context": [V2, EXAMPLES]}, 0),
    "a context object": ({"@context": [V2, {"Example": "https://example.org/#Example"}]}, 0),
    "a further type": (
        {
            "@context": [V2, {"ManagerPresentation": "https://example.org/#ManagerPresentation"}],
            "type": ["VerifiablePresentation", "ManagerPresentation"],
        },
        0,
    ),
    "a credential": ({}, 1),
    "several credentials": ({}, 2),
    "a holder": ({"holder": did_of(HOLDER)}, 1),
    "a holder that is an object": ({"holder": {"id": did_of(HOLDER)}}, 1),
}


@pytest.mark.parametrize(("change", "credentials"), SHOWN.values(), ids=SHOWN)
def test_a_presentation_of_any_allowed_form_verifies(vc_api: Machine, change: dict[str, Any], credentials: int) -> None:
    assert vc_api.accepts_presentation(shown(vc_api, change, credentials))


HIDDEN: dict[str, dict[str, Any]] = {
    "a wrong order of contexts": {"@context": [EXAMPLES, V2]},
    "a holder without id": {"holder": {"name": "Example"}},
    "another's holder": {"holder": "did:example:acme"},
}


@pytest.mark.parametrize("change", HIDDEN.values(), ids=HIDDEN)
def test_a_presentation_of_a_form_that_is_not_allowed_does_not_verify(vc_api: Machine, change: dict[str, Any]) -> None:
    assert not vc_api.accepts_presentation(shown(vc_api, change, 1))


CHANGED: dict[str, dict[str, Any]] = {
    "no context": {"@context": None},
    "no base context": {"@context": [EXAMPLES]},
    "an unknown context": {"@context": [V2, "https://example.com"]},
    "a context that is no address": {"@context": [V2, NOT_A_URL]},
    "a context that is a number": {"@context": [V2, 123192875]},
    "no type": {"type": None},
    "no type VerifiablePresentation": {"type": ["Presentation"]},
    "no proof": {"proof": None},
    "a credential that is a text": {"verifiableCredential": ["did:example:credential"]},
    "a credential that is a number": {"verifiableCredential": 7},
}


@pytest.mark.parametrize("change", CHANGED.values(), ids=CHANGED)
def test_a_presentation_that_was_changed_does_not_verify(vc_api: Machine, change: dict[str, Any]) -> None:
    presentation = {**shown(vc_api, {}, 1), **change}
    assert not vc_api.accepts_presentation({name: value for name, value in presentation.items() if value is not None})


def test_a_presentation_with_another_proof_value_does_not_verify(vc_api: Machine) -> None:
    presentation = shown(vc_api, {})
    presentation["proof"]["proofValue"] = "z5nmMBw2u9TGKd9NxxHJtyZKgjN2Eh"
    assert not vc_api.accepts_presentation(presentation)


def test_a_presentation_is_for_the_challenge_and_domain_that_the_caller_names(vc_api: Machine) -> None:
    presentation = shown(vc_api, {}, 1)
    challenge, domain = PROOF["challenge"], PROOF["domain"]
    assert vc_api.accepts_presentation(presentation, challenge=challenge, domain=domain)
    assert vc_api.accepts_presentation(presentation, challenge=challenge)
    assert not vc_api.accepts_presentation(presentation, challenge="another", domain=domain)
    assert not vc_api.accepts_presentation(presentation, challenge=challenge, domain="another.example")


def test_every_credential_in_a_presentation_has_to_verify(vc_api: Machine) -> None:
    good = vc_api.issue(made({}))
    bad = {**good, "credentialSubject": {"id": "did:example:somebody-else"}}
    document = {**PRESENTATION, "verifiableCredential": [good, bad]}
    assert not vc_api.accepts_presentation(signed(document, HOLDER, vc_api, **PROOF))
    assert vc_api.answer is not None
    assert [one["verified"] for one in vc_api.answer.json()["credentials"]] == [True, False]


def test_a_credential_with_an_unknown_schema_may_be_presented(vc_api: Machine) -> None:
    document = {**PRESENTATION, "verifiableCredential": [vc_api.issue(made(ISSUED["a schema of any type"]))]}
    assert vc_api.accepts_presentation(signed(document, HOLDER, vc_api, **PROOF))


def test_a_presentation_without_proof_is_taken_only_where_it_is_called_so(vc_api: Machine) -> None:
    bare = {**PRESENTATION, "verifiableCredential": [vc_api.issue(made({}))]}
    assert not vc_api.accepts_presentation(bare)
    assert vc_api.post("/vc/presentations/verify", {"presentation": bare}).status_code == 200
    asked = {"presentation": bare, "options": {"challenge": "u6X1nYtBn"}}
    assert vc_api.post("/vc/presentations/verify", asked).status_code == 400
    both = {"presentation": bare, "verifiablePresentation": bare}
    assert vc_api.post("/vc/presentations/verify", both).json()["code"] == "presentation-one"
