"""Resources that others take up: whom it earns something, what badges say of it, and what is refused."""

from typing import Any

import pytest
from sqlalchemy import select

from service.awards import settling
from service.runtime.runtime import Runtime
from service.tables import Network
from tests.worlds.acting import refused
from tests.worlds.awarding import Stage

CREDIT = {"rule": "count", "where": {"types": ["adopted"]}, "credit": "sharer", "gte": 3}
ADOPTED = {"type": "adopted", "resource": "unit-7", "occurred_at": "2026-03-01T11:00:00Z"}
GOAL = {"id": "goal-17", "checked_in_at": "2026-02-01T10:00:00Z", "confirmed_by": "m12"}
MET = {"member": "m11", "type": "goal_met", "occurred_at": "2026-03-01T10:00:00Z"}


@pytest.fixture
def stage(client: Any, runtime: Runtime) -> Stage:
    stage = Stage.set_up(client, runtime)
    for ref in ("m11", "m12", "m13", "m14"):
        stage.member(ref, email=f"{ref}@river.example.org", name=f"Member {ref}")
    stage.achievement("spreader", CREDIT)
    return stage


def share(stage: Stage, who: str = "m11", **more: Any) -> Any:
    return stage.share(7, who, resource="unit-7", **more)


def adopt(stage: Stage, *who: str) -> list[Any]:
    return [stage.send("POST", "./contributions", ADOPTED | {"member": ref, "ref": f"{ref}-takes-7"}) for ref in who]


def settled(stage: Stage) -> list[tuple[str, str]]:
    """Let upkeep decide what waits, and return whose awards there are, and how they stand."""
    with stage.runtime.database.read() as session:
        network_id = session.scalars(select(Network.id)).one()
    settling.settle_pending(stage.runtime, network_id)
    return [(each["member"], each["state"]) for each in stage.awards()]


def test_three_who_take_it_up_earn_the_one_who_shared_it_an_award(stage: Stage) -> None:
    share(stage)
    adopt(stage, "m12", "m13")
    assert settled(stage) == []
    adopt(stage, "m14")
    assert settled(stage) == [("m11", "awarded")]


def test_who_takes_it_up_is_not_told_what_it_earns_somebody_else(stage: Stage) -> None:
    share(stage)
    *_, last = adopt(stage, "m12", "m13", "m14")
    assert last["awards"] == []
    assert settled(stage) == [("m11", "awarded")]


def test_it_counts_too_if_it_comes_before_that_it_was_shared(stage: Stage) -> None:
    adopt(stage, "m12", "m13", "m14")
    assert [each["achievement"] for each in share(stage)["awards"]] == ["spreader"]


def test_the_badge_cites_what_was_taken_up_without_who_did(stage: Stage) -> None:
    share(stage, license="CC-BY-4.0")
    adopt(stage, "m12", "m13", "m14")
    settled(stage)
    badge = stage.credential(stage.awards()[0])
    told = [
        each["narrative"] for each in badge["evidence"] if "digestMultibase" in each and each.get("genre") != "receipt"
    ]
    taken_up = "A colleague took up a resource that the member shared, on 1 March 2026. Confirmed by the network."
    shared = "Shared a resource under CC-BY-4.0 on 1 March 2026. Confirmed by the network."
    assert sorted(told) == sorted([shared, *[taken_up] * 3])
    assert not any(ref in str(badge) for ref in ("m12", "m13", "m14"))


def test_what_somebody_says_they_took_up_is_the_word_of_a_peer(stage: Stage) -> None:
    share(stage)
    adopt(stage, "m12", "m13")
    own = stage.token_with("evidence:write", member="m14")
    stage.send("POST", "./contributions", ADOPTED | {"member": "m14"}, token=own)
    settled(stage)
    told = str(stage.credential(stage.awards()[0])["evidence"])
    assert "shared, on 1 March 2026. Seen by a peer." in told
    assert "Self-reported" not in told


def test_what_is_voided_counts_no_longer(stage: Stage) -> None:
    share(stage)
    first, *_ = adopt(stage, "m12", "m13")
    stage.send("POST", f"./records/{first['id']}/void", {"reason": "Posted for the wrong member."})
    adopt(stage, "m14")
    assert settled(stage) == []


def test_an_award_is_lost_with_what_it_rests_on_also_with_the_sharing(stage: Stage) -> None:
    made = share(stage)
    adopt(stage, "m12", "m13", "m14")
    settled(stage)
    stage.send("POST", f"./records/{made['id']}/void", {"reason": "Somebody else wrote it."})
    assert settled(stage) == [("m11", "revoked")]


def test_who_shared_it_next_is_credited_once_the_first_is_void(stage: Stage) -> None:
    first = share(stage, "m11")
    share(stage, "m14", occurred_at="2026-03-01T10:30:00Z")
    stage.member("m15")
    adopt(stage, "m12", "m13", "m15")
    assert settled(stage) == [("m11", "awarded")]
    stage.send("POST", f"./records/{first['id']}/void", {"reason": "Somebody else wrote it."})
    assert settled(stage) == [("m11", "revoked"), ("m14", "awarded")]


