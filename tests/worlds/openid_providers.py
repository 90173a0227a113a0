"""An OpenID provider on this machine: who is signed in there, what it says of them, and how it fails."""

import json
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

from tests.worlds.listening import Asked, answering
from tests.worlds.runtimes import BASE_URL

CLIENT, SECRET = "laurel at the school", "the client's secret"
CALLBACK = "/sign-in/openid/answer"


@dataclass
class OpenidProvider:
    """A provider with one client.

    `claims` change those of the id token; a change to None takes a claim away. `userinfo` is what it tells only for an
    access token. `answers` replace what lies at a path: a status and JSON.
    """

    now: Callable[[], datetime]
    url: str = ""
    service: str = BASE_URL
    algorithm: str = "RS256"
    claims: dict[str, Any] = field(default_factory=dict)
    userinfo: dict[str, Any] | None = None
    answers: dict[str, tuple[int, Any]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "1", "use": "sig"}))
    signing_key: RSAKey | None = None
    _codes: dict[str, dict[str, str]] = field(default_factory=dict)

    def about(self) -> dict[str, Any]:
        """Return what it says of itself."""
        more = {} if self.userinfo is None else {"userinfo_endpoint": f"{self.url}/userinfo"}
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/keys",
        } | more

    def authorize(self, address: str) -> dict[str, str]:
        """Return the parameters with which it sends somebody back who was led to `address` and signed in."""
        assert address.startswith(f"{self.url}/authorize?")
        asked = dict(parse_qsl(urlsplit(address).query))
        assert (asked["response_type"], asked["client_id"], asked["redirect_uri"]) == (
            "code",
            CLIENT,
            self.service + CALLBACK,
        )
        assert set(asked["scope"].split()) == {"openid", "email"}
        assert asked["code_challenge_method"] == "S256"
        code = f"code {len(self._codes)}"
        self._codes[code] = asked
        return {"code": code, "state": asked["state"], "iss": self.url}

    def reply(self, path: str, body: bytes, authorization: str) -> tuple[int, Any]:
        """Return the status and the JSON with which it answers."""
        self.asked.append(path)
        if path in self.answers:
            return self.answers[path]
        match path:
            case "/.well-known/openid-configuration":
                return 200, self.about()
            case "/keys":
                return 200, {"keys": [self.key.as_dict(private=False)]}
            case "/token":
                return self._token(dict(parse_qsl(body.decode())), authorization)
            case "/userinfo":
                return (200, self.userinfo) if authorization == "Bearer for userinfo" else (401, {})
        return 404, {}

    def _token(self, sent: dict[str, str], authorization: str) -> tuple[int, Any]:
        if authorization != "Basic " + b64encode(f"{CLIENT}:{SECRET}".encode()).decode():
            return 401, {"error": "invalid_client"}
        asked = self._codes.pop(sent.get("code", ""), None)
        challenge = urlsafe_b64encode(sha256(sent.get("code_verifier", "").encode()).digest()).decode().rstrip("=")
        if asked is None or asked["code_challenge"] != challenge or sent["redirect_uri"] != asked["redirect_uri"]:
            return 400, {"error": "invalid_grant"}
        tokens = {"access_token": "for userinfo", "token_type": "Bearer", "id_token": self._id_token(asked["nonce"])}
        return 200, tokens

    def _id_token(self, nonce: str) -> str:
        at = int(self.now().timestamp())
        usual = {"iss": self.url, "aud": CLIENT, "sub": "person 11", "nonce": nonce, "iat": at, "exp": at + 300}
        claims = {name: value for name, value in (usual | self.claims).items() if value is not None}
        if self.algorithm == "none":
            parts = ({"alg": "none"}, claims)
            return ".".join(urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts) + "."
        header = {"alg": self.algorithm, "kid": "1"}
        return jwt.encode(header, claims, self.signing_key or self.key, algorithms=[self.algorithm])


@contextmanager
def openid_provider(now: Callable[[], datetime]) -> Iterator[OpenidProvider]:
    """Give a provider that listens on a free port of loopback; somebody with a proved address is signed in there."""
    provider = OpenidProvider(now, claims={"email": "M11@river.example.org", "email_verified": True})

    def reply(asked: Asked) -> None:
        if asked.path.startswith("/authorize?"):
            query = urlencode(provider.authorize(provider.url + asked.path))
            asked.answer(302, headers={"Location": f"{provider.service}{CALLBACK}?{query}"})
            return
        body = asked.rfile.read(int(asked.headers.get("Content-Length") or 0))
        status, document = provider.reply(asked.path, body, asked.headers.get("Authorization", ""))
        asked.answer(status, json.dumps(document).encode(), {"Content-Type": "application/json"})

    with answering(reply) as provider.url:
        yield provider
