"""Laurel from Python, with the standard library alone."""

import base64
import hashlib
import hmac
import json
import os
import time
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.request import Request, urlopen

NETWORK = os.environ["NETWORK"]  # such as http://localhost:8000/v1/networks/my-circle
TOKEN = os.environ["TOKEN"]


def call(method: str, path: str, body: Any = None, **headers: str) -> Any:
    """Send a request, and return the JSON of its answer."""
    headers |= {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
    request = Request(NETWORK + path, json.dumps(body).encode() if body else None, headers, method=method)
    with urlopen(request, timeout=30) as answer:
        return json.load(answer)


def post_contribution(contribution: Mapping[str, Any], key: str) -> Any:
    """Post a contribution; sent again with the same key, it is carried out once."""
    return call("POST", "/contributions", contribution, **{"Idempotency-Key": key})


def read_all(path: str) -> Iterator[Any]:
    """Yield every item of a list, page by page."""
    page: dict[str, Any] = {"next": ""}
    while (after := page.get("next")) is not None:
        page = call("GET", f"{path}?limit=200" + (f"&after={after}" if after else ""))
        yield from page["items"]


def is_from_laurel(headers: Mapping[str, str], body: bytes, secret: str) -> bool:
    """Return whether a webhook's request is genuine, and at most five minutes old."""
    sent_at = headers["webhook-timestamp"]
    signed = f"{headers['webhook-id']}.{sent_at}.".encode() + body
    key = base64.b64decode(secret.removeprefix("whsec_"))
    expected = "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
    signatures = headers["webhook-signature"].split(" ")
    return abs(time.time() - int(sent_at)) < 300 and any(hmac.compare_digest(expected, each) for each in signatures)
