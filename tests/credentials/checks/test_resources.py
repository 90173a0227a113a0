import base64
import hashlib
import json
from typing import Any

import pytest

from credentials import MalformedError, Report, sign, sign_jwt, verify
from credentials.checks.resources import MAX_RESOURCES
from credentials.errors import CredentialError
from tests.credentials.parties import NOW, SIGNED_AT, V2, Party, World, check_of, not_passed, outcomes

ISSUER = Party(1)
ADDRESS = "https://issuer.example/related.json"
BODY = b'{"a": 1}'
SHA256 = "sha256-" + base64.b64encode(hashlib.sha256(BODY).digest()).decode()
OTHER = "sha256-" + base64.b64encode(hashlib.sha256(b"other").digest()).decode()
EDITIONS = {  # of credentials/v2, as the specification and its test suite give them
    "2025": "sha384-l/HrjlBCNWyAX91hr6LFV2Y3heB5Tcr6IeE4/Tje8YyzYBM8IhqjHWiWpr8+ZbYU",
    "2024": "sha384-NSOcNpmdIVUxIJGvGUoe22FjTWrXiaXlsZ8q6912LdnR3KraQO2n75Ica4wK4Qeg",
}
BARE = {"2025": "uWZVc7WaX1h4D8rJVb-vlMIqxaEKEb1tYbX8fet7JJzQ", "2024": "uJKGMkOmFbVJhEfKTduMC2XCyvRAYLjOVmZWwIH1wQ7k"}


def related(*resources: dict[str, Any]) -> dict[str, Any]:
    return ISSUER.credential(relatedResource=list(resources))


def report(received: Any, world: World | None = None) -> Report:
    text = received if isinstance(received, str) else json.dumps(received)
    return verify(text, now=NOW, load=(world or World({ADDRESS: BODY})).load)


def test_a_resource_with_its_digest_passes_and_one_without_fails() -> None:
    found = report(ISSUER.sign(related({"id": ADDRESS, "digestSRI": SHA256})))
    assert (found.verdict, outcomes(found)["resources"]) == ("verified", "passed")
    found = report(ISSUER.sign(related({"id": ADDRESS, "digestSRI": OTHER})))
    assert not_passed(found) == [("resources", "failed", [("digest-mismatch", "/relatedResource/0")])]
    found = report(ISSUER.sign(ISSUER.credential(relatedResource={"id": ADDRESS, "digestSRI": OTHER})))
    assert not_passed(found) == [("resources", "failed", [("digest-mismatch", "/relatedResource")])]


def test_without_related_resources_nothing_is_asked() -> None:
    world = World()
    assert outcomes(report(ISSUER.sign(ISSUER.credential()), world))["resources"] == "skipped"
    assert world.asked == []


@pytest.mark.parametrize("edition", ["2024", "2025"])
def test_a_context_may_be_any_edition_that_is_known_and_is_not_loaded(edition: str) -> None:
    world = World()
    resource = {"id": V2, "digestSRI": EDITIONS[edition], "digestMultibase": BARE[edition]}
    assert report(ISSUER.sign(related(resource)), world).verdict == "verified"
    assert world.asked == []


def test_the_digests_of_a_context_are_of_one_edition() -> None:
    mixed = {"id": V2, "digestSRI": EDITIONS["2024"], "digestMultibase": BARE["2025"]}
    found = report(ISSUER.sign(related(mixed)))
    assert not_passed(found) == [("resources", "failed", [("digest-mismatch", "/relatedResource/0")])]


def test_what_cannot_be_had_or_compared_is_undecided() -> None:
    sha3 = "uFiA" + base64.urlsafe_b64encode(bytes(33)).decode().rstrip("=")[:43]
    for resource, fault in (
        ({"id": "https://gone.example", "digestSRI": SHA256}, ("address-unavailable", "/relatedResource/0")),
        ({"id": ADDRESS, "digestSRI": "sha3-256-AAAA"}, ("digest-unsupported", "/relatedResource/0/digestSRI")),
        ({"id": ADDRESS, "digestMultibase": sha3}, ("digest-unsupported", "/relatedResource/0/digestMultibase")),
    ):
        found = report(ISSUER.sign(related(resource)))
        assert not_passed(found) == [("resources", "undecided", [fault])]


def test_a_digest_that_is_none_fails() -> None:
    found = report(ISSUER.sign(related({"id": ADDRESS, "digestMultibase": "uZTQ0MjM1Ng"})))
    assert not_passed(found) == [
        ("resources", "failed", [("digest-malformed", "/relatedResource/0/digestMultibase")]),
    ]


def test_what_the_form_says_is_not_said_twice() -> None:
    for resource, fault in (
        ({"id": ADDRESS}, ("digest-missing", "/relatedResource/0")),
        ({"digestSRI": SHA256}, ("member-missing", "/relatedResource/0/id")),
    ):
        found = report(ISSUER.sign(related(resource)))
        assert not_passed(found) == [("schema", "failed", [fault])]
    found = report(ISSUER.jwt(ISSUER.credential(relatedResource=["https://issuer.example"]), "vc+jwt"))
    assert outcomes(found)["resources"] == "skipped"


