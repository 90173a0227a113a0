"""Client of the OpenID provider that the operator has configured.

The operator trusts it, so it may stand in a private network; how long and how much it answers is limited all the same.
No token is kept: the id token is checked and read, and the access token asks for an address once, if that is needed.

Spec: OpenID Connect Core 1.0, sections 3.1 and 5.3; Discovery 1.0, section 4; RFC 7636 (PKCE).
"""

import json
import logging
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode

from authlib.oauth2.base import OAuth2Error
from authlib.oauth2.client import OAuth2Client
from authlib.oidc.core import CodeIDToken
from authlib.oidc.discovery import get_well_known_url
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import Key, KeySet, import_key
from pydantic import TypeAdapter, ValidationError

from credentials import UnavailableError
from service.accounts.challenges import derived
from service.bodies import EmailAddress
from service.errors import UpstreamError
from service.runtime.fetching import HTTP_OK, Answered, Fetcher
from service.runtime.settings import Settings
from service.texts.languages import N_

log = logging.getLogger(__name__)

ALGORITHMS: Final = (
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "ES512",
    "Ed25519",
    "EdDSA",
)
"""With keys that only the provider has: never "none", and no secret that others share."""
KEY_TYPES: Final = frozenset({"RSA", "EC", "OKP"})
LEEWAY_SECONDS: Final = 60
"""How far the clocks may differ."""
MOST_BYTES: Final = 262_144
MOST_AT_ONCE: Final = 4
"""A provider that is slow must not hold many threads."""
MAX_SUB: Final = 255
SCOPE: Final = "openid email"
CALLBACK: Final = "/sign-in/openid/answer"

_ADDRESS: TypeAdapter[str] = TypeAdapter(EmailAddress)

DOWN = N_("%(name)s is not working properly. Try again later, or sign in by email.")
UNTRUE = N_(
    "We could not check what %(name)s says about you, so you are not signed in. Try again, or sign in by email."
)


@dataclass(frozen=True)
class Told:
    """What the provider says of somebody: their name there, and an address that it has proved, or None."""

    sub: str
    address: str | None


