"""What is expected of somebody who is signed in, on a page of their own."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient

from service.participation.expectations import own
from service.runtime.runtime import Runtime
from service.tables import Member, Network
from tests.worlds.awarding import Stage
from tests.worlds.my_badges import MINE, browser_of, claimed, member_of, shown
from tests.worlds.runtimes import Clock

MONTHLY: dict[str, Any] = {
    "name": "Share <what> works",
    "text": "So that *others* need not look.",
    "rule": {"rule": "count", "where": {"types": ["shared"]}, "gte": 4},
    "period": {"every": "month"},
}


@pytest.fixture
def stage(client: TestClient, runtime: Runtime, clock: Clock) -> Stage:
    clock.at = datetime(2026, 2, 20, 12, tzinfo=UTC)
    stage = Stage.set_up(client, runtime)
    claimed(stage)
    stage.member("m12", email="m12@example.org")
    return stage


@pytest.fixture
def browser(runtime: Runtime, stage: Stage) -> Iterator[TestClient]:
    assert stage.runtime is runtime
    with browser_of(runtime, MINE) as found:
        yield found


def path(stage: Stage, member: str = "m11") -> str:
    return f"/my-badges/members/{member_of(stage.runtime, member)}/expectations"


def waits(stage: Stage) -> str | None:
    with stage.runtime.database.read() as session:
        member = session.get_one(Member, UUID(member_of(stage.runtime, "m11")))
        return own.waits(session, session.get_one(Network, member.network_id), member, stage.runtime.now())


def test_who_is_expected_nothing_is_told_so(stage: Stage, browser: TestClient) -> None:
    assert "The network expects nothing of you at the moment." in shown(browser, path(stage))


def test_somebody_sees_what_is_expected_and_where_they_stand(stage: Stage, browser: TestClient, clock: Clock) -> None:
    stage.send("PUT", "./objectives/F1", {"text": "Members share what works."})
    stage.send("PUT", "./expectations/e", MONTHLY | {"objectives": ["F1"]})
    clock.at = datetime(2026, 3, 17, tzinfo=UTC)
    for n in range(2):
        stage.share(n)
        stage.share(n, "m12")
    stage.share(2, "m12")
    page = shown(browser, path(stage))
    for text in (
        "Share &lt;what&gt; works",
        "<em>others</em>",
        "1 March 2026 to 31 March 2026",
        "At least 4 resources shared.",
        "<strong>On course</strong>",
        "2 resources shared (4 needed).",
        "Expected by now: 2.",
        "Members share what works.",
    ):
        assert text in page
    assert waits(stage) is None
    clock.at = datetime(2026, 3, 30, tzinfo=UTC)
    assert "<strong>Behind</strong>" in shown(browser, path(stage))
    assert waits(stage) == own.BEHIND


def test_a_time_that_is_over_is_shown_with_what_was_expected_then(
    stage: Stage, browser: TestClient, clock: Clock
) -> None:
    stage.send("PUT", "./expectations/e", MONTHLY)
    stage.send("PATCH", "./expectations/e", {"rule": {"gte": 1}})
    clock.at = datetime(2026, 3, 10, tzinfo=UTC)
    now = shown(browser, path(stage))
    assert "At least 1 resource shared." in now
    assert f"{path(stage)}?on=2026-02-01" in now
    before = shown(browser, f"{path(stage)}?on=2026-02-01")
    assert "At least 4 resources shared." in before
    assert "<strong>Not met</strong>" in before
    assert "Expected by now" not in before
    assert "Nothing was expected of you in this time." in shown(browser, f"{path(stage)}?on=2026-01-31")


def test_hours_and_rates_are_told_in_words(stage: Stage, browser: TestClient) -> None:
    hours = {"rule": "sum", "field": "minutes", "gte": 180}
    rate = {"rule": "attendance", "series": "circle", "min_rate": 0.75}
    stage.send("PUT", "./expectations/hours", MONTHLY | {"rule": hours, "period": {"every": "whole"}})
    stage.send("PUT", "./expectations/rate", MONTHLY | {"rule": rate, "period": {"every": "year"}})
    page = shown(browser, path(stage))
    assert "At least 3 hours of contributions." in page
    assert "From 20 February 2026 on" in page
    assert "Attend at least 75% of the meetings of “circle”." in page
    assert "<strong>Nothing to count yet</strong>. No meeting that counts has begun." in page


def test_what_begins_later_is_shown_as_not_yet_begun(stage: Stage, browser: TestClient) -> None:
    stage.send("PUT", "./expectations/e", MONTHLY | {"from": "2026-05-01"})
    page = shown(browser, path(stage))
    assert "<strong>Not yet begun</strong>" in page
    assert "1 May 2026 to 31 May 2026" in page
    assert waits(stage) is None


def test_nobody_sees_what_is_expected_of_somebody_else(stage: Stage, browser: TestClient, client: TestClient) -> None:
    stage.send("PUT", "./expectations/e", MONTHLY)
    assert browser.get(path(stage, "m12")).status_code == 404
    assert client.get(path(stage), follow_redirects=False).status_code == 303
