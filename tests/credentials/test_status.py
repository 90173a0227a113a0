import copy
import gzip
import json
import zlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credentials.errors import StatusError, UnavailableError
from credentials.model.form import check_form
from credentials.status import (
    MAX_LIST_BYTES,
    MIN_ENTRIES,
    BitstringStatusList,
    is_listed,
    message_of,
    read_entry,
    status_entry,
    status_list_credential,
)

VECTORS: Any = json.loads(
    (Path(__file__).parents[1] / "vectors/bitstring-status-list/vectors.json").read_text(encoding="utf-8")
)
URL = "https://badges.example/status/1"


def encoded(data: bytes) -> str:
    return "u" + urlsafe_b64encode(data).rstrip(b"=").decode()


def listed(*indexes: int, length_bits: int = MIN_ENTRIES, purpose: str = "revocation") -> dict[str, Any]:
    bits = BitstringStatusList(length_bits)
    for index in indexes:
        bits.set(index, value=True)
    return status_list_credential(
        id=URL,
        issuer="did:web:badges.example",
        purpose=purpose,
        bits=bits,
        valid_from=datetime(2026, 1, 1, tzinfo=UTC),
        valid_until=datetime(2026, 2, 1, tzinfo=UTC),
        ttl_ms=300_000,
    )


def test_a_list_says_how_long_a_copy_is_good_only_where_it_is_told() -> None:
    told: dict[str, Any] = {
        "id": URL,
        "issuer": "did:web:badges.example",
        "purpose": "revocation",
        "bits": BitstringStatusList(MIN_ENTRIES),
        "valid_from": datetime(2026, 1, 1, tzinfo=UTC),
        "valid_until": datetime(2026, 2, 1, tzinfo=UTC),
    }
    assert "ttl" not in status_list_credential(**told)["credentialSubject"]
    assert status_list_credential(**told, ttl_ms=1000)["credentialSubject"]["ttl"] == 1000


def changed(document: dict[str, Any], change: Callable[[Any], object]) -> dict[str, Any]:
    copied = copy.deepcopy(document)
    change(copied)
    return copied


def fault(entry: dict[str, Any], list_credential: dict[str, Any]) -> tuple[str, str]:
    with pytest.raises(StatusError) as raised:
        read_entry(entry, list_credential)
    return raised.value.code, raised.value.pointer


# --- Bits ---


@pytest.mark.parametrize("vector", VECTORS["lists"], ids=lambda vector: vector["source"])
def test_published_lists_are_read(vector: Any) -> None:
    bits = BitstringStatusList.decode(vector["encodedList"])
    assert len(bits) == vector["length"]
    assert [index for index in range(len(bits)) if bits[index]] == vector["set"]


@pytest.mark.parametrize("vector", VECTORS["lists"], ids=lambda vector: vector["source"])
def test_published_lists_are_made(vector: Any) -> None:
    bits = BitstringStatusList(vector["length"])
    for index in vector["set"]:
        bits.set(index, value=True)
    # Compressors differ in what they write; what they compressed does not.
    assert decompressed(bits.encode()) == decompressed(vector["encodedList"])


def decompressed(text: str) -> bytes:
    return gzip.decompress(urlsafe_b64decode(text[1:] + "=" * (-len(text[1:]) % 4)))


def test_a_published_entry_is_read() -> None:
    vector = VECTORS["entry"]
    assert read_entry(vector["credentialStatus"], vector["list"]) == vector["status"]


@given(st.sets(st.integers(0, 799)))
def test_a_list_comes_back_as_it_was(indexes: set[int]) -> None:
    bits = BitstringStatusList(800)
    for index in indexes:
        bits.set(index, value=True)
    again = BitstringStatusList.decode(bits.encode())
    assert {index for index in range(len(again)) if again[index]} == indexes
    assert again.encode() == bits.encode()
    for index in indexes:
        again.set(index, value=False)
    assert again.encode() == BitstringStatusList(800).encode()


