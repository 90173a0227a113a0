"""The statements of Bitstring Status List that the W3C's conformance suite asks for, over the VC API."""

import gzip
import json
from base64 import urlsafe_b64decode
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519

from credentials import Fetched, PrivateKeySigner
from credentials.graph.canonicalize import canonicalize
from credentials.status import BitstringStatusList, status_entry
from service.checking import verification
from tests.interop.vc_api_machine import CREDENTIAL, OLDER, V2, Machine, did_of, signed

ASKED = {"credentialStatus": {"type": "BitstringStatusListEntry"}}
KINDS = [
    ("eddsa-rdfc-2022", "Ed25519"),
    ("eddsa-jcs-2022", "Ed25519"),
    ("ecdsa-rdfc-2019", "P-256"),
    ("vc+jwt", "P-384"),
]


def list_of(vc_api: Machine, entry: dict[str, Any]) -> dict[str, Any]:
    answer = vc_api.client.get(entry["statusListCredential"])
    assert answer.status_code == 200
    assert "json" in answer.headers["content-type"]
    found: dict[str, Any] = answer.json()
    return found


def bits_of(listed: dict[str, Any]) -> bytes:
    encoded = listed["credentialSubject"]["encodedList"]
    assert encoded[0] == "u"
    assert "=" not in encoded
    return gzip.decompress(urlsafe_b64decode(encoded[1:] + "=" * (-len(encoded[1:]) % 4)))


def set_status(vc_api: Machine, body: dict[str, Any]) -> Any:
    answer = vc_api.post("/vc/credentials/status", body)
    return answer.json() if answer.status_code == 200 else answer.json()["code"]


@pytest.mark.parametrize("credential", [OLDER, CREDENTIAL], ids=["1.1", "2.0"])
def test_the_entry_has_every_member_in_its_form(vc_api: Machine, credential: dict[str, Any]) -> None:
    issued = vc_api.issue({**credential, "id": "urn:uuid:c9a10"}, **ASKED)
    entry = issued["credentialStatus"]
    assert entry.keys() == {"id", "type", "statusListCredential", "statusListIndex", "statusPurpose"}
    assert (entry["type"], entry["statusPurpose"]) == ("BitstringStatusListEntry", "revocation")
    assert entry["id"] != entry["statusListCredential"]
    assert str(int(entry["statusListIndex"])) == entry["statusListIndex"]
    assert vc_api.accepts(issued)


@pytest.mark.parametrize("purpose", ["revocation", "suspension"])
def test_the_list_is_a_credential_in_its_form(vc_api: Machine, purpose: str) -> None:
    issued = vc_api.issue(CREDENTIAL, credentialStatus={"type": "BitstringStatusListEntry", "statusPurpose": purpose})
    listed = list_of(vc_api, issued["credentialStatus"])
    assert listed["@context"] == [V2]
    assert listed["type"] == ["VerifiableCredential", "BitstringStatusListCredential"]
    assert listed["id"] == issued["credentialStatus"]["statusListCredential"]
    assert listed["issuer"] == issued["issuer"]
    subject = listed["credentialSubject"]
    assert subject.keys() == {"id", "type", "statusPurpose", "encodedList"}
    assert (subject["type"], subject["statusPurpose"]) == ("BitstringStatusList", purpose)
    assert len(bits_of(listed)) * 8 == 131_072
    assert isinstance(listed["proof"], dict)
    assert vc_api.accepts(listed)
    assert canonicalize({name: value for name, value in listed.items() if name != "proof"}, vc_api.runtime.contexts)


@pytest.mark.parametrize(("suite", "key_type"), KINDS)
@pytest.mark.parametrize("purpose", ["revocation", "suspension"])
def test_a_credential_is_revoked_or_suspended_at_once_and_that_is_taken_back(
    vc_api: Machine, suite: str, key_type: str, purpose: str
) -> None:
    name = f"urn:uuid:{suite}-{purpose}"
    asked = {"type": "BitstringStatusListEntry", "statusPurpose": purpose}
    issued = vc_api.issue({**CREDENTIAL, "id": name}, cryptosuite=suite, keyType=key_type, credentialStatus=asked)
    other = vc_api.issue(
        {**CREDENTIAL, "id": name + "-other"}, cryptosuite=suite, keyType=key_type, credentialStatus=asked
    )
    assert vc_api.accepts(issued)
    assert set_status(vc_api, {"credentialId": name, "credentialStatus": asked}) == {"updated": 1}
    assert not vc_api.accepts(issued)
    assert vc_api.code() == ("credential-revoked" if purpose == "revocation" else "credential-suspended")
    assert vc_api.accepts(other)
    assert set_status(vc_api, {"credentialId": name, "credentialStatus": asked, "status": False}) == {"updated": 1}
    assert vc_api.accepts(issued)


