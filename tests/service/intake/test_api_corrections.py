"""A correction is one act: what is still earned stays, and what is not waits for a person."""

import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import event, func, select

from service.access.act import Act
from service.bodies import validated
from service.evidence import derivation
from service.evidence.recording import Submission
from service.intake import posting
from service.runtime.runtime import Runtime
from service.tables import Award, Network, Record, RecordBody, Review
from tests.worlds.acting import Actor, actor, refused, told
from tests.worlds.posting import (
    AT,
    ENDORSEMENT,
    REVIEW,
    ROOT,
    RUBRIC,
    derived,
    hill,
    lines,
    ndjson,
    posted,
    river,
    rows_of,
    unsettled,
)
from tests.worlds.runtimes import Clock
from tests.worlds.waiting import somebody_waits, until

PATH = f"{ROOT}/records"
WHY = "The attendance sheet says so."
MINUTES = {"rule": "sum", "field": "minutes", "gte": 50}


@pytest.fixture
def who(runtime: Runtime, client: TestClient) -> Actor:
    return river(runtime, client)


def contribute(who: Actor, **said: Any) -> str:
    return str(posted(who.post(f"{ROOT}/contributions", REVIEW | said))["id"])


def evaluate(who: Actor, body: Any = RUBRIC, **said: Any) -> str:
    return str(posted(who.post(f"{ROOT}/evaluations", body | said))["id"])


def correction(record: str, changes: Any, **more: Any) -> tuple[str, Any]:
    return f"{PATH}/{record}/correction", {"changes": changes, "reason": WHY} | more


def correct(who: Actor, record: str, changes: Any, status: int = 201, **more: Any) -> Any:
    path, body = correction(record, changes, **more)
    return posted(who.post(path, body), status)


def achievement(who: Actor, rule: Any = MINUTES, **more: Any) -> None:
    body = {
        "ref": "reviewer",
        "name": "Reviewer",
        "description": "Reviews.",
        "achievement_type": "Badge",
        "criteria": {"narrative": "Review drafts.", "rule": rule},
        "award": "automatic",
        "publish": True,
    }
    posted(who.post(f"{ROOT}/achievements", body | more))


def awarded(who: Actor, **said: Any) -> tuple[str, str]:
    """Let m11 earn an award of 50 minutes by one record; return the record and the badge's address in the API."""
    answer = posted(who.post(f"{ROOT}/contributions", REVIEW | {"minutes": 50} | said))
    [made] = answer["awards"]
    return str(answer["id"]), str(made["credential"]).replace("http://localhost:8000", "/v1")


def state(who: Actor, badge: str) -> str:
    return str(posted(who.get(f"{badge}/status"), 200)["state"])


def queue(who: Actor) -> list[Any]:
    return list(posted(who.get(f"{ROOT}/approvals", state="waiting"), 200)["items"])


# --- What the record says -------------------------------------------------------------------------------------------


def test_a_correction_counts_in_place_of_what_it_corrects(runtime: Runtime, who: Actor) -> None:
    old = contribute(who, ref="r1", minutes=50, tags=["a"])
    answer = correct(who, old, {"minutes": 55, "tags": None})
    assert (answer["status"], answer["corrects"], answer["tier"], answer["dry_run"]) == ("accepted", old, 3, False)
    [row] = derived(runtime)["contributions"]
    assert (str(row[0]), row[7]) == (answer["id"], 55)
    assert derived(runtime)["contribution_tags"] == []
    assert told(runtime)[-1] == "record.corrected"
    assert "record.voided" not in told(runtime)
    assert unsettled(runtime) == 0


def test_both_records_say_so_and_keep_what_they_said(who: Actor, clock: Clock) -> None:
    old = contribute(who, ref="r1", minutes=50)
    clock.advance(minutes=1)
    new = correct(who, old, {"minutes": 55})["id"]
    before, after = (posted(who.get(f"{PATH}/{each}"), 200) for each in (old, new))
    assert before["corrected_by"] == {"by": new, "at": "2026-03-02T12:01:00Z"}
    assert (before["body"]["minutes"], after["body"]["minutes"]) == (50, 55)
    assert (after["corrects"], after["reason"], after["ref"]) == (old, WHY, "r1")
    assert {"voided", "voids"}.isdisjoint(before.keys() | after.keys())
    assert after["kind"] == "contribution"


