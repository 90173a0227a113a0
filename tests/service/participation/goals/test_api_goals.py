"""Goals over HTTP: who sees one, what can be true, how it ends, and what it is worth as evidence."""

from typing import Any

import pytest
from sqlalchemy import select

from service.runtime.runtime import Runtime
from service.tables import Idempotency
from tests.worlds.acting import told
from tests.worlds.awarding import Stage
from tests.worlds.goal_setting import BUDDY, BUDDYS, GOAL, GOAL_MET, MINE, NETWORK, THIRDS, Circle
from tests.worlds.runtimes import Clock

SELF = (403, "self-decision")
GONE = (404, "goal-unknown")
YES, NO = {"met": True}, {"met": False}


@pytest.fixture
def circle(client: Any, runtime: Runtime) -> Circle:
    return Circle(Stage.set_up(client, runtime))


def test_a_goal_is_shared_with_nobody_unless_its_member_says_so(circle: Circle) -> None:
    made = circle.send(MINE, "POST", "", GOAL)
    assert (made["you"], made["shared_with"], made["course"]) == ("member", "nobody", "no-check-in")
    path = f"/{made['id']}"
    for who in (BUDDYS, "f1"):
        assert circle.code(who, "GET", path) == GONE
        assert circle.code(who, "GET", f"{path}/check-ins") == GONE
        assert circle.send(who, "GET", "")["items"] == []
    assert circle.stage.call("GET", f"./goals{path}").status_code == 404
    assert circle.stage.send("GET", "./goals")["items"] == []


def test_nothing_in_the_outbox_tells_of_a_goal_that_is_not_shared_with_the_network(circle: Circle) -> None:
    before = told(circle.stage.runtime, "river")
    path = circle.with_buddy()
    circle.check_in(path)
    circle.send(MINE, "POST", f"{path}/closing", {"closed_as": "dropped"})
    assert told(circle.stage.runtime, "river") == before


def test_events_of_a_goal_that_the_network_sees_name_ids_only(circle: Circle) -> None:
    path = circle.goal(**NETWORK)
    circle.met(path)
    circle.send(THIRDS, "POST", f"{path}/answer", YES)
    events = [each for each in circle.stage.send("GET", "./events")["items"] if each["type"].startswith("goal.")]
    assert [each["type"] for each in events] == ["goal.shared", "goal.closed", "goal.confirmed"]
    assert {each["about"]["goal"] for each in events} == {path[1:]}
    assert GOAL["title"] not in str(events)


def test_a_token_that_only_reads_does_not_read_what_its_member_keeps_to_themself(circle: Circle) -> None:
    path = circle.goal()
    reader = circle.stage.token_with("read:basic", member=MINE)
    assert circle.stage.call("GET", f"./goals{path}", reader).status_code == 404
    assert circle.stage.send("GET", "./goals", token=reader)["items"] == []


def test_a_goal_that_is_shared_with_the_network_is_read_by_its_program_and_its_members(circle: Circle) -> None:
    path = circle.goal(**NETWORK)
    circle.check_in(path, 0.5, obstacle="No common hour.")
    assert circle.stage.send("GET", f"./goals{path}")["you"] == "network"
    assert circle.send(THIRDS, "GET", "?you=network")["items"][0]["progress"] == 0.5
    assert circle.send(THIRDS, "GET", f"{path}/check-ins")["items"][0]["obstacle"] == "No common hour."
    assert circle.code(THIRDS, "PATCH", path, {"title": "Mine now"}) == (403, "goal-not-own")
    circle.send(MINE, "PATCH", path, {"shared_with": "nobody"})
    assert circle.code(THIRDS, "GET", path) == GONE


def test_a_goal_of_another_network_does_not_exist(circle: Circle) -> None:
    path = circle.goal(**NETWORK)
    hill = Stage.set_up(circle.stage.client, circle.stage.runtime, "hill")
    assert hill.call("GET", f"./goals{path}").json()["code"] == "goal-unknown"
    assert hill.send("GET", "./goals")["items"] == []