def test_the_type_of_a_status_may_be_an_array(vc_api: Machine) -> None:
    asked = {"type": ["BitstringStatusListEntry"], "statusPurpose": "revocation"}
    issued = vc_api.issue({**CREDENTIAL, "id": "urn:uuid:array"}, credentialStatus=asked)
    assert issued["credentialStatus"]["type"] == "BitstringStatusListEntry"
    assert set_status(vc_api, {"credentialId": "urn:uuid:array", "credentialStatus": asked}) == {"updated": 1}


def test_the_bit_of_the_credential_is_the_one_that_is_set(vc_api: Machine) -> None:
    entry = vc_api.issue({**CREDENTIAL, "id": "urn:uuid:bit"}, **ASKED)["credentialStatus"]
    before = bits_of(list_of(vc_api, entry))
    set_status(vc_api, {"credentialId": "urn:uuid:bit", "credentialStatus": entry, "status": True})
    after = bits_of(list_of(vc_api, entry))
    index = int(entry["statusListIndex"])
    assert int.from_bytes(before) ^ int.from_bytes(after) == 1 << (131_071 - index)


def test_a_credential_without_id_is_named_by_its_place_or_by_another_name(vc_api: Machine) -> None:
    placed = vc_api.issue(CREDENTIAL, **ASKED)
    assert set_status(vc_api, {"credentialStatus": placed["credentialStatus"]}) == {"updated": 1}
    assert not vc_api.accepts(placed)
    named = vc_api.issue(CREDENTIAL, credentialId="of-ours-7", **ASKED)
    asked = {"type": "BitstringStatusListEntry", "statusPurpose": "revocation"}
    assert set_status(vc_api, {"credentialId": "of-ours-7", "credentialStatus": asked}) == {"updated": 1}
    assert not vc_api.accepts(named)


def test_both_purposes_are_two_entries_and_each_counts(vc_api: Machine) -> None:
    purposes = [{"statusPurpose": "revocation"}, {"statusPurpose": "suspension"}]
    issued = vc_api.issue({**CREDENTIAL, "id": "urn:uuid:both"}, credentialStatus=purposes)
    assert [entry["statusPurpose"] for entry in issued["credentialStatus"]] == ["revocation", "suspension"]
    assert vc_api.accepts(issued)
    set_status(vc_api, {"credentialId": "urn:uuid:both", "credentialStatus": issued["credentialStatus"][1]})
    assert not vc_api.accepts(issued)


def test_a_credential_that_brings_a_status_keeps_it_alone(vc_api: Machine) -> None:
    own = {
        "type": "BitstringStatusListEntry",
        "statusPurpose": "revocation",
        "statusListIndex": "1",
        "statusListCredential": "https://other.example/status/1",
    }
    assert vc_api.issue({**CREDENTIAL, "credentialStatus": own}, **ASKED)["credentialStatus"] == own


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"credentialId": "urn:uuid:x"},
        {
            "credentialId": "urn:uuid:x",
            "credentialStatus": {"type": "StatusList2021Entry", "statusPurpose": "revocation"},
        },
        {"credentialId": "urn:uuid:x", "credentialStatus": {"type": "BitstringStatusListEntry"}},
        {
            "credentialId": "urn:uuid:x",
            "credentialStatus": {"type": "BitstringStatusListEntry", "statusPurpose": "message"},
        },
        {
            "credentialId": "urn:uuid:x",
            "credentialStatus": {"type": ["StatusList2021Entry"], "statusPurpose": "revocation"},
        },
        {"credentialId": 7, "credentialStatus": {"type": "BitstringStatusListEntry", "statusPurpose": "revocation"}},
        {"credentialStatus": {"type": "BitstringStatusListEntry", "statusPurpose": "revocation"}},
        {
            "credentialId": "urn:uuid:x",
            "credentialStatus": {"type": "BitstringStatusListEntry", "statusPurpose": "revocation"},
            "status": "yes",
        },
    ],
)
def test_a_change_that_says_too_little_is_refused(vc_api: Machine, body: dict[str, Any]) -> None:
    assert set_status(vc_api, body) == "status-unsupported"


@pytest.mark.parametrize(
    "place", [{}, {"statusListIndex": "7", "statusListCredential": "http://localhost:8000/status/x"}]
)
def test_what_was_not_issued_here_is_not_found(vc_api: Machine, place: dict[str, Any]) -> None:
    asked = {"type": "BitstringStatusListEntry", "statusPurpose": "revocation"} | place
    body = {"credentialId": "urn:uuid:nobody", "credentialStatus": asked}
    assert set_status(vc_api, body) == "credential-unknown"
    assert vc_api.answer is not None
    assert vc_api.answer.status_code == 404


