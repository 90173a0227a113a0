"""Who applies, for whom, until when, and who reads it."""

from typing import Any

import pytest

from service.runtime.runtime import Runtime
from tests.worlds.acting import refused, told
from tests.worlds.awarding import Stage
from tests.worlds.calling import CALL, STRANGER, applied, applied_outside, decided, posted, stage_of, words
from tests.worlds.runtimes import Clock

HERE = f"{CALL}/applications"


@pytest.fixture
def stage(runtime: Runtime) -> Stage:
    stage = stage_of(runtime)
    posted(stage, open_to="anybody", roles=["teacher", "head"])
    return stage


def put(stage: Stage, member: str = "m11", token: str | None = None, **said: Any) -> Any:
    return stage.call("PUT", f"{HERE}/{member}", token, json=words(**said))


def listed(stage: Stage, token: str | None = None, **query: str) -> list[Any]:
    return list(stage.send("GET", HERE, params=query, token=token)["items"])


def test_a_member_applies_and_changes_it_and_applied_when_they_first_did(
    stage: Stage, runtime: Runtime, clock: Clock
) -> None:
    first = put(stage, role="Teacher", organization="West School")
    assert first.status_code == 201
    assert first.json()["role"] == "teacher"
    clock.advance(hours=1)
    second = put(stage, level=3)
    assert (second.status_code, second.json()["expertise"]) == (200, [{"topic": "Feedback", "level": 3}])
    assert "organization" not in second.json()
    assert (second.json()["applied_at"], second.json()["changed_at"]) == (
        first.json()["applied_at"],
        "2026-03-02T13:00:00Z",
    )
    assert told(runtime, "river")[-2:] == ["application.received", "application.changed"]


def test_who_withdrew_can_apply_again_and_applied_then(stage: Stage, clock: Clock) -> None:
    made = applied(stage)
    path = f"./call-applications/{made['id']}/withdrawal"
    for _ in range(2):
        assert stage.send("POST", path)["state"] == "withdrawn"
    clock.advance(hours=1)
    again = put(stage)
    assert (again.status_code, again.json()["state"], again.json()["applied_at"]) == (
        201,
        "applied",
        "2026-03-02T13:00:00Z",
    )
    assert again.json()["id"] == made["id"]


@pytest.mark.parametrize(
    ("said", "code", "pointer"),
    [
        ({"statement": ""}, "string-too-short", "/statement"),
        ({"expertise": [{"topic": "Dance", "level": 1}]}, "application-topic-unknown", "/expertise/0/topic"),
        (
            {"expertise": [{"topic": "Feedback", "level": 1}, {"topic": "feedback", "level": 2}]},
            "application-topic-twice",
            "/expertise/1/topic",
        ),
        ({"expertise": [{"topic": "Feedback", "level": 4}]}, "less-than-equal", "/expertise/0/level"),
        ({"role": "pilot"}, "application-not-offered", "/role"),
        ({"readiness": []}, "application-readiness-count", "/readiness"),
        ({"readiness": [3, 3]}, "application-readiness-count", "/readiness"),
        ({"readiness": [6]}, "less-than-equal", "/readiness/0"),
        ({"age": 40}, "extra-forbidden", "/age"),
    ],
)
def test_what_does_not_fit_the_call_is_refused(stage: Stage, said: Any, code: str, pointer: str) -> None:
    assert refused(stage.call("PUT", f"{HERE}/m11", json=words() | said)) == (422, code, pointer)
    assert listed(stage) == []


def test_before_it_opens_and_after_it_closes_nobody_applies_changes_or_withdraws(stage: Stage, clock: Clock) -> None:
    made = applied(stage)
    clock.advance(days=60)
    assert refused(put(stage, level=1))[:2] == (409, "call-not-open")
    assert refused(put(stage, "m12"))[:2] == (409, "call-not-open")
    assert refused(stage.call("POST", f"./call-applications/{made['id']}/withdrawal"))[:2] == (409, "call-not-open")
    stage.send("PATCH", CALL, {"opens_at": "2026-06-01T00:00:00Z", "closes_at": "2026-07-01T00:00:00Z"})
    assert refused(put(stage, "m12"))[:2] == (409, "call-not-open")


