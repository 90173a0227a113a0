"""Networks: created once, known by their DID, keyed, changed, closed."""

import base64
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import pytest
from fastapi.testclient import TestClient
from pydantic import TypeAdapter
from sqlalchemy import select

from credentials import PACKAGED
from credentials.graph.canonicalize import canonicalize
from credentials.graph.documents import Fetched
from credentials.proofs.dids import resolve_key
from service.errors import CustodyError
from service.networks import networks
from service.runtime.runtime import Runtime
from service.runtime.settings import SettingsError
from service.signing import base_url, issuers, keyring
from service.tables import Key, Network
from service.texts.languages import LANGUAGES
from tests.worlds.acting import HILL, RIVER, Actor, actor, all_pages, refused, told
from tests.worlds.runtimes import Clock

DID = "did:web:localhost%3A8000:networks:river-writers"
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


@pytest.fixture
def admin(runtime: Runtime, client: TestClient) -> Actor:
    return actor(runtime, client)


@pytest.fixture
def river(runtime: Runtime, client: TestClient, admin: Actor) -> Actor:
    assert admin.post("/v1/networks", RIVER).status_code == 201
    return actor(runtime, client, slug="river-writers")


def keys_of(runtime: Runtime, slug: str = "river-writers") -> list[Key]:
    with runtime.database.read() as session:
        return list(keyring.keys_of(session, session.scalars(select(Network).where(Network.slug == slug)).one()))


def did_document(runtime: Runtime) -> dict[str, Any]:
    with runtime.database.read() as session:
        network = session.scalars(select(Network).where(Network.slug == "river-writers")).one()
        return issuers.did_document(runtime.settings, network, keyring.keys_of(session, network))


def test_a_network_is_created_with_its_did_and_two_keys(runtime: Runtime, admin: Actor) -> None:
    answer = admin.post(
        "/v1/networks", RIVER | {"description": "Teachers who write.", "email": "Hello@River.example.org"}
    )
    assert answer.status_code == 201
    assert answer.json() == RIVER | {
        "language": "en",
        "late_after_days": 90,
        "same_address": "same-person",
        "state": "active",
        "sandbox": False,
        "description": "Teachers who write.",
        "email": "hello@river.example.org",
        "did": DID,
        "profile_url": "http://localhost:8000/networks/river-writers",
        "created_at": "2026-03-02T12:00:00Z",
    }
    assert [key.algorithm for key in keys_of(runtime)] == ["Ed25519", "P-256"]
    for key in keys_of(runtime):
        signer = runtime.custody.signer(key.custody_uri)
        assert issuers.public_key(key).verify(signer.sign(b"what"), b"what")


def test_a_network_says_in_which_language_people_get_its_mails(river: Actor, admin: Actor) -> None:
    assert river.get("/v1/networks/river-writers").json()["language"] == "en"
    changed = admin.patch("/v1/networks/river-writers", {"language": "es"})
    assert (changed.status_code, changed.json()["language"]) == (200, "es")
    assert admin.post("/v1/networks", HILL | {"language": "es"}).json()["language"] == "es"


@pytest.mark.parametrize("language", ["de", "ES", "es-MX", "", None, 1])
def test_a_network_writes_in_no_language_that_this_service_does_not_have(
    river: Actor, admin: Actor, language: Any
) -> None:
    status, _, pointer = refused(admin.patch("/v1/networks/river-writers", {"language": language}))
    assert (status, pointer) == (422, "/language")
    assert river.get("/v1/networks/river-writers").json()["language"] == "en"


def test_every_language_of_the_service_can_be_that_of_a_network() -> None:
    described = TypeAdapter(networks.MailLanguage).json_schema()
    assert described["enum"] == list(LANGUAGES)


def test_the_same_body_again_gives_the_same_network(runtime: Runtime, admin: Actor) -> None:
    first = admin.post("/v1/networks", RIVER)
    again = admin.post("/v1/networks", RIVER)
    assert (again.status_code, again.json()) == (201, first.json())
    assert len(keys_of(runtime)) == 2


