"""Settings: a wrong value stops the start with one sentence."""

from pathlib import Path

import pytest

from service.runtime import settings
from service.runtime.contexts import load_contexts

pytestmark = pytest.mark.any_database("a setting is read before any database")


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def refused(**values: str) -> str:
    with pytest.raises(settings.SettingsError) as caught:
        settings.load(**values)
    return str(caught.value)


def test_defaults_are_a_development_service_on_sqlite() -> None:
    found = settings.load()
    assert (found.database_url, found.base_url, found.local) == (
        "sqlite:///var/laurel.db",
        "http://localhost:8000",
        True,
    )


@pytest.mark.parametrize(
    "value",
    [
        "http://badges.example.org",
        "badges.example.org",
        "https://badges.example.org/path",
        "https://u@badges.example.org",
        "ftp://x",
    ],
)
def test_a_base_url_that_is_not_a_plain_https_address_is_named(value: str) -> None:
    message = refused(base_url=value)
    assert message.startswith("LAUREL_BASE_URL: expected an ")
    assert message.endswith(f"got {value!r}.")


def test_a_base_url_is_kept_in_one_spelling() -> None:
    assert (
        settings.load(base_url="https://Badges.Example.ORG/", keys_passphrase="x").base_url
        == "https://badges.example.org"
    )


def test_a_wrong_database_address_says_what_was_expected() -> None:
    assert refused(database_url="mysql://x") == (
        "LAUREL_DATABASE_URL: expected sqlite:///path or postgresql://user@host/name, got 'mysql://x'."
    )


def test_a_postgresql_address_uses_psycopg_3() -> None:
    assert settings.load(database_url="postgresql://u@h/n").database_url == "postgresql+psycopg://u@h/n"


def test_a_wrong_mail_address_is_not_echoed_because_it_may_hold_a_password() -> None:
    message = refused(mail_url="http://user:secret@host")
    assert message.startswith("LAUREL_MAIL_URL: expected smtp://")
    assert "secret" not in message


@pytest.mark.parametrize("value", ["", "badges", "Badges <>", "a@b@c", "<x", "a b@example.org, c@example.org"])
def test_a_sender_of_mails_that_is_no_address_is_named(value: str) -> None:
    assert refused(mail_from=value).startswith("LAUREL_MAIL_FROM: expected an e-mail address")


@pytest.mark.parametrize("value", ["badges@example.org", "Badges of <badges@example.org>", "laurel@localhost"])
def test_a_sender_of_mails_can_have_a_name(value: str) -> None:
    assert settings.load(mail_from=value).mail_from == value


def test_a_number_out_of_range_is_named() -> None:
    assert refused(max_body_bytes="12").startswith("LAUREL_MAX_BODY_BYTES: expected ")


def test_a_public_service_does_not_start_without_a_passphrase() -> None:
    assert refused(base_url="https://badges.example.org").startswith("LAUREL_KEYS_PASSPHRASE: expected a passphrase")


def test_a_public_service_does_not_offer_the_vc_api_to_everybody() -> None:
    public = {"base_url": "https://badges.example.org", "keys_passphrase": "x", "vc_api": "on"}
    assert refused(**public) == (
        "LAUREL_VC_API_TOKEN: expected a token for the VC API (LAUREL_BASE_URL is not localhost), got nothing."
    )
    assert settings.load(**public, vc_api_token="a token of its own").vc_api
    assert settings.load(vc_api="on").vc_api


def test_a_variable_and_a_line_in_dot_env_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text("LAUREL_MAIL_FROM=circle@example.org\nLAUREL_DATA_FOLDER=elsewhere\n")
    monkeypatch.setenv("LAUREL_DATA_FOLDER", "here")
    found = settings.load()
    assert (found.mail_from, found.data_folder) == ("circle@example.org", Path("here"))


def test_an_operators_contexts_are_pinned_by_digest(tmp_path: Path) -> None:
    (tmp_path / "one.json").write_text('{"@context": {}}')
    (tmp_path / "contexts.json").write_text('{"https://c.example/1": {"file": "one.json", "sha256": "00"}}')
    with pytest.raises(settings.SettingsError, match=r"expected https://c\.example/1 with SHA-256 00"):
        load_contexts(tmp_path)


def test_a_folder_of_contexts_without_its_list_is_refused(tmp_path: Path) -> None:
    with pytest.raises(settings.SettingsError, match=r"expected contexts\.json"):
        load_contexts(tmp_path)


def test_trusted_proxies_are_addresses_and_networks() -> None:
    found = settings.load(trusted_proxies="127.0.0.1, 10.1.0.0/16\n ::1").trusted_proxies
    assert [str(network) for network in found] == ["127.0.0.1/32", "10.1.0.0/16", "::1/128"]


def test_trusted_proxies_are_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAUREL_TRUSTED_PROXIES", "127.0.0.1,::1")
    assert len(settings.load().trusted_proxies) == 2


@pytest.mark.parametrize("value", ["proxy.example.org", "*", "10.1.0.1/16", "127.0.0.1;::1", "0.0.0.0/0", "::/0"])
def test_a_trusted_proxy_that_is_no_address_is_named(value: str) -> None:
    message = refused(trusted_proxies=value)
    assert message.startswith("LAUREL_TRUSTED_PROXIES: expected addresses and networks, but not all there are, ")
    assert message.endswith(f"got {value!r}.")


@pytest.mark.parametrize(
    "value", ["security@badges.example.org", "http://badges.example.org", "mailto:", "mailto:a@b\nX: y"]
)
def test_a_security_contact_is_an_address_that_one_can_follow(value: str) -> None:
    assert "LAUREL_SECURITY_CONTACT" in refused(security_contact=value)


@pytest.mark.parametrize("value", ["next year", "2027-11-30T00:00:00"])
def test_a_security_contact_expires_at_an_instant(value: str) -> None:
    assert "LAUREL_SECURITY_EXPIRES" in refused(security_expires=value)
