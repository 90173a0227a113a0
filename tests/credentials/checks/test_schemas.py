import base64
import hashlib
import json
from typing import Any

import pytest

from credentials import Report, verify, verify_presentation
from credentials.checks.schemas import MAX_EVALUATIONS, MAX_SCHEMA_BYTES, MAX_SCHEMAS
from tests.credentials.parties import EXAMPLES, NOW, V2, Party, World, check_of, not_passed, outcomes

ISSUER, AUTHOR = Party(1), Party(2)
ADDRESS = "https://schemas.example/degree.json"
EXTENSIONS = "https://purl.imsglobal.org/spec/ob/v3p0/extensions.json"
FITTING: Any = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": ADDRESS,
    "properties": {"credentialSubject": {"$ref": "#/$defs/subject"}},
    "$defs": {"subject": {"required": ["degree"], "properties": {"degree": {"enum": ["A", "B"]}}}},
}
DIRECT = ["JsonSchema", "1EdTechJsonSchemaValidator2019"]


def entry(kind: str = "JsonSchema", **changes: Any) -> dict[str, Any]:
    return {"id": ADDRESS, "type": kind, **changes}


def credential(schemas: Any, **changes: Any) -> dict[str, Any]:
    return ISSUER.credential(**{"@context": [V2, EXAMPLES, EXTENSIONS], "credentialSchema": schemas, **changes})


def schema_credential(schema: Any = FITTING, by: Party = AUTHOR, **changes: Any) -> dict[str, Any]:
    subject = {"id": ADDRESS, "type": "JsonSchema", "jsonSchema": schema}
    return by.credential(
        **{
            "@context": [V2],
            "type": ["VerifiableCredential", "JsonSchemaCredential"],
            "id": None,
            "credentialSubject": subject,
            **changes,
        }
    )


def report(at_address: Any, kind: str = "JsonSchema", **changes: Any) -> Report:
    world = World({} if at_address is None else {ADDRESS: at_address})
    return verify(json.dumps(ISSUER.sign(credential([entry(kind)], **changes))), now=NOW, load=world.load)


# --- What fits, and what does not ---


@pytest.mark.parametrize("kind", DIRECT)
def test_a_credential_is_held_against_the_schema_that_it_names(kind: str) -> None:
    assert report(FITTING, kind).verdict == "verified"
    found = report(FITTING, kind, credentialSubject={"id": "did:example:member-1", "degree": "C"})
    assert not_passed(found) == [("schema", "failed", [("schema-mismatch", "/credentialSubject/degree")])]
    (fault,) = check_of(found, "schema").findings
    assert (
        fault.message
        == (
            f"expected what '{ADDRESS}' asks for at '/properties/credentialSubject/properties/degree/enum', got something else"
        )
        or "/enum" in fault.message
    )


def test_a_schema_may_come_in_a_credential() -> None:
    assert report(AUTHOR.sign(schema_credential()), "JsonSchemaCredential").verdict == "verified"
    assert report(AUTHOR.jwt(schema_credential(), "vc+jwt").encode(), "JsonSchemaCredential").verdict == "verified"
    found = report(AUTHOR.sign(schema_credential({"required": ["colour"]})), "JsonSchemaCredential")
    assert not_passed(found) == [("schema", "failed", [("schema-mismatch", "")])]


def test_a_remark_on_the_form_of_its_credential_is_none_on_the_schema() -> None:
    found = report(AUTHOR.sign(schema_credential()) | {"evidence": []}, "JsonSchemaCredential")
    assert (found.verdict, check_of(found, "schema").findings) == ("verified", ())


def test_the_older_dialects_are_read_too() -> None:
    for dialect in ("https://json-schema.org/draft/2019-09/schema", "http://json-schema.org/draft-07/schema#"):
        assert report({**FITTING, "$schema": dialect}).verdict == "verified"
    assert report({name: value for name, value in FITTING.items() if name != "$schema"}).verdict == "verified"


def test_a_schema_may_be_true_or_false() -> None:
    assert report(True).verdict == "verified"
    assert not_passed(report(False)) == [("schema", "failed", [("schema-mismatch", "")])]


def test_a_w3c_schema_is_about_the_credential_without_its_proof() -> None:
    without = {"not": {"required": ["proof"]}}
    assert report(without, "JsonSchema").verdict == "verified"
    assert report(without, "1EdTechJsonSchemaValidator2019").verdict == "rejected"


def test_all_schemas_are_looked_at() -> None:
    second = "https://schemas.example/second.json"
    world = World({ADDRESS: FITTING, second: {"required": ["colour"]}})
    both = ISSUER.sign(credential([entry(), entry(id=second)]))
    found = verify(json.dumps(both), now=NOW, load=world.load)
    assert not_passed(found) == [("schema", "failed", [("schema-mismatch", "")])]
    one = ISSUER.sign(credential(entry()))
    assert verify(json.dumps(one), now=NOW, load=world.load).verdict == "verified"


