"""What every page that takes something from a visitor leaves behind: nothing in logs, caches, frames or addresses."""

import json
import logging
import re
from itertools import product
from typing import Any

import pytest
from fastapi.testclient import TestClient

from service.runtime.runtime import Runtime
from tests.worlds.awarding import Stage

pytestmark = pytest.mark.any_database("headers, logs and pages are of no database")

SECRET = "quite.secret.sentinel@river.example.org"
ODD = [
    SECRET,
    f"https://{SECRET}/x",
    f"https://[{SECRET}",
    f"https://localhost:9/{SECRET}",
    f"https://10.0.0.1/credentials/{SECRET}?{SECRET}#{SECRET}",
    f'{{"id": "{SECRET}"',
    json.dumps({"type": ["VerifiableCredential"], "id": SECRET, "issuer": SECRET, "proof": {"type": SECRET}}),
    f"eyJhbGciOiJub25lIn0.{SECRET.encode().hex()}.x",
    f"<svg xmlns='http://www.w3.org/2000/svg'><!-- {SECRET} -->",
    f"<html><a href='{SECRET}'>",
    f"\x00\ufffe{SECRET}\r\n\u2028",
    f"%PDF-1.7\n{SECRET}",
    f"data:image/png;base64,{SECRET}",
    "%(name)s %s {0} {{ 7 * 7 }} " + SECRET,
]
FORMS = ["/verify", "/verify/batch", "/verify/bundle", "/verify/receipt.json", "/verify/receipt.pdf"]
INLINE = re.compile(r"<script(?![^>]*\ssrc=)|<style|\sstyle=|\son[a-z]+=|javascript:", re.IGNORECASE)


@pytest.fixture
def stage(client: TestClient, runtime: Runtime) -> Stage:
    return Stage.set_up(client, runtime)


def logged(caplog: pytest.LogCaptureFixture) -> str:
    """Return what was logged; the client of the tests, which logs its own addresses, is not the service."""
    ours = [record for record in caplog.records if not record.name.startswith("httpx")]
    return "\n".join(record.getMessage() + str(record.exc_info) for record in ours)


def guarded(answer: Any) -> None:
    """Hold a page to what protects its readers."""
    policy = answer.headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert {"Accept-Language", "Cookie"} <= set(answer.headers["Vary"].replace(" ", "").split(","))
    assert not INLINE.search(re.sub(r"<(textarea|pre|input)\b.*?(</\1>|>)", "", answer.text, flags=re.DOTALL))


@pytest.mark.parametrize("given", ODD)
def test_what_is_given_is_nowhere_afterwards(stage: Stage, caplog: pytest.LogCaptureFixture, given: str) -> None:
    caplog.set_level(logging.DEBUG)
    kinds: list[dict[str, Any]] = [
        {"data": {"received": given, "recipient": SECRET, "evidence": "on"}},
        {"data": {"recipient": SECRET}, "files": {"file": (SECRET, given.encode())}},
    ]
    for path, sent in product(FORMS, kinds):
        answer = stage.client.post(path, headers={"Accept": "text/html"}, **sent)
        assert answer.status_code < 500
        if answer.headers["content-type"].startswith("text/html"):
            guarded(answer)
        if answer.status_code != 400:  # a form that was not read at all holds nothing
            assert answer.headers["Cache-Control"] == "no-store"
        assert "set-cookie" not in answer.headers
        assert "49 " + SECRET not in answer.text
    assert "sentinel" not in logged(caplog)


@pytest.mark.parametrize("given", ODD)
def test_a_link_in_the_address_is_not_written_down(stage: Stage, caplog: pytest.LogCaptureFixture, given: str) -> None:
    caplog.set_level(logging.DEBUG)
    answer = stage.client.get("/verify", params={"link": given})
    assert answer.status_code in {200, 422}
    guarded(answer)
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Robots-Tag"] == "noindex"
    assert "sentinel" not in logged(caplog)


@pytest.mark.parametrize(
    "path",
    ["/", "/verify", "/verify/batch", "/networks/river", "/credentials/none", "/confirmations/none", "/confirm/none"],
)
def test_head_is_answered_like_get(stage: Stage, path: str) -> None:
    asked = {"headers": {"Accept": "text/html"}}
    got, head = stage.client.get(path, **asked), stage.client.head(path, **asked)  # type: ignore[arg-type]
    assert head.status_code == got.status_code
    assert head.headers["content-type"] == got.headers["content-type"]
    guarded(got)


@pytest.mark.parametrize(
    "back",
    ["//evil.example", "/\\evil.example", "https://evil.example", "/\t/evil.example", "\\\\evil", "/%0d%0aX: y\r\n"],
)
def test_to_choose_a_language_leads_nowhere_else(stage: Stage, back: str) -> None:
    answer = stage.client.post("/language", data={"to": "es", "back": back}, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
