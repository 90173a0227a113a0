"""Asking to join a network: by whom, how often, what the network decides, and what stays of it."""

from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import delete, select, update

from service.accounts import belongings
from service.participation.joining import join_requests
from service.runtime.runtime import Runtime
from service.tables import Account, AccountAddress, Event, JoinRequest, Member, Person
from tests.worlds.acting import actor, told
from tests.worlds.awarding import Stage
from tests.worlds.claiming import account_with
from tests.worlds.my_badges import browser_of, done, member_of, shown
from tests.worlds.runtimes import BASE_URL, Clock, app_of
from tests.worlds.signing_in import send

ADDRESS = "somebody@hill.example.org"
MESSAGE = "I teach writing in grade 7, and want readers for my units."
FORM = "/networks/river/join"
MINE = "/my-badges/join-requests"
NOBODY = "00000000-0000-7000-8000-000000000000"
WHY = {"reason": "We are full until the summer."}


@pytest.fixture
def stage(runtime: Runtime) -> Stage:
    """A network that is in the public list and takes requests by the form."""
    stage = Stage.set_up(TestClient(app_of(runtime), base_url=BASE_URL), runtime)
    opened(stage)
    return stage


@pytest.fixture
def browser(runtime: Runtime, stage: Stage) -> TestClient:
    assert stage.runtime is runtime
    return browser_of(runtime, ADDRESS)


def opened(stage: Stage, **said: Any) -> None:
    stage.send("PUT", "./listing", {"listed": True, "joining": "form"} | said)
    stage.laid.clear()


def ask(runtime: Runtime, address: str = ADDRESS, slug: str = "river", **said: str) -> UUID:
    """Ask to join past the page; return the id of the request."""
    account_id = account_with(runtime, address)
    body = {"name": "Teacher 31", "message": MESSAGE, "address": address} | said
    with runtime.database.write() as session:
        return join_requests.ask(session, slug, account_id, body, runtime.now()).id


def decide(stage: Stage, request_id: UUID | str, how: str, body: Any, token: str | None = None) -> Any:
    return stage.call("POST", f"./join-requests/{request_id}/{how}", token, json=body)


