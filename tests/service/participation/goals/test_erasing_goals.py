"""What an erased member wrote about goals is gone; what others have earned stays. People are given it before."""

import io
from typing import Any
from zipfile import ZipFile

import pytest
from sqlalchemy import select

from service.runtime.runtime import Runtime
from service.tables import Row
from tests.worlds.awarding import Stage
from tests.worlds.goal_setting import BUDDYS, GOAL_MET, MINE, NETWORK, Circle
from tests.worlds.my_badges import browser_of, claimed, member_of
from tests.worlds.signing_in import send

WORDS = "planted words of a goal"


@pytest.fixture
def circle(client: Any, runtime: Runtime) -> Circle:
    circle = Circle(Stage.set_up(client, runtime))
    circle.stage.achievement("goal-setter", GOAL_MET)
    return circle


def lived(circle: Circle) -> str:
    """Have the first member write wherever one can, and their buddy confirm it; return the path of the goal."""
    path = circle.with_buddy(title=WORDS, measure=WORDS, why=WORDS)
    circle.check_in(path, comment=WORDS, obstacle=WORDS)
    circle.met(path, outcome=WORDS)
    circle.send(BUDDYS, "POST", f"{path}/answer", {"met": True, "comment": f"{WORDS} of a buddy"})
    circle.goal(title=WORDS, **NETWORK)
    return path


def found(runtime: Runtime, words: str) -> set[str]:
    """Return the tables in which words stand."""
    with runtime.database.read() as session:
        every = Row.metadata.tables.items()
        return {name for name, table in every if words in repr([tuple(row) for row in session.execute(select(table))])}


def test_what_a_member_wrote_stands_apart_and_nowhere_else(circle: Circle) -> None:
    lived(circle)
    assert found(circle.stage.runtime, WORDS) == {"goal_texts", "goal_check_in_texts", "goal_answers"}


def test_nothing_is_left_of_the_goals_of_an_erased_member(circle: Circle) -> None:
    path = lived(circle)
    answer = circle.stage.send("DELETE", f"./members/{MINE}")
    assert answer["erases"]["goals"] == 2
    assert found(circle.stage.runtime, WORDS) == set()
    assert circle.code(BUDDYS, "GET", path) == (404, "goal-unknown")
    assert [each["state"] for each in circle.stage.awards()] == ["awarded"]


def test_an_erased_buddy_leaves_the_goal_with_its_member_alone_and_what_they_confirmed_counts(circle: Circle) -> None:
    path = lived(circle)
    other = circle.with_buddy()
    circle.stage.send("DELETE", f"./members/{BUDDYS}")
    assert found(circle.stage.runtime, f"{WORDS} of a buddy") == set()
    shown = circle.send(MINE, "GET", path)
    assert (shown["title"], shown["shared_with"], shown["confirmed"]) == (WORDS, "nobody", True)
    assert "buddy" not in circle.send(MINE, "GET", other)
    assert circle.evidence() == [(MINE, BUDDYS, 1)]


def test_people_are_given_their_goals_without_who_their_peers_are(circle: Circle) -> None:
    lived(circle)
    runtime, address = circle.stage.runtime, f"{MINE}@river.example.org"
    claimed(circle.stage, MINE, address)
    answer = send(browser_of(runtime, address), "/account/data", "/account/data/file")
    with ZipFile(io.BytesIO(answer.content)) as archive:
        files = {name.rpartition("/")[2]: archive.read(name).decode() for name in archive.namelist()}
    assert f"{WORDS} of a buddy" in files["goals.json"]
    assert member_of(runtime, BUDDYS) not in files["goals.json"]
    assert WORDS not in files["goals-of-others.json"]