def test_the_part_of_a_document_is_in_the_document() -> None:
    world = World({ADDRESS: BODY})
    assert report(ISSUER.sign(related({"id": f"{ADDRESS}#part", "digestSRI": SHA256})), world).verdict == "verified"
    assert world.asked == [ADDRESS]


def test_nothing_is_loaded_for_a_credential_that_nobody_stands_behind() -> None:
    world = World({ADDRESS: BODY})
    changed = ISSUER.sign(related({"id": ADDRESS, "digestSRI": SHA256}))
    changed["name"] = "Changed"
    found = report(changed, world)
    assert (outcomes(found)["proof"], outcomes(found)["resources"]) == ("failed", "skipped")
    somebody_else = Party(2).sign(related({"id": ADDRESS, "digestSRI": SHA256}))
    assert outcomes(report(somebody_else, world))["resources"] == "skipped"
    assert world.asked == []


def test_more_resources_than_are_looked_at_are_undecided() -> None:
    world = World({f"https://issuer.example/{number}": BODY for number in range(MAX_RESOURCES + 1)})
    many = [{"id": address, "digestSRI": SHA256} for address in world.documents]
    found = report(ISSUER.sign(related(*many)), world)
    assert not_passed(found) == [("resources", "undecided", [("resources-too-many", "/relatedResource")])]
    assert len(world.asked) == MAX_RESOURCES
    assert len(check_of(found, "resources").findings) == 1


# --- At issue ---


def signed(credential: dict[str, Any]) -> None:
    sign(credential, ISSUER.ed25519, verification_method=ISSUER.method(ISSUER.ed25519), created=SIGNED_AT)


def signed_as_jwt(credential: dict[str, Any]) -> None:
    sign_jwt(credential, ISSUER.p256, kid="https://issuer.example/keys/1")


@pytest.mark.parametrize("make", [signed, signed_as_jwt])
@pytest.mark.parametrize(
    ("resource", "code", "where"),
    [
        ({"id": V2, "digestSRI": SHA256}, "digest-mismatch", "/relatedResource/0"),
        ({"id": ADDRESS, "digestMultibase": "uZTQ0MjM1Ng"}, "digest-malformed", "/relatedResource/0/digestMultibase"),
        ({"id": ADDRESS, "digestSRI": "md5-AAAA"}, "digest-unsupported", "/relatedResource/0/digestSRI"),
        ({"id": ADDRESS}, "digest-missing", "/relatedResource/0"),
    ],
)
def test_a_digest_that_does_not_fit_is_not_signed(make: Any, resource: dict[str, Any], code: str, where: str) -> None:
    with pytest.raises(CredentialError) as raised:
        make(related(resource))
    assert (raised.value.code, raised.value.pointer) == (code, where)


@pytest.mark.parametrize("make", [signed, signed_as_jwt])
def test_a_resource_elsewhere_is_signed_as_it_is_given(make: Any) -> None:
    make(related({"id": ADDRESS, "digestSRI": OTHER}, {"id": V2, "digestMultibase": BARE["2024"]}))


def test_a_resource_is_signed_once() -> None:
    with pytest.raises(MalformedError, match="expected each resource once"):
        signed(related({"id": ADDRESS, "digestSRI": SHA256}, {"id": ADDRESS, "digestSRI": SHA256}))


def test_whoever_is_discreet_does_not_ask_for_resources_and_says_so() -> None:
    world = World({ADDRESS: BODY})
    received = json.dumps(ISSUER.sign(related({"id": ADDRESS, "digestSRI": OTHER}, CONTEXT)))
    found = verify(received, now=NOW, load=world.load, discreet=True)
    check = check_of(found, "resources")
    assert (found.verdict, check.outcome, world.asked) == ("verified", "skipped", [])
    assert [(finding.code, finding.pointer) for finding in check.findings] == [
        ("resource-not-asked", "/relatedResource/0")
    ]


CONTEXT = {"id": V2, "digestSRI": EDITIONS["2025"]}


@pytest.mark.parametrize(
    ("wrong", "code", "outcome"),
    [
        ({"id": V2, "digestSRI": OTHER}, "digest-mismatch", "failed"),
        ({"id": ADDRESS, "digestSRI": "sha256-short"}, "digest-malformed", "failed"),
        ({"id": ADDRESS, "digestSRI": "md5-short"}, "digest-unsupported", "undecided"),
    ],
)
def test_what_is_wrong_without_asking_is_found_all_the_same(wrong: dict[str, Any], code: str, outcome: str) -> None:
    received = json.dumps(ISSUER.sign(related(wrong, {"id": f"{ADDRESS}?2", "digestSRI": SHA256})))
    check = check_of(verify(received, now=NOW, load=World().load, discreet=True), "resources")
    assert (check.outcome, check.findings[0].code) == (outcome, code)


def test_a_discreet_check_of_contexts_alone_passes() -> None:
    received = json.dumps(ISSUER.sign(related(CONTEXT)))
    assert outcomes(verify(received, now=NOW, load=World().load, discreet=True))["resources"] == "passed"
