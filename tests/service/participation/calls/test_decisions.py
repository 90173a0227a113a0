"""Decisions on applications are made by people, with reasons, and applicants can ask why."""

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from service.runtime.runtime import Runtime
from service.sharing import my_badges
from service.tables import CallDecision, Event
from tests.worlds.acting import refused, told
from tests.worlds.awarding import Stage
from tests.worlds.calling import CALL, STRANGER, applied, applied_outside, decided, posted, stage_of
from tests.worlds.claiming import account_with
from tests.worlds.runtimes import Clock

WHY = "Two others know this topic better."


@pytest.fixture
def stage(runtime: Runtime) -> Stage:
    stage = stage_of(runtime)
    posted(stage, open_to="anybody")
    return stage


@pytest.fixture
def leads(stage: Stage) -> str:
    return stage.token_with("members:write", "read", member="f1")


def ask(stage: Stage, application: Any, question: str = "Why?", token: str | None = None) -> Any:
    return stage.call("POST", f"./call-applications/{application['id']}/questions", token, json={"question": question})


def answer(stage: Stage, application: Any, question: Any, text: str, token: str | None = None) -> Any:
    path = f"./call-applications/{application['id']}/questions/{question['id']}/answer"
    return stage.call("POST", path, token, json={"answer": text})


def test_a_person_decides_and_the_former_decisions_stay_on_record(
    stage: Stage, leads: str, runtime: Runtime, clock: Clock
) -> None:
    made = applied(stage)
    said = decided(stage, made["id"], leads, "waiting").json()
    assert (said["state"], said["decisions"]) == (
        "waiting",
        [{"outcome": "waiting", "decided_at": "2026-03-02T12:00:00Z"}],
    )
    clock.advance(days=1)
    other = stage.token_with("members:write", member="f2")
    said = decided(stage, made["id"], other, "declined", reason=WHY).json()
    assert said["state"] == "declined"
    assert [each["outcome"] for each in said["decisions"]] == ["waiting", "declined"]
    assert said["decisions"][-1]["reason"] == WHY
    with runtime.database.read() as session:
        rows = session.scalars(select(CallDecision).order_by(CallDecision.id)).all()
        assert len({row.actor_member_id for row in rows} - {None}) == 2
    assert told(runtime, "river").count("application.decided") == 2


def test_the_same_decision_again_stays_one(stage: Stage, leads: str, runtime: Runtime) -> None:
    made = applied(stage)
    answers = [decided(stage, made["id"], leads, "declined", reason=WHY).json() for _ in range(2)]
    assert answers[0] == answers[1]
    assert told(runtime, "river").count("application.decided") == 1


def test_nobody_is_declined_without_a_reason(stage: Stage, leads: str) -> None:
    made = applied(stage)
    assert refused(decided(stage, made["id"], leads, "declined")) == (422, "decision-reason-missing", "/reason")
    assert refused(decided(stage, made["id"], leads, "declined", reason=""))[0] == 422
    assert stage.send("GET", f"./call-applications/{made['id']}")["state"] == "applied"


def test_a_token_of_nobody_and_a_member_without_a_role_decide_nothing(stage: Stage) -> None:
    made = applied(stage)
    assert refused(decided(stage, made["id"], stage.token))[:2] == (403, "decider-unbound")
    plain = stage.token_with("members:write", member="m12")
    assert refused(decided(stage, made["id"], plain))[:2] == (403, "call-role")
    reads = stage.token_with("read", member="f1")
    assert refused(decided(stage, made["id"], reads))[:2] == (403, "scope-missing")


def test_nobody_decides_on_themself_under_whichever_ref_or_account(stage: Stage, runtime: Runtime) -> None:
    stage.member("m11-again", email="m11@river.example.org", roles=["facilitator"])
    token = stage.token_with("members:write", member="m11-again")
    made = applied(stage, "m11")
    assert refused(decided(stage, made["id"], token))[:2] == (403, "self-decision")
    outside = applied_outside(runtime)
    stage.member("f3", email=STRANGER, roles=["facilitator"])
    theirs = stage.token_with("members:write", member="f3")
    assert refused(decided(stage, outside, theirs))[:2] == (403, "self-decision")


def test_no_more_people_are_accepted_than_there_are_places(stage: Stage, leads: str) -> None:
    first, second, third = (applied(stage, ref)["id"] for ref in ("m11", "m12", "s1"))
    assert decided(stage, first, leads).is_success
    assert decided(stage, second, leads).is_success
    assert refused(decided(stage, third, leads))[:2] == (409, "call-full")
    assert decided(stage, first, leads, reason="Welcome.").is_success
    assert decided(stage, third, leads, "waiting").is_success
    assert decided(stage, second, leads, "declined", reason="Asked to step back.").is_success
    assert decided(stage, third, leads).is_success


def test_what_was_withdrawn_is_not_decided(stage: Stage, leads: str) -> None:
    made = applied(stage)
    stage.send("POST", f"./call-applications/{made['id']}/withdrawal")
    assert refused(decided(stage, made["id"], leads))[:2] == (409, "application-withdrawn")


def test_decisions_are_made_also_after_the_call_is_closed(stage: Stage, leads: str) -> None:
    made = applied(stage)
    stage.send("POST", f"{CALL}/closing")
    assert decided(stage, made["id"], leads).json()["state"] == "accepted"


