"""Another issuer, on this machine: its documents, and the requests that it got."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from credentials.proofs.keys import PrivateKeySigner
from credentials.status import BitstringStatusList, status_entry, status_list_credential
from tests.credentials.parties import V2, Party, World
from tests.worlds.listening import Asked, answering

OPEN_BADGES = "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"
EXTENSIONS = "https://purl.imsglobal.org/spec/ob/v3p0/extensions.json"
PLACE = 4711
SIGNED_AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
"""When its status list was signed: a day before the clock of the tests begins."""


@dataclass
class Publisher:
    """An issuer with a did:web, keys and a status list.

    All addresses in its `badge` are its own.
    """

    base_url: str
    party: Party
    world: World = field(default_factory=World)
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    @property
    def asked(self) -> list[str]:
        """The paths that were requested, in order."""
        return [path for path, _ in self.requests]

    @property
    def list_url(self) -> str:
        """The address of the status list."""
        return f"{self.base_url}/status/1"

    @property
    def did_url(self) -> str:
        """The address of the DID document."""
        return f"{self.base_url}/.well-known/did.json"

    def publish(self, *, revoked: bool = False, signed_at: datetime = SIGNED_AT, by: Party | None = None) -> None:
        """Publish the DID document and the status list.

        The list is signed with this issuer's key, or with somebody else's.
        """
        self.party.publish(self.world, assertionMethod=[self.party.ed25519, self.party.p256])
        self.world.documents[self.list_url] = self.status_list(revoked=revoked, signed_at=signed_at, by=by)

    def status_list(
        self,
        *,
        revoked: bool = False,
        signed_at: datetime = SIGNED_AT,
        by: Party | None = None,
        place: int = PLACE,
        **changes: Any,
    ) -> dict[str, Any]:
        """Return a signed status list of this issuer."""
        bits = BitstringStatusList()
        bits.set(place, revoked)
        document = status_list_credential(
            id=self.list_url,
            issuer=self.party.did,
            purpose="revocation",
            bits=bits,
            valid_from=signed_at,
            valid_until=signed_at + timedelta(days=30),
        )
        return (by or self.party).sign(document | changes, created=signed_at)

    def badge(self, number: str = "4f1a", **changes: Any) -> dict[str, Any]:
        """Return an unsigned badge; a change to None removes the member."""
        members = {
            "@context": [V2, OPEN_BADGES, EXTENSIONS],
            "id": f"{self.base_url}/credentials/{number}",
            "type": ["VerifiableCredential", "OpenBadgeCredential"],
            "name": "Sharer",
            "issuer": {"id": self.party.did, "type": ["Profile"], "name": "Example Valley Writing Circle"},
            "validFrom": "2026-02-01T00:00:00Z",
            "credentialSubject": {
                "id": "did:example:member-1",
                "type": ["AchievementSubject"],
                "achievement": {
                    "id": f"{self.base_url}/achievements/7",
                    "type": ["Achievement"],
                    "name": "Sharer",
                    "description": "Shares what works.",
                    "criteria": {"narrative": "Share two resources."},
                },
            },
            "credentialStatus": status_entry(self.list_url, PLACE, "revocation"),
            **changes,
        }
        return {name: value for name, value in members.items() if value is not None}

    def signed(self, number: str = "4f1a", **changes: Any) -> dict[str, Any]:
        """Return the badge with this issuer's proof."""
        return self.party.sign(self.badge(number, **changes))

    def text(self, number: str = "4f1a", **changes: Any) -> str:
        """Return the signed badge as text."""
        return json.dumps(self.signed(number, **changes), ensure_ascii=False)

    @property
    def key(self) -> PrivateKeySigner:
        """The key that signs its badges."""
        return self.party.ed25519


@contextmanager
def publisher(number: int = 1) -> Iterator[Publisher]:
    """Yield an issuer that answers on this machine for its own addresses."""
    here: list[Publisher] = []

    def reply(asked: Asked) -> None:
        issuer = here[0]
        issuer.requests.append((asked.path, asked.named_headers()))
        found = issuer.world.documents.get(issuer.base_url + asked.path)
        body = b"" if found is None else found if isinstance(found, bytes) else json.dumps(found).encode()
        headers = {"Content-Type": "application/json", "Set-Cookie": "visitor=1"}
        asked.answer(404 if found is None else 200, body, headers)

    with answering(reply) as url:
        made = Publisher(url, Party(number, url.removeprefix("http://").replace(":", "%3A")))
        here.append(made)
        made.publish()
        yield made
