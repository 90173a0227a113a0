"""Mails to people who have an account: the address, language and kinds of mails that they chose there."""

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from service.accounts import accounts
from service.notifications import expiring
from service.runtime.runtime import Runtime
from service.tables import Account, AccountAddress
from tests.worlds.awarding import Stage, once
from tests.worlds.runtimes import BASE_URL, Clock, app_of
from tests.worlds.signing_in import claim, mails_to

GIVEN, KEPT = "m11@school.example", "m11@home.example"


@once
def laid(stage: Stage) -> None:
    stage.achievement(award="reviewed")
    stage.achievement("yearly", award="reviewed", name="Yearly", valid_for="P1Y")
    stage.member("m11", name="Member 11", email=GIVEN)


@pytest.fixture
def stage(runtime: Runtime) -> Iterator[Stage]:
    client = TestClient(app_of(runtime), base_url=BASE_URL)
    stage = Stage.set_up(client, runtime)
    laid(stage)
    claim(runtime, stage.slug, "m11", GIVEN)
    yield stage
    client.close()


def choose(stage: Stage, language: str = "en", wanted: tuple[str, ...] = accounts.MAILS_TO_CHOOSE) -> None:
    """Have the person keep another address, and choose language and mails."""
    with stage.runtime.database.write() as session:
        account = session.scalars(select(Account)).one()
        accounts.with_address(session, KEPT, stage.runtime.now(), into=account)
        kept = session.scalars(select(AccountAddress).where(AccountAddress.value == KEPT)).one()
        accounts.keep(session, account, kept.id)
        accounts.choose_mails(account, language, wanted)


def about_badges(stage: Stage, address: str) -> list[str]:
    return [each for each in mails_to(stage.runtime, address) if "/credentials/" in each]


def test_a_mail_goes_to_the_address_that_the_person_keeps(stage: Stage) -> None:
    choose(stage)
    stage.recorded()
    assert len(about_badges(stage, KEPT)) == 1
    assert about_badges(stage, GIVEN) == []


def test_a_mail_is_written_in_the_language_that_the_person_chose(stage: Stage) -> None:
    choose(stage, "es")
    stage.recorded()
    [letter] = about_badges(stage, KEPT)
    assert letter.startswith("Hola")


def test_a_mail_that_the_person_does_not_want_is_not_sent_and_one_that_they_must_have_is(stage: Stage) -> None:
    choose(stage, wanted=())
    award = stage.recorded()
    assert about_badges(stage, KEPT) == []
    stage.send("POST", f"/v1/credentials/{award['credential']['id']}/revocation", {"reason": "Wrong member."})
    assert ["taken back" in each for each in about_badges(stage, KEPT)] == [True]


def test_nobody_who_does_not_want_it_is_told_that_a_badge_ends(stage: Stage, clock: Clock) -> None:
    choose(stage, wanted=("awarded",))
    stage.recorded("yearly", awarded_at=stage.runtime.now().isoformat())
    clock.advance(days=350)
    assert expiring.tell_of_ends(stage.runtime) == 0
    choose(stage)
    assert expiring.tell_of_ends(stage.runtime) == 1


def test_a_mail_to_a_member_without_an_account_goes_to_the_address_that_the_network_gave(stage: Stage) -> None:
    choose(stage, "es", wanted=())
    stage.member("m12", email="m12@school.example")
    stage.recorded(member="m12")
    [letter] = about_badges(stage, "m12@school.example")
    assert letter.startswith("Hello")


def test_a_server_that_knows_no_other_scripts_gets_the_domain_in_ascii(stage: Stage) -> None:
    stage.member("m12", email="m12@bücher.example")
    stage.recorded(member="m12")
    assert len(about_badges(stage, "m12@xn--bcher-kva.example")) == 1
