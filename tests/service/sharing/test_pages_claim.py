"""The pages of a claim: from the mail to the claimed badge, and every way in which a link can be wrong."""

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, select

from service.runtime.runtime import Runtime
from service.tables import Account, Claim, Person, SignIn
from tests.worlds.awarding import Stage
from tests.worlds.claiming import (
    ADDRESS,
    account_of,
    account_with,
    addresses_of,
    awarded,
    claimed_by_link,
    code_for,
    holder_of,
    link_to,
    stage_of,
    undo_to,
)
from tests.worlds.runtimes import BASE_URL, Clock, app_of
from tests.worlds.signing_in import FORM, mails_to, send, sign_in

OTHER = "m12@hill.example.org"


@pytest.fixture
def stage(runtime: Runtime) -> Stage:
    stage = stage_of(runtime)
    awarded(stage)
    stage.laid.clear()  # what is claimed here is no request of the stage
    return stage


@pytest.fixture
def browser(runtime: Runtime, stage: Stage) -> Iterator[TestClient]:
    assert stage
    headers = {"Accept": "text/html"}
    with TestClient(app_of(runtime), base_url=BASE_URL, follow_redirects=False, headers=headers) as client:
        yield client


def count(runtime: Runtime, row: type) -> int:
    with runtime.database.read() as session:
        return session.scalar(select(func.count()).select_from(row)) or 0


def test_opening_a_link_claims_nothing_and_its_button_does(browser: TestClient, runtime: Runtime) -> None:
    link = link_to(runtime)
    for _ in range(3):
        page = browser.get(f"/claim/{link}")
        assert "Sharer" in page.text
        assert "m**@river.example.org" in page.text
        assert ADDRESS not in page.text
    assert (count(runtime, Account), holder_of(runtime)) == (0, None)
    answer = browser.post(f"/claim/{link}")
    assert (answer.status_code, answer.headers["location"]) == (303, "/claim/name")
    assert holder_of(runtime) == account_of(runtime, ADDRESS)
    assert browser.get("/claim/address").status_code == 200


def test_pages_of_a_claim_are_kept_by_no_cache_and_told_to_nobody(browser: TestClient, runtime: Runtime) -> None:
    for path in (f"/claim/{link_to(runtime)}", "/claim/wrong", "/claim/undo/wrong"):
        page = browser.get(path)
        assert (page.headers["cache-control"], page.headers["referrer-policy"]) == ("no-store", "no-referrer")


def test_a_link_that_is_not_whole_says_so(browser: TestClient, runtime: Runtime) -> None:
    link = link_to(runtime)[:-1]
    for page in (browser.get(f"/claim/{link}"), browser.post(f"/claim/{link}"), browser.post(f"/claim/{link}/again")):
        assert page.status_code == 404
        assert "This link is not complete, or it was deleted." in page.text


def test_a_used_link_says_so_to_others_and_to_who_used_it(browser: TestClient, runtime: Runtime) -> None:
    link = link_to(runtime)
    browser.post(f"/claim/{link}")
    page = browser.get(f"/claim/{link}")
    assert page.status_code == 200
    assert "These badges are yours" in page.text
    browser.cookies.clear()
    page = browser.get(f"/claim/{link}")
    assert page.status_code == 410
    assert "This was already used." in page.text
    assert "Send a new one" not in page.text
    assert browser.post(f"/claim/{link}").status_code == 409
    assert browser.post(f"/claim/{link}/again").status_code == 409


def test_an_expired_link_offers_a_new_one_to_the_same_address(
    browser: TestClient, runtime: Runtime, clock: Clock
) -> None:
    link = link_to(runtime)
    clock.advance(days=31)
    page = browser.get(f"/claim/{link}")
    assert page.status_code == 410
    assert "Send a new one" in page.text
    assert "m**@river.example.org" in browser.post(f"/claim/{link}/again").text
    text = mails_to(runtime, ADDRESS)[-1]
    assert "Claim your badges" in text
    assert browser.post(f"/claim/{link_to(runtime)}").status_code == 303