def test_the_ref_stands_for_the_newest_correction(who: Actor) -> None:
    old = contribute(who, ref="r1", minutes=50)
    new = correct(who, old, {"minutes": 55})["id"]
    newest = correct(who, new, {"minutes": 56})["id"]
    assert posted(who.get(f"{ROOT}/contributions/r1"), 200)["id"] == newest
    assert [item.get("ref") for item in posted(who.get(PATH), 200)["items"]] == ["r1"] * 3


@pytest.mark.parametrize("minutes", [50, 55])
def test_what_is_posted_again_is_found_as_it_was_and_as_it_is(who: Actor, minutes: int) -> None:
    old = contribute(who, ref="r1", minutes=50)
    new = correct(who, old, {"minutes": 55})["id"]
    again = posted(who.post(f"{ROOT}/contributions", REVIEW | {"ref": "r1", "minutes": minutes}), 200)
    assert (again["status"], again["id"]) == ("duplicate", {50: old, 55: new}[minutes])


def test_parts_of_an_object_are_corrected_alone(runtime: Runtime, who: Actor) -> None:
    old = evaluate(who, ratings={"specific": 3, "kind": 2})
    new = correct(who, old, {"ratings": {"kind": 4}})["id"]
    assert posted(who.get(f"{PATH}/{new}"), 200)["body"]["ratings"] == {"specific": 3, "kind": 4}
    assert [row[1:] for row in derived(runtime)["ratings"]] == [("kind", 4.0), ("specific", 3.0)]


def test_a_contribution_is_moved_to_another_member(runtime: Runtime, who: Actor) -> None:
    achievement(who)
    old = contribute(who, member="m12", minutes=50)
    answer = correct(who, old, {"member": "m11"})
    assert [(each["member"], each["outcome"]) for each in answer["awards"]] == [
        ("m12", "under-review"),
        ("m11", "made"),
    ]
    assert [item["member"] for item in queue(who)] == ["m12"]
    assert len(rows_of(runtime, Award)) == 2


def test_a_held_record_is_corrected_to_name_a_member_who_is_known(runtime: Runtime, who: Actor) -> None:
    held = posted(who.post(f"{ROOT}/contributions", REVIEW | {"ref": "draft", "member": "m1l"}), 202)["id"]
    rating = RUBRIC | {"about": {"contribution": "draft"}}
    posted(who.post(f"{ROOT}/evaluations", rating), 202)
    assert correct(who, held, {"member": "m11"})["status"] == "accepted"
    left = derived(runtime)
    assert (len(left["contributions"]), len(left["evaluations"])) == (1, 1)
    posted(who.put(f"{ROOT}/members/m1l", {}))
    assert derived(runtime) == left


def test_a_correction_that_names_somebody_unknown_waits_for_them(runtime: Runtime, who: Actor) -> None:
    answer = correct(who, contribute(who), {"member": "dana"}, 202)
    assert (answer["status"], answer["waits_for"]) == ("held", "/member")
    assert derived(runtime)["contributions"] == []
    posted(who.put(f"{ROOT}/members/dana", {}))
    assert posted(who.get(f"{PATH}/{answer['id']}"), 200)["status"] == "accepted"


# --- What is said about it ------------------------------------------------------------------------------------------


def test_evaluations_stay_with_a_corrected_contribution(runtime: Runtime, who: Actor) -> None:
    work = contribute(who, ref="draft-1", minutes=5)
    rating = evaluate(who, about={"contribution": "draft-1"})
    new = correct(who, work, {"minutes": 50})["id"]
    [row] = derived(runtime)["evaluations"]
    assert (str(row[0]), str(row[4])) == (rating, new)
    for name in ("draft-1", work, new):
        evaluate(who, ENDORSEMENT, about={"contribution": name}, skill=name)
    assert {str(row[4]) for row in derived(runtime)["evaluations"]} == {new}
    posted(who.post(f"{PATH}/{new}/void", {"reason": WHY}))
    assert derived(runtime)["evaluations"] == []


