"""The operator confirms who a network is."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from service.runtime.runtime import Runtime
from tests.worlds.acting import RIVER, Actor, actor, refused, told

CONFIRMATION = "/v1/networks/river-writers/confirmation"
NAMED = {"name": RIVER["name"]}


@pytest.fixture
def admin(runtime: Runtime, client: TestClient) -> Actor:
    admin = actor(runtime, client)
    assert admin.post("/v1/networks", RIVER).status_code == 201
    return admin


def confirmed_at(admin: Actor) -> Any:
    return admin.get("/v1/networks/river-writers").json().get("confirmed_at")


def test_a_network_begins_unconfirmed_and_is_confirmed_by_its_name(runtime: Runtime, admin: Actor) -> None:
    assert confirmed_at(admin) is None
    answer = admin.put(CONFIRMATION, NAMED)
    assert (answer.status_code, answer.json()["confirmed_at"]) == (200, "2026-03-02T12:00:00Z")
    assert confirmed_at(admin) == "2026-03-02T12:00:00Z"
    assert told(runtime) == ["network.created", "network.confirmed"]


@pytest.mark.parametrize("name", ["River writers", "River Writers.", "Hill Readers"])
def test_another_name_confirms_nothing(admin: Actor, name: str) -> None:
    assert refused(admin.put(CONFIRMATION, {"name": name})) == (409, "network-name-differs", "/name")
    assert confirmed_at(admin) is None


def test_confirming_twice_is_confirming_once(runtime: Runtime, admin: Actor, clock: Any) -> None:
    first = admin.put(CONFIRMATION, NAMED).json()
    clock.advance(days=1)
    assert admin.put(CONFIRMATION, NAMED).json() == first
    assert told(runtime) == ["network.created", "network.confirmed"]


@pytest.mark.parametrize("change", [{"name": "Ministry of Education"}, {"url": "https://elsewhere.example"}])
def test_a_new_name_or_web_site_ends_the_confirmation(runtime: Runtime, admin: Actor, change: Any) -> None:
    admin.put(CONFIRMATION, NAMED)
    assert "confirmed_at" not in admin.patch("/v1/networks/river-writers", change).json()
    assert told(runtime)[-2:] == ["network.changed", "network.unconfirmed"]


def test_a_change_of_anything_else_leaves_it(admin: Actor) -> None:
    admin.put(CONFIRMATION, NAMED)
    admin.patch("/v1/networks/river-writers", {"description": "Teachers who write.", "name": RIVER["name"]})
    assert confirmed_at(admin) is not None


def test_a_confirmation_is_taken_back_once(runtime: Runtime, admin: Actor) -> None:
    admin.put(CONFIRMATION, NAMED)
    for _ in range(2):
        answer = admin.delete(CONFIRMATION)
        assert (answer.status_code, "confirmed_at" in answer.json()) == (200, False)
    assert told(runtime) == ["network.created", "network.confirmed", "network.unconfirmed"]


@pytest.mark.usefixtures("admin")
def test_only_an_admin_confirms(runtime: Runtime, client: TestClient) -> None:
    river = actor(runtime, client, slug="river-writers")
    assert refused(river.put(CONFIRMATION, NAMED)) == (403, "scope-missing", None)
    assert refused(river.delete(CONFIRMATION)) == (403, "scope-missing", None)


def test_no_network_no_confirmation(admin: Actor) -> None:
    assert refused(admin.put("/v1/networks/nobody/confirmation", NAMED)) == (404, "network-unknown", None)