def test_what_is_decided_is_neither_changed_nor_withdrawn(stage: Stage) -> None:
    made = applied(stage)
    decided(stage, made["id"], stage.token_with("members:write", member="f1"), "waiting")
    assert refused(put(stage, level=1))[:2] == (409, "application-decided")
    assert refused(stage.call("POST", f"./call-applications/{made['id']}/withdrawal"))[:2] == (
        409,
        "application-decided",
    )


def test_a_member_applies_only_for_themself_and_sees_only_their_own(stage: Stage) -> None:
    token = stage.token_with("evidence:write", "read", member="m11")
    other = applied(stage, "m12")
    assert refused(put(stage, "m12", token))[:2] == (403, "application-not-own")
    assert put(stage, "m11", token).status_code == 201
    assert [each["member"] for each in listed(stage, token)] == ["m11"]
    for method, path in (("GET", ""), ("POST", "/withdrawal")):
        answer = stage.call(method, f"./call-applications/{other['id']}{path}", token)
        assert refused(answer)[:2] == (404, "application-unknown")
    asked = stage.call("POST", f"./call-applications/{other['id']}/questions", token, json={"question": "Why?"})
    assert refused(asked)[:2] == (404, "application-unknown")


def test_who_decides_reads_every_application(stage: Stage) -> None:
    made = applied(stage)
    for member in ("f1", "f2"):
        token = stage.token_with("read", member=member)
        assert [each["id"] for each in listed(stage, token)] == [made["id"]]
        assert stage.send("GET", f"./call-applications/{made['id']}", token=token)["statement"]
    assert [each["id"] for each in listed(stage, state="applied")] == [made["id"]]
    assert listed(stage, state="accepted") == []


def test_one_human_applies_once_under_whichever_ref(stage: Stage) -> None:
    stage.member("m11-again", email="m11@river.example.org")
    applied(stage, "m11")
    assert refused(put(stage, "m11-again"))[:2] == (409, "application-other-ref")


def test_the_address_that_a_network_knows_makes_an_account_its_member(stage: Stage, runtime: Runtime) -> None:
    applied_outside(runtime, "m11@river.example.org")
    (found,) = listed(stage)
    assert (found["member"], "name" in found) == ("m11", False)
    assert put(stage, "m11", level=1).status_code == 200


def test_somebody_who_is_no_member_applies_with_a_name_if_the_call_is_open_to_anybody(
    stage: Stage, runtime: Runtime
) -> None:
    made = applied_outside(runtime, STRANGER, "Somebody Else")
    (found,) = listed(stage)
    assert (found["id"], found["name"], "member" in found) == (str(made), "Somebody Else", False)
    assert applied_outside(runtime, STRANGER, "Somebody Else", level=3) == made
    assert "@" not in stage.call("GET", HERE).text


def test_an_unknown_or_erased_member_does_not_apply(stage: Stage) -> None:
    assert refused(put(stage, "m99"))[:2] == (404, "member-unknown")
    assert stage.call("DELETE", "./members/m12").is_success
    assert refused(put(stage, "m12"))[:2] == (409, "member-erased")


def test_an_unknown_application_is_404(stage: Stage) -> None:
    path = "./call-applications/00000000-0000-7000-8000-000000000000"
    assert refused(stage.call("GET", path))[:2] == (404, "application-unknown")
    assert refused(stage.call("POST", f"{path}/withdrawal"))[:2] == (404, "application-unknown")


def test_a_student_applies_and_their_statement_is_in_no_list(stage: Stage) -> None:
    made = applied(stage, "s1", organization="West School")
    assert (made["protected"], made["statement"]) == (True, "I have led a group.")
    (found,) = listed(stage)
    assert (found["protected"], "statement" in found) == (True, False)


def test_a_student_is_refused_only_for_a_reason_that_the_network_declared(stage: Stage) -> None:
    stage.send("PATCH", CALL, {"protected_reason": "The work is paid."})
    answer = put(stage, "s1")
    assert refused(answer)[:2] == (409, "application-protected")
    assert "The work is paid." in answer.json()["detail"]
    assert put(stage, "m11").status_code == 201
