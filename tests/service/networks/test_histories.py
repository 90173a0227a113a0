"""A network's past: declared once, open for a while, and told wherever it carries a badge."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from fastapi.testclient import TestClient

from service.runtime.runtime import Runtime
from tests.worlds.acting import Actor, actor, refused, told
from tests.worlds.awarding import Stage, once
from tests.worlds.runtimes import Clock

LONG_AGO = "2024-03-01T10:00:00Z"
WHY = "Moved here from our own register."
HISTORY = {"until": "2026-01-01T00:00:00Z", "reason": WHY}
PATH = "/v1/networks/river/history"
SAID = "Recorded from the network's earlier records."


@once
def laid(stage: Stage) -> None:
    stage.member("m11")
    stage.achievement(rule={"rule": "count", "where": {"types": ["shared"], "min_tier": 3}, "gte": 2})


@pytest.fixture
def stage(client: TestClient, runtime: Runtime) -> Stage:
    stage = Stage.set_up(client, runtime)
    laid(stage)
    return stage


@pytest.fixture
def admin(stage: Stage) -> Actor:
    stage.laid.clear()
    return actor(stage.runtime, stage.client)


def declare(admin: Actor, status: int = 201, **said: Any) -> Any:
    answer = admin.put(PATH, HISTORY | said)
    assert answer.status_code == status, answer.text
    return answer.json()


def old(stage: Stage, n: int, **more: Any) -> Any:
    return stage.share(n, occurred_at=LONG_AGO, **more)


# --- Its evidence -----------------------------------------------------------------------------------------------------


def test_evidence_of_its_history_is_neither_late_nor_lowered(stage: Stage, admin: Actor) -> None:
    assert (old(stage, 1)["flags"], old(stage, 2)["tier"]) == (["late"], 2)
    declare(admin)
    answer = old(stage, 3)
    assert ("flags" in answer, answer["tier"]) == (False, 3)
    lines = json.dumps({"member": "m11", "type": "shared", "resource": "r4", "occurred_at": LONG_AGO, "ref": "r4"})
    stage.call("POST", "./contributions", content=lines, headers={"Content-Type": "application/x-ndjson"})
    assert stage.send("GET", "./contributions/r4")["tier"] == 3


@pytest.mark.parametrize("at", ["2019-12-31T23:59:59Z", "2025-01-01T00:00:00Z"])
def test_what_happened_at_another_time_is_as_late_as_ever(stage: Stage, admin: Actor, at: str) -> None:
    period: dict[str, Any] = {"from": "2020-01-01T00:00:00Z", "until": "2025-01-01T00:00:00Z"}
    declare(admin, **period)
    assert stage.share(1, occurred_at=at)["flags"] == ["late"]
    assert "flags" not in stage.share(2, occurred_at="2020-01-01T00:00:00Z")


def test_what_comes_when_the_time_is_over_is_late(stage: Stage, admin: Actor, clock: Clock) -> None:
    declare(admin, open_days=2)
    clock.advance(days=2)
    assert old(stage, 1)["flags"] == ["late"]


def test_a_correction_of_history_is_history(stage: Stage, admin: Actor, clock: Clock) -> None:
    declare(admin, open_days=2)
    record = old(stage, 1)["id"]
    clock.advance(days=20)
    answer = stage.send("POST", f"./records/{record}/correction", {"changes": {"minutes": 55}, "reason": "A slip."})
    assert ("flags" in answer, answer["tier"]) == (False, 3)


# --- Its badges -------------------------------------------------------------------------------------------------------


def badge(stage: Stage, admin: Actor) -> Any:
    declare(admin)
    old(stage, 1)
    stage.share(2)
    (award,) = stage.awards()
    return award


def test_a_badge_that_rests_on_it_says_so(stage: Stage, admin: Actor) -> None:
    told_of = [item["narrative"] for item in stage.credential(badge(stage, admin))["evidence"]]
    assert [SAID in each for each in told_of if each.startswith("Shared")] == [True, False]


def test_the_receipt_says_so_and_is_retraced(stage: Stage, admin: Actor) -> None:
    award = badge(stage, admin)
    receipt = stage.client.get(f"{award['receipt']}.json").json()
    assert receipt["earlier_records"] == {
        "records": 1,
        "until": "2026-01-01T00:00:00Z",
        "declared_at": "2026-03-02T12:00:00Z",
        "open_until": "2026-04-01T12:00:00Z",
    }
    assert stage.send("POST", f"./awards/{award['id']}/replay")["outcome"] == "same"


def test_a_badge_that_rests_on_nothing_of_it_says_nothing(stage: Stage, admin: Actor) -> None:
    declare(admin)
    for n in (1, 2):
        stage.share(n)
    (award,) = stage.awards()
    assert SAID not in json.dumps(stage.credential(award))
    assert "earlier_records" not in stage.client.get(f"{award['receipt']}.json").json()
    assert "earlier records" not in page(stage, award["credential"]["url"], "en")


def page(stage: Stage, address: str, language: str) -> str:
    return str(stage.client.get(address, headers={"Accept": "text/html", "Accept-Language": language}).text)


@pytest.mark.parametrize(
    ("language", "sentence"),
    [("en", "earlier records"), ("es", "registros anteriores")],
)
def test_pages_of_badge_receipt_and_network_say_so(stage: Stage, admin: Actor, language: str, sentence: str) -> None:
    award = badge(stage, admin)
    for address in (award["credential"]["url"], award["receipt"], "/networks/river"):
        assert sentence in page(stage, address, language)
    assert WHY in page(stage, "/networks/river", language)


# --- Its declaration --------------------------------------------------------------------------------------------------


def test_it_is_declared_once_and_shown(stage: Stage, admin: Actor) -> None:
    shown = declare(admin)
    assert shown == HISTORY | {"declared_at": "2026-03-02T12:00:00Z", "open_until": "2026-04-01T12:00:00Z"}
    assert admin.get("/v1/networks/river").json()["history"] == shown
    assert told(stage.runtime, "river")[-1] == "network.history-declared"
    assert declare(admin, 200) == shown
    for other in ({"until": "2025-01-01T00:00:00Z"}, {"open_days": 31}, {"reason": "Again."}):
        assert refused(admin.put(PATH, HISTORY | other)) == (409, "history-declared", None)
    assert told(stage.runtime, "river").count("network.history-declared") == 1


def test_of_several_declarations_at_once_one_is_made(stage: Stage, admin: Actor) -> None:
    with ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(lambda n: admin.put(PATH, HISTORY | {"open_days": n}), (1, 2, 3)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409]
    assert told(stage.runtime, "river").count("network.history-declared") == 1


def test_only_an_admin_declares_it(stage: Stage, admin: Actor) -> None:
    assert refused(stage.call("PUT", "./history", json=HISTORY)) == (403, "scope-missing", None)
    assert refused(admin.put("/v1/networks/nowhere/history", HISTORY)) == (404, "network-unknown", None)
    admin.post("/v1/networks/river/closure")
    assert refused(admin.put(PATH, HISTORY)) == (409, "network-closed", None)


@pytest.mark.any_database("a body is judged in the code; the rows are only looked up")
@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ({"until": "2026-03-02T12:00:01Z"}, (422, "time-in-future", "/until")),
        ({"from": "2026-01-01T00:00:00Z"}, (422, "history-empty", "")),
        ({"open_days": 91}, (422, "less-than-equal", "/open_days")),
        ({"reason": ""}, (422, "string-too-short", "/reason")),
    ],
)
def test_it_is_in_the_past_and_open_for_a_while(admin: Actor, said: Any, problem: Any) -> None:
    status, code, pointer = refused(admin.put(PATH, HISTORY | said))
    assert (status, code, pointer or "") == problem
