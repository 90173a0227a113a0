"""One address, several forms: what programs and browsers get, and what caches may keep."""

import json
from collections.abc import Mapping

import pytest
from fastapi.testclient import TestClient

from credentials import extract
from service.runtime.runtime import Runtime
from service.tables import Credential
from service.web.rendering import wanted
from tests.worlds.awarding import Stage
from tests.worlds.runtimes import BASE_URL, Clock, app_of

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"
JSON_LD, JWT = "application/vc+ld+json", "application/vc+jwt"


@pytest.fixture
def stage(runtime: Runtime) -> Stage:
    client = TestClient(app_of(runtime), base_url=BASE_URL)
    stage = Stage.set_up(client, runtime)
    stage.achievement(rule=None, award="reviewed")
    stage.member("m11", name="Quite Secret")
    return stage


@pytest.fixture
def url(stage: Stage) -> str:
    return str(stage.recorded()["credential"]["url"])


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        (None, JSON_LD),
        ("*/*", JSON_LD),
        (JSON_LD, JSON_LD),
        ("application/vc", JSON_LD),
        ("application/json", "application/json"),
        ("application/ld+json", "application/ld+json"),
        (BROWSER, "text/html"),
        ("TEXT/HTML", "text/html"),
        ("application/json;q=0.4, text/html;q=0.6", "text/html"),
        ("application/json;q=0.6, text/html;q=0.4", "application/json"),
        ("text/html;q=0, */*", JSON_LD),
        ("text/*;q=0.9, application/json;q=0.8", "text/html"),
        ("text/html;q=many, application/json", "application/json"),
        (JWT, JWT),
        ("application/jwt", "application/jwt"),
        ("image/png", "image/png"),
        ("image/*", "image/png"),
        ("image/svg+xml", "image/svg+xml"),
    ],
)
def test_a_badge_comes_in_the_form_that_is_wanted_most(
    stage: Stage, url: str, accept: str | None, media_type: str
) -> None:
    headers = {"Accept": accept} if accept else {}
    if not headers:
        del stage.client.headers["Accept"]
    answer = stage.client.get(url, headers=headers)
    assert answer.status_code == 200
    assert answer.headers["content-type"].partition(";")[0] == media_type
    assert "Accept" in answer.headers["vary"]


def test_an_ending_decides_whatever_is_accepted(stage: Stage, url: str) -> None:
    signed = stage.client.get(url + ".json", headers={"Accept": BROWSER})
    assert signed.headers["content-type"].startswith(JSON_LD)
    assert json.loads(signed.text)["id"] == url
    for ending in ("png", "svg"):
        assert extract(stage.client.get(f"{url}.{ending}", headers={"Accept": BROWSER}).content) == signed.text
    assert stage.client.get(url + ".jwt", headers={"Accept": BROWSER}).text.count(".") == 2
    assert stage.client.get(url + ".html", headers={"Accept": "*/*"}).headers["content-type"].startswith("text/html")
    assert stage.client.get(url + ".exe").status_code == 404


@pytest.mark.parametrize("accept", [BROWSER, "application/json", JWT, "image/png"])
def test_what_has_not_changed_is_not_sent_again(stage: Stage, url: str, accept: str) -> None:
    first = stage.client.get(url, headers={"Accept": accept})
    for known in (first.headers["ETag"], f'"other", W/{first.headers["ETag"]}'):
        again = stage.client.get(url, headers={"Accept": accept, "If-None-Match": known})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["ETag"] == first.headers["ETag"]
        assert "Accept" in again.headers["vary"]
    assert stage.client.get(url, headers={"Accept": accept, "If-None-Match": '"other"'}).status_code == 200


def test_the_tags_of_two_forms_differ(stage: Stage, url: str) -> None:
    tags = {stage.client.get(url, headers={"Accept": form}).headers["ETag"] for form in (BROWSER, JSON_LD, JWT)}
    assert len(tags) == 3


@pytest.mark.parametrize("accept", [BROWSER, "application/json", "image/png"])
def test_a_private_badge_looks_like_none(stage: Stage, url: str, accept: str) -> None:
    other = url[:-32] + "0" * 32
    missing = stage.client.get(other, headers={"Accept": accept})
    with stage.runtime.database.write() as session:
        session.get_one(Credential, url.rpartition("/")[2]).visibility = "private"
    private = stage.client.get(url, headers={"Accept": accept})
    assert private.status_code == missing.status_code == 404
    # The address that was asked for leads back, and each request has its own id.
    expected = missing.text.replace(other[-32:], url[-32:])
    assert private.text == expected.replace(missing.headers["Request-Id"], private.headers["Request-Id"])
    assert [stage.client.get(f"{url}.{ending}").status_code for ending in ("json", "jwt", "png", "svg", "html")] == [
        404
    ] * 5


