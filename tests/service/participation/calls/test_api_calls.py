"""Calls over HTTP: posted, changed, closed and read, with every refusal."""

from typing import Any

import pytest
from sqlalchemy import select

from service.participation.calls import traits
from service.runtime.runtime import Runtime
from service.tables import Network
from tests.worlds.acting import Actor, all_pages, refused, told
from tests.worlds.awarding import Stage
from tests.worlds.calling import CALL, CLOSES, REF, applied, decided, posted, stage_of, words
from tests.worlds.runtimes import Clock


@pytest.fixture
def stage(runtime: Runtime) -> Stage:
    return stage_of(runtime)


def put(stage: Stage, token: str | None = None, **said: Any) -> Any:
    body = {"title": "Mentors", "closes_at": CLOSES, "places": 2} | said
    return stage.call("PUT", CALL, token, json=body)


def test_a_call_is_posted_read_and_told(stage: Stage, runtime: Runtime) -> None:
    made = posted(stage, text="For *new* teachers.", roles=["teacher"], disciplines=["art"], organizations=["West"])
    assert made == stage.send("GET", CALL)
    assert made["topics"] == [{"name": "Feedback", "objectives": []}, {"name": "Writing", "objectives": []}]
    assert (made["standing"], made["open_to"], made["public"], made["opens_at"]) == (
        "open",
        "members",
        False,
        "2026-03-02T12:00:00Z",
    )
    assert "url" not in made
    assert told(runtime, "river")[-1] == "call.posted"


def test_what_is_left_out_stays_and_null_removes(stage: Stage) -> None:
    posted(stage, text="For new teachers.", gives_role={"role": "mentor", "ends_at": "2027-01-01T00:00:00Z"})
    changed = put(stage, text=None).json()
    assert "text" not in changed
    assert changed["gives_role"] == {"role": "mentor", "ends_at": "2027-01-01T00:00:00Z"}
    assert changed["topics"]
    assert "gives_role" not in stage.send("PATCH", CALL, {"gives_role": None})


def test_the_same_put_again_changes_and_tells_nothing(stage: Stage, runtime: Runtime) -> None:
    made = posted(stage)
    before = told(runtime, "river")
    assert posted(stage) == made
    assert told(runtime, "river") == before
    stage.send("PATCH", CALL, {"places": 3})
    assert told(runtime, "river") == [*before, "call.changed"]


def test_what_somebody_else_changed_meanwhile_is_not_overwritten(stage: Stage) -> None:
    posted(stage)
    tag = stage.call("GET", CALL).headers["ETag"]
    stage.send("PATCH", CALL, {"places": 3})
    late = stage.call("PATCH", CALL, json={"places": 4}, headers={"If-Match": tag})
    assert refused(late)[:2] == (412, "precondition-failed")


def test_a_call_that_is_closed_takes_nothing_until_a_later_end_opens_it_again(stage: Stage, runtime: Runtime) -> None:
    posted(stage, opens_at="2026-03-20T00:00:00Z")
    for _ in range(2):
        closed = stage.send("POST", f"{CALL}/closing")
        assert (closed["standing"], closed["closes_at"]) == ("closed", "2026-03-02T12:00:00Z")
    assert told(runtime, "river").count("call.closed") == 1
    assert stage.send("PATCH", CALL, {"closes_at": CLOSES})["standing"] == "open"


def test_calls_are_listed_by_how_they_stand(stage: Stage, clock: Clock) -> None:
    posted(stage, "later", opens_at="2026-03-20T00:00:00Z")
    posted(stage, "now")
    posted(stage, "short", closes_at="2026-03-03T00:00:00Z")
    clock.advance(days=2)

    def refs(**query: str) -> list[str]:
        return [each["ref"] for each in stage.send("GET", "./calls", params=query)["items"]]

    assert refs() == ["later", "now", "short"]
    assert (refs(standing="coming"), refs(standing="open"), refs(standing="closed")) == (["later"], ["now"], ["short"])
    assert refs(sort="closes_at")[0] == "short"
    listed = all_pages(Actor(stage.client, stage.token), "/v1/networks/river/calls")
    assert [each["ref"] for each in listed] == ["later", "now", "short"]


@pytest.mark.parametrize(
    ("said", "code", "pointer"),
    [
        (
            {"closes_at": "2026-03-01T00:00:00Z", "opens_at": "2026-02-01T00:00:00Z"},
            "call-closes-in-past",
            "/closes_at",
        ),
        ({"opens_at": "2026-05-01T00:00:00Z"}, "call-ends-before-start", "/closes_at"),
        ({"places": 0}, "greater-than-equal", "/places"),
        ({"public": True}, "call-not-public", "/public"),
        ({"topics": [{"name": "Drafts"}, {"name": " drafts".strip().upper()}]}, "call-named-twice", "/topics/1"),
        ({"disciplines": ["art", "Art"]}, "call-named-twice", "/disciplines/1"),
        ({"topics": [{"name": "Drafts", "objectives": ["X-9"]}]}, "objective-unknown", "/topics/0/objectives/0"),
        ({"topics": [{"name": "What is your religion?"}]}, "call-protected-trait", "/topics/0/name"),
        ({"readiness": ["Indique su género."]}, "call-protected-trait", "/readiness/0"),
        ({"roles": ["married teacher"]}, "call-protected-trait", "/roles/0"),
        (
            {"gives_role": {"role": "x", "starts_at": CLOSES, "ends_at": "2026-03-09T00:00:00Z"}},
            "role-ends-before-start",
            "/gives_role/ends_at",
        ),
        ({"questions": ["How old are you?"]}, "extra-forbidden", "/questions"),
    ],
)
def test_a_call_that_cannot_be_is_refused(stage: Stage, said: Any, code: str, pointer: str) -> None:
    answer = put(stage, **said)
    assert refused(answer) == (422, code, pointer)


