"""Disagreements of two members: who opens them with whom, who sees them, and how both are heard."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from service.access import callers
from service.appeals import deadlines, disagreements
from service.runtime.runtime import Runtime
from service.tables import CaseText, Event, GuidelineVersion, Network
from tests.worlds.acting import told
from tests.worlds.awarding import Stage
from tests.worlds.disagreeing import (
    WHY,
    answered,
    decide,
    disagree,
    laid,
    mediated,
    on,
    problem,
    seen,
    sent,
    token,
)
from tests.worlds.runtimes import Clock


@pytest.fixture
def stage(client: TestClient, runtime: Runtime) -> Stage:
    stage = Stage.set_up(client, runtime)
    laid(stage)
    return stage


def kinds(shown: Any) -> list[tuple[str, str]]:
    return [(step["kind"], step["part"]) for step in shown["steps"]]


# --- Opening -------------------------------------------------------------------------------------------------------


def test_a_member_says_with_whom_they_disagree_and_about_what(stage: Stage) -> None:
    stage.send("PUT", "./sessions/s1", {"starts_at": "2026-03-02T12:00:00Z"})
    record = stage.share(1)["id"]
    case = sent(disagree(stage, record=record, session="s1"), 201)
    assert case == {
        "id": case["id"],
        "kind": "disagreement",
        "state": "open",
        "you": "member",
        "member": "m11",
        "respondent": "m12",
        "about": "credit",
        "record": record,
        "session": "s1",
        "days": {"answer": 7, "mediation": 30},
        "opened_at": "2026-03-02T12:00:00Z",
        # A week after 2 March, to the end of that day in Berlin; a month after that it is summer there.
        "answer_due_at": "2026-03-09T23:00:00Z",
        "due_at": "2026-04-08T22:00:00Z",
        "steps": case["steps"],
    }
    assert kinds(case) == [("opened", "member")]
    assert told(stage.runtime, stage.slug)[-1] == "case.opened"


def test_the_network_opens_one_on_behalf_of_a_member(stage: Stage) -> None:
    case = sent(disagree(stage, None, member="m11"), 201)
    assert (case["you"], kinds(case)) == ("network", [("opened", "network")])
    assert sent(seen(stage, case, "m11"))["you"] == "member"
    assert sent(seen(stage, case, "m12"))["steps"][0]["text"] == WHY


def test_nobody_opens_one_in_the_name_of_somebody_else(stage: Stage) -> None:
    assert problem(disagree(stage, "m13", member="m11")) == (404, "member-unknown")
    assert problem(disagree(stage, None)) == (422, "member-missing")


def test_the_network_opens_none_with_the_one_who_acts_for_it(stage: Stage) -> None:
    assert problem(disagree(stage, "a1", "a1", member="m11")) == (403, "self-decision")


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"other": "nobody"}, (404, "member-unknown")),
        ({"about": "weather"}, (422, "literal-error")),
        ({"record": "01a22783-8b15-7000-ad4e-8b0266253ac4"}, (404, "record-unknown")),
        ({"session": "nowhere"}, (404, "session-unknown")),
    ],
)
def test_what_it_names_must_be_there(stage: Stage, said: dict[str, str], expected: tuple[int, str]) -> None:
    assert problem(disagree(stage, **said)) == expected


def test_it_is_about_one_thing(stage: Stage) -> None:
    body = {"disagreement": {"respondent": "m12", "about": "other"}, "achievement": "sharer", "statement": WHY}
    assert problem(stage.call("POST", "./cases", token(stage, "m11"), json=body)) == (422, "matter-ambiguous")


def test_who_wrote_of_others_cannot_be_found_out_by_naming_a_record(stage: Stage) -> None:
    """Only records about or by the one who opens it, and what the other one did, can be named."""
    said = {"kind": "endorsement", "skill": "feedback", "about": {"member": "m13"}, "evaluator": "m12"}
    theirs = stage.send("POST", "./evaluations", said | {"occurred_at": "2026-03-01T12:00:00Z"})["id"]
    others, did = stage.share(1, "m13")["id"], stage.share(2, "m12")["id"]
    for record in (theirs, others):
        assert problem(disagree(stage, record=record)) == (404, "record-unknown")
    assert sent(disagree(stage, record=did), 201)["record"] == did


def test_nobody_disagrees_with_themself_not_even_under_another_ref(stage: Stage) -> None:
    stage.member("m11-again", email="m11@river.example.org")
    for other in ("m11", "m11-again"):
        assert problem(disagree(stage, other=other)) == (409, "disagreement-with-oneself")


def test_who_was_erased_is_in_no_new_case(stage: Stage) -> None:
    stage.send("DELETE", "./members/m12", token=stage.token_with("members:erase"))
    assert problem(disagree(stage)) == (409, "member-erased")


def test_two_people_have_one_open_case_from_whichever_side(stage: Stage) -> None:
    case = sent(disagree(stage), 201)
    stage.member("m12-again", email="m12@river.example.org")
    for by, other in (("m11", "m12"), ("m12", "m11"), ("m11", "m12-again"), ("m12-again", "m11")):
        again = disagree(stage, by, other)
        assert (problem(again), again.json()["case"]) == ((409, "case-open"), case["id"])
    sent(on(stage, case, "withdrawal", "m11"))
    assert disagree(stage, "m12", "m11").status_code == 201


def test_a_member_has_a_few_open_ones_and_the_network_can_still_open_more(stage: Stage) -> None:
    for n in range(disagreements.MOST_OPEN + 1):
        stage.member(f"o{n}")
    first, *_ = [sent(disagree(stage, other=f"o{n}"), 201) for n in range(disagreements.MOST_OPEN)]
    last = f"o{disagreements.MOST_OPEN}"
    assert problem(disagree(stage, other=last)) == (409, "cases-too-many")
    assert disagree(stage, None, last, member="m11").status_code == 201
    sent(on(stage, first, "withdrawal", "m11"))
    assert problem(disagree(stage)) == (409, "cases-too-many")


def test_the_days_are_those_of_the_guidelines_in_force_and_stay(stage: Stage) -> None:
    publish(stage, 1, {"answer": 3, "mediation": 10})
    publish(stage, 2, {"answer": 1, "mediation": 1}, published=False)
    case = sent(disagree(stage), 201)
    assert (case["days"], case["guidelines"]) == ({"answer": 3, "mediation": 10}, 1)
    assert (case["answer_due_at"], case["due_at"]) == ("2026-03-05T23:00:00Z", "2026-03-15T23:00:00Z")
    publish(stage, 3, {"answer": 9, "mediation": 90})
    assert sent(seen(stage, case, "m11"))["due_at"] == case["due_at"]
    escalated = sent(on(stage, case, "escalation", "m12", statement="We both know the mediator."))
    assert escalated["due_at"] == "2026-03-12T23:00:00Z"


def publish(stage: Stage, number: int, days: dict[str, int], *, published: bool = True) -> None:
    with stage.runtime.database.write() as session:
        network = session.scalars(select(Network).where(Network.slug == stage.slug)).one()
        now = stage.runtime.now()
        session.add(
            GuidelineVersion(
                network_id=network.id,
                number=number,
                language="en",
                title="How we work",
                sections={},
                conflict_days=days,
                created_at=now,
                changed_at=now,
                published_at=now if published else None,
            )
        )


# --- Who sees it ---------------------------------------------------------------------------------------------------


def test_both_parties_and_the_mediator_read_what_each_said(stage: Stage) -> None:
    case = answered(stage)
    for by, part in (("m11", "member"), ("m12", "respondent"), ("n1", "mediator")):
        shown = sent(seen(stage, case, by))
        assert shown["you"] == part
        assert [step.get("text") for step in shown["steps"]] == [WHY, None, "We wrote it together."]
        listed = sent(stage.call("GET", "./cases", token(stage, by), params={"kind": "disagreement"}))["items"]
        assert [each["id"] for each in listed] == [case["id"]]


def test_for_a_third_member_there_is_none_whatever_they_try(stage: Stage) -> None:
    case = answered(stage)
    proposal = sent(on(stage, case, "agreement", "n1", text="Both names."), 201)["steps"][-1]["id"]
    held = sent(on(stage, case, "holds", None, member="m12", reason="Until it is clear."), 201)["holds"][0]["id"]
    every = [scope for scope in callers.NETWORK_SCOPES if scope not in callers.BY_NAME]
    path = f"./cases/{case['id']}"
    tries: list[tuple[str, str, Any]] = [
        ("GET", path, None),
        ("POST", f"{path}/statements", {"text": "I know of it."}),
        ("POST", f"{path}/agreement", {"text": "Mine."}),
        ("POST", f"{path}/agreement/acceptance", {"proposal": proposal}),
        ("POST", f"{path}/holds", {"member": "m12", "reason": "No."}),
        ("POST", f"{path}/holds/{held}/release", None),
        ("POST", f"{path}/escalation", {}),
        ("POST", f"{path}/withdrawal", None),
        ("POST", f"{path}/resolution", {"outcome": "unresolved", "reason": "No."}),
        ("PUT", f"{path}/mediator", {"member": "n2"}),
    ]
    for by in (stage.token_with(*every, member="m13"), stage.token_with(*every, member="n2")):
        for method, where, body in tries:
            answer = stage.call(method, where, by, **({} if body is None else {"json": body}))
            assert problem(answer) == (404, "case-unknown"), where
        assert sent(stage.call("GET", "./cases", by))["items"] == []


def test_the_network_sees_that_there_is_one_and_not_what_it_is_about_in_detail(stage: Stage) -> None:
    record = stage.share(1)["id"]
    case = answered(stage, record=record)
    sent(on(stage, case, "agreement", "n1", text="Both names."), 201)
    for by in (None, "a1"):
        shown = sent(seen(stage, case, by))
        assert (shown["you"], shown["about"], "record" in shown) == ("network", "credit", False)
        assert ["text" in step for step in shown["steps"]] == [False] * 4


def test_its_events_name_the_case_alone(stage: Stage) -> None:
    case = answered(stage)
    sent(on(stage, case, "holds", None, member="m12", reason="Until it is clear."), 201)
    sent(decide(stage, case))
    with stage.runtime.database.read() as session:
        rows = session.scalars(select(Event).where(Event.type.startswith("case."))).all()
        assert [row.type for row in rows] == ["case.opened", "case.mediator-assigned", "case.resolved"]
        assert [row.about for row in rows] == [{"case": case["id"]}] * 3


def test_answers_that_are_kept_for_a_retry_hold_nothing_that_was_said(stage: Stage) -> None:
    case = answered(stage)
    for answer in (
        on(stage, case, "agreement", "n1", text="Both names."),
        on(stage, case, "holds", "n1", member="m12", reason="Until it is clear."),
        decide(stage, case),
    ):
        assert not any("text" in step or "follows" in step for step in answer.json()["steps"])


# --- Both sides are heard ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("outcome", ["decided", "unresolved"])
def test_the_mediator_cannot_end_it_before_the_other_one_was_heard(stage: Stage, outcome: str) -> None:
    case = mediated(stage)
    sent(on(stage, case, "statements", "m11", text="I say it again."), 201)
    early = decide(stage, case, outcome)
    assert (problem(early), early.json()["until"]) == ((409, "not-heard-yet"), "2026-03-09T23:00:00Z")
    sent(on(stage, case, "statements", "m12", text="We wrote it together."), 201)
    assert sent(decide(stage, case, outcome))["outcome"] == outcome


def test_nor_before_the_time_to_answer_is_over(stage: Stage, clock: Clock) -> None:
    case = mediated(stage)
    clock.at = datetime(2026, 3, 9, 22, 59, 59, tzinfo=UTC)
    assert problem(decide(stage, case)) == (409, "not-heard-yet")
    clock.at += timedelta(seconds=1)
    assert sent(decide(stage, case))["outcome"] == "decided"


def test_an_answer_that_was_erased_was_still_given(stage: Stage) -> None:
    case = answered(stage)
    step = sent(seen(stage, case, "m12"))["steps"][-1]["id"]
    sent(on(stage, case, f"steps/{step}/erasure", "m12"))
    assert sent(decide(stage, case))["outcome"] == "decided"


# --- How it ends ---------------------------------------------------------------------------------------------------


def test_both_read_the_decision_its_reason_and_what_follows(stage: Stage) -> None:
    case = answered(stage)
    for _ in range(2):
        assert sent(decide(stage, case))["state"] == "resolved"
    for by in ("m11", "m12"):
        last = sent(seen(stage, case, by))["steps"][-1]
        assert (last["kind"], last["text"], last["follows"]) == (
            *("resolved", "Both wrote parts.", "Both names stand on it from now on."),
        )
    assert problem(decide(stage, case, "unresolved")) == (409, "case-closed")
    assert "result" not in sent(seen(stage, case, "m11"))


@pytest.mark.parametrize(
    ("outcome", "more", "code"),
    [
        ("upheld", {}, "outcome-misplaced"),
        ("overturned", {}, "outcome-misplaced"),
        ("decided", {"follows": None}, "follows-missing"),
        ("unresolved", {"follows": "Nothing."}, "follows-misplaced"),
        ("decided", {"basis": "override"}, "basis-misplaced"),
    ],
)
def test_it_ends_as_disagreements_do(stage: Stage, outcome: str, more: dict[str, Any], code: str) -> None:
    assert problem(decide(stage, answered(stage), outcome, **more)) == (422, code)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"outcome": "decided", "follows": "Nothing."}, "outcome-misplaced"),
        ({"outcome": "unresolved"}, "outcome-misplaced"),
        ({"outcome": "upheld", "follows": "Nothing."}, "follows-misplaced"),
    ],
)
def test_a_contested_decision_does_not_end_like_one(stage: Stage, body: dict[str, str], code: str) -> None:
    case = appealed(stage)
    assert problem(on(stage, case, "resolution", "n1", reason="Because.", **body)) == (422, code)
    assert problem(on(stage, case, "agreement", "n1", text="Both names.")) == (409, "not-a-disagreement")


def appealed(stage: Stage) -> Any:
    """Let m11 contest a refusal that n1 mediates."""
    stage.achievement()
    body = {"achievement": "sharer", "statement": "I was there twice."}
    case = sent(stage.call("POST", "./cases", token(stage, "m11"), json=body), 201)
    return sent(on(stage, case, "mediator", None, "PUT", member="n1"))


def test_an_agreement_is_one_that_both_have_accepted(stage: Stage) -> None:
    case = mediated(stage)
    shown = sent(on(stage, case, "agreement", "n1", text="Both names stand on it."), 201)
    proposal = shown["steps"][-1]["id"]
    for _ in range(2):
        half = sent(on(stage, case, "agreement/acceptance", "m12", proposal=proposal))
        assert (half["state"], kinds(half)[-1]) == ("mediating", ("accepted", "respondent"))
    for _ in range(2):
        shown = sent(on(stage, case, "agreement/acceptance", "m11", proposal=proposal))
        assert (shown["outcome"], kinds(shown)[-2:]) == ("agreed", [("accepted", "member"), ("resolved", "service")])
    for by in ("m11", "m12"):
        texts = {step["id"]: step.get("text") for step in sent(seen(stage, case, by))["steps"]}
        assert texts[proposal] == "Both names stand on it."
    assert told(stage.runtime, stage.slug)[-1] == "case.resolved"


def test_a_later_proposal_takes_the_place_of_what_one_has_accepted(stage: Stage) -> None:
    case = mediated(stage)
    first, second = (
        sent(on(stage, case, "agreement", "n1", text=text), 201)["steps"][-1]["id"]
        for text in ("Both names.", "Both names, in the order of the alphabet.")
    )
    assert problem(on(stage, case, "agreement/acceptance", "m11", proposal=first)) == (409, "proposal-other")
    sent(on(stage, case, "agreement/acceptance", "m11", proposal=second))
    third = sent(on(stage, case, "agreement", "n1", text="One name."), 201)["steps"][-1]["id"]
    assert sent(on(stage, case, "agreement/acceptance", "m12", proposal=third))["state"] == "mediating"


def test_what_cannot_be_read_is_not_accepted(stage: Stage) -> None:
    case = mediated(stage)
    nothing = case["steps"][0]["id"]
    assert problem(on(stage, case, "agreement/acceptance", "m11", proposal=nothing)) == (409, "proposal-other")
    proposal = sent(on(stage, case, "agreement", "n1", text="Both names."), 201)["steps"][-1]["id"]
    sent(on(stage, case, f"steps/{proposal}/erasure", "n1"))
    assert problem(on(stage, case, "agreement/acceptance", "m11", proposal=proposal)) == (409, "proposal-other")


def test_only_the_mediator_proposes_and_only_a_party_accepts(stage: Stage) -> None:
    case = mediated(stage)
    for by in ("m11", "m12", "a1"):
        assert problem(on(stage, case, "agreement", by, text="Mine.")) == (403, "not-the-mediator")
    proposal = sent(on(stage, case, "agreement", "n1", text="Both names."), 201)["steps"][-1]["id"]
    for by in ("n1", "a1"):
        assert problem(on(stage, case, "agreement/acceptance", by, proposal=proposal)) == (403, "not-a-party")


def test_who_no_longer_mediates_proposes_nothing_in_that_role(stage: Stage) -> None:
    case = mediated(stage)
    stage.member("n1", roles=[])
    assert problem(on(stage, case, "agreement", "n1", text="Both names.")) == (409, "role-missing")


def test_in_a_case_that_is_closed_nothing_more_is_proposed_or_accepted(stage: Stage) -> None:
    case = mediated(stage)
    proposal = sent(on(stage, case, "agreement", "n1", text="Both names."), 201)["steps"][-1]["id"]
    sent(on(stage, case, "withdrawal", "m11"))
    assert problem(on(stage, case, "agreement", "n1", text="Both.")) == (409, "case-closed")
    assert problem(on(stage, case, "agreement/acceptance", "m12", proposal=proposal)) == (409, "case-closed")


def test_the_one_who_opened_it_withdraws_it_and_the_other_one_does_not(stage: Stage) -> None:
    case = answered(stage)
    assert problem(on(stage, case, "withdrawal", "m12")) == (403, "not-the-contestant")
    assert sent(on(stage, case, "withdrawal", "m11"))["outcome"] == "withdrawn"


def test_either_party_has_somebody_else_mediate_it_and_time_does_so_too(stage: Stage, clock: Clock) -> None:
    case = answered(stage)
    sent(on(stage, case, "escalation", "m12", statement="They work together."))
    assert problem(on(stage, case, "mediator", None, "PUT", member="n1")) == (409, "mediator-again")
    sent(on(stage, case, "mediator", None, "PUT", member="n2"))
    assert sent(decide(stage, case, by="n2"))["outcome"] == "decided"
    other = sent(disagree(stage, "m13", "m12"), 201)
    for days, expected in ((38, "case.escalated"), (31, "case.overdue"), (31, "case.overdue")):
        clock.advance(days=days)
        assert deadlines.pass_deadlines(stage.runtime) == 1
        assert told(stage.runtime, stage.slug)[-1] == expected
    assert sent(seen(stage, other, "m13"))["state"] == "escalated"


# --- Who mediates --------------------------------------------------------------------------------------------------


def test_nobody_mediates_who_has_a_part_in_it_or_opened_it(stage: Stage) -> None:
    stage.member("m11", email="m11@river.example.org", roles=["mediator"])
    stage.member("m12-again", email="m12@river.example.org", roles=["mediator"])
    case = sent(disagree(stage, "a1", "m12", member="m11"), 201)
    for member in ("m11", "m12-again", "a1"):
        answer = on(stage, case, "mediator", None, "PUT", member=member)
        assert problem(answer) == (409, "mediator-is-party")


def test_nobody_mediates_for_those_with_whom_they_disagree(stage: Stage) -> None:
    sent(disagree(stage, "m12", "n2"), 201)
    case = sent(disagree(stage), 201)
    assert problem(on(stage, case, "mediator", None, "PUT", member="n2")) == (409, "mediator-at-odds")
    sent(on(stage, case, "mediator", None, "PUT", member="n1"))


def test_a_mediator_who_turns_out_to_be_a_party_leaves_and_the_case_says_so(stage: Stage) -> None:
    case = answered(stage)
    stage.member("n1", email="m12@river.example.org", roles=["mediator"])
    shown = sent(seen(stage, case, "m11"))
    assert (shown["state"], "mediator" in shown, kinds(shown)[-1]) == ("open", False, ("left", "service"))
    assert shown["steps"][-1]["mediator"] == "n1"
    assert told(stage.runtime, stage.slug).count("case.mediator-left") == 1


def test_a_mediator_with_whom_a_party_opens_a_case_leaves_what_they_mediate_for_them(stage: Stage) -> None:
    case, appeal = answered(stage), appealed(stage)
    unrelated = sent(disagree(stage, "m13", "a1"), 201)
    sent(on(stage, unrelated, "mediator", None, "PUT", member="n1"))
    sent(disagree(stage, "m11", "n1", about="conduct"), 201)
    for each in (case, appeal):
        shown = sent(seen(stage, each, "m11"))
        assert (shown["state"], kinds(shown)[-1]) == ("open", ("left", "service"))
    assert sent(seen(stage, unrelated, "m13"))["mediator"] == "n1"


def test_a_mediator_who_turns_out_to_disagree_with_a_party_leaves(stage: Stage) -> None:
    case = answered(stage)
    sent(disagree(stage, "m13", "m12"), 201)
    stage.member("m13", email="n1@river.example.org")
    shown = sent(seen(stage, case, "m11"))
    assert ("mediator" in shown, kinds(shown)[-1]) == (False, ("left", "service"))


def test_parties_who_turn_out_to_be_one_person_have_no_case(stage: Stage) -> None:
    case = answered(stage)
    stage.member("m12", email="m11@river.example.org")
    shown = sent(seen(stage, case, None))
    assert (shown["outcome"], kinds(shown)[-1]) == ("withdrawn", ("withdrawn", "service"))


# --- Erasure, and a closed network ---------------------------------------------------------------------------------


@pytest.mark.parametrize("gone", ["m11", "m12"])
def test_of_a_party_who_is_erased_nothing_stays_of_what_was_said(stage: Stage, gone: str) -> None:
    case = answered(stage)
    sent(on(stage, case, "holds", "n1", member="m11", reason="Until it is clear."), 201)
    erased = stage.send("DELETE", f"./members/{gone}", token=stage.token_with("members:erase"))
    assert (erased["erases"]["case_texts"], erased["erases"]["open_cases"]) == (3, 1)
    with stage.runtime.database.read() as session:
        assert session.scalars(select(CaseText)).all() == []
    shown = sent(seen(stage, case, None))
    assert (shown["outcome"], kinds(shown)[-1]) == ("withdrawn", ("withdrawn", "service"))
    assert "until" in shown["holds"][0]


def test_of_a_mediator_who_is_erased_the_case_stays(stage: Stage) -> None:
    case = answered(stage)
    stage.send("DELETE", "./members/n1", token=stage.token_with("members:erase"))
    shown = sent(seen(stage, case, "m11"))
    assert (shown["state"], shown["steps"][0]["text"]) == ("open", WHY)


def test_a_session_that_it_names_can_still_be_deleted(stage: Stage) -> None:
    stage.send("PUT", "./sessions/s1", {"starts_at": "2026-03-02T12:00:00Z"})
    case = sent(disagree(stage, session="s1"), 201)
    assert stage.call("DELETE", "./sessions/s1").status_code == 204
    assert "session" not in sent(seen(stage, case, "m11"))


def test_what_was_said_is_nowhere_but_in_its_own_table(stage: Stage) -> None:
    case = answered(stage)
    sent(on(stage, case, "agreement", "n1", text="A word of the agreement."), 201)
    sent(on(stage, case, "holds", "n1", member="m12", reason="A word of the hold."), 201)
    sent(decide(stage, case, follows="A word of what follows."))
    with stage.runtime.database.read() as session:
        for table in Event.metadata.sorted_tables:
            if table.name != "case_texts":
                assert "A word of" not in json.dumps([repr(row) for row in session.execute(select(table))]), table.name
