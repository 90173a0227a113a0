"""Lists of evidence: each row says what a program needs, and is found by what it says."""

import threading
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import event

from service.runtime.runtime import Runtime
from tests.worlds.acting import Actor, actor, all_pages, refused
from tests.worlds.posting import ENDORSEMENT, REVIEW, ROOT, RUBRIC, SURVEY, hill, posted, river
from tests.worlds.runtimes import Clock

DONE, JUDGED = f"{ROOT}/contributions", f"{ROOT}/evaluations"
FULL = REVIEW | {
    "ref": "full",
    "session": "s1",
    "minutes": 50,
    "peer": "m12",
    "resource": "draft/7",
    "tags": ["writing", 'says "é"', "writing"],
}
SAID = {
    "type": "reviewed",
    "member": "m11",
    "minutes": 50,
    "session": "s1",
    "peer": "m12",
    "resource": "draft/7",
    "tags": ['says "é"', "writing"],
}


@pytest.fixture
def who(runtime: Runtime, client: TestClient) -> Actor:
    return river(runtime, client)


def listed(who: Actor, path: str, **query: Any) -> list[str]:
    return [item["ref"] for item in all_pages(who, path, **query)]


def by_ref(who: Actor, path: str) -> dict[str, Any]:
    return {item["ref"]: item for item in all_pages(who, path)}


def void(who: Actor, ref: str, path: str = DONE) -> None:
    posted(who.post(f"{ROOT}/records/{who.get(f'{path}/{ref}').json()['id']}/void", {"reason": "Wrong."}))


def correct(who: Actor, record: str, changes: Any, status: int = 201) -> str:
    said = {"changes": changes, "reason": "Wrong."}
    return str(posted(who.post(f"{ROOT}/records/{record}/correction", said), status)["id"])


def test_a_row_says_what_the_contribution_says(who: Actor) -> None:
    posted(who.post(DONE, FULL))
    [row] = all_pages(who, DONE)
    m11 = who.get(f"{ROOT}/members/m11").json()
    assert row.items() >= (SAID | {"member_id": m11["id"], "tier": 3, "status": "accepted"}).items()
    assert row["occurred_at"] == "2026-03-01T17:00:00Z"
    assert {name: who.get(f"{DONE}/full").json()[name] for name in row} == row
    [same] = all_pages(who, f"{ROOT}/records")
    assert same == row


def test_what_does_not_count_says_and_is_found_by_the_same(who: Actor) -> None:
    posted(who.post(DONE, FULL))
    posted(who.post(DONE, FULL | {"ref": "held", "peer": "dana"}), 202)
    posted(who.post(DONE, FULL | {"ref": "void", "title": "Another"}))
    void(who, "void")
    posted(who.post(DONE, FULL | {"ref": "twice"}), 202)
    rows = by_ref(who, DONE)
    assert rows["held"].items() >= (SAID | {"peer": "dana", "status": "held", "held_for": "dana"}).items()
    assert rows["void"].items() >= (SAID | {"member_id": rows["full"]["member_id"]}).items()
    assert rows["twice"].items() >= (SAID | {"status": "quarantined", "flags": ["repeated"]}).items()
    every = ["full", "held", "void", "twice"]
    assert listed(who, DONE, member="m11", type="reviewed", session="s1", tag="writing", resource="draft/7") == every
    assert listed(who, DONE, tag='says "é"') == every
    assert listed(who, DONE, member="dana") == ["held"]
    assert listed(who, DONE, member="m11", status="held") == ["held"]
    for other in ({"tag": "Writing"}, {"tag": "é"}, {"resource": "draft"}, {"type": "shared"}, {"member": "m12"}):
        assert listed(who, DONE, **other) == []


