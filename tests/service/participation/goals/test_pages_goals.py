"""The pages on which members set goals, check in, and answer as a buddy."""

from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient

from service.participation.goals import showing
from service.runtime.runtime import Runtime
from service.tables import Member, Network
from tests.worlds.awarding import Stage
from tests.worlds.goal_setting import BUDDYS, GOAL_MET, THIRDS, Circle
from tests.worlds.my_badges import MINE, OTHER, browser_of, claimed, done, member_of, shown
from tests.worlds.runtimes import Clock
from tests.worlds.signing_in import send

TYPED = {"title": "Give feedback on four drafts", "begun_on": "2026-03-01", "due_on": "2026-03-31"}
WITH_BUDDY = {"shared_with": "buddy", "buddy": "member M12"}


@pytest.fixture
def circle(client: Any, runtime: Runtime) -> Circle:
    circle = Circle(Stage.set_up(client, runtime))
    claimed(circle.stage, "m11", MINE, name="Member m11")
    claimed(circle.stage, "m12", OTHER, name="Member m12")
    return circle


@pytest.fixture
def mine(circle: Circle) -> TestClient:
    return browser_of(circle.stage.runtime, MINE)


@pytest.fixture
def theirs(circle: Circle) -> TestClient:
    return browser_of(circle.stage.runtime, OTHER)


def goals(circle: Circle, ref: str = "m11") -> str:
    return f"/my-badges/members/{member_of(circle.stage.runtime, ref)}/goals"


def as_buddy(circle: Circle, page: str) -> str:
    """Return the page of a goal of the first member as their buddy has it."""
    return f"{goals(circle, 'm12')}/{page.rsplit('/', 1)[1]}"


def goal(circle: Circle, browser: TestClient, **typed: str) -> str:
    """Set a goal, and return its page."""
    page = goals(circle)
    return done(send(browser, f"{page}/new", page, **TYPED | typed))


def nowhere(browser: TestClient, path: str) -> str:
    """Return the page that says that there is nothing."""
    answer = browser.get(path)
    assert answer.status_code == 404, answer.text
    return answer.text


def waits(circle: Circle, ref: str) -> str | None:
    with circle.stage.runtime.database.read() as session:
        member = session.get_one(Member, UUID(member_of(circle.stage.runtime, ref)))
        network = session.get_one(Network, member.network_id)
        return showing.waits(session, network, member, circle.stage.runtime.now())


def test_a_goal_goes_from_its_setting_to_a_badge_that_a_buddy_confirmed(
    circle: Circle, mine: TestClient, theirs: TestClient
) -> None:
    circle.stage.achievement("goal-setter", GOAL_MET)
    page = goal(circle, mine, measure="Three colleagues say so.", **WITH_BUDDY)
    assert "has not answered yet" in shown(mine, page)
    buddys = as_buddy(circle, page)
    assert "They ask you to be their buddy." in shown(theirs, goals(circle, "m12"))
    assert "Three colleagues say so." in shown(theirs, buddys)
    done(send(theirs, buddys, f"{buddys}/buddy", accepts="yes"), buddys)
    done(send(mine, page, f"{page}/check-ins", progress="60", comment="Two are back.", obstacle="No time."), page)
    text = shown(theirs, buddys)
    assert "60% done" in text
    assert "Two are back." in text
    done(send(mine, page, f"{page}/closing", closed_as="met", outcome="Four drafts.", evidence="yes"), page)
    assert "nobody has confirmed it" in shown(mine, page)
    assert "They say that they met it. Do you agree?" in shown(theirs, goals(circle, "m12"))
    done(send(theirs, buddys, f"{buddys}/answer", met="yes", comment="I have seen them."), buddys)
    text = shown(mine, page)
    assert "confirmed by a peer" in text
    assert "I have seen them." in text
    assert [each["member"] for each in circle.stage.awards()] == ["m11"]


def test_what_is_not_shared_is_on_no_page_of_others(circle: Circle, mine: TestClient, theirs: TestClient) -> None:
    page = goal(circle, mine)
    assert TYPED["title"] in shown(mine, goals(circle))
    assert TYPED["title"] not in shown(theirs, goals(circle, "m12"))
    for path in (page, as_buddy(circle, page)):
        assert TYPED["title"] not in nowhere(theirs, path)


def test_what_is_shared_with_the_network_is_read_by_who_signs_in(
    circle: Circle, mine: TestClient, theirs: TestClient
) -> None:
    page = goal(circle, mine, shared_with="network")
    assert 'Goal of <span dir="auto">Member m11</span>' in shown(theirs, goals(circle, "m12"))
    assert "Check in" not in shown(theirs, as_buddy(circle, page)).replace("Check-ins", "")


