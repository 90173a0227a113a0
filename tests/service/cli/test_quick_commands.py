"""What a command imports: no more than it needs, so that it answers at once."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from service.runtime.runtime import Runtime
from tests.worlds.awarding import Stage
from tests.worlds.runtimes import BASE_URL, app_of

pytestmark = pytest.mark.any_database("nothing is asked of a database")

HEAVY = {"alembic", "credentials", "fastapi", "httpx2", "psycopg", "pydantic_settings", "pyld", "sqlalchemy", "uvicorn"}
"""Libraries and packages of which each takes a good part of the time of a command that does little."""
COMMANDS = (
    "serve",
    "demo",
    "example",
    "migrate",
    "network",
    "token",
    "keys",
    "status",
    "import",
    "outbox",
    "restored",
    "verify",
)
RUN = """
import json, sys
from service.cli import main
sys.argv = ["laurel", *sys.argv[1:]]
try:
    main.main()
except SystemExit as ended:
    print(json.dumps([ended.code, sorted(set(sys.modules))]), file=sys.stderr)
"""


def imported(*arguments: str) -> tuple[int, set[str]]:
    """Return the exit status of a command, and what it had imported at its end."""
    done = subprocess.run([sys.executable, "-c", RUN, *arguments], capture_output=True, text=True, check=True)
    status, modules = json.loads(done.stderr.splitlines()[-1])
    return status or 0, set(modules)


@pytest.mark.parametrize("arguments", [(), *((name,) for name in COMMANDS)], ids=" ".join)
def test_help_needs_nothing_of_what_the_commands_need(arguments: tuple[str, ...]) -> None:
    status, modules = imported(*arguments, "--help")
    assert status == 0
    assert not modules & HEAVY
    assert {name for name in modules if name.startswith("service.") and not name.startswith("service.cli")} <= {
        "service.errors",
        "service.runtime",
        "service.runtime.logs",
    }


def test_a_command_that_only_reads_files_opens_no_database() -> None:
    status, modules = imported("outbox")
    assert status == 0
    assert not modules & {"alembic", "credentials", "fastapi", "sqlalchemy"}


def test_a_command_with_rows_needs_no_server() -> None:
    _, modules = imported("token", "revoke", "nonsense")
    assert "sqlalchemy" in modules
    assert not modules & {"fastapi", "uvicorn", "typst", "pypdf"}


def test_a_bundle_is_checked_without_anything_that_reads_rows_or_serves(runtime: Runtime, tmp_path: Path) -> None:
    """Its receipt names a rule: that is read and compared, without the SQL of rules."""
    stage = Stage.set_up(TestClient(app_of(runtime), base_url=BASE_URL), runtime)
    stage.member()
    stage.achievement()
    for n in range(2):
        stage.share(n)
    [badge] = stage.send("GET", "./credentials")["items"]
    path = tmp_path / "badge.bundle.json"
    path.write_bytes(stage.client.get(f"{badge['url']}.bundle").content)
    status, modules = imported("verify", str(path))
    assert status == 2, "by now its status list is an old one"
    assert not modules & {"alembic", "fastapi", "httpx2", "psycopg", "sqlalchemy", "starlette", "typst", "uvicorn"}
    assert not modules & {"PIL", "openpyxl", "pypdf", "zxingcpp"}, "nor what opens pictures, PDFs and workbooks"
    assert not {name for name in modules if name.startswith("service.tables")}
