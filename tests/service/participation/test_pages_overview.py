"""The page of a member about one network, and what waits for them on *My badges*."""

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from service.runtime.runtime import Runtime
from tests.worlds.agreeing import accept, publish
from tests.worlds.awarding import Stage
from tests.worlds.my_badges import MINE, OTHER, browser_of, claimed, member_of, shown

ASKED = "Read the guidelines of this network, and accept them."


@pytest.fixture
def stage(client: TestClient, runtime: Runtime) -> Stage:
    return Stage.set_up(client, runtime)


@pytest.fixture
def browser(runtime: Runtime, stage: Stage) -> Iterator[TestClient]:
    assert stage.runtime is runtime
    with browser_of(runtime, MINE) as found:
        yield found


def path_of(stage: Stage) -> str:
    return f"/my-badges/members/{member_of(stage.runtime, 'm11')}"


def test_a_page_leads_to_everything_that_a_network_has_for_a_member(stage: Stage, browser: TestClient) -> None:
    claimed(stage)
    root = path_of(stage)
    page = shown(browser, root)
    for part in ("goals", "disagreement", "progress", "records"):
        assert f'href="{root}/{part}"' in page
        shown(browser, f"{root}/{part}")
    for nothing_yet in ("guidelines", "expectations", "needs", "calls"):
        assert f"{root}/{nothing_yet}" not in page


def test_what_the_network_has_later_is_listed_then(stage: Stage, browser: TestClient) -> None:
    claimed(stage)
    publish(stage)
    monthly = {"rule": "count", "where": {"types": ["shared"]}, "gte": 2}
    stage.send("PUT", "./expectations/share", {"name": "Share", "rule": monthly, "period": {"every": "month"}})
    stage.send(
        "PUT",
        "./needs-cycles/spring",
        {"title": "Spring", "closes_at": "2026-04-01T00:00:00Z", "topics": [{"code": "drafts", "label": "Drafts"}]},
    )
    root = path_of(stage)
    page = shown(browser, root)
    for part in ("guidelines", "expectations", "needs"):
        assert f'href="{root}/{part}"' in page
        shown(browser, f"{root}/{part}")


def test_my_badges_says_what_waits_until_it_is_done(stage: Stage, browser: TestClient) -> None:
    claimed(stage)
    assert f'href="{path_of(stage)}/guidelines"' not in shown(browser, "/my-badges")
    publish(stage)
    for page in ("/my-badges", path_of(stage)):
        assert f'<a href="{path_of(stage)}/guidelines">{ASKED}</a>' in shown(browser, page)
    accept(stage)
    assert ASKED not in shown(browser, "/my-badges") + shown(browser, path_of(stage))


def test_nobody_sees_the_page_of_another_member(runtime: Runtime, stage: Stage, browser: TestClient) -> None:
    claimed(stage)
    assert browser.get(path_of(stage)).status_code == 200
    with browser_of(runtime, OTHER) as another:
        assert another.get(path_of(stage)).status_code == 404
    assert stage.client.get(path_of(stage), follow_redirects=False).headers["location"].startswith("/sign-in")
