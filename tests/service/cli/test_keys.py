"""`laurel keys`: no key is made under a passphrase that does not open the others."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from service.cli import main as cli
from service.errors import CustodyError
from tests.service.cli.test_main import CREATE, answer

pytestmark = pytest.mark.any_database("a command calls what the tests of its part ask on both")

Laurel = Callable[..., Result]
MADE = [
    ("keys", "rotate", "-n", "circle"),
    ("keys", "new", "-n", "circle"),
    ("keys", "rotate", "--service"),
    ("network", "create", "hill", "--name", "Hill", "--url", "https://hill.example"),
]


@pytest.fixture
def laurel(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Laurel:
    monkeypatch.chdir(tmp_path)
    environment = {
        "LAUREL_DATABASE_URL": database_url,
        "LAUREL_KEYS_FOLDER": str(tmp_path / "keys"),
        "LAUREL_DATA_FOLDER": str(tmp_path / "var"),
    }

    def run(*arguments: str, passphrase: str | None = "for tests", **options: Any) -> Result:
        env = environment | {"LAUREL_KEYS_PASSPHRASE": passphrase}
        return CliRunner(env=env).invoke(cli.app, arguments, **options)

    assert answer(run(*CREATE, "--json"))
    return run


def files(tmp_path: Path) -> list[str]:
    return sorted(path.name for path in (tmp_path / "keys").glob("*"))


def listed(laurel: Laurel) -> Any:
    return answer(laurel("keys", "list", "-n", "circle", "--json"))


def refused(result: Result) -> CustodyError:
    assert isinstance(result.exception, CustodyError), result.output
    return result.exception


@pytest.mark.parametrize("command", MADE)
def test_under_a_wrong_passphrase_no_key_is_made(laurel: Laurel, tmp_path: Path, command: tuple[str, ...]) -> None:
    keys, rows = files(tmp_path), listed(laurel)
    error = refused(laurel(*command, passphrase="another"))
    assert error.code == "passphrase-wrong"
    assert str(error) == "The passphrase does not open the signing keys. Nothing has changed."
    assert (files(tmp_path), listed(laurel)) == (keys, rows)


def test_where_the_passphrase_is_missing_none_is_made_beside_the_keys(laurel: Laurel, tmp_path: Path) -> None:
    keys = files(tmp_path)
    assert refused(laurel("keys", "rotate", "-n", "circle", passphrase=None)).code == "keys-missing"
    assert files(tmp_path) == keys


@pytest.mark.parametrize("command", MADE)
def test_without_the_key_folder_no_key_is_made(laurel: Laurel, tmp_path: Path, command: tuple[str, ...]) -> None:
    (tmp_path / "keys").rename(tmp_path / "elsewhere")
    assert refused(laurel(*command)).code == "keys-missing"
    assert not (tmp_path / "keys").exists()
    (tmp_path / "elsewhere").rename(tmp_path / "keys")
    assert not any(key["retired_at"] for key in listed(laurel))


def test_a_network_whose_keys_are_lost_gets_new_ones_while_others_can_be_opened(laurel: Laurel, tmp_path: Path) -> None:
    mine = files(tmp_path)
    assert laurel("network", "create", "hill", "--name", "Hill", "--url", "https://hill.example").exit_code == 0
    for name in mine:
        (tmp_path / "keys" / name).unlink()
    assert len(answer(laurel("keys", "rotate", "-n", "circle", "--json"))) == 2


@pytest.mark.parametrize("whose", [("-n", "circle"), ("--service",)])
def test_where_all_keys_are_lost_new_ones_are_made_when_the_operator_says_so(
    laurel: Laurel, tmp_path: Path, whose: tuple[str, ...]
) -> None:
    before = files(tmp_path)
    made = answer(laurel("keys", "rotate", *whose, "--lost", "--json", passphrase="another"))
    assert made
    assert set(files(tmp_path)) > set(before)
    assert laurel("keys", "new", "-n", "circle", passphrase="another").exit_code == 0
