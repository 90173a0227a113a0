import json
from typing import Any

import pytest

from credentials import Report, verify
from tests.credentials.parties import EXAMPLES, NOW, V2, Party, World, check_of, not_passed, outcomes

ISSUER, OTHER = Party(1), Party(2)
ADDRESS = "https://issuer.example/refresh/1"
EXTENSIONS = "https://purl.imsglobal.org/spec/ob/v3p0/extensions.json"
SERVICE = {"id": ADDRESS, "type": "1EdTechCredentialRefresh"}
ID = "https://issuer.example/credentials/1"


def credential(by: Party = ISSUER, **changes: Any) -> dict[str, Any]:
    members = {"@context": [V2, EXAMPLES, EXTENSIONS], "id": ID, "refreshService": SERVICE, **changes}
    return by.credential(**members)


def newer(by: Party = ISSUER, **changes: Any) -> dict[str, Any]:
    return credential(by, **{"validFrom": "2026-05-01T00:00:00Z", "name": "Newer", **changes})


def report(received: Any, at_service: Any = None, **options: Any) -> tuple[Report, World]:
    text = received if isinstance(received, str) else json.dumps(received)
    world = World({} if at_service is None else {ADDRESS: at_service})
    return verify(text, now=NOW, load=world.load, **options), world


def remarks(found: Report) -> list[tuple[str, str]]:
    return [(finding.code, finding.pointer) for finding in check_of(found, "refresh").findings]


def test_the_report_is_about_the_newer_copy_that_the_issuer_has() -> None:
    replacement = ISSUER.sign(newer())
    found, world = report(ISSUER.sign(credential()), replacement)
    assert (found.verdict, found.refreshed, found.credential) == ("verified", True, replacement)
    assert (outcomes(found)["refresh"], remarks(found)) == ("passed", [("credential-refreshed", "/refreshService")])
    assert found.to_json()["refreshed"] is True
    assert world.asked == [ADDRESS]  # and the service of the newer copy is not asked again


def test_the_newer_copy_may_be_a_jwt() -> None:
    found, _ = report(ISSUER.sign(credential()), ISSUER.jwt(newer(), "vc+jwt").encode())
    assert (found.verdict, found.refreshed, found.form) == ("verified", True, "json")


def test_a_credential_that_has_ended_may_have_a_newer_copy_that_has_not() -> None:
    ended = ISSUER.sign(credential(validUntil="2026-03-01T00:00:00Z"))
    found, _ = report(ended, ISSUER.sign(newer()))
    assert (found.verdict, found.refreshed) == ("verified", True)
    found, _ = report(ended)
    assert (found.verdict, found.refreshed) == ("rejected", False)


def test_recipient_is_compared_with_the_newer_copy() -> None:
    replacement = ISSUER.sign(newer(credentialSubject={"id": "did:example:member-2", "degree": "B"}))
    found, _ = report(ISSUER.sign(credential()), replacement, recipient="did:example:member-1")
    assert not_passed(found) == [("recipient", "failed", [("recipient-other", "/credentialSubject")])]


def test_the_same_copy_changes_nothing() -> None:
    received = ISSUER.sign(credential())
    found, _ = report(received, received)
    assert (found.verdict, found.refreshed, remarks(found)) == ("verified", False, [])
    assert outcomes(found)["refresh"] == "passed"


@pytest.mark.parametrize(
    ("at_service", "reason"),
    [
        (None, "expected a document at"),
        (b"Not found", "expecting value"),
        (ISSUER.sign(newer(id="https://issuer.example/credentials/2")), "got another credential"),
        (OTHER.sign(newer(OTHER)), "got another credential"),
        (ISSUER.sign(newer(issuer=7)), "got another credential"),
        (ISSUER.sign(newer(validFrom="2025-12-31T00:00:00Z")), "begins earlier"),
        (ISSUER.sign(newer(validFrom=None)), "begins earlier"),
        (OTHER.sign(newer()), "issuer: expected a key"),
        (newer(), "proof: expected a proof, got none"),
        (ISSUER.sign(newer(validUntil="2026-05-02T00:00:00Z")), "validity: expected a credential of now"),
        (
            ISSUER.sign(newer(credentialStatus={"id": "https://gone.example", "type": "1EdTechRevocationList"})),
            "status: expected a document at",
        ),
    ],
)
def test_where_there_is_no_good_copy_the_original_stands(at_service: Any, reason: str) -> None:
    received = ISSUER.sign(credential())
    found, _ = report(received, at_service)
    assert (found.verdict, found.refreshed, found.credential) == ("verified", False, received)
    assert remarks(found) == [("refresh-not-verified", "/refreshService")]
    assert reason in check_of(found, "refresh").findings[0].message


