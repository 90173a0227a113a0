"""Records: listed in the order of commits, given back whole, and taken back."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from fastapi.testclient import TestClient

from service.awards import settling
from service.errors import CustodyError
from service.runtime.runtime import Runtime
from service.storage import database
from service.tables import Award, Record
from tests.worlds.acting import Actor, actor, all_pages, refused, told
from tests.worlds.posting import (
    ENDORSEMENT,
    REVIEW,
    ROOT,
    RUBRIC,
    SURVEY,
    derived,
    hill,
    posted,
    river,
    rows_of,
    unsettled,
)
from tests.worlds.runtimes import Clock

PATH = f"{ROOT}/records"
REASON = {"reason": "Posted for the wrong member."}
NOTHING: dict[str, list[Any]] = {"contributions": [], "contribution_tags": [], "evaluations": [], "ratings": []}


@pytest.fixture
def who(runtime: Runtime, client: TestClient) -> Actor:
    return river(runtime, client)


def contribute(who: Actor, **said: Any) -> str:
    return str(posted(who.post(f"{ROOT}/contributions", REVIEW | said))["id"])


def evaluate(who: Actor, body: Any = RUBRIC, **said: Any) -> str:
    return str(posted(who.post(f"{ROOT}/evaluations", body | said))["id"])


def achievement(who: Actor, rule: Any) -> None:
    body = {
        "ref": "reviewer",
        "name": "Reviewer",
        "description": "Reviews.",
        "achievement_type": "Badge",
        "criteria": {"narrative": "Review drafts.", "rule": rule},
        "award": "automatic",
        "publish": True,
    }
    posted(who.post(f"{ROOT}/achievements", body))


def test_records_of_all_kinds_are_listed_in_the_order_of_commits(who: Actor, clock: Clock) -> None:
    first, second = contribute(who), evaluate(who)
    clock.advance(minutes=1)
    third = posted(who.post(f"{PATH}/{first}/void", REASON))["id"]
    held = posted(who.post(f"{ROOT}/contributions", REVIEW | {"member": "dana"}), 202)["id"]

    def listed(**query: Any) -> list[str]:
        return [item["id"] for item in all_pages(who, PATH, **query)]

    assert listed() == [first, second, third, held]
    assert [item["position"] for item in all_pages(who, PATH)] == [1, 2, 3, 4]
    assert listed(kind="void") == [third]
    assert listed(kind="evaluation", type="rubric", member="m11") == [second]
    assert listed(since="2026-03-02T12:01:00Z") == [third, held]
    assert listed(status="held") == listed(member="dana") == [held]
    assert refused(who.get(PATH, kind="sermon"))[0] == 422
    assert refused(who.get(PATH, since="yesterday"))[0] == 422


def test_a_voided_record_stays_and_no_longer_counts(runtime: Runtime, who: Actor) -> None:
    record = contribute(who, ref="r1", tags=["a"])
    answer = posted(who.post(f"{PATH}/{record}/void", REASON))
    assert (answer["kind"], answer["voids"], answer["body"], answer["tier"]) == ("void", record, REASON, 3)
    assert len(answer["digest"]) == 64
    shown = posted(who.get(f"{PATH}/{record}"), 200)
    assert shown["voided"] == {"by": answer["id"], "at": "2026-03-02T12:00:00Z"}
    assert (shown["status"], shown["body"]["ref"]) == ("accepted", "r1")
    assert derived(runtime) == NOTHING
    assert told(runtime)[-1] == "record.voided"
    assert unsettled(runtime) == 0


def test_voiding_twice_answers_the_same(runtime: Runtime, who: Actor) -> None:
    record = evaluate(who)
    first = posted(who.post(f"{PATH}/{record}/void", REASON))
    again = posted(who.post(f"{PATH}/{record}/void", {"reason": "Another reason."}), 200)
    assert again == first | {"position": 2}
    headers = {"Idempotency-Key": "k"}
    other = evaluate(who)
    once = who.post(f"{PATH}/{other}/void", REASON, headers=headers)
    assert who.post(f"{PATH}/{other}/void", REASON, headers=headers).json()["id"] == once.json()["id"]
    assert told(runtime).count("record.voided") == 2


def test_of_two_voids_at_the_same_moment_one_is_made(runtime: Runtime, who: Actor) -> None:
    record = evaluate(who, SURVEY)  # bears on nobody, so that no member's lock helps
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: who.post(f"{PATH}/{record}/void", REASON), range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 201]
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert len(rows_of(runtime, Record)) == 2


def test_a_void_cannot_be_voided(who: Actor) -> None:
    void = posted(who.post(f"{PATH}/{contribute(who)}/void", REASON))["id"]
    assert refused(who.post(f"{PATH}/{void}/void", REASON)) == (409, "void-of-void", None)


def test_with_a_contribution_fall_its_evaluations(runtime: Runtime, who: Actor) -> None:
    work = contribute(who, ref="draft-1")
    evaluate(who, about={"contribution": "draft-1"})
    kept = evaluate(who, ENDORSEMENT)
    held = posted(
        who.post(f"{ROOT}/evaluations", RUBRIC | {"about": {"contribution": "draft-1"}, "evaluator": "dana"}), 202
    )["id"]
    posted(who.post(f"{PATH}/{work}/void", REASON))
    left = derived(runtime)
    assert [str(row[0]) for row in left["evaluations"]] == [kept]
    assert left["ratings"] == left["contributions"] == []
    answer = who.post(f"{ROOT}/evaluations", RUBRIC | {"about": {"contribution": "draft-1"}})
    assert refused(answer) == (422, "contribution-void", "/about/contribution")
    posted(who.put(f"{ROOT}/members/dana", {}))
    assert posted(who.get(f"{PATH}/{held}"), 200)["status"] == "quarantined"


def test_an_evaluation_beside_a_void_of_its_contribution_does_not_outlive_it(runtime: Runtime, who: Actor) -> None:
    with ThreadPoolExecutor(3) as pool:
        for _ in range(5):
            work = contribute(who)
            rating = RUBRIC | {"about": {"contribution": work}}
            posting = [pool.submit(who.post, f"{ROOT}/evaluations", rating) for _ in range(2)]
            voiding = pool.submit(who.post, f"{PATH}/{work}/void", REASON)
            assert voiding.result().status_code == 201
            assert {task.result().status_code for task in posting} <= {201, 202, 422}
    assert derived(runtime) == NOTHING


def test_a_held_record_that_is_voided_never_flows_in(runtime: Runtime, who: Actor) -> None:
    held = posted(who.post(f"{ROOT}/contributions", REVIEW | {"member": "dana"}), 202)["id"]
    posted(who.post(f"{PATH}/{held}/void", REASON))
    posted(who.put(f"{ROOT}/members/dana", {}))
    shown = posted(who.get(f"{PATH}/{held}"), 200)
    assert (shown["status"], "held_for" in shown, "voided" in shown) == ("held", False, True)
    assert derived(runtime) == NOTHING


def test_its_ref_stays_taken_and_a_correction_has_its_own(who: Actor) -> None:
    record = contribute(who, ref="r1", minutes=5)
    posted(who.post(f"{PATH}/{record}/void", REASON))
    again = posted(who.post(f"{ROOT}/contributions", REVIEW | {"ref": "r1", "minutes": 5}), 200)
    assert (again["status"], again["id"]) == ("duplicate", record)
    answer = who.post(f"{ROOT}/contributions", REVIEW | {"ref": "r1", "minutes": 50})
    assert refused(answer) == (409, "record-differs", "/ref")
    contribute(who, ref="r1-corrected", minutes=50)


def test_an_award_whose_evidence_is_voided_is_revoked(runtime: Runtime, who: Actor) -> None:
    achievement(who, {"rule": "count", "gte": 2})
    contribute(who)
    second = posted(who.post(f"{ROOT}/contributions", REVIEW))
    [made] = second["awards"]
    status = made["credential"].replace("http://localhost:8000", "/v1") + "/status"
    posted(who.post(f"{PATH}/{second['id']}/void", REASON))
    assert [award.state for award in rows_of(runtime, Award)] == ["revoked"]
    assert posted(who.get(status), 200)["state"] == "revoked"
    assert "credential.revoked" in told(runtime)
    again = posted(who.post(f"{ROOT}/contributions", REVIEW))
    assert len(again["awards"]) == 1


def test_an_award_that_is_earned_without_it_stands(runtime: Runtime, who: Actor) -> None:
    achievement(who, {"rule": "count", "gte": 2})
    records = [contribute(who) for _ in range(3)]
    posted(who.post(f"{PATH}/{records[0]}/void", REASON))
    assert [award.state for award in rows_of(runtime, Award)] == ["awarded"]
    posted(who.post(f"{PATH}/{records[1]}/void", REASON))
    assert [award.state for award in rows_of(runtime, Award)] == ["revoked"]


def test_when_the_keys_are_out_of_reach_nothing_changes(
    runtime: Runtime, who: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = contribute(who)
    before = derived(runtime)

    def fail(*_: Any) -> None:
        raise CustodyError("custody-unavailable", "The key cannot be opened now.")

    monkeypatch.setattr(settling, "review_after_void", fail)
    assert refused(who.post(f"{PATH}/{record}/void", REASON))[0] == 503
    assert (derived(runtime), len(rows_of(runtime, Record))) == (before, 1)


def test_a_members_token_takes_back_only_what_that_member_posted(
    runtime: Runtime, client: TestClient, who: Actor
) -> None:
    m11, m12 = (actor(runtime, client, slug="river-writers", member=ref) for ref in ("m11", "m12"))
    own, others = contribute(m11), contribute(who)
    assert refused(m12.post(f"{PATH}/{own}/void", REASON)) == (403, "record-not-own", None)
    assert refused(m11.post(f"{PATH}/{others}/void", REASON)) == (403, "record-not-own", None)
    assert posted(m11.post(f"{PATH}/{own}/void", REASON))["tier"] == 1


def test_what_is_not_there_or_not_yours_is_not_found(runtime: Runtime, client: TestClient, who: Actor) -> None:
    record = contribute(who)
    other, root = hill(runtime, client), "/v1/networks/hill-readers/records"
    for name in (record, "00000000-0000-7000-8000-000000000000", "nothing"):
        assert refused(other.get(f"{root}/{name}")) == (404, "record-unknown", None)
        assert refused(other.post(f"{root}/{name}/void", REASON)) == (404, "record-unknown", None)
    assert refused(other.get(f"{PATH}/{record}")) == (404, "network-unknown", None)
    reading = actor(runtime, client, slug="river-writers", scopes=["read"])
    assert refused(reading.post(f"{PATH}/{record}/void", REASON)) == (403, "scope-missing", None)


def test_a_void_needs_a_reason_and_nothing_else(who: Actor) -> None:
    record = contribute(who)
    for body, code, pointer in (
        ({}, "missing", "/reason"),
        ({"reason": ""}, "string-too-short", "/reason"),
        ({"reason": "x", "why": "y"}, "extra-forbidden", "/why"),
    ):
        assert refused(who.post(f"{PATH}/{record}/void", body)) == (422, code, pointer)


def test_a_commit_that_fails_is_no_success(
    runtime: Runtime, client: TestClient, who: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_session: Any) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(database, "commit", fail)
    loose = TestClient(client.app, base_url="http://localhost:8000", raise_server_exceptions=False)
    answer = Actor(loose, who.token).post(f"{ROOT}/contributions", REVIEW)
    assert refused(answer) == (500, "internal-error", None)
    assert "disk" not in answer.text
    monkeypatch.undo()
    assert rows_of(runtime, Record) == []
