"""The frame of every request: what is read, who may ask, and what a refusal looks like."""

import asyncio
import errno
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import event, select, update

from credentials import parse_json
from service.runtime.runtime import Runtime
from service.storage.database import WriteSession
from service.tables import Meeting, Network, Token
from service.web import requests
from tests.worlds.acting import HILL, RIVER, Actor, actor, refused
from tests.worlds.posting import alone
from tests.worlds.runtimes import BASE_URL, app_of

pytestmark = pytest.mark.any_database("what is read and refused is decided before any row")

SESSION = "/v1/networks/river-writers/sessions/s1"
EVENING = {"starts_at": "2026-03-01T17:00:00Z"}


@pytest.fixture
def river(runtime: Runtime, client: TestClient) -> Actor:
    return alone(runtime, client)


@pytest.fixture
def unraised(runtime: Runtime) -> Iterator[TestClient]:
    """Speak HTTP as others do: what fails inside is a 500 and not raised here."""
    with TestClient(app_of(runtime), base_url=BASE_URL, raise_server_exceptions=False) as speaking:
        yield speaking


def put_text(who: Actor, text: str | bytes, content_type: str = "application/json") -> Any:
    return who.ask("PUT", SESSION, content=text, headers={"Content-Type": content_type})


@pytest.mark.parametrize(
    ("text", "code", "pointer"),
    [
        ("{", "json-syntax", None),
        ('{"starts_at": "2026-03-01T17:00:00Z",}', "json-syntax", None),
        ('{"starts_at": "2026-03-01T17:00:00Z", "starts_at": "2026-03-02T17:00:00Z"}', "json-duplicate-key", None),
        ('{"title": {"a": [{"b": 1, "b": 1}]}}', "json-duplicate-key", "/title/a/0"),
        ('{"attendance_count": NaN}', "json-number", None),
        ('{"attendance_count": -Infinity}', "json-number", None),
        ('{"attendance_count": 1e999}', "json-number", None),
        (r'{"title": "\ud800"}', "json-lone-surrogate", "/title"),
        (b'{"title": "\xff"}', "json-not-utf8", None),
        ('{"title": ' + "[" * 100 + "]" * 100 + "}", "json-too-deep", None),
        ("[" * 10_000 + "]" * 10_000, "json-too-deep", None),
        ("[" + "1," * 20_000 + "1]", "json-too-large", None),
    ],
)
def test_json_that_can_be_read_in_two_ways_or_not_at_all_is_refused(
    river: Actor, text: str | bytes, code: str, pointer: str | None
) -> None:
    answer = put_text(river, text)
    assert refused(answer)[:2] == (400, code)
    if pointer is not None:
        assert answer.json()["pointer"] == pointer
    assert refused(river.get(SESSION))[0] == 404


@pytest.mark.parametrize("text", ["", "[]", "7", '"text"', "null"])
def test_a_body_is_an_object(river: Actor, text: str) -> None:
    assert refused(put_text(river, text))[:2] == (422, "model-attributes-type" if text else "missing")


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "", "image/png", "application/jsonx"]
)
def test_json_under_another_name_is_refused_with_the_name_to_use(river: Actor, content_type: str) -> None:
    answer = put_text(river, json.dumps(EVENING), content_type)
    assert refused(answer)[:2] == (415, "media-type-unsupported")
    assert answer.json()["detail"] == f"Expected a body of the Content-Type application/json, got '{content_type}'."


def test_json_may_say_its_charset_and_kind(river: Actor) -> None:
    for content_type in ("application/json; charset=utf-8", "application/merge-patch+json"):
        assert put_text(river, json.dumps(EVENING), content_type).status_code in {200, 201}


@pytest.mark.parametrize(
    "path", ["/verify", "/verify/receipt.json", "/verify/bundle", "/v1/verifications", "/language"]
)
@pytest.mark.parametrize("charset", ["punycode", "idna", "utf-7", "unicode_escape"])
def test_a_form_names_no_codec_for_us_to_run(client: TestClient, path: str, charset: str) -> None:
    body = b'--x\r\nContent-Disposition: form-data; name="received"\r\n\r\n+2AA-\\ud800xn--a\r\n--x--\r\n'
    answer = client.post(
        path, content=body, headers={"Content-Type": f"Multipart/Form-Data; boundary=x; Charset={charset}"}
    )
    assert (answer.status_code, answer.json()["code"]) == (415, "charset-unsupported")


def test_a_form_may_say_that_it_is_in_utf_8(client: TestClient) -> None:
    body = b'--x\r\nContent-Disposition: form-data; name="received"\r\n\r\nno badge\r\n--x--\r\n'
    answer = client.post(
        "/verify", content=body, headers={"Content-Type": 'multipart/form-data; boundary=x; charset="UTF-8"'}
    )
    assert answer.status_code == 422