def refusal(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def row_of(runtime: Runtime, request_id: UUID) -> JoinRequest:
    with runtime.database.read() as session:
        return session.get_one(JoinRequest, request_id)


# --- From the page to the member ---


def test_somebody_asks_on_the_page_and_becomes_a_member_in_their_account(stage: Stage, browser: TestClient) -> None:
    assert "Ask to join River Writers" in shown(browser, FORM)
    done(send(browser, FORM, FORM, name="Teacher 31", message=MESSAGE, address=ADDRESS), MINE)
    assert "The network has not decided yet." in shown(browser, MINE)
    (asked,) = stage.send("GET", "./join-requests", params={"state": "asked"})["items"]
    assert (asked["name"], asked["address"], asked["message"]) == ("Teacher 31", ADDRESS, MESSAGE)
    made = stage.send("POST", f"./join-requests/{asked['id']}/acceptance", {"ref": "m31"})
    assert (made["state"], made["member"]) == ("accepted", "m31")
    member = stage.send("GET", "./members/m31")
    assert (member["name"], member["email"]) == ("Teacher 31", ADDRESS)
    assert "You are a member." in shown(browser, MINE)
    assert "River Writers" in shown(browser, "/my-badges")
    shown(browser, f"/my-badges/members/{member_of(stage.runtime, 'm31')}/progress")
    assert told(stage.runtime, "river")[-4:-1] == ["join.asked", "member.posted", "member.claimed"]
    assert told(stage.runtime, "river")[-1] == "join.accepted"


def test_who_is_not_signed_in_is_led_to_the_sign_in_and_back(stage: Stage) -> None:
    answer = stage.client.get(FORM, headers={"Accept": "text/html"}, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/sign-in?onward={FORM}")


def test_somebody_is_declined_with_a_reason_and_can_ask_again_after_30_days(
    stage: Stage, browser: TestClient, clock: Clock
) -> None:
    request_id = ask(stage.runtime)
    assert decide(stage, request_id, "refusal", WHY).json()["reason"] == WHY["reason"]
    assert WHY["reason"] in shown(browser, MINE)
    assert "You can ask again 30 days after that." in shown(browser, FORM, status=409)
    clock.advance(days=31)
    later = browser_of(stage.runtime, ADDRESS)
    done(send(later, FORM, FORM, name="Teacher 31", message=MESSAGE, address=ADDRESS), MINE)


def test_somebody_takes_a_request_back_and_asks_again(stage: Stage, browser: TestClient) -> None:
    request_id = ask(stage.runtime)
    done(send(browser, MINE, f"{MINE}/{request_id}/withdrawal"), MINE)
    assert "You took it back" in shown(browser, MINE)
    assert told(stage.runtime, "river")[-1] == "join.withdrawn"
    done(send(browser, FORM, FORM, name="Teacher 31", message=MESSAGE, address=ADDRESS), MINE)


def test_what_was_said_is_gone_once_it_is_decided(stage: Stage) -> None:
    for n, (how, body) in enumerate((("acceptance", {"ref": "m31"}), ("refusal", WHY))):
        request_id = ask(stage.runtime, f"n{n}@hill.example.org")
        decide(stage, request_id, how, body)
        row = row_of(stage.runtime, request_id)
        assert (row.name, row.address, row.message) == ("", "", "")
        answer = stage.send("GET", f"./join-requests/{request_id}")
        assert answer.keys().isdisjoint({"name", "address", "message"})


def test_the_network_is_told_by_an_event_without_a_word_of_the_person(stage: Stage) -> None:
    request_id = ask(stage.runtime)
    with stage.runtime.database.read() as session:
        event = session.scalars(select(Event).where(Event.type == "join.asked")).one()
        assert event.about == {"join_request": str(request_id)}


# --- What is refused on the page ---


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"name": " "}, "Enter a name by which the network can call you."),
        ({"name": "x" * 101}, "A name can have up to 100 characters here."),
        ({"message": " \n "}, "Write a few words"),
        ({"message": "x" * 1001}, "A message can have up to 1,000 characters."),
        ({"address": "m11@river.example.org"}, "Choose an address of your account."),
        ({"address": ""}, "Choose an address of your account."),
    ],
)
def test_a_form_that_says_too_little_or_too_much_comes_back(
    browser: TestClient, said: dict[str, str], sentence: str
) -> None:
    filled = {"name": "Teacher 31", "message": MESSAGE, "address": ADDRESS} | said
    answer = send(browser, FORM, FORM, **filled)
    assert answer.status_code == 422
    assert sentence in answer.text
    if "name" not in said:
        assert 'value="Teacher 31"' in answer.text


def test_nobody_asks_twice(stage: Stage, browser: TestClient) -> None:
    ask(stage.runtime)
    assert "You have asked this network already." in shown(browser, FORM, status=409)
    assert "You have asked this network already." in refused_page(browser)


def test_a_member_cannot_ask(stage: Stage, browser: TestClient) -> None:
    stage.member("m31", email=ADDRESS)
    assert "You are a member of this network already." in shown(browser, FORM, status=409)


@pytest.mark.parametrize(
    ("joining", "sentence"),
    [("closed", "This network takes no requests."), ("website", "This network takes no requests here.")],
)
def test_a_network_that_takes_no_requests_says_so(
    stage: Stage, browser: TestClient, joining: str, sentence: str
) -> None:
    shown(browser, FORM)
    opened(stage, joining=joining)
    assert sentence in shown(browser, "/networks/river/join", status=409)


def test_a_network_that_is_not_listed_can_be_neither_seen_nor_asked(stage: Stage, browser: TestClient) -> None:
    shown(browser, FORM)
    opened(stage, listed=False)
    other = Stage.set_up(stage.client, stage.runtime, "hill")
    assert other.slug == "hill"
    for path in (FORM, "/networks/hill/join", "/networks/nowhere/join"):
        assert browser.get(path).status_code == 404
        assert send(browser, MINE_WITH_FORM, path, name="x", message="y", address=ADDRESS).status_code == 404


MINE_WITH_FORM = "/account"
"""A page with the secret of forms."""


def refused_page(browser: TestClient) -> str:
    answer = send(browser, MINE_WITH_FORM, FORM, name="Teacher 31", message=MESSAGE, address=ADDRESS)
    assert answer.status_code in {409, 429}, answer.text
    return str(answer.text)