def test_who_turns_out_to_have_judged_their_own_work_has_not_judged_it(runtime: Runtime, who: Actor) -> None:
    work = contribute(who, ref="draft-1")
    rating = evaluate(who, about={"contribution": "draft-1"}, evaluator="m12")
    correct(who, work, {"member": "m12"})
    assert posted(who.get(f"{PATH}/{rating}"), 200)["status"] == "quarantined"
    assert derived(runtime)["evaluations"] == []


def test_the_network_corrects_what_an_evaluator_wrote_with_a_token_of_their_own(
    runtime: Runtime, client: TestClient, who: Actor
) -> None:
    m12 = actor(runtime, client, slug="river-writers", member="m12")
    own = {name: value for name, value in RUBRIC.items() if name != "evaluator"}
    old = evaluate(m12, own)
    answer = correct(who, old, {"ratings": {"specific": 4}})
    assert posted(who.get(f"{PATH}/{answer['id']}"), 200)["body"]["evaluator"] == "m12"
    assert answer["tier"] == 1
    assert correct(m12, evaluate(m12, own, occurred_at="2026-02-01T00:00:00Z"), {"ratings": {"specific": 2}})


# --- Awards ---------------------------------------------------------------------------------------------------------


def test_what_is_still_earned_stays_as_it_is(runtime: Runtime, who: Actor) -> None:
    achievement(who)
    old, badge = awarded(who)
    before = who.client.get(badge.removeprefix("/v1") + ".json").content
    [made] = rows_of(runtime, Award)
    answer = correct(who, old, {"minutes": 55})
    assert [(each["achievement"], each["outcome"]) for each in answer["awards"]] == [("reviewer", "kept")]
    assert answer["awards"][0]["credential"].endswith(badge.removeprefix("/v1"))
    [after] = rows_of(runtime, Award)
    assert (after.id, after.state, after.review_since) == (made.id, "awarded", None)
    assert who.client.get(badge.removeprefix("/v1") + ".json").content == before
    assert (state(who, badge), queue(who)) == ("valid", [])
    assert told(runtime)[-1] == "record.corrected"
    assert posted(who.post(f"{ROOT}/awards/{made.id}/replay"), 200)["outcome"] == "same"


def test_what_is_not_earned_any_more_stands_until_a_person_decides(
    runtime: Runtime, client: TestClient, who: Actor
) -> None:
    achievement(who)
    old, badge = awarded(who)
    answer = correct(who, old, {"minutes": 5})
    assert [each["outcome"] for each in answer["awards"]] == ["under-review"]
    assert told(runtime)[-3:] == ["record.corrected", "review.opened", "approval.waiting"]
    [review] = queue(who)
    assert (review["cause"], state(who, badge)) == ("evidence-corrected", "valid")
    posted(who.put(f"{ROOT}/members/f1", {"roles": ["approver"]}))
    posted(
        actor(runtime, client, slug="river-writers", member="f1").post(
            f"{ROOT}/approvals/{review['id']}/refusal", {"reason": "Five minutes are not enough."}
        ),
        200,
    )
    assert state(who, badge) == "revoked"


def test_what_people_kept_is_not_put_before_them_again(runtime: Runtime, client: TestClient, who: Actor) -> None:
    achievement(who)
    old, badge = awarded(who)
    new = correct(who, old, {"minutes": 5})["id"]
    posted(who.put(f"{ROOT}/members/f1", {"roles": ["approver"]}))
    [review] = queue(who)
    posted(
        actor(runtime, client, slug="river-writers", member="f1").post(f"{ROOT}/approvals/{review['id']}/approval", {}),
        200,
    )
    newest = correct(who, new, {"minutes": 6})
    assert (newest["awards"], queue(who), state(who, badge)) == ([], [], "valid")
    posted(who.post(f"{PATH}/{newest['id']}/void", {"reason": WHY}))
    assert state(who, badge) == "revoked"


def test_a_correction_of_a_wrong_correction_leaves_nothing_to_decide(runtime: Runtime, who: Actor) -> None:
    achievement(who)
    old, badge = awarded(who)
    new = correct(who, old, {"minutes": 5})["id"]
    assert [each["outcome"] for each in correct(who, new, {"minutes": 50})["awards"]] == ["kept"]
    assert (queue(who), state(who, badge)) == ([], "valid")
    assert [row.state for row in rows_of(runtime, Review)] == ["withdrawn"]


