"""What follows from answers: which needs nobody serves, whom to introduce, and what a member sees of others."""

from typing import Any

import pytest
from sqlalchemy import update

from service.runtime.runtime import Runtime
from service.tables import Network
from tests.worlds.acting import Actor, all_pages, refused
from tests.worlds.awarding import Stage
from tests.worlds.needing import ASKED, CYCLE, HERE, LEARNS, OFFERS, TOPICS, answer, says, stage_of, token_of
from tests.worlds.runtimes import Clock


@pytest.fixture
def stage(runtime: Runtime) -> Stage:
    return stage_of(runtime)


def peers_of(stage: Stage, member: str = "m11", token: str | None = None) -> Any:
    return stage.call("GET", f"{HERE}/members/{member}/peers", token).json()["needs"]


def standings(stage: Stage) -> dict[str, str]:
    return {each["topic"]["label"]: each["standing"] for each in stage.send("GET", f"{HERE}/report")["topics"]}


def test_the_network_sees_first_which_needs_nobody_serves(stage: Stage) -> None:
    wish = [{"topic": "feedback"}, {"topic": "grading", "importance": 3}, {"own": "Reading aloud"}]
    answer(stage, "m11", {"learn": wish, "readiness": 4, "times": ["tue-evening"]})
    answer(stage, "m12", {"learn": [{"topic": "feedback"}], "readiness": 4})
    answer(stage, "m13", {"offer": [{"topic": "feedback", "level": "have-done"}], "can_help": 1})
    answer(
        stage,
        "f1",
        {"offer": [{"topic": "groups", "level": "can-explain"}, {"own": "READING ALOUD.", "level": "could-start"}]},
    )
    report = stage.send("GET", f"{HERE}/report")
    assert [(each["topic"]["label"], each["standing"]) for each in report["topics"]] == [
        ("Grading with rubrics", "unserved"),
        ("Feedback that helps", "short"),
        ("Reading aloud", "served"),
        ("Work in groups", "unneeded"),
    ]
    assert (report["people"], report["answers"], report["needs"], report["served"]) == (4, 4, 4, 2)
    assert (report["readiness"], report["times"]) == ({"4": 2}, {"tue-evening": 1})
    grading = report["topics"][0]
    assert (grading["needs"], grading["most_important"], grading["offers"], grading["served"]) == (1, 1, 0, 0)
    assert report["topics"][1]["levels"] == {"have-done": 1}


def test_a_cycle_without_answers_says_that_nobody_chose_anything(stage: Stage) -> None:
    report = stage.send("GET", f"{HERE}/report")
    assert set(standings(stage).values()) == {"untouched"}
    assert (report["answers"], report["needs"], report["people"]) == (0, 0, 4)


def test_a_topic_of_people_that_the_network_adds_to_the_list_is_one_with_it(stage: Stage) -> None:
    answer(stage, "m11", {"learn": [{"own": "Reading aloud"}]})
    stage.send("PATCH", HERE, {"topics": [*TOPICS, {"code": "reading", "label": "Reading aloud"}]})
    answer(stage, "m12", {"offer": [{"topic": "reading", "level": "have-done"}]})
    assert standings(stage)["Reading aloud"] == "served"
    assert list(standings(stage)).count("Reading aloud") == 1


def test_proposals_say_whom_to_introduce_and_why_in_words(stage: Stage) -> None:
    answer(stage, "m11", LEARNS | {"learn": [*LEARNS["learn"], {"topic": "groups", "importance": 1}]})
    says(stage, "m12", OFFERS)
    [first, second] = stage.send("GET", f"{HERE}/proposals")["items"]
    assert (first["member"], first["peer"]["member"], first["peer_shares"]) == ("m11", "m12", True)
    assert first["peer"]["common_times"] == ["tue-evening"]
    assert first["peer"]["why"] == ["Can explain it.", "Free when you are: Tuesday evening."]
    assert (second["topic"]["topic"], "peer" in second) == ("groups", False)


def test_proposals_come_in_pages(stage: Stage) -> None:
    for member in ("m11", "m12", "m13"):
        answer(stage, member, {"learn": [{"topic": "feedback"}, {"topic": "groups"}]})
    everything = all_pages(
        Actor(stage.client, stage.token), f"/v1/networks/{stage.slug}/needs-cycles/{CYCLE}/proposals"
    )
    assert [(each["member"], each["topic"]["topic"]) for each in everything] == [
        (member, topic) for member in ("m11", "m12", "m13") for topic in ("feedback", "groups")
    ]


def test_a_member_sees_who_could_help_if_they_agreed_to_that(stage: Stage) -> None:
    says(stage, "m11", LEARNS)
    says(stage, "m12", OFFERS | {"share_offer": False})
    mine = token_of(stage, "m11")
    assert peers_of(stage, token=mine) == [
        {"topic": {"topic": "feedback", "label": "Feedback that helps"}, "importance": 3, "found": False, "peers": []}
    ]
    says(stage, "m12", OFFERS | {"note": "A private matter."})
    [need] = peers_of(stage, token=mine)
    [peer] = need["peers"]
    assert (peer["member"], peer["name"], peer["level"], peer["full"]) == ("m12", "Member 12", "can-explain", False)
    assert "A private matter." not in str(need)
    says(stage, "m12", OFFERS | {"share_offer": False})
    assert peers_of(stage, token=mine)[0]["peers"] == []
    assert stage.send("GET", f"{HERE}/proposals")["items"][0]["peer_shares"] is False


