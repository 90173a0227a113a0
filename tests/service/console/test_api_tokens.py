"""Tokens: made by an admin, shown once, bound to a network, scopes, a member and an end."""

import hashlib
from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from service.access import callers, tokens
from service.errors import InvalidError
from service.runtime.runtime import Runtime
from service.tables import Idempotency, Member, Network, Token
from tests.worlds.acting import HILL, RIVER, Actor, actor, all_pages, refused
from tests.worlds.runtimes import Clock

TOKENS = "/v1/networks/river-writers/tokens"
READER = {"name": "reader", "scopes": ["read"]}


@pytest.fixture
def admin(runtime: Runtime, client: TestClient) -> Actor:
    who = actor(runtime, client)
    assert who.post("/v1/networks", RIVER).status_code == 201
    return who


def test_a_token_is_made_shown_once_and_kept_as_a_digest(runtime: Runtime, client: TestClient, admin: Actor) -> None:
    made = admin.post(TOKENS, {"name": "import", "scopes": ["read", "evidence:write"]})
    assert made.status_code == 201
    shown = made.json()
    text, token_id = shown.pop("token"), shown.pop("id")
    assert shown == {
        "name": "import",
        "scopes": ["evidence:write", "read"],
        "created_at": "2026-03-02T12:00:00Z",
        "expires_at": "2027-03-02T12:00:00Z",
    }
    assert Actor(client, text).get("/v1/networks/river-writers").status_code == 200
    for answer in (admin.get(TOKENS), admin.get(f"{TOKENS}/{token_id}")):
        assert text not in answer.text
    with runtime.database.read() as session:
        for table in Token.metadata.sorted_tables:
            for row in session.execute(table.select()):
                assert text not in repr(row)
        kept = session.scalars(select(Token.sha256).where(Token.name == "import")).one()
    assert kept == hashlib.sha256(text.encode()).hexdigest()


def test_a_retry_makes_no_second_token_and_does_not_show_the_first(runtime: Runtime, admin: Actor) -> None:
    headers = {"Idempotency-Key": "k"}
    first = admin.post(TOKENS, READER, headers=headers).json()
    again = admin.post(TOKENS, READER, headers=headers)
    text = first.pop("token")
    assert (again.status_code, again.json()) == (201, first)
    assert len(admin.get(TOKENS).json()["items"]) == 1
    with runtime.database.read() as session:
        assert text not in (session.scalars(select(Idempotency.answer)).one() or "")


@pytest.mark.any_database("a body is judged in the code; the rows are only looked up")
@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"scopes": ["fly"]}, (422, "scope-unknown", "/scopes")),
        ({"scopes": []}, (422, "too-short", "/scopes")),
        ({"scopes": ["admin"]}, (422, "scope-misplaced", "/scopes")),
        ({"scopes": ["read", "admin"]}, (422, "scope-misplaced", "/scopes")),
        ({"scopes": ["read"] * 20}, (422, "too-long", "/scopes")),
        ({"expires_at": "2026-03-02T12:00:00Z"}, (422, "expiry-past", "/expires_at")),
        ({"expires_at": "2027"}, (422, "instant-invalid", "/expires_at")),
        ({"name": ""}, (422, "string-too-short", "/name")),
        ({"member": "nobody"}, (404, "member-unknown", None)),
        ({"network": "hill-readers"}, (422, "extra-forbidden", "/network")),
    ],
)
def test_a_token_that_makes_no_sense_is_refused(
    admin: Actor, change: dict[str, Any], expected: tuple[int, str, str | None]
) -> None:
    assert refused(admin.post(TOKENS, READER | change)) == expected
    assert admin.get(TOKENS).json() == {"items": []}


def test_a_token_may_be_bound_to_a_member(runtime: Runtime, client: TestClient, admin: Actor) -> None:
    actor(runtime, client, slug="river-writers").put("/v1/networks/river-writers/members/m11", {})
    made = admin.post(TOKENS, READER | {"member": "m11"}).json()
    assert made["member"] == "m11"
    assert admin.get(f"{TOKENS}/{made['id']}").json()["member"] == "m11"
    assert admin.get(TOKENS).json()["items"][-1]["member"] == "m11"
    with runtime.database.read() as session:
        caller, _ = callers.authenticate(session, made["token"], runtime.now())
        m11 = session.scalars(select(Member)).one()
        assert (caller.member_id, caller.network_id) == (m11.id, session.scalars(select(Network.id)).one())


def test_a_token_ends_when_it_expires(client: TestClient, admin: Actor, clock: Clock) -> None:
    made = admin.post(TOKENS, READER | {"expires_at": "2026-03-02T13:00:00Z"}).json()
    who = Actor(client, made["token"])
    clock.advance(minutes=59, seconds=59)
    assert who.get("/v1/networks").status_code == 200
    clock.advance(seconds=1)
    assert refused(who.get("/v1/networks")) == (401, "token-expired", None)


