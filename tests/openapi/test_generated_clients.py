"""Clients that other people's generators make of the document: they are type-checked, and do real work on a live service."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.openapi.conftest import program
from tests.openapi.demo_network import ADMIN, Live
from tests.worlds import processes

MEMBERS, SESSIONS, CONTRIBUTIONS, EVALUATIONS = 30, 14, 500, 100
"""How large a year is played; the full size is that of `school_year.py`."""

HERE = Path(__file__).parent
TYPESCRIPT, PYTHON = HERE / "typescript_client", HERE / "python_client"
INTEGRATIONS = ("integration.py", "school_year.py")

UNREAD = (
    "text/csv",  # files are for `httpx` itself
    "text/tab-separated-values",
    "text/plain",
    "image/png",
    "image/svg+xml",
    "image/jpeg",
    "application/pdf",
    "application/zip",
    "*/*",
)
"""Content types that openapi-python-client cannot send or read: it leaves them out and says so."""


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[str, str]]:
    """The address of `laurel serve` in an empty folder, and a token with the scope `admin`."""
    port = processes.free_port()
    base_url = f"http://localhost:{port}"
    given = {name: str(tmp_path / name.lower()) for name in ("KEYS_FOLDER", "DATA_FOLDER")}
    given |= {"BASE_URL": base_url, "DATABASE_URL": f"sqlite:///{tmp_path / 'laurel.db'}"}
    environment = {**os.environ, **{f"LAUREL_{name}": value for name, value in given.items()}}
    with processes.laurel_serve(port, environment):
        made = subprocess.run(
            [processes.LAUREL, "token", "create", "--admin", "--json"], env=environment, check=True, capture_output=True
        )
        yield base_url, json.loads(made.stdout)["token"]


def run(*command: str | Path, cwd: Path, path: Path | None = None) -> str:
    """Return what a command says; it must succeed."""
    environment = {**os.environ, "PATH": f"{path}{os.pathsep}{os.environ['PATH']}" if path else os.environ["PATH"]}
    ran = subprocess.run(
        list(map(str, command)),
        cwd=cwd,
        env=environment,
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert ran.returncode == 0, ran.stdout
    return ran.stdout


@pytest.fixture(scope="module")
def typescript(described: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the types that openapi-typescript makes, and the integration that uses them, compiled."""
    if not (TYPESCRIPT / "node_modules").is_dir():
        pytest.skip("the generator for TypeScript is not installed: `make test` does that where Node.js is")
    folder = tmp_path_factory.mktemp("typescript")
    (folder / "node_modules").symlink_to(TYPESCRIPT / "node_modules")
    for name in ("integration.ts", "tsconfig.json", "package.json"):
        shutil.copy(TYPESCRIPT / name, folder)
    node, programs = program("node"), TYPESCRIPT / "node_modules"
    run(node, programs / "openapi-typescript" / "bin" / "cli.js", described, "-o", "schema.ts", cwd=folder)
    run(node, programs / "typescript" / "bin" / "tsc", "--project", ".", cwd=folder)
    return folder


@pytest.fixture(scope="module")
def python(described: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A folder with the package that openapi-python-client makes, and what the generator said."""
    programs = PYTHON / ".venv" / "bin"
    if not (programs / "openapi-python-client").exists():
        pytest.skip("the generator for Python is not installed: `make test` does that")
    folder = tmp_path_factory.mktemp("python")
    for name in INTEGRATIONS:
        shutil.copy(PYTHON / name, folder)
    to = ("--output-path", folder / "laurel_client", "--meta", "none", "--config", PYTHON / "generator.yaml")
    command = ("generate", "--path", described, *to)
    return folder, run(programs / "openapi-python-client", *command, cwd=folder, path=programs)


def test_the_typescript_client_is_typed_and_does_real_work(typescript: Path, live: Live) -> None:
    said = run(program("node"), "built/integration.js", live.base_url, live.tokens[ADMIN], cwd=typescript)
    assert said == "The integration with the generated TypeScript client is complete.\n"


def test_the_python_client_lacks_only_what_it_cannot_send(python: tuple[Path, str]) -> None:
    _, said = python
    assert "Unable to" not in said
    left_out = set(re.findall(r"Unsupported content[ _]type ([^\n)]+)", said))
    assert {each for types in left_out for each in types.split(", ")} <= set(UNREAD)


def test_every_module_of_the_python_client_can_be_imported(python: tuple[Path, str]) -> None:
    folder, _ = python
    modules = [
        ".".join(path.relative_to(folder).with_suffix("").parts)
        for path in (folder / "laurel_client").rglob("*.py")
        if path.name != "__init__.py"
    ]
    run(PYTHON / ".venv" / "bin" / "python", "-c", "import " + ", ".join(modules), cwd=folder)


def test_the_python_client_is_typed(python: tuple[Path, str]) -> None:
    folder, _ = python
    run(PYTHON / ".venv" / "bin" / "mypy", "--strict", "--follow-imports=silent", *INTEGRATIONS, cwd=folder)


def test_the_python_client_does_real_work(python: tuple[Path, str], live: Live) -> None:
    folder, _ = python
    said = run(PYTHON / ".venv" / "bin" / "python", "integration.py", live.base_url, live.tokens[ADMIN], cwd=folder)
    assert said == "The integration with the generated Python client is complete.\n"


def test_a_year_of_a_network_is_played_with_the_python_client(
    python: tuple[Path, str], served: tuple[str, str]
) -> None:
    folder, _ = python
    size = map(str, (MEMBERS, SESSIONS, CONTRIBUTIONS, EVALUATIONS))
    said = run(PYTHON / ".venv" / "bin" / "python", "school_year.py", *served, *size, cwd=folder)
    assert said == "The year is complete: 50 badges.\n"