def test_words_for_protected_traits_are_found_whole_with_and_without_accents() -> None:
    found = {text: traits.named_in(text) for text in ("Your AGE?", "Orientación  sexual", "Management of stages", "")}
    assert list(found.values()) == ["age", "orientacion sexual", None, None]
    for word in traits.WORDS:
        assert traits.named_in(f"Please say: {word}.") == word


def test_what_was_asked_stays_once_somebody_has_applied(stage: Stage) -> None:
    posted(stage)
    applied(stage)
    changes: list[dict[str, Any]] = [
        {"topics": []},
        {"readiness": ["Another."]},
        {"open_to": "anybody"},
        {"roles": ["x"]},
    ]
    for said in changes:
        assert refused(stage.call("PATCH", CALL, json=said)) == (409, "call-has-applications", f"/{next(iter(said))}")
    assert stage.send("PATCH", CALL, {"title": "Other", "places": 5, "text": "More."})["places"] == 5
    assert posted(stage, places=5)["title"] == "Mentors for new teachers"


def test_objectives_of_topics_are_those_of_the_network_and_may_retire_later(stage: Stage) -> None:
    stage.send("PUT", "./objectives/F-1", {"text": "Gives feedback."})
    topics = [{"name": "Drafts", "objectives": ["F-1"]}]
    assert posted(stage, topics=topics)["topics"] == topics
    removed = stage.call("DELETE", "./objectives/F-1")
    assert (refused(removed)[:2], removed.json()["rests"]) == ((409, "objective-in-use"), {"calls": 1})
    stage.send("POST", "./objectives/F-1/retirement")
    assert posted(stage, topics=topics)["topics"] == topics
    answer = put(stage, topics=[{"name": "Drafts", "objectives": ["F-1", "F-1"]}])
    assert refused(answer)[1:] == ("repeated", "/topics/0/objectives")


def test_only_who_decides_prepares_calls(stage: Stage) -> None:
    plain = stage.token_with("members:write", "read", member="m11")
    leads = stage.token_with("members:write", "read", member="f1")
    reads = stage.token_with("read")
    assert refused(put(stage, plain))[:2] == (403, "call-role")
    assert refused(put(stage, reads))[:2] == (403, "scope-missing")
    assert put(stage, leads).status_code == 201
    assert refused(stage.call("POST", f"{CALL}/closing", plain))[:2] == (403, "call-role")
    assert refused(stage.call("GET", f"{CALL}/report", plain))[:2] == (403, "call-role")
    assert stage.call("GET", CALL, plain).status_code == 200


def test_an_unknown_call_is_404_for_every_route(stage: Stage) -> None:
    for method, path, body in (
        ("GET", "", None),
        ("PATCH", "", {"places": 2}),
        ("POST", "/closing", None),
        ("GET", "/report", None),
        ("GET", "/applications", None),
        ("PUT", "/applications/m11", {"statement": "I would."}),
        ("POST", "/proposals", {}),
        ("GET", "/proposals", None),
    ):
        sent: dict[str, Any] = {} if body is None else {"json": body}
        answer = stage.call(method, f"./calls/none{path}", **sent)
        assert refused(answer)[:2] == (404, "call-unknown")


def test_another_networks_token_finds_nothing(stage: Stage, runtime: Runtime) -> None:
    posted(stage)
    application = applied(stage)["id"]
    proposal = stage.send("POST", f"{CALL}/proposals", {})["id"]
    hill = Stage.set_up(stage.client, runtime, slug="hill-readers", name="Hill Readers")
    for path in (
        f"/v1/networks/hill-readers/calls/{REF}",
        f"/v1/networks/hill-readers/call-applications/{application}",
        f"/v1/networks/hill-readers/call-proposals/{proposal}",
        f"/v1/networks/river/calls/{REF}",
    ):
        assert hill.call("GET", path).status_code == 404


def test_the_report_counts_who_applied_and_who_was_accepted(stage: Stage) -> None:
    posted(stage)
    token = stage.token_with("members:write", "read", member="f1")
    first = applied(stage, "m11", organization="West School", discipline="art")
    applied(stage, "m12", organization=" west  school".strip(), discipline="maths")
    gone = applied(stage, "s1", organization="East School")
    stage.send("POST", f"./call-applications/{gone['id']}/withdrawal")
    assert decided(stage, first["id"], token).is_success
    found = stage.send("GET", f"{CALL}/report")
    assert found["states"] == {"accepted": 1, "applied": 1, "withdrawn": 1}
    assert found["organizations"] == [{"value": "West School", "applied": 2, "accepted": 1}]
    assert found["roles"] == [{"applied": 2, "accepted": 1}]
    assert found["disciplines"] == [
        {"value": "art", "applied": 1, "accepted": 1},
        {"value": "maths", "applied": 1, "accepted": 0},
    ]


def test_a_closed_network_calls_nobody(stage: Stage, runtime: Runtime) -> None:
    posted(stage)
    with runtime.database.write() as session:
        session.scalars(select(Network).where(Network.slug == "river")).one().state = "closed"
    assert refused(stage.call("PATCH", CALL, json={"places": 3}))[:2] == (409, "network-closed")
    answer = stage.call("PUT", f"{CALL}/applications/m11", json=words())
    assert refused(answer)[:2] == (409, "network-closed")
