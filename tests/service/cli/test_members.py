"""`laurel member erase`: what would go is said before it goes."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from typer.testing import CliRunner, Result

from service.cli import main as cli
from service.errors import NotFoundError
from service.storage.database import Database
from service.tables import Member, Network
from tests.service.cli.test_main import CREATE, answer

pytestmark = pytest.mark.any_database("a command calls what the tests of its part ask on both")

ERASE = ("member", "erase", "ana", "-n", "circle")


@pytest.fixture
def laurel(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    monkeypatch.chdir(tmp_path)
    environment = {
        "LAUREL_DATABASE_URL": database_url,
        "LAUREL_KEYS_FOLDER": str(tmp_path / "keys"),
        "LAUREL_KEYS_PASSPHRASE": "for tests",
        "LAUREL_DATA_FOLDER": str(tmp_path / "var"),
    }

    def run(*arguments: str, **options: Any) -> Result:
        return CliRunner(env=environment).invoke(cli.app, arguments, **options)

    assert answer(run(*CREATE, "--json"))
    database = Database(database_url)
    with database.write() as session:
        network = session.scalars(select(Network)).one()
        at = datetime(2026, 3, 1, tzinfo=UTC)
        session.add(Member(network_id=network.id, ref="ana", name="Planted", enrolled_at=at))
    database.dispose()
    return run


def test_what_would_go_is_said_and_stays(laurel: Callable[..., Result]) -> None:
    seen = answer(laurel(*ERASE, "--dry-run", "--json"))
    assert (seen["member"], seen["erases"]["names"], "erased_at" in seen) == ("ana", 1, False)
    assert answer(laurel(*ERASE, "--dry-run", "--json")) == seen
    assert "Would be erased, of ana" in laurel(*ERASE, "--dry-run").output


def test_a_person_is_erased_and_the_second_time_is_like_the_first(laurel: Callable[..., Result]) -> None:
    done = answer(laurel(*ERASE, "--json"))
    assert (done["erases"]["names"], done["stays"][0]["what"]) == (1, "ref")
    assert answer(laurel(*ERASE, "--json")) == done
    text = laurel(*ERASE).output
    assert "names: 1" in text
    assert "receipts: they name nobody" in text


def test_who_is_not_there_is_not_erased(laurel: Callable[..., Result]) -> None:
    result = laurel("member", "erase", "ben", "-n", "circle")
    assert isinstance(result.exception, NotFoundError)


def test_a_token_erases_only_if_that_was_asked_for(laurel: Callable[..., Result]) -> None:
    usual = answer(laurel("token", "create", "--name", "usual", "-n", "circle", "--json"))
    asked = answer(laurel("token", "create", "--name", "asked", "-n", "circle", "--scope", "members:erase", "--json"))
    assert ("members:write" in usual["scopes"], "members:erase" in usual["scopes"]) == (True, False)
    assert asked["scopes"] == ["members:erase"]
