"""What we issue, before the JavaScript verifiers of Digital Bazaar and the Digital Credentials Consortium, and jose."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from credentials import verify_presentation
from credentials.graph.documents import PACKAGED
from credentials.proofs.data_integrity import check_proof
from credentials.proofs.dids import did_web_url
from credentials.proofs.keys import VerificationKey
from tests.interop.issuing import SCHEMA, Issuer, changed, named
from tests.interop.judging import Judges

VERIFIED = {"verified": True, "reasons": [], "statuses": [False]}


@pytest.fixture
def issuer() -> Issuer:
    return Issuer()


def without_subject_id(badge: dict[str, Any]) -> dict[str, Any]:
    subject = {name: value for name, value in badge["credentialSubject"].items() if name != "id"}
    return badge | {"credentialSubject": subject}


@pytest.mark.parametrize("suite", ["eddsa-rdfc-2022", "ecdsa-rdfc-2019"])
def test_digital_bazaar_verifies_a_badge(judges: Judges, issuer: Issuer, suite: str) -> None:
    signed = issuer.sign(issuer.badge(), suite)
    answer = judges.ask("digitalbazaar", credential=signed, documents=issuer.documents)
    assert answer == VERIFIED


def test_digital_bazaar_verifies_a_badge_for_a_recipient_known_by_address_only(judges: Judges, issuer: Issuer) -> None:
    signed = issuer.sign(without_subject_id(issuer.badge()))
    answer = judges.ask("digitalbazaar", credential=signed, documents=issuer.documents)
    assert answer == VERIFIED


@pytest.mark.parametrize("by_id", [True, False])
def test_digital_bazaar_verifies_a_badge_that_names_its_recipient(judges: Judges, issuer: Issuer, by_id: bool) -> None:
    signed = issuer.sign(named(issuer.badge(), by_id=by_id))
    assert judges.ask("digitalbazaar", credential=signed, documents=issuer.documents) == VERIFIED


def test_digital_bazaar_verifies_a_badge_that_holds_an_endorsement(judges: Judges, issuer: Issuer) -> None:
    held = issuer.sign(issuer.endorsement(alone=False))
    signed = issuer.sign(issuer.badge() | {"endorsement": [held]})
    assert judges.ask("digitalbazaar", credential=signed, documents=issuer.documents) == VERIFIED


def test_digital_bazaar_verifies_an_endorsement_until_it_is_withdrawn(judges: Judges, issuer: Issuer) -> None:
    signed = issuer.sign(issuer.endorsement(alone=True))
    assert judges.ask("digitalbazaar", credential=signed, documents=issuer.documents) == VERIFIED
    issuer.publish_status(revoked=True)
    assert judges.ask("digitalbazaar", credential=signed, documents=issuer.documents)["statuses"] == [True]


def test_digital_bazaar_refuses_a_changed_badge(judges: Judges, issuer: Issuer) -> None:
    signed = changed(issuer.sign(issuer.badge()))
    answer = judges.ask("digitalbazaar", credential=signed, documents=issuer.documents)
    assert answer["verified"] is False
    assert "Invalid signature." in answer["reasons"]


def test_digital_bazaar_sees_that_a_badge_is_revoked(judges: Judges, issuer: Issuer) -> None:
    signed = issuer.sign(issuer.badge())
    issuer.publish_status(revoked=True)
    answer = judges.ask("digitalbazaar", credential=signed, documents=issuer.documents)
    assert answer["statuses"] == [True]


def test_digital_bazaar_refuses_a_badge_whose_signer_is_not_its_issuer(judges: Judges, issuer: Issuer) -> None:
    other = Issuer()
    signed = other.sign(other.badge(issuer=issuer.badge()["issuer"]))
    answer = judges.ask("digitalbazaar", credential=signed, documents=other.documents | issuer.documents)
    assert answer["verified"] is False


def test_what_digital_bazaar_signs_we_check(judges: Judges, issuer: Issuer) -> None:
    key = judges.ask("digitalbazaar key", controller=issuer.did)
    signed = judges.ask("digitalbazaar signature", credential=issuer.badge(), key=key, documents=issuer.documents)
    check_proof(signed, signed["proof"], VerificationKey.from_multikey(key["publicKeyMultibase"]), PACKAGED)


ASKED: Any = {"challenge": "5c3b9f4e", "domain": "https://employer.example"}


@pytest.mark.parametrize("suite", ["eddsa-rdfc-2022", "ecdsa-rdfc-2019"])
def test_digital_bazaar_verifies_a_presentation(judges: Judges, issuer: Issuer, suite: str) -> None:
    shown = issuer.present(issuer.sign(issuer.badge()), suite=suite, **ASKED)
    answer = judges.ask("digitalbazaar presentation", presentation=shown, documents=issuer.documents, **ASKED)
    assert answer == {"verified": True, "reasons": [], "credentials": [True]}


def test_digital_bazaar_refuses_a_presentation_for_another_challenge(judges: Judges, issuer: Issuer) -> None:
    shown = issuer.present(issuer.sign(issuer.badge()), **ASKED)
    asked = ASKED | {"challenge": "another"}
    answer = judges.ask("digitalbazaar presentation", presentation=shown, documents=issuer.documents, **asked)
    assert answer["verified"] is False
    assert any("challenge" in reason for reason in answer["reasons"])


def test_what_digital_bazaar_presents_we_verify(judges: Judges, issuer: Issuer) -> None:
    key = judges.ask("digitalbazaar key", controller=issuer.did)
    document = issuer.documents[did_web_url(issuer.did)]
    method = {"type": "Multikey", "controller": issuer.did, "publicKeyMultibase": key["publicKeyMultibase"]}
    key["id"] = f"{issuer.did}#{key['publicKeyMultibase']}"
    document["authentication"].append({"id": key["id"], **method})
    presentation = issuer.presentation(issuer.sign(issuer.badge()), issuer.sign_envelope(issuer.badge()))
    shown = judges.ask(
        "digitalbazaar presenting", presentation=presentation, key=key, documents=issuer.documents, **ASKED
    )
    found = verify_presentation(json.dumps(shown), now=issuer.now, load=issuer.load, **ASKED)
    assert found.verdict == "verified", found.checks
    assert [inner.verdict for inner in found.credentials] == ["verified", "verified"]
    other = verify_presentation(json.dumps(shown), now=issuer.now, load=issuer.load, challenge="another")
    assert other.verdict == "rejected"


def test_the_consortium_verifies_a_badge_and_its_schema(judges: Judges, issuer: Issuer, shared: Path) -> None:
    schema = json.loads((shared / "1edtech-schemas" / "achievementcredential.json").read_bytes())
    signed = issuer.sign(issuer.badge())
    answer = judges.ask("digitalcredentials", credential=signed, documents=issuer.documents | {SCHEMA: schema})
    assert answer == {
        "steps": {
            "valid_signature": True,
            "expiration": True,
            "revocation_status": True,
            "registered_issuer": False,  # we are in no registry of theirs
        },
        "reasons": [],
        "schemas": [{"schema": SCHEMA, "valid": True}],
    }


def test_the_consortium_refuses_a_changed_badge(judges: Judges, issuer: Issuer) -> None:
    signed = changed(issuer.sign(issuer.badge()))
    answer = judges.ask("digitalcredentials", credential=signed, documents=issuer.documents)
    assert answer["reasons"] == ["invalid_signature: The signature is not valid."]


def test_the_consortium_sees_that_a_badge_is_revoked(judges: Judges, issuer: Issuer) -> None:
    signed = issuer.sign(issuer.badge())
    issuer.publish_status(revoked=True)
    answer = judges.ask("digitalcredentials", credential=signed, documents=issuer.documents)
    assert answer["steps"]["revocation_status"] is False


def test_the_consortium_sees_that_a_badge_has_expired(judges: Judges, issuer: Issuer) -> None:
    signed = issuer.sign(issuer.badge(validFrom="2024-05-01T00:00:00Z", validUntil="2025-05-01T00:00:00Z"))
    answer = judges.ask("digitalcredentials", credential=signed, documents=issuer.documents)
    assert answer["steps"]["expiration"] is False


def test_jose_verifies_a_badge_as_jwt_by_the_key_at_its_address(judges: Judges, issuer: Issuer) -> None:
    badge = issuer.badge()
    payload = judges.ask("jose", token=issuer.sign_jwt(badge), issuer=issuer.did, documents=issuer.documents)
    assert {name: payload[name] for name in badge} == badge
    assert payload["jti"] == badge["id"]
    assert datetime.fromtimestamp(payload["nbf"], UTC) == datetime.fromisoformat(badge["validFrom"])


def test_jose_refuses_a_changed_jwt(judges: Judges, issuer: Issuer) -> None:
    header, payload, _ = issuer.sign_jwt(issuer.badge()).split(".")
    _, _, signature = issuer.sign_jwt(issuer.badge(name="Doctor of Everything")).split(".")
    token = f"{header}.{payload}.{signature}"
    answer = judges.ask("jose", token=token, issuer=issuer.did, documents=issuer.documents)
    assert answer == {"error": "signature verification failed"}


def test_nothing_but_the_given_documents_can_be_reached(judges: Judges, issuer: Issuer) -> None:
    signed = issuer.sign(issuer.badge())
    answer = judges.ask("digitalbazaar", credential=signed, documents={})
    assert answer["verified"] is False
