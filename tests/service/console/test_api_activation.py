"""A formal network begins as a draft, and issues badges once it has what a formal one needs."""

from datetime import date
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, select, update

from service.awards import settling
from service.operations import health, upkeep
from service.runtime.runtime import Runtime
from service.tables import Network, UnsettledMember
from tests.worlds import formal
from tests.worlds.acting import actor, told
from tests.worlds.awarding import SHARE_TWICE, Stage
from tests.worlds.runtimes import BASE_URL, Clock, app_of

CODES = ("facilitator-missing", "objective-missing", "schedule-missing", "guidelines-missing")
LACKS = "Expected a network with all that a formal one needs; this one lacks: "


@pytest.fixture
def draft(runtime: Runtime) -> Stage:
    """A formal network that has nothing yet; nothing goes on beside its app."""
    return Stage.set_up(TestClient(app_of(runtime), base_url=BASE_URL), runtime, kind="formal")


@pytest.fixture
def informal(runtime: Runtime) -> Stage:
    return Stage.set_up(TestClient(app_of(runtime), base_url=BASE_URL), runtime)


def codes_of(answer: Any) -> list[str]:
    assert (answer.status_code, answer.json()["code"]) == (409, "parts-missing"), answer.text
    missing = [each["code"] for each in answer.json()["missing"]]
    assert answer.json()["detail"] == LACKS + ", ".join(missing) + "."
    return missing