def test_bit_0_is_the_left_most_of_the_first_byte() -> None:
    assert BitstringStatusList.decode(encoded(gzip.compress(b"\x80\x01")))[0]
    assert BitstringStatusList.decode(encoded(gzip.compress(b"\x80\x01")))[15]


@given(st.binary(min_size=8, max_size=40), st.integers(1, 16), st.data())
def test_entries_of_several_bits_are_read_as_numbers(data: bytes, size_bits: int, draw: st.DataObject) -> None:
    index = draw.draw(st.integers(0, len(data) * 8 // size_bits - 1))
    as_text = "".join(f"{byte:08b}" for byte in data)
    expected = int(as_text[index * size_bits : (index + 1) * size_bits], 2)
    assert BitstringStatusList.decode(encoded(gzip.compress(data))).read(index, size_bits) == expected


@pytest.mark.parametrize("index", [-1, 800, 10**9])
def test_an_index_outside_is_refused(index: int) -> None:
    bits = BitstringStatusList(800)
    for reach in (lambda: bits[index], lambda: bits.set(index, value=True)):
        with pytest.raises(StatusError) as raised:
            reach()
        assert raised.value.code == "status-index-out-of-range"


def test_a_list_has_whole_bytes_and_enough_of_them() -> None:
    with pytest.raises(ValueError, match="whole bytes"):
        BitstringStatusList(7)
    with pytest.raises(ValueError, match="131072"):
        listed(length_bits=MIN_ENTRIES - 8)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("H4sIAAAAAAAAA-3BMQEAAADCoPVPbQwfoAAAAAAAAAAAAAAAAAAAAIC3AYbSVKsAQAAA", "status-list-encoding"),
        ("", "status-list-encoding"),
        ("u!", "status-list-encoding"),
        (encoded(b"not gzip"), "status-list-encoding"),
        (encoded(zlib.compress(bytes(10))), "status-list-encoding"),
        (encoded(gzip.compress(bytes(20_000))[:-4]), "status-list-encoding"),
        (encoded(gzip.compress(bytes(20_000)) + b"more"), "status-list-encoding"),
        (encoded(gzip.compress(bytes(20_000)) * 2), "status-list-encoding"),
        (encoded(gzip.compress(bytes(20_000))[:-8] + bytes(8)), "status-list-encoding"),
        (encoded(gzip.compress(bytes(MAX_LIST_BYTES + 1))), "status-list-too-large"),
    ],
    ids=range(10),
)
def test_what_is_no_list_of_our_size_is_refused(text: str, code: str) -> None:
    with pytest.raises(StatusError) as raised:
        BitstringStatusList.decode(text)
    assert raised.value.code == code


def test_a_bomb_is_not_expanded_beyond_the_bound() -> None:
    bomb = encoded(gzip.compress(bytes(200_000_000), 9))
    assert len(bomb) < 300_000
    with pytest.raises(StatusError) as raised:
        BitstringStatusList.decode(bomb, max_bytes=1000)
    assert raised.value.code == "status-list-too-large"


# --- Entry and list ---


def test_the_list_is_a_good_credential() -> None:
    assert check_form(listed(5)) == []
    assert listed(5)["credentialSubject"]["ttl"] == 300_000
    assert listed(5)["validFrom"] == "2026-01-01T00:00:00Z"


@pytest.mark.parametrize("index", [0, 5, 94_567, MIN_ENTRIES - 1])
def test_an_entry_reads_its_own_bit(index: int) -> None:
    entry = status_entry(URL, index, "revocation")
    assert entry["id"] != entry["statusListCredential"]
    assert read_entry(entry, listed(index)) == 1
    assert read_entry(entry, listed(*({index - 1, index + 1} & set(range(MIN_ENTRIES))))) == 0


ENTRY = status_entry(URL, 5, "revocation")


