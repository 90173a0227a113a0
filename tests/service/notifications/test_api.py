"""Webhooks: who may have events sent where, with which secret, and that other networks know nothing of it."""

import re
from dataclasses import replace
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from service.access.callers import default_scopes
from service.notifications import webhooks
from service.runtime import name_lookups
from service.runtime.fetching import Fetcher
from service.runtime.runtime import Runtime
from service.tables import Delivery, Idempotency, Row, Webhook
from tests.worlds.acting import Actor, actor, all_pages, refused
from tests.worlds.awarding import Stage
from tests.worlds.runtimes import BASE_URL, app_of

pytestmark = pytest.mark.any_database(
    "which webhook is allowed is decided before any row; that each event is sent once, test_deliveries asks of both"
)

HOOK = {"url": "https://river.example.org/hook"}
NOBODY = "00000000-0000-7000-8000-000000000000"


def resolving(runtime: Runtime, *addresses: str, local: bool = False) -> Runtime:
    """Return the service as it would be if every host name led to these addresses."""
    return replace(runtime, fetcher=Fetcher(allow_localhost=local, resolve=lambda _host, _port: addresses))


@pytest.fixture
def stage(runtime: Runtime) -> Stage:
    """The app without what goes on beside it; every host is at a public address, and nobody is called."""
    public = resolving(runtime, "93.184.216.34")
    return Stage.set_up(TestClient(app_of(public), base_url=BASE_URL), public)


def types(stage: Stage) -> list[str]:
    return [event["type"] for event in stage.send("GET", "./events")["items"]]


def test_a_webhook_is_made_with_a_secret_that_is_shown_once(stage: Stage) -> None:
    made = stage.send("POST", "./webhooks", HOOK | {"types": ["award.made"], "description": "our site"})
    secret = made.pop("secret")
    assert re.fullmatch(r"whsec_[A-Za-z0-9+/]{43}=", secret)
    assert made == {
        "id": made["id"],
        "url": HOOK["url"],
        "types": ["award.made"],
        "description": "our site",
        "state": "active",
        "position": 1,
        "attempts": 0,
        "due_at": "2026-03-02T12:00:00Z",
        "created_at": "2026-03-02T12:00:00Z",
    }
    assert stage.send("GET", f"./webhooks/{made['id']}") == made
    assert stage.send("GET", "./webhooks") == {"items": [made]}
    assert types(stage) == ["network.created", "webhook.created"]


def test_the_secret_stands_in_no_row(stage: Stage) -> None:
    made = stage.send("POST", "./webhooks", HOOK, headers={"Idempotency-Key": "k"})
    secret = made["secret"].removeprefix("whsec_")
    with stage.runtime.database.read() as session:
        for table in Row.metadata.sorted_tables:
            assert secret not in repr(session.execute(table.select()).all())
        row = session.scalars(select(Webhook)).one()
        assert [len(key) for key in webhooks.secrets_of(stage.runtime, row, stage.runtime.now())] == [32]


def test_a_retry_makes_no_second_webhook_and_does_not_show_the_secret(stage: Stage) -> None:
    headers = {"Idempotency-Key": "k"}
    first = stage.send("POST", "./webhooks", HOOK, headers=headers)
    secret = first.pop("secret")
    again = stage.call("POST", "./webhooks", json=HOOK, headers=headers)
    assert (again.status_code, again.json()) == (201, first)
    with stage.runtime.database.read() as session:
        assert secret not in (session.scalars(select(Idempotency.answer)).one() or "")


def test_an_address_has_one_webhook(stage: Stage) -> None:
    first = stage.send("POST", "./webhooks", HOOK)
    answer = stage.call("POST", "./webhooks", json=HOOK)
    assert refused(answer) == (409, "webhook-exists", "/url")
    assert answer.json()["id"] == first["id"]
    other = stage.send("POST", "./webhooks", {"url": "https://river.example.org/other"})
    answer = stage.call("PATCH", f"./webhooks/{other['id']}", json=HOOK)
    assert refused(answer) == (409, "webhook-exists", "/url")


def test_a_network_has_so_many_webhooks_and_no_more(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhooks, "MAX_WEBHOOKS", 2)
    for n in (1, 2):
        stage.send("POST", "./webhooks", {"url": f"https://river.example.org/{n}"})
    answer = stage.call("POST", "./webhooks", json=HOOK)
    assert refused(answer) == (409, "webhooks-too-many", None)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, ("missing", "/url")),
        ({"url": "ftp://river.example.org"}, ("url-invalid", "/url")),
        ({"url": "http://river.example.org/hook"}, ("address-refused", "/url")),
        ({"url": "https://user@river.example.org/hook"}, ("url-invalid", "/url")),
        (HOOK | {"types": []}, ("too-short", "/types")),
        (HOOK | {"types": ["award.maid"]}, ("event-type-unknown", "/types/0")),
        (HOOK | {"after": -1}, ("greater-than-equal", "/after")),
        (HOOK | {"after": 2}, ("position-unknown", "/after")),
        (HOOK | {"secret": "whsec_AAAA"}, ("extra-forbidden", "/secret")),
    ],
)
def test_a_webhook_that_makes_no_sense_is_refused(stage: Stage, body: Any, expected: tuple[str, str]) -> None:
    assert refused(stage.call("POST", "./webhooks", json=body)) == (422, *expected)
    assert stage.send("GET", "./webhooks") == {"items": []}


