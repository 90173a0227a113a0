"""Two refs with one address: one person, or a question, as the network chooses; and each keeps its name."""

import json
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from service.operations.upkeep import settle_left_over
from service.runtime.runtime import Runtime
from service.tables import Member
from tests.worlds.acting import HILL, Actor, actor, refused, told
from tests.worlds.awarding import Stage
from tests.worlds.posting import alone
from tests.worlds.runtimes import Clock

NETWORK = "/v1/networks/river-writers"
MEMBERS = f"{NETWORK}/members"
ONE, OTHER = {"email": "one@example.org"}, {"email": "other@example.org"}


@pytest.fixture
def river(runtime: Runtime, client: TestClient) -> Actor:
    return alone(runtime, client)


@pytest.fixture
def asking(runtime: Runtime, client: TestClient, river: Actor) -> Actor:
    """A network that asks before two members become one person."""
    changed = actor(runtime, client).patch(NETWORK, {"same_address": "ask"})
    assert changed.json()["same_address"] == "ask"
    return river


def people(runtime: Runtime, *refs: str) -> int:
    """Return how many persons these members are."""
    with runtime.database.read() as session:
        found = session.execute(select(Member.id, Member.person_id).where(Member.ref.in_(refs))).all()
    return len({person_id or member_id for member_id, person_id in found})


def news(runtime: Runtime) -> list[str]:
    return [kind for kind in told(runtime) if kind.startswith("member.") and kind != "member.posted"]


# --- The same person --------------------------------------------------------------------------------------------------


def test_who_shares_an_address_is_answered_and_told(runtime: Runtime, river: Actor) -> None:
    assert "shares_person_with" not in river.put(f"{MEMBERS}/m1", ONE).json()
    assert river.put(f"{MEMBERS}/m2", ONE).json()["shares_person_with"] == ["m1"]
    assert river.post(MEMBERS, {"ref": "m3"} | ONE).json()["shares_person_with"] == ["m1", "m2"]
    assert river.patch(f"{MEMBERS}/m2", {"name": "B."}).json()["shares_person_with"] == ["m1", "m3"]
    assert river.get(f"{MEMBERS}/m1").json()["shares_person_with"] == ["m2", "m3"]
    assert news(runtime) == ["member.shares-person", "member.shares-person", "member.changed"]
    lines = "".join(json.dumps({"ref": ref} | said) + "\n" for ref, said in (("m4", ONE), ("m5", OTHER)))
    answer = river.ask("POST", MEMBERS, content=lines, headers={"Content-Type": "application/x-ndjson"})
    first, second = map(json.loads, answer.text.splitlines()[:2])
    assert (first["shares_person_with"], "shares_person_with" in second) == (["m1", "m2", "m3"], False)


def test_each_ref_keeps_the_name_that_it_was_given(river: Actor) -> None:
    river.put(f"{MEMBERS}/m1", {"name": "Ana Ruiz"} | ONE)
    river.put(f"{MEMBERS}/m2", {"name": "Anita"} | ONE)
    river.put(f"{MEMBERS}/m2", {"name": "A. Ruiz"})
    assert [river.get(f"{MEMBERS}/{ref}").json()["name"] for ref in ("m1", "m2")] == ["Ana Ruiz", "A. Ruiz"]


def test_two_who_are_not_one_person_are_told_apart_and_keep_the_address(runtime: Runtime, river: Actor) -> None:
    for ref in ("m1", "m2"):
        river.put(f"{MEMBERS}/{ref}", ONE)
    assert people(runtime, "m1", "m2") == 1
    answer = river.put(f"{MEMBERS}/m2/person", {"same_as": None})
    assert answer.status_code == 200
    assert (answer.json()["email"], "shares_person_with" in answer.json()) == (ONE["email"], False)
    assert people(runtime, "m1", "m2") == 2
    river.put(f"{MEMBERS}/m2", ONE | {"name": "B."})
    assert people(runtime, "m1", "m2") == 2
    assert news(runtime) == ["member.shares-person", "member.told-apart", "member.changed"]
    assert river.put(f"{MEMBERS}/m3", ONE).json()["shares_person_with"] == ["m1"]


# --- A question -------------------------------------------------------------------------------------------------------


