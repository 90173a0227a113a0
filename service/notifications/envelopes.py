"""How an event is sent to a webhook: the form around it, and the signature.

Spec: Standard Webhooks.
"""

import base64
import hmac
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from credentials.instants import write_instant


def message(kind: str, at: datetime, data: dict[str, Any]) -> dict[str, Any]:
    """Return what is sent. Spec: Standard Webhooks, section "Payload structure"."""
    return {"type": kind, "timestamp": write_instant(at), "data": data}


def body_of(message: dict[str, Any]) -> bytes:
    """Return a message as it is sent and signed."""
    return json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode()


def signed_headers(keys: Sequence[bytes], message_id: str, body: bytes, now: datetime) -> dict[str, str]:
    """Return the headers with which a body is sent: one signature for each secret.

    Spec: Standard Webhooks, section "Webhook headers": `v1,` and base64 of HMAC-SHA256 over `id.timestamp.body`.
    """
    timestamp = str(int(now.timestamp()))
    signed = f"{message_id}.{timestamp}.".encode() + body
    signatures = [base64.b64encode(hmac.digest(key, signed, "sha256")).decode() for key in keys]
    return {
        "Content-Type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(f"v1,{signature}" for signature in signatures),
    }
