import base64
import hashlib
from typing import Any

import pytest

from credentials import MalformedError
from credentials.checks.digests import compare, editions_of, read_digests
from credentials.errors import CredentialError, UnsupportedError
from credentials.graph.documents import PACKAGED
from credentials.proofs.encodings import base58btc_encode, base64url_encode
from tests.credentials.parties import V2

BODY = b"the bytes at an address"
HASHES = {name: hashlib.new(name, BODY).digest() for name in ("sha256", "sha384", "sha512")}
PREFIXES = {"sha256": b"\x12\x20", "sha384": b"\x20\x30", "sha512": b"\x13\x40"}


def sri(name: str, prefix: str = "") -> dict[str, str]:
    return {"digestSRI": f"{name}-{prefix}{base64.b64encode(HASHES[name]).decode()}"}


def multibase(data: bytes) -> list[dict[str, str]]:
    return [{"digestMultibase": "u" + base64url_encode(data)}, {"digestMultibase": "z" + base58btc_encode(data)}]


@pytest.mark.parametrize("name", HASHES)
def test_a_digest_is_read_in_every_way_in_which_it_is_written(name: str) -> None:
    written = [
        sri(name),
        sri(name, prefix="M"),
        *multibase(PREFIXES[name] + HASHES[name]),
        *multibase(HASHES[name]),
    ]
    for holder in written:
        (digest,) = read_digests(holder)
        assert (digest.algorithm, digest.value) == (name, HASHES[name])
        compare(holder, iter([BODY]))
        with pytest.raises(MalformedError) as raised:
            compare(holder, iter([b"other bytes"]))
        assert raised.value.code == "digest-mismatch"


def test_a_digest_whose_base64_begins_with_m_is_read_as_it_stands() -> None:
    body = next(
        body for body in (b"%d" % number for number in range(1000)) if hashlib.sha256(body).digest()[0] >> 2 == 12
    )
    text = base64.b64encode(hashlib.sha256(body).digest()).decode()
    assert text.startswith("M")
    compare({"digestSRI": f"sha256-{text}"}, iter([body]))


def test_all_the_digests_of_a_resource_have_to_fit() -> None:
    both = sri("sha384") | multibase(HASHES["sha256"])[0]
    assert [digest.algorithm for digest in read_digests(both)] == ["sha384", "sha256"]
    compare(both, iter([BODY]))
    other = base64.b64encode(hashlib.sha256(b"other").digest()).decode()
    with pytest.raises(MalformedError):
        compare({"digestSRI": [sri("sha256")["digestSRI"], f"sha256-{other}"]}, iter([BODY]))


def test_one_edition_that_fits_is_enough() -> None:
    compare(sri("sha256"), iter([b"newer", BODY]))


@pytest.mark.parametrize(
    ("holder", "code", "where"),
    [
        ({"digestSRI": "sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk="}, "digest-unsupported", "/digestSRI"),
        ({"digestSRI": "sha3-256-AAAA"}, "digest-unsupported", "/digestSRI"),
        ({"digestSRI": HASHES["sha256"].hex()}, "digest-unsupported", "/digestSRI"),
        ({"digestSRI": f"sha256-{HASHES['sha256'].hex()}"}, "digest-malformed", "/digestSRI"),
        ({"digestSRI": "sha256-****"}, "digest-malformed", "/digestSRI"),
        ({"digestSRI": "sha256-é"}, "digest-malformed", "/digestSRI"),
        ({"digestSRI": 7}, "digest-malformed", "/digestSRI"),
        ({"digestMultibase": ""}, "digest-unsupported", "/digestMultibase"),
        ({"digestMultibase": "f" + HASHES["sha256"].hex()}, "digest-unsupported", "/digestMultibase"),
        ({"digestMultibase": "u***"}, "digest-malformed", "/digestMultibase"),
        ({"digestMultibase": "z000"}, "digest-malformed", "/digestMultibase"),
        ({"digestMultibase": "u" + base64url_encode(b"e" * 39)}, "digest-malformed", "/digestMultibase"),
        ({"digestMultibase": "u" + base64url_encode(b"\x12\x1f" + bytes(31))}, "digest-malformed", "/digestMultibase"),
        ({"digestMultibase": "u" + base64url_encode(b"\xff" * 40)}, "digest-malformed", "/digestMultibase"),
        ({"digestMultibase": "u" + base64url_encode(b"\x80")}, "digest-malformed", "/digestMultibase"),
        (
            {"digestMultibase": "u" + base64url_encode(b"\x16\x20" + bytes(32))},
            "digest-unsupported",
            "/digestMultibase",
        ),
        (
            {"digestMultibase": "u" + base64url_encode(b"\xa0\xe4\x02\x20" + bytes(32))},
            "digest-unsupported",
            "/digestMultibase",
        ),
    ],
)
def test_a_digest_that_cannot_be_read_is_refused(holder: Any, code: str, where: str) -> None:
    with pytest.raises(CredentialError) as raised:
        read_digests(holder)
    assert (raised.value.code, raised.value.pointer) == (code, where)
    assert isinstance(raised.value, UnsupportedError) == (code == "digest-unsupported")


def test_the_editions_of_a_context_are_those_that_are_known() -> None:
    bodies = editions_of(V2, PACKAGED)
    assert bodies is not None
    digests = [hashlib.sha256(body).hexdigest() for body in bodies]
    assert digests == [edition.sha256 for edition in PACKAGED.editions(V2)]
    assert len(digests) == 2
    assert editions_of("https://unknown.example", PACKAGED) is None
    assert editions_of(7, PACKAGED) is None
