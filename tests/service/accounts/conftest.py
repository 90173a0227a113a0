"""Browsers of people who sign in."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from fastapi.testclient import TestClient

from service.runtime.runtime import Runtime
from tests.worlds.runtimes import BASE_URL, app_of


@pytest.fixture
def open_browser(runtime: Runtime) -> Iterator[Callable[[], TestClient]]:
    """Open a new browser, which keeps its cookies and follows no redirect."""
    with ExitStack() as stack:

        def opened() -> TestClient:
            client = TestClient(
                app_of(runtime), base_url=BASE_URL, follow_redirects=False, headers={"Accept": "text/html"}
            )
            return stack.enter_context(client)

        yield opened


@pytest.fixture
def browser(open_browser: Callable[[], TestClient]) -> TestClient:
    """The browser of somebody."""
    return open_browser()


@pytest.fixture
def other_browser(open_browser: Callable[[], TestClient]) -> TestClient:
    """A browser of somebody else, or of the same person on another device."""
    return open_browser()
