"""Settings of one running service: built once, frozen, passed down."""

from email.errors import MessageError
from email.headerregistry import Address
from email.utils import parseaddr
from functools import cached_property
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})
SECRETS = frozenset({"keys_passphrase", "mail_url", "openid_client_secret", "vc_api_token"})
VcApiSuite = Literal["eddsa-rdfc-2022", "eddsa-jcs-2022", "ecdsa-rdfc-2019", "ecdsa-jcs-2019", "vc+jwt"]
VcApiKeyType = Literal["Ed25519", "P-256", "P-384"]


def is_local(base_url: str) -> bool:
    """Return whether an address is one of this machine, for development."""
    return urlsplit(base_url).hostname in LOCAL_HOSTS


def _check_base_url(text: str) -> str:
    parts = urlsplit(text)
    local = is_local(text)
    if not parts.hostname or parts.scheme not in {"http", "https"} or (parts.scheme == "http" and not local):
        raise ValueError("an https address (http only for localhost), such as https://badges.example.org")
    if parts.path not in {"", "/"} or parts.query or parts.fragment or parts.username:
        raise ValueError("an address without path, query, fragment or user, such as https://badges.example.org")
    return f"{parts.scheme}://{parts.netloc.lower()}"


def _check_database_url(text: str) -> str:
    if text.startswith("postgresql://"):
        return "postgresql+psycopg://" + text.removeprefix("postgresql://")
    if not text.startswith(("sqlite:///", "postgresql+psycopg://")):
        raise ValueError("sqlite:///path or postgresql://user@host/name")
    return text


def _check_mail_url(text: str) -> str:
    parts = urlsplit(text)
    if text and (parts.scheme not in {"smtp", "smtps"} or not parts.hostname):
        raise ValueError("smtp://user:password@host:port, smtps://..., or nothing for the outbox folder")
    return text


def _check_contact(text: str) -> str:
    parts = urlsplit(text)
    reachable = (parts.scheme == "https" and parts.hostname) or (parts.scheme in {"mailto", "tel"} and parts.path)
    if text and (not reachable or not text.isprintable() or " " in text):
        raise ValueError("mailto:security@badges.example.org, or an https or tel address")
    return text


def _check_mail_from(text: str) -> str:
    _, address = parseaddr(text)
    try:
        Address(addr_spec=address)
    except (ValueError, MessageError, IndexError):
        address = ""
    if "@" not in address:
        raise ValueError("an e-mail address, such as badges@example.org")
    return text


def _check_issuer(text: str) -> str:
    parts = urlsplit(text)
    secure = parts.scheme == "https" or (parts.scheme == "http" and is_local(text))
    if text and (not secure or not parts.hostname or parts.query or parts.fragment or parts.username):
        raise ValueError(
            "the https address of an OpenID provider, exactly as it names itself, without query or fragment"
        )
    return text


def _check_networks(given: Any) -> Any:
    if not isinstance(given, str):
        return given
    try:
        networks = tuple(ip_network(each) for each in given.replace(",", " ").split())
    except ValueError:
        networks = None
    if networks is None or any(network.prefixlen == 0 for network in networks):  # callers would name their own address
        raise ValueError("addresses and networks, but not all there are, such as 127.0.0.1, 10.1.0.0/16, fd00::/64")
    return networks