def test_a_revoked_token_is_worth_nothing_at_once(client: TestClient, admin: Actor, clock: Clock) -> None:
    made = admin.post(TOKENS, READER).json()
    who = Actor(client, made["token"])
    assert who.get("/v1/networks").status_code == 200
    revoked = admin.ask("DELETE", f"{TOKENS}/{made['id']}")
    assert (revoked.status_code, revoked.json()["revoked_at"]) == (200, "2026-03-02T12:00:00Z")
    assert refused(who.get("/v1/networks")) == (401, "token-revoked", None)
    clock.advance(days=1)
    assert admin.ask("DELETE", f"{TOKENS}/{made['id']}").json() == revoked.json()


def test_the_last_use_is_noted(client: TestClient, admin: Actor, clock: Clock) -> None:
    made = admin.post(TOKENS, READER).json()
    assert "last_used_at" not in admin.get(f"{TOKENS}/{made['id']}").json()
    for minutes, noted in ((5, "12:05"), (9, "12:05"), (2, "12:16")):
        clock.advance(minutes=minutes)
        Actor(client, made["token"]).get("/v1/networks")
        assert admin.get(f"{TOKENS}/{made['id']}").json()["last_used_at"] == f"2026-03-02T{noted}:00Z"


def test_tokens_are_listed_in_pages_and_filtered(admin: Actor, clock: Clock) -> None:
    made = [admin.post(TOKENS, READER | {"name": f"t{n}"}).json()["id"] for n in range(3)]
    short = admin.post(TOKENS, READER | {"name": "short", "expires_at": "2026-03-02T13:00:00Z"}).json()["id"]
    admin.ask("DELETE", f"{TOKENS}/{made[0]}")
    clock.advance(hours=2)
    assert [row["id"] for row in all_pages(admin, TOKENS)] == [*made, short]
    assert [row["id"] for row in all_pages(admin, TOKENS, active=True)] == made[1:]
    assert [row["id"] for row in all_pages(admin, TOKENS, active=False)] == [made[0], short]


def test_only_an_admin_handles_tokens_and_only_of_the_network_asked_for(
    runtime: Runtime, client: TestClient, admin: Actor
) -> None:
    admin.post("/v1/networks", HILL)
    token_id = admin.post(TOKENS, READER).json()["id"]
    for ask in ("GET", "DELETE"):
        wrong = admin.ask(ask, f"/v1/networks/hill-readers/tokens/{token_id}")
        assert refused(wrong) == (404, "token-unknown", None)
        assert refused(admin.ask(ask, f"{TOKENS}/none")) == (404, "token-unknown", None)
    assert refused(admin.post("/v1/networks/nowhere/tokens", READER)) == (404, "network-unknown", None)
    river = actor(runtime, client, slug="river-writers")
    assert refused(river.post(TOKENS, READER)) == (403, "scope-missing", None)
    assert refused(river.get(TOKENS)) == (403, "scope-missing", None)
    assert refused(river.ask("DELETE", f"{TOKENS}/{token_id}")) == (403, "scope-missing", None)


def test_a_token_without_a_network_can_only_be_an_admins(runtime: Runtime) -> None:
    with runtime.database.read() as session, pytest.raises(InvalidError) as error:
        tokens.create_token(
            session,
            name="t",
            scopes=["read"],
            network=None,
            now=runtime.now(),
            expires_at=runtime.now() + timedelta(days=1),
        )
    assert error.value.code == "scope-misplaced"


@pytest.mark.any_database("a body is judged in the code; the rows are only looked up")
@pytest.mark.parametrize("scope", callers.OF_MEMBERS)
def test_what_only_somebody_can_do_needs_a_member(
    runtime: Runtime, client: TestClient, admin: Actor, scope: str
) -> None:
    answer = admin.post(TOKENS, READER | {"scopes": ["read", scope]})
    assert refused(answer) == (422, "scope-needs-member", "/scopes")
    assert f"Expected a member for {scope}" in answer.json()["detail"]
    actor(runtime, client, slug="river-writers").put("/v1/networks/river-writers/members/m11", {})
    assert admin.post(TOKENS, READER | {"scopes": [scope], "member": "m11"}).status_code == 201


def test_without_scopes_a_token_reads_and_that_of_a_member_reads_no_addresses(
    runtime: Runtime, client: TestClient, admin: Actor
) -> None:
    actor(runtime, client, slug="river-writers").put("/v1/networks/river-writers/members/m11", {})
    assert admin.post(TOKENS, {"name": "n"}).json()["scopes"] == ["read"]
    assert admin.post(TOKENS, {"name": "n", "member": "m11"}).json()["scopes"] == ["read:basic"]


def test_the_newest_tokens_come_first_if_it_is_asked_for(admin: Actor) -> None:
    made = [admin.post(TOKENS, READER).json()["id"] for _ in range(3)]
    assert [row["id"] for row in all_pages(admin, TOKENS, sort="-created_at")] == made[::-1]
