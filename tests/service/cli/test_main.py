"""The `laurel` command, as an operator uses it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from service.cli import main as cli
from service.errors import ServiceError
from service.runtime.settings import SettingsError

pytestmark = pytest.mark.any_database("a command calls what the tests of its part ask on both")

Laurel = Callable[..., Result]
CREATE = ("network", "create", "circle", "--name", "Circle", "--url", "https://circle.example")


@pytest.fixture
def laurel(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Laurel:
    monkeypatch.chdir(tmp_path)
    environment = {
        "LAUREL_DATABASE_URL": database_url,
        "LAUREL_KEYS_FOLDER": str(tmp_path / "keys"),
        "LAUREL_KEYS_PASSPHRASE": "for tests",
        "LAUREL_DATA_FOLDER": str(tmp_path / "var"),
    }

    def run(*arguments: str, **options: Any) -> Result:
        return CliRunner(env=environment).invoke(cli.app, arguments, **options)

    return run


def answer(result: Result) -> Any:
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_every_command_explains_itself(laurel: Laurel) -> None:
    listed = laurel("--help").output
    for name in ("serve", "demo", "migrate", "network", "token", "keys", "import", "outbox", "verify", "status"):
        assert name in listed
        assert laurel(name, "--help").exit_code == 0


def test_a_network_has_keys_from_the_start_and_rotation_keeps_the_old_ones(laurel: Laurel) -> None:
    assert answer(laurel(*CREATE, "--json"))["url"] == "http://localhost:8000/networks/circle"
    before = answer(laurel("keys", "list", "-n", "circle", "--json"))
    assert {key["algorithm"] for key in before} == {"Ed25519", "P-256"}
    made = answer(laurel("keys", "rotate", "-n", "circle", "--json"))
    after = answer(laurel("keys", "list", "-n", "circle", "--json"))
    assert {key["kid"] for key in after} == {key["kid"] for key in before} | {key["kid"] for key in made}
    assert {key["kid"] for key in after if key["retired_at"]} == {key["kid"] for key in before}


def test_the_service_has_keys_of_its_own_which_rotation_keeps_too(laurel: Laurel) -> None:
    assert answer(laurel("keys", "list", "--service", "--json")) == []
    (first,) = answer(laurel("keys", "rotate", "--service", "--json"))
    (second,) = answer(laurel("keys", "rotate", "--service", "--json"))
    listed = answer(laurel("keys", "list", "--service", "--json"))
    assert [key["kid"] for key in listed] == [first["kid"], second["kid"]]
    assert [key["retired_at"] is None for key in listed] == [False, True]
    assert first["kid"][:12] in laurel("keys", "list", "--service").output


@pytest.mark.parametrize("command", ["list", "rotate"])
def test_keys_are_of_a_network_or_of_the_service(laurel: Laurel, command: str) -> None:
    assert laurel("keys", command).exit_code == 2
    assert laurel("keys", command, "--service", "-n", "circle").exit_code == 2


def test_a_further_key_can_be_made(laurel: Laurel) -> None:
    laurel(*CREATE)
    made = answer(laurel("keys", "new", "-n", "circle", "--algorithm", "RSA", "--json"))
    assert made[0]["algorithm"] == "RSA"


def test_a_token_is_shown_once_listed_without_itself_and_revoked(laurel: Laurel) -> None:
    laurel(*CREATE)
    made = answer(laurel("token", "create", "-n", "circle", "--scope", "read", "--json"))
    listed = laurel("token", "list", "--json")
    assert made["token"] not in listed.output
    assert answer(listed)[0]["id"] == made["id"]
    assert laurel("token", "revoke", made["id"]).exit_code == 0
    assert answer(laurel("token", "list", "--json"))[0]["revoked_at"] is not None


def test_a_token_is_for_a_network_or_for_administration(laurel: Laurel) -> None:
    assert laurel("token", "create").exit_code == 2
    assert len(laurel("token", "create", "--admin").stdout.strip()) > 40


def test_what_is_missing_is_one_sentence_with_a_code(laurel: Laurel) -> None:
    with pytest.raises(ServiceError, match="No network has this slug"):
        laurel("keys", "list", "-n", "nobody", catch_exceptions=False)


def test_main_says_expected_failures_on_standard_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(**_options: Any) -> None:
        raise SettingsError("LAUREL_BASE_URL: expected an address, got 'x'.")

    monkeypatch.setattr(cli, "app", refuse)
    with pytest.raises(SystemExit) as caught:
        cli.main()
    assert caught.value.code == 2
    assert capsys.readouterr().err == "LAUREL_BASE_URL: expected an address, got 'x'.\n"


def test_a_broken_trust_list_is_told_before_the_service_starts(laurel: Laurel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("uvicorn.run", lambda *_names, **_options: pytest.fail("it was started"))
    with pytest.raises(SettingsError, match="LAUREL_TRUST_LISTS_FOLDER: expected a folder, got 'nowhere'"):
        laurel("serve", env={"LAUREL_TRUST_LISTS_FOLDER": "nowhere"}, catch_exceptions=False)


def test_an_import_reports_and_exits_1_when_a_row_was_rejected(laurel: Laurel, tmp_path: Path) -> None:
    laurel(*CREATE)
    (tmp_path / "m.toml").write_text('source = "x"\n[[records]]\nkind = "member"\nref = "{id}"\nemail = "{email}"\n')
    (tmp_path / "f.csv").write_text("id,email\n1,a@circle.example\n2,nonsense\n")
    result = laurel("import", "f.csv", "-m", "m.toml", "-n", "circle", "--report", "report.ndjson", "--columns")
    assert result.exit_code == 1
    assert "1 accepted, 1 rejected" in result.output
    lines = [json.loads(line) for line in (tmp_path / "report.ndjson").read_text().splitlines()]
    assert [(line["row"], line["status"]) for line in lines] == [(2, "rejected"), (1, "accepted")]
    assert "nonsense" not in (tmp_path / "report.ndjson").read_text()


def test_an_empty_outbox_says_so(laurel: Laurel) -> None:
    assert "No message in" in laurel("outbox").output


def test_status_lists_are_published_on_demand(laurel: Laurel) -> None:
    assert answer(laurel("status", "publish", "--json")) == {"published": 0}
