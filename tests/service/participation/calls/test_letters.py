"""What applicants are told by mail, and what is left of an application when its person is erased."""

from zipfile import ZipFile

import pytest
from sqlalchemy import func, select

from service.accounts import joining
from service.console.own_data import exporting
from service.notifications import mail
from service.runtime.runtime import Runtime
from service.tables import (
    Account,
    CallApplication,
    CallApplicationText,
    CallDecision,
    CallLock,
    CallQuestion,
    Member,
    Message,
)
from service.texts.languages import LANGUAGES
from tests.worlds.awarding import Stage
from tests.worlds.calling import CALL, STRANGER, applied, applied_outside, decided, posted, stage_of
from tests.worlds.claiming import account_with
from tests.worlds.runtimes import Clock
from tests.worlds.signing_in import claim, mails_to

ADDRESS = "m11@river.example.org"
WHY = "Two others know this topic better."


@pytest.fixture
def stage(runtime: Runtime) -> Stage:
    stage = stage_of(runtime)
    posted(stage, open_to="anybody")
    return stage


@pytest.fixture
def leads(stage: Stage) -> str:
    return stage.token_with("members:write", "read", member="f1")


def answered(stage: Stage, application: object) -> None:
    there = f"./call-applications/{application}/questions"
    question = stage.send("POST", there, {"question": "What could I do?"})["id"]
    stage.send("POST", f"{there}/{question}/answer", {"answer": "Come to a meeting."})


def test_an_applicant_is_told_of_the_decision_and_where_to_read_why(stage: Stage, leads: str, runtime: Runtime) -> None:
    made = applied(stage)
    decided(stage, made["id"], leads, "declined", reason=WHY)
    (text,) = mails_to(runtime, ADDRESS)
    assert "You were not chosen. A person decided so, and gave a reason." in text
    assert "Ask River Writers: https://" in text
    assert WHY not in text
    claim(runtime, "river", "m11", ADDRESS)
    answered(stage, made["id"])
    text = mails_to(runtime, ADDRESS)[-1]
    with runtime.database.read() as session:
        member_id = session.scalars(select(Member.id).where(Member.ref == "m11")).one()
    assert f"/my-badges/members/{member_id}/calls/mentors" in text
    assert "The network has answered your question." in text
    assert "Come to a meeting." not in text


def test_a_decision_that_was_changed_before_the_mail_was_sent_is_told_once(
    stage: Stage, leads: str, runtime: Runtime
) -> None:
    made = applied(stage)
    decided(stage, made["id"], leads, "declined", reason=WHY)
    decided(stage, made["id"], leads)
    (text,) = mails_to(runtime, ADDRESS)
    assert "You were accepted." in text


def test_a_person_who_is_no_member_is_told_in_their_language_at_the_address_that_they_keep(
    stage: Stage, leads: str, runtime: Runtime
) -> None:
    made = applied_outside(runtime)
    account_id = account_with(runtime, STRANGER)
    with runtime.database.write() as session:
        session.get_one(Account, account_id).language = "es"
    decided(stage, made, leads, "waiting")
    (text,) = mails_to(runtime, STRANGER)
    assert "/calls/river/mentors" in text
    assert LANGUAGES["es"].gettext("See your application") in text


def test_who_has_no_address_gets_no_mail(stage: Stage, leads: str, runtime: Runtime) -> None:
    decided(stage, applied(stage, "m12")["id"], leads)
    assert mail.send_due(runtime) == 0


def rows(runtime: Runtime) -> dict[str, int]:
    """Return how many rows hold words of people about applications, and how many mails about them there are."""
    with runtime.database.read() as session:
        said = (
            *(CallApplicationText.application_id, CallQuestion.id, CallDecision.reason, CallLock.reason),
            Message.call_application_id,
        )
        return {str(column): session.scalar(select(func.count(column))) or 0 for column in said}


def prepared(stage: Stage, leads: str, application: object) -> None:
    """Let somebody be left out of a proposal, declined, and answered."""
    applied(stage, "m12")
    stage.send("POST", f"{CALL}/proposals", {"exclude": [{"application": str(application), "reason": WHY}]})
    decided(stage, application, leads, "declined", reason=WHY)
    answered(stage, application)


def test_nothing_that_people_wrote_is_left_of_a_member_who_is_erased(
    stage: Stage, leads: str, runtime: Runtime
) -> None:
    made = applied(stage)["id"]
    prepared(stage, leads, made)
    assert sorted(rows(runtime).values()) == [1, 1, 1, 2, 2]
    assert stage.send("DELETE", "./members/m11")["erases"]["applications"] == 1
    assert rows(runtime) == {name: int(name.endswith("Text.application_id")) for name in rows(runtime)}
    found = stage.send("GET", f"./call-applications/{made}")
    assert (found["state"], found["decisions"][0].get("reason")) == ("declined", None)
    assert stage.send("GET", f"{CALL}/proposals")["items"][0]["locks"] == [{"application": made, "kind": "exclude"}]


def test_what_was_not_decided_of_an_erased_member_is_withdrawn_and_decided_by_nobody(stage: Stage, leads: str) -> None:
    made = applied(stage)["id"]
    stage.call("DELETE", "./members/m11")
    assert stage.send("GET", f"./call-applications/{made}")["state"] == "withdrawn"
    assert decided(stage, made, leads).json()["code"] == "application-withdrawn"


def test_nothing_is_left_of_a_person_who_was_no_member_and_deletes_their_account(
    stage: Stage, leads: str, runtime: Runtime, clock: Clock
) -> None:
    made = applied_outside(runtime)
    prepared(stage, leads, made)
    account_id = account_with(runtime, STRANGER)
    with runtime.database.write() as session:
        joining.delete(session, account_id, clock(), "account-deleted", None)
    assert sorted(rows(runtime).values()) == [0, 0, 0, 0, 1]
    with runtime.database.read() as session:
        assert session.scalar(select(func.count()).select_from(CallApplication)) == 1


@pytest.mark.parametrize("member", [True, False])
def test_everything_about_a_person_has_their_applications_with_what_was_said_of_them(
    stage: Stage, leads: str, runtime: Runtime, clock: Clock, *, member: bool
) -> None:
    address = ADDRESS if member else STRANGER
    made = applied(stage)["id"] if member else applied_outside(runtime)
    prepared(stage, leads, made)
    if member:
        claim(runtime, "river", "m11", ADDRESS)
    account_id = account_with(runtime, address)
    with exporting.export(runtime, account_id, clock(), LANGUAGES["en"]) as spool, ZipFile(spool) as archive:
        (name,) = [
            each for each in archive.namelist() if each.endswith("calls.json") and member == ("account" not in each)
        ]
        text = archive.read(name).decode()
        for said in ("I have led a group.", WHY, "What could I do?", "Come to a meeting."):
            assert said in text
        for hidden in ("actor_member_id", "token_id"):
            assert hidden not in text