def test_a_buddy_is_asked_and_reads_how_far_it_is_once_they_accept(circle: Circle) -> None:
    path = circle.goal(**BUDDY)
    circle.check_in(path)
    asked = circle.send(BUDDYS, "GET", path)
    assert (asked["you"], asked["buddy_state"], "progress" in asked) == ("buddy", "asked", False)
    assert circle.code(BUDDYS, "GET", f"{path}/check-ins") == (403, "buddy-not-accepted")
    assert circle.code(THIRDS, "GET", path) == GONE
    circle.send(BUDDYS, "POST", f"{path}/buddy-answer", {"accepts": True})
    assert circle.send(BUDDYS, "GET", path)["progress"] == 0.4
    assert circle.send(MINE, "GET", path)["buddy_state"] == "accepted"


def test_a_buddy_who_declines_sees_it_no_longer_and_can_be_asked_again(circle: Circle) -> None:
    path = circle.with_buddy()
    circle.send(BUDDYS, "POST", f"{path}/buddy-answer", {"accepts": False})
    assert circle.code(BUDDYS, "GET", path) == GONE
    assert circle.send(MINE, "GET", path)["buddy_state"] == "declined"
    circle.send(MINE, "PATCH", path, {"title": "Another title"})
    assert circle.send(MINE, "GET", path)["buddy_state"] == "declined"
    circle.send(MINE, "PATCH", path, {"buddy": BUDDYS})
    assert circle.send(BUDDYS, "GET", path)["buddy_state"] == "asked"


def test_another_buddy_is_asked_and_the_one_before_sees_it_no_longer(circle: Circle) -> None:
    path = circle.with_buddy()
    circle.send(MINE, "PATCH", path, {"buddy": THIRDS})
    assert circle.code(BUDDYS, "GET", path) == GONE
    assert circle.send(THIRDS, "GET", path)["buddy_state"] == "asked"


def test_other_changes_leave_the_buddy_as_they_are(circle: Circle) -> None:
    path = circle.with_buddy()
    circle.send(MINE, "PATCH", path, {"due_on": "2026-04-30", "why": "My class reads more."})
    assert circle.send(MINE, "GET", path)["buddy_state"] == "accepted"


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"shared_with": "buddy"}, "buddy-missing"),
        ({"shared_with": "buddy", "buddy": "nobody"}, "buddy-unknown"),
        ({"shared_with": "buddy", "buddy": MINE}, "buddy-oneself"),
        ({"shared_with": "network", "buddy": BUDDYS}, "buddy-unneeded"),
        ({"due_on": "2026-02-28"}, "goal-due-before-start"),
        ({"due_on": "31.3.2026"}, "date-invalid"),
        ({"due_on": "2026-02-30"}, "date-invalid"),
        ({"due_on": "9999-12-31"}, "date-invalid"),
    ],
)
def test_a_goal_that_cannot_be_is_refused(circle: Circle, said: dict[str, Any], code: str) -> None:
    assert circle.code(MINE, "POST", "", GOAL | said) == (422, code)


def test_nobody_is_their_own_buddy_under_another_ref(circle: Circle) -> None:
    circle.stage.member("m11-again", email=f"{MINE}@river.example.org")
    assert circle.code(MINE, "POST", "", GOAL | {"shared_with": "buddy", "buddy": "m11-again"})[1] == "buddy-oneself"


def test_a_buddy_who_left_cannot_be_asked(circle: Circle, clock: Clock) -> None:
    circle.stage.member(THIRDS, roles=["mentor"])
    clock.advance(days=1)
    circle.stage.member(THIRDS, roles=[])
    assert circle.code(MINE, "POST", "", GOAL | {"shared_with": "buddy", "buddy": THIRDS})[1] == "buddy-gone"


def test_a_buddy_whose_roles_have_ended_is_gone_and_sees_nothing(circle: Circle, clock: Clock) -> None:
    circle.stage.member(BUDDYS, roles=["mentor"])
    path = circle.with_buddy()
    circle.met(path)
    clock.advance(days=1)
    circle.stage.member(BUDDYS, roles=[])
    assert circle.send(MINE, "GET", path)["buddy_state"] == "gone"
    assert circle.code(BUDDYS, "GET", path) == GONE
    assert circle.code(BUDDYS, "POST", f"{path}/answer", YES) == GONE
    circle.send(MINE, "PATCH", path, {"buddy": THIRDS})
    circle.send(THIRDS, "POST", f"{path}/buddy-answer", {"accepts": True})
    circle.send(THIRDS, "POST", f"{path}/answer", YES)
    assert circle.evidence() == [(MINE, THIRDS, 1)]