def test_two_at_the_same_moment_make_one_network(runtime: Runtime, admin: Actor) -> None:
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda _: admin.post("/v1/networks", RIVER), range(2)))
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()
    assert len(keys_of(runtime)) == 2


@pytest.mark.usefixtures("river")
def test_another_network_cannot_take_the_slug(admin: Actor) -> None:
    assert refused(admin.post("/v1/networks", RIVER | {"name": "Others"})) == (409, "slug-taken", "/slug")


@pytest.mark.any_database("a body is judged in the code; the rows are only looked up")
@pytest.mark.parametrize(
    ("change", "code", "pointer"),
    [
        ({"slug": "River"}, "string-pattern-mismatch", "/slug"),
        ({"slug": "-river"}, "string-pattern-mismatch", "/slug"),
        ({"slug": "river_writers"}, "string-pattern-mismatch", "/slug"),
        ({"slug": "r" * 64}, "string-too-long", "/slug"),
        ({"slug": "river\n"}, "string-pattern-mismatch", "/slug"),
        ({"slug": ""}, "string-pattern-mismatch", "/slug"),
        ({"name": "  "}, "line-invalid", "/name"),
        ({"name": "two\nlines"}, "line-invalid", "/name"),
        ({"name": "n\0"}, "text-nul", "/name"),
        ({"name": 7}, "string-type", "/name"),
        ({"name": None}, "string-type", "/name"),
        ({"kind": "secret"}, "literal-error", "/kind"),
        ({"url": "http://river.example.org"}, "url-invalid", "/url"),
        ({"url": "https://user@river.example.org"}, "url-invalid", "/url"),
        ({"url": "https://river.example.org/<x>"}, "url-invalid", "/url"),
        ({"url": "river.example.org"}, "url-invalid", "/url"),
        ({"time_zone": "Chicago"}, "time-zone-unknown", "/time_zone"),
        ({"time_zone": "../../etc/passwd"}, "time-zone-unknown", "/time_zone"),
        ({"sandbox": "yes"}, "bool-type", "/sandbox"),
        ({"email": "river"}, "email-invalid", "/email"),
        ({"motto": "?"}, "extra-forbidden", "/motto"),
    ],
)
def test_a_network_that_is_not_well_described_is_refused(
    admin: Actor, change: dict[str, Any], code: str, pointer: str
) -> None:
    answer = admin.post("/v1/networks", RIVER | change)
    assert refused(answer) == (422, code, pointer)


@pytest.mark.any_database("a body is judged in the code; the rows are only looked up")
@pytest.mark.parametrize("missing", ["slug", "name", "kind", "url", "time_zone"])
def test_what_a_network_needs_cannot_be_left_out(admin: Actor, missing: str) -> None:
    body = {name: value for name, value in RIVER.items() if name != missing}
    assert refused(admin.post("/v1/networks", body)) == (422, "missing", f"/{missing}")


def test_only_an_admin_token_creates_networks(river: Actor, client: TestClient) -> None:
    assert refused(river.post("/v1/networks", HILL)) == (403, "scope-missing", None)
    assert refused(client.post("/v1/networks", json=HILL)) == (401, "token-missing", None)


def test_where_a_key_cannot_be_kept_there_is_no_network(
    runtime: Runtime, admin: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_algorithm: str) -> None:
        raise CustodyError("custody-unavailable", "The private key could not be kept; nothing has changed.")

    monkeypatch.setattr(runtime.custody, "create", full)
    assert refused(admin.post("/v1/networks", RIVER)) == (503, "custody-unavailable", None)
    assert admin.get("/v1/networks").json() == {"items": []}


@pytest.mark.usefixtures("river")
def test_networks_are_listed_in_pages_and_filtered(admin: Actor) -> None:
    for n in range(4):
        admin.post("/v1/networks", HILL | {"slug": f"hill-{n}", "kind": "formal"})
    assert [network["slug"] for network in all_pages(admin, "/v1/networks")] == [
        "river-writers",
        *(f"hill-{n}" for n in range(4)),
    ]
    assert [network["slug"] for network in all_pages(admin, "/v1/networks", kind="informal")] == ["river-writers"]
    assert all_pages(admin, "/v1/networks", state="closed") == []
    assert refused(admin.get("/v1/networks", after="?")) == (422, "cursor-invalid", "after")
    assert refused(admin.get("/v1/networks", limit=0)) == (422, "greater-than-equal", "limit")


