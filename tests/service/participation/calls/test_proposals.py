"""Proposals: who is proposed, why, what lacks and who would be next; and who may ask for one."""

from typing import Any

import pytest
from sqlalchemy import select

from service.runtime.runtime import Runtime
from service.tables import Network
from tests.worlds.acting import refused, told
from tests.worlds.awarding import Stage
from tests.worlds.calling import CALL, applied, applied_outside, decided, posted, proposed, stage_of
from tests.worlds.runtimes import Clock

NOBODY = "00000000-0000-7000-8000-000000000000"


@pytest.fixture
def stage(runtime: Runtime) -> Stage:
    return stage_of(runtime)


def of_four(stage: Stage, clock: Clock) -> dict[str, str]:
    """Let four people apply for two places, one after the other; return the ids of their applications."""
    stage.send("PUT", "./objectives/F-1", {"text": "Gives feedback."})
    topics = [{"name": "Feedback", "objectives": ["F-1"]}, {"name": "Writing", "objectives": []}]
    posted(stage, topics=topics)
    stage.member("m13")
    said: dict[str, dict[str, Any]] = {
        "m11": {"organization": "West", "readiness": 5},
        "m12": {"organization": "West", "readiness": 5},
        "m13": {"organization": "East", "readiness": 1},
        "s1": {"organization": "West", "expertise": [{"topic": "Writing", "level": 1}]},
    }
    made = {}
    for ref, each in said.items():
        made[ref] = applied(stage, ref, **each)["id"]
        clock.advance(minutes=1)
    return made


def members(answer: Any) -> list[str]:
    return [each["member"] for each in answer.json()["people"]]


def codes(parts: Any) -> list[str]:
    return [each["code"] for each in parts]


def test_a_proposal_covers_first_and_gives_the_reasons_in_words(stage: Stage, runtime: Runtime, clock: Clock) -> None:
    of_four(stage, clock)
    made = proposed(stage)
    assert made.status_code == 201
    said = made.json()
    assert (said["k"], said["considered"], said["method"]) == (2, 4, "exact")
    assert (said["coverage"], said["coverage_at_most"], said["coverage_of_all"]) == (3, 3, 6)
    assert members(made) == ["m13", "s1"]
    assert said["people"][0]["reasons"] == [
        {"code": "only-one", "text": "The only one of the set who knows: F-1 (Feedback)."},
        {"code": "adds-group", "text": "Adds a second organization."},
    ]
    assert said["lacks"] == [{"code": "basics-only", "text": "In the set people know only the basics of: Writing."}]
    assert [each["member"] for each in said["next"]] == ["m11", "m12"]
    assert said["diversity"] == {"discipline": 0, "role": 0, "organization": 0.5}
    assert said["readiness"] == 2
    assert said["found"] == "No other set of this size is better: all were compared."
    assert told(runtime, "river")[-1] == "call.proposed"


def test_a_proposal_decides_nothing_and_shows_nobodys_numbers(stage: Stage, clock: Clock) -> None:
    of_four(stage, clock)
    made = proposed(stage)
    items = stage.send("GET", f"{CALL}/applications")["items"]
    assert {each["state"] for each in items} == {"applied"}
    assert all(each.keys() == {"application", "member", "reasons"} for each in made.json()["people"])
    assert "I have led a group." not in made.text


def test_the_same_request_again_is_the_same_proposal(stage: Stage, runtime: Runtime, clock: Clock) -> None:
    of_four(stage, clock)
    first = proposed(stage)
    again = proposed(stage)
    assert (again.status_code, again.json()) == (200, first.json())
    assert told(runtime, "river").count("call.proposed") == 1
    assert proposed(stage, k=3).status_code == 201
    listed = stage.send("GET", f"{CALL}/proposals")["items"]
    assert [each["k"] for each in listed] == [3, 2]
    assert stage.send("GET", f"./call-proposals/{first.json()['id']}") == first.json()


def test_of_people_who_are_equal_who_applied_first_is_proposed(stage: Stage, clock: Clock) -> None:
    posted(stage)
    stage.member("m13")
    for ref in ("m13", "m12", "m11"):
        applied(stage, ref)
        clock.advance(minutes=1)
    made = proposed(stage)
    assert members(made) == ["m13", "m12"]
    assert made.json()["people"][0]["reasons"] == [
        {"code": "earlier", "text": "As suitable as others, who applied later."}
    ]
    assert made.json()["next"][0]["member"] == "m11"


def test_of_fewer_people_than_places_all_are_proposed_and_it_says_so(stage: Stage) -> None:
    posted(stage, places=3)
    applied(stage)
    said = proposed(stage).json()
    assert (said["method"], len(said["people"])) == ("everybody", 1)
    text = "Fewer people applied than there are places. Places that stay free: 2."
    assert said["lacks"][0] == {"code": "fewer-than-places", "text": text}


@pytest.mark.parametrize("k", [0, -1, 201])
def test_no_people_and_too_many_cannot_be_proposed(stage: Stage, k: int) -> None:
    posted(stage)
    applied(stage)
    status, code, pointer = refused(proposed(stage, k=k))
    assert (status, code, pointer) == (422, "less-than-equal" if k > 0 else "greater-than-equal", "/k")


