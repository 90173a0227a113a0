"""What stands in a credential that we issue, and that others accept it."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from fastapi.testclient import TestClient

from credentials import Report
from credentials.bake import extract
from credentials.proofs.encodings import base64url_decode
from credentials.proofs.jose import decode_jwt
from service.checking import verification
from service.checking.basis import achieved
from service.issuing import citations
from service.runtime.runtime import Runtime
from service.tables import Credential, Record
from tests.service.achievements.test_api import FIELDS
from tests.worlds.awarding import SHARE_TWICE, Stage, described

pytestmark = pytest.mark.any_database("what stands in a document is of no database")

RUBRIC = {"rule": "rubric", "rubric": "feedback", "criteria": "*", "min_level": 3, "raters": 2, "unposted": True}


@pytest.fixture
def stage(client: TestClient, runtime: Runtime) -> Stage:
    return Stage.set_up(client, runtime)


@pytest.fixture(scope="module")
def schema() -> Any:
    folder = Path(__file__).parents[4] / "shared" / "data" / "1edtech-schemas"
    if not folder.is_dir():
        pytest.skip("the published schemas are not beside this clone (../shared/data)")
    return jsonschema_rs.validator_for(json.loads((folder / "achievementcredential.json").read_text()))


def verified(stage: Stage, received: bytes | str, recipient: str | None = None) -> Report:
    report = verification.verify_received(stage.runtime, received, recipient)
    assert report.verdict == "verified", report.to_json()
    return report


def public(stage: Stage, award: Any, ending: str) -> bytes:
    answer = stage.client.get(award["credential"]["url"] + ending)
    assert answer.status_code == 200, answer.text
    return answer.content


def shared_twice(stage: Stage, member: str = "m11") -> Any:
    """Return the award that two contributions earn."""
    for n in (1, 2):
        stage.share(n, member)
    (award,) = stage.awards(member=member)
    return award


def assessed(stage: Stage, *ratings: tuple[str, float, float], **more: Any) -> Any:
    """Return the award of a member whom these assessors rated (name, specific, kind)."""
    descriptions = {"result_descriptions": [described("specific"), described("kind")]}
    stage.achievement("assessed", RUBRIC, "automatic", **descriptions, **more)
    stage.member("m11")
    for evaluator, specific, kind in ratings:
        stage.member(evaluator)
        stage.rate(evaluator, {"specific": specific, "kind": kind})
    (award,) = stage.awards(achievement="assessed")
    return award


def nodes_with_ids(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        if "id" in value:
            yield value["id"], value
        for name, member in value.items():
            yield from nodes_with_ids(member, f"{path}/{name}")
    elif isinstance(value, list):
        for member in value:
            yield from nodes_with_ids(member, path)


def test_what_is_issued_is_verified_in_every_form(stage: Stage) -> None:
    stage.achievement()
    stage.member("m11", email="m11@example.org")
    award = shared_twice(stage)
    for ending in (".json", ".jwt", ".png", ".svg"):
        received = public(stage, award, ending)
        report = verified(stage, received, recipient="M11@Example.org")
        assert {check.name: check.outcome for check in report.checks}["recipient"] == "passed"
    assert verification.verify_received(stage.runtime, received, "other@example.org").verdict == "rejected"


def test_the_picture_carries_the_credential_byte_for_byte(stage: Stage) -> None:
    stage.achievement()
    stage.member()
    award = shared_twice(stage)
    signed = public(stage, award, ".json").decode()
    assert extract(public(stage, award, ".png")) == signed
    assert extract(public(stage, award, ".svg")) == signed


@pytest.mark.parametrize(
    "said",
    [{}, {"email": "m11@example.org"}, {"did": "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK"}],
    ids=["neither", "email", "did"],
)
@pytest.mark.parametrize("sandbox", [False, True])
def test_what_is_issued_fits_the_published_schema(
    client: TestClient, runtime: Runtime, schema: Any, said: dict[str, str], sandbox: bool
) -> None:
    stage = Stage.set_up(client, runtime, sandbox=sandbox, description="A circle.", email="hello@river.example.org")
    stage.member("m11", **said)
    award = assessed(stage, ("m12", 3, 3), ("cem", 3, 3), **FIELDS, tags=["feedback"], valid_for="P3Y")
    credential = stage.credential(award)
    assert {"evidence", "validUntil"} <= credential.keys()
    assert {"result", "identifier" if "did" not in said else "id"} <= credential["credentialSubject"].keys()
    assert [error.message for error in schema.iter_errors(credential)] == []


def test_credits_are_earned_with_the_badge_and_all_that_is_said_is_signed(stage: Stage) -> None:
    stage.member("m11")
    award = assessed(stage, ("m12", 3, 3), ("cem", 3, 3), **FIELDS)
    credential = stage.credential(award)
    verified(stage, json.dumps(credential))
    subject = credential["credentialSubject"]
    assert subject["creditsEarned"] == subject["achievement"]["creditsAvailable"] == 2
    *judged, credited = subject["result"]
    assert len(judged) == 2
    assert credited == {
        "type": ["Result"],
        "resultDescription": f"{subject['achievement']['id']}#credits:1",
        "value": "2",
    }
    board = achieved.Authority("State Board", "http://board.example.org/ceu")
    assert achieved.deeds(credential).credited == (achieved.Credited(2, board, "CEU"),)


def test_the_members_of_a_credential(stage: Stage) -> None:
    stage.achievement(tags=["sharing"])
    stage.member("m11", email="m11@example.org")
    credential = stage.credential(shared_twice(stage))
    assert credential["@context"] == [
        "https://www.w3.org/ns/credentials/v2",
        "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json",
        "https://purl.imsglobal.org/spec/ob/v3p0/extensions.json",
    ]
    assert credential["type"] == ["VerifiableCredential", "OpenBadgeCredential"]
    assert credential["name"] == "Sharer"
    assert credential["validFrom"] == credential["awardedDate"] == "2026-03-02T12:00:00Z"
    assert "validUntil" not in credential
    issuer = credential["issuer"]
    assert issuer["id"] == "did:web:localhost%3A8000:networks:river"
    assert (issuer["type"], issuer["name"]) == (["Profile"], "River Writers")
    achievement = credential["credentialSubject"]["achievement"]
    assert achievement["creator"] == issuer
    assert achievement["criteria"] == {"id": f"{achievement['id']}#criteria", "narrative": "Share two resources."}
    assert achievement["image"] == {"id": f"{achievement['id']}/image.png", "type": "Image"}
    assert (achievement["version"], achievement["tag"]) == ("1", ["sharing"])
    status = credential["credentialStatus"]
    assert status["type"] == "BitstringStatusListEntry"
    assert status["statusPurpose"] == "revocation"
    assert 0 <= int(status["statusListIndex"]) < 131_072
    assert status["id"] == f"{status['statusListCredential']}#{status['statusListIndex']}"
    (schema,) = credential["credentialSchema"]
    assert schema["type"] == "1EdTechJsonSchemaValidator2019"
    (proof,) = credential["proof"]
    assert proof["cryptosuite"] == "eddsa-rdfc-2022"
    assert proof["verificationMethod"].startswith(issuer["id"] + "#z6Mk")


def test_the_jwt_says_the_same_with_the_claims_of_open_badges(stage: Stage) -> None:
    stage.achievement(valid_for="P1Y")
    stage.member("m11", did="did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK")
    award = shared_twice(stage)
    credential, jwt = stage.credential(award), decode_jwt(public(stage, award, ".jwt").decode())
    assert jwt.header["alg"] == "ES256"
    assert set(jwt.header) == {"alg", "kid", "typ"}
    assert jwt.header["kid"].startswith("http://localhost:8000/keys/")
    assert stage.client.get(jwt.header["kid"]).json()["crv"] == "P-256"
    claims = {name: jwt.payload[name] for name in ("iss", "jti", "sub", "nbf", "exp")}
    assert claims == {
        "iss": credential["issuer"]["id"],
        "jti": credential["id"],
        "sub": "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK",
        "nbf": 1772452800,
        "exp": 1772452800 + 365 * 86400,
    }
    assert {name: value for name, value in jwt.payload.items() if name not in claims} == {
        name: value for name, value in credential.items() if name != "proof"
    }


def test_no_id_stands_for_two_different_things(stage: Stage) -> None:
    award = assessed(stage, ("m12", 3, 3), ("cem", 3, 3))
    seen: dict[str, Any] = {}
    for name, node in nodes_with_ids(stage.credential(award)):
        assert seen.setdefault(name, node) == node, name
    assert len(seen) > 10


def test_nothing_in_a_credential_names_its_recipient(stage: Stage) -> None:
    stage.achievement()
    stage.member("m11-ref", name="Member 11", email="Mem.Ber@Example.org", organization="Lincoln School")
    award = shared_twice(stage, "m11-ref")
    for ending in (".json", ".jwt"):
        text = public(stage, award, ending).decode()
        if ending == ".jwt":
            text = json.dumps(decode_jwt(text).payload)
        for secret in ("mem.ber", "example.org/members", "lincoln", "m11-ref"):
            assert secret not in text.lower().replace("river.example.org", "")


def test_an_address_is_hashed_with_another_salt_each_time(stage: Stage) -> None:
    for ref in ("one", "two"):
        stage.achievement(ref)
    stage.member("m11", email="m11@example.org")
    identifiers = [stage.credential(stage.recorded(ref))["credentialSubject"]["identifier"] for ref in ("one", "two")]
    for (identifier,) in identifiers:
        hashed = hashlib.sha256(f"m11@example.org{identifier['salt']}".encode()).hexdigest()
        assert identifier["identityHash"] == f"sha256${hashed}"
        assert identifier["identityType"] == "emailAddress"
        assert len(identifier["salt"]) == 32
    assert identifiers[0] != identifiers[1]


def test_a_member_of_whom_no_address_is_known_has_an_identifier_of_the_network(stage: Stage) -> None:
    stage.achievement()
    stage.member("m11")
    award = shared_twice(stage)
    (identifier,) = stage.credential(award)["credentialSubject"]["identifier"]
    assert identifier["identityType"] == "identifier"
    verified(stage, public(stage, award, ".json"), recipient="http://localhost:8000/networks/river/members/m11")


def test_a_did_and_an_address_both_name_the_recipient(stage: Stage) -> None:
    did = "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK"
    stage.achievement()
    stage.member("m11", did=did, email="m11@example.org")
    award = shared_twice(stage)
    for recipient in (did, "m11@example.org"):
        verified(stage, public(stage, award, ".json"), recipient=recipient)


def test_each_piece_of_evidence_is_told_in_plain_words_and_sealed(stage: Stage) -> None:
    stage.achievement()
    stage.member("m11")
    records = [stage.share(n, title="Secret title", url="https://river.example.org/secret") for n in (1, 2)]
    (award,) = stage.awards()
    credential = stage.credential(award)
    *evidence, _receipt = credential["evidence"]
    assert [item["id"] for item in evidence] == [f"{credential['id']}#evidence-{n}" for n in (1, 2)]
    for item in evidence:
        assert item["narrative"] == "Shared a resource on 1 March 2026. Confirmed by the network."
        assert item["genre"] == "shared"
    assert "ecret" not in json.dumps(credential)
    with stage.runtime.database.read() as session:
        digests = {session.get_one(Record, _uuid(record["id"])).body_digest for record in records}
    sealed = {base64url_decode(item["digestMultibase"].removeprefix("u")) for item in evidence}
    assert {seal[:2] for seal in sealed} == {b"\x12\x20"}
    assert {seal[2:].hex() for seal in sealed} == digests


def _uuid(text: str) -> Any:
    from uuid import UUID  # noqa: PLC0415  (only here)

    return UUID(text)


@pytest.mark.parametrize(
    ("teller", "roles", "words"),
    [
        ("m11", [], "Self-reported."),
        ("m12", [], "Seen by a peer."),
        ("m12", ["facilitator"], "Confirmed by a facilitator or assessor."),
        (None, [], "Confirmed by the network."),
    ],
)
def test_who_stands_for_evidence_is_told_in_words(
    stage: Stage, teller: str | None, roles: list[str], words: str
) -> None:
    stage.achievement()
    stage.member("m11")
    stage.member("m12", roles=[{"role": role, "from": "2026-01-01T00:00:00Z"} for role in roles])
    token = stage.token_with("evidence:write", member=teller) if teller else stage.token
    for n in (1, 2):
        body = {"member": "m11", "type": "shared", "resource": f"r{n}", "occurred_at": "2026-03-01T10:00:00Z"}
        assert stage.call("POST", "./contributions", token, json=body).is_success
    (award,) = stage.awards()
    *evidence, _receipt = stage.credential(award)["evidence"]
    assert [item["narrative"] for item in evidence] == [f"Shared a resource on 1 March 2026. {words}"] * 2


def test_what_the_network_sends_late_is_said_to_be_late_and_not_to_be_confirmed_by_others(stage: Stage) -> None:
    stage.achievement()
    stage.member("m11")
    for n in (1, 2):
        stage.share(n, occurred_at="2025-11-01T10:00:00Z")
    (award,) = stage.awards()
    evidence, *_ = stage.credential(award)["evidence"]
    assert evidence["narrative"] == (
        "Shared a resource on 1 November 2025. Confirmed by the network, long after it happened."
    )


@pytest.mark.parametrize(
    ("teller", "roles", "words"),
    [
        ("m11", [], "Self-reported."),
        ("m12", [], "Seen by a peer, long after it happened."),
        ("m12", ["facilitator"], "Confirmed by a facilitator or assessor, long after it happened."),
    ],
)
def test_a_late_word_is_still_said_to_be_of_the_one_who_gave_it(
    stage: Stage, teller: str, roles: list[str], words: str
) -> None:
    stage.achievement()
    stage.member("m11")
    stage.member("m12", roles=[{"role": role, "from": "2026-01-01T00:00:00Z"} for role in roles])
    token = stage.token_with("evidence:write", member=teller)
    for n in (1, 2):
        body = {"member": "m11", "type": "shared", "resource": f"r{n}", "occurred_at": "2025-11-01T10:00:00Z"}
        assert stage.call("POST", "./contributions", token, json=body).is_success
    (award,) = stage.awards()
    evidence, *_ = stage.credential(award)["evidence"]
    assert evidence["narrative"] == f"Shared a resource on 1 November 2025. {words}"


def test_of_a_confidential_session_only_the_fact_is_told(stage: Stage) -> None:
    stage.achievement()
    stage.member("m11")
    session = {"starts_at": "2026-03-01T09:00:00Z", "confidential": True, "title": "Hard cases"}
    stage.send("PUT", "./sessions/hard-cases", session)
    for n in (1, 2):
        stage.share(n, session="hard-cases")
    (award,) = stage.awards()
    *evidence, _receipt = stage.credential(award)["evidence"]
    expected = "In a confidential session. Confirmed by the network."
    assert [(item["narrative"], item["genre"]) for item in evidence] == [(expected, "confidential")] * 2


def test_very_much_evidence_is_summed_up(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(citations, "MAX_EVIDENCE", 3)
    stage.achievement(rule=SHARE_TWICE | {"gte": 5})
    stage.member("m11")
    for n in range(5):
        stage.share(n)
    (award,) = stage.awards()
    *single, rest, _receipt = stage.credential(award)["evidence"]
    assert len(single) == 3
    assert rest["narrative"] == "2 more records of the network."
    verified(stage, public(stage, award, ".json"))


def test_a_result_is_the_level_that_enough_assessors_gave(stage: Stage) -> None:
    award = assessed(stage, ("m12", 3, 3), ("cem", 3, 1), ("dina", 1, 3))
    credential = stage.credential(award)
    described_by = {item["id"]: item for item in credential["credentialSubject"]["achievement"]["resultDescription"]}
    told = {}
    for result in credential["credentialSubject"]["result"]:
        description = described_by[result["resultDescription"]]
        (level,) = [level for level in description["rubricCriterionLevel"] if level["id"] == result["achievedLevel"]]
        told[description["name"]] = level["name"]
    assert told == {"Feedback is specific": "Proficient", "Feedback is kind": "Proficient"}


def test_an_award_made_earlier_keeps_its_date(stage: Stage) -> None:
    stage.achievement(valid_for="P10Y")
    stage.member("m11")
    award = stage.recorded(awarded_at="2020-02-29T11:30:00+01:00")
    credential = stage.credential(award)
    assert credential["awardedDate"] == "2020-02-29T10:30:00Z"
    assert credential["validFrom"] == "2026-03-02T12:00:00Z"
    assert credential["validUntil"] == "2030-02-28T10:30:00Z"
    assert [item["genre"] for item in credential["evidence"]] == ["receipt"]
    verified(stage, public(stage, award, ".json"))


def test_the_badges_of_a_sandbox_say_test(client: TestClient, runtime: Runtime) -> None:
    stage = Stage.set_up(client, runtime, sandbox=True)
    stage.achievement()
    stage.member("m11")
    credential = stage.credential(shared_twice(stage))
    named = (credential, credential["issuer"], credential["credentialSubject"]["achievement"])
    assert all(node["name"].startswith("TEST ") for node in named)


def test_what_is_stored_is_what_is_given_out(stage: Stage) -> None:
    stage.achievement()
    stage.member("m11")
    award = shared_twice(stage)
    with stage.runtime.database.read() as session:
        row = session.get_one(Credential, award["credential"]["id"])
        assert row.signed.encode() == public(stage, award, ".json")
        assert row.sha256 == hashlib.sha256(row.signed.encode()).hexdigest()
        assert row.valid_from == row.issued_at


def test_after_rotation_of_the_keys_old_and_new_badges_verify(stage: Stage) -> None:
    from service.access.act import Act  # noqa: PLC0415
    from service.signing import keyring  # noqa: PLC0415
    from service.tables import Network  # noqa: PLC0415

    for ref in ("one", "two"):
        stage.achievement(ref)
    stage.member("m11")
    old = stage.recorded("one")
    with stage.runtime.database.write() as session:
        network = session.query(Network).one()
        keyring.rotate(Act(session, network, None, stage.runtime.now()), stage.runtime)
    new = stage.recorded("two")
    methods = {stage.credential(award)["proof"][0]["verificationMethod"] for award in (old, new)}
    assert len(methods) == 2
    for award in (old, new):
        for ending in (".json", ".jwt"):
            verified(stage, public(stage, award, ending))
