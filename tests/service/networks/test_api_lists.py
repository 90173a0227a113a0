"""Lists of members, sessions and networks: found by what people ask for, newest first, addresses only for who may read them."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from service.runtime.runtime import Runtime
from tests.worlds.acting import Actor, actor, all_pages, refused
from tests.worlds.posting import ROOT, alone, hill, posted

MEMBERS, SESSIONS = f"{ROOT}/members", f"{ROOT}/sessions"
DID = "did:key:z6MkexampleAna"


@pytest.fixture
def who(runtime: Runtime, client: TestClient) -> Actor:
    who = alone(runtime, client)
    posted(who.put(f"{MEMBERS}/m1", {"name": "Édith Ana", "email": "ana@example.org", "did": DID}))
    posted(who.put(f"{MEMBERS}/m3", {"name": "50% Ana"}))
    posted(who.put(f"{MEMBERS}/m2", {"name": "edgar", "email": "edgar@example.org"}))
    return who


def listed(who: Actor, path: str, **query: Any) -> list[str]:
    return [row["ref"] for row in all_pages(who, path, **query)]


def test_members_are_found_by_address_did_and_name(who: Actor) -> None:
    assert listed(who, MEMBERS, email="Ana@Example.org") == ["m1"]
    assert listed(who, MEMBERS, email="nobody@example.org") == []
    assert listed(who, MEMBERS, did=DID) == ["m1"]
    assert listed(who, MEMBERS, name="ÉDITH") == listed(who, MEMBERS, name="é") == ["m1"]
    assert listed(who, MEMBERS, name="ed") == ["m2"]
    assert listed(who, MEMBERS, name="Ana") == []
    assert listed(who, MEMBERS, name="50%") == ["m3"]
    assert listed(who, MEMBERS, name="5_") == []
    assert refused(who.get(MEMBERS, email="nobody")) == (422, "email-invalid", "email")


def test_members_come_in_the_order_that_is_asked_for(who: Actor) -> None:
    assert listed(who, MEMBERS) == listed(who, MEMBERS, sort="enrolled_at") == ["m1", "m3", "m2"]
    assert listed(who, MEMBERS, sort="-enrolled_at") == ["m2", "m3", "m1"]
    assert listed(who, MEMBERS, sort="ref") == ["m1", "m2", "m3"]
    assert listed(who, MEMBERS, sort="-ref") == ["m3", "m2", "m1"]


def test_members_of_another_network_are_not_found(runtime: Runtime, client: TestClient, who: Actor) -> None:
    _ = who
    other = hill(runtime, client)
    for query in ({"email": "ana@example.org"}, {"did": DID}, {"name": "é"}):
        assert all_pages(other, "/v1/networks/hill-readers/members", **query) == []


def test_read_basic_shows_no_address_and_finds_by_none(runtime: Runtime, client: TestClient, who: Actor) -> None:
    scopes = ["read:basic", "members:write"]
    basic = actor(runtime, client, slug="river-writers", scopes=scopes)
    shown = [*all_pages(basic, MEMBERS), basic.get(f"{MEMBERS}/m1").json(), basic.put(f"{MEMBERS}/m1", {}).json()]
    assert [row["name"] for row in shown] == ["Édith Ana", "50% Ana", "edgar", "Édith Ana", "Édith Ana"]
    assert not any({"email", "did"} & row.keys() for row in shown)
    for query in ({"email": "ana@example.org"}, {"did": DID}):
        assert refused(basic.get(MEMBERS, **query)) == (403, "scope-missing", None)
    assert listed(basic, MEMBERS, name="é") == ["m1"]
    assert who.get(f"{MEMBERS}/m1").json()["email"] == "ana@example.org"


@pytest.mark.any_database("scopes are asked before any row but the token's")
@pytest.mark.parametrize(
    "path",
    ["", "/members", "/sessions", "/contributions", "/evaluations", "/records", "/flags", "/events", "/achievements"],
)
def test_read_basic_reads_what_read_reads(runtime: Runtime, client: TestClient, who: Actor, path: str) -> None:
    basic = actor(runtime, client, slug="river-writers", scopes=["read:basic"])
    assert basic.get(f"{ROOT}{path}").status_code == who.get(f"{ROOT}{path}").status_code == 200


def test_sessions_are_found_by_day_and_come_newest_first(who: Actor) -> None:
    for ref, at in (("a", "2026-03-01T06:00:00Z"), ("b", "2026-03-01T05:59:59Z"), ("c", "2026-02-01T12:00:00Z")):
        posted(who.put(f"{SESSIONS}/{ref}", {"starts_at": at}))
    assert listed(who, SESSIONS) == listed(who, SESSIONS, sort="added") == ["a", "b", "c"]
    assert listed(who, SESSIONS, sort="-added") == ["c", "b", "a"]
    assert listed(who, SESSIONS, sort="-starts_at") == ["a", "b", "c"]
    assert listed(who, SESSIONS, sort="starts_at") == ["c", "b", "a"]
    assert listed(who, SESSIONS, starts_from="2026-03-01") == ["a"]  # of a calendar 6 hours behind
    assert listed(who, SESSIONS, starts_until="2026-03-01") == ["b", "c"]


def test_networks_come_newest_first_if_it_is_asked_for(runtime: Runtime, client: TestClient, who: Actor) -> None:
    _ = who
    hill(runtime, client)
    admin = actor(runtime, client)
    assert [row["slug"] for row in all_pages(admin, "/v1/networks", sort="-created_at")] == [
        "hill-readers",
        "river-writers",
    ]


def test_an_admin_token_is_told_what_it_is_for(runtime: Runtime, client: TestClient, who: Actor) -> None:
    _ = who
    answer = actor(runtime, client).get(MEMBERS)
    assert refused(answer) == (403, "admin-token", None)
    assert "laurel token create --network" in answer.json()["detail"]