def test_an_award_that_rests_on_enough_besides_is_kept(who: Actor) -> None:
    achievement(who)
    old, _ = awarded(who)
    contribute(who, minutes=60)
    assert [each["outcome"] for each in correct(who, old, {"minutes": 1})["awards"]] == ["kept"]


def test_a_window_that_has_moved_on_is_no_loss(runtime: Runtime, who: Actor, clock: Clock) -> None:
    achievement(who, MINUTES | {"window": {"last": "P10D"}})
    old, badge = awarded(who)
    clock.advance(days=40)
    who = actor(runtime, who.client, slug="river-writers")
    assert [each["outcome"] for each in correct(who, old, {"minutes": 55})["awards"]] == ["kept"]
    assert (queue(who), state(who, badge)) == ([], "valid")


def test_what_more_evidence_has_undone_is_not_the_corrections_fault(who: Actor) -> None:
    """A rate went down after the award; a correction that changes another thing does not bring it before people."""
    for n in range(1, 3):
        posted(who.put(f"{ROOT}/sessions/c{n}", {"starts_at": f"2026-02-0{n}T10:00:00Z", "series": "weekly"}))
    achievement(who, {"rule": "attendance", "series": "weekly", "min_rate": 1})
    records = [
        posted(
            who.post(
                f"{ROOT}/contributions",
                REVIEW
                | {"type": "attended", "session": f"c{n}", "minutes": 5, "occurred_at": f"2026-02-0{n}T10:00:00Z"},
            )
        )
        for n in range(1, 3)
    ]
    assert [len(each["awards"]) for each in records][-1] == 1
    posted(who.put(f"{ROOT}/sessions/c3", {"starts_at": "2026-02-03T10:00:00Z", "series": "weekly"}))
    assert [each["outcome"] for each in correct(who, records[0]["id"], {"minutes": 6})["awards"]] == ["kept"]
    assert queue(who) == []


def test_what_is_earned_with_it_is_awarded(who: Actor) -> None:
    achievement(who)
    answer = correct(who, contribute(who, minutes=5), {"minutes": 50})
    assert [(each["member"], each["outcome"]) for each in answer["awards"]] == [("m11", "made")]
    assert answer["awards"][0]["credential"].startswith("http://localhost:8000/credentials/")


def test_an_award_that_was_not_announced_yet_lapses_unless_it_is_earned(runtime: Runtime, who: Actor) -> None:
    achievement(who, cooling_off="P3D")
    old = contribute(who, minutes=50)
    assert [each["outcome"] for each in correct(who, old, {"minutes": 5})["awards"]] == ["to-lapse"]
    assert [row.state for row in rows_of(runtime, Award)] == ["pending"]
    assert "review.opened" not in told(runtime)


# --- The dry run ----------------------------------------------------------------------------------------------------


def test_a_dry_run_says_who_is_affected_and_writes_nothing(runtime: Runtime, who: Actor) -> None:
    achievement(who)
    old, _ = awarded(who)
    before = derived(runtime), [row.id for row in rows_of(runtime, Record)], told(runtime)
    tried = correct(who, old, {"minutes": 5, "member": "m11"}, 200, dry_run=True)
    assert (tried["dry_run"], [each["outcome"] for each in tried["awards"]]) == (True, ["under-review"])
    assert "id" not in tried
    moved = correct(who, old, {"member": "m12"}, 200, dry_run=True)
    assert [(each["member"], each["outcome"]) for each in moved["awards"]] == [("m11", "under-review"), ("m12", "made")]
    assert (derived(runtime), [row.id for row in rows_of(runtime, Record)], told(runtime)) == before
    assert (queue(who), unsettled(runtime)) == ([], 0)


def test_a_dry_run_uses_up_no_position(who: Actor) -> None:
    old = contribute(who)
    posted(who.post(*correction(old, {"minutes": 5}, dry_run=True), headers={"Idempotency-Key": "k"}), 200)
    correct(who, old, {"minutes": 5})
    assert [item["position"] for item in posted(who.get(PATH), 200)["items"]] == [1, 2]
    events = posted(who.get("/v1/networks/river-writers/events"), 200)["items"]
    assert [item["position"] for item in events] == list(range(1, len(events) + 1))


