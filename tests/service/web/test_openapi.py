"""The description of the API says all that a stranger's program needs, of every operation that there is."""

import re
from collections import Counter
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from typing import Any

import jsonschema_rs
import pytest
from fastapi.testclient import TestClient

from service.criteria import tree
from service.runtime.runtime import Runtime
from service.web.openapi import TAGS
from service.web.openapi_schemas import references
from tests.worlds import described
from tests.worlds.described import Description, NotDescribedError
from tests.worlds.posting import alone
from tests.worlds.runtimes import app_of

pytestmark = pytest.mark.any_database("no row is asked what the API looks like")

Operation = tuple[str, str, dict[str, Any]]


@pytest.fixture
def document(runtime: Runtime) -> dict[str, Any]:
    return deepcopy(described.of(app_of(runtime)).document)


@pytest.fixture
def operations(document: dict[str, Any]) -> list[Operation]:
    return [(path, method, each) for path, methods in document["paths"].items() for method, each in methods.items()]


def within(node: Any) -> Iterator[dict[str, Any]]:
    """Yield every object in a part of the description."""
    if isinstance(node, dict):
        yield node
        node = list(node.values())
    if isinstance(node, list):
        for member in node:
            yield from within(member)


def test_the_description_is_at_its_address(document: dict[str, Any], client: TestClient) -> None:
    assert client.get("/openapi.json").json() == document


def test_every_operation_has_a_short_name_of_its_own(operations: list[Operation]) -> None:
    names = [operation["operationId"] for _, _, operation in operations]
    assert [name for name, count in Counter(names).items() if count > 1] == []
    assert [name for name in names if not re.fullmatch(r"[a-z]+([A-Z][a-z0-9]*)+", name) or len(name) > 30] == []
    assert {"createNetwork", "listContributions", "getAward", "listAwards", "approveSeveral", "putMember"} <= {*names}


def test_every_operation_has_a_summary_a_description_and_a_tag_that_is_described(
    document: dict[str, Any], operations: list[Operation]
) -> None:
    meanings = {tag["name"]: tag["description"] for tag in document["tags"]}
    for path, method, operation in operations:
        assert len(operation["summary"]) <= 50, (method, path)
        assert operation["description"], (method, path)
        [tag] = operation["tags"]
        assert meanings[tag], (method, path)


def test_no_tag_is_described_in_vain(runtime: Runtime) -> None:
    settings = runtime.settings.model_copy(update={"vc_api": True})
    everything = described.of(app_of(replace(runtime, settings=settings))).document
    assert {tag["name"] for tag in everything["tags"]} == set(TAGS)


def test_every_reference_leads_to_something_and_no_schema_is_left_over(document: dict[str, Any]) -> None:
    referred = set(references(document))
    for reference in referred:
        found: Any = document
        for step in reference.removeprefix("#/").split("/"):
            found = found[step]
    unused = {name for name in document["components"]["schemas"] if f"#/components/schemas/{name}" not in referred}
    assert unused == set()


def test_no_two_schemas_have_one_name_and_so_one_that_generators_mangle(document: dict[str, Any]) -> None:
    assert [name for name in document["components"]["schemas"] if "__" in name] == []


def test_every_schema_is_one_and_its_bounds_are_the_standards_own(document: dict[str, Any]) -> None:
    for name, schema in document["components"]["schemas"].items():
        jsonschema_rs.meta.validate(schema)
        assert schema["title"] == name
    for each in within(document["components"]["schemas"]):
        assert not {"ge", "le", "gt", "lt"} & {name for name, value in each.items() if not isinstance(value, dict)}
        for bound in ("minimum", "maximum"):
            assert not isinstance(each.get(bound), float) or not each[bound].is_integer()
    assert document["components"]["schemas"]["ReplayIn"]["properties"]["after"]["maximum"] == 2**63 - 1


def test_every_answer_in_json_has_a_shape(operations: list[Operation]) -> None:
    for path, method, operation in operations:
        for status, answer in operation["responses"].items():
            for form in answer.get("content", {}).values():
                assert form["schema"], (method, path, status)


def test_refusals_are_problems_and_never_the_frameworks_own(document: dict[str, Any]) -> None:
    assert "HTTPValidationError" not in document["components"]["schemas"]
    for name, answer in document["components"]["responses"].items():
        assert answer["content"]["application/problem+json"]["schema"] == {"$ref": "#/components/schemas/Problem"}, name
    assert {"Retry-After"} == document["components"]["responses"]["TooManyRequests"]["headers"].keys()


