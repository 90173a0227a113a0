"""OAuth 2 client credentials: a token is exchanged for a short-lived one, which acts as it and ends with it."""

import hashlib
from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response
from sqlalchemy import func, select

from service.access import access_tokens
from service.runtime.runtime import Runtime
from service.tables import AccessToken, Record, Token
from tests.worlds.acting import RIVER, Actor, actor, refused
from tests.worlds.posting import REVIEW, ROOT, posted
from tests.worlds.runtimes import Clock

TOKENS = f"{ROOT}/tokens"
GRANT = {"grant_type": "client_credentials"}


@pytest.fixture
def admin(runtime: Runtime, client: TestClient) -> Actor:
    who = actor(runtime, client)
    posted(who.post("/v1/networks", RIVER))
    return who


def made(admin: Actor, *scopes: str, **said: Any) -> Any:
    return posted(admin.post(TOKENS, {"name": "program", "scopes": list(scopes) or ["read", "members:write"]} | said))


def ask(client: TestClient, token: Any, **form: str) -> Response:
    return client.post("/oauth/token", data=GRANT | form, auth=(token["id"], token["token"]))


def granted(client: TestClient, token: Any, **form: str) -> Actor:
    answer = ask(client, token, **form)
    assert answer.status_code == 200, answer.text
    return Actor(client, answer.json()["access_token"])


def oauth_error(answer: Response) -> tuple[int, str]:
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["request-id"]
    assert answer.json().keys() == {"error", "error_description"}
    return answer.status_code, answer.json()["error"]


def test_a_token_is_exchanged_for_a_short_one(runtime: Runtime, client: TestClient, admin: Actor) -> None:
    token = made(admin)
    answer = ask(client, token)
    shown = answer.json()
    text = shown.pop("access_token")
    assert shown == {"token_type": "Bearer", "expires_in": 3600, "scope": "members:write read"}
    assert (answer.headers["cache-control"], answer.headers["pragma"]) == ("no-store", "no-cache")
    assert Actor(client, text).get(f"{ROOT}/members").status_code == 200
    with runtime.database.read() as session:
        [kept] = session.scalars(select(AccessToken)).all()
        assert kept.sha256 == hashlib.sha256(text.encode()).hexdigest()


def test_the_client_may_say_who_it_is_in_the_form(client: TestClient, admin: Actor) -> None:
    token = made(admin)
    form = GRANT | {"client_id": token["id"].upper(), "client_secret": token["token"]}
    assert client.post("/oauth/token", data=form).status_code == 200


def test_scopes_can_be_fewer_and_never_more(client: TestClient, admin: Actor) -> None:
    token = made(admin)
    reader = granted(client, token, scope="read")
    assert reader.get(f"{ROOT}/members").status_code == 200
    assert refused(reader.put(f"{ROOT}/members/m11", {})) == (403, "scope-missing", None)
    assert ask(client, token, scope="read:basic").json()["scope"] == "read:basic"
    for scope in ("awards:write", "read awards:write", "fly", "", "read  members:write"):
        assert oauth_error(ask(client, token, scope=scope)) == (400, "invalid_scope")
    assert oauth_error(ask(client, made(admin, "read:basic"), scope="read")) == (400, "invalid_scope")


def test_it_acts_as_the_token_it_was_given_for(runtime: Runtime, client: TestClient, admin: Actor) -> None:
    token = made(admin, "evidence:write")
    record = posted(granted(client, token).post(f"{ROOT}/contributions", REVIEW), 202)
    with runtime.database.read() as session:
        assert str(session.scalars(select(Record.token_id)).one()) == token["id"]
    quarantined = admin.post(f"{TOKENS}/{token['id']}/revocation", {"quarantine_since": "2026-01-01T00:00:00Z"})
    assert quarantined.json()["records"] == 1
    assert posted(admin.get(f"{TOKENS}/{token['id']}"), 200)["last_used_at"]
    reader = Actor(client, made(admin, "read")["token"])
    assert reader.get(f"{ROOT}/records/{record['id']}").json()["status"] == "quarantined"


def test_it_ends_after_an_hour_and_with_its_token(client: TestClient, admin: Actor, clock: Clock) -> None:
    token = made(admin)
    who = granted(client, token)
    clock.advance(minutes=59, seconds=59)
    assert who.get(f"{ROOT}/members").status_code == 200
    clock.advance(seconds=1)
    assert refused(who.get(f"{ROOT}/members"))[:2] == (401, "token-expired")
    again = granted(client, token)
    admin.ask("DELETE", f"{TOKENS}/{token['id']}")
    assert refused(again.get(f"{ROOT}/members"))[:2] == (401, "token-revoked")
    assert oauth_error(ask(client, token)) == (401, "invalid_client")


def test_it_is_never_good_for_longer_than_its_token(client: TestClient, admin: Actor, clock: Clock) -> None:
    token = made(admin, expires_at="2026-03-02T12:10:00Z")
    answer = ask(client, token)
    assert answer.json()["expires_in"] == 600
    clock.advance(minutes=10)
    who = Actor(client, answer.json()["access_token"])
    assert refused(who.get(f"{ROOT}/members"))[:2] == (401, "token-expired")


