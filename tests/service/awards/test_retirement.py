"""Nobody new earns a retired achievement; who has it keeps it, and what was earned before is carried out."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from service.awards import settling
from service.runtime.runtime import Runtime
from tests.worlds.acting import refused, told
from tests.worlds.awarding import SHARE_TWICE, Stage
from tests.worlds.posting import lines, ndjson
from tests.worlds.runtimes import Clock

ENDED = {"reason": "The programme has ended."}
RETIRED = (409, "achievement-retired")
FIFTY = {"rule": "sum", "field": "minutes", "gte": 50}
NDJSON = {"Content-Type": "application/x-ndjson"}
APPROVED = {"all": [SHARE_TWICE, {"rule": "approval", "by_role": "director"}]}


@pytest.fixture
def stage(runtime: Runtime, client: TestClient) -> Stage:
    stage = Stage.set_up(client, runtime)
    stage.member("m11")
    stage.member("m12")
    return stage


def retire(stage: Stage, ref: str = "sharer") -> Any:
    return stage.send("POST", f"./achievements/{ref}/retirement", ENDED)


def earn(stage: Stage, member: str = "m11") -> list[Any]:
    """Post what the rule asks for, and return the member's awards."""
    for n in (1, 2):
        stage.share(n, member)
    return stage.awards(member=member)


def corrected(stage: Stage, record: Any, changes: Any, **more: Any) -> list[tuple[str, str]]:
    """Correct a record; return what that means for whose award."""
    body = {"changes": changes, "reason": "The sheet says so."} | more
    awards = stage.send("POST", f"./records/{record['id']}/correction", body)["awards"]
    return [(each["member"], each["outcome"]) for each in awards]


def test_a_retired_achievement_says_since_when_and_why(runtime: Runtime, stage: Stage) -> None:
    stage.achievement()
    shown = retire(stage)
    assert (shown["retired_at"], shown["retirement_reason"]) == ("2026-03-02T12:00:00Z", ENDED["reason"])
    assert stage.send("GET", "./achievements/sharer") == shown
    assert retire(stage) == shown
    assert told(runtime, "river").count("achievement.retired") == 1
    page = stage.client.get(shown["url"], headers={"Accept": "text/html"}).text
    assert "Retired since" in page
    assert "2 March 2026" in page
    assert ENDED["reason"] not in page
    network = stage.client.get("/networks/river", headers={"Accept": "text/html"}).text
    assert shown["name"] not in network


def test_nobody_new_earns_it_by_evidence(stage: Stage) -> None:
    stage.achievement()
    retire(stage)
    assert earn(stage) == []
    [standing] = stage.send("GET", "./members/m11/progress")["items"]
    assert (standing["met"], standing["retired_since"]) == (True, "2026-03-02T12:00:00Z")
    tried = stage.send("POST", "./achievements/sharer/dry-run", {})
    assert [fault["code"] for fault in tried["faults"]] == ["achievement-retired"]


def test_nobody_new_is_awarded_it_on_request(stage: Stage) -> None:
    stage.achievement(award="reviewed")
    earn(stage)
    retire(stage)
    for more in (
        {},
        {"basis": "override", "reason": "Known."},
        {"basis": "recorded", "reason": "On paper.", "awarded_at": "2021-06-30T12:00:00Z"},
    ):
        answer = stage.award(**more)
        assert refused(answer) == (*RETIRED, "/achievement")
        assert "2026-03-02" in answer.json()["detail"]


def test_who_has_it_keeps_it_and_is_answered_with_it(stage: Stage) -> None:
    stage.achievement()
    [award] = earn(stage)
    retire(stage)
    assert stage.award().status_code == 200
    assert stage.awards() == [award]
    checked = stage.send("POST", "/v1/verifications", {"url": award["credential"]["url"]})
    assert checked["verdict"] == "verified"


def test_of_a_body_of_awards_only_those_lines_are_refused_that_would_make_one(stage: Stage) -> None:
    stage.achievement()
    stage.achievement("other", rule=None, award="reviewed")
    [award] = earn(stage)
    retire(stage)
    on_paper = {"basis": "recorded", "reason": "On paper.", "awarded_at": "2021-06-30T12:00:00Z"}
    bodies = [
        {"achievement": ref, "member": member} | on_paper
        for ref, member in (("sharer", "m11"), ("sharer", "m12"), ("other", "m12"))
    ]
    told_of = lines(stage.call("POST", "./awards/bulk", content=ndjson(bodies), headers=NDJSON))
    assert [each["status"] for each in told_of] == ["duplicate", "rejected", "accepted"]
    assert told_of[0]["id"] == award["id"]
    problem = told_of[1]["problem"]
    assert (problem["code"], problem["pointer"]) == ("achievement-retired", "/achievement")


def test_a_correction_that_would_earn_it_does_not(stage: Stage) -> None:
    stage.achievement(rule=FIFTY)
    record = stage.share(1, minutes=5)
    retire(stage)
    assert corrected(stage, record, {"minutes": 50}, dry_run=True) == []
    assert corrected(stage, record, {"minutes": 50}) == []
    assert stage.awards() == []


def test_a_correction_that_leaves_it_earned_keeps_it(stage: Stage) -> None:
    stage.achievement(rule=FIFTY)
    record = stage.share(1, minutes=50)
    [award] = stage.awards()
    retire(stage)
    assert corrected(stage, record, {"minutes": 55}) == [("m11", "kept")]
    assert stage.awards() == [award]