def test_a_link_to_an_address_that_the_network_has_changed_says_so(
    browser: TestClient, runtime: Runtime, stage: Stage
) -> None:
    link = link_to(runtime)
    stage.member(email=OTHER)
    page = browser.get(f"/claim/{link}")
    assert page.status_code == 410
    assert "now has a different address for you" in page.text
    assert "Send a new one" not in page.text


def test_a_link_to_an_address_with_an_account_asks_for_its_sign_in(browser: TestClient, runtime: Runtime) -> None:
    link, owner = link_to(runtime), account_with(runtime, ADDRESS)
    assert "This address has an account here." in browser.get(f"/claim/{link}").text
    assert browser.post(f"/claim/{link}").status_code == 409
    assert count(runtime, SignIn) == 0
    sign_in(browser, runtime, OTHER)
    assert "belongs to another account" in browser.get(f"/claim/{link}").text
    assert send(browser, f"/claim/{link}", f"/claim/{link}").status_code == 409
    browser.cookies.clear()
    sign_in(browser, runtime, ADDRESS)
    assert send(browser, f"/claim/{link}", f"/claim/{link}").status_code == 303
    assert holder_of(runtime) == owner


def test_who_is_signed_in_is_asked_before_an_address_is_added_to_their_account(
    browser: TestClient, runtime: Runtime
) -> None:
    link = link_to(runtime)
    sign_in(browser, runtime, OTHER)
    page = browser.get(f"/claim/{link}").text
    assert "This was issued to m**@river.example.org: claim it only if that is you." in page
    assert f"You are signed in with {OTHER}" in page
    answer = send(browser, f"/claim/{link}", f"/claim/{link}")
    assert (answer.status_code, answer.headers["location"]) == (303, "/claim/name")
    assert account_of(runtime, ADDRESS) == account_of(runtime, OTHER)


def test_somebody_who_signed_in_hours_ago_claims_with_a_link_too(
    browser: TestClient, runtime: Runtime, clock: Clock
) -> None:
    """Their sign-in is noted as used before the request holds the lock of SQLite."""
    link = link_to(runtime)
    sign_in(browser, runtime, OTHER)
    form = FORM.findall(browser.get(f"/claim/{link}").text)[0]
    clock.advance(hours=2)
    assert browser.post(f"/claim/{link}", data={"form": form}).status_code == 303
    assert holder_of(runtime) == account_of(runtime, OTHER)


def test_another_site_claims_nothing_in_somebodys_name(browser: TestClient, runtime: Runtime) -> None:
    link = link_to(runtime)
    elsewhere = {"Sec-Fetch-Site": "cross-site"}
    assert browser.post(f"/claim/{link}", headers=elsewhere).status_code == 403
    sign_in(browser, runtime, OTHER)
    assert browser.post(f"/claim/{link}").status_code == 403
    assert holder_of(runtime) is None


def test_the_address_is_told_and_undoes_the_claim_of_a_forwarded_mail(browser: TestClient, runtime: Runtime) -> None:
    link = link_to(runtime)
    browser.post(f"/claim/{link}")
    assert browser.get("/claim/address").status_code == 200
    assert "Your badges of River Writers" not in mails_to(runtime, ADDRESS)[0]
    back = undo_to(runtime)
    for _ in range(2):
        assert "That was not me" in browser.get(f"/claim/undo/{back}").text
    assert holder_of(runtime) is not None
    assert "The claim was undone" in browser.post(f"/claim/undo/{back}").text
    assert holder_of(runtime) is None
    assert browser.get("/claim/address").headers["location"].startswith("/sign-in")
    assert account_of(runtime, ADDRESS) is None
    assert browser.get(f"/claim/undo/{back}").status_code == 404
    assert "Send a new one" in browser.get(f"/claim/{link}").text


