"""What a check tells the issuer of a badge: nothing of which badge it is, as far as there is a list."""

import base64
import hashlib
import json
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from service.checking import verification
from service.runtime.runtime import Runtime
from tests.worlds.publishing import Publisher, publisher

pytestmark = pytest.mark.any_database("who is asked for what is of no database")

NUMBER = "4f1a7c"


@pytest.fixture
def issuer() -> Iterator[Publisher]:
    with publisher() as answering:
        yield answering


def telling(issuer: Publisher, **changes: Any) -> str:
    """Return a badge that names an address of itself wherever it can."""
    related, refresh = (f"{issuer.base_url}/{what}/{NUMBER}" for what in ("related", "refresh"))
    digest = "sha256-" + base64.b64encode(hashlib.sha256(b'"a"').digest()).decode()
    members = {
        "refreshService": {"id": refresh, "type": "1EdTechCredentialRefresh"},
        "relatedResource": [{"id": related, "digestSRI": digest}],
    } | changes
    text = issuer.text(NUMBER, **members)
    issuer.world.documents |= {refresh: text.encode(), related: b'"a"'}
    return text


def asked(client: TestClient, **body: Any) -> Any:
    answer = client.post("/v1/verifications", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def outcome(report: Any, name: str) -> str:
    return next(str(check["outcome"]) for check in report["checks"] if check["name"] == name)


def test_no_address_that_is_asked_names_the_badge(issuer: Publisher, client: TestClient) -> None:
    report = asked(client, credential=json.loads(telling(issuer)))
    assert report["verdict"] == "verified"
    assert sorted(issuer.asked) == ["/.well-known/did.json", "/status/1"]
    assert not [path for path in issuer.asked if NUMBER in path]
    codes = [finding["code"] for check in report["checks"] for finding in check["findings"]]
    assert codes == ["refresh-not-asked", "resource-not-asked"]


def test_whoever_wants_to_can_have_everything_asked(issuer: Publisher, client: TestClient) -> None:
    report = asked(client, credential=json.loads(telling(issuer)), evidence=True)
    assert (report["verdict"], outcome(report, "refresh"), outcome(report, "resources")) == ("verified",) + (
        "passed",
    ) * 2
    assert {f"/refresh/{NUMBER}", f"/related/{NUMBER}"} < set(issuer.asked)


def test_where_there_is_no_list_the_refresh_service_is_the_only_one_who_knows(
    issuer: Publisher, runtime: Runtime
) -> None:
    verification.verify_received(runtime, telling(issuer, credentialStatus=None))
    assert f"/refresh/{NUMBER}" in issuer.asked


def test_a_second_check_asks_nobody(issuer: Publisher, runtime: Runtime) -> None:
    first = verification.verify_received(runtime, telling(issuer))
    count = len(issuer.asked)
    other = verification.verify_received(runtime, issuer.text("other"))
    assert (first.verdict, other.verdict, len(issuer.asked)) == ("verified", "verified", count)


def test_a_request_says_nothing_of_who_asks(issuer: Publisher, runtime: Runtime) -> None:
    verification.verify_received(runtime, telling(issuer))
    assert runtime.fetcher.fetch(f"{issuer.base_url}/related/{NUMBER}").body == b'"a"'  # after a cookie was set
    for _, headers in issuer.requests:
        assert sorted(headers) == ["accept", "accept-encoding", "host", "user-agent"]
        assert headers["user-agent"] == "Laurel"
