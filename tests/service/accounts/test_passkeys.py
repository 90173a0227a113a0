"""Passkeys: who signs in with which, and what is worth nothing."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from typing import Any
from uuid import uuid4

import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select
from webauthn.helpers import parse_authentication_credential_json, parse_registration_credential_json

from service.accounts import challenges, passkeys
from service.errors import ServiceError
from service.runtime import settings
from service.runtime.runtime import Runtime
from service.tables import Account, Message, Passkey, SignIn, SignInChallenge
from tests.worlds.authenticators import PRESENT, Authenticator
from tests.worlds.runtimes import BASE_URL, Clock, app_of
from tests.worlds.signing_in import FORM, send, signed_in

ADDRESS, OTHER = "m11@river.example.org", "m12@river.example.org"
PAGE = "/account/passkeys"


@pytest.fixture
def browsers(runtime: Runtime) -> Iterator[Callable[..., TestClient]]:
    """Open browsers: of nobody, or of somebody who is signed in."""
    with ExitStack() as opened:

        def browser(address: str | None = None) -> TestClient:
            headers = {"Accept": "text/html"}
            client = TestClient(app_of(runtime), base_url=BASE_URL, follow_redirects=False, headers=headers)
            if address is not None:
                client.cookies.set(*signed_in(runtime, address).split("=", 1))
            return opened.enter_context(client)

        yield browser


@pytest.fixture
def device() -> Authenticator:
    return Authenticator(BASE_URL)


def to_add(browser: TestClient) -> dict[str, Any]:
    answer = send(browser, PAGE, f"{PAGE}/options")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def add(browser: TestClient, device: Authenticator, name: str = "Old phone") -> Any:
    return send(browser, PAGE, PAGE, answer=device.make(to_add(browser)), name=name)


def to_sign_in(browser: TestClient, onward: str = "/my-badges") -> dict[str, Any]:
    answer = browser.post("/sign-in/passkey/options", data={"onward": onward})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def sign_in(browser: TestClient, answer: str) -> Any:
    return browser.post("/sign-in/passkey/answer", data={"answer": answer})


def is_signed_in(browser: TestClient) -> bool:
    return browser.get(PAGE).status_code == 200


def count(runtime: Runtime, row: type) -> int:
    with runtime.database.read() as session:
        return session.scalar(select(func.count()).select_from(row)) or 0


def notices(runtime: Runtime) -> list[str | None]:
    with runtime.database.read() as session:
        return list(session.scalars(select(Message.notice).where(Message.kind == "notice").order_by(Message.id)))


def test_somebody_adds_a_passkey_and_signs_in_with_it_elsewhere(
    browsers: Callable[..., TestClient], device: Authenticator, runtime: Runtime
) -> None:
    answer = add(browsers(ADDRESS), device)
    assert (answer.status_code, answer.headers["location"]) == (303, PAGE)
    elsewhere = browsers()
    answer = sign_in(elsewhere, device.use(to_sign_in(elsewhere, "/docs")))
    assert (answer.status_code, answer.headers["location"]) == (303, "/docs")
    assert "Old phone" in elsewhere.get(PAGE).text
    with runtime.database.read() as session:
        assert set(session.scalars(select(SignIn.means))) == {"link", "passkey"}
        assert session.scalar(select(func.count(SignIn.account_id.distinct()))) == 1


def test_the_device_learns_nothing_that_names_the_account(
    browsers: Callable[..., TestClient], device: Authenticator, runtime: Runtime
) -> None:
    browser = browsers(ADDRESS)
    asked = to_add(browser)
    with runtime.database.read() as session:
        [account] = session.scalars(select(Account))
    assert account.id.hex not in asked["user"]["id"]
    assert asked["rp"] == {"id": "localhost", "name": "Laurel"}
    assert asked["attestation"] == "none"
    assert asked["authenticatorSelection"]["residentKey"] == "required"
    assert asked["authenticatorSelection"]["userVerification"] == "required"
    add(browser, device)
    assert to_add(browser)["user"]["id"] == device.keys[0].handle
    assert [each["id"] for each in to_add(browser)["excludeCredentials"]] != []


def test_the_options_to_sign_in_name_nobodys_passkeys(
    browsers: Callable[..., TestClient], device: Authenticator
) -> None:
    browser = browsers(ADDRESS)
    add(browser, device)
    asked = to_sign_in(browser)
    assert (asked["allowCredentials"], asked["rpId"], asked["userVerification"]) == ([], "localhost", "required")


def test_all_addresses_are_told_of_a_passkey_that_is_added_and_of_one_that_is_removed(
    browsers: Callable[..., TestClient], device: Authenticator, runtime: Runtime
) -> None:
    browser = browsers(ADDRESS)
    add(browser, device)
    assert notices(runtime) == ["passkey-added"]
    remove(browser, runtime)
    assert notices(runtime) == ["passkey-added", "passkey-removed"]


def remove(browser: TestClient, runtime: Runtime) -> Any:
    with runtime.database.read() as session:
        row = session.scalars(select(Passkey)).one()
    return send(browser, PAGE, f"{PAGE}/{row.id}/remove")


def test_a_passkey_gets_another_name_from_its_owner_only(
    browsers: Callable[..., TestClient], device: Authenticator, runtime: Runtime
) -> None:
    browser = browsers(ADDRESS)
    add(browser, device)
    with runtime.database.read() as session:
        path = f"{PAGE}/{session.scalars(select(Passkey.id)).one()}/name"
    assert send(browser, PAGE, path, name="").status_code == 422
    assert send(browsers(OTHER), PAGE, path, name="Stolen").status_code == 404
    answer = send(browser, PAGE, path, name=" The phone\n of the school ", **{"from": "/account"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/account")
    assert '<strong class="long">The phone of the school</strong>' in browser.get(PAGE).text


def test_a_passkey_that_was_removed_signs_nobody_in(
    browsers: Callable[..., TestClient], device: Authenticator, runtime: Runtime
) -> None:
    browser, elsewhere = browsers(ADDRESS), browsers()
    add(browser, device)
    assert remove(browser, runtime).status_code == 303
    answer = sign_in(elsewhere, device.use(to_sign_in(elsewhere)))
    assert answer.status_code == 404
    assert "No account here has this passkey" in answer.text
    assert not is_signed_in(elsewhere)


def test_nobody_removes_the_passkey_of_another_account(
    browsers: Callable[..., TestClient], device: Authenticator, runtime: Runtime
) -> None:
    add(browsers(ADDRESS), device)
    assert remove(browsers(OTHER), runtime).status_code == 404
    assert count(runtime, Passkey) == 1


def test_an_account_has_several_passkeys_each_with_its_name(
    browsers: Callable[..., TestClient], device: Authenticator
) -> None:
    browser = browsers(ADDRESS)
    for name in ("Phone", "Key on my ring"):
        add(browser, device, name)
    text = browser.get(PAGE).text
    assert "Phone" in text
    assert "Key on my ring" in text
    for key in device.keys:
        elsewhere = browsers()
        assert sign_in(elsewhere, device.use(to_sign_in(elsewhere), key)).status_code == 303


def test_an_account_has_a_limited_number_of_passkeys(
    browsers: Callable[..., TestClient], device: Authenticator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passkeys, "MOST", 1)
    browser = browsers(ADDRESS)
    add(browser, device)
    answer = send(browser, PAGE, f"{PAGE}/options")
    assert (answer.status_code, answer.json()["code"]) == (409, "passkeys-full")


def test_a_passkey_has_a_name_without_signs_that_turn_the_words_around_it(
    browsers: Callable[..., TestClient], device: Authenticator, runtime: Runtime
) -> None:
    browser = browsers(ADDRESS)
    assert add(browser, device, "\u202e ").status_code == 422
    add(browser, device, "\u202e" + "n" * 300)
    with runtime.database.read() as session:
        assert session.scalars(select(Passkey.name)).one() == "n" * 99 + "…"


@pytest.mark.parametrize(
    "device",
    [
        Authenticator("https://elsewhere.example"),
        Authenticator("http://localhost:8001"),
        Authenticator(BASE_URL, cross_origin=True),
        Authenticator(BASE_URL, flags=PRESENT),
    ],
    ids=["another site", "another port", "in a frame", "without checking the person"],
)
def test_what_was_made_elsewhere_or_without_checking_the_person_is_not_added(
    browsers: Callable[..., TestClient], runtime: Runtime, device: Authenticator
) -> None:
    assert add(browsers(ADDRESS), device).status_code == 403
    assert (count(runtime, Passkey), notices(runtime)) == (0, [])


def test_a_passkey_for_another_host_is_not_added(
    browsers: Callable[..., TestClient], device: Authenticator, runtime: Runtime
) -> None:
    browser = browsers(ADDRESS)
    made = device.make(to_add(browser), host="elsewhere.example")
    assert send(browser, PAGE, PAGE, answer=made, name="Phone").status_code == 403
    assert count(runtime, Passkey) == 0


def test_a_passkey_is_added_once(browsers: Callable[..., TestClient], device: Authenticator, runtime: Runtime) -> None:
    browser = browsers(ADDRESS)
    made = device.make(to_add(browser))
    assert send(browser, PAGE, PAGE, answer=made, name="Phone").status_code == 303
    again = send(browser, PAGE, PAGE, answer=made, name="Phone")
    assert again.status_code == 404
    assert "This took too long, or was already tried" in again.text
    assert count(runtime, Passkey) == 1


def test_a_challenge_of_one_account_adds_nothing_to_another(
    browsers: Callable[..., TestClient], device: Authenticator, runtime: Runtime
) -> None:
    browser = browsers(ADDRESS)
    made = device.make(to_add(browser))
    browser.cookies.set(*signed_in(runtime, OTHER).split("=", 1))
    assert send(browser, PAGE, PAGE, answer=made, name="Phone").status_code == 404
    assert count(runtime, Passkey) == 0


def test_a_passkey_is_added_only_with_the_secret_of_the_forms(
    browsers: Callable[..., TestClient], device: Authenticator, runtime: Runtime
) -> None:
    browser = browsers(ADDRESS)
    assert browser.post(f"{PAGE}/options").status_code == 403
    made = device.make(to_add(browser))
    assert browser.post(PAGE, data={"answer": made, "name": "Phone"}).status_code == 403
    form = FORM.findall(browser.get(PAGE).text)[0]
    from_elsewhere = {"Sec-Fetch-Site": "cross-site"}
    fields = {"form": form, "answer": made, "name": "Phone"}
    assert browser.post(PAGE, data=fields, headers=from_elsewhere).status_code == 403
    assert count(runtime, Passkey) == 0


def test_what_a_passkey_signed_signs_in_once(browsers: Callable[..., TestClient], device: Authenticator) -> None:
    add(browsers(ADDRESS), device)
    elsewhere = browsers()
    signed = device.use(to_sign_in(elsewhere))
    cookie = elsewhere.cookies["passkey"]
    assert sign_in(elsewhere, signed).status_code == 303
    thief = browsers()
    thief.cookies.set("passkey", cookie)
    assert sign_in(thief, signed).status_code == 404
    assert not is_signed_in(thief)


def test_a_challenge_is_over_also_when_it_was_answered_wrongly(
    browsers: Callable[..., TestClient], device: Authenticator
) -> None:
    add(browsers(ADDRESS), device)
    elsewhere = browsers()
    asked = to_sign_in(elsewhere)
    assert sign_in(elsewhere, "{}").status_code == 422
    assert sign_in(elsewhere, device.use(asked)).status_code == 404


def test_what_was_signed_for_another_browser_signs_nobody_in(
    browsers: Callable[..., TestClient], device: Authenticator
) -> None:
    add(browsers(ADDRESS), device)
    mine, theirs = browsers(), browsers()
    to_sign_in(theirs)
    assert sign_in(theirs, device.use(to_sign_in(mine))).status_code == 403
    assert not is_signed_in(theirs)


def test_a_challenge_ends_after_ten_minutes(
    browsers: Callable[..., TestClient], device: Authenticator, clock: Clock
) -> None:
    add(browsers(ADDRESS), device)
    elsewhere = browsers()
    signed = device.use(to_sign_in(elsewhere))
    clock.advance(minutes=10)
    assert sign_in(elsewhere, signed).status_code == 404


def test_challenges_that_nobody_took_up_are_forgotten(
    browsers: Callable[..., TestClient], runtime: Runtime, clock: Clock
) -> None:
    to_sign_in(browsers())
    assert challenges.forget_old(runtime) == 0
    clock.advance(minutes=10)
    assert challenges.forget_old(runtime) == 1
    assert count(runtime, SignInChallenge) == 0


@pytest.mark.parametrize("wrong", ["origin", "host", "frame", "person", "key", "handle"])
def test_what_is_signed_elsewhere_or_by_another_key_signs_nobody_in(
    browsers: Callable[..., TestClient], device: Authenticator, wrong: str
) -> None:
    add(browsers(ADDRESS), device)
    other = Authenticator(BASE_URL)
    add(browsers(OTHER), other)
    elsewhere, instead = browsers(), {}
    asked, key = to_sign_in(elsewhere), device.keys[0]
    match wrong:
        case "origin":
            device.origin = "https://elsewhere.example"
        case "host":
            key.host = "elsewhere.example"
        case "frame":
            device.cross_origin = True
        case "person":
            device.flags = PRESENT
        case "key":
            key.private = other.keys[0].private
        case "handle":
            instead = {"userHandle": other.keys[0].handle}
    assert sign_in(elsewhere, device.use(asked, key, **instead)).status_code == 403
    assert not is_signed_in(elsewhere)


def test_the_passkey_of_another_account_signs_in_to_that_account_only(
    browsers: Callable[..., TestClient], device: Authenticator
) -> None:
    add(browsers(ADDRESS), device, "Of the first")
    other = Authenticator(BASE_URL)
    add(browsers(OTHER), other, "Of the second")
    elsewhere = browsers()
    sign_in(elsewhere, other.use(to_sign_in(elsewhere)))
    assert "Of the second" in elsewhere.get(PAGE).text
    assert "Of the first" not in elsewhere.get(PAGE).text


def test_a_device_that_counts_backwards_is_refused_and_all_addresses_are_told(
    browsers: Callable[..., TestClient], device: Authenticator, runtime: Runtime
) -> None:
    add(browsers(ADDRESS), device)
    device.keys[0].used = 7
    first, second, third = browsers(), browsers(), browsers()
    assert sign_in(first, device.use(to_sign_in(first))).status_code == 303
    device.keys[0].used = 3
    answer = sign_in(second, device.use(to_sign_in(second)))
    assert answer.status_code == 409
    assert "may have been copied" in answer.text
    assert not is_signed_in(second)
    assert notices(runtime) == ["passkey-added", "passkey-copied"]
    device.keys[0].used = 8
    assert sign_in(third, device.use(to_sign_in(third))).status_code == 303


def test_nobody_without_the_key_can_feign_a_copy(
    browsers: Callable[..., TestClient], device: Authenticator, runtime: Runtime
) -> None:
    add(browsers(ADDRESS), device)
    device.keys[0].used = 7
    first, thief = browsers(), browsers()
    sign_in(first, device.use(to_sign_in(first)))
    device.keys[0].used = 3
    forged = json.loads(device.use(to_sign_in(thief)))
    forged["response"]["signature"] = "AAAA"
    assert sign_in(thief, json.dumps(forged)).status_code == 403
    assert notices(runtime) == ["passkey-added"]


def test_a_device_that_does_not_count_signs_in_again_and_again(
    browsers: Callable[..., TestClient], device: Authenticator
) -> None:
    device.counts = False
    add(browsers(ADDRESS), device)
    for _ in range(3):
        elsewhere = browsers()
        assert sign_in(elsewhere, device.use(to_sign_in(elsewhere))).status_code == 303


def test_no_account_is_made_by_a_passkey(
    browsers: Callable[..., TestClient], device: Authenticator, runtime: Runtime
) -> None:
    stranger = browsers()
    device.make({"challenge": "AAAA", "rp": {"id": "localhost"}, "user": {"id": "AAAA"}})
    assert sign_in(stranger, device.use(to_sign_in(stranger))).status_code == 404
    assert count(runtime, Account) == 0


def test_a_stranger_who_tries_too_often_must_wait(browsers: Callable[..., TestClient]) -> None:
    stranger = browsers()
    answers = [stranger.post("/sign-in/passkey/options") for _ in range(70)]
    assert answers[0].status_code == 200
    assert answers[-1].status_code == 429
    assert "Wait a minute" in answers[-1].json()["detail"]


def test_who_is_not_signed_in_sees_no_passkeys(browsers: Callable[..., TestClient]) -> None:
    assert browsers().get(PAGE).status_code == 303
    assert browsers().post(f"{PAGE}/{uuid4()}/remove").status_code == 401


def test_who_signed_in_long_ago_signs_in_again_before_they_add_or_remove_a_passkey(
    browsers: Callable[..., TestClient], device: Authenticator, runtime: Runtime, clock: Clock
) -> None:
    browser = browsers(ADDRESS)
    add(browser, device)
    with runtime.database.read() as session:
        row = session.scalars(select(Passkey)).one()
    form = FORM.findall(browser.get(PAGE).text)[0]
    clock.advance(hours=2)
    page = browser.get(PAGE).text
    assert "Old phone" in page
    assert "sign in again" in page
    for path in (PAGE, f"{PAGE}/options", f"{PAGE}/{row.id}/remove"):
        answer = browser.post(path, data={"form": form})
        assert answer.headers["location"].startswith("/sign-in?again=yes"), path
    assert count(runtime, Passkey) == 1


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.text(max_size=8)
        | st.sampled_from(["AAAA", "public-key", "e30"]),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    [
                        "id",
                        "rawId",
                        "type",
                        "response",
                        "clientDataJSON",
                        "attestationObject",
                        "authenticatorData",
                        "signature",
                    ]
                ),
                inner,
                max_size=8,
            )
        ),
        max_leaves=20,
    )
)
def test_whatever_a_stranger_sends_is_refused_in_our_own_words(sent: Any) -> None:
    parsers: list[Callable[[str], Any]] = [parse_registration_credential_json, parse_authentication_credential_json]
    for parse in parsers:
        with suppress(ServiceError):
            passkeys._require_no_frame(passkeys._read(parse, json.dumps(sent)).response.client_data_json)


@pytest.mark.parametrize(
    ("base_url", "host", "origin"),
    [
        ("https://badges.example.org", "badges.example.org", "https://badges.example.org"),
        ("https://badges.example.org:443", "badges.example.org", "https://badges.example.org"),
        ("https://badges.example.org:8443", "badges.example.org", "https://badges.example.org:8443"),
        ("http://localhost:8000", "localhost", "http://localhost:8000"),
    ],
)
def test_the_origin_is_the_base_url_as_browsers_write_it(base_url: str, host: str, origin: str) -> None:
    given = settings.load(_env_file=None, base_url=base_url, keys_passphrase="for tests")
    assert passkeys.RelyingParty.of(given) == passkeys.RelyingParty(host, origin)