def test_of_a_correction_that_takes_it_people_decide_as_of_any_other(stage: Stage) -> None:
    stage.achievement(rule=FIFTY)
    stage.member("f1", roles=["approver"])
    record = stage.share(1, minutes=50)
    retire(stage)
    assert corrected(stage, record, {"minutes": 5}) == [("m11", "under-review")]
    [review] = stage.send("GET", "./approvals", params={"state": "waiting"})["items"]
    by = stage.token_with("awards:approve", member="f1")
    stage.send("POST", f"./approvals/{review['id']}/approval", {}, token=by)
    assert [award["state"] for award in stage.awards()] == ["awarded"]


def test_what_is_lost_with_voided_evidence_is_not_earned_again(stage: Stage) -> None:
    stage.achievement(rule=FIFTY)
    record = stage.share(1, minutes=50)
    retire(stage)
    stage.send("POST", f"./records/{record['id']}/void", {"reason": "Posted twice."})
    assert [award["state"] for award in stage.awards()] == ["revoked"]
    stage.share(2, minutes=50)
    assert [award["state"] for award in stage.awards()] == ["revoked"]


def test_a_badge_of_it_is_issued_with_corrected_data_still(stage: Stage) -> None:
    stage.achievement()
    [award] = earn(stage)
    retire(stage)
    asked = {"reason": "The address was wrong."}
    new = stage.send("POST", f"/v1/credentials/{award['credential']['id']}/replacement", asked)
    assert (new["award"], new["state"]) == (award["id"], "valid")


def test_nobody_has_it_for_a_further_term(stage: Stage, clock: Clock) -> None:
    stage.achievement(valid_for="P1Y")
    [award] = earn(stage)
    retire(stage)
    clock.advance(days=300)
    assert refused(stage.call("POST", f"./awards/{award['id']}/renewal"))[:2] == RETIRED


def test_what_waits_for_people_they_decide(stage: Stage) -> None:
    stage.achievement(rule=APPROVED)
    stage.member("d1", roles=["director"])
    assert earn(stage) == []
    [review] = stage.send("GET", "./approvals", params={"state": "waiting"})["items"]
    retire(stage)
    stage.share(3, "m11")
    by = stage.token_with("awards:approve", member="d1")
    assert stage.send("POST", f"./approvals/{review['id']}/approval", {}, token=by)["state"] == "approved"
    assert [award["state"] for award in stage.awards()] == ["awarded"]
    assert earn(stage, "m12") == []
    assert stage.send("GET", "./approvals", params={"state": "waiting"})["items"] == []
    asked = {"achievement": "sharer", "member": "m12"}
    assert refused(stage.call("POST", "./approvals", json=asked))[:2] == RETIRED


def test_a_pending_award_is_signed_when_it_is_due(stage: Stage, clock: Clock) -> None:
    stage.achievement(cooling_off="P3D")
    [award] = earn(stage)
    assert award["state"] == "pending"
    retire(stage)
    clock.advance(days=4)
    assert settling.sign_due(stage.runtime) == 1
    assert [each["state"] for each in stage.awards()] == ["awarded"]


def test_nothing_is_contested_or_published_while_it_is_retired(stage: Stage) -> None:
    stage.achievement()
    retire(stage)
    hers = stage.token_with("cases:write", member="m11")
    case = {"achievement": "sharer", "statement": "I shared twice."}
    assert refused(stage.call("POST", "./cases", hers, json=case))[:2] == RETIRED
    stage.send("PATCH", "./achievements/sharer", {"name": "Giver"})
    assert refused(stage.call("POST", "./achievements/sharer/publication"))[:2] == RETIRED


def test_once_reinstated_it_is_awarded_to_all_who_earned_it_meanwhile(runtime: Runtime, stage: Stage) -> None:
    stage.achievement()
    retire(stage)
    earn(stage)
    shown = stage.send("POST", "./achievements/sharer/reinstatement")
    assert "retired_at" not in shown
    assert [award["member"] for award in stage.awards()] == ["m11"]
    assert stage.send("POST", "./achievements/sharer/reinstatement") == shown
    assert [kind for kind in told(runtime, "river") if kind.startswith("achievement.re")] == [
        "achievement.retired",
        "achievement.reinstated",
    ]


def test_only_what_is_published_is_retired(stage: Stage) -> None:
    assert refused(stage.call("POST", "./achievements/none/retirement", json=ENDED))[:2] == (404, "achievement-unknown")
    stage.send("PUT", "./achievements/draft", DRAFT)
    answer = stage.call("POST", "./achievements/draft/retirement", json=ENDED)
    assert refused(answer)[:2] == (409, "achievement-unpublished")
    assert refused(stage.call("POST", "./achievements/draft/retirement", json={})) == (422, "missing", "/reason")


DRAFT = {
    "name": "Draft",
    "description": "D.",
    "achievement_type": "Badge",
    "criteria": {"narrative": "N."},
    "award": "reviewed",
}


def test_other_networks_and_scopes_retire_nothing(stage: Stage) -> None:
    stage.achievement()
    hill = Stage.set_up(stage.client, stage.runtime, "hill")
    path = "/v1/networks/river/achievements/sharer"
    for ending, body in (("retirement", ENDED), ("reinstatement", {})):
        assert refused(hill.call("POST", f"{path}/{ending}", json=body))[:2] == (404, "network-unknown")
        reader = stage.token_with("read")
        assert refused(stage.call("POST", f"{path}/{ending}", reader, json=body))[:2] == (403, "scope-missing")
