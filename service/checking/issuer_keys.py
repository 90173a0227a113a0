"""The keys that an issuer publishes."""

from dataclasses import dataclass
from datetime import datetime

from credentials import CredentialError, Load, parse_json, reading
from credentials.proofs.dids import did_web_url
from service.texts.display_names import one_line

MAX_KEYS, MAX_ID = 50, 2000


@dataclass(frozen=True)
class IssuerKey:
    """A key that the issuer publishes, with its dates where they are known."""

    name: str
    kind: str
    since: datetime | None = None
    retired_at: datetime | None = None
    revoked_at: datetime | str | None = None


def published_keys(issuer_id: str, load: Load) -> tuple[IssuerKey, ...]:
    """Return the keys in another issuer's DID document.

    There are none where it cannot be fetched or read.
    """
    try:
        document = parse_json(load(did_web_url(issuer_id)).body)
    except CredentialError:
        return ()
    methods = reading.objects(document.get("verificationMethod")) if isinstance(document, dict) else []
    return tuple(
        IssuerKey(
            one_line(method.get("id"), MAX_ID).rpartition("#")[2],
            one_line(method.get("type")),
            revoked_at=one_line(method.get("revoked")) or None,
        )
        for method in methods[:MAX_KEYS]
    )