@pytest.mark.parametrize(
    "options",
    [
        {"credentialStatus": {"statusPurpose": "message"}},
        {"credentialStatus": {"type": "StatusList2021Entry"}},
        {"credentialStatus": {"type": ["StatusList2021Entry"]}},
        {"credentialStatus": {"type": []}},
        {"credentialStatus": {"type": {}}},
        {"credentialStatus": [{}, {}]},
        {"credentialStatus": "revocation"},
        {"credentialId": 7, **ASKED},
    ],
)
def test_a_status_of_another_kind_is_not_issued(vc_api: Machine, options: dict[str, Any]) -> None:
    assert vc_api.refuses(CREDENTIAL, **options) == "option-unsupported"


ENTRIES: dict[str, tuple[dict[str, Any], str]] = {
    "an index that is true": ({"statusListIndex": True}, "MALFORMED_VALUE_ERROR"),
    "an index that is no number": ({"statusListIndex": "-1"}, "MALFORMED_VALUE_ERROR"),
    "a size of nothing": ({"statusSize": 0}, "MALFORMED_VALUE_ERROR"),
    "no messages for two bits": ({"statusSize": 2}, "MALFORMED_VALUE_ERROR"),
    "a list for another purpose": ({"statusPurpose": "suspension"}, "STATUS_VERIFICATION_ERROR"),
    "a list that is not there": (
        {"statusListCredential": "http://localhost:8000/status/none"},
        "STATUS_RETRIEVAL_ERROR",
    ),
}


@pytest.mark.parametrize(("change", "kind"), ENTRIES.values(), ids=ENTRIES)
def test_a_status_that_cannot_be_read_is_no_success(vc_api: Machine, change: dict[str, Any], kind: str) -> None:
    entry = vc_api.issue(CREDENTIAL, **ASKED)["credentialStatus"]
    issued = vc_api.issue({**CREDENTIAL, "credentialStatus": {**entry, **change}})
    assert not vc_api.accepts(issued)
    assert vc_api.answer is not None
    assert vc_api.answer.json()["type"].partition("#")[2] == kind


def test_a_list_that_another_issuer_signed_counts_and_is_a_warning(vc_api: Machine) -> None:
    signer = PrivateKeySigner(ed25519.Ed25519PrivateKey.generate())
    entry = vc_api.issue(CREDENTIAL, **ASKED)["credentialStatus"]
    theirs = signed({**CREDENTIAL, "issuer": did_of(signer), "credentialStatus": entry}, signer, vc_api)
    assert vc_api.accepts(theirs)
    assert vc_api.answer is not None
    (warning,) = vc_api.answer.json()["problemDetails"]
    assert warning["code"] == "status-list-signer"
    assert vc_api.issuer()[:57] in warning["detail"]
    set_status(vc_api, {"credentialStatus": entry})
    assert not vc_api.accepts(theirs)
    assert vc_api.code() == "credential-revoked"


def test_a_list_that_is_too_short_is_a_length_error(vc_api: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    signer, address = PrivateKeySigner(ed25519.Ed25519PrivateKey.generate()), "https://lists.example/1"
    subject = {"type": "BitstringStatusList", "statusPurpose": "revocation"}
    listed = {
        "@context": [V2],
        "id": address,
        "type": ["VerifiableCredential", "BitstringStatusListCredential"],
        "issuer": did_of(signer),
        "credentialSubject": {**subject, "encodedList": BitstringStatusList(100_000).encode()},
    }
    published = json.dumps(signed(listed, signer, vc_api)).encode()
    load = verification.load
    monkeypatch.setattr(
        verification, "load", lambda runtime, url: Fetched(published, "") if url == address else load(runtime, url)
    )
    issued = vc_api.issue({**CREDENTIAL, "credentialStatus": status_entry(address, 7, "revocation")})
    assert not vc_api.accepts(issued)
    assert vc_api.answer is not None
    assert vc_api.answer.json()["type"] == "https://www.w3.org/ns/credentials/status-list#STATUS_LIST_LENGTH_ERROR"


def test_a_place_beyond_the_end_of_the_list_is_a_range_error(vc_api: Machine) -> None:
    entry = vc_api.issue(CREDENTIAL, **ASKED)["credentialStatus"]
    beyond = {**entry, "statusListIndex": "131072", "id": entry["statusListCredential"] + "#131072"}
    issued = vc_api.issue({**CREDENTIAL, "credentialStatus": beyond})
    assert not vc_api.accepts(issued)
    assert vc_api.answer is not None
    assert vc_api.answer.json()["type"] == "https://www.w3.org/TR/vc-data-model#RANGE_ERROR"
