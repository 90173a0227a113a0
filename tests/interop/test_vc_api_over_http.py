"""The VC API as it is served, and a machine from outside that uses it with other people's software."""

import json
import shutil
import socket
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from service.app import create_app
from service.storage import migrations
from tests.interop.conftest import HERE
from tests.worlds.listening import serving
from tests.worlds.runtimes import Clock, settings_in, start


@pytest.fixture
def served(tmp_path: Path) -> Iterator[str]:
    """The address of a service with the VC API, on a free port of loopback; others go by the clock on the wall."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        base_url = f"http://localhost:{listening.getsockname()[1]}"
        with start(settings_in(tmp_path, base_url=base_url, vc_api=True), Clock(datetime.now(UTC))) as runtime:
            migrations.upgrade(runtime.database)
            with serving(create_app(runtime), listening):
                yield base_url


@pytest.mark.usefixtures("judges")
def test_other_peoples_software_and_the_vc_api_accept_each_others(served: str) -> None:
    command = [shutil.which("node") or "node", "vc_api_client.mjs", served]
    said = subprocess.run(command, cwd=HERE, check=False, capture_output=True, text=True)
    assert said.returncode == 0, said.stderr
    lines = [json.loads(line) for line in said.stdout.splitlines()]
    assert [line for line in lines if not line["met"]] == []
    assert {line["says"] for line in lines} >= {f"jose opens it, {key}" for key in ("Ed25519", "P-256", "P-384")}
