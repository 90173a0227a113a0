"""`laurel restored`: the time whose records are lost is noted."""

from pathlib import Path

import pytest
from sqlalchemy import select
from typer.testing import CliRunner, Result

from service.cli import main as cli
from service.errors import InvalidError
from service.storage import restores
from service.storage.database import Database
from service.tables import Restore
from tests.service.cli.test_main import answer

pytestmark = pytest.mark.any_database("a command calls what the tests of its part ask on both")


@pytest.fixture
def environment(database_url: str, tmp_path: Path) -> dict[str, str]:
    return {
        "LAUREL_DATABASE_URL": database_url,
        "LAUREL_KEYS_FOLDER": str(tmp_path / "keys"),
        "LAUREL_DATA_FOLDER": str(tmp_path / "var"),
        "LAUREL_KEYS_PASSPHRASE": "for tests",
    }


def restored(environment: dict[str, str], *options: str) -> Result:
    return CliRunner(env=environment).invoke(cli.app, ["restored", *options])


def test_what_was_signed_between_backup_and_restore_is_noted_as_lost(environment: dict[str, str]) -> None:
    said = answer(restored(environment, "--backup-of", "2026-03-01T03:00:00+01:00", "--json"))
    assert said["backup_of"] == "2026-03-01 02:00:00+00:00"
    database = Database(environment["LAUREL_DATABASE_URL"])
    with database.read() as session:
        row = session.scalars(select(Restore)).one()
        assert restores.may_have_lost(session, row.restored_at)
        assert not restores.may_have_lost(session, row.backup_at.replace(year=2025))
    database.dispose()


def test_the_answer_to_people_is_one_sentence(environment: dict[str, str]) -> None:
    given = ("--backup-of", "2026-03-01T03:00:00Z", "--until", "2026-03-02T03:00:00Z")
    sentence = "What was signed from 2026-03-01 03:00:00 UTC to 2026-03-02 03:00:00 UTC is told as undecided.\n"
    assert restored(environment, *given).output == sentence


@pytest.mark.parametrize("given", ["yesterday", "2026-03-01", "2026-03-01T03:00:00"])
def test_a_time_without_its_zone_is_refused(environment: dict[str, str], given: str) -> None:
    result = restored(environment, "--backup-of", given)
    assert result.exit_code == 2
    assert "with its zone" in result.output


def test_a_backup_of_the_future_is_refused(environment: dict[str, str]) -> None:
    result = restored(environment, "--backup-of", "2999-01-01T00:00:00Z")
    assert isinstance(result.exception, InvalidError)
    assert result.exception.code == "restore-before-backup"