def test_a_check_in_says_how_far_one_is_beside_the_time_that_has_passed(circle: Circle, clock: Clock) -> None:
    path = circle.goal()
    clock.advance(days=14)  # 15 of 30 days
    circle.check_in(path, 0.2)
    assert [circle.send(MINE, "GET", path)[name] for name in ("elapsed", "course")] == [0.5, "behind"]
    for progress, course in ((0.4, "on-course"), (0.6, "on-course"), (0.61, "ahead"), (1, "reached")):
        circle.check_in(path, progress)
        assert circle.send(MINE, "GET", path)["course"] == course
    short = circle.goal(due_on="2026-03-15")
    circle.check_in(short, 0.9)
    assert circle.send(MINE, "GET", short)["course"] == "overdue"


def test_the_check_in_of_the_newest_day_counts_and_not_the_one_that_came_last(circle: Circle, clock: Clock) -> None:
    path = circle.goal()
    clock.advance(days=3)
    circle.check_in(path, 0.5, on="2026-03-04")
    circle.check_in(path, 0.1, on="2026-03-02")
    shown = circle.send(MINE, "GET", path)
    assert (shown["progress"], shown["checked_in_on"]) == (0.5, "2026-03-04")


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"progress": 0.1, "on": "2026-02-28"}, "check-in-before-start"),
        ({"progress": 0.1, "on": "2026-03-03"}, "check-in-in-future"),
        ({"progress": 1.1}, "progress-invalid"),
        ({"progress": True}, "progress-invalid"),
        ({"progress": "half"}, "progress-invalid"),
    ],
)
def test_a_check_in_that_cannot_be_is_refused(circle: Circle, said: dict[str, Any], code: str) -> None:
    assert circle.code(MINE, "POST", f"{circle.goal()}/check-ins", said) == (422, code)


def test_which_day_it_is_the_calendar_of_the_network_says(circle: Circle, clock: Clock) -> None:
    clock.advance(hours=11.5)  # 23:30 in UTC, 00:30 of the next day in Berlin
    assert circle.check_in(circle.goal())["on"] == "2026-03-03"


def test_a_check_in_can_be_taken_back_while_the_goal_is_open(circle: Circle) -> None:
    path = circle.goal()
    first = circle.check_in(path)["id"]
    circle.send(MINE, "DELETE", f"{path}/check-ins/{first}")
    assert circle.send(MINE, "GET", f"{path}/check-ins")["items"] == []
    assert circle.code(MINE, "DELETE", f"{path}/check-ins/{first}") == (404, "check-in-unknown")
    second = circle.check_in(path)["id"]
    circle.send(MINE, "POST", f"{path}/closing", {"closed_as": "partly"})
    assert circle.code(MINE, "DELETE", f"{path}/check-ins/{second}") == (409, "goal-closed")


def test_a_goal_cannot_begin_after_a_check_in(circle: Circle, clock: Clock) -> None:
    path = circle.goal()
    circle.check_in(path)
    clock.advance(days=1)
    assert circle.code(MINE, "PATCH", path, {"begun_on": "2026-03-03"}) == (422, "goal-begins-after-check-in")


def test_nobody_but_its_member_writes_in_a_goal(circle: Circle) -> None:
    path = circle.with_buddy()
    theirs = [
        ("POST", f"{path}/check-ins", {"progress": 1}),
        ("POST", f"{path}/closing", {"closed_as": "met"}),
        ("DELETE", path, None),
        ("PATCH", path, {"shared_with": "network"}),
    ]
    for method, below, body in theirs:
        assert circle.code(BUDDYS, method, below, body) == (403, "goal-not-own")
        assert circle.code(THIRDS, method, below, body) == GONE