def test_what_needs_a_token_says_so_and_can_refuse_one(operations: list[Operation]) -> None:
    for path, method, operation in operations:
        if path.startswith("/v1/") and not path.startswith(("/v1/verification", "/v1/directory")):
            assert operation["security"] == [{"token": []}], (method, path)
            assert {"401", "403", "422", "429"} <= operation["responses"].keys(), (method, path)
            assert "Scope of the token: `" in operation["description"] or "cases" in path, (method, path)
        elif path == "/oauth/token":  # in HTTP Basic, or in the form
            assert operation["security"] == [{"client": []}, {}]
            assert {"400", "401"} <= operation["responses"].keys()
        else:
            assert operation["security"] == [], (method, path)
            assert not {"401", "403"} & operation["responses"].keys(), (method, path)


def test_an_operation_refuses_as_what_it_takes_lets_expect(operations: list[Operation]) -> None:
    for path, method, operation in operations:
        if "requestBody" in operation:
            assert {"400", "408", "413", "415", "422"} <= operation["responses"].keys(), (method, path)
        if "{" in path:
            assert "404" in operation["responses"], (method, path)
        assert {"429", "500", "503"} <= operation["responses"].keys(), (method, path)


def test_it_says_where_the_api_is_and_under_which_licence(document: dict[str, Any]) -> None:
    assert document["servers"] == [{"url": "/"}]
    assert document["info"]["license"]["identifier"] == "Apache-2.0"