def test_a_network_sees_itself_only(admin: Actor, river: Actor) -> None:
    admin.post("/v1/networks", HILL)
    assert [network["slug"] for network in river.get("/v1/networks").json()["items"]] == ["river-writers"]
    assert river.get("/v1/networks/river-writers").json()["did"] == DID
    assert refused(river.get("/v1/networks/hill-readers")) == (404, "network-unknown", None)
    assert refused(river.get("/v1/networks/hill-readers/keys")) == (404, "network-unknown", None)
    assert refused(admin.get("/v1/networks/nowhere")) == (404, "network-unknown", None)


@pytest.mark.usefixtures("river")
def test_a_network_is_changed_by_what_is_sent(runtime: Runtime, admin: Actor) -> None:
    changed = admin.ask("PATCH", "/v1/networks/river-writers", {"description": "d", "email": "a@river.example.org"})
    assert changed.status_code == 200
    assert (changed.json()["description"], changed.json()["email"], changed.json()["name"]) == (
        "d",
        "a@river.example.org",
        "River Writers",
    )
    taken_away = admin.ask("PATCH", "/v1/networks/river-writers", {"description": None, "name": "River"}).json()
    assert "description" not in taken_away
    assert (taken_away["name"], taken_away["email"]) == ("River", "a@river.example.org")
    assert told(runtime) == ["network.created", "network.changed", "network.changed"]
    admin.ask("PATCH", "/v1/networks/river-writers", {"name": "River"})
    assert len(told(runtime)) == 3


@pytest.mark.any_database("a body is judged in the code; the rows are only looked up")
@pytest.mark.parametrize(
    ("change", "code", "pointer"),
    [
        ({"slug": "other"}, "extra-forbidden", "/slug"),
        ({"sandbox": True}, "extra-forbidden", "/sandbox"),
        ({"name": None}, "string-type", "/name"),
        ({"url": None}, "string-type", "/url"),
    ],
)
def test_what_a_network_is_cannot_be_changed(
    admin: Actor, river: Actor, change: dict[str, Any], code: str, pointer: str
) -> None:
    assert refused(admin.ask("PATCH", "/v1/networks/river-writers", change)) == (422, code, pointer)
    assert refused(river.ask("PATCH", "/v1/networks/river-writers", {"name": "Mine"})) == (403, "scope-missing", None)


def test_a_picture_comes_with_the_network_or_from_its_files(admin: Actor, runtime: Runtime, client: TestClient) -> None:
    url = "data:image/png;base64," + base64.b64encode(PNG).decode()
    made = admin.post("/v1/networks", RIVER | {"image": url})
    assert made.json()["image_url"] == "http://localhost:8000/networks/river-writers/image"
    assert admin.post("/v1/networks", RIVER | {"image": url}).json() == made.json()
    assert refused(admin.post("/v1/networks", RIVER)) == (409, "slug-taken", "/slug")
    river = actor(runtime, client, slug="river-writers")
    svg = river.post("/v1/blobs", content=b'<svg xmlns="http://www.w3.org/2000/svg"/>').json()["sha256"]
    assert admin.ask("PATCH", "/v1/networks/river-writers", {"image": svg.upper()}).status_code == 200
    assert "image_url" not in admin.ask("PATCH", "/v1/networks/river-writers", {"image": None}).json()


@pytest.mark.any_database("a body is judged in the code; the rows are only looked up")
@pytest.mark.parametrize(
    ("image", "code"),
    [
        ("https://river.example.org/logo.png", "picture-unknown"),
        ("0" * 64, "picture-unknown"),
        ("data:image/png;base64,!!!", "picture-unknown"),
        ("data:image/png;base64,", "blob-empty"),
        ("data:image/png;base64," + base64.b64encode(b"text").decode(), "picture-type"),
        ("data:image/png;base64," + base64.b64encode(b"\0\1").decode(), "blob-type-unknown"),
    ],
)
def test_what_is_no_picture_is_refused(admin: Actor, image: str, code: str) -> None:
    assert refused(admin.post("/v1/networks", RIVER | {"image": image})) == (422, code, "/image")
    assert admin.get("/v1/networks").json() == {"items": []}