def test_a_goal_is_closed_once_and_takes_nothing_then(circle: Circle) -> None:
    path = circle.goal()
    circle.send(MINE, "POST", f"{path}/closing", {"closed_as": "dropped", "outcome": "No time."})
    closed = circle.send(MINE, "GET", path)
    assert (closed["closed_as"], closed["outcome"], "course" in closed) == ("dropped", "No time.", False)
    for below, body in (("closing", {"closed_as": "met"}), ("check-ins", {"progress": 1})):
        assert circle.code(MINE, "POST", f"{path}/{below}", body) == (409, "goal-closed")
    assert circle.code(MINE, "PATCH", path, {"title": "Another"}) == (409, "goal-closed")
    assert circle.send(MINE, "PATCH", path, NETWORK)["shared_with"] == "network"


@pytest.mark.parametrize("closed_as", ["met", "partly", "dropped"])
def test_a_goal_is_not_closed_before_it_began(circle: Circle, closed_as: str) -> None:
    path = circle.goal(begun_on="2026-03-10")
    assert circle.code(MINE, "POST", f"{path}/closing", {"closed_as": closed_as}) == (409, "goal-not-begun")


def test_a_goal_counts_as_met_only_with_a_check_in_before(circle: Circle) -> None:
    path = circle.goal(**NETWORK)
    assert circle.code(MINE, "POST", f"{path}/closing", {"closed_as": "met"}) == (409, "goal-without-check-in")
    circle.send(MINE, "POST", f"{path}/closing", {"closed_as": "met", "evidence": False})
    circle.send(THIRDS, "POST", f"{path}/answer", YES)
    assert circle.evidence() == []


def test_a_goal_that_was_met_is_evidence_as_the_members_own_word(circle: Circle) -> None:
    path = circle.with_buddy()
    closed = circle.met(path)
    assert circle.evidence() == [(MINE, "", 0)]
    record = circle.stage.send("GET", f"./records/{closed['record']}")
    assert record["body"].keys() == {"member", "type", "occurred_at", "source"}


def test_a_goal_that_is_shared_with_nobody_counts_only_if_its_member_says_so(circle: Circle) -> None:
    circle.met(circle.goal())
    assert circle.evidence() == []
    circle.met(circle.goal(), evidence=True)
    assert circle.evidence() == [(MINE, "", 0)]


def test_what_was_not_met_is_no_evidence(circle: Circle) -> None:
    path = circle.goal(**NETWORK)
    said = {"closed_as": "partly", "evidence": True}
    assert circle.code(MINE, "POST", f"{path}/closing", said) == (422, "goal-evidence-not-met")
    circle.send(MINE, "POST", f"{path}/closing", {"closed_as": "partly"})
    assert circle.evidence() == []
    assert circle.code(THIRDS, "POST", f"{path}/answer", YES) == (409, "goal-not-met")


def test_the_word_of_a_peer_lifts_the_evidence_and_the_award_follows_at_once(circle: Circle) -> None:
    circle.stage.achievement("goal-setter", GOAL_MET)
    path = circle.with_buddy()
    circle.met(path)
    assert circle.stage.awards() == []
    circle.send(BUDDYS, "POST", f"{path}/answer", YES | {"comment": "I have seen all four."})
    assert circle.evidence() == [(MINE, BUDDYS, 1)]
    assert [each["member"] for each in circle.stage.awards()] == [MINE]
    shown = circle.send(MINE, "GET", path)
    assert (shown["confirmed"], shown["answers"][0]["comment"]) == (True, "I have seen all four.")


def test_an_award_that_rests_on_the_members_own_word_stands_when_a_peer_confirms(circle: Circle) -> None:
    circle.stage.achievement("goal-setter", {"rule": "count", "where": {"types": ["goal_met"]}, "gte": 1})
    path = circle.with_buddy()
    circle.met(path)
    [award] = circle.stage.awards()
    circle.send(BUDDYS, "POST", f"{path}/answer", YES)
    assert [(each["id"], each["state"]) for each in circle.stage.awards()] == [(award["id"], "awarded")]


