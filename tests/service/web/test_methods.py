"""Which methods an address answers, and that no address hides another."""

import re
from collections.abc import Iterator
from itertools import permutations
from typing import Any

import pytest
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient

from service.runtime.runtime import Runtime
from service.web.openapi import NDJSON
from tests.worlds.acting import refused
from tests.worlds.awarding import Stage

pytestmark = pytest.mark.any_database("routes are found before any row is read")

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "TRACE")
FORMS = {
    ("/credentials/{credential_id}.bundle", "/credentials/{name}"),
    ("/credentials/{credential_id}.pdf", "/credentials/{name}"),
    ("/credentials/{credential_id}.zip", "/credentials/{name}"),
    ("/collections/{collection_id}.pdf", "/collections/{collection_id}"),
    ("/confirmations/{secret}.json", "/confirmations/{secret}"),
}
"""Forms of one document: the ending is no part of an id."""
PAGES = {
    ("/claim/address", "/claim/{link}"),
    ("/claim/name", "/claim/{link}"),
    ("/claim/on-paper", "/claim/{link}"),
    ("/my-badges/attendance", "/my-badges/{credential_id}"),
    ("/my-badges/collections", "/my-badges/{credential_id}"),
    ("/my-badges/ended", "/my-badges/{credential_id}"),
    ("/my-badges/join-requests", "/my-badges/{credential_id}"),
    ("/my-badges/links", "/my-badges/{credential_id}"),
    ("/my-badges/openings", "/my-badges/{credential_id}"),
    ("/my-badges/members/{member_id}/goals/new", "/my-badges/members/{member_id}/goals/{goal_id}"),
    ("/sign-in/code", "/sign-in/{link}"),
}
"""Pages beside secrets and ids of badges: these are random and of a length that no word has."""


def routes(client: TestClient) -> Iterator[APIRoute]:
    """Yield each route of the application."""
    app: Any = client.app
    for each in app.router.routes:
        for context in each.effective_route_contexts() if hasattr(each, "effective_route_contexts") else ():
            if isinstance(context.original_route, APIRoute):
                yield context.original_route


def filled(path: str) -> str:
    """Return an address that has the form of a route's path."""
    return re.sub(r"{\w+(:uuid)?}", lambda found: "0" * 32 if found[1] else "x", path)


def test_a_refused_method_is_answered_with_all_that_work(client: TestClient) -> None:
    every = list(routes(client))
    paths = {route.path for route in every}
    assert len(paths) > 60
    for path in paths:
        methods = {each for route in every if route.path_regex.match(filled(path)) for each in route.methods or ()}
        missing = next(each for each in METHODS if each not in methods)
        answer = client.request(missing, filled(path), follow_redirects=False)
        expected = methods | ({"HEAD"} if "GET" in methods else set()) | {"OPTIONS"}
        assert refused(answer)[:2] == (405, "method-not-allowed"), path
        assert set(answer.headers["allow"].split(", ")) == expected, path
        assert missing in answer.json()["detail"]


def test_options_says_the_methods(client: TestClient) -> None:
    answer = client.options("/v1/networks/river-writers/members")
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["allow"] == "GET, HEAD, POST, OPTIONS"
    assert client.options("/nowhere").status_code == 404


def test_a_browser_is_still_told_that_it_may_ask(client: TestClient) -> None:
    asked = {"Origin": "https://example.org", "Access-Control-Request-Method": "PUT"}
    answer = client.options("/v1/networks/river-writers/members/m11", headers=asked)
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, "*")


def test_no_word_in_an_address_is_the_id_of_a_thing(client: TestClient) -> None:
    """Such as `approvals/several`, if that could be read: an approval with that id could never be asked for."""
    shadowed = set()
    for one, other in permutations(routes(client), 2):
        asked_alike = (one.methods or set()) & (other.methods or set())
        if one.path != other.path and asked_alike and other.path_regex.match(re.sub(r"{\w+(:uuid)?}", "x", one.path)):
            shadowed.add((one.path, other.path))
    assert shadowed == FORMS | PAGES


def test_several_is_no_approval(client: TestClient) -> None:
    answer = client.get("/v1/networks/river-writers/approvals/several")
    assert (refused(answer)[0], answer.headers["allow"]) == (405, "POST, OPTIONS")


def test_a_member_may_be_called_bulk(client: TestClient, runtime: Runtime) -> None:
    """Bodies of many members are posted to `members/bulk`, where a single one is put, read and erased."""
    stage = Stage.set_up(client, runtime)
    stage.member("bulk")
    assert stage.send("GET", "./members/bulk")["ref"] == "bulk"
    answer = stage.call("POST", "./members/bulk", content=b'{"ref": "m12"}', headers={"Content-Type": NDJSON})
    assert answer.status_code == 200
    assert client.options(f"/v1/networks/{stage.slug}/members/bulk").headers["allow"] == (
        "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"
    )