def test_a_call_to_which_nobody_has_applied_proposes_nobody(stage: Stage) -> None:
    posted(stage)
    assert refused(proposed(stage))[:2] == (409, "call-no-applicants")
    made = applied(stage)
    left_out = [{"application": made["id"], "reason": "Already has three tasks."}]
    assert refused(proposed(stage, exclude=left_out))[:2] == (409, "call-no-applicants")
    stage.send("POST", f"./call-applications/{made['id']}/withdrawal")
    assert refused(proposed(stage))[:2] == (409, "call-no-applicants")


def test_who_is_put_in_or_left_out_is_so_and_the_reason_stands_with_it(stage: Stage, clock: Clock) -> None:
    ids = of_four(stage, clock)
    include = [{"application": ids["m12"], "reason": "Led the same work last year."}]
    exclude = [{"application": ids["s1"], "reason": "Asked to wait."}]
    made = proposed(stage, include=include, exclude=exclude)
    assert members(made) == ["m12", "m13"]
    assert codes(made.json()["people"][0]["reasons"])[0] == "included"
    assert made.json()["locks"] == [exclude[0] | {"kind": "exclude"}, include[0] | {"kind": "include"}]
    assert "s1" not in [each.get("member") for each in made.json()["next"]]


def test_who_is_put_in_or_left_out_must_have_applied_and_only_once(stage: Stage, clock: Clock) -> None:
    ids = of_four(stage, clock)
    why = {"reason": "Once."}
    lock, other = ({"application": ids[ref]} | why for ref in ("m11", "m12"))
    token = stage.token_with("members:write", member="f1")
    for said, code, pointer in (
        ({"include": [{"application": NOBODY} | why]}, "lock-unknown", "/include/0/application"),
        ({"include": [lock, lock]}, "lock-twice", "/include/1/application"),
        ({"include": [lock], "exclude": [lock]}, "lock-twice", "/exclude/0/application"),
        ({"include": [lock, other], "k": 1}, "proposal-too-small", "/k"),
        ({"include": [{"application": ids["m11"]}]}, "missing", "/include/0/reason"),
    ):
        assert refused(proposed(stage, **said)) == (422, code, pointer)
    assert decided(stage, ids["m11"], token).is_success
    assert refused(proposed(stage, exclude=[lock])) == (422, "lock-accepted", "/exclude/0/application")
    assert decided(stage, ids["m12"], token, "declined", reason="Too far.").is_success
    assert refused(proposed(stage, include=[other])) == (422, "lock-unknown", "/include/0/application")


def test_who_is_accepted_is_in_it_and_who_was_declined_is_not(stage: Stage, clock: Clock) -> None:
    ids = of_four(stage, clock)
    token = stage.token_with("members:write", member="f1")
    assert decided(stage, ids["m12"], token).is_success
    assert decided(stage, ids["m13"], token, "declined", reason="Too far.").is_success
    made = proposed(stage)
    assert members(made) == ["m12", "s1"]
    assert made.json()["people"][0]["reasons"][0] == {"code": "accepted", "text": "Has been accepted already."}
    assert (
        refused(proposed(stage, k=1, include=[{"application": ids["s1"], "reason": "New."}]))[1] == "proposal-too-small"
    )


def test_one_human_under_two_refs_is_proposed_once(stage: Stage) -> None:
    posted(stage)
    applied(stage, "m11")
    applied(stage, "m12")
    stage.send("PATCH", "./members/m12", {"email": "m11@river.example.org"})
    made = proposed(stage)
    assert (members(made), made.json()["considered"]) == (["m11"], 1)


def test_somebody_who_is_no_member_is_proposed_by_the_name_they_gave(stage: Stage, runtime: Runtime) -> None:
    posted(stage, open_to="anybody")
    made = applied_outside(runtime)
    (person,) = proposed(stage).json()["people"]
    assert (person["application"], person["name"], "member" in person) == (str(made), "Somebody", False)


def test_only_who_decides_proposes_and_reads_proposals_and_never_locks_themself(stage: Stage, clock: Clock) -> None:
    ids = of_four(stage, clock)
    made = proposed(stage).json()["id"]
    plain = stage.token_with("members:write", "read", member="m11")
    leads = stage.token_with("members:write", "read", member="f1")
    assert refused(proposed(stage, plain))[:2] == (403, "call-role")
    for path in (f"{CALL}/proposals", f"./call-proposals/{made}"):
        assert refused(stage.call("GET", path, plain))[:2] == (403, "call-role")
        assert stage.call("GET", path, leads).status_code == 200
    assert refused(stage.call("GET", f"./call-proposals/{NOBODY}"))[:2] == (404, "proposal-unknown")
    stage.send("PATCH", "./members/m11", {"roles": ["facilitator"]})
    own = [{"application": ids["m11"], "reason": "I am good."}]
    assert refused(proposed(stage, plain, include=own)) == (403, "self-decision", "/include/0/application")


def test_reasons_are_in_the_language_of_the_network(stage: Stage, runtime: Runtime, clock: Clock) -> None:
    of_four(stage, clock)
    with runtime.database.write() as session:
        session.scalars(select(Network).where(Network.slug == "river")).one().language = "es"
    reasons = proposed(stage).json()["people"][0]["reasons"]
    assert codes(reasons) == ["only-one", "adds-group"]
