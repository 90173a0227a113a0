"""The page of an account: name, addresses, mails, sign-ins, joining two accounts, and deleting one."""

import re
from collections.abc import Iterable
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, select

from service.accounts import accounts
from service.accounts import sign_in as requests
from service.runtime.runtime import Runtime
from service.tables import Account, AccountAddress, Message, Person, Row, SignIn, SignInRequest
from service.tables.identifiers import new_id
from tests.worlds.runtimes import BASE_URL, Clock, app_of
from tests.worlds.signing_in import CODE, FORM, LINK, mails_to, send, sign_in, signed_in

HOME, SCHOOL, THIEF = "m11@home.example", "m11@school.example", "thief@elsewhere.example"


def add(browser: TestClient, runtime: Runtime, address: str) -> Any:
    """Add an address by the code of its mail; return the answer to the code."""
    assert send(browser, "/account", "/account/addresses", address=address).headers["location"] == "/sign-in/code"
    code = CODE.findall(mails_to(runtime, address)[-1])[-1]
    return browser.post("/sign-in/code", data={"code": code})


def rows(runtime: Runtime, row: type[Row]) -> list[Any]:
    with runtime.database.read() as session:
        return list(session.scalars(select(row)))


def own_person(runtime: Runtime, address: str) -> Any:
    """Have a person whose account has an address; return the person's id."""
    with runtime.database.write() as session:
        account = accounts.with_address(session, address, runtime.now())
        person = Person(id=new_id(), created_at=runtime.now(), account_id=account.id, claimed_at=runtime.now())
        session.add(person)
        return person.id


def number_of(runtime: Runtime, address: str) -> str:
    return next(str(row.id) for row in rows(runtime, AccountAddress) if row.value == address)


def values(found: Iterable[Any]) -> set[str]:
    return {row.value for row in found}


def notices(runtime: Runtime, address: str) -> list[str]:
    """Return the second paragraphs of the mails to an address that bear no code."""
    return [mail.replace("\r", "").split("\n\n")[1] for mail in mails_to(runtime, address) if not CODE.search(mail)]


@pytest.fixture
def at_home(browser: TestClient, runtime: Runtime) -> TestClient:
    """A browser in which somebody is signed in."""
    sign_in(browser, runtime, HOME)
    return browser


@pytest.mark.parametrize("path", ["", "/join", "/delete"])
def test_without_a_sign_in_the_page_leads_to_it(browser: TestClient, path: str) -> None:
    answer = browser.get(f"/account{path}")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/sign-in?onward=/account{path}")
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "path", ["name", "mails", "addresses", "addresses/x/keep", "addresses/x/remove", "sign-ins/x/end", "join", "delete"]
)
def test_a_form_without_the_secret_of_the_sign_in_changes_nothing(at_home: TestClient, path: str) -> None:
    assert at_home.post(f"/account/{path}", data={"form": "0" * 64}).status_code == 403


def test_a_name_is_kept_as_somebody_writes_it(at_home: TestClient, runtime: Runtime) -> None:
    for written in ("Иван Петров", "محمد بن علي", "李小龍", "Zoë 🏳️‍🌈", "x" * 300):
        assert send(at_home, "/account", "/account/name", name=written).status_code == 303
        assert rows(runtime, Account)[0].name == written
    assert send(at_home, "/account", "/account/name", name="  Ana\u202e\x00\r\n Li ").status_code == 303
    assert rows(runtime, Account)[0].name == "Ana Li"
    send(at_home, "/account", "/account/name", name=" \u200d ")
    assert rows(runtime, Account)[0].name is None


def test_a_name_of_more_than_300_characters_is_shown_again_with_the_reason(
    at_home: TestClient, runtime: Runtime
) -> None:
    answer = send(at_home, "/account", "/account/name", name="x" * 301)
    assert answer.status_code == 422
    assert "up to 300 characters" in answer.text
    assert rows(runtime, Account)[0].name is None