class Settings(BaseSettings):
    """Settings from `LAUREL_*` variables, then from `.env`, then the defaults below.

    Raises:
        SettingsError: through `load`, one sentence naming the variable.
    """

    model_config = SettingsConfigDict(env_prefix="LAUREL_", env_file=".env", frozen=True, extra="ignore")

    database_url: Annotated[str, AfterValidator(_check_database_url)] = Field(
        "sqlite:///var/laurel.db", description="sqlite:///path, or postgresql://user@host/name"
    )
    base_url: Annotated[str, AfterValidator(_check_base_url)] = Field(
        "http://localhost:8000", description="public address of this service; never changes once a credential exists"
    )
    trusted_proxies: Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode, BeforeValidator(_check_networks)] = (
        Field((), description="addresses and networks of the proxies that say in X-Forwarded-For who calls")
    )
    keys_folder: Path = Field(Path("keys"), description="folder of the encrypted private keys")
    keys_passphrase: SecretStr | None = Field(
        None, description="opens the private keys; on localhost one is made and kept in the key folder"
    )
    data_folder: Path = Field(Path("var"), description="folder of the outbox, spooled bodies and the demo")
    contexts_folder: Path | None = Field(None, description="folder of further JSON-LD contexts with their digests")
    trust_lists_folder: Path | None = Field(None, description="folder of lists of known issuers (*.json)")
    trust_own_networks: bool = Field(
        True, description="whether the networks of this service that the operator has confirmed count as known issuers"
    )
    mail_url: Annotated[str, AfterValidator(_check_mail_url)] = Field(
        "", description="smtp://user:password@host:port; empty: messages go to the outbox folder", repr=False
    )
    mail_from: Annotated[str, AfterValidator(_check_mail_from)] = Field(
        "laurel@localhost", description="address from which mails are sent; its name is that of the network"
    )
    max_body_bytes: int = Field(1_048_576, ge=1024, description="largest JSON body")
    max_bulk_bytes: int = Field(134_217_728, ge=1024, description="largest NDJSON body")
    max_blob_bytes: int = Field(5_242_880, ge=1024, description="largest artefact, picture or file to verify")
    request_log: bool = Field(False, description="write one line of JSON for each request to the standard output")
    openid_issuer: Annotated[str, AfterValidator(_check_issuer)] = Field(
        "", description="issuer of the OpenID provider with which people may sign in; empty: by mail and passkey only"
    )
    openid_client_id: str = Field("", description="id under which the OpenID provider knows this service")
    openid_client_secret: SecretStr | None = Field(
        None, description="secret of that id; none if the provider asks for none (PKCE is always used)"
    )
    openid_name: str = Field("", max_length=40, description="how people call the OpenID provider; empty: its host")
    security_contact: Annotated[str, AfterValidator(_check_contact)] = Field(
        "", description="mailto:, https: or tel: address for reports of faults, published in /.well-known/security.txt"
    )
    security_expires: AwareDatetime | None = Field(
        None, description="until when the contact holds, such as 2027-11-30T00:00:00Z; without it nothing is published"
    )
    vc_api: bool = Field(False, description="serve the W3C VC API under /vc")
    vc_api_token: SecretStr | None = Field(
        None,
        min_length=16,
        description="bearer token that the VC API asks for; without it anyone may issue with its keys, on localhost only",
    )
    vc_api_suite: VcApiSuite = Field("eddsa-rdfc-2022", description="what the VC API signs with unless it is told")
    vc_api_key_type: VcApiKeyType | None = Field(
        None, description="key of the VC API unless it is told; otherwise the first that the suite takes"
    )
    vc_api_status: bool = Field(False, description="give every credential of the VC API a status that can be revoked")

    @cached_property
    def local(self) -> bool:
        """Whether this is a development service on localhost."""
        return is_local(self.base_url)

    @property
    def openid_shown(self) -> str:
        """What to call the OpenID provider; "" if there is none."""
        return self.openid_issuer and (self.openid_name.strip() or urlsplit(self.openid_issuer).hostname or "")

    @property
    def names_base_url(self) -> bool:
        """Whether the base URL was given, and is not the default."""
        return "base_url" in self.model_fields_set

    def at(self, base_url: str) -> Self:
        """Return these settings with another base URL on localhost."""
        return self.model_copy(update={"base_url": base_url})


class SettingsError(Exception):
    """A setting has a wrong value; the message is one sentence for the operator."""


def load(**overrides: Any) -> Settings:
    """Return the settings, from the overrides, the environment and `.env`.

    Raises:
        SettingsError: names the variable, what was expected and the value (secrets are not shown).
    """
    try:
        settings = Settings(**overrides)
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0])
        expected = first["msg"].removeprefix("Value error, ")
        shown = "a value that is not shown" if name in SECRETS else repr(first["input"])
        raise SettingsError(f"LAUREL_{name.upper()}: expected {expected}, got {shown}.") from error
    if not settings.local and settings.keys_passphrase is None:
        raise SettingsError(
            "LAUREL_KEYS_PASSPHRASE: expected a passphrase for the private keys (LAUREL_BASE_URL is not localhost), got nothing."
        )
    if not settings.local and settings.vc_api and settings.vc_api_token is None:
        raise SettingsError(
            "LAUREL_VC_API_TOKEN: expected a token for the VC API (LAUREL_BASE_URL is not localhost), got nothing."
        )
    if settings.openid_issuer and not settings.openid_client_id:
        raise SettingsError(
            "LAUREL_OPENID_CLIENT_ID: expected the id under which the OpenID provider knows this service, got nothing."
        )
    return settings