def test_the_schemas_that_the_model_carries_are_not_loaded() -> None:
    world = World()
    known = "https://purl.imsglobal.org/spec/ob/v3p0/schema/json/ob_v3p0_achievementcredential_schema.json"
    received = ISSUER.sign(credential([entry("1EdTechJsonSchemaValidator2019", id=known)]))
    assert verify(json.dumps(received), now=NOW, load=world.load).verdict == "verified"
    assert world.asked == []


def test_a_type_of_schema_that_is_not_known_is_a_remark() -> None:
    found = report(None, "https://example.org/#ExampleSchema")
    assert found.verdict == "verified"
    assert [(remark.code, remark.pointer) for remark in check_of(found, "schema").findings] == [
        ("schema-unknown", "/credentialSchema/0/type")
    ]


def test_what_the_form_says_is_not_said_twice() -> None:
    for schemas, fault in (
        ([{"type": "JsonSchema"}], ("member-missing", "/credentialSchema/0/id")),
        (["https://schemas.example"], ("member-type", "/credentialSchema/0")),
    ):
        received = ISSUER.jwt(credential(schemas), "vc+jwt")
        found = verify(received, now=NOW, load=World().load)
        assert [item for item in not_passed(found) if item[0] == "schema"] == [("schema", "failed", [fault])]


def test_nothing_is_loaded_for_a_credential_that_nobody_stands_behind() -> None:
    world = World({ADDRESS: False})
    changed = {**ISSUER.sign(credential([entry()])), "name": "Changed"}
    found = verify(json.dumps(changed), now=NOW, load=world.load)
    assert (outcomes(found)["schema"], world.asked) == ("passed", [])


def test_a_schema_may_be_given_with_its_digest() -> None:
    body = json.dumps(FITTING).encode()
    for content, verdict in ((body, "verified"), (b"{}", "rejected")):
        digest = "sha384-" + base64.b64encode(hashlib.sha384(content).digest()).decode()
        received = ISSUER.sign(credential([entry(digestSRI=digest)]))
        found = verify(json.dumps(received), now=NOW, load=World({ADDRESS: body}).load)
        assert found.verdict == verdict, not_passed(found)
    assert not_passed(found) == [("schema", "failed", [("digest-mismatch", "/credentialSchema/0")])]


# --- What cannot be decided ---


def chain(length: int) -> dict[str, Any]:
    defs = {f"a{number}": {"$ref": f"#/$defs/a{number + 1}"} for number in range(length)}
    return {"$ref": "#/$defs/a0", "$defs": {**defs, f"a{length}": True}}


def doubling(times: int) -> dict[str, Any]:
    defs = {f"a{number}": {"allOf": [{"$ref": f"#/$defs/a{number + 1}"}] * 2} for number in range(times)}
    return {"$ref": "#/$defs/a0", "$defs": {**defs, f"a{times}": {"type": "object"}}}


def repeating(times: int) -> dict[str, Any]:
    schema: dict[str, Any] = {"properties": {"id": True}}
    for _ in range(times):
        schema = {"allOf": [schema], "unevaluatedProperties": {"not": {"type": "null"}}}
    return schema


def patterns(count: int) -> dict[str, Any]:
    return {"properties": {f"x{number}": {"pattern": f"^x{number}$"} for number in range(count)}}


UNDECIDED: dict[str, tuple[Any, str, str]] = {
    "not to be had": (None, "address-unavailable", ""),
    "no JSON": (b"{", "schema-malformed", "/id"),
    "too large": (b" " * MAX_SCHEMA_BYTES + b"{}", "schema-malformed", "/id"),
    "no schema": ([], "schema-malformed", "/id"),
    "a number": (7, "schema-malformed", "/id"),
    "an unknown dialect": ({"$schema": "http://json-schema.org/draft-04/schema#"}, "schema-malformed", "/id"),
    "a dialect that is none": ({"$schema": 7}, "schema-malformed", "/id"),
    "an unknown type": ({"type": "colour"}, "schema-malformed", "/id"),
    "a reference elsewhere": ({"$ref": "https://elsewhere.example/schema"}, "schema-malformed", "/id"),
    "a reference to nothing": ({"$ref": "#/$defs/nothing"}, "schema-malformed", "/id"),
    "a reference beyond an array": ({"allOf": [{"$ref": "#/allOf/7"}]}, "schema-malformed", "/id"),
    "a reference through a text": ({"$ref": "#/title/deeper", "title": "x"}, "schema-malformed", "/id"),
    "a reference to an anchor": ({"$ref": "#here", "$defs": {"a": {"$anchor": "here"}}}, "schema-malformed", "/id"),
    "a dynamic reference": ({"$dynamicRef": "#here"}, "schema-malformed", "/id"),
    "another base within": ({"$defs": {"a": {"$id": "https://elsewhere.example/"}}}, "schema-malformed", "/id"),
    "look-around": ({"properties": {"name": {"pattern": "(?=a)a"}}}, "schema-malformed", "/id"),
    "a pattern that grows": ({"properties": {"name": {"pattern": "a{1000}{1000}"}}}, "schema-malformed", "/id"),
    "a circle": ({"properties": {"a": {"$ref": "#"}}}, "schema-too-complex", "/id"),
    "a long chain": (chain(200), "schema-too-complex", "/id"),
    "a doubling": (doubling(30), "schema-too-complex", "/id"),
    "a doubling that the credential makes too long": (doubling(14), "schema-too-complex", "/id"),
    "what was evaluated once more at each level": (repeating(8), "schema-too-complex", "/id"),
    "too many patterns": (patterns(2000), "schema-too-complex", "/id"),
    "too many named by patterns": (
        {"patternProperties": {f"^x{number}$": True for number in range(2000)}},
        "schema-too-complex",
        "/id",
    ),
    "patterns that references multiply": (
        {
            **doubling(12),
            "patternProperties": {"x": {"pattern": "x"}},
            "allOf": [{"$ref": "#/$defs/a0"}],
            "$defs": {**doubling(12)["$defs"], "a12": {"pattern": "x"}},
        },
        "schema-too-complex",
        "/id",
    ),
}


