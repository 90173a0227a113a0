"""Where `laurel serve` listens, and which address the commands say."""

import os
import socket
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from service.cli import main as cli
from service.cli.serving import Place, place_of
from service.runtime.runtime import Runtime
from service.runtime.settings import Settings, SettingsError, load
from service.signing import base_url
from tests.worlds.processes import free_port

pytestmark = pytest.mark.any_database("an address is a fact like others")

Laurel = Callable[..., Result]
NETWORK = ("network", "create", "circle", "--name", "Circle", "--url", "https://circle.example")


def settings_at(url: str | None, **given: Any) -> Settings:
    named = {} if url is None else {"base_url": url}
    return load(_env_file=None, keys_passphrase="for tests", **named, **given)


def place(
    url: str | None, host: str | None = None, port: int | None = None, *, fixed: str | None = None, **given: Any
) -> Place:
    given_settings = settings_at(url, **given)
    named = given_settings.names_base_url
    settings = given_settings.at(fixed) if fixed and not named else given_settings
    return place_of(settings, host, port, named=named, fixed=fixed)


@pytest.mark.parametrize(
    ("url", "port", "listening"),
    [
        (None, None, "http://127.0.0.1:8000"),
        ("http://localhost:8200", None, "http://127.0.0.1:8200"),
        ("http://localhost:8200", 8200, "http://127.0.0.1:8200"),
        ("http://localhost", None, "http://127.0.0.1:80"),
        ("http://127.0.0.1:8200", None, "http://127.0.0.1:8200"),
        ("http://[::1]:8200", None, "http://[::1]:8200"),
    ],
)
def test_on_localhost_the_port_follows_the_base_url(url: str | None, port: int | None, listening: str) -> None:
    found = place(url, port=port)
    assert (found.listening, found.base_url) == (listening, url or "http://localhost:8000")


def test_a_port_without_a_base_url_says_both() -> None:
    found = place(None, port=8296)
    assert (found.port, found.base_url) == (8296, "http://localhost:8296")


def test_behind_a_proxy_the_two_differ() -> None:
    found = place("https://badges.example.org", "10.1.0.4", 8296)
    assert (found.listening, found.base_url) == ("http://10.1.0.4:8296", "https://badges.example.org")
    assert place("https://badges.example.org").port == 8000
    found = place("http://localhost:8080", port=8000, trusted_proxies="127.0.0.1")
    assert (found.port, found.base_url) == (8000, "http://localhost:8080")


def test_an_address_at_which_nobody_would_answer_is_refused_with_what_mends_it() -> None:
    with pytest.raises(SettingsError) as refused:
        place("http://localhost:8000", port=8296)
    assert str(refused.value) == (
        "--port: expected 8000, because LAUREL_BASE_URL is http://localhost:8000, got 8296: badges would carry an "
        "address at which nobody answers. Leave --port out, or set LAUREL_BASE_URL=http://localhost:8296; if a proxy "
        "listens on 8000, name it in LAUREL_TRUSTED_PROXIES."
    )


@pytest.mark.parametrize("named", [True, False])
def test_an_address_in_issued_credentials_stays(named: bool) -> None:
    fixed = "http://localhost:8000"
    assert place(fixed if named else None, fixed=fixed).base_url == fixed
    with pytest.raises(SettingsError, match="because http://localhost:8000 stands in the credentials") as refused:
        place(fixed if named else None, port=8296, fixed=fixed)
    assert "set LAUREL_BASE_URL" not in str(refused.value)


@pytest.mark.parametrize(
    ("url", "host"),
    [("http://localhost:8000", "192.168.1.5"), ("http://127.0.0.1:8000", "::1"), ("http://[::1]:8000", "0.0.0.0")],
)
def test_a_host_at_which_the_base_url_is_not_answered_is_refused(url: str, host: str) -> None:
    with pytest.raises(SettingsError, match=r"--host: expected .*nobody answers"):
        place(url, host)


def test_a_container_may_listen_on_all_addresses() -> None:
    assert place("http://localhost:8000", "0.0.0.0").listening == "http://0.0.0.0:8000"