def test_that_somebody_agrees_to_be_shown_is_not_for_the_network_to_say(stage: Stage) -> None:
    says(stage, "m11", LEARNS)
    answer(stage, "m12", OFFERS)
    assert peers_of(stage)[0]["peers"] == []
    assert stage.send("GET", f"{HERE}/proposals")["items"][0]["peer_shares"] is False
    assert says(stage, "m12", OFFERS)["via"] == "member"
    assert [peer["member"] for peer in peers_of(stage)[0]["peers"]] == ["m12"]
    assert answer(stage, "m12", OFFERS).json()["via"] == "member"
    answer(stage, "m12", OFFERS | {"can_help": 5})
    assert peers_of(stage)[0]["peers"] == []


@pytest.mark.parametrize("role", ["student", "minor"])
def test_children_and_students_are_shown_to_nobody_and_are_shown_nobody(stage: Stage, role: str) -> None:
    stage.member("m12", roles=[role])
    says(stage, "m12", OFFERS | LEARNS)
    says(stage, "m11", OFFERS | LEARNS)
    assert peers_of(stage, "m11")[0]["peers"] == []
    assert peers_of(stage, "m11")[0]["found"] is False
    assert (peers_of(stage, "m12")[0]["peers"], peers_of(stage, "m12")[0]["found"]) == ([], True)
    shares = {each["peer"]["member"]: each["peer_shares"] for each in stage.send("GET", f"{HERE}/proposals")["items"]}
    assert shares == {"m11": True, "m12": False}


def test_nobody_is_shown_by_an_address(stage: Stage) -> None:
    stage.member("somebody@river.example.org")
    says(stage, "somebody@river.example.org", OFFERS)
    says(stage, "m11", LEARNS)
    assert peers_of(stage)[0]["peers"] == []


def test_people_are_led_to_different_peers_and_full_ones_come_last(stage: Stage) -> None:
    says(stage, "m12", OFFERS | {"can_help": 1})
    says(stage, "m13", OFFERS | {"offer": [{"topic": "feedback", "level": "could-start"}], "can_help": 1})
    says(stage, "m11", LEARNS)
    says(stage, "f1", LEARNS)
    first = {member: [peer["member"] for peer in peers_of(stage, member)[0]["peers"]] for member in ("m11", "f1")}
    assert first == {"f1": ["m12", "m13"], "m11": ["m13", "m12"]}
    last = peers_of(stage, "m11")[0]["peers"][1]
    assert last["full"] is True
    assert last["why"][-1] == "Others are led to this person already. Ask the other people first."


def test_what_an_erased_member_offered_is_gone(stage: Stage) -> None:
    says(stage, "m11", LEARNS)
    says(stage, "m12", OFFERS)
    stage.call("DELETE", "./members/m12")
    assert peers_of(stage)[0]["peers"] == []
    assert standings(stage)["Feedback that helps"] == "unserved"


def test_who_has_not_answered_has_no_peers_to_see(stage: Stage) -> None:
    none = stage.call("GET", f"{HERE}/members/m11/peers", token_of(stage, "m11"))
    assert refused(none)[:2] == (404, "needs-answer-unknown")


def test_needs_are_compared_over_cycles_by_code_and_by_words(stage: Stage, clock: Clock) -> None:
    says(stage, "m11", {"learn": [{"topic": "feedback"}, {"own": "Reading aloud"}]})
    clock.advance(days=40)
    again = ASKED | {"closes_at": "2026-06-01T00:00:00Z"}
    stage.send(
        "PUT", "./needs-cycles/next", again | {"topics": [TOPICS[0], {"code": "reading", "label": "Reading aloud"}]}
    )
    for member in ("m11", "m12"):
        stage.send(
            "PUT", f"./needs-cycles/next/answers/{member}", {"learn": [{"topic": "feedback"}, {"topic": "reading"}]}
        )
    trends = stage.send("GET", "./needs-trends")
    assert [each["ref"] for each in trends["cycles"]] == [CYCLE, "next"]
    moved = {each["topic"]["label"]: (each.get("direction"), each["points"]) for each in trends["topics"]}
    one, two = {"cycle": CYCLE, "needs": 1, "offers": 0}, {"cycle": "next", "needs": 2, "offers": 0}
    assert moved["Feedback that helps"] == ("more", [one, two])
    assert moved["Reading aloud"] == ("more", [one, two])
    assert moved["Work in groups"] == (None, [one | {"needs": 0}])


def test_labels_are_in_the_networks_language(runtime: Runtime) -> None:
    stage = stage_of(runtime)
    with runtime.database.write() as session:
        session.execute(update(Network).values(language="es"))
    says(stage, "m11", LEARNS)
    assert stage.send("GET", f"{HERE}/report")["topics"][0]["topic"]["label"] == "Comentarios que ayudan"
