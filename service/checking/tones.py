"""The headlines of checks, and the tone of each."""

from collections.abc import Mapping
from typing import Final, Literal

Tone = Literal["good", "unsure", "bad"]

TONES: Final[Mapping[str, Tone]] = {
    "genuine": "good",
    "genuine-newer-copy": "unsure",
    "genuine-unlisted": "unsure",
    "genuine-keys-open": "unsure",
    "genuine-recipient-open": "unsure",
    "test": "unsure",
    "evidence-changed": "unsure",
    "policy-not-followed": "unsure",
    "not-a-badge": "unsure",
    "issuer-description": "unsure",
    "achievement-description": "unsure",
    "decision-record": "unsure",
    "older-hosted": "unsure",
    "older-signed": "unsure",
    "older-differs": "unsure",
    "older-description": "unsure",
    "older-not-reached": "unsure",
    "older-kind": "unsure",
    "older-revoked": "bad",
    "older-elsewhere": "bad",
    "revoked": "bad",
    "replaced": "unsure",
    "suspended": "bad",
    "expired": "unsure",
    "not-yet-valid": "unsure",
    "not-theirs": "unsure",
    "forged": "bad",
    "changed": "bad",
    "unsigned": "bad",
    "other-key": "bad",
    "key-not-published": "bad",
    "key-ended": "bad",
    "not-in-form": "bad",
    "not-in-order": "bad",
    "unreadable": "unsure",
    "records-lost": "unsure",
    "issuer-not-reached": "unsure",
    "issuer-keys-not-in-order": "unsure",
    "status-not-reached": "unsure",
    "clock-open": "unsure",
    "not-decided": "unsure",
}
"""Each headline and its tone; *good* is a genuine badge in force whose issuer is on a list of this service."""

NO_BADGE: Final = frozenset({"unreadable", "issuer-description", "achievement-description", "decision-record"})
"""Headlines of what is no badge, about which the five questions are not asked."""
