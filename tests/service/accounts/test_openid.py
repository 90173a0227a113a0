"""Signing in with the operator's OpenID provider: whose word counts, and for whom."""

import json
import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from joserfc.jwk import RSAKey
from sqlalchemy import delete, func, select

from service.runtime import settings
from service.runtime.runtime import Runtime
from service.tables import Account, AccountAddress, Message, OpenidIdentity, SignIn
from tests.worlds.openid_providers import CLIENT, SECRET, OpenidProvider, openid_provider
from tests.worlds.runtimes import BASE_URL, Clock, app_of, settings_in, start
from tests.worlds.signing_in import send, signed_in

ADDRESS, NEW, OTHER = "m11@river.example.org", "m11@hill.example.org", "m12@river.example.org"
ANSWER = "/sign-in/openid/answer"


@pytest.fixture
def provider(clock: Clock) -> Iterator[OpenidProvider]:
    with openid_provider(clock) as provider:
        yield provider


@pytest.fixture
def school(runtime: Runtime, provider: OpenidProvider, tmp_path: Path, clock: Clock) -> Iterator[Runtime]:
    """A service whose operator has configured the provider."""
    given = settings_in(
        tmp_path,
        database_url=runtime.settings.database_url,
        openid_issuer=provider.url,
        openid_client_id=CLIENT,
        openid_client_secret=SECRET,
        openid_name="River School",
    )
    with start(given, clock) as running:
        yield running


@pytest.fixture
def browsers(school: Runtime) -> Iterator[Callable[[], TestClient]]:
    with ExitStack() as opened:

        def browser() -> TestClient:
            headers = {"Accept": "text/html"}
            client = TestClient(app_of(school), base_url=BASE_URL, follow_redirects=False, headers=headers)
            return opened.enter_context(client)

        yield browser


@pytest.fixture
def browser(browsers: Callable[[], TestClient]) -> TestClient:
    return browsers()


def led_to(browser: TestClient, onward: str = "/my-badges") -> str:
    """Return the address of the provider to which the browser is led."""
    page = browser.post("/sign-in/openid/ask", data={"onward": onward})
    assert page.status_code == 200, page.text
    return unescape(page.text.partition('http-equiv="refresh" content="0; url=')[2].partition('"')[0])


def come_back(browser: TestClient, provider: OpenidProvider, **changes: str) -> Any:
    return browser.get(ANSWER, params=provider.authorize(led_to(browser)) | changes)


def is_signed_in(browser: TestClient) -> bool:
    return browser.get("/account/passkeys").status_code == 200


def count(runtime: Runtime, row: type) -> int:
    with runtime.database.read() as session:
        return session.scalar(select(func.count()).select_from(row)) or 0


def addresses(runtime: Runtime) -> list[list[str]]:
    """Return the addresses of each account, the kept one first."""
    with runtime.database.read() as session:
        rows = list(session.scalars(select(AccountAddress).order_by(AccountAddress.kept.desc(), AccountAddress.id)))
        accounts = session.scalars(select(Account.id).order_by(Account.id))
        return [[row.value for row in rows if row.account_id == each] for each in accounts]


def notices(runtime: Runtime) -> list[str | None]:
    with runtime.database.read() as session:
        return list(session.scalars(select(Message.notice).where(Message.kind == "notice").order_by(Message.id)))


def test_somebody_signs_in_with_the_provider_and_again_is_the_same(
    browsers: Callable[[], TestClient], provider: OpenidProvider, school: Runtime
) -> None:
    first = browsers()
    assert "Sign in with River School" in first.get("/sign-in").text
    answer = first.get(ANSWER, params=provider.authorize(led_to(first, "/docs")))
    assert (answer.status_code, answer.headers["location"]) == (303, "/docs")
    assert is_signed_in(first)
    assert come_back(browsers(), provider).status_code == 303
    assert addresses(school) == [[ADDRESS]]
    assert (count(school, OpenidIdentity), count(school, SignIn)) == (1, 2)