@pytest.mark.parametrize(
    ("entry_change", "list_change"),
    [
        ({"statusListIndex": 5}, lambda _: None),
        ({"statusSize": 1, "statusMessage": [{"status": "0x0"}, {"status": "0x1"}]}, lambda _: None),
        ({}, lambda c: c.pop("id")),
        ({}, lambda c: c.update(id=URL + "0")),
        ({}, lambda c: c.update(credentialSubject=[c["credentialSubject"]])),
        ({}, lambda c: c["credentialSubject"].update(statusPurpose=["suspension", "revocation"])),
        ({}, lambda c: c["credentialSubject"].update(type=["BitstringStatusList"])),
    ],
)
def test_other_ways_to_write_it_are_read(entry_change: dict[str, Any], list_change: Callable[[Any], object]) -> None:
    assert read_entry(ENTRY | entry_change, changed(listed(5), list_change)) == 1


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"statusPurpose": None}, "/statusPurpose"),
        ({"statusPurpose": ""}, "/statusPurpose"),
        ({"statusPurpose": ["revocation"]}, "/statusPurpose"),
        ({"statusListIndex": None}, "/statusListIndex"),
        ({"statusListIndex": True}, "/statusListIndex"),
        ({"statusListIndex": -1}, "/statusListIndex"),
        ({"statusListIndex": "-1"}, "/statusListIndex"),
        ({"statusListIndex": "05"}, "/statusListIndex"),
        ({"statusListIndex": "5.0"}, "/statusListIndex"),
        ({"statusListIndex": "\N{ARABIC-INDIC DIGIT FIVE}"}, "/statusListIndex"),
        ({"statusListIndex": 10**5000}, "/statusListIndex"),
        ({"statusListIndex": 5.0}, "/statusListIndex"),
        ({"statusListIndex": "9" * 5000}, "/statusListIndex"),
        ({"statusSize": "1"}, "/statusSize"),
        ({"statusSize": 0}, "/statusSize"),
        ({"statusSize": True}, "/statusSize"),
        ({"statusSize": None}, "/statusSize"),
        ({"statusSize": 17}, "/statusSize"),
        ({"statusSize": 2}, "/statusMessage"),
        ({"statusSize": 2, "statusMessage": [{}] * 3}, "/statusMessage"),
        ({"statusMessage": {}}, "/statusMessage"),
    ],
)
def test_a_malformed_entry_is_refused(change: dict[str, Any], pointer: str) -> None:
    assert fault(ENTRY | change, listed(5)) == ("status-entry-malformed", pointer)


@pytest.mark.parametrize(
    ("change", "code", "pointer"),
    [
        (
            lambda c: c["credentialSubject"].update(statusPurpose="suspension"),
            "status-purpose-mismatch",
            "/statusPurpose",
        ),
        (lambda c: c["credentialSubject"].update(encodedList="u"), "status-list-encoding", ""),
    ],
)
def test_a_list_that_does_not_fit_is_refused(change: Callable[[Any], object], code: str, pointer: str) -> None:
    assert fault(ENTRY, changed(listed(5), change)) == (code, pointer)


@pytest.mark.parametrize(
    "change",
    [
        lambda c: c.update(type=["VerifiableCredential"]),
        lambda c: c.update(credentialSubject="x"),
        lambda c: c.update(credentialSubject=[c["credentialSubject"]] * 2),
        lambda c: c["credentialSubject"].update(type="Other"),
        lambda c: c["credentialSubject"].pop("encodedList"),
    ],
)
def test_another_document_in_the_place_of_a_list_leaves_it_open(change: Callable[[Any], object]) -> None:
    with pytest.raises(UnavailableError) as raised:
        read_entry(ENTRY, changed(listed(5), change))
    assert (raised.value.code, raised.value.pointer) == ("status-list-malformed", "/statusListCredential")


@pytest.mark.parametrize(
    ("purpose", "set_places", "place"),
    [
        ("revocation", (), 5),
        ("revocation", (), 799),
        ("revocation", (), 800),
        ("revocation", (4, 6), 5),
        ("message", (5,), 5),
    ],
)
def test_a_list_that_is_too_short_leaves_it_open(purpose: str, set_places: tuple[int, ...], place: int) -> None:
    with pytest.raises(UnavailableError) as raised:
        read_entry(status_entry(URL, place, purpose), short(*set_places, purpose=purpose))
    assert (raised.value.code, raised.value.pointer) == ("status-list-too-short", "/statusListCredential")


