"""Addresses around a badge that no badge has."""

import pytest
from fastapi.testclient import TestClient

WAYS = ("", ".html", "/share", "/card", "/qr.png", "/qr.svg", ".bundle")


@pytest.mark.parametrize("credential_id", ["0" * 32, "%00", "x" * 1900, "%20", "é"])
def test_there_is_nothing_on_either_database(client: TestClient, credential_id: str) -> None:
    for way in WAYS:
        answer = client.get(f"/credentials/{credential_id}{way}", headers={"Accept": "text/html"})
        assert answer.status_code == 404, way
    answer = client.get("/oembed", params={"url": f"http://localhost:8000/credentials/{credential_id}"})
    assert answer.status_code == 404


def test_no_other_form_of_a_code_is_drawn(client: TestClient) -> None:
    assert client.get(f"/credentials/{'0' * 32}/qr.gif").status_code == 422