def test_the_word_of_a_facilitator_is_worth_more_also_after_a_peers(circle: Circle) -> None:
    path = circle.goal(**NETWORK)
    circle.met(path)
    circle.send(THIRDS, "POST", f"{path}/answer", YES)
    circle.send("f1", "POST", f"{path}/answer", YES)
    assert circle.evidence() == [(MINE, "f1", 2)]
    circle.send(BUDDYS, "POST", f"{path}/answer", YES)
    assert circle.evidence() == [(MINE, "f1", 2)]


def test_a_later_correction_of_the_network_keeps_what_the_peer_made_of_it(circle: Circle) -> None:
    path = circle.with_buddy()
    circle.met(path)
    circle.send(BUDDYS, "POST", f"{path}/answer", YES)
    items = circle.stage.send("GET", "./contributions", params={"type": "goal_met"})["items"]
    newest = next(each["id"] for each in items if each.get("peer") == BUDDYS)
    said = {"changes": {"tags": ["spring"]}, "reason": "Tagged."}
    circle.stage.send("POST", f"./records/{newest}/correction", said)
    assert circle.evidence() == [(MINE, BUDDYS, 1)]


def test_nobody_confirms_their_own_goal_also_not_under_another_ref(circle: Circle) -> None:
    path = circle.goal(**NETWORK)
    circle.met(path)
    circle.stage.member("m11-again", email=f"{MINE}@river.example.org")
    circle.tokens["again"] = circle.stage.token_with("goals:write", member="m11-again")
    for who in (MINE, "again"):
        assert circle.code(who, "POST", f"{path}/answer", YES) == SELF


def test_a_buddy_who_becomes_the_same_person_confirms_nothing(circle: Circle) -> None:
    path = circle.with_buddy()
    circle.met(path)
    circle.stage.member(BUDDYS, email=f"{MINE}@river.example.org")
    assert circle.code(BUDDYS, "POST", f"{path}/answer", YES) == SELF


def test_a_buddy_can_say_that_it_was_not_met_and_later_that_it_was(circle: Circle) -> None:
    path = circle.with_buddy()
    circle.met(path)
    circle.send(BUDDYS, "POST", f"{path}/answer", NO | {"comment": "One draft is missing."})
    assert circle.evidence() == [(MINE, "", 0)]
    assert circle.send(MINE, "GET", path)["answers"][0]["met"] is False
    circle.send(BUDDYS, "POST", f"{path}/answer", YES)
    assert circle.evidence() == [(MINE, BUDDYS, 1)]
    assert circle.code(BUDDYS, "POST", f"{path}/answer", NO) == (409, "goal-confirmed")


def test_who_is_asked_confirms_only_once_they_have_accepted(circle: Circle) -> None:
    path = circle.goal(**BUDDY)
    circle.met(path)
    assert circle.code(BUDDYS, "POST", f"{path}/answer", YES) == (409, "buddy-not-accepted")


def test_who_only_reads_it_with_the_network_is_nobodys_buddy(circle: Circle) -> None:
    path = circle.goal(**NETWORK)
    assert circle.code(THIRDS, "POST", f"{path}/buddy-answer", {"accepts": True}) == (403, "buddy-not-asked")


def test_others_learn_whether_it_was_confirmed_and_not_what_a_peer_wrote(circle: Circle) -> None:
    path = circle.goal(**NETWORK)
    circle.met(path)
    circle.send(BUDDYS, "POST", f"{path}/answer", YES | {"comment": "I have seen all four."})
    shown = circle.send(THIRDS, "GET", path)
    assert (shown["confirmed"], "answers" in shown, "record" in shown) == (True, False, False)


def test_evidence_that_was_taken_back_is_not_brought_back_by_a_peer(circle: Circle) -> None:
    path = circle.with_buddy()
    closed = circle.met(path)
    circle.stage.send("POST", f"./records/{closed['record']}/void", {"reason": "It was a test."})
    assert circle.code(BUDDYS, "POST", f"{path}/answer", YES) == (409, "goal-evidence-set-aside")
    assert circle.evidence() == []
    assert "answers" not in circle.send(MINE, "GET", path)