@pytest.mark.parametrize("address", ["10.0.0.1", "127.0.0.1", "169.254.169.254", "::ffff:192.168.0.1", "fd00::1"])
def test_a_name_that_leads_inside_is_refused(runtime: Runtime, address: str) -> None:
    inside = resolving(runtime, address)
    stage = Stage.set_up(TestClient(app_of(inside), base_url=BASE_URL), inside)
    assert refused(stage.call("POST", "./webhooks", json=HOOK)) == (422, "address-refused", "/url")


def test_a_name_that_nobody_knows_is_refused(runtime: Runtime) -> None:
    def unknown(_host: str, _port: int) -> list[str]:
        raise OSError

    lost = replace(runtime, fetcher=Fetcher(allow_localhost=False, resolve=unknown))
    stage = Stage.set_up(TestClient(app_of(lost), base_url=BASE_URL), lost)
    assert refused(stage.call("POST", "./webhooks", json=HOOK)) == (422, "address-unknown", "/url")


def test_a_name_that_cannot_be_looked_up_now_is_not_called_unknown(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(name_lookups, "AT_ONCE", 0)
    busy = resolving(runtime, "93.184.216.34")
    stage = Stage.set_up(TestClient(app_of(busy), base_url=BASE_URL), busy)
    assert refused(stage.call("POST", "./webhooks", json=HOOK)) == (502, "fetch-busy", None)


def test_a_change_of_address_is_checked_as_a_new_one_is(stage: Stage) -> None:
    made = stage.send("POST", "./webhooks", HOOK)
    answer = stage.call("PATCH", f"./webhooks/{made['id']}", json={"url": "http://river.example.org/"})
    assert refused(answer) == (422, "address-refused", "/url")


def test_a_webhook_is_changed_disabled_and_made_active_again(stage: Stage) -> None:
    made = stage.send("POST", "./webhooks", HOOK | {"types": ["award.made"], "description": "x"})
    path = f"./webhooks/{made['id']}"
    changed = stage.send("PATCH", path, {"types": None, "description": None, "url": "https://river.example.org/new"})
    assert changed == {
        name: value for name, value in made.items() if name not in {"types", "description", "secret"}
    } | {"url": "https://river.example.org/new"}
    assert stage.send("PATCH", path, {}) == changed
    off = stage.send("PATCH", path, {"state": "disabled"})
    assert off == changed | {"state": "disabled", "disabled_for": "asked", "disabled_at": "2026-03-02T12:00:00Z"}
    assert stage.send("GET", "./webhooks", params={"state": "active"}) == {"items": []}
    for action, body in (("replay", {"after": 0}), (f"deliveries/{NOBODY}/redelivery", None)):
        answer = stage.call("POST", f"{path}/{action}", json=body)
        assert refused(answer)[:2] == (409, "webhook-disabled")
    assert stage.send("PATCH", path, {"state": "active"}) == changed
    assert types(stage)[1:] == ["webhook.created", "webhook.changed", "webhook.disabled", "webhook.changed"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"state": None}, "literal-error"),
        ({"state": "off"}, "literal-error"),
        ({"url": None}, "string-type"),
        ({"types": ["x"]}, "event-type-unknown"),
        ({"position": 0}, "extra-forbidden"),
    ],
)
def test_a_change_that_makes_no_sense_is_refused(stage: Stage, body: Any, code: str) -> None:
    made = stage.send("POST", "./webhooks", HOOK)
    answer = stage.call("PATCH", f"./webhooks/{made['id']}", json=body)
    assert refused(answer)[:2] == (422, code)


def test_a_webhook_is_deleted_for_good_also_when_the_network_is_closed(stage: Stage) -> None:
    made = stage.send("POST", "./webhooks", HOOK)
    event = stage.send("GET", "./events")["items"][0]["id"]
    stage.send("POST", f"./webhooks/{made['id']}/deliveries/{event}/redelivery")
    stage.send("POST", "./closure", token=actor(stage.runtime, stage.client).token)
    assert refused(stage.call("POST", "./webhooks", json=HOOK))[:2] == (409, "network-closed")
    gone = stage.call("DELETE", f"./webhooks/{made['id']}", headers={"Idempotency-Key": "k"})
    assert (gone.status_code, gone.content) == (204, b"")
    again = stage.call("DELETE", f"./webhooks/{made['id']}", headers={"Idempotency-Key": "k"})
    assert (again.status_code, again.content) == (204, b"")
    assert refused(stage.call("DELETE", f"./webhooks/{made['id']}")) == (404, "webhook-unknown", None)
    with stage.runtime.database.read() as session:
        assert session.scalars(select(Delivery)).all() == []
    assert types(stage)[-1] == "webhook.deleted"