class Provider:
    """The provider of the settings.

    Args:
        settings: `openid_issuer` is not empty.
        fetcher: replaced in tests; by default one that may call private addresses.
    """

    def __init__(self, settings: Settings, fetcher: Fetcher | None = None) -> None:
        self.issuer, self.name = settings.openid_issuer, settings.openid_shown
        self.named = {"words": {"name": self.name}}
        """The details of an error whose message names the provider."""
        self._settings = settings
        self._fetcher = fetcher or Fetcher(allow_localhost=settings.local, allow_private=True, at_once=MOST_AT_ONCE)

    def address_to_ask(self, secret: str) -> str:
        """Return the address to which a browser goes to sign in; state, nonce and verifier come from its secret.

        Raises:
            UpstreamError: the provider is down, or says of itself what cannot be (code "openid-down").
        """
        about = self._about()
        url, _ = self._client(about).create_authorization_url(
            about["authorization_endpoint"],
            state=state_of(secret),
            nonce=derived(secret, "nonce").hex(),
            code_verifier=derived(secret, "verifier").hex(),
        )
        return str(url)

    def told(self, secret: str, code: str, now: datetime) -> Told:
        """Exchange a code; return what the provider says of the person who came back with it.

        Raises:
            UpstreamError: the provider is down or refuses the code (code "openid-down"), or its word does not hold:
                signature, issuer, audience, time or nonce are wrong (code "openid-untrue").
        """
        about = self._about()
        try:
            token = self._client(about).fetch_token(
                about["token_endpoint"],
                grant_type="authorization_code",
                code=code,
                code_verifier=derived(secret, "verifier").hex(),
            )
        except (OAuth2Error, ValueError, TypeError) as error:
            raise self._down(f"gave no token ({type(error).__name__} {getattr(error, 'error', '')})") from error
        access_token = token.get("access_token")
        claims = self._checked(about, token.get("id_token"), access_token, secret, now)
        address = _proved_address(claims)
        if address is None and "email" not in claims and isinstance(about.get("userinfo_endpoint"), str):
            address = _proved_address(self._more(about["userinfo_endpoint"], access_token, claims["sub"]))
        return Told(claims["sub"], address)

    def _about(self) -> dict[str, Any]:
        """Return what the provider says of itself; it must be the one of the settings."""
        about = self._fetched(get_well_known_url(self.issuer, external=True))
        wanted = ("authorization_endpoint", "token_endpoint", "jwks_uri")
        if about.get("issuer") != self.issuer or not all(isinstance(about.get(each), str) for each in wanted):
            raise self._down("names another issuer than LAUREL_OPENID_ISSUER, or lacks an endpoint")
        schemes = ("https://", "http://") if self._settings.local else ("https://",)
        if not about["authorization_endpoint"].startswith(schemes):
            raise self._down("names an endpoint that is not encrypted")
        return about

    def _fetched(self, url: str) -> dict[str, Any]:
        try:
            document = json.loads(self._fetcher.fetch(url).body)
        except UnavailableError as error:
            raise self._down(f"gave no document ({error.code})") from error
        except (ValueError, RecursionError) as error:
            raise self._down("gave a document that is no JSON") from error
        if not isinstance(document, dict):
            raise self._down("gave a document that is no object")
        return document

    def _client(self, about: dict[str, Any]) -> OAuth2Client:
        secret = self._settings.openid_client_secret
        offered = about.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        method = "client_secret_basic" if "client_secret_basic" in offered else "client_secret_post"
        return OAuth2Client(
            session=_Sender(self),
            client_id=self._settings.openid_client_id,
            client_secret=secret.get_secret_value() if secret else None,
            token_endpoint_auth_method=method if secret else "none",
            scope=SCOPE,
            redirect_uri=self._settings.base_url + CALLBACK,
            code_challenge_method="S256",
        )

    def _checked(self, about: dict[str, Any], id_token: Any, access_token: Any, secret: str, now: datetime) -> Any:
        """Return the claims of an id token that is for us, for this browser and for now."""
        keys = _usable(self._fetched(about["jwks_uri"]).get("keys"))
        try:
            token = jwt.decode(id_token, KeySet(keys), algorithms=ALGORITHMS)
            claims = CodeIDToken(
                token.claims,
                token.header,
                options={
                    "iss": {"essential": True, "value": self.issuer},
                    "aud": {"essential": True, "value": self._settings.openid_client_id},
                },
                params={
                    "nonce": derived(secret, "nonce").hex(),
                    "client_id": self._settings.openid_client_id,
                    "access_token": access_token if isinstance(access_token, str) else None,
                },
            )
            claims.validate(now=int(now.timestamp()), leeway=LEEWAY_SECONDS)
        except Exception as error:  # joserfc raises what its parts do; whatever it is, the token is not good
            log.warning("OpenID: an id token was refused (%s)", getattr(error, "error", type(error).__name__))
            raise self._untrue() from error
        sub = claims["sub"]
        if not isinstance(sub, str) or not 0 < len(sub) <= MAX_SUB or "\0" in sub:
            raise self._untrue()
        return claims

    def _more(self, url: str, access_token: Any, sub: str) -> dict[str, Any]:
        """Return what the provider tells only to who has the access token; it must be of the same person."""
        answered = self.post(url, b"", {"Authorization": f"Bearer {access_token}", "Accept": "application/json"})
        if answered.status != HTTP_OK:
            raise self._down(f"answered {answered.status} at its userinfo_endpoint")
        try:
            more = json.loads(answered.beginning)
        except (ValueError, RecursionError) as error:
            raise self._down("gave userinfo that is no JSON") from error
        if not isinstance(more, dict) or more.get("sub") != sub:
            raise self._untrue()
        return more

    def post(self, url: str, body: bytes, headers: dict[str, str]) -> Answered:
        """Send something to the provider.

        Raises:
            UpstreamError: it does not answer (code "openid-down").
        """
        try:
            return self._fetcher.post(url, body, headers, most_bytes=MOST_BYTES)
        except UnavailableError as error:
            raise self._down(f"does not answer ({error.code})") from error

    def _down(self, why: str) -> UpstreamError:
        log.warning("OpenID: the provider %s", why)
        return UpstreamError("openid-down", DOWN, details=self.named)

    def _untrue(self) -> UpstreamError:
        return UpstreamError("openid-untrue", UNTRUE, details=self.named)


@dataclass(frozen=True)
class _Response:
    """An answer in the shape that Authlib reads."""

    status_code: int
    body: bytes

    def json(self) -> Any:
        """Return the parsed body."""
        return json.loads(self.body)

    def raise_for_status(self) -> None:
        """Refuse an answer that is an error.

        Raises:
            ValueError: it is one.
        """
        if self.status_code != HTTP_OK:
            raise ValueError(f"HTTP {self.status_code}")


@dataclass(frozen=True)
class _Sender:
    """Sends for Authlib, through the one HTTP client of the service."""

    provider: Provider

    def post(self, url: str, *, data: dict[str, str], headers: dict[str, str], auth: Any) -> _Response:
        """Send a form with the client's secret."""
        url, headers, body = auth.prepare("POST", url, dict(headers), urlencode(data))
        answered = self.provider.post(url, body.encode(), headers)
        return _Response(answered.status, answered.beginning)


def state_of(secret: str) -> str:
    """Return the state that a browser with this secret must bring back."""
    return derived(secret, "state").hex()


def _usable(keys: Any) -> list[Key]:
    """Return the public keys with which a provider may sign; others in its set are none of our business."""
    found = []
    for each in keys if isinstance(keys, list) else []:
        if isinstance(each, dict) and each.get("kty") in KEY_TYPES and each.get("use", "sig") == "sig":
            with suppress(JoseError, ValueError, TypeError):
                found.append(import_key(each))
    return found


def _proved_address(claims: dict[str, Any]) -> str | None:
    """Return the address, if the provider says that it is proved."""
    if claims.get("email_verified") is not True:
        return None
    try:
        return _ADDRESS.validate_python(claims.get("email"))
    except ValidationError:
        return None
