"""A command that fails: one sentence and a status, and no traceback where the database is the reason."""

import os
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Engine, event
from sqlalchemy.exc import IntegrityError, OperationalError

from service.cli import failures, main
from service.errors import NotFoundError
from service.storage import database as storage
from tests.conftest import ROOT
from tests.worlds import databases

pytestmark = pytest.mark.any_database("the address is the point, and both kinds are asked for")

NOBODY = "postgresql://laurel@127.0.0.1:1/laurel"
COMMANDS = [
    ["migrate"],
    ["serve"],
    ["token", "list"],
    ["token", "create", "--admin"],
    ["token", "revoke", "x"],
    ["network", "create", "circle", "--name", "Circle", "--url", "https://circle.example"],
    ["keys", "list", "--service"],
    ["keys", "rotate", "--service"],
    ["keys", "new", "-n", "circle"],
    ["status", "publish"],
]


def sentence(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *arguments: str) -> tuple[str, int]:
    """Run a command as the program does, and return what it says on standard error, and its status."""
    monkeypatch.setattr("sys.argv", ["laurel", *arguments])
    monkeypatch.setattr("service.runtime.logs.keep_quiet", lambda: None)  # it is for the whole process
    with pytest.raises(SystemExit) as caught:
        main.main()
    status = caught.value.code
    assert isinstance(status, int)
    return capsys.readouterr().err, status


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_database_that_is_down_is_one_sentence(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    monkeypatch.setenv("LAUREL_DATABASE_URL", NOBODY)
    told = sentence(capsys, monkeypatch, *command)
    assert told == ("LAUREL_DATABASE_URL: expected a database that answers, got no connection.\n", 1)


def test_the_program_itself_says_it_so(tmp_path: Path) -> None:
    ended = subprocess.run(
        [ROOT / ".venv/bin/laurel", "migrate"],
        cwd=tmp_path,
        env={**os.environ, "LAUREL_DATABASE_URL": NOBODY},
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (ended.stdout, ended.returncode) == ("", 1)
    assert ended.stderr == "LAUREL_DATABASE_URL: expected a database that answers, got no connection.\n"


@contextmanager
def locked(path: Path) -> Iterator[None]:
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    yield
    other.close()


def test_a_locked_sqlite_is_one_sentence(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("LAUREL_DATABASE_URL", f"sqlite:///{databases.migrated_sqlite(tmp_path / 'laurel.db')}")
    monkeypatch.setattr(storage, "BUSY_TIMEOUT_SECONDS", 0.05)
    with locked(tmp_path / "laurel.db"):
        told = sentence(capsys, monkeypatch, "token", "create", "--admin")
    assert told == ("The database is locked by somebody else; try again (SQLITE_BUSY).\n", 1)


def test_a_full_sqlite_is_one_sentence(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("LAUREL_DATABASE_URL", f"sqlite:///{databases.migrated_sqlite(tmp_path / 'laurel.db')}")
    original = storage._set_up_sqlite

    def tiny(engine: Engine) -> None:
        original(engine)
        event.listen(engine, "connect", lambda made, _: made.execute("PRAGMA max_page_count = 1"))

    monkeypatch.setattr(storage, "_set_up_sqlite", tiny)
    told = sentence(capsys, monkeypatch, "token", "create", "--admin", "--name", "n" * 100_000)
    assert told == ("The disk of the database is full; nothing was written (SQLITE_FULL).\n", 1)


def test_a_file_that_is_no_database_is_one_sentence(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "laurel.db").write_text("something else, and long enough to be looked at " * 40)
    monkeypatch.setenv("LAUREL_DATABASE_URL", f"sqlite:///{tmp_path}/laurel.db")
    told = sentence(capsys, monkeypatch, "token", "list")
    assert told == ("LAUREL_DATABASE_URL: expected a database that answers, got SQLITE_NOTADB.\n", 1)


def test_what_a_database_says_of_a_row_is_not_repeated() -> None:
    refused = psycopg.errors.UniqueViolation("DETAIL: Key (value)=(ada@river.example.org) already exists.")
    error = IntegrityError("INSERT", {}, refused)
    error.__cause__ = refused
    said, status = failures.told(error)
    assert status == 1
    assert "psycopg.errors.UniqueViolation (23505)" in said
    assert "ada@river" not in said
    stopped = psycopg.errors.AdminShutdown("terminating connection of ada@river.example.org")
    assert failures.told(OperationalError("SELECT", {}, stopped)) == (
        "The database failed; nothing was written (57P01).",
        1,
    )


def test_our_own_refusals_keep_their_sentence_and_code() -> None:
    assert failures.told(NotFoundError("network-unknown", "No network has this slug.")) == (
        "No network has this slug. (network-unknown)",
        1,
    )


def test_a_file_that_cannot_be_used_is_named() -> None:
    assert failures.told(PermissionError(13, "Permission denied", "/root/x")) == (
        "/root/x: expected a file that can be used, got “Permission denied”.",
        1,
    )