def test_an_accepted_member_gets_the_role_that_the_call_names_beside_their_own(stage: Stage, leads: str) -> None:
    stage.send("PATCH", CALL, {"gives_role": {"role": "mentor", "ends_at": "2027-01-01T00:00:00Z"}})
    stage.send("PATCH", "./members/m11", {"roles": [{"role": "coach", "from": "2026-01-01T00:00:00Z"}]})
    made = applied(stage)
    for reason in ("Welcome.", "Welcome to the group."):
        assert decided(stage, made["id"], leads, reason=reason).is_success
    assert stage.send("GET", "./members/m11")["roles"] == [
        {"role": "coach", "from": "2026-01-01T00:00:00Z"},
        {"role": "mentor", "from": "2026-03-02T12:00:00Z", "until": "2027-01-01T00:00:00Z"},
    ]


def test_a_role_whose_time_is_over_is_not_given(stage: Stage, leads: str, clock: Clock) -> None:
    stage.send("PATCH", CALL, {"gives_role": {"role": "mentor", "ends_at": "2026-03-10T00:00:00Z"}})
    made = applied(stage)
    clock.advance(days=10)
    assert decided(stage, made["id"], leads).is_success
    assert stage.send("GET", "./members/m11")["roles"] == []


def test_an_accepted_person_becomes_a_member_in_their_own_account(stage: Stage, leads: str, runtime: Runtime) -> None:
    stage.send("PATCH", CALL, {"gives_role": {"role": "mentor"}})
    made = applied_outside(runtime, organization="Hill School")
    said = decided(stage, made, leads, ref="h1").json()
    assert (said["member"], said["state"], "name" in said) == ("h1", "accepted", False)
    member = stage.send("GET", "./members/h1")
    assert (member["name"], member["email"], member["organization"]) == ("Somebody", STRANGER, "Hill School")
    assert [each["role"] for each in member["roles"]] == ["mentor"]
    account_id = account_with(runtime, STRANGER)
    with runtime.database.read() as session:
        assert [each.member.ref for each in my_badges.memberships(session, account_id)] == ["h1"]
    assert decided(stage, made, leads, "waiting").json()["member"] == "h1"


def test_a_new_member_without_a_ref_gets_one_and_never_that_of_another(
    stage: Stage, leads: str, runtime: Runtime
) -> None:
    made = applied_outside(runtime)
    assert refused(decided(stage, made, leads, ref="m11")) == (409, "member-there", "/ref")
    assert decided(stage, made, leads).json()["member"].startswith("applicant-")


def test_whom_the_network_posted_meanwhile_is_not_made_a_member_twice(
    stage: Stage, leads: str, runtime: Runtime
) -> None:
    made = applied_outside(runtime)
    stage.member("h7", email=STRANGER)
    assert decided(stage, made, leads, ref="h8").json()["member"] == "h7"
    assert stage.call("GET", "./members/h8").status_code == 404


def test_a_declined_applicant_asks_why_and_both_read_the_answer(stage: Stage, leads: str, runtime: Runtime) -> None:
    made = applied(stage)
    own = stage.token_with("evidence:write", "read", member="m11")
    decided(stage, made["id"], leads, "declined", reason=WHY)
    asked = ask(stage, made, "What could I do better?", own)
    assert asked.status_code == 201
    assert ask(stage, made, "What could I do better?", own).json() == asked.json()
    for _ in range(2):
        assert answer(stage, made, asked.json(), "Come to a meeting first.", leads).is_success
    assert refused(answer(stage, made, asked.json(), "Something else.", leads))[:2] == (409, "question-answered")
    for token in (own, leads):
        (question,) = stage.send("GET", f"./call-applications/{made['id']}", token=token)["questions"]
        assert (question["question"], question["answer"]) == ("What could I do better?", "Come to a meeting first.")
    assert told(runtime, "river")[-2:] == ["application.question-asked", "application.question-answered"]


def test_there_is_nothing_to_ask_before_a_decision_and_after_three_questions(stage: Stage, leads: str) -> None:
    made = applied(stage)
    assert refused(ask(stage, made))[:2] == (409, "question-too-early")
    decided(stage, made["id"], leads)
    assert refused(ask(stage, made))[:2] == (409, "question-too-early")
    decided(stage, made["id"], leads, "waiting")
    for question in ("One?", "Two?", "Three?"):
        assert ask(stage, made, question).status_code == 201
    assert refused(ask(stage, made, "Four?"))[:2] == (409, "questions-too-many")


def test_only_the_network_answers_and_never_the_applicant(stage: Stage, leads: str) -> None:
    made = applied(stage)
    decided(stage, made["id"], leads, "declined", reason=WHY)
    question = ask(stage, made).json()
    plain = stage.token_with("members:write", member="m12")
    assert refused(answer(stage, made, question, "No.", plain))[:2] == (403, "call-role")
    own = stage.token_with("members:write", member="m11")
    assert refused(answer(stage, made, question, "No.", own))[:2] == (403, "self-decision")
    assert refused(answer(stage, made, {"id": str(UUID(int=0))}, "No."))[:2] == (404, "applicant-question-unknown")
    assert answer(stage, made, question, "Because of the topic.").is_success


def test_events_hold_ids_only(stage: Stage, leads: str, runtime: Runtime) -> None:
    made = applied(stage)
    decided(stage, made["id"], leads, "declined", reason=WHY)
    ask(stage, made)
    with runtime.database.read() as session:
        for event in session.scalars(select(Event).where(Event.type.startswith("application."))):
            assert event.about.keys() == {"call", "application", "member"}
            assert all(UUID(each) for each in event.about.values())