def refusal(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def earn(stage: Stage) -> None:
    stage.member("m11")
    stage.achievement(rule=SHARE_TWICE)
    stage.share(1)
    stage.share(2)


# --- What is missing ---


def test_a_formal_network_begins_as_a_draft_and_an_informal_one_is_active(draft: Stage) -> None:
    assert draft.send("GET", "/v1/networks/river")["state"] == "draft"
    other = Stage.set_up(draft.client, draft.runtime, "hill")
    assert other.send("GET", "/v1/networks/hill")["state"] == "active"
    assert "activated_at" not in other.send("GET", "/v1/networks/hill")


def test_a_new_draft_lists_all_that_it_lacks_each_with_the_request_that_adds_it(draft: Stage) -> None:
    seen = draft.send("GET", "./activation")
    assert (seen["kind"], seen["state"], seen["ready"]) == ("formal", "draft", False)
    assert tuple(each["code"] for each in seen["missing"]) == CODES
    for each in seen["missing"]:
        assert each["detail"].endswith(".")
        assert each["request"].startswith("PUT /v1/networks/river/")
    refused = draft.call("POST", "./activation")
    assert tuple(codes_of(refused)) == CODES
    assert refused.json()["missing"] == seen["missing"]


@pytest.mark.parametrize("part", CODES)
def test_a_draft_without_one_part_is_told_which(draft: Stage, part: str) -> None:
    formal.complete(draft, without=part)
    assert codes_of(draft.call("POST", "./activation")) == [part]
    assert draft.send("GET", "/v1/networks/river")["state"] == "draft"


@pytest.mark.parametrize(
    "role",
    [
        {"role": "facilitator", "from": "2026-04-01T00:00:00Z"},
        {"role": "facilitator", "from": "2026-01-01T00:00:00Z", "until": "2026-03-01T00:00:00Z"},
        {"role": "assessor", "from": "2026-01-01T00:00:00Z"},
    ],
    ids=["later", "until yesterday", "another role"],
)
def test_only_who_is_a_facilitator_now_counts(draft: Stage, role: Any) -> None:
    formal.complete(draft, without="facilitator-missing")
    draft.member("m12", roles=[role])
    assert codes_of(draft.call("POST", "./activation")) == ["facilitator-missing"]


def test_a_facilitator_who_was_erased_does_not_lead(draft: Stage) -> None:
    formal.complete(draft)
    draft.send("DELETE", "./members/f1", token=draft.token_with("members:erase"))
    assert codes_of(draft.call("POST", "./activation")) == ["facilitator-missing"]


def test_a_session_outside_a_series_is_no_schedule_and_an_expectation_is_one(draft: Stage) -> None:
    formal.complete(draft, without="schedule-missing")
    draft.send("PUT", "./sessions/s1", {"starts_at": "2026-03-10T15:00:00Z"})
    assert codes_of(draft.call("POST", "./activation")) == ["schedule-missing"]
    formal.written(draft.runtime, "river", formal.expectation)
    assert draft.send("POST", "./activation")["state"] == "active"


def test_an_expectation_that_has_ended_is_no_schedule(draft: Stage) -> None:
    formal.complete(draft, without="schedule-missing")
    formal.written(draft.runtime, "river", formal.expectation, ended_on=date(2026, 3, 1))
    assert codes_of(draft.call("POST", "./activation")) == ["schedule-missing"]


def test_guidelines_that_are_only_written_do_not_count(draft: Stage) -> None:
    formal.complete(draft, without="guidelines-missing")
    formal.written(draft.runtime, "river", formal.guidelines, published=False)
    assert codes_of(draft.call("POST", "./activation")) == ["guidelines-missing"]


# --- Activating ---


def test_with_all_parts_a_network_is_active_from_then_on(draft: Stage) -> None:
    formal.complete(draft)
    assert draft.send("GET", "./activation") == {"kind": "formal", "state": "draft", "ready": True, "missing": []}
    made = draft.send("POST", "./activation")
    assert (made["state"], made["activated_at"]) == ("active", "2026-03-02T12:00:00Z")
    assert draft.send("GET", "./activation")["activated_at"] == "2026-03-02T12:00:00Z"
    assert told(draft.runtime, "river")[-1] == "network.activated"


def test_a_network_is_not_activated_twice(draft: Stage) -> None:
    formal.complete(draft)
    draft.send("POST", "./activation")
    assert refusal(draft.call("POST", "./activation")) == (409, "network-active")


def test_the_same_key_gets_the_answer_of_the_first_activation(draft: Stage) -> None:
    formal.complete(draft)
    first = draft.call("POST", "./activation", headers={"Idempotency-Key": "once"})
    again = draft.call("POST", "./activation", headers={"Idempotency-Key": "once"})
    assert (again.status_code, again.json()) == (200, first.json())


def test_what_an_active_network_lost_since_is_listed_and_it_stays_active(draft: Stage) -> None:
    formal.complete(draft)
    draft.send("POST", "./activation")
    draft.member("f1", roles=[])
    seen = draft.send("GET", "./activation")
    assert (seen["state"], seen["ready"], seen["missing"][0]["code"]) == ("active", False, "facilitator-missing")


def test_a_closed_draft_is_not_activated(draft: Stage) -> None:
    formal.complete(draft)
    actor(draft.runtime, draft.client).post("/v1/networks/river/closure")
    assert refusal(draft.call("POST", "./activation")) == (409, "network-closed")


def test_the_operator_can_activate_a_network_and_another_network_cannot_see_that_it_is_there(draft: Stage) -> None:
    formal.complete(draft)
    Stage.set_up(draft.client, draft.runtime, "hill")
    hill = actor(draft.runtime, draft.client, slug="hill")
    for method, path in (("GET", "activation"), ("POST", "activation"), ("PUT", "kind")):
        answer = hill.ask(method, f"/v1/networks/river/{path}", {"kind": "formal"} if method == "PUT" else None)
        assert refusal(answer) == (404, "network-unknown")
    assert actor(draft.runtime, draft.client).post("/v1/networks/river/activation").status_code == 200


def test_a_token_that_only_reads_does_not_activate(draft: Stage) -> None:
    formal.complete(draft)
    token = draft.token_with("read", "members:write", "evidence:write")
    assert refusal(draft.call("POST", "./activation", token)) == (403, "scope-missing")
    assert refusal(draft.call("PUT", "./kind", token, json={"kind": "formal"})) == (403, "scope-missing")


def test_a_formal_network_of_before_is_active_and_can_show_that_it_has_all_parts(informal: Stage) -> None:
    with informal.runtime.database.write() as session:
        session.execute(update(Network).values(kind="formal"))  # as the migration leaves it
    informal.laid.clear()
    earn(informal)
    assert len(informal.awards()) == 1
    assert tuple(codes_of(informal.call("POST", "./activation"))) == CODES
    formal.complete(informal)
    assert informal.send("POST", "./activation")["activated_at"] == "2026-03-02T12:00:00Z"


# --- What a draft does not do ---


def test_a_draft_takes_in_evidence_and_awards_what_it_earned_once_it_is_active(draft: Stage) -> None:
    earn(draft)
    assert draft.awards() == []
    (shown,) = draft.send("GET", "./members/m11/progress")["items"]
    assert shown["met"]
    formal.complete(draft)
    assert draft.awards() == []
    draft.send("POST", "./activation")
    (award,) = draft.awards()
    assert (award["member"], award["state"]) == ("m11", "awarded")
    draft.share(3)
    assert len(draft.awards()) == 1


def test_upkeep_leaves_a_draft_alone_and_health_does_not_call_it_late(draft: Stage, clock: Clock) -> None:
    earn(draft)
    clock.advance(hours=1)
    upkeep.settle_left_over(draft.runtime)
    settling.settle_if_possible(draft.runtime, network_id_of(draft))
    assert draft.awards() == []
    with draft.runtime.database.read() as session:
        assert session.scalar(select(func.count()).select_from(UnsettledMember)) == 1
        assert health._counted(session, draft.runtime.now())["members_unsettled"] == 0


def test_who_is_left_after_the_first_hundred_is_awarded_by_upkeep(
    draft: Stage, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settling, "BATCH", 1)
    earn(draft)
    draft.member("m12")
    draft.share(1, "m12")
    draft.share(2, "m12")
    formal.complete(draft)
    draft.send("POST", "./activation")
    assert len(draft.awards()) == 1
    clock.advance(hours=1)
    upkeep.settle_left_over(draft.runtime)
    assert sorted(award["member"] for award in draft.awards()) == ["m11", "m12"]


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"basis": "override", "reason": "Known for years."},
        {"basis": "recorded", "reason": "On paper.", "awarded_at": "2021-06-30T12:00:00Z"},
    ],
    ids=["rule", "override", "recorded"],
)
def test_a_draft_refuses_every_award(draft: Stage, asked: Any) -> None:
    earn(draft)
    assert refusal(draft.award(**asked)) == (409, "network-draft")
    assert draft.awards() == []