def test_a_row_says_what_the_evaluation_says(who: Actor) -> None:
    posted(who.post(DONE, REVIEW | {"ref": "draft"}))
    posted(who.post(JUDGED, RUBRIC | {"ref": "r", "about": {"contribution": "draft"}}))
    score = {"kind": "score", "assessment": "quiz", "score": {"raw": 17, "max": 20}}
    posted(who.post(JUDGED, ENDORSEMENT | {"ref": "e", "skill": "listening"}))
    posted(who.post(JUDGED, {"ref": "q", "about": {"member": "m11"}, "occurred_at": REVIEW["occurred_at"]} | score))
    posted(who.post(JUDGED, SURVEY | {"ref": "s"}))
    posted(who.post(JUDGED, SURVEY | {"ref": "n", "about": {"network": "river-writers"}}))
    rows = by_ref(who, JUDGED)
    judged = {"member": "m11", "evaluator": "m12"}
    assert rows["r"].items() >= ({"type": "rubric", "instrument": "feedback"} | judged).items()
    assert rows["r"]["about"] == {"contribution": "draft"}
    assert {"member_id", "evaluator_id"} <= rows["r"].keys()
    assert (
        rows["e"].items()
        >= ({"type": "endorsement", "instrument": "listening", "about": {"member": "m11"}} | judged).items()
    )
    assert rows["q"].items() >= {"type": "score", "instrument": "quiz", "scaled": 0.85}.items()
    assert rows["s"].items() >= {"type": "survey", "about": {"session": "s1"}, "session": "s1"}.items()
    assert "evaluator" not in rows["s"]
    assert rows["n"]["about"] == {"network": "river-writers"}
    assert listed(who, JUDGED, evaluator="m12") == ["r", "e"]
    assert listed(who, JUDGED, member="m11") == ["r", "e", "q"]
    assert listed(who, JUDGED, session="s1") == ["s"]
    assert listed(who, JUDGED, contribution="draft") == ["r"]
    assert listed(who, JUDGED, kind="score") == ["q"]
    assert listed(who, JUDGED, instrument="feedback") == ["r"]


def test_an_evaluation_that_does_not_count_is_found_by_what_it_says(who: Actor) -> None:
    posted(who.post(DONE, REVIEW | {"ref": "draft"}))
    posted(who.post(JUDGED, RUBRIC | {"ref": "r", "about": {"contribution": "draft"}}))
    void(who, "r", JUDGED)
    posted(who.post(JUDGED, SURVEY | {"ref": "s", "anonymous": False, "evaluator": "dana"}), 202)
    rows = by_ref(who, JUDGED)
    assert rows["r"].items() >= {"type": "rubric", "evaluator": "m12", "instrument": "feedback"}.items()
    assert rows["s"].items() >= {"type": "survey", "about": {"session": "s1"}, "held_for": "dana"}.items()
    assert listed(who, JUDGED, evaluator="m12", kind="rubric", contribution="draft", instrument="feedback") == ["r"]
    assert listed(who, JUDGED, session="s1", kind="survey") == ["s"]


def test_a_void_says_nothing_and_is_found_by_its_kind_alone(who: Actor) -> None:
    posted(who.post(DONE, FULL))
    void(who, "full")
    records = f"{ROOT}/records"
    assert [row["kind"] for row in all_pages(who, records, kind="void")] == ["void"]
    for other in ({"member": "m11"}, {"type": "reviewed"}):
        assert all_pages(who, records, kind="void", **other) == []
        assert [row["ref"] for row in all_pages(who, records, **other)] == ["full"]


def test_a_row_says_its_open_flags(who: Actor) -> None:
    posted(who.post(DONE, REVIEW | {"ref": "late", "occurred_at": "2025-03-01T17:00:00Z"}))
    posted(who.post(DONE, REVIEW | {"ref": "timely"}))
    rows = by_ref(who, DONE)
    assert (rows["late"]["flags"], rows["late"]["tier"]) == (["late"], 2)
    assert "flags" not in rows["timely"]
    assert listed(who, DONE, tier=2) == ["late"]


@pytest.mark.any_database("a body is judged in the code; the rows are only looked up")
@pytest.mark.parametrize(
    ("path", "filters", "code"),
    [
        (DONE, {"member": "nobody"}, "member-unknown"),
        (DONE, {"session": "s2"}, "session-unknown"),
        (JUDGED, {"evaluator": "nobody"}, "member-unknown"),
        (JUDGED, {"contribution": "nothing"}, "contribution-unknown"),
        (f"{ROOT}/records", {"member": "nobody"}, "member-unknown"),
    ],
)
def test_a_filter_that_names_nothing_is_refused(who: Actor, path: str, filters: dict[str, str], code: str) -> None:
    [parameter] = filters
    assert refused(who.get(path, **filters)) == (422, code, parameter)


def test_another_network_has_its_own_names(runtime: Runtime, client: TestClient, who: Actor) -> None:
    other = hill(runtime, client)
    posted(who.post(DONE, FULL))
    there = DONE.replace("river-writers", "hill-readers")
    assert refused(other.get(there, member="m11")) == (422, "member-unknown", "member")
    assert all_pages(other, there, tag="writing") == []