def test_a_network_that_asks_has_two_persons_until_somebody_answers(runtime: Runtime, asking: Actor) -> None:
    asking.put(f"{MEMBERS}/m1", ONE)
    second = asking.put(f"{MEMBERS}/m2", ONE).json()
    assert (second["perhaps_same_as"], "shares_person_with" in second) == (["m1"], False)
    assert people(runtime, "m1", "m2") == 2
    assert [each["ref"] for each in asking.get(MEMBERS, person="asked").json()["items"]] == ["m2"]
    linked = asking.put(f"{MEMBERS}/m2/person", {"same_as": "m1"}).json()
    assert (linked["shares_person_with"], "perhaps_same_as" in linked) == (["m1"], False)
    assert people(runtime, "m1", "m2") == 1
    assert asking.put(f"{MEMBERS}/m2/person", {"same_as": "m1"}).json() == linked
    assert asking.get(MEMBERS, person="asked").json()["items"] == []
    assert news(runtime) == ["member.person-asked", "member.shares-person"]


def test_a_question_is_answered_with_no_too_and_not_asked_again(runtime: Runtime, asking: Actor) -> None:
    asking.put(f"{MEMBERS}/m1", ONE)
    asking.put(f"{MEMBERS}/m2", ONE)
    assert "perhaps_same_as" not in asking.put(f"{MEMBERS}/m2/person", {"same_as": None}).json()
    assert "perhaps_same_as" not in asking.put(f"{MEMBERS}/m2", ONE | {"organization": "Hill"}).json()
    assert [each["ref"] for each in asking.get(MEMBERS, person="apart").json()["items"]] == ["m2"]
    assert people(runtime, "m1", "m2") == 2


def test_a_question_goes_away_with_the_address(asking: Actor) -> None:
    asking.put(f"{MEMBERS}/m1", ONE)
    asking.put(f"{MEMBERS}/m2", ONE)
    assert "perhaps_same_as" not in asking.patch(f"{MEMBERS}/m2", OTHER).json()
    assert asking.get(MEMBERS, person="asked").json()["items"] == []


@pytest.mark.any_database("a body is judged in the code; the rows are only looked up")
@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        ({"same_as": "m9"}, (404, "member-unknown", None)),
        ({"same_as": "m2"}, (422, "same-as-itself", "/same_as")),
        ({"same_as": "m3"}, (409, "identity-conflict", "/same_as")),
        ({}, (422, "missing", "/same_as")),
        ({"same_as": "m1", "since": 1}, (422, "extra-forbidden", "/since")),
    ],
)
def test_an_answer_that_cannot_be_is_refused(asking: Actor, body: Any, refusal: Any) -> None:
    for ref, said in (("m1", ONE), ("m2", ONE), ("m3", OTHER)):
        asking.put(f"{MEMBERS}/{ref}", said)
    assert refused(asking.put(f"{MEMBERS}/m2/person", body)) == refusal


def test_other_networks_and_other_scopes_answer_nothing(runtime: Runtime, client: TestClient, asking: Actor) -> None:
    asking.put(f"{MEMBERS}/m1", ONE)
    asking.put(f"{MEMBERS}/m2", ONE)
    actor(runtime, client).post("/v1/networks", HILL)
    body, path = {"same_as": "m1"}, f"{MEMBERS}/m2/person"
    assert refused(actor(runtime, client, slug="hill-readers").put(path, body)) == (404, "network-unknown", None)
    reader = actor(runtime, client, slug="river-writers", scopes=["read"])
    assert refused(reader.put(path, body)) == (403, "scope-missing", None)
    hers = actor(runtime, client, slug="river-writers", member="m1")
    assert refused(hers.put(path, body)) == (403, "self-decision", None)


# --- Rules that count people ------------------------------------------------------------------------------------------


def test_rules_count_people_as_they_are_known_to_be(runtime: Runtime, client: TestClient, clock: Clock) -> None:
    """Two endorsements are by one person until the two are told apart, and again once they are linked."""
    stage = Stage.set_up(client, runtime)
    stage.achievement(rule={"rule": "endorsed", "skill": "feedback", "gte": 2})
    stage.member("m11")
    for ref in ("e1", "e2"):
        stage.member(ref, **ONE)
    for ref in ("e1", "e2"):
        body = {"kind": "endorsement", "about": {"member": "m11"}, "evaluator": ref, "skill": "feedback"}
        stage.send("POST", "./evaluations", body | {"occurred_at": "2026-03-01T10:00:00Z"})

    def counted() -> Any:
        (standing,) = stage.send("GET", "./members/m11/progress")["items"]
        return standing["criteria"]["observed"]

    assert (counted(), stage.awards()) == (1, [])
    clock.advance(minutes=1)
    stage.send("PUT", "./members/e2/person", {"same_as": None})
    assert counted() == 2
    clock.advance(minutes=5)
    settle_left_over(runtime)
    assert [award["member"] for award in stage.awards()] == ["m11"]
    clock.advance(minutes=1)
    stage.send("PUT", "./members/e2/person", {"same_as": "e1"})
    assert counted() == 1
