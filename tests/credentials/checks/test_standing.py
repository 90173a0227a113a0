"""Status lists that somebody else than the credential's issuer signs, and credentials with several entries."""

import json
from typing import Any

import pytest

from credentials import Report, verify
from credentials.status import BitstringStatusList, status_entry, status_list_credential
from tests.credentials.parties import NOW, SIGNED_AT, V2, Party, World, check_of, not_passed

URL = "https://lists.example/status/1"
PLACE = 94_567
ISSUER, KEEPER = Party(1), Party(2)
BADGE = {
    "@context": [V2, "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"],
    "id": "https://issuer.example/badges/1",
    "type": ["VerifiableCredential", "OpenBadgeCredential"],
    "validFrom": "2026-01-01T00:00:00Z",
    "credentialSubject": {
        "id": "did:example:member-1",
        "type": ["AchievementSubject"],
        "achievement": {
            "id": "https://issuer.example/achievements/1",
            "type": ["Achievement"],
            "name": "Achievement",
            "description": "Something that was learned.",
            "criteria": {"narrative": "Learn it."},
        },
    },
}


def published(world: World, *places: int, url: str = URL, purpose: str = "revocation", **changes: Any) -> None:
    """Publish a list that the keeper signs."""
    bits = BitstringStatusList()
    for place in places:
        bits.set(place, value=True)
    unsigned = status_list_credential(
        id=url, issuer=KEEPER.did, purpose=purpose, bits=bits, valid_from=SIGNED_AT, valid_until=NOW.replace(year=2027)
    )
    changed = {name: value for name, value in {**unsigned, **changes}.items() if value is not None}
    world.documents[url] = KEEPER.sign(changed)


def report(world: World, *entries: dict[str, Any], carried: bool = False) -> Report:
    status: Any = entries[0] if len(entries) == 1 else list(entries)
    signed = ISSUER.sign(ISSUER.credential(credentialStatus=status))
    return verify(json.dumps(signed), now=NOW, load=world.load, carried=carried)


@pytest.fixture
def world() -> World:
    return World()


def test_a_list_of_another_signer_verifies_with_a_remark_that_names_the_signer(world: World) -> None:
    published(world)
    found = report(world, status_entry(URL, PLACE, "revocation"))
    assert found.verdict == "verified"
    (remark,) = check_of(found, "status").findings
    assert (remark.code, remark.pointer) == ("status-list-signer", "/credentialStatus/statusListCredential")
    assert KEEPER.did[:56] in remark.message


def test_a_bit_that_another_signer_set_counts(world: World) -> None:
    published(world, PLACE)
    found = report(world, status_entry(URL, PLACE, "revocation"))
    assert not_passed(found) == [("status", "failed", [("credential-revoked", "/credentialStatus")])]


def test_the_proof_of_another_signers_list_is_checked(world: World) -> None:
    published(world)
    world.documents[URL]["validUntil"] = "2028-01-01T00:00:00Z"
    found = report(world, status_entry(URL, PLACE, "revocation"))
    assert not_passed(found) == [
        ("status", "failed", [("status-list-proof", "/credentialStatus/statusListCredential")])
    ]


def test_a_list_without_id_is_good(world: World) -> None:
    published(world, id=None)
    assert report(world, status_entry(URL, PLACE, "revocation")).verdict == "verified"


@pytest.mark.parametrize(
    ("set_places", "outcome", "code", "pointer"),
    [
        ((), "undecided", "status-list-other", "/credentialStatus/statusListCredential"),
        ((PLACE,), "failed", "credential-revoked", "/credentialStatus"),
    ],
)
def test_a_list_with_the_id_of_another_can_only_speak_against_the_credential(
    world: World, set_places: tuple[int, ...], outcome: str, code: str, pointer: str
) -> None:
    published(world, *set_places, id="https://lists.example/status/2")
    found = report(world, status_entry(URL, PLACE, "revocation"))
    assert not_passed(found) == [("status", outcome, [(code, pointer)])]


def test_a_list_that_was_brought_along_counts_only_if_the_issuer_signed_it(world: World) -> None:
    """Attack: a bundle with a list of the bundle's maker, in which the badge is not revoked."""
    published(world)
    found = report(world, status_entry(URL, PLACE, "revocation"), carried=True)
    assert not_passed(found) == [
        ("status", "undecided", [("status-list-issuer", "/credentialStatus/statusListCredential")])
    ]


def test_a_set_purpose_that_is_not_known_leaves_it_open_in_another_signers_list_too(world: World) -> None:
    published(world, PLACE, purpose="other")
    found = report(world, status_entry(URL, PLACE, "other"))
    assert not_passed(found) == [
        ("status", "undecided", [("status-purpose-unsupported", "/credentialStatus/statusPurpose")])
    ]


def test_the_page_of_a_parked_domain_leaves_it_open(world: World) -> None:
    for page in (b"<!DOCTYPE html><title>For sale</title>", b'{"for": "sale"}', b"\x00\xff"):
        world.documents[URL] = page
        found = report(world, status_entry(URL, PLACE, "revocation"))
        assert not_passed(found) == [
            ("status", "undecided", [("status-list-malformed", "/credentialStatus/statusListCredential")])
        ]


def test_a_remark_on_the_form_of_a_list_is_none_on_the_credential(world: World) -> None:
    published(world)
    world.documents[URL]["evidence"] = []
    assert report(world, status_entry(URL, PLACE, "revocation")).verdict == "verified"


@pytest.mark.parametrize(
    ("set_in", "code"), [("revocation", "credential-revoked"), ("suspension", "credential-suspended")]
)
def test_every_entry_of_a_badge_is_read(world: World, set_in: str, code: str) -> None:
    purposes = ("revocation", "suspension")
    entries = [status_entry(f"{URL}/{purpose}", PLACE, purpose) for purpose in purposes]
    badge = BADGE | {"issuer": ISSUER.did, "credentialStatus": entries}
    signed = json.dumps(ISSUER.sign(badge))
    for purpose in purposes:
        published(world, url=f"{URL}/{purpose}", purpose=purpose)
    assert verify(signed, now=NOW, load=world.load).verdict == "verified"
    published(world, PLACE, url=f"{URL}/{set_in}", purpose=set_in)
    found = verify(signed, now=NOW, load=world.load)
    (name, outcome, (first, *_)) = not_passed(found)[0]
    assert (name, outcome, first) == ("status", "failed", (code, f"/credentialStatus/{purposes.index(set_in)}"))