@pytest.mark.parametrize(("schema", "code", "where"), UNDECIDED.values(), ids=list(UNDECIDED))
def test_a_schema_that_is_not_evaluated_is_undecided(schema: Any, code: str, where: str) -> None:
    found = report(schema)
    assert not_passed(found) == [("schema", "undecided", [(code, f"/credentialSchema/0{where}")])]


def test_references_within_bounds_are_followed() -> None:
    assert report(chain(50)).verdict == "verified"
    assert report(doubling(8)).verdict == "verified"
    through = {"anyOf": [True, {"$ref": "#/anyOf/0"}, {"$ref": "#/$defs/a~0~1b"}], "$defs": {"a~/b": True}}
    assert report(through).verdict == "verified"


def test_a_pattern_takes_linear_time() -> None:
    assert report(patterns(20)).verdict == "verified"
    assert report(repeating(2)).verdict == "verified"
    schema = {"properties": {"name": {"pattern": "^(a+)+$"}}}
    assert not_passed(report(schema, name="a" * 5000 + "b")) == [("schema", "failed", [("schema-mismatch", "/name")])]


def test_a_member_named_like_a_keyword_is_a_member() -> None:
    assert report({"properties": {"$ref": {"type": "string"}, "$id": {"type": "string"}}}).verdict == "verified"


def test_more_schemas_than_are_looked_at_are_undecided() -> None:
    addresses = [f"https://schemas.example/{number}" for number in range(MAX_SCHEMAS + 1)]
    world = World(dict.fromkeys(addresses, True))
    received = ISSUER.sign(credential([entry(id=address) for address in addresses]))
    found = verify(json.dumps(received), now=NOW, load=world.load)
    assert not_passed(found) == [("schema", "undecided", [("schemas-too-many", "/credentialSchema")])]
    assert len(world.asked) == MAX_SCHEMAS


def test_the_credentials_of_a_presentation_share_a_bound() -> None:
    kinds = ["JsonSchema", "1EdTechJsonSchemaValidator2019", "JsonSchema", "1EdTechJsonSchemaValidator2019"]
    received = ISSUER.sign(credential([entry(kind, id=f"{ADDRESS}?{number}") for number, kind in enumerate(kinds)]))
    world = World({f"{ADDRESS}?{number}": True for number in range(len(kinds))})
    shown = {"@context": [V2], "type": ["VerifiablePresentation"], "verifiableCredential": [received] * 5}
    found = verify_presentation(json.dumps(shown), now=NOW, load=world.load, unsigned=True)
    assert [inner.verdict for inner in found.credentials] == ["verified"] * (MAX_EVALUATIONS // 4) + ["undecided"]
    codes = [finding.code for finding in check_of(found.credentials[4], "schema").findings]
    assert codes == ["schemas-too-many"] * 4


@pytest.mark.parametrize(
    ("at_address", "outcome", "code"),
    [
        (schema_credential(), "failed", "schema-credential"),
        (AUTHOR.sign(schema_credential(name=7)), "failed", "schema-credential"),
        (AUTHOR.sign(schema_credential(issuer=ISSUER.did)), "failed", "schema-credential"),
        (AUTHOR.sign(schema_credential(credentialSubject={})), "failed", "schema-credential"),
        (AUTHOR.sign(schema_credential("text")), "failed", "schema-credential"),
        (
            AUTHOR.sign(schema_credential(credentialSubject=[{"id": "urn:x:1"}, {"id": "urn:x:2"}])),
            "failed",
            "schema-credential",
        ),
        (
            Party(3, "gone.example").sign(schema_credential(by=Party(3, "gone.example"))),
            "undecided",
            "schema-credential-undecided",
        ),
        (b"{", "failed", "json-syntax"),
    ],
)
def test_a_schema_in_a_credential_that_does_not_hold(at_address: Any, outcome: str, code: str) -> None:
    found = report(at_address, "JsonSchemaCredential")
    assert [(name, how, faults[0][0]) for name, how, faults in not_passed(found)] == [("schema", outcome, code)]
