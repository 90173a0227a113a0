"""Signing in by mail: who is signed in by what, and what tells a stranger nothing."""

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, select

from service.runtime.runtime import Runtime
from service.tables import Account, AccountAddress, SignIn, SignInRequest
from tests.worlds.runtimes import Clock
from tests.worlds.signing_in import CODE, LINK, mails_to, sign_in

ADDRESS = "m11@river.example.org"


def link_of(runtime: Runtime) -> str:
    return str(LINK.findall(mails_to(runtime, ADDRESS)[-1])[0])


def count(runtime: Runtime, row: type) -> int:
    with runtime.database.read() as session:
        return session.scalar(select(func.count()).select_from(row)) or 0


def test_opening_the_link_signs_nobody_in_and_its_button_does(browser: TestClient, runtime: Runtime) -> None:
    browser.post("/sign-in", data={"address": ADDRESS})
    link = link_of(runtime)
    for _ in range(3):
        assert "<button>Sign in</button>" in browser.get(f"/sign-in/{link}").text
    assert count(runtime, SignIn) == 0
    answer = browser.post(f"/sign-in/{link}")
    assert (answer.status_code, answer.headers["location"]) == (303, "/my-badges")
    assert count(runtime, SignIn) == 1


def test_a_link_works_once(browser: TestClient, runtime: Runtime) -> None:
    browser.post("/sign-in", data={"address": ADDRESS})
    link = link_of(runtime)
    browser.post(f"/sign-in/{link}")
    assert browser.get(f"/sign-in/{link}").status_code == 404
    assert browser.post(f"/sign-in/{link}").status_code == 404


def test_a_link_in_another_browser_shows_the_code_and_signs_nobody_in(
    browser: TestClient, other_browser: TestClient, runtime: Runtime
) -> None:
    browser.post("/sign-in", data={"address": ADDRESS})
    link = link_of(runtime)
    [code] = CODE.findall(mails_to(runtime, ADDRESS)[-1])
    assert code in other_browser.get(f"/sign-in/{link}").text
    assert other_browser.post(f"/sign-in/{link}").status_code == 409
    assert other_browser.post("/sign-in/code", data={"code": code}).status_code == 404
    assert browser.post("/sign-in/code", data={"code": code}).status_code == 303


def test_a_code_that_is_wrong_five_times_is_no_code_any_more(browser: TestClient, runtime: Runtime) -> None:
    browser.post("/sign-in", data={"address": ADDRESS})
    [code] = CODE.findall(mails_to(runtime, ADDRESS)[-1])
    wrong = "000000" if code != "000 000" else "111111"
    assert [browser.post("/sign-in/code", data={"code": wrong}).status_code for _ in range(5)] == [422] * 5
    assert browser.post("/sign-in/code", data={"code": code}).status_code == 429


def test_link_and_code_end_after_a_quarter_of_an_hour(browser: TestClient, runtime: Runtime, clock: Clock) -> None:
    browser.post("/sign-in", data={"address": ADDRESS})
    link = link_of(runtime)
    clock.advance(minutes=15)
    assert browser.get(f"/sign-in/{link}").status_code == 404


def test_somebody_who_signs_in_again_has_the_same_account(browser: TestClient, runtime: Runtime) -> None:
    sign_in(browser, runtime, ADDRESS)
    browser.cookies.clear()
    sign_in(browser, runtime, ADDRESS)
    assert (count(runtime, Account), count(runtime, AccountAddress), count(runtime, SignIn)) == (1, 1, 2)


def test_an_address_gets_five_mails_an_hour_at_most(browser: TestClient, runtime: Runtime) -> None:
    statuses = [browser.post("/sign-in", data={"address": ADDRESS}).status_code for _ in range(6)]
    assert statuses == [303] * 5 + [429]
    assert count(runtime, SignInRequest) == 5


def test_a_form_of_another_site_has_no_mail_sent(browser: TestClient, runtime: Runtime) -> None:
    answer = browser.post("/sign-in", data={"address": ADDRESS}, headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403
    assert count(runtime, SignInRequest) == 0


def test_a_page_on_another_host_is_never_what_one_is_led_to(browser: TestClient, runtime: Runtime) -> None:
    browser.post("/sign-in", data={"address": ADDRESS, "onward": "//elsewhere.example/"})
    assert browser.post(f"/sign-in/{link_of(runtime)}").headers["location"] == "/"


@pytest.mark.parametrize(
    ("onward", "word"),
    [
        ("/attend/BCDF", "say that you were in the session"),
        ("/my-badges", None),
        ("", None),
        ("//attend", None),
        ("/networks/x/joining?a=/attend", "ask to join"),
    ],
)
def test_the_page_says_why_one_is_asked_to_sign_in(browser: TestClient, onward: str, word: str | None) -> None:
    page = browser.get("/sign-in", params={"onward": onward}).text
    assert ("Use the address that the network has for you." in page) == (word is not None)
    assert word is None or word in page