def test_mails_that_one_can_do_without_can_be_switched_off(at_home: TestClient, runtime: Runtime) -> None:
    send(at_home, "/account", "/account/mails", language="es", awarded="on", revoked="off")
    account = rows(runtime, Account)[0]
    assert (account.language, account.mails_off) == ("es", ["expiring", "guidelines"])
    send(at_home, "/account", "/account/mails", language="tlh", awarded="on", expiring="on", guidelines="on")
    account = rows(runtime, Account)[0]
    assert (account.language, account.mails_off) == ("es", [])


def test_an_address_is_added_by_the_code_that_was_mailed_there(at_home: TestClient, runtime: Runtime) -> None:
    answer = add(at_home, runtime, SCHOOL)
    assert answer.headers["location"] == "/account?done=address"
    assert {(row.value, row.kept) for row in rows(runtime, AccountAddress)} == {(HOME, True), (SCHOOL, False)}
    assert len(rows(runtime, Account)) == 1
    assert "was added" in notices(runtime, HOME)[0]
    assert notices(runtime, SCHOOL) == []


def test_who_was_signed_out_everywhere_adds_no_address_any_more(
    at_home: TestClient, other_browser: TestClient, runtime: Runtime
) -> None:
    sign_in(other_browser, runtime, HOME)
    send(at_home, "/account", "/account/addresses", address=THIEF)
    send(other_browser, "/account", "/account/sign-out-everywhere")
    [mail] = mails_to(runtime, THIEF)
    link, code = LINK.findall(mail)[0], CODE.findall(mail)[0]
    assert at_home.post("/sign-in/code", data={"code": code}).status_code == 409
    assert at_home.post(f"/sign-in/{link}").status_code == 409
    assert values(rows(runtime, AccountAddress)) == {HOME}
    assert "signed out" in notices(runtime, HOME)[0]


def test_an_account_has_ten_addresses_at_most(at_home: TestClient, runtime: Runtime) -> None:
    with runtime.database.write() as session:
        account = session.scalars(select(Account)).one()
        for number in range(9):
            accounts.with_address(session, f"m{number}@many.example", runtime.now(), into=account)
    assert add(at_home, runtime, SCHOOL).status_code == 409
    assert len(rows(runtime, AccountAddress)) == 10


def test_the_kept_address_is_chosen_and_another_one_kept_when_it_is_removed(
    at_home: TestClient, runtime: Runtime
) -> None:
    add(at_home, runtime, SCHOOL)
    send(at_home, "/account", f"/account/addresses/{number_of(runtime, SCHOOL)}/keep")
    assert {(row.value, row.kept) for row in rows(runtime, AccountAddress)} == {(HOME, False), (SCHOOL, True)}
    send(at_home, "/account", f"/account/addresses/{number_of(runtime, SCHOOL)}/remove")
    assert [(row.value, row.kept) for row in rows(runtime, AccountAddress)] == [(HOME, True)]


def test_an_address_that_is_removed_is_told_and_then_forgotten(
    at_home: TestClient, runtime: Runtime, clock: Clock
) -> None:
    add(at_home, runtime, SCHOOL)
    send(at_home, "/account", f"/account/addresses/{number_of(runtime, SCHOOL)}/remove")
    for address in (HOME, SCHOOL):
        assert "was removed" in notices(runtime, address)[-1]
    clock.advance(days=9)
    requests.forget_old(runtime)
    assert rows(runtime, SignInRequest) == []


def way_out_of(runtime: Runtime) -> str:
    return str(re.findall(r"/way-out/([\w-]{30,})", mails_to(runtime, SCHOOL)[-1])[0])


def test_an_address_that_is_removed_signs_everybody_out_by_a_button_and_once(
    at_home: TestClient, runtime: Runtime
) -> None:
    add(at_home, runtime, SCHOOL)
    send(at_home, "/account", f"/account/addresses/{number_of(runtime, SCHOOL)}/remove")
    secret, stranger = way_out_of(runtime), TestClient(app_of(runtime), base_url=BASE_URL)
    assert "That was not me" in stranger.get(f"/way-out/{secret}").text
    assert at_home.get("/account").status_code == 200
    assert stranger.post(f"/way-out/{secret}", headers={"Origin": "https://elsewhere.example"}).status_code == 403
    assert "Everybody is signed out" in stranger.post(f"/way-out/{secret}").text
    assert (rows(runtime, SignIn), values(rows(runtime, AccountAddress))) == ([], {HOME})
    assert "says that this was not them" in notices(runtime, HOME)[-1]
    for answer in (stranger.get(f"/way-out/{secret}"), stranger.post(f"/way-out/{secret}")):
        assert answer.status_code == 404
        assert "This link no longer works" in answer.text
    assert stranger.get(f"/sign-in/{secret}").status_code == 404


