import hashlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credentials.recipient import identity_object, matches, normal_name, plain_identity_object

DID = "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK"


def subject(*identifiers: Any, **members: Any) -> dict[str, Any]:
    return {**members, "identifier": list(identifiers)}


def plain(identity_type: str, value: str) -> dict[str, Any]:
    return {"type": "IdentityObject", "hashed": False, "identityHash": value, "identityType": identity_type}


@pytest.mark.parametrize(
    ("value", "salt", "digest"),
    [
        # Open Badges 3.0, IdentityHash; Open Badges 2.0, example of an identity.
        ("a@example.com", "Kosher", "b5809d8a92f8858436d7e6b87c12ebc0ae1eac4baecc2c0b913aee2c922ef399"),
        ("jjefferson18@example.com", "FleurDeSel", "658625b25ab3d75d613ca97d9a5a77f70e2192feca5557f4ad09a4d4f121f5fc"),
    ],
)
def test_published_hashes_are_made_and_matched(value: str, salt: str, digest: str) -> None:
    made = identity_object("emailAddress", value, salt)
    assert made == {
        "type": "IdentityObject",
        "hashed": True,
        "identityHash": f"sha256${digest}",
        "identityType": "emailAddress",
        "salt": salt,
    }
    assert matches(subject(made), value) is True
    assert matches(subject(made | {"identityHash": f"sha256${digest.upper()}"}), value) is True
    assert matches(subject(made), "b@example.com") is False
    assert matches(subject(made | {"salt": "other"}), value) is False


@given(st.text(), st.text())
def test_whoever_is_hashed_is_found_again(value: str, salt: str) -> None:
    value = f"x{value}".strip()
    kind = "emailAddress" if "@" in value and ":" not in value else "identifier"
    assert matches(subject(identity_object(kind, value, salt)), value) is True
    assert matches(subject(identity_object(kind, value + "1", salt)), value) is False


@pytest.mark.parametrize(
    ("found", "value", "expected"),
    [
        # E-mail addresses: only where they are said to be some, and whatever the case.
        (subject(identity_object("emailAddress", "a@example.org", "s")), "A@Example.org", True),
        (subject(identity_object("emailAddress", "A@Example.org", "s")), "A@Example.org", True),
        (subject(identity_object("emailAddress", "A@Example.org", "s")), "a@example.org", False),
        (subject(plain("emailAddress", "A@Example.org")), " a@example.org ", True),
        (subject(plain("emailAddress", "a@example.org")), "mailto:a@example.org", True),
        (subject(plain("userName", "a@example.org")), "a@example.org", None),
        (subject(plain("userName", "a@example.org"), plain("emailAddress", "b@example.org")), "a@example.org", False),
        ({"id": "mailto:a@example.org"}, "a@example.org", True),
        ({"id": "mailto:a@example.org"}, "b@example.org", False),
        ({"id": DID}, "a@example.org", None),
        # Several: one is enough.
        (
            subject(plain("emailAddress", "a@example.org"), plain("emailAddress", "b@example.org")),
            "b@example.org",
            True,
        ),
        (subject(plain("emailAddress", "a@example.org"), id=DID), DID, True),
        # DIDs and other names.
        ({"id": DID}, DID, True),
        ({"id": DID}, DID.lower(), False),
        ({"id": DID}, "urn:person:1", None),
        ({"id": "urn:person:1"}, "urn:person:1", True),
        ({"id": "urn:person:1"}, "urn:person:2", False),
        (subject(plain("emailAddress", "a@example.org")), DID, None),
        (subject(identity_object("identifier", DID, "s")), DID, True),
        (subject(identity_object("sourcedId", "17", "s")), "17", True),
        (subject(identity_object("sourcedId", "17", "s")), "18", False),
        # Names: beside an address or alone, whatever the spaces and however accents are typed.
        (
            subject(identity_object("emailAddress", "a@example.org", "s"), identity_object("name", "Ana", "t")),
            "Ana",
            True,
        ),
        (
            subject(identity_object("emailAddress", "a@example.org", "s"), identity_object("name", "Ana", "t")),
            "Ben",
            False,
        ),
        (
            subject(identity_object("emailAddress", "a@example.org", "s"), identity_object("name", "Ana", "t")),
            "a@example.org",
            True,
        ),
        (
            subject(identity_object("emailAddress", "a@example.org", "s"), identity_object("name", "Ana", "t")),
            "b@example.org",
            False,
        ),
        (subject(identity_object("emailAddress", "a@example.org", "s")), "Ana", None),
        (subject(identity_object("name", "Ana", "t"), id=DID), "Ana", True),
        (subject(identity_object("name", "Ana", "t"), id=DID), DID, True),
        (subject(identity_object("name", "Jos\u00e9 Sousa", "t")), " Jose\u0301   Sousa ", True),
        (subject(identity_object("name", "Jose\u0301", "t")), "Jose\u0301", True),
        (subject(identity_object("name", "Ana", "t")), "ANA", False),
        (subject(plain("name", "Jos\u00e9 Sousa")), "JOSE\u0301 \u2003SOUSA", True),
        (subject(plain("name", "Ana")), "Ben", False),
        (subject(plain("name", "a@example.org")), "a@example.org", None),
        (subject(plain("userName", "Ana")), "ANA", False),
        # Older hashes, and none at all.
        (
            subject(plain("identifier", "md5$" + hashlib.md5(b"17").hexdigest()) | {"hashed": True}),
            "17",
            True,
        ),
        (subject(plain("identifier", "sha1$00") | {"hashed": True}), "17", None),
        (subject(plain("identifier", "17") | {"hashed": True}), "17", None),
        (subject(plain("identifier", "17") | {"hashed": "false"}), "17", None),
        # What is not formed as it must be names nobody.
        ({}, "17", None),
        ({"id": 17, "identifier": plain("identifier", "17")}, "17", True),
        ({"identifier": "17"}, "17", None),
        (subject(plain("identifier", "17") | {"salt": 3}), "17", None),
        (subject(plain("identifier", "17") | {"identityHash": 17}), "17", None),
        (subject({}), "17", None),
        (subject(identity_object("identifier", "17", "s")), "\ud800", False),
    ],
)
def test_a_recipient_is_matched_by_kind_and_value(found: dict[str, Any], value: str, expected: bool | None) -> None:
    assert matches(found, value) is expected


@given(st.text())
def test_a_name_is_normal_once_it_was_made_so(name: str) -> None:
    assert normal_name(normal_name(name)) == normal_name(name)


def test_a_name_in_clear_has_no_salt() -> None:
    assert plain_identity_object("name", "Ana") == plain("name", "Ana")
