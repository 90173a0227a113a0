"""The description of the API, as the service gives it; and a live service with the demo's network, for its callers."""

import json
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.openapi.demo_network import Live, build
from tests.worlds import databases
from tests.worlds.runtimes import Clock, app_of, settings_in, start


@pytest.fixture(scope="module")
def described(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file `openapi.json`, in a folder of its own."""
    folder = tmp_path_factory.mktemp("openapi")
    url = f"sqlite:///{databases.migrated_sqlite(folder / 'laurel.db')}"
    with start(settings_in(folder, database_url=url), Clock()) as runtime:
        file = folder / "openapi.json"
        file.write_text(json.dumps(app_of(runtime).openapi(), ensure_ascii=False))
    return file


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """The demo's network, served on a free port of loopback; its upkeep must not work beside the tests of others."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        base_url = f"http://localhost:{listening.getsockname()[1]}"
        demo = build(tmp_path_factory.mktemp("live"), base_url)
        with demo.live(listening) as service:
            yield service


def program(name: str) -> str:
    """Return the path of a program that a test needs, or skip the test."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found
