"""Costly routes: a bound over all callers, and nobody else waits."""

import asyncio
import json
from pathlib import Path
from typing import Any

import anyio.to_thread
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient

from service.checking import api as checks
from service.checking import pages
from service.checking.batch import api_batch, pages_batch
from service.checking.keeping import pages_bundles, pages_receipts
from service.runtime import cpu_time
from service.runtime.turns import Turns
from service.vc_api import api as vc_api
from service.vc_api.api import VcApiRoute
from service.web import costly
from service.web.costly import Costly, CostlyRoute
from tests.worlds.awarding import Stage, once
from tests.worlds.handed_over import badge_json
from tests.worlds.runtimes import BASE_URL, Clock, app_of, settings_in, start
from tests.worlds.talking import Talk, talk

pytestmark = pytest.mark.any_database("it is about who gets a place, not about rows")

PEOPLE = {"Accept": "text/html"}
COSTLY = {
    "/v1/verifications",
    "/v1/verification-batches",
    "/verify",
    "/verify/batch",
    "/verify/bundle",
    "/verify/receipt.{form}",
    "/credentials/{credential_id}.bundle",
    "/vc/credentials/issue",
    "/vc/credentials/verify",
    "/vc/credentials/status",
    "/vc/presentations/verify",
}


@once
def awarded(stage: Stage) -> Any:
    stage.member("m11")
    stage.achievement()
    for n in (1, 2):
        stage.share(n)
    return stage.awards(member="m11")[0]


def fill(client: TestClient) -> None:
    """Have all places taken, for as long as the test lasts."""
    places = Costly()
    places.turns = Turns(at_once=0, of_one=0, seconds=0)
    client.app.state.costly = places  # type: ignore[attr-defined]


def test_a_program_is_told_when_to_come_again(client: TestClient) -> None:
    fill(client)
    answer = client.post("/v1/verifications", content=badge_json())
    assert (answer.status_code, answer.json()["code"]) == (429, "service-busy")
    assert answer.headers["Retry-After"] == "5"


def test_a_person_gets_a_page_with_a_plain_sentence(client: TestClient) -> None:
    fill(client)
    answer = client.post("/verify", data={"received": badge_json()}, headers=PEOPLE)
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "5")
    assert "Many people are checking badges." in answer.text


def test_who_sends_slowly_has_no_place_meanwhile(client: TestClient) -> None:
    app = client.app
    assert isinstance(app, FastAPI)
    slow = Talk(
        "POST", "/v1/verifications", {"Content-Type": "image/png", "Content-Length": "5000"}, [b"x"], ends=False
    )

    async def tried() -> int:
        sending = asyncio.create_task(slow.on(app))
        await slow.settled.wait()
        held = app.state.costly.turns._held.total()
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        return int(held)

    assert (talk(tried), slow.asked > 0) == (0, True)


def test_everybody_else_is_answered_while_all_places_are_taken(client: TestClient, runtime: Any) -> None:
    stage = Stage.set_up(client, runtime)
    made = awarded(stage)
    fill(client)
    assert client.get("/health").status_code == 200
    assert stage.send("GET", "./awards")["items"]
    for address in (f"{made['credential']['url']}.json", "/verify", "/verify/batch", "/"):
        assert client.get(address, headers=PEOPLE).status_code == 200


def test_a_page_of_a_badge_that_is_checked_and_pictures_that_are_drawn_need_a_place(
    client: TestClient, runtime: Any
) -> None:
    made = awarded(Stage.set_up(client, runtime))
    fill(client)
    for address in (made["credential"]["url"], f"{made['credential']['url']}.png", "/achievements/1/image.png"):
        assert client.get(address, headers=PEOPLE).status_code == 429


def test_every_route_that_opens_or_verifies_what_strangers_send_is_costly() -> None:
    modules = (checks, api_batch, pages_batch, pages_bundles, pages_receipts, pages, vc_api)
    found = [route for module in modules for route in module.router.routes if isinstance(route, APIRoute)]
    assert {route.path for route in found if isinstance(route, CostlyRoute)} == COSTLY
    assert {route.path for route in found} == COSTLY


def test_the_work_is_done_in_threads_of_its_own_as_one_of_few_that_work(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[float, int]] = []
    turns = Turns(at_once=1, of_one=1)
    monkeypatch.setattr(cpu_time, "_turns", turns)

    def looked(*_: Any, **__: Any) -> Any:
        limiter = anyio.from_thread.run_sync(anyio.to_thread.current_default_thread_limiter)
        seen.append((limiter.borrowed_tokens, turns._held.total()))
        raise RuntimeError

    monkeypatch.setattr("service.checking.check.check", looked)
    with pytest.raises(RuntimeError):
        client.post("/v1/verifications", content=badge_json())
    assert seen == [(0, 1)]


def test_one_address_leaves_places_to_the_others() -> None:
    assert costly.OF_ONE * 3 <= costly.AT_ONCE - costly.KEPT < 40


@pytest.mark.parametrize(("token", "status"), [(None, 429), ("a token of 16 letters", 200)], ids=["without", "with"])
def test_callers_of_the_vc_api_with_a_token_wait_for_nobody(
    database_url: str, tmp_path: Path, clock: Clock, token: str | None, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cpu_time, "_turns", Turns(at_once=0, of_one=0, seconds=0))
    monkeypatch.setattr(VcApiRoute, "WAIT_SECONDS", 0.0)
    with (
        start(settings_in(tmp_path, database_url=database_url, vc_api=True, vc_api_token=token), clock) as runtime,
        TestClient(app_of(runtime), base_url=BASE_URL) as client,
    ):
        fill(client)
        body = {"verifiableCredential": json.loads(badge_json())}
        answer = client.post("/vc/credentials/verify", json=body, headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == status, answer.text
