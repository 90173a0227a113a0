"""Other people's linters find nothing in the description of the API but what is listed with a reason."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

LINTERS = Path(__file__).parent / "linters"
OLDEST_NODE = 20
ALONE = {"REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true", "NO_COLOR": "1"}
"""The settings by which the linters ask nobody outside."""


def linted(folder: Path, linter: str, *arguments: str) -> str:
    """Return what a linter says of `openapi.json` in a folder, with its configuration beside it."""
    program = LINTERS / "node_modules" / ".bin" / linter
    if shutil.which("node") is None or not program.exists():
        pytest.skip("the linters of the API's description are not installed: `make test` does that, with npm")
    version = subprocess.run(["node", "--version"], check=True, capture_output=True, text=True).stdout
    if int(version.removeprefix("v").split(".")[0]) < OLDEST_NODE:
        pytest.skip(f"Node.js {OLDEST_NODE} or newer is needed: the API's description is not linted")
    for file in (LINTERS / "redocly.yaml", LINTERS / ".redocly.lint-ignore.yaml", LINTERS / "spectral.yaml"):
        shutil.copy(file, folder)
    done = subprocess.run(
        [program, "lint", *arguments, "openapi.json"],
        cwd=folder,
        env=os.environ | ALONE,
        check=False,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_redocly_finds_nothing_by_its_recommended_rules(described: Path) -> None:
    said = linted(described.parent, "redocly", "--config=redocly.yaml", "--format=stylish", "--max-problems=1000")
    assert "Your API description is valid" in said
    assert re.findall(r"^ .* (?:warning|error) .*$", said, re.MULTILINE) == []


def test_spectral_finds_nothing_by_its_rules_for_openapi(described: Path) -> None:
    said = linted(described.parent, "spectral", "--ruleset=spectral.yaml", "--fail-severity=hint")
    assert "No results with a severity of 'hint' or higher found!" in said