def test_a_dry_run_refuses_what_the_correction_would_refuse(who: Actor) -> None:
    old = contribute(who)
    path, body = correction(old, {"session": "nowhere"}, dry_run=True)
    assert refused(who.post(path, body)) == (422, "session-unknown", "/changes/session")


# --- What is refused ------------------------------------------------------------------------------------------------


@pytest.mark.any_database("a body is judged in the code; the rows are only looked up")
@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({}, (422, "too-short", "/changes")),
        ({"minutes": "many"}, (422, "int-type", "/changes/minutes")),
        ({"minuts": 5}, (422, "extra-forbidden", "/changes/minuts")),
        ({"member": None}, (422, "missing", "/changes/member")),
        ({"minutes": 50}, (422, "correction-empty", "/changes")),
        ({"ref": "r2"}, (422, "correction-of-name", "/changes/ref")),
        ({"source": None}, (422, "correction-of-name", "/changes/source")),
        ({"session": "nowhere"}, (422, "session-unknown", "/changes/session")),
        ({"peer": "m11"}, (422, "peer-is-member", "/changes/peer")),
        ({"occurred_at": "2026-04-01T00:00:00Z"}, (422, "time-in-future", "/changes/occurred_at")),
    ],
)
def test_a_correction_says_what_evidence_can_say(who: Actor, changes: Any, problem: Any) -> None:
    old = contribute(who, ref="r1", minutes=50)
    assert refused(who.post(*correction(old, changes))) == problem


def test_only_what_counts_now_is_corrected(who: Actor) -> None:
    old = contribute(who, minutes=50)
    new = correct(who, old, {"minutes": 55})["id"]
    answer = who.post(*correction(old, {"minutes": 56}))
    assert refused(answer) == (409, "record-corrected", None)
    assert answer.json()["id"] == new
    assert refused(who.post(f"{PATH}/{old}/void", {"reason": WHY})) == (409, "record-corrected", None)
    void = posted(who.post(f"{PATH}/{new}/void", {"reason": WHY}))["id"]
    assert refused(who.post(*correction(new, {"minutes": 56}))) == (409, "record-void", None)
    assert refused(who.post(*correction(void, {"minutes": 56}))) == (409, "correction-of-void", None)


def test_the_same_correction_again_is_the_same(runtime: Runtime, who: Actor) -> None:
    old = contribute(who, minutes=50)
    first = correct(who, old, {"minutes": 55})
    again = correct(who, old, {"minutes": 55}, 200)
    assert (again["status"], again["id"]) == ("duplicate", first["id"])
    path, body = correction(first["id"], {"minutes": 56})
    answers = [who.post(path, body, headers={"Idempotency-Key": "k"}) for _ in range(2)]
    assert answers[0].content == answers[1].content
    assert told(runtime).count("record.corrected") == 2


def test_of_several_at_the_same_moment_one_wins(runtime: Runtime, who: Actor) -> None:
    achievement(who)
    old, badge = awarded(who)
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda n: who.post(*correction(old, {"minutes": 60 + n})), range(4)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
    assert len(derived(runtime)["contributions"]) == 1
    assert state(who, badge) == "valid"


def test_a_correction_beside_a_void_and_evaluations_leaves_what_a_rebuild_gives(runtime: Runtime, who: Actor) -> None:
    with ThreadPoolExecutor(4) as pool:
        for n in range(4):
            work = contribute(who, minutes=n)
            rating = RUBRIC | {"about": {"contribution": work}}
            tasks = [
                pool.submit(who.post, f"{ROOT}/evaluations", rating),
                pool.submit(who.post, *correction(work, {"minutes": 50 + n})),
                pool.submit(who.post, f"{PATH}/{work}/void", {"reason": WHY}),
            ]
            assert [task.result().status_code for task in tasks[1:]] in ([201, 409], [409, 201])
            assert tasks[0].result().status_code in {201, 422}
    assert rebuilt(runtime) == derived(runtime)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)  # SQLite has one writer, and no such lock