def test_a_second_address_is_proved_by_its_mail(browser: TestClient, runtime: Runtime) -> None:
    browser.post(f"/claim/{link_to(runtime)}")
    answer = send(browser, "/claim/address", "/claim/address", address=OTHER)
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in/code")
    code = mails_to(runtime, OTHER)[-1].partition("Or type this code there: ")[2][:7]
    assert browser.post("/sign-in/code", data={"code": code}).status_code == 303
    account_id = account_of(runtime, ADDRESS)
    assert account_id is not None
    assert addresses_of(runtime, account_id) == {ADDRESS, OTHER}


@pytest.mark.parametrize(("shown", "identifiers"), [("none", 1), ("hashed", 2), ("plain", 2)])
def test_a_name_is_put_on_the_badges_only_if_somebody_wants_it(
    browser: TestClient, runtime: Runtime, stage: Stage, shown: str, identifiers: int
) -> None:
    browser.post(f"/claim/{link_to(runtime)}")
    assert 'value="none" aria-describedby="name-none-hint" checked' in browser.get("/claim/name").text
    answer = send(browser, "/claim/name", "/claim/name", shown=shown, name="Quite Secret")
    assert (answer.status_code, answer.headers["location"]) == (303, "/claim/address")
    (award,) = stage.awards()
    signed = stage.credential(award)
    assert len(signed["credentialSubject"]["identifier"]) == identifiers
    assert ("Quite Secret" in str(signed)) == (shown == "plain")


@pytest.mark.parametrize(("name", "said"), [("  ", "Enter your name"), ("N" * 301, "up to 300 characters")])
def test_a_name_must_be_one(browser: TestClient, runtime: Runtime, name: str, said: str) -> None:
    browser.post(f"/claim/{link_to(runtime)}")
    page = send(browser, "/claim/name", "/claim/name", shown="hashed", name=name)
    assert page.status_code == 422
    assert said in page.text


@pytest.mark.parametrize(
    ("typed", "said"), [("nowhere", "Enter an email address"), (ADDRESS, "This address is already in your account.")]
)
def test_a_second_address_must_be_another_one(browser: TestClient, runtime: Runtime, typed: str, said: str) -> None:
    browser.post(f"/claim/{link_to(runtime)}")
    page = send(browser, "/claim/address", "/claim/address", address=typed)
    assert page.status_code == 422
    assert said in page.text


def test_a_code_on_paper_is_typed_by_somebody_signed_in(browser: TestClient, runtime: Runtime, stage: Stage) -> None:
    awarded(stage, "m13", None)
    code = code_for(runtime, "m13")
    assert browser.get("/claim").headers["location"] == "/sign-in?onward=/claim"
    sign_in(browser, runtime, OTHER)
    page = send(browser, "/claim", "/claim", code=code)
    assert "Claim it only if the network gave you this code." in page.text
    assert holder_of(runtime, "m13") is None
    form = FORM.findall(page.text)[0]
    answer = browser.post("/claim/on-paper", data={"form": form, "code": code})
    assert answer.status_code == 303
    assert holder_of(runtime, "m13") == account_of(runtime, OTHER)
    assert "You have claimed this already." in send(browser, "/claim", "/claim", code=code).text


def test_a_wrong_code_says_what_to_do_and_ten_are_tried_in_an_hour(browser: TestClient, runtime: Runtime) -> None:
    sign_in(browser, runtime, OTHER)
    answers = [send(browser, "/claim", "/claim", code="BCDF-GHJK-MNPQ-RTVW") for _ in range(11)]
    assert [answer.status_code for answer in answers] == [422] * 10 + [429]
    assert "There is no such code." in answers[0].text


def test_no_secret_of_a_claim_stands_in_a_row(runtime: Runtime, browser: TestClient) -> None:
    assert browser
    link = link_to(runtime)
    claimed_by_link(runtime, link)
    back = undo_to(runtime)
    with runtime.database.read() as session:
        rows = [*session.scalars(select(Claim)), *session.scalars(select(Person))]
        stored = " ".join(str(value) for row in rows for value in vars(row).values())
    assert link not in stored
    assert back not in stored
    assert ADDRESS not in stored
