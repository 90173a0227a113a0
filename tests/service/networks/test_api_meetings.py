"""Sessions: the meetings of a network."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from fastapi.testclient import TestClient

from service.runtime.runtime import Runtime
from tests.worlds import posting
from tests.worlds.acting import HILL, Actor, actor, all_pages, refused, told
from tests.worlds.posting import alone

SESSIONS = "/v1/networks/river-writers/sessions"
EVENING = {"starts_at": "2026-03-01T17:00:00Z"}


@pytest.fixture
def river(runtime: Runtime, client: TestClient) -> Actor:
    return alone(runtime, client)


def test_a_session_is_added_and_shown_as_stored(river: Actor) -> None:
    posted = {
        "series": "writing-group",
        "title": "Feedback that helps",
        "starts_at": "2026-03-01T18:00:00+01:00",
        "ends_at": "2026-03-01T18:30:00Z",
        "mode": "online",
        "confidential": True,
        "attendance_count": 12,
    }
    answer = river.put(f"{SESSIONS}/s1", posted)
    assert answer.status_code == 201
    shown = answer.json()
    assert shown.pop("id")
    assert shown == posted | {"ref": "s1", "starts_at": "2026-03-01T17:00:00Z"}
    assert river.get(f"{SESSIONS}/s1").json() == answer.json()


def test_posting_again_changes_what_is_sent_and_keeps_the_rest(runtime: Runtime, river: Actor) -> None:
    river.post(SESSIONS, EVENING | {"ref": "s1", "title": "First", "attendance_count": 3, "confidential": True})
    again = river.put(f"{SESSIONS}/s1", EVENING | {"title": None, "attendance_count": 4})
    assert again.status_code == 200
    assert "title" not in again.json()
    assert (again.json()["attendance_count"], again.json()["confidential"]) == (4, True)
    river.put(f"{SESSIONS}/s1", EVENING)
    assert told(runtime) == ["network.created", "session.posted", "session.changed"]


@pytest.mark.any_database("a body is judged in the code; the rows are only looked up")
@pytest.mark.parametrize(
    ("change", "code", "pointer"),
    [
        ({"starts_at": None}, "datetime-type", "/starts_at"),
        ({"starts_at": "2026-03-01"}, "instant-invalid", "/starts_at"),
        ({"starts_at": "2026-02-30T17:00:00Z"}, "instant-invalid", "/starts_at"),
        ({"starts_at": "2026-03-01T17:00:00"}, "instant-invalid", "/starts_at"),
        ({"starts_at": 1772384400}, "datetime-type", "/starts_at"),
        ({"mode": "On Line"}, "string-pattern-mismatch", "/mode"),
        ({"confidential": "false"}, "bool-type", "/confidential"),
        ({"confidential": None}, "bool-type", "/confidential"),
        ({"attendance_count": -1}, "greater-than-equal", "/attendance_count"),
        ({"attendance_count": "7"}, "int-type", "/attendance_count"),
        ({"attendance_count": 7.5}, "int-type", "/attendance_count"),
        ({"attendance_count": 10**30}, "less-than-equal", "/attendance_count"),
        ({"series": " "}, "line-invalid", "/series"),
        ({"room": "2"}, "extra-forbidden", "/room"),
    ],
)
def test_a_session_that_is_not_well_described_is_refused(
    river: Actor, change: dict[str, Any], code: str, pointer: str
) -> None:
    answer = river.put(f"{SESSIONS}/s1", EVENING | change)
    assert refused(answer) == (422, code, pointer)
    assert refused(river.get(f"{SESSIONS}/s1")) == (404, "session-unknown", None)


@pytest.mark.parametrize("ends_at", ["2026-03-01T17:00:00Z", "2026-03-01T16:59:59Z"])
def test_a_session_ends_after_it_starts(river: Actor, ends_at: str) -> None:
    expected = (422, "session-ends-before-start", "/ends_at")
    assert refused(river.put(f"{SESSIONS}/s1", EVENING | {"ends_at": ends_at})) == expected
    river.put(f"{SESSIONS}/s1", EVENING | {"ends_at": "2026-03-01T18:00:00Z"})
    assert refused(river.put(f"{SESSIONS}/s1", {"starts_at": "2026-03-01T19:00:00Z"})) == expected
    assert river.get(f"{SESSIONS}/s1").json()["starts_at"] == EVENING["starts_at"]


def test_the_ref_of_the_path_counts(river: Actor) -> None:
    assert refused(river.put(f"{SESSIONS}/s1", EVENING | {"ref": "s2"})) == (422, "ref-differs", "/ref")
    assert refused(river.post(SESSIONS, EVENING)) == (422, "missing", "/ref")


def test_one_session_posted_twice_at_the_same_moment_is_one(runtime: Runtime, river: Actor) -> None:
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: river.put(f"{SESSIONS}/s1", EVENING), range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 201]
    assert told(runtime).count("session.posted") == 1


def test_sessions_are_listed_in_pages_and_filtered(river: Actor) -> None:
    for day in range(1, 6):
        body = {"starts_at": f"2026-03-0{day}T17:00:00Z", "series": "odd" if day % 2 else "even"}
        river.put(f"{SESSIONS}/s{day}", body)
    assert [row["ref"] for row in all_pages(river, SESSIONS)] == ["s1", "s2", "s3", "s4", "s5"]
    assert [row["ref"] for row in all_pages(river, SESSIONS, series="even")] == ["s2", "s4"]
    bounds = {"starts_from": "2026-03-02T17:00:00Z", "starts_until": "2026-03-04T17:00:00Z"}
    assert [row["ref"] for row in all_pages(river, SESSIONS, **bounds)] == ["s2", "s3"]
    assert refused(river.get(SESSIONS, starts_from="March")) == (422, "moment-invalid", "starts_from")


def test_another_networks_sessions_are_not_there(runtime: Runtime, client: TestClient, river: Actor) -> None:
    actor(runtime, client).post("/v1/networks", HILL)
    river.put(f"{SESSIONS}/s1", EVENING)
    hill = actor(runtime, client, slug="hill-readers")
    for answer in (hill.get(SESSIONS), hill.get(f"{SESSIONS}/s1"), hill.put(f"{SESSIONS}/s1", EVENING)):
        assert refused(answer) == (404, "network-unknown", None)
    assert refused(hill.get("/v1/networks/hill-readers/sessions/s1")) == (404, "session-unknown", None)


def test_reading_and_writing_sessions_are_two_scopes(runtime: Runtime, client: TestClient, river: Actor) -> None:
    assert river.put(f"{SESSIONS}/s1", EVENING).status_code == 201
    reader = actor(runtime, client, slug="river-writers", scopes=["read"])
    writer = actor(runtime, client, slug="river-writers", scopes=["members:write"])
    assert refused(reader.put(f"{SESSIONS}/s1", EVENING)) == (403, "scope-missing", None)
    assert refused(writer.get(SESSIONS)) == (403, "scope-missing", None)


def test_a_patch_changes_what_it_names_and_takes_away_what_is_null(runtime: Runtime, river: Actor) -> None:
    assert refused(river.patch(f"{SESSIONS}/s1", {"title": "A."})) == (404, "session-unknown", None)
    river.put(f"{SESSIONS}/s1", EVENING | {"title": "Drafts", "series": "circle", "confidential": True})
    patched = river.patch(f"{SESSIONS}/s1", {"title": None, "confidential": None, "mode": "online"}).json()
    assert ("title" in patched, patched["confidential"], patched["mode"]) == (False, False, "online")
    assert (patched["series"], patched["starts_at"]) == ("circle", EVENING["starts_at"])
    assert river.get(f"{SESSIONS}/s1").json() == patched
    assert told(runtime) == ["network.created", "session.posted", "session.changed"]


@pytest.mark.any_database("a body is judged in the code; the rows are only looked up")
@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        ({"starts_at": None}, (422, "datetime-type", "/starts_at")),
        ({"ends_at": "2026-03-01T16:00:00Z"}, (422, "session-ends-before-start", "/ends_at")),
        ({"room": 5}, (422, "extra-forbidden", "/room")),
        ({"ref": "s2"}, (422, "extra-forbidden", "/ref")),
    ],
)
def test_a_patch_that_cannot_be_is_refused(river: Actor, body: Any, refusal: Any) -> None:
    river.put(f"{SESSIONS}/s1", EVENING)
    assert refused(river.patch(f"{SESSIONS}/s1", body)) == refusal


def test_a_session_on_which_nothing_rests_is_removed(runtime: Runtime, river: Actor) -> None:
    river.put(f"{SESSIONS}/s1", EVENING)
    assert river.delete(f"{SESSIONS}/s1").status_code == 204
    assert refused(river.get(f"{SESSIONS}/s1")) == (404, "session-unknown", None)
    assert refused(river.delete(f"{SESSIONS}/s1")) == (404, "session-unknown", None)
    assert told(runtime) == ["network.created", "session.posted", "session.deleted"]
    assert river.put(f"{SESSIONS}/s1", EVENING).status_code == 201


def test_a_session_on_which_something_rests_stays_and_says_what(runtime: Runtime, client: TestClient) -> None:
    who = posting.river(runtime, client)
    shared = {"member": "m11", "type": "attended", "occurred_at": posting.AT, "session": "s1"}
    made = who.post(f"{posting.ROOT}/contributions", shared).json()
    assert resting(who) == {"contributions": 1}
    who.post(f"{posting.ROOT}/contributions", shared | {"member": "not-yet"})
    who.post(f"{posting.ROOT}/evaluations", posting.SURVEY)
    assert resting(who) == {"contributions": 2, "evaluations": 1}
    who.post(f"{posting.ROOT}/records/{made['id']}/void", {"reason": "A copy."})
    assert resting(who) == {"contributions": 2, "evaluations": 1}
    refusal = who.delete(f"{posting.ROOT}/sessions/s1").json()["detail"]
    assert "2 contributions, 1 evaluation." in refusal


def resting(who: Actor) -> Any:
    answer = who.delete(f"{posting.ROOT}/sessions/s1")
    assert refused(answer) == (409, "session-in-use", None)
    return answer.json()["rests"]


def test_a_session_that_a_published_rule_names_stays(runtime: Runtime, client: TestClient) -> None:
    who = posting.river(runtime, client)
    rule = {"any": [{"rule": "count", "where": {"sessions": ["s1"]}, "gte": 1}]}
    body = {"ref": "a1", "name": "A", "description": "D.", "achievement_type": "Badge", "award": "reviewed"}
    who.post(f"{posting.ROOT}/achievements", body | {"criteria": {"narrative": "N.", "rule": rule}, "publish": True})
    assert resting(who) == {"achievements": 1}


def test_another_network_changes_and_removes_nothing(runtime: Runtime, client: TestClient, river: Actor) -> None:
    river.put(f"{SESSIONS}/s1", EVENING)
    actor(runtime, client).post("/v1/networks", HILL)
    hill = actor(runtime, client, slug="hill-readers")
    reader = actor(runtime, client, slug="river-writers", scopes=["read"])
    for method, body in (("DELETE", None), ("PATCH", {"title": "A."})):
        assert refused(hill.ask(method, f"{SESSIONS}/s1", body)) == (404, "network-unknown", None)
        assert refused(reader.ask(method, f"{SESSIONS}/s1", body)) == (403, "scope-missing", None)
    assert refused(hill.delete("/v1/networks/hill-readers/sessions/s1")) == (404, "session-unknown", None)