def test_an_evaluation_of_that_moment_is_locked_before_the_member(runtime: Runtime, who: Actor) -> None:
    work = contribute(who, minutes=5)
    rating = validated(derivation.SHAPES["evaluation"], RUBRIC | {"about": {"contribution": work}})
    locked: list[tuple[str, str]] = []

    @event.listens_for(runtime.database.engine, "before_cursor_execute")
    def _note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
        found = re.search(r"ORDER BY (records|members)\.id FOR NO KEY UPDATE", statement)
        if found is not None:
            locked.append((found[1], repr(parameters)))

    with ThreadPoolExecutor(1) as pool:
        with runtime.database.write() as session:
            act = Act(session, session.scalars(select(Network)).one(), None, runtime.now())
            [made] = posting.submit_all(act, "evaluation", [rating])
            locked.clear()
            answer = pool.submit(who.post, *correction(work, {"minutes": 50}))
            assert until(lambda: somebody_waits(runtime))
        posted(answer.result())
    assert [table for table, _ in locked[:4]] == ["records", "members"] * 2
    assert isinstance(made, Submission)
    assert [repr(made.record.id) in said for _, said in locked[:4:2]] == [False, True]
    assert rebuilt(runtime) == derived(runtime)


def rebuilt(runtime: Runtime) -> Any:
    with runtime.database.write() as session:
        derivation.rebuild(session, session.scalars(select(Network).where(Network.slug == "river-writers")).one())
    return derived(runtime)


@pytest.mark.usefixtures("who")
def test_a_member_corrects_what_they_posted_of_others_only(runtime: Runtime, client: TestClient) -> None:
    m11, m12 = (actor(runtime, client, slug="river-writers", member=ref) for ref in ("m11", "m12"))
    own = contribute(m11, minutes=5)
    assert refused(m11.post(*correction(own, {"minutes": 50}))) == (403, "self-decision", None)
    assert refused(m12.post(*correction(own, {"minutes": 50}))) == (403, "record-not-own", None)
    of_another = contribute(m11, member="m12", minutes=5)
    assert refused(m11.post(*correction(of_another, {"member": "m11"}))) == (403, "self-decision", None)
    assert correct(m11, of_another, {"minutes": 50})["tier"] == 1


def test_a_correction_makes_no_word_weigh_more(runtime: Runtime, client: TestClient, who: Actor) -> None:
    claimed = contribute(actor(runtime, client, slug="river-writers", member="m11"), minutes=5)
    assert correct(who, claimed, {"minutes": 50})["tier"] == 0


def test_what_is_not_there_or_not_yours_is_not_found(runtime: Runtime, client: TestClient, who: Actor) -> None:
    record = contribute(who, minutes=50)
    other, root = hill(runtime, client), "/v1/networks/hill-readers/records"
    for name in (record, "00000000-0000-7000-8000-000000000000", "nothing"):
        path = f"{root}/{name}/correction"
        assert refused(other.post(path, {"changes": {"minutes": 1}, "reason": WHY})) == (404, "record-unknown", None)
    reading = actor(runtime, client, slug="river-writers", scopes=["read"])
    assert refused(reading.post(*correction(record, {"minutes": 1}))) == (403, "scope-missing", None)


def test_what_was_erased_cannot_be_corrected(runtime: Runtime, who: Actor) -> None:
    record = contribute(who, minutes=50)
    with runtime.database.write() as session:
        session.delete(session.scalars(select(RecordBody)).one())
        session.scalars(select(Record)).one().salt = None
    assert refused(who.post(*correction(record, {"minutes": 1}))) == (409, "record-erased", None)


# --- What is odd about it -------------------------------------------------------------------------------------------


def test_a_correction_is_not_late_because_it_comes_later(runtime: Runtime, who: Actor, clock: Clock) -> None:
    old = contribute(who, minutes=50)
    clock.advance(days=200)
    who = actor(runtime, who.client, slug="river-writers")
    answer = correct(who, old, {"minutes": 55})
    assert ("flags" in answer, answer["tier"]) == (False, 3)


