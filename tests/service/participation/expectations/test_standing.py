"""What is expected is judged by the numbers of progress, for one member and for everybody, at one cost."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event, select
from sqlalchemy.orm import Session as OrmSession

from service.participation.expectations import standing
from service.participation.expectations.expectations import ShownExpectation
from service.participation.expectations.standing import Judged
from service.progress import progress
from service.runtime.runtime import Runtime
from service.storage.database import Database
from service.tables import Expectation, ExpectationVersion, Member, Network
from tests.worlds.awarding import SHARE_TWICE, Stage
from tests.worlds.criteria_oracle import World, judge
from tests.worlds.criteria_worlds import DAYS, MEMBERS, rule_shapes, worlds, write

EXPECTED = st.one_of(*(rule_shapes[name] for name in ("count", "sum", "attendance"))).map(
    lambda rule: {name: value for name, value in rule.items() if name != "window"}
)
PERIODS = st.tuples(st.sampled_from(DAYS), st.sampled_from((*DAYS, date(2026, 12, 1)))).filter(
    lambda two: two[0] < two[1]
)


@contextmanager
def rolled_back(database: Database) -> Iterator[OrmSession]:
    with OrmSession(database.engine.execution_options(laurel_writes=True)) as session:
        yield session


def judged(network: Network, rule: dict[str, Any], start: date, end: date) -> Judged:
    """Return a rule as it is expected in one term; nothing of it is stored."""
    period = {"every": "term", "terms": [{"from": f"{start}", "until": f"{end}"}]}
    version = ExpectationVersion(version=1, from_date=start, content={"name": "A", "rule": rule, "period": period})
    found = standing.judged(network, ShownExpectation(Expectation(ref="e"), [version]), start)
    assert found is not None
    return found


@given(rule=EXPECTED, world=worlds(), period=PERIODS)
@settings(deadline=None, suppress_health_check=list(HealthCheck), max_examples=60)
def test_the_numbers_are_those_of_progress_and_of_the_oracle_with_the_period_as_window(
    database: Database, rule: dict[str, Any], world: World, period: tuple[date, date]
) -> None:
    start, end = period
    with rolled_back(database) as session:
        asked = rule | {"window": {"from": f"{start}", "to": f"{end}"}}
        network, version = write(session, world, asked)
        nodes = progress.evaluate(session, network, version, MEMBERS, world.now)
        each = judged(network, rule, start, end)
        members = session.scalars(select(Member).where(Member.id.in_(MEMBERS)).order_by(Member.id)).all()
        together = list(standing.stand(session, network, [each], members, world.now))
        alone = [one for member in members for one in standing.stand(session, network, [each], [member], world.now)]
        assert [(one.member, one.state, one.observed, one.expected) for one in together] == [
            (one.member, one.state, one.observed, one.expected) for one in alone
        ]
        for one in together:
            node, expected = nodes[one.member.id], judge(asked, world, one.member.id)
            if one.observed is not None:
                assert one.observed == pytest.approx(node.observed) == pytest.approx(expected.observed)
                assert one.required == node.required == expected.required
            if one.over and one.state != "nothing-to-count":
                assert (one.state == "met") == node.met
            assert node.met or one.state != "met"
            assert not (node.met and one.state == "behind")


def test_a_page_of_everybody_is_one_question_about_evidence(client: TestClient, runtime: Runtime) -> None:
    stage = Stage.set_up(client, runtime)
    for n in range(12):
        stage.member(f"m{n}")
    stage.send("PUT", "./expectations/e", {"name": "A", "rule": SHARE_TWICE, "period": {"every": "month"}})
    asked: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if "contributions" in statement:
            asked.append(statement)

    event.listen(runtime.database.engine, "before_cursor_execute", note)
    try:
        for query in ({}, {"state": "on-course"}):
            asked.clear()
            found = stage.send("GET", "./expectations/e/standing", params=query)["items"]
            assert (len(found), len(asked)) == (12, 1)
    finally:
        event.remove(runtime.database.engine, "before_cursor_execute", note)


def test_all_that_is_expected_of_a_member_is_one_question_too(client: TestClient, runtime: Runtime) -> None:
    stage = Stage.set_up(client, runtime)
    stage.member()
    for n in range(4):
        rule = SHARE_TWICE | {"gte": n + 1}
        stage.send("PUT", f"./expectations/e{n}", {"name": "A", "rule": rule, "period": {"every": "month"}})
    stage.share(1)
    asked: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if "contributions" in statement:
            asked.append(statement)

    event.listen(runtime.database.engine, "before_cursor_execute", note)
    try:
        found = stage.send("GET", "./members/m11/expectations")["items"]
    finally:
        event.remove(runtime.database.engine, "before_cursor_execute", note)
    assert [(row["required"], row["observed"], row["state"]) for row in found] == [
        (1, 1, "met"),
        (2, 1, "on-course"),
        (3, 1, "on-course"),
        (4, 1, "on-course"),
    ]
    assert len(asked) == 1