def test_unknown_members_are_refused_and_all_faults_are_told(river: Actor) -> None:
    answer = river.put(SESSION, {"start": "2026", "title": 7, "a/b~c": 1})
    assert refused(answer) == (422, "extra-forbidden", "/start")
    assert {(error["code"], error["pointer"]) for error in answer.json()["errors"]} == {
        ("missing", "/starts_at"),
        ("string-type", "/title"),
        ("extra-forbidden", "/start"),
        ("extra-forbidden", "/a~1b~0c"),
    }


def test_a_refusal_does_not_repeat_what_was_sent(river: Actor) -> None:
    body = {"starts_at": "secret-1", "title": ["secret-2"], "mode": "Secret-3"}
    assert "ecret-" not in river.put(SESSION, body).text
    assert "secret" not in put_text(river, '{"title": "secret", "title": "secret"}').text


def test_u0000_is_refused_wherever_it_stands(river: Actor) -> None:
    assert refused(river.put(SESSION, EVENING | {"title": "a\0b"})) == (422, "text-nul", "/title")
    assert refused(river.put("/v1/networks/river-writers/sessions/a%00", EVENING)) == (422, "text-nul", None)
    assert refused(river.get("/v1/networks/%00")) == (422, "text-nul", None)
    assert refused(river.get("/v1/networks/river-writers/sessions?series=%00")) == (422, "text-nul", None)


@pytest.mark.parametrize(
    "path",
    [
        "credentials/%00",
        "networks/%00",
        "networks/%00/did.json",
        "achievements/%00",
        "receipts/%00",
        "keys/%00",
    ],
)
def test_nothing_is_at_a_public_address_with_u0000(client: TestClient, path: str) -> None:
    assert client.get(f"/{path}").status_code == 404