def test_another_networks_file_is_no_picture_of_ours(admin: Actor, river: Actor) -> None:
    admin.post("/v1/networks", HILL)
    theirs = river.post("/v1/blobs", content=PNG).json()["sha256"]
    assert refused(admin.ask("PATCH", "/v1/networks/hill-readers", {"image": theirs})) == (
        422,
        "picture-unknown",
        "/image",
    )


def test_a_closed_network_takes_nothing_new(runtime: Runtime, admin: Actor, river: Actor) -> None:
    closed = admin.post("/v1/networks/river-writers/closure")
    assert (closed.status_code, closed.json()["state"]) == (200, "closed")
    assert admin.post("/v1/networks/river-writers/closure").json() == closed.json()
    assert refused(river.put("/v1/networks/river-writers/members/m11", {})) == (409, "network-closed", None)
    assert refused(river.post("/v1/blobs", content=PNG)) == (409, "network-closed", None)
    body = {"name": "t", "scopes": ["read"]}
    assert refused(admin.post("/v1/networks/river-writers/tokens", body)) == (409, "network-closed", None)
    assert river.get("/v1/networks/river-writers").json()["state"] == "closed"
    assert [network["slug"] for network in all_pages(admin, "/v1/networks", state="closed")] == ["river-writers"]
    assert told(runtime) == ["network.created", "network.closed"]


@pytest.mark.usefixtures("river")
def test_the_did_document_gives_every_key_under_its_own_name(runtime: Runtime) -> None:
    ed25519, p256 = keys_of(runtime)
    document = did_document(runtime)
    assert document["id"] == DID
    assert [(method["id"], method["type"]) for method in document["verificationMethod"]] == [
        (f"{DID}#{issuers.public_key(ed25519).multikey}", "Multikey"),
        (f"{DID}#{issuers.public_key(p256).multikey}", "Multikey"),
        (f"{DID}#{p256.kid}", "JsonWebKey"),
    ]
    assert document["assertionMethod"] == [method["id"] for method in document["verificationMethod"]]
    for method in document["verificationMethod"]:
        assert method["controller"] == DID
        assert "expires" not in method
        assert "revoked" not in method
        assert not {"d", "secretKeyMultibase", "secretKeyJwk"} & (method.keys() | method.get("publicKeyJwk", {}).keys())


@pytest.mark.usefixtures("river")
def test_the_did_document_is_json_ld_without_an_undefined_term(runtime: Runtime) -> None:
    assert canonicalize(did_document(runtime), PACKAGED).count(b"\n") > 10


@pytest.mark.usefixtures("river")
def test_a_verifier_finds_each_key_in_the_did_document(runtime: Runtime) -> None:
    document = did_document(runtime)
    asked: list[str] = []

    def load(url: str) -> Fetched:
        asked.append(url)
        return Fetched(json.dumps(document).encode(), "application/did+ld+json")

    for method in document["verificationMethod"]:
        found = resolve_key(method["id"], load)
        assert found.belongs_to(DID)
        assert found.revoked_at is None
    assert {urlsplit(url).path for url in asked} == {"/networks/river-writers/did.json"}


def test_rotation_keeps_the_old_keys_published(runtime: Runtime, admin: Actor, river: Actor, clock: Clock) -> None:
    before = keys_of(runtime)
    clock.advance(days=1)
    fresh = admin.post("/v1/networks/river-writers/keys/rotation")
    assert fresh.status_code == 201
    after = keys_of(runtime)
    assert [(key.algorithm, key.retired_at is None) for key in after] == [
        ("Ed25519", False),
        ("P-256", False),
        ("Ed25519", True),
        ("P-256", True),
    ]
    assert [key["kid"] for key in fresh.json()["items"]] == [key.kid for key in after[2:]]
    with runtime.database.read() as session:
        network = session.scalars(select(Network)).one()
        assert keyring.active_key(session, network, "Ed25519").kid == after[2].kid
    ids = [method["id"] for method in did_document(runtime)["verificationMethod"]]
    for key in before:
        assert f"{DID}#{issuers.public_key(key).multikey}" in ids
        assert runtime.custody.signer(key.custody_uri).key.thumbprint == key.kid
    assert not any("expires" in method for method in did_document(runtime)["verificationMethod"])
    listed = river.get("/v1/networks/river-writers/keys").json()["items"]
    assert [(key["kid"], key.get("retired_at")) for key in listed] == [
        (key.kid, "2026-03-03T12:00:00Z" if key in after[:2] else None) for key in after
    ]
    assert "custody" not in json.dumps(listed)
    assert told(runtime) == ["network.created", "key.rotated", "key.rotated"]


