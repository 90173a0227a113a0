"""Somebody has everything about them erased, in all networks: badges end, their pages say only that, nothing is left."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Thread
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, select

from service.accounts import accounts, sign_in
from service.checking import verification
from service.console.own_data import erasing_everywhere
from service.errors import CustodyError
from service.issuing import status_lists
from service.runtime.runtime import Runtime
from service.tables import (
    Account,
    Contribution,
    Credential,
    Member,
    Opening,
    Passkey,
    Person,
    Row,
    ShownLink,
    SignIn,
    WantedErasure,
)
from service.tables.identifiers import new_id
from service.texts.languages import ENGLISH
from tests.worlds.acting import actor
from tests.worlds.awarding import Stage
from tests.worlds.claiming import account_of, link_to
from tests.worlds.collecting import Collector, anybody, authority_link, earn
from tests.worlds.my_badges import browser_of, shown
from tests.worlds.presenting import present, row_of, see
from tests.worlds.runtimes import Clock
from tests.worlds.signing_in import claim, mails_to, send

MINE, NAME, WORDS = "planted.person@river.example.org", "Planted Person", "planted words"
PLANTED = (MINE, "planted.person", NAME, WORDS)
PAGE = "/account/data/erasure"


@pytest.fixture
def river(runtime: Runtime, client: TestClient) -> Stage:
    """A network that knows the person, and another member."""
    stage = Stage.set_up(client, runtime)
    stage.member("m11", email=MINE, name=NAME)
    stage.member("m12", email="m12@river.example.org")
    return stage


@pytest.fixture
def hill(river: Stage) -> Stage:
    """Another network that knows the person."""
    stage = Stage.set_up(river.client, river.runtime, "hill", name="Hill Readers")
    stage.member("h1", email=MINE, name=NAME)
    return stage


@pytest.fixture
def badges(river: Stage, hill: Stage) -> list[str]:
    """A badge in each network, claimed by one account; one bears the name, one is private."""
    made = [earn(river, "writer"), earn(hill, "reader", "h1")]
    river.share(1, description=WORDS)
    for stage, ref in ((river, "m11"), (hill, "h1")):
        claim(stage.runtime, stage.slug, ref, MINE)
    present(river.runtime, made[0], name_shown="plain", name=NAME)
    see(river.runtime, made[1], "private")
    return made


def erase(stage: Stage, browser: TestClient | None = None, word: str = "erase") -> Any:
    return send(browser or browser_of(stage.runtime, MINE), PAGE, PAGE, word=word)


def count(runtime: Runtime, table: type[Row]) -> int:
    with runtime.database.read() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def found_in_tables(runtime: Runtime) -> dict[str, list[str]]:
    found = {}
    with runtime.database.read() as session:
        for name, table in Row.metadata.tables.items():
            content = repr([tuple(row) for row in session.execute(select(table))])
            found[name] = [planted for planted in PLANTED if planted in content]
    return {name: each for name, each in found.items() if each}


def passkey_of(runtime: Runtime) -> None:
    with runtime.database.write() as session:
        account = accounts.with_address(session, MINE, runtime.now())
        key = {"credential_id": "c", "handle": "h", "public_key": b"k", "sign_count": 0}
        session.add(Passkey(id=new_id(), account_id=account.id, name=WORDS, added_at=runtime.now(), **key))


# --- What goes ----------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("badges")
def test_the_page_says_before_what_goes_with_the_numbers_and_what_a_copy_then_means(river: Stage) -> None:
    river.send("POST", "./achievements", {"ref": "other", "publish": True} | OTHER)
    hers = river.token_with("cases:write", member="m11")
    river.send("POST", "./cases", {"achievement": "other", "statement": WORDS}, token=hers)
    page = shown(browser_of(river.runtime, MINE), PAGE)
    assert "You are in 2 networks. You have 2 badges." in page
    assert '<strong dir="auto">River Writers</strong>: 1 badge' in page
    assert "1 appeal of yours is still open. It ends without a decision." in page
    assert "We cannot call back copies." in page
    assert "says only that it was erased, and that it is revoked" in page
    assert found_in_tables(river.runtime).keys() >= {
        "members",
        "identities",
        "record_bodies",
        "credentials",
        "accounts",
    } - {"accounts"}


OTHER = {
    "name": "Other",
    "description": "D.",
    "achievement_type": "Badge",
    "criteria": {"narrative": "N.", "rule": {"rule": "count", "gte": 500}},
    "award": "reviewed",
}


def test_nothing_is_left_in_any_table_but_the_last_mail_and_soon_that_is_gone_too(
    river: Stage, clock: Clock, badges: list[str]
) -> None:
    passkey_of(river.runtime)
    who = Collector.enter(river.client, river.runtime, MINE)
    who.call_oneself(NAME)
    collection = who.make("My year", badges[0])
    authority_link(who, badge=badges[0])
    answer = erase(river)
    assert answer.status_code == 200, answer.text
    assert "Everything about you was erased" in answer.text
    assert found_in_tables(river.runtime) == {"sign_in_requests": [MINE, "planted.person"]}
    (last,) = mails_to(river.runtime, MINE)
    assert "This is our last email to this address" in re.sub(r"\s+", " ", last)
    assert anybody(river, f"/collections/{collection}").status_code == 404
    for table in (Account, SignIn, Passkey, ShownLink, Opening, WantedErasure):
        assert count(river.runtime, table) == 0
    clock.advance(days=10)
    sign_in.forget_old(river.runtime)
    assert found_in_tables(river.runtime) == {}


@pytest.mark.parametrize("number", [0, 1])
@pytest.mark.parametrize(
    "ending", ["", ".json", ".jwt", ".png", ".svg", ".pdf", ".zip", ".bundle", "/share", "/card", "/qr.svg"]
)
def test_each_address_of_an_erased_badge_says_gone_and_nothing_else(
    river: Stage, badges: list[str], number: int, ending: str
) -> None:
    erase(river)
    answer = river.client.get(f"/credentials/{badges[number]}{ending}", headers={"Accept": "text/html"})
    assert answer.status_code == 410
    assert "This badge was erased" in answer.text
    assert not [each for each in (*PLANTED, "Writer", "Reader", "River", "Hill") if each in answer.text]


def test_a_program_is_told_the_status_of_an_erased_badge(river: Stage, badges: list[str]) -> None:
    erase(river)
    answer = river.client.get(f"/credentials/{badges[0]}", headers={"Accept": "application/json"})
    said = answer.json()
    assert (answer.status_code, said["code"], said["credential_status"]) == (410, "credential-erased", "revoked")
    embedded = river.client.get("/oembed", params={"url": f"http://localhost:8000/credentials/{badges[0]}"})
    assert embedded.status_code == 410


def test_a_copy_that_was_given_out_is_revoked_by_the_published_list(river: Stage, badges: list[str]) -> None:
    copies = [row_of(river.runtime, each).signed for each in badges]
    assert verification.verify_received(river.runtime, copies[0].encode()).verdict == "verified"
    erase(river)
    for copy in copies:
        report = verification.verify_received(river.runtime, copy.encode())
        assert report.verdict == "rejected"
        assert "credential-revoked" in str(report)


@pytest.mark.usefixtures("badges")
def test_each_network_is_told_by_its_events_and_keeps_what_counts_without_what_it_said(
    river: Stage, hill: Stage
) -> None:
    rows = count(river.runtime, Contribution)
    erase(river)
    assert count(river.runtime, Contribution) == rows
    for stage in (river, hill):
        told = [each["type"] for each in stage.send("GET", "./events")["items"]]
        assert {"member.erased", "credential.declined", "member.released"} <= set(told)
        assert "credential.revoked" not in told
        (award,) = stage.awards()
        assert award["state"] == "revoked"
    assert river.send("GET", "./members/m11")["erased_at"]
    river.share(2, "m12")


def test_a_badge_that_the_network_revoked_before_is_erased_too(river: Stage, badges: list[str]) -> None:
    river.send("POST", f"/v1/credentials/{badges[0]}/revocation", {"reason": WORDS})
    erase(river)
    row = row_of(river.runtime, badges[0])
    assert row.erased_at is not None
    assert row.declined_at is None
    assert found_in_tables(river.runtime).keys() == {"sign_in_requests"}


@pytest.mark.usefixtures("badges")
def test_two_refs_of_one_person_go_together(river: Stage) -> None:
    river.member("m11-again", email=MINE, name=NAME)
    erase(river)
    with river.runtime.database.read() as session:
        erased = session.scalars(select(Member.ref).where(Member.erased_at.is_not(None), Member.ref.startswith("m11")))
        assert sorted(erased) == ["m11", "m11-again"]
    assert found_in_tables(river.runtime).keys() == {"sign_in_requests"}


@pytest.mark.usefixtures("badges")
def test_nothing_of_others_is_touched(river: Stage) -> None:
    other = earn(river, "helper", "m12")
    erase(river)
    assert river.client.get(f"/credentials/{other}.json").status_code == 200
    assert river.send("GET", "./members/m12")["email"] == "m12@river.example.org"


@pytest.mark.usefixtures("client")
def test_somebody_without_badges_can_erase_their_account(runtime: Runtime) -> None:
    answer = send(browser_of(runtime, MINE), PAGE, PAGE, word=" Erase ")
    assert answer.status_code == 200
    assert count(runtime, Account) == 0


def test_what_waits_to_be_claimed_is_named_before_and_stays(river: Stage, hill: Stage) -> None:
    claim(river.runtime, "river", "m11", MINE)
    page = shown(browser_of(river.runtime, MINE), PAGE)
    assert "wait for you to claim them. They are not erased." in page
    erase(river)
    assert "erased_at" not in hill.send("GET", "./members/h1")


# --- Who may, and how it is meant -----------------------------------------------------------------------------------------


@pytest.mark.usefixtures("badges")
def test_without_the_word_nothing_is_erased(river: Stage) -> None:
    before = found_in_tables(river.runtime)
    answer = erase(river, word="yes")
    assert answer.status_code == 422
    assert "Type the word exactly as it is shown. Nothing was erased." in answer.text
    assert count(river.runtime, WantedErasure) == 0
    assert found_in_tables(river.runtime).keys() == before.keys() | {"account_addresses"}


@pytest.mark.usefixtures("badges")
def test_who_signed_in_long_ago_signs_in_again_first(river: Stage, clock: Clock) -> None:
    browser = browser_of(river.runtime, MINE)
    form = re.findall(r'name="form" value="([0-9a-f]+)"', browser.get(PAGE).text)[0]
    clock.advance(hours=2)
    assert browser.get(PAGE).headers["location"] == f"/sign-in?again=yes&onward={PAGE}"
    answer = browser.post(PAGE, data={"form": form, "word": "erase"})
    assert answer.headers["location"].startswith("/sign-in?again=yes")
    assert browser.get("/account/data").headers["location"] == "/sign-in?again=yes&onward=/account/data"
    assert count(river.runtime, Account) == 1


@pytest.mark.usefixtures("badges")
def test_a_form_of_another_site_erases_nothing(river: Stage) -> None:
    browser = browser_of(river.runtime, MINE)
    assert browser.post(PAGE, data={"word": "erase"}).status_code == 403
    assert count(river.runtime, Account) == 1


@pytest.mark.usefixtures("badges")
def test_a_closed_network_erases_too(river: Stage) -> None:
    actor(river.runtime, river.client).post("/v1/networks/river/closure")
    assert "Everything about you was erased" in erase(river).text


# --- What fails, and what happens at the same time ------------------------------------------------------------------------


@pytest.fixture
def keyless(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], pytest.MonkeyPatch]:
    """Let the keys of one network be unusable, until it is undone."""
    publish = status_lists.publish

    def without(slug: str) -> pytest.MonkeyPatch:
        def refuse(act: Any, *given: Any) -> None:
            if act.network.slug == slug:
                raise CustodyError("custody-unavailable", "The keys cannot be used.")
            publish(act, *given)

        monkeypatch.setattr(status_lists, "publish", refuse)
        return monkeypatch

    return without


def test_a_network_whose_keys_cannot_be_used_waits_whole_and_upkeep_goes_on(
    river: Stage, hill: Stage, clock: Clock, badges: list[str], keyless: Callable[[str], pytest.MonkeyPatch]
) -> None:
    broken = keyless("river")
    browser = browser_of(river.runtime, MINE)
    answer = erase(river, browser)
    assert (answer.status_code, answer.headers["location"]) == (303, "/account/data")
    page = shown(browser, "/account/data")
    assert "It is not done yet" in page
    assert "<li>River Writers</li>" in page
    assert "Hill Readers" not in page
    assert hill.send("GET", "./members/h1")["erased_at"]
    assert river.send("GET", "./members/m11")["name"] == NAME
    assert river.client.get(f"/credentials/{badges[0]}.json").status_code == 200
    clock.advance(minutes=2)
    assert erasing_everywhere.carry_on(river.runtime) == 0
    broken.undo()
    assert erasing_everywhere.carry_on(river.runtime) == 0, "it is not due yet"
    clock.advance(minutes=15)
    assert erasing_everywhere.carry_on(river.runtime) == 1
    assert found_in_tables(river.runtime).keys() == {"sign_in_requests"}
    assert river.client.get(f"/credentials/{badges[0]}.json").status_code == 410
    assert mails_to(river.runtime, MINE)


@pytest.mark.usefixtures("badges")
def test_what_a_process_left_that_died_is_done_after_a_while(river: Stage, clock: Clock) -> None:
    account = account_of(river.runtime, MINE)
    assert account is not None
    with river.runtime.database.write() as session:
        erasing_everywhere.ask(session, account, "erase", ENGLISH, river.runtime.now())
    assert erasing_everywhere.carry_on(river.runtime) == 0
    clock.advance(minutes=11)
    assert erasing_everywhere.carry_on(river.runtime) == 1
    assert found_in_tables(river.runtime).keys() == {"sign_in_requests"}


@pytest.mark.usefixtures("badges")
def test_in_two_windows_it_is_done_once(river: Stage) -> None:
    first, second = browser_of(river.runtime, MINE), browser_of(river.runtime, MINE)
    form = re.findall(r'name="form" value="([0-9a-f]+)"', second.get(PAGE).text)[0]
    assert erase(river, first).status_code == 200
    again = second.post(PAGE, data={"form": form, "word": "erase"})
    assert (again.status_code, "You are signed out" in again.text) == (401, True)
    assert len([each for each in river.send("GET", "./events")["items"] if each["type"] == "member.erased"]) == 1


@pytest.mark.usefixtures("badges")
def test_two_at_the_same_moment_erase_once(river: Stage) -> None:
    account = account_of(river.runtime, MINE)
    assert account is not None
    done: list[bool] = []
    both = [Thread(target=lambda: done.append(erasing_everywhere.carry_out(river.runtime, account))) for _ in range(2)]
    for each in both:
        each.start()
    for each in both:
        each.join()
    assert done == [True, True]
    assert len([each for each in river.send("GET", "./events")["items"] if each["type"] == "member.erased"]) == 1
    assert len(mails_to(river.runtime, MINE)) == 1


@pytest.mark.usefixtures("badges")
def test_a_badge_that_is_being_earned_meanwhile_is_not_signed_afterwards(river: Stage) -> None:
    river.achievement("sharer", cooling_off="P3D")
    river.share(2)
    assert [each["state"] for each in river.awards(achievement="sharer")] == ["pending"]
    erase(river)
    assert [each["state"] for each in river.awards(achievement="sharer")] == ["revoked"]
    with river.runtime.database.read() as session:
        assert session.scalars(select(Credential.id).where(Credential.erased_at.is_(None))).all() == []


def test_a_claim_that_is_open_leads_to_nothing_afterwards(river: Stage) -> None:
    earn(river, "writer")
    link = link_to(river.runtime, MINE)
    claim(river.runtime, "river", "m11", MINE)
    erase(river)
    with river.runtime.database.read() as session:
        assert session.scalars(select(Person.account_id).where(Person.account_id.is_not(None))).all() == []
    page = browser_of(river.runtime, "m12@river.example.org").get(f"/claim/{link}")
    assert page.status_code in {404, 410}
    assert not [each for each in PLANTED if each in page.text]


def test_what_is_claimed_while_the_erasure_waits_is_erased_too(
    river: Stage, hill: Stage, clock: Clock, keyless: Callable[[str], pytest.MonkeyPatch]
) -> None:
    badge = earn(river, "writer")
    assert badge
    claim(river.runtime, "river", "m11", MINE)
    broken = keyless("river")
    erase(river)
    claim(hill.runtime, "hill", "h1", MINE)
    broken.undo()
    clock.advance(minutes=2)
    assert erasing_everywhere.carry_on(river.runtime) == 1
    assert hill.send("GET", "./members/h1")["erased_at"]


@pytest.mark.usefixtures("clock", "badges")
def test_an_account_that_became_part_of_another_takes_nothing_along(river: Stage) -> None:
    with river.runtime.database.write() as session:
        row = {"language": "en", "asked_at": river.runtime.now(), "due_at": river.runtime.now()}
        session.add(WantedErasure(account_id=new_id(), attempts=0, **row))
    assert erasing_everywhere.carry_on(river.runtime) == 1
    assert count(river.runtime, WantedErasure) == 0
    assert river.send("GET", "./members/m11")["name"] == NAME


@pytest.mark.usefixtures("hill", "clock")
def test_one_erasure_that_fails_in_a_way_nobody_knows_keeps_no_other_waiting(
    river: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[datetime] = []
    with river.runtime.database.write() as session:
        for n in range(2):
            at = river.runtime.now() - timedelta(minutes=n + 1)
            row = {"language": "en", "asked_at": at, "due_at": at}
            session.add(WantedErasure(account_id=new_id(), attempts=0, **row))

    def fail(*_: Any) -> bool:
        asked.append(river.runtime.now())
        raise ZeroDivisionError

    monkeypatch.setattr(erasing_everywhere, "carry_out", fail)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            erasing_everywhere.carry_on(river.runtime)
    assert erasing_everywhere.carry_on(river.runtime) == 0
    assert len(asked) == 2


def test_what_a_network_erases_by_itself_leaves_badges_good(river: Stage, badges: list[str]) -> None:
    river.send("DELETE", "./members/m11")
    assert river.client.get(f"/credentials/{badges[0]}.json").status_code == 200
    assert row_of(river.runtime, badges[0]).erased_at is None