def test_a_correction_of_the_resource_credits_who_shared_that(stage: Stage) -> None:
    share(stage)
    adopt(stage, "m12", "m13")
    wrong = stage.send("POST", "./contributions", ADOPTED | {"member": "m14", "resource": "unit-8"})
    assert settled(stage) == []
    said = {"changes": {"resource": "unit-7"}, "reason": "It was unit 7."}
    stage.send("POST", f"./records/{wrong['id']}/correction", said)
    assert settled(stage) == [("m11", "awarded")]


def test_what_waited_for_its_member_credits_who_shared_it_when_they_come(stage: Stage) -> None:
    share(stage)
    adopt(stage, "m12", "m13", "m99")
    assert settled(stage) == []
    stage.member("m99")
    assert settled(stage) == [("m11", "awarded")]


@pytest.mark.parametrize(
    ("body", "code", "pointer"),
    [
        ({"type": "adopted"}, "resource-missing", "/resource"),
        ({"type": "shared", "license": "all mine"}, "license-invalid", "/license"),
        ({"type": "shared", "license": "ftp://river.example.org"}, "license-invalid", "/license"),
        ({"type": "reviewed", "license": "CC-BY-4.0"}, "license-unneeded", "/license"),
        ({"type": "completed", "goal": GOAL}, "goal-unneeded", "/goal"),
        ({"goal": GOAL | {"checked_in_at": "2026-03-01T10:00:01Z"}}, "check-in-after-goal", "/goal/checked_in_at"),
        ({"goal": GOAL | {"confirmed_by": "m11"}}, "goal-confirmed-by-member", "/goal/confirmed_by"),
        ({"goal": GOAL | {"confirmed_by": "m11-again"}}, "goal-confirmed-by-member", "/goal/confirmed_by"),
    ],
)
def test_what_cannot_be_is_refused(stage: Stage, body: dict[str, Any], code: str, pointer: str) -> None:
    stage.member("m11-again", email="m11@river.example.org")
    assert refused(stage.call("POST", "./contributions", json=MET | body)) == (422, code, pointer)


@pytest.mark.parametrize(
    "license_", ["MIT", "CC-BY-SA-4.0", "GPL-2.0+", "https://creativecommons.org/licenses/by/4.0/"]
)
def test_a_licence_is_an_identifier_or_an_address(stage: Stage, license_: str) -> None:
    made = share(stage, license=license_)
    assert stage.send("GET", f"./records/{made['id']}")["body"]["license"] == license_


@pytest.mark.parametrize(
    ("said", "tier"),
    [
        ({}, 0),
        ({"goal": {"id": "goal-17", "checked_in_at": "2026-02-01T10:00:00Z"}}, 0),
        ({"goal": GOAL}, 3),
    ],
)
def test_a_goal_that_a_network_keeps_elsewhere_counts_for_more_with_a_check_in_and_a_peer(
    stage: Stage, said: dict[str, Any], tier: int
) -> None:
    made = stage.send("POST", "./contributions", MET | said)
    assert stage.send("GET", f"./records/{made['id']}")["tier"] == tier


def test_a_peer_who_posts_it_themself_confirms_it(stage: Stage) -> None:
    peer = stage.token_with("evidence:write", member="m12")
    said = MET | {"goal": {"checked_in_at": "2026-02-01T10:00:00Z"}}
    made = stage.send("POST", "./contributions", said, token=peer)
    assert stage.send("GET", f"./records/{made['id']}")["tier"] == 1
    bare = stage.send("POST", "./contributions", MET | {"title": "Another"}, token=peer)
    assert stage.send("GET", f"./records/{bare['id']}")["tier"] == 0


def test_a_goal_waits_for_who_confirms_it(stage: Stage) -> None:
    made = stage.send("POST", "./contributions", MET | {"goal": GOAL | {"confirmed_by": "m77"}})
    assert (made["status"], made["waits_for"]) == ("held", "/goal/confirmed_by")
    stage.member("m77")
    record = stage.send("GET", f"./records/{made['id']}")
    assert (record["status"], record["tier"]) == ("accepted", 3)


def test_a_correction_that_says_how_a_goal_was_confirmed_has_the_tier_of_its_word(stage: Stage) -> None:
    made = stage.send("POST", "./contributions", MET)
    said = {"changes": {"goal": GOAL}, "reason": "The check-in was left out."}
    after = stage.send("POST", f"./records/{made['id']}/correction", said)
    assert stage.send("GET", f"./records/{after['id']}")["tier"] == 3


def test_another_type_does_not_become_a_goal_of_a_higher_tier(stage: Stage) -> None:
    made = stage.send("POST", "./contributions", MET | {"type": "completed"})
    after = stage.send("POST", f"./records/{made['id']}/correction", {"changes": {"type": "goal_met"}, "reason": "So."})
    assert stage.send("GET", f"./records/{after['id']}")["tier"] == 0
