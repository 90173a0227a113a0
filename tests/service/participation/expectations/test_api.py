"""What a network expects of its members, and where they stand, through the API.

The clock begins on 2 March 2026, at noon UTC.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient

from service.runtime.runtime import Runtime
from tests.worlds.acting import Actor, actor, all_pages, refused, told
from tests.worlds.posting import ROOT, hill, posted, river
from tests.worlds.runtimes import Clock

EXPECTATIONS = f"{ROOT}/expectations"
REVIEWS = {"rule": "count", "where": {"types": ["reviewed"]}, "gte": 4}
MONTHLY: dict[str, Any] = {"name": "Review drafts", "rule": REVIEWS, "period": {"every": "month"}}
RATE = {"rule": "attendance", "series": "circle", "min_rate": 0.75}
SPRING = {"from": "2026-02-01", "until": "2026-06-01"}


@pytest.fixture
def who(runtime: Runtime, client: TestClient) -> Actor:
    river(runtime, client)
    return actor(runtime, client, slug="river-writers", lifetime=timedelta(days=365))


def at(clock: Clock, day: int, month: int = 3, hour: int = 18) -> None:
    clock.at = datetime(2026, month, day, hour, tzinfo=UTC)


def review(who: Actor, member: str, *days: int, month: int = 3, **more: Any) -> None:
    for day in days:
        body = {"member": member, "type": "reviewed", "occurred_at": f"2026-{month:02}-{day:02}T17:00:00Z"} | more
        posted(who.post(f"{ROOT}/contributions", body))


def states(who: Actor, ref: str = "e", **query: Any) -> dict[str, str]:
    return {row["member"]: row["state"] for row in all_pages(who, f"{EXPECTATIONS}/{ref}/standing", **query)}


def row(who: Actor, member: str, ref: str = "e", **query: Any) -> dict[str, Any]:
    [found] = [each for each in all_pages(who, f"{EXPECTATIONS}/{ref}/standing", **query) if each["member"] == member]
    return dict(found)


# --- What is expected ----------------------------------------------------------------------------------------------


def test_an_expectation_is_put_and_shown_with_its_version(who: Actor) -> None:
    who.put(f"{ROOT}/objectives/F1", {"text": "Feedback that helps."})
    said = MONTHLY | {"text": "Four a month.", "objectives": ["F1"], "until": "2027-01-01"}
    made = posted(who.put(f"{EXPECTATIONS}/e", said))
    assert {name: made[name] for name in said} == said
    assert (made["version"], made["from"], "role" in made) == (1, "2026-03-01", False)
    assert [each["version"] for each in made["versions"]] == [1]
    shown = who.get(f"{EXPECTATIONS}/e").json()
    assert shown == {name: value for name, value in made.items() if name != "warnings"}
    [listed] = all_pages(who, EXPECTATIONS)
    assert listed == {name: value for name, value in shown.items() if name != "versions"}


@pytest.mark.parametrize(
    ("change", "code", "pointer"),
    [
        ({"name": ""}, "string-too-short", "/name"),
        ({"period": {"every": "week"}}, "literal-error", "/period/every"),
        ({"period": {}}, "missing", "/period/every"),
        ({"period": {"every": "term"}}, "terms-unfit", "/period"),
        ({"period": {"every": "month", "terms": [SPRING]}}, "terms-unfit", "/period"),
        ({"period": {"every": "term", "terms": []}}, "too-short", "/period/terms"),
        ({"period": {"every": "term", "terms": [SPRING | {"until": "2026-02-01"}]}}, "terms-unordered", "/period"),
        ({"period": {"every": "term", "terms": [SPRING, SPRING]}}, "terms-unordered", "/period"),
        ({"period": {"every": "term", "terms": [SPRING | {"from": "2026-02-30"}]}}, "date-invalid", None),
        ({"rule": REVIEWS | {"gte": 0}}, "greater-than-equal", "/rule/gte"),
        ({"rule": REVIEWS | {"window": {"last": "P1M"}}}, "expectation-window", "/rule/window"),
        ({"rule": RATE | {"min_rate": 1.5}}, "less-than-equal", "/rule/min_rate"),
        ({"rule": RATE | {"min_rate": 0}}, "greater-than", "/rule/min_rate"),
        ({"rule": {"rule": "approval", "by_role": "admin"}}, "expectation-rule", "/rule"),
        ({"rule": {"all": [REVIEWS]}}, "expectation-rule", "/rule"),
        ({"rule": {"rule": "sum", "field": "minutes", "gte": 2.5}}, "int-type", "/rule/gte"),
        ({"rule": REVIEWS | {"distinct": "day", "gte": 32}}, "rule-impossible", "/rule/gte"),
        ({"rule": REVIEWS | {"where": {"sessions": ["s9"]}}}, "session-unknown", "/rule/where/sessions/0"),
        ({"rule": REVIEWS | {"where": {"objective": "F9"}}}, "objective-unknown", "/rule/where/objective"),
        ({"objectives": ["F9"]}, "objective-unknown", "/objectives/0"),
        ({"objectives": ["old"]}, "objective-retired", "/objectives/0"),
        ({"role": "Site Director"}, "string-pattern-mismatch", "/role"),
        ({"from": "2026-04-01", "until": "2026-04-01"}, "until-before-from", "/until"),
        ({"until": "2026-02-01"}, "until-before-from", "/until"),
        ({"minimum": 3}, "extra-forbidden", "/minimum"),
    ],
)
def test_an_expectation_that_cannot_be_is_refused(
    who: Actor, change: dict[str, Any], code: str, pointer: str | None
) -> None:
    who.put(f"{ROOT}/objectives/old", {"text": "Of before."})
    who.post(f"{ROOT}/objectives/old/retirement")
    status, found, place = refused(who.put(f"{EXPECTATIONS}/e", MONTHLY | change))
    assert (status, found) == (422, code)
    assert pointer is None or place == pointer
    assert refused(who.get(f"{EXPECTATIONS}/e")) == (404, "expectation-unknown", None)


def test_names_that_nothing_has_borne_are_pointed_out(who: Actor) -> None:
    body = MONTHLY | {"role": "fellow", "rule": {"rule": "attendance", "series": "circel", "min_sessions": 2}}
    warned = posted(who.put(f"{EXPECTATIONS}/e", body))["warnings"]
    assert [(each["code"], each["pointer"]) for each in warned] == [
        ("series-unused", "/rule/series"),
        ("role-unused", "/role"),
    ]
    assert "circle" in warned[0]["detail"]


def test_what_says_the_same_changes_nothing(runtime: Runtime, who: Actor) -> None:
    first = posted(who.put(f"{EXPECTATIONS}/e", MONTHLY))
    assert posted(who.put(f"{EXPECTATIONS}/e", MONTHLY | {"from": "2026-03-01"}), 200)["versions"] == first["versions"]
    assert told(runtime)[-1] == "expectation.posted"


@pytest.mark.parametrize("how", [{"objectives": ["F1"]}, {"rule": REVIEWS | {"where": {"objective": "F1"}}}])
def test_an_objective_that_is_expected_stays_also_when_it_is_retired(who: Actor, how: dict[str, Any]) -> None:
    who.put(f"{ROOT}/objectives/F1", {"text": "Feedback that helps."})
    posted(who.put(f"{EXPECTATIONS}/e", MONTHLY | how))
    answer = who.delete(f"{ROOT}/objectives/F1")
    assert (refused(answer), answer.json()["rests"]) == ((409, "objective-in-use", None), {"expectations": 1})
    who.post(f"{ROOT}/objectives/F1/retirement")
    assert posted(who.patch(f"{EXPECTATIONS}/e", {"name": "Another name"}), 200)["version"] == 2


# --- Nobody is judged for the past by a new number -----------------------------------------------------------------


def test_the_month_that_runs_keeps_its_number_and_the_next_has_the_new_one(who: Actor, clock: Clock) -> None:
    posted(who.put(f"{EXPECTATIONS}/e", MONTHLY))
    at(clock, 20)
    review(who, "m11", 1, 2, 3)
    changed = posted(who.patch(f"{EXPECTATIONS}/e", {"rule": {"gte": 1}}), 200)
    assert [(each["version"], each["from"]) for each in changed["versions"]] == [(1, "2026-03-01"), (2, "2026-03-20")]
    assert (row(who, "m11")["required"], row(who, "m11")["state"]) == (4, "on-course")
    at(clock, 3, month=4)
    assert (row(who, "m11")["version"], row(who, "m11")["required"]) == (2, 1)
    past = row(who, "m11", on="2026-03-31")
    assert (past["version"], past["required"], past["state"], past["over"]) == (1, 4, "behind", True)


def test_a_change_never_begins_before_today(who: Actor, clock: Clock) -> None:
    posted(who.put(f"{EXPECTATIONS}/e", MONTHLY | {"from": "2026-01-01"}))
    at(clock, 20)
    earlier = {"rule": {"gte": 1}, "from": "2026-03-19"}
    assert refused(who.patch(f"{EXPECTATIONS}/e", earlier)) == (422, "expectation-in-past", "/from")
    later = posted(who.patch(f"{EXPECTATIONS}/e", {"rule": {"gte": 1}, "from": "2026-05-01"}), 200)
    assert [row(who, "m11", on=f"2026-0{month}-10")["version"] for month in (1, 3, 4, 5)] == [1, 1, 1, 2]
    assert later["from"] == "2026-05-01"
    posted(who.patch(f"{EXPECTATIONS}/e", {"rule": {"gte": 2}, "from": "2026-04-01"}), 200)
    assert [row(who, "m11", on=f"2026-0{month}-10")["version"] for month in (3, 4, 5, 6)] == [1, 3, 3, 3]


def test_a_changed_expectation_of_the_whole_time_begins_a_new_one(who: Actor, clock: Clock) -> None:
    posted(who.put(f"{EXPECTATIONS}/e", MONTHLY | {"period": {"every": "whole"}, "from": "2026-01-01"}))
    review(who, "m11", 1)
    at(clock, 20)
    posted(who.patch(f"{EXPECTATIONS}/e", {"rule": {"gte": 1}}), 200)
    now = row(who, "m11")
    assert (now["from"], now["observed"], now["state"], "until" in now) == ("2026-03-20", 0, "on-course", False)
    before = row(who, "m11", on="2026-03-19")
    assert (before["until"], before["observed"], before["state"]) == ("2026-03-20", 1, "behind")


def test_one_that_ended_judges_only_what_was_over(runtime: Runtime, who: Actor, clock: Clock) -> None:
    posted(who.put(f"{EXPECTATIONS}/e", MONTHLY | {"from": "2026-02-01"}))
    at(clock, 20)
    for _ in range(2):
        assert who.delete(f"{EXPECTATIONS}/e").status_code == 204
    assert (states(who), states(who, on="2026-04-10")) == ({}, {})
    assert row(who, "m11", on="2026-02-10")["over"] is True
    assert all_pages(who, f"{ROOT}/members/m11/expectations") == []
    assert [each["ended_on"] for each in all_pages(who, EXPECTATIONS, ended="true")] == ["2026-03-20"]
    assert all_pages(who, EXPECTATIONS, ended="false") == []
    assert refused(who.put(f"{EXPECTATIONS}/e", MONTHLY)) == (409, "expectation-ended", None)
    assert told(runtime)[-1] == "expectation.ended"


def test_events_name_what_is_expected_and_worked_toward_by_their_refs(who: Actor) -> None:
    who.put(f"{ROOT}/objectives/F1", {"text": "Feedback that helps."})
    posted(who.put(f"{EXPECTATIONS}/e", MONTHLY))
    events = all_pages(who, f"{ROOT}/events")
    assert [(each["type"], each["refs"]) for each in events[-2:]] == [
        ("objective.posted", {"objective": "F1"}),
        ("expectation.posted", {"expectation": "e"}),
    ]


def test_one_that_was_made_today_has_judged_nobody_and_is_gone(who: Actor) -> None:
    who.put(f"{EXPECTATIONS}/e", MONTHLY)
    assert who.delete(f"{EXPECTATIONS}/e").status_code == 204
    assert refused(who.get(f"{EXPECTATIONS}/e")) == (404, "expectation-unknown", None)
    assert posted(who.put(f"{EXPECTATIONS}/e", MONTHLY))["version"] == 1


@pytest.mark.parametrize("ask", [Actor.delete, lambda who, path: who.patch(path, {"name": "A"})])
def test_what_is_not_there_can_be_neither_changed_nor_ended(who: Actor, ask: Any) -> None:
    assert refused(ask(who, f"{EXPECTATIONS}/e")) == (404, "expectation-unknown", None)
    assert refused(who.get(f"{EXPECTATIONS}/e/standing")) == (404, "expectation-unknown", None)


# --- Where members stand -------------------------------------------------------------------------------------------


def test_contributions_are_expected_by_the_part_of_the_month_that_has_passed(who: Actor, clock: Clock) -> None:
    clock.at = datetime(2026, 2, 20, tzinfo=UTC)
    for ref in ("n1", "n2", "n3"):
        who.put(f"{ROOT}/members/{ref}", {})
    at(clock, 2)
    posted(who.put(f"{EXPECTATIONS}/e", MONTHLY))
    at(clock, 17)
    review(who, "n1", 3, 4, 5, 6)
    review(who, "n2", 3, 4)
    review(who, "n3", 3)
    review(who, "n3", 20, 21, month=2)
    found = {ref: row(who, ref) for ref in ("n1", "n2", "n3")}
    assert {ref: each["state"] for ref, each in found.items()} == {"n1": "met", "n2": "on-course", "n3": "behind"}
    assert [(each["observed"], each["required"], each["expected"]) for each in found.values()] == [
        (4, 4, 2),
        (2, 4, 2),
        (1, 4, 2),
    ]
    assert (found["n2"]["from"], found["n2"]["until"], found["n2"]["over"]) == ("2026-03-01", "2026-04-01", False)
    assert found["n3"]["text"] == "1 of 4 contributions of type reviewed"
    at(clock, 1, month=4, hour=6)
    assert states(who, on="2026-03-31")["n2"] == "behind"


def test_days_are_those_of_the_networks_time_zone(who: Actor, clock: Clock) -> None:
    posted(who.put(f"{EXPECTATIONS}/e", MONTHLY | {"rule": REVIEWS | {"gte": 1}, "from": "2026-01-01"}))
    clock.at = datetime(2026, 4, 2, tzinfo=UTC)
    posted(
        who.post(f"{ROOT}/contributions", {"member": "m11", "type": "reviewed", "occurred_at": "2026-04-01T04:59:59Z"})
    )
    assert row(who, "m11", on="2026-03-10")["state"] == "met"  # still 31 March in Chicago
    assert row(who, "m11", on="2026-04-10")["observed"] == 0


def test_who_joined_in_the_period_is_expected_less_by_now(who: Actor, clock: Clock) -> None:
    posted(who.put(f"{EXPECTATIONS}/e", MONTHLY | {"rule": REVIEWS | {"gte": 31}}))
    at(clock, 16)
    who.put(f"{ROOT}/members/late", {})
    at(clock, 22)
    assert row(who, "late")["required"] == row(who, "m11")["required"] == 31
    assert row(who, "late")["expected"] < row(who, "m11")["expected"]


def test_hours_are_minutes_added_up(who: Actor, clock: Clock) -> None:
    rule = {"rule": "sum", "field": "minutes", "where": {"types": ["reviewed"]}, "gte": 120}
    posted(who.put(f"{EXPECTATIONS}/e", MONTHLY | {"rule": rule, "period": {"every": "quarter"}}))
    review(who, "m11", 1, minutes=90)
    at(clock, 20)
    review(who, "m11", 19, minutes=30)
    assert (row(who, "m11")["state"], row(who, "m11")["observed"]) == ("met", 120)
    assert (row(who, "m11")["from"], row(who, "m11")["until"]) == ("2026-01-01", "2026-04-01")
    assert row(who, "m12")["state"] == "behind"


def attend(who: Actor, member: str, *sessions: str) -> None:
    for ref in sessions:
        at = who.get(f"{ROOT}/sessions/{ref}").json()["starts_at"]
        body = {"member": member, "type": "attended", "session": ref, "occurred_at": at}
        posted(who.post(f"{ROOT}/contributions", body))


def test_a_rate_is_of_the_sessions_that_have_begun_and_met_only_when_the_period_is_over(
    who: Actor, clock: Clock
) -> None:
    spring = {"every": "term", "terms": [SPRING | {"name": "Spring"}]}
    posted(who.put(f"{EXPECTATIONS}/e", MONTHLY | {"rule": RATE, "period": spring}))
    for day in (8, 15, 22, 29):
        who.put(f"{ROOT}/sessions/d{day}", {"starts_at": f"2026-03-{day:02}T17:00:00Z", "series": "circle"})
    at(clock, 23)
    attend(who, "m11", "s1", "d8", "d15")
    attend(who, "m12", "s1", "d8")
    first, second = row(who, "m11"), row(who, "m12")
    assert (first["state"], first["observed"], first["required"], first["term"]) == ("on-course", 3, 3, "Spring")
    assert (second["state"], second["observed"], second["expected"]) == ("behind", 2, 3)
    at(clock, 2, month=6)
    over = {ref: row(who, ref, on="2026-05-31") for ref in ("m11", "m12")}
    assert {ref: (each["state"], each["required"]) for ref, each in over.items()} == {
        "m11": ("behind", 4),
        "m12": ("behind", 4),
    }
    attend(who, "m11", "d22")
    assert row(who, "m11", on="2026-05-31")["state"] == "met"


def test_a_rate_of_no_sessions_is_nothing_to_count(who: Actor, clock: Clock) -> None:
    posted(who.put(f"{EXPECTATIONS}/e", MONTHLY | {"rule": RATE | {"min_sessions": 1}, "from": "2026-02-01"}))
    at(clock, 10, month=6)
    for on in ("2026-04-10", "2026-06-10"):
        found = row(who, "m11", on=on)
        assert (found["state"], "observed" in found, "required" in found) == ("nothing-to-count", False, False)


def test_what_begins_later_is_told_to_the_member_and_nobody_is_judged(who: Actor) -> None:
    later = MONTHLY | {"from": "2026-05-01"}
    posted(who.put(f"{EXPECTATIONS}/e", later))
    assert states(who) == {}
    [told_of] = all_pages(who, f"{ROOT}/members/m11/expectations")
    assert (told_of["state"], told_of["from"], told_of["until"]) == ("not-yet-begun", "2026-05-01", "2026-06-01")
    assert set(states(who, on="2026-05-10").values()) == {"not-yet-begun"}
    assert states(who, on="2026-04-10") == {}


def test_who_joined_after_a_period_was_over_had_not_begun_unless_something_counts(who: Actor) -> None:
    posted(who.put(f"{EXPECTATIONS}/e", MONTHLY | {"from": "2026-02-01"}))
    review(who, "m11", 20, month=2)
    assert states(who, on="2026-02-10") == {"m11": "behind", "m12": "not-yet-begun", "m13": "not-yet-begun"}


def test_of_a_role_it_is_expected_of_those_who_have_it_or_had_it_at_the_end(who: Actor, clock: Clock) -> None:
    roles = [{"role": "fellow", "from": "2026-01-01T00:00:00Z"}]
    who.put(f"{ROOT}/members/m11", {"roles": roles})
    who.put(f"{ROOT}/members/m12", {"roles": [roles[0] | {"until": "2026-03-10T00:00:00Z"}]})
    posted(who.put(f"{EXPECTATIONS}/e", MONTHLY | {"role": "fellow", "from": "2026-02-01"}))
    assert list(states(who)) == ["m11", "m12"]
    at(clock, 11)
    assert list(states(who)) == ["m11"]
    assert list(states(who, on="2026-02-20")) == ["m11", "m12"]
    assert [each["member"] for each in all_pages(who, f"{ROOT}/members/m11/expectations")] == ["m11"]
    assert all_pages(who, f"{ROOT}/members/m12/expectations") == []


def test_members_are_listed_in_pages_and_by_state(who: Actor, clock: Clock) -> None:
    posted(who.put(f"{EXPECTATIONS}/e", MONTHLY | {"rule": REVIEWS | {"gte": 1}}))
    review(who, "m12", 1)
    at(clock, 30)
    assert states(who) == {"m11": "on-course", "m12": "met", "m13": "on-course"}
    assert list(states(who, state="met")) == ["m12"]
    assert list(states(who, state="on-course")) == ["m11", "m13"]
    assert refused(who.get(f"{EXPECTATIONS}/e/standing", state="late")) == (422, "literal-error", "state")
    assert refused(who.get(f"{EXPECTATIONS}/e/standing", on="soon"))[0] == 422


def test_an_erased_member_is_expected_nothing(who: Actor, runtime: Runtime, client: TestClient) -> None:
    posted(who.put(f"{EXPECTATIONS}/e", MONTHLY))
    eraser = actor(runtime, client, slug="river-writers", scopes=["members:erase"])
    assert eraser.delete(f"{ROOT}/members/m12").status_code == 200
    assert list(states(who)) == ["m11", "m13"]
    assert all_pages(who, f"{ROOT}/members/m12/expectations") == []


# --- Who may see it ------------------------------------------------------------------------------------------------


def test_a_token_of_a_member_sees_that_member_alone(who: Actor, runtime: Runtime, client: TestClient) -> None:
    posted(who.put(f"{EXPECTATIONS}/e", MONTHLY))
    own = actor(runtime, client, slug="river-writers", member="m11", scopes=["read:basic"])
    assert list(states(own)) == ["m11"]
    assert list(states(own, state="on-course")) == ["m11"]
    assert [each["member"] for each in all_pages(own, f"{ROOT}/members/m11/expectations")] == ["m11"]
    others = own.get(f"{ROOT}/members/m12/expectations")
    nobodys = own.get(f"{ROOT}/members/m99/expectations")
    assert refused(others) == refused(nobodys) == (404, "member-unknown", None)
    assert others.json()["detail"] == nobodys.json()["detail"]


def test_a_member_under_two_refs_sees_both(who: Actor, runtime: Runtime, client: TestClient) -> None:
    posted(who.put(f"{EXPECTATIONS}/e", MONTHLY))
    posted(who.put(f"{ROOT}/members/m11-again", {"email": "m11@example.org"}))
    own = actor(runtime, client, slug="river-writers", member="m11", scopes=["read:basic"])
    assert list(states(own)) == ["m11", "m11-again"]


def test_another_networks_expectations_are_not_there(runtime: Runtime, client: TestClient, who: Actor) -> None:
    posted(who.put(f"{EXPECTATIONS}/e", MONTHLY))
    other = hill(runtime, client)
    paths = (EXPECTATIONS, f"{EXPECTATIONS}/e", f"{EXPECTATIONS}/e/standing", f"{ROOT}/members/m11/expectations")
    for answer in (*map(other.get, paths), other.put(f"{EXPECTATIONS}/e", MONTHLY)):
        assert refused(answer) == (404, "network-unknown", None)


def test_reading_and_writing_expectations_are_two_scopes(runtime: Runtime, client: TestClient, who: Actor) -> None:
    posted(who.put(f"{EXPECTATIONS}/e", MONTHLY))
    reader = actor(runtime, client, slug="river-writers", scopes=["read"])
    writer = actor(runtime, client, slug="river-writers", scopes=["achievements:write"])
    assert refused(reader.put(f"{EXPECTATIONS}/e", MONTHLY)) == (403, "scope-missing", None)
    assert refused(writer.get(f"{EXPECTATIONS}/e/standing")) == (403, "scope-missing", None)


def test_an_expectation_that_somebody_changed_meanwhile_is_not_written(who: Actor) -> None:
    tag = who.put(f"{EXPECTATIONS}/e", MONTHLY).headers["ETag"]
    who.patch(f"{EXPECTATIONS}/e", {"name": "Mine"})
    answer = who.patch(f"{EXPECTATIONS}/e", {"name": "Theirs"}, headers={"If-Match": tag})
    assert refused(answer) == (412, "precondition-failed", None)
