"""Other people's verifiers: one Node program, asked by lines of JSON for as long as the tests run."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.interop.judging import Judges
from tests.interop.vc_api_machine import Machine, machine

HERE = Path(__file__).parent
OLDEST_NODE = 18


@pytest.fixture(scope="session")
def judges() -> Iterator[Judges]:
    """The JavaScript judges, started once."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("Node.js is not installed: other people's JavaScript verifiers are not asked")
    version = subprocess.run([node, "--version"], check=True, capture_output=True, text=True).stdout
    if int(version.removeprefix("v").split(".")[0]) < OLDEST_NODE:
        pytest.skip(f"Node.js {OLDEST_NODE} or newer is needed: other people's JavaScript verifiers are not asked")
    if not (HERE / "node_modules").is_dir():
        pytest.skip("other people's JavaScript verifiers are not installed: `make test` does that")
    command = [node, "judges.mjs"]
    with subprocess.Popen(command, cwd=HERE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield Judges(process)


@pytest.fixture(scope="module")
def vc_api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """A caller of the VC API."""
    with machine(tmp_path_factory.mktemp("vc-api")) as caller:
        yield caller
