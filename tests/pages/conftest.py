"""A live service on loopback, and a real browser that may load nothing from anywhere else."""

import atexit
import shutil
import socket
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from playwright.sync_api import Browser, Page, Request, Route, expect, sync_playwright

from service.checking.desk import Desk
from service.runtime.fair_use import FairUse
from service.runtime.runtime import Runtime
from tests.pages.reading import Reader
from tests.worlds import databases, described, listening
from tests.worlds.runtimes import Clock, app_of, desk_of, settings_in, start

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM_OPTIONS = [
    "--no-sandbox",  # which Chromium refuses to be without when root runs the tests
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
PHONE_WIDTH = 360


@dataclass(frozen=True)
class Live:
    """A service that listens: its runtime and desk, and the address at which a browser finds it."""

    runtime: Runtime
    desk: Desk
    base_url: str


@pytest.fixture(scope="session", autouse=True)
def _described() -> Iterator[None]:
    """Every answer that a test gets without a browser is held to the description of the API."""
    with described.every_answer():
        yield


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium without a screen, started once."""
    found = next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)
    if found is None:
        pytest.skip("Chromium is not installed: the pages are not tried (Debian: apt-get install chromium)")
    expect.set_options(timeout=30_000)  # on a busy machine too
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=found, args=CHROMIUM_OPTIONS)
        yield launched
        launched.close()


@pytest.fixture(scope="session")
def violations() -> Callable[[Page], list[Any]]:
    """Ask axe-core what keeps some people from using a page: rules, each with the elements that break it."""
    path = Path(__file__).parent.parent / "interop" / "node_modules" / "axe-core" / "axe.min.js"
    if not path.exists():
        pytest.skip("axe-core is not installed: `make test` does that where Node.js is")
    source = path.read_text()

    def judge(page: Page) -> list[Any]:
        page.evaluate(source)
        found = page.evaluate("async () => (await axe.run()).violations.map(v => [v.id, v.nodes.map(n => n.html)])")
        return list(found)

    return judge


_unused: list[socket.socket] = []


@contextmanager
def _listening() -> Iterator[socket.socket]:
    """Give a socket that listens on a port of loopback.

    A test gets the port of one before it, and with it the address: what was built there is laid down again for it.
    """
    if not _unused:
        _unused.append(socket.create_server(("127.0.0.1", 0)))
        atexit.register(_unused[-1].close)
    kept = _unused.pop()
    try:
        yield kept
    finally:
        _unused.append(kept)


@contextmanager
def serving(folder: Path, fair_use: FairUse | None = None, **given: Any) -> Iterator[Live]:
    """Give a service that listens on a free port of loopback, on an empty database; the time stands still.

    Args:
        fair_use: in place of that of every service.
        given: further settings.
    """
    with _listening() as kept:
        base_url = f"http://localhost:{kept.getsockname()[1]}"
        databases.migrated_sqlite(folder / "laurel.db")
        with start(settings_in(folder, base_url=base_url, **given), Clock()) as runtime:
            desk = desk_of(runtime)
            desk = replace(desk, fair_use=fair_use or desk.fair_use)
            with listening.serving(app_of(runtime, desk), kept.dup()):
                yield Live(runtime, desk, base_url)


@pytest.fixture
def runtime(tmp_path: Path) -> Iterator[Runtime]:
    """A service that does not listen, on an empty database."""
    databases.migrated_sqlite(tmp_path / "laurel.db")
    with start(settings_in(tmp_path), Clock()) as runtime:
        yield runtime


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    """A service of this test alone."""
    with serving(tmp_path) as live:
        yield live


@pytest.fixture
def reader(live: Live) -> Iterator[Reader]:
    """A visitor without a browser."""
    app, accepted = app_of(live.runtime), {"Accept": "text/html"}
    with closing(TestClient(app, base_url=live.base_url, headers=accepted)) as client:
        yield Reader(client)


@contextmanager
def visiting(browser: Browser, live: Live) -> Iterator[tuple[Page, list[str]]]:
    """Give a page of a new visitor, and the list of what it asked other hosts for, and of how its scripts broke."""
    context = browser.new_context(base_url=live.base_url)
    faults: list[str] = []

    def only_from_here(route: Route, request: Request) -> None:
        if request.url.startswith((live.base_url, "data:", "blob:")):
            route.continue_()
        else:
            faults.append(f"asked for {request.url}")
            route.abort()

    context.route("**/*", only_from_here)
    opened = context.new_page()
    opened.on("pageerror", lambda error: faults.append(f"script: {error}"))
    opened.on("console", lambda said: faults.append(said.text) if "Content Security Policy" in said.text else None)
    yield opened, faults
    context.close()


@pytest.fixture
def page(browser: Browser, live: Live) -> Iterator[Page]:
    """A fresh page of a visitor; the test fails if it asked another host for anything, or its script broke."""
    with visiting(browser, live) as (opened, faults):
        yield opened
    assert not faults


@pytest.fixture
def phone(page: Page) -> Page:
    """The same page on a narrow screen."""
    page.set_viewport_size({"width": PHONE_WIDTH, "height": 780})
    return page
