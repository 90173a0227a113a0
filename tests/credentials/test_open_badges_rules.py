"""The rules of Open Badges beyond its schema: each on a signed badge that breaks this one and nothing else."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from credentials import Report, verify
from credentials.recipient import identity_object
from tests.credentials.parties import DATA_INTEGRITY, NOW, V1, Party, World, not_passed, outcomes

FULL: Any = json.loads((Path(__file__).parent / "assets/full-badge.json").read_text(encoding="utf-8"))
ISSUER, PEER = Party(1), Party(2)
EMAIL = "Member@School.example"
WITHOUT = ("proof", "credentialStatus", "refreshService", "endorsement", "endorsementJwt")
ACHIEVEMENT = "/credentialSubject/achievement"


def badge(change: Callable[[Any], object] | None = None) -> dict[str, Any]:
    members: Any = copy.deepcopy(FULL)
    for holder in (members, members["issuer"], members["credentialSubject"]["achievement"]):
        for name in WITHOUT:
            holder.pop(name, None)
    members["issuer"]["id"] = ISSUER.did
    members["credentialSubject"]["identifier"] = [identity_object("emailAddress", EMAIL.lower(), "6b1f0d3c5a")]
    if change is not None:
        change(members)
    return dict(members)


def older(members: dict[str, Any]) -> dict[str, Any]:
    """Return the same badge on VC Data Model 1.1."""
    members = copy.deepcopy(members)
    members["@context"] = [V1, members["@context"][1], DATA_INTEGRITY, *members["@context"][2:]]
    members["issuanceDate"], members["expirationDate"] = members.pop("validFrom"), members.pop("validUntil")
    return members


def report(signed: dict[str, Any], **options: Any) -> Report:
    return verify(json.dumps(signed), now=NOW, load=World().load, **options)


def subject(members: Any) -> Any:
    return members["credentialSubject"]


def achievement(members: Any) -> Any:
    return members["credentialSubject"]["achievement"]


RULES: dict[str, tuple[Callable[[Any], object], str, str, str]] = {
    "a recipient by id or identifier": (
        lambda b: [subject(b).pop(name) for name in ("id", "identifier")],
        "subject",
        "recipient-missing",
        "/credentialSubject",
    ),
    "criteria by id or narrative": (
        lambda b: achievement(b).update(criteria={}),
        "subject",
        "criteria-missing",
        f"{ACHIEVEMENT}/criteria",
    ),
    "a result of a description that is there": (
        lambda b: subject(b)["result"][0].update(resultDescription="urn:other"),
        "subject",
        "result-description-unknown",
        "/credentialSubject/result/0/resultDescription",
    ),
    "a level that is there": (
        lambda b: subject(b)["result"][0].update(achievedLevel="urn:other"),
        "subject",
        "result-level-unknown",
        "/credentialSubject/result/0/achievedLevel",
    ),
    "a status where the description asks for one": (
        lambda b: subject(b)["result"][3].pop("status"),
        "subject",
        "result-status-missing",
        "/credentialSubject/result/3",
    ),
    "a value that is allowed": (
        lambda b: subject(b)["result"][1].update(value="D"),
        "subject",
        "result-value-not-allowed",
        "/credentialSubject/result/1/value",
    ),
    "a value within its bounds": (
        lambda b: subject(b)["result"][2].update(value="100.5"),
        "subject",
        "result-value-not-allowed",
        "/credentialSubject/result/2/value",
    ),
    "a required level that is there": (
        lambda b: achievement(b)["resultDescription"][0].update(requiredLevel="urn:other"),
        "subject",
        "required-level-unknown",
        f"{ACHIEVEMENT}/resultDescription/0/requiredLevel",
    ),
    "a required value that is allowed": (
        lambda b: achievement(b)["resultDescription"][1].update(requiredValue="D"),
        "subject",
        "required-value-not-allowed",
        f"{ACHIEVEMENT}/resultDescription/1/requiredValue",
    ),
    "a picture of the subject in PNG or SVG": (
        lambda b: subject(b)["image"].update(id="data:image/jpeg;base64,AAAA"),
        "schema",
        "image-type",
        "/credentialSubject/image/id",
    ),
    "a picture of the issuer in PNG or SVG": (
        lambda b: b["issuer"].update(image={"id": "data:image/gif;base64,AAAA", "type": "Image"}),
        "schema",
        "image-type",
        "/issuer/image/id",
    ),
}


@pytest.mark.parametrize("version", [dict, older])
def test_a_badge_that_keeps_the_rules_is_verified(version: Callable[[Any], dict[str, Any]]) -> None:
    found = report(ISSUER.sign(version(badge())))
    assert (found.verdict, outcomes(found)["subject"]) == ("verified", "passed"), not_passed(found)


@pytest.mark.parametrize("version", [dict, older])
@pytest.mark.parametrize(("change", "check", "code", "where"), RULES.values(), ids=list(RULES))
def test_a_badge_that_breaks_one_fails_for_that_alone(
    change: Callable[[Any], object], check: str, code: str, where: str, version: Callable[[Any], dict[str, Any]]
) -> None:
    found = report(ISSUER.sign(version(badge(change))))
    assert not_passed(found) == [(check, "failed", [(code, where)])]


# --- Recipient ---


@pytest.mark.parametrize("version", [dict, older])
def test_a_recipient_is_found_by_the_hash_of_the_address_as_given_or_in_lower_case(
    version: Callable[[Any], dict[str, Any]],
) -> None:
    signed = ISSUER.sign(version(badge()))
    for given in (EMAIL, EMAIL.lower(), f"mailto:{EMAIL}"):
        assert report(signed, recipient=given).verdict == "verified"
    as_given = ISSUER.sign(
        version(badge(lambda b: subject(b).update(identifier=[identity_object("emailAddress", EMAIL, "6b1f0d3c5a")])))
    )
    assert report(as_given, recipient=EMAIL).verdict == "verified"
    found = report(signed, recipient="somebody@school.example")
    assert not_passed(found) == [("recipient", "failed", [("recipient-other", "/credentialSubject")])]


def test_an_identifier_is_compared_with_those_of_its_kind_only() -> None:
    def named(kind: str) -> dict[str, Any]:
        return ISSUER.sign(badge(lambda b: subject(b).update(identifier=[identity_object(kind, EMAIL.lower(), "s")])))

    assert report(named("emailAddress"), recipient=EMAIL).verdict == "verified"
    found = report(named("userName"), recipient=EMAIL)
    assert not_passed(found) == [("recipient", "undecided", [("recipient-not-comparable", "/credentialSubject")])]


# --- Endorsements ---


def endorsement(by: Party, of: str) -> dict[str, Any]:
    return {
        "@context": badge()["@context"],
        "id": "https://peer.example/endorsements/1",
        "type": ["VerifiableCredential", "EndorsementCredential"],
        "name": "An endorsement",
        "issuer": {"id": by.did, "type": ["Profile"], "name": "A peer"},
        "validFrom": "2026-01-01T00:00:00Z",
        "credentialSubject": {"id": of, "type": ["EndorsementSubject"], "endorsementComment": "Good."},
    }


@pytest.mark.parametrize("place", ["badge", "achievement"])
def test_an_endorsement_stands_on_its_own_proof(place: str) -> None:
    def endorsed(*, signed_by: Party) -> Report:
        def change(members: Any) -> None:
            holder = members if place == "badge" else achievement(members)
            holder["endorsement"] = [signed_by.sign(endorsement(PEER, holder["id"]))]

        return report(ISSUER.sign(badge(change)))

    found = endorsed(signed_by=PEER)
    assert (found.verdict, outcomes(found)["endorsements"]) == ("verified", "passed"), not_passed(found)
    where = "" if place == "badge" else ACHIEVEMENT
    found = endorsed(signed_by=ISSUER)  # who would gladly speak for others
    assert not_passed(found) == [
        ("endorsements", "failed", [("endorsement-not-verified", f"{where}/endorsement/0")]),
    ]
