"""Query parameters: for programs an unknown one is a fault, for people it is somebody else's note."""

from typing import Annotated

import pytest
from fastapi import FastAPI, Query
from fastapi.testclient import TestClient
from pydantic import BaseModel

from service.runtime.runtime import Runtime
from service.web import problems
from service.web.queries import QueryRoute
from tests.worlds.acting import Actor, refused
from tests.worlds.awarding import Stage
from tests.worlds.my_badges import browser_of, earned
from tests.worlds.posting import alone

pytestmark = pytest.mark.any_database("the names are looked at before any row but the token's")

CONTRIBUTIONS = "/v1/networks/river-writers/contributions"


@pytest.fixture
def river(runtime: Runtime, client: TestClient) -> Actor:
    return alone(runtime, client)


def test_an_unknown_parameter_is_refused_with_the_known_ones(river: Actor) -> None:
    answer = river.get(CONTRIBUTIONS, memeber="m11")
    assert refused(answer) == (422, "query-unknown", "memeber")
    assert answer.json()["detail"].startswith(
        "There is no query parameter `memeber` here (did you mean `member`?). Here are known: member, type, "
    )


def test_parameters_of_dependencies_are_known(river: Actor) -> None:
    assert river.get(CONTRIBUTIONS, limit=5).status_code == 200


def test_where_none_is_known_the_answer_says_so(river: Actor) -> None:
    answer = river.get("/v1/networks/river-writers", expand="members")
    assert refused(answer) == (422, "query-unknown", "expand")
    assert answer.json()["detail"] == "There is no query parameter `expand` here: this address takes none."


def test_a_parameter_with_one_value_comes_once(river: Actor) -> None:
    assert refused(river.get(f"{CONTRIBUTIONS}?limit=5&limit=6")) == (422, "query-repeated", "limit")


class Paged(BaseModel):
    """Parameters that stand together."""

    limit: int = 50
    after: Annotated[str | None, Query(alias="from")] = None


def search(paged: Annotated[Paged, Query()], tag: Annotated[list[str] | None, Query()] = None) -> list[str]:
    return [*(tag or ()), str(paged.limit)]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("tag=a&tag=b&limit=3", None),
        ("limit=3&limit=4", "query-repeated"),
        ("from=x", None),
        ("after=x", "query-unknown"),
        ("paged=x", "query-unknown"),
    ],
)
def test_lists_and_models_of_parameters_come_out_right(query: str, code: str | None) -> None:
    app = FastAPI()
    problems.install(app, lambda _request, _problem: None)
    app.router.route_class = QueryRoute
    app.get("/v1/found")(search)
    answer = TestClient(app).get(f"/v1/found?{query}")
    assert (answer.json()["code"] if code else answer.status_code) == (code or 200)


def test_writes_are_held_to_it_too_and_strangers_learn_nothing(river: Actor, client: TestClient) -> None:
    assert refused(river.post(f"{CONTRIBUTIONS}?dry=1", {}))[1] == "query-unknown"
    assert refused(client.get(CONTRIBUTIONS, params={"memeber": "m11"}))[1] == "token-missing"


def test_what_anyone_may_ask_under_v1_is_held_to_it(client: TestClient) -> None:
    assert refused(client.post("/v1/verifications?utm_source=x", content=b"{}"))[1] == "query-unknown"


PUBLIC = ("/", "/verify", "/docs", "/docs/errors", "/.well-known/jwks.json", "/health", "/sign-in", "/claim", "/return")
PERSONAL = ("/my-badges", "/my-badges/collections", "/my-badges/links", "/my-badges/openings", "/account")


@pytest.mark.parametrize("path", PUBLIC)
def test_public_addresses_pass_over_what_others_add_to_links(client: TestClient, path: str) -> None:
    assert client.get(path, params={"utm_source": "mail", "fbclid": "x"}).status_code == 200


@pytest.mark.parametrize("path", PERSONAL)
def test_pages_of_somebody_who_is_signed_in_pass_over_it_too(runtime: Runtime, path: str) -> None:
    browser = browser_of(runtime, "m11@river.example.org")
    assert browser.get(path, params={"utm_source": "mail", "fbclid": "x"}).status_code == 200


def test_the_page_of_a_badge_passes_over_it_too(client: TestClient, runtime: Runtime) -> None:
    stage = Stage.set_up(client, runtime)
    stage.member()
    path = f"/credentials/{earned(stage)}"
    answer = client.get(path, params={"utm_source": "mail", "fbclid": "x"}, headers={"Accept": "text/html"})
    assert answer.status_code == 200