@pytest.mark.parametrize("purpose", ["revocation", "suspension"])
def test_a_list_that_is_too_short_can_speak_against_a_credential(purpose: str) -> None:
    assert read_entry(status_entry(URL, 5, purpose), short(5, purpose=purpose)) == 1


def short(*indexes: int, purpose: str) -> dict[str, Any]:
    """Return a list of 800 entries, in which these are set."""
    bits = BitstringStatusList(800)
    for index in indexes:
        bits.set(index, value=True)
    return changed(listed(purpose=purpose), lambda c: c["credentialSubject"].update(encodedList=bits.encode()))


def test_an_index_beyond_the_list_is_refused() -> None:
    assert fault(status_entry(URL, MIN_ENTRIES, "revocation"), listed()) == (
        "status-index-out-of-range",
        "/statusListIndex",
    )


def test_a_message_of_two_bits_is_read() -> None:
    messages = [
        {"status": f"0x{value:X}", "message": name} for value, name in enumerate(["none", "sent", "lost", "here"])
    ]
    entry = status_entry(URL, 70_000, "message") | {"statusSize": 2, "statusMessage": messages}
    assert read_entry(entry, listed(140_000, length_bits=2 * MIN_ENTRIES, purpose="message")) == 2
    assert message_of(entry, 2) == "lost"
    with pytest.raises(UnavailableError, match="131072 entries"):
        read_entry(entry, listed(purpose="message"))


def test_a_status_without_a_message_is_set_or_unset() -> None:
    assert message_of(ENTRY, 0) == "unset"
    assert message_of(ENTRY, 1) == "set"
    assert message_of(ENTRY | {"statusMessage": ["x", {"status": 0}]}, 1) == "set"


# --- The 1EdTech Revocation List ---

ISSUER = "did:web:badges.example"


@pytest.mark.parametrize(
    ("document", "revoked"),
    [
        ({"issuer": ISSUER, "revokedCredential": [{"id": "urn:1"}]}, True),
        ({"revokedCredential": [{"id": "urn:0"}, {"id": "urn:1", "revoked": True, "revocationReason": "r"}]}, True),
        ({"revokedCredentials": [{"id": "urn:1"}]}, True),
        ({"issuer": {"id": ISSUER}, "revokedCredential": [{"id": "urn:1", "revoked": False}]}, False),
        ({"revokedCredential": [{"id": "urn:1", "revoked": False}, {"id": "urn:1"}]}, True),
        ({"revokedCredential": [{"id": "urn:2"}, "urn:1", {}]}, True),
        ({"revokedCredential": [{"id": "urn:2"}, "urn:3", {}, 7, None]}, False),
        ({"revokedCredential": []}, False),
    ],
)
def test_a_revocation_list_says_whether_a_credential_is_revoked(document: Any, revoked: bool) -> None:
    assert is_listed(document, "urn:1", ISSUER) is revoked


@pytest.mark.parametrize(
    ("document", "code"),
    [
        ([], "status-list-malformed"),
        ({"issuer": ISSUER}, "status-list-malformed"),
        ({"revokedCredential": {"id": "urn:1"}}, "status-list-malformed"),
    ],
)
def test_what_is_no_revocation_list_leaves_it_open(document: Any, code: str) -> None:
    with pytest.raises(UnavailableError) as raised:
        is_listed(document, "urn:1", ISSUER)
    assert raised.value.code == code


@pytest.mark.parametrize("owner", ["did:web:other.example", None])
def test_a_revocation_list_of_another_issuer_is_refused(owner: Any) -> None:
    with pytest.raises(StatusError) as raised:
        is_listed({"issuer": owner, "revokedCredential": []}, "urn:1", ISSUER)
    assert raised.value.code == "status-list-issuer"