def test_children_and_students_are_not_named_to_others(circle: Circle, mine: TestClient, theirs: TestClient) -> None:
    circle.stage.member("m11", name="Member m11", email=MINE, roles=["student"])
    page = goal(circle, mine, shared_with="network")
    for text in (shown(theirs, goals(circle, "m12")), shown(theirs, as_buddy(circle, page))):
        assert "Member m11" not in text
        assert "Goal of a member" in text


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"title": ""}, "Write what you want to reach"),
        ({"due_on": ""}, "Choose a day."),
        ({"due_on": "2026-02-01"}, "Choose a last day that is not before the first day."),
        ({"why": "x" * 2001}, "Write at most 2,000 characters."),
        ({"shared_with": "buddy"}, "Name the member whom you want to ask."),
        ({"shared_with": "buddy", "buddy": "Nobody"}, "The network has no member under this name."),
        ({"shared_with": "buddy", "buddy": "Member m11"}, "you cannot be your own buddy"),
        ({"shared_with": "everybody"}, "Choose with whom to share it."),
    ],
)
def test_what_cannot_be_a_goal_is_said_beside_the_field_and_what_was_typed_stays(
    circle: Circle, mine: TestClient, typed: dict[str, str], said: str
) -> None:
    page = goals(circle)
    answer = send(mine, f"{page}/new", page, **TYPED | {"measure": "Three say so."} | typed)
    assert answer.status_code == 422
    assert said in answer.text
    assert "Three say so." in answer.text


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"progress": "a lot"}, "Enter a number from 0 to 100."),
        ({"progress": "101"}, "Enter a number from 0 to 100."),
        ({"progress": "50", "on": "2026-02-28"}, "Choose a day on which the goal had begun."),
        ({"progress": "50", "on": "2026-03-09"}, "Choose today or an earlier day."),
    ],
)
def test_what_cannot_be_a_check_in_is_said_beside_the_field(
    circle: Circle, mine: TestClient, typed: dict[str, str], said: str
) -> None:
    page = goal(circle, mine)
    answer = send(mine, page, f"{page}/check-ins", comment="Two are back.", **typed)
    assert answer.status_code == 422
    assert said in answer.text
    assert "Two are back." in answer.text


def test_a_goal_is_changed_and_what_is_emptied_is_gone(circle: Circle, mine: TestClient) -> None:
    page = goal(circle, mine, why="My class reads more.")
    assert "My class reads more." in shown(mine, f"{page}/edit")
    done(send(mine, f"{page}/edit", f"{page}/edit", **TYPED | {"title": "Five drafts", "due_on": "2026-04-30"}), page)
    text = shown(mine, page)
    assert "Five drafts" in text
    assert "My class reads more." not in text
    assert send(mine, f"{page}/edit", f"{page}/edit", **TYPED | {"due_on": ""}).status_code == 422


def test_a_goal_is_shared_with_somebody_else_and_taken_back(
    circle: Circle, mine: TestClient, theirs: TestClient
) -> None:
    page = goal(circle, mine)
    done(send(mine, page, f"{page}/sharing", **WITH_BUDDY), page)
    buddys = as_buddy(circle, page)
    shown(theirs, buddys)
    done(send(mine, page, f"{page}/sharing", shared_with="nobody", buddy="Member m12"), page)
    nowhere(theirs, buddys)
    answer = send(mine, page, f"{page}/sharing", shared_with="buddy", buddy="Nobody")
    assert (answer.status_code, "no member under this name" in answer.text) == (422, True)


def test_a_buddy_stops_and_sees_it_no_longer(circle: Circle, mine: TestClient, theirs: TestClient) -> None:
    page = goal(circle, mine, **WITH_BUDDY)
    buddys = as_buddy(circle, page)
    done(send(theirs, buddys, f"{buddys}/buddy", accepts="yes"))
    done(send(theirs, buddys, f"{buddys}/buddy", accepts="no"), goals(circle, "m12"))
    nowhere(theirs, buddys)
    assert "has declined" in shown(mine, page)


def test_check_ins_and_goals_are_deleted(circle: Circle, mine: TestClient) -> None:
    page = goal(circle, mine)
    done(send(mine, page, f"{page}/check-ins", progress="10", comment="A slip."))
    [check_in] = circle.send("m11", "GET", f"/{page.rsplit('/', 1)[1]}/check-ins")["items"]
    done(send(mine, page, f"{page}/check-ins/{check_in['id']}/removal"), page)
    assert "A slip." not in shown(mine, page)
    done(send(mine, page, f"{page}/removal"), goals(circle))
    nowhere(mine, page)


def test_a_goal_that_would_count_needs_a_check_in(circle: Circle, mine: TestClient) -> None:
    page = goal(circle, mine)
    answer = send(mine, page, f"{page}/closing", closed_as="met", evidence="yes")
    assert (answer.status_code, "Write a check-in first" in answer.text) == (409, True)
    done(send(mine, page, f"{page}/closing", closed_as="met"))
    assert circle.evidence() == []


def test_a_member_is_told_what_waits_for_them(
    circle: Circle, mine: TestClient, theirs: TestClient, clock: Clock
) -> None:
    assert waits(circle, "m12") is None
    page = goal(circle, mine, **WITH_BUDDY)
    assert waits(circle, "m12") == showing.ASKED
    buddys = as_buddy(circle, page)
    done(send(theirs, buddys, f"{buddys}/buddy", accepts="yes"))
    assert waits(circle, "m12") is None
    done(send(mine, page, f"{page}/closing", closed_as="met"))
    assert waits(circle, "m12") == showing.CONFIRM
    done(send(theirs, buddys, f"{buddys}/answer", met="no"))
    assert waits(circle, "m12") is None
    goal(circle, mine)
    assert waits(circle, "m11") is None
    clock.advance(days=40)
    assert waits(circle, "m11") == showing.OVER


def test_a_name_that_several_have_names_nobody(circle: Circle, mine: TestClient) -> None:
    circle.stage.member(THIRDS, name="Member m12")
    page = goals(circle)
    answer = send(mine, f"{page}/new", page, **TYPED | WITH_BUDDY)
    assert (answer.status_code, "no member under this name" in answer.text) == (422, True)
    done(send(mine, f"{page}/new", page, **TYPED | {"shared_with": "buddy", "buddy": BUDDYS}))


def test_the_goals_of_somebody_else_have_no_pages(circle: Circle, theirs: TestClient) -> None:
    page = goals(circle)
    for path in (page, f"{page}/new"):
        nowhere(theirs, path)
    assert send(theirs, goals(circle, "m12") + "/new", page, **TYPED).status_code == 404
