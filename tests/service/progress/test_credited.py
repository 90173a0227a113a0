"""What others take up counts for who shared it, where the rule says so."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from sqlalchemy.orm import Session as OrmSession

from service.progress import progress
from service.progress.progress import Node
from service.storage.database import Database
from tests.worlds.criteria_oracle import Deed, World, judge
from tests.worlds.criteria_worlds import MEMBERS, NOW, rule_shapes, worlds, write

# Every example is rolled back, so they can share a database.
random_settings = settings(deadline=None, suppress_health_check=list(HealthCheck), max_examples=60)
ANA, BEN, CAM, DEE = MEMBERS
UNIT, OTHER = "https://example.org/a", "https://example.org/b"
RULE: dict[str, Any] = {"rule": "count", "where": {"types": ["adopted"]}, "credit": "sharer", "gte": 3}
MORNING, NOON, EVENING = "2026-10-01T08:00:00Z", "2026-10-01T12:00:00Z", "2026-10-01T18:00:00Z"


@contextmanager
def rolled_back(database: Database) -> Iterator[OrmSession]:
    with OrmSession(database.engine.execution_options(laurel_writes=True)) as session:
        yield session


def done(*deeds: tuple[UUID, str, str, str]) -> World:
    """Return a network in which members did these: who, what, when, and about which resource."""
    rows = [
        Deed(UUID(int=1000 + n), who, what, datetime.fromisoformat(at), resource=resource)
        for n, (who, what, at, resource) in enumerate(deeds)
    ]
    return World(now=NOW, zone="UTC", persons=dict.fromkeys(MEMBERS), deeds=rows)


def counted(database: Database, world: World, rule: dict[str, Any], member: UUID = ANA) -> int:
    """Return how much counts for a member, after holding it against the oracle."""
    with rolled_back(database) as session:
        network, version = write(session, world, rule)
        node = progress.explain(session, network, version, member, world.now)
    expected = judge(rule, world, member)
    assert (node.observed, node.met, set(node.counted)) == (expected.observed, expected.met, expected.records)
    return int(node.observed)


SHARED = (ANA, "shared", MORNING, UNIT)
THREE = [(who, "adopted", NOON, UNIT) for who in (BEN, CAM, DEE)]


def test_a_resource_that_three_take_up_counts_three_for_who_shared_it(database: Database) -> None:
    world = done(SHARED, *THREE)
    assert counted(database, world, RULE) == 3
    assert counted(database, world, RULE, BEN) == 0


def test_a_person_counts_once_for_a_resource_and_again_for_another(database: Database) -> None:
    again = [(BEN, "adopted", NOON, UNIT), (BEN, "adopted", EVENING, UNIT), (BEN, "adopted", NOON, OTHER)]
    world = done(SHARED, (ANA, "shared", MORNING, OTHER), *again)
    assert counted(database, world, RULE) == 2
    assert counted(database, world, RULE | {"distinct": "peer"}) == 1
    assert counted(database, world, RULE | {"distinct": "resource"}) == 2


def test_nobody_counts_for_themself_also_not_under_another_ref(database: Database) -> None:
    world = done(SHARED, *THREE, (ANA, "adopted", NOON, UNIT))
    assert counted(database, world, RULE) == 3
    one: dict[UUID, UUID | None] = {ANA: UUID(int=21), BEN: UUID(int=21), CAM: UUID(int=22), DEE: UUID(int=22)}
    assert counted(database, replace(world, persons=one), RULE) == 1


def test_it_counts_for_who_shared_it_first(database: Database) -> None:
    world = done((BEN, "shared", NOON, UNIT), SHARED, (CAM, "adopted", EVENING, UNIT))
    assert counted(database, world, RULE, ANA) == 1
    assert counted(database, world, RULE, BEN) == 0


def test_of_two_who_shared_it_at_once_the_record_that_came_first_counts(database: Database) -> None:
    world = done((BEN, "shared", MORNING, UNIT), SHARED, (CAM, "adopted", EVENING, UNIT))
    assert [counted(database, world, RULE, member) for member in (ANA, BEN)] == [0, 1]


def test_what_was_taken_up_before_it_was_shared_counts_nothing(database: Database) -> None:
    world = done((ANA, "shared", NOON, UNIT), (BEN, "adopted", MORNING, UNIT), (CAM, "adopted", NOON, UNIT))
    assert counted(database, world, RULE) == 1


def test_the_tier_asked_for_is_that_of_who_took_it_up(database: Database) -> None:
    world = done(SHARED, *THREE)
    lower = [replace(deed, tier=0) if deed.member == BEN else deed for deed in world.deeds]
    rule = RULE | {"where": {"types": ["adopted"], "min_tier": 1}}
    assert counted(database, replace(world, deeds=lower), rule) == 2


def test_without_the_credit_what_one_took_up_counts_for_oneself(database: Database) -> None:
    rule = {"rule": "count", "where": {"types": ["adopted"]}, "gte": 1}
    world = done(SHARED, *THREE)
    assert [counted(database, world, rule, member) for member in (ANA, BEN)] == [0, 1]


@given(rule=rule_shapes["credited"], world=worlds())
@random_settings
def test_it_agrees_with_the_oracle_now_and_as_of_a_moment(database: Database, rule: Any, world: World) -> None:
    with rolled_back(database) as session:
        network, version = write(session, world, rule)
        everybody = progress.evaluate(session, network, version, None, world.now)
        for member in MEMBERS:
            expected = judge(rule, world, member)
            node: Node = progress.explain(session, network, version, member, world.now)
            assert (node.observed, node.met) == (expected.observed, expected.met)
            assert set(node.counted) == expected.records
            assert (member in everybody and everybody[member].met) == expected.met