def test_a_proved_address_leads_to_its_account_and_all_its_addresses_are_told(
    browser: TestClient, provider: OpenidProvider, school: Runtime
) -> None:
    signed_in(school, ADDRESS)
    assert come_back(browser, provider).status_code == 303
    assert addresses(school) == [[ADDRESS]]
    assert notices(school) == ["openid-linked"]


@pytest.mark.parametrize(
    "claims",
    [{"email_verified": False}, {"email_verified": None}, {"email_verified": "true"}, {"email": "no address"}],
    ids=["unproved", "nothing said", "said in a text", "no address"],
)
def test_an_address_that_is_not_proved_makes_no_account_and_leads_to_none(
    browser: TestClient, provider: OpenidProvider, school: Runtime, claims: dict[str, Any]
) -> None:
    signed_in(school, ADDRESS)
    provider.claims |= claims
    answer = come_back(browser, provider)
    assert answer.status_code == 409
    assert "River School has not checked your email address" in answer.text
    assert (count(school, OpenidIdentity), count(school, Account)) == (0, 1)


def test_somebody_who_is_known_signs_in_without_an_address(
    browsers: Callable[[], TestClient], provider: OpenidProvider
) -> None:
    come_back(browsers(), provider)
    provider.claims["email_verified"] = False
    assert come_back(browsers(), provider).status_code == 303


def test_an_address_that_stands_only_in_the_userinfo_is_taken_from_there(
    browser: TestClient, provider: OpenidProvider, school: Runtime
) -> None:
    provider.userinfo = {"sub": "person 11", "email": ADDRESS, "email_verified": True}
    provider.claims = {}
    assert come_back(browser, provider).status_code == 303
    assert addresses(school) == [[ADDRESS]]


def test_the_userinfo_of_somebody_else_is_refused(
    browser: TestClient, provider: OpenidProvider, school: Runtime
) -> None:
    provider.userinfo = {"sub": "person 12", "email": ADDRESS, "email_verified": True}
    provider.claims = {}
    assert come_back(browser, provider).status_code == 502
    assert count(school, Account) == 0


def test_a_new_address_at_the_provider_is_added_and_the_kept_one_stays(
    browsers: Callable[[], TestClient], provider: OpenidProvider, school: Runtime
) -> None:
    come_back(browsers(), provider)
    provider.claims["email"] = NEW
    come_back(browsers(), provider)
    assert addresses(school) == [[ADDRESS, NEW]]


def test_a_new_address_at_the_provider_that_another_account_has_stays_there(
    browsers: Callable[[], TestClient], provider: OpenidProvider, school: Runtime
) -> None:
    come_back(browsers(), provider)
    signed_in(school, OTHER)
    provider.claims["email"] = OTHER
    assert come_back(browsers(), provider).status_code == 303
    assert sorted(addresses(school)) == [[ADDRESS], [OTHER]]


def test_somebody_new_at_the_provider_with_an_old_address_does_not_get_its_account(
    browsers: Callable[[], TestClient], provider: OpenidProvider, school: Runtime
) -> None:
    come_back(browsers(), provider)
    provider.claims["sub"] = "person 12"
    newcomer = browsers()
    answer = come_back(newcomer, provider)
    assert answer.status_code == 409
    assert "linked to another person at River School" in answer.text
    assert not is_signed_in(newcomer)
    assert count(school, OpenidIdentity) == 1