def test_a_correction_of_what_came_late_is_as_late(who: Actor) -> None:
    old = contribute(who, occurred_at="2025-01-01T00:00:00Z", minutes=50)
    answer = correct(who, old, {"minutes": 55})
    assert (answer["flags"], answer["tier"]) == (["late"], 2)
    assert correct(who, answer["id"], {"occurred_at": AT})["tier"] == 3


def test_what_somebody_let_pass_is_let_pass(who: Actor) -> None:
    old = contribute(who, occurred_at="2025-01-01T00:00:00Z", minutes=50)
    posted(who.post(f"{PATH}/{old}/release"), 200)
    answer = correct(who, old, {"minutes": 55})
    assert ("flags" in answer, answer["tier"]) == (False, 3)
    earlier = correct(who, answer["id"], {"occurred_at": "2024-01-01T00:00:00Z"})
    assert earlier["flags"] == ["late"]


def test_a_correction_does_not_repeat_what_it_corrects(who: Actor) -> None:
    old = contribute(who, minutes=50, resource="draft")
    new = correct(who, old, {"minutes": 55})
    assert "flags" not in correct(who, new["id"], {"minutes": 50})


def test_a_correction_that_repeats_something_else_is_set_aside(runtime: Runtime, who: Actor) -> None:
    contribute(who, minutes=50, resource="draft")
    work = contribute(who, ref="w", minutes=5, resource="draft")
    evaluate(who, about={"contribution": "w"})
    answer = correct(who, work, {"minutes": 50}, 202)
    assert (answer["status"], answer["flags"]) == ("quarantined", ["repeated"])
    left = derived(runtime)
    assert (len(left["contributions"]), left["evaluations"]) == (1, [])
    posted(who.post(f"{PATH}/{answer['id']}/release"), 200)
    assert len(derived(runtime)["evaluations"]) == 1
    assert rebuilt(runtime) == derived(runtime)


def test_a_record_that_was_set_aside_counts_once_it_is_corrected(runtime: Runtime, who: Actor) -> None:
    contribute(who, minutes=50, resource="draft")
    again = posted(who.post(f"{ROOT}/contributions", REVIEW | {"minutes": 50, "resource": "draft"}), 202)["id"]
    correct(who, again, {"resource": "another draft"})
    assert len(derived(runtime)["contributions"]) == 2
    assert posted(who.get(f"{ROOT}/flags", state="open"), 200)["items"] == []


def test_the_reason_goes_with_the_body(runtime: Runtime, who: Actor) -> None:
    correct(who, contribute(who, minutes=50), {"minutes": 55})
    with runtime.database.read() as session:
        assert session.scalar(select(func.count()).select_from(RecordBody).where(RecordBody.reason == WHY)) == 1


# --- Many at once ---------------------------------------------------------------------------------------------------


def test_many_are_corrected_line_by_line(runtime: Runtime, who: Actor) -> None:
    achievement(who)
    first, badge = awarded(who)
    second = contribute(who, member="m12", minutes=5)
    said = [(first, {"minutes": 5}), (second, {"minutes": 50}), (second, {"minutes": 51}), (first, {"ref": "x"})]
    body = ndjson({"record": record, "changes": changes, "reason": WHY} for record, changes in said)
    headers = {"Content-Type": "application/x-ndjson", "Idempotency-Key": "k"}
    answer = who.ask("POST", f"{ROOT}/corrections/bulk", content=body, headers=headers)
    lost, made, late, odd = lines(answer)
    assert [each["status"] for each in (lost, made, late, odd)] == ["accepted", "accepted", "rejected", "rejected"]
    assert [(each["member"], each["outcome"]) for each in lost["awards"]] == [("m11", "under-review")]
    assert [(each["member"], each["outcome"]) for each in made["awards"]] == [("m12", "made")]
    assert (late["problem"]["code"], late["problem"]["id"]) == ("record-corrected", made["id"])
    assert (odd["problem"]["code"], odd["problem"]["pointer"]) == ("correction-of-name", "/changes/ref")
    assert (state(who, badge), len(queue(who))) == ("valid", 1)
    again = who.ask("POST", f"{ROOT}/corrections/bulk", content=body, headers=headers)
    assert lines(again) == lines(answer)
    assert told(runtime).count("record.corrected") == 2