def test_the_language_of_rules_is_in_it_with_types_and_a_discriminator(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    rule = schemas["CriteriaIn"]["properties"]["rule"]
    assert {"$ref": "#/components/schemas/Criterion"} in rule["anyOf"]
    assert schemas["Rule"]["discriminator"]["propertyName"] == "rule"
    assert schemas["Rule"]["discriminator"]["mapping"].keys() == tree.KINDS.keys()
    groups = [each["$ref"].rpartition("/")[2] for each in schemas["Criterion"]["oneOf"]]
    assert sorted(groups) == ["All", "AnyOf", "AtLeast", "Rule"]


def test_the_rules_in_it_are_those_of_the_published_schema(document: dict[str, Any]) -> None:
    published = tree.json_schema("https://badges.example/schemas/criteria/1")["$defs"]
    for name, schema in published.items():
        if name != "Criterion":
            ours = document["components"]["schemas"][name]
            assert ours["properties"].keys() == schema["properties"].keys(), name
            assert ours.get("required") == schema.get("required"), name


def test_no_shape_joins_its_members_with_a_choice_of_shapes(document: dict[str, Any]) -> None:
    """Generators of clients take that for a choice of types that nothing is known about."""
    for each in within(document):
        assert "properties" not in each or not {"anyOf", "oneOf", "allOf"} & each.keys(), each.get("title")


@pytest.mark.parametrize(("name", "members"), [("Attendance", ["min_sessions", "min_rate"]), ("Tenure", ["min_days"])])
def test_a_rule_without_either_of_two_members_is_against_its_schema(
    document: dict[str, Any], name: str, members: list[str]
) -> None:
    shape = document["components"]["schemas"][name]
    complete = shape["examples"][0]
    refers = {"$ref": f"#/components/schemas/{name}", "components": document["components"]}
    assert jsonschema_rs.is_valid(refers, complete)
    either = set(shape["then"]["required"]) | {*members}
    assert not jsonschema_rs.is_valid(refers, {key: value for key, value in complete.items() if key not in either})


def test_of_a_choice_a_fixed_text_stands_last(document: dict[str, Any]) -> None:
    """A client of openapi-python-client compares with a fixed text first and last: what comes after it is never tried."""
    choices = [
        each[join] for each in within(document) for join in ("anyOf", "oneOf") if isinstance(each.get(join), list)
    ]
    assert len(choices) > 50
    assert [kinds for kinds in choices if any("const" in kind for kind in kinds[:-1])] == []


def test_a_descending_order_has_a_name_for_programs(document: dict[str, Any]) -> None:
    [sort] = [
        each["schema"]
        for each in document["paths"]["/v1/networks/{slug}/contributions"]["get"]["parameters"]
        if each["name"] == "sort"
    ]
    assert dict(zip(sort["enum"], sort["x-enum-varnames"], strict=True)) == {
        "received_at": "RECEIVED_AT",
        "-received_at": "RECEIVED_AT_DESCENDING",
        "occurred_at": "OCCURRED_AT",
        "-occurred_at": "OCCURRED_AT_DESCENDING",
    }


def test_only_reading_can_find_that_the_caller_has_it_already(operations: list[Operation]) -> None:
    for path, method, operation in operations:
        if "304" in operation["responses"]:
            assert method == "get", (method, path)
        elif method != "get" and any(each["name"] == "If-None-Match" for each in operation.get("parameters", ())):
            assert "412" in operation["responses"], (method, path)


@pytest.mark.parametrize(("name", "member"), [("SessionOut", "title"), ("EventPage", "next"), ("SessionPage", "next")])
def test_a_member_that_is_left_out_without_a_value_is_not_required_and_never_null(
    document: dict[str, Any], name: str, member: str
) -> None:
    shape = document["components"]["schemas"][name]
    assert member not in shape["required"]
    assert shape["properties"][member]["type"] in {"string", "integer"}


def test_a_member_that_is_always_there_is_required(document: dict[str, Any]) -> None:
    assert {"id", "ref", "starts_at", "confidential"} <= {*document["components"]["schemas"]["SessionOut"]["required"]}


def test_an_answer_that_is_not_as_described_fails_a_test(
    document: dict[str, Any], client: TestClient, runtime: Runtime
) -> None:
    """So every test of the API also tests its description."""
    got = alone(runtime, client).get("/v1/networks/river-writers")
    Description(document).check(got)
    shape = document["components"]["schemas"]["NetworkOut"]
    del shape["properties"]["slug"]
    with pytest.raises(NotDescribedError, match="getNetwork 200"):
        Description(document).check(got)
    del document["paths"]["/v1/networks/{slug}"]["get"]["responses"]["200"]
    with pytest.raises(NotDescribedError, match="is not described"):
        Description(document).check(got)


def test_every_example_of_a_schema_is_one(document: dict[str, Any]) -> None:
    components = {"components": document["components"]}
    for name, schema in document["components"]["schemas"].items():
        for example in schema.get("examples", []):
            jsonschema_rs.validate({"$ref": f"#/components/schemas/{name}"} | components, example)


def test_a_parameter_is_given_or_not_and_never_null(operations: list[Operation]) -> None:
    for path, method, operation in operations:
        for parameter in operation.get("parameters", []):
            assert {"type": "null"} not in parameter["schema"].get("anyOf", []), (method, path, parameter["name"])


@pytest.mark.parametrize(
    ("name", "member"),
    [
        ("EventOut", "type"),
        ("KeyOut", "algorithm"),
        ("ApprovalOut", "cause"),
        ("NodeOut", "rule"),
        ("VerificationOut", "headline"),
        ("VerificationOut", "tone"),
        ("Reason", "code"),
    ],
)
def test_a_text_that_is_one_of_some_names_has_them(document: dict[str, Any], name: str, member: str) -> None:
    schemas = document["components"]["schemas"]
    shape = schemas[name]["properties"][member]
    names = schemas[shape["$ref"].rpartition("/")[2]] if "$ref" in shape else shape
    assert len(names["enum"]) > 2


def test_a_digest_is_described_as_it_may_come(document: dict[str, Any]) -> None:
    digest = document["components"]["schemas"]["Artifact"]["properties"]["sha256"]["anyOf"][0]
    assert digest == {"type": "string", "pattern": "^[0-9a-fA-F]{64}$"}


@pytest.mark.parametrize("path", ["/v1/blobs", "/v1/verifications", "/v1/verification-batches"])
def test_a_form_says_which_fields_it_takes(document: dict[str, Any], path: str) -> None:
    form = document["paths"][path]["post"]["requestBody"]["content"]["multipart/form-data"]["schema"]
    assert document["components"]["schemas"][form["$ref"].rpartition("/")[2]]["additionalProperties"] is False


def test_a_credential_to_verify_is_told_from_a_question_about_one(document: dict[str, Any]) -> None:
    taken = document["paths"]["/v1/verifications"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert taken["anyOf"][0]["required"] == ["@context"]