@pytest.mark.parametrize(
    "claims",
    [
        {"nonce": "another"},
        {"nonce": None},
        {"aud": "another client"},
        {"aud": [CLIENT, "another client"]},
        {"aud": [CLIENT, "another client"], "azp": "another client"},
        {"aud": None},
        {"iss": "https://elsewhere.example"},
        {"exp": 1_000_000_000},
        {"exp": None},
        {"iat": 4_000_000_000},
        {"sub": ""},
        {"sub": 11},
        {"sub": None},
        {"sub": "s" * 256},
    ],
    ids=json.dumps,
)
def test_an_id_token_that_is_not_for_us_or_for_now_or_of_nobody_signs_nobody_in(
    browser: TestClient, provider: OpenidProvider, school: Runtime, claims: dict[str, Any]
) -> None:
    provider.claims |= claims
    answer = come_back(browser, provider)
    assert answer.status_code == 502
    assert "We could not check what River School says about you" in answer.text
    assert not is_signed_in(browser)
    assert count(school, Account) == 0


def test_an_id_token_without_a_signature_signs_nobody_in(browser: TestClient, provider: OpenidProvider) -> None:
    provider.algorithm = "none"
    assert come_back(browser, provider).status_code == 502
    assert not is_signed_in(browser)


def test_an_id_token_signed_by_another_key_signs_nobody_in(browser: TestClient, provider: OpenidProvider) -> None:
    provider.signing_key = RSAKey.generate_key(2048, {"kid": "1"})
    assert come_back(browser, provider).status_code == 502
    assert not is_signed_in(browser)


def test_a_secret_among_the_public_keys_signs_nobody_in(browser: TestClient, provider: OpenidProvider) -> None:
    from joserfc.jwk import OctKey  # noqa: PLC0415

    shared: Any = OctKey.import_key("known to everybody who can read the keys", {"kid": "1"})
    provider.signing_key, provider.algorithm = shared, "HS256"
    provider.answers["/keys"] = (200, {"keys": [shared.as_dict(private=True)]})
    assert come_back(browser, provider).status_code == 502
    assert not is_signed_in(browser)


def test_an_answer_to_another_browser_signs_nobody_in(
    browsers: Callable[[], TestClient], provider: OpenidProvider, school: Runtime
) -> None:
    attacker, victim, bystander = browsers(), browsers(), browsers()
    answer = provider.authorize(led_to(attacker))
    led_to(victim)
    for other in (victim, bystander):
        page = other.get(ANSWER, params=answer)
        assert page.status_code == 404
        assert "began in another browser" in page.text
        assert not is_signed_in(other)
    assert "/token" not in provider.asked
    assert count(school, Account) == 0


def test_an_answer_counts_once(browser: TestClient, provider: OpenidProvider) -> None:
    answer = provider.authorize(led_to(browser))
    cookie = browser.cookies["openid"]
    assert browser.get(ANSWER, params=answer).status_code == 303
    browser.cookies.set("openid", cookie)
    assert browser.get(ANSWER, params=answer).status_code == 404


def test_an_answer_that_comes_too_late_signs_nobody_in(
    browser: TestClient, provider: OpenidProvider, clock: Clock
) -> None:
    answer = provider.authorize(led_to(browser))
    clock.advance(minutes=10)
    assert browser.get(ANSWER, params=answer).status_code == 404


def test_an_answer_of_another_provider_is_refused(browser: TestClient, provider: OpenidProvider) -> None:
    assert come_back(browser, provider, iss="https://elsewhere.example").status_code == 403
    assert "/token" not in provider.asked


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        ("access_denied", "River School did not tell us who you are"),
        ("temporarily_unavailable", "River School could not sign you in"),
        ("<script>", "River School could not sign you in"),
    ],
)
def test_an_error_of_the_provider_is_told_plainly(
    browser: TestClient, provider: OpenidProvider, error: str, sentence: str
) -> None:
    state = provider.authorize(led_to(browser))["state"]
    answer = browser.get(ANSWER, params={"error": error, "error_description": "<b>words</b>", "state": state})
    assert answer.status_code == 403
    assert sentence in answer.text
    assert "words" not in answer.text


@pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/token", "/keys"])
@pytest.mark.parametrize("answer", [(500, {}), (200, []), (200, "text"), (429, {"error": "slow_down"})], ids=str)
def test_a_provider_that_fails_is_told_plainly_and_changes_nothing(
    browser: TestClient, provider: OpenidProvider, school: Runtime, path: str, answer: tuple[int, Any]
) -> None:
    provider.answers[path] = answer
    page = browser.post("/sign-in/openid/ask")
    if page.status_code == 200:
        url = unescape(page.text.partition('http-equiv="refresh" content="0; url=')[2].partition('"')[0])
        page = browser.get(ANSWER, params=provider.authorize(url))
    assert page.status_code == 502
    assert "River School is not working properly" in page.text
    assert count(school, Account) == 0


def test_a_provider_that_is_down_is_told_plainly(runtime: Runtime, tmp_path: Path, clock: Clock) -> None:
    given = settings_in(
        tmp_path,
        database_url=runtime.settings.database_url,
        openid_issuer="http://localhost:1",
        openid_client_id=CLIENT,
    )
    with start(given, clock) as down, TestClient(app_of(down), base_url=BASE_URL) as browser:
        answer = browser.post("/sign-in/openid/ask", headers={"Accept": "text/html"})
    assert answer.status_code == 502
    assert "localhost is not working properly" in answer.text


def test_a_provider_that_calls_itself_otherwise_is_not_believed(browser: TestClient, provider: OpenidProvider) -> None:
    provider.answers["/.well-known/openid-configuration"] = (200, provider.about() | {"issuer": "https://x.example"})
    assert browser.post("/sign-in/openid/ask").status_code == 502


def test_the_log_tells_the_operator_what_is_wrong_and_no_secret(
    browser: TestClient, provider: OpenidProvider, caplog: pytest.LogCaptureFixture
) -> None:
    provider.answers["/token"] = (401, {"error": "invalid_client", "error_description": SECRET})
    with caplog.at_level(logging.DEBUG, "service"):
        come_back(browser, provider)
    assert "invalid_client" in caplog.text
    assert SECRET not in caplog.text
    assert "code 0" not in caplog.text