def test_after_seven_days_an_address_that_was_removed_signs_nobody_out(
    at_home: TestClient, runtime: Runtime, clock: Clock
) -> None:
    add(at_home, runtime, SCHOOL)
    send(at_home, "/account", f"/account/addresses/{number_of(runtime, SCHOOL)}/remove")
    secret, stranger = way_out_of(runtime), TestClient(app_of(runtime), base_url=BASE_URL)
    clock.advance(days=7)
    assert stranger.post(f"/way-out/{secret}").status_code == 404
    assert stranger.post("/way-out/wrong").status_code == 404
    assert at_home.get("/account").status_code == 200


def test_an_address_that_was_removed_does_not_hold_up_the_end_of_the_account(
    at_home: TestClient, runtime: Runtime
) -> None:
    add(at_home, runtime, SCHOOL)
    send(at_home, "/account", f"/account/addresses/{number_of(runtime, SCHOOL)}/remove")
    secret = way_out_of(runtime)
    send(at_home, "/account/delete", "/account/delete", sure="on")
    stranger = TestClient(app_of(runtime), base_url=BASE_URL)
    assert stranger.post(f"/way-out/{secret}").status_code == 404


def test_the_last_address_is_not_removed(at_home: TestClient, runtime: Runtime) -> None:
    answer = send(at_home, "/account", f"/account/addresses/{number_of(runtime, HOME)}/remove")
    assert answer.status_code == 409
    assert values(rows(runtime, AccountAddress)) == {HOME}


def test_nobody_changes_the_address_or_the_sign_in_of_another_account(
    at_home: TestClient, other_browser: TestClient, runtime: Runtime
) -> None:
    sign_in(other_browser, runtime, THIEF)
    theirs = number_of(runtime, HOME)
    for what in ("keep", "remove"):
        assert send(other_browser, "/account", f"/account/addresses/{theirs}/{what}").status_code == 404
    for row in rows(runtime, SignIn):
        send(other_browser, "/account", f"/account/sign-ins/{row.id}/end")
    assert len(rows(runtime, SignIn)) == 1  # the thief's own is gone
    assert at_home.get("/account").status_code == 200


def test_a_browser_is_signed_out_from_another_one(
    at_home: TestClient, other_browser: TestClient, runtime: Runtime
) -> None:
    other_browser.headers["User-Agent"] = "Mozilla/5.0 (Android 16; Mobile; rv:145.0) Gecko/145.0 Firefox/145.0"
    sign_in(other_browser, runtime, HOME)
    assert "Firefox, Android" in at_home.get("/account").text
    there = next(row.id for row in rows(runtime, SignIn) if row.browser == "Firefox, Android")
    send(at_home, "/account", f"/account/sign-ins/{there}/end")
    assert other_browser.get("/account").status_code == 303
    assert at_home.get("/account").status_code == 200


def test_signing_out_everywhere_leaves_only_this_browser(at_home: TestClient, runtime: Runtime) -> None:
    cookie = signed_in(runtime, HOME)
    send(at_home, "/account", "/account/sign-out-everywhere")
    assert at_home.get("/account").status_code == 200
    at_home.cookies.clear()
    assert at_home.get("/account", headers={"Cookie": cookie}).status_code == 303