def test_the_same_credential_may_be_written_in_other_ways() -> None:
    replacement = ISSUER.sign(newer(id="https://issuer.example/%63redentials/1"))
    found, _ = report(ISSUER.sign(credential()), replacement)
    assert found.refreshed


def test_a_credential_without_id_has_no_newer_copy() -> None:
    found, _ = report(ISSUER.sign(credential(id=None)), ISSUER.sign(newer(id=None)))
    assert (found.verdict, found.refreshed) == ("verified", False)
    assert remarks(found) == [("refresh-not-verified", "/refreshService")]


def test_a_credential_without_beginning_takes_any_copy() -> None:
    found, _ = report(ISSUER.sign(credential(validFrom=None)), ISSUER.sign(newer(validFrom=None)))
    assert found.refreshed


def test_nothing_is_asked_for_a_credential_that_nobody_stands_behind() -> None:
    changed = ISSUER.sign(credential())
    changed["name"] = "Changed"
    for received in (changed, OTHER.sign(credential()), credential()):
        found, world = report(received, ISSUER.sign(newer()))
        assert (outcomes(found)["refresh"], found.refreshed, world.asked) == ("skipped", False, [])


@pytest.mark.parametrize(
    ("services", "asked"),
    [
        (None, []),
        ({"id": ADDRESS, "type": "https://example.org/#OtherService"}, []),
        ({"type": "1EdTechCredentialRefresh"}, []),
        ([{"id": "urn:x:1", "type": "https://example.org/#OtherService"}, SERVICE], [ADDRESS]),
        ([{**SERVICE, "type": ["1EdTechCredentialRefresh"]}, {**SERVICE, "id": f"{ADDRESS}/second"}], [ADDRESS]),
    ],
)
def test_the_first_service_of_the_type_that_is_known_is_asked(services: Any, asked: list[str]) -> None:
    found, world = report(ISSUER.sign(credential(refreshService=services)), ISSUER.sign(newer()))
    assert (found.refreshed, world.asked) == (bool(asked), asked)
    if isinstance(services, list):
        expected = [index for index, service in enumerate(services) if service["id"] == ADDRESS]
        assert remarks(found) == [("credential-refreshed", f"/refreshService/{expected[0]}")]


LIST = {"id": "https://issuer.example/revocations", "type": "1EdTechRevocationList"}
BIT = {
    "type": ["BitstringStatusListEntry"],
    "statusPurpose": "revocation",
    "statusListIndex": "7",
    "statusListCredential": "https://issuer.example/status/1",
}


@pytest.mark.parametrize("status", [LIST, BIT, [{"type": "https://example.org/#Status"}, BIT]])
def test_whoever_is_discreet_does_not_ask_the_service_where_a_list_says_whether_it_stands(status: Any) -> None:
    received = ISSUER.sign(credential(credentialStatus=status))
    found, world = report(received, ISSUER.sign(newer()), discreet=True)
    assert (outcomes(found)["refresh"], found.refreshed) == ("skipped", False)
    assert remarks(found) == [("refresh-not-asked", "/refreshService")]
    assert ADDRESS not in world.asked
    assert report(received, ISSUER.sign(newer()))[1].asked.count(ADDRESS) == 1


@pytest.mark.parametrize("status", [None, [], {"type": "https://example.org/#Status"}, [7]])
def test_without_a_list_the_service_is_asked_even_so(status: Any) -> None:
    found, world = report(ISSUER.sign(credential(credentialStatus=status)), ISSUER.sign(newer()), discreet=True)
    assert (found.refreshed, world.asked) == (True, [ADDRESS])