@pytest.mark.usefixtures("river")
def test_two_rotations_at_the_same_moment_leave_one_key_of_each_kind(runtime: Runtime, admin: Actor) -> None:
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda _: admin.post("/v1/networks/river-writers/keys/rotation"), range(2)))
    assert [answer.status_code for answer in answers] == [201, 201]
    assert sorted(key.algorithm for key in keys_of(runtime) if key.retired_at is None) == ["Ed25519", "P-256"]
    assert len(keys_of(runtime)) == 6


def test_a_network_token_does_not_rotate_keys(river: Actor) -> None:
    answer = river.post("/v1/networks/river-writers/keys/rotation")
    assert refused(answer) == (403, "scope-missing", None)


@pytest.mark.usefixtures("river")
def test_a_compromised_key_says_so_and_signs_nothing(runtime: Runtime, clock: Clock) -> None:
    with runtime.database.write() as session:
        network = session.scalars(select(Network)).one()
        for key in keyring.keys_of(session, network):
            key.compromised_at = clock.at
    methods = did_document(runtime)["verificationMethod"]
    assert [method["revoked"] for method in methods] == ["2026-03-02T12:00:00Z"] * 3
    with runtime.database.read() as session:
        network = session.scalars(select(Network)).one()
        rows = [(network, key) for key in keyring.keys_of(session, network)]
        assert issuers.jwks(runtime.settings, rows) == {"keys": []}
        with pytest.raises(CustodyError) as none:
            keyring.active_key(session, network, "Ed25519")
    assert none.value.code == "key-missing"


@pytest.mark.usefixtures("river")
def test_the_jwk_set_holds_each_networks_jwt_keys(runtime: Runtime) -> None:
    with runtime.database.read() as session:
        network = session.scalars(select(Network)).one()
        keys = [(network, key) for key in keyring.keys_of(session, network)]
        (jwk,) = issuers.jwks(runtime.settings, keys)["keys"]
    kid = keys_of(runtime)[1].kid
    assert (jwk["kid"], jwk["alg"], jwk["use"], jwk["iss"], jwk["kty"]) == (
        f"http://localhost:8000/keys/{kid}",
        "ES256",
        "sig",
        DID,
        "EC",
    )
    assert "d" not in jwk


def test_the_profile_of_a_sandbox_network_says_test(runtime: Runtime, admin: Actor) -> None:
    admin.post("/v1/networks", RIVER | {"sandbox": True, "description": "d", "email": "a@river.example.org"})
    with runtime.database.read() as session:
        profile = issuers.profile(runtime.settings, session.scalars(select(Network)).one())
    assert profile == {
        "id": DID,
        "type": ["Profile"],
        "name": "TEST River Writers",
        "url": "https://river.example.org",
        "description": "d",
        "email": "a@river.example.org",
    }


def test_the_base_url_holds_once_a_credential_bears_it(runtime: Runtime) -> None:
    other = runtime.settings.model_copy(update={"base_url": "https://badges.example.org"})
    with runtime.database.write() as session:
        base_url.check_base_url(session, other)
        base_url.remember_base_url(session, runtime.settings)
        base_url.remember_base_url(session, runtime.settings)
    with runtime.database.read() as session:
        base_url.check_base_url(session, runtime.settings)
        with pytest.raises(SettingsError, match=r"LAUREL_BASE_URL: expected http://localhost:8000.*got https://badges"):
            base_url.check_base_url(session, other)