@pytest.mark.parametrize(
    ("url", "fixed", "mend"),
    [
        (None, None, "with --port {next}."),
        ("http://localhost:{port}", None, "with LAUREL_BASE_URL=http://localhost:{next}."),
        (None, "http://localhost:{port}", "stop the program that listens there."),
    ],
)
def test_a_port_in_use_is_one_sentence_with_what_mends_it(url: str | None, fixed: str | None, mend: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        url, fixed = (each and each.format(port=port) for each in (url, fixed))
        with pytest.raises(SettingsError) as refused:
            place(url, port=port, fixed=fixed).check_free()
    assert str(refused.value).startswith(f"Port {port} of 127.0.0.1 is in use: ")
    assert str(refused.value).endswith(mend.format(next=port + 1))


def test_an_address_of_another_machine_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"--host: expected an address of this machine, got '192\.0\.2\.1'"):
        place("https://badges.example.org", "192.0.2.1").check_free()


@pytest.fixture
def laurel(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Laurel:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LAUREL_BASE_URL", "as it was before the test")
    monkeypatch.delenv("LAUREL_BASE_URL")
    monkeypatch.setattr("uvicorn.run", lambda *_names, **_options: None)
    environment = {
        "LAUREL_DATABASE_URL": database_url,
        "LAUREL_KEYS_FOLDER": str(tmp_path / "keys"),
        "LAUREL_DATA_FOLDER": str(tmp_path / "var"),
    }

    def run(*arguments: str, **given: str) -> Result:
        os.environ.pop("LAUREL_BASE_URL", None)  # a command of its own, with an environment of its own
        return CliRunner(env=environment | given).invoke(cli.app, arguments, catch_exceptions=False)

    return run


def test_the_start_says_where_it_listens_and_what_the_public_address_is(laurel: Laurel) -> None:
    port = free_port()
    said = laurel("serve", LAUREL_BASE_URL=f"http://localhost:{port}").output
    assert said.splitlines() == [
        f"Laurel listens on http://127.0.0.1:{port}.",
        f"Its public address is http://localhost:{port} (API: http://localhost:{port}/docs).",
    ]


def test_what_serves_has_the_announced_address(laurel: Laurel, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[str] = []
    monkeypatch.setattr("uvicorn.run", lambda *_names, **_options: started.append(load(_env_file=None).base_url))
    port = free_port()
    laurel("serve", "--port", str(port))
    assert started == [f"http://localhost:{port}"]


def test_other_commands_say_the_address_at_which_it_was_served(laurel: Laurel) -> None:
    port = free_port()
    laurel("serve", "--port", str(port))
    assert laurel(*NETWORK).output.strip() == f"Circle is at http://localhost:{port}/networks/circle"
    assert f"Its public address is http://localhost:{port} " in laurel("serve").output


def test_a_base_url_that_is_named_comes_before_the_one_that_is_known(laurel: Laurel) -> None:
    laurel("serve", "--port", str(free_port()))
    said = laurel(*NETWORK, LAUREL_BASE_URL="http://localhost:8300").output
    assert said.strip() == "Circle is at http://localhost:8300/networks/circle"


def test_a_command_that_is_told_no_base_url_takes_the_one_in_issued_credentials(runtime: Runtime) -> None:
    with runtime.database.write() as session:
        base_url.note_served(session, runtime.settings.at("http://localhost:8400"))
        base_url.remember_base_url(session, runtime.settings.at("http://localhost:8300"))
    with runtime.database.read() as session:
        assert base_url.settled(session, settings_at(None)).base_url == "http://localhost:8300"
        named = settings_at("http://localhost:8000")
        assert base_url.settled(session, named) is named


def test_the_base_url_of_a_service_for_others_is_always_named(runtime: Runtime) -> None:
    """Without it the passphrase and others of its settings would not be asked for."""
    away = replace(runtime, settings=runtime.settings.at("https://badges.example.org"))
    with runtime.database.write() as session:
        base_url.remember_base_url(session, away.settings)
    with runtime.database.read() as session:
        settings = base_url.settled(session, settings_at(None))
        with pytest.raises(SettingsError, match=r"expected https://badges\.example\.org"):
            base_url.check_base_url(session, settings)