def test_evidence_is_found_by_when_it_occurred_on_the_networks_calendar(who: Actor) -> None:
    for ref, at in (("a", "2026-02-28T12:00:00Z"), ("b", "2026-03-01T05:59:59Z"), ("c", "2026-03-01T06:00:00Z")):
        posted(who.post(DONE, REVIEW | {"ref": ref, "occurred_at": at}))
    assert listed(who, DONE, occurred_from="2026-03-01") == ["c"]  # 6 hours behind
    assert listed(who, DONE, occurred_until="2026-03-01") == ["a", "b"]
    assert listed(who, DONE, occurred_from="2026-02-28", occurred_until="2026-03-01T06:00:00Z") == ["a", "b"]
    assert listed(who, DONE, occurred_from="0001-01-01", occurred_until="9999-12-31") == ["a", "b", "c"]
    assert refused(who.get(DONE, occurred_from="2026-02-30")) == (422, "moment-invalid", "occurred_from")


def test_the_newest_comes_first_if_it_is_asked_for(who: Actor, clock: Clock) -> None:
    for ref, day in (("a", 3), ("b", 1), ("c", 2), ("d", 3)):
        clock.advance(minutes=1)
        posted(who.post(DONE, REVIEW | {"ref": ref, "title": ref, "occurred_at": f"2026-02-0{day}T12:00:00Z"}))
    assert listed(who, DONE, sort="received_at") == ["a", "b", "c", "d"]
    assert listed(who, DONE, sort="-received_at") == ["d", "c", "b", "a"]
    assert listed(who, DONE, sort="occurred_at") == ["b", "c", "a", "d"]
    assert listed(who, DONE, sort="-occurred_at") == ["d", "a", "c", "b"]
    assert [row["ref"] for row in all_pages(who, f"{ROOT}/records", sort="-received_at")] == ["d", "c", "b", "a"]
    assert refused(who.get(DONE, sort="minutes")) == (422, "literal-error", "sort")


def test_pages_stay_right_while_rows_are_added_and_are_no_others(who: Actor) -> None:
    for ref in ("a", "b", "c"):
        posted(who.post(DONE, REVIEW | {"ref": ref}))
    first = who.get(DONE, sort="-received_at", limit=2, member="m11").json()
    posted(who.post(DONE, REVIEW | {"ref": "d"}))
    further = {"sort": "-received_at", "member": "m11", "after": first["next"]}
    assert [row["ref"] for row in who.get(DONE, **further, limit=1).json()["items"]] == ["a"]
    for other in ({"sort": "received_at"}, {"member": "m12"}, {"tag": "x"}):
        assert refused(who.get(DONE, **further | other)) == (422, "cursor-elsewhere", "after")
    assert refused(who.get(JUDGED, **further)) == (422, "cursor-elsewhere", "after")


def test_a_page_costs_no_more_statements_with_more_rows(runtime: Runtime, who: Actor) -> None:
    asked: list[str] = []

    @event.listens_for(runtime.database.engine, "before_cursor_execute")
    def _note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if not threading.current_thread().name.startswith("laurel-"):  # what goes on beside is not of the page
            asked.append(statement)

    def cost(path: str) -> int:
        expand = {} if path.endswith("records") else {"expand": "member"}
        who.get(path, **expand)
        asked.clear()
        assert who.get(path, **expand).status_code == 200
        return len(asked)

    def post_some(number: int = 0) -> None:
        posted(who.post(DONE, FULL | {"ref": None, "minutes": number}))
        posted(who.post(DONE, FULL | {"ref": None, "minutes": number, "peer": "dana"}), 202)
        posted(who.post(JUDGED, RUBRIC | {"part": f"{number}"}))
        posted(who.post(JUDGED, RUBRIC | {"part": f"{number}", "evaluator": "dana"}), 202)

    post_some()
    few = {path: cost(path) for path in (DONE, JUDGED, f"{ROOT}/records")}
    for number in range(1, 5):
        post_some(number)
    assert {path: cost(path) for path in few} == few


def test_a_row_brings_its_member_if_it_is_asked_for(who: Actor) -> None:
    posted(who.post(DONE, FULL))
    posted(who.post(JUDGED, RUBRIC))
    for path in (DONE, JUDGED):
        [row] = all_pages(who, path, expand="member")
        assert row["expanded"]["member"].items() >= {"ref": "m11", "email": "m11@example.org"}.items()
        assert "expanded" not in all_pages(who, path)[0]


def test_a_member_bound_token_reads_the_same(runtime: Runtime, client: TestClient, who: Actor) -> None:
    posted(who.post(DONE, FULL))
    bound = actor(runtime, client, slug="river-writers", member="m12")
    assert bound.get(DONE).json() == who.get(DONE).json()