def test_a_draft_refuses_awards_line_by_line(draft: Stage) -> None:
    earn(draft)
    lines = '{"achievement": "sharer", "member": "m11"}\n'
    answer = draft.call("POST", "./awards/bulk", content=lines, headers={"Content-Type": "application/x-ndjson"})
    assert "network-draft" in answer.text
    assert draft.awards() == []


def test_a_draft_asks_nobody_to_approve(draft: Stage) -> None:
    draft.member("m11")
    draft.achievement(rule={"all": [SHARE_TWICE, {"rule": "approval", "by_role": "director"}]})
    draft.share(1)
    draft.share(2)
    asked = draft.call("POST", "./approvals", json={"achievement": "sharer", "member": "m11"})
    assert refusal(asked) == (409, "network-draft")
    assert draft.send("GET", "./approvals")["items"] == []
    formal.complete(draft)
    draft.send("POST", "./activation")
    assert len(draft.send("GET", "./approvals")["items"]) == 1


def test_many_lines_in_a_draft_are_settled_at_once(draft: Stage) -> None:
    earn(draft)
    lines = '{"ref": "l1", "member": "m11", "type": "shared", "occurred_at": "2026-03-01T10:00:00Z"}\n'
    answer = draft.call("POST", "./contributions/bulk", content=lines, headers={"Content-Type": "application/x-ndjson"})
    assert '"complete"' in answer.text
    assert told(draft.runtime, "river")[-1] == "import.settled"


# --- Informal networks that become formal ---


def test_an_informal_network_is_not_activated(informal: Stage) -> None:
    assert refusal(informal.call("POST", "./activation")) == (409, "network-informal")


def test_an_informal_network_becomes_formal_with_the_same_parts_and_stays_active(informal: Stage) -> None:
    earn(informal)
    assert tuple(codes_of(informal.call("PUT", "./kind", json={"kind": "formal"}))) == CODES
    assert informal.send("GET", "/v1/networks/river")["kind"] == "informal"
    formal.complete(informal)
    made = informal.send("PUT", "./kind", {"kind": "formal"})
    assert (made["kind"], made["state"], made["activated_at"]) == ("formal", "active", "2026-03-02T12:00:00Z")
    assert told(informal.runtime, "river")[-1] == "network.became-formal"
    assert len(informal.awards()) == 1
    assert refusal(informal.call("POST", "./activation")) == (409, "network-active")


def test_the_kind_that_a_network_has_changes_nothing(informal: Stage) -> None:
    before = told(informal.runtime, "river")
    assert informal.send("PUT", "./kind", {"kind": "informal"})["kind"] == "informal"
    assert told(informal.runtime, "river") == before


def test_a_formal_network_never_becomes_informal(draft: Stage) -> None:
    answer = draft.call("PUT", "./kind", json={"kind": "informal"})
    assert refusal(answer) == (409, "formal-stays-formal")
    assert answer.json()["pointer"] == "/kind"
    assert "Create another network" in answer.json()["detail"]
    formal.complete(draft)
    draft.send("POST", "./activation")
    assert refusal(draft.call("PUT", "./kind", json={"kind": "informal"})) == (409, "formal-stays-formal")


def test_the_kind_does_not_change_beside_other_things(informal: Stage) -> None:
    answer = actor(informal.runtime, informal.client).patch("/v1/networks/river", {"kind": "formal"})
    assert refusal(answer) == (422, "extra-forbidden")


def test_networks_are_listed_by_their_state(draft: Stage) -> None:
    admin = actor(draft.runtime, draft.client)
    assert [each["slug"] for each in admin.get("/v1/networks", state="draft").json()["items"]] == ["river"]
    assert admin.get("/v1/networks", state="active").json()["items"] == []


def network_id_of(stage: Stage) -> Any:
    with stage.runtime.database.read() as session:
        return session.scalars(select(Network.id).where(Network.slug == stage.slug)).one()