def test_two_accounts_of_one_person_become_one(
    at_home: TestClient, other_browser: TestClient, runtime: Runtime
) -> None:
    sign_in(other_browser, runtime, SCHOOL)
    persons = {own_person(runtime, HOME), own_person(runtime, SCHOOL)}
    assert add(at_home, runtime, SCHOOL).headers["location"] == "/account/join"
    assert values(rows(runtime, AccountAddress)) == {HOME, SCHOOL}
    assert SCHOOL in at_home.get("/account/join").text
    assert send(at_home, "/account/join", "/account/join").headers["location"] == "/account?done=joined"
    [account] = rows(runtime, Account)
    assert {(row.id, row.account_id) for row in rows(runtime, Person)} == {(each, account.id) for each in persons}
    assert {(row.value, row.kept) for row in rows(runtime, AccountAddress)} == {(HOME, True), (SCHOOL, False)}
    assert other_browser.get("/account").status_code == 200  # as what is now the same account
    for address in (HOME, SCHOOL):
        assert "joined them" in notices(runtime, address)[-1]


def test_accounts_become_one_only_in_the_browser_that_proved_the_address_and_only_once(
    at_home: TestClient, other_browser: TestClient, runtime: Runtime, clock: Clock
) -> None:
    own_person(runtime, SCHOOL)
    add(at_home, runtime, SCHOOL)
    sign_in(other_browser, runtime, HOME)
    form = FORM.findall(other_browser.get("/account").text)[0]
    assert other_browser.post("/account/join", data={"form": form}).status_code == 404
    form = FORM.findall(at_home.get("/account").text)[0]
    clock.advance(minutes=15)
    assert at_home.post("/account/join", data={"form": form}).status_code == 404
    assert len(rows(runtime, Account)) == 2


def test_an_account_is_deleted_only_by_who_says_that_they_are_sure(at_home: TestClient, runtime: Runtime) -> None:
    person = own_person(runtime, HOME)
    assert send(at_home, "/account/delete", "/account/delete").status_code == 422
    assert send(at_home, "/account/delete", "/account/delete", sure="on").status_code == 200
    [left] = rows(runtime, Person)
    assert (left.id, left.account_id, left.claimed_at) == (person, None, None)
    assert [rows(runtime, row) for row in (Account, AccountAddress, SignIn)] == [[], [], []]
    assert at_home.get("/account").status_code == 303
    assert "was deleted" in notices(runtime, HOME)[-1]


def test_nothing_that_refers_to_accounts_is_left_with_one_that_is_gone(at_home: TestClient, runtime: Runtime) -> None:
    own_person(runtime, SCHOOL)
    add(at_home, runtime, SCHOOL)
    send(at_home, "/account/join", "/account/join")
    with runtime.database.read() as session:
        account = session.scalars(select(Account.id)).one()
        for table in Row.metadata.sorted_tables:
            for column in table.columns:
                if any(key.column.table is Account.__table__ for key in column.foreign_keys):
                    others = select(func.count()).select_from(table).where(column != account)
                    assert session.scalar(others) == 0, table.name


def test_notices_are_written_in_the_language_of_the_account(browser: TestClient, runtime: Runtime) -> None:
    browser.headers["Accept-Language"] = "es"
    sign_in(browser, runtime, HOME)
    assert rows(runtime, Account)[0].language == "es"
    add(browser, runtime, SCHOOL)
    mails_to(runtime, HOME)
    with runtime.database.read() as session:
        states = session.scalars(select(Message.state).where(Message.kind == "notice")).all()
    assert states == ["sent"]


@pytest.mark.parametrize("path", ["addresses", "addresses/x/remove", "join", "delete"])
def test_who_signed_in_long_ago_signs_in_again_before_others_could_take_the_account(
    at_home: TestClient, runtime: Runtime, clock: Clock, path: str
) -> None:
    clock.advance(minutes=61)
    answer = send(at_home, "/account", f"/account/{path}", address=THIEF, sure="on")
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?again=yes&onward=/account")
    assert mails_to(runtime, THIEF) == []
    assert values(rows(runtime, AccountAddress)) == {HOME}
    assert at_home.get("/account/delete").headers["location"] == "/sign-in?again=yes&onward=/account/delete"
    assert "Add the address" not in at_home.get("/account").text
    assert "You signed in some time ago" in at_home.get("/sign-in?again=yes&onward=/account").text
    sign_in(at_home, runtime, HOME)
    assert "Add the address" in at_home.get("/account").text
    assert len(rows(runtime, SignIn)) == 1
