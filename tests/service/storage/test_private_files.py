"""Who may read our files: this account and no other, whatever the umask, and what was open is closed."""

import logging
import os
import stat
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest
from sqlalchemy import text

from service.notifications import mail
from service.runtime.custody import Custody
from service.storage import private_files
from service.storage.database import Database
from tests.worlds.runtimes import settings_in

pytestmark = pytest.mark.any_database("files are the point")


@pytest.fixture(autouse=True)
def _open_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def modes(folder: Path) -> dict[str, int]:
    return {str(path.relative_to(folder)): stat.S_IMODE(path.stat().st_mode) for path in folder.rglob("*")}


def write_row(path: Path) -> Database:
    database = Database(f"sqlite:///{path}")
    with database.engine.begin() as connection:
        connection.execute(text("CREATE TABLE somebody (name)"))
    return database


def test_a_new_database_with_its_log_and_its_folders_is_private(tmp_path: Path) -> None:
    database = write_row(tmp_path / "a" / "b" / "laurel.db")
    assert modes(tmp_path) == {
        "a": 0o700,
        "a/b": 0o700,
        "a/b/laurel.db": 0o600,
        "a/b/laurel.db-wal": 0o600,
        "a/b/laurel.db-shm": 0o600,
    }
    database.dispose()


def test_a_database_that_others_could_read_is_closed_to_them_and_a_log_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    first = write_row(tmp_path / "laurel.db")
    for path in tmp_path.iterdir():
        path.chmod(0o664)
    with caplog.at_level(logging.WARNING):
        Database(f"sqlite:///{tmp_path / 'laurel.db'}").dispose()
    assert set(modes(tmp_path).values()) == {0o600}
    assert f"{tmp_path}/laurel.db was open to other accounts and is now closed to them" in caplog.text
    first.dispose()


def test_the_folder_of_a_database_that_was_there_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir(mode=0o755)
    write_row(tmp_path / "shared" / "laurel.db").dispose()
    assert stat.S_IMODE((tmp_path / "shared").stat().st_mode) == 0o755


def test_a_database_in_memory_makes_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Database("sqlite:///:memory:").dispose()
    assert list(tmp_path.iterdir()) == []


def letter() -> EmailMessage:
    made = EmailMessage()
    made["To"] = "ada@river.example.org"
    made.set_content("Hello")
    return made


def test_a_message_and_the_outbox_are_private_also_where_they_were_open(tmp_path: Path) -> None:
    outbox = tmp_path / "var" / "outbox"
    mail._file(outbox / "first.eml", letter())
    outbox.chmod(0o755)
    mail._file(outbox / "second.eml", letter())
    assert modes(tmp_path / "var") == {"outbox": 0o700, "outbox/first.eml": 0o600, "outbox/second.eml": 0o600}


def test_a_message_that_could_not_be_written_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        mail._file(tmp_path / "outbox" / "first.eml", letter())
    assert list((tmp_path / "outbox").iterdir()) == []


def test_the_key_folder_is_private_also_where_it_was_open(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    Custody(settings).create("Ed25519")
    settings.keys_folder.chmod(0o755)
    Custody(settings)
    assert set(modes(settings.keys_folder).values()) == {0o600}
    assert stat.S_IMODE(settings.keys_folder.stat().st_mode) == 0o700


def test_a_file_of_somebody_else_is_told_and_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(_path: Path, _mode: int) -> None:
        raise PermissionError

    (tmp_path / "theirs").touch(0o644)
    monkeypatch.setattr(Path, "chmod", refuse)
    with caplog.at_level(logging.WARNING):
        private_files.close_to_others(tmp_path / "theirs")
    assert "only its owner can close it" in caplog.text