def test_a_form_of_another_site_leads_nobody_to_the_provider(browser: TestClient, provider: OpenidProvider) -> None:
    answer = browser.post("/sign-in/openid/ask", headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403
    assert provider.asked == []


def test_without_a_provider_there_is_no_way_to_one(runtime: Runtime) -> None:
    with TestClient(app_of(runtime), base_url=BASE_URL, headers={"Accept": "text/html"}) as browser:
        assert "/sign-in/openid/ask" not in browser.get("/sign-in").text
        assert browser.post("/sign-in/openid/ask").status_code == 404
        assert browser.get(ANSWER).status_code == 404


def test_a_provider_without_a_client_id_stops_the_start() -> None:
    with pytest.raises(settings.SettingsError, match="LAUREL_OPENID_CLIENT_ID"):
        settings.load(_env_file=None, openid_issuer="https://school.example")


@pytest.mark.parametrize(
    "issuer", ["http://school.example", "school.example", "https://u@school.example", "https://s.example/?x=1"]
)
def test_an_issuer_that_is_not_a_plain_https_address_is_named(issuer: str) -> None:
    with pytest.raises(settings.SettingsError, match="LAUREL_OPENID_ISSUER: expected the https address"):
        settings.load(_env_file=None, openid_issuer=issuer, openid_client_id=CLIENT)


# --- From the account ------------------------------------------------------------------------------------------------


def led_from_the_account(browser: TestClient) -> str:
    page = send(browser, "/account", "/account/openid")
    assert page.status_code == 200, page.text
    return unescape(page.text.partition('http-equiv="refresh" content="0; url=')[2].partition('"')[0])


def signed_in_as(browser: TestClient, school: Runtime, address: str) -> TestClient:
    browser.cookies.set(*signed_in(school, address).split("=", 1))
    return browser


def link(browser: TestClient, provider: OpenidProvider) -> Any:
    return browser.get(ANSWER, params=provider.authorize(led_from_the_account(browser)))


def identity(school: Runtime) -> OpenidIdentity:
    with school.database.read() as session:
        return session.scalars(select(OpenidIdentity)).one()


def test_somebody_links_their_account_without_an_address_of_the_provider(
    browsers: Callable[[], TestClient], provider: OpenidProvider, school: Runtime
) -> None:
    provider.claims["email_verified"] = False
    mine = signed_in_as(browsers(), school, OTHER)
    assert link(mine, provider).headers["location"] == "/account?done=openid"
    assert notices(school) == ["openid-added"]
    page = mine.get("/account").text
    assert "Linked on" in page
    assert "Link with River School" not in page
    elsewhere = browsers()
    assert come_back(elsewhere, provider).status_code == 303
    assert OTHER in elsewhere.get("/account").text
    assert link(mine, provider).status_code == 303  # again, as the same person
    assert notices(school) == ["openid-added"]


def test_nobody_is_linked_with_two_accounts_or_an_account_with_two_people(
    browsers: Callable[[], TestClient], provider: OpenidProvider, school: Runtime
) -> None:
    link(signed_in_as(browsers(), school, ADDRESS), provider)
    answer = link(signed_in_as(browsers(), school, OTHER), provider)
    assert answer.status_code == 409
    assert "Another account here is linked to you at River School." in answer.text
    provider.claims["sub"] = "somebody else"
    answer = link(signed_in_as(browsers(), school, ADDRESS), provider)
    assert answer.status_code == 409
    assert "already linked to another person at River School" in answer.text
    assert count(school, OpenidIdentity) == 1


def test_who_signed_out_or_is_another_meanwhile_is_not_linked(
    browsers: Callable[[], TestClient], provider: OpenidProvider, school: Runtime
) -> None:
    browser = signed_in_as(browsers(), school, ADDRESS)
    for cookie in (None, signed_in(school, OTHER)):
        answer = provider.authorize(led_from_the_account(signed_in_as(browser, school, ADDRESS)))
        browser.cookies.delete("sign-in")
        if cookie is not None:
            browser.cookies.set(*cookie.split("=", 1))
        assert browser.get(ANSWER, params=answer).status_code == 404
    assert count(school, OpenidIdentity) == 0


def test_a_link_is_removed_by_its_owner_and_all_are_told(
    browsers: Callable[[], TestClient], provider: OpenidProvider, school: Runtime
) -> None:
    mine = signed_in_as(browsers(), school, OTHER)
    link(mine, provider)
    path = f"/account/openid/{identity(school).id}/remove"
    assert send(signed_in_as(browsers(), school, ADDRESS), "/account", path).status_code == 404
    assert send(mine, "/account", path).headers["location"] == "/account?done=openid-removed"
    assert count(school, OpenidIdentity) == 0
    assert notices(school) == ["openid-added", "openid-removed"]
    assert send(mine, "/account", path).status_code == 404


def test_the_last_way_in_is_not_removed(
    browsers: Callable[[], TestClient], provider: OpenidProvider, school: Runtime
) -> None:
    mine = signed_in_as(browsers(), school, OTHER)
    link(mine, provider)
    with school.database.write() as session:
        session.execute(delete(AccountAddress))
    answer = send(mine, "/account", f"/account/openid/{identity(school).id}/remove")
    assert answer.status_code == 409
    assert "the only way to sign in" in answer.text
    assert count(school, OpenidIdentity) == 1


def test_a_link_needs_a_recent_sign_in(
    browsers: Callable[[], TestClient], provider: OpenidProvider, school: Runtime, clock: Clock
) -> None:
    mine = signed_in_as(browsers(), school, OTHER)
    clock.advance(hours=2)
    assert send(mine, "/account", "/account/openid").headers["location"].startswith("/sign-in?again=yes")
    assert provider.asked == []
