"""What members are written when guidelines change that they had accepted."""

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import update

from service.runtime.runtime import Runtime
from service.tables import Account
from tests.worlds.agreeing import accept, hold, publish
from tests.worlds.awarding import Stage
from tests.worlds.my_badges import MINE, claimed, member_of
from tests.worlds.runtimes import BASE_URL, Clock
from tests.worlds.signing_in import mails_to

OTHER = "m12@river.example.org"


@pytest.fixture
def stage(client: TestClient, runtime: Runtime) -> Stage:
    stage = Stage.set_up(client, runtime)
    stage.member("m11", email=MINE)
    stage.member("m12", email=OTHER)
    publish(stage)
    return stage


def said(stage: Stage, address: str = MINE) -> str:
    """Return the one mail about guidelines to an address, on one line."""
    (text,) = [each for each in mails_to(stage.runtime, address) if "guidelines" in each or "pautas" in each]
    return " ".join(text.split())


def test_who_accepted_an_earlier_version_is_asked_again_and_others_are_not(stage: Stage) -> None:
    accept(stage)
    publish(stage, 2, change_note="Meetings are **confidential**.")
    mail = said(stage)
    assert "River Writers has changed its guidelines." in mail
    assert "What changed: Meetings are confidential." in mail
    assert f"Read the guidelines: {BASE_URL}/networks/river/guidelines" in mail
    assert mails_to(stage.runtime, OTHER) == []


def test_who_has_an_account_is_led_to_their_page(stage: Stage) -> None:
    claimed(stage)
    accept(stage)
    publish(stage, 2)
    page = f"{BASE_URL}/my-badges/members/{member_of(stage.runtime, 'm11')}/guidelines"
    assert f"Read and accept: {page}" in said(stage)


def test_the_mail_says_until_when_or_that_evidence_is_held(stage: Stage, clock: Clock) -> None:
    accept(stage)
    accept(stage, member="m12")
    hold(stage, grace_days=7)
    publish(stage, 2)
    assert "Please accept before 9 March 2026." in said(stage)
    stage.send("PATCH", "./guidelines/settings", {"grace_days": 0})
    clock.advance(hours=1)
    publish(stage, 3)
    newest = " ".join(mails_to(stage.runtime, OTHER)[-1].split())
    assert "What River Writers records about you does not count until you accept." in newest


def test_one_person_gets_one_mail(stage: Stage) -> None:
    stage.member("m11-again", email=MINE)
    accept(stage)
    accept(stage, member="m11-again")
    publish(stage, 2)
    assert "has changed its guidelines" in said(stage)


def test_who_accepts_before_it_is_sent_gets_none(stage: Stage) -> None:
    accept(stage)
    publish(stage, 2)
    accept(stage, 2)
    assert mails_to(stage.runtime, MINE) == []


def test_of_two_versions_at_once_one_mail_tells(stage: Stage) -> None:
    accept(stage)
    publish(stage, 2)
    publish(stage, 3)
    assert "What changed: What version 3 changes." in said(stage)


def test_who_does_not_want_such_mails_gets_none(stage: Stage, runtime: Runtime) -> None:
    claimed(stage)
    accept(stage)
    with runtime.database.write() as session:
        session.execute(update(Account).values(mails_off=["guidelines"]))
    publish(stage, 2)
    assert mails_to(stage.runtime, MINE) == []


def test_who_was_erased_gets_none(stage: Stage) -> None:
    accept(stage)
    publish(stage, 2)
    assert stage.call("DELETE", "./members/m11").is_success
    assert mails_to(stage.runtime, MINE) == []