def test_json_is_parsed_outside_the_event_loop(river: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    loops: list[bool] = []

    def parse(*given: Any, **more: Any) -> Any:
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            loops.append(False)
        else:
            loops.append(True)
        return parse_json(*given, **more)

    monkeypatch.setattr(requests, "parse_json", parse)
    assert river.put(SESSION, EVENING).status_code == 201
    assert loops == [False]


def test_of_many_faults_the_first_hundred_are_told(river: Actor) -> None:
    answer = river.put(SESSION, EVENING | {f"a{number}": 1 for number in range(5000)})
    assert refused(answer)[:2] == (422, "extra-forbidden")
    assert len(answer.json()["errors"]) == 100


def test_a_body_beyond_the_limit_is_refused(runtime: Runtime, river: Actor) -> None:
    limit = runtime.settings.max_body_bytes
    text = json.dumps(EVENING | {"title": "a" * limit})
    answer = put_text(river, text)
    assert refused(answer)[:2] == (413, "body-too-large")
    assert f"at most {limit} bytes at this address" in answer.json()["detail"]
    in_pieces = (text.encode()[start : start + 65_536] for start in range(0, len(text), 65_536))
    answer = river.ask("PUT", SESSION, content=in_pieces, headers={"Content-Type": "application/json"})
    assert refused(answer)[:2] == (413, "body-too-large")
    assert f"at most {limit} bytes at this address" in answer.json()["detail"]
    assert refused(river.get(SESSION))[0] == 404


@pytest.mark.parametrize(
    ("header", "code"),
    [
        (None, "token-missing"),
        ("", "token-missing"),
        ("Bearer", "token-missing"),
        ("Basic dXNlcjpwYXNz", "token-missing"),
        ("Bearer laurel_unknown", "token-unknown"),
        ("Bearer \u00fc", "token-unknown"),
    ],
)
def test_a_request_needs_a_token_that_we_gave(client: TestClient, header: str | None, code: str) -> None:
    headers = {} if header is None else {b"Authorization": header.encode()}
    for method, path in (("GET", "/v1/networks"), ("PUT", SESSION), ("POST", "/v1/networks"), ("POST", "/v1/blobs")):
        answer = client.request(method, path, headers=headers, json={"nothing": "right"})
        assert refused(answer) == (401, code, None)
        assert answer.headers["www-authenticate"] == "Bearer"


def test_a_token_that_has_expired_or_was_revoked_says_which(
    runtime: Runtime, client: TestClient, river: Actor, clock: Any
) -> None:
    short = actor(runtime, client, slug="river-writers", lifetime=timedelta(hours=1))
    with runtime.database.write() as session:
        newest = session.scalars(select(Token.id).order_by(Token.id.desc())).first()
        session.execute(update(Token).where(Token.id != newest).values(revoked_at=clock.at))
    clock.advance(hours=1)
    assert refused(short.put(SESSION, EVENING)) == (401, "token-expired", None)
    assert refused(river.put(SESSION, EVENING)) == (401, "token-revoked", None)


def test_without_the_scope_nothing_is_looked_at(runtime: Runtime, client: TestClient) -> None:
    actor(runtime, client).post("/v1/networks", RIVER)
    reader = actor(runtime, client, slug="river-writers", scopes=["read"])
    assert refused(reader.put(SESSION, {"nothing": "right"})) == (403, "scope-missing", None)
    assert refused(reader.post("/v1/networks", RIVER)) == (403, "scope-missing", None)


def test_another_networks_address_looks_like_one_that_is_not_there(
    runtime: Runtime, client: TestClient, river: Actor
) -> None:
    actor(runtime, client).post("/v1/networks", HILL)
    there, nowhere = (
        river.put(f"/v1/networks/{slug}/sessions/s1", EVENING) for slug in ("hill-readers", "no-such-network")
    )
    assert refused(there) == refused(nowhere) == (404, "network-unknown", None)
    assert {**there.json(), "request_id": ""} == {**nowhere.json(), "request_id": ""}


def test_a_commit_that_fails_is_never_a_success(runtime: Runtime, river: Actor, unraised: TestClient) -> None:
    def fail(_session: Any) -> None:
        raise OSError("disk full at /secret/path")

    who = Actor(unraised, river.token)
    event.listen(WriteSession, "before_commit", fail)
    try:
        answer = who.put(SESSION, EVENING)
    finally:
        event.remove(WriteSession, "before_commit", fail)
    assert refused(answer) == (500, "internal-error", None)
    assert "secret" not in answer.text
    with runtime.database.read() as session:
        assert session.scalars(select(Meeting)).all() == []
    assert who.put(SESSION, EVENING).status_code == 201


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_database_that_cannot_be_written_says_when_to_come_again(
    runtime: Runtime, river: Actor, unraised: TestClient
) -> None:
    """The real thing: the file has no room for another page."""
    with runtime.database.engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()

    def no_room(connection: Any, _record: Any, _proxy: Any) -> None:
        connection.execute(f"PRAGMA max_page_count={pages}")

    event.listen(runtime.database.engine, "checkout", no_room)
    who = Actor(unraised, river.token)
    answers = [who.put(f"{SESSION}{n}", EVENING | {"title": "t" * 200, "series": "s" * 200}) for n in range(100)]
    assert {answer.status_code for answer in answers} == {201, 503}
    assert refused(answers[-1]) == (503, "database-unavailable", None)
    assert answers[-1].headers["retry-after"] == "30"
    kept = {f"s1{n}" for n, answer in enumerate(answers) if answer.status_code == 201}
    with runtime.database.read() as session:
        assert set(session.scalars(select(Meeting.ref))) == kept


def test_a_full_disk_says_when_to_come_again(river: Actor, unraised: TestClient) -> None:
    def full(_session: Any) -> Any:
        raise OSError(errno.ENOSPC, "No space left on device")

    event.listen(WriteSession, "before_commit", full)
    try:
        answer = Actor(unraised, river.token).put(SESSION, EVENING)
    finally:
        event.remove(WriteSession, "before_commit", full)
    assert refused(answer) == (503, "disk-unavailable", None)
    assert answer.headers["retry-after"] == "30"


def test_what_is_not_there_and_what_cannot_be_done_are_problems_too(client: TestClient) -> None:
    assert refused(client.get("/v1/nothing")) == (404, "not-found", None)
    answer = client.patch("/v1/blobs")
    assert refused(answer) == (405, "method-not-allowed", None)
    assert answer.headers["allow"] == "GET, HEAD, POST, OPTIONS"


def test_a_browser_elsewhere_may_ask(client: TestClient) -> None:
    answer = client.get("/v1/networks", headers={"Origin": "https://elsewhere.example"})
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in answer.headers


def test_a_slug_is_the_callers_only_if_the_token_is(runtime: Runtime, client: TestClient, river: Actor) -> None:
    """An admin token belongs to no network: it reads none of what its members did."""
    admin = actor(runtime, client)
    with runtime.database.read() as session:
        assert session.scalars(select(Network.slug)).all() == ["river-writers"]
    assert refused(admin.get("/v1/networks/river-writers/sessions"))[0] in {403, 404}
    assert refused(admin.put(SESSION, EVENING))[0] in {403, 404}
    assert river.put(SESSION, EVENING).status_code == 201