def test_a_person_asks_up_to_five_networks_a_day(stage: Stage, browser: TestClient, clock: Clock) -> None:
    shown(browser, FORM)
    for n in range(5):
        other = Stage.set_up(stage.client, stage.runtime, f"hill-{n}")
        opened(other)
        ask(stage.runtime, slug=f"hill-{n}")
    assert "You can ask up to 5 networks a day." in refused_page(browser)
    clock.advance(days=1, minutes=1)
    ask(stage.runtime)


def test_too_many_open_requests_are_not_taken(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(join_requests, "MOST_OPEN", 1)
    ask(stage.runtime, "n1@hill.example.org")
    assert "Too many people wait" in shown(browser_of(stage.runtime, ADDRESS), FORM, status=409)


def test_a_form_from_elsewhere_is_refused(stage: Stage, browser: TestClient) -> None:
    answer = browser.post(FORM, data={"name": "x", "message": "y", "address": ADDRESS})
    assert answer.status_code == 403
    assert stage.send("GET", "./join-requests")["items"] == []


def test_nobody_takes_back_what_is_anothers_or_decided(stage: Stage, browser: TestClient) -> None:
    theirs = ask(stage.runtime, "n1@hill.example.org")
    assert send(browser, MINE_WITH_FORM, f"{MINE}/{theirs}/withdrawal").status_code == 404
    mine = ask(stage.runtime)
    decide(stage, mine, "refusal", WHY)
    assert send(browser, MINE_WITH_FORM, f"{MINE}/{mine}/withdrawal").status_code == 409


# --- What the network decides ---


def test_the_same_decision_again_gets_the_same_answer(stage: Stage) -> None:
    for n, (how, body) in enumerate((("acceptance", {"ref": "m31"}), ("refusal", WHY))):
        request_id = ask(stage.runtime, f"n{n}@hill.example.org")
        first = decide(stage, request_id, how, body)
        assert decide(stage, request_id, how, body).json() == first.json()


@pytest.mark.parametrize("ended", ["accepted", "declined", "withdrawn"])
def test_what_is_over_is_not_decided_again(stage: Stage, ended: str) -> None:
    request_id = ask(stage.runtime)
    if ended == "accepted":
        decide(stage, request_id, "acceptance", {"ref": "m31"})
    elif ended == "declined":
        decide(stage, request_id, "refusal", WHY)
    else:
        with stage.runtime.database.write() as session:
            account_id = session.get_one(JoinRequest, request_id).account_id
            join_requests.withdraw(session, request_id, account_id, stage.runtime.now())
    if ended != "declined":
        assert refusal(decide(stage, request_id, "refusal", WHY)) == (409, "join-decided")
    assert refusal(decide(stage, request_id, "acceptance", {"ref": "m32"})) == (409, "join-decided")


def test_a_ref_of_somebody_else_is_refused(stage: Stage) -> None:
    stage.member("m11", email="m11@river.example.org")
    request_id = ask(stage.runtime)
    answer = decide(stage, request_id, "acceptance", {"ref": "m11"})
    assert (*refusal(answer), answer.json()["pointer"]) == (409, "join-ref-taken", "/ref")
    assert "email" in stage.send("GET", "./members/m11")
    assert stage.send("GET", f"./join-requests/{request_id}")["state"] == "asked"


def test_who_became_a_member_since_is_accepted_under_the_ref_of_that_member(stage: Stage) -> None:
    request_id = ask(stage.runtime)
    stage.member("m40", email=ADDRESS)
    answer = decide(stage, request_id, "acceptance", {"ref": "m31"})
    assert refusal(answer) == (409, "member-already")
    assert "m40" in answer.json()["detail"]
    assert decide(stage, request_id, "acceptance", {"ref": "m40"}).json()["member"] == "m40"
    assert stage.call("GET", "./members/m31").status_code == 404


def test_an_address_that_left_the_account_is_not_given_to_the_member(stage: Stage) -> None:
    request_id = ask(stage.runtime)
    with stage.runtime.database.write() as session:
        found = session.scalars(select(AccountAddress)).one()
        session.add(
            AccountAddress(account_id=found.account_id, value="new@hill.example.org", proved_at=found.proved_at)
        )
        session.execute(delete(AccountAddress).where(AccountAddress.id == found.id))
    decide(stage, request_id, "acceptance", {"ref": "m31"})
    assert stage.send("GET", "./members/m31")["email"] == "new@hill.example.org"


def test_nobody_accepts_themself(stage: Stage) -> None:
    stage.member("f1", email="f1@river.example.org", roles=["facilitator"])
    stage.member("m50")
    request_id = ask(stage.runtime)
    with stage.runtime.database.write() as session:  # m50 turns out to be the person of the account
        account_id = session.get_one(JoinRequest, request_id).account_id
        person = Person(created_at=stage.runtime.now(), account_id=account_id, claimed_at=stage.runtime.now())
        session.add(person)
        session.flush()
        member = stage_member(session, "m50")
        member.person_id = person.id
    stage.laid.clear()
    own = stage.token_with("members:write", member="m50")
    for how, body in (("acceptance", {"ref": "m50"}), ("refusal", WHY)):
        assert refusal(decide(stage, request_id, how, body, own)) == (403, "self-decision")
    other = stage.token_with("members:write", member="f1")
    assert decide(stage, request_id, "acceptance", {"ref": "m50"}, other).status_code == 200


def stage_member(session: Any, ref: str) -> Any:
    return session.scalars(select(Member).where(Member.ref == ref)).one()


def test_another_network_and_a_wrong_id_find_nothing(stage: Stage) -> None:
    request_id = ask(stage.runtime)
    Stage.set_up(stage.client, stage.runtime, "hill")
    hill = actor(stage.runtime, stage.client, slug="hill")
    assert refusal(hill.get(f"/v1/networks/hill/join-requests/{request_id}")) == (404, "join-request-unknown")
    assert refusal(hill.get("/v1/networks/river/join-requests")) == (404, "network-unknown")
    assert refusal(hill.post(f"/v1/networks/hill/join-requests/{request_id}/refusal", WHY)) == (
        404,
        "join-request-unknown",
    )
    assert refusal(decide(stage, NOBODY, "acceptance", {"ref": "m31"})) == (404, "join-request-unknown")


def test_a_token_without_the_scope_neither_decides_nor_reads_addresses(stage: Stage) -> None:
    request_id = ask(stage.runtime)
    reads = stage.token_with("read:basic")
    assert refusal(decide(stage, request_id, "refusal", WHY, reads)) == (403, "scope-missing")
    assert "address" not in stage.send("GET", f"./join-requests/{request_id}", token=reads)
    assert refusal(stage.call("GET", "./join-requests", stage.token_with("members:write"))) == (403, "scope-missing")


# --- What stays ---


def test_requests_go_with_their_account(stage: Stage) -> None:
    request_id = ask(stage.runtime)
    with stage.runtime.database.write() as session:
        account_id = session.get_one(JoinRequest, request_id).account_id
        belongings.let_go(session, account_id)
        session.execute(delete(Account).where(Account.id == account_id))
    assert stage.send("GET", "./join-requests")["items"] == []
    assert refusal(decide(stage, request_id, "refusal", WHY)) == (404, "join-request-unknown")


def test_accounts_that_become_one_keep_one_open_request(stage: Stage) -> None:
    first, second = ask(stage.runtime), ask(stage.runtime, "n1@hill.example.org")
    with stage.runtime.database.write() as session:
        one, other = (session.get_one(JoinRequest, each).account_id for each in (first, second))
        session.execute(
            update(AccountAddress).where(AccountAddress.account_id == other).values(kept=False)
        )  # as `accounts.joining` does
        belongings.move(session, other, one)
    (left,) = stage.send("GET", "./join-requests")["items"]
    assert left["id"] == str(first)


def test_the_erasure_of_a_member_takes_their_requests_with_it(stage: Stage) -> None:
    request_id = ask(stage.runtime)
    decide(stage, request_id, "acceptance", {"ref": "m31"})
    stage.send("DELETE", "./members/m31", token=stage.token_with("members:erase"))
    assert stage.send("GET", "./join-requests")["items"] == []


def test_a_network_that_was_closed_does_not_decide_and_the_person_is_told(stage: Stage, browser: TestClient) -> None:
    request_id = ask(stage.runtime)
    actor(stage.runtime, stage.client).post("/v1/networks/river/closure")
    assert refusal(decide(stage, request_id, "acceptance", {"ref": "m31"})) == (409, "network-closed")
    assert "The network was closed before it decided." in shown(browser, MINE)
    done(send(browser, MINE, f"{MINE}/{request_id}/withdrawal"), MINE)