def test_only_public_badges_are_for_search_engines(stage: Stage, url: str) -> None:
    assert stage.client.get(url, headers={"Accept": BROWSER}).headers["x-robots-tag"] == "noindex"
    with stage.runtime.database.write() as session:
        session.get_one(Credential, url.rpartition("/")[2]).visibility = "public"
    assert "x-robots-tag" not in stage.client.get(url, headers={"Accept": BROWSER}).headers


def test_networks_and_achievements_are_pages_and_documents(stage: Stage, url: str) -> None:
    achievement = stage.client.get(url + ".json").json()["credentialSubject"]["achievement"]["id"]
    for address, kind in ((f"{BASE_URL}/networks/river", "Profile"), (achievement, "Achievement")):
        for asked in (address, address + ".json"):
            assert kind in stage.client.get(asked, headers={"Accept": "application/ld+json"}).json()["type"]
        assert stage.client.get(address, headers={"Accept": BROWSER}).text.startswith("<!doctype html>")
        assert stage.client.get(address + "x", headers={"Accept": BROWSER}).status_code == 404
        assert stage.client.get(address + "x", headers={"Accept": "application/json"}).json()["status"] == 404


def test_a_program_elsewhere_may_read_every_form(stage: Stage, url: str) -> None:
    for accept in (BROWSER, "application/json", JWT):
        answer = stage.client.get(url, headers={"Accept": accept, "Origin": "https://elsewhere.example"})
        assert answer.headers["access-control-allow-origin"] == "*"
        assert "access-control-allow-credentials" not in answer.headers


@pytest.mark.parametrize("path", ["/", "/verify", "/docs", "/networks/river", "/networks/nobody"])
@pytest.mark.usefixtures("stage")
def test_pages_run_nothing_from_elsewhere(stage: Stage, path: str) -> None:
    answer = stage.client.get(path, headers={"Accept": BROWSER})
    policy = dict(part.strip().partition(" ")[::2] for part in answer.headers["content-security-policy"].split(";"))
    assert (policy["default-src"], policy["script-src"]) == ("'none'", "'self'")
    assert (policy["frame-ancestors"], policy["base-uri"]) == ("'none'", "'none'")
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_page_of_checks_has_fair_limits_and_says_so(stage: Stage) -> None:
    answers = [stage.client.post("/verify", data={"received": "{}"}) for _ in range(61)]
    assert (answers[0].status_code, answers[-1].status_code) == (200, 429)
    assert "Your connection has sent too many badges. Try again in 1 s." in answers[-1].text


def test_of_equal_weights_the_first_offered_is_given() -> None:
    assert wanted("b/b, a/a", ["a/a", "b/b"]) == "a/a"
    assert wanted("c/c", ["a/a", "b/b"]) == "a/a"
    assert wanted("a/*;q=0.1, b/b;q=0.05", ["b/b", "a/a"]) == "a/a"


def _without(headers: Mapping[str, str], *names: str) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name not in names}


@pytest.mark.parametrize("path", ["", ".json", ".png"])
def test_a_link_checker_that_asks_for_the_head_gets_what_get_would_say(stage: Stage, url: str, path: str) -> None:
    head, whole = stage.client.head(url + path), stage.client.get(url + path)
    assert head.status_code == whole.status_code == 200
    assert _without(head.headers, "date", "request-id") == _without(whole.headers, "request-id")


def test_what_a_page_of_checks_refused_it_takes_a_little_later(stage: Stage, runtime: Runtime) -> None:
    for _ in range(61):
        refused = stage.client.post("/verify", data={"received": "{}"})
    assert isinstance(runtime.now, Clock)
    runtime.now.advance(seconds=1)
    assert (refused.status_code, stage.client.post("/verify", data={"received": "{}"}).status_code) == (429, 200)


def test_the_head_of_nothing_is_404(stage: Stage) -> None:
    assert stage.client.head("/credentials/00000000000000000000000000000000").status_code == 404