def test_a_correction_and_what_it_corrects_are_both_found_and_shown(who: Actor) -> None:
    old = posted(who.post(DONE, FULL))["id"]
    changes = {"minutes": 55, "type": "shared", "tags": ["drafts"], "member": "m13"}
    new = correct(who, old, changes)
    first, second = rows = all_pages(who, DONE)
    assert [row["id"] for row in rows] == [old, new]
    assert first.items() >= SAID.items()
    assert second.items() >= (SAID | changes | {"ref": "full", "corrects": old}).items()
    assert (first["ref"], first["corrected_by"]["by"]) == ("full", new)
    assert not {"voided", "corrects"} & first.keys()
    assert not {"voided", "corrected_by"} & second.keys()
    assert all_pages(who, f"{ROOT}/records") == rows
    for name, row in ((old, first), (new, second), ("full", second)):
        shown = who.get(f"{DONE}/{name}").json()
        assert {member: shown[member] for member in row} == row
        assert (shown["body"]["minutes"], shown.get("reason")) == (row["minutes"], "Wrong." if row is second else None)
    for mine, other in (({"member": "m11"}, {"member": "m13"}), ({"tag": "writing"}, {"tag": "drafts"})):
        assert [row["id"] for row in all_pages(who, DONE, **mine)] == [old]
        assert [row["id"] for row in all_pages(who, DONE, **other)] == [new]
    assert [row["id"] for row in all_pages(who, DONE, type="shared")] == [new]
    assert listed(who, DONE, session="s1", resource="draft/7", status="accepted") == ["full", "full"]


def test_a_correction_that_is_held_or_void_is_found_with_what_it_corrects(who: Actor) -> None:
    old = posted(who.post(DONE, FULL))["id"]
    waiting = correct(who, old, {"peer": "dana"}, 202)
    assert [row["id"] for row in all_pages(who, DONE, member="dana")] == [waiting]
    assert [row["id"] for row in all_pages(who, DONE, member="m11", tag="writing")] == [old, waiting]
    newest = correct(who, waiting, {"peer": "m13"})
    assert refused(who.get(DONE, member="dana")) == (422, "member-unknown", "member")  # nothing waits any more
    posted(who.post(f"{ROOT}/records/{newest}/void", {"reason": "Wrong."}))
    rows = all_pages(who, DONE, member="m11", tag="writing")
    assert [row["id"] for row in rows] == [old, waiting, newest]
    assert [(row["peer"], "voided" in row, "corrected_by" in row) for row in rows] == [
        ("m12", False, True),
        ("dana", False, True),
        ("m13", True, False),
    ]


def test_an_evaluation_of_what_was_corrected_is_found_by_every_name_of_it(who: Actor) -> None:
    old = posted(who.post(DONE, REVIEW | {"ref": "draft"}))["id"]
    about = {"about": {"contribution": "draft"}}
    posted(who.post(JUDGED, RUBRIC | about | {"ref": "stands"}))
    posted(who.post(JUDGED, RUBRIC | about | {"ref": "void", "part": "1"}))
    posted(who.post(JUDGED, RUBRIC | about | {"ref": "held", "part": "2", "evaluator": "dana"}), 202)
    void(who, "void", JUDGED)
    new = correct(who, old, {"member": "m13"})
    every = ["stands", "void", "held"]
    for name in ("draft", old, new):
        assert listed(who, JUDGED, contribution=name) == every
    assert listed(who, JUDGED, member="m13") == ["stands"]
    rows = by_ref(who, JUDGED)
    assert [rows[ref]["about"] for ref in every] == [{"contribution": "draft"}] * 3
    assert rows["stands"].items() >= {"member": "m13", "evaluator": "m12"}.items()
    posted(who.post(f"{ROOT}/records/{new}/void", {"reason": "Wrong."}))
    assert listed(who, JUDGED, contribution="draft", kind="rubric") == every
    assert listed(who, JUDGED, evaluator="m12") == ["stands", "void"]


def test_a_corrected_evaluation_is_found_with_its_correction(who: Actor) -> None:
    old = posted(who.post(JUDGED, ENDORSEMENT | {"ref": "e", "skill": "listening"}))["id"]
    new = correct(who, old, {"skill": "speaking", "evaluator": "m13"})
    assert [row["id"] for row in all_pages(who, JUDGED, instrument="listening", evaluator="m12")] == [old]
    assert [row["id"] for row in all_pages(who, JUDGED, instrument="speaking", evaluator="m13")] == [new]
    assert listed(who, JUDGED, member="m11") == ["e", "e"]
    first, second = all_pages(who, JUDGED)
    assert (first["instrument"], second["instrument"]) == ("listening", "speaking")
    assert (first["evaluator"], second["evaluator"]) == ("m12", "m13")