def test_webhooks_are_listed_in_pages(stage: Stage) -> None:
    made = [stage.send("POST", "./webhooks", {"url": f"https://river.example.org/{n}"})["id"] for n in range(3)]
    listed = all_pages(Actor(stage.client, stage.token), f"/v1/networks/{stage.slug}/webhooks")
    assert [row["id"] for row in listed] == made


ROUTES = [
    ("POST", "./webhooks", HOOK),
    ("GET", "./webhooks", None),
    ("GET", "./webhooks/{id}", None),
    ("PATCH", "./webhooks/{id}", {"state": "disabled"}),
    ("DELETE", "./webhooks/{id}", None),
    ("POST", "./webhooks/{id}/secret", {}),
    ("POST", "./webhooks/{id}/ping", None),
    ("POST", "./webhooks/{id}/replay", {"after": 0}),
    ("GET", "./webhooks/{id}/deliveries", None),
    ("POST", "./webhooks/{id}/deliveries/{event}/redelivery", None),
]


@pytest.mark.parametrize(("method", "path", "body"), ROUTES)
def test_only_who_may_send_and_read_handles_webhooks(stage: Stage, method: str, path: str, body: Any) -> None:
    made = stage.send("POST", "./webhooks", HOOK)
    event = stage.send("GET", "./events")["items"][0]["id"]
    path = path.format(id=made["id"], event=event)
    others = [scope for scope in default_scopes(bound=False) if scope != "webhooks:write"]
    for scopes in (["evidence:write"], ["read"], ["webhooks:write"], others):
        answer = stage.call(method, path, token=stage.token_with(*scopes), json=body)
        assert refused(answer)[:2] == (403, "scope-missing"), scopes
        assert HOOK["url"] not in answer.text


@pytest.mark.parametrize(("method", "path", "body"), ROUTES)
def test_another_networks_webhook_looks_like_one_that_does_not_exist(
    stage: Stage, method: str, path: str, body: Any
) -> None:
    made = stage.send("POST", "./webhooks", HOOK)
    event = stage.send("GET", "./events")["items"][0]["id"]
    other = Stage.set_up(stage.client, stage.runtime, "hill")
    path = path.format(id=made["id"], event=event)
    inside = stage.call(method, path, token=other.token, json=body)
    assert refused(inside)[:2] == (404, "network-unknown")
    if made["id"] in path:
        theirs, nobodys = (
            refused(other.call(method, each, json=body)) for each in (path, path.replace(made["id"], NOBODY))
        )
        assert theirs == nobodys == (404, "webhook-unknown", None)
    assert stage.send("GET", f"./webhooks/{made['id']}")["state"] == "active"


def test_another_networks_event_is_not_sent(stage: Stage) -> None:
    made = stage.send("POST", "./webhooks", HOOK)
    other = Stage.set_up(stage.client, stage.runtime, "hill")
    event = other.send("GET", "./events")["items"][0]["id"]
    answer = stage.call("POST", f"./webhooks/{made['id']}/deliveries/{event}/redelivery")
    assert refused(answer) == (404, "event-unknown", None)


def test_a_new_secret_takes_the_place_of_the_old_one_in_time(stage: Stage, clock: Any) -> None:
    made = stage.send("POST", "./webhooks", HOOK)
    new = stage.send("POST", f"./webhooks/{made['id']}/secret", {"overlap_seconds": 60})
    assert new.pop("secret") != made["secret"]
    assert new["earlier_secret_until"] == "2026-03-02T12:01:00Z"

    def signing() -> int:
        with stage.runtime.database.read() as session:
            return len(webhooks.secrets_of(stage.runtime, session.query(Webhook).one(), clock.at))

    assert signing() == 2
    clock.advance(seconds=60)
    assert signing() == 1
    answer = stage.call("POST", f"./webhooks/{made['id']}/secret", json={"overlap_seconds": 8 * 86_400})
    assert refused(answer) == (422, "less-than-equal", "/overlap_seconds")


def test_a_replay_begins_at_a_position_that_there_is(stage: Stage) -> None:
    made = stage.send("POST", "./webhooks", HOOK)
    assert stage.send("POST", f"./webhooks/{made['id']}/replay", {"after": 0})["position"] == 0
    answer = stage.call("POST", f"./webhooks/{made['id']}/replay", json={"after": 3})
    assert refused(answer) == (422, "position-unknown", "/after")