def test_a_goal_that_counts_is_not_deleted(circle: Circle) -> None:
    path = circle.with_buddy()
    circle.met(path)
    assert circle.code(MINE, "DELETE", path) == (409, "goal-counts")
    other = circle.goal()
    circle.check_in(other)
    circle.send(MINE, "DELETE", other)
    assert circle.code(MINE, "GET", other) == GONE


def test_goals_are_listed_by_part_and_state_the_newest_first(circle: Circle, clock: Clock) -> None:
    first = circle.with_buddy()
    clock.advance(minutes=1)
    second = circle.goal(**NETWORK)
    circle.send(MINE, "POST", f"{second}/closing", {"closed_as": "dropped"})
    listed = [f"/{each['id']}" for each in circle.send(MINE, "GET", "")["items"]]
    assert listed == [second, first]
    assert [f"/{each['id']}" for each in circle.send(MINE, "GET", "?state=open")["items"]] == [first]
    assert [f"/{each['id']}" for each in circle.send(BUDDYS, "GET", "?you=buddy")["items"]] == [first]
    assert [f"/{each['id']}" for each in circle.send(BUDDYS, "GET", "?you=network&state=closed")["items"]] == [second]


def test_a_member_has_at_most_fifty_open_goals(circle: Circle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.participation.goals.goals.MOST_OPEN", 1)
    monkeypatch.setattr("service.participation.goals.check_ins.MOST", 1)
    path = circle.goal()
    assert circle.code(MINE, "POST", "", GOAL) == (409, "goals-too-many")
    circle.check_in(path)
    assert circle.code(MINE, "POST", f"{path}/check-ins", {"progress": 0.5}) == (409, "check-ins-too-many")


def test_what_is_sent_again_with_its_key_is_done_once_and_no_words_are_kept_for_it(circle: Circle) -> None:
    path = circle.goal()
    sent: list[tuple[str, dict[str, Any]]] = [
        ("./goals", GOAL | {"why": "My class reads more."}),
        (f"./goals{path}/check-ins", {"progress": 1, "comment": "Two drafts are back."}),
        (f"./goals{path}/closing", {"closed_as": "met", "evidence": True, "outcome": "Four drafts."}),
    ]
    for n, (address, body) in enumerate(sent):
        more: dict[str, Any] = {"json": body, "headers": {"Idempotency-Key": f"key-{n}"}}
        first, again = (circle.stage.call("POST", address, circle.tokens[MINE], **more) for _ in range(2))
        assert (first.is_success, again.json()) == (True, first.json())
    assert len(circle.send(MINE, "GET", "")["items"]) == 2
    assert len(circle.send(MINE, "GET", f"{path}/check-ins")["items"]) == 1
    assert circle.evidence() == [(MINE, "", 0)]
    with circle.stage.runtime.database.read() as session:
        kept = "".join(str(row.answer) for row in session.scalars(select(Idempotency)))
    assert kept
    assert not any(words in kept for words in (GOAL["title"], "reads more", "are back", "Four drafts"))


def test_an_edit_holds_only_for_the_goal_that_was_seen(circle: Circle) -> None:
    path = circle.goal()
    tag = circle.call(MINE, "GET", path).headers["ETag"]
    circle.send(MINE, "PATCH", path, {"title": "Another"})
    edit = {"json": {"title": "A third"}, "headers": {"If-Match": tag}}
    assert circle.stage.call("PATCH", f"./goals{path}", circle.tokens[MINE], **edit).status_code == 412


def test_a_goal_serves_an_objective_of_the_network(circle: Circle) -> None:
    circle.stage.send("PUT", "./objectives/FEEDBACK-1", {"text": "Members give feedback that names a place."})
    path = circle.goal(objective="FEEDBACK-1")
    assert circle.code(MINE, "POST", "", GOAL | {"objective": "OTHER"}) == (422, "objective-unknown")
    circle.stage.send("POST", "./objectives/FEEDBACK-1/retirement")
    assert circle.code(MINE, "POST", "", GOAL | {"objective": "FEEDBACK-1"}) == (422, "objective-retired")
    circle.send(MINE, "PATCH", path, {"title": "Another", "objective": "FEEDBACK-1"})
    assert circle.send(MINE, "PATCH", path, {"objective": None}).get("objective") is None
