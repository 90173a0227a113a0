"""The quick start of README.md, as a newcomer copies it."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from tests.worlds.processes import LAUREL, free_port, laurel_serve

ROOT = Path(__file__).parents[3]


def commands() -> str:
    """Return the commands of the quick start, in order."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    section = readme.partition("## Quick start\n")[2].partition("\n## ")[0]
    return "".join(line[4:] + "\n" for line in section.splitlines() if line.startswith("    "))


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, object]]:
    """What the service answers to the commands, each as it is copied, one after the other."""
    folder, port = tmp_path_factory.mktemp("quick-start"), free_port()
    settings = {
        "LAUREL_BASE_URL": f"http://localhost:{port}",
        "LAUREL_DATABASE_URL": f"sqlite:///{folder}/laurel.db",
        "LAUREL_KEYS_FOLDER": str(folder / "keys"),
        "LAUREL_DATA_FOLDER": str(folder / "var"),
        "PATH": "/usr/local/bin:/usr/bin:/bin",
    }
    script = commands().replace("http://localhost:8000", settings["LAUREL_BASE_URL"])
    assert script.count("curl -H") == 7
    script = script.replace('PATH="$PWD/.venv/bin:$PATH"', f'PATH="{Path(LAUREL).parent}:$PATH"')
    script = re.sub(r"^curl (.*)$", r"curl -sS --fail-with-body \1; echo", script, flags=re.MULTILINE)
    with laurel_serve(port, settings):
        ran = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=folder,
            env=settings,
            check=False,
            capture_output=True,
            text=True,
        )
    assert ran.returncode == 0, ran.stderr + ran.stdout
    return [json.loads(line) for line in ran.stdout.splitlines() if line.startswith("{")]


def test_it_ends_with_a_verified_badge(answers: list[dict[str, object]]) -> None:
    assert answers[-1]["verdict"] == "verified"


def test_its_answers_are_what_the_text_between_says(answers: list[dict[str, object]]) -> None:
    network, member, achievement, first, progress, second, _ = answers
    assert str(network["did"]).endswith(":my-circle")
    assert member["ref"] == "m1"
    assert achievement["published_version"] == 1
    assert (first["status"], first["awards"]) == ("accepted", [])
    assert '"progress":0.5' in json.dumps(progress, separators=(",", ":"))
    assert json.dumps(second["awards"]).count("sharer") == 1
