import hashlib
import json
from pathlib import Path

import pytest

import credentials
from credentials.errors import ContextError, MalformedError
from credentials.graph.documents import PACKAGED, Context, Contexts, Fetched

DATA = Path(credentials.__file__).parent / "data"
V1 = "https://www.w3.org/2018/credentials/v1"
V2 = "https://www.w3.org/ns/credentials/v2"
OB = "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"
OURS = "https://contexts.example/v1"
BODY = b'{"@context": {"term": "https://contexts.example/#term"}}'
EVERY = [context for entry in PACKAGED.entries for context in PACKAGED.editions(entry.address)]


def digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


@pytest.mark.parametrize("context", EVERY, ids=lambda context: f"{context.address} {context.edition}")
def test_packaged_files_are_read_and_have_their_digests(context: Context) -> None:
    assert digest(context.read()) == context.sha256
    assert context.document["@context"]
    assert context.document is context.document


def test_packaged_files_and_their_listing_are_the_same() -> None:
    listed = {
        tuple(cell.strip() for cell in line.strip("|\n").split("|"))[:5]
        for line in (DATA / "SOURCES.md").read_text().splitlines()
        if line.startswith("| ") and "https://" in line
    }

    assert {file for file, *_ in listed} == {path.name for path in DATA.glob("*.json")}
    assert {(address, edition, sha256, origin) for _, address, edition, sha256, origin in listed} == {
        (context.address, context.edition, context.sha256, context.origin) for context in EVERY
    }
    assert all(digest((DATA / file).read_bytes()) == sha256 for file, _, _, sha256, _ in listed)


def test_the_editions_that_their_publishers_name_by_digest_are_known() -> None:
    def digests(address: str) -> list[str]:
        return [context.sha256[:8] for context in PACKAGED.editions(address)]

    assert digests(V1) == ["ab4ddd9a"]
    assert digests(V2) == ["59955ced", "24a18c90"]
    assert digests(OB) == ["3d34f4d4", "01d87cc8", "ef2fa9c7", "c3ce8c08"]
    assert digests("https://w3id.org/security/data-integrity/v2") == ["67f21e6e"]
    assert digests("https://w3id.org/security/multikey/v1") == ["ba2c182d"]
    assert digests("https://w3id.org/security/jwk/v1") == ["0f14b62f"]


def test_the_newest_editions_are_in_use() -> None:
    assert PACKAGED.get(OB) is PACKAGED.editions(OB)[0].document
    assert "endorsementJwt" in PACKAGED.get(OB)["@context"]
    assert len({entry.address for entry in PACKAGED.entries}) == len(PACKAGED.entries)


@pytest.mark.parametrize("address", ["https://contexts.example/v1", "", V2 + "#", V2.upper(), "data:,{}"])
def test_nothing_else_is_known(address: str) -> None:
    for ask in (PACKAGED.get, PACKAGED.editions):
        with pytest.raises(ContextError) as raised:
            ask(address)
        assert raised.value.code == "context-unknown"
        assert repr(address) in raised.value.message


def test_an_operator_adds_contexts_by_digest() -> None:
    contexts = PACKAGED.with_pinned({OURS: (BODY, digest(BODY).upper())})

    assert contexts.get(OURS) == json.loads(BODY)
    assert contexts.editions(OURS)[0].edition == "pinned"
    assert contexts.get(V2) is PACKAGED.get(V2)
    with pytest.raises(ContextError):
        PACKAGED.get(OURS)


def test_what_is_pinned_at_a_packaged_address_is_only_tried_last() -> None:
    contexts = PACKAGED.with_pinned({OB: (BODY, digest(BODY))})

    assert contexts.get(OB) is PACKAGED.get(OB)
    assert [older.get(OB) for older in contexts.older([OB])][-1] == json.loads(BODY)


@pytest.mark.parametrize(
    ("body", "sha256", "code"),
    [
        (BODY, digest(b""), "context-digest"),
        (BODY, "", "context-digest"),
        (b"{", None, "context-malformed"),
        (b'{"@context": {}, "@context": {}}', None, "context-malformed"),
        (b"[]", None, "context-malformed"),
        (b"{}", None, "context-malformed"),
    ],
)
def test_a_wrong_pin_is_found_at_once(body: bytes, sha256: str | None, code: str) -> None:
    with pytest.raises(ContextError) as raised:
        PACKAGED.with_pinned({OURS: (body, digest(body) if sha256 is None else sha256)})

    assert raised.value.code == code
    assert OURS in raised.value.message


def test_older_editions_come_newest_first_in_every_combination() -> None:
    def editions(contexts: Contexts) -> tuple[str, ...]:
        return tuple(contexts.editions(address)[0].edition for address in (V2, OB))

    older = list(PACKAGED.older([V2, V1, OB, OB, "https://contexts.example/unknown"]))

    assert [editions(contexts) for contexts in older] == [
        ("2025-02", "2025-11"),
        ("2025-02", "2024-03"),
        ("2025-02", "2024-02"),
        ("2024-07", "2026-06"),
        ("2024-07", "2025-11"),
        ("2024-07", "2024-03"),
        ("2024-07", "2024-02"),
    ]
    assert list(PACKAGED.older([V2, V1, OB])) == older
    assert list(PACKAGED.older([V1])) == []
    assert "endorsementJwt" not in older[0].get(OB)["@context"]
    assert editions(PACKAGED) == ("2025-02", "2026-06")


def test_accepting_inline_contexts_is_a_property_of_the_registry() -> None:
    assert not PACKAGED.inline
    assert PACKAGED.with_inline().inline
    assert PACKAGED.with_inline().with_pinned({OURS: (BODY, digest(BODY))}).inline
    assert all(contexts.inline for contexts in PACKAGED.with_inline().older([V2]))
    assert PACKAGED.with_inline().get(V2) is PACKAGED.get(V2)


def test_what_was_fetched_keeps_its_bytes_and_type() -> None:
    fetched = Fetched(b"{}", "application/json")

    assert (fetched.body, fetched.media_type) == (b"{}", "application/json")


def test_what_was_fetched_is_read_once_and_within_bounds() -> None:
    fetched = Fetched(b'{"a": []}', "application/json")

    assert fetched.json(9) == {"a": []}
    assert fetched.json(9) is fetched.json(9)
    with pytest.raises(MalformedError) as raised:
        fetched.json(8)
    assert raised.value.code == "json-too-large"
    broken = Fetched(b"{", "application/json")
    for _ in range(2):
        with pytest.raises(MalformedError) as raised:
            broken.json(9)
        assert raised.value.code == "json-syntax"