def test_who_is_not_the_client_is_refused_in_the_words_of_oauth(client: TestClient, admin: Actor) -> None:
    token, other = made(admin), made(admin)
    short = granted(client, token).token
    for wrong in (
        token | {"token": "laurel_wrong"},
        token | {"token": other["token"]},
        token | {"token": short},
        token | {"token": ""},
        token | {"id": "nobody"},
        token | {"id": ""},
    ):
        answer = ask(client, wrong)
        assert oauth_error(answer) == (401, "invalid_client")
        assert answer.headers["www-authenticate"] == 'Basic realm="Laurel"'
    assert oauth_error(client.post("/oauth/token", data=GRANT)) == (401, "invalid_client")
    for header in ("Basic !", "Basic YQ==", f"Bearer {token['token']}"):
        answer = client.post("/oauth/token", data=GRANT, headers={"Authorization": header})
        assert oauth_error(answer) == (401, "invalid_client")


def test_a_request_that_is_none_is_refused_in_the_words_of_oauth(client: TestClient, admin: Actor) -> None:
    token = made(admin)
    by = (token["id"], token["token"])
    assert oauth_error(client.post("/oauth/token", data={"scope": "read"}, auth=by)) == (400, "invalid_request")
    assert oauth_error(client.post("/oauth/token", auth=by)) == (400, "invalid_request")
    assert oauth_error(ask(client, token, grant_type="password")) == (400, "unsupported_grant_type")
    assert oauth_error(ask(client, token, client_secret=token["token"])) == (400, "invalid_request")
    assert oauth_error(client.post("/oauth/token?%00", data=GRANT, auth=by)) == (400, "invalid_request")
    many = GRANT | {f"further{number}": "x" for number in range(30)}
    assert oauth_error(client.post("/oauth/token", data=many, auth=by)) == (400, "invalid_request")
    broken = {"Content-Encoding": "gzip", "Content-Type": "application/x-www-form-urlencoded"}
    assert oauth_error(client.post("/oauth/token", content=b"no", headers=broken, auth=by)) == (400, "invalid_request")
    twice = "grant_type=client_credentials&scope=read&scope=read"
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    assert oauth_error(client.post("/oauth/token", content=twice, headers=headers, auth=by)) == (400, "invalid_request")


def test_who_guesses_is_told_to_wait_and_a_good_client_is_not(client: TestClient, admin: Actor) -> None:
    token = made(admin)
    assert ask(client, token).status_code == 200
    answers = [ask(client, token | {"token": f"laurel_{number}"}) for number in range(80)]
    assert oauth_error(answers[0]) == (401, "invalid_client")
    assert oauth_error(answers[-1]) == (429, "temporarily_unavailable")
    assert answers[-1].headers["retry-after"]
    assert ask(client, token).status_code == 200


def test_one_more_than_the_most_ends_the_oldest(
    client: TestClient, admin: Actor, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access_tokens, "LIVE", 2)
    token, other = made(admin), made(admin)
    kept = granted(client, other)
    short = []
    for _ in range(3):
        short.append(granted(client, token))
        clock.advance(seconds=1)
    assert [who.get(f"{ROOT}/members").status_code for who in short] == [401, 200, 200]
    assert kept.get(f"{ROOT}/members").status_code == 200


def test_what_has_expired_is_deleted(runtime: Runtime, client: TestClient, admin: Actor, clock: Clock) -> None:
    granted(client, made(admin))
    clock.advance(minutes=30)
    who = granted(client, made(admin))
    clock.advance(minutes=30)
    assert access_tokens.forget_expired(runtime) == 1
    assert access_tokens.forget_expired(runtime) == 0
    assert who.get(f"{ROOT}/members").status_code == 200
    with runtime.database.read() as session:
        assert session.scalar(select(func.count()).select_from(AccessToken)) == 1
        assert session.scalar(select(func.count()).select_from(Token)) == 3


def test_an_admin_token_is_exchanged_too(runtime: Runtime, client: TestClient, admin: Actor) -> None:
    with runtime.database.read() as session:
        token_id = session.scalars(select(Token.id)).one()
    who = granted(client, {"id": str(token_id), "token": admin.token})
    assert who.get(TOKENS).status_code == 200


def test_libraries_find_where_tokens_are_given(client: TestClient) -> None:
    told = client.get("/.well-known/oauth-authorization-server").json()
    assert told["issuer"] == "http://localhost:8000"
    assert told["token_endpoint"] == "http://localhost:8000/oauth/token"
    assert told["grant_types_supported"] == ["client_credentials"]
    assert told["token_endpoint_auth_methods_supported"] == ["client_secret_basic", "client_secret_post"]
    assert told["response_types_supported"] == []
    assert {"read", "read:basic", "evidence:write"} < set(told["scopes_supported"])


def test_the_longest_life_is_an_hour() -> None:
    assert timedelta(hours=1) == access_tokens.LIFETIME
