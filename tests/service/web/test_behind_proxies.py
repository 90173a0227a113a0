"""Who is taken for the caller, and that no answer says what a request claims about its own address."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from service.runtime.runtime import Runtime
from service.runtime.settings import load
from service.web.behind_proxies import caller
from tests.worlds.awarding import Stage
from tests.worlds.runtimes import BASE_URL, app_of

pytestmark = pytest.mark.any_database("it is decided before anything is read")

TRUSTED = load(trusted_proxies="127.0.0.1, 10.1.0.0/16 fd00::/64,fe80::/10", _env_file=None).trusted_proxies
EVIL = "evil.example"
CLAIMS = {
    "Host": EVIL,
    "X-Forwarded-For": EVIL,
    "X-Forwarded-Host": EVIL,
    "X-Forwarded-Proto": "gopher",
    "X-Forwarded-Server": EVIL,
    "X-Original-Host": EVIL,
    "Forwarded": f"for={EVIL};host={EVIL};proto=gopher",
}


@pytest.fixture
def stage(client: TestClient, runtime: Runtime) -> Stage:
    return Stage.set_up(client, runtime)


def paths(app: Any) -> Iterator[tuple[str, str]]:
    """Yield method and path of every route."""
    for included in app.routes:
        for route in getattr(getattr(included, "original_router", None), "routes", [included]):
            for method in sorted(route.methods or {"GET"} if hasattr(route, "methods") else {"GET"}):
                yield method, route.path


def test_a_stranger_does_not_choose_their_address() -> None:
    assert caller("203.0.113.9", ["192.0.2.1"], TRUSTED) == "203.0.113.9"


def test_nobody_is_trusted_unless_the_settings_say_so() -> None:
    assert caller("127.0.0.1", ["192.0.2.1"], load(_env_file=None).trusted_proxies) == "127.0.0.1"


@pytest.mark.parametrize(
    ("peer", "claims", "expected"),
    [
        ("127.0.0.1", ["192.0.2.1"], "192.0.2.1"),
        ("127.0.0.1", ["198.51.100.7, 192.0.2.1"], "192.0.2.1"),
        ("127.0.0.1", ["198.51.100.7", "192.0.2.1"], "192.0.2.1"),
        ("127.0.0.1", ["198.51.100.7, 192.0.2.1,10.1.2.3 , 10.1.0.1"], "192.0.2.1"),
        ("127.0.0.1", ["10.1.2.3, 10.1.0.1"], "10.1.2.3"),
        ("127.0.0.1", ["192.0.2.1:54321"], "192.0.2.1"),
        ("127.0.0.1", ["[2001:db8::1]:443"], "2001:db8::1"),
        ("127.0.0.1", ["[2001:db8::1]"], "2001:db8::1"),
        ("127.0.0.1", ["2001:db8::1"], "2001:db8::1"),
        ("127.0.0.1", ["::ffff:192.0.2.1"], "192.0.2.1"),
        ("::ffff:127.0.0.1", ["192.0.2.1"], "192.0.2.1"),
        ("fe80::1%eth0", ["192.0.2.1"], "192.0.2.1"),
        ("fd00::5", ["fd00::6, 192.0.2.1, fd00::7"], "192.0.2.1"),
        ("fd00:0:0:1::5", ["192.0.2.1"], "fd00:0:0:1::5"),
    ],
)
def test_a_trusted_proxy_says_who_calls(peer: str, claims: list[str], expected: str) -> None:
    assert caller(peer, claims, TRUSTED) == expected


@pytest.mark.parametrize(
    "garbage",
    [
        "",
        " ",
        "unknown",
        "_hidden",
        "192.0.2.1:1:2",
        "[",
        "]",
        "[]:1",
        "256.1.1.1",
        "192.0.2.01",
        "\xff",
        "for=192.0.2.1",
    ],
)
def test_what_is_no_address_is_counted_as_the_proxy_that_said_it(garbage: str) -> None:
    assert caller("127.0.0.1", ["192.0.2.1", garbage], TRUSTED) == "127.0.0.1"
    assert caller("127.0.0.1", [garbage, "192.0.2.1"], TRUSTED) == "192.0.2.1"


def test_a_long_claim_is_only_read_from_its_end() -> None:
    assert caller("127.0.0.1", ["1" * 60_000 + "," * 60_000 + "192.0.2.1"], TRUSTED) == "192.0.2.1"
    assert caller("127.0.0.1", ["192.0.2.1" + "," * 60_000 + "1" * 60_000], TRUSTED) == "127.0.0.1"


@pytest.mark.parametrize("peer", ["", "testclient", "64:ff9b::7f00:1", "2002:7f00:1::1"])
def test_who_only_looks_like_a_trusted_proxy_is_none(peer: str) -> None:
    assert caller(peer, ["192.0.2.1"], TRUSTED) == peer


def test_the_fair_limits_count_whom_a_trusted_proxy_names(runtime: Runtime) -> None:
    runtime = Runtime(
        runtime.settings.model_copy(update={"trusted_proxies": TRUSTED}),
        runtime.database,
        runtime.custody,
        runtime.fetcher,
        now=runtime.now,
    )
    with TestClient(app_of(runtime), base_url=BASE_URL, client=("127.0.0.1", 1)) as speaking:
        desk = speaking.app.state.desk  # type: ignore[attr-defined]
        for _ in range(int(desk.fair_use.burst)):
            desk.fair_use.take("192.0.2.1", desk.steady())

        def status(claims: str) -> int:
            said = {"url": "https://badges.invalid/x"}
            return speaking.post("/v1/verifications", json=said, headers={"X-Forwarded-For": claims}).status_code

        assert status("192.0.2.1") == 429
        assert status("198.51.100.1, 192.0.2.1") == 429
        assert status("192.0.2.2") != 429


@pytest.mark.parametrize(("peer", "warnings"), [("127.0.0.1", 1), ("10.9.0.1", 1), ("8.8.8.8", 0), ("testclient", 0)])
def test_the_operator_is_told_once_of_a_proxy_that_the_settings_do_not_name(
    runtime: Runtime, caplog: pytest.LogCaptureFixture, peer: str, warnings: int
) -> None:
    with TestClient(app_of(runtime), base_url=BASE_URL, client=(peer, 1)) as speaking:
        for _ in range(3):
            speaking.get("/health")
            speaking.get("/health", headers={"X-Forwarded-For": "192.0.2.1"})
    told = [record.getMessage() for record in caplog.records if "LAUREL_TRUSTED_PROXIES" in record.getMessage()]
    assert len(told) == warnings
    assert "192.0.2.1" not in caplog.text


def test_no_answer_repeats_the_host_that_a_request_claims(stage: Stage) -> None:
    stage.member()
    stage.achievement()
    stage.share(1)
    stage.share(2)
    badge = stage.send("GET", "./credentials")["items"][0]
    known = {"slug": stage.slug, "credential_id": badge["id"], "name": badge["id"], "ref": "m11", "form": "png"}
    asked = set()
    for method, path in paths(stage.client.app):
        filled = re.sub(r"{(\w+)(?::\w+)?}", lambda found: known.get(found[1], "1"), path)
        asked |= {
            (method, filled),
            (method, f"{filled}/"),
            (method, filled.rstrip("/") or "/"),
            (method, f"{filled}//"),
        }
    assert len(asked) > 250
    for accept in ("text/html", "application/json"):
        for method, path in sorted(asked):
            headers = CLAIMS | {"Accept": accept}
            answer = stage.call(method, path, headers=headers, follow_redirects=False)
            told = f"{answer.headers}\n{answer.text}"
            assert EVIL not in told, f"{method} {path}: {told}"
            assert "gopher" not in told


def test_the_redirect_of_a_trailing_slash_leads_to_the_base_url(stage: Stage) -> None:
    answer = stage.client.get("/verify/", headers=CLAIMS, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (307, f"{BASE_URL}/verify")
