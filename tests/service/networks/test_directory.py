"""The public list of networks: who is in it, how it is searched, and who can take a network out of it."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from service.networks import listing_labels
from service.runtime.runtime import Runtime
from tests.worlds import formal
from tests.worlds.acting import actor, all_pages, told
from tests.worlds.awarding import Stage
from tests.worlds.runtimes import BASE_URL, app_of

FOUND: dict[str, Any] = {"listed": True, "interests": ["Writing"], "languages": ["en"], "joining": "form"}


@pytest.fixture
def stage(runtime: Runtime) -> Stage:
    return Stage.set_up(TestClient(app_of(runtime), base_url=BASE_URL), runtime)


def another(stage: Stage, slug: str, **network: Any) -> Stage:
    return Stage.set_up(stage.client, stage.runtime, slug, **network)


def listed(stage: Stage, **said: Any) -> Any:
    return stage.send("PUT", "./listing", FOUND | said)


def found(stage: Stage, **query: Any) -> list[str]:
    answer = stage.client.get("/v1/directory", params=query)
    assert answer.status_code == 200, answer.text
    return [each["slug"] for each in answer.json()["items"]]


def page(stage: Stage, path: str, status: int = 200) -> str:
    answer = stage.client.get(path, headers={"Accept": "text/html"})
    assert answer.status_code == status, answer.text
    return answer.text


def refusal(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


# --- Who is in the list ---


def test_a_network_that_chose_nothing_is_not_listed(stage: Stage) -> None:
    assert found(stage) == []
    seen = stage.send("GET", "./listing")
    assert (seen["listed"], seen["shown"], seen["hidden_because"], seen["joining"]) == (
        False,
        False,
        "not-listed",
        "closed",
    )
    assert refusal(stage.client.get("/v1/directory/river")) == (404, "network-unknown")


def test_a_network_that_wants_to_be_found_is_listed_with_what_it_says_of_itself(stage: Stage) -> None:
    listed(stage, languages=[])
    entry = stage.client.get("/v1/directory/river").json()
    assert entry == {
        "slug": "river",
        "name": "River Writers",
        "kind": "informal",
        "interests": ["Writing"],
        "languages": ["en"],
        "url": "https://river.example.org",
        "page_url": "http://localhost:8000/networks/river",
        "confirmed": True,
        "joining": {"by": "form", "url": "http://localhost:8000/networks/river/join"},
    }
    assert stage.client.get("/v1/directory").json()["items"] == [entry]


def test_the_list_names_no_member(stage: Stage) -> None:
    stage.member("m11", name="Member 11", email="m11@river.example.org", roles=["facilitator"])
    listed(stage)
    for text in (stage.client.get("/v1/directory").text, page(stage, "/networks"), page(stage, "/networks/river")):
        assert "Member 11" not in text
        assert "m11" not in text


def test_a_network_leaves_the_list_when_it_wants_to(stage: Stage) -> None:
    listed(stage)
    assert found(stage) == ["river"]
    stage.send("PUT", "./listing", {})
    assert found(stage) == []


def test_a_practice_network_is_never_listed(stage: Stage) -> None:
    practice = another(stage, "practice", sandbox=True)
    answer = practice.call("PUT", "./listing", json=FOUND)
    assert refusal(answer) == (409, "sandbox-not-listed")
    assert practice.send("GET", "./listing")["hidden_because"] == "sandbox"


def test_a_draft_is_listed_once_it_is_active(stage: Stage) -> None:
    draft = another(stage, "hill", kind="formal", name="Hill Readers")
    assert listed(draft)["hidden_because"] == "draft"
    assert found(stage) == []
    formal.complete(draft)
    draft.send("POST", "./activation")
    assert found(stage) == ["hill"]


def test_a_closed_network_is_not_listed(stage: Stage) -> None:
    listed(stage)
    actor(stage.runtime, stage.client).post("/v1/networks/river/closure")
    assert found(stage) == []
    assert refusal(stage.call("PUT", "./listing", json=FOUND)) == (409, "network-closed")


def test_the_operator_takes_a_network_out_and_lets_it_in_again(stage: Stage) -> None:
    listed(stage)
    admin = actor(stage.runtime, stage.client)
    taken = admin.put("/v1/networks/river/listing/removal", {"reason": "It sells something."})
    assert taken.status_code == 200
    assert found(stage) == []
    seen = listed(stage, interests=["Reading"])
    assert (seen["hidden_because"], seen["removed_for"]) == ("removed", "It sells something.")
    assert refusal(stage.client.get("/v1/directory/river")) == (404, "network-unknown")
    assert admin.delete("/v1/networks/river/listing/removal").json()["shown"]
    assert found(stage) == ["river"]
    kinds = [kind for kind in told(stage.runtime, "river") if kind == "network.listing-changed"]
    assert len(kinds) == 4


def test_a_network_that_never_chose_cannot_be_taken_out(stage: Stage) -> None:
    answer = actor(stage.runtime, stage.client).put("/v1/networks/river/listing/removal", {"reason": "No."})
    assert refusal(answer) == (409, "listing-missing")
    assert not actor(stage.runtime, stage.client).delete("/v1/networks/river/listing/removal").json()["listed"]


def test_only_the_operator_takes_a_network_out(stage: Stage) -> None:
    listed(stage)
    assert refusal(stage.call("PUT", "./listing/removal", json={"reason": "No."})) == (403, "scope-missing")
    assert refusal(stage.call("DELETE", "./listing/removal")) == (403, "scope-missing")


def test_another_network_neither_sees_nor_changes_the_listing(stage: Stage) -> None:
    another(stage, "hill")
    hill = actor(stage.runtime, stage.client, slug="hill")
    assert refusal(hill.get("/v1/networks/river/listing")) == (404, "network-unknown")
    assert refusal(hill.put("/v1/networks/river/listing", FOUND)) == (404, "network-unknown")
    reader = stage.token_with("read", "members:write")
    assert refusal(stage.call("PUT", "./listing", reader, json=FOUND)) == (403, "scope-missing")


def test_the_same_again_changes_nothing_and_who_saw_an_older_one_is_told(stage: Stage) -> None:
    first = stage.call("PUT", "./listing", json=FOUND)
    assert stage.call("PUT", "./listing", json=FOUND).headers["ETag"] == first.headers["ETag"]
    assert told(stage.runtime, "river").count("network.listing-changed") == 1
    listed(stage, joining="website")
    late = stage.call("PUT", "./listing", json=FOUND, headers={"If-Match": first.headers["ETag"]})
    assert refusal(late) == (412, "precondition-failed")


@pytest.mark.parametrize(
    ("said", "code", "pointer"),
    [
        ({"joining": "email"}, "joining-without-email", "/joining"),
        ({"joining": "phone"}, "literal-error", "/joining"),
        ({"interests": ["Writing", "#writing"]}, "repeated", "/interests"),
        ({"interests": [" "]}, "interest-empty", "/interests/0"),
        ({"interests": ["x" * 61]}, "string-too-long", "/interests/0"),
        ({"interests": [str(n) for n in range(13)]}, "too-long", "/interests"),
        ({"languages": ["english"]}, "string-too-long", "/languages/0"),
        ({"languages": ["en", "en"]}, "repeated", "/languages"),
    ],
)
def test_what_cannot_be_shown_is_refused(stage: Stage, said: Any, code: str, pointer: str) -> None:
    answer = stage.call("PUT", "./listing", json=FOUND | said)
    assert (*refusal(answer), answer.json()["pointer"]) == (422, code, pointer)


# --- Searching ---


@pytest.fixture
def three(stage: Stage) -> Stage:
    """Three networks of different names, kinds, interests and languages."""
    listed(stage)
    hill = another(stage, "hill", name="Lectores de la Colina")
    listed(hill, interests=["Lectura crítica", "writing"], languages=["es", "en"], joining="website")
    lake = another(stage, "lake", kind="formal", name="Lake Readers")
    listed(lake, interests=["STEM"], languages=["fr"], joining="closed")
    formal.complete(lake)
    lake.send("POST", "./activation")
    return stage


@pytest.mark.parametrize(
    ("query", "slugs"),
    [
        ({}, ["lake", "hill", "river"]),
        ({"interest": "WRITING"}, ["hill", "river"]),
        ({"interest": "#stem"}, ["lake"]),
        ({"interest": "lectura critica"}, ["hill"]),
        ({"interest": "writ"}, []),
        ({"language": "en"}, ["hill", "river"]),
        ({"language": "xx"}, []),
        ({"kind": "formal"}, ["lake"]),
        ({"words": "read"}, ["lake"]),
        ({"words": "COLINA lectores"}, ["hill"]),
        ({"words": "river lake"}, []),
        ({"words": "%"}, []),
        ({"words": "_"}, []),
        ({"words": "riv", "language": "en", "interest": "writing", "kind": "informal"}, ["river"]),
    ],
)
def test_networks_are_found_by_name_interest_language_and_kind(three: Stage, query: Any, slugs: list[str]) -> None:
    assert found(three, **query) == slugs


def test_a_new_name_is_found_and_the_old_one_is_not(stage: Stage) -> None:
    listed(stage, languages=[])
    actor(stage.runtime, stage.client).patch("/v1/networks/river", {"name": "Ocean Circle", "language": "es"})
    assert found(stage, words="ocean") == ["river"]
    assert found(stage, words="river") == []
    assert found(stage, language="es") == ["river"]


def test_the_list_comes_page_by_page(three: Stage) -> None:
    got = all_pages(actor(three.runtime, three.client), "/v1/directory")
    assert [each["slug"] for each in got] == ["lake", "hill", "river"]


def test_who_asks_without_end_is_told_to_wait(stage: Stage) -> None:
    statuses = [stage.client.get("/v1/directory").status_code for _ in range(130)]
    assert statuses[0] == 200
    assert statuses[-1] == 429


@pytest.mark.parametrize("text", ["Crítica  ", "CRITICA", "cri\u0301tica"])
def test_capitals_accents_and_spaces_make_no_difference(text: str) -> None:
    assert listing_labels.folded(text) == "critica"


# --- The page ---


def test_the_page_shows_what_is_listed_and_how_to_join(three: Stage) -> None:
    text = page(three, "/networks")
    for each in ("River Writers", "Lectores de la Colina", "Lake Readers", "Takes no requests to join", "French"):
        assert each in text
    assert "Lake Readers" not in page(three, "/networks?words=river")
    assert "No network in the list fits." in page(three, "/networks?interest=cooking")


def test_search_engines_list_only_the_first_page_of_all(three: Stage) -> None:
    headers = {"Accept": "text/html"}
    assert "X-Robots-Tag" not in three.client.get("/networks", headers=headers).headers
    assert three.client.get("/networks?kind=formal", headers=headers).headers["X-Robots-Tag"] == "noindex"
    assert three.client.get("/networks", headers=headers).headers["Cache-Control"] == "public, max-age=300"


def test_the_page_of_many_networks_leads_on(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.sharing.pages_directory.ON_A_PAGE", 1)
    listed(stage)
    listed(another(stage, "hill", name="Hill Readers"))
    text = page(stage, "/networks?language=en")
    assert "Hill Readers" in text
    assert "River Writers" not in text
    onward = text.split('rel="next"')[0].rsplit('href="', 1)[1].split('"')[0].replace("&amp;", "&")
    assert "River Writers" in page(stage, onward)


@pytest.mark.parametrize(
    ("joining", "shown"),
    [
        ("form", 'href="/networks/river/join"'),
        ("website", "Ask on its website"),
        ("email", 'href="mailto:hello@river.example.org"'),
        ("closed", "This network takes no requests to join."),
    ],
)
def test_the_page_of_a_network_says_how_to_join(stage: Stage, joining: str, shown: str) -> None:
    admin = actor(stage.runtime, stage.client)
    admin.patch("/v1/networks/river", {"email": "hello@river.example.org"})
    assert "Join this network" not in page(stage, "/networks/river")
    listed(stage, joining=joining)
    text = page(stage, "/networks/river")
    assert "Join this network" in text
    assert shown in text


def test_who_asks_by_an_address_that_is_gone_is_led_to_the_website(stage: Stage) -> None:
    admin = actor(stage.runtime, stage.client)
    admin.patch("/v1/networks/river", {"email": "hello@river.example.org"})
    listed(stage, joining="email")
    admin.patch("/v1/networks/river", {"email": None})
    assert stage.client.get("/v1/directory/river").json()["joining"] == {
        "by": "website",
        "url": "https://river.example.org",
    }
