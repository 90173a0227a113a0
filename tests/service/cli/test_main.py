"""The `laurel` command, as an operator uses it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from service.cli import main as cli
from service.cli.serving import CONNECTION
from service.errors import ServiceError
from service.runtime.settings import SettingsError
from tests.worlds.processes import free_port

pytestmark = pytest.mark.any_database("a command calls what the tests of its part ask on both")

Laurel = Callable[..., Result]
CREATE = ("network", "create", "circle", "--name", "Circle", "--url", "https://circle.example")


@pytest.fixture
def laurel(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Laurel:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LAUREL_BASE_URL", "as it was before the test")  # `serve` sets it for its processes
    monkeypatch.delenv("LAUREL_BASE_URL")
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
    for name in (
        "serve",
        "demo",
        "example",
        "migrate",
        "network",
        "token",
        "keys",
        "import",
        "outbox",
        "verify",
        "status",
    ):
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


def test_a_network_is_confirmed_by_its_present_name(laurel: Laurel) -> None:
    laurel(*CREATE)
    wrong = laurel("network", "confirm", "circle", "--name", "Square")
    assert isinstance(wrong.exception, ServiceError)
    assert wrong.exception.code == "network-name-differs"
    assert "Circle is confirmed" in laurel("network", "confirm", "circle", "--name", "Circle").output
    assert answer(laurel("network", "confirm", "circle", "--name", "Circle", "--json"))["confirmed_at"]
    assert laurel("network", "unconfirm", "circle").exit_code == 0


def test_without_a_name_the_operator_is_asked_to_type_it(laurel: Laurel) -> None:
    laurel(*CREATE)
    asked = laurel("network", "confirm", "circle", input="Circle\n")
    assert asked.exit_code == 0
    assert "The name of the network" in asked.output


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


def test_a_stolen_key_is_declared_after_a_rehearsal_and_again_with_the_same_answer(laurel: Laurel) -> None:
    laurel(*CREATE)
    key = answer(laurel("keys", "list", "-n", "circle", "--json"))[0]
    stolen = ("keys", "compromised", key["kid"], "--since", key["valid_from"])
    assert laurel(*stolen, "--rehearse").output.splitlines()[0] == "This is a rehearsal: nothing has changed."
    assert len(answer(laurel("keys", "list", "-n", "circle", "--json"))) == 2
    first = answer(laurel(*stolen, "--json"))
    assert (first["network"], first["reissued"], first["suspended"]) == ("circle", [], [])
    assert answer(laurel(*stolen, "--json")) == first
    assert f"signs now: {first['signs']['Ed25519']}" in laurel(*stolen).output
    assert [bool(each["declared_at"]) for each in answer(laurel("keys", "list", "-n", "circle", "--json"))] == [
        True,
        False,
        False,
    ]


def test_a_stolen_key_of_the_service_is_declared(laurel: Laurel) -> None:
    (key,) = answer(laurel("keys", "rotate", "--service", "--json"))
    stolen = ("keys", "compromised", key["kid"], "--since", key["valid_from"], "--service")
    assert answer(laurel(*stolen, "--rehearse", "--json"))["signs"] == {"Ed25519": None}
    made = answer(laurel(*stolen, "--json"))["signs"]["Ed25519"]
    listed = answer(laurel("keys", "list", "--service", "--json"))
    assert [(each["kid"], each["compromised_at"] is None) for each in listed] == [(key["kid"], False), (made, True)]
    assert "receipts of checks" in laurel(*stolen).output


@pytest.mark.parametrize("since", ["yesterday", "2026-03-01T08:00:00"])
def test_since_when_a_key_was_stolen_is_a_time_with_its_zone(laurel: Laurel, since: str) -> None:
    assert laurel("keys", "compromised", "kid", "--since", since).exit_code == 2


def test_a_token_is_shown_once_listed_without_itself_and_revoked(laurel: Laurel) -> None:
    laurel(*CREATE)
    made = answer(laurel("token", "create", "-n", "circle", "--scope", "read", "--json"))
    listed = laurel("token", "list", "--json")
    assert made["token"] not in listed.output
    assert answer(listed)[0]["id"] == made["id"]
    assert laurel("token", "revoke", made["id"]).exit_code == 0
    assert answer(laurel("token", "list", "--json"))[0]["revoked_at"] is not None


def test_a_list_never_cuts_an_id_whatever_the_width(laurel: Laurel) -> None:
    laurel(*CREATE)
    name = "the attendance import of the evening school by the river"
    made = answer(laurel("token", "create", "-n", "circle", "--name", name, "--json"))
    [_, line] = laurel("token", "list").stdout.splitlines()  # of a terminal that has 80 columns, as far as is known
    assert made["id"] in line
    assert name in line
    assert " ".join(sorted(made["scopes"])) in line


def test_a_token_may_do_what_fits_it_unless_scopes_are_named(laurel: Laurel) -> None:
    laurel(*CREATE)
    made = answer(laurel("token", "create", "-n", "circle", "--json"))
    assert "read" in made["scopes"]
    assert not {"read:basic", "awards:approve", "cases:write", "cases:decide", "admin"} & set(made["scopes"])
    with pytest.raises(ServiceError, match="Expected a member for awards:approve"):
        laurel("token", "create", "-n", "circle", "--scope", "awards:approve", catch_exceptions=False)


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
    monkeypatch.setattr("service.runtime.logs.keep_quiet", lambda: None)  # it is for the whole process
    with pytest.raises(SystemExit) as caught:
        cli.main()
    assert caught.value.code == 2
    assert capsys.readouterr().err == "LAUREL_BASE_URL: expected an address, got 'x'.\n"


def test_a_broken_trust_list_is_told_before_the_service_starts(laurel: Laurel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("uvicorn.run", lambda *_names, **_options: pytest.fail("it was started"))
    with pytest.raises(SettingsError, match="LAUREL_TRUST_LISTS_FOLDER: expected a folder, got 'nowhere'"):
        laurel("serve", env={"LAUREL_TRUST_LISTS_FOLDER": "nowhere"}, catch_exceptions=False)


def test_the_server_itself_believes_no_proxy(laurel: Laurel, monkeypatch: pytest.MonkeyPatch) -> None:
    given: dict[str, object] = {}
    monkeypatch.setattr("uvicorn.run", lambda *_names, **options: given.update(options))
    assert laurel("serve", "--port", str(free_port())).exit_code == 0
    assert given["proxy_headers"] is False


def test_the_service_bounds_its_connections(laurel: Laurel, monkeypatch: pytest.MonkeyPatch) -> None:
    started: dict[str, Any] = {}
    monkeypatch.setattr("uvicorn.run", lambda *_names, **options: started.update(options))
    laurel("serve", "--port", str(free_port()))
    assert (started["http"], started["limit_concurrency"]) == (CONNECTION, 1000)


def test_an_import_reports_and_exits_1_when_a_row_was_rejected(laurel: Laurel, tmp_path: Path) -> None:
    laurel(*CREATE)
    (tmp_path / "m.toml").write_text('source = "x"\n[[records]]\nkind = "member"\nref = "{id}"\nemail = "{email}"\n')
    (tmp_path / "f.csv").write_text("id,email\n1,a@circle.example\n2,nonsense\n")
    result = laurel("import", "f.csv", "-m", "m.toml", "-n", "circle", "--report", "report.ndjson", "--columns")
    assert result.exit_code == 1
    assert "1 accepted, 1 rejected" in result.output
    assert "row 3, member: Column email: " in result.output
    lines = [json.loads(line) for line in (tmp_path / "report.ndjson").read_text().splitlines()]
    assert [(line["row"], line["status"]) for line in lines] == [(3, "rejected"), (2, "accepted")]


def test_an_import_of_nothing_exits_3_and_says_why_once(laurel: Laurel, tmp_path: Path) -> None:
    laurel(*CREATE)
    (tmp_path / "m.toml").write_text('source = "x"\n[[records]]\nkind = "member"\nref = "{id}"\n')
    (tmp_path / "empty.csv").write_text("id\n")
    (tmp_path / "other.csv").write_text("name\nm1\nm2\n")
    for name, said in (("empty.csv", "no row"), ("other.csv", "The mapping names the column 'id'")):
        result = laurel("import", name, "-m", "m.toml", "-n", "circle")
        assert (result.exit_code, result.stderr.count(said)) == (3, 1)
    assert laurel("import", "other.csv", "-m", "m.toml", "-n", "nobody").exit_code == 3


def test_a_dry_run_of_an_import_can_be_read_by_programs(laurel: Laurel, tmp_path: Path) -> None:
    laurel(*CREATE)
    (tmp_path / "m.toml").write_text('source = "x"\n[[records]]\nkind = "member"\nref = "{id}"\n')
    (tmp_path / "f.csv").write_text("id;name\nm1;A\n")
    said = answer(laurel("import", "f.csv", "-m", "m.toml", "-n", "circle", "--dry-run", "--json"))
    assert (said["dry_run"], said["counts"], said["form"]) == (True, {"accepted": 1}, "CSV in UTF-8 with semicolons")


def test_an_empty_outbox_says_so(laurel: Laurel) -> None:
    assert "No message in" in laurel("outbox").output


def test_status_lists_are_published_on_demand(laurel: Laurel) -> None:
    assert answer(laurel("status", "publish", "--json")) == {"published": 0}
